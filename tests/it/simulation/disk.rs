//! A disk that loses at a power failure what was not synced: contents of files, and names in folders. Of what was not
//! synced some may have reached it all the same, and of a content only a part.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard},
};

use super::Dice;

/// The disks of all machines, by their root folders.
static DISKS: Mutex<BTreeMap<PathBuf, Arc<Disk>>> = Mutex::new(BTreeMap::new());

/// What a name in a folder leads to. The number of a file stays when it is renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Node {
    number: u64,
    is_folder: bool,
}

type Names = BTreeMap<OsString, Node>;

/// Everything under a root folder, as it outlasts a power failure.
pub struct Disk {
    root: PathBuf,
    inside: Mutex<Inside>,
    /// Told when the power fails at a sync.
    pub power_failed: tokio::sync::Notify,
    /// Threads of a process that is dead stay at their next sync until this is told.
    ends: Condvar,
}

/// Names in folders, and contents of files by their numbers.
#[derive(Default)]
struct Tree {
    names: BTreeMap<PathBuf, Names>,
    contents: BTreeMap<u64, Vec<u8>>,
}

impl Tree {
    /// What is in a folder, and in those in it.
    fn read(&mut self, folder: &Path) {
        let names = names(folder);
        for (name, node) in &names {
            let path = folder.join(name);
            if node.is_folder {
                self.read(&path);
            } else {
                self.contents.insert(node.number, fs::read(path).unwrap_or_default());
            }
        }
        self.names.insert(folder.to_owned(), names);
    }
}

#[derive(Default)]
struct Inside {
    synced: Tree,
    /// Everything at the moment in which the power failed, as the dead process saw it.
    seen: Tree,
    /// Number of syncs until the power fails, 0 for never, and whether it fails before that one is carried out.
    until_failure: (usize, bool),
    is_off: bool,
    has_ended: bool,
}

impl Disk {
    pub fn new(root: &Path) -> Arc<Self> {
        let disk = Arc::new(Self {
            root: root.to_owned(),
            inside: Mutex::default(),
            power_failed: tokio::sync::Notify::new(),
            ends: Condvar::new(),
        });
        DISKS.lock().unwrap().insert(root.to_owned(), Arc::clone(&disk));
        #[cfg(debug_assertions)]
        keybearer::store::disk::watched::watch(|path| {
            let disk = {
                let disks = DISKS.lock().unwrap();
                path.ancestors().find_map(|folder| disks.get(folder)).cloned()
            };
            if let Some(disk) = disk {
                disk.synced(path);
            }
        });
        disk
    }

    /// Forgets the disk, whose folder is gone.
    pub fn remove(&self) {
        DISKS.lock().unwrap().remove(&self.root);
        self.inside.lock().unwrap().has_ended = true;
        self.ends.notify_all();
    }

    fn synced(&self, path: &Path) {
        let mut inside = self.inside.lock().unwrap();
        if inside.is_off {
            return self.stay(inside);
        }
        let fails = inside.until_failure.0 == 1;
        inside.until_failure.0 = inside.until_failure.0.saturating_sub(1);
        if !(fails && inside.until_failure.1) {
            if path.is_dir() {
                inside.synced.names.insert(path.to_owned(), names(path));
            } else if let Some(node) = node(path) {
                inside.synced.contents.insert(node.number, fs::read(path).unwrap_or_default());
            }
        }
        if fails {
            inside.is_off = true;
            inside.seen.read(&self.root);
            self.power_failed.notify_one();
            self.stay(inside);
        }
    }

    /// A thread beside the life's own task would go on although its process is dead.
    #[cfg(debug_assertions)]
    fn stay(&self, inside: MutexGuard<'_, Inside>) {
        if keybearer::client::clock::OFFSET.try_with(|_| ()).is_err() {
            drop(self.ends.wait_while(inside, |inside| !inside.has_ended));
        }
    }

    #[cfg(not(debug_assertions))]
    fn stay(&self, _: MutexGuard<'_, Inside>) {}

    /// Lets the power fail at a sync to come, before or after it is carried out; at none for 0.
    pub fn fail_at(&self, sync: usize, before: bool) {
        self.inside.lock().unwrap().until_failure = (sync, before);
    }

    /// The power fails now: nothing that is synced from now on counts.
    pub fn power_off(&self) {
        let mut inside = self.inside.lock().unwrap();
        if !inside.is_off {
            inside.is_off = true;
            inside.seen.read(&self.root);
        }
    }

    pub fn is_off(&self) -> bool {
        self.inside.lock().unwrap().is_off
    }

    /// Leaves in the root folder what outlasted the failure, and returns the names of what was lost or torn. The process
    /// has to be dead.
    pub fn power_on(&self, dice: &mut Dice) -> Vec<String> {
        let mut inside = self.inside.lock().unwrap();
        // Most disks lose everything or nothing, and a few anything in between.
        let luck = [Luck::AllLost, Luck::AllLost, Luck::AllKept, Luck::Any][dice.below(4)];
        let (mut left, mut lost) = (Vec::new(), Vec::new());
        outlast(&inside, &self.root, luck, dice, &mut left, &mut lost);
        for entry in fs::read_dir(&self.root).unwrap().flatten() {
            match entry.path().is_dir() {
                true => fs::remove_dir_all(entry.path()).unwrap(),
                false => fs::remove_file(entry.path()).unwrap(),
            }
        }
        *inside = Inside::default();
        for (path, content) in &left {
            match content {
                None => fs::create_dir(path).unwrap(),
                Some(content) => {
                    let mut options = fs::File::options();
                    #[cfg(unix)]
                    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                    options.write(true).create_new(true).open(path).unwrap().write_all(content).unwrap();
                }
            }
        }
        // What outlasted it is on the disk.
        let folders = left.iter().filter(|(_, content)| content.is_none()).map(|(path, _)| path);
        for folder in folders.chain([&self.root]) {
            inside.synced.names.insert(folder.clone(), names(folder));
        }
        for (path, content) in &left {
            if let (Some(content), Some(node)) = (content, node(path)) {
                inside.synced.contents.insert(node.number, content.clone());
            }
        }
        lost
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Luck {
    AllLost,
    AllKept,
    Any,
}

/// Finds what outlasts of a folder: the path of each folder and file in it, and the content of a file.
fn outlast(
    inside: &Inside,
    folder: &Path,
    luck: Luck,
    dice: &mut Dice,
    left: &mut Vec<(PathBuf, Option<Vec<u8>>)>,
    lost: &mut Vec<String>,
) {
    let is_kept = |dice: &mut Dice| match luck {
        Luck::AllLost => false,
        Luck::AllKept => true,
        Luck::Any => dice.one_in(2),
    };
    let of = |tree: &Tree| tree.names.get(folder).cloned().unwrap_or_default();
    let (synced, current) = (of(&inside.synced), of(&inside.seen));
    let all: BTreeSet<&OsString> = synced.keys().chain(current.keys()).collect();
    let both = |name: &OsString| (synced.get(name).copied(), current.get(name).copied());
    // By age: names have random parts.
    let mut all: Vec<&OsString> = all.into_iter().collect();
    all.sort_by_key(|name| {
        let (old, new) = both(name);
        old.into_iter().chain(new).map(|node| node.number).max()
    });
    for name in all {
        let path = folder.join(name);
        let (old, new) = both(name);
        let chosen = if old == new || !is_kept(dice) { old } else { new };
        if chosen != new {
            lost.push(format!("the name of {}", plain(name)));
        }
        let Some(chosen) = chosen else { continue };
        if chosen.is_folder {
            left.push((path.clone(), None));
            outlast(inside, &path, luck, dice, left, lost);
            continue;
        }
        let synced = inside.synced.contents.get(&chosen.number).cloned();
        // A file that was replaced is not reached by its name any more.
        let now = if Some(chosen) == new { inside.seen.contents.get(&chosen.number).cloned() } else { synced.clone() };
        let content = match (synced, now) {
            (Some(synced), Some(now)) if synced == now => synced,
            (synced, now) => {
                let (synced, now) = (synced.unwrap_or_default(), now.unwrap_or_default());
                let common = synced.iter().zip(&now).take_while(|(a, b)| a == b).count();
                lost.push(format!("the content of {}", plain(name)));
                match luck {
                    Luck::AllLost => synced,
                    Luck::AllKept => now,
                    Luck::Any => now[..common + dice.below(now.len() - common + 1)].to_vec(),
                }
            }
        };
        left.push((path, Some(content)));
    }
}

/// A name without what is random in it.
fn plain(name: &OsString) -> String {
    let name = name.to_string_lossy();
    let kinds = ["journal-", "rotation-", ".keybearer-", "head.json", "lock", "secret-"];
    kinds.iter().find(|kind| name.starts_with(**kind)).map_or_else(|| "another file".into(), |kind| (*kind).to_owned())
}

fn names(folder: &Path) -> Names {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name(), node(&entry.path())?))).collect()
}

#[cfg(unix)]
fn node(path: &Path) -> Option<Node> {
    let found = fs::metadata(path).ok()?;
    Some(Node { number: std::os::unix::fs::MetadataExt::ino(&found), is_folder: found.is_dir() })
}

#[cfg(not(unix))]
fn node(_: &Path) -> Option<Node> {
    None
}

/// By these dice everything is lost that was not synced.
#[cfg(debug_assertions)]
pub fn unlucky() -> Dice {
    (0..).map(Dice).find(|dice| Dice(dice.0).below(4) == 0).unwrap()
}

#[cfg(all(unix, debug_assertions))]
#[test]
fn only_what_was_synced_outlasts_a_power_failure() {
    use keybearer::{model::secret::Secret, store::secret_file};
    let folder = tempfile::tempdir_in(super::memory_folder()).unwrap();
    let disk = Disk::new(folder.path());
    let place = |name: &str| folder.path().join(name);
    secret_file::write(&place("secret-1"), &Secret::new("kept")).unwrap();
    fs::write(place("never synced"), "lost").unwrap();
    fs::write(place("secret-1"), "changed").unwrap();
    disk.power_off();
    fs::write(place("secret-2"), "too late").unwrap();
    fs::rename(place("secret-2"), place("secret-3")).unwrap();
    let lost = disk.power_on(&mut unlucky());
    assert_eq!(fs::read_to_string(place("secret-1")).unwrap(), "kept\n");
    assert!(!place("never synced").exists() && !place("secret-3").exists(), "{lost:?}");
    assert_eq!(lost.len(), 2, "{lost:?}");
    disk.remove();
}
