//! Copy of a key: the same owner and privileges under a new id, name and secret. Whoever requests it must have the
//! secret of the source.

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::{REQUEST_ID, grant::push_quoted};
use crate::model::{
    Timestamp,
    api_key::{ApiKey, KeyId},
    connections::login,
    secret::Secret,
    text::json,
    time::expiry::Expiry,
};

/// Name of the metadata member in which Elasticsearch records the source of a clone.
pub const CLONED_FROM: &str = "_cloned_from";

/// Request for a copy of a key.
#[derive(Clone, Debug)]
pub struct CloneKey {
    /// Id of the key that is copied.
    pub source: KeyId,
    /// Secret of the key that is copied.
    pub secret: Secret,
    /// Name of the copy.
    pub name: String,
    /// Expiration of the copy; `None` means that of the source.
    pub expiry: Option<Expiry>,
    /// Whole metadata of the copy, as a JSON object; `None` means that of the source. The cluster adds [`CLONED_FROM`].
    pub metadata: Option<String>,
    /// Request id by which the copy is found if the response is lost; `None` if it is not in the metadata.
    pub request_id: Option<String>,
}

impl CloneKey {
    /// Returns the exact body of `POST /_security/api_key/clone`; it holds the secret and is wiped when dropped.
    pub fn body(&self, now: Timestamp) -> Zeroizing<String> {
        let encoded = login::encode(self.source.as_str(), &self.secret);
        let open = self.members(now);
        let mut text = Zeroizing::new(String::with_capacity(open.len() + encoded.expose().len() * 6 + 32));
        text.push_str("{\"api_key\":");
        push_quoted(&mut text, encoded.expose());
        text.push(',');
        text.push_str(open.trim_start_matches('{'));
        text
    }

    /// Returns the body with the id of the source in place of its credential, which may be shown and recorded.
    pub fn request(&self, now: Timestamp) -> String {
        let source = json::quote(self.source.as_str());
        format!("{{\"source\":{source},{}", self.members(now).trim_start_matches('{'))
    }

    fn members(&self, now: Timestamp) -> String {
        let name = json::quote(&self.name);
        // `null` removes the expiration that the source may have (as seen on 9.5.3).
        let expiration = self
            .expiry
            .map(|expiry| expiry.to_request(now).map_or_else(|| "null".to_owned(), |text| json::quote(&text)));
        let members = [
            ("name", Some(name.as_str())),
            ("expiration", expiration.as_deref()),
            ("metadata", self.metadata.as_deref()),
        ];
        json::write_object(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }
}

/// Returns a text that says what a copy takes over from its source, and that both stay valid. `owner` is `None` if the
/// source may not be read.
pub fn words(owner: Option<&str>) -> String {
    let owner = owner.map_or_else(String::new, |owner| format!(", {owner},"));
    format!(
        "The clone has the role descriptors of the source, the same snapshot of its owner’s privileges (limited_by), \
         and the same owner{owner}, with a new id and secret. Both keys stay valid."
    )
}

/// Returns the metadata of a copy: that of its source, with values unchanged, and with `request_id` and `reason` added.
/// Members that Elasticsearch reserves (`_…`) and the source's own request id are left out, and so is the source's
/// reason if a new one is given. `None` if the metadata of the source is not known.
pub fn metadata(source: &ApiKey, request_id: &str, reason: Option<&str>) -> Option<String> {
    let mut members = json::members(source.metadata.as_ref()?.get())?;
    members.retain(|(name, _)| !name.starts_with('_') && name != REQUEST_ID && (reason.is_none() || name != "reason"));
    let own = [("reason", reason), (REQUEST_ID, Some(request_id))];
    for (name, value) in own {
        if let Some(raw) = value.and_then(|value| RawValue::from_string(json::quote(value)).ok()) {
            members.push((name.to_owned(), raw));
        }
    }
    Some(json::write_object(members.iter().map(|(name, value)| (name.as_str(), value.get()))))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::model::time::expiry::Span;

    fn clone(expiry: Option<Expiry>, metadata: Option<&str>) -> CloneKey {
        CloneKey {
            source: KeyId::new("id1"),
            secret: Secret::new("s3cret"),
            name: "copy".into(),
            expiry,
            metadata: metadata.map(str::to_owned),
            request_id: None,
        }
    }

    #[test]
    fn what_is_left_out_is_as_in_the_source() {
        let text = clone(None, None).body(Timestamp::EPOCH);
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body, serde_json::json!({ "api_key": "aWQxOnMzY3JldA==", "name": "copy" }));
        let whole = clone(Some(Expiry::Never), Some("{}"));
        let body: Value = serde_json::from_str(&whole.body(Timestamp::EPOCH)).unwrap();
        assert_eq!((&body["expiration"], &body["metadata"]), (&Value::Null, &serde_json::json!({})));
        let ends = clone(Some(Expiry::In(Span::days(3))), None);
        let open: Value = serde_json::from_str(&ends.request(Timestamp::EPOCH)).unwrap();
        assert_eq!(open, serde_json::json!({ "source": "id1", "name": "copy", "expiration": "3d" }));
        assert!(!format!("{ends:?}").contains("s3cret"));
    }

    #[test]
    fn the_metadata_of_the_source_comes_along_but_for_what_is_its_own() {
        let text = r#"{"n":1.0e+2,"_cloned_from":"x","request_id":"old","reason":"why","a":1}"#;
        let source = ApiKey { metadata: RawValue::from_string(text.into()).ok(), ..ApiKey::default() };
        let made = metadata(&source, "new", None).unwrap();
        assert_eq!(made, r#"{"n":1.0e+2,"reason":"why","a":1,"request_id":"new"}"#);
        let made = metadata(&source, "new", Some("no end")).unwrap();
        assert_eq!(made, r#"{"n":1.0e+2,"a":1,"reason":"no end","request_id":"new"}"#);
        assert_eq!(metadata(&ApiKey::default(), "new", None), None);
    }
}
