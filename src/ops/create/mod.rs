//! Creating a key, and finding out what happened when the answer was lost.

pub mod clone;
pub mod completions;
pub mod cross_cluster;
pub mod grant;
pub mod new_key;
pub mod offered;

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use crate::{
    client::{ClientError, CreatedKey, KeyQuery, MAX_DATE_SKEW},
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId},
        create::{CreateKey, REQUEST_ID},
        journal::{Action, Verdict},
        time::{
            calendar,
            expiry::{Expiry, MAX_END_OFF, Span},
        },
        version::Feature,
    },
    ops::{Problem, ProblemKind, Session, clock, connections::cluster_identity, journal::recorder::OutcomeEntry},
};

/// Maximum number of times that a key is looked for after a lost answer.
const MAX_LOOKS: u32 = 5;
/// Maximum difference between the time from a key's creation to its expiration and the span asked for:
/// the server takes both from one reading of its clock (as seen on 7.10.2 to 9.5.3).
const MAX_SPAN_OFF: TimeDelta = TimeDelta::SECOND;
/// Maximum time by which a key may seem older than its request: clocks differ, and answers are
/// delayed.
const SLACK: TimeDelta = TimeDelta::MINUTE;

/// Error of a request for a key: there is no key, or none that can be used.
#[derive(Debug)]
pub enum CreateError {
    /// Request that the cluster refused or never received: there is no key.
    Refused(ClientError),
    /// Request whose answer was lost. It was sent once and is never repeated.
    Lost(Box<Lost>),
}

/// Creation whose answer was lost.
#[derive(Debug)]
pub struct Lost {
    /// Error by which the answer was lost.
    pub error: ClientError,
    /// Name of the key that was asked for.
    pub name: String,
    /// Id of the request in the key's metadata; `None` if there is none.
    pub request_id: Option<String>,
    /// Keys that the cluster showed when asked about the request, or the reason why it can't be asked.
    pub found: Result<Found, ClientError>,
}

/// Keys that a request with a lost answer may have made; nobody knows their secrets.
#[derive(Debug, Default)]
pub struct Found {
    /// Keys that are proved to be created by the request: its id is in their metadata.
    pub ours: Vec<ApiKey>,
    /// Keys of which one may have been created by the request; which one is not known.
    pub perhaps: Vec<ApiKey>,
}

impl Found {
    fn of(ours: Vec<ApiKey>) -> Self {
        Self { ours, perhaps: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.ours.is_empty() && self.perhaps.is_empty()
    }
}

/// Trace of a request, by which its key is found.
#[derive(Clone, Debug)]
pub(super) enum Trace {
    /// Request id in the metadata.
    RequestId(String),
    /// Name and owner, for a key without a request id in its metadata.
    Name {
        /// Time when the request was sent, by the cluster's clock.
        sent: Timestamp,
        /// Ids of the keys of this name that existed before; `None` if they are not known.
        before: Option<HashSet<KeyId>>,
        owner: Owner,
    },
    /// No trace: the key can't be seen, for this reason.
    Unseen(ClientError),
}

/// User that a new key will belong to.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// User that requests are made as.
    Myself,
    /// Another user, by name.
    User(String),
    /// User known only to the cluster, such as that of a token.
    NotKnown,
}

impl Owner {
    fn fits(&self, session: &Session, key: &ApiKey) -> bool {
        match self {
            Self::Myself => session.owns(key),
            Self::User(name) => key.owner.username == *name,
            Self::NotKnown => true,
        }
    }
}

/// Request for a key, as it is recorded in the journal and looked for.
pub(super) struct Asked {
    pub(super) action: Action,
    /// The body, without any secret.
    pub(super) request: Option<Value>,
    pub(super) name: String,
    /// Expiration that is asked for; `None` is not compared.
    pub(super) expiry: Option<Expiry>,
    pub(super) trace: Trace,
}

/// Creates a key. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`CreateError`]; for a lost answer with what was found.
pub async fn create(session: &Session, key: &CreateKey) -> Result<CreatedKey, CreateError> {
    let sent = session.now();
    let asked = Asked {
        action: Action::Create,
        request: serde_json::from_str(&key.body(sent)).ok(),
        name: key.name().to_owned(),
        expiry: Some(key.expiry()),
        trace: trace(session, key, sent).await.map_err(CreateError::Refused)?,
    };
    make(session, asked, session.client.create_api_key(key, sent)).await
}

/// Returns the trace by which a key will be found. For a key without a request id, the keys of its name are read first.
///
/// # Errors
/// Returns an error if the existing keys can't be read; nothing is then sent.
pub(super) async fn trace(session: &Session, key: &CreateKey, sent: Timestamp) -> Result<Trace, ClientError> {
    if let Some(id) = key.request_id() {
        return Ok(Trace::RequestId(id.to_owned()));
    }
    if !(session.privileges.sees_all_keys() || session.privileges.sees_own_keys()) {
        return Ok(Trace::Name { sent, before: None, owner: Owner::Myself });
    }
    let before = session.client.get_api_keys_named(key.name(), session.sees_own_only()).await?;
    let before = before.keys.into_iter().map(|key| key.id).collect();
    Ok(Trace::Name { sent, before: Some(before), owner: Owner::Myself })
}

/// Records the request in the journal, sends it once, and looks for its key if the answer is lost or nobody waits for
/// it any longer. Every request that creates a key is sent this way.
pub(super) async fn make(
    session: &Session,
    asked: Asked,
    sending: impl Future<Output = Result<CreatedKey, ClientError>>,
) -> Result<CreatedKey, CreateError> {
    cluster_identity::check(session).await.map_err(|other| CreateError::Refused(other.not_sent()))?;
    let intent = session.intend(asked.action, &[], asked.request).await.map_err(CreateError::Refused)?;
    let answer = tokio::select! {
        answer = sending => answer,
        () = session.interrupt.wait() => Err(ClientError::Interrupted),
    };
    match answer {
        Ok(mut created) => {
            let mut closing = OutcomeEntry { keys: vec![created.id.clone()], ..OutcomeEntry::default() };
            closing.verdict = Verdict::Success;
            if let Err(other) = cluster_identity::check(session).await {
                let doubt = format!("It is not known on which cluster this key is: {}", other);
                closing = OutcomeEntry { verdict: Verdict::Unknown, reason: Some(doubt.clone()), ..closing };
                created.doubts.push(doubt);
            }
            let doubt = look_for_twins(session, &mut created, &asked.name, &asked.trace).await;
            // Whoever reads the journal after a crash has not seen the doubt.
            if closing.reason.is_none() {
                closing.reason.clone_from(&doubt);
            }
            created.doubts.extend(doubt);
            closing.keys.extend(created.twins.iter().cloned());
            created.doubts.extend(match asked.expiry {
                Some(Expiry::In(span)) => other_span(session, &created, span).await,
                expiry => other_end(expiry, created.expires),
            });
            intent.close(closing).await;
            Ok(created)
        }
        Err(error) if error.is_answer_lost() => {
            let found = look(session, &asked.name, &asked.trace).await;
            let request_id = match asked.trace {
                Trace::RequestId(id) => Some(id),
                Trace::Name { .. } | Trace::Unseen(_) => None,
            };
            let lost = Lost { error, name: asked.name, request_id, found };
            let keys = lost.ours().iter().map(|key| key.id.clone()).collect();
            let reason = Some(format!("{}; {}", lost.error, lost.problem().title));
            intent.close(OutcomeEntry { verdict: Verdict::Unknown, keys, reason, ..OutcomeEntry::default() }).await;
            Err(CreateError::Lost(Box::new(lost)))
        }
        Err(error) => {
            intent.close(OutcomeEntry::of_error(&error, &[])).await;
            Err(CreateError::Refused(error))
        }
    }
}

/// Looks for other keys of the same request: a gateway that got no answer in time may have sent it again. Notes those that
/// are proved to be created by it, and returns a message about what was found or could not be looked for; `None` if there
/// is nothing to tell.
async fn look_for_twins(session: &Session, created: &mut CreatedKey, name: &str, trace: &Trace) -> Option<String> {
    if !(session.privileges.sees_all_keys() || session.privileges.sees_own_keys()) {
        return None;
    }
    let found = match trace {
        // A rotation invalidates them, and what answers may ignore what was searched for.
        Trace::RequestId(id) => by_request_id(session, id, name).await.map(|mut keys| {
            keys.retain(|key| has_request_id(key, id));
            Found::of(keys)
        }),
        Trace::Name { sent, before: Some(before), owner } => by_name(session, name, owner, *sent, Some(before)).await,
        Trace::Name { before: None, .. } | Trace::Unseen(_) => return None,
    };
    let others = |keys: Vec<ApiKey>| -> Vec<KeyId> {
        let others = keys.into_iter().filter(|key| key.id != created.id && !key.invalidated);
        others.map(|key| key.id).collect()
    };
    match found {
        Ok(Found { ours, perhaps }) => {
            let (twins, perhaps) = (others(ours), others(perhaps));
            created.twins = twins;
            twins_words(&created.twins).or_else(|| {
                (!perhaps.is_empty()).then(|| {
                    format!(
                        "{} of the same name appeared at the same time. If the request reached the cluster more than \
                         once, nobody knows the secret: check before you use it",
                        named(&perhaps)
                    )
                })
            })
        }
        Err(error) => Some(format!("It is not known whether the request reached the cluster more than once: {error}")),
    }
}

/// Returns a message about other keys of the same request; `None` if there are none.
pub(crate) fn twins_words(twins: &[KeyId]) -> Option<String> {
    (!twins.is_empty()).then(|| {
        format!(
            "The request reached the cluster more than once. {} was created by it too, and nobody knows the secret: \
             invalidate it",
            named(twins)
        )
    })
}

fn named(keys: &[KeyId]) -> String {
    let ids: Vec<&str> = keys.iter().map(KeyId::as_str).collect();
    format!("{} {}", if keys.len() == 1 { "Key" } else { "Each of the keys" }, ids.join(", "))
}

/// Returns a message about a key that doesn't expire at the end of the span that was asked for; `None` if it does. If
/// the clocks would have to differ more than is plausible, the key itself is read: its creation and expiration are both
/// by the cluster's clock.
async fn other_span(session: &Session, created: &CreatedKey, span: Span) -> Option<String> {
    let length = span.length()?;
    let Some(expires) = created.expires else {
        return Some("It never expires, although an expiration was requested".into());
    };
    let off = (expires - (session.now() + length)).abs();
    if off <= MAX_DATE_SKEW {
        return None;
    }
    let at = calendar::local(expires, &clock::zone());
    let here = clock::now();
    match session.client.get_api_key(&created.id, session.sees_own_only()).await {
        Ok(Some(key)) => {
            let (Some(created_at), false) = (key.known_created(), key.is_unread("expiration")) else {
                return Some(format!(
                    "According to the cluster, it expires {at}, which is not {span} from now; its creation or \
                     expiration can't be read back"
                ));
            };
            let found = key.expires.map(|expires| expires - created_at);
            if found.is_some_and(|found| (found - length).abs() <= MAX_SPAN_OFF) {
                session.client.set_own_skew(created_at, here);
                return None;
            }
            Some(format!("It expires {at}, which is not {span} after its creation as requested"))
        }
        Ok(None) => Some(format!(
            "According to the cluster, it expires {at}, which is not {span} from now; you can't see the key"
        )),
        Err(error) => Some(format!(
            "According to the cluster, it expires {at}, which is not {span} from now; it could not be read back: \
             {error}"
        )),
    }
}

/// Returns a message about a key that doesn't expire at the moment that was asked for; `None` if it does, to within
/// [`MAX_END_OFF`].
fn other_end(asked: Option<Expiry>, expires: Option<Timestamp>) -> Option<String> {
    let zone = clock::zone();
    let moment = |at: Option<Timestamp>| at.map_or_else(|| "never".to_owned(), |at| calendar::local(at, &zone));
    let asked = match asked? {
        Expiry::Never => None,
        Expiry::At(at) => Some(at),
        Expiry::In(_) => return None,
    };
    let is_same = match (asked, expires) {
        (Some(asked), Some(expires)) => (asked - expires).abs() <= MAX_END_OFF,
        (asked, expires) => asked == expires,
    };
    if is_same {
        return None;
    }
    Some(match (asked, expires) {
        (Some(_), None) => "It never expires, although an expiration was requested".to_owned(),
        (None, _) => format!("It expires {}, although no expiration was requested", moment(expires)),
        _ => format!("It expires {}, not {} as requested: the clocks differ", moment(expires), moment(asked)),
    })
}

/// Looks for the key repeatedly for some seconds, until one is found or the time is up: new keys become visible about a
/// second after they were created.
async fn look(session: &Session, name: &str, trace: &Trace) -> Result<Found, ClientError> {
    let mut last = Ok(Found::default());
    for attempt in 0..MAX_LOOKS {
        tokio::time::sleep(Duration::from_millis(if attempt == 0 { 200 } else { 1000 })).await;
        last = match trace {
            Trace::RequestId(id) => by_request_id(session, id, name).await.map(Found::of),
            Trace::Name { sent, before, owner } => by_name(session, name, owner, *sent, before.as_ref()).await,
            Trace::Unseen(why) => return Err(why.clone()),
        };
        if last.as_ref().is_ok_and(|found| !found.is_empty()) {
            break;
        }
    }
    // What is found on another cluster proves nothing, and neither does finding nothing there.
    match cluster_identity::check(session).await {
        Ok(()) => last,
        Err(other) => Err(other.into()),
    }
}

/// Returns the keys with this request id in their metadata.
///
/// # Errors
/// Returns an error if the cluster can't be asked.
pub async fn by_request_id(session: &Session, request_id: &str, name: &str) -> Result<Vec<ApiKey>, ClientError> {
    if session.has(Feature::Query) {
        let mut query = KeyQuery::new(10);
        query.filter = Some(json!({ "term": { format!("metadata.{REQUEST_ID}"): request_id } }));
        match session.client.query_api_keys(&query).await {
            // The version was not told, and it has no query API.
            Err(ClientError::Lacks(Feature::Query)) => {}
            answer => return Ok(answer?.keys),
        }
    }
    let mut keys = session.client.get_api_keys_named(name, session.sees_own_only()).await?.keys;
    keys.retain(|key| has_request_id(key, request_id));
    Ok(keys)
}

/// Returns `true` if a key names this request in its metadata.
fn has_request_id(key: &ApiKey, request_id: &str) -> bool {
    key.metadata_map().get(REQUEST_ID).is_some_and(|id| id == request_id)
}

/// Returns the keys of a name and an owner that are not invalidated, were created since the request was sent, and did
/// not exist before. None of them is proved to be created by the request.
async fn by_name(
    session: &Session,
    name: &str,
    owner: &Owner,
    sent: Timestamp,
    before: Option<&HashSet<KeyId>>,
) -> Result<Found, ClientError> {
    let keys = session.client.get_api_keys_named(name, session.sees_own_only()).await?.keys;
    let fits = |key: &ApiKey| {
        !key.invalidated
            && owner.fits(session, key)
            && key.created >= sent - SLACK
            && before.is_none_or(|before| !before.contains(&key.id))
    };
    let new: Vec<ApiKey> = keys.into_iter().filter(fits).collect();
    // A single new key may be somebody else's of the same user, made while the request got lost.
    Ok(Found { ours: Vec::new(), perhaps: new })
}

impl Lost {
    /// Returns the keys that were certainly created by the request; none if the cluster could not be asked.
    pub fn ours(&self) -> &[ApiKey] {
        self.found.as_ref().map_or(&[], |found| &found.ours)
    }

    /// Returns a hint on how to find the key.
    fn search(&self) -> String {
        let name = crate::model::text::sanitize::shown(&self.name).into_owned();
        match &self.request_id {
            Some(id) => format!("Key “{name}”, request {id}: search for meta.{REQUEST_ID}:{id} to find it"),
            None => format!("The key is named “{name}”"),
        }
    }

    /// Returns the problem to report, with what was found and what to do.
    pub fn problem(&self) -> Problem {
        let Self { error, found, .. } = self;
        let ids = |keys: &[ApiKey]| keys.iter().map(|key| key.id.to_string()).collect::<Vec<_>>().join(", ");
        let unknown = |problem: Problem| Problem { kind: ProblemKind::NotKnown, ..problem };
        match found {
            Ok(found) if !found.ours.is_empty() => Problem {
                kind: ProblemKind::Partly,
                ..Problem::new(
                    "The response was lost, but the key was created",
                    &format!("{error}. Key {} exists, and nobody knows its secret", ids(&found.ours)),
                )
                .hint("Invalidate it, then create it again")
            },
            Ok(found) if !found.perhaps.is_empty() => unknown(
                Problem::new(
                    "The response was lost, and it is not known which key was created",
                    &match &found.perhaps[..] {
                        [one] => {
                            format!(
                                "{error}. Key {} may be it, or another key of the same name created elsewhere",
                                one.id
                            )
                        }
                        several => format!("{error}. It may be one of {}, or none of them", ids(several)),
                    },
                )
                .hint(&format!("{}. Check these keys before you create it again", self.search())),
            ),
            Ok(_) => unknown(
                Problem::new(
                    "The response was lost, and no key from it was found",
                    &format!("{error}. Several seconds of checking found no key from this request on the cluster"),
                )
                .hint(&format!(
                    "The request may still be running. {}. Check before you create it again",
                    self.search()
                )),
            ),
            Err(again) => unknown(
                Problem::new(
                    "The response was lost, and it is not known whether a key was created",
                    &format!("{error}. Looking for the key failed too: {again}"),
                )
                .hint(&format!("{}. Check before you create it again", self.search())),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(found: Result<Found, ClientError>, request_id: Option<&str>) -> Problem {
        let error = ClientError::Interrupted;
        Lost { error, name: "pay".into(), request_id: request_id.map(str::to_owned), found }.problem()
    }

    fn key(id: &str) -> ApiKey {
        ApiKey { id: KeyId::new(id), ..ApiKey::default() }
    }

    #[test]
    fn a_lost_creation_names_what_to_look_for() {
        let cut = || ClientError::Broken { reason: "cut".into(), maybe_sent: true, status: None };
        for found in [Err(cut()), Ok(Found::default()), Ok(Found { ours: Vec::new(), perhaps: vec![key("a")] })] {
            let problem = lost(found, Some("r-1"));
            assert!(problem.hint.contains("“pay”") && problem.hint.contains("meta.request_id:r-1"), "{problem:?}");
            assert_eq!(problem.kind, ProblemKind::NotKnown);
        }
        assert!(lost(Err(cut()), None).hint.contains("“pay”"));
    }

    #[test]
    fn an_end_that_is_more_than_a_minute_off_is_told_with_the_one_asked_for() {
        let day = Timestamp::EPOCH + TimeDelta::DAY;
        assert_eq!(other_end(Some(Expiry::At(day)), Some(day + TimeDelta::from_secs(59))), None);
        let words = other_end(Some(Expiry::At(day)), Some(day + TimeDelta::from_days(19))).unwrap();
        assert!(words.contains("21 Jan 1970") && words.contains("2 Jan 1970"), "{words}");
        assert!(other_end(Some(Expiry::Never), Some(day)).is_some());
        assert!(other_end(Some(Expiry::At(day)), None).is_some());
        assert_eq!(other_end(None, Some(day)), None);
    }

    #[test]
    fn a_key_is_called_a_stray_only_with_proof() {
        let proved = lost(Ok(Found::of(vec![key("a")])), Some("r"));
        assert!(proved.detail.contains("Key a exists") && proved.kind == ProblemKind::Partly);
        let perhaps = lost(Ok(Found { ours: Vec::new(), perhaps: vec![key("a"), key("b")] }), None);
        assert!(perhaps.detail.contains("It may be one of a, b"), "{perhaps:?}");
        assert!(!perhaps.hint.contains("Invalidate"), "{perhaps:?}");
        let one = lost(Ok(Found { ours: Vec::new(), perhaps: vec![key("a")] }), None);
        assert!(one.detail.contains("Key a may be it, or another key of the same name created elsewhere"), "{one:?}");
        assert_eq!(one.kind, ProblemKind::NotKnown);
    }
}
