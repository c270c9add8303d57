//! `keybearer show`: everything that is known about one key.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        error::{CliError, Exit},
        keys::named::one,
        output::{self, PlainFormat, key_rights, key_row, key_row::expires_and_remaining},
    },
    export::json_lines::KeyJson,
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        rights::RightsJson,
        text::{json, sanitize},
        time::{calendar, expiry},
    },
    ops::{
        Session, clock,
        keys::{
            effective_privileges::{self, KeyRights},
            last_use::{self, NotKnown, Uses},
        },
    },
};

/// The options of `show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Id, application id or name of the key
    #[arg(value_name = "KEY", value_parser = crate::cli::args::reference::reference)]
    reference: String,
    /// Index, data stream or pattern with audit events for finding the last use [default: the usual places]
    #[arg(long, value_name = "NAME")]
    audit_index: Option<String>,
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: PlainFormat,
}

#[derive(Serialize)]
struct WholeKeyJson<'a> {
    #[serde(flatten)]
    key: KeyJson<'a>,
    limited_by: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate_identity: Option<&'a str>,
    rights: RightsJson<'a>,
    owner_now: Vec<String>,
    last_use: LastUseJson,
}

/// Last use of a key in audit events; without a time, either the reason why it is not known, or the time range of the
/// events.
#[derive(Serialize)]
struct LastUseJson {
    at: Option<Timestamp>,
    not_known: Option<String>,
    events_from: Option<Timestamp>,
    events_to: Option<Timestamp>,
}

impl LastUseJson {
    fn new(id: &KeyId, uses: &Result<Uses, NotKnown>) -> Self {
        match uses {
            Ok(uses) => {
                Self { at: uses.of(id), not_known: None, events_from: Some(uses.from), events_to: Some(uses.to) }
            }
            Err(NotKnown(why)) => Self { at: None, not_known: Some(why.clone()), events_from: None, events_to: None },
        }
    }
}

pub(crate) async fn run(flags: &ConnectionFlags, args: ShowArgs) -> Result<Exit, CliError> {
    let session = flags.session().await?;
    let Some(key) = one(&session, &args.reference).await? else { return Ok(Exit::Failed) };
    let now = session.now();
    let whole = effective_privileges::with_limits(&session, &key.id).await?.unwrap_or(key);
    let whole = effective_privileges::of_key(&session, whole).await;
    let uses = last_use::within(&session, std::slice::from_ref(&whole.key.id), args.audit_index.as_deref()).await;
    match args.output {
        PlainFormat::Json => output::put_json(&WholeKeyJson {
            key: KeyJson::new(&whole.key, now),
            limited_by: whole.key.limited_by.as_deref(),
            certificate_identity: whole.key.certificate_identity.as_deref(),
            rights: RightsJson::new(&whole.rights),
            owner_now: whole.owner.iter().flat_map(|owner| owner.sentences()).collect(),
            last_use: LastUseJson::new(&whole.key.id, &uses),
        })?,
        PlainFormat::Table => output::put(&text(&session, &whole, now, &uses))?,
    }
    Ok(Exit::Done)
}

fn text(session: &Session, whole: &KeyRights, now: Timestamp, uses: &Result<Uses, NotKnown>) -> String {
    let key = &whole.key;
    let zone = clock::zone();
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let mut facts = vec![
        ("name", shown(&key.name)),
        ("id", key_row::id(key)),
        ("application id", key.application_id().map_or_else(|| "none".into(), shown)),
        ("status", key_row::status_label(key, now).to_owned()),
        ("type", shown(key.kind.word())),
        ("owner", shown(&format!("{} (realm {})", key.owner.username, key.owner.realm))),
        ("roles", key_row::roles(key)),
        ("created", created(key, now)),
        ("expires", expires_and_remaining(key, now)),
    ];
    if let Some(flaw) = &key.flaw {
        facts.push(("not fully readable", shown(flaw)));
    }
    if key.invalidated {
        let at = key.invalidated_at.map_or_else(|| "at a time not reported".into(), |at| calendar::local(at, &zone));
        facts.push(("invalidated", at));
    }
    let last_use = match uses {
        Ok(uses) => uses.words(&key.id, now, &zone),
        Err(not_known) => not_known.to_string(),
    };
    facts.push(("last use", shown(&last_use)));
    if let Some(product) = key.managed_by() {
        facts.push(("managed by", shown(product)));
    }
    if session.own_key() == Some(&key.id) {
        facts.push(("note", "this session is signed in with it".into()));
    }
    if let Some(identity) = &key.certificate_identity {
        facts.push(("certificates", shown(&format!("only those whose subject matches {identity}"))));
    }
    let mut text = output::facts(&facts);
    text.push_str(&key_rights::text(whole));
    let parts = [
        ("metadata", &key.metadata),
        ("role_descriptors", &key.role_descriptors),
        ("limited_by", &key.limited_by),
        ("access", &key.access),
    ];
    for (name, part) in parts {
        if let Some(raw) = part {
            text.push_str(&format!("\n{name}\n{}\n", sanitize::lines(&json::shown(raw.get()))));
        }
    }
    text
}

fn created(key: &ApiKey, now: Timestamp) -> String {
    let told = |at: Timestamp| format!("{} ({})", calendar::local(at, &clock::zone()), expiry::ago(at, now));
    key.known_created().map_or_else(|| "not known".into(), told)
}
