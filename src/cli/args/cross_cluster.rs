//! Options of `create` for a cross-cluster key.

use clap::Args;

use super::json_input;
use crate::model::create::cross_cluster::Access;

/// The options of `create` for a key of another cluster.
#[derive(Args, Debug)]
#[command(next_help_heading = "Cross-cluster keys")]
pub(crate) struct CrossArgs {
    /// Create a key that lets another cluster search or replicate indices of this one; it can't sign in to the REST API
    #[arg(long, conflicts_with_all = ["roles", "all_my_rights", "no_rights", "preset", "role_descriptors"])]
    cross_cluster: bool,
    /// Indices that can be searched; can be repeated
    #[arg(long, value_name = "PATTERN", requires = "cross_cluster")]
    search: Vec<String>,
    /// Indices that can be replicated; can be repeated
    #[arg(long, value_name = "PATTERN", requires = "cross_cluster")]
    replicate: Vec<String>,
    /// Complete access in the format of Elasticsearch, instead of --search and --replicate
    #[arg(long, value_name = "FILE|JSON", requires = "cross_cluster", conflicts_with_all = ["search", "replicate"])]
    access: Option<String>,
    /// Only certificates whose subject matches this pattern, such as CN=remote.*
    #[arg(long, value_name = "PATTERN", requires = "cross_cluster")]
    pub(crate) certificate_identity: Option<String>,
}

impl CrossArgs {
    /// Returns `true` if a cross-cluster key is requested.
    pub(crate) fn is_asked(&self) -> bool {
        self.cross_cluster
    }

    /// Returns the access that the options give.
    ///
    /// # Errors
    /// One line that begins with the option.
    pub(crate) fn access(&self) -> Result<Access, String> {
        if let Some(given) = &self.access {
            return read_access(given);
        }
        if self.search.is_empty() && self.replicate.is_empty() {
            return Err("--search: specify the indices with --search, --replicate or --access".into());
        }
        Access::of_names(&self.search, &self.replicate).map_err(|words| format!("--search: {words}"))
    }
}

/// Reads access that was given as JSON, or is in a file.
///
/// # Errors
/// One line that begins with the option.
fn read_access(given: &str) -> Result<Access, String> {
    Access::parse(&access_text(given)?).map_err(|words| format!("--access: {words}"))
}

/// Returns the given text of JSON, or the text of the file that is named, with or without an `@` before its name.
///
/// # Errors
/// One line that begins with the option.
pub(crate) fn access_text(given: &str) -> Result<String, String> {
    if given.trim_start().starts_with('{') {
        return Ok(given.to_owned());
    }
    let path = given.strip_prefix('@').unwrap_or(given);
    json_input::of_file(path).map_err(|why| format!("--access: {why}"))
}
