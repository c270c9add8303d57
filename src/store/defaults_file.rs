//! File with a user's defaults of the command line.

use std::{
    env,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::model::defaults::{self, Defaults, DefaultsFault};

/// Size limit of the file, in bytes.
const MAX_DEFAULTS_BYTES: u64 = 1 << 16;

/// Variable that names another file, or `off` for none.
const VARIABLE: &str = "KEYBEARER_CONFIG";

/// File with the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultsFile {
    path: Option<PathBuf>,
    /// `true` if somebody named the file, so that it has to be there.
    is_named: bool,
}

impl DefaultsFile {
    /// The file that the environment names, otherwise `config.toml` in the folder that the system has for this user's
    /// settings.
    pub fn of_this_user() -> Self {
        match env::var_os(VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) if path == "off" => Self { path: None, is_named: true },
            Some(path) => Self { path: Some(path.into()), is_named: true },
            None => {
                let dirs = directories::ProjectDirs::from("", "", "keybearer");
                Self { path: dirs.map(|dirs| dirs.config_dir().join("config.toml")), is_named: false }
            }
        }
    }

    /// Path of the file, also where there is none yet; `None` if it is switched off, or the system names no folder.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Reads the defaults; without a file there are none.
    ///
    /// # Errors
    /// If the file can't be read or used, or somebody named a file that is not there.
    pub fn read(&self) -> Result<Defaults, DefaultsFault> {
        let Some(path) = &self.path else { return Ok(Defaults::default()) };
        let unreadable = |error: io::Error| DefaultsFault::whole(format!("it can't be read: {error}"));
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.is_named => return Ok(Defaults::default()),
            // A pipe would block whoever opens it.
            Ok(found) if !found.is_file() => return Err(DefaultsFault::whole("it is not a file")),
            found => found.map_err(unreadable)?,
        };
        let mut text = String::new();
        let mut file = File::open(path).map_err(unreadable)?.take(MAX_DEFAULTS_BYTES + 1);
        file.read_to_string(&mut text).map_err(unreadable)?;
        if text.len() as u64 > MAX_DEFAULTS_BYTES {
            return Err(DefaultsFault::whole(format!("it is longer than {} KiB", MAX_DEFAULTS_BYTES >> 10)));
        }
        defaults::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_named_has_to_be_there_and_be_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let file = |is_named| DefaultsFile { path: Some(path.clone()), is_named };
        assert_eq!(file(false).read(), Ok(Defaults::default()));
        assert!(file(true).read().is_err());
        fs::write(&path, "timeout = 7\n").unwrap();
        assert_eq!(file(true).read().unwrap().timeout.map(|set| set.value), Some(7));
        fs::write(&path, "#".repeat(MAX_DEFAULTS_BYTES as usize + 1)).unwrap();
        assert!(file(true).read().is_err_and(|fault| fault.to_string().contains("64 KiB")));
        let folder = DefaultsFile { path: Some(folder.path().to_owned()), is_named: false };
        assert!(folder.read().is_err_and(|fault| fault.to_string() == "it is not a file"));
        assert_eq!(DefaultsFile { path: None, is_named: true }.read(), Ok(Defaults::default()));
    }
}
