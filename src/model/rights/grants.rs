//! Rights by their kind, and what is not understood of them.

use super::Scope;

/// Rights by their kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Cluster privileges.
    pub cluster: Vec<String>,
    /// Index privileges, with the indices they apply to.
    pub indices: Vec<IndexRight>,
    /// Privileges in applications such as Kibana.
    pub applications: Vec<ApplicationRight>,
    /// Users who may be acted for.
    pub run_as: Vec<Scope>,
    /// Index privileges on remote clusters.
    pub remote_indices: Vec<IndexRight>,
    /// Cluster privileges on remote clusters.
    pub remote_cluster: Vec<RemoteRight>,
    /// Workflows outside of which nothing is granted; `None` if there is no such restriction.
    pub workflows: Option<Vec<String>>,
    /// Parts that are kept but not understood.
    pub unknown: Vec<Unknown>,
}

/// Privileges on indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRight {
    /// Remote clusters; `None` for the local cluster.
    pub clusters: Option<Scope>,
    /// Names of the indices.
    pub names: Scope,
    /// Index privileges.
    pub privileges: Vec<String>,
    /// Queries (as JSON text) that a document must match, all of them.
    pub queries: Vec<String>,
    /// Choices of fields (as JSON text) that all apply.
    pub fields: Vec<String>,
    /// `true` if restricted indices (the system's own) are included.
    pub allow_restricted: bool,
}

/// Privileges in an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationRight {
    /// Name of the application, maybe with wildcards.
    pub application: Scope,
    /// Privileges as the application names them.
    pub privileges: Vec<String>,
    /// Resources to which the privileges apply.
    pub resources: Scope,
}

/// Cluster privileges on remote clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteRight {
    /// Names of the clusters, maybe with wildcards.
    pub clusters: Scope,
    /// Cluster privileges.
    pub privileges: Vec<String>,
}

/// Part of a descriptor that this program doesn't know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Path of the part: the name of the descriptor and of the field, such as `reader.indices[0]`.
    pub place: String,
    /// JSON as the cluster sent it.
    pub json: String,
    /// `true` if the part is in the snapshot of the owner's rights.
    pub of_the_owner: bool,
}

/// Access that a cross-cluster key opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Indices that other clusters may search.
    pub search: Vec<IndexRight>,
    /// Indices that other clusters may replicate.
    pub replication: Vec<IndexRight>,
    /// Parts that are not understood.
    pub unknown: Vec<Unknown>,
}

impl Grants {
    /// Returns `true` if nothing is granted by the parts that are understood.
    pub fn is_empty(&self) -> bool {
        self.cluster.is_empty()
            && self.indices.is_empty()
            && self.applications.is_empty()
            && self.run_as.is_empty()
            && self.remote_indices.is_empty()
            && self.remote_cluster.is_empty()
    }
}
