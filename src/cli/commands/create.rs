//! `keybearer create`: a key whose secret is sure to reach somebody, or no key at all.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    cli::{
        args::{
            connection::{self, ConnectionFlags},
            cross_cluster::{self, CrossArgs},
            draft::{self, Checked},
            json_input,
        },
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
        Millis,
        connections::login,
        create::{CreateKey, Draft, RightsChoice, preset::Preset},
        privileges::descriptor,
        text::{json, sanitize},
        time::{calendar, expiry},
    },
    ops::{
        Problem, Session, clock,
        create::{self, CreateError},
    },
};

/// The options of `create`.
#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    cross: CrossArgs,
}

/// The options that describe a key, and where its secret goes.
#[derive(Args, Debug)]
pub(crate) struct KeyArgs {
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
    /// When it ends: 30m, 12h, 90d, 2w (14 days), 1y (365 days), tomorrow, a date such as 2027-02-21, or never; more
    /// than a year needs --reason
    #[arg(long, default_value = "90d", allow_hyphen_values = true, value_name = "WHEN")]
    expiration: String,
    /// Application id: an id of your own choosing, by which the key is found
    #[arg(long = "id", value_name = "ID")]
    application_id: Option<String>,
    /// More metadata: a JSON object, or @FILE that holds one
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Why it never ends, lives for more than a year, or has all rights; kept in the metadata
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Form of the output; json holds the secret
    #[arg(short, long, default_value = "table")]
    pub(crate) output: PlainFormat,
    /// Write the encoded key to this new file, which only you may read, and nowhere else
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Print the request and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
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
    /// Returns the draft of the key as given, unchecked.
    ///
    /// # Errors
    /// Returns an error if a file named by an option can't be read.
    pub(crate) fn draft(&self) -> Result<Draft, CliError> {
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

    /// Returns the given index patterns, otherwise those of the preset.
    fn patterns(&self) -> Vec<String> {
        let own = self.preset.map(Preset::patterns).unwrap_or_default();
        if self.patterns.is_empty() {
            own.iter().map(|text| (*text).to_owned()).collect()
        } else {
            self.patterns.clone()
        }
    }

    /// Chooses the destination, and checks beforehand that the secret will reach somebody.
    ///
    /// # Errors
    /// Returns an error if the secret would reach nobody, or the file can't be created.
    pub(crate) fn destination(&self) -> Result<SecretDestination, CliError> {
        destination::destination(self.secret_file.as_deref(), self.output)
    }
}

/// Returns the parser of presets by their names, which help and errors list.
fn preset_parser() -> impl TypedValueParser<Value = Preset> {
    let values = Preset::ALL.map(|preset| PossibleValue::new(preset.word()).help(preset.meaning()));
    PossibleValuesParser::new(values).try_map(|word| Preset::find(&word).ok_or("there is no such preset"))
}

/// Returns the given JSON, or the text of the file that it names.
fn json_or_file(option: &str, text: &str) -> Result<String, CliError> {
    json_input::text(text).map_err(|why| CliError::Fields(vec![format!("{option}: {why}")]))
}

pub(crate) async fn run(flags: &ConnectionFlags, args: CreateArgs) -> Result<Exit, CliError> {
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
    let outlet = args.destination()?;
    let (session, checked) = draft::check(&endpoint, &draft).await?;
    output::print_status(&sentence(&checked));
    connection::say_acting(&session);
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let created = send(&session, &checked.key).await?;
    hand_over(&session, &created, checked.key.application_id(), outlet, args.output).await?;
    Ok(ended(&created))
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

fn sentence(checked: &Checked) -> String {
    sanitize::shown(&descriptor::plain(&checked.sentence)).into_owned()
}

fn show_request(session: &Session, checked: &Checked, format: PlainFormat) -> Result<Exit, CliError> {
    put_request("POST /_security/api_key", &checked.key.body(session.now()), format)?;
    output::print_status(&sentence(checked));
    connection::say_acting(session);
    output::print_status("Nothing was sent");
    Ok(Exit::Done)
}

/// Prints a request that is not sent; its body must hold no secret.
///
/// # Errors
/// Returns an error if stdout can't be written.
pub(crate) fn put_request(head: &str, body: &str, format: PlainFormat) -> Result<(), CliError> {
    let body = json::pretty(body);
    match format {
        PlainFormat::Json => output::put(&format!("{body}\n")),
        PlainFormat::Table => output::put(&format!("{head}\n{body}\n")),
    }
}

fn agreed() -> Result<bool, CliError> {
    let answer = output::ask("Create the key and show its secret here, this once? [y/N]")?;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// Creates the key. After an interrupt, reports what the cluster made of the request.
///
/// # Errors
/// Returns an error if no key was created, or its secret was lost.
pub(crate) async fn send(session: &Session, key: &CreateKey) -> Result<CreatedKey, CliError> {
    sent_or_interrupted(session, create::create(session, key), Problem::from).await
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
    output::print_status(&format!("The encoded key is in {}, which only you may read", sanitize::shown(&path)));
    match format {
        PlainFormat::Json => {
            output::put_json(&CreatedJson { secret_file: Some(path), ..CreatedJson::new(created, application_id) })
        }
        PlainFormat::Table => output::put(&output::facts(&facts(created, application_id))),
    }
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
            let json = CreatedJson {
                api_key: Some(created.secret.expose()),
                encoded: Some(encoded.expose()),
                ..CreatedJson::new(created, application_id)
            };
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

impl<'a> CreatedJson<'a> {
    /// Creates the JSON of a key, without its secret.
    fn new(created: &'a CreatedKey, application_id: Option<&'a str>) -> Self {
        Self {
            id: created.id.as_str(),
            name: &created.name,
            application_id,
            expiration: created.expires,
            api_key: None,
            encoded: None,
            secret_file: None,
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
