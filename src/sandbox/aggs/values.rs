//! The values that aggregations look at, and keys grouped by them. Nothing is copied that can be borrowed.

use super::{
    super::{
        cluster::StoredKey,
        keys::{
            fields::leaves,
            matching::{DateField, TextField, date_field, text_field},
        },
    },
    date_format::DateFormat,
    zone::Zone,
};
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A field as aggregations see it.
pub enum Column<'q> {
    /// A string that every key has.
    Text(TextField),
    /// A time.
    Date(DateField),
    /// Whether it is invalidated.
    Invalidated,
    /// All leaves of the metadata, or those at a path.
    Metadata(Option<&'q str>),
}

/// What a bucket is the bucket of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key<'k> {
    /// No value.
    Missing,
    /// Times and flags.
    Number(i64),
    /// Strings.
    Text(Cow<'k, str>),
}

impl Key<'_> {
    /// As a pattern sees it.
    pub fn shown(&self) -> String {
        match self {
            Key::Missing => String::new(),
            Key::Number(number) => number.to_string(),
            Key::Text(text) => text.to_string(),
        }
    }
}

/// Keys with a value in common.
pub struct Bucket<'k> {
    /// The value.
    pub key: Key<'k>,
    /// How many keys.
    pub count: u64,
    /// The keys, if wanted.
    pub docs: Vec<&'k StoredKey>,
}

impl<'q> Column<'q> {
    /// By the name of an allowed field.
    pub fn of(field: &'q str) -> Column<'q> {
        match (date_field(field), text_field(field)) {
            (Some(look), _) => Column::Date(look),
            (None, Some(look)) => Column::Text(look),
            (None, None) if field == "invalidated" => Column::Invalidated,
            (None, None) => Column::Metadata(field.strip_prefix("metadata.")),
        }
    }

    /// Its type in refusals.
    pub fn type_name(&self) -> &'static str {
        match self {
            Column::Text(_) => "keyword",
            Column::Date(_) => "date",
            Column::Invalidated => "boolean",
            Column::Metadata(_) => "flattened",
        }
    }

    /// The number of a key, of fields that have numbers.
    pub fn number(&self, key: &StoredKey) -> Option<i64> {
        match self {
            Column::Date(look) => look(key),
            Column::Invalidated => Some(i64::from(key.invalidation.is_some())),
            _ => None,
        }
    }

    /// What stands in for a missing value.
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

    /// Whether a key has a value.
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

    /// How many different values a key has.
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

    /// Writes a bucket's value as `terms` does.
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

/// A time as a format writes it; without one as milliseconds.
pub fn written(at: i64, format: Option<&str>, zone: &Zone) -> String {
    match format.map(DateFormat::parse) {
        Some(Ok(format)) => format.write(at, zone),
        _ => at.to_string(),
    }
}

/// Puts the different leaves of the metadata at a path, or all of them, into a list, in order.
fn list<'k>(key: &'k StoredKey, path: Option<&str>, found: &mut Vec<Cow<'k, str>>) {
    found.clear();
    leaves(&key.metadata, path, &mut |leaf| found.push(leaf));
    if found.len() > 1 {
        found.sort_unstable();
        found.dedup();
    }
}

/// Hashes quickly; whoever fills the practice cluster has no reason to make collisions.
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

/// Maps that hash so.
type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// Puts keys into buckets.
pub struct Grouper<'k> {
    buckets: Vec<Bucket<'k>>,
    texts: QuickMap<Cow<'k, str>, usize>,
    numbers: QuickMap<i64, usize>,
    missing: Option<usize>,
    last: Option<(i64, usize)>,
    keep: bool,
}

impl<'k> Grouper<'k> {
    /// Begins; `keep` keeps the keys, else they are only counted.
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

    /// Puts a key into the bucket of a value.
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

    /// The same for numbers, which come in flocks.
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

    /// The buckets, in no order.
    pub fn finish(self) -> Vec<Bucket<'k>> {
        self.buckets
    }
}

/// Keys grouped by a field; those without a value by what stands in for it, if anything.
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
