//! Results of a run of `rotate`: messages and exit codes.

use crate::{
    cli::{
        commands::rotation::terminal::{Terminal, print_due},
        error::{CliError, Exit},
        output,
    },
    model::{
        api_key::KeyId,
        rotation::{Ended, Rotation, State},
        text::sanitize,
    },
    ops::{
        clock,
        rotation::driver::{Outcome, RotationReport},
    },
};

/// Returns the exit code for all, some or none done.
pub(crate) fn exit(done: usize, failed: usize) -> Exit {
    match (done, failed) {
        (_, 0) => Exit::Done,
        (0, _) => Exit::Failed,
        _ => Exit::Partly,
    }
}

/// Returns the exit code of a run without a problem: the doubts about the successor were printed before.
pub(crate) fn made(after: &RotationReport) -> Exit {
    if after.doubts.is_empty() { Exit::Done } else { Exit::NotKnown }
}

/// Reports how far a rotation has come.
///
/// # Errors
/// The reason why it stopped early.
pub(crate) fn finish(outcome: Outcome, front: &mut Terminal<'_>) -> Result<Box<RotationReport>, CliError> {
    let Outcome::After(mut after) = outcome else {
        // A terminal shows no cards: it has already written the secret it was given.
        return Err(CliError::problem("The secret is waiting to be shown", "", "Resume it with --resume"));
    };
    front.check(&mut after)?;
    print_report(&after);
    Ok(after)
}

/// Reports the end of the old key with its proof, or when it is due.
pub(crate) fn print_report(after: &RotationReport) {
    match after.ended {
        Some(how) => output::print_status(&ended_text(&after.rotation, how)),
        None if after.problem.is_none() && !after.declined => print_due(&after.rotation),
        None => {}
    }
}

/// Formats how the old key ended, with the moment of the proof.
pub(crate) fn ended_text(rotation: &Rotation, how: Ended) -> String {
    let at = match rotation.state {
        State::Done { proved_at, .. } => crate::model::time::calendar::clock(proved_at, &clock::zone()),
        _ => String::new(),
    };
    let old = KeyId::new(sanitize::shown(rotation.old.id.as_str()));
    how.proof(&old, &at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_tells_all_some_and_none() {
        assert_eq!(
            (exit(2, 0), exit(0, 0), exit(1, 1), exit(0, 2)),
            (Exit::Done, Exit::Done, Exit::Partly, Exit::Failed)
        );
    }
}
