//! Parts around every screen: the environment strip, the top bar, the rail, and the status line.

use eframe::egui::{
    self, Align, Color32, CornerRadius, Frame, Layout, Margin, Mesh, Panel, Rect, Role, Sense, Stroke, Ui, WidgetInfo,
    pos2, vec2,
};

use super::{
    theme,
    theme::{Look, Type, icons, radius, size, space},
    widgets::{button::Button, chip, focus, text},
};
use crate::{
    app::{Action, Cluster, Command, Screen},
    model::{
        TimeDelta,
        connections::profile::Environment,
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::{age, calendar},
    },
    ops::clock,
    ui::{
        View,
        components::banners,
        shortcuts,
        widgets::{keycap, menu::menu_row},
    },
};

/// Width of the field that opens the palette, in points; and where there is little room.
const PALETTE_FIELD: f32 = 288.0;
const PALETTE_FIELD_SMALL: f32 = 92.0;

/// The shell. It keeps no state of its own.
#[derive(Default)]
pub struct Shell {}

impl Shell {
    /// Draws all surrounding parts, and the content in the middle.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>, content: impl FnOnce(&mut Ui, &mut View<'_>)) {
        let p = theme::colors(ui);
        let compact = ui.available_width() < size::COMPACT_BELOW;
        let bare = |fill: Color32| Frame::new().fill(fill).inner_margin(Margin::ZERO);
        Panel::top("top bar")
            .frame(bare(p.surface.canvas))
            .exact_size(size::TOP_BAR + size::ENV_STRIP)
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| top_bar(ui, view, compact));
        Panel::bottom("status bar")
            .frame(bare(p.surface.canvas))
            .exact_size(size::STATUS_BAR)
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| status_bar(ui, view));
        Panel::left("rail")
            .frame(bare(p.surface.canvas))
            .exact_size(if compact { size::RAIL_COMPACT } else { size::RAIL })
            .show_separator_line(false)
            .resizable(false)
            .show(ui, |ui| rail(ui, view, compact));
        banners::lock_outcomes(ui, view);
        banners::policy_refusal(ui, view);
        banners::journal_fault(ui, view);
        banners::unsaved_connection(ui, view);
        egui::CentralPanel::no_frame().frame(bare(p.surface.surface)).show(ui, |ui| content(ui, view));
        // What lies below a dialog is out of reach.
        if !view.state.has_dialog() {
            focus::go_between_parts(ui.ctx());
        }
    }
}

fn top_bar(ui: &mut Ui, view: &mut View<'_>, compact: bool) {
    let p = theme::colors(ui);
    let rect = ui.max_rect();
    let cluster = view.state.cluster();
    if let Some(cluster) = cluster {
        paint_environment(ui, rect, cluster.profile.environment);
    }
    let line = Stroke::new(1.0, p.stroke.divider);
    ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, line);
    let bar =
        Rect::from_min_max(pos2(rect.left() + space::L, rect.top() + size::ENV_STRIP), rect.max - vec2(space::M, 0.0));
    ui.scope_builder(egui::UiBuilder::new().max_rect(bar).layout(Layout::right_to_left(Align::Center)), |ui| {
        let tip = shortcuts::tooltip(ui, Action::Lock);
        if Button::icon_only(icons::LOCK, "Lock").tooltip(&tip).show(ui).clicked() {
            shortcuts::run(view, Action::Lock);
        }
        look_menu(ui, view);
        if let Some(cluster) = cluster {
            who(ui, view, cluster, compact);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| match cluster {
            Some(cluster) => {
                which(ui, view, cluster, compact);
                palette_field(ui, view, rect.center().x);
            }
            None => {
                text::line(ui, Type::Heading, p.text.primary, "Keybearer");
                palette_field(ui, view, rect.center().x);
            }
        });
    });
}

/// Draws what opens the palette, in the middle of the bar or as near to it as its neighbors allow: a field where there
/// is room for it, else its icon and shortcut, else nothing.
fn palette_field(ui: &mut Ui, view: &mut View<'_>, middle: f32) {
    let p = theme::colors(ui);
    let (left, right) = (ui.cursor().left() + space::S, ui.max_rect().right() - space::M);
    let width = match right - left {
        room if room >= PALETTE_FIELD => PALETTE_FIELD,
        room if room >= PALETTE_FIELD_SMALL => PALETTE_FIELD_SMALL,
        _ => return,
    };
    let x = (middle - width / 2.0).clamp(left, right - width);
    let rect = Rect::from_min_size(pos2(x, ui.max_rect().center().y - 15.0), vec2(width, 30.0));
    let compact = width < PALETTE_FIELD;
    let action = Action::Palette;
    let words = action.row().words;
    let response = ui.interact(rect, ui.scope_id().with("palette"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, words));
    let fill = if response.hovered() { p.surface.hover } else { p.surface.field };
    ui.painter().rect(rect, f32::from(radius::M), fill, Stroke::new(p.hair, p.stroke.card), egui::StrokeKind::Inside);
    let icon = pos2(rect.left() + 18.0, rect.center().y);
    ui.painter().text(icon, egui::Align2::CENTER_CENTER, icons::SEARCH, Type::IconSmall.font(), p.text.tertiary);
    let keys = shortcuts::of(ui.ctx(), action).unwrap_or_default();
    let cap = keycap::paint_left_of(ui, rect.right_center() - vec2(8.0, 0.0), &keys);
    if !compact {
        let room = Rect::from_min_max(pos2(rect.left() + 34.0, rect.top()), pos2(cap.left() - 4.0, rect.bottom()));
        text::elided(ui, room, Type::Body, p.text.tertiary, &format!("{words}…"));
    }
    focus::ring(ui, &response, radius::M);
    let clicked = response.clicked();
    response.on_hover_text(shortcuts::tooltip(ui, action));
    if clicked {
        shortcuts::run(view, action);
    }
}

/// Paints the environment. Production is unmistakable: a strip across the window and a tint in the bar.
fn paint_environment(ui: &Ui, rect: Rect, environment: Environment) {
    let p = theme::colors(ui);
    let (solid, _, tint) = chip::environment_colors(p, environment);
    let strip = Rect::from_min_size(rect.min, vec2(rect.width(), size::ENV_STRIP));
    match environment {
        Environment::Production => {
            let left = Rect::from_min_max(rect.min, pos2(rect.left() + rect.width() * 0.3, rect.bottom()));
            ui.painter().rect_filled(left, 0.0, tint);
            let fade = Rect::from_min_max(left.right_top(), pos2(rect.left() + rect.width() * 0.75, rect.bottom()));
            let mut mesh = Mesh::default();
            for (corner, color) in [
                (fade.left_top(), tint),
                (fade.right_top(), p.surface.canvas),
                (fade.right_bottom(), p.surface.canvas),
                (fade.left_bottom(), tint),
            ] {
                mesh.colored_vertex(corner, color);
            }
            mesh.add_triangle(0, 1, 2);
            mesh.add_triangle(0, 2, 3);
            ui.painter().add(mesh);
            ui.painter().rect_filled(strip, 0.0, solid);
        }
        Environment::Staging => {
            ui.painter().rect_filled(strip, 0.0, solid);
        }
        Environment::Sandbox => {
            let y = strip.center().y;
            let line = [pos2(strip.left(), y), pos2(strip.right(), y)];
            ui.painter().extend(egui::Shape::dashed_line(&line, Stroke::new(size::ENV_STRIP, solid), 12.0, 8.0));
        }
        Environment::Development => {}
    }
}

fn which(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, compact: bool) {
    let p = theme::colors(ui);
    ui.spacing_mut().item_spacing.x = 10.0;
    chip::environment(ui, cluster.profile.environment);
    cluster_menu(ui, view, cluster);
    if cluster.is_merged() {
        text::line(
            ui,
            Type::Small,
            p.text.tertiary,
            plural((view.state.clusters.len() - view.state.same_clusters().len()) as u64, "cluster"),
        );
        return;
    }
    if !compact {
        text::line(ui, Type::Mono, p.text.tertiary, cluster.profile.endpoint.url.host());
        if let Some(session) = cluster.session.value() {
            text::line(ui, Type::Mono, p.text.secondary, session.edition.to_string());
        }
    }
    if cluster.profile.environment == Environment::Sandbox {
        let words = if compact { "in memory" } else { "practice cluster, in memory" };
        chip::badge(ui, chip::Tone::Plain, icons::SCIENCE, words);
    }
    if view.state.read_only_on(&cluster.profile.id).is_some() {
        let by_rule = view.state.policy_refusal();
        chip::badge(ui, chip::Tone::Plain, icons::LOCK, "read-only").on_hover_text(
            by_rule.unwrap_or("Nothing is changed through this connection. Its protection is set under Connections"),
        );
    }
    if view.state.insecure() {
        chip::badge(ui, chip::Tone::Danger, icons::NO_ENCRYPTION, "insecure").on_hover_text(
            "The certificate of this cluster is not verified, or nothing is encrypted: traffic can be read and changed",
        );
    }
}

fn cluster_menu(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let p = theme::colors(ui);
    let name = sanitize::shortened(&cluster.profile.name, 32);
    let galley = ui.painter().layout_no_wrap(name.clone(), Type::Heading.font(), p.text.primary);
    let (rect, response) = ui.allocate_exact_size(vec2(galley.size().x + 26.0, size::CONTROL), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Cluster {name}")));
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(vec2(4.0, 0.0)), f32::from(radius::M), p.surface.hover);
    }
    let y = rect.center().y;
    ui.painter().galley(pos2(rect.left(), (y - galley.size().y / 2.0).round()), galley, p.text.primary);
    let at = pos2(rect.right() - 9.0, y);
    ui.painter().text(at, egui::Align2::CENTER_CENTER, icons::UNFOLD_MORE, Type::IconSmall.font(), p.text.tertiary);
    focus::ring(ui, &response, radius::M);
    egui::Popup::menu(&response).width(320.0).show(|ui| {
        for open in &view.state.clusters {
            let words = format!("{}  {}", sanitize::shortened(&open.profile.name, 28), open.profile.environment.word());
            let chosen = open.profile.id == cluster.profile.id;
            if menu_row(
                ui,
                &words,
                if chosen { icons::CHECK } else { chip::environment_icon(open.profile.environment) },
            ) {
                view.send(Command::SwitchTo(open.profile.id.clone()));
            }
        }
        if view.state.clusters.len() > 1 {
            let icon = if cluster.is_merged() { icons::CHECK } else { icons::LAYERS };
            if menu_row(ui, "All clusters together", icon) {
                view.send(Command::ShowAll);
            }
        }
        ui.separator();
        if menu_row(ui, "Connections…", icons::LAN) {
            view.send(Command::Show(Screen::Connections));
        }
        if !cluster.is_merged() && menu_row(ui, "Disconnect", icons::LOGOUT) {
            view.send(Command::Disconnect(cluster.profile.id.clone()));
        }
    });
}

fn who(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, compact: bool) {
    let p = theme::colors(ui);
    let Some(session) = cluster.session.value() else {
        if cluster.session.is_loading() {
            text::line(ui, Type::Small, p.text.tertiary, "Signing in…");
        }
        return;
    };
    if Button::icon_only(icons::LOGOUT, "Disconnect").show(ui).clicked() {
        view.send(Command::Disconnect(cluster.profile.id.clone()));
    }
    if !compact && let Some(right) = session.privileges.strongest() {
        chip::badge(ui, chip::Tone::Plain, icons::VERIFIED_USER, right)
            .on_hover_text("Your strongest privilege for API keys");
    }
    ui.spacing_mut().item_spacing.x = 6.0;
    if !compact {
        let way = format!("{}, {}", session.identity.realm, session.identity.way());
        text::line(ui, Type::Small, p.text.tertiary, way);
    }
    let name = sanitize::shortened(&session.identity.username, 24);
    text::line(ui, Type::Strong, p.text.primary, name);
    text::icon(ui, Type::Icon, p.text.tertiary, icons::PERSON);
}

fn look_menu(ui: &mut Ui, view: &mut View<'_>) {
    let now = theme::look(ui.ctx());
    let icon = match now {
        Look::Light => icons::LIGHT_MODE,
        Look::HighContrast => icons::CONTRAST,
        _ => icons::DARK_MODE,
    };
    let response = Button::icon_only(icon, "Appearance").show(ui);
    egui::Popup::menu(&response).width(200.0).show(|ui| {
        for look in Look::ALL {
            if menu_row(ui, look.label(), if look == now { icons::CHECK } else { "" }) {
                theme::apply(ui.ctx(), look);
                view.send(Command::SetLook(look.label().to_owned()));
            }
        }
    });
}

fn rail(ui: &mut Ui, view: &mut View<'_>, compact: bool) {
    let p = theme::colors(ui);
    let rect = ui.max_rect();
    ui.painter().vline(rect.right() - 0.5, rect.y_range(), Stroke::new(1.0, p.stroke.divider));
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.add_space(10.0);
    for screen in Screen::ALL {
        if screen == Screen::Settings {
            // Apart from what is worked with, at the foot of the rail.
            let height = if compact { 40.0 } else { size::CONTROL };
            ui.add_space((ui.available_height() - height - 10.0).max(0.0));
        }
        let count = match (screen, view.state.cluster()) {
            (Screen::Keys, Some(cluster)) => cluster.keys.value().map(|list| thousands(list.keys.len() as u64)),
            _ => None,
        };
        if rail_item(ui, screen, view.state.screen == screen, count.as_deref(), compact) {
            view.send(Command::Show(screen));
        }
    }
}

fn rail_item(ui: &mut Ui, screen: Screen, chosen: bool, count: Option<&str>, compact: bool) -> bool {
    let p = theme::colors(ui);
    let height = if compact { 40.0 } else { size::CONTROL };
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, screen.label()));
    if chosen {
        focus::entrance(ui, focus::FocusArea::Rail, response.id);
    }
    let rect = row.shrink2(vec2(8.0, 0.0));
    let fill = match (chosen, response.hovered()) {
        (true, _) => p.surface.pressed,
        (_, true) => p.surface.hover,
        _ => Color32::TRANSPARENT,
    };
    ui.painter().rect_filled(rect, CornerRadius::same(radius::M), fill);
    if chosen {
        let mark = Rect::from_min_size(rect.left_top() + vec2(0.0, 8.0), vec2(3.0, height - 16.0));
        ui.painter().rect_filled(mark, 1.5, p.accent.mark);
    }
    let color = if chosen { p.text.primary } else { p.text.secondary };
    let icon_color = if chosen { p.accent.text } else { p.text.tertiary };
    let x = if compact { rect.center().x } else { rect.left() + 20.0 };
    let center = egui::Align2::CENTER_CENTER;
    ui.painter().text(
        pos2(x, rect.center().y),
        center,
        shortcuts::icon(Action::Show(screen)),
        Type::Icon.font(),
        icon_color,
    );
    if !compact {
        let kind = if chosen { Type::Strong } else { Type::Body };
        let at = pos2(rect.left() + 38.0, rect.center().y);
        ui.painter().text(at, egui::Align2::LEFT_CENTER, screen.label(), kind.font(), color);
        if let Some(count) = count {
            let at = pos2(rect.right() - 10.0, rect.center().y);
            ui.painter().text(at, egui::Align2::RIGHT_CENTER, count, Type::Small.font(), p.text.tertiary);
        }
    }
    focus::ring_if(ui, &response, rect, radius::M);
    let clicked = response.clicked();
    let tip = shortcuts::of(ui.ctx(), Action::Show(screen));
    let tip = tip.map_or(screen.label().to_owned(), |keys| format!("{} ({keys})", screen.label()));
    response.on_hover_text(tip);
    clicked
}

fn status_bar(ui: &mut Ui, view: &mut View<'_>) {
    let p = theme::colors(ui);
    let rect = ui.max_rect();
    ui.painter().hline(rect.x_range(), rect.top() + 0.5, Stroke::new(1.0, p.stroke.divider));
    let inner = rect.shrink2(vec2(14.0, 0.0));
    ui.scope_builder(egui::UiBuilder::new().max_rect(inner).layout(Layout::left_to_right(Align::Center)), |ui| {
        ui.spacing_mut().item_spacing.x = 6.0;
        read_state(ui, view);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            skew(ui, view);
            clipboard(ui, view);
            if let Some(notice) = view.state.notices.back() {
                text::line(ui, Type::Small, p.text.secondary, &notice.text);
            }
        });
    });
}

fn read_state(ui: &mut Ui, view: &mut View<'_>) {
    let p = theme::colors(ui);
    let Some(cluster) = view.state.cluster() else {
        return drop(text::line(ui, Type::Small, p.text.tertiary, "Not connected"));
    };
    if let Some((read, total)) = cluster.progress {
        let words = format!("Loading keys, {} of {}", thousands(read), thousands(total));
        return drop(text::line(ui, Type::Small, p.text.secondary, words));
    }
    let Some(list) = cluster.keys.value() else {
        let words = if cluster.session.is_loading() { "Connecting…" } else { "No keys loaded" };
        return drop(text::line(ui, Type::Small, p.text.tertiary, words));
    };
    let age = age::words(list.as_of, view.state.now);
    let doubts = list.doubts();
    let (icon, color) = match (cluster.keys.problem(), doubts.is_empty()) {
        // What is old is not called good.
        (None, true) if age.is_some() => (icons::CHECK, p.text.tertiary),
        (None, true) => (icons::CHECK, p.success.text),
        _ => (icons::WARNING, p.warning.text),
    };
    text::icon(ui, Type::IconSmall, color, icon);
    let count = thousands(list.keys.len() as u64);
    let own = if list.own_only { " (yours only)" } else { "" };
    let keys = if list.keys.len() == 1 { "key" } else { "keys" };
    let all = if list.is_whole() && list.keys.len() > 1 { "All " } else { "" };
    let mut words = format!("{all}{count} {keys} loaded{own}");
    if list.shortfall() > 0 {
        words = format!("{count} of {} keys loaded", thousands(list.total));
    }
    for doubt in &doubts {
        words = format!("{words}, {doubt}");
    }
    let response = text::line(ui, Type::Small, p.text.secondary, words);
    if let Some(example) = list.example_of_doubt() {
        response.on_hover_text(sanitize::shown(&example));
    }
    ui.add_space(space::S);
    let at = calendar::clock(list.as_of, &view.state.zone);
    let age = age.map_or(String::new(), |age| format!(", {age}"));
    text::line(ui, Type::Small, p.text.tertiary, format!("Refreshed {at}{age}"));
}

fn skew(ui: &mut Ui, view: &mut View<'_>) {
    let p = theme::colors(ui);
    let Some(session) = view.state.cluster().and_then(|cluster| cluster.session.value()) else { return };
    if let Some(words) = session.clock_words() {
        text::line(ui, Type::Small, p.warning.text, "Response dates are wrong").on_hover_text(words);
        text::icon(ui, Type::IconSmall, p.warning.text, icons::SCHEDULE);
        return;
    }
    let skew = session.skew();
    if skew == TimeDelta::ZERO {
        return;
    }
    let words = format!("The cluster’s clock is {} this computer’s", clock::ahead(skew));
    text::line(ui, Type::Small, p.warning.text, words);
    text::icon(ui, Type::IconSmall, p.warning.text, icons::SCHEDULE);
}

fn clipboard(ui: &mut Ui, view: &mut View<'_>) {
    let p = theme::colors(ui);
    if view.state.reveal.is_some() {
        return; // its own card shows the countdown
    }
    if let Some(left) = view.state.clipboard.left(view.state.now) {
        if Button::link("Clear now").show(ui).clicked() {
            view.send(Command::ClearClipboard);
        }
        let seconds = left.as_secs_up();
        match &view.state.clipboard.problem {
            Some(_) => {
                let words = format!("The secret may still be on the clipboard; trying again in {seconds} s");
                text::line(ui, Type::Small, p.danger.text, words);
            }
            None => {
                let words = format!("Secret on the clipboard, cleared in {seconds} s");
                text::line(ui, Type::Small, p.warning.text, words);
            }
        }
    }
}
