//! The line above the list of keys: the count of each status, and actions on all keys that match.

use eframe::egui::{Align, Layout, Role, Ui, WidgetInfo};

use super::bulk_actions::{self, ButtonWidth};
use crate::{
    app::{Cluster, Command},
    model::{inventory::list_view::ListView, text::number::thousands, time::status::StatusGroup},
    ui::{
        View, theme,
        theme::{Type, size},
        widgets::{
            chip::{self, Shown},
            status,
            status::short_label,
            strip::strip,
            text,
        },
    },
};

/// The distance between two chips, in points.
const GAP: f32 = 6.0;

/// Forms of the chips, from the widest to the narrowest.
#[derive(Clone, Copy, PartialEq)]
enum Chips {
    Labels,
    ShortLabels,
    /// Marks and counts.
    Counts,
    /// Marks alone; the rest is in the tooltip.
    Marks,
}

impl Chips {
    fn shown(self, group: StatusGroup, count: &str) -> Shown<'_> {
        let label = match self {
            Self::Labels => group.label(),
            Self::ShortLabels => short_label(group),
            Self::Counts | Self::Marks => "",
        };
        Shown { label, count: (self != Self::Marks).then_some(count) }
    }
}

/// Forms from the widest to the narrowest; the last one is taken if none fits.
const FORMS: [(Chips, ButtonWidth); 7] = [
    (Chips::Labels, ButtonWidth::Long),
    (Chips::Labels, ButtonWidth::Short),
    (Chips::ShortLabels, ButtonWidth::Short),
    (Chips::Counts, ButtonWidth::Short),
    (Chips::Counts, ButtonWidth::Icon),
    (Chips::Marks, ButtonWidth::Short),
    (Chips::Marks, ButtonWidth::Icon),
];

/// Draws one line of the same height at every width: what lies below it must not move when a page opens beside it. If
/// there is little room, labels become shorter, then counts are dropped; the accessible names stay.
pub(crate) fn ui(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster) {
    let counts = &cluster.rows.counts;
    let total = thousands(counts.total() as u64);
    let chips = StatusGroup::ALL.map(|group| (group, thousands(counts.in_group(group) as u64)));
    let not_known = cluster.rows.not_known.count();
    let room = ui.available_width() - chip::choice_width(ui, None, Shown { label: "All", count: Some(&total) });
    let fits = |(form, actions): &(Chips, ButtonWidth)| {
        let width = |(group, count): &(StatusGroup, String)| {
            GAP + chip::choice_width(ui, Some(status::group_mark(*group)), form.shown(*group, count))
        };
        let chips: f32 = chips.iter().map(width).sum();
        let beside = bulk_actions::room(ui, cluster, *actions) + not_known_room(ui, not_known, *actions);
        chips + beside <= room
    };
    let (form, actions) = FORMS.into_iter().find(fits).unwrap_or((Chips::Marks, ButtonWidth::Icon));
    strip(ui, size::CHIP, Layout::left_to_right(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        if chip::choice(ui, cluster.view.status.is_none(), None, "All", Some(total)).clicked() {
            view.send(Command::SetView(ListView { status: None, ..cluster.view.clone() }));
        }
        for (group, count) in chips {
            let on = cluster.view.status == Some(group);
            let name = format!("{} {count}", group.label());
            let mark = Some(status::group_mark(group));
            if chip::marked_choice(ui, on, mark, &name, form.shown(group, &count)).clicked() {
                let status = (!on).then_some(group);
                view.send(Command::SetView(ListView { status, ..cluster.view.clone() }));
            }
        }
        if not_known > 0 {
            not_known_label(ui, cluster, not_known, actions);
        }
        bulk_actions::invalidate_shown(ui, view, cluster, actions);
    });
}

fn not_known_shown(count: usize, form: ButtonWidth) -> String {
    let count = thousands(count as u64);
    if form == ButtonWidth::Icon { format!("{count} ?") } else { format!("{count} not known") }
}

fn not_known_room(ui: &Ui, count: usize, form: ButtonWidth) -> f32 {
    if count == 0 { 0.0 } else { GAP + text::width(ui, Type::Small, &not_known_shown(count, form)) }
}

fn not_known_label(ui: &mut Ui, cluster: &Cluster, count: usize, form: ButtonWidth) {
    let words = not_known_shown(count, ButtonWidth::Short);
    let why = format!("{words}: these keys may or may not match the search: {}", cluster.why_not_known());
    let color = theme::colors(ui).text.secondary;
    let response = text::line(ui, Type::Small, color, not_known_shown(count, form));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    response.on_hover_text(why);
}
