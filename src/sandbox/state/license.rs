//! License of the cluster: what it includes.

use crate::sandbox::http::error::{EsError, Outcome};

/// License of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum License {
    /// Trial license: all features, for a limited time.
    #[default]
    Trial,
    /// Basic license: only the features that are free of charge.
    Basic,
}

impl License {
    /// Refuses cross-cluster keys if the license does not include them.
    pub fn require_cross_cluster(self) -> Outcome<()> {
        if self == Self::Trial {
            return Ok(());
        }
        let feature = "advanced-remote-cluster-security";
        Err(EsError::forbidden(format!("current license is non-compliant for [{feature}]"))
            .with("license.expired.feature", feature))
    }

    /// Returns `true` if the license includes document and field level security.
    pub fn sees_parts(self) -> bool {
        self == Self::Trial
    }

    /// Returns the type of the license as answers name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Basic => "basic",
        }
    }
}
