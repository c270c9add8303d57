//! Text for people: made safe to show on a screen, laid out as JSON, put together into sentences.

pub mod json;
pub mod number;
pub mod sanitize;
pub mod sentence;
