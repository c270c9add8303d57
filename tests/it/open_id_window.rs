//! Sign-in by OpenID Connect in the window: who is signed in, what a person has to do, and what is left after a lock.

use std::sync::Arc;

use keybearer::{
    model::connections::profile::Profile,
    store::vault::{Vault, memory::MemoryVault},
};

use crate::{
    desk::{Desk, Setting},
    open_id_provider::{JwtCluster, Provider, browser},
};

/// A provider and a cluster that accepts its tokens, with the connection to it.
struct Place {
    runtime: tokio::runtime::Runtime,
    provider: Provider,
    _cluster: JwtCluster,
    profile: Profile,
}

impl Place {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (provider, cluster) = runtime.block_on(async {
            let provider = Provider::start().await;
            let cluster = JwtCluster::start(20, &provider).await;
            (provider, cluster)
        });
        let profile = provider.profile(&cluster.sockets.url("http"));
        Self { runtime, provider, _cluster: cluster, profile }
    }

    fn desk(&self, vault: &Arc<MemoryVault>, size: [f32; 2]) -> Desk {
        let _inside = self.runtime.enter();
        let setting = Setting { size, vault: vault.clone(), browser: Some(browser()), ..Setting::default() };
        Desk::new(Setting { profiles: vec![self.profile.clone()], ..setting })
    }
}

/// The text that was put on the clipboard last.
fn copied(desk: &Desk) -> String {
    let commands = &desk.harness.output().platform_output.commands;
    let mut texts = commands.iter().filter_map(|command| match command {
        eframe::egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    texts.next_back().unwrap_or_default()
}

fn names(vault: &MemoryVault) -> Vec<String> {
    vault.names("").unwrap()
}

#[test]
fn the_window_signs_in_by_the_browser_and_signs_out() {
    let place = Place::start();
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let mut desk = place.desk(&vault, [1440.0, 900.0]);
    desk.press("Edit place");
    desk.wait_for("Not signed in");
    desk.press("Connect");
    desk.wait_for("You are not signed in at");
    // The way out begins the sign-in, and then connects.
    desk.press("Sign in…");
    desk.wait_for_keys();
    assert_eq!(names(&vault), ["profile/place", "sign-in/place"]);
    desk.press("Connections");
    desk.wait_for("Signed in as ana");
    assert!(desk.sees("renewed as long as the provider allows"), "{}", desk.texts().join("\n"));

    desk.press("Lock");
    desk.wait_for("were dropped from memory");
    assert!(!desk.texts().iter().any(|text| text.contains("ana")), "{}", desk.texts().join("\n"));

    // In a narrow window the sign-in is in the form.
    let mut desk = place.desk(&vault, [900.0, 1600.0]);
    desk.press("Edit place");
    desk.wait_for("Signed in as ana");
    desk.press("Sign out");
    desk.wait_for("Not signed in");
    assert_eq!(names(&vault), ["profile/place"]);
    place.provider.rule(|rules| rules.error = Some("access_denied"));
    desk.press("Sign in with the browser");
    desk.wait_for("refused the sign-in: access_denied");
    place.provider.rule(|rules| (rules.error, rules.pending) = (None, usize::MAX));
    desk.press("Sign in with a device code");
    desk.wait_for("WDJB-MJHT");
    desk.press("Stop signing in");
    desk.wait_for("Not signed in");
}

#[test]
fn whoever_signs_in_before_saving_is_kept_with_the_connection() {
    let place = Place::start();
    let vault = Arc::new(MemoryVault::like_a_keyring());
    let _inside = place.runtime.enter();
    let setting = Setting { size: [1440.0, 1600.0], browser: Some(browser()), ..Setting::default() };
    let mut desk = Desk::new(Setting { vault: vault.clone(), ..setting });
    desk.press("Add connection");
    desk.choose("SSO");
    desk.press("Sign in with the browser");
    desk.wait_for("Enter the issuer");
    desk.fill("Connection name", "new");
    desk.fill("URL", place.profile.endpoint.url.as_str());
    desk.choose("Development");
    desk.fill("Issuer", &place.provider.sockets.url("http"));
    desk.fill("Client id", "keybearer");
    desk.press("Sign in with the browser");
    desk.wait_for("Signed in as ana");
    assert!(names(&vault).is_empty(), "nobody would find the tokens again");
    desk.press("Save connection");
    desk.wait("the tokens", |_| names(&vault).len() == 2);
    desk.press_at_once(&["Copy what administrators need to set up"]);
    assert!(copied(&desk).contains("allowed_audiences: [ \"keybearer\" ]"));
}
