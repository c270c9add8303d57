//! Bringing the secret of a successor where it was asked to go, and finding it there again.

use std::io::{self, IsTerminal};

use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    error::CliError,
    key_row,
    output::{self, PlainFormat},
    secret_output,
};
use crate::{
    client::CreatedKey,
    model::{
        Millis,
        api_key::ApiKey,
        calendar, expiry, harmless, login,
        rotation::{Place, Rotation},
        secret::Secret,
    },
    ops::{
        Session, clock,
        rotate::{self, News},
    },
    store::{rotations::Held, secret_file::SecretFile},
};

/// Where a secret goes; known before the key is made.
#[derive(Debug)]
pub(super) enum Outlet {
    Json,
    Screen,
    File(SecretFile),
}

#[derive(Serialize)]
struct SuccessorJson<'a> {
    rotation: &'a str,
    batch: Option<&'a str>,
    rotated_from: &'a str,
    id: &'a str,
    name: &'a str,
    application_id: Option<&'a str>,
    expiration: Option<Millis>,
    grace: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<String>,
}

/// Whether a secret would reach somebody without a file.
///
/// # Errors
/// With the ways out, when nobody would get it.
pub(super) fn check(format: PlainFormat) -> Result<(), CliError> {
    if format == PlainFormat::Json {
        return secret_output::check_stdout("Nothing is done");
    }
    if output::someone_is_there() && io::stdout().is_terminal() {
        return Ok(());
    }
    Err(CliError::usage(
        "Nothing is done: the secret of a successor is told once, and nobody would get it here. Use --output json to \
         have it on stdout, or --secret-file PATH or --secret-dir DIR to have it in a file that only you may read",
    ))
}

/// The outlet that is no file.
pub(super) fn stream(format: PlainFormat) -> (Outlet, Place) {
    match format {
        PlainFormat::Json => (Outlet::Json, Place::Stdout),
        PlainFormat::Table => (Outlet::Screen, Place::Screen),
    }
}

/// What is told on the way.
pub(super) fn say(news: News) {
    output::say(&harmless::shown(&news.words()));
}

/// Makes the successor and brings its secret to the outlet; that it arrived is written down only after it did.
///
/// # Errors
/// When there is no successor, or its secret did not arrive: a later run makes another one.
pub(super) async fn make(
    session: &Session,
    held: &mut Held,
    outlet: Outlet,
    format: PlainFormat,
) -> Result<Secret, CliError> {
    let made = rotate::make(session, held, &mut say).await?;
    rotate::hand_over_begins(held)?;
    let told = hand_over(&held.rotation, &made.created, &made.old, outlet);
    let file = match told {
        Ok(file) => file,
        Err(error) => {
            rotate::hand_over_failed(held)?;
            let title = format!("The successor {} was made, and its secret could not be written", made.created.id);
            let hint = format!(
                "Nobody knows it: `keybearer rotate --resume {}` ends that key and makes another",
                held.rotation.id
            );
            return Err(CliError::problem(&title, &error.to_string(), &hint));
        }
    };
    rotate::handed_over(held)?;
    if let Some(path) = file {
        output::say(&format!("The encoded key is in {}, which only you may read", harmless::shown(&path)));
        let json = SuccessorJson { secret_file: Some(path), ..told_of(&held.rotation, &made.created, &made.old) };
        match format {
            PlainFormat::Json => output::put_json(&json)?,
            PlainFormat::Table => output::put(&output::facts(&facts(&held.rotation, &made.created)))?,
        }
    }
    Ok(made.created.secret)
}

/// Gives the path where it is a file.
fn hand_over(rotation: &Rotation, created: &CreatedKey, old: &ApiKey, outlet: Outlet) -> io::Result<Option<String>> {
    let encoded = login::encode(created.id.as_str(), &created.secret);
    match outlet {
        Outlet::File(file) => {
            let path = file.path().display().to_string();
            file.write(&encoded)?;
            Ok(Some(path))
        }
        Outlet::Json => {
            let json = SuccessorJson {
                api_key: Some(created.secret.expose()),
                encoded: Some(encoded.expose()),
                ..told_of(rotation, created, old)
            };
            let mut text = Zeroizing::new(serde_json::to_vec_pretty(&json)?);
            text.push(b'\n');
            secret_output::write_stdout(&text).map(|()| None)
        }
        Outlet::Screen => {
            let (id, secret) = (&created.id, created.secret.expose());
            let pair = Zeroizing::new(format!("{:12}{id}:{secret}\n{:12}{}\n", "id:key", "encoded", encoded.expose()));
            let text = Zeroizing::new(output::facts(&facts(rotation, created)) + &pair);
            secret_output::write_stdout(text.as_bytes()).map(|()| None)
        }
    }
}

fn told_of<'a>(rotation: &'a Rotation, created: &'a CreatedKey, old: &'a ApiKey) -> SuccessorJson<'a> {
    SuccessorJson {
        rotation: &rotation.id,
        batch: rotation.batch.as_deref(),
        rotated_from: rotation.old.id.as_str(),
        id: created.id.as_str(),
        name: &created.name,
        application_id: old.application_id(),
        expiration: created.expires,
        grace: rotation.grace,
        api_key: None,
        encoded: None,
        secret_file: None,
    }
}

fn facts(rotation: &Rotation, created: &CreatedKey) -> Vec<(&'static str, String)> {
    let shown = |text: &str| harmless::shown(text).into_owned();
    let (zone, now) = (clock::zone(), clock::now());
    let key = ApiKey { expires: created.expires, ..ApiKey::default() };
    let left = created.expires.map(|at| format!(" ({})", expiry::remaining(Some(at), now))).unwrap_or_default();
    vec![
        ("rotation", shown(&rotation.id)),
        ("old id", shown(rotation.old.id.as_str())),
        ("new id", shown(created.id.as_str())),
        ("name", shown(&created.name)),
        ("expires", key_row::expires(&key, &zone) + &left),
        ("begun", calendar::local(rotation.begun_at, &zone)),
    ]
}
