//! Queries: parsing, and matching against keys and documents.

pub(super) mod dates;
pub(super) mod leaves;
pub(super) mod matching;
pub(super) mod parse;
pub(super) mod parts;
pub(super) mod time_unit;
pub(super) mod tree;
pub(super) mod window;
