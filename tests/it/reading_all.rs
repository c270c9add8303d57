//! No key is missing or double, whatever a cluster does while all of them are read.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use keybearer::{
    client::Client,
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            login::Login,
        },
        identity::{Identity, Privileges},
        secret::Secret,
        version::{Edition, Version},
    },
    ops::{
        Session,
        keys::{
            find,
            list::{self, KeyList, ListProgress},
        },
    },
};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

/// A cluster that answers queries from a list of keys, and changes it while it is asked.
#[derive(Clone)]
struct Keys(Arc<Mutex<State>>);

type Change = Box<dyn Fn(&mut BTreeMap<String, Value>) + Send>;

struct State {
    keys: BTreeMap<String, Value>,
    asked: usize,
    has_aggregations: bool,
    /// What happens to the keys before a question is answered, by its number.
    meanwhile: BTreeMap<usize, Change>,
    /// Questions that are answered with nonsense.
    broken: Vec<usize>,
    /// What the cluster adds to its counts.
    lie: i64,
    /// What it counts in one answer, by the number of the question.
    lie_once: Option<(usize, i64)>,
}

fn key(id: usize, name: &str, creation: i64) -> (String, Value) {
    let id = format!("id{id:06}");
    let row = json!({ "id": id, "name": name, "creation": creation, "invalidated": false, "username": "ana", "realm": "native" });
    (id, row)
}

/// Signed in at a server of this test.
fn session(server: &MockServer) -> Session {
    let endpoint = Endpoint {
        trust: Trust::InsecureDev,
        timeout: Duration::from_secs(20),
        ..Endpoint::new(
            ClusterUrl::parse(&server.uri()).unwrap(),
            Login::Password { username: "ana".into(), password: Secret::new("password") },
        )
    };
    Session {
        client: Client::new(&endpoint).unwrap(),
        identity: Identity::default(),
        privileges: Privileges::new([("read_security".to_owned(), true)].into()),
        edition: Edition::Version(Version::new(9, 5, 3)),
        cluster_name: None,
        cluster_uuid: None,
        keyring: None,
        journal: Default::default(),
        certificate: None,
        interrupt: Default::default(),
    }
}

impl Keys {
    fn new(keys: impl IntoIterator<Item = (String, Value)>) -> Self {
        Self(Arc::new(Mutex::new(State {
            keys: keys.into_iter().collect(),
            asked: 0,
            has_aggregations: true,
            meanwhile: BTreeMap::new(),
            broken: Vec::new(),
            lie: 0,
            lie_once: None,
        })))
    }

    fn meanwhile(&self, question: usize, change: impl Fn(&mut BTreeMap<String, Value>) + Send + 'static) {
        self.0.lock().unwrap().meanwhile.insert(question, Box::new(change));
    }

    async fn read(&self) -> (Result<KeyList, keybearer::client::ClientError>, Vec<usize>) {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(self.clone()).mount(&server).await;
        let session = session(&server);
        let parts = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&parts);
        let read = list::all(&session, move |news| {
            if let ListProgress::Part(part) = news {
                told.lock().unwrap().push(part.keys.len());
            }
        });
        let read = read.await;
        let parts = parts.lock().unwrap().clone();
        (read, parts)
    }

    /// Reads all, and compares with what the cluster has at the end.
    async fn agree(&self) -> Vec<usize> {
        let (read, parts) = self.read().await;
        let read = read.unwrap();
        let state = self.0.lock().unwrap();
        let mut ids: Vec<&str> = read.keys.row_ids().map(|row| read.keys.id(row)).collect();
        ids.sort_unstable();
        let wanted: Vec<&str> = state.keys.keys().map(String::as_str).collect();
        assert!(ids == wanted, "{} keys were read of {}", ids.len(), wanted.len());
        assert_eq!((read.total, read.shortfall()), (wanted.len() as u64, 0));
        for row in read.keys.row_ids() {
            let told = state.keys[read.keys.id(row)]["invalidated"].as_bool().unwrap();
            assert_eq!(read.keys.is_invalidated(row), told, "{}", read.keys.id(row));
        }
        parts
    }
}

impl Respond for Keys {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let state = &mut *self.0.lock().unwrap();
        state.asked += 1;
        if let Some(change) = state.meanwhile.get(&state.asked) {
            change(&mut state.keys);
        }
        let product = ("X-Elastic-Product", "Elasticsearch");
        if state.broken.contains(&state.asked) {
            return ResponseTemplate::new(500)
                .set_body_json(json!({ "error": { "type": "x", "reason": "half way" }, "status": 500 }))
                .insert_header(product.0, product.1);
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let within = |row: &Value, field: &str| {
            let range = &body["query"]["range"][field];
            let at = row[field].as_i64();
            range["gte"].as_i64().is_none_or(|from| at.is_some_and(|at| at >= from))
                && range["lt"].as_i64().is_none_or(|until| at.is_some_and(|at| at < until))
        };
        let fits = |row: &&Value| {
            within(row, "creation")
                && within(row, "invalidation")
                && (body["query"]["term"].is_null() || row["invalidated"] == json!(true))
        };
        let mut rows: Vec<&Value> = state.keys.values().filter(fits).collect();
        let total = (rows.len() as i64 + state.lie).max(0);
        let total = state.lie_once.filter(|(number, _)| *number == state.asked).map_or(total, |(_, total)| total);
        if !body["aggs"].is_null() {
            if !state.has_aggregations {
                return ResponseTemplate::new(400).set_body_json(json!({ "error": { "type": "x_content_parse_exception", "reason": "unknown field [aggs]" }, "status": 400 })).insert_header(product.0, product.1);
            }
            let source = &body["aggs"]["keys"]["composite"]["sources"][0]["at"]["date_histogram"];
            let interval: i64 = source["fixed_interval"].as_str().unwrap().strip_suffix("ms").unwrap().parse().unwrap();
            let mut buckets: BTreeMap<i64, u64> = BTreeMap::new();
            for row in &rows {
                let creation = row["creation"].as_i64().unwrap();
                *buckets.entry(creation.div_euclid(interval) * interval).or_default() += 1;
            }
            let buckets: Vec<Value> =
                buckets.into_iter().map(|(at, count)| json!({ "key": { "at": at }, "doc_count": count })).collect();
            return ResponseTemplate::new(200)
                .set_body_json(json!({ "total": total, "count": 0, "api_keys": [], "aggregations": { "keys": { "buckets": buckets } } }))
                .insert_header(product.0, product.1);
        }
        // By `_doc` or without an order: by id, which is unique. By a field: with seams at ties, as the real one.
        let field = body["sort"][0].as_object().and_then(|sort| sort.keys().next().cloned()).unwrap_or("_doc".into());
        let descending = body["sort"][0][&field]["order"] == "desc";
        let value = |row: &Value| match field.as_str() {
            "creation" => row["creation"].as_i64().unwrap(),
            "invalidation" => row["invalidation"].as_i64().unwrap_or(0),
            _ => row["id"].as_str().unwrap()[2..].parse().unwrap(),
        };
        rows.sort_by_key(|row| if descending { -value(row) } else { value(row) });
        if let Some(after) = body["search_after"][0].as_i64() {
            rows.retain(|row| if descending { value(row) < after } else { value(row) > after });
        }
        let size = body["size"].as_u64().unwrap_or(10) as usize;
        let rows: Vec<Value> = rows
            .into_iter()
            .take(size)
            .map(|row| {
                let mut sent = row.clone();
                sent["_sort"] = json!([value(row)]);
                sent
            })
            .collect();
        ResponseTemplate::new(200)
            .set_body_json(json!({ "total": total, "count": rows.len(), "api_keys": rows }))
            .insert_header(product.0, product.1)
    }
}

fn many(count: usize, creation: impl Fn(usize) -> i64) -> Vec<(String, Value)> {
    (0..count).map(|number| key(number, "twin", creation(number))).collect()
}

#[tokio::test]
async fn few_keys_are_read_at_once() {
    for count in [0, 1, 99, 100, 101, 250] {
        Keys::new(many(count, |number| 1000 + number as i64)).agree().await;
    }
}

#[tokio::test]
async fn thousands_are_read_in_parts_with_the_newest_first() {
    // So many that there is a part between whichever two answers come first.
    let parts = Keys::new(many(60_000, |number| 1_000_000 + number as i64 * 37)).agree().await;
    assert_eq!(parts[0], 100);
    assert!(parts.len() >= 3 && parts.is_sorted(), "{parts:?}");
}

#[tokio::test]
async fn keys_of_one_millisecond_and_one_name_are_all_there() {
    // 12,000 at one moment are more than one answer holds; the others tie by hundreds.
    let creation = |number: usize| if number < 12_000 { 5_000_000 } else { 5_000_000 + (number as i64 / 400) * 1000 };
    Keys::new(many(22_000, creation)).agree().await;
}

#[tokio::test]
async fn without_aggregations_ranges_are_halved() {
    let keys = Keys::new(many(23_000, |number| if number % 3 == 0 { 7 } else { number as i64 * number as i64 }));
    keys.0.lock().unwrap().has_aggregations = false;
    keys.agree().await;
}

#[tokio::test]
async fn what_is_created_invalidated_and_removed_meanwhile_is_seen() {
    let keys = Keys::new(many(21_000, |number| 1_000_000 + number as i64 * 11));
    keys.meanwhile(4, |keys| {
        for number in 0..300 {
            let (id, row) = key(500_000 + number, "new", 9_000_000 + number as i64);
            keys.insert(id, row);
        }
        for id in ["id000007", "id009000", "id020999"] {
            let row = keys.get_mut(id).unwrap();
            row["invalidated"] = json!(true);
            row["invalidation"] = json!(9_000_500);
        }
    });
    keys.meanwhile(6, |keys| {
        for number in (0..21_000).step_by(1500) {
            keys.remove(&format!("id{number:06}"));
        }
    });
    keys.agree().await;
}

#[tokio::test]
async fn what_one_request_invalidates_at_one_millisecond_is_seen_whole() {
    let now = keybearer::ops::clock::now().as_millis();
    // Before question 6 both ranges were answered; before 5 only the newer one, whose keys are then not seen again.
    for question in [4, 5, 6] {
        for count in [101, 1000, 11_500] {
            let keys = Keys::new(many(14_000, |number| 1_000_000 + number as i64 * 11));
            keys.meanwhile(question, move |keys| {
                for (number, row) in keys.values_mut().take(count + 3).enumerate() {
                    row["invalidated"] = json!(true);
                    // Three were invalidated a moment before, and come last.
                    row["invalidation"] = json!(if number < count { now + 500 } else { now + 400 });
                }
            });
            keys.agree().await;
        }
    }
}

#[tokio::test]
async fn a_page_that_fails_half_way_fails_the_whole_and_says_why() {
    let keys = Keys::new(many(20_000, |number| number as i64));
    keys.0.lock().unwrap().broken = (5..40).collect();
    let (read, parts) = keys.read().await;
    assert!(read.unwrap_err().to_string().contains("half way"));
    assert_eq!(parts[0], 100, "what came before was shown");
}

#[tokio::test]
async fn a_cluster_that_counts_other_than_it_sends_ends_with_what_it_sent() {
    for lie in [-5, 7] {
        let keys = Keys::new(many(15_000, |number| number as i64 * 3));
        keys.0.lock().unwrap().lie = lie;
        let (read, _) = keys.read().await;
        let read = read.unwrap();
        assert_eq!(read.keys.len(), 15_000);
        assert_eq!(read.shortfall(), u64::try_from(lie).unwrap_or(0));
    }
}

#[tokio::test]
async fn keys_at_the_ends_of_time_are_read_like_others() {
    let mut all = many(11_000, |number| number as i64);
    all.push(key(900_000, "first", i64::MIN / 4));
    all.push(key(900_001, "last", i64::MAX / 4));
    Keys::new(all).agree().await;
}

#[tokio::test]
async fn what_is_new_is_told_before_all_is_read_again() {
    let keys = Keys::new(many(300, |number| 1000 + number as i64));
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(keys.clone()).mount(&server).await;
    let (read, _) = keys.read().await;
    let old = read.unwrap();
    let session = session(&server);
    {
        let state = &mut *keys.0.lock().unwrap();
        let (id, row) = key(500, "new", 5000);
        state.keys.insert(id, row);
        let row = state.keys.get_mut("id000010").unwrap();
        row["invalidated"] = json!(true);
        row["invalidation"] = json!(5001);
    }
    let renewed = list::renewed(&session, &old).await.unwrap().expect("it adds up");
    assert_eq!((renewed.keys.len(), renewed.as_of), (301, old.as_of), "it is no younger than what was read whole");
    let changed = renewed.keys.row_id(&keybearer::model::api_key::KeyId::new("id000010")).unwrap();
    assert!(renewed.keys.is_invalidated(changed));
    // A key that is gone can't be told from the others: all has to be read again.
    keys.0.lock().unwrap().keys.remove("id000020");
    assert!(list::renewed(&session, &old).await.unwrap().is_none());
}

/// A cluster that would keep a reader for ever: it sends a full page whatever it is asked for.
#[derive(Clone, Copy, Debug)]
enum Liar {
    /// The same ids again and again, all of one moment.
    Repeats,
    /// New ids each time, all of one moment.
    Fresh,
    /// Its oldest key is of 1970, its newest of the far future, and each half of the time has all of them.
    Halves,
    /// New ids each time, each created later than the one before.
    Newer,
    /// Each part of the time counts fewer than fit into an answer, and answers with as many as fit.
    Parts,
}

struct Lying {
    liar: Liar,
    total: u64,
    asked: Arc<Mutex<usize>>,
}

impl Respond for Lying {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let asked = {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            *asked
        };
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let product = ("X-Elastic-Product", "Elasticsearch");
        if !body["aggs"].is_null() {
            let refusal = json!({ "error": { "type": "x", "reason": "no aggregations" }, "status": 400 });
            return ResponseTemplate::new(400).set_body_json(refusal).insert_header(product.0, product.1);
        }
        let size = body["size"].as_u64().unwrap() as usize;
        let descending = body["sort"][0]["creation"]["order"] == "desc";
        let is_part = matches!(self.liar, Liar::Parts) && !body["query"].is_null();
        let total = if is_part { 5_000 } else { self.total };
        let rows: Vec<Value> = (0..size)
            .map(|number| {
                let (id, created) = match self.liar {
                    Liar::Repeats => (number, 7),
                    Liar::Fresh => (asked * 100_000 + number, 7),
                    Liar::Halves | Liar::Parts if descending => (number % 100, 1 << 50),
                    Liar::Halves | Liar::Parts => (number % 100, 0),
                    Liar::Newer => (asked * 100_000 + number, (asked * 100_000 + number) as i64),
                };
                let (_, mut row) = key(id, "liar", created);
                row["_sort"] = json!([created]);
                row
            })
            .collect();
        ResponseTemplate::new(200)
            .set_body_json(json!({ "total": total, "count": rows.len(), "api_keys": rows }))
            .insert_header(product.0, product.1)
    }
}

#[tokio::test]
async fn a_cluster_that_never_comes_to_an_end_is_told_within_seconds() {
    for (liar, total) in [
        (Liar::Repeats, 12_000),
        (Liar::Fresh, 12_000),
        (Liar::Halves, 12_000),
        (Liar::Newer, 5_000),
        (Liar::Parts, 12_000),
    ] {
        let server = MockServer::start().await;
        let asked = Arc::new(Mutex::new(0));
        let lying = Lying { liar, total, asked: Arc::clone(&asked) };
        Mock::given(any()).respond_with(lying).mount(&server).await;
        let session = session(&server);
        let read = tokio::time::timeout(Duration::from_secs(120), list::all(&session, |_| ())).await;
        let read = read.unwrap_or_else(|_| panic!("{liar:?} keeps the reader"));
        assert!(*asked.lock().unwrap() < 200, "{liar:?}: {} requests", asked.lock().unwrap());
        match (liar, read) {
            (Liar::Repeats, Ok(list)) => assert!(list.shortfall() > 0 && !list.is_whole()),
            (Liar::Repeats, other) => panic!("{other:?}"),
            (_, read) => {
                let error = read.expect_err("answers that can't all be true").to_string();
                assert!(error.starts_with("The cluster's responses contradict each other"), "{liar:?}: {error}");
            }
        }
        let named = tokio::time::timeout(Duration::from_secs(60), find::named(&session, "liar")).await;
        let named = named.unwrap_or_else(|_| panic!("{liar:?} keeps who looks for one key"));
        assert!(named.is_err(), "{liar:?}: neither a list of its keys nor “no such key” would be true");
    }
}

#[tokio::test]
async fn a_full_page_is_read_on_whatever_the_cluster_counts() {
    let keys = Keys::new(many(601, |number| 1000 + number as i64));
    keys.0.lock().unwrap().lie_once = Some((1, 0));
    keys.agree().await;
    keys.0.lock().unwrap().lie = -1_000_000;
    let (read, _) = keys.read().await;
    let read = read.unwrap();
    assert_eq!((read.keys.len(), read.total, read.surplus()), (601, 0, 601));
    assert_eq!(read.doubts(), ["the cluster sent 601 keys more than it counts"]);
}
