//! Names with wildcards, as roles and requests use them: `logs-*`, `a?`, and Lucene's `/regular expressions/`. Patterns
//! are foreign text: whoever may create a key may write one that would take forever. Reading has a limit of depth and
//! length, and matching takes steps out of a [`Budget`]; what exceeds either is not known, never "no".

mod budget;
mod regex;

pub use crate::model::text::glob::matches as glob;
pub use budget::{Budget, MAX_MATCH_STEPS, MAX_NAME_LENGTH, MAX_PATTERN_LENGTH, MAX_PATTERN_NESTING, MAX_SEARCH_STEPS};
pub use regex::{PatternError, Regex};

/// Cost of a wildcard comparison up to which no steps are taken from the budget; the cost is the length of the pattern
/// times that of the name.
const FREE_STEPS: u64 = 1 << 14;

/// Returns whether a name matches a name of a role: one with wildcards, or a regular expression between slashes.
///
/// `None` means not known: the expression is malformed, too long or too deep to be read, the name is longer than
/// [`MAX_NAME_LENGTH`], or the budget is spent.
pub fn matches_within(pattern: &str, name: &str, budget: &Budget) -> Option<bool> {
    match expression(pattern) {
        Some(source) => Regex::parse(source).ok()?.matches_within(name, budget),
        None => within(pattern, name, budget, || glob(pattern, name)),
    }
}

/// Calls [`matches_within`] with a budget for one match and counts "not known" as no: for answers that grant nothing
/// and hide nothing by it.
pub fn matches(pattern: &str, name: &str) -> bool {
    matches_within(pattern, name, &Budget::for_one_match()) == Some(true)
}

/// Returns whether everything that `wanted` can match is matched by `granted`.
///
/// `None` means not known: as with [`matches_within`], and where a regular expression would have to be compared with
/// another pattern.
pub fn covers_within(granted: &str, wanted: &str, budget: &Budget) -> Option<bool> {
    if granted == wanted || granted == "*" {
        return Some(true);
    }
    let has_wildcard = wanted.contains(['*', '?']);
    match (expression(granted), expression(wanted)) {
        (Some(source), _) if Regex::parse(source).is_ok_and(|regex| regex.is_any_run()) => Some(true),
        (_, Some(_)) => None,
        (Some(_), None) if has_wildcard => None,
        (Some(_), None) => matches_within(granted, wanted, budget),
        (None, None) => within(granted, wanted, budget, || glob_over_pattern(granted, wanted)),
    }
}

/// Calls [`covers_within`] with a budget for one match and counts "not known" as no.
pub fn covers(granted: &str, wanted: &str) -> bool {
    covers_within(granted, wanted, &Budget::for_one_match()) == Some(true)
}

/// Compares two texts in time that grows with the product of their lengths; `None` if the budget has fewer steps left.
fn within(pattern: &str, name: &str, budget: &Budget, compare: impl FnOnce() -> bool) -> Option<bool> {
    let cost = pattern.len().saturating_add(1).saturating_mul(name.len().saturating_add(1));
    if cost as u64 <= FREE_STEPS {
        return Some(compare());
    }
    budget.lend(|steps| steps.take(cost).map(|()| compare()))
}

/// Compares like [`glob`], but a `*` of the wanted pattern stands for many characters: only a `*` can match it, not a
/// `?`.
fn glob_over_pattern(granted: &str, wanted: &str) -> bool {
    let granted: Vec<char> = granted.chars().collect();
    let wanted: Vec<char> = wanted.chars().collect();
    let mut reached = vec![false; wanted.len() + 1];
    reached[0] = true;
    for g in granted {
        let mut next = vec![false; wanted.len() + 1];
        for at in 0..=wanted.len() {
            if !reached[at] {
                continue;
            }
            match (g, wanted.get(at)) {
                ('*', _) => next[at..].fill(true),
                ('?', Some(c)) if *c != '*' => next[at + 1] = true,
                (g, Some(c)) if g == *c => next[at + 1] = true,
                _ => {}
            }
        }
        reached = next;
    }
    reached[wanted.len()]
}

/// Returns the reason why a pattern can't be read; `None` if it can.
pub fn problem(pattern: &str) -> Option<PatternError> {
    expression(pattern).and_then(|source| Regex::parse(source).err())
}

fn expression(pattern: &str) -> Option<&str> {
    if pattern.len() < 2 {
        return None;
    }
    pattern.strip_prefix('/')?.strip_suffix('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_stack::{USUAL_CASES, cases, foreign_text, on_small_stack};

    /// Returns `true` if Elasticsearch accepts the pattern, even if it exceeds the limits for reading it here.
    fn is_valid(pattern: &str) -> bool {
        problem(pattern) != Some(PatternError::Malformed)
    }

    #[test]
    fn stars_match_any_run_and_question_marks_one_character() {
        assert!(glob("logs-*", "logs-"));
        assert!(glob("*a*b*", "xxaxxbxx"));
        assert!(glob("a?c", "abc"));
        assert!(!glob("a?c", "ac"));
        assert!(!glob("logs-*", "log"));
        assert!(glob("*", ""));
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one_and_not_the_reverse() {
        assert!(covers("logs-*", "logs-app-*"));
        assert!(covers("*", "anything*"));
        assert!(covers("logs-*", "logs-1"));
        assert!(!covers("logs-1", "logs-*"));
        assert!(!covers("logs-?", "logs-*"));
        assert!(!covers("logs-app-*", "logs-*"));
    }

    #[test]
    fn expressions_of_lucene_match_whole_names() {
        assert!(matches("/metrics-(beats|kibana).*/", "metrics-kibana-1"));
        assert!(!matches("/metrics-(beats|kibana).*/", "metrics-apm"));
        assert!(matches("/~(([.]|ilm-history-).*)/", "my_index"));
        assert!(!matches("/~(([.]|ilm-history-).*)/", ".security"));
        assert!(matches("/a{2,3}b?[0-9]+/", "aab12"));
        assert!(!matches("/a{2,3}/", "aaaa"));
        assert!(!matches("/x/", "xy"));
    }

    /// Names that match, and names that don't.
    type Names = (&'static [&'static str], &'static [&'static str]);

    /// Answers of 9.5.3 for each pattern; `None` if it refuses the pattern.
    const AS_SEEN: &[(&str, Option<Names>)] = &[
        ("/*/", Some((&["*"], &["", "a"]))),
        ("/|a/", Some((&["|a"], &["a"]))),
        ("/(|a)/", Some((&["|a"], &["a"]))),
        ("/a|/", None),
        ("/~a*/", Some((&["b", "aa", "ab"], &["a"]))),
        ("/~~a/", Some((&["a"], &["b"]))),
        ("/a\\d/", Some((&["a1"], &["ad", "ab"]))),
        ("/a\\q/", None),
        ("/a\\_/", Some((&["a_"], &[]))),
        ("/[a-]/", None),
        ("/[]a]/", Some((&["]", "a"], &[]))),
        ("/[^]/", None),
        ("/[b-a]/", None),
        ("/[a-c\\d]x/", Some((&["ax", "1x"], &["dx"]))),
        ("/<1-15>/", Some((&["7", "07", "007", "15"], &["16"]))),
        ("/<01-15>/", Some((&["07", "15"], &["7"]))),
        ("/\"a.b\"c/", Some((&["a.bc"], &["axbc"]))),
        ("/a#/", Some((&[], &["a", "a#"]))),
        ("/.*a.*&.*b.*/", Some((&["ab", "ba"], &["a"]))),
        ("/&a/", Some((&["&a"], &["a"]))),
        ("/a&/", None),
        ("/a{2}/", Some((&["aa"], &["a"]))),
        ("/a{,2}/", None),
        ("/a{2/", None),
        ("/a{x}/", None),
        ("/a{3,1}/", None),
        ("/a{1001}/", Some((&[], &["a"]))),
        ("/a)/", None),
        ("/(a/", None),
        ("/a()b/", Some((&["ab"], &[]))),
        ("/+a/", Some((&["+a"], &["a"]))),
        ("/a**/", Some((&["aaa"], &["b"]))),
        ("/a]/", Some((&["a]"], &[]))),
        ("/a}/", Some((&["a}"], &[]))),
        ("/^a$/", Some((&["^a$"], &["a"]))),
        ("/.{2}é/", Some((&["abé", "😀aé"], &["😀é"]))),
        ("/[/", None),
    ];

    #[test]
    fn expressions_mean_what_they_mean_to_elasticsearch() {
        for (pattern, seen) in AS_SEEN {
            assert_eq!(is_valid(pattern), seen.is_some(), "{pattern}");
            let budget = Budget::for_one_match();
            for (names, answer) in seen.iter().flat_map(|(yes, no)| [(yes, true), (no, false)]) {
                for name in *names {
                    assert_eq!(matches_within(pattern, name, &budget), Some(answer), "{pattern} on {name}");
                }
            }
        }
        assert!(is_valid("plain*"));
    }

    #[test]
    fn what_is_beyond_a_limit_is_not_known_rather_than_no() {
        let budget = Budget::for_search();
        let long = format!("/{}/", "a".repeat(MAX_PATTERN_LENGTH));
        assert_eq!(matches_within(&long, &"a".repeat(MAX_PATTERN_LENGTH), &budget), Some(true));
        let longer = format!("/{}/", "a".repeat(MAX_PATTERN_LENGTH + 1));
        assert_eq!((matches_within(&longer, "a", &budget), problem(&longer)), (None, Some(PatternError::TooLong)));
        assert!(is_valid(&longer), "Elasticsearch takes it");
        for deep in [
            format!("/a{}/", "?".repeat(MAX_PATTERN_NESTING + 1)),
            format!("/{}a/", "~".repeat(MAX_PATTERN_NESTING + 1)),
            format!("/{}a{}/", "(".repeat(MAX_PATTERN_NESTING + 1), ")".repeat(MAX_PATTERN_NESTING + 1)),
            format!("/{}a{}/", "(".repeat(21), ")?".repeat(21)),
        ] {
            assert_eq!((matches_within(&deep, "a", &budget), problem(&deep)), (None, Some(PatternError::TooNested)));
        }
        assert_eq!(matches_within(&format!("/a{}/", "?".repeat(MAX_PATTERN_NESTING)), "a", &budget), Some(true));
        assert_eq!(matches_within("/.*/", &"a".repeat(MAX_NAME_LENGTH), &budget), Some(true));
        assert_eq!(matches_within("/.*/", &"a".repeat(MAX_NAME_LENGTH + 1), &budget), None);
        assert_eq!(covers_within("/[/", "a", &budget), None);
        assert_eq!(covers_within("/a.*/", "ab*", &budget), None, "patterns are not compared with expressions");
        assert_eq!(covers_within("/.*/", "ab*", &budget), Some(true));
    }

    /// Expression whose complements each try every position of the name anew.
    const COSTLY: &str = "/.*~(.*~(.*~(.*b)))c/";

    #[test]
    fn a_costly_expression_takes_one_match_s_steps_and_leaves_the_rest_of_the_search() {
        let name = "a".repeat(500);
        let budget = Budget::for_search();
        assert_eq!(matches_within("/(((.{0,1000}){0,1000}){0,1000}){0,1000}x/", &name, &budget), Some(false));
        assert_eq!(matches_within("/(((a?){200}){200}){200}b1/", &name, &budget), Some(false));
        assert_eq!(matches_within(COSTLY, &name, &budget), None);
        assert_eq!(matches_within("/a+/", &name, &budget), Some(true));
        let small = Budget::new(10);
        assert_eq!(matches_within("/a+/", &name, &small), None);
        assert!(small.is_spent() && !budget.is_spent());
        assert_eq!(matches_within("/a+/", "a", &small), None, "a budget that is spent answers nothing");
    }

    #[test]
    fn a_search_ends_whatever_the_patterns_of_its_keys_are() {
        let budget = Budget::new(8 * MAX_MATCH_STEPS);
        let name = "a".repeat(250);
        let mut matches = 0u64;
        while !budget.is_spent() {
            assert_eq!(matches_within(COSTLY, &name, &budget), None);
            matches += 1;
        }
        assert_eq!(matches, 8);
    }

    #[test]
    fn wildcards_are_compared_within_the_budget_too() {
        let (pattern, name) = ("*a".repeat(5_000), "a".repeat(20_000));
        assert_eq!(matches_within(&pattern, &name, &Budget::for_search()), None);
        assert_eq!(covers_within(&pattern, &name, &Budget::for_search()), None);
        assert_eq!(matches_within(&"a".repeat(900), &"a".repeat(900), &Budget::for_search()), Some(true));
    }

    proptest::proptest! {
        #![proptest_config(cases(USUAL_CASES))]

        #[test]
        fn any_text_is_read_matched_and_dropped_on_a_small_stack(seed in proptest::num::u64::ANY) {
            const PIECES: &[&str] = &[
                "a", "b", "é", "(", ")", "[", "]", "^", "-", "{2}", "{0,9}", "{1,}", "{", "}", "*", "+", "?", "~", "|",
                "&", "<1-20>", "<", ">", "\"", "#", "@", ".", "\\", "\\d", "1", ",", "(a", "b)*", "~(", "[^a]",
            ];
            let pattern = format!("/{}/", foreign_text(seed, PIECES));
            on_small_stack(|| {
                let budget = Budget::for_one_match();
                let answer = matches_within(&pattern, "ab1éa", &budget);
                assert!(answer.is_none() || problem(&pattern).is_none(), "{pattern}");
                assert!(covers_within(&pattern, "a*", &budget) != Some(false), "{pattern}");
            });
        }

        #[test]
        fn what_an_expression_says_is_what_trying_its_parts_says(name in "[ab]{0,6}", times in 0usize..4) {
            // (ab|b){n,}a?  by hand
            let pattern = format!("/(ab|b){{{times},}}a?/");
            let body = name.strip_suffix('a').filter(|body| !body.ends_with('a')).unwrap_or(&name);
            let counted = !body.contains("aa") && !body.ends_with('a') && body.matches('b').count() >= times;
            proptest::prop_assert_eq!(matches(&pattern, &name), counted);
        }
    }

    #[test]
    fn the_longest_text_that_a_key_may_hold_is_refused_at_once() {
        for unit in ["?", "*", "(", "~", "a", "a|", "\\", "[", "{1}", "a&", "<1-2>"] {
            let pattern = format!("/a{}/", unit.repeat(300_000 / unit.len()));
            on_small_stack(|| assert_eq!(matches_within(&pattern, "a", &Budget::for_search()), None));
        }
    }
}
