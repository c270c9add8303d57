//! Role descriptors as a form: everything that the form can show is read from their JSON and written back into it, so
//! that everything that it doesn't know stays as it is.

use serde_json::{Map, Value, json};

use crate::model::text::json;

/// Role descriptors that can be edited member by member.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescriptorForm {
    root: Map<String, Value>,
}

/// Section of a role descriptor: a list of grants of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Section {
    /// Index privileges.
    Indices,
    /// Privileges within applications such as Kibana.
    Applications,
    /// Index privileges on other clusters.
    RemoteIndices,
    /// Cluster privileges on other clusters.
    RemoteCluster,
}

impl Section {
    /// All sections, in the order of the form.
    pub const ALL: [Section; 4] = [Self::Indices, Self::Applications, Self::RemoteIndices, Self::RemoteCluster];

    /// Returns the name of the member of a role descriptor.
    pub fn member(self) -> &'static str {
        match self {
            Self::Indices => "indices",
            Self::Applications => "applications",
            Self::RemoteIndices => "remote_indices",
            Self::RemoteCluster => "remote_cluster",
        }
    }

    /// Returns a new entry, with the members that Elasticsearch requires.
    fn blank(self) -> Value {
        match self {
            Self::Indices => json!({ "names": [], "privileges": [] }),
            Self::Applications => json!({ "application": "", "privileges": [], "resources": ["*"] }),
            Self::RemoteIndices => json!({ "clusters": [], "names": [], "privileges": [] }),
            Self::RemoteCluster => json!({ "clusters": [], "privileges": [] }),
        }
    }

    /// Returns the names of the members of an entry that the form shows.
    fn shown(self) -> &'static [&'static str] {
        match self {
            Self::Indices => &["names", "privileges", "field_security", "query", "allow_restricted_indices"],
            Self::Applications => &["application", "privileges", "resources"],
            Self::RemoteIndices => {
                &["clusters", "names", "privileges", "field_security", "query", "allow_restricted_indices"]
            }
            Self::RemoteCluster => &["clusters", "privileges"],
        }
    }
}

/// Path of a value within a role descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At<'a> {
    /// Member of the descriptor itself, such as `cluster`.
    Own(&'a str),
    /// Member of a member, such as `restriction.workflows`.
    Inner(&'a str, &'a str),
    /// Member of an entry of a section: section, index of the entry, and name.
    Entry(Section, usize, &'a str),
    /// Member of a member of an entry, such as `field_security.grant`.
    EntryInner(Section, usize, &'a str, &'a str),
}

/// Names of the members of a role descriptor that the form shows.
const SHOWN: [&str; 7] =
    ["cluster", "indices", "applications", "remote_indices", "remote_cluster", "run_as", "restriction"];

impl DescriptorForm {
    /// Reads a JSON object of role descriptors by name; blank text has none.
    ///
    /// # Errors
    /// Fails if the text can't be shown as a form: it is not a JSON object of objects, or it is written in a way that
    /// the form would change, such as a number with more digits than the form can keep or a member that is there twice.
    /// The message says what is wrong.
    pub fn read(json: &str) -> Result<Self, String> {
        let root = json::object(json).map_err(|error| error.to_string())?;
        for (name, value) in &root {
            if !value.is_object() {
                return Err(format!("“{name}” must be a JSON object, {{…}}"));
            }
        }
        let form = Self { root };
        let same = json.trim().is_empty() || json::pretty(&form.compact()) == json::pretty(json);
        if !same {
            return Err(
                "A field occurs twice, or a number or an escape is written in a way that the form would change: edit \
                 it as JSON"
                    .into(),
            );
        }
        Ok(form)
    }

    /// Returns the role descriptors as JSON, laid out for reading.
    pub fn json(&self) -> String {
        json::pretty(&self.compact())
    }

    fn compact(&self) -> String {
        serde_json::to_string(&self.root).unwrap_or_default()
    }

    /// Returns the number of role descriptors.
    pub fn len(&self) -> usize {
        self.root.len()
    }

    /// Returns `true` if there is no role descriptor, which gives a key all privileges of its owner.
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Returns the name of the role descriptor at an index; empty if there is none.
    pub fn name(&self, descriptor: usize) -> &str {
        self.root.keys().nth(descriptor).map_or("", String::as_str)
    }

    /// Renames the role descriptor at an index.
    ///
    /// # Errors
    /// Fails if another role descriptor already has the name.
    pub fn rename(&mut self, descriptor: usize, name: &str) -> Result<(), String> {
        if self.name(descriptor) == name {
            return Ok(());
        }
        if self.root.contains_key(name) {
            return Err(format!("There is already a descriptor “{name}”: choose another name"));
        }
        let renamed = std::mem::take(&mut self.root).into_iter().enumerate();
        self.root =
            renamed.map(|(at, (own, value))| (if at == descriptor { name.into() } else { own }, value)).collect();
        Ok(())
    }

    /// Adds a role descriptor that grants nothing, under a free name: `rights`, `rights_2` and so on.
    pub fn add(&mut self) {
        let names = (1..).map(|number| if number == 1 { "rights".into() } else { format!("rights_{number}") });
        let free = names.into_iter().find(|name: &String| !self.root.contains_key(name));
        self.root.insert(free.unwrap_or_default(), json!({}));
    }

    /// Removes the role descriptor at an index.
    pub fn remove(&mut self, descriptor: usize) {
        let name = self.name(descriptor).to_owned();
        self.root.shift_remove(&name);
    }

    fn descriptor(&self, descriptor: usize) -> Option<&Map<String, Value>> {
        self.root.values().nth(descriptor)?.as_object()
    }

    fn descriptor_mut(&mut self, descriptor: usize) -> Option<&mut Map<String, Value>> {
        self.root.values_mut().nth(descriptor)?.as_object_mut()
    }

    /// Returns the number of entries of a section; 0 if it is missing or not a list.
    pub fn entries(&self, descriptor: usize, section: Section) -> usize {
        let list = self.descriptor(descriptor).and_then(|own| own.get(section.member())?.as_array());
        list.map_or(0, Vec::len)
    }

    /// Adds a new entry to a section. Changes nothing if the member is not a list.
    pub fn add_entry(&mut self, descriptor: usize, section: Section) {
        let Some(own) = self.descriptor_mut(descriptor) else { return };
        if let Some(list) = own.entry(section.member()).or_insert_with(|| json!([])).as_array_mut() {
            list.push(section.blank());
        }
    }

    /// Removes an entry of a section, and the member with its last entry.
    pub fn remove_entry(&mut self, descriptor: usize, section: Section, entry: usize) {
        let Some(own) = self.descriptor_mut(descriptor) else { return };
        let Some(list) = own.get_mut(section.member()).and_then(Value::as_array_mut) else { return };
        if entry < list.len() {
            list.remove(entry);
        }
        if list.is_empty() {
            own.shift_remove(section.member());
        }
    }

    fn get(&self, descriptor: usize, at: At<'_>) -> Option<&Value> {
        let own = self.descriptor(descriptor)?;
        match at {
            At::Own(member) => own.get(member),
            At::Inner(outer, member) => own.get(outer)?.get(member),
            At::Entry(section, entry, member) => own.get(section.member())?.get(entry)?.get(member),
            At::EntryInner(section, entry, outer, member) => {
                own.get(section.member())?.get(entry)?.get(outer)?.get(member)
            }
        }
    }

    /// Returns the object that holds the member, created if it is missing, and the name of the member.
    fn holder<'a>(&mut self, descriptor: usize, at: At<'a>) -> Option<(&mut Map<String, Value>, &'a str)> {
        let own = self.descriptor_mut(descriptor)?;
        match at {
            At::Own(member) => Some((own, member)),
            At::Inner(outer, member) => Some((inner(own, outer)?, member)),
            At::Entry(section, number, member) => Some((entry(own, section, number)?, member)),
            At::EntryInner(section, number, outer, member) => {
                Some((inner(entry(own, section, number)?, outer)?, member))
            }
        }
    }

    /// Returns the strings of a list; a single string counts as a list of one, and a missing list is empty. `None` if
    /// it is anything else, which the form can't show.
    pub fn list(&self, descriptor: usize, at: At<'_>) -> Option<Vec<String>> {
        match self.get(descriptor, at) {
            None => Some(Vec::new()),
            Some(Value::String(one)) => Some(vec![one.clone()]),
            Some(Value::Array(all)) => all.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
            Some(_) => None,
        }
    }

    /// Returns `true` if the list is empty and so grants no field: an empty list hides all fields, and a missing one
    /// hides none.
    pub fn grants_no_field(&self, descriptor: usize, at: At<'_>) -> bool {
        matches!(self.get(descriptor, at), Some(Value::Array(all)) if all.is_empty())
    }

    /// Sets a list. An empty list removes the member where it may be missing, so that nothing with another meaning is
    /// left behind: `grant: []` would hide all fields.
    pub fn set_list(&mut self, descriptor: usize, at: At<'_>, list: Vec<String>) {
        let needed = matches!(at, At::Entry(..));
        if list.is_empty() && !needed {
            return self.clear(descriptor, at);
        }
        self.set(descriptor, at, Value::from(list));
    }

    /// Returns a string; a missing one is empty, and an object is returned as JSON. `None` if it is anything else.
    pub fn text(&self, descriptor: usize, at: At<'_>) -> Option<String> {
        match self.get(descriptor, at) {
            None => Some(String::new()),
            Some(Value::String(text)) => Some(text.clone()),
            // A query may be written as an object, too.
            Some(value @ Value::Object(_)) => Some(value.to_string()),
            Some(_) => None,
        }
    }

    /// Sets a string. A blank one removes the member, except for the name of an application.
    pub fn set_text(&mut self, descriptor: usize, at: At<'_>, text: &str) {
        if text.trim().is_empty() && !matches!(at, At::Entry(_, _, "application")) {
            return self.clear(descriptor, at);
        }
        self.set(descriptor, at, Value::from(text));
    }

    /// Returns a Boolean; a missing one is `false`. `None` if it is anything else.
    pub fn flag(&self, descriptor: usize, at: At<'_>) -> Option<bool> {
        self.get(descriptor, at).map_or(Some(false), Value::as_bool)
    }

    /// Sets a Boolean.
    pub fn set_flag(&mut self, descriptor: usize, at: At<'_>, on: bool) {
        self.set(descriptor, at, Value::from(on));
    }

    fn set(&mut self, descriptor: usize, at: At<'_>, value: Value) {
        if let Some((holder, member)) = self.holder(descriptor, at) {
            holder.insert(member.to_owned(), value);
        }
    }

    fn clear(&mut self, descriptor: usize, at: At<'_>) {
        if self.get(descriptor, at).is_none() {
            return;
        }
        if let Some((holder, member)) = self.holder(descriptor, at) {
            holder.shift_remove(member);
        }
        // An outer object that held nothing else is removed as well.
        let outer = match at {
            At::Inner(outer, _) => At::Own(outer),
            At::EntryInner(section, entry, outer, _) => At::Entry(section, entry, outer),
            At::Own(_) | At::Entry(..) => return,
        };
        if self.get(descriptor, outer).and_then(Value::as_object).is_some_and(Map::is_empty)
            && let Some((holder, member)) = self.holder(descriptor, outer)
        {
            holder.shift_remove(member);
        }
    }

    /// Returns the paths of the members of a role descriptor that the form doesn't show. They stay as they are.
    pub fn beyond(&self, descriptor: usize) -> Vec<String> {
        let Some(own) = self.descriptor(descriptor) else { return Vec::new() };
        let beyond = own.iter().filter(|(key, value)| !SHOWN.contains(&key.as_str()) && !says_nothing(key, value));
        let mut found: Vec<String> = beyond.map(|(key, _)| key.clone()).collect();
        for section in Section::ALL {
            let entries = own.get(section.member()).and_then(Value::as_array).into_iter().flatten();
            for (at, entry) in entries.enumerate() {
                let other = entry.as_object().into_iter().flat_map(Map::keys);
                let other = other.filter(|key| !section.shown().contains(&key.as_str()));
                found.extend(other.map(|key| format!("{}[{at}].{key}", section.member())));
            }
        }
        found
    }

    /// Returns one sentence for each part that is missing before the cluster accepts the role descriptor.
    pub fn missing(&self, descriptor: usize) -> Vec<String> {
        let mut missing = Vec::new();
        if self.name(descriptor).trim().is_empty() {
            missing.push("Enter a name for the descriptor".into());
        }
        for section in Section::ALL {
            for entry in 0..self.entries(descriptor, section) {
                for member in section.blank().as_object().into_iter().flat_map(Map::keys) {
                    let at = At::Entry(section, entry, member);
                    let blank = match member.as_str() {
                        "application" => self.text(descriptor, at).is_some_and(|text| text.trim().is_empty()),
                        _ => self.list(descriptor, at).is_some_and(|list| list.is_empty()),
                    };
                    if blank {
                        missing.push(format!("Entry {} of {} has no {member} yet", entry + 1, section.member()));
                    }
                }
            }
        }
        missing
    }
}

/// Returns `true` if the member has the value that Elasticsearch itself writes by default (as seen on 9.5.3).
fn says_nothing(member: &str, value: &Value) -> bool {
    match member {
        "metadata" => value.as_object().is_some_and(Map::is_empty),
        "transient_metadata" => *value == json!({ "enabled": true }),
        _ => false,
    }
}

fn entry(own: &mut Map<String, Value>, section: Section, number: usize) -> Option<&mut Map<String, Value>> {
    own.get_mut(section.member())?.get_mut(number)?.as_object_mut()
}

fn inner<'a>(own: &'a mut Map<String, Value>, member: &str) -> Option<&'a mut Map<String, Value>> {
    own.entry(member).or_insert_with(|| json!({})).as_object_mut()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RICH: &str = r#"{"a":{"cluster":["monitor"],"indices":[{"names":"logs-*","privileges":["read"],"field_security":{"grant":["a","b"]},"query":{"term":{"x":1}},"odd":{"y":[1.5,null]}}],"global":{"p":{}},"metadata":{"n":12345},"future":true},"b":{}}"#;

    #[test]
    fn an_empty_list_of_fields_is_told_from_none() {
        let with = |fields: &str| {
            let json = format!(r#"{{"r":{{"indices":[{{"names":["a"],"privileges":["read"]{fields}}}]}}}}"#);
            let form = DescriptorForm::read(&json).unwrap();
            form.grants_no_field(0, At::EntryInner(Section::Indices, 0, "field_security", "grant"))
        };
        assert!(with(r#","field_security":{"grant":[]}"#));
        assert!(!with("") && !with(r#","field_security":{"grant":["a"]}"#) && !with(r#","field_security":{}"#));
    }

    #[test]
    fn what_the_form_does_not_know_stays() {
        let mut form = DescriptorForm::read(RICH).unwrap();
        assert_eq!(form.beyond(0), ["global", "metadata", "future", "indices[0].odd"]);
        let told = DescriptorForm::read(r#"{"a":{"metadata":{},"transient_metadata":{"enabled":true}}}"#).unwrap();
        assert!(told.beyond(0).is_empty(), "what says nothing is not worth a line");
        form.set_list(0, At::Own("cluster"), vec!["monitor".into(), "manage_ilm".into()]);
        let expected = RICH.replace(r#"["monitor"]"#, r#"["monitor","manage_ilm"]"#);
        assert_eq!(form.json(), json::pretty(&expected));
    }

    #[test]
    fn what_a_form_would_change_is_refused() {
        for json in [r#"{"a":{"n":1.0e+2}}"#, r#"{"a":{"x":1,"x":2}}"#, r#"{"a":{"n":12345678901234567890123}}"#] {
            assert!(DescriptorForm::read(json).unwrap_err().contains("edit it as JSON"), "{json}");
        }
        assert!(DescriptorForm::read("{\"a\": 1}").unwrap_err().contains("“a” must be a JSON object"));
        assert!(DescriptorForm::read("{").unwrap_err().contains("line 1"));
        assert!(DescriptorForm::read(" ").unwrap().is_empty());
    }

    #[test]
    fn a_single_name_is_a_list_of_one_and_odd_types_are_not_shown() {
        let form = DescriptorForm::read(RICH).unwrap();
        assert_eq!(form.list(0, At::Entry(Section::Indices, 0, "names")), Some(vec!["logs-*".into()]));
        assert_eq!(form.list(0, At::Own("run_as")), Some(Vec::new()));
        assert_eq!(form.list(0, At::Own("global")), None);
        assert_eq!(form.text(0, At::Entry(Section::Indices, 0, "query")).as_deref(), Some(r#"{"term":{"x":1}}"#));
        assert_eq!(form.flag(0, At::Entry(Section::Indices, 0, "allow_restricted_indices")), Some(false));
    }

    #[test]
    fn emptied_fields_leave_nothing_that_means_something_else() {
        let mut form = DescriptorForm::read(RICH).unwrap();
        form.set_list(0, At::EntryInner(Section::Indices, 0, "field_security", "grant"), Vec::new());
        form.set_text(0, At::Entry(Section::Indices, 0, "query"), " ");
        assert!(!form.json().contains("field_security") && !form.json().contains("query"));
        form.set_list(1, At::Inner("restriction", "workflows"), vec!["search_application_query".into()]);
        assert!(form.json().contains("restriction"));
        form.set_list(1, At::Inner("restriction", "workflows"), Vec::new());
        assert!(!form.json().contains("restriction"));
        // Clearing a missing member creates nothing.
        let before = form.clone();
        form.set_list(1, At::EntryInner(Section::Indices, 0, "field_security", "except"), Vec::new());
        assert_eq!(form, before);
    }

    #[test]
    fn entries_and_descriptors_come_and_go() {
        let mut form = DescriptorForm::default();
        form.add();
        form.add();
        assert_eq!((form.name(0), form.name(1)), ("rights", "rights_2"));
        assert!(form.rename(1, "rights").is_err());
        form.rename(0, "reader").unwrap();
        form.add_entry(0, Section::Indices);
        assert_eq!(form.missing(0).len(), 2);
        form.set_list(0, At::Entry(Section::Indices, 0, "names"), vec!["logs-*".into()]);
        form.set_list(0, At::Entry(Section::Indices, 0, "privileges"), vec!["read".into()]);
        assert!(form.missing(0).is_empty());
        form.remove(1);
        assert_eq!(form.compact(), r#"{"reader":{"indices":[{"names":["logs-*"],"privileges":["read"]}]}}"#);
        form.remove_entry(0, Section::Indices, 0);
        assert_eq!(form.compact(), r#"{"reader":{}}"#);
    }
}
