//! Effective privileges of a key: its assigned descriptors and the snapshot of its owner's rights, both of which must
//! grant. Several descriptors add up. What can't be worked out is stated and never left out: no right is denied that
//! may be there, and none is claimed that may not.

mod certainty;
pub mod compare;
mod describe;
mod effective;
mod grants;
mod intersect;
mod layer;
mod name_scope;
mod names;
mod of_key;
mod overlap;
mod parse;
#[cfg(test)]
mod tests;

pub use certainty::Certainty;
pub use describe::{RightsJson, RightsRow};
pub use effective::{Assigned, Effective, MAX_COMBINATIONS};
pub use grants::{Access, ApplicationRight, Grants, IndexRight, RemoteRight, Unknown};
pub use layer::Layer;
pub use name_scope::Scope;
pub use names::Asked;
pub use of_key::{Rights, Verdict, layers};
pub use overlap::Kind;
