//! Use cases: what a person wants done with a cluster, the same for the window and for the command
//! line. It knows clusters and vaults, and nothing of screens.

pub mod background;
pub mod check_secret;
pub mod chosen;
pub mod clock;
pub mod cloning;
pub mod cluster_identity;
pub mod connect;
pub mod create;
pub mod cross_cluster;
pub mod export;
pub mod fates;
pub mod figures;
pub mod find;
pub mod grant;
pub mod interrupt;
pub mod invalidate;
mod journal;
pub mod last_use;
pub mod list;
pub mod names;
pub mod new_key;
pub mod offered;
pub mod offers;
mod paging;
pub mod problem;
pub mod record;
pub mod rights;
pub mod rotate;
pub mod session;
pub mod ship;
pub mod update;
pub mod update_plan;
pub mod vault;
pub mod verify;

pub use problem::{Fix, Problem, ProblemKind};
pub use session::Session;
