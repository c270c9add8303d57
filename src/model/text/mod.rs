//! Text for people: made safe to show on a screen, laid out as JSON, put together into sentences.

pub mod fuzzy;
pub mod glob;
pub mod hex;
pub mod invisible;
pub mod json;
pub mod json_tokens;
pub mod number;
pub mod sanitize;
pub mod sentence;
pub mod xml;
