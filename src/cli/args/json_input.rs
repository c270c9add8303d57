//! JSON as the value of an option: the text itself, or `@FILE` with its path.

use std::{fs::File, io::Read as _};

/// Size limit of a file with JSON, in bytes; role descriptors and metadata of a key are far smaller.
const MAX_JSON_BYTES: u64 = 1024 * 1024;

/// Returns the given text, or the text of the file that it names with `@`.
///
/// # Errors
/// One line about the file when it can't be read, is too long or is not UTF-8.
pub(crate) fn text(given: &str) -> Result<String, String> {
    given.strip_prefix('@').map_or_else(|| Ok(given.to_owned()), of_file)
}

/// Reads the text of a file.
///
/// # Errors
/// One line about it when it can't be read, is too long or is not UTF-8.
pub(crate) fn of_file(path: &str) -> Result<String, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_JSON_BYTES + 1).read_to_string(&mut text));
    read.map_err(|error| format!("{path} can't be read: {error}"))?;
    if text.len() as u64 > MAX_JSON_BYTES {
        return Err(format!("{path} is longer than {} KiB", MAX_JSON_BYTES / 1024));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stands_for_itself_and_a_file_that_can_t_be_read_is_named() {
        assert_eq!(text("{}").unwrap(), "{}");
        assert!(text("@/no/such/file").unwrap_err().contains("/no/such/file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_an_end_is_not_read_to_its_end() {
        assert!(text("@/dev/zero").unwrap_err().contains("longer than 1024 KiB"));
    }
}
