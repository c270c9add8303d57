//! Dialogs of the window, but those of a rotation and of a form.

pub mod check_secret;
pub mod export;
pub mod invalidate;
pub mod secret_card;
pub mod update;
