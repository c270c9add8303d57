//! One life: a machine, what its officer believes, and what is checked of it after each step.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use keybearer::{
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
            protection::Protection,
            proxy::ProxyRule,
        },
        create::{Draft, RightsChoice, Surroundings},
        journal,
        rotation::{Destination, Next, Rotation, State},
        secret::Secret,
        time::expiry::Expiry,
        update::KeyUpdate,
        version::Edition,
    },
    ops::{
        Outcome, Problem, Session, clock,
        connections::connect,
        create::{self, CreateError},
        invalidate,
        journal::ship::{self, NotShipped, Shipment},
        keys::last_use::{NotKnown, Uses},
        rotation::{
            self, Consent, CreatedSuccessor, Delivery, EndPlan, Interaction, OpenDestination, RotationOptions,
            RotationProgress, destination, driver,
        },
        update,
    },
    store::{
        journal::Journal,
        rotation::Rotations,
        vault::{Vault, memory::MemoryVault},
    },
};
use serde_json::{Value, json};

use super::{
    Dice,
    disk::Disk,
    memory_folder, off,
    world::{Machine, TIMEOUT, Weather, World},
};

/// Number of steps of a life.
const STEPS: usize = 7;
/// Shortest grace period that the life waits for, and one that it doesn't.
const GRACES: [TimeDelta; 3] = [TimeDelta::ZERO, TimeDelta::SECOND, TimeDelta::from_secs(3600)];
/// How far the clock of a machine is off, in milliseconds: minutes, hours, more than a month.
const JUMPS: [i64; 6] = [0, 150_000, 7_200_000, -7_200_000, 40 * 86_400_000, -40 * 86_400_000];

pub fn is_valid(key: &Value) -> bool {
    key["invalidated"] == json!(false)
}

fn millis(value: &Value) -> i64 {
    value.as_i64().unwrap_or_default()
}

/// Answers every question as a person in a hurry would.
pub struct Hurried;

impl Interaction for Hurried {
    fn progress(&mut self, _: RotationProgress) {}

    fn can_deliver(&mut self) -> bool {
        true
    }

    fn deliver(&mut self, _: &Rotation, _: &CreatedSuccessor) -> Delivery {
        Delivery::Arrived
    }

    fn confirm_end(&mut self, _: &Rotation, _: EndPlan, _: &Result<Uses, NotKnown>) -> bool {
        true
    }
}

/// A rotation that was begun here, whatever the disk says of it later.
struct Begun {
    old: KeyId,
    grace: TimeDelta,
    /// Files that its secret may be in.
    places: Vec<PathBuf>,
}

pub struct Life {
    world: Arc<World>,
    pub machine: Arc<Machine>,
    seed: u64,
    dice: std::sync::Mutex<Dice>,
    folder: Option<tempfile::TempDir>,
    root: PathBuf,
    keyring: Option<Arc<dyn Vault>>,
    odds: usize,
    /// Keys that this machine was told to have made, or that it may have made.
    keys: Vec<KeyId>,
    begun: Vec<Begun>,
    /// Keys that the second officer ended, and those that were to be invalidated here.
    ended_by_others: BTreeSet<String>,
    to_invalidate: BTreeSet<String>,
    /// Keys that were reported as made beside the one that was asked for.
    twins: BTreeSet<String>,
    has_crashed: bool,
    count: usize,
}

pub type Checked = Result<(), String>;

macro_rules! ensure {
    ($what:expr, $($words:tt)+) => {
        if !$what {
            return Err(format!($($words)+));
        }
    };
}

pub(super) use ensure;

/// Where a machine reaches the cluster.
pub fn endpoint(world: &World, machine: &Machine, login: Login, protection: Protection) -> Endpoint {
    let url = format!("http://{}/{}", world.address, machine.name);
    Endpoint {
        timeout: TIMEOUT,
        // Without it each client would read the roots of the system.
        trust: Trust::Fingerprint(Fingerprint::parse(world.sandbox.fingerprint()).unwrap()),
        proxy: ProxyRule::Direct,
        protection,
        ..Endpoint::new(ClusterUrl::parse(&url).unwrap(), login)
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.world.remove(&self.machine);
        drop(self.folder.take());
        self.machine.disk.remove();
    }
}

impl Life {
    pub fn new(world: &Arc<World>, seed: u64) -> Self {
        let folder = tempfile::Builder::new().tempdir_in(memory_folder()).unwrap();
        let root = folder.path().to_owned();
        let machine = Machine::new(format!("s{seed}"), Disk::new(&root), root.join("data/journal"));
        world.add(&machine);
        let mut dice = Dice(seed);
        // A keyring is kept by another program, and loses nothing.
        let keyring = dice.one_in(3).then(|| Arc::new(MemoryVault::like_a_keyring()) as Arc<dyn Vault>);
        let odds = [0, 4, 8, 16][dice.below(4)];
        Self {
            world: Arc::clone(world),
            machine,
            seed,
            dice: std::sync::Mutex::new(dice),
            folder: Some(folder),
            root,
            keyring,
            odds,
            keys: Vec::new(),
            begun: Vec::new(),
            ended_by_others: BTreeSet::new(),
            to_invalidate: BTreeSet::new(),
            twins: BTreeSet::new(),
            has_crashed: false,
            count: 0,
        }
    }

    fn roll(&self, end: usize) -> usize {
        self.dice.lock().unwrap().below(end)
    }

    fn rotations(&self) -> Rotations {
        Rotations::at(self.root.join("data/rotations"))
    }

    fn journal(&self) -> Journal {
        let journal = Journal::at(self.machine.journal.clone()).with_markers(self.root.join("state/journals"));
        match &self.keyring {
            Some(keyring) => journal.with_keyring(Arc::clone(keyring)),
            None => journal,
        }
    }

    fn index(&self) -> String {
        format!("{}-journal", self.machine.name)
    }

    /// Signs in while the line holds.
    async fn session(&self, user: &str, protection: Protection) -> Session {
        let login = Login::Password { username: user.into(), password: Secret::new(format!("{user}-password")) };
        let endpoint = endpoint(&self.world, &self.machine, login, protection);
        self.machine.set_weather(Weather::default(), Dice(0));
        // A busy machine may need more than one try.
        let mut session = connect::connect(&endpoint).await;
        for _ in 0..20 {
            if session.is_err() {
                session = connect::connect(&endpoint).await;
            }
        }
        session.unwrap().with_journal(self.journal())
    }

    async fn truth(&self) -> BTreeMap<String, Value> {
        // Not `s1` for `s17`.
        self.world.truth(&format!("{}-", self.machine.name)).await
    }

    fn fresh_name(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.machine.name, self.count)
    }

    pub async fn live(&mut self) -> Checked {
        let mut session = self.session("officer", Protection::None).await;
        for step in 0..STEPS {
            let what = self.roll(16);
            let other = match what {
                12 => Some(self.session("elastic", Protection::None).await),
                13 => Some(self.session("officer", Protection::ReadOnly).await),
                _ => None,
            };
            self.begin_step(step, what);
            let session_now = other.as_ref().unwrap_or(&session);
            match what {
                0..=3 => self.create(session_now).await?,
                4 | 5 => self.update(session_now).await?,
                6 | 7 => self.invalidate(session_now).await?,
                8..=10 => self.rotate(session_now).await?,
                11 => self.interfere().await,
                12 => self.ship(session_now).await?,
                13 => self.read_only(session_now).await?,
                14 => self.jump(),
                _ => self.resume(session_now, step).await?,
            }
            self.machine.disk.fail_at(0, false);
            if std::mem::take(&mut self.has_crashed) {
                session = self.session("officer", Protection::None).await;
            }
            self.check_journal()?;
            self.check_rotated().await?;
        }
        self.recover().await
    }

    /// What this step meets with.
    fn begin_step(&self, step: usize, what: usize) {
        let mut weather = Weather { odds: self.odds, ..Weather::default() };
        let mut told = String::new();
        match self.roll(8) {
            0 => {
                weather.failure_at_request = 1 + self.roll(9);
                told = format!(", the power fails at request {}", weather.failure_at_request);
            }
            1 | 2 => {
                let (sync, before) = (1 + self.roll(16), self.roll(2) == 0);
                self.machine.disk.fail_at(sync, before);
                told = format!(", the power fails {} sync {sync}", if before { "before" } else { "after" });
            }
            3 => {
                (weather.jump_at_request, weather.jump_to) = (1 + self.roll(9), JUMPS[self.roll(JUMPS.len())]);
            }
            _ => {}
        }
        self.machine.tell(format_args!("  step {step}: {what}{told}"));
        self.machine.set_weather(weather, Dice(self.seed.wrapping_mul(1_000_003) ^ (step as u64) << 56));
    }

    /// Runs something until it ends or the power fails: then `None`, and the machine was started anew.
    async fn until_crash<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        let (machine, disk) = (Arc::clone(&self.machine), Arc::clone(&self.machine.disk));
        let done = tokio::select! {
            biased;
            () = machine.crashed.notified() => None,
            () = disk.power_failed.notified() => None,
            done = work => Some(done).filter(|_| !disk.is_off()),
        };
        if done.is_none() {
            self.restart().await;
        }
        done
    }

    /// What was not synced is lost, or torn, or there all the same.
    async fn restart(&mut self) {
        self.has_crashed = true;
        // What goes on beside the task comes to its next sync.
        tokio::time::sleep(Duration::from_millis(5)).await;
        let lost = self.machine.disk.power_on(&mut self.dice.lock().unwrap());
        self.world.happens("a power failure");
        for what in &lost {
            self.world.happens(format!("lost: {what}"));
        }
        self.machine.tell(format_args!("    started anew; lost: {lost:?}"));
        for told in [&self.machine.crashed, &self.machine.disk.power_failed] {
            let _ = tokio::time::timeout(Duration::ZERO, told.notified()).await;
        }
        // Nothing more happens in this step.
        self.machine.set_weather(Weather::default(), Dice(0));
    }

    fn jump(&self) {
        let to = JUMPS[self.roll(JUMPS.len())];
        self.machine.clock.store(to, Ordering::Relaxed);
        self.world.happens("a jump of the clock");
        self.machine.tell(format_args!("    the clock jumps to {}", off(to)));
    }

    async fn create(&mut self, session: &Session) -> Checked {
        let name = self.fresh_name();
        let expiration = ["30d", "1h", "2100-01-01 00:00"][self.roll(3)];
        let draft = Draft {
            name: name.clone(),
            rights: RightsChoice::Nothing,
            expiration: expiration.into(),
            reason: "it is a test".into(),
            ..Draft::default()
        };
        let around = Surroundings {
            now: session.now(),
            zone: &jiff::tz::TimeZone::UTC,
            roles: None,
            edition: Edition::Unknown,
            by_api_key: false,
        };
        let request = draft.check(around, &format!("request-{name}")).unwrap();
        let said = self.until_crash(create::create(session, &request)).await;
        let truth = self.truth().await;
        let there: Vec<String> =
            truth.iter().filter(|(_, key)| key["name"] == name.as_str()).map(|(id, _)| id.clone()).collect();
        let is_doubled = self.machine.doubled.lock().unwrap().contains(&name);
        ensure!(there.len() <= 1 + usize::from(is_doubled), "{name} was made {} times", there.len());
        match said {
            Some(Ok(made)) => {
                ensure!(there.iter().any(|id| made.id.as_str() == id), "{} was reported, {there:?} is there", made.id);
                ensure!(self.world.works(&made.id, &made.secret).await, "the secret of {} does not work", made.id);
                let doubts = made.doubts.join("\n");
                for twin in there.iter().filter(|id| made.id.as_str() != *id) {
                    // What could not be looked for is told, too.
                    let is_told = doubts.contains(twin.as_str()) || doubts.contains("not known whether");
                    ensure!(is_told, "{twin} was made beside {}, and nobody was told: {doubts}", made.id);
                    self.world.happens("a twin was told");
                    self.twins.insert(twin.clone());
                }
                self.check_end_is_told(&truth[made.id.as_str()], request.expiry(), &doubts)?;
                self.keys.push(made.id);
                self.world.happens("created");
            }
            Some(Err(CreateError::Refused(error))) => {
                ensure!(there.is_empty(), "{there:?} is there, but was said not to be: {error}");
                self.world.happens("creation refused");
            }
            Some(Err(CreateError::Lost(lost))) => {
                let named = lost.ours().iter().chain(lost.found.iter().flat_map(|found| &found.perhaps));
                let named: BTreeSet<&str> = named.map(|key| key.id.as_str()).collect();
                let is_known = lost.found.is_ok();
                let all: BTreeSet<&str> = there.iter().map(String::as_str).collect();
                ensure!(!is_known || named == all, "{there:?} is there, {named:?} was reported");
                self.world.happens(match there.len() {
                    0 => "creation lost, none there",
                    1 => "creation lost, key there",
                    _ => "creation lost, two keys there",
                });
                self.keys.extend(there.into_iter().map(KeyId::new));
            }
            None => {
                // Whatever is there has an intent without an outcome, or an outcome that names it or the doubt about it.
                let named = self.journal_text();
                let is_in_doubt = is_doubled && named.contains("not known whether the request reached");
                for id in &there {
                    let is_named =
                        self.open_intents().iter().any(|intent| intent.contains(&name)) || named.contains(id.as_str());
                    let is_named = is_named || is_in_doubt;
                    ensure!(is_named, "{id} was left behind by a power failure, and no intent names it");
                    self.world.happens("creation cut short, key there");
                }
                self.keys.extend(there.into_iter().map(KeyId::new));
            }
        }
        Ok(())
    }

    /// An end other than the one that was asked for is told.
    fn check_end_is_told(&self, key: &Value, asked: Expiry, doubts: &str) -> Checked {
        let (created, ends) = (millis(&key["creation"]), millis(&key["expiration"]));
        let is_as_asked = match asked {
            Expiry::Never => ends == 0,
            Expiry::In(span) => (ends - created - span.length().unwrap().as_millis()).abs() <= 1000,
            Expiry::At(at) => (ends - at.as_millis()).abs() <= 60_000,
        };
        if !is_as_asked {
            self.world.happens("another end than was asked for");
            let is_told = doubts.contains("expires");
            ensure!(is_told, "{key} has another end than {asked:?}, and nobody was told: {doubts}");
        }
        Ok(())
    }

    fn some_keys(&self, most: usize) -> Vec<KeyId> {
        let mut chosen: Vec<KeyId> = Vec::new();
        for _ in 0..1 + self.roll(most) {
            if let Some(key) = self.keys.get(self.roll(self.keys.len()))
                && !chosen.contains(key)
            {
                chosen.push(key.clone());
            }
        }
        chosen
    }

    async fn invalidate(&mut self, session: &Session) -> Checked {
        let ids = self.some_keys(4);
        self.to_invalidate.extend(ids.iter().map(ToString::to_string));
        let before = self.truth().await;
        let stop = AtomicBool::new(false);
        let said = self.until_crash(invalidate::invalidate(session, &ids, false, &stop, |_| ())).await;
        let after = self.truth().await;
        let Some(outcome) = said else {
            let changed = ids.iter().filter(|id| is_valid(&before[id.as_str()]) && !is_valid(&after[id.as_str()]));
            return self.check_named(changed, "invalidated");
        };
        self.check_outcome(&ids, &outcome, |id| !is_valid(&after[id.as_str()]), |id| !is_valid(&before[id.as_str()]))
    }

    /// What was done when the power failed is named by an entry of the journal.
    fn check_named<'k>(&self, ids: impl Iterator<Item = &'k KeyId>, done: &str) -> Checked {
        let text = self.journal_text();
        for id in ids {
            ensure!(text.contains(id.as_str()), "{id} was {done} before a power failure, and no entry names it");
        }
        Ok(())
    }

    /// Checks what is said of each key: done is done, a failure is not done unless it was before, the rest is open.
    fn check_outcome(
        &self,
        ids: &[KeyId],
        outcome: &Outcome,
        is_done: impl Fn(&KeyId) -> bool,
        was_before: impl Fn(&KeyId) -> bool,
    ) -> Checked {
        for id in &outcome.done {
            ensure!(is_done(id), "{id} is said to be done");
            self.world.happens("done");
        }
        for (id, failure) in &outcome.failed {
            self.world.happens(if failure.is_unknown() { "not known" } else { "failed" });
            ensure!(failure.is_unknown() || !is_done(id) || was_before(id), "{id} is said to have failed: {failure}");
        }
        for id in &outcome.untouched {
            ensure!(!is_done(id) || was_before(id), "{id} is said to be untouched");
        }
        let told = outcome.done.iter().chain(outcome.failed.iter().map(|(id, _)| id)).chain(&outcome.untouched);
        let told: BTreeSet<&KeyId> = told.chain(&outcome.unchanged).collect();
        for id in ids {
            ensure!(told.contains(id), "nothing is said of {id}: {outcome:?}");
        }
        Ok(())
    }

    async fn update(&mut self, session: &Session) -> Checked {
        let ids = self.some_keys(3);
        let mark = format!("{}-{}", self.machine.name, self.roll(1 << 30));
        let metadata = serde_json::value::to_raw_value(&json!({ "mark": mark })).unwrap();
        let change = KeyUpdate { metadata: Some(metadata), ..KeyUpdate::default() };
        let said = self.until_crash(update::update(session, &ids, &change)).await;
        let after = self.truth().await;
        let is_done = |id: &KeyId| after[id.as_str()]["metadata"]["mark"] == mark.as_str();
        let Some(outcome) = said else {
            return self.check_named(ids.iter().filter(|id| is_done(id)), "updated");
        };
        self.check_outcome(&ids, &outcome, is_done, |_| false)
    }

    async fn rotate(&mut self, session: &Session) -> Checked {
        let Some(old) = self.some_keys(1).pop() else { return Ok(()) };
        let options = RotationOptions { grace: GRACES[self.roll(GRACES.len())], ..RotationOptions::default() };
        let place = self.root.join(format!("secret-{old}-{}", self.roll(1 << 30)));
        let rotations = self.rotations();
        let known = rotations.all().unwrap().rotations;
        self.begun.push(Begun { old: old.clone(), grace: options.grace, places: vec![place.clone()] });
        let work = async {
            let plan = rotation::plan(session, &known, &old, &options).await?;
            let destination =
                OpenDestination::file(&place).map_err(|error| Problem::new("no file", &error.to_string()))?;
            driver::start(session, &rotations, &plan, Consent::default(), destination, None, &mut Hurried).await
        };
        match self.until_crash(work).await {
            Some(Ok(driver::Outcome::After(report))) => {
                self.world.happens(match (report.rotation.is_finished(), &report.rotation.state) {
                    (true, _) => "rotated",
                    (_, State::Grace { .. }) => "a grace period",
                    _ => "rotation stopped",
                });
                self.tell_report("rotated", &report);
            }
            Some(Ok(driver::Outcome::Shown(..))) => return Err("a secret for a file was shown".into()),
            Some(Err(problem)) => self.machine.tell(format_args!("    not rotated: {}", problem.title)),
            None => {}
        }
        Ok(())
    }

    fn tell_report(&self, what: &str, report: &driver::RotationReport) {
        let problem = report.problem.as_ref().map_or_else(String::new, Problem::words);
        self.machine.tell(format_args!("    {what}: {}; {problem}", report.rotation.state.word()));
    }

    /// Never is an old key ended without a secret of a valid successor in its file, nor before its grace period is over.
    async fn check_rotated(&self) -> Checked {
        if self.begun.is_empty() {
            return Ok(());
        }
        let truth = self.truth().await;
        let by_others = |id: &str| self.ended_by_others.contains(id) || self.to_invalidate.contains(id);
        for begun in &self.begun {
            let old = begun.old.as_str();
            if truth.get(old).is_none_or(is_valid) || by_others(old) {
                continue;
            }
            // One key may be rotated more than once: only one of these ended it, and has the secret.
            let mut why = format!("{old} was ended, and no secret is in its file");
            let mut is_kept = false;
            for same in self.begun.iter().filter(|same| same.old == begun.old) {
                for place in &same.places {
                    let Some((id, secret)) = destination::in_file(place).ok().flatten() else { continue };
                    let Some(new) = truth.get(id.as_str()) else { continue };
                    let ended_later =
                        !is_valid(new) && (by_others(id.as_str()) || self.begun.iter().any(|later| later.old == id));
                    if !(self.world.works(&id, &secret).await || ended_later) {
                        why = format!("{old} was ended, and the secret of {id} does not work");
                        continue;
                    }
                    let both = millis(&truth[old]["invalidation"]) - millis(&new["creation"]);
                    if both < same.grace.as_millis() {
                        why = format!("{old} was ended {both} ms after {id} was made, in its grace period");
                        continue;
                    }
                    is_kept = true;
                }
            }
            ensure!(is_kept, "{why}");
        }
        Ok(())
    }

    async fn interfere(&mut self) {
        let Some(id) = self.some_keys(1).pop() else { return };
        if self.roll(2) == 0 {
            self.world.second_officer(reqwest::Method::DELETE, "/_security/api_key", json!({ "ids": [id] })).await;
            self.ended_by_others.insert(id.to_string());
        } else {
            let metadata = json!({ "metadata": { "theirs": self.roll(100) } });
            let truth = self.truth().await;
            if is_valid(&truth[id.as_str()]) && truth[id.as_str()]["username"] == "elastic" {
                let path = format!("/_security/api_key/{id}");
                self.world.second_officer(reqwest::Method::PUT, &path, metadata).await;
            }
        }
    }

    async fn read_only(&mut self, session: &Session) -> Checked {
        let (before, ids) = (self.machine.writes.load(Ordering::Relaxed), self.some_keys(3));
        let (stop, journal, what) = (AtomicBool::new(false), self.journal(), self.shipment());
        self.until_crash(async {
            invalidate::invalidate(session, &ids, false, &stop, |_| ()).await;
            let change = KeyUpdate { expiration: None, ..KeyUpdate::default() };
            update::update(session, &ids, &change).await;
            let _ = ship::ship(session, &journal, &what, |_| ()).await;
        })
        .await;
        ensure!(self.machine.writes.load(Ordering::Relaxed) == before, "a read-only connection has sent a write");
        Ok(())
    }

    fn shipment(&self) -> Shipment {
        Shipment { index: self.index(), since: None, even_broken: false }
    }

    async fn ship(&mut self, session: &Session) -> Checked {
        let (journal, what) = (self.journal(), self.shipment());
        let before = self.world.documents(&self.index()).await.len();
        let said = self.until_crash(ship::ship(session, &journal, &what, |_| ())).await;
        let after = self.world.documents(&self.index()).await;
        match said {
            Some(Ok(shipped)) => {
                let told = shipped.shipped + shipped.checkpoints;
                // What was sent without an answer may be there without being counted, or be there before it is counted.
                ensure!(told <= (after.len() - before) as u64, "{told} are said to be new, there were {before}");
                if shipped.ended_by.is_none() {
                    let all = shipped.shipped + shipped.already_there;
                    let entries = after.iter().filter(|(_, text)| text["keybearer"]["phase"] != "checkpoint").count();
                    ensure!(all == entries as u64 && shipped.failed.is_empty(), "{shipped:?}, {entries} are there");
                }
                let is_cut = shipped.ended_by.is_some();
                self.world.happens(if is_cut { "shipping cut short" } else { "shipped" });
                self.machine.tell(format_args!("    {} shipped, cut short: {is_cut}", shipped.shipped));
            }
            Some(Err(NotShipped::Broken(report))) => {
                ensure!(self.is_only_torn(&report), "the journal has a fault: {:?}", report.faults);
                self.world.happens("not shipped: torn");
            }
            Some(Err(NotShipped::Problem(problem))) => self.machine.tell(format_args!("    {}", problem.title)),
            None => self.world.happens("shipping and a power failure"),
        }
        self.check_shipped().await
    }

    /// What is in the index is in the journal, each entry once, and of each file no entry before one that is there is
    /// missing.
    async fn check_shipped(&self) -> Checked {
        let there = self.world.documents(&self.index()).await;
        let ids: BTreeSet<&str> = there.iter().map(|(id, _)| id.as_str()).collect();
        ensure!(ids.len() == there.len(), "an entry is in the index more than once");
        let mut known = BTreeSet::new();
        for file in self.files() {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let hashes: Vec<String> =
                text.lines().filter_map(|line| journal::verify::read(line).ok()).map(|entry| entry.hash).collect();
            let shipped: Vec<bool> = hashes.iter().map(|hash| ids.contains(hash.as_str())).collect();
            ensure!(shipped.is_sorted_by(|a, b| a >= b), "what was shipped of {file:?} is no prefix: {shipped:?}");
            known.extend(hashes);
        }
        let is_entry = |text: &Value| text["keybearer"]["phase"] != "checkpoint";
        for (id, text) in there.iter().filter(|(_, text)| is_entry(text)) {
            ensure!(known.contains(id), "{text} was shipped, and the journal has lost it");
        }
        Ok(())
    }

    fn files(&self) -> Vec<PathBuf> {
        self.journal().files().unwrap_or_default()
    }

    fn journal_text(&self) -> String {
        self.files().iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect()
    }

    fn open_intents(&self) -> Vec<String> {
        let report = self.journal().check(|_, _| ()).unwrap();
        report.open.iter().map(|intent| format!("{} {:?} {:?}", intent.action, intent.keys, intent.request)).collect()
    }

    /// Whether all that is wrong with the journal is the unfinished line that a power failure left at its end.
    fn is_only_torn(&self, report: &keybearer::store::journal::Report) -> bool {
        let last = self.files().pop().unwrap_or_default();
        let lines = fs::read(&last).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        report.faults.iter().all(|fault| {
            matches!(fault.fault, journal::verify::Fault::Unreadable) && fault.file == last && fault.line == lines + 1
        })
    }

    fn check_journal(&self) -> Checked {
        if let Some(wrong) = self.machine.wrong.lock().unwrap().first() {
            return Err(wrong.clone());
        }
        let report = self.journal().check(|_, _| ()).unwrap();
        ensure!(self.is_only_torn(&report), "the journal has a fault: {}", report.faults[0]);
        let listing = self.rotations().all().unwrap();
        ensure!(listing.unreadable.is_empty(), "a rotation can't be read: {:?}", listing.unreadable);
        Ok(())
    }

    /// Goes on with all rotations that are not finished. Returns how many wait for a short time only.
    async fn resume(&mut self, session: &Session, round: usize) -> Checked {
        for known in self.rotations().all().unwrap().rotations {
            if known.is_finished() {
                continue;
            }
            let Ok(guard) = rotation::take(&self.rotations(), &known.id) else { continue };
            let again = self.root.join(format!("secret-again-{}-{}", known.id, self.roll(1 << 30)));
            // Where there is a secret its file stays, and a person who has none says so in the end.
            let Destination::File { path } = &known.place else { return Err("a rotation lost its place".into()) };
            let has_it = destination::in_file(path).ok().flatten().is_some();
            let have = match has_it || round < STEPS {
                true => driver::SecretConfirmation::Unsaid,
                false => driver::SecretConfirmation::Not,
            };
            let is_handed_over = matches!(known.next(Timestamp::EPOCH), Next::Make);
            let have = if is_handed_over { have } else { driver::SecretConfirmation::Unsaid };
            let file = (is_handed_over && !has_it).then(|| again.clone());
            if let Some(begun) = self.begun.iter_mut().find(|begun| begun.places.contains(path)) {
                begun.places.extend(file.clone());
            }
            let answers = driver::Answers { have, file, person: Destination::Stdout };
            match self.until_crash(driver::resume(session, guard, answers, &mut Hurried)).await {
                Some(Ok(driver::Outcome::After(report))) => {
                    let is_finished = report.rotation.is_finished();
                    self.world.happens(if is_finished { "resumed to its end" } else { "resumed" });
                    self.tell_report("resumed", &report);
                }
                Some(Ok(driver::Outcome::Shown(..))) => return Err("a secret for a file was shown".into()),
                Some(Err(problem)) => self.machine.tell(format_args!("    not resumed: {}", problem.words())),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// The line holds, and what was interrupted is resumed: after that nothing is left open.
    async fn recover(&mut self) -> Checked {
        self.machine.tell(format_args!("  recovery"));
        if self.roll(2) == 0 {
            self.machine.clock.store(0, Ordering::Relaxed);
        }
        let session = self.session("officer", Protection::None).await;
        for round in 0..3 {
            self.resume(&session, STEPS + round).await?;
            let soon = clock::now() + TimeDelta::from_secs(5);
            let waits = |rotation: &Rotation| rotation.due().is_some_and(|due| due < soon);
            if self.rotations().all().unwrap().rotations.iter().any(waits) {
                tokio::time::sleep(Duration::from_millis(1100)).await;
            }
        }
        self.check_rotated().await?;
        self.check_journal()?;
        self.check_strays().await?;
        self.ship_the_rest().await
    }

    /// Nothing that was shipped before is lost or doubled, and the rest follows.
    async fn ship_the_rest(&mut self) -> Checked {
        if self.world.documents(&self.index()).await.is_empty() && self.roll(4) > 0 {
            return Ok(());
        }
        let session = self.session("elastic", Protection::None).await;
        let what = Shipment { even_broken: true, ..self.shipment() };
        let ship = || async {
            let shipped = ship::ship(&session, &self.journal(), &what, |_| ()).await;
            shipped.map_err(|_| "the journal could not be shipped in the end".to_owned())
        };
        let mut shipped = ship().await?;
        // A busy machine may need more than one try.
        for _ in 0..20 {
            if shipped.ended_by.is_some() {
                shipped = ship().await?;
            }
        }
        ensure!(shipped.ended_by.is_none() && shipped.failed.is_empty(), "shipping ended with {shipped:?}");
        self.check_shipped().await?;
        let there = self.world.documents(&self.index()).await;
        let entries = there.iter().filter(|(_, text)| text["keybearer"]["phase"] != "checkpoint").count();
        let lines = self.journal_text().lines().filter(|line| journal::verify::read(line).is_ok()).count();
        ensure!(entries == lines, "{entries} of {lines} entries are in the index in the end");
        self.world.drop_index(&self.index()).await;
        Ok(())
    }

    /// Every valid key is one that the machine knows of: made by it, in a file, or named by a rotation or an intent. A
    /// successor's secret was given over, or its rotation still says that it is to be asked for.
    async fn check_strays(&self) -> Checked {
        let rotations = self.rotations().all().unwrap().rotations;
        let intents = self.open_intents().concat();
        for (id, key) in self.truth().await.into_iter().filter(|(_, key)| is_valid(key)) {
            let name = key["name"].as_str().unwrap_or_default();
            let request = key["metadata"]["request_id"].as_str().unwrap_or("none");
            let is_known = self.keys.iter().any(|known| known.as_str() == id) || self.twins.contains(&id);
            let open = rotations.iter().filter(|rotation| !rotation.is_finished());
            let is_open = open.clone().any(|rotation| rotation.requests.iter().any(|own| own == request));
            let mut is_kept = false;
            for place in self.begun.iter().flat_map(|begun| &begun.places) {
                is_kept |= matches!(destination::in_file(place), Ok(Some((kept, _))) if kept.as_str() == id);
            }
            ensure!(
                is_known || is_kept || is_open || intents.contains(name) && key["metadata"]["rotated_from"].is_null(),
                "{id} ({name}) is valid, its secret was given to nobody, and nothing here asks for it"
            );
        }
        Ok(())
    }
}
