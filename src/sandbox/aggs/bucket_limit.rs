//! Maximum number of buckets in an answer, and the refusal of more.

use crate::sandbox::http::error::EsError;

/// Maximum number of buckets in an answer; more are refused.
pub const MAX_BUCKETS: usize = 65_536;

/// Returns the refusal of too many buckets.
pub fn too_many(more: &str) -> Box<EsError> {
    let reason = format!(
        "Trying to create too many buckets. Must be less than or equal to: [{MAX_BUCKETS}] but {more}. This limit can be set by changing the [search.max_buckets] cluster level setting."
    );
    EsError::new(400, "too_many_buckets_exception", reason).with("max_buckets", MAX_BUCKETS)
}
