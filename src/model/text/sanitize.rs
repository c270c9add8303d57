//! Text from a server, made safe to show on a screen: no hidden characters, no changes of direction, no line ends.

use std::borrow::Cow;

/// Returns the text with every control, bidirectional and invisible character written as `‹U+202E›` (a line end as `↵`,
/// a tab as `→`), so that a name can't look like another one.
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => safe.push('↵'),
            '\t' => safe.push('→'),
            c if is_treacherous(c) => safe.push_str(&format!("‹U+{:04X}›", u32::from(c))),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// Returns the text with [`shown`] applied to each line, so that line ends are kept.
pub fn lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// Returns text of several lines in the form of [`shown`], except that line ends and tabs stay as they are.
pub fn shown_lines(text: &str) -> Cow<'_, str> {
    let hides = |c: char| is_treacherous(c) && !matches!(c, '\n' | '\t');
    if !text.contains(hides) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hides(c) { safe.push_str(&format!("‹U+{:04X}›", u32::from(c))) } else { safe.push(c) }
    }
    Cow::Owned(safe)
}

/// Returns the first `most` characters of [`shown`], with `…` added if there are more.
pub fn shortened(text: &str, most: usize) -> String {
    let safe = shown(text);
    match safe.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &safe[..end]),
        None => safe.into_owned(),
    }
}

/// Returns `true` for control characters (line ends and tabs too), and for characters that are invisible or change the
/// direction of text.
pub fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in ["my_app_key", "ключ", "鍵", "🔑 key", "a b"] {
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
    }
}
