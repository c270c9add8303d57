//! `keybearer sandbox`: the practice cluster, served until it is interrupted, with the lines that connect the command
//! line and other clients to it.

use std::{io::Write, path::Path};

use clap::Args;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        error::{CliError, Exit},
        output,
        signals::Signals,
    },
    sandbox::{MAX_KEYS, Options, Passwords, Sandbox},
};

/// The options of `sandbox`.
#[derive(Args, Debug)]
#[command(after_help = ABOUT)]
pub(crate) struct SandboxArgs {
    /// Port on this computer alone; 0 chooses a free one
    #[arg(long, default_value_t = 9200)]
    port: u16,
    /// Number of varied keys to start with, up to 1,000,000 (which take a few seconds and about 1 GB of memory)
    #[arg(long, value_name = "N", default_value_t = 320, value_parser = keys)]
    keys: usize,
    /// Use well-known passwords for its users (such as officer-password) instead of new ones at each start
    ///
    /// Anyone else who uses this computer can reach the port, too, and could sign in.
    #[arg(long)]
    fixed_passwords: bool,
}

/// Help text about the practice cluster: its abilities and its limits.
const ABOUT: &str = "It implements the APIs for administering API keys as Elasticsearch 9.5.3 with a trial license \
does, and is compared with a real node by thousands of random requests. It refuses what it does not implement with the \
error type not_in_the_practice_cluster and the message \"The practice cluster does not do …\": for example aliases, most index \
settings, routing, ingest pipelines, scripts and templates, role mappings, tokens, fuzzy queries, and queries and \
aggregations of documents beyond the simple ones. Document and field level security work for searching, counting and \
getting documents. Built-in roles have their real privileges; their descriptions are our own.";

/// Reads the number of keys that the practice cluster begins with.
pub(crate) fn keys(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(keys) if keys <= MAX_KEYS => Ok(keys),
        _ => Err(format!("not a whole number from 0 to {MAX_KEYS}")),
    }
}

pub(crate) async fn run(flags: &ConnectionFlags, args: SandboxArgs) -> Result<Exit, CliError> {
    let others = ConnectionFlags { ca_file: None, ..flags.clone() };
    if !others.is_empty() {
        return Err(CliError::usage(
            "The sandbox is a cluster of its own: of the connection options, it accepts only --ca-file",
        ));
    }
    let taken = "Stop the program that uses this port, or choose another: --port 0 chooses a free one";
    let passwords = if args.fixed_passwords { Passwords::Fixed } else { Passwords::Fresh };
    let sandbox = Sandbox::start(Options { port: args.port, keys: args.keys, passwords })
        .await
        .map_err(|error| CliError::problem("The sandbox could not start", &error.to_string(), taken))?;
    let ca = flags.ca_file.as_deref().map(|path| CaFile::write(path, sandbox.ca_pem())).transpose()?;
    let served = serve(&sandbox).await;
    drop(ca);
    served?;
    output::print_status("The sandbox has stopped; its data is lost");
    Ok(Exit::Done)
}

async fn serve(sandbox: &Sandbox) -> Result<(), CliError> {
    let mut ended = Signals::caught();
    output::put(&exports(sandbox))?;
    welcome(sandbox).iter().for_each(|line| output::print_status(line));
    ended.next().await;
    Ok(())
}

/// Formats lines for a shell, by which the command line and other clients find the sandbox.
fn exports(sandbox: &Sandbox) -> String {
    let (name, password) = sandbox.accounts().first().map_or(("", ""), |first| (&first.name, &first.password));
    format!(
        "export ES_URL={}\nexport ES_FINGERPRINT={}\nexport ES_USERNAME={name}\nexport ES_PASSWORD={password}\n",
        sandbox.url(),
        sandbox.fingerprint(),
    )
}

fn welcome(sandbox: &Sandbox) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "This is a practice cluster, in memory and on this computer only. Press Ctrl-C to stop it; its data is then \
         lost."
            .into(),
        format!("Address                {}", sandbox.url()),
        format!("Fingerprint of its CA  {}", sandbox.fingerprint()),
        "For clients that need a CA file, start it with --ca-file PATH: the file is written there, and removed when \
         it stops."
            .into(),
        String::new(),
        "Its users; their passwords are new at each start, unless --fixed-passwords is given:".into(),
    ];
    let rows: Vec<Vec<String>> = sandbox
        .accounts()
        .iter()
        .map(|account| {
            vec![account.name.clone(), account.password.clone(), account.roles.join(", "), account.about.clone()]
        })
        .collect();
    lines.extend(output::table(&["USER", "PASSWORD", "ROLES", "FOR"], &rows).lines().map(str::to_owned));
    lines.push(String::new());
    lines.push("In another terminal, paste the four lines that begin with export, and try:".into());
    lines.extend(
        [
            "  keybearer whoami",
            "  keybearer list --status within-7d",
            "  keybearer create --name my_app_key --role reader --expiration 1d --id my_app_id --output json",
            "  keybearer show my_app_id",
            "  keybearer invalidate my_app_id",
        ]
        .map(str::to_owned),
    );
    lines
}

/// The certificate of the sandbox's CA in a file that never replaces another, and is removed on drop.
struct CaFile<'a>(&'a Path);

impl<'a> CaFile<'a> {
    fn write(path: &'a Path, pem: &str) -> Result<Self, CliError> {
        let refused = |error| CliError::Fields(vec![format!("--ca-file: {}: {error}", path.display())]);
        let mut file = std::fs::File::create_new(path).map_err(refused)?;
        let written = Self(path);
        file.write_all(pem.as_bytes()).map_err(refused)?;
        Ok(written)
    }
}

impl Drop for CaFile<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}
