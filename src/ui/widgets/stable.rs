//! Ids that stay the same while what is drawn above them changes.

use eframe::egui::{AsIdSalt, Ui, UiBuilder};

/// Draws controls whose ids depend on `salt` and on each other, and not on what was drawn before them. egui numbers the
/// controls of a scope in the order of drawing: a line that an answer adds above would give those below other ids, so
/// that a click between press and release is lost, and focus and screen readers lose the control. `salt` is unique
/// within the scope.
pub fn stable<R>(ui: &mut Ui, salt: impl AsIdSalt, add: impl FnOnce(&mut Ui) -> R) -> R {
    let id = ui.scope_id().with(salt);
    ui.scope_builder(UiBuilder::new().scope_id(id), add).inner
}

#[cfg(test)]
mod tests {
    use eframe::egui::{self, Id, Sense, vec2};
    use egui_kittest::Harness;

    use super::*;

    /// Returns the ids of a control outside and of one within a stable scope, both below this number of lines.
    fn ids(lines: usize) -> (Id, Id) {
        let mut found = None;
        let harness = Harness::new_ui(|ui: &mut egui::Ui| {
            for _ in 0..lines {
                let _ = ui.allocate_space(vec2(9.0, 9.0));
            }
            let control =
                |ui: &mut egui::Ui| ui.horizontal(|ui| ui.allocate_response(vec2(9.0, 9.0), Sense::click()).id).inner;
            found = Some((control(ui), stable(ui, "below", control)));
        });
        drop(harness);
        found.unwrap()
    }

    #[test]
    fn what_an_answer_adds_above_leaves_the_ids_below_as_they_are() {
        let (before, after) = (ids(1), ids(4));
        assert_ne!(before.0, after.0, "without it they change");
        assert_eq!(before.1, after.1);
    }
}
