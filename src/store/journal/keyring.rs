//! What the keyring holds about journals: the keys of their entries, and a record of the last entry of each, which
//! nobody changes who can only write the journal's folder.
//!
//! Every key has an entry of its own, named by its id, so that two processes that both create the first one lose none.

use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use super::head::{self, Head};
use crate::{
    model::{journal::key::JournalKey, secret::Secret},
    store::vault::{Vault, VaultError},
};

/// Time limit for one call to the keyring. A journal is never the reason for asking for its password, and an operation
/// doesn't wait for one.
const LIMIT: Duration = Duration::from_secs(3);
/// Maximum number of keys that are read from the keyring.
const MAX_KEYS: usize = 64;

const KEYS: &str = "journal-key/";
const HEADS: &str = "journal-head/";

/// Keys and records of journals in a keyring. Cheap to clone; clones share what was read.
#[derive(Clone)]
pub(super) struct JournalKeyring {
    vault: Arc<dyn Vault>,
    /// Key for new entries, once it was read or created.
    writing: Arc<Mutex<Option<Arc<JournalKey>>>>,
    /// `true` once a call took longer than its limit: further ones would queue up behind it.
    has_timed_out: Arc<AtomicBool>,
}

impl fmt::Debug for JournalKeyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JournalKeyring")
    }
}

/// Record of the last entry of a journal.
pub(super) enum Record {
    /// There is none.
    None,
    /// The last entry.
    Head(Head),
    /// An entry of the keyring with this name, whose content is no record. It is left as it is: it may show what happened.
    Damaged(String),
}

/// Keys by their ids.
pub(super) type Keys = HashMap<String, Arc<JournalKey>>;

impl JournalKeyring {
    pub(super) fn new(vault: Arc<dyn Vault>) -> Self {
        Self { vault, writing: Arc::default(), has_timed_out: Arc::default() }
    }

    /// Runs a call on a thread of its own, for at most [`LIMIT`]. A locked keyring is not called: it would ask for its
    /// password.
    fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn Vault) -> Result<T, VaultError> + Send + 'static,
    ) -> Result<T, VaultError> {
        if self.has_timed_out.load(Ordering::Relaxed) {
            return Err(VaultError::TimedOut);
        }
        let vault = Arc::clone(&self.vault);
        let (sender, receiver) = mpsc::sync_channel(1);
        let run = move || {
            let result = if vault.is_locked() == Some(true) { Err(VaultError::Locked) } else { call(&*vault) };
            // Nobody waits any more once the limit has passed.
            let _ = sender.send(result);
        };
        std::thread::Builder::new()
            .name("journal keyring".into())
            .spawn(run)
            .map_err(|error| VaultError::Other(error.to_string()))?;
        match receiver.recv_timeout(LIMIT) {
            Ok(result) => result,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.has_timed_out.store(true, Ordering::Relaxed);
                Err(VaultError::TimedOut)
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(VaultError::Other("it broke off".into())),
        }
    }

    /// Returns the key for new entries, which is created if the keyring has none.
    ///
    /// # Errors
    /// Returns an error if the keyring can't be read or written.
    pub(super) fn writing_key(&self) -> Result<Arc<JournalKey>, VaultError> {
        let mut kept = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &*kept {
            return Ok(Arc::clone(key));
        }
        let key = self.call(|vault| {
            let (keys, _) = read_keys(vault)?;
            if let Some(key) = keys.into_iter().min_by(|(one, _), (other, _)| one.cmp(other)) {
                return Ok(key.1);
            }
            let none = || VaultError::Other("the system has no random numbers".into());
            let seed = JournalKey::new_seed().ok_or_else(none)?;
            let key = JournalKey::from_seed(&seed).ok_or_else(none)?;
            vault.write(&format!("{KEYS}{}", key.id()), &seed)?;
            Ok(Arc::new(key))
        })?;
        *kept = Some(Arc::clone(&key));
        Ok(key)
    }

    /// Reads all keys, and the names of the entries that are damaged.
    ///
    /// # Errors
    /// Returns an error if the keyring can't be read.
    pub(super) fn keys(&self) -> Result<(Keys, Vec<String>), VaultError> {
        self.call(read_keys)
    }

    /// Reads the record of the last entry of a journal.
    ///
    /// # Errors
    /// Returns an error if the keyring can't be read.
    pub(super) fn head(&self, journal: &Path) -> Result<Record, VaultError> {
        let name = head_name(journal);
        let read = {
            let name = name.clone();
            self.call(move |vault| vault.read(&name))
        };
        let text = match read {
            Err(VaultError::NotText | VaultError::Ambiguous) => return Ok(Record::Damaged(name)),
            read => read?,
        };
        Ok(text.map_or(Record::None, |text| {
            serde_json::from_str(text.expose()).map_or(Record::Damaged(name), Record::Head)
        }))
    }

    /// Replaces the record of the last entry of a journal.
    ///
    /// # Errors
    /// Returns an error if the keyring can't be written.
    pub(super) fn write_head(&self, journal: &Path, head: &Head) -> Result<(), VaultError> {
        let name = head_name(journal);
        let text = serde_json::to_string(head).map_err(|error| VaultError::Other(error.to_string()))?;
        self.call(move |vault| vault.write(&name, &Secret::new(text)))
    }
}

fn head_name(journal: &Path) -> String {
    format!("{HEADS}{}", head::id(journal))
}

fn read_keys(vault: &dyn Vault) -> Result<(Keys, Vec<String>), VaultError> {
    let (mut keys, mut damaged) = (Keys::new(), Vec::new());
    for name in vault.names(KEYS)?.into_iter().take(MAX_KEYS) {
        let seed = match vault.read(&name) {
            // One that was damaged is no reason to lose the others.
            Err(VaultError::NotText | VaultError::Ambiguous) => {
                damaged.push(name);
                continue;
            }
            read => read?,
        };
        // Without a text, another process has removed it meanwhile.
        let Some(seed) = seed else { continue };
        match JournalKey::from_seed(&seed).filter(|key| name.strip_prefix(KEYS) == Some(key.id())) {
            Some(key) => _ = keys.insert(key.id().to_owned(), Arc::new(key)),
            None => damaged.push(name),
        }
    }
    Ok((keys, damaged))
}
