//! The state of the window and what changes it. No widget is named here: views read the state and
//! send commands, `handle` turns commands into jobs, `apply` takes in what became of them.

pub mod closing;
pub mod cluster;
pub mod command;
pub mod connections;
pub mod create;
pub mod dialogs;
mod dispatch;
pub mod journal;
pub mod loadable;
pub mod rotation;

use std::collections::VecDeque;

use jiff::tz::TimeZone;

pub use closing::{Closing, ClosingStep};
pub use cluster::Cluster;
pub use cluster::{key_page::KeyPage, selection::Selection};
pub use command::{Command, Screen};
pub use connections::ConnectionTest;
pub use create::{Creation, clone::Cloning, forms::FormCommand};
pub use dialogs::{
    check_secret::SecretCheck,
    export::ExportDialog,
    invalidate::Invalidation,
    secret_card::{Clipboard, Reveal},
    update::Updating,
};
pub use journal::Journal;
pub use loadable::Loadable;
pub use rotation::{Rotations, dialog::Rotating};

use crate::{
    model::{
        Millis,
        connections::profile::{Profile, ProfileId},
        inventory::overview::OverviewOptions,
        settings::Settings,
        time::age,
    },
    ops::{Problem, connections::vault::ReadProfiles},
    worker::{Job, Task, Ticket},
};

/// How long short news stays, in milliseconds.
const NOTICE_TIME: Millis = 6000;

/// Short news.
#[derive(Debug)]
pub struct Notice {
    /// One sentence.
    pub text: String,
    until: Millis,
}

/// Everything that the window shows.
pub struct State {
    /// Where one is.
    pub screen: Screen,
    /// The profiles of the vault.
    pub profiles: Loadable<ReadProfiles>,
    /// The clusters that are open, in the order in which they were opened.
    pub clusters: Vec<Cluster>,
    /// The test of a connection.
    pub test: Option<ConnectionTest>,
    /// The profile in the form; a way out may ask for another.
    pub to_edit: Option<ProfileId>,
    /// The creation that is under way, or what came of it.
    pub creation: Creation,
    /// The key that was just created, with its secret.
    pub reveal: Option<Reveal>,
    /// What is on the clipboard.
    pub clipboard: Clipboard,
    /// State of closing the window.
    pub closing: Closing,
    /// The dialog of invalidating.
    pub invalidation: Option<Invalidation>,
    /// The dialog of updating.
    pub updating: Option<Updating>,
    /// The dialog of rotating.
    pub rotating: Option<Rotating>,
    /// What is known of the rotations.
    pub rotations: Rotations,
    /// The dialog of copying a key.
    pub cloning: Option<Cloning>,
    /// The dialog of checking a secret.
    pub secret_check: Option<SecretCheck>,
    /// The dialog of exporting.
    pub export: Option<ExportDialog>,
    /// What is known of the journal.
    pub journal: Journal,
    /// Short news, the newest last.
    pub notices: VecDeque<Notice>,
    /// Now, by this machine's clock; set before each frame.
    pub now: Millis,
    /// The zone of dates.
    pub zone: TimeZone,
    /// What a person has set up for themselves.
    pub settings: Settings,
    /// What the overview shall show, besides the fields of the settings.
    pub overview_wanted: OverviewOptions,
    settings_changed: bool,
    key_page: Option<KeyPage>,
    merged: Option<Cluster>,
    current: Option<ProfileId>,
    sandbox: Loadable<Profile>,
    next_secrets: VecDeque<Reveal>,
    /// Requests to the keyring to save or remove a connection that are not answered yet.
    saving: Vec<(Ticket, ProfileId)>,
    tickets: u64,
    jobs: Vec<Job>,
}

impl State {
    /// The state at the start.
    pub fn new(now: Millis, zone: TimeZone) -> Self {
        Self {
            screen: Screen::Connections,
            profiles: Loadable::default(),
            clusters: Vec::new(),
            test: None,
            to_edit: None,
            creation: Creation::default(),
            reveal: None,
            clipboard: Clipboard::default(),
            closing: Closing::default(),
            invalidation: None,
            updating: None,
            rotating: None,
            rotations: Rotations::default(),
            cloning: None,
            secret_check: None,
            export: None,
            journal: Journal::default(),
            notices: VecDeque::new(),
            now,
            zone,
            settings: Settings::default(),
            overview_wanted: OverviewOptions::default(),
            settings_changed: false,
            key_page: None,
            merged: None,
            current: None,
            sandbox: Loadable::default(),
            next_secrets: VecDeque::new(),
            saving: Vec::new(),
            tickets: 0,
            jobs: Vec::new(),
        }
    }

    /// Opens the practice cluster and signs in to it.
    pub fn open_sandbox(&mut self) {
        self.screen = Screen::Keys;
        let ticket = self.submit(Task::OpenSandbox);
        self.sandbox.ask(ticket);
    }

    /// Whether the practice cluster is on its way, or why it did not come.
    pub fn sandbox(&self) -> &Loadable<Profile> {
        &self.sandbox
    }

    /// The cluster that is shown.
    pub fn cluster(&self) -> Option<&Cluster> {
        let clusters = self.clusters.iter().chain(&self.merged);
        clusters.into_iter().find(|cluster| Some(&cluster.profile.id) == self.current.as_ref())
    }

    fn cluster_mut(&mut self) -> Option<&mut Cluster> {
        let current = self.current.clone();
        let mut clusters = self.clusters.iter_mut().chain(&mut self.merged);
        clusters.find(|cluster| Some(&cluster.profile.id) == current.as_ref())
    }

    /// Whether a dialog is open, below which everything is out of reach.
    pub fn has_dialog(&self) -> bool {
        let asking = self.reveal.is_some() || self.invalidation.is_some();
        let changing = self.updating.is_some() || self.rotating.is_some() || self.cloning.is_some();
        let asking = asking || self.unsaved_asked().is_some();
        asking || changing || self.export.is_some() || self.secret_check.is_some() || self.journal.export.is_some()
    }

    /// The jobs that came up since the last call, for the worker.
    pub fn take_jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.jobs)
    }

    /// Time has passed: the clipboard and whatever else has an end.
    pub fn advance(&mut self, now: Millis) {
        self.now = now;
        if self.clipboard.is_due(now) {
            self.clear_clipboard();
        }
        self.notices.retain(|notice| notice.until > now);
        self.keep_settings();
        self.follow_open_key();
        if let Some(cluster) = self.cluster_mut() {
            cluster.refresh_rows(now);
        }
        if self.screen == Screen::Overview && self.cluster().is_some_and(|cluster| cluster.overview_is_old(now)) {
            self.overview_now();
        }
    }

    /// When [`State::tick`] next has something to do, or a shown countdown changes.
    pub fn wake_at(&self) -> Option<Millis> {
        let clipboard = self.clipboard.next_change(self.now);
        let rows = self.cluster().and_then(|cluster| cluster.next_change(self.now));
        let notice = self.notices.iter().map(|notice| notice.until).min();
        let list = self.cluster().and_then(|cluster| cluster.keys.value());
        let age = list.and_then(|list| age::next_change(list.as_of, self.now));
        [clipboard, rows, notice, age, self.next_due()].into_iter().flatten().min()
    }

    fn submit(&mut self, task: Task) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.note_file(ticket, &task);
        self.jobs.push(Job { ticket, task });
        ticket
    }

    /// Shows short news that only the window itself knows.
    pub fn notify(&mut self, text: &str) {
        self.notice(text);
    }

    fn notice(&mut self, text: impl Into<String>) {
        const MAX_NOTICES: usize = 4;
        self.notices.push_back(Notice { text: text.into(), until: self.now.saturating_add(NOTICE_TIME) });
        while self.notices.len() > MAX_NOTICES {
            self.notices.pop_front();
        }
    }

    fn sandbox_opened(&mut self, ticket: Ticket, result: Result<Profile, Problem>) {
        let opened = result.as_ref().ok().cloned();
        if self.sandbox.answer(ticket, result, self.now)
            && let Some(profile) = opened
        {
            self.connect(profile);
        }
    }

    /// A job broke: whoever waits for it is told, so that nothing turns for ever.
    fn change_settings(&mut self, change: impl FnOnce(&mut Settings)) {
        let before = self.settings.clone();
        change(&mut self.settings);
        if self.settings != before {
            self.settings_changed = true;
        }
    }

    /// Settings are kept a moment after the last change: an edge that is drawn changes them many times.
    fn keep_settings(&mut self) {
        if self.settings_changed {
            self.settings_changed = false;
            self.submit(Task::KeepSettings(Box::new(self.settings.clone())));
        }
    }

    fn on_cluster(&mut self, change: impl FnOnce(&mut Cluster, Millis)) {
        let now = self.now;
        if let Some(cluster) = self.cluster_mut() {
            change(cluster, now);
        }
    }

    fn on_reveal(&mut self, change: impl FnOnce(&mut Reveal)) {
        self.reveal.as_mut().map(change);
    }

    fn on_invalidation(&mut self, change: impl FnOnce(&mut Invalidation)) {
        self.invalidation.as_mut().map(change);
    }
}
