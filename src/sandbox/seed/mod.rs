//! Contents of a fresh practice cluster: users, roles, indices with documents, and keys (in `keys`). Always the same
//! except for secrets and UUIDs; times are relative to the start.

mod draw;
pub(super) mod keys;
pub(super) mod named_keys;
pub(super) mod roles;

use crate::sandbox::{
    accounts::{Account, Passwords},
    http::error::Outcome,
    json,
    security::descriptor_parse::{self, Use},
    seed::draw::Draw,
    state::{
        cluster::Cluster,
        index::{Document, Index},
        secret::{Hash, fresh_secret},
        user::{Realm, User},
    },
};
use roles::{RESERVED, ROLES};
use serde_json::{Map, Value, json};

/// Users: name, well-known password, roles, full name, and the purpose of the account (empty: not meant for sign-in).
const USERS: &[(&str, &str, &[&str], &str, &str)] = &[
    (
        "officer",
        "officer-password",
        &["security_officer"],
        "Olivia Officer",
        "the security officer: manages all keys, roles and users, and may use every index",
    ),
    ("elastic", "elastic-password", &["superuser"], "", "the built-in superuser"),
    (
        "ana",
        "ana-password",
        &["key_owner", "payments_admin"],
        "Ana Alvarez",
        "owns keys of the payments team, and may use payments, logs and metrics",
    ),
    ("boris", "boris-password", &["key_owner", "payments_writer"], "Boris Brandt", "owns keys of the payments team"),
    ("olga", "olga-password", &["own_keys_only"], "Olga Olsen", "may manage her own keys and nothing else"),
    ("rita", "rita-password", &["security_reader"], "Rita Rossi", "may read all security settings and change none"),
    ("nora", "nora-password", &["reader"], "Nora Novak", "has no privilege on keys; reads my_index"),
    ("carla", "carla-password", &["key_owner"], "Carla Costa", ""),
    ("dmitri", "dmitri-password", &["key_owner", "invoices_writer"], "Dmitri Dahl", ""),
    ("svc-beats", "svc-beats-password", &["beats_writer", "own_keys_only"], "", ""),
    ("svc-fraud", "svc-fraud-password", &["fraud_writer", "own_keys_only"], "", ""),
    ("svc-logstash", "svc-logstash-password", &["logstash_writer", "own_keys_only"], "", ""),
];

/// Built-in users of 9.5.3 besides `elastic`, with their roles; their passwords are unknown.
const SYSTEM_USERS: &[(&str, &[&str])] = &[
    ("apm_system", &["apm_system"]),
    ("beats_system", &["beats_system"]),
    ("kibana", &["kibana_system"]),
    ("kibana_system", &["kibana_system"]),
    ("logstash_system", &["logstash_system"]),
    ("remote_monitoring_user", &["remote_monitoring_collector", "remote_monitoring_agent"]),
];

/// Fills a cluster and returns it with the accounts meant for sign-in, the security officer first. Uses the fixed
/// passwords.
///
/// # Errors
/// If the operating system provides no random bytes.
#[cfg(test)]
pub fn fill(keys: usize, now: i64) -> Outcome<(Cluster, Vec<Account>)> {
    fill_with(keys, now, Passwords::Fixed)
}

/// Fills a cluster with this kind of passwords and returns it with the accounts meant for sign-in, the security officer
/// first; `now` is in epoch milliseconds.
///
/// # Errors
/// If the operating system provides no random bytes.
pub fn fill_with(keys: usize, now: i64, passwords: Passwords) -> Outcome<(Cluster, Vec<Account>)> {
    let mut cluster = Cluster::default();
    cluster.uuid = fresh_secret()?;
    cluster.started = now;
    for (name, text) in ROLES {
        cluster.roles.insert((*name).to_owned(), descriptor_parse::from_json(name, text)?);
    }
    let reserved = json::parse(RESERVED.as_bytes())?;
    for member in reserved.members().unwrap_or_default() {
        let mut role = descriptor_parse::parse(&member.name, &member.value, Use::Role).map_err(|fault| fault.error)?;
        role.metadata.insert("_reserved".into(), json!(true));
        role.no_transient_metadata = member.name == "superuser";
        cluster.roles.insert(member.name.clone(), role);
    }
    for (name, roles) in SYSTEM_USERS {
        let mut metadata = Map::new();
        metadata.insert("_reserved".into(), json!(true));
        if *name == "kibana" {
            metadata.insert("_deprecated".into(), json!(true));
            metadata.insert("_deprecated_reason".into(), json!("Please use the [kibana_system] user instead."));
        }
        let user = User {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            full_name: None,
            email: None,
            metadata,
            enabled: true,
            realm: Realm::new("reserved", "reserved"),
            password: Hash::unknown()?,
        };
        cluster.users.insert((*name).to_owned(), user);
    }
    let mut accounts = Vec::new();
    for (name, fixed, roles, full_name, about) in USERS {
        let password = match passwords {
            Passwords::Fixed => (*fixed).to_owned(),
            Passwords::Fresh => fresh_secret()?,
        };
        let built_in = *name == "elastic";
        let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
        let mut metadata = Map::new();
        if built_in {
            metadata.insert("_reserved".into(), json!(true));
        }
        let user = User {
            roles: roles.clone(),
            full_name: Some((*full_name).to_owned()).filter(|text| !text.is_empty()),
            email: None,
            metadata,
            enabled: true,
            realm: if built_in { Realm::new("reserved", "reserved") } else { Realm::new("default_native", "native") },
            password: Hash::of(&password)?,
        };
        cluster.users.insert((*name).to_owned(), user);
        if !about.is_empty() {
            let (name, about) = ((*name).to_owned(), (*about).to_owned());
            accounts.push(Account { name, password, roles, about });
        }
    }
    indices(&mut cluster, now)?;
    keys::fill(&mut cluster, keys, now)?;
    Ok((cluster, accounts))
}

fn indices(cluster: &mut Cluster, now: i64) -> Outcome<()> {
    let titles = [
        "A granular credential",
        "Least privilege in practice",
        "Rotating keys without downtime",
        "Reading the audit trail",
        "Who owns this key?",
        "An end date for everything",
        "Cross-cluster search",
        "Ingest pipelines",
        "Index patterns",
        "Document security",
        "Snapshots",
        "Hello, world",
    ];
    let articles = titles.iter().enumerate().map(|(number, title)| {
        json!({
            "title": title,
            "body": format!("{title}: what the practice cluster has to say about it."),
            "number": number + 1,
            "published": number % 3 != 0,
            "@timestamp": timestamp(now - 86_400_000 * i64::try_from(number).unwrap_or(0)),
        })
    });
    add(cluster, "my_index", articles.collect(), now)?;
    let mut draw = Draw::new(7);
    let services = ["api", "ledger", "gateway", "recon", "settlement"];
    let levels = ["info", "info", "info", "warn", "error"];
    let names = [
        "logs-payments.api-default",
        "logs-payments.gateway-default",
        "logs-nginx.access-default",
        "logs-app-2026.11",
        "logstash-2026.11.23",
        "filebeat-9.5.3-2026.11.23",
        "metrics-system.cpu-default",
        "metrics-payments-default",
        "payments-ledger",
        "payments-settlement",
        "fraud-scores",
        "chargebacks-2026",
        "invoices",
        "products",
    ];
    for name in names {
        let documents = (0..20 + draw.below(40)).map(|_| {
            let at = now - i64::try_from(draw.below(7 * 86_400_000)).unwrap_or(0);
            json!({
                "@timestamp": timestamp(at),
                "service": draw.one(&services),
                "level": draw.one(&levels),
                "message": format!("request {} handled", draw.below(100_000)),
                "duration_ms": draw.below(1_500),
            })
        });
        let documents = documents.collect();
        add(cluster, name, documents, now)?;
    }
    Ok(())
}

fn timestamp(at: i64) -> String {
    super::query::dates::to_iso(at).unwrap_or_default()
}

fn add(cluster: &mut Cluster, name: &str, sources: Vec<Value>, now: i64) -> Outcome<()> {
    let mut index = Index::new(now - 30 * 86_400_000)?;
    index.replicas = 0;
    for (number, source) in sources.into_iter().enumerate() {
        let id = (number + 1).to_string();
        index.mapping.learn(&json::parse(source.to_string().as_bytes())?, &id)?;
        let seq_no = index.next_seq_no;
        index.next_seq_no += 1;
        index.documents.insert(id, Document { source, version: 1, seq_no });
    }
    cluster.indices.insert(name.to_owned(), index);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_490_903_188;

    #[test]
    fn a_fresh_cluster_has_what_the_documentation_promises() {
        let (cluster, accounts) = fill(320, NOW).unwrap();
        assert_eq!(accounts[0].name, "officer");
        assert_eq!(cluster.keys().len(), 320);
        let reader = cluster.roles["reader"].to_value();
        assert_eq!(reader["cluster"], json!(["monitor"]));
        assert_eq!(reader["indices"][0]["names"], json!(["my_index"]));
        assert_eq!(reader["indices"][0]["privileges"], json!(["read", "view_index_metadata"]));
        assert!(!cluster.indices["my_index"].documents.is_empty());
        for account in &accounts {
            assert!(cluster.users[&account.name].password.matches(&account.password));
        }
    }

    #[test]
    fn fresh_passwords_are_new_at_each_start_and_the_well_known_ones_do_not_work() {
        let (cluster, accounts) = fill_with(0, NOW, Passwords::Fresh).unwrap();
        let (_, others) = fill_with(0, NOW, Passwords::Fresh).unwrap();
        for (account, other) in accounts.iter().zip(&others) {
            assert_ne!(account.password, other.password);
            let hash = &cluster.users[&account.name].password;
            assert!(hash.matches(&account.password));
            assert!(!hash.matches(&format!("{}-password", account.name)));
        }
        assert!(!cluster.users["svc-beats"].password.matches("svc-beats-password"));
    }

    #[test]
    fn every_role_of_every_user_exists_and_is_well_formed() {
        let (cluster, _) = fill(0, NOW).unwrap();
        for user in cluster.users.values() {
            assert!(user.roles.iter().all(|role| cluster.roles.contains_key(role)), "{:?}", user.roles);
        }
        for (name, role) in &cluster.roles {
            let mut role = role.clone();
            role.metadata.retain(|name, _| !name.starts_with('_'));
            assert!(role.problems().is_empty(), "{name}: {:?}", role.problems());
        }
    }

    #[test]
    fn two_starts_make_the_same_keys() {
        let (first, _) = fill(320, NOW).unwrap();
        let (second, _) = fill(320, NOW).unwrap();
        let shown = |cluster: &Cluster| {
            cluster.keys().iter().map(|key| (key.id.clone(), key.name.clone(), key.expiration)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&first), shown(&second));
    }
}
