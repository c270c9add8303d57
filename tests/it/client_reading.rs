//! Tolerant in reading, exact in writing: what becomes of odd keys, roles and questions.

use keybearer::{
    client::{ClientError, KeyQuery, MAX_UNREADABLE_KEPT, Order},
    model::{
        Timestamp,
        api_key::{KeyId, KeyKind},
    },
};
use serde_json::{json, value::RawValue};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, method, path, query_param, query_param_is_missing},
};

use crate::client_servers::{client, in_time};

fn answer(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .set_body_raw(body, "application/json")
        .insert_header("X-elastic-product", "Elasticsearch")
}

async fn always(status: u16, body: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer(status, body)).mount(&server).await;
    server
}

const ODD_KEYS: &str = r#"{"took":3,"total":6,"count":6,"api_keys":[
 {"id":"new","name":"a","type":"quantum","creation":1,"expiration":9223372036854775807,"invalidated":false,"username":"ana","realm":"native",
  "metadata":{"application_id":"app","n":1.0e+10},"role_descriptors":{"r":{"cluster":[ "all" ],"future":{"x":1}}},
  "limited_by":[{"u":{}}],"access":{"search":[]},"future":{"deep":[1,{"a":null}]},"_sort":[1,"a"]},
 {"id":"old","creation":2},
 {"id":"null","name":null,"type":null,"creation":3,"expiration":null,"invalidated":true,"invalidation":4,"username":null,"realm":null,
  "metadata":null,"role_descriptors":null},
 {"id":"dates","name":"b","creation":"2026-11-24T00:00:00Z"},
 {"name":"nameless","creation":5},
 {"id":"last","name":"c","creation":-9223372036854775808,"invalidated":"yes","_sort":[9223372036854775807,"c",null]}
]}"#;

#[tokio::test]
async fn odd_rows_are_set_aside_with_a_reason_and_the_others_read() {
    let server = always(200, ODD_KEYS).await;
    let page = in_time(client(&server.uri()).query_api_keys(&KeyQuery::new(6))).await.unwrap();
    assert_eq!(page.total, 6);
    let ids: Vec<&str> = page.keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(ids, ["new", "old", "null", "dates", "last"]);
    let flaws: Vec<Option<&str>> = page.keys.iter().map(|key| key.flaw.as_deref()).collect();
    assert_eq!(flaws[..3], [None, None, None]);
    assert_eq!(flaws[3], Some("creation: it is not a time in milliseconds"));
    assert_eq!(flaws[4], Some("invalidated: it is neither true nor false"));
    assert!(page.keys[4].is_unread("invalidated") && !page.keys[4].is_unread("creation"));
    let [nameless] = page.unreadable.kept() else { panic!("{:?}", page.unreadable) };
    assert!(nameless.id.is_none() && nameless.reason.contains("id"), "{nameless:?}");
}

/// Half a surrogate pair, bytes that are no text, fields twice: whatever is odd, the id is there.
#[tokio::test]
async fn no_key_with_an_id_is_lost_whatever_its_row_is_made_of() {
    let mut body = br#"{"total":5,"count":5,"api_keys":[
 {"id":"half","name":"pay-\ud800","creation":1,"username":"\udc00","realm":"native","metadata":{"a":"\ud800"},"_sort":["pay-\ud800"]},
 {"id":"twice","name":"a","name":"b","creation":2},
 {"id":"bytes","name":""#
        .to_vec();
    body.extend([0xff, 0xfe]);
    body.extend(br#"","creation":3,"future":"\ud800"},{"id":"deep","name":"d","creation":4,"metadata":"#);
    body.extend("[".repeat(20_000).into_bytes());
    body.extend("]".repeat(20_000).into_bytes());
    body.extend(b"},7]}");
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(any()).respond_with(answer.insert_header("X-elastic-product", "Elasticsearch")).mount(&server).await;
    let client = client(&server.uri());
    let page = in_time(client.query_api_keys(&KeyQuery::new(5))).await.unwrap();
    let seen: Vec<(&str, &str)> = page.keys.iter().map(|key| (key.id.as_str(), key.name.as_str())).collect();
    assert_eq!(seen, [("half", "pay-\u{fffd}"), ("twice", "b"), ("bytes", "\u{fffd}\u{fffd}"), ("deep", "d")]);
    assert_eq!(page.keys[0].metadata.as_ref().unwrap().get(), r#"{"a":"\ud800"}"#);
    assert!(page.keys[0].is_unread("name") && page.keys[0].is_unread("username"));
    assert!(page.keys[1].flaw.as_deref().unwrap().contains("twice") && page.keys[3].flaw.is_none());
    assert_eq!(page.unreadable.len(), 1, "7 is no key");
    let streamed = std::sync::Mutex::new(Vec::new());
    let mut put = |key: &keybearer::model::inventory::RawKey<'_>| {
        streamed.lock().unwrap().push((key.id.to_owned(), key.name.to_owned(), key.flaw.is_some()));
    };
    let rows = in_time(client.query_rows(&KeyQuery::new(5), &mut put)).await.unwrap();
    let streamed = streamed.into_inner().unwrap();
    let again: Vec<(&str, &str)> = streamed.iter().map(|(id, name, _)| (id.as_str(), name.as_str())).collect();
    assert_eq!((again, rows.rows, rows.unreadable.len()), (seen, 5, 1));
    assert_eq!(streamed.iter().filter(|(_, _, flawed)| *flawed).count(), 3);
    let half = in_time(client.get_api_key(&KeyId::new("half"), false)).await.unwrap().unwrap();
    assert_eq!(half.name, "pay-\u{fffd}");
    let other = in_time(client.get_api_key(&KeyId::new("other"), false)).await;
    assert!(matches!(other, Err(ClientError::Unreadable { .. })), "nobody said that there is no such key: {other:?}");
}

#[tokio::test]
async fn of_rows_that_can_t_be_read_a_hundred_are_kept_and_the_others_counted() {
    let server = always(200, &format!(r#"{{"total":5000,"api_keys":[{}]}}"#, vec!["{}"; 5000].join(","))).await;
    let page = in_time(client(&server.uri()).query_rows(&KeyQuery::new(5000), &mut |_| ())).await.unwrap();
    assert_eq!((page.rows, page.unreadable.len(), page.unreadable.kept().len()), (5000, 5000, MAX_UNREADABLE_KEPT));
}

#[tokio::test]
async fn a_page_ends_where_its_last_row_says_even_if_that_row_is_unreadable() {
    let server = always(200, ODD_KEYS).await;
    let client = client(&server.uri());
    let mut query = KeyQuery::new(6);
    query.search_after = in_time(client.query_api_keys(&query)).await.unwrap().last_sort;
    in_time(client.query_api_keys(&query)).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].body, br#"{"size":6}"#);
    let second = std::str::from_utf8(&requests[1].body).unwrap();
    assert_eq!(second, r#"{"size":6,"search_after":[9223372036854775807,"c",null]}"#);
}

#[tokio::test]
async fn what_a_key_carries_stays_as_it_was_to_the_byte() {
    let server = always(200, ODD_KEYS).await;
    let page = in_time(client(&server.uri()).query_api_keys(&KeyQuery::new(6))).await.unwrap();
    let [new, old, null, ..] = page.keys.as_slice() else { panic!() };
    assert_eq!(new.kind, KeyKind::Other("quantum".into()));
    assert_eq!(new.expires, Some(Timestamp::MAX));
    assert_eq!(new.metadata.as_ref().unwrap().get(), r#"{"application_id":"app","n":1.0e+10}"#);
    assert_eq!(new.role_descriptors.as_ref().unwrap().get(), r#"{"r":{"cluster":[ "all" ],"future":{"x":1}}}"#);
    assert_eq!(new.limited_by.as_ref().unwrap().get(), r#"[{"u":{}}]"#);
    assert_eq!(new.access.as_ref().unwrap().get(), r#"{"search":[]}"#);
    assert_eq!((new.application_id(), new.roles()), (Some("app"), ["r".to_owned()].as_slice()));
    assert_eq!((&old.kind, old.expires, old.invalidated), (&KeyKind::Rest, None, false));
    assert!(old.role_descriptors.is_none() && old.owner.username.is_empty());
    assert!(null.metadata.is_none() && null.role_descriptors.is_none() && null.expires.is_none());
    assert_eq!((null.invalidated, null.invalidated_at), (true, Some(Timestamp::from_millis(4))));
}

#[tokio::test]
async fn a_question_is_written_as_it_was_meant() {
    let mut query = KeyQuery::new(5000);
    query.filter = Some(json!({"bool": {"must": [{"term": {"invalidated": false}}]}}));
    query.sort = vec![("creation".into(), Order::Descending), ("name".into(), Order::Ascending)];
    query.search_after = Some(vec![
        RawValue::from_string("9223372036854775807".into()).unwrap(),
        RawValue::from_string("\"ü\"".into()).unwrap(),
    ]);
    assert_eq!(
        query.body(),
        r#"{"size":5000,"query":{"bool":{"must":[{"term":{"invalidated":false}}]}},"sort":[{"creation":{"order":"desc"}},{"name":{"order":"asc"}}],"search_after":[9223372036854775807,"ü"]}"#
    );
    query.with_limited_by = true;
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/_security/_query/api_key"))
        .and(query_param("with_limited_by", "true"))
        .respond_with(answer(200, r#"{"total":0,"count":0,"api_keys":[]}"#))
        .mount(&server)
        .await;
    let page = in_time(client(&server.uri()).query_api_keys(&query)).await.unwrap();
    assert!(page.keys.is_empty() && page.last_sort.is_none());
}

#[tokio::test]
async fn an_unknown_key_is_none_and_a_missing_page_is_an_error() {
    let server = always(404, r#"{"api_keys":[]}"#).await;
    let id = KeyId::new("nope");
    assert!(in_time(client(&server.uri()).get_api_key(&id, false)).await.unwrap().is_none());
    assert!(in_time(client(&server.uri()).get_api_keys_named("nope", true)).await.unwrap().keys.is_empty());
    let server = always(404, r#"{"error":{"type":"x","reason":"no such index"},"status":404}"#).await;
    let error = in_time(client(&server.uri()).get_api_key(&id, false)).await.unwrap_err();
    assert_eq!(error, ClientError::NotFound { reason: "no such index".into() });
    for own in [false, true] {
        let error = in_time(client(&server.uri()).get_rows(own, &mut |_| ())).await.unwrap_err();
        assert_eq!(error, ClientError::NotFound { reason: "no such index".into() }, "not “no keys”");
    }
}

#[tokio::test]
async fn a_key_is_asked_for_by_its_id_and_owner() {
    let server = MockServer::start().await;
    Mock::given(path("/_security/api_key"))
        .and(query_param("id", "a&b=c/ü"))
        .and(query_param("owner", "true"))
        .and(query_param_is_missing("with_limited_by"))
        .respond_with(answer(200, r#"{"api_keys":[{"id":"a&b=c/ü","creation":1}]}"#))
        .mount(&server)
        .await;
    Mock::given(query_param("with_limited_by", "true"))
        .and(query_param_is_missing("owner"))
        .respond_with(answer(200, r#"{"api_keys":[{"id":"a&b=c/ü","creation":2}]}"#))
        .mount(&server)
        .await;
    let (client, id) = (client(&server.uri()), KeyId::new("a&b=c/ü"));
    assert_eq!(in_time(client.get_api_key(&id, true)).await.unwrap().unwrap().created.as_millis(), 1);
    assert_eq!(in_time(client.get_api_key_with_limits(&id, false)).await.unwrap().unwrap().created.as_millis(), 2);
}

#[tokio::test]
async fn a_long_list_is_read_whole() {
    let row = r#"{"id":"ID","name":"my_app_key","creation":1795492127812,"metadata":{"application_id":"my_app"}}"#;
    let rows: Vec<String> = (0..20_000).map(|id| row.replace("ID", &id.to_string())).collect();
    let server = always(200, &format!(r#"{{"api_keys":[{}]}}"#, rows.join(","))).await;
    let keys = in_time(client(&server.uri()).get_api_keys_named("my_app_key", false)).await.unwrap();
    assert_eq!((keys.keys.len(), keys.unreadable.len()), (20_000, 0));
    assert_eq!(keys.keys[19_999].id, KeyId::new("19999"));
}

#[tokio::test]
async fn roles_come_sorted_and_as_they_are() {
    let body = r#"{"z":{"cluster":[ ],"metadata":{"_reserved":true},"future":1},"a":{"metadata":{"_reserved":"odd"}}}"#;
    let server = always(200, body).await;
    let roles = in_time(client(&server.uri()).roles()).await.unwrap();
    let seen: Vec<_> = roles.iter().map(|role| (role.name.as_str(), role.reserved, role.descriptor.get())).collect();
    assert_eq!(
        seen,
        [
            ("a", false, r#"{"metadata":{"_reserved":"odd"}}"#),
            ("z", true, r#"{"cluster":[ ],"metadata":{"_reserved":true},"future":1}"#),
        ]
    );
}

#[tokio::test]
async fn roles_that_do_not_exist_are_simply_absent() {
    let server = always(404, "{}").await;
    assert!(in_time(client(&server.uri()).roles_named(&["nope"])).await.unwrap().is_empty());
    let server = always(404, r#"{"error":"no handler found for uri [/_security/role/x] and method [GET]"}"#).await;
    let error = in_time(client(&server.uri()).roles_named(&["x"])).await.unwrap_err();
    assert_eq!(error, ClientError::SecurityOff);
}

#[tokio::test]
async fn roles_are_asked_for_by_name_and_never_by_a_part_of_one() {
    let server = MockServer::start().await;
    let all = r#"{"a":{},"b":{},"a,b":{},"..":{},"x/y %":{}}"#;
    Mock::given(path("/_security/role")).respond_with(answer(200, all)).mount(&server).await;
    Mock::given(path("/_security/role/a,x%2Fy%20%25")).respond_with(answer(200, all)).mount(&server).await;
    let client = client(&server.uri());
    let names = async |asked: &[&str]| -> Vec<String> {
        in_time(client.roles_named(asked)).await.unwrap().into_iter().map(|role| role.name).collect()
    };
    assert_eq!(names(&["a", "x/y %"]).await, ["a", "x/y %"]);
    assert_eq!(names(&["a,b"]).await, ["a,b"]);
    assert_eq!(names(&[".."]).await, [".."]);
    assert!(names(&[""]).await.is_empty());
    let paths: Vec<String> =
        server.received_requests().await.unwrap().iter().map(|request| request.url.path().to_owned()).collect();
    assert_eq!(paths, ["/_security/role/a,x%2Fy%20%25", "/_security/role", "/_security/role"]);
}

#[tokio::test]
async fn privileges_are_asked_for_and_read() {
    let body = r#"{"username":"ana","has_all_requested":false,"cluster":{"monitor":true,"manage_api_key":false},
        "index":{"logs-*":{"read":true,"write":false}},"application":{}}"#;
    let server = always(200, body).await;
    let client = client(&server.uri());
    let privileges = in_time(client.has_cluster_privileges(&["monitor", "manage_api_key"])).await.unwrap();
    assert_eq!(
        (privileges.has("monitor"), privileges.has("manage_api_key"), privileges.has("x")),
        (Some(true), Some(false), None)
    );
    let asked = [(vec!["logs-*".to_owned()], vec!["read".to_owned(), "write".to_owned()])];
    let indices = in_time(client.has_index_privileges(&asked)).await.unwrap();
    assert!(indices["logs-*"]["read"] && !indices["logs-*"]["write"]);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].body, br#"{"cluster":["monitor","manage_api_key"]}"#);
    assert_eq!(requests[1].body, br#"{"index":[{"names":["logs-*"],"privileges":["read","write"]}]}"#);
}

#[tokio::test]
async fn one_knows_who_one_is_by_key_and_by_password() {
    let by_key = r#"{"username":"ana","roles":[],"metadata":{},"authentication_realm":{"name":"_es_api_key","type":"_es_api_key"},
        "authentication_type":"api_key","api_key":{"id":"x","name":"n","managed_by":"elasticsearch"}}"#;
    let identity = in_time(client(&always(200, by_key).await.uri()).authenticate()).await.unwrap();
    assert_eq!((identity.way(), &identity.api_key), ("API key", &Some((KeyId::new("x"), "n".into()))));
    let older =
        r#"{"username":"ana","roles":["r"],"authentication_realm":{"name":"_es_api_key","type":"_es_api_key"}}"#;
    let identity = in_time(client(&always(200, older).await.uri()).authenticate()).await.unwrap();
    assert_eq!((identity.way(), &identity.api_key), ("API key", &Some((KeyId::new("key-id"), String::new()))));
    let bare = in_time(client(&always(200, r#"{"username":"ana"}"#).await.uri()).authenticate()).await.unwrap();
    assert_eq!((bare.way(), bare.username.as_str(), bare.realm.as_str()), ("password", "ana", ""));
}
