//! Options that describe a new key, and where its secret goes.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{PossibleValue, PossibleValuesParser, TypedValueParser},
};

use crate::{
    cli::{
        args::json_input,
        error::CliError,
        output::{
            PlainFormat,
            destination::{self, SecretDestination},
        },
    },
    model::create::{Draft, RightsChoice, preset::Preset},
};

/// The options that describe a key, and where its secret goes.
#[derive(Args, Debug)]
pub(crate) struct KeyArgs {
    /// Name of the key; several keys can have the same name
    #[arg(long)]
    name: String,
    /// Role whose privileges the key gets; can be repeated
    #[arg(long = "role", value_name = "ROLE", conflicts_with_all = ["all_my_rights", "no_rights"])]
    roles: Vec<String>,
    /// Give the key all the privileges that you have (with `grant`: that its owner has); explain why with --reason
    #[arg(long, conflicts_with = "no_rights")]
    all_my_rights: bool,
    /// Give the key no privileges at all
    #[arg(long)]
    no_rights: bool,
    /// Give the key only the privileges needed for a purpose
    #[arg(long, value_parser = preset_parser(), conflicts_with_all = ["roles", "all_my_rights", "no_rights"])]
    preset: Option<Preset>,
    /// Index pattern instead of those of --preset; can be repeated
    #[arg(long = "index", value_name = "PATTERN", requires = "preset", conflicts_with_all = ["roles", "all_my_rights", "no_rights"])]
    patterns: Vec<String>,
    /// Custom role descriptors: a JSON object by name, or @FILE with one
    #[arg(long, value_name = "JSON|@FILE", conflicts_with_all = ["roles", "all_my_rights", "no_rights", "preset"])]
    role_descriptors: Option<String>,
    /// When it expires: 30m, 12h, 90d, 2w (14 days), 1y (365 days), tomorrow, a date such as 2027-02-21, or never; more
    /// than a year requires --reason
    #[arg(long, default_value = "90d", allow_hyphen_values = true, value_name = "WHEN")]
    expiration: String,
    /// Application id: an id of your choice for finding the key
    #[arg(long = "id", value_name = "ID")]
    application_id: Option<String>,
    /// Additional metadata: a JSON object, or @FILE with one
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Why it never expires, lives for more than a year, or has all privileges; saved in the metadata
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Output format; json includes the secret
    #[arg(short, long, default_value = "table")]
    pub(crate) output: PlainFormat,
    /// Write the encoded key only to this new file, readable only by you
    #[arg(long, value_name = "PATH")]
    secret_file: Option<PathBuf>,
    /// Print the request without sending it
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl KeyArgs {
    /// Returns the draft of the key as given, unchecked.
    ///
    /// # Errors
    /// Returns an error if a file named by an option can't be read.
    pub(crate) fn draft(&self) -> Result<Draft, CliError> {
        Ok(Draft {
            name: self.name.clone(),
            application_id: self.application_id.clone().unwrap_or_default(),
            rights: match (self.all_my_rights, self.no_rights, self.preset) {
                (true, ..) => RightsChoice::AllMine,
                (_, true, _) => RightsChoice::Nothing,
                (.., Some(preset)) => RightsChoice::Preset(preset),
                _ if self.role_descriptors.is_some() => RightsChoice::Own,
                _ => RightsChoice::Roles,
            },
            roles: self.roles.clone(),
            patterns: self.patterns(),
            descriptors: json_or_file("--role-descriptors", self.role_descriptors.as_deref().unwrap_or_default())?,
            expiration: self.expiration.clone(),
            reason: self.reason.clone().unwrap_or_default(),
            metadata: json_or_file("--metadata", self.metadata.as_deref().unwrap_or_default())?,
        })
    }

    /// Returns the given index patterns, otherwise those of the preset.
    fn patterns(&self) -> Vec<String> {
        let own = self.preset.map(Preset::patterns).unwrap_or_default();
        if self.patterns.is_empty() {
            own.iter().map(|text| (*text).to_owned()).collect()
        } else {
            self.patterns.clone()
        }
    }

    /// Chooses the destination, and checks beforehand that the secret will reach somebody.
    ///
    /// # Errors
    /// Returns an error if the secret would reach nobody, or the file can't be created.
    pub(crate) fn destination(&self) -> Result<SecretDestination, CliError> {
        destination::destination(self.secret_file.as_deref(), self.output)
    }
}

/// Returns the parser of presets by their names, which help and errors list.
fn preset_parser() -> impl TypedValueParser<Value = Preset> {
    let values = Preset::ALL.map(|preset| PossibleValue::new(preset.word()).help(preset.meaning()));
    PossibleValuesParser::new(values).try_map(|word| Preset::find(&word).ok_or("there is no such preset"))
}

/// Returns the given JSON, or the text of the file that it names.
fn json_or_file(option: &str, text: &str) -> Result<String, CliError> {
    json_input::text(text).map_err(|why| CliError::Fields(vec![format!("{option}: {why}")]))
}
