//! Sign-in at OpenID Connect providers: by the browser or a device code, tokens renewed while they are used, and kept in
//! the vault beside their connection.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Mutex as AsyncMutex;

use crate::{
    client::{FetchingToken, TokenSource, open_id::Provider},
    model::{
        TimeDelta, Timestamp,
        connections::{
            endpoint::Endpoint,
            login::Login,
            open_id::{OpenIdLogin, SignInId, SignedIn, Tokens},
            open_id_error::OpenIdError,
            proxy::ProxyRule,
        },
        secret::Secret,
    },
    ops::{Fix, Problem, clock},
    store::{
        browser::OpenBrowser,
        connections::{Profiles, renewal_lock, tokens::KeptTokens},
        vault::{Vault, VaultError},
    },
};

/// Time that a person has to sign in with the browser.
const MAX_SIGN_IN: Duration = Duration::from_secs(5 * 60);

/// Longest wait for the keyring to take renewed tokens; it goes on behind the operation that needs them.
const KEEPING_TIME: Duration = Duration::from_secs(5);

/// Way to sign in at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the browser of this machine.
    Browser,
    /// By a code that is typed on another device.
    Device,
}

/// What a person has to do, while a sign-in waits for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInStep {
    /// Finish the sign-in in the browser.
    Browser {
        /// Address that is open in the browser, or to be opened by hand.
        address: String,
        /// Address to which the provider redirects.
        redirect: String,
        /// Reason why no browser could be opened; `None` if one was.
        not_opened: Option<String>,
    },
    /// Type the code on another device.
    Device {
        /// Code to type.
        code: String,
        /// Address to open there.
        address: String,
        /// Time until which the code is waited for.
        until: Timestamp,
    },
}

/// A sign-in that succeeded.
#[derive(Clone, Debug)]
pub struct Finished {
    /// User and expiration.
    pub signed_in: SignedIn,
    /// Reason why the tokens could not be kept in the keyring, so that they last for this run only; `None` if they are
    /// kept, or will be together with their connection.
    pub not_kept: Option<Problem>,
}

/// The sign-ins of this process. Cheap to clone; clones share them.
#[derive(Clone, Default)]
pub struct SignIns(Arc<Mutex<HashMap<SignInId, Arc<SignIn>>>>);

impl std::fmt::Debug for SignIns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SignIns")
    }
}

impl SignIns {
    /// Returns the sign-in of an endpoint, with the tokens that it has so far; `None` if it doesn't sign in at a
    /// provider. All clients of a connection share one, so that they renew its token once.
    pub fn of(&self, endpoint: &Endpoint, vault: &Arc<dyn Vault>) -> Option<Arc<SignIn>> {
        let Login::OpenId(login) = &endpoint.login else { return None };
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(&login.sign_in);
        let held = before.filter(|before| before.login.shares_tokens(login)).map(|before| Arc::clone(&before.held));
        let sign_in = Arc::new(SignIn {
            login: (**login).clone(),
            proxy: endpoint.proxy.clone(),
            timeout: endpoint.timeout,
            vault: Arc::clone(vault),
            held: held.unwrap_or_default(),
        });
        known.insert(login.sign_in.clone(), Arc::clone(&sign_in));
        Some(sign_in)
    }

    /// Returns the source of the token of an endpoint; `None` if it doesn't sign in at a provider.
    pub fn source(&self, endpoint: &Endpoint, vault: &Arc<dyn Vault>) -> Option<Arc<dyn TokenSource>> {
        self.of(endpoint, vault).map(|sign_in| sign_in as Arc<dyn TokenSource>)
    }

    /// Forgets the tokens in memory. Those in the vault stay.
    pub fn forget_all(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A sign-in at a provider.
pub struct SignIn {
    login: OpenIdLogin,
    proxy: ProxyRule,
    timeout: Duration,
    vault: Arc<dyn Vault>,
    /// Held while the tokens are renewed, so that a refresh token that is of use once is used once.
    held: Arc<AsyncMutex<Held>>,
}

#[derive(Default)]
struct Held {
    tokens: Option<Tokens>,
    /// Refusal of the provider to renew them: it would refuse again.
    ended: Option<OpenIdError>,
}

impl Held {
    fn usable(&self, refused: Option<&Secret>) -> Option<Secret> {
        let tokens = self.tokens.as_ref().filter(|tokens| tokens.is_fresh(clock::now()))?;
        (Some(&tokens.sent) != refused).then(|| tokens.sent.clone())
    }
}

impl TokenSource for SignIn {
    fn token<'a>(&'a self, refused: Option<&'a Secret>) -> FetchingToken<'a> {
        Box::pin(async move {
            if let Some(token) = self.held.lock().await.usable(refused) {
                return Ok(token);
            }
            // On a task of its own: a caller that is stopped must not lose a refresh token that is of use once.
            let (own, refused) = (self.again(), refused.cloned());
            let renewed = tokio::spawn(async move { own.renewed(refused.as_ref()).await }).await;
            renewed.unwrap_or_else(|_| Err(OpenIdError::Setup { reason: "internal error in Keybearer".into() }))
        })
    }
}

impl SignIn {
    fn again(&self) -> Self {
        Self {
            login: self.login.clone(),
            proxy: self.proxy.clone(),
            timeout: self.timeout,
            vault: Arc::clone(&self.vault),
            held: Arc::clone(&self.held),
        }
    }

    fn provider(&self) -> String {
        self.login.issuer.host().to_owned()
    }

    async fn renewed(&self, refused: Option<&Secret>) -> Result<Secret, OpenIdError> {
        let mut held = self.held.lock().await;
        if let Some(token) = held.usable(refused) {
            return Ok(token);
        }
        let id = self.login.sign_in.clone();
        let waits = tokio::task::spawn_blocking(move || renewal_lock::take(&id)).await;
        // Without the lock two processes may both renew; most providers allow that.
        let _lock = waits.ok().flatten();
        self.take_kept(&mut held).await;
        if let Some(token) = held.usable(refused) {
            return Ok(token);
        }
        let nobody = || OpenIdError::NotSignedIn { provider: self.provider() };
        let tokens = held.tokens.clone().ok_or_else(nobody)?;
        let renewed = match held.ended.clone() {
            Some(ended) => Err(ended),
            None => self.renew(&tokens).await,
        };
        match renewed {
            Ok(new) => {
                let sent = new.sent.clone();
                held.tokens = Some(new.clone());
                self.keep_in_time(new).await;
                Ok(sent)
            }
            // The provider may be there again before it ends.
            Err(error) => {
                if let OpenIdError::Ended { .. } = &error {
                    held.ended = Some(error.clone());
                }
                let is_valid = tokens.is_valid(clock::now()) && Some(&tokens.sent) != refused;
                if is_valid { Ok(tokens.sent) } else { Err(error) }
            }
        }
    }

    async fn renew(&self, tokens: &Tokens) -> Result<Tokens, OpenIdError> {
        if tokens.refresh.is_none() {
            return Err(OpenIdError::Expired { provider: self.provider() });
        }
        let provider = Provider::discover(&self.login, &self.proxy, self.timeout).await?;
        provider.renew(tokens).await
    }

    /// Takes over what the vault has, if it is something else: another process may have renewed it.
    async fn take_kept(&self, held: &mut Held) {
        let (vault, login) = (Arc::clone(&self.vault), self.login.clone());
        let found = tokio::task::spawn_blocking(move || KeptTokens::new(vault).find(&login)).await;
        let Ok(Ok(Some(kept))) = found else { return };
        let is_known =
            held.tokens.as_ref().is_some_and(|own| own.refresh == kept.refresh && own.expires == kept.expires);
        if !is_known {
            *held = Held { tokens: Some(kept), ended: None };
        }
    }

    async fn keep_in_time(&self, tokens: Tokens) {
        let (vault, login) = (Arc::clone(&self.vault), self.login.clone());
        let keeping = tokio::task::spawn_blocking(move || keep(&vault, &login, &tokens));
        // What is not kept is still held here; the next run asks for a sign-in.
        let _ = tokio::time::timeout(KEEPING_TIME, keeping).await;
    }

    /// Signs in at the provider. `report` is told what a person has to do meanwhile.
    ///
    /// # Errors
    /// With the way out, when nobody signs in, or the provider or its tokens are refused.
    pub async fn sign_in(
        &self,
        way: Way,
        browser: &OpenBrowser,
        mut report: impl FnMut(SignInStep),
    ) -> Result<Finished, Problem> {
        let provider = Provider::discover(&self.login, &self.proxy, self.timeout).await?;
        let tokens = match way {
            Way::Browser => {
                let waiting = provider.begin_browser().await?;
                let (address, redirect) = (waiting.address().to_owned(), waiting.redirect());
                let (open, to_open) = (Arc::clone(browser), address.clone());
                // Some browsers return only when they are closed; the sign-in may be over before.
                let opening = tokio::task::spawn_blocking(move || open(&to_open));
                let opened = tokio::time::timeout(Duration::from_secs(3), opening).await;
                let not_opened = opened.ok().and_then(|opened| opened.ok().and_then(Result::err));
                report(SignInStep::Browser { address, redirect, not_opened });
                waiting.finish(MAX_SIGN_IN).await?
            }
            Way::Device => {
                let waiting = provider.begin_device().await?;
                let lifetime = i64::try_from(waiting.lifetime().as_millis()).unwrap_or(i64::MAX);
                let until = clock::now() + TimeDelta::from_millis(lifetime);
                report(SignInStep::Device { code: waiting.code(), address: waiting.address(), until });
                waiting.finish().await?
            }
        };
        let signed_in = tokens.seen();
        *self.held.lock().await = Held { tokens: Some(tokens.clone()), ended: None };
        let (vault, login) = (Arc::clone(&self.vault), self.login.clone());
        let kept = tokio::task::spawn_blocking(move || keep(&vault, &login, &tokens)).await;
        let not_kept = kept.unwrap_or(Ok(())).err().map(Problem::from);
        Ok(Finished { signed_in, not_kept })
    }

    /// Returns the state of the sign-in as it is known here or in the vault; `None` if nobody is signed in.
    pub async fn state(&self) -> Option<SignedIn> {
        let mut held = self.held.lock().await;
        if held.tokens.is_none() {
            self.take_kept(&mut held).await;
        }
        let ended = held.ended.is_some();
        let tokens = held.tokens.as_ref()?;
        let seen = SignedIn { is_renewed: tokens.refresh.is_some() && !ended, ..tokens.seen() };
        (seen.is_renewed || tokens.is_valid(clock::now())).then_some(seen)
    }

    /// Keeps the tokens in the vault, now that their connection is there.
    ///
    /// # Errors
    /// If the vault refuses.
    pub async fn keep_with_connection(&self) -> Result<(), Problem> {
        let Some(tokens) = self.held.lock().await.tokens.clone() else { return Ok(()) };
        let (vault, login) = (Arc::clone(&self.vault), self.login.clone());
        let kept = tokio::task::spawn_blocking(move || keep(&vault, &login, &tokens)).await;
        kept.unwrap_or(Ok(())).map_err(Problem::from)
    }

    /// Forgets the tokens, here and in the vault. Returns `true` if there were any.
    ///
    /// # Errors
    /// If they may still be in the vault.
    pub async fn sign_out(&self) -> Result<bool, Problem> {
        let mut held = self.held.lock().await;
        self.take_kept(&mut held).await;
        let had = held.tokens.is_some();
        *held = Held::default();
        let (vault, id) = (Arc::clone(&self.vault), self.login.sign_in.clone());
        let removed = tokio::task::spawn_blocking(move || KeptTokens::new(vault).remove(&id)).await;
        removed.unwrap_or(Ok(())).map_err(Problem::from)?;
        Ok(had)
    }
}

/// Keeps tokens in the vault if their connection is there. Of one that is not saved, nobody would find them again.
fn keep(vault: &Arc<dyn Vault>, login: &OpenIdLogin, tokens: &Tokens) -> Result<(), VaultError> {
    // Whether it is saved, whatever the rules of this computer say of its use.
    let is_saved = Profiles::by_rules(Arc::clone(vault), &Arc::default()).is_saved(&login.sign_in)?;
    if is_saved { KeptTokens::new(Arc::clone(vault)).keep(login, tokens) } else { Ok(()) }
}

impl From<OpenIdError> for Problem {
    fn from(error: OpenIdError) -> Self {
        let words = error.to_string();
        let title = match &error {
            OpenIdError::NotSignedIn { .. } => words.as_str(),
            OpenIdError::Expired { .. } | OpenIdError::Ended { .. } => "The sign-in has ended",
            OpenIdError::Unreachable { .. } => "The provider can’t be reached",
            _ => "The sign-in failed",
        };
        let problem = Problem::new(title, if title == words { "" } else { &words });
        // The first way out says it already.
        let problem = if error.needs_person() { problem } else { problem.hint(error.way_out()) };
        problem.fix(Fix::SignIn).or(Fix::EditConnection)
    }
}
