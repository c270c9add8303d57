//! `keybearer journal checkpoint`, `key`, `prove` and `verify-proof`, and `verify` with checkpoints.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{
    cli::{
        args::connection::{self, ConnectionFlags},
        commands::journal::{exit, print_standing},
        environment,
        error::{CliError, Exit},
        output,
    },
    model::{
        journal::{
            checkpoint::VerifierKey,
            ssh_signature::{NAMESPACE, Standing},
        },
        text::sanitize,
    },
    ops::{
        clock,
        journal::{
            against::{self, Trusted, Verdict},
            checkpoint::{self, Compared, Made, Wanted},
            reader,
            signers::{self, Signer},
        },
    },
    store::journal::{Journal, signature_file},
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
    /// Trust only SSH signatures of checkpoints by these signers: a file as for “ssh-keygen -Y verify -f”, or of public
    /// keys. The signature is beside the checkpoint, with .sig at the end of its name
    #[arg(long, value_name = "FILE")]
    allowed_signers: Option<PathBuf>,
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
    /// Sign it with this SSH key, too: a private key file, or a public one whose private key is in the ssh-agent
    #[arg(long, value_name = "FILE", conflicts_with = "ssh_agent")]
    ssh_key: Option<PathBuf>,
    /// Sign it with a key of the ssh-agent, too: that with this fingerprint, as “ssh-add -l” prints it, or the only one
    #[arg(long, value_name = "FINGERPRINT", num_args = 0..=1, default_missing_value = "")]
    ssh_agent: Option<String>,
    /// Write it to this new file instead of printing it, and its SSH signature to a file with .sig at the end
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
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
    if args.allowed_signers.is_some() && args.checkpoint.is_empty() && args.against.is_none() {
        return Err(CliError::usage(
            "--allowed-signers verifies the SSH signatures of checkpoints: add --checkpoint or --against",
        ));
    }
    let key = key_of(args.key.as_deref())?;
    let allowed = args.allowed_signers.as_deref().map(checkpoint::read_allowed).transpose()?;
    let trusted = Trusted { key: key.as_ref(), allowed: allowed.as_ref() };
    let alone = if let (true, Some(index)) = (args.checkpoint.is_empty(), &args.against) {
        return against(flags, &journal, index, trusted, true).await;
    } else {
        with_checkpoints(&journal, args, trusted)?
    };
    match &args.against {
        // The worse of the two.
        Some(index) => match (alone, against(flags, &journal, index, trusted, false).await?) {
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
    trusted: Trusted<'_>,
    is_first: bool,
) -> Result<Exit, CliError> {
    let session = connection::session_at(&flags.endpoint()?).await?;
    let comparison = against::compare(&session, journal, index, trusted).await?;
    if is_first {
        print_standing(&comparison.report)?;
    }
    for line in comparison.lines(index) {
        output::put(&format!("{}\n", sanitize::shown(&line)))?;
    }
    let is_trusted = |one: &Compared| matches!(one.ssh, Some(Standing::Trusted { .. }));
    Ok(match comparison.verdict() {
        Verdict::Same if trusted.allowed.is_some() && !comparison.checkpoints.iter().any(is_trusted) => {
            output::print_error(&format!(
                "No checkpoint in {index} is signed by an allowed signer, so it is not known whether both were rewritten"
            ));
            Exit::NotKnown
        }
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

fn with_checkpoints(journal: &Journal, args: &VerifyArgs, trusted: Trusted<'_>) -> Result<Exit, CliError> {
    if args.checkpoint.is_empty() {
        let (report, ()) = reader::checked(journal, || (), |(), _, _| ())?;
        print_standing(&report)?;
        return Ok(exit(&report));
    }
    let kept = args.checkpoint.iter().map(|path| Ok(checkpoint::read_kept(path, trusted.allowed, clock::now())?));
    let kept = kept.collect::<Result<Vec<_>, CliError>>()?;
    let (report, compared) = checkpoint::compare(journal, kept, trusted.key)?;
    print_standing(&report)?;
    for one in &compared {
        let words = sanitize::shown(&one.words()).into_owned();
        if one.is_good() { output::put(&format!("{words}\n"))? } else { output::print_error(&words) }
    }
    let is_good = compared.iter().all(Compared::is_good);
    Ok(if is_good { exit(&report) } else { Exit::Failed })
}

pub(super) fn make(args: &CheckpointArgs) -> Result<Exit, CliError> {
    let (journal, now) = (environment::journal(), clock::now());
    let signer = signer(args)?;
    let made = if args.if_due {
        let (report, ()) = reader::checked(&journal, || (), |(), _, _| ())?;
        checkpoint::make_if_due(&journal, &report, now, &signer)?
    } else {
        Some(checkpoint::make_by(&journal, now, &signer)?)
    };
    let Some(made) = made else {
        output::print_status("No checkpoint is due");
        return Ok(Exit::Done);
    };
    match &args.output {
        Some(path) => {
            write_new(path, &made.text)?;
            if let Some(ssh) = &made.ssh {
                write_new(&signature_file(path), &ssh.text)?;
            }
        }
        None => output::put(&made.text)?,
    }
    tell(&made);
    Ok(Exit::Done)
}

/// Tells what was made, and what to do with it.
fn tell(made: &Made) {
    let (entries, file) = (reader::entries(made.checkpoint.size), made.file.display());
    let key = match &made.key {
        Ok(key) => format!("with this key: {key}"),
        Err(reason) => format!("with the public SSH key (it is not signed with the journal’s own key: {reason})"),
    };
    let words = match &made.ssh {
        None => format!(
            "{entries} signed. A copy is in {file}; it protects the journal only where its owner can’t change it: give it \
             to somebody else, {key}"
        ),
        Some(ssh) => format!(
            "{entries} signed with the SSH key {}. The checkpoint is in {file}, its SSH signature in the same place with \
             .sig at the end; they protect the journal only where its owner can’t change them: give both to somebody \
             else, {key}\nWithout Keybearer it is verified by: ssh-keygen -Y verify -f ALLOWED_SIGNERS -I NAME -n \
             {NAMESPACE} -s FILE.sig < FILE",
            ssh.key.fingerprint(),
        ),
    };
    output::print_status(&sanitize::shown_lines(&words));
}

/// Returns who signs a checkpoint by the options.
fn signer(args: &CheckpointArgs) -> Result<Signer, CliError> {
    if let Some(path) = &args.ssh_key {
        return Ok(signers::in_file(path, || environment::ssh_passphrase(path))?);
    }
    match args.ssh_agent.as_deref() {
        None => Ok(Signer::Journal),
        Some(fingerprint) => Ok(signers::in_agent(Some(fingerprint).filter(|text| !text.is_empty()))?),
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let written = File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        let hint =
            "It is also in the journal’s folder; pass a file that is not there yet, in a folder that you can write";
        CliError::problem(&format!("{} can’t be written", path.display()), &error.to_string(), hint)
    })
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
