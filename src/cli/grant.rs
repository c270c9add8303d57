//! `keybearer grant`: a key for another user, who signs in for it.

use std::path::PathBuf;

use clap::Args;

use super::{
    connection::{self, ConnectionFlags},
    create::{self, KeyArgs},
    draft::{self, Checked},
    error::{CliError, Exit},
    output,
    secret_input::Source,
};
use crate::{
    model::{
        create::RightsChoice,
        descriptor::{self, Piece},
        grant::{Credential, Grant},
        harmless,
    },
    ops::{
        Session, grant,
        offers::{self, Offer},
    },
};

/// The options of `grant`.
#[derive(Args, Debug)]
pub(super) struct GrantArgs {
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    owner: OwnerArgs,
}

/// Whose key it will be. The credential is asked for where no option says where it is.
#[derive(Args, Debug)]
#[command(next_help_heading = "Owner of the key")]
struct OwnerArgs {
    /// The user, who signs in by password
    #[arg(long = "for", value_name = "USER", required_unless_present_any = ["token_file", "token_stdin"])]
    user: Option<String>,
    /// File that holds the user's password
    #[arg(long, value_name = "PATH", requires = "user")]
    password_file: Option<PathBuf>,
    /// Read the user's password from stdin
    #[arg(long, requires = "user", conflicts_with = "password_file")]
    password_stdin: bool,
    /// File that holds an access token of the user, in place of name and password
    #[arg(long, value_name = "PATH", conflicts_with = "user")]
    token_file: Option<PathBuf>,
    /// Read an access token of the user from stdin, in place of name and password
    #[arg(long, conflicts_with_all = ["user", "token_file"])]
    token_stdin: bool,
    /// Whom that user acts as, with the privilege run_as: then the key is that one's
    #[arg(long, value_name = "USER")]
    grant_run_as: Option<String>,
}

impl OwnerArgs {
    fn credential(&self) -> Result<Credential, CliError> {
        match &self.user {
            Some(user) => {
                let source = Source::of(self.password_file.as_ref(), self.password_stdin);
                let what = format!("Password of {}", harmless::shown(user));
                let password = source.read(&what, "--password-file or --password-stdin")?;
                Ok(Credential::Password { username: user.clone(), password })
            }
            None => {
                let source = Source::of(self.token_file.as_ref(), self.token_stdin);
                let token = source.read("Access token", "--token-file or --token-stdin")?;
                Ok(Credential::Token(token))
            }
        }
    }

    fn check(&self) -> Result<(), CliError> {
        for (option, given) in [("--for", &self.user), ("--grant-run-as", &self.grant_run_as)] {
            if given.as_ref().is_some_and(|name| name.trim().is_empty()) {
                return Err(CliError::Fields(vec![format!("{option}: Name a user")]));
            }
        }
        Ok(())
    }
}

pub(super) async fn run(flags: &ConnectionFlags, args: GrantArgs) -> Result<Exit, CliError> {
    let endpoint = flags.endpoint()?;
    args.owner.check()?;
    let draft = args.key.draft()?;
    // Also who is signed in by a key may grant keys with rights (as seen on 9.5.3).
    draft::check_early(&draft, false)?;
    let outlet = if args.key.dry_run { None } else { Some(args.key.outlet()?) };
    let credential = args.owner.credential()?;
    let session = connection::changing_session_at(&endpoint).await?;
    if let Some(problem) = offers::missing(&session, Offer::Grant) {
        return Err(problem.into());
    }
    let checked = draft::check_on(&session, &draft, false).await?;
    let words = sentence(&checked, args.owner.grant_run_as.as_deref().or(args.owner.user.as_deref()), draft.rights);
    let wanted = Grant { credential, run_as: args.owner.grant_run_as, key: checked.key };
    output::say(&words);
    connection::say_acting(&session);
    let Some(outlet) = outlet else {
        let body = wanted.request(session.now());
        create::put_request("POST /_security/api_key/grant", &body, args.key.output)?;
        output::say("Nothing was sent, and the credential of the other user was not tried or shown");
        return Ok(Exit::Done);
    };
    if !outlet.is_agreed()? {
        return Ok(Exit::Failed);
    }
    let created = send(&session, &wanted).await?;
    create::hand_over(&created, wanted.key.application_id(), outlet, args.key.output)?;
    Ok(create::ended(&created))
}

async fn send(session: &Session, wanted: &Grant) -> Result<crate::client::CreatedKey, CliError> {
    let refused = |error| grant::problem(error, wanted);
    create::sent_or_interrupted(session, grant::grant(session, wanted), refused).await
}

/// Whose key, what it will be able to do and until when. Its rights are at most those of its owner.
fn sentence(checked: &Checked, owner: Option<&str>, rights: RightsChoice) -> String {
    let all = rights == RightsChoice::AllMine;
    let whose = owner.map_or_else(|| "the owner of the token".to_owned(), str::to_owned);
    let own = |piece: &Piece| match piece {
        Piece::Strong(words) if all && words == "does everything you may do" => {
            Piece::Strong(format!("does everything {whose} may do"))
        }
        other => other.clone(),
    };
    let pieces: Vec<Piece> = checked.sentence.iter().map(own).collect();
    let words = descriptor::plain(&pieces);
    let words = words.replacen("A key that", &format!("A key of {whose} that"), 1);
    let limit = match rights {
        RightsChoice::AllMine | RightsChoice::Nothing => "",
        _ => " It can do no more than its owner.",
    };
    harmless::shown(&format!("{words}{limit}")).into_owned()
}
