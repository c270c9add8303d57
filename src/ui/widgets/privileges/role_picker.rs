//! Picking roles of the cluster: typing filters, Enter adds, a click removes.

use eframe::egui::{self, CornerRadius, Frame, Key, Margin, Modifiers, Stroke, Ui, vec2};

use crate::{
    model::{
        create,
        privileges::{descriptor::Grants, role::Role},
        text::sanitize,
    },
    ui::{
        theme,
        theme::{Type, icons, radius, size},
        widgets::{field::Field, focus, text},
    },
};

/// The picker: the typed text, and the suggestion at the cursor.
#[derive(Default)]
pub struct RolePicker {
    search: String,
    /// Row of the suggestion at the cursor. Without typed text there is none until an arrow key moves to one, so that
    /// one Enter too many adds no role.
    cursor: Option<usize>,
}

impl RolePicker {
    /// Draws the input and, while it is used, the matching roles.
    pub fn ui(&mut self, ui: &mut Ui, picked: &mut Vec<String>, roles: &[Role]) {
        let wanted = self.search.trim();
        let is_added = picked.iter().any(|role| role == wanted);
        let unknown = if is_added {
            Some(format!("{} is already added", sanitize::shortened(wanted, 60)))
        } else {
            let is_unknown = !wanted.is_empty() && self.matches(roles, picked).is_empty();
            is_unknown.then(|| create::unknown_role(wanted, roles))
        };
        let enter = |ui: &mut Ui, key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let had_focus =
            ui.memory(|memory| memory.focused()) == ui.data(|data| data.get_temp(egui::Id::unique("roles entry")));
        let matches: Vec<Role> = self.matches(roles, picked).into_iter().cloned().collect();
        if had_focus && !matches.is_empty() {
            if enter(ui, Key::ArrowDown) {
                self.cursor = Some(self.cursor.map_or(0, |row| row + 1).min(matches.len() - 1));
            }
            if enter(ui, Key::ArrowUp) {
                self.cursor = self.cursor.and_then(|row| row.checked_sub(1));
            }
        }
        let pressed_enter = had_focus && ui.input(|input| input.key_pressed(Key::Enter));
        let field = Field::new("Roles").without_label().icon(icons::SEARCH).mono().error(unknown.as_deref());
        let response = field.hint("Type to find a role; press Enter to add it").show(ui, &mut self.search);
        ui.data_mut(|data| data.insert_temp(egui::Id::unique("roles entry"), response.id));
        if response.changed() {
            self.cursor = (!self.search.trim().is_empty()).then_some(0);
        }
        if pressed_enter {
            let exact = matches.iter().find(|role| role.name == self.search.trim());
            if let Some(role) = exact.or_else(|| matches.get(self.cursor?)) {
                self.add(role.name.clone(), picked);
            }
            response.request_focus();
        }
        if response.has_focus() || !self.search.is_empty() {
            self.suggestions(ui, &matches, picked);
        }
    }

    fn matches<'a>(&self, roles: &'a [Role], picked: &[String]) -> Vec<&'a Role> {
        let wanted = self.search.trim().to_lowercase();
        let mut matches: Vec<&Role> = roles
            .iter()
            .filter(|role| !picked.contains(&role.name) && role.name.to_lowercase().contains(&wanted))
            .collect();
        // One's own roles first: the reserved ones are rarely what a key needs.
        matches.sort_by_key(|role| (!role.name.to_lowercase().starts_with(&wanted), role.reserved));
        matches
    }

    fn add(&mut self, name: String, picked: &mut Vec<String>) {
        picked.push(name);
        self.search.clear();
        self.cursor = None;
    }

    fn suggestions(&mut self, ui: &mut Ui, matches: &[Role], picked: &mut Vec<String>) {
        const MAX_SHOWN: usize = 6;
        let p = theme::colors(ui);
        let mut chosen = None;
        Frame::new()
            .fill(p.surface.overlay)
            .stroke(Stroke::new(p.hair, p.stroke.card))
            .corner_radius(CornerRadius::same(radius::L))
            .inner_margin(Margin::same(4))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 0.0;
                let first = self.cursor.map_or(0, |row| row.saturating_sub(MAX_SHOWN - 1));
                for (place, role) in matches.iter().enumerate().skip(first).take(MAX_SHOWN) {
                    if suggestion(ui, role, self.cursor == Some(place)) {
                        chosen = Some(role.name.clone());
                    }
                }
                let more = matches.len().saturating_sub(first + MAX_SHOWN);
                if more > 0 {
                    text::line(ui, Type::Small, p.text.tertiary, format!("  and {more} more, type to narrow"));
                }
                if matches.is_empty() {
                    text::line(ui, Type::Small, p.text.tertiary, "  No other roles match");
                }
            });
        if let Some(name) = chosen {
            self.add(name, picked);
        }
    }

    /// Draws the picked roles; a click removes one.
    pub fn picked(&self, ui: &mut Ui, picked: &mut Vec<String>, known: Option<&[Role]>) {
        if picked.is_empty() {
            return;
        }
        let mut removed = None;
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            for role in picked.iter() {
                let is_known = known.is_none_or(|roles| roles.iter().any(|other| other.name == *role));
                if picked_role(ui, role, is_known) {
                    removed = Some(role.clone());
                }
            }
        });
        if let Some(removed) = removed {
            picked.retain(|role| *role != removed);
        }
    }
}

fn suggestion(ui: &mut Ui, role: &Role, chosen: bool) -> bool {
    let p = theme::colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 30.0), egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Add {}", role.name)));
    if chosen || response.hovered() {
        ui.painter().rect_filled(rect, f32::from(radius::M), p.surface.selected);
    }
    let name = sanitize::shortened(&role.name, 60);
    let left = egui::Align2::LEFT_CENTER;
    ui.painter().text(rect.left_center() + vec2(10.0, 0.0), left, name, Type::Mono.font(), p.text.primary);
    let mut grants = Grants::default();
    grants.add(&role.name, &role.descriptor);
    let words = if role.reserved { format!("{}, built in", grants.short()) } else { grants.short() };
    let right = egui::Align2::RIGHT_CENTER;
    ui.painter().text(rect.right_center() - vec2(10.0, 0.0), right, words, Type::Small.font(), p.text.tertiary);
    focus::ring_if(ui, &response, rect, radius::M);
    response.clicked()
}

fn picked_role(ui: &mut Ui, role: &str, is_known: bool) -> bool {
    let p = theme::colors(ui);
    let name = sanitize::shortened(role, 60);
    let galley = ui.painter().layout_no_wrap(name, Type::Mono.font(), p.text.primary);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 36.0, size::CHIP), egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Remove {role}")));
    let (fill, edge) = if is_known { (p.surface.badge, p.surface.badge) } else { (p.danger.tint, p.danger.edge) };
    ui.painter().rect(rect, f32::from(radius::S), fill, Stroke::new(p.hair, edge), egui::StrokeKind::Inside);
    ui.painter().galley(rect.left_center() + vec2(8.0, -galley.size().y / 2.0), galley, p.text.primary);
    let color = if response.hovered() { p.text.primary } else { p.text.tertiary };
    let at = rect.right_center() - vec2(14.0, 0.0);
    ui.painter().text(at, egui::Align2::CENTER_CENTER, icons::CLOSE, Type::IconSmall.font(), color);
    focus::ring(ui, &response, radius::S);
    response.clicked()
}
