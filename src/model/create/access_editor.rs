//! Access of a cross-cluster key as a form: index names are read from its JSON and written back into it, so that
//! everything that the form doesn't show stays as it is.

use serde_json::{Map, Value, json};

use crate::model::text::json;

/// Access of a cross-cluster key whose index names can be edited one by one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AccessForm {
    root: Map<String, Value>,
}

/// Kind of access that a cross-cluster key gives to another cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessKind {
    /// Cross-cluster search.
    Search,
    /// Cross-cluster replication.
    Replication,
}

impl AccessKind {
    /// Both kinds, in the order of the form.
    pub const ALL: [AccessKind; 2] = [Self::Search, Self::Replication];

    /// Returns the name of the member of the access object.
    pub fn member(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Replication => "replication",
        }
    }
}

impl AccessForm {
    /// Reads the access of a key.
    ///
    /// # Errors
    /// Fails if the text is not a JSON object with lists of objects, or if the form would change how it is written: a
    /// member that is there twice, or the form of a number or an escape. The message says what is wrong.
    pub fn read(json: &str) -> Result<Self, String> {
        let root = json::object(json).map_err(|error| error.to_string())?;
        for part in AccessKind::ALL {
            let is_entries = match root.get(part.member()) {
                None | Some(Value::Object(_)) => true,
                Some(Value::Array(list)) => list.iter().all(Value::is_object),
                Some(_) => false,
            };
            if !is_entries {
                return Err(format!("“{}” must be a list of JSON objects, [{{…}}]", part.member()));
            }
        }
        let form = Self { root };
        if !json.trim().is_empty() && json::pretty(&form.compact()) != json::pretty(json) {
            return Err(
                "A field occurs twice, or a number or an escape is written in a way that the form would change: edit \
                 it as JSON"
                    .into(),
            );
        }
        Ok(form)
    }

    /// Returns the access as JSON, laid out for reading.
    pub fn json(&self) -> String {
        json::pretty(&self.compact())
    }

    fn compact(&self) -> String {
        serde_json::to_string(&self.root).unwrap_or_default()
    }

    /// Returns the number of entries of a kind; an object that is not in a list counts as a list of one, as it does for
    /// Elasticsearch.
    pub fn entries(&self, part: AccessKind) -> usize {
        match self.root.get(part.member()) {
            Some(Value::Array(list)) => list.len(),
            Some(Value::Object(_)) => 1,
            _ => 0,
        }
    }

    fn entry(&self, part: AccessKind, entry: usize) -> Option<&Map<String, Value>> {
        match self.root.get(part.member())? {
            Value::Array(list) => list.get(entry)?.as_object(),
            one if entry == 0 => one.as_object(),
            _ => None,
        }
    }

    fn entry_mut(&mut self, part: AccessKind, entry: usize) -> Option<&mut Map<String, Value>> {
        match self.root.get_mut(part.member())? {
            Value::Array(list) => list.get_mut(entry)?.as_object_mut(),
            one if entry == 0 => one.as_object_mut(),
            _ => None,
        }
    }

    /// Returns the index names of an entry; empty if it has none, `None` if they are not strings and so can't be shown
    /// in the form.
    pub fn names(&self, part: AccessKind, entry: usize) -> Option<Vec<String>> {
        match self.entry(part, entry).and_then(|own| own.get("names")) {
            None => Some(Vec::new()),
            Some(Value::String(one)) => Some(vec![one.clone()]),
            Some(Value::Array(all)) => all.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        }
    }

    /// Sets the index names of an entry. The first entry of a kind is created if there is none. The only entry is
    /// removed with its last name if it holds nothing else.
    pub fn set_names(&mut self, part: AccessKind, entry: usize, names: Vec<String>) {
        if self.entries(part) == 0 && !names.is_empty() {
            self.root.insert(part.member().to_owned(), json!([{ "names": names }]));
            return;
        }
        let is_only = self.entries(part) == 1;
        let Some(own) = self.entry_mut(part, entry) else { return };
        if names.is_empty() && is_only && own.keys().all(|member| member == "names") {
            self.root.shift_remove(part.member());
            return;
        }
        own.insert("names".to_owned(), Value::from(names));
    }

    /// Removes an entry, and the member of its kind with the last one.
    pub fn remove(&mut self, part: AccessKind, entry: usize) {
        if let Some(Value::Array(list)) = self.root.get_mut(part.member())
            && list.len() > 1
            && entry < list.len()
        {
            list.remove(entry);
            return;
        }
        self.root.shift_remove(part.member());
    }

    /// Returns the paths of the members that the form doesn't show. They stay as they are.
    pub fn beyond(&self) -> Vec<String> {
        let known = |name: &&String| AccessKind::ALL.iter().all(|part| part.member() != name.as_str());
        let mut found: Vec<String> = self.root.keys().filter(known).cloned().collect();
        for part in AccessKind::ALL {
            for entry in 0..self.entries(part) {
                let other = self.entry(part, entry).into_iter().flatten();
                // Elasticsearch itself writes it by default (as seen on 9.5.3).
                let other = other.filter(|(key, value)| {
                    *key != "names" && !(*key == "allow_restricted_indices" && **value == Value::Bool(false))
                });
                found.extend(other.map(|(key, _)| format!("{}[{entry}].{key}", part.member())));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn names_come_and_go_and_what_the_form_does_not_know_stays() {
        let mut form = AccessForm::read("").unwrap();
        form.set_names(AccessKind::Search, 0, names(&["logs-*"]));
        form.set_names(AccessKind::Replication, 0, names(&["idx"]));
        assert_eq!(form.compact(), r#"{"search":[{"names":["logs-*"]}],"replication":[{"names":["idx"]}]}"#);
        form.set_names(AccessKind::Replication, 0, Vec::new());
        assert_eq!(form.compact(), r#"{"search":[{"names":["logs-*"]}]}"#);

        let rich =
            r#"{"search":[{"names":"a","query":{"term":{"x":1}},"odd":[1.5]},{"names":["b"]}],"later":{"y":null}}"#;
        let mut form = AccessForm::read(rich).unwrap();
        assert_eq!(form.beyond(), ["later", "search[0].query", "search[0].odd"]);
        form.set_names(AccessKind::Search, 0, names(&["c"]));
        assert_eq!(form.compact(), rich.replace(r#""a""#, r#"["c"]"#));
        form.set_names(AccessKind::Search, 1, Vec::new());
        assert_eq!(form.entries(AccessKind::Search), 2, "the other would become part of the field");
        form.remove(AccessKind::Search, 1);
        form.set_names(AccessKind::Search, 0, Vec::new());
        assert_eq!(form.names(AccessKind::Search, 0), Some(Vec::new()));
        assert!(form.compact().contains("query"), "an entry that holds more is not lost with its names");
    }

    #[test]
    fn an_entry_by_itself_is_a_list_of_one_and_odd_texts_are_not_shown() {
        let mut form = AccessForm::read(r#"{"search":{"names":["a"],"allow_restricted_indices":false}}"#).unwrap();
        assert_eq!((form.entries(AccessKind::Search), form.beyond().len()), (1, 0));
        form.set_names(AccessKind::Search, 0, names(&["b"]));
        assert_eq!(form.compact(), r#"{"search":{"names":["b"],"allow_restricted_indices":false}}"#);
        assert_eq!(AccessForm::read(r#"{"search":[{"names":[1]}]}"#).unwrap().names(AccessKind::Search, 0), None);
        for (json, words) in [
            (r#"{"search":"a"}"#, "must be a list"),
            (r#"{"search":["a"]}"#, "must be a list"),
            (r#"{"n":1.0e+2}"#, "edit it as JSON"),
            ("[]", "must be a JSON object"),
        ] {
            assert!(AccessForm::read(json).unwrap_err().contains(words), "{json}");
        }
    }
}
