//! Names and application ids of new keys that usable keys already have.

use crate::model::text::number::thousands;

/// Number of usable keys that already have the name or the application id of a new key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Number of keys with the name.
    pub name: u64,
    /// Number of keys with the application id; 0 if the new key has none.
    pub application_id: u64,
}

impl Taken {
    /// Returns a warning about the name; `None` if no usable key has it.
    pub fn name_warning(self) -> Option<String> {
        Self::warning(self.name, "name")
    }

    /// Returns a warning about the application id; `None` if no usable key has it.
    pub fn application_id_warning(self) -> Option<String> {
        Self::warning(self.application_id, "application id")
    }

    fn warning(count: u64, what: &str) -> Option<String> {
        match count {
            0 => None,
            1 => Some(format!("A usable key already has this {what}: choose another to tell them apart")),
            _ => Some(format!(
                "{} usable keys already have this {what}: choose another to tell them apart",
                thousands(count)
            )),
        }
    }
}
