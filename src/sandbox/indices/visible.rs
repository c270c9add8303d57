//! Visible part of an index under document and field level security, as on 9.5.3 with a trial license. Templates and
//! unsupported queries are refused with the practice cluster's own messages.

use super::search_query::read_rule;
use crate::sandbox::{
    http::error::{EsError, Outcome},
    json,
    pattern::glob,
    query::{
        matching::{Fields, matches},
        tree::Query,
    },
    security::authz::Caller,
};
use serde_json::{Map, Value};

/// Fields that one index grant allows.
#[derive(Debug, Clone)]
struct FieldRule {
    grant: Vec<String>,
    except: Vec<String>,
}

/// Visible part of one index. Each inner list is one layer of privileges: something is visible if every layer allows
/// it, in each by at least one entry.
#[derive(Debug, Clone, Default)]
pub struct Visible {
    queries: Vec<Vec<Query>>,
    fields: Vec<Vec<FieldRule>>,
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

impl Visible {
    /// Returns the part of an index that a caller sees.
    ///
    /// # Errors
    /// If a document security query is invalid; it is only parsed here.
    pub fn of(caller: &Caller, index: &str) -> Outcome<Visible> {
        let mut visible = Visible::default();
        for grants in caller.entries_on(index) {
            // One entry without a query shows all documents, one without a list of fields all fields.
            let queries: Option<Vec<&String>> = grants.iter().map(|grant| grant.query.as_ref()).collect();
            if let Some(queries) = queries {
                visible.queries.push(queries.into_iter().map(|text| read(text)).collect::<Outcome<_>>()?);
            }
            let fields: Option<Vec<&Value>> = grants.iter().map(|grant| grant.field_security.as_ref()).collect();
            if let Some(fields) = fields {
                let rule =
                    |value: &Value| FieldRule { grant: texts(value.get("grant")), except: texts(value.get("except")) };
                visible.fields.push(fields.into_iter().map(rule).collect());
            }
        }
        Ok(visible)
    }

    /// Returns `true` if a field with this dotted path is visible; system fields, which begin with `_`, always are.
    pub fn shows(&self, path: &str) -> bool {
        path.starts_with('_')
            || self.fields.iter().all(|layer| {
                layer.iter().any(|rule| {
                    rule.grant.iter().any(|name| glob(name, path)) && !rule.except.iter().any(|name| glob(name, path))
                })
            })
    }

    /// Returns `true` if some field below this path is visible, so that the object around it is, too.
    fn shows_below(&self, path: &str) -> bool {
        let below = format!("{path}.");
        self.fields.iter().all(|layer| {
            layer.iter().any(|rule| {
                rule.grant.iter().any(|name| name.starts_with(&below) || reaches(name, &below))
                    && !rule.except.iter().any(|name| name.ends_with('*') && glob(name, &below))
            })
        })
    }

    /// Returns `true` if a document is visible.
    pub fn sees(&self, document: &dyn Fields, now: i64) -> bool {
        self.queries.iter().all(|layer| layer.iter().any(|query| matches(query, document, now)))
    }

    /// Returns a document with only its visible fields.
    pub fn cut(&self, source: &Value) -> Value {
        match source {
            Value::Object(map) if !self.fields.is_empty() => Value::Object(self.cut_map(map, "")),
            other => other.clone(),
        }
    }

    fn cut_map(&self, map: &Map<String, Value>, prefix: &str) -> Map<String, Value> {
        let mut cut = Map::new();
        for (name, value) in map {
            let path = format!("{prefix}{name}");
            if let Some(value) = self.cut_value(value, &path) {
                cut.insert(name.clone(), value);
            }
        }
        cut
    }

    fn cut_value(&self, value: &Value, path: &str) -> Option<Value> {
        match value {
            Value::Object(map) => self.shows_below(path).then(|| Value::Object(self.cut_map(map, &format!("{path}.")))),
            Value::Array(elements) => {
                let kept: Vec<Value> = elements.iter().filter_map(|element| self.cut_value(element, path)).collect();
                (self.shows(path) || self.shows_below(path) && !kept.is_empty()).then_some(Value::Array(kept))
            }
            leaf => self.shows(path).then(|| leaf.clone()),
        }
    }
}

/// Returns `true` if a pattern can match a text that begins with `start`.
fn reaches(pattern: &str, start: &str) -> bool {
    (0..=pattern.len()).filter_map(|end| pattern.get(..end)).any(|head| head.ends_with('*') && glob(head, start))
        || glob(pattern, start)
}

/// Parses a document security query.
fn read(text: &str) -> Outcome<Query> {
    let node = json::parse(text.as_bytes())?;
    if node.get("template").is_some() {
        return Err(EsError::not_done("templates in queries of document security"));
    }
    read_rule(&node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn visible(rules: &[(&[&str], &[&str])]) -> Visible {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let rules = rules.iter().map(|(grant, except)| FieldRule { grant: own(grant), except: own(except) }).collect();
        Visible { queries: Vec::new(), fields: vec![rules] }
    }

    #[test]
    fn a_document_is_cut_as_the_server_cuts_it() {
        let source = json!({"a": ["x", "y"], "b": 3, "o": [{"p": 1}, {"q": 2}]});
        assert_eq!(visible(&[(&["a", "o.p"], &[])]).cut(&source), json!({"a": ["x", "y"], "o": [{"p": 1}, {}]}));
        assert_eq!(visible(&[(&["*"], &["b", "o*"])]).cut(&source), json!({"a": ["x", "y"]}));
        assert_eq!(visible(&[(&[], &[])]).cut(&source), json!({}));
        assert_eq!(visible(&[(&["a"], &[]), (&["b"], &[])]).cut(&source), json!({"a": ["x", "y"], "b": 3}));
        assert!(!visible(&[(&["a"], &[])]).shows("a.keyword"));
        assert!(visible(&[(&["a"], &[])]).shows("_id"));
    }
}
