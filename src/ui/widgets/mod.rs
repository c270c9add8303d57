//! Widgets that more than one screen draws. Each is a function that takes a `Ui` and returns a response.

pub mod arming;
pub mod button;
pub mod card;
pub mod chip;
pub mod code;
pub mod confirm;
pub mod field;
pub mod file_field;
pub mod focus;
pub mod keycap;
pub mod list_row;
pub mod menu;
pub mod notice;
pub mod privileges;
pub mod progress;
pub mod search_box;
pub mod stable;
pub mod status;
pub mod strip;
pub mod text;
pub mod token_field;
pub mod typed_order;
