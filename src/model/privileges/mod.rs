//! Privileges of 9.5.3 by name: which exist, which imply which, and which allow an action.

pub mod descriptions;
pub mod descriptor;
pub mod globs;
mod implied;
pub mod pattern;
mod restricted;
pub mod role;
mod tables;

use pattern::glob;

pub use implied::{
    Area, PrivilegeScopes, Versions, common_action, have_common_action, implies, index_implies, known, nearest,
};
pub use restricted::{is_restricted, unrestricted_names};

/// Action and the privileges that grant it, in the order in which refusals list them (as seen on 9.5.3).
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Name of the action in refusals.
    pub name: &'static str,
    /// Privileges that allow the action.
    pub granted_by: &'static [&'static str],
}

macro_rules! actions {
    ($($id:ident = $name:literal: $($by:literal)*;)*) => {
        $(#[doc = concat!("`", $name, "`")] pub const $id: Action = Action { name: $name, granted_by: &[$($by),*] };)*
    };
}

actions! {
    MAIN = "cluster:monitor/main": "monitor" "manage" "all";
    LICENSE = "cluster:monitor/xpack/license/get": "monitor" "manage" "all";
    START_BASIC = "cluster:admin/xpack/license/start_basic": "manage" "all";
    START_TRIAL = "cluster:admin/xpack/license/start_trial": "manage" "all";
    HEALTH = "cluster:monitor/health": "monitor" "manage" "all";
    STATE = "cluster:monitor/state": "cross_cluster_replication" "read_ccr" "transport_client" "manage_ccr" "monitor" "manage" "all";
    KEY_CREATE = "cluster:admin/xpack/security/api_key/create": "manage_own_api_key" "manage_api_key" "manage_security" "all";
    CROSS_CLUSTER_CREATE = "cluster:admin/xpack/security/cross_cluster/api_key/create": "manage_security" "all";
    CROSS_CLUSTER_UPDATE = "cluster:admin/xpack/security/cross_cluster/api_key/update": "manage_security" "all";
    KEY_GRANT = "cluster:admin/xpack/security/api_key/grant": "grant_api_key" "manage_api_key" "manage_security" "all";
    KEY_CLONE = "cluster:admin/xpack/security/api_key/clone": "clone_api_key" "manage_api_key" "manage_security" "all";
    KEY_UPDATE = "cluster:admin/xpack/security/api_key/update": "manage_own_api_key" "manage_api_key" "manage_security" "all";
    KEY_BULK_UPDATE = "cluster:admin/xpack/security/api_key/bulk_update": "manage_own_api_key" "manage_api_key" "manage_security" "all";
    KEY_GET = "cluster:admin/xpack/security/api_key/get": "manage_own_api_key" "read_security" "manage_api_key" "manage_security" "all";
    KEY_QUERY = "cluster:admin/xpack/security/api_key/query": "manage_own_api_key" "read_security" "manage_api_key" "manage_security" "all";
    KEY_INVALIDATE = "cluster:admin/xpack/security/api_key/invalidate": "manage_own_api_key" "manage_api_key" "manage_security" "all";
    ROLE_GET = "cluster:admin/xpack/security/role/get": "read_security" "manage_security" "all";
    ROLE_PUT = "cluster:admin/xpack/security/role/put": "manage_security" "all";
    ROLE_DELETE = "cluster:admin/xpack/security/role/delete": "manage_security" "all";
    USER_GET = "cluster:admin/xpack/security/user/get": "read_security" "manage_security" "all";
    USER_PUT = "cluster:admin/xpack/security/user/put": "manage_security" "all";
    USER_DELETE = "cluster:admin/xpack/security/user/delete": "manage_security" "all";
    USER_ENABLE = "cluster:admin/xpack/security/user/set_enabled": "manage_security" "all";
    USER_QUERY = "cluster:admin/xpack/security/user/query": "read_security" "manage_security" "all";
    ROLE_BULK_PUT = "cluster:admin/xpack/security/role/bulk_put": "manage_security" "all";
    ROLE_BULK_DELETE = "cluster:admin/xpack/security/role/bulk_delete": "manage_security" "all";
    APP_PRIVILEGES_GET = "cluster:admin/xpack/security/privilege/get": "read_security" "manage_security" "all";
    APP_PRIVILEGES_PUT = "cluster:admin/xpack/security/privilege/put": "manage_security" "all";
    APP_PRIVILEGES_DELETE = "cluster:admin/xpack/security/privilege/delete": "manage_security" "all";
    CACHE_CLEAR = "cluster:admin/xpack/security/cache/clear": "manage_security" "all";
    ROLES_CACHE_CLEAR = "cluster:admin/xpack/security/roles/cache/clear": "manage_security" "all";
    REALM_CACHE_CLEAR = "cluster:admin/xpack/security/realm/cache/clear": "manage_security" "all";
    CHANGE_PASSWORD = "cluster:admin/xpack/security/user/change_password": "manage_security" "all";
    AUTHENTICATE = "cluster:admin/xpack/security/user/authenticate": "manage_security" "all";
    HAS_PRIVILEGES = "cluster:admin/xpack/security/user/has_privileges": "read_ccr" "read_security" "manage_ccr" "manage_security" "all";
    LIST_PRIVILEGES = "cluster:admin/xpack/security/user/list_privileges": "read_security" "manage_security" "all";
    BUILTIN = "cluster:admin/xpack/security/privilege/builtin/get": "read_security" "manage_security" "all";

    INDEX = "indices:data/write/index": "create_doc" "create" "index" "write" "all";
    OP_INDEX = "indices:data/write/index:op_type/index": "create" "index" "write" "all";
    OP_CREATE = "indices:data/write/index:op_type/create": "create_doc" "create" "index" "write" "all";
    BULK = "indices:data/write/bulk": "create_doc" "create" "delete" "index" "write" "all";
    BULK_SHARD = "indices:data/write/bulk[s]": "create_doc" "create" "delete" "index" "write" "all";
    DELETE = "indices:data/write/delete": "delete" "write" "all";
    UPDATE = "indices:data/write/update": "index" "write" "all";
    SEARCH = "indices:data/read/search": "read" "all";
    GET = "indices:data/read/get": "read" "all";
    FIELD_CAPS = "indices:data/read/field_caps": "view_index_metadata" "manage" "read" "all";
    CREATE_INDEX = "indices:admin/create": "create_index" "manage" "all";
    AUTO_CREATE = "indices:admin/auto_create": "auto_configure" "create_index" "manage" "all";
    DELETE_INDEX = "indices:admin/delete": "delete_index" "manage" "all";
    GET_INDEX = "indices:admin/get": "view_index_metadata" "manage" "all";
    GET_MAPPING = "indices:admin/mappings/get": "view_index_metadata" "manage" "all";
    REFRESH = "indices:admin/refresh": "maintenance" "manage" "all";
    RESOLVE = "indices:admin/resolve/index": "view_index_metadata" "manage" "read" "all";
    SETTINGS = "indices:monitor/settings/get": "monitor" "view_index_metadata" "manage" "all";
    STATS = "indices:monitor/stats": "monitor" "cross_cluster_replication" "manage" "all";
}

/// Cluster privileges that `GET /_security/privilege/_builtin` lists.
pub const CLUSTER: &[&str] = &[
    "all",
    "cancel_task",
    "clone_api_key",
    "create_snapshot",
    "cross_cluster_replication",
    "cross_cluster_search",
    "delegate_pki",
    "grant_api_key",
    "manage",
    "manage_api_key",
    "manage_autoscaling",
    "manage_behavioral_analytics",
    "manage_ccr",
    "manage_connector",
    "manage_data_frame_transforms",
    "manage_data_stream_global_retention",
    "manage_enrich",
    "manage_ilm",
    "manage_index_templates",
    "manage_inference",
    "manage_ingest_pipelines",
    "manage_logstash_pipelines",
    "manage_ml",
    "manage_oidc",
    "manage_own_api_key",
    "manage_pipeline",
    "manage_reindex",
    "manage_rollup",
    "manage_saml",
    "manage_search_application",
    "manage_search_query_rules",
    "manage_search_synonyms",
    "manage_security",
    "manage_service_account",
    "manage_slm",
    "manage_token",
    "manage_transform",
    "manage_user_profile",
    "manage_watcher",
    "monitor",
    "monitor_connector",
    "monitor_data_frame_transforms",
    "monitor_data_stream_global_retention",
    "monitor_enrich",
    "monitor_esql",
    "monitor_inference",
    "monitor_ml",
    "monitor_reindex",
    "monitor_rollup",
    "monitor_snapshot",
    "monitor_stats",
    "monitor_text_structure",
    "monitor_transform",
    "monitor_watcher",
    "none",
    "post_behavioral_analytics_event",
    "read_ccr",
    "read_connector_secrets",
    "read_fleet_secrets",
    "read_ilm",
    "read_pipeline",
    "read_security",
    "read_slm",
    "transport_client",
    "write_connector_secrets",
    "write_fleet_secrets",
];

/// Index privileges that `GET /_security/privilege/_builtin` lists.
pub const INDICES: &[&str] = &[
    "all",
    "auto_configure",
    "create",
    "create_dataset",
    "create_doc",
    "create_index",
    "create_view",
    "cross_cluster_replication",
    "cross_cluster_replication_internal",
    "delete",
    "delete_dataset",
    "delete_index",
    "delete_view",
    "index",
    "maintenance",
    "manage",
    "manage_data_stream_lifecycle",
    "manage_dataset",
    "manage_failure_store",
    "manage_follow_index",
    "manage_ilm",
    "manage_leader_index",
    "manage_view",
    "monitor",
    "none",
    "read",
    "read_cross_cluster",
    "read_dataset_metadata",
    "read_failure_store",
    "read_view_metadata",
    "view_index_metadata",
    "write",
];

/// Privileges that exist on remote clusters.
pub const REMOTE_CLUSTER: &[&str] = &["monitor_enrich", "monitor_stats"];

/// Cluster privileges that exist but are not listed among the built-in ones.
const UNLISTED: &[&str] = &["read_project_routing", "manage_project_routing"];

/// Cluster privileges in the order in which a refusal lists them, separated by commas.
const CLUSTER_IN_REFUSALS: &str = "manage_own_api_key,manage_data_stream_global_retention,monitor_data_stream_global_retention,none,cancel_task,clone_api_key,cross_cluster_replication,cross_cluster_search,delegate_pki,grant_api_key,manage_autoscaling,manage_index_templates,manage_logstash_pipelines,manage_oidc,manage_saml,manage_search_application,manage_search_query_rules,manage_search_synonyms,manage_service_account,manage_token,manage_user_profile,monitor_connector,monitor_enrich,monitor_esql,monitor_inference,monitor_ml,monitor_reindex,monitor_rollup,monitor_snapshot,monitor_stats,monitor_text_structure,monitor_watcher,post_behavioral_analytics_event,read_ccr,read_connector_secrets,read_fleet_secrets,read_ilm,read_pipeline,read_project_routing,read_security,read_slm,transport_client,write_connector_secrets,write_fleet_secrets,create_snapshot,manage_behavioral_analytics,manage_ccr,manage_connector,manage_enrich,manage_ilm,manage_inference,manage_ml,manage_project_routing,manage_reindex,manage_rollup,manage_slm,manage_watcher,monitor_data_frame_transforms,monitor_transform,manage_ingest_pipelines,manage_pipeline,manage_api_key,manage_data_frame_transforms,manage_transform,manage_security,monitor,manage,all";

/// Returns Elasticsearch's refusal of a cluster privilege that does not exist; `None` for an existing one, in any case,
/// or a pattern over actions.
pub fn cluster_problem(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let known = CLUSTER.contains(&lower.as_str()) || UNLISTED.contains(&lower.as_str()) || known(&lower).cluster;
    (!known).then(|| {
        format!(
            "unknown cluster privilege [{lower}]. a privilege must be either one of the predefined cluster privilege names [{CLUSTER_IN_REFUSALS}] or a pattern over one of the available cluster actions"
        )
    })
}

/// Returns Elasticsearch's refusal of an index privilege that does not exist; `None` for an existing one, in any case,
/// or a pattern over actions.
pub fn index_problem(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let known = INDICES.contains(&lower.as_str()) || known(&lower).index;
    (!known).then(|| {
        format!(
            "unknown index privilege [{lower}]. a privilege must be either one of the predefined fixed indices privileges [{}] or a pattern over one of the available index actions",
            INDICES.join(",")
        )
    })
}

/// Returns `true` if a held privilege (a name, or a pattern over actions) allows an action.
pub fn allows(held: &str, action: &Action) -> bool {
    let held = held.to_lowercase();
    if held.contains(':') {
        return glob(&format!("{held}*"), action.name);
    }
    action.granted_by.contains(&held.as_str())
}

/// Returns `true` if holding one index privilege surely means holding the other, as on 9.5.3.
pub fn index_contains(held: &str, wanted: &str) -> bool {
    index_implies(&[&[held.to_owned()]], wanted, Versions::Newest) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster_contains(held: &str, wanted: &str) -> bool {
        implies(Area::Cluster, &[held], wanted, Versions::Newest) == Some(true)
    }

    #[test]
    fn wider_privileges_contain_narrower_ones() {
        assert!(cluster_contains("manage_security", "manage_own_api_key"));
        assert!(cluster_contains("manage_api_key", "grant_api_key"));
        assert!(cluster_contains("manage", "monitor"));
        assert!(cluster_contains("ALL", "manage_security"));
        assert!(!cluster_contains("manage", "manage_security"));
        assert!(!cluster_contains("monitor", "manage"));
        assert!(!cluster_contains("manage_own_api_key", "manage_api_key"));
        assert!(index_contains("write", "create_doc"));
        assert!(index_contains("manage", "view_index_metadata"));
        assert!(!index_contains("create_doc", "index"));
        assert!(!index_contains("read", "write"));
    }

    #[test]
    fn an_action_is_allowed_by_name_and_by_pattern() {
        assert!(allows("monitor", &MAIN));
        assert!(allows("Read", &SEARCH));
        assert!(allows("cluster:monitor/main", &MAIN));
        assert!(allows("indices:data/read/*", &SEARCH));
        assert!(!allows("create_doc", &OP_INDEX));
        assert!(!allows("none", &MAIN));
    }

    #[test]
    fn unknown_privileges_are_refused_with_the_known_ones() {
        let problem = cluster_problem("nope").unwrap();
        assert!(problem.starts_with("unknown cluster privilege [nope]. a privilege must be either"));
        assert!(problem.contains("manage_own_api_key,"));
        assert!(cluster_problem("MONITOR").is_none());
        assert!(cluster_problem("cluster:monitor/main").is_none());
        assert!(index_problem("nope").unwrap().contains("[all,auto_configure,create,"));
        assert!(index_problem("indices:data/read/search").is_none());
    }
}
