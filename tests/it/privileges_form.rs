//! Privileges picked in a form: what it makes is what the key gets, and the JSON beside it is the same thing.

use crate::desk::{Desk, RunningSandbox};

fn at_privileges(desk: &mut Desk) {
    desk.press("Create");
    desk.fill("Name", "picked");
    desk.choose("Privileges");
}

#[test]
fn a_key_gets_what_was_picked_in_the_form() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    at_privileges(&mut desk);
    desk.fill("Descriptor", "shipper");
    desk.fill("Cluster privileges", "monitor");
    desk.press("Add indices");
    desk.wait_for("Entry 1 of indices has no names yet");
    desk.fill("Index patterns · Indices 1", "my_ind*, nothing-*");
    desk.wait_for("Matches 1 name that you can see");
    desk.fill("Index privileges · Indices 1", "raed");
    desk.fill("Expiration", "1d");
    desk.wait_for("Index privileges unknown to this cluster: raed");
    desk.fill("Index privileges · Indices 1", "read, ");
    desk.fill("Expiration", "1d");
    desk.press("Create key");
    desk.wait_for("Key created");
    desk.press("Try it");
    desk.wait_for("It works");
    let key = sandbox.key_named("picked");
    let descriptors = &key["role_descriptors"];
    assert_eq!(descriptors["shipper"]["cluster"], serde_json::json!(["monitor"]));
    assert_eq!(descriptors["shipper"]["indices"][0]["names"], serde_json::json!(["my_ind*", "nothing-*"]));
    assert_eq!(descriptors["shipper"]["indices"][0]["privileges"], serde_json::json!(["read"]));
}

#[test]
fn a_word_is_completed_from_the_cluster_s_own_list_and_by_enter() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    at_privileges(&mut desk);
    desk.fill("Cluster privileges", "manage_il");
    assert!(!desk.sees("does not list"), "it is still being typed");
    desk.wait_for("manage_ilm");
    desk.key(eframe::egui::Key::Enter);
    desk.wait("the whole word", |desk| desk.value("Cluster privileges").as_deref() == Some("manage_ilm, "));
    desk.choose("JSON");
    desk.wait("the JSON", |desk| desk.value("Role descriptors").is_some_and(|json| json.contains("\"manage_ilm\"")));
}

#[test]
fn form_and_json_are_two_views_of_one_thing() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    at_privileges(&mut desk);
    desk.choose("JSON");
    desk.fill("Role descriptors", r#"{"a": {"cluster": ["monitor"], "future": {"x": 1}}}"#);
    desk.choose("Form");
    desk.wait_for("Kept as JSON: future");
    assert_eq!(desk.value("Cluster privileges").as_deref(), Some("monitor"));
    desk.fill("Cluster privileges", "monitor, read_ilm");
    desk.choose("JSON");
    let json = desk.value("Role descriptors").unwrap();
    assert!(json.contains("\"future\"") && json.contains("\"read_ilm\""), "{json}");
    desk.fill("Role descriptors", r#"{"a": {"n": 1.0e+2}}"#);
    desk.choose("Form");
    desk.wait_for("This can’t be shown as a form");
    desk.press("Edit as JSON");
    desk.fill("Role descriptors", "{}");
    desk.wait_for("Without any descriptor the key would have all your rights");
}

#[test]
fn one_press_takes_one_word_and_a_taken_name_is_refused_in_words() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    at_privileges(&mut desk);
    desk.fill("Cluster privileges", "manage_i");
    desk.wait_for("manage_ilm");
    desk.hold_pointer_on("manage_ilm");
    desk.wait("one word", |desk| desk.value("Cluster privileges").as_deref() == Some("manage_ilm, "));
    desk.press("Add descriptor");
    desk.fill("Descriptor of descriptor 2", "rights");
    desk.wait_for("There is already a descriptor “rights”");
    desk.fill("Descriptor of descriptor 2", "other");
    desk.wait("no error", |desk| !desk.sees("There is already a descriptor"));
    desk.choose("JSON");
    let json = desk.value("Role descriptors").unwrap();
    assert!(json.contains("\"rights\"") && json.contains("\"other\""), "{json}");
}
