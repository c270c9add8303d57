//! Completion of a search: fields, then values of the field, best first.

use std::ops::Range;

use super::{
    Field, MAX_QUERY_BYTES, TextField,
    builtin_values::{PRIVILEGES, TYPES, times},
    fields::{FieldInfo, META, ROWS},
    lex::{self, Token, Word},
    parse::kind_on_the_wire,
    query::TRAITS,
};
use crate::model::{text::sanitize, time::status::StatusGroup};

/// Maximum number of suggestions at once.
const MAX_SUGGESTIONS: usize = 8;

/// Part of a search that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// Text that can't become anything else.
    Nothing,
    /// Beginning of a word that could become a field, or a position where one could begin.
    Field {
        /// Text before the cursor; may be empty.
        prefix: String,
    },
    /// Value after a field.
    Value {
        /// Field before the colon.
        field: Field,
        /// Text of the value before the cursor, without quotes; may be empty.
        prefix: String,
    },
}

/// Part being typed, and the text that a suggestion would replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Part being typed.
    pub what: Completion,
    /// Range of the search to replace, in bytes; empty where text is only inserted.
    pub replace: Range<usize>,
}

/// Field whose distinct values among the keys can be suggested.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueOf {
    /// Names of owners.
    Owner,
    /// Realms of owners.
    Realm,
    /// Names of roles.
    Role,
    /// Application ids.
    App,
    /// Types, as on the wire.
    Type,
    /// Keywords of status groups: `expired`, `within-30d` …
    Status,
    /// Products that manage keys.
    Managed,
    /// Paths in the metadata, joined by dots: `labels.team`.
    MetaKeys,
    /// Values at a path of the metadata.
    Meta(Vec<String>),
}

/// Suggestion to choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Range of the search that it replaces, in bytes.
    pub replace: Range<usize>,
    /// Text to insert; quoted where necessary.
    pub insert: String,
    /// Label shown; sanitized and shortened.
    pub label: String,
    /// Meaning of the suggestion.
    pub meaning: String,
    /// Number of keys with this value; `None` where it is not known.
    pub count: Option<usize>,
}

/// Returns the part being typed at a cursor, given in bytes; a cursor beyond the end or within a character is moved
/// back.
pub fn context(text: &str, cursor: usize) -> Context {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let begins = Context { what: Completion::Field { prefix: String::new() }, replace: cursor..cursor };
    let under = lex::tokens(text).into_iter().find(|(span, _)| span.start < cursor && cursor <= span.end);
    match under {
        None | Some((_, Token::Blank | Token::Open | Token::Minus)) => begins,
        Some((_, Token::Close)) => Context { what: Completion::Nothing, ..begins },
        Some((span, Token::Or | Token::And | Token::Not)) => {
            Context { what: Completion::Field { prefix: text[span.start..cursor].to_owned() }, replace: span }
        }
        Some((span, Token::Word(word))) => within(text, cursor, span, &word),
    }
}

fn within(text: &str, cursor: usize, span: Range<usize>, word: &Word) -> Context {
    let nothing = Context { what: Completion::Nothing, replace: cursor..cursor };
    let field_until = |replace: Range<usize>| Context {
        what: Completion::Field { prefix: text[replace.start..cursor].to_owned() },
        replace,
    };
    let Some(name) = &word.field else {
        let is_bare = !word.values.iter().any(lex::Value::has_quotes);
        return if is_bare { field_until(span) } else { nothing };
    };
    if cursor <= name.end {
        return field_until(name.start..name.end + 1);
    }
    let value = word.values.iter().find(|value| value.span.start <= cursor && cursor <= value.span.end);
    let (Some(field), Some(value)) = (Field::named(&text[name.clone()]), value) else { return nothing };
    let before = value.pieces.iter().filter(|piece| piece.span.start < cursor);
    let prefix = before.map(|piece| lex::text_before(text, piece, cursor)).collect();
    // A quote that isn't closed yet takes in what follows, which is not to be lost.
    let end = if value.is_open() { cursor } else { value.span.end };
    Context { what: Completion::Value { field, prefix }, replace: value.span.start..end }
}

/// Returns up to eight suggestions for the text at a cursor (in bytes), best first.
///
/// `values` returns the distinct values of a field, each with its number of keys, in any order; it is called at most
/// once.
pub fn suggestions(
    text: &str,
    cursor: usize,
    values: &mut dyn FnMut(&ValueOf) -> Vec<(String, usize)>,
) -> Vec<Suggestion> {
    if text.len() > MAX_QUERY_BYTES {
        return Vec::new();
    }
    let Context { what, replace } = context(text, cursor);
    let mut offers = match &what {
        Completion::Nothing => return Vec::new(),
        Completion::Field { prefix } => fields(prefix, values),
        Completion::Value { field, prefix } => of_field(field, prefix, values),
    };
    let there = &text[replace.clone()];
    // Where a value stands already, only another field can go before it.
    offers.retain(|offer| offer.insert != there && (!there.ends_with(':') || offer.insert.ends_with(':')));
    offers.sort_by_key(|offer| offer.rank);
    offers.truncate(MAX_SUGGESTIONS);
    let suggestion = |offer: Offer| Suggestion {
        replace: replace.clone(),
        insert: offer.insert,
        label: offer.label,
        meaning: offer.meaning,
        count: offer.count,
    };
    offers.into_iter().map(suggestion).collect()
}

struct Offer {
    /// Rank of the match; the lower, the better.
    rank: usize,
    insert: String,
    label: String,
    meaning: String,
    count: Option<usize>,
}

impl Offer {
    /// Offers a word that is inserted unchanged, if it matches the typed prefix: at its beginning, or else anywhere.
    fn of(word: impl Into<String>, meaning: impl Into<String>, prefix: &str) -> Option<Self> {
        let word = word.into();
        let rank = fit(&word, prefix)?;
        Some(Self { rank, label: word.clone(), insert: word, meaning: meaning.into(), count: None })
    }
}

fn fit(word: &str, prefix: &str) -> Option<usize> {
    let (word, prefix) = (word.to_lowercase(), prefix.to_lowercase());
    word.find(&prefix).map(|at| at.min(1))
}

fn fields(prefix: &str, values: &mut dyn FnMut(&ValueOf) -> Vec<(String, usize)>) -> Vec<Offer> {
    let by_name = |row: &FieldInfo| {
        // Fields found by an alias come after those found by name.
        let rank = row.names().position(|name| fit(name, prefix) == Some(0))?.min(1);
        let end = if row.name.ends_with('.') { "" } else { ":" };
        Some(Offer { rank, ..Offer::of(format!("{}{end}", row.name), row.meaning, "")? })
    };
    let mut offers: Vec<Offer> = ROWS.iter().chain([&META]).filter_map(by_name).collect();
    let head = prefix.split('.').next().unwrap_or_default();
    let typed = ["meta", "metadata"].iter().find(|word| head.eq_ignore_ascii_case(word));
    if let Some(typed) = typed {
        let prefix = format!("meta{}", &prefix[typed.len()..]);
        // A key with such a sign can't be typed as a name.
        let can_be_typed = |name: &str| {
            !name.contains(|c: char| c.is_whitespace() || "\"():".contains(c)) && Field::named(name).is_some()
        };
        let names = values(&ValueOf::MetaKeys).into_iter().map(|(key, count)| (format!("meta.{key}"), count));
        for (rank, name, count) in best(names.filter(|(name, _)| can_be_typed(name)).collect(), &prefix) {
            let label = format!("{name}:");
            let offer = Offer::of(label.clone(), "value in the metadata", "");
            offers.extend(offer.map(|offer| shown(Offer { rank, ..offer }, &label, Some(count))));
        }
    }
    // A word that is known as a value is offered with its field.
    if prefix.chars().count() > 1 {
        let statuses = StatusGroup::ALL.into_iter().map(|group| ("status", group.word(), group.meaning()));
        let words = statuses.chain(TRAITS.iter().map(|(word, _, meaning)| ("is", *word, *meaning)));
        for (field, word, meaning) in words.filter(|(_, word, _)| fit(word, prefix) == Some(0)) {
            offers.extend(Offer::of(format!("{field}:{word}"), meaning, "").map(|offer| Offer { rank: 2, ..offer }));
        }
    }
    offers
}

fn of_field(field: &Field, prefix: &str, values: &mut dyn FnMut(&ValueOf) -> Vec<(String, usize)>) -> Vec<Offer> {
    let words = |words: &[(&str, &str)]| {
        words.iter().filter_map(|(word, meaning)| Offer::of(*word, *meaning, prefix)).collect()
    };
    let (of, mut offers): (_, Vec<Offer>) = match field {
        Field::Text(TextField::Name | TextField::Id) | Field::On => return Vec::new(),
        Field::Time(time) => {
            return times(*time, prefix)
                .into_iter()
                .filter_map(|(word, means)| Offer::of(word, means, prefix))
                .collect();
        }
        Field::Can => return words(&PRIVILEGES),
        Field::Is => return words(&TRAITS.map(|(word, _, meaning)| (word, meaning))),
        Field::Status => (ValueOf::Status, words(&StatusGroup::ALL.map(|group| (group.word(), group.meaning())))),
        Field::Type => (ValueOf::Type, words(&TYPES)),
        Field::Text(TextField::App) => (ValueOf::App, Vec::new()),
        Field::Text(TextField::Owner) => (ValueOf::Owner, Vec::new()),
        Field::Text(TextField::Realm) => (ValueOf::Realm, Vec::new()),
        Field::Text(TextField::Role) => (ValueOf::Role, Vec::new()),
        Field::Text(TextField::Managed) => (ValueOf::Managed, Vec::new()),
        Field::Meta(path) => (ValueOf::Meta(path.clone()), Vec::new()),
    };
    let name = field.name();
    let verb = if *field == Field::Text(TextField::App) { "contains" } else { "is" };
    let mut found = values(&of);
    for known in &mut offers {
        let wire = kind_on_the_wire(&known.insert);
        let place = found.iter().position(|(value, _)| kind_on_the_wire(value) == wire);
        known.count = place.map(|place| found.swap_remove(place).1);
    }
    if *field == Field::Status {
        return offers;
    }
    for (rank, value, count) in best(found, prefix) {
        let mut insert = lex::quoted(&value);
        if *field == Field::Type && !insert.starts_with('"') {
            insert = format!("\"{insert}\""); // one that the language has no word for
        }
        let offer = Offer::of(insert, format!("{name} {verb} this"), "");
        offers.extend(offer.map(|offer| shown(Offer { rank, ..offer }, &value, Some(count))));
    }
    if field.may_be_missing() {
        // Kept among the first, however many values there are.
        offers.truncate(MAX_SUGGESTIONS - 1);
        offers.extend(Offer::of("none", format!("has no {name}"), prefix).filter(|offer| offer.rank == 0));
    }
    offers
}

fn shown(offer: Offer, label: &str, count: Option<usize>) -> Offer {
    Offer { label: sanitize::shortened(label, 60), count, ..offer }
}

/// Returns the best matches, then the most frequent values, each with its rank; few of possibly very many.
fn best(values: Vec<(String, usize)>, prefix: &str) -> Vec<(usize, String, usize)> {
    let ranked = |(value, count): (String, usize)| Some((fit(&value, prefix)?, value, count));
    let mut found: Vec<_> = values.into_iter().filter(|(value, _)| !value.is_empty()).filter_map(ranked).collect();
    let order = |a: &(usize, String, usize), b: &(usize, String, usize)| {
        a.0.cmp(&b.0).then(b.2.cmp(&a.2)).then_with(|| a.1.cmp(&b.1))
    };
    // One more than is shown: what is there already will go.
    if found.len() > MAX_SUGGESTIONS + 1 {
        found.select_nth_unstable_by(MAX_SUGGESTIONS, order);
        found.truncate(MAX_SUGGESTIONS + 1);
    }
    found.sort_by(order);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Timestamp,
        filter::{Expr, Term, parse},
    };
    use jiff::tz::TimeZone;

    fn values(of: &ValueOf) -> Vec<(String, usize)> {
        let list: &[(&str, usize)] = match of {
            ValueOf::Owner => &[("boris", 2), ("ana", 5), ("Anna Lee", 9), ("or", 1), ("elastic/fleet", 1), ("", 3)],
            ValueOf::App => &[("a", 9), ("b", 8), ("c", 7), ("d", 6), ("e", 5), ("f", 4), ("g", 3), ("h", 2), ("i", 1)],
            ValueOf::Realm => &[("Ldap", 2), ("ldap", 3)],
            ValueOf::Type => &[("cross_cluster", 4), ("rest", 9), ("other", 1)],
            ValueOf::Status => &[("expired", 7)],
            ValueOf::MetaKeys => &[("labels.team", 3), ("my key", 2), ("a..b", 2), ("env", 8)],
            ValueOf::Meta(path) if path == &["team"] => &[("pay\u{202e}", 1), ("none", 1), ("*", 1), ("a\"\\b", 1)],
            _ => &[],
        };
        list.iter().map(|(text, count)| ((*text).to_owned(), *count)).collect()
    }

    /// Returns the suggestions at the `|`.
    fn offered(text: &str) -> Vec<Suggestion> {
        let cursor = text.find('|').unwrap();
        suggestions(&text.replace('|', ""), cursor, &mut values)
    }

    fn inserts(text: &str) -> Vec<String> {
        offered(text).into_iter().map(|suggestion| suggestion.insert).collect()
    }

    /// Returns the search after each choice.
    fn chosen(text: &str) -> Vec<String> {
        let plain = text.replace('|', "");
        let choose = |s: Suggestion| format!("{}{}{}", &plain[..s.replace.start], s.insert, &plain[s.replace.end..]);
        offered(text).into_iter().map(choose).collect()
    }

    #[test]
    fn a_word_could_become_a_field() {
        let at = |text: &str| context(&text.replace('|', ""), text.find('|').unwrap());
        let field = |prefix: &str, replace| Context { what: Completion::Field { prefix: prefix.into() }, replace };
        assert_eq!(at("|"), field("", 0..0));
        assert_eq!(at("a |"), field("", 2..2));
        assert_eq!(at("-|"), field("", 1..1));
        assert_eq!(at("(|a"), field("", 1..1));
        assert_eq!(at("-ex|p b"), field("ex", 1..4));
        assert_eq!(at("st|at:x"), field("st", 0..5));
        assert_eq!(at("a \"b|").what, Completion::Nothing);
        assert_eq!(at("(a)|").what, Completion::Nothing);
        assert_eq!(at("foo:b|").what, Completion::Nothing);
        assert_eq!(context("ü", 1), field("", 0..0));
        assert_eq!(context("ü", 99), field("ü", 0..2));
    }

    #[test]
    fn a_value_is_known_with_its_field() {
        let at = |text: &str| context(&text.replace('|', ""), text.find('|').unwrap());
        let owner = |prefix: &str, replace| Context {
            what: Completion::Value { field: Field::Text(TextField::Owner), prefix: prefix.into() },
            replace,
        };
        assert_eq!(at("user:|"), owner("", 5..5));
        assert_eq!(at("owner:ana,bo|r x"), owner("bo", 10..13));
        assert_eq!(at("owner:|,b"), owner("", 6..6));
        assert_eq!(at(r#"owner:"a \"b|c" x"#), owner("a \"b", 6..14));
        assert_eq!(at(r#"owner:"an| is:mine"#), owner("an", 6..9));
    }

    #[test]
    fn fields_come_by_their_beginning() {
        assert_eq!(inserts("|").len(), MAX_SUGGESTIONS);
        assert_eq!(inserts("EXP|")[..2], ["expires:", "status:expired"]);
        assert_eq!(inserts("-user|"), ["owner:"]);
        assert_eq!(inserts("a|")[..1], ["app:"]);
        assert_eq!(inserts("unres|"), ["is:unrestricted"]);
        assert_eq!(chosen("ow|ne:ana b"), ["owner:ana b"]);
        assert_eq!(chosen("exp|:<7d"), ["expires:<7d"]);
        assert!(inserts("zzz|").is_empty());
        let expires = &offered("expires|")[0];
        assert_eq!((expires.label.as_str(), expires.count), ("expires:", None));
        assert!(expires.meaning.starts_with("expires within"));
    }

    #[test]
    fn a_search_of_the_greatest_length_is_still_completed() {
        let text = |length| format!("{}ow|", "x ".repeat(length / 2 - 1));
        assert_eq!(inserts(&text(MAX_QUERY_BYTES)), ["owner:"]);
        assert!(inserts(&text(MAX_QUERY_BYTES + 2)).is_empty());
    }

    #[test]
    fn keys_of_the_metadata_are_fields() {
        assert_eq!(inserts("me|"), ["meta."]);
        assert_eq!(inserts("meta|"), ["meta.", "meta.env:", "meta.labels.team:"]);
        assert_eq!(inserts("metadata.lab|"), ["meta.labels.team:"]);
        assert_eq!(offered("META.lab|")[0].count, Some(3));
    }

    /// One more than is shown, since what is typed already is left out later.
    #[test]
    fn of_many_values_the_most_frequent_are_kept_and_one_more() {
        let many = (1..=20).map(|count| (format!("v{count}"), count)).collect();
        let kept: Vec<usize> = best(many, "v").into_iter().map(|(_, _, count)| count).collect();
        assert_eq!(kept, (12..=20).rev().collect::<Vec<_>>());
    }

    #[test]
    fn a_value_says_if_a_part_of_it_is_enough() {
        assert_eq!(offered("app:|")[0].meaning, "app contains this");
        assert_eq!(offered("owner:|")[0].meaning, "owner is this");
    }

    #[test]
    fn values_come_by_prefix_and_then_by_count() {
        assert_eq!(inserts("owner:|"), ["\"Anna Lee\"", "ana", "boris", "elastic/fleet", "\"or\""]);
        assert_eq!(inserts("owner:an|"), ["\"Anna Lee\"", "ana"]);
        assert_eq!(inserts("owner:a|"), ["\"Anna Lee\"", "ana", "elastic/fleet"]);
        assert_eq!(inserts("owner:ANA|"), ["ana"]);
        assert!(inserts("owner:ana|").is_empty(), "what is there already is not offered");
        assert_eq!(offered("owner:b|")[0].count, Some(2));
        assert_eq!(chosen("owner:boris,ann| x"), ["owner:boris,\"Anna Lee\" x"]);
        assert_eq!(chosen("owner:\"anna l| x"), ["owner:\"Anna Lee\" x"]);
        assert_eq!(inserts("app:|"), ["a", "b", "c", "d", "e", "f", "g", "none"]);
        assert_eq!(inserts("app:i|"), ["none"; 0]);
        assert_eq!(inserts("app:no|"), ["none"]);
        assert_eq!(inserts("realm:l|"), ["ldap", "Ldap"]);
        assert_eq!(offered("meta.team:pay|")[0].label, "pay‹U+202E›");
    }

    #[test]
    fn statuses_types_and_privileges_are_a_fixed_choice_with_counts() {
        assert_eq!(inserts("status:EX|"), ["expired"]);
        assert_eq!(inserts("status:wi|"), ["within-7d", "within-30d"]);
        assert_eq!(offered("status:exp|")[0].count, Some(7));
        assert_eq!(inserts("type:|"), ["rest", "cross-cluster", "\"other\""]);
        assert_eq!(offered("type:|")[1].count, Some(4));
        assert_eq!(inserts("can:manage_a|"), ["manage_api_key"]);
        assert_eq!(inserts("is:m|")[..2], ["managed", "mine"]);
    }

    #[test]
    fn times_are_offered_with_what_they_mean() {
        assert_eq!(offered("expires:|")[0].meaning, "expires within 7 days");
        assert_eq!(inserts("expires:n|"), ["never", "<now"]);
        assert_eq!(inserts("expires:<4|"), ["<4d", "<4w", "<4h", "<4y"]);
        assert_eq!(offered("created:>2w|").len(), 0);
        assert_eq!(offered("created:>2|")[1].meaning, "created more than 2 weeks ago");
        assert_eq!(inserts("invalidated:<=3d|"), [] as [&str; 0]);
    }

    #[test]
    fn every_choice_of_a_value_can_be_read() {
        for field in [
            "owner:|",
            "app:|",
            "type:|",
            "status:|",
            "is:|",
            "can:|",
            "meta.team:|",
            "expires:|",
            "created:|",
            "invalidated:|",
            "expires:3|",
            "created:>=12|",
            "-(owner:ana,| or x)",
            "owner:\"|",
            "exp|",
            "cros|",
        ] {
            let searches = chosen(field);
            assert!(!searches.is_empty(), "{field}");
            for search in searches.into_iter().filter(|search| !search.ends_with(':')) {
                assert!(parse(&search, Timestamp::EPOCH, &TimeZone::UTC).is_ok(), "{search}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_key_of_the_metadata_is_offered_only_if_it_can_be_read(key in r#"[-a.,:"() ü*]{0,6}|\PC*"#) {
            let found = suggestions("meta", 4, &mut |_| vec![(key.clone(), 1)]);
            let names = found.into_iter().map(|suggestion| suggestion.insert).filter(|name| name.starts_with("meta."));
            for insert in names.filter(|name| name.ends_with(':')) {
                let query = parse(&format!("{insert}x"), Timestamp::EPOCH, &TimeZone::UTC);
                let Ok(Expr::Term(Term::Meta(path, _))) = query.map(|query| query.expr) else { panic!("{insert}") };
                proptest::prop_assert_eq!(path.join("."), key.as_str());
            }
        }

        #[test]
        fn any_text_and_cursor_has_suggestions_that_fit_it(
            text in r#"([-a:"\\(),*<>.0-9 ü🔑]|owner:|expires:|meta\.|METADATA|or ){0,30}|\PC*"#,
            cursor in 0usize..80,
        ) {
            let found = suggestions(&text, cursor, &mut values);
            proptest::prop_assert!(found.len() <= MAX_SUGGESTIONS);
            for suggestion in found {
                proptest::prop_assert!(text.get(suggestion.replace.clone()).is_some());
            }
        }
    }
}
