//! Counts of keys: by status, by value, by time.

use std::collections::HashMap;

use rayon::prelude::*;

use super::{
    Asker, Bitmap, Inventory, NO_TIME, RowId,
    bitmap::{CHUNK, ones},
    json_template,
    row_id::Cells,
    split_roles,
};
use crate::model::{
    Timestamp,
    filter::{Expr, Term, Trait},
    time::status::{Status, StatusGroup},
};

/// Number of rows out of 64 below which it is faster to go from one set bit to the next than to look at each bit.
const SPARSE: u32 = 24;

/// Field that keys can be counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Name of the owner.
    Owner,
    /// Realm of the owner.
    Realm,
    /// Kind of the key, as the cluster writes it.
    Kind,
    /// Roles; a key counts for each of its roles.
    Role,
    /// Application id.
    ApplicationId,
    /// Product that made the key for itself.
    ManagedBy,
    /// Value at a path of the metadata; each value of a list counts.
    Metadata(Vec<String>),
}

/// Moment that a key is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Time of creation.
    Created,
    /// Time of expiration.
    Expires,
    /// Time of invalidation.
    Invalidated,
}

/// Number of keys with each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts {
    by_status: [usize; Status::ALL.len()],
    not_known: usize,
}

impl StatusCounts {
    /// Returns the number of keys with a status.
    pub fn of(&self, status: Status) -> usize {
        self.by_status[status.place()]
    }

    /// Returns the number of keys whose status could not be read; they belong to no group.
    pub fn not_known(&self) -> usize {
        self.not_known
    }

    /// Sets the number of keys with a status.
    pub fn set(&mut self, status: Status, count: usize) {
        self.by_status[status.place()] = count;
    }

    /// Returns the number of all keys, those without a readable status included.
    pub fn total(&self) -> usize {
        self.by_status.iter().sum::<usize>() + self.not_known
    }

    /// Returns the number of keys in a group; the groups overlap.
    pub fn in_group(&self, group: StatusGroup) -> usize {
        Status::ALL.into_iter().filter(|status| group.has(*status)).map(|status| self.of(status)).sum()
    }

    /// Returns the number of keys that a client can sign in with.
    pub fn usable(&self) -> usize {
        self.in_group(StatusGroup::Valid)
    }

    fn add(mut self, other: Self) -> Self {
        self.by_status.iter_mut().zip(other.by_status).for_each(|(own, other)| *own += other);
        self.not_known += other.not_known;
        self
    }
}

impl Inventory {
    /// Counts these keys by status.
    pub fn count(&self, keys: &Bitmap, now: Timestamp) -> StatusCounts {
        let status = self.status_ranks(now);
        let count = |(chunk, words): (usize, &[u64])| {
            let mut counts = StatusCounts::default();
            for (at, word) in words.iter().enumerate().filter(|(_, word)| **word != 0) {
                let first = chunk * CHUNK + at * 64;
                if word.count_ones() < SPARSE {
                    ones(*word).for_each(|bit| counts.by_status[status(RowId((first + bit) as u32))] += 1);
                    continue;
                }
                for bit in 0..64.min(self.len() - first) {
                    counts.by_status[status(RowId((first + bit) as u32))] += (word >> bit & 1) as usize;
                }
            }
            counts
        };
        let chunks = keys.words().par_chunks(CHUNK / 64).enumerate();
        let mut counts = chunks.map(count).reduce(StatusCounts::default, StatusCounts::add);
        for row in self.without_status().filter(|row| keys.has(*row)) {
            counts.by_status[status(row)] -= 1;
            counts.not_known += 1;
        }
        counts
    }

    /// Returns the row ids of keys whose status could not be read.
    pub fn without_status(&self) -> impl Iterator<Item = RowId> {
        self.flaws.keys().copied().filter(|row| !self.has_known_status(*row))
    }

    /// Counts these keys by each of [`Trait::FINDINGS`], named by its keyword in a search, and last those of which at
    /// least one of these facts is not known. Entries without keys are left out.
    pub fn findings(&self, keys: &Bitmap) -> Vec<(&'static str, usize)> {
        let mut not_known = Bitmap::none(self.len());
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        for finding in Trait::FINDINGS {
            // None of them depends on the time or on who asks.
            let found = self.search(&Expr::Term(Term::Is(finding)), Timestamp::EPOCH, Asker::default());
            not_known = not_known.or(&found.not_known());
            counts.push((finding.word(), found.matching.and(keys).count()));
        }
        counts.push(("not known", not_known.and(keys).count()));
        counts.retain(|(_, count)| *count > 0);
        counts
    }

    /// Returns the keys of a group; keys whose status could not be read are in none.
    pub fn of_group(&self, group: StatusGroup, now: Timestamp) -> Bitmap {
        let rows = self.status_ranks(now);
        let has = Status::ALL.map(|status| group.has(status));
        let mut found = Bitmap::of(self.len(), |row| has[rows(row)]);
        self.without_status().for_each(|row| found.set(row, false));
        found
    }

    /// Counts these keys in each interval between neighboring `edges`, by status. `edges` ascend; an interval includes
    /// its start and excludes its end. Keys outside of all intervals, and those whose moment could not be read, are not
    /// counted.
    pub fn histogram(&self, keys: &Bitmap, moment: Moment, edges: &[Timestamp], now: Timestamp) -> Vec<StatusCounts> {
        let buckets = edges.len().saturating_sub(1);
        let (column, field) = match moment {
            Moment::Created => (&self.created, "creation"),
            Moment::Expires => (&self.expires, "expiration"),
            Moment::Invalidated => (&self.invalidated_at, "invalidation"),
        };
        let is_unread = |row: RowId| !self.flaws.is_empty() && self.is_unread(row, field);
        let count = |chunk: usize| {
            let mut counts = vec![StatusCounts::default(); buckets];
            for row in (chunk * CHUNK..self.len().min((chunk + 1) * CHUNK))
                .map(|row| RowId(row as u32))
                .filter(|row| keys.has(*row))
            {
                let at = column[row];
                let bucket = edges.partition_point(|edge| *edge <= at);
                if at == NO_TIME || bucket == 0 || bucket > buckets || is_unread(row) {
                    continue;
                }
                let counts = &mut counts[bucket - 1];
                if self.has_known_status(row) {
                    counts.by_status[self.status(row, now).place()] += 1;
                } else {
                    counts.not_known += 1;
                }
            }
            counts
        };
        let none = || vec![StatusCounts::default(); buckets];
        let add = |a: Vec<StatusCounts>, b: Vec<StatusCounts>| a.into_iter().zip(b).map(|(a, b)| a.add(b)).collect();
        (0..self.len().div_ceil(CHUNK)).into_par_iter().map(count).reduce(none, add)
    }

    /// Counts these keys by the values of a field, most frequent first, ties by value. The empty value is left out.
    pub fn tally(&self, keys: &Bitmap, field: &Field) -> Vec<(String, usize)> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        match field {
            Field::Owner | Field::Realm => {
                for (number, count) in self.numbers(keys, &self.owners, self.known.owners.len()) {
                    let (user, realm) = self.known.owners.get(number).split_once('\0').unwrap_or_default();
                    let word = if *field == Field::Owner { user } else { realm };
                    *counts.entry(word.to_owned()).or_default() += count;
                }
            }
            Field::Kind => {
                for row in keys.rows() {
                    *counts.entry(self.kind(row).wire().to_owned()).or_default() += 1;
                }
            }
            Field::Role => {
                for (number, count) in self.numbers(keys, &self.roles, self.known.roles.len()) {
                    for role in split_roles(self.known.roles.get(number)) {
                        *counts.entry(role.to_owned()).or_default() += count;
                    }
                }
            }
            Field::ApplicationId => self.plain(keys, &self.applications, &self.known.applications, &mut counts),
            Field::ManagedBy => self.plain(keys, &self.managers, &self.known.managers, &mut counts),
            Field::Metadata(path) => self.tally_metadata(keys, path, &mut counts),
        }
        counts.remove("");
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        counts
    }

    /// Returns the most frequent values among all keys that begin with `prefix` in any case, at most `most` of them.
    pub fn values(&self, field: &Field, prefix: &str, most: usize) -> Vec<(String, usize)> {
        let prefix = prefix.to_lowercase();
        let begins = |text: &str| text.get(..prefix.len()).is_some_and(|begin| begin.to_lowercase() == prefix);
        let all = Bitmap::all(self.len());
        let mut found = match field {
            // Perhaps as many values as keys: counted by number, and only those that fit become texts.
            Field::ApplicationId => self
                .numbers(&all, &self.applications, self.known.applications.len())
                .filter(|(number, _)| *number != 0 && begins(self.known.applications.get(*number)))
                .map(|(number, count)| (self.known.applications.get(number).to_owned(), count))
                .collect(),
            other => self.tally(&all, other).into_iter().filter(|(text, _)| begins(text)).collect::<Vec<_>>(),
        };
        found.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        found.truncate(most);
        found
    }

    /// Counts these keys by the codes of a column, in ascending order; codes without keys are left out.
    fn numbers(&self, keys: &Bitmap, column: &Cells<u32>, distinct: usize) -> impl Iterator<Item = (u32, usize)> {
        let mut counts = vec![0usize; distinct];
        keys.rows().for_each(|row| counts[column[row] as usize] += 1);
        (0u32..).zip(counts).filter(|(_, count)| *count > 0)
    }

    fn plain(
        &self,
        keys: &Bitmap,
        column: &Cells<u32>,
        distinct: &super::Dictionary,
        into: &mut HashMap<String, usize>,
    ) {
        for (number, count) in self.numbers(keys, column, distinct.len()) {
            into.insert(distinct.get(number).to_owned(), count);
        }
    }

    fn tally_metadata(&self, keys: &Bitmap, path: &[String], into: &mut HashMap<String, usize>) {
        let mut counts = vec![0usize; self.known.values.len()];
        let here = self.value_rows(path);
        for row in keys.rows() {
            let values = self.values_of(row);
            here[self.forms[row] as usize].iter().for_each(|at| counts[values[*at] as usize] += 1);
        }
        for (number, count) in (0u32..).zip(counts).filter(|(_, count)| *count > 0) {
            *into.entry(json_template::decoded(self.known.values.get(number))).or_default() += count;
        }
    }

    /// Returns, for each JSON template, the indexes of its values at this path; keys are compared without regard to
    /// case.
    pub(super) fn value_rows(&self, path: &[String]) -> Vec<Vec<usize>> {
        let same =
            |own: &[String]| own.len() == path.len() && own.iter().zip(path).all(|(a, b)| a.eq_ignore_ascii_case(b));
        let rows = |form: &super::JsonTemplate| (0..form.paths.len()).filter(|at| same(&form.paths[*at])).collect();
        self.known.shapes.iter().map(rows).collect()
    }

    /// Counts these keys by the paths to values in their metadata, most frequent first, ties by path.
    pub fn metadata_fields(&self, keys: &Bitmap) -> Vec<(Vec<String>, usize)> {
        let mut counts: HashMap<&[String], usize> = HashMap::new();
        for (form, count) in self.numbers(keys, &self.forms, self.known.forms.len()) {
            let mut paths: Vec<&[String]> = self.known.shapes[form as usize]
                .paths
                .iter()
                .map(|path| &**path)
                .filter(|path| !path.is_empty())
                .collect();
            paths.dedup();
            paths.into_iter().for_each(|path| *counts.entry(path).or_default() += count);
        }
        let mut counts: Vec<(Vec<String>, usize)> = counts.into_iter().map(|(path, n)| (path.to_vec(), n)).collect();
        counts.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        counts
    }

    /// Returns the earliest expiration after `now` among keys that are not invalidated.
    pub fn next_expiry(&self, keys: &Bitmap, now: Timestamp) -> Option<Timestamp> {
        let ends = keys.rows().filter(|row| !self.is_invalidated(*row)).filter_map(|row| self.expires(row));
        ends.filter(|at| *at > now).min()
    }
}
