//! What a server refuses to count, and in which words: a wrong status or another sentence would mislead whoever tries
//! a question on the sandbox first.

use keybearer::model::version::Version;
use serde_json::{Value, json};

use crate::server::{Answer, every_server};

/// What is refused: the aggregation, the status, the type of the whole, and words of the sentence that matters.
fn refused() -> Vec<(Value, u16, &'static str, &'static str)> {
    let dates = |source: Value| json!({ "composite": { "sources": [{ "d": { "date_histogram": source } }] } });
    let names = |more: Value| {
        let mut composite = json!({ "sources": [{ "u": { "terms": { "field": "username" } } }] });
        composite.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "composite": composite })
    };
    let (plain, content, shard) =
        ("illegal_argument_exception", "x_content_parse_exception", "search_phase_execution_exception");
    let mut cases = vec![
        (json!({ "no_such": {} }), 400, content, "Unknown aggregation type [no_such]"),
        (json!({ "max_bucket": { "buckets_path": "x" } }), 400, plain, "Unsupported aggregation of type [max_bucket]"),
        (
            json!({ "terms": { "field": "name" }, "aggs": { "b": { "stats": { "field": "creation" } } } }),
            400,
            plain,
            "Unsupported API Keys agg [b] of type [stats]",
        ),
        (json!({ "terms": { "script": "1" } }), 400, plain, "Unsupported script value source for [a] agg"),
        (json!({ "terms": {} }), 400, content, "Required one of fields [field, script], but none were specified."),
        (
            json!({ "terms": { "field": "name", "size": 0 } }),
            400,
            content,
            "[size] must be greater than 0. Found [0] in [a]",
        ),
        (json!({ "terms": { "field": "name", "foo": 1 } }), 400, content, "[terms] unknown field [foo]"),
        (
            json!({ "terms": { "field": "name", "order": { "_count": "up" } } }),
            400,
            content,
            "Unknown order direction [up]",
        ),
        (
            json!({ "terms": { "field": "name", "order": { "zz": "asc" } } }),
            400,
            shard,
            "The provided aggregation [zz] either does not exist",
        ),
        (
            json!({ "range": { "field": "username", "ranges": [{ "to": 1 }] } }),
            400,
            shard,
            "Field [creator.principal] of type [keyword] is not supported for aggregation [range]",
        ),
        (
            json!({ "date_range": { "field": "metadata.x", "ranges": [{ "to": 1 }] } }),
            400,
            shard,
            "Field [metadata_flattened._keyed] of type [flattened] is not supported for aggregation [date_range]",
        ),
        (json!({ "range": { "field": "creation" } }), 400, shard, "No [ranges] specified for the [a] aggregation"),
        (
            json!({ "date_range": { "field": "creation", "ranges": [{ "to": "2026-01-01" }] } }),
            400,
            shard,
            "failed to parse date field [2026-01-01] with format [epoch_millis]",
        ),
        (
            json!({ "date_range": { "field": "creation", "time_zone": "No/Where", "ranges": [{ "to": 1 }] } }),
            400,
            content,
            "Unknown time-zone ID: No/Where",
        ),
        (
            json!({ "filter": { "regexp": { "name": "x" } } }),
            400,
            plain,
            "Query type [regexp] is not currently supported",
        ),
        (
            json!({ "filter": { "term": { "id": "x" } } }),
            400,
            plain,
            "Field [id] is not allowed for querying or aggregation",
        ),
        (json!({ "filters": { "filters": {} } }), 400, content, "[filters] cannot be empty."),
        (
            json!({ "value_count": { "field": "name" }, "aggs": { "b": { "missing": { "field": "name" } } } }),
            400,
            content,
            "Aggregator [a] of type [value_count] cannot accept sub-aggregations",
        ),
        (
            dates(json!({ "field": "creation", "calendar_interval": "2d" })),
            400,
            content,
            "The supplied interval [2d] could not be parsed as a calendar interval.",
        ),
        (
            dates(json!({ "field": "creation", "fixed_interval": "1w" })),
            400,
            content,
            "with value [1w] as a time value",
        ),
        (
            dates(json!({ "field": "creation", "fixed_interval": "0d" })),
            400,
            shard,
            "Zero or negative time interval not supported",
        ),
        (
            dates(json!({ "field": "creation" })),
            400,
            shard,
            "Invalid interval specified, must be non-null and non-empty",
        ),
        (
            dates(json!({ "field": "username", "fixed_interval": "1d" })),
            400,
            shard,
            "Field [creator.principal] of type [keyword] is not supported for aggregation [date_histogram]",
        ),
        (names(json!({ "size": 65_537 })), 400, shard, "Trying to create too many buckets."),
        (names(json!({ "after": { "v": "x" } })), 400, shard, "Missing value for [after.u]"),
        (names(json!({ "after": { "u": 5 } })), 400, shard, "invalid value, expected string, got Integer"),
        (names(json!({ "sources": [] })), 400, content, "Composite [sources] cannot be null or empty"),
        (
            json!({ "missing": { "field": "name" }, "aggs": { "b": names(json!({})) } }),
            400,
            shard,
            "[composite] aggregation cannot be used with a parent aggregation of type: [MissingAggregatorFactory]",
        ),
        (json!({}), 400, content, "Missing definition for aggregation [a]"),
    ];
    for kind in ["stats", "min", "max", "avg", "sum", "percentiles", "extended_stats"] {
        cases.push((json!({ kind: { "field": "creation" } }), 400, plain, "Unsupported API Keys agg [a] of type ["));
    }
    cases.push((json!({ "top_hits": {} }), 400, plain, "Unsupported API Keys agg [a] of type [top_hits]"));
    cases.push((
        json!({ "histogram": { "field": "creation", "interval": 5 } }),
        400,
        plain,
        "agg [a] of type [histogram]",
    ));
    let histogram = json!({ "date_histogram": { "field": "creation", "fixed_interval": "1d" } });
    cases.push((histogram, 400, plain, "Unsupported API Keys agg [a] of type [date_histogram]"));
    for field in ["id", "role_descriptors", "realm", "creation_time", "creator.principal", "api_key_hash", "nope"] {
        cases.push((
            json!({ "terms": { "field": field } }),
            400,
            plain,
            "] is not allowed for querying or aggregation",
        ));
    }
    cases.push((
        json!({ "terms": { "field": "metadata.*" } }),
        400,
        plain,
        "Field name pattern [metadata.*] is not allowed",
    ));
    cases
}

#[test]
fn what_a_server_refuses_it_refuses_in_these_words() {
    every_server(async |server| {
        if server.version < Version::new(8, 14, 0) {
            return server.lacks("aggregations");
        }
        for (agg, status, kind, words) in refused() {
            let answer: Answer = server.query(json!({ "size": 0, "aggs": { "a": agg } })).await;
            assert_eq!(answer.body["error"]["type"], kind, "{agg}: {}", answer.body);
            let said = answer.refused(status);
            assert!(said.contains(&words.replace('"', "\\\"")), "{agg}: {said}");
        }
        let both = json!({ "aggs": {}, "aggregations": {} });
        assert!(server.query(both).await.refused(400).contains("Duplicate 'aggs' or 'aggregations' field"));
        assert!(server.query(json!({ "aggs": [] })).await.refused(400).contains("START_ARRAY"));
    });
}
