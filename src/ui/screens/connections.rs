//! The clusters one can connect to: their list, the form of one, and its test.

use eframe::egui::{
    self, Align, CornerRadius, Frame, Layout, Margin, Panel, Rect, Role, ScrollArea, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use super::connection_test::TestPanel;
use crate::{
    app::{Command, State},
    model::{
        endpoint::Trust,
        harmless,
        profile::{Environment, Profile, ProfileId},
        profile_draft::{ProfileDraft, ProfileError, ProfileField, SignIn, TrustChoice},
    },
    ops::last_use,
    store::profiles::new_profile_id,
    ui::{
        View, problem_buttons, theme,
        theme::{Type, icons, radius, space},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            focus,
            notice::{self, Tone},
            text,
        },
    },
};

/// The screen: which profile is edited, and what was typed.
#[derive(Default)]
pub struct Connections {
    draft: Option<ProfileDraft>,
    fresh_id: Option<ProfileId>,
    attempted: bool,
    removing: bool,
    test: TestPanel,
    compact_shows_test: bool,
    is_other: bool,
    next: Next,
}

/// What becomes of the form after this frame.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Stay,
    /// It was saved: from now on it is the profile that exists.
    Saved,
    /// A new profile that begins as this one.
    Duplicate,
    /// There is nothing to show any more.
    Forget,
}

impl Connections {
    /// Draws it.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        self.follow(view.state);
        let width = ui.available_width();
        let p = theme::colors(ui);
        Panel::left("connection list")
            .frame(Frame::new().fill(p.surface.surface).inner_margin(Margin {
                left: 20,
                right: 16,
                top: 10,
                bottom: 12,
            }))
            .exact_size(if width < 1000.0 { 236.0 } else { 304.0 })
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| self.list(ui, view));
        if self.draft.is_none() {
            return self.nothing_chosen(ui, view);
        }
        let three = width >= 1000.0;
        if three {
            Panel::left("connection form")
                .frame(Frame::new().fill(p.surface.surface))
                .exact_size(384.0)
                .show_separator_line(false)
                .resizable(false)
                .show(ui, |ui| self.form(ui, view));
            egui::CentralPanel::no_frame()
                .frame(Frame::new().fill(p.surface.canvas).inner_margin(Margin::same(24)))
                .show(ui, |ui| self.test_ui(ui, view));
        } else if self.compact_shows_test && view.state.test.is_some() {
            egui::CentralPanel::no_frame()
                .frame(Frame::new().fill(p.surface.canvas).inner_margin(Margin::same(20)))
                .show(ui, |ui| {
                    if Button::ghost("Back to the form").icon(icons::CHEVRON_LEFT).show(ui).clicked() {
                        self.compact_shows_test = false;
                    }
                    self.test_ui(ui, view);
                });
        } else {
            self.form(ui, view);
        }
    }

    /// Follows what happened elsewhere: a profile that was saved, one that a way out wants edited.
    fn follow(&mut self, state: &State) {
        if let Some(id) = &state.to_edit
            && self.draft.as_ref().and_then(|draft| draft.id.as_ref()) != Some(id)
        {
            let known = state.profiles.value().and_then(|read| read.profiles.iter().find(|profile| profile.id == *id));
            let open = state.clusters.iter().map(|cluster| &cluster.profile).find(|profile| profile.id == *id);
            let sandbox = state.sandbox().value().filter(|profile| profile.id == *id);
            if let Some(profile) = known.or(open).or(sandbox) {
                self.edit(profile);
            }
        }
    }

    fn edit(&mut self, profile: &Profile) {
        self.draft = Some(ProfileDraft::of(profile));
        self.attempted = false;
        self.removing = false;
        self.compact_shows_test = false;
        self.test = TestPanel::default();
        self.is_other = true;
    }

    fn add(&mut self) {
        self.draft = Some(ProfileDraft::new());
        self.fresh_id = Some(new_profile_id());
        self.attempted = false;
        self.removing = false;
        self.compact_shows_test = false;
        self.test = TestPanel::default();
        self.is_other = true;
    }

    fn list(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let p = theme::colors(ui);
        let right = ui.max_rect().right() + 15.5;
        ui.painter().vline(right, ui.max_rect().expand(20.0).y_range(), Stroke::new(1.0, p.stroke.divider));
        ui.allocate_ui_with_layout(vec2(ui.available_width(), 36.0), Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Title, p.text.primary, "Connections");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let add = Button::secondary("Add…").icon(icons::ADD).named("Add connection").show(ui);
                focus::entrance(ui, focus::Part::Page, add.id);
                if add.clicked() {
                    self.add();
                    view.send(Command::EditProfile(None));
                }
            });
        });
        ui.add_space(space::S);
        let mut chosen = None;
        ScrollArea::vertical().id_salt("profiles").auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            let known = view.state.profiles.value().map(|read| read.profiles.as_slice()).unwrap_or_default();
            let open = view.state.clusters.iter().map(|cluster| &cluster.profile);
            // The practice cluster runs on after signing out, and is in no keyring.
            let sandbox = view.state.sandbox().value();
            let closed = sandbox.filter(|profile| view.state.clusters.iter().all(|open| open.profile.id != profile.id));
            let unsaved = open.chain(closed).filter(|profile| known.iter().all(|other| other.id != profile.id));
            for profile in known.iter().chain(unsaved) {
                if self.entry(ui, view, profile) {
                    chosen = Some(profile.clone());
                }
            }
            self.vault_words(ui, view);
        });
        if let Some(profile) = chosen {
            view.send(Command::EditProfile(Some(profile.id.clone())));
            self.edit(&profile);
        }
    }

    fn entry(&self, ui: &mut Ui, view: &View<'_>, profile: &Profile) -> bool {
        let p = theme::colors(ui);
        let chosen = self.draft.as_ref().and_then(|draft| draft.id.as_ref()) == Some(&profile.id);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 60.0), Sense::click());
        let name = harmless::shortened(&profile.name, 28);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Edit {name}")));
        let fill = match (chosen, response.hovered()) {
            (true, _) => p.surface.selected,
            (_, true) => p.surface.hover,
            _ => egui::Color32::TRANSPARENT,
        };
        ui.painter().rect_filled(rect.expand2(vec2(10.0, 0.0)), CornerRadius::same(radius::L), fill);
        if chosen {
            let mark = Rect::from_min_size(rect.left_top() + vec2(-10.0, 14.0), vec2(3.0, rect.height() - 28.0));
            ui.painter().rect_filled(mark, 1.5, p.accent.mark);
        }
        let left = egui::Align2::LEFT_CENTER;
        let top = rect.top() + 20.0;
        let bottom = rect.top() + 42.0;
        ui.painter().text(pos2(rect.left(), top), left, name, Type::Strong.font(), p.text.primary);
        let host = harmless::shortened(profile.endpoint.url.host(), 30);
        ui.painter().text(pos2(rect.left(), bottom), left, host, Type::MonoSmall.font(), p.text.tertiary);
        let chip_rect = Rect::from_min_size(pos2(rect.right() - 120.0, top - 12.0), vec2(120.0, 24.0));
        let layout = Layout::right_to_left(Align::Center);
        // Beside the flow: the row was allocated already.
        let mut beside = ui.new_child(egui::UiBuilder::new().max_rect(chip_rect).layout(layout));
        chip::environment(&mut beside, profile.environment);
        let cluster = view.state.clusters.iter().find(|cluster| cluster.profile.id == profile.id);
        let insecure = profile.endpoint.trust == Trust::InsecureDev || !profile.endpoint.url.is_https();
        let (words, color) = match cluster {
            Some(cluster) if cluster.session.value().is_some() => ("Open", p.success.text),
            Some(cluster) if cluster.session.is_loading() => ("Signing in", p.text.tertiary),
            Some(_) => ("Failed", p.danger.text),
            None if insecure => ("Insecure", p.warning.text),
            None => ("", p.text.tertiary),
        };
        let at = pos2(rect.right(), bottom);
        ui.painter().text(at, egui::Align2::RIGHT_CENTER, words, Type::Small.font(), color);
        focus::ring_if(ui, &response, rect.expand2(vec2(8.0, 0.0)), radius::L);
        response.clicked()
    }

    /// Where profiles live, and what is wrong with that place.
    fn vault_words(&self, ui: &mut Ui, view: &mut View<'_>) {
        let p = theme::colors(ui);
        let profiles = &view.state.profiles;
        ui.add_space(space::S);
        if profiles.is_loading() {
            ui.horizontal_wrapped(|ui| {
                text::paragraph(
                    ui,
                    Type::Small,
                    p.text.tertiary,
                    "Waiting for the keyring. It may ask for its password in a window of its own",
                );
            });
            if Button::ghost("Go on for this run").show(ui).clicked() {
                view.send(Command::UseMemory);
            }
        } else if let Some(problem) = profiles.problem() {
            let detail = [problem.detail.as_str(), problem.hint.as_str()].join(" ");
            notice::banner(ui, Tone::Warning, &problem.title, detail.trim(), |_| ());
            ui.horizontal_wrapped(|ui| problem_buttons(ui, view, problem));
        } else if let Some(read) = profiles.value() {
            let words = if read.in_memory {
                "Kept in memory: these connections are gone when you close Keybearer"
            } else {
                "Profiles live in the keyring of this computer, no file holds a credential"
            };
            ui.horizontal_top(|ui| {
                text::icon(ui, Type::IconSmall, p.text.tertiary, icons::ENCRYPTED);
                text::paragraph(ui, Type::Small, p.text.tertiary, words);
            });
            for unreadable in &read.unreadable {
                text::paragraph(ui, Type::Small, p.warning.text, unreadable);
            }
        }
    }

    fn nothing_chosen(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let any = view.state.profiles.value().is_some_and(|read| !read.profiles.is_empty());
        let (heading, line) = if any {
            ("Choose a connection", "To connect to it, test it or change it")
        } else {
            ("No connections yet", "A connection is a cluster with a way to sign in")
        };
        notice::empty(ui, icons::LAN, heading, line, |ui| {
            if Button::primary("Add a connection").icon(icons::ADD).show(ui).clicked() {
                self.add();
                view.send(Command::EditProfile(None));
            }
        });
    }

    fn form(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let Some(mut draft) = self.draft.take() else { return };
        if std::mem::take(&mut self.is_other) {
            const TYPED: [&str; 7] =
                ["Connection name", "URL", "User name", "CA file", "Fingerprint", "Time limit", "Run as"];
            field::forget_histories(ui.ctx(), &TYPED);
        }
        let fresh = self.fresh_id.get_or_insert_with(new_profile_id).clone();
        let checked = draft.check(fresh.clone());
        let errors = match (&checked, self.attempted) {
            (Err(errors), true) => errors.clone(),
            _ => Vec::new(),
        };
        self.footer(ui, view, &draft, &checked);
        let p = theme::colors(ui);
        let rect = ui.max_rect();
        ui.painter().vline(rect.right() - 0.5, rect.y_range(), Stroke::new(1.0, p.stroke.divider));
        ScrollArea::vertical().id_salt("connection").auto_shrink(false).show(ui, |ui| {
            Frame::new().inner_margin(Margin { left: 24, right: 24, top: 10, bottom: 24 }).show(ui, |ui| {
                ui.set_max_width(ui.available_width().min(520.0));
                ui.spacing_mut().item_spacing.y = space::L;
                let title =
                    if draft.id.is_some() { harmless::shortened(&draft.name, 40) } else { "New connection".into() };
                ui.allocate_ui_with_layout(
                    vec2(ui.available_width(), 36.0),
                    Layout::left_to_right(Align::Center),
                    |ui| {
                        text::line(ui, Type::Heading, p.text.primary, title);
                    },
                );
                fields(ui, &mut draft, &errors);
            });
        });
        match std::mem::take(&mut self.next) {
            Next::Stay => self.draft = Some(draft),
            Next::Saved => {
                draft.id.get_or_insert(fresh);
                self.fresh_id = None;
                self.draft = Some(draft);
            }
            Next::Duplicate => {
                self.add();
                self.draft = Some(ProfileDraft { id: None, name: format!("{} copy", draft.name), ..draft });
            }
            Next::Forget => {
                self.draft = None;
                self.removing = false;
            }
        }
    }

    fn footer(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        draft: &ProfileDraft,
        checked: &Result<Profile, Vec<ProfileError>>,
    ) {
        let p = theme::colors(ui);
        Panel::bottom("connection footer")
            .frame(Frame::new().fill(p.surface.surface).inner_margin(Margin::symmetric(24, 12)))
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| {
                let rect = ui.max_rect().expand2(vec2(24.0, 12.0));
                ui.painter().hline(rect.x_range(), rect.top() + 0.5, Stroke::new(1.0, p.stroke.divider));
                ui.horizontal_wrapped(|ui| {
                    let is_sandbox = draft.environment == Environment::Sandbox;
                    let connect = Button::primary("Connect").show(ui).clicked();
                    let test =
                        Button::secondary("Test").icon(icons::TASK_ALT).named("Test connection").show(ui).clicked();
                    let lives =
                        is_sandbox.then_some("The sandbox lives in memory and is gone when you close Keybearer");
                    let save = Button::secondary("Save").named("Save connection").off_because(lives).show(ui).clicked();
                    self.act(view, checked, (connect, test, save));
                    self.more(ui, view, draft);
                });
            });
    }

    fn act(
        &mut self,
        view: &mut View<'_>,
        checked: &Result<Profile, Vec<ProfileError>>,
        (connect, test, save): (bool, bool, bool),
    ) {
        self.attempted |= connect || test || save;
        let Ok(profile) = checked else { return };
        if connect {
            view.send(Command::Connect(Box::new(profile.clone())));
        }
        if test {
            self.compact_shows_test = true;
            self.test = TestPanel::default();
            view.send(Command::Test(Box::new(profile.endpoint.clone())));
        }
        if save {
            view.send(Command::SaveProfile(Box::new(profile.clone())));
            view.send(Command::EditProfile(Some(profile.id.clone())));
            self.next = Next::Saved;
        }
    }

    /// Duplicate and remove, for a profile that exists.
    fn more(&mut self, ui: &mut Ui, view: &mut View<'_>, draft: &ProfileDraft) {
        let Some(id) = &draft.id else { return };
        if self.removing {
            if Button::destroy("Remove it").icon(icons::DELETE).show(ui).clicked() {
                view.send(Command::RemoveProfile(id.clone()));
                view.send(Command::EditProfile(None));
                self.next = Next::Forget;
            }
            if Button::ghost("Keep").show(ui).clicked() {
                self.removing = false;
            }
            return;
        }
        if Button::icon_only(icons::CONTENT_COPY, "Duplicate connection").show(ui).clicked() {
            view.send(Command::EditProfile(None));
            self.next = Next::Duplicate;
        }
        if Button::icon_only(icons::DELETE, "Remove connection…").show(ui).clicked() {
            self.removing = true;
        }
    }

    fn test_ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let pinned = self.test.ui(ui, view);
        if let (Some(print), Some(draft)) = (pinned, self.draft.as_mut()) {
            draft.trust = TrustChoice::Fingerprint;
            draft.fingerprint = print.to_string();
            let fresh = self.fresh_id.get_or_insert_with(new_profile_id).clone();
            if let Ok(profile) = draft.check(fresh) {
                self.test = TestPanel::default();
                view.send(Command::Test(Box::new(profile.endpoint)));
            }
        }
    }
}

fn fields(ui: &mut Ui, draft: &mut ProfileDraft, errors: &[ProfileError]) {
    let error = |field| errors.iter().find(|error| error.field == field).map(|error| error.message.as_str());
    Field::new("Connection name").hint("search-eu").error(error(ProfileField::Name)).show(ui, &mut draft.name);
    Field::new("URL")
        .mono()
        .hint("https://es.example.net:9200")
        .error(error(ProfileField::Url))
        .show(ui, &mut draft.url);
    labelled(ui, "Environment", |ui| {
        let width = ui.available_width();
        if let Some(environment) = chip::environments(ui, draft.environment, width) {
            draft.environment = environment;
        }
    });
    labelled(ui, "Sign in with", |ui| {
        let choices = [(SignIn::ApiKey, "API key"), (SignIn::User, "User"), (SignIn::Token, "Token")];
        if let Some(sign_in) = chip::segmented(ui, draft.sign_in, &choices, Some(ui.available_width())) {
            draft.sign_in = sign_in;
        }
    });
    match draft.sign_in {
        SignIn::ApiKey => {
            // Somebody pastes the whole key here, too.
            let id = Field::new("Id").mono().error(error(ProfileField::KeyId));
            id.show_without_history(ui, &mut draft.key_id);
            let help = "The secret alone, or a whole key in any form: it fills both";
            let secret = Field::new("Secret").mono().help(help).error(error(ProfileField::KeySecret));
            secret.show_password(ui, &mut draft.key_secret);
            draft.tidy();
        }
        SignIn::User => {
            Field::new("User name").error(error(ProfileField::Username)).show(ui, &mut draft.username);
            Field::new("Password").error(error(ProfileField::Password)).show_password(ui, &mut draft.password);
        }
        SignIn::Token => {
            let help = "Of the token service, or a JWT";
            Field::new("Token").mono().help(help).error(error(ProfileField::Token)).show_password(ui, &mut draft.token);
        }
    }
    trust(ui, draft, errors);
    ui.columns(2, |columns| {
        let timeout = Field::new("Time limit").help("Seconds").error(error(ProfileField::Timeout));
        timeout.show(&mut columns[0], &mut draft.timeout);
        Field::new("Run as").hint("nobody").help("Needs the privilege run_as").show(&mut columns[1], &mut draft.run_as);
    });
    let help = "Index, data stream or pattern; from its events the last use of a key is read";
    Field::new("Audit events").hint(last_use::USUAL).mono().help(help).show(ui, &mut draft.audit_index);
}

fn trust(ui: &mut Ui, draft: &mut ProfileDraft, errors: &[ProfileError]) {
    let error = |field| errors.iter().find(|error| error.field == field).map(|error| error.message.as_str());
    labelled(ui, "Trust", |ui| {
        let choices = [
            (TrustChoice::System, "System"),
            (TrustChoice::CaFile, "CA file"),
            (TrustChoice::Fingerprint, "Fingerprint"),
            (TrustChoice::InsecureDev, "Insecure"),
        ];
        if let Some(trust) = chip::segmented(ui, draft.trust, &choices, Some(ui.available_width())) {
            draft.trust = trust;
        }
    });
    match draft.trust {
        TrustChoice::System => {}
        TrustChoice::CaFile => {
            let field = Field::new("CA file").mono().hint("/etc/elasticsearch/certs/http_ca.crt");
            field.error(error(ProfileField::CaFile)).show(ui, &mut draft.ca_file);
        }
        TrustChoice::Fingerprint => {
            let help = "SHA-256, as Elasticsearch prints it at its first start";
            let field = Field::new("Fingerprint").mono().help(help).error(error(ProfileField::Fingerprint));
            field.show(ui, &mut draft.fingerprint);
        }
        TrustChoice::InsecureDev => {
            let line = error(ProfileField::Fingerprint)
                .unwrap_or("Any certificate is believed: for development only. It stays visible on every screen");
            notice::banner(ui, Tone::Warning, "Insecure", line, |_| ());
        }
    }
}

fn labelled(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    let p = theme::colors(ui);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        text::line(ui, Type::Label, p.text.primary, label);
        add(ui);
    });
}
