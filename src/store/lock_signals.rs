//! Signals of the desktop that the window should lock: the login service, and the screen saver or screen lock. Before the
//! computer goes to sleep, the login service waits until the window is locked.

use crate::model::lock::{LockReason, LockSignals};

#[cfg(target_os = "linux")]
pub use linux::watch_on;

/// Delay of the computer's sleep. It goes to sleep once this is dropped, and without it after the login service's own limit
/// (`InhibitDelayMaxSec`, 5 s by default).
#[derive(Debug)]
pub struct SleepDelay {
    #[cfg(target_os = "linux")]
    _held: zbus::zvariant::OwnedFd,
}

#[cfg(all(test, target_os = "linux"))]
impl From<std::os::fd::OwnedFd> for SleepDelay {
    fn from(held: std::os::fd::OwnedFd) -> Self {
        Self { _held: held.into() }
    }
}

/// Watches the signals of this desktop for as long as the program runs, and reports each that asks to lock; with the delay
/// if the computer goes to sleep and waits for the lock. `subscribed` is told once which of them arrive here.
#[cfg(target_os = "linux")]
pub async fn watch(subscribed: impl AsyncFnOnce(LockSignals), report: impl AsyncFn(LockReason, Option<SleepDelay>)) {
    // A computer without one of the buses has the signals of the other.
    let (system, session) = (zbus::Connection::system().await.ok(), zbus::Connection::session().await.ok());
    watch_on(system, session, subscribed, report).await;
}

/// Reports that no signal arrives: this system's are not known.
#[cfg(not(target_os = "linux"))]
pub async fn watch(subscribed: impl AsyncFnOnce(LockSignals), _report: impl AsyncFn(LockReason, Option<SleepDelay>)) {
    subscribed(LockSignals::default()).await;
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashMap;

    use futures_util::{StreamExt as _, stream::SelectAll};
    use zbus::{
        Connection, MatchRule, MessageStream,
        message::Type,
        zvariant::{OwnedFd, OwnedObjectPath, OwnedValue},
    };

    use super::{LockReason, LockSignals, SleepDelay};

    /// Maximum number of signals that wait to be handled; more are not needed to lock once.
    const QUEUE: usize = 16;

    const LOGIN: &str = "org.freedesktop.login1";
    const LOGIN_PATH: &str = "/org/freedesktop/login1";
    const MANAGER: &str = "org.freedesktop.login1.Manager";
    const SESSION: &str = "org.freedesktop.login1.Session";

    /// Interfaces by which desktops report that their screen is locked or its saver has begun, as object path and
    /// interface; all have a signal `ActiveChanged(bool)`.
    const SCREENS: [(&str, &str); 5] = [
        ("/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver"),
        ("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver"),
        ("/org/cinnamon/ScreenSaver", "org.cinnamon.ScreenSaver"),
        ("/org/mate/ScreenSaver", "org.mate.ScreenSaver"),
        ("/org/xfce/ScreenSaver", "org.xfce.ScreenSaver"),
    ];

    /// Watches as [`super::watch`] does, on these buses; `None` for one that this computer doesn't have.
    pub async fn watch_on(
        system: Option<Connection>,
        session: Option<Connection>,
        subscribed: impl AsyncFnOnce(LockSignals),
        report: impl AsyncFn(LockReason, Option<SleepDelay>),
    ) {
        let mut signals = LockSignals::default();
        let mut streams = SelectAll::new();
        let mut delay = None;
        if let Some(system) = &system {
            if let Some(stream) = sleeping(system).await {
                signals.sleep = has_owner(system, LOGIN).await;
                streams.push(stream);
                delay = delayed(system).await;
            }
            if let Some(path) = own_session(system).await {
                for stream in [locking(system, &path).await, hints(system, &path).await].into_iter().flatten() {
                    signals.session = true;
                    streams.push(stream);
                }
            }
        }
        if let Some(bus) = &session {
            for (_, interface) in SCREENS {
                if let Some(stream) = screen(bus, interface).await {
                    signals.screen |= has_owner(bus, interface).await;
                    streams.push(stream);
                }
            }
        }
        subscribed(signals).await;
        while let Some(message) = streams.next().await {
            let Ok(message) = message else { continue };
            match (reason(&message), &system) {
                (Some(LockReason::Sleep), _) => report(LockReason::Sleep, delay.take()).await,
                (Some(reason), _) => report(reason, None).await,
                // A delay is good for one sleep.
                (None, Some(system)) if delay.is_none() && is_awake(&message) => delay = delayed(system).await,
                _ => {}
            }
        }
    }

    /// Asks the login service to wait for the lock before the next sleep; `None` where it doesn't.
    async fn delayed(bus: &Connection) -> Option<SleepDelay> {
        let what = ("sleep", "Keybearer", "Locks its window first", "delay");
        let answer = bus.call_method(Some(LOGIN), LOGIN_PATH, Some(MANAGER), "Inhibit", &what).await.ok()?;
        let held: OwnedFd = answer.body().deserialize().ok()?;
        Some(SleepDelay { _held: held })
    }

    /// Returns `true` for the signal that the computer woke up.
    fn is_awake(message: &zbus::Message) -> bool {
        let is_of_sleep = message.header().member().is_some_and(|member| member.as_str() == "PrepareForSleep");
        is_of_sleep && message.body().deserialize().is_ok_and(|begins: bool| !begins)
    }

    /// Returns the reason to lock that a signal gives; `None` for one that ends a lock or a sleep.
    fn reason(message: &zbus::Message) -> Option<LockReason> {
        let header = message.header();
        match header.member()?.as_str() {
            "Lock" => Some(LockReason::Screen),
            // Desktops set the hint when they lock the screen by themselves.
            "PropertiesChanged" => {
                let body = message.body();
                let (interface, changed, _): (String, HashMap<String, OwnedValue>, Vec<String>) =
                    body.deserialize().ok()?;
                let is_locked = changed.get("LockedHint").and_then(|hint| bool::try_from(hint).ok());
                (interface == SESSION && is_locked == Some(true)).then_some(LockReason::Screen)
            }
            "PrepareForSleep" => {
                message.body().deserialize().ok().filter(|begins| *begins).map(|_: bool| LockReason::Sleep)
            }
            "ActiveChanged" => {
                message.body().deserialize().ok().filter(|begins| *begins).map(|_: bool| LockReason::Screen)
            }
            _ => None,
        }
    }

    async fn stream(bus: &Connection, rule: MatchRule<'static>) -> Option<MessageStream> {
        MessageStream::for_match_rule(rule, bus, Some(QUEUE)).await.ok()
    }

    async fn sleeping(bus: &Connection) -> Option<MessageStream> {
        // Anybody may send signals on this bus: only those of the login service count.
        let rule = MatchRule::builder().msg_type(Type::Signal).sender(LOGIN).ok()?;
        let rule = rule.interface(MANAGER).ok()?.member("PrepareForSleep").ok()?.build();
        stream(bus, rule).await
    }

    async fn locking(bus: &Connection, path: &OwnedObjectPath) -> Option<MessageStream> {
        let rule =
            MatchRule::builder().msg_type(Type::Signal).sender(LOGIN).ok()?.path(path.clone().into_inner()).ok()?;
        let rule = rule.interface(SESSION).ok()?.member("Lock").ok()?.build();
        stream(bus, rule).await
    }

    async fn hints(bus: &Connection, path: &OwnedObjectPath) -> Option<MessageStream> {
        let rule =
            MatchRule::builder().msg_type(Type::Signal).sender(LOGIN).ok()?.path(path.clone().into_inner()).ok()?;
        let rule = rule.interface("org.freedesktop.DBus.Properties").ok()?.member("PropertiesChanged").ok()?;
        stream(bus, rule.arg(0, SESSION).ok()?.build()).await
    }

    async fn screen(bus: &Connection, interface: &'static str) -> Option<MessageStream> {
        let rule = MatchRule::builder().msg_type(Type::Signal).interface(interface).ok()?;
        stream(bus, rule.member("ActiveChanged").ok()?.build()).await
    }

    /// Returns the session of this process as the login service knows it: the variable `XDG_SESSION_ID` may name another.
    async fn own_session(bus: &Connection) -> Option<OwnedObjectPath> {
        let own = std::process::id();
        let answer = bus.call_method(Some(LOGIN), LOGIN_PATH, Some(MANAGER), "GetSessionByPID", &own).await.ok()?;
        answer.body().deserialize().ok()
    }

    async fn has_owner(bus: &Connection, name: &str) -> bool {
        let service = Some("org.freedesktop.DBus");
        let answer = bus.call_method(service, "/org/freedesktop/DBus", service, "NameHasOwner", &name).await;
        answer.is_ok_and(|answer| answer.body().deserialize().unwrap_or(false))
    }
}
