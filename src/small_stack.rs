//! Helpers for tests of readers of foreign text: no text may make them recurse too deep.

use std::thread;

use proptest::test_runner::Config;

/// Stack size in bytes on which every reader of foreign text must work; threads of the worker have 2 MiB.
const SMALL_STACK: usize = 256 << 10;

/// Runs work on a thread with a stack of 256 KiB; a stack overflow there ends the test run.
pub fn on_small_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(SMALL_STACK).spawn_scoped(scope, work).unwrap();
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Returns a configuration with as many cases of a property as `PROPTEST_CASES` says, otherwise with `usual`.
pub fn cases(usual: u32) -> Config {
    if std::env::var_os("PROPTEST_CASES").is_some() { Config::default() } else { Config::with_cases(usual) }
}

/// Number of cases of a reader's property by default.
pub const USUAL_CASES: u32 = 10_000;

/// Generates text as somebody else may send it: pieces in any order, some of them repeated hundreds of times, so that
/// nesting occurs. Made from a number alone, since a strategy that makes each letter costs more than what is tested.
pub fn foreign_bytes(seed: u64, pieces: &[&[u8]]) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 20) as usize % below
    };
    let mut bytes = Vec::new();
    for _ in 0..next(24) {
        let piece = pieces[next(pieces.len())];
        let times = if next(8) == 0 { next(600) } else { 1 };
        bytes.extend(piece.repeat(times));
    }
    bytes
}

/// Generates text as [`foreign_bytes`] does, from pieces that are text.
pub fn foreign_text(seed: u64, pieces: &[&str]) -> String {
    let pieces: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
    String::from_utf8(foreign_bytes(seed, &pieces)).unwrap()
}
