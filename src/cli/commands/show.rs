//! `keybearer show`: everything that is known about one key.

use clap::Args;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        error::{CliError, Exit},
        output::{self, PlainFormat, key_rights, key_row},
    },
    export::json_lines::KeyJson,
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        inventory::list_view,
        rights::RightsJson,
        text::{json, sanitize},
        time::{calendar, expiry},
    },
    ops::{
        Session, clock,
        keys::{
            effective_privileges::{self, KeyRights},
            find,
            last_use::{self, NotKnown, Uses},
        },
    },
};

/// The options of `show`.
#[derive(Args, Debug)]
pub(crate) struct ShowArgs {
    /// Id, application id or name of the key
    #[arg(value_name = "KEY", value_parser = crate::cli::reference)]
    reference: String,
    /// Index, data stream or pattern with audit events, from which the last use is read [default: the usual places]
    #[arg(long, value_name = "NAME")]
    audit_index: Option<String>,
    /// Form of the output
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
    at: Option<Millis>,
    not_known: Option<String>,
    events_from: Option<Millis>,
    events_to: Option<Millis>,
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

/// Returns the one key that a reference means: of a rotated key and its successor the successor, with a message.
/// `None` if it means several, which are listed.
///
/// # Errors
/// Returns an error if the reference matches no key, or the cluster can't be asked.
pub(crate) async fn one(session: &Session, reference: &str) -> Result<Option<ApiKey>, CliError> {
    let mut found = find::named(session, reference).await?;
    let key = match choose(&found) {
        Choice::One(key) => key.clone(),
        Choice::Several if let Some(newest) = list_view::last_successor(&found) => {
            let others: Vec<&str> =
                found.iter().filter(|key| key.id != newest.id && !key.invalidated).map(|key| key.id.as_str()).collect();
            let others = sanitize::shown(&others.join(", ")).into_owned();
            output::print_status(&format!(
                "This key is the successor of {others}, which is valid, too: name that one by its id"
            ));
            return Ok(Some(newest.clone()));
        }
        Choice::None => return Err(unknown(session, reference)),
        Choice::Several => {
            say_all(reference, &found, session.now());
            return Ok(None);
        }
    };
    found.retain(|other| other.id != key.id);
    if !found.is_empty() {
        output::print_status(&format!("{} more of that name are invalidated already", found.len()));
    }
    Ok(Some(key))
}

/// Result of resolving a reference.
pub(crate) enum Choice<'a> {
    /// No visible key.
    None,
    /// One key.
    One(&'a ApiKey),
    /// Several keys, none of which can be preferred.
    Several,
}

/// Chooses the key that a reference means: the only one, or the only one that is not invalidated.
pub(crate) fn choose(found: &[ApiKey]) -> Choice<'_> {
    let valid: Vec<&ApiKey> = found.iter().filter(|key| !key.invalidated).collect();
    match (found, valid.as_slice()) {
        ([], _) => Choice::None,
        ([key], _) => Choice::One(key),
        (_, [key]) => Choice::One(key),
        _ => Choice::Several,
    }
}

/// Creates the error for a reference that means no visible key.
pub(crate) fn unknown(session: &Session, reference: &str) -> CliError {
    let title = format!("There is no key with the id, application id or name “{reference}”");
    let hint = if session.sees_own_only() {
        "You see your own keys only: others need the privilege read_security or manage_api_key"
    } else {
        "`keybearer list` with a part of the name finds keys"
    };
    CliError::problem(&title, "", hint)
}

/// Lists the keys of a reference that means several.
pub(crate) fn say_all(reference: &str, found: &[ApiKey], now: Millis) {
    output::print_error(&format!("“{reference}” means {} keys. Nothing is done: name one by its id", found.len()));
    output::print_status(key_row::table(found, now, &clock::zone()).trim_end());
}

fn text(session: &Session, whole: &KeyRights, now: Millis, uses: &Result<Uses, NotKnown>) -> String {
    let key = &whole.key;
    let zone = clock::zone();
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let mut facts = vec![
        ("name", shown(&key.name)),
        ("id", key_row::id(key)),
        ("application id", key.application_id().map_or_else(|| "none".into(), shown)),
        ("status", key_row::status_word(key, now).to_owned()),
        ("type", shown(key.kind.word())),
        ("owner", shown(&format!("{} (realm {})", key.owner.username, key.owner.realm))),
        ("roles", key_row::roles(key)),
        ("created", created(key, now)),
        ("expires", expires(key, now)),
    ];
    if let Some(flaw) = &key.flaw {
        facts.push(("not fully readable", shown(flaw)));
    }
    if key.invalidated {
        let at = key.invalidated_at.map_or_else(|| "at a time not told".into(), |at| calendar::local(at, &zone));
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
        facts.push(("note", "this session is signed in by it".into()));
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

fn created(key: &ApiKey, now: Millis) -> String {
    let told = |at: Millis| format!("{} ({})", calendar::local(at, &clock::zone()), expiry::ago(at, now));
    key.known_created().map_or_else(|| "not known".into(), told)
}

/// Formats the expiration in local time and the time until then.
pub(crate) fn expires(key: &ApiKey, now: Millis) -> String {
    match key.expires {
        _ if key.is_unread("expiration") => "not known".into(),
        None => "never".into(),
        Some(at) => format!("{} ({})", calendar::local(at, &clock::zone()), expiry::remaining(Some(at), now)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str, invalidated: bool) -> ApiKey {
        ApiKey { id: KeyId::new(id), invalidated, ..Default::default() }
    }

    fn chosen(keys: &[(&str, bool)]) -> Option<String> {
        let keys: Vec<ApiKey> = keys.iter().map(|(id, invalidated)| key(id, *invalidated)).collect();
        match choose(&keys) {
            Choice::One(key) => Some(key.id.to_string()),
            Choice::None | Choice::Several => None,
        }
    }

    #[test]
    fn what_is_invalidated_steps_back_before_what_is_not() {
        assert_eq!(chosen(&[("a", true)]).as_deref(), Some("a"));
        assert_eq!(chosen(&[("a", true), ("b", false)]).as_deref(), Some("b"));
        assert_eq!(chosen(&[("a", false), ("b", false)]), None);
        assert_eq!(chosen(&[("a", true), ("b", true)]), None);
        assert_eq!(chosen(&[]), None);
    }
}
