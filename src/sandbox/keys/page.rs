//! One page of API keys in the requested order. Even of a million keys, only those of the page are sorted.

use super::sort::{Sort, SortValue};
use crate::sandbox::state::key::StoredKey;
use std::cmp::Ordering;

/// Key with its first sort value.
struct Row<'a> {
    lead: SortValue<'a>,
    key: &'a StoredKey,
}

/// Returns the keys of the page: `size` keys, after skipping the first `from` after the values of `after`. Equal keys
/// are in the order of writing.
pub fn page<'a>(
    sorts: &[Sort],
    after: Option<&[SortValue]>,
    found: &[&'a StoredKey],
    from: usize,
    size: usize,
) -> Vec<&'a StoredKey> {
    if size == 0 {
        return Vec::new();
    }
    let lead = |key: &'a StoredKey| sorts.first().map_or(SortValue::Number(key.doc), |sort| sort.value(key));
    let mut rows: Vec<Row> = found.iter().map(|key| Row { lead: lead(key), key }).collect();
    if let Some(after) = after {
        rows.retain(|row| is_behind(sorts, row, after));
    }
    let compare = |a: &Row, b: &Row| {
        let first = match sorts.first() {
            Some(sort) => sort.compare(&a.lead, &b.lead),
            None => Ordering::Equal,
        };
        first
            .then_with(|| {
                let mut others = sorts.iter().skip(1).map(|sort| sort.compare(&sort.value(a.key), &sort.value(b.key)));
                others.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
            })
            .then(a.key.doc.cmp(&b.key.doc))
    };
    let end = from.saturating_add(size);
    if rows.len() > end {
        rows.select_nth_unstable_by(end, compare);
        rows.truncate(end);
    }
    rows.sort_unstable_by(compare);
    rows.into_iter().skip(from).map(|row| row.key).collect()
}

fn is_behind(sorts: &[Sort], row: &Row, after: &[SortValue]) -> bool {
    let Some((sort, value)) = sorts.first().zip(after.first()) else { return true };
    let first = sort.compare(&row.lead, value);
    if first.is_ne() {
        return first.is_gt();
    }
    let mut others = sorts.iter().zip(after).skip(1).map(|(sort, value)| sort.compare(&sort.value(row.key), value));
    others.find(|order| order.is_ne()).is_some_and(Ordering::is_gt)
}

#[cfg(test)]
mod tests {
    use super::{super::sort::read_sort, *};
    use crate::sandbox::{json, seed};

    #[test]
    fn pages_joined_are_the_whole_in_order() {
        let (cluster, _) = seed::fill(300, 1_795_490_903_188).unwrap();
        let found: Vec<&StoredKey> = cluster.keys().iter().collect();
        for sort in [r#"["username","name"]"#, r#"[{"expiration":{"order":"desc"}}]"#, r#"["metadata.team"]"#, "[]"] {
            let sorts = read_sort(&json::parse(sort.as_bytes()).unwrap()).unwrap();
            let ids = |keys: Vec<&StoredKey>| keys.into_iter().map(|key| key.id.clone()).collect::<Vec<_>>();
            let whole = ids(page(&sorts, None, &found, 0, 1_000));
            let joined: Vec<String> = (0..30).flat_map(|part| ids(page(&sorts, None, &found, part * 10, 10))).collect();
            assert_eq!(whole, joined, "{sort}");
            assert_eq!(whole.len(), 300, "{sort}");
        }
        assert!(page(&[], None, &found, 0, 0).is_empty());
    }

    #[test]
    fn a_page_begins_strictly_behind_the_values_given() {
        let (cluster, _) = seed::fill(300, 1_795_490_903_188).unwrap();
        let found: Vec<&StoredKey> = cluster.keys().iter().collect();
        let sorts = read_sort(&json::parse(br#"["username","creation"]"#).unwrap()).unwrap();
        let whole = page(&sorts, None, &found, 0, 300);
        let after: Vec<SortValue> = sorts.iter().map(|sort| sort.value(whole[99])).collect();
        let rest = page(&sorts, Some(&after), &found, 0, 300);
        let same = |key: &&StoredKey| key.username == whole[99].username && key.creation == whole[99].creation;
        assert!(!rest.iter().any(same));
        assert_eq!(rest.len(), 300 - 100 - whole.iter().skip(100).filter(|key| same(key)).count());
    }
}
