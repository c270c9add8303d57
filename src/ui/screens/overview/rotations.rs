//! Rotations on other screens: all unfinished ones on the overview, and that of a key on its page.

use eframe::egui::{Align, Layout, ScrollArea, Ui, vec2};

use crate::{
    app::{
        Command,
        rotation::{RotationRow, dialog::RotationStep, is_interrupted, is_stuck},
    },
    model::{connections::profile::ProfileId, text::sanitize},
    ui::{
        View,
        components::rotation::{actions, next_step},
        theme,
        theme::{Type, icons, size},
        widgets::{
            button::Button,
            card::card,
            notice::{self, Tone},
            text,
        },
    },
};

/// Maximum number of rows shown without scrolling.
const ROWS: f32 = 6.0;
/// Maximum number of unreadable files that are named.
const FILES: usize = 3;

/// Draws the card of the overview; nothing if there are no rotations and no problems.
pub(super) fn overview_card(ui: &mut Ui, view: &mut View<'_>) {
    let state = view.state;
    let rows = state.open_rotations();
    let unreadable = state.unreadable_rotations();
    let problem = state.rotations_problem();
    if rows.is_empty() && unreadable.is_empty() && problem.is_none() {
        return;
    }
    let p = theme::colors(ui);
    let due: Vec<&ProfileId> = rows.iter().filter(|row| row.outlook.is_due()).map(|row| row.profile).collect();
    card(ui, |ui| {
        ui.allocate_ui_with_layout(vec2(ui.available_width(), 34.0), Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Heading, p.text.primary, "Rotations");
            text::line(ui, Type::Body, p.text.tertiary, counted(&rows));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let [first, _, ..] = due[..]
                    && due.iter().all(|profile| *profile == first)
                    && Button::danger("Invalidate all due keys…")
                        .icon(icons::BLOCK)
                        .named("Invalidate all due keys")
                        .off_because(view.state.read_only_on(first))
                        .show(ui)
                        .clicked()
                {
                    view.send(Command::from(RotationStep::AskEnd(first.clone(), None)));
                }
            });
        });
        if let Some(problem) = problem {
            notice::banner(ui, Tone::Warning, &problem.title, &problem.detail, |ui| {
                crate::ui::components::problem::problem_buttons(ui, view, problem);
            });
        }
        if !unreadable.is_empty() {
            let title = match unreadable.len() {
                1 => "1 rotation file can’t be read and is ignored".to_owned(),
                more => format!("{more} rotation files can’t be read and are ignored"),
            };
            let files: Vec<String> =
                unreadable.iter().take(FILES).map(|(path, why)| format!("{path}: {why}")).collect();
            notice::banner(ui, Tone::Warning, &title, &sanitize::shortened(&files.join("; "), 500), |_| ());
        }
        let room = size::ROW * ROWS;
        let list = ScrollArea::vertical().id_salt("rotations").max_height(room).auto_shrink([false, true]);
        ui.spacing_mut().item_spacing.y = 0.0;
        list.show_rows(ui, size::ROW, rows.len(), |ui, range| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for row in range.filter_map(|place| rows.get(place)) {
                row_ui(ui, view, row);
            }
        });
    });
}

fn counted(rows: &[RotationRow<'_>]) -> String {
    let due = rows.iter().filter(|row| row.outlook.is_due()).count();
    let interrupted = rows.iter().filter(|row| is_interrupted(&row.outlook)).count();
    let stuck = rows.iter().filter(|row| is_stuck(&row.outlook)).count();
    let waiting = rows.len() - due - interrupted - stuck;
    let parts = [(due, "due"), (interrupted, "interrupted"), (stuck, "to be closed"), (waiting, "waiting")];
    let words = parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    words.collect::<Vec<_>>().join(", ")
}

fn row_ui(ui: &mut Ui, view: &mut View<'_>, row: &RotationRow<'_>) {
    let p = theme::colors(ui);
    let rotation = row.rotation;
    let (icon, color) = match &row.outlook {
        outlook if outlook.is_due() => (icons::TIMER, p.danger.text),
        outlook if is_interrupted(outlook) || is_stuck(outlook) => (icons::WARNING, p.warning.text),
        _ => (icons::AUTORENEW, p.text.tertiary),
    };
    ui.allocate_ui_with_layout(vec2(ui.available_width(), size::ROW), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(ui.available_width());
        text::icon(ui, Type::Icon, color, icon);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            actions(ui, view, row);
            text::line(ui, Type::Small, color, next_step(rotation, &row.outlook, view.state.now));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let narrow = ui.available_width() < 420.0;
                let most = if narrow { 24 } else { 44 };
                text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&rotation.old.name, most));
                if let Some(id) = rotation.successor().filter(|_| !narrow) {
                    text::line(ui, Type::Small, p.text.tertiary, "successor");
                    text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(id.as_str(), 24));
                }
            });
        });
    });
}
