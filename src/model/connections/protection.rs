//! Protection of a cluster against changes through a connection.

use super::profile::Environment;

/// Protection of a cluster against changes through a connection. The client enforces it: a request that isn't certain
/// to be a read is not sent against it, whatever asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub enum Protection {
    /// Changes are sent.
    #[default]
    None,
    /// A change is sent only after the name of the connection was typed for it.
    Name,
    /// No change is sent.
    ReadOnly,
}

impl Protection {
    /// All kinds of protection, from the weakest to the strongest.
    pub const ALL: [Self; 3] = [Self::None, Self::Name, Self::ReadOnly];

    /// Returns the protection of a connection that doesn't specify one: production asks for the name.
    pub fn default_for(environment: Environment) -> Self {
        match environment {
            Environment::Production => Self::Name,
            Environment::Staging | Environment::Development | Environment::Sandbox => Self::None,
        }
    }

    /// Returns the label of the choice.
    pub fn label(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Name => "Type the name",
            Self::ReadOnly => "Read-only",
        }
    }
}

/// Returns `true` if the typed text confirms a change through the connection with this name. Blanks around it don't
/// count; everything else does, also capitals.
pub fn confirms(name: &str, typed: &str) -> bool {
    let typed = typed.trim();
    !typed.is_empty() && typed == name.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_name_confirms() {
        for (name, typed, expected) in [
            ("prod-eu", "prod-eu", true),
            ("prod-eu", " prod-eu\n", true),
            ("prod-eu ", "prod-eu", true),
            ("prod-eu", "prod", false),
            ("prod-eu", "PROD-EU", false),
            ("prod-eu", "", false),
            ("", "", false),
            (" ", " ", false),
        ] {
            assert_eq!(confirms(name, typed), expected, "{name:?} {typed:?}");
        }
    }

    #[test]
    fn production_alone_is_protected_by_default() {
        assert_eq!(Protection::default_for(Environment::Production), Protection::Name);
        for other in [Environment::Staging, Environment::Development, Environment::Sandbox] {
            assert_eq!(Protection::default_for(other), Protection::None);
        }
    }
}
