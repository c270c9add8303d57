//! `keybearer journal`: the operations from this machine, checked, listed, signed and exported.

pub(in crate::cli) mod checkpoint;
pub(in crate::cli) mod faults;
pub(in crate::cli) mod ship;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        commands::journal::faults::complain,
        environment,
        error::{CliError, Exit},
        output::{self, Format},
    },
    model::{
        journal::Read,
        text::{number, sanitize},
    },
    ops::journal::reader,
    store::journal::Report,
};

/// The options of `journal`.
#[derive(Args, Debug)]
pub(crate) struct JournalArgs {
    #[command(subcommand)]
    verb: JournalVerb,
}

#[derive(Subcommand, Debug)]
enum JournalVerb {
    /// Verify that the entries are as they were written; exit code 1 if any was changed, removed or moved, or if there
    /// is no journal. With --checkpoint also what its owner could rewrite
    Verify(checkpoint::VerifyArgs),
    /// List the activity, newest last
    List(ListArgs),
    /// Print all entries as JSON lines, unchanged
    Export,
    /// Verify the journal and send its entries to an index of a cluster, each once
    Ship(ship::ShipArgs),
    /// Verify the journal, sign its size and the root of its tree, and print that, to be kept by somebody else
    Checkpoint(checkpoint::CheckpointArgs),
    /// Print the public key by which others verify the checkpoints of this journal
    Key,
    /// Print a proof that an entry is in the journal, or that an earlier checkpoint is of its beginning, which can be
    /// verified without the journal
    Prove(checkpoint::ProveArgs),
    /// Verify a proof; needs neither the journal nor a keyring
    VerifyProof(checkpoint::VerifyProofArgs),
}

#[derive(Args, Debug)]
struct ListArgs {
    /// Only activity on the key with this id
    #[arg(long, value_name = "ID")]
    key: Option<String>,
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: Format,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    at: &'a str,
    sequence: u64,
    action: &'a str,
    phase: &'static str,
    outcome: &'a str,
    user: &'a str,
    system_user: &'a str,
    system_user_id: Option<&'a str>,
    login_user_id: Option<&'a str>,
    cluster: &'a str,
    cluster_uuid: Option<&'a str>,
    keys: &'a [String],
    failed: Vec<(&'a str, &'a str)>,
    /// Ids of the failed keys for which the operation may have been carried out all the same.
    unknown: Vec<&'a str>,
    reason: Option<&'a str>,
    request: Option<&'a str>,
}

impl<'a> EntryJson<'a> {
    fn of(entry: &'a Read) -> Self {
        Self {
            at: &entry.at,
            sequence: entry.sequence,
            action: &entry.action,
            phase: phase(entry),
            outcome: &entry.outcome,
            user: &entry.user,
            system_user: &entry.system_user,
            system_user_id: entry.system_user_id.as_deref(),
            login_user_id: entry.login_user_id.as_deref(),
            cluster: &entry.cluster,
            cluster_uuid: entry.cluster_uuid.as_deref(),
            keys: &entry.keys,
            failed: entry.failed.iter().map(|failed| (failed.id.as_str(), failed.reason.as_str())).collect(),
            unknown: (entry.failed.iter())
                .filter(|failed| failed.is_unknown == Some(true))
                .map(|failed| failed.id.as_str())
                .collect(),
            reason: entry.reason.as_deref(),
            request: entry.request.as_deref(),
        }
    }
}

pub(crate) async fn run(flags: &ConnectionFlags, args: &JournalArgs) -> Result<Exit, CliError> {
    let not_kept = environment::journal().not_kept();
    let needs_none = matches!(&args.verb, JournalVerb::Ship(_) | JournalVerb::VerifyProof(_));
    if let Some(why) = not_kept.filter(|_| !needs_none) {
        return Err(CliError::problem("There is no journal", why.words(), ""));
    }
    match &args.verb {
        JournalVerb::Ship(args) => ship::run(flags, args).await,
        JournalVerb::Verify(args) => checkpoint::verify(flags, args).await,
        JournalVerb::Checkpoint(args) => checkpoint::make(args),
        JournalVerb::Key => checkpoint::key(),
        JournalVerb::Prove(args) => checkpoint::prove(args),
        JournalVerb::VerifyProof(args) => checkpoint::verify_proof(args),
        JournalVerb::List(args) => list(args),
        JournalVerb::Export => {
            let (report, lines) = check(String::new, |lines, _, line| {
                lines.push_str(line);
                lines.push('\n');
            })?;
            output::put(&lines)?;
            complain(&report);
            Ok(exit(&report))
        }
    }
}

fn check<T>(begin: impl Fn() -> T, take: impl Fn(&mut T, &Read, &str)) -> Result<(Report, T), CliError> {
    Ok(reader::checked(&environment::journal(), begin, take)?)
}

fn exit(report: &Report) -> Exit {
    if report.is_whole() { Exit::Done } else { Exit::Failed }
}

/// Prints how the journal stands.
fn print_standing(report: &Report) -> Result<(), CliError> {
    complain(report);
    for open in &report.open {
        let what = if open.keys.is_empty() { "a key".to_owned() } else { shortened(&open.keys) };
        output::print_status(&sanitize::shown(&format!(
            "{}: {} of {what} on {} has an intent but no outcome. Check the cluster",
            open.at, open.action, open.cluster
        )));
    }
    let entries = number::plural(report.lines as u64, "line");
    let files = number::plural(report.files as u64, "file");
    let journal = environment::journal();
    let place = journal.folder().map(|folder| folder.display().to_string()).unwrap_or_default();
    if report.is_whole() && report.lines == 0 {
        let hint = "Nothing has been recorded on this machine yet, or KEYBEARER_JOURNAL is set to another folder";
        return Err(CliError::problem("There is nothing to verify", &format!("{place} has no journal"), hint));
    }
    let standing = if report.is_whole() {
        "the chain is intact".to_owned()
    } else {
        number::plural(report.fault_count as u64, "fault")
    };
    output::put(&format!("{entries} in {files} of {place}: {standing}\n{}\n", reader::codes_words(&report.codes)))?;
    if let Some(checkpoint) = &report.checkpoint {
        let entries = reader::entries(checkpoint.size);
        let time = checkpoint.time.as_deref().unwrap_or("a time that it does not tell");
        output::put(&format!("The last checkpoint here fits: {entries}, made at {}\n", sanitize::shown(time)))?;
    }
    Ok(())
}

fn shortened(keys: &[String]) -> String {
    match keys {
        [] => String::new(),
        [key] => key.clone(),
        [key, rest @ ..] => format!("{key} and {} more", rest.len()),
    }
}

fn phase(entry: &Read) -> &'static str {
    if entry.is_intent() { "intent" } else { "outcome" }
}

fn list(args: &ListArgs) -> Result<Exit, CliError> {
    let (report, entries) = check(Vec::new, |entries, entry, _| {
        if args.key.as_deref().is_none_or(|key| entry.is_about(key)) {
            entries.push(entry.clone());
        }
    })?;
    let cell = |text: &str| sanitize::shown(text).into_owned();
    let row = |entry: &Read| {
        let keys = if entry.keys.is_empty() {
            entry.failed.iter().map(|failed| failed.id.clone()).collect()
        } else {
            entry.keys.clone()
        };
        vec![
            cell(&entry.at),
            cell(&entry.action),
            phase(entry).to_owned(),
            if entry.is_intent() { String::new() } else { cell(&entry.outcome) },
            cell(&entry.user),
            cell(&entry.cluster),
            cell(&shortened(&keys)),
            entry.reason.as_deref().map(cell).unwrap_or_default(),
        ]
    };
    const HEAD: [&str; 8] = ["TIME", "ACTION", "PHASE", "OUTCOME", "USER", "CLUSTER", "KEYS", "REASON"];
    match args.output {
        Format::Table => output::put(&output::table(&HEAD, &entries.iter().map(row).collect::<Vec<_>>()))?,
        Format::Csv => output::put_csv(&HEAD, entries.iter().map(row))?,
        Format::Json => {
            output::put_json(&entries.iter().map(EntryJson::of).collect::<Vec<_>>())?;
        }
    }
    complain(&report);
    Ok(exit(&report))
}
