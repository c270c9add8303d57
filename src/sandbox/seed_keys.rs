//! The API keys of a fresh practice cluster: a few dozen picked ones that show every kind there is, then varied ones
//! up to the number asked for. Nobody knows their secrets: for trying a key one creates one.

use super::cluster::{Cluster, Hash, Realm, StoredKey};
use super::descriptor::{self, Descriptor};
use super::error::Outcome;
use super::seed::Draw;
use super::seed_picked::{DAY, End, Plan, picked};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// Adds so many keys.
///
/// # Errors
/// When the system has no random bytes to give.
pub fn fill(cluster: &mut Cluster, count: usize, now: i64) -> Outcome<()> {
    let mut draw = Draw::new(20_261_124);
    let wide = "wide-".to_owned() + &"0123456789".repeat(25) + "x";
    for plan in picked(&wide).into_iter().take(count) {
        let key = make(cluster, &mut draw, &plan, now)?;
        cluster.add_key(key);
    }
    special(cluster, &mut draw, count, now)?;
    let mut number = 0;
    while cluster.keys().len() < count {
        number += 1;
        let key = varied(cluster, &mut draw, number, now)?;
        cluster.add_key(key);
    }
    Ok(())
}

/// The kinds that no request of an ordinary user makes: cross-cluster, derived, restricted.
fn special(cluster: &mut Cluster, draw: &mut Draw, count: usize, now: i64) -> Outcome<()> {
    let room = count.saturating_sub(cluster.keys().len());
    let plain = |name, owner, created, end, metadata| Plan {
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
        let mut key = make(cluster, draw, &plain(name, owner, 22 * DAY, End::In(days * DAY), metadata), now)?;
        cross_cluster(&mut key, pattern, name.starts_with("ccr"))?;
        keys.push(key);
    }
    let mut derived = make(cluster, draw, &plain("derived-probe", "ana", 3 * DAY, End::In(4 * DAY), json!({})), now)?;
    derived.assigned = vec![("none".to_owned(), Descriptor::default())];
    derived.limited_by = Some(Vec::new());
    derived.realm = Realm::new("_es_api_key", "_es_api_key");
    keys.push(derived);
    let metadata = json!({"team": "search", "application_id": "shop-search"});
    let mut restricted =
        make(cluster, draw, &plain("shop-search-box", "carla", 9 * DAY, End::In(81 * DAY), metadata), now)?;
    let workflow = Descriptor {
        workflows: Some(vec!["search_application_query".to_owned()]),
        ..descriptor::from_json("search", r#"{"indices":[{"names":["products"],"privileges":["read"]}]}"#)?
    };
    restricted.assigned = vec![("search".to_owned(), workflow)];
    keys.push(restricted);
    keys.into_iter().take(room).for_each(|key| cluster.add_key(key));
    Ok(())
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
    key.assigned = vec![("cross_cluster".to_owned(), descriptor::from_json("cross_cluster", &text)?)];
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

/// What the owner may do: of users that are here by their roles, of others something plausible.
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
    Ok(vec![(name.to_owned(), descriptor::from_json(name, text)?)])
}

fn make(cluster: &Cluster, draw: &mut Draw, plan: &Plan, now: i64) -> Outcome<StoredKey> {
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
        metadata,
        assigned: plan
            .roles
            .iter()
            .filter_map(|name| {
                let role = cluster.roles.get(*name)?;
                Some(((*name).to_owned(), Descriptor { description: None, metadata: Map::new(), ..role.clone() }))
            })
            .collect(),
        limited_by: Some(snapshot(cluster, plan.owner)?),
        access: None,
        secret: Hash::unknown()?,
        doc: 0,
    })
}

/// One of many: everything drawn from small lists.
fn varied(cluster: &Cluster, draw: &mut Draw, number: usize, now: i64) -> Outcome<StoredKey> {
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
    let mut metadata = Map::new();
    if draw.below(5) > 0 {
        metadata.insert("team".into(), json!(team));
        metadata.insert("environment".into(), json!(stage));
    }
    if draw.below(3) > 0 {
        metadata.insert("application_id".into(), json!(format!("{team}-{job}")));
    }
    if !roles.is_empty() && draw.below(4) > 0 {
        metadata.insert("roles".into(), json!(roles));
    }
    if draw.below(4) == 0 {
        metadata.insert("ticket".into(), json!(format!("SEC-{}", draw.below(10_000))));
        metadata.insert("contact".into(), json!(format!("{team}@example.com")));
    }
    let name = format!("{team}-{job}-{stage}-{number:03}");
    let metadata = Value::Object(metadata);
    let plan = Plan { name: &name, owner, created: age, end, roles, metadata, invalidated };
    make(cluster, draw, &plan, now)
}

#[cfg(test)]
mod tests {
    use super::super::seed;
    use super::*;

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
