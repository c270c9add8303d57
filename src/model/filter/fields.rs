//! Fields of a search: their names, and what help says about them.

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

    /// Returns names and help text of the field.
    pub(super) fn row(&self) -> &'static FieldInfo {
        ROWS.iter().find(|row| row.field == *self).unwrap_or(&META)
    }

    /// `true` if a key can lack the field, so that the value `none` means a missing field.
    pub(super) fn may_be_missing(&self) -> bool {
        matches!(self, Self::Text(TextField::App | TextField::Role | TextField::Managed) | Self::Meta(_))
    }
}

/// Names and help text of a field, listed in the order in which fields are offered.
pub(super) struct FieldInfo {
    pub(super) field: Field,
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) example: &'static str,
    pub(super) meaning: &'static str,
}

impl FieldInfo {
    /// Returns the name and the aliases.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
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

/// All fields but the metadata, in the order in which they are offered.
pub(super) static ROWS: [FieldInfo; 15] = [
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
        "expires within 30 days; also within-7d, >90d, 7d..30d, 2w, 1y, a date, never; invalidated keys are left out",
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
        "application id contains this; none means no application id",
    ),
    row(Field::Text(TextField::Role), "role", &["roles"], "role:reader", "created from this role; none means no role"),
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
        "can do this, by its descriptors and its owner's snapshot: on the cluster, or on some index",
    ),
    row(Field::On, "on", &[], "on:logs-*", "has privileges on any of these indices; on:=logs-* on all of them"),
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
    row(
        Field::Text(TextField::Managed),
        "managed",
        &[],
        "managed:none",
        "managed by this product; none means not managed",
    ),
    row(
        Field::Text(TextField::Realm),
        "realm",
        &[],
        "realm:default_native",
        "the owner's realm; *native* matches any that contains it",
    ),
    row(Field::Text(TextField::Id), "id", &[], "id:VuaCfGcBCdbkQm-e5aOx", "exactly this id"),
    row(
        Field::Time(TimeField::Invalidated),
        "invalidated",
        &[],
        "invalidated:<7d",
        "invalidated in the last 7 days; also a date, never",
    ),
];

/// Metadata, whose field is a path.
pub(super) static META: FieldInfo = row(
    Field::Meta(Vec::new()),
    "meta.",
    &["metadata."],
    "meta.labels.team:payments",
    "value in the metadata; none means missing, * means present",
);

/// Returns an example and its meaning for each field, then for each operator between the terms.
pub fn help() -> Vec<(&'static str, &'static str)> {
    let signs = [
        ("can:write on:logs-app-1", "can write to this index, as the cluster itself decides"),
        ("can:cluster:manage", "for a name that is both, on the cluster; can:index:manage on some index"),
        ("can:indices:data/read/*", "an action, or a pattern of actions"),
        ("can:write?", "not known whether it can: privileges are reported since 8.5, to users who can see them"),
        ("is:administrator?", "the same for is:unrestricted, empty, administrator, every-index and runs-as"),
        ("backup", "occurs in name, id, application id, owner, roles or metadata"),
        ("prod-*-key", "* matches any text, ? any single character"),
        ("\"my key\"", "quotes keep spaces and symbols as they are; \\\" is a quote"),
        ("owner:ana app:billing", "both; also with AND between them"),
        ("owner:ana or app:billing", "either"),
        ("-status:expired", "all others; also NOT status:expired"),
        ("(a or b) -(c d)", "parentheses group"),
    ];
    ROWS.iter().chain([&META]).map(|row| (row.example, row.meaning)).chain(signs).collect()
}
