//! Widgets that more than one screen draws. Each is a function that takes a `Ui` and returns a response.

pub mod access_editor;
pub mod arming;
pub mod button;
pub mod chip;
pub mod code;
pub mod descriptor_editor;
pub mod field;
pub mod focus;
pub mod notice;
pub mod preset_picker;
pub mod role_picker;
pub mod search_box;
pub mod status;
pub mod strip;
pub mod text;
pub mod token_field;
pub mod typed_order;
