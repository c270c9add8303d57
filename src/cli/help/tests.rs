use clap::FromArgMatches as _;

use super::*;
use crate::cli::{CREATE_API_KEY, create_api_key_bin, ids_last};

/// Splits a line as a shell does, up to a redirection; of a pipeline, the last part that is ours.
fn words(line: &str) -> Vec<std::ffi::OsString> {
    let (mut commands, mut word, mut quoted) = (vec![Vec::new()], None::<String>, false);
    for letter in line.chars().chain([' ']) {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => commands.last_mut().unwrap().extend(word.take()),
            '|' if !quoted => commands.push(Vec::new()),
            '>' if !quoted => break,
            other => word.get_or_insert_default().push(other),
        }
    }
    assert!(!quoted, "{line}");
    let ours = commands.into_iter().rfind(|words| words.first().is_some_and(|word| word != "jq"));
    ours.unwrap_or_default().into_iter().map(Into::into).collect()
}

/// Calls a function with each visible command, and its names below the root.
fn each(command: &Command, path: &str, call: &mut impl FnMut(&Command, &str)) {
    call(command, path);
    for sub in command.get_subcommands() {
        each(sub, format!("{path} {}", sub.get_name()).trim(), call);
    }
}

#[test]
fn every_command_has_examples_that_it_understands() {
    let mut seen = 0;
    let mut check = |path: &str, command: &Command| {
        let found = examples::of(path);
        assert!(!found.is_empty(), "there is no example of “{path}”");
        let help = command.clone().render_help().to_string();
        for (line, meaning) in found {
            seen += 1;
            let (root, line_words) = match path {
                CREATE_API_KEY => (create_api_key_bin::command(), words(line)),
                _ => (crate::cli::command(), ids_last(words(line))),
            };
            let parsed = root.try_get_matches_from(line_words).unwrap_or_else(|error| panic!("{line}\n{error}"));
            if path != CREATE_API_KEY {
                assert!(crate::cli::Cli::from_arg_matches(&parsed).is_ok(), "{line}");
            }
            let (mut names, mut inner) = (Vec::new(), &parsed);
            while let Some((name, deeper)) = inner.subcommand() {
                (inner, _) = (deeper, names.push(name));
            }
            let is_own = path.is_empty() || path == CREATE_API_KEY || names.join(" ").starts_with(path);
            assert!(is_own, "{line} is an example of “{path}”");
            assert!(!meaning.ends_with('.') && help.contains(meaning), "{meaning}");
            assert!(help.contains(line), "it does not fit into one line: {line}");
        }
    };
    each(&crate::cli::command(), "", &mut |command, path| check(path, command));
    check(CREATE_API_KEY, &create_api_key_bin::command());
    assert_eq!(seen, examples::count(), "an example belongs to no command");
}

#[test]
fn the_reader_of_examples_reads_as_a_shell_does() {
    let read = |line: &str| words(line).into_iter().map(|word| word.into_string().unwrap()).collect::<Vec<_>>();
    assert_eq!(read("keybearer list 'a b' '' > c"), ["keybearer", "list", "a b", ""]);
    assert_eq!(read("a -x '>' | keybearer list -"), ["keybearer", "list", "-"]);
    assert_eq!(read("keybearer list '|' | jq"), ["keybearer", "list", "|"]);
    assert_eq!(read("keybearer list | keybearer show -"), ["keybearer", "show", "-"]);
}
