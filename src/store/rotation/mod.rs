//! Rotations in their folder: one file each, replaced as a whole, so that a crash leaves the state before or the state
//! after. A lock beside the file lets only one program at a time advance a rotation.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::{
    lock::{self, LOCK_WAIT},
    own_files::{self, Durability},
};
use crate::model::rotation::Rotation;

const PREFIX: &str = "rotation-";
/// Size limit of a file that is read as a rotation, in bytes.
pub const MAX_ROTATION_BYTES: u64 = 1 << 20;

/// The folder of the rotations. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotations(PathBuf);

/// Everything that is in the folder of the rotations.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Rotations, the oldest first.
    pub rotations: Vec<Rotation>,
    /// Files that should be rotations and can't be read, each with the reason.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// A rotation that no other program can advance while this guard is held.
#[derive(Debug)]
pub struct RotationGuard {
    folder: PathBuf,
    lock: File,
    saved: Rotation,
    /// `true` if the old key was read and valid while this guard is held: then its later absence is no proof that it
    /// was removed.
    pub old_seen_valid: bool,
    /// State of the rotation; [`RotationGuard::save`] writes it to the disk.
    pub rotation: Rotation,
}

impl Rotations {
    /// The rotations in the folder that KEYBEARER_ROTATIONS names, otherwise in the one that the system has for this
    /// user's data; `None` where the system has none.
    pub fn from_environment() -> Option<Self> {
        match std::env::var_os("KEYBEARER_ROTATIONS") {
            Some(place) if !place.is_empty() => Some(Self::at(place.into())),
            _ => directories::ProjectDirs::from("", "", "keybearer")
                .map(|dirs| Self(dirs.data_local_dir().join("rotations"))),
        }
    }

    /// The rotations in a folder of the caller's choice.
    pub fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// Path of the folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Reads all rotations. A missing folder is the same as an empty one.
    ///
    /// # Errors
    /// Returns an error if the folder can't be read.
    pub fn all(&self) -> io::Result<Listing> {
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Listing::default()),
            entries => entries?,
        };
        let mut listing = Listing::default();
        for entry in entries {
            let path = entry?.path();
            let Some(id) = id_of(&path) else { continue };
            match read(&path) {
                Ok(rotation) if rotation.id == id => listing.rotations.push(rotation),
                Ok(rotation) => {
                    let reason = format!("it is rotation {}, stored in place of another", rotation.id);
                    listing.unreadable.push((path, reason));
                }
                Err(reason) => listing.unreadable.push((path, reason)),
            }
        }
        listing.rotations.sort_by(|a, b| (a.begun_at, &a.id).cmp(&(b.begun_at, &b.id)));
        listing.unreadable.sort();
        Ok(listing)
    }

    /// Writes a new rotation to the disk, and returns its guard.
    ///
    /// # Errors
    /// Any error of the file system, also when there is a rotation of this id already.
    pub fn begin(&self, rotation: Rotation) -> io::Result<RotationGuard> {
        own_files::make_folder(&self.0)?;
        if !is_plain(&rotation.id) || self.0.join(file_name(&rotation.id)).exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a rotation needs an id of its own"));
        }
        let lock = self.lock_file(&rotation.id)?;
        let guard =
            RotationGuard { folder: self.0.clone(), lock, saved: rotation.clone(), old_seen_valid: false, rotation };
        write(&guard.folder, &guard.rotation)?;
        Ok(guard)
    }

    /// Locks one rotation, and reads its current state from the disk.
    ///
    /// # Errors
    /// An error with a text, when there is no such rotation, when it can't be read, or while another program holds it.
    pub fn lock(&self, id: &str) -> io::Result<RotationGuard> {
        if !is_plain(id) {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such rotation"));
        }
        let path = self.0.join(file_name(id));
        if !path.exists() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no such rotation"));
        }
        let lock = self.lock_file(id)?;
        let rotation = read(&path)
            .map_err(|reason| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {reason}", path.display())))?;
        if rotation.id != id {
            let words = format!("{} is rotation {}, stored in place of another", path.display(), rotation.id);
            return Err(io::Error::new(io::ErrorKind::InvalidData, words));
        }
        Ok(RotationGuard { folder: self.0.clone(), lock, saved: rotation.clone(), old_seen_valid: false, rotation })
    }

    /// Locks the beginning of rotations until the returned file is dropped. Waits no longer than [`LOCK_WAIT`] for
    /// another holder. Temporary files that a crash left in the folder are removed.
    ///
    /// # Errors
    /// `WouldBlock` when another process still holds it, and any error of the file system.
    pub fn lock_all(&self) -> io::Result<File> {
        own_files::make_folder(&self.0)?;
        own_files::sweep(&self.0);
        lock::lock(&self.0.join("lock"), LOCK_WAIT)
    }

    fn lock_file(&self, id: &str) -> io::Result<File> {
        let file =
            own_files::options().create(true).truncate(false).write(true).open(self.0.join(format!("{id}.lock")))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(io::Error::new(io::ErrorKind::WouldBlock, "another Keybearer is working on it"))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl RotationGuard {
    /// Writes the rotation, and returns when it is on the disk. A change that can't be written is undone, so that no
    /// step is taken from it.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn save(&mut self) -> io::Result<()> {
        if self.saved == self.rotation {
            return Ok(());
        }
        if let Err(error) = write(&self.folder, &self.rotation) {
            self.rotation = self.saved.clone();
            return Err(error);
        }
        self.saved = self.rotation.clone();
        Ok(())
    }

    /// Path of the rotation's file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(file_name(&self.rotation.id))
    }
}

impl Drop for RotationGuard {
    fn drop(&mut self) {
        // A program that locks a finished rotation finds nothing to do, whichever lock it holds.
        if self.saved.is_finished() {
            let _ = fs::remove_file(self.folder.join(format!("{}.lock", self.saved.id)));
        }
        let _ = self.lock.unlock();
    }
}

fn file_name(id: &str) -> String {
    format!("{PREFIX}{id}.json")
}

fn id_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()?.strip_prefix(PREFIX)?.strip_suffix(".json")
}

/// Returns `true` if an id is made of ASCII letters, digits and `-`, so that it can't lead out of the folder.
fn is_plain(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn read(path: &Path) -> Result<Rotation, String> {
    // Whatever stands there: a pipe would be waited for.
    if !fs::metadata(path).map_err(|error| error.to_string())?.is_file() {
        return Err("it is not a file".into());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_ROTATION_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_ROTATION_BYTES {
        return Err(format!("it has more than {MAX_ROTATION_BYTES} bytes, so it can't be a rotation"));
    }
    let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    Rotation::read(&text).map_err(|error| error.to_string())
}

fn write(folder: &Path, rotation: &Rotation) -> io::Result<()> {
    let text = format!("{}\n", rotation.text()?);
    own_files::replace(&folder.join(file_name(&rotation.id)), text.as_bytes(), Durability::Name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        rotation::{Beginning, ClusterRef, Destination, OldKey, Person, State},
    };

    fn rotation(id: &str, at: i64) -> Rotation {
        Rotation::new(Beginning {
            id: id.into(),
            batch: None,
            cluster: ClusterRef::default(),
            at: Timestamp::from_millis(at),
            old: OldKey::default(),
            maker: Person::default(),
            name: "app".into(),
            expiration: "1d".into(),
            grace: TimeDelta::ZERO,
            place: Destination::Stdout,
            request: "q".into(),
        })
    }

    fn folder() -> (tempfile::TempDir, Rotations) {
        let folder = tempfile::tempdir().unwrap();
        let rotations = Rotations::at(folder.path().join("deep/rotations"));
        (folder, rotations)
    }

    #[test]
    fn what_is_saved_is_there_for_whoever_comes_next_and_for_nobody_else() {
        let (_folder, rotations) = folder();
        assert!(rotations.all().unwrap().rotations.is_empty(), "no folder yet");
        let mut guard = rotations.begin(rotation("b", 2)).unwrap();
        drop(rotations.begin(rotation("a", 1)).unwrap());
        guard.rotation.created(KeyId::new("new")).unwrap();
        assert_eq!(rotations.all().unwrap().rotations[1].state, State::Planned, "not saved yet");
        guard.save().unwrap();
        let busy = rotations.lock("b").unwrap_err();
        assert!(busy.kind() == io::ErrorKind::WouldBlock && busy.to_string().contains("another"), "{busy}");
        drop(guard);
        let listing = rotations.all().unwrap();
        assert_eq!(listing.rotations.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let guard = rotations.lock("b").unwrap();
        assert_eq!(guard.rotation.successor(), Some(&KeyId::new("new")));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&guard.path()), mode(rotations.folder())), (0o600, 0o700));
        }
    }

    #[test]
    fn a_lock_that_is_held_elsewhere_is_not_waited_for_forever() {
        let (_folder, rotations) = folder();
        let guard = rotations.lock_all().unwrap();
        let began = std::time::Instant::now();
        let busy = rotations.lock_all().unwrap_err();
        assert!(began.elapsed() < 2 * LOCK_WAIT, "{:?}", began.elapsed());
        assert_eq!(busy.kind(), io::ErrorKind::WouldBlock);
        assert!(busy.to_string().contains(&format!("process {} holds its lock", std::process::id())), "{busy}");
        drop(guard);
        rotations.lock_all().unwrap();
    }

    #[test]
    fn an_id_is_used_once_and_leads_nowhere_else() {
        let (_folder, rotations) = folder();
        drop(rotations.begin(rotation("a", 1)).unwrap());
        assert!(rotations.begin(rotation("a", 1)).is_err());
        for odd in ["", "../a", "a/b", ".", "none"] {
            assert_eq!(rotations.lock(odd).unwrap_err().kind(), io::ErrorKind::NotFound, "{odd}");
        }
        assert!(rotations.begin(rotation("../x", 1)).is_err());
    }

    #[test]
    fn what_is_torn_foreign_or_newer_is_named_and_hides_no_other() {
        let (_folder, rotations) = folder();
        drop(rotations.begin(rotation("good", 1)).unwrap());
        let place = |name: &str| rotations.folder().join(name);
        let good = fs::read_to_string(place("rotation-good.json")).unwrap();
        fs::write(place("rotation-torn.json"), &good[..good.len() / 2]).unwrap();
        fs::write(place("rotation-newer.json"), good.replace("\"version\": 1", "\"version\": 9")).unwrap();
        fs::write(place("rotation-copy.json"), &good).unwrap();
        fs::write(place("rotation-bytes.json"), [0xff, 0xfe]).unwrap();
        fs::write(place(".keybearer-aB3xYz.new"), "half").unwrap();
        fs::write(place("notes.txt"), "mine").unwrap();
        let listing = rotations.all().unwrap();
        assert_eq!(listing.rotations.len(), 1);
        let named: Vec<String> = listing
            .unreadable
            .iter()
            .map(|(path, why)| format!("{}: {why}", path.file_name().unwrap().display()))
            .collect();
        assert_eq!(named.len(), 4, "{named:?}");
        for (words, place) in
            [("rotation-bytes", 0), ("in place of another", 1), ("newer one", 2), ("not a rotation", 3)]
        {
            assert!(named[place].contains(words), "{named:?}");
        }
        for id in ["torn", "newer", "copy"] {
            assert_eq!(rotations.lock(id).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_or_too_long_is_named_and_not_waited_for() {
        let (_folder, rotations) = folder();
        drop(rotations.begin(rotation("good", 1)).unwrap());
        let place = |name: &str| rotations.folder().join(name);
        let made = std::process::Command::new("mkfifo").arg(place("rotation-pipe.json")).status().unwrap();
        assert!(made.success());
        fs::create_dir(place("rotation-folder.json")).unwrap();
        fs::write(place("rotation-long.json"), "x".repeat(MAX_ROTATION_BYTES as usize + 1)).unwrap();
        let listing = rotations.all().unwrap();
        assert_eq!((listing.rotations.len(), listing.unreadable.len()), (1, 3), "{:?}", listing.unreadable);
        assert!(listing.unreadable[1].1.contains("more than 1048576 bytes"), "{:?}", listing.unreadable);
        assert!(rotations.lock("pipe").unwrap_err().to_string().contains("not a file"));
    }

    #[cfg(unix)]
    #[test]
    fn what_can_t_be_written_down_is_taken_back() {
        let (_folder, rotations) = folder();
        let mut guard = rotations.begin(rotation("a", 1)).unwrap();
        // Something in the way of the new file, which not even root can write over.
        let kept = rotations.folder().join("kept");
        fs::rename(guard.path(), &kept).unwrap();
        fs::create_dir(guard.path()).unwrap();
        guard.rotation.created(KeyId::new("new")).unwrap();
        assert!(guard.save().is_err());
        assert_eq!(guard.rotation.state, State::Planned);
        fs::remove_dir(guard.path()).unwrap();
        fs::rename(&kept, guard.path()).unwrap();
        assert_eq!(rotations.all().unwrap().rotations[0].state, State::Planned);
    }

    #[test]
    fn a_finished_one_leaves_no_lock_behind() {
        let (_folder, rotations) = folder();
        let mut guard = rotations.begin(rotation("a", 1)).unwrap();
        guard.rotation.abandoned(false, Timestamp::from_millis(2)).unwrap();
        guard.save().unwrap();
        drop(guard);
        assert!(!rotations.folder().join("a.lock").exists());
        assert!(rotations.lock("a").unwrap().rotation.is_finished());
    }
}
