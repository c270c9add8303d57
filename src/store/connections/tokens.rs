//! The tokens of sign-ins at OpenID Connect providers, each sign-in an entry of its own in the vault, beside its profile:
//! they change each time they are renewed.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    model::{
        Timestamp,
        connections::open_id::{OpenIdLogin, SignInId, Tokens},
        secret::Secret,
    },
    store::vault::{
        Vault, VaultError,
        secret_json::{WipedBuffer, unquote},
    },
};

/// The tokens in a vault. Its calls block as the vault's do.
#[derive(Clone)]
pub struct KeptTokens {
    vault: Arc<dyn Vault>,
}

#[derive(Serialize)]
struct ToStore<'a> {
    format: u32,
    origin: &'a str,
    subject: &'a str,
    user: &'a str,
    sent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_ms: Option<i64>,
}

#[derive(Deserialize)]
struct Stored<'a> {
    origin: String,
    subject: String,
    user: String,
    #[serde(borrow)]
    sent: &'a RawValue,
    #[serde(borrow)]
    refresh: Option<&'a RawValue>,
    expires_ms: Option<i64>,
}

fn entry(id: &SignInId) -> String {
    format!("sign-in/{}", id.0)
}

impl KeptTokens {
    /// Creates the view of the tokens in a vault.
    pub fn new(vault: Arc<dyn Vault>) -> Self {
        Self { vault }
    }

    /// Returns the tokens of a sign-in; `None` if there are none, or they were issued for other settings.
    ///
    /// # Errors
    /// Returns an error if the vault can't be read.
    pub fn find(&self, login: &OpenIdLogin) -> Result<Option<Tokens>, VaultError> {
        let Some(text) = self.vault.read(&entry(&login.sign_in))? else { return Ok(None) };
        let Ok(stored) = serde_json::from_str::<Stored<'_>>(text.expose()) else { return Ok(None) };
        if stored.origin != login.origin() {
            return Ok(None);
        }
        Ok(Some(Tokens {
            sent: unquote(stored.sent).unwrap_or_default(),
            refresh: stored.refresh.and_then(unquote),
            expires: stored.expires_ms.map(Timestamp::from_millis),
            subject: stored.subject,
            user: stored.user,
        }))
    }

    /// Keeps the tokens of a sign-in in place of earlier ones. Where the vault has no room for both, only the refresh
    /// token is kept, by which the other one is fetched anew.
    ///
    /// # Errors
    /// Returns an error if the vault refuses; it keeps what it had before.
    pub fn keep(&self, login: &OpenIdLogin, tokens: &Tokens) -> Result<(), VaultError> {
        match (self.write(login, tokens, &tokens.sent), &tokens.refresh) {
            (Err(VaultError::TooLarge { .. }), Some(_)) => self.write(login, tokens, &Secret::default()),
            (result, _) => result,
        }
    }

    fn write(&self, login: &OpenIdLogin, tokens: &Tokens, sent: &Secret) -> Result<(), VaultError> {
        let unwritable = || VaultError::Other("the tokens can't be saved".into());
        let stored = ToStore {
            format: 1,
            origin: &login.origin(),
            subject: &tokens.subject,
            user: &tokens.user,
            sent: sent.expose(),
            refresh: tokens.refresh.as_ref().map(Secret::expose),
            expires_ms: tokens.expires.map(Timestamp::as_millis),
        };
        let mut buffer = WipedBuffer::default();
        serde_json::to_writer(&mut buffer, &stored).map_err(|_| unwritable())?;
        self.vault.write(&entry(&login.sign_in), &buffer.into_secret().ok_or_else(unwritable)?)
    }

    /// Removes the tokens of a sign-in; it is no error if there are none.
    ///
    /// # Errors
    /// Returns an error if the vault refuses.
    pub fn remove(&self, id: &SignInId) -> Result<(), VaultError> {
        self.vault.remove(&entry(id))
    }
}

impl std::fmt::Debug for KeptTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptTokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::connections::{open_id_draft::OpenIdDraft, profile::ProfileId},
        store::vault::memory::MemoryVault,
    };

    fn login(scopes: &str) -> OpenIdLogin {
        let draft = OpenIdDraft {
            issuer: "https://a.example".into(),
            client_id: "k".into(),
            scopes: scopes.into(),
            ..OpenIdDraft::default()
        };
        draft.login(&ProfileId("p".into())).unwrap()
    }

    fn tokens(sent: &str) -> Tokens {
        Tokens {
            sent: Secret::new(sent),
            refresh: Some(Secret::new("refresh \"hunter2\"")),
            expires: Some(Timestamp::from_millis(1_796_076_184_901)),
            subject: "1".into(),
            user: "ana".into(),
        }
    }

    #[test]
    fn tokens_come_back_for_the_settings_that_they_were_issued_for_and_no_others() {
        let kept = KeptTokens::new(Arc::new(MemoryVault::new()));
        assert_eq!(kept.find(&login("a")), Ok(None));
        kept.keep(&login("a"), &tokens("hunter3")).unwrap();
        assert_eq!(kept.find(&login("a")), Ok(Some(tokens("hunter3"))));
        assert_eq!(kept.find(&login("b")), Ok(None));
        kept.remove(&login("a").sign_in).unwrap();
        assert_eq!(kept.find(&login("a")), Ok(None));
    }

    #[test]
    fn where_the_keyring_has_no_room_for_both_the_refresh_token_is_kept() {
        let vault = Arc::new(MemoryVault::new());
        vault.limit_entries_to(2560);
        let kept = KeptTokens::new(vault.clone());
        kept.keep(&login("a"), &tokens(&"x".repeat(3000))).unwrap();
        let found = kept.find(&login("a")).unwrap().unwrap();
        assert!(found.sent.is_empty() && found.refresh == tokens("").refresh);
        assert!(!found.is_valid(Timestamp::from_millis(0)), "nothing can be sent");
        let neither = Tokens { refresh: None, ..tokens(&"x".repeat(3000)) };
        assert_eq!(kept.keep(&login("a"), &neither), Err(VaultError::TooLarge { limit: 2560 }));
        vault.write("sign-in/p", &Secret::new("hunter2")).unwrap();
        assert_eq!(kept.find(&login("a")), Ok(None), "what is damaged is no sign-in");
    }
}
