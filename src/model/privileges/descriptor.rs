//! Description of what role descriptors grant. The raw JSON is never rebuilt from what is read here.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::text::{json, number::plural};

/// Part of a sentence, with the weight it is set in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Running text.
    Text(String),
    /// Text that carries the meaning of the sentence.
    Strong(String),
    /// Pattern or privilege, verbatim.
    Mono(String),
}

/// Returns a descriptor without what Elasticsearch refuses in keys.
///
/// A role may have a `description`, and built-in roles have `_reserved` in their metadata; for a key, 8.19 and 9.5
/// answer `unexpected field [description]` and `role descriptor metadata keys may not start with [_]` (as seen on
/// both). Neither grants anything. Every other field stays, known or not.
pub fn for_key(descriptor: &RawValue) -> Box<RawValue> {
    let Some(members) = json::members(descriptor.get()) else { return descriptor.to_owned() };
    let kept = members.into_iter().filter(|(key, _)| key != "description").map(|(key, value)| {
        let value = if key == "metadata" { without_reserved(value) } else { value };
        (key, value)
    });
    write(kept.collect()).unwrap_or_else(|| descriptor.to_owned())
}

fn without_reserved(metadata: Box<RawValue>) -> Box<RawValue> {
    let Some(members) = json::members(metadata.get()) else { return metadata };
    write(members.into_iter().filter(|(key, _)| !key.starts_with('_')).collect()).unwrap_or(metadata)
}

fn write(members: Vec<(String, Box<RawValue>)>) -> Option<Box<RawValue>> {
    let text = json::write_object(members.iter().map(|(key, value)| (key.as_str(), value.get())));
    RawValue::from_string(text).ok()
}

/// Privileges that a set of descriptors grants together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Cluster privileges.
    pub cluster: Vec<String>,
    /// Index privileges, with the indices they apply to.
    pub indices: Vec<IndexGrant>,
    /// Names of applications (Kibana …) with privileges.
    pub applications: Vec<String>,
    /// Users that may be acted for.
    pub run_as: Vec<String>,
    /// `true` if rights on remote clusters are included.
    pub remote: bool,
    /// Fields that this program doesn't know, and descriptors that it can't read: never guessed at, always named.
    pub unknown: Vec<String>,
}

/// Privileges on index patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexGrant {
    /// Names and patterns of the indices.
    pub names: Vec<String>,
    /// Index privileges.
    pub privileges: Vec<String>,
    /// `true` if only some documents or fields are included.
    pub limited: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wire {
    cluster: Vec<String>,
    #[serde(alias = "index")]
    indices: Vec<WireIndex>,
    applications: Vec<WireApplication>,
    run_as: Vec<String>,
    remote_indices: Vec<serde::de::IgnoredAny>,
    remote_cluster: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireIndex {
    names: OneOrMany,
    privileges: Vec<String>,
    field_security: Option<serde::de::IgnoredAny>,
    query: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WireApplication {
    application: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

const KNOWN: [&str; 12] = [
    "cluster",
    "indices",
    "index",
    "applications",
    "run_as",
    "remote_indices",
    "remote_cluster",
    "metadata",
    "transient_metadata",
    "global",
    "restriction",
    "description",
];

impl Grants {
    /// Reads a map of descriptors (`{"reader": {…}}`). A descriptor that can't be read is named in
    /// [`Grants::unknown`].
    pub fn of(descriptors: &RawValue) -> Self {
        let mut grants = Self::default();
        for (name, descriptor) in json::members(descriptors.get()).unwrap_or_default() {
            grants.add(&name, &descriptor);
        }
        grants
    }

    /// Adds the grants of one descriptor.
    pub fn add(&mut self, name: &str, descriptor: &RawValue) {
        let Ok(wire) = serde_json::from_str::<Wire>(descriptor.get()) else {
            return push_new(&mut self.unknown, name.to_owned());
        };
        for (field, _) in json::members(descriptor.get()).unwrap_or_default() {
            if !KNOWN.contains(&field.as_str()) {
                push_new(&mut self.unknown, field);
            }
        }
        wire.cluster.into_iter().for_each(|privilege| push_new(&mut self.cluster, privilege));
        wire.run_as.into_iter().for_each(|user| push_new(&mut self.run_as, user));
        wire.applications.into_iter().for_each(|a| push_new(&mut self.applications, a.application));
        self.remote |= !wire.remote_indices.is_empty() || !wire.remote_cluster.is_empty();
        for index in wire.indices {
            let names = match index.names {
                OneOrMany::One(name) => vec![name],
                OneOrMany::Many(names) => names,
            };
            let limited = index.field_security.is_some() || index.query.is_some();
            let same = |grant: &&mut IndexGrant| grant.privileges == index.privileges && grant.limited == limited;
            match self.indices.iter_mut().find(same) {
                Some(grant) => names.into_iter().for_each(|name| push_new(&mut grant.names, name)),
                None => self.indices.push(IndexGrant { names, privileges: index.privileges, limited }),
            }
        }
    }

    /// Returns `true` if nothing at all is granted, as far as known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Formats a short text for a table cell: "Write 4 patterns", "Read 1 pattern", "Cluster only", "Nothing".
    pub fn short(&self) -> String {
        let patterns: std::collections::BTreeSet<&str> =
            self.indices.iter().flat_map(|grant| grant.names.iter().map(String::as_str)).collect();
        if patterns.is_empty() {
            let word = if self.is_empty() {
                "Nothing"
            } else if self.cluster.is_empty() {
                "Other rights"
            } else {
                "Cluster only"
            };
            return word.into();
        }
        let strongest = self.indices.iter().flat_map(|grant| &grant.privileges).map(|p| strength(p)).max();
        let verb = match strongest {
            Some(Strength::All) => "All on",
            Some(Strength::Manage) => "Manage",
            Some(Strength::Write) => "Write",
            Some(Strength::Read) => "Read",
            _ => "See",
        };
        format!("{verb} {}", plural(patterns.len() as u64, "pattern"))
    }

    /// Returns the grants as clauses of a sentence whose subject is the key: "**reads** `logs-*`", "**watches the
    /// cluster**". Empty if nothing is granted.
    pub fn clauses(&self) -> Vec<Vec<Piece>> {
        let mut clauses: Vec<Vec<Piece>> = self.indices.iter().map(index_clause).collect();
        if !self.cluster.is_empty() {
            clauses.push(cluster_clause(&self.cluster));
        }
        if !self.applications.is_empty() {
            let mut clause = vec![Piece::Strong("uses the applications".into()), Piece::Text(" ".into())];
            clause.extend(list(&self.applications));
            clauses.push(clause);
        }
        if !self.run_as.is_empty() {
            let mut clause = vec![Piece::Strong("acts for the users".into()), Piece::Text(" ".into())];
            clause.extend(list(&self.run_as));
            clauses.push(clause);
        }
        if self.remote {
            clauses.push(vec![Piece::Strong("has rights on remote clusters".into())]);
        }
        if !self.unknown.is_empty() {
            let mut clause =
                vec![Piece::Strong("has privileges unknown to Keybearer".into()), Piece::Text(": ".into())];
            clause.extend(list(&self.unknown));
            clauses.push(clause);
        }
        clauses
    }
}

/// Joins clauses to the middle of a sentence: "a, b, and c".
pub fn join(clauses: Vec<Vec<Piece>>) -> Vec<Piece> {
    let last = clauses.len().saturating_sub(1);
    let mut pieces = Vec::new();
    for (place, clause) in clauses.into_iter().enumerate() {
        if place > 0 {
            pieces.push(Piece::Text(if place == last { ", and ".into() } else { ", ".into() }));
        }
        pieces.extend(clause);
    }
    pieces
}

/// Returns the text without weights, for the command line and for screen readers.
pub fn plain(pieces: &[Piece]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) | Piece::Strong(text) | Piece::Mono(text) => text.as_str(),
        })
        .collect()
}

fn index_clause(grant: &IndexGrant) -> Vec<Piece> {
    let (mut clause, is_direct) = index_verbs(&grant.privileges);
    clause.push(Piece::Text(if is_direct { " " } else { " in " }.into()));
    clause.extend(list(&grant.names));
    if grant.limited {
        clause.push(Piece::Text(" (some documents or fields only)".into()));
    }
    clause
}

/// Returns what index privileges allow, and `true` if the names follow directly ("reads `a`", but "deletes documents in
/// `a`").
pub(crate) fn index_verbs(privileges: &[String]) -> (Vec<Piece>, bool) {
    let mut verbs: Vec<&str> = Vec::new();
    let mut odd = Vec::new();
    for privilege in privileges {
        match index_verb(privilege) {
            Some(verb) if verbs.contains(&verb) => {}
            Some(verb) => verbs.push(verb),
            None => odd.push(privilege.clone()),
        }
    }
    let mut clause = Vec::new();
    leave_out_the_lesser(&mut verbs);
    if !verbs.is_empty() {
        clause.push(Piece::Strong(words(&verbs)));
    }
    if !odd.is_empty() {
        let lead = if verbs.is_empty() { "has " } else { ", has " };
        clause.push(Piece::Text(lead.into()));
        clause.extend(list(&odd));
    }
    if clause.is_empty() {
        clause.push(Piece::Strong("has no privilege".into()));
    }
    (clause, odd.is_empty() && matches!(verbs.last(), Some(&"reads" | &"watches")))
}

/// Removes verbs that a stronger verb includes.
fn leave_out_the_lesser(verbs: &mut Vec<&str>) {
    let lesser: &[&str] = if verbs.contains(&"does everything") {
        return verbs.retain(|verb| *verb == "does everything");
    } else if verbs.contains(&"adds, changes and deletes documents") {
        &["adds documents", "adds and changes documents", "deletes documents"]
    } else if verbs.contains(&"adds and changes documents") {
        &["adds documents"]
    } else {
        &[]
    };
    verbs.retain(|verb| !lesser.contains(verb));
}

fn index_verb(privilege: &str) -> Option<&'static str> {
    Some(match privilege {
        "all" => "does everything",
        "read" => "reads",
        "read_cross_cluster" => "lets other clusters read",
        "write" => "adds, changes and deletes documents",
        "index" => "adds and changes documents",
        "create" | "create_doc" => "adds documents",
        "delete" => "deletes documents",
        "manage" => "manages indices",
        "create_index" => "creates indices",
        "delete_index" => "deletes indices",
        "auto_configure" => "sets indices up",
        "view_index_metadata" => "sees settings and mappings",
        "monitor" => "watches",
        "maintenance" => "refreshes and flushes",
        _ => return None,
    })
}

/// Returns what cluster privileges allow.
pub(crate) fn cluster_clause(privileges: &[String]) -> Vec<Piece> {
    let has = |name: &str| privileges.iter().any(|p| p == name);
    if has("all") {
        return vec![Piece::Strong("does everything on the cluster".into())];
    }
    let mut clause = Vec::new();
    if has("manage") {
        clause.push(Piece::Strong("manages the cluster".into()));
    } else if has("monitor") {
        clause.push(Piece::Strong("monitors the cluster".into()));
    }
    let rest: Vec<String> =
        privileges.iter().filter(|p| !["manage", "monitor"].contains(&p.as_str())).cloned().collect();
    if !rest.is_empty() {
        clause.push(Piece::Text(if clause.is_empty() { "has " } else { " with " }.into()));
        clause.extend(list(&rest));
        if clause.len() > 1 && !has("manage") && !has("monitor") {
            clause.push(Piece::Text(" on the cluster".into()));
        }
    }
    clause
}

/// Lists up to six names, and the number of further ones.
pub(crate) fn list(names: &[String]) -> Vec<Piece> {
    const MAX_NAMED: usize = 6;
    let mut pieces = Vec::new();
    for (place, name) in names.iter().take(MAX_NAMED).enumerate() {
        if place > 0 {
            let is_last = place + 1 == names.len();
            pieces.push(Piece::Text(if is_last { " and " } else { ", " }.into()));
        }
        pieces.push(Piece::Mono(name.clone()));
    }
    if names.len() > MAX_NAMED {
        pieces.push(Piece::Text(format!(" and {} more", names.len() - MAX_NAMED)));
    }
    pieces
}

fn words(verbs: &[&str]) -> String {
    match verbs {
        [] => String::new(),
        [one] => (*one).into(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    See,
    Read,
    Write,
    Manage,
    All,
}

fn strength(privilege: &str) -> Strength {
    match privilege {
        "all" => Strength::All,
        "manage" | "delete_index" | "create_index" => Strength::Manage,
        "write" | "index" | "create" | "create_doc" | "delete" | "auto_configure" => Strength::Write,
        "read" | "read_cross_cluster" => Strength::Read,
        _ => Strength::See,
    }
}

fn push_new(list: &mut Vec<String>, item: String) {
    if !list.contains(&item) {
        list.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.into()).unwrap()
    }

    fn sentence(descriptors: &str) -> String {
        plain(&join(Grants::of(&raw(descriptors)).clauses()))
    }

    #[test]
    fn only_what_grants_nothing_and_is_refused_is_taken_from_a_role() {
        let role = raw(
            r#"{"cluster":["monitor"],"description":"d","metadata":{"_reserved":true,"n":1.0e2},"future":{"_x":1.0e2},"transient_metadata":{}}"#,
        );
        let expected =
            r#"{"cluster":["monitor"],"metadata":{"n":1.0e2},"future":{"_x":1.0e2},"transient_metadata":{}}"#;
        assert_eq!(for_key(&role).get(), expected);
    }

    #[test]
    fn grants_read_as_a_sentence() {
        let reader = r#"{"reader":{"cluster":["monitor"],"indices":[{"names":["my_index"],"privileges":["read"]}]}}"#;
        assert_eq!(sentence(reader), "reads my_index, and monitors the cluster");
        let odd =
            r#"{"x":{"indices":[{"names":"a","privileges":["future_one"],"query":"{}"}],"cluster":["manage_ilm"]}}"#;
        assert_eq!(
            sentence(odd),
            "has future_one in a (some documents or fields only), and has manage_ilm on the cluster"
        );
    }

    #[test]
    fn what_is_not_known_is_named_and_never_called_nothing() {
        let grants = Grants::of(&raw(r#"{"x":{"workloads":["a"]},"y":"odd"}"#));
        assert_eq!(grants.unknown, ["workloads", "y"]);
        assert!(!grants.is_empty());
        assert_eq!(grants.short(), "Other rights");
    }

    #[test]
    fn a_cell_names_the_strongest_right() {
        let short = |text: &str| Grants::of(&raw(text)).short();
        assert_eq!(
            short(r#"{"a":{"indices":[{"names":["x","y"],"privileges":["read","create_doc"]}]}}"#),
            "Write 2 patterns"
        );
        assert_eq!(short(r#"{"a":{"cluster":["monitor"]}}"#), "Cluster only");
        assert_eq!(short(r#"{"a":{}}"#), "Nothing");
    }
}
