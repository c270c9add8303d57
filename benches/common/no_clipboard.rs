//! A clipboard that takes nothing, for a window that is only measured.

use keybearer::{model::secret::Secret, worker::SecretSink};

pub struct NoClipboard;

impl SecretSink for NoClipboard {
    fn copy(&self, _: &Secret) -> Result<(), String> {
        Ok(())
    }

    fn clear_if_ours(&self) -> Result<bool, String> {
        Ok(false)
    }
}
