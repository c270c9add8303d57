//! The login service before the computer sleeps: played on the session's bus, where the program takes it for the real one.

use std::{
    io::Read as _,
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
    time::Duration,
};

use keybearer::{
    model::lock::{LockReason, LockSignals},
    store::lock_signals::{SleepDelay, watch_on},
};
use tokio::sync::mpsc;
use zbus::{
    Connection, connection, interface,
    zvariant::{OwnedFd, OwnedObjectPath},
};

const PATH: &str = "/org/freedesktop/login1";
const SESSION: &str = "/org/freedesktop/login1/session/_31";

/// What was asked of the login service, and its ends of the delays.
#[derive(Default)]
struct Asked {
    delays: Vec<(Vec<String>, UnixStream)>,
}

struct Manager(Arc<Mutex<Asked>>);

#[interface(name = "org.freedesktop.login1.Manager")]
impl Manager {
    fn inhibit(&self, what: String, who: String, why: String, mode: String) -> OwnedFd {
        let (own, given) = UnixStream::pair().unwrap();
        own.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        self.0.lock().unwrap().delays.push((vec![what, who, why, mode], own));
        OwnedFd::from(std::os::fd::OwnedFd::from(given))
    }

    #[zbus(name = "GetSessionByPID")]
    fn session_of(&self, _pid: u32) -> OwnedObjectPath {
        OwnedObjectPath::try_from(SESSION).unwrap()
    }
}

struct Session;

#[interface(name = "org.freedesktop.login1.Session")]
impl Session {
    #[zbus(property)]
    fn locked_hint(&self) -> bool {
        true
    }
}

async fn sleep(service: &Connection, begins: bool) {
    let manager = "org.freedesktop.login1.Manager";
    service.emit_signal(None::<&str>, PATH, manager, "PrepareForSleep", &begins).await.unwrap();
}

/// Waits for what is reported next.
async fn next(reports: &mut mpsc::Receiver<(LockReason, Option<SleepDelay>)>) -> (LockReason, Option<SleepDelay>) {
    tokio::time::timeout(Duration::from_secs(20), reports.recv()).await.unwrap().unwrap()
}

/// Whether the computer would still wait: the other end of a delay is open.
fn waits(own: &mut UnixStream) -> bool {
    own.set_nonblocking(true).unwrap();
    own.read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[test]
fn sleep_waits_for_the_lock_and_each_sleep_anew_and_a_hint_locks_too() {
    let Some(_turn) = super::desktop() else { return };
    let asked = Arc::new(Mutex::new(Asked::default()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let service = connection::Builder::session().unwrap();
        let service = service.serve_at(PATH, Manager(asked.clone())).unwrap().serve_at(SESSION, Session).unwrap();
        let service = service.name("org.freedesktop.login1").unwrap().build().await.unwrap();
        let system = Connection::session().await.unwrap();
        let ((told, heard), (sender, mut reports)) = (tokio::sync::oneshot::channel(), mpsc::channel(8));
        let subscribed = async move |signals: LockSignals| told.send(signals).unwrap();
        let report = async move |reason, delay| sender.send((reason, delay)).await.unwrap();
        let watching = tokio::spawn(watch_on(Some(system), None, subscribed, report));
        let signals = heard.await.unwrap();
        assert!(signals.sleep && signals.session, "{signals:?}");

        for number in 0..2 {
            let delay = |asked: &Asked| asked.delays[number].1.try_clone().unwrap();
            let taken = async {
                while asked.lock().unwrap().delays.len() <= number {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            tokio::time::timeout(Duration::from_secs(20), taken).await.unwrap();
            let words = asked.lock().unwrap().delays[number].0.clone();
            assert_eq!(words, ["sleep", "Keybearer", "Locks its window first", "delay"]);
            let mut own = delay(&asked.lock().unwrap());
            assert!(waits(&mut own), "it is held from the start");
            sleep(&service, true).await;
            let (reason, held) = next(&mut reports).await;
            assert_eq!(reason, LockReason::Sleep);
            assert!(held.is_some() && waits(&mut own), "the computer waits for the lock");
            drop(held);
            assert!(!waits(&mut own), "and then sleeps");
            sleep(&service, false).await;
        }

        let session = service.object_server().interface::<_, Session>(SESSION).await.unwrap();
        session.get().await.locked_hint_changed(session.signal_emitter()).await.unwrap();
        assert_eq!(next(&mut reports).await.0, LockReason::Screen);
        watching.abort();
    });
}
