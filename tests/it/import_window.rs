//! Importing and exporting connections in the window: by pasting, by dropping files, by a path; chosen, completed, and
//! never saved over another one unasked.

use std::{path::Path, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use eframe::egui::{DroppedFile, Event};
use keybearer::{
    model::{
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        secret::Secret,
    },
    store::connections::Profiles,
};

use crate::desk::{Desk, Setting};

const PASSWORD: &str = "hunter2-is-my-secret";

/// A file as the desktop hands it over.
#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window reads it itself, beside its thread".into())
    }
}

fn drop_files(desk: &mut Desk, paths: &[&Path]) {
    let files = paths.iter().map(|path| Arc::new(Dropped(path.to_path_buf())) as _);
    desk.harness.input_mut().dropped_files.extend(files);
    desk.harness.step();
    desk.harness.input_mut().dropped_files.clear();
}

fn paste(desk: &mut Desk, text: &str) {
    desk.harness.event(Event::Paste(text.to_owned()));
    desk.harness.step();
}

fn secret(name: &str, member: &str, value: &str) -> String {
    let value = STANDARD.encode(value);
    format!("kind: Secret\nmetadata:\n  name: {name}\n  namespace: prod\ndata:\n  {member}: {value}\n")
}

fn authority() -> String {
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}

fn desk(profiles: Vec<Profile>) -> Desk {
    let mut desk = Desk::new(Setting { profiles, ..Setting::default() });
    desk.wait("the saved connections", |desk| desk.is_on("Import connections"));
    desk
}

fn saved(name: &str, login: Login) -> Profile {
    let endpoint = Endpoint::new(ClusterUrl::parse("https://own:9200").unwrap(), login);
    let id = ProfileId("0123456789abcdef0123456789abcdef".into());
    Profile { id, name: name.into(), environment: Environment::Staging, endpoint }
}

fn profile(desk: &Desk, name: &str) -> Profile {
    Profiles::new(desk.vault.clone()).by_name(name).unwrap().unwrap()
}

#[test]
fn the_secrets_of_eck_become_a_connection_by_pasting_them() {
    let mut desk = desk(Vec::new());
    let ca = authority();
    paste(&mut desk, &secret("lab-es-elastic-user", "elastic", PASSWORD));
    desk.wait("what was read", |desk| desk.in_dialog("https://lab-es-http.prod.svc:9200"));
    assert!(desk.in_dialog("The CA is missing") && desk.is_off("Save 1 connection"));
    // The other half comes later, and is not a second connection.
    paste(&mut desk, &secret("lab-es-http-certs-public", "ca.crt", &ca));
    desk.wait("the CA", |desk| !desk.in_dialog("The CA is missing"));
    assert!(desk.in_dialog("Choose the environment") && !desk.vault_holds("lab"));
    assert!(!desk.sees(PASSWORD) && !desk.sees(&STANDARD.encode(PASSWORD)), "what was pasted is not shown");
    desk.choose("Development");
    desk.wait("nothing that is missing", |desk| desk.is_on("Save 1 connection"));
    desk.press("Save 1 connection");
    desk.wait("the end of the dialog", |desk| desk.vault_holds("lab") && !desk.in_dialog("Import connections"));
    let profile = profile(&desk, "lab");
    assert_eq!(profile.endpoint.login, Login::Password { username: "elastic".into(), password: Secret::new(PASSWORD) });
    assert!(matches!(profile.endpoint.trust, Trust::Ca(_)), "{:?}", profile.endpoint.trust);
}

#[test]
fn dropped_files_are_read_together_and_what_is_no_connection_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (settings, ca) = (folder.path().join("node.yml"), folder.path().join("ca.crt"));
    std::fs::write(&settings, "cluster.name: logs\nxpack.security.http.ssl.enabled: true\n").unwrap();
    std::fs::write(&ca, authority()).unwrap();
    let mut desk = desk(Vec::new());
    drop_files(&mut desk, &[&settings, &ca]);
    desk.wait("what was read", |desk| desk.in_dialog("https://localhost:9200"));
    assert!(desk.in_dialog("The credential is missing") && desk.is_off("Save 1 connection"));
    // What is no connection leaves what was read.
    let other = folder.path().join("other.txt");
    std::fs::write(&other, "hello").unwrap();
    drop_files(&mut desk, &[&other]);
    desk.wait("the reason", |desk| desk.in_dialog("it is not recognized"));
    assert!(desk.in_dialog("https://localhost:9200"));
    // Completed in the ordinary form.
    desk.press("Edit connection 1");
    desk.wait("the form", |desk| desk.value("URL").as_deref() == Some("https://localhost:9200"));
    assert!(!desk.in_dialog("Import connections") && desk.sees("Kept with the connection"));
    desk.fill("User name", "elastic");
    desk.fill("Password", PASSWORD);
    desk.choose("Development");
    desk.press("Save connection");
    desk.wait("the connection", |desk| desk.vault_holds("logs"));
}

#[test]
fn a_connection_is_replaced_only_when_that_was_ticked_and_the_rest_of_an_import_waits() {
    let text = format!(
        r#"[{{"name":"own","uri":"https://new:9200","username":"ana","password":"{PASSWORD}"}},
            {{"name":"more","uri":"https://more:9200","username":"ana","password":"{PASSWORD}"}}]"#
    );
    let mut desk = desk(vec![saved("own", Login::Bearer(Secret::new("t0ken")))]);
    paste(&mut desk, &text);
    desk.wait("what was read", |desk| desk.in_dialog("There is a connection with this name"));
    // One is edited in the form, and the other one waits.
    desk.press("Edit connection 2");
    desk.wait("the form", |desk| desk.value("URL").as_deref() == Some("https://more:9200"));
    desk.press("Continue import of 1 connection");
    desk.wait("what is left", |desk| desk.in_dialog("https://new:9200") && !desk.in_dialog("https://more:9200"));
    // The form below has the same choice.
    desk.arm();
    let staging = *desk.rects_of(|text| text == "Staging").last().unwrap();
    desk.press_at(staging.center(), 1);
    desk.wait("the environment", |desk| !desk.in_dialog("Choose the environment"));
    assert!(desk.is_off("Save 1 connection"), "it would write over the other one");
    desk.arm();
    desk.tick("Replace the connection own");
    desk.wait("that it can be saved", |desk| desk.is_on("Save 1 connection"));
    desk.press("Save 1 connection");
    desk.wait("the end", |desk| !desk.in_dialog("Import connections"));
    let replaced = profile(&desk, "own");
    assert_eq!(replaced.endpoint.url.as_str(), "https://new:9200");
    assert_eq!(replaced.id.0, "0123456789abcdef0123456789abcdef");
}

#[test]
fn connections_are_exported_without_secrets_and_imported_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.json");
    let login = Login::Password { username: "ana".into(), password: Secret::new(PASSWORD) };
    let mut desk = desk(vec![saved("own", login)]);
    desk.press("Export connections");
    desk.fill("File", path.to_str().unwrap());
    desk.press("Export 1 connection");
    desk.wait("the file", |desk| desk.in_dialog("1 connection exported"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("https://own:9200") && text.contains("\"ana\"") && !text.contains("hunter2"), "{text}");
    desk.press("Export 1 connection");
    desk.wait("the reason", |desk| desk.in_dialog("it exists already"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "nothing is written over");
    desk.press("Close");

    desk.press("Import connections");
    desk.fill("File to import", path.to_str().unwrap());
    desk.press("Read file");
    desk.wait("what was read", |desk| desk.in_dialog("ana (password)"));
    assert!(desk.in_dialog("The credential is missing") && desk.is_off("Save 1 connection"));
    // The dialog has grown, and comes to rest.
    desk.arm();
    desk.tick("Import own");
    desk.wait("nothing to save", |desk| desk.is_off("Save"));
}
