//! Properties of an inventory, on a few odd keys and on many ordinary ones.

use crate::model::{
    TimeDelta, Timestamp,
    api_key::KeyId,
    filter::{self, Expr, Free, Term, TextField, TextMatch},
    inventory::*,
    time::status::{Status, StatusGroup},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

struct Made {
    id: String,
    name: String,
    owner: &'static str,
    expires: Option<Timestamp>,
    metadata: String,
    descriptors: &'static str,
}

impl Made {
    fn raw(&self) -> RawKey<'_> {
        RawKey {
            id: &self.id,
            name: &self.name,
            kind: "rest",
            username: self.owner,
            realm: "native1",
            created: NOW - TimeDelta::DAY,
            expires: self.expires,
            metadata: Some(&self.metadata),
            role_descriptors: Some(self.descriptors),
            limited_by: Some(SUPERUSER),
            ..RawKey::default()
        }
    }
}

const READER: &str = r#"{"reader":{"cluster":["monitor"],"indices":[{"names":["logs-*"],"privileges":["read"]}]}}"#;
const WRITER: &str = r#"{"writer":{"indices":[{"names":["logs-*","metrics-*"],"privileges":["write"]}]}}"#;

const SUPERUSER: &str = r#"[{"superuser":{"cluster":["all"],"indices":[{"names":["*"],"privileges":["all"]}],"run_as":["*"],"applications":[{"application":"*","privileges":["*"],"resources":["*"]}]}}]"#;

fn made(count: usize) -> Vec<Made> {
    let make = |number: usize| Made {
        id: format!("Id{number:018}"),
        name: format!("{}-App-{number:06}", ["payments", "search", "ÄRGER"][number % 3]),
        owner: ["ana", "boris"][number % 2],
        expires: [None, Some(NOW + TimeDelta::DAY), Some(NOW - TimeDelta::DAY), Some(NOW + 90 * TimeDelta::DAY)]
            [number % 4],
        metadata: match number % 3 {
            0 => format!(r#"{{"team":"Payments","ticket":"SEC-{number}","tags":["one","two"]}}"#),
            1 => format!(
                r#"{{"application_id":"app-{number}","roles":["reader","x"],"deep":{{"team":"Über \"all\""}}}}"#
            ),
            _ => "{}".into(),
        },
        descriptors: ["{}", READER, WRITER][number % 3],
    };
    (0..count).map(make).collect()
}

fn inventory(count: usize) -> Inventory {
    let mut inventory = Inventory::default();
    for key in made(count) {
        assert_eq!(inventory.put(&key.raw()), Put::Added);
    }
    inventory.finish();
    inventory
}

fn row_ids(inventory: &Inventory, term: Term) -> Vec<usize> {
    inventory.matching(&Expr::Term(term), NOW, Asker::default()).rows().map(RowId::index).collect()
}

fn free(word: &str) -> Term {
    Term::Free(Free(TextMatch::Contains(word.to_lowercase())))
}

#[test]
fn a_key_comes_back_as_it_was_put_in() {
    let inventory = inventory(30);
    for (row, made) in inventory.row_ids().zip(&made(30)) {
        let key = inventory.key(row);
        let raw = RawKey::from(&key);
        assert_eq!(format!("{raw:?}"), format!("{:?}", made.raw()));
        assert_eq!(inventory.row_id(&key.id), Some(row));
    }
    assert_eq!(inventory.key(RowId(1)).application_id(), Some("app-1"));
    assert_eq!(inventory.key(RowId(1)).roles(), ["reader", "x"]);
    assert_eq!(inventory.key(RowId(2)).roles(), ["writer"]);
    assert!(inventory.key(RowId(0)).is_unrestricted());
    assert_eq!(inventory.can(RowId(0)), "All owner’s rights");
    assert_eq!(inventory.row_id(&KeyId::new("none")), None);
}

#[test]
fn the_odd_is_carried_to_the_byte() {
    let long = format!(r#"{{"a":"{}","b":{{"c":[1,"Zwei"]}}}}"#, "x".repeat(5000));
    for metadata in ["7", "[]", "null", r#"{"a":[[{"b":1.0e400}]],"a":"\u00e9\n"}"#, long.as_str(), "{ \"a\" : true }"]
    {
        let mut inventory = Inventory::default();
        let raw = RawKey {
            id: "x",
            name: "line\nend =1+1 \u{202e}",
            kind: "later_kind",
            created: Timestamp::MAX,
            expires: Some(Timestamp::MAX),
            invalidated: true,
            invalidated_at: Some(Timestamp::EPOCH),
            metadata: Some(metadata),
            access: Some(r#"{"search":[]}"#),
            ..RawKey::default()
        };
        assert_eq!(inventory.put(&raw), Put::Added);
        assert_eq!(inventory.put(&raw), Put::Same);
        assert_eq!(format!("{:?}", RawKey::from(&inventory.key(RowId(0)))), format!("{raw:?}"));
        assert_eq!(inventory.put(&RawKey { metadata: None, access: None, ..raw }), Put::Changed);
        assert_eq!(
            (inventory.metadata(RowId(0)), inventory.key(RowId(0)).access.is_none(), inventory.len()),
            (None, true, 1)
        );
    }
}

#[test]
fn what_changed_is_taken_over_in_place() {
    let mut inventory = inventory(10);
    let all = made(10);
    let changed =
        RawKey { invalidated: true, invalidated_at: Some(NOW), metadata: Some(r#"{"team":"new"}"#), ..all[4].raw() };
    assert_eq!(inventory.put(&changed), Put::Changed);
    assert_eq!(inventory.put(&changed), Put::Same);
    assert_eq!(inventory.status(RowId(4), NOW), Status::Invalidated);
    assert_eq!(row_ids(&inventory, Term::Meta(vec!["team".into()], vec![TextMatch::Equals("new".into())])), [4]);
    assert_eq!(inventory.key(RowId(3)).application_id(), inventory.application_id(RowId(3)));
}

#[test]
fn free_text_is_found_in_every_part_whatever_its_case() {
    let inventory = inventory(12);
    assert_eq!(row_ids(&inventory, free("PAYMENTS-app")), [0, 3, 6, 9]);
    assert_eq!(row_ids(&inventory, free("ärger")), [2, 5, 8, 11]);
    assert_eq!(row_ids(&inventory, free("id000000000000000011")), [11]);
    assert_eq!(row_ids(&inventory, free("app-7")), [7]);
    assert_eq!(row_ids(&inventory, free("BORIS")), [1, 3, 5, 7, 9, 11]);
    assert_eq!(row_ids(&inventory, free("sec-9")), [9]);
    assert_eq!(row_ids(&inventory, free("über \"a")), [1, 4, 7, 10]);
    assert_eq!(row_ids(&inventory, free("ticket")), [0, 3, 6, 9]);
    assert_eq!(row_ids(&inventory, free("writer")), [2, 5, 8, 11]);
    assert!(row_ids(&inventory, free("native2")).is_empty());
}

#[test]
fn no_match_goes_across_the_border_of_two_names() {
    let mut inventory = Inventory::default();
    for (id, name) in [("1", "ab"), ("2", "cd"), ("3", "abcd"), ("4", "aab"), ("5", "bbc")] {
        inventory.put(&RawKey { id, name, ..RawKey::default() });
    }
    let names = |word: &str| row_ids(&inventory, Term::Field(TextField::Name, vec![TextMatch::Contains(word.into())]));
    assert_eq!(names("bc"), [2, 4]);
    assert_eq!(names("abb"), [0usize; 0]);
    assert_eq!(names("aab"), [3]);
    assert_eq!(names("b"), [0, 2, 3, 4]);
}

#[test]
fn the_same_is_found_by_blocks_as_by_looking_at_each() {
    let count = Bitmap::chunk() + 500;
    let inventory = inventory(count);
    for word in ["a", "Z", "7", "-", "{", "i", "app", "00", "77", "sec-1", "search-app-00", "app-03", "ü", "tw"] {
        let word = &word.to_lowercase();
        let plain: Vec<usize> = inventory
            .row_ids()
            .filter(|row| {
                let key = inventory.key(*row);
                let parts = [key.name.clone(), key.id.to_string(), key.owner.username.clone(), key.owner.realm.clone()];
                let metadata = key.metadata_map();
                let texts =
                    parts.into_iter().chain(key.roles().to_vec()).chain(key.application_id().map(str::to_owned));
                texts.map(|text| text.to_lowercase()).any(|text| text.contains(word))
                    || in_json(&serde_json::Value::Object(metadata), word)
            })
            .map(RowId::index)
            .collect();
        assert!(row_ids(&inventory, free(word)) == plain, "{word}: {}", plain.len());
    }
}

fn in_json(value: &serde_json::Value, word: &str) -> bool {
    match value {
        serde_json::Value::Object(map) => {
            map.iter().any(|(key, value)| key.to_lowercase().contains(word) || in_json(value, word))
        }
        serde_json::Value::Array(list) => list.iter().any(|value| in_json(value, word)),
        serde_json::Value::String(text) => text.to_lowercase().contains(word),
        other => other.to_string().contains(word),
    }
}

#[test]
fn letters_and_values_are_found_in_what_was_changed_and_in_what_is_new() {
    let mut inventory = inventory(10);
    let all = made(12);
    assert_eq!(row_ids(&inventory, free("w")), [0, 2, 3, 5, 6, 8, 9]);
    assert_eq!(row_ids(&inventory, free("über")), [1, 4, 7]);
    assert_eq!(row_ids(&inventory, free("sec-3")), [3]);
    inventory.put(&RawKey { metadata: Some(r#"{"team":"ne\u0057"}"#), ..all[4].raw() });
    inventory.put(&RawKey { metadata: None, ..all[3].raw() });
    let expected = [0, 2, 4, 5, 6, 8, 9];
    assert_eq!(row_ids(&inventory, free("w")), expected);
    inventory.put(&RawKey { id: "w", ..all[10].raw() });
    inventory.put(&all[11].raw());
    let expected: Vec<usize> = expected.into_iter().chain([10, 11]).collect();
    assert_eq!(row_ids(&inventory, free("w")), expected);
    for is_made in [false, true] {
        if is_made {
            inventory.finish();
        }
        assert_eq!(row_ids(&inventory, free("w")), expected);
        assert_eq!(row_ids(&inventory, free("über")), [1, 7, 10]);
        assert_eq!(row_ids(&inventory, free("new")), [4]);
        assert!(row_ids(&inventory, free("sec-3")).is_empty());
        assert_eq!(row_ids(&inventory, free("sec-6")), [6]);
    }
}

#[test]
fn an_escape_is_no_letter_of_what_it_stands_for() {
    let mut inventory = Inventory::default();
    for (id, metadata) in [("1", r#"{"a":"\u0041\nbc"}"#), ("2", r#"{"a":"u00, nbc"}"#)] {
        inventory.put(&RawKey { id, metadata: Some(metadata), ..RawKey::default() });
    }
    for is_made in [false, true] {
        if is_made {
            inventory.finish();
        }
        for word in ["u", "u00", "nbc", ","] {
            assert_eq!(row_ids(&inventory, free(word)), [1], "{word}");
        }
        assert_eq!(row_ids(&inventory, free("bc")), [0, 1]);
        let either = Expr::Or(vec![Expr::Term(free("u")), Expr::Term(free("zz"))]);
        assert_eq!(inventory.matching(&either, NOW, Asker::default()).rows().collect::<Vec<_>>(), [RowId(1)]);
    }
}

#[test]
fn any_text_at_all_is_found_in_no_key_where_there_is_none() {
    let any = Term::Free(Free(TextMatch::Glob(filter::Glob::new("*"))));
    assert!(row_ids(&Inventory::default(), any.clone()).is_empty());
    let mut inventory = Inventory::default();
    inventory.finish();
    assert!(row_ids(&inventory, any).is_empty());
}

#[test]
fn metadata_is_reached_by_its_path() {
    let inventory = inventory(6);
    let meta = |path: &[&str], wanted: TextMatch| {
        row_ids(&inventory, Term::Meta(path.iter().map(|key| (*key).to_owned()).collect(), vec![wanted]))
    };
    assert_eq!(meta(&["team"], TextMatch::Equals("payments".into())), [0, 3]);
    assert_eq!(meta(&["TEAM"], TextMatch::Equals("payments".into())), [0, 3]);
    assert_eq!(meta(&["deep", "team"], TextMatch::Equals("über \"all\"".into())), [1, 4]);
    assert_eq!(meta(&["tags"], TextMatch::Equals("two".into())), [0, 3]);
    assert_eq!(meta(&["team"], TextMatch::Missing), [1, 2, 4, 5]);
    let fields: Vec<String> = inventory
        .metadata_fields(&Bitmap::all(6))
        .into_iter()
        .map(|(path, count)| format!("{} {count}", path.join(".")))
        .collect();
    assert_eq!(fields, ["application_id 2", "deep.team 2", "roles 2", "tags 2", "team 2", "ticket 2"]);
    assert_eq!(
        inventory.tally(&Bitmap::all(6), &Field::Metadata(vec!["tags".into()])),
        [("one".into(), 2), ("two".into(), 2)]
    );
}

#[test]
fn a_person_s_key_that_says_that_a_product_made_it_is_a_finding() {
    let mut inventory = Inventory::default();
    let fleet = Some(r#"{"managed_by":"fleet"}"#);
    for (id, name, username, realm, metadata) in [
        ("agent", "output", "elastic/fleet-server", "_service_account", fleet),
        ("system", "Alerting: x/y", "kibana_system", "reserved", None),
        ("claims", "output", "olga", "native1", fleet),
        ("named so", "Alerting: x/y", "olga", "native1", None),
        ("plain", "app", "olga", "native1", None),
    ] {
        let (role_descriptors, limited_by) = (Some(READER), Some(SUPERUSER));
        inventory.put(&RawKey {
            id,
            name,
            username,
            realm,
            metadata,
            role_descriptors,
            limited_by,
            ..RawKey::default()
        });
    }
    let query = filter::parse("is:says-managed", NOW, &jiff::tz::TimeZone::UTC).unwrap();
    let found = inventory.matching(&query.expr, NOW, Asker::default());
    assert_eq!(found.rows().map(|row| inventory.id(row)).collect::<Vec<_>>(), ["claims", "named so"]);
    assert_eq!(inventory.findings(&Bitmap::all(5)), [("says-managed", 2)]);
}

#[test]
fn columns_sort_both_ways_and_what_is_missing_stays_last() {
    let inventory = inventory(8);
    let order = |sorts: &[(Column, bool)]| {
        let sorts: Vec<Sort> =
            sorts.iter().map(|(column, descending)| Sort { column: *column, descending: *descending }).collect();
        inventory.order(&sorts, NOW).rows().iter().map(|row| row.index()).collect::<Vec<_>>()
    };
    assert_eq!(order(&[(Column::Name, false)]), [0, 3, 6, 1, 4, 7, 2, 5]);
    assert_eq!(order(&[(Column::Name, true)]), [5, 2, 7, 4, 1, 6, 3, 0]);
    assert_eq!(order(&[(Column::Expires, false)])[..2], [6, 2]);
    assert_eq!(order(&[(Column::Expires, true)])[..2], [0, 4]);
    assert_eq!(order(&[(Column::ApplicationId, false)])[..3], [1, 4, 7]);
    assert_eq!(order(&[(Column::ApplicationId, true)])[..3], [7, 4, 1]);
    assert_eq!(order(&[(Column::Status, false)])[..2], [6, 2]);
    assert_eq!(order(&[(Column::Owner, false), (Column::Name, true)])[..4], [2, 4, 6, 0]);
    assert_eq!(order(&[(Column::Id, true)]), [7, 6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(order(&[(Column::Roles, false)])[..2], [1, 4]);
    for column in [Column::Realm, Column::Kind, Column::Can, Column::Created, Column::Invalidated] {
        let mut row_ids = order(&[(column, true)]);
        row_ids.sort_unstable();
        assert_eq!(row_ids, [0, 1, 2, 3, 4, 5, 6, 7]);
    }
}

#[test]
fn keys_are_counted_by_status_and_by_time() {
    let inventory = inventory(8);
    let all = Bitmap::all(8);
    let counts = inventory.count(&all, NOW);
    assert_eq!((counts.of(Status::Never), counts.of(Status::Expiring), counts.usable(), counts.total()), (2, 2, 6, 8));
    let edges = [NOW - 2 * TimeDelta::DAY, NOW, NOW + 2 * TimeDelta::DAY, NOW + 90 * TimeDelta::DAY];
    let bars: Vec<usize> =
        inventory.histogram(&all, Moment::Expires, &edges, NOW).iter().map(StatusCounts::total).collect();
    assert_eq!(bars, [2, 2, 0]);
    assert_eq!(inventory.tally(&all, &Field::Role)[..2], [("reader".into(), 3), ("x".into(), 3)]);
    assert_eq!(inventory.next_expiry(&all, NOW), Some(NOW + TimeDelta::DAY));
    assert_eq!(inventory.next_change(NOW), Some(NOW + TimeDelta::DAY));
}

#[test]
fn a_status_counted_is_the_status_of_the_key_at_every_border() {
    let borders = [TimeDelta::ZERO, expiry::EXPIRING, expiry::EXPIRING_SOON].map(|t| NOW + t);
    let mut ends: Vec<Option<Timestamp>> = borders
        .iter()
        .flat_map(|at| [*at - TimeDelta::MILLISECOND, *at, *at + TimeDelta::MILLISECOND])
        .map(Some)
        .collect();
    ends.extend([None, Some(Timestamp::EPOCH), Some(Timestamp::MAX)]);
    let mut inventory = Inventory::default();
    for (number, (end, invalidated)) in ends.iter().flat_map(|end| [(end, false), (end, true)]).enumerate() {
        inventory.put(&RawKey { id: &number.to_string(), expires: *end, invalidated, ..RawKey::default() });
    }
    for now in [NOW, Timestamp::EPOCH, Timestamp::MIN + TimeDelta::MILLISECOND, Timestamp::MAX] {
        let rows = inventory.status_ranks(now);
        for row in inventory.row_ids() {
            assert_eq!(rows(row), inventory.status(row, now).place(), "{row:?} at {now:?}");
        }
    }
}

#[test]
fn words_that_are_looked_for_together_find_what_each_of_them_finds() {
    let inventory = inventory(Bitmap::chunk() + 500);
    for words in [["p", "00"], ["a", "search"], ["sec-1", "app-03"], ["ü", "tw"], ["nothing-like-it", "7"]] {
        let either = Expr::Or(words.iter().map(|word| Expr::Term(free(word))).collect());
        let each = words.map(|word| inventory.matching(&Expr::Term(free(word)), NOW, Asker::default()));
        let [one, other] = each;
        assert!(inventory.matching(&either, NOW, Asker::default()) == one.or(&other), "{words:?}");
    }
}

#[test]
fn keys_that_are_gone_can_be_left_out() {
    let inventory = inventory(9);
    let rest = inventory.without(&Bitmap::of(9, |row| row.0 % 2 == 1));
    let ids: Vec<&str> = rest.row_ids().map(|row| rest.id(row)).collect();
    assert_eq!(ids, [0, 2, 4, 6, 8].map(|row| inventory.id(RowId(row))));
    assert_eq!(
        format!("{:?}", RawKey::from(&rest.key(RowId(2)))),
        format!("{:?}", RawKey::from(&inventory.key(RowId(4))))
    );
}

#[test]
fn another_cluster_s_keys_can_be_added_even_under_the_same_ids() {
    let mut both = inventory(5);
    both.append(&inventory(7));
    both.finish();
    assert_eq!((both.len(), both.row_id(&KeyId::new("Id000000000000000003"))), (12, Some(RowId(3))));
    assert_eq!(format!("{:?}", RawKey::from(&both.key(RowId(8)))), format!("{:?}", RawKey::from(&both.key(RowId(3)))));
}

#[test]
fn where_a_column_is_full_a_key_has_both_its_id_and_its_name_or_neither() {
    for (ids, names) in [(100, 10), (10, 100)] {
        let mut inventory = Inventory {
            ids: StringArena::with_room_for(ids),
            names: StringArena::with_room_for(names),
            ..Inventory::default()
        };
        for number in 0..20 {
            let (id, name) = (format!("id{number}"), format!("n{number}"));
            inventory.put(&RawKey { id: &id, name: &name, ..RawKey::default() });
        }
        assert!((2..20).contains(&inventory.len()));
        for row in inventory.row_ids() {
            assert_eq!(inventory.id(row).replace("id", "n"), inventory.name(row), "{row:?}");
        }
        assert_eq!(inventory.put(&RawKey { id: "another", name: "another name", ..RawKey::default() }), Put::Full);
    }
}

#[test]
fn what_could_not_be_read_stays_with_its_key() {
    let mut inventory = inventory(9);
    let flaw = Some("name: a part of it is not text");
    let odd = RawKey { id: "odd", name: "x\u{fffd}", flaw, ..RawKey::default() };
    assert_eq!((inventory.put(&odd), inventory.put(&odd)), (Put::Added, Put::Same));
    assert_eq!((inventory.flawed(), inventory.flaw(RowId(9)), inventory.flaw(RowId(3))), (1, odd.flaw, None));
    assert_eq!((inventory.key(RowId(9)).flaw.as_deref(), inventory.flawed_rows()), (odd.flaw, vec![RowId(9)]));
    let rest = inventory.without(&Bitmap::of(10, |row| row.0 < 5));
    assert_eq!(rest.first_flaw(), Some((RowId(4), odd.flaw.unwrap())));
    assert_eq!(inventory.put(&RawKey { flaw: None, ..odd }), Put::Changed);
    assert_eq!(inventory.flawed(), 0);
}

/// A field that could not be read says neither yes nor no, whatever its stand-in is.
#[test]
fn of_keys_with_unreadable_fields_searches_don_t_know() {
    let mut inventory = Inventory::default();
    let mut put = |id: &str, name: &str, expires: Option<Timestamp>, flaw: Option<&str>| {
        inventory.put(&RawKey { id, name, expires, flaw, created: NOW - TimeDelta::DAY, ..Default::default() });
    };
    put("whole", "pay", Some(NOW + TimeDelta::DAY), None);
    put("no-end", "pay", None, Some("expiration: it is not a time in milliseconds"));
    put("no-state", "pay", Some(NOW + TimeDelta::DAY), Some("invalidated: it is neither true nor false"));
    put("no-birth", "pay", Some(NOW + TimeDelta::DAY), Some("creation: it is missing"));
    put("no-name", "pa\u{fffd}", Some(NOW + TimeDelta::DAY), Some("name: a part of it is not text"));
    inventory.finish();
    let row_ids = |bits: &Bitmap| bits.rows().map(|row| inventory.id(row).to_owned()).collect::<Vec<_>>();
    for (query, surely, perhaps) in [
        ("status:never", &[][..], &["no-end", "no-state"][..]),
        ("-status:never", &["whole", "no-birth", "no-name"], &["no-end", "no-state"]),
        ("expires:never", &[], &["no-end"]),
        ("expires:<7d", &["whole", "no-birth", "no-name"], &["no-end", "no-state"]),
        ("created:>100d", &[], &["no-birth"]),
        ("is:ended", &[], &["no-end", "no-state"]),
        ("name:pay", &["whole", "no-end", "no-state", "no-birth"], &["no-name"]),
        ("name:pa", &["whole", "no-end", "no-state", "no-birth", "no-name"], &[]),
        ("-pay", &[], &["no-name"]),
        ("pay or other", &["whole", "no-end", "no-state", "no-birth"], &["no-name"]),
        ("id:no-name", &["no-name"], &[]),
    ] {
        let expr = crate::model::filter::parse(query, NOW, &jiff::tz::TimeZone::UTC).unwrap().expr;
        let found = inventory.search(&expr, NOW, Asker::default());
        assert_eq!(row_ids(&found.matching), surely, "{query}: surely");
        assert_eq!(row_ids(&found.not_known()), perhaps, "{query}: perhaps");
    }
    // They are in no group and under no bar of the timeline, and are counted all the same.
    let all = Bitmap::all(inventory.len());
    let counts = inventory.count(&all, NOW);
    assert_eq!((counts.total(), counts.not_known(), counts.usable(), counts.of(Status::Never)), (5, 2, 3, 0));
    let valid = inventory.of_group(StatusGroup::Valid, NOW);
    assert_eq!(row_ids(&valid), ["whole", "no-birth", "no-name"]);
    let bars = |moment| inventory.histogram(&all, moment, &[Timestamp::MIN, NOW + 2 * TimeDelta::DAY], NOW)[0];
    assert_eq!((bars(Moment::Created).total(), bars(Moment::Expires).total()), (4, 4));
    assert_eq!(bars(Moment::Expires).not_known(), 1, "no-state");
}

#[test]
fn each_column_is_counted_in_the_memory() {
    const COUNT: usize = 10_000;
    let mut inventory = Inventory::default();
    for text in (0..COUNT).map(|number| format!("{number:020}")) {
        inventory.put(&RawKey { id: &text, name: &text, ..RawKey::default() });
    }
    inventory.finish();
    // Two texts with their ends, flags and type, numbers, two orders, three moments, letters; and the table of ids.
    let columns = 2 * (20 + 4) + 2 + 7 * 4 + 2 * 4 + 3 * 8 + 8;
    let each = inventory.bytes() / COUNT;
    assert!((columns..columns + 20).contains(&each), "{each} bytes, {columns} of columns");
}
