//! What of the list can be copied: rows with their facts, and single values. A list holds no secrets.

use eframe::egui::Ui;

use crate::{
    app::Cluster,
    model::{
        Timestamp,
        inventory::{Column, RowId},
        text::sanitize,
        time::calendar,
    },
};

/// Maximum number of rows that are copied at once.
const MAX_COPIED: usize = 100_000;

/// Copies rows as tab-separated lines below a header: the selected keys if `selected` and there are some, or else the
/// one in this line.
pub(super) fn copy_rows(ui: &Ui, cluster: &Cluster, line: Option<usize>, selected: bool) {
    let inventory = cluster.inventory();
    let rows: Vec<RowId> = if cluster.selection.is_empty() || !selected {
        line.and_then(|line| cluster.row_at(line)).into_iter().collect()
    } else {
        let shown = cluster.rows.rows.iter().copied();
        shown.filter(|row_id| cluster.selection.has(*row_id)).take(MAX_COPIED).collect()
    };
    if rows.is_empty() {
        return;
    }
    let mut text = String::from("name\tid\tapplication id\towner\texpires\n");
    for row_id in &rows {
        let expires = match inventory.expires(*row_id) {
            _ if inventory.is_unread(*row_id, "expiration") => "not known".into(),
            None => "never".into(),
            Some(at) => calendar::rfc3339(at),
        };
        let cells = [
            sanitize::shown(inventory.name(*row_id)).into_owned(),
            inventory.id(*row_id).to_owned(),
            sanitize::shown(inventory.application_id(*row_id).unwrap_or_default()).into_owned(),
            sanitize::shown(inventory.username(*row_id)).into_owned(),
            expires,
        ];
        text.push_str(&cells.join("\t").replace('\n', " "));
        text.push('\n');
    }
    ui.ctx().copy_text(text);
}

/// Returns the whole value of a column of a key, times as RFC 3339; `None` if it has none or it is not known.
pub(super) fn cell(cluster: &Cluster, row: RowId, column: Column, now: Timestamp) -> Option<String> {
    let keys = cluster.inventory();
    let moment = |at| calendar::rfc3339(at);
    let value = match column {
        Column::Name => keys.name(row).to_owned(),
        Column::Id => keys.id(row).to_owned(),
        Column::ApplicationId => keys.application_id(row)?.to_owned(),
        Column::Owner => keys.username(row).to_owned(),
        Column::Realm => keys.realm(row).to_owned(),
        Column::Kind => keys.kind(row).wire().to_owned(),
        Column::Roles => keys.roles(row).collect::<Vec<_>>().join(", "),
        Column::Can => keys.can(row),
        Column::Created => (!keys.is_unread(row, "creation")).then(|| moment(keys.created(row)))?,
        Column::Invalidated => moment(keys.invalidated_at(row)?),
        Column::Expires => {
            (!keys.is_unread(row, "expiration")).then(|| keys.expires(row))?.map_or("never".into(), moment)
        }
        Column::Status => {
            keys.has_known_status(row).then(|| keys.status(row, cluster.now(now)).machine_word().to_owned())?
        }
    };
    Some(sanitize::shown(&value).into_owned()).filter(|value| !value.is_empty())
}
