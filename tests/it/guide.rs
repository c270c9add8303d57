//! The user's guide: every command in it is run, and its output compared; every file it links to is there.

use std::{fs, path::Path};

use keybearer::sandbox::{Options, Passwords, Sandbox};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");

/// The chapters as (name, text).
fn chapters() -> Vec<(String, String)> {
    let mut chapters: Vec<(String, String)> = fs::read_dir(GUIDE)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    chapters.sort();
    chapters
}

#[test]
fn the_guides_commands_print_what_it_shows() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (name, text) in chapters() {
        if !text.contains("```console") {
            continue;
        }
        // Each chapter has a cluster and a folder of its own: what one does, another one need not know.
        let options = Options { port: 0, keys: 40, passwords: Passwords::Fixed };
        let sandbox = runtime.block_on(Sandbox::start(options)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let chapter = name.trim_end_matches(".md");
        for kind in ["in", "out"] {
            fs::create_dir(folder.path().join(format!("{chapter}.{kind}"))).unwrap();
            fs::write(folder.path().join(format!("{chapter}.{kind}/.keep")), "").unwrap();
        }
        fs::write(folder.path().join(&name), text.replace("[FINGERPRINT]", sandbox.fingerprint())).unwrap();
        let officer = &sandbox.accounts()[0];
        let cases = trycmd::TestCases::new();
        cases
            .register_bin("keybearer", Path::new(env!("CARGO_BIN_EXE_keybearer")))
            .env("ES_URL", sandbox.url())
            .env("ES_FINGERPRINT", sandbox.fingerprint())
            .env("ES_USERNAME", &officer.name)
            .env("ES_PASSWORD", &officer.password)
            .env("KEYBEARER_JOURNAL", folder.path().join("journal").to_str().unwrap())
            .env("KEYBEARER_ROTATIONS", folder.path().join("rotations").to_str().unwrap())
            .env("XDG_CONFIG_HOME", folder.path().join("config").to_str().unwrap())
            .env("TZ", "UTC");
        cases.insert_var("[URL]", sandbox.url().to_owned()).unwrap();
        cases.case(folder.path().join("*.md"));
        cases.run();
    }
}

#[test]
fn the_guides_links_and_pictures_are_there() {
    for (name, text) in chapters() {
        let mut links = 0;
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(Path::new(GUIDE).join(target).exists(), "{name} links to {target}, which is not there");
            links += 1;
        }
        assert!(links > 0 || name != "README.md", "{name} links to nothing");
    }
}

/// The titles of problems with a cluster are in the guide, and the guide explains no other.
#[test]
fn the_guide_explains_each_problem_with_a_cluster() {
    let code = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ops/problem.rs")).unwrap();
    let text = fs::read_to_string(Path::new(GUIDE).join("troubleshooting.md")).unwrap();
    let begin = code.find("match error {").unwrap();
    let mut titles: Vec<&str> = ["problem(\"", "Problem::new(\""]
        .iter()
        .flat_map(|call| code[begin..].split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let certificate = code.split("let title = match why {").nth(1).and_then(|rest| rest.split("};").next()).unwrap();
    titles.extend(certificate.split('"').skip(1).step_by(2));
    titles.sort_unstable();
    titles.dedup();
    let mut explained: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .filter(|row| *row != "message")
        .collect();
    explained.sort_unstable();
    assert_eq!(explained, titles);
}
