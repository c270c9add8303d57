//! Age of data that was read, in words that stay true when nobody looks for a while.

use crate::model::{Millis, text::number::plural};

/// Time for which data that was read counts as fresh, in milliseconds: 5 minutes.
pub const FRESH_FOR: Millis = 5 * MINUTE;

const MINUTE: Millis = 60_000;
const HOUR: Millis = 60 * MINUTE;
const DAY: Millis = 24 * HOUR;

/// Ages at which the words change, in milliseconds, ascending. There are few of them, since each change draws a frame
/// of an idle window.
const STEPS: [Millis; 10] =
    [FRESH_FOR, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, DAY, 7 * DAY];

/// Returns the age of data that was read at `as_of`, such as “more than 15 minutes ago”; `None` while it is fresh, if
/// nothing was read so far (`as_of` 0), and if the clock was set back.
pub fn words(as_of: Millis, now: Millis) -> Option<String> {
    let age = if as_of > 0 { now.saturating_sub(as_of) } else { 0 };
    let step = STEPS.iter().rev().find(|step| **step <= age)?;
    let (number, unit) = match *step {
        step if step < HOUR => (step / MINUTE, "minute"),
        step if step < DAY => (step / HOUR, "hour"),
        step => (step / DAY, "day"),
    };
    Some(format!("more than {} ago", plural(number.unsigned_abs(), unit)))
}

/// Returns the time at which [`words`] changes next, in milliseconds since 1970 (UTC); `None` if it does not change any
/// more or nothing was read so far (`as_of` 0).
pub fn next_change(as_of: Millis, now: Millis) -> Option<Millis> {
    STEPS.iter().filter(|_| as_of > 0).map(|step| as_of.saturating_add(*step)).find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_said_from_five_minutes_on_in_few_steps() {
        let said = |age: Millis| words(1000, 1000 + age);
        assert_eq!(said(FRESH_FOR - 1), None);
        assert_eq!(said(-HOUR), None, "the clock was set back");
        assert_eq!(said(FRESH_FOR).as_deref(), Some("more than 5 minutes ago"));
        assert_eq!(said(59 * MINUTE).as_deref(), Some("more than 30 minutes ago"));
        assert_eq!(said(HOUR).as_deref(), Some("more than 1 hour ago"));
        assert_eq!((words(0, DAY), next_change(0, DAY)), (None, None), "nothing was read");
        assert_eq!(said(30 * HOUR).as_deref(), Some("more than 1 day ago"));
    }

    #[test]
    fn the_words_change_exactly_when_it_is_said_that_they_do() {
        let mut now = 1;
        let mut changes = 0;
        while let Some(next) = next_change(1, now) {
            assert_eq!(words(1, next - 1), words(1, now));
            assert_ne!(words(1, next), words(1, next - 1));
            (now, changes) = (next, changes + 1);
        }
        assert_eq!(changes, STEPS.len());
    }
}
