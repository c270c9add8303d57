//! Text within XML and what resembles it: pictures, notices of a desktop.

/// Returns the text with everything escaped that would be markup, within quoted attributes too.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_markup_is_left() {
        assert_eq!(escaped(r#"<a b="c">&amp;"#), "&lt;a b=&quot;c&quot;&gt;&amp;amp;");
    }
}
