//! The create screen: recipient, name, privileges and expiration of a new key. Beside the form, live, the resulting
//! request.

pub(super) mod banners;
pub(super) mod basics;
pub(super) mod kind;
pub(super) mod preview;
mod recipients;
pub(super) mod rights;

use eframe::egui::{Align, Frame, Key, Layout, Margin, Modifiers, Panel, ScrollArea, Stroke, Ui, vec2};
use zeroize::Zeroizing;

use crate::{
    app::{Cluster, Command, Screen},
    model::{
        connections::profile::ProfileId,
        create::{
            Draft, Field as FormField, RightsChoice, Surroundings,
            new_key::{KeyFor, NewKey, NewKeyDraft, NewKeyField},
            preset::Preset,
        },
        form_error::FormError,
        secret::Secret,
        text::number::plural,
    },
    store::connections::new_profile_id,
    ui::{
        View, theme,
        theme::{Type, icons, size},
        widgets::{
            button::Button,
            chip, notice,
            privileges::{
                access_editor::AccessEditor, descriptor_editor, descriptor_editor::DescriptorEditor,
                role_picker::RolePicker,
            },
            text,
        },
    },
};

/// Width of the form if the request is shown beside it, in points, with its margins of 32.
const FORM_ROOM: f32 = 580.0 + 64.0;

/// Minimum width of the request beside the form, in points.
const REQUEST_ROOM: f32 = 420.0;

/// The screen, with the input of its form.
pub struct CreateScreen {
    pub(super) draft: NewKeyDraft,
    /// Password or token of another user; wiped with the form, and when another cluster is shown.
    pub(super) credential: Zeroizing<String>,
    pub(super) picker: RolePicker,
    pub(super) editor: DescriptorEditor,
    pub(super) access: AccessEditor,
    pub(super) purpose: Preset,
    pub(super) patterns: String,
    pub(super) done: u32,
    request_id: String,
    attempted: bool,
    of: Option<ProfileId>,
}

impl Default for CreateScreen {
    fn default() -> Self {
        let key = Draft { expiration: "90d".into(), ..Draft::default() };
        Self {
            draft: NewKeyDraft { key, ..NewKeyDraft::default() },
            credential: Zeroizing::default(),
            picker: RolePicker::default(),
            editor: DescriptorEditor::default(),
            access: AccessEditor::default(),
            purpose: Preset::ALL[0],
            patterns: String::new(),
            done: 0,
            request_id: new_profile_id().0,
            attempted: false,
            of: None,
        }
    }
}

impl CreateScreen {
    /// Draws the screen.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let Some(cluster) = view.state.cluster().filter(|cluster| cluster.session.value().is_some()) else {
            self.leave(ui);
            if view.state.shows_all() {
                return banners::choose_cluster(ui, view);
            }
            notice::page_title(ui, view.state.screen.label());
            return notice::empty(
                ui,
                icons::ADD_CIRCLE,
                "No cluster is open",
                "Connect to a cluster to create a key",
                |ui| {
                    if Button::primary("Open connections").show(ui).clicked() {
                        view.send(Command::Show(Screen::Connections));
                    }
                },
            );
        };
        self.begin_anew(ui, view, cluster);
        let by_api_key = cluster.session.value().is_some_and(|session| session.derives_keys());
        let is_mine = self.draft.kind == KeyFor::Me;
        if by_api_key && is_mine && self.draft.key.rights == RightsChoice::Roles && self.draft.key.roles.is_empty() {
            self.draft.key.rights = RightsChoice::Nothing;
        }
        let around = Surroundings {
            now: cluster.now(view.state.now),
            zone: &view.state.zone,
            roles: cluster.roles.value().map(Vec::as_slice),
            edition: cluster.session.value().map(|session| session.edition).unwrap_or_default(),
            by_api_key,
        };
        let checked = self.check(around);
        let errors = checked.as_ref().err().cloned().unwrap_or_default();
        // Side by side only where the form keeps the room that it needs; the panel takes what is left.
        let beside = (ui.available_width() - FORM_ROOM).min(size::REQUEST_COLUMN);
        let wide = beside >= REQUEST_ROOM;
        if wide {
            let p = theme::colors(ui);
            Panel::right("what this makes")
                .frame(Frame::new().fill(p.surface.canvas).inner_margin(Margin::same(24)))
                .exact_size(beside)
                .show_separator_line(false)
                .resizable(false)
                .show(ui, |ui| self.preview(ui, around, &checked));
        }
        self.footer(ui, view, cluster, &checked);
        ScrollArea::vertical().id_salt("create").auto_shrink(false).show(ui, |ui| {
            Frame::new().inner_margin(Margin { left: 32, right: 32, top: 10, bottom: 24 }).show(ui, |ui| {
                ui.set_max_width(size::FORM_COLUMN.min(ui.available_width()));
                ui.spacing_mut().item_spacing.y = 20.0;
                self.form(ui, view, cluster, around, &errors);
                if !wide {
                    notice::hairline(ui);
                    self.preview(ui, around, &checked);
                }
            });
        });
    }

    fn form(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        cluster: &Cluster,
        around: Surroundings<'_>,
        errors: &[FormError<NewKeyField>],
    ) {
        let p = theme::colors(ui);
        let row = vec2(ui.available_width(), 36.0);
        ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Title, p.text.primary, "Create key");
        });
        banners::ui(ui, view, cluster, around.by_api_key, self.draft.kind);
        self.kind(ui, view, cluster);
        self.owner(ui, errors);
        self.names(ui, cluster, around, errors);
        // Of a sign-in by key, only one's own key is kept from rights.
        let is_kept_from_rights = around.by_api_key && self.draft.kind == KeyFor::Me;
        match self.draft.kind {
            KeyFor::RemoteCluster => self.access(ui, view, cluster, errors),
            KeyFor::Me | KeyFor::Another => {
                let around = Surroundings { by_api_key: is_kept_from_rights, ..around };
                self.rights(ui, view, cluster, around, errors);
            }
        }
        self.expires(ui, view, around, errors);
        self.reason(ui, around, errors);
        self.metadata(ui, errors);
    }

    /// Clears the form after a key was created, and the credential if another cluster is shown, so that its user is not
    /// carried over.
    fn begin_anew(&mut self, ui: &Ui, view: &View<'_>, cluster: &Cluster) {
        if view.state.creation.done != self.done {
            *self = Self { done: view.state.creation.done, ..Self::default() };
            descriptor_editor::forget(ui.ctx());
        }
        if self.of.as_ref() != Some(&cluster.profile.id) {
            self.leave(ui);
            self.of = Some(cluster.profile.id.clone());
        }
    }

    /// Wipes what must not stay once the screen is left.
    pub(super) fn leave(&mut self, ui: &Ui) {
        if !self.credential.is_empty() {
            self.credential = Zeroizing::default();
            recipients::forget(ui.ctx());
        }
    }

    /// Checks the draft for a preview, with an empty secret in place of the one that was typed.
    fn check(&self, around: Surroundings<'_>) -> Result<NewKey, Vec<FormError<NewKeyField>>> {
        let credential = (!self.credential.is_empty()).then(Secret::default);
        self.draft.check(around, &self.request_id, credential)
    }

    fn preview(&self, ui: &mut Ui, around: Surroundings<'_>, checked: &Result<NewKey, Vec<FormError<NewKeyField>>>) {
        let sentence = self.draft.sentence(around);
        preview::ui(ui, &sentence, checked.as_ref().ok(), around.now);
    }

    /// Returns the error of a field once it should be shown: after an attempt, or when something was typed.
    pub(super) fn error<'a>(&self, errors: &'a [FormError<NewKeyField>], field: NewKeyField) -> Option<&'a str> {
        let key = &self.draft.key;
        let typed = match field {
            NewKeyField::Key(FormField::Name) => !key.name.is_empty(),
            NewKeyField::Key(FormField::Rights) => matches!(key.rights, RightsChoice::Preset(_) | RightsChoice::Own),
            NewKeyField::Access => !self.draft.access.trim().is_empty(),
            NewKeyField::Key(FormField::Reason) | NewKeyField::Owner | NewKeyField::Credential => false,
            NewKeyField::Key(_) => true,
        };
        FormError::of(errors, &field).filter(|_| self.attempted || typed)
    }

    fn footer(
        &mut self,
        ui: &mut Ui,
        view: &mut View<'_>,
        cluster: &Cluster,
        checked: &Result<NewKey, Vec<FormError<NewKeyField>>>,
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
                    let read_only = view.state.read_only_on(&cluster.profile.id);
                    let hindrance = recipients::hindrance(cluster, self.draft.kind);
                    let off = match session {
                        _ if running => Some("A key is being created"),
                        _ if read_only.is_some() => read_only,
                        _ if hindrance.is_some() => hindrance.as_deref(),
                        Some(session) if self.draft.kind == KeyFor::Me && !session.privileges.creates_keys() => {
                            Some("Requires manage_own_api_key")
                        }
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
                            let secret = Some(Secret::new(self.credential.as_str()));
                            let credential = secret.filter(|_| self.draft.kind == KeyFor::Another);
                            let draft = Box::new(self.draft.clone());
                            view.send(Command::Create(draft, credential, self.request_id.clone()));
                            self.request_id = new_profile_id().0;
                        }
                    }
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let count = checked.as_ref().err().map_or(0, Vec::len);
                        if running {
                            if Button::link("Stop waiting").show(ui).clicked() {
                                view.send(Command::StopCreating);
                            }
                            let limit = cluster.profile.endpoint.timeout.as_secs();
                            let words = format!("Creating… waiting up to {limit} s");
                            text::line(ui, Type::Small, p.text.secondary, words);
                        } else if self.attempted && count > 0 {
                            let words = format!("{} to correct", plural(count as u64, "field"));
                            text::line(ui, Type::Small, p.danger.text, words);
                        }
                    });
                });
            });
    }
}
