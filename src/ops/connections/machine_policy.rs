//! Rules of this computer as problems for a person: the same for the window and the command line. The client obeys them
//! whatever was asked here before.

use crate::{
    model::machine_policy::{MachinePolicy, Rule, Violation},
    ops::{Fix, Problem},
    store::journal::Journal,
};

/// Returns the problem that refuses every change recorded in this journal; `None` if changes are allowed. Asked before
/// anything else, so that nobody fills in a form or types a name in vain.
pub fn refusal_of_changes(policy: &MachinePolicy, journal: &Journal) -> Option<Problem> {
    policy.check_changes(journal.place()).err().map(|violation| refused(&violation))
}

/// Returns the problem of something that the rules of this computer refuse.
pub(crate) fn refused(violation: &Violation) -> Problem {
    let title = if violation.is_of_changes() { "Nothing was sent" } else { "Not allowed on this computer" };
    let problem = Problem::new(title, &violation.to_string());
    match violation.rule {
        None => problem.hint("Ask the administrator of this computer to correct the file, and start again"),
        // The reason says what to do.
        Some(Rule::JournalRequired) => problem,
        Some(Rule::JournalPath) => problem.hint("Unset KEYBEARER_JOURNAL, and start again"),
        Some(Rule::AllowedUuids) => problem.hint("Ask the administrator of this computer"),
        Some(Rule::VerifyRequired) => problem.hint("Use https and a CA file or a fingerprint").fix(Fix::EditConnection),
        Some(Rule::ProductionProtected) => {
            problem.hint("Protect it by its name, or make it read-only").fix(Fix::EditConnection)
        }
        Some(Rule::MaxIdle | Rule::AllowedHosts) => {
            problem.hint("Check the URL, or ask the administrator of this computer").fix(Fix::EditConnection)
        }
    }
}
