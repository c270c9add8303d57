//! The one owner of the asynchronous runtime. Jobs go in, events come out through one bounded channel. A wake closure
//! signals the window that an event is waiting, so nothing here depends on the window.

pub mod create;
pub mod event;
pub mod job;
pub mod rotation;
pub mod services;
mod signals;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{runtime::Runtime, sync::mpsc, task::AbortHandle};

use crate::store::{journal::Warning as JournalWarning, lock_signals::SleepDelay};

pub use create::{FormAnswer, FormTask};
pub use event::{Answer, Event};
pub use job::{Job, Task, ViewRequest};
pub use rotation::{EndPlans, Rotate, Rotated};
pub use services::{SandboxOpener, SecretSink, Services};

/// Number that ties an answer to its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Ticket of events that answer no job.
const UNASKED: Ticket = Ticket(0);

/// Number of events that may wait for the window. When the channel is full, outcomes wait and progress is dropped.
const ROOM: usize = 256;

/// Runs jobs in the background.
pub struct Worker {
    runtime: Option<Runtime>,
    services: Arc<Services>,
    sender: mpsc::Sender<Event>,
    events: mpsc::Receiver<Event>,
    wake: Arc<dyn Fn() + Send + Sync>,
    running: Arc<Mutex<HashMap<Ticket, Running>>>,
    /// The newest warning about the journal and the number of warnings: none is lost, however full the channel is.
    warned: Warned,
}

/// The newest warning about the journal that was not handed on yet, and the number of warnings not handed on.
type Warned = Arc<Mutex<Option<(JournalWarning, u64)>>>;

struct Running {
    abort: AbortHandle,
    stop: Arc<AtomicBool>,
    is_write: bool,
}

/// Sender of a job's events.
#[derive(Clone)]
pub(crate) struct Reporter {
    ticket: Ticket,
    sender: mpsc::Sender<Event>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Reporter {
    /// Sends progress, which is dropped if the channel is full.
    pub(crate) fn progress(&self, answer: Answer) {
        if self.sender.try_send(Event { ticket: self.ticket, answer }).is_ok() {
            (self.wake)();
        }
    }

    /// Sends the answer, and waits while the channel is full. It is dropped if the window is gone.
    pub(crate) async fn answer(&self, answer: Answer) {
        if self.sender.send(Event { ticket: self.ticket, answer }).await.is_ok() {
            (self.wake)();
        }
    }
}

impl Worker {
    /// Starts the runtime on named threads. `wake` is called after each event.
    ///
    /// # Errors
    /// If the operating system provides no threads.
    pub fn start(services: Services, wake: impl Fn() + Send + Sync + 'static) -> std::io::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("worker").enable_all().build()?;
        let (sender, events) = mpsc::channel(ROOM);
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(wake);
        let warned = Warned::default();
        let (noted, tell) = (Arc::clone(&warned), Arc::clone(&wake));
        let services = services.watch_journal(move |warning| {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            let before = noted.as_ref().map_or(0, |(_, number)| *number);
            *noted = Some((warning, before.saturating_add(1)));
            drop(noted);
            tell();
        });
        let services = Arc::new(services);
        let running = Arc::default();
        Ok(Self { runtime: Some(runtime), services, sender, events, wake, running, warned })
    }

    /// Starts a job. Its events carry its ticket.
    pub fn submit(&self, job: Job) {
        let Some(runtime) = &self.runtime else { return };
        let Job { ticket, task } = job;
        if let Task::Stop(other) = task {
            return self.stop(other);
        }
        let reporter = Reporter { ticket, sender: self.sender.clone(), wake: Arc::clone(&self.wake) };
        let stop = Arc::new(AtomicBool::new(false));
        let is_write = task.is_write();
        let work = runtime.spawn(job::run(task, Arc::clone(&self.services), reporter.clone(), Arc::clone(&stop)));
        let abort = work.abort_handle();
        self.running().insert(ticket, Running { abort, stop, is_write });
        let running = Arc::clone(&self.running);
        runtime.spawn(async move {
            let end = work.await;
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&ticket);
            if let Err(error) = end
                && error.is_panic()
            {
                reporter.answer(Answer::Panicked).await;
            }
        });
    }

    /// Stops a job: reads are aborted; writes stop between chunks and still answer with what was done.
    fn stop(&self, ticket: Ticket) {
        if let Some(running) = self.running().get(&ticket) {
            running.stop.store(true, Ordering::Relaxed);
            if !running.is_write {
                running.abort.abort();
            }
        }
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<Ticket, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the next event, if there is one; never waits.
    pub fn poll(&mut self) -> Option<Event> {
        let warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((warning, number)) = warned {
            return Some(Event { ticket: UNASKED, answer: Answer::JournalWarning(warning, number) });
        }
        self.events.try_recv().ok()
    }

    /// Runs one last task and waits for it at most `most`, because the program is about to exit.
    pub fn finish(&self, task: Task, most: std::time::Duration) {
        let Some(runtime) = &self.runtime else { return };
        let reporter = Reporter { ticket: Ticket(0), sender: self.sender.clone(), wake: Arc::new(|| ()) };
        let work = job::run(task, Arc::clone(&self.services), reporter, Arc::default());
        // Too late is no error here: there is nobody left to tell.
        let _ = runtime.block_on(async { tokio::time::timeout(most, work).await });
    }

    /// Turns the system's requests to end (SIGTERM, SIGINT, SIGHUP) into events from now on; they no longer end the
    /// program by themselves.
    pub fn heed_signals(&self) {
        let Some(runtime) = &self.runtime else { return };
        let reporter = Reporter { ticket: Ticket(0), sender: self.sender.clone(), wake: Arc::clone(&self.wake) };
        runtime.spawn(signals::tell(reporter));
    }

    /// Turns the desktop's signals to lock the window into events from now on.
    pub fn heed_lock_signals(&self) {
        let Some(runtime) = &self.runtime else { return };
        let reporter = Reporter { ticket: UNASKED, sender: self.sender.clone(), wake: Arc::clone(&self.wake) };
        let other = reporter.clone();
        runtime.spawn(async move {
            let subscribed = async move |signals| other.answer(Answer::LockSignals(signals)).await;
            let report = async move |reason, delay: Option<SleepDelay>| {
                reporter.answer(delay.map_or(Answer::LockAsked(reason), Answer::SleepBegins)).await;
            };
            crate::store::lock_signals::watch(subscribed, report).await;
        });
    }

    /// Returns the number of jobs that are running.
    pub fn busy(&self) -> usize {
        self.running().len()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
