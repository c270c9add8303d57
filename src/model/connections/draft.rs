//! Form for a connection profile as it was typed; becomes a [`Profile`] when it has no errors.

use std::{path::PathBuf, time::Duration};

use zeroize::{Zeroize, Zeroizing};

use super::{
    endpoint::{ClusterUrl, Endpoint, Trust},
    fingerprint::Fingerprint,
    login::Login,
    profile::{Environment, Profile, ProfileId},
};
use crate::model::secret::Secret;

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
}

/// Certificates that are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TrustChoice {
    /// Certificates issued by the certificate authorities of this computer.
    #[default]
    System,
    /// Certificates issued by the certificate authorities of a PEM file.
    CaFile,
    /// Certificate with a given SHA-256 fingerprint.
    Fingerprint,
    /// Any certificate, unverified; refused for a production cluster.
    InsecureDev,
}

const UNVERIFIED: &str = "A production cluster is never left unverified: choose a CA file or a fingerprint";

/// Form as it was filled in.
#[derive(Clone, Default)]
pub struct ProfileDraft {
    /// Id of the profile that is edited; `None` for a new one.
    pub id: Option<ProfileId>,
    /// Name of the connection.
    pub name: String,
    /// Address (URL) of the cluster.
    pub url: String,
    /// Environment of the cluster; `None` until it is chosen. There is no default, since each environment comes with
    /// different warnings.
    pub environment: Option<Environment>,
    /// Kind of credential to sign in with.
    pub sign_in: SignIn,
    /// Id of the API key, for [`SignIn::ApiKey`].
    pub key_id: String,
    /// Secret of the API key; an encoded key pasted here fills in both id and secret.
    pub key_secret: Zeroizing<String>,
    /// Name of the user, for [`SignIn::User`].
    pub username: String,
    /// Password, for [`SignIn::User`].
    pub password: Zeroizing<String>,
    /// Bearer token, for [`SignIn::Token`].
    pub token: Zeroizing<String>,
    /// Certificates that are trusted.
    pub trust: TrustChoice,
    /// Path of a PEM file, for [`TrustChoice::CaFile`].
    pub ca_file: String,
    /// SHA-256 fingerprint of a certificate, for [`TrustChoice::Fingerprint`].
    pub fingerprint: String,
    /// Time limit for one request as it was typed, in seconds from 1 to 3600.
    pub timeout: String,
    /// Name of the user to act for; blank for nobody.
    pub run_as: String,
    /// Index, data stream or pattern of the audit events; blank for the default pattern.
    pub audit_index: String,
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
    CaFile,
    Fingerprint,
    Timeout,
}

/// Validation error of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    /// Field that is invalid.
    pub field: ProfileField,
    /// One sentence that says what is wrong and how to fix it.
    pub message: String,
}

impl std::fmt::Debug for ProfileDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProfileDraft").field("name", &self.name).finish_non_exhaustive()
    }
}

impl ProfileDraft {
    /// Returns an empty form with the default time limit of 60 seconds.
    pub fn new() -> Self {
        Self { timeout: "60".into(), ..Self::default() }
    }

    /// Returns the form of an existing profile, secrets included.
    pub fn of(profile: &Profile) -> Self {
        let endpoint = &profile.endpoint;
        let mut draft = Self {
            id: Some(profile.id.clone()),
            name: profile.name.clone(),
            url: endpoint.url.to_string(),
            environment: Some(profile.environment),
            timeout: endpoint.timeout.as_secs().to_string(),
            run_as: endpoint.run_as.clone().unwrap_or_default(),
            audit_index: endpoint.audit_index.clone().unwrap_or_default(),
            ..Self::default()
        };
        match &endpoint.login {
            Login::ApiKey { id, secret } => {
                draft.key_id = id.clone();
                draft.key_secret = Zeroizing::new(secret.expose().to_owned());
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
        }
        match &endpoint.trust {
            Trust::System => {}
            Trust::CaFile(path) => {
                draft.trust = TrustChoice::CaFile;
                draft.ca_file = path.display().to_string();
            }
            Trust::Fingerprint(print) => {
                draft.trust = TrustChoice::Fingerprint;
                draft.fingerprint = print.to_string();
            }
            Trust::InsecureDev => draft.trust = TrustChoice::InsecureDev,
        }
        draft
    }

    /// Splits a whole API key that was pasted into the id or the secret, encoded or as `id:key`, and fills in both.
    pub fn tidy(&mut self) {
        if self.sign_in != SignIn::ApiKey {
            return;
        }
        for text in [self.key_secret.clone(), Zeroizing::new(self.key_id.clone())] {
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
    pub fn check(&self, fresh_id: ProfileId) -> Result<Profile, Vec<ProfileError>> {
        let mut errors = Vec::new();
        let mut wrong = |field, message: String| errors.push(ProfileError { field, message });
        if self.name.trim().is_empty() {
            wrong(ProfileField::Name, "Give the connection a name".into());
        }
        let url = match self.url() {
            Ok(url) => Some(url),
            Err(message) => {
                wrong(ProfileField::Url, message);
                None
            }
        };
        if self.environment.is_none() {
            wrong(ProfileField::Environment, "Choose what the cluster is for".into());
        }
        let login = self.login(&mut wrong);
        let trust = self.trust(&mut wrong);
        let seconds: Option<u64> = self.timeout.trim().trim_end_matches('s').trim().parse().ok();
        let timeout = seconds.filter(|seconds| (1..=3600).contains(seconds));
        if timeout.is_none() {
            wrong(ProfileField::Timeout, "Seconds, from 1 to 3600".into());
        }
        let (Some(url), Some(environment), Some(login), Some(trust), Some(timeout), true) =
            (url, self.environment, login, trust, timeout, errors.is_empty())
        else {
            return Err(errors);
        };
        let given = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let (run_as, audit_index) = (given(&self.run_as), given(&self.audit_index));
        let endpoint = Endpoint { url, trust, login, run_as, timeout: Duration::from_secs(timeout), audit_index };
        let id = self.id.clone().unwrap_or(fresh_id);
        Ok(Profile { id, name: self.name.trim().to_owned(), environment, endpoint })
    }

    /// Returns the reason why this connection is never allowed, whatever else is filled in: an unverified certificate
    /// in production. `None` if it is allowed.
    pub fn refusal(&self) -> Option<&'static str> {
        let is_production = self.environment == Some(Environment::Production);
        (is_production && self.trust == TrustChoice::InsecureDev).then_some(UNVERIFIED)
    }

    fn url(&self) -> Result<ClusterUrl, String> {
        let url = ClusterUrl::parse(&self.url).map_err(|error| error.to_string())?;
        if !url.is_https() && self.environment == Some(Environment::Production) {
            return Err("http sends the credential in the clear: a production cluster needs https://".into());
        }
        Ok(url)
    }

    fn login(&self, wrong: &mut impl FnMut(ProfileField, String)) -> Option<Login> {
        let mut need = |field, text: &str, words: &str| {
            let missing = text.trim().is_empty();
            if missing {
                wrong(field, words.to_owned());
            }
            !missing
        };
        match self.sign_in {
            SignIn::ApiKey => {
                let id = need(ProfileField::KeyId, &self.key_id, "The id of the API key is missing");
                let words = "The secret is missing: paste it, or the whole encoded key";
                let secret = need(ProfileField::KeySecret, &self.key_secret, words);
                (id && secret).then(|| Login::ApiKey {
                    id: self.key_id.trim().to_owned(),
                    secret: Secret::new(self.key_secret.trim()),
                })
            }
            SignIn::User => {
                let user = need(ProfileField::Username, &self.username, "The name of the user is missing");
                let password = !self.password.is_empty();
                if !password {
                    wrong(ProfileField::Password, "The password is missing".into());
                }
                (user && password).then(|| Login::Password {
                    username: self.username.trim().to_owned(),
                    password: Secret::new(self.password.as_str()),
                })
            }
            SignIn::Token => need(ProfileField::Token, &self.token, "The token is missing")
                .then(|| Login::Bearer(Secret::new(self.token.trim()))),
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
            TrustChoice::CaFile if self.ca_file.trim().is_empty() => {
                wrong(ProfileField::CaFile, "Name the PEM file of the certificate authority".into());
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
mod tests {
    use super::*;

    fn draft() -> ProfileDraft {
        ProfileDraft {
            name: "lab".into(),
            url: "localhost".into(),
            sign_in: SignIn::User,
            username: "ana".into(),
            password: Zeroizing::new("hunter2".into()),
            environment: Some(Environment::Development),
            ..ProfileDraft::new()
        }
    }

    fn check(draft: &ProfileDraft) -> Result<Profile, Vec<ProfileField>> {
        draft.check(ProfileId("new".into())).map_err(|errors| errors.into_iter().map(|error| error.field).collect())
    }

    #[test]
    fn a_whole_form_becomes_a_profile_and_back() {
        let profile = check(&draft()).unwrap();
        assert_eq!(profile.endpoint.url.as_str(), "https://localhost:9200");
        let again = ProfileDraft::of(&profile);
        assert_eq!(check(&again).unwrap(), profile);
    }

    #[test]
    fn an_encoded_key_pasted_as_secret_or_as_id_fills_both() {
        let encoded = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==";
        let as_secret = ProfileDraft { key_secret: Zeroizing::new(encoded.into()), ..ProfileDraft::new() };
        let as_id = ProfileDraft { key_id: format!(" {encoded}\n"), ..ProfileDraft::new() };
        let raw = "VuaCfGcBCdbkQm-e5aOx:ui2lp2axTNmsyakw9tvNnw";
        let as_raw = ProfileDraft { key_secret: Zeroizing::new(raw.into()), ..ProfileDraft::new() };
        for mut draft in [as_secret, as_id, as_raw] {
            draft.tidy();
            assert_eq!(draft.key_id, "VuaCfGcBCdbkQm-e5aOx");
            assert_eq!(*draft.key_secret, "ui2lp2axTNmsyakw9tvNnw");
            draft.tidy();
            assert_eq!(*draft.key_secret, "ui2lp2axTNmsyakw9tvNnw");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong =
            ProfileDraft { name: " ".into(), url: "ftp://x".into(), timeout: "0".into(), ..ProfileDraft::default() };
        let all = [
            ProfileField::Name,
            ProfileField::Url,
            ProfileField::Environment,
            ProfileField::KeyId,
            ProfileField::KeySecret,
            ProfileField::Timeout,
        ];
        assert_eq!(check(&wrong), Err(all.to_vec()));
    }

    #[test]
    fn production_is_neither_unencrypted_nor_unverified() {
        let clear =
            ProfileDraft { url: "http://es:9200".into(), environment: Some(Environment::Production), ..draft() };
        assert_eq!(check(&clear), Err(vec![ProfileField::Url]));
        let blind =
            ProfileDraft { trust: TrustChoice::InsecureDev, environment: Some(Environment::Production), ..draft() };
        assert_eq!(check(&blind), Err(vec![ProfileField::Fingerprint]));
        assert!(check(&ProfileDraft { trust: TrustChoice::InsecureDev, ..draft() }).is_ok());
    }
}
