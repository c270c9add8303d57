//! Opens the window, with what it needs from this machine. If it can't be opened, says which package is missing.

use std::{
    process::ExitCode,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use eframe::egui;

use crate::{
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        secret::Secret,
    },
    ops::{Problem, clock},
    sandbox::{Options, Passwords, Sandbox},
    store::{
        clipboard::{Cleared, SecretClipboard},
        file_dialog::DesktopFileDialogs,
        journal::Journal,
        machine_policy::PolicyFile,
        rotation::Rotations,
        settings_file::SettingsFile,
        vault::os::OsVault,
    },
    ui::{App, Start},
    worker::{SandboxOpener, SecretSink, Services},
};

/// Opens the window and stays until it is closed. `sandbox` opens it on a practice cluster with that number of keys.
pub fn run(sandbox: Option<usize>) -> ExitCode {
    let clipboard = match SecretClipboard::start() {
        Ok(clipboard) => clipboard,
        Err(error) => return fail(&format!("no thread for the clipboard: {error}")),
    };
    let mut services = Services::new(Arc::new(OsVault::new()), Arc::new(Clipboard(Mutex::new(clipboard))));
    if let Some(keys) = sandbox {
        services = services.with_sandbox(sandbox_opener(keys));
    }
    let policy = Arc::new(PolicyFile::of_this_machine().read());
    let settings = SettingsFile::of_this_user();
    let kept = settings.read();
    services = services.with_settings(settings).with_journal(Journal::from_environment(&policy));
    services = services.with_policy(policy).with_rotations(Rotations::from_environment());
    services = services.with_file_dialogs(Arc::new(DesktopFileDialogs));
    let size = kept.size;
    let start = Start { sandbox: sandbox.is_some(), settings: kept, clock: Box::new(clock::now), zone: clock::zone() };
    let opened = Arc::new(AtomicBool::new(false));
    let opening = Arc::clone(&opened);
    let run = move || {
        let app = move |creation: &eframe::CreationContext<'_>| -> Result<Box<dyn eframe::App>, _> {
            let app = App::new(&creation.egui_ctx, services, start)?;
            app.heed_signals();
            app.heed_lock_signals();
            opening.store(true, Ordering::Relaxed);
            Ok(Box::new(app))
        };
        eframe::run_native("keybearer", options(size), Box::new(app))
    };
    // The windowing library panics where a system library is missing half way; that, too, is told.
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&no_window(&error.to_string())),
        Err(_) if opened.load(Ordering::Relaxed) => {
            fail("the window crashed, see above. Requests may have been carried out: check the keys on the cluster")
        }
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
            fail(&no_window(&words.unwrap_or_default()))
        }
    }
}

fn fail(words: &str) -> ExitCode {
    eprintln!("keybearer: {words}");
    ExitCode::FAILURE
}

fn options(size: Option<[f32; 2]>) -> eframe::NativeOptions {
    let mut viewport = egui::ViewportBuilder::default()
        .with_title("Keybearer")
        .with_app_id(crate::APPLICATION_ID)
        .with_inner_size(size.unwrap_or([1360.0, 820.0]))
        .with_clamp_size_to_monitor_size(true)
        .with_min_inner_size(crate::ui::zoom::MIN_ROOM);
    if let Ok(icon) = eframe::icon_data::from_png_bytes(include_bytes!("../assets/icon.png")) {
        viewport = viewport.with_icon(icon);
    }
    eframe::NativeOptions { viewport, renderer: eframe::Renderer::Glow, ..eframe::NativeOptions::default() }
}

/// Formats the error when no window can be opened, with a hint about what is missing.
fn no_window(error: &str) -> String {
    let lower = error.to_lowercase();
    let display = std::env::var_os("DISPLAY").is_some() || std::env::var_os("WAYLAND_DISPLAY").is_some();
    let names = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let hint = if names(&["xkbcommon"]) {
        "A system library is missing: install libxkbcommon-x11-0 (Debian, Ubuntu) or libxkbcommon-x11 (Fedora)"
    } else if names(&["libx11", "libxcursor", "libxi", "xlib"]) {
        "A system library is missing: install libx11-xcb1 libxcursor1 libxi6 libxrandr2 (Debian, Ubuntu)"
    } else if names(&["glutin", "libgl", "libegl", "opengl"]) {
        "OpenGL is missing: install libgl1 libegl1 libgl1-mesa-dri (Debian, Ubuntu) or mesa-dri-drivers (Fedora)"
    } else if cfg!(target_os = "linux") && !display {
        "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set). Start it in a desktop session"
    } else if names(&["display", "x11", "x server", "connection"]) {
        "The display can’t be opened: check DISPLAY, and whether you may use it (xauth)"
    } else {
        "Install Keybearer by a package, or run packaging/try once"
    };
    let reason = reason(error);
    format!("no window can be opened: {reason}.\n{hint}.\nThe command line works without a window: keybearer --help")
}

/// Extracts the reason from the libraries' error, without the location in their sources, at most 200 characters long.
fn reason(error: &str) -> String {
    let words = match error.split_once("os error at ").and_then(|(_, rest)| rest.split_once(": ")) {
        Some((_, words)) => words,
        None => error
            .rsplit_once(". Error: ")
            .map_or(error, |(template, _)| template.split_once(':').map_or(template, |(words, _)| words)),
    };
    words.trim_end_matches('.').chars().take(200).collect()
}

/// Starts the practice cluster within the worker; it lives as long as the worker.
fn sandbox_opener(keys: usize) -> SandboxOpener {
    Box::new(move || {
        Box::pin(async move {
            let sandbox = Sandbox::start(Options { keys, passwords: Passwords::Fresh, ..Options::default() })
                .await
                .map_err(|error| Problem::new("The sandbox did not start", &error.to_string()))?;
            let profile = sandbox_profile(&sandbox)?;
            accounts_told(&sandbox);
            // It ends with the worker's runtime; dropping it would end it now.
            tokio::spawn(async move {
                let _alive = sandbox;
                std::future::pending::<()>().await;
            });
            Ok(profile)
        })
    })
}

/// Prints the accounts that can sign in to the terminal: their passwords are new, and a key for another user needs one.
fn accounts_told(sandbox: &Sandbox) {
    use std::io::Write as _;
    let mut terminal = std::io::stderr().lock();
    let _ = writeln!(terminal, "The practice cluster is at {}; its users and their passwords:", sandbox.url());
    for account in sandbox.accounts() {
        let _ = writeln!(terminal, "  {:10} {}", account.name, account.password);
    }
}

fn sandbox_profile(sandbox: &Sandbox) -> Result<Profile, Problem> {
    let broken = |what: &str| Problem::new("The sandbox did not start", what);
    let officer = sandbox.accounts().first().ok_or_else(|| broken("it has no accounts"))?;
    let endpoint = Endpoint {
        trust: Trust::Fingerprint(
            Fingerprint::parse(sandbox.fingerprint()).map_err(|error| broken(&error.to_string()))?,
        ),
        ..Endpoint::new(
            ClusterUrl::parse(sandbox.url()).map_err(|error| broken(&error.to_string()))?,
            Login::Password { username: officer.name.clone(), password: Secret::new(officer.password.as_str()) },
        )
    };
    Ok(Profile { id: ProfileId("sandbox".into()), name: "sandbox".into(), environment: Environment::Sandbox, endpoint })
}

/// The clipboard's thread as the worker needs it: a call that waits for its answer.
struct Clipboard(Mutex<SecretClipboard>);

impl Clipboard {
    fn thread(&self) -> MutexGuard<'_, SecretClipboard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretSink for Clipboard {
    fn copy(&self, text: &Secret) -> Result<(), String> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.thread().copy(text.clone(), move |result| drop(sender.send(result)));
        match receiver.recv() {
            Ok(result) => result.map_err(|error| format!("{error}. {}", error.way_out())),
            Err(_) => Err("The clipboard’s thread has ended".into()),
        }
    }

    fn clear_if_ours(&self) -> Result<bool, String> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.thread().clear_if_ours(move |cleared| drop(sender.send(cleared)));
        match receiver.recv() {
            Ok(Cleared::Cleared) => Ok(true),
            Ok(Cleared::NotOurs) => Ok(false),
            Ok(Cleared::Failed(words)) => Err(words),
            Err(_) => Err("The clipboard’s thread has ended".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        let glutin =
            "Found no glutin configs matching the template: ConfigTemplate { color: Rgb { r: 8 } }. Error: not found";
        assert!(no_window(glutin).contains("install libgl1"));
        assert_eq!(reason(glutin), "Found no glutin configs matching the template");
        let xkb = "Library libxkbcommon-x11.so could not be loaded.";
        assert!(no_window(xkb).contains("libxkbcommon-x11-0"));
        let x11 = "winit EventLoopError: os error at /a/b/mod.rs:788: Failed to open connection to X server";
        assert_eq!(reason(x11), "Failed to open connection to X server");
    }
}
