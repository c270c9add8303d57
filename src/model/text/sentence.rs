//! Small changes to sentences that are put together from parts.

/// Returns the text with a capital first letter, as after a full stop. Text that begins with anything but a letter (a
/// path, a number) stays as it is.
pub fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Returns the text with a small first letter, to be continued after a colon.
pub fn uncapitalized(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_letter_changes() {
        for (words, wanted) in
            [("", ""), ("no", "No"), ("élan B", "Élan B"), ("/tmp/x", "/tmp/x"), ("7 days", "7 days")]
        {
            assert_eq!(capitalized(words), wanted);
        }
    }
}
