//! Operations of the journal in detail: the page of an operation, and the history on the page of a key.

use eframe::egui::{self, Color32, Frame, Margin, Sense, Stroke, Ui, vec2};

use crate::{
    app::{Command, Screen, journal::JournalView},
    model::{
        api_key::KeyId,
        journal::operation::{Operation, OperationOutcome},
        text::{number::thousands, sanitize, sentence},
        time::calendar,
    },
    ops::journal::reader::History,
    ui::{
        View,
        screens::{
            key_page::{fact, moment, section},
            keys::rows::elided,
        },
        theme,
        theme::{Palette, Type, icons, space},
        widgets::{
            button::Button,
            code,
            notice::{self, Tone},
            text,
        },
    },
};

/// Returns icon and color of an outcome; the icon's shape and the text say the same as the color.
pub(crate) fn ending_look(ending: OperationOutcome, p: &Palette) -> (&'static str, Color32) {
    match ending {
        OperationOutcome::Success => (icons::CHECK_CIRCLE, p.success.text),
        OperationOutcome::Failure => (icons::ERROR, p.danger.text),
        OperationOutcome::Unknown => (icons::HELP, p.warning.text),
        OperationOutcome::Open => (icons::PENDING, p.warning.text),
    }
}

/// Explains an outcome that is neither a success nor a failure.
fn ending_words(ending: OperationOutcome) -> Option<&'static str> {
    match ending {
        OperationOutcome::Success | OperationOutcome::Failure => None,
        OperationOutcome::Unknown => Some("The answer was lost, so that nobody knows. Look at the keys on the cluster"),
        OperationOutcome::Open => Some(
            "It was begun, and nothing says what came of it: Keybearer was stopped before, is still at it, or the entry \
             is not as it was written. Look at the keys on the cluster",
        ),
    }
}

/// Formats the users of an operation: `ana`, or `ana, by anna on laptop-7`.
pub(crate) fn who(operation: &Operation) -> String {
    let user = if operation.user.is_empty() { "not known" } else { &operation.user };
    match (operation.system_user.as_str(), operation.host.as_str()) {
        ("", "") => user.to_owned(),
        (system, "") => format!("{user}, by {system}"),
        ("", host) => format!("{user}, on {host}"),
        (system, host) => format!("{user}, by {system} on {host}"),
    }
}

/// Draws the page of an operation.
pub(crate) fn page(ui: &mut Ui, view: &mut View<'_>, operation: &Operation) {
    let p = theme::colors(ui);
    let rect = ui.max_rect();
    ui.painter().rect_filled(rect, 0.0, p.surface.raised);
    ui.painter().vline(rect.left() + 0.5, rect.y_range(), Stroke::new(1.0, p.stroke.divider));
    egui::ScrollArea::vertical().id_salt("deed").auto_shrink(false).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 20, right: 20, top: 10, bottom: 16 }).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            let title = sanitize::shortened(&sentence::capitalized(&operation.verb()), 60);
            if notice::title_with_close(ui, Type::Heading, &title) {
                view.send(Command::OpenDeed(None));
            }
            ending_line(ui, operation.ending);
            if let Some(words) = ending_words(operation.ending) {
                text::paragraph(ui, Type::Small, p.text.secondary, words);
            }
            section(ui);
            facts(ui, view, operation);
            section(ui);
            keys(ui, operation);
            if let Some(request) = &operation.request {
                section(ui);
                text::line(ui, Type::Strong, p.text.primary, "What was asked");
                code::ground(ui).show(ui, |ui| {
                    ui.set_width(ui.available_width());
                    code::raw_json(ui, "what was asked", request);
                });
            }
        });
    });
}

fn ending_line(ui: &mut Ui, ending: OperationOutcome) {
    let p = theme::colors(ui);
    let (icon, color) = ending_look(ending, p);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        text::icon(ui, Type::IconSmall, color, icon);
        text::line(ui, Type::Strong, color, sentence::capitalized(ending.word()));
    });
}

fn facts(ui: &mut Ui, view: &View<'_>, operation: &Operation) {
    let p = theme::colors(ui);
    let plain = |ui: &mut Ui, words: &str| {
        let words = if words.is_empty() { "not known".into() } else { sanitize::shown(words) };
        text::paragraph(ui, Type::Body, p.text.primary, words);
    };
    ui.spacing_mut().item_spacing.y = 6.0;
    fact(ui, "Time", |ui| match operation.at {
        Some(at) => moment(ui, view, at),
        None => plain(ui, &operation.written_at),
    });
    fact(ui, "Signed in as", |ui| {
        ui.horizontal_wrapped(|ui| {
            plain(ui, &operation.user);
            text::line(ui, Type::Small, p.text.tertiary, sanitize::shown(&operation.realm));
        });
    });
    fact(ui, "User here", |ui| plain(ui, &operation.system_user));
    fact(ui, "Machine", |ui| plain(ui, &operation.host));
    fact(ui, "Cluster", |ui| plain(ui, &operation.cluster));
    fact(ui, "Address", |ui| {
        drop(text::paragraph(ui, Type::Mono, p.text.primary, sanitize::shown(&operation.address)))
    });
    let numbers: Vec<String> = operation.entries.iter().map(|number| thousands(*number)).collect();
    fact(ui, "Entries", |ui| plain(ui, &numbers.join(" and ")));
    if let Some(reason) = &operation.reason {
        fact(ui, "Reason", |ui| plain(ui, reason));
    }
}

/// Maximum number of keys that are listed one by one.
const KEYS: usize = 100;

fn keys(ui: &mut Ui, operation: &Operation) {
    let p = theme::colors(ui);
    text::line(ui, Type::Strong, p.text.primary, "Keys");
    if operation.keys.is_empty() && operation.failed.is_empty() {
        text::line(ui, Type::Body, p.text.tertiary, "None is named");
    }
    for id in operation.keys.iter().take(KEYS) {
        ui.horizontal(|ui| {
            text::line(ui, Type::Mono, p.text.primary, sanitize::shown(id));
            if Button::link("Copy id").show(ui).clicked() {
                ui.ctx().copy_text(id.clone());
            }
        });
    }
    for failed in operation.failed.iter().take(KEYS) {
        ui.horizontal_wrapped(|ui| {
            let (icon, color) = ending_look(operation.ending_of(failed), p);
            text::icon(ui, Type::IconSmall, color, icon);
            text::line(ui, Type::Mono, p.text.primary, sanitize::shown(&failed.id));
            text::paragraph(ui, Type::Small, p.text.secondary, sanitize::shown(&failed.reason));
        });
    }
    let rest = operation.keys.len().saturating_sub(KEYS) + operation.failed.len().saturating_sub(KEYS);
    if rest > 0 {
        let words = format!("and {} more, which an export has", thousands(rest as u64));
        text::line(ui, Type::Small, p.text.tertiary, words);
    }
}

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
        text::paragraph(ui, Type::Body, p.text.tertiary, "Nothing was done to it from this machine");
    }
    for operation in &history.operations {
        line(ui, view, operation);
    }
    if history.broken > 0 {
        let words = "An entry that names this key is not as it was written";
        notice::banner(ui, Tone::Danger, words, "The journal’s own page says where", |_| ());
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
