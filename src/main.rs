//! The program: without a command the window, otherwise the command line.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::ExitCode;

use keybearer::cli::{self, Request};

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(Request::Window { sandbox }) => window(sandbox),
        Ok(Request::Command(command)) => cli::run(command),
        Err(code) => code,
    }
}

#[cfg(feature = "window")]
fn window(sandbox: Option<usize>) -> ExitCode {
    keybearer::window::run(sandbox)
}

#[cfg(not(feature = "window"))]
fn window(_sandbox: Option<usize>) -> ExitCode {
    cli::no_window()
}
