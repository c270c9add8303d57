//! Rotating in the window: what is shown before, the secret on its card, both keys at work, and the end with proof.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use keybearer::{
    model::{
        TimeDelta,
        api_key::{ApiKey, KeyId},
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
        },
        rotation::{
            Beginning, Destination as SecretPlace, Ended, KeyState, Lineage, OldKey, Outlook, Person, Rotation, State,
            Tried,
        },
        update::draft::UpdateDraft,
    },
    ops::{
        connections::connect,
        create,
        keys::{key_set::KeySet, list},
        update,
        update::plan::{self, Keys},
    },
    store::rotation::Rotations,
};

use crate::{
    desk::{Desk, RunningSandbox, Setting},
    front::Front,
};

/// A practice cluster with keys of the officer, and a folder of rotations that outlives a window.
pub struct Place {
    pub front: Front,
    pub runtime: tokio::runtime::Runtime,
    pub folder: tempfile::TempDir,
}

fn draft(name: &str, metadata: &str) -> create_draft::CreateKey {
    create_draft::of(name, metadata)
}

mod create_draft {
    pub use keybearer::model::create::CreateKey;
    use keybearer::model::{
        Timestamp,
        create::{Draft, RightsChoice, Surroundings},
        version::Edition,
    };

    pub fn of(name: &str, metadata: &str) -> CreateKey {
        let draft = Draft {
            name: name.into(),
            rights: RightsChoice::Nothing,
            expiration: "9d".into(),
            metadata: metadata.into(),
            ..Draft::default()
        };
        let zone = jiff::tz::TimeZone::UTC;
        let around = Surroundings {
            now: Timestamp::EPOCH,
            zone: &zone,
            roles: None,
            edition: Edition::Unknown,
            by_api_key: false,
        };
        draft.check(around, &format!("request-{name}")).unwrap()
    }
}

impl Place {
    pub fn start(names: &[&str]) -> Self {
        Self::start_with(20, names)
    }

    /// With so many keys of the cluster's own.
    pub fn start_with(keys: usize, names: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let front = runtime.block_on(Front::start(keys));
        let place = Self { front, runtime, folder: tempfile::tempdir().unwrap() };
        names.iter().for_each(|name| place.make("officer", name, ""));
        place
    }

    pub fn make(&self, user: &str, name: &str, metadata: &str) {
        self.runtime.block_on(async {
            let session = self.front.session(user).await;
            create::create(&session, &draft(name, metadata)).await.unwrap();
        });
    }

    fn endpoint(&self, login: Login) -> Endpoint {
        let url = ClusterUrl::parse(&self.front.sockets.url("http")).unwrap();
        Endpoint { timeout: Duration::from_secs(90), ..Endpoint::new(url, login) }
    }

    /// A new window on what is there.
    pub fn desk(&self) -> Desk {
        self.desk_with(&self.rotations())
    }

    /// A new window of another machine, whose rotations are elsewhere.
    pub fn desk_with(&self, rotations: &Rotations) -> Desk {
        let setting = Setting { rotations: Some(rotations.clone()), ..Setting::default() };
        Desk::connected(&self.front.sockets.url("http"), ("officer", "officer-password"), setting)
    }

    pub fn rotations(&self) -> Rotations {
        Rotations::at(self.folder.path().join("rotations"))
    }

    pub fn all(&self) -> Vec<Rotation> {
        self.rotations().all().unwrap().rotations
    }

    /// The only rotation, as it is on the disk.
    pub fn rotation(&self) -> Rotation {
        let [rotation] = &self.all()[..] else { panic!("{:?}", self.all()) };
        rotation.clone()
    }

    /// The keys of a name beginning so, as the cluster has them.
    pub fn keys(&self, beginning: &str) -> Vec<ApiKey> {
        self.runtime.block_on(async {
            let list = list::all(&self.front.session("officer").await, |_| ()).await.unwrap();
            list.keys.keys().filter(|key| key.name.starts_with(beginning)).collect()
        })
    }

    pub fn is_invalidated(&self, id: &KeyId) -> bool {
        self.keys("").iter().find(|key| key.id == *id).unwrap().invalidated
    }

    /// Whom an encoded key signs in; `None` when it is refused.
    pub fn signs_in(&self, encoded: &str) -> Option<KeyId> {
        let login = Login::from_api_key_text(encoded).unwrap();
        let session = self.runtime.block_on(connect::connect(&self.endpoint(login))).ok()?;
        session.own_key().cloned()
    }

    /// The grace periods of all are over: a day has gone by here. The cluster's clock goes on as it was, so that the
    /// period is taken away, here and from the successor.
    pub fn let_a_day_go_by(&self) {
        for rotation in self.all() {
            let State::Grace { successor, due, tried } = rotation.state.clone() else { continue };
            self.runtime.block_on(async {
                let session = self.front.session("officer").await;
                let key = session.client.get_api_key(&successor, false).await.unwrap().unwrap();
                let draft = UpdateDraft { remove: "rotation_grace".into(), ..UpdateDraft::default() };
                let keys = Keys::Listed(KeySet::of_keys(&[key]));
                let plan = plan::plan(&session, keys, &draft, &jiff::tz::TimeZone::UTC).await.unwrap();
                let outcome = update::run(&session, &Arc::new(plan), None, &AtomicBool::new(false), |_| ()).await;
                assert!(outcome.failed.is_empty(), "{outcome:?}");
            });
            let mut held = self.rotations().lock(&rotation.id).unwrap();
            held.rotation.state = State::Grace { successor, due: due - TimeDelta::DAY, tried };
            held.rotation.grace = TimeDelta::ZERO;
            held.save().unwrap();
        }
    }
}

/// Opens the page of a key, and what rotating it would make.
pub fn ask(desk: &mut Desk, name: &str) {
    desk.fill("Search", &format!("name:{name} -status:invalidated"));
    desk.harness.step();
    desk.click_row(name);
    desk.press("Rotate");
    desk.wait_for("expires in 9 days");
    settle(desk);
}

/// The dialog grows when what would be made comes in; then its buttons are where they stay.
pub fn settle(desk: &mut Desk) {
    (0..4).for_each(|_| desk.harness.step());
}

/// From the dialog to the card; the secret is copied. Gives the encoded successor.
pub fn make_and_copy(desk: &mut Desk) -> String {
    desk.press("Rotate 1 key");
    desk.wait_for("Successor created");
    copied(desk)
}

pub fn copied(desk: &mut Desk) -> String {
    desk.press("Copy");
    desk.wait_for("On the clipboard");
    desk.clipboard.0.lock().unwrap().clone().unwrap()
}

pub fn assert_hidden(desk: &Desk, encoded: &str) {
    let login = Login::from_api_key_text(encoded).unwrap();
    let Login::ApiKey { secret, .. } = login else { panic!("no key") };
    for text in desk.texts() {
        assert!(!text.contains(encoded) && !text.contains(secret.expose()), "the secret is on the screen: {text}");
    }
}

#[test]
fn one_key_with_a_grace_period_from_its_page_to_its_proved_end() {
    let place = Place::start(&["app"]);
    let mut desk = place.desk();
    ask(&mut desk, "app");
    for words in [
        "Same descriptors, and the owner’s privileges are the same",
        "not known: Elasticsearch does not record it",
        "24 hours",
    ] {
        assert!(desk.sees(words), "{words}: {:?}", desk.texts());
    }
    let old = place.keys("app")[0].id.clone();
    assert!(place.keys("app").len() == 1 && place.all().is_empty(), "nothing was begun by asking");

    desk.press("Rotate 1 key");
    desk.wait_for("Successor created");
    assert!(matches!(place.rotation().state, State::HandingOver { .. }), "on the disk before it is shown");
    assert!(place.rotations().lock(&place.rotation().id).is_err(), "no other process resumes it meanwhile");
    assert!(desk.sees(&format!("Replaces app ({old})")), "{:?}", desk.texts());
    assert!(desk.is_close_refused() && desk.sees("You haven’t saved the secret"));
    desk.press("Go back");
    let encoded = copied(&mut desk);
    assert!(desk.is_close_refused(), "the successor has not been tested yet");
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    assert!(desk.sees("signs in as officer") && desk.sees("names its successor"), "{:?}", desk.texts());
    let new = place.signs_in(&encoded).unwrap();
    assert!(!place.is_invalidated(&old));
    let rotation = place.rotation();
    assert!(matches!(rotation.state, State::Grace { tried: Tried::Live, .. }) && rotation.lineage == Lineage::Written);
    desk.press("Close rotation");
    assert_hidden(&desk, &encoded);

    desk.wait_for(&format!("Successor {new}, due in 23 hours"));
    desk.press("Overview");
    desk.wait_for("1 waiting");
    assert!(desk.sees("due in 23 hours") && !desk.is_on("Invalidate the old key of app"));
    place.let_a_day_go_by();
    desk.press("Refresh");
    desk.wait_for("1 due");
    desk.press("Invalidate the old key of app");
    desk.wait_for("Invalidate 1 old key");
    desk.wait_for("Last use of the old keys: not known");
    settle(&mut desk);
    assert!(desk.sees(old.as_str()) && !place.is_invalidated(&old), "nothing is sent by asking");
    desk.press("Invalidate 1 old key");
    desk.wait_for("1 old key invalidated");
    assert!(desk.sees(&format!(": {old} is invalidated")), "{:?}", desk.texts());
    assert!(place.is_invalidated(&old) && place.signs_in(&encoded) == Some(new));
    assert!(matches!(place.rotation().state, State::Done { how: Ended::Invalidated, .. }));
    desk.press("Close rotation");
    desk.wait("no rotation", |desk| !desk.sees("Rotations"));
}

#[test]
fn a_compromised_key_is_refused_as_soon_as_its_successor_works() {
    let place = Place::start(&["app"]);
    let mut desk = place.desk();
    ask(&mut desk, "app");
    desk.tick("Compromised: invalidate the old key as soon as the successor works");
    assert!(desk.sees("get 401 errors") && !desk.sees("24 hours"), "{:?}", desk.texts());
    let encoded = make_and_copy(&mut desk);
    let old = place.rotation().old.id;
    assert!(!place.is_invalidated(&old), "not before the successor was tried");
    desk.press("I’ve saved it");
    desk.wait_for("The old key is invalidated");
    assert!(desk.sees(&format!(": {old} is invalidated")), "{:?}", desk.texts());
    assert!(place.is_invalidated(&old) && place.signs_in(&encoded).is_some());
    assert_hidden(&desk, &encoded);
}

#[test]
fn a_successor_that_was_not_kept_is_ended_and_the_old_key_stays() {
    let place = Place::start(&["app"]);
    let mut desk = place.desk();
    ask(&mut desk, "app");
    desk.press("Rotate 1 key");
    desk.wait_for("Successor created");
    desk.key(eframe::egui::Key::Escape);
    desk.wait_for("You haven’t saved the secret");
    desk.key(eframe::egui::Key::Escape);
    assert!(!desk.sees("You haven’t saved the secret") && desk.sees("Successor created"), "Escape goes back");
    desk.press("I’ve saved it");
    desk.press("Invalidate the successor, keep the old key");
    desk.wait_for("was invalidated and read back");
    let (old, new) = (place.rotation().old.id, place.rotation().successor().cloned().unwrap());
    assert!(!place.is_invalidated(&old) && place.is_invalidated(&new));
    assert!(matches!(place.rotation().state, State::Abandoned { kept: false, .. }));
    assert!(!desk.sees("Successor created") && !desk.is_close_refused());
}

#[test]
fn a_successor_of_somebody_else_s_key_needs_a_word() {
    let place = Place::start(&[]);
    place.make("ana", "hers", r#"{"managed": true, "managed_by": "fleet"}"#);
    let mut desk = place.desk();
    ask(&mut desk, "hers");
    for words in [
        "It belongs to ana, but its successor would belong to officer",
        "To keep ana as the owner",
        "claims to be created by fleet",
    ] {
        assert!(desk.sees(words), "{words}: {:?}", desk.texts());
    }
    assert!(!desk.is_on("Rotate 1 key"), "it needs two words");
    desk.tick("Make me the owner of the successor");
    assert!(!desk.is_on("Rotate 1 key"), "the other word is missing");
    desk.tick("Rotate keys of other applications too");
    let encoded = make_and_copy(&mut desk);
    assert!(desk.sees("the owner’s privileges have changed"), "{:?}", desk.texts());
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    assert!(desk.sees("only its owner ana can write it"), "{:?}", desk.texts());
    assert!(place.signs_in(&encoded).is_some());
    let owner = |id: &KeyId| place.keys("hers").into_iter().find(|key| key.id == *id).unwrap().owner.username;
    assert_eq!(owner(place.rotation().successor().unwrap()), "officer");
}

#[test]
fn another_name_and_end_are_looked_at_before_they_are_sent() {
    let place = Place::start(&["app"]);
    let mut desk = place.desk();
    ask(&mut desk, "app");
    desk.fill("Successor expires", "soon");
    assert!(!desk.is_on("Rotate 1 key"), "what was typed was not looked at");
    desk.press("Review");
    desk.wait_for("This key can’t be rotated");
    assert!(desk.sees("Not an expiration") && !desk.is_on("Rotate 1 key"), "{:?}", desk.texts());
    desk.press("Cancel");
    desk.press("Rotate");
    desk.wait_for("expires in 9 days");
    settle(&mut desk);
    desk.fill("Name of the successor", "app-2");
    desk.fill("Successor expires", "30d");
    desk.press("Review");
    desk.wait_for("expires in 30 days");
    settle(&mut desk);
    desk.choose("7 days");
    make_and_copy(&mut desk);
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    let new = &place.keys("app-2")[0];
    let days = (new.expires.unwrap() - keybearer::ops::clock::now()) / TimeDelta::DAY;
    assert!((29..=30).contains(&days) && place.rotation().grace == TimeDelta::from_days(7), "{days}");
}

#[test]
fn several_keys_go_to_files_and_one_that_fails_leaves_the_others() {
    let place = Place::start(&["many-a", "many-b", "many-c", "many-d"]);
    let mut desk = place.desk();
    ask(&mut desk, "many-d");
    make_and_copy(&mut desk);
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    desk.press("Close rotation");
    desk.press("Close");

    let id = |name: &str| place.keys(name)[0].id.clone();
    let secrets = place.folder.path().join("secrets");
    let file = |id: &KeyId| -> PathBuf { secrets.join(format!("{id}.key")) };
    std::fs::create_dir(&secrets).unwrap();
    std::fs::write(file(&id("many-b")), "mine").unwrap();
    let old_d = place.rotation().old.id;
    desk.fill("Search", &format!("name:many-* -id:{}", place.rotation().successor().unwrap()));
    desk.harness.step();
    desk.tick("Select all shown keys");
    desk.press("Rotate");
    desk.wait_for("1 key can’t be rotated");
    assert!(desk.sees(&format!("{old_d} is already being rotated")), "{:?}", desk.texts());
    settle(&mut desk);
    desk.fill("Folder for the secrets", secrets.to_str().unwrap());
    desk.press("Rotate 3 keys");
    desk.wait_for("2 of 3 keys rotated");
    assert!(desk.sees("exists already and is never overwritten"), "{:?}", desk.texts());
    for name in ["many-a", "many-c"] {
        let rotation = place.all().into_iter().find(|rotation| rotation.old.name == name).unwrap();
        let text = std::fs::read_to_string(file(&rotation.old.id)).unwrap();
        assert_eq!(place.signs_in(text.trim()).as_ref(), rotation.successor());
        assert!(matches!(rotation.state, State::Grace { tried: Tried::Live, .. }) && rotation.batch.is_some());
        assert_hidden(&desk, text.trim());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(file(&rotation.old.id)).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
    assert_eq!(std::fs::read_to_string(file(&id("many-b"))).unwrap(), "mine");
    assert_eq!(place.keys("many-b").len(), 1, "without room for a secret nothing is made");
    let told = exported(&mut desk, &place.folder.path().join("rotated.csv"), 3);
    let of = |name: &str| told.iter().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{name}: {told:?}"));
    for name in ["many-a", "many-c"] {
        let rotation = place.all().into_iter().find(|rotation| rotation.old.name == name).unwrap();
        let (old, new) = (&rotation.old.id, rotation.successor().unwrap());
        assert!(of(name).starts_with(&format!("rotated,{old},{name},")), "{told:?}");
        assert!(of(name).ends_with(&format!("successor {new}; its secret is in {}", file(old).display())), "{told:?}");
    }
    assert!(of("many-b").starts_with("failed,") && of("many-b").contains("exists already"), "{told:?}");

    // All three that wait are ended together once they are due.
    desk.press("Close rotation");
    place.let_a_day_go_by();
    desk.press("Overview");
    desk.press("Refresh");
    desk.wait_for("3 due");
    desk.press("Invalidate all due keys");
    desk.wait_for("Last use of the old keys: not known");
    settle(&mut desk);
    desk.press("Invalidate 3 old keys");
    desk.wait_for("3 old keys invalidated");
    assert!(place.all().iter().all(|rotation| place.is_invalidated(&rotation.old.id)));
    let told = exported(&mut desk, &place.folder.path().join("ended.csv"), 3);
    let finished: Vec<_> = place.all().into_iter().filter(|rotation| rotation.is_finished()).collect();
    assert_eq!(finished.len(), 3);
    for rotation in finished {
        let line = format!("invalidated,{},{},", rotation.old.id, rotation.old.name);
        assert_eq!(told.iter().filter(|told| told.starts_with(&line)).count(), 1, "{line}: {told:?}");
    }
}

/// Exports the outcomes of this many keys, and returns the lines of the file but the first.
fn exported(desk: &mut Desk, path: &Path, keys: usize) -> Vec<String> {
    desk.press("Export this list");
    desk.fill("File", path.to_str().unwrap());
    desk.press(&format!("Export {keys} keys"));
    desk.wait_for(&format!("{keys} keys exported"));
    let lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().skip(1).map(str::to_owned).collect();
    assert_eq!(lines.len(), keys, "{lines:?}");
    lines
}

#[test]
fn rotations_of_the_practice_cluster_stay_out_of_one_s_own_folder() {
    let sandbox = RunningSandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let own = Rotations::at(folder.path().join("rotations"));
    let setting = Setting { sandbox: Some(sandbox.profile()), rotations: Some(own.clone()), ..Setting::default() };
    let mut desk = Desk::new(setting);
    desk.wait_for("All 320 keys loaded");
    desk.fill("Search", "owner:boris status:active type:rest -is:managed");
    desk.harness.step();
    let name = desk.harness.state().state().cluster().unwrap().id_at(0).unwrap();
    let name = desk.harness.state().state().cluster().unwrap().key(&name).unwrap().name;
    desk.click_row(&name);
    desk.press("Rotate");
    desk.wait_for("would belong to officer");
    settle(&mut desk);
    desk.tick("Make me the owner of the successor");
    make_and_copy(&mut desk);
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    desk.press("Close rotation");
    desk.press("Overview");
    desk.wait_for("1 waiting");
    assert!(own.all().unwrap().rotations.is_empty() && !own.folder().exists());
}

/// A key of each standing, as the cluster has it.
fn key_of_each_standing(place: &Place) -> Vec<(KeyState, KeyId)> {
    let now = keybearer::ops::clock::now();
    let all = place.keys("");
    let first = |state: KeyState| {
        let key = all.iter().find(|key| KeyState::of(key, now) == state);
        (state, key.unwrap_or_else(|| panic!("no key is {state:?}")).id.clone())
    };
    let gone = (KeyState::Gone, KeyId::new("gone-1"));
    vec![first(KeyState::Valid), first(KeyState::Expired), first(KeyState::Invalidated), gone]
}

#[test]
fn a_rotation_is_told_by_how_both_of_its_keys_stand() {
    let place = Place::start_with(120, &["app"]);
    let keys = key_of_each_standing(&place);
    let cluster = place.runtime.block_on(async {
        keybearer::ops::connections::cluster_identity::current(&place.front.session("officer").await).await.unwrap()
    });
    let now = keybearer::ops::clock::now();
    let mut names = Vec::new();
    for (old_state, old) in &keys {
        for (new_state, new) in &keys {
            let name = format!("{} {}", old_state.word(), new_state.word());
            let rotation = Rotation::new(Beginning {
                id: name.replace(' ', "-"),
                batch: None,
                cluster: cluster.clone(),
                at: now,
                old: OldKey { id: old.clone(), name: name.clone(), ..OldKey::default() },
                maker: Person { username: "officer".into(), ..Person::default() },
                name: name.clone(),
                expiration: "9d".into(),
                grace: TimeDelta::DAY,
                place: SecretPlace::Screen,
                request: "q".into(),
            });
            let mut held = place.rotations().begin(rotation).unwrap();
            let successor = new.clone();
            held.rotation.state = State::Grace { successor, due: now + TimeDelta::from_hours(22), tried: Tried::Live };
            held.save().unwrap();
            names.push((name, *old_state, *new_state));
        }
    }
    let mut desk = place.desk();
    desk.press("Overview");
    // Of 16 pairs 9 are dead and 3 have a dead successor; 3 have a dead old key, and one waits.
    desk.wait_for("3 due, 12 to be closed, 1 waiting");
    let profile = desk.harness.state().state().cluster().unwrap().profile.id.clone();
    for rotation in place.all() {
        let (_, old, new) = names.iter().find(|(name, ..)| *name == rotation.name).unwrap();
        let outlook = desk.harness.state().state().outlook(&profile, &rotation);
        let is_right = match (old.has_ended(), new.has_ended()) {
            (true, true) => matches!(outlook, Outlook::Dead(_)),
            (true, false) => outlook == Outlook::OldEnded(*old),
            (false, true) => outlook == Outlook::SuccessorEnded(*new),
            (false, false) => matches!(outlook, Outlook::Next(_)),
        };
        assert!(is_right, "{}: {outlook:?}", rotation.name);
    }

    desk.press("Close rotation of expired expired");
    desk.wait_for("Both keys are expired: close the rotation");
    assert!(!desk.sees("Keep the successor valid") && !desk.sees("The old key is not changed"), "{:?}", desk.texts());
    // No key of it proves anything, and none is touched.
    desk.wait("looked at", |desk| desk.is_on("Close rotation"));
    settle(&mut desk);
    desk.press("Close rotation");
    desk.wait_for("The rotation is canceled");
    let state = |name: &str| place.all().into_iter().find(|rotation| rotation.name == name).unwrap().state;
    assert!(matches!(state("expired expired"), State::Abandoned { kept: false, .. }), "{:?}", state("expired expired"));
}

#[test]
fn a_rotation_whose_successor_is_not_proved_is_closed_and_no_key_ends() {
    let place = Place::start(&["app", "other"]);
    let mut desk = place.desk();
    ask(&mut desk, "app");
    make_and_copy(&mut desk);
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    desk.press("Close rotation");
    let other = place.keys("other")[0].id.clone();
    let mut held = place.rotations().lock(&place.rotation().id).unwrap();
    let State::Grace { due, tried, .. } = held.rotation.state else { panic!("no grace") };
    held.rotation.state = State::Grace { successor: other, due, tried };
    held.save().unwrap();
    drop(held);
    desk.press("Overview");
    desk.press("Refresh");
    desk.wait("read again", |desk| {
        let rows = desk.harness.state().state().open_rotations();
        rows.len() == 1 && rows[0].rotation.successor() == place.rotation().successor()
    });
    // That is said before anything is pressed, and the rotation can be closed all the same.
    desk.press("Cancel rotation of app");
    desk.wait_for("can't be verified as the successor");
    settle(&mut desk);
    assert!(!desk.is_on("Cancel rotation"), "{:?}", desk.texts());
    desk.tick("Keep the successor valid");
    desk.wait("allowed", |desk| desk.is_on("Cancel rotation"));
    settle(&mut desk);
    desk.press("Cancel rotation");
    desk.wait_for("Its successor stays valid");
    assert!(matches!(place.rotation().state, State::Abandoned { kept: true, .. }), "{:?}", place.rotation().state);
    assert!(place.keys("").iter().filter(|key| key.owner.username == "officer").all(|key| !key.invalidated));
}

#[test]
fn an_end_that_would_be_refused_is_said_to_be_before_anything_is_pressed() {
    let place = Place::start(&["app"]);
    let mut desk = place.desk();
    ask(&mut desk, "app");
    make_and_copy(&mut desk);
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    desk.press("Close rotation");
    // By what is written down here the day is over, and by the cluster's clock it is not.
    let mut held = place.rotations().lock(&place.rotation().id).unwrap();
    let State::Grace { successor, due, tried } = held.rotation.state.clone() else { panic!("no grace") };
    held.rotation.state = State::Grace { successor, due: due - TimeDelta::DAY, tried };
    held.save().unwrap();
    drop(held);
    desk.press("Overview");
    desk.press("Refresh");
    desk.wait_for("1 due");
    desk.press("Invalidate the old key of app");
    desk.wait_for("by the cluster's own clock");
    settle(&mut desk);
    assert!(desk.sees("Left unchanged") && desk.sees("No old key can be invalidated"), "{:?}", desk.texts());
    assert!(!desk.sees("Invalidate 0"), "{:?}", desk.texts());
    assert!(!place.is_invalidated(&place.rotation().old.id));
}

#[test]
fn a_key_that_another_machine_is_rotating_needs_a_word() {
    let place = Place::start(&["app"]);
    let other = tempfile::tempdir().unwrap();
    let mut there = place.desk_with(&Rotations::at(other.path().join("rotations")));
    ask(&mut there, "app");
    make_and_copy(&mut there);
    there.press("I’ve saved it");
    there.wait_for("Both keys work");
    let old = place.keys("app").into_iter().min_by_key(|key| key.created).unwrap();
    let successor = place.keys("app").into_iter().find(|key| key.id != old.id).unwrap();

    let mut desk = place.desk();
    desk.fill("Search", &format!("id:{}", old.id));
    desk.harness.step();
    desk.click_row("app");
    desk.press("Rotate");
    desk.wait_for("is already being rotated");
    settle(&mut desk);
    assert!(desk.sees(successor.id.as_str()) && !desk.is_on("Rotate 1 key"), "{:?}", desk.texts());
    desk.tick("Create another successor anyway");
    make_and_copy(&mut desk);
    desk.press("I’ve saved it");
    desk.wait_for("Both keys work");
    assert_eq!(place.rotation().accepted, [successor.id]);
}
