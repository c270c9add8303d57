//! Labels and running text in the theme's types.

use eframe::egui::{
    self, Color32, Label, Rect, Response, Ui, pos2,
    text::{LayoutJob, TextWrapping},
};

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

/// Paints a line that is cut off with `…`, and returns its painted width.
pub fn elided(ui: &Ui, cell: Rect, kind: Type, color: Color32, words: &str) -> f32 {
    let wrap = TextWrapping { max_width: cell.width(), max_rows: 1, break_anywhere: true, ..TextWrapping::default() };
    paint(ui, cell, kind, color, words, wrap)
}

/// Paints text that wraps between words to as many rows as the cell has room for.
pub fn wrapped(ui: &Ui, cell: Rect, kind: Type, color: Color32, words: &str) {
    let row = ui.fonts_mut(|fonts| fonts.row_height(&kind.font()));
    let max_rows = ((cell.height() / row) as usize).max(1);
    let wrap = TextWrapping { max_width: cell.width(), max_rows, ..TextWrapping::default() };
    paint(ui, cell, kind, color, words, wrap);
}

fn paint(ui: &Ui, cell: Rect, kind: Type, color: Color32, words: &str, wrap: TextWrapping) -> f32 {
    let mut job = LayoutJob::default();
    job.append(words, 0.0, kind.format(color));
    job.wrap = wrap;
    let galley = ui.fonts_mut(|fonts| fonts.layout_job(job));
    let width = galley.size().x;
    let at = pos2(cell.left(), (cell.center().y - galley.size().y / 2.0).round());
    ui.painter().with_clip_rect(cell.intersect(ui.clip_rect())).galley(at, galley, color);
    width
}
