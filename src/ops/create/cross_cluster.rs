//! Cross-cluster keys: created, with the truth about lost answers.

use crate::{
    client::CreatedKey,
    model::{create::cross_cluster::CreateCrossCluster, journal::Action},
    ops::{
        Session,
        create::{self, Asked, CreateError},
    },
};

/// Creates a cross-cluster key. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`CreateError`]; for a lost answer with what was found.
pub async fn create(session: &Session, key: &CreateCrossCluster) -> Result<CreatedKey, CreateError> {
    let sent = session.now();
    let asked = Asked {
        action: Action::CreateCrossCluster,
        request: serde_json::from_str(&key.body(sent)).ok(),
        name: key.key.name().to_owned(),
        expiry: Some(key.key.expiry()),
        trace: create::trace(session, &key.key, sent).await.map_err(CreateError::Refused)?,
    };
    create::make(session, asked, session.client.create_cross_cluster_key(key, sent)).await
}
