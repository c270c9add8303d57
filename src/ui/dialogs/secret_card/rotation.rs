//! Additions to the secret card for a successor: it does not close before the person has stored the secret or the
//! successor is ended.

use eframe::egui::{Align, Layout, Ui, vec2};

use crate::{
    app::{
        Command, Reveal,
        dialogs::secret_card::Copied,
        rotation::{answers::Successor, dialog::RotationStep},
    },
    model::{TimeDelta, text::sanitize},
    ops::rotation::Rights,
    ui::{
        View,
        dialogs::rotation::frame::{length, problem_banner, rights_text},
        theme,
        theme::{Type, icons, size},
        widgets::{
            button::Button,
            notice::{self, Tone},
            text,
        },
    },
};

/// Draws which key this one succeeds, and what comes next.
pub(crate) fn line(ui: &mut Ui, reveal: &Reveal) {
    let Some(successor) = &reveal.rotation else { return };
    let p = theme::colors(ui);
    let next = match successor.grace {
        TimeDelta::ZERO => {
            "once you’ve saved the secret, it is tested and the old key is invalidated immediately".to_owned()
        }
        grace => format!("once you’ve saved the secret, it is tested and both keys work for {}", length(grace)),
    };
    let name = sanitize::shortened(&successor.old_name, 40);
    let old = sanitize::shortened(successor.old.as_str(), 40);
    text::paragraph(ui, Type::Body, p.text.secondary, format!("Replaces {name} ({old}): {next}"));
    if !matches!(successor.rights, Rights::Same) {
        text::paragraph(ui, Type::Small, p.warning.text, format!("Rights: {}", rights_text(&successor.rights)));
    }
}

/// Draws the button by which the person confirms that the secret is stored.
pub(crate) fn kept_button(ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal) {
    let label = "I’ve saved it";
    let button = if copy_leads(reveal) { Button::secondary(label) } else { Button::primary(label) };
    if button.icon(icons::CHECK).show(ui).clicked() {
        view.send(if is_somewhere(reveal) { Command::from(RotationStep::Kept) } else { Command::CloseSecret });
    }
}

/// Returns `true` if the secret was stored or copied, so that the person may well have it.
fn is_somewhere(reveal: &Reveal) -> bool {
    reveal.is_safe() || reveal.copied != Copied::Never
}

/// Returns `true` while copying is the next step, and confirming that it is stored is not.
pub(crate) fn copy_leads(reveal: &Reveal) -> bool {
    !is_somewhere(reveal)
}

/// Draws the question about closing: continue the rotation with the secret stored, or go back.
pub(crate) fn asks(ui: &mut Ui, view: &mut View<'_>, reveal: &Reveal, successor: &Successor) {
    if let Some(problem) = &successor.problem {
        problem_banner(ui, view, problem);
    }
    let title = match is_somewhere(reveal) {
        true => "Is the secret stored where it’s needed?",
        false => "You haven’t saved the secret",
    };
    let detail = "It can’t be shown again. With it, the successor is tested. Without it, the successor is invalidated \
                  and the old key stays unchanged";
    notice::banner(ui, Tone::Warning, title, detail, |_| ());
    let row = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        let off = successor.is_undoing().then_some("The successor is being invalidated");
        // The safe way stands where the button was that asked.
        if Button::secondary("Go back").off_because(off).show(ui).clicked() {
            view.send(Command::GoBackToSecret);
        }
        if Button::secondary("I’ve saved it").icon(icons::CHECK).off_because(off).show(ui).clicked() {
            view.send(Command::from(RotationStep::Kept));
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            let end = Button::danger("Invalidate the successor, keep the old key").icon(icons::UNDO).off_because(off);
            if end.show(ui).clicked() {
                view.send(Command::from(RotationStep::Undo));
            }
        });
    });
}
