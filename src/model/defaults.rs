//! Defaults of the command line, which a user sets in a file. Options and the environment go before them.

use std::{fmt, ops::Range};

use serde::Deserialize;
use toml::Spanned;

/// Longest list of columns.
const MAX_COLUMNS: usize = 100;

/// A value with the line of the file that it was read from, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// Line of the file.
    pub line: usize,
}

/// When text is colored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ColorChoice {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Always, Self::Never];

    /// Returns the word for the choice.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }
    }
}

/// Forms of the output that can be a default.
pub const OUTPUTS: [&str; 4] = ["table", "json", "jsonl", "csv"];

/// Defaults of the command line; `None` where the file names none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defaults {
    /// Name of a saved connection.
    pub profile: Option<Set<String>>,
    /// Form of the output, one of [`OUTPUTS`].
    pub output: Option<Set<&'static str>>,
    /// When text is colored.
    pub color: Option<Set<ColorChoice>>,
    /// Columns of tables of keys; their names are not checked here.
    pub columns: Option<Set<Vec<String>>>,
    /// Time limit of a request, in seconds, 1 to 3600.
    pub timeout: Option<Set<u32>>,
}

/// Reason why a file can't be used. `Display` begins with the line, if it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultsFault {
    /// Line from 1; `None` for a fault of the file as a whole.
    pub line: Option<usize>,
    /// Reason, as the end of a sentence.
    pub reason: String,
}

impl DefaultsFault {
    /// Creates a fault of the file as a whole.
    pub fn whole(reason: impl Into<String>) -> Self {
        Self { line: None, reason: reason.into() }
    }

    /// Creates a fault of a line.
    pub fn at(line: usize, reason: impl Into<String>) -> Self {
        Self { line: Some(line), reason: reason.into() }
    }
}

impl fmt::Display for DefaultsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.reason)
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Table {
    profile: Option<Spanned<String>>,
    output: Option<Spanned<String>>,
    color: Option<Spanned<String>>,
    columns: Option<Spanned<Vec<String>>>,
    timeout: Option<Spanned<i64>>,
}

/// Reads the defaults from the text of their file.
///
/// # Errors
/// The first fault: an unknown field, a value of another kind, or one that is not possible.
pub fn parse(text: &str) -> Result<Defaults, DefaultsFault> {
    let table: Table = toml::from_str(text).map_err(|error| {
        let reason = error.message().lines().map(str::trim).collect::<Vec<_>>().join(", ");
        DefaultsFault { line: error.span().map(|span| line(text, &span)), reason }
    })?;
    let profile = checked(text, table.profile, |name| match name.trim() {
        "" => Err("profile: enter the name of a saved connection".to_owned()),
        _ => Ok(name),
    })?;
    let output = checked(text, table.output, |word| one_of("output", &word, OUTPUTS, |form| form))?;
    let color = checked(text, table.color, |word| one_of("color", &word, ColorChoice::ALL, ColorChoice::word))?;
    let columns = checked(text, table.columns, |names| match names.len() {
        1..=MAX_COLUMNS => Ok(names),
        _ => Err(format!("columns: enter the names of 1 to {MAX_COLUMNS} columns")),
    })?;
    let timeout = checked(text, table.timeout, |seconds| {
        let seconds = u32::try_from(seconds).ok().filter(|seconds| (1..=3600).contains(seconds));
        seconds.ok_or_else(|| "timeout: enter seconds from 1 to 3600".to_owned())
    })?;
    Ok(Defaults { profile, output, color, columns, timeout })
}

fn checked<T, U>(
    text: &str,
    given: Option<Spanned<T>>,
    check: impl FnOnce(T) -> Result<U, String>,
) -> Result<Option<Set<U>>, DefaultsFault> {
    let Some(given) = given else { return Ok(None) };
    let line = line(text, &given.span());
    match check(given.into_inner()) {
        Ok(value) => Ok(Some(Set { value, line })),
        Err(reason) => Err(DefaultsFault::at(line, reason)),
    }
}

fn one_of<T: Copy, const N: usize>(
    field: &str,
    word: &str,
    all: [T; N],
    word_of: impl Fn(T) -> &'static str,
) -> Result<T, String> {
    all.into_iter().find(|value| word_of(*value) == word).ok_or_else(|| {
        let known: Vec<&str> = all.into_iter().map(word_of).collect();
        format!("{field}: “{word}” is not possible; enter one of {}", known.join(", "))
    })
}

fn line(text: &str, span: &Range<usize>) -> usize {
    text.get(..span.start).unwrap_or_default().matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_default_is_read_with_its_line() {
        let text =
            "profile = \"prod\"\noutput = \"json\"\n\ncolor = \"never\"\ncolumns = [\"id\", \"name\"]\ntimeout = 30\n";
        let expected = Defaults {
            profile: Some(Set { value: "prod".into(), line: 1 }),
            output: Some(Set { value: "json", line: 2 }),
            color: Some(Set { value: ColorChoice::Never, line: 4 }),
            columns: Some(Set { value: vec!["id".into(), "name".into()], line: 5 }),
            timeout: Some(Set { value: 30, line: 6 }),
        };
        assert_eq!(parse(text), Ok(expected));
        assert_eq!(parse("# nothing\n"), Ok(Defaults::default()));
    }

    #[test]
    fn a_fault_names_its_field_and_its_line() {
        for (text, line, words) in [
            ("\nprofil = \"prod\"", 2, "profil"),
            ("output = \"xml\"", 1, "“xml”"),
            ("\n\ncolor = \"red\"", 3, "auto, always, never"),
            ("timeout = 0", 1, "3600"),
            ("timeout = \"30\"", 1, "expected"),
            ("columns = []", 1, "columns"),
            ("profile = \" \"", 1, "saved connection"),
            ("profile =", 1, ""),
        ] {
            let fault = parse(text).unwrap_err();
            assert!(fault.line == Some(line) && fault.reason.contains(words), "{text}: {fault}");
        }
    }
}
