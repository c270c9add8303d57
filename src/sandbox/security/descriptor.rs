//! Role descriptors: parsed with Elasticsearch's refusals, validated, and formatted as Elasticsearch does. Knows
//! nothing about callers; the meaning of a descriptor is up to `authz`.

use crate::sandbox::{
    json::exact,
    pattern::{self, PatternError},
    privileges::{cluster_problem, index_problem},
};
use serde_json::{Map, Value, json};

/// Privileges of a role, or of one descriptor of an API key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Descriptor {
    /// Cluster privileges.
    pub cluster: Vec<String>,
    /// Global privileges, as given.
    pub global: Option<Value>,
    /// Index privileges.
    pub indices: Vec<IndexGrant>,
    /// Application privileges.
    pub applications: Vec<ApplicationGrant>,
    /// Users that may be impersonated (`run_as`).
    pub run_as: Vec<String>,
    /// Free-form metadata.
    pub metadata: Map<String, Value>,
    /// Index privileges on remote clusters.
    pub remote_indices: Vec<IndexGrant>,
    /// Cluster privileges on remote clusters: pairs of privileges and clusters.
    pub remote_cluster: Vec<(Vec<String>, Vec<String>)>,
    /// Workflows that an API key is restricted to; `None` without a restriction.
    pub workflows: Option<Vec<String>>,
    /// Description for people, only for roles.
    pub description: Option<String>,
    /// `true` if `transient_metadata` is empty, as only that of `superuser` is.
    pub no_transient_metadata: bool,
}

/// Privileges on indices.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct IndexGrant {
    /// Index names, with wildcards.
    pub names: Vec<String>,
    /// Index privileges.
    pub privileges: Vec<String>,
    /// Granted fields (`field_security`), as given; all fields if `None`.
    pub field_security: Option<Value>,
    /// Query for the granted documents, as JSON text; all documents if `None`.
    pub query: Option<String>,
    /// `true` if restricted indices such as `.security` are included.
    pub allow_restricted: bool,
    /// Aliases of remote clusters, for `remote_indices`.
    pub clusters: Vec<String>,
}

/// Privileges on an application.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ApplicationGrant {
    /// Name of the application, optionally with a trailing `*`.
    pub application: String,
    /// Application privileges.
    pub privileges: Vec<String>,
    /// Resources that the privileges apply to.
    pub resources: Vec<String>,
}

impl Descriptor {
    /// Returns the errors of Elasticsearch's request validation: unknown privileges, names, patterns, workflows.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.cluster.iter().filter_map(|name| cluster_problem(name)).collect();
        for grant in self.indices.iter().chain(&self.remote_indices) {
            problems.extend(grant.problems());
        }
        for grant in &self.applications {
            problems.extend(application_problem(&grant.application));
            let shaped = |name: &&String| !name.chars().all(|c| !c.is_whitespace() && !c.is_control());
            problems.extend(grant.privileges.iter().filter(shaped).map(|name| {
                format!(
                    "Application privilege names and actions must match the pattern ^\\p{{Graph}}*$ (found '{name}')"
                )
            }));
        }
        if self.metadata.keys().any(|key| key.starts_with('_')) {
            problems.push("role descriptor metadata keys may not start with [_]".into());
        }
        for workflow in self.workflows.iter().flatten().filter(|name| *name != "search_application_query") {
            problems.push(format!(
                "Unknown workflow [{workflow}]. A workflow must be one of the predefined workflow names [search_application_query]."
            ));
        }
        if self.description.as_ref().is_some_and(|text| exact::utf16_len(text) > 1000) {
            problems.push("Role description must be less than 1000 characters.".into());
        }
        problems
    }

    /// Returns `true` if the descriptor grants nothing.
    pub fn is_empty(&self) -> bool {
        self.cluster.is_empty()
            && self.global.is_none()
            && self.indices.is_empty()
            && self.applications.is_empty()
            && self.run_as.is_empty()
            && self.remote_indices.is_empty()
            && self.remote_cluster.is_empty()
    }

    /// Returns the descriptor as Elasticsearch formats it; `reserved` roles keep their own metadata.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("cluster".into(), json!(self.cluster));
        if let Some(Value::Object(global)) = &self.global {
            let mut whole = global.clone();
            for (name, empty) in
                [("application", json!({})), ("profile", json!({})), ("role", json!({})), ("data_source", json!([]))]
            {
                whole.entry(name).or_insert(empty);
            }
            map.insert("global".into(), Value::Object(whole));
        }
        map.insert("indices".into(), self.indices.iter().map(IndexGrant::to_value).collect());
        map.insert(
            "applications".into(),
            self.applications
                .iter()
                .map(|grant| {
                    json!({
                        "application": grant.application,
                        "privileges": grant.privileges,
                        "resources": grant.resources,
                    })
                })
                .collect(),
        );
        map.insert("run_as".into(), json!(self.run_as));
        map.insert("metadata".into(), Value::Object(self.metadata.clone()));
        let transient = if self.no_transient_metadata { json!({}) } else { json!({ "enabled": true }) };
        map.insert("transient_metadata".into(), transient);
        if !self.remote_indices.is_empty() {
            map.insert("remote_indices".into(), self.remote_indices.iter().map(IndexGrant::to_value).collect());
        }
        if !self.remote_cluster.is_empty() {
            let entries = self
                .remote_cluster
                .iter()
                .map(|(privileges, clusters)| json!({ "privileges": privileges, "clusters": clusters }));
            map.insert("remote_cluster".into(), entries.collect());
        }
        if let Some(workflows) = &self.workflows {
            map.insert("restriction".into(), json!({ "workflows": workflows }));
        }
        if let Some(description) = &self.description {
            map.insert("description".into(), json!(description));
        }
        Value::Object(map)
    }
}

impl IndexGrant {
    /// Returns the validation errors of the grant. A duplicate privilege hides an unknown one.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.clusters.iter().any(String::is_empty) {
            problems.push("remote index cluster alias cannot be an empty string".to_owned());
        }
        let mut seen = std::collections::HashSet::new();
        match self.privileges.iter().find(|name| !seen.insert(name.as_str())) {
            Some(twice) => problems.push(format!("duplicate element: {twice}")),
            None => problems.extend(self.privileges.iter().find_map(|name| index_problem(name))),
        }
        for name in &self.names {
            if name.contains("::") {
                problems.push(format!("selectors [::] are not allowed in the index name expression [{name}]"));
            }
            if !name.starts_with('/') && name.contains(',') {
                problems.push(format!("commas [,] are not allowed in the index name expression [{name}]"));
            } else if pattern::problem(name) == Some(PatternError::Malformed) {
                problems.push(format!("invalid regular expression pattern [{name}]"));
            }
        }
        problems
    }

    /// Returns the grant as Elasticsearch formats it.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("names".into(), json!(self.names));
        map.insert("privileges".into(), json!(self.privileges));
        if let Some(field_security) = &self.field_security {
            map.insert("field_security".into(), field_security.clone());
        }
        if let Some(query) = &self.query {
            map.insert("query".into(), json!(query));
        }
        map.insert("allow_restricted_indices".into(), json!(self.allow_restricted));
        if !self.clusters.is_empty() {
            map.insert("clusters".into(), json!(self.clusters));
        }
        Value::Object(map)
    }
}

/// Returns the error of an application name, `None` if the name is valid.
pub fn application_problem(name: &str) -> Option<String> {
    if name.contains(char::is_whitespace) {
        return Some(format!("Application names may not contain whitespace (found '{name}')"));
    }
    // A pattern needs only to be able to mean a name that fits.
    let (name, is_pattern) = match name.split_once('*') {
        Some((start, _)) => (start, true),
        None => (name, false),
    };
    if is_pattern && name.is_empty() {
        return None;
    }
    let prefix = name.split(['-', '_']).next().unwrap_or_default();
    let shaped = prefix.chars().next().is_some_and(|c| c.is_ascii_lowercase())
        && prefix.chars().all(|c| c.is_ascii_alphanumeric());
    if !shaped {
        return Some(format!(
            "An application name prefix must match the pattern ^[a-z][A-Za-z0-9]*$ (found '{prefix}')"
        ));
    }
    (prefix.len() < 3 && !is_pattern)
        .then(|| format!("An application name prefix must be at least 3 characters long (found '{prefix}')"))
}

/// Returns the error of a role name, `None` if the name is valid (also for the names of an API key's descriptors).
pub fn name_problem(name: &str) -> Option<&'static str> {
    let fits = (1..=1024).contains(&name.len())
        && name.bytes().all(|byte| (0x20..0x7f).contains(&byte))
        && !name.starts_with(' ')
        && !name.ends_with(' ');
    (!fits).then_some(
        "Role names must be at least 1 and no more than 1024 characters. They can contain alphanumeric characters (a-z, A-Z, 0-9), spaces, punctuation, and printable symbols in the Basic Latin (ASCII) block. Leading or trailing whitespace is not allowed.",
    )
}

/// Returns the error of the name of a role or user to be written, `None` if it is valid; `what` is `Role` or `User`.
pub fn written_name_problem(what: &str, name: &str) -> Option<String> {
    (name_problem(name).is_some() || name.len() > MAX_NATIVE_NAME).then(|| {
        format!(
            "{what} names must be at least 1 and no more than {MAX_NATIVE_NAME} characters. They can contain alphanumeric characters (a-z, A-Z, 0-9), spaces, punctuation, and printable symbols in the Basic Latin (ASCII) block. Leading or trailing whitespace is not allowed."
        )
    })
}

/// Maximum length of the name of a role or user to be written, in characters.
const MAX_NATIVE_NAME: usize = 507;
