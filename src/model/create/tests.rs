//! Tests for drafts: the request that a draft becomes, the sentence shown for it, and what is refused.

use crate::model::{Timestamp, create::*, form_error::FormError, version::Version};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);
static ZONE: TimeZone = TimeZone::UTC;

fn roles() -> Vec<Role> {
    let role = |name: &str, text: &str| Role {
        name: name.into(),
        descriptor: RawValue::from_string(text.into()).unwrap(),
        reserved: false,
    };
    vec![
        role(
            "reader",
            r#"{"cluster":["monitor"],"indices":[{"names":["my_index"],"privileges":["read"]}],"description":"x","odd":1}"#,
        ),
        role("writer", r#"{"indices":[{"names":["logs-*"],"privileges":["create_doc"]}]}"#),
    ]
}

fn around(roles: &[Role]) -> Surroundings<'_> {
    Surroundings {
        now: NOW,
        zone: &ZONE,
        roles: Some(roles),
        edition: Edition::Version(Version::new(9, 5, 3)),
        by_api_key: false,
    }
}

fn draft() -> Draft {
    Draft {
        name: "my_app_key".into(),
        application_id: "my_app_id".into(),
        roles: vec!["reader".into()],
        expiration: "1d".into(),
        ..Draft::default()
    }
}

fn errors(draft: &Draft) -> Vec<FormError<Field>> {
    draft.check(around(&roles()), "r1").unwrap_err()
}

#[test]
fn the_article_s_command_makes_its_request() {
    let key = draft().check(around(&roles()), "r1").unwrap();
    assert_eq!(key.application_id(), Some("my_app_id"));
    assert_eq!(
        key.body(NOW),
        r#"{"name":"my_app_key","expiration":"1d","role_descriptors":{"reader":{"cluster":["monitor"],"indices":[{"names":["my_index"],"privileges":["read"]}],"odd":1}},"metadata":{"application_id":"my_app_id","roles":["reader"],"request_id":"r1"}}"#
    );
}

#[test]
fn every_slip_is_told_beside_its_field_and_all_at_once() {
    let draft = Draft {
        name: " _x".into(),
        roles: vec!["raeder".into()],
        expiration: "soon".into(),
        metadata: "{\"a\": 1,\n \"_b\": 2}".into(),
        application_id: "a\nb".into(),
        ..Draft::default()
    };
    let errors = errors(&draft);
    let fields: Vec<Field> = errors.iter().map(|error| error.field).collect();
    assert_eq!(fields, [Field::Name, Field::ApplicationId, Field::Expiration, Field::Rights, Field::Metadata]);
    assert!(errors[3].message.contains("did you mean reader?"), "{}", errors[3].message);
    assert!(errors[4].message.contains("line 2, column 2"), "{}", errors[4].message);
}

#[test]
fn names_follow_the_server_s_rules() {
    for wrong in ["", "   ", " a", "a ", "\u{1b}a", "a\u{1}", "_a", &"x".repeat(257), &"🔑".repeat(129)] {
        assert!(check_name(wrong).is_err(), "{wrong}");
    }
    for right in ["a", "a b", "🔑", &"x".repeat(256), &"🔑".repeat(128), "a\u{202e}b"] {
        assert!(check_name(right).is_ok(), "{right}");
    }
}

/// A year is usual for a service; for a key that lives longer the reason must be recorded, since nobody may remember
/// it.
#[test]
fn more_than_a_year_needs_a_word_of_reason() {
    let around = around(&[]);
    let zone = TimeZone::UTC;
    for (expiration, needs) in
        [("1y", false), ("366d", false), ("367d", true), ("999999d", true), ("never", true), ("90d", false)]
    {
        let draft = Draft { expiration: expiration.into(), rights: RightsChoice::Nothing, ..draft() };
        assert_eq!(draft.needs_reason(around.now, &zone), needs, "{expiration}");
        let errors = draft.check(around, "r").err().unwrap_or_default();
        assert_eq!(errors.iter().any(|error| error.field == Field::Reason), needs, "{expiration} {errors:?}");
        let said = Draft { reason: "appliance".into(), ..draft };
        let body = said.check(around, "r").unwrap().body(around.now);
        assert_eq!(body.contains(r#""reason":"appliance""#), needs, "{expiration}");
    }
}

#[test]
fn never_and_everything_need_a_word_of_reason() {
    let mut draft = Draft { expiration: "never".into(), ..draft() };
    assert_eq!(errors(&draft)[0].field, Field::Reason);
    draft.reason = "hardware token".into();
    let body = draft.check(around(&roles()), "r1").unwrap().body(NOW);
    assert!(!body.contains("expiration") && body.contains(r#""reason":"hardware token""#));

    let all = Draft { rights: RightsChoice::AllMine, reason: "break glass".into(), ..super::tests::draft() };
    let body = all.check(around(&roles()), "r1").unwrap().body(NOW);
    assert!(body.contains(r#""role_descriptors":{}"#) && !body.contains(r#""roles""#));
}

#[test]
fn signed_in_by_a_key_only_an_empty_key_is_offered() {
    let known = roles();
    let by_key = Surroundings { by_api_key: true, ..around(&known) };
    assert_eq!(draft().check(by_key, "r").unwrap_err()[0].field, Field::Rights);
    let nothing = Draft { rights: RightsChoice::Nothing, ..draft() };
    assert!(nothing.check(by_key, "r").unwrap().body(NOW).contains(r#""role_descriptors":{"none":{}}"#));
}

#[test]
fn a_preset_needs_no_roles_and_travels_as_a_descriptor() {
    let preset = RightsChoice::Preset(Preset::GrafanaReader);
    let draft = Draft { rights: preset, roles: Vec::new(), patterns: vec!["app-*".into()], ..draft() };
    let unknown = Surroundings { roles: None, ..around(&[]) };
    let body = draft.check(unknown, "r").unwrap().body(NOW);
    let expected = r#""role_descriptors":{"grafana-reader":{"cluster":["monitor"],"indices":[{"names":["app-*"],"privileges":["view_index_metadata","read"]}]}}"#;
    assert!(body.contains(expected) && !body.contains(r#""roles""#), "{body}");
    let words = descriptor::plain(&draft.sentence(unknown));
    assert!(words.contains("app-*") && words.contains("monitors the cluster"), "{words}");
    let empty = Draft { patterns: Vec::new(), ..draft };
    assert_eq!(empty.check(unknown, "r").unwrap_err()[0].field, Field::Rights);
    assert!(descriptor::plain(&empty.sentence(unknown)).contains("no index pattern yet"));
}

#[test]
fn metadata_travels_as_it_was_typed() {
    let typed = Draft { metadata: r#"{ "n": 1.0e+2, "deep": {"x": [ ]} }"#.into(), ..draft() };
    let body = typed.check(around(&roles()), "r").unwrap().body(NOW);
    assert!(body.contains(r#""metadata":{"n":1.0e+2,"deep":{"x": [ ]},"application_id""#), "{body}");
    let taken = Draft { metadata: r#"{"roles": []}"#.into(), ..draft() };
    assert!(errors(&taken)[0].message.contains("roles"));
}

#[test]
fn an_old_cluster_gets_no_metadata() {
    let known = roles();
    let old = Surroundings { edition: Edition::Version(Version::new(7, 10, 2)), ..around(&known) };
    assert!(draft().check(old, "r").unwrap_err()[0].message.contains("7.13"));
    let plain = Draft { application_id: String::new(), ..draft() };
    let key = plain.check(old, "r").unwrap();
    assert!(!key.body(NOW).contains("metadata"));
    assert_eq!(key.request_id(), None);
}

#[test]
fn the_sentence_says_what_and_until_when() {
    let known = roles();
    let words = |draft: &Draft| descriptor::plain(&draft.sentence(around(&known)));
    let writer = Draft { roles: vec!["writer".into()], ..draft() };
    assert_eq!(words(&writer), "A key that adds documents in logs-*. It expires in 1 day.");
    assert_eq!(words(&Draft::default()), "A key that has no role yet. Its expiration is not set yet.");
}

#[test]
fn descriptors_of_one_s_own_travel_as_they_were_typed() {
    let own = |text: &str| Draft { rights: RightsChoice::Own, descriptors: text.into(), ..draft() };
    let text = r#"{ "a": {"indices": [{"names": "x", "privileges": ["read"], "odd": 1.0}], "n": 1.0e+2} }"#;
    let key = own(text).check(around(&roles()), "r").unwrap();
    assert!(key.body(NOW).contains(text), "{}", key.body(NOW));
    let error = |text: &str| own(text).check(around(&roles()), "r").unwrap_err()[0].message.clone();
    assert!(error(" {} ").contains("all your rights") && error("").contains("all your rights"));
    assert!(error(r#"{"a": 1}"#).contains("“a” must be"));
    assert!(error(r#"{"a": {"indices": [{"names": [], "privileges": ["read"]}]}}"#).contains("no names"));
    assert!(error("{").contains("line 1"));
    let words = descriptor::plain(&own(text).sentence(around(&roles())));
    assert!(words.starts_with("A key that reads x"), "{words}");
}

#[test]
fn a_preset_is_refused_where_the_cluster_does_not_know_its_privileges() {
    let known = roles();
    let old = Surroundings { edition: Edition::Version(Version::new(7, 10, 2)), ..around(&known) };
    let of = |preset: Preset| Draft {
        rights: RightsChoice::Preset(preset),
        patterns: preset.patterns().iter().map(|text| (*text).to_owned()).collect(),
        application_id: String::new(),
        ..draft()
    };
    let message = of(Preset::BeatsWriter).check(old, "r").unwrap_err()[0].message.clone();
    assert!(message.contains("7.11") && message.contains("Beats writer"), "{message}");
    assert!(of(Preset::LogstashWriter).check(old, "r").is_ok());
    assert!(of(Preset::BeatsWriter).check(around(&known), "r").is_ok());
}

#[test]
fn a_place_is_counted_by_lines_and_columns_from_one() {
    assert_eq!(place("ab", 0), " at line 1, column 1");
    assert_eq!(place("ab", 2), " at line 1, column 3");
    assert_eq!(place("abc\nde\nfgh", 9), " at line 3, column 3");
}
