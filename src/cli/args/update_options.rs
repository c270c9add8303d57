//! Options of `keybearer update` that describe the changes, as the same draft that the window fills in.

use clap::Args;

use super::{cross_cluster::access_text, json_input};
use crate::{
    cli::error::CliError,
    model::{
        form_error::FormError,
        update::draft::{UpdateDraft, UpdateField},
    },
};

/// The options that say what shall be different.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct WantedArgs {
    /// New expiration, from now: 12h, 90d, or a date; an expiration can't be removed
    #[arg(long, value_name = "SPAN|DATE", allow_hyphen_values = true)]
    expiration: Option<String>,
    /// New metadata, a JSON object; replaces all metadata
    #[arg(long, value_name = "JSON|@FILE")]
    metadata: Option<String>,
    /// Set one metadata field and keep the others; non-JSON values are stored as text. Can be repeated
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "metadata")]
    set: Vec<String>,
    /// Remove one metadata field and keep the others. Can be repeated
    #[arg(long, value_name = "NAME", conflicts_with = "metadata")]
    unset: Vec<String>,
    /// New role descriptors, a JSON object by name; replaces all descriptors
    #[arg(long, value_name = "JSON|@FILE")]
    role_descriptors: Option<String>,
    /// New access of a cross-cluster key, in the format of Elasticsearch; replaces all access
    #[arg(long, value_name = "FILE|JSON")]
    access: Option<String>,
    /// New pattern for the certificates that a cross-cluster key is bound to; blank removes the binding
    #[arg(long, value_name = "PATTERN")]
    certificate_identity: Option<String>,
}

impl WantedArgs {
    /// Reads the files that are named; their content is not checked yet.
    ///
    /// # Errors
    /// One line for each file that can't be read, and for an end that is blank.
    pub(crate) fn draft(&self) -> Result<UpdateDraft, CliError> {
        let mut lines = Vec::new();
        let mut read = |option: &str, given: &Option<String>| match given.as_deref().map(json_input::text).transpose() {
            Ok(text) => text,
            Err(message) => {
                lines.push(format!("{option}: {message}"));
                None
            }
        };
        let metadata = read("--metadata", &self.metadata);
        let role_descriptors = read("--role-descriptors", &self.role_descriptors);
        let access = match self.access.as_deref().map(access_text).transpose() {
            Ok(text) => text,
            Err(words) => {
                lines.push(words);
                None
            }
        };
        if self.expiration.as_deref().is_some_and(|text| text.trim().is_empty()) {
            lines.push("--expiration: It is blank: enter a duration such as 90d, or a date".to_owned());
        }
        if !lines.is_empty() {
            return Err(CliError::Fields(lines));
        }
        Ok(UpdateDraft {
            role_descriptors,
            access,
            certificate_identity: self.certificate_identity.clone(),
            metadata,
            set_each: self.set.clone(),
            remove_each: self.unset.clone(),
            expiration: self.expiration.clone().unwrap_or_default(),
            ..UpdateDraft::default()
        })
    }
}

/// Formats one line for each field that is wrong, with its option.
pub(crate) fn lines(errors: &[FormError<UpdateField>]) -> CliError {
    let line = |FormError { field, message }: &FormError<UpdateField>| {
        let option = match field {
            UpdateField::RoleDescriptors => "--role-descriptors",
            UpdateField::Access => "--access",
            UpdateField::Metadata => "--metadata",
            UpdateField::Set => "--set",
            UpdateField::Remove => "--unset",
            UpdateField::Expiration => "--expiration",
        };
        format!("{option}: {message}")
    };
    CliError::Fields(errors.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_by_its_option() {
        let CliError::Fields(told) = lines(&[FormError::new(UpdateField::Remove, "why")]) else { panic!("fields") };
        assert_eq!(told, ["--unset: why"]);
    }
}
