//! Keys that are not taken away together with others unless an extra word is said for them.

use super::api_key::ApiKey;

/// How Kibana names the keys of its alerting rules; before 8.x they carry no metadata that would say so.
const KIBANA_RULE: &str = "Alerting: ";

/// Why a key is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// The session is signed in by it.
    OwnKey,
    /// A product made it for itself and would miss it.
    Managed,
}

impl Guard {
    /// Why it was left alone, in words.
    pub fn reason(self) -> &'static str {
        match self {
            Self::OwnKey => "you are signed in by it, and the extra word for it was not said",
            Self::Managed => "another product made it for itself, and the extra word for it was not said",
        }
    }
}

/// The product that made a key for itself, by what the metadata says (`managed_by`) or, where it says
/// nothing, by the name that Kibana gives the keys of its rules.
pub fn product<'a>(name: &str, managed_by: Option<&'a str>) -> Option<&'a str> {
    managed_by.or_else(|| name.starts_with(KIBANA_RULE).then_some("kibana, by its name"))
}

/// [`product`] of a key.
pub fn product_of(key: &ApiKey) -> Option<&str> {
    product(&key.name, key.managed_by())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_says_who_made_a_key_and_where_it_is_silent_the_name_of_a_rule_does() {
        assert_eq!(product("Alerting: siem.queryRule/x", Some("fleet")), Some("fleet"));
        assert_eq!(product("Alerting: siem.queryRule/x", None), Some("kibana, by its name"));
        assert_eq!(product("my Alerting: key", None), None);
    }
}
