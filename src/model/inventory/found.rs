//! Results of searches, in which some keys may not be known.

use super::Bitmap;

/// Result of a search: the keys that match, and those of which it is not known if they match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Keys that surely match.
    pub matching: Bitmap,
    /// Keys that match or may match; `None` if they are the same as `matching`.
    may: Option<Bitmap>,
}

impl Found {
    /// Returns a result in which nothing is unknown.
    pub(super) fn sure(matching: Bitmap) -> Self {
        Self { matching, may: None }
    }

    /// Returns a result with the keys that match and those that may match, the former included.
    pub(super) fn with(matching: Bitmap, may: Bitmap) -> Self {
        Self { matching, may: Some(may) }
    }

    /// Returns the keys of which it is not known if they match: neither the search nor its negation finds them.
    pub fn not_known(&self) -> Bitmap {
        match &self.may {
            Some(may) => may.clone().and(&self.matching.clone().inverted()),
            None => Bitmap::none(self.matching.len()),
        }
    }

    /// `true` if surely nothing matches.
    pub(super) fn is_empty(&self) -> bool {
        self.may.as_ref().unwrap_or(&self.matching).is_empty()
    }

    /// Returns the keys that are in both results.
    pub(super) fn and(self, other: Self) -> Self {
        let may = (self.may.is_some() || other.may.is_some()).then(|| {
            let own = self.may.unwrap_or_else(|| self.matching.clone());
            own.and(other.may.as_ref().unwrap_or(&other.matching))
        });
        Self { matching: self.matching.and(&other.matching), may }
    }

    /// Returns the keys that are in either result.
    pub(super) fn or(self, other: Self) -> Self {
        let may = (self.may.is_some() || other.may.is_some()).then(|| {
            let own = self.may.unwrap_or_else(|| self.matching.clone());
            own.or(other.may.as_ref().unwrap_or(&other.matching))
        });
        Self { matching: self.matching.or(&other.matching), may }
    }

    /// Returns the keys that are not in the result.
    pub(super) fn not(self) -> Self {
        match self.may {
            Some(may) => Self { matching: may.inverted(), may: Some(self.matching.inverted()) },
            None => Self { matching: self.matching.inverted(), may: None },
        }
    }
}
