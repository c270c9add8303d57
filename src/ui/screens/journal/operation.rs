//! Operations of the journal in detail: the page of an operation, and the history on the page of a key.

use eframe::egui::{self, Frame, Margin, Ui};

use crate::{
    app::Command,
    model::{
        journal::operation::{Operation, OperationOutcome},
        text::{number::thousands, sanitize, sentence},
    },
    ui::{
        View,
        components::{
            facts::{fact, moment, section},
            operation::ending_look,
            side_page,
        },
        theme,
        theme::{Type, space},
        widgets::{button::Button, code, notice, text},
    },
};

/// Explains an outcome that is neither a success nor a failure.
fn outcome_explanation(ending: OperationOutcome) -> Option<&'static str> {
    match ending {
        OperationOutcome::Success | OperationOutcome::Failure => None,
        OperationOutcome::Unknown => {
            Some("The response was lost, so the outcome is not known. Check the keys on the cluster")
        }
        OperationOutcome::Open => Some(
            "It was started, but no outcome was recorded: Keybearer was stopped, is still running it, or the entry was \
             altered. Check the keys on the cluster",
        ),
    }
}

/// Draws the page of an operation.
pub(crate) fn page(ui: &mut Ui, view: &mut View<'_>, operation: &Operation) {
    let p = theme::colors(ui);
    side_page::background(ui);
    egui::ScrollArea::vertical().id_salt("deed").auto_shrink(false).show(ui, |ui| {
        Frame::new().inner_margin(Margin { left: 20, right: 20, top: 10, bottom: 16 }).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            let title = sanitize::shortened(&sentence::capitalized(&operation.verb()), 60);
            if notice::title_with_close(ui, Type::Heading, &title) {
                view.send(Command::OpenOperation(None));
            }
            ending_line(ui, operation.ending);
            if let Some(words) = outcome_explanation(operation.ending) {
                text::paragraph(ui, Type::Small, p.text.secondary, words);
            }
            section(ui);
            facts(ui, view, operation);
            section(ui);
            keys(ui, operation);
            if let Some(request) = &operation.request {
                section(ui);
                text::line(ui, Type::Strong, p.text.primary, "Request");
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
    fact(ui, "Local user", |ui| plain(ui, &operation.system_user));
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
        text::line(ui, Type::Body, p.text.tertiary, "No keys listed");
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
        let words = format!("and {} more; export to see all", thousands(rest as u64));
        text::line(ui, Type::Small, p.text.tertiary, words);
    }
}
