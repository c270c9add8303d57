//! A line that breaks, and something on it that lies: each verb of the command line under each fault at each of its
//! requests. What the program says, what its journal says and what the cluster holds must agree, or it must say that
//! it does not know. Some of the many combinations are drawn, always the same ones; `KEYBEARER_LYING_RUNS` draws more,
//! and `KEYBEARER_LYING_SEED` others.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use keybearer::{
    sandbox::{Options, Sandbox},
    store::journal::Journal,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    cli_practice::{Ran, folder, keybearer, run, text},
    cutting_proxy::{Cut, Fault, Proxy, Seen},
};

/// Runs where nobody asks for more.
const RUNS: usize = 500;
/// Runs at the same time; most of them wait.
const AT_ONCE: usize = 10;
/// Keys of one invalidation by a search.
const MANY: usize = 3;
/// Days until the end that is asked of keys, as a date.
const DAYS: i64 = 20;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Create,
    Grant,
    Clone,
    Update,
    Invalidate,
    InvalidateFound,
    Rotate,
    List,
    Expiring,
    Show,
}

const VERBS: [Verb; 10] = [
    Verb::Create,
    Verb::Grant,
    Verb::Clone,
    Verb::Update,
    Verb::Invalidate,
    Verb::InvalidateFound,
    Verb::Rotate,
    Verb::List,
    Verb::Expiring,
    Verb::Show,
];

/// Requests until one is signed in: from then on it is known which cluster is meant.
const SIGN_IN: usize = 3;

/// Faults at one request.
const FAULTS: [Fault; 36] = [
    Fault::Cut(Cut::Before),
    Fault::Cut(Cut::After),
    Fault::Cut(Cut::HoldBefore),
    Fault::Cut(Cut::HoldAfter),
    Fault::Refused(400),
    Fault::Refused(401),
    Fault::Refused(403),
    Fault::Refused(404),
    Fault::Refused(429),
    Fault::Refused(500),
    Fault::Refused(503),
    Fault::RefusedAfter(500),
    Fault::RefusedAfter(503),
    Fault::Page(403),
    Fault::Page(408),
    Fault::Page(502),
    Fault::PageAfter(401),
    Fault::PageAfter(403),
    Fault::PageAfter(404),
    Fault::PageAfter(408),
    Fault::PageAfter(413),
    Fault::PageAfter(429),
    Fault::PageAfter(502),
    Fault::Truncated(0),
    Fault::Truncated(50),
    Fault::Truncated(99),
    Fault::Body("{}"),
    Fault::Body("<html><title>Sign in</title></html>"),
    Fault::Body(""),
    Fault::DropRow,
    Fault::RowsValid,
    Fault::NamesNothing,
    Fault::MoreTotal(5),
    Fault::Total(0),
    Fault::DoubleRow,
    Fault::OtherUuid,
];

/// Faults that lose an answer, and those of all requests from the next one on.
const FIRST: [Fault; 4] =
    [Fault::Cut(Cut::After), Fault::RefusedAfter(503), Fault::PageAfter(504), Fault::Truncated(50)];
const THEN: [Fault; 7] = [
    Fault::Cut(Cut::Before),
    Fault::Refused(400),
    Fault::Refused(403),
    Fault::Refused(404),
    Fault::Page(403),
    Fault::RowsValid,
    Fault::OtherCluster,
];

/// Seconds by which the header `Date` is off; beyond five minutes nobody may count by it.
const DATES: [Option<i64>; 8] =
    [None, None, None, Some(0), Some(-10 * 366 * 86_400), Some(10 * 86_400), Some(222 * 366 * 86_400), Some(120)];

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    verb: Verb,
    at: usize,
    first: Fault,
    /// From the next request on.
    then: Option<Fault>,
    date: Option<i64>,
}

/// The requests of a verb when all goes well, and the numbers of those that change keys.
fn requests(place: &Place, number: usize, verb: Verb) -> (usize, Vec<usize>) {
    let calm = Trouble { verb, at: usize::MAX, first: Fault::DropRow, then: None, date: None };
    let seen = one(place, number, calm).unwrap_or_else(|why| panic!("{why}"));
    let changes = |seen: &&Seen| {
        let path = seen.path.split('?').next().unwrap_or_default();
        matches!(seen.method.as_str(), "DELETE" | "PUT")
            || seen.method == "POST" && path.starts_with("/_security/api_key")
    };
    (seen.len(), seen.iter().filter(changes).map(|seen| seen.number).collect())
}

/// Troubles in an order that a seed gives, by turns at a request that changes keys and at any other.
fn troubles(place: &Place, seed: u64) -> Vec<Trouble> {
    let (mut at_changes, mut elsewhere) = (Vec::new(), Vec::new());
    for (number, verb) in VERBS.into_iter().enumerate() {
        let (requests, changes) = requests(place, number, verb);
        assert_eq!(changes.is_empty(), matches!(verb, Verb::List | Verb::Expiring | Verb::Show), "{verb:?}");
        for at in 1..=requests + 1 {
            let alone = FAULTS.into_iter().map(|first| (first, None));
            let two = FIRST.into_iter().flat_map(|first| THEN.into_iter().map(move |then| (first, Some(then))));
            let other = [(Fault::OtherCluster, Some(Fault::OtherCluster))];
            let all = alone.chain(two).chain(other);
            // Who is signed in to the other cluster from the beginning means that one.
            let all = all.filter(|(_, then)| *then != Some(Fault::OtherCluster) || at >= SIGN_IN);
            let troubles = if changes.contains(&at) { &mut at_changes } else { &mut elsewhere };
            troubles.extend(all.map(|(first, then)| Trouble { verb, at, first, then, date: None }));
        }
    }
    let mut state = seed;
    let mut random = move |below: usize| {
        // SplitMix64: small, and the same everywhere.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    };
    for list in [&mut at_changes, &mut elsewhere] {
        for at in (1..list.len()).rev() {
            list.swap(at, random(at + 1));
        }
        list.iter_mut().for_each(|trouble| trouble.date = DATES[random(DATES.len())]);
    }
    let mut all = Vec::new();
    while !(at_changes.is_empty() && elsewhere.is_empty()) {
        all.extend(at_changes.pop());
        all.extend(elsewhere.pop());
    }
    all
}

/// A practice cluster with a line before it and another cluster beside it.
struct Place {
    runtime: Runtime,
    sandbox: Sandbox,
    _other: Sandbox,
    proxy: Proxy,
    http: reqwest::Client,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let start = || runtime.block_on(Sandbox::start(Options { port: 0, keys: 0, ..Options::default() })).unwrap();
        let (sandbox, other) = (start(), start());
        let proxy = Proxy::beside(&sandbox, &other);
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        Self { runtime, sandbox, _other: other, proxy, http, folder: folder() }
    }

    /// Asks the cluster itself, as the officer.
    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{}{path}", self.sandbox.url()));
        request = request.basic_auth("officer", Some("officer-password"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let text = self.runtime.block_on(async { request.send().await.unwrap().text().await.unwrap() });
        serde_json::from_str(&text).unwrap()
    }

    fn make(&self, name: &str) -> Value {
        let body = json!({ "name": name, "expiration": "30d", "role_descriptors": { "none": {} },
                           "metadata": { "team": "first" } });
        self.ask("POST", "/_security/api_key", Some(body))
    }

    /// The keys of this name as the cluster holds them.
    fn keys(&self, name: &str) -> Vec<Value> {
        let all = self.ask("GET", "/_security/api_key", None);
        let rows = all["api_keys"].as_array().cloned().unwrap_or_default();
        rows.into_iter().filter(|row| row["name"] == name).collect()
    }

    fn key(&self, id: &str) -> Value {
        self.ask("GET", &format!("/_security/api_key?id={id}"), None)["api_keys"][0].clone()
    }

    fn command(&self, number: usize, args: &[&str]) -> Command {
        let home = |what: &str| self.folder.path().join(format!("{what}-{number}"));
        let mut command = keybearer();
        command.env("KEYBEARER_JOURNAL", home("journal")).env("KEYBEARER_ROTATIONS", home("rotations"));
        command.env("ES_URL", self.proxy.url()).env("ES_USERNAME", "officer").env("ES_PASSWORD", "officer-password");
        command.args(["--timeout", "3"]).args(args);
        command
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        text(&path).to_owned()
    }
}

/// What a program says about the whole of what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Done,
    Failed,
    /// Not known, or not all of it.
    Open,
}

fn said(ran: &Ran) -> Said {
    match ran.code {
        Some(0) => Said::Done,
        Some(1 | 2) => Said::Failed,
        Some(3 | 4) => Said::Open,
        _ => panic!("{ran:?}"),
    }
}

/// The outcomes in the journal that no later entry of the same action corrects, and whether each intent has one.
fn journaled(folder: &Path) -> (Vec<keybearer::model::journal::Read>, bool) {
    let mut entries = Vec::new();
    let report = Journal::at(folder.to_owned()).check(|entry, _| entries.push(entry.clone())).unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    (entries.into_iter().filter(|entry| !entry.is_intent()).collect(), report.open.is_empty())
}

/// One run; gives the requests that came. An error tells where the three views differ.
fn one(place: &Place, number: usize, trouble: Trouble) -> Result<Vec<Seen>, String> {
    let Trouble { verb, at, first, then, date } = trouble;
    let name = format!("run-{number}");
    let before: Vec<Value> = match verb {
        Verb::Create | Verb::Grant => Vec::new(),
        Verb::InvalidateFound => (0..MANY).map(|_| place.make(&name)).collect(),
        _ => vec![place.make(&name)],
    };
    let id = before.first().map(|key| key["id"].as_str().unwrap().to_owned()).unwrap_or_default();
    let end = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * DAYS);
    let end = end.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let password = place.file("password", "ana-password");
    let encoded = before.first().and_then(|key| key["encoded"].as_str()).unwrap_or_default();
    let source = place.file("source", encoded);
    let count = MANY.to_string();
    let filter = format!("name:{name} expires:<60d");
    let of_name = format!("name:{name}");
    let args: Vec<&str> = match verb {
        Verb::Create => vec!["create", "--name", &name, "--no-rights", "--expiration", &end, "--output", "json"],
        Verb::Grant => vec![
            "grant",
            "--name",
            &name,
            "--for",
            "ana",
            "--password-file",
            &password,
            "--no-rights",
            "--expiration",
            &end,
            "--output",
            "json",
        ],
        Verb::Clone => vec!["clone", &id, "--source-file", &source, "--name", &name, "--output", "json"],
        Verb::Update => vec!["update", &id, "--set", "team=second", "--yes", "--output", "json"],
        Verb::Invalidate => vec!["invalidate", &id, "--yes", "--output", "json"],
        Verb::InvalidateFound => {
            vec!["invalidate", "--filter", &filter, "--count", &count, "--yes", "--output", "json"]
        }
        Verb::Rotate => vec!["rotate", &id, "--grace", "0s", "--yes", "--output", "json"],
        Verb::List => vec!["list", &of_name, "--output", "json"],
        Verb::Expiring => vec!["expiring", "--within", "60d", &of_name, "--output", "json"],
        Verb::Show => vec!["show", &id, "--output", "json"],
    };
    place.proxy.calm();
    place.proxy.skew(date);
    let from_then_on = then;
    place.proxy.when(move |seen: &Seen| seen.number == at, first);
    if let Some(then) = from_then_on {
        place.proxy.when(move |seen: &Seen| seen.number > at, then);
    }
    let ran = run(&mut place.command(number, &args));
    let seen = place.proxy.seen();
    place.proxy.calm();
    let journal = place.folder.path().join(format!("journal-{number}"));
    let (outcomes, is_closed) = journaled(&journal);
    let view = View { place, name: &name, before: &before, id: &id, end: &end, ran: &ran, outcomes: &outcomes };
    let judged = match verb {
        Verb::Create | Verb::Grant | Verb::Clone => view.made(verb == Verb::Clone),
        Verb::Update => view.updated(),
        Verb::Invalidate | Verb::InvalidateFound => view.invalidated(),
        Verb::Rotate => view.rotated(),
        Verb::List | Verb::Expiring | Verb::Show => view.read(),
    };
    let judged = judged.and_then(|()| if is_closed { Ok(()) } else { Err("an intent has no outcome".into()) });
    judged.map(|()| seen).map_err(|why| format!("{trouble:?}: {why}\n  {ran:?}\n  journal: {outcomes:?}"))
}

/// The three views of a run.
struct View<'a> {
    place: &'a Place,
    name: &'a str,
    before: &'a [Value],
    id: &'a str,
    end: &'a str,
    ran: &'a Ran,
    outcomes: &'a [keybearer::model::journal::Read],
}

impl View<'_> {
    fn says(&self, words: &str) -> bool {
        self.ran.err.contains(words) || self.ran.out.contains(words)
    }

    /// The verdict that the journal gives last.
    fn verdict(&self) -> &str {
        self.outcomes.last().map_or("nothing", |entry| entry.outcome.as_str())
    }

    fn made(&self, is_copy: bool) -> Result<(), String> {
        let keys = self.place.keys(self.name);
        let new: Vec<&Value> = keys.iter().filter(|key| key["id"] != self.id).collect();
        if new.len() > 1 {
            return Err("it was made twice".into());
        }
        let said = said(self.ran);
        let told: Value = serde_json::from_str(&self.ran.out).unwrap_or_default();
        match (said, new.first()) {
            (Said::Done, None) => return Err("done is said, and there is no key".into()),
            (Said::Done, Some(key)) if told["id"] != key["id"] || told["api_key"].as_str().is_none() => {
                return Err("done is said, and the secret is not handed over".into());
            }
            (Said::Done, Some(key)) if !is_copy => {
                let asked: jiff::Timestamp = self.end.parse().unwrap();
                let off = key["expiration"].as_i64().unwrap_or_default() - asked.as_millisecond();
                if off.abs() > 60_000 {
                    return Err(format!("done is said, and the end is {off} ms off"));
                }
            }
            (Said::Failed, Some(key)) if !self.says(key["id"].as_str().unwrap()) => {
                return Err("failed is said, and a key that nobody knows is there".into());
            }
            (Said::Open, Some(key)) if !self.says(key["id"].as_str().unwrap()) && !self.says(self.name) => {
                return Err("neither the key nor its name is told".into());
            }
            _ => {}
        }
        match (self.verdict(), new.len(), said) {
            ("success", 0, _) => Err("the journal says success, and there is no key".into()),
            ("failure" | "nothing", 1, _) => Err("the journal says failure or nothing, and there is a key".into()),
            ("failure" | "nothing", _, Said::Done) => Err("done is said, and not written down".into()),
            _ => Ok(()),
        }
    }

    fn updated(&self) -> Result<(), String> {
        let is_changed = self.place.key(self.id)["metadata"]["team"] == "second";
        match (said(self.ran), is_changed) {
            (Said::Done, false) => return Err("it says done, and the key is not changed".into()),
            (Said::Failed, true) => return Err("it says failed, and the key is changed".into()),
            _ => {}
        }
        match (self.verdict(), is_changed) {
            ("success", false) => Err("the journal says success, and the key is not changed".into()),
            ("failure" | "nothing", true) => Err("the journal says failure or nothing, and the key is changed".into()),
            _ => Ok(()),
        }
    }

    fn invalidated(&self) -> Result<(), String> {
        let is_ended = |id: &str| self.place.key(id)["invalidated"] == true;
        let ids: Vec<&str> = self.before.iter().filter_map(|key| key["id"].as_str()).collect();
        let ended: Vec<&str> = ids.iter().copied().filter(|id| is_ended(id)).collect();
        match said(self.ran) {
            Said::Done if ended.len() < ids.len() => return Err("done is said, and a key is valid".into()),
            Said::Failed if !ended.is_empty() => return Err("failed is said, and a key is invalidated".into()),
            _ => {}
        }
        let told: Value = serde_json::from_str(&self.ran.out).unwrap_or_default();
        let listed = |what: &str| -> Vec<String> {
            let list = told[what].as_array().cloned().unwrap_or_default();
            let id = |one: &Value| one.as_str().or(one["id"].as_str()).unwrap_or_default().to_owned();
            list.iter().map(id).collect()
        };
        if let Some(id) = listed("invalidated").iter().find(|id| !ended.contains(&id.as_str())) {
            return Err(format!("{id} is told as invalidated, and is valid"));
        }
        for certain in ["failed", "untouched"] {
            if let Some(id) = listed(certain).iter().find(|id| ended.contains(&id.as_str())) {
                return Err(format!("{id} is told as {certain}, and is invalidated"));
            }
        }
        for entry in self.outcomes {
            if entry.outcome == "success" && entry.keys.iter().any(|id| !ended.contains(&id.as_str())) {
                return Err("the journal says success of a key that is valid".into());
            }
            if entry.outcome == "failure" && entry.failed.iter().any(|failed| ended.contains(&failed.id.as_str())) {
                return Err("the journal says failure of a key that is invalidated".into());
            }
        }
        if self.outcomes.is_empty() && !ended.is_empty() { Err("nothing is written down".into()) } else { Ok(()) }
    }

    fn rotated(&self) -> Result<(), String> {
        let keys = self.place.keys(self.name);
        let is_old_ended = self.place.key(self.id)["invalidated"] == true;
        let valid: Vec<&Value> =
            keys.iter().filter(|key| key["id"] != self.id && key["invalidated"] == false).collect();
        let told: Value = serde_json::from_str(&self.ran.out).unwrap_or_default();
        let told = if told.is_array() { told[0].clone() } else { told };
        let has_secret = self.ran.out.contains("\"encoded\"");
        if valid.len() > 1 {
            return Err("two successors are left".into());
        }
        if is_old_ended && (valid.is_empty() || !has_secret) {
            return Err("the old key is ended, and nobody has a successor".into());
        }
        if said(self.ran) == Said::Done && !is_old_ended {
            return Err(format!("done is said, and the old key is valid: {told}"));
        }
        if let Some(key) = valid.first()
            && said(self.ran) != Said::Done
            && !self.says(key["id"].as_str().unwrap())
            && !self.says("--resume")
        {
            return Err("a successor is there, and neither it nor the way to go on is told".into());
        }
        let ended = |entry: &&keybearer::model::journal::Read| {
            entry.action.contains("invalidate")
                && entry.keys.iter().chain(entry.failed.iter().map(|failed| &failed.id)).any(|id| id == self.id)
        };
        match (self.outcomes.iter().rfind(ended).map(|entry| entry.outcome.as_str()), is_old_ended) {
            (Some("success"), false) => Err("the journal says that the old key is invalidated, and it is valid".into()),
            (Some("failure") | None, true) => Err("the journal does not say that the old key is invalidated".into()),
            _ => Ok(()),
        }
    }

    /// Who is told that all went well has been told of the key, or why it may be missing.
    fn read(&self) -> Result<(), String> {
        match said(self.ran) {
            Said::Done | Said::Open if !self.ran.out.contains(self.id) && self.ran.err.is_empty() => {
                Err("the key is missing, and nothing is said".into())
            }
            Said::Failed if self.ran.err.is_empty() => Err("it failed, and nothing is said".into()),
            _ => Ok(()),
        }
    }
}

#[test]
fn what_is_said_what_is_written_down_and_what_the_cluster_holds_agree() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let runs = number("KEYBEARER_LYING_RUNS").map_or(RUNS, |runs| runs as usize);
    let seed = number("KEYBEARER_LYING_SEED").unwrap_or(1);
    let troubles = troubles(&Place::new(), seed);
    let troubles = &troubles[..runs.min(troubles.len())];
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(troubles.len()) {
            scope.spawn(|| {
                let place = Place::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(trouble) = troubles.get(number) else { return };
                    if let Err(why) = one(&place, number, *trouble) {
                        wrong.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} runs:\n{}", wrong.len(), troubles.len(), wrong.join("\n"));
}
