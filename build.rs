//! Names the commit that a release is built from, for `--version`, and gives the programs for Windows their icon and version.
//! Nothing here depends on time or machine.

use std::{env, path::Path, process::Command};

/// What a build is made of; changes in it that are in no commit are told.
const SOURCES: [&str; 6] = ["src", "assets", "Cargo.toml", "Cargo.lock", "build.rs", "rustfmt.toml"];

/// Variable that names the commit where the sources are in no git repository, such as those of a tarball.
const VARIABLE: &str = "KEYBEARER_COMMIT";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    println!("cargo::rustc-env=KEYBEARER_BUILT_FROM={}", commit().unwrap_or_default());
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "windows") {
        windows_resource();
    }
}

/// Icon and version, as the Explorer shows them. Without the tool that compiles them a program is built all the same.
fn windows_resource() {
    const ICON: &str = "assets/icon.ico";
    println!("cargo::rerun-if-changed={ICON}");
    let mut resource = winresource::WindowsResource::new();
    resource.set_icon(ICON).set("ProductName", "Keybearer").set("FileDescription", "Keybearer");
    resource.set("LegalCopyright", "Apache-2.0 or MIT");
    if let Err(error) = resource.compile() {
        println!("cargo::warning=the programs have neither icon nor version: {error}");
    }
}

/// Returns the commit; `None` where it is not known. A development build names none: everything would be compiled anew
/// with each commit.
fn commit() -> Option<String> {
    let given = || env::var(VARIABLE).ok().map(|text| text.trim().to_owned()).filter(|text| is_plain(text));
    if env::var("PROFILE").is_ok_and(|profile| profile == "debug") {
        return given();
    }
    of_git().or_else(given)
}

/// Returns `true` for a text that can be a commit, or the name of a version.
fn is_plain(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    (1..=64).contains(&text.len()) && text.chars().all(fits)
}

/// Returns the commit of the repository whose root is the folder of this package; `None` if there is none, such as in a
/// tarball that was unpacked into another repository.
fn of_git() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    let head = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&[&["status", "--porcelain", "--"][..], &SOURCES].concat())?;
    // The commit moves with one of these: the head itself, the branch that it is on, or all branches packed together.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    for name in ["HEAD", "packed-refs"].into_iter().chain(branch.as_deref()) {
        let path = git(&["rev-parse", "--git-path", name]).filter(|path| Path::new(path).exists());
        path.iter().for_each(|path| println!("cargo::rerun-if-changed={path}"));
    }
    SOURCES.iter().for_each(|path| println!("cargo::rerun-if-changed={path}"));
    Some(if changed.is_empty() { head } else { format!("{head}-modified") })
}

/// Returns what a git command prints; `None` if it fails.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}
