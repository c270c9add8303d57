//! Form for a connection profile as it was typed; becomes a [`Profile`] when it has no errors.

use std::{path::PathBuf, time::Duration};

use zeroize::{Zeroize, Zeroizing};

use super::{
    ca::CaCertificates,
    client_certificate::ClientCertificate,
    endpoint::{ClusterUrl, Endpoint, MAX_ADDRESSES, Trust, UrlError},
    fingerprint::Fingerprint,
    login::{Login, is_cloud_key},
    open_id_draft::OpenIdDraft,
    profile::{Environment, Profile, ProfileId},
    protection::Protection,
    proxy::{Proxy, ProxyLogin, ProxyRule, ProxyUrl},
};
use crate::model::{form_error::FormError, secret::Secret, text::sanitize};

/// Kind of credential to sign in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SignIn {
    /// API key.
    #[default]
    ApiKey,
    /// User name and password.
    User,
    /// Bearer token.
    Token,
    /// The client certificate alone.
    Certificate,
    /// A token of an OpenID Connect provider.
    OpenId,
}

/// Certificates that are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TrustChoice {
    /// Certificates issued by the certificate authorities of this computer.
    #[default]
    System,
    /// Certificates issued by the certificate authorities of a PEM file, or by those kept with the connection.
    CaFile,
    /// Certificate with a given SHA-256 fingerprint.
    Fingerprint,
    /// Any certificate, unverified; refused for a production cluster.
    InsecureDev,
}

/// Choice of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ProxyChoice {
    /// Proxy of this computer.
    #[default]
    System,
    /// No proxy.
    Direct,
    /// A given proxy.
    Via,
}

const UNVERIFIED: &str = "A production cluster must be verified: choose a CA file or a fingerprint";

/// Form as it was filled in.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProfileDraft {
    /// Id of the profile that is edited; `None` for a new one.
    pub id: Option<ProfileId>,
    /// Name of the connection.
    pub name: String,
    /// Addresses (URLs) of the cluster, one a line.
    pub url: String,
    /// Environment of the cluster; `None` until it is chosen. There is no default, since each environment comes with
    /// different warnings.
    pub environment: Option<Environment>,
    /// Kind of credential to sign in with.
    pub sign_in: SignIn,
    /// Id of the API key, for [`SignIn::ApiKey`].
    pub key_id: String,
    /// Secret of the API key; an encoded key pasted here fills in both id and secret. A key of Elastic Cloud has no id.
    pub key_secret: Zeroizing<String>,
    /// `true` for a connection that asks for its key of Elastic Cloud each time.
    pub asks_cloud_key: bool,
    /// Name of the user, for [`SignIn::User`].
    pub username: String,
    /// Password, for [`SignIn::User`].
    pub password: Zeroizing<String>,
    /// Bearer token, for [`SignIn::Token`].
    pub token: Zeroizing<String>,
    /// `true` if the credential is asked for each time, so that none has to be typed here.
    pub asks_credential: bool,
    /// Settings of the provider, for [`SignIn::OpenId`].
    pub open_id: OpenIdDraft,
    /// Certificates that are trusted.
    pub trust: TrustChoice,
    /// Path of a PEM file, for [`TrustChoice::CaFile`] without certificates of its own.
    pub ca_file: String,
    /// Certificates kept with the connection, for [`TrustChoice::CaFile`]; `None` for those of a file.
    pub ca: Option<CaCertificates>,
    /// SHA-256 fingerprint of a certificate, for [`TrustChoice::Fingerprint`].
    pub fingerprint: String,
    /// Time limit for one request as it was typed, in seconds from 1 to 3600.
    pub timeout: String,
    /// Name of the user to act for; blank for nobody.
    pub run_as: String,
    /// Index, data stream or pattern of the audit events; blank for the default pattern.
    pub audit_index: String,
    /// Client certificate that was read; `None` for none.
    pub client_certificate: Option<ClientCertificate>,
    /// Choice of the proxy.
    pub proxy: ProxyChoice,
    /// Address of the proxy, for [`ProxyChoice::Via`].
    pub proxy_url: String,
    /// Name of the user at the proxy, for [`ProxyChoice::Via`]; blank if it needs no sign-in.
    pub proxy_username: String,
    /// Password of the user at the proxy, for [`ProxyChoice::Via`].
    pub proxy_password: Zeroizing<String>,
    /// Protection against changes; `None` for the default of the environment.
    pub protection: Option<Protection>,
}

/// Field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the field of the form by that name")]
pub enum ProfileField {
    Name,
    Url,
    Environment,
    KeyId,
    KeySecret,
    Username,
    Password,
    Token,
    Issuer,
    ClientId,
    Scopes,
    RedirectPort,
    ClientCertificate,
    CaFile,
    Fingerprint,
    Timeout,
    ProxyUrl,
    ProxyUsername,
    Protection,
}

impl std::fmt::Debug for ProfileDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProfileDraft").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ProfileDraft {
    /// Returns an empty form with the default time limit of 60 seconds.
    pub fn new() -> Self {
        Self { timeout: "60".into(), open_id: OpenIdDraft::new(), ..Self::default() }
    }

    /// Returns the form of an existing profile, secrets included.
    pub fn of(profile: &Profile) -> Self {
        let endpoint = &profile.endpoint;
        let mut draft = Self {
            id: Some(profile.id.clone()),
            name: profile.name.clone(),
            url: endpoint.urls().map(ClusterUrl::as_str).collect::<Vec<_>>().join("\n"),
            environment: Some(profile.environment),
            timeout: endpoint.timeout.as_secs().to_string(),
            run_as: endpoint.run_as.clone().unwrap_or_default(),
            audit_index: endpoint.audit_index.clone().unwrap_or_default(),
            client_certificate: endpoint.client_certificate.clone(),
            protection: Some(endpoint.protection),
            asks_credential: endpoint.asks_credential,
            ..Self::new()
        };
        match &endpoint.login {
            Login::ApiKey { id, secret } => {
                draft.key_id = id.clone();
                draft.key_secret = Zeroizing::new(secret.expose().to_owned());
            }
            Login::CloudKey(key) => {
                draft.key_secret = Zeroizing::new(key.expose().to_owned());
                draft.asks_cloud_key = endpoint.asks_credential;
            }
            Login::Password { username, password } => {
                draft.sign_in = SignIn::User;
                draft.username = username.clone();
                draft.password = Zeroizing::new(password.expose().to_owned());
            }
            Login::Bearer(token) => {
                draft.sign_in = SignIn::Token;
                draft.token = Zeroizing::new(token.expose().to_owned());
            }
            Login::Certificate => draft.sign_in = SignIn::Certificate,
            Login::OpenId(login) => {
                draft.sign_in = SignIn::OpenId;
                draft.open_id = OpenIdDraft::of(login);
            }
        }
        match &endpoint.trust {
            Trust::System => {}
            Trust::CaFile(path) => {
                draft.trust = TrustChoice::CaFile;
                draft.ca_file = path.display().to_string();
            }
            Trust::Ca(ca) => {
                draft.trust = TrustChoice::CaFile;
                draft.ca = Some(ca.clone());
            }
            Trust::Fingerprint(print) => {
                draft.trust = TrustChoice::Fingerprint;
                draft.fingerprint = print.to_string();
            }
            Trust::InsecureDev => draft.trust = TrustChoice::InsecureDev,
        }
        match &endpoint.proxy {
            ProxyRule::System => {}
            ProxyRule::Direct => draft.proxy = ProxyChoice::Direct,
            ProxyRule::Via(proxy) => {
                draft.proxy = ProxyChoice::Via;
                draft.proxy_url = proxy.url.to_string();
                if let Some(login) = &proxy.login {
                    draft.proxy_username = login.username.clone();
                    draft.proxy_password = Zeroizing::new(login.password.expose().to_owned());
                }
            }
        }
        draft
    }

    /// Chooses the environment. A protection that was the default of the environment before becomes that of the new one,
    /// and none gets weaker than the default of the new one.
    pub fn set_environment(&mut self, environment: Environment) {
        let default = Protection::default_for(environment);
        let before = self.environment.map(Protection::default_for);
        self.protection = self.protection.filter(|own| Some(*own) != before).map(|own| own.max(default));
        self.environment = Some(environment);
    }

    /// Returns the protection that the connection will have.
    pub fn protection(&self) -> Protection {
        self.protection.or(self.environment.map(Protection::default_for)).unwrap_or_default()
    }

    /// Returns `true` if the form has everything to sign in with.
    pub fn has_credential(&self) -> bool {
        self.login(&ProfileId(String::new()), &mut |_, _| ()).is_some()
    }

    /// Returns `true` if the API key is one of Elastic Cloud, which has no id.
    pub fn is_cloud_key(&self) -> bool {
        let is_asked = self.asks_cloud_key && self.asks_credential;
        let is_blank = self.key_secret.trim().is_empty() && self.key_id.trim().is_empty();
        self.sign_in == SignIn::ApiKey && (is_cloud_key(&self.key_secret) || is_asked && is_blank)
    }

    /// Splits a whole API key that was pasted into the id or the secret, encoded or as `id:key`, and fills in both.
    pub fn tidy(&mut self) {
        if self.sign_in != SignIn::ApiKey {
            return;
        }
        for text in [self.key_secret.clone(), Zeroizing::new(self.key_id.clone())] {
            if let Ok(Login::CloudKey(key)) = Login::from_api_key_text(&text) {
                self.key_id.zeroize();
                self.key_secret.clear();
                self.key_secret.push_str(key.expose());
                return;
            }
            // A secret has 22 letters and no colon; only a whole key is longer or has one.
            let whole = text.contains(':') || text.chars().filter(|c| !c.is_whitespace()).count() >= 40;
            if let (true, Ok(Login::ApiKey { id, secret })) = (whole, Login::from_api_key_text(&text)) {
                self.key_id.zeroize();
                self.key_id = id;
                self.key_secret.clear();
                self.key_secret.push_str(secret.expose());
                return;
            }
        }
    }

    /// Checks the whole form. `fresh_id` becomes the id of a new profile.
    ///
    /// # Errors
    /// Returns every validation error with its field.
    pub fn check(&self, fresh_id: ProfileId) -> Result<Profile, Vec<FormError<ProfileField>>> {
        let mut errors = Vec::new();
        let mut wrong = |field, message: String| errors.push(FormError { field, message });
        if self.name.trim().is_empty() {
            wrong(ProfileField::Name, "Enter a name for the connection".into());
        }
        let urls = match self.urls() {
            Ok(urls) => Some(urls),
            Err(message) => {
                wrong(ProfileField::Url, message);
                None
            }
        };
        if self.environment.is_none() {
            wrong(ProfileField::Environment, "Choose the environment of the cluster".into());
        }
        let id = self.id.clone().unwrap_or(fresh_id);
        let login = self.login(&id, &mut wrong);
        let trust = self.trust(&mut wrong);
        let proxy = self.proxy(&mut wrong);
        let seconds: Option<u64> = self.timeout.trim().trim_end_matches('s').trim().parse().ok();
        let timeout = seconds.filter(|seconds| (1..=3600).contains(seconds));
        if timeout.is_none() {
            wrong(ProfileField::Timeout, "Enter seconds from 1 to 3600".into());
        }
        let (Some((url, more_urls)), Some(environment), Some(login), Some(trust), Some(proxy), Some(timeout), true) =
            (urls, self.environment, login, trust, proxy, timeout, errors.is_empty())
        else {
            return Err(errors);
        };
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (run_as, audit_index) = (given(&self.run_as), given(&self.audit_index));
        let (timeout, protection) = (Duration::from_secs(timeout), self.protection());
        let client_certificate = self.client_certificate.clone();
        if client_certificate.is_some() && !url.is_https() {
            let message = "A client certificate is presented only over https://: change the URL, or remove it".into();
            return Err(vec![FormError { field: ProfileField::Url, message }]);
        }
        let endpoint = Endpoint {
            more_urls,
            trust,
            run_as,
            timeout,
            audit_index,
            client_certificate,
            proxy,
            protection,
            asks_credential: self.asks_credential && !matches!(self.sign_in, SignIn::Certificate | SignIn::OpenId),
            ..Endpoint::new(url, login)
        };
        Ok(Profile { id, name: self.name.trim().to_owned(), environment, endpoint })
    }

    /// Returns the reason why this connection is never allowed, whatever else is filled in: an unverified certificate
    /// in production. `None` if it is allowed.
    pub fn refusal(&self) -> Option<&'static str> {
        let is_production = self.environment == Some(Environment::Production);
        (is_production && self.trust == TrustChoice::InsecureDev).then_some(UNVERIFIED)
    }

    /// Returns the first address and the others, each once.
    ///
    /// # Errors
    /// If one of them is no address, or they don't go together.
    pub fn urls(&self) -> Result<(ClusterUrl, Vec<ClusterUrl>), String> {
        let lines: Vec<&str> = self.url.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let mut urls: Vec<ClusterUrl> = Vec::new();
        for line in lines.iter().take(MAX_ADDRESSES + 1) {
            let url = ClusterUrl::parse(line).map_err(|error| match lines.len() {
                1 => error.to_string(),
                _ => format!("{}: {error}", sanitize::shortened(line, 60)),
            })?;
            if !urls.contains(&url) {
                urls.push(url);
            }
        }
        if urls.len() > MAX_ADDRESSES {
            return Err(format!("A connection has at most {MAX_ADDRESSES} addresses"));
        }
        if urls.iter().any(|url| !url.is_https()) {
            if self.environment == Some(Environment::Production) {
                return Err("http sends the credential unencrypted: a production cluster requires https://".into());
            }
            if urls.iter().any(ClusterUrl::is_https) {
                return Err("Use https:// for all addresses of the cluster, or for none".into());
            }
        }
        let mut urls = urls.into_iter();
        let first = urls.next().ok_or_else(|| UrlError::Empty.to_string())?;
        Ok((first, urls.collect()))
    }

    fn login(&self, id: &ProfileId, wrong: &mut impl FnMut(ProfileField, String)) -> Option<Login> {
        if self.sign_in == SignIn::OpenId {
            return self.open_id.check(id, wrong).map(|login| Login::OpenId(Box::new(login)));
        }
        let mut need = |field, text: &str, words: &str| {
            let is_asked = matches!(field, ProfileField::KeySecret | ProfileField::Token) && self.asks_credential;
            let missing = text.trim().is_empty() && !is_asked;
            if missing {
                wrong(field, words.to_owned());
            }
            !missing
        };
        match self.sign_in {
            SignIn::ApiKey if self.is_cloud_key() => Some(Login::CloudKey(Secret::new(self.key_secret.trim()))),
            SignIn::ApiKey => {
                let id = need(ProfileField::KeyId, &self.key_id, "Enter the id of the API key");
                let words = "Enter the secret, or paste the whole encoded key";
                let secret = need(ProfileField::KeySecret, &self.key_secret, words);
                (id && secret).then(|| Login::ApiKey {
                    id: self.key_id.trim().to_owned(),
                    secret: Secret::new(self.key_secret.trim()),
                })
            }
            SignIn::User => {
                let user = need(ProfileField::Username, &self.username, "Enter the user name");
                let password = !self.password.is_empty() || self.asks_credential;
                if !password {
                    wrong(ProfileField::Password, "Enter the password".into());
                }
                (user && password).then(|| Login::Password {
                    username: self.username.trim().to_owned(),
                    password: Secret::new(self.password.as_str()),
                })
            }
            SignIn::Token => need(ProfileField::Token, &self.token, "Enter the token")
                .then(|| Login::Bearer(Secret::new(self.token.trim()))),
            SignIn::Certificate => {
                if self.client_certificate.is_none() {
                    wrong(ProfileField::ClientCertificate, "Add the certificate to sign in with".into());
                }
                self.client_certificate.as_ref().map(|_| Login::Certificate)
            }
            // Handled above: its fields are those of the provider.
            SignIn::OpenId => None,
        }
    }

    fn proxy(&self, wrong: &mut impl FnMut(ProfileField, String)) -> Option<ProxyRule> {
        match self.proxy {
            ProxyChoice::System => Some(ProxyRule::System),
            ProxyChoice::Direct => Some(ProxyRule::Direct),
            ProxyChoice::Via => {
                let url = ProxyUrl::parse(&self.proxy_url);
                if let Err(error) = &url {
                    wrong(ProfileField::ProxyUrl, error.to_string());
                }
                let username = self.proxy_username.trim();
                if username.is_empty() && !self.proxy_password.is_empty() {
                    wrong(ProfileField::ProxyUsername, "Enter the user name, or remove the password".into());
                    return None;
                }
                let password = Secret::new(self.proxy_password.as_str());
                let login = (!username.is_empty()).then(|| ProxyLogin { username: username.to_owned(), password });
                Some(ProxyRule::Via(Proxy { url: url.ok()?, login }))
            }
        }
    }

    fn trust(&self, wrong: &mut impl FnMut(ProfileField, String)) -> Option<Trust> {
        match self.trust {
            TrustChoice::System => Some(Trust::System),
            TrustChoice::InsecureDev if self.refusal().is_some() => {
                wrong(ProfileField::Fingerprint, UNVERIFIED.into());
                None
            }
            TrustChoice::InsecureDev => Some(Trust::InsecureDev),
            TrustChoice::CaFile if self.ca.is_some() => self.ca.clone().map(Trust::Ca),
            TrustChoice::CaFile if self.ca_file.trim().is_empty() => {
                wrong(ProfileField::CaFile, "Enter the PEM file of the certificate authority".into());
                None
            }
            TrustChoice::CaFile => Some(Trust::CaFile(PathBuf::from(self.ca_file.trim()))),
            TrustChoice::Fingerprint => match Fingerprint::parse(&self.fingerprint) {
                Ok(print) => Some(Trust::Fingerprint(print)),
                Err(error) => {
                    wrong(ProfileField::Fingerprint, error.to_string());
                    None
                }
            },
        }
    }
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
