//! Creating a key, and finding out what happened when the answer was lost.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::{ClientError, CreatedKey, KeyQuery},
    model::{
        Millis,
        api_key::ApiKey,
        create::{CreateKey, REQUEST_ID},
        journal::{Action, Verdict},
        version::Feature,
    },
    ops::{Problem, Session, journal::Closing, list},
};

/// Why there is no key, or none that can be used.
#[derive(Debug)]
pub enum CreateError {
    /// The cluster said no, or was never reached: there is no key.
    Refused(ClientError),
    /// The answer was lost. The request was sent once and is never repeated.
    Lost {
        /// How it was lost.
        error: ClientError,
        /// What the cluster says when asked for the request: the keys it made, whose secret nobody
        /// knows; or why it can't be asked.
        found: Result<Vec<ApiKey>, ClientError>,
    },
}

/// Creates a key. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`CreateError`]; for a lost answer with what was found.
pub async fn create(session: &Session, key: &CreateKey) -> Result<CreatedKey, CreateError> {
    let sent = session.now();
    let request = serde_json::from_str(&key.body(sent)).ok();
    let sending = session.client.create_api_key(key, sent);
    make(session, (Action::Create, request), sending, look_for(session, key, sent)).await
}

/// Writes down what is asked, sends it, and looks for what it made if the answer is lost: the same for every
/// request that makes a key. `request` holds no secret.
pub(super) async fn make(
    session: &Session,
    (action, request): (Action, Option<Value>),
    sending: impl Future<Output = Result<CreatedKey, ClientError>>,
    looking: impl Future<Output = Result<Vec<ApiKey>, ClientError>>,
) -> Result<CreatedKey, CreateError> {
    let intent = session.intend(action, &[], request).await.map_err(CreateError::Refused)?;
    match sending.await {
        Ok(created) => {
            let keys = vec![created.id.clone()];
            intent.close(Closing { verdict: Verdict::Success, keys, ..Closing::default() }).await;
            Ok(created)
        }
        Err(error) if error.is_answer_lost() => {
            let found = looking.await;
            let keys = found.iter().flatten().map(|key| key.id.clone()).collect();
            let reason = Some(format!("{error}; {}", lost(&error, &found).title));
            intent.close(Closing { verdict: Verdict::Unknown, keys, reason, ..Closing::default() }).await;
            Err(CreateError::Lost { error, found })
        }
        Err(error) => {
            intent.close(Closing::of_error(&error, &[])).await;
            Err(CreateError::Refused(error))
        }
    }
}

/// Looks for the key of a lost answer by its request id, where there is no metadata by name and time.
/// New keys become visible about a second after they were made, so it looks for some seconds. `sent`
/// is when the request left, by the cluster's clock.
///
/// # Errors
/// When the cluster can't be asked.
pub async fn look_for(session: &Session, key: &CreateKey, sent: Millis) -> Result<Vec<ApiKey>, ClientError> {
    look_until_found(session, Trace::Key(key, sent)).await
}

/// What a request leaves behind by which its key is found.
#[derive(Clone, Copy)]
pub(super) enum Trace<'a> {
    /// A request id where there is metadata, otherwise the name and when it was sent.
    Key(&'a CreateKey, Millis),
    /// A request id.
    RequestId(&'a str),
}

/// Looks again and again for some seconds, until there is something or the time is over.
pub(super) async fn look_until_found(session: &Session, trace: Trace<'_>) -> Result<Vec<ApiKey>, ClientError> {
    const TRIES: u32 = 5;
    let mut last = Ok(Vec::new());
    for attempt in 0..TRIES {
        tokio::time::sleep(Duration::from_millis(if attempt == 0 { 200 } else { 1000 })).await;
        last = match trace {
            Trace::Key(key, sent) => made_by(session, key, sent).await,
            Trace::RequestId(id) => by_request_id(session, id).await,
        };
        if last.as_ref().is_ok_and(|keys| !keys.is_empty()) {
            break;
        }
    }
    last
}

async fn made_by(session: &Session, key: &CreateKey, sent: Millis) -> Result<Vec<ApiKey>, ClientError> {
    if let Some(request_id) = key.request_id().filter(|_| session.has(Feature::Query)) {
        match by_request_id(session, request_id).await {
            // The version was not told, and it has no query API.
            Err(ClientError::Lacks(Feature::Query)) => {}
            answer => return answer,
        }
    }
    let slack = 60_000; // clocks that differ, answers that dawdle
    let keys = list::all(session, |_| ()).await?.keys;
    let fits =
        |made: &ApiKey| made.name == key.name() && made.created >= sent.saturating_sub(slack) && !made.invalidated;
    Ok(keys.keys().filter(fits).collect())
}

/// The keys with this request id in their metadata.
async fn by_request_id(session: &Session, request_id: &str) -> Result<Vec<ApiKey>, ClientError> {
    let mut query = KeyQuery::new(10);
    query.filter = Some(json!({ "term": { format!("metadata.{REQUEST_ID}"): request_id } }));
    Ok(session.client.query_api_keys(&query).await?.keys)
}

/// What to say about a lost answer, by what the cluster said when it was asked.
pub fn lost(error: &impl std::fmt::Display, found: &Result<Vec<ApiKey>, ClientError>) -> Problem {
    match found {
        Ok(strays) if strays.is_empty() => Problem::new(
            "The answer was lost, and no key of it was found",
            &format!("{error}. The cluster was asked for this request for some seconds and knew no key of it"),
        )
        .hint("It may still be at work: look for the name in the list before you create it again"),
        Ok(strays) => {
            let ids: Vec<&str> = strays.iter().map(|key| key.id.as_str()).collect();
            Problem::new(
                "The answer was lost, but the key was made",
                &format!("{error}. Key {} exists, and nobody knows its secret", ids.join(", ")),
            )
            .hint("Invalidate it, then create it again")
        }
        Err(again) => Problem::new(
            "The answer was lost, and it is not known whether a key was made",
            &format!("{error}. Asking for it failed too: {again}"),
        )
        .hint("Refresh the list and look for the name before you create it again"),
    }
}
