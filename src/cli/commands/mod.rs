//! Commands, one file or folder each.

pub(super) mod check;
pub(super) mod clone;
pub(super) mod completions;
pub(super) mod config;
pub(super) mod create;
pub(super) mod expiring;
pub(super) mod grant;
pub(super) mod invalidate;
pub(super) mod journal;
pub(super) mod list;
pub(super) mod login;
pub(super) mod manual;
pub(super) mod policy;
pub(super) mod profiles;
pub(super) mod rotation;
pub(super) mod run;
#[cfg(feature = "sandbox")]
pub(super) mod sandbox;
pub(super) mod show;
pub(super) mod snippet;
pub(super) mod update;
pub(super) mod watch;
pub(super) mod whoami;
