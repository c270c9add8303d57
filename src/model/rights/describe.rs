//! Descriptions of rights: sentences for reading, rows for a table, and JSON.

use serde::Serialize;
use serde_json::{Value, value::RawValue};

use super::{Grants, IndexRight, Rights, Scope, Unknown, Verdict, overlap::Kind};
use crate::model::{
    privileges::descriptor::{self, Piece},
    text::{number::plural, sanitize},
};

/// Row of the table of rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightsRow {
    /// Kind of right: `cluster`, `indices`, `application` …
    pub kind: &'static str,
    /// Indices, applications, users, clusters or workflows that the row applies to; empty for the cluster itself.
    pub on: Vec<String>,
    /// Privileges.
    pub may: Vec<String>,
    /// Conditions that narrow or widen the right: documents, fields, names that may not exist, restricted indices.
    pub but: Vec<String>,
}

impl Verdict {
    /// Returns the verdict as a value in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unrestricted => "unrestricted",
            Self::Some => "limited",
            Self::GrantsNothing | Self::NothingLeft => "nothing",
            Self::NothingSure => "nothing_known",
            Self::CrossCluster => "cross_cluster",
            Self::NotTold => "not_told",
        }
    }
}

impl Rights {
    /// Returns the text to show before the rights; `None` where the rights speak for themselves.
    pub fn headline(&self) -> Option<&'static str> {
        Some(match (self.verdict, self.limit_is_known) {
            (Verdict::Unrestricted, true) if self.grants.is_empty() && self.grants.unknown.is_empty() => {
                "Nothing: it was created without descriptors, with all the privileges of its owner, who had none"
            }
            (Verdict::Unrestricted, true) => {
                "All its owner’s rights: it was created without descriptors, so it can do everything its owner could \
                 when it was created or last updated"
            }
            (Verdict::Unrestricted, false) => {
                "All its owner’s rights: it was created without descriptors, so it can do everything its owner could \
                 when it was created or last updated. What that was is not known"
            }
            (Verdict::GrantsNothing, _) => "Nothing: its descriptors grant no privilege",
            (Verdict::NothingLeft, _) => {
                "Nothing: its owner had none of what its descriptors grant when it was created or last updated"
            }
            (Verdict::NothingSure, _) => "No known privileges, although it may have some",
            (Verdict::NotTold, _) => "Not known: this cluster does not report the descriptors of the key",
            (Verdict::CrossCluster, _) => "Signs in another cluster; it can’t be used for the REST API",
            (Verdict::Some, _) => return None,
        })
    }

    /// Returns the rights, one sentence each, without a full stop.
    pub fn sentences(&self) -> Vec<Vec<Piece>> {
        let mut sentences: Vec<Vec<Piece>> = Vec::new();
        if let Some(access) = &self.access {
            for (verb, rights) in [
                ("Lets another cluster search", &access.search),
                ("Lets another cluster replicate", &access.replication),
            ] {
                for row in grouped(rights) {
                    let mut sentence = vec![strong(verb), text(" ")];
                    sentence.extend(names(&row.names));
                    sentence.extend(narrowed(row.right, &row.names));
                    sentences.push(sentence);
                }
            }
            return sentences;
        }
        if let Some(workflows) = &self.grants.workflows {
            let mut sentence = vec![
                strong("Only inside"),
                text(if workflows.len() == 1 { " the workflow " } else { " the workflows " }),
            ];
            sentence.extend(descriptor::list(workflows));
            sentences.push(sentence);
        }
        sentences.extend(self.grants.clauses().into_iter().map(capital));
        let is_sure = !self.doubts.touch(Kind::Cluster) && self.grants.unknown.is_empty();
        if is_sure && self.grants.cluster.is_empty() && !self.grants.is_empty() && self.verdict == Verdict::Some {
            sentences.push(vec![text("Nothing on the cluster")]);
        }
        sentences
    }

    /// Returns what else must be known about the rights, one sentence each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.verdict == Verdict::Some && !self.limit_is_known {
            notes.push("Its owner’s privileges limit this further. They are not known here".into());
        }
        let limited = |right: &&IndexRight| !right.queries.is_empty() || !right.fields.is_empty();
        if self.grants.indices.iter().filter(limited).count() > 1 {
            notes.push("Several rows for the same index add up: documents of any query, fields of any list".into());
        }
        if self.grants.indices.iter().filter(limited).any(|right| right.queries.len() > 1 || right.fields.len() > 1) {
            notes.push(
                "Where both the key and its owner see only some documents or fields, both conditions apply".into(),
            );
        }
        notes.extend(self.doubts.words());
        let unknown = self.access.iter().flat_map(|access| &access.unknown).chain(&self.grants.unknown);
        notes.extend(unknown.map(Unknown::words));
        notes
    }

    /// Returns everything in one text: the headline, then the sentences.
    pub fn in_one_line(&self) -> String {
        let mut parts: Vec<String> = self.headline().map(str::to_owned).into_iter().collect();
        parts.extend(self.sentences().iter().map(|sentence| descriptor::plain(sentence)));
        parts.join(". ")
    }

    /// Returns the rows of the table.
    pub fn rows(&self) -> Vec<RightsRow> {
        match &self.access {
            Some(access) => {
                let rows = |kind, may: &str, rights: &[IndexRight]| -> Vec<RightsRow> {
                    let row = |group: Group<'_>| RightsRow { may: vec![may.to_owned()], ..group.row(kind) };
                    grouped(rights).into_iter().map(row).collect()
                };
                [rows("search", "search", &access.search), rows("replication", "replicate", &access.replication)]
                    .concat()
            }
            None => self.grants.rows(),
        }
    }
}

impl Unknown {
    /// Returns a sentence that names the part, whose it is, and its JSON.
    pub fn words(&self) -> String {
        let whose = if self.of_the_owner { "of its owner’s privileges" } else { "of its descriptors" };
        format!(
            "This version of Keybearer does not know {} {whose}: {}",
            sanitize::shortened(&self.place, 80),
            sanitize::shortened(&self.json, 300)
        )
    }
}

impl Grants {
    /// Returns the rights as clauses whose subject is left out: "**reads** `logs-*`".
    pub fn clauses(&self) -> Vec<Vec<Piece>> {
        let mut clauses: Vec<Vec<Piece>> = grouped(&self.indices).iter().map(|group| index_clause(group)).collect();
        if !self.cluster.is_empty() {
            clauses.push(descriptor::cluster_clause(&self.cluster));
        }
        for right in &self.applications {
            let mut clause = vec![strong("uses the application"), text(" ")];
            clause.extend(names(&[&right.application]));
            clause.push(text(" with "));
            clause.extend(descriptor::list(&right.privileges));
            if right.resources.all_of != ["*"] {
                clause.push(text(" on "));
                clause.extend(names(&[&right.resources]));
            }
            clauses.push(clause);
        }
        if !self.run_as.is_empty() {
            let mut clause = vec![strong("acts for the users"), text(" ")];
            clause.extend(names(&self.run_as.iter().collect::<Vec<_>>()));
            clauses.push(clause);
        }
        for group in grouped(&self.remote_indices) {
            let mut clause = vec![strong("on the remote clusters"), text(" ")];
            clause.extend(names(&group.right.clusters.iter().collect::<Vec<_>>()));
            clause.push(text(" "));
            clause.extend(index_clause(&group));
            clauses.push(clause);
        }
        for right in &self.remote_cluster {
            let mut clause = vec![strong("on the remote clusters"), text(" ")];
            clause.extend(names(&[&right.clusters]));
            clause.push(text(" has "));
            clause.extend(descriptor::list(&right.privileges));
            clauses.push(clause);
        }
        clauses
    }

    /// Returns the rights as rows of a table.
    pub fn rows(&self) -> Vec<RightsRow> {
        let plain = |kind, on: Vec<String>, may: &[String]| RightsRow { kind, on, may: may.to_vec(), but: Vec::new() };
        let mut rows = Vec::new();
        if let Some(workflows) = &self.workflows {
            rows.push(plain("only in workflow", workflows.clone(), &[]));
        }
        if !self.cluster.is_empty() {
            rows.push(plain("cluster", Vec::new(), &self.cluster));
        }
        rows.extend(grouped(&self.indices).iter().map(|group| group.row("indices")));
        for right in &self.applications {
            let on = format!("{}: {}", right.application.words(), right.resources.words());
            rows.push(RightsRow {
                but: sureness(&[&right.application, &right.resources]),
                ..plain("application", vec![on], &right.privileges)
            });
        }
        if !self.run_as.is_empty() {
            let but = sureness(&self.run_as.iter().collect::<Vec<_>>());
            rows.push(RightsRow {
                but,
                ..plain("run as", self.run_as.iter().map(Scope::words).collect(), &["act for".into()])
            });
        }
        rows.extend(grouped(&self.remote_indices).iter().map(|group| group.row("remote indices")));
        for right in &self.remote_cluster {
            let but = sureness(&[&right.clusters]);
            rows.push(RightsRow { but, ..plain("remote cluster", vec![right.clusters.words()], &right.privileges) });
        }
        rows
    }
}

/// Index rights that differ in nothing but the names.
struct Group<'a> {
    right: &'a IndexRight,
    names: Vec<&'a Scope>,
}

impl Group<'_> {
    fn row(&self, kind: &'static str) -> RightsRow {
        let cluster =
            self.right.clusters.as_ref().map(|clusters| format!("{}: ", clusters.words())).unwrap_or_default();
        let mut but = sureness(&self.names);
        but.extend(self.right.queries.iter().map(|query| format!("only documents that match {query}")));
        but.extend(self.right.fields.iter().map(|fields| format!("only the fields {fields}")));
        if self.right.allow_restricted {
            but.push("system indices too".into());
        } else if self.names.iter().any(|names| names.begin_with_a_dot()) {
            but.push("not system indices".into());
        }
        let on = self.names.iter().map(|names| format!("{cluster}{}", names.words())).collect();
        RightsRow { kind, on, may: self.right.privileges.clone(), but }
    }
}

fn grouped(rights: &[IndexRight]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for right in rights {
        let same = |group: &&mut Group<'_>| {
            let IndexRight { clusters, names: _, privileges, queries, fields, allow_restricted } = group.right;
            (clusters, privileges, queries, fields, allow_restricted)
                == (&right.clusters, &right.privileges, &right.queries, &right.fields, &right.allow_restricted)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.names.push(&right.names),
            None => groups.push(Group { right, names: vec![&right.names] }),
        }
    }
    groups
}

const UNSURE: &str = "only if such names exist, which the patterns alone don’t show";

fn sureness(scopes: &[&Scope]) -> Vec<String> {
    if scopes.iter().all(|scope| scope.is_sure) { Vec::new() } else { vec![UNSURE.into()] }
}

fn strong(words: &str) -> Piece {
    Piece::Strong(words.into())
}

fn text(words: &str) -> Piece {
    Piece::Text(words.into())
}

fn index_clause(group: &Group<'_>) -> Vec<Piece> {
    let (mut clause, is_direct) = descriptor::index_verbs(&group.right.privileges);
    clause.push(text(if is_direct { " " } else { " in " }));
    clause.extend(names(&group.names));
    clause.extend(narrowed(group.right, &group.names));
    clause
}

fn narrowed(right: &IndexRight, names: &[&Scope]) -> Option<Piece> {
    let mut words = Vec::new();
    match (right.queries.is_empty(), right.fields.is_empty()) {
        (true, true) => {}
        (false, true) => words.push("some documents only"),
        (true, false) => words.push("some fields only"),
        (false, false) => words.push("some documents and fields only"),
    }
    if names.iter().any(|scope| !scope.is_sure) {
        words.push("if such names exist");
    }
    if !right.allow_restricted && names.iter().any(|scope| scope.begin_with_a_dot()) {
        words.push("not system indices");
    }
    (!words.is_empty()).then(|| text(&format!(" ({})", words.join(", "))))
}

/// Lists names: `a`, `b` (if it matches `*c` too), and 3 others.
fn names(scopes: &[&Scope]) -> Vec<Piece> {
    const MAX_NAMED: usize = 6;
    let mut pieces = Vec::new();
    for (place, scope) in scopes.iter().take(MAX_NAMED).enumerate() {
        if place > 0 {
            pieces.push(text(if place + 1 == scopes.len() { " and " } else { ", " }));
        }
        for (part, pattern) in scope.all_of.iter().enumerate() {
            if part > 0 {
                pieces.push(text(" (if it matches "));
            }
            pieces.push(Piece::Mono(sanitize::shortened(pattern, 120)));
            if part > 0 {
                pieces.push(text(" too)"));
            }
        }
    }
    if scopes.len() > MAX_NAMED {
        pieces.push(text(&format!(" and {}", plural((scopes.len() - MAX_NAMED) as u64, "other"))));
    }
    pieces
}

fn capital(mut clause: Vec<Piece>) -> Vec<Piece> {
    if let Some(Piece::Text(words) | Piece::Strong(words)) = clause.first_mut() {
        let mut letters = words.chars();
        if let Some(first) = letters.next() {
            *words = first.to_uppercase().chain(letters).collect();
        }
    }
    clause
}

/// Rights as JSON. Where names must match several patterns, these are given as a list.
#[derive(Serialize)]
pub struct RightsJson<'a> {
    verdict: &'static str,
    owner_rights_known: bool,
    headline: Option<&'static str>,
    sentences: Vec<String>,
    notes: Vec<String>,
    cluster: &'a [String],
    indices: Vec<IndexJson<'a>>,
    applications: Vec<Value>,
    run_as: Vec<Value>,
    remote_indices: Vec<IndexJson<'a>>,
    remote_cluster: Vec<Value>,
    search: Vec<IndexJson<'a>>,
    replication: Vec<IndexJson<'a>>,
    workflows: Option<&'a [String]>,
    unknown: Vec<UnknownJson<'a>>,
}

#[derive(Serialize)]
struct IndexJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    clusters: Option<Value>,
    names: Vec<Value>,
    names_are_sure: bool,
    privileges: &'a [String],
    queries: &'a [String],
    field_security: Vec<Box<RawValue>>,
    allow_restricted_indices: bool,
}

#[derive(Serialize)]
struct UnknownJson<'a> {
    place: &'a str,
    of_the_owner: bool,
    value: Option<Box<RawValue>>,
}

impl<'a> RightsJson<'a> {
    /// Builds the JSON form of these rights.
    pub fn new(rights: &'a Rights) -> Self {
        let grants = &rights.grants;
        let access = rights.access.as_ref();
        let unknown = access.into_iter().flat_map(|access| &access.unknown).chain(&grants.unknown);
        Self {
            verdict: rights.verdict.word(),
            owner_rights_known: rights.limit_is_known,
            headline: rights.headline(),
            sentences: rights.sentences().iter().map(|sentence| descriptor::plain(sentence)).collect(),
            notes: rights.notes(),
            cluster: &grants.cluster,
            indices: index_json(&grants.indices),
            applications: grants
                .applications
                .iter()
                .map(|right| serde_json::json!({ "application": scope_json(&right.application), "privileges": right.privileges, "resources": [scope_json(&right.resources)] }))
                .collect(),
            run_as: grants.run_as.iter().map(scope_json).collect(),
            remote_indices: index_json(&grants.remote_indices),
            remote_cluster: grants
                .remote_cluster
                .iter()
                .map(|right| serde_json::json!({ "clusters": [scope_json(&right.clusters)], "privileges": right.privileges }))
                .collect(),
            search: access.map(|access| index_json(&access.search)).unwrap_or_default(),
            replication: access.map(|access| index_json(&access.replication)).unwrap_or_default(),
            workflows: grants.workflows.as_deref(),
            unknown: unknown
                .map(|unknown| UnknownJson {
                    place: &unknown.place,
                    of_the_owner: unknown.of_the_owner,
                    value: RawValue::from_string(unknown.json.clone()).ok(),
                })
                .collect(),
        }
    }
}

fn scope_json(scope: &Scope) -> Value {
    match scope.all_of.as_slice() {
        [one] => Value::from(one.as_str()),
        all => Value::from(all.to_vec()),
    }
}

fn index_json(rights: &[IndexRight]) -> Vec<IndexJson<'_>> {
    grouped(rights)
        .into_iter()
        .map(|group| IndexJson {
            clusters: group.right.clusters.as_ref().map(scope_json),
            names: group.names.iter().map(|names| scope_json(names)).collect(),
            names_are_sure: group.names.iter().all(|names| names.is_sure),
            privileges: &group.right.privileges,
            queries: &group.right.queries,
            field_security: group
                .right
                .fields
                .iter()
                .filter_map(|fields| RawValue::from_string(fields.clone()).ok())
                .collect(),
            allow_restricted_indices: group.right.allow_restricted,
        })
        .collect()
}
