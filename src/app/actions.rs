//! The one table of what the window can do: words, shortcuts, and whether it is possible now. The palette, the menus,
//! the tooltips and the list of shortcuts are made from it.

use super::{
    Cluster, Command, InvalidateStep, Overlay, Screen, State,
    create::clone::CloneStep,
    dialogs::{
        import::{ImportStep, ShareStep},
        update::UpdateStep,
    },
    rotation::{RotationRole, dialog::RotationStep},
};
use crate::{
    model::{
        api_key::{ApiKey, KeyId, KeyKind},
        connections::profile::Profile,
        text::{number::plural, sanitize},
        time::status::Status,
    },
    ops::{create::clone, update::plan},
};

/// A key of the keyboard that shortcuts use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the name of its key")]
pub enum ShortcutKey {
    A,
    C,
    K,
    L,
    N,
    R,
    Num0,
    Num1,
    Num2,
    Num3,
    Num4,
    Num5,
    Num6,
    Enter,
    Escape,
    Space,
    Left,
    Right,
    Up,
    Down,
    OpenBracket,
    CloseBracket,
    Slash,
    Question,
    Plus,
    Minus,
    F1,
    F5,
    F6,
    F10,
}

/// Keys held for a shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// No key. Such a shortcut belongs to a text field that has the focus.
    Nothing,
    /// Ctrl, or Cmd on macOS.
    Command,
    /// Alt. Such a shortcut belongs to a text field that has the focus.
    Alt,
    /// Shift.
    Shift,
}

/// A shortcut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortcut {
    /// Key that is held.
    pub held: Held,
    /// Key that is pressed.
    pub key: ShortcutKey,
}

const fn command(key: ShortcutKey) -> Shortcut {
    Shortcut { held: Held::Command, key }
}

const fn plain(key: ShortcutKey) -> Shortcut {
    Shortcut { held: Held::Nothing, key }
}

const fn alt(key: ShortcutKey) -> Shortcut {
    Shortcut { held: Held::Alt, key }
}

/// Section of the palette and of the list of shortcuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionGroup {
    /// The ticked keys, or the open one.
    ChosenKeys,
    /// The list of keys.
    Keys,
    /// The whole window.
    Window,
    /// Screens.
    GoTo,
}

impl ActionGroup {
    /// All groups, in the order in which they are listed.
    pub const ALL: [Self; 4] = [Self::GoTo, Self::Keys, Self::ChosenKeys, Self::Window];

    /// Returns the heading.
    pub fn label(self) -> &'static str {
        match self {
            Self::ChosenKeys => "Selected keys, or the open one",
            Self::Keys => "List of keys",
            Self::Window => "Window",
            Self::GoTo => "Go to",
        }
    }
}

/// Something that the window can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Open the dialog of rotating the chosen keys.
    Rotate,
    /// Open the dialog of updating the chosen keys.
    Update,
    /// Open the dialog of copying the open key.
    Clone,
    /// Open the dialog of checking a secret of the open key.
    CheckSecretOfKey,
    /// Open the dialog of invalidating the chosen keys.
    Invalidate,
    /// Take all keys out of the selection.
    SelectNone,
    /// Select all shown keys.
    SelectAll,
    /// Go to the search of the keys.
    Search,
    /// Read the keys again.
    Refresh,
    /// Stop reading the keys.
    StopRefresh,
    /// Open the dialog of exporting keys.
    Export,
    /// Open the dialog of checking a secret.
    CheckSecret,
    /// Show all open clusters as one.
    ShowAll,
    /// Sign out of the shown cluster.
    Disconnect,
    /// Open the dialog of importing connections.
    ImportConnections,
    /// Open the dialog of exporting connections.
    ExportConnections,
    /// Go back to what was shown before.
    Back,
    /// Go forward again.
    Forward,
    /// Open the palette.
    Palette,
    /// Open the list of shortcuts.
    Shortcuts,
    /// Lock the window.
    Lock,
    /// Go to a screen.
    Show(Screen),
}

/// A row of the table.
#[derive(Debug)]
pub struct ActionRow {
    /// Action of the row.
    pub action: Action,
    /// Words without what it acts on; `…` when a dialog follows.
    pub words: &'static str,
    /// Shortcuts; the first is the one that is shown.
    pub shortcuts: &'static [Shortcut],
    /// Section of the row.
    pub group: ActionGroup,
}

const fn row(action: Action, words: &'static str, shortcuts: &'static [Shortcut], group: ActionGroup) -> ActionRow {
    ActionRow { action, words, shortcuts, group }
}

use ActionGroup::{ChosenKeys, GoTo, Keys, Window};
use ShortcutKey as Key;

/// All actions, in the order in which they are offered among equals.
pub const ACTIONS: [ActionRow; 27] = [
    row(Action::Rotate, "Rotate…", &[], ChosenKeys),
    row(Action::Update, "Update…", &[], ChosenKeys),
    row(Action::Clone, "Clone…", &[], ChosenKeys),
    row(Action::CheckSecretOfKey, "Check a secret of this key…", &[], ChosenKeys),
    row(Action::Invalidate, "Invalidate…", &[], ChosenKeys),
    row(Action::SelectNone, "Clear selection", &[plain(Key::Escape)], ChosenKeys),
    row(Action::Show(Screen::Create), "Create key", &[command(Key::N), command(Key::Num3)], Keys),
    row(Action::Search, "Search keys", &[plain(Key::Slash)], Keys),
    row(Action::SelectAll, "Select all shown keys", &[command(Key::A)], Keys),
    row(Action::Refresh, "Refresh", &[command(Key::R), plain(Key::F5)], Keys),
    row(Action::StopRefresh, "Stop loading keys", &[], Keys),
    row(Action::Export, "Export keys…", &[], Keys),
    row(Action::CheckSecret, "Check a secret…", &[], Keys),
    row(Action::Show(Screen::Overview), "Overview", &[command(Key::Num1)], GoTo),
    row(Action::Show(Screen::Keys), "Keys", &[command(Key::Num2)], GoTo),
    row(Action::Show(Screen::Journal), "Journal", &[command(Key::Num4)], GoTo),
    row(Action::Show(Screen::Connections), "Connections", &[command(Key::Num5)], GoTo),
    row(Action::Show(Screen::Settings), "Settings", &[command(Key::Num6)], GoTo),
    row(Action::Back, "Back", &[alt(Key::Left), command(Key::OpenBracket)], GoTo),
    row(Action::Forward, "Forward", &[alt(Key::Right), command(Key::CloseBracket)], GoTo),
    row(Action::Palette, "Find a key or run a command", &[command(Key::K)], Window),
    row(Action::Shortcuts, "Keyboard shortcuts", &[plain(Key::Question), plain(Key::F1)], Window),
    row(Action::Lock, "Lock", &[command(Key::L)], Window),
    row(Action::ShowAll, "Show all clusters together", &[], Window),
    row(Action::Disconnect, "Disconnect", &[], Window),
    row(Action::ImportConnections, "Import connections…", &[], Window),
    row(Action::ExportConnections, "Export connections…", &[], Window),
];

/// Keys that act where they are pressed, for the list of shortcuts: on a row, in a form, or everywhere.
pub const OTHER_SHORTCUTS: [(ActionGroup, &str, &[Shortcut]); 9] = [
    (Keys, "Move up and down", &[plain(Key::Up), plain(Key::Down)]),
    (Keys, "Open the page of the key", &[plain(Key::Enter)]),
    (Keys, "Select the key", &[plain(Key::Space)]),
    (Keys, "Copy the selected rows", &[command(Key::C)]),
    (GoTo, "Next part of the window", &[plain(Key::F6)]),
    (Window, "Create the key of the form", &[command(Key::Enter)]),
    (Window, "Zoom in", &[command(Key::Plus)]),
    (Window, "Zoom out", &[command(Key::Minus)]),
    (Window, "Original size", &[command(Key::Num0)]),
];

impl Action {
    /// Returns the row of the action in the table.
    pub fn row(self) -> &'static ActionRow {
        // Each action has a row; a test keeps that.
        ACTIONS.iter().find(|row| row.action == self).unwrap_or(&ACTIONS[0])
    }

    /// Returns `true` if the action changes or ends several keys at once.
    pub fn takes_several(self) -> bool {
        matches!(self, Self::Rotate | Self::Update | Self::Invalidate)
    }

    /// Returns the command that opens the dialog of this action on keys; `None` if it is no action on keys.
    pub fn on_keys(self, ids: Vec<KeyId>) -> Option<Command> {
        Some(match self {
            Self::Rotate => RotationStep::Ask(ids).into(),
            Self::Update => UpdateStep::Ask(ids).into(),
            Self::Invalidate => InvalidateStep::Ask(ids).into(),
            Self::Clone => CloneStep::Ask(ids.into_iter().next()?).into(),
            Self::CheckSecretOfKey => Command::AskCheckSecret(Some(ids.into_iter().next()?)),
            _ => return None,
        })
    }

    /// Returns `true` if the shortcuts of the action are handled by what has the keyboard, not by the window.
    pub fn is_handled_in_place(self) -> bool {
        matches!(self, Self::SelectAll | Self::SelectNone)
    }
}

impl State {
    /// Returns the keys that an action on keys is about: the selected ones, or else the open one.
    fn chosen_keys(&self) -> Vec<KeyId> {
        let Some(cluster) = self.cluster() else { return Vec::new() };
        if cluster.selection.is_empty() { cluster.open.iter().cloned().collect() } else { cluster.selection.ids() }
    }

    /// Returns the open key if no key is selected.
    fn chosen_key(&self) -> Option<ApiKey> {
        self.cluster().filter(|cluster| cluster.selection.is_empty())?.open_key()
    }

    /// Returns the words of an action with what it acts on, such as “Rotate “logs”…”.
    pub fn words_of(&self, action: Action) -> String {
        let words = action.row().words;
        let takes_several = action.takes_several();
        let verb = words.trim_end_matches('…');
        let selected = self.cluster().map_or(0, |cluster| cluster.selection.len());
        match (action.row().group, self.chosen_key()) {
            (ActionGroup::ChosenKeys, _) if takes_several && selected > 0 => {
                format!("{verb} {}…", plural(selected as u64, "selected key"))
            }
            (ActionGroup::ChosenKeys, Some(key)) if takes_several || action == Action::Clone => {
                format!("{verb} {}…", sanitize::shortened(&key.name, 40))
            }
            _ => words.to_owned(),
        }
    }

    /// Returns the reason why an action is not possible now; `None` if it is.
    pub fn why_not(&self, action: Action) -> Option<String> {
        let cluster = self.cluster();
        let on_cluster = || cluster.is_none().then(|| "Not connected".to_owned());
        match action {
            Action::Rotate | Action::Update | Action::Invalidate => match self.chosen_key() {
                Some(key) => self.why_not_on(action, &key),
                None if cluster.is_none_or(|cluster| cluster.selection.is_empty()) => Some("No key is selected".into()),
                None => self.read_only().map(str::to_owned),
            },
            Action::Clone => match self.chosen_key() {
                Some(key) => self.why_not_clone(&key),
                None => Some("No key is open".into()),
            },
            Action::CheckSecretOfKey => self.chosen_key().is_none().then(|| "No key is open".into()),
            Action::SelectNone => {
                let is_empty = cluster.is_none_or(|cluster| cluster.selection.is_empty());
                is_empty.then(|| "No key is selected".into())
            }
            Action::SelectAll | Action::Export => {
                let is_empty = cluster.is_none_or(|cluster| cluster.inventory().is_empty());
                is_empty.then(|| "No keys loaded".into())
            }
            Action::Search => on_cluster(),
            Action::Refresh if self.screen == Screen::Journal => None,
            Action::Refresh => on_cluster(),
            Action::StopRefresh => {
                let is_loading = cluster.is_some_and(|cluster| cluster.keys.is_loading());
                (!is_loading).then(|| "No keys are being loaded".into())
            }
            Action::CheckSecret => match cluster {
                Some(cluster) if cluster.is_merged() => Some("Choose one cluster first".into()),
                _ => on_cluster(),
            },
            Action::ShowAll if self.clusters.len() < 2 => Some("Only one cluster is open".into()),
            Action::ShowAll => self.shows_all().then(|| "All clusters are shown".into()),
            Action::Disconnect if self.shows_all() => Some("Choose one cluster first".into()),
            Action::Disconnect => on_cluster(),
            Action::Back => (!self.trail.has_back()).then(|| "Nothing was shown before".into()),
            Action::Forward => (!self.trail.has_forward()).then(|| "Nothing was gone back from".into()),
            Action::ExportConnections => {
                self.shareable().next().is_none().then(|| "There are no saved connections".into())
            }
            Action::Palette | Action::Shortcuts | Action::Lock | Action::ImportConnections | Action::Show(_) => None,
        }
    }

    /// Returns the command that carries out an action; `None` if it is not possible now. What changes keys opens its
    /// dialog.
    pub fn command_of(&self, action: Action) -> Option<Command> {
        if self.why_not(action).is_some() {
            return None;
        }
        let shown = self.cluster();
        Some(match action {
            Action::Rotate | Action::Update | Action::Invalidate | Action::Clone | Action::CheckSecretOfKey => {
                return action.on_keys(self.chosen_keys());
            }
            Action::SelectNone => Command::SelectNone,
            Action::SelectAll => Command::SelectLines(0..shown?.rows.rows.len(), false),
            Action::Search => Command::FocusSearch,
            Action::Refresh => Command::Refresh,
            Action::StopRefresh => Command::StopRefresh,
            Action::Export => Command::AskExport,
            Action::CheckSecret => Command::AskCheckSecret(None),
            Action::ShowAll => Command::ShowAll,
            Action::Disconnect => Command::Disconnect(shown?.profile.id.clone()),
            Action::ImportConnections => ImportStep::Ask.into(),
            Action::ExportConnections => ShareStep::Ask.into(),
            Action::Back => Command::Back,
            Action::Forward => Command::Forward,
            Action::Palette => Command::ShowOverlay(Some(Overlay::Palette)),
            Action::Shortcuts => Command::ShowOverlay(Some(Overlay::Shortcuts)),
            Action::Lock => Command::Lock,
            Action::Show(screen) => Command::Show(screen),
        })
    }

    /// Returns the reason why an action on one key is not possible, if it is known beforehand.
    pub fn why_not_on(&self, action: Action, key: &ApiKey) -> Option<String> {
        match action {
            Action::Rotate => self.why_not_rotate(key),
            Action::Update => self.why_not_update(key),
            Action::Clone => self.why_not_clone(key),
            Action::Invalidate => self.why_not_invalidate(key),
            _ => None,
        }
    }

    /// Returns the commands that show the keys of a connection: an open one as it is, whatever was saved meanwhile.
    pub fn commands_to_show(&self, profile: &Profile) -> Vec<Command> {
        let is_open =
            |own: &Cluster| own.profile.id == profile.id && (own.session.value().is_some() || own.session.is_loading());
        if self.clusters.iter().any(is_open) {
            vec![Command::SwitchTo(profile.id.clone()), Command::Show(Screen::Keys)]
        } else {
            vec![Command::Connect(Box::new(profile.clone()))]
        }
    }

    /// Returns the time by the clock of the shown cluster.
    fn cluster_now(&self) -> crate::model::Timestamp {
        self.cluster().map_or(self.now, |cluster| cluster.now(self.now))
    }

    /// Returns the reason why a key can't be rotated, if it is known beforehand.
    pub fn why_not_rotate(&self, key: &ApiKey) -> Option<String> {
        let home = self.home(&key.id);
        let session = home.and_then(|home| home.session.value());
        let read_only = home.and_then(|home| self.read_only_on(&home.profile.id));
        let underway = self
            .rotation_of(&key.id)
            .is_some_and(|(rotation, part)| part == RotationRole::Old && !rotation.is_finished());
        let reason = match (key.status(self.cluster_now()), session) {
            (Status::Invalidated | Status::Expired, _) => Some("It no longer works, so there is nothing to rotate"),
            (_, None) => Some("Not connected"),
            _ if read_only.is_some() => read_only,
            (_, Some(session)) if session.own_key().is_some() => {
                Some("You can’t create a successor when signed in with an API key: sign in as a user")
            }
            _ if underway => Some("It is already being rotated"),
            _ => (key.kind != KeyKind::Rest).then_some("Such a key is created by a separate request"),
        };
        reason.map(str::to_owned)
    }

    /// Returns the reason why a key can't be updated, if it is known beforehand.
    pub fn why_not_update(&self, key: &ApiKey) -> Option<String> {
        let home = self.home(&key.id);
        let read_only = home.and_then(|home| self.read_only_on(&home.profile.id));
        let words = match home.and_then(|home| home.session.value()) {
            _ if read_only.is_some() => read_only.map(str::to_owned),
            Some(session) => plan::hindrance(session, key, self.cluster_now())
                .map(|problem| [problem.detail, problem.hint].join(". ")),
            None => Some("Not connected".to_owned()),
        };
        words.map(|words| words.trim_end_matches(". ").to_owned())
    }

    /// Returns the reason why a key can't be copied, if it is known beforehand.
    pub fn why_not_clone(&self, key: &ApiKey) -> Option<String> {
        let home = self.home(&key.id);
        let read_only = home.and_then(|home| self.read_only_on(&home.profile.id));
        match home.and_then(|home| home.session.value()) {
            _ if read_only.is_some() => read_only.map(str::to_owned),
            Some(session) => clone::hindrance(session, key, self.cluster_now()).map(|problem| problem.detail),
            None => Some("Not connected".to_owned()),
        }
    }

    /// Returns the reason why a key can't be invalidated, if it is known beforehand.
    pub fn why_not_invalidate(&self, key: &ApiKey) -> Option<String> {
        let home = self.home(&key.id);
        let session = home.and_then(|home| home.session.value());
        let own = session.is_some_and(|session| session.identity.username == key.owner.username);
        let may = session.is_some_and(|session| session.privileges.invalidates_all_keys() || own);
        let read_only = home.and_then(|home| self.read_only_on(&home.profile.id));
        match key.status(self.cluster_now()) {
            _ if read_only.is_some() => read_only.map(str::to_owned),
            Status::Invalidated => Some("It is already invalidated".into()),
            _ if !may => Some("Requires manage_api_key: the key belongs to someone else".into()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{DialogKind, pending::tests::state};

    #[test]
    fn each_action_has_one_row_and_no_two_have_the_same_shortcut() {
        let mut seen: Vec<Shortcut> = Vec::new();
        for own in &ACTIONS {
            assert_eq!(ACTIONS.iter().filter(|other| other.action == own.action).count(), 1, "{own:?}");
            for shortcut in own.shortcuts {
                assert!(!seen.contains(shortcut), "{own:?}");
                seen.push(*shortcut);
            }
        }
        for (_, words, shortcuts) in OTHER_SHORTCUTS {
            assert!(shortcuts.iter().all(|shortcut| !seen.contains(shortcut)), "{words}");
        }
        for screen in Screen::ALL {
            assert_eq!(Action::Show(screen).row().action, Action::Show(screen));
        }
    }

    #[test]
    fn what_changes_keys_only_opens_its_dialog() {
        for (action, kind) in [
            (Action::Rotate, DialogKind::Rotate),
            (Action::Update, DialogKind::Update),
            (Action::Invalidate, DialogKind::Invalidate),
            (Action::Clone, DialogKind::Clone),
        ] {
            let mut state = state();
            assert!(state.command_of(action).is_none(), "{action:?} without a key");
            state.handle(Command::OpenKey(Some(KeyId::new(crate::app::pending::tests::KEY))));
            state.take_jobs();
            if let Some(command) = state.command_of(action) {
                state.handle(command);
                assert_eq!(state.dialogs.front(), Some(kind), "{action:?}");
                assert!(state.take_jobs().iter().all(|job| !job.task.is_write()), "{action:?}");
                state.close_dialog(kind);
            } else {
                assert!(state.why_not(action).is_some(), "{action:?}");
            }
        }
    }

    #[test]
    fn an_action_is_possible_or_says_why_not() {
        for state in [State::new(crate::model::Timestamp::EPOCH, jiff::tz::TimeZone::UTC), state()] {
            for own in &ACTIONS {
                assert_eq!(state.command_of(own.action).is_none(), state.why_not(own.action).is_some(), "{own:?}");
                assert!(!state.words_of(own.action).is_empty());
            }
        }
    }
}
