//! Lines above the list of keys: progress of reading, and what the list lacks.

use eframe::egui::{self, Frame, Margin, Rect, Ui, vec2};

use crate::{
    app::Cluster,
    model::text::{number::plural, sanitize},
    ui::{
        View,
        components::problem::problem_buttons,
        theme,
        widgets::notice::{self, Tone},
    },
};

/// Draws a line below the title: the share of the keys that are read, or a divider.
pub(crate) fn progress_line(ui: &mut Ui, cluster: &Cluster) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 2.0), egui::Sense::hover());
    if let Some((read, total)) = cluster.progress.filter(|(_, total)| *total > 0) {
        let share = (read as f32 / total as f32).clamp(0.0, 1.0);
        ui.painter().rect_filled(Rect::from_min_size(rect.min, vec2(rect.width() * share, 2.0)), 0.0, p.accent.mark);
    } else {
        ui.painter().hline(rect.x_range(), rect.center().y, egui::Stroke::new(1.0, p.stroke.divider));
    }
}

/// Draws why the list is old, is not whole or has only one’s own keys.
pub(crate) fn banners(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let margin = Margin { left: 20, right: 16, top: 8, bottom: 8 };
    if let (Some(list), Some(problem)) = (cluster.keys.value(), cluster.keys.problem()) {
        Frame::new().inner_margin(margin).show(ui, |ui| {
            let clock = |at| crate::model::time::calendar::clock(at, &view.state.zone);
            let since =
                list.renewed_at.map_or(String::new(), |at| format!(" (new and invalidated keys up to {})", clock(at)));
            let title = format!("As of {}{since}: {}", clock(list.as_of), problem.title);
            notice::banner(ui, Tone::Warning, &title, &problem.detail, |ui| problem_buttons(ui, view, problem));
        });
    }
    if cluster.is_merged() {
        for (one, other) in view.state.same_clusters() {
            Frame::new().inner_margin(margin).show(ui, |ui| {
                let [one, other] = [one, other].map(|name| sanitize::shortened(&name, 40));
                let title = format!("{one} and {other} are the same cluster");
                notice::banner(ui, Tone::Info, &title, &format!("Its keys are shown once, as those of {one}"), |_| ());
            });
        }
        for part in view.state.clusters.iter().filter(|part| part.keys.problem().or(part.session.problem()).is_some()) {
            let Some(problem) = part.keys.problem().or(part.session.problem()) else { continue };
            Frame::new().inner_margin(margin).show(ui, |ui| {
                let name = sanitize::shortened(&part.profile.name, 40);
                let stale = if part.keys.value().is_some() { "its keys are older" } else { "its keys are missing" };
                notice::banner(
                    ui,
                    Tone::Warning,
                    &format!("{name}: {}, {stale}", problem.title),
                    &problem.detail,
                    |_| (),
                );
            });
        }
    }
    if let Some(list) = cluster.keys.value().filter(|list| list.own_only && !list.keys.is_empty()) {
        Frame::new().inner_margin(margin).show(ui, |ui| {
            let title = match list.keys.len() {
                1 => "Only your own key is shown".to_owned(),
                more => format!("Only your own {} are shown", plural(more as u64, "key")),
            };
            let detail = "Seeing other users’ keys requires the cluster privilege read_security or manage_api_key";
            notice::banner(ui, Tone::Info, &title, detail, |_| ());
        });
    }
}
