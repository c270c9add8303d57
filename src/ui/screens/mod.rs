//! Screens: one file, one struct and one `ui` for each. A screen owns its input.

pub mod connections;
pub mod create;
pub mod journal;
pub mod keys;
pub mod overview;
mod settings;

use eframe::egui;

use crate::{app::Screen, ui::View};

/// All screens, with their drafts.
#[derive(Default)]
pub struct Screens {
    overview: overview::OverviewScreen,
    keys: keys::Keys,
    create: create::CreateScreen,
    journal: journal::JournalScreen,
    connections: connections::Connections,
}

impl Screens {
    /// Draws the current screen.
    pub fn ui(&mut self, ui: &mut egui::Ui, view: &mut View<'_>) {
        if view.state.screen != Screen::Create {
            self.create.leave(ui);
        }
        match view.state.screen {
            Screen::Overview => self.overview.ui(ui, view),
            Screen::Keys => self.keys.ui(ui, view),
            Screen::Create => self.create.ui(ui, view),
            Screen::Journal => self.journal.ui(ui, view),
            Screen::Connections => self.connections.ui(ui, view),
            Screen::Settings => settings::ui(ui, view),
        }
    }
}
