//! Roles of a fresh practice cluster: its own, and the built-in ones of 9.5.3.

/// Own roles of the practice cluster: name and descriptor as JSON.
pub const ROLES: &[(&str, &str)] = &[
    (
        "reader",
        r#"{"cluster":["monitor"],"indices":[{"names":["my_index"],"privileges":["read","view_index_metadata"]}]}"#,
    ),
    (
        "writer",
        r#"{"cluster":["monitor"],"indices":[{"names":["my_index"],"privileges":["read","write","view_index_metadata"]}]}"#,
    ),
    (
        "security_officer",
        r#"{"cluster":["manage_security","manage","monitor"],"indices":[{"names":["*"],"privileges":["all"]}],"applications":[{"application":"*","privileges":["*"],"resources":["*"]}],"run_as":["*"],"description":"Administers security, and may grant whatever a key could need."}"#,
    ),
    (
        "key_owner",
        r#"{"cluster":["manage_own_api_key","monitor","read_pipeline","read_ilm"],"indices":[{"names":["logs-*","metrics-*","my_index"],"privileges":["all"]}]}"#,
    ),
    ("own_keys_only", r#"{"cluster":["manage_own_api_key"]}"#),
    ("security_reader", r#"{"cluster":["read_security","monitor"]}"#),
    (
        "logs_reader",
        r#"{"cluster":["monitor"],"indices":[{"names":["logs-*","logstash-*","filebeat-*"],"privileges":["read","view_index_metadata"]}]}"#,
    ),
    (
        "metrics_reader",
        r#"{"cluster":["monitor"],"indices":[{"names":["metrics-*"],"privileges":["read","view_index_metadata"]}]}"#,
    ),
    (
        "beats_writer",
        r#"{"cluster":["monitor","read_ilm","read_pipeline"],"indices":[{"names":["filebeat-*","logs-*","metrics-*"],"privileges":["view_index_metadata","create_doc","auto_configure"]}],"description":"What Filebeat and Metricbeat need for publishing events."}"#,
    ),
    (
        "logstash_writer",
        r#"{"cluster":["monitor","manage_index_templates"],"indices":[{"names":["logstash-*"],"privileges":["create","create_index","view_index_metadata","auto_configure"]}]}"#,
    ),
    (
        "payments_writer",
        r#"{"cluster":["monitor"],"indices":[{"names":["logs-payments.*","payments-ledger","payments-settlement"],"privileges":["create_doc","index","view_index_metadata"]}],"metadata":{"team":"payments"}}"#,
    ),
    (
        "payments_admin",
        r#"{"cluster":["monitor"],"indices":[{"names":["payments-*","logs-payments.*","chargebacks-*"],"privileges":["all"]}],"metadata":{"team":"payments"}}"#,
    ),
    (
        "fraud_writer",
        r#"{"cluster":["monitor"],"indices":[{"names":["fraud-*"],"privileges":["create_doc","index","delete","view_index_metadata"]},{"names":["payments-*"],"privileges":["read"]}]}"#,
    ),
    (
        "invoices_writer",
        r#"{"cluster":["monitor"],"indices":[{"names":["invoices"],"privileges":["read","write","view_index_metadata"]}]}"#,
    ),
    (
        "ingest_pipelines",
        r#"{"cluster":["manage_ingest_pipelines","monitor"],"description":"Changes ingest pipelines; reads no data."}"#,
    ),
    (
        "dashboard_reader",
        r#"{"indices":[{"names":["logs-*","metrics-*"],"privileges":["read","view_index_metadata"]}],"applications":[{"application":"kibana-.kibana","privileges":["feature_dashboard.read","feature_discover.read"],"resources":["*"]}]}"#,
    ),
];

/// Built-in roles of 9.5.3 as JSON by name, with their real privileges and descriptions of our own. Empty and false
/// fields are omitted.
pub const RESERVED: &str = include_str!("reserved_roles.json");
