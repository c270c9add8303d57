//! `keybearer run`: a command with the secret of a key in its environment, and nowhere else.

use std::{ffi::OsString, process::Command};

use clap::Args;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        output,
    },
    model::{
        connections::{endpoint::Endpoint, login::Login},
        secret::Secret,
        secret_text::template::{Part, Template},
    },
    ops::secret::kept::{self, KeyState},
    store::vault::kept_secrets::KeptSecret,
};

/// Variable that the encoded key is put into unless others are chosen.
const DEFAULT_VARIABLE: &str = "ES_API_KEY";

/// The options of `run`.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Id or name of a key whose secret is kept in the keyring
    #[arg(long, value_name = "KEY", value_parser = crate::cli::args::reference::reference)]
    key: String,
    /// Environment variable for the command, encoded unless it has a format with {encoded}, {id}, {api_key}, {name} or
    /// {url}; can be repeated [default: ES_API_KEY]
    #[arg(long, value_name = "VAR[=FORMAT]", value_parser = variable)]
    env: Vec<Variable>,
    /// Command to run, with its arguments
    #[arg(value_name = "COMMAND", required = true, last = true)]
    command: Vec<OsString>,
}

/// An environment variable of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Variable {
    name: String,
    template: Template,
}

fn variable(text: &str) -> Result<Variable, String> {
    let (name, template) = match text.split_once('=') {
        Some((name, format)) => (name, Template::parse(format)?),
        None => (text, Template::default()),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(fits) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a variable has a name of letters, digits and _, such as ES_API_KEY".into());
    }
    Ok(Variable { name: name.to_owned(), template })
}

pub(crate) async fn run(flags: &ConnectionFlags, args: RunArgs) -> Result<Exit, CliError> {
    let reference = args.key.clone();
    let kept = environment::kept_secret_named(reference)?;
    let variables = match args.env.is_empty() {
        true => vec![Variable { name: DEFAULT_VARIABLE.to_owned(), template: Template::default() }],
        false => args.env,
    };
    let needs_url = variables.iter().any(|variable| variable.template.has(Part::Url));
    // Without an option for the cluster, nothing is asked of it: the command starts at once, also offline.
    let endpoint = match needs_url || !flags.is_empty() {
        true => Some(endpoint(flags)?),
        false => None,
    };
    if let Some(endpoint) = endpoint.as_ref().filter(|_| !flags.is_empty()) {
        match kept::state(endpoint, environment::policy(), &kept).await {
            KeyState::Works => {}
            KeyState::Refused(problem) => return Err((*problem).into()),
            KeyState::NotKnown(problem) => {
                output::print_error(&format!("Warning: it is not known whether the key works: {}", problem.words()));
            }
        }
    }
    let url = endpoint.as_ref().map_or("", |endpoint| endpoint.url.as_str());
    let values = values(&kept, url, &variables)?;
    let mut words = args.command.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    for (variable, value) in variables.iter().zip(&values) {
        command.env(&variable.name, value.expose());
    }
    drop((values, kept));
    start(command)
}

/// Returns the endpoint that the options or the environment name, without a credential: the key is one.
fn endpoint(flags: &ConnectionFlags) -> Result<Endpoint, CliError> {
    let flags = ConnectionFlags { is_asked_later: true, ..flags.clone() };
    flags.endpoint_by(Some(Login::Bearer(Secret::default())))
}

fn values(kept: &KeptSecret, url: &str, variables: &[Variable]) -> Result<Vec<Secret>, CliError> {
    let Ok(Login::ApiKey { id, secret }) = Login::from_api_key_text(kept.encoded.expose()) else {
        return Err(CliError::problem("The keyring entry of this key can't be used", "", "Keep its secret again"));
    };
    let value = |part: Part| match part {
        Part::Encoded => kept.encoded.expose(),
        Part::Id => id.as_str(),
        Part::ApiKey => secret.expose(),
        Part::Name => kept.name.as_str(),
        Part::Url => url,
    };
    Ok(variables.iter().map(|variable| variable.template.fill(value)).collect())
}

/// Becomes the command: its signals and its exit code are its own.
#[cfg(unix)]
fn start(mut command: Command) -> Result<Exit, CliError> {
    use std::os::unix::process::CommandExt as _;
    // Returns only where the command can't be started.
    let error = command.exec();
    Ok(not_started(&command, &error))
}

/// Runs the command, and ends with its exit code.
#[cfg(not(unix))]
fn start(mut command: Command) -> Result<Exit, CliError> {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => Ok(not_started(&command, &error)),
    }
}

/// Reports a command that can't be started, with the exit code that shells have for it.
fn not_started(command: &Command, error: &std::io::Error) -> Exit {
    let program = output::cell(&command.get_program().to_string_lossy());
    output::print_error(&format!("{program} can't be run: {error}"));
    if error.kind() == std::io::ErrorKind::NotFound { Exit::CommandNotFound } else { Exit::CommandNotRun }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::api_key::KeyId;

    #[test]
    fn a_variable_has_a_name_and_may_have_a_format() {
        assert_eq!(variable("A_1"), Ok(Variable { name: "A_1".into(), template: Template::default() }));
        let headers = variable("H=Authorization=ApiKey {encoded}").unwrap();
        let kept =
            KeptSecret { id: KeyId::new("id"), name: "app".into(), encoded: Secret::new("aWQ6a2V5"), cluster: None };
        let filled = values(&kept, "", &[headers]).unwrap();
        assert_eq!(filled[0].expose(), "Authorization=ApiKey aWQ6a2V5");
        for text in ["", "=x", "1A", "A-B", "A B", "A={odd}"] {
            assert!(variable(text).is_err(), "{text}");
        }
    }
}
