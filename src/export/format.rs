//! File formats of exports.

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Comma-separated values (RFC 4180), times in UTC.
    Csv,
    /// One JSON object per line, times in milliseconds since 1970.
    JsonLines,
    /// One JSON array, laid out for reading, of the same objects.
    Json,
    /// A workbook for Excel and LibreOffice, times as dates in UTC.
    Xlsx,
    /// A calendar (RFC 5545) of the keys that are going to expire.
    Ics,
}

impl Format {
    /// All formats, in the order of a menu.
    pub const ALL: [Format; 5] = [Self::Csv, Self::Xlsx, Self::JsonLines, Self::Json, Self::Ics];

    /// Returns the file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        self.facts().0
    }

    /// Returns the name shown.
    pub fn word(self) -> &'static str {
        self.facts().1
    }

    /// Returns the media type, for a clipboard or a web server.
    pub fn media_type(self) -> &'static str {
        self.facts().2
    }

    fn facts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Csv => ("csv", "CSV", "text/csv"),
            Self::JsonLines => ("ndjson", "JSON lines", "application/x-ndjson"),
            Self::Json => ("json", "JSON", "application/json"),
            Self::Xlsx => ("xlsx", "Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            Self::Ics => ("ics", "Calendar", "text/calendar"),
        }
    }
}
