//! A notice on the desktop.

/// Shows a notice by the desktop's own service (`org.freedesktop.Notifications`).
///
/// # Errors
/// The reason as a text, where no service shows notices.
#[cfg(target_os = "linux")]
pub async fn show(title: &str, body: &str) -> Result<(), String> {
    use std::collections::HashMap;

    let call = async {
        let bus = zbus::Connection::session().await?;
        let hints: HashMap<&str, zbus::zvariant::Value<'_>> = HashMap::new();
        let nothing: [&str; 0] = [];
        let message = ("Keybearer", 0u32, "dialog-password", title, escaped(body), &nothing[..], hints, -1i32);
        let service = Some("org.freedesktop.Notifications");
        bus.call_method(service, "/org/freedesktop/Notifications", service, "Notify", &message).await?;
        Ok::<(), zbus::Error>(())
    };
    match tokio::time::timeout(std::time::Duration::from_secs(10), call).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(_) => Err("the desktop did not answer".into()),
    }
}

/// Some desktops read markup in the body.
#[cfg(target_os = "linux")]
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Shows a notice by the system's own scripting.
///
/// # Errors
/// The reason as a text, where the notice can't be shown.
#[cfg(target_os = "macos")]
pub async fn show(title: &str, body: &str) -> Result<(), String> {
    let script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run";
    let (title, body) = (title.to_owned(), body.to_owned());
    let run = move || std::process::Command::new("osascript").args(["-e", script, &title, &body]).status();
    match tokio::task::spawn_blocking(run).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("osascript ended with {status}")),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Shows nothing: this system has no notices.
///
/// # Errors
/// Always returns an error.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub async fn show(_title: &str, _body: &str) -> Result<(), String> {
    Err("on this system they are not shown, the words above are all".into())
}
