//! Files of a journal and their lines.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read as _, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
};

/// Size limit in bytes of an unfinished line that the next entry takes in as evidence of a crash. Longer ones are not
/// from a crash and stay in the file, as a line that is no entry.
pub const MAX_TORN_BYTES: usize = 1 << 20;

/// Number of bytes at the end of a file that are read first to find its last line.
const TAIL_BYTES: u64 = 1 << 16;

/// Returns the files of a journal, the oldest first; none if there is no folder.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("journal-") && name.ends_with(".jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Last whole line of a file.
pub(super) struct Tail {
    /// Offset where the next entry begins: the end of the last whole line, or of the file where what follows that line
    /// stays.
    pub(super) end: u64,
    pub(super) last: Option<String>,
}

/// Content behind the last line end of a file.
pub(super) enum Torn {
    /// No bytes.
    None,
    /// An unfinished line, as left by a crash.
    Line(String),
    /// More than [`MAX_TORN_BYTES`] bytes.
    TooLong,
}

/// Reads the last whole line of a file, and what follows it without a line end.
pub(super) fn tail(path: &Path) -> io::Result<(Tail, Torn)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut size = TAIL_BYTES;
    loop {
        let from = length.saturating_sub(size);
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        (&mut file).take(length - from).read_to_end(&mut bytes)?;
        let last_end = memchr::memrchr(b'\n', &bytes);
        let before = last_end.and_then(|at| memchr::memrchr(b'\n', &bytes[..at]));
        // No entry is so long that more has to be read for its beginning.
        if from > 0 && before.is_none() && bytes.len() <= MAX_LINE_BYTES + MAX_TORN_BYTES {
            size *= 4;
            continue;
        }
        let whole = last_end.map_or(0, |at| at + 1);
        let rest = &bytes[whole..];
        let torn = match rest.len() {
            0 => Torn::None,
            length if length > MAX_TORN_BYTES => Torn::TooLong,
            _ => Torn::Line(String::from_utf8_lossy(rest).into_owned()),
        };
        let start = before.map_or(0, |at| at + 1);
        let last = last_end.map(|at| String::from_utf8_lossy(&bytes[start..at]).into_owned());
        let end = if matches!(torn, Torn::TooLong) { length } else { from + whole as u64 };
        return Ok((Tail { end, last }, torn));
    }
}

/// Size limit of a line that is taken for an entry, in bytes. An update of 10,000 keys takes some 300 kB.
const MAX_LINE_BYTES: usize = 64 << 20;

/// Number of bytes after which lines that were read are handed over together.
const BLOCK_BYTES: usize = 4 << 20;

/// Hands the lines to `take` in blocks of some [`BLOCK_BYTES`], each line as [`each_line`] does.
pub(super) fn each_block(file: &Path, mut take: impl FnMut(&[Option<&[u8]>])) -> io::Result<()> {
    let (mut bytes, mut lines): (Vec<u8>, Vec<Option<Range<usize>>>) = (Vec::new(), Vec::new());
    let mut hand_over = |bytes: &mut Vec<u8>, lines: &mut Vec<Option<Range<usize>>>| {
        let block: Vec<Option<&[u8]>> =
            lines.iter().map(|line| line.as_ref().and_then(|line| bytes.get(line.clone()))).collect();
        take(&block);
        bytes.clear();
        lines.clear();
    };
    each_line(file, |line| {
        lines.push(line.map(|line| {
            let start = bytes.len();
            bytes.extend_from_slice(line);
            start..bytes.len()
        }));
        if bytes.len() >= BLOCK_BYTES {
            hand_over(&mut bytes, &mut lines);
        }
    })?;
    hand_over(&mut bytes, &mut lines);
    Ok(())
}

/// Hands each line without its end to `take`; `None` for one that is too long or whose end is missing.
pub(super) fn each_line(file: &Path, mut take: impl FnMut(Option<&[u8]>)) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, File::open(file)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES as u64 + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(());
        }
        match line.strip_suffix(b"\n") {
            Some(whole) => take(Some(whole)),
            None => {
                take(None);
                if line.len() > MAX_LINE_BYTES {
                    reader.skip_until(b'\n')?;
                }
            }
        }
    }
}
