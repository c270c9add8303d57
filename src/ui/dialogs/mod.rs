//! Dialogs above the screens: the secret of a new key, invalidating, updating, rotating and others.

pub mod check_secret;
pub mod clone;
pub mod export;
mod frame;
pub mod invalidate;
pub mod journal_export;
pub mod outcome;
pub mod rotation;
pub mod secret_card;
pub mod unsaved;
pub mod update;

use std::{fmt::Debug, hash::Hash};

use eframe::egui::{self, CornerRadius, Frame, Id, LayerId, Margin, Modal, Order, Popup, Role, Stroke, Ui};

use super::{
    View, theme,
    theme::radius,
    widgets::notice::{self, Tone},
};
use crate::app::State;

/// The dialogs, with their input.
#[derive(Default)]
pub struct Dialogs {
    secret: secret_card::SecretCard,
    invalidate: invalidate::InvalidateDialog,
    export: export::ExportForm,
    update: update::UpdateDialog,
    rotate: rotation::RotateDialog,
    clone: clone::CloneForm,
    check_secret: check_secret::CheckSecretForm,
    journal_export: journal_export::JournalExportForm,
}

impl Dialogs {
    /// Draws one of the open dialogs, because two at once could both be answered. A secret that arrives during an
    /// invalidation waits until that is over.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let state = view.state;
        let open = [
            state.invalidation.is_some(),
            state.reveal.is_some(),
            state.unsaved_asked().is_some(),
            state.export.is_some(),
            state.updating.is_some(),
            state.rotating.is_some(),
            state.cloning.is_some(),
            state.secret_check.is_some(),
            state.journal.export.is_some(),
        ];
        let first = open.iter().position(|is_open| *is_open);
        // One that is closed wipes what was typed into it.
        let turn = |place: usize| first == Some(place) || !open[place];
        if turn(0) {
            self.invalidate.ui(ctx, view);
        }
        if turn(1) {
            self.secret.ui(ctx, view);
        }
        if turn(2) {
            unsaved::ask(ctx, view);
        }
        if turn(3) {
            self.export.ui(ctx, view);
        }
        if turn(4) {
            self.update.ui(ctx, view);
        }
        if turn(5) {
            self.rotate.ui(ctx, view);
        }
        if turn(6) {
            self.clone.ui(ctx, view);
        }
        if turn(7) {
            self.check_secret.ui(ctx, view);
        }
        if turn(8) {
            self.journal_export.ui(ctx, view);
        }
    }
}

/// Draws a dialog of this name and width on a scrim. Above its content it shows why the window can't be closed, if the
/// user tried. Buttons, focus and clicks belong to one `question`: a press meant for one never answers the next.
/// Returns `true` if Escape asked to close it.
fn dialog(
    ctx: &egui::Context,
    state: &State,
    name: &str,
    question: impl Hash + Debug,
    width: f32,
    content: impl FnOnce(&mut Ui),
) -> bool {
    let p = theme::colors_of(ctx);
    let room = ctx.content_rect().width() - 48.0;
    let frame = Frame::new()
        .fill(p.surface.raised)
        .stroke(Stroke::new(p.hair, p.stroke.card))
        .corner_radius(CornerRadius::same(radius::XL))
        .shadow(theme::dialog_shadow(p))
        .inner_margin(Margin::same(0));
    let area = Id::unique(name.to_owned());
    if !ctx.memory(|memory| memory.areas().visible_last_frame(&LayerId::new(Order::Foreground, area))) {
        // A menu that is open would lie above the dialog and belong to what is below it.
        Popup::close_all(ctx);
    }
    let modal = Modal::new(area).backdrop_color(p.surface.scrim).frame(frame);
    let response = modal.show(ctx, |ui| {
        ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
            node.set_role(Role::Dialog);
            node.set_modal();
            node.set_label(name);
        });
        ui.set_width(width.min(room));
        if let Some(words) = state.refusal() {
            Frame::new().inner_margin(Margin { left: 24, right: 24, top: 20, bottom: 0 }).show(ui, |ui| {
                notice::banner(ui, Tone::Warning, "Keybearer can’t be closed yet", words, |_| ());
            });
        }
        ui.push_id(("question", question), content);
    });
    // A dialog that has grown is put in the middle one frame later, which somebody has to ask for.
    let (id, height) = (Id::unique((name.to_owned(), "height")), response.response.rect.height());
    let before = ctx.data_mut(|data| std::mem::replace(data.get_temp_mut_or(id, 0.0_f32), height));
    if (before - height).abs() > 0.5 {
        ctx.request_repaint();
    }
    // Not by a click beside it: a slip of the hand must not end what can't be shown again.
    let on_top = response.is_top_modal && !response.any_popup_open;
    on_top && ctx.input_mut(|input| input.consume_key(egui::Modifiers::NONE, egui::Key::Escape))
}
