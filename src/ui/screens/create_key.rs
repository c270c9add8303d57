//! Creating a key: what it is called, what it may do, when it ends. Beside it, live, what that makes.

use eframe::egui::{Align, Frame, Key, Layout, Margin, Modifiers, Panel, ScrollArea, Stroke, Ui, vec2};

use super::create_preview;
use crate::{
    app::{Cluster, Command, Screen},
    model::{
        calendar,
        create::{CreateKey, Draft, Field as FormField, FieldError, RightsChoice, Surroundings},
        expiry::{Expiry, Status, plural},
        json_text,
        preset::{Preset, split_patterns},
        version::Feature,
    },
    store::profiles::new_profile_id,
    ui::{
        View, problem_buttons, theme,
        theme::{Type, icons, size, space},
        widgets::{
            button::Button,
            chip,
            descriptor_editor::DescriptorEditor,
            field::{self, Field},
            focus,
            notice::{self, Tone},
            preset_picker,
            role_picker::RolePicker,
            text,
        },
    },
};

/// The screen with the form as it was filled in.
pub struct CreateScreen {
    draft: Draft,
    request_id: String,
    picker: RolePicker,
    editor: DescriptorEditor,
    purpose: Preset,
    patterns: String,
    attempted: bool,
    done: u32,
}

impl Default for CreateScreen {
    fn default() -> Self {
        Self {
            draft: Draft { expiration: "90d".into(), ..Draft::default() },
            request_id: new_profile_id().0,
            picker: RolePicker::default(),
            editor: DescriptorEditor::default(),
            purpose: Preset::ALL[0],
            patterns: String::new(),
            attempted: false,
            done: 0,
        }
    }
}

impl CreateScreen {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let Some(cluster) = view.state.cluster().filter(|cluster| cluster.session.value().is_some()) else {
            if view.state.shows_all() {
                return choose_cluster(ui, view);
            }
            return notice::empty(
                ui,
                icons::ADD_CIRCLE,
                "No cluster is open",
                "Connect to a cluster to make a key",
                |ui| {
                    if Button::primary("Open connections").show(ui).clicked() {
                        view.send(Command::Show(Screen::Connections));
                    }
                },
            );
        };
        if view.state.creation.done != self.done {
            *self = Self { done: view.state.creation.done, ..Self::default() };
        }
        let by_api_key = cluster.session.value().is_some_and(|session| session.own_key().is_some());
        if by_api_key && self.draft.rights == RightsChoice::Roles && self.draft.roles.is_empty() {
            self.draft.rights = RightsChoice::Nothing;
        }
        let around = Surroundings {
            now: cluster.now(view.state.now),
            zone: &view.state.zone,
            roles: cluster.roles.value().map(Vec::as_slice),
            edition: cluster.session.value().map(|session| session.edition).unwrap_or_default(),
            by_api_key,
        };
        let checked = self.draft.check(around, &self.request_id);
        let errors = checked.as_ref().err().cloned().unwrap_or_default();

        let wide = ui.available_width() >= 940.0;
        if wide {
            let p = theme::colors(ui);
            let width = (ui.available_width() * 0.42).min(size::REQUEST_COLUMN);
            Panel::right("what this makes")
                .frame(Frame::new().fill(p.surface.canvas).inner_margin(Margin::same(24)))
                .exact_size(width)
                .show_separator_line(false)
                .resizable(false)
                .show(ui, |ui| {
                    let sentence = self.draft.sentence(around);
                    create_preview::ui(ui, &sentence, checked.as_ref().ok(), around.now);
                });
        }
        self.footer(ui, view, cluster, &checked);
        ScrollArea::vertical().id_salt("create").auto_shrink(false).show(ui, |ui| {
            Frame::new().inner_margin(Margin { left: 32, right: 32, top: 10, bottom: 24 }).show(ui, |ui| {
                ui.set_max_width(size::FORM_COLUMN.min(ui.available_width()));
                ui.spacing_mut().item_spacing.y = 20.0;
                let p = theme::colors(ui);
                ui.allocate_ui_with_layout(
                    vec2(ui.available_width(), 36.0),
                    Layout::left_to_right(Align::Center),
                    |ui| {
                        text::line(ui, Type::Title, p.text.primary, "Create key");
                    },
                );
                news(ui, view, cluster, by_api_key);
                self.names(ui, cluster, around, &errors);
                self.rights(ui, view, cluster, around, &errors);
                self.expires(ui, view, around, &errors);
                self.reason(ui, &errors);
                self.metadata(ui, &errors);
                if !wide {
                    notice::hairline(ui);
                    let sentence = self.draft.sentence(around);
                    create_preview::ui(ui, &sentence, checked.as_ref().ok(), around.now);
                }
            });
        });
    }

    /// The error of a field, once it is time to tell: after an attempt, or when something was typed.
    fn error<'a>(&self, errors: &'a [FieldError], field: FormField) -> Option<&'a str> {
        let typed = match field {
            FormField::Name => !self.draft.name.is_empty(),
            FormField::Rights => matches!(self.draft.rights, RightsChoice::Preset(_) | RightsChoice::Own),
            FormField::Reason => false,
            _ => true,
        };
        let found = errors.iter().find(|error| error.field == field)?;
        (self.attempted || typed).then_some(found.message.as_str())
    }

    fn names(&mut self, ui: &mut Ui, cluster: &Cluster, around: Surroundings<'_>, errors: &[FieldError]) {
        let name_error = self.error(errors, FormField::Name).map(str::to_owned);
        let id_error = self.error(errors, FormField::ApplicationId).map(str::to_owned);
        ui.columns(2, |columns| {
            let field = Field::new("Name").hint("my_app_key").error(name_error.as_deref());
            let response = field.show(&mut columns[0], &mut self.draft.name);
            focus::entrance(&columns[0], focus::Part::Page, response.id);
            if self.draft.name.is_empty() && self.done == 0 && columns[0].memory(|memory| memory.focused().is_none()) {
                response.request_focus();
            }
            let taken = cluster.inventory().usable_named(&self.draft.name, around.now);
            if taken > 0 && name_error.is_none() {
                warning_line(&mut columns[0], &format!("{} already this name", have(taken)));
            }
            let keeps_metadata = around.edition.has(Feature::Metadata);
            Field::new("Application id")
                .optional()
                .mono()
                .help(if keeps_metadata {
                    "Kept in the metadata, the real id is made by Elasticsearch"
                } else {
                    "Leave it empty: this cluster is older than 7.13 and keeps no metadata"
                })
                .error(id_error.as_deref())
                .show(&mut columns[1], &mut self.draft.application_id);
        });
    }

    fn rights(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        cluster: &Cluster,
        around: Surroundings<'_>,
        errors: &[FieldError],
    ) {
        let p = theme::colors(ui);
        let by_api_key = around.by_api_key;
        let error = self.error(errors, FormField::Rights).map(str::to_owned);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            ui.allocate_ui_with_layout(
                vec2(ui.available_width(), size::CONTROL),
                Layout::left_to_right(Align::Center),
                |ui| {
                    text::line(ui, Type::Strong, p.text.primary, "Rights");
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let choices = [
                            (RightsChoice::Roles, "From roles"),
                            (RightsChoice::Preset(self.purpose), "For a purpose"),
                            (RightsChoice::Own, "Privileges"),
                            (RightsChoice::AllMine, "All my rights"),
                            (RightsChoice::Nothing, "Nothing"),
                        ];
                        if let Some(choice) = chip::segmented(ui, self.draft.rights, &choices, None) {
                            self.choose_rights(choice, around);
                        }
                    });
                },
            );
            match self.draft.rights {
                RightsChoice::Roles => self.roles(ui, view, cluster),
                RightsChoice::Preset(preset) => self.presets(ui, preset),
                RightsChoice::Own => self.own_rights(ui, view, cluster, around),
                RightsChoice::AllMine if by_api_key => {}
                RightsChoice::AllMine => {
                    let line = "Whoever holds it can do all that you can do now, other keys included";
                    notice::banner(ui, Tone::Danger, "Everything you may do", line, |_| ());
                }
                RightsChoice::Nothing => {
                    let line = "It signs in, and every request is refused. Rights can be added later by its owner";
                    notice::banner(ui, Tone::Info, "No rights at all", line, |_| ());
                }
            }
            if let Some(error) = &error {
                field::error_line(ui, error);
            }
        });
    }

    /// One's own descriptors begin with what was chosen before, as far as it is whole.
    fn choose_rights(&mut self, choice: RightsChoice, around: Surroundings<'_>) {
        if choice == RightsChoice::Own && self.draft.descriptors.trim().is_empty() {
            let chosen = Draft { name: "x".into(), expiration: "1d".into(), reason: "x".into(), ..self.draft.clone() };
            let rights = Draft { application_id: String::new(), metadata: String::new(), ..chosen };
            let begun = rights.check(around, "x").ok().filter(|_| self.draft.rights != RightsChoice::AllMine);
            self.draft.descriptors = match begun {
                Some(key) => json_text::pretty(key.role_descriptors().get()),
                None => r#"{ "rights": {} }"#.into(),
            };
        }
        match choice {
            RightsChoice::Preset(preset) => self.choose_purpose(preset),
            _ => self.draft.rights = choice,
        }
    }

    fn own_rights(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, around: Surroundings<'_>) {
        if cluster.names.is_untouched() {
            view.send(Command::ReadNames);
        }
        self.editor.ui(ui, &mut self.draft.descriptors, cluster.names.value(), around.edition);
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
        self.draft.patterns = split_patterns(&self.patterns);
    }

    fn choose_purpose(&mut self, preset: Preset) {
        self.purpose = preset;
        self.patterns = preset.patterns().join(", ");
        self.draft.patterns = split_patterns(&self.patterns);
        self.draft.rights = RightsChoice::Preset(preset);
    }

    fn roles(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
        self.picker.picked(ui, &mut self.draft.roles, cluster.roles.value().map(Vec::as_slice));
        match (cluster.roles.value(), cluster.roles.problem()) {
            (Some(roles), _) => self.picker.ui(ui, &mut self.draft.roles, roles),
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

    fn expires(&mut self, ui: &mut Ui, view: &View<'_>, around: Surroundings<'_>, errors: &[FieldError]) {
        let p = theme::colors(ui);
        let error = self.error(errors, FormField::Expiration).map(str::to_owned);
        let expiry = Expiry::parse(&self.draft.expiration, around.now, around.zone).ok();
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = space::S;
            ui.horizontal(|ui| {
                text::line(ui, Type::Strong, p.text.primary, "Expires");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    match expiry.and_then(|e| e.at(around.now)) {
                        Some(at) => {
                            if let Some(utc) = calendar::utc_beside(at, &view.state.zone) {
                                text::line(ui, Type::Small, p.text.tertiary, utc);
                            }
                            text::line(ui, Type::Body, p.text.secondary, calendar::local_long(at, &view.state.zone));
                        }
                        None if expiry == Some(Expiry::Never) => {
                            drop(text::line(ui, Type::Body, p.text.secondary, "Never"))
                        }
                        None => {}
                    }
                });
            });
            ui.spacing_mut().interact_size.y = size::CONTROL;
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
                for (value, label) in [("1d", "1 day"), ("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days")] {
                    if chip::choice(ui, self.draft.expiration.trim() == value, None, label, None).clicked() {
                        self.draft.expiration = value.into();
                    }
                }
                let never = self.draft.expiration.trim().eq_ignore_ascii_case("never");
                if chip::choice(ui, never, Some(Status::Never), "Never…", None).clicked() {
                    self.draft.expiration = "never".into();
                }
                Field::new("Expiration")
                    .without_label()
                    .mono()
                    .width(220.0)
                    .hint("30m, 90d or 2027-02-21")
                    .show(ui, &mut self.draft.expiration);
            });
            match &error {
                Some(error) => field::error_line(ui, error),
                None => drop(text::line(
                    ui,
                    Type::Small,
                    p.text.tertiary,
                    "A time (30m, 12h, 90d), a date (2027-02-21), or never",
                )),
            }
        });
    }

    fn reason(&mut self, ui: &mut Ui, errors: &[FieldError]) {
        if self.draft.needs_reason() {
            let error = self.error(errors, FormField::Reason).map(str::to_owned);
            Field::new("Reason")
                .help("Kept in the metadata, for whoever reviews the key")
                .error(error.as_deref())
                .show(ui, &mut self.draft.reason);
        }
    }

    fn metadata(&mut self, ui: &mut Ui, errors: &[FieldError]) {
        let error = self.error(errors, FormField::Metadata).map(str::to_owned);
        Field::new("Metadata")
            .optional()
            .mono()
            .lines(4)
            .hint("{\"team\": \"payments\", \"contact\": \"payments-oncall@example.net\"}")
            .help("A JSON object. Roles and application id are added by Keybearer")
            .error(error.as_deref())
            .show(ui, &mut self.draft.metadata);
    }

    fn footer(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        cluster: &Cluster,
        checked: &Result<CreateKey, Vec<FieldError>>,
    ) {
        let p = theme::colors(ui);
        Panel::bottom("create footer")
            .frame(Frame::new().fill(p.surface.surface).inner_margin(Margin::symmetric(32, 0)))
            .exact_size(64.0)
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| {
                let rect = ui.max_rect().expand2(vec2(32.0, 0.0));
                ui.painter().hline(rect.x_range(), rect.top() + 0.5, Stroke::new(1.0, p.stroke.divider));
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let running = view.state.creation.is_running();
                    let session = cluster.session.value();
                    let off = match session {
                        _ if running => Some("A key is being created"),
                        Some(session) if !session.privileges.creates_keys() => Some("Needs manage_own_api_key"),
                        _ => None,
                    };
                    let pressed =
                        Button::primary("Create key").icon(icons::KEY).large().off_because(off).show(ui).clicked();
                    // Below a dialog the form is out of reach, for the keyboard too.
                    let shortcut = !view.state.has_dialog()
                        && ui.input_mut(|input| input.consume_key(Modifiers::COMMAND, Key::Enter));
                    chip::badge(ui, chip::Tone::Plain, icons::KEYBOARD, "Ctrl Enter");
                    if (pressed || shortcut) && off.is_none() {
                        self.attempted = true;
                        if checked.is_ok() {
                            view.send(Command::Create(Box::new(self.draft.clone()), self.request_id.clone()));
                            self.request_id = new_profile_id().0;
                        }
                    }
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let count = checked.as_ref().err().map_or(0, Vec::len);
                        if running {
                            text::line(ui, Type::Small, p.text.secondary, "Creating…");
                        } else if self.attempted && count > 0 {
                            let words = format!("{} to mend", plural(count as u64, "field"));
                            text::line(ui, Type::Small, p.danger.text, words);
                        }
                    });
                });
            });
    }
}

fn have(count: usize) -> String {
    if count == 1 {
        "1 active key has".into()
    } else {
        format!("{} active keys have", crate::model::expiry::thousands(count as u64))
    }
}

fn warning_line(ui: &mut Ui, words: &str) {
    let p = theme::colors(ui);
    ui.add_space(2.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        text::icon(ui, Type::IconSmall, p.warning.text, icons::WARNING);
        text::paragraph(ui, Type::Small, p.warning.text, words);
    });
}

/// What came of the last attempt, and what will be refused.
fn news(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, by_api_key: bool) {
    if by_api_key {
        let detail = "Elasticsearch gives such keys no rights: choose “Nothing”, or sign in as a user to make a key that can do something";
        notice::banner(ui, Tone::Warning, "You are signed in by an API key", detail, |_| ());
    }
    if cluster.session.value().is_some_and(|session| !session.privileges.creates_keys()) {
        let detail = "Missing: the cluster privilege manage_own_api_key";
        notice::banner(ui, Tone::Warning, "You may not create keys here", detail, |_| ());
    }
    let creation = &view.state.creation;
    if let Some(error) = creation.errors.first() {
        notice::banner(ui, Tone::Danger, "Nothing was sent", &error.message, |_| ());
    }
    let is_of_this = creation.is_of(&cluster.profile);
    let Some(problem) = creation.problem.as_ref().filter(|_| is_of_this) else { return };
    let detail = [problem.detail.as_str(), problem.hint.as_str()].join("\n");
    let strays: Vec<_> = view.state.creation.strays.iter().map(|key| key.id.clone()).collect();
    let title = problem.title.clone();
    notice::banner(ui, Tone::Danger, &title, detail.trim(), |ui| {
        if Button::ghost("Dismiss").small().show(ui).clicked() {
            view.send(Command::DismissCreation);
        }
        if !strays.is_empty() && Button::danger("Invalidate it…").small().icon(icons::BLOCK).show(ui).clicked() {
            view.send(Command::AskInvalidate(strays));
        }
    });
}

/// A key is made on one cluster.
fn choose_cluster(ui: &mut Ui, view: &mut View<'_>) {
    let state = view.state;
    let line = "All clusters are shown together, and a key is made on one";
    notice::empty(ui, icons::ADD_CIRCLE, "On which cluster?", line, |ui| {
        for cluster in &state.clusters {
            if Button::secondary(&cluster.profile.name).show(ui).clicked() {
                view.send(Command::SwitchTo(cluster.profile.id.clone()));
            }
        }
    });
}
