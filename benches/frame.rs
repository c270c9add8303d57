//! What a frame of the window costs with many keys, without a window: scrolling the table, typing into the
//! search, the overview. Layout, painting and tessellation; no GPU.
//!
//!     cargo bench --bench frame [-- COUNT]      by default 1,000,000

#[path = "common/no_clipboard.rs"]
mod no_clipboard;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use eframe::egui::{self, Event, Key, Modifiers, MouseWheelUnit, Pos2, RawInput, Rect, vec2};
use keybearer::{
    app::{Command, Screen},
    model::{
        TimeDelta, Timestamp,
        connections::{
            endpoint::{ClusterUrl, Endpoint},
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        inventory::{Inventory, RawKey},
        secret::Secret,
        settings::Settings,
        time::calendar,
    },
    ops::keys::list::KeyList,
    store::vault::memory::MemoryVault,
    ui::{App, Start},
    worker::Services,
};

use no_clipboard::NoClipboard;

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

fn list(count: usize) -> KeyList {
    let mut keys = Inventory::default();
    for number in 0..count {
        let name = format!("payments-ingest-prod-{number:06}");
        let id = format!("{number:020}");
        let metadata = format!(r#"{{"team":"payments","env":"prod","ticket":"SEC-{}"}}"#, number % 10_000);
        let days = [-1, 1, 7, 30, 90, 365][number % 6];
        keys.put(&RawKey {
            id: &id,
            name: &name,
            kind: "rest",
            username: ["ana", "boris", "chen"][number % 3],
            realm: "native1",
            created: NOW - TimeDelta::from_millis(number as i64 * 17),
            expires: (number % 7 > 0).then(|| NOW + days * TimeDelta::DAY + TimeDelta::from_millis(number as i64)),
            metadata: Some(&metadata),
            role_descriptors: Some(r#"{"writer":{"indices":[{"names":["logs-*"],"privileges":["write"]}]}}"#),
            ..RawKey::default()
        });
    }
    keys.finish();
    let total = keys.len() as u64;
    KeyList { keys, total, as_of: NOW, is_complete: true, ..KeyList::default() }
}

struct Window {
    ctx: egui::Context,
    app: App,
    time: f64,
}

impl Window {
    fn new(count: usize) -> Self {
        let ctx = egui::Context::default();
        let profile = Profile {
            id: ProfileId("bench".into()),
            name: "bench".into(),
            environment: Environment::Staging,
            endpoint: Endpoint {
                timeout: Duration::from_secs(1),
                ..Endpoint::new(ClusterUrl::parse("https://localhost:1").unwrap(), Login::Bearer(Secret::new("none")))
            },
        };
        let services = Services::new(Arc::new(MemoryVault::new()), Arc::new(NoClipboard));
        let clock = Box::new(|| NOW);
        let start = Start { sandbox: false, clock, zone: calendar::fixed_zone(1), settings: Settings::default() };
        let mut app = App::new(&ctx, services, start).unwrap();
        app.show_list(profile, list(count));
        Self { ctx, app, time: 0.0 }
    }

    /// One frame; how long it took, in milliseconds.
    fn frame(&mut self, events: Vec<Event>) -> f64 {
        self.time += 1.0 / 60.0;
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(1440.0, 900.0));
        let input = RawInput { screen_rect: Some(screen), time: Some(self.time), events, ..RawInput::default() };
        let start = Instant::now();
        let output = self.ctx.run_ui(input, |ui| {
            self.app.advance(ui.ctx());
            self.app.draw(ui);
        });
        let shapes = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        std::hint::black_box(shapes);
        start.elapsed().as_secs_f64() * 1000.0
    }
}

fn tell(what: &str, bar: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let (middle, worst) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{what:<44} {middle:>7.2} ms, 99 % within {worst:>7.2} ms {bar}");
}

fn main() {
    let count = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let mut window = Window::new(count);
    println!("{count} keys, 1440 × 900");
    for _ in 0..30 {
        window.frame(Vec::new());
    }
    tell("a frame at rest", "", (0..200).map(|_| window.frame(Vec::new())).collect());
    let at = Event::PointerMoved(Pos2::new(700.0, 600.0));
    let scroll = |lines: f32| {
        let wheel = Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, -lines * 32.0),
            modifiers: Modifiers::NONE,
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
        };
        vec![at.clone(), wheel]
    };
    tell("scrolled by 3 rows a frame", "(at most 4)", (0..300).map(|_| window.frame(scroll(3.0))).collect());
    tell("scrolled by 3,000 rows a frame", "(at most 4)", (0..300).map(|_| window.frame(scroll(3000.0))).collect());

    let key = |key| Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE };
    window.frame(vec![key(Key::Slash)]);
    window.frame(Vec::new());
    let mut typed = Vec::new();
    for letter in "payments-ingest-prod-00123".chars() {
        // The frame that takes the letter filters at its end; the next one draws the rows.
        let taken = window.frame(vec![Event::Text(letter.to_string())]);
        typed.push(taken + window.frame(Vec::new()));
    }
    tell("a letter in the search, to its rows drawn", "(the filter alone: at most 16)", typed);
    window.app.send(Command::Show(Screen::Overview));
    let first = window.frame(Vec::new()) + window.frame(Vec::new());
    println!("the overview, made and drawn                 {first:>7.2} ms");
    tell("a frame of the overview", "", (0..200).map(|_| window.frame(Vec::new())).collect());
}
