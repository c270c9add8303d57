//! The JSON of commands is as `docs/json` says: each member that is there is described, with its type.

use std::{fs, path::Path};

use serde_json::{Map, Value};

use crate::cli_practice::{Practice, folder, keybearer, run, text};

/// The keywords that the reader below knows, beside those that only describe.
const KNOWN: [&str; 11] = [
    "$schema",
    "$ref",
    "title",
    "description",
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "additionalProperties",
    "$comment",
];

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json").join(name);
    serde_json::from_str(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))).unwrap()
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    }
}

/// Compares a value with its schema. Stricter than JSON Schema: a member that is not described is a fault.
fn compare(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let rules = schema.as_object().unwrap();
    if let Some(unknown) = rules.keys().find(|word| !KNOWN.contains(&word.as_str())) {
        panic!("{at}: the reader does not know {unknown}");
    }
    if let Some(other) = rules.get("$ref") {
        return compare(&self::schema(other.as_str().unwrap()), value, at, faults);
    }
    let kinds: Vec<&str> = match rules.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        _ => vec![],
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of(kind, value)) {
        faults.push(format!("{at}: {value} is none of {kinds:?}"));
    }
    if rules.get("enum").is_some_and(|all| !all.as_array().unwrap().contains(value)) {
        faults.push(format!("{at}: {value} is not possible"));
    }
    if let (Some(items), Value::Array(values)) = (rules.get("items"), value) {
        values.iter().enumerate().for_each(|(number, value)| compare(items, value, &format!("{at}[{number}]"), faults));
    }
    if let Value::Object(members) = value {
        compare_members(rules, members, at, faults);
    }
}

fn compare_members(rules: &Map<String, Value>, members: &Map<String, Value>, at: &str, faults: &mut Vec<String>) {
    let none = Map::new();
    let described = rules.get("properties").map_or(&none, |all| all.as_object().unwrap());
    for name in rules.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            faults.push(format!("{at}: there is no {name}"));
        }
    }
    for (name, value) in members {
        let at = format!("{at}.{name}");
        match (described.get(name), rules.get("additionalProperties")) {
            (Some(schema), _) => compare(schema, value, &at, faults),
            (None, Some(Value::Bool(true))) => {}
            (None, Some(schema @ Value::Object(_))) => compare(schema, value, &at, faults),
            // Anything at all, which `{}` describes.
            (None, _) if rules.is_empty() => {}
            (None, _) => faults.push(format!("{at} is not described")),
        }
    }
}

fn check(name: &str, value: &Value) {
    let mut faults = Vec::new();
    compare(&schema(&format!("{name}.schema.json")), value, name, &mut faults);
    assert!(faults.is_empty(), "{}\n{value:#}", faults.join("\n"));
}

#[test]
fn the_json_of_each_command_is_as_its_schema_says() {
    let (practice, folder) = (Practice::start(), folder());
    let officer = |args: &[&str]| {
        let rotations = folder.path().join("rotations");
        let mut command = practice.user(keybearer(), "officer");
        let ran = run(command.env("KEYBEARER_ROTATIONS", rotations).args(args).args(["-o", "json"]));
        assert!(matches!(ran.code, Some(0 | 4)), "{ran:?}");
        ran.json()
    };
    let create = ["create", "--role", "reader", "--expiration", "1d", "--name"];
    let made = officer(&[&create[..], &["one", "--id", "app-1"]].concat());
    check("create", &made);
    let file = folder.path().join("two.key");
    check("create", &officer(&[&create[..], &["two", "--secret-file", text(&file)]].concat()));
    let list = officer(&["list"]);
    assert!(list.as_array().unwrap().len() > 20);
    check("list", &list);
    check("expiring", &officer(&["expiring", "--within", "30d"]));
    let crossing = ["create", "--cross-cluster", "--search", "logs-*", "--name", "cross", "--expiration", "1d"];
    check("create", &officer(&crossing));
    for key in ["one", "cross"] {
        check("show", &officer(&["show", key]));
    }
    check("rotate", &officer(&["rotate", "one", "--grace", "0s", "--yes"]));
    check("invalidate", &officer(&["invalidate", "two", "--yes"]));
    check("check", &officer(&["check"]));
    check("whoami", &officer(&["whoami"]));
    let holder =
        run(practice.holder(keybearer(), &fs::read_to_string(folder.path().join("two.key")).unwrap()).arg("whoami"));
    assert_eq!(holder.code, Some(1), "its key is invalidated: {holder:?}");
}

#[test]
fn what_a_schema_does_not_describe_is_a_fault() {
    let faults = |change: &dyn Fn(&mut Map<String, Value>)| {
        let key = r#"{"id":"a","name":"b","application_id":null,"expiration":null,"api_key":"c","encoded":"d"}"#;
        let mut key: Map<String, Value> = serde_json::from_str(key).unwrap();
        change(&mut key);
        let mut faults = Vec::new();
        compare(&schema("create.schema.json"), &Value::Object(key), "create", &mut faults);
        faults.len()
    };
    assert_eq!(faults(&|_| ()), 0);
    assert_eq!(faults(&|key| _ = key.remove("id")), 1);
    assert_eq!(faults(&|key| _ = key.insert("odd".into(), Value::Null)), 1);
    assert_eq!(faults(&|key| _ = key.insert("expiration".into(), "soon".into())), 1);
}
