//! The state of the window and everything that changes it. No widget is named here: views read the state and send
//! commands, `handle` turns commands into jobs, and `apply` takes in the answers of the jobs.

pub mod actions;
pub mod closing;
pub mod cluster;
pub mod command;
pub mod connections;
pub mod create;
pub mod credential;
pub mod dialogs;
mod dispatch;
pub mod file_choice;
pub mod journal;
pub mod loadable;
pub mod lock;
pub mod overlay;
mod pending;
pub mod protection;
pub mod rotation;
pub mod sign_in;
pub mod trail;

use std::{collections::VecDeque, sync::Arc};

use jiff::tz::TimeZone;

pub use actions::{Action, ActionGroup, Shortcut};
pub use closing::{Closing, ClosingStep};
pub use cluster::Cluster;
pub use cluster::{key_page::KeyPage, selection::Selection};
pub use command::{Command, Screen};
pub use connections::ConnectionTest;
pub use create::{Creation, clone::Cloning, forms::FormCommand};
pub use credential::{CredentialAnswer, CredentialQuestion};
pub use dialogs::{
    Dialog, DialogKind, Front, OpenDialogs,
    check_secret::SecretCheck,
    export::ExportDialog,
    import::{ImportStep, Importing, ShareStep, Sharing},
    invalidate::{InvalidateStep, Invalidation},
    secret_card::{Clipboard, Reveal},
    update::Updating,
};
pub use journal::{Journal, JournalCheckpoint, JournalExport};
pub use loadable::Loadable;
pub use lock::Lock;
pub use overlay::{Overlay, Overlays};
pub use protection::{NameAnswer, NameQuestion};
pub use rotation::{Rotations, dialog::Rotating};

use pending::{Pending, Waiting};

use crate::{
    model::{
        TimeDelta, Timestamp,
        connections::{
            client_certificate::ClientCertificate,
            draft::ProfileDraft,
            profile::{Profile, ProfileId},
        },
        inventory::{Sort, overview::OverviewOptions},
        machine_policy::MachinePolicy,
        settings::Settings,
        time::age,
    },
    ops::{Problem, connections::vault::ReadProfiles},
    worker::{Job, Task, Ticket},
};

/// Time that a notice stays.
const NOTICE_TIME: TimeDelta = TimeDelta::from_secs(6);

/// A short message that disappears by itself.
#[derive(Debug)]
pub struct Notice {
    /// Text of the notice, one sentence.
    pub text: String,
    until: Timestamp,
}

/// Everything that the window shows.
pub struct State {
    /// Current screen.
    pub screen: Screen,
    /// Profiles of the vault.
    pub profiles: Loadable<ReadProfiles>,
    /// Open clusters, in the order in which they were opened.
    pub clusters: Vec<Cluster>,
    /// Client certificate that was read for the form of a connection.
    pub certificate: Loadable<ClientCertificate>,
    /// The sign-in at a provider that the form of a connection shows.
    pub sign_in: Option<sign_in::SigningIn>,
    /// The connection test that is running or was run last.
    pub test: Option<ConnectionTest>,
    /// Id of the profile in the form; a problem's fix may ask for another.
    pub to_edit: Option<ProfileId>,
    /// The creation of a key that is running, or its result.
    pub creation: Creation,
    /// The key that was just created, with its secret.
    pub reveal: Option<Reveal>,
    /// State of the clipboard.
    pub clipboard: Clipboard,
    /// State of closing the window.
    pub closing: Closing,
    /// Rotations of the open clusters.
    pub rotations: Rotations,
    /// The open dialogs, but for the card of a secret.
    pub dialogs: OpenDialogs,
    /// What was shown before, for going back.
    pub trail: trail::Trail,
    /// The palette and the list of shortcuts.
    pub overlays: Overlays,
    /// Number of times that the search of the keys was asked for; each time it takes the keyboard.
    pub searches_asked: u64,
    /// The file dialog of the desktop.
    pub files: file_choice::FileChoice,
    /// State of the journal.
    pub journal: Journal,
    /// Notices, oldest first.
    pub notices: VecDeque<Notice>,
    /// Current time by this machine's clock; set before each frame.
    pub now: Timestamp,
    /// Time zone of dates.
    pub zone: TimeZone,
    /// Settings of the user.
    pub settings: Settings,
    policy: Arc<MachinePolicy>,
    /// Reason why the rules of this computer allow no changes; `None` if they allow them.
    policy_refusal: Option<String>,
    /// Options of the overview, except the metadata fields, which are in the settings.
    pub overview_wanted: OverviewOptions,
    settings_changed: bool,
    lock: Option<lock::Lock>,
    /// State of locking, also while the window is not locked.
    pub locking: lock::Locking,
    lock_outcomes: Vec<String>,
    name_question: Option<protection::NameQuestion>,
    credential_questions: VecDeque<credential::CredentialQuestion>,
    /// `true` while a command is acted on that the name of its connection was typed for.
    is_confirmed: bool,
    key_page: Option<KeyPage>,
    merged: Option<Cluster>,
    current: Option<ProfileId>,
    sandbox: Loadable<Profile>,
    /// Proposal of an import for the form of a connection, until it has taken it.
    to_fill: Option<Box<ProfileDraft>>,
    left_to_import: usize,
    next_secrets: VecDeque<Reveal>,
    pending: Pending,
    tickets: u64,
    jobs: Vec<Job>,
}

impl State {
    /// Creates the state at startup: no connection is open.
    pub fn new(now: Timestamp, zone: TimeZone) -> Self {
        Self {
            screen: Screen::Connections,
            profiles: Loadable::default(),
            clusters: Vec::new(),
            certificate: Loadable::default(),
            sign_in: None,
            test: None,
            to_edit: None,
            creation: Creation::default(),
            reveal: None,
            clipboard: Clipboard::default(),
            closing: Closing::default(),
            rotations: Rotations::default(),
            dialogs: OpenDialogs::default(),
            trail: trail::Trail::default(),
            overlays: Overlays::default(),
            searches_asked: 0,
            files: file_choice::FileChoice::default(),
            journal: Journal::default(),
            notices: VecDeque::new(),
            now,
            zone,
            settings: Settings::default(),
            policy: Arc::default(),
            policy_refusal: None,
            overview_wanted: OverviewOptions::default(),
            settings_changed: false,
            lock: None,
            locking: lock::Locking::default(),
            lock_outcomes: Vec::new(),
            name_question: None,
            credential_questions: VecDeque::new(),
            is_confirmed: false,
            key_page: None,
            merged: None,
            current: None,
            sandbox: Loadable::default(),
            to_fill: None,
            left_to_import: 0,
            next_secrets: VecDeque::new(),
            pending: Pending::default(),
            tickets: 0,
            jobs: Vec::new(),
        }
    }

    /// Sets the rules of this computer, with the problem that refuses all changes, if there is one.
    pub fn obey(&mut self, policy: Arc<MachinePolicy>, refusal: Option<Problem>) {
        (self.policy, self.policy_refusal) = (policy, refusal.map(|problem| problem.detail));
    }

    /// Returns the rules of this computer.
    pub fn policy(&self) -> &MachinePolicy {
        &self.policy
    }

    /// Returns the reason why the rules of this computer allow no changes; `None` if they allow them.
    pub fn policy_refusal(&self) -> Option<&str> {
        self.policy_refusal.as_deref()
    }

    /// Opens the practice cluster and signs in to it.
    pub fn open_sandbox(&mut self) {
        self.screen = Screen::Keys;
        let ticket = self.submit(Task::OpenSandbox, Waiting::Sandbox);
        self.sandbox.ask(ticket);
    }

    /// Returns the profile of the practice cluster: loading while it starts, or why it could not be started.
    pub fn sandbox(&self) -> &Loadable<Profile> {
        &self.sandbox
    }

    /// Returns the cluster that is shown; `None` if none is open. For all clusters it is the merged one.
    pub fn cluster(&self) -> Option<&Cluster> {
        let clusters = self.clusters.iter().chain(&self.merged);
        clusters.into_iter().find(|cluster| Some(&cluster.profile.id) == self.current.as_ref())
    }

    fn cluster_mut(&mut self) -> Option<&mut Cluster> {
        let current = self.current.clone();
        let mut clusters = self.clusters.iter_mut().chain(&mut self.merged);
        clusters.find(|cluster| Some(&cluster.profile.id) == current.as_ref())
    }

    /// Takes the jobs that were submitted since the last call, for the worker.
    pub fn take_jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.jobs)
    }

    /// Advances the time: clears the clipboard when it is due, removes old notices, and refreshes everything else that
    /// depends on the time.
    pub fn advance(&mut self, now: Timestamp) {
        self.now = now;
        self.let_sleep();
        if self.clipboard.is_due(now) {
            self.clear_clipboard();
        }
        self.lock_when_idle();
        self.check_journal_daily();
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

    /// Returns the time at which [`State::advance`] next has something to do or a shown countdown changes.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let clipboard = self.clipboard.next_change(self.now);
        let rows = self.cluster().and_then(|cluster| cluster.next_change(self.now));
        let notice = self.notices.iter().map(|notice| notice.until).min();
        let list = self.cluster().and_then(|cluster| cluster.keys.value());
        let age = list.and_then(|list| age::next_change(list.as_of, self.now));
        let due = [self.next_due(), self.locks_at(), self.day_ends_at()];
        [clipboard, rows, notice, age].into_iter().chain(due).flatten().min()
    }

    /// Shows a notice that comes from the window itself.
    pub fn notify(&mut self, text: &str) {
        self.notice(text);
    }

    fn notice(&mut self, text: impl Into<String>) {
        const MAX_NOTICES: usize = 4;
        self.notices.push_back(Notice { text: text.into(), until: self.now + NOTICE_TIME });
        while self.notices.len() > MAX_NOTICES {
            self.notices.pop_front();
        }
    }

    fn sandbox_opened(&mut self, ticket: Ticket, result: Result<Profile, Problem>) {
        let opened = result.as_ref().ok().cloned();
        if self.sandbox.answer(ticket, result)
            && let Some(profile) = opened
        {
            self.connect(profile);
        }
    }

    /// Changes the settings; if they differ afterward, they are saved with the next frame.
    fn change_settings(&mut self, change: impl FnOnce(&mut Settings)) {
        let before = self.settings.clone();
        change(&mut self.settings);
        if self.settings != before {
            self.settings_changed = true;
        }
    }

    /// Remembers the order of the list for the next run.
    fn keep_sorts(&mut self, sorts: &[Sort]) {
        if self.settings.sorts != sorts {
            let sorts = sorts.to_vec();
            self.change_settings(|settings| settings.sorts = sorts);
        }
    }

    /// Remembers the zoom of the window for the next run.
    pub fn keep_zoom(&mut self, zoom: f32) {
        let known = self.settings.zoom.unwrap_or(1.0);
        if (known - zoom).abs() > 0.001 {
            self.change_settings(|settings| settings.zoom = Some(zoom));
        }
    }

    /// Remembers the width and height of the window, in points at zoom 1, and returns the settings to save if they
    /// differ from before.
    pub fn settings_at_exit(&mut self, size: Option<[f32; 2]>) -> Option<Settings> {
        let before = self.settings.size;
        self.settings.size = size.or(before);
        (self.settings.size != before).then(|| self.settings.clone())
    }

    /// Saves changed settings once per frame, because dragging an edge changes them many times.
    fn keep_settings(&mut self) {
        if self.settings_changed {
            self.settings_changed = false;
            self.send(Task::KeepSettings(Box::new(self.settings.clone())));
        }
    }

    fn on_cluster(&mut self, change: impl FnOnce(&mut Cluster, Timestamp)) {
        let now = self.now;
        if let Some(cluster) = self.cluster_mut() {
            change(cluster, now);
        }
    }

    fn on_reveal(&mut self, change: impl FnOnce(&mut Reveal)) {
        self.reveal.as_mut().map(change);
    }
}
