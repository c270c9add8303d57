//! Outcome of an operation on many keys, the same for invalidating and updating.

use std::collections::HashMap;

use crate::{
    client::ClientError,
    model::{api_key::KeyId, failure::Failure, guard::Guard, text::sentence::uncapitalized},
};

/// Outcome for each id. A partial failure is a normal case.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Keys that are as asked for: read again and seen to be so, or, where they could not be read again, as the cluster
    /// reported.
    pub done: Vec<KeyId>,
    /// Keys that were as asked for before; only an update has them.
    pub unchanged: Vec<KeyId>,
    /// Keys that were not seen to be as asked for, each with the reason and how certain that is.
    pub failed: Vec<(KeyId, Failure)>,
    /// Keys that were never sent.
    pub untouched: Vec<KeyId>,
    /// Subset of `untouched` that needed a confirmation, each with its guard.
    pub guarded: HashMap<KeyId, Guard>,
    /// Reasons why untouched keys were never sent, where runs over parts of the keys ended for different reasons.
    pub reasons: HashMap<KeyId, String>,
    /// Remarks about keys that are done, such as that one could not be read again.
    pub remarks: HashMap<KeyId, String>,
    /// The session's own key if it counts as invalidated only because the cluster reported it: the session could not
    /// read it again.
    pub own_key_unproved: Option<KeyId>,
    /// `true` if a person stopped it.
    pub stopped: bool,
    /// `true` if it ended by an error that the next keys would meet too.
    pub broke_off: bool,
    /// Reason why nothing was sent at all; `None` if there is none.
    pub halted: Option<Halted>,
    /// Reason why the sign-in gave no token any more, so that the rest was not sent; `None` if it lasted.
    pub signed_out: Option<String>,
}

/// Doubt about the cluster's clock, because of which nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halted {
    /// Message about the doubt.
    pub why: String,
    /// Way out of the doubt.
    pub way_out: ClockWayOut,
}

/// Way out of a doubt about the cluster's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockWayOut {
    /// New search by the clock that is known now.
    SearchAgain,
    /// New attempt to read the cluster's clock: it could not be reached.
    TryAgain,
    /// Confirmation by a person that this machine's clock is trusted.
    TrustThisMachine,
}

impl Outcome {
    /// Returns the outcome of a request that was refused for all of its keys, as the next ones would be.
    pub fn all_failed(ids: Vec<KeyId>, reason: &str) -> Self {
        let failed = ids.into_iter().map(|id| (id, Failure::Refused(reason.to_owned()))).collect();
        Self { failed, broke_off: true, ..Self::default() }
    }

    /// Returns the outcome of a request that did not leave: untouched if the sign-in at the provider has ended, which
    /// concerns none of the keys; otherwise failed, as the next ones would be. `words` is the reason for the latter.
    pub fn not_sent(ids: Vec<KeyId>, error: &ClientError, words: &str) -> Self {
        match error {
            ClientError::SignIn(why) => {
                let signed_out = Some(format!("{why}. Nothing was sent: {}", uncapitalized(why.way_out())));
                Self { untouched: ids, broke_off: true, signed_out, ..Self::default() }
            }
            _ => Self::all_failed(ids, words),
        }
    }

    /// Returns `true` if every key is as asked for.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.untouched.is_empty()
    }

    /// Returns the number of keys that may have been changed although that was not seen.
    pub fn unknown(&self) -> usize {
        self.failed.iter().filter(|(_, failure)| failure.is_unknown()).count()
    }

    /// Returns the number of keys with an outcome: done, unchanged or failed.
    pub fn settled(&self) -> usize {
        self.done.len() + self.unchanged.len() + self.failed.len()
    }

    /// Returns the reason why an untouched key was never sent.
    pub fn why_untouched(&self, id: &KeyId) -> &str {
        if let Some(reason) = self.reasons.get(id) {
            return reason;
        }
        match (self.guarded.get(id), &self.halted) {
            (Some(guard), _) => guard.reason(),
            (None, Some(halted)) => &halted.why,
            (None, None) if self.signed_out.is_some() => self.signed_out.as_deref().unwrap_or_default(),
            (None, None) if self.stopped => "it was stopped before this key",
            (None, None) => "an earlier request failed, so it was not attempted",
        }
    }

    /// Returns the keys that were never sent and could be: without those that need their own confirmation, and none if
    /// the search has to be repeated first.
    pub fn resumable(&self) -> impl Iterator<Item = &KeyId> {
        let may_resume = self.halted.as_ref().is_none_or(|halted| halted.way_out != ClockWayOut::SearchAgain);
        self.untouched.iter().filter(move |id| may_resume && !self.guarded.contains_key(*id))
    }

    /// Takes the keys that failed out of the outcome, to be tried again.
    pub fn take_failed(&mut self) -> Vec<KeyId> {
        std::mem::take(&mut self.failed).into_iter().map(|(id, _)| id).collect()
    }

    /// Takes the keys that were never sent and need no confirmation out of the outcome.
    pub fn take_untouched(&mut self) -> Vec<KeyId> {
        let (guarded, free) =
            std::mem::take(&mut self.untouched).into_iter().partition(|id| self.guarded.contains_key(id));
        self.untouched = guarded;
        free
    }

    /// Adds the outcome of other keys of the same run.
    pub fn extend(&mut self, part: Self) {
        self.done.extend(part.done);
        self.unchanged.extend(part.unchanged);
        self.failed.extend(part.failed);
        self.untouched.extend(part.untouched);
        self.guarded.extend(part.guarded);
        self.remarks.extend(part.remarks);
        self.own_key_unproved = self.own_key_unproved.take().or(part.own_key_unproved);
        self.stopped |= part.stopped;
        self.broke_off |= part.broke_off;
        self.halted = part.halted.or(self.halted.take());
        self.signed_out = part.signed_out.or(self.signed_out.take());
    }

    /// Adds the outcome of a later run over keys that were taken out of this one. Reasons for which an earlier run ended
    /// count as long as keys are left that it did not send.
    pub fn resume(&mut self, later: Self) {
        let left: Vec<KeyId> = self.untouched.iter().filter(|id| !self.guarded.contains_key(*id)).cloned().collect();
        if left.is_empty() {
            (self.stopped, self.broke_off, self.halted, self.signed_out) = (false, false, None, None);
            self.reasons.clear();
        } else {
            let before = left.iter().map(|id| (id.clone(), self.why_untouched(id).to_owned()));
            let after = later.untouched.iter().map(|id| (id.clone(), later.why_untouched(id).to_owned()));
            self.reasons = before.chain(after).collect();
        }
        self.extend(later);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_key_was_never_sent_does_not_change_because_others_are_tried_again() {
        let id = KeyId::new;
        let failed = vec![(id("b"), Failure::Refused("why".into()))];
        let mut outcome = Outcome { untouched: vec![id("a")], failed, stopped: true, ..Outcome::default() };
        let why = outcome.why_untouched(&id("a")).to_owned();
        assert_eq!(outcome.take_failed(), [id("b")]);
        outcome.resume(Outcome { done: vec![id("b")], ..Outcome::default() });
        assert_eq!(outcome.why_untouched(&id("a")), why);
        // Once all were sent, an old reason would be wrong for what a later run leaves.
        assert_eq!(outcome.take_untouched(), [id("a")]);
        outcome.resume(Outcome { untouched: vec![id("a")], broke_off: true, ..Outcome::default() });
        assert!(!outcome.stopped && outcome.broke_off && outcome.why_untouched(&id("a")) != why);
        // Two runs that ended for different reasons, in either order.
        for stopped_first in [true, false] {
            let run = |name: &'static str, stopped: bool| Outcome {
                untouched: vec![id(name)],
                stopped,
                broke_off: !stopped,
                ..Outcome::default()
            };
            let mut outcome = run("a", stopped_first);
            outcome.resume(run("b", !stopped_first));
            for (name, stopped) in [("a", stopped_first), ("b", !stopped_first)] {
                assert_eq!(outcome.why_untouched(&id(name)), run(name, stopped).why_untouched(&id(name)));
            }
        }
    }
}
