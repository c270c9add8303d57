//! Search language of the list of keys: the meaning of a search, with every time already resolved.
//!
//! `owner:ana (expires:<30d or status:expired) -is:managed "my app"`

mod builtin_values;
mod complete;
mod glob;
mod lex;
mod parse;
mod reasons;
#[cfg(test)]
mod tests;
mod text;
mod time;

use std::ops::Range;

use super::{Millis, time::status::StatusGroup};

pub use complete::{Completion, Context, Suggestion, ValueOf, context, suggestions};
pub use glob::Glob;
pub use lex::{SpanKind, quoted, spans};
pub use parse::{MAX_QUERY_BYTES, parse, unclosed_quote};
pub use reasons::why_not_known;

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

/// Field with text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextField {
    /// Name of the key.
    Name,
    /// Id of the key.
    Id,
    /// Application id.
    App,
    /// Name of the owner.
    Owner,
    /// Realm of the owner.
    Realm,
    /// Name of a role.
    Role,
    /// Product that manages the key.
    Managed,
}

/// Field with a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeField {
    /// Time of expiration.
    Expires,
    /// Time of creation.
    Created,
    /// Time of invalidation.
    Invalidated,
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
    /// Range of moments, from inclusive to exclusive; `Millis::MIN` and `Millis::MAX` are open ends.
    Within {
        /// First moment, inclusive.
        from: Millis,
        /// End of the range, exclusive.
        until: Millis,
    },
    /// Missing moment: no expiration, or not invalidated.
    Never,
}

impl TimeMatch {
    /// `true` if a moment, or its absence (`None`), meets the condition.
    pub fn holds(self, at: Option<Millis>) -> bool {
        match (self, at) {
            (Self::Within { from, until }, Some(at)) => from <= at && (at < until || until == Millis::MAX),
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
        parse::TRAITS.iter().find(|(_, own, _)| *own == self).map_or("", |(word, ..)| word)
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

/// Field as it can be typed before a colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// Text field: `name:`, `owner:` …
    Text(TextField),
    /// Field with a moment: `expires:`, `created:`, `invalidated:`.
    Time(TimeField),
    /// Type of the key: `type:`.
    Type,
    /// Status of the key: `status:`.
    Status,
    /// Privileges of the key: `can:`.
    Can,
    /// Indices of the privileges: `on:`.
    On,
    /// Facts about the key: `is:`.
    Is,
    /// Path in the metadata: `meta.team:`, `meta.labels.team:`.
    Meta(Vec<String>),
}

impl Field {
    /// Returns the field with a name or an alias, without the colon and in any case; `None` if there is none.
    pub fn named(name: &str) -> Option<Self> {
        if let Some((head, path)) = name.split_once('.') {
            let is_meta = ["meta", "metadata"].iter().any(|word| head.eq_ignore_ascii_case(word));
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            return (is_meta && path.iter().all(|key| !key.is_empty())).then_some(Self::Meta(path));
        }
        let row = ROWS.iter().find(|row| row.names().any(|own| own.eq_ignore_ascii_case(name)))?;
        Some(row.field.clone())
    }

    /// Returns the name without the colon: `owner`, `meta.labels.team`.
    pub fn name(&self) -> String {
        match (self, self.row()) {
            (Self::Meta(path), _) => format!("meta.{}", path.join(".")),
            (_, row) => row.name.to_owned(),
        }
    }

    fn row(&self) -> &'static FieldInfo {
        ROWS.iter().find(|row| row.field == *self).unwrap_or(&META)
    }

    /// `true` if a key can lack the field, so that the value `none` means a missing field.
    fn may_be_missing(&self) -> bool {
        matches!(self, Self::Text(TextField::App | TextField::Role | TextField::Managed) | Self::Meta(_))
    }
}

/// Names and help text of a field, listed in the order in which fields are offered.
struct FieldInfo {
    field: Field,
    name: &'static str,
    aliases: &'static [&'static str],
    example: &'static str,
    meaning: &'static str,
}

impl FieldInfo {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

const fn row(
    field: Field,
    name: &'static str,
    aliases: &'static [&'static str],
    example: &'static str,
    meaning: &'static str,
) -> FieldInfo {
    FieldInfo { field, name, aliases, example, meaning }
}

static ROWS: [FieldInfo; 15] = [
    row(
        Field::Status,
        "status",
        &[],
        "status:valid",
        "valid, expired or invalidated; of the valid: within-7d, within-30d, later, never",
    ),
    row(
        Field::Time(TimeField::Expires),
        "expires",
        &["expiration"],
        "expires:<30d",
        "ends within 30 days; also within-7d, >90d, 7d..30d, 2w, 1y, a date, never; invalidated keys are left out",
    ),
    row(
        Field::Text(TextField::Owner),
        "owner",
        &["username", "user"],
        "owner:ana,boris",
        "belongs to one of these users",
    ),
    row(Field::Text(TextField::Name), "name", &[], "name:backup", "name contains this; prod-* is the whole name"),
    row(
        Field::Text(TextField::App),
        "app",
        &["application_id", "application"],
        "app:billing",
        "application id contains this; none has no application id",
    ),
    row(Field::Text(TextField::Role), "role", &["roles"], "role:reader", "made from this role; none has no role"),
    row(
        Field::Time(TimeField::Created),
        "created",
        &["creation"],
        "created:<7d",
        "created less than 7 days ago; also >1y, 2026-01, 2026-01-01..2026-02-01",
    ),
    row(
        Field::Can,
        "can",
        &[],
        "can:write",
        "may do this, by its descriptors and its owner's snapshot: on the cluster, or on some index",
    ),
    row(Field::On, "on", &[], "on:logs-*", "has rights on any of these indices; on:=logs-* on all of them"),
    row(
        Field::Is,
        "is",
        &[],
        "is:unrestricted",
        "unrestricted, empty, administrator, every-index, runs-as, managed, cross-cluster, ended or mine",
    ),
    row(
        Field::Type,
        "type",
        &["kind"],
        "type:cross-cluster",
        "rest or cross-cluster; another type in quotes: type:\"odd\"",
    ),
    row(Field::Text(TextField::Managed), "managed", &[], "managed:none", "managed by this product; none by nobody"),
    row(
        Field::Text(TextField::Realm),
        "realm",
        &[],
        "realm:default_native",
        "the owner's realm; *native* is any whose name contains it",
    ),
    row(Field::Text(TextField::Id), "id", &[], "id:VuaCfGcBCdbkQm-e5aOx", "exactly this id"),
    row(
        Field::Time(TimeField::Invalidated),
        "invalidated",
        &[],
        "invalidated:<7d",
        "taken away in the last 7 days; also a date, never",
    ),
];

static META: FieldInfo = row(
    Field::Meta(Vec::new()),
    "meta.",
    &["metadata."],
    "meta.labels.team:payments",
    "value in the metadata; none is missing, * is present",
);

/// Returns an example and its meaning for each field, then for each operator between the terms.
pub fn help() -> Vec<(&'static str, &'static str)> {
    let signs = [
        ("can:write on:logs-app-1", "may write to this index, as the cluster itself answers"),
        ("can:cluster:manage", "for a word that is both, on the cluster; can:index:manage on some index"),
        ("can:indices:data/read/*", "an action or a pattern over actions"),
        ("can:write?", "it is not known if it may: rights are told since 8.5, and to who may see them"),
        ("is:administrator?", "the same for is:unrestricted, empty, administrator, every-index and runs-as"),
        ("backup", "occurs in name, id, application id, owner, roles or metadata"),
        ("prod-*-key", "* is any text, ? any one character"),
        ("\"my key\"", "quotes keep blanks and signs as they are; \\\" is a quote"),
        ("owner:ana app:billing", "both; also with AND between them"),
        ("owner:ana or app:billing", "either"),
        ("-status:expired", "all others; also NOT status:expired"),
        ("(a or b) -(c d)", "parentheses group"),
    ];
    ROWS.iter().chain([&META]).map(|row| (row.example, row.meaning)).chain(signs).collect()
}
