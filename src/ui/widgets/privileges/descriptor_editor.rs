//! Editor for role descriptors without JSON: the form and the JSON are two views of one text, and JSON that the form
//! does not know stays in the text.

use eframe::egui::{self, Align, CornerRadius, Frame, Layout, Margin, Stroke, Ui, vec2};

use crate::{
    model::{
        create::descriptor_editor::{At, DescriptorForm, Section},
        privileges,
        privileges::descriptions,
        version::{Edition, Feature},
    },
    ops::{Problem, create::completions::Completions},
    ui::{
        theme::{self, Type, icons, radius, size, space},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            notice::{self, Tone},
            privileges::match_count::{self, matched},
            text,
            token_field::{self, Choice},
        },
    },
};

/// The shown view, and the form as it was last parsed, with its text.
#[derive(Default)]
pub struct DescriptorEditor {
    as_json: bool,
    read: Option<(String, Result<DescriptorForm, String>)>,
}

/// Completions for the fields of the editor.
struct EditorChoices<'a> {
    cluster: Vec<Choice<'a>>,
    index: Vec<Choice<'a>>,
    /// `true` if the privileges come from the cluster itself; otherwise they are a built-in list.
    is_told: bool,
    names: Option<&'a Result<Vec<String>, Problem>>,
    workflows: bool,
}

impl<'a> EditorChoices<'a> {
    fn new(names: Option<&'a Completions>, edition: Edition) -> Self {
        let listed = names.and_then(|names| names.privileges.as_ref().ok());
        let cluster: Vec<&str> = match listed {
            Some(listed) => listed.cluster.iter().map(String::as_str).collect(),
            None => privileges::CLUSTER.to_vec(),
        };
        let index: Vec<&str> = match listed {
            Some(listed) => listed.index.iter().map(String::as_str).collect(),
            None => privileges::INDICES.to_vec(),
        };
        let with = |words: Vec<&'a str>, meaning: fn(&str) -> &'static str| {
            words.into_iter().map(|word| Choice { text: word, meaning: meaning(word) }).collect()
        };
        Self {
            cluster: with(cluster, descriptions::cluster),
            index: with(index, descriptions::index),
            is_told: listed.is_some(),
            names: names.map(|names| &names.indices),
            workflows: edition.has(Feature::Restriction),
        }
    }
}

/// Memory of the toolkit between frames: a section that was opened, and a name that was refused because another role
/// has it.
#[derive(Clone)]
struct Shown;
#[derive(Clone, Default)]
struct Refused(String, String);

/// Forgets what was opened and refused in another form than the one that opens.
pub fn forget(ctx: &egui::Context) {
    ctx.data_mut(|data| {
        data.remove_by_type::<Shown>();
        data.remove_by_type::<Refused>();
    });
    match_count::forget(ctx);
}

impl DescriptorEditor {
    /// Draws the editor over the JSON of descriptors.
    pub fn ui(&mut self, ui: &mut Ui, json: &mut String, names: Option<&Completions>, edition: Edition) {
        if self.read.as_ref().is_none_or(|(text, _)| text != json) {
            self.read = Some((json.clone(), DescriptorForm::read(json)));
        }
        let problem = self.read.as_ref().and_then(|(_, read)| read.as_ref().err()).cloned();
        ui.spacing_mut().item_spacing.y = space::M;
        if let Some(as_json) = chip::segmented(ui, self.as_json, &[(false, "Form"), (true, "JSON")], None) {
            self.as_json = as_json;
        }
        if self.as_json {
            let help = "Role descriptors by name, in the format Elasticsearch accepts";
            let field = Field::new("Role descriptors").without_label().mono().lines(14).help(help);
            field.show(ui, json);
            return;
        }
        match &mut self.read {
            Some((_, Ok(form))) => {
                let before = form.clone();
                form_ui(ui, form, &EditorChoices::new(names, edition));
                if *form != before {
                    *json = form.json();
                    self.read = Some((json.clone(), DescriptorForm::read(json)));
                }
            }
            _ => {
                let detail = problem.unwrap_or_default();
                notice::banner(ui, Tone::Warning, "This can’t be shown as a form", &detail, |ui| {
                    if Button::secondary("Edit as JSON").small().show(ui).clicked() {
                        self.as_json = true;
                    }
                });
            }
        }
    }
}

fn form_ui(ui: &mut Ui, form: &mut DescriptorForm, offer: &EditorChoices<'_>) {
    let p = theme::colors(ui);
    let several = form.len() > 1;
    for descriptor in 0..form.len() {
        if descriptor >= form.len() {
            break;
        }
        Frame::new()
            .stroke(Stroke::new(p.hair, p.stroke.card))
            .corner_radius(CornerRadius::same(radius::L))
            .inner_margin(Margin::same(14))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = space::M;
                descriptor_ui(ui, form, descriptor, several, offer);
            });
    }
    if Button::ghost("Add descriptor").small().icon(icons::ADD).show(ui).clicked() {
        form.add();
    }
}

fn descriptor_ui(ui: &mut Ui, form: &mut DescriptorForm, descriptor: usize, several: bool, offer: &EditorChoices<'_>) {
    let p = theme::colors(ui);
    // Two fields of one name would be one field.
    let of = if several { format!(" of descriptor {}", descriptor + 1) } else { String::new() };
    name_ui(ui, form, descriptor, &of);
    let label = format!("Cluster privileges{of}");
    privileges_ui(
        ui,
        form,
        descriptor,
        At::Own("cluster"),
        "Cluster privileges",
        &label,
        Listed { privileges: &offer.cluster, is_told: offer.is_told },
    );
    for section in Section::ALL {
        for entry in 0..form.entries(descriptor, section) {
            if entry < form.entries(descriptor, section) {
                entry_ui(ui, form, descriptor, section, entry, &of, offer);
            }
        }
    }
    more_ui(ui, form, descriptor, &of, offer);
    let beyond = form.beyond(descriptor);
    if !beyond.is_empty() {
        let words = format!("Kept as JSON: {}", beyond.join(", "));
        text::paragraph(ui, Type::Small, p.text.tertiary, words);
    }
    for missing in form.missing(descriptor) {
        field::error_line(ui, &missing);
    }
    if beyond.is_empty()
        && form.list(descriptor, At::Own("cluster")).is_some_and(|list| list.is_empty())
        && Section::ALL.iter().all(|section| form.entries(descriptor, *section) == 0)
        && form.list(descriptor, At::Own("run_as")).is_some_and(|list| list.is_empty())
    {
        text::paragraph(ui, Type::Small, p.text.tertiary, "Currently grants nothing");
    }
}

fn name_ui(ui: &mut Ui, form: &mut DescriptorForm, descriptor: usize, of: &str) {
    let label = format!("Descriptor{of}");
    let remove = format!("Remove descriptor {}", form.name(descriptor));
    let removed = heading(ui, "Descriptor", icons::DELETE, &remove);
    // A name that another has stays in the field with its error, and the descriptor keeps its own.
    let refused = egui_id(&label);
    let kept: Option<Refused> = ui.data(|data| data.get_temp(refused));
    let (mut name, error) = match kept {
        Some(Refused(name, error)) => (name, Some(error)),
        None => (form.name(descriptor).to_owned(), None),
    };
    let field = Field::new(&label).without_label().mono().error(error.as_deref());
    if field.show(ui, &mut name).changed() {
        ui.data_mut(|data| match form.rename(descriptor, &name) {
            Ok(()) => drop(data.remove_temp::<Refused>(refused)),
            Err(error) => drop(data.insert_temp(refused, Refused(name, error))),
        });
    }
    if removed {
        form.remove(descriptor);
        ui.data_mut(|data| drop(data.remove_temp::<Refused>(refused)));
    }
}

/// Draws the heading of a section with its remove button. Returns `true` if that was pressed.
fn heading(ui: &mut Ui, words: &str, icon: &str, remove: &str) -> bool {
    let p = theme::colors(ui);
    let row = vec2(ui.available_width(), size::CONTROL);
    ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
        text::line(ui, Type::Strong, p.text.primary, words);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| Button::icon_only(icon, remove).show(ui).clicked())
            .inner
    })
    .inner
}

fn entry_ui(
    ui: &mut Ui,
    form: &mut DescriptorForm,
    descriptor: usize,
    section: Section,
    entry: usize,
    of: &str,
    offer: &EditorChoices<'_>,
) {
    notice::hairline(ui);
    let number = format!("{} {}", section_label(section), entry + 1);
    let removed = heading(ui, &number, icons::CLOSE, &format!("Remove {number}{of}"));
    let at = |member| At::Entry(section, entry, member);
    let label = |what: &str| format!("{what} · {number}{of}");
    if matches!(section, Section::RemoteIndices | Section::RemoteCluster) {
        tokens(ui, form, descriptor, at("clusters"), &label("Cluster aliases"), "Aliases or patterns", &[]);
    }
    match section {
        Section::Indices | Section::RemoteIndices => {
            let known: Vec<Choice<'_>> = match offer.names {
                Some(Ok(names)) if section == Section::Indices => {
                    names.iter().map(|word| Choice { text: word, meaning: "" }).collect()
                }
                _ => Vec::new(),
            };
            let patterns = form.list(descriptor, at("names")).unwrap_or_default();
            let help = if section == Section::Indices {
                matched(ui, offer.names, &patterns)
            } else {
                "On those clusters".into()
            };
            tokens(ui, form, descriptor, at("names"), &label("Index patterns"), &help, &known);
            let listed = Listed { privileges: &offer.index, is_told: offer.is_told };
            let title = "Index privileges";
            privileges_ui(ui, form, descriptor, at("privileges"), title, &label(title), listed);
            limits_ui(ui, form, descriptor, section, entry, &label);
        }
        Section::Applications => {
            plain(ui, form, descriptor, at("application"), &label("Application"), "kibana-.kibana");
            tokens(ui, form, descriptor, at("privileges"), &label("Application privileges"), "", &[]);
            tokens(ui, form, descriptor, at("resources"), &label("Resources"), "* for all", &[]);
        }
        Section::RemoteCluster => {
            let known = ["monitor_enrich", "monitor_stats"].map(|word| Choice { text: word, meaning: "" });
            tokens(ui, form, descriptor, at("privileges"), &label("Remote privileges"), "", &known);
        }
    }
    if removed {
        form.remove_entry(descriptor, section, entry);
    }
}

/// Draws the fields and documents that are left out.
fn limits_ui(
    ui: &mut Ui,
    form: &mut DescriptorForm,
    descriptor: usize,
    section: Section,
    entry: usize,
    label: &dyn Fn(&str) -> String,
) {
    let inner = |member| At::EntryInner(section, entry, "field_security", member);
    let shown = egui_id(&label("limits"));
    let at = |member| At::Entry(section, entry, member);
    let hides_all = form.grants_no_field(descriptor, inner("grant"));
    let used = hides_all
        || [inner("grant"), inner("except")]
            .iter()
            .any(|at| form.list(descriptor, *at).is_none_or(|list| !list.is_empty()))
        || form.text(descriptor, at("query")).is_none_or(|query| !query.is_empty());
    let open = used || is_shown(ui, shown);
    if open {
        tokens(ui, form, descriptor, inner("grant"), &label("Only these fields"), "All fields, if blank", &[]);
        if hides_all {
            let p = theme::colors(ui);
            let words = "The field list is empty, so no field is visible. Add fields, or * for all";
            text::paragraph(ui, Type::Small, p.warning.text, words);
        }
        tokens(ui, form, descriptor, inner("except"), &label("But not these fields"), "", &[]);
        plain(
            ui,
            form,
            descriptor,
            at("query"),
            &label("Only these documents"),
            "{\"term\": {\"team\": \"payments\"}}",
        );
    }
    ui.horizontal(|ui| {
        let p = theme::colors(ui);
        if !open && Button::link("Limit fields or documents…").show(ui).clicked() {
            ui.data_mut(|data| data.insert_temp(shown, Shown));
        }
        if let Some(on) = form.flag(descriptor, at("allow_restricted_indices")) {
            if field::checkbox(ui, Some(on), &label("System indices too")).clicked() {
                form.set_flag(descriptor, at("allow_restricted_indices"), !on);
            }
            text::line(ui, Type::Body, p.text.secondary, "System indices too");
        }
    });
}

fn more_ui(ui: &mut Ui, form: &mut DescriptorForm, descriptor: usize, of: &str, offer: &EditorChoices<'_>) {
    let run_as = At::Own("run_as");
    let workflows = At::Inner("restriction", "workflows");
    for (at, label, help) in [
        (run_as, format!("Run as{of}"), "Users it can act for"),
        (workflows, format!("Only in workflows{of}"), "With a restriction, a key has exactly one descriptor"),
    ] {
        let shown = egui_id(&label);
        let filled = form.list(descriptor, at).is_none_or(|list| !list.is_empty());
        if filled || is_shown(ui, shown) {
            let known = [Choice { text: "search_application_query", meaning: "" }];
            let known = if at == workflows { &known[..] } else { &[] };
            tokens(ui, form, descriptor, at, &label, help, known);
        }
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        for section in Section::ALL {
            let label = format!("Add {}", section_label(section).to_lowercase());
            let name = format!("{label}{of}");
            if Button::secondary(&label).named(&name).small().icon(icons::ADD).show(ui).clicked() {
                form.add_entry(descriptor, section);
            }
        }
        for (label, at, offered) in [("Run as", run_as, true), ("Only in workflows", workflows, offer.workflows)] {
            let shown = form.list(descriptor, at).is_none_or(|list| !list.is_empty());
            let asked = is_shown(ui, egui_id(&format!("{label}{of}")));
            let offered = offered && !shown && !asked;
            let name = format!("Add {}{of}", label.to_lowercase());
            let button = Button::secondary(label).named(&name).small().icon(icons::ADD);
            if offered && button.show(ui).clicked() {
                ui.data_mut(|data| data.insert_temp(egui_id(&format!("{label}{of}")), Shown));
            }
        }
    });
}

fn section_label(section: Section) -> &'static str {
    match section {
        Section::Indices => "Indices",
        Section::Applications => "Application",
        Section::RemoteIndices => "Remote indices",
        Section::RemoteCluster => "Remote cluster",
    }
}

/// Returns a label without its position, which follows " · ".
fn title(label: &str) -> &str {
    label.split(" · ").next().unwrap_or(label)
}

fn egui_id(label: &str) -> egui::Id {
    egui::Id::unique(("shown in the form", label))
}

fn is_shown(ui: &Ui, id: egui::Id) -> bool {
    ui.data(|data| data.get_temp::<Shown>(id)).is_some()
}

/// Privileges that the cluster lists.
#[derive(Clone, Copy)]
struct Listed<'a> {
    privileges: &'a [Choice<'a>],
    /// `true` if the list is the cluster's own, and not that of another version.
    is_told: bool,
}

/// Draws privileges. Those that the cluster does not list are named once they are typed, because it would refuse them.
fn privileges_ui(
    ui: &mut Ui,
    form: &mut DescriptorForm,
    descriptor: usize,
    at: At<'_>,
    title: &str,
    label: &str,
    cluster: Listed<'_>,
) {
    let known = cluster.privileges;
    tokens(ui, form, descriptor, at, label, "", known);
    if !cluster.is_told {
        return; // what we know of another version says nothing about this cluster
    }
    let words = form.list(descriptor, at).unwrap_or_default();
    let listed = |word: &String| known.iter().any(|known| known.text.eq_ignore_ascii_case(word));
    let odd: Vec<&str> = words.iter().filter(|word| !word.contains(':') && !listed(word)).map(String::as_str).collect();
    if !odd.is_empty() && !token_field::is_used(ui, label) {
        let p = theme::colors(ui);
        let words = format!("{title} unknown to this cluster: {}", odd.join(", "));
        text::paragraph(ui, Type::Small, p.warning.text, words);
    }
}

/// Draws a list of tokens; if the JSON has no list there, it says so.
fn tokens(
    ui: &mut Ui,
    form: &mut DescriptorForm,
    descriptor: usize,
    at: At<'_>,
    label: &str,
    help: &str,
    known: &[Choice<'_>],
) {
    let list = form.list(descriptor, at).filter(|list| list.iter().all(|word| !word.contains(',')));
    let Some(mut words) = list else { return only_json(ui, label) };
    let field = Field::new(label).titled(title(label));
    let field = if help.is_empty() { field } else { field.help(help) };
    if token_field::show(ui, field, label, &mut words, known) {
        form.set_list(descriptor, at, words);
    }
}

fn plain(ui: &mut Ui, form: &mut DescriptorForm, descriptor: usize, at: At<'_>, label: &str, hint: &str) {
    let Some(mut value) = form.text(descriptor, at) else { return only_json(ui, label) };
    if Field::new(label).titled(title(label)).mono().hint(hint).show(ui, &mut value).changed() {
        form.set_text(descriptor, at, &value);
    }
}

fn only_json(ui: &mut Ui, label: &str) {
    let p = theme::colors(ui);
    text::line(ui, Type::Label, p.text.primary, label);
    text::paragraph(ui, Type::Small, p.text.tertiary, "Can be shown only as JSON");
}
