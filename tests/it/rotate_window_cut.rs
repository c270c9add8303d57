//! Rotations that were interrupted, in the window: by a window that was killed, by a line that was cut, by a
//! successor that does not work.

use keybearer::model::rotation::{State, Tried};

use crate::{
    front::Line,
    rotate_window::{Place, ask, assert_hidden, copied, make_and_copy, settle},
};

/// A window that is killed while the secret is on its card. Gives the encoded successor.
fn killed_at_the_card(place: &Place) -> String {
    let mut desk = place.desk();
    ask(&mut desk, "app");
    make_and_copy(&mut desk)
}

/// A new window, at the question of what one has.
fn asked_what_one_has(place: &Place) -> crate::desk::Desk {
    let mut desk = place.desk();
    desk.press("Overview");
    desk.wait_for("1 interrupted");
    desk.press("Resume rotation of app");
    desk.wait_for("not known whether it arrived");
    settle(&mut desk);
    desk
}

#[test]
fn who_has_the_secret_pastes_it_and_it_is_tried() {
    let place = Place::start(&["app", "other"]);
    let encoded = killed_at_the_card(&place);
    let mut desk = asked_what_one_has(&place);
    desk.fill("Secret of the successor", "id-of-another:AAAAAAAAAAAAAAAAAAAAAA");
    desk.press("Try it");
    desk.wait_for("not the secret of");
    assert!(matches!(place.rotation().state, State::HandingOver { .. }), "nothing is done");
    desk.fill("Secret of the successor", &format!("Authorization: ApiKey {encoded}"));
    desk.press("Try it");
    desk.wait_for("Both keys work");
    assert!(matches!(place.rotation().state, State::Grace { tried: Tried::Live, .. }));
    assert_eq!(place.signs_in(&encoded).as_ref(), place.rotation().successor());
    desk.press("Close rotation");
    assert_hidden(&desk, &encoded);
}

#[test]
fn who_says_that_they_have_it_is_believed_and_that_is_told() {
    let place = Place::start(&["app"]);
    killed_at_the_card(&place);
    let mut desk = asked_what_one_has(&place);
    desk.press("I have it");
    desk.wait_for("Both keys work");
    assert!(desk.sees("Not tested here: you confirmed that you have it"), "{:?}", desk.texts());
    assert!(matches!(place.rotation().state, State::Grace { tried: Tried::Said, .. }));
    desk.press("Close rotation");
    place.let_a_day_go_by();
    desk.press("Refresh");
    desk.wait_for("1 due");
    desk.press("Invalidate the old key of app");
    desk.wait_for("which was never tested from here");
    desk.press("Cancel");
    assert!(!place.is_invalidated(&place.rotation().old.id));
}

#[test]
fn who_does_not_have_it_gets_another_and_the_first_is_ended() {
    let place = Place::start(&["app"]);
    let first = killed_at_the_card(&place);
    let mut desk = asked_what_one_has(&place);
    desk.press("I don’t have it: create another");
    desk.wait_for("Successor created");
    let second = copied(&mut desk);
    assert!(first != second && place.signs_in(&first).is_none(), "nobody knows whose hands the first is in");
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    assert!(place.signs_in(&second).is_some());
    let rotation = place.rotation();
    assert_eq!((rotation.strays.len(), place.is_invalidated(&rotation.old.id)), (1, false));
}

#[test]
fn a_rotation_is_canceled_with_or_without_its_successor() {
    for keep in [false, true] {
        let place = Place::start(&["app"]);
        let encoded = killed_at_the_card(&place);
        let mut desk = place.desk();
        desk.press("Overview");
        desk.press("Cancel rotation of app");
        desk.wait_for("is permanently invalidated");
        if keep {
            desk.tick("Keep the successor valid");
            desk.wait_for("two keys with the same privileges");
        }
        desk.wait("looked at", |desk| desk.is_on("Cancel rotation"));
        settle(&mut desk);
        desk.press("Cancel rotation");
        desk.wait_for("The rotation is canceled");
        let told = format!("The successor {} was invalidated and read back", place.rotation().successor().unwrap());
        assert_eq!((desk.sees(&told), desk.sees("Its successor stays valid")), (!keep, keep), "{:?}", desk.texts());
        assert_eq!(place.signs_in(&encoded).is_some(), keep);
        assert!(!place.is_invalidated(&place.rotation().old.id));
        desk.press("Close rotation");
        desk.wait("no rotation", |desk| !desk.sees("Rotations"));
    }
}

#[test]
fn a_lost_answer_leaves_no_key_that_nobody_knows() {
    let place = Place::start(&["app"]);
    let mut desk = place.desk();
    place.front.when("POST", "/_security/api_key", |_| Line::CutAfter);
    ask(&mut desk, "app");
    desk.press("Rotate 1 key");
    desk.wait_for("The rotation did not finish");
    let valid = || place.keys("app").into_iter().filter(|key| !key.invalidated).count();
    assert_eq!(valid(), 1, "{:?}", desk.texts());
    desk.press("Close rotation");
    place.front.when("POST", "/_security/api_key", |_| Line::Holds(0));
    desk.press("Overview");
    desk.press("Resume rotation of app");
    desk.wait_for("before anyone received the secret");
    settle(&mut desk);
    desk.press("Create another");
    desk.wait_for("Successor created");
    let encoded = copied(&mut desk);
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    assert!(valid() == 2 && place.signs_in(&encoded).is_some());
}

#[test]
fn a_successor_that_can_t_be_tried_ends_nothing_and_is_tried_again() {
    let place = Place::start(&["app"]);
    let mut desk = place.desk();
    ask(&mut desk, "app");
    desk.tick("Compromised: invalidate the old key as soon as the successor works");
    let encoded = make_and_copy(&mut desk);
    place.front.when("GET", "/_security/_authenticate", |_| Line::CutBefore);
    desk.press("I’ve saved it");
    desk.wait_for("The old key is not changed");
    assert!(desk.sees("does not work. Nothing was invalidated"), "{:?}", desk.texts());
    place.front.when("GET", "/_security/_authenticate", |_| Line::Holds(0));
    assert!(!place.is_invalidated(&place.rotation().old.id));
    desk.press("Try again");
    desk.wait_for("The old key is invalidated");
    assert!(place.is_invalidated(&place.rotation().old.id) && place.signs_in(&encoded).is_some());
}

#[test]
fn files_that_can_t_be_read_are_named_and_hide_no_rotation() {
    let place = Place::start(&["app"]);
    killed_at_the_card(&place);
    std::fs::write(place.rotations().folder().join("rotation-torn.json"), "{").unwrap();
    let mut desk = place.desk();
    desk.press("Overview");
    desk.wait_for("1 rotation file can’t be read");
    assert!(desk.sees("rotation-torn.json") && desk.sees("1 interrupted"));
}

#[test]
fn what_was_asked_before_changes_nothing_of_what_is_asked_now() {
    let place = Place::start(&["app", "other"]);
    let mut desk = place.desk();
    place.front.when("GET", "/_security/api_key", |count| Line::Holds(if count < 3 { 1500 } else { 0 }));
    desk.fill("Search", "name:app");
    desk.harness.step();
    desk.click_row("app");
    desk.press("Rotate");
    desk.press("Cancel");
    desk.fill("Search", "name:other");
    desk.harness.step();
    desk.click_row("other");
    desk.press("Rotate");
    desk.wait_for("expires in 9 days");
    std::thread::sleep(std::time::Duration::from_millis(1600));
    settle(&mut desk);
    assert!(desk.sees("Rotate other") && !desk.sees("Rotate app"), "{:?}", desk.texts());
}

#[test]
fn several_keys_can_be_stopped_between_two() {
    let place = Place::start(&["many-a", "many-b", "many-c"]);
    let mut desk = place.desk();
    place.front.when("POST", "/_security/api_key", |_| Line::Holds(1500));
    desk.fill("Search", "name:many-*");
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Rotate");
    desk.wait_for("Folder for the secrets");
    settle(&mut desk);
    desk.fill("Folder for the secrets", place.folder.path().join("new/secrets").to_str().unwrap());
    desk.press("Rotate 3 keys");
    assert!(desk.is_close_refused(), "keys are being rotated");
    desk.press("Stop after this key");
    desk.wait_for("1 of 3 keys rotated");
    assert!(desk.sees("Stopped before this key: unchanged"), "{:?}", desk.texts());
    assert_eq!((place.all().len(), place.keys("many-").len()), (1, 4), "what was not begun is as it was");
}

#[test]
fn a_rotation_that_stands_in_the_way_is_resumed_or_canceled_from_where_it_is_told() {
    let place = Place::start(&["app"]);
    killed_at_the_card(&place);
    let mut desk = place.desk();
    desk.fill("Search", &format!("id:{}", place.rotation().old.id));
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Rotate");
    desk.wait_for("is already being rotated");
    settle(&mut desk);
    assert!(desk.is_on("Resume…") && desk.is_on("Cancel rotation…"), "{:?}", desk.texts());
    desk.press("Resume…");
    desk.wait_for("not known whether it arrived");
    desk.press("Cancel");
    desk.press("Rotate");
    desk.wait_for("is already being rotated");
    settle(&mut desk);
    desk.press("Cancel rotation…");
    desk.wait_for("is permanently invalidated");
}
