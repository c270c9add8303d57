//! A connection test, step by step, and the comparison of a certificate that this machine does not trust.

use eframe::egui::{
    self, Align, Color32, CornerRadius, Frame, Layout, Margin, Role, ScrollArea, Stroke, Ui, WidgetInfo,
    text::LayoutJob, vec2,
};

use crate::{
    app::{Command, ConnectionTest},
    client::SeenCertificate,
    model::{
        connections::{
            draft::{ProfileDraft, TrustChoice},
            endpoint::{Endpoint, Trust},
            fingerprint::Fingerprint,
        },
        text::sanitize,
        time::{calendar, expiry},
    },
    ops::{
        connections::connect::{ConnectionCheck, StepReport, StepResult},
        problem::ProblemKind,
    },
    ui::{
        View, theme,
        theme::{Type, icons, radius, space},
        widgets::{button::Button, field::Field, text},
    },
};

/// The panel, with the fingerprint that is being typed.
#[derive(Default)]
pub struct TestPanel {
    printed: String,
}

/// A request from the panel.
pub enum CheckRequest {
    /// Test the endpoint in the form again.
    TestAgain,
    /// Pin the fingerprint that was compared.
    Pin(Fingerprint),
}

impl TestPanel {
    /// Creates the panel for a form, with the fingerprint in the form as the one to compare.
    pub fn beginning_with(draft: &ProfileDraft) -> Self {
        let is_pinned = draft.trust == TrustChoice::Fingerprint;
        Self { printed: if is_pinned { draft.fingerprint.clone() } else { String::new() } }
    }

    /// Draws the panel for the endpoint that the form describes; `None` if the form is incomplete.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>, endpoint: Option<&Endpoint>) -> Option<CheckRequest> {
        let p = theme::colors(ui);
        let mut request = None;
        ScrollArea::vertical().id_salt("test").auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width() - space::M);
            ui.spacing_mut().item_spacing.y = space::M;
            ui.horizontal(|ui| {
                text::line(ui, Type::Heading, p.text.primary, "Test");
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if view.state.test.as_ref().is_some_and(ConnectionTest::is_running)
                        && Button::ghost("Stop").icon(icons::STOP_CIRCLE).show(ui).clicked()
                    {
                        view.send(Command::StopTest);
                    }
                });
            });
            let test = view.state.test.as_ref();
            let Some(test) = test.filter(|test| test.is_of(endpoint)) else {
                for step in ConnectionCheck::expected(endpoint, view.state.policy()) {
                    waiting(ui, step);
                }
                ui.add_space(space::S);
                if test.is_some() {
                    // A result belongs to what was tested, and to nothing else.
                    text::paragraph(ui, Type::Body, p.text.tertiary, "Tested with other settings");
                    if Button::secondary("Test again").icon(icons::TASK_ALT).show(ui).clicked() {
                        request = Some(CheckRequest::TestAgain);
                    }
                }
                text::paragraph(ui, Type::Small, p.text.tertiary, "“Test” changes nothing on the cluster");
                return;
            };
            let pinned = match &test.endpoint.trust {
                Trust::Fingerprint(print) => Some(*print),
                _ => None,
            };
            for report in &test.steps {
                taken(ui, report);
                let refused =
                    matches!(&report.result, StepResult::Failed(problem) if problem.kind == ProblemKind::Certificate);
                if let (true, Some(seen)) = (refused, &report.certificate) {
                    request = self.compare(ui, view, seen).map(CheckRequest::Pin).or(request.take());
                } else if let Some(seen) =
                    report.certificate.as_ref().filter(|_| report.step == ConnectionCheck::Certificate)
                {
                    facts(ui, view, seen, pinned);
                }
            }
            let failed = test.steps.iter().any(|report| matches!(report.result, StepResult::Failed(_)));
            let missing = ConnectionCheck::expected(endpoint, view.state.policy())
                .filter(|step| !test.steps.iter().any(|report| report.step == *step));
            let missing: Vec<ConnectionCheck> = missing.collect();
            missing.iter().for_each(|step| waiting(ui, *step));
            // A test that was stopped has proved nothing.
            if !failed && missing.is_empty() {
                text::line(ui, Type::Strong, p.success.text, "The connection works");
            }
        });
        request
    }

    fn compare(&mut self, ui: &mut Ui, view: &View<'_>, seen: &SeenCertificate) -> Option<Fingerprint> {
        let p = theme::colors(ui);
        // The CA is what Elasticsearch prints at its first start, and what survives a renewal.
        let (target, what) = match &seen.ca {
            Some(ca) => (ca.fingerprint, "Certificate authority presented by the server"),
            None => (seen.fingerprint, "Presented by the server"),
        };
        let mut pinned = None;
        Frame::new()
            .fill(p.surface.raised)
            .stroke(Stroke::new(p.hair, p.warning.edge))
            .corner_radius(CornerRadius::same(radius::L))
            .inner_margin(Margin::same(16))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = space::S;
                certificate_facts(ui, view, seen);
                ui.add_space(space::XS);
                text::line(ui, Type::Label, p.text.secondary, what);
                let pairs = typed_pairs(&self.printed);
                let target_pairs = target.pairs();
                let leaf_pairs = seen.fingerprint.pairs();
                // What was printed may be the server's own certificate instead.
                let (target, target_pairs) =
                    if pairs.len() >= 2 && pairs[..2] != target_pairs[..2] && pairs[..2] == leaf_pairs[..2] {
                        (seen.fingerprint, leaf_pairs)
                    } else {
                        (target, target_pairs)
                    };
                let differs = pairs.iter().zip(&target_pairs).position(|(typed, seen)| typed != seen);
                fingerprint_block(ui, &target_pairs, differs);
                let field = Field::new("Printed by Elasticsearch").mono().hint("Paste the 64 digits here");
                field.show(ui, &mut self.printed);
                let words = comparison_text(pairs.len(), differs);
                let color = if differs.is_some() { p.danger.text } else { p.text.secondary };
                text::line(ui, Type::Small, color, words);
                let same = differs.is_none() && pairs.len() == 32 && Fingerprint::parse(&self.printed) == Ok(target);
                let off = (!same).then_some("All 32 pairs must match first");
                let button = Button::secondary("Pin this certificate").icon(icons::PUSH_PIN).off_because(off);
                if button.show(ui).clicked() {
                    pinned = Some(target);
                }
            });
        pinned
    }
}

fn typed_pairs(text: &str) -> Vec<String> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_uppercase()).collect();
    digits.chunks(2).filter(|pair| pair.len() == 2).take(32).map(|pair| pair.iter().collect()).collect()
}

fn comparison_text(count: usize, differs: Option<usize>) -> String {
    match differs {
        Some(at) => format!("differs at pair {}", at + 1),
        None if count == 32 => "32 of 32 pairs compared, all match".into(),
        None => format!("{count} of 32 pairs compared{}", if count > 0 { ", all match" } else { "" }),
    }
}

/// Draws a fingerprint as four rows of eight pairs; the first pair that differs is marked and underlined.
fn fingerprint_block(ui: &mut Ui, pairs: &[String; 32], differs: Option<usize>) {
    let p = theme::colors(ui);
    let font = egui::FontId::new(13.0, Type::Secret.font().family);
    let mut job = LayoutJob::default();
    for (place, pair) in pairs.iter().enumerate() {
        let mut format = Type::Mono.format(p.text.primary);
        format.font_id = font.clone();
        if differs == Some(place) {
            format.color = p.danger.text;
            format.underline = Stroke::new(2.0, p.danger.text);
        }
        job.append(pair, if place % 8 == 0 { 0.0 } else { 8.0 }, format.clone());
        if place % 8 == 7 && place < 31 {
            format.underline = Stroke::NONE;
            job.append("\n", 0.0, format);
        }
    }
    let name = format!("Fingerprint {}", pairs.join(" "));
    crate::ui::widgets::code::ground(ui).show(ui, |ui| {
        let response = ui.add(egui::Label::new(job).selectable(true));
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &name));
    });
}

fn facts(ui: &mut Ui, view: &View<'_>, seen: &SeenCertificate, pinned: Option<Fingerprint>) {
    let p = theme::colors(ui);
    Frame::new()
        .fill(p.surface.raised)
        .stroke(Stroke::new(p.hair, p.stroke.card))
        .corner_radius(CornerRadius::same(radius::L))
        .inner_margin(Margin::same(14))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 4.0;
            certificate_facts(ui, view, seen);
            // What was pinned is shown as what it is: with a pinned authority the server's own digits are others.
            match seen.ca.as_ref().filter(|ca| Some(ca.fingerprint) == pinned) {
                Some(ca) => fingerprint(ui, "SHA-256 of its certificate authority, pinned", ca.fingerprint),
                None if pinned == Some(seen.fingerprint) => fingerprint(ui, "SHA-256, pinned", seen.fingerprint),
                None => fingerprint(ui, "SHA-256", seen.fingerprint),
            }
        });
}

/// Draws a fingerprint with its label, to compare and copy.
fn fingerprint(ui: &mut Ui, label: &str, print: Fingerprint) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        text::line(ui, Type::Small, p.text.tertiary, label);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if Button::icon_only(icons::CONTENT_COPY, "Copy the fingerprint").show(ui).clicked() {
                ui.ctx().copy_text(print.to_string());
            }
        });
    });
    fingerprint_block(ui, &print.pairs(), None);
}

fn certificate_facts(ui: &mut Ui, view: &View<'_>, seen: &SeenCertificate) {
    let p = theme::colors(ui);
    let mut row = |label: &str, value: String| {
        ui.horizontal_top(|ui| {
            ui.allocate_ui_with_layout(vec2(84.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(84.0);
                text::line(ui, Type::Small, p.text.tertiary, label);
            });
            text::paragraph(ui, Type::Body, p.text.primary, value);
        });
    };
    row("Subject", sanitize::shortened(&seen.subject, 200));
    row("Issuer", sanitize::shortened(&seen.issuer, 200));
    let until = calendar::local(seen.not_after, &view.state.zone);
    let left = expiry::remaining(Some(seen.not_after), view.state.now);
    row("Valid until", format!("{until} ({left})"));
}

fn step_line(ui: &mut Ui, color: Color32, icon: &str, title: &str, detail: &str, took: Option<u64>) {
    let p = theme::colors(ui);
    ui.horizontal_top(|ui| {
        text::icon(ui, Type::Icon, color, icon);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            ui.horizontal(|ui| {
                text::line(ui, Type::Strong, p.text.primary, title);
                if let Some(took) = took {
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        text::line(ui, Type::Small, p.text.tertiary, format!("{took} ms"));
                    });
                }
            });
            if !detail.is_empty() {
                text::paragraph(ui, Type::Small, p.text.secondary, detail);
            }
        });
    });
}

fn taken(ui: &mut Ui, report: &StepReport) {
    let p = theme::colors(ui);
    match &report.result {
        StepResult::Good(title, detail) => {
            step_line(ui, p.success.text, icons::CHECK_CIRCLE, title, &sanitize::shown(detail), report.took);
        }
        StepResult::Mind(title, detail) => {
            step_line(ui, p.warning.text, icons::WARNING, title, &sanitize::shown(detail), report.took);
        }
        StepResult::Failed(problem) => {
            let detail = [problem.detail.as_str(), problem.hint.as_str()].join("\n");
            step_line(ui, p.danger.text, icons::ERROR, &problem.title, detail.trim(), report.took);
        }
    }
}

fn waiting(ui: &mut Ui, step: ConnectionCheck) {
    let p = theme::colors(ui);
    ui.horizontal(|ui| {
        text::icon(ui, Type::Icon, p.text.tertiary, icons::RADIO_BUTTON_UNCHECKED);
        text::line(ui, Type::Body, p.text.secondary, step.question());
    });
}
