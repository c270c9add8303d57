//! Common parts of the dialogs that change or end keys: the head, the padded content and the footer.

use std::{fmt::Debug, hash::Hash};

use eframe::egui::{
    self, Align, CornerRadius, Frame, Id, LayerId, Layout, Margin, Modal, Order, Popup, Role, Stroke, Ui, vec2,
};

use crate::{
    app::State,
    model::{connections::profile::Profile, text::sanitize},
    ui::{
        theme,
        theme::{Type, radius},
        widgets::{
            chip,
            notice::{self, Tone},
            stable::stable,
            text,
        },
    },
};

/// Draws the title, the cluster, the id if there is only one key, and a sentence unless it is empty.
pub(super) fn head(ui: &mut Ui, profile: &Profile, title: &str, id: Option<&str>, line: &str) {
    let p = theme::colors(ui);
    Frame::new().inner_margin(Margin { left: 24, right: 24, top: 20, bottom: 14 }).show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.horizontal(|ui| {
            text::line(ui, Type::Title, p.text.primary, title);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                chip::environment(ui, profile.environment);
            });
        });
        let place = format!("On {} ({})", sanitize::shortened(&profile.name, 40), profile.endpoint.url.host());
        text::line(ui, Type::Small, p.text.tertiary, place);
        if let Some(id) = id {
            text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(id, 60));
        }
        if !line.is_empty() {
            text::paragraph(ui, Type::Body, p.text.secondary, line);
        }
    });
}

/// Draws content between the head and the footer.
pub(super) fn padded(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    Frame::new().inner_margin(Margin { left: 24, right: 24, top: 14, bottom: 14 }).show(ui, |ui| {
        ui.set_width(ui.available_width());
        add(ui);
    });
}

/// Draws the buttons, from the right.
pub(super) fn footer(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    Frame::new().inner_margin(Margin::symmetric(24, 14)).show(ui, |ui| {
        stable(ui, "footer", |ui| {
            ui.allocate_ui_with_layout(vec2(ui.available_width(), 32.0), Layout::right_to_left(Align::Center), add);
        });
    });
}

/// Draws a dialog of this name and width on a scrim. Above its content it shows why the window can't be closed, if the
/// user tried. Buttons, focus and clicks belong to one `question`: a press meant for one never answers the next.
/// Returns `true` if Escape asked to close it.
pub(super) fn dialog(
    ctx: &egui::Context,
    state: &State,
    name: &str,
    question: impl Hash + Debug,
    width: f32,
    content: impl FnOnce(&mut Ui),
) -> bool {
    let p = theme::colors_of(ctx);
    let room = ctx.content_rect().width() - 48.0;
    let frame = Frame::new()
        .fill(p.surface.raised)
        .stroke(Stroke::new(p.hair, p.stroke.card))
        .corner_radius(CornerRadius::same(radius::XL))
        .shadow(theme::dialog_shadow(p))
        .inner_margin(Margin::same(0));
    let area = Id::unique(name.to_owned());
    if !ctx.memory(|memory| memory.areas().visible_last_frame(&LayerId::new(Order::Foreground, area))) {
        // A menu that is open would lie above the dialog and belong to what is below it.
        Popup::close_all(ctx);
    }
    let modal = Modal::new(area).backdrop_color(p.surface.scrim).frame(frame);
    let response = modal.show(ctx, |ui| {
        ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
            node.set_role(Role::Dialog);
            node.set_modal();
            node.set_label(name);
        });
        ui.set_width(width.min(room));
        if let Some(words) = state.refusal() {
            Frame::new().inner_margin(Margin { left: 24, right: 24, top: 20, bottom: 0 }).show(ui, |ui| {
                notice::banner(ui, Tone::Warning, "Keybearer can’t be closed yet", words, |_| ());
            });
        }
        ui.push_id(("question", question), content);
    });
    // A dialog that has grown is put in the middle one frame later, which somebody has to ask for.
    let (id, height) = (Id::unique((name.to_owned(), "height")), response.response.rect.height());
    let before = ctx.data_mut(|data| std::mem::replace(data.get_temp_mut_or(id, 0.0_f32), height));
    if (before - height).abs() > 0.5 {
        ctx.request_repaint();
    }
    // A click beside it does not close it: a stray click must not end what can't be shown again.
    let on_top = response.is_top_modal && !response.any_popup_open;
    on_top && ctx.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape))
}
