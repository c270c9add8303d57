//! Stdout as a destination for secrets: checked before a key is created, and written so that a failure is noticed.
//!
//! The standard library reports success where nobody gets anything: it opens the null device on descriptors that are
//! closed when the program starts (seen by strace on Linux), and treats a descriptor that is not open for writing as
//! one that discards everything.

use std::io::{self, Write};

use crate::cli::error::CliError;

/// Checks that a secret written to stdout would reach somebody. `nothing` says what was not done, such as "No key was
/// created".
///
/// # Errors
/// A usage error when stdout is closed, the null device, or not open for writing.
pub(crate) fn check_stdout(nothing: &str) -> Result<(), CliError> {
    let Some(why) = undeliverable() else { return Ok(()) };
    Err(CliError::usage(format!(
        "{nothing}: the secret is shown only once and would reach nobody, because standard output {why}. Redirect \
         standard output to where the secret belongs, or use --secret-file PATH to write it to a file readable only by \
         you"
    )))
}

/// Writes a text with a secret to stdout.
///
/// # Errors
/// Any error of the system, also where the standard library would hide that nothing was written.
#[cfg(unix)]
pub(crate) fn write_stdout(text: &[u8]) -> io::Result<()> {
    io::stdout().lock().flush()?;
    let mut out = stdout_file()?;
    out.write_all(text)?;
    out.flush()
}

/// Writes a text with a secret to stdout, which may be a console with an encoding of its own.
///
/// # Errors
/// Any error of the system.
#[cfg(not(unix))]
pub(crate) fn write_stdout(text: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text)?;
    out.flush()
}

/// Returns the reason why nobody gets what is written to stdout; `None` where somebody may.
#[cfg(unix)]
fn undeliverable() -> Option<&'static str> {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let Ok(mut out) = stdout_file() else { return Some("is closed") };
    // Writing nothing fails on a descriptor that is not open for writing, and changes nothing on any other.
    if out.write(&[]).is_err() {
        return Some("can't be written to");
    }
    let (Ok(own), Ok(null)) = (out.metadata(), std::fs::metadata("/dev/null")) else { return None };
    let is_null = own.file_type().is_char_device() && null.file_type().is_char_device() && own.rdev() == null.rdev();
    is_null.then_some("is closed or the null device")
}

/// Returns `None`: the null device of Windows can't be recognized by the means of the standard library.
#[cfg(not(unix))]
fn undeliverable() -> Option<&'static str> {
    None
}

#[cfg(unix)]
fn stdout_file() -> io::Result<std::fs::File> {
    use std::os::fd::AsFd as _;
    Ok(std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?))
}
