//! The command `elasticsearch-create-api-key`: a key's id and secret on two lines, and nothing else on stdout.

use std::{
    ffi::{OsStr, OsString},
    path::Path,
    process::ExitCode,
};

use clap::{CommandFactory, FromArgMatches, Parser};
use zeroize::Zeroizing;

use super::{
    CREATE_API_KEY,
    args::{
        connection::{ConnectionFlags, check_writable},
        draft,
    },
    commands::create,
    environment,
    error::{self, CliError, Exit},
    help, output,
    output::{destination, secret},
    version,
};
use crate::{
    cli::output::created_key,
    model::{create::Draft, privileges::descriptor, text::sanitize},
};

/// Create an API key from a role, and print its id and its secret.
///
/// The cluster and the sign-in come from the options or from the environment, as for `keybearer`:
/// ES_URL, ES_CA_FILE or ES_FINGERPRINT, ES_API_KEY, or ES_USERNAME and ES_PASSWORD.
#[derive(Parser, Debug)]
#[command(name = CREATE_API_KEY, version, max_term_width = 100)]
struct CreateApiKeyArgs {
    /// Name of the key
    #[arg(long)]
    name: String,
    /// Role whose privileges the key gets; can be repeated
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<String>,
    /// When it expires: 30m, 12h, 90d, a date such as 2027-02-21, or never (explain why with --reason)
    #[arg(long, default_value = "90d", allow_hyphen_values = true, value_name = "WHEN")]
    expiration: String,
    /// Application id: an id of your choice by which Keybearer finds the key
    #[arg(long = "id", value_name = "ID")]
    application_id: Option<String>,
    /// Reason why it never expires, or lives for more than a year; saved in the metadata
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    connection: ConnectionFlags,
}

/// Returns `true` if a program was started by the name of this command, such as by a link to `keybearer`.
pub fn is_called(program: Option<&OsStr>) -> bool {
    program.and_then(|path| Path::new(path).file_stem()).is_some_and(|name| name == CREATE_API_KEY)
}

/// Returns the command as clap knows it, with examples in its help.
pub(super) fn command() -> clap::Command {
    help::complete_create_api_key(CreateApiKeyArgs::command().long_version(version::long()))
}

/// Runs the whole command.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let parsed = command().try_get_matches_from(args);
    match parsed.and_then(|matches| CreateApiKeyArgs::from_arg_matches(&matches)) {
        Ok(article) => super::finish(environment::run(article.run())),
        Err(error) => error::print_clap(error),
    }
}

impl CreateApiKeyArgs {
    async fn run(self) -> Result<Exit, CliError> {
        let draft = Draft {
            name: self.name,
            application_id: self.application_id.unwrap_or_default(),
            roles: self.roles,
            expiration: self.expiration,
            reason: self.reason.unwrap_or_default(),
            ..Draft::default()
        };
        let connection = self.connection.settled();
        if !connection.several().is_empty() {
            return Err(CliError::usage("A key is created through one connection: use --profile once"));
        }
        let endpoint = connection.endpoint()?;
        draft::check_before_connecting(&draft, &endpoint.login)?;
        if secret::check_stdout("").is_err() {
            return Err(CliError::usage(
                "No key was created: its secret is shown only once and would reach nobody, because standard output is \
                 closed, the null device or not open for writing. Use a pipe or a file",
            ));
        }
        check_writable(&endpoint)?;
        let (session, checked) = draft::check(&endpoint, &draft).await?;
        let session = connection.confirm(&session)?;
        let created = create::send(&session, &checked.key).await?;
        let text = Zeroizing::new(format!("id: {}\nkey: {}\n", created.id, created.secret.expose()));
        if let Err(error) = secret::write_stdout(text.as_bytes()).map_err(CliError::Output) {
            return Err(destination::take_back(&session, &created, &error).await);
        }
        output::print_status(&sanitize::shown(&descriptor::plain(&checked.sentence)));
        if let Some(application_id) = checked.key.application_id() {
            output::print_status(&format!(
                "Elasticsearch generates the id: clients use the one above, and Keybearer also finds the key by “{}”",
                sanitize::shown(application_id)
            ));
        }
        Ok(created_key::ended(&created))
    }
}
