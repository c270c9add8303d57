//! The button beside each field for a path, with a desktop whose answers the test gives.

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex},
};

use keybearer::store::{
    file_dialog::{ChosenFile, FileDialogs, FileKind, FileQuestion},
    journal::Journal,
};
use tokio::sync::oneshot;

use crate::{
    desk::{Desk, RunningSandbox, Setting},
    journal_window::fill,
};

const BROWSE: &str = "Browse…";

/// A dialog that is open: its question, and the way to answer it.
type Open = (FileQuestion, oneshot::Sender<ChosenFile>);

/// Dialogs that stay open until the test answers them.
#[derive(Clone, Default)]
struct TestDialogs(Arc<Mutex<Vec<Open>>>);

impl FileDialogs for TestDialogs {
    fn choose(&self, question: FileQuestion) -> Pin<Box<dyn Future<Output = ChosenFile> + Send>> {
        let (sender, answer) = oneshot::channel();
        self.0.lock().unwrap().push((question, sender));
        Box::pin(async move { answer.await.unwrap_or(Ok(None)) })
    }
}

impl TestDialogs {
    /// Presses the button, and waits until the dialog is open.
    fn browse(&self, desk: &mut Desk) {
        desk.press(BROWSE);
        desk.wait("file dialog", |_| self.0.lock().unwrap().len() == 1);
        assert!(!desk.is_on(BROWSE), "a second dialog could be opened");
    }

    /// Answers the only dialog that is open, and returns its question.
    fn answer(&self, desk: &mut Desk, answer: ChosenFile) -> FileQuestion {
        let (question, sender) = self.0.lock().unwrap().pop().unwrap();
        assert!(self.0.lock().unwrap().is_empty(), "two dialogs were open");
        sender.send(answer).unwrap();
        desk.wait("the button again", |desk| desk.is_on(BROWSE));
        question
    }
}

fn chosen(path: &Path) -> ChosenFile {
    Ok(Some(path.to_owned()))
}

fn setting(dialogs: &TestDialogs) -> Setting {
    Setting { files: Some(Arc::new(dialogs.clone())), ..Setting::default() }
}

/// A window with the dialog of exporting a journal.
fn exporting(dialogs: &TestDialogs) -> (tempfile::TempDir, Desk) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::at(folder.path().join("journal"));
    fill(&journal);
    let mut desk = Desk::new(Setting { journal, ..setting(dialogs) });
    desk.press("Journal");
    desk.wait_for("6 of 6");
    open_form(&mut desk);
    (folder, desk)
}

fn open_form(desk: &mut Desk) {
    desk.press("Export");
    desk.wait("the form", |desk| desk.value("File").is_some());
}

#[test]
fn a_chosen_file_is_put_into_its_field_and_a_canceled_dialog_changes_nothing() {
    let dialogs = TestDialogs::default();
    let (folder, mut desk) = exporting(&dialogs);
    let before = desk.value("File").unwrap();
    dialogs.browse(&mut desk);
    let question = dialogs.answer(&mut desk, Ok(None));
    assert_eq!((question.title, question.kind), ("Export the journal", FileKind::New));
    let name = PathBuf::from(&before).file_name().unwrap().to_owned();
    assert!(question.start.is_absolute() && question.start.file_name() == Some(&name), "{question:?}");
    assert_eq!(desk.value("File").unwrap(), before);
    let path = folder.path().join("all.jsonl");
    dialogs.browse(&mut desk);
    dialogs.answer(&mut desk, chosen(&path));
    assert_eq!(desk.value("File").unwrap(), path.display().to_string());
    desk.press("Export 6 rows");
    desk.wait_for("6 rows exported");
    assert!(path.exists());
    dialogs.browse(&mut desk);
    assert_eq!(dialogs.answer(&mut desk, chosen(&path)).start, path);
    desk.press("Export 6 rows");
    desk.wait_for("never overwritten");
}

#[test]
fn an_answer_that_comes_after_its_form_was_closed_changes_nothing() {
    let dialogs = TestDialogs::default();
    let (folder, mut desk) = exporting(&dialogs);
    let suggested = desk.value("File").unwrap();
    dialogs.browse(&mut desk);
    desk.press("Cancel");
    desk.wait("the end of the form", |desk| desk.value("File").is_none());
    open_form(&mut desk);
    assert!(!desk.is_on(BROWSE), "the dialog of the desktop is still open");
    dialogs.answer(&mut desk, chosen(&folder.path().join("late.jsonl")));
    assert_eq!(desk.value("File").unwrap(), suggested);
}

#[test]
fn a_desktop_without_dialogs_is_told_beside_the_field_which_stays() {
    const TOLD: &str = "This desktop shows no file dialog: type the path";
    let mut desk = Desk::new(Setting::default());
    desk.press("Add connection");
    desk.choose("CA file");
    desk.press(BROWSE);
    desk.wait_for(TOLD);
    assert!(desk.is_on(BROWSE));
    desk.fill("CA file", "/etc/ca.pem");
    desk.wait("the end of the error", |desk| !desk.sees(TOLD));
    assert_eq!(desk.value("CA file").as_deref(), Some("/etc/ca.pem"));
}

#[test]
fn a_ca_file_goes_to_the_connection_that_asked_for_it() {
    let dialogs = TestDialogs::default();
    let mut desk = Desk::new(setting(&dialogs));
    desk.press("Add connection");
    desk.choose("CA file");
    dialogs.browse(&mut desk);
    let question = dialogs.answer(&mut desk, chosen(Path::new("/etc/ca.pem")));
    assert_eq!((question.title, question.kind), ("CA file", FileKind::Existing));
    assert_eq!(desk.value("CA file").as_deref(), Some("/etc/ca.pem"));
    dialogs.browse(&mut desk);
    desk.press("Add connection");
    desk.choose("CA file");
    dialogs.answer(&mut desk, chosen(Path::new("/etc/other.pem")));
    assert_eq!(desk.value("CA file").as_deref(), Some(""), "that was for the form before");
}

#[test]
fn a_secret_is_written_to_a_chosen_file_and_never_over_another() {
    let sandbox = RunningSandbox::start();
    let dialogs = TestDialogs::default();
    let folder = tempfile::tempdir().unwrap();
    let mut desk = Desk::new(Setting { sandbox: Some(sandbox.profile()), ..setting(&dialogs) });
    desk.wait_for("All 320 keys loaded");
    desk.press("Create");
    desk.wait("the roles", |desk| !desk.sees("Reading the cluster’s roles"));
    desk.choose("Nothing");
    desk.fill("Name", "chosen");
    desk.press("Create key");
    desk.wait_for("Key created");
    desk.press("Write to file…");
    let taken = folder.path().join("taken");
    fs::write(&taken, "mine").unwrap();
    dialogs.browse(&mut desk);
    assert_eq!(dialogs.answer(&mut desk, chosen(&taken)).kind, FileKind::New);
    desk.press("Write");
    desk.wait_for("never overwritten");
    assert_eq!(fs::read_to_string(&taken).unwrap(), "mine");
    desk.press("Write to file…");
    let path = folder.path().join("key");
    dialogs.browse(&mut desk);
    dialogs.answer(&mut desk, chosen(&path));
    desk.press("Write");
    desk.wait_for("Saved to");
    assert!(fs::read_to_string(&path).unwrap().len() > 40);
}
