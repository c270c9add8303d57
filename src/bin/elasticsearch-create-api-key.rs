//! The command `elasticsearch-create-api-key`: makes a key and prints its id and its secret, on two lines.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::ExitCode;

/// Memory is overwritten when it is freed: buffers of HTTP and TLS hold secrets, too, and don't wipe them.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> = zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    keybearer::store::process::protect_memory();
    keybearer::store::process::lock_memory();
    keybearer::cli::create_api_key_bin::main(std::env::args_os())
}
