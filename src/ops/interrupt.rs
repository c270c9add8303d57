//! A way to stop waiting for an answer, which a person or a signal may take. What was sent stays sent, so that who
//! waited looks for what it did.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by all clones: once it is set, it stays set.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<watch::Sender<bool>>);

impl Default for Interrupt {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Interrupt {
    /// Stops all waiting from now on.
    pub fn set(&self) {
        self.0.send_replace(true);
    }

    /// Returns when it is set, which may be never.
    pub async fn wait(&self) {
        let mut receiver = self.0.subscribe();
        if receiver.wait_for(|is_set| *is_set).await.is_err() {
            // Only without a sender, and this is one.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn once_set_nobody_waits_any_longer() {
        let interrupt = Interrupt::default();
        let other = interrupt.clone();
        tokio::join!(interrupt.wait(), async { other.set() });
        interrupt.wait().await;
    }
}
