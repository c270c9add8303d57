//! Editors of privileges: descriptors, access, presets and roles.

pub mod access_editor;
pub mod descriptor_editor;
pub mod match_count;
pub mod preset_picker;
pub mod role_picker;
