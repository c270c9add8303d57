//! Words of a quick search, and how well a text matches them. The order is fixed by the text alone, so that the same
//! words always bring the same rows.

use std::ops::Range;

/// How well a text matches, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// The text is what was typed.
    Whole,
    /// The text begins with what was typed.
    Start,
    /// Each typed word begins a word of the text.
    WordStarts,
    /// Each typed word is somewhere in the text.
    Inside,
    /// The letters of each typed word occur in this order, the first of them at the start of a word.
    Letters,
}

/// Typed words, in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(Vec<Vec<char>>);

/// Returns the first lower-case letter, so that each letter of a text stays one.
fn lower(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

fn folded(text: &str) -> Vec<char> {
    text.chars().map(lower).collect()
}

fn find(text: &[char], word: &[char], from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    rest.windows(word.len()).position(|part| part == word).map(|at| at + from)
}

fn starts_word(text: &[char], at: usize) -> bool {
    at == 0 || !text[at - 1].is_alphanumeric()
}

/// Returns where a word begins a word of the text, or else where it first occurs.
fn best_place(text: &[char], word: &[char]) -> Option<(usize, bool)> {
    let mut first = None;
    let mut from = 0;
    while let Some(at) = find(text, word, from) {
        if starts_word(text, at) {
            return Some((at, true));
        }
        first = first.or(Some((at, false)));
        from = at + 1;
    }
    first
}

/// Returns the positions of the letters of a word in this order; the first begins a word of the text.
fn letters(text: &[char], word: &[char]) -> Option<Vec<usize>> {
    let (first, rest) = word.split_first()?;
    let begin = (0..text.len()).find(|at| text[*at] == *first && starts_word(text, *at))?;
    let mut places = vec![begin];
    for letter in rest {
        let from = places.last()? + 1;
        places.push((from..text.len()).find(|at| text[*at] == *letter)?);
    }
    Some(places)
}

impl Words {
    /// Splits what was typed at white space.
    pub fn new(typed: &str) -> Self {
        Self(typed.split_whitespace().map(folded).collect())
    }

    /// Returns `true` if nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the words, in lower case.
    pub fn each(&self) -> impl Iterator<Item = String> + '_ {
        self.0.iter().map(|word| word.iter().collect())
    }

    /// Returns how well a text matches; `None` if it does not. Without words, every text matches.
    pub fn fit(&self, text: &str) -> Option<Fit> {
        let text = folded(text);
        let typed = self.0.join(&' ');
        if text == typed {
            return Some(Fit::Whole);
        }
        if text.starts_with(&typed) {
            return Some(Fit::Start);
        }
        let of_word = |word: &Vec<char>| match best_place(&text, word) {
            Some((_, true)) => Some(Fit::WordStarts),
            Some((_, false)) => Some(Fit::Inside),
            None => letters(&text, word).map(|_| Fit::Letters),
        };
        self.0.iter().map(of_word).try_fold(Fit::WordStarts, |worst, fit| Some(worst.max(fit?)))
    }

    /// Returns the parts of a text that match, as byte ranges in ascending order that do not overlap.
    pub fn spans(&self, text: &str) -> Vec<Range<usize>> {
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let text = folded(text);
        let mut hit = vec![false; text.len()];
        for word in &self.0 {
            match best_place(&text, word) {
                Some((at, _)) => hit[at..at + word.len()].fill(true),
                None => letters(&text, word).into_iter().flatten().for_each(|at| hit[at] = true),
            }
        }
        let mut spans: Vec<Range<usize>> = Vec::new();
        for at in (0..hit.len()).filter(|at| hit[*at]) {
            match spans.last_mut() {
                Some(last) if last.end == starts[at] => last.end = starts[at + 1],
                _ => spans.push(starts[at]..starts[at + 1]),
            }
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closer_match_comes_first() {
        for (typed, text, fit) in [
            ("refresh", "Refresh", Some(Fit::Whole)),
            ("ref", "Refresh", Some(Fit::Start)),
            ("pay rot", "Rotate payments-writer", Some(Fit::WordStarts)),
            ("rot pay", "payments-quota-rotator", Some(Fit::WordStarts)),
            ("fresh", "Refresh", Some(Fit::Inside)),
            ("rpw", "Rotate payments-writer", Some(Fit::Letters)),
            ("ate", "Create key", Some(Fit::Inside)),
            ("tex", "Rotate", None),
            ("", "Rotate", Some(Fit::Start)),
            ("ÜBER", "über-key", Some(Fit::Start)),
            ("long", "lo", None),
        ] {
            assert_eq!(Words::new(typed).fit(text), fit, "{typed} in {text}");
        }
    }

    #[test]
    fn what_matches_is_marked() {
        let marked = |typed: &str, text: &'static str| {
            let spans = Words::new(typed).spans(text);
            spans.into_iter().map(|span| &text[span]).collect::<Vec<_>>()
        };
        assert_eq!(marked("rot pay", "Rotate payments-ledger"), ["Rot", "pay"]);
        assert_eq!(marked("pay payments", "payments"), ["payments"]);
        assert_eq!(marked("rp", "Rotate ünï-payments"), ["R", "p"]);
        assert_eq!(marked("ünï", "Rotate ünï"), ["ünï"]);
        assert!(marked("x", "Rotate").is_empty());
    }
}
