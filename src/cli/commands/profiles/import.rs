//! `keybearer profiles import`: shows which connections are in files or on stdin, asks, and saves them in the keyring.

use std::{io, path::PathBuf};

use clap::Args;
use serde::Serialize;

use super::{EnvironmentChoice, field_line, profile_trust};
use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        output::{self, PlainFormat},
    },
    model::{
        connections::{
            draft::{ProfileDraft, SignIn},
            import::Proposal,
            profile::Profile,
        },
        text::{number::plural, sanitize},
    },
    ops::connections::import::{self, Chosen, Saved},
    store::connections::{Profiles, ProfilesError, new_profile_id},
};

/// The options of `profiles import`.
#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// Files that belong together: a Cloud ID, the Secrets of an ECK cluster (YAML or JSON), elasticsearch.yml, the .env
    /// file of start-local, an export of elasticvue or Keybearer, a CA certificate (PEM); - reads stdin
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Environment of the clusters where the file doesn't name it; production must be encrypted and verified
    #[arg(long)]
    environment: Option<EnvironmentChoice>,
    /// Import only the connection with this name; can be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Name for the connection, if there is only one
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace connections with the same name
    #[arg(long)]
    replace: bool,
    /// Show what would be imported, and save nothing
    #[arg(long)]
    dry_run: bool,
    /// Don't ask for confirmation
    #[arg(long)]
    yes: bool,
    /// Output format
    #[arg(short, long, default_value = "table")]
    output: PlainFormat,
}

#[derive(Serialize)]
struct ProposalJson {
    name: String,
    environment: Option<String>,
    urls: Vec<String>,
    sign_in: &'static str,
    principal: Option<String>,
    trust: String,
    origin: &'static str,
    name_taken: Option<bool>,
    missing: Vec<String>,
    notes: Vec<String>,
}

/// A proposal with what is still wrong with it.
struct Item {
    proposal: Proposal,
    checked: Result<Profile, Vec<String>>,
    /// `true` if there is a connection with this name; `None` if the keyring did not tell.
    is_taken: Option<bool>,
}

pub(super) fn run(flags: &ConnectionFlags, args: ImportArgs) -> Result<Exit, CliError> {
    let mut proposals = read(&args.files)?;
    if !args.only.is_empty() {
        if let Some(missing) = args.only.iter().find(|name| !proposals.iter().any(|one| one.draft.name == **name)) {
            let names: Vec<&str> = proposals.iter().map(|one| one.draft.name.as_str()).collect();
            let line = format!("--only: there is no connection named “{missing}” in it, but {}", names.join(", "));
            return Err(CliError::Fields(vec![line]));
        }
        proposals.retain(|one| args.only.contains(&one.draft.name));
    }
    apply(flags, &args, &mut proposals)?;
    if !args.dry_run {
        flags.complete_imported(&mut proposals)?;
    }
    let names = match environment::in_keyring(Profiles::list) {
        Ok(list) => Some(list.profiles.into_iter().map(|profile| profile.name).collect::<Vec<_>>()),
        // What would be imported can be shown without a keyring, too.
        Err(error) if args.dry_run => {
            output::print_error("The keyring can't be read: whether a name is taken is not known");
            drop(error);
            None
        }
        Err(error) => return Err(error),
    };
    let items: Vec<Item> = proposals.into_iter().map(|proposal| item(proposal, names.as_deref())).collect();
    let written = show(&items, args.output);
    if args.dry_run {
        return Ok(Exit::Done.unless_unwritten(written));
    }
    written?;
    save(items, &args)
}

fn read(files: &[PathBuf]) -> Result<Vec<Proposal>, CliError> {
    let (stdin, files): (Vec<&PathBuf>, Vec<&PathBuf>) = files.iter().partition(|path| path.as_os_str() == "-");
    if stdin.is_empty() {
        let paths: Vec<PathBuf> = files.into_iter().cloned().collect();
        return Ok(import::read_files(&paths)?);
    }
    if stdin.len() > 1 || !files.is_empty() {
        return Err(CliError::usage("- stands for stdin alone: give it without other files"));
    }
    let text = import::read_bytes(io::stdin().lock(), "stdin")?;
    Ok(import::read_text("stdin", text)?)
}

/// Puts what the options say into the proposals.
fn apply(flags: &ConnectionFlags, args: &ImportArgs, proposals: &mut [Proposal]) -> Result<(), CliError> {
    if let Some(environment) = args.environment {
        for proposal in proposals.iter_mut().filter(|one| one.draft.environment.is_none()) {
            proposal.draft.set_environment(environment.into());
        }
    }
    let is_single = proposals.len() == 1;
    if !is_single && (args.name.is_some() || !flags.is_empty()) {
        return Err(CliError::usage(format!(
            "--name and the options of the connection are for one connection, and there are {}: choose one with --only",
            proposals.len()
        )));
    }
    for proposal in proposals.iter_mut() {
        proposal.draft.name = args.name.clone().unwrap_or_else(|| std::mem::take(&mut proposal.draft.name));
        flags.apply_to_imported(&mut proposal.draft)?;
    }
    Ok(())
}

fn item(proposal: Proposal, names: Option<&[String]>) -> Item {
    let checked = environment::policy().check_draft(&proposal.draft, new_profile_id());
    let checked = checked.map_err(|errors| errors.iter().map(field_line).collect());
    let is_taken = names.map(|names| names.iter().any(|name| name.trim() == proposal.draft.name.trim()));
    Item { proposal, checked, is_taken }
}

fn show(items: &[Item], format: PlainFormat) -> io::Result<()> {
    let rows: Vec<ProposalJson> = items.iter().map(ProposalJson::new).collect();
    if format == PlainFormat::Json {
        return output::put_json(&rows);
    }
    let cells = |row: &ProposalJson| -> Vec<String> {
        let environment = row.environment.clone().unwrap_or_else(|| "not chosen".into());
        let principal = row.principal.clone().unwrap_or_default();
        let cells = [&row.name, &environment, &row.urls.join(" "), row.sign_in, &principal, &row.trust, row.origin];
        cells.map(|cell| sanitize::shown(cell).into_owned()).into()
    };
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    output::put(&output::table(&["NAME", "ENVIRONMENT", "URL", "SIGN-IN", "AS", "TRUST", "FROM"], &cells))?;
    for row in &rows {
        let name = sanitize::shown(&row.name);
        let taken = "there is a connection with this name";
        let taken = (row.name_taken == Some(true)).then(|| taken.to_owned());
        for words in row.notes.iter().chain(&row.missing).chain(&taken) {
            output::print_status(&format!("{name}: {}", sanitize::shown(words)));
        }
    }
    Ok(())
}

impl ProposalJson {
    fn new(item: &Item) -> Self {
        let draft = &item.proposal.draft;
        Self {
            name: draft.name.clone(),
            environment: draft.environment.map(|environment| environment.word().to_lowercase()),
            urls: draft.url.lines().map(str::to_owned).collect(),
            sign_in: match draft.sign_in {
                SignIn::ApiKey => "API key",
                SignIn::User => "password",
                SignIn::Token => "token",
                SignIn::Certificate => "certificate",
                SignIn::OpenId => "single sign-on",
            },
            principal: principal(draft),
            trust: profile_trust(draft),
            origin: item.proposal.origin.label(),
            name_taken: item.is_taken,
            missing: item.checked.as_ref().err().cloned().unwrap_or_default(),
            notes: item.proposal.notes.clone(),
        }
    }
}

fn principal(draft: &ProfileDraft) -> Option<String> {
    let name = match draft.sign_in {
        SignIn::ApiKey => &draft.key_id,
        SignIn::User => &draft.username,
        SignIn::Token | SignIn::Certificate | SignIn::OpenId => return None,
    };
    Some(name.clone()).filter(|name| !name.is_empty())
}

fn save(items: Vec<Item>, args: &ImportArgs) -> Result<Exit, CliError> {
    let total = items.len();
    let mut chosen = Vec::new();
    // All that is in the way is the name.
    let is_taken = items.iter().all(|item| item.checked.is_ok());
    for item in items {
        let is_free = item.is_taken == Some(false) || args.replace;
        if let Ok(profile) = item.checked
            && is_free
        {
            chosen.push(Chosen { profile, replaces: args.replace });
        }
    }
    let left_out = total - chosen.len();
    if chosen.is_empty() {
        return Err(nothing_to_save(is_taken));
    }
    if !args.yes && !confirmed_by_a_person(chosen.len())? {
        output::print_status("Nothing was saved");
        return Ok(Exit::Failed);
    }
    let Saved { names, failed } = environment::in_keyring(move |profiles| import::save(profiles, chosen))
        .map_err(|error| super::taken(error, args.replace))?;
    for name in &names {
        let name = sanitize::shown(name);
        output::print_status(&format!("Saved “{name}” in the keyring. Test it: keybearer check --profile '{name}'"));
    }
    for (name, error) in &failed {
        let hint = ProfilesError::way_out(error);
        output::print_error(&format!("“{name}” was not saved: {error}. {hint}"));
    }
    if left_out > 0 {
        output::print_status(&format!("Not saved: {}, see above", plural(left_out as u64, "connection")));
    }
    Ok(match (names.is_empty(), failed.len() + left_out) {
        (true, _) => Exit::Failed,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Partly,
    })
}

fn nothing_to_save(is_taken: bool) -> CliError {
    CliError::usage(match is_taken {
        true => "Nothing was saved: these names are taken. Add --replace, or choose another name with --name",
        false => {
            "Nothing was saved: complete what is named above. --environment, --url and the other options of a connection \
             do that for a single one (choose it with --only), and ES_API_KEY, ES_TOKEN, or ES_USERNAME and ES_PASSWORD \
             sign in"
        }
    })
}

/// Asks a person to confirm the import; returns `true` if confirmed.
///
/// # Errors
/// If there is no terminal to ask on.
fn confirmed_by_a_person(count: usize) -> Result<bool, CliError> {
    if !output::someone_is_there() {
        return Err(CliError::usage("Nothing was saved: there is no terminal to confirm it; add --yes to proceed"));
    }
    let question = format!("Type import to save {} in the keyring:", plural(count as u64, "connection"));
    Ok(output::ask(&question)?.eq_ignore_ascii_case("import"))
}
