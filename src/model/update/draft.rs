//! Draft of an update as it was typed into a form or given by options, and the request that it becomes for each key:
//! only parts that are different are sent.

use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use super::{KeyUpdate, key_change::KeyChange};
use crate::model::{
    Timestamp,
    api_key::{ApiKey, KeyKind},
    create::cross_cluster::Access,
    form_error::FormError,
    text::json,
    time::expiry::{Expiry, Span},
    update,
};

/// Draft of an update as it was typed. For one key it has whole texts; for several keys it only sets and removes
/// members of the metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateDraft {
    /// All role descriptors as JSON; `None` leaves them unchanged.
    pub role_descriptors: Option<String>,
    /// Whole access of a cross-cluster key as JSON; `None` leaves it unchanged.
    pub access: Option<String>,
    /// Certificate pattern of a cross-cluster key, blank for any certificate; `None` leaves it unchanged.
    pub certificate_identity: Option<String>,
    /// Whole metadata as JSON; `None` leaves it unchanged, except for the members that are set and removed below.
    pub metadata: Option<String>,
    /// Members of the metadata to set, one per line, as `team=payments` or `level=2`.
    pub set: String,
    /// Members of the metadata to set, each a whole `name=value` as an option gives it.
    pub set_each: Vec<String>,
    /// Names of members of the metadata to remove, separated by commas or line ends.
    pub remove: String,
    /// Names of members of the metadata to remove, each whole as an option gives it.
    pub remove_each: Vec<String>,
    /// New expiration; blank leaves it unchanged.
    pub expiration: String,
}

/// Field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdateField {
    /// Role descriptors.
    RoleDescriptors,
    /// Access of a cross-cluster key.
    Access,
    /// Metadata as a whole.
    Metadata,
    /// Members of the metadata to set.
    Set,
    /// Members of the metadata to remove.
    Remove,
    /// Expiration.
    Expiration,
}

/// Draft without errors.
#[derive(Clone, Debug, Default)]
pub struct CheckedUpdate {
    pub(crate) role_descriptors: Option<Box<RawValue>>,
    pub(crate) access: Option<Access>,
    pub(crate) certificate_identity: Option<Option<String>>,
    metadata: Option<Box<RawValue>>,
    set: Vec<(String, Box<RawValue>)>,
    remove: Vec<String>,
    expiration: Option<Span>,
    until: Option<Timestamp>,
}

impl UpdateDraft {
    /// Returns the draft with the texts of a key as it is, laid out for reading. Members of the metadata that
    /// Elasticsearch reserves are left out, since it refuses them in an update.
    pub fn of(key: &ApiKey) -> Self {
        let text = |raw: &Option<Box<RawValue>>| raw.as_ref().map(|raw| json::pretty(raw.get()));
        let metadata = key.metadata.as_ref().map(|raw| json::pretty(&without_reserved(raw.get())));
        if key.kind == KeyKind::CrossCluster {
            let certificate_identity = Some(key.certificate_identity.clone().unwrap_or_default());
            return Self { access: text(&key.access), certificate_identity, metadata, ..Self::default() };
        }
        Self { role_descriptors: text(&key.role_descriptors), metadata, ..Self::default() }
    }

    /// Checks the draft. `now` is the cluster's clock. Confirmation of `{}` is requested later, when the changes are
    /// known ([`update::diff`]).
    ///
    /// # Errors
    /// Returns every validation error with its field.
    pub fn check(&self, now: Timestamp, zone: &TimeZone) -> Result<CheckedUpdate, Vec<FormError<UpdateField>>> {
        use UpdateField as At;
        let mut errors = Vec::new();
        let mut checked = CheckedUpdate::default();
        let mut read = |text: &Option<String>, at| match text.as_deref().map(object) {
            Some(Err(words)) => {
                errors.push(FormError::new(at, words));
                None
            }
            Some(Ok(raw)) => Some(raw),
            None => None,
        };
        checked.role_descriptors = read(&self.role_descriptors, At::RoleDescriptors);
        checked.metadata = read(&self.metadata, At::Metadata);
        let members = checked.metadata.as_ref().and_then(|raw| json::members(raw.get())).unwrap_or_default();
        let mut names: Vec<(At, String)> = members.into_iter().map(|(name, _)| (At::Metadata, name)).collect();
        let lines = self.set.lines().map(str::trim).filter(|line| !line.is_empty());
        let typed = lines.map(|line| line.split_once('=').map(|(name, value)| (name.trim(), value.trim())).ok_or(line));
        let given = self.set_each.iter().map(|pair| pair.split_once('=').ok_or(pair.as_str()));
        for pair in typed.chain(given) {
            match pair {
                Ok((name, value)) if !name.is_empty() => {
                    names.push((At::Set, name.to_owned()));
                    checked.set.push((name.to_owned(), value_of(value)));
                }
                Ok((_, value)) => errors
                    .push(FormError::new(At::Set, format!("“={value}” has no name before the sign: use name=value"))),
                Err(other) => errors.push(FormError::new(At::Set, format!("“{other}” is not name=value"))),
            }
        }
        for (at, name) in names.iter().filter(|(_, name)| name.starts_with('_')) {
            errors
                .push(FormError::new(*at, format!("“{name}” starts with _, which Elasticsearch reserves: rename it")));
        }
        let removed = self.remove.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
        checked.remove = removed.map(str::to_owned).chain(self.remove_each.iter().cloned()).collect();
        if let Some(both) = checked.remove.iter().find(|name| checked.set.iter().any(|(set, _)| set == *name)) {
            errors.push(FormError::new(At::Remove, format!("“{both}” is also set")));
        }
        if self.metadata.is_some() && !(self.set_each.is_empty() && self.remove_each.is_empty()) {
            errors.push(FormError::new(At::Metadata, "It replaces all metadata: set or remove single fields in it"));
        }
        if !self.expiration.trim().is_empty() {
            match end(&self.expiration, now, zone) {
                Ok((span, until)) => (checked.expiration, checked.until) = (Some(span), until),
                Err(words) => errors.push(FormError::new(At::Expiration, words)),
            }
        }
        let access = self.access.as_deref().map(Access::parse).transpose();
        checked.access = access.map_err(|words| errors.push(FormError::new(At::Access, words))).unwrap_or_default();
        let identity = self.certificate_identity.as_ref().map(|text| text.trim());
        checked.certificate_identity = identity.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        if errors.is_empty() { Ok(checked) } else { Err(errors) }
    }
}

impl CheckedUpdate {
    /// Returns `true` if the expiration is to change.
    pub fn has_end(&self) -> bool {
        self.expiration.is_some()
    }

    /// Returns the expiration if it was given as a date; `None` otherwise.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Returns the request for one key. Parts that do not differ are not sent, so that they stay exactly as they are.
    /// It may be empty for a REST key, for which an empty update still takes a new owner's snapshot; `None` for a
    /// cross-cluster key for which nothing is different.
    ///
    /// # Errors
    /// Returns a message if members can't be set because the cluster does not report the metadata, if the draft has a
    /// part that a key of this kind does not have, or if keys of this kind are unknown.
    pub fn of(&self, key: &ApiKey) -> Result<Option<KeyChange>, FormError<UpdateField>> {
        let id = crate::model::text::sanitize::shortened(key.id.as_str(), 60);
        match &key.kind {
            KeyKind::CrossCluster if self.role_descriptors.is_some() => {
                let words = format!("{id} is a cross-cluster key, which has access instead of role descriptors");
                Err(FormError::new(UpdateField::RoleDescriptors, words))
            }
            KeyKind::CrossCluster => self.cross(key).map(|update| update.map(KeyChange::CrossCluster)),
            KeyKind::Rest if self.access.is_some() || self.certificate_identity.is_some() => {
                let words = format!("{id} is a REST key, but access and certificates are for cross-cluster keys");
                Err(FormError::new(UpdateField::Access, words))
            }
            KeyKind::Rest => Ok(Some(KeyChange::Rest(self.plain(key)?))),
            KeyKind::Other(kind) => {
                let words = format!("{id} is a {kind} key, and Keybearer does not know how to update it");
                Err(FormError::new(UpdateField::Metadata, words))
            }
        }
    }

    /// Returns the request with the parts that are different, access and certificates left out.
    pub(crate) fn plain(&self, key: &ApiKey) -> Result<KeyUpdate, FormError<UpdateField>> {
        let is_same = |asked: &RawValue, known: Option<&str>, rights| {
            known.is_some_and(|known| update::differences(known, asked.get(), rights).is_empty())
        };
        let mut metadata = self.metadata.clone();
        if !(self.set.is_empty() && self.remove.is_empty()) {
            metadata = Some(self.merged(key).map_err(|message| FormError::new(UpdateField::Set, message))?);
        }
        let known = key.metadata.as_deref().map(|raw| without_reserved(raw.get()));
        let descriptors = key.role_descriptors.as_deref().map(RawValue::get);
        Ok(KeyUpdate {
            role_descriptors: self.role_descriptors.clone().filter(|own| !is_same(own, descriptors, true)),
            metadata: metadata.filter(|own| !is_same(own, known.as_deref(), false)),
            expiration: self.expiration,
        })
    }

    fn merged(&self, key: &ApiKey) -> Result<Box<RawValue>, String> {
        let unknown = || format!("The metadata of {} is not known, so no field of it can be changed", key.id);
        let mut members = key.metadata.as_ref().and_then(|raw| json::members(raw.get())).ok_or_else(unknown)?;
        members.retain(|(name, _)| !name.starts_with('_') && !self.remove.contains(name));
        for (name, value) in &self.set {
            match members.iter_mut().find(|(other, _)| other == name) {
                Some((_, old)) => old.clone_from(value),
                None => members.push((name.clone(), value.clone())),
            }
        }
        let text = json::write_object(members.iter().map(|(name, value)| (name.as_str(), value.get())));
        RawValue::from_string(text).map_err(|_| unknown())
    }
}

fn object(text: &str) -> Result<Box<RawValue>, String> {
    if text.trim().is_empty() {
        return Err("It is blank: enter a JSON object, {…}".into());
    }
    json::object(text).map_err(|error| error.to_string())?;
    RawValue::from_string(text.trim().to_owned()).map_err(|error| error.to_string())
}

/// Returns metadata without the members that Elasticsearch reserves and refuses in an update (`_cloned_from`, 400 on
/// 9.5.3). An update of the metadata removes them.
pub(crate) fn without_reserved(metadata: &str) -> String {
    match json::members(metadata) {
        Some(members) if members.iter().any(|(name, _)| name.starts_with('_')) => {
            let kept = members.iter().filter(|(name, _)| !name.starts_with('_'));
            json::write_object(kept.map(|(name, value)| (name.as_str(), value.get())))
        }
        _ => metadata.to_owned(),
    }
}

/// Returns the span until the expiration, and the expiration if it was given as a date.
fn end(text: &str, now: Timestamp, zone: &TimeZone) -> Result<(Span, Option<Timestamp>), String> {
    match Expiry::parse(text, now, zone) {
        Ok(Expiry::Never) => Err("An expiration can't be removed: set a later one, or create a new key".into()),
        Ok(Expiry::In(span)) => Ok((span, None)),
        Ok(Expiry::At(at)) => Ok((Span::of(at - now), Some(at))),
        Err(error) => Err(error.to_string()),
    }
}

/// Returns JSON as it is, and any other text as a JSON string.
fn value_of(text: &str) -> Box<RawValue> {
    serde_json::from_str::<Box<RawValue>>(text)
        .or_else(|_| RawValue::from_string(json::quote(text)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Option<Box<RawValue>> {
        RawValue::from_string(text.into()).ok()
    }

    fn key() -> ApiKey {
        let told = r#"{"r":{"cluster":["monitor"],"indices":[],"run_as":[],"transient_metadata":{"enabled":true}}}"#;
        let metadata = raw(r#"{"n":1.0e+10,"team":"a","old":true}"#);
        ApiKey { role_descriptors: raw(told), metadata, ..ApiKey::default() }
    }

    fn checked(draft: &UpdateDraft) -> CheckedUpdate {
        draft.check(Timestamp::EPOCH, &TimeZone::UTC).unwrap()
    }

    fn rest(draft: &UpdateDraft, key: &ApiKey) -> KeyUpdate {
        let Ok(Some(KeyChange::Rest(update))) = checked(draft).of(key) else { panic!("an update of a REST key") };
        update
    }

    #[test]
    fn what_was_not_changed_is_not_sent() {
        let update = rest(&UpdateDraft::of(&key()), &key());
        assert!(update.is_empty(), "{update:?}");
        let draft = UpdateDraft { metadata: Some(r#"{"team":"b"}"#.into()), ..UpdateDraft::of(&key()) };
        let update = rest(&draft, &key());
        assert!(update.role_descriptors.is_none() && update.expiration.is_none());
        assert_eq!(update.metadata.unwrap().get(), r#"{"team":"b"}"#);
    }

    #[test]
    fn members_are_set_and_removed_and_the_others_stay_to_the_digit() {
        let draft =
            UpdateDraft { set: "team = b c\n\nlevel=2".into(), remove: "old, gone".into(), ..UpdateDraft::default() };
        let update = rest(&draft, &key());
        assert_eq!(update.metadata.unwrap().get(), r#"{"n":1.0e+10,"team":"b c","level":2}"#);
        assert!(checked(&draft).of(&ApiKey::default()).unwrap_err().message.contains("not known"));
        let same = UpdateDraft { set: "team=a".into(), ..UpdateDraft::default() };
        assert!(rest(&same, &key()).is_empty());
        // As options give them: each one whole and unchanged.
        let each = UpdateDraft {
            set_each: vec!["a = b".into(), "j={\n\"x\":1}".into()],
            remove_each: vec!["old".into()],
            ..UpdateDraft::default()
        };
        let text = rest(&each, &key()).metadata.unwrap();
        assert_eq!(text.get(), "{\"n\":1.0e+10,\"team\":\"a\",\"a \":\" b\",\"j\":{\n\"x\":1}}");
    }

    #[test]
    fn what_elasticsearch_keeps_for_itself_is_never_sent_back() {
        let copy = ApiKey { metadata: raw(r#"{"_cloned_from":"x","team":"a"}"#), ..key() };
        assert!(rest(&UpdateDraft::of(&copy), &copy).is_empty(), "nothing was changed");
        let draft = UpdateDraft { set: "team=b".into(), ..UpdateDraft::default() };
        assert_eq!(rest(&draft, &copy).metadata.unwrap().get(), r#"{"team":"b"}"#);
    }

    #[test]
    fn an_end_that_is_a_date_is_kept_to_be_compared() {
        let until = |expiration: &str| {
            checked(&UpdateDraft { expiration: expiration.into(), ..UpdateDraft::default() }).until()
        };
        assert_eq!(until("9d"), None);
        assert_eq!(until("2027-02-21T00:00:00Z"), Some(Timestamp::from_millis(1_803_168_000_000)));
    }

    #[test]
    fn each_kind_of_key_has_parts_of_its_own() {
        let error = |draft: UpdateDraft, kind: KeyKind| checked(&draft).of(&ApiKey { kind, ..key() }).unwrap_err();
        let draft = UpdateDraft { role_descriptors: Some("{}".into()), ..UpdateDraft::default() };
        assert_eq!(error(draft, KeyKind::CrossCluster).field, UpdateField::RoleDescriptors);
        let draft = UpdateDraft { certificate_identity: Some("CN=a".into()), ..UpdateDraft::default() };
        assert_eq!(error(draft, KeyKind::Rest).field, UpdateField::Access);
        let other = KeyKind::Other("later".into());
        assert!(error(UpdateDraft::default(), other).message.contains("does not know how to update it"));
    }

    #[test]
    fn every_slip_has_its_place() {
        use UpdateField as At;
        let errors = |draft: UpdateDraft| -> Vec<At> {
            draft.check(Timestamp::EPOCH, &TimeZone::UTC).unwrap_err().into_iter().map(|error| error.field).collect()
        };
        let draft = UpdateDraft {
            role_descriptors: Some("[]".into()),
            metadata: Some(r#"{"_x":1}"#.into()),
            set: "oops\n_y=1\nz=1".into(),
            remove: "z".into(),
            expiration: "never".into(),
            ..UpdateDraft::default()
        };
        assert_eq!(errors(draft), [At::RoleDescriptors, At::Set, At::Metadata, At::Set, At::Remove, At::Expiration]);
        assert_eq!(errors(UpdateDraft { metadata: Some(" ".into()), ..UpdateDraft::default() }), [At::Metadata]);
        assert_eq!(errors(UpdateDraft { expiration: "-1d".into(), ..UpdateDraft::default() }), [At::Expiration]);
    }
}
