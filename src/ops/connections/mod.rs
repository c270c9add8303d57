//! Connecting to a cluster: sign-in, identity, capabilities, the profiles in the vault, and those from and for others.

mod addresses;
pub mod capabilities;
pub mod client_certificate;
pub mod cluster_identity;
pub mod connect;
pub mod expirations;
pub mod import;
pub mod machine_policy;
pub mod protection;
pub mod session;
pub mod share;
pub mod sign_in;
pub mod vault;
