//! Capabilities of a cluster and a sign-in beyond the user's own keys, and what is missing for the rest: reported
//! before anything is filled in or sent.

use crate::{
    client::ClientError,
    model::version::Feature,
    ops::{Problem, Session},
};

/// Hint if only the license is missing.
pub(crate) const TRIAL: &str = "A trial of 30 days can be started once: POST /_license/start_trial?acknowledge=true";

/// Capability that not every cluster, license or sign-in has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capability {
    /// Creating cross-cluster keys.
    CrossCluster,
    /// Changing cross-cluster keys of one's own.
    UpdateCrossCluster,
    /// Binding a cross-cluster key to certificates.
    CertificateIdentity,
    /// Making keys for other users.
    Grant,
    /// Copying keys.
    Clone,
}

impl Capability {
    fn feature(self) -> Feature {
        match self {
            Self::CrossCluster | Self::UpdateCrossCluster => Feature::CrossCluster,
            Self::CertificateIdentity => Feature::CertificateIdentity,
            Self::Grant => Feature::Grant,
            Self::Clone => Feature::Clone,
        }
    }

    /// Returns the cluster privileges of which any one allows it (as the refusals of 9.5.3 list them).
    fn privileges(self) -> &'static [&'static str] {
        match self {
            Self::CrossCluster | Self::UpdateCrossCluster | Self::CertificateIdentity => &["manage_security"],
            Self::Grant => &["grant_api_key", "manage_api_key", "manage_security"],
            Self::Clone => &["clone_api_key", "manage_api_key", "manage_security"],
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::CrossCluster => "You can't create cross-cluster keys here",
            Self::UpdateCrossCluster => "You can't change cross-cluster keys here",
            Self::CertificateIdentity => "You can't bind cross-cluster keys to certificates here",
            Self::Grant => "You can't create keys for other users here",
            Self::Clone => "You can't clone keys here",
        }
    }

    /// `true` if Elasticsearch refuses it to sessions that are signed in by a key, whatever that key may do (as seen on
    /// 9.5.3; grants and clones are not refused).
    fn is_refused_to_keys(self) -> bool {
        matches!(self, Self::CrossCluster | Self::UpdateCrossCluster | Self::CertificateIdentity)
    }
}

/// Returns the problem if a capability is missing, as far as was known when connecting: the version, a sign-in as a
/// user, or a privilege. `None` is no promise: only the cluster knows in the end.
pub fn missing(session: &Session, offer: Capability) -> Option<Problem> {
    let problem = |detail: &str| Problem::new(offer.title(), detail);
    if !session.has(offer.feature()) {
        let lacks = ClientError::Lacks(offer.feature()).to_string();
        return Some(problem(&format!("{lacks}; it is {}", session.edition)));
    }
    if offer.is_refused_to_keys() && session.own_key().is_some() {
        let detail = "You are signed in with an API key, and Elasticsearch allows this only for users";
        return Some(problem(detail).hint("Sign in as a user"));
    }
    let names = offer.privileges();
    let (needed, more) = names.split_first().map_or(("", names), |(first, more)| (*first, more));
    // A version that was not told may not have been asked for the newest ones.
    let was_asked = session.privileges.has(needed).is_some();
    if was_asked && !session.privileges.any(names) {
        let or = if more.is_empty() { String::new() } else { format!(" (or {})", more.join(" or ")) };
        let detail = format!("{} lacks the cluster privilege {needed}{or}", session.identity.username);
        return Some(problem(&detail).hint("Ask someone with manage_security to grant it"));
    }
    None
}

/// Returns the problem if the license does not allow cross-cluster keys. `None` also if the license can't be read (that
/// needs the privilege `monitor`): then the cluster reports it when the key is to be created.
pub async fn unlicensed(session: &Session, offer: Capability) -> Option<Problem> {
    let license = session.client.license().await.ok().flatten()?;
    if license.allows_cross_cluster() {
        return None;
    }
    let state = if license.status == "active" { String::new() } else { format!(", which is {}", license.status) };
    let detail = format!(
        "This requires an Enterprise license or a trial; the license of this cluster is {}{state}",
        license.kind
    );
    Some(Problem::new(offer.title(), &detail).hint(TRIAL))
}
