//! Time: expirations and lifetimes, ages, and dates as people read and type them.

pub mod age;
pub mod calendar;
pub mod delta;
pub mod expiry;
pub mod status;
pub mod timestamp;
pub mod unit;
