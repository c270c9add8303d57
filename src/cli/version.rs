//! What `--version` tells: version, commit and features. `-V` tells the version alone.

use std::sync::LazyLock;

/// Commit that this program was built from, as its build was told or found in git; empty if it is not known.
const COMMIT: &str = env!("KEYBEARER_BUILT_FROM");

/// Returns the long version: the version, the commit where it is known, and the features.
pub(super) fn long() -> &'static str {
    static LONG: LazyLock<String> = LazyLock::new(|| of(env!("CARGO_PKG_VERSION"), COMMIT, &features()));
    &LONG
}

/// Returns the features of this build.
fn features() -> Vec<&'static str> {
    let known = [("window", cfg!(feature = "window")), ("sandbox", cfg!(feature = "sandbox"))];
    known.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
}

fn of(version: &str, commit: &str, features: &[&str]) -> String {
    let commit = if commit.is_empty() { String::new() } else { format!("\ncommit:   {commit}") };
    let features = if features.is_empty() { "none".to_owned() } else { features.join(", ") };
    format!("{version}{commit}\nfeatures: {features}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_that_is_not_known_is_left_out() {
        assert_eq!(
            of("1.2.3", "0123456789ab", &["window", "sandbox"]),
            "1.2.3\ncommit:   0123456789ab\nfeatures: window, sandbox"
        );
        assert_eq!(of("1.2.3", "", &[]), "1.2.3\nfeatures: none");
    }
}
