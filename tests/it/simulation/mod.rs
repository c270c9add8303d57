//! Officers at work on a line that drops, cuts, delays and doubles, on a machine whose power fails and whose clock jumps,
//! beside a second officer: one seed is one life of a machine. Whatever happens, what is said of a key is true, and
//! nothing is lost.
//!
//! `KEYBEARER_SIMULATION=20000` runs that many seeds, and `KEYBEARER_SIMULATION=seed:17` the one of that number, with
//! every step told. A seed decides everything but the time that requests take on a busy machine.

mod disk;
#[cfg(debug_assertions)]
mod found;
mod life;
mod window;
mod world;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use life::Life;
use window::Window;
use world::World;

/// Number of seeds of an ordinary run, and how many live at the same time.
const SEEDS: u64 = 64;
const AT_ONCE: usize = 128;
/// Number of windows among so many seeds, and how many live at the same time.
const SEEDS_A_WINDOW: u64 = 10;
const WINDOWS_AT_ONCE: usize = 24;
/// Number of seeds on one practice cluster: its keys stay.
const SEEDS_OF_A_WORLD: u64 = 2000;

/// What has to happen in a run of [`SEEDS`] lives: one without it would show nothing.
const HAPPENS: [&str; 23] = [
    "a line: CutBefore",
    "a line: CutAfter",
    "a line: Torn",
    "a line: Late",
    "a line: Gateway",
    "a line: Doubled",
    "a power failure",
    "a power failure at a request",
    "lost: the name of .keybearer-",
    "a jump of the clock",
    "a grace period",
    "created",
    "creation refused",
    "creation lost, key there",
    "creation cut short, key there",
    "a twin was told",
    "done",
    "not known",
    "rotated",
    "resumed to its end",
    "shipped",
    "shipping cut short",
    "another end than was asked for",
];

/// The same of the windows among 2,000 seeds.
const WINDOWS_MEET: [&str; 5] = [
    "a window was locked",
    "a window was locked while it wrote",
    "a window asked about a secret before it was locked",
    "told after a lock: was invalidated",
    "told after a lock: was copied",
];

/// Numbers that follow from a seed (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.roll() % end.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// How far a clock is off, in words.
fn off(millis: i64) -> String {
    format!("{} minutes off", millis / 60_000)
}

/// A folder in memory, so that waiting for the disk is not what takes time.
fn memory_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// Lives one life. Returns its story, and what went wrong.
async fn live(world: &Arc<World>, seed: u64) -> (String, Option<String>) {
    let mut life = Life::new(world, seed);
    #[cfg(debug_assertions)]
    let result = {
        let clock = Arc::clone(&life.machine.clock);
        keybearer::client::clock::OFFSET.scope(clock, life.live()).await
    };
    #[cfg(not(debug_assertions))]
    let result = life.live().await;
    let story = life.machine.story.lock().unwrap().clone();
    (story, result.err())
}

/// Lives these windows, and returns how often each thing happened.
fn run_windows(seeds: std::ops::Range<u64>, tells: bool) -> BTreeMap<String, usize> {
    let runtime = runtime();
    let world = runtime.block_on(World::start());
    let (next, failed) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..WINDOWS_AT_ONCE {
            let one = || loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end || failed.lock().unwrap().len() >= 5 {
                    return;
                }
                let mut window = Window::new(&world, runtime.handle().clone(), seed);
                let result = window.live();
                let story = window.machine.story.lock().unwrap().clone();
                if tells {
                    println!("{story}");
                }
                if let Err(words) = result {
                    failed.lock().unwrap().push(format!("window:{seed}: {words}\n{story}"));
                }
            };
            std::thread::Builder::new().spawn_scoped(threads, one).unwrap();
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{} windows went wrong:\n{}", failed.len(), failed.join("\n"));
    world.happened()
}

/// Lives these seeds, and returns how often each thing happened.
async fn run(seeds: impl Iterator<Item = u64>, tells: bool) -> BTreeMap<String, usize> {
    let world = World::start().await;
    let mut seeds = seeds;
    let mut running = tokio::task::JoinSet::new();
    let mut failed = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(seed) = seeds.next()
        {
            let world = Arc::clone(&world);
            running.spawn(async move {
                let (story, wrong) = live(&world, seed).await;
                if tells {
                    println!("{story}");
                }
                wrong.map(|words| format!("seed:{seed}: {words}\n{story}"))
            });
        }
        match running.join_next().await {
            None => break,
            Some(Ok(None)) => {}
            Some(Ok(Some(words))) => failed.push(words),
            Some(Err(panic)) => failed.push(format!("{panic}")),
        }
        if failed.len() >= 5 {
            break;
        }
    }
    assert!(failed.is_empty(), "{} lives went wrong:\n{}", failed.len(), failed.join("\n"));
    world.happened()
}

/// With room on the stack: the futures of a debug build are large.
fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).thread_stack_size(16 << 20).enable_all().build().unwrap()
}

#[test]
fn a_window_that_is_locked_at_any_moment_finishes_what_it_writes_and_leaves_no_key_untold() {
    let chosen = std::env::var("KEYBEARER_SIMULATION").unwrap_or_default();
    if let Some(seed) = chosen.strip_prefix("window:") {
        let seed = seed.parse().unwrap();
        println!("{:?}", run_windows(seed..seed + 1, true));
        return;
    }
    if chosen.starts_with("seed:") {
        return;
    }
    let seeds = chosen_seeds(&chosen);
    let happened = run_windows(seeds.start / SEEDS_A_WINDOW..seeds.end.div_ceil(SEEDS_A_WINDOW), false);
    println!("windows of {} seeds: {happened:?}", seeds.end);
    for what in WINDOWS_MEET.iter().filter(|_| seeds.end - seeds.start >= 2000) {
        assert!(happened.contains_key(*what), "in these windows there was not once: {what}");
    }
}

fn chosen_seeds(chosen: &str) -> std::ops::Range<u64> {
    match chosen.split_once("..") {
        Some((first, end)) => first.parse().unwrap()..end.parse().unwrap(),
        None => 0..if chosen.is_empty() { SEEDS } else { chosen.parse().unwrap() },
    }
}

#[test]
fn whatever_happens_on_the_way_what_is_said_of_a_key_is_true() {
    let chosen = std::env::var("KEYBEARER_SIMULATION").unwrap_or_default();
    let runtime = runtime();
    if let Some(seed) = chosen.strip_prefix("seed:") {
        println!("{:?}", runtime.block_on(run(std::iter::once(seed.parse().unwrap()), true)));
        return;
    }
    if chosen.starts_with("window:") {
        return;
    }
    let seeds = chosen_seeds(&chosen);
    let mut happened: BTreeMap<String, usize> = BTreeMap::new();
    let mut first = seeds.start;
    while first < seeds.end {
        let end = seeds.end.min(first + SEEDS_OF_A_WORLD);
        for (what, count) in runtime.block_on(run(first..end, false)) {
            *happened.entry(what).or_default() += count;
        }
        println!("{end} seeds: {happened:?}");
        first = end;
    }
    for what in HAPPENS.iter().filter(|_| seeds.end - seeds.start >= SEEDS) {
        assert!(happened.contains_key(*what), "in these lives there was not once: {what}");
    }
}
