//! Labels and running text in the theme's types.

use eframe::egui::{self, Color32, Label, Response, Ui, text::LayoutJob};

use crate::{
    model::privileges::descriptor::Piece,
    ui::theme::{self, Type},
};

/// Draws a line of text that is cut off with `…` if there is no room.
pub fn line(ui: &mut Ui, kind: Type, color: Color32, text: impl Into<String>) -> Response {
    ui.add(Label::new(kind.rich(text, color)).truncate())
}

/// Returns the width of a line, in points.
pub fn width(ui: &Ui, kind: Type, text: &str) -> f32 {
    ui.painter().layout_no_wrap(text.to_owned(), kind.font(), Color32::PLACEHOLDER).size().x
}

/// Draws text that wraps.
pub fn paragraph(ui: &mut Ui, kind: Type, color: Color32, text: impl Into<String>) -> Response {
    ui.add(Label::new(kind.rich(text, color)).wrap())
}

/// Draws an icon of the shipped font. It has no accessible name, because the text beside it says the same.
pub fn icon(ui: &mut Ui, kind: Type, color: Color32, icon: &str) {
    let galley = ui.painter().layout_no_wrap(icon.to_owned(), kind.font(), color);
    let (rect, _) = ui.allocate_exact_size(galley.size(), egui::Sense::hover());
    ui.painter().galley(rect.min, galley, color);
}

/// Draws a sentence of pieces with different weights.
pub fn sentence(ui: &mut Ui, pieces: &[Piece], lead: bool) -> Response {
    let p = theme::colors(ui);
    let (plain, strong, mono) =
        if lead { (Type::Lead, Type::LeadEmphasis, Type::LeadMono) } else { (Type::Body, Type::Emphasis, Type::Mono) };
    let mut job = LayoutJob::default();
    job.wrap.max_width = ui.available_width();
    for piece in pieces {
        match piece {
            Piece::Text(text) => job.append(text, 0.0, plain.format(p.text.secondary)),
            Piece::Strong(text) => job.append(text, 0.0, strong.format(p.text.primary)),
            Piece::Mono(text) => job.append(&unbroken(text), 0.0, mono.format(p.text.primary)),
        }
    }
    let response = ui.add(Label::new(job).wrap());
    let words = crate::model::privileges::descriptor::plain(pieces);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
    response
}

/// Replaces hyphens by non-breaking ones; for showing only, never for copying.
pub fn unbroken(text: &str) -> String {
    text.replace('-', "\u{2011}")
}
