//! Kinds of recipients of a new key, and what each needs.

use eframe::egui;

use crate::{
    app::Cluster,
    model::create::new_key::KeyFor,
    ops::{Problem, connections::capabilities::Capability},
    ui::widgets::field,
};

/// Label of the field for a password.
pub(crate) const PASSWORD: &str = "User’s password";

/// Label of the field for an access token.
pub(crate) const TOKEN: &str = "User’s access token";

/// Kinds of keys besides one's own, with label and required capability.
pub(crate) const OTHERS: [(KeyFor, &str, Capability); 2] = [
    (KeyFor::Another, "For another user", Capability::Grant),
    (KeyFor::RemoteCluster, "For a remote cluster", Capability::CrossCluster),
];

/// Returns what the cluster lacks for a capability; `None` if nothing, or if it was not asked.
pub(crate) fn missing(cluster: &Cluster, offer: Capability) -> Option<&Problem> {
    cluster.offered.value().and_then(|offered| offered.missing(offer))
}

/// Returns the reason why a key of this kind can't be created here, if it is known beforehand.
pub(crate) fn hindrance(cluster: &Cluster, kind: KeyFor) -> Option<String> {
    let (_, _, offer) = OTHERS.iter().find(|(own, ..)| *own == kind)?;
    missing(cluster, *offer).map(|problem| problem.title.clone())
}

/// Forgets everything that could bring a credential back.
pub(crate) fn forget(ctx: &egui::Context) {
    field::forget_histories(ctx, &[PASSWORD, TOKEN]);
}
