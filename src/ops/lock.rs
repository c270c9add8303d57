//! Unlocking the window: by the keyring where it asks, otherwise by the credential of a saved connection.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use crate::{
    model::{
        connections::{login::Login, profile::Profile},
        machine_policy::MachinePolicy,
        secret::Secret,
    },
    ops::{
        Problem,
        connections::vault::{self, ReadProfiles},
    },
    store::vault::{Vault, VaultPlace},
};

/// Sign-in that a person typed to unlock the window.
#[derive(Clone, Debug)]
pub struct TypedSignIn {
    /// Name of a saved connection.
    pub connection: String,
    /// Credential of the connection: a password, a token, or an API key in any form in which it may be pasted.
    pub credential: Secret,
}

/// Reason why the window stays locked.
#[derive(Clone, Debug)]
pub enum NotUnlocked {
    /// The keyring is open, so that it proves nothing: a person has to sign in.
    SignIn,
    /// Anything else.
    Problem(Problem),
}

/// Reads the profiles if whoever asks for it proves to be their owner. A keyring that was locked asked for its password:
/// that is the proof. One that was open asks nobody: then a person types the name of a saved connection and its
/// credential. Without a saved credential nothing can be proved, and nothing is protected once everything was dropped:
/// before (`is_wiped` is `false`) the window stays locked. May block.
///
/// # Errors
/// If the keyring refuses, or the proof is missing or wrong. It is not told which part of it is.
pub fn unlock(
    vault: &Arc<dyn Vault>,
    policy: &Arc<MachinePolicy>,
    typed: Option<&TypedSignIn>,
    is_wiped: bool,
) -> Result<ReadProfiles, NotUnlocked> {
    let asks = vault.is_locked() == Some(true);
    let read = vault::read_profiles(vault, policy).map_err(NotUnlocked::Problem)?;
    if asks {
        return Ok(read);
    }
    let is_kept = |profile: &Profile| !profile.endpoint.asks_credential;
    let is_empty = !read.profiles.iter().any(is_kept) && read.unreadable.is_empty();
    if is_empty || vault.place() == VaultPlace::Memory {
        let detail = "What is being written is finished first: no saved connection can prove who you are";
        let wait = Problem::new("Not unlocked yet", detail).hint("Try again in a moment");
        return if is_wiped { Ok(read) } else { Err(NotUnlocked::Problem(wait)) };
    }
    let can_be_typed = |profile: &Profile| {
        is_kept(profile) && !matches!(profile.endpoint.login, Login::Certificate | Login::OpenId(_))
    };
    if !read.profiles.iter().any(can_be_typed) {
        let detail = "No saved connection has a credential that could be typed, and the keyring is already unlocked";
        return Err(NotUnlocked::Problem(
            Problem::new("Not unlocked", detail).hint("Close Keybearer and start it again"),
        ));
    }
    let typed = typed.ok_or(NotUnlocked::SignIn)?;
    // All are compared, so that the time tells nothing.
    let is_proved = read.profiles.iter().filter(|profile| proves(typed, profile)).count() > 0;
    if is_proved {
        return Ok(read);
    }
    let problem = Problem::new("Not unlocked", "No saved connection has this name and this credential")
        .hint("Type the name exactly, and the password, token or API key that is saved with it");
    Err(NotUnlocked::Problem(problem))
}

fn proves(typed: &TypedSignIn, profile: &Profile) -> bool {
    let is_same = |own: &Secret, typed: &str| bool::from(own.expose().as_bytes().ct_eq(typed.as_bytes()));
    let text = typed.credential.expose();
    let is_credential = match &profile.endpoint.login {
        Login::Password { password, .. } => is_same(password, text),
        Login::Bearer(token) => is_same(token, text.trim()),
        Login::ApiKey { id, secret } => match Login::from_api_key_text(text) {
            Ok(Login::ApiKey { id: typed_id, secret: typed_secret }) => {
                typed_id == *id && is_same(secret, typed_secret.expose())
            }
            _ => is_same(secret, text.trim()),
        },
        Login::CloudKey(key) => is_same(key, text.trim()),
        // There is nothing that a person could type.
        Login::Certificate | Login::OpenId(_) => false,
    };
    is_credential && !profile.endpoint.asks_credential && profile.name.trim() == typed.connection.trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::connections::{
            endpoint::{ClusterUrl, Endpoint},
            open_id_draft::OpenIdDraft,
            profile::{Environment, ProfileId},
        },
        store::{connections::Profiles, vault::memory::MemoryVault},
    };

    fn vault(logins: &[(&str, Login)]) -> Arc<MemoryVault> {
        let vault = Arc::new(MemoryVault::like_a_keyring());
        for (number, (name, login)) in logins.iter().enumerate() {
            let url = ClusterUrl::parse("https://es:9200").unwrap();
            let endpoint = Endpoint::new(url, login.clone());
            let id = ProfileId(format!("{number}"));
            let profile = Profile { id, name: (*name).to_owned(), environment: Environment::Development, endpoint };
            Profiles::new(vault.clone()).save(&profile).unwrap();
        }
        vault
    }

    fn logins() -> [(&'static str, Login); 3] {
        [
            ("lab", Login::Password { username: "ana".into(), password: Secret::new(" hunter2 ") }),
            ("keys", Login::ApiKey { id: "id".into(), secret: Secret::new("key-secret") }),
            ("tokens", Login::Bearer(Secret::new("t0ken"))),
        ]
    }

    fn tried(vault: &Arc<MemoryVault>, connection: &str, credential: &str) -> bool {
        let typed = TypedSignIn { connection: connection.into(), credential: Secret::new(credential) };
        let vault: Arc<dyn Vault> = vault.clone();
        unlock(&vault, &Arc::default(), Some(&typed), true).is_ok()
    }

    #[test]
    fn an_open_keyring_asks_for_the_credential_of_a_connection_by_its_name() {
        let vault = vault(&logins());
        for (connection, credential, expected) in [
            ("lab", " hunter2 ", true),
            (" lab ", " hunter2 ", true),
            ("lab", "hunter2", false),
            ("lab", "", false),
            ("", " hunter2 ", false),
            ("tokens", " hunter2 ", false),
            ("tokens", "t0ken\n", true),
            ("keys", "key-secret", true),
            ("keys", "id:key-secret", true),
            ("keys", "aWQ6a2V5LXNlY3JldA==", true),
            ("keys", "other:key-secret", false),
            ("missing", "t0ken", false),
        ] {
            assert_eq!(tried(&vault, connection, credential), expected, "{connection} {credential}");
        }
        let vault: Arc<dyn Vault> = vault;
        assert!(matches!(unlock(&vault, &Arc::default(), None, true), Err(NotUnlocked::SignIn)));
    }

    #[test]
    fn without_a_credential_that_can_be_typed_it_says_so() {
        let provider = OpenIdDraft { issuer: "https://a.example".into(), client_id: "k".into(), ..OpenIdDraft::new() };
        let provider = provider.login(&ProfileId("1".into())).unwrap();
        let only: Arc<dyn Vault> = vault(&[("pki", Login::Certificate), ("sso", Login::OpenId(Box::new(provider)))]);
        let Err(NotUnlocked::Problem(problem)) = unlock(&only, &Arc::default(), None, true) else {
            panic!("it is unlocked, or asks in vain")
        };
        assert!(problem.detail.contains("could be typed"), "{problem}");
    }

    #[test]
    fn a_keyring_that_was_locked_has_asked_and_an_empty_one_has_nothing_to_protect() {
        let locked = vault(&logins());
        locked.lock_it(true);
        let locked: Arc<dyn Vault> = locked;
        assert_eq!(unlock(&locked, &Arc::default(), None, true).unwrap().profiles.len(), 3);
        let empty: Arc<dyn Vault> = vault(&[]);
        assert!(unlock(&empty, &Arc::default(), None, true).is_ok());
        let memory: Arc<dyn Vault> = Arc::new(MemoryVault::new());
        assert!(unlock(&memory, &Arc::default(), None, true).is_ok());
        // Before everything was dropped, both would show it to anybody.
        for nothing in [&empty, &memory] {
            assert!(matches!(unlock(nothing, &Arc::default(), None, false), Err(NotUnlocked::Problem(_))));
        }
        let gone = vault(&logins());
        gone.fail_with(crate::store::vault::VaultError::Locked);
        let gone: Arc<dyn Vault> = gone;
        assert!(matches!(unlock(&gone, &Arc::default(), None, true), Err(NotUnlocked::Problem(_))));
    }

    /// Without the secret, its blank would be anybody's; and where no secret is kept there is nothing to protect.
    #[test]
    fn a_connection_whose_credential_is_asked_for_proves_nothing() {
        let vault = vault(&logins()[..1]);
        let profiles = Profiles::new(vault.clone());
        let mut asked = profiles.by_name("lab").unwrap().unwrap();
        asked.endpoint.asks_credential = true;
        profiles.save(&asked).unwrap();
        let place: Arc<dyn Vault> = vault.clone();
        assert!(unlock(&place, &Arc::default(), None, true).is_ok());
        assert!(matches!(unlock(&place, &Arc::default(), None, false), Err(NotUnlocked::Problem(_))));
        let kept = Endpoint::new(ClusterUrl::parse("https://es:9200").unwrap(), logins()[2].1.clone());
        let kept = Profile { id: ProfileId("k".into()), name: "kept".into(), endpoint: kept, ..asked };
        profiles.save(&kept).unwrap();
        for (connection, credential, expected) in
            [("lab", "", false), ("lab", " hunter2 ", false), ("kept", "t0ken", true)]
        {
            assert_eq!(tried(&vault, connection, credential), expected, "{connection} {credential}");
        }
    }
}
