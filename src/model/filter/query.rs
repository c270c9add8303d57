//! Meaning of a search.

use std::ops::Range;

use super::{Glob, TextField, TimeField};
use crate::model::{Timestamp, time::status::StatusGroup};

/// Parsed search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Condition that keys must meet.
    pub expr: Expr,
}

/// Condition on keys: terms, joined or negated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expr {
    /// No condition: all keys match.
    #[default]
    All,
    /// Conjunction: all parts must match; at least two.
    And(Vec<Expr>),
    /// Disjunction: any part must match; at least two.
    Or(Vec<Expr>),
    /// Negation: keys that don't match the inner condition.
    Not(Box<Expr>),
    /// Single condition.
    Term(Term),
}

/// Single condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// Text in name, id, application id, owner, roles or metadata.
    Free(Free),
    /// Field that matches any of these; of several roles, one is enough.
    Field(TextField, Vec<TextMatch>),
    /// Value at this path of the metadata (keys as typed, outermost first) that matches any of these.
    Meta(Vec<String>, Vec<TextMatch>),
    /// Moment that lies within a range, or that doesn't exist.
    Time(TimeField, TimeMatch),
    /// Status that belongs to any of these groups.
    Status(Vec<StatusGroup>),
    /// Type that is any of these, as on the wire: `rest`, `cross_cluster`, or another in lower case.
    Kind(Vec<String>),
    /// Privileges that the key must have.
    Grant(Grant),
    /// Fact that has a keyword of its own, such as `is:managed`.
    Is(Trait),
    /// Fact of which it is not known whether it is true (`is:administrator?`).
    NotKnown(Trait),
}

/// Text that must occur; never [`TextMatch::Missing`], and never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Free(pub TextMatch);

/// Privileges, and the indices on which they are required: one of each inner list, for every list.
///
/// `can:write,delete on:logs-1` is `[[write, delete]]` and `[[logs-1]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Privileges; an empty list stands for any privilege at all.
    pub can: Vec<Vec<Privilege>>,
    /// Indices; an empty list stands for the cluster, or for any index.
    pub on: Vec<Vec<OnIndex>>,
    /// `true` to find the keys for which the rest is not known (`can:write?`).
    pub not_known: bool,
}

/// Privilege that a search asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privilege {
    /// Name of a privilege, or a pattern over actions, in lower case.
    pub name: String,
    /// `true` if it is asked for as a cluster privilege.
    pub cluster: bool,
    /// `true` if it is asked for as an index privilege.
    pub index: bool,
}

/// Index name or pattern on which a privilege is required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnIndex {
    /// Name or pattern, as typed.
    pub name: String,
    /// `true` if the privilege is required on all that the pattern can match, `false` if on any of it.
    pub all_of_it: bool,
}

/// Comparison of a text, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextMatch {
    /// Missing field.
    Missing,
    /// Whole text; an id is the only text that is compared as typed, without a change of case.
    Equals(String),
    /// Part of the text.
    Contains(String),
    /// Pattern for the whole text; `*` is any text that is not missing.
    Glob(Glob),
}

impl TextMatch {
    /// `true` if a text matches; never for [`TextMatch::Missing`]. The text must be in lower case, except an id
    /// compared with `Equals`.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Missing => false,
            Self::Equals(whole) => whole == text,
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Glob(glob) => glob.matches(text),
        }
    }
}

/// Condition on a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeMatch {
    /// Range of moments, from inclusive to exclusive; `Timestamp::MIN` and `Timestamp::MAX` are open ends.
    Within {
        /// First moment, inclusive.
        from: Timestamp,
        /// End of the range, exclusive.
        until: Timestamp,
    },
    /// Missing moment: no expiration, or not invalidated.
    Never,
}

impl TimeMatch {
    /// `true` if a moment, or its absence (`None`), meets the condition.
    pub fn holds(self, at: Option<Timestamp>) -> bool {
        match (self, at) {
            (Self::Within { from, until }, Some(at)) => from <= at && (at < until || until == Timestamp::MAX),
            (Self::Never, None) => true,
            _ => false,
        }
    }
}

/// Fact that has a keyword of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trait {
    /// Created without role descriptors: the key may do all that its owner could.
    Unrestricted,
    /// Key that may do nothing.
    Empty,
    /// Key that claims to be made by a product.
    Managed,
    /// Key that claims to be made by a product, though its owner is neither a service account nor a user reserved for
    /// products.
    SaysManaged,
    /// Key for another cluster.
    CrossCluster,
    /// Expired or invalidated.
    Ended,
    /// Key of the user who asks.
    Mine,
    /// Key that may change the cluster or its security.
    Administrator,
    /// Key that reaches the contents of every index.
    EveryIndex,
    /// Key that may act for other users.
    RunsAs,
}

impl Trait {
    /// Facts that call for a review of a key, whoever owns it.
    pub const FINDINGS: [Self; 5] =
        [Self::Unrestricted, Self::Administrator, Self::EveryIndex, Self::RunsAs, Self::SaysManaged];

    /// `true` if the fact depends on privileges, so that it may not be known.
    pub fn is_of_rights(self) -> bool {
        self == Self::Empty || self != Self::SaysManaged && Self::FINDINGS.contains(&self)
    }

    /// Returns the keyword of the fact in a search, after `is:`.
    pub fn word(self) -> &'static str {
        TRAITS.iter().find(|(_, own, _)| *own == self).map_or("", |(word, ..)| word)
    }
}

/// Error in a search, with its position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// Range of the error in the search, in bytes.
    pub span: Range<usize>,
    /// Message: the problem and the possible corrections.
    pub message: String,
}

/// Keyword, the value it stands for and its meaning.
pub(super) type Named<T> = (&'static str, T, &'static str);

/// All facts with their keywords.
pub(super) const TRAITS: [Named<Trait>; 10] = [
    ("unrestricted", Trait::Unrestricted, "can do everything its owner can"),
    ("empty", Trait::Empty, "grants nothing"),
    ("managed", Trait::Managed, "claims that a product created it"),
    ("says-managed", Trait::SaysManaged, "claims so, but belongs to a person"),
    ("cross-cluster", Trait::CrossCluster, "for another cluster"),
    ("ended", Trait::Ended, "expired or invalidated"),
    ("mine", Trait::Mine, "belongs to me"),
    ("administrator", Trait::Administrator, "can change the cluster or its security"),
    ("every-index", Trait::EveryIndex, "can access every index"),
    ("runs-as", Trait::RunsAs, "can act for other users"),
];
