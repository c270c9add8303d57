//! `keybearer clone`: a copy of a key of which one has the secret.

use std::path::PathBuf;

use clap::Args;

use super::{
    connection::{self, ConnectionFlags},
    create,
    error::{CliError, Exit},
    output::{self, PlainFormat},
    secret_input::Source,
    show::{self, Choice},
};
use crate::{
    client::ClientError,
    model::{
        api_key::{ApiKey, KeyId},
        calendar,
        cloning::{self, CloneKey},
        create::check_name,
        expiry::Expiry,
        harmless,
        login::Login,
        secret::Secret,
    },
    ops::{
        Session, clock, cloning as ops_cloning, find,
        offers::{self, Offer},
    },
    store::profiles::new_profile_id,
};

/// The options of `clone`.
#[derive(Args, Debug)]
pub(super) struct CloneArgs {
    /// Id, application id or name of the key to copy
    #[arg(value_name = "KEY")]
    reference: String,
    /// File that holds the secret of that key: encoded, or id:key. Without, it is asked for
    #[arg(long, value_name = "PATH")]
    source_file: Option<PathBuf>,
    /// Read the secret of that key from stdin
    #[arg(long, conflicts_with = "source_file")]
    source_stdin: bool,
    /// Name of the copy [default: that of the source]
    #[arg(long)]
    name: Option<String>,
    /// When the copy ends: 12h, 90d, a date, or never (say why with --reason) [default: when the source does]
    #[arg(long, allow_hyphen_values = true, value_name = "WHEN")]
    expiration: Option<String>,
    /// Why it never ends; kept in the metadata
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Form of the output; json holds the secret
    #[arg(long, default_value = "table")]
    output: PlainFormat,
    /// Write the encoded copy to this new file, which only you may read, and nowhere else
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Print the request and send nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(flags: &ConnectionFlags, args: CloneArgs) -> Result<Exit, CliError> {
    let endpoint = flags.endpoint()?;
    let expiry = args.check()?;
    let outlet = if args.dry_run { None } else { Some(create::outlet(args.secret_file.as_deref(), args.output)?) };
    let source = Source::of(args.source_file.as_ref(), args.source_stdin);
    let text = source.read(&format!("Secret of {}", args.reference), "--source-file or --source-stdin")?;
    let (id, secret) = credential(&text)?;
    let session = connection::changing_session_at(&endpoint).await?;
    if let Some(problem) = offers::missing(&session, Offer::Clone) {
        return Err(problem.into());
    }
    let Some(known) = source_of(&session, &args.reference, &id).await? else { return Ok(Exit::Failed) };
    let wanted = args.wanted((id, secret), known.as_deref(), expiry, session.now())?;
    say(&session, &wanted, known.as_deref());
    let Some(outlet) = outlet else {
        let body = wanted.request(session.now());
        create::put_request("POST /_security/api_key/clone", &body, args.output)?;
        output::say("Nothing was sent. What would be sent has the secret of the source in place of its id");
        return Ok(Exit::Done);
    };
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let sending = ops_cloning::clone(&session, &wanted);
    let created = create::sent_or_interrupted(&session, sending, ops_cloning::problem).await?;
    create::hand_over(&created, known.as_deref().and_then(ApiKey::application_id), outlet, args.output)?;
    Ok(create::ended(&created))
}

impl CloneArgs {
    /// What can be told without the cluster; the end that was asked for.
    fn check(&self) -> Result<Option<Expiry>, CliError> {
        let mut lines = Vec::new();
        if let Some(words) = self.name.as_deref().and_then(|name| check_name(name).err()) {
            lines.push(format!("--name: {words}"));
        }
        let expiry = match self.expiration.as_deref().map(|text| Expiry::parse(text, clock::now(), &clock::zone())) {
            Some(Err(words)) => {
                lines.push(format!("--expiration: {words}"));
                None
            }
            Some(Ok(expiry)) => Some(expiry),
            None => None,
        };
        if expiry == Some(Expiry::Never) && self.reason().is_none() {
            lines.push("--reason: Say why this key never ends: the reason is kept in its metadata".into());
        }
        if lines.is_empty() { Ok(expiry) } else { Err(CliError::Fields(lines)) }
    }

    fn reason(&self) -> Option<&str> {
        self.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty())
    }

    fn wanted(
        &self,
        (source, secret): (KeyId, Secret),
        known: Option<&ApiKey>,
        expiry: Option<Expiry>,
        now: crate::model::Millis,
    ) -> Result<CloneKey, CliError> {
        let expiry = expiry.map(|expiry| expiry.check(now)).transpose();
        let expiry = expiry.map_err(|words| CliError::Fields(vec![format!("--expiration: {words}")]))?;
        let name = self.name.clone().or_else(|| known.map(|key| key.name.clone()));
        let Some(name) = name else {
            let words = "--name: you may not see the source, so that its name is not known: name the copy";
            return Err(CliError::Fields(vec![words.into()]));
        };
        let request_id = new_profile_id().0;
        let metadata = known.and_then(|key| cloning::metadata(key, &request_id, self.reason()));
        if metadata.is_none() && self.reason().is_some() {
            let words = "--reason: you may not see the metadata of the source, which a reason would replace";
            return Err(CliError::Fields(vec![words.into()]));
        }
        let request_id = metadata.is_some().then_some(request_id);
        Ok(CloneKey { source, secret, name, expiry, metadata, request_id })
    }
}

fn credential(text: &Secret) -> Result<(KeyId, Secret), CliError> {
    match Login::from_api_key_text(text.expose()) {
        Ok(Login::ApiKey { id, secret }) => Ok((KeyId::new(id), secret)),
        Ok(_) => Err(CliError::usage("The secret of the source is no API key")),
        Err(words) => Err(CliError::usage(format!("The secret of the source can't be read. {words}"))),
    }
}

/// The source, as far as one may see it: `Some(None)` where its id was named and it can't be seen. `None` if it
/// is not clear what is meant, after it was told.
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
    let chosen = match (found.iter().find(|key| key.id == *id), show::choose(&found)) {
        (Some(key), _) => key,
        (None, Choice::One(key)) => {
            let title = format!("The secret is that of key {id}, and “{reference}” is key {}. Nothing is done", key.id);
            return Err(CliError::problem(&title, "", "Give the secret of the key that is to be copied"));
        }
        (None, Choice::None) => return Err(show::unknown(session, reference)),
        (None, Choice::Several) => {
            show::say_all(reference, &found, session.now());
            return Ok(None);
        }
    };
    Ok(Some(Some(Box::new(chosen.clone()))))
}

fn say(session: &Session, wanted: &CloneKey, known: Option<&ApiKey>) {
    let zone = clock::zone();
    let source = known.map_or_else(|| "a key that you may not see".to_owned(), |key| key.name.clone());
    let owner = known.map_or_else(|| "its owner".to_owned(), |key| key.owner.username.clone());
    let end = match (wanted.expiry, known) {
        (Some(Expiry::Never), _) => "It never expires".to_owned(),
        (Some(expiry), _) => format!("It expires {}", expiry.words(&zone)),
        (None, None) => "It ends when its source does".into(),
        (None, Some(key)) => match key.expires {
            None => "Like its source, it never expires".into(),
            Some(at) => format!("Like its source, it expires {}", calendar::local(at, &zone)),
        },
    };
    let words = format!(
        "A copy named {} of {source} ({}), with the same rights and of the same owner, {owner}. {end}. Both stay valid: \
         whoever has the source keeps it.",
        wanted.name, wanted.source
    );
    output::say(&harmless::shown(&words));
    connection::say_acting(session);
}
