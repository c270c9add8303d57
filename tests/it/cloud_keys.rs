//! API keys of Elastic Cloud as a sign-in: sent as they are, named as what they are, and refused by other clusters.

use serde_json::json;
use wiremock::{
    Mock, MockServer,
    matchers::{header, method, path},
};

use crate::{
    cli_odd_clusters::elastic,
    cli_practice::{Practice, Ran, keybearer, run},
};

const KEY: &str = "essu_c2VjcmV0LXNlY3JldC1zZWNyZXQ=";

async fn holder(server: &MockServer, args: &'static [&'static str]) -> Ran {
    let mut command = keybearer();
    command.env("ES_URL", server.uri()).env("ES_API_KEY", format!(" {KEY}\n")).args(args);
    tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
}

#[tokio::test]
async fn a_cluster_that_takes_it_gets_it_as_it_is() {
    let server = MockServer::start().await;
    // As a Serverless project answers, by the specification of the client.
    let user = json!({ "username": "1234", "roles": ["editor"], "authentication_type": "api_key",
        "authentication_realm": { "name": "_cloud_api_key", "type": "_cloud_api_key" },
        "api_key": { "id": "cloud-1", "name": "ci", "managed_by": "cloud", "internal": false } });
    let info = json!({ "name": "n", "cluster_name": "c", "cluster_uuid": "u",
        "version": { "number": "9.5.3", "build_flavor": "serverless" } });
    let privileges = json!({ "cluster": { "manage_api_key": true, "manage_own_api_key": true }, "index": {} });
    for (verb, place, body) in [
        ("GET", "/_security/_authenticate", user),
        ("GET", "/", info),
        ("POST", "/_security/user/_has_privileges", privileges),
    ] {
        let mock = Mock::given(method(verb)).and(path(place)).and(header("authorization", format!("ApiKey {KEY}")));
        mock.respond_with(elastic(&body)).expect(1..).mount(&server).await;
    }
    let checked = holder(&server, &["check"]).await;
    let all = format!("{}{}", checked.out, checked.err);
    assert!(all.contains("by cloud API key ci (cloud-1)"), "{checked:?}");
    assert!(all.contains("a key of Elastic Cloud: updates and cross-cluster keys are refused"), "{checked:?}");
    assert!(!all.contains("new keys have no privileges") && !all.contains(&KEY[5..]), "{checked:?}");
}

#[test]
fn a_cluster_that_does_not_know_such_keys_refuses_it_with_the_way_out() {
    let practice = Practice::start();
    for args in [["check"], ["whoami"], ["list"]] {
        let refused = run(practice.holder(keybearer(), KEY).args(args));
        let all = format!("{}{}", refused.out, refused.err);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(all.contains("The key is one of Elastic Cloud (essu_…)"), "{args:?}: {refused:?}");
        assert!(all.contains("create an API key of this cluster") && !all.contains(&KEY[5..]), "{refused:?}");
    }
    // The reason of a key of its own is another one.
    let wrong = run(practice.holder(keybearer(), "id:nothing").args(["whoami"]));
    assert!(wrong.code == Some(1) && !wrong.err.contains("Elastic Cloud"), "{wrong:?}");
}
