//! The page of one key: its facts, its effective privileges, its metadata, and how to invalidate it.

pub(super) mod clone_button;
pub(super) mod history;
pub(super) mod rights;
pub(super) mod rotation;

use eframe::egui::{self, Align, Frame, Layout, Margin, Panel, Rect, ScrollArea, Sense, Stroke, Ui, UiBuilder, vec2};

use crate::{
    app::{Cluster, Command, InvalidateStep, Loadable, dialogs::update::UpdateStep},
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        text::sanitize,
    },
    ui::{
        View,
        components::{
            facts::{fact, moment, section},
            key_status, side_page,
        },
        theme,
        theme::{Type, icons, size, space},
        widgets::{button::Button, chip, code, notice, stable::stable, status, text},
    },
};

/// Draws the page.
pub fn ui(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, key: &ApiKey) {
    side_page::background(ui);
    Panel::bottom("key footer")
        .frame(Frame::new().inner_margin(Margin::symmetric(20, 0)))
        .exact_size(size::ACTION_BAR)
        .show_separator_line(false)
        .resizable(false)
        .show(ui, |ui| footer(ui, view, cluster, key));
    ScrollArea::vertical().id_salt("key page").auto_shrink(false).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 20, right: 20, top: 10, bottom: 16 }).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            if notice::title_with_close(ui, Type::Heading, &sanitize::shortened(&key.name, 120)) {
                view.send(Command::OpenKey(None));
            }
            if let Some(flaw) = &key.flaw {
                let detail = format!(
                    "{}. Everything else was read, and the key can still be invalidated by its id",
                    sanitize::shortened(flaw, 400)
                );
                notice::banner(ui, notice::Tone::Warning, "This key is not fully readable", &detail, |_| ());
            }
            let now = cluster.now(view.state.now);
            lifetime(ui, view, key, now);
            actions(ui, view, cluster, key);
            section(ui);
            facts(ui, view, cluster, key, now);
            rotation::key_line(ui, view, key);
            section(ui);
            stable(ui, "rights", |ui| rights::ui(ui, view, key));
            section(ui);
            stable(ui, "metadata", |ui| metadata(ui, key));
            section(ui);
            stable(ui, "history", |ui| history::history(ui, view, &key.id));
        });
    });
}

fn lifetime(ui: &mut Ui, view: &View<'_>, key: &ApiKey, now: Timestamp) {
    let p = theme::colors(ui);
    let state = key.status(now);
    key_status::status_line(ui, key, now, p);
    if key.is_unread("expiration") {
        return;
    }
    let (bar, response) = ui.allocate_exact_size(vec2(ui.available_width(), 6.0), Sense::hover());
    let share = key.share_left(now);
    let words =
        share.map_or("never expires".into(), |share| format!("{:.0} percent of its lifetime left", share * 100.0));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
    status::paint_bar(ui.painter(), bar, state, share, p);
    if let Some(expires) = key.expires {
        moment(ui, view, expires);
    }
}

fn facts(ui: &mut Ui, view: &View<'_>, cluster: &Cluster, key: &ApiKey, now: Timestamp) {
    let p = theme::colors(ui);
    ui.spacing_mut().item_spacing.y = 6.0;
    fact(ui, "Id", |ui| {
        text::line(ui, Type::Mono, p.text.primary, sanitize::shown(key.id.as_str()));
        if Button::link("Copy id").show(ui).clicked() {
            ui.ctx().copy_text(key.id.as_str().to_owned());
        }
    });
    fact(ui, "Application id", |ui| match key.application_id() {
        Some(id) => drop(text::line(ui, Type::Mono, p.text.primary, sanitize::shown(id))),
        None => drop(text::line(ui, Type::Body, p.text.tertiary, "none")),
    });
    if let Some(part) = cluster.inventory().row_id(&key.id).and_then(|row| cluster.part(row)) {
        fact(ui, "Cluster", |ui| drop(text::line(ui, Type::Body, p.text.primary, sanitize::shortened(&part.name, 60))));
    }
    fact(ui, "Owner", |ui| {
        text::line(ui, Type::Body, p.text.primary, sanitize::shown(&key.owner.username));
        text::line(ui, Type::Small, p.text.tertiary, sanitize::shown(&key.owner.realm));
    });
    fact(ui, "Type", |ui| drop(text::line(ui, Type::Body, p.text.primary, key.kind.word())));
    fact(ui, "Status", |ui| drop(text::line(ui, Type::Body, p.text.primary, key_status::status_label(key, now))));
    fact(ui, "Roles", |ui| {
        let roles = match (key.roles(), &key.role_descriptors) {
            ([], None) => "not reported by this cluster".into(),
            ([], Some(_)) => "none".into(),
            (roles, _) => sanitize::shortened(&roles.join(", "), 200),
        };
        text::paragraph(ui, Type::Body, p.text.primary, roles);
    });
    fact(ui, "Created", |ui| match key.is_unread("creation") {
        true => drop(text::line(ui, Type::Body, p.text.tertiary, key_status::NOT_KNOWN)),
        false => moment(ui, view, key.created),
    });
    if let Some(at) = key.invalidated_at {
        fact(ui, "Invalidated", |ui| moment(ui, view, at));
    }
    fact(ui, "Last use", |ui| last_use(ui, view, &key.id, now));
    let badges = key_status::badges(key, view.state.home(&key.id), None);
    if !badges.is_empty() {
        ui.horizontal_wrapped(|ui| {
            for (tone, icon, word) in badges {
                chip::badge(ui, tone, icon, word);
            }
        });
    }
}

fn last_use(ui: &mut Ui, view: &View<'_>, id: &KeyId, now: Timestamp) {
    let p = theme::colors(ui);
    match view.state.last_use_of(id).and_then(Loadable::value) {
        Some(Ok(uses)) if uses.of(id).is_some() => {
            text::paragraph(ui, Type::Body, p.text.primary, uses.words(id, now, &view.state.zone));
        }
        Some(Ok(uses)) => {
            text::paragraph(ui, Type::Body, p.text.secondary, sentence(&uses.words(id, now, &view.state.zone)));
        }
        Some(Err(why)) => {
            text::paragraph(ui, Type::Small, p.text.tertiary, sanitize::shown(&sentence(&why.to_string())));
        }
        None => drop(text::line(ui, Type::Small, p.text.tertiary, "Looking for audit events…")),
    }
}

/// Capitalizes the first letter.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn metadata(ui: &mut Ui, key: &ApiKey) {
    let p = theme::colors(ui);
    text::line(ui, Type::Strong, p.text.primary, "Metadata");
    match &key.metadata {
        Some(raw) if raw.get() != "{}" => {
            code::ground(ui).show(ui, |ui| {
                ui.set_width(ui.available_width());
                code::raw_json(ui, "metadata", raw.get());
            });
        }
        Some(_) => drop(text::line(ui, Type::Body, p.text.tertiary, "none")),
        None => drop(text::line(ui, Type::Body, p.text.tertiary, "Not supported by this version of Elasticsearch")),
    }
}

fn footer(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, key: &ApiKey) {
    let p = theme::colors(ui);
    let rect: Rect = ui.max_rect();
    let wide = rect.expand2(vec2(20.0, 0.0));
    ui.painter().hline(wide.x_range(), rect.top() + 0.5, Stroke::new(1.0, p.stroke.divider));
    ui.scope_builder(UiBuilder::new().max_rect(rect).layout(Layout::right_to_left(Align::Center)), |ui| {
        let off = view.state.why_not_invalidate(key);
        // Beside the action bar with a button of the same name, this one says which key it means.
        let name = if cluster.selection.is_empty() { "Invalidate" } else { "Invalidate this key" };
        let button = Button::danger("Invalidate…").icon(icons::BLOCK).named(name).off_because(off.as_deref());
        if button.show(ui).clicked() {
            view.send(Command::from(InvalidateStep::Ask(vec![key.id.clone()])));
        }
        let off = view.state.why_not_update(key);
        let name = if cluster.selection.is_empty() { "Update" } else { "Update this key" };
        if Button::secondary("Update…").icon(icons::EDIT).named(name).off_because(off.as_deref()).show(ui).clicked() {
            view.send(Command::from(UpdateStep::Ask(vec![key.id.clone()])));
        }
    });
}

/// Draws the actions on the key other than updating and invalidating it.
fn actions(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, key: &ApiKey) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::S;
        rotation::button(ui, view, cluster, key);
        clone_button::button(ui, view, key);
        let check = Button::secondary("Check a secret…").icon(icons::PASSWORD).small();
        if check.named("Check a secret of this key").show(ui).clicked() {
            view.send(Command::AskCheckSecret(Some(key.id.clone())));
        }
    });
}
