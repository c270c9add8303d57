//! Capabilities that a cluster or a sign-in lacks, read once before a form is filled in.

use crate::ops::{
    Problem, Session,
    connections::capabilities::{self, Capability},
};

/// Missing capabilities, each with the problem.
#[derive(Clone, Debug, Default)]
pub struct MissingCapabilities(Vec<(Capability, Problem)>);

impl MissingCapabilities {
    /// Returns the problem if a capability is missing. `None` is no promise: only the cluster knows in the end.
    pub fn missing(&self, offer: Capability) -> Option<&Problem> {
        self.0.iter().find(|(own, _)| *own == offer).map(|(_, problem)| problem)
    }
}

/// Reads the capabilities that are missing for keys that a form can create; for cross-cluster keys the license is
/// checked, too.
pub async fn read(session: &Session) -> MissingCapabilities {
    let mut missing = Vec::new();
    for offer in [Capability::Grant, Capability::CrossCluster, Capability::CertificateIdentity] {
        let mut problem = capabilities::missing(session, offer);
        if problem.is_none() && offer == Capability::CrossCluster {
            problem = capabilities::unlicensed(session, offer).await;
        }
        missing.extend(problem.map(|problem| (offer, problem)));
    }
    MissingCapabilities(missing)
}
