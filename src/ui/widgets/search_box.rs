//! The search box: the query in colors, errors underlined, and completions in a list below. It knows the query language
//! but no keys.

use eframe::egui::{
    self, Align2, Area, CornerRadius, FontSelection, Frame, Id, Key, Margin, Modifiers, Order, Rect, Response, Role,
    Sense, Stroke, StrokeKind, TextBuffer, TextEdit, Ui, WidgetInfo, pos2, text::LayoutJob, vec2,
};

use super::{button::Button, field, text::elided};
use crate::{
    model::{
        filter::{self, Completion, FilterError, SpanKind, Suggestion, ValueOf},
        text::{number, sanitize},
    },
    ui::{
        theme::{self, Palette, Type, icons, radius, size},
        widgets::text,
    },
};

const NAME: &str = "Search";
const WIDTH: f32 = 440.0;

/// Returns the id of the field.
pub fn id() -> Id {
    Id::unique(("field", NAME))
}

/// The typed query, and the suggestion at the keyboard.
#[derive(Default)]
pub struct SearchBox {
    /// The query.
    pub text: String,
    chosen: Option<usize>,
    closed: bool,
    known: Option<(String, usize, Vec<Suggestion>)>,
}

/// Result of drawing the box for one frame.
pub struct Searched {
    /// Response of the field.
    pub response: Response,
    /// `true` if the list of completions is open; errors are not shown then.
    pub completes: bool,
}

impl SearchBox {
    /// Draws the box. `values` returns the values of a field, most frequent first.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        errors: &[FilterError],
        count: &str,
        values: &mut dyn FnMut(&ValueOf) -> Vec<(String, usize)>,
    ) -> Searched {
        let id = self::id();
        let had_focus = ui.memory(|memory| memory.has_focus(id));
        let offered = self.offered(ui.ctx(), id, had_focus, values);
        let accepted = self.keyboard(ui, id, &offered).and_then(|at| offered.get(at));
        if let Some(suggestion) = accepted {
            self.accept(ui.ctx(), id, suggestion);
        }
        let offers = !offered.is_empty() && accepted.is_none();
        let response = self.edit(ui, id, if offers { &[] } else { errors }, count);
        if response.changed() {
            (self.chosen, self.closed) = (None, false);
        }
        if !response.has_focus() {
            self.closed = false;
        }
        // What was typed in this frame opens the list in this frame, so that the next key already belongs to it. A
        // click on the list takes the focus from the field before the list is drawn.
        let offered = self.offered(ui.ctx(), id, had_focus || response.has_focus(), values);
        let completes = !offered.is_empty();
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, keys_of_the_box(completes)));
        let clicked = if completes { popup(ui, &response, &offered, self.chosen) } else { None };
        if let Some(suggestion) = clicked.and_then(|at| offered.get(at)) {
            self.accept(ui.ctx(), id, suggestion);
            response.request_focus();
        }
        // Without a list, Escape takes the focus away before the field is drawn; it must not reach the table as well.
        let left = response.lost_focus() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        if left {
            self.text.clear();
        }
        Searched { response, completes }
    }

    /// Returns the completions; none unless the box is in use and the list was not closed.
    fn offered(
        &mut self,
        ctx: &egui::Context,
        id: Id,
        is_used: bool,
        values: &mut dyn FnMut(&ValueOf) -> Vec<(String, usize)>,
    ) -> Vec<Suggestion> {
        let cursor = cursor_of(ctx, id, &self.text);
        if is_used && !self.closed { self.suggestions(cursor, values) } else { Vec::new() }
    }

    fn suggestions(
        &mut self,
        cursor: usize,
        values: &mut dyn FnMut(&ValueOf) -> Vec<(String, usize)>,
    ) -> Vec<Suggestion> {
        if let Some((text, at, known)) = &self.known
            && (text, at) == (&self.text, &cursor)
        {
            return known.clone();
        }
        // Where nothing is typed one is left in peace: what can be said is told by the hint and by the help.
        let begun = match filter::context(&self.text, cursor).what {
            Completion::Nothing => false,
            Completion::Field { prefix } => !prefix.is_empty(),
            Completion::Value { .. } => true,
        };
        let found = if begun { filter::suggestions(&self.text, cursor, values) } else { Vec::new() };
        self.known = Some((self.text.clone(), cursor, found.clone()));
        found
    }

    /// Forgets the known values, because the list was read again.
    pub fn forget(&mut self) {
        self.known = None;
    }

    /// Handles the keyboard: arrows choose, Tab takes the first or the chosen suggestion, Enter the chosen one, Escape
    /// closes the list. Returns the suggestion that was taken.
    fn keyboard(&mut self, ui: &Ui, id: Id, suggestions: &[Suggestion]) -> Option<usize> {
        if suggestions.is_empty() || !ui.memory(|memory| memory.has_focus(id)) {
            return None;
        }
        let last = suggestions.len() - 1;
        let (down, up, tab, enter, escape) = ui.input_mut(|input| {
            let mut pressed = |key| input.count_and_consume_key(Modifiers::NONE, key);
            (
                pressed(Key::ArrowDown),
                pressed(Key::ArrowUp),
                pressed(Key::Tab) > 0,
                self.chosen.is_some() && pressed(Key::Enter) > 0,
                pressed(Key::Escape) > 0,
            )
        });
        if escape {
            (self.chosen, self.closed) = (None, true);
            return None;
        }
        for _ in 0..down {
            self.chosen = Some(self.chosen.map_or(0, |at| (at + 1).min(last)));
        }
        for _ in 0..up {
            self.chosen = self.chosen.and_then(|at| at.checked_sub(1));
        }
        (tab || enter).then(|| self.chosen.unwrap_or(0).min(last))
    }

    fn accept(&mut self, ctx: &egui::Context, id: Id, suggestion: &Suggestion) {
        let (Some(before), Some(after)) =
            (self.text.get(..suggestion.replace.start), self.text.get(suggestion.replace.end..))
        else {
            return;
        };
        let open = suggestion.insert.ends_with(':');
        let gap = if open || after.starts_with(' ') { "" } else { " " };
        let text = format!("{before}{}{gap}{after}", suggestion.insert);
        let end = text.len() - after.len();
        let end = text[..end].chars().count();
        self.text = text;
        (self.chosen, self.known) = (None, None);
        if let Some(mut state) = TextEdit::load_state(ctx, id) {
            let range = egui::text::CCursorRange::one(egui::text::CCursor::new(end));
            state.cursor.set_char_range(Some(range));
            state.store(ctx, id);
        }
    }

    fn edit(&mut self, ui: &mut Ui, id: Id, errors: &[FilterError], count: &str) -> Response {
        let p = theme::colors(ui);
        let errors: Vec<std::ops::Range<usize>> = errors.iter().map(|error| error.span.clone()).collect();
        let mut layouter = |ui: &Ui, text: &dyn TextBuffer, _: f32| {
            ui.fonts_mut(|fonts| fonts.layout_job(colored(text.as_str(), &errors, p)))
        };
        let room = ui.painter().layout_no_wrap(count.to_owned(), Type::Small.font(), p.text.tertiary).size().x;
        let has_text = !self.text.is_empty();
        let right = room + 12.0 + if has_text { 30.0 } else { 10.0 };
        let ground = ui.painter().add(egui::Shape::Noop);
        let edit = TextEdit::singleline(&mut self.text)
            .id(id)
            .frame(Frame::new().inner_margin(Margin { left: 34, right: right as i8, top: 8, bottom: 8 }))
            .font(FontSelection::FontId(Type::Mono.font()))
            .hint_text(Type::Mono.rich("Search, or owner:ana expires:<30d can:write on:logs-*", p.text.tertiary))
            .desired_width(f32::INFINITY)
            .min_size(vec2(0.0, 36.0))
            .align(Align2::LEFT_CENTER)
            .event_filter(keys_of_the_box(true))
            .layouter(&mut layouter);
        let response = ui.add(edit);
        field::name(&response, ui, NAME);
        let rect = response.rect;
        let (edge, stroke) = match (errors.is_empty(), response.has_focus(), response.hovered()) {
            (false, ..) => (1.5, p.danger.edge),
            (_, true, _) => (2.0, p.stroke.focus),
            (_, _, true) => (p.hair, p.text.tertiary),
            _ => (p.hair, p.stroke.control),
        };
        let corner = CornerRadius::same(radius::M);
        let shape =
            egui::epaint::RectShape::new(rect, corner, p.surface.field, Stroke::new(edge, stroke), StrokeKind::Inside);
        ui.painter().set(ground, shape);
        ui.painter().text(
            rect.left_center() + vec2(20.0, 0.0),
            Align2::CENTER_CENTER,
            icons::SEARCH,
            Type::Icon.font(),
            p.text.tertiary,
        );
        let at = rect.right_center() - vec2(if has_text { 36.0 } else { 12.0 }, 0.0);
        let count_rect = ui.painter().text(at, Align2::RIGHT_CENTER, count, Type::Small.font(), p.text.tertiary);
        let label = ui.interact(count_rect, ui.scope_id().with("count"), Sense::hover());
        label.widget_info(|| WidgetInfo::labeled(Role::Label, true, count));
        if has_text {
            let clear = Rect::from_center_size(rect.right_center() - vec2(18.0, 0.0), egui::Vec2::splat(24.0));
            let click = ui.interact(clear, ui.scope_id().with("clear search"), Sense::click());
            click.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Clear search"));
            let color = if click.hovered() { p.text.primary } else { p.text.tertiary };
            ui.painter().text(clear.center(), Align2::CENTER_CENTER, icons::CLOSE, Type::IconSmall.font(), color);
            if click.clicked() {
                self.text.clear();
                response.request_focus();
            }
        }
        response
    }

    /// Draws a line for each error, and the button for the query syntax.
    pub fn errors_ui(ui: &mut Ui, errors: &[FilterError]) {
        for error in errors.iter().take(2) {
            field::error_line(ui, &error.message);
        }
    }
}

/// Draws the help button for the query syntax.
pub fn help_button(ui: &mut Ui) {
    let response = Button::icon_only(icons::HELP, "Search syntax").show(ui);
    egui::Popup::menu(&response).width(560.0).show(|ui| {
        let p = theme::colors(ui);
        egui::ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
            for (example, meaning) in filter::help() {
                ui.horizontal_top(|ui| {
                    ui.spacing_mut().item_spacing.x = 8.0;
                    ui.allocate_ui(vec2(230.0, 20.0), |ui| {
                        ui.set_min_width(230.0);
                        text::line(ui, Type::Mono, p.accent.text, example);
                    });
                    text::paragraph(ui, Type::Small, p.text.secondary, meaning);
                });
            }
        });
    });
}

/// Returns the keys that the toolkit must not use to move the focus: while the list is open, Tab and the arrows choose
/// in it and Escape closes it.
fn keys_of_the_box(completes: bool) -> egui::EventFilter {
    egui::EventFilter { tab: completes, horizontal_arrows: true, vertical_arrows: completes, escape: completes }
}

fn cursor_of(ctx: &egui::Context, id: Id, text: &str) -> usize {
    let state = TextEdit::load_state(ctx, id);
    let chars = state.and_then(|state| state.cursor.char_range()).map(|range| range.primary.index);
    chars.map_or(text.len(), |at| text.char_indices().nth(at.into()).map_or(text.len(), |(byte, _)| byte))
}

fn colored(text: &str, errors: &[std::ops::Range<usize>], p: &Palette) -> LayoutJob {
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    job.wrap.max_width = f32::INFINITY;
    for (span, kind) in filter::spans(text) {
        let color = match kind {
            SpanKind::Field | SpanKind::Operator => p.accent.text,
            SpanKind::UnknownField => p.danger.text,
            SpanKind::Quote => p.success.text,
            SpanKind::Blank | SpanKind::Value | SpanKind::Text => p.text.primary,
        };
        let mut format = Type::Mono.format(color);
        let wrong = errors.iter().any(|error| error.start < span.end && span.start < error.end.max(error.start + 1));
        if wrong {
            format.underline = Stroke::new(1.5, p.danger.text);
            format.background = p.danger.tint;
        }
        job.append(&text[span], 0.0, format);
    }
    job
}

/// Draws the list below the box, and returns the suggestion that was clicked.
fn popup(ui: &Ui, field: &Response, suggestions: &[Suggestion], chosen: Option<usize>) -> Option<usize> {
    let p = theme::colors(ui);
    let mut clicked = None;
    let width = WIDTH.min(field.rect.width());
    let area = Area::new(Id::unique("search suggestions"))
        .order(Order::Foreground)
        .fixed_pos(field.rect.left_bottom() + vec2(24.0, 4.0))
        .constrain(true);
    area.show(ui.ctx(), |ui| {
        let frame = Frame::popup(ui.style()).inner_margin(Margin::same(4));
        frame.show(ui, |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 0.0;
            for (at, suggestion) in suggestions.iter().enumerate() {
                let (rect, response) = ui.allocate_exact_size(vec2(width, size::CONTROL), Sense::click());
                let count = suggestion.count.map(|count| number::plural(count as u64, "key"));
                let name = format!("{}, {}", suggestion.label, suggestion.meaning);
                response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
                if chosen == Some(at) || response.hovered() {
                    ui.painter().rect_filled(rect, f32::from(radius::M), p.surface.selected);
                }
                let y = rect.center().y;
                let left = |x: f32| pos2(rect.left() + x, y);
                let cell = Rect::from_min_max(left(10.0), left(190.0));
                elided(ui, cell, Type::Mono, p.accent.text, &sanitize::shown(&suggestion.label));
                let room = if count.is_some() { 90.0 } else { 10.0 };
                let cell = Rect::from_min_max(left(200.0), pos2(rect.right() - room, y));
                elided(ui, cell, Type::Small, p.text.secondary, &sanitize::shown(&suggestion.meaning));
                if let Some(count) = count {
                    let right = pos2(rect.right() - 10.0, y);
                    ui.painter().text(right, Align2::RIGHT_CENTER, count, Type::Small.font(), p.text.tertiary);
                }
                if response.clicked() {
                    clicked = Some(at);
                }
            }
            ui.add_space(4.0);
            ui.horizontal(|ui| {
                ui.add_space(10.0);
                let hint = "↓ ↑ choose   Tab complete   Esc close";
                text::line(ui, Type::Micro, p.text.tertiary, hint);
            });
        });
    });
    clicked
}
