//! Aggregations over API keys: those that 9.5.3 allows, with its answers, and its refusals of all others. Parsing is in
//! `parse`, rules for fields in `check`, counting in `collect`.

mod agg;
mod bucket_limit;
mod calendar;
mod check;
mod collect;
mod composite;
mod composite_parse;
mod date_format;
mod object;
mod parse;
mod rounding;
mod source;
mod terms;
mod terms_parse;
mod values;
mod zone;

pub use agg::Agg;
pub use check::{check_allowed, check_shard};
pub use collect::{Around, run};
pub use date_format::DateFormat;
pub use parse::parse;
pub use zone::Zone;

#[cfg(test)]
mod tests;
