//! Pictures of bringing connections: the import with one that is complete and one that is not, and the form of a
//! connection with several addresses and a CA of its own; see `pictures.rs`.

use eframe::egui::Event;
use egui_kittest::SnapshotResults;
use keybearer::model::connections::{
    ca::CaCertificates,
    endpoint::{ClusterUrl, Trust},
};
use rcgen::{CertificateParams, DnType, KeyPair};

use crate::{
    desk::Setting,
    pictures::{Cluster, asked_for, take},
};

const SIZE: [f32; 2] = [1440.0, 900.0];
const SMALL: [f32; 2] = [900.0, 600.0];

const CLUSTERS: &str = r#"[
    {"name":"payments-eu","uri":"https://payments.example.net:9200","username":"officer","password":"hunter2"},
    {"name":"search-us","uri":"https://search-us.example.net:9243"}]"#;

#[test]
fn importing_connections() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39297);
    let mut results = SnapshotResults::new();
    for (size, look, name) in
        [(SIZE, "Light", "import-light"), (SIZE, "Dark", "import-dark"), (SMALL, "Dark", "import-small-dark")]
    {
        let mut desk = cluster.desk_of(look, Setting { size, profiles: vec![cluster.profile()], ..Setting::default() });
        desk.press("Connections");
        desk.harness.event(Event::Paste(CLUSTERS.to_owned()));
        desk.wait_for("search-us");
        desk.arm();
        take(&mut desk, name, &mut results);
    }
}

#[test]
fn a_connection_with_several_addresses() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39295);
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Elasticsearch security auto-configuration HTTP CA");
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let mut profile = cluster.profile();
    profile.name = "payments-us".into();
    profile.id.0.push('2');
    profile.endpoint.trust = Trust::Ca(CaCertificates::read(ca.as_bytes()).unwrap());
    profile.endpoint.url = ClusterUrl::parse("https://es-1.payments.example.net:9200").unwrap();
    profile.endpoint.more_urls = vec![ClusterUrl::parse("https://es-2.payments.example.net:9200").unwrap()];
    let mut results = SnapshotResults::new();
    for (look, name) in [("Light", "connection-addresses-light"), ("Dark", "connection-addresses-dark")] {
        let profiles = vec![cluster.profile(), profile.clone()];
        let mut desk = cluster.desk_of(look, Setting { size: SIZE, profiles, ..Setting::default() });
        desk.press("Connections");
        desk.press("Edit payments-us");
        desk.wait_for("Kept with the connection");
        take(&mut desk, name, &mut results);
    }
}
