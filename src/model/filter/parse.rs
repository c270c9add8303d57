//! Parser of searches: adjacent terms must all match, `or` binds less, `-` negates, parentheses group.

use std::ops::Range;

use jiff::tz::TimeZone;

use super::{
    Expr, Field, FilterError, Free, Grant, OnIndex, Query, Term, TextMatch, TimeField,
    builtin_values::TYPES,
    hints::{did_you_mean, meant_as_field, nothing_follows, privilege, unknown_field},
    invalidated::{names_invalidated, without_invalidated},
    lex::{self, Token, Value},
    query::{Named, TRAITS},
    text::{Compare, text_match, text_matches},
    time,
};
use crate::model::{Timestamp, text::sanitize, time::status::StatusGroup};

/// Maximum length of a search, in bytes.
pub const MAX_QUERY_BYTES: usize = 4096;

/// Maximum nesting depth of parentheses.
pub(super) const MAX_QUERY_DEPTH: usize = 64;

/// Reads a search at a moment of the cluster's clock; dates without a zone are in `zone`. Parentheses keep the `can:`
/// and `on:` inside them apart from those outside.
///
/// # Errors
/// Everything that is wrong with it, in order: unknown fields and keywords, missing or unreadable values, parentheses
/// that don't pair, an `or` or `-` that stands alone, and a search that is too long or too deep.
pub fn parse(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Query, Vec<FilterError>> {
    if text.len() > MAX_QUERY_BYTES {
        let message = format!("The search is too long: {} bytes; the limit is {MAX_QUERY_BYTES}", text.len());
        return Err(vec![FilterError { span: 0..text.len(), message }]);
    }
    let mut tokens = lex::tokens(text);
    tokens.retain(|(_, token)| !matches!(token, Token::Blank));
    let mut parser = Parser { text, now, zone, tokens: &tokens, at: 0, is_too_deep: false, errors: Vec::new() };
    let expr = parser.choice(0).unwrap_or(Expr::All);
    let expr = if names_invalidated(&expr) { expr } else { without_invalidated(expr) };
    let mut errors = parser.errors;
    errors.sort_by_key(|error| error.span.start);
    if errors.is_empty() { Ok(Query { expr }) } else { Err(errors) }
}

/// Returns an error for the first quote that is never closed; `None` if there is none. [`parse`] accepts it, because
/// the rest may be about to be typed.
pub fn unclosed_quote(text: &str) -> Option<FilterError> {
    let message = "This quote is never closed: add \"".to_owned();
    lex::tokens(text).into_iter().find_map(|(_, token)| match token {
        Token::Word(word) => {
            let open = word.values.into_iter().find(Value::is_open)?;
            let piece = open.pieces.into_iter().next_back()?;
            Some(FilterError { span: piece.span, message: message.clone() })
        }
        _ => None,
    })
}

const AND_ALONE: &str = "Enter a term on both sides of AND; to search for the word, use quotes: \"AND\"";

struct Parser<'a> {
    text: &'a str,
    now: Timestamp,
    zone: &'a TimeZone,
    tokens: &'a [(Range<usize>, Token)],
    at: usize,
    /// `true` if parentheses are nested too deeply; the rest is not read then.
    is_too_deep: bool,
    errors: Vec<FilterError>,
}

/// Part of a conjunction.
enum Part {
    Expr(Expr),
    /// Grant, to be merged with the other grants of the conjunction.
    Grant(Grant),
}

impl From<Part> for Expr {
    fn from(part: Part) -> Self {
        match part {
            Part::Expr(expr) => expr,
            Part::Grant(grant) => Expr::Term(Term::Grant(grant)),
        }
    }
}

/// Joins two or more parts; a single one stays as it is, and none is [`Expr::All`].
fn joined(mut parts: Vec<Expr>, join: fn(Vec<Expr>) -> Expr) -> Expr {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, None) => Expr::All,
        (_, Some(last)) => {
            parts.push(last);
            join(parts)
        }
    }
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a (Range<usize>, Token)> {
        self.tokens.get(self.at)
    }

    fn error(&mut self, span: Range<usize>, message: impl Into<String>) {
        // An `or` between nothing and nothing is told once.
        if self.errors.last().is_none_or(|last| last.span != span) {
            self.errors.push(FilterError { span, message: message.into() });
        }
    }

    /// Reads conjunctions joined by `or`; `None` if they have no meaning yet.
    fn choice(&mut self, depth: usize) -> Option<Expr> {
        let mut parts = Vec::new();
        let mut before: Option<Range<usize>> = None;
        loop {
            let (is_there, part) = self.conjunction(depth);
            let or = match self.peek() {
                Some((span, Token::Or)) => Some(span.clone()),
                _ => None,
            };
            let alone = if !is_there { or.clone().or(before) } else { None };
            if let Some(span) = alone {
                self.error(span, "Enter a term on both sides of or; to search for the word, use quotes: \"or\"");
            }
            parts.extend(part);
            if or.is_none() {
                break;
            }
            before = or;
            self.at += 1;
        }
        if parts.contains(&Expr::All) {
            return Some(Expr::All);
        }
        (!parts.is_empty()).then(|| joined(parts, Expr::Or))
    }

    /// Reads adjacent terms. Returns whether there are any, and their meaning: `None` if they have none, such as quotes
    /// just opened.
    fn conjunction(&mut self, depth: usize) -> (bool, Option<Expr>) {
        let (mut parts, mut grant, mut grant_place): (Vec<Expr>, Grant, Option<usize>) = Default::default();
        let mut certain = None;
        let mut is_there = false;
        // An `AND` after which nothing was said yet, or before which nothing was.
        let mut and: Option<Range<usize>> = None;
        while let Some((span, token)) = self.peek() {
            match token {
                Token::Or => break,
                Token::And => {
                    if !is_there || and.is_some() {
                        self.error(span.clone(), AND_ALONE);
                    }
                    and = Some(span.clone());
                    self.at += 1;
                    continue;
                }
                Token::Close if depth > 0 => break,
                Token::Close => {
                    self.error(
                        span.clone(),
                        "No parenthesis is open here; to search for the symbol, use quotes: \")\"",
                    );
                    self.at += 1;
                    continue;
                }
                _ => is_there = true,
            }
            let span = span.clone();
            and = None;
            match self.factor(depth) {
                Some(Part::Expr(expr)) => parts.push(expr),
                Some(Part::Grant(more)) => {
                    grant_place.get_or_insert(parts.len());
                    // An `on:` says nothing of what is to be known.
                    let is_certain = more.on.is_empty().then_some(!more.not_known);
                    if is_certain.is_some() && certain.is_some() && certain != is_certain {
                        self.error(span, "Put can: with ? and can: without ? in separate parentheses");
                    }
                    certain = certain.or(is_certain);
                    grant.not_known |= more.not_known;
                    grant.can.extend(more.can);
                    grant.on.extend(more.on);
                }
                None => {}
            }
        }
        if let Some(span) = and {
            self.error(span, AND_ALONE);
            is_there = true; // it was told, and needs no second word about an `or`
        }
        if let Some(place) = grant_place {
            parts.insert(place, Expr::Term(Term::Grant(grant)));
        }
        let says_something = !parts.is_empty();
        parts.retain(|part| *part != Expr::All);
        (is_there, says_something.then(|| joined(parts, Expr::And)))
    }

    /// Reads a term or a group, negated or not; `None` if it has no meaning yet or can't be read.
    fn factor(&mut self, depth: usize) -> Option<Part> {
        let mut negated = false;
        let mut sign = None;
        while let Some((span, token @ (Token::Minus | Token::Not))) = self.peek() {
            negated = !negated;
            sign = Some((span.clone(), matches!(token, Token::Not)));
            self.at += 1;
        }
        let next = self.peek();
        if let Some((sign, is_word)) = sign {
            let follows = next.is_some_and(|(span, token)| {
                (is_word || span.start == sign.end) && matches!(token, Token::Word(_) | Token::Open)
            });
            if !follows {
                let words = if is_word {
                    "Enter what NOT excludes: NOT status:expired; to search for the word, use quotes: \"NOT\""
                } else {
                    "Enter what - excludes, without a space: -status:expired; to search for the symbol, use quotes: \
                     \"-\""
                };
                self.error(sign, words);
                return None;
            }
        }
        let (span, token) = next?;
        self.at += 1;
        let part = match token {
            Token::Open => Part::Expr(self.group(span, depth)?),
            Token::Word(word) => self.term(span, word)?,
            _ => return None,
        };
        Some(if negated { Part::Expr(Expr::Not(Box::new(part.into()))) } else { part })
    }

    fn group(&mut self, open: &Range<usize>, depth: usize) -> Option<Expr> {
        if depth >= MAX_QUERY_DEPTH {
            self.error(open.clone(), format!("Parentheses are nested more than {MAX_QUERY_DEPTH} deep: use fewer"));
            self.is_too_deep = true;
            self.at = self.tokens.len();
            return None;
        }
        let errors = self.errors.len();
        let inner = self.choice(depth + 1);
        match self.peek() {
            Some((close, _)) => {
                self.at += 1;
                if inner.is_none() && self.errors.len() == errors {
                    self.error(open.start..close.end, "The parentheses are empty: (a or b)");
                }
            }
            None if self.is_too_deep => {}
            None => self.error(open.clone(), "This parenthesis is never closed: add )"),
        }
        inner
    }

    fn term(&mut self, span: &Range<usize>, word: &lex::Word) -> Option<Part> {
        let Some(name) = &word.field else {
            if let Some(message) = meant_as_field(word, &self.text[span.clone()]) {
                self.error(span.clone(), message);
                return None;
            }
            let wanted = text_match(word.values.first()?, Compare::Anywhere);
            return match wanted == TextMatch::Contains(String::new()) {
                // Quotes with nothing in them yet say nothing; stars say that anything will do.
                true if word.values.iter().any(Value::has_quotes) => None,
                true => Some(Part::Expr(Expr::All)),
                false => Some(Part::Expr(Expr::Term(Term::Free(Free(wanted))))),
            };
        };
        let head = name.start..name.end + 1;
        let Some(field) = Field::named(&self.text[name.clone()]) else {
            let message = unknown_field(&self.text[name.clone()], &self.text[span.clone()]);
            self.error(head, message);
            return None;
        };
        // A comma that was just typed is forgiven.
        let values: Vec<&Value> = word.values.iter().filter(|value| !value.pieces.is_empty()).collect();
        let is_text = matches!(field, Field::Text(_) | Field::Meta(_));
        if values.is_empty() || !is_text && values.iter().all(|value| value.text().trim().is_empty()) {
            self.error(head, nothing_follows(&field));
            return None;
        }
        let term = match &field {
            Field::Text(text) => Term::Field(*text, text_matches(&field, &values)),
            Field::Meta(path) => Term::Meta(path.clone(), text_matches(&field, &values)),
            Field::Status => Term::Status(self.groups(&values)?),
            Field::Is => return self.facts(&values),
            Field::Time(time) => {
                let read = |value: &&Value| {
                    let text = value.text();
                    if let Some(group) = end_group(&text).filter(|_| *time == TimeField::Expires) {
                        return Ok(Term::Status(vec![group]));
                    }
                    let range = time::read(*time, &text, self.now, self.zone);
                    let term = range.map(|range| Term::Time(*time, range));
                    term.map_err(|message| FilterError { span: value.span.clone(), message })
                };
                let (found, wrong): (Vec<_>, Vec<_>) = values.iter().map(read).partition(Result::is_ok);
                self.errors.extend(wrong.into_iter().filter_map(Result::err));
                let terms = found.into_iter().flatten().map(Expr::Term);
                return Some(Part::Expr(joined(terms.collect(), Expr::Or)));
            }
            Field::Type => Term::Kind(self.kinds(&values)?),
            Field::Can => return self.privileges(&values).map(Part::Grant),
            Field::On => {
                let index = |text: String| match text.strip_prefix('=') {
                    Some(name) => OnIndex { name: name.to_owned(), all_of_it: true },
                    None => OnIndex { name: text, all_of_it: false },
                };
                return Some(Part::Grant(Grant { on: vec![texts(&values).map(index).collect()], ..Grant::default() }));
            }
        };
        Some(Part::Expr(Expr::Term(term)))
    }

    /// Reads status groups by their keywords or aliases; `None` if any is unknown.
    fn groups(&mut self, values: &[&Value]) -> Option<Vec<StatusGroup>> {
        self.words(values, "status", &StatusGroup::ALL.map(StatusGroup::word), StatusGroup::named)
    }

    /// Reads types as on the wire; `None` if any is unknown. Quoted types are all accepted: a later version may have
    /// others.
    fn kinds(&mut self, values: &[&Value]) -> Option<Vec<String>> {
        let (quoted, bare): (Vec<&Value>, Vec<&Value>) = values.iter().partition(|value| value.has_quotes());
        let known = TYPES.map(|(word, _)| word);
        let find = |typed: &str| known.contains(&typed).then(|| kind_on_the_wire(typed));
        let note = "; put another type in quotes";
        let mut kinds = self.words_with(&bare, "type", &known, note, find)?;
        kinds.extend(texts(&quoted).map(|word| kind_on_the_wire(&word)));
        Some(kinds)
    }

    fn words<T>(
        &mut self,
        values: &[&Value],
        name: &str,
        all: &[&str],
        find: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.words_with(values, name, all, "", find)
    }

    /// Finds the value that each keyword stands for; `None` if any is unknown, with an error that lists all possible
    /// ones.
    fn words_with<T>(
        &mut self,
        values: &[&Value],
        name: &str,
        all: &[&str],
        note: &str,
        find: impl Fn(&str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut found = Vec::new();
        let errors = self.errors.len();
        for value in values {
            let typed = value.text().trim().to_lowercase().replace('_', "-");
            match find(&typed) {
                Some(meant) => found.push(meant),
                None => {
                    let hint = did_you_mean(&typed, all.iter().copied(), "");
                    let (shown, all) = (sanitize::shortened(&typed, 40), all.join(", "));
                    self.error(value.span.clone(), format!("There is no {name}:{shown}{hint}; possible: {all}{note}"));
                }
            }
        }
        (self.errors.len() == errors).then_some(found)
    }

    /// Reads facts; one with a question mark asks for the keys of which it is not known. `None` if any can't be read.
    fn facts(&mut self, values: &[&Value]) -> Option<Part> {
        let mut terms = Vec::new();
        let errors = self.errors.len();
        for value in values {
            let text = value.text();
            let (word, is_asked) = match text.trim().strip_suffix('?') {
                Some(word) => (word, true),
                None => (text.trim(), false),
            };
            let Some(fact) = self.known_word(word, &value.span, "is", &TRAITS) else { continue };
            if is_asked && !fact.is_of_rights() {
                let message = format!("is:{} is always known; use it without ?", fact.word());
                self.error(value.span.clone(), message);
            }
            terms.push(Expr::Term(if is_asked { Term::NotKnown(fact) } else { Term::Is(fact) }));
        }
        (self.errors.len() == errors).then(|| Part::Expr(joined(terms, Expr::Or)))
    }

    /// Reads the privileges of one `can:`; `None` if any of them doesn't exist.
    fn privileges(&mut self, values: &[&Value]) -> Option<Grant> {
        let (mut names, mut questions) = (Vec::new(), 0);
        let errors = self.errors.len();
        for value in values {
            let text = value.text().trim().to_lowercase();
            let word = text.strip_suffix('?').unwrap_or(&text);
            questions += usize::from(word != text);
            if word.is_empty() {
                continue;
            }
            match privilege(word) {
                Ok(privilege) => names.push(privilege),
                Err(message) => self.error(value.span.clone(), message),
            }
        }
        if questions > 0 && questions < values.len() {
            let span = values.first().map_or(0..0, |value| value.span.clone());
            self.error(span, "Put ? after each of these, or after none");
        }
        let can = if names.is_empty() { Vec::new() } else { vec![names] };
        (self.errors.len() == errors).then_some(Grant { can, on: Vec::new(), not_known: questions > 0 })
    }

    fn known_word<T: Copy>(&mut self, text: &str, span: &Range<usize>, name: &str, words: &[Named<T>]) -> Option<T> {
        let typed = text.trim().to_lowercase().replace('_', "-");
        let found = words.iter().find(|(word, ..)| *word == typed).map(|(_, meant, _)| *meant);
        if found.is_none() {
            let all = words.iter().map(|(word, ..)| *word);
            let hint = did_you_mean(&typed, all.clone(), "");
            let (shown, all) = (sanitize::shortened(&typed, 40), all.collect::<Vec<_>>().join(", "));
            self.error(span.clone(), format!("There is no {name}:{shown}{hint}; possible: {all}"));
        }
        found
    }
}

/// Returns the group of valid keys that a keyword after `expires:` stands for, if there is one.
fn end_group(text: &str) -> Option<StatusGroup> {
    let ends = [StatusGroup::Within7Days, StatusGroup::Within30Days, StatusGroup::Later];
    let word = text.trim().to_lowercase().replace('_', "-");
    ends.into_iter().find(|group| group.word() == word)
}

fn texts<'v>(values: &'v [&Value]) -> impl Iterator<Item = String> + 'v {
    values.iter().map(|value| value.text().trim().to_owned()).filter(|text| !text.is_empty())
}

/// Returns the name of a type as clusters write it.
pub(super) fn kind_on_the_wire(word: &str) -> String {
    let lower = word.to_lowercase();
    if lower == "cross-cluster" { "cross_cluster".to_owned() } else { lower }
}
