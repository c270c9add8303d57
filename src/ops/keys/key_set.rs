//! Keys that were chosen, by hand or by a search, resolved to ids at that moment: what is shown of them and
//! what is sent are the same, whatever the cluster does meanwhile.

use std::{collections::HashMap, sync::Arc};

use crate::{
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        guard,
        inventory::{Bitmap, Field, Inventory, RawKey, StatusCounts},
    },
    ops::{Session, invalidate::InvalidationPlan, keys::list::KeyList},
};

/// How many keys are told one by one where the others are only counted.
pub const MAX_NAMED: usize = 5;

/// Keys of one cluster.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    list: Arc<KeyList>,
    places: Vec<u32>,
}

/// What is told of many keys at once.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many have each status.
    pub statuses: StatusCounts,
    /// Names of owners with the number of keys, the most frequent first.
    pub owners: Vec<(String, usize)>,
    /// `rest` and `cross_cluster` with the number of keys.
    pub kinds: Vec<(String, usize)>,
    /// Products that keys say they were made by, with the number of keys.
    pub products: Vec<(String, usize)>,
    /// How many say of themselves that a product made them.
    pub managed: usize,
    /// The first few of those, at most [`MAX_NAMED`]; those of people come first.
    pub say_managed: Vec<KeyId>,
    /// The key that the session is signed in by, if it is among them.
    pub own_key: Option<KeyId>,
    /// What asks for a second look, by its word in a search, with the number of keys.
    pub findings: Vec<(&'static str, usize)>,
    /// How many belong to others, where one may invalidate one's own only.
    pub foreign: usize,
}

impl KeySet {
    /// These places of a list.
    pub fn new(list: Arc<KeyList>, places: Vec<u32>) -> Self {
        Self { list, places }
    }

    /// Keys that need not be in a list.
    pub fn of_keys(keys: &[ApiKey]) -> Self {
        let mut list = KeyList::default();
        for key in keys {
            list.keys.put(&RawKey::from(key));
        }
        list.keys.finish();
        let places = keys.iter().filter_map(|key| list.keys.row_id(&key.id)).map(|place| place as u32).collect();
        Self { list: Arc::new(list), places }
    }

    /// Those that are not invalidated yet.
    pub fn not_yet_invalidated(mut self) -> Self {
        let keys = &self.list.keys;
        self.places.retain(|place| !keys.is_invalidated(*place as usize));
        self
    }

    /// Those that fit.
    pub fn only(mut self, mut fits: impl FnMut(&ApiKey) -> bool) -> Self {
        let keys = &self.list.keys;
        self.places.retain(|place| fits(&keys.key(*place as usize)));
        self
    }

    /// Those whose row of the list fits, looked at without a copy of the key.
    pub fn only_rows(mut self, mut fits: impl FnMut(&Inventory, usize) -> bool) -> Self {
        let keys = &self.list.keys;
        self.places.retain(|place| fits(keys, *place as usize));
        self
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The list that they are of.
    pub fn list(&self) -> &Arc<KeyList> {
        &self.list
    }

    /// One of them, by its number.
    pub fn key(&self, number: usize) -> Option<ApiKey> {
        self.places.get(number).map(|place| self.list.keys.key(*place as usize))
    }

    /// One of them, by its id.
    pub fn by_id(&self, id: &KeyId) -> Option<ApiKey> {
        self.list.keys.row_id(id).map(|place| self.list.keys.key(place))
    }

    /// All of them.
    pub fn keys(&self) -> impl Iterator<Item = ApiKey> + '_ {
        self.places.iter().map(|place| self.list.keys.key(*place as usize))
    }

    /// Their ids.
    pub fn ids(&self) -> Vec<KeyId> {
        self.places.iter().map(|place| KeyId::new(self.list.keys.id(*place as usize))).collect()
    }

    /// The product that one of them says it was made by.
    fn product(&self, place: usize) -> Option<&str> {
        guard::product(self.list.keys.name(place), self.list.keys.managed_by(place))
    }

    /// To be invalidated; no extra word is said yet.
    pub fn plan(&self) -> InvalidationPlan {
        let managed = self.places.iter().map(|place| *place as usize).filter(|place| self.product(*place).is_some());
        let managed = managed.map(|place| KeyId::new(self.list.keys.id(place))).collect();
        InvalidationPlan { ids: self.ids(), managed, ..InvalidationPlan::default() }
    }

    /// Those that would be sent: without this key, and without what products made for themselves unless that is
    /// meant too.
    pub fn going(&self, spared: Option<&KeyId>, managed_too: bool) -> Self {
        let keys = &self.list.keys;
        let spared = spared.and_then(|id| keys.row_id(id));
        let goes = |place: &&u32| {
            let place = **place as usize;
            Some(place) != spared && (managed_too || self.product(place).is_none())
        };
        let places = self.places.iter().filter(goes).copied().collect();
        Self { list: Arc::clone(&self.list), places }
    }

    /// What there is to be told of them, for who is signed in by this session. `now` is the cluster's.
    pub fn summary(&self, session: Option<&Session>, now: Millis) -> Summary {
        let keys = &self.list.keys;
        let mut bits = Bitmap::none(keys.len());
        self.places.iter().for_each(|place| bits.set(*place as usize, true));
        let mut products: HashMap<&str, usize> = HashMap::new();
        bits.rows()
            .filter_map(|place| self.product(place))
            .for_each(|product| *products.entry(product).or_default() += 1);
        let mut products: Vec<(String, usize)> = products.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
        products.sort_by(|(a, many), (b, more)| more.cmp(many).then_with(|| a.cmp(b)));
        let is_person = |place: &usize| !guard::is_owned_by_product(keys.username(*place), keys.realm(*place));
        let of_people = bits.rows().filter(|place| self.product(*place).is_some()).filter(is_person);
        let of_products = bits.rows().filter(|place| self.product(*place).is_some()).filter(|place| !is_person(place));
        let say_managed = of_people.chain(of_products).take(MAX_NAMED).map(|place| KeyId::new(keys.id(place)));
        let say_managed: Vec<KeyId> = say_managed.collect();
        let own = session.and_then(Session::own_key).and_then(|id| keys.row_id(id)).filter(|place| bits.has(*place));
        let restricted = session.filter(|session| session.invalidates_own_only());
        let foreign = restricted.map_or(0, |session| {
            let is_foreign = |place: &usize| keys.username(*place) != session.identity.username;
            bits.rows().filter(is_foreign).count()
        });
        Summary {
            statuses: keys.count(&bits, now),
            owners: keys.tally(&bits, &Field::Owner),
            kinds: keys.tally(&bits, &Field::Kind),
            managed: products.iter().map(|(_, count)| count).sum(),
            say_managed,
            products,
            own_key: own.map(|place| KeyId::new(keys.id(place))),
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
        let chosen = KeySet::new(Arc::new(list), vec![3, 1, 0, 2]).not_yet_invalidated();
        assert_eq!(chosen.ids(), ["d", "a", "c"].map(KeyId::new));
        let summary = chosen.summary(None, 0);
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
