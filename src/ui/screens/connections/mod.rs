//! The connections screen: their list, the form of one, and its test.

pub mod check;
mod client_certificate;
mod form;
mod open_id;

use eframe::egui::{
    self, Align, Color32, CornerRadius, Frame, Layout, Margin, Panel, Rect, Role, ScrollArea, Sense, Stroke, Ui,
    WidgetInfo, pos2, vec2,
};

use crate::{
    app::{Command, ImportStep, ShareStep, State, closing::is_unsaved},
    model::{
        connections::{
            draft::{ProfileDraft, ProfileField, SignIn, TrustChoice},
            endpoint::Trust,
            profile::{Environment, Profile, ProfileId},
        },
        form_error::FormError,
        text::{number::plural, sanitize},
    },
    store::connections::new_profile_id,
    ui::{
        View,
        components::problem::problem_buttons,
        screens::connections::form::fields,
        theme,
        theme::{Palette, Type, icons, radius, space},
        widgets::{
            button::Button,
            chip, field,
            file_field::FileField,
            focus,
            menu::{menu_item, menu_row},
            notice::{self, Tone},
            text,
        },
    },
};
use check::{CheckRequest, TestPanel};
use client_certificate::CertificateForm;
use open_id::{OpenIdForm, SignInRequest};

/// Width of the title beside its button, in points.
const TITLE_ROOM: f32 = 132.0;

/// Width of a connection's state in the list, in points; the longest is “Open, not saved”.
const STATE_ROOM: f32 = 100.0;

/// The screen: the profile that is edited, and the input of its form.
#[derive(Default)]
pub struct Connections {
    draft: Option<ProfileDraft>,
    fresh_id: Option<ProfileId>,
    attempted: bool,
    removing: bool,
    test: TestPanel,
    compact_shows_test: bool,
    is_other: bool,
    ca_file: FileField,
    certificate: CertificateForm,
    open_id: OpenIdForm,
    next: Next,
    /// Entry that was clicked last.
    clicked: Option<ProfileId>,
    /// Connection whose menu asked to edit it.
    menu_edits: Option<Profile>,
}

/// Action on the form after this frame.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Next {
    #[default]
    Stay,
    /// Continue as a saved profile, because it was saved or opened.
    Exists,
    /// Begin a new profile as a copy of this one.
    Duplicate,
    /// Close the form, because there is nothing to show any more.
    Forget,
}

/// Buttons of the footer, `true` for the one that was pressed.
#[derive(Clone, Copy)]
struct Pressed {
    connect: bool,
    test: bool,
    save: bool,
}

impl Connections {
    /// Draws the screen.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        self.follow(view.state);
        self.fill(view);
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
        self.open_id.is_beside = three;
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

    /// Follows changes from elsewhere: a profile that was saved, or one that a fix asks to edit.
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

    /// Takes a proposal of an import as a new connection.
    fn fill(&mut self, view: &mut View<'_>) {
        if let Some(draft) = view.state.to_fill() {
            self.add();
            self.draft = Some(ProfileDraft { id: None, ..draft.clone() });
            self.attempted = true;
            view.send(ImportStep::Filled.into());
        }
    }

    fn edit(&mut self, profile: &Profile) {
        let draft = ProfileDraft::of(profile);
        self.test = TestPanel::beginning_with(&draft);
        self.draft = Some(draft);
        self.attempted = false;
        self.removing = false;
        self.compact_shows_test = false;
        self.is_other = true;
        self.ca_file = FileField::default();
        self.certificate = CertificateForm::default();
        self.open_id = OpenIdForm::default();
    }

    fn add(&mut self) {
        self.draft = Some(ProfileDraft::new());
        self.fresh_id = Some(new_profile_id());
        self.attempted = false;
        self.removing = false;
        self.compact_shows_test = false;
        self.test = TestPanel::default();
        self.is_other = true;
        self.ca_file = FileField::default();
        self.certificate = CertificateForm::default();
        self.open_id = OpenIdForm::default();
    }

    fn list(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let p = theme::colors(ui);
        let right = ui.max_rect().right() + 15.5;
        ui.painter().vline(right, ui.max_rect().expand(20.0).y_range(), Stroke::new(1.0, p.stroke.divider));
        let row = vec2(ui.available_width(), 36.0);
        ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
            let add = Button::secondary("Add…").icon(icons::ADD).named("Add connection");
            let compact = add.room(ui) + TITLE_ROOM > ui.available_width();
            let add = add.compact(compact).show(ui);
            focus::entrance(ui, focus::FocusArea::Page, add.id);
            if add.clicked() {
                self.add();
                view.send(Command::EditProfile(None));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Title, p.text.primary, "Connections");
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
            let all: Vec<&Profile> = known.iter().chain(unsaved).collect();
            for profile in all {
                if self.entry(ui, view, profile) {
                    chosen = Some(profile.clone());
                }
            }
            if chosen.is_none() {
                chosen = self.menu_edits.take();
            }
            self.vault_note(ui, view);
            bring(ui, view);
        });
        if let Some(profile) = chosen {
            view.send(Command::EditProfile(Some(profile.id.clone())));
            self.edit(&profile);
        }
    }

    fn entry(&mut self, ui: &mut Ui, view: &mut View<'_>, profile: &Profile) -> bool {
        let p = theme::colors(ui);
        let chosen = self.draft.as_ref().and_then(|draft| draft.id.as_ref()) == Some(&profile.id);
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 60.0), Sense::click());
        let name = sanitize::shortened(&profile.name, 28);
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
        let top = rect.top() + 20.0;
        let bottom = rect.top() + 42.0;
        let name_cell = Rect::from_min_size(pos2(rect.left(), top - 10.0), vec2(rect.width() - 112.0, 20.0));
        text::elided(ui, name_cell, Type::Strong, p.text.primary, &name);
        let host = match profile.endpoint.more_urls.len() {
            0 => sanitize::shortened(profile.endpoint.url.host(), 30),
            // Short enough that the number is not cut off.
            more => format!("{} +{more}", sanitize::shortened(profile.endpoint.url.host(), 18)),
        };
        let room = rect.width() - STATE_ROOM;
        let host_cell = Rect::from_min_size(pos2(rect.left(), bottom - 8.0), vec2(room, 16.0));
        text::elided(ui, host_cell, Type::MonoSmall, p.text.tertiary, &host);
        let chip_rect = Rect::from_min_size(pos2(rect.right() - 120.0, top - 12.0), vec2(120.0, 24.0));
        let layout = Layout::right_to_left(Align::Center);
        // Beside the flow: the row was allocated already.
        let mut beside = ui.new_child(egui::UiBuilder::new().max_rect(chip_rect).layout(layout));
        chip::environment(&mut beside, profile.environment);
        let (words, color) = state_text(view.state, profile, p);
        let at = pos2(rect.right(), bottom);
        let place = ui.painter().text(at, egui::Align2::RIGHT_CENTER, &words, Type::Small.font(), color);
        if !words.is_empty() {
            let label = ui.interact(place, ui.scope_id().with(("state", &profile.id.0)), Sense::hover());
            label.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
        }
        focus::ring_if(ui, &response, rect.expand2(vec2(8.0, 0.0)), radius::L);
        self.entry_menu(view, profile, &response);
        let is_chosen = response.clicked();
        // The second click belongs to the entry of the first.
        if response.double_clicked() && self.clicked.as_ref() == Some(&profile.id) {
            view.state.commands_to_show(profile).into_iter().for_each(|command| view.send(command));
        } else if is_chosen {
            self.clicked = Some(profile.id.clone());
        }
        is_chosen
    }

    /// Draws the menu of an entry, which a secondary click opens.
    fn entry_menu(&mut self, view: &mut View<'_>, profile: &Profile, response: &egui::Response) {
        let is_open = view.state.clusters.iter().any(|cluster| cluster.profile.id == profile.id);
        egui::Popup::context_menu(response).width(220.0).show(|ui| {
            let refusal = ProfileDraft::of(profile).refusal().map(str::to_owned);
            let (words, icon) = if is_open { ("Show keys", icons::KEY) } else { ("Connect", icons::LOGIN) };
            if menu_item(ui, words, icon, None, refusal.as_deref()) {
                view.state.commands_to_show(profile).into_iter().for_each(|command| view.send(command));
            }
            if is_open && menu_row(ui, "Disconnect", icons::LOGOUT) {
                view.send(Command::Disconnect(profile.id.clone()));
            }
            if menu_row(ui, "Edit", icons::EDIT) {
                self.menu_edits = Some(profile.clone());
            }
            if menu_row(ui, "Copy address", icons::CONTENT_COPY) {
                ui.ctx().copy_text(profile.endpoint.url.to_string());
            }
        });
    }

    /// Draws where profiles are stored, and problems with that.
    fn vault_note(&self, ui: &mut Ui, view: &mut View<'_>) {
        let p = theme::colors(ui);
        let profiles = &view.state.profiles;
        ui.add_space(space::S);
        if profiles.is_loading() {
            ui.horizontal_wrapped(|ui| {
                text::paragraph(
                    ui,
                    Type::Small,
                    p.text.tertiary,
                    "Waiting for the keyring. It may ask for its password in a separate window",
                );
            });
            if Button::ghost("Continue without saving").show(ui).clicked() {
                view.send(Command::UseMemory);
            }
        } else if let Some(problem) = profiles.problem() {
            let detail = [problem.detail.as_str(), problem.hint.as_str()].join(" ");
            notice::banner(ui, Tone::Warning, &problem.title, detail.trim(), |_| ());
            ui.horizontal_wrapped(|ui| problem_buttons(ui, view, problem));
        } else if let Some(read) = profiles.value() {
            let words = if read.in_memory {
                "Kept in memory: these connections are lost when you close or lock Keybearer"
            } else {
                "Connections are stored in this computer’s keyring"
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
        let known = view.state.profiles.value();
        let any = known.is_some_and(|read| !read.profiles.is_empty()) || !view.state.clusters.is_empty();
        let (heading, line) = match known {
            _ if any => ("Choose a connection", "To connect to it, test it or change it"),
            Some(_) => ("No connections yet", "Add a cluster and how you sign in to it"),
            // What a keyring holds is not known before it has answered.
            None if view.state.profiles.problem().is_some() => {
                ("The keyring was not read", "The saved connections are not known")
            }
            None => ("Waiting for the keyring", "Saved connections appear once it responds"),
        };
        notice::empty(ui, icons::LAN, heading, line, |ui| {
            if Button::primary("Add a connection").icon(icons::ADD).show(ui).clicked() {
                self.add();
                view.send(Command::EditProfile(None));
            }
            if Button::secondary("Import…").icon(icons::INPUT).named("Import your connections").show(ui).clicked() {
                view.send(ImportStep::Ask.into());
            }
        });
    }

    fn form(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let Some(mut draft) = self.draft.take() else { return };
        if std::mem::take(&mut self.is_other) {
            const TYPED: [&str; 7] =
                ["Connection name", "URL", "User name", "CA file", "Fingerprint", "Timeout (seconds)", "Run as"];
            field::forget_histories(ui.ctx(), &TYPED);
        }
        let fresh = self.fresh_id.get_or_insert_with(new_profile_id).clone();
        let checked = view.state.policy().check_draft(&draft, fresh.clone());
        // What a rule refuses is no field that is still to be filled in.
        let by_rule = checked.is_err() && draft.check(fresh.clone()).is_ok();
        let errors = match &checked {
            Err(errors) if self.attempted || by_rule => errors.clone(),
            _ => Vec::new(),
        };
        let refusal = errors.first().filter(|_| by_rule).map(|error| error.message.clone());
        self.footer(ui, view, (&draft, refusal.as_deref()), &checked);
        let p = theme::colors(ui);
        let rect = ui.max_rect();
        ui.painter().vline(rect.right() - 0.5, rect.y_range(), Stroke::new(1.0, p.stroke.divider));
        ScrollArea::vertical().id_salt("connection").auto_shrink(false).show(ui, |ui| {
            Frame::new().inner_margin(Margin { left: 24, right: 24, top: 10, bottom: 24 }).show(ui, |ui| {
                ui.set_max_width(ui.available_width().min(520.0));
                ui.spacing_mut().item_spacing.y = space::L;
                let named = !draft.name.trim().is_empty();
                let title = if named { sanitize::shortened(&draft.name, 40) } else { "New connection".into() };
                ui.allocate_ui_with_layout(
                    vec2(ui.available_width(), 36.0),
                    Layout::left_to_right(Align::Center),
                    |ui| {
                        text::line(ui, Type::Heading, p.text.primary, title);
                    },
                );
                let (ca_file, certificate) = (&mut self.ca_file, &mut self.certificate);
                fields(ui, view, &mut draft, &errors, ca_file, certificate, &mut self.open_id);
            });
        });
        self.sign_in(view, &checked);
        match std::mem::take(&mut self.next) {
            Next::Stay => self.draft = Some(draft),
            Next::Exists => {
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

    /// Acts on the buttons of the sign-in at a provider, which needs the rest of the form.
    fn sign_in(&mut self, view: &mut View<'_>, checked: &Result<Profile, Vec<FormError<ProfileField>>>) {
        let Some(request) = self.open_id.take_request() else { return };
        self.attempted |= matches!(request, SignInRequest::Begin(_));
        let Ok(profile) = checked else { return };
        let endpoint = Box::new(profile.endpoint.clone());
        view.send(match request {
            SignInRequest::Read => Command::ReadSignIn(endpoint),
            SignInRequest::Begin(way) => Command::SignIn(endpoint, way),
            SignInRequest::End => Command::SignOut(endpoint),
        });
    }

    fn footer(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        (draft, by_rule): (&ProfileDraft, Option<&str>),
        checked: &Result<Profile, Vec<FormError<ProfileField>>>,
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
                    let is_sandbox = draft.environment == Some(Environment::Sandbox);
                    let refusal = draft.refusal().or(by_rule);
                    let connect = Button::primary("Connect").off_because(refusal).show(ui).clicked();
                    let test = Button::secondary("Test").icon(icons::TASK_ALT).named("Test connection");
                    let lacks = checked.as_ref().is_ok_and(|own| own.endpoint.lacks_credential());
                    let lacks = lacks.then_some("Type the credential to test it: it won’t be saved");
                    let test = test.off_because(refusal.or(lacks)).show(ui).clicked();
                    let lives = is_sandbox.then_some("The sandbox runs in memory and is lost when you close Keybearer");
                    let save = Button::secondary("Save").named("Save connection").off_because(lives.or(refusal));
                    let save = save.show(ui).clicked();
                    self.act(view, draft, checked, Pressed { connect, test, save });
                    self.more(ui, view, draft);
                });
            });
    }

    fn act(
        &mut self,
        view: &mut View<'_>,
        draft: &ProfileDraft,
        checked: &Result<Profile, Vec<FormError<ProfileField>>>,
        pressed: Pressed,
    ) {
        let Pressed { connect, test, save } = pressed;
        self.attempted |= connect || test || save;
        let Ok(profile) = checked else { return };
        if connect {
            view.send(Command::Connect(Box::new(profile.clone())));
            view.send(Command::EditProfile(Some(profile.id.clone())));
            self.next = Next::Exists;
        }
        if test {
            self.compact_shows_test = true;
            self.test = TestPanel::beginning_with(draft);
            view.send(Command::Test(Box::new(profile.endpoint.clone())));
        }
        if save {
            view.send(Command::SaveProfile(Box::new(profile.clone())));
            view.send(Command::EditProfile(Some(profile.id.clone())));
            self.next = Next::Exists;
        }
    }

    /// Draws duplicate and remove, for a profile that exists.
    fn more(&mut self, ui: &mut Ui, view: &mut View<'_>, draft: &ProfileDraft) {
        let Some(id) = &draft.id else { return };
        if self.removing {
            // The safe one first: it comes where the button was that asked.
            if Button::ghost("Keep").guarded().show(ui).clicked() {
                self.removing = false;
            }
            if Button::destroy("Remove it").icon(icons::DELETE).show(ui).clicked() {
                let known = view.state.profiles.value();
                let is_saved = known.is_none_or(|read| read.profiles.iter().any(|profile| profile.id == *id));
                // One that was never saved is nowhere but in this window.
                view.send(if is_saved { Command::RemoveProfile(id.clone()) } else { Command::Disconnect(id.clone()) });
                view.send(Command::EditProfile(None));
                self.next = Next::Forget;
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
        let fresh = self.fresh_id.get_or_insert_with(new_profile_id).clone();
        let policy = view.state.policy();
        let checked = self.draft.as_ref().map(|draft| policy.check_draft(draft, fresh.clone()));
        if let (Some(draft), Some(checked)) = (&self.draft, &checked)
            && draft.sign_in == SignIn::OpenId
            && self.open_id.is_beside
        {
            self.open_id.sign_in(ui, view, draft);
            self.sign_in(view, checked);
            ui.add_space(space::XL);
        }
        let endpoint = checked.and_then(Result::ok).map(|own| own.endpoint);
        let wish = self.test.ui(ui, view, endpoint.as_ref());
        let Some(draft) = self.draft.as_mut() else { return };
        match wish {
            None => {}
            Some(CheckRequest::TestAgain) => {
                self.attempted = true;
                if let Some(endpoint) = endpoint {
                    self.test = TestPanel::beginning_with(draft);
                    view.send(Command::Test(Box::new(endpoint)));
                }
            }
            Some(CheckRequest::Pin(print)) => {
                draft.trust = TrustChoice::Fingerprint;
                draft.fingerprint = print.to_string();
                if let Ok(profile) = view.state.policy().check_draft(draft, fresh) {
                    self.test = TestPanel::beginning_with(draft);
                    view.send(Command::Test(Box::new(profile.endpoint)));
                }
            }
        }
    }
}

/// Draws the ways in and out for connections.
fn bring(ui: &mut Ui, view: &mut View<'_>) {
    ui.add_space(space::XS);
    let left = view.state.left_to_import();
    ui.horizontal_wrapped(|ui| {
        let (label, name) = match left {
            0 => ("Import…".to_owned(), "Import connections".to_owned()),
            left => {
                let count = plural(left as u64, "connection");
                (format!("Continue import ({left})…"), format!("Continue import of {count}"))
            }
        };
        let import = Button::ghost(&label).icon(icons::INPUT).named(&name);
        if import.show(ui).clicked() {
            view.send(ImportStep::Ask.into());
        }
        let none = view.state.shareable().next().is_none().then_some("There are no saved connections");
        let export = Button::ghost("Export…").icon(icons::DOWNLOAD).named("Export connections").off_because(none);
        if export.show(ui).clicked() {
            view.send(ShareStep::Ask.into());
        }
    });
}

/// Describes whether a connection is open, and whether it will still be there after a restart.
fn state_text(state: &State, profile: &Profile, p: &Palette) -> (String, Color32) {
    let cluster = state.clusters.iter().find(|cluster| cluster.profile.id == profile.id);
    let insecure = profile.endpoint.trust == Trust::InsecureDev || !profile.endpoint.is_https();
    let (words, color) = match cluster {
        Some(cluster) if cluster.session.value().is_some() => ("Open", p.success.text),
        Some(cluster) if cluster.session.is_loading() => ("Signing in", p.text.tertiary),
        Some(_) => ("Failed", p.danger.text),
        None if insecure => ("Insecure", p.warning.text),
        None => ("", p.text.tertiary),
    };
    let Some(read) = state.profiles.value() else { return (words.into(), color) };
    // What is open may differ from what is saved under the same name.
    match cluster.map(|cluster| &cluster.profile).filter(|open| is_unsaved(open, &read.profiles)) {
        Some(_) if words == "Open" => ("Open, not saved".into(), p.warning.text),
        Some(_) => ("Not saved".into(), p.warning.text),
        None => (words.into(), color),
    }
}
