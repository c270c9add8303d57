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
        Millis,
        api_key::{ApiKey, KeyId},
        create::{CreateKey, REQUEST_ID},
        journal::{Action, Verdict},
        time::{
            calendar,
            expiry::{Expiry, Span},
        },
        version::Feature,
    },
    ops::{Problem, ProblemKind, Session, clock, connections::cluster_identity, journal::recorder::OutcomeEntry},
};

/// How often a key is looked for after a lost answer.
const MAX_LOOKS: u32 = 5;
/// How far the expiration of a key may be from the one asked for, in milliseconds, before both are told.
const MAX_END_OFF: Millis = 60_000;
/// How far the expiration and the creation of a key may be from the span asked for, in milliseconds: the server takes
/// both from one look at its clock (as seen on 7.10.2 to 9.5.3).
const MAX_SPAN_OFF: Millis = 1000;
/// How much older than its request a key may seem, in milliseconds: clocks that differ, answers that dawdle.
const SLACK: Millis = 60_000;

/// Why there is no key, or none that can be used.
#[derive(Debug)]
pub enum CreateError {
    /// The cluster said no, or was never reached: there is no key.
    Refused(ClientError),
    /// The answer was lost. The request was sent once and is never repeated.
    Lost(Box<Lost>),
}

/// A creation whose answer was lost.
#[derive(Debug)]
pub struct Lost {
    /// How it was lost.
    pub error: ClientError,
    /// Name of the key that was asked for.
    pub name: String,
    /// The id of the request in the key's metadata, where there is one.
    pub request_id: Option<String>,
    /// What the cluster says when asked for it, or why it can't be asked.
    pub found: Result<Found, ClientError>,
}

/// Keys that a request with a lost answer may have made; nobody knows their secrets.
#[derive(Debug, Default)]
pub struct Found {
    /// Proved to be made by it: by its id in their metadata, or because they are the one key of this name and owner
    /// that was not there before.
    pub ours: Vec<ApiKey>,
    /// One of these may be made by it; which one can't be told.
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

/// What a request leaves behind by which its key is found.
#[derive(Clone, Debug)]
pub(super) enum Trace {
    /// A request id in the metadata.
    RequestId(String),
    /// Neither metadata nor a query.
    Name {
        /// When the request left, by the cluster's clock.
        sent: Millis,
        /// The keys of this name that were there before; `None` where those are not known.
        before: Option<HashSet<KeyId>>,
        owner: Owner,
    },
    /// The key can't be seen, for this reason.
    Unseen(ClientError),
}

/// The user that a new key will belong to.
#[derive(Clone, Debug)]
pub(super) enum Owner {
    /// The one that requests are made as.
    Myself,
    /// Another one, by name.
    User(String),
    /// Known to the cluster alone, as that of a token.
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

/// A request for a key, as it is written down and looked for.
pub(super) struct Asked {
    pub(super) action: Action,
    /// The body, without any secret.
    pub(super) request: Option<Value>,
    pub(super) name: String,
    /// The end that is asked for; `None` is not compared.
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

/// What a key will be found by. Where it has no metadata, the keys of its name are read first.
///
/// # Errors
/// When they can't be read: then nothing is sent.
pub(super) async fn trace(session: &Session, key: &CreateKey, sent: Millis) -> Result<Trace, ClientError> {
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

/// Writes down what is asked, sends it once, and looks for what it made if the answer is lost or nobody waits for it
/// any longer: the same for every request that makes a key.
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

/// Words for a key that doesn't expire when the span is over that was asked for. Where the clocks would have to differ
/// more than is plausible, the key itself is read: its creation and expiration are both by the cluster's clock.
async fn other_span(session: &Session, created: &CreatedKey, span: Span) -> Option<String> {
    let length = span.millis()?;
    let Some(expires) = created.expires else {
        return Some("It never expires, although an expiration was asked for".into());
    };
    let off = expires.saturating_sub(session.now().saturating_add(length)).saturating_abs();
    if off <= MAX_DATE_SKEW {
        return None;
    }
    let at = calendar::local(expires, &clock::zone());
    let here = clock::now();
    match session.client.get_api_key(&created.id, session.sees_own_only()).await {
        Ok(Some(key)) => {
            let (Some(created_at), false) = (key.known_created(), key.is_unread("expiration")) else {
                return Some(format!(
                    "It expires {at} as the cluster said, which is not {span} from now; read again, its creation or \
                     expiration is not readable"
                ));
            };
            let found = key.expires.map(|expires| expires.saturating_sub(created_at));
            if found.is_some_and(|found| found.saturating_sub(length).saturating_abs() <= MAX_SPAN_OFF) {
                session.client.set_own_skew(created_at, here);
                return None;
            }
            Some(format!("It expires {at}, which is not {span} after its creation as was asked for"))
        }
        Ok(None) => {
            Some(format!("It expires {at} as the cluster said, which is not {span} from now; it can't be seen"))
        }
        Err(error) => Some(format!(
            "It expires {at} as the cluster said, which is not {span} from now; it could not be read to compare: {error}"
        )),
    }
}

/// Words for a key that doesn't expire at the moment that was asked for.
fn other_end(asked: Option<Expiry>, expires: Option<Millis>) -> Option<String> {
    let zone = clock::zone();
    let moment = |at: Option<Millis>| at.map_or_else(|| "never".to_owned(), |at| calendar::local(at, &zone));
    let asked = match asked? {
        Expiry::Never => None,
        Expiry::At(at) => Some(at),
        Expiry::In(_) => return None,
    };
    let is_same = match (asked, expires) {
        (Some(asked), Some(expires)) => asked.saturating_sub(expires).saturating_abs() <= MAX_END_OFF,
        (asked, expires) => asked == expires,
    };
    if is_same {
        return None;
    }
    Some(match (asked, expires) {
        (Some(_), None) => "It never expires, although an expiration was asked for".to_owned(),
        (None, _) => format!("It expires {}, although no expiration was asked for", moment(expires)),
        _ => format!("It expires {}, not {} as was asked for: the clocks differ", moment(expires), moment(asked)),
    })
}

/// Looks again and again for some seconds, until there is something or the time is over: new keys become visible
/// about a second after they were made.
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

/// The keys with this request id in their metadata.
///
/// # Errors
/// When the cluster can't be asked.
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
    let has_it = |key: &ApiKey| key.metadata_map().get(REQUEST_ID).is_some_and(|id| id == request_id);
    keys.retain(has_it);
    Ok(keys)
}

/// The valid keys of a name and an owner that were made since a request left and were not there before.
async fn by_name(
    session: &Session,
    name: &str,
    owner: &Owner,
    sent: Millis,
    before: Option<&HashSet<KeyId>>,
) -> Result<Found, ClientError> {
    let keys = session.client.get_api_keys_named(name, session.sees_own_only()).await?.keys;
    let fits = |key: &ApiKey| {
        !key.invalidated
            && owner.fits(session, key)
            && key.created >= sent.saturating_sub(SLACK)
            && before.is_none_or(|before| !before.contains(&key.id))
    };
    let new: Vec<ApiKey> = keys.into_iter().filter(fits).collect();
    // A single new key may be somebody else's of the same user, made while the request got lost.
    Ok(Found { ours: Vec::new(), perhaps: new })
}

impl Lost {
    /// The keys that were certainly made by the request.
    pub fn ours(&self) -> &[ApiKey] {
        self.found.as_ref().map_or(&[], |found| &found.ours)
    }

    /// Where to look for the key.
    fn search(&self) -> String {
        let name = crate::model::text::sanitize::shown(&self.name).into_owned();
        match &self.request_id {
            Some(id) => format!("Key “{name}”, request {id}: the search meta.{REQUEST_ID}:{id} finds it"),
            None => format!("The key is called “{name}”"),
        }
    }

    /// What to say about it.
    pub fn problem(&self) -> Problem {
        let Self { error, found, .. } = self;
        let ids = |keys: &[ApiKey]| keys.iter().map(|key| key.id.to_string()).collect::<Vec<_>>().join(", ");
        let unknown = |problem: Problem| Problem { kind: ProblemKind::NotKnown, ..problem };
        match found {
            Ok(found) if !found.ours.is_empty() => Problem {
                kind: ProblemKind::Partly,
                ..Problem::new(
                    "The answer was lost, but the key was made",
                    &format!("{error}. Key {} exists, and nobody knows its secret", ids(&found.ours)),
                )
                .hint("Invalidate it, then create it again")
            },
            Ok(found) if !found.perhaps.is_empty() => unknown(
                Problem::new(
                    "The answer was lost, and it is not known which key was made",
                    &match &found.perhaps[..] {
                        [one] => {
                            format!("{error}. {} may be it, or a key of the same name that was made elsewhere", one.id)
                        }
                        several => format!("{error}. One of {} may be it, or none", ids(several)),
                    },
                )
                .hint(&format!("{}. Look at them before you create it again", self.search())),
            ),
            Ok(_) => unknown(
                Problem::new(
                    "The answer was lost, and no key of it was found",
                    &format!("{error}. The cluster was asked for this request for some seconds and knew no key of it"),
                )
                .hint(&format!("It may still be at work. {}. Look before you create it again", self.search())),
            ),
            Err(again) => unknown(
                Problem::new(
                    "The answer was lost, and it is not known whether a key was made",
                    &format!("{error}. Asking for it failed too: {again}"),
                )
                .hint(&format!("{}. Look before you create it again", self.search())),
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
        let day = 86_400_000;
        assert_eq!(other_end(Some(Expiry::At(day)), Some(day + 59_000)), None);
        let words = other_end(Some(Expiry::At(day)), Some(20 * day)).unwrap();
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
        assert!(perhaps.detail.contains("One of a, b may be it"), "{perhaps:?}");
        assert!(!perhaps.hint.contains("Invalidate"), "{perhaps:?}");
        let one = lost(Ok(Found { ours: Vec::new(), perhaps: vec![key("a")] }), None);
        assert!(one.detail.contains("a may be it, or a key of the same name that was made elsewhere"), "{one:?}");
        assert_eq!(one.kind, ProblemKind::NotKnown);
    }
}
