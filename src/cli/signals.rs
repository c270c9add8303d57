//! The signals by which a command is asked to end: it finishes what it can't leave open, and says what is true.

/// Waits for an interrupt (Ctrl-C), and on Unix for the signals to terminate and to hang up. A signal that comes
/// between two waits is not lost.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    kinds: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    /// From now on these signals don't end the process by themselves.
    pub(super) fn caught() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
            Self { kinds: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Returns when the next one comes; never where none can be caught.
    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        std::future::poll_fn(|context| {
            if self.kinds.iter_mut().any(|kind| matches!(kind.poll_recv(context), std::task::Poll::Ready(Some(())))) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
