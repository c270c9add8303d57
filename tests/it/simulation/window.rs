//! The window's state and its worker on the same line, locked at any request of a creation, a rotation or an invalidation:
//! what is being written finishes, everything is dropped, and a key whose secret nobody has is ended or told.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use keybearer::{
    app::{
        Command, Rotating, State,
        dialogs::invalidate::InvalidateStep,
        rotation::{dialog::RotationStep, stages::Stage},
    },
    model::{
        TimeDelta,
        api_key::KeyId,
        connections::{
            login::Login,
            profile::{Environment, Profile, ProfileId},
            protection::Protection,
        },
        create::{Draft, RightsChoice, new_key::NewKeyDraft},
        lock::LockReason,
        secret::Secret,
    },
    ops::clock,
    store::{journal::Journal, rotation::Rotations, vault::memory::MemoryVault},
    worker::{Answer, Event, SecretSink, Services, Ticket, Worker},
};
use serde_json::Value;

use super::{
    Dice,
    disk::Disk,
    life::{Checked, endpoint, ensure, is_valid},
    memory_folder,
    world::{Machine, Weather, World},
};

/// Number of things that a window does before it is locked for the last time.
const STEPS: usize = 4;
/// Time in which what is being written finishes.
const MAX_WAIT: Duration = Duration::from_secs(90);

struct NoClipboard;

impl SecretSink for NoClipboard {
    fn copy(&self, _: &Secret) -> Result<(), String> {
        Ok(())
    }

    fn clear_if_ours(&self) -> Result<bool, String> {
        Ok(true)
    }
}

pub struct Window {
    world: Arc<World>,
    pub machine: Arc<Machine>,
    runtime: tokio::runtime::Handle,
    folder: tempfile::TempDir,
    dice: Dice,
    seed: u64,
    vault: Arc<MemoryVault>,
    pub state: State,
    worker: Worker,
    profile: Profile,
    /// Set by the line at the request at which the window is to be locked.
    is_due: Arc<AtomicBool>,
    /// Keys whose secrets the person has, those that were to be invalidated, and old keys whose end was allowed.
    has: BTreeSet<String>,
    to_invalidate: BTreeSet<String>,
    may_end: BTreeSet<String>,
    /// Everything that was told about keys.
    told: BTreeSet<String>,
    count: usize,
}

impl Drop for Window {
    fn drop(&mut self) {
        self.world.remove(&self.machine);
        self.machine.disk.remove();
    }
}

impl Window {
    pub fn new(world: &Arc<World>, runtime: tokio::runtime::Handle, seed: u64) -> Self {
        let folder = tempfile::Builder::new().tempdir_in(memory_folder()).unwrap();
        let machine = Machine::new(format!("w{seed}"), Disk::new(folder.path()), folder.path().join("journal"));
        world.add(&machine);
        let login = Login::Password { username: "officer".into(), password: Secret::new("officer-password") };
        let endpoint = endpoint(world, &machine, login, Protection::None);
        let environment = Environment::Development;
        let profile = Profile { id: ProfileId("place".into()), name: "place".into(), environment, endpoint };
        let vault = Arc::new(MemoryVault::like_a_keyring());
        keybearer::store::connections::Profiles::new(vault.clone()).save(&profile).unwrap();
        let services = Services::new(vault.clone(), Arc::new(NoClipboard))
            .with_journal(Journal::at(machine.journal.clone()))
            .with_rotations(Some(Rotations::at(folder.path().join("rotations"))));
        let worker = Worker::start(services, || ()).unwrap();
        let mut state = State::new(clock::now(), jiff::tz::TimeZone::UTC);
        state.settings.lock_after = None;
        Self {
            world: Arc::clone(world),
            is_due: Arc::clone(&machine.lock_is_due),
            machine,
            runtime,
            folder,
            dice: Dice(seed),
            seed,
            vault,
            state,
            worker,
            profile,
            has: BTreeSet::new(),
            to_invalidate: BTreeSet::new(),
            may_end: BTreeSet::new(),
            told: BTreeSet::new(),
            count: 0,
        }
    }

    /// One frame without drawing.
    fn frame(&mut self) {
        self.state.advance(clock::now());
        while let Some(event) = self.worker.poll() {
            self.state.apply(event);
        }
        self.state.take_wipe();
        for job in self.state.take_jobs() {
            self.worker.submit(job);
        }
        self.told.extend(self.state.creation.problem.as_ref().map(|problem| format!("{problem:?}")));
        if self.state.lock().is_none() {
            self.told.extend(self.state.reveal.iter().flat_map(|card| card.doubts.clone()));
        }
        self.told.extend(self.state.lock_outcomes().iter().cloned());
        if let Some(Stage::After(after)) = self.state.dialogs.get::<Rotating>().map(|dialog| &dialog.stage) {
            self.told.insert(format!("{after:?}"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }

    pub fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Checked {
        let end = Instant::now() + MAX_WAIT;
        while !done(self) {
            ensure!(Instant::now() < end, "{what} did not come");
            self.frame();
        }
        self.frame();
        Ok(())
    }

    /// Waits until something is done, or the window is to be locked.
    fn wait_or_lock(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<bool, String> {
        let is_due = Arc::clone(&self.is_due);
        self.wait(what, |own| done(own) || is_due.load(Ordering::Relaxed))?;
        Ok(self.is_due.load(Ordering::Relaxed))
    }

    fn truth(&self) -> std::collections::BTreeMap<String, Value> {
        self.runtime.block_on(self.world.truth(&format!("{}-", self.machine.name)))
    }

    fn is_at_rest(&self) -> bool {
        let is_settled = |cluster: &keybearer::app::Cluster| {
            cluster.session.value().is_some() && cluster.keys.value().is_some() && !cluster.keys.is_loading()
        };
        self.state.cluster().is_some_and(is_settled)
    }

    pub fn connect(&mut self) -> Checked {
        self.state.handle(Command::Connect(Box::new(self.profile.clone())));
        self.wait_for_keys()
    }

    /// A busy machine may need more than one try.
    fn wait_for_keys(&mut self) -> Checked {
        for _ in 0..20 {
            let is_loading = |own: &Self| {
                let cluster = own.state.cluster();
                cluster.is_some_and(|cluster| cluster.session.is_loading() || cluster.keys.is_loading())
            };
            self.wait("an answer", |own| !is_loading(own))?;
            if self.is_at_rest() {
                return Ok(());
            }
            self.state.handle(Command::Connect(Box::new(self.profile.clone())));
            self.state.handle(Command::Refresh);
        }
        Err("the keys did not come".into())
    }

    /// Whoever comes back is told what came of the lock, on a line that holds.
    pub fn unlock(&mut self) -> Checked {
        self.machine.set_weather(Weather::default(), Dice(0));
        self.vault.lock_it(true);
        self.state.handle(Command::Unlock(None));
        self.wait("the end of the lock", |own| own.state.lock().is_none())?;
        self.wait_for_keys()
    }

    pub fn live(&mut self) -> Checked {
        self.connect()?;
        for step in 0..STEPS {
            let what = self.dice.below(4);
            let at = 1 + self.dice.below(14);
            let odds = [0, 8, 16][self.dice.below(3)];
            self.machine.tell(format_args!("  step {step}: {what}, locked at request {at}"));
            self.is_due.store(false, Ordering::Relaxed);
            let weather = Weather { odds, lock_at_request: at, ..Weather::default() };
            self.machine.set_weather(weather, Dice(self.seed.wrapping_mul(1_000_003) ^ (step as u64) << 56));
            match what {
                0 | 1 => self.create()?,
                2 => self.rotate()?,
                _ => self.invalidate()?,
            }
            self.lock()?;
        }
        Ok(())
    }

    fn create(&mut self) -> Checked {
        self.count += 1;
        let key = Draft {
            name: format!("{}-{}", self.machine.name, self.count),
            rights: RightsChoice::Nothing,
            expiration: "30d".into(),
            ..Draft::default()
        };
        let draft = NewKeyDraft { key, ..NewKeyDraft::default() };
        let request = format!("request-{}-{}", self.machine.name, self.count);
        self.state.handle(Command::Create(Box::new(draft), None, request));
        if self.wait_or_lock("the new key", |own| !own.state.creation.is_running())? {
            return Ok(());
        }
        self.see_to_secret()
    }

    /// What a person does with the secret on a card: they keep it, end the key, or leave.
    fn see_to_secret(&mut self) -> Checked {
        let Some(card) = &self.state.reveal else { return Ok(()) };
        let (id, secret, is_successor) = (card.id.to_string(), card.secret.clone(), card.rotation.is_some());
        match self.dice.below(5) {
            3 => {
                self.machine.tell(format_args!("    the secret is copied, and left on its card"));
                self.state.handle(Command::CopySecret(secret));
                self.has.insert(id);
            }
            0 | 1 => {
                self.machine.tell(format_args!("    the secret is kept"));
                self.state.handle(Command::CopySecret(secret));
                self.has.insert(id);
                self.state.handle(if is_successor { Command::from(RotationStep::Kept) } else { Command::DropSecret });
            }
            2 => {
                self.machine.tell(format_args!("    the key is ended"));
                self.state.handle(if is_successor { RotationStep::Undo.into() } else { Command::InvalidateSecret });
            }
            _ => self.machine.tell(format_args!("    the secret is left on its card")),
        }
        self.wait_or_lock("the end of it", |own| own.worker.busy() == 0)?;
        Ok(())
    }

    fn some_key(&mut self) -> Option<KeyId> {
        let valid: Vec<String> = self
            .truth()
            .into_iter()
            .filter(|(id, key)| is_valid(key) && self.has.contains(id))
            .map(|(id, _)| id)
            .collect();
        // Ids are random: by their age.
        let chosen = self.dice.below(valid.len());
        valid.get(chosen).map(KeyId::new)
    }

    fn rotate(&mut self) -> Checked {
        let Some(old) = self.some_key() else { return Ok(()) };
        self.state.handle(Command::Refresh);
        self.wait_for_keys()?;
        self.state.handle(RotationStep::Ask(vec![old.clone()]).into());
        let plan = |own: &Self| match own.state.dialogs.get::<Rotating>().map(|dialog| &dialog.stage) {
            Some(Stage::Ask(ask)) => !ask.planned.is_loading(),
            _ => true,
        };
        if self.wait_or_lock("the plan", plan)? {
            return Ok(());
        }
        if self.dice.one_in(2) {
            self.state.handle(RotationStep::Grace(TimeDelta::ZERO).into());
        }
        self.may_end.insert(old.to_string());
        self.state.handle(RotationStep::Begin(self.folder.path().to_owned()).into());
        let is_made = |own: &Self| {
            own.state.reveal.is_some() || !own.state.dialogs.get::<Rotating>().is_some_and(Rotating::is_running)
        };
        if self.wait_or_lock("the successor", is_made)? {
            return Ok(());
        }
        self.see_to_secret()
    }

    fn invalidate(&mut self) -> Checked {
        let Some(key) = self.some_key() else { return Ok(()) };
        self.state.handle(Command::Refresh);
        self.wait_for_keys()?;
        self.to_invalidate.insert(key.to_string());
        self.state.handle(InvalidateStep::Ask(vec![key]).into());
        self.state.handle(InvalidateStep::Send.into());
        self.wait_or_lock("the end of it", |own| own.worker.busy() == 0)?;
        Ok(())
    }

    /// The window is locked, by the desktop or by the person, who is asked about a secret.
    fn lock(&mut self) -> Checked {
        let asks = self.dice.one_in(2);
        self.machine.tell(format_args!("    locked by {}", if asks { "the person" } else { "the desktop" }));
        if asks {
            let end = Instant::now() + MAX_WAIT;
            while self.state.lock().is_none() {
                ensure!(Instant::now() < end, "the window could not be locked");
                self.state.handle(Command::Lock);
                if self.state.reveal.as_ref().is_some_and(|card| card.asks) {
                    self.world.happens("a window asked about a secret before it was locked");
                    self.see_to_secret()?;
                }
                self.frame();
            }
        } else {
            let answer = Answer::LockAsked(LockReason::Screen);
            self.state.apply(Event { ticket: Ticket(0), answer });
        }
        let was_writing = !self.state.lock().is_some_and(keybearer::app::Lock::is_wiped);
        let what = if was_writing { "a window was locked while it wrote" } else { "a window was locked" };
        self.world.happens(what);
        self.wait("the lock", |own| own.state.lock().is_some_and(keybearer::app::Lock::is_wiped))?;
        let state = &self.state;
        let is_empty = state.clusters.is_empty() && state.reveal.is_none() && state.dialogs.front().is_none();
        ensure!(is_empty && state.creation.problem.is_none(), "a locked window still has something");
        self.wait("the end of what was written", |own| own.worker.busy() == 0)?;
        ensure!(self.state.clusters.is_empty() && self.state.reveal.is_none(), "a late answer brought something back");
        self.unlock()?;
        for outcome in self.state.lock_outcomes() {
            let kind = ["was invalidated", "may still be valid", "was copied", "An operation", "may be a key"];
            let kind = kind.iter().find(|kind| outcome.contains(**kind)).copied().unwrap_or("something else");
            self.world.happens(format!("told after a lock: {kind}"));
            self.machine.tell(format_args!("    told: {kind}"));
        }
        self.state.handle(Command::DismissLockOutcomes);
        self.check()
    }

    fn check(&mut self) -> Checked {
        if let Some(wrong) = self.machine.wrong.lock().unwrap().first() {
            return Err(wrong.clone());
        }
        let report = Journal::at(self.machine.journal.clone()).check(|_, _| ()).unwrap();
        ensure!(report.is_whole(), "the journal has a fault: {}", report.faults[0]);
        ensure!(report.open.is_empty(), "what was written did not finish: {:?}", report.open);
        let told = self.told.iter().cloned().collect::<Vec<_>>().join("\n");
        let rotations = Rotations::at(self.folder.path().join("rotations")).all().unwrap().rotations;
        let truth = self.truth();
        for (id, key) in &truth {
            let name = key["name"].as_str().unwrap_or_default();
            if is_valid(key) {
                let request = key["metadata"]["request_id"].as_str().unwrap_or("none");
                let mut open = rotations.iter().filter(|rotation| !rotation.is_finished());
                let is_open = open.any(|rotation| rotation.requests.iter().any(|own| own == request));
                let is_told =
                    told.contains(id.as_str()) || key["metadata"]["rotated_from"].is_null() && told.contains(name);
                ensure!(
                    self.has.contains(id) || is_told || is_open,
                    "{id} ({name}) is valid, nobody has its secret, and nobody was told: {told}"
                );
            } else if self.may_end.contains(id) && !self.to_invalidate.contains(id) && self.has.contains(id) {
                let kept = truth.iter().any(|(new, successor)| {
                    successor["metadata"]["rotated_from"] == id.as_str() && self.has.contains(new)
                });
                ensure!(kept, "{id} was ended, and nobody has the secret of a successor");
            }
        }
        Ok(())
    }
}
