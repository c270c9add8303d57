//! The command line: clap types whose docs are the help, each verb mapped to its use case, exit codes. Data goes to
//! stdout, messages to stderr. It knows nothing of screens.

mod args;
mod commands;
pub mod create_api_key_bin;
mod environment;
mod error;
mod fixes;
mod help;
mod keys;
mod output;
mod signals;
mod version;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, builder::PossibleValue};

use crate::model::{defaults::ColorChoice, filter};
use args::connection::ConnectionFlags;
use error::{CliError, Exit};

#[cfg(feature = "sandbox")]
use crate::sandbox::Options;

/// Name of the program.
const PROGRAM: &str = "keybearer";
/// Name of the program that creates a key and prints its id and its secret; `keybearer` answers to it, too.
const CREATE_API_KEY: &str = "elasticsearch-create-api-key";

/// Administer the API keys of Elasticsearch clusters: least privilege, expiration dates, and proof.
///
/// Without a command, the window opens.
#[derive(Parser, Debug)]
#[command(name = PROGRAM, version, max_term_width = 100)]
struct Cli {
    /// Open the window with a practice cluster in memory
    #[cfg(feature = "sandbox")]
    #[arg(long)]
    sandbox: bool,
    /// Number of varied keys that the practice cluster starts with, up to 1,000,000
    #[cfg(feature = "sandbox")]
    #[arg(long, value_name = "N", requires = "sandbox", value_parser = commands::sandbox::keys)]
    keys: Option<usize>,
    /// When to color text [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    color: Option<ColorChoice>,
    #[command(flatten)]
    connection: ConnectionFlags,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Create a key and deliver its secret, once
    Create(Box<commands::create::CreateArgs>),
    /// Create a key for another user, who signs in to authorize it, and deliver its secret, once
    Grant(Box<commands::grant::GrantArgs>),
    /// Clone a key whose secret you have: same owner and privileges, new id, name and secret
    Clone(commands::clone::CloneArgs),
    /// List the keys that you can see, newest first
    List(commands::list::ListArgs),
    /// List what expires soon, for cron, CI and Prometheus
    Expiring(commands::expiring::ExpiringArgs),
    /// Show desktop notifications when keys are about to expire, until interrupted
    Watch(commands::watch::WatchArgs),
    /// Show all that is known about one key
    Show(commands::show::ShowArgs),
    /// Print the configuration for using a key in clients, shippers, tools and secret stores
    Snippet(commands::snippet::SnippetArgs),
    /// Run a command with the secret of a key in its environment, from the keyring
    Run(commands::run::RunArgs),
    /// Invalidate keys permanently, and read them back to verify
    Invalidate(commands::invalidate::options::InvalidateArgs),
    /// Change the expiration, metadata or privileges of keys, after showing the changes
    Update(commands::update::UpdateArgs),
    /// Replace keys with successors: deliver, test, wait, invalidate the old ones; resumable
    Rotate(commands::rotation::options::RotateArgs),
    /// Show who you are signed in as, what you can do, and what is missing
    Whoami(commands::whoami::WhoamiArgs),
    /// Test the connection step by step, or check a secret; nothing is changed
    Check(commands::check::CheckArgs),
    /// Serve a practice cluster in memory, for any client
    #[cfg(feature = "sandbox")]
    Sandbox(commands::sandbox::SandboxArgs),
    /// Verify, list and export the activity from this machine
    Journal(commands::journal::JournalArgs),
    /// List, save and remove connections in the keyring of this computer
    Profiles(commands::profiles::ProfilesArgs),
    /// Show the rules that the administrator of this computer has set
    Policy(commands::policy::PolicyArgs),
    /// Show the defaults of the command line, and the file they come from
    Config(commands::config::ConfigArgs),
    /// Sign in at the OpenID Connect provider of a saved connection
    Login(commands::login::LoginArgs),
    /// Sign out: remove the tokens of a saved connection from the keyring
    Logout,
    /// Print the completions for a shell
    Completions(commands::completions::CompletionsArgs),
    /// Write the manual pages into a folder, for packages
    #[command(hide = true)]
    Manual(commands::manual::ManualArgs),
}

/// Request of a command line.
pub enum Request {
    /// The window, optionally on the practice cluster.
    Window {
        /// Number of keys that the practice cluster begins with; `None` without a practice cluster.
        sandbox: Option<usize>,
    },
    /// A command, ready to run.
    Command(Box<Command>),
}

/// A parsed command that has not run yet.
pub struct Command {
    connection: ConnectionFlags,
    verb: Verb,
}

/// Option values by the words of the choices, each with its meaning.
impl ValueEnum for ColorChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let meaning = match self {
            Self::Auto => "On a terminal, unless NO_COLOR is set",
            Self::Always => "Also into files and pipes",
            Self::Never => "Never",
        };
        Some(PossibleValue::new(self.word()).help(meaning))
    }
}

impl Verb {
    /// Returns `true` for a command that uses a connection which a user can set as the default.
    fn connects(&self) -> bool {
        match self {
            #[cfg(feature = "sandbox")]
            Self::Sandbox(_) => false,
            // `run` asks no cluster unless it is told to, and `profiles` saves what it is given.
            Self::Run(_) | Self::Profiles(_) => false,
            Self::Policy(_) | Self::Config(_) | Self::Completions(_) | Self::Manual(_) => false,
            _ => true,
        }
    }

    /// Returns `true` for a command that works whatever is wrong with the file of defaults.
    fn needs_no_defaults(&self) -> bool {
        matches!(self, Self::Completions(_) | Self::Manual(_)) || matches!(self, Self::Config(args) if args.is_path())
    }
}

/// Returns the options of the connection with the user's defaults, for the commands that use them.
fn with_defaults(connection: ConnectionFlags, verb: &Verb) -> Result<ConnectionFlags, CliError> {
    if verb.needs_no_defaults() {
        return Ok(connection);
    }
    environment::check_defaults()?;
    if verb.connects() { connection.with_defaults(environment::defaults()) } else { Ok(connection) }
}

/// Commands that deliver a secret: where it goes is said each time.
const DELIVERING: [&str; 4] = ["create", "grant", "clone", "rotate"];

/// Returns a command in which the form of the output is the user's default, where that form is possible.
fn with_default_output(command: clap::Command, form: &'static str) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let named = |name: &String| !DELIVERING.contains(&name.as_str());
    let command = names
        .into_iter()
        .filter(named)
        .fold(command, |command, name| command.mut_subcommand(name, |sub| with_default_output(sub, form)));
    let is_possible = command.get_arguments().any(|arg| {
        arg.get_id() == "output"
            && arg.get_default_values() == ["table"]
            && arg.get_possible_values().iter().any(|value| value.get_name() == form)
    });
    if is_possible { command.mut_arg("output", |arg| arg.default_value(form)) } else { command }
}

/// Returns the command line as clap knows it, with examples in its help.
fn command() -> clap::Command {
    help::complete(Cli::command().long_version(version::long()))
}

/// Parses a command line.
///
/// # Errors
/// The exit code, after the message was printed: of a usage error, of `--help` or `--version`.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, ExitCode> {
    let command = match &environment::defaults().output {
        Some(set) => with_default_output(command(), set.value),
        None => command(),
    };
    let matches = command.try_get_matches_from(ids_last(args)).map_err(error::print_clap)?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(error::print_clap)?;
    cli.connection = cli.connection.settled();
    cli.color.into_iter().for_each(output::paint::choose);
    #[cfg(feature = "sandbox")]
    let sandbox = cli.sandbox.then(|| cli.keys.unwrap_or(Options::default().keys));
    #[cfg(not(feature = "sandbox"))]
    let sandbox = None;
    match (cli.verb, sandbox) {
        (Some(_), Some(_)) => Err(CliError::usage(
            "--sandbox opens the window and can't be used with a command; `keybearer sandbox` serves the practice \
             cluster",
        )
        .print()),
        (Some(verb), None) if !cli.connection.several().is_empty() && !matches!(verb, Verb::List(_)) => {
            Err(CliError::usage("Only `list` takes several connections: use --profile once").print())
        }
        (Some(verb), None) => {
            let connection = with_defaults(cli.connection, &verb).map_err(|error| error.print())?;
            Ok(Request::Command(Box::new(Command { connection, verb })))
        }
        (None, _) if !cli.connection.is_empty() => {
            Err(CliError::usage("Connection options require a command, such as `keybearer check`").print())
        }
        (None, sandbox) => Ok(Request::Window { sandbox }),
    }
}

/// Length of the ids that Elasticsearch makes, in characters (as seen on 7.10.2 to 9.5.3).
const ID_LENGTH: usize = 20;

/// Returns `true` for an argument that begins with `-` and is no option: an id, as one in 64 does, and a negated term
/// or group of a query (`-owner:ana`, `-(a or b)`, `-"a b"`), negated once or twice.
fn is_meant(arg: &OsString) -> bool {
    let Some(text) = arg.to_str().filter(|text| text.starts_with('-')) else { return false };
    let is_id =
        text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    let term = text.trim_start_matches('-');
    let dashes = text.len() - term.len();
    let is_field = |name: &str| match dashes {
        1 => {
            let is_of_metadata = name.starts_with("meta.");
            let fits = |c: char| c.is_ascii_alphabetic() || matches!(c, '.' | '_');
            !name.is_empty() && (is_of_metadata || name.chars().all(fits))
        }
        _ => filter::Field::named(name).is_some(),
    };
    is_id || term.starts_with(['(', '"']) || term.split_once(':').is_some_and(|(name, _)| is_field(name))
}

/// Returns the arguments with the positional ones behind a `--`, if one of these begins with `-`; otherwise unchanged.
/// The positional ones keep their order, and options keep their values; a value that begins with `-` is joined to its
/// option by `=`.
fn ids_last(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    let rest = args.iter().position(|arg| arg == "--").map(|place| args.split_off(place)).unwrap_or_default();
    if !args.iter().any(is_meant) {
        args.extend(rest);
        return args;
    }
    let mut command = Cli::command();
    command.build();
    let (mut options, mut meant) = (Vec::with_capacity(args.len() + 1), Vec::new());
    let mut args = args.into_iter().peekable();
    options.extend(args.next());
    while let Some(mut arg) = args.next() {
        if !is_meant(&arg) && arg.to_str().is_some_and(|text| text.len() > 1 && text.starts_with('-')) {
            match args.peek() {
                Some(value) if takes_value(&command, &arg) && is_meant(value) => {
                    arg.push("=");
                    arg.push(value);
                    args.next();
                    options.push(arg);
                }
                Some(_) if takes_value(&command, &arg) => {
                    options.push(arg);
                    options.extend(args.next());
                }
                _ => options.push(arg),
            }
            continue;
        }
        let verb = arg.to_str().filter(|_| meant.is_empty()).and_then(|name| command.find_subcommand(name)).cloned();
        match verb {
            Some(verb) => {
                command = verb;
                options.push(arg);
            }
            None => meant.push(arg),
        }
    }
    if !meant.is_empty() {
        options.push("--".into());
        options.extend(meant);
        options.extend(rest.into_iter().skip(1));
    } else {
        options.extend(rest);
    }
    options
}

/// Returns `true` if the next argument is the value of this option.
fn takes_value(command: &clap::Command, option: &OsString) -> bool {
    let Some(text) = option.to_str().filter(|text| !text.contains('=')) else { return false };
    let is_it = |arg: &&clap::Arg| match text.strip_prefix("--") {
        Some(long) => arg.get_long() == Some(long),
        None => text.strip_prefix('-').is_some_and(|short| short.chars().eq(arg.get_short())),
    };
    command.get_arguments().find(is_it).is_some_and(|arg| arg.get_action().takes_values())
}

/// Runs a command to its end. Its messages and data are printed; the exit code is the result.
pub fn run(command: Box<Command>) -> ExitCode {
    finish(environment::run(dispatch(*command)))
}

/// Reports that this build has no window.
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
        Verb::Create(args) => commands::create::run(flags, *args).await,
        Verb::Grant(args) => commands::grant::run(flags, *args).await,
        Verb::Clone(args) => commands::clone::run(flags, args).await,
        Verb::List(args) => commands::list::run(flags, args).await,
        Verb::Expiring(args) => commands::expiring::run(flags, args).await,
        Verb::Watch(args) => commands::watch::run(flags, args).await,
        Verb::Show(args) => commands::show::run(flags, args).await,
        Verb::Snippet(args) => commands::snippet::run(flags, args).await,
        Verb::Run(args) => commands::run::run(flags, args).await,
        Verb::Invalidate(args) => commands::invalidate::run(flags, args).await,
        Verb::Update(args) => commands::update::run(flags, args).await,
        Verb::Rotate(args) => commands::rotation::run(flags, args).await,
        Verb::Whoami(args) => commands::whoami::run(flags, args).await,
        Verb::Check(args) => commands::check::run(flags, args).await,
        #[cfg(feature = "sandbox")]
        Verb::Sandbox(args) => commands::sandbox::run(flags, args).await,
        Verb::Journal(args) => commands::journal::run(flags, &args).await,
        Verb::Profiles(args) => commands::profiles::run(flags, args),
        Verb::Policy(args) => commands::policy::run(&args),
        Verb::Config(args) => commands::config::run(flags, &args),
        Verb::Login(args) => commands::login::login(flags, args).await,
        Verb::Logout => commands::login::logout(flags).await,
        Verb::Completions(args) => commands::completions::run(&args),
        Verb::Manual(args) => commands::manual::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        let words = ["keybearer"].into_iter().chain(line.split_whitespace()).map(OsString::from);
        Cli::try_parse_from(ids_last(words))
    }

    #[test]
    fn the_options_contradict_nothing() {
        Cli::command().debug_assert();
    }

    /// An option as long as an id would be taken for an id.
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
            assert_eq!(read(line).unwrap().connection.url, ["https://es:9200"], "{line}");
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
        for line in [
            "list -(owner:ana) --output csv",
            "list --owner:ana -o csv",
            "list -\"a\" --sort -created",
            "expiring -(a --within 7d",
            "invalidate --filter -owner:ana --yes",
            "invalidate --yes --filter --meta.team:x",
        ] {
            assert!(read(line).is_ok(), "{line}: {:?}", read(line).err());
        }
        assert!(read("list --oddity:x").is_err(), "no field has that name");
        assert!(read("rotate --resume --yes").is_err(), "an option is no id");
        let cli = read("invalidate -bcdefghijklmnopqrst --yes -- --yes").unwrap();
        let Some(Verb::Invalidate(args)) = cli.verb else { panic!() };
        assert_eq!(args.references().0, ["-bcdefghijklmnopqrst", "--yes"]);
    }

    /// Negated terms keep their position: behind an `or` it would be another query.
    #[test]
    fn the_terms_of_a_query_keep_their_order() {
        let terms = |line: &str| {
            let words = ["keybearer"].into_iter().chain(line.split_whitespace()).map(OsString::from);
            let args: Vec<String> = ids_last(words).into_iter().map(|arg| arg.into_string().unwrap()).collect();
            args.join(" ")
        };
        assert_eq!(
            terms("--timeout 3 list a or -owner:b c --output csv d"),
            "keybearer --timeout 3 list --output csv -- a or -owner:b c d"
        );
        assert_eq!(terms("list a -o csv -- -x:y --z"), "keybearer list a -o csv -- -x:y --z");
        assert_eq!(terms("list -x:y -o csv -- --z"), "keybearer list -o csv -- -x:y --z");
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
            "invalidate --keys-from - a",
            "invalidate --count 1 a",
            "snippet",
            "snippet a",
            "snippet --for curl",
            "snippet a --list",
            "snippet a --for curl --secret-stdin",
            "--keys 5",
            "--sandbox --keys 1000001",
            "sandbox --keys many",
            "profiles",
            "profiles save a --environment development --issuer https://a",
            "profiles save a --environment development --scopes openid",
            "profiles setup",
            "login --device x",
            "frobnicate",
        ];
        for line in lines {
            assert!(read(line).is_err(), "{line}");
        }
        assert_eq!(read("--sandbox --keys 1000000").unwrap().keys, Some(1_000_000));
        assert!(read("create --name a --role r --expiration -1d").is_ok(), "the field says what is wrong with it");
    }
}
