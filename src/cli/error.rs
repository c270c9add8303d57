//! How a command ends: its exit code, and the words for what went wrong.

use std::{io, process::ExitCode};

use super::{fixes, output};
use crate::{
    client::ClientError,
    model::text::sanitize,
    ops::{Problem, ProblemKind},
};

/// How a command ended whose words are printed already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// All of it was done.
    Done,
    /// It failed, or it was refused.
    Failed,
    /// A part of it was done.
    Partly,
    /// What was asked is not known.
    NotKnown,
    /// It was looked for something that should not be, and it is.
    Found,
}

impl Exit {
    /// The exit code of work that is over although its output may not be written. A reader that went away has no say in
    /// how the command ended; any other fault of the output is reported, and is a failure.
    pub(super) fn unless_unwritten(self, written: Result<(), CliError>) -> Self {
        match written {
            Ok(()) => self,
            Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => self,
            Err(error) => {
                error.print();
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
        })
    }
}

const USAGE: u8 = 2;

/// Why a command came to no end.
#[derive(Debug)]
pub(super) enum CliError {
    /// It was asked for in a way that can't be meant; with the way out.
    Usage(String),
    /// Options with values that can't be; one line for each, which begins with the option.
    Fields(Vec<String>),
    /// The cluster or this machine said no.
    Problem(Box<Problem>),
    /// Its output can't be written.
    Output(io::Error),
}

impl CliError {
    pub(super) fn usage(words: impl Into<String>) -> Self {
        Self::Usage(words.into())
    }

    pub(super) fn problem(title: &str, detail: &str, hint: &str) -> Self {
        Problem::new(title, detail).hint(hint).into()
    }

    /// Prints its words to stderr.
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
            // Who reads has heard enough: that is no failure and needs no words.
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

impl From<ClientError> for CliError {
    fn from(error: ClientError) -> Self {
        Problem::from(error).into()
    }
}

/// Prints what clap has to say: help and version to stdout, usage errors to stderr.
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
