//! Age of data that was read, in words that stay true when nobody looks for a while.

use crate::model::{TimeDelta, Timestamp, text::number::plural};

/// Time for which data that was read counts as fresh: 5 minutes.
pub const FRESH_FOR: TimeDelta = TimeDelta::from_mins(5);

/// Ages at which the words change, ascending. There are few of them, since each change draws a frame
/// of an idle window.
const STEPS: [TimeDelta; 10] = [
    FRESH_FOR,
    TimeDelta::from_mins(10),
    TimeDelta::from_mins(15),
    TimeDelta::from_mins(30),
    TimeDelta::HOUR,
    TimeDelta::from_hours(2),
    TimeDelta::from_hours(4),
    TimeDelta::from_hours(8),
    TimeDelta::DAY,
    TimeDelta::from_days(7),
];

/// Returns the age of data that was read at `as_of`, such as “more than 15 minutes ago”; `None` while it is fresh, if
/// nothing was read so far (`as_of` is [`Timestamp::EPOCH`]), and if the clock was set back.
pub fn words(as_of: Timestamp, now: Timestamp) -> Option<String> {
    let age = if as_of > Timestamp::EPOCH { now - as_of } else { TimeDelta::ZERO };
    let step = STEPS.iter().rev().find(|step| **step <= age)?;
    let (number, unit) = match *step {
        step if step < TimeDelta::HOUR => (step / TimeDelta::MINUTE, "minute"),
        step if step < TimeDelta::DAY => (step / TimeDelta::HOUR, "hour"),
        step => (step / TimeDelta::DAY, "day"),
    };
    Some(format!("more than {} ago", plural(number.unsigned_abs(), unit)))
}

/// Returns the time at which [`words`] changes next; `None` if it does not change any
/// more or nothing was read so far.
pub fn next_change(as_of: Timestamp, now: Timestamp) -> Option<Timestamp> {
    STEPS.iter().filter(|_| as_of > Timestamp::EPOCH).map(|step| as_of + *step).find(|at| *at > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: TimeDelta = TimeDelta::MINUTE;
    const HOUR: TimeDelta = TimeDelta::HOUR;

    #[test]
    fn an_age_is_said_from_five_minutes_on_in_few_steps() {
        let read = Timestamp::from_millis(1000);
        let said = |age: TimeDelta| words(read, read + age);
        assert_eq!(said(FRESH_FOR - TimeDelta::MILLISECOND), None);
        assert_eq!(said(-HOUR), None, "the clock was set back");
        assert_eq!(said(FRESH_FOR).as_deref(), Some("more than 5 minutes ago"));
        assert_eq!(said(59 * MINUTE).as_deref(), Some("more than 30 minutes ago"));
        assert_eq!(said(HOUR).as_deref(), Some("more than 1 hour ago"));
        let (nothing, later) = (Timestamp::EPOCH, Timestamp::EPOCH + TimeDelta::DAY);
        assert_eq!((words(nothing, later), next_change(nothing, later)), (None, None), "nothing was read");
        assert_eq!(said(30 * HOUR).as_deref(), Some("more than 1 day ago"));
    }

    #[test]
    fn the_words_change_exactly_when_it_is_said_that_they_do() {
        let read = Timestamp::from_millis(1);
        let mut now = read;
        let mut changes = 0;
        while let Some(next) = next_change(read, now) {
            let before = next - TimeDelta::MILLISECOND;
            assert_eq!(words(read, before), words(read, now));
            assert_ne!(words(read, next), words(read, before));
            (now, changes) = (next, changes + 1);
        }
        assert_eq!(changes, STEPS.len());
    }
}
