//! Documents as queries, sorting and aggregations see them.

use super::{mapping::Mapping, visible::Visible};
use crate::sandbox::{
    json::exact,
    query::{
        dates,
        matching::{FieldKind, Fields, words},
    },
};
use serde_json::Value;

/// Document as a query sees it.
pub struct View<'a> {
    /// Id of the document.
    pub id: &'a str,
    /// Source of the document, as indexed.
    pub source: &'a Value,
    /// Mapping of the document's index.
    pub mapping: &'a Mapping,
    /// Visible part of the index.
    pub visible: &'a Visible,
}

impl Fields for View<'_> {
    fn id(&self) -> &str {
        self.id
    }

    fn kind(&self, field: &str) -> FieldKind {
        if field == "_id" || field == "_index" {
            FieldKind::Keyword
        } else if self.visible.shows(field) {
            self.mapping.kind(field)
        } else {
            FieldKind::Unmapped
        }
    }

    fn values(&self, field: &str) -> Vec<String> {
        if field == "_id" {
            return vec![self.id.to_owned()];
        }
        let kind = self.kind(field);
        let mut raw = Vec::new();
        collect(self.source, field, &mut raw);
        if raw.is_empty()
            && let Some((parent, _)) = field.rsplit_once('.')
        {
            collect(self.source, parent, &mut raw);
        }
        match kind {
            FieldKind::Unmapped => Vec::new(),
            FieldKind::Text => raw.iter().flat_map(|text| words(text)).collect(),
            FieldKind::Date => raw
                .iter()
                .filter_map(|text| dates::iso_date(text).or_else(|| text.parse().ok()))
                .map(|at| at.to_string())
                .collect(),
            _ => raw,
        }
    }

    fn exists(&self, field: &str) -> bool {
        let mut paths = Vec::new();
        self.mapping.leaves("", &mut paths);
        let below = format!("{field}.");
        !self.values(field).is_empty()
            || paths.iter().any(|path| path.starts_with(&below) && !self.values(path).is_empty())
    }

    fn date_format(&self, _field: &str) -> Option<&str> {
        Some("strict_date_optional_time||epoch_millis")
    }

    fn default_fields(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.mapping.leaves("", &mut paths);
        paths.retain(|path| self.visible.shows(path));
        paths
    }
}

fn collect(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, path, found)),
        Value::Object(map) => {
            for (name, value) in map {
                if name == path {
                    leaves(value, found);
                } else if let Some(rest) = path.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                    collect(value, rest, found);
                }
            }
        }
        _ => {}
    }
}

fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| leaves(element, found)),
        Value::String(text) => found.push(exact::plain(text, '?').into_owned()),
        Value::Number(_) | Value::Bool(_) => found.push(value.to_string()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::json;
    use serde_json::json;

    #[test]
    fn documents_are_seen_by_field_and_subfield() {
        let mut mapping = Mapping::default();
        mapping.learn(&json::parse(br#"{"t":"Hello World","o":{"p":[1,2]}}"#).unwrap(), "1").unwrap();
        let source = json!({"t": "Hello World", "o": {"p": [1, 2]}});
        let visible = Visible::default();
        let view = View { id: "1", source: &source, mapping: &mapping, visible: &visible };
        assert_eq!(view.values("t"), ["hello", "world"]);
        assert_eq!(view.values("t.keyword"), ["Hello World"]);
        assert_eq!(view.values("o.p"), ["1", "2"]);
        assert!(view.exists("o"));
        assert!(!view.exists("q"));
    }
}
