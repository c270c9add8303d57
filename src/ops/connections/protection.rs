//! What a protected connection asks for before a change: the same for the window and the command line. The client
//! refuses whatever did not go through here.

use crate::{
    client::ClientError,
    model::connections::{
        endpoint::Endpoint,
        protection::{self, Protection},
    },
    ops::{Fix, Problem, Session},
};

/// Returns the problem that refuses every change through a connection; `None` if changes are possible.
pub fn refusal(endpoint: &Endpoint) -> Option<Problem> {
    (endpoint.protection == Protection::ReadOnly).then(|| refused(&ClientError::ReadOnly))
}

/// Returns `true` if the name of the connection has to be typed for each change.
pub fn asks_for_name(endpoint: &Endpoint) -> bool {
    endpoint.protection == Protection::Name
}

/// Checks the text that a person typed for the name of a connection.
///
/// # Errors
/// If it is another text.
pub fn check_name(name: &str, typed: &str) -> Result<(), Problem> {
    if protection::confirms(name, typed) {
        return Ok(());
    }
    let detail = format!("“{}” is not the name of this connection, which is “{name}”", typed.trim());
    Err(Problem::new("Nothing was sent", &detail))
}

/// Returns a session that carries out one operation through a connection that asks for its name: `typed` is what a
/// person typed. Through a connection that doesn't ask, the session is returned as it is.
///
/// # Errors
/// If the connection is read-only, or the text is not its name. Nothing was sent.
pub fn confirm(session: &Session, name: &str, typed: &str) -> Result<Session, Problem> {
    match session.client.protection() {
        Protection::None => Ok(session.clone()),
        Protection::Name => check_name(name, typed).map(|()| session.confirmed()),
        Protection::ReadOnly => Err(refused(&ClientError::ReadOnly)),
    }
}

/// Returns the problem of a call that the client did not send because the connection is protected.
pub(crate) fn refused(error: &ClientError) -> Problem {
    let (detail, hint) = match error {
        ClientError::ReadOnly => (
            "This connection is read-only: nothing is changed through it",
            "Use another connection, or change the protection of this one",
        ),
        _ => ("This connection is protected: its name has to be typed for each change", "Start again"),
    };
    Problem::new("Nothing was sent", detail).hint(hint).fix(Fix::EditConnection)
}
