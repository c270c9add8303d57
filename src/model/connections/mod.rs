//! Connections: profiles, endpoints, certificates' fingerprints and sign-ins, and the draft of a form.

pub mod draft;
pub mod endpoint;
pub mod fingerprint;
pub mod login;
pub mod profile;
