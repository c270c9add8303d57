//! The overview: counts by status, upcoming expirations, owners, and recent changes. Everything shown leads to the keys
//! that it counts.

mod cards;
pub(super) mod rotations;
pub(super) mod timeline;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use eframe::egui::{self, Align, Frame, Layout, Margin, Rect, ScrollArea, Sense, Ui, vec2};

use crate::{
    app::{Cluster, Command, Screen},
    export::svg,
    model::{
        inventory::{
            list_view::ListView,
            overview::{Overview, OverviewOptions, Span},
        },
        text::{
            number::{plural, thousands},
            sanitize,
        },
        time::{
            age, calendar,
            status::{Status, StatusGroup},
        },
    },
    ui::{
        View,
        components::{
            empty_states::{no_cluster, not_signed_in},
            problem::problem_page,
        },
        screens::overview::cards::{counts, group_view, last_card, tally_card},
        theme,
        theme::{Type, icons, radius, size},
        widgets::{
            button::Button,
            card::card,
            chip, focus,
            notice::{self, Tone},
            stable::stable,
            text,
        },
    },
};

const TIMELINE: f32 = 190.0;

/// An image on its way from the screen to a file: the path, and the encoded bytes.
type Taken = Arc<Mutex<Option<(PathBuf, Vec<u8>)>>>;

/// A card: its title, the field that leads to its keys, and its values with counts.
type Card<'a> = (String, String, &'a [(String, usize)]);

/// The screen.
#[derive(Default)]
pub struct OverviewScreen {
    taken: Taken,
    card: Option<Rect>,
}

impl OverviewScreen {
    /// Draws the screen.
    pub fn ui(&mut self, ui: &mut Ui, view: &mut View<'_>) {
        let state = view.state;
        let Some(cluster) = state.cluster() else { return no_cluster(ui, view) };
        if cluster.session.value().is_none() && !cluster.is_merged() {
            return not_signed_in(ui, view, cluster);
        }
        if let Some((path, bytes)) = self.taken.lock().unwrap_or_else(PoisonError::into_inner).take() {
            view.send(Command::SavePicture(path, bytes));
        }
        let p = theme::colors(ui);
        ui.painter().rect_filled(ui.max_rect(), 0.0, p.surface.canvas);
        ScrollArea::vertical().id_salt("overview").auto_shrink(false).show(ui, |ui| {
            Frame::new().inner_margin(Margin { left: 24, right: 24, top: 10, bottom: 24 }).show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 16.0;
                title(ui, view, cluster);
                if let (Some(_), Some(problem)) = (cluster.keys.value(), cluster.keys.problem()) {
                    notice::banner(ui, Tone::Warning, &problem.title, &problem.detail, |ui| {
                        crate::ui::components::problem::problem_buttons(ui, view, problem);
                    });
                }
                rotations::overview_card(ui, view);
                stable(ui, "content", |ui| match &cluster.overview {
                    Some(overview) => self.content(ui, view, cluster, overview),
                    None => nothing_yet(ui, view, cluster),
                });
            });
        });
    }

    fn content(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, overview: &Overview) {
        counts(ui, view, overview);
        self.timeline_card(ui, view, cluster, overview);
        let mut cards: Vec<Card<'_>> = vec![
            ("Owners".into(), "owner".into(), &overview.owners),
            ("Roles".into(), "role".into(), &overview.roles),
            ("Types".into(), "type".into(), &overview.kinds),
            ("Realms".into(), "realm".into(), &overview.realms),
        ];
        for (field, values) in &overview.fields {
            cards.push((sanitize::shortened(field, 40), format!("meta.{field}"), values));
        }
        // What the cluster can't tell by itself comes with the keys.
        cards.retain(|(_, _, values)| !values.is_empty());
        let width = ui.available_width();
        let across = if width > 1000.0 { 3 } else { 2 };
        // Column by column, so that a short card leaves no hole.
        ui.columns(across, |columns| {
            for (column, ui) in columns.iter_mut().enumerate() {
                ui.spacing_mut().item_spacing.y = 16.0;
                for number in (column..=cards.len()).step_by(across) {
                    match cards.get(number) {
                        Some((title, field, values)) => tally_card(ui, view, title, field, values),
                        None => last_card(ui, view, overview),
                    }
                }
            }
        });
    }

    fn timeline_card(&mut self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, overview: &Overview) {
        let p = theme::colors(ui);
        let wanted = view.state.overview_wanted.clone();
        let heading = if wanted.created { "Keys created over time" } else { "Upcoming expirations" };
        let never = overview.counts.of(Status::Never);
        let link = (!wanted.created && never > 0).then(|| format!("{} without expiration", thousands(never as u64)));
        let flawed = cluster.inventory().flawed();
        // Where only the mark of it is on each row, the number stands here.
        let flawed = (flawed > 0).then(|| format!("{} not fully readable", plural(flawed as u64, "key")));
        let spans = Span::ALL.map(|span| (span, span.words()));
        let moments = [(false, "Expirations"), (true, "Creations")];
        let response = card(ui, |ui| {
            let width = |words: &str, kind: Type| {
                ui.painter().layout_no_wrap(words.to_owned(), kind.font(), p.text.primary).size().x + 24.0
            };
            let left = width(heading, Type::Heading)
                + link.as_deref().map_or(0.0, |words| width(words, Type::Body))
                + flawed.as_deref().map_or(0.0, |words| width(words, Type::Small));
            let right = chip::segmented_room(ui, &spans) + chip::segmented_room(ui, &moments) + size::CONTROL + 24.0;
            let in_one_line = left + right <= ui.available_width();
            let choices = |ui: &mut Ui, view: &mut View<'_>| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.picture_menu(ui, view, cluster, overview, heading);
                    if let Some(span) = chip::segmented(ui, wanted.span, &spans, None) {
                        view.send(Command::SetOverview(OverviewOptions { span, ..wanted.clone() }));
                    }
                    if let Some(created) = chip::segmented(ui, wanted.created, &moments, None) {
                        view.send(Command::SetOverview(OverviewOptions { created, ..wanted.clone() }));
                    }
                });
            };
            let row = vec2(ui.available_width(), 34.0);
            ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
                text::line(ui, Type::Heading, p.text.primary, heading);
                if let Some(words) = &link
                    && Button::link(words).show(ui).clicked()
                {
                    view.send(Command::ShowKeys(group_view(StatusGroup::Never)));
                }
                if let Some(words) = flawed {
                    text::line(ui, Type::Small, p.warning.text, words).on_hover_text(
                        "Their creation or expiration may not be known: such a key is in no bar and is counted as \
                         never expiring",
                    );
                }
                if in_one_line {
                    choices(ui, view);
                }
            });
            if !in_one_line {
                ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| choices(ui, view));
            }
            let bars = &overview.bars;
            let (chosen, _) = timeline::ui(ui, bars, wanted.created, TIMELINE);
            if let Some((from, to)) = chosen.and_then(|(from, to)| Some((bars.get(from)?, bars.get(to)?))) {
                let mut search = from.query(to, wanted.moment());
                if !wanted.created {
                    search.push_str(" -status:invalidated");
                }
                view.send(Command::ShowKeys(ListView { search, ..ListView::default() }));
            }
        });
        self.card = Some(response);
    }

    fn picture_menu(&self, ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, overview: &Overview, heading: &str) {
        let response = Button::icon_only(icons::MORE_HORIZ, "Picture of the timeline").show(ui);
        let p = theme::colors(ui);
        let created = view.state.overview_wanted.created;
        let name = file_name(cluster, view);
        egui::Popup::menu(&response).width(240.0).show(|ui| {
            if crate::ui::widgets::menu::menu_row(ui, "Copy as picture", icons::CONTENT_COPY)
                && let Some(card) = self.card
            {
                let ctx = ui.ctx().clone();
                timeline::picture(ui.ctx(), card, move |image| {
                    ctx.copy_image(image);
                    ctx.request_repaint();
                });
            }
            if crate::ui::widgets::menu::menu_row(ui, "Save as PNG", icons::SAVE)
                && let Some(card) = self.card
            {
                let (taken, ctx, path) = (Arc::clone(&self.taken), ui.ctx().clone(), name.with_extension("png"));
                timeline::picture(ui.ctx(), card, move |image| {
                    if let Some(bytes) = png(&image) {
                        *taken.lock().unwrap_or_else(PoisonError::into_inner) = Some((path, bytes));
                    }
                    ctx.request_repaint();
                });
            }
            if crate::ui::widgets::menu::menu_row(ui, "Save as SVG", icons::SAVE) {
                let (bars, ink) = timeline::svg(&overview.bars, created, p);
                let title = format!("{heading}, {}", sanitize::shortened(&cluster.profile.name, 60));
                let picture = svg::timeline(&title, &bars, &ink);
                view.send(Command::SavePicture(name.with_extension("svg"), picture.into_bytes()));
            }
        });
    }
}

/// Returns the suggested path of an image: in the downloads or home folder, named by cluster and time.
fn file_name(cluster: &Cluster, view: &View<'_>) -> PathBuf {
    let dirs = directories::UserDirs::new();
    let folder =
        dirs.as_ref().map(|dirs| dirs.download_dir().unwrap_or(dirs.home_dir()).to_owned()).unwrap_or_default();
    let plain = |c: char| if c.is_alphanumeric() || c == '-' { c } else { '-' };
    let name: String = cluster.profile.name.chars().map(plain).take(40).collect();
    let at: String = calendar::rfc3339(view.state.now).chars().filter(|c| c.is_ascii_digit()).take(14).collect();
    folder.join(format!("timeline-{name}-{at}.x"))
}

fn png(image: &egui::ColorImage) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let [width, height] = image.size;
    let mut encoder = png::Encoder::new(&mut bytes, u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    let pixels: Vec<u8> = image.pixels.iter().flat_map(|pixel| pixel.to_srgba_unmultiplied()).collect();
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(bytes)
}

fn title(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let p = theme::colors(ui);
    let row = vec2(ui.available_width(), 36.0);
    ui.allocate_ui_with_layout(row, Layout::right_to_left(Align::Center), |ui| {
        if Button::primary("Create key").icon(icons::ADD).show(ui).clicked() {
            view.send(Command::Show(Screen::Create));
        }
        if cluster.keys.is_loading() {
            // It comes where “Refresh” was pressed, perhaps twice.
            if Button::ghost("Stop").icon(icons::STOP_CIRCLE).guarded().show(ui).clicked() {
                view.send(Command::StopRefresh);
            }
        } else {
            let refresh = Button::ghost("Refresh").icon(icons::REFRESH).show(ui);
            focus::entrance(ui, focus::FocusArea::Page, refresh.id);
            if refresh.clicked() {
                view.send(Command::Refresh);
            }
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            text::line(ui, Type::Title, p.text.primary, "Overview");
            let words = match (cluster.keys.value().filter(|list| list.is_complete), cluster.progress) {
                (Some(list), None) => {
                    let at = calendar::clock(list.as_of, &view.state.zone);
                    let age = age::words(list.as_of, view.state.now).map_or(String::new(), |age| format!(", {age}"));
                    format!("{}, read at {at}{age}", plural(list.keys.len() as u64, "key"))
                }
                (_, Some((read, 0))) => format!("Loading, {} so far", plural(read, "key")),
                (_, Some((read, total))) => format!("Loading, {} of {}", thousands(read), plural(total, "key")),
                (None, None) => "Preliminary counts".into(),
            };
            text::line(ui, Type::Body, p.text.tertiary, words);
        });
    });
}

fn nothing_yet(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    match cluster.keys.problem() {
        Some(problem) => problem_page(ui, view, problem),
        None if cluster.keys.is_loading() => {
            let p = theme::colors(ui);
            for height in [102.0, 254.0] {
                let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
                ui.painter().rect_filled(rect, f32::from(radius::L), p.surface.raised);
            }
        }
        None => notice::empty(ui, icons::SPACE_DASHBOARD, "Nothing loaded", "Loading was stopped", |ui| {
            if Button::primary("Load keys").show(ui).clicked() {
                view.send(Command::Refresh);
            }
        }),
    }
}
