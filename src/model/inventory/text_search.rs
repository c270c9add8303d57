//! Search through a column of texts: blocks of texts are searched as one.

use memchr::memmem::Finder;

use super::{
    Bitmap,
    bitmap::CHUNK,
    string_arena::{BLOCK, StringArena},
};
use crate::model::filter::TextMatch;

/// Returns the codes of the distinct texts that match. If only parts of texts are wanted, all texts are searched in one
/// pass; texts that are not plain ASCII or have escapes are checked by `slowly`, as are all other comparisons.
pub(super) fn matching_texts(texts: &StringArena, wanted: &[TextMatch], slowly: impl Fn(u32) -> bool + Sync) -> Bitmap {
    let plain = |wanted: &TextMatch| match wanted {
        TextMatch::Contains(needle) if needle.is_ascii() && !needle.contains(['"', '\\', '\0']) => Some(needle.clone()),
        _ => None,
    };
    let Some(needles) = wanted.iter().map(plain).collect::<Option<Vec<String>>>() else {
        return Bitmap::of_bits(texts.len(), |number| slowly(number as u32));
    };
    let mut found = Bitmap::none(texts.len());
    add_containing(&mut found, texts, &needles);
    found.revise(|number, is_found| {
        let raw = texts.raw(number as u32);
        // An escape is no letter of what it stands for.
        match raw.contains(&b'\\') {
            true => slowly(number as u32),
            false => is_found || !raw.is_ascii() && slowly(number as u32),
        }
    });
    found
}

/// Adds the numbers of texts that contain any of some lower-case ASCII needles, whatever their case: blocks of texts
/// are searched as one.
pub(super) fn add_containing(found: &mut Bitmap, texts: &StringArena, needles: &[String]) {
    if needles.iter().any(String::is_empty) {
        *found = Bitmap::all(texts.len());
        return;
    }
    let finders: Vec<Finder<'_>> = needles.iter().map(Finder::new).collect();
    let long = needles.iter().any(|needle| needle.len() > 1);
    found.fill(|words, first| {
        let last = texts.len().min(first + CHUNK);
        let mut lower = Vec::new();
        for from in (first..last).step_by(BLOCK) {
            let start = (from - first) / 64;
            let end = words.len().min(start + BLOCK / 64);
            let words = &mut words[start..end];
            if words.iter().all(|word| *word == u64::MAX) {
                continue;
            }
            let block = Block { texts, from, last: last.min(from + BLOCK) };
            let raw = texts.slice(from, block.last - 1);
            let folded = if long && texts.has_upper(from) {
                lower.clear();
                lower.extend_from_slice(raw);
                lower.make_ascii_lowercase();
                &lower
            } else {
                raw
            };
            for finder in &finders {
                match finder.needle() {
                    // One letter is in most texts, so what counts is how soon each search begins.
                    [letter] => {
                        let upper = letter.to_ascii_uppercase();
                        block.search(words, 1, |at| memchr::memchr2(*letter, upper, &raw[at..]));
                    }
                    needle => block.search(words, needle.len(), |at| finder.find(&folded[at..])),
                }
            }
        }
    });
}

/// Block of adjacent texts.
struct Block<'a> {
    texts: &'a StringArena,
    from: usize,
    last: usize,
}

impl Block<'_> {
    /// Marks each text in which `next` finds a match; `next` gets the offset to begin at and returns the distance of
    /// the match from there.
    fn search(&self, words: &mut [u64], length: usize, next: impl Fn(usize) -> Option<usize>) {
        let start = self.texts.start(self.from);
        let bytes = self.texts.end(self.last - 1) - start;
        let (mut at, mut text) = (0, self.from);
        while at < bytes
            && let Some(more) = next(at)
        {
            at += more;
            // In which text it begins; what goes beyond its end is no match.
            while self.texts.end(text) - start <= at {
                text += 1;
            }
            let end = self.texts.end(text) - start;
            if at + length <= end {
                words[(text - self.from) / 64] |= 1 << ((text - self.from) % 64);
                at = end;
            } else {
                at += 1;
            }
        }
    }
}

impl Bitmap {
    /// Returns the number of rows that each thread processes at a time.
    #[cfg(test)]
    pub(super) const fn chunk() -> usize {
        CHUNK
    }
}
