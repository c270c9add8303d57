//! The presets: their privileges are known to the server, and do what they are for.

use keybearer::model::{
    create::{Draft, RightsChoice, preset::Preset},
    version::Version,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Server, by_key, create, draft, every_server, unique};

fn of(preset: Preset, name: &str, patterns: &[String]) -> Draft {
    Draft { rights: RightsChoice::Preset(preset), patterns: patterns.to_vec(), ..draft(name) }
}

fn own(preset: Preset) -> Vec<String> {
    preset.patterns().iter().map(|text| (*text).to_owned()).collect()
}

/// 7.10 makes such a key and then refuses every request of it, so it is refused beforehand.
fn is_beyond(server: &Server, preset: Preset) -> bool {
    let beyond = preset.needs().filter(|feature| server.version < feature.since());
    beyond.inspect(|feature| server.lacks(feature.words())).is_some()
}

#[test]
fn every_preset_makes_a_key_with_just_its_rights() {
    every_server(async |server| {
        let admin = server.admin().await;
        for preset in Preset::ALL {
            if is_beyond(server, preset) {
                continue;
            }
            let key = create(&admin, &of(preset, &unique(preset.word()), &own(preset))).await;
            if server.version < Version::new(8, 5, 0) {
                server.lacks("descriptors in answers");
                continue;
            }
            let made: Value = serde_json::from_str(&preset.descriptors(&own(preset)).unwrap()).unwrap();
            let told = &server.get_key(&key.id).await["role_descriptors"][preset.word()];
            let made = &made[preset.word()];
            assert_eq!(told["cluster"], made.get("cluster").cloned().unwrap_or(json!([])), "{preset:?}");
            let index = |of: &Value, member: &str| of["indices"][0].get(member).cloned();
            for member in ["names", "privileges"] {
                assert_eq!(index(told, member), index(made, member), "{preset:?}");
            }
        }
    });
}

#[test]
fn a_writer_adds_and_does_not_read_and_a_reader_reads_and_does_not_write() {
    every_server(async |server| {
        let admin = server.admin().await;
        let index = server.index().await;
        let document = || Some(json!({ "@timestamp": "2026-01-01T00:00:00Z", "message": "hello" }));
        for (preset, reads, writes) in [
            (Preset::BeatsWriter, false, true),
            (Preset::LogstashWriter, false, true),
            (Preset::DataStreams, false, true),
            (Preset::GrafanaReader, true, false),
            (Preset::Dashboards, true, false),
        ] {
            if is_beyond(server, preset) {
                continue;
            }
            let key = create(&admin, &of(preset, &unique("preset"), std::slice::from_ref(&index))).await;
            let login = by_key(&key);
            let read = server.call_as(&login, Method::GET, &format!("/{index}/_search"), None).await;
            assert_eq!(read.status == 200, reads, "{preset:?} reads: {}", read.body);
            let create = format!("/{index}/_create/{}", unique("doc"));
            let written = server.call_as(&login, Method::PUT, &create, document()).await;
            assert_eq!(written.status == 201, writes, "{preset:?} writes: {}", written.body);
            let deleted = server.call_as(&login, Method::DELETE, &format!("/{index}/_doc/1"), None).await;
            deleted.refused(403);
        }
        let probe = by_key(&create(&admin, &of(Preset::Monitoring, &unique("preset"), &[])).await);
        server.call_as(&probe, Method::GET, "/", None).await.ok();
        server.call_as(&probe, Method::GET, &format!("/{index}/_search"), None).await.refused(403);
    });
}
