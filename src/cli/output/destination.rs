//! Destination of a secret that is shown only once: chosen and checked as far as possible before there is a secret.

use std::{
    io::{self, IsTerminal},
    path::Path,
    sync::atomic::AtomicBool,
};

use super::{PlainFormat, secret};
use crate::{
    cli::{error::CliError, output},
    client::CreatedKey,
    model::api_key::KeyId,
    ops::{
        Session,
        invalidate::{self, InvalidationPlan},
    },
    store::secret_file::SecretFile,
};

/// Destination of the secret of a key.
#[derive(Debug)]
pub(crate) enum SecretDestination {
    /// A field of the JSON on stdout.
    Json,
    /// A file that only its owner may read.
    File(SecretFile),
    /// Stdout, read by a person.
    Screen,
}

/// Chooses the destination of a new key's secret, and checks beforehand that the secret will reach somebody.
///
/// # Errors
/// Returns an error if the secret would reach nobody, or the file can't be created.
pub(crate) fn destination(secret_file: Option<&Path>, format: PlainFormat) -> Result<SecretDestination, CliError> {
    if let Some(path) = secret_file {
        check_path("--secret-file", path)?;
        let file = SecretFile::create(path);
        return file
            .map(SecretDestination::File)
            .map_err(|error| CliError::Fields(vec![format!("--secret-file: {error}")]));
    }
    check_stdout(format)?;
    Ok(if format == PlainFormat::Json { SecretDestination::Json } else { SecretDestination::Screen })
}

/// Refuses a path that other programs take for stdout; a file of that name would be a surprise.
///
/// # Errors
/// Returns a usage error if the path is `-`.
pub(crate) fn check_path(option: &str, path: &Path) -> Result<(), CliError> {
    if path == Path::new("-") {
        return Err(CliError::usage(format!(
            "{option} requires the path of a file. To print the secret to stdout, use --output json without {option}; \
             for a file that is really named -, use ./-"
        )));
    }
    Ok(())
}

/// Checks that a secret on stdout reaches somebody: JSON on anything that can be written and is not the null device,
/// text where stdin, stdout and stderr are terminals.
fn check_stdout(format: PlainFormat) -> Result<(), CliError> {
    secret::check_stdout("No key was created")?;
    if format == PlainFormat::Json || output::someone_is_there() && io::stdout().is_terminal() {
        return Ok(());
    }
    Err(CliError::usage(
        "No key was created: its secret is shown only once and would reach nobody here. Use --output json to print it \
         to stdout, or --secret-file PATH to write it to a file readable only by you",
    ))
}

/// Invalidates a key whose secret reached nobody, and describes the result.
pub(crate) async fn take_back(session: &Session, created: &CreatedKey, error: &CliError) -> CliError {
    // Nothing else tells of another key that the request made.
    created.doubts.iter().for_each(|doubt| output::print_error(doubt));
    let why = match error {
        CliError::Output(error) => error.to_string(),
        _ => String::new(),
    };
    let (id, plan) = (&created.id, plan(&created.id));
    let title = format!("The key {id} was created, but its secret could not be written");
    let outcome = invalidate::many(session, plan, &AtomicBool::new(false), |_| ()).await;
    if outcome.done.contains(id) {
        let hint = "The key was invalidated and read back to verify. Fix the output, then create the key again";
        return CliError::problem(&title, &why, hint);
    }
    let reason = outcome.failed.first().map(|(_, reason)| format!(" ({reason})")).unwrap_or_default();
    let hint = format!(
        "Nobody knows the secret, and the key is not confirmed as invalidated{reason}: run `keybearer invalidate {id}`"
    );
    CliError::problem(&title, &why, &hint)
}

fn plan(id: &KeyId) -> InvalidationPlan {
    InvalidationPlan { ids: vec![id.clone()], ..InvalidationPlan::default() }
}
