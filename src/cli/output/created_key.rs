//! A key that was created: its request, the answer to it, and the hand-over of its secret.

use std::io;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    cli::{
        error::{CliError, Exit},
        output::{
            self, PlainFormat,
            destination::{self, SecretDestination},
            secret,
        },
        signals,
    },
    client::{ClientError, CreatedKey},
    model::{
        Timestamp,
        connections::login,
        secret::Secret,
        text::{json, sanitize},
        time::{calendar, expiry},
    },
    ops::{Problem, Session, clock, create::CreateError},
};

#[derive(Serialize)]
struct CreatedJson<'a> {
    id: &'a str,
    name: &'a str,
    application_id: Option<&'a str>,
    expiration: Option<Timestamp>,
    #[serde(flatten)]
    secret: SecretJson<'a>,
}

/// Secret of a created key: the secret itself, or the file that holds it.
#[derive(Serialize, Default)]
pub(crate) struct SecretJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<String>,
}

impl SecretDestination {
    /// Returns `true` if the key is wanted: asks where the secret goes to the screen; any other destination was agreed
    /// to by its option.
    ///
    /// # Errors
    /// Returns an error if the answer can't be read from the terminal.
    pub(crate) fn is_agreed(&self) -> Result<bool, CliError> {
        let agreed = !matches!(self, Self::Screen) || agreed()?;
        if !agreed {
            output::print_status("No key was created");
        }
        Ok(agreed)
    }
}

/// Prints a request that is not sent; its body must hold no secret.
///
/// # Errors
/// Returns an error if stdout can't be written.
pub(crate) fn put_request(head: &str, body: &str, format: PlainFormat) -> io::Result<()> {
    let body = json::pretty(body);
    match format {
        PlainFormat::Json => output::put(&format!("{body}\n")),
        PlainFormat::Table => output::put(&format!("{head}\n{body}\n")),
    }
}

fn agreed() -> Result<bool, CliError> {
    let answer = output::ask("Create the key and show its secret here, once? [y/N]")?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Waits for the creation of a key. After a signal, asks the cluster for the key, and completes the journal.
///
/// # Errors
/// Returns an error if no key was created, or its secret was lost.
pub(crate) async fn sent_or_interrupted(
    session: &Session,
    sending: impl Future<Output = Result<CreatedKey, CreateError>>,
    refused: impl FnOnce(ClientError) -> Problem,
) -> Result<CreatedKey, CliError> {
    let result = signals::attended(sending, || {
        output::print_status("Interrupted: asking the cluster for the outcome of the request");
        session.interrupt.set();
    });
    result.await.map_err(|error| match error {
        CreateError::Refused(error) => refused(error).into(),
        CreateError::Lost(lost) => lost.problem().into(),
    })
}

/// Returns the exit code of a command that has created a key and handed its secret over, and prints the doubts about
/// the key.
pub(crate) fn ended(created: &CreatedKey) -> Exit {
    created.doubts.iter().for_each(|doubt| output::print_error(doubt));
    if created.doubts.is_empty() { Exit::Done } else { Exit::NotKnown }
}

/// Hands the secret of a key over to its destination, this once. A key whose secret reached nobody is invalidated
/// again.
///
/// # Errors
/// Returns an error if the secret could not be written, or if it is in its file and the key's data could not be
/// printed.
pub(crate) async fn hand_over(
    session: &Session,
    created: &CreatedKey,
    application_id: Option<&str>,
    outlet: SecretDestination,
    format: PlainFormat,
) -> Result<(), CliError> {
    let kept = match deliver(created, application_id, outlet) {
        Ok(kept) => kept,
        Err(error) => return Err(destination::take_back(session, created, &error).await),
    };
    let Some(path) = kept else { return Ok(()) };
    output::print_status(&format!("The encoded key is in {}, readable only by you", sanitize::shown(&path)));
    let written = match format {
        PlainFormat::Json => output::put_json(&CreatedJson {
            secret: SecretJson::in_file(path),
            ..CreatedJson::new(created, application_id)
        }),
        PlainFormat::Table => output::put(&output::facts(&facts(created, application_id))),
    };
    Ok(written?)
}

/// Writes the secret; returns the path of its file, if it is written to one.
fn deliver(
    created: &CreatedKey,
    application_id: Option<&str>,
    outlet: SecretDestination,
) -> Result<Option<String>, CliError> {
    let encoded = login::encode(created.id.as_str(), &created.secret);
    match outlet {
        SecretDestination::Json => {
            let json =
                CreatedJson { secret: SecretJson::new(created, &encoded), ..CreatedJson::new(created, application_id) };
            let text = Zeroizing::new(output::json(&json).map_err(CliError::Output)?);
            secret::write_stdout(&text).map(|()| None).map_err(CliError::Output)
        }
        SecretDestination::Screen => {
            let (id, secret) = (&created.id, created.secret.expose());
            let pair = Zeroizing::new(format!("{:16}{id}:{secret}\n{:16}{}\n", "id:key", "encoded", encoded.expose()));
            let text = Zeroizing::new(output::facts(&facts(created, application_id)) + &pair);
            secret::write_stdout(text.as_bytes()).map(|()| None).map_err(CliError::Output)
        }
        SecretDestination::File(file) => {
            let path = file.path().display().to_string();
            file.write(&encoded).map_err(CliError::Output)?;
            Ok(Some(path))
        }
    }
}

impl<'a> SecretJson<'a> {
    /// Creates the JSON with the secret itself.
    pub(crate) fn new(created: &'a CreatedKey, encoded: &'a Secret) -> Self {
        Self { api_key: Some(created.secret.expose()), encoded: Some(encoded.expose()), secret_file: None }
    }

    /// Creates the JSON with the path of the file that holds the secret.
    pub(crate) fn in_file(path: String) -> Self {
        Self { secret_file: Some(path), ..Self::default() }
    }
}

impl<'a> CreatedJson<'a> {
    /// Creates the JSON of a key, without its secret.
    fn new(created: &'a CreatedKey, application_id: Option<&'a str>) -> Self {
        Self {
            id: created.id.as_str(),
            name: &created.name,
            application_id,
            expiration: created.expires,
            secret: SecretJson::default(),
        }
    }
}

fn facts(created: &CreatedKey, application_id: Option<&str>) -> Vec<(&'static str, String)> {
    let zone = clock::zone();
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let now = clock::now();
    let expires = created.expires.map_or_else(
        || "never".into(),
        |at| format!("{} ({})", calendar::local(at, &zone), expiry::remaining(Some(at), now)),
    );
    vec![
        ("id", shown(created.id.as_str())),
        ("name", shown(&created.name)),
        ("application id", application_id.map_or_else(|| "none".into(), shown)),
        ("expires", expires),
    ]
}
