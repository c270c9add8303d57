//! Secrets that are kept in the keyring: which one is meant, and whether its key still works.

use std::sync::Arc;

use crate::{
    client::{Client, ClientError},
    model::{
        api_key::KeyId,
        connections::{endpoint::Endpoint, login::Login},
        machine_policy::MachinePolicy,
    },
    ops::Problem,
    store::vault::kept_secrets::{KeptSecret, KeptSecrets},
};

/// Most secrets among which a name is looked for: each is read from the keyring.
const MAX_KEPT: usize = 1_000;

/// Returns the kept secret of the key with this id, otherwise of the one with exactly this name.
///
/// # Errors
/// If there is none, if several keys have the name, or if the keyring can't be read.
pub fn named(kept: &KeptSecrets, reference: &str) -> Result<KeptSecret, Problem> {
    if let Some(found) = kept.find(&KeyId::new(reference))? {
        return Ok(found);
    }
    let mut ids: Vec<KeyId> = kept.ids()?.into_iter().collect();
    if ids.len() > MAX_KEPT {
        let title = format!("The keyring keeps the secrets of {} keys: too many to look for a name", ids.len());
        return Err(Problem::new(&title, "").hint("Use the id of the key"));
    }
    ids.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    let mut named = Vec::new();
    for id in &ids {
        named.extend(kept.find(id)?.filter(|secret| secret.name == reference));
    }
    if named.len() > 1 {
        let ids: Vec<&str> = named.iter().map(|secret| secret.id.as_str()).collect();
        let title = format!("The keyring keeps the secrets of {} keys named “{reference}”", ids.len());
        return Err(Problem::new(&title, &ids.join(", ")).hint("Use the id of the key"));
    }
    named.pop().ok_or_else(|| {
        let title = format!("The keyring keeps no secret of a key with the id or name “{reference}”");
        Problem::new(&title, "").hint("Keep it in the keyring when the key is created: clusters can't reveal it later")
    })
}

/// State of a key, as the cluster reports it when somebody signs in with the key.
#[derive(Clone, Debug)]
pub enum KeyState {
    /// The key signs in.
    Works,
    /// The cluster refuses the key: it has expired, was invalidated, or is not known there.
    Refused(Box<Problem>),
    /// The cluster could not be asked.
    NotKnown(Box<Problem>),
}

/// Signs in with a kept secret at the cluster of `endpoint`.
pub async fn state(endpoint: &Endpoint, policy: &Arc<MachinePolicy>, secret: &KeptSecret) -> KeyState {
    let Ok(login) = Login::from_api_key_text(secret.encoded.expose()) else {
        let problem = Problem::new("The keyring entry of this key can't be used", "");
        return KeyState::Refused(Box::new(problem));
    };
    let endpoint = Endpoint { login, run_as: None, ..endpoint.clone() };
    let client = match Client::by_rules(&endpoint, policy) {
        Ok(client) => client,
        Err(error) => return KeyState::NotKnown(Box::new(error.into())),
    };
    match client.authenticate().await {
        Ok(_) => KeyState::Works,
        Err(error @ ClientError::Unauthenticated { .. }) => KeyState::Refused(Box::new(error.into())),
        Err(error) => KeyState::NotKnown(Box::new(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::secret::Secret, store::vault::memory::MemoryVault};

    #[test]
    fn an_id_goes_before_a_name_and_several_of_a_name_are_named() {
        let kept = KeptSecrets::new(Arc::new(MemoryVault::new()));
        for (id, name) in [("a", "app"), ("b", "app"), ("c", "a"), ("d", "single")] {
            kept.keep_secret(&KeyId::new(id), name, &Secret::new("hunter2"), None).unwrap();
        }
        let id = |reference: &str| named(&kept, reference).map(|secret| secret.id.to_string());
        assert_eq!(id("a").unwrap(), "a");
        assert_eq!(id("single").unwrap(), "d");
        let several = id("app").unwrap_err().words();
        assert!(several.contains("a, b") && !several.contains("hunter2"), "{several}");
        for missing in ["ap", "App", "single ", ""] {
            assert!(id(missing).unwrap_err().words().contains("no secret"), "{missing}");
        }
    }
}
