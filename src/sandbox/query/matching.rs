//! Matching of documents against queries, with the same rules for API keys and for ordinary documents. Knows about
//! fields only what `Fields` provides.

use super::{
    dates,
    tree::{self, Query, Range},
};
use crate::sandbox::pattern::glob;

/// Kind of a field, which decides how its values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// Whole strings, compared exactly.
    Keyword,
    /// Text, compared by words in lower case.
    Text,
    /// Numbers.
    Number,
    /// Dates, as epoch milliseconds.
    Date,
    /// Booleans: `true` and `false`.
    Boolean,
    /// Unmapped field, which does not exist.
    Unmapped,
}

/// Access of a query to the id and the fields of a document.
pub trait Fields {
    /// Returns the id of the document.
    fn id(&self) -> &str;
    /// Returns the kind of a field.
    fn kind(&self, field: &str) -> FieldKind;
    /// Returns the indexed values of a field: words of a text, else whole values; dates as epoch milliseconds.
    fn values(&self, field: &str) -> Vec<String>;
    /// Returns `true` if the field has a value.
    fn exists(&self, field: &str) -> bool {
        !self.values(field).is_empty()
    }
    /// Returns the fields that a search without fields looks at.
    fn default_fields(&self) -> Vec<String>;
    /// Returns the date format of a field; `None` if only epoch milliseconds are allowed.
    fn date_format(&self, _field: &str) -> Option<&str> {
        None
    }
}

/// Returns the words of a text as the standard analyzer finds them: letters, digits and underscores, in lower case.
pub fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Returns `true` if the document matches the query; `now`, in epoch milliseconds, is for date math.
pub fn matches(query: &Query, document: &dyn Fields, now: i64) -> bool {
    match query {
        Query::All => true,
        Query::Nothing | Query::Foreign(..) | Query::Lookup | Query::Failing(..) => false,
        Query::Lenient(query) => matches(query, document, now),
        Query::Bool { must, filter, should, must_not, minimum } => {
            let count = should.iter().filter(|query| matches(query, document, now)).count();
            let free = i64::from(!should.is_empty() && must.is_empty() && filter.is_empty());
            let asked = minimum.as_deref().and_then(|spec| tree::least(spec, should.len())).unwrap_or(0);
            let least = asked.max(free);
            if must.is_empty() && filter.is_empty() && should.is_empty() && must_not.is_empty() {
                return true;
            }
            must.iter().chain(filter).all(|query| matches(query, document, now))
                && !must_not.iter().any(|query| matches(query, document, now))
                && i64::try_from(count).unwrap_or(i64::MAX) >= least
        }
        Query::Term(field, value, fold) => has(document, field, value, *fold, now),
        Query::Terms(field, values) => values.iter().any(|value| has(document, field, value, false, now)),
        Query::Match(field, text, every) => {
            if document.kind(field) != FieldKind::Text {
                return has(document, field, text, false, now);
            }
            let values = document.values(field);
            let found = |word: &String| values.contains(word);
            let wanted = words(text);
            if *every { !wanted.is_empty() && wanted.iter().all(found) } else { wanted.iter().any(found) }
        }
        Query::Ids(ids) => ids.iter().any(|id| id == document.id()),
        Query::Prefix(field, start, fold) => document.values(field).iter().any(|value| {
            if *fold { value.to_lowercase().starts_with(&start.to_lowercase()) } else { value.starts_with(start) }
        }),
        Query::Wildcard(field, pattern, fold) => document.values(field).iter().any(|value| {
            if *fold { glob(&pattern.to_lowercase(), &value.to_lowercase()) } else { glob(pattern, value) }
        }),
        Query::Exists(field) => document.exists(field),
        Query::Range(field, range) => in_range(document, field, range, now),
        // Everything, whatever fields are named (as seen on 9.5.3).
        Query::Simple(text, ..) if text.trim() == "*" => true,
        Query::Simple(text, fields, every) => simple(document, text, fields, *every, now),
    }
}

fn has(document: &dyn Fields, field: &str, wanted: &str, fold: bool, now: i64) -> bool {
    let values = document.values(field);
    match document.kind(field) {
        FieldKind::Number => {
            let Ok(number) = wanted.parse::<f64>() else { return false };
            values.iter().any(|value| value == wanted || value.parse() == Ok(number))
        }
        FieldKind::Date => {
            let format = document.date_format(field);
            let at = |up| dates::parse(wanted, format, now, up);
            let Some((from, to)) = at(false).zip(at(true)) else { return false };
            values.iter().filter_map(|value| value.parse::<i64>().ok()).any(|at| at >= from && at <= to)
        }
        _ if fold => values.iter().any(|value| value.to_lowercase() == wanted.to_lowercase()),
        _ => values.iter().any(|value| value == wanted),
    }
}

fn in_range(document: &dyn Fields, field: &str, range: &Range, now: i64) -> bool {
    let values = document.values(field);
    let kind = document.kind(field);
    if kind == FieldKind::Date {
        let bound = |text: &Option<String>, up: bool| {
            text.as_ref().map(|text| match range.format {
                Some(_) => range.time(text, now, up),
                None => dates::parse_in(text, document.date_format(field), now, up, &range.zone()),
            })
        };
        let (gt, gte) = (bound(&range.gt, true), bound(&range.gte, false));
        let (lt, lte) = (bound(&range.lt, false), bound(&range.lte, true));
        return values.iter().filter_map(|value| value.parse::<i64>().ok()).any(|at| {
            gt.is_none_or(|bound| bound.is_some_and(|bound| at > bound))
                && gte.is_none_or(|bound| bound.is_some_and(|bound| at >= bound))
                && lt.is_none_or(|bound| bound.is_some_and(|bound| at < bound))
                && lte.is_none_or(|bound| bound.is_some_and(|bound| at <= bound))
        });
    }
    let compare = |value: &str, bound: &str| {
        if kind == FieldKind::Number {
            value.parse::<f64>().ok()?.partial_cmp(&bound.parse::<f64>().ok()?)
        } else {
            Some(value.cmp(bound))
        }
    };
    values.iter().any(|value| {
        let holds = |bound: &Option<String>, accept: fn(std::cmp::Ordering) -> bool| {
            bound.as_ref().is_none_or(|bound| compare(value, bound).is_some_and(accept))
        };
        holds(&range.gt, std::cmp::Ordering::is_gt)
            && holds(&range.gte, std::cmp::Ordering::is_ge)
            && holds(&range.lt, std::cmp::Ordering::is_lt)
            && holds(&range.lte, std::cmp::Ordering::is_le)
    })
}

/// Matches a query in the simple query language: words, `"phrases"`, `prefix*`, `+` for and, `|` for or, `-` for not;
/// parentheses count as blanks.
fn simple(document: &dyn Fields, text: &str, fields: &[String], every: bool, now: i64) -> bool {
    let all = document.default_fields();
    let fields: Vec<&String> = if fields.is_empty() || fields.iter().any(|field| field == "*") {
        all.iter().collect()
    } else {
        let mut chosen: Vec<&String> = fields.iter().filter(|field| !field.contains('*')).collect();
        let patterns = fields.iter().filter(|field| field.contains('*'));
        chosen.extend(patterns.flat_map(|pattern| all.iter().filter(|field| glob(pattern, field))));
        chosen
    };
    let mut result: Option<bool> = None;
    let mut operator = None;
    for token in tokens(text) {
        match token.as_str() {
            "+" => operator = Some(true),
            "|" => operator = Some(false),
            _ => {
                let (negated, word) = match token.strip_prefix('-') {
                    Some(rest) if !rest.is_empty() => (true, rest),
                    _ => (false, token.as_str()),
                };
                let found = fields.iter().any(|field| simple_word(document, field, word, now)) != negated;
                let and = operator.take().unwrap_or(every);
                result = Some(match result {
                    None => found,
                    Some(so_far) if and => so_far && found,
                    Some(so_far) => so_far || found,
                });
            }
        }
    }
    result.unwrap_or(false)
}

/// Returns the words of a simple query without operators; words that end with `*` are prefixes.
pub fn simple_words(text: &str) -> Vec<String> {
    let words = tokens(text).into_iter().filter(|word| word != "+" && word != "|");
    words.map(|word| word.strip_prefix('-').map(str::to_owned).unwrap_or(word)).collect()
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut current = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' => {
                if quoted && !current.is_empty() {
                    tokens.push(std::mem::take(&mut current));
                }
                // The distance that words of a phrase may have makes no difference to whole values.
                if quoted && characters.next_if_eq(&'~').is_some() {
                    while characters.next_if(char::is_ascii_digit).is_some() {}
                }
                quoted = !quoted;
            }
            '\\' => current.extend(characters.next()),
            c if quoted => current.push(c),
            c if c.is_whitespace() || matches!(c, '(' | ')' | '+' | '|') => {
                if !current.is_empty() {
                    tokens.push(std::mem::take(&mut current));
                }
                if matches!(c, '+' | '|') {
                    tokens.push(c.to_string());
                }
            }
            c => current.push(c),
        }
    }
    if !current.is_empty() {
        tokens.push(current);
    }
    tokens
}

fn simple_word(document: &dyn Fields, field: &str, word: &str, now: i64) -> bool {
    if let Some(start) = word.strip_suffix('*') {
        let textual = matches!(document.kind(field), FieldKind::Keyword | FieldKind::Text);
        return textual && document.values(field).iter().any(|value| value.starts_with(start));
    }
    if document.kind(field) == FieldKind::Text {
        let values = document.values(field);
        let wanted = words(word);
        return !wanted.is_empty() && wanted.iter().all(|word| values.contains(word));
    }
    has(document, field, word, false, now)
}

#[cfg(test)]
mod tests {
    use super::{super::parse, *};
    use crate::sandbox::json;

    struct Sample;

    impl Fields for Sample {
        fn id(&self) -> &str {
            "1"
        }
        fn kind(&self, field: &str) -> FieldKind {
            match field {
                "name" => FieldKind::Keyword,
                "text" => FieldKind::Text,
                "n" => FieldKind::Number,
                "at" => FieldKind::Date,
                _ => FieldKind::Unmapped,
            }
        }
        fn values(&self, field: &str) -> Vec<String> {
            match field {
                "name" => vec!["q-delta ab cd".into()],
                "text" => words("Hello, big World"),
                "n" => vec!["10".into()],
                "at" => vec!["1000".into()],
                _ => Vec::new(),
            }
        }
        fn default_fields(&self) -> Vec<String> {
            vec!["name".into(), "text".into()]
        }
    }

    fn hit(text: &str) -> bool {
        let node = json::parse(text.as_bytes()).unwrap();
        matches(&parse::parse(&node).unwrap(), &Sample, 5_000)
    }

    #[test]
    fn keywords_match_whole_and_text_by_word() {
        assert!(hit(r#"{"term":{"name":"q-delta ab cd"}}"#));
        assert!(!hit(r#"{"match":{"name":"cd"}}"#));
        assert!(hit(r#"{"term":{"name":{"value":"Q-DELTA AB CD","case_insensitive":true}}}"#));
        assert!(hit(r#"{"match":{"text":"nothing world"}}"#));
        assert!(!hit(r#"{"match":{"text":{"query":"nothing world","operator":"and"}}}"#));
        assert!(hit(r#"{"prefix":{"name":"q-"}}"#));
        assert!(hit(r#"{"wildcard":{"name":{"value":"*DELTA*","case_insensitive":true}}}"#));
        assert!(hit(r#"{"ids":{"values":["1"]}}"#));
    }

    #[test]
    fn ranges_compare_numbers_as_numbers_and_dates_by_time() {
        assert!(hit(r#"{"range":{"n":{"gte":9.5,"lt":"11"}}}"#));
        assert!(!hit(r#"{"range":{"n":{"gt":10}}}"#));
        assert!(hit(r#"{"range":{"at":{"lt":"now","gte":"now-4s"}}}"#));
        assert!(!hit(r#"{"range":{"at":{"gt":"now"}}}"#));
        assert!(hit(r#"{"range":{"name":{"gte":"q-b"}}}"#));
    }

    #[test]
    fn optional_clauses_count_only_when_nothing_else_is_asked() {
        let should = r#""should":[{"term":{"n":1}},{"term":{"n":10}}]"#;
        assert!(hit(&format!(r#"{{"bool":{{{should}}}}}"#)));
        assert!(!hit(&format!(r#"{{"bool":{{{should},"minimum_should_match":2}}}}"#)));
        assert!(hit(r#"{"bool":{"should":{"term":{"n":1}},"filter":{"match_all":{}}}}"#));
        assert!(!hit(r#"{"bool":{"should":{"term":{"n":1}}}}"#));
        assert!(hit(r#"{"bool":{"must_not":{"exists":{"field":"gone"}}}}"#));
    }

    #[test]
    fn simple_queries_know_or_not_prefix_and_phrase() {
        let simple = |text: &str| hit(&format!(r#"{{"simple_query_string":{{"query":{}}}}}"#, serde_json::json!(text)));
        assert!(simple("\"q-delta ab cd\""));
        assert!(simple("nothing | q-d*"));
        assert!(simple("-nothing"));
        assert!(!simple("q-delta"));
        assert!(!hit(r#"{"simple_query_string":{"query":"hello nothing","default_operator":"and"}}"#));
        assert!(hit(r#"{"simple_query_string":{"query":"q-d*","fields":["n*"]}}"#));
    }
}
