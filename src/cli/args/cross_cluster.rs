//! Cross-cluster keys by command: `create --cross-cluster`.

use clap::Args;

use super::{
    connection::{self, ConnectionFlags},
    draft, json_input,
};
use crate::{
    cli::{
        commands::create::{self, KeyArgs},
        error::{CliError, Exit},
        output,
    },
    model::{
        create::{
            Draft, RightsChoice,
            cross_cluster::{Access, CreateCrossCluster},
        },
        text::sanitize,
    },
    ops::{
        Problem, Session, clock,
        connections::capabilities::{self, Capability},
        create::cross_cluster,
    },
};

/// The options of `create` for a key of another cluster.
#[derive(Args, Debug)]
#[command(next_help_heading = "Cross-cluster keys")]
pub(crate) struct CrossArgs {
    /// A key by which another cluster searches or replicates indices of this one; it can't sign in to REST
    #[arg(long, conflicts_with_all = ["roles", "all_my_rights", "no_rights", "preset", "role_descriptors"])]
    cross_cluster: bool,
    /// Indices that may be searched; repeat it for more
    #[arg(long, value_name = "PATTERN", requires = "cross_cluster")]
    search: Vec<String>,
    /// Indices that may be replicated; repeat it for more
    #[arg(long, value_name = "PATTERN", requires = "cross_cluster")]
    replicate: Vec<String>,
    /// All of its access as Elasticsearch takes it, in place of --search and --replicate
    #[arg(long, value_name = "FILE|JSON", requires = "cross_cluster", conflicts_with_all = ["search", "replicate"])]
    access: Option<String>,
    /// Only certificates whose subject matches this pattern, such as CN=remote.*
    #[arg(long, value_name = "PATTERN", requires = "cross_cluster")]
    certificate_identity: Option<String>,
}

impl CrossArgs {
    /// Returns `true` if a cross-cluster key is requested.
    pub(crate) fn is_asked(&self) -> bool {
        self.cross_cluster
    }

    fn access(&self) -> Result<Access, String> {
        if let Some(given) = &self.access {
            return read_access(given);
        }
        if self.search.is_empty() && self.replicate.is_empty() {
            return Err("--search: say which indices, by --search, --replicate or --access".into());
        }
        Access::of_names(&self.search, &self.replicate).map_err(|words| format!("--search: {words}"))
    }
}

/// Reads access that was given as JSON, or is in a file.
///
/// # Errors
/// One line that begins with the option.
fn read_access(given: &str) -> Result<Access, String> {
    Access::parse(&access_text(given)?).map_err(|words| format!("--access: {words}"))
}

/// Returns the given text of JSON, or the text of the file that is named, with or without an `@` before its name.
///
/// # Errors
/// One line that begins with the option.
pub(crate) fn access_text(given: &str) -> Result<String, String> {
    if given.trim_start().starts_with('{') {
        return Ok(given.to_owned());
    }
    let path = given.strip_prefix('@').unwrap_or(given);
    json_input::of_file(path).map_err(|why| format!("--access: {why}"))
}

/// Runs `create --cross-cluster`.
pub(crate) async fn create(flags: &ConnectionFlags, key: &KeyArgs, cross: &CrossArgs) -> Result<Exit, CliError> {
    let endpoint = flags.endpoint()?;
    // Its rights are its access; a draft without any is checked for all the rest.
    let draft = Draft { rights: RightsChoice::Nothing, ..key.draft()? };
    let early = draft::check_early(&draft, false);
    let access = match (early, cross.access()) {
        (Ok(()), Ok(access)) => access,
        (Err(CliError::Fields(mut lines)), Err(words)) => {
            lines.push(words);
            return Err(CliError::Fields(lines));
        }
        (Err(error), _) => return Err(error),
        (Ok(()), Err(words)) => return Err(CliError::Fields(vec![words])),
    };
    let outlet = if key.dry_run { None } else { Some(key.destination()?) };
    let (session, checked) = draft::check(&endpoint, &draft).await?;
    let certificate_identity = cross.certificate_identity.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let wanted =
        CreateCrossCluster { key: checked.key, access, certificate_identity: certificate_identity.map(str::to_owned) };
    is_offered(&session, wanted.certificate_identity.is_some()).await?;
    let Some(outlet) = outlet else {
        let body = wanted.body(session.now());
        create::put_request("POST /_security/cross_cluster/api_key", &body, key.output)?;
        say(&session, &wanted);
        output::print_status("Nothing was sent");
        return Ok(Exit::Done);
    };
    say(&session, &wanted);
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let sending = cross_cluster::create(&session, &wanted);
    let created = create::sent_or_interrupted(&session, sending, Problem::from).await?;
    create::hand_over(&session, &created, wanted.key.application_id(), outlet, key.output).await?;
    Ok(create::ended(&created))
}

/// Checks that the version and the license of the cluster offer cross-cluster keys, and certificate identities if
/// wanted, before anything is sent.
async fn is_offered(session: &Session, with_identity: bool) -> Result<(), CliError> {
    let identity = || with_identity.then(|| capabilities::missing(session, Capability::CertificateIdentity)).flatten();
    if let Some(problem) = capabilities::missing(session, Capability::CrossCluster).or_else(identity) {
        return Err(problem.into());
    }
    capabilities::unlicensed(session, Capability::CrossCluster).await.map_or(Ok(()), |problem| Err(problem.into()))
}

fn say(session: &Session, wanted: &CreateCrossCluster) {
    let mut words = format!("A key that {}", wanted.access.words());
    if let Some(identity) = &wanted.certificate_identity {
        words.push_str(&format!(", which must present a certificate whose subject matches {identity}"));
    }
    words.push_str(&match wanted.key.expiry().to_request(session.now()) {
        None => ". It never expires.".to_owned(),
        Some(_) => format!(". It expires {}.", wanted.key.expiry().words(&clock::zone())),
    });
    output::print_status(&sanitize::shown(&words));
    connection::say_acting(session);
}
