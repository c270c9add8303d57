//! Options of `keybearer update` that describe the changes, as the same draft that the window fills in.

use clap::Args;

use super::{cross_cluster::access_text, json_input};
use crate::{
    cli::error::CliError,
    model::update::draft::{UpdateDraft, UpdateField, UpdateFieldError},
};

/// The options that say what shall be different.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct WantedArgs {
    /// New end, counted from now: 12h, 90d, or a date; an end can't be taken away again
    #[arg(long, value_name = "SPAN|DATE", allow_hyphen_values = true)]
    expiration: Option<String>,
    /// All of the new metadata, a JSON object; what is not in it is gone
    #[arg(long, value_name = "JSON|@FILE")]
    metadata: Option<String>,
    /// One member of the metadata, the others stay; a value that is no JSON is a text. Repeat it for more
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "metadata")]
    set: Vec<String>,
    /// Remove one member of the metadata, the others stay. Repeat it for more
    #[arg(long, value_name = "NAME", conflicts_with = "metadata")]
    unset: Vec<String>,
    /// All of the new role descriptors, a JSON object by name
    #[arg(long, value_name = "JSON|@FILE")]
    role_descriptors: Option<String>,
    /// All of the new access of a cross-cluster key, as Elasticsearch takes it
    #[arg(long, value_name = "FILE|JSON")]
    access: Option<String>,
    /// New pattern of the certificates that a cross-cluster key is bound to; blank takes the binding away
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
            Err(words) => {
                lines.push(format!("{option}: {words}"));
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
            lines.push("--expiration: It is blank: write a span such as 90d, or a date".to_owned());
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
pub(crate) fn lines(errors: &[UpdateFieldError]) -> CliError {
    let line = |(field, words): &UpdateFieldError| {
        let option = match field {
            UpdateField::RoleDescriptors => "--role-descriptors",
            UpdateField::Access => "--access",
            UpdateField::Metadata => "--metadata",
            UpdateField::Set => "--set",
            UpdateField::Remove => "--unset",
            UpdateField::Expiration => "--expiration",
        };
        format!("{option}: {words}")
    };
    CliError::Fields(errors.iter().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_told_by_its_option() {
        let CliError::Fields(told) = lines(&[(UpdateField::Remove, "why".into())]) else { panic!("fields") };
        assert_eq!(told, ["--unset: why"]);
    }
}
