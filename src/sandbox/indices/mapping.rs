//! Mapping of an index: its fields, their types, and the detection of new fields in documents.

use super::{
    field_types::{ROOT_OPTIONS, check_field, refused},
    visible::Visible,
};
use crate::sandbox::{
    http::error::{EsError, Outcome},
    json::{Kind, Node, exact},
    query::{dates, matching::FieldKind},
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Fields by name, in the order in which answers list them.
#[derive(Debug, Clone, Default)]
pub struct Mapping(BTreeMap<String, Field>);

#[derive(Debug, Clone)]
enum Field {
    /// Field with a type, and its definition as JSON as answers show it.
    Leaf(String, Value),
    /// Object with fields below it.
    Object(Mapping),
}

impl Mapping {
    /// Parses `{"properties": …}`.
    ///
    /// # Errors
    /// With the messages of 9.5.3, or with the practice cluster's own for what only a real cluster supports.
    pub fn read(value: &Value) -> Outcome<Mapping> {
        let map = value.as_object().cloned().unwrap_or_default();
        let (known, unknown): (Vec<_>, Vec<_>) = map
            .iter()
            .filter(|(name, _)| *name != "properties")
            .partition(|(name, _)| ROOT_OPTIONS.contains(&name.as_str()));
        if !unknown.is_empty() {
            let shown: Vec<String> = unknown.iter().map(|(name, value)| format!("{name} : {value}")).collect();
            let reason = format!("Root mapping definition has unsupported parameters:  [{}]", shown.join("] ["));
            return Err(refused(reason));
        }
        if let Some((name, _)) = known.first() {
            return Err(EsError::not_done(&format!("[{name}] in mappings")));
        }
        Mapping::read_properties(value)
    }

    fn read_properties(value: &Value) -> Outcome<Mapping> {
        let mut mapping = Mapping::default();
        let properties = match value.get("properties") {
            None => return Ok(mapping),
            Some(Value::Object(properties)) => properties.clone(),
            Some(_) => {
                let cause = EsError::parse("properties must be a map type");
                return Err(EsError::new(
                    400,
                    "mapper_parsing_exception",
                    "Failed to parse mapping: properties must be a map type",
                )
                .because(cause));
            }
        };
        for (name, field) in properties {
            let Some(options) = field.as_object() else {
                let reason =
                    format!("Expected map for property [fields] on field [{name}] but got a class java.lang.String");
                return Err(refused(reason));
            };
            let kind = field.get("type").and_then(Value::as_str);
            let entry = if options.contains_key("properties") && kind.is_none_or(|kind| kind == "object") {
                Field::Object(Mapping::read_properties(&field)?)
            } else {
                let Some(kind) = kind else { return Err(refused(format!("No type specified for field [{name}]"))) };
                check_field(&name, kind, options)?;
                Field::Leaf(kind.to_owned(), field.clone())
            };
            mapping.0.insert(name, entry);
        }
        Ok(mapping)
    }

    /// Returns the mapping as answers show it.
    pub fn to_value(&self) -> Value {
        if self.0.is_empty() {
            return json!({});
        }
        let properties: Map<String, Value> = self
            .0
            .iter()
            .map(|(name, field)| {
                let value = match field {
                    Field::Leaf(_, value) => value.clone(),
                    Field::Object(mapping) => mapping.to_value(),
                };
                (name.clone(), value)
            })
            .collect();
        json!({ "properties": properties })
    }

    /// Returns the mapping of the visible fields; a field and each of its multi-fields are checked by their own names.
    pub fn seen_by(&self, visible: &Visible) -> Mapping {
        self.seen_below("", visible)
    }

    fn seen_below(&self, prefix: &str, visible: &Visible) -> Mapping {
        let mut seen = Mapping::default();
        for (name, field) in &self.0 {
            let path = format!("{prefix}{name}");
            match field {
                Field::Leaf(kind, value) if visible.shows(&path) => {
                    let mut value = value.clone();
                    if let Some(fields) = value.get_mut("fields").and_then(Value::as_object_mut) {
                        fields.retain(|sub, _| visible.shows(&format!("{path}.{sub}")));
                        if fields.is_empty()
                            && let Some(map) = value.as_object_mut()
                        {
                            map.shift_remove("fields");
                        }
                    }
                    seen.0.insert(name.clone(), Field::Leaf(kind.clone(), value));
                }
                Field::Leaf(..) => {}
                Field::Object(below) => {
                    let below = below.seen_below(&format!("{path}."), visible);
                    if !below.0.is_empty() {
                        seen.0.insert(name.clone(), Field::Object(below));
                    }
                }
            }
        }
        seen
    }

    /// Returns the type of a field by its dotted path, including multi-fields; `None` if there is no such field.
    fn kind_of(&self, path: &str) -> Option<&str> {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        match self.0.get(first)? {
            Field::Leaf(kind, _) if rest.is_empty() => Some(kind),
            Field::Leaf(_, value) => value.get("fields")?.get(rest)?.get("type")?.as_str(),
            Field::Object(mapping) if !rest.is_empty() => mapping.kind_of(rest),
            Field::Object(_) => None,
        }
    }

    /// Returns the type of a field by its dotted path; `object` for a field that has fields below it.
    pub fn type_of(&self, path: &str) -> Option<&str> {
        let is_object = || {
            let (mut paths, below) = (Vec::new(), format!("{path}."));
            self.leaves("", &mut paths);
            paths.iter().any(|leaf| leaf.starts_with(&below))
        };
        self.kind_of(path).or_else(|| is_object().then_some("object"))
    }

    /// Returns the kind of a field, which decides how its values are compared.
    pub fn kind(&self, path: &str) -> FieldKind {
        match self.kind_of(path) {
            None => FieldKind::Unmapped,
            Some("text" | "match_only_text") => FieldKind::Text,
            Some(
                "long" | "integer" | "short" | "byte" | "float" | "double" | "half_float" | "scaled_float"
                | "unsigned_long",
            ) => FieldKind::Number,
            Some("date" | "date_nanos") => FieldKind::Date,
            Some("boolean") => FieldKind::Boolean,
            Some(_) => FieldKind::Keyword,
        }
    }

    /// Appends the paths of all leaf fields to `paths`.
    pub fn leaves(&self, prefix: &str, paths: &mut Vec<String>) {
        for (name, field) in &self.0 {
            match field {
                Field::Leaf(..) => paths.push(format!("{prefix}{name}")),
                Field::Object(mapping) => mapping.leaves(&format!("{prefix}{name}."), paths),
            }
        }
    }

    /// Adds the fields of a document to the mapping, and refuses values that do not fit.
    pub fn learn(&mut self, document: &Node, id: &str) -> Outcome<()> {
        for member in document.members().unwrap_or_default() {
            self.learn_value(&member.name, &member.value, id)?;
        }
        Ok(())
    }

    fn learn_value(&mut self, name: &str, node: &Node, id: &str) -> Outcome<()> {
        if name.split('.').any(|part| part.trim().is_empty()) {
            let problem = if name.is_empty() {
                "field name cannot be an empty string".to_owned()
            } else {
                format!("field name cannot contain only whitespace: ['{name}']")
            };
            let reason = format!("[{}] failed to parse: {problem}", node.at);
            return Err(EsError::new(400, "document_parsing_exception", reason).because(EsError::illegal(problem)));
        }
        // A name with dots stands for objects within each other.
        if let Some((first, rest)) = name.split_once('.').filter(|_| !matches!(node.kind, Kind::Null)) {
            let field = self.0.entry(first.to_owned()).or_insert_with(|| Field::Object(Mapping::default()));
            return match field {
                Field::Object(mapping) => mapping.learn_value(rest, node, id),
                Field::Leaf(kind, _) if matches!(kind.as_str(), "object" | "flattened" | "nested") => Ok(()),
                Field::Leaf(kind, _) => {
                    let cause = EsError::illegal(format!("Can't get text on a START_OBJECT at {}", node.at));
                    Err(misfit(first, kind, node, id, cause))
                }
            };
        }
        match &node.kind {
            Kind::Null => Ok(()),
            Kind::Array(elements) => elements.iter().try_for_each(|element| self.learn_value(name, element, id)),
            Kind::Object(_) => {
                let field = self.0.entry(name.to_owned()).or_insert_with(|| Field::Object(Mapping::default()));
                match field {
                    Field::Object(mapping) => mapping.learn(node, id),
                    Field::Leaf(kind, _) if matches!(kind.as_str(), "object" | "flattened" | "nested") => Ok(()),
                    Field::Leaf(kind, _) => {
                        let cause =
                            EsError::illegal("Can't get text on a START_OBJECT at ".to_owned() + &node.at.to_string());
                        Err(misfit(name, kind, node, id, cause))
                    }
                }
            }
            _ => match self.0.get(name) {
                None => {
                    self.0.insert(name.to_owned(), guess(node));
                    Ok(())
                }
                Some(Field::Object(_)) => {
                    let reason = format!(
                        "[{}] object mapping for [{name}] tried to parse field [{name}] as object, but found a concrete value",
                        node.at
                    );
                    Err(EsError::new(400, "document_parsing_exception", reason))
                }
                Some(Field::Leaf(kind, _)) => check(name, kind, node, id),
            },
        }
    }
}

fn guess(node: &Node) -> Field {
    let leaf = |kind: &str| Field::Leaf(kind.to_owned(), json!({ "type": kind }));
    match &node.kind {
        Kind::Bool(_) => leaf("boolean"),
        Kind::Number(raw) if raw.contains(['.', 'e', 'E']) => leaf("float"),
        Kind::Number(_) => leaf("long"),
        Kind::Text(text) if text.len() >= 8 && dates::iso_date(text).is_some() => leaf("date"),
        _ => Field::Leaf(
            "text".to_owned(),
            json!({ "type": "text", "fields": { "keyword": { "type": "keyword", "ignore_above": 256 } } }),
        ),
    }
}

fn misfit(name: &str, kind: &str, node: &Node, id: &str, cause: Box<EsError>) -> Box<EsError> {
    let preview = node.scalar().unwrap_or_else(|| exact::written(node.to_value().to_string()));
    let reason = format!(
        "[{}] failed to parse field [{name}] of type [{kind}] in document with id '{id}'. Preview of field's value: '{preview}'",
        node.at
    );
    EsError::new(400, "document_parsing_exception", reason).because(cause)
}

fn check(name: &str, kind: &str, node: &Node, id: &str) -> Outcome<()> {
    let text = node.scalar().unwrap_or_default();
    let problem = match kind {
        "long" | "integer" | "short" | "byte" | "float" | "double" if text.parse::<f64>().is_err() => {
            format!("For input string: \"{text}\"")
        }
        "boolean" if !matches!(text.as_str(), "true" | "false" | "") => {
            format!("Failed to parse value [{text}] as only [true] or [false] are allowed.")
        }
        "date" if dates::iso_date(&text).is_none() && text.parse::<i64>().is_err() => {
            format!("failed to parse date field [{text}] with format [strict_date_optional_time||epoch_millis]")
        }
        _ => return Ok(()),
    };
    let mut cause = EsError::illegal(problem);
    if kind == "date" {
        let reason = "Failed to parse with all enclosed parsers";
        cause = cause.because(EsError::new(400, "date_time_parse_exception", reason));
    }
    Err(misfit(name, kind, node, id, cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::json;

    fn learned(text: &str) -> Mapping {
        let mut mapping = Mapping::default();
        mapping.learn(&json::parse(text.as_bytes()).unwrap(), "1").unwrap();
        mapping
    }

    #[test]
    fn new_fields_get_the_types_that_elasticsearch_would_give() {
        let mapping =
            learned(r#"{"t":"Hello","n":1,"f":1.5,"b":true,"d":"2026-01-01T00:00:00Z","o":{"p":[1,2]},"x":null}"#);
        let value = mapping.to_value();
        assert_eq!(value["properties"]["t"]["fields"]["keyword"]["type"], "keyword");
        assert_eq!(value["properties"]["n"]["type"], "long");
        assert_eq!(value["properties"]["f"]["type"], "float");
        assert_eq!(value["properties"]["d"]["type"], "date");
        assert_eq!(value["properties"]["o"]["properties"]["p"]["type"], "long");
        assert!(value["properties"].get("x").is_none());
        let dotted = learned(r#"{"apikey.id":"a","apikey":{"name":"b"}}"#);
        assert_eq!(dotted.kind("apikey.id.keyword"), FieldKind::Keyword);
        assert_eq!((dotted.type_of("apikey.id"), dotted.type_of("apikey")), (Some("text"), Some("object")));
        assert_eq!(mapping.kind("t.keyword"), FieldKind::Keyword);
        assert_eq!(mapping.kind("nope"), FieldKind::Unmapped);
    }

    #[test]
    fn values_that_do_not_fit_are_refused_with_their_place() {
        let mut mapping = learned(r#"{"n":1}"#);
        let error = mapping.learn(&json::parse(br#"{"n": "abc"}"#).unwrap(), "6").unwrap_err();
        assert_eq!(
            error.reason,
            "[1:7] failed to parse field [n] of type [long] in document with id '6'. Preview of field's value: 'abc'"
        );
    }
}
