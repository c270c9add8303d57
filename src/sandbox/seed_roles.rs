//! The roles of a fresh practice cluster: its own, and the better known built-in ones, shortened where they are long.

/// Name, whether it is built in, and the descriptor.
pub const ROLES: &[(&str, bool, &str)] = &[
    (
        "reader",
        false,
        r#"{"cluster":["monitor"],"indices":[{"names":["my_index"],"privileges":["read","view_index_metadata"]}]}"#,
    ),
    (
        "writer",
        false,
        r#"{"cluster":["monitor"],"indices":[{"names":["my_index"],"privileges":["read","write","view_index_metadata"]}]}"#,
    ),
    (
        "security_officer",
        false,
        r#"{"cluster":["manage_security","manage","monitor"],"indices":[{"names":["*"],"privileges":["all"]}],"applications":[{"application":"*","privileges":["*"],"resources":["*"]}],"run_as":["*"],"description":"Administers security, and may grant whatever a key could need."}"#,
    ),
    (
        "key_owner",
        false,
        r#"{"cluster":["manage_own_api_key","monitor","read_pipeline","read_ilm"],"indices":[{"names":["logs-*","metrics-*","my_index"],"privileges":["all"]}]}"#,
    ),
    ("own_keys_only", false, r#"{"cluster":["manage_own_api_key"]}"#),
    ("security_reader", false, r#"{"cluster":["read_security","monitor"]}"#),
    (
        "logs_reader",
        false,
        r#"{"cluster":["monitor"],"indices":[{"names":["logs-*","logstash-*","filebeat-*"],"privileges":["read","view_index_metadata"]}]}"#,
    ),
    (
        "metrics_reader",
        false,
        r#"{"cluster":["monitor"],"indices":[{"names":["metrics-*"],"privileges":["read","view_index_metadata"]}]}"#,
    ),
    (
        "beats_writer",
        false,
        r#"{"cluster":["monitor","read_ilm","read_pipeline"],"indices":[{"names":["filebeat-*","logs-*","metrics-*"],"privileges":["view_index_metadata","create_doc","auto_configure"]}],"description":"What Filebeat and Metricbeat need for publishing events."}"#,
    ),
    (
        "logstash_writer",
        false,
        r#"{"cluster":["monitor","manage_index_templates"],"indices":[{"names":["logstash-*"],"privileges":["create","create_index","view_index_metadata","auto_configure"]}]}"#,
    ),
    (
        "payments_writer",
        false,
        r#"{"cluster":["monitor"],"indices":[{"names":["logs-payments.*","payments-ledger","payments-settlement"],"privileges":["create_doc","index","view_index_metadata"]}],"metadata":{"team":"payments"}}"#,
    ),
    (
        "payments_admin",
        false,
        r#"{"cluster":["monitor"],"indices":[{"names":["payments-*","logs-payments.*","chargebacks-*"],"privileges":["all"]}],"metadata":{"team":"payments"}}"#,
    ),
    (
        "fraud_writer",
        false,
        r#"{"cluster":["monitor"],"indices":[{"names":["fraud-*"],"privileges":["create_doc","index","delete","view_index_metadata"]},{"names":["payments-*"],"privileges":["read"]}]}"#,
    ),
    (
        "invoices_writer",
        false,
        r#"{"cluster":["monitor"],"indices":[{"names":["invoices"],"privileges":["read","write","view_index_metadata"]}]}"#,
    ),
    (
        "ingest_pipelines",
        false,
        r#"{"cluster":["manage_ingest_pipelines","monitor"],"description":"Changes ingest pipelines; reads no data."}"#,
    ),
    (
        "dashboard_reader",
        false,
        r#"{"indices":[{"names":["logs-*","metrics-*"],"privileges":["read","view_index_metadata"]}],"applications":[{"application":"kibana-.kibana","privileges":["feature_dashboard.read","feature_discover.read"],"resources":["*"]}]}"#,
    ),
    (
        "superuser",
        true,
        r#"{"cluster":["all"],"indices":[{"names":["*"],"privileges":["all"],"allow_restricted_indices":false},{"names":["*"],"privileges":["monitor","read","view_index_metadata","read_cross_cluster"],"allow_restricted_indices":true}],"applications":[{"application":"*","privileges":["*"],"resources":["*"]}],"run_as":["*"],"remote_indices":[{"names":["*"],"privileges":["all"],"allow_restricted_indices":false,"clusters":["*"]},{"names":["*"],"privileges":["monitor","read","view_index_metadata","read_cross_cluster"],"allow_restricted_indices":true,"clusters":["*"]}],"remote_cluster":[{"privileges":["monitor_enrich","monitor_stats"],"clusters":["*"]}],"description":"Full access to the cluster and all data."}"#,
    ),
    (
        "viewer",
        true,
        r#"{"cluster":["monitor_inference"],"indices":[{"names":["/~(([.]|ilm-history-).*)/"],"privileges":["read","view_index_metadata"]}],"applications":[{"application":"kibana-.kibana","privileges":["read"],"resources":["*"]}],"description":"Reads all data that isn't the system's, and all of Kibana."}"#,
    ),
    (
        "editor",
        true,
        r#"{"cluster":["monitor_inference"],"indices":[{"names":["/~(([.]|ilm-history-).*)/"],"privileges":["read","view_index_metadata"]},{"names":["observability-annotations"],"privileges":["read","view_index_metadata","write"]}],"applications":[{"application":"kibana-.kibana","privileges":["all"],"resources":["*"]}],"description":"Reads all data that isn't the system's, and changes all of Kibana."}"#,
    ),
    (
        "monitoring_user",
        true,
        r#"{"cluster":["cluster:monitor/main","cluster:monitor/xpack/info","cluster:monitor/remote/info"],"indices":[{"names":[".monitoring-*"],"privileges":["read","read_cross_cluster"]},{"names":["/metrics-(beats|elasticsearch|enterprisesearch|kibana|logstash).*/"],"privileges":["read","read_cross_cluster"]},{"names":["metricbeat-*"],"privileges":["read","read_cross_cluster"]}],"applications":[{"application":"kibana-*","privileges":["reserved_monitoring"],"resources":["*"]}],"description":"Reads the monitoring data."}"#,
    ),
    (
        "kibana_system",
        true,
        r#"{"cluster":["monitor","manage_index_templates","manage_saml","manage_token","manage_oidc","manage_enrich","manage_pipeline","manage_ilm","manage_transform","cluster:admin/xpack/security/api_key/invalidate","grant_api_key","manage_own_api_key","cluster:admin/xpack/security/privilege/builtin/get","delegate_pki","write_fleet_secrets","manage_ml","cancel_task"],"indices":[{"names":[".kibana*",".reporting-*"],"privileges":["all"],"allow_restricted_indices":true},{"names":[".fleet*","logs-*","metrics-*"],"privileges":["all"]}],"description":"What Kibana itself needs to run."}"#,
    ),
    (
        "kibana_admin",
        true,
        r#"{"applications":[{"application":"kibana-.kibana","privileges":["all"],"resources":["*"]}],"description":"Everything in Kibana."}"#,
    ),
    (
        "ingest_admin",
        true,
        r#"{"cluster":["manage_index_templates","manage_pipeline"],"description":"Manages index templates and ingest pipelines."}"#,
    ),
    (
        "machine_learning_user",
        true,
        r#"{"cluster":["monitor_ml"],"indices":[{"names":[".ml-anomalies*",".ml-notifications*"],"privileges":["view_index_metadata","read"]},{"names":[".ml-annotations*"],"privileges":["view_index_metadata","read","write"]}],"description":"Views machine learning jobs and results."}"#,
    ),
    (
        "remote_monitoring_agent",
        true,
        r#"{"cluster":["manage_index_templates","manage_ingest_pipelines","monitor"],"indices":[{"names":[".monitoring-*"],"privileges":["all"]},{"names":["metricbeat-*"],"privileges":["index","create_index","view_index_metadata","indices:admin/aliases","indices:admin/rollover"]}],"description":"Writes monitoring data."}"#,
    ),
    (
        "beats_system",
        true,
        r#"{"cluster":["monitor","cluster:admin/xpack/monitoring/bulk"],"indices":[{"names":[".monitoring-beats-*"],"privileges":["create_index","create"]}],"description":"What the Beats system user needs."}"#,
    ),
    (
        "logstash_system",
        true,
        r#"{"cluster":["monitor","cluster:admin/xpack/monitoring/bulk"],"description":"What the Logstash system user needs."}"#,
    ),
    (
        "snapshot_user",
        true,
        r#"{"cluster":["create_snapshot","cluster:admin/repository/get"],"indices":[{"names":["*"],"privileges":["view_index_metadata"],"allow_restricted_indices":true}],"description":"Makes snapshots of all indices."}"#,
    ),
    (
        "watcher_user",
        true,
        r#"{"cluster":["monitor_watcher"],"indices":[{"names":[".watches"],"privileges":["read"],"allow_restricted_indices":true},{"names":[".watcher-history-*"],"privileges":["read"]}],"description":"Reads watches and their history."}"#,
    ),
    (
        "transport_client",
        true,
        r#"{"cluster":["transport_client"],"description":"What the old transport client needs."}"#,
    ),
];
