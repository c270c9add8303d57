//! A vault in memory: for the practice cluster, for computers without a keyring, and for tests. It
//! keeps nothing beyond this process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Vault, VaultError, VaultPlace};
use crate::model::secret::Secret;

/// A vault that keeps entries for this run; it can be made to fail like a real keyring.
#[derive(Debug, Default)]
pub struct MemoryVault {
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    entries: BTreeMap<String, Secret>,
    failure: Option<(VaultError, usize)>,
    limit: Option<u32>,
    lasts: bool,
    locked: bool,
}

impl MemoryVault {
    /// An empty vault.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty vault that claims to be lasting, like a keyring.
    pub fn like_a_keyring() -> Self {
        let own = Self::default();
        own.inside().lasts = true;
        own
    }

    /// Locks the vault, or unlocks it: the next call would ask for its password, which is given.
    pub fn lock_it(&self, locked: bool) {
        self.inside().locked = locked;
    }

    /// Makes every call fail with this error from now on; with `None` none does.
    pub fn fail_with(&self, error: impl Into<Option<VaultError>>) {
        self.inside().failure = error.into().map(|error| (error, 0));
    }

    /// Lets `calls` more calls succeed, then fails with this error: a keyring that goes away halfway.
    pub fn fail_after(&self, calls: usize, error: VaultError) {
        self.inside().failure = Some((error, calls));
    }

    /// Refuses texts of more than this number of bytes, as the Credential Manager of Windows does (2560).
    pub fn limit_entries_to(&self, bytes: u32) {
        self.inside().limit = Some(bytes);
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, Inside>, VaultError> {
        let mut inside = self.inside();
        match &mut inside.failure {
            Some((error, 0)) => return Err(error.clone()),
            Some((_, calls)) => *calls -= 1,
            None => {}
        }
        Ok(inside)
    }
}

impl Vault for MemoryVault {
    fn read(&self, entry: &str) -> Result<Option<Secret>, VaultError> {
        Ok(self.open()?.entries.get(entry).cloned())
    }

    fn write(&self, entry: &str, text: &Secret) -> Result<(), VaultError> {
        let mut inside = self.open()?;
        match inside.limit {
            Some(limit) if text.expose().len() > limit as usize => Err(VaultError::TooLarge { limit }),
            _ => {
                inside.entries.insert(entry.to_owned(), text.clone());
                Ok(())
            }
        }
    }

    fn remove(&self, entry: &str) -> Result<(), VaultError> {
        self.open()?.entries.remove(entry);
        Ok(())
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, VaultError> {
        Ok(self.open()?.entries.keys().filter(|name| name.starts_with(prefix)).cloned().collect())
    }

    fn is_locked(&self) -> Option<bool> {
        Some(self.inside().locked)
    }

    fn place(&self) -> VaultPlace {
        if self.inside().lasts { VaultPlace::Keyring } else { VaultPlace::Memory }
    }
}
