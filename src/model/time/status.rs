//! Status of a key by its expiration, and the groups of statuses that lists, searches and counts share.

use crate::model::{
    TimeDelta, Timestamp,
    time::expiry::{EXPIRING, EXPIRING_SOON},
};

/// Status of a key at a point in time, in the order of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Expired key; Elasticsearch refuses it with 401.
    Expired,
    /// Valid key that expires within 7 days, inclusive.
    Expiring,
    /// Valid key that expires within 30 days, inclusive, but not within 7.
    ExpiringSoon,
    /// Valid key that expires in more than 30 days.
    Active,
    /// Valid key that never expires.
    Never,
    /// Invalidated key, whatever its expiration; an invalidation can't be undone.
    Invalidated,
}

impl Status {
    /// All statuses, in the order of urgency.
    pub const ALL: [Status; 6] =
        [Self::Expired, Self::Expiring, Self::ExpiringSoon, Self::Active, Self::Never, Self::Invalidated];

    /// Returns the index in [`Status::ALL`].
    pub fn place(self) -> usize {
        self as usize
    }

    /// Returns the status of a key at `now` from its expiration (`None` if it never expires) and whether it was
    /// invalidated.
    pub fn of(expires: Option<Timestamp>, invalidated: bool, now: Timestamp) -> Self {
        match expires {
            _ if invalidated => Self::Invalidated,
            None => Self::Never,
            Some(at) => match at - now {
                left if left <= TimeDelta::ZERO => Self::Expired,
                left if left <= EXPIRING => Self::Expiring,
                left if left <= EXPIRING_SOON => Self::ExpiringSoon,
                _ => Self::Active,
            },
        }
    }

    /// Returns `true` if a client can sign in with the key.
    pub fn is_usable(self) -> bool {
        !matches!(self, Self::Expired | Self::Invalidated)
    }

    /// Returns the label shown beside the status mark: the state of the key, and its expiration where that adds
    /// something.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Expiring => "valid, expires within 7 days",
            Self::ExpiringSoon => "valid, expires within 30 days",
            Self::Active => "valid, expires later",
            Self::Never => "valid, never expires",
            Self::Invalidated => "invalidated",
        }
    }

    /// Returns the state of the key in one word, for a column of a table or of a file: `valid`, `expired` or
    /// `invalidated`.
    pub fn machine_word(self) -> &'static str {
        match self {
            Self::Expired => StatusGroup::Expired.word(),
            Self::Invalidated => StatusGroup::Invalidated.word(),
            Self::Expiring | Self::ExpiringSoon | Self::Active | Self::Never => StatusGroup::Valid.word(),
        }
    }
}

/// Group of keys by status, with the same name everywhere: in searches, options, tables, files, metrics and the window.
///
/// There are two scales. The first is the state of a key: valid, expired or invalidated, each key exactly one of them.
/// The second is the expiration of a valid key: within 7 days, within 30 days (including those within 7 days), later,
/// or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusGroup {
    /// Keys neither expired nor invalidated: a client can sign in with them.
    Valid,
    /// Valid keys that expire in 7 days or less.
    Within7Days,
    /// Valid keys that expire in 30 days or less, including those of 7 days.
    Within30Days,
    /// Valid keys that expire in more than 30 days.
    Later,
    /// Valid keys that never expire.
    Never,
    /// Expired keys that were not invalidated.
    Expired,
    /// Invalidated keys, whatever their expiration.
    Invalidated,
}

impl StatusGroup {
    /// All groups, in the order of the filter chips.
    pub const ALL: [Self; 7] = [
        Self::Valid,
        Self::Within7Days,
        Self::Within30Days,
        Self::Later,
        Self::Never,
        Self::Expired,
        Self::Invalidated,
    ];

    /// Names from earlier versions that are still accepted, with the group of each.
    pub const ALIASES: [(&'static str, Self); 4] = [
        ("active", Self::Valid),
        ("expiring", Self::Within7Days),
        ("soon", Self::Within30Days),
        ("expiring-soon", Self::Within30Days),
    ];

    /// Returns the name used in searches, options, files and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Within7Days => "within-7d",
            Self::Within30Days => "within-30d",
            Self::Later => "later",
            Self::Never => "never",
            Self::Expired => "expired",
            Self::Invalidated => "invalidated",
        }
    }

    /// Returns the label of the group's filter chip and of its figure.
    pub fn label(self) -> &'static str {
        match self {
            Self::Valid => "Valid",
            Self::Within7Days => "Within 7 days",
            Self::Within30Days => "Within 30 days",
            Self::Later => "Later",
            Self::Never => "Never expires",
            Self::Expired => "Expired",
            Self::Invalidated => "Invalidated",
        }
    }

    /// Returns the predicate of a sentence about a key of this group, such as "is valid and expires within 30 days".
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Valid => "can be used",
            Self::Within7Days => "is valid and expires within 7 days",
            Self::Within30Days => "is valid and expires within 30 days",
            Self::Later => "is valid and expires in more than 30 days",
            Self::Never => "is valid and never expires",
            Self::Expired => "has expired",
            Self::Invalidated => "was invalidated",
        }
    }

    /// Returns the group with this name or alias; `_` is read as `-`, and case is ignored. `None` if there is none.
    pub fn named(word: &str) -> Option<Self> {
        let word = word.to_lowercase().replace('_', "-");
        let own = Self::ALL.into_iter().find(|group| group.word() == word);
        own.or_else(|| Self::ALIASES.into_iter().find(|(alias, _)| *alias == word).map(|(_, group)| group))
    }

    /// Returns `true` if a key of this status belongs to the group.
    pub fn has(self, status: Status) -> bool {
        match self {
            Self::Valid => status.is_usable(),
            Self::Within7Days => status == Status::Expiring,
            Self::Within30Days => matches!(status, Status::Expiring | Status::ExpiringSoon),
            Self::Later => status == Status::Active,
            Self::Never => status == Status::Never,
            Self::Expired => status == Status::Expired,
            Self::Invalidated => status == Status::Invalidated,
        }
    }

    /// Returns the status whose mark and color stand for the group.
    pub fn mark(self) -> Status {
        match self {
            Self::Valid | Self::Later => Status::Active,
            Self::Within7Days => Status::Expiring,
            Self::Within30Days => Status::ExpiringSoon,
            Self::Never => Status::Never,
            Self::Expired => Status::Expired,
            Self::Invalidated => Status::Invalidated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_says_the_state_and_the_end_where_it_adds_something() {
        let labels = [
            (Status::Expired, "expired"),
            (Status::Expiring, "valid, expires within 7 days"),
            (Status::ExpiringSoon, "valid, expires within 30 days"),
            (Status::Active, "valid, expires later"),
            (Status::Never, "valid, never expires"),
            (Status::Invalidated, "invalidated"),
        ];
        for (status, label) in labels {
            assert_eq!(status.word(), label);
        }
    }

    #[test]
    fn a_group_has_its_name_and_those_of_earlier_versions() {
        for group in StatusGroup::ALL {
            assert_eq!(StatusGroup::named(group.word()), Some(group));
            assert_eq!(StatusGroup::named(&group.word().to_uppercase().replace('-', "_")), Some(group));
        }
        for (alias, group) in StatusGroup::ALIASES {
            assert_eq!(StatusGroup::named(alias), Some(group), "{alias}");
        }
        assert_eq!(StatusGroup::named("sooner"), None);
    }
}
