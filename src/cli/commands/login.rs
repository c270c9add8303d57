//! `keybearer login` and `keybearer logout`: the sign-in of a saved connection at its OpenID Connect provider.

use std::sync::Arc;

use clap::Args;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        output,
    },
    model::{connections::open_id::SignedIn, text::sanitize, time::expiry},
    ops::{
        clock,
        connections::sign_in::{SignIn, SignInStep, Way},
    },
    store::browser,
};

/// The options of `login`.
#[derive(Args, Debug)]
pub(crate) struct LoginArgs {
    /// Show a code to type on another device, instead of opening the browser of this one
    #[arg(long)]
    device: bool,
}

/// Signs in, and keeps the tokens in the keyring.
pub(crate) async fn login(flags: &ConnectionFlags, args: LoginArgs) -> Result<Exit, CliError> {
    let sign_in = sign_in(flags)?;
    let way = if args.device { Way::Device } else { Way::Browser };
    let done = sign_in.sign_in(way, &browser::of_this_machine(), |step| print_step(&step)).await?;
    if let Some(problem) = done.not_kept {
        return Err(problem.into());
    }
    output::print_status(&sanitize::shown(&words(&done.signed_in)));
    Ok(Exit::Done)
}

/// Removes the tokens from the keyring.
pub(crate) async fn logout(flags: &ConnectionFlags) -> Result<Exit, CliError> {
    let had = sign_in(flags)?.sign_out().await?;
    output::print_status(match had {
        true => "Signed out: the tokens are removed from the keyring. The session in the browser stays",
        false => "Nobody was signed in",
    });
    Ok(Exit::Done)
}

fn sign_in(flags: &ConnectionFlags) -> Result<Arc<SignIn>, CliError> {
    let Some(name) = &flags.profile else {
        return Err(CliError::usage("Specify a saved connection with --profile NAME: its tokens are kept with it"));
    };
    let endpoint = flags.endpoint()?;
    environment::sign_in(&endpoint).ok_or_else(|| {
        let title = format!("“{name}” does not sign in at a provider");
        let hint = "Save it with `keybearer profiles save --issuer URL --client-id ID` for single sign-on";
        CliError::problem(&title, "", hint)
    })
}

fn print_step(step: &SignInStep) {
    let lines = match step {
        SignInStep::Browser { address, not_opened: None, .. } => {
            format!("Finish signing in in the browser. If it did not open, open this address:\n{address}")
        }
        SignInStep::Browser { address, not_opened: Some(why), .. } => format!(
            "No browser could be opened ({}). Open this address on this machine, or use --device for another one:\n\
             {address}",
            sanitize::shown(why)
        ),
        SignInStep::Device { code, address, until } => format!(
            "Open {} on any device and type the code {}\nIt expires {}",
            sanitize::shown(address),
            sanitize::shown(code),
            expiry::remaining(Some(*until), clock::now())
        ),
    };
    lines.lines().for_each(output::print_status);
}

fn words(signed_in: &SignedIn) -> String {
    let end = match signed_in.expires {
        Some(at) => format!("The token expires {}", expiry::remaining(Some(at), clock::now())),
        None => "The expiration of the token is not known".into(),
    };
    let renewal = match signed_in.is_renewed {
        true => "and is renewed as long as the provider allows",
        false => "and is not renewed: the provider issued no refresh token",
    };
    format!("Signed in as {}. {end} {renewal}", signed_in.user)
}
