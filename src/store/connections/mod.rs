//! The connection profiles, each a complete entry of its own in the vault: no file ever holds one.

pub mod renewal_lock;
pub(super) mod text;
pub mod tokens;

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::Arc,
};

use super::vault::{Vault, VaultError, VaultPlace};
use crate::model::{
    connections::{
        login::Login,
        open_id::SignInId,
        profile::{Profile, ProfileId},
    },
    machine_policy::{MachinePolicy, Violation},
    secret::Secret,
};
use text::Unread;
use tokens::KeptTokens;

const PREFIX: &str = "profile/";

/// The profiles in a vault. Its calls block as the vault's do.
#[derive(Clone)]
pub struct Profiles {
    vault: Arc<dyn Vault>,
    policy: Arc<MachinePolicy>,
}

/// Profiles in the vault, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileList {
    /// Profiles that can be used.
    pub profiles: Vec<Profile>,
    /// Entries that can't be used; they stay in the vault until removed.
    pub unreadable: Vec<UnreadableProfile>,
}

/// An entry that could not be understood; it carries nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableProfile {
    /// Id by which the entry can be removed.
    pub id: ProfileId,
    /// Name, if it could be read.
    pub name: Option<String>,
    /// Reason, as the end of a sentence: “it was saved by a later version of Keybearer”.
    pub reason: String,
}

/// Text of an entry, or the reason why this entry alone can't be read.
type StoredText = Result<Secret, Unread>;

/// Reason why profiles could not be read or saved; `Display` says what happened, `way_out` what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfilesError {
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The profile has no name.
    #[error("Enter a name for the connection")]
    NoName,
    /// The rules of this computer don't allow the connection.
    #[error("{0}")]
    Policy(Box<Violation>),
    /// Another profile has this name.
    #[error("There is already a connection named “{0}”")]
    NameTaken(String),
    /// The saved profile can't be read.
    #[error("The saved connection {} can't be read: {}", name_or_id(.0), .0.reason)]
    Unreadable(UnreadableProfile),
    /// The profile can't be written as text; with the reason.
    #[error("This connection can't be saved: {0}")]
    Unwritable(String),
}

fn name_or_id(unreadable: &UnreadableProfile) -> String {
    match &unreadable.name {
        Some(name) => format!("“{name}”"),
        None => unreadable.id.0.clone(),
    }
}

impl ProfilesError {
    /// Advice on what a person can do about the error.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::Vault(error) => error.way_out(),
            Self::NoName => "Enter a name for it",
            Self::Policy(_) => "Change the connection, or ask the administrator of this computer",
            Self::NameTaken(_) => "Choose another name, or edit the other connection",
            Self::Unreadable(_) => {
                "Use the version of Keybearer that saved it, or remove it and add the connection again"
            }
            Self::Unwritable(_) => "Correct this and save again",
        }
    }
}

/// A random id for a new profile: 32 hexadecimal digits.
pub fn new_profile_id() -> ProfileId {
    // The standard library seeds these from the system's randomness: enough for an id, which is no secret.
    let half = || RandomState::new().build_hasher().finish();
    ProfileId(format!("{:016x}{:016x}", half(), half()))
}

fn entry(id: &ProfileId) -> String {
    format!("{PREFIX}{}", id.0)
}

impl Profiles {
    /// Creates the view of the profiles in a vault on a computer without rules. The program itself uses
    /// [`Self::by_rules`].
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        Self::by_rules(vault, &Arc::default())
    }

    /// Creates the view of the profiles in a vault: saved and read as the rules of this computer allow.
    pub fn by_rules(vault: Arc<dyn Vault>, policy: &Arc<MachinePolicy>) -> Self {
        Self { vault, policy: Arc::clone(policy) }
    }

    /// Kind of storage of the profiles, to be shown on screen.
    pub fn place(&self) -> VaultPlace {
        self.vault.place()
    }

    /// Returns all profiles, with the protection that the rules of this computer require at least. One that can't be read
    /// doesn't hide the others, and one that may not be used by now can still be seen and changed.
    ///
    /// # Errors
    /// Returns an error if the vault can't be read.
    pub fn list(&self) -> Result<ProfileList, ProfilesError> {
        let mut list = ProfileList::default();
        for (id, text) in self.texts()? {
            match text.and_then(|text| text::read(&id, &text)) {
                Ok(profile) => list.profiles.push(self.policy.protected(profile)),
                Err(Unread { name, reason, .. }) => list.unreadable.push(UnreadableProfile { id, name, reason }),
            }
        }
        list.profiles.sort_by_cached_key(|profile| (profile.name.to_lowercase(), profile.id.clone()));
        list.unreadable.sort_by_cached_key(|unreadable| (unreadable.name.clone(), unreadable.id.clone()));
        Ok(list)
    }

    /// Returns the profile of this name, if there is one.
    ///
    /// # Errors
    /// Returns an error if the vault can't be read, or the profile exists but can't be read.
    pub fn by_name(&self, name: &str) -> Result<Option<Profile>, ProfilesError> {
        let list = self.list()?;
        if let Some(profile) = list.profiles.into_iter().find(|profile| profile.name == name) {
            return Ok(Some(profile));
        }
        match list.unreadable.into_iter().find(|unreadable| unreadable.name.as_deref() == Some(name)) {
            Some(unreadable) => Err(ProfilesError::Unreadable(unreadable)),
            None => Ok(None),
        }
    }

    /// Saves a new profile, or replaces the one with its id. Members that a later version added are kept.
    ///
    /// # Errors
    /// Returns an error if the name is missing or taken, if the rules of this computer don't allow the connection, if the
    /// saved text of this id is of a later version, or if the vault refuses; the profile saved before is then unchanged.
    pub fn save(&self, profile: &Profile) -> Result<(), ProfilesError> {
        self.policy.check_profile(profile).map_err(|violation| ProfilesError::Policy(Box::new(violation)))?;
        if profile.name.trim().is_empty() {
            return Err(ProfilesError::NoName);
        }
        let mut before = None;
        let mut had_tokens = false;
        for (id, text) in self.texts()? {
            let read = text.as_ref().map_err(Unread::clone).and_then(|text| text::read(&id, text));
            if id == profile.id {
                if let Err(Unread { name, newer: true, reason }) = read {
                    return Err(ProfilesError::Unreadable(UnreadableProfile { id, name, reason }));
                }
                had_tokens = read.is_ok_and(|profile| matches!(profile.endpoint.login, Login::OpenId(_)));
                before = text.ok();
            } else if read.is_ok_and(|other| other.name.trim() == profile.name.trim()) {
                return Err(ProfilesError::NameTaken(profile.name.trim().to_owned()));
            }
        }
        let text = text::write(profile, before.as_ref()).map_err(ProfilesError::Unwritable)?;
        self.vault.write(&entry(&profile.id), &text)?;
        // Nobody would use the tokens of a sign-in that the connection doesn't have any more.
        if had_tokens && !matches!(profile.endpoint.login, Login::OpenId(_)) {
            KeptTokens::new(Arc::clone(&self.vault)).remove(&SignInId::of(&profile.id))?;
        }
        Ok(())
    }

    /// Removes a profile with its credential, also one that can't be read; a missing one is no error.
    ///
    /// # Errors
    /// Returns an error if the vault refuses; the profile may still exist.
    pub fn remove(&self, id: &ProfileId) -> Result<(), ProfilesError> {
        KeptTokens::new(Arc::clone(&self.vault)).remove(&SignInId::of(id))?;
        Ok(self.vault.remove(&entry(id))?)
    }

    /// Returns `true` if the connection of a sign-in is saved.
    ///
    /// # Errors
    /// Returns an error if the vault can't be read.
    pub fn is_saved(&self, id: &SignInId) -> Result<bool, VaultError> {
        Ok(self.vault.read(&entry(&ProfileId(id.0.clone())))?.is_some())
    }

    /// Abandons a call that has not returned in time.
    pub fn give_up(&self) {
        self.vault.give_up();
    }

    fn texts(&self) -> Result<Vec<(ProfileId, StoredText)>, VaultError> {
        let mut texts = Vec::new();
        for name in self.vault.names(PREFIX)? {
            let Some(id) = name.strip_prefix(PREFIX) else { continue };
            let text = match self.vault.read(&name) {
                Ok(Some(text)) => Ok(text),
                Ok(None) => continue, // another process removed it just now
                Err(error @ (VaultError::Ambiguous | VaultError::NotText)) => {
                    Err(Unread { name: None, newer: false, reason: lower_first(&error.to_string()) })
                }
                Err(error) => return Err(error),
            };
            texts.push((ProfileId(id.to_owned()), text));
        }
        Ok(texts)
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

impl std::fmt::Debug for Profiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profiles").field("place", &self.place()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
