//! `keybearer config`: the file with defaults, and where each value comes from.

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        output::{
            self, PlainFormat,
            paint::{self, Source},
        },
    },
    model::{defaults::Set, text::sanitize},
};

/// Subcommands of `config`.
#[derive(Args, Debug)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    verb: ConfigVerb,
}

#[derive(Subcommand, Debug)]
enum ConfigVerb {
    /// Print the path of the file with defaults, also if there is none yet
    Path,
    /// Show each default and where it comes from
    Show {
        /// Output format
        #[arg(short, long, default_value = "table")]
        output: PlainFormat,
    },
}

#[derive(Serialize)]
struct SettingJson {
    setting: &'static str,
    value: Option<String>,
    source: String,
}

impl ConfigArgs {
    /// Returns `true` for the path alone, for which the file is not read.
    pub(crate) fn is_path(&self) -> bool {
        matches!(self.verb, ConfigVerb::Path)
    }
}

pub(crate) fn run(flags: &ConnectionFlags, args: &ConfigArgs) -> Result<Exit, CliError> {
    let file = environment::defaults_file();
    match &args.verb {
        ConfigVerb::Path => match file.path() {
            Some(path) => output::put(&format!("{}\n", path.display()))?,
            None => return Err(CliError::usage("There is no file with defaults: KEYBEARER_CONFIG is off")),
        },
        ConfigVerb::Show { output } => {
            let settings = settings(flags)?;
            match output {
                PlainFormat::Json => output::put_json(&settings)?,
                PlainFormat::Table => {
                    let row = |setting: &SettingJson| {
                        let value = setting.value.as_deref().map_or_else(|| "none".into(), sanitize::shown);
                        vec![setting.setting.to_owned(), value.into_owned(), setting.source.clone()]
                    };
                    let rows: Vec<Vec<String>> = settings.iter().map(row).collect();
                    output::put(&output::table(&["SETTING", "VALUE", "FROM"], &rows))?;
                }
            }
        }
    }
    Ok(Exit::Done)
}

fn settings(flags: &ConnectionFlags) -> Result<Vec<SettingJson>, CliError> {
    let defaults = environment::defaults();
    let setting = |setting, value, source| SettingJson { setting, value, source: words(source) };
    let (profile, from) = match (&flags.profile, flags.other_cluster()?) {
        (Some(name), _) => (Some(name.clone()), Source::Option),
        (None, Some(source)) => (None, source),
        (None, None) => of_file(&defaults.profile, Clone::clone),
    };
    let (timeout, timeout_from) = match &flags.timeout {
        Some(text) => (Some(text.clone()), Source::Option),
        None => of_file(&defaults.timeout, ToString::to_string),
    };
    let timeout = timeout.or_else(|| Some("60".to_owned()));
    let (output, output_from) = of_file(&defaults.output, |form| (*form).to_owned());
    let (columns, columns_from) = of_file(&defaults.columns, |names| names.join(","));
    let (color, color_from) = paint::chosen();
    Ok(vec![
        setting("profile", profile, from),
        setting("output", output.or_else(|| Some("table".to_owned())), output_from),
        setting("color", Some(color.word().to_owned()), color_from),
        setting("columns", columns.or_else(|| Some(output::key_row::COLUMNS.join(","))), columns_from),
        setting("timeout", timeout, timeout_from),
    ])
}

fn of_file<T>(set: &Option<Set<T>>, text: impl Fn(&T) -> String) -> (Option<String>, Source) {
    match set {
        Some(set) => (Some(text(&set.value)), Source::Line(set.line)),
        None => (None, Source::BuiltIn),
    }
}

fn words(source: Source) -> String {
    match source {
        Source::Option => "an option".to_owned(),
        Source::Variable(name) => format!("the variable {name}"),
        Source::Line(line) => {
            let file = environment::defaults_file();
            let path = file.path().map(|path| path.display().to_string()).unwrap_or_default();
            format!("{}, line {line}", sanitize::shown(&path))
        }
        Source::BuiltIn => "built in".to_owned(),
    }
}
