//! Dispatch from method and path to the handler; unsupported requests are refused with Elasticsearch's own messages.

use super::{
    cluster_info,
    context::Context,
    error::{EsError, Outcome, VALIDATION},
    reply::{Body, Reply},
    request::{Request, decode},
};
use crate::sandbox::{
    indices::{self, bulk, cat, documents, field_caps, search},
    keys::{clone, create, cross_cluster, grant, query, read, update},
    security::{app_privileges, authn, authz::Caller, caches, has_privileges, license, roles, users, users_query},
    state::cluster::Cluster,
};
use hyper::HeaderMap;

type Handler = fn(&mut Context) -> Outcome<Reply>;

struct Route {
    methods: &'static [&'static str],
    path: &'static str,
    params: &'static [&'static str],
    has_body: bool,
    run: Handler,
}

const fn route(
    methods: &'static [&'static str],
    path: &'static str,
    params: &'static [&'static str],
    run: Handler,
) -> Route {
    Route { methods, path, params, has_body: false, run }
}

const fn with_body(
    methods: &'static [&'static str],
    path: &'static str,
    params: &'static [&'static str],
    run: Handler,
) -> Route {
    Route { methods, path, params, has_body: true, run }
}

const READ: &[&str] = &["GET", "HEAD"];
const WRITE: &[&str] = &["POST", "PUT"];
const ASK: &[&str] = &["GET", "POST"];
const DELETE: &[&str] = &["DELETE"];
const EXPAND: &[&str] = &[
    "ignore_unavailable",
    "allow_no_indices",
    "expand_wildcards",
    "master_timeout",
    "timeout",
    "local",
    "include_defaults",
    "flat_settings",
    "features",
    "wait_for_active_shards",
    "force",
    "preference",
    "routing",
    "mode",
];
const INDEX_ONE: &[&str] = &[
    "refresh",
    "routing",
    "timeout",
    "op_type",
    "pipeline",
    "wait_for_active_shards",
    "require_alias",
    "require_data_stream",
    "include_source_on_error",
    "version",
    "version_type",
    "if_seq_no",
    "if_primary_term",
];
const DELETE_ONE: &[&str] = &[
    "refresh",
    "routing",
    "timeout",
    "wait_for_active_shards",
    "version",
    "version_type",
    "if_seq_no",
    "if_primary_term",
];
const UPDATE_ONE: &[&str] = &[
    "refresh",
    "routing",
    "timeout",
    "wait_for_active_shards",
    "require_alias",
    "retry_on_conflict",
    "_source",
    "_source_includes",
    "_source_excludes",
    "include_source_on_error",
    "version",
    "version_type",
    "if_seq_no",
    "if_primary_term",
];
const GET_ONE: &[&str] = &[
    "refresh",
    "routing",
    "realtime",
    "preference",
    "stored_fields",
    "_source",
    "_source_includes",
    "_source_excludes",
    "version",
    "version_type",
];
const GET_SOURCE: &[&str] =
    &["refresh", "routing", "realtime", "preference", "_source", "_source_includes", "_source_excludes"];
const BULK: &[&str] = &[
    "refresh",
    "routing",
    "timeout",
    "pipeline",
    "wait_for_active_shards",
    "require_alias",
    "require_data_stream",
    "include_source_on_error",
    "_source",
    "_source_includes",
    "_source_excludes",
];
const CREATE_INDEX: &[&str] = &["timeout", "master_timeout", "wait_for_active_shards"];
const FIELDS: &[&str] = &["fields", "ignore_unavailable", "allow_no_indices", "expand_wildcards"];
const SEARCH: &[&str] = &[
    "ignore_unavailable",
    "allow_no_indices",
    "expand_wildcards",
    "size",
    "from",
    "_source",
    "_source_includes",
    "_source_excludes",
    "track_total_hits",
    "rest_total_hits_as_int",
    "timeout",
    "preference",
    "routing",
    "request_cache",
    "allow_partial_search_results",
    "batched_reduce_size",
    "ccs_minimize_roundtrips",
    "max_concurrent_shard_requests",
    "pre_filter_shard_size",
    "search_type",
    "typed_keys",
    "version",
    "seq_no_primary_term",
    "track_scores",
    "ignore_throttled",
    "terminate_after",
    "min_score",
    "sort",
    "q",
    "df",
    "default_operator",
    "analyzer",
    "analyze_wildcard",
    "lenient",
];

const ROUTES: &[Route] = &[
    route(READ, "/", &[], cluster_info::root),
    route(&["DELETE"], "/", EXPAND, delete_nothing),
    route(&["GET"], "/_security/_authenticate", &[], users::authenticate),
    with_body(ASK, "/_security/user/_has_privileges", &[], has_privileges::has_privileges),
    with_body(ASK, "/_security/user/{name}/_has_privileges", &[], has_privileges::has_privileges),
    route(&["GET"], "/_security/user/_privileges", &[], has_privileges::list_privileges),
    with_body(WRITE, "/_security/user/_password", &["refresh"], users::password),
    with_body(WRITE, "/_security/user/{name}/_password", &["refresh"], users::password),
    route(&["GET"], "/_security/privilege/_builtin", &[], has_privileges::builtin),
    route(&["GET"], "/_security/role", &[], roles::get),
    with_body(&["POST"], "/_security/role", &["refresh"], roles::put_many),
    with_body(DELETE, "/_security/role", &["refresh"], roles::delete_many),
    route(&["GET"], "/_security/privilege", &[], app_privileges::get),
    with_body(WRITE, "/_security/privilege", &["refresh"], app_privileges::put),
    route(&["GET"], "/_security/privilege/{application}", &[], app_privileges::get),
    route(&["GET"], "/_security/privilege/{application}/{name}", &[], app_privileges::get),
    route(DELETE, "/_security/privilege/{application}/{name}", &["refresh"], app_privileges::delete),
    route(&["POST"], "/_security/role/{name}/_clear_cache", &[], caches::roles),
    route(&["POST"], "/_security/realm/{name}/_clear_cache", &["usernames"], caches::realms),
    route(&["POST"], "/_security/api_key/{ids}/_clear_cache", &[], caches::others),
    route(&["POST"], "/_security/privilege/{application}/_clear_cache", &[], caches::others),
    with_body(ASK, "/_security/_query/user", &["with_profile_uid"], users_query::query),
    route(&["GET"], "/_security/role/{name}", &[], roles::get),
    with_body(WRITE, "/_security/role/{name}", &["refresh"], roles::put),
    route(DELETE, "/_security/role/{name}", &["refresh"], roles::delete),
    route(&["GET"], "/_security/user", &["with_profile_uid"], users::get),
    route(&["GET"], "/_security/user/{name}", &["with_profile_uid"], users::get),
    with_body(WRITE, "/_security/user/{name}", &["refresh"], users::put),
    route(DELETE, "/_security/user/{name}", &["refresh"], users::delete),
    route(WRITE, "/_security/user/{name}/_disable", &[], users::disable),
    route(WRITE, "/_security/user/{name}/_enable", &[], users::enable),
    with_body(WRITE, "/_security/api_key", &["refresh"], create::create),
    route(
        &["GET"],
        "/_security/api_key",
        &["id", "name", "username", "realm_name", "owner", "with_limited_by", "with_profile_uid", "active_only"],
        read::get,
    ),
    with_body(DELETE, "/_security/api_key", &[], read::invalidate),
    with_body(&["POST"], "/_security/api_key/_bulk_update", &[], update::bulk_update),
    with_body(&["PUT"], "/_security/api_key/{id}", &[], update::update),
    with_body(WRITE, "/_security/api_key/grant", &["refresh"], grant::grant),
    with_body(WRITE, "/_security/api_key/clone", &["refresh"], clone::clone),
    with_body(&["POST"], "/_security/cross_cluster/api_key", &[], cross_cluster::create),
    with_body(&["PUT"], "/_security/cross_cluster/api_key/{id}", &[], cross_cluster::update),
    route(&["GET"], "/_license", &["local", "accept_enterprise", "master_timeout"], license::get),
    route(
        &["POST"],
        "/_license/start_trial",
        &["acknowledge", "type", "master_timeout", "timeout"],
        license::start_trial,
    ),
    route(&["POST"], "/_license/start_basic", &["acknowledge", "master_timeout", "timeout"], license::start_basic),
    with_body(ASK, "/_security/_query/api_key", &["with_limited_by", "with_profile_uid", "typed_keys"], query::query),
    route(
        &["GET"],
        "/_cluster/health",
        &["timeout", "wait_for_status", "level", "master_timeout", "local"],
        cluster_info::health,
    ),
    route(&["GET"], "/_cat/indices", &["v", "h", "s", "health", "bytes", "expand_wildcards"], cat::indices),
    route(&["GET"], "/_resolve/index/{name}", EXPAND, indices::resolve_index),
    with_body(WRITE, "/_bulk", BULK, bulk::bulk),
    with_body(WRITE, "/{index}/_bulk", BULK, bulk::bulk),
    with_body(ASK, "/_search", SEARCH, search::search),
    with_body(ASK, "/{index}/_search", SEARCH, search::search),
    with_body(ASK, "/_count", SEARCH, search::count),
    with_body(ASK, "/{index}/_count", SEARCH, search::count),
    route(ASK, "/_refresh", EXPAND, indices::refresh),
    route(ASK, "/{index}/_refresh", EXPAND, indices::refresh),
    with_body(ASK, "/_field_caps", FIELDS, field_caps::field_caps),
    with_body(ASK, "/{index}/_field_caps", FIELDS, field_caps::field_caps),
    route(&["GET"], "/_mapping", EXPAND, indices::mapping),
    route(&["GET"], "/{index}/_mapping", EXPAND, indices::mapping),
    with_body(&["POST"], "/{index}/_doc", INDEX_ONE, documents::index),
    with_body(WRITE, "/{index}/_doc/{id}", INDEX_ONE, documents::index),
    with_body(WRITE, "/{index}/_create/{id}", INDEX_ONE, documents::create),
    with_body(&["POST"], "/{index}/_update/{id}", UPDATE_ONE, documents::update),
    route(READ, "/{index}/_doc/{id}", GET_ONE, documents::get),
    route(READ, "/{index}/_source/{id}", GET_SOURCE, documents::source),
    route(DELETE, "/{index}/_doc/{id}", DELETE_ONE, documents::delete),
    route(READ, "/{index}", EXPAND, indices::get),
    with_body(&["PUT"], "/{index}", CREATE_INDEX, indices::create),
    route(DELETE, "/{index}", EXPAND, indices::delete),
];

/// Paths that Elasticsearch answers and the sandbox does not; they must not be taken for index names.
const UNSPOKEN: &[&str] = &[
    "_alias",
    "_aliases",
    "_analyze",
    "_async_search",
    "_autoscaling",
    "_ccr",
    "_component_template",
    "_data_stream",
    "_dangling",
    "_enrich",
    "_eql",
    "_esql",
    "_features",
    "_flush",
    "_fleet",
    "_forcemerge",
    "_health_report",
    "_ilm",
    "_index_template",
    "_inference",
    "_info",
    "_ingest",
    "_logstash",
    "_mget",
    "_migration",
    "_ml",
    "_msearch",
    "_mtermvectors",
    "_nodes",
    "_profiling",
    "_query",
    "_rank_eval",
    "_recovery",
    "_reindex",
    "_remote",
    "_render",
    "_rollup",
    "_scripts",
    "_segments",
    "_settings",
    "_shard_stores",
    "_slm",
    "_snapshot",
    "_sql",
    "_ssl",
    "_stats",
    "_synonyms",
    "_tasks",
    "_template",
    "_transform",
    "_update_by_query",
    "_watcher",
    "_xpack",
];

/// Answers one request; `now` is in epoch milliseconds.
pub fn dispatch(cluster: &mut Cluster, request: &mut Request, headers: &HeaderMap, now: i64) -> Reply {
    let caller = match authn::authenticate(cluster, request, now) {
        Ok(caller) => caller,
        Err(error) => return error.into(),
    };
    if let Err(reply) = request.prepare(headers) {
        return reply;
    }
    run(cluster, &caller, request, now).unwrap_or_else(Reply::from)
}

fn run(cluster: &mut Cluster, caller: &Caller, request: &mut Request, now: i64) -> Outcome<Reply> {
    let path = request.path.strip_suffix('/').unwrap_or(&request.path);
    let spoken_cat = request.path.starts_with("/_cat/indices") || !request.path.starts_with("/_cat");
    let segments: Vec<&str> = path.split('/').skip(1).filter(|segment| path.len() > 1 || !segment.is_empty()).collect();
    let mut fitting: Vec<&Route> = ROUTES.iter().filter(|route| fits(route.path, &segments)).collect();
    if segments.first().is_some_and(|first| UNSPOKEN.contains(first)) || !spoken_cat {
        fitting.clear();
    }
    // A path without placeholders hides those that have one there, whatever the method (as seen on 9.5.3).
    if fitting.iter().any(|route| !route.path.contains('{')) {
        fitting.retain(|route| !route.path.contains('{'));
    }
    let method = request.method.as_str();
    let Some(route) = fitting.iter().find(|route| route.methods.contains(&method)) else {
        return Ok(no_route(request, &fitting));
    };
    let mut arguments = Vec::new();
    for (part, segment) in route.path.split('/').skip(1).zip(&segments) {
        if part.starts_with('{') {
            arguments.push(decode(segment, &request.path)?);
        }
    }
    let unknown = request.params.unknown(route.params);
    let first_refusal = (!unknown.is_empty()).then(|| {
        let plural = if unknown.len() == 1 { "" } else { "s" };
        EsError::illegal(format!(
            "request [{}] contains unrecognized parameter{plural}: [{}]",
            request.path,
            unknown.join("], [")
        ))
    });
    if !route.has_body && !request.body.is_empty() {
        return Err(EsError::illegal(format!("request [{method} {}] does not support having a body", request.path)));
    }
    let Some(refusal) = first_refusal else {
        return (route.run)(&mut Context { cluster, caller, request, now, arguments });
    };
    // As seen on 9.5.3: what is wrong with the body is told before; missing rights, and what validation finds, behind.
    // Nothing is done without looking at rights first.
    let caller = &Caller { first_refusal: Some(refusal.clone()), ..caller.clone() };
    request.params.keep(route.params);
    let outcome = (route.run)(&mut Context { cluster, caller, request, now, arguments });
    Err(outcome.err().filter(|error| error.kind != VALIDATION).unwrap_or(refusal))
}

fn fits(pattern: &str, segments: &[&str]) -> bool {
    let parts: Vec<&str> = pattern.split('/').skip(1).filter(|part| !part.is_empty()).collect();
    parts.len() == segments.len()
        && parts
            .iter()
            .zip(segments)
            .all(|(part, segment)| part == segment || part.starts_with('{') && !segment.is_empty())
}

fn no_route(request: &Request, fitting: &[&Route]) -> Reply {
    let (uri, method) = (&request.uri, &request.method);
    let first = request.path.split(['/', '?']).nth(1).unwrap_or_default();
    let known = UNSPOKEN.contains(&first) || matches!(first, "_security" | "_cat" | "_cluster" | "_license");
    if fitting.is_empty() && known {
        let path = request.path.as_str();
        return EsError::not_done(&format!("[{method} {path}]")).into();
    }
    if fitting.is_empty() {
        return Reply::string_error(400, &format!("no handler found for uri [{uri}] and method [{method}]"), false);
    }
    let allowed: Vec<&str> = ["GET", "POST", "PUT", "DELETE", "HEAD"]
        .into_iter()
        .filter(|method| fitting.iter().any(|route| route.methods.contains(method)))
        .collect();
    let reply = if method == "OPTIONS" {
        Reply { status: 200, headers: Vec::new(), body: Body::Text(String::new()) }
    } else {
        let text =
            format!("Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{}]", allowed.join(", "));
        Reply::string_error(405, &text, true)
    };
    reply.with_header("allow", allowed.join(","))
}

fn delete_nothing(_: &mut Context) -> Outcome<Reply> {
    Err(EsError::validation(&["index / indices is missing".to_owned()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_routes_by_segment() {
        assert!(fits("/", &[]));
        assert!(fits("/{index}/_doc/{id}", &["a", "_doc", "1"]));
        assert!(!fits("/{index}/_doc/{id}", &["a", "_doc"]));
        assert!(!fits("/{index}", &[""]));
        assert!(fits("/_security/role", &["_security", "role"]));
    }
}
