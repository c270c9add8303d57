//! Reasons why there is no token of an OpenID Connect provider to send. No variant holds a token, a code or a secret.

use std::time::Duration;

use crate::model::TimeDelta;

/// Reason why a sign-in at a provider failed or ended. `Display` is one plain sentence, [`Self::way_out`] what to do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OpenIdError {
    /// Nobody has signed in yet, or somebody signed out.
    #[error("You are not signed in at {provider}")]
    NotSignedIn {
        /// Host of the provider.
        provider: String,
    },
    /// The token has expired, and the provider issued no refresh token.
    #[error("The sign-in at {provider} has expired")]
    Expired {
        /// Host of the provider.
        provider: String,
    },
    /// The provider refuses to renew the token.
    #[error("The sign-in at {provider} has ended: {reason}")]
    Ended {
        /// Host of the provider.
        provider: String,
        /// Reason that the provider gives.
        reason: String,
    },
    /// The provider can't be reached, or not by a trusted connection.
    #[error("The provider {provider} can't be reached: {reason}")]
    Unreachable {
        /// Host of the provider.
        provider: String,
        /// Text that says why.
        reason: String,
    },
    /// An answer of the provider is no answer of OpenID Connect.
    #[error("The response of {provider} can't be used: {reason}")]
    BadAnswer {
        /// Host of the provider.
        provider: String,
        /// Text that says which answer, and what is wrong with it.
        reason: String,
    },
    /// An answer of the provider is larger than its limit.
    #[error("The response of {provider} is larger than {} KB and was not read completely", limit >> 10)]
    TooLarge {
        /// Host of the provider.
        provider: String,
        /// Limit in bytes.
        limit: u64,
    },
    /// The provider names another issuer than the connection.
    #[error("{provider} says that it is another issuer: {reason}")]
    OtherIssuer {
        /// Host of the provider.
        provider: String,
        /// Text that names both issuers.
        reason: String,
    },
    /// The provider refused the sign-in.
    #[error("{provider} refused the sign-in: {reason}")]
    Refused {
        /// Host of the provider.
        provider: String,
        /// Error and description that the provider gives.
        reason: String,
    },
    /// The token that the provider issued fails a check.
    #[error("The token of {provider} was refused: {reason}")]
    BadToken {
        /// Host of the provider.
        provider: String,
        /// Check that failed, in words.
        reason: String,
    },
    /// The clocks of the provider and of this machine differ by too much.
    #[error("The clock of {provider} is {} that of this machine, so its tokens can't be judged", ahead(*by))]
    ClockSkew {
        /// Host of the provider.
        provider: String,
        /// Provider's clock minus this machine's.
        by: TimeDelta,
    },
    /// The provider issued no token of the kind that is sent to the cluster.
    #[error("{provider} issued no {wanted}")]
    NoToken {
        /// Host of the provider.
        provider: String,
        /// Kind of token, such as `id_token`.
        wanted: &'static str,
    },
    /// The port of the redirect address is not free.
    #[error("Port {port} of this machine, to which the provider redirects, can't be used: {reason}")]
    PortTaken {
        /// The port.
        port: u16,
        /// Text of the operating system.
        reason: String,
    },
    /// Nobody finished the sign-in in time.
    #[error("Nobody signed in within {} minutes{}", after.as_secs().div_ceil(60), forged_words(*forged))]
    TimedOut {
        /// Time limit.
        after: Duration,
        /// Number of redirects with another state, which were refused.
        forged: usize,
    },
    /// The provider offers no sign-in by a code on another device.
    #[error("{provider} offers no sign-in by a device code")]
    NoDeviceFlow {
        /// Host of the provider.
        provider: String,
    },
    /// This machine's setup prevents the sign-in.
    #[error("The sign-in can't begin: {reason}")]
    Setup {
        /// Text that says what is wrong.
        reason: String,
    },
}

impl OpenIdError {
    /// Advice on what a person can do about the error.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::NotSignedIn { .. } | Self::Expired { .. } | Self::Ended { .. } => "Sign in again",
            Self::Unreachable { .. } => {
                "Check the issuer, the network and the proxy of the connection, and the CA file of the provider"
            }
            Self::BadAnswer { .. } | Self::TooLarge { .. } => {
                "Check the issuer: something else may respond at this address"
            }
            Self::OtherIssuer { .. } => "Enter the issuer exactly as the provider names it, if you trust it",
            Self::Refused { .. } => {
                "Check the client id, its redirect address, scopes and secret with the provider's administrator"
            }
            Self::BadToken { .. } => "Sign in again; if it happens again, tell the provider's administrator",
            Self::ClockSkew { .. } => "Set the clock that is wrong, and sign in again",
            Self::NoToken { .. } => "Choose the other token, or request other scopes",
            Self::PortTaken { .. } => {
                "Close the program that uses it, or choose another port and allow it at the provider"
            }
            Self::TimedOut { .. } => "Sign in again, and finish it in the newest page of the browser",
            Self::NoDeviceFlow { .. } => "Sign in with the browser",
            Self::Setup { .. } => "Check the settings of the connection",
        }
    }

    /// Returns `true` if only a person can help, by signing in again: no later try would succeed.
    pub fn needs_person(&self) -> bool {
        matches!(self, Self::NotSignedIn { .. } | Self::Expired { .. } | Self::Ended { .. })
    }
}

fn ahead(by: TimeDelta) -> String {
    let minutes = by.abs().as_millis() / 60_000;
    let direction = if by > TimeDelta::ZERO { "ahead of" } else { "behind" };
    format!("{minutes} minutes {direction}")
}

fn forged_words(forged: usize) -> String {
    match forged {
        0 => String::new(),
        1 => "; a response that belongs to another sign-in was refused".into(),
        many => format!("; {many} responses that belong to another sign-in were refused"),
    }
}
