//! Patterns with `*` (any run of characters) and `?` (any one), matched in bounded time. Upper and lower case differ.

/// Part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Mark {
    /// `*`.
    Run,
    /// `?`.
    One,
    /// A character that stands for itself.
    Char(char),
}

/// Pattern for a whole text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// Parts between the stars; the first must match at the start of the text, the last at its end.
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Plain(String),
    /// Characters, at least one; `None` matches any character.
    Holes(Vec<Option<char>>),
}

impl Glob {
    /// Reads a pattern in which `*` and `?` are wildcards.
    pub fn new(pattern: &str) -> Self {
        Self { segments: pattern.split('*').map(Segment::read).collect() }
    }

    /// Puts a pattern together from its parts.
    pub(in crate::model) fn of(marks: &[Mark]) -> Self {
        Self { segments: marks.split(|mark| *mark == Mark::Run).map(Segment::of).collect() }
    }

    /// Returns `true` if the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        match self.segments.as_slice() {
            [] => text.is_empty(),
            [only] => only.after_start(text) == Some(""),
            // The leftmost match of each segment leaves the longest rest, so none is tried twice.
            [first, middle @ .., last] => first
                .after_start(text)
                .and_then(|rest| middle.iter().try_fold(rest, |rest, segment| segment.after_first(rest)))
                .is_some_and(|rest| last.is_end_of(rest)),
        }
    }
}

/// Returns `true` if the whole text matches a pattern that is used once.
pub fn matches(pattern: &str, text: &str) -> bool {
    if pattern.contains(['*', '?']) { Glob::new(pattern).matches(text) } else { pattern == text }
}

/// Returns the marks of a text in which `*` and `?` are wildcards.
pub(in crate::model) fn marks(text: &str) -> Vec<Mark> {
    let mark = |c| match c {
        '*' => Mark::Run,
        '?' => Mark::One,
        c => Mark::Char(c),
    };
    text.chars().map(mark).collect()
}

impl Segment {
    fn read(part: &str) -> Self {
        if part.contains('?') {
            Self::Holes(part.chars().map(|c| (c != '?').then_some(c)).collect())
        } else {
            Self::Plain(part.to_owned())
        }
    }

    fn of(marks: &[Mark]) -> Self {
        let chars = marks.iter().map(|mark| if let Mark::Char(c) = mark { Some(*c) } else { None });
        match chars.clone().collect::<Option<String>>() {
            Some(text) => Self::Plain(text),
            None => Self::Holes(chars.collect()),
        }
    }

    /// Returns the rest of a text that begins with this segment; `None` if it doesn't.
    fn after_start<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(start) => text.strip_prefix(start.as_str()),
            Self::Holes(wanted) => {
                let mut rest = text.chars();
                let fits = wanted.iter().all(|wanted| rest.next().is_some_and(|c| wanted.is_none_or(|w| w == c)));
                fits.then_some(rest.as_str())
            }
        }
    }

    /// Returns the rest of a text after the leftmost occurrence of this segment; `None` if it doesn't occur.
    fn after_first<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::Plain(part) => text.find(part.as_str()).map(|at| &text[at + part.len()..]),
            Self::Holes(_) => text.char_indices().find_map(|(at, _)| self.after_start(&text[at..])),
        }
    }

    fn is_end_of(&self, text: &str) -> bool {
        match self {
            Self::Plain(end) => text.ends_with(end.as_str()),
            Self::Holes(wanted) => {
                let start = text.char_indices().rev().nth(wanted.len().saturating_sub(1));
                start.is_some_and(|(at, _)| self.after_start(&text[at..]) == Some(""))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_a_whole_text() {
        let fits = |pattern: &str, text: &str| Glob::new(pattern).matches(text);
        for (pattern, text) in [
            ("prod-*", "prod-"),
            ("prod-*", "prod-a-b"),
            ("*-key", "my-key"),
            ("a*b*c", "aXbXbXc"),
            ("*", ""),
            ("**", "x"),
            ("?", "ü"),
            ("*?-?*", "鍵-🔑"),
            ("a?c*", "abcd"),
            ("a*?c", "abc"),
        ] {
            assert!(fits(pattern, text) && matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("prod-*", "my-prod-"),
            ("a*a", "a"),
            ("?", ""),
            ("?", "ab"),
            ("a*b", "abc"),
            ("a?", "a"),
            ("*??", "x"),
            ("A*", "a"),
        ] {
            assert!(!fits(pattern, text) && !matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let text = "a".repeat(20_000);
        assert!(!Glob::new(&"*a".repeat(2000)).matches(&format!("{text}b")));
        assert!(!Glob::new(&format!("{}b", "*a?".repeat(1300))).matches(&text));
    }

    /// Matches by the plain definition: exponential but short.
    fn slowly(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], text) => (0..=text.len()).any(|skip| slowly(rest, &text[skip..])),
            ([p, rest @ ..], [c, after @ ..]) => (*p == '?' || p == c) && slowly(rest, after),
            _ => false,
        }
    }

    proptest::proptest! {
        #[test]
        fn a_pattern_means_what_the_definition_says(pattern in "[ab*?ü]{0,7}", text in "[abü]{0,8}") {
            let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
            proptest::prop_assert_eq!(Glob::new(&pattern).matches(&text), slowly(&p, &t));
            proptest::prop_assert_eq!(matches(&pattern, &text), slowly(&p, &t));
            proptest::prop_assert_eq!(Glob::of(&marks(&pattern)), Glob::new(&pattern));
        }
    }
}
