//! At home in a shell: completions that its shell loads, manual pages without warnings, a program that goes by two names.

use std::{fs, path::Path, process::Command};

use crate::cli_practice::{Practice, article, folder, keybearer, run, text};

/// A shell or a formatter of this computer, unless it has none.
fn ours(program: &str) -> Option<Command> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    found.then(|| Command::new(program))
}

fn completions(folder: &Path, shell: &str, program: &str) -> String {
    let ran = run(keybearer().args(["completions", shell, "--program", program]));
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let path = folder.join(format!("{program}.{shell}"));
    fs::write(&path, &ran.out).unwrap();
    text(&path).to_owned()
}

#[test]
fn every_shell_gets_completions_that_name_every_command() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish", "nushell"] {
        let path = completions(folder.path(), shell, "keybearer");
        let script = fs::read_to_string(&path).unwrap();
        for word in ["create", "invalidate", "verify-proof", "--fingerprint", "prometheus"] {
            // Shells that write the dashes apart, such as fish, have the bare word.
            assert!(script.contains(word.trim_start_matches('-')), "{shell}: {word}");
        }
        let path = completions(folder.path(), shell, "elasticsearch-create-api-key");
        assert!(fs::read_to_string(&path).unwrap().contains("expiration"), "{shell}");
    }
    for program in ["keybearer", "elasticsearch-create-api-key"] {
        for (shell, check) in [("bash", "source"), ("zsh", "-n"), ("fish", "-n")] {
            let (Some(mut command), path) = (ours(shell), completions(folder.path(), shell, program)) else { continue };
            let ran = match check {
                "source" => run(command.args(["-c", &format!("source '{path}' && complete -p {program}")])),
                check => run(command.args([check, &path])),
            };
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{shell}: {ran:?}");
        }
    }
}

#[test]
fn each_command_has_a_manual_page_without_warnings() {
    let folder = folder();
    let pages = || {
        let ran = run(keybearer().args(["manual", text(folder.path())]).env("SOURCE_DATE_EPOCH", "1796083200"));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let mut pages: Vec<(String, String)> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (text(&path).to_owned(), fs::read_to_string(&path).unwrap()))
            .collect();
        pages.sort();
        pages
    };
    let first = pages();
    assert_eq!(first, pages(), "the pages are the same each time");
    let named = |name: &str| first.iter().find(|(path, _)| path.ends_with(&format!("/{name}.1"))).map(|(_, page)| page);
    for name in ["keybearer-create", "keybearer-journal-verify", "elasticsearch-create-api-key"] {
        assert!(named(name).is_some(), "{name}");
    }
    assert!(named("keybearer-manual").is_none(), "it is for packages");
    let root = named("keybearer").unwrap();
    for words in ["EXAMPLES", "ENVIRONMENT", "EXIT STATUS", "FILES", "2026-12-01", "ES_FINGERPRINT"] {
        assert!(root.contains(&words.replace('-', "\\-")) || root.contains(words), "{words}");
    }
    for (path, page) in &first {
        assert!(page.contains(".SH EXAMPLES\n") || page.contains(".SH EXAMPLES "), "{path}");
        if let Some(mut mandoc) = ours("mandoc") {
            let ran = run(mandoc.args(["-T", "lint", "-W", "warning", path]));
            assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{ran:?}");
        }
        if let Some(mut man) = ours("man") {
            let ran = run(man.args(["--warnings", "-l", "-Tutf8", "-P", "cat", path]).env("MANWIDTH", "80"));
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        }
    }
    let wrong = run(keybearer().args(["manual", text(folder.path())]).env("SOURCE_DATE_EPOCH", "today"));
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

/// Packages have a link instead of a second program.
#[cfg(unix)]
#[test]
fn a_link_to_the_program_is_the_other_program() {
    let (practice, folder) = (Practice::start(), folder());
    let link = folder.path().join("elasticsearch-create-api-key");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keybearer"), &link).unwrap();
    let linked = || practice.user(crate::cli_practice::clean(text(&link)), "officer");
    let ran = run(linked().args(["--name", "linked", "--role", "reader", "--expiration", "1d"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.starts_with("id: ") && ran.out.contains("\nkey: "), "{ran:?}");
    assert_eq!(run(linked().arg("--help")).out, run(practice.user(article(), "officer").arg("--help")).out);
}

/// A command of the officer with this file of defaults.
fn with_defaults(practice: &Practice, path: &Path, args: &[&str]) -> crate::cli_practice::Ran {
    run(practice.user(keybearer(), "officer").env("KEYBEARER_CONFIG", path).args(args))
}

#[test]
fn options_and_the_environment_go_before_the_file_of_defaults() {
    let (practice, folder) = (Practice::start(), folder());
    let path = folder.path().join("config.toml");
    fs::write(&path, "output = \"json\"\ncolumns = [\"id\", \"status\"]\ntimeout = 30\nprofile = \"prod\"\n").unwrap();
    let ran = |args: &[&str]| with_defaults(&practice, &path, args);
    // ES_URL goes before the profile of the file; the form and the columns are those of the file.
    assert!(ran(&["list"]).json().is_array());
    let table = ran(&["list", "-o", "table"]).out;
    assert_eq!(table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), ["ID", "STATUS"]);
    assert!(ran(&["list", "-o", "table", "--columns", "name"]).out.starts_with("NAME\n"));
    // Where a secret goes is said each time.
    let refused = ran(&["create", "--name", "lost", "--no-rights", "--expiration", "1d"]);
    assert!(refused.code == Some(2) && refused.err.contains("--output json"), "{refused:?}");

    let shown = ran(&["config", "show", "-o", "json", "--timeout", "5"]).json();
    let setting = |name: &str| {
        let all = shown.as_array().unwrap();
        let found = all.iter().find(|setting| setting["setting"] == name).unwrap();
        (found["value"].as_str().map(str::to_owned), found["source"].as_str().unwrap().to_owned())
    };
    assert_eq!(setting("timeout"), (Some("5".into()), "an option".into()));
    assert_eq!(setting("profile"), (None, "the variable ES_URL".into()));
    assert_eq!(setting("output"), (Some("json".into()), format!("{}, line 1", path.display())));
    assert_eq!(setting("color"), (Some("auto".into()), "built in".into()));
    assert_eq!(ran(&["config", "path"]).out.trim(), text(&path));

    for (text, words) in
        [("profil = \"x\"\n", "line 1: unknown field `profil`"), ("\ncolumns = [\"size\"]", "line 2: columns: ")]
    {
        fs::write(&path, text).unwrap();
        let wrong = ran(&["list"]);
        assert!(wrong.code == Some(2) && wrong.err.contains(words) && wrong.out.is_empty(), "{wrong:?}");
    }
    assert_eq!(ran(&["config", "path"]).code, Some(0), "the way out of a file that can't be used");
    assert_eq!(ran(&["completions", "bash"]).code, Some(0));
}

#[test]
fn colors_repeat_the_word_of_a_status_and_come_only_where_they_are_wanted() {
    let practice = Practice::start();
    let list = |vars: &[(&str, &str)], args: &[&str]| {
        let mut command = practice.user(keybearer(), "officer");
        command.envs(vars.iter().copied()).args(["list", "--columns", "id,status,left"]).args(args);
        run(&mut command).out
    };
    let plain = list(&[], &[]);
    assert!(!plain.contains('\u{1b}'), "a pipe gets no colors");
    let colored = list(&[], &["--color", "always"]);
    assert!(colored.contains("\u{1b}[31mexpired\u{1b}[0m"), "{colored}");
    assert!(colored.contains("\u{1b}[32mvalid\u{1b}[0m"), "{colored}");
    let mut bare = colored.clone();
    for code in ["31", "32", "33", "2", "0"] {
        bare = bare.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(bare, plain, "the words are the same");
    assert_eq!(list(&[("CLICOLOR_FORCE", "1")], &[]), colored);
    assert_eq!(list(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], &[]), plain);
    assert_eq!(list(&[("NO_COLOR", "1")], &["--color", "always"]), colored);
}

#[test]
fn the_version_names_the_features_and_its_short_form_does_not() {
    let long = run(keybearer().arg("--version")).out;
    let mut lines = long.lines();
    assert_eq!(lines.next(), Some(concat!("keybearer ", env!("CARGO_PKG_VERSION"))));
    assert!(lines.next_back().is_some_and(|line| line.starts_with("features: ") && line.contains("sandbox")), "{long}");
    assert_eq!(run(keybearer().arg("-V")).out, concat!("keybearer ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn several_connections_are_for_lists_alone() {
    let ran = run(keybearer().args(["show", "x", "--profile", "a", "--profile", "b"]));
    assert!(ran.code == Some(2) && ran.err.contains("Only `list`"), "{ran:?}");
    let ran = run(keybearer().args(["list", "--all-profiles", "--profile", "a"]));
    assert!(ran.code == Some(2) && ran.err.contains("together"), "{ran:?}");
    let ran = run(keybearer().args(["list", "--profile", "a", "--profile", "b", "--ids"]));
    assert!(ran.code == Some(2) && ran.err.contains("--ids"), "{ran:?}");
}
