//! Search language of the list of keys: the meaning of a search, with every time already resolved.
//!
//! `owner:ana (expires:<30d or status:expired) -is:managed "my app"`

mod builtin_values;
mod complete;
mod fields;
mod hints;
mod invalidated;
mod lex;
mod parse;
mod query;
mod reasons;
#[cfg(test)]
mod tests;
mod text;
mod time;

pub use super::text::glob::Glob;
pub use complete::{Completion, Context, Suggestion, ValueOf, context, suggestions};
pub use fields::{Field, TextField, TimeField, help};
pub use lex::{SpanKind, quoted, spans};
pub use parse::{MAX_QUERY_BYTES, parse, unclosed_quote};
pub use query::{Expr, FilterError, Free, Grant, OnIndex, Privilege, Query, Term, TextMatch, TimeMatch, Trait};
pub use reasons::why_not_known;
