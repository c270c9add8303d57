//! Suggestions that don't depend on the keys: privileges, types and times.

use super::{TimeField, time::UNITS};
use crate::model::{text::number::plural, time::unit::TimeUnit};

/// Most frequently used privileges, and what they allow.
pub(super) const PRIVILEGES: [(&str, &str); 16] = [
    ("read", "read documents"),
    ("write", "add, change and delete documents"),
    ("all", "everything"),
    ("manage", "manage the cluster or the indices"),
    ("manage_security", "manage users, roles and all keys"),
    ("manage_api_key", "manage all keys"),
    ("manage_own_api_key", "manage the owner's keys"),
    ("monitor", "see the state of the cluster or the indices"),
    ("create_index", "create indices"),
    ("delete_index", "delete indices"),
    ("create_doc", "add documents"),
    ("index", "add and change documents"),
    ("delete", "delete documents"),
    ("view_index_metadata", "see mappings and settings"),
    ("manage_index_templates", "manage index templates"),
    ("manage_ingest_pipelines", "manage ingest pipelines"),
];

/// Types of keys, and their meanings.
pub(super) const TYPES: [(&str, &str); 2] = [("rest", "for client requests"), ("cross-cluster", "for another cluster")];

/// Returns suggestions of times with their meanings; a number that was typed is offered in days, weeks, hours and
/// years.
pub(super) fn times(field: TimeField, prefix: &str) -> Vec<(String, String)> {
    let span = |sign: &str, count: u64, unit: TimeUnit| {
        let (length, is_more) = (plural(count, unit.word), sign.starts_with('>'));
        let meaning = match (field, is_more) {
            (TimeField::Expires, false) => format!("expires within {length}"),
            (TimeField::Expires, true) => format!("expires in more than {length}"),
            (TimeField::Created, false) => format!("created in the last {length}"),
            (TimeField::Created, true) => format!("created more than {length} ago"),
            (TimeField::Invalidated, false) => format!("invalidated in the last {length}"),
            (TimeField::Invalidated, true) => format!("invalidated more than {length} ago"),
        };
        (format!("{sign}{count}{}", unit.suffix), meaning)
    };
    let [_, _, hours, days, weeks, years] = UNITS;
    let digits = prefix.trim_start_matches(['<', '>', '=']);
    let typed = digits.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let mut offers = Vec::new();
    if let (true, Ok(count)) = (typed.len() <= 5 && typed.bytes().all(|b| b.is_ascii_digit()), typed.parse::<u64>()) {
        let sign = &prefix[..prefix.len() - digits.len()];
        if ["", "<", ">", "<=", ">="].contains(&sign) {
            offers.extend([days, weeks, hours, years].map(|unit| span(sign, count, unit)));
        }
    }
    let fixed = match field {
        TimeField::Expires => [("<", 7, days), ("<", 30, days), ("<", 90, days), (">", 90, days)],
        TimeField::Created => [("<", 1, days), ("<", 7, days), ("<", 30, days), (">", 1, years)],
        TimeField::Invalidated => [("<", 1, days), ("<", 7, days), ("<", 30, days), (">", 90, days)],
    };
    offers.extend(fixed.map(|(sign, count, unit)| span(sign, count, unit)));
    let words: &[(&str, &str)] = match field {
        TimeField::Expires => &[
            ("never", "never expires"),
            ("today", "expires today"),
            ("tomorrow", "expires tomorrow"),
            ("<now", "expired"),
        ],
        TimeField::Created => &[("today", "created today"), ("yesterday", "created yesterday")],
        TimeField::Invalidated => {
            &[("never", "not invalidated"), ("today", "invalidated today"), ("yesterday", "invalidated yesterday")]
        }
    };
    offers.extend(words.iter().map(|(word, meaning)| ((*word).to_owned(), (*meaning).to_owned())));
    let mut seen = std::collections::HashSet::new();
    offers.retain(|(word, _)| seen.insert(word.clone()));
    offers
}
