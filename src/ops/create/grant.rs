//! Keys for other users: made, looked for after a lost answer, and what the refusals mean.

use crate::{
    client::{ClientError, CreatedKey},
    model::{
        Timestamp,
        create::grant::{Credential, Grant},
        journal::Action,
    },
    ops::{
        Problem, Session,
        create::{self, Asked, CreateError, Owner, Trace},
    },
};

/// Makes a key that belongs to another user. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`CreateError`]; for a lost answer with what was found.
pub async fn grant(session: &Session, grant: &Grant) -> Result<CreatedKey, CreateError> {
    let sent = session.now();
    let asked = Asked {
        action: Action::Grant,
        request: serde_json::from_str(&grant.request(sent)).ok(),
        name: grant.key.name().to_owned(),
        expiry: Some(grant.key.expiry()),
        trace: trace(session, grant, sent),
    };
    create::make(session, asked, session.client.grant_api_key(grant, sent)).await
}

/// Returns the trace by which a granted key will be found. A session that does not see the keys of others can't look
/// for it.
fn trace(session: &Session, grant: &Grant, sent: Timestamp) -> Trace {
    if !session.privileges.sees_all_keys() && grant.owner() != Some(&session.identity.username) {
        return Trace::Unseen(unseen());
    }
    match grant.key.request_id() {
        Some(id) => Trace::RequestId(id.to_owned()),
        None => {
            let owner = grant.owner().map_or(Owner::NotKnown, |name| Owner::User(name.to_owned()));
            Trace::Name { sent, before: None, owner }
        }
    }
}

/// Returns the error for a key that may exist and that the session doesn't see.
pub(crate) fn unseen() -> ClientError {
    ClientError::NotSent {
        reason: "you can't see other users' keys; this requires read_security or manage_api_key".into(),
    }
}

/// Converts a refusal of a grant to a problem: a wrong password comes as 403, as if the request were not allowed.
pub fn problem(error: ClientError, grant: &Grant) -> Problem {
    let ClientError::Forbidden { ref reason, ref privileges, .. } = error else { return error.into() };
    if !privileges.is_empty() || !reason.starts_with("unable to authenticate user [") {
        return error.into();
    }
    let detail = format!("The cluster says: {reason}");
    match &grant.credential {
        Credential::Password { username, .. } => {
            Problem::new(&format!("The sign-in of {username} was refused"), &detail).hint(
                "No key was created. The password may be wrong, or the user unknown or disabled: Elasticsearch does \
                 not say which",
            )
        }
        Credential::Token(_) => Problem::new("The sign-in of the other user was refused", &detail)
            .hint("No key was created. The token may be wrong or expired"),
    }
}
