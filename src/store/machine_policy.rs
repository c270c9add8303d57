//! File with the rules of this computer. Only its administrator may be able to write it: whoever else could, could lift
//! the rules.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use crate::model::machine_policy::{self, MachinePolicy, PolicyFault};

/// Size limit of the file, in bytes.
const MAX_POLICY_BYTES: u64 = 1 << 16;

/// Variable by which the tests of a development build name another file. No release looks at it.
const TEST_FILE: &str = "KEYBEARER_TEST_POLICY";

/// File with the rules of this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFile {
    path: Option<PathBuf>,
    /// `true` if the user of this process may own the file, besides the administrator.
    may_be_own: bool,
}

impl PolicyFile {
    /// The file of this computer. Nothing that a user can set changes it in a release.
    pub fn of_this_machine() -> Self {
        Self::chosen(cfg!(debug_assertions), std::env::var_os(TEST_FILE))
    }

    fn chosen(is_development: bool, named: Option<OsString>) -> Self {
        match named.filter(|_| is_development) {
            Some(path) => Self::at(path.into()),
            None => Self { path: standard_path(), may_be_own: false },
        }
    }

    /// A file that its user may own, to be checked before an administrator puts it into place, and for tests.
    pub fn at(path: PathBuf) -> Self {
        Self { path: Some(path), may_be_own: true }
    }

    /// Path of the file; `None` where the system names no folder for it.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Reads the rules. Without a file there are none; a file that can't be used is one with a fault.
    pub fn read(&self) -> MachinePolicy {
        let Some(path) = &self.path else { return MachinePolicy::Absent };
        let read = self.text(path).and_then(|text| match text {
            Some(text) => machine_policy::parse(&text, &user_name()).map(Some),
            None => Ok(None),
        });
        match read {
            Ok(Some(rules)) => MachinePolicy::Rules { file: path.clone(), rules },
            Ok(None) => MachinePolicy::Absent,
            Err(fault) => MachinePolicy::Unusable { file: path.clone(), fault },
        }
    }

    /// Reads the text of the file; `None` if there is no file.
    fn text(&self, path: &Path) -> Result<Option<String>, PolicyFault> {
        let unreadable = |error: io::Error| PolicyFault::whole(format!("it can’t be read: {error}"));
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found.map_err(unreadable)?,
        };
        // A pipe would block whoever opens it.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(PolicyFault::whole("it is not a file"));
        }
        let file = File::open(path).map_err(unreadable)?;
        self.check_writers(path, &file)?;
        let mut bytes = Vec::new();
        file.take(MAX_POLICY_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_POLICY_BYTES {
            return Err(PolicyFault::whole(format!("it is longer than {} KiB", MAX_POLICY_BYTES >> 10)));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                let before =
                    String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
                let line = before.rsplit('\n').next().unwrap_or_default();
                let at = (before.matches('\n').count() + 1, line.chars().count() + 1);
                Err(PolicyFault { at: Some(at), reason: "it is not UTF-8 text".into() })
            }
        }
    }

    /// Checks that nobody but the administrator can write the file, or put another one in its place: the file and its
    /// folder belong to root, and neither its group nor others may write to them. A link is followed, and then both its
    /// folder and that of its target count. Access control lists widen the mode of the group, so they are covered.
    #[cfg(unix)]
    fn check_writers(&self, path: &Path, file: &File) -> Result<(), PolicyFault> {
        use std::os::unix::fs::MetadataExt as _;
        let unreadable = |error: io::Error| PolicyFault::whole(format!("it can’t be examined: {error}"));
        let own = nix::unistd::Uid::current().as_raw();
        let check = |found: &fs::Metadata, what: String| {
            let is_trusted = found.uid() == 0 || self.may_be_own && found.uid() == own;
            match (is_trusted, found.mode() & 0o022) {
                (false, _) => {
                    Err(PolicyFault::whole(format!("{what} belongs to user {} instead of root", found.uid())))
                }
                (true, 0) => Ok(()),
                (true, _) => {
                    let mode = found.mode() & 0o777;
                    Err(PolicyFault::whole(format!("{what} can be written by others (mode {mode:03o}): remove that")))
                }
            }
        };
        check(&file.metadata().map_err(unreadable)?, "it".into())?;
        let target = fs::canonicalize(path).map_err(unreadable)?;
        for folder in [path, &target].into_iter().filter_map(Path::parent) {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            check(&fs::metadata(folder).map_err(unreadable)?, format!("its folder {}", folder.display()))?;
        }
        Ok(())
    }

    /// On Windows the folder's access control list is the administrator's to set; it is not checked.
    #[cfg(not(unix))]
    fn check_writers(&self, _: &Path, _: &File) -> Result<(), PolicyFault> {
        let _ = self.may_be_own;
        Ok(())
    }
}

/// Returns the one path of a release; `None` where the system names no folder for it.
#[cfg(not(windows))]
fn standard_path() -> Option<PathBuf> {
    Some(PathBuf::from(if cfg!(target_os = "macos") {
        "/Library/Application Support/Keybearer/policy.toml"
    } else {
        "/etc/keybearer/policy.toml"
    }))
}

/// Returns the one path of a release, as Windows itself names the folder: the variable `ProgramData` is the user's.
#[cfg(windows)]
fn standard_path() -> Option<PathBuf> {
    let folder = known_folders::get_known_folder_path(known_folders::KnownFolder::ProgramData);
    folder.map(|folder| folder.join("Keybearer").join("policy.toml"))
}

/// Returns the name of the user that this process runs as, by the operating system; blank if it has none.
#[cfg(unix)]
fn user_name() -> String {
    use nix::unistd::{Uid, User};
    User::from_uid(Uid::current()).ok().flatten().map(|user| user.name).unwrap_or_default()
}

/// Returns the name of the user that this process runs as, by the environment: Windows sets it at sign-in.
#[cfg(not(unix))]
fn user_name() -> String {
    std::env::var("USERNAME").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(policy: &MachinePolicy) -> String {
        match policy {
            MachinePolicy::Unusable { fault, .. } => fault.to_string(),
            other => panic!("{other:?}"),
        }
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        (folder, path)
    }

    #[test]
    fn a_release_looks_at_its_one_path_whatever_the_environment_says() {
        let named = Some(OsString::from("/home/ana/none.toml"));
        let release = PolicyFile::chosen(false, named.clone());
        assert_eq!(release, PolicyFile::chosen(false, None));
        assert_eq!(release, PolicyFile { path: standard_path(), may_be_own: false });
        assert_ne!(PolicyFile::chosen(true, named), release);
    }

    #[test]
    fn without_a_file_there_are_no_rules_and_with_one_they_hold() {
        let (_folder, path) = folder();
        assert_eq!(PolicyFile::at(path.clone()).read(), MachinePolicy::Absent);
        assert_eq!(PolicyFile::at(path.join("below/none")).read(), MachinePolicy::Absent);
        fs::write(&path, "[journal]\nrequired = true\npath = \"/var/j/{user}\"").unwrap();
        let policy = PolicyFile::at(path.clone()).read();
        let rules = policy.rules().unwrap();
        assert_eq!(rules.journal_folder.as_deref(), Some(Path::new("/var/j").join(user_name()).as_path()));
        assert_eq!(policy.file(), Some(path.as_path()));
    }

    #[test]
    fn what_can_t_be_read_is_a_fault_and_not_no_rules() {
        let (folder, path) = folder();
        let file = PolicyFile::at(path.clone());
        fs::create_dir(&path).unwrap();
        assert!(fault(&file.read()).contains("not a file"));
        fs::remove_dir(&path).unwrap();
        for (bytes, words) in [
            (&b"[lock]\nmax_idle = \"\xff\""[..], "line 2, column 13: it is not UTF-8 text"),
            (b"[lock]\nmax_idle = 7", "line 2, column 12: "),
            (&vec![b'#'; MAX_POLICY_BYTES as usize + 1], "longer than 64 KiB"),
        ] {
            fs::write(&path, bytes).unwrap();
            assert!(fault(&file.read()).contains(words), "{}", fault(&file.read()));
        }
        fs::remove_file(&path).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("gone"), &path).unwrap();
            assert!(fault(&file.read()).contains("can’t be read"), "a link to nothing is not no file");
            fs::remove_file(&path).unwrap();
            assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
            assert!(fault(&file.read()).contains("not a file"), "nothing is waited for");
        }
        drop(folder);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_write_or_replace_is_a_fault() {
        use std::os::unix::fs::PermissionsExt as _;
        let (folder, path) = folder();
        let file = PolicyFile::at(path.clone());
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        fs::write(&path, "").unwrap();
        for (mode, is_fine) in [(0o644, true), (0o600, true), (0o664, false), (0o646, false), (0o666, false)] {
            set(&path, mode);
            let read = file.read();
            assert_eq!(read.rules().is_some(), is_fine, "{mode:o}");
            assert!(is_fine || fault(&read).contains(&format!("written by others (mode {mode:o})")), "{read:?}");
        }
        set(&path, 0o644);
        set(folder.path(), 0o777);
        assert!(fault(&file.read()).contains("its folder"), "another file could be put in its place");
        set(folder.path(), 0o755);
        // Through a link, both folders count.
        let elsewhere = tempfile::tempdir().unwrap();
        let target = elsewhere.path().join("target.toml");
        fs::rename(&path, &target).unwrap();
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(file.read().rules().is_some());
        set(elsewhere.path(), 0o777);
        assert!(fault(&file.read()).contains("its folder"));
        // In its place, it has to be the administrator's.
        set(elsewhere.path(), 0o755);
        if !nix::unistd::Uid::current().is_root() {
            let strict = PolicyFile { may_be_own: false, ..file };
            assert!(fault(&strict.read()).contains("instead of root"));
        }
    }
}
