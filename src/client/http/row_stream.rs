//! Rows of a long answer, handed on one by one while it still arrives, so that no answer is held whole.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::unreadable_row::{self, OddRow};
use crate::{
    client::{
        error::ClientError,
        http::{
            server_text,
            unread_rows::{UnreadRows, unreadable},
        },
    },
    model::{Timestamp, inventory::RawKey},
};

/// Size limit of one row, in bytes: metadata may have some megabytes.
pub(crate) const MAX_ROW_BYTES: usize = 64 << 20;
/// Size limit of everything in an answer that is not a row, in bytes.
const MAX_REST_BYTES: usize = 64 << 20;

/// Splits an answer: the objects in the list `api_keys` of the outermost object are rows, and the rest is kept as an
/// answer without them.
#[derive(Debug, Default)]
pub(crate) struct RowSplitter {
    rest: Vec<u8>,
    row: Vec<u8>,
    depth: usize,
    /// `true` if the answer is an object; only an object can hold the list of rows.
    is_object: bool,
    in_text: bool,
    escaped: bool,
    /// Depth of the list of rows while reading it; `None` outside of it.
    list: Option<usize>,
    /// Last text of the outermost object, which is the key of the value that follows.
    key: Vec<u8>,
}

impl RowSplitter {
    /// Takes the next bytes, and calls `row` with each row that is complete.
    ///
    /// # Errors
    /// [`ClientError::TooLarge`] when a row or the rest exceeds its limit.
    pub(crate) fn push(&mut self, chunk: &[u8], mut row: impl FnMut(&[u8])) -> Result<(), ClientError> {
        let mut at = 0;
        while at < chunk.len() {
            if self.in_text {
                at = self.text(chunk, at);
                continue;
            }
            let byte = chunk[at];
            at += 1;
            match byte {
                b'"' => {
                    self.in_text = true;
                    if self.depth == 1 {
                        self.key.clear();
                    }
                    self.keep(&[byte]);
                }
                b'{' | b'[' => {
                    self.is_object |= self.depth == 0 && byte == b'{';
                    self.depth += 1;
                    self.keep(&[byte]);
                    if byte == b'[' && self.depth == 2 && self.is_object && self.key == b"api_keys" {
                        self.list = Some(2);
                    }
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.list.is_some_and(|list| self.depth < list) {
                        self.list = None;
                    }
                    self.keep(&[byte]);
                    if self.list == Some(self.depth) {
                        row(&self.row);
                        self.row.clear();
                    }
                }
                b',' if self.list == Some(self.depth) => {}
                other => self.keep(&[other]),
            }
        }
        if self.row.len() > MAX_ROW_BYTES || self.rest.len() > MAX_REST_BYTES {
            let limit = if self.row.len() > MAX_ROW_BYTES { MAX_ROW_BYTES } else { MAX_REST_BYTES };
            return Err(ClientError::TooLarge { limit: limit as u64, status: 200 });
        }
        Ok(())
    }

    /// Continues within a text, to its end or that of the chunk.
    fn text(&mut self, chunk: &[u8], from: usize) -> usize {
        let mut at = from;
        while at < chunk.len() {
            if std::mem::take(&mut self.escaped) {
                at += 1;
                continue;
            }
            match memchr::memchr2(b'"', b'\\', &chunk[at..]) {
                None => at = chunk.len(),
                Some(found) if chunk[at + found] == b'\\' => {
                    self.escaped = true;
                    at += found + 1;
                }
                Some(found) => {
                    at += found + 1;
                    self.in_text = false;
                    break;
                }
            }
        }
        let piece = &chunk[from..at];
        if self.depth == 1 {
            self.key.extend_from_slice(piece.strip_suffix(b"\"").filter(|_| !self.in_text).unwrap_or(piece));
        }
        self.keep(piece);
        at
    }

    fn keep(&mut self, bytes: &[u8]) {
        let is_row = self.list.is_some_and(|list| self.depth > list || self.depth == list && !self.row.is_empty());
        if is_row {
            self.row.extend_from_slice(bytes);
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }

    /// Returns the answer without its rows.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.rest
    }
}

#[derive(Deserialize)]
struct WireRow<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    creation: Timestamp,
    expiration: Option<Timestamp>,
    #[serde(default)]
    invalidated: bool,
    invalidation: Option<Timestamp>,
    #[serde(borrow)]
    username: Option<Cow<'a, str>>,
    #[serde(borrow)]
    realm: Option<Cow<'a, str>>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    role_descriptors: Option<&'a RawValue>,
    #[serde(borrow)]
    limited_by: Option<&'a RawValue>,
    #[serde(borrow)]
    access: Option<&'a RawValue>,
}

/// Reads the sort values of a row (`_sort`), after which the next page begins; `None` where it has none.
pub(crate) fn last_sort(row: &[u8]) -> Option<Vec<Box<RawValue>>> {
    let sort = serde_json::from_slice::<Vec<Box<RawValue>>>(unreadable_row::member(row, "_sort")?).ok()?;
    Some(sort).filter(|sort| !sort.is_empty())
}

/// Callback that is given each key as it arrives.
pub(crate) type Put<'a> = &'a mut (dyn FnMut(&RawKey<'_>) + Send);

/// Reads the rows of one answer as it arrives and hands them on.
pub(crate) struct RowReader<'a> {
    splitter: RowSplitter,
    put: Put<'a>,
    last: Vec<u8>,
    pub(crate) rows: usize,
    pub(crate) unreadable: UnreadRows,
}

/// Sink for the rows of an answer while it arrives.
pub(crate) trait RowSink {
    /// Starts over: the answer broke off, and comes once more from its beginning.
    fn restart(&self);
    /// # Errors
    /// [`ClientError::TooLarge`].
    fn push(&self, chunk: &[u8]) -> Result<(), ClientError>;
    /// Returns the answer without its rows.
    fn rest(&self) -> Vec<u8>;
}

impl RowSink for Mutex<RowReader<'_>> {
    fn restart(&self) {
        self.lock().unwrap_or_else(PoisonError::into_inner).restart();
    }

    fn push(&self, chunk: &[u8]) -> Result<(), ClientError> {
        self.lock().unwrap_or_else(PoisonError::into_inner).push(chunk)
    }

    fn rest(&self) -> Vec<u8> {
        self.lock().unwrap_or_else(PoisonError::into_inner).splitter.rest().to_vec()
    }
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(put: Put<'a>) -> Self {
        Self { splitter: RowSplitter::default(), put, last: Vec::new(), rows: 0, unreadable: UnreadRows::default() }
    }

    fn restart(&mut self) {
        self.splitter = RowSplitter::default();
        self.last.clear();
        self.rows = 0;
        self.unreadable = UnreadRows::default();
    }

    fn push(&mut self, chunk: &[u8]) -> Result<(), ClientError> {
        let Self { splitter, put, last, rows, unreadable: odd } = self;
        splitter.push(chunk, |row| {
            *rows += 1;
            last.clear();
            last.extend_from_slice(row);
            match serde_json::from_slice::<WireRow<'_>>(row) {
                Ok(wire) => put(&wire.raw()),
                Err(error) => match OddRow::read(row, &server_text::shown(&error.to_string())) {
                    Some(row) => put(&row.raw()),
                    None => odd.push(unreadable(&error)),
                },
            }
        })
    }

    /// Returns the sort values of the last row, after which the next page begins; `None` without rows or without
    /// sorting.
    pub(crate) fn last_sort(&self) -> Option<Vec<Box<RawValue>>> {
        last_sort(&self.last)
    }
}

/// Hands on the rows of an answer as if it arrived in pieces of 16 KiB; returns their number. For measuring.
///
/// # Errors
/// [`ClientError::TooLarge`].
#[doc(hidden)]
pub fn read_answer(answer: &[u8], put: &mut (dyn FnMut(&RawKey<'_>) + Send)) -> Result<usize, ClientError> {
    let mut reader = RowReader::new(put);
    answer.chunks(16 << 10).try_for_each(|chunk| reader.push(chunk))?;
    Ok(reader.rows)
}

impl WireRow<'_> {
    fn raw(&self) -> RawKey<'_> {
        RawKey {
            id: &self.id,
            name: self.name.as_deref().unwrap_or_default(),
            kind: self.kind.as_deref().unwrap_or_default(),
            username: self.username.as_deref().unwrap_or_default(),
            realm: self.realm.as_deref().unwrap_or_default(),
            created: self.creation,
            expires: self.expiration,
            invalidated: self.invalidated,
            invalidated_at: self.invalidation,
            metadata: self.metadata.map(RawValue::get),
            role_descriptors: self.role_descriptors.map(RawValue::get),
            limited_by: self.limited_by.map(RawValue::get),
            access: self.access.map(RawValue::get),
            flaw: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::small_stack::{USUAL_CASES, cases, foreign_bytes, foreign_text, on_small_stack};

    fn split(text: &str, size: usize) -> (Vec<String>, String) {
        let mut splitter = RowSplitter::default();
        let mut rows = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            splitter.push(chunk, |row| rows.push(String::from_utf8(row.to_vec()).unwrap())).unwrap();
        }
        (rows, String::from_utf8(splitter.rest().to_vec()).unwrap())
    }

    #[test]
    fn rows_are_told_apart_wherever_the_answer_is_cut() {
        let text = r#"{"total":3,"x":{"api_keys":[{"no":1}]},"api_keys":[{"id":"a]}\"","m":{"l":[1,{}]}}, {"id":"b\\"},{}],"aggregations":{"a":["api_keys"]}}"#;
        for size in [1, 2, 3, 7, 1000] {
            let (rows, rest) = split(text, size);
            assert_eq!(rows, [r#"{"id":"a]}\"","m":{"l":[1,{}]}}"#, r#"{"id":"b\\"}"#, "{}"]);
            assert_eq!(
                rest.replace(' ', ""),
                r#"{"total":3,"x":{"api_keys":[{"no":1}]},"api_keys":[],"aggregations":{"a":["api_keys"]}}"#
            );
        }
    }

    #[test]
    fn what_is_no_list_of_rows_is_left_as_it_is() {
        for text in
            ["", "{}", "[]", "<html>", r#"{"api_keys":7}"#, r#"{"api_keys":{"a":[{}]}}"#, r#"["api_keys",[{}]]"#]
        {
            assert_eq!(split(text, 3), (Vec::new(), text.to_owned()));
        }
        assert_eq!(split(r#"{"api_keys":[7,"x"]}"#, 2).0, Vec::<String>::new());
    }

    #[test]
    fn a_row_or_a_rest_without_end_is_given_up() {
        let long = vec![b'a'; MAX_ROW_BYTES.max(MAX_REST_BYTES) + 1];
        for start in [&b"{\"api_keys\":[{\"id\":\""[..], b"{\"x\":\""] {
            let mut splitter = RowSplitter::default();
            splitter.push(start, |_| ()).unwrap();
            splitter.push(&long[..1 << 20], |_| ()).unwrap();
            let error = splitter.push(&long, |_| ()).unwrap_err();
            assert!(matches!(error, ClientError::TooLarge { limit, .. } if limit == MAX_ROW_BYTES as u64), "{error:?}");
        }
    }

    type Taken = (Vec<Vec<u8>>, Vec<u8>);

    fn taken_apart(bytes: &[u8], size: usize) -> Taken {
        let mut splitter = RowSplitter::default();
        let mut rows = Vec::new();
        for chunk in bytes.chunks(size) {
            splitter.push(chunk, |row| rows.push(row.to_vec())).unwrap();
        }
        (rows, splitter.rest().to_vec())
    }

    proptest::proptest! {
        #![proptest_config(cases(USUAL_CASES / 2))]

        #[test]
        fn any_bytes_are_taken_apart_the_same_wherever_they_are_cut(seed in proptest::num::u64::ANY, size in 1usize..9) {
            const PIECES: &[&[u8]] = &[
                b"{", b"}", b"[", b"]", b",", b":", b"\"", b"\\", b"\"api_keys\"", b"\"api_keys\":[", b"{\"id\":\"a\"}",
                b"\xff", b"\xc3", b" ", b"1", b"null", b"\"total\":2,", b"{\"m\":{\"api_keys\":[",
            ];
            let bytes = foreign_bytes(seed, PIECES);
            on_small_stack(|| assert_eq!(taken_apart(&bytes, size), taken_apart(&bytes, bytes.len().max(1))));
        }

        #[test]
        fn rows_are_those_that_serde_finds(seed in proptest::num::u64::ANY, size in 1usize..40, count in 0usize..5) {
            const PIECES: &[&str] = &["a", "]", "}", "{", "[", "\"", "\\", "é", ",", ":", "api_keys"];
            let row = |number: usize| {
                let text = foreign_text(seed.wrapping_add(number as u64), PIECES);
                serde_json::json!({ "id": text, "l": [[{ text.clone(): [1, {}, text] }]], "api_keys": [{ "no": 1 }] })
            };
            let rows: Vec<serde_json::Value> = (0..count).map(row).collect();
            let answer = serde_json::json!({ "total": count, "x": { "api_keys": [{}] }, "api_keys": rows, "y": row(9) });
            let (found, rest) = taken_apart(answer.to_string().as_bytes(), size);
            let found: Vec<serde_json::Value> = found.iter().map(|row| serde_json::from_slice(row).unwrap()).collect();
            proptest::prop_assert_eq!(&found, &rows);
            let mut without: serde_json::Value = serde_json::from_slice(&rest).unwrap();
            without["api_keys"] = answer["api_keys"].clone();
            proptest::prop_assert_eq!(without, answer);
        }
    }
}
