//! Connections: profiles, endpoints, fingerprints of certificates, sign-ins, and the form for a profile.

pub mod client_certificate;
pub mod draft;
pub mod endpoint;
pub mod fingerprint;
pub mod jwt;
pub mod login;
pub mod open_id;
pub mod open_id_draft;
pub mod open_id_error;
pub mod profile;
pub mod protection;
pub mod proxy;
