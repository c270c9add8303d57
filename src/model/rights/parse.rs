//! Tolerant reading of descriptors: what is not understood is kept unchanged and named.

use serde_json::{Map, Value, value::RawValue};

use super::{Access, ApplicationRight, Grants, IndexRight, RemoteRight, Scope, Unknown};
use crate::model::text::json;

/// Reads a map of descriptors (`{"reader": {…}}`).
pub(super) fn grants(descriptors: &RawValue, of_the_owner: bool) -> Grants {
    let mut grants = Grants::default();
    match json::members(descriptors.get()) {
        Some(members) => members.iter().for_each(|(name, raw)| add(&mut grants, name, raw, of_the_owner)),
        None => grants.unknown.push(Unknown {
            place: "descriptors".into(),
            json: descriptors.get().to_owned(),
            of_the_owner,
        }),
    }
    grants
}

/// Adds the grants of one descriptor.
pub(super) fn add(grants: &mut Grants, name: &str, descriptor: &RawValue, of_the_owner: bool) {
    let mut reader = Reader { grants, name, of_the_owner };
    match json::members(descriptor.get()) {
        Some(members) => members.iter().for_each(|(field, value)| reader.field(field, value.get())),
        None => reader.unknown("", descriptor.get()),
    }
}

struct Reader<'a> {
    grants: &'a mut Grants,
    name: &'a str,
    of_the_owner: bool,
}

impl Reader<'_> {
    fn field(&mut self, field: &str, json: &str) {
        // These fields are free text and grant nothing.
        if ["metadata", "transient_metadata", "description"].contains(&field) {
            return;
        }
        // What can't be read may grant anything.
        let Ok(value) = serde_json::from_str::<Value>(json) else { return self.unknown(field, json) };
        if value.is_null() {
            return;
        }
        let understood = match field {
            "cluster" => self.cluster(&value),
            "run_as" => self.run_as(&value),
            "indices" | "index" => self.each(field, &value, Self::index),
            "remote_indices" => self.each(field, &value, Self::remote_index),
            "applications" => self.each(field, &value, Self::application),
            "remote_cluster" => self.each(field, &value, Self::remote_cluster),
            "restriction" => self.restriction(&value),
            _ => is_without_content(&value),
        };
        if !understood {
            self.unknown(field, json);
        }
    }

    fn unknown(&mut self, field: &str, json: &str) {
        let place = if field.is_empty() { self.name.to_owned() } else { format!("{}.{field}", self.name) };
        self.grants.unknown.push(Unknown { place, json: json.to_owned(), of_the_owner: self.of_the_owner });
    }

    /// Reads each member of a list; those that are not understood become unknown parts, one by one. `false` if it is no
    /// list.
    fn each(
        &mut self,
        field: &str,
        value: &Value,
        read: impl Fn(&mut Self, &Map<String, Value>) -> Option<()>,
    ) -> bool {
        let Value::Array(list) = value else { return false };
        for (place, item) in list.iter().enumerate() {
            if item.as_object().and_then(|item| read(self, item)).is_none() {
                self.unknown(&format!("{field}[{place}]"), &item.to_string());
            }
        }
        true
    }

    fn cluster(&mut self, value: &Value) -> bool {
        let Some(names) = privileges(Some(value)) else { return false };
        names.into_iter().for_each(|name| push_new(&mut self.grants.cluster, name));
        true
    }

    fn run_as(&mut self, value: &Value) -> bool {
        let Some(names) = texts(Some(value)) else { return false };
        names.iter().for_each(|name| push_new(&mut self.grants.run_as, Scope::of(name)));
        true
    }

    fn index(&mut self, item: &Map<String, Value>) -> Option<()> {
        let known = ["names", "privileges", "query", "field_security", "allow_restricted_indices"];
        let rights = index_rights(item, &known, None)?;
        self.grants.indices.extend(rights);
        Some(())
    }

    fn remote_index(&mut self, item: &Map<String, Value>) -> Option<()> {
        let known = ["clusters", "names", "privileges", "query", "field_security", "allow_restricted_indices"];
        for cluster in texts(item.get("clusters"))? {
            let rights = index_rights(item, &known, Some(&cluster))?;
            self.grants.remote_indices.extend(rights);
        }
        Some(())
    }

    fn application(&mut self, item: &Map<String, Value>) -> Option<()> {
        only(item, &["application", "privileges", "resources"])?;
        let application = item.get("application")?.as_str()?;
        let privileges = privileges(item.get("privileges"))?;
        for resource in texts(item.get("resources"))? {
            self.grants.applications.push(ApplicationRight {
                application: Scope::of(application),
                privileges: privileges.clone(),
                resources: Scope::of(&resource),
            });
        }
        Some(())
    }

    fn remote_cluster(&mut self, item: &Map<String, Value>) -> Option<()> {
        only(item, &["clusters", "privileges"])?;
        let privileges = privileges(item.get("privileges"))?;
        for cluster in texts(item.get("clusters"))? {
            let right = RemoteRight { clusters: Scope::of(&cluster), privileges: privileges.clone() };
            self.grants.remote_cluster.push(right);
        }
        Some(())
    }

    fn restriction(&mut self, value: &Value) -> bool {
        let Some(item) = value.as_object() else { return false };
        let Some(workflows) = only(item, &["workflows"]).and_then(|()| texts(item.get("workflows"))) else {
            return false;
        };
        if !workflows.is_empty() {
            let known = self.grants.workflows.get_or_insert_default();
            workflows.into_iter().for_each(|workflow| push_new(known, workflow));
        }
        true
    }
}

fn index_rights(item: &Map<String, Value>, known: &[&str], cluster: Option<&str>) -> Option<Vec<IndexRight>> {
    only(item, known)?;
    let names = texts(item.get("names"))?;
    let privileges = privileges(item.get("privileges"))?;
    if privileges.is_empty() {
        return Some(Vec::new());
    }
    let allow_restricted = match item.get("allow_restricted_indices") {
        None | Some(Value::Null) => false,
        Some(allow) => allow.as_bool()?,
    };
    let right = |name: &String| IndexRight {
        clusters: cluster.map(Scope::of),
        names: Scope::of(name),
        privileges: privileges.clone(),
        queries: query(item).into_iter().collect(),
        fields: fields(item).into_iter().collect(),
        allow_restricted,
    };
    Some(names.iter().map(right).collect())
}

/// Reads the field `access` of a cross-cluster key.
pub(super) fn access(raw: &RawValue) -> Access {
    let mut access = Access::default();
    let unknown = |place: &str, json: &str| Unknown { place: place.into(), json: json.into(), of_the_owner: false };
    let Some(members) = json::members(raw.get()) else {
        access.unknown.push(unknown("access", raw.get()));
        return access;
    };
    for (field, raw) in members {
        let known = ["names", "query", "field_security", "allow_restricted_indices"];
        let list: Option<Vec<Value>> = serde_json::from_str(raw.get()).ok();
        let (into, privilege) = match field.as_str() {
            "search" => (&mut access.search, "read"),
            "replication" => (&mut access.replication, "cross_cluster_replication"),
            _ => {
                access.unknown.push(unknown(&field, raw.get()));
                continue;
            }
        };
        let mut understood = list.is_some() || raw.get().trim() == "null";
        for item in list.iter().flatten() {
            let rights = item.as_object().and_then(|item| {
                let mut item = item.clone();
                item.insert("privileges".into(), Value::from(vec![privilege]));
                index_rights(&item, &[&known[..], &["privileges"]].concat(), None)
            });
            understood &= rights.is_some();
            into.extend(rights.unwrap_or_default());
        }
        if !understood {
            access.unknown.push(unknown(&field, raw.get()));
        }
    }
    access
}

/// Returns the query of an index grant: JSON in a text, or JSON itself. `None` if there is none.
fn query(item: &Map<String, Value>) -> Option<String> {
    match item.get("query")? {
        Value::Null => None,
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// Returns the choice of fields as JSON text; `None` if it leaves all fields.
fn fields(item: &Map<String, Value>) -> Option<String> {
    let value = item.get("field_security")?;
    let list = |name: &str| texts(value.get(name)).unwrap_or_default();
    // An empty list grants no field but the server's own; only where there is no list at all it grants every one.
    let grants_all = value.get("grant").is_none_or(Value::is_null) || list("grant").iter().any(|field| field == "*");
    let is_all = grants_all && value.get("except").is_none_or(is_without_content);
    let is_other = value.as_object().is_none_or(|fields| fields.keys().any(|key| key != "grant" && key != "except"));
    (!value.is_null() && (!is_all || is_other)).then(|| value.to_string())
}

/// Returns `Some` if an object has no other fields than the known ones, except null: an unknown field may change the
/// meaning of the rest.
pub(super) fn only(item: &Map<String, Value>, known: &[&str]) -> Option<()> {
    item.iter().all(|(field, value)| known.contains(&field.as_str()) || value.is_null()).then_some(())
}

/// Reads one text or a list of texts; empty if the value is missing or null. `None` for anything else.
pub(super) fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    match value {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(text)) => Some(vec![text.clone()]),
        Some(Value::Array(list)) => list.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Some(_) => None,
    }
}

/// Reads privileges like [`texts`], each once and without `none`.
fn privileges(value: Option<&Value>) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for name in texts(value)? {
        if !name.eq_ignore_ascii_case("none") {
            push_new(&mut names, name);
        }
    }
    Some(names)
}

pub(super) fn is_without_content(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(members) => members.values().all(is_without_content),
        _ => false,
    }
}

pub(super) fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
