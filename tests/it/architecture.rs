//! Imports point down: the page that can't go stale.

use std::{fs, path::Path};

/// The layers and what each may name, besides itself.
const LAYERS: [(&str, &[&str]); 10] = [
    ("model", &[]),
    ("export", &["model"]),
    ("client", &["model"]),
    ("store", &["model"]),
    ("sandbox", &["model"]),
    ("ops", &["model", "export", "client", "store"]),
    ("worker", &["model", "export", "client", "store", "ops"]),
    ("app", &["model", "export", "client", "store", "ops", "worker"]),
    ("ui", &["model", "export", "client", "store", "ops", "worker", "app"]),
    ("cli", &["model", "export", "client", "store", "ops", "sandbox"]),
];

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            sources(&entry.path(), found);
        } else {
            found.push((entry.path().display().to_string(), fs::read_to_string(entry.path()).unwrap()));
        }
    }
}

/// The first names of all paths that begin with `crate::`, also in braces.
fn named(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let group = rest.strip_prefix('{').map(|group| &group[..group.find("};").unwrap_or(group.len())]);
        let mut depth = 0;
        let mut start = 0;
        let group_or_one = group.unwrap_or(&rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(0)]);
        for (place, c) in group_or_one.char_indices().chain([(group_or_one.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let item = group_or_one[start..place].trim();
                    names.push(item.split("::").next().unwrap_or(item));
                    start = place + 1;
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn every_layer_names_only_those_below_it() {
    let all: Vec<&str> = LAYERS.iter().map(|(layer, _)| *layer).chain(["window"]).collect();
    let mut read = 0;
    for (layer, below) in LAYERS {
        let mut files = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(layer), &mut files);
        for (path, text) in files {
            read += 1;
            for name in named(&text).into_iter().filter(|name| all.contains(name)) {
                assert!(name == layer || below.contains(&name), "{path}: `{layer}` must not name `{name}`");
            }
            assert!(layer == "ui" || !text.contains("egui::"), "{path}: only `ui` knows the toolkit");
        }
    }
    assert!(read > 60, "the sources were not found");
}

#[test]
fn the_reader_of_imports_sees_groups_and_single_paths() {
    let text = "use crate::{\n app::{A, B},\n model::c,\n};\nlet x = crate::ops::y();";
    assert_eq!(named(text).into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>(), ["app", "model", "ops"]);
}

/// Folders whose entries name each other nowhere: what two of them need has a file above them.
const UNRELATED: [&str; 2] = ["ui/screens", "cli/commands"];

/// The names that follow `prefix` in a text.
fn after<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = &'a str> {
    text.match_indices(prefix).map(move |(at, _)| {
        let rest = &text[at + prefix.len()..];
        &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())]
    })
}

#[test]
fn no_screen_names_another_screen_and_no_command_another_command() {
    for folder in UNRELATED {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(folder);
        let mut files = Vec::new();
        sources(&root, &mut files);
        let own = |path: &str| {
            let below = Path::new(path).strip_prefix(&root).unwrap().with_extension("");
            let names: Vec<String> = below.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
            names
        };
        let all: Vec<String> = files.iter().map(|(path, _)| own(path).remove(0)).collect();
        assert!(all.len() > 10, "the sources were not found");
        let last = format!("{}::", folder.rsplit('/').next().unwrap());
        for (path, text) in &files {
            let names = own(path);
            if names == ["mod"] {
                continue;
            }
            let depth = names.iter().filter(|name| *name != "mod").count();
            if let Some(other) = after(text, &last).find(|other| *other != names[0]) {
                panic!("{path}: `{}` must not name `{other}`", names[0]);
            }
            for other in after(text, &"super::".repeat(depth)).filter(|other| *other != names[0]) {
                assert!(!all.iter().any(|name| name == other), "{path}: `{}` must not name `{other}`", names[0]);
            }
        }
    }
}

/// Where a secret may become part of a longer text: to be handed over, and wiped after it.
const HANDS_OVER: [&str; 1] = ["cli/output/created_key.rs"];

#[test]
fn a_secret_is_put_into_text_only_where_it_is_handed_over_or_wiped() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for (path, text) in files {
        if HANDS_OVER.iter().any(|place| path.ends_with(place)) {
            continue;
        }
        for line in text.lines().filter(|line| line.contains(".expose()")) {
            let prints = ["println!", "format!", "write!", "to_string"].iter().any(|print| line.contains(print));
            assert!(!prints || line.contains("Zeroizing::new("), "{path}: {}", line.trim());
        }
    }
}

/// The text literals of a source, without comments and without the tests at its end.
fn literals(text: &str) -> Vec<String> {
    let product = text.find("#[cfg(test)]").map_or(text, |end| &text[..end]);
    let mut found = Vec::new();
    let mut letters = product.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        if product[at..].starts_with("//") {
            while letters.next_if(|(_, letter)| *letter != '\n').is_some() {}
        } else if letter == '\'' {
            // A character: `'"'` opens no text. A lifetime has no second quote where a character has it.
            let rest = &product[at + 1..];
            let width = if rest.starts_with('\\') { 2 } else { 1 };
            if rest.chars().nth(width) == Some('\'') {
                letters.by_ref().take(width + 1).for_each(|_| ());
            }
        } else if letter == '"' {
            let mut literal = String::new();
            while let Some((_, letter)) = letters.next() {
                match letter {
                    '"' => break,
                    '\\' => _ = letters.next(),
                    other => literal.push(other),
                }
            }
            found.push(literal);
        }
    }
    found
}

#[test]
fn use_cases_name_no_options_and_no_commands() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ops"), &mut files);
    let mut read = 0;
    for (path, text) in files.into_iter().filter(|(path, _)| !path.ends_with("tests.rs")) {
        for literal in literals(&text) {
            read += 1;
            let is_flag = literal
                .match_indices("--")
                .any(|(at, _)| literal[at + 2..].starts_with(|letter: char| letter.is_ascii_lowercase()));
            assert!(
                !is_flag && !literal.contains("`keybearer "),
                "{path}: a `Fix` is told by the front ends: {literal}"
            );
        }
    }
    assert!(read > 500, "the texts were not found");
}

#[test]
fn the_reader_of_texts_sees_all_but_comments_and_tests() {
    let text = "let a = \"one\"; // \"no\"\nlet q = '\"'; f::<'a>(\"t\\\"wo\");\n#[cfg(test)]\nlet b = \"three\";";
    assert_eq!(literals(text), ["one", "two"]);
}

/// Constructors of a computer without rules, for tests.
const WITHOUT_RULES: [&str; 6] = [
    "Client::new(",
    "connect::connect(",
    "connect::connect_with(",
    "connect::test(",
    "connect::test_with(",
    "Profiles::new(",
];

/// Beside each such constructor there is one that takes the rules of the computer. The program has to use that, and only
/// one file knows the variable by which tests name another file of rules.
#[test]
fn the_program_connects_and_saves_only_by_the_rules_of_the_computer() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let product = |text: &str| text.find("#[cfg(test)]").map_or(text.len(), |end| end);
    let mut knows = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| !path.ends_with("tests.rs")) {
        let text = &text[..product(text)];
        let used = WITHOUT_RULES.iter().find(|name| {
            let is_ours = |before: &str| !before.ends_with("reqwest::") && !before.ends_with(char::is_alphanumeric);
            text.match_indices(*name).any(|(at, _)| is_ours(&text[..at]))
        });
        assert_eq!(used, None, "{path}: use the constructor that takes the rules of the computer");
        if text.contains("KEYBEARER_TEST_POLICY") {
            knows.push(path);
        }
    }
    assert!(matches!(&knows[..], [path] if path.ends_with("store/machine_policy.rs")), "{knows:?}");
}

/// What stands between backticks in a row of a table, cell by cell.
fn quoted(row: &str) -> Vec<Vec<&str>> {
    row.split(" | ").map(|cell| cell.split('`').skip(1).step_by(2).collect()).collect()
}

/// `a/{b,c}.rs` as `a/b.rs` and `a/c.rs`.
fn each_of(name: &str) -> Vec<String> {
    match name.split_once('{').and_then(|(start, rest)| Some((start, rest.split_once('}')?))) {
        Some((start, (names, end))) => names.split(',').map(|one| format!("{start}{one}{end}")).collect(),
        None => vec![name.to_owned()],
    }
}

/// A promise whose test is gone, or a limit that has another name by now, is no promise.
#[test]
fn the_tests_files_and_limits_that_the_architecture_names_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("tests/it"), &mut files);
    sources(&root.join("tests/contract"), &mut files);
    let has = |text: &str| files.iter().any(|(_, source)| source.contains(text));
    let is_name =
        |text: &str, letter: fn(char) -> bool| text.chars().all(|c| letter(c) || c == '_' || c.is_ascii_digit());
    let page = fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let (mut tests, mut limits, mut missing) = (0, 0, Vec::new());
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells = quoted(row);
        for name in cells.iter().flatten() {
            if is_name(name, |c| c.is_ascii_lowercase()) && name.matches('_').count() > 2 {
                tests += 1;
                if !has(&format!("fn {name}(")) {
                    missing.push(format!("no test is called {name}"));
                }
            }
            for file in each_of(name).into_iter().map(|file| format!("/{file}")) {
                let is_there = match &file {
                    file if file.ends_with(".rs") => files.iter().any(|(path, _)| path.ends_with(file)),
                    folder if folder.ends_with('/') => files.iter().any(|(path, _)| path.contains(folder)),
                    _ => true,
                };
                if !is_there {
                    missing.push(format!("there is no {file} (of {name})"));
                }
            }
        }
        let [_, constants, _, places, ..] = &cells[..] else { continue };
        for constant in constants.iter().filter(|name| is_name(name, |c| c.is_ascii_uppercase())) {
            limits += 1;
            let declares = |(path, source): &&(String, String)| {
                places.iter().any(|place| path.contains(&format!("/src/{place}")))
                    && source.contains(&format!("const {constant}:"))
            };
            if !files.iter().any(|file| declares(&file)) {
                missing.push(format!("{places:?} has no {constant}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    assert!(tests > 40 && limits > 60, "the page was not read: {tests} tests, {limits} limits");
}
