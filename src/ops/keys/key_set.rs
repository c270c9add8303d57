//! Sets of keys, selected by hand or by a search and resolved to ids at that moment: what is shown and what is sent are
//! the same, whatever the cluster does meanwhile.

use std::{collections::HashMap, sync::Arc};

use crate::{
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        guard,
        inventory::{Bitmap, Field, Inventory, RawKey, RowId, StatusCounts},
    },
    ops::{Session, invalidate::InvalidationPlan, keys::list::KeyList},
};

/// Maximum number of keys that are listed one by one; the others are only counted.
pub const MAX_NAMED: usize = 5;

/// Set of keys of one cluster, as row ids of a list.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    list: Arc<KeyList>,
    rows: Vec<RowId>,
}

/// Summary of a set of keys.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Number of keys with each status.
    pub statuses: StatusCounts,
    /// Names of owners with the number of keys, most frequent first.
    pub owners: Vec<(String, usize)>,
    /// Key types (`rest` and `cross_cluster`) with the number of keys.
    pub kinds: Vec<(String, usize)>,
    /// Products that keys say they were made by, with the number of keys, most frequent first.
    pub products: Vec<(String, usize)>,
    /// Number of keys that say of themselves that a product made them.
    pub managed: usize,
    /// First few of the keys counted by `managed`, at most [`MAX_NAMED`]; those owned by people come first.
    pub say_managed: Vec<KeyId>,
    /// Key that the session is signed in by; `None` if it is not in the set.
    pub own_key: Option<KeyId>,
    /// Findings that need a second look, by their name in a search, with the number of keys.
    pub findings: Vec<(&'static str, usize)>,
    /// Number of keys of other owners if the session may invalidate its own keys only; otherwise 0.
    pub foreign: usize,
}

impl KeySet {
    /// Creates a set from row ids of a list.
    pub fn new(list: Arc<KeyList>, rows: Vec<RowId>) -> Self {
        Self { list, rows }
    }

    /// Creates a set of keys that need not be in a list.
    pub fn of_keys(keys: &[ApiKey]) -> Self {
        let mut list = KeyList::default();
        for key in keys {
            list.keys.put(&RawKey::from(key));
        }
        list.keys.finish();
        let rows = keys.iter().filter_map(|key| list.keys.row_id(&key.id)).collect();
        Self { list: Arc::new(list), rows }
    }

    /// Keeps only the keys that are not invalidated yet.
    pub fn not_yet_invalidated(mut self) -> Self {
        let keys = &self.list.keys;
        self.rows.retain(|row| !keys.is_invalidated(*row));
        self
    }

    /// Keeps only the keys for which `fits` returns `true`.
    pub fn only(mut self, mut fits: impl FnMut(&ApiKey) -> bool) -> Self {
        let keys = &self.list.keys;
        self.rows.retain(|row| fits(&keys.key(*row)));
        self
    }

    /// Keeps only the keys for whose row of the list `fits` returns `true`, without copying the keys.
    pub fn only_rows(mut self, mut fits: impl FnMut(&Inventory, RowId) -> bool) -> Self {
        let keys = &self.list.keys;
        self.rows.retain(|row| fits(keys, *row));
        self
    }

    /// Returns the number of keys.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// `true` if the set has no keys.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the list that the keys are of.
    pub fn list(&self) -> &Arc<KeyList> {
        &self.list
    }

    /// Returns a key by its index in the set.
    pub fn key(&self, number: usize) -> Option<ApiKey> {
        self.rows.get(number).map(|row| self.list.keys.key(*row))
    }

    /// Returns a key by its id, looked up in the whole list.
    pub fn by_id(&self, id: &KeyId) -> Option<ApiKey> {
        self.list.keys.row_id(id).map(|row| self.list.keys.key(row))
    }

    /// Iterates over copies of the keys, in the order of the set.
    pub fn keys(&self) -> impl Iterator<Item = ApiKey> + '_ {
        self.rows.iter().map(|row| self.list.keys.key(*row))
    }

    /// Returns the ids of the keys, in the order of the set.
    pub fn ids(&self) -> Vec<KeyId> {
        self.rows.iter().map(|row| KeyId::new(self.list.keys.id(*row))).collect()
    }

    /// Returns the product that the key in a row of the list says it was made by.
    fn product(&self, row: RowId) -> Option<&str> {
        guard::product(self.list.keys.name(row), self.list.keys.managed_by(row))
    }

    /// Returns a plan to invalidate the keys, without any confirmation yet.
    pub fn plan(&self) -> InvalidationPlan {
        let managed = self.rows.iter().copied().filter(|row| self.product(*row).is_some());
        let managed = managed.map(|row| KeyId::new(self.list.keys.id(row))).collect();
        InvalidationPlan { ids: self.ids(), managed, ..InvalidationPlan::default() }
    }

    /// Returns the keys that would be sent: without `spared`, and without keys that products made for themselves unless
    /// `managed_too`.
    pub fn going(&self, spared: Option<&KeyId>, managed_too: bool) -> Self {
        let keys = &self.list.keys;
        let spared = spared.and_then(|id| keys.row_id(id));
        let goes = |row: &RowId| Some(*row) != spared && (managed_too || self.product(*row).is_none());
        let rows = self.rows.iter().copied().filter(goes).collect();
        Self { list: Arc::clone(&self.list), rows }
    }

    /// Summarizes the keys for the user who is signed in by `session`. `now` is the cluster's clock.
    pub fn summary(&self, session: Option<&Session>, now: Timestamp) -> Summary {
        let keys = &self.list.keys;
        let mut bits = Bitmap::none(keys.len());
        self.rows.iter().for_each(|row| bits.set(*row, true));
        let mut products: HashMap<&str, usize> = HashMap::new();
        bits.rows().filter_map(|row| self.product(row)).for_each(|product| *products.entry(product).or_default() += 1);
        let mut products: Vec<(String, usize)> = products.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        products.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        let is_person = |row: &RowId| !guard::is_owned_by_product(keys.username(*row), keys.realm(*row));
        let of_people = bits.rows().filter(|row| self.product(*row).is_some()).filter(is_person);
        let of_products = bits.rows().filter(|row| self.product(*row).is_some()).filter(|row| !is_person(row));
        let say_managed = of_people.chain(of_products).take(MAX_NAMED).map(|row| KeyId::new(keys.id(row)));
        let say_managed: Vec<KeyId> = say_managed.collect();
        let own = session.and_then(Session::own_key).and_then(|id| keys.row_id(id)).filter(|row| bits.has(*row));
        let restricted = session.filter(|session| session.invalidates_own_only());
        let foreign = restricted.map_or(0, |session| {
            let is_foreign = |row: &RowId| keys.username(*row) != session.identity.username;
            bits.rows().filter(is_foreign).count()
        });
        Summary {
            statuses: keys.count(&bits, now),
            owners: keys.tally(&bits, &Field::Owner),
            kinds: keys.tally(&bits, &Field::Kind),
            managed: products.iter().map(|(_, count)| count).sum(),
            say_managed,
            products,
            own_key: own.map(|row| KeyId::new(keys.id(row))),
            findings: keys.findings(&bits),
            foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_chosen_stays_what_it_was_and_is_counted() {
        let mut list = KeyList::default();
        for (id, name, owner, invalidated, metadata) in [
            ("a", "app", "ana", false, "{}"),
            ("b", "app", "ana", true, "{}"),
            ("c", "out", "fleet", false, r#"{"managed":true,"managed_by":"fleet"}"#),
            ("d", "Alerting: x/y", "boris", false, "{}"),
            ("e", "other", "boris", false, "{}"),
        ] {
            let key = RawKey { id, name, username: owner, invalidated, metadata: Some(metadata), ..RawKey::default() };
            list.keys.put(&key);
        }
        list.keys.finish();
        let chosen = KeySet::new(Arc::new(list), [3, 1, 0, 2].into_iter().filter_map(RowId::new).collect())
            .not_yet_invalidated();
        assert_eq!(chosen.ids(), ["d", "a", "c"].map(KeyId::new));
        let summary = chosen.summary(None, Timestamp::EPOCH);
        let count = |name: &str| (name.to_owned(), 1);
        assert_eq!(summary.owners, [count("ana"), count("boris"), count("fleet")]);
        assert_eq!(summary.products, [count("fleet"), count("kibana, by its name")]);
        let going = |spared: Option<&str>, managed_too| {
            chosen.going(spared.map(KeyId::new).as_ref(), managed_too).ids().iter().map(KeyId::to_string).collect()
        };
        let plain: [Vec<String>; 3] = [going(None, false), going(None, true), going(Some("a"), true)];
        assert_eq!(plain, [vec!["a"], vec!["d", "a", "c"], vec!["d", "c"]]);
        assert_eq!((summary.managed, summary.own_key.is_some(), summary.statuses.total()), (2, false, 3));
        // What is shown as going is what the plan does not spare.
        let own = KeyId::new("c");
        for (own_key_too, managed_too) in [(false, false), (false, true), (true, false), (true, true)] {
            let plan = InvalidationPlan { own_key_too, managed_too, ..chosen.plan() };
            let sent: Vec<KeyId> = plan.ids.iter().filter(|id| plan.guard(id, Some(&own)).is_none()).cloned().collect();
            assert_eq!(chosen.going(Some(&own).filter(|_| !own_key_too), managed_too).ids(), sent);
        }
        assert_eq!(chosen.plan().managed, ["c", "d"].map(KeyId::new).into());
    }
}
