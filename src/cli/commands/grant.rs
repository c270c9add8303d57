//! `keybearer grant`: a key for another user, who signs in for it.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{
        args::{
            connection::{self, ConnectionFlags},
            draft,
            key_options::KeyArgs,
            secret_input::Source,
        },
        error::{CliError, Exit},
        output,
        output::created_key,
    },
    model::{
        create::{
            Surroundings,
            grant::Grant,
            new_key::{KeyFor, NewKey, NewKeyDraft, NewKeyField, OwnerDraft},
        },
        form_error::FormError,
        privileges::{
            descriptor::{self, Piece},
            role::Role,
        },
        secret::Secret,
        text::sanitize,
    },
    ops::{
        Session, clock,
        connections::capabilities::{self, Capability},
        create::grant,
    },
    store::connections::new_profile_id,
};

/// The options of `grant`.
#[derive(Args, Debug)]
pub(crate) struct GrantArgs {
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    owner: OwnerArgs,
}

/// Whose key it will be. The credential is asked for where no option says where it is.
#[derive(Args, Debug)]
#[command(next_help_heading = "Key owner")]
struct OwnerArgs {
    /// User who signs in with a password
    #[arg(long = "for", value_name = "USER", required_unless_present_any = ["token_file", "token_stdin"])]
    user: Option<String>,
    /// File with the user's password
    #[arg(long, value_name = "PATH", requires = "user")]
    password_file: Option<PathBuf>,
    /// Read the user's password from stdin
    #[arg(long, requires = "user", conflicts_with = "password_file")]
    password_stdin: bool,
    /// File with an access token of the user, instead of name and password
    #[arg(long, value_name = "PATH", conflicts_with = "user")]
    token_file: Option<PathBuf>,
    /// Read an access token of the user from stdin, instead of name and password
    #[arg(long, conflicts_with_all = ["user", "token_file"])]
    token_stdin: bool,
    /// Run as this user, who will own the key (requires the privilege run_as)
    #[arg(long, value_name = "USER")]
    grant_run_as: Option<String>,
}

impl OwnerArgs {
    /// Returns the owner as the draft that the window's form fills in.
    fn draft(&self) -> OwnerDraft {
        OwnerDraft {
            by_token: self.user.is_none(),
            username: self.user.clone().unwrap_or_default(),
            run_as: self.grant_run_as.clone().unwrap_or_default(),
        }
    }

    /// Reads the credential with which the owner agrees.
    ///
    /// # Errors
    /// Returns an error if the secret can't be read, or there is no terminal to ask for it.
    fn secret(&self) -> Result<Secret, CliError> {
        match &self.user {
            Some(user) => {
                let source = Source::of(self.password_file.as_ref(), self.password_stdin);
                let what = format!("Password of {}", sanitize::shown(user));
                source.read(&what, "--password-file or --password-stdin")
            }
            None => {
                let source = Source::of(self.token_file.as_ref(), self.token_stdin);
                source.read("Access token", "--token-file or --token-stdin")
            }
        }
    }

    /// Refuses a name that is given and blank, which is not the same as no name.
    fn check(&self) -> Result<(), CliError> {
        if self.grant_run_as.as_ref().is_some_and(|name| name.trim().is_empty()) {
            return Err(CliError::Fields(vec!["--grant-run-as: Specify a user".to_owned()]));
        }
        Ok(())
    }
}

pub(crate) async fn run(flags: &ConnectionFlags, args: GrantArgs) -> Result<Exit, CliError> {
    let endpoint = flags.endpoint()?;
    args.owner.check()?;
    let draft = NewKeyDraft {
        kind: KeyFor::Another,
        key: args.key.draft()?,
        owner: args.owner.draft(),
        ..NewKeyDraft::default()
    };
    // A user signed in by a key may grant keys with privileges, too (as seen on 9.5.3).
    draft::check_early(&draft.key, false)?;
    check_owner(&draft)?;
    if !args.key.dry_run {
        connection::check_writable(&endpoint)?;
    }
    let outlet = if args.key.dry_run { None } else { Some(args.key.destination()?) };
    let credential = args.owner.secret()?;
    let session = connection::changing_session_at(&endpoint).await?;
    if let Some(problem) = capabilities::missing(&session, Capability::Grant) {
        return Err(problem.into());
    }
    let (wanted, sentence) = checked(&session, &draft, credential).await?;
    output::print_status(&sanitize::shown(&descriptor::plain(&sentence)));
    connection::print_acting(&session);
    let Some(outlet) = outlet else {
        let body = wanted.request(session.now());
        created_key::put_request("POST /_security/api_key/grant", &body, args.key.output)?;
        output::print_status("Nothing was sent, and the other user's credential was not used or shown");
        return Ok(Exit::Done);
    };
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let session = flags.confirm(&session)?;
    let created = send(&session, &wanted).await?;
    created_key::hand_over(&session, &created, wanted.key.application_id(), outlet, args.key.output).await?;
    Ok(created_key::ended(&created))
}

/// Checks the input about the owner, before a password or token is asked for.
fn check_owner(draft: &NewKeyDraft) -> Result<(), CliError> {
    let zone = clock::zone();
    let around = around(clock::now(), &zone, &[]);
    let errors = draft.check(around, "", Some(Secret::default())).err().unwrap_or_default();
    let of_owner: Vec<FormError<NewKeyField>> =
        errors.into_iter().filter(|error| error.field == NewKeyField::Owner).collect();
    if of_owner.is_empty() { Ok(()) } else { Err(CliError::Fields(lines(of_owner, draft, &[]))) }
}

/// Reads the roles, and checks the whole draft.
///
/// # Errors
/// Returns an error if the cluster refuses the roles, and a usage error with one line for each wrong option.
async fn checked(session: &Session, draft: &NewKeyDraft, credential: Secret) -> Result<(Grant, Vec<Piece>), CliError> {
    let roles = draft::roles(session, &draft.key).await?;
    let zone = clock::zone();
    let around = Surroundings { edition: session.edition, ..around(session.now(), &zone, &roles) };
    match draft.check(around, &new_profile_id().0, Some(credential)) {
        Ok(NewKey::Granted(grant)) => {
            draft::print_taken(session, &grant.key).await;
            Ok((*grant, draft.sentence(around)))
        }
        Ok(_) => Err(CliError::usage("No key was created: this is not a key for another user")),
        Err(errors) => Err(CliError::Fields(lines(errors, draft, &roles))),
    }
}

fn around<'a>(now: crate::model::Timestamp, zone: &'a jiff::tz::TimeZone, roles: &'a [Role]) -> Surroundings<'a> {
    let edition = crate::model::version::Edition::Unknown;
    Surroundings { now, zone, roles: Some(roles), edition, by_api_key: false }
}

/// Formats validation errors as lines, each with its option.
fn lines(errors: Vec<FormError<NewKeyField>>, draft: &NewKeyDraft, roles: &[Role]) -> Vec<String> {
    let mut lines = Vec::new();
    for FormError { field, message } in errors {
        match field {
            NewKeyField::Key(field) => lines.extend(draft::lines(&[FormError { field, message }], &draft.key, roles)),
            NewKeyField::Owner => lines.push(format!("--for: {message}")),
            NewKeyField::Credential => lines.push(format!("--password-file: {message}")),
            NewKeyField::Access => lines.push(message),
        }
    }
    lines
}

async fn send(session: &Session, wanted: &Grant) -> Result<crate::client::CreatedKey, CliError> {
    let refused = |error| grant::problem(error, wanted);
    created_key::sent_or_interrupted(session, grant::grant(session, wanted), refused).await
}
