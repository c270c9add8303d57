//! Users of the cluster's own realms, as far as they may be read.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;

use crate::client::{call::Call, connection::Client, error::ClientError};

/// A user of the realms `native` and `reserved`; no cluster lists those of other realms.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
pub struct User {
    /// The names of the user's roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// `true` if the user may sign in; the default if the answer doesn't say.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

impl Client {
    /// Returns one user by name; `None` if there is no such native or reserved user.
    ///
    /// # Errors
    /// Any error of a request; 403 without `read_security` or `manage_security`.
    pub async fn user(&self, name: &str) -> Result<Option<User>, ClientError> {
        // In the path a comma separates names, and a name of dots is no segment.
        if name.is_empty() || name.contains(',') || matches!(name, "." | "..") {
            return Err(ClientError::NotSent { reason: "this user name can't be looked up by itself".into() });
        }
        let answer = self.send(Call::new(Method::GET, &["_security", "user", name])).await?;
        if answer.status == 404 && answer.parse::<BTreeMap<String, User>>().is_ok_and(|map| map.is_empty()) {
            return Ok(None);
        }
        Ok(answer.success()?.parse::<BTreeMap<String, User>>()?.remove(name))
    }
}
