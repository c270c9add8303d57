//! Officers at work on a line that drops, cuts and delays, on a machine that crashes, beside a second officer: one seed
//! is one life of a machine. Whatever happens, what is said of a key is true, and nothing is lost.
//!
//! `KEYBEARER_SIMULATION=20000` runs that many seeds, and `KEYBEARER_SIMULATION=seed:17` the one of that number, with
//! every step told. A seed decides everything but the time that requests take on a busy machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use keybearer::{
    model::{
        Timestamp,
        api_key::KeyId,
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            protection::Protection,
            proxy::ProxyRule,
        },
        create::{Draft, RightsChoice, Surroundings},
        journal,
        rotation::{Destination, Rotation, State},
        secret::Secret,
        update::KeyUpdate,
        version::Edition,
    },
    ops::{
        Outcome, Session,
        connections::connect,
        create::{self, CreateError},
        invalidate,
        keys::last_use::{NotKnown, Uses},
        rotation::{
            self, Consent, CreatedSuccessor, Delivery, EndPlan, Interaction, OpenDestination, RotationOptions,
            RotationProgress, destination, driver,
        },
        update,
    },
    sandbox::{Options, Sandbox},
    store::{journal::Journal, rotation::Rotations},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Number of seeds of an ordinary run, and how many live at the same time.
const SEEDS: u64 = 64;
const AT_ONCE: usize = 96;
/// Number of steps of a life.
const STEPS: usize = 7;
/// Time limit of a request: longer than the cluster takes, shorter than a delay.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Numbers that follow from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Holds,
    /// It never reaches the cluster.
    CutBefore,
    /// The cluster carries it out, and the answer is lost.
    CutAfter,
    /// The cluster carries it out, and only a part of the answer comes.
    Torn,
    /// The answer comes later than anybody waits.
    Late,
    /// A gateway answers in place of the cluster.
    Gateway,
}

/// The line of one machine.
struct Machine {
    dice: Mutex<Dice>,
    /// One request in so many meets with something; 0 for none.
    odds: AtomicUsize,
    /// Number of requests until the machine crashes; it does so before or after the cluster hears of that one.
    until_crash: AtomicUsize,
    crashed: tokio::sync::Notify,
    journal: PathBuf,
    /// Number of writes that reached the cluster, and what was wrong with one.
    writes: AtomicUsize,
    wrong: Mutex<Vec<String>>,
    story: Mutex<String>,
}

impl Machine {
    fn tell(&self, what: std::fmt::Arguments<'_>) {
        let _ = writeln!(self.story.lock().unwrap(), "{what}");
    }

    fn line(&self) -> Line {
        let odds = self.odds.load(Ordering::Relaxed);
        let mut dice = self.dice.lock().unwrap();
        if odds == 0 || !dice.one_in(odds) {
            return Line::Holds;
        }
        [Line::CutBefore, Line::CutAfter, Line::Torn, Line::Late, Line::Gateway][dice.below(5)]
    }

    /// Nothing is sent that is not in the journal: the request has an intent there that names it.
    fn check_intent(&self, path: &str, body: &str) {
        let mut open: BTreeMap<String, Value> = BTreeMap::new();
        for file in fs::read_dir(&self.journal).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if file.extension().is_none_or(|end| end != "jsonl") {
                continue;
            }
            for line in fs::read_to_string(file).unwrap_or_default().lines() {
                let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
                match value["keybearer"]["intent"].as_str() {
                    Some(intent) => drop(open.remove(intent)),
                    None => drop(open.insert(value["event"]["id"].as_str().unwrap_or_default().to_owned(), value)),
                }
            }
        }
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let mut wanted: Vec<String> = Vec::new();
        wanted.extend(body["name"].as_str().map(str::to_owned));
        wanted.extend(body["ids"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
        let last = path.rsplit('/').next().unwrap_or_default();
        if !matches!(last, "api_key" | "_bulk_update") {
            wanted.push(last.to_owned());
        }
        let covers = |intent: &Value| {
            let text = intent["keybearer"].to_string();
            wanted.iter().all(|wanted| text.contains(wanted.as_str()))
        };
        if wanted.is_empty() || !open.values().any(covers) {
            self.wrong.lock().unwrap().push(format!("{path} was sent without an intent that names {wanted:?}"));
        }
    }
}

/// The practice cluster, and the lines of all machines to it, told apart by the first segment of the path.
struct World {
    sandbox: Sandbox,
    http: reqwest::Client,
    address: std::net::SocketAddr,
    machines: Mutex<BTreeMap<String, Arc<Machine>>>,
    /// How often each thing happened, over all lives.
    happened: Mutex<BTreeMap<String, usize>>,
}

/// What has to happen in a run of [`SEEDS`] lives: one without it would show nothing.
const HAPPENS: [&str; 15] = [
    "a line: CutBefore",
    "a line: CutAfter",
    "a line: Torn",
    "a line: Late",
    "a line: Gateway",
    "a crash",
    "a torn journal",
    "created",
    "creation refused",
    "creation lost, key there",
    "creation crashed, key there",
    "done",
    "not known",
    "rotated",
    "resumed to its end",
];

fn is_write(method: &str, path: &str) -> bool {
    method != "GET" && !path.contains("_query") && !path.contains("_has_privileges") && !path.contains("_search")
}

impl World {
    async fn start() -> Arc<Self> {
        let sandbox = Sandbox::start(Options { port: 0, keys: 0, ..Options::default() }).await.unwrap();
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).no_gzip().no_proxy().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let world = Arc::new(Self { sandbox, http, address, machines: Mutex::default(), happened: Mutex::default() });
        let served = Arc::clone(&world);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let world = Arc::clone(&served);
                let service = service_fn(move |request| {
                    let world = Arc::clone(&world);
                    async move { world.carry(request).await }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        world
    }

    async fn carry(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let cut = || Err(std::io::Error::other("cut"));
        let (parts, body) = request.into_parts();
        let whole = parts.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        let (name, path) = whole[1..].split_once('/').unwrap_or((&whole[1..], ""));
        let machine = self.machines.lock().unwrap().get(name).cloned();
        let (Some(machine), path) = (machine, format!("/{path}")) else { return cut() };
        let Ok(body) = body.collect().await else { return cut() };
        let body = String::from_utf8(body.to_bytes().to_vec()).unwrap_or_default();
        let mut line = machine.line();
        let bare = path.split('?').next().unwrap_or_default().to_owned();
        let is_crash =
            machine.until_crash.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)) == Ok(1);
        if is_crash {
            line = if machine.dice.lock().unwrap().one_in(2) { Line::CutBefore } else { Line::CutAfter };
        }
        if line != Line::Holds {
            self.happens(if is_crash { "a crash".to_owned() } else { format!("a line: {line:?}") });
            machine.tell(format_args!(
                "    {} {bare}: {line:?}{}",
                parts.method,
                if is_crash { ", crash" } else { "" }
            ));
        }
        let mut answer = Err(std::io::Error::other("cut"));
        if !matches!(line, Line::CutBefore | Line::Gateway) {
            if is_write(parts.method.as_str(), &path) {
                machine.writes.fetch_add(1, Ordering::Relaxed);
                machine.check_intent(&bare, &body);
            }
            answer = self.forward(&parts, &path, body).await;
        }
        if is_crash {
            machine.crashed.notify_one();
            std::future::pending::<Infallible>().await;
        }
        match line {
            Line::CutBefore | Line::CutAfter => cut(),
            Line::Gateway => {
                let page = Bytes::from_static(b"<html>Bad Gateway</html>");
                Ok(Response::builder().status(502).header("content-type", "text/html").body(Full::new(page)).unwrap())
            }
            Line::Late => {
                tokio::time::sleep(TIMEOUT * 2).await;
                answer
            }
            Line::Torn => answer.map(|answer| {
                let (parts, body) = answer.into_parts();
                drop(body);
                Response::from_parts(parts, Full::new(Bytes::from_static(b"{\"id\":\"")))
            }),
            Line::Holds => answer,
        }
    }

    async fn forward(
        &self,
        parts: &hyper::http::request::Parts,
        path: &str,
        body: String,
    ) -> Result<Response<Full<Bytes>>, std::io::Error> {
        let url = format!("{}{path}", self.sandbox.url());
        let mut request = self.http.request(parts.method.clone(), url).body(body);
        for name in ["authorization", "content-type", "accept"] {
            if let Some(value) = parts.headers.get(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.send().await.map_err(std::io::Error::other)?;
        let mut response = Response::builder().status(answer.status());
        for name in ["content-type", "x-elastic-product", "date"] {
            if let Some(value) = answer.headers().get(name) {
                response = response.header(name, value);
            }
        }
        Ok(response.body(Full::new(answer.bytes().await.map_err(std::io::Error::other)?)).unwrap())
    }

    fn happens(&self, what: impl Into<String>) {
        *self.happened.lock().unwrap().entry(what.into()).or_default() += 1;
    }

    /// What the cluster itself knows of the keys whose names begin so, by id: the object of its answer.
    async fn truth(&self, prefix: &str) -> BTreeMap<String, Value> {
        let url = format!("{}/_security/api_key?name={prefix}*", self.sandbox.url());
        let answer = self.http.get(url).basic_auth("elastic", Some("elastic-password")).send().await.unwrap();
        let text: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let keys = text["api_keys"].as_array().cloned().unwrap_or_default();
        keys.into_iter().map(|key| (key["id"].as_str().unwrap().to_owned(), key)).collect()
    }

    async fn second_officer(&self, method: reqwest::Method, path: &str, body: Value) {
        let url = format!("{}{path}", self.sandbox.url());
        let request = self.http.request(method, url).basic_auth("elastic", Some("elastic-password"));
        let sent = request.header("content-type", "application/json").body(body.to_string());
        assert!(sent.send().await.unwrap().status().is_success());
    }

    async fn works(&self, id: &KeyId, secret: &Secret) -> bool {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let encoded = STANDARD.encode(format!("{id}:{}", secret.expose()));
        let request = self.http.get(format!("{}/_security/_authenticate", self.sandbox.url()));
        request.header("authorization", format!("ApiKey {encoded}")).send().await.unwrap().status().is_success()
    }
}

fn is_valid(key: &Value) -> bool {
    key["invalidated"] == json!(false)
}

/// Answers every question as a person in a hurry would.
struct Hurried;

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

/// One life: a machine, what it believes, and what is checked of it.
struct Life {
    world: Arc<World>,
    machine: Arc<Machine>,
    name: String,
    folder: tempfile::TempDir,
    /// Keys that this machine was told to have made.
    keys: Vec<KeyId>,
    /// Keys that the second officer ended.
    ended_by_others: BTreeSet<String>,
    /// Names of keys of which it is not known whether they were made.
    count: usize,
}

type Checked = Result<(), String>;

macro_rules! ensure {
    ($what:expr, $($words:tt)+) => {
        if !$what {
            return Err(format!($($words)+));
        }
    };
}

impl Life {
    fn new(world: &Arc<World>, seed: u64) -> Self {
        let folder = tempfile::Builder::new().tempdir_in(memory_folder()).unwrap();
        let machine = Arc::new(Machine {
            dice: Mutex::new(Dice(seed)),
            odds: AtomicUsize::new(0),
            until_crash: AtomicUsize::new(0),
            crashed: tokio::sync::Notify::new(),
            journal: folder.path().join("journal"),
            writes: AtomicUsize::new(0),
            wrong: Mutex::default(),
            story: Mutex::default(),
        });
        let name = format!("s{seed}");
        world.machines.lock().unwrap().insert(name.clone(), Arc::clone(&machine));
        let (world, keys) = (Arc::clone(world), Vec::new());
        Self { world, machine, name, folder, keys, ended_by_others: BTreeSet::new(), count: 0 }
    }

    fn roll(&self, end: usize) -> usize {
        self.machine.dice.lock().unwrap().below(end)
    }

    fn rotations(&self) -> Rotations {
        Rotations::at(self.folder.path().join("rotations"))
    }

    async fn session(&self, protection: Protection) -> Session {
        let url = format!("http://{}/{}", self.world.address, self.name);
        let login = Login::Password { username: "officer".into(), password: Secret::new("officer-password") };
        let endpoint = Endpoint {
            timeout: TIMEOUT,
            proxy: ProxyRule::Direct,
            protection,
            ..Endpoint::new(ClusterUrl::parse(&url).unwrap(), login)
        };
        // The line holds while somebody connects.
        let odds = self.machine.odds.swap(0, Ordering::Relaxed);
        let crash = self.machine.until_crash.swap(0, Ordering::Relaxed);
        // A busy machine may need more than one try.
        let mut session = connect::connect(&endpoint).await;
        for _ in 0..20 {
            if session.is_err() {
                session = connect::connect(&endpoint).await;
            }
        }
        let session = session.unwrap();
        self.machine.odds.store(odds, Ordering::Relaxed);
        self.machine.until_crash.store(crash, Ordering::Relaxed);
        session.with_journal(Journal::at(self.machine.journal.clone()))
    }

    async fn truth(&self) -> BTreeMap<String, Value> {
        // Not `s1` for `s17`.
        self.world.truth(&format!("{}-", self.name)).await
    }

    fn fresh_name(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.name, self.count)
    }

    async fn live(&mut self) -> Checked {
        self.machine.odds.store([0, 4, 8, 16][self.roll(4)], Ordering::Relaxed);
        let mut session = self.session(Protection::None).await;
        for step in 0..STEPS {
            let crash = if self.roll(4) == 0 { 1 + self.roll(9) } else { 0 };
            self.machine.until_crash.store(crash, Ordering::Relaxed);
            let what = self.roll(10);
            self.machine.tell(format_args!("  step {step}: {what}, crash at request {crash}"));
            match what {
                0..=2 => self.create(&session).await?,
                3 => self.update(&session).await?,
                4 | 5 => self.invalidate(&session).await?,
                6 | 7 => self.rotate(&session).await?,
                8 => self.interfere().await,
                _ => self.read_only().await?,
            }
            let has_crashed = crash > 0 && self.machine.until_crash.swap(0, Ordering::Relaxed) == 0;
            if has_crashed {
                self.restart().await;
                session = self.session(Protection::None).await;
            }
            self.check_journal()?;
        }
        self.recover().await
    }

    /// Runs something until it ends or the machine crashes.
    async fn until_crash<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.machine.crashed.notified() => None,
        }
    }

    async fn create(&mut self, session: &Session) -> Checked {
        let name = self.fresh_name();
        let draft =
            Draft { name: name.clone(), rights: RightsChoice::Nothing, expiration: "30d".into(), ..Draft::default() };
        let around = Surroundings {
            now: Timestamp::EPOCH,
            zone: &jiff::tz::TimeZone::UTC,
            roles: None,
            edition: Edition::Unknown,
            by_api_key: false,
        };
        let request = draft.check(around, &format!("request-{name}")).unwrap();
        let said = self.until_crash(create::create(session, &request)).await;
        let there: Vec<String> =
            self.truth().await.into_iter().filter(|(_, key)| key["name"] == name.as_str()).map(|(id, _)| id).collect();
        ensure!(there.len() <= 1, "{name} was made {} times", there.len());
        match said {
            Some(Ok(made)) => {
                ensure!(there == [made.id.as_str()], "{} was reported, {there:?} is there", made.id);
                ensure!(self.world.works(&made.id, &made.secret).await, "the secret of {} does not work", made.id);
                self.keys.push(made.id);
                self.world.happens("created");
            }
            Some(Err(CreateError::Refused(error))) => {
                ensure!(there.is_empty(), "{there:?} is there, but was said not to be: {error}");
                self.world.happens("creation refused");
            }
            Some(Err(CreateError::Lost(lost))) => {
                let named = lost.ours().iter().chain(lost.found.iter().flat_map(|found| &found.perhaps));
                let named: Vec<&str> = named.map(|key| key.id.as_str()).collect();
                let is_known = lost.found.is_ok();
                ensure!(!is_known || named == there, "{there:?} is there, {named:?} was reported");
                self.world.happens(if there.is_empty() {
                    "creation lost, none there"
                } else {
                    "creation lost, key there"
                });
                self.keys.extend(there.into_iter().map(KeyId::new));
            }
            None => {
                // Whatever is there has an intent without an outcome.
                let is_named = self.open_intents().iter().any(|intent| intent.contains(&name));
                ensure!(there.is_empty() || is_named, "{there:?} was left behind by a crash, and no intent names it");
                if !there.is_empty() {
                    self.world.happens("creation crashed, key there");
                }
                self.keys.extend(there.into_iter().map(KeyId::new));
            }
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
        let before = self.truth().await;
        let stop = AtomicBool::new(false);
        let said = self.until_crash(invalidate::invalidate(session, &ids, false, &stop, |_| ())).await;
        let after = self.truth().await;
        let Some(outcome) = said else {
            let changed = ids.iter().filter(|id| is_valid(&before[id.as_str()]) && !is_valid(&after[id.as_str()]));
            let intents = self.open_intents();
            for id in changed {
                let is_named = intents.iter().any(|intent| intent.contains(id.as_str()));
                ensure!(is_named, "{id} was invalidated before a crash, and no open intent names it");
            }
            return Ok(());
        };
        self.check_outcome(&ids, &outcome, |id| !is_valid(&after[id.as_str()]), |id| !is_valid(&before[id.as_str()]))
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
        let mark = format!("{}-{}", self.name, self.roll(1 << 30));
        let metadata = serde_json::value::to_raw_value(&json!({ "mark": mark })).unwrap();
        let change = KeyUpdate { metadata: Some(metadata), ..KeyUpdate::default() };
        let said = self.until_crash(update::update(session, &ids, &change)).await;
        let after = self.truth().await;
        let is_done = |id: &KeyId| after[id.as_str()]["metadata"]["mark"] == mark.as_str();
        let Some(outcome) = said else {
            let intents = self.open_intents();
            for id in ids.iter().filter(|id| is_done(id)) {
                let is_named = intents.iter().any(|intent| intent.contains(id.as_str()));
                ensure!(is_named, "{id} was updated before a crash, and no open intent names it");
            }
            return Ok(());
        };
        self.check_outcome(&ids, &outcome, is_done, |_| false)
    }

    async fn rotate(&mut self, session: &Session) -> Checked {
        let Some(old) = self.some_keys(1).pop() else { return Ok(()) };
        let known = self.rotations().all().unwrap().rotations;
        let options = RotationOptions::default();
        let place = self.folder.path().join(format!("{old}-{}", self.roll(1 << 30)));
        let rotations = self.rotations();
        let work = async {
            let plan = rotation::plan(session, &known, &old, &options).await?;
            let destination = OpenDestination::file(&place)
                .map_err(|error| keybearer::ops::Problem::new("no file", &error.to_string()))?;
            driver::start(session, &rotations, &plan, Consent::default(), destination, None, &mut Hurried).await
        };
        match self.until_crash(work).await {
            Some(Ok(driver::Outcome::After(report))) => {
                self.world.happens(if report.rotation.is_finished() { "rotated" } else { "rotation stopped" });
                self.tell_report("rotated", &report);
            }
            Some(Ok(driver::Outcome::Shown(..))) => return Err("a secret for a file was shown".into()),
            Some(Err(problem)) => self.machine.tell(format_args!("    {old}: {}", problem.words())),
            None => {}
        }
        self.check_rotated().await
    }

    fn tell_report(&self, what: &str, report: &driver::RotationReport) {
        let problem = report.problem.as_ref().map_or_else(String::new, keybearer::ops::Problem::words);
        self.machine
            .tell(format_args!("    {what} {}: {:?}; {problem}", report.rotation.old.id, report.rotation.state));
    }

    /// Never is an old key ended without a secret of a valid successor in its file.
    async fn check_rotated(&mut self) -> Checked {
        let truth = self.truth().await;
        for rotation in self.rotations().all().unwrap().rotations {
            let old = rotation.old.id.clone();
            if !matches!(rotation.state, State::Ending { .. } | State::Done { .. }) {
                continue;
            }
            let Destination::File { path } = &rotation.place else { continue };
            let (id, secret) = destination::in_file(path)
                .ok()
                .flatten()
                .ok_or(format!("{old} was ended, and no secret is in its file"))?;
            let ended = self.ended_by_others.contains(id.as_str());
            let is_ended_later = truth.get(id.as_str()).is_some_and(|key| !is_valid(key));
            let works = self.world.works(&id, &secret).await;
            ensure!(works || ended || is_ended_later, "{old} was ended, and the secret of {id} does not work");
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

    async fn read_only(&mut self) -> Checked {
        let session = self.session(Protection::ReadOnly).await;
        let (before, ids) = (self.machine.writes.load(Ordering::Relaxed), self.some_keys(3));
        let stop = AtomicBool::new(false);
        self.until_crash(async {
            invalidate::invalidate(&session, &ids, false, &stop, |_| ()).await;
            let change = KeyUpdate { expiration: None, ..KeyUpdate::default() };
            update::update(&session, &ids, &change).await;
        })
        .await;
        ensure!(self.machine.writes.load(Ordering::Relaxed) == before, "a read-only connection has sent a write");
        Ok(())
    }

    /// What a crash leaves: the last line may be torn, if what it announced was never sent.
    async fn restart(&mut self) {
        self.machine.tell(format_args!("  restart"));
        // What was being written when the machine stopped is on the disk or not: the thread that writes has ended.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let torn = self.roll(3) == 0;
        if torn && let Ok(mut file) = fs::File::options().append(true).open(self.last_file()) {
            use std::io::Write as _;
            file.write_all(b"{\"@timestamp\":\"2026-11-30T2").unwrap();
            self.world.happens("a torn journal");
        }
    }

    fn last_file(&self) -> PathBuf {
        let files = fs::read_dir(&self.machine.journal).into_iter().flatten().flatten().map(|entry| entry.path());
        files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).max().unwrap_or_default()
    }

    fn open_intents(&self) -> Vec<String> {
        let journal = Journal::at(self.machine.journal.clone());
        let report = journal.check(|_, _| ()).unwrap();
        report.open.iter().map(|intent| format!("{} {:?} {:?}", intent.action, intent.keys, intent.request)).collect()
    }

    fn check_journal(&self) -> Checked {
        if let Some(wrong) = self.machine.wrong.lock().unwrap().first() {
            return Err(wrong.clone());
        }
        let report = Journal::at(self.machine.journal.clone()).check(|_, _| ()).unwrap();
        let is_torn = |fault: &keybearer::store::journal::FaultyLine| {
            matches!(fault.fault, journal::verify::Fault::Unreadable) && fault.line == report.lines
        };
        ensure!(report.faults.iter().all(is_torn), "the journal has a fault: {}", report.faults[0]);
        Ok(())
    }

    /// The line holds, and what was interrupted is resumed: after that nothing is left open.
    async fn recover(&mut self) -> Checked {
        self.machine.odds.store(0, Ordering::Relaxed);
        let session = self.session(Protection::None).await;
        for round in 0..3 {
            for known in self.rotations().all().unwrap().rotations {
                if known.is_finished() {
                    continue;
                }
                let Ok(guard) = rotation::take(&self.rotations(), &known.id) else { continue };
                let answers = driver::Answers {
                    have: driver::SecretConfirmation::Unsaid,
                    file: Some(self.folder.path().join(format!("again-{}-{round}", known.id))),
                    person: Destination::Stdout,
                };
                match driver::resume(&session, guard, answers, &mut Hurried).await {
                    Ok(driver::Outcome::After(report)) => {
                        self.world.happens(if report.rotation.is_finished() {
                            "resumed to its end"
                        } else {
                            "resumed"
                        });
                        self.tell_report("resumed", &report);
                    }
                    Ok(driver::Outcome::Shown(..)) => return Err("a secret for a file was shown".into()),
                    Err(problem) => {
                        self.machine.tell(format_args!("  not resumed {}: {}", known.old.id, problem.words()))
                    }
                }
            }
        }
        self.check_rotated().await?;
        self.check_journal()?;
        self.check_strays().await
    }

    /// Every valid key is one that the machine knows of: made by it, in a file, or named by a rotation or an intent.
    async fn check_strays(&self) -> Checked {
        let rotations = self.rotations().all().unwrap().rotations;
        let named: String = rotations.iter().map(|rotation| format!("{rotation:?}")).collect();
        let intents = self.open_intents().concat();
        for (id, key) in self.truth().await {
            let is_known = self.keys.iter().any(|known| known.as_str() == id);
            let name = key["name"].as_str().unwrap_or_default();
            let request = key["metadata"]["request_id"].as_str().unwrap_or("none");
            ensure!(
                !is_valid(&key) || is_known || named.contains(&id) || intents.contains(name) || named.contains(request),
                "{id} ({name}) is valid, and nothing here names it"
            );
        }
        Ok(())
    }
}

/// A folder in memory, so that waiting for the disk is not what takes time.
fn memory_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// Lives these seeds, and returns how often each thing happened.
async fn run(seeds: impl Iterator<Item = u64>, tells: bool) -> BTreeMap<String, usize> {
    let world = World::start().await;
    let mut seeds = seeds;
    let mut running = tokio::task::JoinSet::new();
    let mut failed = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            let world = Arc::clone(&world);
            running.spawn(async move {
                let mut life = Life::new(&world, seed);
                let result = life.live().await;
                world.machines.lock().unwrap().remove(&life.name);
                let story = life.machine.story.lock().unwrap().clone();
                if tells {
                    println!("{story}");
                }
                result.err().map(|words| format!("seed:{seed}: {words}\n{story}"))
            });
        }
        match running.join_next().await {
            None => break,
            Some(Ok(None)) => {}
            Some(Ok(Some(words))) => failed.push(words),
            Some(Err(panic)) => failed.push(format!("{panic}")),
        }
        if failed.len() >= 5 {
            break;
        }
    }
    let happened = world.happened.lock().unwrap().clone();
    println!("{happened:?}");
    assert!(failed.is_empty(), "{} lives went wrong:\n{}", failed.len(), failed.join("\n"));
    happened
}

#[test]
fn whatever_happens_on_the_way_what_is_said_of_a_key_is_true() {
    let chosen = std::env::var("KEYBEARER_SIMULATION").unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match chosen.strip_prefix("seed:") {
        Some(seed) => drop(runtime.block_on(run(std::iter::once(seed.parse().unwrap()), true))),
        None => {
            let count = if chosen.is_empty() { SEEDS } else { chosen.parse().unwrap() };
            let happened = runtime.block_on(run(0..count, false));
            for what in HAPPENS.iter().filter(|_| count >= SEEDS) {
                assert!(happened.contains_key(*what), "in {count} lives there was not once: {what}");
            }
        }
    }
}
