//! The command `elasticsearch-create-api-key`: makes a key and prints its id and its secret, on two lines.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::ExitCode;

fn main() -> ExitCode {
    keybearer::cli::create_api_key_bin::main(std::env::args_os())
}
