//! One set of descriptors (those of a key, or a snapshot of its owner's rights), compiled for questions. Grants are
//! combined as the server combines them in a role, so that grants on the same names add up.

use serde_json::{Map, Value};

use super::{
    Certainty,
    names::{Asked, Names, Reach},
    parse::{is_without_content, only, texts},
};
use crate::model::{
    privileges::{Area, Versions, implies, index_implies},
    text::json,
};

/// Set of descriptors that add up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layer {
    pub(super) cluster: Vec<String>,
    pub(super) groups: Vec<Group>,
    /// Patterns of users that may be acted for; `None` where there are none.
    pub(super) run_as: Option<Names>,
    /// Rights in applications, on remote indices, on remote clusters, and to manage applications' privileges
    /// (`global`), in this order.
    pub(super) others: [Extent; 4],
    /// `true` if parts are not understood: they may grant anything.
    pub(super) is_odd: bool,
    /// `true` if nothing is granted outside of some workflows.
    pub(super) is_restricted: bool,
}

/// Extent of the rights of a kind that is not examined in detail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Extent {
    #[default]
    None,
    Some,
    All,
}

/// Privileges on the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) reach: Reach,
    pub(super) privileges: Vec<String>,
    names: Vec<String>,
}

impl Layer {
    /// Reads a map of descriptors (`{"reader": {…}}`) as JSON.
    pub fn read(json: &str) -> Self {
        let mut layer = Self::default();
        let Some(members) = json::members(json) else { return Self { is_odd: true, ..layer } };
        let mut run_as = Vec::new();
        for (_, descriptor) in members {
            match json::members(descriptor.get()) {
                Some(fields) => fields.iter().for_each(|(field, value)| layer.field(field, value.get(), &mut run_as)),
                None => layer.is_odd = true,
            }
        }
        layer.run_as = (!run_as.is_empty()).then(|| Names::new(&run_as));
        layer
    }

    fn field(&mut self, field: &str, json: &str, run_as: &mut Vec<String>) {
        if matches!(field, "metadata" | "transient_metadata" | "description") {
            return;
        }
        let Some(value) = json::value(json) else {
            self.is_odd = true;
            return;
        };
        let understood = match field {
            _ if value.is_null() => true,
            "cluster" => add_texts(&mut self.cluster, &value),
            "run_as" => add_texts(run_as, &value),
            "indices" | "index" => self.each(&value, Self::index),
            "applications" => {
                self.each(&value, |layer, item| layer.other(0, item, &["application", "privileges", "resources"]))
            }
            "remote_indices" => {
                self.each(&value, |layer, item| layer.other(1, item, &["clusters", "names", "privileges"]))
            }
            "remote_cluster" => self.each(&value, |layer, item| layer.other(2, item, &["clusters", "privileges"])),
            "restriction" => self.restriction(&value),
            "global" => {
                if !is_without_content(&value) {
                    self.others[3] = Extent::Some;
                }
                true
            }
            _ => is_without_content(&value),
        };
        self.is_odd |= !understood;
    }

    fn each(&mut self, value: &Value, mut read: impl FnMut(&mut Self, &Map<String, Value>) -> Option<()>) -> bool {
        let Value::Array(list) = value else { return false };
        // Each is read, also behind one that is not understood.
        let mut all = true;
        for item in list {
            all &= item.as_object().and_then(|item| read(self, item)).is_some();
        }
        all
    }

    fn index(&mut self, item: &Map<String, Value>) -> Option<()> {
        only(item, &["names", "privileges", "query", "field_security", "allow_restricted_indices"])?;
        let mut names = texts(item.get("names"))?;
        names.sort();
        names.dedup();
        let privileges = texts(item.get("privileges"))?;
        let allow_restricted = match item.get("allow_restricted_indices") {
            None | Some(Value::Null) => false,
            Some(allow) => allow.as_bool()?,
        };
        if names.is_empty() || privileges.is_empty() {
            return Some(());
        }
        // Grants on exactly the same names are one, in which all their privileges add up (as seen on 9.5.3).
        let same = |group: &&mut Group| group.names == names && group.reach.allow_restricted == allow_restricted;
        match self.groups.iter_mut().find(same) {
            Some(group) => group.privileges.extend(privileges),
            None => self.groups.push(Group {
                reach: Reach { names: Names::new(&names), allow_restricted },
                privileges,
                names,
            }),
        }
        Some(())
    }

    fn other(&mut self, kind: usize, item: &Map<String, Value>, fields: &[&str]) -> Option<()> {
        let mut is_all = true;
        for field in fields {
            let texts = texts(item.get(*field))?;
            if texts.is_empty() {
                return Some(());
            }
            is_all &= texts.iter().any(|text| text == "*" || text == "all");
        }
        let extent = if is_all { Extent::All } else { Extent::Some };
        self.others[kind] = self.others[kind].max(extent);
        Some(())
    }

    fn restriction(&mut self, value: &Value) -> bool {
        let Some(item) = value.as_object() else { return false };
        let Some(workflows) = only(item, &["workflows"]).and_then(|()| texts(item.get("workflows"))) else {
            return false;
        };
        self.is_restricted |= !workflows.is_empty();
        true
    }

    /// Returns whether a cluster privilege is held.
    pub(super) fn may(&self, privilege: &str) -> Certainty {
        let held: Vec<&str> = self.cluster.iter().map(String::as_str).collect();
        self.sure(implies(Area::Cluster, &held, privilege, Versions::All))
    }

    /// Returns whether an index privilege is held on all that is asked about.
    pub(super) fn may_on(&self, asked: &Asked, privilege: &str) -> Certainty {
        let (sure, unsure) = self.covering(asked);
        let held = |groups: &[&Group]| {
            let lists: Vec<&[String]> = groups.iter().map(|group| group.privileges.as_slice()).collect();
            index_implies(&lists, privilege, Versions::All)
        };
        match held(&sure) {
            Some(false) if !unsure.is_empty() => {
                let with_unsure: Vec<&Group> = sure.into_iter().chain(unsure).collect();
                let answer = held(&with_unsure);
                if answer == Some(false) { self.sure(answer) } else { Certainty::NotKnown }
            }
            answer => self.sure(answer),
        }
    }

    /// Returns the grants that cover all that is asked about: first those that surely do, then those that may.
    pub(super) fn covering(&self, asked: &Asked) -> (Vec<&Group>, Vec<&Group>) {
        let (mut sure, mut unsure) = (Vec::new(), Vec::new());
        for group in &self.groups {
            match group.reach.covers(asked) {
                Some(true) => sure.push(group),
                Some(false) => {}
                None => unsure.push(group),
            }
        }
        (sure, unsure)
    }

    /// Returns an answer as a certainty: a no becomes "not known" if the layer has parts that are not understood, since
    /// these may grant anything.
    pub(super) fn sure(&self, answer: Option<bool>) -> Certainty {
        match answer {
            Some(true) => Certainty::Yes,
            Some(false) if !self.is_odd => Certainty::No,
            _ => Certainty::NotKnown,
        }
    }
}

fn add_texts(list: &mut Vec<String>, value: &Value) -> bool {
    let Some(more) = texts(Some(value)) else { return false };
    list.extend(more);
    true
}
