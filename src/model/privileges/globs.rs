//! Languages of wildcard patterns, compared exactly: whether every text of one is in another, and whether several have
//! a text in common. Elasticsearch compares privileges and index names in the same way, by automata.

use std::collections::{HashSet, VecDeque};

/// Limit of states of the joint automaton that one comparison visits; beyond it the answer is "not known".
pub const MAX_STATES: usize = 20_000;

/// Limit of a pattern's length in bytes; no action and no index name is longer than 255 bytes.
pub const MAX_PATTERN: usize = 1024;

/// Character that stands for every one that no pattern names: a private one of Unicode's last plane.
const OTHER: char = '\u{10fffd}';

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    One(char),
    /// `?`
    Any,
    /// `*`
    Run,
}

/// Wildcard pattern: `*` is any run, `?` any character, a backslash takes the meaning of the next character away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Sign>);

impl Pattern {
    /// Reads a pattern; `None` if it is longer than [`MAX_PATTERN`].
    pub fn new(text: &str) -> Option<Self> {
        if text.len() > MAX_PATTERN {
            return None;
        }
        let mut signs = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            let sign = match c {
                '*' => Sign::Run,
                '?' => Sign::Any,
                // At the end it stands for itself (as seen on 9.5.3).
                '\\' => Sign::One(chars.next().unwrap_or('\\')),
                c => Sign::One(c),
            };
            if sign != Sign::Run || signs.last() != Some(&Sign::Run) {
                signs.push(sign);
            }
        }
        Some(Self(signs))
    }

    /// Returns `true` if the pattern is a single text.
    pub fn is_literal(&self) -> bool {
        self.0.iter().all(|sign| matches!(sign, Sign::One(_)))
    }

    /// Returns some texts that the pattern matches, for trying them on what is no pattern: each wildcard is replaced by
    /// a few different texts.
    pub fn samples(&self) -> impl Iterator<Item = String> + '_ {
        ["", "q", "zq7", "0", "-x.1"].into_iter().map(|run| {
            let each = |sign: &Sign| match sign {
                Sign::One(c) => c.to_string(),
                Sign::Any => run.chars().last().unwrap_or('q').to_string(),
                Sign::Run => run.to_owned(),
            };
            self.0.iter().map(each).collect()
        })
    }

    /// Returns `true` if the pattern matches the whole text.
    pub fn matches(&self, text: &str) -> bool {
        let signs = &self.0;
        let text: Vec<char> = text.chars().collect();
        let (mut s, mut t, mut star) = (0, 0, None);
        while t < text.len() {
            match signs.get(s) {
                Some(Sign::Run) => {
                    star = Some((s, t));
                    s += 1;
                }
                Some(Sign::Any) => (s, t) = (s + 1, t + 1),
                Some(Sign::One(c)) if *c == text[t] => (s, t) = (s + 1, t + 1),
                _ => match star {
                    Some((at, from)) => {
                        star = Some((at, from + 1));
                        (s, t) = (at + 1, from + 1);
                    }
                    None => return false,
                },
            }
        }
        signs[s..].iter().all(|sign| *sign == Sign::Run)
    }

    /// Returns `true` if every text of the other pattern is surely matched; a quick check, which may miss some.
    fn covers(&self, other: &Self) -> bool {
        let wanted = &other.0;
        let mut reached = vec![false; wanted.len() + 1];
        reached[0] = true;
        for sign in &self.0 {
            let mut next = vec![false; wanted.len() + 1];
            for at in (0..=wanted.len()).filter(|at| reached[*at]) {
                match (sign, wanted.get(at)) {
                    (Sign::Run, _) => next[at..].fill(true),
                    (Sign::Any, Some(Sign::One(_) | Sign::Any)) => next[at + 1] = true,
                    (Sign::One(a), Some(Sign::One(b))) if a == b => next[at + 1] = true,
                    _ => {}
                }
            }
            reached = next;
        }
        reached[wanted.len()]
    }
}

/// Texts that at least one of some patterns matches and none of some others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Language {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    /// `true` if a pattern was too long to be read.
    is_cut: bool,
}

impl Language {
    /// Returns the language of the texts that at least one of these patterns matches.
    pub fn of<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        Self::default().with(patterns)
    }

    fn with<'a>(mut self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        for pattern in patterns {
            match Pattern::new(pattern) {
                Some(pattern) => self.include.push(pattern),
                None => self.is_cut = true,
            }
        }
        self
    }

    /// Returns the language without the texts that at least one of these patterns matches.
    pub fn without<'a>(mut self, patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let cut = Self::of(patterns);
        self.is_cut |= cut.is_cut;
        self.exclude.extend(cut.include);
        self
    }

    /// Returns `true` if the text is in the language.
    pub fn has(&self, text: &str) -> bool {
        self.include.iter().any(|pattern| pattern.matches(text))
            && !self.exclude.iter().any(|pattern| pattern.matches(text))
    }
}

/// Returns whether every text of `wanted` is in one of the languages `held`; `None` if that takes more than
/// [`MAX_STATES`] or depends on a pattern that was too long to be read.
pub fn is_subset(wanted: &Language, held: &[&Language]) -> Option<bool> {
    let plain = || held.iter().filter(|language| language.exclude.is_empty());
    let is_covered = |one: &Pattern| plain().flat_map(|language| &language.include).any(|wide| wide.covers(one));
    if !wanted.is_cut && wanted.include.iter().all(is_covered) {
        return Some(true);
    }
    let rest =
        Language { include: wanted.include.iter().filter(|one| !is_covered(one)).cloned().collect(), ..wanted.clone() };
    let languages: Vec<&Language> = std::iter::once(&rest).chain(held.iter().copied()).collect();
    let found = search(&languages, 1, |accepts| accepts[0] && !accepts[1..].contains(&true))?;
    match (found, wanted.is_cut || held.iter().any(|language| language.is_cut)) {
        (false, false) => Some(true),
        (true, false) => Some(false),
        (_, true) => None,
    }
}

/// Returns whether some text is in all of these languages; `None` if that takes more than [`MAX_STATES`] or depends on
/// a pattern that was too long to be read.
pub fn have_common(languages: &[&Language]) -> Option<bool> {
    let found = search(languages, languages.len(), |accepts| !accepts.contains(&false))?;
    let is_cut = languages.iter().any(|language| language.is_cut);
    if found || !is_cut { Some(found) } else { None }
}

/// Searches for a text whose acceptance by the languages meets `is_goal`. The first `needed` languages must still be
/// able to accept; `None` beyond [`MAX_STATES`].
fn search(languages: &[&Language], needed: usize, is_goal: impl Fn(&[bool]) -> bool) -> Option<bool> {
    let machine = Machine::new(languages);
    let start = machine.start();
    let mut seen = HashSet::from([start.clone()]);
    let mut waiting = VecDeque::from([start]);
    while let Some(state) = waiting.pop_front() {
        if is_goal(&machine.accepts(&state)) {
            return Some(true);
        }
        for c in machine.letters(&state, needed) {
            let next = machine.step(&state, c);
            if machine.is_alive(&next, needed) && !seen.contains(&next) {
                if seen.len() >= MAX_STATES {
                    return None;
                }
                seen.insert(next.clone());
                waiting.push_back(next);
            }
        }
    }
    Some(false)
}

/// Automaton that runs all patterns of some languages at the same time. A state is the ascending list of active
/// positions.
struct Machine {
    /// Signs of each pattern, each pattern followed by an end (`None`).
    signs: Vec<Option<Sign>>,
    /// Language of each position, and `true` if its pattern is an excluded one.
    owners: Vec<(usize, bool)>,
    starts: Vec<u32>,
    languages: usize,
}

impl Machine {
    fn new(languages: &[&Language]) -> Self {
        let mut machine =
            Self { signs: Vec::new(), owners: Vec::new(), starts: Vec::new(), languages: languages.len() };
        for (number, language) in languages.iter().enumerate() {
            let include = language.include.iter().map(|pattern| (pattern, false));
            for (pattern, is_excluded) in include.chain(language.exclude.iter().map(|pattern| (pattern, true))) {
                machine.starts.push(machine.signs.len() as u32);
                machine.signs.extend(pattern.0.iter().copied().map(Some));
                machine.signs.push(None);
                machine.owners.resize(machine.signs.len(), (number, is_excluded));
            }
        }
        machine
    }

    fn start(&self) -> Vec<u32> {
        self.closed(self.starts.clone())
    }

    /// Adds the positions behind each `*`, which may stand for nothing.
    fn closed(&self, positions: Vec<u32>) -> Vec<u32> {
        let mut all: Vec<u32> = Vec::with_capacity(positions.len());
        for mut at in positions {
            all.push(at);
            while self.signs[at as usize] == Some(Sign::Run) {
                at += 1;
                all.push(at);
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    fn step(&self, state: &[u32], c: char) -> Vec<u32> {
        let next = |at: &u32| match self.signs[*at as usize] {
            Some(Sign::Run) => Some(*at),
            Some(Sign::Any) => Some(at + 1),
            Some(Sign::One(own)) if own == c => Some(at + 1),
            _ => None,
        };
        self.closed(state.iter().filter_map(next).collect())
    }

    fn accepts(&self, state: &[u32]) -> Vec<bool> {
        let mut ends = vec![(false, false); self.languages];
        for at in state.iter().filter(|at| self.signs[**at as usize].is_none()) {
            let (language, is_excluded) = self.owners[*at as usize];
            let end = &mut ends[language];
            if is_excluded { end.1 = true } else { end.0 = true }
        }
        ends.into_iter().map(|(include, exclude)| include && !exclude).collect()
    }

    fn is_alive(&self, state: &[u32], needed: usize) -> bool {
        (0..needed).all(|language| state.iter().any(|at| self.owners[*at as usize] == (language, false)))
    }

    /// Returns the characters that make a difference next. Those that the needed languages can't take lead nowhere and
    /// are left out.
    fn letters(&self, state: &[u32], needed: usize) -> Vec<char> {
        let is_needed = |at: &&u32| {
            let (language, is_excluded) = self.owners[**at as usize];
            language < needed && !is_excluded
        };
        let is_wide = |at: &u32| matches!(self.signs[*at as usize], Some(Sign::Run | Sign::Any));
        // Where each needed language can take anything, the letters of all languages count, and one that no pattern
        // names.
        let all_wide = (0..needed)
            .all(|language| state.iter().any(|at| self.owners[*at as usize] == (language, false) && is_wide(at)));
        let own = |at: &u32| match self.signs[*at as usize] {
            Some(Sign::One(c)) => Some(c),
            _ => None,
        };
        let mut letters: Vec<char> = if all_wide {
            state.iter().filter_map(own).chain([OTHER]).collect()
        } else {
            state.iter().filter(is_needed).filter_map(own).collect()
        };
        // The letter that no pattern names comes first: it tells two languages apart soonest.
        letters.sort_unstable_by(|a, b| b.cmp(a));
        letters.dedup();
        letters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subset(wanted: &[&str], held: &[&str], without: &[&str]) -> Option<bool> {
        let held = Language::of(held.iter().copied()).without(without.iter().copied());
        is_subset(&Language::of(wanted.iter().copied()), &[&held])
    }

    #[test]
    fn a_pattern_is_in_several_that_cover_it_only_together() {
        assert_eq!(subset(&["a*"], &["a", "a?*"], &[]), Some(true));
        assert_eq!(subset(&["a*"], &["a", "a??*"], &[]), Some(false));
        assert_eq!(subset(&["*"], &["*"], &[]), Some(true));
        assert_eq!(subset(&["?"], &["a", "b"], &[]), Some(false));
        assert_eq!(subset(&["ab"], &["a\\b"], &[]), Some(true));
        assert_eq!(subset(&["a\\*"], &["a\\*"], &[]), Some(true));
        assert_eq!(subset(&["a*"], &["a\\*"], &[]), Some(false));
        assert_eq!(subset(&[], &[], &[]), Some(true));
    }

    #[test]
    fn a_pattern_without_wildcards_is_one_text() {
        for (pattern, is_one) in [("abc", true), ("", true), ("a\\*", true), ("a*", false), ("?", false)] {
            assert_eq!(Pattern::new(pattern).unwrap().is_literal(), is_one, "{pattern}");
        }
    }

    #[test]
    fn what_is_left_out_is_in_no_language() {
        assert_eq!(subset(&["c:a/x*"], &["c:*"], &["c:s/*"]), Some(true));
        assert_eq!(subset(&["c:*"], &["c:*"], &["c:s/*"]), Some(false));
        let without = Language::of(["c:*"]).without(["c:s/*"]);
        assert_eq!(is_subset(&without, &[&without]), Some(true));
        assert_eq!(have_common(&[&without, &Language::of(["c:s/*"])]), Some(false));
        assert_eq!(have_common(&[&without, &Language::of(["c:s*"])]), Some(true));
    }

    #[test]
    fn a_comparison_over_its_budget_is_not_known() {
        let many: Vec<String> = (0..40).map(|number| format!("*{number}*{}*", number * 7)).collect();
        let language = Language::of(many.iter().map(String::as_str));
        assert_eq!(is_subset(&Language::of(["?*"]).without(["x"]), &[&language]), Some(false));
        let turned: Vec<String> = ('a'..='p').map(|c| format!("*{c}*{c}*{c}*{c}*")).collect();
        let both: Vec<Language> = turned.iter().map(|pattern| Language::of([pattern.as_str()])).collect();
        let all: Vec<&Language> = both.iter().collect();
        assert_eq!(have_common(&all), None);
        let long = "x".repeat(MAX_PATTERN + 1);
        assert_eq!(subset(&[&long], &["y"], &[]), None);
        assert_eq!(subset(&["x"], &[&long], &[]), None);
    }

    proptest::proptest! {
        #[test]
        fn languages_are_compared_as_their_texts_are(
            wanted in proptest::collection::vec("[ab*?]{0,4}", 0..3),
            held in proptest::collection::vec("[ab*?]{0,4}", 0..4),
            without in proptest::collection::vec("[ab*?]{1,3}", 0..2),
        ) {
            fn list(patterns: &[String]) -> impl Iterator<Item = &str> { patterns.iter().map(String::as_str) }
            let wanted = Language::of(list(&wanted));
            let held = Language::of(list(&held)).without(list(&without));
            let texts: Vec<String> = (0..=5u32).flat_map(|length| (0..3u32.pow(length)).map(move |mut number| {
                (0..length).map(|_| { let c = ['a', 'b', 'z'][(number % 3) as usize]; number /= 3; c }).collect()
            })).collect();
            let inside = texts.iter().filter(|text| wanted.has(text)).all(|text| held.has(text));
            let common = texts.iter().any(|text| wanted.has(text) && held.has(text));
            proptest::prop_assert_eq!(is_subset(&wanted, &[&held]), Some(inside));
            proptest::prop_assert_eq!(have_common(&[&wanted, &held]), Some(common));
        }
    }
}
