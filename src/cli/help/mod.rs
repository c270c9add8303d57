//! What `--help` and the manual pages tell beyond the options: examples, environment, exit codes and files. Each is
//! written once, here.

pub(super) mod examples;

use clap::Command;

use super::CREATE_API_KEY;

/// Environment variables, each with its meaning.
pub(super) const ENVIRONMENT: [(&str, &str); 12] = [
    ("ES_URL", "address of the cluster"),
    ("ES_CA_FILE", "PEM file with the certificates to trust"),
    ("ES_FINGERPRINT", "SHA-256 fingerprint of the certificate to trust"),
    ("ES_API_KEY", "API key to sign in with, encoded or id:key"),
    ("ES_TOKEN", "bearer token to sign in with"),
    ("ES_USERNAME, ES_PASSWORD", "user to sign in as; a missing password is prompted for on a terminal"),
    ("ES_SHARED_SECRET", "shared secret of a JWT realm, for `profiles save --issuer`"),
    ("KEYBEARER_CLIENT_SECRET", "secret of the client at an OpenID Connect provider, for the same"),
    ("KEYBEARER_JOURNAL", "folder of the activity journal, or off for none"),
    ("KEYBEARER_ROTATIONS", "folder of the rotations in progress"),
    ("KEYBEARER_CONFIG", "file with defaults, or off for none; see `keybearer config`"),
    ("NO_COLOR, CLICOLOR_FORCE", "no colors, or colors also into files and pipes; --color overrides them"),
];

/// Which of options, environment and profile counts.
pub(super) const PRECEDENCE: &str = "options override it, a profile replaces it; secrets are never options";

/// Exit codes, each with its meaning.
pub(super) const EXIT_CODES: [(&str, &str); 6] = [
    ("0", "done"),
    ("1", "failed or refused"),
    ("2", "usage"),
    ("3", "partly done, incomplete or not known"),
    ("4", "keys expire (of `expiring`)"),
    ("126, 127", "the command of `run` can't be run, or is not found; otherwise its own exit code"),
];

/// Files, each with its meaning.
pub(super) const FILES: [(&str, &str); 2] = [
    ("~/.config/keybearer/config.toml", "defaults of the command line: `keybearer config path`"),
    ("/etc/keybearer/policy.toml", "rules of this computer, set by its administrator: `keybearer policy show`"),
];

/// Returns a command with examples below its help and that of each of its subcommands; the help of the root also has
/// the environment and the exit codes.
pub(super) fn complete(command: Command) -> Command {
    let examples = examples_text("");
    with_examples(command, "").after_help(format!("{examples}\n{}", environment_text()))
}

/// Returns the command `elasticsearch-create-api-key` with examples below its help.
pub(super) fn complete_create_api_key(command: Command) -> Command {
    command.after_help(examples_text(CREATE_API_KEY).trim_end().to_owned())
}

/// `path` are the names of the command below the root, separated by spaces.
fn with_examples(command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let deeper = |command: Command, name: String| {
        let path = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command.mut_subcommand(name, |sub| with_examples(sub, &path))
    };
    let command = names.into_iter().fold(command, deeper);
    let text = examples_text(path);
    if text.is_empty() {
        return command;
    }
    // Behind what the command has to say itself.
    let own = command.get_after_help().map(|own| format!("{own}\n\n")).unwrap_or_default();
    command.after_help(format!("{own}{}", text.trim_end()))
}

fn examples_text(path: &str) -> String {
    let examples = examples::of(path);
    if examples.is_empty() {
        return String::new();
    }
    let lines = examples.iter().map(|(line, meaning)| format!("  {line}\n      {meaning}\n"));
    format!("Examples:\n{}", lines.collect::<String>())
}

fn environment_text() -> String {
    let widest = ENVIRONMENT.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let lines = ENVIRONMENT.iter().map(|(name, meaning)| format!("  {name:widest$}   {meaning}\n"));
    let codes: Vec<String> = EXIT_CODES.iter().map(|(code, meaning)| format!("  {code:8}  {meaning}")).collect();
    format!("Environment ({PRECEDENCE}):\n{}\nExit codes:\n{}", lines.collect::<String>(), codes.join("\n"))
}

#[cfg(test)]
mod tests;
