//! How long the library needs for all keys of a real node, beside the same rows fetched in parallel and
//! thrown away, and one raw page of 100 beside the first rows that can be shown. And what it costs the node to send
//! the snapshots of the owners' privileges with the rows.
//!
//!     KEYBEARER_NODE=node.json cargo bench --bench read      (see benches/README.md)

#[path = "common/node.rs"]
mod node;

use std::{
    sync::{Arc, Mutex},
    time::Instant,
};

use keybearer::{
    client::{Client, KeyQuery, Order, measuring::throw_away},
    ops::{
        connections::connect,
        keys::list::{self, ListProgress},
    },
};
use serde_json::json;

const ROUNDS: usize = 5;

/// The ranges of a few thousand keys each that the library reads, too.
async fn ranges(client: &Client) -> Vec<(i64, i64)> {
    let one = |order| {
        let mut query = KeyQuery::new(1);
        query.sort = vec![("creation".into(), order)];
        query
    };
    let first = client.query_api_keys(&one(Order::Ascending)).await.unwrap().keys[0].created.as_millis();
    let last = client.query_api_keys(&one(Order::Descending)).await.unwrap().keys[0].created.as_millis() + 1;
    let interval = format!("{}ms", ((last - first) / 998).max(1));
    let source = json!({ "at": { "date_histogram": { "field": "creation", "fixed_interval": interval } } });
    let aggregation = json!({ "keys": { "composite": { "size": 1000, "sources": [source] } } });
    let (_, answer) = client.count_api_keys(None, Some(&aggregation)).await.unwrap();
    let mut starts = vec![first];
    let mut count = 0;
    for bucket in answer["keys"]["buckets"].as_array().unwrap() {
        let more = bucket["doc_count"].as_u64().unwrap();
        if count + more > 8000 {
            starts.push(bucket["key"]["at"].as_i64().unwrap());
            count = 0;
        }
        count += more;
    }
    let ends = starts.iter().skip(1).copied().chain([last]).collect::<Vec<_>>();
    starts.into_iter().zip(ends).collect()
}

/// All rows, two answers at a time, read off the line and thrown away.
async fn raw(client: &Client, ranges: &[(i64, i64)], with_limited_by: bool) -> usize {
    let waiting = Arc::new(Mutex::new(ranges.to_vec()));
    let reader = move |client: Client, waiting: Arc<Mutex<Vec<(i64, i64)>>>| async move {
        let mut rows = 0;
        loop {
            let Some((from, until)) = waiting.lock().unwrap().pop() else { return rows };
            let mut query = KeyQuery { with_limited_by, ..KeyQuery::new(10_000) };
            query.filter = Some(json!({ "range": { "creation": { "gte": from, "lt": until } } }));
            rows += throw_away(&client, &query).await.unwrap();
        }
    };
    let one = tokio::spawn(reader(client.clone(), Arc::clone(&waiting)));
    let two = tokio::spawn(reader(client.clone(), waiting));
    one.await.unwrap() + two.await.unwrap()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let session = connect::connect(&node::endpoint()).await.unwrap();
    let ranges = ranges(&session.client).await;
    let (mut raws, mut bare, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let (mut pages, mut firsts) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS + 2 {
        let start = Instant::now();
        let mut query = KeyQuery { with_limited_by: true, ..KeyQuery::new(100) };
        query.sort = vec![("creation".into(), Order::Descending), ("name".into(), Order::Ascending)];
        throw_away(&session.client, &query).await.unwrap();
        let page = start.elapsed().as_secs_f64();

        let start = Instant::now();
        raw(&session.client, &ranges, false).await;
        let without_snapshots = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let rows = raw(&session.client, &ranges, true).await;
        let thrown_away = start.elapsed().as_secs_f64();

        let start = Instant::now();
        let first = Arc::new(Mutex::new(None));
        let seen = Arc::clone(&first);
        let read = list::all(&session, move |news| {
            if matches!(news, ListProgress::Part(_)) {
                seen.lock().unwrap().get_or_insert(start.elapsed().as_secs_f64());
            }
        });
        let list = read.await.unwrap();
        let all = start.elapsed().as_secs_f64();
        let first = first.lock().unwrap().unwrap();
        assert_eq!((list.keys.len(), list.shortfall()), (rows, 0), "the library and the raw loop differ");
        println!(
            "{rows} rows: raw {thrown_away:.2} s ({without_snapshots:.2} s without snapshots), library {all:.2} s; a page of 100 {:.1} ms, first rows {:.1} ms{}",
            page * 1000.0,
            first * 1000.0,
            if round < 2 { " (warming up)" } else { "" }
        );
        if round >= 2 {
            raws.push(thrown_away);
            bare.push(without_snapshots);
            whole.push(all);
            pages.push(page);
            firsts.push(first);
        }
    }
    let (raw, bare, all) = (median(raws), median(bare), median(whole));
    println!("snapshots of the owners' privileges: {:.2} × the rows without them", raw / bare);
    println!("whole inventory: {all:.2} s, {:.2} × the raw loop (at most 1.15)", all / raw);
    let (page, first) = (median(pages), median(firsts));
    println!("first rows: {:.1} ms, {:.2} × a raw page of 100 (at most 1.5)", first * 1000.0, first / page);
}
