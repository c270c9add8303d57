//! Keys that expire soon.

use crate::{
    model::{
        TimeDelta, Timestamp,
        filter::Query,
        inventory::{Asker, Column, RowId, Sort, list_view::Rows},
        text::number,
    },
    ops::keys::list::KeyList,
};

/// Returns the keys that expire within a time span, the soonest first, and the number of those of which it is not known
/// whether they match the search. Invalidated and expired keys are left out.
pub(crate) fn ending(
    list: &KeyList,
    query: &Query,
    now: Timestamp,
    length: TimeDelta,
    asker: Asker<'_>,
) -> (Vec<RowId>, usize) {
    let order = list.keys.order(&[Sort { column: Column::Expires, descending: false }], now);
    let rows = Rows::new(&list.keys, &query.expr, None, &order, now, asker);
    let until = now + length;
    let ends = |row: &RowId| {
        let row = *row;
        !list.keys.is_invalidated(row) && list.keys.expires(row).is_some_and(|at| at > now && at <= until)
    };
    let may_end = |row: RowId| !list.keys.has_known_status(row) || ends(&row);
    let odd = rows.found.rows().filter(|row| !list.keys.has_known_status(*row)).count();
    let not_known = rows.not_known.rows().filter(|row| may_end(*row)).count() + odd;
    (rows.rows.into_iter().filter(ends).collect(), not_known)
}

/// Formats "3 keys expire within 7d".
pub(crate) fn sentence(count: usize, within: &str) -> String {
    let verb = if count == 1 { "expires" } else { "expire" };
    format!("{} {verb} within {within}", number::plural(count as u64, "key"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::args::span::length, model::inventory::RawKey};

    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

    #[test]
    fn what_ends_is_what_still_works_and_will_not_for_long() {
        let mut list = KeyList::default();
        for (id, expires, invalidated) in [
            ("later", Some(NOW + 6 * TimeDelta::DAY), false),
            ("soon", Some(NOW + TimeDelta::DAY), false),
            ("gone", Some(NOW + TimeDelta::DAY), true),
            ("dead", Some(NOW), false),
            ("far", Some(NOW + 8 * TimeDelta::DAY), false),
            ("never", None, false),
        ] {
            list.keys.put(&RawKey { id, expires, invalidated, ..RawKey::default() });
        }
        let (rows, _) = ending(&list, &Query::default(), NOW, length("--within", "7d").unwrap(), Asker::default());
        let ids: Vec<&str> = rows.iter().map(|row| list.keys.id(*row)).collect();
        assert_eq!(ids, ["soon", "later"]);
        assert_eq!(sentence(1, "7d"), "1 key expires within 7d");
    }
}
