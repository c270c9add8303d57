//! JSON that records the position of every value, because Elasticsearch's refusals name line and column. Parsed by
//! `reader`; its meaning is up to the callers.

mod cursor;
pub(super) mod exact;
pub(super) mod fault;
mod node;
mod reader;
mod scalars;

pub use node::{Kind, Member, Node, Position, object};
pub use reader::parse;

#[cfg(test)]
mod tests;
