//! The timeline of the overview: expirations or creations over time. A bar is a button, a row of bars a range.

use eframe::egui::{
    self, Align2, Color32, Id, Mesh, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::{
    export::svg::{SvgBar, SvgInk},
    model::{
        inventory::overview::Bar,
        text::{hex, number::plural},
        time::status::Status,
    },
    ui::{
        theme::{self, Palette, Type},
        widgets::{focus, status},
    },
};

const LABELS: f32 = 22.0;

/// Range of chosen bars: the indexes of the first and the last, inclusive.
pub type BarRange = (usize, usize);

/// Draws the bars in all the available room. Returns the bars that were clicked or dragged over, and the rectangle of
/// the timeline.
pub fn ui(ui: &mut Ui, bars: &[Bar], created: bool, height: f32) -> (Option<BarRange>, Rect) {
    let p = theme::colors(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let chart = Rect::from_min_max(rect.min, rect.max - vec2(0.0, LABELS));
    let most = bars.iter().map(|bar| bar.counts.total()).max().unwrap_or(0).max(1);
    let grid = Stroke::new(1.0, p.stroke.divider);
    ui.painter().hline(chart.x_range(), chart.top() + 0.5, grid);
    ui.painter().hline(chart.x_range(), chart.center().y, grid);
    ui.painter().hline(chart.x_range(), chart.bottom() - 0.5, Stroke::new(1.0, p.stroke.control));
    let step = chart.width() / bars.len().max(1) as f32;
    let column =
        |at: usize| Rect::from_min_size(pos2(chart.left() + at as f32 * step, chart.top()), vec2(step, chart.height()));
    let (chosen, marked) = interact(ui, bars, created, &column);
    let mut mesh = Mesh::default();
    for (at, bar) in bars.iter().enumerate() {
        let mut base = chart.bottom() - 1.0;
        for (status, count) in parts(bar, created) {
            let height = (chart.height() * 0.9 * count as f32 / most as f32).max(1.5);
            let left = column(at).left() + (step * 0.12).min(1.5);
            let part =
                Rect::from_min_max(pos2(left, base - height), pos2(column(at).right() - (step * 0.12).min(1.5), base));
            let color = status::color(status, p);
            let dim = marked.is_some_and(|(from, to)| !(from..=to).contains(&at));
            mesh.add_colored_rect(part, if dim { color.gamma_multiply(0.55) } else { color });
            base -= height;
        }
    }
    ui.painter().add(mesh);
    if let Some((from, to)) = marked {
        let range = column(from).union(column(to));
        let stroke = Stroke::new(1.5, p.accent.mark);
        ui.painter().rect_stroke(range, 3.0, stroke, StrokeKind::Inside);
    }
    for (at, label) in labels(bars) {
        let x = column(at).left();
        ui.painter().vline(x + 0.5, chart.bottom()..=chart.bottom() + 4.0, Stroke::new(1.0, p.stroke.control));
        let at = pos2(x, chart.bottom() + 7.0);
        ui.painter().text(at, Align2::LEFT_TOP, label, Type::Micro.font(), p.text.tertiary);
    }
    (chosen, rect)
}

/// Handles clicks and drags. Returns the range that was chosen, and the range to highlight.
fn interact(
    ui: &mut Ui,
    bars: &[Bar],
    created: bool,
    column: &impl Fn(usize) -> Rect,
) -> (Option<BarRange>, Option<BarRange>) {
    let from_id = Id::unique("timeline is drawn from");
    let mut from: Option<usize> = ui.data(|data| data.get_temp(from_id));
    let (mut chosen, mut marked) = (None, None);
    let at_pointer = ui.ctx().pointer_latest_pos().map(|pos| {
        let at = bars.iter().enumerate().position(|(at, _)| pos.x < column(at).right());
        at.unwrap_or(bars.len().saturating_sub(1))
    });
    for (at, bar) in bars.iter().enumerate() {
        let response = ui.interact(column(at), ui.scope_id().with(("bar", at)), sense(bar));
        let words = bar_label(bar, created);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
        focus::ring_if(ui, &response, column(at), 2);
        if response.hovered() || response.has_focus() {
            marked = Some((at, at));
        }
        if response.clicked() {
            chosen = Some((at, at));
        }
        if response.drag_started() {
            from = Some(at);
        }
        if response.drag_stopped()
            && let (Some(from), Some(to)) = (from.take(), at_pointer)
        {
            chosen = Some((from.min(to), from.max(to)));
        }
        hint(response, &words);
    }
    if let (Some(from), Some(to)) = (from, at_pointer) {
        marked = Some((from.min(to), from.max(to)));
    }
    ui.data_mut(|data| match from {
        Some(from) => drop(data.insert_temp(from_id, from)),
        None => data.remove::<usize>(from_id),
    });
    (chosen, marked)
}

/// Returns how a bar reacts to the pointer. An empty bar is no tab stop, but a range may begin or end there.
fn sense(bar: &Bar) -> Sense {
    if bar.counts.total() > 0 { Sense::click_and_drag() } else { Sense::drag() }
}

fn hint(response: Response, words: &str) {
    response.on_hover_ui(|ui| {
        let p = theme::colors(ui);
        crate::ui::widgets::text::line(ui, Type::Strong, p.text.primary, words);
        let more = "Click to list these keys; drag to select a range";
        crate::ui::widgets::text::line(ui, Type::Small, p.text.tertiary, more);
    });
}

fn bar_label(bar: &Bar, created: bool) -> String {
    let count = bar.counts.total();
    let verb = match (created, count == 1) {
        (true, _) => "created",
        (false, true) => "expires",
        (false, false) => "expire",
    };
    format!("{} {verb} {}", plural(count as u64, "key"), bar.words())
}

/// Returns the parts of a bar, bottom up: those that need attention first.
fn parts(bar: &Bar, created: bool) -> impl Iterator<Item = (Status, usize)> {
    let order = Status::ALL.into_iter().filter(move |status| created || *status != Status::Invalidated);
    order.map(|status| (status, bar.counts.of(status))).filter(|(_, count)| *count > 0)
}

/// Returns about seven labels with the index of their bar, always including the first.
fn labels(bars: &[Bar]) -> Vec<(usize, String)> {
    let every = bars.len().div_ceil(7).max(1);
    (0..bars.len()).step_by(every).map(|at| (at, label(&bars[at]))).collect()
}

fn label(bar: &Bar) -> String {
    if bar.last == bar.first.last_of_month() && bar.first.day() == 1 {
        bar.first.strftime("%b %Y").to_string()
    } else {
        bar.first.strftime("%-d %b").to_string()
    }
}

/// Returns the same bars and their colors for a scalable image (SVG).
pub fn svg(bars: &[Bar], created: bool, p: &Palette) -> (Vec<SvgBar>, SvgInk) {
    let labels = labels(bars);
    let bar = |(at, bar): (usize, &Bar)| SvgBar {
        words: bar_label(bar, created),
        label: labels.iter().find(|(own, _)| *own == at).map(|(_, label)| label.clone()),
        count: bar.counts.total(),
        color: html(parts(bar, created).next().map_or(p.text.tertiary, |(status, _)| status::color(status, p))),
    };
    let ink = SvgInk { ground: html(p.surface.raised), title: html(p.text.primary), quiet: html(p.text.tertiary) };
    (bars.iter().enumerate().map(bar).collect(), ink)
}

fn html(color: Color32) -> String {
    format!("#{}", hex::encode(&[color.r(), color.g(), color.b()]))
}

/// Captures a part of the window as an image, once it is drawn.
pub fn picture(ctx: &egui::Context, part: Rect, take: impl FnOnce(egui::ColorImage) + Send + 'static) {
    let scale = ctx.pixels_per_point();
    let callback = egui::ScreenshotCallback::new(move |image: std::sync::Arc<egui::ColorImage>| {
        let pixels = |value: f32, most: usize| ((value * scale).round().max(0.0) as usize).min(most);
        let [width, height] = image.size;
        let (left, right) = (pixels(part.left(), width), pixels(part.right(), width));
        let (top, bottom) = (pixels(part.top(), height), pixels(part.bottom(), height));
        if right > left && bottom > top {
            take(image.region_by_pixels([left, top], [right - left, bottom - top]));
        }
    });
    ctx.send_viewport_cmd(egui::ViewportCommand::Screenshot(callback));
}
