//! The changes of an update, key by key: metadata, descriptors, expiration, and the owner's snapshot.

use eframe::egui::{ScrollArea, Ui};

use crate::{
    app::{Command, Updating, dialogs::update::UpdateStep},
    model::{
        api_key::{ApiKey, KeyKind},
        guard,
        text::{json, number::plural, sanitize},
        time::calendar,
        update::{Change, Changes, plan::UpdatePlan},
    },
    ui::{
        View, theme,
        theme::{Type, space},
        widgets::{
            code,
            confirm::checkbox,
            notice::{self, Tone},
            text,
        },
    },
};

/// Maximum number of keys that are shown one by one; the rest is only counted.
const SHOWN: usize = 50;
/// Maximum number of changes of the owner's snapshot that are shown.
const OWNER_LINES: usize = 40;
/// Maximum number of characters of a value.
const WIDEST: usize = 200;

/// Draws the review, at most `height` points high.
pub fn ui(ui: &mut Ui, view: &mut View<'_>, plan: &Updating, review: &UpdatePlan, height: f32) {
    confirmations(ui, view, plan, review);
    let p = theme::colors(ui);
    ScrollArea::vertical().id_salt("update review").max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        ui.set_max_width(ui.available_width() - space::M);
        ui.spacing_mut().item_spacing.y = space::S;
        // Of many keys it is one sentence, which must not be below all of them.
        let many = review.planned.len() > 1;
        if many {
            owner(ui, review);
        }
        for planned in review.planned.iter().take(SHOWN) {
            one(ui, view, &planned.seen, &planned.changes, many);
        }
        if review.planned.len() > SHOWN {
            let more = plural((review.planned.len() - SHOWN) as u64, "key");
            text::line(ui, Type::Body, p.text.secondary, format!("… and {more} changed the same way"));
        }
        if review.planned.is_empty() {
            text::line(ui, Type::Body, p.text.secondary, "Nothing would change");
        } else if !review.unchanged.is_empty() {
            let same = plural(review.unchanged.len() as u64, "key");
            text::line(ui, Type::Small, p.text.tertiary, format!("{same} would not change and will be skipped"));
        }
        if !many {
            owner(ui, review);
        }
    });
}

/// Draws what needs a confirmation, with its consequences.
fn confirmations(ui: &mut Ui, view: &mut View<'_>, plan: &Updating, review: &UpdatePlan) {
    if review.lose_limits > 0 {
        let whom = if review.lose_limits == 1 {
            "The key loses its limits".into()
        } else {
            format!("{} lose their limits", plural(review.lose_limits as u64, "key"))
        };
        let line = "Role descriptors of {} mean no restriction: the key can then do everything its owner can";
        notice::banner(ui, Tone::Danger, &whom, line, |_| ());
        if checkbox(ui, plan.confirmed.all_owner_rights, "Give it all the owner’s rights") {
            view.send(Command::from(UpdateStep::AllOwnerRights(!plan.confirmed.all_owner_rights)));
        }
    }
    if review.lose_metadata > 0 {
        let title = "All metadata is removed";
        let line = "This includes its application id, its role names and everything else stored there";
        notice::banner(ui, Tone::Warning, title, line, |_| ());
        if checkbox(ui, plan.confirmed.wipe_metadata, "Remove all metadata") {
            view.send(Command::from(UpdateStep::WipeMetadata(!plan.confirmed.wipe_metadata)));
        }
    }
}

fn one(ui: &mut Ui, view: &View<'_>, key: &ApiKey, changes: &Changes, named: bool) {
    let p = theme::colors(ui);
    if named {
        ui.horizontal(|ui| {
            text::line(ui, Type::Strong, p.text.primary, sanitize::shortened(&key.name, 60));
            text::line(ui, Type::MonoSmall, p.text.tertiary, sanitize::shortened(key.id.as_str(), 40));
        });
    }
    if let Some(product) = guard::product_of(key) {
        let product = sanitize::shortened(product, 40);
        let line = format!("It claims to be created by {product}, which may not expect the change");
        text::line(ui, Type::Small, p.warning.text, line);
    }
    let is_same = changes.metadata.is_empty() && changes.role_descriptors.is_empty() && changes.expiry.is_none();
    if is_same && changes.certificate_identity.is_none() {
        text::line(ui, Type::Body, p.text.secondary, "Your input doesn’t change it");
        return;
    }
    code::ground(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 2.0;
        if let Some((old, new)) = changes.expiry {
            let zone = &view.state.zone;
            let old = old.map_or_else(|| "never".into(), |at| calendar::local(at, zone));
            text::paragraph(ui, Type::Body, p.text.primary, format!("Expires: {old} → {}", calendar::local(new, zone)));
        }
        if let Some((old, new)) = &changes.certificate_identity {
            let text = |identity: &Option<String>| identity.as_deref().map_or_else(|| "null".into(), json::quote);
            let change = Change { path: String::new(), old: Some(text(old)), new: Some(text(new)) };
            lines(ui, "certificate_identity", &[change], 1);
        }
        lines(ui, "metadata", &changes.metadata, usize::MAX);
        let rights = if key.kind == KeyKind::CrossCluster { "access" } else { "role_descriptors" };
        lines(ui, rights, &changes.role_descriptors, usize::MAX);
    });
}

/// Draws one line per change: − for what is removed, + for what is added.
fn lines(ui: &mut Ui, part: &str, changes: &[Change], most: usize) {
    let p = theme::colors(ui);
    for change in changes.iter().take(most) {
        let at = format!("{part}{}", sanitize::shortened(&change.path, WIDEST));
        text::line(ui, Type::MonoSmall, p.text.tertiary, at);
        if let Some(old) = &change.old {
            text::paragraph(ui, Type::MonoSmall, p.danger.text, format!("−\u{a0}{}", sanitize::shortened(old, WIDEST)));
        }
        if let Some(new) = &change.new {
            text::paragraph(
                ui,
                Type::MonoSmall,
                p.success.text,
                format!("+\u{a0}{}", sanitize::shortened(new, WIDEST)),
            );
        }
    }
    if changes.len() > most {
        text::line(ui, Type::Small, p.text.tertiary, format!("… and {} more differences", changes.len() - most));
    }
}

/// Draws the change of the owner's snapshot, which every update takes anew from the owner's current privileges.
fn owner(ui: &mut Ui, review: &UpdatePlan) {
    // A cross-cluster key is not limited by its owner's rights.
    if review.is_cross_cluster() {
        return;
    }
    let mut snapshots = review.planned.iter().filter(|planned| planned.seen.kind == KeyKind::Rest);
    let Some(first) = snapshots.next().map(|planned| &planned.changes) else { return };
    match first.owner_snapshot_changes {
        Some(true) => {
            let title = "The owner’s privileges have changed since the key captured them";
            let line =
                "This update captures the current ones: the key may then be able to do more, or less, than before";
            notice::banner(ui, Tone::Warning, title, line, |_| ());
            code::ground(ui).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 2.0;
                lines(ui, "limited_by", &first.owner_snapshot, OWNER_LINES);
            });
        }
        Some(false) => {
            let p = theme::colors(ui);
            let line = "The owner’s privileges are the same as those in the key: refreshing them changes nothing";
            text::line(ui, Type::Small, p.text.tertiary, line);
        }
        None => {
            let title = "Each update re-captures the owner’s current privileges";
            let line = "Not known whether they differ from those in the key: it may then be able to do more, or less, \
                        than before";
            notice::banner(ui, Tone::Info, title, line, |_| ());
        }
    }
}
