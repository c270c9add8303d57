//! Names that a right applies to: patterns that must all match. What two patterns have in common can't always be
//! written as one pattern, and whether a regular expression has anything in common with another pattern is not always
//! known.

use crate::model::privileges::pattern::{self, Budget};

/// Limit of a pattern's length in bytes; longer ones are not examined, since no name that Elasticsearch takes is
/// longer.
const MAX_PATTERN_BYTES: usize = 255;

/// Names that match all of some patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Patterns that must all match; never empty, nearly always one.
    pub all_of: Vec<String>,
    /// `true` if there surely is such a name. Not known, and so `false`, for example for two patterns that must both
    /// match and of which one is a regular expression.
    pub is_sure: bool,
}

impl Scope {
    /// Returns the scope of the names that one pattern matches.
    pub fn of(pattern: &str) -> Self {
        Self { all_of: vec![pattern.to_owned()], is_sure: true }
    }

    /// Returns the names in both scopes; `None` if there surely are none.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        other
            .all_of
            .iter()
            .try_fold(self.clone(), |met, pattern| met.meet_pattern(pattern))
            .map(|met| Self { is_sure: met.is_sure && self.is_sure && other.is_sure, ..met })
    }

    fn meet_pattern(mut self, pattern: &str) -> Option<Self> {
        if self.all_of.iter().any(|own| covers(pattern, own)) {
            return Some(self);
        }
        let mut sure = true;
        for own in &self.all_of {
            match overlap(own, pattern) {
                Overlap::Some => {}
                Overlap::None => return None,
                Overlap::NotKnown => sure = false,
            }
        }
        self.all_of.retain(|own| !covers(own, pattern));
        self.all_of.push(pattern.to_owned());
        // That three match pairwise says nothing of all three.
        self.is_sure &= sure && self.all_of.len() < 3;
        Some(self)
    }

    /// Returns `true` if every name that a pattern can match is surely in the scope.
    pub fn covers(&self, pattern: &str) -> bool {
        self.all_of.iter().all(|own| covers(own, pattern))
    }

    /// Returns `true` if every name of the other scope is surely in this one; `false` means "not surely".
    pub fn contains(&self, other: &Self) -> bool {
        self.all_of.iter().all(|own| other.all_of.iter().any(|theirs| covers(own, theirs)))
    }

    /// Returns `true` if a pattern begins with a dot, as the names of the system's own indices do.
    pub fn begin_with_a_dot(&self) -> bool {
        self.all_of.iter().any(|pattern| pattern.starts_with('.'))
    }

    /// Formats the patterns: `logs-*`, or `logs-* and also *-eu` where a name must match both.
    pub fn words(&self) -> String {
        self.all_of.join(" and also ")
    }
}

/// Answer to whether two patterns have names in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overlap {
    Some,
    None,
    NotKnown,
}

fn covers(granted: &str, wanted: &str) -> bool {
    if granted == wanted || granted == "*" {
        return true;
    }
    // A backslash takes a wildcard's meaning away, which the patterns here don't know.
    let is_odd = |text: &str| text.contains('\\') && !is_expression(text) || text.len() > MAX_PATTERN_BYTES;
    !is_odd(granted) && !is_odd(wanted) && !is_beyond(granted) && pattern::covers(granted, wanted)
}

pub(super) fn overlap(one: &str, other: &str) -> Overlap {
    if covers(one, other) || covers(other, one) {
        return Overlap::Some;
    }
    // An expression with a backslash was understood: only wildcards don't know it here.
    let is_odd =
        |text: &str| text.len() > MAX_PATTERN_BYTES || text.contains('\\') && !is_expression(text) || is_beyond(text);
    if is_odd(one) || is_odd(other) {
        return Overlap::NotKnown;
    }
    let has_wildcard = |text: &str| is_expression(text) || text.contains(['*', '?']);
    let is_known = |one, other| pattern::covers_within(one, other, &Budget::for_one_match()).is_some();
    match (has_wildcard(one), has_wildcard(other)) {
        (true, false) if !is_known(one, other) => Overlap::NotKnown,
        (false, true) if !is_known(other, one) => Overlap::NotKnown,
        (false, false) => none_unless_backing(one, other),
        // Of a name and a pattern, covering is all that there can be.
        (true, false) | (false, true) => none_unless_backing(one, other),
        (true, true) if is_expression(one) || is_expression(other) => Overlap::NotKnown,
        (true, true) if globs_overlap(one, other) => Overlap::Some,
        (true, true) => none_unless_backing(one, other),
    }
}

/// Returns `NotKnown` if just one of the patterns is of backing indices, otherwise `None`: whoever may use a data
/// stream may use its backing indices, whose names have little in common with its own.
fn none_unless_backing(one: &str, other: &str) -> Overlap {
    let is_backing = |text: &str| [".ds-", ".fs-"].iter().any(|start| text.starts_with(start));
    if is_backing(one) != is_backing(other) { Overlap::NotKnown } else { Overlap::None }
}

pub(super) fn is_expression(text: &str) -> bool {
    text.len() > 1 && text.starts_with('/') && text.ends_with('/')
}

/// Returns `true` for regular expressions that are malformed or exceed the limits for reading.
fn is_beyond(text: &str) -> bool {
    pattern::problem(text).is_some()
}

/// Returns `true` if some name matches both patterns of `*` and `?`.
fn globs_overlap(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let wide = other.len() + 1;
    let mut seen = vec![false; (one.len() + 1) * wide];
    let mut todo = vec![(0, 0)];
    while let Some((i, j)) = todo.pop() {
        if std::mem::replace(&mut seen[i * wide + j], true) {
            continue;
        }
        let (a, b) = (one.get(i).copied(), other.get(j).copied());
        match (a, b) {
            (None, None) => return true,
            (Some('*'), _) | (_, Some('*')) => {
                if a == Some('*') {
                    todo.push((i + 1, j));
                    if b.is_some_and(|b| b != '*') {
                        todo.push((i, j + 1));
                    }
                }
                if b == Some('*') {
                    todo.push((i, j + 1));
                    if a.is_some_and(|a| a != '*') {
                        todo.push((i + 1, j));
                    }
                }
            }
            (Some(a), Some(b)) if a == b || a == '?' || b == '?' => todo.push((i + 1, j + 1)),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meet(one: &str, other: &str) -> Option<String> {
        Scope::of(one)
            .meet(&Scope::of(other))
            .map(|scope| format!("{}{}", scope.words(), if scope.is_sure { "" } else { " ?" }))
    }

    #[test]
    fn the_narrower_of_two_patterns_is_what_they_have_in_common() {
        assert_eq!(meet("logs-*", "logs-app-*").as_deref(), Some("logs-app-*"));
        assert_eq!(meet("my_index", "*").as_deref(), Some("my_index"));
        assert_eq!(meet("*", "my_*").as_deref(), Some("my_*"));
        assert_eq!(meet("a?c", "abc").as_deref(), Some("abc"));
        assert_eq!(meet("/logs-[ab]/", "logs-a").as_deref(), Some("logs-a"));
    }

    #[test]
    fn what_two_patterns_have_in_common_is_not_always_one_pattern() {
        assert_eq!(meet("logs-*", "*-eu").as_deref(), Some("logs-* and also *-eu"));
        assert_eq!(meet("a*b", "*c*").as_deref(), Some("a*b and also *c*"));
        assert_eq!(meet("?b", "a?").as_deref(), Some("?b and also a?"));
        assert_eq!(meet("logs-*", "metrics-*"), None);
        assert_eq!(meet("a*b", "a*c"), None);
        assert_eq!(meet("a", "b"), None);
        assert_eq!(meet("a*", ""), None);
    }

    #[test]
    fn what_can_t_be_told_is_not_called_nothing() {
        assert_eq!(meet("/[a-z]+/", "logs-*").as_deref(), Some("/[a-z]+/ and also logs-* ?"));
        assert_eq!(meet("/a&b/", "a"), None);
        assert_eq!(meet("/a&/", "a").as_deref(), Some("/a&/ and also a ?"));
        let deep = format!("/a{}/", "?".repeat(100));
        assert!(meet(&deep, "a").unwrap().ends_with('?'), "too deep to be read");
        let costly = "/.*~(.*~(.*~(.*b)))c/";
        assert!(meet(costly, &"a".repeat(250)).unwrap().ends_with('?'), "too much work to be told");
        assert_eq!(meet("a\\*", "ab").as_deref(), Some("a\\* and also ab ?"));
        assert_eq!(meet("logs-*", ".ds-logs-*").as_deref(), Some("logs-* and also .ds-logs-* ?"));
        assert_eq!(meet("/[ab]/", "c"), None);
        let long = "x".repeat(5000);
        assert!(meet(&format!("{long}*"), &format!("*{long}")).unwrap().ends_with('?'));
    }

    #[test]
    fn a_third_pattern_narrows_what_two_have_in_common() {
        let two = Scope::of("logs-*").meet(&Scope::of("*-eu")).unwrap();
        assert_eq!(two.meet(&Scope::of("logs-app-eu")).unwrap(), Scope::of("logs-app-eu"));
        assert_eq!(two.meet(&Scope::of("*")).unwrap(), two);
        assert_eq!(two.meet(&Scope::of("logs-app-*")).unwrap().all_of, ["*-eu", "logs-app-*"]);
        assert!(!two.meet(&Scope::of("*x*")).unwrap().is_sure);
        assert_eq!(two.meet(&Scope::of("*-us")), None);
        assert!(two.covers("logs-a-eu") && !two.covers("logs-*"));
    }

    proptest::proptest! {
        #[test]
        fn a_name_is_in_common_when_it_matches_both(
            one in "[ab*?]{0,5}", other in "[ab*?]{0,5}", name in "[ab]{0,5}",
        ) {
            let both = pattern::glob(&one, &name) && pattern::glob(&other, &name);
            match Scope::of(&one).meet(&Scope::of(&other)) {
                None => proptest::prop_assert!(!both),
                Some(met) => proptest::prop_assert_eq!(met.covers(&name), both),
            }
        }

        #[test]
        fn patterns_are_said_to_overlap_when_a_name_shows_it(one in "[ab*?]{0,4}", other in "[ab*?]{0,4}") {
            let names: Vec<String> = (0..=6).flat_map(|length| (0..1u32 << length).map(move |bits| {
                (0..length).map(|at| if bits >> at & 1 == 1 { 'b' } else { 'a' }).collect()
            })).collect();
            let some = names.iter().any(|name| pattern::glob(&one, name) && pattern::glob(&other, name));
            proptest::prop_assert_eq!(overlap(&one, &other) == Overlap::Some, some);
        }
    }
}
