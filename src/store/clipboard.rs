//! Secrets on the clipboard of the desktop: marked as not for histories, and removed again only when they are still
//! there. The caller decides when.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    time::Duration,
};

use arboard::{Clipboard, Error};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::model::secret::Secret;

/// Maximum number of waiting requests; the clipboard answers in milliseconds, or not at all.
const QUEUE: usize = 8;
/// Longest time that an exit waits for the clipboard to be cleared.
const EXIT_LIMIT: Duration = Duration::from_secs(1);

/// The clipboard, for secrets: a thread of its own that remembers a hash of what it copied, and no secret. Dropping it
/// clears the clipboard if that still holds our text, within a second.
pub struct SecretClipboard {
    requests: Option<SyncSender<Request>>,
    ended: Receiver<()>,
}

/// Reason why a secret is not on the clipboard; `Display` says what happened, `way_out` what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClipboardError {
    /// There is no display, or it refuses access.
    #[error("The clipboard can't be reached: {0}")]
    Unreachable(String),
    /// Another program holds it just now, or earlier requests are not yet answered.
    #[error("The clipboard is busy")]
    Busy,
    /// Anything else, as the desktop describes it.
    #[error("The clipboard failed: {0}")]
    Other(String),
}

impl ClipboardError {
    /// Advice on what a person can do about the error.
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "Write the secret to a file, or save it in the keyring",
            Self::Busy => "Try again in a moment",
            Self::Other(_) => "Try again, or write the secret to a file",
        }
    }
}

/// Result of a request to clear the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleared {
    /// The clipboard held our text and was cleared.
    Cleared,
    /// The clipboard holds something else, or nothing: left as it is.
    NotOurs,
    /// The clipboard may still hold our text; with the reason.
    Failed(String),
}

type CopyReply = Box<dyn FnOnce(Result<(), ClipboardError>) + Send>;
type ClearReply = Box<dyn FnOnce(Cleared) + Send>;

enum Request {
    Copy(Secret, CopyReply),
    Clear(ClearReply),
}

impl SecretClipboard {
    /// Starts the thread; the desktop isn't asked before the first copy.
    ///
    /// # Errors
    /// Returns an error if the system provides no thread.
    pub fn start() -> std::io::Result<Self> {
        let (requests, inbox) = sync_channel(QUEUE);
        let (alive, ended) = sync_channel(1);
        std::thread::Builder::new().name("clipboard".into()).spawn(move || {
            Keeper::default().serve(&inbox);
            drop(alive); // tells that the clipboard was cleared and let go
        })?;
        Ok(Self { requests: Some(requests), ended })
    }

    /// Puts a secret on the clipboard, marked as not for histories; never blocks. `reply` is called on the clipboard's
    /// thread, or at once when that can't take the request.
    pub fn copy(&self, text: Secret, reply: impl FnOnce(Result<(), ClipboardError>) + Send + 'static) {
        self.send(Request::Copy(text, Box::new(reply)));
    }

    /// Clears the clipboard if it still holds what was copied last; never blocks. `reply` is called on the clipboard's
    /// thread, or at once when that can't take the request.
    pub fn clear_if_ours(&self, reply: impl FnOnce(Cleared) + Send + 'static) {
        self.send(Request::Clear(Box::new(reply)));
    }

    fn send(&self, request: Request) {
        let refused = match self.requests.as_ref().map(|requests| requests.try_send(request)) {
            Some(Err(TrySendError::Full(request))) => Some((request, ClipboardError::Busy)),
            Some(Err(TrySendError::Disconnected(request))) => {
                Some((request, ClipboardError::Other("its thread has ended".into())))
            }
            Some(Ok(())) | None => None,
        };
        match refused {
            Some((Request::Copy(_, reply), error)) => reply(Err(error)),
            Some((Request::Clear(reply), error)) => reply(Cleared::Failed(error.to_string())),
            None => {}
        }
    }
}

impl Drop for SecretClipboard {
    fn drop(&mut self) {
        drop(self.requests.take()); // the thread sees the end of its inbox, clears and ends
        let _ = self.ended.recv_timeout(EXIT_LIMIT); // both outcomes mean: don't wait any longer
    }
}

impl std::fmt::Debug for SecretClipboard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretClipboard").finish_non_exhaustive()
    }
}

/// State of the thread. One clipboard for all requests: on X11 and Wayland it serves what it copied.
#[derive(Default)]
struct Keeper {
    clipboard: Option<Clipboard>,
    ours: Option<[u8; 32]>,
}

impl Keeper {
    fn serve(mut self, inbox: &Receiver<Request>) {
        while let Ok(request) = inbox.recv() {
            match request {
                Request::Copy(text, reply) => reply(self.guarded(|keeper| keeper.copy(&text)).and_then(|done| done)),
                Request::Clear(reply) => reply(self.clear()),
            }
        }
        self.clear();
    }

    /// Runs a call and catches its panic: a panic inside the clipboard's library must not leave a request without an
    /// answer.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut Self) -> T) -> Result<T, ClipboardError> {
        catch_unwind(AssertUnwindSafe(|| call(self))).map_err(|_| {
            self.clipboard = None;
            ClipboardError::Other("it broke down".into())
        })
    }

    fn copy(&mut self, text: &Secret) -> Result<(), ClipboardError> {
        // Before, so that a failure halfway is still cleared.
        self.ours = Some(hash(text.expose()));
        if let Some(clipboard) = &mut self.clipboard
            && private(clipboard.set()).text(text.expose()).is_ok()
        {
            return Ok(());
        }
        // The first time, or the connection to the desktop broke: with a new one.
        self.clipboard = None;
        let mut clipboard = Clipboard::new().map_err(|error| unreachable_words(&error))?;
        let copied = private(clipboard.set()).text(text.expose());
        self.clipboard = Some(clipboard);
        copied.map_err(|error| words(&error))
    }

    fn clear(&mut self) -> Cleared {
        match self.guarded(Self::clear_if_ours) {
            Ok(Ok(cleared)) => cleared,
            Ok(Err(error)) | Err(error) => Cleared::Failed(error.to_string()),
        }
    }

    fn clear_if_ours(&mut self) -> Result<Cleared, ClipboardError> {
        if !self.holds_ours()? {
            return Ok(Cleared::NotOurs);
        }
        if let Some(clipboard) = &mut self.clipboard {
            clipboard.clear().map_err(|error| words(&error))?;
        }
        if self.holds_ours()? {
            return Err(ClipboardError::Other("the text is still there".into()));
        }
        self.ours = None;
        Ok(Cleared::Cleared)
    }

    fn holds_ours(&mut self) -> Result<bool, ClipboardError> {
        let (Some(clipboard), Some(ours)) = (&mut self.clipboard, &self.ours) else { return Ok(false) };
        match clipboard.get_text().map(Zeroizing::new) {
            Ok(text) => Ok(hash(&text).ct_eq(ours).into()),
            // Nothing, or something that is no text: a picture that someone copied since.
            Err(Error::ContentNotAvailable | Error::ConversionFailure) => Ok(false),
            // Some owners answer every question with their picture. Ours would have come from this process.
            Err(Error::Unknown { .. }) if cfg!(target_os = "linux") => Ok(false),
            Err(error) => Err(words(&error)),
        }
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn words(error: &Error) -> ClipboardError {
    match error {
        Error::ClipboardOccupied => ClipboardError::Busy,
        Error::Unknown { description } => ClipboardError::Other(description.clone()),
        other => ClipboardError::Other(other.to_string()),
    }
}

/// Maps the library's error for a missing display, which it describes as a time-out.
fn unreachable_words(error: &Error) -> ClipboardError {
    let displays = ["DISPLAY", "WAYLAND_DISPLAY"];
    let no_display = displays.iter().all(|name| std::env::var_os(name).is_none_or(|display| display.is_empty()));
    if cfg!(target_os = "linux") && no_display {
        return ClipboardError::Unreachable("there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)".into());
    }
    match error {
        Error::ClipboardOccupied => ClipboardError::Busy,
        _ if cfg!(target_os = "linux") => ClipboardError::Unreachable("the display doesn't respond".into()),
        other => ClipboardError::Unreachable(other.to_string()),
    }
}

/// Asks clipboard managers to keep no copy, in the way of each desktop.
#[cfg(target_os = "linux")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtLinux::exclude_from_history(set)
}

#[cfg(target_os = "windows")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtWindows::exclude_from_monitoring(set) // neither the history nor the cloud
}

#[cfg(target_os = "macos")]
fn private(set: arboard::Set<'_>) -> arboard::Set<'_> {
    arboard::SetExtApple::exclude_from_history(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_the_first_copy_nothing_is_ours_and_no_desktop_is_asked() {
        let clipboard = SecretClipboard::start().unwrap();
        let (sender, receiver) = sync_channel(1);
        clipboard.clear_if_ours(move |cleared| sender.send(cleared).unwrap());
        assert_eq!(receiver.recv_timeout(Duration::from_secs(10)), Ok(Cleared::NotOurs));
    }

    #[test]
    fn an_ended_thread_is_said_at_once() {
        let clipboard = SecretClipboard::start().unwrap();
        clipboard.clear_if_ours(|_| panic!("a reply that breaks the thread"));
        let _ = clipboard.ended.recv_timeout(Duration::from_secs(10));
        let (sender, receiver) = sync_channel(2);
        let copied = sender.clone();
        clipboard.copy(Secret::new("hunter2"), move |result| copied.send(format!("{result:?}")).unwrap());
        clipboard.clear_if_ours(move |cleared| sender.send(format!("{cleared:?}")).unwrap());
        let answers: Vec<String> = receiver.try_iter().collect();
        assert!(answers.len() == 2 && answers.iter().all(|answer| answer.contains("its thread has ended")));
        assert!(!format!("{answers:?} {clipboard:?}").contains("hunter2"));
    }
}
