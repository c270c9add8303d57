//! Writers that let no control, invisible or bidirectional character through: in JSON it becomes `\u202e`, which reads
//! back equal, on a terminal `‹U+202E›`. They don't know what is written.

use std::io::{self, Write};

use crate::model::text::{
    invisible::{self, TreacherousFinder},
    sanitize,
};

/// Replacement for control, invisible and bidirectional characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EscapeStyle {
    /// `\u202e`. Line ends stay: between the tokens of JSON they are layout, within a string they are escaped already.
    Json,
    /// `‹U+202E›`. Tabs, line feeds, and a carriage return before a line feed stay.
    Terminal,
}

/// A writer of UTF-8 that escapes control, invisible and bidirectional characters. A character may be cut between two
/// writes; bytes that are not UTF-8 become U+FFFD.
#[derive(Debug)]
pub struct Escaping<W> {
    out: W,
    form: EscapeStyle,
    /// Beginning of a character, a carriage return that a line feed may follow, or a character that the next one
    /// decides on.
    rest: Vec<u8>,
    finder: TreacherousFinder,
}

impl<W: Write> Escaping<W> {
    /// A writer for JSON.
    pub fn json(out: W) -> Self {
        Self { out, form: EscapeStyle::Json, rest: Vec::new(), finder: TreacherousFinder::default() }
    }

    /// A writer for a terminal, whatever the format.
    pub fn terminal(out: W) -> Self {
        Self { out, form: EscapeStyle::Terminal, rest: Vec::new(), finder: TreacherousFinder::default() }
    }

    /// Writes all of it; returns the number of bytes at the end that wait for the next write.
    fn put(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
            if !bytes.is_empty() {
                self.finder = TreacherousFinder::default();
            }
            return self.out.write_all(bytes).map(|()| 0);
        }
        let mut chunks = bytes.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            let is_last = chunks.peek().is_none();
            let cut = chunk.invalid();
            // The bytes of the next write may complete it.
            let is_cut = is_last && std::str::from_utf8(cut).is_err_and(|error| error.error_len().is_none());
            let is_undecided = is_last && (cut.is_empty() || is_cut);
            let waits = |c: &char| *c == '\r' || TreacherousFinder::waits_for_next(*c);
            let last = chunk.valid().chars().next_back();
            let held = last.filter(|c| is_undecided && waits(c)).map_or(0, char::len_utf8);
            self.text(&chunk.valid()[..chunk.valid().len() - held])?;
            if is_undecided {
                return Ok(held + cut.len());
            }
            if !cut.is_empty() {
                self.finder = TreacherousFinder::default();
                self.out.write_all("\u{fffd}".as_bytes())?;
            }
        }
        Ok(0)
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        match self.form {
            EscapeStyle::Json => self.json_text(text),
            EscapeStyle::Terminal => self.terminal_text(text),
        }
    }

    fn terminal_text(&mut self, text: &str) -> io::Result<()> {
        let mut done = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let following = chars.peek().map(|next| next.1);
            let is_layout = matches!((c, following), ('\n' | '\t', _) | ('\r', Some('\n')));
            if self.finder.finds(c, following) && !is_layout {
                self.out.write_all(&text.as_bytes()[done..at])?;
                self.out.write_all(sanitize::code_point(c).as_bytes())?;
                done = at + c.len_utf8();
            }
        }
        self.out.write_all(&text.as_bytes()[done..])
    }

    /// Emoji are escaped too: their parts may come in two writes, and they read back equal.
    fn json_text(&mut self, text: &str) -> io::Result<()> {
        let mut done = 0;
        let hidden = |c: &(usize, char)| invisible::is_treacherous(c.1) && !matches!(c.1, '\n' | '\r' | '\t');
        for (at, c) in text.char_indices().filter(hidden) {
            self.out.write_all(&text.as_bytes()[done..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(self.out, "\\u{unit:04x}")?;
            }
            done = at + c.len_utf8();
        }
        self.out.write_all(&text.as_bytes()[done..])
    }
}

impl<W: Write> Write for Escaping<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            let waiting = self.put(bytes)?;
            self.rest.extend_from_slice(&bytes[bytes.len() - waiting..]);
        } else {
            let mut all = std::mem::take(&mut self.rest);
            all.extend_from_slice(bytes);
            let waiting = self.put(&all)?;
            self.rest.extend_from_slice(&all[all.len() - waiting..]);
        }
        Ok(bytes.len())
    }

    /// Flushes `out`, and writes the waiting bytes too: then their rest will not come.
    fn flush(&mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.rest);
        for chunk in rest.utf8_chunks() {
            self.text(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                self.finder = TreacherousFinder::default();
                self.out.write_all("\u{fffd}".as_bytes())?;
            }
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(escape: fn(Vec<u8>) -> Escaping<Vec<u8>>, parts: &[&[u8]]) -> String {
        let mut writer = escape(Vec::new());
        parts.iter().for_each(|part| writer.write_all(part).unwrap());
        writer.flush().unwrap();
        String::from_utf8(writer.out).unwrap()
    }

    #[test]
    fn a_terminal_gets_no_escape_sequence_and_keeps_its_lines() {
        let text = "a\u{1b}]52;c;eA==\u{7}\u{9d}\u{202e}\r\nb\tc\rd\n";
        let safe = "a‹U+001B›]52;c;eA==‹U+0007›‹U+009D›‹U+202E›\r\nb\tc‹U+000D›d\n";
        assert_eq!(written(Escaping::terminal, &[text.as_bytes()]), safe);
        assert_eq!(written(Escaping::terminal, &[b"a\xff\r"]), "a\u{fffd}‹U+000D›");
        let emoji = "❤\u{fe0f} 👩\u{200d}💻";
        assert_eq!(written(Escaping::terminal, &[emoji.as_bytes()]), emoji);
        assert_eq!(written(Escaping::terminal, &["a\u{fe0f}b\u{200d}".as_bytes()]), "a‹U+FE0F›b‹U+200D›");
    }

    #[test]
    fn an_emoji_is_kept_wherever_it_is_cut() {
        let text = "🔑\u{200d}🔑\r\n\u{202e}❤\u{fe0f}";
        for at in 0..=text.len() {
            let (first, second) = text.as_bytes().split_at(at);
            let safe = written(Escaping::terminal, &[first, second]);
            assert_eq!(safe, "🔑\u{200d}🔑\r\n‹U+202E›❤\u{fe0f}", "{at}");
        }
        assert_eq!(written(Escaping::terminal, &["🔑\u{200d}".as_bytes(), b"\xf0\x9f"]), "🔑‹U+200D›\u{fffd}");
    }

    proptest::proptest! {
        #[test]
        fn json_reads_back_equal_and_holds_nothing_treacherous(
            text in r"[\x00-\x{9f}\u{202e}\u{2066}\u{200b}\u{e0041}\u{34f}\u{fe0f}\u{200d}🔑a-c]{0,20}|\PC{0,20}",
            cut in 0_usize..60,
        ) {
            let json = serde_json::to_string(&text).unwrap();
            let (first, second) = json.as_bytes().split_at(cut.min(json.len()));
            let safe = written(Escaping::json, &[first, second]);
            proptest::prop_assert!(!safe.contains(invisible::is_treacherous), "{safe:?}");
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }

        #[test]
        fn where_a_text_is_cut_makes_no_difference(
            text in r"[\r\n\x1b\u{9b}\u{202e}\u{fe0f}\u{200d}❤🔑ab]{0,12}",
            at in 0_usize..40,
            other in 0_usize..40,
        ) {
            let bytes = text.as_bytes();
            let (first, second) = bytes.split_at(at.min(bytes.len()));
            let (second, third) = second.split_at(other.min(second.len()));
            for escape in [Escaping::terminal as fn(Vec<u8>) -> _, Escaping::json] {
                proptest::prop_assert_eq!(written(escape, &[first, second, third]), written(escape, &[bytes]));
            }
            let safe = written(Escaping::terminal, &[bytes]);
            let is_bad = |c: char| !matches!(c, '\r' | '\n');
            proptest::prop_assert!(!invisible::treacherous(&safe).any(|(_, c)| is_bad(c)), "{safe:?}");
            // Beside what the finder knows as parts of an emoji nothing treacherous is left at all.
            let is_emoji = |c: char| matches!(c, '\u{fe0f}' | '\u{200d}');
            let is_left = |c: char| invisible::is_treacherous(c) && is_bad(c) && !is_emoji(c);
            proptest::prop_assert!(!safe.contains(is_left), "{safe:?}");
            proptest::prop_assert!(!safe.replace("\r\n", "").contains('\r'), "{safe:?}");
        }
    }
}
