//! Identity of the cluster that answers. One address may lead to several clusters (a load balancer, a name that
//! moved, a restored backup), and they may be switched between two requests. So the uuid that was told at sign-in is
//! compared again before and after whatever changes keys.

use crate::{client::ClientError, model::rotation::ClusterRef, ops::Session};

/// Reasons why nothing may be concluded from what the cluster answers.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IdentityError {
    /// Another cluster answers at the same address.
    #[error("a different cluster responds now: {}, not {}", named(.found), named(.expected))]
    Other {
        /// Cluster at sign-in.
        expected: Box<ClusterRef>,
        /// Cluster that answers now.
        found: Box<ClusterRef>,
    },
    /// The cluster did not tell which one it is.
    #[error("which cluster responds is not known: {0}")]
    Unknown(ClientError),
}

impl From<IdentityError> for ClientError {
    /// For a proof, whose answers come from more than one cluster.
    fn from(error: IdentityError) -> Self {
        match error {
            IdentityError::Unknown(error) => error,
            other @ IdentityError::Other { .. } => Self::Contradictory { reason: other.to_string() },
        }
    }
}

impl IdentityError {
    /// Error of a request that was left out because of this.
    pub fn not_sent(self) -> ClientError {
        match self {
            // Not about this cluster: there is no token for any.
            Self::Unknown(error @ ClientError::SignIn(_)) => error,
            other => ClientError::NotSent { reason: other.to_string() },
        }
    }
}

fn named(cluster: &ClusterRef) -> String {
    let name = cluster.name.as_deref().unwrap_or("a cluster without a known name");
    format!("{name} (uuid {})", cluster.uuid.as_deref().unwrap_or("not reported"))
}

/// Asks the cluster which one it is, as `GET /` tells it. Without the privilege `monitor` uuid and name are `None`.
///
/// # Errors
/// [`ClientError`] when it can't be asked; a missing privilege is none.
pub async fn current(session: &Session) -> Result<ClusterRef, ClientError> {
    let url = session.client.endpoint().url.to_string();
    match session.client.info().await {
        Ok(info) => Ok(ClusterRef { uuid: known(info.uuid), name: known(info.name), url }),
        Err(ClientError::Forbidden { .. }) => Ok(ClusterRef { uuid: None, name: session.cluster_name.clone(), url }),
        Err(error) => Err(error),
    }
}

/// A uuid or name that says something: a node without a cluster writes `_na_` (as seen on 9.5.3).
pub(crate) fn known(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty() && text != "_na_")
}

/// Checks that the cluster that answers is the one that was signed in to. Where its uuid was not told at sign-in
/// nothing can be compared, and nothing is asked.
///
/// # Errors
/// [`IdentityError`].
pub async fn check(session: &Session) -> Result<(), IdentityError> {
    let Some(expected) = session.cluster_uuid.as_ref() else { return Ok(()) };
    let found = session.client.info().await.map_err(IdentityError::Unknown)?;
    let url = session.client.endpoint().url.to_string();
    let found = ClusterRef { uuid: known(found.uuid), name: known(found.name), url };
    if found.uuid.as_ref() == Some(expected) {
        return Ok(());
    }
    Err(IdentityError::Other { expected: Box::new(session.cluster()), found: Box::new(found) })
}
