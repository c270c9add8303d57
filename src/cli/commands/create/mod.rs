//! `keybearer create`: a key whose secret is sure to reach somebody, or no key at all.

mod cross_cluster;

use clap::Args;

use crate::{
    cli::{
        args::{
            connection::{self, ConnectionFlags},
            cross_cluster::CrossArgs,
            draft::{self, Checked},
            key_options::KeyArgs,
        },
        error::{CliError, Exit},
        output::{
            self, PlainFormat,
            created_key::{ended, hand_over, put_request, sent_or_interrupted},
        },
    },
    client::CreatedKey,
    model::{create::CreateKey, privileges::descriptor, text::sanitize},
    ops::{Problem, Session, create},
};

/// The options of `create`.
#[derive(Args, Debug)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    cross: CrossArgs,
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
    connection::check_writable(&endpoint)?;
    let outlet = args.destination()?;
    let (session, checked) = draft::check(&endpoint, &draft).await?;
    output::print_status(&sentence(&checked));
    connection::print_acting(&session);
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let session = flags.confirm(&session)?;
    let created = send(&session, &checked.key).await?;
    hand_over(&session, &created, checked.key.application_id(), outlet, args.output).await?;
    Ok(ended(&created))
}

fn sentence(checked: &Checked) -> String {
    sanitize::shown(&descriptor::plain(&checked.sentence)).into_owned()
}

fn show_request(session: &Session, checked: &Checked, format: PlainFormat) -> Result<Exit, CliError> {
    put_request("POST /_security/api_key", &checked.key.body(session.now()), format)?;
    output::print_status(&sentence(checked));
    connection::print_acting(session);
    output::print_status("Nothing was sent");
    Ok(Exit::Done)
}

/// Creates the key. After an interrupt, reports what the cluster made of the request.
///
/// # Errors
/// Returns an error if no key was created, or its secret was lost.
pub(crate) async fn send(session: &Session, key: &CreateKey) -> Result<CreatedKey, CliError> {
    sent_or_interrupted(session, create::create(session, key), Problem::from).await
}
