//! Request for a new key, as it is sent.

use serde_json::value::RawValue;

use crate::model::{Timestamp, text::json, time::expiry::Expiry};

/// Request for a key, only made from a draft without errors or for the successor of a key.
#[derive(Clone, Debug)]
pub struct CreateKey {
    pub(in crate::model) name: String,
    pub(in crate::model) expiry: Expiry,
    pub(in crate::model) role_descriptors: Box<RawValue>,
    pub(in crate::model) metadata: Option<String>,
    pub(in crate::model) request_id: String,
    pub(in crate::model) application_id: Option<String>,
}

impl CreateKey {
    /// Returns the name of the key.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the application id; `None` if there is none.
    pub fn application_id(&self) -> Option<&str> {
        self.application_id.as_deref()
    }

    /// Returns the request id by which the key is found if the response is lost; `None` if the version keeps no
    /// metadata.
    pub fn request_id(&self) -> Option<&str> {
        self.metadata.as_ref().map(|_| self.request_id.as_str())
    }

    /// Returns the expiration of the key.
    pub fn expiry(&self) -> Expiry {
        self.expiry
    }

    /// Returns the metadata that is sent, a JSON object; `None` if the version keeps no metadata.
    pub fn metadata(&self) -> Option<&str> {
        self.metadata.as_deref()
    }

    /// Returns the role descriptors that are sent.
    pub fn role_descriptors(&self) -> &RawValue {
        &self.role_descriptors
    }

    /// Returns the exact body of `POST /_security/api_key`.
    pub fn body(&self, now: Timestamp) -> String {
        let name = json::quote(&self.name);
        let expiration = self.expiry.to_request(now).map(|text| json::quote(&text));
        let mut members = vec![("name", name.as_str())];
        members.extend(expiration.as_deref().map(|text| ("expiration", text)));
        members.push(("role_descriptors", self.role_descriptors.get()));
        members.extend(self.metadata.as_deref().map(|text| ("metadata", text)));
        json::write_object(members)
    }
}
