//! The license of a cluster, on which some of its features depend.

use reqwest::Method;
use serde::Deserialize;

use crate::client::{call::Call, connection::Client, error::ClientError};

/// License of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct License {
    /// Type: `basic`, `trial`, `platinum`, `enterprise` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Status: `active`, `expired`, `invalid`.
    #[serde(default)]
    pub status: String,
}

impl License {
    /// Returns `true` if the license is active and allows cross-cluster keys.
    pub fn allows_cross_cluster(&self) -> bool {
        self.status == "active" && matches!(self.kind.as_str(), "trial" | "enterprise")
    }
}

#[derive(Deserialize)]
struct WireLicense {
    license: Option<License>,
}

impl Client {
    /// Asks for the license (needs the privilege `monitor`); `None` where the cluster has none yet, as just
    /// after its first start.
    ///
    /// # Errors
    /// Any error of a request; serverless has no such route.
    pub async fn license(&self) -> Result<Option<License>, ClientError> {
        let answer = self.send(Call::new(Method::GET, &["_license"])).await?;
        if answer.status == 404 && answer.parse::<WireLicense>().is_ok_and(|wire| wire.license.is_none()) {
            return Ok(None);
        }
        Ok(answer.success()?.parse::<WireLicense>()?.license)
    }
}
