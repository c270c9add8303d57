//! The state of the window and what changes it. No widget is named here: views read the state and
//! send commands, `handle` turns commands into jobs, `apply` takes in what became of them.

pub mod check_secret;
pub mod cluster;
pub mod command;
pub mod connections;
pub mod creation;
pub mod export;
pub mod invalidation;
pub mod journal;
pub mod loadable;
pub mod merged;
mod reading;
pub mod reveal;
pub mod rights;
pub mod selection;
pub mod updating;

use std::collections::VecDeque;

use jiff::tz::TimeZone;

pub use check_secret::SecretCheck;
pub use cluster::Cluster;
pub use command::{Command, Screen};
pub use connections::ConnectionTest;
pub use creation::Creation;
pub use export::ExportDialog;
pub use invalidation::Invalidation;
pub use journal::Journal;
pub use loadable::Loadable;
pub use reveal::{Clipboard, Reveal};
pub use rights::KeyPage;
pub use selection::Selection;
pub use updating::Updating;

use crate::{
    model::{
        Millis,
        overview::Wanted,
        profile::{Profile, ProfileId},
        settings::Settings,
    },
    ops::{Fix, Problem, vault::ReadProfiles},
    worker::{Answer, Event, Job, Task, Ticket},
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
    /// The dialog of invalidating.
    pub invalidation: Option<Invalidation>,
    /// The dialog of updating.
    pub updating: Option<Updating>,
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
    pub overview_wanted: Wanted,
    settings_changed: bool,
    key_page: Option<KeyPage>,
    merged: Option<Cluster>,
    current: Option<ProfileId>,
    sandbox: Loadable<Profile>,
    saving: Option<Ticket>,
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
            invalidation: None,
            updating: None,
            secret_check: None,
            export: None,
            journal: Journal::default(),
            notices: VecDeque::new(),
            now,
            zone,
            settings: Settings::default(),
            overview_wanted: Wanted::default(),
            settings_changed: false,
            key_page: None,
            merged: None,
            current: None,
            sandbox: Loadable::default(),
            saving: None,
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
        let asking = self.reveal.is_some() || self.invalidation.is_some() || self.updating.is_some();
        asking || self.export.is_some() || self.secret_check.is_some() || self.journal.export.is_some()
    }

    /// The window is to be closed. Whether it may: not while a secret is on its way or was not kept,
    /// nor while keys are being invalidated. It is said why.
    pub fn may_close(&mut self) -> bool {
        if self.creation.is_running() {
            self.notice("A key is being created: its secret is about to be shown, once");
            return false;
        }
        if self.invalidation.as_ref().is_some_and(Invalidation::is_running) {
            self.notice("Keys are being invalidated: stop it first, or wait");
            return false;
        }
        if self.updating.as_ref().is_some_and(Updating::is_running) {
            self.notice("Keys are being updated: stop it first, or wait");
            return false;
        }
        if self.saving.is_some() && self.saving == self.profiles.question() {
            self.notice("The keyring is being written: answer it, or go on for this run");
            return false;
        }
        self.reveal.as_mut().is_none_or(|reveal| {
            reveal.asks |= !reveal.is_safe();
            reveal.is_safe()
        })
    }

    /// The jobs that came up since the last call, for the worker.
    pub fn take_jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.jobs)
    }

    /// Time has passed: the clipboard and whatever else has an end.
    pub fn tick(&mut self, now: Millis) {
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
        [clipboard, rows, notice].into_iter().flatten().min()
    }

    fn submit(&mut self, task: Task) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.jobs.push(Job { ticket, task });
        ticket
    }

    fn notice(&mut self, text: impl Into<String>) {
        const MOST: usize = 4;
        self.notices.push_back(Notice { text: text.into(), until: self.now.saturating_add(NOTICE_TIME) });
        while self.notices.len() > MOST {
            self.notices.pop_front();
        }
    }

    /// Does what a person asked for.
    pub fn handle(&mut self, command: Command) {
        match command {
            Command::Show(screen) => self.show(screen),
            Command::ReadProfiles => self.read_profiles(Task::ReadProfiles),
            Command::UseMemory => self.read_profiles(Task::UseMemory),
            Command::EditProfile(id) => self.edit_profile(id),
            Command::SaveProfile(profile) => self.save_profile(*profile),
            Command::RemoveProfile(id) => self.remove_profile(id),
            Command::Test(endpoint) => self.start_test(endpoint),
            Command::StopTest => self.stop_test(),
            Command::Connect(profile) => self.connect(*profile),
            Command::Disconnect(id) => self.disconnect(&id),
            Command::SwitchTo(id) => self.switch_to(id),
            Command::ShowAll => self.switch_to(merged::all()),
            Command::Refresh if self.screen == Screen::Journal => self.read_journal(),
            Command::Refresh => {
                self.journal.renew_history();
                self.refresh();
            }
            Command::StopRefresh => self.stop_refresh(),
            Command::SetView(view) => self.on_cluster(|cluster, now| cluster.set_view(view, now)),
            Command::Select(id, on) => self.on_cluster(|cluster, _| cluster.select(id, on)),
            Command::SelectTo(row, also) => self.on_cluster(|cluster, _| cluster.select_to(row, also)),
            Command::SelectRows(rows, also) => self.on_cluster(|cluster, _| cluster.select_rows(rows, also)),
            Command::SelectNone => self.on_cluster(|cluster, _| cluster.select_rows(0..0, false)),
            Command::OpenKey(id) => self.on_cluster(|cluster, _| cluster.open_page(id)),
            Command::SetTable(layout) => self.change_settings(|settings| settings.table = layout),
            Command::SetLook(word) => self.change_settings(|settings| settings.look = Some(word)),
            Command::ReadRights => self.read_rights(),
            Command::AskCheckSecret(id) => self.ask_check_secret(id),
            Command::CheckSecret(text, asked) => self.check_secret(&text, asked),
            Command::CloseCheckSecret => self.close_check_secret(),
            Command::ReadRoles => self.read_roles(),
            Command::ReadNames => self.read_names_once(),
            Command::Create(draft, request_id) => self.create(*draft, &request_id),
            Command::DismissCreation => self.creation.dismiss(),
            Command::CopySecret(text) => self.copy_secret(text),
            Command::ClearClipboard => self.clear_clipboard(),
            Command::TryKey => self.try_key(),
            Command::KeepSecret => self.keep_secret(),
            Command::WriteSecret(path) => self.write_secret(path),
            Command::CloseSecret => self.close_secret(),
            Command::GoBackToSecret => self.on_reveal(|reveal| reveal.asks = false),
            Command::DropSecret => self.reveal = None,
            Command::AskInvalidate(ids) => self.ask_invalidate(ids),
            Command::AskInvalidateShown => self.ask_invalidate_shown(),
            Command::IncludeOwnKey(on) => self.on_invalidation(|dialog| dialog.own_key_too = on),
            Command::IncludeManaged(on) => self.on_invalidation(|dialog| dialog.managed_too = on),
            Command::Invalidate => self.invalidate(),
            Command::StopInvalidate => self.stop_invalidate(),
            Command::RetryFailed => self.invalidate_again(Invalidation::take_failed),
            Command::GoOnWithUntouched => self.invalidate_again(Invalidation::take_untouched),
            Command::ExportFates(fate, format, path) if self.updating.is_some() => {
                self.export_updates(fate, format, path)
            }
            Command::ExportFates(fate, format, path) => self.export_fates(fate, format, path),
            Command::CloseInvalidate => self.close_invalidate(),
            Command::Update(step) => self.update_step(step),
            Command::SetOverview(wanted) => {
                self.overview_wanted = wanted;
                self.overview_now();
            }
            Command::CountBy(fields) => {
                self.change_settings(|settings| settings.counted_by = fields);
                self.overview_now();
            }
            Command::ShowKeys(view) => {
                self.on_cluster(|cluster, now| cluster.set_view(view, now));
                self.show(Screen::Keys);
            }
            Command::SavePicture(path, bytes) => drop(self.submit(Task::SavePicture(path, bytes))),
            Command::AskExport => self.ask_export(),
            Command::Export(scope, format, path) => self.start_export(scope, format, path),
            Command::CloseExport => self.close_export(),
            Command::SetJournalView(view) => self.journal.set_view(view),
            Command::OpenDeed(place) => self.journal.open = place,
            Command::AskJournalExport(on) => self.ask_journal_export(on),
            Command::ExportJournal(form, path) => self.export_journal(form, path),
            Command::DismissJournalFault => self.journal.is_fault_read = true,
            Command::Fix(fix) => self.fix(fix),
            Command::DismissNotice => drop(self.notices.pop_front()),
        }
        self.follow_key_page();
    }

    fn show(&mut self, screen: Screen) {
        self.screen = screen;
        match screen {
            Screen::Create => self.read_roles_once(),
            Screen::Overview => self.overview_now(),
            Screen::Journal => self.read_journal(),
            Screen::Connections if self.profiles.is_untouched() => self.read_profiles(Task::ReadProfiles),
            _ => {}
        }
    }

    fn fix(&mut self, fix: Fix) {
        match fix {
            Fix::Retry if self.screen == Screen::Journal => self.read_journal(),
            Fix::Retry => match self.cluster() {
                Some(cluster) if cluster.session.value().is_none() && !cluster.is_merged() => {
                    let profile = cluster.profile.clone();
                    self.connect(profile);
                }
                Some(_) if self.screen == Screen::Create => self.read_roles(),
                Some(_) => self.refresh(),
                None => self.read_profiles(Task::ReadProfiles),
            },
            Fix::EditConnection | Fix::CompareCertificate => {
                if let Some(cluster) = self.cluster() {
                    let profile = cluster.profile.clone();
                    self.to_edit = Some(profile.id.clone());
                    if fix == Fix::CompareCertificate {
                        self.start_test(Box::new(profile.endpoint));
                    }
                }
                self.show(Screen::Connections);
            }
            Fix::ReadProfiles => self.read_profiles(Task::ReadProfiles),
            Fix::UseMemory => self.read_profiles(Task::UseMemory),
        }
    }

    /// Takes in what happened. Answers to questions that nobody asks any more die here.
    pub fn apply(&mut self, event: Event) {
        let Event { ticket, answer } = event;
        match answer {
            Answer::Profiles(result) => {
                self.profiles.answer(ticket, result, self.now);
            }
            Answer::ProfilesChanged(result) => self.profiles_changed(ticket, result),
            Answer::SandboxOpened(result) => self.sandbox_opened(ticket, result.map(|profile| *profile)),
            Answer::Tested(report) => self.tested(ticket, *report),
            Answer::TestEnded => self.test_ended(ticket),
            Answer::Connected(result) => self.connected(ticket, result.map(|session| *session)),
            Answer::Listing(progress, sight) => self.listing(ticket, progress, sight),
            Answer::Listed(result, sight) => {
                self.listed(ticket, result, sight);
                self.read_rights();
            }
            Answer::Rights(result) => self.rights(ticket, result.map(|told| *told)),
            Answer::SecretChecked(checked) => self.secret_checked(ticket, checked),
            Answer::Roles(result) => self.roles(ticket, result),
            Answer::Names(names) => self.names(ticket, *names),
            Answer::Created(result) => self.created(ticket, result),
            Answer::Tried(result) => self.tried(ticket, result.map(|trial| *trial)),
            Answer::Invalidating(news) => self.invalidating(ticket, news),
            Answer::Invalidated(outcome) => self.invalidated(ticket, outcome),
            Answer::BeforeUpdate(result) => self.before_update(ticket, result.map(|before| *before)),
            Answer::Updating(settled) => self.updating(ticket, settled),
            Answer::Updated(outcome) => self.updated(ticket, outcome),
            Answer::Copied(result) => self.copied(ticket, result),
            Answer::Cleared(result) => self.cleared(result),
            Answer::Kept(result) => self.kept(ticket, result),
            Answer::Figures(result) => self.figures(ticket, result.map(|figures| *figures)),
            Answer::PictureSaved(result) => match result {
                Ok(path) => self.notice(format!("Saved: {path}")),
                Err(problem) => self.notice(format!("{}: {}", problem.title, problem.detail)),
            },
            Answer::Merged(list, ends) => self.merged(ticket, list, &ends),
            Answer::Exporting(written) => self.exporting(ticket, written),
            Answer::Exported(result) => self.exported(ticket, result),
            Answer::JournalChecked(result) => self.journal_checked(ticket, result),
            Answer::JournalRead(result) => self.journal_read(ticket, result),
            Answer::History(result) => self.history(ticket, result),
            Answer::JournalExported(result) => self.journal_exported(ticket, result),
            Answer::Panicked => self.panicked(ticket),
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
    fn panicked(&mut self, ticket: Ticket) {
        let now = self.now;
        let broken = || Problem::broken().fix(Fix::Retry);
        self.profiles.answer(ticket, Err(Problem::broken().fix(Fix::ReadProfiles)), now);
        self.clipboard.broken(ticket);
        self.sandbox.answer(ticket, Err(broken()), now);
        self.test_ended(ticket);
        for cluster in &mut self.clusters {
            cluster.session.answer(ticket, Err(broken()), now);
            cluster.keys.answer(ticket, Err(broken()), now);
            cluster.roles.answer(ticket, Err(broken()), now);
            cluster.figures.answer(ticket, Err(broken()), now);
        }
        if let Some(merged) = &mut self.merged {
            merged.keys.answer(ticket, Err(broken()), now);
        }
        self.rights(ticket, Err(broken()));
        self.secret_broken(ticket);
        self.creation.broken(ticket);
        self.exported(ticket, Err(Problem::broken()));
        self.journal_broken(ticket);
        if let Some(reveal) = &mut self.reveal {
            reveal.broken(ticket, now);
        }
        if let Some(dialog) = &mut self.invalidation {
            dialog.broken(ticket);
        }
        self.before_update(ticket, Err(Problem::broken()));
        if let Some(dialog) = &mut self.updating {
            dialog.broken(ticket);
        }
    }

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
