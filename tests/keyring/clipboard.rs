//! Secrets on a real clipboard: marked, cleared, and left alone when they are someone else's. It runs
//! only inside a desktop session of its own, when `KEYBEARER_TEST_CLIPBOARD=1` says so.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use keybearer::{
    model::secret::Secret,
    store::clipboard::{Cleared, ClipboardError, SecretClipboard},
};

const LIMIT: Duration = Duration::from_secs(30);
const PROBE: &str = "KEYBEARER_CLIPBOARD_PROBE";

/// The one clipboard of the session: tests take turns. `None` when nobody asked for these tests.
fn desktop() -> Option<MutexGuard<'static, ()>> {
    static TURN: Mutex<()> = Mutex::new(());
    if std::env::var_os("KEYBEARER_TEST_CLIPBOARD").is_none_or(|asked| asked != "1") {
        eprintln!("NOT RUN: the real clipboard is only used when KEYBEARER_TEST_CLIPBOARD=1 is set");
        return None;
    }
    Some(TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

fn copied(clipboard: &SecretClipboard, text: &str) -> Result<(), ClipboardError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    clipboard.copy(Secret::new(text), move |result| sender.send(result).unwrap());
    receiver.recv_timeout(LIMIT).expect("an answer")
}

fn cleared(clipboard: &SecretClipboard) -> Cleared {
    let (sender, receiver) = mpsc::sync_channel(1);
    clipboard.clear_if_ours(move |result| sender.send(result).unwrap());
    receiver.recv_timeout(LIMIT).expect("an answer")
}

/// What another program reads, `None` when there is nothing of that kind.
fn read(target: &str) -> Option<String> {
    let output = Command::new("xclip").args(["-selection", "clipboard", "-o", "-t", target]).output().unwrap();
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn copy_elsewhere(target: &str, content: &[u8]) {
    let mut xclip = Command::new("xclip")
        .args(["-selection", "clipboard", "-i", "-t", target])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    xclip.stdin.take().unwrap().write_all(content).unwrap();
    assert!(xclip.wait().unwrap().success());
    // Its child goes on serving, and takes the clipboard some time after that.
    wait_for("xclip to take the clipboard", || read(target).is_some_and(|text| text.as_bytes() == content));
}

fn wait_for(what: &str, happened: impl Fn() -> bool) {
    let end = Instant::now() + LIMIT;
    while !happened() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Another process of Keybearer that copies a secret and then ends as `way` says.
fn probe(way: &str, without: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_probe_copies_and_ends", "--nocapture"]).env(PROBE, way).stdout(Stdio::piped());
    for name in without {
        command.env_remove(name);
    }
    command
}

#[test]
fn a_probe_copies_and_ends() {
    let Some(way) = std::env::var_os(PROBE) else { return };
    let clipboard = SecretClipboard::start().unwrap();
    let result = copied(&clipboard, "hunter2");
    println!("COPIED {result:?}; {}", result.as_ref().err().map_or_else(String::new, ToString::to_string));
    std::io::stdin().lines().next();
    let start = Instant::now();
    match way.to_str().unwrap() {
        "drop" => drop(clipboard),
        _ => std::process::exit(0),
    }
    println!("DROPPED {}", start.elapsed().as_millis());
}

#[test]
fn a_secret_is_marked_as_one_and_cleared() {
    let Some(_turn) = desktop() else { return };
    let clipboard = SecretClipboard::start().unwrap();
    assert_eq!(cleared(&clipboard), Cleared::NotOurs);
    assert_eq!(copied(&clipboard, "hunter2 é😀"), Ok(()));
    assert_eq!(read("UTF8_STRING").as_deref(), Some("hunter2 é😀"));
    assert_eq!(read("x-kde-passwordManagerHint").as_deref(), Some("secret"));
    let targets = read("TARGETS").unwrap();
    assert!(!targets.contains("SAVE_TARGETS"), "{targets}");

    assert_eq!(cleared(&clipboard), Cleared::Cleared);
    assert_eq!(read("UTF8_STRING"), None);
    assert_eq!(read("TARGETS"), None);
    assert_eq!(cleared(&clipboard), Cleared::NotOurs);

    assert_eq!(copied(&clipboard, "hunter3"), Ok(()));
    assert_eq!(copied(&clipboard, "hunter4"), Ok(()));
    assert_eq!(read("UTF8_STRING").as_deref(), Some("hunter4"));
    assert_eq!(cleared(&clipboard), Cleared::Cleared);
}

#[test]
fn what_someone_else_copied_since_is_left_alone() {
    let Some(_turn) = desktop() else { return };
    let clipboard = SecretClipboard::start().unwrap();
    copied(&clipboard, "hunter2").unwrap();
    copy_elsewhere("UTF8_STRING", b"a shopping list");
    assert_eq!(cleared(&clipboard), Cleared::NotOurs);
    assert_eq!(read("UTF8_STRING").as_deref(), Some("a shopping list"));

    copied(&clipboard, "hunter2").unwrap();
    copy_elsewhere("image/png", b"no text");
    assert_eq!(cleared(&clipboard), Cleared::NotOurs);
    assert_eq!(read("TARGETS").unwrap().lines().last(), Some("image/png"));

    // The window's own ordinary copies share the connection to the desktop.
    copied(&clipboard, "hunter2").unwrap();
    let mut window = arboard::Clipboard::new().unwrap();
    window.set_text("a key id").unwrap();
    assert_eq!(cleared(&clipboard), Cleared::NotOurs);
    assert_eq!(read("UTF8_STRING").as_deref(), Some("a key id"));

    // The very secret, copied again from elsewhere: still worth taking away.
    copy_elsewhere("UTF8_STRING", b"hunter2");
    assert_eq!(cleared(&clipboard), Cleared::Cleared);
    assert_eq!(read("UTF8_STRING"), None);
}

#[test]
fn the_end_of_the_program_takes_the_secret_away_and_nothing_else() {
    let Some(_turn) = desktop() else { return };
    for way in ["drop", "exit"] {
        for elsewhere in [None, Some("a shopping list")] {
            let mut child = probe(way, &[]).stdin(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
            let line = lines.find(|line| line.contains("COPIED")).unwrap();
            assert!(line.contains("COPIED Ok(())"), "{line}");
            assert_eq!(read("UTF8_STRING").as_deref(), Some("hunter2"));
            if let Some(text) = elsewhere {
                copy_elsewhere("UTF8_STRING", text.as_bytes());
            }
            drop(child.stdin.take());
            let rest: Vec<String> = lines.collect();
            assert!(child.wait().unwrap().success());
            assert_eq!(rest.iter().any(|line| line.contains("DROPPED")), way == "drop", "{rest:?}");
            assert_eq!(read("UTF8_STRING").as_deref(), elsewhere, "{way}");
        }
    }
}

#[test]
fn an_owner_that_never_answers_does_not_hold_up_the_exit() {
    let Some(_turn) = desktop() else { return };
    let clipboard = SecretClipboard::start().unwrap();
    copied(&clipboard, "hunter2").unwrap();
    // Owns the clipboard and sleeps.
    let mut owner = Command::new("xclip")
        .args(["-selection", "clipboard", "-i", "-quiet"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    owner.stdin.take().unwrap().write_all(b"frozen").unwrap();
    wait_for("xclip to take the clipboard", || read("UTF8_STRING").as_deref() == Some("frozen"));
    let id = owner.id().to_string();
    assert!(Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
    let start = Instant::now();
    drop(clipboard);
    let waited = start.elapsed();
    owner.kill().unwrap();
    owner.wait().unwrap();
    // It would be asked forever.
    assert!(waited < Duration::from_secs(10), "{waited:?}");
}

#[test]
fn many_requests_are_all_answered() {
    let Some(_turn) = desktop() else { return };
    let clipboard = SecretClipboard::start().unwrap();
    let (sender, receiver) = mpsc::sync_channel(100);
    for at in 0..100 {
        let sender = sender.clone();
        clipboard.copy(Secret::new(format!("hunter{at}")), move |result| sender.send(result).unwrap());
    }
    let answers: Vec<_> = (0..100).map(|_| receiver.recv_timeout(LIMIT).expect("an answer")).collect();
    assert!(answers.iter().all(|answer| matches!(answer, Ok(()) | Err(ClipboardError::Busy))), "{answers:?}");
    assert!(answers.contains(&Ok(())));
    assert_eq!(cleared(&clipboard), Cleared::Cleared);
}

#[test]
fn without_a_display_it_says_so() {
    let Some(_turn) = desktop() else { return };
    for (without, display, words) in [
        (["DISPLAY", "WAYLAND_DISPLAY"], "", "there is no display"),
        (["WAYLAND_DISPLAY", "XAUTHORITY"], ":7654", "the display doesn't respond"),
    ] {
        let output = probe("drop", &without).env("DISPLAY", display).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("COPIED Err(Unreachable(") && said.contains(words), "{said}");
        let dropped = said.lines().find_map(|line| line.strip_prefix("DROPPED ")).expect("the end");
        // A clipboard that was never reached is not waited for, which would take a whole second.
        assert!(dropped.parse::<u64>().unwrap() < 900, "{said}");
    }
}
