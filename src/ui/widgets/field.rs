//! Input fields, with their label above and help or error below. Password fields keep no undo history, so that a
//! cleared secret can't be brought back.

use eframe::egui::{
    self, Color32, CornerRadius, FontSelection, Frame, Margin, Response, Stroke, StrokeKind, TextEdit, Ui, vec2,
};
use zeroize::Zeroizing;

use super::text;
use crate::ui::theme::{self, Type, icons, radius, size};

/// A field before it is shown.
pub struct Field<'a> {
    label: &'a str,
    title: Option<&'a str>,
    optional: bool,
    hint: &'a str,
    help: Option<&'a str>,
    error: Option<&'a str>,
    mono: bool,
    icon: Option<&'a str>,
    lines: usize,
    width: Option<f32>,
    hide_label: bool,
    enabled: bool,
}

impl<'a> Field<'a> {
    /// Creates a field; its label is also its accessible name.
    pub const fn new(label: &'a str) -> Self {
        Self {
            label,
            title: None,
            optional: false,
            hint: "",
            help: None,
            error: None,
            mono: false,
            icon: None,
            lines: 1,
            width: None,
            hide_label: false,
            enabled: true,
        }
    }

    /// Sets a shorter label to show above the field if the surroundings say the rest.
    pub const fn titled(mut self, title: &'a str) -> Self {
        self.title = Some(title);
        self
    }

    /// Shows "optional" beside the label.
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Sets the text shown while the field is empty.
    pub const fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    /// Sets a line of help below the field.
    pub const fn help(mut self, help: &'a str) -> Self {
        self.help = Some(help);
        self
    }

    /// Sets the validation error; it takes the place of the help.
    pub const fn error(mut self, error: Option<&'a str>) -> Self {
        self.error = error;
        self
    }

    /// Sets an error of another kind, which is shown if there is no validation error.
    pub fn or_error(mut self, error: Option<&'a str>) -> Self {
        self.error = self.error.or(error);
        self
    }

    /// Uses the monospaced font, for text that is sent verbatim.
    pub const fn mono(mut self) -> Self {
        self.mono = true;
        self
    }

    /// Adds an icon inside, on the left.
    pub const fn icon(mut self, icon: &'a str) -> Self {
        self.icon = Some(icon);
        self
    }

    /// Sets the number of lines.
    pub const fn lines(mut self, lines: usize) -> Self {
        self.lines = lines;
        self
    }

    /// Sets the width, in points; by default the field takes all the available width.
    pub const fn width(mut self, width: f32) -> Self {
        self.width = Some(width);
        self
    }

    /// Hides the label, which stays the accessible name.
    pub const fn without_label(mut self) -> Self {
        self.hide_label = true;
        self
    }

    /// Enables the field; a disabled one shows its text only.
    pub const fn enabled(mut self, enabled: bool) -> Self {
        self.enabled = enabled;
        self
    }

    /// Draws the field.
    pub fn show(self, ui: &mut Ui, value: &mut String) -> Response {
        self.draw(ui, value, false)
    }

    /// Draws the field without an undo history, because the pasted text may hold a secret.
    pub fn show_without_history(self, ui: &mut Ui, value: &mut String) -> Response {
        let response = self.draw(ui, value, false);
        forget_history(ui.ctx(), response.id);
        response
    }

    /// Draws the field with dots instead of the text.
    pub fn show_password(self, ui: &mut Ui, value: &mut Zeroizing<String>) -> Response {
        reserve(value);
        let response = self.draw(ui, value, true);
        forget_history(ui.ctx(), response.id);
        response
    }

    /// Draws the field with a control to the right of it, which takes up this many points.
    pub fn show_beside(self, ui: &mut Ui, value: &mut String, room: f32, control: impl FnOnce(&mut Ui)) -> Response {
        self.within(ui, |field, ui| {
            ui.horizontal(|ui| {
                let width = ui.available_width() - room - ui.spacing().item_spacing.x;
                let response = ui.scope(|ui| {
                    ui.set_max_width(width);
                    field.edit(ui, value, false)
                });
                control(ui);
                response.inner
            })
            .inner
        })
    }

    fn draw(self, ui: &mut Ui, value: &mut String, password: bool) -> Response {
        self.within(ui, |field, ui| field.edit(ui, value, password))
    }

    /// Draws the label above and the help below an edit.
    fn within(self, ui: &mut Ui, edit: impl FnOnce(&Self, &mut Ui) -> Response) -> Response {
        let width = self.width.unwrap_or(ui.available_width());
        ui.vertical(|ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = 6.0;
            if !self.hide_label {
                self.label_ui(ui);
            }
            let response = edit(&self, ui);
            self.below(ui);
            response
        })
        .inner
    }

    fn label_ui(&self, ui: &mut Ui) {
        let p = theme::colors(ui);
        ui.horizontal(|ui| {
            text::line(ui, Type::Label, p.text.primary, self.title.unwrap_or(self.label));
            if self.optional {
                text::line(ui, Type::Small, p.text.tertiary, "optional");
            }
        });
    }

    fn edit(&self, ui: &mut Ui, value: &mut String, password: bool) -> Response {
        let p = theme::colors(ui);
        let kind = if self.mono { Type::Mono } else { Type::Body };
        let left: i8 = if self.icon.is_some() { 34 } else { 10 };
        let margin = Margin { left, right: 10, top: 6, bottom: 6 };
        let mut edit = if self.lines > 1 { TextEdit::multiline(value) } else { TextEdit::singleline(value) }
            // By its name, so that the keyboard stays in it when something appears above.
            .id(id(self.label))
            .frame(Frame::new().inner_margin(margin))
            .font(FontSelection::FontId(kind.font()))
            .text_color(if self.enabled { p.text.primary } else { p.text.secondary })
            .hint_text(kind.rich(self.hint, p.text.tertiary))
            .interactive(self.enabled)
            .password(password)
            .desired_width(f32::INFINITY);
        edit = if self.lines > 1 {
            edit.desired_rows(self.lines).min_size(vec2(0.0, self.lines as f32 * 18.0 + 12.0))
        } else {
            edit.min_size(vec2(0.0, size::CONTROL)).align(egui::Align2::LEFT_CENTER)
        };
        let ground = ui.painter().add(egui::Shape::Noop);
        let response = ui.add(edit);
        name(&response, ui, self.label);
        let (edge, stroke) = if self.error.is_some() {
            (1.5, p.danger.edge)
        } else if response.has_focus() {
            (2.0, p.stroke.focus)
        } else if response.hovered() {
            (p.hair, p.text.tertiary)
        } else {
            (p.hair, p.stroke.control)
        };
        let fill = if self.enabled { p.surface.field } else { p.surface.hover };
        let corner = CornerRadius::same(radius::M);
        let rect = response.rect;
        ui.painter().set(
            ground,
            egui::epaint::RectShape::new(rect, corner, fill, Stroke::new(edge, stroke), StrokeKind::Inside),
        );
        if let Some(icon) = self.icon {
            let at = rect.left_center() + vec2(20.0, 0.0);
            ui.painter().text(at, egui::Align2::CENTER_CENTER, icon, Type::Icon.font(), p.text.tertiary);
        }
        response
    }

    fn below(&self, ui: &mut Ui) {
        let p = theme::colors(ui);
        if let Some(error) = self.error {
            error_line(ui, error);
        } else if let Some(help) = self.help {
            text::paragraph(ui, Type::Small, p.text.tertiary, help);
        }
    }
}

fn forget_history(ctx: &egui::Context, field: egui::Id) {
    if let Some(mut state) = TextEdit::load_state(ctx, field) {
        state.clear_undoer();
        state.store(ctx, field);
    }
}

/// Forgets what was typed before in these fields, so that undo does not bring back text that belongs to something else.
pub fn forget_histories(ctx: &egui::Context, labels: &[&str]) {
    for label in labels {
        forget_history(ctx, id(label));
    }
}

/// Returns the id of a field, from its label.
pub fn id(label: &str) -> egui::Id {
    egui::Id::unique(("field", label))
}

/// Draws an error below a field: icon and text.
pub fn error_line(ui: &mut Ui, error: &str) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        text::icon(ui, Type::IconSmall, p.danger.text, icons::ERROR);
        text::paragraph(ui, Type::Small, p.danger.text, error);
    });
}

/// Gives a control its accessible name.
pub fn name(response: &Response, ui: &Ui, name: &str) {
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name));
}

/// Reserves room for a long secret, so that the growing text does not leave copies behind.
fn reserve(value: &mut Zeroizing<String>) {
    const ROOM: usize = 8 * 1024;
    if value.capacity() < ROOM {
        let mut roomy = Zeroizing::new(String::with_capacity(ROOM));
        roomy.push_str(value);
        *value = roomy;
    }
}

/// Draws a checkbox of 16 × 16 points, with or without text.
pub fn checkbox(ui: &mut Ui, on: Option<bool>, accessible_name: &str) -> Response {
    let p = theme::colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(24.0, 24.0), egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, on == Some(true), accessible_name));
    paint_checkbox(ui.painter(), egui::Rect::from_center_size(rect.center(), egui::Vec2::splat(size::CHECKBOX)), on, p);
    super::focus::ring(ui, &response, radius::S);
    response
}

/// Paints the checkbox: on, off, or partly on (`None`).
pub fn paint_checkbox(painter: &egui::Painter, rect: egui::Rect, on: Option<bool>, p: &theme::Palette) {
    let corner = CornerRadius::same(radius::S);
    if on == Some(false) {
        let stroke = Stroke::new(1.5, p.stroke.control);
        painter.rect(rect, corner, Color32::TRANSPARENT, stroke, StrokeKind::Inside);
        return;
    }
    painter.rect_filled(rect, corner, p.accent.mark);
    let stroke = Stroke::new(2.0, p.text.on_mark);
    let c = rect.center();
    if on.is_none() {
        painter.line_segment([c - vec2(4.0, 0.0), c + vec2(4.0, 0.0)], stroke);
    } else {
        let tick = vec![c + vec2(-4.0, 0.0), c + vec2(-1.2, 3.0), c + vec2(4.2, -3.2)];
        painter.add(egui::Shape::line(tick, stroke));
    }
}
