//! `keybearer clone`: a copy of a key whose secret the user has.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{
        args::{
            connection::{self, ConnectionFlags},
            secret_input::Source,
        },
        error::{CliError, Exit},
        keys::named::{self, Choice},
        output::{self, PlainFormat, created_key, destination},
    },
    client::ClientError,
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        connections::login::Login,
        create::{
            clone::{self, CloneKey},
            clone_draft::{CloneDraft, CloneField, CloneSource},
        },
        form_error::FormError,
        secret::Secret,
        text::sanitize,
        time::{calendar, expiry::Expiry},
    },
    ops::{
        Session, clock,
        connections::capabilities::{self, Capability},
        create::clone as ops_cloning,
        keys::find,
    },
    store::connections::new_profile_id,
};

/// The options of `clone`.
#[derive(Args, Debug)]
pub(crate) struct CloneArgs {
    /// Id, application id or name of the key to clone
    #[arg(value_name = "KEY", value_parser = crate::cli::args::reference::reference)]
    reference: String,
    /// File with the secret of that key: encoded, or id:key. If omitted, it is prompted for
    #[arg(long, value_name = "PATH")]
    source_file: Option<PathBuf>,
    /// Read the secret of that key from stdin
    #[arg(long, conflicts_with = "source_file")]
    source_stdin: bool,
    /// Name of the clone [default: name of the source]
    #[arg(long)]
    name: Option<String>,
    /// Expiration of the clone: 12h, 90d, a date, or never (more than a year requires --reason) [default: same as the
    /// source]
    #[arg(long, allow_hyphen_values = true, value_name = "WHEN")]
    expiration: Option<String>,
    /// Reason why it never expires, or lives for more than a year; saved in the metadata
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Output format; json includes the secret
    #[arg(short, long, default_value = "table")]
    output: PlainFormat,
    /// Write the encoded clone only to this new file, readable only by you
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Print the request without sending it
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(flags: &ConnectionFlags, args: CloneArgs) -> Result<Exit, CliError> {
    let endpoint = flags.endpoint()?;
    args.check_early()?;
    if !args.dry_run {
        connection::check_writable(&endpoint)?;
    }
    let outlet =
        if args.dry_run { None } else { Some(destination::destination(args.secret_file.as_deref(), args.output)?) };
    let source = Source::of(args.source_file.as_ref(), args.source_stdin);
    let text = source.read(&format!("Secret of {}", args.reference), "--source-file or --source-stdin")?;
    let id = id_of(&text)?;
    let session = connection::changing_session_at(&endpoint).await?;
    if let Some(problem) = capabilities::missing(&session, Capability::Clone) {
        return Err(problem.into());
    }
    let Some(known) = source_of(&session, &args.reference, &id).await? else { return Ok(Exit::Failed) };
    // Before anything is said of a copy that can't be made.
    if let Some(problem) = known.as_deref().and_then(|key| ops_cloning::hindrance(&session, key, session.now())) {
        return Err(problem.into());
    }
    let source = CloneSource { id: &id, known: known.as_deref() };
    let wanted = args.wanted(source, &text, session.now())?;
    print_plan(&session, &wanted, known.as_deref());
    let Some(outlet) = outlet else {
        let body = wanted.request(session.now());
        created_key::put_request("POST /_security/api_key/clone", &body, args.output)?;
        output::print_status("Nothing was sent. The request would contain the secret of the source instead of its id");
        return Ok(Exit::Done);
    };
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let session = flags.confirm(&session)?;
    let sending = ops_cloning::clone(&session, &wanted);
    let created = created_key::sent_or_interrupted(&session, sending, ops_cloning::problem).await?;
    let application_id = known.as_deref().and_then(ApiKey::application_id);
    created_key::hand_over(&session, &created, application_id, outlet, args.output).await?;
    Ok(created_key::ended(&created))
}

impl CloneArgs {
    fn draft(&self, name: &str) -> CloneDraft {
        CloneDraft {
            name: name.to_owned(),
            expiration: self.expiration.clone().unwrap_or_default(),
            reason: self.reason.clone().unwrap_or_default(),
        }
    }

    /// Checks what can be checked without the cluster; a missing name will be that of the source.
    fn check_early(&self) -> Result<(), CliError> {
        let draft = self.draft(self.name.as_deref().unwrap_or("copy"));
        draft.check_alone(clock::now(), &clock::zone()).map(drop).map_err(lines)
    }

    fn wanted(&self, source: CloneSource<'_>, text: &Secret, now: Timestamp) -> Result<CloneKey, CliError> {
        let name = self.name.as_deref().or(source.known.map(|key| key.name.as_str()));
        let Some(name) = name else {
            let words = "--name: you can't see the source, so its name is not known: name the clone";
            return Err(CliError::Fields(vec![words.into()]));
        };
        self.draft(name).check(source, text, now, &clock::zone(), &new_profile_id().0).map_err(lines)
    }
}

/// Formats validation errors as lines, each with its option.
fn lines(errors: Vec<FormError<CloneField>>) -> CliError {
    let line = |FormError { field, message }: FormError<CloneField>| {
        let option = match field {
            CloneField::Secret => "--source-file",
            CloneField::Name => "--name",
            CloneField::Expiration => "--expiration",
            CloneField::Reason => "--reason",
        };
        format!("{option}: {message}")
    };
    CliError::Fields(errors.into_iter().map(line).collect())
}

/// Reads the id in the secret of the source, by which it is found even where it may not be read.
fn id_of(text: &Secret) -> Result<KeyId, CliError> {
    match Login::from_api_key_text(text.expose()) {
        Ok(Login::ApiKey { id, .. }) => Ok(KeyId::new(id)),
        Ok(_) => Err(CliError::usage("The secret of the source is not an API key")),
        Err(words) => Err(CliError::usage(format!("The secret of the source can't be read. {words}"))),
    }
}

/// Finds the source, as far as it may be read: `Some(None)` where its id was named and it can't be read. `None` if the
/// reference is ambiguous, after that was reported.
async fn source_of(session: &Session, reference: &str, id: &KeyId) -> Result<Option<Option<Box<ApiKey>>>, CliError> {
    if reference == id.as_str() {
        return match session.client.get_api_key(id, session.sees_own_only()).await {
            Ok(key) => Ok(Some(key.map(Box::new))),
            Err(ClientError::Forbidden { .. }) => Ok(Some(None)),
            Err(error) => Err(error.into()),
        };
    }
    let found = find::named(session, reference).await?;
    // The secret says which of several is meant.
    let chosen = match (found.iter().find(|key| key.id == *id), named::choose(&found)) {
        (Some(key), _) => key,
        (None, Choice::One(key)) => {
            let title =
                format!("The secret is that of key {id}, but “{reference}” is key {}. Nothing was done", key.id);
            return Err(CliError::problem(&title, "", "Provide the secret of the key to clone"));
        }
        (None, Choice::None) => return Err(named::unknown(session, reference)),
        (None, Choice::Several) => {
            named::print_candidates(reference, &found, session.now());
            return Ok(None);
        }
    };
    Ok(Some(Some(Box::new(chosen.clone()))))
}

fn print_plan(session: &Session, wanted: &CloneKey, known: Option<&ApiKey>) {
    let zone = clock::zone();
    let source = known.map_or_else(|| "a key that you can't see".to_owned(), |key| key.name.clone());
    let end = match (wanted.expiry, known) {
        (Some(Expiry::Never), _) => "It never expires".to_owned(),
        (Some(expiry), _) => format!("It expires {}", expiry.words(&zone)),
        (None, None) => "It expires when its source does".into(),
        (None, Some(key)) => match key.expires {
            _ if key.is_unread("expiration") => "It expires when its source does, which could not be read".into(),
            None => "Like its source, it never expires".into(),
            Some(at) => format!("Like its source, it expires {}", calendar::local(at, &zone)),
        },
    };
    let rest = clone::words(known.map(|key| key.owner.username.as_str()));
    let words = format!("A clone named {} of {source} ({}). {end}. {rest}", wanted.name, wanted.source);
    output::print_status(&sanitize::shown(&words));
    connection::print_acting(session);
}
