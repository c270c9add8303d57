//! Nothing lies on top of anything else, at any width; and nothing moves below the pointer that was just pressed.

use eframe::egui::{Key, Rect, Vec2, accesskit::Role, vec2};
use egui_kittest::{Node, kittest::NodeT};
use keybearer::{
    app::Screen,
    ui::{theme::size, zoom},
};

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
    desk.wait_for("All 3,000 keys loaded");
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
    desk.wait_for("All 320 keys loaded");
    desk.press(screen.label());
    desk.wait("the roles", |desk| !desk.sees("Reading the cluster’s roles"));
    (0..4).for_each(|_| desk.harness.step());
    desk
}

/// Gives the window another width, and lets it come to rest.
fn resize(desk: &mut Desk, width: f32) {
    desk.harness.set_size(vec2(width, 900.0));
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
        let panel = all.iter().find(|(_, text, _)| text == "Summary").expect("the request").2;
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
                desk.press_at(row.left_center() + vec2(200.0, 0.0), 1);
            } else if !page && is_open {
                desk.key(Key::Escape);
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

/// Makes keys whose names are no text, so that a search for names does not know them.
fn without_readable_names(sandbox: &RunningSandbox, count: usize) {
    sandbox.runtime.block_on(async {
        let ca = reqwest::Certificate::from_pem(sandbox.sandbox.ca_pem().as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([ca]).no_proxy().build().unwrap();
        for number in 0..count {
            let body = format!(r#"{{"name":"half {number} \ud800","expiration":"9d","role_descriptors":{{}}}}"#);
            let url = format!("{}/_security/api_key", sandbox.sandbox.url());
            let request = client.post(url).basic_auth("officer", Some("officer-password"));
            let made = request.header("content-type", "application/json").body(body).send().await.unwrap();
            assert!(made.status().is_success(), "{}", made.text().await.unwrap());
        }
    });
}

#[test]
fn the_list_never_reaches_into_the_page_of_a_key() {
    let sandbox = RunningSandbox::start_with(3000);
    without_readable_names(&sandbox, 120);
    let mut desk = Desk::new(Setting { sandbox: Some(sandbox.profile()), size: [1100.0, 900.0], ..Setting::default() });
    desk.wait_for("3,120 keys loaded");
    desk.press("Keys");
    let mut beside = 0;
    for search in ["", "name:*", "name:e", "-status:invalidated"] {
        desk.fill("Search", search);
        for width in (900..=1500).step_by(20) {
            resize(&mut desk, width as f32);
            if !desk.sees("What it can do") && width >= 1100 {
                let row = seen_rows(desk.harness.root())[2].1;
                desk.press_at(row.left_center() + vec2(150.0, 0.0), 1);
                (0..3).for_each(|_| desk.harness.step());
            }
            let rows = seen_rows(desk.harness.root());
            let Some((_, _, page)) = seen(&desk).into_iter().find(|(_, text, _)| text == "What it can do") else {
                continue;
            };
            if rows.is_empty() {
                continue; // a narrow window shows the page alone
            }
            beside += 1;
            let edge = width as f32 - size::SIDE_PAGE;
            assert!(page.left() >= edge, "{search} at {width}: the page begins at {page}");
            for (name, rect) in rows {
                assert!(rect.right() <= edge + 1.0, "{search} at {width}: row {name} {rect} reaches beyond {edge}");
            }
            for (role, text, rect) in seen(&desk).iter().filter(|(role, ..)| is_control(*role)) {
                assert!(
                    rect.left() >= edge || rect.right() <= edge + 1.0,
                    "{search} at {width}: {role:?} “{text}” {rect} reaches beyond {edge}"
                );
            }
            check(&seen(&desk), vec2(width as f32, 900.0), &format!("search “{search}”"));
        }
    }
    assert!(beside > 40, "the page stood beside the list {beside} times");
}

/// The sizes in points of windows from the smallest to the largest, at zooms up to 200 %, each once.
fn sizes() -> Vec<Vec2> {
    let windows =
        [(900.0, 600.0), (1366.0, 768.0), (1600.0, 900.0), (1920.0, 1080.0), (2560.0, 1440.0), (3840.0, 2160.0)];
    let mut sizes: Vec<Vec2> = Vec::new();
    for (width, height) in windows {
        for zoom in [1.0, 1.2, 1.5, 1.8, 2.0_f32] {
            let window = vec2(width, height);
            let size = (window / zoom.min(zoom::maximum(window))).floor();
            assert!(size.x >= zoom::MIN_ROOM.x && size.y >= zoom::MIN_ROOM.y, "{window} at {zoom}: {size}");
            if sizes.iter().all(|known| (*known - size).length() > 40.0) {
                sizes.push(size);
            }
        }
    }
    sizes
}

fn is_control(role: Role) -> bool {
    matches!(
        role,
        Role::Button
            | Role::CheckBox
            | Role::RadioButton
            | Role::TextInput
            | Role::MultilineTextInput
            | Role::PasswordInput
    )
}

/// Fails where a control reaches out of the window, or two in one line lie on each other.
fn check(all: &[(Role, String, Rect)], size: Vec2, what: &str) {
    let in_view = |rect: &Rect| rect.top() >= 0.0 && rect.bottom() <= size.y && rect.is_positive();
    let controls: Vec<_> = all.iter().filter(|(role, _, rect)| is_control(*role) && in_view(rect)).collect();
    assert!(controls.len() > 1, "{what} at {size}: {} controls", controls.len());
    for (at, (role, text, rect)) in controls.iter().enumerate() {
        assert!(
            rect.left() >= -1.0 && rect.right() <= size.x + 1.0,
            "{what} at {size}: {role:?} “{text}” {rect} reaches out of the window"
        );
        for (other, beside, place) in &controls[at + 1..] {
            let in_line = (rect.center().y - place.center().y).abs() < 4.0;
            let is_part = rect.contains_rect(*place) || place.contains_rect(*rect);
            let overlap = rect.shrink(1.0).intersect(place.shrink(1.0));
            assert!(
                !in_line || is_part || !overlap.is_positive(),
                "{what} at {size}: {role:?} “{text}” {rect} lies on {other:?} “{beside}” {place}"
            );
        }
    }
}

/// Controls of the dialog that is open.
fn of_dialog(node: Node<'_>, found: &mut Vec<(Role, String, Rect)>) {
    if node.accesskit_node().role() == Role::Dialog {
        return leaves(node, found);
    }
    node.children().for_each(|child| of_dialog(child, found));
}

#[test]
fn no_control_lies_on_another_or_outside_the_window_at_any_size_and_zoom() {
    let sandbox = RunningSandbox::start();
    for screen in Screen::ALL {
        let mut desk = at(&sandbox, 1440.0, screen);
        for (size, page) in sizes().into_iter().flat_map(|size| [(size, false), (size, true)]) {
            if page && screen != Screen::Keys {
                continue;
            }
            desk.harness.set_size(size);
            (0..4).for_each(|_| desk.harness.step());
            let is_open = desk.sees("What it can do");
            if page && !is_open {
                let row = seen_rows(desk.harness.root())[2].1;
                desk.press_at(row.left_center() + vec2(200.0, 0.0), 1);
            } else if !page && is_open {
                desk.key(Key::Escape);
            }
            (0..4).for_each(|_| desk.harness.step());
            check(&seen(&desk), size, &format!("{screen:?}, page {page}"));
        }
    }
}

#[test]
fn dialogs_are_whole_at_any_size_and_zoom() {
    let sandbox = RunningSandbox::start();
    type Opening = (&'static str, fn(&mut Desk));
    let openings: [Opening; 4] = [
        ("Export keys", |desk| desk.press("Export")),
        ("Check a secret", |desk| desk.press("Check a secret")),
        ("Keys to invalidate", |desk| {
            let is_row = |text: &String| text.starts_with("Select ") && !text.contains("all shown");
            let name = desk.texts().into_iter().find(is_row).unwrap();
            desk.tick(&name);
            desk.press("Invalidate");
        }),
        ("Secret of the new key", |desk| {
            desk.press("Create");
            desk.wait("the roles", |desk| !desk.sees("Reading the cluster’s roles"));
            desk.choose("Nothing");
            desk.fill("Name", "whole");
            desk.press("Create key");
        }),
    ];
    for (name, open) in openings {
        let mut desk = Desk::on_sandbox(&sandbox);
        open(&mut desk);
        desk.wait_for(name);
        for size in sizes() {
            desk.harness.set_size(size);
            (0..6).for_each(|_| desk.harness.step());
            let mut controls = Vec::new();
            of_dialog(desk.harness.root(), &mut controls);
            let buttons: Vec<_> = controls.iter().filter(|(role, ..)| *role == Role::Button).collect();
            assert!(!buttons.is_empty(), "{name} has no buttons");
            let window = Rect::from_min_size(Default::default(), size).expand(1.0);
            for (_, text, rect) in buttons {
                assert!(window.contains_rect(*rect), "{name} at {size}: “{text}” {rect} is outside");
            }
        }
    }
}
