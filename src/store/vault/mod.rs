//! The interface of a store for secrets, and every way in which it can refuse. It doesn't know what is kept in it.

pub mod kept_secrets;
pub mod memory;
pub mod os;
pub(super) mod secret_json;

use crate::model::secret::Secret;

/// Named secret texts, kept by the keyring of the operating system or in memory.
///
/// Every call can block for as long as a person takes to answer the keyring's password window: call
/// it where blocking is allowed, with a time limit, and `give_up` when that limit has passed.
pub trait Vault: Send + Sync {
    /// Returns the text of an entry, or `None` when there is no such entry.
    ///
    /// # Errors
    /// Returns an error if the vault can't be read.
    fn read(&self, entry: &str) -> Result<Option<Secret>, VaultError>;

    /// Writes the text of an entry, replacing an earlier one of the same name.
    ///
    /// # Errors
    /// Returns an error if the entry could not be written; its earlier text is then unchanged.
    fn write(&self, entry: &str, text: &Secret) -> Result<(), VaultError>;

    /// Removes an entry; a missing one is no error.
    ///
    /// # Errors
    /// Returns an error if the entry may still exist.
    fn remove(&self, entry: &str) -> Result<(), VaultError>;

    /// Returns the names of all entries that begin with `prefix`, sorted.
    ///
    /// The vault itself is the only list of what is in it: an index of our own could lose an entry
    /// between two processes that save at the same time.
    ///
    /// # Errors
    /// Returns an error if the vault can't be read.
    fn names(&self, prefix: &str) -> Result<Vec<String>, VaultError>;

    /// Kind of storage of the entries, to be shown on screen.
    fn place(&self) -> VaultPlace;

    /// Returns `true` if the vault is locked, so that the next call asks for its password; `None` where that can't be
    /// known. Never asks for the password itself.
    fn is_locked(&self) -> Option<bool> {
        None
    }

    /// Abandons a call that has not returned, so that the next one doesn't queue up behind it.
    fn give_up(&self) {}
}

/// Kind of storage where a vault keeps its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultPlace {
    /// The operating system's keyring; entries stay until removed.
    Keyring,
    /// Memory of this process; entries are lost when it ends.
    Memory,
}

/// Reason why a vault refused. `Display` says what happened, `way_out` what to do; no secret is in either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no session bus to reach the Secret Service by.
    #[error("There is no D-Bus session bus here, so no keyring can be reached")]
    NoBus,
    /// There is a bus, but nothing on it offers the Secret Service.
    #[error("No program on this desktop offers a keyring (Secret Service)")]
    NoDaemon,
    /// The service has no default collection to save in.
    #[error("The keyring has no default collection to save in")]
    NoCollection,
    /// The keyring is locked, and the password was not given.
    #[error("The keyring is locked and was not unlocked")]
    Locked,
    /// The vault did not answer within the caller's time limit.
    #[error("The keyring did not respond in time")]
    TimedOut,
    /// The text is longer than the keyring takes.
    #[error("This is too large for the keyring, which takes {limit} bytes")]
    TooLarge {
        /// Size limit of one entry, in bytes.
        limit: u32,
    },
    /// Several entries have the same name, and none can be told to be the right one.
    #[error("The keyring holds this entry more than once")]
    Ambiguous,
    /// The entry was not written by Keybearer.
    #[error("The keyring's entry is not text")]
    NotText,
    /// Anything else, as the keyring describes it.
    #[error("The keyring failed: {0}")]
    Other(String),
}

impl VaultError {
    /// Advice on what a person can do about the error.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::NoBus => {
                "Start Keybearer from a desktop session. Without one, connections are kept in memory for this run only"
            }
            Self::NoDaemon => {
                "Install and start gnome-keyring, or enable the Secret Service of KWallet or KeePassXC. Until then, \
                 connections are kept in memory for this run only"
            }
            Self::NoCollection => {
                "Create a default keyring once, in “Passwords and Keys”, KWalletManager or KeePassXC, and try again"
            }
            Self::Locked => "Try again and unlock the keyring with its password when asked",
            Self::TimedOut => {
                "Look for the keyring's password window, perhaps behind this one; respond to it and try again"
            }
            Self::TooLarge { .. } => "Sign in with an API key instead of a long token",
            Self::Ambiguous => {
                "Remove all but one of them with the keyring's own program, such as “Passwords and Keys”"
            }
            Self::NotText => "Remove it, and save its content again",
            Self::Other(_) => "Try again; if the problem persists, restart the keyring's service",
        }
    }
}
