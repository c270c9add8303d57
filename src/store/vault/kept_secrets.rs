//! Secrets of single keys that a person chose to keep in the keyring. It doesn't know how a key is used.

use std::{collections::HashSet, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    Vault, VaultError,
    secret_json::{WipedBuffer, unquote},
};
use crate::model::{api_key::KeyId, connections::login::encode, secret::Secret};

/// The kept secrets in a vault. Its calls block as the vault's do.
#[derive(Clone)]
pub struct KeptSecrets {
    vault: Arc<dyn Vault>,
}

/// A key with its secret, as it was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSecret {
    /// Id of the key.
    pub id: KeyId,
    /// Name of the key at the time when its secret was kept.
    pub name: String,
    /// `base64(id:api_key)`, which clients take as it is.
    pub encoded: Secret,
    /// The uuid of the key's cluster; `None` where it was not known when the secret was kept.
    pub cluster: Option<String>,
}

#[derive(Serialize)]
struct ToStore<'a> {
    format: u32,
    id: &'a str,
    name: &'a str,
    encoded: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
}

#[derive(Deserialize)]
struct Stored<'a> {
    name: String,
    #[serde(default)]
    cluster: Option<String>,
    #[serde(borrow)]
    encoded: &'a RawValue,
}

/// Returns the name of the keyring's entry for a key, as used in `secret-tool lookup service keybearer username …`.
pub fn entry_of(id: &KeyId) -> String {
    format!("key/{}", id.as_str())
}

impl KeptSecrets {
    /// Creates the view of the kept secrets in a vault.
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        Self { vault }
    }

    /// Keeps the secret of a key, with the key's name and the uuid of its cluster; the entry is JSON with the `encoded`
    /// form.
    ///
    /// # Errors
    /// Returns an error if the vault refuses.
    pub fn keep_secret(
        &self,
        id: &KeyId,
        name: &str,
        secret: &Secret,
        cluster: Option<&str>,
    ) -> Result<(), VaultError> {
        let encoded = encode(id.as_str(), secret);
        let stored = ToStore { format: 1, id: id.as_str(), name, encoded: encoded.expose(), cluster };
        let mut buffer = WipedBuffer::default();
        serde_json::to_writer(&mut buffer, &stored).map_err(|_| unwritable())?;
        self.vault.write(&entry_of(id), &buffer.into_secret().ok_or_else(unwritable)?)
    }

    /// Returns the kept secret of a key; `None` if none is kept.
    ///
    /// # Errors
    /// Returns an error if the vault refuses, or the entry can't be read.
    pub fn find(&self, id: &KeyId) -> Result<Option<KeptSecret>, VaultError> {
        let Some(text) = self.vault.read(&entry_of(id))? else { return Ok(None) };
        let damaged = || VaultError::Other("the entry of this key can't be read".into());
        let stored: Stored<'_> = serde_json::from_str(text.expose()).map_err(|_| damaged())?;
        let encoded = unquote(stored.encoded).ok_or_else(damaged)?;
        Ok(Some(KeptSecret { id: id.clone(), name: stored.name, encoded, cluster: stored.cluster }))
    }

    /// Returns the ids of the keys for which a secret is kept.
    ///
    /// # Errors
    /// Returns an error if the vault can't be read.
    pub fn ids(&self) -> Result<HashSet<KeyId>, VaultError> {
        let prefix = entry_of(&KeyId::new(""));
        let names = self.vault.names(&prefix)?;
        Ok(names.iter().filter_map(|name| name.strip_prefix(prefix.as_str())).map(KeyId::new).collect())
    }

    /// Removes the kept secret of a key; it is no error if none is kept.
    ///
    /// # Errors
    /// Returns an error if the vault refuses.
    pub fn forget(&self, id: &KeyId) -> Result<(), VaultError> {
        self.vault.remove(&entry_of(id))
    }
}

fn unwritable() -> VaultError {
    VaultError::Other("this can't be saved".into())
}

impl std::fmt::Debug for KeptSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptSecrets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::vault::memory::MemoryVault;

    #[test]
    fn a_kept_secret_comes_back_encoded_until_it_is_forgotten() {
        let vault = Arc::new(MemoryVault::new());
        let kept = KeptSecrets::new(vault.clone());
        let id = KeyId::new("id");
        kept.keep_secret(&id, "my \"app\" key", &Secret::new("key"), None).unwrap();
        let found = kept.find(&id).unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.encoded.expose()), ("my \"app\" key", "aWQ6a2V5"));
        assert!(!format!("{found:?} {kept:?} {vault:?}").contains("aWQ6"));
        kept.forget(&id).unwrap();
        kept.forget(&id).unwrap();
        assert_eq!(kept.find(&id), Ok(None));
    }

    #[test]
    fn a_damaged_entry_is_said_to_be_damaged_without_being_repeated() {
        let vault = Arc::new(MemoryVault::new());
        vault.write("key/id", &Secret::new("{\"name\":\"n\",\"encoded\":{\"x\":\"hunter2\"}}")).unwrap();
        let error = KeptSecrets::new(vault).find(&KeyId::new("id")).unwrap_err();
        assert!(!error.to_string().contains("hunter2") && error.to_string().contains("can't be read"));
    }
}
