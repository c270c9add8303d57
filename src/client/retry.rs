//! Further attempts of a request: when, and after which pause.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use super::{error::ClientError, http::response::Response};

/// Maximum number of attempts of a request that may be repeated.
pub(super) const TRIES: u32 = 3;

/// First pause between two attempts; doubled for each further one, and up to half of it is random.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Longest pause that a server may ask for; a longer one is not waited for.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Returns the error of an attempt; `None` if it succeeded.
pub(super) fn failure_of(result: &Result<Response, ClientError>) -> Option<ClientError> {
    match result {
        Ok(answer) if answer.is_success() => None,
        Ok(answer) => Some(answer.refusal()),
        Err(error) => Some(error.clone()),
    }
}

/// Returns the pause before the next attempt; `None` if there should be none.
pub(super) fn pause(result: &Result<Response, ClientError>, tries: u32) -> Option<Duration> {
    let asked = match result {
        Ok(answer) if matches!(answer.status, 408 | 429 | 502..=504) => answer.retry_after,
        Err(error) if error.is_passing() => None,
        _ => return None,
    };
    if let Some(asked) = asked {
        return (asked <= MAX_PAUSE).then_some(asked);
    }
    let most = FIRST_PAUSE * 2_u32.saturating_pow(tries.saturating_sub(1));
    let chance = (RandomState::new().build_hasher().finish() % 1000) as u32;
    Some(most / 2 + most / 2 * chance / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_leave_something_to_chance() {
        let broken = Err(ClientError::Broken { reason: String::new(), maybe_sent: true, status: None });
        let first = pause(&broken, 1).unwrap();
        assert!((FIRST_PAUSE / 2..=FIRST_PAUSE).contains(&first));
        assert!(pause(&broken, 2).unwrap() >= FIRST_PAUSE);
        let pauses: std::collections::BTreeSet<_> = (0..20).map(|_| pause(&broken, 1)).collect();
        assert!(pauses.len() > 1);
        assert_eq!(pause(&Err(ClientError::TlsOnPlainPort), 1), None);
    }
}
