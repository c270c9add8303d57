//! Preferences of a person: columns, the format of times, the look. Nothing secret, and nothing that reveals which
//! clusters there are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Timestamp,
    inventory::{Column, Sort},
    lock::{DEFAULT_IDLE, MAX_IDLE},
};

/// Column besides the name, which is always the first and takes the remaining width.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// Column that is shown.
    pub column: Column,
    /// Width, in points.
    pub width: f32,
}

/// Columns to choose from, in their default order and with their default widths.
pub const COLUMNS: [Shown; 11] = [
    Shown { column: Column::ApplicationId, width: 130.0 },
    Shown { column: Column::Id, width: 172.0 },
    Shown { column: Column::Owner, width: 110.0 },
    Shown { column: Column::Realm, width: 100.0 },
    Shown { column: Column::Kind, width: 88.0 },
    Shown { column: Column::Roles, width: 140.0 },
    Shown { column: Column::Can, width: 132.0 },
    Shown { column: Column::Created, width: 96.0 },
    Shown { column: Column::Status, width: 88.0 },
    Shown { column: Column::Invalidated, width: 110.0 },
    Shown { column: Column::Expires, width: 236.0 },
];

/// Layout of the table of keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableLayout {
    /// Columns that are shown, in order.
    pub columns: Vec<Shown>,
    /// `true` if times are shown as dates, `false` if relative to now.
    pub dates: bool,
}

impl Default for TableLayout {
    fn default() -> Self {
        let shown = [Column::Owner, Column::Kind, Column::Roles, Column::Created, Column::Status, Column::Expires];
        Self { columns: COLUMNS.into_iter().filter(|known| shown.contains(&known.column)).collect(), dates: false }
    }
}

impl TableLayout {
    /// Shows or hides a column; a column that is shown again returns to its default position.
    pub fn show(&mut self, column: Column, on: bool) {
        self.columns.retain(|shown| shown.column != column);
        if let (true, Some(rank)) = (on, COLUMNS.iter().position(|known| known.column == column)) {
            let rank_of = |shown: &Shown| COLUMNS.iter().position(|known| known.column == shown.column);
            let at = self.columns.iter().position(|shown| rank_of(shown) > Some(rank)).unwrap_or(self.columns.len());
            self.columns.insert(at, COLUMNS[rank]);
        }
    }

    /// Moves a column one position to the left or to the right; at the edge it stays.
    pub fn shift(&mut self, column: Column, right: bool) {
        let Some(at) = self.columns.iter().position(|shown| shown.column == column) else { return };
        let other = if right { at + 1 } else { at.wrapping_sub(1) };
        if other < self.columns.len() {
            self.columns.swap(at, other);
        }
    }

    /// Sets the width of a column, limited to 48 to 800 points and rounded.
    pub fn resize(&mut self, column: Column, width: f32) {
        for shown in self.columns.iter_mut().filter(|shown| shown.column == column) {
            shown.width = width.clamp(48.0, 800.0).round();
        }
    }
}

/// Maximum number of columns that a list is sorted by after a restart.
const MAX_SORTS: usize = 8;

/// Zooms that are restored.
const ZOOMS: std::ops::RangeInclusive<f32> = 0.5..=4.0;

/// Widths and heights that are restored, in points.
const SIDES: std::ops::RangeInclusive<f32> = 400.0..=8000.0;

/// Settings kept between two runs, besides what is in the keyring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Layout of the table of keys.
    pub table: TableLayout,
    /// Columns that lists are sorted by; empty for the default order.
    pub sorts: Vec<Sort>,
    /// Zoom of the window; `None` if it was not changed.
    pub zoom: Option<f32>,
    /// Width and height of the window, in points at zoom 1; `None` before it was closed for the first time.
    pub size: Option<[f32; 2]>,
    /// Name of the look, as the window calls it; `None` if none was chosen.
    pub look: Option<String>,
    /// Fields of the metadata that the overview counts by.
    pub counted_by: Vec<String>,
    /// Minutes without input after which the window is locked; `None` for never.
    pub lock_after: Option<u32>,
    /// Time at which each cluster was last viewed, by the random id of its profile.
    pub visits: BTreeMap<String, Timestamp>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            table: TableLayout::default(),
            sorts: Vec::new(),
            zoom: None,
            size: None,
            look: None,
            counted_by: Vec::new(),
            lock_after: Some(DEFAULT_IDLE),
            visits: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// Reads stored settings; the defaults if they can't be read. Duplicate columns are dropped and widths are limited.
    pub fn read(json: &str) -> Self {
        let mut settings: Self = serde_json::from_str(json).unwrap_or_default();
        settings.lock_after = settings.lock_after.map(|minutes| minutes.clamp(1, MAX_IDLE));
        settings.sorts.truncate(MAX_SORTS);
        let is_zoom = |zoom: &f32| zoom.is_finite() && ZOOMS.contains(zoom);
        settings.zoom = settings.zoom.filter(is_zoom);
        let is_size = |size: &[f32; 2]| size.iter().all(|side| side.is_finite() && SIDES.contains(side));
        settings.size = settings.size.filter(is_size);
        let mut seen = std::collections::HashSet::new();
        settings.table.columns.retain(|shown| shown.column != Column::Name && seen.insert(shown.column));
        for shown in &mut settings.table.columns {
            shown.width = if shown.width.is_finite() { shown.width.clamp(48.0, 800.0) } else { 100.0 };
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(layout: &TableLayout) -> Vec<Column> {
        layout.columns.iter().map(|shown| shown.column).collect()
    }

    #[test]
    fn columns_come_go_and_move() {
        let mut layout = TableLayout::default();
        layout.show(Column::Kind, false);
        layout.show(Column::Id, true);
        assert_eq!(columns(&layout)[..3], [Column::Id, Column::Owner, Column::Roles]);
        layout.shift(Column::Id, true);
        layout.shift(Column::Expires, true);
        assert_eq!(columns(&layout)[..2], [Column::Owner, Column::Id]);
        assert_eq!(columns(&layout).last(), Some(&Column::Expires));
        layout.resize(Column::Id, 9000.0);
        assert_eq!(layout.columns[1].width, 800.0);
    }

    #[test]
    fn settings_survive_and_odd_ones_do_no_harm() {
        let mut settings = Settings { look: Some("Dark".into()), ..Settings::default() };
        settings.table.dates = true;
        settings.visits.insert("p1".into(), Timestamp::from_millis(7));
        assert_eq!(Settings::read(&serde_json::to_string(&settings).unwrap()), settings);
        settings.sorts.push(Sort::default());
        (settings.zoom, settings.size) = (Some(1.2), Some([1200.0, 700.0]));
        assert_eq!(Settings::read(&serde_json::to_string(&settings).unwrap()), settings);
        let odd = Settings::read(r#"{"zoom":900,"size":[1,1e9]}"#);
        assert_eq!((odd.zoom, odd.size), (None, None));
        let twice = r#"{"table":{"columns":[{"column":"owner","width":1e9},{"column":"owner","width":5},{"column":"name","width":5}]}}"#;
        let read = Settings::read(twice);
        assert_eq!((read.table.columns.len(), read.table.columns[0].width), (1, 800.0));
        for odd in ["", "[]", "{", r#"{"table":7}"#, r#"{"table":{"columns":[{"column":"new","width":1}]}}"#] {
            assert_eq!(Settings::read(odd), Settings::default(), "{odd}");
        }
    }
}
