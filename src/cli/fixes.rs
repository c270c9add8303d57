//! Ways out of a problem as options and commands; the window has buttons for the same.

use super::environment;
use crate::{
    model::text::sanitize,
    ops::{Fix, Problem},
};

/// Formats a problem: its message, and its ways out as options and commands.
pub(super) fn with_fixes(problem: &Problem) -> String {
    let ways: Vec<String> = problem.fixes.iter().filter_map(way).collect();
    match ways.is_empty() {
        true => problem.words(),
        false => format!("{}. {}", problem.words(), ways.join("; ")),
    }
}

/// Formats a way out; `None` if the command line has no option for it.
fn way(fix: &Fix) -> Option<String> {
    Some(match fix {
        Fix::Retry | Fix::EditConnection | Fix::CompareCertificate | Fix::ReadProfiles | Fix::UseMemory => return None,
        Fix::SignIn => sign_in(),
        Fix::MoreTime => "Use --timeout SECONDS to increase the timeout".into(),
        Fix::CreateKey => "Use `keybearer create` to create a new key".into(),
        Fix::ActAs(user) => {
            format!("Use --run-as {} to run as that user, if you are allowed to", sanitize::shown(user))
        }
        Fix::AllowOtherOwner => "Use --other-owner to become the owner of the successor".into(),
        Fix::AllowManaged => "Use --managed-too to include such keys".into(),
        Fix::RotateAgain => "Use --again to create another successor anyway".into(),
        Fix::ListRotations => "Use `keybearer rotate --list` to see the known rotations".into(),
        Fix::ResumeRotation(id) => format!("Use `keybearer rotate --resume {id}` to resume it"),
        Fix::CancelRotation { id, keep_successor: false } => {
            format!("Use `keybearer rotate --cancel {id}` to cancel it")
        }
        Fix::CancelRotation { id, keep_successor: true } => {
            format!("Use `keybearer rotate --cancel {id} --keep-successor` to cancel it and keep the successor valid")
        }
        Fix::HaveSecret(id) => format!(
            "Use `keybearer rotate --resume {id} --secret-file PATH` to read the secret from a file with the encoded \
             key, or --handed-over to confirm that you have it"
        ),
        Fix::MakeAgain(id) => {
            format!("Use `keybearer rotate --resume {id} --make-again` to invalidate that successor and create another")
        }
        Fix::OtherFile(id) => format!("Use `keybearer rotate --resume {id} --secret-file PATH` to use another file"),
    })
}

/// Formats the way out of a sign-in that has ended.
pub(super) fn sign_in() -> String {
    match environment::profile_name() {
        Some(name) => format!("Use `keybearer login --profile '{}'` to sign in", sanitize::shown(name)),
        None => "Use `keybearer login --profile NAME` to sign in".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_out_are_told_as_commands_behind_the_message() {
        let problem = Problem::new("It stopped", "").hint("Try again").fix(Fix::ResumeRotation("r1".into()));
        assert_eq!(with_fixes(&problem), "It stopped. Try again. Use `keybearer rotate --resume r1` to resume it");
        assert_eq!(with_fixes(&Problem::new("No", "").fix(Fix::Retry)), "No");
        let problem = Problem::new("The sign-in has ended", "").fix(Fix::SignIn).or(Fix::EditConnection);
        let words = "The sign-in has ended. Use `keybearer login --profile NAME` to sign in";
        assert_eq!(with_fixes(&problem), words);
    }
}
