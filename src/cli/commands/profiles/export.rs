//! `keybearer profiles export`: saved connections for other people, without any secret.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{
        environment,
        error::{CliError, Exit},
        output,
    },
    model::text::{number::plural, sanitize},
    ops::connections::share,
    store::connections::Profiles,
};

/// The options of `profiles export`.
#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    /// Names of the connections [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Write to this file, which must not exist yet [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &ExportArgs) -> Result<Exit, CliError> {
    let list = environment::in_keyring(Profiles::list)?;
    if let Some(missing) = args.names.iter().find(|name| !list.profiles.iter().any(|own| own.name == **name)) {
        let title = format!("There is no connection named “{missing}”");
        return Err(CliError::problem(&title, "", "`keybearer profiles list` lists the saved connections"));
    }
    let mut profiles = list.profiles;
    profiles.retain(|profile| args.names.is_empty() || args.names.contains(&profile.name));
    let shared = share::shared(&profiles)?;
    match &args.output {
        Some(path) => share::to_file(&shared, path)?,
        None => output::put(&shared.text)?,
    }
    shared.warnings.iter().for_each(|warning| output::print_error(warning));
    let count = plural(shared.count as u64, "connection");
    match &args.output {
        Some(path) => {
            let path = path.display().to_string();
            let path = sanitize::shown(&path);
            output::print_status(&format!("Exported {count} without secrets to {path}"));
        }
        None => output::print_status(&format!("Exported {count} without secrets")),
    }
    Ok(Exit::Done)
}
