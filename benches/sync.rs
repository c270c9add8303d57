//! Whether the window stays responsive while it reads all keys of a cluster: the time of each frame, without a
//! window, from "Connect" to the last row, and again while they are refreshed under a search.
//!
//!     KEYBEARER_NODE=node.json cargo bench --bench sync      (see benches/README.md)

#[path = "common/no_clipboard.rs"]
mod no_clipboard;
#[path = "common/node.rs"]
mod node;

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use eframe::egui::{self, RawInput, Rect, vec2};
use keybearer::{
    app::{Command, Screen},
    model::{
        Timestamp,
        connections::profile::{Environment, Profile, ProfileId},
        inventory::list_view::ListView,
        settings::Settings,
        time::calendar,
    },
    store::vault::memory::MemoryVault,
    ui::{App, Start},
    worker::Services,
};
use no_clipboard::NoClipboard;

/// The longest that a frame may take, in milliseconds.
const MOST: f64 = 33.0;
const FRAME: Duration = Duration::from_micros(16_667);

fn profile() -> Profile {
    Profile {
        id: ProfileId("bench".into()),
        name: "bench".into(),
        environment: Environment::Staging,
        endpoint: node::endpoint(),
    }
}

fn now() -> Timestamp {
    Timestamp::of_system(std::time::SystemTime::now())
}

struct Window {
    ctx: egui::Context,
    app: App,
    time: f64,
}

impl Window {
    fn new() -> Self {
        let ctx = egui::Context::default();
        let services = Services::new(Arc::new(MemoryVault::new()), Arc::new(NoClipboard));
        let zone = calendar::fixed_zone(1);
        let start = Start { sandbox: false, clock: Box::new(now), zone, settings: Settings::default() };
        let app = App::new(&ctx, services, start).unwrap();
        Self { ctx, app, time: 0.0 }
    }

    /// One frame; how long it took in all, and how long taking in what happened, in milliseconds.
    fn frame(&mut self) -> (f64, f64) {
        self.time += FRAME.as_secs_f64();
        let screen = Rect::from_min_size(egui::Pos2::ZERO, vec2(1440.0, 900.0));
        let input = RawInput { screen_rect: Some(screen), time: Some(self.time), ..RawInput::default() };
        let start = Instant::now();
        let mut advanced = 0.0;
        let output = self.ctx.run_ui(input, |ui| {
            let start = Instant::now();
            self.app.advance(ui.ctx());
            advanced += start.elapsed().as_secs_f64() * 1000.0;
            self.app.draw(ui);
        });
        std::hint::black_box(self.ctx.tessellate(output.shapes, output.pixels_per_point));
        (start.elapsed().as_secs_f64() * 1000.0, advanced)
    }

    /// Draws sixty frames a second until all keys are read.
    fn read_all(&mut self, what: &str) {
        let start = Instant::now();
        let mut times = Vec::new();
        loop {
            let (took, advanced) = self.frame();
            times.push(took);
            if took > MOST {
                println!("  after {:.1?}: {took:.1} ms, {advanced:.1} of it for what happened", start.elapsed());
            }
            let cluster = self.app.state().cluster().expect("a cluster is open");
            if let Some(problem) = cluster.session.problem().or(cluster.keys.problem()) {
                panic!("{problem:?}");
            }
            // The first frame only asks.
            if times.len() > 2
                && cluster.keys.value().is_some_and(|list| list.is_complete)
                && !cluster.keys.is_loading()
            {
                break;
            }
            thread::sleep(FRAME.saturating_sub(Duration::from_secs_f64(took / 1000.0)));
        }
        let count = self.app.state().cluster().map_or(0, |cluster| cluster.inventory().len());
        let took = start.elapsed();
        times.sort_by(f64::total_cmp);
        let late = times.iter().filter(|time| **time > MOST).count();
        let (middle, worst) = (times[times.len() / 2], times[times.len() - 1]);
        println!(
            "{what:<34} {count} keys in {took:.1?}: {} frames, middle {middle:.2} ms, worst {worst:.1} ms (at most 33), \
             {late} beyond",
            times.len()
        );
    }
}

fn main() {
    let mut window = Window::new();
    for _ in 0..10 {
        window.frame();
    }
    window.app.send(Command::Connect(Box::new(profile())));
    window.frame();
    window.read_all("connecting, the list shown");
    window.app.send(Command::SetView(ListView { search: "pay -status:expired".into(), ..ListView::default() }));
    window.app.send(Command::Refresh);
    window.read_all("refreshing, under a search");
    window.app.send(Command::Show(Screen::Overview));
    window.app.send(Command::Refresh);
    window.read_all("refreshing, the overview shown");
}
