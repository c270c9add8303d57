//! A field for the path of a file or a folder, with a button that opens the file dialog of the desktop.

use std::path::PathBuf;

use eframe::egui::{Response, Ui};

use super::{button::Button, field::Field};
use crate::{
    app::Command,
    store::file_dialog::{FileKind, FileQuestion},
    ui::View,
};

/// Room of the button, in points.
const BUTTON: f32 = 84.0;

/// The part of a field that lasts longer than a frame: its question, until the answer comes. The path is the caller's;
/// a new value forgets the question, so that its answer changes nothing.
#[derive(Debug, Default)]
pub struct FileField {
    asked: Option<u64>,
    refusal: Option<String>,
}

impl FileField {
    /// Draws the field with its button. `title` is that of the dialog.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        field: Field<'_>,
        (title, kind): (&'static str, FileKind),
        path: &mut String,
    ) -> Response {
        self.take(view, path);
        let is_open = view.state.files.is_open();
        let off = is_open.then_some("A file dialog is already open: close it first");
        let browse = Button::secondary("Browse…").width(BUTTON).off_because(off);
        let mut is_pressed = false;
        let field = field.or_error(self.refusal.as_deref());
        let response = field.show_beside(ui, path, BUTTON, |ui| is_pressed = browse.show(ui).clicked());
        if response.changed() {
            self.refusal = None;
        }
        if is_pressed {
            self.refusal = None;
            self.asked = Some(view.state.files.next_number());
            let start = expanded(path.trim());
            view.send(Command::ChooseFile(FileQuestion { title, kind, start }));
        }
        response
    }

    /// Takes the answer, once it is there.
    fn take(&mut self, view: &View<'_>, path: &mut String) {
        let Some(answer) = self.asked.and_then(|number| view.state.files.answer(number)) else { return };
        self.asked = None;
        match answer {
            Ok(Some(chosen)) => match chosen.to_str() {
                Some(chosen) => *path = chosen.to_owned(),
                None => self.refusal = Some("The name of this file is no text: choose another one".into()),
            },
            Ok(None) => {}
            Err(why) => self.refusal = Some(why.clone()),
        }
    }
}

/// Expands a leading `~` of a path to the home folder.
pub fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), directories::UserDirs::new()) {
        (Some(rest), Some(dirs)) => dirs.home_dir().join(rest),
        _ => PathBuf::from(path),
    }
}
