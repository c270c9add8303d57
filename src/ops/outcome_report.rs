//! Report of the outcome for each of many keys, as a new file that can be passed on.

use std::{fs::File, io::BufWriter, path::PathBuf, sync::Arc};

use crate::{
    export::{
        Format,
        outcome_report::{self, OutcomeRow as Written},
    },
    model::{api_key::KeyId, failure::Failure},
    ops::{
        Problem,
        invalidate::Outcome,
        keys::{
            export::{self, Exported},
            list::KeyList,
        },
        update::UpdateOutcome,
    },
};

/// Outcome for one key of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyOutcome {
    /// Key that is proved to be invalidated.
    Invalidated,
    /// Key that was changed.
    Updated,
    /// Key that was already as asked for.
    Unchanged,
    /// Certain failure.
    Failed,
    /// Unknown outcome: it may have worked, but no answer shows it, or the answers contradict each other.
    Unknown,
    /// Key that was never sent.
    Untouched,
}

impl KeyOutcome {
    /// Returns the name of the outcome in files and tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invalidated => "invalidated",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Unknown => Failure::NOT_KNOWN,
            Self::Untouched => "untouched",
        }
    }
}

/// Outcome of one key, its id, and the reason or remark; empty if there is none.
pub type KeyOutcomeRow = (KeyOutcome, KeyId, String);

/// Outcome report to be written to a new file.
#[derive(Clone, Debug)]
pub struct OutcomeReport {
    /// List in which names and owners are looked up.
    pub list: Arc<KeyList>,
    /// Outcomes of the keys, in the order of the file.
    pub rows: Vec<KeyOutcomeRow>,
    /// File format: CSV, and JSON for any other value.
    pub format: Format,
    /// Path of the new file; an existing file is never overwritten.
    pub path: PathBuf,
}

fn rows(ids: &[KeyId], outcome: KeyOutcome) -> impl Iterator<Item = KeyOutcomeRow> {
    ids.iter().map(move |id| (outcome, id.clone(), String::new()))
}

impl From<&Failure> for KeyOutcome {
    fn from(failure: &Failure) -> Self {
        if failure.is_unknown() { Self::Unknown } else { Self::Failed }
    }
}

/// Returns the row of a key that failed or whose outcome is unknown.
pub fn failure((id, failure): &(KeyId, Failure)) -> KeyOutcomeRow {
    (failure.into(), id.clone(), failure.reason().to_owned())
}

fn failures(failed: &[(KeyId, Failure)]) -> impl Iterator<Item = KeyOutcomeRow> {
    failed.iter().map(failure)
}

/// Returns the rows of an invalidation: done, failed, untouched.
pub fn of_invalidation(outcome: &Outcome) -> Vec<KeyOutcomeRow> {
    let untouched =
        outcome.untouched.iter().map(|id| (KeyOutcome::Untouched, id.clone(), outcome.why_untouched(id).to_owned()));
    rows(&outcome.done, KeyOutcome::Invalidated).chain(failures(&outcome.failed)).chain(untouched).collect()
}

/// Returns the rows of an update: updated, unchanged, failed, untouched.
pub fn of_update(outcome: &UpdateOutcome) -> Vec<KeyOutcomeRow> {
    let updated = outcome.updated.iter().map(|id| {
        let remark = outcome.remarks.get(id).cloned().unwrap_or_default();
        (KeyOutcome::Updated, id.clone(), remark)
    });
    let good = updated.chain(rows(&outcome.unchanged, KeyOutcome::Unchanged));
    good.chain(failures(&outcome.failed)).chain(rows(&outcome.untouched, KeyOutcome::Untouched)).collect()
}

/// Returns the rows with names and owners from a list; these are empty for keys that are not in it.
pub fn named<'a>(list: &'a KeyList, rows: &'a [KeyOutcomeRow]) -> impl Iterator<Item = Written<'a>> {
    rows.iter().map(|(result, id, reason)| {
        let place = list.keys.row_id(id);
        let text = |of: fn(&'a crate::model::inventory::Inventory, usize) -> &'a str| {
            place.map_or("", |place| of(&list.keys, place)).into()
        };
        Written {
            result: result.word(),
            id: id.as_str(),
            name: text(|keys, place| keys.name(place)),
            username: text(|keys, place| keys.username(place)),
            realm: text(|keys, place| keys.realm(place)),
            reason: reason.into(),
        }
    })
}

/// Writes the file. This call blocks.
///
/// # Errors
/// Returns an error if the file exists already or can't be written.
pub fn to_file(file: &OutcomeReport) -> Result<Exported, Problem> {
    let path = &file.path;
    let refused = |error: &std::io::Error| export::refused(path, error);
    let out = File::options().write(true).create_new(true).open(path).map_err(|error| refused(&error))?;
    let outcomes = named(&file.list, &file.rows);
    let written = match file.format {
        Format::Csv => outcome_report::write_csv(BufWriter::new(&out), outcomes),
        _ => outcome_report::write_json(BufWriter::new(&out), outcomes),
    };
    let keys = written.and_then(|keys| out.sync_all().map(|()| keys)).map_err(|error| {
        // It is this call's own file, made a moment ago; the reason of the failure says more than another one.
        let _ = std::fs::remove_file(path);
        refused(&error)
    })?;
    Ok(Exported { keys, beyond: 0, path: path.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{guard::Guard, inventory::RawKey};

    #[test]
    fn every_key_is_in_the_file_with_its_name_and_reason_and_no_file_is_written_over() {
        let mut list = KeyList::default();
        for id in ["a", "b", "c", "d", "e"] {
            list.keys.put(&RawKey { id, name: &format!("key {id}"), username: "ana", ..RawKey::default() });
        }
        list.keys.finish();
        let outcome = Outcome {
            on_its_word: None,
            done: vec![KeyId::new("a")],
            failed: vec![
                (KeyId::new("b"), Failure::Refused("why".into())),
                (KeyId::new("e"), Failure::Unknown("cut".into())),
            ],
            untouched: vec![KeyId::new("c"), KeyId::new("d")],
            guarded: [(KeyId::new("d"), Guard::Managed)].into(),
            stopped: true,
            halted: None,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fates.csv");
        let rows = of_invalidation(&outcome);
        let file = OutcomeReport { list: Arc::new(list), rows, format: Format::Csv, path: path.clone() };
        assert_eq!(to_file(&file).unwrap().keys, 5);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let settled = ["invalidated,a,key a,ana,,", "failed,b,key b,ana,,why", "not known,e,key e,ana,,cut"];
        assert_eq!(lines[1..4], settled);
        assert!(lines[4].starts_with("untouched,c,") && lines[4].contains("stopped"), "{text}");
        assert!(lines[5].contains("says of itself that a product made it"), "{text}");
        assert!(to_file(&file).unwrap_err().hint.contains("never written over"));
    }
}
