//! Ways out of a problem as options and commands; the window has buttons for the same.

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
        Fix::MoreTime => "--timeout SECONDS gives each request more time".into(),
        Fix::CreateKey => "`keybearer create` makes a new key".into(),
        Fix::ActAs(user) => format!("--run-as {} acts as that user, if you may", sanitize::shown(user)),
        Fix::AllowOtherOwner => "--other-owner takes a successor that is yours".into(),
        Fix::AllowManaged => "--managed-too means such a key, too".into(),
        Fix::RotateAgain => "--again makes another successor all the same".into(),
        Fix::ListRotations => "`keybearer rotate --list` shows those that are".into(),
        Fix::ResumeRotation(id) => format!("`keybearer rotate --resume {id}` resumes it"),
        Fix::CancelRotation { id, keep_successor: false } => format!("`keybearer rotate --cancel {id}` cancels it"),
        Fix::CancelRotation { id, keep_successor: true } => {
            format!("`keybearer rotate --cancel {id} --keep-successor` cancels it and leaves the successor valid")
        }
        Fix::HaveSecret(id) => format!(
            "`keybearer rotate --resume {id} --secret-file PATH` reads the secret from a file that holds the encoded \
             key, --handed-over takes your word that you have it"
        ),
        Fix::MakeAgain(id) => {
            format!("`keybearer rotate --resume {id} --make-again` ends that successor and makes another")
        }
        Fix::OtherFile(id) => format!("`keybearer rotate --resume {id} --secret-file PATH` takes another file"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_out_are_told_as_commands_behind_the_message() {
        let problem = Problem::new("It stopped", "").hint("Try again").fix(Fix::ResumeRotation("r1".into()));
        assert_eq!(with_fixes(&problem), "It stopped. Try again. `keybearer rotate --resume r1` resumes it");
        assert_eq!(with_fixes(&Problem::new("No", "").fix(Fix::Retry)), "No");
    }
}
