//! Writing a secret to a new file that only its owner may read. It never overwrites.

use std::{
    fs::File,
    io::{self, Read as _, Write},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{disk, own_files};
use crate::model::secret::Secret;

/// Size limit of a file that holds a secret, in bytes.
const MAX_SECRET_FILE_BYTES: u64 = 1 << 16;

/// Writes the text and a line end to a file that doesn't exist yet, with mode 0600 on Unix.
///
/// # Errors
/// Returns an error if the file exists already or can't be written; no part of it stays behind.
pub fn write(path: &Path, text: &Secret) -> io::Result<()> {
    SecretFile::create(path)?.write(text)
}

/// Reads a secret's file; `None` where there is no such file, or where it is empty.
///
/// # Errors
/// Returns an error if the file can't be read, is longer than a secret, or is not a regular file: a pipe would block
/// the reader, and a link may lead anywhere.
pub fn read(path: &Path) -> io::Result<Option<Secret>> {
    let file = match open_existing(path, File::options().read(true)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut text = Zeroizing::new(String::with_capacity(4096));
    file.take(MAX_SECRET_FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SECRET_FILE_BYTES {
        return Err(refused(path, "is longer than any secret"));
    }
    Ok(Some(Secret::from(text)).filter(|text| !text.expose().trim().is_empty()))
}

/// A new, empty file for a secret that is still to come, so that it is known beforehand that it can be written. It is
/// removed if dropped without a secret.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    file: File,
    is_written: bool,
}

impl SecretFile {
    /// Creates the file, with mode 0600 on Unix and an access control list for its owner alone on Windows.
    ///
    /// # Errors
    /// Returns an error if the file exists already, can't be created, or would be readable by others.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        #[cfg(windows)]
        {
            /// Others may remove the file, and not open it: it has the rights of its folder for a moment.
            const FILE_SHARE_DELETE: u32 = 4;
            std::os::windows::fs::OpenOptionsExt::share_mode(&mut options, FILE_SHARE_DELETE);
        }
        let file = options.open(path).map_err(|error| explain(path, error))?;
        // It goes again if others can't be kept out: nothing was written.
        let created = Self { path: path.to_owned(), file, is_written: false };
        own_files::restrict_to_owner(path)?;
        Ok(created)
    }

    /// Creates the file as [`SecretFile::create`] does, or takes over the one that an interrupted run has left: empty,
    /// and for its owner only.
    ///
    /// # Errors
    /// Returns the errors of [`SecretFile::create`] for any file that is not empty.
    pub fn create_or_take_empty(path: &Path) -> io::Result<Self> {
        // The file itself is taken, not its name: in a shared folder somebody else may put another one there.
        let file = match open_existing(path, File::options().write(true)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::create(path),
            file => file?,
        };
        let found = file.metadata()?;
        if found.len() > 0 {
            return Err(explain(path, io::ErrorKind::AlreadyExists.into()));
        }
        if cfg!(windows) {
            // Whose it is, and whom its list of rights names, is not known: a new one is ours.
            drop(file);
            std::fs::remove_file(path)?;
            return Self::create(path);
        }
        only_mine(path, &file, &found)?;
        Ok(Self { path: path.to_owned(), file, is_written: false })
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the text and a line end.
    ///
    /// # Errors
    /// Returns an error if the file can't be written; no part of it stays behind.
    pub fn write(mut self, text: &Secret) -> io::Result<()> {
        self.file.write_all(text.expose().as_bytes())?;
        self.file.write_all(b"\n")?;
        disk::sync_file(&self.file, &self.path)?;
        // A name is on the disk when its folder is. Where that is not possible, the file has been written all the same.
        let _ = disk::sync_folder(own_files::folder_of(&self.path));
        self.is_written = true;
        Ok(())
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if !self.is_written {
            // A file that can't be removed is empty, as far as the disk allows it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Opens an existing file, if it is a regular file and the one that was examined before. Nothing is truncated.
fn open_existing(path: &Path, options: &std::fs::OpenOptions) -> io::Result<File> {
    let before = std::fs::symlink_metadata(path)?;
    if !before.is_file() {
        return Err(refused(path, "is not a file but a link, a pipe or a folder"));
    }
    let file = options.open(path).map_err(|error| explain(path, error))?;
    let is_same = {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let opened = file.metadata()?;
            (opened.dev(), opened.ino()) == (before.dev(), before.ino())
        }
        #[cfg(not(unix))]
        file.metadata()?.is_file()
    };
    if is_same { Ok(file) } else { Err(refused(path, "was replaced while it was being opened")) }
}

/// Makes sure that a file belongs to nobody else: only its owner may set its mode, and no other name leads to it.
#[cfg(unix)]
fn only_mine(path: &Path, file: &File, found: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    if found.nlink() != 1 {
        return Err(refused(path, "also has another name"));
    }
    let mode = std::fs::Permissions::from_mode(0o600);
    file.set_permissions(mode).map_err(|_| refused(path, "belongs to someone else"))
}

#[cfg(not(unix))]
fn only_mine(_: &Path, _: &File, _: &std::fs::Metadata) -> io::Result<()> {
    Ok(())
}

fn refused(path: &Path, why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{} {why}: choose another name", path.display()))
}

fn explain(path: &Path, error: io::Error) -> io::Error {
    let words = match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{} exists already and is never overwritten: choose another name", path.display())
        }
        io::ErrorKind::NotFound => format!("There is no folder for {}: create it, or choose another", path.display()),
        io::ErrorKind::PermissionDenied => format!("{} can't be written: you have no permission there", path.display()),
        _ => format!("{} can't be written: {error}", path.display()),
    };
    io::Error::new(error.kind(), words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_file_is_new_and_for_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, &Secret::new("hunter2")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hunter2\n");
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );
        let error = write(&path, &Secret::new("other")).unwrap_err();
        assert!(error.to_string().contains("never overwritten"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hunter2\n");
    }

    #[test]
    fn a_file_whose_secret_never_came_is_gone_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let file = SecretFile::create(&path).unwrap();
        assert!(path.exists() && SecretFile::create(&path).is_err());
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn an_empty_file_that_was_left_behind_is_taken_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert_eq!(read(&path).unwrap(), None);
        std::fs::write(&path, "").unwrap();
        assert_eq!(read(&path).unwrap(), None);
        SecretFile::create_or_take_empty(&path).unwrap().write(&Secret::new("hunter2")).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().expose().trim(), "hunter2");
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );
        assert!(SecretFile::create_or_take_empty(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "hunter2\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_a_pipe_and_a_file_with_another_name_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, link, aim) = (folder.path().join("pipe"), folder.path().join("link"), folder.path().join("aim"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::fs::write(&aim, "").unwrap();
        std::os::unix::fs::symlink(&aim, &link).unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "").unwrap();
        std::fs::hard_link(&other, folder.path().join("second name")).unwrap();
        let (sent, came) = std::sync::mpsc::sync_channel(1);
        let work = std::thread::Builder::new().name("odd files".into()).spawn(move || {
            for path in [&pipe, &link] {
                assert!(read(path).unwrap_err().to_string().contains("is not a file"));
                assert!(SecretFile::create_or_take_empty(path).unwrap_err().to_string().contains("is not a file"));
            }
            assert!(SecretFile::create_or_take_empty(&other).unwrap_err().to_string().contains("another name"));
            sent.send(()).unwrap();
        });
        came.recv_timeout(std::time::Duration::from_secs(20)).expect("nothing waits for a writer of the pipe");
        work.unwrap().join().unwrap();
        assert_eq!(std::fs::read_to_string(&aim).unwrap(), "");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_read_becomes_its_owner_s_only_before_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        let taken = SecretFile::create_or_take_empty(&path).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
        taken.write(&Secret::new("hunter2")).unwrap();
    }

    #[test]
    fn a_file_longer_than_any_secret_is_refused_rather_than_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "x".repeat(MAX_SECRET_FILE_BYTES as usize)).unwrap();
        assert!(read(&path).is_ok());
        std::fs::write(&path, "x".repeat(MAX_SECRET_FILE_BYTES as usize + 1)).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("longer than any secret"));
    }

    #[test]
    fn a_missing_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(&folder.path().join("a/b"), &Secret::new("x")).unwrap_err();
        assert!(error.to_string().contains("no folder"));
    }
}
