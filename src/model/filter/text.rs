//! Comparison of the values of text fields, and of free words.

use super::{Field, Glob, TextField, TextMatch, lex::Value};
use crate::model::text::glob::{Mark, marks};

/// Comparison that a value asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    /// Text or pattern anywhere in the field.
    Anywhere,
    Part,
    Whole,
    WholeInItsCase,
}

/// Returns the comparison for each value of a field; an unquoted `none` stands for a missing field where it can be
/// missing.
pub(super) fn text_matches(field: &Field, values: &[&Value]) -> Vec<TextMatch> {
    let compare = match field {
        Field::Text(TextField::Name | TextField::App) => Compare::Part,
        Field::Text(TextField::Id) => Compare::WholeInItsCase,
        _ => Compare::Whole,
    };
    let is_none = |value: &Value| !value.has_quotes() && value.text().eq_ignore_ascii_case("none");
    let of = |value: &&Value| match field.may_be_missing() && is_none(value) {
        true => TextMatch::Missing,
        false => text_match(value, compare),
    };
    values.iter().map(of).collect()
}

/// Returns the comparison for one value; characters in its quotes are literal, wildcards included.
pub(super) fn text_match(value: &Value, compare: Compare) -> TextMatch {
    let mut all: Vec<Mark> = Vec::new();
    for piece in &value.pieces {
        let lower = piece.text.to_lowercase();
        all.extend(if piece.quoted { lower.chars().map(Mark::Char).collect() } else { marks(&lower) });
    }
    let is_char = |mark: &Mark| matches!(mark, Mark::Char(_));
    if all.iter().all(is_char) {
        return match compare {
            Compare::Anywhere | Compare::Part => TextMatch::Contains(value.text().to_lowercase()),
            Compare::Whole => TextMatch::Equals(value.text().to_lowercase()),
            Compare::WholeInItsCase => TextMatch::Equals(value.text()),
        };
    }
    let first = all.iter().position(|mark| *mark != Mark::Run).unwrap_or(all.len());
    let last = all.iter().rposition(|mark| *mark != Mark::Run).map_or(first, |at| at + 1);
    let inner = &all[first..last];
    let is_open = compare == Compare::Anywhere || first > 0 && last < all.len() && first < last;
    if is_open && inner.iter().all(is_char) {
        let text = inner.iter().filter_map(|mark| if let Mark::Char(c) = mark { Some(*c) } else { None });
        return TextMatch::Contains(text.collect());
    }
    if compare == Compare::Anywhere {
        return TextMatch::Glob(Glob::of(&[&[Mark::Run], inner, &[Mark::Run]].concat()));
    }
    TextMatch::Glob(Glob::of(&all))
}
