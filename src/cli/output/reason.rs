//! Keys with the reason of their outcome, as JSON.

use serde::Serialize;

use crate::ops::Outcome;

/// Key with a reason.
#[derive(Serialize)]
pub(crate) struct ReasonJson<'a> {
    /// Id of the key.
    pub(crate) id: &'a str,
    /// Reason, as the beginning of a sentence.
    pub(crate) reason: &'a str,
}

/// Lists the keys that were not seen to be as asked for: those whose outcome is not known if `unknown`, otherwise the
/// certain failures.
pub(crate) fn reasons(outcome: &Outcome, unknown: bool) -> Vec<ReasonJson<'_>> {
    let of_this_kind = outcome.failed.iter().filter(|(_, failure)| failure.is_unknown() == unknown);
    of_this_kind.map(|(id, failure)| ReasonJson { id: id.as_str(), reason: failure.reason() }).collect()
}
