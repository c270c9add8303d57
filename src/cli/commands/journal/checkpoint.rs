//! `keybearer journal checkpoint`, `key`, `prove` and `verify-proof`, and `verify` with checkpoints.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{
        args::connection::{self, ConnectionFlags},
        commands::journal::{exit, print_standing},
        environment,
        error::{CliError, Exit},
        output,
    },
    model::{journal::checkpoint::VerifierKey, text::sanitize},
    ops::{
        clock,
        journal::{
            against::{self, Verdict},
            checkpoint::{self, Made, Wanted},
            reader,
        },
    },
    store::journal::Journal,
};

/// The options of `journal verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Compare with this checkpoint, which was kept elsewhere; can be repeated
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Public key to verify the signatures of the checkpoints, from “keybearer journal key” [default: the key in the
    /// keyring]
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Compare with the entries and checkpoints in this index or data stream, where “keybearer journal ship” put them;
    /// the connection must be allowed to read it
    #[arg(long, value_name = "INDEX")]
    against: Option<String>,
}

/// The options of `journal checkpoint`.
#[derive(Args, Debug)]
pub(crate) struct CheckpointArgs {
    /// Only if there are new entries and the last checkpoint is of an earlier day (UTC); otherwise print nothing
    #[arg(long)]
    if_due: bool,
}

/// The options of `journal prove`.
#[derive(Args, Debug)]
#[group(id = "what", required = true, multiple = false)]
pub(crate) struct ProveArgs {
    /// Sequence number of the entry
    #[arg(long, value_name = "NUMBER", group = "what")]
    entry: Option<u64>,
    /// Id of the entry
    #[arg(long, value_name = "ID", group = "what")]
    id: Option<String>,
    /// Earlier checkpoint, to prove that it is of the beginning of the journal
    #[arg(long, value_name = "FILE", group = "what")]
    since: Option<PathBuf>,
    /// Checkpoint that the proof leads to [default: the newest one in the journal’s folder]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

/// The options of `journal verify-proof`.
#[derive(Args, Debug)]
pub(crate) struct VerifyProofArgs {
    /// The proof
    #[arg(value_name = "FILE")]
    proof: PathBuf,
    /// Earlier checkpoint that the proof was made for with --since
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
    /// Public key to verify the signature of its checkpoint, from “keybearer journal key”
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

fn key_of(text: Option<&str>) -> Result<Option<VerifierKey>, CliError> {
    text.map(VerifierKey::read).transpose().map_err(|error| CliError::usage(format!("--key: {error}")))
}

pub(super) async fn verify(flags: &ConnectionFlags, args: &VerifyArgs) -> Result<Exit, CliError> {
    let journal = environment::journal();
    if args.key.is_some() && args.checkpoint.is_empty() && args.against.is_none() {
        return Err(CliError::usage("--key verifies the signatures of checkpoints: add --checkpoint or --against"));
    }
    let key = key_of(args.key.as_deref())?;
    let alone = if let (true, Some(index)) = (args.checkpoint.is_empty(), &args.against) {
        return against(flags, &journal, index, key.as_ref(), true).await;
    } else {
        with_checkpoints(&journal, args, key.as_ref())?
    };
    match &args.against {
        // The worse of the two.
        Some(index) => match (alone, against(flags, &journal, index, key.as_ref(), false).await?) {
            (Exit::Done, there) => Ok(there),
            (here, _) => Ok(here),
        },
        None => Ok(alone),
    }
}

/// Compares with what was shipped. `is_first` if nothing was said about the journal yet.
async fn against(
    flags: &ConnectionFlags,
    journal: &Journal,
    index: &str,
    key: Option<&VerifierKey>,
    is_first: bool,
) -> Result<Exit, CliError> {
    let session = connection::session_at(&flags.endpoint()?).await?;
    let comparison = against::compare(&session, journal, index, key).await?;
    if is_first {
        print_standing(&comparison.report)?;
    }
    for line in comparison.lines(index) {
        output::put(&format!("{}\n", sanitize::shown(&line)))?;
    }
    Ok(match comparison.verdict() {
        Verdict::Same => Exit::Done,
        Verdict::Differs => Exit::Failed,
        Verdict::NotKnown => {
            output::print_error(&format!(
                "{index} has no entry of this journal, so it is not known whether the journal was rewritten"
            ));
            Exit::NotKnown
        }
    })
}

fn with_checkpoints(journal: &Journal, args: &VerifyArgs, key: Option<&VerifierKey>) -> Result<Exit, CliError> {
    if args.checkpoint.is_empty() {
        let (report, ()) = reader::checked(journal, || (), |(), _, _| ())?;
        print_standing(&report)?;
        return Ok(exit(&report));
    }
    let kept = args.checkpoint.iter().map(|path| Ok((path.clone(), checkpoint::read(path)?)));
    let kept = kept.collect::<Result<Vec<_>, CliError>>()?;
    let (report, compared) = checkpoint::compare(journal, kept, key)?;
    print_standing(&report)?;
    for one in &compared {
        let words = sanitize::shown(&one.words()).into_owned();
        if one.is_good() { output::put(&format!("{words}\n"))? } else { output::print_error(&words) }
    }
    let is_good = compared.iter().all(checkpoint::Compared::is_good);
    Ok(if is_good { exit(&report) } else { Exit::Failed })
}

pub(super) fn make(args: &CheckpointArgs) -> Result<Exit, CliError> {
    let (journal, now) = (environment::journal(), clock::now());
    let made = if args.if_due {
        let (report, ()) = reader::checked(&journal, || (), |(), _, _| ())?;
        checkpoint::make_if_due(&journal, &report, now)?
    } else {
        Some(checkpoint::make(&journal, now)?)
    };
    let Some(Made { checkpoint, text, file, key }) = made else {
        output::print_status("No checkpoint is due");
        return Ok(Exit::Done);
    };
    output::put(&text)?;
    let entries = reader::entries(checkpoint.size);
    output::print_status(&format!(
        "{entries} signed. A copy is in {}; it protects the journal only where its owner can’t change it: give it to \
         somebody else, with this key: {key}",
        file.display()
    ));
    Ok(Exit::Done)
}

pub(super) fn key() -> Result<Exit, CliError> {
    output::put(&format!("{}\n", checkpoint::verifier_key(&environment::journal())?))?;
    Ok(Exit::Done)
}

pub(super) fn prove(args: &ProveArgs) -> Result<Exit, CliError> {
    let journal = environment::journal();
    let to = args.checkpoint.as_deref();
    let proof = match (args.entry, &args.id, &args.since) {
        (Some(sequence), ..) => checkpoint::prove(&journal, &Wanted::Sequence(sequence), to)?,
        (None, Some(id), _) => checkpoint::prove(&journal, &Wanted::Id(id.clone()), to)?,
        (None, None, Some(old)) => checkpoint::prove_consistency(&journal, old, to)?,
        (None, None, None) => return Err(CliError::usage("one of --entry, --id and --since is needed")),
    };
    output::put(&proof.text())?;
    Ok(Exit::Done)
}

pub(super) fn verify_proof(args: &VerifyProofArgs) -> Result<Exit, CliError> {
    let key = key_of(args.key.as_deref())?;
    let proved = checkpoint::verify_proof(&args.proof, args.since.as_deref(), key.as_ref())?;
    let size = reader::entries(proved.checkpoint.size);
    let what = match &proved.entry {
        Some(entry) => {
            format!("Entry {} ({} at {} as {}) is in", entry.sequence, entry.action, entry.at, entry.user)
        }
        None => "The earlier checkpoint is of the beginning of".to_owned(),
    };
    output::put(&sanitize::shown(&format!("{what} {} of {size}", proved.checkpoint.origin)))?;
    output::put("\n")?;
    match proved.is_signed {
        Some(true) => {
            output::put("The signature of its checkpoint is valid\n")?;
            Ok(Exit::Done)
        }
        Some(false) => {
            output::print_error("The signature of its checkpoint is not valid: somebody else made or changed it");
            Ok(Exit::Failed)
        }
        None if key.is_some() => {
            output::print_error("Its checkpoint is not signed with this key");
            Ok(Exit::Failed)
        }
        None => {
            output::print_status(
                "Whose checkpoint it is is not known: pass --key, or compare the checkpoint with the one you keep",
            );
            Ok(Exit::Done)
        }
    }
}
