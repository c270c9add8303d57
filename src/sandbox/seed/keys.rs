//! API keys of a fresh practice cluster: a few dozen hand-picked keys that show every kind, then random ones up to the
//! requested number. Their secrets are unknown; create a key to try one. Keys share equal data, so that a million of
//! them fit into the memory of a laptop.

use super::{
    draw::Draw,
    named_keys::{DAY, End, SeedKey, picked},
};
use crate::sandbox::{
    http::error::Outcome,
    security::{descriptor::Descriptor, descriptor_parse},
    state::{
        cluster::Cluster,
        key::{Descriptors, StoredKey},
        secret::Hash,
        user::Realm,
    },
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Adds `count` keys; `now` is in epoch milliseconds.
///
/// # Errors
/// If the operating system provides no random bytes.
pub fn fill(cluster: &mut Cluster, count: usize, now: i64) -> Outcome<()> {
    let mut draw = Draw::new(20_261_124);
    let mut stock = Stock::new()?;
    let wide = "wide-".to_owned() + &"0123456789".repeat(25) + "x";
    let mut keys = Vec::with_capacity(count);
    for plan in picked(&wide).into_iter().take(count) {
        keys.push(make(cluster, &mut stock, &mut draw, &plan, now)?);
    }
    let room = count.saturating_sub(keys.len());
    keys.extend(special(cluster, &mut stock, &mut draw, now)?.into_iter().take(room));
    let mut number = 0;
    while keys.len() < count {
        number += 1;
        keys.push(varied(cluster, &mut stock, &mut draw, number, now)?);
    }
    cluster.add_keys(keys);
    Ok(())
}

/// Data that many keys share, created once.
struct Stock {
    snapshots: HashMap<String, Arc<Descriptors>>,
    assigned: HashMap<String, Arc<Descriptors>>,
    metadata: HashMap<Facts, Arc<Map<String, Value>>>,
    secret: Hash,
}

impl Stock {
    /// Creates an empty stock with one hash for all keys; no secret for it is known.
    fn new() -> Outcome<Stock> {
        let secret = Hash::unknown()?;
        Ok(Stock { snapshots: HashMap::new(), assigned: HashMap::new(), metadata: HashMap::new(), secret })
    }

    /// Returns the owner's snapshot, from the stock if it was made before.
    fn snapshot(&mut self, cluster: &Cluster, owner: &str) -> Outcome<Arc<Descriptors>> {
        if let Some(known) = self.snapshots.get(owner) {
            return Ok(Arc::clone(known));
        }
        let made = Arc::new(snapshot(cluster, owner)?);
        self.snapshots.insert(owner.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// Returns the descriptors of roles as a key gets them: without description and metadata.
    fn assigned(&mut self, cluster: &Cluster, roles: &[&str]) -> Arc<Descriptors> {
        let make = || {
            let copy = |name: &&str| {
                let role = cluster.roles.get(*name)?;
                Some(((*name).to_owned(), Descriptor { description: None, metadata: Map::new(), ..role.clone() }))
            };
            Arc::new(roles.iter().filter_map(copy).collect())
        };
        Arc::clone(self.assigned.entry(roles.join(",")).or_insert_with(make))
    }

    fn metadata(&mut self, facts: Facts) -> Arc<Map<String, Value>> {
        // Tickets are nearly all different.
        if facts.ticket.is_some() {
            return Arc::new(facts.to_map());
        }
        Arc::clone(self.metadata.entry(facts).or_insert_with(|| Arc::new(facts.to_map())))
    }
}

/// Contents of the metadata of a random key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Facts {
    team: &'static str,
    job: &'static str,
    stage: &'static str,
    of_a_team: bool,
    of_an_application: bool,
    roles: &'static [&'static str],
    ticket: Option<usize>,
}

impl Facts {
    fn to_map(self) -> Map<String, Value> {
        let Facts { team, job, stage, .. } = self;
        let mut metadata = Map::new();
        if self.of_a_team {
            metadata.insert("team".into(), json!(team));
            metadata.insert("environment".into(), json!(stage));
        }
        if self.of_an_application {
            metadata.insert("application_id".into(), json!(format!("{team}-{job}")));
        }
        if !self.roles.is_empty() {
            metadata.insert("roles".into(), json!(self.roles));
        }
        if let Some(ticket) = self.ticket {
            metadata.insert("ticket".into(), json!(format!("SEC-{ticket}")));
            metadata.insert("contact".into(), json!(format!("{team}@example.com")));
        }
        metadata
    }
}

/// Returns keys that no request of an ordinary user creates: cross-cluster, derived, restricted.
fn special(cluster: &Cluster, stock: &mut Stock, draw: &mut Draw, now: i64) -> Outcome<Vec<StoredKey>> {
    let plain = |name, owner, created, end, metadata| SeedKey {
        name,
        owner,
        created,
        end,
        roles: &[],
        metadata,
        invalidated: None,
    };
    let mut keys = Vec::new();
    let pairs = [
        ("ccs-payments-us", "boris", 68, "payments-*"),
        ("ccs-logs-apac", "officer", 21, "logs-*"),
        ("ccr-products", "officer", 300, "products"),
    ];
    for (name, owner, days, pattern) in pairs {
        let metadata = json!({"team": "platform", "remote": name.rsplit('-').next()});
        let mut key = make(cluster, stock, draw, &plain(name, owner, 22 * DAY, End::In(days * DAY), metadata), now)?;
        cross_cluster(&mut key, pattern, name.starts_with("ccr"))?;
        keys.push(key);
    }
    let mut derived =
        make(cluster, stock, draw, &plain("derived-probe", "ana", 3 * DAY, End::In(4 * DAY), json!({})), now)?;
    derived.assigned = vec![("none".to_owned(), Descriptor::default())].into();
    derived.limited_by = Some(Arc::default());
    derived.realm = Realm::new("_es_api_key", "_es_api_key");
    keys.push(derived);
    let metadata = json!({"team": "search", "application_id": "shop-search"});
    let mut restricted =
        make(cluster, stock, draw, &plain("shop-search-box", "carla", 9 * DAY, End::In(81 * DAY), metadata), now)?;
    let workflow = Descriptor {
        workflows: Some(vec!["search_application_query".to_owned()]),
        ..descriptor_parse::from_json("search", r#"{"indices":[{"names":["products"],"privileges":["read"]}]}"#)?
    };
    restricted.assigned = vec![("search".to_owned(), workflow)].into();
    keys.push(restricted);
    Ok(keys)
}

fn cross_cluster(key: &mut StoredKey, pattern: &str, replication: bool) -> Outcome<()> {
    let (text, access) = if replication {
        (
            format!(
                r#"{{"cluster":["cross_cluster_replication"],"indices":[{{"names":["{pattern}"],"privileges":["cross_cluster_replication","cross_cluster_replication_internal"]}}]}}"#
            ),
            json!({ "replication": [{ "names": [pattern], "allow_restricted_indices": false }] }),
        )
    } else {
        (
            format!(
                r#"{{"cluster":["cross_cluster_search","monitor_enrich"],"indices":[{{"names":["{pattern}"],"privileges":["read","read_cross_cluster","view_index_metadata"]}}]}}"#
            ),
            json!({ "search": [{ "names": [pattern], "allow_restricted_indices": false }] }),
        )
    };
    key.kind = "cross_cluster";
    key.assigned = vec![("cross_cluster".to_owned(), descriptor_parse::from_json("cross_cluster", &text)?)].into();
    key.access = Some(access);
    key.limited_by = None;
    Ok(())
}

fn owner_realm(owner: &str) -> Realm {
    match owner {
        "elastic" => Realm::new("reserved", "reserved"),
        name if name.contains('/') => Realm::new("_service_account", "_service_account"),
        "e.novak" | "f.okafor" => Realm::new("corp-ldap", "ldap"),
        "g.lindqvist@example.com" => Realm::new("cloud-saml", "saml"),
        _ => Realm::new("default_native", "native"),
    }
}

/// Returns the owner's snapshot: from the roles of an existing user, else plausible descriptors.
fn snapshot(cluster: &Cluster, owner: &str) -> Outcome<Vec<(String, Descriptor)>> {
    if let Some(user) = cluster.users.get(owner) {
        return Ok(cluster.descriptors(&user.roles));
    }
    let (name, text) = if owner.contains('/') {
        (
            owner,
            r#"{"cluster":["monitor","manage_own_api_key","read_fleet_secrets"],"indices":[{"names":["logs-*","metrics-*","traces-*",".fleet-*"],"privileges":["read","write","auto_configure","create_index","maintenance"]}]}"#,
        )
    } else {
        (
            "directory_user",
            r#"{"cluster":["monitor","manage_own_api_key"],"indices":[{"names":["logs-*","products"],"privileges":["read","write","view_index_metadata"]}]}"#,
        )
    };
    Ok(vec![(name.to_owned(), descriptor_parse::from_json(name, text)?)])
}

fn make(cluster: &Cluster, stock: &mut Stock, draw: &mut Draw, plan: &SeedKey, now: i64) -> Outcome<StoredKey> {
    let mut bytes = [0; 15];
    for chunk in bytes.chunks_mut(8) {
        let random = draw.next().to_le_bytes();
        let length = chunk.len();
        chunk.copy_from_slice(random.get(..length).unwrap_or_default());
    }
    let metadata = match &plan.metadata {
        Value::Object(map) => map.clone(),
        _ => Map::new(),
    };
    let user = cluster.users.get(plan.owner);
    Ok(StoredKey {
        has_metadata: true,
        id: URL_SAFE_NO_PAD.encode(bytes),
        name: plan.name.to_owned(),
        kind: "rest",
        creation: now - plan.created,
        expiration: match plan.end {
            End::Never => None,
            End::In(rest) => Some(now + rest),
            End::At(at) => Some(at),
        },
        invalidation: plan.invalidated.map(|ago| now - ago),
        username: plan.owner.to_owned(),
        realm: owner_realm(plan.owner),
        full_name: user.and_then(|user| user.full_name.clone()),
        email: None,
        owner_metadata: user.map(|user| user.metadata.clone()).unwrap_or_default(),
        metadata: metadata.into(),
        assigned: stock.assigned(cluster, plan.roles),
        limited_by: Some(stock.snapshot(cluster, plan.owner)?),
        access: None,
        certificate_identity: None,
        secret: stock.secret.clone(),
        doc: 0,
    })
}

/// Returns a random key, with all its data drawn from small lists.
fn varied(cluster: &Cluster, stock: &mut Stock, draw: &mut Draw, number: usize, now: i64) -> Outcome<StoredKey> {
    const TEAMS: [&str; 8] = ["payments", "search", "logistics", "billing", "fraud", "mobile", "platform", "analytics"];
    const JOBS: [&str; 10] =
        ["ingest", "dashboard", "backup", "exporter", "crawler", "webhook", "batch", "gateway", "sync", "reports"];
    const STAGES: [&str; 4] = ["prod", "prod", "staging", "dev"];
    const OWNERS: [&str; 13] = [
        "ana",
        "ana",
        "boris",
        "boris",
        "carla",
        "dmitri",
        "svc-beats",
        "svc-fraud",
        "svc-logstash",
        "officer",
        "e.novak",
        "f.okafor",
        "g.lindqvist@example.com",
    ];
    const ROLES: [&[&str]; 9] = [
        &["reader"],
        &["writer"],
        &["logs_reader"],
        &["metrics_reader"],
        &["beats_writer"],
        &["payments_writer"],
        &["logs_reader", "metrics_reader"],
        &["dashboard_reader"],
        &[],
    ];
    const TERMS: [i64; 8] = [1, 7, 30, 30, 90, 90, 365, 0];
    let pick = |draw: &mut Draw, list: &[&'static str]| draw.one(list).copied().unwrap_or_default();
    let (team, job, stage) = (pick(draw, &TEAMS), pick(draw, &JOBS), pick(draw, &STAGES));
    let owner = pick(draw, &OWNERS);
    let roles = draw.one(&ROLES).copied().unwrap_or_default();
    let term = draw.one(&TERMS).copied().unwrap_or(90) * DAY;
    let spread = |draw: &mut Draw, end: i64| i64::try_from(draw.below(usize::try_from(end).unwrap_or(1))).unwrap_or(0);
    // Most keys are in the middle of their life; some have been dead for a few days.
    let age = if term == 0 { spread(draw, 700 * DAY) } else { spread(draw, term + 5 * DAY) };
    let end = if term == 0 { End::Never } else { End::In(term - age) };
    let invalidated = (draw.below(12) == 0).then(|| spread(draw, age.clamp(1, 7 * DAY)));
    let of_a_team = draw.below(5) > 0;
    let of_an_application = draw.below(3) > 0;
    let told: &[&str] = if !roles.is_empty() && draw.below(4) > 0 { roles } else { &[] };
    let ticket = (draw.below(4) == 0).then(|| draw.below(10_000));
    let facts = Facts { team, job, stage, of_a_team, of_an_application, roles: told, ticket };
    let name = format!("{team}-{job}-{stage}-{number:03}");
    let plan = SeedKey { name: &name, owner, created: age, end, roles, metadata: Value::Null, invalidated };
    Ok(StoredKey { metadata: stock.metadata(facts), ..make(cluster, stock, draw, &plan, now)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::seed;

    const NOW: i64 = 1_795_490_903_188;

    #[test]
    fn every_kind_of_key_is_there() {
        let (cluster, _) = seed::fill(320, NOW).unwrap();
        let keys = cluster.keys();
        let some = |check: &dyn Fn(&StoredKey) -> bool| keys.iter().filter(|key| check(key)).count();
        assert!(some(&|key| key.is_expired(NOW)) > 5);
        assert!(some(&|key| key.expiration.is_none()) > 10);
        assert!(some(&|key| key.invalidation.is_some()) > 10);
        assert!(some(&|key| key.kind == "cross_cluster") >= 3);
        assert!(some(&|key| key.metadata.contains_key("managed")) >= 5);
        assert!(some(&|key| key.assigned.is_empty()) > 5);
        assert!(some(&|key| key.realm.kind != "native") > 10);
        assert_eq!(some(&|key| key.name.chars().count() == 256), 1);
        assert_eq!(some(&|key| key.expiration == Some(9_223_372_036_854_775)), 1);
        let ids: std::collections::HashSet<&str> = keys.iter().map(|key| key.id.as_str()).collect();
        assert_eq!(ids.len(), 320);
        assert!(ids.iter().all(|id| id.len() == 20));
    }

    #[test]
    fn fewer_keys_can_be_asked_for() {
        for count in [0, 1, 40, 60, 1_000] {
            assert_eq!(seed::fill(count, NOW).unwrap().0.keys().len(), count);
        }
    }

    #[test]
    fn nothing_was_created_or_invalidated_in_the_future() {
        let (cluster, _) = seed::fill(1_000, NOW).unwrap();
        for key in cluster.keys() {
            assert!(key.creation <= NOW, "{}", key.name);
            assert!(key.invalidation.is_none_or(|at| at <= NOW && at >= key.creation), "{}", key.name);
        }
    }
}
