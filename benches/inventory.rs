//! What an inventory costs in memory and time, on keys as varied as those of `seed_keys.py`.
//!
//!     cargo bench --bench inventory [-- COUNT…]     by default 10,000, 100,000 and 1,000,000

#[path = "common/keys.rs"]
mod keys;

use std::{hint::black_box, time::Instant};

use keybearer::model::{
    filter,
    inventory::{Asker, Column, Inventory, Order, Sort, list_view::Rows},
    time::calendar,
};

use keys::NOW;

const ROUNDS: usize = 15;

fn fill(count: usize) -> Inventory {
    let mut inventory = Inventory::default();
    keys::make(count, |key| {
        inventory.put(key);
    });
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
