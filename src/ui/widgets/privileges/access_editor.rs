//! Editor for the access of a cross-cluster key without JSON: the form and the JSON are two views of one text, and JSON
//! that the form does not know stays in the text.

use eframe::egui::{Align, Layout, Ui, vec2};

use crate::{
    model::create::access_editor::{AccessForm, AccessKind},
    ops::{Problem, create::completions::Completions},
    ui::{
        theme::{self, Type, icons, size, space},
        widgets::{
            button::Button,
            chip,
            field::{self, Field},
            notice::{self, Tone},
            privileges::match_count::matched,
            text,
            token_field::{self, Choice},
        },
    },
};

/// The shown view, and the form as it was last parsed, with its text.
#[derive(Default)]
pub struct AccessEditor {
    as_json: bool,
    read: Option<(String, Result<AccessForm, String>)>,
}

impl AccessEditor {
    /// Draws the editor over the JSON of the access; `error` is its validation error.
    pub fn ui(&mut self, ui: &mut Ui, json: &mut String, names: Option<&Completions>, error: Option<&str>) {
        if self.read.as_ref().is_none_or(|(text, _)| text != json) {
            self.read = Some((json.clone(), AccessForm::read(json)));
        }
        ui.spacing_mut().item_spacing.y = space::M;
        let p = theme::colors(ui);
        let row = vec2(ui.available_width(), size::CONTROL);
        ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Strong, p.text.primary, "Access");
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(as_json) = chip::segmented(ui, self.as_json, &[(false, "Form"), (true, "JSON")], None) {
                    self.as_json = as_json;
                }
            });
        });
        if self.as_json {
            let help = "search and replication, each a list of entries with names and, optionally, query, \
                        field_security and allow_restricted_indices";
            let hint = "{\"search\": [{\"names\": [\"logs-*\"]}]}";
            let field = Field::new("Access as JSON").without_label().mono().lines(10).hint(hint).help(help);
            field.error(error).show(ui, json);
            return;
        }
        match &mut self.read {
            Some((_, Ok(form))) => {
                let before = form.clone();
                form_ui(ui, form, names.map(|names| &names.indices));
                if *form != before {
                    *json = form.json();
                    self.read = Some((json.clone(), AccessForm::read(json)));
                }
                if let Some(error) = error {
                    field::error_line(ui, error);
                }
            }
            Some((_, Err(problem))) => {
                let detail = problem.clone();
                notice::banner(ui, Tone::Warning, "This can’t be shown as a form", &detail, |ui| {
                    if Button::secondary("Edit as JSON").small().show(ui).clicked() {
                        self.as_json = true;
                    }
                });
            }
            None => {}
        }
    }
}

fn form_ui(ui: &mut Ui, form: &mut AccessForm, names: Option<&Result<Vec<String>, Problem>>) {
    for part in AccessKind::ALL {
        // Where nothing is said yet, there is a field to say it in.
        for entry in 0..form.entries(part).max(1) {
            entry_ui(ui, form, part, entry, names);
        }
    }
    let beyond = form.beyond();
    if !beyond.is_empty() {
        let words = format!("Kept as JSON: {}", beyond.join(", "));
        text::paragraph(ui, Type::Small, theme::colors(ui).text.tertiary, words);
    }
}

fn entry_ui(
    ui: &mut Ui,
    form: &mut AccessForm,
    part: AccessKind,
    entry: usize,
    names: Option<&Result<Vec<String>, Problem>>,
) {
    let title = match part {
        AccessKind::Search => "Indices to search",
        AccessKind::Replication => "Indices to replicate",
    };
    let is_one_of_many = form.entries(part) > 1;
    let label = if is_one_of_many { format!("{title} · entry {}", entry + 1) } else { title.to_owned() };
    let shown = form.names(part, entry).filter(|list| list.iter().all(|word| !word.contains(',')));
    let Some(mut words) = shown else {
        let p = theme::colors(ui);
        text::line(ui, Type::Label, p.text.primary, &label);
        text::paragraph(ui, Type::Small, p.text.tertiary, "Can be shown only as JSON");
        return;
    };
    let known: Vec<Choice<'_>> = match names {
        Some(Ok(names)) => names.iter().map(|word| Choice { text: word, meaning: "" }).collect(),
        _ => Vec::new(),
    };
    let help = match (words.is_empty(), part) {
        (true, AccessKind::Search) => "Names or patterns such as logs-*; blank for none".to_owned(),
        (true, AccessKind::Replication) => "As whole indices, by cross-cluster replication; blank for none".to_owned(),
        (false, _) => matched(ui, names, &words),
    };
    let field = Field::new(&label).help(&help);
    if token_field::show(ui, field, &label, &mut words, &known) {
        form.set_names(part, entry, words);
    }
    let remove = format!("Remove {}", label.to_lowercase());
    let button = Button::ghost("Remove this entry").named(&remove).small().icon(icons::CLOSE);
    if is_one_of_many && button.show(ui).clicked() {
        form.remove(part, entry);
    }
}
