//! The program: without a command the window, otherwise the command line.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::ExitCode;

use keybearer::{
    cli::{self, Request, create_api_key_bin},
    store::process,
};

/// Memory is overwritten when it is freed: buffers of HTTP, TLS and text layout hold secrets, too, and don't wipe them.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    process::protect_memory();
    if create_api_key_bin::is_called(std::env::args_os().next().as_deref()) {
        process::lock_memory();
        return create_api_key_bin::main(std::env::args_os());
    }
    match cli::parse(std::env::args_os()) {
        Ok(Request::Window { sandbox }) => window(sandbox),
        Ok(Request::Command(command)) => {
            process::lock_memory();
            cli::run(command)
        }
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
