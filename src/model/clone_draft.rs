//! What a person typed to copy a key. The secret of the source comes in whatever form its consumer has it.

use jiff::tz::TimeZone;

use super::{
    Millis,
    api_key::ApiKey,
    cloning::{self, CloneKey},
    create::check_name,
    expiry::Expiry,
    pasted::{self, PastedError},
    secret::Secret,
};

/// A form as it was filled in, without the secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloneDraft {
    /// Name of the copy.
    pub name: String,
    /// When the copy ends; blank is when its source does.
    pub expiration: String,
    /// Why it never ends.
    pub reason: String,
}

/// A part of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloneField {
    /// The secret of the source.
    Secret,
    /// The name.
    Name,
    /// The end.
    Expiration,
    /// The word of reason.
    Reason,
}

/// What is wrong, and where.
pub type CloneSlip = (CloneField, String);

impl CloneDraft {
    /// Whether a word of reason is asked for: the copy has no end although its source may have one.
    pub fn needs_reason(&self) -> bool {
        self.expiration.trim().eq_ignore_ascii_case("never")
    }

    /// Reads what was typed, and finds the secret of `source` in what was pasted. `now` is the cluster's;
    /// `request_id` is what a lost answer is looked for by.
    ///
    /// # Errors
    /// Every slip with its place; none repeats what was pasted.
    pub fn check(
        &self,
        source: &ApiKey,
        pasted: &Secret,
        (now, zone): (Millis, &TimeZone),
        request_id: &str,
    ) -> Result<CloneKey, Vec<CloneSlip>> {
        use CloneField as At;
        let mut slips = Vec::new();
        let secret = secret_of(source, pasted).map_err(|words| slips.push((At::Secret, words))).ok();
        if let Err(words) = check_name(&self.name) {
            slips.push((At::Name, words));
        }
        let expiry = match self.expiration.trim() {
            "" => None,
            text => {
                Expiry::parse(text, now, zone).map_err(|error| slips.push((At::Expiration, error.to_string()))).ok()
            }
        };
        let reason = Some(self.reason.trim()).filter(|reason| !reason.is_empty() && self.needs_reason());
        if self.needs_reason() && reason.is_none() {
            let words = "Say why this key never ends: the reason is kept in its metadata";
            slips.push((At::Reason, words.into()));
        }
        let metadata = cloning::metadata(source, request_id, reason);
        if metadata.is_none() && reason.is_some() {
            let words = "The metadata of the source is not known, which a reason would replace: choose another end";
            slips.push((At::Reason, words.into()));
        }
        let (Some(secret), true) = (secret, slips.is_empty()) else { return Err(slips) };
        let request_id = metadata.is_some().then(|| request_id.to_owned());
        Ok(CloneKey { source: source.id.clone(), secret, name: self.name.clone(), expiry, metadata, request_id })
    }
}

/// The secret of this very key in a text; a secret by itself is taken for it.
fn secret_of(source: &ApiKey, pasted: &Secret) -> Result<Secret, String> {
    match pasted::read(pasted) {
        Ok(found) => match found.iter().find(|candidate| candidate.id == source.id.as_str()) {
            Some(own) => Ok(own.secret.clone()),
            None => {
                let other = found.first().map(|other| super::harmless::shortened(&other.id, 40)).unwrap_or_default();
                Err(format!("This is the secret of key {other}: paste that of {}", source.id))
            }
        },
        Err(PastedError::IdMissing) => Ok(Secret::new(pasted.expose().trim())),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::{api_key::KeyId, login};

    const ID: &str = "VuaCfGcBCdbkQm-e5aOx";
    const SECRET: &str = "ui2lp2axTNmsyakw9tvNnw";

    fn source() -> ApiKey {
        let metadata = RawValue::from_string(r#"{"team":"a","request_id":"old"}"#.into()).ok();
        ApiKey { id: KeyId::new(ID), metadata, ..ApiKey::default() }
    }

    fn check(draft: &CloneDraft, pasted: &Secret) -> Result<CloneKey, Vec<CloneSlip>> {
        draft.check(&source(), pasted, (0, &TimeZone::UTC), "new")
    }

    fn named() -> CloneDraft {
        CloneDraft { name: "copy".into(), ..CloneDraft::default() }
    }

    #[test]
    fn the_secret_comes_in_any_form_and_must_be_that_of_the_source() {
        let encoded = login::encode(ID, &Secret::new(SECRET));
        let text = encoded.expose();
        let header = Secret::new(format!("Authorization: ApiKey {text}"));
        for pasted in [encoded, header, Secret::new(format!("{ID}:{SECRET}")), Secret::new(format!(" {SECRET}\n"))] {
            let made = check(&named(), &pasted).unwrap();
            assert_eq!((made.secret.expose(), made.source.as_str(), made.expiry), (SECRET, ID, None));
            assert_eq!(made.metadata.as_deref(), Some(r#"{"team":"a","request_id":"new"}"#));
        }
        let other = Secret::new(format!("VuaCfGcBCdbkQm-e5aZZ:{SECRET}"));
        let slips = check(&named(), &other).unwrap_err();
        assert!(slips[0].1.contains("e5aZZ") && !slips[0].1.contains(SECRET), "{slips:?}");
        assert_eq!(check(&named(), &Secret::default()).unwrap_err()[0].0, CloneField::Secret);
    }

    #[test]
    fn every_slip_has_its_place() {
        let draft = CloneDraft { expiration: "never".into(), ..CloneDraft::default() };
        let places = |draft: &CloneDraft| {
            let slips = check(draft, &Secret::default()).unwrap_err();
            slips.into_iter().map(|(place, _)| place).collect::<Vec<_>>()
        };
        assert_eq!(places(&draft), [CloneField::Secret, CloneField::Name, CloneField::Reason]);
        let draft = CloneDraft { expiration: "soon".into(), ..named() };
        assert_eq!(places(&draft), [CloneField::Secret, CloneField::Expiration]);
        let draft = CloneDraft { expiration: "never".into(), reason: "a test".into(), ..named() };
        let made = check(&draft, &Secret::new(SECRET)).unwrap();
        assert_eq!(made.expiry, Some(Expiry::Never));
        assert!(made.metadata.unwrap().contains("a test"));
    }
}
