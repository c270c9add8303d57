//! Text from a server, made safe to show on a screen: no hidden characters, no changes of direction, no line ends.

use std::borrow::Cow;

use super::invisible;

/// Returns the text with every control, bidirectional and invisible character written as `‹U+202E›` (a line end as `↵`,
/// a tab as `→`), so that a name can't look like another one. What makes up an emoji stays.
pub fn shown(text: &str) -> Cow<'_, str> {
    written_out(text, |_| false)
}

/// Returns the text with [`shown`] applied to each line, so that line ends are kept.
pub fn lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// Returns text of several lines in the form of [`shown`], except that line ends and tabs stay as they are.
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    written_out(text, |c| matches!(c, '\n' | '\t'))
}

fn written_out(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let mut safe = String::new();
    let mut copied = 0;
    for (at, c) in invisible::treacherous(text).filter(|(_, c)| !stays(*c)) {
        safe.push_str(&text[copied..at]);
        match c {
            '\n' => safe.push('↵'),
            '\t' => safe.push('→'),
            c => safe.push_str(&code_point(c)),
        }
        copied = at + c.len_utf8();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    safe.push_str(&text[copied..]);
    Cow::Owned(safe)
}

/// Returns a character as `‹U+202E›`.
pub fn code_point(c: char) -> String {
    format!("‹U+{:04X}›", u32::from(c))
}

/// Returns the first `most` characters of [`shown`], with `…` added if there are more.
pub fn shortened(text: &str, most: usize) -> String {
    let safe = shown(text);
    match safe.char_indices().nth(most) {
        // A joiner at the end would join nothing.
        Some((end, _)) => format!("{}…", safe[..end].trim_end_matches('\u{200d}')),
        None => safe.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["my_app_key", "ключ", "鍵", "🔑 key", "❤\u{fe0f} 👩\u{200d}💻", "a b"] {
            assert!(matches!(shown(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn what_hides_or_turns_text_round_is_written_out() {
        assert_eq!(shown("a\u{202e}b"), "a‹U+202E›b");
        assert_eq!(shown("a\u{0}\u{7f}"), "a‹U+0000›‹U+007F›");
        assert_eq!(shown("two\nlines\t"), "two↵lines→");
        assert_eq!(lines("two\nli\u{202e}nes"), "two\nli‹U+202E›nes");
        assert_eq!(shown("zero\u{200b}width"), "zero‹U+200B›width");
        assert_eq!(shown("\u{34f}a\u{fe00}\u{17b4}b"), "‹U+034F›a‹U+FE00›‹U+17B4›b");
    }

    #[test]
    fn text_of_several_lines_keeps_its_lines() {
        assert!(matches!(shown_lines("a\n\tb 鍵"), Cow::Borrowed(_)));
        assert_eq!(shown_lines("a\u{1b}]52\nb\u{9b}\u{202e}\r"), "a‹U+001B›]52\nb‹U+009B›‹U+202E›‹U+000D›");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shortened("🔑🔑🔑", 2), "🔑🔑…");
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("👩\u{200d}💻💻", 2), "👩…");
    }
}
