//! Content shown instead of the keys if there are none: no cluster, no sign-in, or nothing read.

use eframe::egui::{self, Frame, Margin, Rect, Ui, vec2};

use crate::{
    app::{Cluster, Command, Screen},
    ops::problem::ProblemKind,
    ui::{
        View, problem_buttons, theme,
        theme::{icons, size, space},
        widgets::{
            button::Button,
            notice::{self, Tone},
        },
    },
};

/// Draws the page for no open cluster.
pub(crate) fn no_cluster(ui: &mut Ui, view: &mut View<'_>) {
    notice::page_title(ui, view.state.screen.word());
    if view.state.sandbox().is_loading() {
        return notice::empty(ui, icons::SCIENCE, "Starting the sandbox", "A practice cluster in memory", |_| ());
    }
    if let Some(problem) = view.state.sandbox().problem() {
        return notice::empty(ui, icons::ERROR, &problem.title, &problem.detail, |_| ());
    }
    let line = "Choose a connection, or add one";
    notice::empty(ui, icons::LAN, "No cluster is open", line, |ui| {
        if Button::primary("Open connections").show(ui).clicked() {
            view.send(Command::Show(Screen::Connections));
        }
    });
}

pub(crate) fn not_signed_in(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    notice::page_title(ui, view.state.screen.word());
    match cluster.session.problem() {
        Some(problem) => problem_page(ui, view, problem),
        None => {
            let line = format!("{} at {}", cluster.profile.name, cluster.profile.endpoint.url.host());
            notice::empty(ui, icons::LAN, "Signing in…", &line, |ui| {
                if Button::ghost("Cancel").show(ui).clicked() {
                    view.send(Command::Disconnect(cluster.profile.id.clone()));
                }
            });
        }
    }
}

pub(crate) fn nothing_read(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    match cluster.keys.problem() {
        Some(problem) => problem_page(ui, view, problem),
        None if cluster.keys.is_loading() => skeleton(ui),
        None => notice::empty(ui, icons::KEY, "Nothing was read", "Reading was stopped before the first page", |ui| {
            if Button::primary("Read the keys").show(ui).clicked() {
                view.send(Command::Refresh);
            }
        }),
    }
}

pub(crate) fn no_keys(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let own = cluster.session.value().is_some_and(|session| session.sees_own_only());
    let (heading, line) = if own {
        ("You have no keys yet", "Other people’s keys need read_security or manage_api_key")
    } else {
        ("No keys yet", "Create one with few privileges and a short lifetime")
    };
    notice::empty(ui, icons::KEY, heading, line, |ui| {
        if Button::primary("Create the first key").icon(icons::ADD).show(ui).clicked() {
            view.send(Command::Show(Screen::Create));
        }
    });
}

/// Draws a problem instead of the content; forbidden and disabled have icons of their own.
pub(crate) fn problem_page(ui: &mut Ui, view: &mut View<'_>, problem: &crate::ops::Problem) {
    let icon = match problem.kind {
        ProblemKind::Forbidden => icons::SHIELD,
        ProblemKind::ApiKeysDisabled => icons::KEY_OFF,
        ProblemKind::SecurityOff => icons::GPP_MAYBE,
        ProblemKind::Certificate | ProblemKind::Failed | ProblemKind::NotKnown | ProblemKind::Partly => {
            Frame::new().inner_margin(Margin::same(24)).show(ui, |ui| {
                ui.set_max_width(size::FORM_COLUMN);
                let detail = if problem.hint.is_empty() {
                    problem.detail.clone()
                } else {
                    format!("{}\n{}", problem.detail, problem.hint)
                };
                notice::banner(ui, Tone::Danger, &problem.title, &detail, |_| ());
                ui.add_space(space::M);
                ui.horizontal(|ui| problem_buttons(ui, view, problem));
            });
            return;
        }
    };
    let line = if problem.hint.is_empty() { &problem.detail } else { &problem.hint };
    notice::empty(ui, icon, &problem.title, line, |ui| problem_buttons(ui, view, problem));
}

/// Draws static placeholders for rows that are still loading.
pub(crate) fn skeleton(ui: &mut Ui) {
    let p = theme::colors(ui);
    let width = ui.available_width();
    for row in 0..12 {
        let (rect, _) = ui.allocate_exact_size(vec2(width, size::ROW), egui::Sense::hover());
        let bar = |left: f32, length: f32| {
            let at = egui::pos2(rect.left() + left, rect.center().y - 5.0);
            ui.painter().rect_filled(Rect::from_min_size(at, vec2(length, 10.0)), 3.0, p.surface.pressed);
        };
        bar(70.0, 120.0 + (row * 37 % 90) as f32);
        bar(width * 0.5, 70.0);
        bar(width - 200.0, 56.0);
        bar(width - 130.0, 80.0);
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, egui::Stroke::new(1.0, p.stroke.divider));
    }
}
