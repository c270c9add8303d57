//! SSH keys of this user: in the agent, which keeps them to itself, and in files.

mod agent;
mod key_file;

pub use agent::{Agent, AgentError};
pub use key_file::{KeyFile, KeyFileError, NoPassphrase};
