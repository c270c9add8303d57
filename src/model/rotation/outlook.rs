//! Outlook of a rotation: the next step by its own state, corrected by the state of its two keys on the cluster.

use super::{Next, Rotation, State};
use crate::model::{Timestamp, api_key::ApiKey, time::status::Status};

/// State of one key of a rotation, as read from the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum KeyState {
    /// Key that signs in.
    Valid,
    /// Key whose expiration is past.
    Expired,
    /// Key that somebody invalidated.
    Invalidated,
    /// Key that the cluster does not know, although whoever asked would see it.
    Gone,
    /// Unknown state: the key was not asked for, could not be read, or may not be seen.
    #[default]
    Unknown,
}

impl KeyState {
    /// Returns the state of a key that was read. `now` is the cluster's clock.
    pub fn of(key: &ApiKey, now: Timestamp) -> Self {
        Self::with(key, key.status(now) == Status::Expired)
    }

    /// Returns the state of a key that was read, where it is known from elsewhere whether it has expired.
    pub fn with(key: &ApiKey, has_expired: bool) -> Self {
        match (key.invalidated, has_expired) {
            (true, _) => Self::Invalidated,
            (false, _) if key.is_unread("invalidated") || key.is_unread("expiration") => Self::Unknown,
            (false, true) => Self::Expired,
            (false, false) => Self::Valid,
        }
    }

    /// Returns the state for the status of a key in a list.
    pub fn by_status(status: Status) -> Self {
        match status {
            Status::Invalidated => Self::Invalidated,
            Status::Expired => Self::Expired,
            _ => Self::Valid,
        }
    }

    /// Returns `true` if the key is known not to sign in any more.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Expired | Self::Invalidated | Self::Gone)
    }

    /// Returns the state as text to follow "is".
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

/// Outlook of a rotation: what can be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// Next step by the rotation's own state: nothing known about its keys prevents it.
    Next(Next),
    /// Old key that has ended while the successor works or may work: the end only has to be recorded.
    OldEnded(KeyState),
    /// Successor that has ended while the old key works or may work: the rotation can only be canceled.
    SuccessorEnded(KeyState),
    /// Rotation without a working key: it can only be closed. Holds a text such as "both keys are invalidated".
    Dead(String),
}

impl Outlook {
    /// Returns `true` if the end of the old key can be carried out or recorded now.
    pub fn is_due(&self) -> bool {
        matches!(self, Self::Next(Next::End) | Self::OldEnded(_))
    }
}

impl Rotation {
    /// Returns the outlook at `now`, by this machine's clock, given the states of the old key and of the successor. The
    /// latter is ignored where no successor is known.
    pub fn outlook(&self, now: Timestamp, old: KeyState, successor: KeyState) -> Outlook {
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
