//! What an inventory costs in memory and time, on keys as varied as those of `seed_keys.py`.
//!
//!     cargo bench --bench inventory [-- COUNT…]     by default 10,000, 100,000 and 1,000,000

use std::{hint::black_box, time::Instant};

use keybearer::model::{
    DAY, Millis, filter,
    inventory::{Asker, Column, Inventory, Order, RawKey, Sort, list_view::Rows},
    time::calendar,
};

const NOW: Millis = 1_795_521_600_000;
const ROUNDS: usize = 15;

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

fn fill(count: usize) -> Inventory {
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
    let mut inventory = Inventory::default();
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
        let life = lives.get(dice.roll(7)).map(|days| NOW + days * DAY - dice.roll(86_400_000) as i64);
        inventory.put(&RawKey {
            id: &id,
            name: &name,
            kind: "rest",
            username: owners[dice.roll(6)],
            realm: "native1",
            created: NOW - 200 * DAY + number as i64 * 17,
            expires: life,
            invalidated: dice.roll(10) == 0,
            metadata: Some(&metadata),
            role_descriptors: Some(descriptors[dice.roll(4)]),
            limited_by: Some(&limits[dice.roll(limits.len())]),
            ..RawKey::default()
        });
    }
    inventory
}

/// The median of some rounds, in milliseconds.
fn time<T>(mut work: impl FnMut() -> T) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            black_box(work());
            start.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

fn keystroke(inventory: &Inventory, order: &Order, text: &str) -> f64 {
    time(|| {
        let Ok(query) = filter::parse(text, NOW, &calendar::fixed_zone(1)) else { panic!("{text} is no search") };
        Rows::new(inventory, &query.expr, None, order, NOW, Asker::default())
    })
}

fn main() {
    let counts: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let counts = if counts.is_empty() { vec![10_000, 100_000, 1_000_000] } else { counts };
    let columns = [
        Column::Name,
        Column::ApplicationId,
        Column::Id,
        Column::Owner,
        Column::Kind,
        Column::Roles,
        Column::Can,
        Column::Created,
        Column::Expires,
        Column::Status,
    ];
    let words = [
        "p",
        "pay",
        "payments-ingest",
        "sec-12",
        "nothing-like-it",
        "owner:ana",
        "can:write",
        "can:write on:logs-2026",
        "can:write on:logs-*",
        "can:manage_security",
        "is:administrator",
        "-can:read",
        "expires:<30d -owner:ana",
        "meta.team:fraud",
        "pay or search -status:expired",
    ];
    for count in counts {
        let start = Instant::now();
        let mut inventory = fill(count);
        let filled = start.elapsed();
        let start = Instant::now();
        inventory.finish();
        println!("{count} keys: filled in {filled:.2?}, orders in {:.2?}", start.elapsed());
        println!("  memory               {:>8} B a key (at most 200)", inventory.bytes() / count);
        let order = inventory.order(&[Sort::default()], NOW);
        for text in words {
            println!("  find {text:<32} {:>8.2} ms (at most 16)", keystroke(&inventory, &order, text));
        }
        for column in columns {
            let sort = [Sort { column, descending: true }];
            println!("  sort by {column:<29?} {:>8.2} ms (at most 60)", time(|| inventory.order(&sort, NOW)));
        }
    }
}
