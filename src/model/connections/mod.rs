//! Connections: profiles, endpoints, certificates, sign-ins, the form for a profile, and profiles from and for others.

pub mod ca;
pub mod client_certificate;
pub mod draft;
pub mod endpoint;
pub mod fingerprint;
pub mod import;
pub mod jwt;
pub mod login;
pub mod open_id;
pub mod open_id_draft;
pub mod open_id_error;
pub mod profile;
pub mod protection;
pub mod proxy;
pub mod share;
