//! The command line: clap types whose docs are the help, each verb led to its use case, exit codes.
//! Data goes to stdout, words to stderr. It knows nothing of screens.

pub mod article;
mod check;
mod check_secret;
mod clone;
mod connection;
mod create;
mod cross_cluster;
mod draft;
mod error;
mod expiring;
mod grant;
mod invalidate;
mod journal;
mod journal_ship;
mod key_rights;
mod key_row;
mod list;
mod machine;
mod output;
mod profiles;
mod rotate;
mod rotate_list;
mod rotate_on;
mod rotate_secret;
mod sandbox;
mod secret_input;
mod secret_output;
mod show;
mod signals;
mod snippet;
mod update;
mod update_draft;
mod watch;
mod whoami;

use std::{ffi::OsString, process::ExitCode};

use clap::{Parser, Subcommand};

use connection::ConnectionFlags;
use error::{CliError, Exit};

use crate::sandbox::Options;

/// Administer the API keys of Elasticsearch clusters: little rights, an end date, and proof.
///
/// Without a command, the window opens.
#[derive(Parser, Debug)]
#[command(name = "keybearer", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    /// Open the window on a practice cluster that lives in memory
    #[arg(long)]
    sandbox: bool,
    /// How many varied keys the practice cluster begins with, up to 1,000,000
    #[arg(long, value_name = "N", requires = "sandbox", value_parser = sandbox::keys)]
    keys: Option<usize>,
    #[command(flatten)]
    connection: ConnectionFlags,
    #[command(subcommand)]
    verb: Option<Verb>,
}

const AFTER_HELP: &str = "\
Environment (options win over it, a profile replaces it; secrets are never options):
  ES_URL                     address of the cluster
  ES_CA_FILE                 PEM file with the certificates to trust
  ES_FINGERPRINT             SHA-256 fingerprint of the certificate to trust
  ES_API_KEY                 API key to sign in by, encoded or id:key
  ES_TOKEN                   bearer token to sign in by
  ES_USERNAME, ES_PASSWORD   user to sign in as; a missing password is asked for on a terminal
  KEYBEARER_JOURNAL          folder of the journal of what was done, or off for none
  KEYBEARER_ROTATIONS        folder of the rotations that are under way

Exit codes: 0 done, 1 failed or refused, 2 usage, 3 partly done (of `check secret`: not known),
4 keys expire (of `expiring`).";

#[derive(Subcommand, Debug)]
enum Verb {
    /// Create a key and hand over its secret, once
    Create(Box<create::CreateArgs>),
    /// Create a key for another user, who signs in for it, and hand over its secret, once
    Grant(Box<grant::GrantArgs>),
    /// Copy a key of which you have the secret: same owner and rights, another id, name and secret
    Clone(clone::CloneArgs),
    /// List the keys that you may see, the newest first
    List(list::ListArgs),
    /// List what expires soon, for cron, CI and Prometheus
    Expiring(expiring::ExpiringArgs),
    /// Tell on the desktop when keys are about to expire, until interrupted
    Watch(watch::WatchArgs),
    /// Show all that is known about one key
    Show(show::ShowArgs),
    /// Write a key down for its consumer: clients, shippers, tools and places for secrets
    Snippet(snippet::SnippetArgs),
    /// Invalidate keys for ever, and read them again as proof
    Invalidate(invalidate::InvalidateArgs),
    /// Change keys: the end, metadata or rights, after showing what changes
    Update(update::UpdateArgs),
    /// Replace keys by successors: hand over, try, wait, invalidate the old ones; resumable
    Rotate(rotate::RotateArgs),
    /// Tell who you are signed in as, what you may do, and what is missing
    Whoami(whoami::WhoamiArgs),
    /// Test the connection step by step, or a secret that somebody has; nothing is changed
    Check(check::CheckArgs),
    /// Serve a practice cluster that lives in memory, for any client
    Sandbox(sandbox::SandboxArgs),
    /// What was done from this machine: check it, list it, export it
    Journal(journal::JournalArgs),
    /// List, save and remove connections in the keyring of this computer
    Profiles(profiles::ProfilesArgs),
}

/// What a command line asks for.
pub enum Request {
    /// The window, perhaps on the practice cluster.
    Window {
        /// With how many keys the practice cluster begins, when it is on that.
        sandbox: Option<usize>,
    },
    /// A command, ready to run.
    Command(Box<Command>),
}

/// A command that was read and not run yet.
pub struct Command {
    connection: ConnectionFlags,
    verb: Verb,
}

/// Reads a command line.
///
/// # Errors
/// The exit code, after the words were printed: of a usage error, of `--help` or `--version`.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, ExitCode> {
    let cli = Cli::try_parse_from(ids_last(args)).map_err(|error| error::print_clap(&error))?;
    match (cli.verb, cli.sandbox) {
        (Some(_), true) => Err(CliError::usage(
            "--sandbox opens the window and goes with no command; `keybearer sandbox` serves the practice cluster",
        )
        .print()),
        (Some(verb), false) => Ok(Request::Command(Box::new(Command { connection: cli.connection, verb }))),
        (None, _) if !cli.connection.is_empty() => {
            Err(CliError::usage("Options of the connection belong to a command, such as `keybearer check`").print())
        }
        (None, sandbox) => {
            let keys = cli.keys.unwrap_or(Options::default().keys);
            Ok(Request::Window { sandbox: sandbox.then_some(keys) })
        }
    }
}

/// The length of the ids that Elasticsearch makes (as seen on 7.10.2 to 9.5.3).
const ID_LENGTH: usize = 20;

/// The same arguments, but ids that begin with `-`, as one in 64 does, and terms of a query that are denied
/// (`-owner:ana`) behind a `--`: so they are no options.
fn ids_last(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let is_id = |arg: &OsString| {
        arg.to_str().is_some_and(|text| {
            text.len() == ID_LENGTH
                && text.starts_with('-')
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        }) || arg.to_str().and_then(|text| text.strip_prefix('-')).is_some_and(|term| {
            let name = term.split_once(':').map(|(name, _)| name);
            name.is_some_and(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '.'))
        })
    };
    let mut args: Vec<OsString> = args.into_iter().collect();
    let rest = args.iter().position(|arg| arg == "--").map(|place| args.split_off(place)).unwrap_or_default();
    let (ids, mut args): (Vec<OsString>, Vec<OsString>) = joined(args, is_id).into_iter().partition(is_id);
    if !ids.is_empty() {
        args.push("--".into());
        args.extend(ids);
    }
    args.extend(rest.into_iter().skip(usize::from(args.iter().any(|arg| arg == "--"))));
    args
}

/// Options whose value may be an id.
const TAKE_IDS: [&str; 3] = ["--resume", "--cancel", "--key"];

/// The same arguments, the ids that are the values of options joined to them by `=`.
fn joined(args: Vec<OsString>, is_id: impl Fn(&OsString) -> bool) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::with_capacity(args.len());
    for arg in args {
        match joined.last_mut() {
            Some(option) if is_id(&arg) && TAKE_IDS.iter().any(|name| *name == option.as_os_str()) => {
                option.push("=");
                option.push(arg);
            }
            _ => joined.push(arg),
        }
    }
    joined
}

/// Runs a command to its end. Its words and data are printed; the exit code says how it went.
pub fn run(command: Box<Command>) -> ExitCode {
    finish(machine::run(dispatch(*command)))
}

/// Says that this build has no window.
pub fn no_window() -> ExitCode {
    let hint = "Use a command (`keybearer --help` lists them), or build with the feature window";
    CliError::problem("This build has no window", "", hint).print()
}

fn finish(result: Result<Exit, CliError>) -> ExitCode {
    match result {
        Ok(exit) => exit.into(),
        Err(error) => error.print(),
    }
}

async fn dispatch(command: Command) -> Result<Exit, CliError> {
    let flags = &command.connection;
    match command.verb {
        Verb::Create(args) => create::run(flags, *args).await,
        Verb::Grant(args) => grant::run(flags, *args).await,
        Verb::Clone(args) => clone::run(flags, args).await,
        Verb::List(args) => list::run(flags, args).await,
        Verb::Expiring(args) => expiring::run(flags, args).await,
        Verb::Watch(args) => watch::run(flags, args).await,
        Verb::Show(args) => show::run(flags, args).await,
        Verb::Snippet(args) => snippet::run(flags, args).await,
        Verb::Invalidate(args) => invalidate::run(flags, args).await,
        Verb::Update(args) => update::run(flags, args).await,
        Verb::Rotate(args) => rotate::run(flags, args).await,
        Verb::Whoami(args) => whoami::run(flags, args).await,
        Verb::Check(args) => check::run(flags, args).await,
        Verb::Sandbox(args) => sandbox::run(flags, args).await,
        Verb::Journal(args) => journal::run(flags, &args).await,
        Verb::Profiles(args) => profiles::run(flags, args),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        let words = ["keybearer"].into_iter().chain(line.split_whitespace()).map(OsString::from);
        Cli::try_parse_from(ids_last(words))
    }

    #[test]
    fn the_options_contradict_nothing() {
        Cli::command().debug_assert();
    }

    /// An option as long as an id would be taken for one.
    #[test]
    fn no_option_looks_like_an_id() {
        let command = Cli::command();
        let all = command.get_subcommands().chain([&command]).flat_map(clap::Command::get_arguments);
        let longs: Vec<&str> = all.filter_map(clap::Arg::get_long).collect();
        assert!(longs.len() > 50);
        assert_eq!(longs.iter().find(|long| long.len() + 2 == ID_LENGTH), None);
    }

    #[test]
    fn options_of_the_connection_stand_before_or_behind_the_verb() {
        for line in ["--url https://es:9200 list", "list --url https://es:9200", "list --url=https://es:9200 words"] {
            assert_eq!(read(line).unwrap().connection.url.as_deref(), Some("https://es:9200"), "{line}");
        }
    }

    #[test]
    fn an_id_that_begins_with_a_dash_is_an_id() {
        for line in [
            "invalidate -bcdefghijklmnopqrst --yes",
            "invalidate --yes -- -bcdefghijklmnopqrst",
            "--timeout 3 invalidate --yes -bcdefghijklmnopqrst",
        ] {
            let cli = read(line).unwrap();
            let Some(Verb::Invalidate(args)) = cli.verb else { panic!("{line}") };
            assert_eq!(args.references(), (&["-bcdefghijklmnopqrst".to_owned()][..], true), "{line}");
        }
        for line in ["list owner:ana -status:expired --output csv", "list -meta.team:x owner:ana --output csv"] {
            assert!(matches!(read(line).unwrap().verb, Some(Verb::List(_))), "{line}");
        }
        for line in ["rotate --resume -bcdefghijklmnopqrst --yes", "rotate --yes --cancel -bcdefghijklmnopqrst"] {
            assert!(matches!(read(line).unwrap().verb, Some(Verb::Rotate(_))), "{line}");
        }
        assert!(read("rotate --resume --yes").is_err(), "an option is no id");
        let cli = read("invalidate -bcdefghijklmnopqrst --yes -- --yes").unwrap();
        let Some(Verb::Invalidate(args)) = cli.verb else { panic!() };
        assert_eq!(args.references().0, ["-bcdefghijklmnopqrst", "--yes"]);
    }

    #[test]
    fn what_can_t_be_meant_is_a_usage_error() {
        let lines = [
            "create",
            "create --name a --role r --all-my-rights",
            "create --name a --all-my-rights --no-rights",
            "create --name a --preset monitoring --role r",
            "create --name a --preset monitoring --no-rights",
            "create --name a --preset odd",
            "create --name a --preset",
            "create --name a --role r --index x",
            "create --name a --role r --output csv",
            "create --name a --role r --password x",
            "list --status odd",
            "invalidate --yes",
            "update a",
            "update --set a=1",
            "update a --metadata {} --set a=1",
            "rotate",
            "rotate a --due",
            "rotate a --grace 1h --compromised",
            "rotate a --secret-file f --secret-dir d",
            "rotate a --handed-over",
            "rotate --resume r --cancel r",
            "rotate --resume r --keep-successor",
            "rotate --due --name n",
            "show",
            "show a b",
            "snippet",
            "snippet a",
            "snippet --for curl",
            "snippet a --list",
            "snippet a --for curl --secret-stdin",
            "--keys 5",
            "--sandbox --keys 1000001",
            "sandbox --keys many",
            "profiles",
            "frobnicate",
        ];
        for line in lines {
            assert!(read(line).is_err(), "{line}");
        }
        assert_eq!(read("--sandbox --keys 1000000").unwrap().keys, Some(1_000_000));
        assert!(read("create --name a --role r --expiration -1d").is_ok(), "the field says what is wrong with it");
    }
}
