//! The window: draws the state and collects commands. It changes nothing by itself.

pub mod components;
pub mod dialogs;
mod incoming;
pub mod lock_screen;
pub mod screens;
mod shell;
pub mod shortcuts;
pub mod theme;
mod view;
pub mod widgets;
pub mod zoom;

use std::time::Duration;

use eframe::egui;
use jiff::tz::TimeZone;

use crate::{
    app::{Command, Screen, State},
    model::{TimeDelta, Timestamp, connections::profile::Profile, settings::Settings},
    ops::keys::list::KeyList,
    worker::{Services, Task, Worker},
};

pub use view::View;

/// Options that the window starts with.
pub struct Start {
    /// `true` to open the practice cluster at startup.
    pub sandbox: bool,
    /// The clock of this machine.
    pub clock: Box<dyn Fn() -> Timestamp>,
    /// Time zone in which dates are shown.
    pub zone: TimeZone,
    /// Settings that were saved before.
    pub settings: Settings,
}

/// The application.
pub struct App {
    state: State,
    worker: Worker,
    outbox: Vec<Command>,
    /// `true` if the window is kept out of screenshots.
    content_protected: bool,
    clock: Box<dyn Fn() -> Timestamp>,
    zoom: zoom::Zoom,
    /// Width and height of the window that is neither maximized nor full screen, in points at zoom 1.
    size: Option<[f32; 2]>,
    shell: shell::Shell,
    screens: screens::Screens,
    dialogs: dialogs::Dialogs,
    lock_screen: lock_screen::LockScreen,
}

impl App {
    /// Starts the worker, and requests what is shown first.
    ///
    /// # Errors
    /// If the operating system provides no threads.
    pub fn new(ctx: &egui::Context, services: Services, start: Start) -> std::io::Result<Self> {
        theme::install(ctx);
        ctx.add_plugin(widgets::typed_order::TypedOrder::default());
        let wake = ctx.clone();
        let (policy, refusal) = (services.policy().clone(), services.refusal_of_changes());
        let worker = Worker::start(services, move || wake.request_repaint())?;
        let mut state = State::new((start.clock)(), start.zone);
        state.obey(policy, refusal);
        if let Some(look) = start.settings.look.as_deref().and_then(theme::Look::named) {
            theme::apply(ctx, look);
        }
        if let Some(zoom) = start.settings.zoom {
            ctx.set_zoom_factor(zoom);
        }
        state.settings = start.settings;
        if start.sandbox {
            state.open_sandbox();
        } else {
            state.handle(Command::Show(Screen::Connections));
        }
        state.check_journal();
        let mut app = Self {
            state,
            worker,
            outbox: Vec::new(),
            content_protected: false,
            clock: start.clock,
            zoom: zoom::Zoom::default(),
            size: None,
            shell: shell::Shell::default(),
            screens: screens::Screens::default(),
            dialogs: dialogs::Dialogs::default(),
            lock_screen: lock_screen::LockScreen::default(),
        };
        app.submit();
        Ok(app)
    }

    /// Returns the state, for tests and screenshots.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Sends a command as a view would. For benchmarks.
    #[doc(hidden)]
    pub fn send(&mut self, command: Command) {
        self.outbox.push(command);
    }

    /// Shows a list without a cluster. For benchmarks.
    #[doc(hidden)]
    pub fn show_list(&mut self, profile: Profile, list: KeyList) {
        self.state.show_list(profile, list);
    }

    fn submit(&mut self) {
        for job in self.state.take_jobs() {
            self.worker.submit(job);
        }
    }

    /// Takes in events and everything that is due; also runs while the window is hidden.
    pub fn advance(&mut self, ctx: &egui::Context) {
        // The time first: after a long rest, news would otherwise be as old as the last frame.
        let has_input = ctx.input(|input| !input.raw.events.is_empty());
        self.state.advance((self.clock)());
        if has_input {
            self.state.note_input();
        }
        while let Some(event) = self.worker.poll() {
            self.state.apply(event);
        }
        if ctx.input(|input| input.viewport().close_requested()) && !self.state.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        }
        // Here and not where it is drawn: a hidden window is locked, too.
        if self.state.take_wipe() {
            self.wipe_views(ctx);
        }
        self.protect_content(ctx);
        self.close_when_answered(ctx);
        if self.zoom.keep(ctx) {
            self.state.notify("The window is too small to zoom in further: enlarge the window first");
        }
        if let Some(zoom) = self.zoom.wanted() {
            self.state.keep_zoom(zoom);
        }
        // In points at zoom 1, as the window is opened; a maximized window leaves the size that it had before.
        let room = ctx.input(|input| {
            let viewport = input.viewport();
            let is_plain = viewport.maximized != Some(true) && viewport.fullscreen != Some(true);
            // Not the rectangle on the screen: Wayland tells no position.
            let is_shown = is_plain && viewport.minimized != Some(true);
            is_shown.then(|| input.viewport_rect().size() * ctx_zoom(input.pixels_per_point(), viewport))
        });
        self.size = room.map(|size| [size.x.round(), size.y.round()]).or(self.size);
        self.submit();
        if let Some(at) = self.state.wake_at() {
            let wait = (at - self.state.now).clamp(TimeDelta::MILLISECOND, TimeDelta::DAY);
            ctx.request_repaint_after(wait.unsigned_abs());
        }
    }

    /// Locks the window when the desktop says so, from now on.
    pub fn heed_lock_signals(&self) {
        self.worker.heed_lock_signals();
    }

    /// Treats the system's requests to end (signals) like closing the window from now on: the window asks before a
    /// secret is lost.
    pub fn heed_signals(&self) {
        self.worker.heed_signals();
    }

    /// Keeps the window out of screenshots and screen sharing while it may show a secret, where the system can do that
    /// (Windows, macOS).
    fn protect_content(&mut self, ctx: &egui::Context) {
        let wanted = self.state.may_show_secret();
        if self.content_protected != wanted {
            self.content_protected = wanted;
            ctx.send_viewport_cmd(egui::ViewportCommand::ContentProtected(wanted));
        }
    }

    /// Closes the window after the last question was answered, or brings it to the front if it has a question.
    fn close_when_answered(&mut self, ctx: &egui::Context) {
        if self.state.take_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
        if self.state.take_attention() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Minimized(false));
            ctx.send_viewport_cmd(egui::ViewportCommand::Focus);
            let urgent = egui::UserAttentionType::Critical;
            ctx.send_viewport_cmd(egui::ViewportCommand::RequestUserAttention(urgent));
        }
    }

    /// Draws one frame, and handles the commands that were sent in it.
    pub fn draw(&mut self, ui: &mut egui::Ui) {
        widgets::focus::notice_input(ui.ctx());
        widgets::arming::notice_input(ui.ctx());
        let mut view = View { state: &self.state, outbox: &mut self.outbox };
        if let Some(lock) = self.state.lock() {
            self.lock_screen.ui(ui, &mut view, lock);
            return self.hand_over(ui.ctx());
        }
        if self.state.has_dialog() {
            // What lies below a dialog can't be pressed, by assistive technology neither.
            ui.disable();
        }
        let mut view = View { state: &self.state, outbox: &mut self.outbox };
        shortcuts::take(ui.ctx(), &mut view);
        incoming::take(ui.ctx(), &mut view);
        let screens = &mut self.screens;
        self.shell.ui(ui, &mut view, |ui, view| screens.ui(ui, view));
        self.dialogs.ui(ui.ctx(), &mut view);
        self.hand_over(ui.ctx());
    }

    /// Hands the commands of a frame over to the state.
    fn hand_over(&mut self, ctx: &egui::Context) {
        let commands: Vec<Command> = self.outbox.drain(..).collect();
        if !commands.is_empty() {
            commands.into_iter().for_each(|command| self.state.handle(command));
            self.close_when_answered(ctx);
            if self.state.take_wipe() {
                self.wipe_views(ctx);
            }
            self.submit();
            ctx.request_repaint();
        }
    }

    /// Drops what was typed into the views, and what the toolkit remembers of it.
    fn wipe_views(&mut self, ctx: &egui::Context) {
        self.screens = screens::Screens::default();
        self.dialogs = dialogs::Dialogs::default();
        self.shell = shell::Shell::default();
        self.lock_screen = lock_screen::LockScreen::default();
        self.outbox.clear();
        let look = theme::look(ctx);
        egui::Popup::close_all(ctx);
        ctx.memory_mut(|memory| {
            memory.data.clear();
            memory.caches = egui::cache::CacheStorage::default();
        });
        theme::apply(ctx, look);
        ctx.request_repaint();
    }
}

/// Returns the zoom of a window: its pixels per point beyond those of the screen.
fn ctx_zoom(pixels_per_point: f32, viewport: &egui::ViewportInfo) -> f32 {
    pixels_per_point / viewport.native_pixels_per_point.unwrap_or(pixels_per_point)
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.advance(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.draw(ui);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        if let Some(settings) = self.state.settings_at_exit(self.size) {
            self.worker.finish(Task::KeepSettings(Box::new(settings)), Duration::from_secs(2));
        }
        if self.state.clipboard.may_hold_ours() {
            self.worker.finish(Task::ClearClipboard, Duration::from_secs(2));
        }
    }
}
