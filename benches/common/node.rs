//! The running node that KEYBEARER_NODE names by its node.json.

use std::{path::PathBuf, time::Duration};

use keybearer::model::{
    connections::{
        endpoint::{ClusterUrl, Endpoint, Trust},
        login::Login,
    },
    secret::Secret,
};
use serde_json::Value;

/// How it is reached, as its superuser.
pub fn endpoint() -> Endpoint {
    let path = std::env::var("KEYBEARER_NODE").expect("KEYBEARER_NODE names the node.json of a running node");
    let node: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let text = |name: &str| node[name].as_str().unwrap().to_owned();
    Endpoint {
        trust: Trust::CaFile(PathBuf::from(text("ca"))),
        timeout: Duration::from_secs(120),
        ..Endpoint::new(
            ClusterUrl::parse(&text("url")).unwrap(),
            Login::Password { username: text("username"), password: Secret::new(text("password")) },
        )
    }
}
