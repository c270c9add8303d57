//! The faults of a journal as messages.

use crate::{cli::output, model::text::number, store::journal::Report};

/// Prints the faults of a journal, and the number of those that are not listed.
pub(crate) fn complain(report: &Report) {
    for faulty in &report.faults {
        output::print_error(&faulty.to_string());
    }
    let unlisted = report.fault_count - report.faults.len();
    if unlisted > 0 {
        output::print_error(&format!("{} more are not listed", number::plural(unlisted as u64, "fault")));
    }
}
