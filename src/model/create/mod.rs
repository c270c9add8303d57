//! Creation of keys: from a form as it was typed ([`Draft`]) to a valid request ([`CreateKey`]).

pub mod access_editor;
pub mod clone;
pub mod clone_draft;
mod create_key;
pub mod cross_cluster;
pub mod descriptor_editor;
pub mod grant;
pub mod new_key;
pub mod preset;
mod taken;

use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use super::{
    Timestamp,
    form_error::FormError,
    privileges::{
        descriptor::{self, Grants, Piece},
        role::{self, Role},
    },
    text::json,
    time::expiry::Expiry,
    version::{Edition, Feature},
};
pub use create_key::CreateKey;
use descriptor_editor::DescriptorForm;
use preset::Preset;
pub use taken::Taken;

/// Largest number of characters (UTF-16 code units) that Elasticsearch accepts in a name.
pub const MAX_NAME_CHARS: usize = 256;

/// Largest number of existing roles that an error about a missing role names.
const ROLES_NAMED: usize = 5;

/// Name of the metadata member by which a key is found if the response is lost.
pub const REQUEST_ID: &str = "request_id";

/// Source of the role descriptors of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RightsChoice {
    /// Role descriptors of the selected roles.
    #[default]
    Roles,
    /// All privileges of the user that creates the key.
    AllMine,
    /// No privileges: one empty role descriptor.
    Nothing,
    /// Role descriptor of a preset.
    Preset(Preset),
    /// Custom role descriptors.
    Own,
}

/// Form as it was filled in; nothing in it is checked yet.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Name of the key.
    pub name: String,
    /// Application id, kept in the metadata; blank for none.
    pub application_id: String,
    /// Source of the role descriptors.
    pub rights: RightsChoice,
    /// Names of roles, for [`RightsChoice::Roles`].
    pub roles: Vec<String>,
    /// Index patterns, for [`RightsChoice::Preset`].
    pub patterns: Vec<String>,
    /// Role descriptors as JSON, for [`RightsChoice::Own`].
    pub descriptors: String,
    /// Expiration as it was typed: `90d`, `never` or a date.
    pub expiration: String,
    /// Reason for no expiration, one more than a year away, or all privileges; blank for none.
    pub reason: String,
    /// Metadata as a JSON object, or blank for none.
    pub metadata: String,
}

/// Context in which a draft is checked: what is known of the cluster and the session.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// Cluster's clock.
    pub now: Timestamp,
    /// Time zone in which dates are typed.
    pub zone: &'a TimeZone,
    /// Roles of the cluster; `None` while they are not known.
    pub roles: Option<&'a [Role]>,
    /// Version of the cluster, which determines its features.
    pub edition: Edition,
    /// `true` if the session is signed in with an API key: then the new key is derived and must have no privileges.
    pub by_api_key: bool,
}

/// Field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Name of the key.
    Name,
    /// Application id.
    ApplicationId,
    /// Roles, preset or role descriptors.
    Rights,
    /// Expiration.
    Expiration,
    /// Reason for a long or missing expiration, or for all privileges.
    Reason,
    /// Metadata.
    Metadata,
}

impl Draft {
    /// Checks the whole draft. `request_id` is the id by which the key is found if the response is lost: unique, not
    /// secret.
    ///
    /// # Errors
    /// Returns every validation error with its field.
    pub fn check(&self, around: Surroundings<'_>, request_id: &str) -> Result<CreateKey, Vec<FormError<Field>>> {
        let mut errors = Errors::default();
        errors.take(Field::Name, check_name(&self.name));
        let application_id = self.application_id.trim();
        errors.take(Field::ApplicationId, check_application_id(application_id, around.edition));
        let expiry = Expiry::parse(&self.expiration, around.now, around.zone);
        let expiry = errors.take(Field::Expiration, expiry.map_err(|error| error.to_string()));
        let descriptors = errors.take(Field::Rights, self.descriptors(&around));
        errors.take(Field::Reason, self.check_reason(expiry, &around));
        let metadata = errors.take(Field::Metadata, self.metadata(&around, request_id));

        let (true, Some(expiry), Some(role_descriptors), Some(metadata)) =
            (errors.0.is_empty(), expiry, descriptors, metadata)
        else {
            return Err(errors.0);
        };
        Ok(CreateKey {
            name: self.name.clone(),
            expiry,
            role_descriptors,
            metadata,
            request_id: request_id.to_owned(),
            application_id: (!application_id.is_empty()).then(|| application_id.to_owned()),
        })
    }

    /// Returns `true` if a reason is required: for all privileges, for no expiration, and for one more than a year
    /// away.
    pub fn needs_reason(&self, now: Timestamp, zone: &TimeZone) -> bool {
        let expiry = Expiry::parse(&self.expiration, now, zone);
        self.rights == RightsChoice::AllMine || expiry.is_ok_and(|expiry| expiry.needs_reason(now))
    }

    fn check_reason(&self, expiry: Option<Expiry>, around: &Surroundings<'_>) -> Result<(), String> {
        if !self.needs_reason(around.now, around.zone) || !self.reason.trim().is_empty() {
            return Ok(());
        }
        let what = match (self.rights, expiry) {
            (RightsChoice::AllMine, Some(Expiry::Never)) => "has all your rights and never expires",
            (RightsChoice::AllMine, _) => "has all your rights",
            (_, Some(Expiry::Never)) => "never expires",
            _ => "lives for more than a year",
        };
        Err(format!("Explain why this key {what}: the reason is saved in its metadata"))
    }

    fn descriptors(&self, around: &Surroundings<'_>) -> Result<Box<RawValue>, String> {
        if around.by_api_key && self.rights != RightsChoice::Nothing {
            return Err(
                "When you are signed in with an API key, Elasticsearch creates only keys without privileges: choose \
                 “Nothing”, or sign in as a user"
                    .into(),
            );
        }
        let text = match self.rights {
            RightsChoice::AllMine => "{}".to_owned(),
            RightsChoice::Nothing => r#"{"none":{}}"#.to_owned(),
            RightsChoice::Roles => self.role_descriptors(around)?,
            RightsChoice::Preset(preset) => preset_descriptors(preset, &self.patterns, around.edition)?,
            RightsChoice::Own => self.own_descriptors()?,
        };
        RawValue::from_string(text).map_err(|error| error.to_string())
    }

    fn role_descriptors(&self, around: &Surroundings<'_>) -> Result<String, String> {
        if self.roles.is_empty() {
            return Err("Select at least one role, or choose “All my rights” or “Nothing”".into());
        }
        let Some(known) = around.roles else { return Err("The cluster's roles are not known yet".into()) };
        let mut picked: Vec<(&str, Box<RawValue>)> = Vec::new();
        for wanted in &self.roles {
            let Some(role) = known.iter().find(|role| role.name == *wanted) else {
                return Err(unknown_role(wanted, known));
            };
            if picked.iter().all(|(name, _)| name != wanted) {
                picked.push((&role.name, descriptor::for_key(&role.descriptor)));
            }
        }
        Ok(json::write_object(picked.iter().map(|(name, raw)| (*name, raw.get()))))
    }

    fn metadata(&self, around: &Surroundings<'_>, request_id: &str) -> Result<Option<String>, String> {
        let edition = around.edition;
        let object = json::object(&self.metadata).map_err(|error| error.to_string())?;
        if let Some(key) = object.keys().find(|key| key.starts_with('_')) {
            let at = self.metadata.find(&json::quote(key)).map(|at| place(&self.metadata, at)).unwrap_or_default();
            return Err(format!("“{key}”{at} starts with _, which Elasticsearch reserves: rename it"));
        }
        if !edition.has(Feature::Metadata) {
            return if object.is_empty() { Ok(None) } else { Err(lacks(Feature::Metadata)) };
        }
        let mut own: Vec<(&str, String)> = Vec::new();
        let application_id = self.application_id.trim();
        if !application_id.is_empty() {
            own.push(("application_id", json::quote(application_id)));
        }
        if self.rights == RightsChoice::Roles {
            own.push(("roles", serde_json::Value::from(self.roles.clone()).to_string()));
        }
        if self.needs_reason(around.now, around.zone) {
            own.push(("reason", json::quote(self.reason.trim())));
        }
        own.push((REQUEST_ID, json::quote(request_id)));
        if let Some((taken, _)) = own.iter().find(|(key, _)| object.contains_key(*key)) {
            return Err(format!("“{taken}” is set by Keybearer itself: remove it here"));
        }
        let typed = json::members(&self.metadata).unwrap_or_default();
        let typed = typed.iter().map(|(key, value)| (key.as_str(), value.get()));
        Ok(Some(json::write_object(typed.chain(own.iter().map(|(key, value)| (*key, value.as_str()))))))
    }

    /// Returns a sentence that says what the key will be able to do and until when, updated with each change of the
    /// draft. Where something is still missing, the sentence says so.
    pub fn sentence(&self, around: Surroundings<'_>) -> Vec<Piece> {
        let mut pieces = vec![Piece::Text("A key that ".into())];
        pieces.extend(self.predicate(around, "you"));
        pieces
    }

    /// Returns the sentence without its subject. `owner` is "you" or the name of the key's owner.
    pub(super) fn predicate(&self, around: Surroundings<'_>, owner: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        match self.rights {
            RightsChoice::AllMine => {
                pieces.push(Piece::Strong(format!("does everything {owner} can do")));
                pieces.push(Piece::Text(" today".into()));
            }
            RightsChoice::Nothing => pieces.push(Piece::Strong("can do nothing".into())),
            RightsChoice::Roles => pieces.extend(self.role_words(around.roles.unwrap_or_default())),
            RightsChoice::Preset(preset) => pieces.extend(self.preset_words(preset)),
            RightsChoice::Own => pieces.extend(self.own_words()),
        }
        pieces.extend(self.end_words(around));
        pieces
    }

    /// Returns the last part of the sentence, which says when the key expires.
    pub(super) fn end_words(&self, around: Surroundings<'_>) -> [Piece; 3] {
        let (text, strong) = match Expiry::parse(&self.expiration, around.now, around.zone) {
            Ok(Expiry::Never) => (". It ", "never expires".into()),
            Ok(expiry) => (". It ", format!("expires {}", expiry.words(around.zone))),
            Err(_) => (". Its expiration ", "is not set yet".into()),
        };
        [Piece::Text(text.into()), Piece::Strong(strong), Piece::Text(".".into())]
    }

    /// Returns the role descriptors as they were typed. None at all is refused, since it would give the key all
    /// privileges of its owner.
    fn own_descriptors(&self) -> Result<String, String> {
        let object = json::object(&self.descriptors).map_err(|error| error.to_string())?;
        if object.is_empty() {
            return Err(
                "Without any descriptor the key would have all your rights: add one, or choose “All my rights”".into(),
            );
        }
        if let Some((name, _)) = object.iter().find(|(_, value)| !value.is_object()) {
            return Err(format!("“{name}” must be a JSON object, {{…}}"));
        }
        if let Ok(form) = DescriptorForm::read(&self.descriptors)
            && let Some(missing) = (0..form.len()).find_map(|place| form.missing(place).into_iter().next())
        {
            return Err(missing);
        }
        Ok(self.descriptors.trim().to_owned())
    }

    fn own_words(&self) -> Vec<Piece> {
        let Ok(raw) = RawValue::from_string(self.descriptors.trim().to_owned()) else {
            return vec![Piece::Strong("has no readable privileges yet".into())];
        };
        let clauses = Grants::of(&raw).clauses();
        if clauses.is_empty() { vec![Piece::Strong("can do nothing".into())] } else { descriptor::join(clauses) }
    }

    fn preset_words(&self, preset: Preset) -> Vec<Piece> {
        let descriptors = preset.descriptors(&self.patterns).ok().and_then(|text| RawValue::from_string(text).ok());
        match descriptors {
            Some(raw) => descriptor::join(Grants::of(&raw).clauses()),
            None => vec![Piece::Strong("has no index pattern yet".into())],
        }
    }

    fn role_words(&self, known: &[Role]) -> Vec<Piece> {
        let mut grants = Grants::default();
        for role in known.iter().filter(|role| self.roles.contains(&role.name)) {
            grants.add(&role.name, &role.descriptor);
        }
        let clauses = grants.clauses();
        match (self.roles.is_empty(), clauses.is_empty()) {
            (true, _) => vec![Piece::Strong("has no role yet".into())],
            (false, true) => vec![Piece::Strong("can do nothing".into())],
            (false, false) => descriptor::join(clauses),
        }
    }
}

fn preset_descriptors(preset: Preset, patterns: &[String], edition: Edition) -> Result<String, String> {
    match preset.needs().filter(|feature| !edition.has(*feature)) {
        Some(feature) => {
            Err(format!("{}, which “{}” requires: choose roles or privileges", lacks(feature), preset.title()))
        }
        None => preset.descriptors(patterns).map_err(|error| error.to_string()),
    }
}

#[derive(Default)]
struct Errors(Vec<FormError<Field>>);

impl Errors {
    fn take<T>(&mut self, field: Field, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.0.push(FormError { field, message })).ok()
    }
}

/// Checks a name by the server's rules, as seen on 9.5.3.
///
/// # Errors
/// Returns one sentence that says what to change.
pub fn check_name(name: &str) -> Result<(), String> {
    let length = name.chars().map(char::len_utf16).sum::<usize>();
    // The server's blanks are all characters up to U+0020, so that control characters are among them.
    let trimmed = name.trim_matches(|c: char| c <= ' ' || c.is_whitespace());
    if trimmed.is_empty() {
        return Err("Enter a name for the key".into());
    }
    if length > MAX_NAME_CHARS {
        return Err(format!("A name can have at most {MAX_NAME_CHARS} characters; this one has {length}"));
    }
    if trimmed != name {
        return Err("A name can't begin or end with spaces or control characters: remove them".into());
    }
    if name.starts_with('_') {
        return Err("A name can't begin with _: Elasticsearch reserves such names".into());
    }
    Ok(())
}

fn check_application_id(id: &str, edition: Edition) -> Result<(), String> {
    if id.is_empty() {
        return Ok(());
    }
    if !edition.has(Feature::Metadata) {
        return Err(format!("{}, where the application id is stored: leave it empty", lacks(Feature::Metadata)));
    }
    if id.chars().any(char::is_control) {
        return Err("An application id can't contain control characters or line breaks".into());
    }
    if id.chars().count() > MAX_NAME_CHARS {
        return Err(format!("An application id can have at most {MAX_NAME_CHARS} characters"));
    }
    Ok(())
}

fn lacks(feature: Feature) -> String {
    format!("This cluster is older than {} and lacks {}", feature.since(), feature.words())
}

/// Returns the error message for an unknown role, with the most similar roles of the cluster or else some of those that
/// exist.
pub fn unknown_role(wanted: &str, known: &[Role]) -> String {
    let near = role::nearest(wanted, known.iter().map(|role| role.name.as_str()));
    let missing = format!("There is no role “{wanted}” on this cluster");
    if !near.is_empty() {
        return format!("{missing}, did you mean {}?", near.join(", "));
    }
    // Custom roles are more helpful than those that every cluster has.
    let (built_in, own): (Vec<&Role>, Vec<&Role>) = known.iter().partition(|role| role.reserved);
    let names: Vec<&str> = own.iter().chain(&built_in).take(ROLES_NAMED).map(|role| role.name.as_str()).collect();
    match known.len() - names.len() {
        _ if names.is_empty() => missing,
        0 => format!("{missing}. Its roles: {}", names.join(", ")),
        more => format!("{missing}. Some of its roles: {} and {more} more", names.join(", ")),
    }
}

fn place(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.len() - before.rfind('\n').map_or(0, |end| end + 1) + 1;
    format!(" at line {line}, column {column}")
}

#[cfg(test)]
mod tests;
