//! `keybearer whoami`: the signed-in user, the user's privileges, and those that are missing for each task.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use crate::{
    cli::{
        args::connection::{self, ConnectionFlags},
        error::{CliError, Exit},
        output::{self, PlainFormat},
    },
    model::text::sanitize,
    ops::{Session, connections::connect},
};

/// The options of `whoami`.
#[derive(Args, Debug)]
pub(crate) struct WhoamiArgs {
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: PlainFormat,
}

#[derive(Serialize)]
struct WhoamiJson<'a> {
    username: &'a str,
    realm: &'a str,
    authentication_type: &'a str,
    api_key: Option<KeyName<'a>>,
    roles: &'a [String],
    privileges: BTreeMap<&'a str, bool>,
    missing: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_as: Option<&'a str>,
    url: &'a str,
    cluster: Option<&'a str>,
    version: String,
}

#[derive(Serialize)]
struct KeyName<'a> {
    id: &'a str,
    name: &'a str,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: WhoamiArgs) -> Result<Exit, CliError> {
    let session = flags.session().await?;
    match args.output {
        PlainFormat::Json => output::put_json(&json(&session))?,
        PlainFormat::Table => output::put(&output::facts(&facts(&session)))?,
    }
    Ok(Exit::Done)
}

fn json(session: &Session) -> WhoamiJson<'_> {
    let identity = &session.identity;
    WhoamiJson {
        username: &identity.username,
        realm: &identity.realm,
        authentication_type: &identity.authentication_type,
        api_key: identity.api_key.as_ref().map(|(id, name)| KeyName { id: id.as_str(), name }),
        roles: &identity.roles,
        privileges: session.privileges.iter().collect(),
        missing: missing(session),
        run_as: session.client.endpoint().run_as.as_deref(),
        url: session.client.address().as_str(),
        cluster: session.cluster_name.as_deref(),
        version: session.edition.to_string(),
    }
}

fn facts(session: &Session) -> Vec<(&'static str, String)> {
    let identity = &session.identity;
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let granted = session.privileges.iter().filter(|(_, granted)| *granted);
    let granted: Vec<&str> = granted.map(|(name, _)| name).collect();
    let mut facts = vec![
        ("user", shown(&identity.username)),
        ("realm", shown(&identity.realm)),
        ("signed in with", shown(identity.way())),
    ];
    if let Some(acting) = connection::acting(session) {
        facts.push(("run-as", acting));
    }
    if let Some((id, name)) = &identity.api_key {
        facts.push(("API key", shown(&format!("{name} ({id})"))));
    } else {
        facts.push(("roles", none_as(&shown(&identity.roles.join(", ")), "none")));
    }
    facts.push(("privileges", none_as(&granted.join(", "), "none of those required for API keys")));
    facts.push(("missing", none_as(&missing(session).join("; "), "nothing")));
    facts.push((
        "cluster",
        shown(session.cluster_name.as_deref().unwrap_or("not available without the privilege monitor")),
    ));
    facts.push(("version", session.edition.to_string()));
    facts.push(("address", session.client.address().to_string()));
    facts
}

fn none_as(text: &str, none: &str) -> String {
    if text.is_empty() { none.to_owned() } else { text.to_owned() }
}

fn missing(session: &Session) -> Vec<String> {
    let mut missing = connect::missing(&session.privileges);
    if session.own_key().is_some() {
        missing.insert(0, "signed in with an API key, only keys without any privileges can be created".into());
    }
    missing
}
