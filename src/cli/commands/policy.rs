//! `keybearer policy`: the rules of this computer, which its administrator sets.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    cli::{
        environment,
        error::{CliError, Exit},
        output::{self, PlainFormat},
    },
    model::{
        machine_policy::{MachinePolicy, Rule, Rules},
        text::sanitize,
    },
    store::machine_policy::PolicyFile,
};

/// Subcommands of `policy`.
#[derive(Args, Debug)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    verb: PolicyVerb,
}

#[derive(Subcommand, Debug)]
enum PolicyVerb {
    /// Show the rules that hold on this computer, and the file they come from; exit code 1 if it can't be used
    Show {
        /// Output format
        #[arg(short, long, default_value = "table")]
        output: PlainFormat,
    },
    /// Check a file of rules before it is put into place; exit code 1 if it can't be used
    Check {
        /// File to check
        file: PathBuf,
        /// Output format
        #[arg(short, long, default_value = "table")]
        output: PlainFormat,
    },
}

#[derive(Serialize)]
struct PolicyJson<'a> {
    /// File of the rules; also where there is none yet.
    file: Option<String>,
    /// `none`, `rules` or `unusable`.
    state: &'static str,
    rules: BTreeMap<&'static str, Value>,
    fault: Option<FaultJson<'a>>,
}

#[derive(Serialize)]
struct FaultJson<'a> {
    line: Option<usize>,
    column: Option<usize>,
    reason: &'a str,
}

pub(crate) fn run(args: &PolicyArgs) -> Result<Exit, CliError> {
    match &args.verb {
        PolicyVerb::Show { output } => print(environment::policy(), &PolicyFile::of_this_machine(), *output),
        PolicyVerb::Check { file, output } => {
            let file = PolicyFile::at(file.clone());
            let policy = file.read();
            if policy == MachinePolicy::Absent {
                let path = file.path().map(|path| path.display().to_string()).unwrap_or_default();
                return Err(CliError::problem("There is no such file", &path, ""));
            }
            print(&policy, &file, *output)
        }
    }
}

fn print(policy: &MachinePolicy, file: &PolicyFile, format: PlainFormat) -> Result<Exit, CliError> {
    let path = file.path().map(|path| path.display().to_string());
    match format {
        PlainFormat::Json => output::put_json(&json(policy, path))?,
        PlainFormat::Table => table(policy, &path.unwrap_or_default())?,
    }
    Ok(if matches!(policy, MachinePolicy::Unusable { .. }) { Exit::Failed } else { Exit::Done })
}

fn table(policy: &MachinePolicy, path: &str) -> Result<(), CliError> {
    let path = sanitize::shown(path);
    match policy {
        MachinePolicy::Absent => output::print_status(&format!("This computer has no rules: there is no {path}")),
        MachinePolicy::Unusable { fault, .. } => output::print_error(&sanitize::shown(&format!(
            "The rules of this computer can't be used, so nothing is changed on any cluster: {path}, {fault}"
        ))),
        MachinePolicy::Rules { .. } => {
            let lines = policy.lines();
            output::print_status(&match lines.is_empty() {
                true => format!("{path} sets no rules"),
                false => format!("Set by the administrator of this computer in {path}"),
            });
            let shown =
                |(rule, words): &(Rule, String)| vec![rule.name().to_owned(), sanitize::shown(words).into_owned()];
            if !lines.is_empty() {
                output::put(&output::table(&["RULE", "VALUE"], &lines.iter().map(shown).collect::<Vec<_>>()))?;
            }
        }
    }
    Ok(())
}

fn json(policy: &MachinePolicy, file: Option<String>) -> PolicyJson<'_> {
    let fault = match policy {
        MachinePolicy::Unusable { fault, .. } => Some(FaultJson {
            line: fault.at.map(|(line, _)| line),
            column: fault.at.map(|(_, column)| column),
            reason: &fault.reason,
        }),
        _ => None,
    };
    let state = match policy {
        MachinePolicy::Absent => "none",
        MachinePolicy::Rules { .. } => "rules",
        MachinePolicy::Unusable { .. } => "unusable",
    };
    PolicyJson { file, state, rules: policy.rules().map(values).unwrap_or_default(), fault }
}

/// Returns the rules that hold by their names in the file, with the values as they stand there.
fn values(rules: &Rules) -> BTreeMap<&'static str, Value> {
    let value = |rule: Rule| match rule {
        Rule::JournalRequired => json!(rules.is_journal_required),
        Rule::JournalPath => json!(rules.journal_folder.as_ref().map(|folder| folder.display().to_string())),
        Rule::VerifyRequired => json!(rules.is_verification_required),
        Rule::ProductionProtected => json!(rules.is_production_protected),
        Rule::MaxIdle => json!(rules.max_idle.map(|minutes| format!("{minutes}m"))),
        Rule::AllowedHosts => {
            let hosts = rules.allowed_hosts.as_ref();
            json!(hosts.map(|hosts| hosts.iter().map(ToString::to_string).collect::<Vec<_>>()))
        }
        Rule::AllowedUuids => json!(rules.allowed_uuids),
    };
    Rule::ALL.into_iter().filter(|rule| rules.words(*rule).is_some()).map(|rule| (rule.name(), value(rule))).collect()
}
