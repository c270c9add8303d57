//! Trying a key: signing in with it and asking what it may do.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use serde_json::value::RawValue;

use crate::{
    client::Client,
    model::{
        api_key::KeyId,
        connections::{endpoint::Endpoint, login::Login},
        identity::Identity,
        machine_policy::MachinePolicy,
        privileges::{Area, Versions, descriptor::Grants, implies},
        secret::Secret,
        text::json,
    },
    ops::Problem,
};

/// One privilege, and whether the key has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Name of the privilege in Elasticsearch.
    pub privilege: String,
    /// Index patterns; empty for a cluster privilege.
    pub on: Vec<String>,
    /// `true` if the key has the privilege.
    pub granted: bool,
    /// `true` if the key is meant to have the privilege.
    pub meant: bool,
}

/// Result of trying a key.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Identity that the key signs in as.
    pub identity: Identity,
    /// Duration of the sign-in, in milliseconds.
    pub took: u64,
    /// Privileges that the key's role descriptors name, and two that it should not have.
    pub checks: Vec<Check>,
}

/// Signs in with a key at the cluster of `endpoint` and asks for the privileges that its descriptors
/// name. A key without descriptors is meant to have whatever its owner has.
///
/// # Errors
/// With the reason and the way out, when it does not sign in, or the rules of this computer don't allow the connection.
pub async fn try_key(
    endpoint: &Endpoint,
    policy: &Arc<MachinePolicy>,
    id: &KeyId,
    secret: &Secret,
    descriptors: Option<&RawValue>,
) -> Result<Trial, Problem> {
    let login = Login::ApiKey { id: id.as_str().to_owned(), secret: secret.clone() };
    let client = Client::by_rules(&Endpoint { login, run_as: None, ..endpoint.clone() }, policy)?;
    let started = Instant::now();
    let identity = client.authenticate().await?;
    let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let grants = descriptors.map(Grants::of).unwrap_or_default();
    let mut checks = Vec::new();
    cluster_checks(&client, &grants, is_unrestricted(descriptors), &mut checks).await?;
    index_checks(&client, &grants, &mut checks).await?;
    Ok(Trial { identity, took, checks })
}

/// Cluster privileges that a key should not have, checked in any case.
const FORBIDDEN: [&str; 2] = ["manage_security", "manage_own_api_key"];

/// `true` if the key was created without role descriptors, so that it has the privileges of its owner.
fn is_unrestricted(descriptors: Option<&RawValue>) -> bool {
    descriptors.is_none_or(|raw| json::members(raw.get()).is_some_and(|members| members.is_empty()))
}

async fn cluster_checks(
    client: &Client,
    grants: &Grants,
    unrestricted: bool,
    checks: &mut Vec<Check>,
) -> Result<(), Problem> {
    let mut names: Vec<&str> = grants.cluster.iter().map(String::as_str).collect();
    names.extend(FORBIDDEN.iter().filter(|name| !grants.cluster.iter().any(|own| own == *name)));
    let answer = client.has_cluster_privileges(&names).await?;
    for name in names {
        let Some(granted) = answer.has(name) else { continue };
        // A key without descriptors names nothing: it has what its owner has.
        let meant = unrestricted && granted || is_meant(&grants.cluster, name).unwrap_or(granted);
        checks.push(Check { privilege: name.to_owned(), on: Vec::new(), granted, meant });
    }
    Ok(())
}

/// Returns whether cluster privileges include another one, by name or because one of them implies it; `None` if that is
/// not known.
fn is_meant(held: &[String], wanted: &str) -> Option<bool> {
    let held: Vec<&str> = held.iter().map(String::as_str).collect();
    implies(Area::Cluster, &held, wanted, Versions::All)
}

async fn index_checks(client: &Client, grants: &Grants, checks: &mut Vec<Check>) -> Result<(), Problem> {
    let asked: Vec<(Vec<String>, Vec<String>)> =
        grants.indices.iter().map(|grant| (grant.names.clone(), grant.privileges.clone())).collect();
    if asked.is_empty() {
        return Ok(());
    }
    let answer: BTreeMap<String, BTreeMap<String, bool>> = client.has_index_privileges(&asked).await?;
    for (names, privileges) in asked {
        for privilege in privileges {
            let granted = names.iter().all(|name| answer.get(name).and_then(|a| a.get(&privilege)) == Some(&true));
            checks.push(Check { privilege, on: names.clone(), granted, meant: true });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_privilege_implies_is_meant_too() {
        let is_meant = |held: &[&str], wanted: &str| {
            is_meant(&held.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), wanted)
        };
        assert_eq!(is_meant(&["manage_api_key", "monitor"], "manage_own_api_key"), Some(true));
        assert_eq!(is_meant(&["manage_security"], "manage_own_api_key"), Some(true));
        assert_eq!(is_meant(&["all"], "manage_security"), Some(true));
        assert_eq!(is_meant(&["manage_api_key"], "manage_security"), Some(false));
        assert_eq!(is_meant(&[], "manage_own_api_key"), Some(false));
    }

    #[test]
    fn of_a_key_without_descriptors_nothing_is_granted_by_mistake() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        assert!(is_unrestricted(None) && is_unrestricted(Some(&raw("{}"))));
        assert!(!is_unrestricted(Some(&raw(r#"{"nothing":{}}"#))));
    }
}
