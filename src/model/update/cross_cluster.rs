//! Update request for a cross-cluster key: only parts that are different are sent.

use super::draft::{CheckedUpdate, UpdateField, without_reserved};
use crate::model::{
    api_key::ApiKey,
    create::cross_cluster::{Access, CrossClusterUpdate},
    form_error::FormError,
    update,
};

impl CheckedUpdate {
    /// Returns the request for a cross-cluster key as it is now; `None` if nothing is different.
    ///
    /// # Errors
    /// Returns a message if the metadata is needed and the cluster does not report it.
    pub(crate) fn cross(&self, key: &ApiKey) -> Result<Option<CrossClusterUpdate>, FormError<UpdateField>> {
        let change = self.plain(key)?;
        let is_same = |access: &Access| {
            let known = key.access.as_deref();
            known.is_some_and(|known| update::differences(known.get(), access.raw().get(), true).is_empty())
        };
        let mut update = CrossClusterUpdate {
            access: self.access.clone().filter(|access| !is_same(access)),
            certificate_identity: self.certificate_identity.clone().filter(|own| *own != key.certificate_identity),
            metadata: change.metadata,
            expiration: change.expiration,
        };
        if update.is_enough() {
            return Ok(Some(update));
        }
        if update.expiration.is_none() {
            return Ok(None);
        }
        // Elasticsearch refuses an expiration alone: the metadata is sent as it is, without the reserved members.
        let words = "Elasticsearch accepts a new expiration only with another change, and the metadata of this key is \
                     not known";
        let known = key.metadata.as_deref().ok_or_else(|| FormError::new(UpdateField::Expiration, words))?;
        update.metadata = serde_json::value::RawValue::from_string(without_reserved(known.get())).ok();
        Ok(Some(update))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::{Timestamp, api_key::KeyKind, update::draft::UpdateDraft};

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

    fn update(
        change: impl FnOnce(&mut UpdateDraft),
    ) -> Result<Option<CrossClusterUpdate>, Vec<FormError<UpdateField>>> {
        let mut draft = UpdateDraft::of(&key());
        change(&mut draft);
        draft.check(Timestamp::EPOCH, &TimeZone::UTC)?.cross(&key()).map_err(|error| vec![error])
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
        let errors = update(|draft| {
            draft.access = Some("{}".into());
            draft.metadata = Some("[]".into());
            draft.expiration = "never".into();
        });
        let places: Vec<UpdateField> = errors.unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(places, [UpdateField::Metadata, UpdateField::Expiration, UpdateField::Access]);
    }
}
