//! The export dialog: scope, file format, and path.

use std::path::PathBuf;

use crate::{
    app::{Loadable, State},
    export::{About, Format},
    model::time::calendar,
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

impl State {
    pub(crate) fn ask_export(&mut self) {
        let Some(cluster) = self.cluster() else { return };
        let counts = [cluster.selection.len(), cluster.rows.rows.len(), cluster.inventory().len()];
        let plain = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '-' };
        let name: String = cluster.profile.name.chars().map(plain).take(40).collect();
        let day = calendar::rfc3339(self.now);
        let name = format!("keys-{name}-{}", day.get(..10).unwrap_or_default());
        self.export = Some(ExportDialog { counts, name, done: Loadable::default(), written: 0 });
    }

    pub(crate) fn start_export(&mut self, scope: Scope, format: Format, path: PathBuf) {
        let Some(cluster) = self.cluster() else { return };
        let Some(list) = cluster.keys.value().cloned() else { return };
        let name = cluster.profile.name.clone();
        let order = &cluster.rows.rows;
        let rows = match scope {
            Scope::Shown => order.clone(),
            Scope::All => (0..list.keys.len() as u32).collect(),
            Scope::Selected => {
                // In the order of the list; what is selected and not shown comes behind.
                let shown = order.iter().copied().filter(|row| cluster.selection.has(*row as usize));
                let mut row_ids: Vec<u32> = shown.collect();
                let mut rest = cluster.selection.rows().clone();
                row_ids.iter().for_each(|row| rest.set(*row as usize, false));
                row_ids.extend(rest.rows().map(|row| row as u32));
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
        let ticket = self.submit(Task::Export(Box::new(export)));
        if let Some(dialog) = &mut self.export {
            dialog.written = 0;
            dialog.done.ask(ticket);
        }
    }

    pub(crate) fn exporting(&mut self, ticket: Ticket, written: u64) {
        if let Some(dialog) = self.export.as_mut().filter(|dialog| dialog.done.question() == Some(ticket)) {
            dialog.written = written;
        }
    }

    pub(crate) fn exported(&mut self, ticket: Ticket, result: Result<Exported, Problem>) {
        let now = self.now;
        if let Some(dialog) = &mut self.invalidation {
            dialog.exported.answer(ticket, result.clone(), now);
        }
        if let Some(dialog) = &mut self.updating {
            dialog.exported.answer(ticket, result.clone(), now);
        }
        if let Some(dialog) = &mut self.export {
            dialog.done.answer(ticket, result, now);
        }
    }

    pub(crate) fn close_export(&mut self) {
        // A file that is being written is not left behind half done.
        if let Some(ticket) = self.export.take().and_then(|dialog| dialog.done.question()) {
            self.submit(Task::Stop(ticket));
        }
    }
}
