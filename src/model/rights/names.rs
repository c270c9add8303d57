//! Index names that a grant reaches, compared as the server compares them: a name is in a grant or not, a pattern is
//! covered by one grant's names together, and some name may be in several grants at once. Regular expressions are tried
//! on names; for two of them, or for one and a pattern, there is an answer only where it is sure.

use std::sync::Arc;

use crate::model::privileges::{
    self,
    globs::{Language, Pattern, have_common, is_subset},
    pattern::{self, Budget},
};

use super::name_scope;

/// Index name or pattern that a question is about.
#[derive(Clone, Debug)]
pub struct Asked {
    text: String,
    form: Form,
    /// Steps left for regular expressions, shared by all questions asked with this name or pattern.
    budget: Arc<Budget>,
}

#[derive(Clone, Debug)]
enum Form {
    /// Single name.
    Name,
    /// Pattern of `*` and `?`.
    Pattern(Pattern, Box<Language>),
    /// Regular expression, or a pattern that is too long.
    Other,
}

impl Asked {
    /// Reads a name, a pattern or a regular expression between slashes.
    pub fn new(text: &str) -> Self {
        let form = match Pattern::new(text) {
            _ if name_scope::is_expression(text) => Form::Other,
            Some(pattern) if pattern.is_literal() && !text.contains('\\') => Form::Name,
            Some(pattern) => Form::Pattern(pattern, Box::new(Language::of([text]))),
            None => Form::Other,
        };
        Self { text: text.to_owned(), form, budget: Arc::new(Budget::for_search()) }
    }

    /// Returns the pattern of every possible name.
    pub fn any() -> Self {
        Self::new("*")
    }

    /// Returns `true` if a single name is asked about, so that touching and covering it are the same.
    pub fn is_name(&self) -> bool {
        matches!(self.form, Form::Name)
    }
}

/// Names of one grant, compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    /// Example names of the grant, to be tried on other patterns: the plain ones, and one that each pattern matches.
    examples: Vec<String>,
    /// Names that the wildcard patterns match.
    globs: Language,
    /// Names that the wildcard patterns match and, for each regular expression, at least those that it matches.
    wide: Language,
    /// Regular expressions with their slashes.
    expressions: Vec<String>,
    /// `true` if every name matches.
    is_any: bool,
}

impl Names {
    pub(super) fn new(patterns: &[String]) -> Self {
        let is_any = |text: &str| matches!(text, "*" | "/.*/" | "/@/");
        let (expressions, globs): (Vec<&String>, Vec<&String>) =
            patterns.iter().partition(|text| name_scope::is_expression(text));
        let beginnings: Vec<String> = expressions.iter().map(|text| beginning(text)).collect();
        let texts = || globs.iter().map(|text| text.as_str());
        Self {
            examples: globs
                .iter()
                .filter(|text| !text.contains('\\'))
                .map(|text| text.replace(['*', '?'], "a"))
                .collect(),
            globs: Language::of(texts()),
            wide: Language::of(texts().chain(beginnings.iter().map(String::as_str))),
            expressions: expressions.into_iter().cloned().collect(),
            is_any: patterns.iter().any(|text| is_any(text)),
        }
    }

    /// Returns whether a name is in the grant; `None` if it is not known.
    pub(super) fn has(&self, name: &str, budget: &Budget) -> Option<bool> {
        if self.is_any || self.globs.has(name) {
            return Some(true);
        }
        let mut answer = Some(false);
        for expression in &self.expressions {
            match pattern::matches_within(expression, name, budget) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => answer = None,
            }
        }
        answer
    }

    /// Returns whether all names of a language are in the grant; `None` if it is not known.
    fn covers(&self, asked: &Language) -> Option<bool> {
        if self.is_any {
            return Some(true);
        }
        match is_subset(asked, &[&self.globs]) {
            Some(false) if !self.expressions.is_empty() => None,
            answer => answer,
        }
    }
}

/// Returns a wildcard pattern that matches at least as much as a regular expression between slashes.
fn beginning(expression: &str) -> String {
    let source = expression.trim_matches('/');
    let end = source.find(|c| ".*+?|()[]{}~@&<>\"#\\^$".contains(c)).unwrap_or(source.len());
    let (mut plain, rest) = source.split_at(end);
    if source.contains(['|', '&', '~']) {
        return "*".to_owned();
    }
    if rest.starts_with(['*', '?', '{', '+']) {
        plain = plain.char_indices().last().map_or("", |(at, _)| &plain[..at]);
    }
    if rest.is_empty() { plain.to_owned() } else { format!("{plain}*") }
}

/// Names of one grant, with or without restricted ones (the system's own).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    pub(super) names: Names,
    pub(super) allow_restricted: bool,
}

impl Reach {
    /// Returns whether a name is reached; `None` if it is not known.
    fn has(&self, name: &str, budget: &Budget) -> Option<bool> {
        let is_open = self.allow_restricted || privileges::is_restricted(name) == Some(false);
        match self.names.has(name, budget) {
            Some(true) if !is_open => privileges::is_restricted(name).map(|is_restricted| !is_restricted),
            answer => answer,
        }
    }

    /// Returns whether all that is asked about is reached, as `_has_privileges` answers: restricted names are left
    /// aside unless one of them is asked about by its name. `None` if it is not known.
    pub(super) fn covers(&self, asked: &Asked) -> Option<bool> {
        let (pattern, language) = match &asked.form {
            Form::Name => return self.has(&asked.text, &asked.budget),
            Form::Pattern(pattern, language) => (pattern, language),
            Form::Other if self.names.is_any && !asked.text.contains('.') => return Some(true),
            Form::Other => return None,
        };
        let is_open = |name: &str| privileges::is_restricted(name) == Some(false);
        if pattern.samples().any(|name| is_open(&name) && self.names.has(&name, &asked.budget) == Some(false)) {
            return Some(false);
        }
        let with_dot = asked.text.starts_with('.');
        match self.names.covers(language) {
            // Of a pattern of the system's own names alone nothing would be left, and nothing is not granted.
            Some(true) if with_dot => {
                let open = Language::of(privileges::unrestricted_names().iter().copied());
                (have_common(&[language, &open]) == Some(true)).then_some(true)
            }
            Some(false) if with_dot => None,
            Some(false) => {
                let without_dot = language.as_ref().clone().without([".*"]);
                match self.names.covers(&without_dot) {
                    Some(false) => Some(false),
                    // It depends on which names with a dot in front are the system's own.
                    _ => None,
                }
            }
            answer => answer,
        }
    }
}

/// Returns whether a name that is asked about is reached by all of these; `None` if it is not known.
pub(super) fn reach_in_common(asked: &Asked, reaches: &[&Reach]) -> Option<bool> {
    let language = match &asked.form {
        Form::Name => {
            let mut all = Some(true);
            for reach in reaches {
                match reach.has(&asked.text, &asked.budget) {
                    Some(false) => return Some(false),
                    Some(true) => {}
                    None => all = None,
                }
            }
            return all;
        }
        Form::Pattern(_, language) => language,
        Form::Other => return None,
    };
    let names: Vec<&Names> = reaches.iter().map(|reach| &reach.names).collect();
    let fits =
        |name: &String| language.has(name) && reaches.iter().all(|reach| reach.has(name, &asked.budget) == Some(true));
    if names.iter().flat_map(|names| &names.examples).any(fits) {
        return Some(true);
    }
    if let Form::Pattern(pattern, _) = &asked.form
        && pattern.samples().any(|name| fits(&name))
    {
        return Some(true);
    }
    let any = Language::of(["*"]);
    let of = |sure: bool| -> Vec<&Language> {
        names
            .iter()
            .map(|names| {
                if names.is_any {
                    &any
                } else if sure {
                    &names.globs
                } else {
                    &names.wide
                }
            })
            .collect()
    };
    let common = |languages: Vec<&Language>, asked: &Language| {
        have_common(&languages.into_iter().chain([asked]).collect::<Vec<_>>())
    };
    if common(of(false), language) == Some(false) {
        return Some(false);
    }
    if common(of(true), &language.as_ref().clone().without([".*"])) == Some(true) {
        return Some(true);
    }
    let open = Language::of(privileges::unrestricted_names().iter().copied());
    let with_dot = || {
        let languages: Vec<&Language> = of(true).into_iter().chain([language.as_ref()]).collect();
        if reaches.iter().all(|reach| reach.allow_restricted) {
            have_common(&languages)
        } else {
            have_common(&languages.into_iter().chain([&open]).collect::<Vec<_>>())
        }
    };
    (with_dot() == Some(true)).then_some(true)
}

/// Returns whether some name is in all of these, of whatever kind the names are; `None` if it is not known.
pub(super) fn names_in_common(all: &[&Names]) -> Option<bool> {
    let budget = Budget::for_search();
    let fits = |name: &String| all.iter().all(|names| names.has(name, &budget) == Some(true));
    if all.iter().flat_map(|names| &names.examples).any(fits) {
        return Some(true);
    }
    let any = Language::of(["*"]);
    let common = |sure: bool| {
        let of = |names: &&Names| -> Language {
            if names.is_any {
                any.clone()
            } else if sure {
                names.globs.clone()
            } else {
                names.wide.clone()
            }
        };
        let languages: Vec<Language> = all.iter().map(of).collect();
        have_common(&languages.iter().collect::<Vec<_>>())
    };
    match (common(true), common(false)) {
        (Some(true), _) => Some(true),
        (_, Some(false)) => Some(false),
        _ => None,
    }
}
