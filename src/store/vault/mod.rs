//! What a place for secrets can do, and every way in which it can refuse. It doesn't know what is kept in it.

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
    /// The text of an entry, or `None` when there is no such entry.
    ///
    /// # Errors
    /// When the vault can't be asked.
    fn read(&self, entry: &str) -> Result<Option<Secret>, VaultError>;

    /// Keeps the text, in place of an earlier one of the same name.
    ///
    /// # Errors
    /// When it could not be kept; an earlier text is then still there.
    fn write(&self, entry: &str, text: &Secret) -> Result<(), VaultError>;

    /// Removes an entry; one that isn't there is no error.
    ///
    /// # Errors
    /// When the entry may still be there.
    fn remove(&self, entry: &str) -> Result<(), VaultError>;

    /// The names of all entries that begin with `prefix`, sorted.
    ///
    /// The vault itself is the only list of what is in it: an index of our own could lose an entry
    /// between two processes that save at the same time.
    ///
    /// # Errors
    /// When the vault can't be asked.
    fn names(&self, prefix: &str) -> Result<Vec<String>, VaultError>;

    /// Where the entries are, to be said on screen.
    fn place(&self) -> VaultPlace;

    /// Abandons a call that hasn't come back, so that the next one doesn't queue up behind it.
    fn give_up(&self) {}
}

/// Where a vault keeps its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultPlace {
    /// With the operating system, until removed.
    Keyring,
    /// In this process, until it ends.
    Memory,
}

/// Why a vault refused. `Display` says what happened, `way_out` what to do; no secret is in either.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// There is no session bus to reach the Secret Service by.
    #[error("There is no D-Bus session bus here, so no keyring can be reached")]
    NoBus,
    /// A bus, but nothing on it offers the Secret Service.
    #[error("No program on this desktop offers a keyring (Secret Service)")]
    NoDaemon,
    /// A service without a default collection to save in.
    #[error("The keyring has no default collection to save in")]
    NoCollection,
    /// Locked, and the password was not given.
    #[error("The keyring is locked and was not unlocked")]
    Locked,
    /// No answer within the time that the caller allows.
    #[error("The keyring has not answered in time")]
    TimedOut,
    /// Longer than the keyring takes.
    #[error("This is too large for the keyring, which takes {limit} bytes")]
    TooLarge {
        /// The most that one entry takes, in bytes.
        limit: u32,
    },
    /// Several entries of the same name, so that none can be told to be the right one.
    #[error("The keyring holds this entry more than once")]
    Ambiguous,
    /// Something that Keybearer did not write.
    #[error("The keyring's entry is no text")]
    NotText,
    /// Anything else, in the words of the keyring.
    #[error("The keyring failed: {0}")]
    Other(String),
}

impl VaultError {
    /// What a person can do about it.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::NoBus => {
                "Start Keybearer from a desktop session. Without one, connections are kept in memory for this run only"
            }
            Self::NoDaemon => {
                "Install and start gnome-keyring, or switch on the Secret Service of KWallet or KeePassXC. \
                 Until then, connections are kept in memory for this run only"
            }
            Self::NoCollection => {
                "Create a default keyring once, in “Passwords and Keys”, KWalletManager or KeePassXC, and try again"
            }
            Self::Locked => "Try again and unlock the keyring with its password when asked",
            Self::TimedOut => {
                "Look for the keyring's password window, perhaps behind this one; answer it and try again"
            }
            Self::TooLarge { .. } => "Sign in with an API key in place of a long token",
            Self::Ambiguous => {
                "Remove all but one of them with the keyring's own program, such as “Passwords and Keys”"
            }
            Self::NotText => "Remove it, and add again what was kept there",
            Self::Other(_) => "Try again; if it stays, restart the keyring's service",
        }
    }
}
