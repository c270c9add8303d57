//! The menu of a row: the actions on its key, and what of it can be copied or filtered by.

use eframe::egui::{Id, Key, Modifiers, Popup, Response, Ui};

use super::copying;
use crate::{
    app::{
        Action, Cluster, Command,
        actions::{ACTIONS, ActionGroup},
    },
    model::{
        api_key::{ApiKey, KeyId},
        filter,
        inventory::{Column, RowId, list_view::ListView},
        text::{number::plural, sanitize},
    },
    ui::{
        View, shortcuts,
        theme::icons,
        widgets::menu::{menu_item, menu_row},
    },
};

/// Returns `true` if the key for menus was pressed: the Menu key, or Shift and F10.
pub(super) fn is_asked_by_keyboard(ui: &Ui) -> bool {
    ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Menu) || input.consume_key(Modifiers::SHIFT, Key::F10))
}

/// Draws the menu of a row while it is open. A secondary click opens it, or `by_keyboard`; `column` is the one at the
/// pointer.
pub(super) fn menu(
    ui: &Ui,
    view: &mut View<'_>,
    (cluster, row): (&Cluster, RowId),
    response: &Response,
    (by_keyboard, column): (bool, Option<Column>),
) {
    let place = Id::unique("column of the row menu");
    if response.secondary_clicked() {
        ui.data_mut(|data| data.insert_temp(place, (column, false)));
    } else if by_keyboard {
        ui.data_mut(|data| data.insert_temp(place, (Some(Column::Name), true)));
        Popup::open_id(ui.ctx(), Popup::default_response_id(response));
    }
    if !Popup::is_id_open(ui.ctx(), Popup::default_response_id(response)) && !response.secondary_clicked() {
        return;
    }
    let (column, by_keyboard): (Option<Column>, bool) = ui.data(|data| data.get_temp(place)).unwrap_or_default();
    let mut popup = Popup::context_menu(response).width(260.0);
    if by_keyboard {
        popup = popup.at_position(response.rect.left_bottom() + eframe::egui::vec2(60.0, 0.0));
    }
    popup.show(|ui| {
        let key = cluster.inventory().key(row);
        content(ui, view, cluster, (&key, row), column);
    });
}

fn content(ui: &mut Ui, view: &mut View<'_>, cluster: &Cluster, (key, row): (&ApiKey, RowId), column: Option<Column>) {
    // A selected row speaks for all selected ones.
    let several = cluster.selection.has(row) && cluster.selection.len() > 1;
    if !several && menu_row(ui, "Open the page of the key", icons::OPEN_IN_NEW) {
        view.send(Command::OpenKey(Some(key.id.clone())));
    }
    let own = column.and_then(|column| Some((column, copying::cell(cluster, row, column, view.state.now)?)));
    if let Some((_, value)) = &own {
        let words = format!("Copy “{}”", sanitize::shortened(value, 24));
        if menu_row(ui, &words, icons::CONTENT_COPY) {
            ui.ctx().copy_text(value.clone());
        }
    }
    let rows = if several { plural(cluster.selected_rows() as u64, "selected row") } else { "row".to_owned() };
    if menu_row(ui, &format!("Copy {rows}"), icons::CONTENT_COPY) {
        let line = cluster.line_of(&key.id).filter(|_| !several);
        copying::copy_rows(ui, cluster, line, several);
    }
    if menu_row(ui, "Copy key id", icons::CONTENT_COPY) {
        ui.ctx().copy_text(key.id.as_str().to_owned());
    }
    if let Some((words, search)) = own.and_then(|(column, value)| filter_by(column, &value))
        && menu_row(ui, &format!("Show only {words}"), icons::FILTER_ALT)
    {
        let search = format!("{} {search}", cluster.view.search.trim()).trim().to_owned();
        view.send(Command::SetView(ListView { search, ..cluster.view.clone() }));
    }
    ui.separator();
    let ids = if several { cluster.selection.ids() } else { vec![key.id.clone()] };
    // A command names the key by its id alone, which a key of another cluster may have, too.
    if !several && cluster.inventory().row_id(&key.id).is_some_and(|own| own != row) {
        menu_item(
            ui,
            "Actions",
            icons::KEY,
            None,
            Some("Another cluster has a key of this id: show one cluster alone"),
        );
        return;
    }
    for row in ACTIONS.iter().filter(|row| row.group == ActionGroup::ChosenKeys && row.action != Action::SelectNone) {
        action(ui, view, row.action, key, &ids);
    }
}

fn action(ui: &mut Ui, view: &mut View<'_>, action: Action, key: &ApiKey, ids: &[KeyId]) {
    let words = action.row().words;
    let (label, off) = match ids {
        [_] => (words.to_owned(), view.state.why_not_on(action, key)),
        several if action.takes_several() => {
            let label = format!("{} {}…", words.trim_end_matches('…'), plural(several.len() as u64, "selected key"));
            (label, view.state.read_only().map(str::to_owned))
        }
        _ => return,
    };
    let shortcut = shortcuts::of(ui.ctx(), action);
    if menu_item(ui, &label, shortcuts::icon(action), shortcut.as_deref(), off.as_deref())
        && let Some(command) = action.on_keys(ids.to_vec())
    {
        view.send(command);
    }
}

/// Returns the words and the search for the keys with this value in a column; `None` where a search can't name it.
fn filter_by(column: Column, value: &str) -> Option<(String, String)> {
    let field = match column {
        Column::Name => "name",
        Column::Owner => "owner",
        Column::Realm => "realm",
        Column::ApplicationId => "app",
        Column::Id => "id",
        Column::Kind => "type",
        Column::Can | Column::Roles | Column::Status | Column::Created | Column::Invalidated | Column::Expires => {
            return None;
        }
    };
    let search = format!("{field}:{}", filter::quoted(value));
    // What can't be read back, such as a text that is too long, is no filter.
    let is_read = filter::parse(&search, crate::model::Timestamp::EPOCH, &jiff::tz::TimeZone::UTC).is_ok();
    is_read.then(|| (format!("{field} “{}”", sanitize::shortened(value, 20)), search))
}
