//! Signals of the desktop that the window should lock: the login service, and the screen saver or screen lock.

use crate::model::lock::{LockReason, LockSignals};

/// Watches the signals of this desktop for as long as the program runs, and reports each that asks to lock. `subscribed`
/// is told once which of them arrive here.
#[cfg(target_os = "linux")]
pub async fn watch(subscribed: impl AsyncFnOnce(LockSignals), report: impl AsyncFn(LockReason)) {
    linux::watch(subscribed, report).await;
}

/// Reports that no signal arrives: this system's are not known.
#[cfg(not(target_os = "linux"))]
pub async fn watch(subscribed: impl AsyncFnOnce(LockSignals), _report: impl AsyncFn(LockReason)) {
    subscribed(LockSignals::default()).await;
}

#[cfg(target_os = "linux")]
mod linux {
    use futures_util::{StreamExt as _, stream::SelectAll};
    use zbus::{Connection, MatchRule, MessageStream, message::Type, zvariant::OwnedObjectPath};

    use super::{LockReason, LockSignals};

    /// Maximum number of signals that wait to be handled; more are not needed to lock once.
    const QUEUE: usize = 16;

    const LOGIN: &str = "org.freedesktop.login1";

    /// Interfaces by which desktops report that their screen is locked or its saver has begun, as object path and
    /// interface; all have a signal `ActiveChanged(bool)`.
    const SCREENS: [(&str, &str); 5] = [
        ("/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver"),
        ("/org/gnome/ScreenSaver", "org.gnome.ScreenSaver"),
        ("/org/cinnamon/ScreenSaver", "org.cinnamon.ScreenSaver"),
        ("/org/mate/ScreenSaver", "org.mate.ScreenSaver"),
        ("/org/xfce/ScreenSaver", "org.xfce.ScreenSaver"),
    ];

    pub(super) async fn watch(subscribed: impl AsyncFnOnce(LockSignals), report: impl AsyncFn(LockReason)) {
        let mut signals = LockSignals::default();
        let mut streams = SelectAll::new();
        // A computer without one of the buses has the signals of the other.
        if let Ok(system) = Connection::system().await {
            let session = own_session(&system).await;
            if let Some(stream) = sleeping(&system).await {
                signals.sleep = has_owner(&system, LOGIN).await;
                streams.push(stream);
            }
            if let Some(path) = session
                && let Some(stream) = locking(&system, &path).await
            {
                signals.session = true;
                streams.push(stream);
            }
        }
        if let Ok(bus) = Connection::session().await {
            for (_, interface) in SCREENS {
                if let Some(stream) = screen(&bus, interface).await {
                    signals.screen |= has_owner(&bus, interface).await;
                    streams.push(stream);
                }
            }
        }
        subscribed(signals).await;
        while let Some(message) = streams.next().await {
            let Ok(message) = message else { continue };
            if let Some(reason) = reason(&message) {
                report(reason).await;
            }
        }
    }

    /// Returns the reason to lock that a signal gives; `None` for one that ends a lock or a sleep.
    fn reason(message: &zbus::Message) -> Option<LockReason> {
        let header = message.header();
        match header.member()?.as_str() {
            "Lock" => Some(LockReason::Screen),
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
        let rule = rule.interface("org.freedesktop.login1.Manager").ok()?.member("PrepareForSleep").ok()?.build();
        stream(bus, rule).await
    }

    async fn locking(bus: &Connection, path: &OwnedObjectPath) -> Option<MessageStream> {
        let rule =
            MatchRule::builder().msg_type(Type::Signal).sender(LOGIN).ok()?.path(path.clone().into_inner()).ok()?;
        let rule = rule.interface("org.freedesktop.login1.Session").ok()?.member("Lock").ok()?.build();
        stream(bus, rule).await
    }

    async fn screen(bus: &Connection, interface: &'static str) -> Option<MessageStream> {
        let rule = MatchRule::builder().msg_type(Type::Signal).interface(interface).ok()?;
        stream(bus, rule.member("ActiveChanged").ok()?.build()).await
    }

    /// Returns the session of this process as the login service knows it: the variable `XDG_SESSION_ID` may name another.
    async fn own_session(bus: &Connection) -> Option<OwnedObjectPath> {
        let manager = Some("org.freedesktop.login1.Manager");
        let answer = bus
            .call_method(Some(LOGIN), "/org/freedesktop/login1", manager, "GetSessionByPID", &std::process::id())
            .await
            .ok()?;
        answer.body().deserialize().ok()
    }

    async fn has_owner(bus: &Connection, name: &str) -> bool {
        let service = Some("org.freedesktop.DBus");
        let answer = bus.call_method(service, "/org/freedesktop/DBus", service, "NameHasOwner", &name).await;
        answer.is_ok_and(|answer| answer.body().deserialize().unwrap_or(false))
    }
}
