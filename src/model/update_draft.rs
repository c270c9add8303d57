//! What a person typed to change keys, and what becomes of it for each of them: only what is different is sent.

use jiff::tz::TimeZone;
use serde_json::value::RawValue;

use super::{
    Millis,
    api_key::{ApiKey, KeyKind},
    expiry::{Expiry, Span},
    json_text,
    update::{self, KeyUpdate},
};

/// What is typed. Of one key the texts are whole; for several only members of the metadata are set or removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateDraft {
    /// All descriptors as JSON; `None` leaves them.
    pub role_descriptors: Option<String>,
    /// Of a cross-cluster key: its whole access as JSON; `None` leaves it.
    pub access: Option<String>,
    /// Of a cross-cluster key: the certificates it is bound to, blank for any; `None` leaves it.
    pub certificate_identity: Option<String>,
    /// The whole metadata as JSON; `None` leaves it, but for what is set and removed below.
    pub metadata: Option<String>,
    /// Members of the metadata, one a line, as `team=payments` or `level=2`.
    pub set: String,
    /// Names of members of the metadata that go, separated by commas or lines.
    pub remove: String,
    /// The new end; blank leaves it.
    pub expiration: String,
}

/// A part of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdateField {
    /// The descriptors.
    RoleDescriptors,
    /// What a cross-cluster key gives access to.
    Access,
    /// The metadata.
    Metadata,
    /// Members that are set.
    Set,
    /// Members that go.
    Remove,
    /// The end.
    Expiration,
}

/// What is wrong, and where.
pub type UpdateSlip = (UpdateField, String);

/// A draft that can be carried out.
#[derive(Clone, Debug, Default)]
pub struct CheckedUpdate {
    role_descriptors: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
    set: Vec<(String, Box<RawValue>)>,
    remove: Vec<String>,
    expiration: Option<Span>,
}

impl UpdateDraft {
    /// The texts of a key as it is, laid out for reading.
    pub fn of(key: &ApiKey) -> Self {
        let text = |raw: &Option<Box<RawValue>>| raw.as_ref().map(|raw| json_text::pretty(raw.get()));
        let metadata = text(&key.metadata);
        if key.kind == KeyKind::CrossCluster {
            let certificate_identity = Some(key.certificate_identity.clone().unwrap_or_default());
            return Self { access: text(&key.access), certificate_identity, metadata, ..Self::default() };
        }
        Self { role_descriptors: text(&key.role_descriptors), metadata, ..Self::default() }
    }

    /// Reads what was typed. `now` is the cluster's. Whether `{}` is meant is asked when what it would change is
    /// known ([`update::diff`]).
    ///
    /// # Errors
    /// Every slip with its place.
    pub fn check(&self, now: Millis, zone: &TimeZone) -> Result<CheckedUpdate, Vec<UpdateSlip>> {
        use UpdateField as At;
        let mut slips = Vec::new();
        let mut checked = CheckedUpdate::default();
        let mut read = |text: &Option<String>, at| match text.as_deref().map(object) {
            Some(Err(words)) => {
                slips.push((at, words));
                None
            }
            Some(Ok(raw)) => Some(raw),
            None => None,
        };
        checked.role_descriptors = read(&self.role_descriptors, At::RoleDescriptors);
        checked.metadata = read(&self.metadata, At::Metadata);
        let members = checked.metadata.as_ref().and_then(|raw| json_text::members(raw.get())).unwrap_or_default();
        let mut names: Vec<(At, String)> = members.into_iter().map(|(name, _)| (At::Metadata, name)).collect();
        for line in self.set.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once('=') {
                Some((name, value)) if !name.trim().is_empty() => {
                    names.push((At::Set, name.trim().to_owned()));
                    checked.set.push((name.trim().to_owned(), value_of(value.trim())));
                }
                _ => slips.push((At::Set, format!("“{line}” is not name=value"))),
            }
        }
        for (at, name) in names.iter().filter(|(_, name)| name.starts_with('_')) {
            slips.push((*at, format!("“{name}” starts with _, which Elasticsearch keeps for itself: rename it")));
        }
        let removed = self.remove.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
        checked.remove = removed.map(str::to_owned).collect();
        if let Some(both) = checked.remove.iter().find(|name| checked.set.iter().any(|(set, _)| set == *name)) {
            slips.push((At::Remove, format!("“{both}” is set above, too")));
        }
        if !self.expiration.trim().is_empty() {
            match end(&self.expiration, now, zone) {
                Ok(span) => checked.expiration = Some(span),
                Err(words) => slips.push((At::Expiration, words)),
            }
        }
        if slips.is_empty() { Ok(checked) } else { Err(slips) }
    }
}

impl CheckedUpdate {
    /// Whether it changes nothing whatever the key is.
    pub fn is_empty(&self) -> bool {
        let Self { role_descriptors, metadata, set, remove, expiration } = self;
        role_descriptors.is_none() && metadata.is_none() && set.is_empty() && remove.is_empty() && expiration.is_none()
    }

    /// The update of one key: what is the same as before is not sent, so that it stays to the byte.
    ///
    /// # Errors
    /// In words, when members can't be set because the cluster tells no metadata.
    pub fn of(&self, key: &ApiKey) -> Result<KeyUpdate, String> {
        let different = |asked: Box<RawValue>, found: &Option<Box<RawValue>>, rights| {
            let known = found.as_deref().map(RawValue::get);
            let is_same = known.is_some_and(|known| update::differences(known, asked.get(), rights).is_empty());
            (!is_same).then_some(asked)
        };
        let mut metadata = self.metadata.clone();
        if !(self.set.is_empty() && self.remove.is_empty()) {
            metadata = Some(self.merged(key)?);
        }
        Ok(KeyUpdate {
            role_descriptors: self.role_descriptors.clone().and_then(|own| different(own, &key.role_descriptors, true)),
            metadata: metadata.and_then(|own| different(own, &key.metadata, false)),
            expiration: self.expiration,
        })
    }

    fn merged(&self, key: &ApiKey) -> Result<Box<RawValue>, String> {
        let unknown = || format!("The metadata of {} is not known, so that no member of it can be changed", key.id);
        let mut members = key.metadata.as_ref().and_then(|raw| json_text::members(raw.get())).ok_or_else(unknown)?;
        members.retain(|(name, _)| !self.remove.contains(name));
        for (name, value) in &self.set {
            match members.iter_mut().find(|(other, _)| other == name) {
                Some((_, old)) => old.clone_from(value),
                None => members.push((name.clone(), value.clone())),
            }
        }
        let text = json_text::write_object(members.iter().map(|(name, value)| (name.as_str(), value.get())));
        RawValue::from_string(text).map_err(|_| unknown())
    }
}

fn object(text: &str) -> Result<Box<RawValue>, String> {
    if text.trim().is_empty() {
        return Err("It is blank: write a JSON object, {…}".into());
    }
    json_text::object(text).map_err(|error| error.to_string())?;
    RawValue::from_string(text.trim().to_owned()).map_err(|error| error.to_string())
}

fn end(text: &str, now: Millis, zone: &TimeZone) -> Result<Span, String> {
    match Expiry::parse(text, now, zone) {
        Ok(Expiry::Never) => Err("The cluster can’t take an end away: set a later one, or create a new key".into()),
        Ok(Expiry::In(span)) => Ok(span),
        Ok(Expiry::At(at)) => Ok(Span::of_millis(at.saturating_sub(now))),
        Err(error) => Err(error.to_string()),
    }
}

/// JSON as it is, anything else as a text.
fn value_of(text: &str) -> Box<RawValue> {
    serde_json::from_str::<Box<RawValue>>(text)
        .or_else(|_| RawValue::from_string(json_text::quote(text)))
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
        draft.check(0, &TimeZone::UTC).unwrap()
    }

    #[test]
    fn what_was_not_changed_is_not_sent() {
        let update = checked(&UpdateDraft::of(&key())).of(&key()).unwrap();
        assert!(update.is_empty(), "{update:?}");
        let draft = UpdateDraft { metadata: Some(r#"{"team":"b"}"#.into()), ..UpdateDraft::of(&key()) };
        let update = checked(&draft).of(&key()).unwrap();
        assert!(update.role_descriptors.is_none() && update.expiration.is_none());
        assert_eq!(update.metadata.unwrap().get(), r#"{"team":"b"}"#);
    }

    #[test]
    fn members_are_set_and_removed_and_the_others_stay_to_the_digit() {
        let draft =
            UpdateDraft { set: "team = b c\n\nlevel=2".into(), remove: "old, gone".into(), ..UpdateDraft::default() };
        let update = checked(&draft).of(&key()).unwrap();
        assert_eq!(update.metadata.unwrap().get(), r#"{"n":1.0e+10,"team":"b c","level":2}"#);
        assert!(checked(&draft).of(&ApiKey::default()).unwrap_err().contains("not known"));
        let same = UpdateDraft { set: "team=a".into(), ..UpdateDraft::default() };
        assert!(checked(&same).of(&key()).unwrap().is_empty());
    }

    #[test]
    fn every_slip_has_its_place() {
        use UpdateField as At;
        let slips = |draft: UpdateDraft| -> Vec<At> {
            draft.check(0, &TimeZone::UTC).unwrap_err().into_iter().map(|(at, _)| at).collect()
        };
        let draft = UpdateDraft {
            role_descriptors: Some("[]".into()),
            metadata: Some(r#"{"_x":1}"#.into()),
            set: "oops\n_y=1\nz=1".into(),
            remove: "z".into(),
            expiration: "never".into(),
            ..UpdateDraft::default()
        };
        assert_eq!(slips(draft), [At::RoleDescriptors, At::Set, At::Metadata, At::Set, At::Remove, At::Expiration]);
        assert_eq!(slips(UpdateDraft { metadata: Some(" ".into()), ..UpdateDraft::default() }), [At::Metadata]);
        assert_eq!(slips(UpdateDraft { expiration: "-1d".into(), ..UpdateDraft::default() }), [At::Expiration]);
    }
}
