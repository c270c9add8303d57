//! The options of a sign-in at an OpenID Connect provider, which is saved with a connection. Its secrets come from the
//! environment.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::{
    cli::{environment::Host, error::CliError},
    model::{
        connections::{
            draft::ProfileField,
            login::Login,
            open_id::{SentToken, USUAL_SCOPES},
            open_id_draft::OpenIdDraft,
            profile::ProfileId,
        },
        form_error::FormError,
        secret::Secret,
    },
};

/// The options of a sign-in at a provider.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Single sign-on")]
pub(crate) struct OpenIdFlags {
    /// Sign in at this OpenID Connect provider, for a JWT realm. A client secret comes from KEYBEARER_CLIENT_SECRET, the
    /// shared secret of the realm from ES_SHARED_SECRET
    #[arg(long, value_name = "URL", requires = "client_id")]
    issuer: Option<String>,
    /// Id of the client at the provider
    #[arg(long, value_name = "ID", requires = "issuer")]
    client_id: Option<String>,
    /// Scopes to request, separated by blanks [default: openid profile offline_access]
    #[arg(long, value_name = "SCOPES", requires = "issuer")]
    scopes: Option<String>,
    /// Token to send to the cluster [default: id]
    #[arg(long, requires = "issuer")]
    token: Option<TokenChoice>,
    /// Port of 127.0.0.1 to which the provider redirects [default: any]
    #[arg(long, value_name = "PORT", requires = "issuer")]
    redirect_port: Option<String>,
    /// Trust only the certificates in this PEM file for the provider
    #[arg(long, value_name = "PATH", requires = "issuer")]
    provider_ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TokenChoice {
    /// The ID token
    Id,
    /// The access token
    Access,
}

impl OpenIdFlags {
    /// Returns the sign-in of the options; `None` without an issuer.
    ///
    /// # Errors
    /// A usage error if a value is invalid.
    pub(crate) fn login(&self, machine: &dyn Host) -> Result<Option<Login>, CliError> {
        let Some(issuer) = self.issuer.clone() else { return Ok(None) };
        let secret = |secret: Option<Secret>| {
            Zeroizing::new(secret.map_or_else(String::new, |secret| secret.expose().trim().to_owned()))
        };
        let ca_file = self.provider_ca_file.as_ref().map(|path| path.to_str().ok_or("the path is not UTF-8 text"));
        let ca_file =
            ca_file.transpose().map_err(|why| CliError::Fields(vec![format!("--provider-ca-file: {why}")]))?;
        let draft = OpenIdDraft {
            issuer,
            client_id: self.client_id.clone().unwrap_or_default(),
            client_secret: secret(machine.variable("KEYBEARER_CLIENT_SECRET")?),
            scopes: self.scopes.clone().unwrap_or_else(|| USUAL_SCOPES.into()),
            sent: match self.token {
                Some(TokenChoice::Access) => SentToken::Access,
                Some(TokenChoice::Id) | None => SentToken::Id,
            },
            shared_secret: secret(machine.variable("ES_SHARED_SECRET")?),
            redirect_port: self.redirect_port.clone().unwrap_or_default(),
            ca_file: ca_file.unwrap_or_default().to_owned(),
        };
        // The connection gets its id when it is saved, and the sign-in with it.
        let login = draft.login(&ProfileId(String::new()));
        let login = login.map_err(|errors| CliError::Fields(errors.iter().map(field_line).collect()))?;
        Ok(Some(Login::OpenId(Box::new(login))))
    }
}

/// Formats the validation error of a connection, beginning with the option or the variable of its field.
pub(crate) fn field_line(error: &FormError<ProfileField>) -> String {
    let option = match error.field {
        ProfileField::Name => "NAME",
        ProfileField::Url => "--url",
        ProfileField::Environment => "--environment",
        ProfileField::ClientCertificate => "--client-cert",
        ProfileField::CaFile => "--ca-file",
        ProfileField::Fingerprint => "--insecure",
        ProfileField::Timeout => "--timeout",
        ProfileField::Protection => "--protection",
        ProfileField::ProxyUrl => "--proxy",
        ProfileField::ProxyUsername => "KEYBEARER_PROXY_USERNAME",
        ProfileField::KeyId | ProfileField::KeySecret => "ES_API_KEY",
        ProfileField::Username => "ES_USERNAME",
        ProfileField::Password => "ES_PASSWORD",
        ProfileField::Token => "ES_TOKEN",
        ProfileField::Issuer => "--issuer",
        ProfileField::ClientId => "--client-id",
        ProfileField::Scopes => "--scopes",
        ProfileField::RedirectPort => "--redirect-port",
    };
    format!("{option}: {}", error.message)
}
