//! The keyring of the operating system: Secret Service, Keychain or Credential Manager. It doesn't
//! know what is kept in it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use keyring_core::{CredentialStore, Entry, Error};
use zeroize::Zeroize;

use super::{Vault, VaultError, VaultPlace, secret_json::text_of};
use crate::model::secret::Secret;

/// Service name that all entries share; the name of the entry is the user name.
pub const SERVICE: &str = "keybearer";

/// The keyring of this computer, opened at the first call and again after it broke: a failed start is not remembered.
#[derive(Default)]
pub struct OsVault {
    connection: Mutex<Option<Arc<Connection>>>,
}

struct Connection {
    store: Arc<CredentialStore>,
    // Credential Manager mixes up the order of calls that threads make at the same time.
    turn: Mutex<()>,
}

impl Connection {
    fn run<T>(&self, call: &impl Fn(&CredentialStore) -> Result<T, Error>) -> Result<T, Error> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        call(&*self.store)
    }
}

impl OsVault {
    /// Creates the vault; the keyring is not accessed yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn call<T>(&self, call: impl Fn(&CredentialStore) -> Result<T, Error>) -> Result<T, VaultError> {
        let kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(connection) = kept {
            match connection.run(&call) {
                // The keyring's service was perhaps restarted since: try again with a new connection.
                Err(Error::PlatformFailure(_)) => self.give_up(),
                other => return other.map_err(words),
            }
        }
        // Not under the lock: opening can take long, and `give_up` must not wait for it.
        let connection = Arc::new(Connection { store: open().map_err(words)?, turn: Mutex::default() });
        let result = connection.run(&call);
        if !matches!(result, Err(Error::PlatformFailure(_))) {
            *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        }
        result.map_err(words)
    }
}

impl Vault for OsVault {
    fn read(&self, entry: &str) -> Result<Option<Secret>, VaultError> {
        self.call(|store| match named(store, entry)?.get_secret() {
            Ok(bytes) => match text_of(bytes) {
                Some(text) => Ok(Some(text)),
                None => Err(Error::BadEncoding(Vec::new())),
            },
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error),
        })
    }

    fn write(&self, entry: &str, text: &Secret) -> Result<(), VaultError> {
        self.call(|store| named(store, entry)?.set_secret(text.expose().as_bytes()))
    }

    fn remove(&self, entry: &str) -> Result<(), VaultError> {
        self.call(|store| match named(store, entry)?.delete_credential() {
            Err(Error::NoEntry) => Ok(()),
            other => other,
        })
    }

    fn names(&self, prefix: &str) -> Result<Vec<String>, VaultError> {
        let found = self.call(|store| {
            let entries = store.search(&HashMap::from([OURS]))?;
            Ok(entries.iter().filter_map(Entry::get_specifiers).collect::<Vec<_>>())
        })?;
        let ours = found.into_iter().filter(|(service, name)| service == SERVICE && name.starts_with(prefix));
        let mut names: Vec<String> = ours.map(|(_, name)| name).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn place(&self) -> VaultPlace {
        VaultPlace::Keyring
    }

    fn is_locked(&self) -> Option<bool> {
        is_locked()
    }

    fn give_up(&self) {
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl std::fmt::Debug for OsVault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OsVault").finish_non_exhaustive()
    }
}

fn words(error: Error) -> VaultError {
    match error {
        Error::PlatformFailure(error) | Error::NoStorageAccess(error) => platform_words(&*error),
        Error::TooLong(_, limit) => VaultError::TooLarge { limit },
        Error::Ambiguous(_) => VaultError::Ambiguous,
        Error::BadEncoding(mut bytes) | Error::BadDataFormat(mut bytes, _) => {
            bytes.zeroize();
            VaultError::NotText
        }
        other => VaultError::Other(other.to_string()),
    }
}

#[cfg(target_os = "linux")]
use linux::{OURS, is_locked, named, open, platform_words};

#[cfg(target_os = "linux")]
mod linux {
    use super::{Arc, CredentialStore, Entry, Error, HashMap, SERVICE, VaultError};

    pub const OURS: (&str, &str) = ("service", SERVICE);

    /// Returns `true` if the default collection, which the entries are in, is locked.
    pub fn is_locked() -> Option<bool> {
        use secret_service::{EncryptionType, blocking::SecretService};
        let service = SecretService::connect(EncryptionType::Plain).ok()?;
        service.get_default_collection().ok()?.is_locked().ok()
    }

    pub fn open() -> Result<Arc<CredentialStore>, Error> {
        Ok(zbus_secret_service_keyring_store::Store::new()?)
    }

    pub fn named(store: &CredentialStore, entry: &str) -> Result<Entry, Error> {
        // The label is what people see in the keyring's own program.
        let label = format!("Keybearer: {entry}");
        store.build(SERVICE, entry, Some(&HashMap::from([("label", label.as_str())])))
    }

    pub fn platform_words(error: &(dyn std::error::Error + Send + Sync + 'static)) -> VaultError {
        use secret_service::Error as Service;
        use zbus::{Error as Bus, fdo};
        match error.downcast_ref::<Service>() {
            Some(Service::Locked | Service::Prompt) => VaultError::Locked,
            Some(Service::NoResult) => VaultError::NoCollection,
            Some(
                Service::Unavailable
                | Service::Zbus(Bus::Connection(..) | Bus::Address(_) | Bus::InputOutput(_) | Bus::Handshake(_)),
            ) => VaultError::NoBus,
            Some(Service::Zbus(Bus::MethodError(name, ..))) => match name.as_str() {
                "org.freedesktop.Secret.Error.IsLocked" => VaultError::Locked,
                name if is_absence(name) => VaultError::NoDaemon,
                _ => VaultError::Other(error.to_string()),
            },
            Some(Service::ZbusFdo(fdo::Error::ServiceUnknown(_) | fdo::Error::NameHasNoOwner(_))) => {
                VaultError::NoDaemon
            }
            _ => VaultError::Other(error.to_string()),
        }
    }

    /// Returns `true` if a D-Bus error means that no program owns the service name, or that the program could not be
    /// started.
    fn is_absence(name: &str) -> bool {
        name.strip_prefix("org.freedesktop.DBus.Error.")
            .is_some_and(|name| matches!(name, "ServiceUnknown" | "NameHasNoOwner") || name.starts_with("Spawn."))
    }
}

#[cfg(not(target_os = "linux"))]
use elsewhere::{OURS, is_locked, named, open, platform_words};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::{Arc, CredentialStore, Entry, Error, SERVICE, VaultError};

    #[cfg(target_os = "macos")]
    pub const OURS: (&str, &str) = ("service", SERVICE);
    #[cfg(target_os = "windows")]
    pub const OURS: (&str, &str) = ("pattern", r"\.keybearer$"); // its names are `user.service`

    /// Not known: these keyrings don't tell.
    pub fn is_locked() -> Option<bool> {
        None
    }

    #[cfg(target_os = "macos")]
    pub fn open() -> Result<Arc<CredentialStore>, Error> {
        Ok(apple_native_keyring_store::keychain::Store::new()?)
    }

    #[cfg(target_os = "windows")]
    pub fn open() -> Result<Arc<CredentialStore>, Error> {
        Ok(windows_native_keyring_store::Store::new()?)
    }

    pub fn named(store: &CredentialStore, entry: &str) -> Result<Entry, Error> {
        store.build(SERVICE, entry, None)
    }

    pub fn platform_words(error: &(dyn std::error::Error + Send + Sync + 'static)) -> VaultError {
        VaultError::Other(error.to_string())
    }
}
