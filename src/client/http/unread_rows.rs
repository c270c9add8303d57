//! Rows of which not even an id could be read: reported, with an upper limit to the reasons that are kept.

use super::server_text;

/// Maximum number of rows without an id that are kept with their reason; further ones are only counted.
pub const MAX_UNREADABLE_KEPT: usize = 100;

/// A row of which not even an id could be read. It is always reported, and never ends the reading of the others. A row
/// with an id is a key (`ApiKey::flaw`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Id; `None` where it could not be read.
    pub id: Option<String>,
    /// Reason why the row could not be read.
    pub reason: String,
}

/// Returns the report of a row that is no JSON object.
pub(crate) fn no_object() -> Unreadable {
    Unreadable { id: None, reason: "it is not an object".into() }
}

/// Returns the report of a row of which nothing could be read.
pub(crate) fn unreadable(error: &serde_json::Error) -> Unreadable {
    Unreadable { id: None, reason: server_text::shown(&error.to_string()) }
}

/// Rows of which not even an id could be read: the first [`MAX_UNREADABLE_KEPT`], and the number of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnreadRows {
    kept: Vec<Unreadable>,
    more: usize,
}

impl UnreadRows {
    /// Adds one row.
    pub fn push(&mut self, row: Unreadable) {
        if self.kept.len() < MAX_UNREADABLE_KEPT { self.kept.push(row) } else { self.more += 1 }
    }

    /// Adds the rows of another answer that were not there before, as far as that can be determined.
    pub fn merge(&mut self, other: &Self) {
        for row in &other.kept {
            if !self.kept.contains(row) {
                self.push(row.clone());
            }
        }
        self.more = self.more.max(other.more);
    }

    /// Adds the rows of another cluster.
    pub fn append(&mut self, other: &Self) {
        other.kept.iter().for_each(|row| self.push(row.clone()));
        self.more = self.more.saturating_add(other.more);
    }

    /// Returns the number of rows, those included that are only counted.
    pub fn len(&self) -> usize {
        self.kept.len().saturating_add(self.more)
    }

    /// Returns `true` if there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the rows that were kept, in the order in which they came.
    pub fn kept(&self) -> &[Unreadable] {
        &self.kept
    }

    /// Sorts the kept rows by id and then by reason, so that their order no longer depends on the answer.
    pub fn sort(&mut self) {
        self.kept.sort_by(|a, b| (&a.id, &a.reason).cmp(&(&b.id, &b.reason)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_unreadable_rows_are_kept_and_the_others_counted() {
        let mut rows = UnreadRows::default();
        for number in 0..MAX_UNREADABLE_KEPT + 50 {
            rows.push(Unreadable { id: None, reason: number.to_string() });
        }
        assert_eq!((rows.kept().len(), rows.len()), (MAX_UNREADABLE_KEPT, MAX_UNREADABLE_KEPT + 50));
        let mut all = rows.clone();
        all.merge(&rows);
        assert_eq!(all.len(), rows.len(), "the same rows read again are the same rows");
        all.append(&rows);
        assert_eq!(all.len(), 2 * rows.len(), "those of another cluster are others");
    }
}
