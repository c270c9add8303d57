//! What may differ between two servers: ids, secrets, times within half a minute, names of nodes, and orders that nobody
//! promises. Places in the text of a request (line and column) are leveled out too: the words beside them say enough.

use serde_json::{Map, Value};

/// Times that are so far apart, in milliseconds, count as the same.
/// One server may be slow, and lifetimes differ by hours.
const SAME_TIME: i64 = 30_000;

/// Characters that are told of a value that differs.
const LONGEST_TOLD: usize = 400;

/// What one server named the keys that were made.
#[derive(Default)]
pub struct Names(Vec<[String; 3]>);

impl Names {
    /// Adds the next key.
    pub fn add(&mut self, id: String, secret: String, encoded: String) {
        self.0.push([id, secret, encoded]);
    }

    /// Id and secret of a key.
    pub fn key(&self, number: usize) -> (&str, &str) {
        let [id, secret, _] = &self.0[number];
        (id, secret)
    }

    /// All ids.
    pub fn ids(&self) -> Vec<&str> {
        self.0.iter().map(|[id, ..]| id.as_str()).collect()
    }

    /// Puts this server's ids, secrets and whole keys where a request says `⟦id 3⟧`, `⟦secret 3⟧` or `⟦key 3⟧`.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('⟦') {
            filled.push_str(before);
            let Some((inside, behind)) = after.split_once('⟧') else { break };
            let (what, number) = inside.split_once(' ').unwrap();
            let entry = &self.0[number.parse::<usize>().unwrap()];
            filled.push_str(&entry[["id", "secret", "key"].iter().position(|name| *name == what).unwrap()]);
            rest = behind;
        }
        filled.push_str(rest);
        filled
    }

    /// A body with what may differ put away.
    pub fn level(&self, body: &Value) -> Value {
        self.value(body, "")
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (number, [id, secret, encoded]) in self.0.iter().enumerate() {
            if !id.is_empty() && text.contains(id.as_str()) {
                text = text.replace(id.as_str(), &format!("⟦id {number}⟧"));
            }
            for long in [encoded, secret] {
                if !long.is_empty() && text.contains(long.as_str()) {
                    text = text.replace(long.as_str(), &format!("⟦secret {number}⟧"));
                }
            }
        }
        places(&text)
    }

    fn value(&self, value: &Value, name: &str) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(elements) => {
                let mut elements: Vec<Value> = elements.iter().map(|element| self.value(element, name)).collect();
                if matches!(
                    name,
                    "invalidated_api_keys"
                        | "previously_invalidated_api_keys"
                        | "updated"
                        | "noops"
                        | "error_details"
                        | "roles"
                        | "indices"
                        | "deleted"
                        | "not_found"
                        | "created"
                        | "noop"
                        | "aliases"
                        | "privileges"
                ) {
                    elements.sort_by_key(Value::to_string);
                }
                if name == "hits" || elements.iter().all(|row| row["_sort"].is_null()) && name == "api_keys" {
                    // Rows that are alike in what they are sorted by come in any order.
                    elements.sort_by_key(|row| format!("{}{}{}{}", row["id"], row["_index"], row["_id"], row["name"]));
                }
                Value::Array(elements)
            }
            Value::Object(map) => {
                let mut leveled = Map::new();
                for (name, value) in map {
                    let shown = match name.as_str() {
                        // Of nodes and builds only that there are some.
                        "nodes" => Value::from(value.as_object().map_or(0, Map::len)),
                        "index_uuid"
                        | "uuid"
                        | "cluster_uuid"
                        | "uid"
                        | "issued_to"
                        | "build_hash"
                        | "build_type"
                        | "took"
                        | "node"
                        | "node_id"
                        | "creation_date"
                        | "cluster_name"
                        | "line"
                        | "col"
                        | "api_key"
                        | "encoded"
                        | "phase"
                        | "issue_date"
                        | "issue_date_in_millis"
                        | "expiry_date"
                        | "expiry_date_in_millis" => Value::Null,
                        "name" if map.contains_key("tagline") => Value::Null,
                        _ => self.value(value, name),
                    };
                    leveled.insert(self.text(name), shown);
                }
                Value::Object(leveled)
            }
            other => other.clone(),
        }
    }
}

/// A body without all members of a name.
pub fn without(body: &Value, left_out: &str) -> Value {
    match body {
        Value::Object(map) => map
            .iter()
            .filter(|(name, _)| *name != left_out)
            .map(|(name, value)| (name.clone(), without(value, left_out)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements.iter().map(|element| without(element, left_out)).collect(),
        other => other.clone(),
    }
}

/// JSON text whose halves of surrogate pairs are told in another way.
pub fn without_halves(text: &str) -> String {
    let mut parts = text.split("\\u");
    let mut readable = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let half = part.starts_with(['D', 'd']) && part.as_bytes().get(1).is_some_and(|digit| *digit >= b'8');
        readable.push_str(if half { "⟨half⟩" } else { "\\u" });
        let (digits, rest) = part.split_at_checked(4.min(part.len())).unwrap_or((part, ""));
        readable.push_str(&if half { digits.to_uppercase() } else { digits.to_owned() });
        readable.push_str(rest);
    }
    readable
}

/// The text with `[1:23]`, `line: 1, column: 23` and the source that was quoted put away.
fn places(text: &str) -> String {
    if text.starts_with("Failed node [") {
        return "Failed node".to_owned();
    }
    // The unique id of an index, where a refusal names it so.
    if let Some((before, after)) = text.split_once('/').filter(|_| text.ends_with("] already exists"))
        && let Some((_, after)) = after.split_once(']')
    {
        return format!("{before}]{after}");
    }
    let text = match text.split_once("\n at [Source:") {
        Some((before, _)) => before.to_owned(),
        None => names_in_order(text),
    };
    let mut leveled = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        leveled.push(character);
        if character.is_ascii_digit() {
            let mut number = String::from(character);
            while let Some(digit) = characters.next_if(char::is_ascii_digit) {
                number.push(digit);
            }
            leveled.pop();
            let at = characters.peek() == Some(&':') && leveled.ends_with(['[', ' ']);
            let behind = leveled.ends_with("⟨place⟩:");
            if at {
                leveled.push_str("⟨place⟩");
            } else if behind {
                leveled.truncate(leveled.len() - 1);
            } else {
                leveled.push_str(&number);
            }
        }
    }
    leveled
}

/// Indices that a refusal names come in any order.
fn names_in_order(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" on indices [") else { return text.to_owned() };
    let Some((names, after)) = rest.split_once(']') else { return text.to_owned() };
    let mut names: Vec<&str> = names.split(',').collect();
    names.sort_unstable();
    format!("{before} on indices [{}]{after}", names.join(","))
}

fn is_time(number: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "times are whole and far below the limit")]
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    let number =
        number.as_i64().or_else(|| number.as_f64().and_then(whole)).or_else(|| number.as_str()?.parse().ok())?;
    (number > 1_500_000_000_000).then_some(number)
}

/// Whether two leveled bodies say the same.
pub fn alike(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, value)| right.get(name).is_some_and(|other| alike(value, other)))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| alike(left, right))
        }
        (Value::Number(a), Value::Number(b)) => {
            let near = is_time(left).zip(is_time(right)).is_some_and(|(a, b)| {
                // Of nanoseconds a million times as many.
                let allowed = if a > 1_500_000_000_000_000_000 { SAME_TIME * 1_000_000 } else { SAME_TIME };
                a.abs_diff(b) <= allowed.unsigned_abs()
            });
            near || a == b || a.as_f64() == b.as_f64()
        }
        (Value::String(a), Value::String(b)) => {
            a == b
                || is_time(left).zip(is_time(right)).is_some_and(|(a, b)| (a - b).abs() <= SAME_TIME)
                || same_date(a, b)
                || same_second(a, b)
        }
        _ => left == right,
    }
}

/// Where two leveled bodies differ: a path for people, and what stands there.
pub fn differences(left: &Value, right: &Value, path: &str, found: &mut Vec<String>) {
    let nothing = Value::String("⟨nothing⟩".to_owned());
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let side = |map: &Map<String, Value>| map.get(name).unwrap_or(&nothing).clone();
                differences(&side(a), &side(b), &format!("{path}/{name}"), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{path}/{at}"), found);
            }
        }
        _ if alike(left, right) => {}
        _ => {
            let short = |value: &Value| value.to_string().chars().take(LONGEST_TOLD).collect::<String>();
            found.push(format!("{path}: {} and {}", short(left), short(right)));
        }
    }
}

/// Whether both are seconds since 1970, as `_sort` shows them when asked for that format, of the same moment.
fn same_second(a: &str, b: &str) -> bool {
    let seconds = |text: &str| {
        let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        text.parse::<f64>().ok().filter(|seconds| plain && (1.5e9..1.5e10).contains(seconds))
    };
    seconds(a).zip(seconds(b)).is_some_and(|(a, b)| (a - b).abs() <= 30.0)
}

/// Whether both are dates of the same moment, as `_sort` shows them when asked for a format.
fn same_date(a: &str, b: &str) -> bool {
    let date = |text: &str| text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    date(a).zip(date(b)).is_some_and(|(a, b)| (a - b).abs() <= SAME_TIME)
}

#[test]
fn what_may_differ_is_put_away_and_nothing_else() {
    use serde_json::json;
    let mut names = Names::default();
    names.add("ABC".into(), "S3cret".into(), "enc".into());
    assert_eq!(names.fill("/x/⟦id 0⟧?a"), "/x/ABC?a");
    let leveled = names.level(&json!({ "error": { "reason": "[1:23] key [ABC] at 5:67 x" }, "took": 5 }));
    assert_eq!(leveled["error"]["reason"], "[⟨place⟩] key [⟦id 0⟧] at ⟨place⟩ x");
    assert!(leveled["took"].is_null());
    assert!(alike(&json!({ "creation": 1_795_000_000_000_i64 }), &json!({ "creation": 1_795_000_002_000_i64 })));
    assert!(!alike(&json!({ "creation": 1_795_000_000_000_i64 }), &json!({ "creation": 1_795_000_040_000_i64 })));
    assert!(alike(&json!(1_795_000_000_000.0), &json!(1_795_000_002_000_i64)));
    assert!(alike(&json!("1795992173.59"), &json!("1795992173.604")));
    assert!(!alike(&json!("1795992173.59"), &json!("1795992277")));
    assert!(!alike(&json!(1), &json!("1")));
    let mut found = Vec::new();
    differences(&json!({ "a": [1, { "b": 2 }], "c": 1 }), &json!({ "a": [1, { "b": 3 }] }), "", &mut found);
    assert_eq!(found, ["/a/1/b: 2 and 3", "/c: 1 and \"⟨nothing⟩\""]);
    assert_eq!(places("index [a/2-u98sHbAAO3nR_NheVLIg] already exists"), "index [a] already exists");
}
