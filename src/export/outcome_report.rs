//! Outcomes of an operation on many keys as a file: a row or an object for each key, with the reason where there is
//! one.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::{Serialize, Serializer, ser::SerializeSeq};

use super::{
    csv::{id_cell, no_formula, write_error},
    escape::Escaping,
};

/// Names of the columns.
const HEAD: [&str; 6] = ["result", "id", "name", "username", "realm", "reason"];

/// Outcome of one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutcomeRow<'a> {
    /// Result: `invalidated`, `updated`, `rotated`, `unchanged`, `failed`, `not known` or `untouched`.
    pub result: &'a str,
    /// Id of the key, assigned by the cluster.
    pub id: &'a str,
    /// Name of the key: free text.
    pub name: Cow<'a, str>,
    /// User name of the owner.
    pub username: Cow<'a, str>,
    /// Realm of the owner.
    pub realm: Cow<'a, str>,
    /// Reason for the result; empty where it is obvious.
    pub reason: Cow<'a, str>,
}

/// Writes comma-separated values (RFC 4180), which no spreadsheet takes for formulas. Returns the number of rows.
///
/// # Errors
/// Returns the errors of `out`.
pub fn write_csv<'a>(out: impl Write, outcomes: impl Iterator<Item = OutcomeRow<'a>>) -> io::Result<u64> {
    let mut csv = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(out);
    csv.write_record(HEAD).map_err(write_error)?;
    let mut count = 0;
    for outcome in outcomes {
        let [name, username, realm, reason] =
            [&outcome.name, &outcome.username, &outcome.realm, &outcome.reason].map(|cell| no_formula(cell));
        csv.write_record([outcome.result, &id_cell(outcome.id), &name, &username, &realm, &reason])
            .map_err(write_error)?;
        count += 1;
    }
    csv.flush()?;
    Ok(count)
}

/// Writes one JSON array. Returns the number of its objects.
///
/// # Errors
/// Returns the errors of `out`.
pub fn write_json<'a>(out: impl Write, outcomes: impl Iterator<Item = OutcomeRow<'a>>) -> io::Result<u64> {
    let mut count = 0;
    let mut out = Escaping::json(out);
    let mut json = serde_json::Serializer::pretty(&mut out);
    let mut list = json.serialize_seq(None)?;
    for outcome in outcomes {
        list.serialize_element(&outcome)?;
        count += 1;
    }
    SerializeSeq::end(list)?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes() -> [OutcomeRow<'static>; 2] {
        let outcome = OutcomeRow {
            result: "failed",
            id: "-a",
            name: "=1+1".into(),
            username: "ana".into(),
            realm: "native".into(),
            reason: "it said \"no\"".into(),
        };
        [outcome.clone(), OutcomeRow { result: "untouched", id: "b", reason: "".into(), ..outcome }]
    }

    #[test]
    fn a_row_says_what_became_of_a_key_and_is_no_formula() {
        let mut out = Vec::new();
        assert_eq!(write_csv(&mut out, outcomes().into_iter()).unwrap(), 2);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "result,id,name,username,realm,reason\r\nfailed,-a,'=1+1,ana,native,\"it said \"\"no\"\"\"\r\n\
             untouched,b,'=1+1,ana,native,\r\n"
        );
    }

    #[test]
    fn json_holds_no_escape_sequence_of_a_name() {
        let odd = OutcomeRow { name: "a\u{9b}31m\u{202e}".into(), ..outcomes()[0].clone() };
        let mut out = Vec::new();
        write_json(&mut out, std::iter::once(odd)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains(r#""name": "a\u009b31m\u202e""#), "{text}");
    }

    #[test]
    fn json_is_an_array_also_of_none() {
        let mut out = Vec::new();
        assert_eq!(write_json(&mut out, outcomes().into_iter()).unwrap(), 2);
        let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&json[0]["name"], &json[1]["result"]), (&"=1+1".into(), &"untouched".into()));
        let mut out = Vec::new();
        write_json(&mut out, std::iter::empty()).unwrap();
        assert_eq!(out, b"[]\n");
    }
}
