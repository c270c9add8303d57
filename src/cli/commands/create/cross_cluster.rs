//! Cross-cluster keys by command: `create --cross-cluster`.

use crate::{
    cli::{
        args::{
            connection::{self, ConnectionFlags},
            cross_cluster::CrossArgs,
            draft,
            key_options::KeyArgs,
        },
        error::{CliError, Exit},
        output::{self, created_key},
    },
    model::{
        create::{Draft, RightsChoice, cross_cluster::CreateCrossCluster},
        text::sanitize,
    },
    ops::{
        Problem, Session, clock,
        connections::capabilities::{self, Capability},
        create::cross_cluster,
    },
};

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
    if !key.dry_run {
        connection::check_writable(&endpoint)?;
    }
    let outlet = if key.dry_run { None } else { Some(key.destination()?) };
    let (session, checked) = draft::check(&endpoint, &draft).await?;
    let certificate_identity = cross.certificate_identity.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let wanted =
        CreateCrossCluster { key: checked.key, access, certificate_identity: certificate_identity.map(str::to_owned) };
    is_offered(&session, wanted.certificate_identity.is_some()).await?;
    let Some(outlet) = outlet else {
        let body = wanted.body(session.now());
        created_key::put_request("POST /_security/cross_cluster/api_key", &body, key.output)?;
        print_plan(&session, &wanted);
        output::print_status("Nothing was sent");
        return Ok(Exit::Done);
    };
    print_plan(&session, &wanted);
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let session = flags.confirm(&session)?;
    let sending = cross_cluster::create(&session, &wanted);
    let created = created_key::sent_or_interrupted(&session, sending, Problem::from).await?;
    created_key::hand_over(&session, &created, wanted.key.application_id(), outlet, key.output).await?;
    Ok(created_key::ended(&created))
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

fn print_plan(session: &Session, wanted: &CreateCrossCluster) {
    let mut words = format!("A key that {}", wanted.access.words());
    if let Some(identity) = &wanted.certificate_identity {
        words.push_str(&format!(", which must present a certificate whose subject matches {identity}"));
    }
    words.push_str(&match wanted.key.expiry().to_request(session.now()) {
        None => ". It never expires.".to_owned(),
        Some(_) => format!(". It expires {}.", wanted.key.expiry().words(&clock::zone())),
    });
    output::print_status(&sanitize::shown(&words));
    connection::print_acting(session);
}
