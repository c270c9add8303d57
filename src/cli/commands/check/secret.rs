//! `keybearer check secret`: the owner of a secret, whether it works and why not, and its privileges. The secret is
//! read from a prompt, from stdin or from a file, and never given as an argument.

use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        output::{self, PlainFormat, key_rights, key_row},
    },
    export::json_lines::KeyJson,
    model::{
        Timestamp,
        rights::RightsJson,
        secret::Secret,
        secret_text,
        text::{number::plural, sanitize},
    },
    ops::{
        clock,
        connections::connect,
        secret::identify::{self, Asked, Checked, Looked, Validity},
    },
};

/// The options of `check secret`.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit codes: 0 it works, 1 it does not work or lacks a requested privilege, 2 usage, 3 not known."
)]
pub(crate) struct CheckSecretArgs {
    /// Read the secret from this file; otherwise it is prompted for or read from stdin
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Index name or pattern to check; can be repeated
    #[arg(long = "index", value_name = "PATTERN")]
    indices: Vec<String>,
    /// Privilege on these indices; can be repeated [default: read]
    #[arg(long = "privilege", value_name = "NAME", requires = "indices")]
    privileges: Vec<String>,
    /// Cluster privilege to check; can be repeated
    #[arg(long = "cluster-privilege", value_name = "NAME")]
    cluster: Vec<String>,
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: PlainFormat,
}

#[derive(Serialize)]
struct CheckedJson<'a> {
    verdict: &'static str,
    reason: Option<&'static str>,
    words: Option<String>,
    id: &'a str,
    form: &'static str,
    mistakes: Vec<&'static str>,
    other_keys: usize,
    signs_in_as: Option<&'a str>,
    took_ms: Option<u64>,
    key: Option<KeyJson<'a>>,
    key_not_known: Option<&'a str>,
    privileges: Vec<AnswerJson<'a>>,
    privileges_not_known: Option<String>,
    rights: Option<RightsJson<'a>>,
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    privilege: &'a str,
    index: Option<&'a str>,
    granted: bool,
}

/// Runs the command; `output` is the form that was given before the word `secret`.
pub(crate) async fn run(flags: &ConnectionFlags, args: CheckSecretArgs, output: PlainFormat) -> Result<Exit, CliError> {
    let endpoint = flags.endpoint()?;
    let pasted = args.secret()?;
    let candidates = secret_text::read(&pasted).map_err(|error| CliError::usage(error.to_string()))?;
    drop(pasted);
    let tokens = environment::token_source(&endpoint);
    let session = connect::connect_by_rules(&endpoint, environment::policy(), tokens).await;
    let place = (&endpoint, environment::policy());
    let checked = identify::check(session.as_ref(), place, &candidates, &args.asked()).await;
    let Some(checked) = checked else { return Err(CliError::usage(secret_text::PastedError::Unreadable.to_string())) };
    let now = session.as_ref().map_or_else(|_| clock::now(), |session| session.now());
    match (args.output, output) {
        (PlainFormat::Table, PlainFormat::Table) => output::put(&text(&checked, now))?,
        _ => output::put_json(&json(&checked, now))?,
    }
    Ok(match &checked.validity {
        Validity::NotKnown(_) => Exit::NotKnown,
        Validity::Valid { .. } if checked.unanswered.is_some() => Exit::NotKnown,
        _ if checked.is_enough() => Exit::Done,
        _ => Exit::Failed,
    })
}

impl CheckSecretArgs {
    fn asked(&self) -> Asked {
        let default = if self.indices.is_empty() { Vec::new() } else { vec!["read".to_owned()] };
        Asked {
            cluster: self.cluster.clone(),
            indices: self.indices.clone(),
            privileges: if self.privileges.is_empty() { default } else { self.privileges.clone() },
        }
    }

    fn secret(&self) -> Result<Secret, CliError> {
        if let Some(path) = &self.secret_file {
            let read = File::open(path).and_then(read_all);
            return read
                .map_err(|error| CliError::usage(format!("--secret-file: {} can't be read: {error}", path.display())));
        }
        if io::stdin().is_terminal() {
            let question = "Secret to check (one line, not shown): ";
            return rpassword::prompt_password(question).map(Secret::new).map_err(|error| {
                CliError::usage(format!("Can't prompt for the secret ({error}): use --secret-file or stdin"))
            });
        }
        read_all(io::stdin().lock()).map_err(|error| CliError::usage(format!("stdin can't be read: {error}")))
    }
}

/// Reads a text into wiped memory, up to a little more than the maximum length of a key.
fn read_all(from: impl Read) -> io::Result<Secret> {
    const MAX_INPUT_BYTES: usize = 65 << 10;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_INPUT_BYTES + 1));
    from.take(MAX_INPUT_BYTES as u64).read_to_end(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not UTF-8 text"))?;
    Ok(Secret::new(text))
}

fn verdict(checked: &Checked) -> &'static str {
    match &checked.validity {
        Validity::Valid { .. } => "valid",
        Validity::Refused { .. } => "not_valid",
        Validity::NotKnown(_) => "not_known",
    }
}

fn json(checked: &Checked, now: Timestamp) -> CheckedJson<'_> {
    let found = match &checked.key {
        Looked::Found(found) => Some(found),
        _ => None,
    };
    let (identity, took) = match &checked.validity {
        Validity::Valid { identity, took } => (Some(identity), Some(*took)),
        _ => (None, None),
    };
    CheckedJson {
        verdict: verdict(checked),
        reason: match &checked.validity {
            Validity::Refused { why, .. } => Some(why.word()),
            _ => None,
        },
        words: match &checked.validity {
            Validity::NotKnown(problem) => Some(problem.words()),
            _ => checked.reason(now),
        },
        id: &checked.tried.id,
        form: checked.tried.form.words(),
        mistakes: checked.tried.mistakes.iter().map(|mistake| mistake.words()).collect(),
        other_keys: checked.others,
        signs_in_as: identity.map(|identity| identity.username.as_str()),
        took_ms: took,
        key: found.map(|found| KeyJson::new(&found.key, now)),
        key_not_known: match &checked.key {
            Looked::NotKnown(why) => Some(why),
            Looked::Missing => Some("you can't see such a key"),
            Looked::Found(_) => None,
        },
        privileges: checked
            .answers
            .iter()
            .map(|answer| AnswerJson {
                privilege: &answer.privilege,
                index: answer.on.first().map(String::as_str),
                granted: answer.granted,
            })
            .collect(),
        privileges_not_known: checked.unanswered.as_ref().map(|problem| problem.words()),
        rights: found.map(|found| RightsJson::new(&found.rights)),
    }
}

fn text(checked: &Checked, now: Timestamp) -> String {
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let (word, why) = match &checked.validity {
        Validity::Valid { took, .. } => ("valid", format!("it signs in ({took} ms)")),
        Validity::Refused { .. } => ("NOT VALID", checked.reason(now).unwrap_or_default()),
        Validity::NotKnown(problem) => ("not known", problem.words()),
    };
    let mut facts = vec![("verdict", shown(&format!("{word}: {why}")))];
    if let Validity::Refused { words, .. } = &checked.validity
        && !words.is_empty()
    {
        facts.push(("cluster says", shown(words)));
    }
    facts.push(("pasted", checked.tried.form.words().to_owned()));
    facts.extend(checked.tried.mistakes.iter().map(|mistake| ("note", mistake.words().to_owned())));
    if checked.others > 0 {
        facts.push(("note", format!("the pasted text contains {} more", plural(checked.others as u64, "key"))));
    }
    facts.push(("id", shown(&checked.tried.id)));
    let mut rights = String::new();
    match &checked.key {
        Looked::Found(found) => {
            let key = &found.key;
            facts.push(("name", shown(&key.name)));
            facts.push(("application id", key.application_id().map_or_else(|| "none".into(), shown)));
            facts.push(("owner", shown(&format!("{} (realm {})", key.owner.username, key.owner.realm))));
            facts.push(("status", key_row::status_label(key, now).to_owned()));
            facts.push(("expires", key_row::expires_and_remaining(key, now)));
            rights = key_rights::text(found);
        }
        Looked::Missing => facts.push(("key", "not known: you can't see a key with this id".into())),
        Looked::NotKnown(why) => facts.push(("key", shown(&format!("not known: {why}")))),
    }
    if let (Validity::Valid { identity, .. }, false) = (&checked.validity, matches!(checked.key, Looked::Found(_))) {
        let name = if identity.username.is_empty() { "not known" } else { identity.username.as_str() };
        facts.push(("owner", shown(name)));
    }
    let mut text = output::facts(&facts);
    text.push_str(&answers(checked));
    text.push_str(&rights);
    text
}

/// Formats the requested privileges, each with the cluster's answer.
fn answers(checked: &Checked) -> String {
    if let Some(problem) = &checked.unanswered {
        return format!("\nrequested privileges\n  not known: {}\n", sanitize::shown(&problem.words()));
    }
    let rows: Vec<Vec<String>> = checked
        .answers
        .iter()
        .map(|answer| {
            let on = answer.on.first().map_or("the cluster", String::as_str);
            let word = if answer.granted { "yes" } else { "NO" };
            vec![word.into(), sanitize::shown(&answer.privilege).into_owned(), sanitize::shown(on).into_owned()]
        })
        .collect();
    if rows.is_empty() { String::new() } else { format!("\n{}", output::table(&["GRANTED", "PRIVILEGE", "ON"], &rows)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_not_endless_and_has_to_be_text() {
        assert_eq!(read_all(&b"id:key\n"[..]).unwrap(), Secret::new("id:key\n"));
        assert!(read_all(&b"\xff"[..]).is_err());
        let long = vec![b'x'; 1 << 20];
        let read = read_all(&long[..]).unwrap();
        assert_eq!(secret_text::read(&read).unwrap_err(), secret_text::PastedError::TooLong);
    }
}
