//! Rotations that are killed in each of their states, and lines that are cut: afterwards one key works, its
//! secret is known, and no other key is left.

use std::{
    fs,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    cli_practice::{Practice, Ran, keybearer, run, text},
    cli_rotate::{Desk, elsewhere, races},
    cutting_proxy::{Cut, Fault, Proxy, Seen},
};

const CREATE: (&str, &str) = ("POST", "/_security/api_key");
const INVALIDATE: (&str, &str) = ("DELETE", "/_security/api_key");

struct Line {
    desk: Desk,
    proxy: Proxy,
    old: String,
}

impl Line {
    fn new() -> Self {
        let desk = Desk::new();
        let proxy = Proxy::start(desk.practice.sandbox());
        let old = desk.app();
        Self { desk, proxy, old }
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.desk.practice.user(self.desk.at_home(keybearer()), "officer");
        command.env_remove("ES_FINGERPRINT").env("ES_URL", self.proxy.url()).arg("rotate").args(args);
        command
    }

    fn rotate(&self, args: &[&str]) -> Ran {
        run(&mut self.command(args))
    }

    /// Runs it, and kills it when such a request has come.
    fn killed(&self, args: &[&str], which: impl Fn(&Seen) -> bool + Send + Sync + 'static, cut: Cut) {
        self.proxy.at(which, cut);
        let mut command = self.command(args);
        let mut child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        self.proxy.hit();
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "it was killed, not done");
        self.proxy.calm();
    }

    fn state(&self) -> Value {
        self.desk.listed()[0]["state"].clone()
    }

    fn file(&self) -> String {
        text(&self.desk.path("new-key")).to_owned()
    }

    /// What a kill between two writes leaves: the state before, with everything else as it is after.
    fn set_back(&self, state: &str) {
        let file = fs::read_dir(self.desk.path("rotations")).unwrap().map(|entry| entry.unwrap().path());
        let file = file.into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
        let mut value: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        value["state"]["name"] = json!(state);
        fs::write(&file, value.to_string()).unwrap();
    }

    fn resume(&self, more: &[&str]) -> Ran {
        self.rotate(&[&["--resume", self.old.as_str(), "--yes"], more].concat())
    }
}

/// A request of whoever is signed in by a key, which is the trial.
fn trial(seen: &Seen) -> bool {
    seen.authorization.starts_with("ApiKey ") && seen.is("GET", "/_security/_authenticate")
}

fn is(request: (&'static str, &'static str)) -> impl Fn(&Seen) -> bool {
    move |seen| seen.is(request.0, request.1)
}

#[test]
fn killed_before_the_request_for_a_successor_arrived() {
    let line = Line::new();
    line.killed(&["app", "--compromised", "--secret-file", &line.file(), "--yes"], is(CREATE), Cut::HoldBefore);
    assert_eq!((line.state(), line.desk.named("app").0.len()), (json!("planned"), 1));
    let done = line.resume(&[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    line.desk.assert_rotated("app", &line.old, "new-key");
}

#[test]
fn killed_after_the_cluster_made_the_successor_and_before_its_answer() {
    let line = Line::new();
    line.killed(&["app", "--compromised", "--secret-file", &line.file(), "--yes"], is(CREATE), Cut::HoldAfter);
    assert_eq!((line.state(), line.desk.named("app").0.len()), (json!("planned"), 2), "a stray is there");
    let done = line.resume(&[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("nobody knows its secret: it was invalidated"), "{done:?}");
    assert_eq!(line.desk.listed()[0]["strays"].as_array().unwrap().len(), 1);
    line.desk.assert_rotated("app", &line.old, "new-key");
}

#[test]
fn killed_with_the_secret_in_memory_only() {
    let line = Line::new();
    // The first request after the successor was made looks at its rights.
    let looks = |seen: &Seen| seen.method == "GET" && seen.path.contains("with_limited_by");
    let made = std::sync::atomic::AtomicBool::new(false);
    let after = move |seen: &Seen| {
        if seen.is(CREATE.0, CREATE.1) {
            made.store(true, std::sync::atomic::Ordering::SeqCst);
        }
        looks(seen) && made.load(std::sync::atomic::Ordering::SeqCst)
    };
    line.killed(&["app", "--compromised", "--secret-file", &line.file(), "--yes"], after, Cut::HoldBefore);
    assert_eq!((line.state(), line.desk.named("app").0.len()), (json!("created"), 2));
    assert_eq!(fs::read_to_string(line.file()).unwrap(), "", "no secret was written");
    let done = line.resume(&[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(line.desk.listed()[0]["strays"].as_array().unwrap().len(), 1);
    line.desk.assert_rotated("app", &line.old, "new-key");
}

#[test]
fn killed_between_writing_the_secret_and_writing_that_down() {
    for state in ["created", "handing_over"] {
        let line = Line::new();
        line.killed(&["app", "--compromised", "--secret-file", &line.file(), "--yes"], trial, Cut::HoldBefore);
        assert_eq!(line.state(), json!("handed over"));
        line.set_back(state);
        let secret = fs::read_to_string(line.file()).unwrap();
        let done = line.resume(&[]);
        assert_eq!(done.code, Some(0), "{state}: {done:?}");
        assert_eq!(fs::read_to_string(line.file()).unwrap(), secret, "the secret that arrived is the one that counts");
        assert!(line.desk.listed()[0]["strays"].as_array().unwrap().is_empty());
        line.desk.assert_rotated("app", &line.old, "new-key");
    }
}

#[test]
fn killed_while_the_secret_went_to_stdout_a_person_has_to_say_whether_it_arrived() {
    for word in ["--handed-over", "--make-again", "--secret-file"] {
        let line = Line::new();
        line.proxy.at(trial, Cut::HoldBefore);
        let mut command = line.command(&["app", "--compromised", "--output", "json", "--yes"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        line.proxy.hit();
        child.kill().unwrap();
        let told: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
        line.proxy.calm();
        line.set_back("handing_over");
        let asked = line.resume(&["--output", "json"]);
        assert_eq!((asked.code, asked.out.as_str()), (Some(1), ""), "{asked:?}");
        for way in ["--handed-over", "--make-again", "--secret-file"] {
            assert!(asked.err.contains(way), "{asked:?}");
        }
        assert_eq!(line.desk.named("app").0.len(), 2, "nothing was done");
        let done = match word {
            "--make-again" => {
                let done = line.resume(&[word, "--output", "json"]);
                fs::write(line.file(), done.json()["encoded"].as_str().unwrap()).unwrap();
                done
            }
            _ => {
                fs::write(line.file(), told["encoded"].as_str().unwrap()).unwrap();
                let file = line.file();
                let more: &[&str] =
                    if word == "--secret-file" { &["--secret-file", &file] } else { &["--handed-over"] };
                line.resume(more)
            }
        };
        assert_eq!(done.code, Some(0), "{word}: {done:?}");
        assert_eq!(done.err.contains("was not tested here"), word == "--handed-over", "{done:?}");
        line.desk.assert_rotated("app", &line.old, "new-key");
    }
}

#[test]
fn killed_before_the_trial() {
    let line = Line::new();
    line.killed(&["app", "--compromised", "--secret-file", &line.file(), "--yes"], trial, Cut::HoldAfter);
    assert_eq!(line.state(), json!("handed over"));
    assert_eq!(line.desk.rotate(&["--due", "--yes"]).code, Some(0));
    assert_eq!(line.desk.named("app").0.len(), 2, "what was not tried is not due");
    let done = line.resume(&[]);
    assert!(done.code == Some(0) && done.err.contains("Tested:"), "{done:?}");
    line.desk.assert_rotated("app", &line.old, "new-key");
}

#[test]
fn a_secret_that_is_gone_before_the_trial_ends_nothing() {
    let line = Line::new();
    line.killed(&["app", "--compromised", "--secret-file", &line.file(), "--yes"], trial, Cut::HoldAfter);
    let elsewhere = line.desk.path("elsewhere");
    fs::rename(line.file(), &elsewhere).unwrap();
    let refused = line.resume(&[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("can't be tested") && refused.err.contains("--handed-over"), "{refused:?}");
    assert_eq!(line.desk.named("app").0.len(), 2);
    let done = line.resume(&["--secret-file", text(&elsewhere)]);
    assert_eq!(done.code, Some(0), "{done:?}");
    line.desk.assert_rotated("app", &line.old, "elsewhere");
}

#[test]
fn killed_in_the_grace_period() {
    for cut in [Cut::HoldBefore, Cut::HoldAfter] {
        let line = Line::new();
        let update = |seen: &Seen| seen.method == "PUT" && seen.path.starts_with("/_security/api_key/");
        line.killed(&["app", "--grace", "1s", "--secret-file", &line.file(), "--yes"], update, cut);
        assert_eq!(line.state(), json!("grace"));
        thread::sleep(Duration::from_millis(1100));
        let done = line.rotate(&["--due", "--yes"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        line.desk.assert_rotated("app", &line.old, "new-key");
        let (works, _) = line.desk.named("app");
        assert_eq!(line.desk.shown(&line.old)["metadata"]["rotated_to"], json!(works[0]));
    }
}

#[test]
fn killed_while_the_old_key_is_ended() {
    for (cut, valid) in [(Cut::HoldBefore, 2), (Cut::HoldAfter, 1)] {
        let line = Line::new();
        line.killed(&["app", "--compromised", "--secret-file", &line.file(), "--yes"], is(INVALIDATE), cut);
        assert_eq!((line.state(), line.desk.named("app").0.len()), (json!("ending"), valid));
        let done = line.rotate(&["--due", "--yes"]);
        assert_eq!(done.code, Some(0), "{cut:?}: {done:?}");
        line.desk.assert_rotated("app", &line.old, "new-key");
    }
}

#[test]
fn killed_before_the_proof() {
    let line = Line::new();
    let ended = std::sync::atomic::AtomicBool::new(false);
    let proof = move |seen: &Seen| {
        if seen.is(INVALIDATE.0, INVALIDATE.1) {
            ended.store(true, std::sync::atomic::Ordering::SeqCst);
        }
        seen.is("POST", "/_security/_query/api_key") && ended.load(std::sync::atomic::Ordering::SeqCst)
    };
    line.killed(&["app", "--compromised", "--secret-file", &line.file(), "--yes"], proof, Cut::HoldBefore);
    assert_eq!(line.state(), json!("ending"));
    let done = line.resume(&[]);
    assert!(done.code == Some(0) && done.err.contains("Read back"), "{done:?}");
    line.desk.assert_rotated("app", &line.old, "new-key");
}

#[test]
fn killed_while_it_is_given_up() {
    for cut in [Cut::HoldBefore, Cut::HoldAfter] {
        let line = Line::new();
        let begun = line.rotate(&["app", "--secret-file", &line.file(), "--yes"]);
        assert_eq!(begun.code, Some(0), "{begun:?}");
        line.killed(&["--cancel", &line.old, "--yes"], is(INVALIDATE), cut);
        assert_eq!(line.state(), json!("grace"));
        let done = line.rotate(&["--cancel", &line.old, "--yes"]);
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!((line.state(), line.desk.named("app").0), (json!("canceled"), vec![line.old.clone()]));
    }
}

#[test]
fn a_lost_answer_to_create_ends_in_the_truth() {
    let line = Line::new();
    line.proxy.at(is(CREATE), Cut::After);
    let lost = line.rotate(&["app", "--compromised", "--secret-file", &line.file(), "--yes"]);
    assert_eq!((lost.code, lost.out.as_str()), (Some(1), ""), "{lost:?}");
    for words in ["The response was lost", "nobody knew its secret, so it was invalidated", "--resume", "still works"] {
        assert!(lost.err.contains(words), "{words}: {lost:?}");
    }
    assert_eq!(line.desk.named("app").0, std::slice::from_ref(&line.old), "the stray is gone, the old key works");
    line.proxy.calm();
    let done = line.resume(&[]);
    assert_eq!(done.code, Some(0), "{done:?}");
    line.desk.assert_rotated("app", &line.old, "new-key");
}

#[test]
fn a_create_that_was_cut_off_before_it_arrived_made_nothing() {
    let line = Line::new();
    line.proxy.at(is(CREATE), Cut::Before);
    let lost = line.rotate(&["app", "--compromised", "--secret-file", &line.file(), "--yes"]);
    assert_eq!(lost.code, Some(3), "it may still be at work: {lost:?}");
    assert!(lost.err.contains("no key from it was found"), "{lost:?}");
    line.proxy.calm();
    assert_eq!(line.resume(&[]).code, Some(0));
    line.desk.assert_rotated("app", &line.old, "new-key");
}

#[test]
fn a_lost_answer_to_invalidate_is_answered_by_the_key_itself() {
    let line = Line::new();
    line.proxy.at(is(INVALIDATE), Cut::After);
    let done = line.rotate(&["app", "--compromised", "--secret-file", &line.file(), "--yes"]);
    assert!(done.code == Some(0) && done.err.contains("Read back"), "{done:?}");
    line.desk.assert_rotated("app", &line.old, "new-key");

    let line = Line::new();
    line.proxy.at(is(INVALIDATE), Cut::Before);
    let lost = line.rotate(&["app", "--compromised", "--secret-file", &line.file(), "--yes"]);
    assert_eq!(lost.code, Some(3), "the request may still be at work: {lost:?}");
    assert!(lost.err.contains("it is still valid") && lost.err.contains("--resume"), "{lost:?}");
    let again = line.rotate(&["--due", "--yes", "--output", "json"]);
    let result = &again.json()[0];
    assert_eq!(again.code, Some(3), "{again:?}");
    assert_eq!((&result["result"], &result["invalidated"]), (&json!("not known"), &Value::Null), "{result}");
    let journal = run(line.desk.at_home(keybearer()).args(["journal", "list", "--output", "json"])).json();
    let last = journal.as_array().unwrap().iter().rfind(|entry| entry["action"] == "api-key-invalidate").unwrap();
    assert_eq!((&last["outcome"], &last["unknown"]), (&json!("unknown"), &json!([line.old])), "{last}");
    assert_eq!((line.state(), line.desk.named("app").0.len()), (json!("ending"), 2));
    line.proxy.calm();
    assert_eq!(line.rotate(&["--due", "--yes"]).code, Some(0));
    line.desk.assert_rotated("app", &line.old, "new-key");
}

#[test]
fn a_cancellation_whose_every_answer_is_lost_is_not_known() {
    let line = Line::new();
    let begun = line.rotate(&["app", "--secret-file", &line.file(), "--yes"]);
    assert_eq!(begun.code, Some(0), "{begun:?}");
    line.proxy.at(is(INVALIDATE), Cut::Before);
    let lost = line.rotate(&["--cancel", &line.old, "--yes"]);
    assert_eq!((lost.code, line.state()), (Some(3), json!("grace")), "{lost:?}");
    line.proxy.calm();
    assert_eq!(line.rotate(&["--cancel", &line.old, "--yes"]).code, Some(0));
    assert_eq!(line.desk.named("app").0, std::slice::from_ref(&line.old));
}

#[test]
fn what_is_doubtful_of_a_successor_is_told_and_is_no_plain_success() {
    for more in [&["--secret-file"][..], &["--output", "json", "--secret-file"], &["--secret-dir"]] {
        let line = Line::new();
        let [made, asked] = [(); 2].map(|()| std::sync::atomic::AtomicBool::new(false));
        // Once after the successor was made another cluster seems to answer.
        let first_look = move |seen: &Seen| {
            use std::sync::atomic::Ordering::SeqCst;
            if is(CREATE)(seen) {
                made.store(true, SeqCst);
            }
            seen.is("GET", "/") && made.load(SeqCst) && !asked.swap(true, SeqCst)
        };
        line.proxy.when(first_look, Fault::OtherUuid);
        let place = if more.contains(&"--secret-dir") { line.desk.path("dir") } else { line.file().into() };
        if more.contains(&"--secret-dir") {
            fs::create_dir(&place).unwrap();
        }
        let ran = line.rotate(&[&["app"], more, &[text(&place), "--yes"]].concat());
        assert_eq!(ran.code, Some(3), "{more:?}: {ran:?}");
        assert!(ran.err.contains("It is not known on which cluster this key is"), "{more:?}: {ran:?}");
        assert_eq!((line.state(), line.desk.named("app").0.len()), (json!("grace"), 2), "{more:?}");
    }
}

#[test]
fn a_rotation_that_is_resumed_while_another_machine_rotates_the_same_key_leaves_one_successor() {
    for round in 0..races(2) {
        let line = Line::new();
        line.killed(&["app", "--grace", "1h", "--secret-file", &line.file(), "--yes"], is(CREATE), Cut::HoldBefore);
        let mut here = line.command(&["--resume", &line.old, "--yes"]);
        let file = line.desk.path("there");
        let mut there =
            elsewhere(&line.desk, &["--grace", "1h", "--yes", "--secret-file", text(&file), "--", &line.old]);
        let start = |command: &mut std::process::Command| {
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let first = start(&mut here);
        // Who resumes looks for some seconds for what was made before.
        thread::sleep(Duration::from_millis(3600 + 97 * (round as u64 % 10)));
        let second = start(&mut there);
        let ran = [first, second].map(|child| Ran::of(child.wait_with_output().unwrap()));
        let won = ran.iter().filter(|ran| ran.code == Some(0)).count();
        assert_eq!(won, 1, "{round}: {ran:?}");
        let loser = ran.iter().find(|ran| ran.code != Some(0)).unwrap();
        assert!(loser.err.contains("already being rotated"), "{round}: {loser:?}");
        let works = line.desk.named("app").0;
        assert!(works.len() == 2 && works.contains(&line.old), "{round}: {works:?}, {ran:?}");
    }
}

#[test]
fn only_one_program_goes_on_with_a_rotation() {
    let line = Line::new();
    line.proxy.at(trial, Cut::HoldBefore);
    let mut command = line.command(&["app", "--compromised", "--secret-file", &line.file(), "--yes"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    line.proxy.hit();
    line.proxy.calm();
    let busy = line.resume(&[]);
    assert!(busy.code == Some(1) && busy.err.contains("Another Keybearer"), "{busy:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line.resume(&[]).code, Some(0));
    line.desk.assert_rotated("app", &line.old, "new-key");
}

/// Requests of a rotation without a grace period are counted from the first; those before this one are of the sign-in.
const FIRST_AFTER_SIGN_IN: usize = 5;

#[test]
fn another_cluster_from_some_request_on_is_never_filed_as_done() {
    let mut from = FIRST_AFTER_SIGN_IN;
    loop {
        let (desk, other) = (Desk::new(), Practice::start());
        let proxy = Proxy::beside(desk.practice.sandbox(), other.sandbox());
        let old = desk.app();
        let line = Line { desk, proxy, old };
        line.proxy.when(move |seen| seen.number >= from, Fault::OtherCluster);
        let ran = line.rotate(&["app", "--grace", "0s", "--secret-file", &line.file(), "--yes"]);
        let requests = line.proxy.seen().len();
        line.proxy.calm();
        if requests < from {
            assert_eq!(ran.code, Some(0), "undisturbed: {ran:?}");
            line.desk.assert_rotated("app", &line.old, "new-key");
            break;
        }
        assert_ne!(ran.code, Some(0), "from {from}: {ran:?}");
        let strangers = other.list(&["name:app"]);
        assert!(strangers.iter().all(|key| key["status"] == "invalidated"), "from {from}: {strangers:?}");
        let begun = line.rotate(&["--list", "--output", "json"]).json();
        if let Some(rotation) = begun.as_array().unwrap().first() {
            assert_ne!(rotation["state"], json!("done"), "from {from}: {ran:?}");
            let done = line.resume(&[]);
            assert_eq!(done.code, Some(0), "from {from}: {done:?}");
            let works = line.desk.named("app").0;
            assert!(works.len() == 1 && works[0] != line.old, "from {from}: {works:?}");
        } else {
            assert_eq!(line.desk.named("app").0, std::slice::from_ref(&line.old), "from {from}");
        }
        from += 1;
    }
    assert!(from > 20, "every request of a rotation was looked at: {from}");
}
