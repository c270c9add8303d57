//! Differences that are known: each with a name, and why it stays. A difference that none of them means fails the test.

use super::Difference;
use serde_json::Value;

/// A known difference.
struct Known {
    name: &'static str,
    /// Why it stays.
    reason: &'static str,
    is: fn(&Difference) -> bool,
}

const KNOWN: &[Known] = &[
    Known {
        name: "refused in words of its own",
        reason: "the practice cluster does not do it, says so with the type not_in_the_practice_cluster, and its help lists it",
        is: |difference| difference.is_own_refusal() && difference.status.0 == 400,
    },
    Known {
        name: "what a built-in role is for",
        reason: "the rights are the real ones, the sentences about them are our own",
        is: |difference| difference.sent.path.starts_with("/_security/role") && difference.is_only_in(&["description"]),
    },
    Known {
        name: "broken JSON behind another mistake",
        reason: "Elasticsearch reads as it goes and names the first mistake; here the whole JSON is read first",
        is: |difference| difference.is_bad_json() && difference.status == (400, 400),
    },
    Known {
        name: "settings like one that nobody knows",
        reason: "the server suggests names of its own long list, of which the practice cluster has the beginning",
        is: |difference| {
            let unknown = |body: &Value| {
                let reason = body["error"]["reason"].as_str()?.strip_prefix("unknown setting [")?;
                reason.split_once(']').map(|(name, _)| name.to_owned())
            };
            let names = [&difference.bodies.0, &difference.bodies.1].map(unknown);
            names[0].is_some() && names[0] == names[1] && difference.is_only_in(&["reason"])
        },
    },
    Known {
        name: "one range that holds all keys",
        reason: "9.5.3 counts 0 in an aggregation of one range without others below it that holds every key, once the \
                 index has grown; two ranges or an aggregation below are counted right",
        is: |difference| {
            let body = difference.sent.body.as_deref().unwrap_or_default();
            let buckets = difference.bodies.1["aggregations"].as_object().and_then(|aggs| aggs.values().next());
            body.contains(r#""range":{"field":"creation","ranges":[{"from":0}]}"#)
                && buckets.is_some_and(|agg| agg["buckets"][0]["doc_count"] == 0)
                && difference.is_only_in(&["doc_count"])
        },
    },
    Known {
        name: "shards that are passed over",
        reason: "the server sorts nothing in a shard of which it knows before that it holds no hit; here such a shard may \
                 fail, in the answer or, where all do, as a refusal (400 for 200)",
        is: |difference| {
            let real = &difference.bodies.1;
            let passed = difference.status.1 == 200
                && difference.sent.path.contains("/_search?")
                && real["_shards"]["skipped"].as_u64().is_some_and(|skipped| skipped > 0);
            let shards = ["skipped", "max_score", "failed", "failures", "successful"];
            let refused_sorts = || {
                let roots = difference.bodies.0["error"]["root_cause"].as_array();
                roots.is_some_and(|roots| {
                    roots.iter().all(|root| {
                        root["reason"].as_str().is_some_and(|reason| reason.starts_with("No mapping found for ["))
                    })
                })
            };
            let no_hit = real["hits"]["total"]["value"] == 0;
            passed && (difference.is_only_in(&shards) || difference.status.0 == 400 && no_hit && refused_sorts())
        },
    },
];

/// The name of a known difference.
pub fn name(difference: &Difference) -> Option<&'static str> {
    KNOWN.iter().find(|known| (known.is)(difference)).map(|known| known.name)
}

/// Names and reasons of all known differences.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    KNOWN.iter().map(|known| (known.name, known.reason))
}
