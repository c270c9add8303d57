//! Cross-cluster keys: created, with the truth about lost answers.

use crate::{
    client::CreatedKey,
    model::{cross_cluster::CreateCrossCluster, journal::Action},
    ops::{
        Session,
        create::{self, CreateError},
    },
};

/// Creates a cross-cluster key. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`CreateError`]; for a lost answer with what was found.
pub async fn create(session: &Session, key: &CreateCrossCluster) -> Result<CreatedKey, CreateError> {
    let sent = session.now();
    let request = serde_json::from_str(&key.body(sent)).ok();
    let sending = session.client.create_cross_cluster_key(key, sent);
    let looking = create::look_for(session, &key.key, sent);
    create::make(session, (Action::CreateCrossCluster, request), sending, looking).await
}
