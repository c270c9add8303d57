//! Rows of an export, what a file says about itself, and the texts that all formats share.

use std::{borrow::Cow, io, ops::ControlFlow};

use jiff::tz::TimeZone;

use crate::model::{
    Timestamp,
    api_key::{ApiKey, KeyKind},
    time::status::Status,
};

/// A key and the cluster it belongs to.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Name of the cluster, as the user calls it.
    pub cluster: &'a str,
    /// The key, borrowed or owned.
    pub key: Cow<'a, ApiKey>,
}

/// Properties of a whole file.
#[derive(Clone, Debug)]
pub struct About {
    /// Name of the cluster or clusters, as the user calls them.
    pub cluster: String,
    /// `true` if every row names its cluster: for lists of several clusters.
    pub with_cluster: bool,
    /// Moment for which the status of a key is written.
    pub now: Timestamp,
    /// Moment at which the file is made.
    pub made_at: Timestamp,
    /// Time zone of the times that are shown besides UTC.
    pub zone: TimeZone,
}

/// Callback that receives the number of keys read, every 1,000 keys and while a workbook is packed; it may cancel the
/// export.
pub type Tell<'t> = dyn FnMut(u64) -> ControlFlow<()> + Send + 't;

/// Result of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Number of keys in the file.
    pub keys: u64,
    /// Number of keys that a calendar can't hold, because they expire after the year 9999; 0 for other formats.
    pub beyond: u64,
}

/// Reason why an export ended early; the file written so far is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file, or the temporary file of a workbook, can't be written.
    #[error("The file can't be written: {0}")]
    Write(#[from] io::Error),
    /// The user canceled the export.
    #[error("The export was stopped")]
    Stopped,
}

/// Number of keys read between two calls of `progress`.
const STEP: u64 = 1000;

/// Rows of an export, which count themselves.
pub(super) struct Rows<'r, 'a, 't> {
    pub(super) source: &'r mut dyn Iterator<Item = Row<'a>>,
    pub(super) read: u64,
    pub(super) progress: &'r mut Tell<'t>,
}

impl<'a> Rows<'_, 'a, '_> {
    /// Returns the next row; `None` behind the last one.
    ///
    /// # Errors
    /// [`ExportError::Stopped`] if the export was canceled.
    pub(super) fn next(&mut self) -> Result<Option<Row<'a>>, ExportError> {
        let row = self.source.next();
        if row.is_some() {
            self.read += 1;
            if self.read.is_multiple_of(STEP) {
                self.go_on()?;
            }
        }
        Ok(row)
    }

    /// Reports the number of rows read.
    ///
    /// # Errors
    /// [`ExportError::Stopped`] if the export was canceled.
    pub(super) fn go_on(&mut self) -> Result<(), ExportError> {
        if (self.progress)(self.read).is_break() { Err(ExportError::Stopped) } else { Ok(()) }
    }

    /// Returns the result when all rows that were read are written.
    pub(super) fn all(&self) -> Written {
        Written { keys: self.read, beyond: 0 }
    }
}

/// Returns the status of a key as files name it.
pub(super) fn status_word(key: &ApiKey, now: Timestamp) -> &'static str {
    key.known_status(now).map_or("not known", Status::machine_word)
}

/// Returns the name that Elasticsearch gives a kind, in its field `type`.
pub fn kind(kind: &KeyKind) -> &str {
    match kind {
        KeyKind::Rest => "rest",
        KeyKind::CrossCluster => "cross_cluster",
        KeyKind::Other(name) => name,
    }
}

/// Returns the text with every character that a text file must not contain as `‹U+0007›`: control characters other than
/// line ends and tabs, and noncharacters.
pub(super) fn writable(text: &str) -> Cow<'_, str> {
    let bad = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{fffe}' | '\u{ffff}');
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if bad(c) { safe.push_str(&format!("‹U+{:04X}›", u32::from(c))) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}
