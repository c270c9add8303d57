//! Profiles and kept secrets in the vault of this machine. These calls may block.

use std::sync::Arc;

use crate::{
    model::{
        api_key::KeyId,
        connections::profile::{Profile, ProfileId},
        machine_policy::MachinePolicy,
        secret::Secret,
    },
    ops::{Fix, Problem, connections::machine_policy},
    store::{
        connections::{Profiles, ProfilesError},
        vault::{Vault, VaultError, VaultPlace, kept_secrets::KeptSecrets},
    },
};

/// Profiles that the vault holds.
#[derive(Debug)]
pub struct ReadProfiles {
    /// Profiles that could be read.
    pub profiles: Vec<Profile>,
    /// Profiles that could not be read, each as its id and the reason.
    pub unreadable: Vec<String>,
    /// `true` if the profiles are kept in memory only.
    pub in_memory: bool,
}

/// Reads all profiles, as the rules of this computer allow to use them.
///
/// # Errors
/// With the way out, when the vault can't be asked.
pub fn read_profiles(vault: &Arc<dyn Vault>, policy: &Arc<MachinePolicy>) -> Result<ReadProfiles, Problem> {
    let profiles = Profiles::by_rules(Arc::clone(vault), policy);
    let list = profiles.list()?;
    let in_memory = profiles.place() == VaultPlace::Memory;
    let unreadable = list.unreadable.iter().map(|profile| format!("{}: {}", profile.id.0, profile.reason)).collect();
    Ok(ReadProfiles { profiles: list.profiles, unreadable, in_memory })
}

/// Keeps a profile, and reads all again.
///
/// # Errors
/// Returns an error if the profile could not be saved, or the rules of this computer don't allow it.
pub fn save_profile(
    vault: &Arc<dyn Vault>,
    policy: &Arc<MachinePolicy>,
    profile: &Profile,
) -> Result<ReadProfiles, Problem> {
    Profiles::by_rules(Arc::clone(vault), policy).save(profile)?;
    read_profiles(vault, policy)
}

/// Forgets a profile, and reads all again.
///
/// # Errors
/// Returns an error if the profile may still be in the vault.
pub fn remove_profile(
    vault: &Arc<dyn Vault>,
    policy: &Arc<MachinePolicy>,
    id: &ProfileId,
) -> Result<ReadProfiles, Problem> {
    Profiles::by_rules(Arc::clone(vault), policy).remove(id)?;
    read_profiles(vault, policy)
}

/// Keeps the secret of a key, and returns where, as text for a message.
///
/// # Errors
/// Returns an error if the secret could not be saved, or the vault is only the memory of this process, from which
/// nobody could get it later.
pub fn keep_secret(
    vault: &Arc<dyn Vault>,
    id: &KeyId,
    name: &str,
    secret: &Secret,
    cluster: Option<&str>,
) -> Result<String, Problem> {
    if vault.place() == VaultPlace::Memory {
        let detail = "In this program's memory, the secret would be lost when it closes";
        return Err(Problem::new("There is no keyring to save it in", detail).hint("Copy it, or write it to a file"));
    }
    KeptSecrets::new(Arc::clone(vault)).keep_secret(id, name, secret, cluster)?;
    Ok("the keyring of this computer".into())
}

/// Forgets kept secrets of keys that were invalidated on the cluster of this uuid: they are of no use any more. One
/// that was kept for a key of another cluster stays. Returns the number of secrets that were forgotten.
///
/// # Errors
/// Returns an error if the vault can't be read.
pub fn forget_ended(kept: &KeptSecrets, cluster: Option<&str>, ended: &[KeyId]) -> Result<usize, VaultError> {
    let mut forgotten = 0;
    let known = kept.ids()?;
    for id in ended.iter().filter(|id| known.contains(*id)) {
        let home = kept.find(id)?.and_then(|secret| secret.cluster);
        if home.is_none() || cluster.is_none() || home.as_deref() == cluster {
            kept.forget(id)?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

/// Returns the problem that the keyring did not answer: it may be waiting for its password in its own window.
pub fn waited_too_long() -> Problem {
    let detail = "The keyring did not respond. It may be waiting for its password in a separate window";
    Problem::new("The keyring timed out", detail).fix(Fix::ReadProfiles).or(Fix::UseMemory)
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        Problem::new(&error.to_string(), "").hint(error.way_out()).fix(Fix::ReadProfiles).or(Fix::UseMemory)
    }
}

impl From<ProfilesError> for Problem {
    fn from(error: ProfilesError) -> Self {
        match error {
            ProfilesError::Vault(error) => error.into(),
            ProfilesError::Policy(violation) => machine_policy::refused(&violation),
            // Another keyring would not help: the profile itself is wrong.
            error => Problem::new(&error.to_string(), "").hint(error.way_out()).fix(Fix::ReadProfiles),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::vault::memory::MemoryVault;

    #[test]
    fn secrets_of_invalidated_keys_are_forgotten_and_no_others() {
        let kept = KeptSecrets::new(Arc::new(MemoryVault::new()));
        for (id, cluster) in [("ended", Some("a")), ("stays", Some("a")), ("elsewhere", Some("b")), ("older", None)] {
            kept.keep_secret(&KeyId::new(id), "name", &Secret::new("s"), cluster).unwrap();
        }
        let ended = ["ended", "elsewhere", "older", "never-kept"].map(KeyId::new);
        assert_eq!(forget_ended(&kept, Some("a"), &ended).unwrap(), 2);
        let mut left: Vec<String> = kept.ids().unwrap().iter().map(ToString::to_string).collect();
        left.sort();
        assert_eq!(left, ["elsewhere", "stays"]);
    }
}
