//! Locking the window: why it was locked, and which signals of the desktop lead to it.

/// Reason why the window was locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockReason {
    /// Request of the user.
    Asked,
    /// Time without any input by keyboard or pointer, in minutes.
    Idle(u32),
    /// Lock of the screen, or start of its saver.
    Screen,
    /// Suspend of the computer.
    Sleep,
}

impl LockReason {
    /// Returns the end of a sentence that begins with the time of the lock.
    pub fn words(self) -> String {
        match self {
            Self::Asked => "locked by you".into(),
            Self::Idle(1) => "after 1 minute idle".into(),
            Self::Idle(minutes) => format!("after {minutes} minutes idle"),
            Self::Screen => "when the screen was locked".into(),
            Self::Sleep => "when the computer went to sleep".into(),
        }
    }
}

/// Signals of the desktop that lock the window, each as far as it arrives on this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LockSignals {
    /// `true` if the login service reports that the session is locked.
    pub session: bool,
    /// `true` if the login service reports that the computer is about to sleep.
    pub sleep: bool,
    /// `true` if a screen saver or the screen lock of the desktop reports that it is active.
    pub screen: bool,
}

/// Choices for the idle time after which the window is locked, in minutes.
pub const IDLE_CHOICES: [Option<u32>; 5] = [Some(5), Some(10), Some(30), Some(60), None];

/// Idle time after which the window is locked unless the user chose another, in minutes.
pub const DEFAULT_IDLE: u32 = 10;

/// Longest idle time that is read from the settings, in minutes: a day.
pub const MAX_IDLE: u32 = 24 * 60;
