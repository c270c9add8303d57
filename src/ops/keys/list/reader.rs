//! One reading of all keys: the ranges, what was read so far, and what is read again.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    KeyList, ListProgress, PAGE,
    range::{Range, no_more_than},
};
use crate::{
    client::{ClientError, KeyQuery, MAX_DATE_SKEW, Order as By, RowPage, UnreadRows, Unreadable},
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        inventory::{Bitmap, Inventory, Put, RawKey, RowId},
        version::Feature,
    },
    ops::{
        Session, background, clock,
        keys::paging::{MAX_COUNT_DRIFT, MAX_LISTED_KEYS, Paging},
    },
};

/// Number of rows of the first page: small, so that something is shown at once.
const FIRST_PAGE: u32 = 100;
/// Maximum number of rows of one response; the server refuses more.
const MAX_ROWS: u32 = 10_000;
/// Keys that a range should have: 12 ranges for 100,000 keys, two at a time, were fastest on 9.5.3 with
/// two processors (6.6 s; one after the other 13 s, the one large `GET` 8.4 s).
const RANGE: u64 = 8000;
/// Ranges that are read at the same time.
const AT_ONCE: usize = 2;
/// Maximum number of times that ranges with a different count are read again.
const MENDINGS: usize = 3;
/// Rows that the answers of one reading may have, for each key that is counted: ranges that are read again because they
/// did not add up give the same rows a second and a third time.
const MAX_ROWS_A_KEY: u64 = 8;

/// State of a reading: what was read so far. Ranges write to it at the same time.
#[derive(Default)]
struct State {
    keys: Inventory,
    /// Number of rows of all answers, keys that came twice included.
    rows: u64,
    unreadable: UnreadRows,
    total: u64,
    next_part: usize,
}

/// Time before its beginning from which on a reading looks for invalidations, for clocks of nodes that differ.
const BEGAN_EARLIER: TimeDelta = MAX_DATE_SKEW;

#[derive(Clone)]
pub(super) struct Reader {
    session: Session,
    state: Arc<Mutex<State>>,
    /// `true` while the snapshots of the owners' rights are asked for.
    with_limits: Arc<AtomicBool>,
    /// Time by the cluster's clock at which the reading began.
    began: Timestamp,
    progress: Arc<dyn Fn(ListProgress) + Send + Sync>,
}

impl Reader {
    pub(super) fn new(session: &Session, progress: impl Fn(ListProgress) + Send + Sync + 'static) -> Self {
        let with_limits = Arc::new(AtomicBool::new(session.has(Feature::LimitedBy)));
        Self {
            session: session.clone(),
            state: Arc::default(),
            with_limits,
            began: session.now(),
            progress: Arc::new(progress),
        }
    }

    /// Creates a reader that continues from an older list and reports no progress.
    pub(super) fn from(session: &Session, old: &KeyList) -> Self {
        let reader = Self::new(session, |_| ());
        *reader.state() = State { keys: old.keys.clone(), unreadable: old.unreadable.clone(), ..State::default() };
        reader
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn finish(&self) -> KeyList {
        let mut state = std::mem::take(&mut *self.state());
        background::run(|| state.keys.finish());
        state.unreadable.sort();
        KeyList {
            keys: state.keys,
            unreadable: state.unreadable,
            total: state.total,
            as_of: clock::now(),
            renewed_at: None,
            own_only: self.session.sees_own_only(),
            is_complete: true,
        }
    }

    /// Reads all keys in one response, for versions without the query API; rows are processed while they arrive.
    pub(super) async fn all_at_once(&self) -> Result<(), ClientError> {
        let mut told = 0;
        let own = self.session.sees_own_only();
        let mut put = |key: &RawKey<'_>| {
            self.put(key);
            let read = self.state().keys.len();
            if read >= told + 500 {
                told = read;
                (self.progress)(ListProgress::Count { read: told as u64, total: 0 });
            }
        };
        let page = self.session.client.get_rows(own, &mut put).await?;
        let mut state = self.state();
        state.total = page.rows as u64;
        state.unreadable = page.unreadable;
        Ok(())
    }

    pub(super) async fn by_query(&self) -> Result<(), ClientError> {
        let mut query = KeyQuery::new(FIRST_PAGE);
        query.sort = vec![("creation".into(), By::Descending), ("name".into(), By::Ascending)];
        let first = self.read(&query).await?;
        self.state().total = first.total;
        self.tell_part();
        // A page that is full may be the beginning of more, whatever is counted.
        if first.total > first.rows as u64 || first.rows >= FIRST_PAGE as usize {
            let oldest = self.oldest().await?;
            let newest = self.newest_creation();
            // One millisecond more than the newest: what comes later is looked for at the end.
            let whole = Range {
                from: oldest,
                until: newest + TimeDelta::MILLISECOND,
                count: first.total.max(first.rows as u64),
            };
            let ranges = self.ranges(whole).await?;
            self.read_ranges(ranges.clone()).await?;
            self.add_up(&ranges, whole).await?;
        }
        Ok(())
    }

    /// Reads one answer; each key is there as soon as it has arrived.
    async fn read(&self, query: &KeyQuery) -> Result<RowPage, ClientError> {
        self.read_rows(query, &mut |key| self.put(key)).await
    }

    async fn read_rows(
        &self,
        query: &KeyQuery,
        put: &mut (dyn FnMut(&RawKey<'_>) + Send),
    ) -> Result<RowPage, ClientError> {
        let page = self.query(query, put).await?;
        let mut state = self.state();
        state.unreadable.merge(&page.unreadable);
        state.rows = state.rows.saturating_add(page.rows as u64);
        let counted = state.total.max(page.total).max(state.keys.len() as u64);
        if state.rows > counted.saturating_add(MAX_COUNT_DRIFT).saturating_mul(MAX_ROWS_A_KEY) {
            let reason = format!("it sent {} rows although it counts {counted} keys, with no end in sight", state.rows);
            return Err(ClientError::Contradictory { reason });
        }
        if state.keys.len() as u64 > MAX_LISTED_KEYS {
            let reason = format!("it sends more than {MAX_LISTED_KEYS} keys");
            return Err(ClientError::Contradictory { reason });
        }
        Ok(page)
    }

    /// Asks for one page, with the snapshots of the owners' rights unless they are refused: signed in by a key one
    /// sees that key, but not the rights of its owner (as seen on 9.5.3), and a version that was not told may not know
    /// them.
    async fn query(&self, query: &KeyQuery, put: &mut (dyn FnMut(&RawKey<'_>) + Send)) -> Result<RowPage, ClientError> {
        if self.with_limits.load(Ordering::Relaxed) {
            let with_limits = KeyQuery { with_limited_by: true, ..query.clone() };
            match self.session.client.query_rows(&with_limits, put).await {
                Err(ClientError::Forbidden { .. } | ClientError::Lacks(Feature::LimitedBy)) => {
                    self.with_limits.store(false, Ordering::Relaxed);
                }
                answer => return answer,
            }
        }
        self.session.client.query_rows(query, put).await
    }

    fn put(&self, key: &RawKey<'_>) {
        let mut state = self.state();
        if state.keys.put(key) == Put::Full {
            let reason = "there is no room for more keys".to_owned();
            state.unreadable.push(Unreadable { id: Some(key.id.to_owned()), reason });
        }
    }

    async fn oldest(&self) -> Result<Timestamp, ClientError> {
        let mut query = KeyQuery::new(1);
        query.sort = vec![("creation".into(), By::Ascending)];
        let page = self.read(&query).await?;
        let value = page.last_sort.as_deref().and_then(|sort| sort.first()).and_then(|value| value.get().parse().ok());
        let value = value.map(Timestamp::from_millis);
        let state = self.state();
        let known = state.keys.row_ids().map(|row| state.keys.created(row)).min().unwrap_or_default();
        Ok(value.unwrap_or(known).min(known))
    }

    fn newest_creation(&self) -> Timestamp {
        let state = self.state();
        state.keys.row_ids().map(|row| state.keys.created(row)).max().unwrap_or_default()
    }

    /// Ranges of a few thousand keys each: by the cluster's own histogram where it has one, otherwise
    /// by halving whatever is too large.
    async fn ranges(&self, whole: Range) -> Result<Vec<Range>, ClientError> {
        if whole.count <= u64::from(MAX_ROWS) {
            return Ok(vec![whole]);
        }
        if self.session.has(Feature::Aggregations) {
            match self.histogram(whole).await {
                Ok(ranges) => return Ok(ranges),
                // Another version than was told, or none was told: halving needs no aggregations.
                Err(ClientError::Rejected { .. } | ClientError::Unreadable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(vec![whole])
    }

    async fn histogram(&self, whole: Range) -> Result<Vec<Range>, ClientError> {
        const BUCKETS: i64 = 1000;
        // Elasticsearch aligns buckets at 0, so there may be one more than fits.
        let interval = ((whole.until - whole.from).as_millis() / (BUCKETS - 2)).max(1);
        let source = json!({ "date_histogram": { "field": "creation", "fixed_interval": format!("{interval}ms") } });
        let composite = json!({ "composite": { "size": BUCKETS, "sources": [{ "at": source }] } });
        let (_, answer) = self.session.client.count_api_keys(None, Some(&json!({ "keys": composite }))).await?;
        let unreadable = || ClientError::Unreadable { status: 200, reason: "a histogram without buckets".into() };
        let buckets = answer["keys"]["buckets"].as_array().ok_or_else(unreadable)?;
        let mut ranges: Vec<Range> = Vec::new();
        for bucket in buckets {
            let from = bucket["key"]["at"].as_i64().map(Timestamp::from_millis).ok_or_else(unreadable)?;
            let count = bucket["doc_count"].as_u64().ok_or_else(unreadable)?;
            match ranges.last_mut().filter(|range| range.count.saturating_add(count) <= RANGE) {
                Some(range) => range.count += count,
                None => ranges.push(Range { from, until: from, count }),
            }
        }
        let starts: Vec<Timestamp> = ranges.iter().map(|range| range.from).skip(1).chain([whole.until]).collect();
        ranges.iter_mut().zip(starts).for_each(|(range, until)| range.until = until);
        if ranges.is_empty() {
            return Err(unreadable());
        }
        no_more_than(whole, ranges.iter().map(|range| range.count))?;
        // Whatever lies before the first bucket, or was made since, belongs to the ranges at the ends.
        if let Some(first) = ranges.first_mut() {
            first.from = first.from.min(whole.from);
        }
        Ok(ranges)
    }

    /// Reads ranges, some at the same time, the newest first.
    async fn read_ranges(&self, ranges: Vec<Range>) -> Result<(), ClientError> {
        let mut waiting = ranges;
        let mut running: JoinSet<Result<Vec<Range>, ClientError>> = JoinSet::new();
        loop {
            while running.len() < AT_ONCE
                && let Some(range) = waiting.pop()
            {
                let reader = self.clone();
                running.spawn(async move { reader.read_range(range).await });
            }
            match running.join_next().await {
                None => return Ok(()),
                Some(Ok(more)) => waiting.extend(more?),
                Some(Err(error)) => std::panic::resume_unwind(match error.try_into_panic() {
                    Ok(panic) => panic,
                    Err(_) => return Ok(()), // only dropping the set ends a task, and then nobody is here
                }),
            }
            self.tell();
        }
    }

    /// Reads a range if it is one answer; otherwise gives its halves.
    async fn read_range(&self, range: Range) -> Result<Vec<Range>, ClientError> {
        if range.count > u64::from(MAX_ROWS) {
            return if range.until - range.from > TimeDelta::MILLISECOND {
                self.halved(range).await
            } else {
                self.page_through(range).await.map(|()| Vec::new())
            };
        }
        let mut query = KeyQuery::new(MAX_ROWS);
        query.filter = Some(range.filter());
        let page = self.read(&query).await?;
        // A full answer may not be the whole range, whatever is counted: it is read in smaller parts.
        let is_full = page.rows >= MAX_ROWS as usize;
        let count = page.total.max(page.rows as u64 + 1);
        Ok(if is_full { vec![Range { count, ..range }] } else { Vec::new() })
    }

    async fn halved(&self, range: Range) -> Result<Vec<Range>, ClientError> {
        let mut halves = Vec::new();
        for (from, until) in range.halves() {
            let half = Range { from, until, count: 0 };
            let (count, _) = self.session.client.count_api_keys(Some(&half.filter()), None).await?;
            if count > 0 {
                halves.push(Range { count, ..half });
            }
        }
        no_more_than(range, halves.iter().map(|half| half.count))?;
        Ok(halves)
    }

    /// Reads a range page by page, if more keys than one response holds were created within the same millisecond.
    /// Sorted by `_doc`, none is lost between pages (as seen on 9.5.3).
    async fn page_through(&self, range: Range) -> Result<(), ClientError> {
        self.every(range.filter(), Some(range.count), |key| self.put(key)).await.map(drop)
    }

    /// Looks for what was created and invalidated meanwhile, and reads again what doesn't add up.
    async fn add_up(&self, ranges: &[Range], whole: Range) -> Result<(), ClientError> {
        for _ in 0..MENDINGS {
            let (news, count) = tokio::join!(self.newest(), self.session.client.count_api_keys(None, None));
            news?;
            let (total, _) = count?;
            let read = {
                let mut state = self.state();
                state.total = total;
                (state.keys.len() + state.unreadable.len()) as u64
            };
            if read == total {
                return Ok(());
            }
            let newest = self.newest_creation() + TimeDelta::MILLISECOND;
            let last = Range { from: whole.until, until: newest.max(whole.until), count: 0 };
            self.mend(ranges.iter().copied().chain([last])).await?;
        }
        Ok(())
    }

    /// Reads keys that were created or invalidated since, newest first, back to those that are known.
    pub(super) async fn newest(&self) -> Result<(), ClientError> {
        // Before 8.12 nothing tells when a key was invalidated.
        if !self.session.has(Feature::InvalidationTime) {
            return self.newest_by("creation").await;
        }
        let (created, invalidated) = tokio::join!(self.newest_by("creation"), self.newest_by("invalidation"));
        created.and(invalidated)
    }

    async fn newest_by(&self, field: &str) -> Result<(), ClientError> {
        let mut query = KeyQuery::new(FIRST_PAGE);
        query.sort = vec![(field.into(), By::Descending)];
        if field == "invalidation" {
            query.filter = Some(json!({ "term": { "invalidated": true } }));
        }
        let mut paging = Paging::default();
        loop {
            let news = AtomicUsize::new(0);
            let mut put = |key: &RawKey<'_>| {
                paging.row(key.id);
                let put = self.state().keys.put(key);
                news.fetch_add(usize::from(put != Put::Same), Ordering::Relaxed);
            };
            let page = match self.query(&query, &mut put).await {
                // A version that was not told, and can't sort by it.
                Err(ClientError::Rejected { .. }) if field == "invalidation" => return Ok(()),
                page => page?,
            };
            let last = page.last_sort.as_ref().and_then(|sort| sort.first()?.get().parse::<i64>().ok());
            // A page without news may hold what changed before its own range was read, and hide what changed after
            // another's: everything since the reading began is looked at.
            let is_since = last.is_some_and(|at| Timestamp::from_millis(at) >= self.began - BEGAN_EARLIER);
            let is_needed = news.into_inner() > 0 || is_since;
            let goes_on = paging.goes_on(page.rows, query.size, page.total)? && is_needed;
            let Some(sort) = page.last_sort.filter(|_| goes_on) else { return Ok(()) };
            // The next page begins after the moment of the last row. One request may have invalidated thousands of keys
            // at that moment, of which only some were on this page.
            if let Some(at) = last {
                let filter = json!({ "range": { field: { "gte": at, "lt": at.saturating_add(1) } } });
                self.every(filter, None, |key| self.put(key)).await?;
            }
            (query.search_after, query.size) = (Some(sort), MAX_ROWS);
        }
    }

    /// Reads all keys that a filter finds, in no order. `count` is their number as the cluster counted it before. Returns
    /// `true` if the last page was not full: after a full one there may be more.
    async fn every(
        &self,
        filter: Value,
        count: Option<u64>,
        mut put: impl FnMut(&RawKey<'_>) + Send,
    ) -> Result<bool, ClientError> {
        let mut query = KeyQuery::new(PAGE);
        query.filter = Some(filter);
        query.sort = vec![("_doc".into(), By::Ascending)];
        if count.is_some_and(|count| count <= u64::from(MAX_ROWS)) {
            (query.size, query.sort) = (MAX_ROWS, Vec::new());
        }
        let mut paging = count.map(Paging::counted).unwrap_or_default();
        loop {
            let mut row = |key: &RawKey<'_>| {
                paging.row(key.id);
                put(key);
            };
            let page = self.read_rows(&query, &mut row).await?;
            self.tell();
            match page.last_sort {
                Some(sort) if paging.goes_on(page.rows, query.size, page.total)? => query.search_after = Some(sort),
                _ => return Ok(page.rows < query.size as usize),
            }
        }
    }

    /// Reads those ranges again in which the cluster counts other keys than were read; keys that it doesn't send any
    /// more are removed.
    async fn mend(&self, ranges: impl Iterator<Item = Range>) -> Result<(), ClientError> {
        let mut gone: HashSet<KeyId> = HashSet::new();
        for range in ranges.filter(|range| range.until > range.from) {
            let (count, _) = self.session.client.count_api_keys(Some(&range.filter()), None).await?;
            if count == self.within(range).len() as u64 {
                continue;
            }
            let mut sent = HashSet::new();
            let put = |key: &RawKey<'_>| {
                self.put(key);
                sent.insert(key.id.to_owned());
            };
            let is_whole = self.every(range.filter(), Some(count), put).await?;
            // After a full page there may be more: what it doesn't name may still be there.
            if is_whole {
                gone.extend(self.within(range).into_iter().filter(|id| !sent.contains(id)).map(KeyId::new));
            }
        }
        if !gone.is_empty() {
            let mut state = self.state();
            let mut row_ids = Bitmap::none(state.keys.len());
            gone.iter().filter_map(|id| state.keys.row_id(id)).for_each(|row| row_ids.set(row, true));
            state.keys = background::run(|| state.keys.without(&row_ids));
        }
        Ok(())
    }

    /// Returns the ids of a range, as far as they were read.
    fn within(&self, range: Range) -> Vec<String> {
        let state = self.state();
        let keys = &state.keys;
        // A key whose creation can't be read may be in any range: it is in none here, so that it is never taken for gone.
        let here =
            |row: &RowId| !keys.is_unread(*row, "creation") && (range.from..range.until).contains(&keys.created(*row));
        state.keys.row_ids().filter(here).map(|row| state.keys.id(row).to_owned()).collect()
    }

    fn tell(&self) {
        let (read, total, part) = {
            let state = self.state();
            (state.keys.len() as u64, state.total, state.keys.len() >= state.next_part)
        };
        (self.progress)(ListProgress::Count { read, total });
        if part {
            self.tell_part();
        }
    }

    /// Reports the keys read so far, sorted. Each report waits for a larger number of keys, so that all copies together
    /// cost no more than a few of the whole list.
    fn tell_part(&self) {
        let mut list = {
            let mut state = self.state();
            state.next_part = (state.keys.len() * 3).max(5000);
            KeyList {
                keys: state.keys.clone(),
                unreadable: state.unreadable.clone(),
                total: state.total,
                as_of: clock::now(),
                renewed_at: None,
                own_only: self.session.sees_own_only(),
                is_complete: false,
            }
        };
        background::run(|| list.keys.make_orders());
        (self.progress)(ListProgress::Part(Arc::new(list)));
    }
}
