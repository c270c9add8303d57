//! Regular expressions as Lucene reads them with all of its operators on, as roles have them (syntax as seen on 9.5.3).

/// Error for a regular expression that was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Malformed expression, which Elasticsearch refuses too.
    #[error("This is not a regular expression")]
    Malformed,
    /// Expression of more than [`MAX_PATTERN_LENGTH`] characters.
    #[error("Regular expressions of more than {MAX_PATTERN_LENGTH} characters are not supported")]
    TooLong,
    /// Expression of more than [`MAX_PATTERN_NESTING`] levels.
    #[error(
        "Regular expressions with more than {MAX_PATTERN_NESTING} nested quantifiers or parentheses are not supported"
    )]
    TooNested,
}

use PatternError::{Malformed, TooLong, TooNested};

use super::budget::{Budget, MAX_NAME_LENGTH, MAX_PATTERN_LENGTH, MAX_PATTERN_NESTING, Steps};

#[derive(Debug)]
enum Part {
    One(char),
    Any,
    AnyRun,
    /// `#`: matches no name at all.
    Nothing,
    Class(bool, Vec<(char, char)>),
    Sequence(Vec<Part>),
    Either(Vec<Part>),
    /// `&`: each must match the same stretch.
    Both(Vec<Part>),
    Repeat(Box<Part>, u32, Option<u32>),
    Not(Box<Part>),
    /// `<1-15>`: a number, with a fixed number of digits if both ends have the same number of them.
    Number(u64, u64, Option<usize>),
}

/// Regular expression that matches whole names.
#[derive(Debug)]
pub struct Regex(Part);

impl Regex {
    /// Reads an expression without the slashes around it.
    ///
    /// # Errors
    /// Returns an error if the expression is malformed or exceeds a limit.
    pub fn parse(source: &str) -> Result<Regex, PatternError> {
        if source.len() > MAX_PATTERN_LENGTH && source.chars().count() > MAX_PATTERN_LENGTH {
            return Err(TooLong);
        }
        if source.is_empty() {
            return Ok(Regex(Part::Sequence(Vec::new())));
        }
        let mut parser = Parser { chars: source.chars().collect(), at: 0 };
        let (part, _) = parser.either(0)?;
        if parser.at == parser.chars.len() { Ok(Regex(part)) } else { Err(Malformed) }
    }

    /// Returns `true` if the expression is `.*` or `@`, which match every name.
    pub fn is_any_run(&self) -> bool {
        matches!(self.0, Part::AnyRun)
    }

    /// Returns whether the whole name matches; `None` if the name is too long or the budget is spent.
    pub fn matches_within(&self, name: &str, budget: &Budget) -> Option<bool> {
        if name.len() > MAX_NAME_LENGTH && name.chars().count() > MAX_NAME_LENGTH {
            return None;
        }
        let name: Vec<char> = name.chars().collect();
        let mut starts = vec![false; name.len() + 1];
        starts[0] = true;
        budget.lend(|steps| Some(ends(&self.0, &name, &starts, steps)?[name.len()]))
    }
}

/// Returns the ends of all matches that begin at one of `starts`; `None` if no steps are left. Recurses no deeper than
/// the pattern is nested.
fn ends(part: &Part, name: &[char], starts: &[bool], steps: &mut Steps) -> Option<Vec<bool>> {
    steps.take(starts.len())?;
    let one = |accept: &dyn Fn(char) -> bool| {
        let mut ends = vec![false; starts.len()];
        for (at, c) in name.iter().enumerate() {
            ends[at + 1] = starts[at] && accept(*c);
        }
        ends
    };
    Some(match part {
        Part::One(wanted) => one(&|c| c == *wanted),
        Part::Any => one(&|_| true),
        Part::Nothing => vec![false; starts.len()],
        Part::Class(negated, ranges) => {
            steps.take(starts.len().saturating_mul(ranges.len()))?;
            one(&|c| ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated)
        }
        Part::AnyRun => {
            let first = starts.iter().position(|set| *set).unwrap_or(starts.len());
            (0..starts.len()).map(|at| at >= first).collect()
        }
        Part::Sequence(parts) => {
            let mut current = starts.to_vec();
            for part in parts {
                current = ends(part, name, &current, steps)?;
            }
            current
        }
        Part::Either(parts) => {
            let mut all = vec![false; starts.len()];
            for part in parts {
                all.iter_mut().zip(ends(part, name, starts, steps)?).for_each(|(end, set)| *end |= set);
            }
            all
        }
        Part::Repeat(inner, least, most) => repeat(inner, *least, *most, name, starts, steps)?,
        Part::Both(parts) => from_each(starts, |only| {
            let mut all = vec![true; only.len()];
            for part in parts {
                all.iter_mut().zip(ends(part, name, only, steps)?).for_each(|(end, set)| *end &= set);
            }
            Some(all)
        })?,
        Part::Not(inner) => from_each(starts, |only| {
            let first = only.iter().position(|set| *set)?;
            let matched = ends(inner, name, only, steps)?;
            Some(matched.iter().enumerate().map(|(at, set)| at >= first && !set).collect())
        })?,
        Part::Number(from, to, digits) => from_each(starts, |only| {
            steps.take(only.len())?;
            let first = only.iter().position(|set| *set)?;
            Some(numbers(&name[first..], *from, *to, *digits, first, only.len()))
        })?,
    })
}

/// Computes the ends for each start by itself and combines them.
fn from_each(starts: &[bool], mut ends: impl FnMut(&[bool]) -> Option<Vec<bool>>) -> Option<Vec<bool>> {
    let mut all = vec![false; starts.len()];
    let mut only = vec![false; starts.len()];
    for at in (0..starts.len()).filter(|at| starts[*at]) {
        only[at] = true;
        all.iter_mut().zip(ends(&only)?).for_each(|(end, set)| *end |= set);
        only[at] = false;
    }
    Some(all)
}

fn numbers(rest: &[char], from: u64, to: u64, digits: Option<usize>, first: usize, len: usize) -> Vec<bool> {
    let mut ends = vec![false; len];
    let mut value = 0u64;
    for (place, c) in rest.iter().enumerate() {
        let Some(digit) = c.to_digit(10) else { break };
        value = value.saturating_mul(10).saturating_add(u64::from(digit));
        ends[first + place + 1] = (from..=to).contains(&value) && digits.is_none_or(|digits| digits == place + 1);
    }
    ends
}

fn repeat(
    inner: &Part,
    least: u32,
    most: Option<u32>,
    name: &[char],
    starts: &[bool],
    steps: &mut Steps,
) -> Option<Vec<bool>> {
    let mut current = starts.to_vec();
    for _ in 0..least {
        let next = ends(inner, name, &current, steps)?;
        if next == current {
            break; // each further round would end there too
        }
        current = next;
    }
    let mut reached = current.clone();
    let mut rounds = most.map(|most| most.saturating_sub(least));
    while rounds != Some(0) {
        current = ends(inner, name, &current, steps)?;
        let mut grew = false;
        for (seen, new) in reached.iter_mut().zip(&mut current) {
            // From a position that was reached before, there is nothing new to reach.
            *new &= !*seen;
            grew |= *new;
            *seen |= *new;
        }
        if !grew {
            break;
        }
        rounds = rounds.map(|rounds| rounds - 1);
    }
    Some(reached)
}

struct Parser {
    chars: Vec<char>,
    at: usize,
}

/// Result of reading: a part and the number of its levels.
type Read = Result<(Part, usize), PatternError>;

fn level(part: Part, inside: usize) -> Read {
    if inside >= MAX_PATTERN_NESTING { Err(TooNested) } else { Ok((part, inside + 1)) }
}

fn all_of(mut parts: Vec<Part>, inside: usize, whole: impl FnOnce(Vec<Part>) -> Part) -> (Part, usize) {
    match (parts.len(), parts.pop()) {
        (1, Some(part)) => (part, inside),
        (_, last) => {
            parts.extend(last);
            (whole(parts), inside)
        }
    }
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self) -> Result<char, PatternError> {
        let c = self.peek().ok_or(Malformed)?;
        self.at += 1;
        Ok(c)
    }

    fn takes(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    /// Reads choices (`|`) inside `depth` parentheses and complements.
    fn either(&mut self, depth: usize) -> Read {
        let (first, mut inside) = self.both(depth)?;
        let mut parts = vec![first];
        while self.takes('|') {
            let (part, levels) = self.both(depth)?;
            inside = inside.max(levels);
            parts.push(part);
        }
        Ok(all_of(parts, inside, Part::Either))
    }

    fn both(&mut self, depth: usize) -> Read {
        let (first, mut inside) = self.sequence(depth)?;
        let mut parts = vec![first];
        while self.takes('&') {
            let (part, levels) = self.sequence(depth)?;
            inside = inside.max(levels);
            parts.push(part);
        }
        Ok(all_of(parts, inside, Part::Both))
    }

    /// Reads a sequence. At its beginning every operator without a meaning there is a letter like any other, as in
    /// Lucene.
    fn sequence(&mut self, depth: usize) -> Read {
        let (first, mut inside) = self.repeated(depth)?;
        let mut parts = vec![first];
        while self.peek().is_some_and(|c| !matches!(c, '|' | ')' | '&')) {
            let (part, levels) = self.repeated(depth)?;
            inside = inside.max(levels);
            parts.push(part);
        }
        Ok(all_of(parts, inside, Part::Sequence))
    }

    fn repeated(&mut self, depth: usize) -> Read {
        let (mut part, mut inside) = self.complement(depth)?;
        loop {
            let sign = self.peek().filter(|c| matches!(c, '*' | '+' | '?' | '{'));
            self.at += usize::from(sign.is_some());
            let (least, most) = match sign {
                None => return Ok((part, inside)),
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some(_) => self.bounds()?,
            };
            (part, inside) = match part {
                Part::Any if (least, most) == (0, None) => (Part::AnyRun, inside),
                part => level(Part::Repeat(Box::new(part), least, most), inside)?,
            };
        }
    }

    fn bounds(&mut self) -> Result<(u32, Option<u32>), PatternError> {
        let least = self.count()?;
        if self.takes('}') {
            return Ok((least, Some(least)));
        }
        if !self.takes(',') {
            return Err(Malformed);
        }
        if self.takes('}') {
            return Ok((least, None));
        }
        let most = self.count()?;
        if self.takes('}') && most >= least { Ok((least, Some(most))) } else { Err(Malformed) }
    }

    fn count(&mut self) -> Result<u32, PatternError> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect::<String>().parse().map_err(|_| Malformed)
    }

    fn complement(&mut self, depth: usize) -> Read {
        if !self.takes('~') {
            return self.single(depth);
        }
        if depth >= MAX_PATTERN_NESTING {
            return Err(TooNested);
        }
        let (part, inside) = self.complement(depth + 1)?;
        level(Part::Not(Box::new(part)), inside)
    }

    fn single(&mut self, depth: usize) -> Read {
        let part = match self.take()? {
            '.' => Part::Any,
            '@' => Part::AnyRun,
            '#' => Part::Nothing,
            '\\' => self.escaped()?,
            '"' => self.quoted()?,
            '<' => self.number()?,
            '(' if self.takes(')') => Part::Sequence(Vec::new()),
            '(' if depth >= MAX_PATTERN_NESTING => return Err(TooNested),
            '(' => {
                let (part, inside) = self.either(depth + 1)?;
                return if self.takes(')') { level(part, inside) } else { Err(Malformed) };
            }
            '[' => self.class()?,
            c => Part::One(c),
        };
        Ok((part, 0))
    }

    /// Reads what follows a backslash: it takes a meaning away, but gives `\d`, `\w`, `\s` and their opposites one;
    /// before other letters it is refused (as seen on 9.5.3).
    fn escaped(&mut self) -> Result<Part, PatternError> {
        let c = self.take()?;
        Ok(match predefined(c) {
            Some(ranges) => Part::Class(c.is_ascii_uppercase(), ranges),
            None if c.is_ascii_alphabetic() => return Err(Malformed),
            None => Part::One(c),
        })
    }

    fn quoted(&mut self) -> Result<Part, PatternError> {
        let mut parts = Vec::new();
        loop {
            match self.take()? {
                '"' => return Ok(Part::Sequence(parts)),
                c => parts.push(Part::One(c)),
            }
        }
    }

    fn number(&mut self) -> Result<Part, PatternError> {
        let mut text = String::new();
        loop {
            match self.take()? {
                '>' => break,
                c => text.push(c),
            }
        }
        let (from, to) = text.split_once('-').ok_or(Malformed)?;
        let read = |text: &str| text.parse::<u64>().map_err(|_| Malformed);
        let (low, high) = (read(from)?, read(to)?);
        let digits = (from.len() == to.len()).then_some(from.len());
        Ok(Part::Number(low.min(high), low.max(high), digits))
    }

    fn class(&mut self) -> Result<Part, PatternError> {
        let negated = self.takes('^');
        let mut ranges = Vec::new();
        loop {
            if !ranges.is_empty() && self.takes(']') {
                return Ok(Part::Class(negated, ranges));
            }
            let mut from = self.take()?;
            if from == '\\' {
                match self.escaped()? {
                    Part::One(c) => from = c,
                    Part::Class(false, more) => {
                        ranges.extend(more);
                        continue;
                    }
                    Part::Class(true, more) => {
                        ranges.extend(outside(&more));
                        continue;
                    }
                    _ => return Err(Malformed),
                }
            }
            let mut to = from;
            if self.takes('-') {
                to = self.take()?;
                if to == '\\' {
                    to = self.take()?;
                }
            }
            if to < from {
                return Err(Malformed);
            }
            ranges.push((from, to));
        }
    }
}

fn predefined(c: char) -> Option<Vec<(char, char)>> {
    match c.to_ascii_lowercase() {
        'd' => Some(vec![('0', '9')]),
        's' => Some(vec![('\t', '\n'), ('\r', '\r'), (' ', ' ')]),
        'w' => Some(vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]),
        _ => None,
    }
}

/// Returns all characters that are in none of these ranges, which are in ascending order.
fn outside(ranges: &[(char, char)]) -> Vec<(char, char)> {
    let mut gaps = Vec::new();
    let mut next = '\0';
    for (from, to) in ranges {
        if next < *from {
            gaps.push((next, char::from_u32(u32::from(*from) - 1).unwrap_or(*from)));
        }
        next = char::from_u32(u32::from(*to) + 1).unwrap_or(char::MAX);
    }
    gaps.push((next, char::MAX));
    gaps
}
