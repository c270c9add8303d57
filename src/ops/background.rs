//! Long work on large lists, on processors of its own: the window sorts and searches on others, and never waits
//! for the end of this.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Does something, with one processor left to the window where there are several.
pub fn run<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let pool = POOL.get_or_init(|| {
        let all = std::thread::available_parallelism().map_or(1, usize::from);
        ThreadPoolBuilder::new().num_threads(all.saturating_sub(1).max(1)).build().ok()
    });
    match pool {
        Some(pool) => pool.install(work),
        // No threads to be had: then the others' do.
        None => work(),
    }
}
