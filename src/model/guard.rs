//! Keys that are not invalidated together with others unless that is confirmed for them, and the signs by which a key
//! claims that a product made it.

use super::api_key::ApiKey;

/// Prefix that Kibana gives the names of the keys of its alerting rules; before 8.x they carry no metadata that would
/// say so.
const KIBANA_RULE: &str = "Alerting: ";

/// Realm of service accounts such as `elastic/fleet-server`, by which products sign in (as seen on 9.5.3).
const SERVICE_ACCOUNTS: &str = "_service_account";

/// Realm of the users built into Elasticsearch.
const RESERVED: &str = "reserved";

/// Built-in users that are reserved for products; `elastic` is for people.
const RESERVED_FOR_PRODUCTS: [&str; 6] =
    ["apm_system", "beats_system", "kibana", "kibana_system", "logstash_system", "remote_monitoring_user"];

/// Reason why a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Guard {
    /// Key that the session is signed in by.
    OwnKey,
    /// Key that claims to be made by a product, which would depend on it.
    Managed,
}

impl Guard {
    /// Returns the reason as a clause, without a full stop.
    pub fn reason(self) -> &'static str {
        match self {
            Self::OwnKey => "you are signed in with it, and including it was not confirmed",
            Self::Managed => "it claims that a product created it, and including it was not confirmed",
        }
    }
}

/// Returns the product that a key claims to be made by: the one in its metadata (`managed_by`) or, without it, Kibana
/// where the name begins like those of its rules. Whoever makes a key chooses both, so neither is proof.
pub fn product<'a>(name: &str, managed_by: Option<&'a str>) -> Option<&'a str> {
    managed_by.or_else(|| name.starts_with(KIBANA_RULE).then_some("kibana, by its name"))
}

/// Returns [`product`] of a key.
pub fn product_of(key: &ApiKey) -> Option<&str> {
    product(&key.name, key.managed_by())
}

/// `true` if an owner is a service account or a user reserved for products; `false` for everybody else, who may still
/// be a product with a user of its own.
pub fn is_owned_by_product(username: &str, realm: &str) -> bool {
    realm == SERVICE_ACCOUNTS || realm == RESERVED && RESERVED_FOR_PRODUCTS.contains(&username)
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

    #[test]
    fn a_person_is_no_product_whatever_their_keys_say() {
        assert!(is_owned_by_product("elastic/fleet-server", "_service_account"));
        assert!(is_owned_by_product("kibana_system", "reserved"));
        for (username, realm) in [("elastic", "reserved"), ("kibana_system", "native1"), ("olga", "native1")] {
            assert!(!is_owned_by_product(username, realm), "{username} of {realm}");
        }
    }
}
