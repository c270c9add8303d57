//! The settings file. It holds nothing secret; the connections are in the keyring.

use std::{fs, io, path::PathBuf};

use super::own_files::{self, Durability};
use crate::model::settings::Settings;

/// Path of the settings; `None` where the system names no folder for them.
#[derive(Clone, Debug, Default)]
pub struct SettingsFile(Option<PathBuf>);

impl SettingsFile {
    /// The file in the folder that the system names for this user's settings.
    pub fn of_this_user() -> Self {
        Self(directories::ProjectDirs::from("", "", "keybearer").map(|dirs| dirs.config_dir().join("settings.json")))
    }

    /// A file at a path of the caller's choice.
    pub fn at(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// Reads the settings; the defaults if there are none or they can't be read. Temporary files that a crash left in
    /// their folder are removed.
    pub fn read(&self) -> Settings {
        if let Some(path) = &self.0 {
            own_files::sweep(own_files::folder_of(path));
        }
        let text = self.0.as_ref().and_then(|path| fs::read_to_string(path).ok());
        text.map(|text| Settings::read(&text)).unwrap_or_default()
    }

    /// Writes the settings atomically: on an error the file is as before.
    ///
    /// # Errors
    /// Any error of the file system. Without a path nothing is written, and that is no error.
    pub fn write(&self, settings: &Settings) -> io::Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        own_files::make_folder(own_files::folder_of(path))?;
        own_files::replace(path, serde_json::to_string_pretty(settings)?.as_bytes(), Durability::Content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_kept_in_their_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::at(folder.path().join("deep/settings.json"));
        assert_eq!(file.read(), Settings::default());
        let settings = Settings { look: Some("Light".into()), ..Settings::default() };
        file.write(&settings).unwrap();
        assert_eq!(file.read(), settings);
        SettingsFile::default().write(&settings).unwrap();
        assert_eq!(SettingsFile::default().read(), Settings::default());
    }
}
