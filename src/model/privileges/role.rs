//! A role of the cluster: its name, and its descriptor as the cluster sent it.

use serde_json::value::RawValue;

/// A role that a key can be made from. Elasticsearch takes no role names for a key, so the
/// descriptor is what travels.
#[derive(Clone, Debug)]
pub struct Role {
    /// Unique in the cluster.
    pub name: String,
    /// Unchanged, unknown fields included.
    pub descriptor: Box<RawValue>,
    /// Whether Elasticsearch brings it along (`metadata._reserved`).
    pub reserved: bool,
}

/// Up to three names that look like `wanted`, nearest first.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut ranked: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = strsim::damerau_levenshtein(&wanted, &lower);
            let contained = !wanted.is_empty() && (lower.contains(&wanted) || wanted.contains(&lower));
            let limit = wanted.chars().count().max(3) / 2;
            (contained || distance <= limit).then_some((if contained { distance.min(1) } else { distance }, name))
        })
        .collect();
    ranked.sort();
    ranked.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_role() {
        let names = ["reader", "writer", "superuser", "monitoring_user"];
        assert_eq!(nearest("raeder", names), ["reader"]);
        assert_eq!(nearest("monitoring", names), ["monitoring_user"]);
        assert_eq!(nearest("Reader", names), ["reader"]);
        assert!(nearest("zzzzzz", names).is_empty());
    }
}
