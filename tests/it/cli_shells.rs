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
