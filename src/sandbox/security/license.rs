//! License: a trial when the practice cluster starts, so that cross-cluster keys and document and field level security
//! can be tried, and the basic one on request. Rules and messages of 9.5.3.

use crate::sandbox::{
    http::{context::Context, error::Outcome, reply::Reply},
    privileges::{LICENSE, START_BASIC, START_TRIAL},
    query::dates,
    state::{license::License, node::CLUSTER_NAME},
};
use serde_json::{Value, json};

/// Duration of a trial, in days.
const TRIAL_DAYS: i64 = 30;

/// `GET /_license`
pub fn get(context: &mut Context) -> Outcome<Reply> {
    context.caller.may(&LICENSE)?;
    let (license, issued) = (context.cluster.license, context.cluster.started);
    let mut answer = json!({
        "status": "active",
        "uid": context.cluster.uuid,
        "type": license.word(),
        "issue_date": dates::to_iso(issued),
        "issue_date_in_millis": issued,
    });
    if license == License::Trial {
        let end = issued + TRIAL_DAYS * 86_400_000;
        answer["expiry_date"] = json!(dates::to_iso(end));
        answer["expiry_date_in_millis"] = json!(end);
    }
    let rest = json!({
        "max_nodes": 1000,
        "max_resource_units": null,
        "issued_to": CLUSTER_NAME,
        "issuer": "elasticsearch",
        "start_date_in_millis": -1,
    });
    if let (Some(answer), Value::Object(rest)) = (answer.as_object_mut(), rest) {
        answer.extend(rest);
    }
    Ok(Reply::ok(json!({ "license": answer })))
}

/// `POST /_license/start_trial`; always refused, because the cluster has already used its only trial.
pub fn start_trial(context: &mut Context) -> Outcome<Reply> {
    let acknowledged = context.request.params.flag("acknowledge", false)?;
    context.caller.may(&START_TRIAL)?;
    let reason = if acknowledged { "Trial was already activated." } else { "Needs acknowledgement." };
    Ok(refused("trial_was_started", acknowledged, reason))
}

/// `POST /_license/start_basic`
pub fn start_basic(context: &mut Context) -> Outcome<Reply> {
    let acknowledged = context.request.params.flag("acknowledge", false)?;
    context.caller.may(&START_BASIC)?;
    let license = &mut context.cluster.license;
    match (*license, acknowledged) {
        (License::Basic, _) => Ok(refused("basic_was_started", true, "Current license is basic.")),
        (License::Trial, false) => Ok(refused("basic_was_started", false, "Needs acknowledgement.")),
        (License::Trial, true) => {
            *license = License::Basic;
            Ok(Reply::ok(json!({ "acknowledged": true, "basic_was_started": true })))
        }
    }
}

fn refused(what: &str, acknowledged: bool, reason: &str) -> Reply {
    let mut answer = json!({ "acknowledged": acknowledged });
    answer[what] = Value::Bool(false);
    answer["error_message"] = format!("Operation failed: {reason}").into();
    Reply::json(if acknowledged { 403 } else { 200 }, answer)
}
