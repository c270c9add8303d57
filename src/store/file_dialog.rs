//! The desktop's dialogs for files. They know neither forms nor what a file is for.

use std::{future::Future, path::PathBuf, pin::Pin};

/// Kind of file that a dialog asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file that exists, to be read.
    Existing,
    /// A new file. Whoever writes it must not overwrite an existing one.
    New,
    /// A folder.
    Folder,
}

/// Request for a file or a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileQuestion {
    /// Title of the dialog.
    pub title: &'static str,
    /// Kind of file to choose.
    pub kind: FileKind,
    /// Path at which the dialog begins; may be blank or lead nowhere.
    pub start: PathBuf,
}

/// The chosen file; `None` if the person chose none, and otherwise the reason why they could not be asked.
pub type ChosenFile = Result<Option<PathBuf>, String>;

/// Dialogs for files. A call may last as long as a person takes.
pub trait FileDialogs: Send + Sync {
    /// Asks for a file.
    fn choose(&self, question: FileQuestion) -> Pin<Box<dyn Future<Output = ChosenFile> + Send>>;
}

/// Error message where the desktop has no file dialog.
pub const NO_DIALOG: &str = "This desktop shows no file dialog: type the path";

/// No dialogs: each question ends with [`NO_DIALOG`].
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFileDialogs;

impl FileDialogs for NoFileDialogs {
    fn choose(&self, _: FileQuestion) -> Pin<Box<dyn Future<Output = ChosenFile> + Send>> {
        Box::pin(async { Err(NO_DIALOG.into()) })
    }
}

#[cfg(feature = "window")]
pub use desktop::DesktopFileDialogs;

#[cfg(feature = "window")]
mod desktop {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::store::process;

    /// Time in which no person can have closed a dialog: an answer without a file that comes sooner means that none was
    /// shown. The library distinguishes that from a canceled dialog only in its log.
    const SHORTEST_ANSWER: Duration = Duration::from_millis(250);

    /// Dialogs of the desktop that the window is on: of its portal (on Linux, otherwise those of `zenity`), or of the
    /// system.
    #[derive(Clone, Copy, Debug, Default)]
    pub struct DesktopFileDialogs;

    impl FileDialogs for DesktopFileDialogs {
        fn choose(&self, question: FileQuestion) -> Pin<Box<dyn Future<Output = ChosenFile> + Send>> {
            Box::pin(async move {
                if !is_available().await {
                    return Err(NO_DIALOG.into());
                }
                let began = Instant::now();
                let _visible = Visible::begin();
                let dialog = dialog(&question);
                let file = match question.kind {
                    FileKind::Existing => dialog.pick_file().await,
                    FileKind::New => dialog.save_file().await,
                    FileKind::Folder => dialog.pick_folder().await,
                };
                match file {
                    Some(file) => Ok(Some(file.path().to_owned())),
                    None if began.elapsed() < SHORTEST_ANSWER => Err(NO_DIALOG.into()),
                    None => Ok(None),
                }
            })
        }
    }

    /// Time in which the process is visible to the portal of the desktop, until it is dropped.
    struct Visible;

    impl Visible {
        fn begin() -> Self {
            process::set_visible(true);
            Self
        }
    }

    impl Drop for Visible {
        fn drop(&mut self) {
            process::set_visible(false);
        }
    }

    /// Returns the dialog, which begins in the nearest folder that exists.
    fn dialog(question: &FileQuestion) -> rfd::AsyncFileDialog {
        let mut dialog = rfd::AsyncFileDialog::new().set_title(question.title);
        if let Some(folder) = question.start.ancestors().find(|folder| folder.is_absolute() && folder.is_dir()) {
            dialog = dialog.set_directory(folder);
        }
        match question.start.file_name().and_then(|name| name.to_str()) {
            Some(name) if question.kind == FileKind::New => dialog.set_file_name(name),
            _ => dialog,
        }
    }

    /// Returns `true` if there is a portal with dialogs for files, or the program that stands in for one.
    #[cfg(target_os = "linux")]
    async fn is_available() -> bool {
        const LONGEST: Duration = Duration::from_secs(10);
        let portal = async {
            let bus = zbus::Connection::session().await?;
            let (portal, properties) =
                (Some("org.freedesktop.portal.Desktop"), Some("org.freedesktop.DBus.Properties"));
            let version = ("org.freedesktop.portal.FileChooser", "version");
            bus.call_method(portal, "/org/freedesktop/portal/desktop", properties, "Get", &version).await
        };
        matches!(tokio::time::timeout(LONGEST, portal).await, Ok(Ok(_))) || has_program("zenity")
    }

    #[cfg(target_os = "linux")]
    fn has_program(name: &str) -> bool {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).any(|folder| folder.join(name).is_file())
    }

    /// Returns `true`: the system itself has dialogs for files.
    #[cfg(not(target_os = "linux"))]
    async fn is_available() -> bool {
        true
    }
}
