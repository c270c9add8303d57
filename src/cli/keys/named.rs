//! Keys that references mean.

use crate::{
    cli::{
        error::CliError,
        output::{self, key_row},
    },
    model::{Timestamp, api_key::ApiKey, inventory::list_view, text::sanitize, time::calendar},
    ops::{Session, clock, keys::find},
};

/// Returns the one key that a reference means: of a rotated key and its successor the successor, with a message.
/// `None` if it means several, which are listed.
///
/// # Errors
/// Returns an error if the reference matches no key, or the cluster can't be asked.
pub(crate) async fn one(session: &Session, reference: &str) -> Result<Option<ApiKey>, CliError> {
    let mut found = find::named(session, reference).await?;
    let key = match choose(&found) {
        Choice::One(key) => key.clone(),
        Choice::Several if let Some(newest) = list_view::last_successor(&found) => {
            let others: Vec<&str> =
                found.iter().filter(|key| key.id != newest.id && !key.invalidated).map(|key| key.id.as_str()).collect();
            let others = sanitize::shown(&others.join(", ")).into_owned();
            output::print_status(&format!(
                "This key is the successor of {others}, which is also valid: to select that one, use its id"
            ));
            return Ok(Some(newest.clone()));
        }
        Choice::None => return Err(unknown(session, reference)),
        Choice::Several => {
            print_candidates(reference, &found, session.now());
            return Ok(None);
        }
    };
    found.retain(|other| other.id != key.id);
    if !found.is_empty() {
        output::print_status(&format!("{} more with that name are already invalidated", found.len()));
    }
    Ok(Some(key))
}

/// Result of resolving a reference.
pub(crate) enum Choice<'a> {
    /// No visible key.
    None,
    /// One key.
    One(&'a ApiKey),
    /// Several keys, none of which can be preferred.
    Several,
}

/// Chooses the key that a reference means: the only one, or the only one that is not invalidated.
pub(crate) fn choose(found: &[ApiKey]) -> Choice<'_> {
    let valid: Vec<&ApiKey> = found.iter().filter(|key| !key.invalidated).collect();
    match (found, valid.as_slice()) {
        ([], _) => Choice::None,
        ([key], _) => Choice::One(key),
        (_, [key]) => Choice::One(key),
        _ => Choice::Several,
    }
}

/// Creates the error for a reference that means no visible key.
pub(crate) fn unknown(session: &Session, reference: &str) -> CliError {
    let title = format!("There is no key with the id, application id or name “{reference}”");
    let hint = if session.sees_own_only() {
        "You can see only your own keys: seeing others requires the privilege read_security or manage_api_key"
    } else {
        "To find keys, use `keybearer list` with a part of the name"
    };
    CliError::problem(&title, "", hint)
}

/// Lists the keys of a reference that means several.
pub(crate) fn print_candidates(reference: &str, found: &[ApiKey], now: Timestamp) {
    output::print_error(&format!("“{reference}” matches {} keys. Nothing was done: select one by its id", found.len()));
    output::print_status(key_row::table(found, now, &clock::zone()).trim_end());
}

/// Finds the keys that references mean, without duplicates; `None` if any reference is ambiguous, unknown or means
/// invalidated keys only, after that was reported.
pub(crate) async fn meant(session: &Session, references: &[String]) -> Result<Option<Vec<ApiKey>>, CliError> {
    named(session, references, false).await
}

/// Finds keys as [`meant`] does. `gone_is_done`: a reference of which all keys are invalidated already is reported and
/// adds no key.
pub(crate) async fn named(
    session: &Session,
    references: &[String],
    gone_is_done: bool,
) -> Result<Option<Vec<ApiKey>>, CliError> {
    let mut keys: Vec<ApiKey> = Vec::new();
    let mut clear = true;
    for reference in references {
        let meant = find::not_yet_invalidated(session, reference).await?;
        match (meant.valid.as_slice(), meant.invalidated.first()) {
            ([key], _) if keys.iter().any(|other| other.id == key.id) => {}
            ([key], _) => keys.push(key.clone()),
            ([], None) => {
                unknown(session, reference).print();
                clear = false;
            }
            ([], Some(gone)) => {
                print_invalidated(reference, gone);
                clear &= gone_is_done;
            }
            (several, _) => {
                print_candidates(reference, several, session.now());
                clear = false;
            }
        }
    }
    if !clear && references.len() > 1 {
        output::print_error("Nothing was done");
    }
    Ok(clear.then_some(keys))
}

/// Prints that a reference means a key that is invalidated already.
pub(crate) fn print_invalidated(reference: &str, gone: &ApiKey) {
    let when = gone.invalidated_at.map(|at| format!(", {}", calendar::local(at, &clock::zone()))).unwrap_or_default();
    output::print_error(&format!("“{reference}” is already invalidated (key {}{when})", gone.id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::api_key::KeyId;

    fn key(id: &str, invalidated: bool) -> ApiKey {
        ApiKey { id: KeyId::new(id), invalidated, ..Default::default() }
    }

    fn chosen(keys: &[(&str, bool)]) -> Option<String> {
        let keys: Vec<ApiKey> = keys.iter().map(|(id, invalidated)| key(id, *invalidated)).collect();
        match choose(&keys) {
            Choice::One(key) => Some(key.id.to_string()),
            Choice::None | Choice::Several => None,
        }
    }

    #[test]
    fn what_is_invalidated_steps_back_before_what_is_not() {
        assert_eq!(chosen(&[("a", true)]).as_deref(), Some("a"));
        assert_eq!(chosen(&[("a", true), ("b", false)]).as_deref(), Some("b"));
        assert_eq!(chosen(&[("a", false), ("b", false)]), None);
        assert_eq!(chosen(&[("a", true), ("b", true)]), None);
        assert_eq!(chosen(&[]), None);
    }
}
