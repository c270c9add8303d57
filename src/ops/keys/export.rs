//! Exporting keys to a new file, with progress and a way to stop. No existing file is ever overwritten, and an export
//! that was stopped or failed leaves no file behind.

use std::{
    borrow::Cow,
    fs::{self, File},
    io::{self, BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    export::{self, About, ExportError, Format, Row},
    model::inventory::RowId,
    ops::{Problem, keys::list::KeyList},
};

/// Keys of one list to export, with the name of their cluster.
#[derive(Clone, Debug)]
pub struct ExportSource {
    /// Name of the cluster.
    pub cluster: String,
    /// List that the keys are in.
    pub list: Arc<KeyList>,
    /// Row ids of the keys in the list, in the order of the file.
    pub rows: Vec<RowId>,
}

/// Export of keys to a new file.
#[derive(Clone, Debug)]
pub struct Export {
    /// Keys to export.
    pub parts: Vec<ExportSource>,
    /// File format.
    pub format: Format,
    /// Path of the new file; an existing file is never overwritten.
    pub path: PathBuf,
    /// Information in the file about the export itself.
    pub about: About,
}

/// Result of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Number of keys in the file.
    pub keys: u64,
    /// Number of keys that expire beyond the calendar's range and could not be put into a calendar file.
    pub beyond: u64,
    /// Path of the file.
    pub path: PathBuf,
}

/// Writes the file. `tell` receives the number of keys written so far. This call blocks.
///
/// # Errors
/// Returns an error if the file exists already or can't be written, or if the export was stopped.
pub fn to_file(export: &Export, stop: &AtomicBool, tell: impl Fn(u64) + Send + Sync) -> Result<Exported, Problem> {
    let path = &export.path;
    let file = File::options().write(true).create_new(true).open(path).map_err(|error| refused(path, &error))?;
    let mut out = BufWriter::new(file);
    let rows = export.parts.iter().flat_map(|part| {
        let key = |row: &RowId| Row { cluster: &part.cluster, key: Cow::Owned(part.list.keys.key(*row)) };
        part.rows.iter().map(key)
    });
    let written = export::write(export.format, &mut out, rows, &export.about, &mut |count| {
        tell(count);
        if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let ended = written.and_then(|written| {
        out.flush()?;
        out.get_ref().sync_all()?;
        Ok(written)
    });
    match ended {
        Ok(written) => Ok(Exported { keys: written.keys, beyond: written.beyond, path: path.clone() }),
        Err(error) => {
            drop(out);
            // It is this call's own file, made a moment ago; one that can't be removed is named.
            let rest = fs::remove_file(path).err().map(|_| format!(". A partial export is in {}", path.display()));
            Err(match error {
                ExportError::Stopped => {
                    Problem::new("Stopped", &format!("Nothing was exported{}", rest.unwrap_or_default()))
                }
                ExportError::Write(error) => {
                    let mut problem = refused(path, &error);
                    problem.detail.push_str(&rest.unwrap_or_default());
                    problem
                }
            })
        }
    }
}

pub(crate) fn refused(path: &Path, error: &io::Error) -> Problem {
    let hint = match error.kind() {
        io::ErrorKind::AlreadyExists => "The file already exists and is never overwritten: choose another name",
        io::ErrorKind::NotFound => "The folder does not exist: choose another location",
        io::ErrorKind::PermissionDenied => "You don't have permission to write there: choose another location",
        io::ErrorKind::StorageFull => "The disk is full",
        _ => "Choose another location",
    };
    Problem::new("The file can’t be written", &format!("{}: {error}", path.display())).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Timestamp, inventory::RawKey};

    fn export(path: PathBuf) -> Export {
        let mut list = KeyList::default();
        for number in 0..2500 {
            list.keys.put(&RawKey { id: &format!("id{number}"), name: "=1+1", ..RawKey::default() });
        }
        let rows = (0..2500).rev().filter_map(RowId::new).collect();
        let part = ExportSource { cluster: "c".into(), rows, list: Arc::new(list) };
        let zone = jiff::tz::TimeZone::UTC;
        let about =
            About { cluster: "c".into(), with_cluster: false, now: Timestamp::EPOCH, made_at: Timestamp::EPOCH, zone };
        Export { parts: vec![part], format: Format::Csv, path, about }
    }

    #[test]
    fn a_file_is_written_in_order_and_never_over_another() {
        let folder = tempfile::tempdir().unwrap();
        let export = export(folder.path().join("keys.csv"));
        let written = to_file(&export, &AtomicBool::new(false), |_| ()).unwrap();
        assert_eq!(written.keys, 2500);
        let text = fs::read_to_string(&export.path).unwrap();
        assert!(text.lines().nth(1).unwrap().starts_with("id2499,'=1+1"), "{}", text.lines().nth(1).unwrap());
        let again = to_file(&export, &AtomicBool::new(false), |_| ()).unwrap_err();
        assert!(again.hint.contains("never overwritten"));
        assert_eq!(fs::read_to_string(&export.path).unwrap(), text);
    }

    #[test]
    fn what_is_stopped_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let export = export(folder.path().join("keys.csv"));
        let stopped = to_file(&export, &AtomicBool::new(true), |_| ()).unwrap_err();
        assert_eq!(stopped.title, "Stopped");
        assert!(!export.path.exists());
        let nowhere = Export { path: folder.path().join("no/keys.csv"), ..export };
        assert!(to_file(&nowhere, &AtomicBool::new(false), |_| ()).unwrap_err().hint.contains("folder does not exist"));
    }
}
