//! Writing a secret to a file: a new one, that only its owner may read. It never overwrites.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::model::secret::Secret;

/// Writes the text and a line end to a file that doesn't exist yet, with mode 0600 where there are modes.
///
/// # Errors
/// When there is such a file already, or it can't be written; then no part of it stays behind.
pub fn write(path: &Path, text: &Secret) -> io::Result<()> {
    SecretFile::create(path)?.write(text)
}

/// A new, empty file for a secret that is still to come, so that it is known beforehand that it can
/// be written. Dropped without a secret it is removed.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    file: File,
    is_written: bool,
}

impl SecretFile {
    /// Makes the file, with mode 0600 where there are modes.
    ///
    /// # Errors
    /// When there is such a file already, or it can't be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| explain(path, error))?;
        Ok(Self { path: path.to_owned(), file, is_written: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the text and a line end.
    ///
    /// # Errors
    /// When it can't be written; then no part of it stays behind.
    pub fn write(mut self, text: &Secret) -> io::Result<()> {
        self.file.write_all(text.expose().as_bytes())?;
        self.file.write_all(b"\n")?;
        self.file.sync_all()?;
        self.is_written = true;
        Ok(())
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if !self.is_written {
            // What can't be removed is empty, or as good as the disk lets it be.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn explain(path: &Path, error: io::Error) -> io::Error {
    let words = match error.kind() {
        io::ErrorKind::AlreadyExists => {
            format!("{} exists already and is never overwritten: choose another name", path.display())
        }
        io::ErrorKind::NotFound => format!("There is no folder for {}: make it, or choose another", path.display()),
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
    fn a_missing_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(&folder.path().join("a/b"), &Secret::new("x")).unwrap_err();
        assert!(error.to_string().contains("no folder"));
    }
}
