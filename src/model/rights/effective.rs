//! Effective privileges of a key, worked out in one module for every use: searches, the page of a key, `show`, the
//! check of a secret and the findings before an invalidation. A key has what its descriptors and every snapshot of its
//! owner's rights grant, each by itself, as `_has_privileges` answers to whoever signs in with the key.

use super::{
    Certainty,
    layer::{Extent, Group, Layer},
    names::{Asked, Names, Reach, names_in_common, reach_in_common},
};
use crate::model::privileges::{
    self, Area, Versions,
    globs::{Language, have_common},
    have_common_action, index_implies,
};

/// Limit of combinations of grants that one question examines; beyond it the answer is "not known".
pub const MAX_COMBINATIONS: usize = 40_000;

/// Cluster privileges that let a key change the cluster or its security: settings, users, roles, keys of others.
const ADMINISTRATIVE: [&str; 6] =
    ["all", "manage", "manage_security", "manage_api_key", "grant_api_key", "manage_service_account"];
/// Index privileges that reach the contents of an index.
const ON_CONTENT: [&str; 6] = ["read", "write", "create_doc", "delete", "delete_index", "manage"];

/// Rights assigned to a key by its own descriptors.
#[derive(Clone, Copy, Debug)]
pub enum Assigned<'a> {
    /// Descriptors that the cluster does not return (before 8.5).
    NotTold,
    /// No descriptors: the owner's rights are the only limit.
    Unrestricted,
    /// Descriptors.
    Layer(&'a Layer),
    /// Key for another cluster, which can't sign in to REST.
    CrossCluster,
}

/// Descriptors of a key with the snapshots of its owner's rights.
#[derive(Clone, Copy, Debug)]
pub struct Effective<'a> {
    assigned: Assigned<'a>,
    limits: Option<&'a [Layer]>,
}

impl Certainty {
    /// Returns yes if both are yes, no if one is no, otherwise not known.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::NotKnown,
        }
    }

    /// Returns yes if one is yes, no if both are no, otherwise not known.
    pub fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    /// Returns the opposite; "not known" stays "not known".
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "`!answer` would hide that there are three")]
    pub fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::NotKnown => Self::NotKnown,
        }
    }

    fn of(answer: Option<bool>) -> Self {
        match answer {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::NotKnown,
        }
    }

    /// Returns yes if one of them is yes; what comes after a yes is not asked.
    pub fn any(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::No;
        for answer in answers {
            all = all.or(answer);
            if all == Self::Yes {
                break;
            }
        }
        all
    }

    /// Returns yes if all of them are yes; what comes after a no is not asked.
    pub fn all(answers: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Yes;
        for answer in answers {
            all = all.and(answer);
            if all == Self::No {
                break;
            }
        }
        all
    }
}

impl<'a> Effective<'a> {
    /// Combines a key's assigned rights with the snapshots that limit them; `limits` is `None` where these are not
    /// known.
    pub fn new(assigned: Assigned<'a>, limits: Option<&'a [Layer]>) -> Self {
        Self { assigned, limits }
    }

    fn layers(&self) -> Vec<&'a Layer> {
        let own = match self.assigned {
            Assigned::Layer(layer) => Some(layer),
            _ => None,
        };
        own.into_iter().chain(self.limits.into_iter().flatten()).collect()
    }

    /// Asks all layers together and weakens the answer where a layer is not known or limited to workflows: a yes
    /// becomes "not known", a no stays. A cross-cluster key gets a no.
    fn told(&self, answer: impl FnOnce(&[&'a Layer]) -> Certainty) -> Certainty {
        if matches!(self.assigned, Assigned::CrossCluster) {
            return Certainty::No;
        }
        let layers = self.layers();
        if layers.is_empty() {
            return Certainty::NotKnown;
        }
        let is_told = !matches!(self.assigned, Assigned::NotTold) && self.limits.is_some();
        let is_free = !layers.iter().any(|layer| layer.is_restricted);
        let answer = answer(&layers);
        if is_told && is_free { answer } else { answer.and(Certainty::NotKnown) }
    }

    fn each(&self, answer: impl Fn(&Layer) -> Certainty) -> Certainty {
        self.told(|layers| Certainty::all(layers.iter().map(|layer| answer(layer))))
    }

    /// Returns whether a cluster privilege is held, as `_has_privileges` answers.
    pub fn may(&self, privilege: &str) -> Certainty {
        self.each(|layer| layer.may(privilege))
    }

    /// Returns whether an index privilege is held on a name, or on all names that a pattern can match, as
    /// `_has_privileges` answers.
    pub fn may_on(&self, asked: &Asked, privilege: &str) -> Certainty {
        self.each(|layer| layer.may_on(asked, privilege))
    }

    /// Returns whether an index privilege is held on at least one name that is asked about.
    pub fn may_on_some(&self, asked: &Asked, privilege: &str) -> Certainty {
        if asked.is_name() {
            return self.may_on(asked, privilege);
        }
        self.told(|layers| {
            let granting: Vec<Vec<(&Reach, Certainty)>> = layers
                .iter()
                .map(|layer| {
                    let held = |group: &Group| index_implies(&[&group.privileges], privilege, Versions::All);
                    let reaches = layer.groups.iter().map(|group| (&group.reach, Certainty::of(held(group))));
                    reaches.filter(|(_, answer)| *answer != Certainty::No).collect()
                })
                .collect();
            let answer = some_in_common(asked, &granting);
            // Grants on different names may add up where the names overlap.
            let adds_up = |(layer, granting): (&&Layer, &Vec<(&Reach, Certainty)>)| {
                let lists: Vec<&[String]> = layer.groups.iter().map(|group| group.privileges.as_slice()).collect();
                layer.is_odd
                    || granting.len() < layer.groups.len()
                        && lists.len() > 1
                        && granting.iter().all(|(_, answer)| *answer != Certainty::Yes)
                        && index_implies(&lists, privilege, Versions::All) != Some(false)
            };
            match answer {
                Certainty::No if layers.iter().zip(&granting).any(adds_up) => {
                    // Where another layer surely grants nothing of it, nothing is left.
                    let never = layers.iter().zip(&granting).any(|pair| pair.1.is_empty() && !adds_up(pair));
                    if never { Certainty::No } else { Certainty::NotKnown }
                }
                answer => answer,
            }
        })
    }

    /// Returns whether anything may be done with at least one name that is asked about, or with all of them.
    pub fn any_right_on(&self, asked: &Asked, all_of_it: bool) -> Certainty {
        self.told(|layers| {
            if all_of_it || asked.is_name() {
                let held: Vec<(Vec<&Group>, Vec<&Group>)> = layers.iter().map(|layer| layer.covering(asked)).collect();
                let common = |with_unsure: bool| {
                    let names: Vec<Vec<&str>> = held
                        .iter()
                        .map(|(sure, unsure)| {
                            let more = unsure.iter().filter(|_| with_unsure);
                            sure.iter().chain(more).flat_map(|group| &group.privileges).map(String::as_str).collect()
                        })
                        .collect();
                    actions_in_common(Area::Index, &names)
                };
                let answer = match (common(false), common(true)) {
                    (Certainty::Yes, _) => Certainty::Yes,
                    (_, Certainty::No) => Certainty::No,
                    _ => Certainty::NotKnown,
                };
                return weakened(answer, layers);
            }
            let groups: Vec<Vec<&Group>> = layers.iter().map(|layer| layer.groups.iter().collect()).collect();
            let answer = combinations(&groups, |chosen| {
                let names: Vec<Vec<&str>> =
                    chosen.iter().map(|group| group.privileges.iter().map(String::as_str).collect()).collect();
                let actions = actions_in_common(Area::Index, &names);
                if actions == Certainty::No {
                    return Certainty::No;
                }
                let reaches: Vec<&Reach> = chosen.iter().map(|group| &group.reach).collect();
                actions.and(Certainty::of(reach_in_common(asked, &reaches)))
            });
            weakened(answer, layers)
        })
    }

    /// Returns whether the key was created without descriptors, so that its owner's rights are the only limit.
    pub fn is_unrestricted(&self) -> Certainty {
        match self.assigned {
            Assigned::NotTold => Certainty::NotKnown,
            Assigned::Unrestricted => Certainty::Yes,
            Assigned::Layer(_) | Assigned::CrossCluster => Certainty::No,
        }
    }

    /// Returns whether nothing at all may be done.
    pub fn is_empty(&self) -> Certainty {
        if matches!(self.assigned, Assigned::CrossCluster) {
            return Certainty::No;
        }
        let cluster = self.told(|layers| {
            let names: Vec<Vec<&str>> =
                layers.iter().map(|layer| layer.cluster.iter().map(String::as_str).collect()).collect();
            weakened(actions_in_common(Area::Cluster, &names), layers)
        });
        let others = self.told(|layers| {
            Certainty::any((0..4).map(|kind| {
                let extents: Vec<Extent> = layers.iter().map(|layer| layer.others[kind]).collect();
                match extents.iter().filter(|extent| **extent != Extent::All).count() {
                    _ if extents.contains(&Extent::None) => Certainty::No,
                    0 | 1 => Certainty::Yes,
                    _ => Certainty::NotKnown,
                }
            }))
        });
        cluster.or(others).or(self.runs_as()).or(self.any_right_on(&Asked::any(), false)).not()
    }

    /// Returns whether the key may act for other users.
    pub fn runs_as(&self) -> Certainty {
        self.told(|layers| {
            let users: Option<Vec<&Names>> = layers.iter().map(|layer| layer.run_as.as_ref()).collect();
            weakened(users.map_or(Certainty::No, |users| Certainty::of(names_in_common(&users))), layers)
        })
    }

    /// Returns whether the key may change the cluster or its security.
    pub fn administers(&self) -> Certainty {
        let named = Certainty::any(ADMINISTRATIVE.into_iter().map(|name| self.may(name)));
        named.or(self.told(|layers| {
            let held: Vec<Vec<&str>> =
                layers.iter().map(|layer| layer.cluster.iter().map(String::as_str).collect()).collect();
            weakened(raw_reaches(Area::Cluster, &held, &["cluster:admin/*"]), layers)
        }))
    }

    /// Returns whether the key reaches the contents of every index: at least some documents or fields of each.
    pub fn reaches_every_index(&self) -> Certainty {
        let any = Asked::any();
        let named = Certainty::any(ON_CONTENT.into_iter().map(|name| self.may_on(&any, name)));
        named.or(self.told(|layers| {
            let held = |with_unsure: bool| -> Certainty {
                let lists: Vec<Vec<&str>> = layers
                    .iter()
                    .map(|layer| {
                        let (sure, unsure) = layer.covering(&any);
                        let groups = sure.into_iter().chain(unsure.into_iter().filter(|_| with_unsure));
                        groups.flat_map(|group| &group.privileges).map(String::as_str).collect()
                    })
                    .collect();
                raw_reaches(Area::Index, &lists, &["indices:data/*", "indices:admin/delete*"])
            };
            match (held(false), held(true)) {
                (Certainty::No, Certainty::Yes | Certainty::NotKnown) => Certainty::NotKnown,
                (answer, _) => weakened(answer, layers),
            }
        }))
    }
}

/// Weakens a no to "not known" if a layer has parts that are not understood, since these may grant anything.
fn weakened(answer: Certainty, layers: &[&Layer]) -> Certainty {
    if answer == Certainty::No && layers.iter().any(|layer| layer.is_odd) { Certainty::NotKnown } else { answer }
}

/// Returns whether some action is allowed by a privilege of each list.
fn actions_in_common(area: Area, lists: &[Vec<&str>]) -> Certainty {
    let [first, rest @ ..] = lists else { return Certainty::NotKnown };
    match rest {
        [] => Certainty::of(have_common_action(area, first, first, Versions::All)),
        [second] => Certainty::of(have_common_action(area, first, second, Versions::All)),
        // Of three, two and two may have something in common, and all of them nothing.
        more => Certainty::all(
            more.iter().map(|other| Certainty::of(have_common_action(area, first, other, Versions::All))),
        )
        .and(Certainty::NotKnown),
    }
}

/// Returns whether a pattern over actions in one of the lists reaches some of these actions, and all other lists do
/// too.
fn raw_reaches(area: Area, lists: &[Vec<&str>], actions: &[&str]) -> Certainty {
    let within = Language::of(actions.iter().copied());
    Certainty::any(lists.iter().enumerate().flat_map(|(own, list)| {
        let within = &within;
        list.iter().filter(|name| name.contains(':')).map(move |name| {
            let pattern = Language::of([format!("{}*", name.to_lowercase()).as_str()]);
            if have_common(&[&pattern, within]) == Some(false) {
                return Certainty::No;
            }
            Certainty::all(lists.iter().enumerate().filter(|(other, _)| *other != own).map(|(_, other)| {
                Certainty::any(
                    other.iter().map(|held| Certainty::of(privileges::common_action(area, held, &[&pattern, within]))),
                )
            }))
        })
    }))
}

fn some_in_common(asked: &Asked, granting: &[Vec<(&Reach, Certainty)>]) -> Certainty {
    let lists: Vec<Vec<&(&Reach, Certainty)>> = granting.iter().map(|list| list.iter().collect()).collect();
    combinations(&lists, |chosen| {
        let reaches: Vec<&Reach> = chosen.iter().map(|(reach, _)| *reach).collect();
        let held = Certainty::all(chosen.iter().map(|(_, answer)| *answer));
        held.and(Certainty::of(reach_in_common(asked, &reaches)))
    })
}

/// Asks about each way to choose one item of every list, until an answer is yes. Not known beyond [`MAX_COMBINATIONS`].
fn combinations<'g, T>(lists: &[Vec<&'g T>], mut ask: impl FnMut(&[&'g T]) -> Certainty) -> Certainty {
    let count = lists.iter().try_fold(1usize, |count, list| count.checked_mul(list.len()));
    match count {
        Some(0) => return Certainty::No,
        Some(count) if count <= MAX_COMBINATIONS => {}
        _ => return Certainty::NotKnown,
    }
    let mut answer = Certainty::No;
    let mut chosen = vec![0; lists.len()];
    loop {
        let items: Vec<&T> = lists.iter().zip(&chosen).map(|(list, at)| list[*at]).collect();
        answer = answer.or(ask(&items));
        if answer == Certainty::Yes {
            return answer;
        }
        let Some(place) = (0..lists.len()).rev().find(|place| chosen[*place] + 1 < lists[*place].len()) else {
            return answer;
        };
        chosen[place] += 1;
        chosen[place + 1..].fill(0);
    }
}
