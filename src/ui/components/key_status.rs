//! Status and badges of a key.

use eframe::egui::{Role, Sense, Ui, WidgetInfo, vec2};

use crate::{
    app::{Cluster, cluster::merged::MergedSource},
    model::{
        Timestamp,
        api_key::{ApiKey, KeyKind},
        time::{expiry, status::Status},
    },
    ui::{
        theme::{Palette, Type, icons, size},
        widgets::{chip, status},
    },
};

/// Text for a value that could not be read.
pub const NOT_KNOWN: &str = "not known";

/// Returns `true` if the remaining time is not known because its value could not be read.
pub fn is_end_unread(key: &ApiKey, status: Status) -> bool {
    status != Status::Invalidated && key.is_unread("expiration")
}

/// Returns the mark of a key; none is claimed if what decides it could not be read.
pub fn mark_of(key: &ApiKey, now: Timestamp) -> status::Mark {
    let status = key.status(now);
    let is_unread = key.is_unread("invalidated") || is_end_unread(key, status);
    if is_unread { status::Mark::NotKnown } else { status::Mark::Of(status) }
}

/// Returns the label of the key's mark.
pub fn status_label(key: &ApiKey, now: Timestamp) -> &'static str {
    if mark_of(key, now) == status::Mark::NotKnown { "status not known" } else { key.status(now).word() }
}

/// Returns the text beside the bar: the remaining time, or when the key was invalidated.
pub fn remaining_text(key: &ApiKey, status: Status, now: Timestamp) -> String {
    match (status, key.invalidated_at) {
        _ if is_end_unread(key, status) => "expiration not known".into(),
        (Status::Invalidated, Some(at)) => format!("invalidated {}", expiry::ago(at, now)),
        (Status::Invalidated, None) => "invalidated".into(),
        _ => expiry::remaining(key.expires, now),
    }
}

/// Label of a key of which something could not be read.
pub const NOT_FULLY_READABLE: &str = "not fully readable";

/// Returns the badges of a key: tone, icon and text of each.
pub fn badges<'a>(
    key: &'a ApiKey,
    cluster: Option<&Cluster>,
    part: Option<&'a MergedSource>,
) -> Vec<(chip::Tone, &'static str, &'a str)> {
    use chip::Tone;
    let mut badges = Vec::new();
    if let Some(part) = part {
        let tone = Tone::Environment(part.environment);
        badges.push((tone, chip::environment_icon(part.environment), part.name.as_str()));
    }
    let own = cluster.and_then(|cluster| cluster.session.value()).and_then(|session| session.own_key());
    if own == Some(&key.id) {
        badges.push((Tone::Accent, icons::PERSON_CHECK, "this session"));
    }
    if key.flaw.is_some() {
        badges.push((Tone::Warning, icons::WARNING, NOT_FULLY_READABLE));
    }
    match &key.kind {
        KeyKind::CrossCluster => badges.push((Tone::Plain, icons::HUB, "cross-cluster")),
        KeyKind::Other(kind) => badges.push((Tone::Plain, icons::HELP, kind.as_str())),
        KeyKind::Rest => {}
    }
    match key.managed_by() {
        Some("fleet") => badges.push((Tone::Plain, icons::DEPLOYED_CODE, "Fleet")),
        Some("kibana") => badges.push((Tone::Plain, icons::DASHBOARD, "Kibana")),
        Some(other) => badges.push((Tone::Plain, icons::DEPLOYED_CODE, other)),
        None => {}
    }
    if key.is_unrestricted() {
        badges.push((Tone::Danger, icons::GPP_MAYBE, "unrestricted"));
    }
    badges
}

/// Paints the status of a key beside its remaining time, for pages and dialogs.
pub fn status_line(ui: &mut Ui, key: &ApiKey, now: Timestamp, p: &Palette) {
    let status = key.status(now);
    let words = remaining_text(key, status, now);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        let (rect, response) = ui.allocate_exact_size(vec2(size::STATUS_MARK, 20.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, status_label(key, now)));
        status::paint_mark(ui.painter(), rect.center(), mark_of(key, now), p);
        crate::ui::widgets::text::line(ui, Type::Strong, status::text_color(status, p), words);
    });
}
