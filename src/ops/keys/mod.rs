//! Keys: listed, found, chosen, exported, and what is known about each.

pub mod effective_privileges;
pub mod export;
pub mod find;
pub mod first_counts;
pub mod key_set;
pub mod last_use;
pub mod list;
pub(super) mod paging;
pub mod quick_find;
