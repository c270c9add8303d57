//! Form for copying a key, as it was typed. The secret of the source is accepted in any form in which a consumer has
//! it.

use jiff::tz::TimeZone;

use super::{
    check_name,
    clone::{self, CloneKey},
};
use crate::model::{
    Timestamp,
    api_key::{ApiKey, KeyId},
    connections::login::Login,
    form_error::FormError,
    secret::Secret,
    secret_text::{self, PastedError},
    time::expiry::Expiry,
};

/// Form as it was filled in, without the secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloneDraft {
    /// Name of the copy.
    pub name: String,
    /// Expiration of the copy as it was typed; blank means that of the source.
    pub expiration: String,
    /// Reason why the copy never expires, or only after more than a year; blank for none.
    pub reason: String,
}

/// Field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloneField {
    /// Secret of the source.
    Secret,
    /// Name of the copy.
    Name,
    /// Expiration of the copy.
    Expiration,
    /// Reason for a long or missing expiration.
    Reason,
}

impl CloneDraft {
    /// Returns `true` if a reason is required: the draft's own expiration is `never` or more than a year away.
    pub fn needs_reason(&self, now: Timestamp, zone: &TimeZone) -> bool {
        Expiry::parse(&self.expiration, now, zone).is_ok_and(|expiry| expiry.needs_reason(now))
    }

    /// Checks everything except the secret and the source: name, expiration, and the reason that a long or missing
    /// expiration requires. Returns the expiration; `None` means that of the source. `now` is the cluster's clock.
    ///
    /// # Errors
    /// Returns every validation error with its field.
    pub fn check_alone(&self, now: Timestamp, zone: &TimeZone) -> Result<Option<Expiry>, Vec<FormError<CloneField>>> {
        use CloneField as At;
        let mut errors = Vec::new();
        if let Err(words) = check_name(&self.name) {
            errors.push(FormError::new(At::Name, words));
        }
        let expiry = match self.expiration.trim() {
            "" => None,
            text => Expiry::parse(text, now, zone)
                .map_err(|error| errors.push(FormError::new(At::Expiration, error.to_string())))
                .ok(),
        };
        if self.needs_reason(now, zone) && self.reason.trim().is_empty() {
            errors.push(FormError::new(At::Reason, why_so_long(expiry)));
        }
        if errors.is_empty() { Ok(expiry) } else { Err(errors) }
    }

    /// Checks the form and finds the secret of the source in the pasted text. `now` is the cluster's clock;
    /// `request_id` is the id by which the copy is found if the response is lost.
    ///
    /// # Errors
    /// Returns every validation error with its field. No message contains the pasted secret.
    pub fn check(
        &self,
        source: CloneSource<'_>,
        pasted: &Secret,
        now: Timestamp,
        zone: &TimeZone,
        request_id: &str,
    ) -> Result<CloneKey, Vec<FormError<CloneField>>> {
        use CloneField as At;
        let mut errors = Vec::new();
        let secret = secret_of(source.id, pasted).map_err(|words| errors.push(FormError::new(At::Secret, words))).ok();
        let expiry = self.check_alone(now, zone).unwrap_or_else(|alone| {
            errors.extend(alone);
            None
        });
        let reason = Some(self.reason.trim()).filter(|reason| !reason.is_empty());
        let metadata = source.known.and_then(|known| clone::metadata(known, request_id, reason));
        if metadata.is_none() && reason.is_some() {
            let words = "The metadata of the source is not known, and a reason would replace it: remove the reason, \
                         and choose an expiration";
            errors.push(FormError::new(At::Reason, words));
        }
        let (Some(secret), true) = (secret, errors.is_empty()) else { return Err(errors) };
        let request_id = metadata.is_some().then(|| request_id.to_owned());
        Ok(CloneKey { source: source.id.clone(), secret, name: self.name.clone(), expiry, metadata, request_id })
    }
}

/// Key that is copied, as far as it may be read.
#[derive(Clone, Copy, Debug)]
pub struct CloneSource<'a> {
    /// Id of the key.
    pub id: &'a KeyId,
    /// Key as it was read; `None` if it may not be read.
    pub known: Option<&'a ApiKey>,
}

impl<'a> From<&'a ApiKey> for CloneSource<'a> {
    fn from(key: &'a ApiKey) -> Self {
        Self { id: &key.id, known: Some(key) }
    }
}

/// Returns the validation error for a missing reason.
fn why_so_long(expiry: Option<Expiry>) -> String {
    let what = if expiry == Some(Expiry::Never) { "never expires" } else { "lives for more than a year" };
    format!("Explain why this key {what}: the reason is saved in its metadata")
}

/// Returns the secret of the key `source` from a pasted text; a secret without an id is taken to be that of this key.
fn secret_of(source: &KeyId, pasted: &Secret) -> Result<Secret, String> {
    if let Ok(Login::ApiKey { id, secret }) = Login::from_api_key_text(pasted.expose())
        && id == source.as_str()
    {
        return Ok(secret);
    }
    match secret_text::read(pasted) {
        Ok(found) => match found.iter().find(|candidate| candidate.id == source.as_str()) {
            Some(own) => Ok(own.secret.clone()),
            None => {
                let other = found
                    .first()
                    .map(|other| crate::model::text::sanitize::shortened(&other.id, 40))
                    .unwrap_or_default();
                Err(format!("This is the secret of key {other}: paste that of {source}"))
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
    use crate::model::{api_key::KeyId, connections::login};

    const ID: &str = "VuaCfGcBCdbkQm-e5aOx";
    const SECRET: &str = "ui2lp2axTNmsyakw9tvNnw";

    fn source() -> ApiKey {
        let metadata = RawValue::from_string(r#"{"team":"a","request_id":"old"}"#.into()).ok();
        ApiKey { id: KeyId::new(ID), metadata, ..ApiKey::default() }
    }

    fn check(draft: &CloneDraft, pasted: &Secret) -> Result<CloneKey, Vec<FormError<CloneField>>> {
        draft.check((&source()).into(), pasted, Timestamp::EPOCH, &TimeZone::UTC, "new")
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
        let errors = check(&named(), &other).unwrap_err();
        assert!(errors[0].message.contains("e5aZZ") && !errors[0].message.contains(SECRET), "{errors:?}");
        assert_eq!(check(&named(), &Secret::default()).unwrap_err()[0].field, CloneField::Secret);
    }

    #[test]
    fn every_slip_has_its_place() {
        let draft = CloneDraft { expiration: "never".into(), ..CloneDraft::default() };
        let places = |draft: &CloneDraft| {
            let errors = check(draft, &Secret::default()).unwrap_err();
            errors.into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(places(&draft), [CloneField::Secret, CloneField::Name, CloneField::Reason]);
        let draft = CloneDraft { expiration: "soon".into(), ..named() };
        assert_eq!(places(&draft), [CloneField::Secret, CloneField::Expiration]);
        let draft = CloneDraft { expiration: "never".into(), reason: "a test".into(), ..named() };
        let made = check(&draft, &Secret::new(SECRET)).unwrap();
        assert_eq!(made.expiry, Some(Expiry::Never));
        assert!(made.metadata.unwrap().contains("a test"));
        // A reason that is given is kept, whatever the expiration.
        let draft = CloneDraft { expiration: "9d".into(), reason: "a test".into(), ..named() };
        assert!(check(&draft, &Secret::new(SECRET)).unwrap().metadata.unwrap().contains("a test"));
    }

    #[test]
    fn of_a_source_that_one_may_not_see_nothing_is_replaced() {
        let id = KeyId::new(ID);
        let unseen = CloneSource { id: &id, known: None };
        let check =
            |draft: &CloneDraft| draft.check(unseen, &Secret::new(SECRET), Timestamp::EPOCH, &TimeZone::UTC, "new");
        let made = check(&named()).unwrap();
        assert_eq!((made.metadata, made.request_id), (None, None));
        let errors = check(&CloneDraft { reason: "why".into(), ..named() }).unwrap_err();
        assert_eq!(errors[0].field, CloneField::Reason);
    }
}
