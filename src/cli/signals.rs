//! Signals that ask a command to end: the command finishes what it can't leave open, and then reports the result.

use std::sync::atomic::{AtomicBool, Ordering};

use super::output;

/// Runs work to its end. Each signal that arrives meanwhile is handed to `on_signal`, and ends nothing by itself.
pub(super) async fn attended<T>(work: impl Future<Output = T>, mut on_signal: impl FnMut()) -> T {
    let mut signals = Signals::caught();
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            () = signals.next() => on_signal(),
        }
    }
}

/// Runs work that consists of several requests; a signal sets `stop`, which ends the work between two of them.
pub(super) async fn stoppable<T>(work: impl Future<Output = T>, stop: &AtomicBool) -> T {
    attended(work, || {
        output::print_status("Stopping after the current requests");
        stop.store(true, Ordering::Relaxed);
    })
    .await
}

/// Receiver of an interrupt (Ctrl-C), and on Unix of the signals to terminate and to hang up. A signal that arrives
/// between two waits is not lost.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    kinds: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    /// Catches these signals, which no longer end the process by themselves.
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

    /// Returns when the next signal arrives; never where none can be caught.
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
