//! `keybearer create`: a key whose secret is sure to reach somebody, or no key at all.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use serde::Serialize;
use zeroize::Zeroizing;

use super::{
    connection::{self, ConnectionFlags},
    cross_cluster::{self, CrossArgs},
    draft::{self, Checked},
    error::{CliError, Exit},
    output::{self, PlainFormat},
    signals::Signals,
};
use crate::{
    client::{ClientError, CreatedKey},
    model::{
        Millis, calendar,
        create::{CreateKey, Draft, RightsChoice},
        descriptor, expiry, harmless, json_text, login,
        preset::Preset,
    },
    ops::{
        Problem, Session, clock,
        create::{self, CreateError},
    },
    store::secret_file::SecretFile,
};

/// The options of `create`.
#[derive(Args, Debug)]
pub(super) struct CreateArgs {
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    cross: CrossArgs,
}

/// The options that describe a key, and where its secret goes.
#[derive(Args, Debug)]
pub(super) struct KeyArgs {
    /// Name of the key; several keys may have one name
    #[arg(long)]
    name: String,
    /// Role that the key gets the rights of; repeat it for more
    #[arg(long = "role", value_name = "ROLE", conflicts_with_all = ["all_my_rights", "no_rights"])]
    roles: Vec<String>,
    /// Give the key all the rights that you have (of `grant`: that its owner has); say why with --reason
    #[arg(long, conflicts_with = "no_rights")]
    all_my_rights: bool,
    /// Give the key no rights at all
    #[arg(long)]
    no_rights: bool,
    /// Give the key the few rights that a purpose asks for
    #[arg(long, value_parser = preset_parser(), conflicts_with_all = ["roles", "all_my_rights", "no_rights"])]
    preset: Option<Preset>,
    /// Index pattern in place of those of --preset; repeat it for more
    #[arg(long = "index", value_name = "PATTERN", requires = "preset", conflicts_with_all = ["roles", "all_my_rights", "no_rights"])]
    patterns: Vec<String>,
    /// Descriptors of your own: a JSON object by name, or @FILE that holds one
    #[arg(long, value_name = "JSON|@FILE", conflicts_with_all = ["roles", "all_my_rights", "no_rights", "preset"])]
    role_descriptors: Option<String>,
    /// When it ends: 30m, 12h, 90d, a date such as 2027-02-21, or never (say why with --reason)
    #[arg(long, default_value = "90d", allow_hyphen_values = true, value_name = "WHEN")]
    expiration: String,
    /// Application id: an id of your own choosing, by which the key is found
    #[arg(long = "id", value_name = "ID")]
    application_id: Option<String>,
    /// More metadata: a JSON object, or @FILE that holds one
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Why it never ends, or has all rights; kept in the metadata
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Form of the output; json holds the secret
    #[arg(long, default_value = "table")]
    pub(super) output: PlainFormat,
    /// Write the encoded key to this new file, which only you may read, and nowhere else
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Print the request and send nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Where the secret goes; known before the key is made.
#[derive(Debug)]
pub(super) enum Outlet {
    Json,
    File(SecretFile),
    Screen,
}

#[derive(Serialize)]
struct CreatedJson<'a> {
    id: &'a str,
    name: &'a str,
    application_id: Option<&'a str>,
    expiration: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoded: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_file: Option<String>,
}

impl KeyArgs {
    /// The key as it was asked for, unchecked.
    ///
    /// # Errors
    /// When a file that is named can't be read.
    pub(super) fn draft(&self) -> Result<Draft, CliError> {
        Ok(Draft {
            name: self.name.clone(),
            application_id: self.application_id.clone().unwrap_or_default(),
            rights: match (self.all_my_rights, self.no_rights, self.preset) {
                (true, ..) => RightsChoice::AllMine,
                (_, true, _) => RightsChoice::Nothing,
                (.., Some(preset)) => RightsChoice::Preset(preset),
                _ if self.role_descriptors.is_some() => RightsChoice::Own,
                _ => RightsChoice::Roles,
            },
            roles: self.roles.clone(),
            patterns: self.patterns(),
            descriptors: json_or_file("--role-descriptors", self.role_descriptors.as_deref().unwrap_or_default())?,
            expiration: self.expiration.clone(),
            reason: self.reason.clone().unwrap_or_default(),
            metadata: json_or_file("--metadata", self.metadata.as_deref().unwrap_or_default())?,
        })
    }

    /// Those that were given, otherwise those of the preset.
    fn patterns(&self) -> Vec<String> {
        let own = self.preset.map(Preset::patterns).unwrap_or_default();
        if self.patterns.is_empty() {
            own.iter().map(|text| (*text).to_owned()).collect()
        } else {
            self.patterns.clone()
        }
    }

    /// Makes sure beforehand that the secret will reach somebody.
    ///
    /// # Errors
    /// When nobody would get it, or the file can't be made.
    pub(super) fn outlet(&self) -> Result<Outlet, CliError> {
        outlet(self.secret_file.as_deref(), self.output)
    }
}

/// The presets by their words, which help and errors list.
fn preset_parser() -> impl TypedValueParser<Value = Preset> {
    let values = Preset::ALL.map(|preset| PossibleValue::new(preset.word()).help(preset.meaning()));
    PossibleValuesParser::new(values).try_map(|word| Preset::find(&word).ok_or("there is no such preset"))
}

/// Makes sure beforehand that a secret will reach somebody.
///
/// # Errors
/// When nobody would get it, or the file can't be made.
pub(super) fn outlet(secret_file: Option<&Path>, format: PlainFormat) -> Result<Outlet, CliError> {
    if let Some(path) = secret_file {
        let file = SecretFile::create(path);
        return file.map(Outlet::File).map_err(|error| CliError::Fields(vec![format!("--secret-file: {error}")]));
    }
    if format == PlainFormat::Json {
        return Ok(Outlet::Json);
    }
    if output::someone_is_there() && std::io::stdout().is_terminal() {
        return Ok(Outlet::Screen);
    }
    Err(CliError::usage(
        "No key was created: its secret is told once, and nobody would get it here. Use --output json to have it \
         on stdout, or --secret-file PATH to have it in a file that only you may read",
    ))
}

/// What was given, or what is in the file that it names.
fn json_or_file(option: &str, text: &str) -> Result<String, CliError> {
    let Some(path) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let unreadable = |error| CliError::Fields(vec![format!("{option}: {path} can't be read: {error}")]);
    std::fs::read_to_string(path).map_err(unreadable)
}

pub(super) async fn run(flags: &ConnectionFlags, args: CreateArgs) -> Result<Exit, CliError> {
    if args.cross.is_asked() {
        return cross_cluster::create(flags, &args.key, &args.cross).await;
    }
    let args = args.key;
    let endpoint = flags.endpoint()?;
    let draft = args.draft()?;
    draft::check_before_connecting(&draft, &endpoint.login)?;
    if args.dry_run {
        let (session, checked) = draft::check(&endpoint, &draft).await?;
        return show_request(&session, &checked, args.output);
    }
    let outlet = args.outlet()?;
    let (session, checked) = draft::check(&endpoint, &draft).await?;
    output::say(&sentence(&checked));
    connection::say_acting(&session);
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let created = send(&session, &checked.key).await?;
    hand_over(&created, checked.key.application_id(), outlet, args.output)?;
    Ok(ended(&created))
}

impl Outlet {
    /// Whether a person who will see the secret on the screen wants the key; others said so by their options.
    ///
    /// # Errors
    /// When nothing can be read.
    pub(super) fn is_agreed(&self) -> Result<bool, CliError> {
        let agreed = !matches!(self, Self::Screen) || agreed()?;
        if !agreed {
            output::say("No key was created");
        }
        Ok(agreed)
    }
}

fn sentence(checked: &Checked) -> String {
    harmless::shown(&descriptor::plain(&checked.sentence)).into_owned()
}

fn show_request(session: &Session, checked: &Checked, format: PlainFormat) -> Result<Exit, CliError> {
    put_request("POST /_security/api_key", &checked.key.body(session.now()), format)?;
    output::say(&sentence(checked));
    connection::say_acting(session);
    output::say("Nothing was sent");
    Ok(Exit::Done)
}

/// Prints a request that is not sent; its body must hold no secret.
///
/// # Errors
/// When nobody takes it.
pub(super) fn put_request(head: &str, body: &str, format: PlainFormat) -> Result<(), CliError> {
    let body = json_text::pretty(body);
    match format {
        PlainFormat::Json => output::put(&format!("{body}\n")),
        PlainFormat::Table => output::put(&format!("{head}\n{body}\n")),
    }
}

fn agreed() -> Result<bool, CliError> {
    let answer = output::ask("Create the key and show its secret here, this once? [y/N]")?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Creates the key. Whoever interrupts it is told what the cluster made of the request.
///
/// # Errors
/// When there is no key, or one whose secret was lost.
pub(super) async fn send(session: &Session, key: &CreateKey) -> Result<CreatedKey, CliError> {
    sent_or_interrupted(session, create::create(session, key), Problem::from).await
}

/// Waits for a key that is being made. After a signal the cluster is asked for it, and the journal is closed.
///
/// # Errors
/// When there is no key, or one whose secret was lost.
pub(super) async fn sent_or_interrupted(
    session: &Session,
    sending: impl Future<Output = Result<CreatedKey, CreateError>>,
    refused: impl FnOnce(ClientError) -> Problem,
) -> Result<CreatedKey, CliError> {
    let mut signals = Signals::caught();
    let mut sending = std::pin::pin!(sending);
    let result = loop {
        tokio::select! {
            result = &mut sending => break result,
            () = signals.next() => {
                output::say("Interrupted: asking the cluster what became of the request");
                session.interrupt.set();
            }
        }
    };
    result.map_err(|error| match error {
        CreateError::Refused(error) => refused(error).into(),
        CreateError::Lost(lost) => lost.problem().into(),
    })
}

/// How a command ends that has made a key and handed its secret over: what is odd about the key is told.
pub(super) fn ended(created: &CreatedKey) -> Exit {
    created.doubts.iter().for_each(|doubt| output::complain(doubt));
    if created.doubts.is_empty() { Exit::Done } else { Exit::NotKnown }
}

/// Gives the secret of a key to whom it is for, this once.
///
/// # Errors
/// When it could not be written: then nobody knows it.
pub(super) fn hand_over(
    created: &CreatedKey,
    application_id: Option<&str>,
    outlet: Outlet,
    format: PlainFormat,
) -> Result<(), CliError> {
    let encoded = login::encode(created.id.as_str(), &created.secret);
    let mut json = CreatedJson {
        id: created.id.as_str(),
        name: &created.name,
        application_id,
        expiration: created.expires,
        api_key: None,
        encoded: None,
        secret_file: None,
    };
    match outlet {
        Outlet::Json => {
            json.api_key = Some(created.secret.expose());
            json.encoded = Some(encoded.expose());
            output::put_json(&json).map_err(|error| secret_is_lost(created, &error))
        }
        Outlet::Screen => {
            let (id, secret) = (&created.id, created.secret.expose());
            let pair = Zeroizing::new(format!("{:16}{id}:{secret}\n{:16}{}\n", "id:key", "encoded", encoded.expose()));
            let text = Zeroizing::new(output::facts(&facts(created, application_id)) + &pair);
            output::put(&text).map_err(|error| secret_is_lost(created, &error))
        }
        Outlet::File(file) => {
            let path = file.path().display().to_string();
            file.write(&encoded).map_err(|error| secret_is_lost(created, &CliError::Output(error)))?;
            output::say(&format!("The encoded key is in {}, which only you may read", harmless::shown(&path)));
            json.secret_file = Some(path);
            match format {
                PlainFormat::Json => output::put_json(&json),
                PlainFormat::Table => output::put(&output::facts(&facts(created, application_id))),
            }
        }
    }
}

fn facts(created: &CreatedKey, application_id: Option<&str>) -> Vec<(&'static str, String)> {
    let zone = clock::zone();
    let shown = |text: &str| harmless::shown(text).into_owned();
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

/// The key was made, and its secret reached nobody.
pub(super) fn secret_is_lost(created: &CreatedKey, error: &CliError) -> CliError {
    let why = match error {
        CliError::Output(error) => error.to_string(),
        _ => String::new(),
    };
    let title = format!("The key {} was created, and its secret could not be written", created.id);
    let hint = format!("Nobody knows the secret: `keybearer invalidate {}`, then create it again", created.id);
    CliError::problem(&title, &why, &hint)
}
