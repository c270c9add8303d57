//! Privileges of a new key: by roles, by purpose, by descriptors, everything or nothing.

use eframe::egui::{Align, Layout, Ui, vec2};

use super::CreateScreen;
use crate::{
    app::{Cluster, Command},
    model::{
        create::{
            Draft, Field as FormField, RightsChoice, Surroundings,
            new_key::{KeyFor, NewKeyField},
            preset::{Preset, split_patterns},
        },
        form_error::FormError,
        text::json,
    },
    ui::{
        View,
        components::problem::problem_buttons,
        theme,
        theme::{Type, size, space},
        widgets::{
            chip,
            field::{self, Field},
            notice::{self, Tone},
            privileges::preset_picker,
            text,
        },
    },
};

/// Draws segments beside their label, or below it if both do not fit.
fn labelled_segments(
    ui: &mut Ui,
    label: &str,
    chosen: RightsChoice,
    choices: &[(RightsChoice, &str)],
) -> Option<RightsChoice> {
    /// Width of the label, in points.
    const LABEL: f32 = 64.0;
    let color = theme::colors(ui).text.primary;
    let (needed, room) = (chip::segmented_room(ui, choices), ui.available_width());
    if needed + LABEL > room {
        text::line(ui, Type::Strong, color, label);
        return chip::segmented(ui, chosen, choices, (needed > room).then_some(room));
    }
    ui.allocate_ui_with_layout(vec2(room, size::CONTROL), Layout::left_to_right(Align::Center), |ui| {
        text::line(ui, Type::Strong, color, label);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| chip::segmented(ui, chosen, choices, None)).inner
    })
    .inner
}

impl CreateScreen {
    pub(crate) fn rights(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        cluster: &Cluster,
        around: Surroundings<'_>,
        errors: &[FormError<NewKeyField>],
    ) {
        let by_api_key = around.by_api_key;
        let is_mine = self.draft.kind == KeyFor::Me;
        let error = self.error(errors, NewKeyField::Key(FormField::Rights)).map(str::to_owned);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            let choices = [
                (RightsChoice::Roles, "From roles"),
                (RightsChoice::Preset(self.purpose), "For a purpose"),
                (RightsChoice::Own, "Privileges"),
                (RightsChoice::AllMine, if is_mine { "All my rights" } else { "All their rights" }),
                (RightsChoice::Nothing, "Nothing"),
            ];
            let chosen = labelled_segments(ui, "Rights", self.draft.key.rights, &choices);
            if let Some(choice) = chosen {
                self.choose_rights(choice, around);
            }
            match self.draft.key.rights {
                RightsChoice::Roles => self.roles(ui, view, cluster),
                RightsChoice::Preset(preset) => self.presets(ui, preset),
                RightsChoice::Own => self.own_rights(ui, view, cluster, around),
                RightsChoice::AllMine if by_api_key => {}
                RightsChoice::AllMine => {
                    let (title, line) = match is_mine {
                        true => (
                            "Everything you can do",
                            "Anyone with this key can do everything you can do now, including any privileges over \
                             other keys",
                        ),
                        false => (
                            "Everything that user can do",
                            "Anyone with this key can do everything they can do now, including any privileges over \
                             other keys",
                        ),
                    };
                    notice::banner(ui, Tone::Danger, title, line, |_| ());
                }
                RightsChoice::Nothing => {
                    let line = "It can sign in, but every request is refused";
                    notice::banner(ui, Tone::Info, "No privileges at all", line, |_| ());
                }
            }
            if let Some(error) = &error {
                field::error_line(ui, error);
            }
        });
    }

    /// Switches the choice of privileges; one's own descriptors start from the previous choice as far as it is
    /// complete.
    fn choose_rights(&mut self, choice: RightsChoice, around: Surroundings<'_>) {
        if choice == RightsChoice::Own && self.draft.key.descriptors.trim().is_empty() {
            let chosen =
                Draft { name: "x".into(), expiration: "1d".into(), reason: "x".into(), ..self.draft.key.clone() };
            let rights = Draft { application_id: String::new(), metadata: String::new(), ..chosen };
            let begun = rights.check(around, "x").ok().filter(|_| self.draft.key.rights != RightsChoice::AllMine);
            self.draft.key.descriptors = match begun {
                Some(key) => json::pretty(key.role_descriptors().get()),
                None => r#"{ "rights": {} }"#.into(),
            };
        }
        match choice {
            RightsChoice::Preset(preset) => self.choose_purpose(preset),
            _ => self.draft.key.rights = choice,
        }
    }

    fn own_rights(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, around: Surroundings<'_>) {
        if cluster.names.is_untouched() {
            view.send(Command::ReadNames);
        }
        self.editor.ui(ui, &mut self.draft.key.descriptors, cluster.names.value(), around.edition);
    }

    fn presets(&mut self, ui: &mut Ui, chosen: Preset) {
        if let Some(clicked) = preset_picker::ui(ui, chosen).filter(|clicked| *clicked != chosen) {
            return self.choose_purpose(clicked);
        }
        if chosen.patterns().is_empty() {
            let p = theme::colors(ui);
            return drop(text::paragraph(ui, Type::Small, p.text.tertiary, chosen.meaning()));
        }
        Field::new("Index patterns").mono().help(chosen.meaning()).show(ui, &mut self.patterns);
        self.draft.key.patterns = split_patterns(&self.patterns);
    }

    fn choose_purpose(&mut self, preset: Preset) {
        self.purpose = preset;
        self.patterns = preset.patterns().join(", ");
        self.draft.key.patterns = split_patterns(&self.patterns);
        self.draft.key.rights = RightsChoice::Preset(preset);
    }

    fn roles(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        self.picker.picked(ui, &mut self.draft.key.roles, cluster.roles.value().map(Vec::as_slice));
        match (cluster.roles.value(), cluster.roles.problem()) {
            (Some(roles), _) => self.picker.ui(ui, &mut self.draft.key.roles, roles),
            (None, Some(problem)) => {
                let detail = format!("{} {}", problem.detail, problem.hint);
                notice::banner(ui, Tone::Warning, "The cluster’s roles can’t be read", &detail, |ui| {
                    problem_buttons(ui, view, problem);
                });
            }
            (None, None) => {
                text::line(ui, Type::Body, theme::colors(ui).text.tertiary, "Reading the cluster’s roles…");
            }
        }
    }
}
