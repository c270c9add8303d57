//! Copies of keys: made, looked for after a lost answer, and what the refusals mean.

use crate::{
    client::{ClientError, CreatedKey},
    model::{
        Timestamp,
        api_key::{ApiKey, KeyKind},
        create::clone::CloneKey,
        journal::Action,
        time::status::Status,
    },
    ops::{
        Problem, Session,
        connections::capabilities::{self, Capability},
        create::{self, Asked, CreateError, Trace, grant},
    },
};

/// Returns the problem that keeps this session from copying a key; `None` if none is known before the cluster is asked.
/// `now` is the cluster's clock.
pub fn hindrance(session: &Session, source: &ApiKey, now: Timestamp) -> Option<Problem> {
    if let Some(problem) = capabilities::missing(session, Capability::Clone) {
        return Some(problem);
    }
    let refused = |detail: &str| Problem::new(&format!("{} can't be cloned. Nothing was done", source.id), detail);
    match (&source.kind, source.status(now)) {
        (KeyKind::Rest, Status::Invalidated | Status::Expired) => {
            let detail = "It has expired or was invalidated, so it can’t be cloned";
            Some(refused(detail).hint("Create a new key with the same roles"))
        }
        (KeyKind::Rest, _) => None,
        (KeyKind::CrossCluster, _) => {
            let detail = "Elasticsearch clones only REST keys, and this is a cross-cluster key";
            Some(refused(detail).hint("Create another cross-cluster key with the same access"))
        }
        (kind, _) => Some(refused(&format!("Elasticsearch clones only REST keys, and this is a {} key", kind.word()))),
    }
}

/// Copies a key. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`CreateError`]; for a lost answer with what was found.
pub async fn clone(session: &Session, clone: &CloneKey) -> Result<CreatedKey, CreateError> {
    let sent = session.now();
    let asked = Asked {
        action: Action::Clone,
        request: serde_json::from_str(&clone.request(sent)).ok(),
        name: clone.name.clone(),
        expiry: clone.expiry,
        trace: clone.request_id.clone().map_or_else(|| Trace::Unseen(grant::unseen()), Trace::RequestId),
    };
    create::make(session, asked, session.client.clone_api_key(clone, sent)).await
}

/// Looks for the copy of a lost answer by its request id. There is none where the metadata of the source could
/// not be read: then the copy, which has the same owner, can't be read either.
///
/// # Errors
/// Returns an error if the cluster can't be asked, or its answer could prove nothing.
pub async fn look_for(session: &Session, clone: &CloneKey) -> Result<Vec<ApiKey>, ClientError> {
    let Some(request_id) = &clone.request_id else { return Err(grant::unseen()) };
    create::by_request_id(session, request_id, &clone.name).await
}

/// Converts a refusal of a clone to a problem: a fault of the source comes as 403, as if the request were not allowed.
pub fn problem(error: ClientError) -> Problem {
    let ClientError::Forbidden { ref reason, ref privileges, action: None } = error else { return error.into() };
    if !privileges.is_empty() {
        return error.into();
    }
    Problem::new("The key can't be cloned", &format!("The cluster says: {reason}"))
        .hint("No key was created. The source must be a valid REST key, and its secret must be correct")
}
