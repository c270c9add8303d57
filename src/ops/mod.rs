//! Use cases: what a person wants done with a cluster, the same for the window and for the command
//! line. It knows clusters and vaults, and nothing of screens.

pub mod background;
pub mod bulk;
pub mod clock;
pub mod connections;
pub mod create;
pub mod interrupt;
pub mod invalidate;
pub mod journal;
pub mod keys;
pub mod lock;
mod outcome;
pub mod outcome_report;
pub mod problem;
pub mod rotation;
pub mod secret;
pub mod update;

pub use connections::session::Session;
pub use outcome::{ClockWayOut, Halted, Outcome};
pub use problem::{Fix, Problem, ProblemKind};
