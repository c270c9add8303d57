//! Actions that each named privilege stands for, as seen on 9.5.3, and those of 8.19.21 where they differ.

/// Named privilege.
pub(super) struct Named {
    pub(super) name: &'static str,
    /// Patterns of the actions that the privilege allows.
    pub(super) actions: &'static [&'static str],
    /// Patterns of actions that are excluded from these.
    pub(super) without: &'static [&'static str],
    /// Patterns of the allowed actions on older versions (as seen on 8.19.21); `None` if they are the same.
    pub(super) before: Option<&'static [&'static str]>,
}

const fn plain(name: &'static str, actions: &'static [&'static str]) -> Named {
    Named { name, actions, without: &[], before: None }
}

const fn less(name: &'static str, actions: &'static [&'static str], without: &'static [&'static str]) -> Named {
    Named { name, actions, without, before: None }
}

const fn changed(name: &'static str, actions: &'static [&'static str], before: &'static [&'static str]) -> Named {
    Named { name, actions, without: &[], before: Some(before) }
}

/// Cluster privileges, by name.
pub(super) static CLUSTER: &[Named] = &[
    plain("all", &["cluster:*", "indices:admin/template/*", "indices:admin/index_template/*"]),
    plain("cancel_task", &["cluster:admin/tasks/cancel*"]),
    plain("clone_api_key", &["cluster:admin/xpack/security/api_key/clone*"]),
    plain(
        "create_snapshot",
        &[
            "cluster:admin/snapshot/create",
            "cluster:admin/snapshot/status*",
            "cluster:admin/snapshot/get",
            "cluster:admin/snapshot/status",
            "cluster:admin/repository/get",
        ],
    ),
    plain(
        "cross_cluster_replication",
        &[
            "cluster:internal/remote_cluster/handshake",
            "cluster:internal/remote_cluster/nodes",
            "cluster:internal/admin/tasks/ban",
            "cluster:internal/admin/tasks/cancel_child",
            "cluster:monitor/xpack/info",
            "cluster:monitor/state",
        ],
    ),
    plain(
        "cross_cluster_search",
        &[
            "cluster:internal/remote_cluster/handshake",
            "cluster:internal/remote_cluster/nodes",
            "cluster:internal/admin/tasks/ban",
            "cluster:internal/admin/tasks/cancel_child",
            "cluster:monitor/xpack/info",
            "cluster:monitor/xpack/enrich/esql/resolve_policy",
            "cluster:internal:data/read/esql/open_exchange",
            "cluster:internal:data/read/esql/exchange",
            "cluster:monitor/stats/remote",
            "cluster:monitor/stats",
            "cluster:monitor/stats[n]",
        ],
    ),
    plain(
        "delegate_pki",
        &["cluster:admin/xpack/security/delegate_pki", "cluster:admin/xpack/security/token/invalidate"],
    ),
    plain("grant_api_key", &["cluster:admin/xpack/security/api_key/grant*"]),
    less(
        "manage",
        &["cluster:*", "indices:admin/template/*", "indices:admin/index_template/*"],
        &["cluster:admin/xpack/security/*"],
    ),
    plain("manage_api_key", &["cluster:admin/xpack/security/api_key/*"]),
    plain("manage_autoscaling", &["cluster:admin/autoscaling/*"]),
    plain("manage_behavioral_analytics", &["cluster:admin/xpack/application/analytics/*"]),
    plain(
        "manage_ccr",
        &["cluster:admin/xpack/ccr/*", "cluster:monitor/state", "cluster:admin/xpack/security/user/has_privileges"],
    ),
    less(
        "manage_connector",
        &["cluster:admin/xpack/connector/*"],
        &[
            "cluster:admin/xpack/connector/secret/get",
            "cluster:admin/xpack/connector/secret/delete",
            "cluster:admin/xpack/connector/secret/post",
            "cluster:admin/xpack/connector/secret/put",
        ],
    ),
    plain(
        "manage_data_frame_transforms",
        &[
            "cluster:admin/data_frame/*",
            "cluster:monitor/data_frame/*",
            "cluster:monitor/transform/*",
            "cluster:admin/transform/*",
        ],
    ),
    plain("manage_data_stream_global_retention", &[]),
    plain("manage_enrich", &["cluster:admin/xpack/enrich/*", "cluster:monitor/xpack/enrich/*"]),
    plain("manage_ilm", &["cluster:admin/ilm/*"]),
    plain(
        "manage_index_templates",
        &["indices:admin/template/*", "indices:admin/index_template/*", "cluster:admin/component_template/*"],
    ),
    plain(
        "manage_inference",
        &[
            "cluster:admin/xpack/inference/*",
            "cluster:monitor/xpack/inference*",
            "cluster:admin/xpack/ml/trained_models/deployment/start",
            "cluster:admin/xpack/ml/trained_models/deployment/stop",
            "cluster:monitor/xpack/ml/trained_models/deployment/infer",
        ],
    ),
    plain("manage_ingest_pipelines", &["cluster:admin/ingest/pipeline/*"]),
    plain("manage_logstash_pipelines", &["cluster:admin/logstash/pipeline/*"]),
    plain("manage_ml", &["cluster:admin/xpack/ml/*", "cluster:monitor/xpack/ml/*"]),
    plain("manage_oidc", &["cluster:admin/xpack/security/oidc/*"]),
    plain("manage_own_api_key", &["cluster:admin/xpack/security/api_key/*"]),
    plain("manage_pipeline", &["cluster:admin/ingest/pipeline/*"]),
    plain(
        "manage_project_routing",
        &["cluster:monitor/project/*", "cluster:monitor/project_routing/*", "cluster:admin/project_routing/*"],
    ),
    plain("manage_reindex", &["cluster:admin/reindex/*", "cluster:monitor/reindex/*"]),
    plain("manage_rollup", &["cluster:admin/xpack/rollup/*", "cluster:monitor/xpack/rollup/*"]),
    plain(
        "manage_saml",
        &[
            "cluster:admin/xpack/security/saml/*",
            "cluster:admin/xpack/security/token/invalidate",
            "cluster:admin/xpack/security/token/refresh",
            "cluster:monitor/xpack/security/saml/metadata",
        ],
    ),
    plain("manage_search_application", &["cluster:admin/xpack/application/search_application/*"]),
    plain("manage_search_query_rules", &["cluster:admin/xpack/query_rules/*"]),
    plain(
        "manage_search_synonyms",
        &["cluster:admin/synonyms/*", "cluster:admin/synonyms_sets/*", "cluster:admin/synonym_rules/*"],
    ),
    less("manage_security", &["cluster:admin/xpack/security/*"], &["cluster:admin/xpack/security/delegate_pki"]),
    plain("manage_service_account", &["cluster:admin/xpack/security/service_account/*"]),
    plain(
        "manage_slm",
        &[
            "cluster:admin/slm/*",
            "cluster:admin/ilm/start",
            "cluster:admin/ilm/stop",
            "cluster:admin/ilm/operation_mode/get",
        ],
    ),
    plain("manage_token", &["cluster:admin/xpack/security/token/*"]),
    plain(
        "manage_transform",
        &[
            "cluster:admin/data_frame/*",
            "cluster:monitor/data_frame/*",
            "cluster:monitor/transform/*",
            "cluster:admin/transform/*",
        ],
    ),
    plain("manage_user_profile", &["cluster:admin/xpack/security/profile/*"]),
    plain("manage_watcher", &["cluster:admin/xpack/watcher/*", "cluster:monitor/xpack/watcher/*"]),
    plain(
        "monitor",
        &[
            "cluster:monitor/*",
            "indices:admin/template/get",
            "cluster:admin/component_template/get",
            "indices:admin/index_template/get",
        ],
    ),
    plain(
        "monitor_connector",
        &[
            "cluster:admin/xpack/connector/get",
            "cluster:admin/xpack/connector/list",
            "cluster:admin/xpack/connector/sync_job/get",
            "cluster:admin/xpack/connector/sync_job/list",
        ],
    ),
    plain("monitor_data_frame_transforms", &["cluster:monitor/data_frame/*", "cluster:monitor/transform/*"]),
    plain("monitor_data_stream_global_retention", &[]),
    plain("monitor_enrich", &["cluster:monitor/xpack/enrich/*", "cluster:admin/xpack/enrich/get"]),
    plain("monitor_esql", &["cluster:monitor/xpack/esql/*"]),
    plain(
        "monitor_inference",
        &["cluster:monitor/xpack/inference*", "cluster:monitor/xpack/ml/trained_models/deployment/infer"],
    ),
    plain("monitor_ml", &["cluster:monitor/xpack/ml/*"]),
    plain("monitor_reindex", &["cluster:monitor/reindex/*"]),
    plain("monitor_rollup", &["cluster:monitor/xpack/rollup/*"]),
    plain(
        "monitor_snapshot",
        &[
            "cluster:admin/snapshot/status*",
            "cluster:admin/snapshot/get",
            "cluster:admin/snapshot/status",
            "cluster:admin/repository/get",
        ],
    ),
    plain("monitor_stats", &["cluster:monitor/stats*"]),
    plain("monitor_text_structure", &["cluster:monitor/text_structure/*"]),
    plain("monitor_transform", &["cluster:monitor/data_frame/*", "cluster:monitor/transform/*"]),
    plain("monitor_watcher", &["cluster:monitor/xpack/watcher/*"]),
    plain("none", &[]),
    plain("post_behavioral_analytics_event", &["cluster:admin/xpack/application/analytics/post_event"]),
    plain("read_ccr", &["cluster:monitor/state", "cluster:admin/xpack/security/user/has_privileges"]),
    plain("read_connector_secrets", &["cluster:admin/xpack/connector/secret/get"]),
    plain("read_fleet_secrets", &["cluster:admin/fleet/secrets/get"]),
    plain("read_ilm", &["cluster:admin/ilm/get", "cluster:admin/ilm/operation_mode/get"]),
    plain("read_pipeline", &["cluster:admin/ingest/pipeline/get", "cluster:admin/ingest/pipeline/simulate"]),
    plain("read_project_routing", &["cluster:monitor/project/*", "cluster:monitor/project_routing/*"]),
    plain(
        "read_security",
        &[
            "cluster:admin/xpack/security/api_key/get",
            "cluster:admin/xpack/security/api_key/query",
            "cluster:admin/xpack/security/privilege/builtin/get",
            "cluster:admin/xpack/security/privilege/get",
            "cluster:admin/xpack/security/profile/get",
            "cluster:admin/xpack/security/profile/has_privileges",
            "cluster:admin/xpack/security/profile/suggest",
            "cluster:admin/xpack/security/role/get",
            "cluster:admin/xpack/security/role/query",
            "cluster:admin/xpack/security/role_mapping/get",
            "cluster:admin/xpack/security/service_account/get",
            "cluster:admin/xpack/security/service_account/credential/get*",
            "cluster:admin/xpack/security/user/get",
            "cluster:admin/xpack/security/user/query",
            "cluster:admin/xpack/security/user/list_privileges",
            "cluster:admin/xpack/security/user/has_privileges",
            "cluster:admin/xpack/security/settings/get",
        ],
    ),
    plain("read_slm", &["cluster:admin/slm/status", "cluster:admin/slm/get", "cluster:admin/ilm/operation_mode/get"]),
    plain("transport_client", &["cluster:monitor/nodes/liveness", "cluster:monitor/state"]),
    plain(
        "write_connector_secrets",
        &[
            "cluster:admin/xpack/connector/secret/delete",
            "cluster:admin/xpack/connector/secret/post",
            "cluster:admin/xpack/connector/secret/put",
        ],
    ),
    plain("write_fleet_secrets", &["cluster:admin/fleet/secrets/post", "cluster:admin/fleet/secrets/delete"]),
];

/// Index privileges, by name.
pub(super) static INDEX: &[Named] = &[
    plain("all", &["indices:*", "internal:transport/proxy/indices:*"]),
    changed(
        "auto_configure",
        &[
            "indices:admin/mapping/auto_put",
            "indices:admin/auto_create",
            "indices:admin/data_stream/auto_create_past_tsdb",
        ],
        &["indices:admin/mapping/auto_put", "indices:admin/auto_create"],
    ),
    changed(
        "create",
        &[
            "indices:data/write/index*",
            "indices:data/write/bulk*",
            "indices:data/write/simulate/bulk*",
            "indices:data/write/otlp/*",
            "indices:data/write/prometheus/*",
        ],
        &["indices:data/write/index*", "indices:data/write/bulk*", "indices:data/write/simulate/bulk*"],
    ),
    plain("create_dataset", &["indices:admin/esql/dataset/put"]),
    changed(
        "create_doc",
        &[
            "indices:data/write/index",
            "indices:data/write/index[*",
            "indices:data/write/index:op_type/create",
            "indices:data/write/bulk*",
            "indices:data/write/simulate/bulk*",
            "indices:data/write/otlp/*",
            "indices:data/write/prometheus/*",
        ],
        &[
            "indices:data/write/index",
            "indices:data/write/index[*",
            "indices:data/write/index:op_type/create",
            "indices:data/write/bulk*",
            "indices:data/write/simulate/bulk*",
        ],
    ),
    changed(
        "create_index",
        &[
            "indices:admin/create",
            "indices:admin/auto_create",
            "indices:admin/data_stream/create",
            "indices:admin/data_stream/auto_create_past_tsdb",
        ],
        &["indices:admin/create", "indices:admin/auto_create", "indices:admin/data_stream/create"],
    ),
    plain("create_view", &["indices:admin/esql/view/put"]),
    plain(
        "cross_cluster_replication",
        &[
            "indices:data/read/xpack/ccr/shard_changes*",
            "indices:monitor/stats*",
            "indices:admin/seq_no/add_retention_lease",
            "indices:admin/seq_no/remove_retention_lease",
            "indices:admin/seq_no/renew_retention_lease",
        ],
    ),
    plain(
        "cross_cluster_replication_internal",
        &[
            "indices:internal/admin/ccr/restore/session/clear*",
            "indices:internal/admin/ccr/restore/file_chunk/get*",
            "indices:internal/admin/ccr/restore/session/put*",
            "internal:transport/proxy/indices:internal/admin/ccr/restore/session/clear*",
            "internal:transport/proxy/indices:internal/admin/ccr/restore/file_chunk/get*",
        ],
    ),
    plain("delete", &["indices:data/write/delete*", "indices:data/write/bulk*"]),
    plain("delete_dataset", &["indices:admin/esql/dataset/delete"]),
    plain("delete_index", &["indices:admin/delete", "indices:admin/data_stream/delete"]),
    plain("delete_view", &["indices:admin/esql/view/delete"]),
    changed(
        "index",
        &[
            "indices:data/write/index*",
            "indices:data/write/bulk*",
            "indices:data/write/update*",
            "indices:data/write/simulate/bulk*",
            "indices:data/write/otlp/*",
            "indices:data/write/prometheus/*",
        ],
        &[
            "indices:data/write/index*",
            "indices:data/write/bulk*",
            "indices:data/write/update*",
            "indices:data/write/simulate/bulk*",
        ],
    ),
    plain(
        "maintenance",
        &["indices:admin/refresh*", "indices:admin/flush*", "indices:admin/synced_flush", "indices:admin/forcemerge*"],
    ),
    plain(
        "manage",
        &[
            "indices:monitor/*",
            "indices:admin/*",
            "indices:data/read/field_caps*",
            "indices:data/read/xpack/rollup/get/index/caps*",
        ],
    ),
    plain("manage_data_stream_lifecycle", &["indices:admin/data_stream/lifecycle/*"]),
    plain("manage_dataset", &["indices:admin/esql/dataset/*"]),
    plain(
        "manage_failure_store",
        &[
            "indices:monitor/*",
            "indices:admin/*",
            "indices:data/read/field_caps*",
            "indices:data/read/xpack/rollup/get/index/caps*",
        ],
    ),
    plain(
        "manage_follow_index",
        &[
            "indices:admin/xpack/ccr/put_follow",
            "indices:admin/xpack/ccr/unfollow",
            "indices:admin/close*",
            "indices:admin/data_stream/promote",
            "indices:admin/rollover",
        ],
    ),
    plain("manage_ilm", &["indices:admin/ilm/*"]),
    plain("manage_leader_index", &["indices:admin/xpack/ccr/forget_follower*"]),
    plain("manage_view", &["indices:admin/esql/view*"]),
    plain("monitor", &["indices:monitor/*"]),
    plain("none", &[]),
    changed(
        "read",
        &[
            "indices:data/read/*",
            "indices:admin/resolve/index",
            "indices:admin/resolve/cluster",
            "internal:transport/proxy/indices:data/read/*",
            "indices:admin/inference/fields/get",
            "indices:admin/shards/search_shards",
            "indices:admin/search/search_shards",
        ],
        &["indices:data/read/*", "indices:admin/resolve/index", "indices:admin/resolve/cluster"],
    ),
    plain(
        "read_cross_cluster",
        &[
            "internal:transport/proxy/indices:data/read/*",
            "indices:admin/shards/search_shards",
            "indices:admin/search/search_shards",
            "indices:admin/resolve/cluster",
            "indices:data/read/esql",
            "indices:data/read/esql/compute",
        ],
    ),
    plain("read_dataset_metadata", &["indices:admin/esql/dataset/get"]),
    changed(
        "read_failure_store",
        &[
            "indices:data/read/*",
            "indices:admin/resolve/index",
            "indices:admin/resolve/cluster",
            "internal:transport/proxy/indices:data/read/*",
            "indices:admin/inference/fields/get",
            "indices:admin/shards/search_shards",
            "indices:admin/search/search_shards",
        ],
        &["indices:data/read/*", "indices:admin/resolve/index"],
    ),
    plain("read_view_metadata", &["indices:admin/esql/view/get"]),
    plain(
        "view_index_metadata",
        &[
            "indices:admin/aliases/get",
            "indices:admin/get",
            "indices:admin/mappings/fields/get*",
            "indices:admin/mappings/get",
            "indices:admin/shards/search_shards",
            "indices:admin/search/search_shards",
            "indices:admin/validate/query*",
            "indices:monitor/settings/get",
            "indices:admin/ilm/explain",
            "indices:admin/data_stream/lifecycle/get",
            "indices:admin/data_stream/lifecycle/explain",
            "indices:admin/data_stream/get",
            "indices:admin/resolve/index",
            "indices:admin/resolve/cluster",
            "indices:data/read/field_caps*",
            "indices:data/read/xpack/rollup/get/index/caps*",
            "indices:monitor/transform/checkpoint*",
            "indices:monitor/get/metering/stats",
            "indices:admin/get/metering/stats",
        ],
    ),
    plain("write", &["indices:data/write/*", "indices:admin/mapping/auto_put"]),
];
