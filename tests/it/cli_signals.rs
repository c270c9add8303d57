//! Signals while a request is on its way: the command says what came of it, and leaves no intent open.
#![cfg(unix)]

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use keybearer::store::journal::Journal;

use crate::{
    cli_practice::{Practice, Ran, folder, keybearer, text},
    cli_rotate::Desk,
    cutting_proxy::{Cut, Proxy},
};

fn signalled(child: &Child, signal: &str) {
    let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

fn ended(mut child: Child) -> Ran {
    for _ in 0..300 {
        if child.try_wait().unwrap().is_some() {
            return Ran::of(child.wait_with_output().unwrap());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    panic!("it did not end: {:?}", Ran::of(child.wait_with_output().unwrap()));
}

/// A command that waits for an answer which never comes, with core dumps allowed.
#[cfg(target_os = "linux")]
fn waiting(memory: &str) -> (std::process::Child, std::net::TcpListener) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = std::process::Command::new("sh");
    let limits = format!("ulimit -c unlimited; {memory} exec \"$0\" \"$@\"");
    command.args(["-c", &limits, env!("CARGO_BIN_EXE_keybearer"), "whoami"]).env_clear();
    command.env("ES_URL", format!("http://{}", listener.local_addr().unwrap())).env("ES_API_KEY", "id:hunter2");
    let child = command.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    listener.accept().unwrap();
    (child, listener)
}

#[test]
#[cfg(target_os = "linux")]
fn the_memory_of_a_command_goes_into_no_core_dump_and_no_swap_where_that_is_allowed() {
    use std::os::unix::process::ExitStatusExt as _;
    let (mut child, _listener) = waiting("");
    let read = |child: &std::process::Child, file: &str| {
        std::fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap()
    };
    let limits = read(&child, "limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    assert!(std::process::Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap().success());
    let status = child.wait().unwrap();
    assert!(status.signal() == Some(6) && !status.core_dumped(), "{status:?}");
    // Whoever may lock all of its memory, does.
    let (mut child, _listener) = waiting("ulimit -l unlimited 2>/dev/null;");
    let may_lock = read(&child, "limits")
        .lines()
        .any(|line| line.starts_with("Max locked memory") && line.split_whitespace().nth(3) == Some("unlimited"));
    let status = read(&child, "status");
    let locked = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap().trim().to_owned();
    assert_eq!(may_lock, locked != "0 kB", "{locked}");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn whoever_interrupts_a_creation_is_told_what_came_of_it_and_the_journal_is_closed() {
    let practice = Practice::start();
    let proxy = Proxy::start(practice.sandbox());
    for (number, (signal, cut)) in
        [("INT", Cut::HoldAfter), ("TERM", Cut::HoldAfter), ("HUP", Cut::HoldAfter), ("TERM", Cut::HoldBefore)]
            .into_iter()
            .enumerate()
    {
        let folder = folder();
        let name = format!("interrupted-{number}");
        proxy.calm();
        proxy.at(|seen| seen.is("POST", "/_security/api_key"), cut);
        let mut command = practice.user(keybearer(), "officer");
        command.env_remove("ES_FINGERPRINT").env("ES_URL", proxy.url()).env("KEYBEARER_JOURNAL", folder.path());
        command.args(["create", "--name", &name, "--no-rights", "--output", "json"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        proxy.hit();
        signalled(&child, signal);
        let ran = ended(child);
        let keys = practice.list(&[&format!("name:{name}")]);
        let mut outcome = String::new();
        let report =
            Journal::at(folder.path().to_owned()).check(|entry, _| outcome.clone_from(&entry.outcome)).unwrap();
        assert_eq!((report.open.len(), outcome.as_str()), (0, "unknown"), "{signal}: {ran:?}");
        match cut {
            Cut::HoldAfter => {
                assert_eq!((keys.len(), ran.code), (1, Some(3)), "{signal}: {ran:?}");
                assert!(ran.err.contains(keys[0]["id"].as_str().unwrap()), "{signal}: {ran:?}");
            }
            _ => {
                assert_eq!((keys.len(), ran.code), (0, Some(3)), "{signal}: {ran:?}");
                assert!(ran.err.contains("no key from it was found") && ran.err.contains(&name), "{signal}: {ran:?}");
            }
        }
    }
}

#[test]
fn rotations_of_several_keys_stop_between_two_of_them_whatever_signal_asks() {
    for signal in ["INT", "TERM", "HUP"] {
        let desk = Desk::new();
        let proxy = Proxy::start(desk.practice.sandbox());
        let names = ["one", "two", "three"];
        let old: Vec<String> =
            names.iter().map(|name| desk.practice.create(name, &[])["id"].as_str().unwrap().to_owned()).collect();
        let secrets = desk.path("secrets");
        std::fs::create_dir(&secrets).unwrap();
        proxy.at(|seen| seen.is("POST", "/_security/api_key"), Cut::HoldBefore);
        let mut command = desk.practice.user(desk.at_home(keybearer()), "officer");
        command.env_remove("ES_FINGERPRINT").env("ES_URL", proxy.url()).args(["--timeout", "2", "rotate"]);
        command.args(names).args(["--secret-dir", text(&secrets), "--grace", "0s", "--yes"]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        proxy.hit();
        signalled(&child, signal);
        let ran = ended(child);
        assert!(ran.code.is_some() && ran.err.contains("Stopping after the current requests"), "{signal}: {ran:?}");
        let creates = proxy.seen().iter().filter(|seen| seen.is("POST", "/_security/api_key")).count();
        assert_eq!(creates, 1, "{signal}: nothing more is begun: {ran:?}");
        for (name, id) in names.iter().zip(&old) {
            assert_eq!(desk.named(name), (vec![id.clone()], vec![]), "{signal}: {name}");
        }
    }
}
