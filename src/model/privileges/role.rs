//! Role of the cluster: its name, and its descriptor as the cluster sent it.

use serde_json::value::RawValue;

/// Role that a key can be made from. Elasticsearch takes no role names for a key, so the role's descriptor is sent.
#[derive(Clone, Debug)]
pub struct Role {
    /// Name of the role, unique in the cluster.
    pub name: String,
    /// Role descriptor, unchanged and with unknown fields.
    pub descriptor: Box<RawValue>,
    /// `true` if the role is built into Elasticsearch (`metadata._reserved`).
    pub reserved: bool,
}

/// Returns up to three names that resemble `wanted`, nearest first.
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
