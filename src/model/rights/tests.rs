//! Tests of keys' rights: as clusters return them, and as they are described.

use serde_json::{Value, json, value::RawValue};

use super::{
    Asked, Certainty, Grants, MAX_COMBINATIONS, Rights, RightsJson, RightsRow, Verdict,
    compare::{OwnerNow, OwnerToday},
};
use crate::model::{
    api_key::{ApiKey, KeyKind},
    privileges::descriptor,
};

fn raw(value: &Value) -> Box<RawValue> {
    RawValue::from_string(value.to_string()).unwrap()
}

/// Returns the rights of a key with descriptors and, if given, an owner's snapshot.
fn rights(assigned: Value, limit: Option<Value>) -> Rights {
    let limited_by = limit.map(|limit| raw(&json!([limit])));
    Rights::of(&ApiKey { role_descriptors: Some(raw(&assigned)), limited_by, ..ApiKey::default() })
}

fn index(names: &[&str], privileges: &[&str]) -> Value {
    json!({ "x": { "indices": [{ "names": names, "privileges": privileges }] } })
}

fn superuser() -> Value {
    json!({ "superuser": { "cluster": ["all"], "run_as": ["*"],
        "indices": [
            { "names": ["*"], "privileges": ["all"], "allow_restricted_indices": false },
            { "names": ["*"], "privileges": ["monitor", "read", "view_index_metadata", "read_cross_cluster"],
              "allow_restricted_indices": true } ],
        "applications": [{ "application": "*", "privileges": ["*"], "resources": ["*"] }],
        "metadata": { "_reserved": true }, "transient_metadata": {},
        "remote_indices": [{ "names": ["*"], "privileges": ["all"], "clusters": ["*"], "allow_restricted_indices": false }],
        "remote_cluster": [{ "privileges": ["monitor_enrich", "monitor_stats"], "clusters": ["*"] }],
        "description": "d" } })
}

/// Formats the rows as text: `indices logs-*: read`.
fn table(rights: &Rights) -> Vec<String> {
    let row = |row: RightsRow| {
        let only = if row.but.is_empty() { String::new() } else { format!(" ({})", row.but.join("; ")) };
        format!("{} {}: {}{only}", row.kind, row.on.join(" "), row.may.join(" "))
    };
    rights.rows().into_iter().map(row).collect()
}

fn said(rights: &Rights) -> String {
    rights.in_one_line()
}

#[test]
fn a_key_can_do_what_both_its_descriptors_and_its_owner_allow() {
    let owner = json!({ "key_owner": { "cluster": ["manage_own_api_key", "monitor"],
        "indices": [{ "names": ["logs-*", "my_index"], "privileges": ["all"] }] } });
    let assigned = json!({ "r": { "cluster": ["all"],
        "indices": [{ "names": ["logs-app-*", "my_index", "other"], "privileges": ["read", "delete_index"] }] } });
    let rights = rights(assigned, Some(owner));
    assert_eq!(
        table(&rights),
        ["cluster : manage_own_api_key monitor", "indices logs-app-* my_index: read delete_index"]
    );
    assert_eq!(rights.verdict, Verdict::Some);
    assert!(rights.notes().is_empty(), "{:?}", rights.notes());
    assert_eq!(
        said(&rights),
        "Reads and deletes indices in logs-app-* and my_index. Monitors the cluster with manage_own_api_key"
    );
}

#[test]
fn a_superuser_limits_nothing_and_says_nothing_twice() {
    let assigned = json!({ "r": { "cluster": ["monitor"], "run_as": ["b*"],
        "indices": [{ "names": ["a*", "b"], "privileges": ["read", "view_index_metadata"] }],
        "applications": [{ "application": "kibana-.kibana", "privileges": ["read"], "resources": ["space:x"] }],
        "remote_indices": [{ "clusters": ["eu-*"], "names": ["logs-*"], "privileges": ["read"] }],
        "remote_cluster": [{ "clusters": ["eu-*"], "privileges": ["monitor_enrich"] }] } });
    let rights = rights(assigned, Some(superuser()));
    let expected = [
        "cluster : monitor",
        "indices a* b: read view_index_metadata",
        "application kibana-.kibana: space:x: read",
        "run as b*: act for",
        "remote indices eu-*: logs-*: read",
        "remote cluster eu-*: monitor_enrich",
    ];
    assert_eq!(table(&rights), expected);
    assert!(rights.notes().is_empty(), "{:?}", rights.notes());
    let whole = said(&rights);
    assert!(
        whole.contains("On the remote clusters eu-* reads logs-*. On the remote clusters eu-* has monitor_enrich"),
        "{whole}"
    );
    assert!(
        whole.contains("Uses the application kibana-.kibana with read on space:x. Acts for the users b*"),
        "{whole}"
    );
}

#[test]
fn unrestricted_empty_and_unknown_are_told_apart() {
    let unrestricted = rights(json!({}), Some(superuser()));
    assert_eq!(unrestricted.verdict, Verdict::Unrestricted);
    assert!(said(&unrestricted).starts_with("All its owner’s rights: it was created without descriptors"));
    assert!(said(&unrestricted).contains("Does everything on the cluster"));
    let unknown = rights(json!({}), None);
    assert!(said(&unknown).ends_with("What that was is not known"));
    assert_eq!(unknown.may("monitor"), Certainty::NotKnown);
    let powerless = rights(json!({}), Some(json!({})));
    assert!(said(&powerless).starts_with("Nothing: it was created without descriptors"), "{}", said(&powerless));

    let none = rights(json!({ "none": {} }), Some(superuser()));
    assert_eq!(
        (none.verdict, said(&none).as_str()),
        (Verdict::GrantsNothing, "Nothing: its descriptors grant no privilege")
    );
    let spelled = json!({ "none": { "cluster": ["none"], "indices": [{ "names": ["*"], "privileges": ["none"] }] } });
    assert_eq!(rights(spelled, Some(superuser())).verdict, Verdict::GrantsNothing);
    let left = rights(index(&["a"], &["read"]), Some(index(&["b"], &["read"])));
    assert_eq!(left.verdict, Verdict::NothingLeft);
    let apart = rights(index(&["a"], &["read"]), Some(index(&["a"], &["write"])));
    assert_eq!(apart.verdict, Verdict::NothingLeft);
    let unsure = rights(index(&["a"], &["read"]), Some(index(&["a"], &["view_index_metadata"])));
    assert_eq!(unsure.verdict, Verdict::NothingSure);
    assert!(unsure.notes()[0].contains("read with view_index_metadata"), "{:?}", unsure.notes());
    assert_eq!(Rights::of(&ApiKey::default()).verdict, Verdict::NotTold);
}

#[test]
fn without_the_owners_rights_nothing_is_promised() {
    let rights = rights(index(&["a"], &["read"]), None);
    assert_eq!(table(&rights), ["indices a: read"]);
    assert!(rights.notes()[0].starts_with("Its owner’s privileges limit this further. They are not known"));
    assert_eq!((rights.may_on("a", "read"), rights.may_on("a", "write")), (Certainty::NotKnown, Certainty::No));
}

#[test]
fn names_that_must_match_two_patterns_are_shown_with_both() {
    let rights = rights(index(&["logs-*"], &["read"]), Some(index(&["*-eu", "/logs-[0-9]+/"], &["all"])));
    assert_eq!(
        table(&rights),
        ["indices logs-* and also *-eu logs-* and also /logs-[0-9]+/: read (only if such names exist, which the \
             patterns alone don’t show)"]
    );
    assert!(said(&rights).starts_with(
        "Reads logs-* (if it matches *-eu too) and logs-* (if it matches /logs-[0-9]+/ too) (if such names exist)"
    ));
    assert_eq!(rights.may_on("logs-a-eu", "read"), Certainty::Yes);
    assert_eq!(rights.may_on("logs-*", "read"), Certainty::No);
    assert_eq!(rights.may_on("metrics-eu", "read"), Certainty::No);
}

#[test]
fn some_documents_and_fields_stay_some_and_both_conditions_apply() {
    let assigned = json!({ "r": { "indices": [{ "names": "a*", "privileges": ["read"],
        "query": "{\"term\":{\"x\":1}}", "field_security": { "grant": ["x"] } }] } });
    let owner = json!({ "o": { "indices": [
        { "names": ["a1"], "privileges": ["all"], "query": { "term": { "y": 2 } } },
        { "names": ["a2"], "privileges": ["read"], "field_security": { "grant": ["*"], "except": [] } } ] } });
    let rights = rights(assigned, Some(owner));
    let own = "only documents that match {\"term\":{\"x\":1}}";
    assert_eq!(
        table(&rights),
        [
            format!(
                "indices a1: read ({own}; only documents that match {{\"term\":{{\"y\":2}}}}; only the fields {{\"grant\":[\"x\"]}})"
            ),
            format!("indices a2: read ({own}; only the fields {{\"grant\":[\"x\"]}})"),
        ]
    );
    assert!(said(&rights).contains("Reads a1 (some documents and fields only)"));
    let notes = rights.notes().join("\n");
    assert!(notes.contains("add up") && notes.contains("both conditions apply"), "{notes}");
}

#[test]
fn the_systems_own_indices_need_both() {
    let grant = |allow: bool| json!({ "r": { "indices": [{ "names": [".security*"], "privileges": ["read"], "allow_restricted_indices": allow }] } });
    for (own, owner, both) in [(true, true, true), (true, false, false), (false, true, false)] {
        let rights = rights(grant(own), Some(grant(owner)));
        assert_eq!(rights.grants.indices[0].allow_restricted, both);
        assert_eq!(rights.may_on(".security-7", "read") == Certainty::Yes, both);
    }
    let wide = rights(grant(true), Some(superuser())).grants.indices;
    assert_eq!((wide.len(), wide[0].allow_restricted), (1, true), "the wider of two rows says both");
}

#[test]
fn several_descriptors_add_up_and_unknown_privileges_count_by_name() {
    let assigned = json!({ "a": { "cluster": ["of_the_future"], "indices": [{ "names": ["x"], "privileges": ["read"] }] },
        "b": { "cluster": ["monitor"], "index": [{ "names": ["x"], "privileges": ["write"] }] } });
    let rights = rights(
        assigned,
        Some(json!({ "o": { "cluster": ["of_the_future", "monitor"],
        "indices": [{ "names": ["*"], "privileges": ["all"] }] } })),
    );
    assert_eq!(table(&rights), ["cluster : of_the_future monitor", "indices x: read", "indices x: write"]);
    assert_eq!(rights.may("of_the_future"), Certainty::Yes);
    assert_eq!(rights.may_on("x", "create_doc"), Certainty::Yes);
    // Two that together may be a third.
    assert_eq!(rights.may_on("x", "view_index_metadata"), Certainty::No);
    assert_eq!(rights.may_on("y", "read"), Certainty::No);
    assert_eq!(rights.may_on("*", "read"), Certainty::No);
}

#[test]
fn what_is_not_understood_is_shown_and_never_called_nothing() {
    let assigned = json!({ "r": { "workloads": ["w"], "global": {}, "indices": [
        { "names": ["a"], "privileges": ["read"], "tier": "hot" } ] }, "odd": 7 });
    let rights = rights(assigned, Some(superuser()));
    assert_eq!(rights.verdict, Verdict::NothingSure);
    let notes = rights.notes();
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert_eq!(notes[0], "This version of Keybearer does not know r.workloads of its descriptors: [\"w\"]");
    assert!(notes[1].contains("r.indices[0]") && notes[1].contains("\"tier\":\"hot\"") && notes[2].contains("odd"));
    assert_eq!(rights.may_on("a", "read"), Certainty::NotKnown);
    let global = json!({ "r": { "global": { "application": { "manage": { "applications": ["*"] } } } } });
    assert!(crate::model::rights::tests::rights(global, Some(superuser())).notes()[0].contains("r.global"));
}

#[test]
fn a_restricted_key_works_inside_its_workflow_only() {
    let assigned = json!({ "r": { "restriction": { "workflows": ["search_application_query"] },
        "indices": [{ "names": ["a"], "privileges": ["read"] }] } });
    let rights = rights(assigned, Some(superuser()));
    assert!(said(&rights).starts_with("Only inside the workflow search_application_query. Reads a"));
    assert_eq!(table(&rights)[0], "only in workflow search_application_query: ");
    assert_eq!(rights.may_on("a", "read"), Certainty::NotKnown);
}

#[test]
fn a_cross_cluster_key_opens_indices_to_other_clusters() {
    let access = raw(
        &json!({ "search": [{ "names": ["logs-*"], "query": "{}" }], "replication": [{ "names": ["a", "b"] }], "more": 1 }),
    );
    let key = ApiKey { kind: KeyKind::CrossCluster, access: Some(access), ..ApiKey::default() };
    let rights = Rights::of(&key);
    assert_eq!(
        said(&rights),
        "Signs in another cluster; it can’t be used for the REST API. Lets another cluster search logs-* (some \
         documents only). Lets another cluster replicate a and b"
    );
    assert_eq!(table(&rights), ["search logs-*: search (only documents that match {})", "replication a b: replicate"]);
    assert!(rights.notes()[0].contains("does not know more"));
    assert_eq!(Rights::of(&ApiKey { access: None, ..key }).verdict, Verdict::NotTold);
}

#[test]
fn endless_descriptors_come_to_an_end_and_are_not_called_nothing() {
    let names: Vec<String> = (0..2000).map(|number| format!("*{number}*")).collect();
    let many: Vec<&str> = names.iter().map(String::as_str).collect();
    let rights = rights(index(&many, &["read"]), Some(index(&many, &["read"])));
    assert_eq!(rights.verdict, Verdict::NothingSure);
    assert!(rights.notes()[0].starts_with("There are too many index patterns"), "{:?}", rights.notes());
    // A name is tried on each pattern, and where patterns of two sides meet is looked for within bounds.
    assert_eq!(rights.may_on("a", "read"), Certainty::No);
    assert_eq!(rights.may_on("x1999x", "read"), Certainty::Yes);
    let apart = |letter: char| {
        let indices: Vec<Value> = (0..=MAX_COMBINATIONS.isqrt())
            .map(|number| json!({ "names": [format!("{letter}{number}-*")], "privileges": ["read"] }))
            .collect();
        json!({ "x": { "indices": indices } })
    };
    let rights = crate::model::rights::tests::rights(apart('a'), Some(apart('b')));
    assert_eq!(rights.effective().may_on_some(&Asked::any(), "read"), Certainty::NotKnown);
    assert_eq!(rights.effective().may_on_some(&Asked::any(), "write"), Certainty::No);
}

#[test]
fn each_pattern_of_the_key_is_tried_with_each_of_the_owner() {
    let groups = |patterns: [&str; 2]| {
        let indices = patterns.map(|pattern| json!({ "names": [pattern], "privileges": ["read"] }));
        json!({ "x": { "indices": indices } })
    };
    let may = |own, limit| rights(groups(own), Some(groups(limit))).effective().may_on_some(&Asked::any(), "read");
    assert_eq!(may(["a-*", "b-*"], ["b-*", "c-*"]), Certainty::Yes);
    assert_eq!(may(["a-*", "b-*"], ["c-*", "b-*"]), Certainty::Yes);
    assert_eq!(may(["a-*", "b-*"], ["c-*", "d-*"]), Certainty::No);
}

#[test]
fn a_key_runs_as_whom_both_it_and_its_owner_may_run_as() {
    let user = |names: &[&str]| json!({ "x": { "run_as": names } });
    let runs = |own: &[&str], limit: &[&str]| rights(user(own), Some(user(limit))).effective().runs_as();
    assert_eq!(runs(&["ana", "b*"], &["bo"]), Certainty::Yes);
    assert_eq!(runs(&["a*"], &["*a"]), Certainty::Yes);
    assert_eq!(runs(&["ana"], &["bo"]), Certainty::No);
    assert_eq!(runs(&[], &["*"]), Certainty::No);
}

#[test]
fn as_json_nothing_is_lost() {
    let assigned = json!({ "r": { "cluster": ["monitor"], "workloads": { "n": 1.0 }, "indices": [
        { "names": ["logs-*", "a-eu"], "privileges": ["read"], "field_security": { "grant": ["x"] } } ] } });
    let rights = rights(
        assigned,
        Some(json!({ "o": { "cluster": ["all"],
        "indices": [{ "names": ["*-eu"], "privileges": ["all"] }] } })),
    );
    let json = serde_json::to_value(RightsJson::new(&rights)).unwrap();
    assert_eq!(json["verdict"], "limited");
    assert_eq!(json["indices"][0]["names"], json!([["logs-*", "*-eu"], "a-eu"]));
    assert_eq!(json["indices"][0]["field_security"], json!([{ "grant": ["x"] }]));
    assert_eq!(json["unknown"][0], json!({ "place": "r.workloads", "of_the_owner": false, "value": { "n": 1.0 } }));
    assert_eq!(json["sentences"][1], "Monitors the cluster");
}

fn owner(then: Value, roles: &[(&str, Value)], assigned: &[&str]) -> OwnerNow {
    let raws: Vec<(&str, Box<RawValue>)> = roles.iter().map(|(name, role)| (*name, raw(role))).collect();
    let found: Vec<(&str, &RawValue)> = raws.iter().map(|(name, role)| (*name, &**role)).collect();
    let assigned = assigned.iter().map(|name| (*name).to_owned()).collect();
    OwnerNow::Known(Box::new(OwnerToday::new(true, assigned, Some(&raw(&json!([then]))), &found)))
}

#[test]
fn the_owners_rights_of_then_are_compared_with_those_of_today() {
    let reader = json!({ "cluster": ["monitor"], "indices": [{ "names": ["a", "b"], "privileges": ["read", "write"] }], "metadata": {} });
    let then = json!({ "reader": reader, "admin": { "cluster": ["manage_security"] } });
    let same = owner(
        then.clone(),
        &[("reader", reader.clone()), ("admin", json!({ "cluster": ["manage_security"], "description": "d" }))],
        &["reader", "admin"],
    );
    assert_eq!(same.sentences(), ["Its owner still has the same privileges"]);
    let now = json!({ "cluster": ["monitor"], "indices": [{ "names": ["*"], "privileges": ["read"] }] });
    let less = owner(then.clone(), &[("reader", now)], &["reader"]);
    assert_eq!(
        less.sentences(),
        [
            "Lost by its owner since the key was created or last updated, but kept by the key: adds, changes and deletes documents in a \
             and b; has manage_security on the cluster",
            "Gained by its owner since the key was created or last updated, but not by the key until it is \
             updated again: reads *",
        ]
    );
    let unread = owner(then, &[("reader", reader)], &["reader", "of_a_file"]);
    assert_eq!(
        unread.sentences(),
        ["What its owner has lost since the key was created or last updated is not known: the cluster does not \
             show the roles of_a_file"]
    );
    assert!(OwnerNow::NotKnown("x".into()).sentences()[0].ends_with("are not known: x"));
}

#[test]
fn an_owner_without_a_snapshot_is_compared_with_nothing() {
    let known = OwnerToday::new(false, vec!["r".into()], None, &[("r", &raw(&json!({ "cluster": ["all"] })))]);
    assert_eq!(known.changes, None);
    let words = OwnerNow::Known(Box::new(known)).sentences();
    assert!(
        words[0].starts_with("Its owner is disabled")
            && words[1].starts_with("Its owner’s privileges at that time are not known")
    );
}

#[test]
fn rights_of_roles_are_read_in_the_same_way() {
    let role = raw(&json!({ "cluster": ["monitor"], "indices": [{ "names": ["a"], "privileges": ["read"] }] }));
    let grants: Grants = Rights::of_roles(&[("r", &role)]);
    let clauses: Vec<String> = grants.clauses().iter().map(|clause| descriptor::plain(clause)).collect();
    assert_eq!(clauses, ["reads a", "monitors the cluster"]);
}

proptest::proptest! {
    /// Checks that what one side alone grants is never claimed, and that what both grant plainly is never denied.
    #[test]
    fn a_name_and_a_privilege_are_judged_as_both_sides_judge_them(
        own in "[ab*]{1,3}", theirs in "[ab*]{1,3}", name in "[ab]{1,3}",
        held in 0..6usize, limit in 0..6usize, asked in 0..6usize,
    ) {
        let names = ["read", "write", "index", "all", "manage", "create_index"];
        let (held, limit, asked) = (names[held], names[limit], names[asked]);
        let rights = rights(index(&[&own], &[held]), Some(index(&[&theirs], &[limit])));
        let glob = crate::model::privileges::pattern::glob;
        let contains = crate::model::privileges::index_contains;
        let both = glob(&own, &name) && glob(&theirs, &name) && contains(held, asked) && contains(limit, asked);
        match rights.may_on(&name, asked) {
            Certainty::Yes => proptest::prop_assert!(both),
            Certainty::No => proptest::prop_assert!(!both),
            Certainty::NotKnown => proptest::prop_assert!(!both, "what both grant plainly is known"),
        }
    }
}

#[test]
fn where_something_is_left_of_the_cluster_it_is_not_said_that_nothing_is() {
    let assigned =
        json!({ "r": { "cluster": ["manage_ccr"], "indices": [{ "names": ["a"], "privileges": ["read"] }] } });
    let owner = json!({ "o": { "cluster": ["manage"], "indices": [{ "names": ["*"], "privileges": ["all"] }] } });
    assert_eq!(said(&rights(assigned, Some(owner))), "Reads a");
    let assigned = json!({ "r": { "cluster": ["manage_index_templates"] } });
    let owner = json!({ "o": { "cluster": ["monitor", "manage_own_api_key"] } });
    assert_eq!(rights(assigned, Some(owner)).verdict, Verdict::NothingSure);
}

#[test]
fn no_field_granted_is_a_limit_and_no_list_of_fields_is_none() {
    let with = |fields: Value| {
        let item = json!({ "names": ["logs-*"], "privileges": ["read"], "field_security": fields });
        said(&rights(json!({ "r": { "indices": [item], "cluster": ["monitor"] } }), Some(superuser())))
    };
    assert!(with(json!({ "grant": [] })).contains("some fields only"), "{}", with(json!({ "grant": [] })));
    assert!(with(json!({ "except": ["a"] })).contains("some fields only"));
    for all in [json!({}), json!({ "grant": ["*"], "except": [] }), json!({ "grant": null }), Value::Null] {
        assert!(!with(all.clone()).contains("fields"), "{all}");
    }
}

#[test]
fn an_action_is_held_by_a_name_only_with_all_that_begins_like_it() {
    let cluster = |assigned: &str, owner: &str| {
        rights(json!({ "r": { "cluster": [assigned] } }), Some(json!({ "o": { "cluster": [owner] } })))
    };
    let invalidates = "cluster:admin/xpack/security/api_key/invalidate";
    assert_eq!(cluster(invalidates, "manage_own_api_key").may(invalidates), Certainty::No);
    assert_eq!(cluster("cluster:monitor/main", "monitor").may("cluster:monitor/main"), Certainty::Yes);
    let owner = json!({ "o": { "indices": [{ "names": ["*"], "privileges": ["create_doc"] }] } });
    let told = rights(index(&["a"], &["indices:data/write/index"]), Some(owner));
    assert_eq!(told.may_on("a", "indices:data/write/index"), Certainty::No);
}

#[test]
fn the_systems_own_indices_are_said_to_be_in_or_out() {
    let told = rights(index(&[".security*"], &["read"]), Some(superuser()));
    assert!(said(&told).contains("not system indices"), "{}", said(&told));
    assert!(table(&told)[0].ends_with("(not system indices)"), "{:?}", table(&told));
}

#[test]
fn of_many_names_six_are_said_and_the_others_counted() {
    let of = |names: &[&str]| said(&rights(index(names, &["read"]), Some(superuser())));
    assert_eq!(of(&["a1", "b1", "c1", "d1", "e1", "f1"]), "Reads a1, b1, c1, d1, e1 and f1. Nothing on the cluster");
    let more = of(&["a1", "b1", "c1", "d1", "e1", "f1", "g1", "h1"]);
    assert_eq!(more, "Reads a1, b1, c1, d1, e1, f1 and 2 others. Nothing on the cluster");
}

/// A comparison of each right with each other would take minutes.
#[test]
fn very_long_lists_of_rights_are_lost_as_a_whole_or_not_at_all() {
    let role = |count: usize| {
        let names = |number: usize| json!({ "names": [format!("i{number}")], "privileges": ["read"] });
        json!({ "indices": (0..count).map(names).collect::<Vec<_>>() })
    };
    let gone = |then: usize, today: usize| {
        let OwnerNow::Known(known) = owner(json!({ "r": role(then) }), &[("r", role(today))], &["r"]) else {
            panic!("it is not known")
        };
        known.changes.map(|changes| changes.gone.indices.len())
    };
    assert_eq!(gone(2001, 2001), Some(0));
    assert_eq!(gone(2001, 2000), Some(2001));
    assert_eq!(gone(3, 2), Some(1));
}
