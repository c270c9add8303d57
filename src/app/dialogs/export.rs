//! The export dialog: scope, file format, and path.

use std::path::PathBuf;

use crate::{
    app::{
        Loadable, State,
        dialogs::{DialogContent, DialogKind},
        pending::Waiting,
    },
    export::{About, Format},
    model::{inventory::RowId, time::calendar},
    ops::{
        Problem,
        keys::export::{Export, ExportSource, Exported},
    },
    worker::{Task, Ticket},
};

/// Keys to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Selected keys.
    Selected,
    /// Keys that the search and the status filter show, in the order of the list.
    Shown,
    /// All keys that were read.
    All,
}

/// The export dialog.
pub struct ExportDialog {
    /// Numbers of keys that are selected, shown, and read at all, indexed by [`Scope`].
    pub counts: [usize; 3],
    /// Suggested file name, without extension.
    pub name: String,
    /// The finished export, or why it failed.
    pub done: Loadable<Exported>,
    /// Number of keys written so far.
    pub written: u64,
}

impl ExportDialog {
    /// Returns the number of keys in a scope.
    pub fn count(&self, scope: Scope) -> usize {
        self.counts[scope as usize]
    }
}

impl DialogContent for ExportDialog {
    fn fail(&mut self, ticket: Ticket) {
        self.done.answer(ticket, Err(Problem::broken()));
    }

    fn exported_mut(&mut self) -> Option<&mut Loadable<Exported>> {
        Some(&mut self.done)
    }

    /// A file that is being written is not left behind half done.
    fn take_requests(&mut self) -> Vec<Ticket> {
        self.done.give_up().into_iter().collect()
    }
}

impl State {
    pub(crate) fn ask_export(&mut self) {
        let Some(cluster) = self.cluster() else { return };
        let counts = [cluster.selection.len(), cluster.rows.rows.len(), cluster.inventory().len()];
        let plain = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '-' };
        let name: String = cluster.profile.name.chars().map(plain).take(40).collect();
        let day = calendar::rfc3339(self.now);
        let name = format!("keys-{name}-{}", day.get(..10).unwrap_or_default());
        self.dialogs.open(ExportDialog { counts, name, done: Loadable::default(), written: 0 });
    }

    pub(crate) fn start_export(&mut self, scope: Scope, format: Format, path: PathBuf) {
        let Some(cluster) = self.cluster() else { return };
        let Some(list) = cluster.keys.value().cloned() else { return };
        let name = cluster.profile.name.clone();
        let order = &cluster.rows.rows;
        let rows = match scope {
            Scope::Shown => order.clone(),
            Scope::All => list.keys.row_ids().collect(),
            Scope::Selected => {
                // In the order of the list; what is selected and not shown comes behind.
                let shown = order.iter().copied().filter(|row| cluster.selection.has(*row));
                let mut row_ids: Vec<RowId> = shown.collect();
                let mut rest = cluster.selection.rows().clone();
                row_ids.iter().for_each(|row| rest.set(*row, false));
                row_ids.extend(rest.rows());
                row_ids
            }
        };
        let about = About {
            cluster: name.clone(),
            with_cluster: false,
            now: cluster.now(self.now),
            made_at: self.now,
            zone: self.zone.clone(),
        };
        let export = Export { parts: vec![ExportSource { cluster: name, list, rows }], format, path, about };
        let ticket = self.submit(Task::Export(Box::new(export)), Waiting::Dialog(DialogKind::Export));
        if let Some(dialog) = self.dialogs.get_mut::<ExportDialog>() {
            dialog.written = 0;
            dialog.done.ask(ticket);
        }
    }

    pub(crate) fn exporting(&mut self, ticket: Ticket, written: u64) {
        let dialog = self.dialogs.get_mut::<ExportDialog>();
        if let Some(dialog) = dialog.filter(|dialog| dialog.done.question() == Some(ticket)) {
            dialog.written = written;
        }
    }
}
