//! Synthetic keys as varied as those of `seed_keys.py`, the same at every run.

use keybearer::model::{TimeDelta, Timestamp, inventory::RawKey};

/// Time that the keys' creation and expiration are counted from.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }
}

/// Twenty letters, as a cluster makes them.
fn id(dice: &mut Dice) -> String {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..20).map(|_| char::from(letters[dice.roll(64)])).collect()
}

/// Makes `count` keys, and calls `put` with each.
pub fn make(count: usize, mut put: impl FnMut(&RawKey<'_>)) {
    let teams = ["payments", "search", "logistics", "billing", "fraud", "mobile", "platform", "analytics"];
    let apps = ["ingest", "dashboard", "backup", "exporter", "crawler", "webhook", "batch", "gateway"];
    let stages = ["prod", "staging", "dev"];
    let owners = ["ana", "boris", "chen", "dilara", "emeka", "farah"];
    let descriptors = [
        "{}",
        r#"{"reader":{"cluster":["monitor"],"indices":[{"names":["logs-*"],"privileges":["read","view_index_metadata"],"allow_restricted_indices":false}],"applications":[],"run_as":[],"metadata":{},"transient_metadata":{"enabled":true}}}"#,
        r#"{"writer":{"cluster":[],"indices":[{"names":["logs-*","metrics-*"],"privileges":["create_doc","auto_configure"]}]}}"#,
        r#"{"editor":{"indices":[{"names":["my_index"],"privileges":["all"]}]},"watcher":{"cluster":["monitor"]}}"#,
    ];
    // Snapshots of owners: a superuser's, and those of 200 people with roles of their own.
    let superuser = r#"[{"superuser":{"cluster":["all"],"indices":[{"names":["*"],"privileges":["all"],"allow_restricted_indices":false},{"names":["*"],"privileges":["monitor","read","view_index_metadata","read_cross_cluster"],"allow_restricted_indices":true}],"applications":[{"application":"*","privileges":["*"],"resources":["*"]}],"run_as":["*"]}}]"#;
    let person = |number: usize| {
        format!(
            r#"[{{"role_{number}":{{"cluster":["manage_own_api_key","monitor"],"indices":[{{"names":["logs-*","team-{number}-*"],"privileges":["read","write","view_index_metadata"]}},{{"names":["my_index"],"privileges":["all"]}}]}}}}]"#
        )
    };
    let limits: Vec<String> = std::iter::once(superuser.to_owned()).chain((0..200).map(person)).collect();
    let lives = [0, 1, 7, 30, 90, 365];
    let mut dice = Dice(42);
    for number in 0..count {
        let (team, app, stage) = (teams[dice.roll(8)], apps[dice.roll(8)], stages[dice.roll(3)]);
        let name = format!("{team}-{app}-{stage}-{number:06}");
        let id = id(&mut dice);
        let metadata = format!(
            r#"{{"team":"{team}","env":"{stage}","ticket":"SEC-{}","tags":["{}","{}"]}}"#,
            dice.roll(10_000),
            apps[dice.roll(8)],
            apps[dice.roll(8)]
        );
        let life = lives
            .get(dice.roll(7))
            .map(|days| NOW + *days * TimeDelta::DAY - TimeDelta::from_millis(dice.roll(86_400_000) as i64));
        put(&RawKey {
            id: &id,
            name: &name,
            kind: "rest",
            username: owners[dice.roll(6)],
            realm: "native1",
            created: NOW - 200 * TimeDelta::DAY + TimeDelta::from_millis(number as i64 * 17),
            expires: life,
            invalidated: dice.roll(10) == 0,
            metadata: Some(&metadata),
            role_descriptors: Some(descriptors[dice.roll(4)]),
            limited_by: Some(&limits[dice.roll(limits.len())]),
            ..RawKey::default()
        });
    }
}
