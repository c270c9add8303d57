//! Pictures of rotating: the dialog, the card, the Overview and a key's page; see `pictures.rs`.

use egui_kittest::SnapshotResults;
use keybearer::{
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        rotation::{Beginning, ClusterRef, Destination, OldKey, Person, Rotation, State, Tried},
    },
    store::rotation::Rotations,
};

use crate::pictures::{Cluster, asked_for, keys, take};

const SIZE: [f32; 2] = [1440.0, 900.0];
const NOW: Timestamp = Timestamp::from_millis(1_795_440_727_000);
const HOUR: TimeDelta = TimeDelta::HOUR;

fn write(rotations: &Rotations, number: usize, state: State) {
    let key = &keys()[number];
    let rotation = Rotation::new(Beginning {
        id: format!("rotation{number}"),
        batch: None,
        cluster: ClusterRef { uuid: Some("u".into()), name: Some("payments".into()), url: String::new() },
        at: NOW - 30 * HOUR + TimeDelta::from_millis(number as i64),
        old: OldKey {
            id: KeyId::new(key["id"].as_str().unwrap()),
            name: key["name"].as_str().unwrap().into(),
            owner: Person { username: "ana".into(), realm: "native1".into() },
            rights: String::new(),
        },
        maker: Person { username: "ana".into(), realm: "native1".into() },
        name: key["name"].as_str().unwrap().into(),
        expiration: "90d".into(),
        grace: 24 * HOUR,
        place: Destination::Screen,
        request: "r".into(),
    });
    let mut held = rotations.begin(rotation).unwrap();
    held.rotation.state = state;
    held.save().unwrap();
}

fn grace(successor: usize, left: TimeDelta) -> State {
    let successor = KeyId::new(keys()[successor]["id"].as_str().unwrap());
    State::Grace { successor, due: NOW + left, tried: Tried::Live }
}

#[test]
fn rotating_one_key_and_several() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39283);
    let mut results = SnapshotResults::new();
    let folder = tempfile::tempdir().unwrap();
    let open = |size: [f32; 2], look: &str| {
        let own = folder.path().join(format!("{look}-{}", size[0]));
        cluster.desk_on(size, look, Rotations::at(own))
    };
    for look in ["Light", "Dark"] {
        let suffix = look.to_lowercase();
        let mut desk = open(SIZE, look);
        // What is looked at here is judged by the real clock: these keys never end.
        desk.click_row("legacy-payments-admin");
        desk.press("Rotate");
        desk.wait_for("would belong to ana");
        take(&mut desk, &format!("rotate-other-{suffix}"), &mut results);
        desk.press("Cancel");
        desk.click_row("connectors-sync");
        desk.press("Rotate");
        desk.wait_for("never expires");
        desk.tick("Compromised: invalidate the old key as soon as the successor works");
        take(&mut desk, &format!("rotate-{suffix}"), &mut results);
        desk.press("Rotate 1 key");
        desk.wait_for("Successor created");
        take(&mut desk, &format!("rotate-card-{suffix}"), &mut results);
        desk.press("I’ve saved it");
        take(&mut desk, &format!("rotate-card-asks-{suffix}"), &mut results);
    }
    let mut desk = open([900.0, 600.0], "Dark");
    desk.fill("Search", "name:connectors-* or name:legacy-* or name:risk-* or name:payments-recon*");
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Rotate");
    desk.wait_for("Folder for the secrets");
    take(&mut desk, "rotate-many-small-dark", &mut results);
    drop(cluster.runtime);
}

#[test]
fn rotations_on_the_overview_and_on_a_key_s_page() {
    if !asked_for() {
        return;
    }
    let cluster = Cluster::start(39284);
    let mut results = SnapshotResults::new();
    let folder = tempfile::tempdir().unwrap();
    let rotations = Rotations::at(folder.path().join("rotations"));
    write(&rotations, 0, grace(5, -HOUR));
    write(&rotations, 1, grace(9, -2 * HOUR));
    write(&rotations, 2, State::HandingOver { successor: KeyId::new("VuaCfGcBCdbkQm-e5a99") });
    write(&rotations, 3, grace(11, 23 * HOUR + TimeDelta::MILLISECOND));
    for (size, look, name) in [(SIZE, "Light", "light"), (SIZE, "Dark", "dark"), ([900.0, 600.0], "Dark", "small-dark")]
    {
        let mut desk = cluster.desk_on(size, look, rotations.clone());
        desk.press("Overview");
        desk.wait_for("2 due");
        take(&mut desk, &format!("rotations-overview-{name}"), &mut results);
        desk.press("Resume rotation of logstash-payments-7");
        desk.wait_for("not known whether it arrived");
        take(&mut desk, &format!("rotations-go-on-{name}"), &mut results);
        desk.press("Cancel");
        desk.press("Invalidate all due keys");
        desk.wait_for("No old key can be invalidated");
        take(&mut desk, &format!("rotations-end-{name}"), &mut results);
        desk.press("Cancel");
        desk.press("Keys");
        desk.click_row("chargebacks-writer");
        desk.wait_for("due in 23 hours");
        take(&mut desk, &format!("rotations-key-{name}"), &mut results);
    }
    drop(cluster.runtime);
}
