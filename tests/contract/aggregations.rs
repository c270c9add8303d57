//! What the overview asks of a server: keys counted in buckets, answers cut by `filter_path`, rows by the thousand.
//! What of it is refused is in `aggregations_refused`.

use keybearer::model::{api_key::KeyId, version::Version};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, every_server, superuser, unique};

const DAY: i64 = 86_400_000;

/// Six keys of one name's beginning: 0 never ends, 1 and 2 end in a day, 3 and 4 in forty, 5 in four hundred; the
/// last is invalidated.
struct Six<'a> {
    server: &'a Server,
    prefix: String,
    ids: Vec<KeyId>,
}

/// Makes six keys, asks a case of them, and invalidates them.
async fn with_six(server: &Server, case: impl AsyncFn(&Six)) {
    if server.version < Version::new(8, 14, 0) {
        return server.lacks("aggregations");
    }
    let prefix = unique("counted");
    let mut six = Six { server, prefix, ids: Vec::new() };
    for (number, expiration) in
        [None, Some("1d"), Some("1d"), Some("40d"), Some("40d"), Some("400d")].iter().enumerate()
    {
        let team = ["a", "b"][number % 2];
        let mut body = json!({ "name": format!("{}-{number}", six.prefix), "role_descriptors": { "none": {} },
            "metadata": { "suite": six.prefix, "team": team, "tags": ["x", "y", number.to_string()] } });
        if let Some(expiration) = expiration {
            body["expiration"] = json!(expiration);
        }
        let refresh = if number == 5 { "" } else { "?refresh=false" };
        six.ids.push(server.post_key(&superuser(), refresh, body).await.id);
    }
    six.invalidate(&six.ids[5..]).await;
    case(&six).await;
    six.invalidate(&six.ids[..5]).await;
}

impl Six<'_> {
    async fn invalidate(&self, ids: &[KeyId]) {
        let ids: Vec<&str> = ids.iter().map(KeyId::as_str).collect();
        let answer = self.server.call(Method::DELETE, "/_security/api_key", Some(json!({ "ids": ids }))).await.ok();
        assert_eq!(answer["invalidated_api_keys"].as_array().unwrap().len(), ids.len());
    }

    fn query(&self) -> Value {
        json!({ "prefix": { "name": self.prefix } })
    }

    /// The answer to one aggregation over the six.
    async fn ask(&self, agg: Value) -> Value {
        let body = json!({ "size": 0, "query": self.query(), "aggs": { "a": agg } });
        let answer = self.server.query(body).await.ok();
        assert_eq!((&answer["total"], &answer["count"], &answer["api_keys"]), (&json!(6), &json!(0), &json!([])));
        answer["aggregations"]["a"].clone()
    }

    /// The counts of an aggregation's buckets, with their keys.
    async fn counts(&self, agg: Value) -> Vec<(Value, i64)> {
        let answer = self.ask(agg).await;
        let buckets = answer["buckets"].as_array().unwrap_or_else(|| panic!("{answer}"));
        buckets.iter().map(|bucket| (bucket["key"].clone(), bucket["doc_count"].as_i64().unwrap())).collect()
    }

    /// When the keys were made, and when they end, in their order.
    async fn times(&self, field: &str) -> Vec<Option<i64>> {
        let body = json!({ "size": 10, "query": self.query(), "sort": ["name"] });
        let answer = self.server.query(body).await.ok();
        answer["api_keys"].as_array().unwrap().iter().map(|key| key[field].as_i64()).collect()
    }
}

#[test]
fn terms_are_counted_by_count_or_by_key_and_the_rest_is_told() {
    every_server(async |server| {
        with_six(server, async |six| {
            assert_eq!(
                six.ask(json!({ "terms": { "field": "metadata.team" } })).await,
                json!({ "doc_count_error_upper_bound": 0, "sum_other_doc_count": 0,
                    "buckets": [{ "key": "a", "doc_count": 3 }, { "key": "b", "doc_count": 3 }] })
            );
            assert_eq!(
                six.ask(json!({ "terms": { "field": "metadata.tags", "size": 1, "order": { "_key": "desc" } } })).await,
                json!({ "doc_count_error_upper_bound": 0, "sum_other_doc_count": 12,
                    "buckets": [{ "key": "y", "doc_count": 6 }] })
            );
            let by_count = json!({ "terms": { "field": "metadata.tags", "size": 3, "order": { "_count": "desc" } } });
            assert_eq!(six.counts(by_count).await, [(json!("x"), 6), (json!("y"), 6), (json!("0"), 1)]);
            let often = json!({ "terms": { "field": "metadata.tags", "min_doc_count": 2 } });
            assert_eq!(six.counts(often).await, [(json!("x"), 6), (json!("y"), 6)]);
            let missing = json!({ "terms": { "field": "metadata.none", "missing": "no one" } });
            assert_eq!(six.counts(missing).await, [(json!("no one"), 6)]);
            for (field, value) in [("username", "elastic"), ("realm_name", "reserved"), ("type", "rest")] {
                assert_eq!(six.counts(json!({ "terms": { "field": field } })).await, [(json!(value), 6)], "{field}");
            }
            assert_eq!(six.counts(json!({ "terms": { "field": "name" } })).await.len(), 6);
        })
        .await;
    });
}

#[test]
fn flags_and_times_have_numbers_as_keys_and_words_beside_them() {
    every_server(async |server| {
        with_six(server, async |six| {
            assert_eq!(
                six.ask(json!({ "terms": { "field": "invalidated" } })).await["buckets"],
                json!([{ "key": 0, "key_as_string": "false", "doc_count": 5 },
                    { "key": 1, "key_as_string": "true", "doc_count": 1 }])
            );
            let at = six.times("invalidation").await[5].unwrap();
            assert_eq!(
                six.ask(json!({ "terms": { "field": "invalidation" } })).await["buckets"],
                json!([{ "key": at, "key_as_string": at.to_string(), "doc_count": 1 }])
            );
            let missing = json!({ "terms": { "field": "invalidation", "missing": 0 } });
            assert_eq!(six.counts(missing).await, [(json!(0), 5), (json!(at), 1)]);
        })
        .await;
    });
}

#[test]
fn values_are_counted_and_missing_ones_too() {
    every_server(async |server| {
        with_six(server, async |six| {
            for (agg, answer) in [
                (json!({ "missing": { "field": "expiration" } }), json!({ "doc_count": 1 })),
                (json!({ "missing": { "field": "metadata.none" } }), json!({ "doc_count": 6 })),
                (json!({ "missing": { "field": "metadata.team" } }), json!({ "doc_count": 0 })),
                (json!({ "value_count": { "field": "expiration" } }), json!({ "value": 5 })),
                (json!({ "value_count": { "field": "invalidation" } }), json!({ "value": 1 })),
                (json!({ "value_count": { "field": "metadata.tags" } }), json!({ "value": 18 })),
                (json!({ "cardinality": { "field": "name" } }), json!({ "value": 6 })),
                (json!({ "cardinality": { "field": "username" } }), json!({ "value": 1 })),
                (json!({ "cardinality": { "field": "invalidated" } }), json!({ "value": 2 })),
            ] {
                assert_eq!(six.ask(agg.clone()).await, answer, "{agg}");
            }
        })
        .await;
    });
}

#[test]
fn ranges_hold_their_beginning_and_not_their_end() {
    every_server(async |server| {
        with_six(server, async |six| {
            let made = six.times("creation").await[0].unwrap();
            let ranges = json!([{ "from": made, "key": "since" }, { "to": made }]);
            #[expect(clippy::cast_precision_loss, reason = "the answer has doubles")]
            let double = made as f64;
            assert_eq!(
                six.ask(json!({ "range": { "field": "creation", "ranges": ranges } })).await["buckets"],
                json!([{ "key": format!("*-{made}"), "to": double, "to_as_string": made.to_string(), "doc_count": 0 },
                    { "key": "since", "from": double, "from_as_string": made.to_string(), "doc_count": 6 }])
            );
            let dates = json!({ "field": "expiration", "keyed": true, "ranges": [
                { "key": "gone", "to": "now" }, { "key": "week", "from": "now", "to": "now+7d" },
                { "key": "later", "from": "now+7d" }] });
            let answer = six.ask(json!({ "date_range": dates })).await;
            let count = |key: &str| answer["buckets"][key]["doc_count"].as_i64();
            assert_eq!((count("gone"), count("week"), count("later")), (Some(0), Some(2), Some(3)), "{answer}");
            let text = answer["buckets"]["week"]["from_as_string"].as_str().unwrap();
            assert_eq!(text.parse::<i64>().ok(), answer["buckets"]["week"]["from"].as_f64().map(|from| from as i64));
        })
        .await;
    });
}

#[test]
fn filters_split_by_any_query_and_keep_the_rest() {
    every_server(async |server| {
        with_six(server, async |six| {
            let alone = json!({ "filter": { "bool": { "must_not": { "term": { "invalidated": true } } } } });
            assert_eq!(six.ask(alone).await, json!({ "doc_count": 5 }));
            let named = json!({ "soon": { "range": { "expiration": { "lt": "now+2d" } } },
                "gone": { "term": { "invalidated": true } } });
            let answer = six.ask(json!({ "filters": { "filters": named, "other_bucket": true } })).await;
            assert_eq!(
                answer,
                json!({ "buckets": { "gone": { "doc_count": 1 }, "soon": { "doc_count": 2 }, "_other_": { "doc_count": 3 } } })
            );
            let names: Vec<&String> = answer["buckets"].as_object().unwrap().keys().collect();
            assert_eq!(names, ["gone", "soon", "_other_"], "they come by name");
            let anonymous = json!({ "filters": { "filters": [{ "match_all": {} }, { "term": { "name": "x" } }] } });
            assert_eq!(six.ask(anonymous).await, json!({ "buckets": [{ "doc_count": 6 }, { "doc_count": 0 }] }));
        })
        .await;
    });
}

#[test]
fn composite_buckets_come_in_pages_that_follow_each_other() {
    every_server(async |server| {
        with_six(server, async |six| {
            let sources = json!([{ "t": { "terms": { "field": "metadata.team", "order": "desc" } } },
                { "i": { "terms": { "field": "invalidated" } } }]);
            let (mut after, mut seen) = (None, Vec::new());
            loop {
                let mut asked = json!({ "size": 2, "sources": sources });
                if let Some(after) = after.take() {
                    asked["after"] = after;
                }
                let answer = six.ask(json!({ "composite": asked })).await;
                let buckets = answer["buckets"].as_array().unwrap();
                seen.extend(
                    buckets.iter().map(|bucket| (bucket["key"].clone(), bucket["doc_count"].as_i64().unwrap())),
                );
                let Some(last) = buckets.last() else {
                    assert_eq!(answer, json!({ "buckets": [] }), "an empty page has no end");
                    break;
                };
                assert_eq!(answer["after_key"], last["key"]);
                after = Some(answer["after_key"].clone());
            }
            let wanted = [("b", false, 2), ("b", true, 1), ("a", false, 3)];
            assert_eq!(seen, wanted.map(|(team, gone, count)| (json!({ "t": team, "i": gone }), count)));
        })
        .await;
    });
}

#[test]
fn a_composite_of_dates_is_a_timeline_in_any_zone() {
    every_server(async |server| {
        with_six(server, async |six| {
            let ends = six.times("expiration").await;
            let timeline = async |more: Value| {
                let mut source = json!({ "field": "expiration" });
                source.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                let sources = json!([{ "d": { "date_histogram": source } }]);
                six.counts(json!({ "composite": { "size": 100, "sources": sources } })).await
            };
            let wanted = |begin: &dyn Fn(i64) -> i64| {
                let mut begins: Vec<i64> = ends.iter().flatten().map(|end| begin(*end)).collect();
                begins.dedup();
                let count = |begin_of: i64| ends.iter().flatten().filter(|end| begin(**end) == begin_of).count() as i64;
                begins.iter().map(|at| (json!({ "d": at }), count(*at))).collect::<Vec<_>>()
            };
            let fixed = |length: i64, shift: i64| move |at: i64| (at + shift).div_euclid(length) * length - shift;
            assert_eq!(timeline(json!({ "fixed_interval": "1d" })).await, wanted(&fixed(DAY, 0)));
            assert_eq!(timeline(json!({ "calendar_interval": "day" })).await, wanted(&fixed(DAY, 0)));
            // 1970 began on a Thursday, and weeks begin on Mondays.
            assert_eq!(timeline(json!({ "calendar_interval": "1w" })).await, wanted(&fixed(7 * DAY, 3 * DAY)));
            let zoned = json!({ "fixed_interval": "12h", "time_zone": "+05:30" });
            assert_eq!(timeline(zoned).await, wanted(&fixed(DAY / 2, 19_800_000)));
            let months =
                timeline(json!({ "calendar_interval": "month", "time_zone": "Europe/Berlin", "format": "yyyy-MM-dd" }))
                    .await;
            assert!(months.iter().all(|(key, _)| key["d"].as_str().unwrap().ends_with("-01")), "{months:?}");
            assert_eq!(months.iter().map(|(_, count)| count).sum::<i64>(), 5);
            let missing = timeline(json!({ "calendar_interval": "year", "missing_bucket": true })).await;
            assert_eq!(missing[0], (json!({ "d": null }), 1));
            let last =
                timeline(json!({ "calendar_interval": "year", "missing_bucket": true, "missing_order": "last" })).await;
            assert_eq!(last.last(), Some(&(json!({ "d": null }), 1)));
        })
        .await;
    });
}

#[test]
fn a_timeline_reaches_as_far_as_a_key_does() {
    every_server(async |server| {
        if server.version < Version::new(8, 14, 0) {
            return server.lacks("aggregations");
        }
        let name = unique("endless");
        let body = json!({ "name": name, "expiration": "999999999d", "role_descriptors": { "none": {} } });
        let key = server.post_key(&superuser(), "", body).await;
        let source = json!([{ "d": { "date_histogram": { "field": "expiration", "calendar_interval": "week" } } }]);
        let body = json!({ "size": 0, "query": { "term": { "name": name } }, "aggs": { "a": { "composite": { "sources": source } } } });
        let answer = server.query(body).await.ok();
        let monday = (key.expires.unwrap().as_millis() + 3 * DAY).div_euclid(7 * DAY) * 7 * DAY - 3 * DAY;
        let ids = json!({ "ids": [key.id.as_str()] });
        server.call(Method::DELETE, "/_security/api_key", Some(ids)).await.ok();
        assert_eq!(answer["aggregations"]["a"]["buckets"], json!([{ "key": { "d": monday }, "doc_count": 1 }]));
    });
}

#[test]
fn buckets_are_asked_further_and_ordered_by_the_answers() {
    every_server(async |server| {
        with_six(server, async |six| {
            let subs = json!({ "ending": { "value_count": { "field": "expiration" } }, "gone": { "terms": { "field": "invalidated" } } });
            let agg = json!({ "terms": { "field": "metadata.team", "order": { "ending": "desc" } }, "aggs": subs });
            assert_eq!(
                six.ask(agg).await["buckets"],
                json!([
                    { "key": "b", "doc_count": 3, "ending": { "value": 3 }, "gone": { "doc_count_error_upper_bound": 0,
                        "sum_other_doc_count": 0, "buckets": [{ "key": 0, "key_as_string": "false", "doc_count": 2 },
                        { "key": 1, "key_as_string": "true", "doc_count": 1 }] } },
                    { "key": "a", "doc_count": 3, "ending": { "value": 2 }, "gone": { "doc_count_error_upper_bound": 0,
                        "sum_other_doc_count": 0, "buckets": [{ "key": 0, "key_as_string": "false", "doc_count": 3 }] } },
                ])
            );
            let below = json!({ "missing": { "field": "expiration" }, "aggs": { "t": { "terms": { "field": "metadata.team" } } } });
            assert_eq!(six.ask(below).await["t"]["buckets"], json!([{ "key": "a", "doc_count": 1 }]));
        })
        .await;
    });
}

#[test]
fn where_nothing_is_found_aggregations_are_not_answered() {
    every_server(async |server| {
        if server.version < Version::new(8, 14, 0) {
            return server.lacks("aggregations");
        }
        let body = json!({ "size": 0, "query": { "term": { "name": unique("nobody") } },
            "aggs": { "a": { "missing": { "field": "expiration" } } } });
        assert_eq!(server.query(body).await.ok(), json!({ "total": 0, "count": 0, "api_keys": [] }));
    });
}

#[test]
fn an_answer_is_cut_to_the_fields_wanted() {
    every_server(async |server| {
        with_six(server, async |six| {
            let cut = async |path: &str, size: i64| {
                let body = json!({ "size": size, "query": six.query(), "sort": ["name"],
                    "aggs": { "a": { "terms": { "field": "type" } } } });
                let path = format!("/_security/_query/api_key?filter_path={path}");
                six.server.call(Method::POST, &path, Some(body)).await.ok()
            };
            let first = six.ids[0].as_str();
            assert_eq!(cut("total,api_keys.id", 1).await, json!({ "total": 6, "api_keys": [{ "id": first }] }));
            assert_eq!(
                cut("api_keys._sort,aggregations.*.buckets.doc_count", 1).await,
                json!({ "api_keys": [{ "_sort": [format!("{}-0", six.prefix)] }],
                    "aggregations": { "a": { "buckets": [{ "doc_count": 6 }] } } })
            );
            assert_eq!(cut("total,api_keys.id", 0).await, json!({ "total": 6 }), "of an empty list nothing is left");
            assert_eq!(
                cut("total,api_keys", 0).await,
                json!({ "total": 6, "api_keys": [] }),
                "but for the list itself"
            );
            assert_eq!(cut("-aggregations,-api_keys.id", 0).await, json!({ "total": 6, "count": 0, "api_keys": [] }));
            assert_eq!(cut("-aggregations.a.*,-api_keys.*", 1).await, json!({ "total": 6, "count": 1 }));
            assert_eq!(cut("nothing", 1).await, json!({}));
        })
        .await;
    });
}

#[test]
fn keys_are_found_by_when_they_were_made_and_invalidated() {
    every_server(async |server| {
        with_six(server, async |six| {
            let made = six.times("creation").await;
            let gone = six.times("invalidation").await[5].unwrap();
            let found = async |filter: Value| {
                let query = json!({ "bool": { "filter": [six.query(), filter] } });
                let body = json!({ "query": query, "sort": [{ "invalidation": { "order": "desc" } }, { "name": { "order": "asc" } }] });
                let answer = six.server.query(body).await.ok();
                let rows = answer["api_keys"].as_array().unwrap().clone();
                assert_eq!(answer["total"], rows.len());
                rows
            };
            let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
            let id = |place: usize| six.ids[place].as_str().to_owned();
            let rows = found(json!({ "term": { "invalidated": true } })).await;
            assert_eq!(ids(&rows), [id(5)]);
            assert_eq!(rows[0]["_sort"], json!([gone, format!("{}-5", six.prefix)]));
            let exactly = json!({ "range": { "invalidation": { "gte": gone, "lt": gone + 1 } } });
            assert_eq!(ids(&found(exactly).await), [id(5)]);
            assert!(found(json!({ "range": { "invalidation": { "gte": gone + 1 } } })).await.is_empty());
            let first = made[0].unwrap();
            let with_first = made.iter().flatten().filter(|at| **at == first).count();
            let rows = found(json!({ "range": { "creation": { "gte": first, "lt": first + 1 } } })).await;
            assert_eq!(rows.len(), with_first);
            let all = found(json!({ "range": { "creation": { "gte": first, "lte": made[5].unwrap() } } })).await;
            assert_eq!(ids(&all)[..2], [id(5), id(0)], "whoever is not invalidated comes last");
            assert_eq!(all[1]["_sort"][0], i64::MIN);
        })
        .await;
    });
}

#[test]
fn ten_thousand_rows_may_be_asked_for_at_once() {
    every_server(async |server| {
        if server.version < Version::new(8, 14, 0) {
            return server.lacks("aggregations");
        }
        let path = "/_security/_query/api_key?filter_path=total,count,api_keys.id";
        let body = json!({ "size": 10_000, "sort": [{ "creation": { "order": "asc" } }] });
        let answer = server.call(Method::POST, path, Some(body)).await.ok();
        let rows = answer["api_keys"].as_array().unwrap().len() as i64;
        assert_eq!(answer["count"].as_i64(), Some(rows));
        assert_eq!(rows, answer["total"].as_i64().unwrap().min(10_000));
        server.query(json!({ "size": 10_001 })).await.refused(400);
    });
}
