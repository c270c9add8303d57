//! Search by privileges: each distinct pair of descriptors and owner's snapshots is evaluated once, by the one
//! evaluator of effective privileges, and its answer applies to all keys with the pair.

use rayon::prelude::*;

use super::{Bitmap, Found, Inventory, RowId};
use crate::model::{
    api_key::KeyKind,
    filter::{Grant, OnIndex, Privilege},
    rights::{Asked, Assigned, Certainty, Effective},
};

impl Inventory {
    /// Finds the keys whose effective privileges answer a question with yes, and those of which it is not known.
    pub(super) fn by_rights(&self, ask: impl Fn(&Effective<'_>) -> Certainty + Sync) -> Found {
        let known = &self.known;
        let answer = |(descriptors, limits): &(u32, u32)| {
            let assigned = match *descriptors as usize {
                0 => Assigned::NotTold,
                number if known.are_empty[number] => Assigned::Unrestricted,
                number => Assigned::Layer(&known.layers[number]),
            };
            ask(&Effective::new(assigned, known.limit_layers[*limits as usize].as_deref()))
        };
        let answers: Vec<Certainty> = known.pairs.par_iter().with_min_len(16).map(answer).collect();
        let cross = ask(&Effective::new(Assigned::CrossCluster, None));
        let kinds: Vec<Option<Certainty>> = known
            .kinds
            .iter()
            .map(|kind| match kind {
                KeyKind::Rest => None,
                KeyKind::CrossCluster => Some(cross),
                KeyKind::Other(_) => Some(Certainty::NotKnown),
            })
            .collect();
        let of = |row: RowId| kinds[usize::from(self.kinds[row])].unwrap_or(answers[self.rights[row] as usize]);
        let matching = Bitmap::of(self.len(), |row| of(row) == Certainty::Yes);
        let is_sure = !answers.iter().chain(kinds.iter().flatten()).any(|answer| *answer == Certainty::NotKnown);
        if is_sure {
            Found::sure(matching)
        } else {
            Found::with(matching, Bitmap::of(self.len(), |row| of(row) != Certainty::No))
        }
    }

    /// Finds the keys that have all the requested privileges, or those of which that is not known, as the search asks.
    pub(super) fn granting(&self, grant: &Grant) -> Found {
        let on: Vec<Vec<(Asked, bool)>> = grant
            .on
            .iter()
            .map(|any_of| any_of.iter().map(|OnIndex { name, all_of_it }| (Asked::new(name), *all_of_it)).collect())
            .collect();
        let found = self.by_rights(|rights| granted(rights, grant, &on));
        if grant.not_known { Found::sure(found.not_known()) } else { found }
    }
}

fn granted(rights: &Effective<'_>, grant: &Grant, on: &[Vec<(Asked, bool)>]) -> Certainty {
    if on.is_empty() {
        if grant.can.is_empty() {
            return rights.is_empty().not();
        }
        let any = Asked::any();
        let holds = |privilege: &Privilege| {
            let cluster = if privilege.cluster { rights.may(&privilege.name) } else { Certainty::No };
            if privilege.index && cluster != Certainty::Yes {
                cluster.or(rights.may_on_some(&any, &privilege.name))
            } else {
                cluster
            }
        };
        return Certainty::all(grant.can.iter().map(|any_of| Certainty::any(any_of.iter().map(holds))));
    }
    let holds_on = |asked: &(Asked, bool)| {
        let (name, all_of_it) = asked;
        let holds = |privilege: &Privilege| match (privilege.index, all_of_it) {
            (false, _) => rights.may(&privilege.name),
            (true, true) => rights.may_on(name, &privilege.name),
            (true, false) => rights.may_on_some(name, &privilege.name),
        };
        let held = Certainty::all(grant.can.iter().map(|any_of| Certainty::any(any_of.iter().map(holds))));
        // What only the cluster has says nothing of the index.
        let is_of_index = grant.can.iter().flatten().any(|privilege| privilege.index);
        if is_of_index || held == Certainty::No { held } else { held.and(rights.any_right_on(name, *all_of_it)) }
    };
    Certainty::all(on.iter().map(|any_of| Certainty::any(any_of.iter().map(holds_on))))
}
