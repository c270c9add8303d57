//! List of keys as it is shown: filtered, sorted and counted; and the keys that a reference stands for.

use jiff::tz::TimeZone;

use super::{Asker, Bitmap, Inventory, Order, RowId, Sort, StatusCounts};
use crate::model::{
    TimeDelta, Timestamp,
    api_key::{ApiKey, KeyId},
    filter::{self, Expr},
    rotation::successor::ROTATED_FROM,
    text::json,
    time::status::StatusGroup,
};

/// Options of a list: search, status group and order.
#[derive(Clone, Debug, PartialEq)]
pub struct ListView {
    /// Search in the language of [`crate::model::filter`].
    pub search: String,
    /// Status group to show; `None` for all keys.
    pub status: Option<StatusGroup>,
    /// Columns to sort by; the first one leads.
    pub sorts: Vec<Sort>,
}

impl Default for ListView {
    /// Returns a list of all keys, latest created first.
    fn default() -> Self {
        Self { search: String::new(), status: None, sorts: vec![Sort::default()] }
    }
}

/// Rows of a list, and the number of keys with each status among those that match the search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Row ids in the inventory, in the order of the list.
    pub rows: Vec<RowId>,
    /// Keys that match the search, whatever their status.
    pub found: Bitmap,
    /// Keys of which it is not known if they match the search, and those that match it and of which it is not known if
    /// they belong to the group.
    pub not_known: Bitmap,
    /// Number of keys in `found` with each status.
    pub counts: StatusCounts,
}

impl Rows {
    /// Finds the keys that match an expression and belong to a group, in an order computed before.
    pub fn new(
        inventory: &Inventory,
        expr: &Expr,
        status: Option<StatusGroup>,
        order: &Order,
        now: Timestamp,
        asker: Asker<'_>,
    ) -> Self {
        let searched = inventory.search(expr, now, asker);
        let mut not_known = searched.not_known();
        let found = searched.matching;
        if status.is_some() {
            // Whether they belong to the group is not known.
            inventory.without_status().filter(|row| found.has(*row)).for_each(|row| not_known.set(row, true));
        }
        let counts = inventory.count(&found, now);
        let row_ids = match status {
            Some(group) => order.pick(&found.clone().and(&inventory.of_group(group, now))),
            None if counts.total() == inventory.len() => order.rows().to_vec(),
            None => order.pick(&found),
        };
        Self { rows: row_ids, found, not_known, counts }
    }
}

/// Contents of a list, computed before it is shown: for a million keys that takes longer than a frame.
#[derive(Clone, Debug)]
pub struct ListSnapshot {
    /// Moment of the cluster's clock for which it was computed; a window with another clock computes it anew.
    pub at: Timestamp,
    /// Options of the list.
    pub view: ListView,
    /// Parsed search of the options.
    pub expr: Expr,
    /// All keys in the order of the options.
    pub order: Order,
    /// Rows of the list.
    pub rows: Rows,
    /// Moment of the cluster's clock at which the rows become outdated, exclusive.
    pub good_until: Timestamp,
}

impl ListSnapshot {
    /// Computes the contents of a list; `None` if the search can't be read.
    pub fn of(
        inventory: &Inventory,
        view: &ListView,
        now: Timestamp,
        zone: &TimeZone,
        asker: Asker<'_>,
    ) -> Option<Self> {
        let expr = filter::parse(&view.search, now, zone).ok()?.expr;
        let order = inventory.order(&view.sorts, now);
        let rows = Rows::new(inventory, &expr, view.status, &order, now, asker);
        Some(Self { at: now, view: view.clone(), expr, order, rows, good_until: good_until(inventory, now) })
    }
}

/// Returns the moment until which statuses can be shown as they are now, exclusive; `Timestamp::MAX` if none changes. With
/// many keys one expires every second, and computing everything again each time would keep the machine busy: the counts
/// then lag, by a second per 100,000 keys.
pub fn good_until(inventory: &Inventory, now: Timestamp) -> Timestamp {
    let lag = TimeDelta::from_millis(inventory.len() as i64 / 100);
    inventory.next_change(now).map_or(Timestamp::MAX, |at| at.max(now + lag))
}

/// Returns the keys that a reference given by a person stands for: the one with this id, otherwise all with this
/// application id, otherwise all with this name.
pub fn named<'a>(keys: &'a [ApiKey], reference: &str) -> Vec<&'a ApiKey> {
    let by_id: Vec<&ApiKey> = keys.iter().filter(|key| key.id.as_str() == reference).collect();
    if !by_id.is_empty() {
        return by_id;
    }
    let by_application: Vec<&ApiKey> = keys.iter().filter(|key| key.application_id() == Some(reference)).collect();
    if !by_application.is_empty() {
        return by_application;
    }
    keys.iter().filter(|key| key.name == reference).collect()
}

/// Returns the last key of a rotation, if all keys that are not invalidated form one lineage of two or more: each is
/// the successor of another one with the same owner, according to their metadata.
pub fn last_successor(keys: &[ApiKey]) -> Option<&ApiKey> {
    let valid: Vec<&ApiKey> = keys.iter().filter(|key| !key.invalidated).collect();
    let old_of = |key: &ApiKey| {
        let metadata = json::value(key.metadata.as_ref()?.get())?;
        let id = metadata[ROTATED_FROM].as_str()?.to_owned();
        valid.iter().copied().find(|old| old.id.as_str() == id && old.owner == key.owner)
    };
    let replaced: Vec<&KeyId> = valid.iter().filter_map(|key| old_of(key)).map(|old| &old.id).collect();
    let last = valid.iter().copied().find(|key| !replaced.contains(&&key.id))?;
    let lineage = std::iter::successors(Some(last), |key| old_of(key)).take(valid.len() + 1);
    (valid.len() > 1 && lineage.count() == valid.len()).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        api_key::Owner,
        inventory::{Column, RawKey},
        time::status::Status,
    };
    use serde_json::value::RawValue;

    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

    fn key(id: &str, name: &str, owner: &str, expires: Option<Timestamp>, metadata: &str) -> ApiKey {
        ApiKey {
            id: KeyId::new(id),
            name: name.into(),
            owner: Owner { username: owner.into(), realm: "native".into() },
            created: NOW - TimeDelta::DAY,
            expires,
            metadata: Some(RawValue::from_string(metadata.into()).unwrap()),
            ..Default::default()
        }
        .with_facts()
    }

    fn keys() -> Vec<ApiKey> {
        vec![
            key("1", "beta", "ana", Some(NOW + TimeDelta::DAY), r#"{"application_id":"app-b","roles":["reader"]}"#),
            key("2", "Alpha", "boris", None, r#"{"team":"Payments"}"#),
            key("3", "gamma", "ana", Some(NOW - TimeDelta::DAY), "{}"),
            key("4", "alpha", "chen", Some(NOW + 90 * TimeDelta::DAY), r#"{"application_id":"app-a"}"#),
        ]
    }

    #[test]
    fn counts_are_of_the_search_and_rows_of_the_status() {
        let mut inventory = Inventory::default();
        for key in &keys() {
            inventory.put(&RawKey::from(key));
        }
        let order = inventory.order(&[Sort { column: Column::Name, descending: false }], NOW);
        let rows = |status| Rows::new(&inventory, &Expr::All, status, &order, NOW, Asker::default());
        let indexes = |rows: &Rows| rows.rows.iter().map(|row| row.index()).collect::<Vec<_>>();
        assert_eq!(indexes(&rows(None)), [1, 3, 0, 2]);
        let expired = rows(Some(StatusGroup::Expired));
        assert_eq!((indexes(&expired), expired.counts.total()), (vec![2], 4));
        assert_eq!((expired.counts.of(Status::Expiring), expired.counts.of(Status::Never)), (1, 1));
    }

    #[test]
    fn what_is_worked_out_beside_the_window_is_what_the_window_would_show() {
        let mut inventory = Inventory::default();
        for key in &keys() {
            inventory.put(&RawKey::from(key));
        }
        let sorts = vec![Sort { column: Column::Name, descending: true }];
        let view =
            ListView { search: "owner:ana".into(), status: Some(StatusGroup::Within7Days), sorts: sorts.clone() };
        let snapshot = ListSnapshot::of(&inventory, &view, NOW, &TimeZone::UTC, Asker::default()).unwrap();
        let order = inventory.order(&sorts, NOW);
        let rows = Rows::new(&inventory, &snapshot.expr, view.status, &order, NOW, Asker::default());
        assert_eq!((snapshot.rows.rows.as_slice(), &snapshot.rows, snapshot.at), ([RowId(0)].as_slice(), &rows, NOW));
        let broken = ListView { search: "owner:".into(), ..view };
        assert!(ListSnapshot::of(&inventory, &broken, NOW, &TimeZone::UTC, Asker::default()).is_none());
    }

    #[test]
    fn counts_of_many_keys_lag_and_those_of_few_do_not() {
        let mut inventory = Inventory::default();
        for number in 0..1000 {
            let id = number.to_string();
            inventory.put(&RawKey {
                id: &id,
                expires: Some(NOW + TimeDelta::from_millis(1 + number)),
                ..RawKey::default()
            });
            if number == 0 {
                assert_eq!(good_until(&inventory, NOW), NOW + TimeDelta::MILLISECOND);
            }
        }
        assert_eq!(good_until(&inventory, NOW), NOW + TimeDelta::from_millis(10));
        // What changes later than that is not looked for sooner.
        assert_eq!(good_until(&inventory, NOW - TimeDelta::DAY), NOW + TimeDelta::MILLISECOND);
        assert_eq!(good_until(&Inventory::default(), NOW), Timestamp::MAX);
    }

    #[test]
    fn a_key_is_named_by_id_then_application_id_then_name() {
        let keys = keys();
        let find = |text: &str| named(&keys, text).iter().map(|key| key.id.to_string()).collect::<Vec<_>>();
        assert_eq!(find("1"), ["1"]);
        assert_eq!(find("app-a"), ["4"]);
        assert_eq!(find("alpha"), ["4"]);
        assert!(find("app-*").is_empty());
    }

    #[test]
    fn of_keys_that_replace_each_other_the_last_one_stays() {
        let made = |id: &str, owner: &str, from: &str| {
            key(id, "app", owner, None, &format!(r#"{{"application_id":"app","rotated_from":"{from}"}}"#))
        };
        let last = |keys: &[ApiKey]| last_successor(keys).map(|key| key.id.to_string());
        assert_eq!(last(&[made("b", "ana", "a"), made("c", "ana", "b"), made("a", "ana", "")]).as_deref(), Some("c"));
        assert_eq!(last(&[made("b", "eve", "a"), made("a", "ana", "")]), None, "somebody else wrote it");
        assert_eq!(last(&[made("b", "ana", "a"), made("c", "ana", "a"), made("a", "ana", "")]), None, "two successors");
        assert_eq!(last(&[made("a", "ana", "b"), made("b", "ana", "a")]), None, "a circle");
        assert_eq!(last(&[made("a", "ana", ""), made("b", "ana", "")]), None);
        let gone = ApiKey { invalidated: true, ..made("c", "ana", "b") };
        assert_eq!(last(&[made("b", "ana", "a"), made("a", "ana", ""), gone]).as_deref(), Some("b"));
    }

    /// Stand-in of an unreadable expiration is "never"; the key is neither in that group nor surely outside it.
    #[test]
    fn of_a_key_without_a_readable_status_it_is_not_known_if_it_belongs_to_a_group() {
        let mut inventory = Inventory::default();
        inventory.put(&RawKey { id: "whole", ..Default::default() });
        inventory.put(&RawKey { id: "odd", flaw: Some("expiration: it is missing"), ..Default::default() });
        inventory.finish();
        let order = inventory.order(&[Sort::default()], NOW);
        for (group, rows, not_known) in
            [(None, 2, 0), (Some(StatusGroup::Never), 1, 1), (Some(StatusGroup::Within7Days), 0, 1)]
        {
            let found = Rows::new(&inventory, &Expr::All, group, &order, NOW, Asker::default());
            assert_eq!((found.rows.len(), found.not_known.count()), (rows, not_known), "{group:?}");
        }
    }
}
