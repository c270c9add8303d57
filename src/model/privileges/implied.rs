//! Privileges that imply others, worked out as Elasticsearch does: each is a set of actions, several add up, and a
//! privilege is held if all of its actions are. The answer is "not known" (`None`) where versions differ, where this
//! program does not know a name, or where the comparison would take too long.

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock, PoisonError, RwLock},
};

use super::{
    globs::{Language, have_common, is_subset},
    tables::{self, Named},
};

/// Area that a privilege applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// Cluster as a whole.
    Cluster,
    /// Indices.
    Index,
}

/// Versions for which an answer must be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Versions like 9.5.3.
    Newest,
    /// Versions like 9.5.3 and versions like 8.19.21.
    All,
}

/// Privilege over one's own keys: it is checked in a way of its own and implies no other (as seen on 9.5.3).
const OWN_KEYS: &str = "manage_own_api_key";

/// Limit of cached answers about several privileges together; the cache is emptied when it is full.
const MAX_UNIONS: usize = 4096;

/// Named privileges of an area, compiled once, and the answers found for each pair of them.
struct Compiled {
    numbers: HashMap<&'static str, usize>,
    languages: Vec<[Language; 2]>,
    has_changed: Vec<bool>,
    subsets: Vec<OnceLock<Option<bool>>>,
    overlaps: Vec<OnceLock<Option<bool>>>,
    unions: RwLock<HashMap<Union, Option<bool>>>,
}

impl Compiled {
    fn new(table: &'static [Named]) -> Self {
        let language = |named: &Named, actions: &[&'static str]| {
            Language::of(actions.iter().copied()).without(named.without.iter().copied())
        };
        let count = table.len() * table.len() * 2;
        Self {
            numbers: table.iter().enumerate().map(|(number, named)| (named.name, number)).collect(),
            languages: table
                .iter()
                .map(|named| [language(named, named.actions), language(named, named.before.unwrap_or(named.actions))])
                .collect(),
            has_changed: table.iter().map(|named| named.before.is_some()).collect(),
            subsets: std::iter::repeat_with(OnceLock::new).take(count).collect(),
            overlaps: std::iter::repeat_with(OnceLock::new).take(count).collect(),
            unions: RwLock::default(),
        }
    }

    fn cell(&self, one: usize, other: usize, era: usize) -> usize {
        (one * self.languages.len() + other) * 2 + era
    }
}

static CLUSTER: LazyLock<Compiled> = LazyLock::new(|| Compiled::new(tables::CLUSTER));
static INDEX: LazyLock<Compiled> = LazyLock::new(|| Compiled::new(tables::INDEX));

fn compiled(area: Area) -> &'static Compiled {
    match area {
        Area::Cluster => &CLUSTER,
        Area::Index => &INDEX,
    }
}

/// Privilege as it is held or asked for.
enum Privilege {
    Named(usize),
    /// Pattern over actions, which stands for all actions that begin with it.
    Raw(Box<Language>),
    /// Privilege that this program does not know.
    Unknown,
}

impl Privilege {
    /// Reads a privilege; the name must be in lower case.
    fn of(area: Area, name: &str) -> Self {
        match compiled(area).numbers.get(name) {
            Some(number) => Self::Named(*number),
            None if name.contains(':') => Self::Raw(Box::new(Language::of([format!("{name}*").as_str()]))),
            None => Self::Unknown,
        }
    }

    fn language(&self, area: Area, era: usize) -> Option<&Language> {
        match self {
            Self::Named(number) => Some(&compiled(area).languages[*number][era]),
            Self::Raw(language) => Some(language),
            Self::Unknown => None,
        }
    }

    fn has_changed(&self, area: Area) -> bool {
        matches!(self, Self::Named(number) if compiled(area).has_changed[*number])
    }

    fn is_in(&self, wide: &Self, area: Area, era: usize) -> Option<bool> {
        let answer = || is_subset(self.language(area, era)?, &[wide.language(area, era)?]);
        match (self, wide) {
            (Self::Named(own), Self::Named(wide)) => {
                let table = compiled(area);
                *table.subsets[table.cell(*own, *wide, era)].get_or_init(answer)
            }
            _ => answer(),
        }
    }

    fn overlaps(&self, other: &Self, area: Area, era: usize) -> Option<bool> {
        let answer = || have_common(&[self.language(area, era)?, other.language(area, era)?]);
        match (self, other) {
            (Self::Named(own), Self::Named(other)) => {
                let table = compiled(area);
                *table.overlaps[table.cell(*own, *other, era)].get_or_init(answer)
            }
            _ => answer(),
        }
    }
}

/// Returns whether a holder of some privileges holds another, as `_has_privileges` answers; `None` if it is not known.
/// For indices, all of these privileges must be on the index in question; see [`index_implies`] for the failure store.
pub fn implies(area: Area, held: &[&str], wanted: &str, versions: Versions) -> Option<bool> {
    let wanted = wanted.to_lowercase();
    let held: Vec<String> = held.iter().map(|name| name.to_lowercase()).collect();
    if held.contains(&wanted) || held.iter().any(|name| name == "all") {
        return Some(true);
    }
    let own_keys = |name: &&String| area == Area::Cluster && name.as_str() == OWN_KEYS;
    let held: Vec<Privilege> =
        held.iter().filter(|name| !own_keys(name)).map(|name| Privilege::of(area, name)).collect();
    let wanted = Privilege::of(area, &wanted);
    let newest = implies_in(area, &held, &wanted, 0)?;
    let may_differ = versions == Versions::All && held.iter().chain([&wanted]).any(|one| one.has_changed(area));
    if may_differ && implies_in(area, &held, &wanted, 1)? != newest { None } else { Some(newest) }
}

fn implies_in(area: Area, held: &[Privilege], wanted: &Privilege, era: usize) -> Option<bool> {
    if held.is_empty() {
        return Some(false);
    }
    let mut is_sure = true;
    let mut near: Vec<&Privilege> = Vec::new();
    for one in held {
        match wanted.is_in(one, area, era) {
            Some(true) => return Some(true),
            answer => is_sure &= answer.is_some(),
        }
        match wanted.overlaps(one, area, era) {
            Some(false) => {}
            answer => {
                is_sure &= answer.is_some();
                near.push(one);
            }
        }
    }
    // Together, several may contain what none of them contains.
    if near.len() > 1
        && let Some(answer) = is_in_union(area, &near, wanted, era)
    {
        match answer {
            Some(true) => return Some(true),
            answer => is_sure &= answer.is_some(),
        }
    }
    is_sure.then_some(false)
}

/// Returns whether several privileges together contain another; the outer `None` if one of them is not known. Searches
/// ask the same of hundreds of keys, so answers about named privileges are cached.
fn is_in_union(area: Area, held: &[&Privilege], wanted: &Privilege, era: usize) -> Option<Option<bool>> {
    let together: Vec<&Language> = held.iter().map(|one| one.language(area, era)).collect::<Option<_>>()?;
    let language = wanted.language(area, era)?;
    let Some(question) = Union::of(held, wanted, era) else { return Some(is_subset(language, &together)) };
    let unions = &compiled(area).unions;
    let known = unions.read().unwrap_or_else(PoisonError::into_inner).get(&question).copied();
    Some(known.unwrap_or_else(|| {
        let answer = is_subset(language, &together);
        let mut unions = unions.write().unwrap_or_else(PoisonError::into_inner);
        if unions.len() >= MAX_UNIONS {
            unions.clear();
        }
        unions.insert(question, answer);
        answer
    }))
}

/// Question that [`is_in_union`] answers, by the numbers of the named privileges.
#[derive(PartialEq, Eq, Hash)]
struct Union {
    wanted: usize,
    era: usize,
    /// Numbers of the held privileges, ascending and without repeats.
    held: Vec<usize>,
}

impl Union {
    fn of(held: &[&Privilege], wanted: &Privilege, era: usize) -> Option<Self> {
        let number = |privilege: &Privilege| match privilege {
            Privilege::Named(number) => Some(*number),
            Privilege::Raw(_) | Privilege::Unknown => None,
        };
        let mut held: Vec<usize> = held.iter().map(|one| number(one)).collect::<Option<_>>()?;
        held.sort_unstable();
        held.dedup();
        Some(Self { wanted: number(wanted)?, era, held })
    }
}

/// Returns whether some single action is allowed by a privilege of each list, on the same part of a data stream; `None`
/// if it is not known or versions differ.
pub fn have_common_action(area: Area, one: &[&str], other: &[&str], versions: Versions) -> Option<bool> {
    let read = |names: &[&str]| -> Vec<(Part, Privilege)> {
        let lower = names.iter().map(|name| name.to_lowercase());
        lower.map(|name| (part(&name), Privilege::of(area, &name))).collect()
    };
    let (ours, theirs) = (read(one), read(other));
    let overlap = |(part, ours): &(Part, Privilege), (other, theirs): &(Part, Privilege), era| {
        let apart = area == Area::Index && part != other && *part != Part::Both && *other != Part::Both;
        if apart { Some(false) } else { ours.overlaps(theirs, area, era) }
    };
    let eras = if versions == Versions::All { 2 } else { 1 };
    let mut found = Vec::new();
    for era in 0..eras {
        let pairs = ours.iter().flat_map(|ours| theirs.iter().map(move |theirs| overlap(ours, theirs, era)));
        let mut answer = Some(false);
        for pair in pairs {
            match pair {
                Some(true) => {
                    answer = Some(true);
                    break;
                }
                Some(false) => {}
                None => answer = None,
            }
        }
        found.push(answer?);
    }
    found.iter().all(|answer| *answer == found[0]).then_some(found[0])
}

/// Returns whether a privilege allows some action that is in all of these languages, as on 9.5.3; `None` if the name is
/// not known or the comparison would take too long.
pub fn common_action(area: Area, held: &str, within: &[&Language]) -> Option<bool> {
    let held = Privilege::of(area, &held.to_lowercase());
    let languages: Vec<&Language> = within.iter().copied().chain([held.language(area, 0)?]).collect();
    have_common(&languages)
}

/// Part of a data stream that an index privilege applies to: its data, its failures, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Data,
    Failures,
    Both,
}

fn part(name: &str) -> Part {
    match name {
        "read_failure_store" | "manage_failure_store" => Part::Failures,
        "all" | "manage" | "manage_data_stream_lifecycle" => Part::Both,
        _ => Part::Data,
    }
}

/// Returns whether an index privilege is held by grants on one index, each given as the list of its privileges. A grant
/// with `all` gives all of its privileges on data and on failures; otherwise each counts only for its part, so that
/// `read_failure_store` does not give `read` (as seen on 9.5.3 and 8.19.21).
pub fn index_implies(grants: &[&[String]], wanted: &str, versions: Versions) -> Option<bool> {
    if grants.is_empty() {
        return Some(false);
    }
    let of_failures = part(&wanted.to_lowercase()) == Part::Failures;
    let mut held: Vec<&str> = Vec::new();
    for grant in grants {
        let has_all = grant.iter().any(|name| name.eq_ignore_ascii_case("all"));
        let counts = |name: &&String| {
            let part = part(&name.to_lowercase());
            has_all || part == Part::Both || (part == Part::Failures) == of_failures
        };
        held.extend(grant.iter().filter(counts).map(String::as_str));
    }
    if wanted.eq_ignore_ascii_case("none") {
        // `none` is held with any other privilege, but not if it is the only one (as seen on 9.5.3).
        return Some(held.iter().any(|name| !name.eq_ignore_ascii_case("none")));
    }
    implies(Area::Index, &held, wanted, versions)
}

/// Areas in which a name is a privilege.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PrivilegeScopes {
    /// `true` if it is a privilege for the cluster.
    pub cluster: bool,
    /// `true` if it is a privilege for indices.
    pub index: bool,
}

/// Returns the areas in which a name is a privilege: one of 9.5.3 or 8.19.21 in any case, or a pattern over actions.
pub fn known(name: &str) -> PrivilegeScopes {
    let lower = name.to_lowercase();
    let begins = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start));
    PrivilegeScopes {
        cluster: CLUSTER.numbers.contains_key(lower.as_str())
            || begins(&["cluster:", "indices:admin/template/", "indices:admin/index_template/"]),
        index: INDEX.numbers.contains_key(lower.as_str()) || begins(&["indices:", "internal:transport/proxy/indices:"]),
    }
}

/// Returns up to three names of privileges that are spelled nearly like this one, nearest first.
pub fn nearest(name: &str, areas: &[Area]) -> Vec<&'static str> {
    const MAX_NAMES: usize = 3;
    const MAX_LENGTH: usize = 60;
    let lower = name.to_lowercase();
    let length = lower.chars().count();
    if !(2..=MAX_LENGTH).contains(&length) {
        return Vec::new();
    }
    let mut found: Vec<(usize, &str)> = Vec::new();
    for known in areas.iter().flat_map(|area| compiled(*area).numbers.keys()) {
        let edits = if known.starts_with(&lower) { 1 } else { strsim::damerau_levenshtein(known, &lower) };
        if edits <= (length / 3).max(1) && !found.iter().any(|(_, other)| other == known) {
            found.push((edits, known));
        }
    }
    found.sort_unstable();
    found.into_iter().take(MAX_NAMES).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(held: &[&str], wanted: &str) -> Option<bool> {
        implies(Area::Cluster, held, wanted, Versions::All)
    }

    fn index(held: &[&str], wanted: &str) -> Option<bool> {
        let held: Vec<String> = held.iter().map(|name| (*name).to_owned()).collect();
        index_implies(&[&held], wanted, Versions::All)
    }

    #[test]
    fn a_privilege_is_held_when_all_of_its_actions_are() {
        for (held, wanted, answer) in [
            (&["all"][..], "manage_security", Some(true)),
            (&["manage"], "manage_security", Some(false)),
            (&["manage"], "delegate_pki", Some(false)),
            (&["manage", "manage_security"], "manage_own_api_key", Some(true)),
            (&["manage_own_api_key"], "manage_api_key", Some(false)),
            (&["manage_own_api_key"], "none", Some(false)),
            (&["cluster:admin/xpack/security/api_key/*"], "manage_own_api_key", Some(true)),
            (&["manage", "manage_security"], "read_security", Some(true)),
            (&["manage", "manage_security", "cluster:admin/xpack/security/delegate_pki"], "all", Some(true)),
            (&["manage", "manage_security"], "all", Some(false)),
            (&["MONITOR"], "Monitor_ML", Some(true)),
            (&["monitor"], "cluster:monitor/main", Some(true)),
            (&["monitor"], "manage_own_api_key", Some(false)),
            (&["of_the_future"], "monitor", None),
            (&["of_the_future"], "of_the_future", Some(true)),
            (&["monitor"], "of_the_future", None),
            (&[], "monitor", Some(false)),
        ] {
            assert_eq!(cluster(held, wanted), answer, "{held:?} {wanted}");
        }
    }

    #[test]
    fn each_pair_of_privileges_has_an_answer_of_its_own() {
        for table in [&*CLUSTER, &*INDEX] {
            let count = table.languages.len();
            let cell = |number: usize| table.cell(number / 2 / count, number / 2 % count, number % 2);
            let cells: std::collections::BTreeSet<usize> = (0..count * count * 2).map(cell).collect();
            assert_eq!(cells, (0..table.subsets.len()).collect());
        }
    }

    #[test]
    fn failures_are_read_by_who_may_read_failures() {
        for (held, wanted, answer) in [
            (&["read_failure_store"][..], "read", Some(false)),
            (&["read"], "read_failure_store", Some(false)),
            (&["all"], "manage_failure_store", Some(true)),
            (&["manage"], "manage_failure_store", Some(true)),
            (&["manage_failure_store"], "manage", Some(false)),
            (&["write", "create_index"], "auto_configure", Some(true)),
            (&["write"], "auto_configure", Some(false)),
            (&["delete", "index"], "write", Some(false)),
            (&["read"], "read_cross_cluster", None),
            (&["none"], "none", Some(false)),
            (&["read"], "none", Some(true)),
        ] {
            assert_eq!(index(held, wanted), answer, "{held:?} {wanted}");
        }
        assert_eq!(index_implies(&[], "none", Versions::All), Some(false));
    }

    #[test]
    fn a_name_is_known_for_what_it_is_and_others_have_near_ones() {
        assert_eq!(known("manage_security"), PrivilegeScopes { cluster: true, index: false });
        assert_eq!(known("WRITE"), PrivilegeScopes { cluster: false, index: true });
        assert_eq!(known("manage"), PrivilegeScopes { cluster: true, index: true });
        assert_eq!(known("indices:admin/template/get"), PrivilegeScopes { cluster: true, index: true });
        assert_eq!(known("wirte"), PrivilegeScopes::default());
        assert_eq!(nearest("wirte", &[Area::Cluster, Area::Index])[0], "write");
        assert!(nearest("manage_secruity", &[Area::Cluster])[0] == "manage_security");
        assert!(nearest("nothing-like-it-at-all", &[Area::Cluster, Area::Index]).is_empty());
    }

    #[test]
    fn every_name_that_servers_list_is_in_the_tables() {
        for (area, names) in [(Area::Cluster, super::super::CLUSTER), (Area::Index, super::super::INDICES)] {
            for name in names {
                assert!(compiled(area).numbers.contains_key(name), "{name}");
                assert!(implies(area, &["all"], name, Versions::All) == Some(true), "{name}");
            }
        }
    }
}
