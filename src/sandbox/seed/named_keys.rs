//! Hand-picked keys of a fresh practice cluster: one by name for every kind of problem.

use serde_json::{Value, json};

const HOUR: i64 = 3_600_000;
/// Length of a day, in milliseconds.
pub const DAY: i64 = 24 * HOUR;

/// Expiration of a key, relative to the start of the cluster.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// No expiration.
    Never,
    /// Milliseconds after the start; negative for an expiration before the start.
    In(i64),
    /// Absolute expiration time, in epoch milliseconds.
    At(i64),
}

/// Description of a key to create.
pub struct SeedKey<'a> {
    /// Key name.
    pub name: &'a str,
    /// User name of the owner.
    pub owner: &'a str,
    /// Age of the key at the start, in milliseconds.
    pub created: i64,
    /// Expiration.
    pub end: End,
    /// Roles whose descriptors are assigned to the key; if empty, the key has all privileges of the owner.
    pub roles: &'a [&'a str],
    /// Metadata of the key.
    pub metadata: Value,
    /// Time since the invalidation, in milliseconds; `None` if the key is not invalidated.
    pub invalidated: Option<i64>,
}

/// Returns the hand-picked keys, on which screenshots and examples can rely; `wide` is the longest name.
pub fn picked(wide: &str) -> Vec<SeedKey<'_>> {
    let groups = [payments(), everyday(), beats(), lasting(), managed(), odd_names(wide), odd_data(), gone()];
    groups.into_iter().flatten().collect()
}

fn key<'a>(
    name: &'a str,
    owner: &'a str,
    created: i64,
    end: End,
    roles: &'a [&'a str],
    metadata: Value,
) -> SeedKey<'a> {
    SeedKey { name, owner, created, end, roles, metadata, invalidated: None }
}

fn pay(id: &str, role: &str) -> Value {
    json!({
        "application_id": id,
        "roles": [role],
        "team": "payments",
        "environment": "production",
        "contact": "payments@example.com",
    })
}

/// Returns the payments team's keys: one expired, one with a few hours left, one expiring soon.
fn payments() -> Vec<SeedKey<'static>> {
    vec![
        key(
            "payments-ledger-writer",
            "ana",
            90 * DAY - 6 * HOUR,
            End::In(6 * HOUR),
            &["payments_writer"],
            pay("ledger-svc", "payments_writer"),
        ),
        key(
            "payments-recon-2025",
            "ana",
            92 * DAY,
            End::In(-2 * DAY),
            &["payments_writer"],
            pay("recon", "payments_writer"),
        ),
        key(
            "chargebacks-writer",
            "boris",
            78 * DAY,
            End::In(12 * DAY),
            &["payments_writer"],
            pay("chargeback-api", "payments_writer"),
        ),
        key(
            "settlement-batch",
            "ana",
            69 * DAY,
            End::In(21 * DAY),
            &["payments_writer", "logs_reader"],
            pay("settle-01", "payments_writer"),
        ),
        key(
            "payments-eu-writer",
            "ana",
            50 * DAY,
            End::In(40 * DAY),
            &["payments_writer", "metrics_reader"],
            pay("pay-writer-eu", "payments_writer"),
        ),
    ]
}

/// Returns keys of several owners, in the middle of their lives.
fn everyday() -> Vec<SeedKey<'static>> {
    vec![
        key(
            "ledger-migration-tmp",
            "boris",
            7 * DAY,
            End::In(-5 * HOUR),
            &["payments_admin"],
            json!({"team": "payments", "ticket": "SEC-4711"}),
        ),
        key(
            "payments-dlq-replayer",
            "boris",
            66 * DAY,
            End::In(24 * DAY),
            &["payments_admin"],
            json!({"application_id": "dlq", "roles": ["payments_admin"], "team": "payments"}),
        ),
        key(
            "payments-search-writer",
            "carla",
            35 * DAY,
            End::In(55 * DAY),
            &["writer"],
            json!({"application_id": "search-sync", "roles": ["writer"], "team": "search"}),
        ),
        key(
            "invoices-writer",
            "dmitri",
            14 * DAY,
            End::In(76 * DAY),
            &["invoices_writer"],
            json!({"application_id": "invoice-svc", "roles": ["invoices_writer"], "team": "billing"}),
        ),
    ]
}

/// Returns keys of shippers and scoring services.
fn beats() -> Vec<SeedKey<'static>> {
    vec![
        key(
            "fraud-scores-ingest",
            "svc-fraud",
            87 * DAY,
            End::In(3 * DAY + HOUR),
            &["fraud_writer"],
            json!({"application_id": "fraud-ingest", "roles": ["fraud_writer"], "team": "fraud"}),
        ),
        key(
            "logstash-payments-7",
            "svc-logstash",
            85 * DAY,
            End::In(5 * DAY),
            &["logstash_writer"],
            json!({"roles": ["logstash_writer"], "team": "platform"}),
        ),
        key("filebeat-pay-gw-02", "svc-beats", 63 * DAY, End::In(27 * DAY), &["beats_writer"], shipper()),
        key("filebeat-pay-gw-03", "svc-beats", 42 * DAY, End::In(48 * DAY), &["beats_writer"], shipper()),
        key(
            "risk-features-sync",
            "svc-fraud",
            30 * DAY,
            End::In(60 * DAY),
            &["fraud_writer"],
            json!({"application_id": "risk-sync", "roles": ["fraud_writer"], "team": "fraud"}),
        ),
        key(
            "payments-metrics",
            "svc-beats",
            5 * DAY,
            End::In(85 * DAY),
            &["metrics_reader"],
            json!({"roles": ["metrics_reader"], "team": "platform"}),
        ),
    ]
}

/// Returns long-lived keys, two of them without expiration, and keys of people.
fn lasting() -> Vec<SeedKey<'static>> {
    vec![
        key(
            "grafana-wallboard",
            "ana",
            2 * DAY,
            End::In(363 * DAY),
            &["logs_reader", "metrics_reader"],
            json!({"application_id": "grafana", "roles": ["logs_reader", "metrics_reader"], "team": "platform", "review_by": "2027-01-31"}),
        ),
        key("legacy-payments-admin", "boris", 800 * DAY, End::Never, &[], json!({})),
        key("legacy-superkey", "elastic", 1_100 * DAY, End::Never, &[], json!({"note": "do not delete, ask Ana"})),
        key("my-laptop", "ana", 20 * DAY, End::In(10 * DAY), &[], json!({"purpose": "trying things"})),
        key(
            "docs-search",
            "nora",
            10 * DAY,
            End::In(20 * DAY),
            &["reader"],
            json!({"application_id": "docs", "roles": ["reader"]}),
        ),
        key("olgas-first-key", "olga", DAY, End::In(6 * DAY), &["own_keys_only"], json!({})),
    ]
}

/// Returns keys of Kibana and Fleet, with the metadata that those products write.
fn managed() -> Vec<SeedKey<'static>> {
    vec![
        key(
            "kibana-alerting-rule-payments",
            "ana",
            120 * DAY,
            End::Never,
            &["payments_writer"],
            json!({"managed": true, "kibana": {"type": "alerting_rule"}}),
        ),
        key(
            "Alerting: .es-query/Error rate of the gateway",
            "carla",
            60 * DAY,
            End::Never,
            &["logs_reader"],
            json!({"managed": true, "kibana": {"type": "alerting_rule"}}),
        ),
        key(
            "Kibana: reporting export",
            "elastic",
            12 * DAY,
            End::In(18 * DAY),
            &["dashboard_reader"],
            json!({"managed": true, "managed_by": "kibana"}),
        ),
        key(
            "payments-audit-shipper",
            "elastic/fleet-server",
            74 * DAY,
            End::In(16 * DAY),
            &["beats_writer", "logs_reader"],
            json!({"managed": true, "managed_by": "fleet", "type": "output", "policy_id": "b2f1a3c4-pay"}),
        ),
        key(
            "a61f3c9e-2b1d-4f7a-9c55-0d1e2f3a4b5c:default",
            "elastic/fleet-server",
            33 * DAY,
            End::Never,
            &["beats_writer"],
            json!({"agent_id": "a61f3c9e-2b1d-4f7a-9c55-0d1e2f3a4b5c", "managed": true, "managed_by": "fleet", "type": "output"}),
        ),
        key(
            "Default (7c0d1f9a-88e0-4c1b-b6f2-a3d95e1c7b42)",
            "elastic/fleet-server",
            200 * DAY,
            End::Never,
            &["metrics_reader"],
            json!({"managed": true, "managed_by": "fleet", "type": "enroll", "policy_id": "fleet-server-policy"}),
        ),
    ]
}

/// Returns keys with names that are hard to display.
fn odd_names(wide: &str) -> Vec<SeedKey<'_>> {
    vec![
        key(
            "\u{200f}\u{202e}txt.yek-efas",
            "e.novak",
            15 * DAY,
            End::In(75 * DAY),
            &["logs_reader"],
            json!({"comment": "right-to-left marks in the name \u{202e}dne"}),
        ),
        key(
            "🚀 launch-day 🔑 מפתח مفتاح",
            "f.okafor",
            8 * DAY,
            End::In(2 * DAY),
            &["reader"],
            json!({"emoji": "👩‍💻", "team": "growth"}),
        ),
        key(
            "line\nbreak\tand\u{7}bell",
            "carla",
            40 * DAY,
            End::In(50 * DAY),
            &["reader"],
            json!({"control": "\u{1b}[31mred"}),
        ),
        key(
            wide,
            "g.lindqvist@example.com",
            45 * DAY,
            End::In(45 * DAY),
            &["logs_reader"],
            json!({"application_id": "wide-name"}),
        ),
    ]
}

/// Returns keys with times and metadata that are hard to display.
fn odd_data() -> Vec<SeedKey<'static>> {
    vec![
        key(
            "until-the-end-of-time",
            "elastic",
            60 * DAY,
            End::At(9_223_372_036_854_775),
            &["reader"],
            json!({"roles": ["reader"]}),
        ),
        key("dead-on-arrival", "dmitri", 6 * DAY, End::In(-6 * DAY), &["reader"], json!({"note": "created with 0s"})),
        key(
            "deep-metadata",
            "carla",
            11 * DAY,
            End::In(79 * DAY),
            &["reader"],
            json!({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": [1, {"i": null}]}}}}}}}, "n": 1.5, "big": 9_007_199_254_740_993_i64, "": "no name"}),
        ),
    ]
}

/// Returns invalidated keys.
fn gone() -> Vec<SeedKey<'static>> {
    vec![
        invalidated(
            "payments-ledger-writer",
            "ana",
            180 * DAY,
            End::In(-88 * DAY),
            &["payments_writer"],
            pay("ledger-svc", "payments_writer"),
            6 * DAY,
        ),
        invalidated(
            "leaked-in-a-ticket",
            "boris",
            25 * DAY,
            End::In(65 * DAY),
            &["payments_admin"],
            json!({"team": "payments", "ticket": "SEC-5001"}),
            2 * DAY,
        ),
        invalidated(
            "ci-nightly",
            "svc-logstash",
            30 * DAY,
            End::Never,
            &["ingest_pipelines"],
            json!({"team": "platform"}),
            20 * HOUR,
        ),
    ]
}

fn shipper() -> Value {
    json!({"roles": ["beats_writer"], "team": "platform", "purpose": "shipping logs"})
}

fn invalidated<'a>(
    name: &'a str,
    owner: &'a str,
    created: i64,
    end: End,
    roles: &'a [&'a str],
    metadata: Value,
    ago: i64,
) -> SeedKey<'a> {
    SeedKey { invalidated: Some(ago), ..key(name, owner, created, end, roles, metadata) }
}
