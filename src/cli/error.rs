//! The end of a command: its exit code, and the message for an error.

use std::{io, process::ExitCode};

use super::{fixes, output};
use crate::{
    client::ClientError,
    model::text::sanitize,
    ops::{Problem, ProblemKind},
};

/// Result of a command whose messages are printed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Everything was done.
    Done,
    /// The command failed, or was refused.
    Failed,
    /// Only a part was done.
    Partly,
    /// The result is not known.
    NotKnown,
    /// The command looked for a problem, and found it.
    Found,
    /// The command to run can't be run.
    CommandNotRun,
    /// There is no such command to run.
    CommandNotFound,
}

impl Exit {
    /// Returns the exit code of finished work although its output may not be written. A reader that closed its pipe
    /// doesn't affect it; any other error of the output is reported, and turns success into failure.
    pub(super) fn unless_unwritten(self, written: io::Result<()>) -> Self {
        match written {
            Ok(()) => self,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => self,
            Err(error) => {
                CliError::Output(error).print();
                if self == Self::Done { Self::Failed } else { self }
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Partly | Exit::NotKnown => 3,
            Exit::Found => 4,
            Exit::CommandNotRun => 126,
            Exit::CommandNotFound => 127,
        })
    }
}

const USAGE: u8 = 2;

/// Reason why a command failed.
#[derive(Debug)]
pub(super) enum CliError {
    /// The command line makes no sense; with the way out.
    Usage(String),
    /// Options with invalid values; one line for each, which begins with the option.
    Fields(Vec<String>),
    /// The cluster or this machine refused.
    Problem(Box<Problem>),
    /// The output can't be written.
    Output(io::Error),
}

impl CliError {
    pub(super) fn usage(words: impl Into<String>) -> Self {
        Self::Usage(words.into())
    }

    pub(super) fn problem(title: &str, detail: &str, hint: &str) -> Self {
        Problem::new(title, detail).hint(hint).into()
    }

    /// Prints the message to stderr, and returns the exit code.
    pub(super) fn print(&self) -> ExitCode {
        match self {
            Self::Usage(words) => {
                words.lines().for_each(output::print_error);
                ExitCode::from(USAGE)
            }
            Self::Fields(lines) => {
                lines.iter().for_each(|line| output::print_status(&sanitize::shown(line)));
                ExitCode::from(USAGE)
            }
            Self::Problem(problem) => {
                output::print_error(&fixes::with_fixes(problem));
                match problem.kind {
                    ProblemKind::NotKnown => Exit::NotKnown.into(),
                    ProblemKind::Partly => Exit::Partly.into(),
                    _ => Exit::Failed.into(),
                }
            }
            // The reader has read enough: that is no failure and needs no message.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done.into(),
            Self::Output(error) => {
                output::print_error(&format!("The output can't be written: {error}"));
                Exit::Failed.into()
            }
        }
    }
}

impl From<Problem> for CliError {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

/// Error of the terminal, a pipe or a file that the output goes to. Errors of any other file are converted where they
/// occur, with the name of the file or its option.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        Problem::from(error).into()
    }
}

/// Prints the message of clap: help and version to stdout, usage errors to stderr.
pub(super) fn print_clap(mut error: clap::Error) -> ExitCode {
    if error.kind() == clap::error::ErrorKind::UnknownArgument {
        // "to pass '--x' as a value, use '-- --x'": an unknown option is a typing error, and hardly ever a value.
        error.remove(clap::error::ContextKind::Suggested);
    }
    let printed = error.print();
    match (error.use_stderr(), printed) {
        (true, _) => ExitCode::from(USAGE),
        (false, Ok(())) => Exit::Done.into(),
        (false, Err(error)) => CliError::Output(error).print(),
    }
}
