//! `keybearer snippet`: a key for its consumer, as a text to paste. The secret is named; it is in the text only on
//! request.

use std::io::{IsTerminal, Read};

use clap::{Args, ValueEnum};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        keys::named,
        output::{self, Format},
    },
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId, KeyKind},
        connections::login::Login,
        secret::Secret,
        snippet::{Consumer, Key, KeyText, Site},
        text::sanitize,
        time::expiry,
    },
    ops::Session,
};

/// The options of `snippet`.
#[derive(Args, Debug)]
pub(crate) struct SnippetArgs {
    /// Id, application id or name of the key
    #[arg(value_name = "KEY", required_unless_present = "list", requires = "consumer", value_parser = crate::cli::args::reference::reference)]
    reference: Option<String>,
    /// Consumer of the key, such as python, filebeat, kubernetes or dotenv; --list shows all
    #[arg(long = "for", value_name = "CONSUMER", required_unless_present = "list")]
    consumer: Option<String>,
    /// List the consumers with the key format that each expects; no cluster is contacted
    #[arg(long, conflicts_with_all = ["reference", "consumer", "literal", "secret_stdin"])]
    list: bool,
    /// Include the secret itself in the text: from the keyring if saved there, otherwise prompted for without echo
    #[arg(long)]
    literal: bool,
    /// Read the secret of --literal from stdin, as id:key, encoded or alone
    #[arg(long, requires = "literal")]
    secret_stdin: bool,
    /// Output format [default: text, and table for --list]
    #[arg(short, long)]
    output: Option<SnippetFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum SnippetFormat {
    /// Only the text, for pasting
    Text,
    /// JSON
    Json,
    /// Aligned columns for people, for --list
    Table,
    /// Comma-separated values, for --list
    Csv,
}

#[derive(Serialize)]
struct ConsumerJson {
    word: &'static str,
    aliases: &'static [&'static str],
    title: &'static str,
    group: &'static str,
    form: &'static str,
    takes: &'static str,
}

#[derive(Serialize)]
struct SnippetJson<'a> {
    consumer: &'static str,
    title: &'static str,
    form: &'static str,
    id: &'a str,
    name: &'a str,
    literal: bool,
    text: &'a str,
    hints: &'a [String],
}

/// Size limit of a secret in bytes: more than any key in any form.
const MAX_SECRET_BYTES: u64 = 16 * 1024;

pub(crate) async fn run(flags: &ConnectionFlags, args: SnippetArgs) -> Result<Exit, CliError> {
    if args.list {
        return list(args.output);
    }
    let is_json = match args.output {
        Some(SnippetFormat::Json) => true,
        Some(SnippetFormat::Text) | None => false,
        Some(SnippetFormat::Table | SnippetFormat::Csv) => {
            return Err(CliError::usage("--output table and csv are for --list: a snippet is text or json"));
        }
    };
    let consumer = consumer(args.consumer.as_deref().unwrap_or_default())?;
    // Before anything else that could ask on the terminal.
    let given = if args.secret_stdin { Some(secret_from_stdin()?) } else { None };
    let session = flags.session().await?;
    let Some(key) = named::one(&session, args.reference.as_deref().unwrap_or_default()).await? else {
        return Ok(Exit::Failed);
    };
    check_kind(consumer, &key)?;
    warn_of_its_end(&key, session.now());
    let literal = if args.literal { Some(KeyText::real(&key.id, &secret(&key, given)?)) } else { None };
    hand_over(&session, &key, consumer, literal.as_ref(), is_json)
}

fn hand_over(
    session: &Session,
    key: &ApiKey,
    consumer: Consumer,
    literal: Option<&KeyText>,
    is_json: bool,
) -> Result<Exit, CliError> {
    let endpoint = session.client.endpoint();
    let site = Site { url: endpoint.url.as_str(), trust: &endpoint.trust };
    let text = consumer.text(site, literal.map_or(Key::Reference, Key::Literal));
    let hints = consumer.hints(site, literal.is_some());
    if is_json {
        output::put_json(&SnippetJson {
            consumer: consumer.word(),
            title: consumer.name(),
            form: consumer.form().word(),
            id: key.id.as_str(),
            name: &key.name,
            literal: literal.is_some(),
            text: &text,
            hints: &hints,
        })?;
    } else {
        output::put(&text)?;
        if !text.ends_with('\n') {
            output::put("\n")?;
        }
    }
    hints.iter().for_each(|hint| output::print_status(&sanitize::shown(hint)));
    if literal.is_some() {
        output::print_status("The text contains the secret: keep it out of shell histories, tickets and repositories");
    }
    Ok(Exit::Done)
}

fn list(format: Option<SnippetFormat>) -> Result<Exit, CliError> {
    let format = match format {
        None | Some(SnippetFormat::Table | SnippetFormat::Text) => Format::Table,
        Some(SnippetFormat::Json) => Format::Json,
        Some(SnippetFormat::Csv) => Format::Csv,
    };
    let rows: Vec<ConsumerJson> = Consumer::ALL.into_iter().map(ConsumerJson::new).collect();
    match format {
        Format::Json => output::put_json(&rows)?,
        Format::Csv => {
            let head = ["word", "aliases", "title", "group", "form", "takes"];
            output::put_csv(&head, rows.iter().map(ConsumerJson::cells))?;
        }
        Format::Table => {
            let row = |row: &ConsumerJson| {
                let texts = [row.word, row.title, row.form];
                let mut cells: Vec<String> = texts.into_iter().map(str::to_owned).collect();
                cells.push(row.aliases.join(", "));
                cells
            };
            let rows: Vec<Vec<String>> = rows.iter().map(row).collect();
            output::put(&output::table(&["NAME", "TITLE", "FORMAT", "ALIASES"], &rows))?;
        }
    }
    Ok(Exit::Done)
}

impl ConsumerJson {
    fn new(consumer: Consumer) -> Self {
        Self {
            word: consumer.word(),
            aliases: consumer.aliases(),
            title: consumer.name(),
            group: consumer.group().title(),
            form: consumer.form().word(),
            takes: consumer.takes(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let aliases = self.aliases.join(" ");
        [self.word, &aliases, self.title, self.group, self.form, self.takes].map(str::to_owned).to_vec()
    }
}

fn consumer(word: &str) -> Result<Consumer, CliError> {
    if let Some(consumer) = Consumer::find(word) {
        return Ok(consumer);
    }
    let near = Consumer::nearest(word);
    let guess = if near.is_empty() { ":".into() } else { format!(", did you mean {}?", near.join(", ")) };
    let words = format!("--for: There is no consumer “{word}”{guess} `keybearer snippet --list` shows all");
    Err(CliError::Fields(vec![words]))
}

/// Refuses a key of a kind that the consumer can't use: such a text would never work.
fn check_kind(consumer: Consumer, key: &ApiKey) -> Result<(), CliError> {
    if consumer.takes_kind(&key.kind) {
        return Ok(());
    }
    let (title, detail, hint) = if key.kind == KeyKind::CrossCluster {
        (
            format!("{} is a cross-cluster key, which works only between clusters", key.id),
            format!("{} can't sign in with it", consumer.name()),
            "Use --for remote-cluster on the cluster that connects",
        )
    } else {
        (
            format!("{} is a {} key, but remote clusters accept only cross-cluster keys", key.id, key.kind.word()),
            String::new(),
            "Create a cross-cluster key on the cluster to connect to",
        )
    };
    Err(CliError::problem(&title, &detail, hint))
}

fn warn_of_its_end(key: &ApiKey, now: Timestamp) {
    let id = &key.id;
    if key.invalidated {
        output::print_error(&format!("Warning: {id} is invalidated, so every request with it is refused"));
    } else if key.expires.is_some_and(|at| at <= now) {
        let when = expiry::ago(key.expires.unwrap_or(now), now);
        output::print_error(&format!("Warning: {id} expired {when}, so every request with it is refused"));
    }
}

fn secret_from_stdin() -> Result<Zeroizing<String>, CliError> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_SECRET_BYTES as usize + 1));
    let read = std::io::stdin().lock().take(MAX_SECRET_BYTES + 1).read_to_string(&mut text);
    match read {
        Ok(length) if length as u64 <= MAX_SECRET_BYTES => Ok(text),
        Ok(_) => Err(CliError::Fields(vec!["--secret-stdin: This is too long for the secret of a key".into()])),
        Err(error) => Err(CliError::Fields(vec![format!("--secret-stdin: It can't be read: {error}")])),
    }
}

/// Returns the secret: as given, as kept, or as typed.
fn secret(key: &ApiKey, given: Option<Zeroizing<String>>) -> Result<Secret, CliError> {
    if let Some(text) = given {
        return secret_of(&text, &key.id).map_err(|words| CliError::Fields(vec![format!("--secret-stdin: {words}")]));
    }
    let kept = environment::kept_secret(&key.id);
    if let Ok(Some(kept)) = &kept {
        let useless = "The keyring entry of this key can't be used";
        return secret_of(kept.expose(), &key.id).map_err(|words| CliError::problem(useless, &words, ""));
    }
    if !std::io::stdin().is_terminal() {
        let give = "Provide it with --secret-stdin, or omit --literal to use a variable instead";
        return Err(match kept {
            Err(CliError::Problem(problem)) => CliError::problem(&problem.title, &problem.detail, give),
            _ => CliError::problem(
                "The secret of this key is not in the keyring, and clusters can't reveal it",
                "",
                give,
            ),
        });
    }
    if let Err(CliError::Problem(problem)) = &kept {
        output::print_error(&problem.title);
    }
    let question = format!("Secret of {} (id:key, encoded or alone): ", sanitize::shown(&key.name));
    let typed = rpassword::prompt_password(question).map(Zeroizing::new).map_err(CliError::Output)?;
    secret_of(&typed, &key.id).map_err(CliError::usage)
}

/// Reads a secret in any of its forms, and checks that it is not that of another key.
fn secret_of(text: &str, id: &KeyId) -> Result<Secret, String> {
    match Login::from_api_key_text(text) {
        Ok(Login::ApiKey { id: of, secret }) if of == id.as_str() => Ok(secret),
        Ok(Login::ApiKey { id: of, .. }) => {
            Err(format!("This is the secret of {}, not of {id}", sanitize::shortened(&of, 40)))
        }
        Ok(Login::CloudKey(_)) => Err(format!("This is a key of Elastic Cloud, not the secret of {id}")),
        _ => {
            let text = text.trim();
            let is_secret = !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && c != ':');
            if is_secret { Ok(Secret::new(text)) } else { Err("This is not the secret of a key".into()) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_in_every_form_and_never_taken_for_another_key_s() {
        let id = KeyId::new("id");
        for text in ["id:key", "aWQ6a2V5", "key", " key\n", "Authorization: ApiKey aWQ6a2V5"] {
            assert_eq!(secret_of(text, &id), Ok(Secret::new("key")), "{text}");
        }
        let other = secret_of("other:hunter2", &id).unwrap_err();
        assert!(other.contains("other") && !other.contains("hunter2"));
        for text in ["", " ", "a b", "a:b:c", "essu_YTpi"] {
            assert!(secret_of(text, &id).is_err(), "{text}");
        }
    }

    #[test]
    fn an_unknown_consumer_is_told_with_its_neighbours() {
        let words = |word: &str| match consumer(word) {
            Err(CliError::Fields(lines)) => lines.join(""),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            words("logstsh"),
            "--for: There is no consumer “logstsh”, did you mean logstash? `keybearer snippet --list` shows all"
        );
        assert_eq!(words("qqqqqqqq"), "--for: There is no consumer “qqqqqqqq”: `keybearer snippet --list` shows all");
        assert_eq!(consumer("metricbeat").ok(), Some(Consumer::Beats));
    }

    #[test]
    fn keys_between_clusters_and_others_are_kept_apart() {
        let key = |kind| ApiKey { kind, ..ApiKey::default() };
        assert!(check_kind(Consumer::Python, &key(KeyKind::Rest)).is_ok());
        assert!(check_kind(Consumer::RemoteCluster, &key(KeyKind::CrossCluster)).is_ok());
        assert!(check_kind(Consumer::Python, &key(KeyKind::CrossCluster)).is_err());
        assert!(check_kind(Consumer::RemoteCluster, &key(KeyKind::Rest)).is_err());
    }
}
