//! Files of lists of keys, the same from the window and from the command line. They are written row by row, so that a
//! million keys need no more memory than a thousand; no file is opened here.

use std::io::{BufWriter, Write};

pub mod csv;
pub mod escape;
#[cfg(test)]
mod fixture;
mod format;
mod ics;
pub mod json_lines;
pub mod metrics;
pub mod outcome_report;
mod rows;
pub mod svg;
#[cfg(test)]
mod tests;
mod xlsx;

pub use format::Format;
use rows::Rows;
pub use rows::{About, ExportError, Row, Tell, Written, kind};

/// Writes a file of keys, in the order in which they come.
///
/// Every format streams to `out`, which needs no buffer of its own. A workbook grows in a temporary
/// file first. A calendar without events is a file that some programs refuse: see [`Written::keys`].
///
/// # Errors
/// [`ExportError::Write`] when `out` or the temporary file fails, [`ExportError::Stopped`] when `progress` breaks.
pub fn write<'a>(
    format: Format,
    out: impl Write + Send,
    rows: impl IntoIterator<Item = Row<'a>>,
    about: &About,
    progress: &mut Tell<'_>,
) -> Result<Written, ExportError> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut rows = Rows { source: &mut rows.into_iter(), read: 0, progress };
    let written = match format {
        Format::Csv => csv::write(&mut out, &mut rows, about),
        Format::JsonLines => json_lines::write(&mut out, &mut rows, about),
        Format::Json => json_lines::write_array(&mut out, &mut rows, about),
        Format::Xlsx => xlsx::write(&mut out, &mut rows, about),
        Format::Ics => ics::write(&mut out, &mut rows, about),
    }?;
    out.flush()?;
    Ok(written)
}
