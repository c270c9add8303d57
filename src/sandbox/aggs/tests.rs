//! Tests of aggregations over a few keys, with answers as given by 9.5.3.

use super::super::{json as sandbox_json, seed};
use crate::sandbox::{aggs::*, state::cluster::Cluster};
use serde_json::json;

const NOW: i64 = 1_795_490_903_188;
const DAY: i64 = 86_400_000;

/// Returns twelve keys of three owners, one a day; every third never expires, every fourth is invalidated.
fn cluster() -> Cluster {
    let mut cluster = seed::fill(12, NOW).unwrap().0;
    let ids: Vec<String> = cluster.keys().iter().map(|key| key.id.clone()).collect();
    let mut keys = Vec::new();
    for (number, id) in (0_i64..).zip(&ids) {
        let mut key = cluster.key(id).unwrap().clone();
        key.name = format!("key-{number:02}");
        key.username = ["ana", "boris", "carla", "ana"][number as usize % 4].to_owned();
        key.creation = number * DAY;
        key.expiration = (number % 3 != 0).then_some((number + 30) * DAY);
        key.invalidation = (number % 4 == 0).then_some(number * DAY + 5);
        let team = ["x", "y"][number as usize % 2];
        let serde_json::Value::Object(metadata) =
            json!({ "team": team, "tags": ["b", "a", "a"], "o": { "n": number % 3 } })
        else {
            unreachable!()
        };
        key.metadata = if number == 5 { Default::default() } else { metadata.into() };
        keys.push(key);
    }
    cluster = Cluster::default();
    cluster.add_keys(keys);
    cluster
}

fn read(aggs: &serde_json::Value) -> Vec<Agg> {
    let node = sandbox_json::parse(aggs.to_string().as_bytes()).unwrap();
    parse(&node).map_err(|fault| fault.error).unwrap()
}

fn ask(agg: serde_json::Value) -> serde_json::Value {
    let cluster = cluster();
    let aggs = read(&json!({ "a": agg }));
    check_allowed(&aggs).unwrap();
    check_shard(&aggs, NOW).unwrap();
    let docs: Vec<_> = cluster.keys().iter().collect();
    run(&aggs, &docs, &Around::new(&cluster, NOW, false)).unwrap()["a"].clone()
}

fn refused(agg: serde_json::Value) -> String {
    let node = sandbox_json::parse(json!({ "a": agg }).to_string().as_bytes()).unwrap();
    let error = match parse(&node) {
        Err(fault) => fault.error,
        Ok(aggs) => check_allowed(&aggs).and_then(|()| check_shard(&aggs, NOW)).unwrap_err(),
    };
    let mut deepest = error.roots.first().unwrap_or(&*error);
    while let Some(cause) = &deepest.cause {
        deepest = cause;
    }
    deepest.reason.clone()
}

#[test]
fn terms_come_by_count_then_by_key() {
    assert_eq!(
        ask(json!({ "terms": { "field": "username", "size": 2 } })),
        json!({ "doc_count_error_upper_bound": 0, "sum_other_doc_count": 3,
            "buckets": [{ "key": "ana", "doc_count": 6 }, { "key": "boris", "doc_count": 3 }] })
    );
    let order = |order: serde_json::Value| {
        let answer = ask(json!({ "terms": { "field": "username", "order": order },
            "aggs": { "n": { "value_count": { "field": "invalidation" } } } }));
        let buckets = answer["buckets"].as_array().unwrap().clone();
        buckets.iter().map(|bucket| bucket["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(order(json!({ "_key": "desc" })), ["carla", "boris", "ana"]);
    assert_eq!(order(json!({ "_count": "asc" })), ["boris", "carla", "ana"]);
    assert_eq!(order(json!([{ "_count": "asc" }, { "_key": "desc" }])), ["carla", "boris", "ana"]);
    assert_eq!(order(json!({ "n": "desc" })), ["ana", "boris", "carla"]);
}

#[test]
fn flags_and_times_have_a_key_as_string() {
    assert_eq!(
        ask(json!({ "terms": { "field": "invalidated" } }))["buckets"],
        json!([{ "key": 0, "key_as_string": "false", "doc_count": 9 }, { "key": 1, "key_as_string": "true", "doc_count": 3 }])
    );
    assert_eq!(
        ask(json!({ "terms": { "field": "expiration", "missing": 0, "size": 2 } }))["buckets"],
        json!([{ "key": 0, "key_as_string": "0", "doc_count": 4 },
            { "key": 31 * DAY, "key_as_string": (31 * DAY).to_string(), "doc_count": 1 }])
    );
}

#[test]
fn metadata_is_counted_by_leaf() {
    let buckets = |field: &str| ask(json!({ "terms": { "field": field, "size": 3 } }))["buckets"].clone();
    assert_eq!(buckets("metadata.tags"), json!([{ "key": "a", "doc_count": 11 }, { "key": "b", "doc_count": 11 }]));
    assert_eq!(buckets("metadata.o.n")[0], json!({ "key": "0", "doc_count": 4 }));
    assert_eq!(buckets("metadata.o"), json!([]));
    assert_eq!(ask(json!({ "missing": { "field": "metadata.team" } })), json!({ "doc_count": 1 }));
    assert_eq!(ask(json!({ "value_count": { "field": "metadata" } })), json!({ "value": 44 }));
    assert_eq!(ask(json!({ "cardinality": { "field": "metadata.team" } })), json!({ "value": 2 }));
}

#[test]
fn terms_that_no_key_found_has_are_there_when_asked_for() {
    let cluster = cluster();
    let aggs = read(&json!({ "a": { "terms": { "field": "username", "min_doc_count": 0 } } }));
    let docs: Vec<_> = cluster.keys().iter().filter(|key| key.username == "carla").collect();
    let answer = run(&aggs, &docs, &Around::new(&cluster, NOW, true)).unwrap();
    assert_eq!(
        answer["sterms#a"]["buckets"],
        json!([{ "key": "carla", "doc_count": 3 }, { "key": "ana", "doc_count": 0 }, { "key": "boris", "doc_count": 0 }])
    );
}

#[test]
fn ranges_come_by_their_beginning_and_may_overlap() {
    let ranges = json!([{ "from": 2 * DAY }, { "to": 2 * DAY, "key": "old" }, { "to": DAY }]);
    assert_eq!(
        ask(json!({ "range": { "field": "creation", "ranges": ranges } }))["buckets"],
        json!([
            { "key": "*-86400000", "to": 86_400_000.0, "to_as_string": "86400000", "doc_count": 1 },
            { "key": "old", "to": 172_800_000.0, "to_as_string": "172800000", "doc_count": 2 },
            { "key": "172800000-*", "from": 172_800_000.0, "from_as_string": "172800000", "doc_count": 10 },
        ])
    );
    let dates = json!({ "field": "creation", "keyed": true, "format": "yyyy-MM-dd", "time_zone": "+01:00",
        "ranges": [{ "from": "1970-01-03", "to": "1970-01-05" }] });
    assert_eq!(
        ask(json!({ "date_range": dates }))["buckets"],
        json!({ "1970-01-03-1970-01-05": { "from": 169_200_000.0, "from_as_string": "1970-01-03",
            "to": 342_000_000.0, "to_as_string": "1970-01-05", "doc_count": 2 } })
    );
    assert_eq!(
        ask(json!({ "range": { "field": "invalidated", "ranges": [{ "from": 0, "to": 1 }] } }))["buckets"],
        json!([{ "key": "false-true", "from": 0.0, "from_as_string": false, "to": 1.0, "to_as_string": true, "doc_count": 9 }])
    );
}

#[test]
fn filters_come_by_name_with_the_rest_at_the_end() {
    let named = json!({ "z": { "term": { "invalidated": true } }, "b": { "term": { "username": "boris" } } });
    let answer = ask(json!({ "filters": { "filters": named, "other_bucket": true },
        "aggs": { "m": { "missing": { "field": "expiration" } } } }));
    assert_eq!(
        answer["buckets"].to_string(),
        json!({ "b": { "doc_count": 3, "m": { "doc_count": 1 } }, "z": { "doc_count": 3, "m": { "doc_count": 1 } },
            "_other_": { "doc_count": 6, "m": { "doc_count": 2 } } })
        .to_string()
    );
    let anonymous = json!([{ "match_all": {} }, { "term": { "invalidated": true } }]);
    assert_eq!(
        ask(json!({ "filters": { "filters": anonymous } }))["buckets"],
        json!([{ "doc_count": 12 }, { "doc_count": 3 }])
    );
}

#[test]
fn composite_buckets_come_in_pages() {
    let sources = json!([{ "u": { "terms": { "field": "username" } } }, { "i": { "terms": { "field": "invalidated", "order": "desc" } } }]);
    let mut after = serde_json::Value::Null;
    let mut seen = Vec::new();
    loop {
        let mut asked = json!({ "composite": { "size": 2, "sources": sources } });
        if !after.is_null() {
            asked["composite"]["after"] = after;
        }
        let answer = ask(asked);
        let buckets = answer["buckets"].as_array().unwrap();
        seen.extend(buckets.iter().map(|bucket| (bucket["key"].clone(), bucket["doc_count"].clone())));
        after = answer["after_key"].clone();
        if after.is_null() {
            break;
        }
        assert_eq!(after, buckets.last().unwrap()["key"]);
    }
    let wanted = [("ana", true, 3), ("ana", false, 3), ("boris", false, 3), ("carla", false, 3)];
    assert_eq!(seen, wanted.map(|(name, gone, count)| (json!({ "u": name, "i": gone }), json!(count))));
}

#[test]
fn a_composite_of_dates_is_a_timeline() {
    let dates = |more: serde_json::Value| {
        let mut asked = json!({ "field": "expiration", "calendar_interval": "week" });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ask(json!({ "composite": { "size": 3, "sources": [{ "d": { "date_histogram": asked } }] } }))
    };
    let monday = 32 * DAY;
    assert_eq!(monday, 2_764_800_000);
    assert_eq!(
        dates(json!({}))["buckets"],
        json!([{ "key": { "d": 25 * DAY }, "doc_count": 1 }, { "key": { "d": monday }, "doc_count": 5 }, { "key": { "d": 39 * DAY }, "doc_count": 2 }])
    );
    assert_eq!(dates(json!({ "missing_bucket": true }))["buckets"][0], json!({ "key": { "d": null }, "doc_count": 4 }));
    assert_eq!(
        dates(json!({ "missing_bucket": true, "order": "desc", "format": "yyyy-MM-dd", "time_zone": "Europe/Berlin" }))
            ["buckets"][0],
        json!({ "key": { "d": "1970-02-09" }, "doc_count": 2 })
    );
}

#[test]
fn what_the_server_refuses_is_refused_in_its_words() {
    for (agg, words) in [
        (json!({ "stats": { "field": "creation" } }), "Unsupported API Keys agg [a] of type [stats]"),
        (json!({ "max_bucket": { "buckets_path": "x" } }), "Unsupported aggregation of type [max_bucket]"),
        (json!({ "nope": {} }), "[1:14] unknown field [nope]"),
        (json!({ "terms": { "field": "id" } }), "Field [id] is not allowed for querying or aggregation"),
        (json!({ "terms": {} }), "Required one of fields [field, script], but none were specified."),
        (json!({ "terms": { "field": "name", "size": 0 } }), "[size] must be greater than 0. Found [0] in [a]"),
        (
            json!({ "range": { "field": "username", "ranges": [{ "to": 5 }] } }),
            "Field [creator.principal] of type [keyword] is not supported for aggregation [range]",
        ),
        (json!({ "range": { "field": "creation" } }), "No [ranges] specified for the [a] aggregation"),
        (
            json!({ "terms": { "field": "name" }, "aggs": { "b": { "top_hits": {} } } }),
            "Unsupported API Keys agg [b] of type [top_hits]",
        ),
        (
            json!({ "cardinality": { "field": "name" }, "aggs": { "b": { "missing": { "field": "name" } } } }),
            "Aggregator [a] of type [cardinality] cannot accept sub-aggregations",
        ),
        (
            json!({ "composite": { "sources": [{ "d": { "date_histogram": { "field": "creation", "calendar_interval": "2d" } } }] } }),
            "The supplied interval [2d] could not be parsed as a calendar interval.",
        ),
        (
            json!({ "composite": { "size": 65_537, "sources": [{ "u": { "terms": { "field": "name" } } }] } }),
            "Trying to create too many buckets. Must be less than or equal to: [65536] but was [65537]. This limit can be set by changing the [search.max_buckets] cluster level setting.",
        ),
    ] {
        assert_eq!(refused(agg.clone()), words, "{agg}");
    }
}
