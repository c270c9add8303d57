//! Answers that are odd but whole: other services, proxies, and every shape of Elasticsearch's errors.

use std::time::{Duration, Instant};

use keybearer::{
    client::{Client, ClientError},
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        connections::{
            endpoint::{Endpoint, Trust},
            login::Login,
        },
        create::cross_cluster::CrossClusterUpdate,
        secret::Secret,
        update::KeyUpdate,
        version::{Edition, Feature, Version},
    },
};
use serde_json::{json, value::RawValue};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{any, header, method, path},
};

use crate::client_servers::{IDENTITY, SECRET, client, endpoint, in_time, key};

/// An answer of Elasticsearch.
fn elastic(status: u16, body: &str) -> ResponseTemplate {
    foreign(status, body, "application/json").insert_header("X-elastic-product", "Elasticsearch")
}

/// An answer of something else, or of Elasticsearch before 7.14.
fn foreign(status: u16, body: &str, kind: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, kind)
}

/// A server that answers everything alike.
async fn always(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

/// What a sign-in meets at a server that answers everything alike.
async fn sign_in_at(answer: ResponseTemplate) -> ClientError {
    let server = always(answer).await;
    in_time(client(&server.uri()).authenticate()).await.unwrap_err()
}

#[tokio::test]
async fn a_page_of_a_proxy_keeps_its_status_and_gives_its_title() {
    let page = "<html>\r\n<head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
    let server = always(foreign(502, page, "text/html")).await;
    let error = in_time(client(&server.uri()).authenticate()).await.unwrap_err();
    assert_eq!(error, ClientError::Unavailable { status: 502, reason: "a page titled “502 Bad Gateway”".into() });
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn a_create_is_sent_once_whatever_comes_back() {
    for (status, lost) in [(429, false), (502, true), (503, true), (504, true), (500, true), (400, false), (408, true)]
    {
        let server = always(elastic(status, r#"{"error":{"type":"x","reason":"y"}}"#)).await;
        let error = in_time(client(&server.uri()).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.is_answer_lost(), lost, "{error:?}");
        assert_eq!(requests(&server).await.len(), 1, "after {status}");
    }
}

#[tokio::test]
async fn a_busy_cluster_is_asked_again_when_it_says() {
    let server = MockServer::start().await;
    let busy = elastic(429, "{}").insert_header("Retry-After", "1");
    Mock::given(any()).respond_with(busy).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(elastic(200, IDENTITY)).mount(&server).await;
    let started = Instant::now();
    in_time(client(&server.uri()).authenticate()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(requests(&server).await.len(), 2);
}

#[tokio::test]
async fn a_cluster_that_asks_for_an_hour_is_not_waited_for() {
    let server = always(elastic(429, "{}").insert_header("Retry-After", "3600")).await;
    let patient = Endpoint { timeout: Duration::from_secs(9000), ..endpoint(&server.uri(), Trust::System) };
    let error = in_time(Client::new(&patient).unwrap().authenticate()).await.unwrap_err();
    assert_eq!(error, ClientError::Throttled { retry_after: Some(Duration::from_secs(3600)) });
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn no_pause_is_longer_than_the_time_of_the_profile() {
    let server = always(elastic(503, "{}").insert_header("Retry-After", "9")).await;
    let endpoint = Endpoint { timeout: Duration::from_secs(2), ..endpoint(&server.uri(), Trust::System) };
    let error = in_time(Client::new(&endpoint).unwrap().authenticate()).await.unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn an_invalidation_is_repeated_by_the_same_ids() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(elastic(503, "{}")).up_to_n_times(1).mount(&server).await;
    let done = r#"{"invalidated_api_keys":["a"],"previously_invalidated_api_keys":["b"],"error_count":1,
        "error_details":[{"type":"x","reason":"outer","caused_by":{"reason":"the shard is gone"}}]}"#;
    Mock::given(method("DELETE")).and(path("/_security/api_key")).respond_with(elastic(200, done)).mount(&server).await;
    let ids = ["a", "b", "c"].map(KeyId::new);
    let answer = in_time(client(&server.uri()).invalidate(&ids, true)).await.unwrap();
    assert_eq!(answer.invalidated, [KeyId::new("a")]);
    assert_eq!(answer.previously, [KeyId::new("b")]);
    assert_eq!((answer.errors, answer.error_count), (vec!["the shard is gone".to_owned()], 1));
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.body == br#"{"ids":["a","b","c"],"owner":true}"#));
}

#[tokio::test]
async fn an_invalidation_of_nothing_is_never_sent() {
    let server = always(elastic(200, "{}")).await;
    for ids in [vec![], vec![KeyId::new("")], vec![KeyId::new("a"), KeyId::new(" ")]] {
        let error = in_time(client(&server.uri()).invalidate(&ids, false)).await.unwrap_err();
        assert!(matches!(error, ClientError::NotSent { .. }));
    }
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn redirects_are_not_followed_and_their_secrets_not_told() {
    let elsewhere = always(elastic(200, IDENTITY)).await;
    let to = format!("http://ana:pw@127.0.0.1:{}/in?token=t0ken", elsewhere.address().port());
    for status in [301, 302, 307, 308] {
        let error = sign_in_at(ResponseTemplate::new(status).insert_header("Location", to.as_str())).await;
        assert!(matches!(&error, ClientError::Redirected { location, .. } if location.ends_with("/in")), "{error:?}");
        assert_eq!(error.status(), Some(status));
        assert!(!format!("{error} {error:?}").contains("t0ken") && !error.to_string().contains("pw"));
    }
    assert!(requests(&elsewhere).await.is_empty());
}

#[tokio::test]
async fn the_innermost_reason_is_the_one_shown() {
    let body = json!({"error": {"root_cause": [{"type": "a", "reason": "root"}], "type": "x_content_parse_exception",
        "reason": "Failed to build [api_key_request]", "caused_by": {"type": "b", "reason": "middle",
        "caused_by": {"type": "c", "reason": "unit is missing or unrecognized"}}}, "status": 400});
    assert_eq!(
        sign_in_at(elastic(400, &body.to_string())).await,
        ClientError::Rejected {
            status: 400,
            reason: "unit is missing or unrecognized".into(),
            kind: "x_content_parse_exception".into()
        }
    );
}

#[tokio::test]
async fn an_error_of_plain_text_is_read_too() {
    let error = sign_in_at(elastic(406, r#"{"error":"Content-Type header [x] is not supported","status":406}"#)).await;
    let reason = "Content-Type header [x] is not supported".into();
    assert_eq!(error, ClientError::Rejected { status: 406, reason, kind: String::new() });
}

#[tokio::test]
async fn a_refused_sign_in_says_what_is_wrong_with_the_key() {
    let body = r#"{"error":{"root_cause":[],"type":"security_exception","reason":"unable to authenticate with provided
        credentials","additional_unsuccessful_credentials":"API key: api key is expired"},"status":401}"#;
    let error = sign_in_at(elastic(401, &body.replace('\n', " "))).await;
    assert_eq!(error, ClientError::Unauthenticated { reason: "API key: api key is expired".into() });
    let older = r#"{"error":{"type":"security_exception","reason":"unable to authenticate user [x]"},"status":401}"#;
    let error = sign_in_at(foreign(401, older, "application/json")).await;
    assert_eq!(error, ClientError::Unauthenticated { reason: "unable to authenticate user [x]".into() });
    let silent = r#"{"error":{"reason":"missing authentication credentials for REST request [/]"},"status":401}"#;
    assert!(sign_in_at(foreign(401, silent, "application/json")).await.to_string().contains("does not say which"));
    let page = foreign(401, "<title>Corporate sign-in</title>", "text/html");
    assert_eq!(
        sign_in_at(page).await,
        ClientError::Unauthenticated { reason: "a page titled “Corporate sign-in”".into() }
    );
}

#[tokio::test]
async fn a_missing_privilege_is_named() {
    let reason = "action [cluster:admin/xpack/security/api_key/create] is unauthorized for user [ana] with effective \
        roles [reader], this action is granted by the cluster privileges [manage_own_api_key,manage_api_key,all]";
    let body = json!({"error": {"type": "security_exception", "reason": reason}, "status": 403});
    let error = sign_in_at(elastic(403, &body.to_string())).await;
    let ClientError::Forbidden { action, privileges, .. } = &error else { panic!("{error:?}") };
    assert_eq!(action.as_deref(), Some("cluster:admin/xpack/security/api_key/create"));
    assert_eq!(privileges, &["manage_own_api_key", "manage_api_key", "all"]);
    assert!(error.to_string().contains("manage_own_api_key, manage_api_key"));

    let license = json!({"error": {"reason": "current license is non-compliant for [field level security]"}});
    let error = sign_in_at(elastic(403, &license.to_string())).await;
    assert!(error.to_string().contains("non-compliant"), "{error}");
}

#[tokio::test]
async fn api_keys_and_security_that_are_off_are_told_apart() {
    let disabled = json!({"error": {"root_cause": [], "type": "feature_not_enabled_exception",
        "reason": "api keys are not enabled", "disabled.feature": "api_keys"}, "status": 400});
    assert_eq!(sign_in_at(elastic(400, &disabled.to_string())).await, ClientError::ApiKeysDisabled);
    for text in [
        "no handler found for uri [/_security/_authenticate] and method [GET]",
        "Incorrect HTTP method for uri [/_security/_authenticate] and method [GET], allowed: [POST]",
    ] {
        let body = json!({ "error": text }).to_string();
        assert_eq!(sign_in_at(elastic(400, &body)).await, ClientError::SecurityOff);
    }
    let index = json!({"error": {"type": "index_not_found_exception", "reason": "no such index [_security]"}});
    assert_eq!(sign_in_at(foreign(404, &index.to_string(), "application/json")).await, ClientError::SecurityOff);
}

#[tokio::test]
async fn an_older_cluster_lacks_the_query_and_is_not_taken_for_one_without_security() {
    for error in [
        json!("no handler found for uri [/_security/_query/api_key] and method [POST]"),
        json!({"type": "invalid_index_name_exception",
            "reason": "Invalid index name [_security], must not start with '_', '-', or '+'"}),
    ] {
        let server = always(foreign(400, &json!({ "error": error }).to_string(), "application/json")).await;
        let client = client(&server.uri());
        let error = in_time(client.query_api_keys(&keybearer::client::KeyQuery::new(1))).await.unwrap_err();
        assert_eq!(error, ClientError::Lacks(Feature::Query));
    }
}

#[tokio::test]
async fn other_services_are_not_taken_for_elasticsearch() {
    let page = foreign(200, "<!doctype html><title>Grafana</title>", "text/html");
    let json = foreign(200, r#"{"status":"ok"}"#, "application/json");
    let missing = foreign(404, "404 page not found", "text/plain");
    for (answer, status, hint) in [
        (page, 200, "a page titled “Grafana”"),
        (json, 200, "other JSON"),
        (missing, 404, "the text “404 page not found”"),
    ] {
        let server = always(answer).await;
        let client = client(&server.uri());
        let expected = ClientError::NotElasticsearch { status, hint: hint.into() };
        assert_eq!(in_time(client.authenticate()).await.unwrap_err(), expected);
        assert_eq!(in_time(client.info()).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn elasticsearch_is_told_by_its_header_or_when_old_by_its_tagline() {
    let body = |number: &str, tagline: &str| {
        json!({"name": "node-1", "cluster_name": "c", "cluster_uuid": "u", "tagline": tagline,
            "version": {"number": number, "build_flavor": "default", "new": {}}})
        .to_string()
    };
    let slogan = "You Know, for Search";
    let ask = async |answer: ResponseTemplate| {
        let server = always(answer).await;
        in_time(client(&server.uri()).info()).await
    };
    let plain = |body: &str| foreign(200, body, "application/json");
    let info = ask(elastic(200, &body("9.5.3", slogan))).await.unwrap();
    assert_eq!(info.edition, Edition::Version(Version::new(9, 5, 3)));
    assert_eq!((info.name.as_str(), info.uuid.as_str(), info.node.as_str()), ("c", "u", "node-1"));
    let info = ask(plain(&body("7.10.2", slogan))).await.unwrap();
    assert_eq!(info.edition, Edition::Version(Version::new(7, 10, 2)));
    for other in [
        body("9.5.3", slogan),
        body("7.10.2", "The OpenSearch Project: https://opensearch.org/"),
        body("7.10.2", slogan).replace("\"new\"", "\"distribution\":\"opensearch\",\"new\""),
    ] {
        let error = ask(plain(&other)).await.unwrap_err();
        assert!(matches!(error, ClientError::NotElasticsearch { status: 200, .. }), "{error:?}");
    }
    let serverless = body("8.11.0", slogan).replace("default", "serverless");
    assert_eq!(ask(elastic(200, &serverless)).await.unwrap().edition, Edition::Serverless);
}

#[tokio::test]
async fn an_answer_of_elasticsearch_that_is_not_understood_is_called_so() {
    let error = sign_in_at(elastic(200, r#"{"username":7}"#)).await;
    assert!(
        matches!(&error, ClientError::Unreadable { status: 200, reason } if reason.contains("line 1")),
        "{error:?}"
    );
}

#[tokio::test]
async fn no_error_repeats_a_credential_that_a_server_echoes() {
    let encoded = keybearer::model::connections::login::encode("key-id", &Secret::new(SECRET));
    let echo = format!("<title>Bad header ApiKey {} of {SECRET}</title>", encoded.expose());
    let reason = json!({"error": {"reason": format!("header [ApiKey {}] is odd", encoded.expose())}}).to_string();
    for answer in [
        foreign(502, &echo, "text/html"),
        foreign(200, &echo, "text/html"),
        foreign(418, &echo, "text/html"),
        elastic(400, &reason),
    ] {
        let error = sign_in_at(answer).await;
        let said = format!("{error} {error:?}");
        assert!(said.contains('*') && !said.contains(SECRET) && !said.contains(encoded.expose()), "{said}");
    }
}

#[tokio::test]
async fn a_secret_in_an_answer_that_is_not_understood_stays_out_of_the_error() {
    for body in [
        r#"{"id":"x","name":"n","api_key":["s3cr3t-s3cr3t"]}"#,
        r#"{"id":"x","name":"n","expiration":"s3cr3t-s3cr3t","api_key":"s3cr3t-s3cr3t"}"#,
        r#"{"id":"x","api_key":"s3cr3t-s3cr3t"#,
    ] {
        let server = always(elastic(200, body)).await;
        let error = in_time(client(&server.uri()).create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
        assert!(matches!(error, ClientError::Unreadable { .. }) && error.is_answer_lost(), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("s3cr3t"));
    }
}

#[tokio::test]
async fn each_way_to_sign_in_sends_its_header() {
    let server = MockServer::start().await;
    Mock::given(path("/behind/a/proxy/_security/_authenticate"))
        .and(header("authorization", "ApiKey a2V5LWlkOmh1bnRlcjItaXMtbXktc2VjcmV0"))
        .and(header("accept", "application/json"))
        .and(header("x-opaque-id", "keybearer"))
        .respond_with(elastic(200, IDENTITY))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(header("authorization", "Basic YW5hOnDDpHNzOndvcnQ="))
        .and(header("es-security-runas-user", "ben"))
        .respond_with(elastic(200, IDENTITY))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(header("authorization", "Bearer t0k.en"))
        .respond_with(elastic(200, IDENTITY))
        .expect(1)
        .mount(&server)
        .await;
    let by_key = endpoint(&format!("{}/behind/a/proxy/", server.uri()), Trust::System);
    let password = Login::Password { username: "ana".into(), password: Secret::new("päss:wort") };
    let by_password =
        Endpoint { login: password, run_as: Some("ben".into()), ..endpoint(&server.uri(), Trust::System) };
    let by_token = Endpoint { login: Login::Bearer(Secret::new("t0k.en")), ..endpoint(&server.uri(), Trust::System) };
    for endpoint in [by_key, by_password, by_token] {
        in_time(Client::new(&endpoint).unwrap().authenticate()).await.unwrap();
    }
    let agent = requests(&server).await[0].headers["user-agent"].to_str().unwrap().to_owned();
    assert_eq!(agent, concat!("keybearer/", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn credentials_that_no_header_can_carry_are_refused_without_being_told() {
    let base = endpoint("https://localhost:9", Trust::System);
    let odd = Secret::new("t0ken\nX-Evil: 1");
    for endpoint in [
        Endpoint { login: Login::Bearer(odd.clone()), ..base.clone() },
        Endpoint { login: Login::Password { username: "a:b".into(), password: odd }, ..base.clone() },
        Endpoint { run_as: Some("ben\r\nX-Evil: 1".into()), ..base },
    ] {
        let error = Client::new(&endpoint).unwrap_err();
        assert!(matches!(error, ClientError::BadLogin { .. }));
        assert!(!format!("{error:?}").contains("Evil"));
    }
}

#[tokio::test]
async fn a_client_says_only_where_it_goes() {
    assert_eq!(format!("{:?}", client("https://localhost:9200")), "Client(https://localhost:9200)");
}

/// A date of HTTP, so many seconds from now.
fn date(seconds: i64) -> String {
    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test]
async fn a_plausible_date_tells_the_server_s_clock_until_an_answer_comes_without_it() {
    let server = MockServer::start().await;
    let dated = elastic(200, IDENTITY).insert_header("Date", date(120).as_str());
    Mock::given(any()).respond_with(dated).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(elastic(200, IDENTITY).insert_header("Date", "today")).mount(&server).await;
    let client = client(&server.uri());
    assert_eq!(client.clock_skew(), None);
    in_time(client.authenticate()).await.unwrap();
    let skew = client.clock_skew().unwrap();
    assert!((skew - TimeDelta::from_mins(2)).abs() < TimeDelta::from_secs(30), "{skew:?}");
    in_time(client.authenticate()).await.unwrap();
    assert_eq!(client.clock_skew(), None, "what later answers don't confirm is forgotten");
}

#[tokio::test]
async fn a_date_that_is_far_off_is_told_and_not_counted_by() {
    for days in [-3660, 8, 10, 222 * 366] {
        let server = always(elastic(200, IDENTITY).insert_header("Date", date(days * 86_400).as_str())).await;
        let client = client(&server.uri());
        in_time(client.authenticate()).await.unwrap();
        assert_eq!(client.clock_skew(), None, "{days}");
        let doubt = client.doubtful_date().unwrap();
        assert!((doubt - TimeDelta::from_days(days)).abs() < TimeDelta::from_secs(30), "{days}: {doubt:?}");
    }
}

#[tokio::test]
async fn a_page_without_the_header_of_the_product_is_no_refusal_of_a_cluster_that_sends_it() {
    let pages = ["<html><title>Gateway</title></html>", r#"{"message":"Forbidden"}"#];
    for (status, body) in [401, 403, 404, 413, 429].into_iter().flat_map(|status| pages.map(|page| (status, page))) {
        let server = MockServer::start().await;
        let page = foreign(status, body, "text/html");
        Mock::given(method("GET")).respond_with(elastic(200, IDENTITY)).mount(&server).await;
        Mock::given(method("POST")).respond_with(page).mount(&server).await;
        let client = client(&server.uri());
        let at_first = in_time(client.create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
        assert!(!at_first.is_answer_lost(), "nothing is known yet of the header: {at_first:?}");
        in_time(client.authenticate()).await.unwrap();
        let error = in_time(client.create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
        assert_eq!((error.is_answer_lost(), error.status()), (true, Some(status)), "{error:?}");
    }
    // The server itself sends a sign-in that was refused, and a body that is too large, without it.
    for (status, body) in [(401, r#"{"error":{"type":"security_exception","reason":"no"},"status":401}"#), (413, "")] {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(elastic(200, IDENTITY)).mount(&server).await;
        Mock::given(method("POST")).respond_with(foreign(status, body, "application/json")).mount(&server).await;
        let client = client(&server.uri());
        in_time(client.authenticate()).await.unwrap();
        let error = in_time(client.create_api_key(&key(), Timestamp::EPOCH)).await.unwrap_err();
        assert!(!error.is_answer_lost(), "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_does_not_make_one_forget_it() {
    let lost = || {
        [
            elastic(503, r#"{"error":{"type":"x","reason":"y"}}"#),
            elastic(504, "{}"),
            foreign(502, "<html><title>Gateway</title></html>", "text/html"),
            foreign(408, "<html><title>Gateway</title></html>", "text/html"),
        ]
    };
    for status in [400, 403, 404, 409] {
        for first in lost() {
            let server = MockServer::start().await;
            let error = format!(r#"{{"error":{{"type":"x","reason":"no"}},"status":{status}}}"#);
            Mock::given(any()).respond_with(first).up_to_n_times(1).mount(&server).await;
            Mock::given(any()).respond_with(elastic(status, &error)).mount(&server).await;
            let client = client(&server.uri());
            let error = in_time(client.invalidate(&[KeyId::new("a")], false)).await.unwrap_err();
            assert!(error.is_answer_lost() && error.status() == Some(status), "{error:?}");
            assert_eq!(requests(&server).await.len(), 2);
        }
    }
}

#[tokio::test]
async fn an_update_is_never_sent_again() {
    let change = KeyUpdate { metadata: RawValue::from_string("{}".into()).ok(), ..KeyUpdate::default() };
    for status in [408, 429, 502, 503, 504] {
        let server = MockServer::start().await;
        let page = ResponseTemplate::new(status).set_body_string("<html>not now</html>");
        Mock::given(any()).respond_with(page).mount(&server).await;
        let client = client(&server.uri());
        in_time(client.update_api_key(&KeyId::new("a"), &change)).await.unwrap_err();
        assert_eq!(requests(&server).await.len(), 1, "{status}");
        let ids = [KeyId::new("a"), KeyId::new("b")];
        in_time(client.bulk_update_api_keys(&ids, &change)).await.unwrap_err();
        assert_eq!(requests(&server).await.len(), 2, "{status}");
        let change = CrossClusterUpdate { metadata: RawValue::from_string("{}".into()).ok(), ..Default::default() };
        in_time(client.update_cross_cluster_key(&KeyId::new("a"), &change)).await.unwrap_err();
        assert_eq!(requests(&server).await.len(), 3, "{status}");
    }
}

#[tokio::test]
async fn without_a_date_the_end_of_a_new_key_tells_the_server_s_clock() {
    let now = Timestamp::of_system(std::time::SystemTime::now());
    // An expiration ten days later than asked for may be a clock's fault or not: nothing is counted by it.
    for (ahead, known) in [(TimeDelta::from_secs(200), true), (TimeDelta::from_days(10), false)] {
        let expires = now + ahead + TimeDelta::HOUR;
        let body = format!(r#"{{"id":"x","name":"n","api_key":"s","expiration":{}}}"#, expires.as_millis());
        let server = MockServer::start().await;
        // The mock server sends dates of its own; one that can't be read counts as none.
        let answer = elastic(200, &body).insert_header("Date", "today");
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let client = client(&server.uri());
        let created = in_time(client.create_api_key(&key(), now)).await.unwrap();
        assert_eq!(created.expires, Some(expires));
        let skew = client.clock_skew();
        assert_eq!(skew.is_some(), known, "{skew:?}");
        assert!(skew.is_none_or(|skew| (skew - ahead).abs() < TimeDelta::from_secs(30)), "{skew:?}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_left_out_for_this_machine() {
    // The environment belongs to a whole process, so another one runs a test that needs its server.
    let run = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "client_reading::roles_come_sorted_and_as_they_are"])
        .env("http_proxy", "http://127.0.0.1:9")
        .env_remove("no_proxy")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success() && said.contains("1 passed"), "{said}");
}
