//! What people expect around the window: the command palette, shortcuts, menus of rows, going back, double clicks.

use eframe::egui::{Event, Key, Modifiers, OutputCommand, PointerButton, Pos2};
use keybearer::app::{Overlay, Screen};

use crate::desk::{Desk, RunningSandbox, Setting};

fn chord(desk: &mut Desk, modifiers: Modifiers, key: Key) {
    desk.harness.key_press_modifiers(modifiers, key);
    desk.harness.step();
    desk.harness.step();
}

fn overlay(desk: &Desk) -> Option<Overlay> {
    desk.harness.state().state().overlays.open
}

fn screen(desk: &Desk) -> Screen {
    desk.harness.state().state().screen
}

/// Opens the palette and types into it.
fn search(desk: &mut Desk, text: &str) {
    chord(desk, Modifiers::COMMAND, Key::K);
    desk.fill("Find a key or run a command", text);
}

fn press_pointer(desk: &mut Desk, at: Pos2, button: PointerButton) {
    desk.harness.input_mut().events.push(Event::PointerMoved(at));
    desk.harness.step();
    for pressed in [true, false] {
        let modifiers = Modifiers::NONE;
        desk.harness.input_mut().events.push(Event::PointerButton { pos: at, button, pressed, modifiers });
        desk.harness.step();
    }
    desk.harness.step();
}

/// Presses a row and returns what was copied by it.
fn copied_by(desk: &mut Desk, row: &str) -> Option<String> {
    desk.arm();
    let at = desk.button_at(row);
    desk.harness.input_mut().events.push(Event::PointerMoved(at));
    let mut copied = None;
    for pressed in [true, false] {
        let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
        desk.harness.input_mut().events.push(Event::PointerButton { pos: at, button, pressed, modifiers });
        desk.harness.step();
        copied = copied.or(desk.harness.output().platform_output.commands.iter().find_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        }));
    }
    desk.harness.step();
    copied
}

fn row_at(desk: &Desk, name: &str) -> Pos2 {
    let is_cell = |text: &str| text.strip_prefix(name).is_some_and(|rest| rest.starts_with(","));
    desk.rects_of(is_cell)[0].left_center() + eframe::egui::vec2(6.0, 0.0)
}

#[test]
fn the_palette_finds_keys_commands_and_screens_and_only_opens_dialogs() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    search(&mut desk, "ledger wri");
    assert_eq!(overlay(&desk), Some(Overlay::Palette));
    desk.wait_for("Key payments-ledger-writer");
    // While it is open, what lies below takes no keys.
    chord(&mut desk, Modifiers::COMMAND, Key::Num1);
    assert_eq!(screen(&desk), Screen::Keys);
    desk.key(Key::Enter);
    assert_eq!(overlay(&desk), None);
    let open = |desk: &Desk| desk.harness.state().state().cluster().and_then(|cluster| cluster.open_key());
    assert_eq!(open(&desk).map(|key| key.name).as_deref(), Some("payments-ledger-writer"));
}

#[test]
fn commands_on_the_open_key_come_first_and_open_their_dialog() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "name:payments-ledger-writer");
    desk.click_row("payments-ledger-writer");
    search(&mut desk, "inval");
    desk.wait_for("Invalidate payments-ledger-writer…");
    desk.key(Key::Enter);
    desk.wait("the dialog", |desk| desk.in_dialog("payments-ledger-writer"));
    assert!(desk.is_on("Invalidate 1 key"), "nothing was sent");
    // A dialog is answered first.
    chord(&mut desk, Modifiers::COMMAND, Key::K);
    assert_eq!(overlay(&desk), None);
}

#[test]
fn arrows_choose_and_escape_closes_and_the_rest_goes_to_the_list() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    search(&mut desk, "journal");
    desk.key(Key::ArrowDown);
    desk.key(Key::Enter);
    assert_eq!((screen(&desk), overlay(&desk)), (Screen::Journal, None), "“Search all keys” comes before it");
    search(&mut desk, "payments");
    desk.key(Key::Escape);
    assert_eq!((screen(&desk), overlay(&desk)), (Screen::Journal, None));
    search(&mut desk, "payments-ledger");
    desk.wait_for("Key payments-ledger-writer");
    chord(&mut desk, Modifiers::COMMAND, Key::Enter);
    assert_eq!(screen(&desk), Screen::Keys);
    assert!(desk.value("Search").unwrap().starts_with("id:"), "{:?}", desk.value("Search"));
    search(&mut desk, "payments wri");
    // The rows below move when the keys come in.
    desk.wait_for("Key payments-ledger-writer");
    desk.press("Search all keys for “payments wri”");
    assert_eq!(desk.value("Search").as_deref(), Some("payments wri"));
}

#[test]
fn shortcuts_are_listed_and_nothing_answers_while_locked() {
    let mut desk = Desk::new(Setting::default());
    desk.wait_for("Add connection");
    desk.key(Key::F1);
    assert!(desk.in_dialog("Find a key or run a command") && desk.in_dialog("Ctrl+K"), "{:?}", desk.texts());
    desk.key(Key::Escape);
    assert_eq!(overlay(&desk), None);
    desk.key(Key::Questionmark);
    assert_eq!(overlay(&desk), Some(Overlay::Shortcuts));
    desk.key(Key::Escape);
    chord(&mut desk, Modifiers::COMMAND, Key::K);
    chord(&mut desk, Modifiers::COMMAND, Key::L);
    desk.wait_for("Unlock");
    chord(&mut desk, Modifiers::COMMAND, Key::K);
    desk.key(Key::F1);
    assert_eq!(overlay(&desk), None);
    assert!(!desk.sees("Find a key"));
}

#[test]
fn a_question_mark_in_a_field_is_a_letter() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.key(Key::Slash);
    assert!(desk.is_focused("Search"));
    desk.key(Key::Questionmark);
    assert_eq!(overlay(&desk), None);
    // The toolkit would delete the rest of the line by this.
    desk.fill("Search", "payments");
    chord(&mut desk, Modifiers::COMMAND, Key::K);
    assert_eq!(overlay(&desk), Some(Overlay::Palette));
    desk.key(Key::Escape);
    assert_eq!(desk.value("Search").as_deref(), Some("payments"));
}

#[test]
fn one_goes_back_by_key_and_by_mouse() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.press("Overview");
    desk.press("Settings");
    chord(&mut desk, Modifiers::ALT, Key::ArrowLeft);
    assert_eq!(screen(&desk), Screen::Overview);
    press_pointer(&mut desk, Pos2::new(700.0, 500.0), PointerButton::Extra1);
    assert_eq!(screen(&desk), Screen::Keys);
    press_pointer(&mut desk, Pos2::new(700.0, 500.0), PointerButton::Extra2);
    chord(&mut desk, Modifiers::COMMAND, Key::CloseBracket);
    assert_eq!(screen(&desk), Screen::Settings);
}

#[test]
fn the_menu_of_a_row_copies_filters_and_opens_dialogs() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    desk.fill("Search", "name:payments-ledger-writer");
    desk.wait_for("Invalidate the 1 matching");
    let at = row_at(&desk, "payments-ledger-writer");
    press_pointer(&mut desk, at, PointerButton::Secondary);
    desk.wait_for("Copy row");
    let copied = copied_by(&mut desk, "Copy “payments-ledger-writer”").unwrap();
    assert_eq!(copied, "payments-ledger-writer");
    press_pointer(&mut desk, at, PointerButton::Secondary);
    let rows = copied_by(&mut desk, "Copy row").unwrap();
    assert!(rows.starts_with("name\tid\t") && rows.lines().count() == 2, "{rows}");
    press_pointer(&mut desk, at, PointerButton::Secondary);
    desk.press("Show only name “payments-ledger-writ…”");
    assert_eq!(desk.value("Search").as_deref(), Some("name:payments-ledger-writer name:payments-ledger-writer"));
    // By the keyboard, for the row that it is at.
    desk.key(Key::ArrowDown);
    chord(&mut desk, Modifiers::SHIFT, Key::F10);
    desk.press("Invalidate…");
    desk.wait("the dialog", |desk| desk.in_dialog("payments-ledger-writer"));
}

#[test]
fn the_order_of_the_list_and_the_zoom_are_remembered() {
    let sandbox = RunningSandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let settings = keybearer::store::settings_file::SettingsFile::at(folder.path().join("settings.json"));
    let open = || {
        let sandbox = Some(sandbox.profile());
        let mut desk = Desk::new(Setting { sandbox, settings: settings.clone(), ..Setting::default() });
        desk.wait_for("All 320 keys loaded");
        desk
    };
    let mut desk = open();
    desk.press("Sort by Owner");
    desk.harness.ctx.set_zoom_factor(1.2);
    desk.wait("the settings", |_| settings.read().zoom == Some(1.2) && !settings.read().sorts.is_empty());
    let sorts = |desk: &Desk| desk.harness.state().state().cluster().unwrap().view.sorts.clone();
    let before = sorts(&desk);
    drop(desk);
    let desk = open();
    assert_eq!((sorts(&desk), desk.harness.ctx.zoom_factor()), (before, 1.2));
}

#[test]
fn a_double_click_on_a_connection_connects() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::new(Setting { profiles: vec![sandbox.profile()], step: 0.02, ..Setting::default() });
    desk.wait_for("Edit as officer");
    let at = desk.button_at("Edit as officer");
    desk.press_at(at, 1);
    assert_eq!(screen(&desk), Screen::Connections);
    desk.arm();
    desk.arm();
    desk.press_at(at, 2);
    desk.wait_for("All 320 keys loaded");
}

#[test]
fn escape_closes_the_menu_of_a_row_and_leaves_the_selection() {
    let sandbox = RunningSandbox::start();
    let mut desk = Desk::on_sandbox(&sandbox);
    let selected = |desk: &Desk| desk.harness.state().state().cluster().unwrap().selection.len();
    desk.key(Key::ArrowDown);
    chord(&mut desk, Modifiers::COMMAND, Key::A);
    assert_eq!(selected(&desk), 320);
    let name = {
        let cluster = desk.harness.state().state().cluster().unwrap();
        cluster.inventory().name(cluster.row_at(3).unwrap()).to_owned()
    };
    let at = row_at(&desk, &name);
    press_pointer(&mut desk, at, PointerButton::Secondary);
    desk.wait_for("Copy key id");
    desk.key(Key::Escape);
    desk.wait("the menu to close", |desk| !desk.sees("Copy key id"));
    assert_eq!(selected(&desk), 320, "Escape closed the menu and nothing else");
}

/// The form refuses it, and so does every other way to a connection: nothing is sent.
#[test]
fn production_that_is_not_verified_is_opened_by_no_way() {
    let sandbox = RunningSandbox::start();
    let mut profile = sandbox.profile();
    profile.environment = keybearer::model::connections::profile::Environment::Production;
    profile.endpoint.trust = keybearer::model::connections::endpoint::Trust::InsecureDev;
    let mut desk = Desk::new(Setting { profiles: vec![profile.clone()], step: 0.02, ..Setting::default() });
    desk.wait_for(&format!("Edit as {}", "officer"));
    let at = desk.button_at("Edit as officer");
    desk.press_at(at, 1);
    desk.arm();
    desk.arm();
    desk.press_at(at, 2);
    desk.wait("the refusal", |desk| desk.sees("must be verified"));
    assert!(desk.harness.state().state().clusters.is_empty());
    search(&mut desk, &profile.name);
    chord(&mut desk, Modifiers::NONE, Key::Enter);
    assert!(desk.harness.state().state().clusters.is_empty() && screen(&desk) == Screen::Connections);
}
