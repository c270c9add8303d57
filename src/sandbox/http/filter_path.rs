//! Parameter `filter_path`: reduces an answer to the requested fields. Pure; `*` matches one level, `**` any number of
//! levels, and a leading `-` excludes.

use crate::sandbox::pattern::glob;
use serde_json::{Map, Value};

/// Reduces the answer to the fields that match the comma-separated patterns; without patterns, returns it unchanged.
pub fn apply(value: Value, filter: &str) -> Value {
    let (wanted, unwanted) = read(filter);
    let mut value = value;
    if !wanted.is_empty() {
        let paths: Vec<&[String]> = wanted.iter().map(Vec::as_slice).collect();
        value = keep(value, &paths).unwrap_or_else(|| Value::Object(Map::new()));
    }
    if !unwanted.is_empty() {
        let paths: Vec<&[String]> = unwanted.iter().map(Vec::as_slice).collect();
        value = leave_out(value, &paths).unwrap_or_else(|| Value::Object(Map::new()));
    }
    value
}

/// Returns `true` if the filter can keep any part of this field; if not, the field need not be computed.
pub fn wants(filter: &str, path: &[&str]) -> bool {
    let (wanted, unwanted) = read(filter);
    let reached = |paths: &[Vec<String>]| {
        let mut rest: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        for field in path {
            rest = below(&rest, field);
            if rest.iter().any(|path| path.is_empty()) {
                return (true, true);
            }
        }
        (!rest.is_empty(), false)
    };
    (wanted.is_empty() || reached(&wanted).0) && !reached(&unwanted).1
}

/// Returns the included and the excluded paths.
fn read(filter: &str) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    for path in filter.split(',').map(str::trim).filter(|path| !path.is_empty()) {
        match path.strip_prefix('-') {
            Some(path) => unwanted.push(segments(path)),
            None => wanted.push(segments(path)),
        }
    }
    (wanted, unwanted)
}

/// Splits a path into its segments; a dot after a backslash belongs to the name.
fn segments(path: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in path.chars() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '.' if !escaped => parts.push(String::new()),
            c => {
                if let Some(last) = parts.last_mut() {
                    last.push(c);
                }
            }
        }
        escaped = false;
    }
    parts
}

/// Returns the remainders of the paths below a field; an empty remainder means the field itself.
fn below<'a>(paths: &[&'a [String]], field: &str) -> Vec<&'a [String]> {
    let mut rest = Vec::new();
    for path in paths {
        let mut path: &[String] = path;
        while let Some((first, tail)) = path.split_first() {
            if first == "**" {
                rest.push(path);
                path = tail;
                continue;
            }
            // Most names have no star, and are compared for every row.
            let plain = !first.contains(['*', '?']);
            if plain && first == field || !plain && glob(first, field) {
                rest.push(tail);
            }
            break;
        }
    }
    rest
}

fn keep(value: Value, paths: &[&[String]]) -> Option<Value> {
    match value {
        Value::Object(map) => {
            let mut kept = Map::new();
            for (name, value) in map {
                let rest = below(paths, &name);
                if rest.iter().any(|path| path.is_empty()) {
                    kept.insert(name, value);
                } else if !rest.is_empty()
                    && let Some(value) = keep(value, &rest)
                {
                    kept.insert(name, value);
                }
            }
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(elements) => {
            let kept: Vec<Value> = elements.into_iter().filter_map(|element| keep(element, paths)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        _ => None,
    }
}

/// Removes the excluded paths; returns `None` for objects and arrays that become empty by it.
fn leave_out(value: Value, paths: &[&[String]]) -> Option<Value> {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let mut kept = Map::new();
            for (name, value) in map {
                let rest = below(paths, &name);
                if rest.is_empty() {
                    kept.insert(name, value);
                } else if !rest.iter().any(|path| path.is_empty())
                    && let Some(value) = leave_out(value, &rest)
                {
                    kept.insert(name, value);
                }
            }
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(elements) if !elements.is_empty() => {
            let kept: Vec<Value> = elements.into_iter().filter_map(|element| leave_out(element, paths)).collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sample() -> Value {
        json!({"total": 2, "keys": [{"id": "a", "m": {"x": 1}}, {"id": "b", "m": {}}], "realm": {"name": "r", "type": "t"}})
    }

    #[test]
    fn named_fields_stay_and_the_rest_goes() {
        assert_eq!(apply(sample(), "total"), json!({"total": 2}));
        assert_eq!(apply(sample(), "keys.id"), json!({"keys": [{"id": "a"}, {"id": "b"}]}));
        assert_eq!(apply(sample(), "keys.m.x"), json!({"keys": [{"m": {"x": 1}}]}));
        assert_eq!(apply(sample(), "nope"), json!({}));
    }

    #[test]
    fn stars_stand_for_one_level_and_two_for_any() {
        assert_eq!(apply(sample(), "*.name"), json!({"realm": {"name": "r"}}));
        assert_eq!(apply(sample(), "**.x"), json!({"keys": [{"m": {"x": 1}}]}));
        assert_eq!(apply(sample(), "tot*,**.type"), json!({"total": 2, "realm": {"type": "t"}}));
    }

    #[test]
    fn what_is_not_wanted_is_known_beforehand() {
        let path = ["keys", "m"];
        for filter in ["", "keys", "keys.m", "keys.m.x", "*.m", "**.x", "k*,-keys.id", "-keys.m.x"] {
            assert!(wants(filter, &path), "{filter}");
        }
        for filter in ["total", "keys.id", "-keys", "-keys.m", "-*.m", "-**.m", "keys,-keys.m"] {
            assert!(!wants(filter, &path), "{filter}");
        }
    }

    #[test]
    fn a_minus_leaves_out() {
        assert_eq!(apply(sample(), "-keys,-realm.type"), json!({"total": 2, "realm": {"name": "r"}}));
        assert_eq!(apply(sample(), "realm,-*.type"), json!({"realm": {"name": "r"}}));
        assert_eq!(apply(sample(), ""), sample());
        assert_eq!(apply(sample(), "-keys.*,-realm"), json!({"total": 2}));
        assert_eq!(apply(sample(), "-keys.id,-realm"), json!({"total": 2, "keys": [{"m": {"x": 1}}, {"m": {}}]}));
        assert_eq!(apply(json!({"keys": []}), "-keys.id"), json!({"keys": []}));
    }
}
