//! Cards of purposes, three side by side; a click chooses one.

use eframe::egui::{self, CornerRadius, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, text::LayoutJob, vec2};

use crate::{
    model::create::preset::Preset,
    ui::{
        theme::{self, Type, radius, space},
        widgets::focus,
    },
};

const COLUMNS: usize = 3;
const HEIGHT: f32 = 56.0;

/// Draws the cards. Returns the one that was clicked, even if it was chosen before.
pub fn ui(ui: &mut Ui, chosen: Preset) -> Option<Preset> {
    let gap = space::S;
    let width = (ui.available_width() - gap * (COLUMNS - 1) as f32) / COLUMNS as f32;
    let mut clicked = None;
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing = vec2(gap, gap);
        for row in Preset::ALL.chunks(COLUMNS) {
            ui.horizontal(|ui| {
                for preset in row {
                    if card(ui, *preset, chosen == *preset, width) {
                        clicked = Some(*preset);
                    }
                }
            });
        }
    });
    clicked
}

fn card(ui: &mut Ui, preset: Preset, on: bool, width: f32) -> bool {
    let p = theme::colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::click());
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, preset.title()));
    let (fill, edge) = match (on, response.is_pointer_button_down_on(), response.hovered()) {
        (true, ..) => (p.accent.tint, p.accent.mark),
        (_, true, _) => (p.surface.pressed, p.stroke.card),
        (_, _, true) => (p.surface.hover, p.stroke.card),
        _ => (p.surface.raised, p.stroke.card),
    };
    ui.painter().rect(rect, CornerRadius::same(radius::M), fill, Stroke::new(p.hair, edge), StrokeKind::Inside);
    let line = |ui: &Ui, kind: Type, color, words: &str| {
        let mut job = LayoutJob::default();
        job.append(words, 0.0, kind.format(color));
        job.wrap = egui::text::TextWrapping::truncate_at_width(width - 24.0);
        ui.painter().layout_job(job)
    };
    let title = line(ui, Type::Strong, p.text.primary, preset.title());
    let below = line(ui, Type::Small, p.text.secondary, preset.short());
    let top = rect.top() + ((HEIGHT - title.size().y - below.size().y) / 2.0).round();
    let at = egui::pos2(rect.left() + 12.0, top);
    let next = egui::pos2(at.x, top + title.size().y);
    ui.painter().galley(at, title, p.text.primary);
    ui.painter().galley(next, below, p.text.secondary);
    focus::ring(ui, &response, radius::M);
    response.on_hover_text(preset.meaning()).clicked()
}
