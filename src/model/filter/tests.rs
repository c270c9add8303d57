//! Meanings of searches, and the errors of those that can't be read.

use super::parse::{MAX_QUERY_BYTES, MAX_QUERY_DEPTH};
use crate::model::{
    TimeDelta, Timestamp,
    filter::*,
    text::glob::Mark,
    time::{calendar, status::StatusGroup},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z

fn read(text: &str) -> Expr {
    parse(text, NOW, &calendar::fixed_zone(1)).unwrap_or_else(|errors| panic!("{text}: {errors:?}")).expr
}

fn errors(text: &str) -> Vec<(&str, String)> {
    let errors = parse(text, NOW, &calendar::fixed_zone(1)).unwrap_err();
    errors.into_iter().map(|error| (&text[error.span.clone()], error.to_string())).collect()
}

fn has(text: &str) -> TextMatch {
    TextMatch::Contains(text.into())
}

fn is(text: &str) -> TextMatch {
    TextMatch::Equals(text.into())
}

fn glob(text: &str) -> TextMatch {
    TextMatch::Glob(Glob::new(text))
}

fn word(text: &str) -> Expr {
    Expr::Term(Term::Free(Free(has(text))))
}

fn field(field: TextField, wanted: &[TextMatch]) -> Expr {
    Expr::Term(Term::Field(field, wanted.to_vec()))
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

fn grant(can: &[&[&str]], on: &[&[&str]]) -> Expr {
    let privilege = |name: &&str| {
        let known = crate::model::privileges::known(name);
        Privilege { name: (*name).to_owned(), cluster: known.cluster, index: known.index }
    };
    let index = |name: &&str| OnIndex { name: (*name).to_owned(), all_of_it: false };
    Expr::Term(Term::Grant(Grant {
        can: can.iter().map(|names| names.iter().map(privilege).collect()).collect(),
        on: on.iter().map(|names| names.iter().map(index).collect()).collect(),
        not_known: false,
    }))
}

#[test]
fn nothing_means_all_keys() {
    for text in ["", "  \t", "\"", "\"\"", "*", "-\"", "**"] {
        assert_eq!(read(text), Expr::All, "{text}");
    }
    assert_eq!(read("a \"\" *"), word("a"));
    assert_eq!(read("a or \""), word("a"));
    assert_eq!(read("a or *"), Expr::All);
    assert_eq!(read("-*"), not(Expr::All));
}

#[test]
fn terms_are_and_and_or_binds_less() {
    let (a, b, c) = (word("a"), word("b"), word("c"));
    assert_eq!(read("A b"), Expr::And(vec![a.clone(), b.clone()]));
    assert_eq!(read("a b OR c"), Expr::Or(vec![Expr::And(vec![a.clone(), b.clone()]), c.clone()]));
    assert_eq!(read("a (b or c)"), Expr::And(vec![a.clone(), Expr::Or(vec![b.clone(), c.clone()])]));
    assert_eq!(read("a(b)c"), Expr::And(vec![a.clone(), b.clone(), c.clone()]));
    assert_eq!(read("a or b or c"), Expr::Or(vec![a, b, c]));
}

#[test]
fn a_minus_negates_a_term_or_a_group() {
    assert_eq!(read("a -b"), Expr::And(vec![word("a"), not(word("b"))]));
    assert_eq!(read("-(a or b)"), not(Expr::Or(vec![word("a"), word("b")])));
    assert_eq!(read("--a"), word("a"));
    assert_eq!(read("-or"), not(word("or")));
    assert_eq!(read("my-key"), word("my-key"));
    assert_eq!(read("\"-a\""), word("-a"));
}

/// Operators as in the query languages of Kibana and Lucene: users of those get no empty result for a word.
#[test]
fn and_or_and_not_are_signs_in_any_spelling() {
    for and in ["AND", "and", "And", "&&"] {
        assert_eq!(read(&format!("a {and} b")), read("a b"), "{and}");
        for or in ["OR", "or", "||"] {
            assert_eq!(read(&format!("a {and} b {or} c")), read("a b or c"), "{and} {or}");
        }
        for not in ["NOT", "not"] {
            assert_eq!(read(&format!("a {and} {not} b")), read("a -b"), "{and} {not}");
        }
    }

    assert_eq!(read("owner:ana AND can:read"), read("owner:ana can:read"));
    assert_eq!(read("a AND (b or c) AND d"), read("a (b or c) d"));
    assert_eq!(read("a AND b or c AND d"), read("a b or c d"));
    assert_eq!(read("NOT owner:ana"), read("-owner:ana"));
    assert_eq!(read("a AND NOT (b or c)"), read("a -(b or c)"));
    assert_eq!(read("NOT -a"), read("a"));
    assert_eq!(read("-AND"), not(word("and")));
    assert_eq!(read("a \"and\" \"&&\""), Expr::And(vec![word("a"), word("and"), word("&&")]));
    assert_eq!(read("android nothing a&&b"), Expr::And(vec![word("android"), word("nothing"), word("a&&b")]));
    assert_eq!(read("\"AND\" name:NOT"), Expr::And(vec![word("and"), field(TextField::Name, &[has("not")])]));
}

#[test]
fn a_sign_is_text_where_no_field_is_before_it() {
    for text in ["a=b", "=owner", "x<3"] {
        assert_eq!(read(text), word(text));
    }
    assert_eq!(read("\"owner=ana\""), word("owner=ana"));
}

#[test]
fn a_quote_that_is_not_closed_is_found_where_it_opens() {
    for (text, open) in [("\"a", "\"a"), ("x owner:\"ana b", "\"ana b"), ("(a or \"b)", "\"b)")] {
        assert_eq!(unclosed_quote(text).map(|error| &text[error.span]), Some(open), "{text}");
    }
    assert_eq!(unclosed_quote(r#"a "b" owner:"c\"d""#), None);
}

#[test]
fn a_quoted_text_keeps_its_blanks_and_signs() {
    assert_eq!(read(r#""My  (key)*""#), word("my  (key)*"));
    assert_eq!(read(r#""a\"b\\c\d""#), word(r#"a"b\c\d"#));
    assert_eq!(read(r#""or""#), word("or"));
    assert_eq!(read(r#"a"b c"d"#), word("ab cd"));
    assert_eq!(read(r#""http://x""#), word("http://x"));
    assert_eq!(read(r#"name:"my key""#), field(TextField::Name, &[has("my key")]));
    assert_eq!(read(r#"owner:"a,b",c"#), field(TextField::Owner, &[is("a,b"), is("c")]));
    assert_eq!(read(r#"a "b c"#), Expr::And(vec![word("a"), word("b c")]));
}

#[test]
fn a_free_word_with_wildcards_fits_anywhere() {
    assert_eq!(read("*Prod*"), word("prod"));
    assert_eq!(read("prod*"), word("prod"));
    assert_eq!(read("a*b"), Expr::Term(Term::Free(Free(glob("*a*b*")))));
    assert_eq!(read("a?b"), Expr::Term(Term::Free(Free(glob("*a?b*")))));
    assert_eq!(read("a,b"), word("a,b"));
}

#[test]
fn each_text_field_compares_in_its_way() {
    use TextField::*;
    assert_eq!(read("NAME:Back"), field(Name, &[has("back")]));
    assert_eq!(read("application_id:Bill"), field(App, &[has("bill")]));
    assert_eq!(read("id:aBc"), field(Id, &[is("aBc")]));
    assert_eq!(read("id:aBc*"), field(Id, &[glob("abc*")]));
    assert_eq!(read("owner:Ana,boris,"), field(Owner, &[is("ana"), is("boris")]));
    assert_eq!(read("realm:Native"), field(Realm, &[is("native")]));
    assert_eq!(read("role:Re*,x?"), field(Role, &[glob("re*"), glob("x?")]));
    assert_eq!(read("role:*ea*"), field(Role, &[has("ea")]));
    assert_eq!(read("name:prod-*"), field(Name, &[glob("prod-*")]));
    assert_eq!(
        read(r#"managed:"a*"*"#),
        field(Managed, &[TextMatch::Glob(Glob::of(&[Mark::Char('a'), Mark::Char('*'), Mark::Run]))])
    );
}

#[test]
fn none_is_a_missing_field_and_quoted_none_a_text() {
    use TextField::*;
    for (text, of) in [("app:none", App), ("role:None", Role), ("managed:none", Managed)] {
        assert_eq!(read(text), field(of, &[TextMatch::Missing]), "{text}");
    }
    assert_eq!(read("app:none,x"), field(App, &[TextMatch::Missing, has("x")]));
    assert_eq!(read("role:\"none\""), field(Role, &[is("none")]));
    assert_eq!(read("owner:none"), field(Owner, &[is("none")]));
}

#[test]
fn metadata_is_named_by_its_path() {
    let meta = |path: &[&str], wanted| {
        Expr::Term(Term::Meta(path.iter().map(|key| (*key).to_owned()).collect(), vec![wanted]))
    };
    assert_eq!(read("meta.labels.Team:Pay"), meta(&["labels", "Team"], is("pay")));
    assert_eq!(read("metadata.team:none"), meta(&["team"], TextMatch::Missing));
    assert_eq!(read("meta.team:*"), meta(&["team"], glob("*")));
    assert_eq!(read("meta.team:\"\""), meta(&["team"], is("")));
}

#[test]
fn types_statuses_and_facts_have_words() {
    let kind = |words: &[&str]| Expr::Term(Term::Kind(words.iter().map(|word| (*word).to_owned()).collect()));
    assert_eq!(read("type:REST,cross-cluster,\"Managed\""), kind(&["rest", "cross_cluster", "managed"]));
    assert_eq!(read("kind:cross_cluster"), kind(&["cross_cluster"]));
    let status = |groups: &[StatusGroup]| Expr::Term(Term::Status(groups.to_vec()));
    for group in StatusGroup::ALL {
        assert_eq!(read(&format!("status:{}", group.word())), status(&[group]));
    }
    // The words of earlier versions.
    let old = [StatusGroup::Valid, StatusGroup::Within7Days, StatusGroup::Within30Days, StatusGroup::Within30Days];
    assert_eq!(read("status:active,Expiring,soon,expiring_soon"), status(&old));
    for (word, group) in [("within-7d", old[1]), ("Within_30d", old[2]), ("later", StatusGroup::Later)] {
        assert_eq!(read(&format!("expires:{word}")), status(&[group]));
    }
    let is = |is| Expr::Term(Term::Is(is));
    assert_eq!(read("is:mine"), is(Trait::Mine));
    assert_eq!(read("is:cross_cluster,ended"), Expr::Or(vec![is(Trait::CrossCluster), is(Trait::Ended)]));
}

#[test]
fn times_are_resolved() {
    let within = |field, from, until| Expr::Term(Term::Time(field, TimeMatch::Within { from, until }));
    let soon =
        within(TimeField::Expires, NOW + TimeDelta::MILLISECOND, NOW + 30 * TimeDelta::DAY + TimeDelta::MILLISECOND);
    let gone = Expr::Term(Term::Status(vec![StatusGroup::Invalidated]));
    let alive = |expr| Expr::And(vec![expr, not(gone.clone())]);
    assert_eq!(read("expires:<30d"), alive(soon.clone()));
    let never = Expr::Term(Term::Time(TimeField::Expires, TimeMatch::Never));
    assert_eq!(read("expiration:<30d,never"), Expr::Or(vec![alive(soon.clone()), alive(never)]));
    assert_eq!(read("-expires:<30d"), not(alive(soon.clone())));
    // A search that says something about invalidated keys says it itself.
    assert_eq!(read("expires:<30d status:invalidated"), Expr::And(vec![soon.clone(), gone.clone()]));
    assert_eq!(read("expires:<30d or is:ended"), Expr::Or(vec![soon, Expr::Term(Term::Is(Trait::Ended))]));
    assert_eq!(read("invalidated:never"), Expr::Term(Term::Time(TimeField::Invalidated, TimeMatch::Never)));
    let minute = calendar::parse("2026-01-01 14:30", &calendar::fixed_zone(1)).unwrap();
    assert_eq!(read("created:<\"2026-01-01 14:30\""), within(TimeField::Created, Timestamp::MIN, minute));
    assert_eq!(read("created:2026-01-01T14:30"), within(TimeField::Created, minute, minute + TimeDelta::MINUTE));
}

#[test]
fn can_and_on_of_a_conjunction_are_the_same_grant() {
    assert_eq!(read("can:Write,delete"), grant(&[&["write", "delete"]], &[]));
    assert_eq!(
        read("can:read a on:logs-* can:write"),
        Expr::And(vec![grant(&[&["read"], &["write"]], &[&["logs-*"]]), word("a")])
    );
    assert_eq!(
        read("on:a -can:write or can:read"),
        Expr::Or(vec![
            Expr::And(vec![grant(&[], &[&["a"]]), not(grant(&[&["write"]], &[]))]),
            grant(&[&["read"]], &[])
        ])
    );
    assert_eq!(
        read("(can:read on:a) (can:write on:b) -(can:all on:c)"),
        Expr::And(vec![
            grant(&[&["read"]], &[&["a"]]),
            grant(&[&["write"]], &[&["b"]]),
            not(grant(&[&["all"]], &[&["c"]]))
        ])
    );
}

#[test]
fn a_privilege_is_asked_of_what_it_is_for() {
    let one = |text: &str| match read(text) {
        Expr::Term(Term::Grant(grant)) => grant,
        other => panic!("{text}: {other:?}"),
    };
    let asked = |text: &str| {
        let privilege = &one(text).can[0][0];
        (privilege.name.clone(), privilege.cluster, privilege.index)
    };
    assert_eq!(asked("can:manage_security"), ("manage_security".into(), true, false));
    assert_eq!(asked("can:write"), ("write".into(), false, true));
    assert_eq!(asked("can:MANAGE"), ("manage".into(), true, true));
    assert_eq!(asked("can:cluster:manage"), ("manage".into(), true, false));
    assert_eq!(asked("can:index:manage?"), ("manage".into(), false, true));
    assert_eq!(asked("can:cluster:monitor/main"), ("cluster:monitor/main".into(), true, false));
    assert_eq!(asked("can:indices:data/read/*"), ("indices:data/read/*".into(), false, true));
    assert!(one("can:write?,read? on:a").not_known && !one("can:write on:a").not_known);
    assert!(one("can:?").not_known && one("can:?").can.is_empty());
    let on = |text: &str| one(text).on[0][0].clone();
    assert_eq!(on("on:=logs-*"), OnIndex { name: "logs-*".into(), all_of_it: true });
    assert_eq!(on("on:logs-?"), OnIndex { name: "logs-?".into(), all_of_it: false });
    assert_eq!(read("is:administrator?"), Expr::Term(Term::NotKnown(Trait::Administrator)));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_the_way_out() {
    for (text, place, hint) in [
        ("a expires:", "expires:", "use <30d"),
        ("expires:\"\"", "expires:", "use <30d"),
        ("created:<7x", "<7x", "use <30d"),
        ("owner:", "owner:", "owner:ana,boris"),
        ("owner:,", "owner:", "owner:ana,boris"),
        ("name:(a or b)", "name:", "name:backup"),
        ("meta.team:", "meta.team:", "meta.team:none"),
        ("meta:x", "meta:", "meta.team:"),
        ("meta..a:x", "meta..a:", "meta.team:"),
        ("onwer:ana", "onwer:", "did you mean owner:?"),
        ("http://x", "http:", "to search for it as text, use \"http://x\""),
        ("a:b", "a:", "There is no field a; to search for it as text, use \"a:b\""),
        (":x", ":", "\":x\""),
        ("status:gone", "gone", "possible: valid, within-7d, within-30d, later, never, expired, invalidated"),
        ("type:foo", "foo", "possible: rest, cross-cluster; put another type in quotes"),
        ("type:rset", "rset", "did you mean rest?"),
        ("owner=ana", "owner=ana", "owner:ana; in quotes it is text"),
        ("owner!=ana", "owner!=ana", "value: -owner:ana"),
        ("meta.team==pay", "meta.team==pay", "value: meta.team:pay"),
        ("expires<30d", "expires<30d", "value: expires:<30d"),
        ("expires>=30d", "expires>=30d", "value: expires:>=30d"),
        ("AND a", "AND", "both sides of AND"),
        ("a AND", "AND", "both sides of AND"),
        ("a AND AND b", "AND", "both sides of AND"),
        ("a or AND b", "AND", "both sides of AND"),
        ("(a AND)", "AND", "both sides of AND"),
        ("a && && b", "&&", "both sides of AND"),
        ("a ||", "||", "both sides of or"),
        ("a NOT", "NOT", "NOT status:expired"),
        ("a not", "not", "NOT status:expired"),
        ("NOT or a", "NOT", "NOT status:expired"),
        ("created:<1M", "<1M", "m is minutes"),
        ("status:expird", "expird", "did you mean expired?"),
        ("is:lost", "lost", "cross-cluster"),
        ("is:mine?", "mine?", "always known"),
        ("can:wirte", "wirte", "did you mean write"),
        ("can:nonsense", "nonsense", "There is no privilege nonsense"),
        ("can:cluster:write", "cluster:write", "There is no cluster privilege write"),
        ("can:index:manage_secruity", "index:manage_secruity", "There is no index privilege"),
        ("can:read?,write", "read?", "after none"),
        ("can:read? can:write", "can:write", "separate parentheses"),
        ("a or", "or", "both sides"),
        ("or", "or", "both sides"),
        ("a or or b", "or", "both sides"),
        ("(a or)", "or", "both sides"),
        ("a (b", "(", "never closed"),
        ("a) b", ")", "No parenthesis"),
        ("a ( ) b", "( )", "parentheses are empty"),
        ("a - b", "-", "-status:expired"),
        ("-", "-", "-status:expired"),
    ] {
        let errors = errors(text);
        assert_eq!(errors.len(), 1, "{text}: {errors:?}");
        assert_eq!(errors[0].0, place, "{text}: {errors:?}");
        assert!(errors[0].1.contains(hint), "{text}: {errors:?}");
    }
    let places: Vec<_> = errors("foo:1 (a status:x,y").into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["foo:", "(", "x", "y"]);
}

#[test]
fn depth_and_length_are_bounded() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(read(&nested(MAX_QUERY_DEPTH)), word("a"));
    for deep in [nested(MAX_QUERY_DEPTH + 1), "(".repeat(MAX_QUERY_BYTES), "-(".repeat(MAX_QUERY_BYTES / 2)] {
        let errors = errors(&deep);
        assert!(errors.len() == 1 && errors[0].1.contains("64"), "{errors:?}");
    }
    assert!(errors(&"a".repeat(MAX_QUERY_BYTES + 1))[0].1.contains("too long"));
    assert_eq!(read(&"a".repeat(MAX_QUERY_BYTES)), word(&"a".repeat(MAX_QUERY_BYTES)));
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_search_or_has_errors_within_it(
        text in r#"([-a:"\\(),*?<>.0-9d ü鍵🔑]|owner:|expires:|status:|meta\.|can:|on:| or ){0,40}|\PC*"#,
        now in proptest::num::i64::ANY,
    ) {
        if let Err(errors) = parse(&text, Timestamp::from_millis(now), &calendar::fixed_zone(-7)) {
            proptest::prop_assert!(!errors.is_empty());
            for error in errors {
                proptest::prop_assert!(text.get(error.span.clone()).is_some() && !error.message.is_empty());
            }
        }
    }

    #[test]
    fn a_text_in_quotes_means_itself(text in r#"[-a"\\(),*? :=<>ü🔑]{1,12}|or|none|AND|not|&&|owner=a|\PC+"#) {
        let quoted = crate::model::filter::quoted(&text);
        proptest::prop_assert_eq!(read(&quoted), word(&text.to_lowercase()));
        proptest::prop_assert_eq!(read(&format!("id:{quoted}")), field(TextField::Id, &[is(&text)]));
        proptest::prop_assert_eq!(read(&format!("role:{quoted}")), field(TextField::Role, &[is(&text.to_lowercase())]));
    }
}

#[test]
fn every_example_of_the_help_is_a_search() {
    for (example, meaning) in help() {
        let query =
            parse(example, Timestamp::EPOCH, &jiff::tz::TimeZone::UTC).unwrap_or_else(|e| panic!("{example}: {e:?}"));
        assert_ne!(query.expr, Expr::All, "{example}");
        assert!(!meaning.is_empty());
    }
}

#[test]
fn a_field_has_aliases_and_any_case() {
    for (alias, name) in [
        ("application_id", "app"),
        ("application", "app"),
        ("Username", "owner"),
        ("user", "owner"),
        ("expiration", "expires"),
        ("CREATION", "created"),
        ("kind", "type"),
        ("roles", "role"),
        ("metadata.Labels.team", "meta.Labels.team"),
    ] {
        assert_eq!(Field::named(alias).map(|field| field.name()).as_deref(), Some(name), "{alias}");
    }
    for none in ["", "foo", "meta", "meta.", "meta..a", "meta.a.", "owner.x"] {
        assert_eq!(Field::named(none), None, "{none}");
    }
}

#[test]
fn an_open_end_holds_the_last_moment_too() {
    let later = TimeMatch::Within { from: NOW, until: Timestamp::MAX };
    assert!(later.holds(Some(Timestamp::MAX)) && later.holds(Some(NOW)) && !later.holds(None));
    assert!(!later.holds(Some(NOW - TimeDelta::MILLISECOND)));
    assert!(TimeMatch::Never.holds(None) && !TimeMatch::Never.holds(Some(Timestamp::EPOCH)));
}
