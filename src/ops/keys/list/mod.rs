//! Reading all keys of a cluster into an inventory: the newest first, then everything in parallel, with no key lost
//! between requests and none counted twice.
//!
//! The keys are split by creation time into ranges so small that one response holds each: consecutive pages lose keys
//! with equal sort values (as seen on 9.5.3: 99,854 of 100,000 by creation alone), a single response does not. Keys
//! that are created or invalidated meanwhile are read at the end, newest first, so that no clock needs to be right.
//! Then the cluster counts the keys, and ranges whose count differs are read again.

mod range;
mod reader;

use std::sync::Arc;

use serde_json::json;

use crate::{
    client::{ClientError, KeyQuery, UnreadRows},
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        inventory::Inventory,
        text::number::plural,
        version::Feature,
    },
    ops::{Session, background},
};
use reader::Reader;

/// Number of rows per page where several pages are read in turn.
const PAGE: u32 = 1000;

/// Keys of a cluster at one moment.
#[derive(Clone, Debug, Default)]
pub struct KeyList {
    /// Keys that have an id, including those of which something else could not be read ([`Inventory::flaw`]).
    pub keys: Inventory,
    /// Rows without a readable id; they are counted, never dropped silently.
    pub unreadable: UnreadRows,
    /// Number of keys that the cluster counts.
    pub total: u64,
    /// Time when the list was read, by this machine's clock.
    pub as_of: Timestamp,
    /// Time when keys that were created or invalidated since `as_of` were added, by this machine's clock; `None` if the
    /// list is of one reading.
    pub renewed_at: Option<Timestamp>,
    /// `true` if the list has only the keys of the user who is signed in.
    pub own_only: bool,
    /// `true` if all of the list was read, `false` if only its beginning.
    pub is_complete: bool,
}

impl KeyList {
    /// Returns the number of keys that the cluster counted and did not send; they may have been created meanwhile.
    pub fn shortfall(&self) -> u64 {
        self.total.saturating_sub(self.rows())
    }

    /// Returns the number of keys that the cluster sent beyond its own count.
    pub fn surplus(&self) -> u64 {
        self.rows().saturating_sub(self.total)
    }

    fn rows(&self) -> u64 {
        (self.keys.len() + self.unreadable.len()) as u64
    }

    /// `true` if no key is missing and everything in the list could be read.
    pub fn is_whole(&self) -> bool {
        self.doubts().is_empty()
    }

    /// `true` if no key is missing; fields of keys that are in it may still be unreadable.
    pub fn has_every_row(&self) -> bool {
        self.unreadable.is_empty() && self.shortfall() == 0 && !(self.is_complete && self.surplus() > 0)
    }

    /// Returns an example of a key that could not be read completely, with the reason; `None` if there is none.
    pub fn example_of_doubt(&self) -> Option<String> {
        let flawed = self.keys.first_flaw().map(|(row_id, flaw)| format!("{}: {flaw}", self.keys.id(row_id)));
        flawed.or_else(|| self.unreadable.kept().first().map(|row| format!("A row without an id: {}", row.reason)))
    }

    /// Returns what is missing or could not be read, one sentence each; empty for a list that is whole.
    pub fn doubts(&self) -> Vec<String> {
        let keys = |count: u64| plural(count, "key");
        let mut doubts = Vec::new();
        if self.keys.flawed() > 0 {
            doubts.push(format!("{} not fully readable", keys(self.keys.flawed() as u64)));
        }
        if !self.unreadable.is_empty() {
            doubts.push(format!("{} could not be read", keys(self.unreadable.len() as u64)));
        }
        if self.shortfall() > 0 {
            doubts.push(format!("the cluster counts {} more than it sent", keys(self.shortfall())));
        }
        // A part of a list has no count to be compared with.
        if self.is_complete && self.surplus() > 0 {
            doubts.push(format!("the cluster sent {} more than it counts", keys(self.surplus())));
        }
        doubts
    }
}

/// Progress of a list that is being read.
#[derive(Clone, Debug)]
pub enum ListProgress {
    /// Keys read so far, sorted and ready to be shown.
    Part(Arc<KeyList>),
    /// Older list, to which newly created and invalidated keys were added.
    Renewed(Arc<KeyList>),
    /// Counts of the keys read so far and in total.
    Count {
        /// Number of keys read so far.
        read: u64,
        /// Total number of keys, as the cluster counts them; 0 if it does not.
        total: u64,
    },
}

/// Reads all keys that the session can see. Dropping the future stops it.
///
/// # Errors
/// The first request that failed for good. What was read before is lost to the caller, who keeps the
/// older list.
pub async fn all(
    session: &Session,
    progress: impl Fn(ListProgress) + Send + Sync + 'static,
) -> Result<KeyList, ClientError> {
    let reader = Reader::new(session, progress);
    if session.has(Feature::Query) {
        match reader.by_query().await {
            // The version was not told, and it has no query API.
            Err(ClientError::Lacks(Feature::Query)) => {}
            answer => return answer.map(|()| reader.finish()),
        }
    }
    reader.all_at_once().await?;
    Ok(reader.finish())
}

/// Reads the keys that were created or invalidated since an older list, without reading all of it again, and returns
/// that list with them. Returns `None` if the cluster does not support that, `old` is incomplete, or the counts don't
/// add up. Changes to metadata, role descriptors or expiration leave no trace to search for, so this only serves until
/// all keys are read again.
///
/// # Errors
/// The first request that failed for good.
pub async fn renewed(session: &Session, old: &KeyList) -> Result<Option<KeyList>, ClientError> {
    if !(session.has(Feature::InvalidationTime) && old.is_complete) {
        return Ok(None);
    }
    let reader = Reader::from(session, old);
    if let Err(error) = reader.newest().await {
        return if matches!(error, ClientError::Lacks(_)) { Ok(None) } else { Err(error) };
    }
    let (total, _) = session.client.count_api_keys(None, None).await?;
    let list = reader.finish();
    let adds_up = list.keys.len() as u64 + list.unreadable.len() as u64 == total;
    // It stays as old as it was: what leaves no trace was not looked at.
    Ok(adds_up.then(|| KeyList { total, as_of: old.as_of, renewed_at: Some(list.as_of), ..list }))
}

/// Merges several lists into one, and returns it with the exclusive end of each list's keys in it. The merged list is
/// as old as the oldest of them.
pub fn merged(lists: &[Arc<KeyList>]) -> (KeyList, Vec<usize>) {
    let mut all = KeyList { is_complete: true, as_of: Timestamp::MAX, ..KeyList::default() };
    let mut ends = Vec::new();
    for list in lists {
        all.keys.append(&list.keys);
        ends.push(all.keys.len());
        all.unreadable.append(&list.unreadable);
        all.total += list.total;
        all.as_of = all.as_of.min(list.as_of);
        all.renewed_at = all.renewed_at.max(list.renewed_at);
        all.own_only |= list.own_only;
        all.is_complete &= list.is_complete;
    }
    if lists.is_empty() {
        all.as_of = Timestamp::EPOCH;
    }
    background::run(|| all.keys.finish());
    (all, ends)
}

/// Result of reading keys by id.
#[derive(Debug, Default)]
pub struct ById {
    /// Keys that were found.
    pub keys: Vec<ApiKey>,
    /// Rows of keys that exist and can't be read.
    pub unreadable: UnreadRows,
}

/// Reads keys by id, 1,000 per request, to prove the effect of an operation on them. Ids that the cluster doesn't know
/// are missing from the result.
///
/// # Errors
/// The first request that failed.
pub async fn by_id(session: &Session, ids: &[KeyId]) -> Result<ById, ClientError> {
    let mut found = ById { keys: Vec::with_capacity(ids.len()), unreadable: UnreadRows::default() };
    if !session.has(Feature::Query) {
        return one_by_one(session, ids).await;
    }
    for chunk in ids.chunks(PAGE as usize) {
        let mut query = KeyQuery::new(PAGE);
        let values: Vec<&str> = chunk.iter().map(KeyId::as_str).collect();
        query.filter = Some(json!({ "ids": { "values": values } }));
        match session.client.query_api_keys(&query).await {
            Ok(page) => {
                found.keys.extend(page.keys);
                found.unreadable.append(&page.unreadable);
            }
            // The version was not told, and it has no query API.
            Err(ClientError::Lacks(Feature::Query)) => return one_by_one(session, ids).await,
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

async fn one_by_one(session: &Session, ids: &[KeyId]) -> Result<ById, ClientError> {
    let mut found = ById::default();
    for id in ids {
        found.keys.extend(session.client.get_api_key(id, session.sees_own_only()).await?);
    }
    Ok(found)
}
