//! Filtering, sorting, counting and naming the keys of a cluster.

use super::{Millis, api_key::ApiKey, expiry::Status};

/// The column a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// Name, without regard to case.
    Name,
    /// Application id.
    ApplicationId,
    /// Name of the owner.
    Owner,
    /// REST or cross-cluster.
    Kind,
    /// Names of the roles.
    Roles,
    /// Time of creation.
    Created,
    /// Time left; never comes last.
    Expires,
    /// In the order in which it asks for attention.
    Status,
}

/// An order of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub column: Column,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl Default for Sort {
    /// What was made last comes first.
    fn default() -> Self {
        Self { column: Column::Created, descending: true }
    }
}

/// What to show of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// Words which must all occur in name, id, application id, owner, roles or metadata.
    pub search: String,
    /// Only keys of this status.
    pub status: Option<Status>,
    /// In which order.
    pub sort: Sort,
}

/// The rows of a list and the count of each status among those that fit the search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Places in the list of keys, in order.
    pub places: Vec<u32>,
    /// How many fit the search, whatever their status.
    pub found: usize,
    counts: [usize; Status::ALL.len()],
}

impl Rows {
    /// How many keys that fit the search have this status.
    pub fn count(&self, status: Status) -> usize {
        self.counts[place_of(status)]
    }
}

fn place_of(status: Status) -> usize {
    Status::ALL.iter().position(|s| *s == status).unwrap_or_default()
}

impl View {
    /// The rows that fit, sorted; equal ones by name and id, so that the order never jumps.
    pub fn rows(&self, keys: &[ApiKey], now: Millis) -> Rows {
        let words: Vec<String> = self.search.split_whitespace().map(str::to_lowercase).collect();
        let mut rows = Rows::default();
        for (place, key) in (0u32..).zip(keys) {
            if !words.iter().all(|word| mentions(key, word)) {
                continue;
            }
            let status = key.status(now);
            rows.found += 1;
            rows.counts[place_of(status)] += 1;
            if self.status.is_none_or(|wanted| wanted == status) {
                rows.places.push(place);
            }
        }
        rows.places.sort_by_cached_key(|place| order(&keys[*place as usize], self.sort, now));
        rows
    }
}

fn mentions(key: &ApiKey, word: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(word);
    holds(&key.name)
        || holds(key.id.as_str())
        || key.application_id().is_some_and(holds)
        || holds(&key.owner.username)
        || key.roles().iter().any(|role| holds(role))
        || key.metadata_text().contains(word)
}

/// A sort key: numbers first, then text, then name and id.
type Order = (Directed<i64>, Directed<String>, String, String);

/// Compares in reverse when asked to.
#[derive(PartialEq, Eq, Clone)]
struct Directed<T> {
    value: T,
    descending: bool,
}

impl<T: Ord> Ord for Directed<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let order = self.value.cmp(&other.value);
        if self.descending { order.reverse() } else { order }
    }
}

impl<T: Ord> PartialOrd for Directed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn order(key: &ApiKey, sort: Sort, now: Millis) -> Order {
    let descending = sort.descending;
    let (number, text) = match sort.column {
        Column::Name => (0, key.name.to_lowercase()),
        Column::ApplicationId => {
            (i64::from(key.application_id().is_none()), key.application_id().unwrap_or_default().to_lowercase())
        }
        Column::Owner => (0, key.owner.username.to_lowercase()),
        Column::Kind => (0, key.kind.word().to_owned()),
        Column::Roles => (i64::from(key.roles().is_empty()), key.roles().join(", ").to_lowercase()),
        Column::Created => (key.created, String::new()),
        Column::Expires => (key.expires.unwrap_or(i64::MAX), String::new()),
        Column::Status => (place_of(key.status(now)) as i64, String::new()),
    };
    // Directed twice over: what has no application id or role stays last in either direction.
    let number_descends = descending && !matches!(sort.column, Column::ApplicationId | Column::Roles);
    (
        Directed { value: number, descending: number_descends },
        Directed { value: text, descending },
        key.name.to_lowercase(),
        key.id.as_str().to_owned(),
    )
}

/// The keys that a name given by a person means: the one with this id, otherwise all with this
/// application id, otherwise all with this name.
pub fn named<'a>(keys: &'a [ApiKey], reference: &str) -> Vec<&'a ApiKey> {
    let by_id: Vec<&ApiKey> = keys.iter().filter(|key| key.id.as_str() == reference).collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let by_application: Vec<&ApiKey> = keys.iter().filter(|key| key.application_id() == Some(reference)).collect();
    if !by_application.is_empty() {
        return by_application;
    }
    keys.iter().filter(|key| key.name == reference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        DAY,
        api_key::{KeyId, Owner},
    };
    use serde_json::value::RawValue;

    const NOW: Millis = 1_795_521_600_000;

    fn key(id: &str, name: &str, owner: &str, expires: Option<Millis>, metadata: &str) -> ApiKey {
        ApiKey {
            id: KeyId::new(id),
            name: name.into(),
            owner: Owner { username: owner.into(), realm: "native".into() },
            created: NOW - DAY,
            expires,
            metadata: Some(RawValue::from_string(metadata.into()).unwrap()),
            ..Default::default()
        }
        .with_facts()
    }

    fn keys() -> Vec<ApiKey> {
        vec![
            key("1", "beta", "ana", Some(NOW + DAY), r#"{"application_id":"app-b","roles":["reader"]}"#),
            key("2", "Alpha", "boris", None, r#"{"team":"Payments"}"#),
            key("3", "gamma", "ana", Some(NOW - DAY), "{}"),
            key("4", "alpha", "chen", Some(NOW + 90 * DAY), r#"{"application_id":"app-a"}"#),
        ]
    }

    fn ids(view: &View) -> Vec<String> {
        let keys = keys();
        view.rows(&keys, NOW).places.iter().map(|place| keys[*place as usize].id.to_string()).collect()
    }

    fn sorted(column: Column, descending: bool) -> Vec<String> {
        ids(&View { sort: Sort { column, descending }, ..View::default() })
    }

    #[test]
    fn every_word_must_occur_somewhere() {
        let found = |search: &str| ids(&View { search: search.into(), ..View::default() });
        assert_eq!(found("ALPHA"), ["2", "4"]);
        assert_eq!(found("payments"), ["2"]);
        assert_eq!(found("ana reader"), ["1"]);
        assert_eq!(found("app-b ana"), ["1"]);
        assert!(found("nothing-like-it").is_empty());
    }

    #[test]
    fn columns_sort_both_ways_and_what_is_missing_stays_last() {
        assert_eq!(sorted(Column::Expires, false), ["3", "1", "4", "2"]);
        assert_eq!(sorted(Column::Expires, true), ["2", "4", "1", "3"]);
        assert_eq!(sorted(Column::Name, false), ["2", "4", "1", "3"]);
        assert_eq!(sorted(Column::ApplicationId, false)[..2], ["4", "1"]);
        assert_eq!(sorted(Column::ApplicationId, true)[..2], ["1", "4"]);
        assert_eq!(sorted(Column::Status, false)[0], "3");
    }

    #[test]
    fn counts_are_of_the_search_and_rows_of_the_status() {
        let view = View { status: Some(Status::Expired), search: "a".into(), ..View::default() };
        let rows = view.rows(&keys(), NOW);
        assert_eq!((rows.places.len(), rows.found), (1, 4));
        assert_eq!(rows.count(Status::Expiring), 1);
        assert_eq!(rows.count(Status::Never), 1);
    }

    #[test]
    fn a_key_is_named_by_id_then_application_id_then_name() {
        let keys = keys();
        let find = |text: &str| named(&keys, text).iter().map(|key| key.id.to_string()).collect::<Vec<_>>();
        assert_eq!(find("1"), ["1"]);
        assert_eq!(find("app-a"), ["4"]);
        assert_eq!(find("alpha"), ["4"]);
        assert!(find("app-*").is_empty());
    }
}
