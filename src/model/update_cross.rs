//! What a person typed to change a cross-cluster key: only what is different is sent.

use jiff::tz::TimeZone;

use super::{
    Millis,
    api_key::ApiKey,
    cross_cluster::{Access, CrossClusterUpdate},
    json_text, update,
    update_draft::{UpdateDraft, UpdateField, UpdateSlip},
};

impl UpdateDraft {
    /// Reads what was typed for a cross-cluster key as it is now. `now` is the cluster's. `None` where nothing is
    /// different.
    ///
    /// # Errors
    /// Every slip with its place.
    pub fn cross(
        &self,
        key: &ApiKey,
        now: Millis,
        zone: &TimeZone,
    ) -> Result<Option<CrossClusterUpdate>, Vec<UpdateSlip>> {
        let plain = Self { role_descriptors: None, ..self.clone() };
        let (checked, mut slips) = match plain.check(now, zone) {
            Ok(checked) => (Some(checked), Vec::new()),
            Err(slips) => (None, slips),
        };
        let access = self.access.as_deref().map(Access::parse).transpose();
        let access = access.map_err(|words| slips.push((UpdateField::Access, words))).unwrap_or_default();
        let (Some(checked), true) = (checked, slips.is_empty()) else { return Err(slips) };
        let change = checked.of(key).map_err(|words| vec![(UpdateField::Set, words)])?;
        let is_same = |access: &Access| {
            let known = key.access.as_deref();
            known.is_some_and(|known| update::differences(known.get(), access.raw().get(), true).is_empty())
        };
        let typed = self.certificate_identity.as_ref().map(|text| text.trim());
        let typed = typed.map(|text| (!text.is_empty()).then(|| text.to_owned()));
        let mut update = CrossClusterUpdate {
            access: access.filter(|access| !is_same(access)),
            certificate_identity: typed.filter(|identity| *identity != key.certificate_identity),
            metadata: change.metadata,
            expiration: change.expiration,
        };
        if update.is_enough() {
            return Ok(Some(update));
        }
        if update.expiration.is_none() {
            return Ok(None);
        }
        // Elasticsearch refuses an end alone: the metadata goes along as it is, but for what it keeps for itself.
        let words = "Elasticsearch takes a new end only with another change, and the metadata of this key is not known";
        let known = key.metadata.as_deref().and_then(|raw| json_text::members(raw.get()));
        let known = known.ok_or_else(|| vec![(UpdateField::Expiration, words.to_owned())])?;
        let kept = known.iter().filter(|(name, _)| !name.starts_with('_'));
        let text = json_text::write_object(kept.map(|(name, value)| (name.as_str(), value.get())));
        update.metadata = serde_json::value::RawValue::from_string(text).ok();
        Ok(Some(update))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::model::api_key::KeyKind;

    fn key() -> ApiKey {
        let raw = |text: &str| RawValue::from_string(text.into()).ok();
        ApiKey {
            kind: KeyKind::CrossCluster,
            access: raw(r#"{"search":[{"names":["a"],"allow_restricted_indices":false}]}"#),
            metadata: raw(r#"{"n":1.0e+2}"#),
            certificate_identity: Some("CN=x".into()),
            ..ApiKey::default()
        }
    }

    fn update(change: impl FnOnce(&mut UpdateDraft)) -> Result<Option<CrossClusterUpdate>, Vec<UpdateSlip>> {
        let mut draft = UpdateDraft::of(&key());
        change(&mut draft);
        draft.cross(&key(), 0, &TimeZone::UTC)
    }

    #[test]
    fn what_was_not_changed_is_not_sent_and_an_end_does_not_go_alone() {
        assert!(update(|_| ()).unwrap().is_none());
        assert!(update(|draft| draft.access = Some(r#"{"search":[{"names":["a"]}]}"#.into())).unwrap().is_none());
        let end = update(|draft| draft.expiration = "9d".into()).unwrap().unwrap();
        assert_eq!(end.body(), r#"{"metadata":{"n":1.0e+2},"expiration":"9d"}"#);
        let whole = update(|draft| {
            draft.access = Some(r#"{"search":[{"names":["b"]}],"later":1}"#.into());
            draft.certificate_identity = Some(" ".into());
        });
        let body = whole.unwrap().unwrap().body();
        assert_eq!(body, r#"{"access":{"search":[{"names":["b"]}],"later":1},"certificate_identity":null}"#);
    }

    #[test]
    fn every_slip_has_its_place() {
        let slips = update(|draft| {
            draft.access = Some("{}".into());
            draft.metadata = Some("[]".into());
            draft.expiration = "never".into();
        });
        let places: Vec<UpdateField> = slips.unwrap_err().into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [UpdateField::Metadata, UpdateField::Expiration, UpdateField::Access]);
    }
}
