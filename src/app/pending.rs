//! Requests to the worker that are not answered yet, and who waits for each. This is the one place that decides what
//! fails when a job panics, what stops when a cluster is closed, and which answers come too late. It knows the files and
//! saved connections that are being written, which keep the window open.

use std::collections::HashMap;

use super::{State, dialogs::DialogKind};
use crate::{
    model::{api_key::KeyId, connections::profile::ProfileId},
    ops::{Fix, Problem, keys::last_use::NotKnown},
    worker::{Answer, Job, Task, Ticket},
};

/// Receiver of a job's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// The list of saved connections.
    Profiles,
    /// The saved connections after this one was saved or removed.
    ProfileChange(ProfileId),
    /// The start of the practice cluster.
    Sandbox,
    /// The locked window.
    Unlocking,
    /// The invalidation of a key with this id and name, whose secret was not stored when the window was locked.
    LockInvalidation(KeyId, String),
    /// The client certificate for the form of a connection.
    ClientCertificate,
    /// The sign-in at a provider that the form of a connection shows.
    SignIn,
    /// The connection test.
    ConnectionTest,
    /// An open cluster: its session, keys, roles, completions, capabilities or first counts.
    Cluster(ProfileId),
    /// The merged list of all clusters.
    Merge,
    /// The page of the open key: its effective privileges or its last use.
    KeyPage,
    /// Rotations of an open cluster.
    Rotations(ProfileId),
    /// The creation of a key.
    Creation,
    /// The clipboard.
    Clipboard,
    /// A card with the secret of a new key.
    SecretCard,
    /// An open dialog.
    Dialog(DialogKind),
    /// The journal screen, or the history of the open key.
    Journal,
    /// The file dialog of the desktop.
    FileChoice,
    /// A notice about a picture that is being written.
    Picture,
    /// The command palette.
    Palette,
}

/// A request that is not answered yet.
struct Request {
    waiting: Waiting,
    is_write: bool,
    writes_file: bool,
}

/// The table of requests that are not answered yet, by ticket.
#[derive(Default)]
pub(crate) struct Pending(HashMap<Ticket, Request>);

impl Pending {
    /// Returns who waits for an answer, and closes the request unless the answer is only progress. Returns `None` for
    /// an answer that comes too late: its request was stopped or answered before.
    pub(super) fn receive(&mut self, ticket: Ticket, answer: &Answer) -> Option<Waiting> {
        if answer.is_progress() {
            return self.0.get(&ticket).map(|request| request.waiting.clone());
        }
        self.0.remove(&ticket).map(|request| request.waiting)
    }

    /// Returns `true` while a saved connection is being changed in the keyring.
    pub(super) fn changes_profiles(&self) -> bool {
        self.0.values().any(|request| matches!(request.waiting, Waiting::ProfileChange(_)))
    }

    /// Returns `true` while a file for the user is being written.
    pub(super) fn writes_file(&self) -> bool {
        self.0.values().any(|request| request.writes_file)
    }

    /// Returns `true` while a cluster, the keyring or a file is being changed.
    pub(super) fn is_writing(&self) -> bool {
        self.0.values().any(|request| request.is_write)
    }

    /// Returns the tickets of everything that only reads.
    pub(super) fn reading(&self) -> Vec<Ticket> {
        let reads = self.0.iter().filter(|(_, request)| {
            // The practice cluster is started only once.
            !request.is_write && !matches!(request.waiting, Waiting::Clipboard | Waiting::Sandbox | Waiting::Unlocking)
        });
        let mut tickets: Vec<Ticket> = reads.map(|(ticket, _)| *ticket).collect();
        tickets.sort_unstable();
        tickets
    }

    /// Returns the tickets of everything that is being read from a cluster.
    fn of_cluster(&self, id: &ProfileId) -> Vec<Ticket> {
        let of = |waiting: &Waiting| matches!(waiting, Waiting::Cluster(own) | Waiting::Rotations(own) if own == id);
        let mut tickets: Vec<Ticket> =
            self.0.iter().filter(|(_, request)| of(&request.waiting)).map(|(ticket, _)| *ticket).collect();
        tickets.sort_unstable();
        tickets
    }
}

impl State {
    /// Submits a task whose answer `waiting` is interested in. The window stays open while it writes a file.
    pub(crate) fn submit(&mut self, task: Task, waiting: Waiting) -> Ticket {
        let task = if self.is_confirmed() { task.confirmed() } else { task };
        let request = Request { waiting, is_write: task.is_write(), writes_file: task.writes_file() };
        let ticket = self.send(task);
        self.pending.0.insert(ticket, request);
        ticket
    }

    /// Submits a task that nobody waits for.
    pub(crate) fn send(&mut self, task: Task) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.jobs.push(Job { ticket, task });
        ticket
    }

    /// Stops a request. Of one that only reads no answer is expected any more; one that writes still answers with what
    /// it did.
    pub(crate) fn stop(&mut self, ticket: Ticket) {
        if self.pending.0.get(&ticket).is_some_and(|request| !request.is_write) {
            self.pending.0.remove(&ticket);
        }
        self.send(Task::Stop(ticket));
    }

    /// Stops everything that is being read from a cluster.
    pub(crate) fn stop_reading(&mut self, id: &ProfileId) {
        self.pending.of_cluster(id).into_iter().for_each(|ticket| self.stop(ticket));
    }

    /// Fails whoever waits for a job that panicked, so that nothing loads forever.
    pub(super) fn fail(&mut self, ticket: Ticket, waiting: Waiting) {
        let broken = || Problem::broken().fix(Fix::Retry);
        let in_keyring = || Problem::broken().fix(Fix::ReadProfiles);
        let not_known = || NotKnown("internal error in Keybearer".into());
        match waiting {
            Waiting::Profiles => {
                self.profiles.answer(ticket, Err(in_keyring()));
            }
            Waiting::ProfileChange(id) => self.profile_changed(ticket, id, Err(in_keyring())),
            Waiting::Sandbox => {
                self.sandbox.answer(ticket, Err(broken()));
            }
            Waiting::Unlocking => self.lock.iter_mut().for_each(|lock| lock.fail(ticket)),
            Waiting::LockInvalidation(id, name) => self.invalidated_by_lock(&id, &name, &Answer::Panicked),
            Waiting::ClientCertificate => {
                self.certificate.answer(ticket, Err(Problem::broken()));
            }
            Waiting::SignIn => self.sign_in_failed(ticket),
            Waiting::ConnectionTest => self.test_ended(ticket),
            Waiting::Cluster(id) => {
                let cluster = self.clusters.iter_mut().find(|cluster| cluster.profile.id == id);
                cluster.into_iter().for_each(|cluster| cluster.fail(ticket));
            }
            Waiting::Merge => {
                if let Some(merged) = &mut self.merged {
                    merged.keys.answer(ticket, Err(broken()));
                }
            }
            Waiting::KeyPage => {
                self.rights(ticket, Err(broken()));
                self.last_use(ticket, Err(not_known()));
            }
            Waiting::Rotations(_) => self.rotations_read(ticket, Err(broken())),
            Waiting::Creation => self.creation.fail(ticket),
            Waiting::Clipboard => {
                self.clipboard.fail(ticket);
                self.copy_next();
            }
            Waiting::SecretCard => {
                self.secret_cards().for_each(|card| card.fail(ticket));
            }
            Waiting::Dialog(kind) => self.fail_dialog(kind, ticket),
            Waiting::Journal => self.journal.fail(ticket),
            Waiting::FileChoice => self.files.fail(ticket),
            Waiting::Palette => self.overlays.fail(ticket),
            Waiting::Picture => self.notice("The picture was not saved: internal error"),
        }
    }
}

#[cfg(test)]
pub(in crate::app) mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::{
        app::{
            Cloning, Command, InvalidateStep, Invalidation, Rotating, Screen, SecretCheck, Updating,
            dialogs::{DialogContent, export::Scope, update::UpdateStep},
            rotation::{
                answers::tests::{profile, reveal, session},
                dialog::RotationStep,
                stages::{Many, Stage},
            },
            sign_in::SignInStage,
        },
        export::Format,
        model::{
            Timestamp,
            api_key::{ApiKey, KeyId},
            connections::{endpoint::Endpoint, login::Login, open_id_draft::OpenIdDraft},
            inventory::RawKey,
            secret::Secret,
        },
        ops::{
            connections::sign_in::Way, journal::reader::JournalFormat, keys::list::KeyList, secret::identify::Asked,
        },
        worker::Event,
    };

    pub(in crate::app) const KEY: &str = "VuaCfGcBCdbkQm-e5aOx";

    fn key() -> KeyId {
        KeyId::new(KEY)
    }

    fn panic(state: &mut State) -> usize {
        let jobs = state.take_jobs();
        jobs.iter().for_each(|job| state.apply(Event { ticket: job.ticket, answer: Answer::Panicked }));
        jobs.len()
    }

    fn last_ticket(state: &mut State) -> Ticket {
        state.take_jobs().last().unwrap().ticket
    }

    /// Returns a state that is signed in to a cluster with one key.
    pub(in crate::app) fn state() -> State {
        let mut state = State::new(Timestamp::EPOCH, TimeZone::UTC);
        state.handle(Command::Connect(Box::new(profile())));
        let ticket = last_ticket(&mut state);
        state.apply(Event { ticket, answer: Answer::Connected(Ok(Box::new(session()))) });
        let mut list = KeyList { is_complete: true, ..KeyList::default() };
        list.keys.put(&RawKey { id: KEY, name: "one", username: "u", ..RawKey::default() });
        list.keys.finish();
        let jobs = state.take_jobs();
        let listing = jobs.iter().find(|job| matches!(job.task, Task::List(..))).unwrap().ticket;
        state.apply(Event { ticket: listing, answer: Answer::Listed(Ok(list.into()), None) });
        state.take_jobs();
        state.pending.0.clear();
        state
    }

    fn at_provider() -> Endpoint {
        let draft = OpenIdDraft { issuer: "https://a.example".into(), client_id: "k".into(), ..OpenIdDraft::new() };
        let login = draft.login(&profile().id).unwrap();
        Endpoint { login: Login::OpenId(Box::new(login)), ..profile().endpoint }
    }

    fn is_loading(state: &State) -> bool {
        let cluster = |cluster: &crate::app::Cluster| {
            cluster.session.is_loading()
                || cluster.keys.is_loading()
                || cluster.roles.is_loading()
                || cluster.names.is_loading()
                || cluster.offered.is_loading()
        };
        let dialogs = &state.dialogs;
        state.clusters.iter().any(cluster)
            || state.profiles.is_loading()
            || state.overlays.is_searching()
            || state.journal.record.is_loading()
            || dialogs.get::<Invalidation>().is_some_and(|own| own.uses.is_loading() || own.bulk.is_running())
            || dialogs.get::<Updating>().is_some_and(|own| own.before.is_loading() || own.is_planning())
            || dialogs.get::<SecretCheck>().is_some_and(SecretCheck::is_running)
            || state.reveal.as_ref().is_some_and(|card| card.kept.is_loading() || card.trial.is_loading())
            || state.test.as_ref().is_some_and(crate::app::ConnectionTest::is_running)
            || state.sign_in.as_ref().is_some_and(|own| matches!(own.stage, SignInStage::Reading) || own.is_waiting())
    }

    #[test]
    fn whatever_job_panics_nothing_loads_forever_and_the_window_can_be_closed() {
        let new_file = || std::path::PathBuf::from("new");
        let stories: Vec<Vec<Command>> = vec![
            vec![Command::ReadProfiles],
            vec![Command::FindKeys("one".into())],
            vec![Command::SaveProfile(Box::new(profile()))],
            vec![Command::RemoveProfile(profile().id)],
            vec![Command::Test(Box::new(profile().endpoint))],
            vec![Command::ReadSignIn(Box::new(at_provider()))],
            vec![Command::SignIn(Box::new(at_provider()), Way::Browser)],
            vec![Command::SignOut(Box::new(at_provider()))],
            vec![Command::Refresh],
            vec![Command::ShowAll],
            vec![Command::Show(Screen::Create)],
            vec![Command::Show(Screen::Journal)],
            vec![Command::ReadNames],
            vec![Command::Form(crate::app::FormCommand::ReadOffers)],
            vec![Command::OpenKey(Some(key()))],
            vec![Command::AskExport, Command::Export(Scope::All, Format::Csv, new_file())],
            vec![Command::AskJournalExport, Command::ExportJournal(JournalFormat::Csv, new_file())],
            vec![Command::AskCheckpoint],
            vec![Command::AskCheckpoint, Command::MakeCheckpoint(None)],
            vec![Command::SavePicture(new_file(), Vec::new())],
            vec![Command::from(InvalidateStep::Ask(vec![key()]))],
            vec![Command::from(InvalidateStep::Ask(vec![key()])), Command::from(InvalidateStep::Send)],
            vec![Command::from(UpdateStep::Ask(vec![key()]))],
            vec![Command::from(UpdateStep::Ask(vec![key()])), Command::from(UpdateStep::Review(Box::default()))],
            vec![Command::from(RotationStep::Ask(vec![key()]))],
            vec![
                Command::AskCheckSecret(None),
                Command::CheckSecret(Secret::new(format!("{KEY}:0123456789012345678901")), Asked::default()),
            ],
            vec![Command::CopySecret(Secret::new("s"))],
            vec![Command::ClearClipboard],
            vec![Command::TryKey],
            vec![Command::KeepSecret],
            vec![Command::WriteSecret(new_file())],
        ];
        for story in stories {
            let mut state = state();
            let name = format!("{story:?}");
            if name.contains("Try") || name.contains("KeepSecret") || name.contains("WriteSecret") {
                state.show_secret(reveal("one"));
            }
            story.into_iter().for_each(|command| state.handle(command));
            assert!(panic(&mut state) > 0, "{name} asks for something");
            // What was changed is read again, which may break, too.
            panic(&mut state);
            assert!(state.pending.0.is_empty(), "{name}: somebody still waits");
            assert!(!is_loading(&state), "{name}: it loads forever");
            assert!(state.reveal.is_some() || state.may_close(), "{name}: the window can't be closed");
        }
    }

    #[test]
    fn a_cluster_that_is_closed_stops_what_is_read_from_it_and_its_late_answers_are_dropped() {
        let mut state = State::new(Timestamp::EPOCH, TimeZone::UTC);
        state.handle(Command::Connect(Box::new(profile())));
        let signing_in = last_ticket(&mut state);
        state.handle(Command::Disconnect(profile().id));
        let stops =
            |ticket: Ticket, jobs: &[Job]| jobs.iter().any(|job| matches!(job.task, Task::Stop(own) if own == ticket));
        let jobs = state.take_jobs();
        assert!(stops(signing_in, &jobs), "{jobs:?}");
        state.handle(Command::Connect(Box::new(profile())));
        state.apply(Event { ticket: signing_in, answer: Answer::Connected(Ok(Box::new(session()))) });
        assert!(state.clusters[0].session.value().is_none(), "an answer to the closed connection");

        // Whatever is read from an open one: keys, first counts, roles, completions, capabilities, rotations.
        let ticket = state.clusters[0].session.question().unwrap();
        state.apply(Event { ticket, answer: Answer::Connected(Ok(Box::new(session()))) });
        state.handle(Command::Show(Screen::Create));
        state.handle(Command::ReadNames);
        state.handle(Command::Form(crate::app::FormCommand::ReadOffers));
        let asked: Vec<Ticket> = state.take_jobs().into_iter().map(|job| job.ticket).collect();
        let reads: Vec<Ticket> = state.pending.of_cluster(&profile().id);
        assert!(reads.len() == 6 && reads.iter().all(|ticket| asked.contains(ticket)), "{reads:?} of {asked:?}");
        state.handle(Command::Disconnect(profile().id));
        let jobs = state.take_jobs();
        assert!(reads.iter().all(|ticket| stops(*ticket, &jobs)), "{reads:?}: {jobs:?}");
        assert!(state.pending.of_cluster(&profile().id).is_empty());
    }

    #[test]
    fn what_a_clone_may_have_left_is_invalidated_also_in_the_list_of_all_clusters() {
        let mut state = state();
        state.handle(crate::app::create::clone::CloneStep::Ask(key()).into());
        // Its list does not have the stray, and is not merged yet.
        state.handle(Command::ShowAll);
        assert!(state.shows_all());
        let stray = ApiKey { id: KeyId::new("stray"), name: "one".into(), ..ApiKey::default() };
        state.dialogs.get_mut::<Cloning>().unwrap().strays = vec![stray];
        state.handle(InvalidateStep::AskCloned.into());
        let dialog = state.dialogs.get::<Invalidation>().unwrap();
        assert_eq!(dialog.keys.ids(), [KeyId::new("stray")]);
        assert!(!state.dialogs.is_open(DialogKind::Clone), "the other dialog knows the key now");
    }

    #[test]
    fn what_a_fix_leads_to_opens_also_where_the_window_was_asked_to_close() {
        let mut state = state();
        state.show_secret(reveal("one"));
        assert!(!state.may_close(), "the secret is asked about");
        state.secret_gone();
        let after = Stage::After(Box::new(Err(Problem::broken())));
        state.dialogs.open(Rotating::new(profile(), after));
        state.handle(Command::Fix(Fix::CreateKey));
        assert!(
            !state.take_close() && state.screen == Screen::Create,
            "the window closed in place of what was pressed"
        );
    }

    #[test]
    fn a_rotation_whose_job_panicked_does_not_say_that_nothing_was_done() {
        let mut many = Rotating::new(profile(), Stage::Many(Many { keys: Vec::new(), folder: "f".into(), over: None }));
        many.run.begin(Ticket(7));
        many.fail(Ticket(7));
        assert!(!many.is_running() && matches!(&many.stage, Stage::After(after) if after.is_err()));
    }

    #[test]
    fn progress_leaves_a_request_open_and_a_write_that_is_stopped_still_answers() {
        let mut state = state();
        state.handle(Command::AskExport);
        state.handle(Command::Export(Scope::All, Format::Csv, "new".into()));
        let ticket = last_ticket(&mut state);
        state.apply(Event { ticket, answer: Answer::Exporting(1) });
        assert!(!state.may_close(), "a file is being written");
        state.handle(Command::CloseDialog(DialogKind::Export));
        assert!(!state.may_close(), "it was asked to stop, and has not yet");
        state.apply(Event { ticket, answer: Answer::Exported(Err(Problem::broken())) });
        assert!(state.may_close());
    }
}
