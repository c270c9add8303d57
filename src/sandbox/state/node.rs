//! Identity of the practice cluster and of its only node.

/// Name of the cluster, in every answer that shows it.
pub const CLUSTER_NAME: &str = "keybearer-sandbox";
/// Name of the only node.
pub const NODE_NAME: &str = "sandbox-1";
/// Id of the only node.
pub const NODE_ID: &str = "sandboxNode0000000000w";
/// Elasticsearch version whose behavior the sandbox reproduces.
pub const VERSION: &str = "9.5.3";
