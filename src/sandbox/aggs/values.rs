//! Values used by aggregations, and grouping of keys by them. Borrows instead of copying where possible.

use super::{date_format::DateFormat, zone::Zone};
use crate::sandbox::{
    keys::{
        fields::leaves,
        matching::{DateField, TextField, date_field, text_field},
    },
    state::key::StoredKey,
};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Field as aggregations see it.
pub enum Column<'q> {
    /// String field that every key has.
    Text(TextField),
    /// Time field, in epoch milliseconds.
    Date(DateField),
    /// Boolean field `invalidated`.
    Invalidated,
    /// Metadata leaves: at a path, or all of them if `None`.
    Metadata(Option<&'q str>),
}

/// Value that all keys of a bucket share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key<'k> {
    /// Missing value.
    Missing,
    /// Times in epoch milliseconds, and booleans as 0 or 1.
    Number(i64),
    /// String value.
    Text(Cow<'k, str>),
}

impl Key<'_> {
    /// Returns the value as text for matching by a pattern; empty for a missing value.
    pub fn shown(&self) -> String {
        match self {
            Key::Missing => String::new(),
            Key::Number(number) => number.to_string(),
            Key::Text(text) => text.to_string(),
        }
    }
}

/// Keys with a common value.
pub struct Bucket<'k> {
    /// Value of the bucket.
    pub key: Key<'k>,
    /// Number of keys.
    pub count: u64,
    /// Keys themselves, if wanted, else empty.
    pub docs: Vec<&'k StoredKey>,
}

impl<'q> Column<'q> {
    /// Returns the column of an allowed field.
    pub fn of(field: &'q str) -> Column<'q> {
        match (date_field(field), text_field(field)) {
            (Some(look), _) => Column::Date(look),
            (None, Some(look)) => Column::Text(look),
            (None, None) if field == "invalidated" => Column::Invalidated,
            (None, None) => Column::Metadata(field.strip_prefix("metadata.")),
        }
    }

    /// Returns the name of the column's type in refusals.
    pub fn type_name(&self) -> &'static str {
        match self {
            Column::Text(_) => "keyword",
            Column::Date(_) => "date",
            Column::Invalidated => "boolean",
            Column::Metadata(_) => "flattened",
        }
    }

    /// Returns the number of a key: a time in epoch milliseconds or a boolean; `None` for missing values and other
    /// columns.
    pub fn number(&self, key: &StoredKey) -> Option<i64> {
        match self {
            Column::Date(look) => look(key),
            Column::Invalidated => Some(i64::from(key.invalidation.is_some())),
            _ => None,
        }
    }

    /// Returns the substitute for a missing value as a bucket's value.
    pub fn stand_in(&self, missing: &Value) -> Key<'static> {
        let text = match missing {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match self {
            Column::Date(_) => Key::Number(text.parse().unwrap_or_default()),
            Column::Invalidated => Key::Number(i64::from(text == "true")),
            _ => Key::Text(Cow::Owned(text)),
        }
    }

    /// Returns `true` if a key has a value.
    pub fn exists(&self, key: &StoredKey) -> bool {
        match self {
            Column::Text(_) | Column::Invalidated => true,
            Column::Date(look) => look(key).is_some(),
            Column::Metadata(path) => {
                let mut found = false;
                leaves(&key.metadata, *path, &mut |_| found = true);
                found
            }
        }
    }

    /// Returns the number of distinct values of a key.
    pub fn count(&self, key: &StoredKey) -> u64 {
        match self {
            Column::Metadata(path) => {
                let mut found = Vec::new();
                list(key, *path, &mut found);
                found.len() as u64
            }
            _ => u64::from(self.exists(key)),
        }
    }

    /// Adds a bucket's value to its answer as `terms` does.
    pub fn show(&self, key: &Key, format: Option<&str>, answer: &mut Map<String, Value>) {
        match (self, key) {
            (Column::Invalidated, Key::Number(flag)) => {
                answer.insert("key".into(), json!(flag));
                answer.insert("key_as_string".into(), json!(if *flag == 1 { "true" } else { "false" }));
            }
            (_, Key::Number(at)) => {
                answer.insert("key".into(), json!(at));
                answer.insert("key_as_string".into(), json!(written(*at, format, &Zone::default())));
            }
            (_, key) => {
                answer.insert("key".into(), json!(key.shown()));
            }
        }
    }
}

/// Formats a time in epoch milliseconds; without a valid format, as milliseconds.
pub fn written(at: i64, format: Option<&str>, zone: &Zone) -> String {
    match format.map(DateFormat::parse) {
        Some(Ok(format)) => format.write(at, zone),
        _ => at.to_string(),
    }
}

/// Replaces the contents of `found` by the distinct leaves of the metadata at a path, or all of them, sorted.
fn list<'k>(key: &'k StoredKey, path: Option<&str>, found: &mut Vec<Cow<'k, str>>) {
    found.clear();
    leaves(&key.metadata, path, &mut |leaf| found.push(leaf));
    if found.len() > 1 {
        found.sort_unstable();
        found.dedup();
    }
}

/// Fast hasher; collisions are no risk, as those who fill the practice cluster have no reason to cause them.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(part).for_each(|(to, from)| *to = *from);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_i64(&mut self, word: i64) {
        self.write_u64(word.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// Hash map with the fast hasher.
type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// Groups keys into buckets by value.
pub struct Grouper<'k> {
    buckets: Vec<Bucket<'k>>,
    texts: QuickMap<Cow<'k, str>, usize>,
    numbers: QuickMap<i64, usize>,
    missing: Option<usize>,
    last: Option<(i64, usize)>,
    keep: bool,
}

impl<'k> Grouper<'k> {
    /// Creates an empty grouper; with `keep`, it stores the keys, else it only counts them.
    pub fn new(keep: bool) -> Self {
        Grouper {
            buckets: Vec::new(),
            texts: QuickMap::default(),
            numbers: QuickMap::default(),
            missing: None,
            last: None,
            keep,
        }
    }

    fn put(&mut self, place: usize, doc: &'k StoredKey) {
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.count += 1;
            if self.keep {
                bucket.docs.push(doc);
            }
        }
    }

    /// Adds a key to the bucket of a value.
    pub fn add(&mut self, key: Key<'k>, doc: &'k StoredKey) {
        let buckets = &mut self.buckets;
        let mut make = |key| {
            buckets.push(Bucket { key, count: 0, docs: Vec::new() });
            buckets.len() - 1
        };
        let place = match key {
            Key::Number(number) => return self.add_number(number, doc),
            Key::Missing => *self.missing.get_or_insert_with(|| make(Key::Missing)),
            Key::Text(text) => match self.texts.get(&text) {
                Some(place) => *place,
                None => {
                    let place = make(Key::Text(text.clone()));
                    self.texts.insert(text, place);
                    place
                }
            },
        };
        self.put(place, doc);
    }

    /// Adds a key to the bucket of a number; fast if successive numbers are equal, as they often are.
    pub fn add_number(&mut self, number: i64, doc: &'k StoredKey) {
        if let Some((last, place)) = self.last
            && last == number
        {
            return self.put(place, doc);
        }
        let place = *self.numbers.entry(number).or_insert_with(|| {
            self.buckets.push(Bucket { key: Key::Number(number), count: 0, docs: Vec::new() });
            self.buckets.len() - 1
        });
        self.last = Some((number, place));
        self.put(place, doc);
    }

    /// Returns the buckets, unordered.
    pub fn finish(self) -> Vec<Bucket<'k>> {
        self.buckets
    }
}

/// Groups keys by a field; keys without a value by the substitute `missing`, if given.
pub fn group<'k>(docs: &[&'k StoredKey], column: &Column<'k>, missing: Option<&Value>, keep: bool) -> Vec<Bucket<'k>> {
    let stand_in: Option<Key<'k>> = missing.map(|missing| column.stand_in(missing));
    let mut groups = Grouper::new(keep);
    let mut found = Vec::new();
    for doc in docs {
        let doc: &'k StoredKey = doc;
        match column {
            Column::Text(look) => groups.add(Key::Text(look(doc)), doc),
            Column::Metadata(path) => {
                list(doc, *path, &mut found);
                if found.is_empty() {
                    stand_in.iter().for_each(|key| groups.add(key.clone(), doc));
                }
                found.drain(..).for_each(|leaf| groups.add(Key::Text(leaf), doc));
            }
            _ => match column.number(doc) {
                Some(number) => groups.add_number(number, doc),
                None => stand_in.iter().for_each(|key| groups.add(key.clone(), doc)),
            },
        }
    }
    groups.finish()
}
