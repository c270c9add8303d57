//! API keys read: one, by name, page by page, or counted. Reading is tolerant: a row that can't be read ends nothing.

use std::sync::{Mutex, PoisonError};

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::api_keys::PATH;
use crate::{
    client::{
        call::Call,
        connection::Client,
        error::ClientError,
        http::{
            response::Response,
            row_stream::{self, RowReader, RowSplitter},
            server_text,
            unread_rows::{UnreadRows, no_object, unreadable},
            unreadable_row::OddRow,
        },
    },
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId, KeyKind, Owner},
        inventory::RawKey,
        text::json,
        version::Feature,
    },
};

/// Largest size in bytes of the list of all keys at once: 100,000 keys take 52.7 MB.
const MAX_LIST_BYTES: u64 = 512 << 20;
/// Size in bytes from which on an answer is read on a thread that may block.
const LONG_TO_READ: usize = 1 << 20;
/// Largest size in bytes of an answer whose rows are handed on one by one: no cluster has ten million keys.
pub(in crate::client) const MAX_STREAM_BYTES: u64 = 8 << 30;
/// Fields that an inventory keeps, as the `filter_path` of a request.
pub(in crate::client) const ROW_FIELDS: &str = "total,api_keys.id,api_keys.name,api_keys.type,api_keys.creation,api_keys.expiration,api_keys.invalidated,api_keys.invalidation,api_keys.username,api_keys.realm,api_keys.metadata,api_keys.role_descriptors,api_keys.limited_by,api_keys.access,api_keys._sort";

/// All keys that a cluster returned in one answer.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// Keys, in the cluster's order.
    pub keys: Vec<ApiKey>,
    /// Rows that could not be read.
    pub unreadable: UnreadRows,
}

/// Sort direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// Query for one page of keys.
#[derive(Clone, Debug)]
pub struct KeyQuery {
    /// Query in Elasticsearch's query DSL; `None` finds all keys.
    pub filter: Option<Value>,
    /// Fields to sort by, such as `creation` and then `name`; `_doc` is the fastest.
    pub sort: Vec<(String, Order)>,
    /// Maximum number of keys on this page; the server takes up to 10,000.
    pub size: u32,
    /// [`KeyPage::last_sort`] of the page before; `None` for the first page.
    pub search_after: Option<Vec<Box<RawValue>>>,
    /// `true` if the keys come with their owners' snapshots (`limited_by`, [`Feature::LimitedBy`]).
    pub with_limited_by: bool,
}

/// One page of keys.
#[derive(Clone, Debug, Default)]
pub struct KeyPage {
    /// Number of keys that the filter finds in all.
    pub total: u64,
    /// Keys, in the requested order.
    pub keys: Vec<ApiKey>,
    /// Rows that could not be read.
    pub unreadable: UnreadRows,
    /// Sort values of the last key, after which the next page begins; raw, since their numbers may be beyond those of
    /// floats. `None` on an empty page, or without sorting.
    pub last_sort: Option<Vec<Box<RawValue>>>,
}

/// Result of reading an answer whose rows were handed on one by one.
#[derive(Clone, Debug, Default)]
pub struct RowPage {
    /// Number of keys that the filter finds in all, as the cluster counts them; the number of rows where it doesn't
    /// say.
    pub total: u64,
    /// Number of rows, those that could not be read included.
    pub rows: usize,
    /// Rows that could not be read.
    pub unreadable: UnreadRows,
    /// Sort values of the last row, after which the next page begins; `None` without rows or without sorting.
    pub last_sort: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
struct WireList<'a> {
    #[serde(borrow)]
    api_keys: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireKey {
    id: String,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    creation: Timestamp,
    expiration: Option<Timestamp>,
    #[serde(default)]
    invalidated: bool,
    invalidation: Option<Timestamp>,
    username: Option<String>,
    realm: Option<String>,
    metadata: Option<Box<RawValue>>,
    role_descriptors: Option<Box<RawValue>>,
    limited_by: Option<Box<RawValue>>,
    access: Option<Box<RawValue>>,
    certificate_identity: Option<String>,
    realm_type: Option<String>,
}

/// An answer without its rows, which were handed on before. An answer cut down to some fields has no list at all when
/// the list would be empty (as seen on 9.5.3).
#[derive(Deserialize)]
struct WireTotal {
    total: Option<u64>,
    #[serde(rename = "api_keys")]
    rows: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct WireCount {
    total: u64,
    #[serde(default)]
    aggregations: Value,
}

impl Client {
    /// Returns one key by its id; `None` if the cluster doesn't know it. `own` restricts the request to own keys, as
    /// needed with no more than `manage_own_api_key`.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn get_api_key(&self, id: &KeyId, own: bool) -> Result<Option<ApiKey>, ClientError> {
        self.get_one(id, own, false).await
    }

    /// Returns one key with its owner's snapshot ([`ApiKey::limited_by`]).
    ///
    /// # Errors
    /// [`ClientError::Lacks`] before 8.5, and any error of a request.
    pub async fn get_api_key_with_limits(&self, id: &KeyId, own: bool) -> Result<Option<ApiKey>, ClientError> {
        self.get_one(id, own, true).await
    }

    async fn get_one(&self, id: &KeyId, own: bool, with_limited_by: bool) -> Result<Option<ApiKey>, ClientError> {
        let call = Call::new(Method::GET, &PATH)
            .query_if(true, "id", id.as_str())
            .query_if(own, "owner", "true")
            .query_if(with_limited_by, "with_limited_by", "true");
        let answer = self.send(call).await?;
        if answer.status == 404 && answer.parse::<WireList<'_>>().is_ok_and(|list| list.api_keys.is_empty()) {
            return Ok(None);
        }
        let answer = answer.success()?;
        let (page, status) = (read_page(&answer)?, answer.status);
        let is_none = page.keys.is_empty() && page.unreadable.is_empty();
        match page.keys.into_iter().find(|key| key.id == *id) {
            Some(key) => Ok(Some(key)),
            None if is_none => Ok(None),
            // Something came, so that nobody said that there is no such key.
            None => {
                let reason = page.unreadable.kept().first().map(|row| row.reason.clone());
                let reason = reason.unwrap_or_else(|| "it is about a different key than requested".into());
                Err(ClientError::Unreadable { status, reason })
            }
        }
    }

    /// Returns the keys of exactly this name, without paging. The server takes an asterisk at the end of a name for a
    /// pattern, so other names are left out here.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn get_api_keys_named(&self, name: &str, own: bool) -> Result<Keys, ClientError> {
        let call = Call::new(Method::GET, &PATH).query_if(true, "name", name).query_if(own, "owner", "true");
        let answer = self.send(Call { limit: MAX_LIST_BYTES, ..call }).await?;
        if answer.status == 404 && answer.parse::<WireList<'_>>().is_ok_and(|list| list.api_keys.is_empty()) {
            return Ok(Keys::default());
        }
        let mut page = read_aside(answer.success()?).await?;
        page.keys.retain(|key| key.name == name);
        Ok(Keys { keys: page.keys, unreadable: page.unreadable })
    }

    /// Returns one page of keys (since 7.15). With no more than `manage_own_api_key` these are own keys only.
    ///
    /// # Errors
    /// [`ClientError::Lacks`] where there is no such query, and any error of a request.
    pub async fn query_api_keys(&self, query: &KeyQuery) -> Result<KeyPage, ClientError> {
        let call = Call::new(Method::POST, &["_security", "_query", "api_key"]).body(query.body()).query_if(
            query.with_limited_by,
            "with_limited_by",
            "true",
        );
        let answer = self.send(Call { feature: Some(Feature::Query), ..call }).await?.success()?;
        read_aside(answer).await
    }

    /// Reads a page of keys as [`Client::query_api_keys`] does, and hands each key to `put` while the answer still
    /// arrives. If the connection breaks and the request is sent again, keys come a second time.
    ///
    /// # Errors
    /// [`ClientError::Lacks`] where there is no such query, and any error of a request.
    pub async fn query_rows(
        &self,
        query: &KeyQuery,
        put: &mut (dyn FnMut(&RawKey<'_>) + Send),
    ) -> Result<RowPage, ClientError> {
        let call = Call::new(Method::POST, &["_security", "_query", "api_key"])
            .body(query.body())
            .query_if(true, "filter_path", ROW_FIELDS)
            .query_if(query.with_limited_by, "with_limited_by", "true");
        self.rows(Call { feature: Some(Feature::Query), limit: MAX_STREAM_BYTES, ..call }, put).await
    }

    /// Reads all keys at once, and hands each to `put` while the answer still arrives: 52.7 MB for 100,000 keys, of
    /// which nothing is held. The only way before 7.15.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn get_rows(&self, own: bool, put: &mut (dyn FnMut(&RawKey<'_>) + Send)) -> Result<RowPage, ClientError> {
        let call = Call::new(Method::GET, &PATH).query_if(own, "owner", "true");
        self.rows(Call { limit: MAX_STREAM_BYTES, ..call }, put).await
    }

    async fn rows(&self, call: Call<'_>, put: &mut (dyn FnMut(&RawKey<'_>) + Send)) -> Result<RowPage, ClientError> {
        let reader = Mutex::new(RowReader::new(put));
        let answer = self.send(Call { rows: Some(&reader), ..call }).await?;
        if answer.status == 404 && answer.parse::<WireList<'_>>().is_ok_and(|list| list.api_keys.is_empty()) {
            return Ok(RowPage::default());
        }
        let answer = answer.success()?;
        let reader = reader.into_inner().unwrap_or_else(PoisonError::into_inner);
        let wire: WireTotal = answer.parse()?;
        let others = wire.others(answer.status)?;
        let (last_sort, rows) = (reader.last_sort(), reader.rows + others);
        let mut unreadable = reader.unreadable;
        (0..others).for_each(|_| unreadable.push(no_object()));
        Ok(RowPage { total: wire.total.unwrap_or(rows as u64), rows, last_sort, unreadable })
    }

    /// Counts keys, and lets the cluster aggregate them (since 8.14). Returns the number of keys that the filter finds,
    /// and the answer's `aggregations`.
    ///
    /// # Errors
    /// [`ClientError::Lacks`] where there is no such query, and any error of a request.
    pub async fn count_api_keys(
        &self,
        filter: Option<&Value>,
        aggregations: Option<&Value>,
    ) -> Result<(u64, Value), ClientError> {
        let mut body = json!({ "size": 0 });
        if let Some(filter) = filter {
            body["query"] = filter.clone();
        }
        if let Some(aggregations) = aggregations {
            body["aggs"] = aggregations.clone();
        }
        let call = Call::new(Method::POST, &["_security", "_query", "api_key"]).body(body.to_string());
        let answer = self.send(Call { feature: Some(Feature::Query), ..call }).await?.success()?;
        let wire: WireCount = answer.parse()?;
        Ok((wire.total, wire.aggregations))
    }
}

impl KeyQuery {
    /// A query for the first `size` keys, in no particular order.
    pub fn new(size: u32) -> Self {
        Self { filter: None, sort: Vec::new(), size, search_after: None, with_limited_by: false }
    }

    /// Formats the body of the request, to the byte.
    pub fn body(&self) -> String {
        let size = self.size.to_string();
        let filter = self.filter.as_ref().map(Value::to_string);
        let sort: Vec<Value> =
            self.sort.iter().map(|(field, order)| json!({ field: { "order": order.wire() } })).collect();
        let sort = Value::from(sort).to_string();
        let after = self
            .search_after
            .as_ref()
            .map(|values| format!("[{}]", values.iter().map(|value| value.get()).collect::<Vec<_>>().join(",")));
        let mut members = vec![("size", size.as_str())];
        members.extend(filter.as_deref().map(|text| ("query", text)));
        members.extend((!self.sort.is_empty()).then_some(("sort", sort.as_str())));
        members.extend(after.as_deref().map(|text| ("search_after", text)));
        json::write_object(members)
    }
}

impl Order {
    fn wire(self) -> &'static str {
        match self {
            Self::Ascending => "asc",
            Self::Descending => "desc",
        }
    }
}

async fn read_aside(answer: Response) -> Result<KeyPage, ClientError> {
    if answer.body.len() < LONG_TO_READ {
        return read_page(&answer);
    }
    let status = answer.status;
    let read = tokio::task::spawn_blocking(move || read_page(&answer)).await;
    read.unwrap_or_else(|error| Err(ClientError::Unreadable { status, reason: error.to_string() }))
}

fn read_page(answer: &Response) -> Result<KeyPage, ClientError> {
    let mut splitter = RowSplitter::default();
    let (mut page, mut last) = (KeyPage::default(), None);
    splitter.push(&answer.body, |row| {
        match serde_json::from_slice::<WireKey>(row) {
            Ok(wire) => page.keys.push(wire.into_key()),
            Err(error) => match OddRow::read(row, &server_text::shown(&error.to_string())) {
                Some(row) => page.keys.push(row.into_key()),
                None => page.unreadable.push(unreadable(&error)),
            },
        }
        last = row_stream::last_sort(row);
    })?;
    let wire: WireTotal = answer.parse_part(splitter.rest())?;
    let others = wire.others(answer.status)?;
    (0..others).for_each(|_| page.unreadable.push(no_object()));
    page.total = wire.total.unwrap_or((page.keys.len() + page.unreadable.len()) as u64);
    page.last_sort = last;
    Ok(page)
}

impl WireTotal {
    /// Returns the number of rows that are no JSON objects.
    fn others(&self, status: u16) -> Result<usize, ClientError> {
        match (self.total, &self.rows) {
            (None, None) => {
                let reason = "it contains neither keys nor their number".into();
                Err(ClientError::Unreadable { status, reason })
            }
            (_, rows) => Ok(rows.as_ref().map_or(0, Vec::len)),
        }
    }
}

impl WireKey {
    fn into_key(self) -> ApiKey {
        let key = ApiKey {
            id: KeyId::new(self.id),
            name: self.name.unwrap_or_default(),
            kind: self.kind.as_deref().map(KeyKind::from_wire).unwrap_or_default(),
            owner: Owner { username: self.username.unwrap_or_default(), realm: self.realm.unwrap_or_default() },
            created: self.creation,
            expires: self.expiration,
            invalidated: self.invalidated,
            invalidated_at: self.invalidation,
            metadata: self.metadata,
            role_descriptors: self.role_descriptors,
            limited_by: self.limited_by,
            access: self.access,
            certificate_identity: self.certificate_identity,
            realm_type: self.realm_type,
            ..ApiKey::default()
        };
        key.with_facts()
    }
}
