//! The part of a connection's form for a sign-in by OpenID Connect, and the text that tells administrators what to set
//! up for it.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{
    draft::ProfileField,
    open_id::{self, Issuer, OpenIdLogin, SentToken, SignInId, USUAL_SCOPES},
    profile::ProfileId,
};
use crate::model::{form_error::FormError, secret::Secret};

/// Settings of a provider as they were typed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OpenIdDraft {
    /// Issuer of the provider.
    pub issuer: String,
    /// Id of the client at the provider.
    pub client_id: String,
    /// Secret of the client; blank for a public client.
    pub client_secret: Zeroizing<String>,
    /// Scopes, separated by blanks.
    pub scopes: String,
    /// Token that is sent to the cluster.
    pub sent: SentToken,
    /// Shared secret of the JWT realm; blank for none.
    pub shared_secret: Zeroizing<String>,
    /// Port of the redirect address; blank for any free one.
    pub redirect_port: String,
    /// PEM file of the only certificates that are trusted for the provider; blank for those of this computer.
    pub ca_file: String,
}

impl OpenIdDraft {
    /// Returns an empty form with the usual scopes.
    pub fn new() -> Self {
        Self { scopes: USUAL_SCOPES.into(), ..Self::default() }
    }

    /// Returns the form of existing settings, secrets included.
    pub fn of(login: &OpenIdLogin) -> Self {
        let secret = |secret: &Option<Secret>| {
            Zeroizing::new(secret.as_ref().map_or_else(String::new, |secret| secret.expose().to_owned()))
        };
        Self {
            issuer: login.issuer.as_str().to_owned(),
            client_id: login.client_id.clone(),
            client_secret: secret(&login.client_secret),
            scopes: login.scopes.join(" "),
            sent: login.sent,
            shared_secret: secret(&login.shared_secret),
            redirect_port: login.redirect_port.map(|port| port.to_string()).unwrap_or_default(),
            ca_file: login.ca_file.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
        }
    }

    /// Checks the settings for the connection of this id.
    ///
    /// # Errors
    /// Returns every validation error with its field.
    pub fn login(&self, id: &ProfileId) -> Result<OpenIdLogin, Vec<FormError<ProfileField>>> {
        let mut errors = Vec::new();
        let login = self.check(id, &mut |field, message| errors.push(FormError { field, message }));
        login.filter(|_| errors.is_empty()).ok_or(errors)
    }

    /// Checks the settings for the connection of this id; each validation error is passed to `wrong`.
    pub(super) fn check(&self, id: &ProfileId, wrong: &mut impl FnMut(ProfileField, String)) -> Option<OpenIdLogin> {
        let issuer = Issuer::parse(&self.issuer);
        if let Err(error) = &issuer {
            wrong(ProfileField::Issuer, error.to_string());
        }
        let client_id = self.client_id.trim().to_owned();
        if client_id.is_empty() {
            wrong(ProfileField::ClientId, "Enter the client id that the provider knows Keybearer by".into());
        }
        let scopes = open_id::parse_scopes(&self.scopes);
        if let Err(words) = scopes {
            wrong(ProfileField::Scopes, words.to_owned());
        }
        let redirect_port = match self.redirect_port.trim() {
            "" => Some(None),
            text => match text.parse::<u16>() {
                Ok(port) if port >= 1024 => Some(Some(port)),
                _ => {
                    wrong(ProfileField::RedirectPort, "Enter a port from 1024 to 65535, or nothing for any".into());
                    None
                }
            },
        };
        let given = |text: &str| Some(Secret::new(text.trim())).filter(|secret| !secret.is_empty());
        let ca_file = self.ca_file.trim();
        Some(OpenIdLogin {
            sign_in: SignInId::of(id),
            issuer: issuer.ok()?,
            client_id: Some(client_id).filter(|id| !id.is_empty())?,
            client_secret: given(&self.client_secret),
            scopes: scopes.ok()?,
            sent: self.sent,
            shared_secret: given(&self.shared_secret),
            redirect_port: redirect_port?,
            ca_file: (!ca_file.is_empty()).then(|| PathBuf::from(ca_file)),
        })
    }

    /// Returns the redirect address that the provider must allow. With any port, RFC 8252 (section 7.3) asks providers
    /// to compare everything but the port.
    pub fn redirect_address(&self) -> String {
        match self.redirect_port.trim() {
            "" => "http://127.0.0.1/callback".into(),
            port => format!("http://127.0.0.1:{port}/callback"),
        }
    }

    /// Returns the text that says what the administrators of the provider and of the cluster have to set up, filled in
    /// as far as the form is. No secret is in it.
    pub fn setup_text(&self) -> String {
        let filled = |text: &str, missing: &str| match text.trim() {
            "" => format!("<{missing}>"),
            text => text.to_owned(),
        };
        let issuer = filled(&self.issuer, "issuer");
        let client_id = filled(&self.client_id, "client id");
        let scopes = open_id::parse_scopes(&self.scopes).unwrap_or_default().join(" ");
        let client = match self.client_secret.trim() {
            "" => "public client (native application, no client secret), with PKCE (S256)",
            _ => "confidential client (client secret), with PKCE (S256)",
        };
        let port = match self.redirect_port.trim() {
            "" => " (any port of 127.0.0.1: RFC 8252, section 7.3)",
            _ => "",
        };
        let (audience, token_type, principal) = match self.sent {
            SentToken::Id => (client_id.clone(), "id_token", "preferred_username"),
            SentToken::Access => ("<audience of the access token>".to_owned(), "access_token", "sub"),
        };
        let access = match self.sent {
            SentToken::Id => String::new(),
            SentToken::Access => {
                "- Access tokens: JWT, signed, with the audience that the cluster's realm is set up for\n".to_owned()
            }
        };
        // Required for access tokens (as seen on 9.5.3): a node without it does not start.
        let subjects = match self.sent {
            SentToken::Id => "",
            SentToken::Access => {
                "xpack.security.authc.realms.jwt.jwt1.allowed_subjects: [ \"<claim sub of each user>\" ]\n"
            }
        };
        let shared = match self.shared_secret.trim() {
            "" => "xpack.security.authc.realms.jwt.jwt1.client_authentication.type: none\n".to_owned(),
            _ => "xpack.security.authc.realms.jwt.jwt1.client_authentication.type: shared_secret\n".to_owned(),
        };
        let keystore = match self.shared_secret.trim() {
            "" => String::new(),
            _ => "And on each node, with the secret that this connection has:\n  bin/elasticsearch-keystore add \
                  xpack.security.authc.realms.jwt.jwt1.client_authentication.shared_secret\n\n"
                .to_owned(),
        };
        let quoted = serde_json::Value::from(principal).to_string();
        format!(
            "Keybearer signs in by OpenID Connect to administer API keys of Elasticsearch.\n\n\
             At the provider {issuer}:\n\
             - Client {client_id}: {client}\n\
             - Grant types: authorization code and refresh token; device code for machines without a browser\n\
             - Redirect URI: {redirect}{port}\n\
             - Scopes: {scopes}\n\
             {access}\
             - Users who may administer API keys, with a claim that names them: preferred_username or sub\n\n\
             In the cluster, in elasticsearch.yml of each node (a JWT realm needs a Platinum or Enterprise license):\n\
             xpack.security.authc.realms.jwt.jwt1.order: 10\n\
             xpack.security.authc.realms.jwt.jwt1.token_type: {token_type}\n\
             xpack.security.authc.realms.jwt.jwt1.allowed_issuer: \"{issuer}\"\n\
             xpack.security.authc.realms.jwt.jwt1.allowed_audiences: [ \"{audience}\" ]\n\
             {subjects}\
             xpack.security.authc.realms.jwt.jwt1.allowed_signature_algorithms: [ RS256, ES256 ]\n\
             xpack.security.authc.realms.jwt.jwt1.pkc_jwkset_path: \"<jwks_uri of {issuer}/.well-known/openid-configuration>\"\n\
             xpack.security.authc.realms.jwt.jwt1.claims.principal: {principal}\n\
             {shared}\n\
             {keystore}\
             And a role mapping, with a role that has manage_api_key or manage_own_api_key:\n\
             PUT /_security/role_mapping/keybearer\n\
             {{ \"roles\": [ \"<role>\" ], \"enabled\": true, \"rules\": {{ \"all\": [\n  \
             {{ \"field\": {{ \"realm.name\": \"jwt1\" }} }},\n  \
             {{ \"field\": {{ \"username\": \"<user, by the claim {principal_name}>\" }} }} ] }} }}\n",
            redirect = self.redirect_address(),
            principal_name = quoted.trim_matches('"'),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(draft: &OpenIdDraft) -> Result<OpenIdLogin, Vec<ProfileField>> {
        let login = draft.login(&ProfileId("p".into()));
        login.map_err(|errors| errors.iter().map(|error| error.field).collect())
    }

    fn full() -> OpenIdDraft {
        OpenIdDraft {
            issuer: " https://login.example.net/realms/ops ".into(),
            client_id: "keybearer".into(),
            client_secret: Zeroizing::new("hunter2".into()),
            scopes: "profile".into(),
            sent: SentToken::Access,
            shared_secret: Zeroizing::new("hunter3".into()),
            redirect_port: "49731".into(),
            ca_file: "/etc/ca.pem".into(),
        }
    }

    #[test]
    fn settings_come_back_as_they_were_typed_and_mistakes_are_named_together() {
        let login = checked(&full()).unwrap();
        assert_eq!(checked(&OpenIdDraft::of(&login)).unwrap(), login);
        assert_eq!(login.scopes, ["openid", "profile"]);
        assert!(!format!("{login:?}").contains("hunter"));
        let wrong = OpenIdDraft { scopes: "ä".into(), redirect_port: "80".into(), ..OpenIdDraft::default() };
        let fields = [ProfileField::Issuer, ProfileField::ClientId, ProfileField::Scopes, ProfileField::RedirectPort];
        assert_eq!(checked(&wrong), Err(fields.to_vec()));
        let plain = OpenIdDraft { redirect_port: String::new(), ca_file: " ".into(), ..full() };
        let plain = checked(&plain).unwrap();
        assert_eq!((plain.redirect_port, plain.ca_file), (None, None));
    }

    #[test]
    fn the_text_for_administrators_has_what_the_form_has_and_no_secret() {
        let text = full().setup_text();
        for part in [
            "http://127.0.0.1:49731/callback",
            "confidential client",
            "token_type: access_token",
            "allowed_subjects: [",
            "allowed_issuer: \"https://login.example.net/realms/ops\"",
            "client_authentication.type: shared_secret",
            "client_authentication.shared_secret\n",
        ] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
        assert!(!text.contains("hunter"), "{text}");
        let empty = OpenIdDraft::new().setup_text();
        for part in ["<issuer>", "<client id>", "public client", "any port", "allowed_audiences: [ \"<client id>\" ]"] {
            assert!(empty.contains(part), "{part} is missing:\n{empty}");
        }
        assert!(!empty.contains("keystore") && !empty.contains("allowed_subjects"), "{empty}");
    }
}
