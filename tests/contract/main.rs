//! What a server must do for Keybearer: one suite, asked of the sandbox and of real nodes.
//!
//! Plain `cargo test` asks the sandbox. `KEYBEARER_CONTRACT_NODES` names more, as the paths of
//! `node.json` files separated by colons. What a version lacks is said, never skipped in silence.

mod aggregations;
mod aggregations_refused;
mod audit;
mod clones;
mod cross_cluster;
mod documents;
mod grants;
mod keys;
mod oracle;
mod presets;
mod random_requests;
mod rights;
mod rotations;
mod sandbox_answers;
mod sandbox_equal;
mod server;
mod sign_in;
mod updates;
