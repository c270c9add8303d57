//! Keys by a part of their name, id or application id, over all open clusters: what the command palette offers.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::{
    model::{
        Timestamp,
        api_key::KeyId,
        connections::profile::ProfileId,
        filter::{Expr, Term, TextField, TextMatch},
        inventory::{Asker, Inventory, RowId},
        text::fuzzy::{Fit, Words},
    },
    ops::{background, keys::list::KeyList},
};

/// Maximum number of keys that a quick search returns; the others are counted.
pub const MAX_FOUND: usize = 5;

/// The keys of a cluster, and the time of its clock.
#[derive(Clone, Debug)]
pub struct Source {
    /// Connection that the keys were read through.
    pub profile: ProfileId,
    /// Keys that were read.
    pub list: Arc<KeyList>,
    /// Time by the clock of the cluster.
    pub now: Timestamp,
}

/// A key of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// Connection that the key was read through.
    pub profile: ProfileId,
    /// Id of the key.
    pub id: KeyId,
}

/// The best matches, and the number of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundKeys {
    /// Text that was searched for.
    pub typed: String,
    /// At most [`MAX_FOUND`] keys: those that match best, usable ones first, then by name and id.
    pub keys: Vec<FoundKey>,
    /// Number of keys that match.
    pub count: usize,
}

/// Rank of a key: how it matches, whether it no longer works, its name, the cluster's position, its id.
type Rank<'a> = (Fit, bool, &'a str, usize, &'a str);

/// Finds the keys that have each word in their name, id or application id. Returns `None` if it was stopped.
pub fn find(sources: &[Source], typed: &str, stop: &AtomicBool) -> Option<FoundKeys> {
    let words = Words::new(typed);
    let mut found = FoundKeys { typed: typed.to_owned(), ..FoundKeys::default() };
    if words.is_empty() {
        return Some(found);
    }
    let expr = expr(&words);
    let mut best: Vec<(Rank<'_>, FoundKey)> = Vec::new();
    for (position, source) in sources.iter().enumerate() {
        let keys = &source.list.keys;
        let matching = background::run(|| keys.matching(&expr, source.now, Asker::default()));
        found.count += matching.count();
        for row in matching.rows() {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let rank = (
                fit(keys, row, &words),
                !keys.status(row, source.now).is_usable(),
                keys.name(row),
                position,
                keys.id(row),
            );
            let at = best.partition_point(|(other, _)| *other <= rank);
            if at < MAX_FOUND {
                best.insert(at, (rank, FoundKey { profile: source.profile.clone(), id: KeyId::new(keys.id(row)) }));
                best.truncate(MAX_FOUND);
            }
        }
    }
    found.keys = best.into_iter().map(|(_, key)| key).collect();
    Some(found)
}

/// Returns the search that each word has to be in one of the three texts.
fn expr(words: &Words) -> Expr {
    let word = |word: String| {
        let fields = [TextField::Name, TextField::Id, TextField::App];
        Expr::Or(fields.map(|field| Expr::Term(Term::Field(field, vec![TextMatch::Contains(word.clone())]))).into())
    };
    Expr::And(words.each().map(word).collect())
}

/// Returns the fit of the text that matches best. Words that are spread over several texts match worst.
fn fit(keys: &Inventory, row: RowId, words: &Words) -> Fit {
    let texts = [Some(keys.name(row)), Some(keys.id(row)), keys.application_id(row)];
    texts.into_iter().flatten().filter_map(|text| words.fit(text)).min().unwrap_or(Fit::Letters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::inventory::RawKey;

    fn source(profile: &str, keys: &[(&str, &str)]) -> Source {
        let mut list = KeyList { is_complete: true, ..KeyList::default() };
        for (id, name) in keys {
            list.keys.put(&RawKey { id, name, username: "ana", ..RawKey::default() });
        }
        list.keys.finish();
        Source { profile: ProfileId(profile.into()), list: Arc::new(list), now: Timestamp::EPOCH }
    }

    fn ids(found: &FoundKeys) -> Vec<&str> {
        found.keys.iter().map(|key| key.id.as_str()).collect()
    }

    #[test]
    fn the_closest_keys_of_all_clusters_come_first_and_the_rest_is_counted() {
        let one = source("a", &[("1", "old-payments"), ("2", "repayments"), ("3", "payments"), ("4", "orders")]);
        let two =
            source("b", &[("5", "Payments-writer"), ("payments6", "x"), ("7", "payments b"), ("8", "repayments 2")]);
        let find = |typed: &str| find(&[one.clone(), two.clone()], typed, &AtomicBool::new(false)).unwrap();
        let found = find("payments");
        assert_eq!((ids(&found), found.count), (vec!["3", "5", "7", "payments6", "1"], 7));
        assert_eq!(found.keys[1].profile.0, "b");
        assert_eq!(ids(&find("wri PAY")), ["5"]);
        assert_eq!(ids(&find("payments 6")), ["payments6"], "each word is looked for by itself");
        assert_eq!(find("  "), FoundKeys { typed: "  ".into(), ..FoundKeys::default() });
        assert_eq!(find("owner"), FoundKeys { typed: "owner".into(), ..FoundKeys::default() });
        assert_eq!(super::find(std::slice::from_ref(&one), "payments", &AtomicBool::new(true)), None);
    }
}
