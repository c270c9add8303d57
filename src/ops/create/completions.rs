//! What a form is completed from: the privileges that this cluster knows, and the indices that it has.

use crate::{
    client::BuiltinPrivileges,
    ops::{Problem, Session},
};

/// Words of one cluster. What could not be read is missing, with the reason.
#[derive(Clone, Debug)]
pub struct Completions {
    /// Privileges of its version.
    pub privileges: Result<BuiltinPrivileges, Problem>,
    /// Indices, aliases and data streams that one may see.
    pub indices: Result<Vec<String>, Problem>,
}

/// Asks for both.
pub async fn read(session: &Session) -> Completions {
    let (privileges, indices) = tokio::join!(session.client.builtin_privileges(), session.client.index_names());
    Completions { privileges: privileges.map_err(Problem::from), indices: indices.map_err(Problem::from) }
}
