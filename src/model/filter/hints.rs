//! Messages about words of a search that are not understood, with suggestions.

use super::{Field, Privilege, fields::ROWS, lex, time};
use crate::model::{
    privileges::{self, Area, PrivilegeScopes},
    text::sanitize,
};

/// Maximum length of an unknown word for which a similar one is suggested, in characters.
const MAX_QUOTED_CHARS: usize = 20;

/// Reads a privilege in lower case: a name, one with `cluster:` or `index:` in front, or a pattern over actions.
/// The error is a message that suggests similar names.
pub(super) fn privilege(word: &str) -> Result<Privilege, String> {
    let is_name = |rest: &&str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let after = |start: &str| word.strip_prefix(start).filter(is_name);
    let (name, known, areas): (&str, PrivilegeScopes, &[Area]) = match (after("cluster:"), after("index:")) {
        (Some(name), _) => (name, PrivilegeScopes { index: false, ..privileges::known(name) }, &[Area::Cluster]),
        (_, Some(name)) => (name, PrivilegeScopes { cluster: false, ..privileges::known(name) }, &[Area::Index]),
        _ => (word, privileges::known(word), &[Area::Cluster, Area::Index]),
    };
    if known.cluster || known.index {
        return Ok(Privilege { name: name.to_owned(), cluster: known.cluster, index: known.index });
    }
    let kind = match areas {
        [Area::Cluster] => "cluster privilege",
        [Area::Index] => "index privilege",
        _ => "privilege",
    };
    let near = privileges::nearest(name, areas);
    let hint = if near.is_empty() { String::new() } else { format!(", did you mean {}?", near.join(" or ")) };
    Err(format!(
        "There is no {kind} {}{hint}; actions are also possible, such as indices:data/read/*",
        sanitize::shortened(name, 40)
    ))
}

/// Returns an error message for `owner=ana` and `expires<30d`: in other languages they ask for a field, and as text
/// they would find nothing. `None` if the word has quotes before the sign, or no field.
pub(super) fn meant_as_field(word: &lex::Word, typed: &str) -> Option<String> {
    let first = word.values.first()?.pieces.first().filter(|piece| !piece.quoted)?;
    let at = first.text.find(['=', '<', '>'])?;
    let name = first.text[..at].strip_suffix('!').unwrap_or(&first.text[..at]);
    let (field, minus) = (Field::named(name)?, if name.len() < at { "-" } else { "" });
    let rest = typed[at..].trim_start_matches('=');
    let value = if rest.is_empty() { "…" } else { rest };
    Some(format!(
        "Use a colon between a field and its value: {minus}{}:{}; in quotes it is text",
        field.name(),
        sanitize::shortened(value, 40)
    ))
}

/// Returns the error message for a field without a value.
pub(super) fn nothing_follows(field: &Field) -> String {
    let name = field.name();
    match field {
        Field::Time(_) => format!("No value after {name}: – {}", time::WHEN),
        Field::Meta(_) => format!("No value after {name}: – use {name}:value, {name}:none or {name}:*"),
        field => format!("No value after {name}: – use {} ({})", field.row().example, field.row().meaning),
    }
}

/// Returns the error message for a word with a colon behind no known field.
pub(super) fn unknown_field(name: &str, word: &str) -> String {
    let as_text =
        format!("to search for it as text, use {}", sanitize::shortened(&lex::quoted(&word.replace('"', "")), 60));
    if name.is_empty() {
        return format!("Enter a field before the colon, such as owner:ana; {as_text}");
    }
    if ["meta", "metadata"].iter().any(|meta| name.split('.').next().is_some_and(|n| n.eq_ignore_ascii_case(meta))) {
        return "Add the metadata field: meta.team:payments, meta.labels.team:payments".to_owned();
    }
    let hint = did_you_mean(name, ROWS.iter().flat_map(|row| row.names()), ":");
    format!("There is no field {}{hint}; {as_text}", sanitize::shortened(name, 40))
}

/// Returns a suggestion of the most similar name; empty if none is similar. `after` follows the name.
pub(super) fn did_you_mean<'n>(typed: &str, names: impl Iterator<Item = &'n str>, after: &str) -> String {
    let (lower, length) = (typed.to_lowercase(), typed.chars().count());
    let errors = |name: &str| if name.starts_with(&lower) { 0 } else { strsim::damerau_levenshtein(name, &lower) };
    // A long text is not a typing error, and comparing it would take long.
    let names = names.filter(|_| (2..=MAX_QUOTED_CHARS).contains(&length));
    let near = names.map(|name| (errors(name), name)).filter(|(errors, _)| *errors <= length / 2);
    match near.min_by_key(|(errors, _)| *errors) {
        Some((_, name)) => format!(", did you mean {name}{after}?"),
        None => String::new(),
    }
}
