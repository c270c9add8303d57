//! A notice on the desktop.

/// Shows a notice by the desktop's own service (`org.freedesktop.Notifications`).
///
/// # Errors
/// The reason as a text, where no service shows notices.
#[cfg(target_os = "linux")]
pub async fn show(title: &str, body: &str) -> Result<(), String> {
    use std::collections::HashMap;

    // Some desktops read markup in the body.
    let body = crate::model::text::xml::escaped(body);
    let call = async {
        let bus = zbus::Connection::session().await?;
        // By which the desktop finds the name and the icon of the application.
        let hints: HashMap<&str, zbus::zvariant::Value<'_>> =
            HashMap::from([("desktop-entry", crate::APPLICATION_ID.into())]);
        let nothing: [&str; 0] = [];
        let message = ("Keybearer", 0u32, "dialog-password", title, body, &nothing[..], hints, -1i32);
        let service = Some("org.freedesktop.Notifications");
        bus.call_method(service, "/org/freedesktop/Notifications", service, "Notify", &message).await?;
        Ok::<(), zbus::Error>(())
    };
    match tokio::time::timeout(std::time::Duration::from_secs(10), call).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the desktop did not respond".into()),
    }
}

/// Shows a notice by the notification center of the system.
///
/// # Errors
/// The reason as a text, where the notice can't be shown.
#[cfg(any(target_os = "macos", target_os = "windows"))]
pub async fn show(title: &str, body: &str) -> Result<(), String> {
    let mut notice = notify_rust::Notification::new();
    notice.appname("Keybearer").summary(title).body(body);
    match tokio::task::spawn_blocking(move || notice.show()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Shows nothing: this system has no notices.
///
/// # Errors
/// Always returns an error.
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "windows")))]
pub async fn show(_title: &str, _body: &str) -> Result<(), String> {
    Err("they are not supported on this system; the message above is all".into())
}
