//! Access of a view to the state.

use crate::app::{Command, State};

/// Access of a view to the state, and to the commands it sends.
pub struct View<'a> {
    /// The state, read only.
    pub state: &'a State,
    pub(super) outbox: &'a mut Vec<Command>,
}

impl View<'_> {
    /// Sends a command, which is handled after the frame.
    pub fn send(&mut self, command: Command) {
        self.outbox.push(command);
    }
}
