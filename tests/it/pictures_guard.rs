//! Pictures of what guards a cluster: the question for its name, the lock, the settings, and the form of a connection
//! with a certificate, a proxy and a protection; see `pictures.rs`.

use std::sync::Arc;

use egui_kittest::SnapshotResults;
use keybearer::{
    app::Command,
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            open_id_draft::OpenIdDraft,
            profile::{Environment, Profile, ProfileId},
            protection::Protection,
        },
        machine_policy::{MachinePolicy, parse},
    },
    store::{journal::Journal, vault::memory::MemoryVault},
};
use rcgen::{CertificateParams, DnType, KeyPair};

use crate::{
    desk::{Desk, Setting},
    pictures::{Cluster, asked_for, take},
};

const SIZE: [f32; 2] = [1440.0, 900.0];
const SMALL: [f32; 2] = [900.0, 600.0];

/// A window on a cluster whose connection has this protection, and is in a keyring.
fn guarded(cluster: &Cluster, size: [f32; 2], look: &str, protection: Protection) -> Desk {
    let mut profile = cluster.profile();
    profile.endpoint.protection = protection;
    let vault = Arc::new(MemoryVault::like_a_keyring());
    cluster.desk_of(look, Setting { size, profiles: vec![profile], vault, ..Setting::default() })
}

#[test]
fn the_question_for_the_name() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39291);
    let mut results = SnapshotResults::new();
    for (size, look, name) in [(SIZE, "Light", "name-question-light"), (SMALL, "Dark", "name-question-small-dark")] {
        let mut desk = guarded(&cluster, size, look, Protection::Name);
        desk.fill("Search", "name:payments-ledger-writer");
        desk.harness.step();
        desk.tick("Select all shown keys");
        desk.press("Invalidate");
        desk.press("Invalidate 1 key");
        desk.wait_for("Confirm by name");
        desk.fill("Connection name", "payments-us");
        desk.key(eframe::egui::Key::Enter);
        desk.wait_for("is not the name of this connection");
        take(&mut desk, name, &mut results);
    }
}

#[test]
fn the_lock_and_the_settings() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39292);
    let mut results = SnapshotResults::new();
    for (size, look, part) in [(SIZE, "Dark", "dark"), (SIZE, "Light", "light"), (SMALL, "Dark", "small-dark")] {
        let mut desk = guarded(&cluster, size, look, Protection::ReadOnly);
        desk.press("Settings");
        desk.wait_for("Lock when idle for");
        take(&mut desk, &format!("settings-{part}"), &mut results);
        desk.press("Lock now");
        desk.wait_for("were dropped from memory");
        take(&mut desk, &format!("lock-{part}"), &mut results);
        desk.press("Unlock");
        desk.wait_for("can’t confirm who you are");
        desk.fill("Connection name", "payments-eu");
        desk.fill("Password, token or API key", "wrong");
        desk.press("Unlock");
        desk.wait_for("No saved connection has this name");
        take(&mut desk, &format!("lock-sign-in-{part}"), &mut results);
    }
}

const RULES: &str = r#"
[journal]
required = true
path = "/var/log/keybearer/{user}"
[tls]
verify_required = true
[connections]
production_protected = true
[lock]
max_idle = "15m"
[clusters]
allowed = ["127.0.0.1", "*.example.net", "es-audit.example.org:9243", "localhost"]
"#;

/// The settings and the form of a connection under rules, and what a file with a fault does to every screen.
#[test]
fn the_rules_of_the_computer() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39294);
    let file = || "/etc/keybearer/policy.toml".into();
    let rules = || MachinePolicy::Rules { file: file(), rules: parse(RULES, "ana").unwrap() };
    let fault = || parse("[lock]\nmax_idle = 15", "ana").unwrap_err();
    let unusable = || MachinePolicy::Unusable { file: file(), fault: fault() };
    let mut results = SnapshotResults::new();
    for (size, look, policy, name) in [
        (SIZE, "Light", rules(), "settings-rules-light"),
        (SMALL, "Dark", rules(), "settings-rules-small-dark"),
        (SIZE, "Dark", unusable(), "settings-unusable-dark"),
    ] {
        let journal = Journal::at("/var/log/keybearer/ana".into());
        let profiles = vec![cluster.profile()];
        let mut desk = cluster.desk_of(look, Setting { size, profiles, policy, journal, ..Setting::default() });
        desk.press("Settings");
        desk.wait_for("Set by this computer");
        take(&mut desk, name, &mut results);
        if name == "settings-rules-light" {
            desk.press("Connections");
            desk.fill("URL", "https://es.example.org:9200");
            desk.wait_for("rule clusters.allowed");
            take(&mut desk, "connection-rules-light", &mut results);
        }
    }
}

#[test]
fn the_form_of_a_guarded_connection() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39293);
    let folder = tempfile::tempdir().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "ana.ruiz");
    params.not_after = rcgen::date_time_ymd(2027, 3, 3);
    let key = KeyPair::generate().unwrap();
    let file = folder.path().join("ana.pem");
    std::fs::write(&file, params.self_signed(&key).unwrap().pem() + &key.serialize_pem()).unwrap();
    let mut results = SnapshotResults::new();
    for (look, name) in [("Light", "connection-guarded-light"), ("Dark", "connection-guarded-dark")] {
        let mut desk = guarded(&cluster, [1440.0, 1300.0], look, Protection::ReadOnly);
        desk.press("Connections");
        desk.press("Add client certificate");
        desk.fill("Certificate file", file.to_str().unwrap());
        desk.press("Add certificate");
        desk.wait_for("CN=ana.ruiz");
        desk.choose("Custom");
        desk.harness.step();
        desk.fill("Proxy address", "socks5://bastion.example.net");
        desk.fill("Proxy user", "ana");
        desk.fill("Proxy password", "hunter2");
        take(&mut desk, name, &mut results);
        if look == "Dark" {
            let mut asked = Profile { id: ProfileId("asked".into()), name: "payments-us".into(), ..cluster.profile() };
            asked.endpoint.asks_credential = true;
            desk.harness.state_mut().send(Command::Connect(Box::new(asked.as_saved())));
            desk.wait_for("is asked for each time");
            take(&mut desk, "credential-question-dark", &mut results);
        }
    }
}

#[test]
fn the_form_of_single_sign_on() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39296);
    let id = ProfileId("sso".into());
    let draft = OpenIdDraft {
        issuer: "https://login.example.net/realms/ops".into(),
        client_id: "keybearer".into(),
        shared_secret: zeroize::Zeroizing::new("hunter2".into()),
        ..OpenIdDraft::new()
    };
    let login = Login::OpenId(Box::new(draft.login(&id).unwrap()));
    let endpoint = Endpoint::new(ClusterUrl::parse("https://es-eu-7.example.net:9200").unwrap(), login);
    let other = Profile { id, name: "search-eu".into(), environment: Environment::Production, endpoint };
    let mut results = SnapshotResults::new();
    for (size, look, name) in
        [(SIZE, "Light", "connection-sso-light"), ([900.0, 1000.0], "Dark", "connection-sso-small-dark")]
    {
        let setting = Setting { size, profiles: vec![cluster.profile(), other.clone()], ..Setting::default() };
        let mut desk = cluster.desk_of(look, setting);
        desk.press("Connections");
        desk.press("Edit search-eu");
        desk.wait_for("Not signed in");
        take(&mut desk, name, &mut results);
    }
}

#[test]
fn the_palette_and_the_shortcuts() {
    use eframe::egui::{Key, Modifiers};
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39298);
    let mut results = SnapshotResults::new();
    for (size, look, part) in [(SIZE, "Dark", "dark"), (SIZE, "Light", "light"), (SMALL, "Dark", "small-dark")] {
        let mut desk = guarded(&cluster, size, look, Protection::Name);
        desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
        desk.harness.step();
        desk.fill("Find a key or run a command", "re");
        desk.wait_for("Refresh");
        desk.wait("the answer", |desk| desk.harness.state().state().overlays.found.typed == "re");
        take(&mut desk, &format!("palette-{part}"), &mut results);
        desk.key(Key::Escape);
        desk.key(Key::F1);
        desk.wait_for("Keyboard shortcuts");
        take(&mut desk, &format!("shortcuts-{part}"), &mut results);
    }
}
