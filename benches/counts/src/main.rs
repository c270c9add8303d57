//! Works through what the table of keys does, once each, so that `benches/counts/run` can count the instructions.
//!
//! What is counted must not depend on chance: the keys are the same at every run, one thread does everything, and the
//! clock is not asked.

#[path = "../../common/keys.rs"]
mod keys;

use std::{error::Error, fmt::Write as _, hint::black_box};

use keybearer::{
    client,
    model::{
        filter,
        inventory::{
            Asker, Column, Inventory, Order, RawKey, Sort,
            list_view::{ListSnapshot, ListView, Rows},
        },
        time::{calendar, status::StatusGroup},
    },
};
use keys::NOW;

const COUNT: usize = 20_000;

/// Searches that are counted: each reads another column or index.
const SEARCHES: [&str; 9] = [
    "p",
    "pay",
    "nothing-like-it",
    "owner:ana",
    "can:write on:logs-*",
    "is:administrator",
    "expires:<30d -owner:ana",
    "meta.team:fraud",
    "pay or search",
];

const SORTS: [Column; 6] =
    [Column::Name, Column::ApplicationId, Column::Owner, Column::Can, Column::Expires, Column::Status];

/// Calls `work`: what happens in this function, and nothing else, is counted. `benches/counts/run` knows its name.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
    // Something has to follow, or the call becomes a jump and this function is left too early.
    black_box(());
}

/// Works once uncounted, for what is kept from then on, then once counted.
fn count<T>(name: &str, mut work: impl FnMut() -> T) {
    black_box(work());
    count_first(name, work);
}

fn count_first<T>(name: &str, mut work: impl FnMut() -> T) {
    counted(&mut || drop(black_box(work())));
    println!("{name}");
}

/// Answer of a cluster with all keys.
fn answer() -> Result<String, std::fmt::Error> {
    let mut rows = String::new();
    let mut written = Ok(());
    keys::make(COUNT, |key| written = written.and(write_row(&mut rows, key)));
    written?;
    Ok(format!(r#"{{"total":{COUNT},"count":{COUNT},"api_keys":[{rows}]}}"#))
}

fn write_row(rows: &mut String, key: &RawKey<'_>) -> std::fmt::Result {
    let comma = if rows.is_empty() { "" } else { "," };
    let RawKey { id, name, kind, username, realm, invalidated, .. } = key;
    let created = key.created.as_millis();
    write!(rows, r#"{comma}{{"id":"{id}","name":"{name}","type":"{kind}","creation":{created}"#)?;
    if let Some(expires) = key.expires {
        write!(rows, r#","expiration":{}"#, expires.as_millis())?;
    }
    write!(rows, r#","invalidated":{invalidated},"username":"{username}","realm":"{realm}""#)?;
    for (field, json) in
        [("metadata", key.metadata), ("role_descriptors", key.role_descriptors), ("limited_by", key.limited_by)]
    {
        write!(rows, r#","{field}":{}"#, json.unwrap_or("{}"))?;
    }
    write!(rows, r#","_sort":[{created},"{name}"]}}"#)
}

fn find(inventory: &Inventory, order: &Order, text: &str) -> Option<Rows> {
    let query = filter::parse(text, NOW, &calendar::fixed_zone(1)).ok()?;
    Some(Rows::new(inventory, &query.expr, None, order, NOW, Asker::default()))
}

fn main() -> Result<(), Box<dyn Error>> {
    // This thread is the pool: what another thread does is not counted.
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global()?;
    let answer = answer()?;
    let mut inventory = Inventory::default();
    count_first("read rows", || client::read_answer(answer.as_bytes(), &mut |key| _ = black_box(key)));
    count_first("fill", || keys_of(&answer, &mut inventory));
    assert_eq!(inventory.len(), COUNT, "rows were not read");
    count_first("finish", || inventory.finish());
    count_first("read again", || keys_of(&answer, &mut inventory));
    let order = inventory.order(&[Sort::default()], NOW);
    for text in SEARCHES {
        assert!(find(&inventory, &order, text).is_some(), "{text} is no search");
        count(&format!("find {text}"), || find(&inventory, &order, text));
    }
    for column in SORTS {
        count(&format!("sort by {column:?}"), || inventory.order(&[Sort { column, descending: true }], NOW));
    }
    let sorts = vec![Sort { column: Column::Name, descending: false }];
    let view = ListView { search: "pay".into(), status: Some(StatusGroup::Within7Days), sorts };
    count("list view", || ListSnapshot::of(&inventory, &view, NOW, &calendar::fixed_zone(1), Asker::default()));
    Ok(())
}

/// Reads all keys into an inventory, as a refresh does.
fn keys_of(answer: &str, inventory: &mut Inventory) -> bool {
    let mut put = |key: &RawKey<'_>| {
        inventory.put(key);
    };
    client::read_answer(answer.as_bytes(), &mut put).is_ok()
}
