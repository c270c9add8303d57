//! JSON in colours, for reading.

use std::sync::Arc;

use eframe::egui::{self, Label, Response, Ui, text::LayoutJob};

use crate::{
    model::{harmless, json_text},
    ui::theme::{self, Palette, Type},
};

/// Shows JSON as a cluster sent it: laid out, harmless, and no more than [`json_text::MAX_SHOWN_BYTES`]. It is laid
/// out when it is shown first and when it is another one, not for each frame; `name` tells the texts of one page
/// apart.
pub fn raw_json(ui: &mut Ui, name: &'static str, raw: &str) -> Response {
    #[derive(Clone)]
    struct LaidOut {
        length: usize,
        /// As much as the layout depends on.
        raw: Arc<str>,
        text: Arc<str>,
    }

    let id = egui::Id::unique(("laid out", name));
    let start = &raw[..raw.floor_char_boundary(json_text::MAX_LAYOUT_BYTES + 1)];
    let known = ui.data(|data| data.get_temp::<LaidOut>(id));
    let laid_out = known.filter(|known| known.length == raw.len() && *known.raw == *start).unwrap_or_else(|| {
        let text = harmless::lines(&json_text::shown(raw));
        let made = LaidOut { length: raw.len(), raw: start.into(), text: text.into() };
        ui.data_mut(|data| data.insert_temp(id, made.clone()));
        made
    });
    json(ui, &laid_out.text)
}

/// Shows JSON that was laid out before.
pub fn json(ui: &mut Ui, text: &str) -> Response {
    let p = theme::colors(ui);
    let mut job = json_job(text, p);
    job.wrap.max_width = ui.available_width();
    ui.add(Label::new(job).wrap().selectable(true))
}

/// The sections of JSON text: keys, strings, numbers and what is between them.
pub fn json_job(text: &str, p: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => string_end(rest),
            c if c.is_ascii_digit() || c == '-' || c.is_ascii_alphabetic() => {
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(end);
        let color = match first {
            '"' if after.trim_start().starts_with(':') => p.code.key,
            '"' => p.code.string,
            c if c.is_ascii_digit() || c == '-' || c.is_ascii_alphabetic() => p.code.number,
            _ => p.code.punct,
        };
        job.append(token, 0.0, Type::Mono.format(color));
        rest = after;
    }
    job
}

fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// Plain code, in one colour.
pub fn plain(ui: &mut Ui, text: &str) -> Response {
    let p = theme::colors(ui);
    let mut job = LayoutJob::default();
    job.append(text, 0.0, Type::Mono.format(p.text.primary));
    job.wrap.max_width = ui.available_width();
    ui.add(Label::new(job).wrap())
}

/// A sunken ground for code.
pub fn ground(ui: &Ui) -> egui::Frame {
    let p = theme::colors(ui);
    egui::Frame::new()
        .fill(p.surface.sunken)
        .stroke(egui::Stroke::new(p.hair, p.stroke.card))
        .corner_radius(f32::from(theme::radius::M))
        .inner_margin(egui::Margin::same(12))
}
