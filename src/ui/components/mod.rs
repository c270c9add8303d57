//! Parts that several screens and dialogs draw, and that know the state or its data. Plain controls are in `widgets`.

pub mod banners;
pub mod empty_states;
pub mod facts;
pub mod key_status;
pub mod operation;
pub mod problem;
pub mod rotation;
pub mod side_page;
