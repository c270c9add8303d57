//! Characters that nobody sees or that change the direction of text, by their Unicode properties.

use icu_properties::{
    CodePointSetData, CodePointSetDataBorrowed,
    props::{BidiControl, DefaultIgnorableCodePoint, EmojiModifier, ExtendedPictographic},
};

const IGNORABLE: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<DefaultIgnorableCodePoint>();
const BIDIRECTIONAL: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<BidiControl>();
const PICTOGRAPHS: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<ExtendedPictographic>();
const MODIFIERS: CodePointSetDataBorrowed<'static> = CodePointSetData::new::<EmojiModifier>();

/// U+FE0F, which asks for the colored form of the character before it.
const EMOJI_STYLE: char = '\u{fe0f}';
/// U+200D, which joins two emoji to one.
const JOINER: char = '\u{200d}';

/// Returns `true` for a character without a glyph of its own (`Default_Ignorable_Code_Point`, and the marks of
/// annotations, which lack that property), and for one that changes the direction of text (`Bidi_Control`). Control
/// characters and blanks are not among them.
pub fn is_invisible(c: char) -> bool {
    !c.is_ascii() && (IGNORABLE.contains(c) || BIDIRECTIONAL.contains(c) || matches!(c, '\u{fff9}'..='\u{fffb}'))
}

/// Returns `true` for control characters and line ends (of Unicode too), and for [invisible](is_invisible) characters.
/// U+FE0F and U+200D count even within an emoji, because no neighbor is looked at.
pub fn is_treacherous(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_invisible(c)
}

/// Finds the [treacherous](is_treacherous) characters of a text that is read one character at a time.
///
/// U+FE0F right behind a pictograph and U+200D between two emoji are part of what is seen there, and are not found.
/// Anywhere else they are: behind a letter or a digit (so in keycaps too), twice in a row, at the end. Tags (U+E0020 to
/// U+E007F) are found even in the flags of regions, since any text can be hidden in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreacherousFinder(Emoji);

/// Part of an emoji that ends with the last character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Emoji {
    #[default]
    None,
    /// A pictograph, which U+FE0F or a modifier may follow.
    Pictograph,
    /// A pictograph with U+FE0F or a modifier.
    Styled,
}

impl TreacherousFinder {
    /// Returns `true` if the next character is treacherous where it stands. `following` is the one after it; `None` at
    /// the end of the text.
    pub fn finds(&mut self, c: char, following: Option<char>) -> bool {
        if c.is_ascii() {
            self.0 = Emoji::None;
            return c.is_control();
        }
        let before = std::mem::take(&mut self.0);
        let is_part = match c {
            EMOJI_STYLE => before == Emoji::Pictograph,
            JOINER => before != Emoji::None && following.is_some_and(|next| PICTOGRAPHS.contains(next)),
            _ => !is_treacherous(c),
        };
        let is_styled = c == EMOJI_STYLE || MODIFIERS.contains(c);
        if is_styled && before == Emoji::Pictograph {
            self.0 = Emoji::Styled;
        } else if is_part && PICTOGRAPHS.contains(c) {
            self.0 = Emoji::Pictograph;
        }
        !is_part
    }

    /// Returns `true` for a character that can only be judged by the one after it.
    pub fn waits_for_next(c: char) -> bool {
        c == JOINER
    }
}

/// Returns the treacherous characters of a text with their byte offsets, as [`TreacherousFinder`] finds them.
pub fn treacherous(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut finder = TreacherousFinder::default();
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (at, c) = chars.next()?;
            if finder.finds(c, chars.peek().map(|next| next.1)) {
                return Some((at, c));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> String {
        treacherous(text).map(|(_, c)| c).collect()
    }

    #[test]
    fn what_nobody_sees_is_found_by_the_properties_of_unicode() {
        let ranges = [
            // Characters that a list made by hand had.
            0xad..=0xad,
            0x61c..=0x61c,
            0x115f..=0x1160,
            0x180e..=0x180e,
            0x200b..=0x200f,
            0x202a..=0x202e,
            0x2060..=0x206f,
            0x3164..=0x3164,
            0xfeff..=0xfeff,
            0xffa0..=0xffa0,
            0xfff9..=0xfffb,
            0xe0000..=0xe0fff,
            // Characters that it lacked.
            0x34f..=0x34f,
            0x17b4..=0x17b5,
            0x180b..=0x180d,
            0x180f..=0x180f,
            0xfe00..=0xfe0f,
            0xfff0..=0xfff8,
            0x1bca0..=0x1bca3,
            0x1d173..=0x1d17a,
        ];
        for c in ranges.into_iter().flatten().filter_map(char::from_u32) {
            assert!(is_invisible(c) && is_treacherous(c), "{:04X}", u32::from(c));
            assert_eq!(found(&format!("a{c}b")), c.to_string(), "{:04X}", u32::from(c));
        }
        for c in ['\0', '\n', '\u{1b}', '\u{7f}', '\u{9b}', '\u{2028}', '\u{2029}'] {
            assert!(is_treacherous(c) && !is_invisible(c), "{:04X}", u32::from(c));
        }
    }

    #[test]
    fn what_is_seen_is_not_found() {
        for text in
            ["", "my_app-key 1", "ключ", "鍵", "مفتاح", "מפתח", "คีย์", "é e\u{301}", "a\u{a0}b\u{3000}", "한국어"]
        {
            assert_eq!(found(text), "", "{text:?}");
        }
    }

    #[test]
    fn an_emoji_is_seen_as_a_whole() {
        for emoji in [
            "❤\u{fe0f}",
            "⚡\u{fe0f}",
            "❤\u{fe0f}\u{200d}🔥",
            "👩\u{200d}💻",
            "👩🏽\u{200d}💻",
            "👨\u{200d}👩\u{200d}👧",
            "🏳\u{fe0f}\u{200d}🌈",
            "🕵🏽\u{200d}♂\u{fe0f}",
            "🔑 key ❤\u{fe0f} 🔑",
        ] {
            assert_eq!(found(emoji), "", "{emoji:?}");
        }
    }

    #[test]
    fn parts_of_emoji_are_found_where_they_show_nothing() {
        for (text, hidden) in [
            ("a\u{fe0f}", "\u{fe0f}"),
            ("1\u{fe0f}\u{20e3}", "\u{fe0f}"),
            ("❤\u{fe0f}\u{fe0f}", "\u{fe0f}"),
            ("❤\u{fe0e}", "\u{fe0e}"),
            ("\u{fe0f}❤", "\u{fe0f}"),
            ("👩\u{200d}", "\u{200d}"),
            ("👩\u{200d}a", "\u{200d}"),
            ("a\u{200d}👩", "\u{200d}"),
            ("👩\u{200d}\u{200d}💻", "\u{200d}\u{200d}"),
            ("👩\u{200b}\u{fe0f}", "\u{200b}\u{fe0f}"),
            ("क्\u{200d}ष", "\u{200d}"),
            ("🏴\u{e0067}\u{e007f}", "\u{e0067}\u{e007f}"),
        ] {
            assert_eq!(found(text), hidden, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn only_the_parts_of_emoji_are_judged_by_their_neighbors(
            text in r"[a1\n\u{fe0f}\u{200d}\u{200b}\u{fe0e}❤🔑👩\u{1f3fd}\u{e0067}]{0,12}",
        ) {
            let alone: String = text.chars().filter(|c| is_treacherous(*c)).collect();
            let exempt = |c: &char| !matches!(*c, EMOJI_STYLE | JOINER);
            let (by_neighbors, by_itself) = (found(&text), alone);
            proptest::prop_assert!(by_neighbors.chars().filter(exempt).eq(by_itself.chars().filter(exempt)));
        }
    }
}
