//! Differences that are known: each with a name, and why it stays. A difference that none of them means fails the test.

use super::Difference;

/// A known difference.
struct Known {
    name: &'static str,
    /// Why it stays.
    reason: &'static str,
    is: fn(&Difference) -> bool,
}

const KNOWN: &[Known] = &[Known {
    name: "refused in words of its own",
    reason: "The practice cluster does not do it, says so with the type not_in_the_practice_cluster, and its help lists it.",
    is: |difference| difference.is_own_refusal(),
}];

/// The name of a known difference.
pub fn name(difference: &Difference) -> Option<&'static str> {
    KNOWN.iter().find(|known| (known.is)(difference)).map(|known| known.name)
}

/// Names and reasons of all known differences.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    KNOWN.iter().map(|known| (known.name, known.reason))
}
