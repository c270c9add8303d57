//! What a cluster and a sign-in can't do, read once before a form is filled in.

use crate::ops::{
    Problem, Session,
    connections::capabilities::{self, Offer},
};

/// What is missing for each offer that can't be had.
#[derive(Clone, Debug, Default)]
pub struct Offered(Vec<(Offer, Problem)>);

impl Offered {
    /// What is missing for it. `None` is no promise: only the cluster knows in the end.
    pub fn missing(&self, offer: Offer) -> Option<&Problem> {
        self.0.iter().find(|(own, _)| *own == offer).map(|(_, problem)| problem)
    }
}

/// Reads what is missing for keys that a form can make; of cross-cluster keys the license is asked for.
pub async fn read(session: &Session) -> Offered {
    let mut missing = Vec::new();
    for offer in [Offer::Grant, Offer::CrossCluster, Offer::CertificateIdentity] {
        let mut problem = capabilities::missing(session, offer);
        if problem.is_none() && offer == Offer::CrossCluster {
            problem = capabilities::unlicensed(session, offer).await;
        }
        missing.extend(problem.map(|problem| (offer, problem)));
    }
    Offered(missing)
}
