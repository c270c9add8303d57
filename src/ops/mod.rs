//! Use cases: what a person wants done with a cluster, the same for the window and for the command
//! line. It knows clusters and vaults, and nothing of screens.

pub mod clock;
pub mod connect;
pub mod create;
pub mod export;
pub mod figures;
pub mod find;
pub mod invalidate;
mod journal;
pub mod last_use;
pub mod list;
pub mod problem;
pub mod record;
pub mod session;
pub mod ship;
pub mod update;
pub mod vault;
pub mod verify;

pub use problem::{Fix, Problem};
pub use session::Session;
