//! The reference to a key as an argument: its id, its application id or its name.

/// Reads the reference to a key: its id, its application id or its name.
///
/// # Errors
/// Returns an error if the text is blank.
pub(crate) fn reference(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("specify a key by its id, application id or name".into());
    }
    Ok(text.to_owned())
}
