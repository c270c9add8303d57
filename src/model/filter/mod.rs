//! The search language of the list of keys: what a search means, with every time already resolved.
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

use super::{Millis, time::expiry::StatusGroup};

pub use complete::{Completion, Context, Suggestion, ValueOf, context, suggestions};
pub use glob::Glob;
pub use lex::{SpanKind, quoted, spans};
pub use parse::{MAX_QUERY_BYTES, parse, unclosed_quote};
pub use reasons::why_not_known;

/// A search that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Which keys are meant.
    pub expr: Expr,
}

/// Which keys are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Expr {
    /// All of them: nothing was asked for.
    #[default]
    All,
    /// Those that every part means; there are at least two.
    And(Vec<Expr>),
    /// Those that any part means; there are at least two.
    Or(Vec<Expr>),
    /// All others.
    Not(Box<Expr>),
    /// Those of which this is true.
    Term(Term),
}

/// A single condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Term {
    /// A text in name, id, application id, owner, roles or metadata.
    Free(Free),
    /// A field matches any of these; of several roles, one is enough.
    Field(TextField, Vec<TextMatch>),
    /// The value at this path of the metadata (keys as typed, outermost first) matches any of these.
    Meta(Vec<String>, Vec<TextMatch>),
    /// A moment lies within a range, or there is none.
    Time(TimeField, TimeMatch),
    /// The status is any of these.
    Status(Vec<StatusGroup>),
    /// The type is any of these, as on the wire: `rest`, `cross_cluster`, or another in lower case.
    Kind(Vec<String>),
    /// What the key may do.
    Grant(Grant),
    /// A fact that has a word of its own.
    Is(Trait),
    /// It is not known if the fact is true.
    NotKnown(Trait),
}

/// A text that must occur; never [`TextMatch::Missing`], and never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Free(pub TextMatch);

/// Privileges, and the indices for which they are wanted: any of each inner list, and that for every list.
///
/// `can:write,delete on:logs-1` is `[[write, delete]]` and `[[logs-1]]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// Privileges; none stands for any right at all.
    pub can: Vec<Vec<Privilege>>,
    /// Indices; none stands for the cluster, or for whichever index.
    pub on: Vec<Vec<OnIndex>>,
    /// `true` if those keys are meant of which the rest is not known (`can:write?`).
    pub not_known: bool,
}

/// A privilege that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privilege {
    /// Its name, or a pattern over actions, in lower case.
    pub name: String,
    /// `true` if it is asked of the cluster.
    pub cluster: bool,
    /// `true` if it is asked of indices.
    pub index: bool,
}

/// An index, or several, for which a right is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnIndex {
    /// A name or a pattern, as typed.
    pub name: String,
    /// `true` if the right must be there for all that the pattern can mean, and not for any of it.
    pub all_of_it: bool,
}

/// A field with text.
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
    /// The product that manages the key.
    Managed,
}

/// A field with a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeField {
    /// When the key ends.
    Expires,
    /// When it was created.
    Created,
    /// When it was taken away.
    Invalidated,
}

/// How a text is compared, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextMatch {
    /// The field is not there.
    Missing,
    /// The whole text; for an id the only one whose case counts, and which keeps it.
    Equals(String),
    /// A part of the text.
    Contains(String),
    /// The whole text by a pattern; `*` is any text that is there.
    Glob(Glob),
}

impl TextMatch {
    /// Whether a text that is there matches; it must be in lower case (an id for `Equals` must not).
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Missing => false,
            Self::Equals(whole) => whole == text,
            Self::Contains(part) => text.contains(part.as_str()),
            Self::Glob(glob) => glob.matches(text),
        }
    }
}

/// A condition on a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeMatch {
    /// From the one moment to just before the other; `Millis::MIN` and `Millis::MAX` are open ends.
    Within {
        /// The first moment.
        from: Millis,
        /// The first moment that is too late.
        until: Millis,
    },
    /// There is no such moment: no end, or not invalidated.
    Never,
}

impl TimeMatch {
    /// Whether it is true of a moment, or of there being none.
    pub fn holds(self, at: Option<Millis>) -> bool {
        match (self, at) {
            (Self::Within { from, until }, Some(at)) => from <= at && (at < until || until == Millis::MAX),
            (Self::Never, None) => true,
            _ => false,
        }
    }
}

/// A fact that has a word of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trait {
    /// Created without descriptors: it may do all that its owner might.
    Unrestricted,
    /// It may do nothing.
    Empty,
    /// It says of itself that a product made it.
    Managed,
    /// The same, and it belongs neither to a service account nor to a user reserved for products.
    SaysManaged,
    /// It is for another cluster.
    CrossCluster,
    /// Expired or invalidated.
    Ended,
    /// It belongs to who asks.
    Mine,
    /// It may change the cluster or its security.
    Administrator,
    /// It reaches what is in every index.
    EveryIndex,
    /// It may act for other users.
    RunsAs,
}

impl Trait {
    /// What asks for a second look at a key, whoever owns it.
    pub const FINDINGS: [Self; 5] =
        [Self::Unrestricted, Self::Administrator, Self::EveryIndex, Self::RunsAs, Self::SaysManaged];

    /// `true` if it is about rights, so that it may not be known.
    pub fn is_of_rights(self) -> bool {
        self == Self::Empty || self != Self::SaysManaged && Self::FINDINGS.contains(&self)
    }

    /// Its word in a search, after `is:`.
    pub fn word(self) -> &'static str {
        parse::TRAITS.iter().find(|(_, own, _)| *own == self).map_or("", |(word, ..)| word)
    }
}

/// Why a search can't be read, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FilterError {
    /// The bytes of the search that are meant.
    pub span: Range<usize>,
    /// What is wrong and what is possible.
    pub message: String,
}

/// A field as it can be typed before a colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `name:`, `owner:` …
    Text(TextField),
    /// `expires:`, `created:`, `invalidated:`
    Time(TimeField),
    /// `type:`
    Type,
    /// `status:`
    Status,
    /// `can:`
    Can,
    /// `on:`
    On,
    /// `is:`
    Is,
    /// `meta.team:`, `meta.labels.team:`
    Meta(Vec<String>),
}

impl Field {
    /// The field of a name or an alias, without the colon and in any case.
    pub fn named(name: &str) -> Option<Self> {
        if let Some((head, path)) = name.split_once('.') {
            let is_meta = ["meta", "metadata"].iter().any(|word| head.eq_ignore_ascii_case(word));
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            return (is_meta && path.iter().all(|key| !key.is_empty())).then_some(Self::Meta(path));
        }
        let row = ROWS.iter().find(|row| row.names().any(|own| own.eq_ignore_ascii_case(name)))?;
        Some(row.field.clone())
    }

    /// Its name without the colon: `owner`, `meta.labels.team`.
    pub fn name(&self) -> String {
        match (self, self.row()) {
            (Self::Meta(path), _) => format!("meta.{}", path.join(".")),
            (_, row) => row.name.to_owned(),
        }
    }

    fn row(&self) -> &'static FieldInfo {
        ROWS.iter().find(|row| row.field == *self).unwrap_or(&META)
    }

    /// Whether a key can lack it, so that `none` means that it does.
    fn may_be_missing(&self) -> bool {
        matches!(self, Self::Text(TextField::App | TextField::Role | TextField::Managed) | Self::Meta(_))
    }
}

/// What is known about a field, in the order in which fields are offered.
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

/// An example and its meaning for each field, then for each sign between the terms.
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
