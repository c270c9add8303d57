//! Effective privileges of a key, on its page: sentences first, then a compact table; JSON behind a toggle.

use eframe::egui::{self, Align, Layout, Ui, vec2};

use crate::{
    app::{Command, Loadable},
    model::{
        api_key::{ApiKey, KeyKind},
        privileges::descriptor::Piece,
        rights::{RightsRow, Verdict},
        text::{json, sanitize, sentence},
    },
    ops::{Problem, keys::effective_privileges::DescribedRights},
    ui::{
        View, theme,
        theme::{Type, space},
        widgets::{
            button::Button,
            code,
            notice::{self, Tone},
            text,
        },
    },
};

/// Maximum number of rows and of sentences that are drawn; the JSON has all.
const SHOWN: usize = 40;

/// Draws the section.
pub(crate) fn ui(ui: &mut Ui, view: &mut View<'_>, key: &ApiKey) {
    let told = view.state.told(&key.id);
    let known = told.and_then(Loadable::value).and_then(Option::as_ref);
    let json = known.map(|known| known.json.as_str()).or_else(|| raw(key).map(|raw| raw.get()));
    let as_json = title(ui, key, json);
    if let (true, Some(json)) = (as_json, json) {
        code::ground(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            code::raw_json(ui, "abilities", json);
        });
        return;
    }
    match (known, told.and_then(Loadable::problem)) {
        (Some(known), problem) => {
            rights(ui, known);
            if let Some(problem) = problem {
                not_read(ui, view, problem, "Reading it again failed");
            }
        }
        (None, Some(problem)) => {
            from_the_list(ui, view, key);
            not_read(ui, view, problem, "The owner’s privileges are not known");
        }
        (None, None) => {
            from_the_list(ui, view, key);
            let p = theme::colors(ui);
            let gone = told.is_some_and(|told| told.value().is_some());
            let words = if gone { "The cluster no longer has this key" } else { "Reading the owner’s privileges…" };
            text::line(ui, Type::Small, p.text.tertiary, words);
        }
    }
}

/// Draws the heading with the toggle. Returns `true` if JSON is to be shown.
fn title(ui: &mut Ui, key: &ApiKey, json: Option<&str>) -> bool {
    let p = theme::colors(ui);
    let id = egui::Id::unique(("abilities as json", key.id.as_str()));
    let as_json: bool = ui.data(|data| data.get_temp(id)).unwrap_or(false);
    ui.horizontal(|ui| {
        text::line(ui, Type::Strong, p.text.primary, "What it can do");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let Some(json) = json else { return };
            let words = if as_json { "Show as text" } else { "Show as JSON" };
            if Button::link(words).show(ui).clicked() {
                ui.data_mut(|data| data.insert_temp(id, !as_json));
            }
            if as_json && Button::link("Copy JSON").show(ui).clicked() {
                ui.ctx().copy_text(json::pretty(json));
            }
        });
    });
    as_json
}

fn raw(key: &ApiKey) -> Option<&serde_json::value::RawValue> {
    match key.kind {
        KeyKind::CrossCluster => key.access.as_deref().or(key.role_descriptors.as_deref()),
        _ => key.role_descriptors.as_deref(),
    }
}

fn not_read(ui: &mut Ui, view: &mut View<'_>, problem: &Problem, title: &str) {
    let again =
        notice::banner(ui, Tone::Warning, title, &problem.words(), |ui| Button::link("Read again").show(ui).clicked());
    if again {
        view.send(Command::ReadRights);
    }
}

fn rights(ui: &mut Ui, told: &DescribedRights) {
    let p = theme::colors(ui);
    let rights = &told.whole.rights;
    if let Some(headline) = rights.headline() {
        match (rights.verdict, headline.split_once(": ")) {
            (Verdict::Unrestricted, Some((title, line))) if !rights.grants.is_empty() || !rights.limit_is_known => {
                notice::banner(ui, Tone::Danger, title, &sentence::capitalized(line), |_| ());
            }
            (_, Some((title, line))) => notice::banner(ui, Tone::Info, title, &sentence::capitalized(line), |_| ()),
            (_, None) => drop(text::paragraph(ui, Type::Body, p.text.secondary, headline)),
        }
    }
    for sentence in told.sentences.iter().take(SHOWN) {
        text::sentence(ui, &with_full_stop(sentence), false);
    }
    for note in &told.notes {
        text::paragraph(ui, Type::Small, p.text.secondary, format!("{}.", sanitize::shown(note)));
    }
    table(ui, &told.rows);
    if !told.owner.is_empty() {
        ui.add_space(space::XS);
        text::line(ui, Type::Label, p.text.primary, "Owner’s current privileges");
        for sentence in &told.owner {
            text::paragraph(ui, Type::Small, p.text.secondary, format!("{}.", sanitize::shown(sentence)));
        }
    }
}

fn with_full_stop(sentence: &[Piece]) -> Vec<Piece> {
    let safe = |words: &str| sanitize::shown(words).into_owned();
    let mut pieces: Vec<Piece> = sentence
        .iter()
        .map(|piece| match piece {
            Piece::Text(words) => Piece::Text(safe(words)),
            Piece::Strong(words) => Piece::Strong(safe(words)),
            Piece::Mono(words) => Piece::Mono(safe(words)),
        })
        .collect();
    pieces.push(Piece::Text(".".into()));
    pieces
}

fn table(ui: &mut Ui, rows: &[RightsRow]) {
    let p = theme::colors(ui);
    if rows.is_empty() {
        return;
    }
    ui.add_space(space::XS);
    for row in rows.iter().take(SHOWN) {
        notice::hairline(ui);
        ui.horizontal_top(|ui| {
            ui.allocate_ui_with_layout(vec2(92.0, 18.0), Layout::left_to_right(Align::Min), |ui| {
                ui.set_min_width(92.0);
                text::line(ui, Type::Small, p.text.tertiary, sentence::capitalized(row.kind));
            });
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                if !row.on.is_empty() {
                    text::paragraph(ui, Type::Mono, p.text.primary, few(&row.on));
                }
                if !row.may.is_empty() {
                    text::paragraph(ui, Type::Small, p.text.secondary, few(&row.may));
                }
                for but in &row.but {
                    text::paragraph(
                        ui,
                        Type::Small,
                        p.warning.text,
                        sentence::capitalized(&sanitize::shortened(but, 200)),
                    );
                }
            });
        });
    }
    if rows.len() > SHOWN {
        let words = format!("{} more rows in the JSON", rows.len() - SHOWN);
        text::line(ui, Type::Small, p.text.tertiary, words);
    }
}

/// Joins the first names, and the number of the others.
fn few(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| sanitize::shortened(name, 120)).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Draws the privileges according to the list: the role descriptors, without those of the owner.
fn from_the_list(ui: &mut Ui, view: &View<'_>, key: &ApiKey) {
    if let Some(listed) = view.state.listed_rights(&key.id) {
        rights(ui, listed);
    }
}
