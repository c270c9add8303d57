//! Secrets on stdout: no key is made whose secret would reach nobody, and one whose secret was lost is ended again.

use std::{fs::File, process::Command};

use crate::cli_practice::{Practice, Ran, article, folder, keybearer, text};

/// Runs it with nothing behind its stdout: closed, the null device, and a device that is always full.
fn nowhere(command: &Command, redirection: &str) -> Ran {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("exec \"$@\" {redirection}")).arg("sh").arg(command.get_program());
    shell.args(command.get_args()).env_clear().stdin(std::process::Stdio::null());
    for (name, value) in command.get_envs() {
        value.map(|value| shell.env(name, value));
    }
    Ran::of(shell.output().unwrap())
}

fn alive(practice: &Practice, name: &str) -> usize {
    let name = format!("name:{name}");
    practice.list(&[&name, "-status:invalidated"]).len()
}

#[cfg(unix)]
#[test]
fn where_stdout_leads_nowhere_no_key_is_made() {
    let practice = Practice::start();
    let folder = folder();
    let (password, source) = (folder.path().join("pw"), folder.path().join("source"));
    std::fs::write(&password, "olga-password").unwrap();
    let made = practice.create("source-key", &[]);
    std::fs::write(&source, made["encoded"].as_str().unwrap()).unwrap();
    let (password, source) = (text(&password), text(&source));
    let create = ["create", "--name", "lost-key", "--no-rights", "--output", "json"];
    let cross = ["create", "--name", "lost-key", "--cross-cluster", "--search", "logs-*", "--output", "json"];
    let grant = ["grant", "--name", "lost-key", "--for", "olga", "--no-rights", "--password-file", password];
    let clone = ["clone", "source-key", "--name", "lost-key", "--source-file", source];
    let article_args = ["--name", "lost-key", "--role", "reader"];
    for redirection in [">&-", ">/dev/null"] {
        for args in [&create[..], &cross, &[&grant[..], &["--output", "json"]].concat()].into_iter().chain([&[
            &clone[..],
            &["--output", "json"],
        ]
        .concat()[..]])
        {
            let mut command = practice.user(keybearer(), "officer");
            let ran = nowhere(command.args(args), redirection);
            assert_eq!(ran.code, Some(2), "{redirection} {args:?} {ran:?}");
            assert!(ran.err.contains("is closed or the null device") && ran.err.contains("--secret-file"), "{ran:?}");
        }
        let mut command = practice.user(article(), "officer");
        let ran = nowhere(command.args(article_args), redirection);
        assert_eq!(ran.code, Some(2), "{redirection} {ran:?}");
        // Words alone need no reader.
        let mut command = practice.user(keybearer(), "officer");
        assert_eq!(nowhere(command.arg("whoami"), redirection).code, Some(0));
    }
    assert!(practice.list(&["name:lost-key"]).is_empty(), "a key was created");
}

/// What reads went away, which nobody can know before the secret is written.
#[cfg(unix)]
#[test]
fn a_key_whose_secret_could_not_be_written_is_ended_again() {
    let practice = Practice::start();
    let gone = |mut command: Command| {
        let piped = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = piped.spawn().unwrap();
        drop(child.stdout.take());
        Ran::of(child.wait_with_output().unwrap())
    };
    let mut create = practice.user(keybearer(), "officer");
    create.args(["create", "--name", "full-key", "--no-rights", "--output", "json"]);
    let ran = gone(create);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("could not be written") && ran.err.contains("was invalidated and read back"), "{ran:?}");
    let mut by_article = practice.user(article(), "officer");
    by_article.args(["--name", "full-key", "--role", "reader"]);
    let ran = gone(by_article);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(practice.list(&["name:full-key"]).len(), 2);
    assert_eq!(alive(&practice, "full-key"), 0, "a key lives whose secret nobody has");
}

#[test]
fn a_secret_file_called_dash_is_not_written() {
    let practice = Practice::start();
    let folder = folder();
    let made = practice.create("dash-source", &[]);
    let source = folder.path().join("source");
    std::fs::write(&source, made["encoded"].as_str().unwrap()).unwrap();
    for args in [
        &["create", "--name", "dash-key", "--no-rights"][..],
        &["grant", "--name", "dash-key", "--for", "olga", "--no-rights", "--password-file", "/dev/null"],
        &["clone", "dash-source", "--source-file", text(&source), "--name", "dash-key"],
        &["rotate", "dash-source", "--grace", "1h", "--yes"],
    ] {
        let mut command = practice.user(keybearer(), "officer");
        command.env("KEYBEARER_ROTATIONS", folder.path().join("rotations")).current_dir(folder.path());
        let ran = crate::cli_practice::run(command.args(args).args(["--secret-file", "-"]));
        assert_eq!(ran.code, Some(2), "{args:?} {ran:?}");
        assert!(ran.err.contains("--output json"), "{ran:?}");
    }
    assert!(File::open(folder.path().join("-")).is_err(), "a file called - was written");
    assert!(practice.list(&["name:dash-key"]).is_empty());
}
