//! The options of `invalidate`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::output::Format;

/// The options of `invalidate`.
#[derive(Args, Debug)]
pub(crate) struct InvalidateArgs {
    /// Id, application id or name of a key that is not invalidated yet
    #[arg(value_name = "KEY", required_unless_present_any = ["filter", "keys_from"], value_parser = crate::cli::args::reference::reference)]
    pub(super) references: Vec<String>,
    /// All keys that match a search, such as 'owner:bob status:expired' (see `list --query-help`)
    #[arg(long, value_name = "QUERY", conflicts_with = "references")]
    pub(super) filter: Option<String>,
    /// File with one id per line, as printed by `keybearer list --ids`, or - for stdin
    #[arg(long, value_name = "PATH", conflicts_with_all = ["references", "filter"])]
    pub(super) keys_from: Option<PathBuf>,
    /// Proceed only if exactly N keys would be invalidated (with --filter or --keys-from)
    #[arg(long, value_name = "N", conflicts_with = "references")]
    pub(super) count: Option<usize>,
    /// Invalidate the keys that certainly match, even if it is not known whether others do
    #[arg(long, requires = "filter")]
    pub(super) known_only: bool,
    /// Don't ask for confirmation; with --filter this requires --count
    #[arg(long)]
    pub(super) yes: bool,
    /// Include the key that this session is signed in with
    #[arg(long)]
    pub(super) own_key_too: bool,
    /// Include keys that claim that Kibana, Fleet or another product created them
    #[arg(long)]
    pub(super) managed_too: bool,
    /// With --filter: trust this machine's clock if the cluster's is in doubt and can't be checked
    #[arg(long = "clock-in-doubt", requires = "filter")]
    pub(super) clock_in_doubt_too: bool,
    /// Output format
    #[arg(short, long, default_value = "table")]
    pub(super) output: Format,
}

#[cfg(test)]
impl InvalidateArgs {
    /// Returns the references, and whether no confirmation is asked for.
    pub(crate) fn references(&self) -> (&[String], bool) {
        (&self.references, self.yes)
    }
}
