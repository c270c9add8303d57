//! The window: draws the state and collects commands. It changes nothing by itself.

pub mod dialogs;
pub mod screens;
pub mod shell;
pub mod theme;
pub mod widgets;
pub mod zoom;

use std::time::Duration;

use eframe::egui;
use jiff::tz::TimeZone;

use crate::{
    app::{Command, Screen, State},
    model::{Millis, connections::profile::Profile, settings::Settings},
    ops::{Problem, keys::list::KeyList},
    worker::{Services, Task, Worker},
};

/// Access of a view to the state, and to the commands it sends.
pub struct View<'a> {
    /// The state, read only.
    pub state: &'a State,
    outbox: &'a mut Vec<Command>,
}

impl View<'_> {
    /// Sends a command, which is handled after the frame.
    pub fn send(&mut self, command: Command) {
        self.outbox.push(command);
    }
}

/// Options that the window starts with.
pub struct Start {
    /// `true` to open the practice cluster at startup.
    pub sandbox: bool,
    /// The clock of this machine.
    pub clock: Box<dyn Fn() -> Millis>,
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
    clock: Box<dyn Fn() -> Millis>,
    zoom: zoom::Zoom,
    shell: shell::Shell,
    screens: screens::Screens,
    dialogs: dialogs::Dialogs,
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
        let worker = Worker::start(services, move || wake.request_repaint())?;
        let mut state = State::new((start.clock)(), start.zone);
        if let Some(look) = start.settings.look.as_deref().and_then(theme::Look::named) {
            theme::apply(ctx, look);
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
            clock: start.clock,
            zoom: zoom::Zoom::default(),
            shell: shell::Shell::default(),
            screens: screens::Screens::default(),
            dialogs: dialogs::Dialogs::default(),
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
        self.state.advance((self.clock)());
        while let Some(event) = self.worker.poll() {
            self.state.apply(event);
        }
        if ctx.input(|input| input.viewport().close_requested()) && !self.state.may_close() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        }
        self.close_when_answered(ctx);
        if self.zoom.keep(ctx) {
            self.state.notify("The window is too small for a larger zoom: make the window larger first");
        }
        self.submit();
        if let Some(at) = self.state.wake_at() {
            let wait = at.saturating_sub(self.state.now).clamp(1, 24 * 3_600_000);
            ctx.request_repaint_after(Duration::from_millis(wait.unsigned_abs()));
        }
    }

    /// Treats the system's requests to end (signals) like closing the window from now on: the window asks before a
    /// secret is lost.
    pub fn heed_signals(&self) {
        self.worker.heed_signals();
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
        if self.state.has_dialog() {
            // What lies below a dialog can't be pressed, by assistive technology neither.
            ui.disable();
        }
        let mut view = View { state: &self.state, outbox: &mut self.outbox };
        let screens = &mut self.screens;
        self.shell.ui(ui, &mut view, |ui, view| screens.ui(ui, view));
        self.dialogs.ui(ui.ctx(), &mut view);
        let commands: Vec<Command> = self.outbox.drain(..).collect();
        if !commands.is_empty() {
            commands.into_iter().for_each(|command| self.state.handle(command));
            self.close_when_answered(ui.ctx());
            self.submit();
            ui.ctx().request_repaint();
        }
    }
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
        if self.state.clipboard.may_hold_ours() {
            self.worker.finish(Task::ClearClipboard, Duration::from_secs(2));
        }
    }
}

/// Draws a button for each fix that a problem offers.
pub fn problem_buttons(ui: &mut egui::Ui, view: &mut View<'_>, problem: &Problem) {
    for (place, fix) in problem.fixes.iter().enumerate() {
        // Several ways out may lead to the same dialog, which asks which is meant.
        if problem.fixes[..place].iter().any(|before| before.words() == fix.words()) {
            continue;
        }
        let button = if place == 0 {
            widgets::button::Button::secondary(fix.words())
        } else {
            widgets::button::Button::ghost(fix.words())
        };
        if button.show(ui).clicked() {
            view.send(Command::Fix(fix.clone()));
        }
    }
}
