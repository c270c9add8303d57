//! The overview: counts by status, upcoming expirations, owners, and recent changes. Everything shown leads to the keys
//! that it counts.

pub(super) mod timeline;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use eframe::egui::{
    self, Align, Color32, CornerRadius, Frame, Layout, Margin, Rect, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui,
    WidgetInfo, pos2, vec2,
};

use super::{
    keys::{
        chips,
        empty_states::{no_cluster, not_signed_in, problem_page},
        rows,
    },
    rotations,
};
use crate::{
    app::{Cluster, Command, Screen},
    export::svg,
    model::{
        filter,
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
        View, theme,
        theme::{Type, icons, radius, size, space},
        widgets::{
            button::Button,
            chip, focus,
            notice::{self, Tone},
            status, text,
        },
    },
};

const TIMELINE: f32 = 190.0;
const ROWS: usize = 8;

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
                        crate::ui::problem_buttons(ui, view, problem);
                    });
                }
                rotations::overview_card(ui, view);
                match &cluster.overview {
                    Some(overview) => self.content(ui, view, cluster, overview),
                    None => nothing_yet(ui, view, cluster),
                }
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
        let heading = if wanted.created { "What was created when" } else { "What expires when" };
        let never = overview.counts.of(Status::Never);
        let link = (!wanted.created && never > 0).then(|| format!("and {} never", thousands(never as u64)));
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
                        "When they were created or expire may be not known: such a key is in no bar, and is counted \
                         among those that never expire",
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
            if crate::ui::shell::menu_row(ui, "Copy as picture", icons::CONTENT_COPY)
                && let Some(card) = self.card
            {
                let ctx = ui.ctx().clone();
                timeline::picture(ui.ctx(), card, move |image| {
                    ctx.copy_image(image);
                    ctx.request_repaint();
                });
            }
            if crate::ui::shell::menu_row(ui, "Save as PNG", icons::SAVE)
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
            if crate::ui::shell::menu_row(ui, "Save as SVG", icons::SAVE) {
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
                (_, Some((read, 0))) => format!("Reading, {} so far", plural(read, "key")),
                (_, Some((read, total))) => format!("Reading, {} of {}", thousands(read), plural(total, "key")),
                (None, None) => "First figures".into(),
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
        None => notice::empty(ui, icons::SPACE_DASHBOARD, "Nothing was read", "Reading was stopped", |ui| {
            if Button::primary("Read the keys").show(ui).clicked() {
                view.send(Command::Refresh);
            }
        }),
    }
}

/// Draws a card, and returns its rectangle.
pub(super) fn card(ui: &mut Ui, content: impl FnOnce(&mut Ui)) -> Rect {
    let p = theme::colors(ui);
    let frame = Frame::new()
        .fill(p.surface.raised)
        .stroke(Stroke::new(p.hair, p.stroke.card))
        .corner_radius(CornerRadius::same(radius::L))
        .inner_margin(Margin::symmetric(20, 12));
    let response = frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = space::S;
        content(ui);
    });
    response.response.rect
}

fn group_view(group: StatusGroup) -> ListView {
    ListView { status: Some(group), ..ListView::default() }
}

fn search_view(search: String) -> ListView {
    ListView { search, ..ListView::default() }
}

/// Draws six figures side by side, each leading to the keys that it counts.
fn counts(ui: &mut Ui, view: &mut View<'_>, overview: &Overview) {
    let p = theme::colors(ui);
    let counts = &overview.counts;
    let [_, _, quarter] = overview.within;
    let since = overview.since;
    let more = |count: usize, words: &str| {
        if count > 0 { format!("{} {words}", thousands(count as u64)) } else { String::new() }
    };
    let figures = [
        (StatusGroup::Valid, since.map_or(String::new(), |s| more(s.created, "new since last time"))),
        (StatusGroup::Within7Days, String::new()),
        (StatusGroup::Within30Days, more(quarter, "within 90 days")),
        (StatusGroup::Never, "of the valid".into()),
        (StatusGroup::Expired, "still listed".into()),
        (StatusGroup::Invalidated, since.map_or(String::new(), |s| more(s.invalidated, "since last time"))),
    ];
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 102.0), Sense::hover());
    let corner = CornerRadius::same(radius::L);
    ui.painter().rect(rect, corner, p.surface.raised, Stroke::new(p.hair, p.stroke.card), StrokeKind::Inside);
    let width = rect.width() / figures.len() as f32;
    for (at, (group, below)) in figures.into_iter().enumerate() {
        let (mark, word, count, target) =
            (status::group_mark(group), group.label(), counts.in_group(group), group_view(group));
        let cell = Rect::from_min_size(pos2(rect.left() + at as f32 * width, rect.top()), vec2(width, rect.height()));
        let response = ui.interact(cell, ui.scope_id().with(("figure", word)), Sense::click());
        let name = format!("{word}: {}", plural(count as u64, "key"));
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
        if response.hovered() {
            ui.painter().rect_filled(cell.shrink(3.0), f32::from(radius::M), p.surface.hover);
        }
        if at > 0 {
            ui.painter().vline(cell.left(), cell.shrink2(vec2(0.0, 1.0)).y_range(), Stroke::new(1.0, p.stroke.divider));
        }
        let x = cell.left() + 20.0;
        status::paint_mark(ui.painter(), pos2(x + 5.0, cell.top() + 23.0), mark, p);
        let painter = ui.painter().with_clip_rect(cell.intersect(ui.clip_rect()));
        let left = egui::Align2::LEFT_CENTER;
        let room = Rect::from_min_max(pos2(x + 18.0, cell.top() + 13.0), pos2(cell.right() - 8.0, cell.top() + 33.0));
        let fits = |word: &str| {
            let line = ui.painter().layout_no_wrap(word.to_owned(), Type::Body.font(), p.text.secondary);
            line.size().x <= room.width()
        };
        let shown = if fits(word) { word } else { chips::short_label(group) };
        rows::elided(ui, room, Type::Body, p.text.secondary, shown);
        let color =
            if group == StatusGroup::Within7Days && count > 0 { p.status.expiring_text } else { p.text.primary };
        painter.text(pos2(x, cell.top() + 53.0), left, thousands(count as u64), Type::Display.font(), color);
        let room = Rect::from_min_max(pos2(x, cell.top() + 72.0), pos2(cell.right() - 8.0, cell.top() + 92.0));
        rows::elided(ui, room, Type::Small, p.text.tertiary, &below);
        focus::ring_if(ui, &response, cell.shrink(2.0), radius::M);
        if response.clicked() {
            view.send(Command::ShowKeys(target));
        }
    }
}

/// Draws values with bars, most frequent first; each leads to its keys.
fn tally_card(ui: &mut Ui, view: &mut View<'_>, title: &str, field: &str, values: &[(String, usize)]) {
    let p = theme::colors(ui);
    card(ui, |ui| {
        ui.horizontal(|ui| {
            text::line(ui, Type::Heading, p.text.primary, title);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if let Some(name) = field.strip_prefix("meta.") {
                    let label = format!("Stop counting by {title}");
                    if Button::icon_only(icons::CLOSE, &label).show(ui).clicked() {
                        let rest = view.state.settings.counted_by.iter().filter(|own| *own != name).cloned().collect();
                        view.send(Command::CountBy(rest));
                    }
                }
                text::line(ui, Type::Small, p.text.tertiary, thousands(values.len() as u64));
            });
        });
        let most = values.first().map_or(1, |(_, count)| *count).max(1);
        ui.spacing_mut().item_spacing.y = 0.0;
        for (value, count) in values.iter().take(ROWS) {
            if tally_row(ui, value, *count, most) {
                view.send(Command::ShowKeys(search_view(format!("{field}:{}", filter::quoted(value)))));
            }
        }
        if values.len() > ROWS {
            let rest: usize = values.iter().skip(ROWS).map(|(_, count)| count).sum();
            let words =
                format!("and {} more with {}", thousands((values.len() - ROWS) as u64), plural(rest as u64, "key"));
            text::line(ui, Type::Small, p.text.tertiary, words);
        }
    });
}

fn tally_row(ui: &mut Ui, value: &str, count: usize, most: usize) -> bool {
    let p = theme::colors(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), size::ROW), Sense::click());
    let shown = sanitize::shortened(value, 60);
    let name = format!("{shown}: {}", plural(count as u64, "key"));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    if response.hovered() {
        ui.painter().rect_filled(rect.expand2(vec2(8.0, 0.0)), f32::from(radius::M), p.surface.hover);
    }
    let number = ui.painter().layout_no_wrap(thousands(count as u64), Type::Body.font(), p.text.primary);
    let y = rect.center().y;
    let right = rect.right() - number.size().x;
    ui.painter().galley(pos2(right, (y - number.size().y / 2.0).round()), number, p.text.primary);
    let words = Rect::from_min_max(rect.min, pos2(rect.left() + rect.width() * 0.42, rect.bottom()));
    rows::elided(ui, words, Type::Body, p.text.primary, &shown);
    let track = Rect::from_min_max(pos2(words.right() + 10.0, y - 2.5), pos2(rect.right() - 64.0, y + 2.5));
    if track.width() > 10.0 {
        ui.painter().rect_filled(track, 2.5, p.status.track);
        let share = (count as f32 / most as f32).clamp(0.0, 1.0);
        let width = (track.width() * share).max(5.0);
        let color: Color32 = p.accent.mark;
        ui.painter().rect_filled(Rect::from_min_size(track.min, vec2(width, 5.0)), 2.5, color);
    }
    focus::ring_if(ui, &response, rect.expand2(vec2(4.0, 0.0)), radius::M);
    response.clicked()
}

/// Draws the changes since the last visit, and the choice of metadata fields to count by.
fn last_card(ui: &mut Ui, view: &mut View<'_>, overview: &Overview) {
    let p = theme::colors(ui);
    card(ui, |ui| {
        if let Some(since) = &overview.since {
            text::line(ui, Type::Heading, p.text.primary, "Since your last visit");
            text::line(ui, Type::Small, p.text.tertiary, calendar::local(since.at, &view.state.zone));
            let at = calendar::rfc3339(since.at);
            for (icon, count, word, search) in [
                (icons::ADD, since.created, "created", format!("created:>={at}")),
                (icons::EVENT_BUSY, since.expired, "expired", format!("status:expired expires:>={at}")),
                (icons::BLOCK, since.invalidated, "invalidated", format!("invalidated:>={at}")),
            ] {
                ui.horizontal(|ui| {
                    text::icon(ui, Type::Icon, p.text.tertiary, icon);
                    let words = format!("{} {word}", plural(count as u64, "key"));
                    if count == 0 {
                        text::line(ui, Type::Body, p.text.secondary, words);
                    } else if Button::link(&words).show(ui).clicked() {
                        view.send(Command::ShowKeys(search_view(search)));
                    }
                });
            }
        }
        text::line(ui, Type::Heading, p.text.primary, "Count by metadata");
        let counted = &view.state.settings.counted_by;
        let offered = overview.offered.iter().filter(|(path, _)| !counted.contains(path)).take(8).cloned();
        let offered: Vec<(String, usize)> = offered.collect();
        if offered.is_empty() {
            text::line(ui, Type::Body, p.text.tertiary, "No field that is not counted already");
        }
        ui.horizontal_wrapped(|ui| {
            for (path, count) in offered {
                let words = sanitize::shortened(&path, 30);
                if chip::choice(ui, false, None, &words, Some(thousands(count as u64))).clicked() {
                    view.send(Command::CountBy(counted.iter().cloned().chain([path]).collect()));
                }
            }
        });
    });
}
