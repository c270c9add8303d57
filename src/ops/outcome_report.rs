//! Report of the outcome for each of many keys, as a new file that can be passed on.

use std::{fs::File, io::BufWriter, path::PathBuf, sync::Arc};

use crate::{
    export::{
        Format,
        outcome_report::{self, OutcomeRow as Written},
    },
    model::{
        api_key::KeyId,
        failure::Failure,
        inventory::{Inventory, RowId},
    },
    ops::{
        Outcome, Problem,
        keys::{
            export::{self, Exported},
            list::KeyList,
        },
    },
};

/// Outcome for one key of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyOutcome {
    /// Key that is proved to be invalidated.
    Invalidated,
    /// Key that was changed.
    Updated,
    /// Key that has a successor now, whose secret was delivered.
    Rotated,
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
            Self::Rotated => "rotated",
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

impl From<&Failure> for KeyOutcome {
    fn from(failure: &Failure) -> Self {
        if failure.is_unknown() { Self::Unknown } else { Self::Failed }
    }
}

/// Returns the row of a key that failed or whose outcome is unknown.
pub fn failure((id, failure): &(KeyId, Failure)) -> KeyOutcomeRow {
    (failure.into(), id.clone(), failure.reason().to_owned())
}

/// Returns the rows of an outcome: done as `done` names it, unchanged, failed, untouched.
pub fn rows(outcome: &Outcome, done: KeyOutcome) -> Vec<KeyOutcomeRow> {
    let remark = |id: &KeyId| outcome.remarks.get(id).cloned().unwrap_or_default();
    let good = outcome.done.iter().map(|id| (done, id.clone(), remark(id)));
    let unchanged = outcome.unchanged.iter().map(|id| (KeyOutcome::Unchanged, id.clone(), String::new()));
    let why = |id: &KeyId| outcome.why_untouched(id).to_owned();
    let untouched = outcome.untouched.iter().map(|id| (KeyOutcome::Untouched, id.clone(), why(id)));
    good.chain(unchanged).chain(outcome.failed.iter().map(failure)).chain(untouched).collect()
}

/// Returns the rows with names and owners from a list; these are empty for keys that are not in it.
pub fn named<'a>(list: &'a KeyList, rows: &'a [KeyOutcomeRow]) -> impl Iterator<Item = Written<'a>> {
    rows.iter().map(|(result, id, reason)| {
        let row = list.keys.row_id(id);
        let text = |of: fn(&'a Inventory, RowId) -> &'a str| row.map_or("", |row| of(&list.keys, row)).into();
        Written {
            result: result.word(),
            id: id.as_str(),
            name: text(|keys, row| keys.name(row)),
            username: text(|keys, row| keys.username(row)),
            realm: text(|keys, row| keys.realm(row)),
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
            done: vec![KeyId::new("a")],
            failed: vec![
                (KeyId::new("b"), Failure::Refused("why".into())),
                (KeyId::new("e"), Failure::Unknown("cut".into())),
            ],
            untouched: vec![KeyId::new("c"), KeyId::new("d")],
            guarded: [(KeyId::new("d"), Guard::Managed)].into(),
            stopped: true,
            ..Outcome::default()
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fates.csv");
        let rows = rows(&outcome, KeyOutcome::Invalidated);
        let file = OutcomeReport { list: Arc::new(list), rows, format: Format::Csv, path: path.clone() };
        assert_eq!(to_file(&file).unwrap().keys, 5);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let settled = ["invalidated,a,key a,ana,,", "failed,b,key b,ana,,why", "not known,e,key e,ana,,cut"];
        assert_eq!(lines[1..4], settled);
        assert!(lines[4].starts_with("untouched,c,") && lines[4].contains("stopped"), "{text}");
        assert!(lines[5].contains("claims that a product created it"), "{text}");
        assert!(to_file(&file).unwrap_err().hint.contains("never overwritten"));
    }
}
