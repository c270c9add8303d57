//! Outlook of a rotation: the next step by its own state, corrected by how its two keys stand on the cluster.

use super::{Next, Rotation, State};
use crate::model::{Millis, api_key::ApiKey, time::expiry::Status};

/// Standing of one key of a rotation, as the cluster tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeyState {
    /// It signs in.
    Valid,
    /// Its expiration is over.
    Expired,
    /// Somebody invalidated it.
    Invalidated,
    /// The cluster knows no such key, and whoever asked would see it.
    Gone,
    /// It was not asked for, could not be read, or may not be seen.
    #[default]
    Unknown,
}

impl KeyState {
    /// Standing of a key that was read. `now` is the cluster's clock.
    pub fn of(key: &ApiKey, now: Millis) -> Self {
        Self::with(key, key.status(now) == Status::Expired)
    }

    /// Standing of a key that was read, where it is known from elsewhere whether it has expired.
    pub fn with(key: &ApiKey, has_expired: bool) -> Self {
        match (key.invalidated, has_expired) {
            (true, _) => Self::Invalidated,
            (false, _) if key.is_unread("invalidated") || key.is_unread("expiration") => Self::Unknown,
            (false, true) => Self::Expired,
            (false, false) => Self::Valid,
        }
    }

    /// Standing by the status of a key in a list.
    pub fn by_status(status: Status) -> Self {
        match status {
            Status::Invalidated => Self::Invalidated,
            Status::Expired => Self::Expired,
            _ => Self::Valid,
        }
    }

    /// `true` if the key is known not to sign in any more.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Expired | Self::Invalidated | Self::Gone)
    }

    /// One word or two, behind "is".
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Expired => "expired",
            Self::Invalidated => "invalidated",
            Self::Gone => "gone",
            Self::Unknown => "not known",
        }
    }
}

/// What can be done with a rotation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// The next step by its own state: nothing that is known of its keys stands against it.
    Next(Next),
    /// The old key has ended, and the successor works or may work: the end is only to be filed.
    OldEnded(KeyState),
    /// The successor has ended and the old key works or may work: the rotation can only be given up.
    SuccessorEnded(KeyState),
    /// No key of it works any more: it can only be closed. In words, such as "both keys are invalidated".
    Dead(String),
}

impl Outlook {
    /// `true` if the end of the old key can be carried out or filed now.
    pub fn is_due(&self) -> bool {
        matches!(self, Self::Next(Next::End) | Self::OldEnded(_))
    }
}

impl Rotation {
    /// Outlook at `now`, by this machine's clock, with the standing of the old key and of the successor. The latter
    /// is ignored where no successor is known.
    pub fn outlook(&self, now: Millis, old: KeyState, successor: KeyState) -> Outlook {
        let next = self.next(now);
        if next == Next::Nothing {
            return Outlook::Next(next);
        }
        let has_successor = self.successor().is_some();
        if old.has_ended() && !has_successor {
            return Outlook::Dead(format!("the old key is {}, and no successor is known", old.word()));
        }
        if old.has_ended() && successor.has_ended() {
            return Outlook::Dead(match old == successor {
                true => format!("both keys are {}", old.word()),
                false => format!("the old key is {}, and its successor is {}", old.word(), successor.word()),
            });
        }
        let is_handed_over =
            matches!(self.state, State::HandedOver { .. } | State::Grace { .. } | State::Ending { .. });
        if is_handed_over && successor.has_ended() {
            return Outlook::SuccessorEnded(successor);
        }
        if old.has_ended() && matches!(self.state, State::Grace { .. } | State::Ending { .. }) {
            return Outlook::OldEnded(old);
        }
        Outlook::Next(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_whose_status_can_t_be_read_is_not_called_valid() {
        for flaw in ["expiration: it is missing", "invalidated: it is neither true nor false"] {
            let key = ApiKey { flaw: Some(flaw.into()), ..ApiKey::default() };
            assert_eq!(KeyState::with(&key, false), KeyState::Unknown, "{flaw}");
        }
        assert_eq!(KeyState::with(&ApiKey::default(), false), KeyState::Valid);
        assert_eq!(KeyState::with(&ApiKey::default(), true), KeyState::Expired);
    }
}
