//! A connection profile: a cluster with a name and the environment it belongs to.

use super::endpoint::Endpoint;

/// What a cluster is for; told by form before colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    /// A slip here hurts people.
    Production,
    /// The dress rehearsal.
    Staging,
    /// Anything goes.
    Development,
    /// The embedded practice cluster, in memory.
    Sandbox,
}

impl Environment {
    /// Those that a person can choose.
    pub const CHOICES: [Environment; 3] = [Self::Production, Self::Staging, Self::Development];

    /// The word on the chip.
    pub fn word(self) -> &'static str {
        match self {
            Self::Production => "Production",
            Self::Staging => "Staging",
            Self::Development => "Development",
            Self::Sandbox => "Sandbox",
        }
    }
}

/// Tells profiles apart; stays when a profile is renamed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileId(pub String);

/// A named connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Stays the same for the life of the profile.
    pub id: ProfileId,
    /// Free text, unique among the profiles.
    pub name: String,
    /// What the cluster is for.
    pub environment: Environment,
    /// How it is reached.
    pub endpoint: Endpoint,
}
