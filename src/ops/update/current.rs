//! Keys as they are now: read just before an update is sent, and again after the answer.

use std::collections::HashMap;

use serde_json::json;

use crate::{
    client::{ClientError, KeyQuery},
    model::{
        api_key::{ApiKey, KeyId},
        version::Feature,
    },
    ops::{Problem, Session},
};

/// Keys as they were read just now.
#[derive(Debug, Default)]
pub(super) struct NowRead {
    pub(super) keys: HashMap<KeyId, ApiKey>,
    /// Reasons why a key that is there can't be read.
    pub(super) unreadable: HashMap<KeyId, String>,
}

impl NowRead {
    /// Takes in more keys.
    pub(super) fn extend(&mut self, more: Self) {
        self.keys.extend(more.keys);
        self.unreadable.extend(more.unreadable);
    }

    /// A key of those that were read.
    ///
    /// # Errors
    /// Returns a problem if the key is gone or can't be read.
    pub(super) fn one(&self, id: &KeyId) -> Result<ApiKey, Problem> {
        if let Some(key) = self.keys.get(id) {
            return Ok(key.clone());
        }
        Err(match self.unreadable.get(id) {
            Some(reason) => Problem::new(&format!("The cluster's data about {id} can't be read"), reason),
            None => Problem::new("The key no longer exists", &format!("The cluster no longer has a key {id}"))
                .hint("Refresh the list"),
        })
    }
}

/// Reads keys as they are now: one by `GET`, several by a query for their ids. Neither is ahead of the index: what
/// another request writes shows about when that request is answered (as seen on 9.5.3). `with_limits` asks for the
/// snapshots of the owners' privileges, where the version has them.
///
/// # Errors
/// The first request that failed.
pub(super) async fn read_now(session: &Session, ids: &[KeyId], with_limits: bool) -> Result<NowRead, ClientError> {
    let mut read = NowRead::default();
    let limits = with_limits && session.has(Feature::LimitedBy);
    if ids.len() > 1 && session.has(Feature::Query) {
        for chunk in ids.chunks(1000) {
            let values: Vec<&str> = chunk.iter().map(KeyId::as_str).collect();
            let mut query = KeyQuery::new(1000);
            query.filter = Some(json!({ "ids": { "values": values } }));
            query.with_limited_by = limits;
            let page = session.client.query_api_keys(&query).await?;
            let may_be_missing = page.total > page.keys.len() as u64 || !page.unreadable.is_empty();
            read.keys.extend(page.keys.into_iter().map(|key| (key.id.clone(), key)));
            if may_be_missing {
                // A row that was counted and not sent, or that can't be read, may be any of those that are not there.
                let missing = chunk.iter().filter(|id| !read.keys.contains_key(*id)).cloned();
                read.unreadable.extend(missing.map(|id| (id, "the response is not complete".to_owned())));
            }
        }
        return Ok(read);
    }
    for id in ids {
        match get(session, id, limits).await {
            Ok(key) => read.keys.extend(key.map(|key| (id.clone(), key))),
            Err(ClientError::Unreadable { status: 200, reason }) => {
                read.unreadable.insert(id.clone(), reason);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

async fn get(session: &Session, id: &KeyId, limits: bool) -> Result<Option<ApiKey>, ClientError> {
    let own = session.sees_own_only();
    if limits {
        match session.client.get_api_key_with_limits(id, own).await {
            // The version was not told.
            Err(ClientError::Lacks(_) | ClientError::Rejected { status: 400, .. }) => {}
            answer => return answer,
        }
    }
    session.client.get_api_key(id, own).await
}
