//! Functions for the benchmarks only.

use reqwest::Method;

use super::{
    Client, ClientError, KeyQuery,
    api::key_list::{MAX_STREAM_BYTES, ROW_FIELDS},
    call::Call,
};

/// Reads a page of keys and discards it; returns the number of its rows.
///
/// # Errors
/// Any error of a request.
pub async fn throw_away(client: &Client, query: &KeyQuery) -> Result<usize, ClientError> {
    let call = Call::new(Method::POST, &["_security", "_query", "api_key"])
        .body(query.body())
        .query_if(true, "filter_path", ROW_FIELDS)
        .query_if(query.with_limited_by, "with_limited_by", "true");
    let answer = client.send(Call { limit: MAX_STREAM_BYTES, ..call }).await?.success()?;
    Ok(memchr::memmem::find_iter(&answer.body, b"{\"id\":\"").count())
}
