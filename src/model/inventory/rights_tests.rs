//! Searches for rights: what a key may do by its descriptors and its owner's snapshot, and what is not known.

use proptest::prelude::*;

use crate::model::{
    Timestamp, filter,
    inventory::*,
    rights::{Certainty, Rights},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);
const SUPERUSER: &str = r#"[{"superuser":{"cluster":["all"],"indices":[{"names":["*"],"privileges":["all"]}],"run_as":["*"],"applications":[{"application":"*","privileges":["*"],"resources":["*"]}]}}]"#;
const POWERLESS: &str = r#"[{"nobody":{}}]"#;

/// Returns an inventory of keys, each given by its id, descriptors and snapshots.
fn list(keys: &[(&str, Option<&str>, Option<&str>)]) -> Inventory {
    let mut inventory = Inventory::default();
    for (id, role_descriptors, limited_by) in keys {
        let key = RawKey { id, role_descriptors: *role_descriptors, limited_by: *limited_by, ..RawKey::default() };
        assert_eq!(inventory.put(&key), Put::Added);
    }
    inventory.finish();
    inventory
}

/// Returns the ids of the keys that surely match, and of those of which it is not known.
fn found(inventory: &Inventory, search: &str) -> (Vec<String>, Vec<String>) {
    let query =
        filter::parse(search, NOW, &jiff::tz::TimeZone::UTC).unwrap_or_else(|errors| panic!("{search}: {errors:?}"));
    let found = inventory.search(&query.expr, NOW, Asker::default());
    let ids = |bits: &Bitmap| bits.rows().map(|row| inventory.id(row).to_owned()).collect();
    (ids(&found.matching), ids(&found.not_known()))
}

fn sure(inventory: &Inventory, search: &str) -> Vec<String> {
    let (matching, not_known) = found(inventory, search);
    assert!(not_known.is_empty(), "{search}: {not_known:?}");
    matching
}

const INDEX_ALL: &str = r#"{"w":{"indices":[{"names":["my_index"],"privileges":["all"]}]}}"#;
const READER: &str = r#"{"r":{"cluster":["monitor"],"indices":[{"names":["logs-*"],"privileges":["read"]}]}}"#;
const WRITER: &str = r#"{"w":{"indices":[{"names":["logs-app-*","metrics"],"privileges":["write"]}]}}"#;

#[test]
fn a_privilege_of_the_cluster_is_asked_of_the_cluster_and_one_of_indices_of_indices() {
    let inventory = list(&[
        ("index all", Some(INDEX_ALL), Some(SUPERUSER)),
        ("reader", Some(READER), Some(SUPERUSER)),
        ("security", Some(r#"{"a":{"cluster":["manage_security"]}}"#), Some(SUPERUSER)),
        ("unrestricted", Some("{}"), Some(SUPERUSER)),
        ("unrestricted of nobody", Some("{}"), Some(POWERLESS)),
    ]);
    assert_eq!(sure(&inventory, "can:manage_security"), ["security", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:grant_api_key"), ["security", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:manage_own_api_key"), ["security", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:cluster:monitor"), ["reader", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:index:monitor"), ["index all", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:monitor"), ["index all", "reader", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:cluster:monitor/main"), ["reader", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:read"), ["index all", "reader", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:read on:my_index"), ["index all", "unrestricted"]);
    assert_eq!(sure(&inventory, "can:indices:data/read/search on:logs-1"), ["reader", "unrestricted"]);
    assert_eq!(sure(&inventory, "-can:monitor"), ["security", "unrestricted of nobody"]);
    // What only the cluster has says nothing of the index, for which some right is wanted besides.
    assert_eq!(sure(&inventory, "can:manage_security on:logs-1"), ["unrestricted"]);
}

#[test]
fn rights_are_those_that_the_owner_had_too() {
    let owner = r#"[{"o":{"cluster":["manage_own_api_key"],"indices":[{"names":["logs-*"],"privileges":["read"]}]}}]"#;
    let inventory = list(&[
        ("reader", Some(READER), Some(owner)),
        ("writer", Some(WRITER), Some(owner)),
        ("unrestricted", Some("{}"), Some(owner)),
        ("all", Some(r#"{"a":{"cluster":["all"],"indices":[{"names":["*"],"privileges":["all"]}]}}"#), Some(owner)),
    ]);
    assert!(sure(&inventory, "can:monitor").is_empty());
    assert_eq!(sure(&inventory, "can:manage_own_api_key"), ["unrestricted", "all"]);
    assert_eq!(sure(&inventory, "can:read on:logs-1"), ["reader", "unrestricted", "all"]);
    assert!(sure(&inventory, "can:write").is_empty());
    assert_eq!(sure(&inventory, "is:empty"), ["writer"]);
    assert!(sure(&inventory, "is:administrator").is_empty());
    assert!(sure(&inventory, "is:every-index").is_empty());
}

#[test]
fn a_pattern_is_touched_or_covered() {
    let inventory = list(&[
        ("reader", Some(READER), Some(SUPERUSER)),
        ("writer", Some(WRITER), Some(SUPERUSER)),
        (
            "two",
            Some(
                r#"{"a":{"indices":[{"names":["a"],"privileges":["read"]}]},"b":{"indices":[{"names":["b*"],"privileges":["write"]}]}}"#,
            ),
            Some(SUPERUSER),
        ),
    ]);
    assert_eq!(sure(&inventory, "can:write on:logs-*"), ["writer"]);
    assert!(sure(&inventory, "can:write on:=logs-*").is_empty());
    assert_eq!(sure(&inventory, "can:write on:=logs-app-x*"), ["writer"]);
    assert_eq!(sure(&inventory, "on:logs-*"), ["reader", "writer"]);
    assert_eq!(sure(&inventory, "on:=logs-*"), ["reader"]);
    assert_eq!(sure(&inventory, "on:metrics"), ["writer"]);
    assert_eq!(sure(&inventory, "on:=metrics"), ["writer"]);
    assert_eq!(sure(&inventory, "on:*"), ["reader", "writer", "two"]);
    assert!(sure(&inventory, "on:=*").is_empty());
    assert_eq!(sure(&inventory, "can:read on:a,b"), ["two"]);
    assert!(sure(&inventory, "can:read on:b*").is_empty());
    assert!(sure(&inventory, "can:read can:write on:a").is_empty());
    assert_eq!(sure(&inventory, "can:read,write on:a on:b"), ["two"]);
}

#[test]
fn grants_on_the_same_index_add_up() {
    let parts = r#"{"a":{"indices":[{"names":["a"],"privileges":["write"]}]},"b":{"indices":[{"names":["a*"],"privileges":["create_index"]}]}}"#;
    let apart =
        r#"{"a":{"indices":[{"names":["a"],"privileges":["write"]},{"names":["b"],"privileges":["create_index"]}]}}"#;
    let inventory = list(&[("together", Some(parts), Some(SUPERUSER)), ("apart", Some(apart), Some(SUPERUSER))]);
    assert_eq!(sure(&inventory, "can:auto_configure on:a"), ["together"]);
    // Without a name it isn't looked for which names two grants share.
    assert_eq!(found(&inventory, "can:auto_configure").1, ["together", "apart"]);
}

#[test]
fn what_is_not_told_is_neither_found_nor_left_out() {
    let inventory = list(&[
        ("not told", None, None),
        ("limit not told", Some(READER), None),
        ("unrestricted, limit not told", Some("{}"), None),
        ("reader", Some(READER), Some(SUPERUSER)),
    ]);
    let both = |search: &str| {
        let (matching, not_known) = found(&inventory, search);
        (matching.join("; "), not_known.join("; "))
    };
    let all = "not told; limit not told; unrestricted, limit not told";
    for search in ["can:read", "on:logs-1", "can:cluster:monitor"] {
        assert_eq!(both(search), ("reader".into(), all.into()), "{search}");
        assert_eq!(both(&format!("-({search})")), (String::new(), all.into()), "{search}");
    }
    // Descriptors that don't grant it need no snapshot to be sure.
    let unsure = "not told; unrestricted, limit not told";
    assert_eq!(both("can:write"), (String::new(), unsure.into()));
    assert_eq!(both("-can:write"), ("limit not told; reader".into(), unsure.into()));
    for fact in ["administrator", "every-index", "runs-as"] {
        assert_eq!(both(&format!("is:{fact}")).1, unsure, "{fact}");
        assert_eq!(both(&format!("is:{fact}?")), (unsure.into(), String::new()), "{fact}");
    }
    assert_eq!(both("is:unrestricted"), ("unrestricted, limit not told".into(), "not told".into()));
    assert_eq!(both("is:empty").1, all);
    assert_eq!(both("can:write?"), (unsure.into(), String::new()));
    assert_eq!(both("can:?").0, all);
    assert_eq!(both("-can:write?").0, "limit not told; reader");
    // What another term decides is known.
    assert_eq!(both("can:read id:reader"), ("reader".into(), String::new()));
    assert_eq!(
        both("can:read or id:\"not told\""),
        ("not told; reader".into(), "limit not told; unrestricted, limit not told".into())
    );
    let counts = inventory.findings(&Bitmap::all(4));
    assert_eq!(counts, [("unrestricted", 1), ("not known", 2)]);
}

#[test]
fn a_cross_cluster_key_may_nothing_by_rest() {
    let mut inventory = list(&[("reader", Some(READER), Some(SUPERUSER))]);
    inventory.put(&RawKey {
        id: "cross",
        kind: "cross_cluster",
        access: Some("{}"),
        role_descriptors: Some(READER),
        ..RawKey::default()
    });
    inventory.put(&RawKey {
        id: "later kind",
        kind: "later",
        role_descriptors: Some(READER),
        limited_by: Some(SUPERUSER),
        ..RawKey::default()
    });
    assert_eq!(found(&inventory, "can:read"), (vec!["reader".to_owned()], vec!["later kind".to_owned()]));
    assert_eq!(sure(&inventory, "-can:read -type:\"later\""), ["cross"]);
}

#[test]
fn what_asks_for_a_second_look_is_counted_and_found_by_the_same_word() {
    let all = [
        ("owner's rights", "{}"),
        ("security", r#"{"a":{"cluster":["manage_security"]}}"#),
        ("own keys only", r#"{"a":{"cluster":["manage_own_api_key","monitor"]}}"#),
        ("everywhere", r#"{"a":{"indices":[{"names":["x","*"],"privileges":["read"]}]}}"#),
        ("by expression", r#"{"a":{"indices":[{"names":"/.*/","privileges":["delete"]}]}}"#),
        (
            "by action",
            r#"{"a":{"cluster":["cluster:admin/xpack/*"],"indices":[{"names":["*"],"privileges":["indices:data/read/search"]}]}}"#,
        ),
        (
            "harmless actions",
            r#"{"a":{"cluster":["cluster:monitor/*"],"indices":[{"names":["*"],"privileges":["indices:monitor/*"]}]}}"#,
        ),
        ("names only", r#"{"a":{"indices":[{"names":["*"],"privileges":["monitor","view_index_metadata"]}]}}"#),
        ("all", r#"{"a":{"cluster":["ALL"],"indices":[{"names":["*"],"privileges":["all"]}],"run_as":["ana"]}}"#),
    ];
    let keys: Vec<_> = all.iter().map(|(id, descriptors)| (*id, Some(*descriptors), Some(SUPERUSER))).collect();
    let inventory = list(&keys);
    assert_eq!(sure(&inventory, "is:administrator"), ["owner's rights", "security", "by action", "all"]);
    assert_eq!(
        sure(&inventory, "is:every-index"),
        ["owner's rights", "everywhere", "by expression", "by action", "all"]
    );
    assert_eq!(sure(&inventory, "is:runs-as"), ["owner's rights", "all"]);
    let counts = inventory.findings(&Bitmap::all(9));
    assert_eq!(counts, [("unrestricted", 1), ("administrator", 4), ("every-index", 5), ("runs-as", 2)]);
    assert_eq!(inventory.findings(&Bitmap::of(9, |row| row == RowId(3))), [("every-index", 1)]);
    let limited: Vec<_> = all.iter().map(|(id, descriptors)| (*id, Some(*descriptors), Some(POWERLESS))).collect();
    assert_eq!(list(&limited).findings(&Bitmap::all(9)), [("unrestricted", 1)]);
}

#[test]
fn a_key_whose_snapshot_changes_has_other_rights() {
    let mut inventory = list(&[("a", Some("{}"), Some(POWERLESS)), ("b", Some("{}"), Some(POWERLESS))]);
    let (id, kind) = ("a", "rest");
    let key = RawKey { id, kind, role_descriptors: Some("{}"), limited_by: Some(SUPERUSER), ..RawKey::default() };
    assert_eq!((inventory.put(&key), inventory.put(&key)), (Put::Changed, Put::Same));
    assert_eq!(sure(&inventory, "can:manage_security"), ["a"]);
    assert_eq!(inventory.key(RowId(0)).limited_by.unwrap().get(), SUPERUSER);
    assert_eq!(inventory.limited_by(RowId(1)), Some(POWERLESS));
}

/// Generates descriptors with a few grants of every kind.
fn some_descriptors() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec!["a", "a*", "*", "b?", "/a.*/", ".x", "ab"]);
    let privileges = prop::sample::select(vec!["read", "write", "all", "manage", "indices:data/read/search", "later"]);
    let index = (prop::collection::vec(names, 1..3), prop::collection::vec(privileges, 1..3), any::<bool>());
    let cluster =
        prop::sample::select(vec!["monitor", "manage", "all", "manage_security", "cluster:monitor/*", "later"]);
    (prop::collection::vec(cluster, 0..3), prop::collection::vec(index, 0..3)).prop_map(|(cluster, indices)| {
        let indices: Vec<_> = indices.into_iter().map(|(names, privileges, restricted)| {
            serde_json::json!({ "names": names, "privileges": privileges, "allow_restricted_indices": restricted })
        }).collect();
        serde_json::json!({ "r": { "cluster": cluster, "indices": indices } }).to_string()
    })
}

proptest! {
    /// The page of a key and a search are of one mind, and a negation finds all others but those not known.
    #[test]
    fn a_search_finds_what_the_page_of_the_key_says(
        own in prop::option::of(some_descriptors()), limit in prop::option::of(some_descriptors()),
        unrestricted in any::<bool>(), privilege in 0..6usize, name in 0..5usize,
    ) {
        let privilege = ["read", "write", "create_doc", "manage", "monitor", "indices:data/read/search"][privilege];
        let name = ["a", "abc", "b1", ".x", "zz"][name];
        let own = if unrestricted { Some("{}".to_owned()) } else { own };
        let limit = limit.map(|limit| format!("[{limit}]"));
        let inventory = list(&[("k", own.as_deref(), limit.as_deref())]);
        let rights = Rights::of(&inventory.key(RowId(0)));
        let places = |search: &str| found(&inventory, search);
        let told = |search: &str| match places(search) {
            (one, none) if one.len() == 1 && none.is_empty() => Certainty::Yes,
            (none, one) if one.len() == 1 && none.is_empty() => Certainty::NotKnown,
            _ => Certainty::No,
        };
        let searches = [
            (format!("can:index:{privilege} on:{name}"), rights.may_on(name, privilege)),
            (format!("can:index:{privilege} on:={name}*"), rights.may_on(&format!("{name}*"), privilege)),
            ("can:cluster:manage".to_owned(), rights.may("manage")),
        ];
        for (search, answer) in searches {
            let search = search.replace("index:indices", "indices");
            prop_assert_eq!(told(&search), answer, "{} of {:?} in {:?}", search, own, limit);
            prop_assert_eq!(told(&format!("-({search})")), answer.not(), "-({})", search);
        }
        // Whoever may on a name may on some that a pattern means.
        if rights.may_on(name, privilege) == Certainty::Yes {
            let touched = told(&format!("can:index:{privilege} on:{name}*").replace("index:indices", "indices"));
            prop_assert_ne!(touched, Certainty::No);
        }
    }
}

#[test]
fn only_a_key_of_a_person_with_an_empty_object_is_unrestricted() {
    let mut inventory = Inventory::default();
    let reader = r#"{"r":{"cluster":["monitor"]}}"#;
    for (id, kind, descriptors) in [
        ("a", "rest", Some("{}")),
        ("b", "rest", Some(reader)),
        ("c", "rest", None),
        ("d", "cross_cluster", Some("{}")),
    ] {
        inventory.put(&RawKey { id, kind, role_descriptors: descriptors, ..RawKey::default() });
    }
    assert_eq!([0, 1, 2, 3].map(|row| inventory.is_unrestricted(RowId(row))), [true, false, false, false]);
}
