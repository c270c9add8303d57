//! The window without a display, on a practice cluster or on a server with fixed answers; driven by
//! accessible names. Every wait has a deadline.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use egui_kittest::{
    Harness, Node,
    kittest::{NodeT, Queryable, by},
};
use keybearer::{
    model::{
        Timestamp,
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        machine_policy::MachinePolicy,
        secret::Secret,
    },
    ops::Problem,
    sandbox::{Options, Sandbox},
    store::{
        file_dialog::FileDialogs,
        journal::Journal,
        rotation::Rotations,
        settings_file::SettingsFile,
        ssh::Agent,
        vault::{Vault, memory::MemoryVault},
    },
    ui::{App, Start},
    worker::{SecretSink, Services},
};

use eframe::egui::accesskit::Role;

/// A clipboard that can be looked at.
#[derive(Clone, Default)]
pub struct TestClipboard(pub Arc<Mutex<Option<String>>>);

impl SecretSink for TestClipboard {
    fn copy(&self, text: &Secret) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(text.expose().to_owned());
        Ok(())
    }

    fn clear_if_ours(&self) -> Result<bool, String> {
        Ok(self.0.lock().unwrap().take().is_some())
    }
}

/// A window with what it stands on.
pub struct Desk {
    pub harness: Harness<'static, App>,
    pub clipboard: TestClipboard,
    pub vault: Arc<MemoryVault>,
    step: f32,
}

/// The clock of a window under test; can be moved.
pub type TestClock = Arc<Mutex<Option<Timestamp>>>;

/// How a window under test begins.
pub struct Setting {
    pub size: [f32; 2],
    pub clock: TestClock,
    pub sandbox: Option<Profile>,
    pub profiles: Vec<Profile>,
    pub vault: Arc<MemoryVault>,
    pub settings: SettingsFile,
    pub journal: Journal,
    pub ssh_agent: Agent,
    pub rotations: Option<Rotations>,
    /// The dialogs of the desktop; without them, it has none.
    pub files: Option<Arc<dyn FileDialogs>>,
    /// The browser that opens addresses; without one, that of this machine.
    pub browser: Option<keybearer::store::browser::OpenBrowser>,
    /// The keyring that the window talks to, where it is another than `vault`.
    pub keyring: Option<Arc<dyn Vault>>,
    /// What passes by from frame to frame, in seconds.
    pub step: f32,
    /// Minutes after which an idle window is locked; tests move the clock, and most mean something else by it.
    pub lock_after: Option<u32>,
    /// The rules of the computer.
    pub policy: MachinePolicy,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            size: [1440.0, 900.0],
            clock: TestClock::default(),
            sandbox: None,
            profiles: Vec::new(),
            vault: Arc::new(MemoryVault::new()),
            settings: SettingsFile::default(),
            journal: Journal::default(),
            ssh_agent: Agent::at("no agent"),
            rotations: None,
            files: None,
            browser: None,
            keyring: None,
            step: 0.25,
            lock_after: None,
            policy: MachinePolicy::default(),
        }
    }
}

impl Desk {
    pub fn new(setting: Setting) -> Self {
        let clipboard = TestClipboard::default();
        let vault = setting.vault;
        for profile in &setting.profiles {
            keybearer::store::connections::Profiles::new(vault.clone()).save(profile).unwrap();
        }
        let place: Arc<dyn Vault> = setting.keyring.unwrap_or_else(|| vault.clone());
        let mut services = Services::new(place, Arc::new(clipboard.clone()))
            .with_settings(setting.settings.clone())
            .with_policy(Arc::new(setting.policy))
            .with_journal(setting.journal)
            .with_ssh_agent(setting.ssh_agent)
            .with_rotations(setting.rotations);
        if let Some(files) = setting.files {
            services = services.with_file_dialogs(files);
        }
        if let Some(browser) = setting.browser {
            services = services.with_browser(browser);
        }
        let opens_sandbox = setting.sandbox.is_some();
        if let Some(profile) = setting.sandbox {
            services = services.with_sandbox(Box::new(move || Box::pin(async move { Ok::<_, Problem>(profile) })));
        }
        let clock = setting.clock;
        let start = Start {
            sandbox: opens_sandbox,
            clock: Box::new(move || clock.lock().unwrap().unwrap_or_else(keybearer::ops::clock::now)),
            zone: keybearer::model::time::calendar::fixed_zone(1),
            settings: keybearer::model::settings::Settings {
                lock_after: setting.lock_after,
                ..setting.settings.read()
            },
        };
        let harness = Harness::builder()
            .with_size(setting.size)
            .allow_missing_glyphs()
            .with_max_steps(64)
            .with_step_dt(setting.step)
            .build_eframe(|creation| App::new(&creation.egui_ctx, services, start).unwrap());
        Self { harness, clipboard, vault, step: setting.step }
    }

    /// A window that has opened the practice cluster.
    pub fn on_sandbox(sandbox: &RunningSandbox) -> Self {
        Self::on_sandbox_with(sandbox, 320)
    }

    /// The same with so many keys, more than it begins with.
    pub fn on_sandbox_with(sandbox: &RunningSandbox, keys: usize) -> Self {
        let mut desk = Self::new(Setting { sandbox: Some(sandbox.profile()), ..Setting::default() });
        desk.wait_for(&format!("All {keys} keys loaded"));
        desk
    }

    /// A window that was connected to a cluster without TLS by its form, as a user of it.
    pub fn connected(url: &str, (user, password): (&str, &str), setting: Setting) -> Self {
        let endpoint = Endpoint {
            // The practice cluster is slow with thousands of keys where other tests run beside it.
            timeout: Duration::from_secs(90),
            ..Endpoint::new(
                ClusterUrl::parse(url).unwrap(),
                Login::Password { username: user.into(), password: Secret::new(password) },
            )
        };
        Self::opened(endpoint, setting)
    }

    /// A window that was connected by the form to this endpoint, under the name “place”.
    pub fn opened(endpoint: Endpoint, setting: Setting) -> Self {
        let environment = Environment::Development;
        let profile = Profile { id: ProfileId("place".into()), name: "place".into(), environment, endpoint };
        let mut desk = Self::new(Setting { profiles: vec![profile], ..setting });
        desk.press("Edit place");
        desk.press("Connect");
        desk.wait_for_keys();
        desk
    }

    /// Steps until the keys of the cluster are loaded.
    pub fn wait_for_keys(&mut self) {
        let is_loaded = |desk: &Self| desk.sees("key loaded") || desk.sees("keys loaded");
        self.wait("the keys", |desk| is_loaded(desk) && !desk.sees("No keys loaded"));
    }

    /// Steps until something with this text is there.
    pub fn wait_for(&mut self, text: &str) {
        self.wait(text, |desk| desk.sees(text));
    }

    /// Steps until `done`, or fails with what is on the screen.
    pub fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !done(self) {
            assert!(Instant::now() < deadline, "no {what} in time; on the screen:\n{}", self.texts().join("\n"));
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        self.harness.step();
        self.assert_ids_differ();
    }

    /// Fails if two controls of the last frame have the same id: a press on one could act on the other. The toolkit
    /// writes it on the screen in debug builds.
    pub fn assert_ids_differ(&self) {
        use eframe::egui::epaint::{ClippedShape, Shape};
        let is_clash = |shape: &ClippedShape| match &shape.shape {
            Shape::Text(text) => text.galley.text().contains("use of widget ID"),
            Shape::Vec(shapes) => shapes
                .iter()
                .any(|shape| matches!(shape, Shape::Text(text) if text.galley.text().contains("use of widget ID"))),
            _ => false,
        };
        let clashes = self.harness.output().shapes.iter().any(is_clash);
        assert!(!clashes, "two controls have the same id; on the screen:\n{}", self.texts().join("\n"));
    }

    /// Whether a control's name or text holds this.
    pub fn sees(&self, text: &str) -> bool {
        self.texts().iter().any(|seen| seen.contains(text))
    }

    /// All names and texts, top down.
    pub fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        collect(self.harness.root(), &mut texts);
        texts
    }

    fn find(&self, name: &str, role: Role) -> Option<Node<'_>> {
        self.harness
            .query_all(by().role(role).predicate({
                let name = name.to_owned();
                move |node| node.label().as_deref() == Some(name.as_str())
            }))
            .next()
    }

    /// Presses a button of this very name.
    pub fn press(&mut self, name: &str) {
        self.act(name, Role::Button);
    }

    /// The same with a key held.
    pub fn press_with(&mut self, name: &str, modifiers: eframe::egui::Modifiers) {
        if let Some(node) = self.find(name, Role::Button) {
            node.click_modifiers(modifiers);
        }
        self.harness.step();
        self.harness.step();
    }

    /// Chooses one of several.
    pub fn choose(&mut self, name: &str) {
        self.act(name, Role::RadioButton);
    }

    /// Ticks a box.
    pub fn tick(&mut self, name: &str) {
        self.act(name, Role::CheckBox);
    }

    /// Lets go of the card of a secret that was copied.
    pub fn close_card(&mut self) {
        self.press("Close");
        self.press("I’ve saved it");
    }

    /// Half a second goes by, after which a button that has just come takes a press.
    pub fn arm(&mut self) {
        let frames = (0.5 / self.step).ceil() as usize;
        (0..frames).for_each(|_| self.harness.step());
    }

    /// Presses the pointer at a place so many times, as fast as frames go. Whether the window was closed meanwhile.
    pub fn press_at(&mut self, at: eframe::egui::Pos2, times: usize) -> bool {
        use eframe::egui::{Event, PointerButton, ViewportCommand};
        let modifiers = self.harness.ctx.input(|input| input.modifiers);
        let mut events = vec![Event::PointerMoved(at)];
        for _ in 0..times {
            events.extend([true, false].map(|pressed| Event::PointerButton {
                pos: at,
                button: PointerButton::Primary,
                pressed,
                modifiers,
            }));
        }
        let mut closed = false;
        for event in events {
            self.harness.input_mut().events.push(event);
            self.harness.step();
            closed |= self.commands().contains(&ViewportCommand::Close);
        }
        closed
    }

    /// What the window asked the desktop for in the last frame.
    pub fn commands(&self) -> Vec<eframe::egui::ViewportCommand> {
        self.harness.output().viewport_output.values().flat_map(|output| output.commands.clone()).collect()
    }

    /// Where the button of this name is.
    pub fn button_at(&self, name: &str) -> eframe::egui::Pos2 {
        self.find(name, Role::Button).unwrap_or_else(|| panic!("no button “{name}”")).rect().center()
    }

    /// Presses a button through assistive technology, wherever it is.
    pub fn press_by_name(&mut self, name: &str) {
        self.find(name, Role::Button).unwrap_or_else(|| panic!("no button “{name}”")).click_accesskit();
        self.harness.step();
        self.harness.step();
    }

    /// Presses buttons one after the other with a single frame between them, before an answer can come in.
    pub fn press_at_once(&mut self, names: &[&str]) {
        let is_on = |desk: &Self, name: &str| {
            desk.find(name, Role::Button).is_some_and(|node| !node.accesskit_node().is_disabled())
        };
        self.wait("the buttons", |desk| names.iter().all(|name| is_on(desk, name)));
        self.arm();
        for name in names {
            self.find(name, Role::Button).unwrap_or_else(|| panic!("no button “{name}”")).click_accesskit();
            self.harness.step();
        }
    }

    fn act(&mut self, name: &str, role: Role) {
        self.wait(&format!("{role:?} “{name}”"), |desk| {
            desk.find(name, role).is_some_and(|node| !node.accesskit_node().is_disabled())
        });
        // An answer that is about to come would move it away from under the pointer.
        let deadline = Instant::now() + Duration::from_secs(3);
        while role == Role::Button && self.sees("reading …") && Instant::now() < deadline {
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        // A button that an answer moves meanwhile takes no press for as long again.
        let place = |desk: &Self| desk.find(name, role).map(|node| node.rect());
        for _ in 0..20 {
            let before = place(self);
            if role == Role::Button {
                self.arm();
            }
            if place(self) == before {
                break;
            }
        }
        if let Some(node) = self.find(name, role) {
            node.click();
        }
        self.harness.step();
        self.harness.step();
    }

    /// Asks the window to close. Whether it refuses.
    pub fn is_close_refused(&mut self) -> bool {
        let id = self.harness.ctx.viewport_id();
        let info = self.harness.input_mut().viewports.entry(id).or_default();
        info.events.push(eframe::egui::ViewportEvent::Close);
        self.harness.step();
        let commands = self.harness.output().viewport_output.values().flat_map(|output| output.commands.clone());
        let refused = commands.into_iter().any(|command| command == eframe::egui::ViewportCommand::CancelClose);
        self.harness.input_mut().viewports.entry(id).or_default().events.clear();
        refused
    }

    /// Puts the keyboard at a button.
    pub fn focus_button(&mut self, name: &str) {
        self.find(name, Role::Button).unwrap_or_else(|| panic!("no button “{name}”")).focus();
        self.harness.step();
        self.harness.step();
    }

    /// Whether this text is inside a dialog.
    pub fn in_dialog(&self, text: &str) -> bool {
        fn dialogs<'a>(node: Node<'a>, found: &mut Vec<String>) {
            if node.accesskit_node().role() == Role::Dialog {
                collect(node, found);
            } else {
                node.children().for_each(|child| dialogs(child, found));
            }
        }
        let mut found = Vec::new();
        dialogs(self.harness.root(), &mut found);
        found.iter().any(|seen| seen.contains(text))
    }

    /// Whether the keyring holds a connection of this name.
    pub fn vault_holds(&self, name: &str) -> bool {
        let list = keybearer::store::connections::Profiles::new(self.vault.clone()).list().unwrap();
        list.profiles.iter().any(|profile| profile.name == name)
    }

    /// The name of the control that the keyboard is at.
    pub fn focused(&self) -> Option<String> {
        let node = self.harness.query_all(by().predicate(|node| node.is_focused())).next()?;
        node.accesskit_node().label()
    }

    /// Whether the keyboard is at a control of this name.
    pub fn is_focused(&self, name: &str) -> bool {
        [Role::Button, Role::TextInput]
            .into_iter()
            .any(|role| self.find(name, role).is_some_and(|node| node.is_focused()))
    }

    /// Whether a button is there and on.
    pub fn is_on(&self, name: &str) -> bool {
        self.find(name, Role::Button).is_some_and(|node| !node.accesskit_node().is_disabled())
    }

    /// Whether one of several is chosen.
    pub fn is_chosen(&self, name: &str) -> bool {
        use eframe::egui::accesskit::Toggled;
        self.find(name, Role::RadioButton).is_some_and(|node| node.accesskit_node().toggled() == Some(Toggled::True))
    }

    /// Whether one of several is there and can be chosen.
    pub fn can_choose(&self, name: &str) -> bool {
        self.find(name, Role::RadioButton).is_some_and(|node| !node.accesskit_node().is_disabled())
    }

    /// Whether the button of this name is there and disabled.
    pub fn is_off(&self, name: &str) -> bool {
        self.find(name, Role::Button).is_some_and(|node| node.accesskit_node().is_disabled())
    }

    /// Replaces what is in a field.
    pub fn fill(&mut self, name: &str, text: &str) {
        let is_field = |role| matches!(role, Role::TextInput | Role::MultilineTextInput | Role::PasswordInput);
        let find = |desk: &Self, name: &str| {
            let roles = [Role::TextInput, Role::MultilineTextInput, Role::PasswordInput];
            roles.into_iter().filter(|role| is_field(*role)).find(|role| desk.find(name, *role).is_some())
        };
        self.wait(&format!("field “{name}”"), |desk| find(desk, name).is_some());
        let role = find(self, name).unwrap();
        let field = self.find(name, role).unwrap();
        field.focus();
        field.set_text_value_accesskit(text);
        self.harness.step();
        self.harness.step();
    }

    /// What is in a field.
    pub fn value(&self, name: &str) -> Option<String> {
        [Role::TextInput, Role::MultilineTextInput].into_iter().find_map(|role| self.find(name, role)?.value())
    }

    /// Clicks the row of a key.
    pub fn click_row(&mut self, name: &str) {
        self.act(name, Role::Row);
    }

    /// Where controls are whose name or text fits.
    pub fn rects_of(&self, fits: impl Fn(&str) -> bool) -> Vec<eframe::egui::Rect> {
        let mut rects = Vec::new();
        collect_rects(self.harness.root(), &fits, &mut rects);
        rects
    }

    /// Presses on what has this name, and holds it for some frames before letting go.
    pub fn hold_pointer_on(&mut self, name: &str) {
        let at = self.rects_of(|text| text == name)[0].center();
        let button = |pressed| {
            let modifiers = eframe::egui::Modifiers::NONE;
            eframe::egui::Event::PointerButton {
                pos: at,
                button: eframe::egui::PointerButton::Primary,
                pressed,
                modifiers,
            }
        };
        for event in [eframe::egui::Event::PointerMoved(at), button(true)] {
            self.harness.input_mut().events.push(event);
            (0..5).for_each(|_| self.harness.step());
        }
        self.harness.input_mut().events.push(button(false));
        self.harness.step();
    }

    /// Presses a key.
    pub fn key(&mut self, key: eframe::egui::Key) {
        self.harness.key_press(key);
        self.harness.step();
        self.harness.step();
    }
}

fn collect(node: Node<'_>, texts: &mut Vec<String>) {
    let inner = node.accesskit_node();
    texts.extend(inner.label());
    texts.extend(inner.value());
    for child in node.children() {
        collect(child, texts);
    }
}

fn collect_rects(node: Node<'_>, fits: &impl Fn(&str) -> bool, rects: &mut Vec<eframe::egui::Rect>) {
    let inner = node.accesskit_node();
    let is_leaf = inner.children().next().is_none();
    if is_leaf && [inner.label(), inner.value()].into_iter().flatten().any(|text| fits(&text)) {
        rects.push(node.rect());
    }
    for child in node.children() {
        collect_rects(child, fits, rects);
    }
}

/// A practice cluster on a runtime of its own.
pub struct RunningSandbox {
    pub sandbox: Sandbox,
    pub runtime: tokio::runtime::Runtime,
}

impl RunningSandbox {
    pub fn start() -> Self {
        Self::start_with(Options::default().keys)
    }

    /// With so many keys.
    pub fn start_with(keys: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(Options { keys, ..Options::default() })).unwrap();
        Self { sandbox, runtime }
    }

    /// Signed in as one of its accounts.
    pub fn endpoint(&self, login: Login) -> Endpoint {
        Endpoint {
            trust: Trust::Fingerprint(Fingerprint::parse(self.sandbox.fingerprint()).unwrap()),
            timeout: Duration::from_secs(20),
            ..Endpoint::new(ClusterUrl::parse(self.sandbox.url()).unwrap(), login)
        }
    }

    /// The key of a name, with its descriptors, as the cluster has it.
    pub fn key_named(&self, name: &str) -> serde_json::Value {
        let session =
            self.runtime.block_on(keybearer::ops::connections::connect::connect(&self.profile().endpoint)).unwrap();
        let mut query = keybearer::client::KeyQuery::new(2);
        query.filter = Some(serde_json::json!({ "term": { "name": name } }));
        let page = self.runtime.block_on(session.client.query_api_keys(&query)).unwrap();
        let [key] = &page.keys[..] else { panic!("{} keys are called {name}", page.keys.len()) };
        serde_json::json!({
            "id": key.id.as_str(),
            "invalidated": key.invalidated,
            "role_descriptors": key.role_descriptors.as_ref().map(|raw| {
                serde_json::from_str::<serde_json::Value>(raw.get()).unwrap()
            }),
        })
    }

    /// As an account, by its place in the list.
    pub fn profile_of(&self, name: &str) -> Profile {
        let account = self.sandbox.accounts().iter().find(|account| account.name == name).unwrap();
        let login =
            Login::Password { username: account.name.clone(), password: Secret::new(account.password.as_str()) };
        Profile {
            id: ProfileId(format!("as {name}")),
            name: format!("as {name}"),
            environment: Environment::Sandbox,
            endpoint: self.endpoint(login),
        }
    }

    /// As its officer.
    pub fn profile(&self) -> Profile {
        self.profile_of(&self.sandbox.accounts()[0].name)
    }
}
