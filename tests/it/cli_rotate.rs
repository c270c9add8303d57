//! Rotations by command: the whole life, what is refused and why, several at once, and what stays on disk.

use std::{fs, path::PathBuf, process::Command, thread, time::Duration};

use serde_json::{Value, json};

use crate::cli_practice::{Practice, Ran, folder, keybearer, run, text};

/// A practice cluster, and a place for what a rotation leaves on disk.
pub struct Desk {
    pub practice: Practice,
    pub place: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        Self::with(Practice::start())
    }

    pub fn with(practice: Practice) -> Self {
        Self { practice, place: folder() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// A command with folders of its own.
    pub fn at_home(&self, mut command: Command) -> Command {
        command.env("KEYBEARER_ROTATIONS", self.path("rotations")).env("KEYBEARER_JOURNAL", self.path("journal"));
        command
    }

    pub fn user(&self, name: &str, args: &[&str]) -> Ran {
        run(self.practice.user(self.at_home(keybearer()), name).args(args))
    }

    pub fn rotate(&self, args: &[&str]) -> Ran {
        self.user("officer", &[&["rotate"], args].concat())
    }

    /// The key `app` with an application id, and its id.
    pub fn app(&self) -> String {
        let more = ["--id", "my-app", "--expiration", "9d", "--metadata", r#"{"n":1,"team":{"a":1}}"#];
        self.practice.create("app", &more)["id"].as_str().unwrap().to_owned()
    }

    pub fn shown(&self, id: &str) -> Value {
        let ran = self.practice.officer(["show", "--output", "json", "--", id]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()
    }

    /// The ids of the keys of this name: those that work, and those that are invalidated.
    pub fn named(&self, name: &str) -> (Vec<String>, Vec<String>) {
        let all = self.practice.list(&[&format!("name:{name}")]);
        let ids = |status: &str| {
            let rows = all.iter().filter(|row| row["status"] == status);
            rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
        };
        (ids("valid"), ids("invalidated"))
    }

    pub fn listed(&self) -> Vec<Value> {
        let ran = self.rotate(&["--list", "--output", "json"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json().as_array().unwrap().clone()
    }

    /// The end that every rotation comes to: one key works, its secret is in the file, the old one is gone.
    pub fn assert_rotated(&self, name: &str, old: &str, file: &str) {
        let (works, gone) = self.named(name);
        assert_eq!(works.len(), 1, "one key works: {works:?}, not {gone:?}");
        assert!(gone.contains(&old.to_owned()) && works[0] != old, "{works:?} {gone:?}");
        let encoded = fs::read_to_string(self.path(file)).unwrap();
        let who = run(self.practice.holder(keybearer(), &encoded).args(["whoami", "--output", "json"]));
        assert_eq!((who.code, who.json()["api_key"]["id"].as_str()), (Some(0), Some(works[0].as_str())), "{who:?}");
        let rotation = self.listed().into_iter().find(|rotation| rotation["old_id"] == old).unwrap();
        assert_eq!((&rotation["state"], rotation["new_id"].as_str()), (&json!("done"), Some(works[0].as_str())));
        let strays: Vec<&str> = rotation["strays"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        assert!(strays.iter().all(|id| gone.contains(&(*id).to_owned())), "{strays:?} {gone:?}");
        assert_eq!(gone.len(), 1 + strays.len(), "every other key is accounted for");
        let journal = run(self.at_home(keybearer()).args(["journal", "verify"]));
        assert_eq!(journal.code, Some(0), "{journal:?}");
        assert!(!format!("{journal:?}").contains("has an intent but no outcome"), "no intent stays open: {journal:?}");
        self.assert_no_secret_on_disk(&encoded);
    }

    fn assert_no_secret_on_disk(&self, encoded: &str) {
        for part in ["rotations", "journal"] {
            for entry in fs::read_dir(self.path(part)).unwrap().map(Result::unwrap) {
                let text = fs::read_to_string(entry.path()).unwrap();
                assert!(!text.contains(encoded.trim()), "{}", entry.path().display());
            }
        }
    }
}

#[test]
fn the_whole_life_with_a_grace_period() {
    let desk = Desk::new();
    let old = desk.app();
    let file = desk.path("new-key");
    let args = ["my-app", "--grace", "2s", "--secret-file", text(&file), "--output", "json"];
    let asked = desk.rotate(&args);
    assert_eq!((asked.code, asked.out.as_str()), (Some(2), ""), "nobody can confirm it: {asked:?}");
    assert!(asked.err.contains("--yes") && !file.exists(), "{asked:?}");
    assert!(desk.listed().is_empty() && desk.named("app").0 == [old.clone()], "nothing was made");

    let begun = desk.rotate(&[&args[..], &["--yes"]].concat());
    assert_eq!(begun.code, Some(0), "{begun:?}");
    let told = begun.json();
    assert!(told.get("api_key").is_none() && told["secret_file"].as_str() == file.to_str(), "{told}");
    let new = told["id"].as_str().unwrap();
    for words in
        ["Tested:", "Both keys work", "--due", "same as those in the old key", "last use of the old key: not known"]
    {
        assert!(begun.err.contains(words), "{words}: {begun:?}");
    }
    let (before, after) = (desk.shown(&old), desk.shown(new));
    assert_eq!(before["role_descriptors"], after["role_descriptors"]);
    assert_eq!(before["limited_by"], after["limited_by"]);
    let meta = |key: &str, name: &str| desk.shown(key)["metadata"][name].clone();
    assert_eq!((meta(new, "rotated_from"), meta(&old, "rotated_to")), (json!(old), json!(new)));
    assert_eq!((meta(new, "application_id"), meta(new, "team")), (json!("my-app"), json!({ "a": 1 })));
    assert_ne!(meta(new, "request_id"), meta(&old, "request_id"));
    let life = |key: &Value| key["expiration"].as_i64().unwrap() - key["creation"].as_i64().unwrap();
    assert!((life(&before) - life(&after)).abs() < 2000, "as long a lifetime as the old key's");

    thread::sleep(Duration::from_millis(2100));
    assert_eq!((&desk.listed()[0]["state"], &desk.listed()[0]["is_due"]), (&json!("grace"), &json!(true)));
    let asked = desk.rotate(&["--due"]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    assert_eq!(desk.named("app").0.len(), 2);
    let done = desk.rotate(&["--due", "--yes", "--output", "json"]);
    assert_eq!((done.code, &done.json()[0]["invalidated"]), (Some(0), &json!(true)), "{done:?}");
    assert!(done.err.contains("Read back"), "{done:?}");
    desk.assert_rotated("app", &old, "new-key");

    let again = desk.rotate(&["--due", "--yes"]);
    assert_eq!((again.code, again.out.as_str()), (Some(0), ""), "{again:?}");
    assert!(again.err.contains("Nothing is due"), "{again:?}");
    let resumed = desk.rotate(&["--resume", &old]);
    assert!(resumed.code == Some(0) && resumed.err.contains("is done"), "{resumed:?}");
    let journal = run(desk.at_home(keybearer()).args(["journal", "list", "--output", "json"])).json();
    let id = told["rotation"].as_str().unwrap();
    let steps: Vec<&str> = (journal.as_array().unwrap().iter())
        .filter(|entry| entry["action"] == "api-key-rotate" && entry["phase"] == "intent")
        .filter(|entry| entry["request"].as_str().unwrap().contains(id))
        .map(|entry| entry["request"].as_str().unwrap())
        .collect();
    assert_eq!(steps.len(), 3, "{steps:?}");
}

#[test]
fn before_the_grace_period_is_over_nothing_is_ended() {
    let desk = Desk::new();
    desk.app();
    let file = desk.path("k");
    let begun = desk.rotate(&["my-app", "--secret-file", text(&file), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    assert!(begun.err.contains("in 23 hours") || begun.err.contains("in 24 hours"), "{begun:?}");
    for args in [&["--due", "--yes"][..], &["--resume", desk.listed()[0]["rotation"].as_str().unwrap(), "--yes"]] {
        assert_eq!(desk.rotate(args).code, Some(0));
        assert_eq!(desk.named("app").0.len(), 2);
    }
    let table = desk.rotate(&["--list"]);
    assert!(table.out.contains("grace") && table.out.contains("in 23 hours"), "{table:?}");
    let twice = desk.rotate(&["--yes", "--output", "json", "--", desk.listed()[0]["old_id"].as_str().unwrap()]);
    assert_eq!((twice.code, twice.out.as_str()), (Some(1), ""), "{twice:?}");
    assert!(twice.err.contains("already being rotated") && twice.err.contains("--cancel"), "{twice:?}");
}

#[test]
fn a_compromised_key_ends_as_soon_as_its_successor_was_tried() {
    let desk = Desk::new();
    let old = desk.app();
    let file = desk.path("k");
    let args =
        ["my-app", "--compromised", "--name", "app", "--expiration", "3d", "--secret-file", text(&file), "--yes"];
    let done = desk.rotate(&args);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("Read back") && done.err.contains("expiration: in 3 days"), "{done:?}");
    desk.assert_rotated("app", &old, "k");
}

#[test]
fn the_secret_goes_to_stdout_only_when_asked() {
    let desk = Desk::new();
    let old = desk.app();
    let nobody = desk.rotate(&["my-app", "--yes"]);
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(2), ""), "{nobody:?}");
    assert!(nobody.err.contains("--output json") && nobody.err.contains("--secret-file"), "{nobody:?}");
    let dry = desk.rotate(&["my-app", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{dry:?}");
    assert!(dry.out.contains("\"rotated_from\"") && dry.out.contains("\"team\": {\"a\": 1}"), "{dry:?}");
    assert!(desk.listed().is_empty());
    let told = desk.rotate(&["my-app", "--grace", "0s", "--yes", "--output", "json"]);
    assert_eq!(told.code, Some(0), "{told:?}");
    let key = told.json();
    assert!(!told.err.contains(key["api_key"].as_str().unwrap()), "{told:?}");
    fs::write(desk.path("k"), key["encoded"].as_str().unwrap()).unwrap();
    desk.assert_rotated("app", &old, "k");
}

#[test]
fn a_key_of_somebody_else_is_rotated_as_its_owner_or_with_an_extra_word() {
    let desk = Desk::new();
    let args = ["create", "--name", "hers", "--all-my-rights", "--reason", "test", "--expiration", "1d"];
    let foreign = desk.user("ana", &[&args[..], &["--output", "json"]].concat());
    assert_eq!(foreign.code, Some(0), "{foreign:?}");
    let id = foreign.json()["id"].as_str().unwrap().to_owned();
    let file = desk.path("k");
    let more = ["--compromised", "--secret-file", text(&file), "--yes"];
    let refused = desk.rotate(&[&["hers"], &more[..]].concat());
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for words in ["belongs to ana", "would belong to officer", "--run-as ana", "--other-owner"] {
        assert!(refused.err.contains(words), "{words}: {refused:?}");
    }
    assert!(!file.exists() && desk.named("hers").0.len() == 1);
    let acted = desk.rotate(&[&["--run-as", "ana", "hers"], &more[..]].concat());
    assert_eq!(acted.code, Some(0), "{acted:?}");
    desk.assert_rotated("hers", &id, "k");
    let (works, _) = desk.named("hers");
    assert_eq!(desk.shown(&works[0])["username"], "ana");

    let other = desk.path("mine");
    let mine = ["hers", "--other-owner", "--compromised", "--secret-file", text(&other), "--yes"];
    let taken = desk.rotate(&mine);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    for words in
        ["it will belong to officer", "different privileges than the old key", "only its owner ana can write it"]
    {
        assert!(taken.err.contains(words), "{words}: {taken:?}");
    }
}

#[test]
fn what_can_t_be_rotated_is_refused_with_a_way_out() {
    let desk = Desk::with(Practice::with_keys(400));
    let old = desk.app();
    let file = desk.path("k");
    let more = ["--secret-file", text(&file), "--yes"];
    let rotate = |key: &str| desk.rotate(&[&more[..], &["--", key]].concat());
    let cross = desk.practice.list(&["type:cross_cluster", "-status:invalidated", "-status:expired"])[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let expired = desk.practice.list(&["status:expired", "type:rest"])[0]["id"].as_str().unwrap().to_owned();
    for (key, words) in [
        (cross.as_str(), "/_security/cross_cluster/api_key"),
        (&expired, "has expired"),
        ("no-such-key", "no key with the id"),
    ] {
        let ran = rotate(key);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{key}: {ran:?}");
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(desk.user("officer", &["invalidate", "--yes", "--", &old]).code, Some(0));
    assert!(rotate(&old).err.contains("already invalidated"));
    let key = desk.practice.create("self", &["--expiration", "1d"]);
    let mut holder = desk.practice.holder(desk.at_home(keybearer()), key["encoded"].as_str().unwrap());
    let ran = run(holder.args(["rotate", "self"]).args(more));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    for (args, option) in [(&["--grace", "soon"][..], "--grace"), (&["--grace", "never"], "--grace")] {
        let ran = desk.rotate(&[&["x"], args].concat());
        assert!(ran.code == Some(2) && ran.err.starts_with(option), "{ran:?}");
    }
    assert!(desk.listed().is_empty() && !file.exists());
}

#[test]
fn several_keys_are_a_batch_and_the_failure_of_one_leaves_the_others() {
    let desk = Desk::new();
    let ids: Vec<String> = ["one", "two", "three"]
        .iter()
        .map(|name| desk.practice.create(name, &["--expiration", "2d"])["id"].as_str().unwrap().to_owned())
        .collect();
    let secrets = desk.path("secrets");
    fs::create_dir(&secrets).unwrap();
    fs::write(secrets.join(format!("{}.key", ids[1])), "in the way").unwrap();
    let usage = desk.rotate(&["one", "two", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert!(usage.code == Some(2) && usage.err.contains("--secret-dir"), "{usage:?}");
    let args = ["one", "two", "three", "--secret-dir", text(&secrets), "--grace", "0s", "--yes"];
    let ran = desk.rotate(&args);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("never overwritten") && ran.err.contains(&ids[1]), "{ran:?}");
    for (name, id) in [("one", &ids[0]), ("three", &ids[2])] {
        desk.assert_rotated(name, id, &format!("secrets/{id}.key"));
    }
    assert_eq!(desk.named("two"), (vec![ids[1].clone()], vec![]), "left as it was");
    let batches: Vec<Value> = desk.listed().iter().map(|rotation| rotation["batch"].clone()).collect();
    assert!(batches.len() == 2 && batches[0] == batches[1] && batches[0].is_string(), "{batches:?}");
}

#[test]
fn a_rotation_that_is_given_up_leaves_the_old_key_and_no_other() {
    let desk = Desk::new();
    let old = desk.app();
    let begin = |file: &str| {
        let ran = desk.rotate(&["my-app", "--secret-file", text(&desk.path(file)), "--yes", "--output", "json"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()
    };
    let first = begin("a");
    let asked = desk.rotate(&["--cancel", first["rotation"].as_str().unwrap()]);
    assert_eq!(asked.code, Some(2), "{asked:?}");
    let cancelled = desk.rotate(&["--cancel", &old, "--yes"]);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    let told = format!("The successor {} was invalidated and read back", first["id"].as_str().unwrap());
    assert!(cancelled.err.contains(&told) && !cancelled.err.contains("nobody knows its secret"), "{cancelled:?}");
    assert_eq!(desk.named("app"), (vec![old.clone()], vec![first["id"].as_str().unwrap().to_owned()]));
    let again = desk.rotate(&["--cancel", first["rotation"].as_str().unwrap(), "--yes"]);
    assert!(again.code == Some(1) && again.err.contains("canceled"), "{again:?}");

    let run = desk.rotate(&["--secret-file", text(&desk.path("b")), "--yes", "--output", "json", "--", &old]);
    let second = run.json();
    let kept = desk.rotate(&["--cancel", second["rotation"].as_str().unwrap(), "--keep-successor", "--yes"]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    assert_eq!(desk.named("app").0.len(), 2);
}

#[test]
fn a_successor_that_no_longer_works_ends_nothing() {
    let desk = Desk::new();
    let old = desk.app();
    let file = desk.path("k");
    let begun = desk.rotate(&["my-app", "--grace", "1s", "--secret-file", text(&file), "--yes", "--output", "json"]);
    let new = begun.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(desk.user("officer", &["invalidate", "--yes", "--", &new]).code, Some(0));
    thread::sleep(Duration::from_millis(1100));
    let refused = desk.rotate(&["--due", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("its successor is invalidated") && refused.out.contains("failed"), "{refused:?}");
    let resumed = desk.rotate(&["--resume", &old, "--yes"]);
    assert!(resumed.code == Some(1) && resumed.err.contains("someone invalidated it"), "{resumed:?}");
    assert_eq!(desk.named("app").0, std::slice::from_ref(&old));
    assert_eq!(desk.rotate(&["--cancel", &old, "--yes"]).code, Some(0));
}

#[test]
fn an_old_key_that_was_changed_meanwhile_is_not_ended() {
    let desk = Desk::new();
    let old = desk.app();
    let begun = desk.rotate(&["my-app", "--grace", "1s", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    let more = r#"{"r":{"cluster":["monitor","manage_ilm"]}}"#;
    let changed = desk.user("officer", &["update", "--role-descriptors", more, "--yes", "--", &old]);
    assert_eq!(changed.code, Some(0), "{changed:?}");
    thread::sleep(Duration::from_millis(1100));
    let refused = desk.rotate(&["--due", "--yes"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("have changed since"), "{refused:?}");
    assert_eq!(desk.named("app").0.len(), 2);
    assert_eq!(desk.user("officer", &["invalidate", "--yes", "--", &old]).code, Some(0));
    let done = desk.rotate(&["--resume", &old, "--yes"]);
    assert!(done.code == Some(0) && done.err.contains("was already invalidated. Nothing was sent"), "{done:?}");
}

#[test]
fn torn_files_and_other_clusters_are_named_and_left_alone() {
    let desk = Desk::new();
    desk.app();
    let begun = desk.rotate(&["my-app", "--grace", "0s", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    let mut files = fs::read_dir(desk.path("rotations")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    let good = fs::read_to_string(&file).unwrap();
    fs::write(desk.path("rotations/rotation-torn.json"), &good[..good.len() / 3]).unwrap();
    let mut value: Value = serde_json::from_str(&good).unwrap();
    value["id"] = json!("elsewhere");
    value["cluster"]["uuid"] = json!("other");
    value["state"] = json!({ "name": "grace", "successor": "n", "due": 1, "tried": "live" });
    fs::write(desk.path("rotations/rotation-elsewhere.json"), value.to_string()).unwrap();
    let listed = desk.rotate(&["--list"]);
    assert_eq!(listed.code, Some(3), "{listed:?}");
    assert!(listed.err.contains("rotation-torn.json is ignored") && listed.out.contains("elsewhere"), "{listed:?}");
    let due = desk.rotate(&["--due", "--yes"]);
    assert!(due.code == Some(1) && due.err.contains("Nothing is due on this cluster"), "{due:?}");
    let resumed = desk.rotate(&["--resume", "elsewhere", "--yes"]);
    assert!(resumed.code == Some(1) && resumed.err.contains("another cluster"), "{resumed:?}");
    let torn = desk.rotate(&["--resume", "torn", "--yes"]);
    assert!(torn.code == Some(1) && torn.err.contains("not a rotation"), "{torn:?}");
}

/// Runs `keybearer rotate` with its standard output as a shell makes it: `>&-`, `>/dev/null`, `1</dev/null`.
#[cfg(target_os = "linux")]
fn rotate_into(desk: &Desk, redirection: &str, args: &[&str]) -> Ran {
    let program = keybearer();
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().env("TZ", "UTC").stdin(std::process::Stdio::null());
    shell.args(["-c", &format!("exec \"$0\" \"$@\" {redirection}")]).arg(program.get_program());
    run(desk.practice.user(desk.at_home(shell), "officer").arg("rotate").args(args))
}

#[cfg(target_os = "linux")]
#[test]
fn a_secret_that_nobody_would_get_is_not_made_and_no_key_ends() {
    let desk = Desk::new();
    let old = desk.app();
    for redirection in [">&-", ">/dev/null", "1</dev/null", ">/dev/full"] {
        for more in [&["--grace", "0s"][..], &["--grace", "1h"]] {
            let ran = rotate_into(&desk, redirection, &[&["my-app", "--output", "json", "--yes"], more].concat());
            assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{redirection}: {ran:?}");
            assert!(ran.err.contains("would reach nobody") && ran.err.contains("--secret-file"), "{ran:?}");
            assert_eq!(desk.named("app"), (vec![old.clone()], vec![]), "{redirection}");
        }
    }
    assert!(desk.listed().is_empty());
}

/// A command of another machine: its rotations are in a folder of their own.
pub fn elsewhere(desk: &Desk, args: &[&str]) -> Command {
    let mut command = desk.practice.user(desk.at_home(keybearer()), "officer");
    command.env("KEYBEARER_ROTATIONS", desk.path("rotations-there"));
    command.env("KEYBEARER_JOURNAL", desk.path("journal-there"));
    command.arg("rotate").args(args);
    command
}

#[test]
fn a_key_that_another_machine_is_rotating_gets_no_second_successor_without_a_word() {
    let desk = Desk::new();
    let old = desk.app();
    let begun = desk.rotate(&["my-app", "--grace", "1h", "--secret-file", text(&desk.path("a")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    let new = desk.named("app").0.into_iter().find(|id| *id != old).unwrap();
    let file = desk.path("b");
    let args = ["--grace", "2s", "--secret-file", text(&file), "--yes", "--", &old];
    let refused = run(&mut elsewhere(&desk, &args));
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""), "{refused:?}");
    for words in ["is already being rotated", &new, "of officer", "--again"] {
        assert!(refused.err.contains(words), "{words}: {refused:?}");
    }
    assert_eq!(desk.named("app").0.len(), 2);
    let again = run(&mut elsewhere(&desk, &[&["--again"], &args[..]].concat()));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.err.contains(&new) && desk.named("app").0.len() == 3, "{again:?}");
    // Here nobody said so: the old key is not ended while another successor of it works.
    thread::sleep(Duration::from_millis(2100));
    let done = run(&mut elsewhere(&desk, &["--due", "--yes"]));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(desk.named("app").1, std::slice::from_ref(&old));
}

#[test]
fn the_metadata_of_a_successor_is_enough_to_know_that_a_key_is_being_rotated() {
    let desk = Desk::new();
    let old = desk.app();
    let metadata = format!(r#"{{"rotated_from":"{old}"}}"#);
    let foreign = desk.practice.create("successor", &["--expiration", "1d", "--metadata", &metadata]);
    let refused = desk.rotate(&["my-app", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert!(refused.code == Some(1) && refused.err.contains(foreign["id"].as_str().unwrap()), "{refused:?}");
    assert_eq!(desk.user("officer", &["invalidate", "--yes", "--", foreign["id"].as_str().unwrap()]).code, Some(0));
    let begun = desk.rotate(&["my-app", "--grace", "0s", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    desk.assert_rotated("app", &old, "k");
}

#[test]
fn two_machines_at_the_same_time_leave_one_successor() {
    for round in 0..races(4) {
        let desk = Desk::new();
        let old = desk.app();
        let (a, b) = (desk.path("a"), desk.path("b"));
        // By its id: the application id means two keys as soon as one machine has made a successor.
        let args = |file: &std::path::Path| {
            [&old, "--grace", "1h", "--yes", "--secret-file"]
                .map(str::to_owned)
                .into_iter()
                .chain([text(file).to_owned()])
        };
        let mut here = desk.practice.user(desk.at_home(keybearer()), "officer");
        here.arg("rotate").args(args(&a));
        let mut there = elsewhere(&desk, &[]);
        there.args(args(&b));
        let started = [here, there].map(|mut command| {
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
        });
        let ran = started.map(|child| Ran::of(child.wait_with_output().unwrap()));
        let mut codes = ran.each_ref().map(|ran| ran.code);
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(1)], "{round}: {ran:?}");
        let loser = ran.iter().find(|ran| ran.code == Some(1)).unwrap();
        assert!(loser.err.contains("already being rotated"), "{loser:?}");
        let works = desk.named("app").0;
        assert!(works.len() == 2 && works.contains(&old), "{round}: {works:?}, {ran:?}");
    }
}

/// Number of rounds of a race: `KEYBEARER_TEST_RACES` sets it for all of them.
pub fn races(usual: usize) -> usize {
    std::env::var("KEYBEARER_TEST_RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Changes the only rotation's file as somebody would who can write to the folder.
fn edit(desk: &Desk, change: impl FnOnce(&mut Value)) {
    let mut files = fs::read_dir(desk.path("rotations")).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    let mut value: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    change(&mut value);
    fs::write(&file, value.to_string()).unwrap();
}

#[test]
fn a_state_that_was_edited_ends_no_key() {
    let desk = Desk::new();
    let old = desk.app();
    let other = desk.practice.create("other", &["--expiration", "2d"])["id"].as_str().unwrap().to_owned();
    let begun = desk.rotate(&["my-app", "--grace", "1h", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    let valid = || {
        let mut all = [desk.named("app").0, desk.named("other").0].concat();
        all.sort();
        all
    };
    let before = valid();
    let good = {
        let mut good = Value::Null;
        edit(&desk, |value| good = value.clone());
        good
    };
    type Change = fn(&mut Value, &str);
    let changes: [(&str, &str, Change); 6] = [
        ("another key as the old one", "can't be verified as the successor", |value, other| {
            value["old"]["id"] = json!(other);
        }),
        ("another key by name and owner, too", "can't be verified as the successor", |value, other| {
            value["old"]["id"] = json!(other);
            value["old"]["name"] = json!("other");
        }),
        ("another name", "is not the key that this rotation was started with", |value, _| {
            value["old"]["name"] = json!("other");
        }),
        ("the clock of this machine only", "by the cluster's own clock", |_, _| ()),
        ("a shorter grace period", "by the cluster's own clock", |value, _| value["grace"] = json!(0)),
        ("an interrupted end", "by the cluster's own clock", |value, _| {
            value["state"] = json!({ "name": "ending", "successor": value["state"]["successor"], "tried": "live" });
        }),
    ];
    for (what, words, change) in changes {
        edit(&desk, |value| {
            *value = good.clone();
            value["state"]["due"] = json!(1);
            if what.ends_with("name") {
                value["grace"] = json!(0);
            }
            change(value, &other);
        });
        let refused = desk.rotate(&["--due", "--yes"]);
        assert_eq!(refused.code, Some(1), "{what}: {refused:?}");
        assert!(refused.err.contains(words), "{what}: {refused:?}");
        assert!(
            !refused.err.contains("will be permanently invalidated"),
            "what is refused is not promised: {what}: {refused:?}"
        );
        assert_eq!(valid(), before, "{what}");
    }
    // Giving up ends the successor: not whatever the file names.
    edit(&desk, |value| {
        *value = good.clone();
        value["state"]["successor"] = json!(other);
    });
    let refused = desk.rotate(&["--cancel", &old, "--yes"]);
    assert!(refused.code == Some(1) && refused.err.contains("can't be verified as the successor"), "{refused:?}");
    assert!(
        !refused.err.contains("will be permanently invalidated") && refused.err.contains("--keep-successor"),
        "{refused:?}"
    );
    assert_eq!(valid(), before);
    // What the successor says of its grace period on the cluster is what the file said.
    let successor = good["state"]["successor"].as_str().unwrap();
    assert_eq!(desk.shown(successor)["metadata"]["rotation_grace"], json!("3600s"));
}

#[test]
fn what_can_t_be_proved_of_a_grace_period_is_taken_from_the_machine() {
    let desk = Desk::new();
    let old = desk.app();
    let begun = desk.rotate(&["my-app", "--grace", "1h", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    let successor = begun_successor(&desk);
    let updated = desk.user("officer", &["update", "--unset", "rotation_grace", "--yes", "--", &successor]);
    assert_eq!(updated.code, Some(0), "{updated:?}");
    edit(&desk, |value| {
        value["grace"] = json!(0);
        value["state"]["due"] = json!(1);
    });
    let done = desk.rotate(&["--due", "--yes"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(desk.named("app").1, [old]);
}

fn begun_successor(desk: &Desk) -> String {
    let mut successor = String::new();
    edit(desk, |value| successor = value["state"]["successor"].as_str().unwrap().to_owned());
    successor
}

#[test]
fn a_rotation_whose_successor_is_not_proved_can_be_closed() {
    let desk = Desk::new();
    let old = desk.app();
    let other = desk.practice.create("other", &["--expiration", "2d"])["id"].as_str().unwrap().to_owned();
    let begun = desk.rotate(&["my-app", "--grace", "1h", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    edit(&desk, |value| value["state"]["successor"] = json!(other));
    let mut good = Value::Null;
    edit(&desk, |value| good = value.clone());
    let state = || desk.listed()[0]["state"].clone();

    let kept = desk.rotate(&["--cancel", &old, "--keep-successor", "--yes"]);
    assert_eq!((kept.code, state()), (Some(0), json!("canceled")), "{kept:?}");
    assert_eq!((desk.named("other").0.len(), desk.named("app").0.len()), (1, 2), "no key was touched");

    // The old key has ended: nothing is sent, so that nothing has to be proved; the doubt is told.
    edit(&desk, |value| value.clone_from(&good));
    assert_eq!(desk.user("officer", &["invalidate", "--yes", "--", &old]).code, Some(0));
    let filed = desk.rotate(&["--due", "--yes"]);
    assert_eq!((filed.code, state()), (Some(0), json!("done")), "{filed:?}");
    assert!(filed.err.contains("can't be verified as the successor"), "{filed:?}");
    assert_eq!(desk.named("other").0.len(), 1);

    // Both have ended.
    edit(&desk, |value| value.clone_from(&good));
    assert_eq!(desk.user("officer", &["invalidate", "--yes", "--", &other]).code, Some(0));
    let closed = desk.rotate(&["--cancel", &old, "--yes"]);
    assert_eq!((closed.code, state()), (Some(0), json!("canceled")), "{closed:?}");
}

#[test]
fn a_grace_period_beyond_the_end_of_the_old_key_is_cut_to_it() {
    let desk = Desk::new();
    desk.app();
    let file = desk.path("k");
    let args = ["my-app", "--grace", "100000d", "--secret-file", text(&file), "--yes"];
    let begun = desk.rotate(&args);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    assert!(begun.err.contains("the old key expires before the grace period ends"), "{begun:?}");
    let days = desk.listed()[0]["grace"].as_i64().unwrap() / 86_400_000;
    assert!((8..=9).contains(&days), "{days}");
}

#[test]
fn a_rotation_whose_keys_work_no_more_is_told_as_dead_and_closed() {
    let desk = Desk::new();
    let old = desk.app();
    let begun = desk.rotate(&["my-app", "--grace", "1h", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    let id = desk.listed()[0]["rotation"].as_str().unwrap().to_owned();
    let new = desk.listed()[0]["new_id"].as_str().unwrap().to_owned();
    assert_eq!(desk.listed()[0]["old_state"], "valid");
    assert_eq!(desk.user("officer", &["invalidate", "--yes", "--", &old, &new]).code, Some(0));
    let listed = desk.rotate(&["--list"]);
    assert!(listed.code == Some(0) && listed.out.contains("both keys are invalidated"), "{listed:?}");
    assert_eq!(desk.listed()[0]["is_dead"], true);
    let due = desk.rotate(&["--due", "--yes"]);
    assert!(due.code == Some(0) && due.err.contains(&format!("--cancel {id}` closes it")), "{due:?}");
    let closed = desk.rotate(&["--cancel", &id, "--yes"]);
    assert!(closed.code == Some(0) && closed.err.contains("is closed"), "{closed:?}");
    assert!(!closed.err.contains("was invalidated and read back"), "nothing was sent: {closed:?}");
    // Without a cluster to be asked the list is what is written down here.
    let alone = run(desk.at_home(keybearer()).args(["rotate", "--list", "--output", "json"]));
    assert_eq!((alone.code, &alone.json()[0]["state"]), (Some(0), &json!("canceled")), "{alone:?}");
}

#[test]
fn an_old_key_that_has_ended_already_is_filed_before_its_grace_period_is_over() {
    let desk = Desk::new();
    let old = desk.app();
    let begun = desk.rotate(&["my-app", "--grace", "1h", "--secret-file", text(&desk.path("k")), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    assert_eq!(desk.user("officer", &["invalidate", "--yes", "--", &old]).code, Some(0));
    let done = desk.rotate(&["--due", "--yes", "--output", "json"]);
    assert!(done.code == Some(0) && done.err.contains("was already invalidated. Nothing was sent"), "{done:?}");
    assert!(!done.err.contains("will be permanently invalidated"), "the preview is what is done: {done:?}");
    let result = &done.json()[0];
    assert_eq!((&result["result"], &result["invalidated"]), (&json!("already invalidated"), &json!(true)), "{result}");
    desk.assert_rotated("app", &old, "k");
}

#[test]
fn what_is_not_known_here_is_told_in_words() {
    let desk = Desk::new();
    let odd = desk.rotate(&["--resume", "zzz", "--yes"]);
    assert_eq!(odd.code, Some(1), "{odd:?}");
    assert!(odd.err.contains("Rotation zzz is not known here. ") && odd.err.contains("rotate --list"), "{odd:?}");
    let dash = desk.rotate(&["x", "--secret-file", "-", "--yes"]);
    assert!(dash.code == Some(2) && dash.err.contains("--output json"), "{dash:?}");
}

#[cfg(unix)]
#[test]
fn a_successor_whose_secret_can_t_be_written_is_ended_again() {
    let desk = Desk::new();
    let old = desk.app();
    let code = desk.path("code");
    let program = keybearer();
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().env("TZ", "UTC").env("CODE", &code).stdin(std::process::Stdio::null());
    // Who reads is gone long before the secret comes.
    shell.args(["-c", "{ \"$0\" \"$@\"; echo $? >\"$CODE\"; } | true"]).arg(program.get_program());
    let args = ["rotate", "my-app", "--grace", "0s", "--output", "json", "--yes"];
    let ran = run(desk.practice.user(desk.at_home(shell), "officer").args(args));
    assert_eq!(fs::read_to_string(&code).unwrap().trim(), "1", "{ran:?}");
    for words in ["could not be written", "was invalidated and read back", "--resume"] {
        assert!(ran.err.contains(words), "{words}: {ran:?}");
    }
    assert_eq!(desk.named("app").0, std::slice::from_ref(&old));
    let done = desk.rotate(&["--resume", &old, "--output", "json", "--yes"]);
    fs::write(desk.path("k"), done.json()["encoded"].as_str().unwrap()).unwrap();
    desk.assert_rotated("app", &old, "k");
}
