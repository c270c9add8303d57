//! Names with wildcards, as roles and requests use them: `logs-*`, `a?`, and Lucene's `/regular expressions/`.
//! Matching takes bounded work whatever the pattern, so that no request can stall the server.

use std::cell::Cell;

/// Steps that one match may take before it counts as no match.
const FUEL: u32 = 200_000;

/// Whether the name matches a pattern with `*` (any run) and `?` (any one character).
pub fn glob(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether a name of a role (with wildcards, or a regular expression between slashes) matches.
pub fn matches(pattern: &str, name: &str) -> bool {
    match expression(pattern) {
        Some(source) => Regex::parse(source).is_some_and(|regex| regex.matches(name)),
        None => glob(pattern, name),
    }
}

/// Whether everything that `wanted` can match is matched by `granted`.
pub fn covers(granted: &str, wanted: &str) -> bool {
    if granted == wanted || granted == "*" {
        return true;
    }
    let has_wildcard = wanted.contains(['*', '?']);
    match (expression(granted), expression(wanted)) {
        (_, Some(_)) => false,
        (Some(_), None) => !has_wildcard && matches(granted, wanted),
        (None, None) => glob_over_pattern(granted, wanted),
    }
}

/// `glob`, but a `*` of the wanted pattern stands for many characters: a `?` can't swallow it, only a `*` can.
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

/// Whether the pattern can be read at all.
pub fn is_valid(pattern: &str) -> bool {
    expression(pattern).is_none_or(|source| Regex::parse(source).is_some())
}

fn expression(pattern: &str) -> Option<&str> {
    if pattern.len() < 2 {
        return None;
    }
    pattern.strip_prefix('/')?.strip_suffix('/')
}

enum Part {
    One(char),
    Any,
    AnyRun,
    Class(bool, Vec<(char, char)>),
    Sequence(Vec<Part>),
    Either(Vec<Part>),
    Repeat(Box<Part>, u32, Option<u32>),
    Not(Box<Part>),
}

/// A regular expression of Lucene's kind, whole-name matching, with `~` for complement and `@` for any run.
pub struct Regex(Part);

impl Regex {
    /// Reads one; nothing when it is malformed.
    pub fn parse(source: &str) -> Option<Regex> {
        let mut parser = Parser { chars: source.chars().collect(), at: 0 };
        let part = parser.either(0)?;
        (parser.at == parser.chars.len()).then_some(Regex(part))
    }

    /// Whether the whole name matches.
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        if name.len() > 1024 {
            return false;
        }
        let fuel = Cell::new(FUEL);
        let mut starts = vec![false; name.len() + 1];
        starts[0] = true;
        step(&self.0, &name, &starts, &fuel)[name.len()]
    }
}

/// All the places where a match can end that begins at one of `starts`.
fn step(part: &Part, name: &[char], starts: &[bool], fuel: &Cell<u32>) -> Vec<bool> {
    let mut ends = vec![false; starts.len()];
    if fuel.get() == 0 {
        return ends;
    }
    fuel.set(fuel.get() - 1);
    let one = |accept: &dyn Fn(char) -> bool, ends: &mut Vec<bool>| {
        for (at, c) in name.iter().enumerate() {
            if starts[at] && accept(*c) {
                ends[at + 1] = true;
            }
        }
    };
    match part {
        Part::One(wanted) => one(&|c| c == *wanted, &mut ends),
        Part::Any => one(&|_| true, &mut ends),
        Part::Class(negated, ranges) => {
            let inside = |c: char| ranges.iter().any(|(from, to)| (*from..=*to).contains(&c));
            one(&|c| inside(c) != *negated, &mut ends);
        }
        Part::AnyRun => {
            if let Some(first) = starts.iter().position(|set| *set) {
                ends[first..].fill(true);
            }
        }
        Part::Sequence(parts) => {
            let mut current = starts.to_vec();
            for part in parts {
                current = step(part, name, &current, fuel);
            }
            ends = current;
        }
        Part::Either(parts) => {
            for part in parts {
                for (end, set) in ends.iter_mut().zip(step(part, name, starts, fuel)) {
                    *end |= set;
                }
            }
        }
        Part::Repeat(inner, least, most) => ends = repeat(inner, *least, *most, name, starts, fuel),
        Part::Not(inner) => {
            for at in (0..starts.len()).filter(|at| starts[*at]) {
                let mut only = vec![false; starts.len()];
                only[at] = true;
                let matched = step(inner, name, &only, fuel);
                for end in at..starts.len() {
                    ends[end] |= !matched[end];
                }
            }
        }
    }
    ends
}

fn repeat(inner: &Part, least: u32, most: Option<u32>, name: &[char], starts: &[bool], fuel: &Cell<u32>) -> Vec<bool> {
    let mut current = starts.to_vec();
    for _ in 0..least {
        current = step(inner, name, &current, fuel);
        if !current.contains(&true) {
            return current;
        }
    }
    let mut reached = current.clone();
    let mut rounds = most.map(|most| most.saturating_sub(least));
    while rounds != Some(0) && fuel.get() > 0 {
        current = step(inner, name, &current, fuel);
        let mut grew = false;
        for (seen, new) in reached.iter_mut().zip(&current) {
            grew |= *new && !*seen;
            *seen |= *new;
        }
        if !grew {
            break;
        }
        rounds = rounds.map(|rounds| rounds - 1);
    }
    reached
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn either(&mut self, depth: u32) -> Option<Part> {
        if depth > 40 {
            return None;
        }
        let mut choices = vec![self.sequence(depth)?];
        while self.peek() == Some('|') {
            self.at += 1;
            choices.push(self.sequence(depth)?);
        }
        Some(Part::Either(choices))
    }

    fn sequence(&mut self, depth: u32) -> Option<Part> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek() {
            if c == '|' || c == ')' {
                break;
            }
            parts.push(self.repeated(depth)?);
        }
        Some(Part::Sequence(parts))
    }

    fn repeated(&mut self, depth: u32) -> Option<Part> {
        if self.peek() == Some('~') {
            self.at += 1;
            if depth > 40 {
                return None;
            }
            return Some(Part::Not(Box::new(self.repeated(depth + 1)?)));
        }
        let mut part = self.single(depth)?;
        while let Some(c) = self.peek() {
            let (least, most) = match c {
                '*' => (0, None),
                '+' => (1, None),
                '?' => (0, Some(1)),
                '{' => {
                    self.at += 1;
                    let bounds = self.bounds()?;
                    part = Part::Repeat(Box::new(part), bounds.0, bounds.1);
                    continue;
                }
                _ => break,
            };
            self.at += 1;
            part = Part::Repeat(Box::new(part), least, most);
        }
        Some(part)
    }

    fn bounds(&mut self) -> Option<(u32, Option<u32>)> {
        let least = self.count()?;
        match self.take()? {
            '}' => Some((least, Some(least))),
            ',' if self.peek() == Some('}') => {
                self.at += 1;
                Some((least, None))
            }
            ',' => {
                let most = self.count()?;
                (self.take()? == '}' && most >= least).then_some((least, Some(most)))
            }
            _ => None,
        }
    }

    fn count(&mut self) -> Option<u32> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.chars[start..self.at].iter().collect();
        digits.parse().ok().filter(|count| *count <= 1000)
    }

    fn single(&mut self, depth: u32) -> Option<Part> {
        match self.take()? {
            '.' => Some(Part::Any),
            '@' => Some(Part::AnyRun),
            '\\' => self.take().map(Part::One),
            '(' => {
                let inner = self.either(depth + 1)?;
                (self.take()? == ')').then_some(inner)
            }
            '[' => self.class(),
            '*' | '+' | '?' | '{' => None,
            c => Some(Part::One(c)),
        }
    }

    fn class(&mut self) -> Option<Part> {
        let negated = self.peek() == Some('^');
        if negated {
            self.at += 1;
        }
        let mut ranges = Vec::new();
        loop {
            let mut from = self.take()?;
            if from == ']' && !ranges.is_empty() {
                return Some(Part::Class(negated, ranges));
            }
            if from == '\\' {
                from = self.take()?;
            }
            if self.peek() == Some('-') && self.chars.get(self.at + 1).is_some_and(|c| *c != ']') {
                self.at += 1;
                let to = self.take()?;
                if to < from {
                    return None;
                }
                ranges.push((from, to));
            } else {
                ranges.push((from, from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn broken_expressions_are_told_from_good_ones() {
        assert!(!is_valid("/[/"));
        assert!(!is_valid("/a(/"));
        assert!(!is_valid("/*/"));
        assert!(is_valid("/a.*/"));
        assert!(is_valid("plain*"));
    }

    #[test]
    fn greedy_expressions_end_in_bounded_time() {
        let name = "a".repeat(500);
        assert!(!matches("/((a*)*)*b/", &name));
        let _ = matches("/(((.{0,1000}){0,1000}){0,1000}){0,1000}x/", &name);
    }
}
