//! Outcomes of many keys: a list for each outcome, to look through, to copy and to write to a file.

use eframe::egui::{Align, Layout, ScrollArea, Ui, vec2};

use crate::{
    app::Loadable,
    model::{
        api_key::KeyId,
        failure::Failure,
        text::{number::thousands, sanitize},
    },
    ops::{
        Outcome,
        keys::{export::Exported, key_set::KeySet},
        outcome_report::{self, KeyOutcome, KeyOutcomeRow},
    },
    ui::{
        View,
        dialogs::outcome_export::{OutcomeExport, OutcomeSelection},
        theme,
        theme::{Type, icons, space},
        widgets::{button::Button, chip, text},
    },
};

/// Height of a row, in points.
const ROW: f32 = 26.0;

/// The shown list, with the input for exporting it.
#[derive(Default)]
pub struct OutcomesView {
    shown: Option<KeyOutcome>,
    export: OutcomeExport,
}

/// A list of keys with the same outcome.
pub struct List<'a> {
    /// Outcome of these keys.
    pub outcome: KeyOutcome,
    /// Label of the list's chip.
    pub label: &'a str,
    /// Number of keys.
    pub count: usize,
    /// Returns a row by its index, from 0; `None` beyond the end.
    pub row: Box<dyn Fn(usize) -> Option<KeyOutcomeRow> + 'a>,
}

/// Keys behind the rows, and the result of exporting them.
pub struct Source<'a> {
    /// Keys, for their names and owners.
    pub keys: &'a KeySet,
    /// The finished export, or why it failed.
    pub exported: &'a Loadable<Exported>,
    /// Suggested file name, without extension.
    pub name: &'a str,
}

/// Returns the lists of an outcome, with the keys that are done as `done` and under this label. Failures come first
/// because they need action.
pub fn lists<'a>(outcome: &'a Outcome, done: KeyOutcome, label: &'a str) -> [List<'a>; 5] {
    let (unknown, refused): (Vec<_>, Vec<_>) = outcome.failed.iter().partition(|(_, failure)| failure.is_unknown());
    let failed = |outcome, label, keys: Vec<&'a (KeyId, Failure)>| List {
        outcome,
        label,
        count: keys.len(),
        row: Box::new(move |at| keys.get(at).map(|key| outcome_report::failure(key))),
    };
    let others = |of: KeyOutcome, label, ids: &'a [KeyId]| List {
        outcome: of,
        label,
        count: ids.len(),
        row: Box::new(move |at| {
            let id = ids.get(at)?;
            let remark = outcome.remarks.get(id).map_or("", String::as_str);
            let why = if of == KeyOutcome::Untouched { outcome.why_untouched(id) } else { remark };
            Some((of, id.clone(), why.to_owned()))
        }),
    };
    [
        failed(KeyOutcome::Failed, "Failed", refused),
        failed(KeyOutcome::Unknown, "Not known", unknown),
        others(KeyOutcome::Untouched, "Untouched", &outcome.untouched),
        others(done, label, &outcome.done),
        others(KeyOutcome::Unchanged, "Unchanged", &outcome.unchanged),
    ]
}

impl OutcomesView {
    /// Draws the lists that are not empty. The first of `lists` that has a row is shown until another one is chosen.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>, lists: &[List<'_>], source: &Source<'_>) {
        let there = || lists.iter().filter(|list| list.count > 0);
        let Some(shown) = there().find(|list| Some(list.outcome) == self.shown).or_else(|| there().next()) else {
            return;
        };
        ui.horizontal_wrapped(|ui| {
            for list in there() {
                let on = list.outcome == shown.outcome;
                if chip::choice(ui, on, None, list.label, Some(thousands(list.count as u64))).clicked() {
                    self.shown = Some(list.outcome);
                    self.export.close();
                }
            }
        });
        reasons(ui, shown);
        rows(ui, shown, source.keys);
        let Source { exported, name, .. } = *source;
        let exporting = OutcomeSelection { only: Some(shown.outcome), count: shown.count as u64, exported, name };
        ui.horizontal(|ui| {
            if Button::link("Copy ids").show(ui).clicked() {
                let ids: Vec<String> =
                    (0..shown.count).filter_map(|at| (shown.row)(at)).map(|(_, id, _)| id.to_string()).collect();
                ui.ctx().copy_text(ids.join("\n"));
            }
            self.export.link(ui, &exporting);
        });
        self.export.ui(ui, view, &exporting);
    }
}

/// Draws the distinct reasons of the first rows in full, because the rows have no room for them.
fn reasons(ui: &mut Ui, list: &List<'_>) {
    const ROWS: usize = 200;
    const REASONS: usize = 3;
    let p = theme::colors(ui);
    let mut known: Vec<String> = Vec::new();
    for (_, _, reason) in (0..list.count.min(ROWS)).filter_map(|at| (list.row)(at)) {
        if known.len() < REASONS && !reason.is_empty() && !known.contains(&reason) {
            known.push(reason);
        }
    }
    let color = match list.outcome {
        KeyOutcome::Failed => p.danger.text,
        KeyOutcome::Unknown => p.warning.text,
        _ => p.text.secondary,
    };
    for reason in known {
        text::paragraph(ui, Type::Small, color, sanitize::shortened(&reason, 300));
    }
}

fn rows(ui: &mut Ui, list: &List<'_>, keys: &KeySet) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let scroll =
        ScrollArea::vertical().id_salt(("outcomes", list.outcome)).max_height(180.0).auto_shrink([false, true]);
    scroll.show_rows(ui, ROW, list.count, |ui, range| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.set_max_width(ui.available_width() - space::M);
        for row in range.filter_map(|at| (list.row)(at)) {
            line(ui, &row, keys);
        }
    });
    ui.spacing_mut().item_spacing.y = space::S;
}

fn line(ui: &mut Ui, (outcome, id, reason): &KeyOutcomeRow, keys: &KeySet) {
    let p = theme::colors(ui);
    let (icon, color) = match outcome {
        KeyOutcome::Invalidated | KeyOutcome::Updated | KeyOutcome::Rotated | KeyOutcome::Unchanged => {
            (icons::CHECK, p.success.text)
        }
        KeyOutcome::Failed => (icons::ERROR, p.danger.text),
        KeyOutcome::Unknown => (icons::WARNING, p.warning.text),
        KeyOutcome::Untouched => (icons::RADIO_BUTTON_UNCHECKED, p.text.tertiary),
    };
    let name = keys.by_id(id).map(|key| sanitize::shortened(&key.name, 60)).unwrap_or_default();
    ui.allocate_ui_with_layout(vec2(ui.available_width(), ROW), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(ui.available_width());
        text::icon(ui, Type::IconSmall, color, icon);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            text::line(ui, Type::MonoSmall, p.text.tertiary, shown_id(id));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                if reason.is_empty() {
                    text::line(ui, Type::Strong, p.text.primary, name);
                } else {
                    // The reason is what one looks for here; the whole of it is in the tooltip and in the file.
                    let words = format!("{name}: {}", sanitize::shown(reason));
                    text::line(ui, Type::Small, color, words.as_str()).on_hover_text(&words);
                }
            });
        });
    });
}

fn shown_id(id: &KeyId) -> String {
    sanitize::shortened(id.as_str(), 40)
}
