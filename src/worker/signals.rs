//! Requests of the operating system to end the program. They are only reported here and never obeyed: only the window
//! knows what would be lost.

use super::{Answer, Reporter};

/// Reports each request for as long as the program runs. Where the system offers no way to receive them, they end the
/// program as usual.
#[cfg(unix)]
pub(super) async fn tell(reporter: Reporter) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut hang_up), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::hangup()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    loop {
        let heard = tokio::select! {
            heard = term.recv() => heard,
            heard = hang_up.recv() => heard,
            heard = interrupt.recv() => heard,
        };
        if heard.is_none() {
            return;
        }
        reporter.answer(Answer::AskedToEnd).await;
    }
}

/// Reports each request for as long as the program runs.
#[cfg(not(unix))]
pub(super) async fn tell(reporter: Reporter) {
    while tokio::signal::ctrl_c().await.is_ok() {
        reporter.answer(Answer::AskedToEnd).await;
    }
}
