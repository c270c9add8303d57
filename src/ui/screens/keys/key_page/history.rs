//! The journal entries about a key, on its page.

use eframe::egui::{self, Sense, Ui, vec2};

use crate::{
    app::{Command, Screen, journal::JournalView},
    model::{
        api_key::KeyId,
        journal::operation::Operation,
        text::{sanitize, sentence},
        time::calendar,
    },
    ops::journal::reader::History,
    ui::{
        View,
        components::operation::{ending_look, who},
        theme::{self, Type},
        widgets::{
            button::Button,
            notice::{self, Tone},
            text::{self, elided},
        },
    },
};

/// Draws the journal entries about a key, on its page.
pub(crate) fn history(ui: &mut Ui, view: &mut View<'_>, key: &KeyId) {
    let p = theme::colors(ui);
    text::line(ui, Type::Strong, p.text.primary, "History");
    let state = view.state;
    let history = state.journal.history(key);
    match history.and_then(|history| history.value()) {
        Some(history) => entries(ui, view, key, history),
        None => match history.and_then(|history| history.problem()) {
            Some(problem) => notice::banner(ui, Tone::Warning, &problem.title, &problem.detail, |_| ()),
            None => drop(text::line(ui, Type::Body, p.text.tertiary, "Reading the journal…")),
        },
    }
}

fn entries(ui: &mut Ui, view: &mut View<'_>, key: &KeyId, history: &History) {
    let p = theme::colors(ui);
    if let Some(why) = history.not_kept {
        text::paragraph(ui, Type::Body, p.text.tertiary, format!("Not known: {}", lower(why.words())));
        return;
    }
    if history.operations.is_empty() {
        text::paragraph(ui, Type::Body, p.text.tertiary, "No activity from this machine");
    }
    for operation in &history.operations {
        line(ui, view, operation);
    }
    if history.broken > 0 {
        let words = "An entry for this key failed verification";
        notice::banner(ui, Tone::Danger, words, "See the Journal page for details", |_| ());
    }
    let words = if history.more { "Show all in the journal" } else { "Show in the journal" };
    if !history.operations.is_empty() && Button::link(words).show(ui).clicked() {
        view.send(Command::SetJournalView(JournalView { search: key.as_str().to_owned(), address: None }));
        view.send(Command::Show(Screen::Journal));
    }
}

fn lower(words: &str) -> String {
    // The name of a variable stays as it is.
    if words.starts_with("KEYBEARER") {
        return words.to_owned();
    }
    let mut chars = words.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Draws one operation of a history: action, outcome, time and user.
fn line(ui: &mut Ui, view: &View<'_>, operation: &Operation) {
    let p = theme::colors(ui);
    let (icon, color) = ending_look(operation.ending, p);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 38.0), Sense::hover());
    let when = operation.at.map_or_else(|| operation.written_at.clone(), |at| calendar::local(at, &view.state.zone));
    let utc = operation.at.and_then(|at| calendar::utc_beside(at, &view.state.zone)).unwrap_or_default();
    let head = format!("{}, {}", sentence::capitalized(&operation.verb()), operation.ending.word());
    let below = sanitize::shortened(&format!("{when}  {utc}  {}", who(operation)), 200);
    let words = format!("{head}, {below}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
    let center = egui::Align2::CENTER_CENTER;
    ui.painter().text(rect.left_top() + vec2(8.0, 10.0), center, icon, Type::IconSmall.font(), color);
    let upper = egui::Rect::from_min_max(rect.min + vec2(24.0, 0.0), egui::pos2(rect.right(), rect.top() + 20.0));
    let why = sanitize::shortened(operation.why(), 200);
    let used = elided(ui, upper, Type::Body, p.text.primary, &sanitize::shown(&head));
    if !why.is_empty() {
        let rest = egui::Rect::from_min_max(upper.min + vec2(used + 8.0, 0.0), upper.max);
        elided(ui, rest, Type::Small, p.text.tertiary, &why);
    }
    let lower = egui::Rect::from_min_max(egui::pos2(upper.left(), upper.bottom()), rect.max);
    elided(ui, lower, Type::Small, p.text.tertiary, &below);
    if !why.is_empty() {
        response.on_hover_text(why);
    }
}
