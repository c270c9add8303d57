//! Signals while a request is on its way: the command says what came of it, and leaves no intent open.
#![cfg(unix)]

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use keybearer::store::journal::Journal;

use crate::{
    cli_practice::{Practice, Ran, folder, keybearer},
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
                assert!(ran.err.contains("no key of it was found") && ran.err.contains(&name), "{signal}: {ran:?}");
            }
        }
    }
}
