//! Content shown instead of what a cluster would have: no cluster, no sign-in, or still loading.

use eframe::egui::{self, Rect, Ui, vec2};

use crate::{
    app::{Cluster, Command, Screen},
    ui::{
        View,
        components::problem::problem_page,
        theme::{self, icons, size},
        widgets::{button::Button, notice},
    },
};

/// Draws the page for no open cluster.
pub fn no_cluster(ui: &mut Ui, view: &mut View<'_>) {
    notice::page_title(ui, view.state.screen.label());
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

/// Draws the page for a cluster without a session: the sign-in under way, or why it failed.
pub fn not_signed_in(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    notice::page_title(ui, view.state.screen.label());
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

/// Draws static placeholders for rows that are still loading.
pub fn skeleton(ui: &mut Ui) {
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
