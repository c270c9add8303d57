//! Interface between the worker and the operations on many keys: how one is run, and its progress. A new operation
//! implements [`BulkOperation`]; the worker then needs no task and no answer of its own for it.

use std::{fmt, future::Future, pin::Pin, sync::atomic::AtomicBool};

use crate::{
    model::{api_key::KeyId, failure::Failure},
    ops::{Outcome, Session},
};

/// Progress of an operation on many keys.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    /// Outcome of the keys settled so far, without those still to be sent.
    pub outcome: &'a Outcome,
    /// Number of keys that were sent and are not settled yet.
    pub in_flight: usize,
    /// Number of keys that were not sent yet.
    pub waiting: usize,
}

/// Progress of an operation on many keys as numbers and examples, cheap to pass on.
#[derive(Clone, Debug, Default)]
pub struct BulkProgress {
    /// Number of keys with an outcome so far.
    pub settled: usize,
    /// Number of keys that are as asked for so far.
    pub done: usize,
    /// Number of keys that certainly failed so far.
    pub failed: usize,
    /// Number of keys with an unknown outcome so far.
    pub unknown: usize,
    /// Number of keys that were sent and are not settled yet.
    pub in_flight: usize,
    /// Number of keys that were not sent yet.
    pub waiting: usize,
    /// Last few keys that are done, newest first.
    pub latest: Vec<KeyId>,
    /// First few keys that failed or whose outcome is unknown, each with the reason.
    pub reasons: Vec<(KeyId, Failure)>,
}

impl From<Progress<'_>> for BulkProgress {
    fn from(progress: Progress<'_>) -> Self {
        const EXAMPLES: usize = 8;
        let Progress { outcome, in_flight, waiting } = progress;
        Self {
            settled: outcome.settled(),
            done: outcome.done.len(),
            failed: outcome.failed.len() - outcome.unknown(),
            unknown: outcome.unknown(),
            in_flight,
            waiting,
            latest: outcome.done.iter().rev().take(EXAMPLES).cloned().collect(),
            reasons: outcome.failed.iter().take(EXAMPLES).cloned().collect(),
        }
    }
}

/// Callback that receives the progress of an operation.
pub type OnProgress<'a> = dyn FnMut(BulkProgress) + Send + 'a;

/// The running operation.
pub type BulkFuture<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// An operation on many keys, with its plan and the confirmations that were given for it.
pub trait BulkOperation: fmt::Debug + Send {
    /// Runs the operation. `stop` is checked between two requests; `on_progress` receives the progress.
    fn run<'a>(
        self: Box<Self>,
        session: &'a Session,
        stop: &'a AtomicBool,
        on_progress: &'a mut OnProgress<'_>,
    ) -> BulkFuture<'a>;
}
