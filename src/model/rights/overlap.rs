//! Privileges that two privileges have in common, by name. Privileges are sets of actions; where neither contains the
//! other, both may contain single actions that no name stands for.

use crate::model::privileges::{Area, CLUSTER, INDICES, Versions, have_common_action, implies, index_implies};

/// Kind of a privilege, by what it applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Cluster privilege.
    Cluster,
    /// Index privilege.
    Index,
    /// Privilege on a remote cluster.
    RemoteCluster,
    /// Privilege of an application, which defines what the privilege contains.
    Application,
}

/// Common part of two privileges.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shared {
    /// Privileges that both contain.
    pub names: Vec<String>,
    /// `true` if both may also contain single actions that no name stands for.
    pub may_be_more: bool,
}

impl Kind {
    /// Returns `true` if holding one privilege means holding the other, on every supported version.
    pub fn contains(self, held: &str, wanted: &str) -> bool {
        match self {
            Self::Cluster => implies(Area::Cluster, &[held], wanted, Versions::All) == Some(true),
            Self::Index => index_implies(&[&[held.to_owned()]], wanted, Versions::All) == Some(true),
            Self::RemoteCluster => held.eq_ignore_ascii_case(wanted),
            // Patterns of an application mean its actions, which only the application knows.
            Self::Application => held == wanted || held == "*",
        }
    }

    /// Returns `true` if two privileges surely have no action in common.
    pub fn are_apart(self, one: &str, other: &str) -> bool {
        match self {
            Self::RemoteCluster => !one.eq_ignore_ascii_case(other),
            // Their names say nothing about what is in them.
            Self::Application => false,
            Self::Cluster => have_common_action(Area::Cluster, &[one], &[other], Versions::All) == Some(false),
            Self::Index => have_common_action(Area::Index, &[one], &[other], Versions::All) == Some(false),
        }
    }

    /// Returns what two privileges have in common.
    pub fn shared(self, one: &str, other: &str) -> Shared {
        let named = |names: Vec<String>| Shared { names, may_be_more: false };
        if self.contains(one, other) {
            return named(vec![other.to_owned()]);
        }
        if self.contains(other, one) {
            return named(vec![one.to_owned()]);
        }
        if self.are_apart(one, other) {
            return Shared::default();
        }
        let known: &[&str] = match self {
            Self::Cluster => CLUSTER,
            Self::Index => INDICES,
            Self::RemoteCluster | Self::Application => &[],
        };
        let in_both = |name: &&&str| !is_empty(name) && self.contains(one, name) && self.contains(other, name);
        let both: Vec<&str> = known.iter().filter(in_both).copied().collect();
        let is_greatest = |name: &&str| {
            both.iter().all(|wider| wider == name || !self.contains(wider, name) || self.contains(name, wider))
        };
        let names = both.iter().filter(|name| is_greatest(name)).map(|name| (*name).to_owned()).collect();
        Shared { names, may_be_more: true }
    }
}

/// Returns `true` for privileges without any action that could be shared; whoever holds nearly anything holds them (as
/// seen on 9.5.3).
pub(super) fn is_empty(name: &str) -> bool {
    matches!(name, "none" | "manage_data_stream_global_retention" | "monitor_data_stream_global_retention")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(kind: Kind, one: &str, other: &str) -> (String, bool) {
        let shared = kind.shared(one, other);
        assert_eq!(shared, kind.shared(other, one), "{one} {other}");
        (shared.names.join(" "), shared.may_be_more)
    }

    #[test]
    fn the_narrower_privilege_is_what_two_have_in_common() {
        for (kind, one, other, both) in [
            (Kind::Cluster, "all", "monitor", "monitor"),
            (Kind::Cluster, "manage_security", "manage_own_api_key", "manage_own_api_key"),
            (Kind::Cluster, "all", "of_the_future", "of_the_future"),
            (Kind::Cluster, "cluster:monitor/*", "cluster:monitor/main", "cluster:monitor/main"),
            (Kind::Index, "write", "create_doc", "create_doc"),
            (Kind::Index, "read", "indices:data/read/search", "indices:data/read/search"),
            (Kind::Application, "*", "feature_discover.read", "feature_discover.read"),
            (Kind::RemoteCluster, "monitor_enrich", "monitor_enrich", "monitor_enrich"),
        ] {
            assert_eq!(names(kind, one, other), (both.into(), false), "{one} {other}");
        }
    }

    #[test]
    fn privileges_that_are_known_to_lie_apart_have_nothing_in_common() {
        for (kind, one, other) in [
            (Kind::Cluster, "monitor", "manage_own_api_key"),
            (Kind::Cluster, "read_pipeline", "read_ilm"),
            (Kind::Index, "read", "write"),
            (Kind::Index, "create_index", "read"),
            (Kind::RemoteCluster, "monitor_enrich", "monitor_stats"),
        ] {
            assert_eq!(names(kind, one, other), (String::new(), false), "{one} {other}");
        }
    }

    #[test]
    fn where_neither_contains_the_other_what_both_contain_is_named_and_more_is_not_denied() {
        assert_eq!(names(Kind::Cluster, "monitor", "manage_ml"), ("monitor_ml".into(), true));
        assert_eq!(names(Kind::Cluster, "manage", "manage_ccr"), (String::new(), true));
        assert_eq!(names(Kind::Index, "read", "view_index_metadata"), (String::new(), true));
        assert_eq!(names(Kind::Index, "delete", "index"), (String::new(), true));
        assert_eq!(names(Kind::Index, "read", "read_cross_cluster"), (String::new(), true));
        assert_eq!(names(Kind::Index, "read", "of_the_future"), (String::new(), true));
        assert_eq!(names(Kind::Index, "indices:*search", "read"), (String::new(), true));
        assert_eq!(names(Kind::Application, "read", "all"), (String::new(), true));
    }

    #[test]
    fn what_lies_apart_contains_nothing_of_each_other() {
        for (kind, known) in [(Kind::Cluster, CLUSTER), (Kind::Index, INDICES)] {
            for one in known {
                for other in known {
                    if kind.are_apart(one, other) {
                        let shared =
                            |name: &&&str| !is_empty(name) && kind.contains(one, name) && kind.contains(other, name);
                        assert_eq!(known.iter().find(shared), None, "{one} {other}");
                    }
                }
            }
        }
    }
}
