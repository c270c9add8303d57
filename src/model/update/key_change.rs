//! Request for one key, by its kind.

use super::KeyUpdate;
use crate::model::create::cross_cluster::CrossClusterUpdate;

/// Request for one key, by its kind.
#[derive(Clone, Debug)]
pub enum KeyChange {
    /// Update of a REST key.
    Rest(KeyUpdate),
    /// Update of a cross-cluster key.
    CrossCluster(CrossClusterUpdate),
}

impl KeyChange {
    /// Returns the body of the request for one key.
    pub fn body(&self) -> String {
        match self {
            Self::Rest(update) => update.body(None),
            Self::CrossCluster(update) => update.body(),
        }
    }
}
