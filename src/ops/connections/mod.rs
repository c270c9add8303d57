//! Connecting to a cluster: sign-in, identity, capabilities, and the profiles in the vault.

pub mod capabilities;
pub mod client_certificate;
pub mod cluster_identity;
pub mod connect;
pub mod expirations;
pub mod machine_policy;
pub mod protection;
pub mod session;
pub mod sign_in;
pub mod vault;
