//! Shortcuts of the window: the table of actions in the toolkit's keys and words.

use eframe::egui::{Context, Event, Key, KeyboardShortcut, Modifiers, PointerButton, Ui};

use crate::{
    app::{
        Action, Command, Front, Shortcut,
        actions::{ACTIONS, Held, ShortcutKey},
    },
    ui::{View, theme::icons},
};

fn key(key: ShortcutKey) -> Key {
    match key {
        ShortcutKey::A => Key::A,
        ShortcutKey::C => Key::C,
        ShortcutKey::K => Key::K,
        ShortcutKey::L => Key::L,
        ShortcutKey::N => Key::N,
        ShortcutKey::R => Key::R,
        ShortcutKey::Num0 => Key::Num0,
        ShortcutKey::Num1 => Key::Num1,
        ShortcutKey::Num2 => Key::Num2,
        ShortcutKey::Num3 => Key::Num3,
        ShortcutKey::Num4 => Key::Num4,
        ShortcutKey::Num5 => Key::Num5,
        ShortcutKey::Num6 => Key::Num6,
        ShortcutKey::Enter => Key::Enter,
        ShortcutKey::Escape => Key::Escape,
        ShortcutKey::Space => Key::Space,
        ShortcutKey::Left => Key::ArrowLeft,
        ShortcutKey::Right => Key::ArrowRight,
        ShortcutKey::Up => Key::ArrowUp,
        ShortcutKey::Down => Key::ArrowDown,
        ShortcutKey::OpenBracket => Key::OpenBracket,
        ShortcutKey::CloseBracket => Key::CloseBracket,
        ShortcutKey::Slash => Key::Slash,
        ShortcutKey::Question => Key::Questionmark,
        ShortcutKey::Plus => Key::Plus,
        ShortcutKey::Minus => Key::Minus,
        ShortcutKey::F1 => Key::F1,
        ShortcutKey::F5 => Key::F5,
        ShortcutKey::F6 => Key::F6,
        ShortcutKey::F10 => Key::F10,
    }
}

/// Returns a shortcut as the toolkit has it.
pub fn shortcut(shortcut: Shortcut) -> KeyboardShortcut {
    let modifiers = match shortcut.held {
        Held::Nothing => Modifiers::NONE,
        Held::Command => Modifiers::COMMAND,
        Held::Alt => Modifiers::ALT,
        Held::Shift => Modifiers::SHIFT,
    };
    KeyboardShortcut::new(modifiers, key(shortcut.key))
}

/// Returns the words of a shortcut on this system, such as “Ctrl+K”, or “⌘K” on macOS.
pub fn words(ctx: &Context, own: Shortcut) -> String {
    let sign = match own.key {
        ShortcutKey::Question => "?",
        ShortcutKey::Slash => "/",
        ShortcutKey::OpenBracket => "[",
        ShortcutKey::CloseBracket => "]",
        ShortcutKey::Plus => "+",
        ShortcutKey::Minus => "-",
        ShortcutKey::Escape => "Esc",
        _ => return ctx.format_shortcut(&shortcut(own)),
    };
    // The toolkit has only names for these.
    ctx.format_shortcut(&shortcut(own)).replace(key(own.key).name(), sign)
}

/// Returns the words of the first shortcut of an action; `None` if it has none.
pub fn of(ctx: &Context, action: Action) -> Option<String> {
    action.row().shortcuts.first().map(|own| words(ctx, *own))
}

/// Returns a tooltip with the shortcut of an action.
pub fn tooltip(ui: &Ui, action: Action) -> String {
    let words = action.row().words.trim_end_matches('…');
    of(ui.ctx(), action).map_or(words.to_owned(), |shortcut| format!("{words} ({shortcut})"))
}

/// Returns the icon of an action.
pub fn icon(action: Action) -> &'static str {
    use crate::app::Screen;
    match action {
        Action::Rotate => icons::AUTORENEW,
        Action::Update => icons::EDIT,
        Action::Clone => icons::DIFFERENCE,
        Action::CheckSecret | Action::CheckSecretOfKey => icons::PASSWORD,
        Action::Invalidate => icons::BLOCK,
        Action::SelectNone => icons::CLOSE,
        Action::SelectAll => icons::CHECK,
        Action::Search | Action::Palette => icons::SEARCH,
        Action::Refresh => icons::REFRESH,
        Action::StopRefresh => icons::STOP_CIRCLE,
        Action::Export | Action::ExportConnections => icons::DOWNLOAD,
        Action::ShowAll => icons::LAYERS,
        Action::Disconnect => icons::LOGOUT,
        Action::ImportConnections => icons::INPUT,
        Action::Shortcuts => icons::KEYBOARD,
        Action::Lock => icons::LOCK,
        Action::Back => icons::ARROW_BACK,
        Action::Forward => icons::ARROW_FORWARD,
        Action::Show(Screen::Overview) => icons::SPACE_DASHBOARD,
        Action::Show(Screen::Keys) => icons::KEY,
        Action::Show(Screen::Create) => icons::ADD_CIRCLE,
        Action::Show(Screen::Journal) => icons::HISTORY,
        Action::Show(Screen::Connections) => icons::LAN,
        Action::Show(Screen::Settings) => icons::SETTINGS,
    }
}

/// Carries out the shortcuts of a frame. To be called before drawing, because a text field would take some of them.
pub fn take(ctx: &Context, view: &mut View<'_>) {
    let front = view.state.front();
    let types = ctx.egui_wants_keyboard_input();
    for row in &ACTIONS {
        let is_reachable = match (row.action, &front) {
            // Also above a dialog: whoever is called away locks at once.
            (Action::Lock, _) | (_, None) => true,
            (Action::Palette | Action::Shortcuts, Some(Front::Overlay(_))) => true,
            _ => false,
        };
        if !is_reachable || row.action.is_handled_in_place() {
            continue;
        }
        let belongs_to_field = |own: &&Shortcut| types && matches!(own.held, Held::Nothing | Held::Alt);
        let is_function_key = |own: &Shortcut| matches!(own.key, ShortcutKey::F1 | ShortcutKey::F5);
        let shortcuts = row.shortcuts.iter().filter(|own| is_function_key(own) || !belongs_to_field(own));
        let mut pressed = false;
        for own in shortcuts {
            pressed |= ctx.input_mut(|input| input.consume_shortcut(&shortcut(*own)));
        }
        if pressed {
            run(view, row.action);
        }
    }
    if front.is_none() {
        for (button, action) in [(PointerButton::Extra1, Action::Back), (PointerButton::Extra2, Action::Forward)] {
            let is_pressed = |event: &Event| matches!(event, Event::PointerButton { button: own, pressed: true, .. } if *own == button);
            if ctx.input(|input| input.events.iter().any(is_pressed)) {
                run(view, action);
            }
        }
    }
}

/// Carries out an action if it is possible now. An overlay that is open already is closed.
pub fn run(view: &mut View<'_>, action: Action) {
    let is_open = matches!(view.state.front(), Some(Front::Overlay(_)));
    match view.state.command_of(action) {
        Some(Command::ShowOverlay(wanted)) if is_open && view.state.overlays.open == wanted => {
            view.send(Command::ShowOverlay(None));
        }
        Some(command) => view.send(command),
        None => {}
    }
}
