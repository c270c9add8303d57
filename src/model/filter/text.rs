//! How the values of fields with text, and free words, are compared.

use super::{
    Field, Glob, TextField, TextMatch,
    glob::{Mark, marks},
    lex::Value,
};

/// What a text without wildcards means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    /// A part; so does a pattern.
    Anywhere,
    Part,
    Whole,
    WholeInItsCase,
}

/// What each value of a field means.
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

/// What one value means; the signs in its quotes are only letters.
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
