//! Result window of a page of hits.

use crate::sandbox::http::error::EsError;

/// Maximum of `from + size`; beyond it, `search_after` is needed.
const WINDOW: i64 = 10_000;

/// Returns the refusal of a result window that is too large, `None` if it is allowed; also used by ordinary searches.
pub fn window_problem(from: i64, size: i64) -> Option<Box<EsError>> {
    let end = from.saturating_add(size);
    (end > WINDOW).then(|| {
        EsError::illegal(format!(
            "Result window is too large, from + size must be less than or equal to: [{WINDOW}] but was [{end}]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting."
        ))
    })
}
