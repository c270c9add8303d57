//! JSON in colors, for reading.

use std::sync::Arc;

use eframe::egui::{self, Color32, Galley, Label, Response, Ui, text::LayoutJob};

use crate::{
    model::text::{
        json,
        json_tokens::{self, is_name},
        sanitize,
    },
    ui::theme::{self, Palette, Type},
};

/// Shows JSON as a cluster sent it: formatted, sanitized, and no more than [`json::MAX_SHOWN_BYTES`]. It is laid out
/// when it is first shown and when the text, its width or the theme changes, not in each frame; `name` distinguishes
/// the texts of one page.
pub fn raw_json(ui: &mut Ui, name: &'static str, raw: &str) -> Response {
    #[derive(Clone)]
    struct LaidOut {
        length: usize,
        /// The part of the text that the layout depends on.
        raw: Arc<str>,
        drawn: Option<Drawn>,
        text: Arc<str>,
    }

    let id = egui::Id::unique(("laid out", name));
    let start = &raw[..raw.floor_char_boundary(json::MAX_LAYOUT_BYTES + 1)];
    let known = ui.data(|data| data.get_temp::<LaidOut>(id));
    let mut laid_out = known.filter(|known| known.length == raw.len() && *known.raw == *start).unwrap_or_else(|| {
        let text = sanitize::lines(&json::shown(raw));
        LaidOut { length: raw.len(), raw: start.into(), drawn: None, text: text.into() }
    });
    let look = Look::of(ui);
    let drawn = laid_out.drawn.take().filter(|drawn| drawn.look.is(&look));
    let drawn = drawn.unwrap_or_else(|| {
        let mut job = json_job(&laid_out.text, theme::colors(ui));
        job.wrap.max_width = look.width;
        Drawn { galley: ui.fonts_mut(|fonts| fonts.layout_job(job)), look }
    });
    let galley = Arc::clone(&drawn.galley);
    laid_out.drawn = Some(drawn);
    ui.data_mut(|data| data.insert_temp(id, laid_out));
    ui.add(Label::new(galley).selectable(true))
}

/// Text as it was laid out, for one look.
#[derive(Clone)]
struct Drawn {
    look: Look,
    galley: Arc<Galley>,
}

/// Everything that the layout of a text depends on besides the text.
#[derive(Clone)]
struct Look {
    width: f32,
    color: Color32,
    /// Galley by which a change of fonts is noticed: the toolkit returns the same one while its fonts, whose positions
    /// a layout holds, are the same.
    fonts: Arc<Galley>,
}

impl Look {
    fn of(ui: &Ui) -> Self {
        let color = theme::colors(ui).code.key;
        let fonts = ui.painter().layout_no_wrap("{".to_owned(), Type::Mono.font(), Color32::PLACEHOLDER);
        Self { width: ui.available_width(), color, fonts }
    }

    fn is(&self, other: &Self) -> bool {
        self.width.to_bits() == other.width.to_bits()
            && self.color == other.color
            && Arc::ptr_eq(&self.fonts, &other.fonts)
    }
}

/// Returns the sections of JSON text: keys, strings, numbers, and what is between them.
pub fn json_job(text: &str, p: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut append = |token: &str, color| {
        if !token.is_empty() {
            job.append(token, 0.0, Type::Mono.format(color));
        }
    };
    let mut end = 0;
    for range in json_tokens::ranges(text) {
        let token = &text[range.clone()];
        let color = if token.starts_with('"') {
            if is_name(text, range.end) { p.code.key } else { p.code.string }
        } else if token.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-') {
            p.code.number
        } else {
            p.code.punct
        };
        append(&text[end..range.start], p.code.punct);
        append(token, color);
        end = range.end;
    }
    append(&text[end..], p.code.punct);
    job
}

/// Draws plain code, in one color.
pub fn plain(ui: &mut Ui, text: &str) -> Response {
    let p = theme::colors(ui);
    let mut job = LayoutJob::default();
    job.append(text, 0.0, Type::Mono.format(p.text.primary));
    job.wrap.max_width = ui.available_width();
    ui.add(Label::new(job).wrap())
}

/// Returns a sunken background for code.
pub fn ground(ui: &Ui) -> egui::Frame {
    let p = theme::colors(ui);
    egui::Frame::new()
        .fill(p.surface.sunken)
        .stroke(egui::Stroke::new(p.hair, p.stroke.card))
        .corner_radius(f32::from(theme::radius::M))
        .inner_margin(egui::Margin::same(12))
}
