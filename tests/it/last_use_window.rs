//! The last use on a key's page: from the index that the connection names, and why it is not known.

use keybearer::{
    client::{Client, Put},
    model::{connections::profile::Profile, time::calendar},
    ops::{clock, connections::connect, keys::list},
};
use serde_json::json;

use crate::{
    check_secret::made,
    desk::{Desk, RunningSandbox, Setting},
};

const NAME: &str = "watched";

/// Writes an event of a key into an index.
fn put(sandbox: &RunningSandbox, profile: &Profile, index: &str, id: &str, at: &str) {
    let event = json!({ "@timestamp": at, "elasticsearch.audit.apikey.id": id }).to_string();
    let client = Client::new(&profile.endpoint).unwrap();
    let answers = sandbox.runtime.block_on(client.create_documents(index, &[("1", event.as_str())])).unwrap();
    assert_eq!(answers, [Put::Created]);
}

fn page(profile: &Profile, keys: usize) -> Desk {
    let mut desk = Desk::new(Setting { sandbox: Some(profile.clone()), ..Setting::default() });
    desk.wait_for(&format!("All {keys} keys loaded"));
    desk.fill("Search", NAME);
    desk.click_row(NAME);
    desk
}

#[test]
fn the_page_tells_the_last_use_from_the_index_of_the_connection() {
    let sandbox = RunningSandbox::start();
    let mut profile = sandbox.profile_of("elastic");
    let (id, _) = made(&sandbox, NAME);
    let mut desk = page(&profile, 321);
    desk.wait_for("Not known: Elasticsearch does not record it");

    put(&sandbox, &profile, "my-audit", &id, "2026-11-24T12:09:00.000Z");
    profile.endpoint.audit_index = Some("my-audit".into());
    let mut desk = page(&profile, 321);
    desk.wait_for("24 Nov 2026, 13:09");

    profile.endpoint.audit_index = Some("no-such".into());
    let mut desk = page(&profile, 321);
    desk.wait_for("Not known: there is no index no-such that you can read");
}

#[test]
fn before_keys_are_invalidated_it_is_told_which_are_in_use() {
    let sandbox = RunningSandbox::start();
    let mut profile = sandbox.profile_of("elastic");
    let (id, _) = made(&sandbox, NAME);
    let now = calendar::rfc3339(clock::now());
    put(&sandbox, &profile, "my-audit", &id, &now);
    profile.endpoint.audit_index = Some("my-audit".into());
    let mut desk = page(&profile, 321);
    desk.press("Invalidate");
    desk.wait_for("Last use");
    desk.wait("the last use of one key", |desk| {
        desk.texts().iter().any(|text| text.ends_with(" ago)") || text.ends_with("(just now)"))
    });
    desk.press("Cancel");
    desk.press("Close");

    desk.fill("Search", "name:watched or name:payments-*");
    desk.harness.step();
    let label = desk.texts().into_iter().find(|text| text.starts_with("Invalidate the ")).unwrap();
    desk.press(label.trim_end_matches('…'));
    desk.wait_for("1 within the last day (the last one ");
    assert!(desk.sees(" not seen between "), "{:?}", desk.texts());
    // The same findings as the search by their words.
    let findings = desk.texts().into_iter().find(|text| text.contains("unrestricted ")).unwrap();
    let count: usize = findings.split("unrestricted ").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
    desk.press("Cancel");
    desk.fill("Search", "(name:watched or name:payments-*) is:unrestricted -status:invalidated");
    desk.wait_for(&format!("{count} of 321"));
}

#[test]
fn keys_that_are_left_out_are_not_counted_as_in_use() {
    let sandbox = RunningSandbox::start();
    let mut profile = sandbox.profile_of("elastic");
    let session = sandbox.runtime.block_on(connect::connect(&profile.endpoint)).unwrap();
    let list = sandbox.runtime.block_on(list::all(&session, |_| ())).unwrap();
    let managed = list.keys.keys().find(|key| key.managed_by().is_some() && !key.invalidated).unwrap();
    put(&sandbox, &profile, "my-audit", managed.id.as_str(), &calendar::rfc3339(clock::now()));
    profile.endpoint.audit_index = Some("my-audit".into());
    let mut desk = Desk::new(Setting { sandbox: Some(profile), ..Setting::default() });
    desk.wait_for("All 320 keys loaded");
    desk.fill("Search", "is:managed -status:invalidated or name:payments-*");
    desk.harness.step();
    let label = desk.texts().into_iter().find(|text| text.starts_with("Invalidate the ")).unwrap();
    desk.press(label.trim_end_matches('…'));
    desk.wait_for("none of them was seen between ");
    let owners = |desk: &Desk| desk.texts().into_iter().find(|text| text.starts_with("ana 6, boris 6"));
    let before = owners(&desk).unwrap();
    desk.tick("Invalidate keys of other applications too");
    desk.wait_for("1 within the last day (the last one ");
    assert_ne!(owners(&desk), Some(before));
    desk.tick("Invalidate keys of other applications too");
    desk.wait_for("none of them was seen between ");
}
