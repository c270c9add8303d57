//! Lexer of a search: where each word begins and ends, which parts are quoted, and their colors.

use std::ops::Range;

use super::Field;

/// Kind of a span of a search, which decides its color.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SpanKind {
    /// Blanks between the terms.
    Blank,
    /// Name of a field with its colon.
    Field,
    /// Name with a colon that is no field.
    UnknownField,
    /// Value after a field.
    Value,
    /// Free text.
    Text,
    /// Quoted text with its quotes, free or after a field.
    Quote,
    /// Operator: `or`, `AND`, `NOT`, `-`, parentheses, commas between values, and the signs of times.
    Operator,
}

/// Stretch of text, quoted or not.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub span: Range<usize>,
    /// Text without quotes and escapes.
    pub text: String,
    pub quoted: bool,
    /// `true` if the closing quote is present, or none was opened.
    pub closed: bool,
}

/// Value between commas: adjacent pieces.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub span: Range<usize>,
    pub pieces: Vec<Piece>,
}

impl Value {
    fn at(start: usize) -> Self {
        Self { span: start..start, pieces: Vec::new() }
    }

    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    pub fn has_quotes(&self) -> bool {
        self.pieces.iter().any(|piece| piece.quoted)
    }

    /// `true` if the last quote runs to the end of the search.
    pub fn is_open(&self) -> bool {
        self.pieces.last().is_some_and(|piece| piece.quoted && !piece.closed)
    }

    fn push(&mut self, piece: Piece) {
        self.span.end = piece.span.end;
        self.pieces.push(piece);
    }

    fn push_char(&mut self, at: usize, c: char) {
        if self.pieces.last().is_none_or(|last| last.quoted) {
            self.push(Piece { span: at..at, text: String::new(), quoted: false, closed: true });
        }
        if let Some(last) = self.pieces.last_mut() {
            last.text.push(c);
            last.span.end = at + c.len_utf8();
            self.span.end = last.span.end;
        }
    }
}

/// Term: a name before the colon, if there is one, and its values; free text is a single value.
#[derive(Clone, Debug)]
pub(super) struct Word {
    /// Range of the name without the colon that follows it.
    pub field: Option<Range<usize>>,
    pub values: Vec<Value>,
}

#[derive(Clone, Debug)]
pub(super) enum Token {
    Blank,
    Open,
    Close,
    Minus,
    Or,
    /// Conjunction `and` or `&&`, the same as no operator between two terms.
    And,
    /// Negation `not`: the same as a minus, also with a blank behind it.
    Not,
    Word(Word),
}

/// Splits a search into tokens, which together cover all of it.
pub(super) fn tokens(text: &str) -> Vec<(Range<usize>, Token)> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens: Vec<(Range<usize>, Token)> = Vec::new();
    while let Some(c) = lexer.peek() {
        let start = lexer.at;
        let token = match c {
            '(' | ')' | '-' => {
                lexer.take();
                match c {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    _ => Token::Minus,
                }
            }
            c if c.is_whitespace() => {
                while lexer.peek().is_some_and(char::is_whitespace) {
                    lexer.take();
                }
                Token::Blank
            }
            _ => Token::Word(lexer.word()),
        };
        let span = start..lexer.at;
        let is_negated = matches!(tokens.last(), Some((_, Token::Minus)));
        let token = match &text[span.clone()] {
            _ if is_negated => token,
            word => operator(word).unwrap_or(token),
        };
        tokens.push((span, token));
    }
    tokens
}

/// Returns the operator that a bare word stands for, in the spelling of Kibana's or of Lucene's query language.
fn operator(word: &str) -> Option<Token> {
    match word.to_ascii_lowercase().as_str() {
        "or" | "||" => Some(Token::Or),
        "and" | "&&" => Some(Token::And),
        "not" => Some(Token::Not),
        _ => None,
    }
}

/// Returns the text of a piece up to a byte position in the search.
pub(super) fn text_before(text: &str, piece: &Piece, place: usize) -> String {
    match text.get(piece.span.start..place.min(piece.span.end)) {
        Some(part) if piece.quoted => Lexer { text: part, at: 0 }.quoted().text,
        part => part.unwrap_or_default().to_owned(),
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn word(&mut self) -> Word {
        let start = self.at;
        let (mut field, mut values, mut value) = (None, Vec::new(), Value::at(start));
        while let Some(c) = self.peek() {
            match c {
                '(' | ')' => break,
                c if c.is_whitespace() => break,
                '"' => value.push(self.quoted()),
                ':' if field.is_none() && !value.has_quotes() => {
                    field = Some(start..self.at);
                    self.take();
                    value = Value::at(self.at);
                }
                ',' if field.is_some() => {
                    self.take();
                    values.push(std::mem::replace(&mut value, Value::at(self.at)));
                }
                c => {
                    value.push_char(self.at, c);
                    self.take();
                }
            }
        }
        values.push(value);
        Word { field, values }
    }

    fn quoted(&mut self) -> Piece {
        let start = self.at;
        self.take();
        let (mut text, mut closed) = (String::new(), false);
        while let Some(c) = self.take() {
            match c {
                '"' => {
                    closed = true;
                    break;
                }
                '\\' if matches!(self.peek(), Some('"' | '\\')) => text.extend(self.take()),
                c => text.push(c),
            }
        }
        Piece { span: start..self.at, text, quoted: true, closed }
    }
}

/// Returns a text as it must be typed to be taken literally, after a field or alone: in quotes where necessary.
pub fn quoted(text: &str) -> String {
    let is_special = |c: char| c.is_whitespace() || matches!(c, '"' | '(' | ')' | ',' | ':' | '*' | '?');
    let is_word = text.eq_ignore_ascii_case("none") || operator(text).is_some();
    // A field and a sign are refused as a slip.
    let is_word = is_word || text.contains(['=', '<', '>']);
    if !text.is_empty() && !is_word && !text.starts_with('-') && !text.contains(is_special) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Splits any search, valid or not, into spans for coloring: in order and without a gap.
pub fn spans(text: &str) -> Vec<(Range<usize>, SpanKind)> {
    let mut spans = Vec::new();
    for (span, token) in tokens(text) {
        match token {
            Token::Blank => spans.push((span, SpanKind::Blank)),
            Token::Open | Token::Close | Token::Minus | Token::Or | Token::And | Token::Not => {
                spans.push((span, SpanKind::Operator))
            }
            Token::Word(word) => colour(text, span, &word, &mut spans),
        }
    }
    spans.retain(|(span, _)| !span.is_empty());
    spans
}

fn colour(text: &str, span: Range<usize>, word: &Word, spans: &mut Vec<(Range<usize>, SpanKind)>) {
    let mut at = span.start;
    let mut kind = SpanKind::Text;
    let mut is_time = false;
    if let Some(name) = &word.field {
        let field = Field::named(&text[name.clone()]);
        is_time = matches!(field, Some(Field::Time(_)));
        kind = SpanKind::Value;
        at = name.end + 1;
        spans.push((span.start..at, if field.is_some() { SpanKind::Field } else { SpanKind::UnknownField }));
    }
    for piece in word.values.iter().flat_map(|value| &value.pieces) {
        spans.push((at..piece.span.start, SpanKind::Operator));
        at = piece.span.end;
        match (piece.quoted, is_time) {
            (true, _) => spans.push((piece.span.clone(), SpanKind::Quote)),
            (false, false) => spans.push((piece.span.clone(), kind)),
            (false, true) => {
                let (start, rest) = (piece.span.start, piece.text.trim_start_matches(['<', '>', '=']));
                let signs = start + piece.text.len() - rest.len();
                let dots = rest.find("..").map_or(at..at, |dots| signs + dots..signs + dots + 2);
                spans.push((start..signs, SpanKind::Operator));
                spans.push((signs..dots.start, kind));
                spans.push((dots.clone(), SpanKind::Operator));
                spans.push((dots.end..at, kind));
            }
        }
    }
    spans.push((at..span.end, SpanKind::Operator));
}

#[cfg(test)]
mod tests {
    use super::*;
    use SpanKind::*;

    fn coloured(text: &str) -> Vec<(&str, SpanKind)> {
        spans(text).into_iter().map(|(span, kind)| (&text[span], kind)).collect()
    }

    #[test]
    fn every_stretch_has_its_kind() {
        assert_eq!(
            coloured(r#"-owner:ana,"b c" or (x foo:1)"#),
            [
                ("-", Operator),
                ("owner:", Field),
                ("ana", Value),
                (",", Operator),
                ("\"b c\"", Quote),
                (" ", Blank),
                ("or", Operator),
                (" ", Blank),
                ("(", Operator),
                ("x", Text),
                (" ", Blank),
                ("foo:", UnknownField),
                ("1", Value),
                (")", Operator),
            ]
        );
        assert_eq!(
            coloured("created:7d..30d,<1d"),
            [
                ("created:", Field),
                ("7d", Value),
                ("..", Operator),
                ("30d", Value),
                (",", Operator),
                ("<", Operator),
                ("1d", Value)
            ]
        );
    }

    #[test]
    fn an_open_quote_runs_to_the_end() {
        assert_eq!(coloured("a \"b (c"), [("a", Text), (" ", Blank), ("\"b (c", Quote)]);
    }

    proptest::proptest! {
        #[test]
        fn spans_are_the_whole_text(text in r#"([-a:"\\(),*<>. ü🔑]|owner:|expires:|or ){0,30}|\PC*"#) {
            let all: String = coloured(&text).into_iter().map(|(part, _)| part).collect();
            proptest::prop_assert_eq!(all, text);
        }
    }
}
