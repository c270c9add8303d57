//! Locks between processes, which wait no longer than [`LOCK_WAIT`].

use std::{
    fs::{File, TryLockError},
    io::{self, Read as _, Write},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::own_files;

/// Longest time to wait for a lock held by another process.
pub const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Takes a lock; waits up to `wait` for one that another process holds. The file contains the process id of the holder.
///
/// # Errors
/// `WouldBlock` when another process still holds it, and any error of the file system.
pub(super) fn lock(path: &Path, wait: Duration) -> io::Result<File> {
    const PAUSE: Duration = Duration::from_millis(20);
    let mut file = own_files::options().create(true).truncate(false).write(true).open(path)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if began.elapsed() < wait => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                (&mut file).take(20).read_to_string(&mut holder)?;
                let holder = match holder.trim().parse::<u32>() {
                    Ok(number) => format!("process {number}"),
                    Err(_) => "another process".into(),
                };
                return Err(io::Error::new(io::ErrorKind::WouldBlock, format!("{holder} holds its lock")));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    // The number is for people, and for nothing else.
    let _ = file.set_len(0).and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
    Ok(file)
}
