//! Connection profiles: a cluster with a name and the environment that it belongs to.

use super::{endpoint::Endpoint, login::Login, open_id::SignInId};

/// Environment of a cluster, shown by shape first and by color second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// Production: mistakes here do harm.
    Production,
    /// Staging: rehearsal for production.
    Staging,
    /// Development.
    Development,
    /// Sandbox: the built-in practice cluster, in memory.
    Sandbox,
}

impl Environment {
    /// Environments that a person can choose, without the sandbox.
    pub const CHOICES: [Environment; 3] = [Self::Production, Self::Staging, Self::Development];

    /// Returns the label shown on the environment's chip.
    pub fn word(self) -> &'static str {
        match self {
            Self::Production => "Production",
            Self::Staging => "Staging",
            Self::Development => "Development",
            Self::Sandbox => "Sandbox",
        }
    }
}

/// Id of a profile, which stays the same when the profile is renamed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileId(pub String);

/// Named connection to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Id, which never changes during the life of the profile.
    pub id: ProfileId,
    /// Name as free text, unique among the profiles.
    pub name: String,
    /// Environment of the cluster.
    pub environment: Environment,
    /// Address, trust and credential of the cluster.
    pub endpoint: Endpoint,
}

impl Profile {
    /// Returns the profile as it is saved: without a credential that is asked for each time.
    pub fn as_saved(&self) -> Self {
        Self { endpoint: self.endpoint.as_saved(), ..self.clone() }
    }

    /// Returns the profile under another id, with a sign-in of its own.
    pub fn with_id(mut self, id: ProfileId) -> Self {
        if let Login::OpenId(login) = &mut self.endpoint.login {
            login.sign_in = SignInId::of(&id);
        }
        Self { id, ..self }
    }
}
