//! Folders and files that nobody but their owner may read, and the one way to replace such a file.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    time::Duration,
};

use super::disk;

/// Beginning and end of the name of a temporary file, between which there are random letters.
const TEMPORARY: (&str, &str) = (".keybearer-", ".new");

/// Age from which a temporary file was left behind by a crash. No file takes so long to write.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 60 * 60);

/// State of the disk in which [`replace`] returns. In both a crash leaves the old or the new file, and never a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The new content is on the disk; after a crash its name may still lead to the old one.
    Content,
    /// The name leads to the new content, also after a crash.
    Name,
}

/// Creates a folder and its parents, with mode 0700 on Unix, and returns when they are on the disk. An existing folder
/// stays as it is.
///
/// # Errors
/// Any error of the file system.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let above = disk::folders_to_sync(folder);
    builder.create(folder)?;
    above.iter().try_for_each(|above| disk::sync_folder(above))
}

/// Options for opening a file for reading; a file that is created gets mode 0600 on Unix.
pub(super) fn options() -> OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.read(true);
    options
}

/// Takes all rights on a file from everybody but its owner, on Windows, where a new file has those of its folder. On Unix
/// its mode says so from the start, and this does nothing.
///
/// # Errors
/// Returns an error if `icacls`, which is part of Windows, can't be run or refuses.
#[cfg(windows)]
pub(super) fn restrict_to_owner(path: &Path) -> io::Result<()> {
    use std::{
        os::windows::process::CommandExt as _,
        process::{Command, Stdio},
    };
    /// No console flashes up beside the window.
    const CREATE_NO_WINDOW: u32 = 0x0800_0000;
    /// Whoever owns the file, in the notation of `icacls`.
    const OWNER: &str = "*S-1-3-4:F";

    // By its path: another program of that name may lie in the current folder.
    let system = known_folders::get_known_folder_path(known_folders::KnownFolder::System)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "Windows does not name its system folder"))?;
    let status = Command::new(system.join("icacls.exe"))
        .arg(path)
        .args(["/inheritance:r", "/grant:r", OWNER])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .creation_flags(CREATE_NO_WINDOW)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "other users can't be kept out of the file (icacls)"))
    }
}

/// Takes all rights on a file from everybody but its owner: on Unix its mode says so from the start.
///
/// # Errors
/// None here.
#[cfg(not(windows))]
#[expect(clippy::unnecessary_wraps, reason = "on Windows there are errors")]
pub(super) fn restrict_to_owner(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Replaces a file as a whole, or creates it, with mode 0600 on Unix. The content is first written to a temporary file
/// in the same folder, whose name no other process has.
///
/// # Errors
/// Any error of the file system. No temporary file stays behind, and the file is as before; only if its folder could not
/// be synced, it is the new one already.
pub(super) fn replace(path: &Path, bytes: &[u8], durability: Durability) -> io::Result<()> {
    let folder = folder_of(path);
    let (prefix, suffix) = TEMPORARY;
    let mut new = tempfile::Builder::new().prefix(prefix).suffix(suffix).tempfile_in(folder)?;
    new.write_all(bytes)?;
    disk::sync_file(new.as_file(), new.path())?;
    new.persist(path)?;
    if durability == Durability::Name { disk::sync_folder(folder) } else { Ok(()) }
}

/// Removes temporary files of [`replace`] that a crash left in a folder a day ago or earlier. A file that can't be
/// removed stays.
pub(super) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_temporary = |name: &str| name.starts_with(TEMPORARY.0) && name.ends_with(TEMPORARY.1);
        let is_left_behind = |found: fs::Metadata| {
            let age = found.modified().ok().and_then(|at| at.elapsed().ok());
            found.is_file() && age.is_some_and(|age| age >= LEFT_BEHIND)
        };
        if entry.file_name().to_str().is_some_and(is_temporary) && entry.metadata().is_ok_and(is_left_behind) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Returns the folder that a file is in, `.` for a name alone.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_and_replaced_as_a_whole_and_is_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        for (bytes, durability) in [("long and old", Durability::Name), ("new", Durability::Content)] {
            replace(&path, bytes.as_bytes(), durability).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), bytes);
        }
        assert_eq!(names(folder.path()), ["state.json"]);
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777, 0o600);
        assert_eq!(folder_of(Path::new("state.json")), Path::new("."));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_could_read_is_for_its_owner_only_when_it_is_replaced() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        replace(&path, b"new", Durability::Name).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_can_t_be_replaced_stays_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the way, which not even root can write over.
        let path = folder.path().join("state.json");
        fs::create_dir_all(path.join("inside")).unwrap();
        replace(&path, b"new", Durability::Name).unwrap_err();
        assert_eq!(names(folder.path()), ["state.json"]);
        assert!(path.join("inside").exists());
        let missing = folder.path().join("none/state.json");
        assert_eq!(replace(&missing, b"new", Durability::Name).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn two_writers_never_leave_a_mixture() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        let contents = ["a".repeat(100_000), "b".repeat(50_000)];
        std::thread::scope(|threads| {
            for content in &contents {
                let path = &path;
                threads.spawn(move || {
                    (0..20).for_each(|_| replace(path, content.as_bytes(), Durability::Content).unwrap());
                });
            }
        });
        assert!(contents.contains(&fs::read_to_string(&path).unwrap()));
        assert_eq!(names(folder.path()), ["state.json"]);
    }

    #[test]
    fn only_own_temporary_files_of_yesterday_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let yesterday = SystemTime::now() - LEFT_BEHIND;
        let old = [".keybearer-aB3xYz.new", ".keybearer-notes.txt", "a.new", ".other-aB3xYz.new", "state.json"];
        for name in old {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(yesterday).unwrap();
        }
        fs::write(folder.path().join(".keybearer-fresh1.new"), "").unwrap();
        fs::create_dir(folder.path().join(".keybearer-folder.new")).unwrap();
        sweep(folder.path());
        let left =
            [".keybearer-folder.new", ".keybearer-fresh1.new", ".keybearer-notes.txt", ".other-aB3xYz.new", "a.new"];
        assert_eq!(names(folder.path()), [&left[..], &["state.json"]].concat());
        sweep(&folder.path().join("none"));
    }
}
