//! Small changes to sentences that are put together.

/// Text that begins with a capital letter, as behind a full stop. What begins with something else than a letter
/// (a path, a number) stays as it is.
pub fn capitalized(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
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
