//! The oracle: owners and keys with random rights, of whom the server is asked what they may, and whose answers the
//! search, the page of a key and its check must give. No answer may be wrong, and few may be "not known".

use std::collections::BTreeMap;

use keybearer::{
    client::CreatedKey,
    model::{
        Timestamp,
        api_key::KeyId,
        filter,
        inventory::{Asker, Inventory, RawKey, RowId},
        privileges::{CLUSTER, INDICES},
        rights::{Certainty, Rights},
        secret::Secret,
        secret_text,
        version::Feature,
    },
    ops::{
        keys::list,
        secret::identify::{self, Asked, Looked},
    },
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, by_key, every_server, superuser, unique};

/// Owners, and keys of each: with the questions below more than 20,000 answers of each server.
const OWNERS: usize = 12;
const KEYS: usize = 6;
/// Of a hundred answers at most so many may be "not known".
const MAX_NOT_KNOWN: usize = 5;
const SEED: u64 = 20_261_129;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }

    fn some(&mut self, least: usize, most: usize, of: &[&str]) -> Vec<String> {
        (0..least + self.roll(most - least + 1)).map(|_| self.one(of).to_owned()).collect()
    }
}

const NAMES: &[&str] = &[
    "logs-*",
    "logs-app-*",
    "logs-app-1",
    "my_index",
    "*",
    "*-eu",
    "/logs-[a-f].*/",
    "l?gs-*",
    "metrics",
    "a",
    "b*",
    "b",
    ".security*",
    "m*",
    "logs",
    "/.*/",
    "*a*",
    "logs-?-eu",
];
const ASKED: &[&str] = &["logs-app-1", "logs-a-eu", "my_index", "b1", "logs-*", "*", "logs-app-*", ".security-7"];
const RAW_CLUSTER: &[&str] = &[
    "cluster:monitor/main",
    "cluster:monitor/*",
    "cluster:admin/xpack/security/user/put",
    "cluster:admin/xpack/security/*",
    "cluster:admin/ilm/get",
    "indices:admin/template/get",
];
const RAW_INDEX: &[&str] = &[
    "indices:data/read/search",
    "indices:data/read/*",
    "indices:data/write/*",
    "indices:data/write/index",
    "indices:admin/refresh",
    "indices:monitor/*",
    "indices:*",
];
/// The privileges for failures; asked together with others they change those answers (as seen on 9.5.3).
const FAILURES: &[&str] = &["read_failure_store", "manage_failure_store"];

/// The privileges of the server that this program knows, those of failures apart.
struct Names {
    cluster: Vec<String>,
    index: Vec<String>,
    failures: Vec<String>,
}

fn descriptor(dice: &mut Dice, names: &Names) -> Value {
    let all = |known: &[String], raw: &[&'static str]| -> Vec<String> {
        known.iter().cloned().chain(raw.iter().map(|name| (*name).to_owned())).collect()
    };
    let cluster = all(&names.cluster, RAW_CLUSTER);
    let index: Vec<String> = all(&names.index, RAW_INDEX).into_iter().chain(names.failures.iter().cloned()).collect();
    let cluster: Vec<&str> = cluster.iter().map(String::as_str).collect();
    let index: Vec<&str> = index.iter().map(String::as_str).collect();
    let common = ["monitor", "manage", "manage_security", "all", "manage_own_api_key", "manage_ml"];
    let broad = ["read", "write", "all", "manage", "create_index", "index", "delete", "monitor", "view_index_metadata"];
    let mut of_cluster = dice.some(0, 2, &cluster);
    of_cluster.extend(dice.some(0, 2, &common));
    let indices: Vec<Value> = (0..dice.roll(4))
        .map(|_| {
            let mut privileges = dice.some(1, 2, &index);
            privileges.extend(dice.some(0, 2, &broad));
            json!({ "names": each_once(dice.some(1, 2, NAMES)), "privileges": each_once(privileges),
                "allow_restricted_indices": dice.roll(5) == 0 })
        })
        .collect();
    json!({ "cluster": each_once(of_cluster), "indices": indices })
}

/// The server refuses duplicates (as seen on 9.5.3).
fn each_once(mut list: Vec<String>) -> Vec<String> {
    list.sort();
    list.dedup();
    list
}

fn assigned(dice: &mut Dice, names: &Names) -> Value {
    match dice.roll(10) {
        0 => json!({}),
        1 => json!({ "none": {} }),
        2 | 3 => json!({ "a": descriptor(dice, names), "b": descriptor(dice, names) }),
        4 => json!({ "wide": { "cluster": ["all"], "indices": [{ "names": ["*"], "privileges": ["all"] }] } }),
        _ => json!({ "a": descriptor(dice, names) }),
    }
}

/// Makes a key of an owner; it is found by queries after the next refresh.
async fn granted(server: &Server, owner: &str, role_descriptors: &Value, metadata: Value) -> CreatedKey {
    let key = json!({ "name": unique("oracle"), "role_descriptors": role_descriptors, "metadata": metadata });
    let body = json!({ "grant_type": "password", "username": owner, "password": "contract-password", "api_key": key });
    let made = server.call(Method::POST, "/_security/api_key/grant", Some(body)).await.ok();
    CreatedKey {
        id: KeyId::new(made["id"].as_str().unwrap()),
        name: made["name"].as_str().unwrap().to_owned(),
        expires: None,
        secret: Secret::new(made["api_key"].as_str().unwrap()),
        doubts: Vec::new(),
        twins: Vec::new(),
    }
}

/// What the server says to whoever signs in by a key: for the cluster, and for each name.
#[derive(Default)]
struct Truth {
    cluster: BTreeMap<String, bool>,
    index: BTreeMap<(String, String), bool>,
}

async fn truth(server: &Server, key: &CreatedKey, names: &Names) -> Truth {
    let with_raw = |known: &[String], raw: &[&str]| -> Vec<String> {
        known.iter().cloned().chain(raw.iter().map(|name| (*name).to_owned())).collect()
    };
    let cluster = with_raw(&names.cluster, RAW_CLUSTER);
    let index = with_raw(&names.index, RAW_INDEX);
    let mut truth = Truth::default();
    let path = "/_security/user/_has_privileges";
    let mut questions = vec![json!({ "cluster": cluster, "index": [{ "names": ASKED, "privileges": index }] })];
    if !names.failures.is_empty() {
        questions.push(json!({ "index": [{ "names": ASKED, "privileges": names.failures }] }));
    }
    for question in questions {
        let told = server.call_as(&by_key(key), Method::POST, path, Some(question)).await.ok();
        for (name, answer) in told["cluster"].as_object().into_iter().flatten() {
            truth.cluster.insert(name.clone(), answer.as_bool().unwrap());
        }
        for (index, answers) in told["index"].as_object().unwrap() {
            for (name, answer) in answers.as_object().unwrap() {
                truth.index.insert((index.clone(), name.clone()), answer.as_bool().unwrap());
            }
        }
    }
    truth
}

/// Answers compared with the server's.
#[derive(Default)]
struct Tally {
    asked: usize,
    not_known: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn judge(&mut self, said: Certainty, truth: bool, what: impl FnOnce() -> String) {
        self.asked += 1;
        let expected = if truth { Certainty::Yes } else { Certainty::No };
        match said {
            Certainty::NotKnown => self.not_known += 1,
            said if said != expected => self.wrong.push(format!("{}: said {said:?}, is {truth}", what())),
            _ => {}
        }
    }

    #[track_caller]
    fn check(&self, what: &str, least: usize) {
        let shown: Vec<&str> = self.wrong.iter().take(20).map(String::as_str).collect();
        assert!(self.wrong.is_empty(), "{what}: {} of {} wrong\n{}", self.wrong.len(), self.asked, shown.join("\n"));
        assert!(self.asked >= least, "{what}: only {} questions", self.asked);
        let share = self.not_known * 100;
        assert!(share <= self.asked * MAX_NOT_KNOWN, "{what}: {} of {} not known", self.not_known, self.asked);
    }
}

/// What a search says of each key.
fn searched(keys: &Inventory, search: &str) -> Vec<Certainty> {
    let query =
        filter::parse(search, Timestamp::EPOCH, &jiff::tz::TimeZone::UTC).unwrap_or_else(|e| panic!("{search}: {e:?}"));
    let found = keys.search(&query.expr, Timestamp::EPOCH, Asker::default());
    let not_known = found.not_known();
    let of = |row: RowId| match (found.matching.has(row), not_known.has(row)) {
        (true, _) => Certainty::Yes,
        (_, true) => Certainty::NotKnown,
        _ => Certainty::No,
    };
    keys.row_ids().map(of).collect()
}

#[test]
fn searches_for_rights_find_what_the_server_grants() {
    every_server(async |server| {
        if !server.has(Feature::LimitedBy) {
            return nothing_is_told(server).await;
        }
        let admin = server.admin().await;
        let known = admin.client.builtin_privileges().await.unwrap();
        let of = |all: &[&str], known: &[String]| -> Vec<String> {
            known.iter().filter(|name| *name != "none" && all.contains(&name.as_str())).cloned().collect()
        };
        let (failures, index) =
            of(INDICES, &known.index).into_iter().partition(|name| FAILURES.contains(&name.as_str()));
        let names = Names { cluster: of(CLUSTER, &known.cluster), index, failures };
        let mut dice = Dice(SEED);
        let mut made: Vec<(CreatedKey, String)> = Vec::new();
        for _ in 0..OWNERS {
            let owner = descriptor(&mut dice, &names);
            let (user, _) = server.user(owner.clone()).await;
            for _ in 0..KEYS {
                let assigned = assigned(&mut dice, &names);
                let key = granted(server, &user, &assigned, json!({})).await;
                made.push((key, format!("{assigned} of {owner}")));
            }
        }
        let last = server.post_key(&superuser(), "", json!({ "name": unique("oracle-last") })).await;
        made.push((last, "unrestricted of elastic".into()));

        let all = list::all(&admin, |_| ()).await.unwrap().keys;
        let mut keys = Inventory::default();
        for (key, what) in &made {
            let row = all.row_id(&key.id).unwrap_or_else(|| panic!("{what} is not listed"));
            keys.put(&RawKey::from(&all.key(row)));
        }
        keys.finish();
        let mut truths = Vec::new();
        for (key, _) in &made {
            truths.push(truth(server, key, &names).await);
        }
        compare(&keys, &made, &truths);
        checked(server, &admin, &made, &truths).await;
    });
}

/// Before 8.5 no descriptors are told: of what a key may do, and may not, nothing is known.
async fn nothing_is_told(server: &Server) {
    let key = server.post_key(&superuser(), "", json!({ "name": unique("oracle-old"), "role_descriptors": {} })).await;
    let admin = server.admin().await;
    let keys = list::all(&admin, |_| ()).await.unwrap().keys;
    let place = keys.row_id(&key.id).unwrap().index();
    for search in ["can:all", "can:cluster:monitor", "can:read on:logs-1", "on:logs-*"] {
        assert_eq!(searched(&keys, search)[place], Certainty::NotKnown, "{search}");
        assert_eq!(searched(&keys, &format!("-({search})"))[place], Certainty::NotKnown, "-({search})");
    }
    for fact in ["unrestricted", "empty", "administrator", "every-index", "runs-as"] {
        assert_eq!(searched(&keys, &format!("is:{fact}"))[place], Certainty::NotKnown, "{fact}");
        assert_eq!(searched(&keys, &format!("-is:{fact}"))[place], Certainty::NotKnown, "-{fact}");
        assert_eq!(searched(&keys, &format!("is:{fact}?"))[place], Certainty::Yes, "{fact}?");
    }
}

/// Compares what searches and the pages of keys say with the truth.
fn compare(keys: &Inventory, made: &[(CreatedKey, String)], truths: &[Truth]) {
    let (mut cluster, mut index, mut facts) = (Tally::default(), Tally::default(), Tally::default());
    let rights: Vec<Rights> = keys.row_ids().map(|row| Rights::of(&keys.key(row))).collect();
    let word = |area: &str, name: &str| if name.contains(':') { name.to_owned() } else { format!("{area}:{name}") };
    for name in truths[0].cluster.keys() {
        // Actions on templates are of the cluster and of indices, and no search tells them apart.
        let is_both = name.starts_with("indices:");
        let said = if is_both { None } else { Some(searched(keys, &format!("can:{}", word("cluster", name)))) };
        for place in 0..keys.len() {
            let (truth, page) = (truths[place].cluster[name], rights[place].may(name));
            let what = || format!("{name} with {}", made[place].1);
            cluster.judge(page, truth, what);
            if let Some(said) = &said {
                assert_eq!(said[place], page, "{}", what());
            }
        }
    }
    for (on, name) in truths[0].index.keys() {
        let said = searched(keys, &format!("can:{} on:={on}", word("index", name)));
        let touched = searched(keys, &format!("can:{} on:{on}", word("index", name)));
        for place in 0..keys.len() {
            let truth = truths[place].index[&(on.clone(), name.clone())];
            let page = rights[place].may_on(on, name);
            let what = || format!("{name} on {on} with {}", made[place].1);
            index.judge(page, truth, what);
            assert_eq!(said[place], page, "{}", what());
            match on.contains('*') {
                // Who may on all of them may on some.
                true => assert!(!truth || touched[place] != Certainty::No, "touches: {}", what()),
                false => assert_eq!(touched[place], page, "touches: {}", what()),
            }
        }
    }
    let strong = ["all", "manage", "manage_security", "manage_api_key", "grant_api_key", "manage_service_account"];
    let content = ["read", "write", "create_doc", "delete", "delete_index", "manage"];
    let (administers, everywhere) = (searched(keys, "is:administrator"), searched(keys, "is:every-index"));
    for place in 0..keys.len() {
        let truth = &truths[place];
        // A pattern over actions may do the same without any name for it.
        let has_raw = made[place].1.contains("cluster:admin") || made[place].1.contains("indices:");
        let administrator = strong.iter().any(|name| truth.cluster[*name]);
        if administrator || !has_raw {
            facts.judge(administers[place], administrator, || format!("administrator: {}", made[place].1));
        }
        let every = content.iter().any(|name| truth.index[&("*".to_owned(), (*name).to_owned())]);
        if every || !has_raw {
            facts.judge(everywhere[place], every, || format!("every index: {}", made[place].1));
        }
    }
    cluster.check("cluster", 4000);
    index.check("index", 16_000);
    facts.check("facts", 60);
}

/// A secret that is checked: the cluster's answers, and the rights that are told beside them.
async fn checked(server: &Server, admin: &keybearer::ops::Session, made: &[(CreatedKey, String)], truths: &[Truth]) {
    for (place, (key, what)) in made.iter().enumerate().step_by(20) {
        let asked = Asked {
            cluster: vec!["monitor".into(), "manage_security".into()],
            indices: vec!["my_index".into()],
            privileges: vec!["read".into(), "write".into()],
        };
        let text = format!("{}:{}", key.id, key.secret.expose());
        let candidates = secret_text::read(&Secret::new(text)).unwrap();
        let checked =
            identify::check(Ok(admin), (&server.endpoint(superuser()), &Default::default()), &candidates, &asked)
                .await
                .unwrap();
        let Looked::Found(found) = &checked.key else { panic!("{what}") };
        for answer in &checked.answers {
            let (truth, told) = match answer.on.first() {
                None => (truths[place].cluster[&answer.privilege], found.rights.may(&answer.privilege)),
                Some(on) => (
                    truths[place].index[&(on.clone(), answer.privilege.clone())],
                    found.rights.may_on(on, &answer.privilege),
                ),
            };
            assert_eq!(answer.granted, truth, "{what}");
            assert!(told == Certainty::NotKnown || (told == Certainty::Yes) == truth, "{what}: {told:?}");
        }
    }
}

#[test]
fn searches_for_plain_fields_find_what_the_rows_say() {
    every_server(async |server| {
        if !server.has(Feature::Query) {
            return;
        }
        let admin = server.admin().await;
        let mut dice = Dice(SEED);
        let (user, _) = server.user(json!({ "cluster": ["manage_own_api_key"] })).await;
        let mut ids = Vec::new();
        for number in 0..20 {
            let team = dice.one(&["payments", "search", "Über"]);
            let metadata = json!({ "team": team, "number": number % 4, "application_id": format!("oracle-app-{}", number % 7),
                "roles": dice.some(0, 2, &["reader", "writer"]), "deep": { "x": [1, "two"] } });
            let rights = if number % 3 == 0 { json!({}) } else { json!({ "r": { "cluster": ["monitor"] } }) };
            ids.push(granted(server, &user, &rights, metadata).await.id);
        }
        // Waits for a refresh.
        admin.client.invalidate(&ids[..5], false).await.unwrap();
        let query = json!({ "size": 100, "query": { "term": { "username": user } } });
        let rows = server.query(query).await.ok()["api_keys"].as_array().unwrap().clone();
        assert_eq!(rows.len(), ids.len());
        let list = list::all(&admin, |_| ()).await.unwrap().keys;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
        let tells_rights = server.has(Feature::LimitedBy);
        let now = admin.now().as_millis();
        let any = |list: &Value, word: &str| list.as_array().unwrap().iter().any(|item| item == word);
        type Expected = Box<dyn Fn(&Value) -> bool>;
        let searches: Vec<(&str, Expected)> = vec![
            ("meta.team:payments", Box::new(|row| row["metadata"]["team"] == "payments")),
            ("-meta.team:payments", Box::new(|row| row["metadata"]["team"] != "payments")),
            ("meta.team:über", Box::new(|row| row["metadata"]["team"] == "Über")),
            ("meta.number:3", Box::new(|row| row["metadata"]["number"] == 3)),
            ("meta.deep.x:two", Box::new(|_| true)),
            ("meta.none:none", Box::new(|_| true)),
            ("app:app-6", Box::new(|row| row["metadata"]["application_id"] == "oracle-app-6")),
            ("role:reader", Box::new(move |row| any(&row["metadata"]["roles"], "reader"))),
            ("status:invalidated", Box::new(|row| row["invalidated"] == true)),
            ("-status:invalidated", Box::new(|row| row["invalidated"] == false)),
            ("expires:never", Box::new(|row| row.get("expiration").is_none() && row["invalidated"] == false)),
            ("created:<1d", Box::new(move |row| row["creation"].as_i64().unwrap() > now - 86_400_000)),
            ("created:>1d", Box::new(move |row| row["creation"].as_i64().unwrap() < now - 86_400_000)),
            ("name:CONTRACT-oracle", Box::new(move |row| text(&row["name"]).contains("contract-oracle"))),
            ("is:unrestricted", Box::new(move |row| tells_rights && row["role_descriptors"] == json!({}))),
            ("team or oracle-app-1", Box::new(|_| true)),
        ];
        for (search, holds) in searches {
            let whole = format!("owner:{user} ({search})");
            let query = filter::parse(&whole, admin.now(), &jiff::tz::TimeZone::UTC).unwrap();
            let found = list.matching(&query.expr, admin.now(), Asker::default());
            let mut ours: Vec<&str> = found.rows().map(|row| list.id(row)).collect();
            let mut theirs: Vec<&str> =
                rows.iter().filter(|row| holds(row)).map(|row| row["id"].as_str().unwrap()).collect();
            ours.sort_unstable();
            theirs.sort_unstable();
            assert_eq!(ours, theirs, "{search}");
        }
    });
}
