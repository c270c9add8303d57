//! Dialogs above the screens: the secret of a new key, invalidating, updating, rotating and others.

pub mod check_secret;
mod checkpoint;
pub mod clone;
mod credential_question;
pub mod export;
mod file_export;
mod frame;
pub mod import;
pub mod invalidate;
pub mod journal_export;
mod name_question;
pub mod outcome;
mod outcome_export;
pub mod palette;
pub mod rotation;
pub mod secret_card;
pub mod share;
mod shortcut_list;
pub mod unsaved;
pub mod update;

use eframe::egui;

use crate::{
    app::{DialogKind, Front},
    ui::View,
};

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
    checkpoint: checkpoint::CheckpointDialog,
    import: import::ImportForm,
    share: share::ShareForm,
    palette: palette::PaletteForm,
    name: name_question::NameForm,
    credential: credential_question::CredentialForm,
}

impl Dialogs {
    /// Draws one of the open dialogs, because two at once could both be answered. A secret that arrives during an
    /// invalidation waits until that is over.
    pub fn ui(&mut self, ctx: &egui::Context, view: &mut View<'_>) {
        let front = view.state.front();
        // A dialog that is not open is called too: it wipes what was typed into it.
        let is_turn = |kind: DialogKind| match &front {
            Some(Front::Dialog(front)) if *front == kind => true,
            _ => !view.state.dialogs.is_open(kind),
        };
        let turns = DialogKind::ALL.map(is_turn);
        self.name.ui(ctx, view);
        self.palette.ui(ctx, view);
        shortcut_list::ui(ctx, view);
        if front == Some(Front::Credential) || view.state.credential_question().is_none() {
            self.credential.ui(ctx, view);
        }
        let secret = front == Some(Front::SecretCard) || view.state.reveal.is_none();
        let unsaved = front == Some(Front::UnsavedConnection);
        if secret {
            self.secret.ui(ctx, view);
        }
        if unsaved {
            unsaved::ask(ctx, view);
        }
        for kind in DialogKind::ALL.into_iter().zip(turns).filter_map(|(kind, is_turn)| is_turn.then_some(kind)) {
            match kind {
                DialogKind::Invalidate => self.invalidate.ui(ctx, view),
                DialogKind::Update => self.update.ui(ctx, view),
                DialogKind::Rotate => self.rotate.ui(ctx, view),
                DialogKind::Clone => self.clone.ui(ctx, view),
                DialogKind::CheckSecret => self.check_secret.ui(ctx, view),
                DialogKind::Export => self.export.ui(ctx, view),
                DialogKind::ExportJournal => self.journal_export.ui(ctx, view),
                DialogKind::Checkpoint => self.checkpoint.ui(ctx, view),
                DialogKind::Import => self.import.ui(ctx, view),
                DialogKind::Share => self.share.ui(ctx, view),
            }
        }
    }
}
