//! Tasks of the worker, and the one `match` that runs the use case of each.

use crate::worker::services::Services;
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use super::{Answer, FormTask, Reporter, Rotate, Ticket, create, rotation};
use crate::{
    model::{
        Timestamp,
        api_key::KeyId,
        connections::{
            endpoint::Endpoint,
            profile::{Profile, ProfileId},
        },
        create::new_key::NewKey,
        inventory::{
            Asker,
            list_view::{ListSnapshot, ListView},
        },
        journal::ssh_signature::SshKey,
        secret::Secret,
        secret_text::Candidate,
        settings::Settings,
        update::draft::UpdateDraft,
    },
    ops::{
        Fix, Problem, Session, background,
        bulk::BulkOperation,
        clock,
        connections::{
            client_certificate::{self, CertificateFiles},
            connect,
            import::{self, Chosen},
            share,
            sign_in::Way,
            vault::{self, ReadProfiles},
        },
        create::{completions, new_key},
        journal::{checkpoint, reader, signers},
        keys::{
            effective_privileges,
            export::{self, Export},
            first_counts,
            key_set::KeySet,
            last_use,
            list::{self, KeyList, ListProgress},
            quick_find::{self, Source},
        },
        lock::{self, NotUnlocked, TypedSignIn},
        outcome_report::{self, OutcomeReport},
        secret::{
            identify::{self, Asked},
            try_key,
        },
        update::plan,
    },
    store::{
        connections::Profiles,
        file_dialog::FileQuestion,
        journal::Journal,
        vault::{Vault, VaultPlace, kept_secrets::KeptSecrets, memory::MemoryVault},
    },
};

/// A task and the ticket that its events carry.
#[derive(Debug)]
pub struct Job {
    /// Ticket of the job's events.
    pub ticket: Ticket,
    /// Task to run.
    pub task: Task,
}

/// Filter, sort order and time zone by which a list will be shown.
#[derive(Clone, Debug)]
pub struct ViewRequest {
    /// Filter and sort order.
    pub view: ListView,
    /// Time zone in which days begin.
    pub zone: TimeZone,
}

impl ViewRequest {
    fn at(&self, session: &Session, list: &KeyList) -> Option<Box<ListSnapshot>> {
        let own = &session.identity;
        let asker = Asker { username: &own.username, realm: &own.realm };
        ListSnapshot::of(&list.keys, &self.view, session.now(), &self.zone, asker).map(Box::new)
    }
}

/// A task of the worker.
#[derive(Debug)]
pub enum Task {
    /// Stop another job.
    Stop(Ticket),
    /// Read all profiles.
    ReadProfiles,
    /// Keep profiles in memory from now on.
    UseMemory,
    /// Forget the profiles that are kept in memory, if they are.
    ForgetMemory,
    /// Unlock the window: by the keyring, or by a typed sign-in; `true` if everything was dropped.
    Unlock(Option<Box<TypedSignIn>>, bool),
    /// Save a profile.
    SaveProfile(Box<Profile>),
    /// Remove a profile.
    RemoveProfile(ProfileId),
    /// Start the practice cluster.
    OpenSandbox,
    /// Read a client certificate from its files.
    ReadCertificate(Box<CertificateFiles>),
    /// Read who is signed in at the provider of an endpoint.
    ReadSignIn(Box<Endpoint>),
    /// Sign in at the provider of an endpoint.
    SignIn(Box<Endpoint>, Way),
    /// Forget the tokens of an endpoint.
    SignOut(Box<Endpoint>),
    /// Read connections from files.
    ReadImport(Vec<PathBuf>),
    /// Read connections from a pasted text.
    ReadImportText(Secret),
    /// Save imported connections.
    SaveImported(Vec<Chosen>),
    /// Write connections without their secrets to a new file.
    ShareProfiles(Vec<Profile>, PathBuf),
    /// Test a connection.
    Test(Box<Endpoint>),
    /// Sign in.
    Connect(Box<Endpoint>),
    /// Read all keys. Given the list so far, the keys created or invalidated since are reported first. The snapshots
    /// are made for this view.
    List(Box<Session>, Option<Arc<KeyList>>, Box<ViewRequest>),
    /// Drop a list that is not shown any more: for a large one that takes longer than a frame.
    LetGo(Arc<KeyList>),
    /// Search keys by a part of their name, id or application id.
    FindKeys(Vec<Source>, String),
    /// Merge lists.
    Merge(Vec<Arc<KeyList>>),
    /// Read the first counts from the cluster itself.
    FirstCounts(Box<Session>),
    /// Ask for a file in the desktop's dialog.
    ChooseFile(FileQuestion),
    /// Write an image to a new file.
    SavePicture(PathBuf, Vec<u8>),
    /// Read all roles.
    Roles(Box<Session>),
    /// Read the names of privileges and indices of a cluster, for completions.
    Names(Box<Session>),
    /// Read the effective privileges of a key.
    Rights(Box<Session>, KeyId),
    /// Read when a key was last used.
    LastUse(Box<Session>, KeyId),
    /// Read when each of many keys was last used.
    LastUses(Box<Session>, KeySet),
    /// Check the keys that were found in a text.
    CheckSecret(Box<Session>, Vec<Candidate>, Asked),
    /// Create a key.
    Create(Box<Session>, Box<NewKey>),
    /// Run a task of a form.
    Form(FormTask),
    /// Sign in with a key.
    Try(Box<Endpoint>, KeyId, Secret, Option<Box<RawValue>>),
    /// Run an operation on many keys.
    Bulk(Box<Session>, Box<dyn BulkOperation>),
    /// Read a key again, to be updated.
    ReadForUpdate(Box<Session>, KeyId),
    /// Plan an update of keys; dates are read in this time zone.
    PlanUpdate(Box<Session>, plan::Keys, Box<UpdateDraft>, TimeZone),
    /// Run a rotation task.
    Rotate(Box<Session>, Rotate),
    /// Write outcomes of keys to a new file.
    ExportOutcomes(Box<OutcomeReport>),
    /// Put a secret on the clipboard.
    Copy(Secret),
    /// Clear the clipboard if it still holds the secret.
    ClearClipboard,
    /// Save a key's secret in the vault: its id, name and secret, and the uuid of its cluster.
    Keep(KeyId, String, Secret, Option<String>),
    /// Write keys to a new file.
    Export(Box<Export>),
    /// Verify that the journal is as it was written, and sign a checkpoint if one is due at this time.
    CheckJournal(Timestamp),
    /// Read the whole journal, and verify it.
    ReadJournal,
    /// Read what a journal has about a key, up to this number of operations.
    History(Journal, KeyId, usize),
    /// List the keys of the ssh-agent that can sign a checkpoint.
    ListSigners,
    /// Verify the journal, and sign a checkpoint: with its own key, and with this one of the ssh-agent, if one is given.
    MakeCheckpoint(Option<Box<SshKey>>),
    /// Write operations of the journal to a new file.
    ExportJournal(Box<reader::Export>),
    /// Save the settings.
    KeepSettings(Box<Settings>),
    /// Write a secret to a new file that only its owner may read.
    Write(PathBuf, Secret),
}

impl Task {
    /// Returns `true` if the task changes a cluster or a file, so that it must not be aborted midway.
    pub fn is_write(&self) -> bool {
        if let Self::Rotate(_, step) = self {
            return step.is_write();
        }
        let is_change = matches!(
            self,
            Self::Create(..)
                | Self::Bulk(..)
                | Self::SaveProfile(_)
                | Self::RemoveProfile(_)
                | Self::SaveImported(_)
                | Self::Keep(..)
                | Self::KeepSettings(_)
        );
        is_change || self.writes_file() || matches!(self, Self::Form(task) if task.is_write())
    }

    /// Returns the task with a session that may send changes through a connection that asks for its name: only for what
    /// a person has typed the name for.
    pub(crate) fn confirmed(mut self) -> Self {
        match &mut self {
            Self::Create(session, _)
            | Self::Bulk(session, _)
            | Self::Rotate(session, _)
            | Self::Form(FormTask::Clone(session, _)) => **session = session.confirmed(),
            _ => {}
        }
        self
    }

    /// Returns `true` if the task writes a file for the user, which would be of no use half written.
    pub fn writes_file(&self) -> bool {
        matches!(
            self,
            Self::Export(_)
                | Self::ExportOutcomes(_)
                | Self::ExportJournal(_)
                | Self::ShareProfiles(..)
                | Self::SavePicture(..)
                | Self::Write(..)
        )
    }
}

/// Time after which a call to the vault is given up: a keyring may show a prompt and wait for a person.
const VAULT_TIME: Duration = Duration::from_secs(120);

/// Pause after an attempt to unlock the window that failed.
const AFTER_WRONG: Duration = Duration::from_secs(1);

pub(super) async fn run(task: Task, services: Arc<Services>, reporter: Reporter, stop: Arc<AtomicBool>) {
    let answer = match task {
        Task::Stop(_) => return,
        Task::ReadProfiles => Answer::Profiles(read_profiles(&services).await),
        Task::UseMemory => {
            services.vault().give_up();
            *services.vault.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(MemoryVault::new());
            Answer::Profiles(read_profiles(&services).await)
        }
        Task::ForgetMemory => {
            services.sign_ins.forget_all();
            let mut vault = services.vault.write().unwrap_or_else(PoisonError::into_inner);
            if vault.place() == VaultPlace::Memory {
                *vault = Arc::new(MemoryVault::new());
            }
            return;
        }
        Task::Unlock(typed, is_wiped) => {
            let policy = Arc::clone(services.policy());
            let unlock = move |place: &Arc<dyn Vault>| Ok(lock::unlock(place, &policy, typed.as_deref(), is_wiped));
            let unlocked = in_vault(&services, unlock).await;
            let unlocked = unlocked.unwrap_or_else(|problem| Err(NotUnlocked::Problem(problem)));
            if unlocked.is_err() {
                // Guessing is slow.
                tokio::time::sleep(AFTER_WRONG).await;
            }
            Answer::Unlocked(unlocked)
        }
        Task::SaveProfile(profile) => {
            let sign_in = services.sign_ins.of(&profile.endpoint, &services.vault());
            let policy = Arc::clone(services.policy());
            let save = move |place: &Arc<dyn Vault>| vault::save_profile(place, &policy, &profile);
            let saved = in_vault(&services, save).await;
            // Somebody may have signed in before the connection was saved. What can't be kept lasts for this run.
            if let (true, Some(sign_in)) = (saved.is_ok(), sign_in) {
                let _ = sign_in.keep_with_connection().await;
            }
            Answer::ProfilesChanged(saved)
        }
        Task::RemoveProfile(id) => {
            let policy = Arc::clone(services.policy());
            let remove = move |place: &Arc<dyn Vault>| vault::remove_profile(place, &policy, &id);
            Answer::ProfilesChanged(in_vault(&services, remove).await)
        }
        Task::OpenSandbox => Answer::SandboxOpened(open_sandbox(&services).await),
        Task::ReadCertificate(files) => {
            let read = move || client_certificate::load(&files).map_err(|error| error.problem);
            let read = off_thread(read).await;
            Answer::CertificateRead(read.map(Box::new))
        }
        Task::ReadSignIn(endpoint) => match services.sign_ins.of(&endpoint, &services.vault()) {
            Some(sign_in) => Answer::SignInRead(sign_in.state().await),
            None => Answer::SignInRead(None),
        },
        Task::SignIn(endpoint, way) => match services.sign_ins.of(&endpoint, &services.vault()) {
            Some(sign_in) => {
                let report = |step| reporter.progress(Answer::SignInStep(step));
                Answer::SignedIn(sign_in.sign_in(way, &services.browser, report).await)
            }
            None => Answer::SignInRead(None),
        },
        Task::SignOut(endpoint) => match services.sign_ins.of(&endpoint, &services.vault()) {
            Some(sign_in) => Answer::SignedOut(sign_in.sign_out().await.map(|_| ())),
            None => Answer::SignedOut(Ok(())),
        },
        Task::ReadImport(paths) => Answer::ImportRead(off_thread(move || import::read_files(&paths)).await),
        Task::ReadImportText(text) => {
            Answer::ImportRead(off_thread(move || import::read_text("Pasted text", text)).await)
        }
        Task::SaveImported(chosen) => {
            let policy = Arc::clone(services.policy());
            let save = move |place: &Arc<dyn Vault>| {
                Ok(import::save(&Profiles::by_rules(Arc::clone(place), &policy), chosen)?)
            };
            Answer::ImportSaved(in_vault(&services, save).await)
        }
        Task::ShareProfiles(profiles, path) => Answer::ProfilesShared(
            off_thread(move || {
                let shared = share::shared(&profiles)?;
                share::to_file(&shared, &path).map(|()| shared)
            })
            .await,
        ),
        Task::Test(endpoint) => {
            let (policy, journal) = (services.policy_for(&endpoint), services.journal_for(&endpoint));
            let tokens = services.sign_ins.source(&endpoint, &services.vault());
            let tell = |step| reporter.progress(Answer::Tested(Box::new(step)));
            connect::test_by_rules(&endpoint, &policy, tokens, &journal, tell).await;
            Answer::TestEnded
        }
        Task::Connect(endpoint) => {
            let tokens = services.sign_ins.source(&endpoint, &services.vault());
            let session = connect::connect_by_rules(&endpoint, &services.policy_for(&endpoint), tokens).await;
            let keyring = KeptSecrets::new(services.vault());
            Answer::Connected(
                session.map(|session| {
                    Box::new(session.with_journal(services.journal_for(&endpoint)).with_keyring(keyring))
                }),
            )
        }
        Task::List(session, known, looking) => read_keys(&session, known, &looking, &reporter).await,
        Task::ChooseFile(question) => Answer::FileChosen(services.files.choose(question).await),
        Task::LetGo(list) => return drop(list),
        Task::Roles(session) => Answer::Roles(session.client.roles().await.map_err(Problem::from)),
        Task::Names(session) => Answer::Names(Box::new(completions::read(&session).await)),
        Task::Rights(session, id) => {
            let found = effective_privileges::told(&session, &id).await.map_err(Problem::from);
            Answer::Rights(found.map(Box::new))
        }
        Task::LastUse(session, id) => Answer::LastUse(last_use::of(&session, &[id]).await),
        Task::LastUses(session, keys) => Answer::LastUses(last_use::of(&session, &keys.ids()).await),
        Task::CheckSecret(session, candidates, asked) => {
            let endpoint = session.client.endpoint().clone();
            let place = (&endpoint, session.client.policy());
            let checked = identify::check(Ok(&session), place, &candidates, &asked).await;
            Answer::SecretChecked(checked.map(Box::new))
        }
        Task::Create(session, key) => {
            Answer::Created(new_key::make(&session, &key).await.map(Box::new).map_err(Box::new))
        }
        Task::Form(task) => create::run(task).await,
        Task::Try(endpoint, id, secret, descriptors) => {
            let policy = services.policy_for(&endpoint);
            let trial = try_key::try_key(&endpoint, &policy, &id, &secret, descriptors.as_deref()).await;
            Answer::Tried(trial.map(Box::new))
        }
        Task::Bulk(session, operation) => {
            let mut on_progress = |progress| reporter.progress(Answer::BulkProgress(progress));
            Answer::BulkDone(operation.run(&session, &stop, &mut on_progress).await)
        }
        Task::ReadForUpdate(session, id) => Answer::BeforeUpdate(plan::read(&session, &id).await.map(Box::new)),
        Task::PlanUpdate(session, keys, draft, zone) => {
            let plan = plan::plan(&session, keys, &draft, &zone).await;
            Answer::UpdatePlanned(plan.map(Arc::new).map_err(Box::new))
        }
        Task::Rotate(session, step) => {
            let place = services.rotations.of(services.is_practice(session.client.endpoint()));
            rotation::run(&session, place, step, &reporter, &stop).await
        }
        Task::ExportOutcomes(file) => {
            let work = tokio::task::spawn_blocking(move || outcome_report::to_file(&file));
            Answer::Exported(work.await.unwrap_or_else(|_| Err(Problem::broken())))
        }
        Task::Copy(secret) => {
            let clipboard = Arc::clone(&services.clipboard);
            Answer::Copied(blocking(move || clipboard.copy(&secret)).await)
        }
        Task::ClearClipboard => {
            let clipboard = Arc::clone(&services.clipboard);
            Answer::Cleared(blocking(move || clipboard.clear_if_ours()).await)
        }
        Task::Keep(id, name, secret, cluster) => Answer::Kept(
            in_vault(&services, move |place| vault::keep_secret(place, &id, &name, &secret, cluster.as_deref())).await,
        ),
        Task::Merge(lists) => {
            let merged = blocking(move || Ok(list::merged(&lists))).await;
            let Ok((list, ends)) = merged else { return reporter.answer(Answer::Panicked).await };
            Answer::Merged(Arc::new(list), ends)
        }
        Task::FindKeys(sources, typed) => {
            let found = tokio::task::spawn_blocking(move || quick_find::find(&sources, &typed, &stop)).await;
            match found {
                Ok(Some(found)) => Answer::FoundKeys(found),
                Ok(None) => return,
                Err(_) => Answer::Panicked,
            }
        }
        Task::FirstCounts(session) => {
            Answer::FirstCounts(first_counts::first(&session).await.map(Box::new).map_err(Problem::from))
        }
        Task::SavePicture(path, bytes) => {
            let saved = blocking(move || save_new(&path, &bytes).map_err(|error| error.to_string()));
            Answer::PictureSaved(saved.await)
        }
        Task::Export(export) => {
            let progress = reporter.clone();
            let tell = move |count| progress.progress(Answer::Exporting(count));
            let work = tokio::task::spawn_blocking(move || export::to_file(&export, &stop, tell));
            Answer::Exported(work.await.unwrap_or_else(|_| Err(Problem::broken())))
        }
        Task::CheckJournal(now) => {
            let journal = services.journal.clone();
            Answer::JournalChecked(off_thread(move || reader::check_recent(&journal, now)).await)
        }
        Task::ReadJournal => {
            let journal = services.journal.clone();
            Answer::JournalRead(off_thread(move || reader::read(&journal)).await)
        }
        Task::ListSigners => {
            let agent = services.ssh_agent.clone();
            Answer::Signers(off_thread(move || signers::agent_keys(agent).map(|(_, keys)| keys)).await)
        }
        Task::MakeCheckpoint(key) => {
            let (journal, agent) = (services.journal.clone(), services.ssh_agent.clone());
            let make = move || {
                let signer = signers::of_agent(agent, key.map(|key| *key))?;
                checkpoint::make_by(&journal, clock::now(), &signer)
            };
            Answer::CheckpointMade(off_thread(make).await)
        }
        Task::History(journal, key, most) => {
            Answer::History(off_thread(move || reader::of_key(&journal, &key, most)).await)
        }
        Task::ExportJournal(export) => {
            let journal = services.journal.clone();
            Answer::JournalExported(off_thread(move || reader::to_file(&journal, &export, &stop)).await)
        }
        Task::KeepSettings(settings) => {
            let file = services.settings.clone();
            // Nothing is lost that could not be set up again, so nobody is told of a full disk here.
            let _ = blocking(move || file.write(&settings).map_err(|error| error.to_string())).await;
            return;
        }
        Task::Write(path, text) => {
            let written = blocking(move || {
                crate::store::secret_file::write(&path, &text)
                    .map(|()| path.display().to_string())
                    .map_err(|error| error.to_string())
            });
            Answer::Kept(written.await)
        }
    };
    reporter.answer(answer).await;
}

async fn read_keys(
    session: &Session,
    known: Option<Arc<KeyList>>,
    looking: &ViewRequest,
    reporter: &Reporter,
) -> Answer {
    if let Some(known) = known
        && let Ok(Some(renewed)) = list::renewed(session, &known).await
    {
        let snapshot = background::run(|| looking.at(session, &renewed));
        reporter.progress(Answer::Listing(ListProgress::Renewed(Arc::new(renewed)), snapshot));
    }
    let tell = {
        let (session, looking, progress) = (session.clone(), looking.clone(), reporter.clone());
        move |news: ListProgress| {
            let snapshot = match &news {
                ListProgress::Part(list) => background::run(|| looking.at(&session, list)),
                _ => None,
            };
            progress.progress(Answer::Listing(news, snapshot));
        }
    };
    match list::all(session, tell).await {
        Ok(list) => {
            let snapshot = background::run(|| looking.at(session, &list));
            Answer::Listed(Ok(Arc::new(list)), snapshot)
        }
        Err(error) => Answer::Listed(Err(Problem::from(error)), None),
    }
}

/// Writes a file that does not exist yet, and returns its path.
fn save_new(path: &Path, bytes: &[u8]) -> std::io::Result<String> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(bytes).inspect_err(|_| {
        // A part of a picture is of no use, and would be in the way of the next try.
        let _ = std::fs::remove_file(path);
    })?;
    Ok(path.display().to_string())
}

async fn open_sandbox(services: &Services) -> Result<Box<Profile>, Problem> {
    let opener = services.sandbox.lock().unwrap_or_else(PoisonError::into_inner).take();
    match opener {
        Some(open) => {
            let profile = open().await?;
            *services.practice.lock().unwrap_or_else(PoisonError::into_inner) = Some(profile.endpoint.url.clone());
            Ok(Box::new(profile))
        }
        None => Err(Problem::new("No sandbox is available", "Start Keybearer with --sandbox")),
    }
}

async fn read_profiles(services: &Services) -> Result<ReadProfiles, Problem> {
    let policy = Arc::clone(services.policy());
    in_vault(services, move |place| vault::read_profiles(place, &policy)).await
}

/// Runs a call to the vault, which may block, on a blocking thread, for at most [`VAULT_TIME`].
async fn in_vault<T: Send + 'static>(
    services: &Services,
    call: impl FnOnce(&Arc<dyn Vault>) -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let place = services.vault();
    let given_up = Arc::clone(&place);
    let call = tokio::task::spawn_blocking(move || call(&place));
    match tokio::time::timeout(VAULT_TIME, call).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Problem::broken().fix(Fix::ReadProfiles)),
        Err(_) => {
            given_up.give_up();
            Err(vault::waited_too_long())
        }
    }
}

/// Runs a call that reads or writes files on a blocking thread.
async fn off_thread<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(call).await.unwrap_or_else(|_| Err(Problem::broken()))
}

async fn blocking<T: Send + 'static>(call: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, Problem> {
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result.map_err(|words| Problem::new("The operation failed", &words)),
        Err(_) => Err(Problem::broken()),
    }
}
