//! Creating a key of any kind, and the problem to report if none was created.

use crate::{
    client::{ClientError, CreatedKey},
    model::{
        api_key::ApiKey,
        create::{clone::CloneKey, new_key::NewKey},
    },
    ops::{
        Problem, Session,
        create::{self, CreateError, clone, cross_cluster, grant},
    },
};

/// Error of creating a key: there is none, or none that can be used.
#[derive(Debug)]
pub struct NewKeyError {
    /// Problem to report, with the way out.
    pub problem: Problem,
    /// Keys that a request with a lost answer made; nobody knows their secrets.
    pub strays: Vec<ApiKey>,
}

impl NewKeyError {
    fn new(error: CreateError, refused: impl FnOnce(ClientError) -> Problem) -> Self {
        match error {
            CreateError::Refused(error) => Self { problem: refused(error), strays: Vec::new() },
            CreateError::Lost(lost) => Self { problem: lost.problem(), strays: lost.ours().to_vec() },
        }
    }
}

/// Makes a key. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`NewKeyError`].
pub async fn make(session: &Session, key: &NewKey) -> Result<CreatedKey, NewKeyError> {
    let made = match key {
        NewKey::Own(own) => create::create(session, own).await,
        NewKey::Granted(granted) => grant::grant(session, granted).await,
        NewKey::CrossCluster(cross) => cross_cluster::create(session, cross).await,
    };
    made.map_err(|error| {
        NewKeyError::new(error, |refused| match key {
            NewKey::Granted(granted) => grant::problem(refused, granted),
            NewKey::Own(_) | NewKey::CrossCluster(_) => refused.into(),
        })
    })
}

/// Copies a key. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`NewKeyError`].
pub async fn copy(session: &Session, clone: &CloneKey) -> Result<CreatedKey, NewKeyError> {
    clone::clone(session, clone).await.map_err(|error| NewKeyError::new(error, clone::problem))
}
