//! The list and the overview in the window: searched by the language, sorted, selected, exported, counted, and
//! several clusters as one.

use std::collections::BTreeSet;

use eframe::egui::{Event, Key, Modifiers, OutputCommand};
use keybearer::{
    model::{
        TimeDelta,
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        inventory::Column,
        secret::Secret,
        time::status::StatusGroup,
    },
    store::settings_file::SettingsFile,
};
use wiremock::{
    Mock,
    matchers::{method, path},
};

use crate::{
    cli_odd_clusters::{cluster, elastic, row, rows},
    cli_practice::Practice,
    desk::{Desk, RunningSandbox, Setting},
};

fn count(desk: &Desk) -> usize {
    let texts = desk.texts();
    let of = texts.iter().find_map(|text| text.strip_suffix(" of 320")).unwrap_or_else(|| panic!("{texts:?}"));
    of.replace(',', "").parse().unwrap()
}

#[test]
fn the_search_speaks_its_language_and_completes_it() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "owner:bo");
    desk.wait_for("boris, ");
    desk.key(Key::Tab);
    assert_eq!(desk.value("Search").as_deref(), Some("owner:boris "));
    let boris = count(&desk);
    assert!((1..320).contains(&boris), "{boris}");
    desk.fill("Search", "-owner:boris");
    assert_eq!(count(&desk), 320 - boris);
    desk.fill("Search", "owner:boris or -owner:boris");
    assert_eq!(count(&desk), 320);
    desk.fill("Search", "status:expired expires:>30d");
    assert_eq!(count(&desk), 0);
    desk.wait_for("Nothing found");
    desk.press("Show all keys");
    desk.wait_for("320 of 320");
}

#[test]
fn a_slip_in_the_search_is_told_and_the_last_good_rows_stay() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "owner:boris");
    let boris = count(&desk);
    desk.fill("Search", "owner:boris expires:soon ");
    desk.wait_for("“soon” is not a time");
    assert_eq!(count(&desk), boris);
    desk.fill("Search", "owner:boris ownr:x ");
    desk.wait_for("There is no field ownr");
    assert_eq!(count(&desk), boris);
}

#[test]
fn rights_are_searched_by_what_they_mean() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "can:write on:logs-2026");
    let may = count(&desk);
    desk.fill("Search", "can:write on:logs-2026 is:unrestricted");
    let unrestricted = count(&desk);
    assert!(0 < unrestricted && unrestricted <= may && may < 320, "{unrestricted} {may}");
    desk.fill("Search", "can:create_doc on:logs-2026");
    assert!(count(&desk) >= may, "write holds create_doc");
}

#[test]
fn rows_are_selected_by_shift_and_copied() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.key(Key::ArrowDown);
    for _ in 0..3 {
        desk.harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowDown);
        desk.harness.step();
        desk.harness.step();
    }
    desk.wait_for("4 selected");
    desk.harness.event(Event::Copy);
    desk.harness.step();
    let copied = desk.harness.output().platform_output.commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    });
    let copied = copied.expect("nothing was copied");
    assert_eq!(copied.lines().count(), 5, "{copied}");
    assert!(copied.starts_with("name\tid\tapplication id\towner\texpires\n"));
    desk.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    desk.harness.step();
    desk.wait_for("320 selected");
    desk.key(Key::Escape);
    desk.wait("end of the selection", |desk| !desk.sees("320 selected"));
}

#[test]
fn a_range_is_ticked_by_shift_on_the_boxes_too() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    let boxes = |desk: &Desk| -> Vec<eframe::egui::Rect> {
        desk.rects_of(|text| text.starts_with("Select ") && !text.contains("all shown"))
    };
    let places = boxes(&desk);
    desk.press_at(places[7].center(), 1);
    desk.wait_for("1 selected");
    desk.press_at(places[1].center(), 1);
    desk.wait_for("2 selected");
    desk.harness.event(Event::ModifiersChanged(Modifiers::SHIFT));
    desk.harness.step();
    desk.press_at(places[4].center(), 1);
    desk.harness.event(Event::ModifiersChanged(Modifiers::NONE));
    desk.harness.step();
    desk.wait_for("5 selected");
    // Shift is released within the frame of the click.
    let at = places[6].center();
    desk.harness.input_mut().events.push(Event::PointerMoved(at));
    desk.harness.step();
    for pressed in [true, false] {
        let (button, modifiers) = (eframe::egui::PointerButton::Primary, Modifiers::SHIFT);
        desk.harness.input_mut().events.push(Event::PointerButton { pos: at, button, pressed, modifiers });
        desk.harness.step();
    }
    desk.wait_for("7 selected");
}

#[test]
fn arrows_choose_among_completions_and_the_keyboard_stays_in_the_search() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.key(Key::Slash);
    assert!(desk.is_focused("Search"));
    let typed = |desk: &mut Desk, text: &str| {
        for letter in text.chars() {
            desk.harness.event(Event::Text(letter.to_string()));
            desk.harness.step();
        }
        desk.harness.step();
    };
    typed(&mut desk, "owner:");
    desk.wait("completions", |desk| completions(desk).len() > 2);
    let offered = completions(&desk);
    desk.key(Key::ArrowDown);
    desk.key(Key::ArrowDown);
    assert!(desk.is_focused("Search"), "the arrows left the search");
    desk.key(Key::Enter);
    assert_eq!(desk.value("Search").as_deref(), Some(format!("owner:{} ", offered[1]).as_str()));
    assert!(desk.is_focused("Search"));

    typed(&mut desk, "owner:");
    desk.wait("completions", |desk| completions(desk).len() > 2);
    (0..3).for_each(|_| desk.key(Key::ArrowDown));
    desk.key(Key::ArrowUp);
    desk.key(Key::Tab);
    assert!(desk.is_focused("Search"), "Tab left the search");
    assert!(desk.value("Search").unwrap().ends_with(&format!("owner:{} ", offered[1])));
    // Without a list the arrows go on to the table, as before.
    desk.fill("Search", "");
    desk.key(Key::ArrowDown);
    assert!(desk.value("Search").as_deref() == Some(""));
}

/// A key as a keyboard sends it.
fn pressed(key: Key, modifiers: Modifiers) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
}

#[test]
fn what_is_typed_within_one_frame_takes_effect_in_its_order() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    let down = pressed(Key::ArrowDown, Modifiers::NONE);
    let tab = pressed(Key::Tab, Modifiers::NONE);
    let slash = [pressed(Key::Slash, Modifiers::NONE), Event::Text("/".into())];
    let at_once = |desk: &mut Desk, events: &[Event]| {
        desk.harness.input_mut().events.extend_from_slice(events);
        (0..8).for_each(|_| desk.harness.step());
    };
    // The keys that open the search and a whole query, as a slow machine sees them.
    let first = [pressed(Key::O, Modifiers::NONE), Event::Text("o".into())];
    let query = [&slash[..], &first, &[Event::Text("wner:".into()), down.clone(), down.clone(), tab.clone()]].concat();
    at_once(&mut desk, &query);
    let taken = desk.value("Search").unwrap();
    assert!(desk.is_focused("Search"), "the keyboard left the search, which holds {taken:?}");
    desk.harness.event(Event::Text("owner:".into()));
    desk.wait("completions", |desk| completions(desk).len() > 2);
    let offered = completions(&desk);
    assert_eq!(taken, format!("owner:{} ", offered[1]), "the second one was to be taken");
    at_once(&mut desk, &[tab.clone(), Event::Text("x".into())]);
    assert_eq!(desk.value("Search").unwrap(), format!("{taken}owner:{} x", offered[0]));
}

#[test]
fn tab_goes_on_from_the_search_and_back_where_nothing_is_completed() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.key(Key::Slash);
    desk.harness.input_mut().events.extend([Event::Text("boris".into()), pressed(Key::Tab, Modifiers::NONE)]);
    (0..4).for_each(|_| desk.harness.step());
    assert_eq!(desk.value("Search").as_deref(), Some("boris"));
    assert!(!desk.is_focused("Search"), "Tab stays in the search");
    let next = desk.focused().expect("nothing has the keyboard");
    for (key, modifiers, name) in [(Key::Tab, Modifiers::SHIFT, "Search"), (Key::Tab, Modifiers::NONE, next.as_str())] {
        desk.harness.input_mut().events.push(pressed(key, modifiers));
        (0..4).for_each(|_| desk.harness.step());
        assert_eq!(desk.focused().as_deref(), Some(name));
    }
}

#[test]
fn escape_closes_the_list_of_completions_first_and_keeps_what_was_typed() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.key(Key::Slash);
    desk.harness.event(Event::Text("owner:".into()));
    desk.wait("completions", |desk| completions(desk).len() > 2);
    desk.key(Key::Escape);
    assert!(completions(&desk).is_empty() && desk.is_focused("Search"));
    assert_eq!(desk.value("Search").as_deref(), Some("owner:"));
    desk.key(Key::Escape);
    assert!(!desk.is_focused("Search"));
    assert_eq!(desk.value("Search").as_deref(), Some(""));
}

/// The values in the list below the search.
fn completions(desk: &Desk) -> Vec<String> {
    let texts = desk.texts();
    let end = texts.iter().rposition(|text| text.contains("↓ ↑ choose"));
    let of = |text: &String| text.split_once(", ").map(|(value, _)| value.trim_start_matches("owner:").to_owned());
    let list = end.map(|end| &texts[..end]).unwrap_or_default();
    let mut found: Vec<String> = list.iter().rev().map_while(of).collect();
    found.reverse();
    found
}

#[test]
fn escape_closes_the_page_of_a_key_at_every_width() {
    let sandbox = RunningSandbox::start();
    for size in [[900.0, 600.0], [1440.0, 900.0]] {
        let mut desk = Desk::new(Setting { sandbox: Some(sandbox.profile()), size, ..Setting::default() });
        desk.wait_for("All 320 keys loaded");
        desk.key(Key::ArrowDown);
        desk.key(Key::Enter);
        desk.wait_for("What it can do");
        desk.key(Key::Escape);
        desk.wait("the list", |desk| !desk.sees("What it can do"));
    }
    // Where nothing is found there is no table, and the page closes all the same.
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.key(Key::ArrowDown);
    desk.key(Key::Enter);
    desk.wait_for("What it can do");
    desk.fill("Search", "nothing-is-called-so");
    desk.wait_for("Nothing found");
    desk.key(Key::Escape);
    desk.key(Key::Escape);
    desk.wait("the list", |desk| !desk.sees("What it can do"));
}

#[test]
fn old_keys_are_not_called_fresh() {
    let sandbox = RunningSandbox::start();
    let clock = crate::desk::TestClock::default();
    let mut desk = Desk::new(Setting { sandbox: Some(sandbox.profile()), clock: clock.clone(), ..Setting::default() });
    desk.wait_for("All 320 keys loaded");
    assert!(!desk.sees("more than"));
    let now = keybearer::ops::clock::now();
    *clock.lock().unwrap() = Some(now + TimeDelta::from_mins(16));
    desk.harness.step();
    assert!(desk.sees("more than 15 minutes ago"), "{:?}", desk.texts());
    desk.press("Refresh");
    *clock.lock().unwrap() = None;
    desk.wait("fresh keys", |desk| desk.sees("All 320 keys loaded") && !desk.sees("more than"));
}

#[test]
fn columns_are_chosen_and_remembered() {
    let sandbox = RunningSandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let file = SettingsFile::at(folder.path().join("settings.json"));
    let setting = || Setting { sandbox: Some(sandbox.profile()), settings: file.clone(), ..Setting::default() };
    let mut desk = Desk::new(setting());
    desk.wait_for("All 320 keys loaded");
    desk.press("Columns");
    desk.tick("Show Id");
    desk.tick("Show Roles");
    desk.wait_for("Sort by Id");
    desk.wait("no roles", |desk| !desk.sees("Sort by Roles"));
    let kept = |column| file.read().table.columns.iter().any(|shown| shown.column == column);
    desk.wait("the file of settings", |_| kept(Column::Id) && !kept(Column::Roles));
    let mut again = Desk::new(setting());
    again.wait_for("All 320 keys loaded");
    again.wait_for("Sort by Id");
    assert!(!again.sees("Sort by Roles"));
}

#[test]
fn the_list_is_sorted_by_several_columns() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Sort by Owner");
    desk.wait_for("Sort by Owner, ascending");
    desk.press_with("Sort by Expires", Modifiers::SHIFT);
    desk.wait_for("Sort by Expires, ascending");
    assert!(desk.sees("Sort by Owner, ascending"));
}

#[test]
fn what_is_shown_is_exported_to_a_new_file() {
    let sandbox = RunningSandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.csv");
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "owner:boris ");
    let boris = count(&desk);
    desk.press("Export");
    desk.fill("File", &path.display().to_string());
    desk.press(&format!("Export {boris} keys"));
    desk.wait_for(&format!("{boris} keys exported"));
    let text = std::fs::read_to_string(&path).unwrap();
    let mut csv = text.lines();
    assert!(csv.next().unwrap().starts_with("id,name,application_id"));
    assert!(text.contains(",boris,") && !text.contains(",carla,"));
    desk.press(&format!("Export {boris} keys"));
    desk.wait_for("never overwritten");
    desk.press("Close");
}

#[test]
fn the_overview_counts_and_leads_to_what_it_counts() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Overview");
    desk.wait_for("Upcoming expirations");
    let figure = |desk: &Desk, word: &str| {
        let texts = desk.texts();
        let text = texts.iter().find_map(|text| text.strip_prefix(&format!("{word}: "))).expect("no figure");
        text.split(' ').next().unwrap().replace(',', "").parse::<usize>().unwrap()
    };
    let expired = figure(&desk, "Expired");
    let bar = desk.texts().into_iter().find(|text| text.contains(" keys expire ")).expect("no bar of several keys");
    let keys: usize = bar.split(' ').next().unwrap().parse().unwrap();
    desk.press(&bar);
    desk.wait("a search", |desk| desk.value("Search").is_some_and(|text| text.starts_with("expires:20")));
    assert_eq!(count(&desk), keys);

    desk.press("Overview");
    desk.press(&format!("Expired: {expired} keys"));
    desk.wait("the list", |desk| desk.value("Search").as_deref() == Some(""));
    assert_eq!(count(&desk), expired);

    desk.press("Overview");
    let boris = figure(&desk, "boris");
    desk.press(&format!("boris: {boris} keys"));
    desk.wait("a search", |desk| desk.value("Search").as_deref() == Some("owner:boris"));
    assert_eq!(count(&desk), boris);

    desk.press("Overview");
    desk.choose("Creations");
    desk.wait_for("Keys created over time");
    desk.choose("3 years");
    let created: usize = desk
        .texts()
        .iter()
        .filter(|text| text.contains(" created "))
        .filter_map(|t| t.split(' ').next()?.parse::<usize>().ok())
        .sum();
    assert!(created > 0);
}

/// One question, two faces: what the window counts, lists and exports is what the command line does.
#[test]
fn the_window_and_the_command_line_count_the_same_keys() {
    let practice = Practice::with_keys(320);
    let accounts = practice.sandbox().accounts();
    let login =
        Login::Password { username: accounts[0].name.clone(), password: Secret::new(accounts[0].password.as_str()) };
    let endpoint = Endpoint {
        trust: Trust::Fingerprint(Fingerprint::parse(practice.sandbox().fingerprint()).unwrap()),
        timeout: std::time::Duration::from_secs(30),
        ..Endpoint::new(ClusterUrl::parse(practice.sandbox().url()).unwrap(), login)
    };
    let (id, name) = (ProfileId("as officer".into()), "as officer".into());
    let profile = Profile { id, name, environment: Environment::Sandbox, endpoint };
    let mut desk = Desk::new(Setting { sandbox: Some(profile), ..Setting::default() });
    desk.wait_for("All 320 keys loaded");
    let chip = |desk: &Desk, label: &str| -> usize {
        let texts = desk.texts();
        let of = |text: &String| text.strip_prefix(&format!("{label} "))?.replace(',', "").parse().ok();
        texts.iter().find_map(of).unwrap_or_else(|| panic!("no chip {label}: {texts:?}"))
    };
    let folder = tempfile::tempdir().unwrap();
    for group in StatusGroup::ALL {
        let (label, word) = (group.label(), group.word());
        let told: BTreeSet<String> =
            practice.list(&["--status", word]).iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect();
        assert!(!told.is_empty(), "the practice cluster has no key that is {word}");
        desk.fill("Search", "");
        assert_eq!(chip(&desk, label), told.len(), "the chip {label}");
        // The chip's list, as it is exported, and the search of the same word.
        desk.choose(&format!("{label} {}", told.len()));
        assert_eq!(count(&desk), told.len(), "the list below the chip {label}");
        let path = folder.path().join(format!("{word}.csv"));
        desk.press("Export");
        desk.fill("File", &path.display().to_string());
        let keys = if told.len() == 1 { "key" } else { "keys" };
        desk.press(&format!("Export {} {keys}", told.len()));
        desk.wait_for(&format!("{} {keys} exported", told.len()));
        desk.press("Close");
        let text = std::fs::read_to_string(&path).unwrap();
        let exported: BTreeSet<String> =
            text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect();
        let exported: BTreeSet<String> =
            exported.into_iter().filter(|id| told.contains(id) || id.len() == 20).collect();
        let different: Vec<_> = exported.symmetric_difference(&told).collect();
        assert!(different.is_empty(), "the export of {label}: {different:?}");
        desk.choose("All 320");
        desk.fill("Search", &format!("status:{word}"));
        assert_eq!(count(&desk), told.len(), "the search status:{word}");
    }
    desk.press("Overview");
    desk.wait_for("Upcoming expirations");
    for group in StatusGroup::ALL.into_iter().filter(|group| *group != StatusGroup::Later) {
        let number = practice.list(&["--status", group.word()]).len();
        let texts = desk.texts();
        let figure = texts.iter().find_map(|text| text.strip_prefix(&format!("{}: ", group.label())));
        assert_eq!(figure.unwrap().split(' ').next().unwrap(), number.to_string(), "{}", group.label());
    }
    for (days, group) in [("7d", StatusGroup::Within7Days), ("30d", StatusGroup::Within30Days)] {
        let expiring = practice.officer(["expiring", "--within", days, "--ids"]);
        assert_eq!(expiring.out.lines().count(), practice.list(&["--status", group.word()]).len(), "{days}");
    }
}

#[test]
fn moments_that_could_not_be_read_are_not_known_and_neither_1970_nor_never() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(cluster());
    let mut odd = row("odd", false);
    (odd["creation"], odd["expiration"]) = (serde_json::json!("soon"), serde_json::json!({ "in": "a while" }));
    let body = rows(&[row("even", false), odd]);
    let keys = Mock::given(method("POST")).and(path("/_security/_query/api_key")).respond_with(elastic(&body));
    runtime.block_on(keys.mount(&server));
    let mut desk = Desk::connected(&server.uri(), ("ana", "hunter2"), Setting::default());
    desk.fill("Search", "id:odd");
    desk.wait_for("1 of 2");
    let tells = |desk: &Desk| {
        let texts = desk.texts();
        let wrong = |text: &&String| text.contains("1970") || text.contains("never expires") || *text == "never";
        assert_eq!(texts.iter().find(wrong), None, "{texts:?}");
        texts.iter().filter(|text| text.contains("not known")).count()
    };
    assert!(tells(&desk) >= 3, "the mark, the creation and the expiration: {:?}", desk.texts());
    desk.click_row("app");
    desk.wait_for("What it can do");
    assert!(desk.sees("expiration not known") && tells(&desk) >= 5, "{:?}", desk.texts());
    desk.press("Overview");
    desk.wait_for("1 key not fully readable");
}

#[test]
fn keys_are_counted_by_a_field_of_the_metadata() {
    let sandbox = RunningSandbox::start();
    // High enough to need no scrolling.
    let setting = Setting { sandbox: Some(sandbox.profile()), size: [1440.0, 2000.0], ..Setting::default() };
    let mut desk = Desk::new(setting);
    desk.wait_for("All 320 keys loaded");
    desk.press("Overview");
    desk.wait_for("Count by metadata field");
    let chip = desk.texts().into_iter().find(|text| text.starts_with("team ")).expect("no field team");
    desk.choose(&chip);
    desk.press("Stop counting by team");
    desk.wait_for(&chip);
}

fn second(sandbox: &RunningSandbox) -> Profile {
    Profile {
        id: ProfileId("other".into()),
        name: "other".into(),
        environment: Environment::Staging,
        ..sandbox.profile()
    }
}

/// Signed in to both, by connections of their own, with all clusters shown as one.
fn together(one: &RunningSandbox, other: &RunningSandbox) -> Desk {
    let setting = Setting { sandbox: Some(one.profile()), profiles: vec![second(other)], ..Setting::default() };
    let mut desk = Desk::new(setting);
    desk.wait_for("All 320 keys loaded");
    desk.press("Connections");
    desk.press("Edit other");
    desk.press("Connect");
    desk.wait_for("All 320 keys loaded");
    desk.press("Cluster other");
    desk.press("All clusters together");
    desk
}

#[test]
fn several_clusters_are_one_list_and_the_failure_of_one_leaves_the_others() {
    let (first, other) = (RunningSandbox::start(), RunningSandbox::start());
    let mut desk = together(&first, &other);
    desk.wait_for("640 of 640");
    assert!(desk.sees("2 clusters"));
    desk.press("Sort by Key");
    desk.wait_for(", other");
    assert!(desk.sees(", as officer"));

    // What is done to a key is done where it is from.
    let rows = desk.texts().into_iter().filter(|text| text.starts_with("Select ") && !text.contains("all shown"));
    let name = rows.map(|text| text["Select ".len()..].to_owned()).next().unwrap();
    desk.click_row(&name);
    desk.wait_for("What it can do");
    assert!(desk.sees("Cluster"));
    desk.key(Key::Escape);

    drop(other);
    desk.press("Refresh");
    desk.wait_for("other: The cluster can’t be reached, its keys are older");
    desk.wait_for("640 of 640");
    desk.press("Create");
    desk.wait_for("Which cluster?");
}

#[test]
fn a_cluster_that_two_connections_lead_to_is_counted_once() {
    let sandbox = RunningSandbox::start();
    let mut desk = together(&sandbox, &sandbox);
    desk.wait_for("320 of 320");
    assert!(desk.sees("are the same cluster") && desk.sees("1 cluster"), "{:?}", desk.texts());
    assert!(!desk.sees("2 clusters"));
    assert!(desk.sees("Its keys are shown once"));
}

#[test]
fn a_column_is_drawn_wider_by_its_edge() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    let rect = |desk: &Desk| desk.rects_of(|name| name == "Sort by Owner")[0];
    let before = rect(&desk);
    let at = before.left_center() - eframe::egui::vec2(6.0, 0.0);
    desk.harness.hover_at(at);
    desk.harness.step();
    desk.harness.drag_at(at);
    desk.harness.step();
    for step in 1..=4 {
        desk.harness.hover_at(at - eframe::egui::vec2(10.0 * step as f32, 0.0));
        desk.harness.step();
    }
    desk.harness.drop_at(at - eframe::egui::vec2(40.0, 0.0));
    desk.harness.step();
    desk.harness.step();
    let after = rect(&desk);
    assert!((after.width() - before.width() - 40.0).abs() < 2.0, "{before} became {after}");

    // An edge between two columns belongs to the one on its left; the edge follows the pointer.
    let next = |desk: &Desk| desk.rects_of(|name| name == "Sort by Roles")[0];
    let roles = next(&desk);
    let at = roles.right_center() + eframe::egui::vec2(6.0, 0.0);
    drag(&mut desk, at, 12.0);
    let wider = next(&desk);
    assert!((wider.width() - roles.width() - 12.0).abs() < 2.0, "{roles} became {wider}");
    assert!((wider.left() - roles.left()).abs() < 1.0, "only its right edge moves");
    // No neighbor is pushed below its heading.
    let at = wider.right_center() + eframe::egui::vec2(6.0, 0.0);
    drag(&mut desk, at, 400.0);
    let heading = desk.rects_of(|name| name.starts_with("Sort by Created"))[0];
    assert!(heading.width() >= 60.0, "{heading}");
}

/// Drags from a place to the right, in steps.
fn drag(desk: &mut Desk, at: eframe::egui::Pos2, by: f32) {
    desk.harness.hover_at(at);
    desk.harness.step();
    desk.harness.drag_at(at);
    desk.harness.step();
    for step in 1..=4 {
        desk.harness.hover_at(at + eframe::egui::vec2(by * step as f32 / 4.0, 0.0));
        desk.harness.step();
    }
    desk.harness.drop_at(at + eframe::egui::vec2(by, 0.0));
    desk.harness.step();
    desk.harness.step();
}
