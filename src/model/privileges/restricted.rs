//! Names of restricted indices (the system's own), which a grant reaches only if it allows restricted indices. The full
//! list depends on the modules of the cluster, which does not publish it; so a name with a leading dot is surely
//! restricted, surely not, or not known.

/// Restricted names on every cluster with security, alone or with a dash and a number behind (as seen on 9.5.3 and
/// 8.19.21).
const RESTRICTED: &[&str] = &[".security", ".security-tokens", ".security-profile"];

/// Patterns of names with a leading dot that no module reserves: data streams' backing indices, and indices that are
/// only hidden.
const UNRESTRICTED: &[&str] = &[
    ".ds-logs-*",
    ".ds-metrics-*",
    ".ds-traces-*",
    ".fs-logs-*",
    ".fs-metrics-*",
    ".alerts-*",
    ".internal.alerts-*",
    ".monitoring-es-*",
    ".monitoring-kibana-*",
    ".ml-anomalies-*",
    ".ml-notifications-*",
    ".siem-signals-*",
    ".lists-*",
    ".items-*",
];

/// Returns patterns of names with a leading dot that are surely not restricted.
pub fn unrestricted_names() -> &'static [&'static str] {
    UNRESTRICTED
}

/// Returns whether a concrete name is restricted; `None` if it is not known.
pub fn is_restricted(name: &str) -> Option<bool> {
    if !name.starts_with('.') || UNRESTRICTED.iter().any(|pattern| super::glob(pattern, name)) {
        return Some(false);
    }
    let has_number = |rest: &str| {
        rest.strip_prefix('-').is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let fits = |own: &str| name.strip_prefix(own).is_some_and(|rest| rest.is_empty() || has_number(rest));
    RESTRICTED.iter().any(|own| fits(own)).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_restricted_surely_surely_not_or_it_is_not_known() {
        for (name, answer) in [
            ("logs", Some(false)),
            (".security-7", Some(true)),
            (".ds-logs-app-default-2026.01.01-000001", Some(false)),
            (".kibana_1", None),
            (".x", None),
        ] {
            assert_eq!(is_restricted(name), answer, "{name}");
        }
    }
}
