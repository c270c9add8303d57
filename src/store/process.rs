//! Protection of this process's memory, which holds credentials and secrets of keys: against core dumps, against other
//! programs of the same user, and against swap where the system allows that.

/// Keeps the memory of this process out of core dumps and, on Linux, out of reach of other programs of the same user. To
/// be called first: a credential is read from the environment or the keyring soon after. What the system refuses is left
/// as it is.
pub fn protect_memory() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, setrlimit};
        // A core file would hold the memory as it is, and stay.
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    }
    // Core dumps that the limit doesn't apply to, because they go to a program; and debuggers.
    set_visible(false);
}

/// Makes this process visible to other programs of the same user, or not: the desktop's portal looks at it before it
/// opens a file dialog.
pub fn set_visible(visible: bool) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = nix::sys::prctl::set_dumpable(visible);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = visible;
}

/// Keeps the memory of this process out of swap, on Linux and only where no limit is set for that: once a limit is
/// reached, every further allocation would fail. For commands; a window has too much memory that is not secret.
pub fn lock_memory() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use nix::sys::{
            mman::{MlockAllFlags, mlockall},
            resource::{RLIM_INFINITY, Resource, getrlimit},
        };
        if getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY) {
            let _ = mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE);
        }
    }
}
