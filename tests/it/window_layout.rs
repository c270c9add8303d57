//! Nothing lies on top of anything else, at any width; and nothing moves below the pointer that was just pressed.

use eframe::egui::{Rect, accesskit::Role};
use egui_kittest::{Node, kittest::NodeT};
use keybearer::app::Screen;

use crate::desk::{Desk, RunningSandbox, Setting};

/// Texts and controls with their places.
fn leaves(node: Node<'_>, found: &mut Vec<(Role, String, Rect)>) {
    let inner = node.accesskit_node();
    let is_field = matches!(inner.role(), Role::TextInput | Role::MultilineTextInput | Role::PasswordInput);
    if (is_field || inner.children().next().is_none())
        && let Some(text) = inner.label().or_else(|| inner.value())
    {
        found.push((inner.role(), text, node.rect()));
    }
    node.children().for_each(|child| leaves(child, found));
}

fn seen(desk: &Desk) -> Vec<(Role, String, Rect)> {
    let mut found = Vec::new();
    leaves(desk.harness.root(), &mut found);
    found
}

fn row_of(desk: &Desk, name: &str) -> Rect {
    let rows = seen_rows(desk.harness.root());
    rows.into_iter().find(|(own, _)| own == name).unwrap_or_else(|| panic!("no row {name}")).1
}

fn seen_rows(node: Node<'_>) -> Vec<(String, Rect)> {
    let inner = node.accesskit_node();
    let mut rows: Vec<(String, Rect)> = Vec::new();
    if inner.role() == Role::Row {
        rows.extend(inner.label().map(|label| (label, node.rect())));
    }
    rows.extend(node.children().flat_map(seen_rows));
    rows
}

#[test]
fn a_double_click_on_a_row_opens_the_row_that_was_clicked() {
    let sandbox = RunningSandbox::start_with(3000);
    let setting = Setting { sandbox: Some(sandbox.profile()), step: 0.05, ..Setting::default() };
    let mut desk = Desk::new(setting);
    desk.wait_for("All 3,000 keys read");
    let rows = seen_rows(desk.harness.root());
    let (name, before) = rows[5].clone();
    desk.press_at(before.center(), 2);
    desk.wait_for("What it can do");
    let open = desk.harness.state().state().cluster().and_then(|cluster| cluster.open_key()).unwrap();
    assert_eq!(open.name, name);
    let after = row_of(&desk, &name);
    assert_eq!((before.top(), before.height()), (after.top(), after.height()), "the row moved");
}

/// Opens a window of this size on a screen.
fn at(sandbox: &RunningSandbox, width: f32, screen: Screen) -> Desk {
    let size = [width, 900.0];
    let mut desk = Desk::new(Setting { sandbox: Some(sandbox.profile()), size, ..Setting::default() });
    desk.wait_for("All 320 keys read");
    desk.press(screen.word());
    desk.wait("the roles", |desk| !desk.sees("Reading the cluster’s roles"));
    (0..4).for_each(|_| desk.harness.step());
    desk
}

/// Gives the window another width, and lets it come to rest.
fn resize(desk: &mut Desk, width: f32) {
    desk.harness.set_size(eframe::egui::vec2(width, 900.0));
    (0..4).for_each(|_| desk.harness.step());
}

#[test]
fn the_form_of_a_key_keeps_clear_of_the_request_beside_it_at_every_width() {
    let sandbox = RunningSandbox::start();
    let mut desk = at(&sandbox, 900.0, Screen::Create);
    let mut beside = 0;
    for width in (900..=1500).step_by(20).chain([1920, 2560, 3840]) {
        resize(&mut desk, width as f32);
        let all = seen(&desk);
        let panel = all.iter().find(|(_, text, _)| text == "What this makes").expect("the request").2;
        let name = all.iter().find(|(role, text, _)| *role == Role::TextInput && text == "Name").expect("the form").2;
        if panel.left() < name.right() {
            continue; // below the form
        }
        beside += 1;
        for (role, text, rect) in &all {
            // The form begins at its first field, and ends where the panel begins.
            let of_form = rect.left() >= name.left() - 1.0 && rect.left() < panel.left() && rect.top() > 60.0;
            let is_form = of_form && rect.bottom() < 800.0;
            assert!(
                !is_form || rect.right() <= panel.left(),
                "at {width}: {role:?} “{text}” reaches to {}, into the request at {}",
                rect.right(),
                panel.left()
            );
        }
    }
    assert!(beside > 10, "the request was beside the form {beside} times");
}

#[test]
fn titles_and_buttons_never_lie_on_each_other() {
    let sandbox = RunningSandbox::start();
    for screen in Screen::ALL {
        let mut desk = at(&sandbox, 900.0, screen);
        let opens_page = screen == Screen::Keys;
        for (width, page) in (900..=1500).step_by(40).chain([2560]).flat_map(|width| [(width, false), (width, true)]) {
            if page && !opens_page {
                continue;
            }
            resize(&mut desk, width as f32);
            let is_open = desk.sees("What it can do");
            if page && !is_open {
                let row = seen_rows(desk.harness.root())[2].1;
                desk.press_at(row.left_center() + eframe::egui::vec2(200.0, 0.0), 1);
            } else if !page && is_open {
                desk.key(eframe::egui::Key::Escape);
            }
            (0..3).for_each(|_| desk.harness.step());
            let all = seen(&desk);
            let is_text = |role: Role| role == Role::Label;
            let buttons: Vec<_> = all.iter().filter(|(role, ..)| *role == Role::Button).collect();
            for (_, text, rect) in all.iter().filter(|(role, _, rect)| is_text(*role) && rect.height() > 26.0) {
                for (_, button, place) in &buttons {
                    let overlap = rect.shrink(1.0).intersect(place.shrink(1.0));
                    assert!(
                        !overlap.is_positive() || place.contains_rect(*rect),
                        "{screen:?} at {width}, page {page}: “{text}” {rect} lies on “{button}” {place}"
                    );
                }
            }
        }
    }
}
