//! Finding the keys that a person means by an id, an application id or a name.

use serde_json::json;

use crate::{
    client::{ClientError, KeyPage, KeyQuery, Order, UnreadRows},
    model::{api_key::ApiKey, create::Taken, inventory::list_view, time::status::Status, version::Feature},
    ops::{
        Session,
        keys::{list, paging::Paging},
    },
};

/// Finds the keys meant by `reference`: the one with this id, otherwise all with this application id, otherwise all
/// with exactly this name. It is never a pattern.
///
/// # Errors
/// Returns an error if the cluster can't be asked.
pub async fn named(session: &Session, reference: &str) -> Result<Vec<ApiKey>, ClientError> {
    let candidates = candidates(session, reference).await?;
    Ok(list_view::named(&candidates, reference).into_iter().cloned().collect())
}

/// Keys meant by a reference for an operation that takes something away, split by whether they are invalidated.
#[derive(Clone, Debug, Default)]
pub struct Meant {
    /// Keys that are not invalidated: the ones that count.
    pub valid: Vec<ApiKey>,
    /// Keys of the same reference that were invalidated before.
    pub invalidated: Vec<ApiKey>,
}

/// Finds the keys meant by `reference` where keys that are invalidated already don't count: a name or an application id
/// may be used again. An id means its key whatever the others are called.
///
/// # Errors
/// Returns an error if the cluster can't be asked.
pub async fn not_yet_invalidated(session: &Session, reference: &str) -> Result<Meant, ClientError> {
    Ok(sort_out(candidates(session, reference).await?, reference))
}

fn sort_out(mut candidates: Vec<ApiKey>, reference: &str) -> Meant {
    if candidates.iter().any(|key| key.id.as_str() == reference) {
        candidates.retain(|key| key.id.as_str() == reference);
    }
    let (invalidated, valid): (Vec<ApiKey>, Vec<ApiKey>) = candidates.into_iter().partition(|key| key.invalidated);
    let named = |keys: &[ApiKey]| list_view::named(keys, reference).into_iter().cloned().collect();
    Meant { valid: named(&valid), invalidated: named(&invalidated) }
}

async fn candidates(session: &Session, reference: &str) -> Result<Vec<ApiKey>, ClientError> {
    if session.has(Feature::Query) {
        match matching(session, reference).await {
            // The version was not told, and it has no query API.
            Err(ClientError::Lacks(Feature::Query)) => {}
            answer => return answer,
        }
    }
    let list = list::all(session, |_| ()).await?;
    let keys: Vec<ApiKey> = list.keys.keys().collect();
    may_be_missing(&keys, reference, &list.unreadable, list.total).map_or(Ok(keys), Err)
}

/// Counts the usable keys that have the name or the application id of a new key already. Before 7.15 only those of the
/// name are counted.
///
/// # Errors
/// Returns an error if the cluster can't be asked.
pub async fn taken(session: &Session, name: &str, application_id: Option<&str>) -> Result<Taken, ClientError> {
    if !(session.privileges.sees_all_keys() || session.privileges.sees_own_keys()) {
        return Ok(Taken::default());
    }
    let count = async |field: &str, value: &str| {
        let filter = json!({ "bool": {
            "filter": [{ "term": { field: value } }, { "term": { "invalidated": false } }],
            "must_not": [{ "range": { "expiration": { "lte": "now" } } }],
        } });
        session.client.count_api_keys(Some(&filter), None).await.map(|(count, _)| count)
    };
    if session.has(Feature::Query) {
        let found = match application_id {
            Some(id) => tokio::try_join!(count("name", name), count("metadata.application_id", id)),
            None => count("name", name).await.map(|names| (names, 0)),
        };
        match found {
            // The version was not told, and it has no query API.
            Err(ClientError::Lacks(Feature::Query)) => {}
            found => return found.map(|(name, application_id)| Taken { name, application_id }),
        }
    }
    let now = session.now();
    let named = session.client.get_api_keys_named(name, session.sees_own_only()).await?.keys;
    let usable = named.iter().filter(|key| Status::of(key.expires, key.invalidated, now).is_usable());
    Ok(Taken { name: usable.count() as u64, application_id: 0 })
}

/// Reads all pages of keys that match a reference: of a name that was used a thousand times, the one key that counts
/// may be on the last page.
async fn matching(session: &Session, reference: &str) -> Result<Vec<ApiKey>, ClientError> {
    let mut query = KeyQuery::new(1000);
    query.filter = Some(json!({ "bool": { "minimum_should_match": 1, "should": [
        { "ids": { "values": [reference] } },
        { "term": { "metadata.application_id": reference } },
        { "term": { "name": reference } },
    ] } }));
    // By creation, `search_after` loses keys that were made at the same moment; by `_doc` none (as seen on 9.5.3).
    query.sort = vec![("_doc".into(), Order::Ascending)];
    let (mut keys, mut odd) = (Vec::new(), UnreadRows::default());
    let mut paging = Paging::default();
    let total = loop {
        let page = with_limits(session, &mut query).await?;
        let rows = page.keys.len() + page.unreadable.len();
        page.keys.iter().for_each(|key| paging.row(key.id.as_str()));
        keys.extend(page.keys);
        odd.append(&page.unreadable);
        match page.last_sort {
            Some(sort) if paging.goes_on(rows, query.size, page.total)? => query.search_after = Some(sort),
            _ => break page.total,
        }
    };
    may_be_missing(&keys, reference, &odd, total).map_or(Ok(keys), Err)
}

/// Returns an error if the key that is meant may be missing from `keys`: only the cluster itself may say that there is
/// no such key. Rows that can't be read, or that were counted and not sent, may be the key.
fn may_be_missing(keys: &[ApiKey], reference: &str, odd: &UnreadRows, total: u64) -> Option<ClientError> {
    if keys.iter().any(|key| key.id.as_str() == reference) {
        return None;
    }
    let is_found = !list_view::named(keys, reference).is_empty();
    let unread = keys.iter().find(|key| !is_found && (key.is_unread("name") || key.is_unread("metadata")));
    let reason = match odd.kept().first() {
        None if unread.is_some() => {
            let key = unread.map(|key| key.id.to_string()).unwrap_or_default();
            format!("key {key} may match but is not fully readable: use its id")
        }
        Some(row) => format!("a row that may be this key can't be read: {}", row.reason),
        None if total > keys.len() as u64 => format!("it counts {total} such keys but sent {}", keys.len()),
        None => return None,
    };
    Some(ClientError::Unreadable { status: 200, reason })
}

/// One page, with the snapshots of the owners' rights where they are told: signed in by a key one sees none (as seen
/// on 9.5.3), and a version that was not told may not know them.
async fn with_limits(session: &Session, query: &mut KeyQuery) -> Result<KeyPage, ClientError> {
    if query.search_after.is_none() {
        query.with_limited_by = session.has(Feature::LimitedBy);
    }
    match session.client.query_api_keys(query).await {
        Err(ClientError::Forbidden { .. } | ClientError::Lacks(Feature::LimitedBy)) if query.with_limited_by => {
            query.with_limited_by = false;
            session.client.query_api_keys(query).await
        }
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{client::Unreadable, model::api_key::KeyId};

    fn key(id: &str, name: &str, invalidated: bool) -> ApiKey {
        ApiKey { id: KeyId::new(id), name: name.into(), invalidated, ..Default::default() }.with_facts()
    }

    fn ids(keys: &[ApiKey]) -> Vec<&str> {
        keys.iter().map(|key| key.id.as_str()).collect()
    }

    #[test]
    fn of_a_name_that_was_used_before_only_the_valid_keys_count() {
        let meant = sort_out(vec![key("1", "app", true), key("2", "app", false)], "app");
        assert_eq!((ids(&meant.valid), ids(&meant.invalidated)), (vec!["2"], vec!["1"]));
    }

    #[test]
    fn that_there_is_no_such_key_is_said_only_when_the_cluster_said_so() {
        let keys = [key("1", "app", false)];
        let mut odd = UnreadRows::default();
        assert_eq!(may_be_missing(&keys, "2", &odd, 1), None);
        assert!(may_be_missing(&keys, "2", &odd, 2).is_some_and(|error| error.to_string().contains("counts 2")));
        odd.push(Unreadable { id: None, reason: "odd".into() });
        assert!(may_be_missing(&keys, "2", &odd, 2).is_some_and(|error| error.to_string().contains("odd")));
        let flawed = [ApiKey { flaw: Some("name: odd".into()), ..key("3", "x\u{fffd}", false) }];
        let error = may_be_missing(&flawed, "pay", &UnreadRows::default(), 1);
        assert!(error.is_some_and(|error| error.to_string().contains("key 3 may match")));
        assert_eq!(may_be_missing(&keys, "1", &odd, 9), None, "an id means its key whatever else there is");
    }

    #[test]
    fn an_id_never_means_a_key_that_is_only_called_like_it() {
        let meant = sort_out(vec![key("1", "app", true), key("2", "1", false)], "1");
        assert_eq!((ids(&meant.valid), ids(&meant.invalidated)), (vec![], vec!["1"]));
    }
}
