//! What a cluster and a sign-in can't do, read once before a form is filled in.

use crate::ops::{
    Problem, Session,
    connections::capabilities::{self, Capability},
};

/// What is missing for each offer that can't be had.
#[derive(Clone, Debug, Default)]
pub struct MissingCapabilities(Vec<(Capability, Problem)>);

impl MissingCapabilities {
    /// What is missing for it. `None` is no promise: only the cluster knows in the end.
    pub fn missing(&self, offer: Capability) -> Option<&Problem> {
        self.0.iter().find(|(own, _)| *own == offer).map(|(_, problem)| problem)
    }
}

/// Reads what is missing for keys that a form can make; of cross-cluster keys the license is asked for.
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
