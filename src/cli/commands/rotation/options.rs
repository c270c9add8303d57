//! The options of `rotate`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::{
    cli::{
        commands::rotation::terminal,
        error::CliError,
        output::{PlainFormat, destination},
    },
    model::{
        TimeDelta,
        time::expiry::{Expiry, ExpiryError},
    },
    ops::{
        Problem, clock,
        rotation::{self, Consent, OpenDestination, RotationOptions, RotationPlan},
    },
};

/// The options of `rotate`.
#[derive(Args, Debug)]
pub(crate) struct RotateArgs {
    /// Id, application id or name of a key to rotate
    #[arg(value_name = "KEY", required_unless_present_any = ["due", "list", "resume", "cancel"], value_parser = crate::cli::args::reference::reference)]
    pub(super) references: Vec<String>,
    /// Grace period in which both keys work: 24h, 7d, a date, or 0s for none
    #[arg(long, default_value = "24h", value_name = "SPAN|DATE", conflicts_with_all = GOING_ON)]
    pub(super) grace: String,
    /// The old key is compromised: no grace period, it is invalidated as soon as the successor has been tested
    #[arg(long, conflicts_with = "grace", conflicts_with_all = GOING_ON)]
    pub(super) compromised: bool,
    /// Name of the successor [default: name of the old key]
    #[arg(long, conflicts_with_all = GOING_ON)]
    pub(super) name: Option<String>,
    /// When the successor expires: 90d, a date, never [default: the old key's lifetime]
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true, conflicts_with_all = GOING_ON)]
    pub(super) expiration: Option<String>,
    /// Write the encoded successor to this new file, readable only by you; with --resume, the file that contains it
    #[arg(long, value_name = "PATH", conflicts_with_all = ["due", "list", "cancel"])]
    pub(super) secret_file: Option<PathBuf>,
    /// Write each encoded successor to a new file in this folder, named after the id of the old key
    #[arg(long, value_name = "DIR", conflicts_with = "secret_file", conflicts_with_all = GOING_ON)]
    pub(super) secret_dir: Option<PathBuf>,
    /// Become the owner of the successor although the old key belongs to someone else
    #[arg(long, conflicts_with_all = GOING_ON)]
    pub(super) other_owner: bool,
    /// Create another successor although there is a working one, from this or another machine
    #[arg(long, conflicts_with_all = GOING_ON)]
    pub(super) again: bool,
    /// Include keys that a product (Kibana, Fleet, alerting) created for itself
    #[arg(long, conflicts_with_all = GOING_ON)]
    pub(super) managed_too: bool,
    /// Show what would be sent without sending it
    #[arg(long, conflicts_with_all = GOING_ON)]
    pub(super) dry_run: bool,
    /// Invalidate the old keys of this cluster whose grace period is over
    #[arg(long, conflicts_with_all = ["references", "list", "resume", "cancel"])]
    pub(super) due: bool,
    /// List the rotations on this machine, for all clusters; key states are read from the connected one
    #[arg(long, conflicts_with_all = ["references", "resume", "cancel"])]
    pub(super) list: bool,
    /// Resume a rotation, by its id or the id of one of its keys
    #[arg(long, value_name = "ID", conflicts_with_all = ["references", "cancel"], value_parser = crate::cli::args::reference::reference)]
    pub(super) resume: Option<String>,
    /// Cancel a rotation, by its id or the id of one of its keys: the successor is invalidated, the old key is not
    /// changed
    #[arg(long, value_name = "ID", conflicts_with = "references", value_parser = crate::cli::args::reference::reference)]
    pub(super) cancel: Option<String>,
    /// Confirm that you have the secret of the successor
    #[arg(long, requires = "resume", conflicts_with_all = ["references", "due", "list", "cancel", "make_again"])]
    pub(super) handed_over: bool,
    /// Confirm that you don't have the secret of the successor: invalidate it and create another
    #[arg(long, requires = "resume", conflicts_with_all = ["references", "due", "list", "cancel"])]
    pub(super) make_again: bool,
    /// Keep the successor valid when the rotation is canceled
    #[arg(long, requires = "cancel", conflicts_with_all = ["references", "due", "list", "resume"])]
    pub(super) keep_successor: bool,
    /// Don't ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
    /// Output format; json includes the secret, unless it goes to a file
    #[arg(short, long, default_value = "table")]
    pub(super) output: PlainFormat,
}

/// Options about a rotation that exists already.
const GOING_ON: [&str; 4] = ["due", "list", "resume", "cancel"];

impl RotateArgs {
    /// Returns the checked options of the rotation.
    pub(super) fn options(&self) -> Result<RotationOptions, CliError> {
        let grace = if self.compromised { TimeDelta::ZERO } else { grace(&self.grace)? };
        let (name, expiration) = (self.name.clone(), self.expiration.clone());
        if let Some(typed) = &expiration {
            let wrong = |error: ExpiryError| CliError::Fields(vec![format!("--expiration: {error}")]);
            Expiry::parse(typed, clock::now(), &clock::zone()).map_err(wrong)?;
        }
        Ok(RotationOptions { name, expiration, grace })
    }

    /// Returns what the options allow.
    pub(super) fn consent(&self) -> Consent {
        Consent { other_owner: self.other_owner, managed_too: self.managed_too, again: self.again }
    }

    /// Checks before anything is asked that the secrets will reach somebody.
    pub(super) fn check_destination(&self) -> Result<(), CliError> {
        if let Some(path) = &self.secret_file {
            destination::check_path("--secret-file", path)?;
        }
        if self.dry_run || self.secret_file.is_some() || self.secret_dir.is_some() {
            return Ok(());
        }
        terminal::check(self.output)
    }

    /// Refuses `-`, which elsewhere means stdout.
    pub(super) fn check_file(&self) -> Result<(), CliError> {
        if self.secret_file.as_deref() == Some(Path::new("-")) {
            return Err(CliError::usage(
                "Nothing was done: --secret-file requires a file; use --output json for stdout",
            ));
        }
        Ok(())
    }

    /// Opens the destination of the secret of one successor.
    pub(super) fn destination(&self, plan: &RotationPlan) -> Result<OpenDestination, CliError> {
        let wrong = |option: &str, error: std::io::Error| CliError::Fields(vec![format!("{option}: {error}")]);
        match (&self.secret_file, &self.secret_dir) {
            (Some(path), _) => OpenDestination::file(path).map_err(|error| wrong("--secret-file", error)),
            (None, Some(folder)) => {
                let name = rotation::destination::file_name(&plan.old.id).ok_or_else(|| {
                    let title = format!("{} can't be used as a file name", plan.old.id);
                    Problem::new(&title, "").hint("Rotate it separately with --secret-file")
                })?;
                OpenDestination::file(&folder.join(name)).map_err(|error| wrong("--secret-dir", error))
            }
            (None, None) => Ok(OpenDestination::Person(terminal::stream(self.output))),
        }
    }
}

/// Reads the grace period.
fn grace(text: &str) -> Result<TimeDelta, CliError> {
    let none = text.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic());
    if !none.is_empty() && none.bytes().all(|byte| byte == b'0') {
        return Ok(TimeDelta::ZERO);
    }
    let now = clock::now();
    let wrong = |words: &str| CliError::Fields(vec![format!("--grace: {words}")]);
    match Expiry::parse(text, now, &clock::zone()) {
        Ok(Expiry::In(span)) => Ok(span.length().unwrap_or(TimeDelta::MAX)),
        Ok(Expiry::At(at)) => Ok(at - now),
        Ok(Expiry::Never) => {
            Err(wrong("A rotation requires a grace period that ends: use 24h, 7d, a date, or 0s for none"))
        }
        Err(error) => Err(wrong(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_period_is_a_span_a_date_or_none() {
        for none in ["0", "0s", " 0d ", "00m"] {
            assert_eq!(grace(none).unwrap(), TimeDelta::ZERO, "{none}");
        }
        assert_eq!((grace("24h").unwrap(), grace("7d").unwrap()), (TimeDelta::DAY, 7 * TimeDelta::DAY));
        assert!(grace("2999-01-01").unwrap() > 7 * TimeDelta::DAY);
        for odd in ["", "s", "never", "soon", "-1d", "2001-01-01", "1M", "1q", "10%"] {
            assert!(grace(odd).is_err(), "{odd}");
        }
        let Err(CliError::Fields(lines)) = grace("1M") else { panic!("months are no period") };
        assert!(lines[0].starts_with("--grace: ") && lines[0].contains("m is minutes"), "{lines:?}");
    }
}
