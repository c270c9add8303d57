//! Rotating a key: a successor is made and handed over, it is tried, both work for a while, then the old key is
//! invalidated and read again. Each step is written down before the next one is taken, so that whoever was
//! interrupted can go on: from the same machine, on another day.
//!
//! The steps: [`plan`], [`begin`], [`make`], [`hand_over_begins`], [`handed_over`], [`try_it`], and when it is due
//! [`end`]. After an interruption [`recover`] finds out what is true.

mod finish;
mod make;
mod news;
pub mod place;
pub mod steps;

pub use finish::{Fate, cancel, end, end_all, link, said, try_it};
pub use make::{Arrived, Made, Recovered, Word, hand_over_begins, hand_over_failed, handed_over, make, recover};
pub use news::{News, Rights, change_words};

use serde_json::{Value, json, value::RawValue};

use crate::{
    client::ClientError,
    model::{
        Millis,
        api_key::{ApiKey, KeyId, KeyKind},
        create::{self, CreateKey},
        expiry::{Expiry, Span, Status},
        json_text,
        rotation::{Beginning, ClusterRef, OldKey, OutOfTurn, Person, Place, Rotation, State},
        successor,
        version::Feature,
    },
    ops::{Problem, Session, clock, cluster_identity, list},
    store::{
        profiles::new_profile_id,
        rotations::{Held, Rotations},
    },
};

/// What a person wants of a rotation.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The successor's name; that of the old key where it is `None`.
    pub name: Option<String>,
    /// Its end, as typed; the same length of life as the old key's where it is `None`.
    pub expiration: Option<String>,
    /// How long both keys work, in milliseconds.
    pub grace: Millis,
    /// The extra word for a successor that belongs to somebody else than the old key.
    pub other_owner: bool,
}

/// A rotation that could be begun; nothing was sent or written down.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The key to be replaced.
    pub old: ApiKey,
    /// Where.
    pub cluster: ClusterRef,
    /// Whom the successor will belong to.
    pub maker: Person,
    /// Whether that is somebody else than the old key's owner.
    pub changes_owner: bool,
    /// The rights of today against those in the old key, as far as roles can be read beforehand.
    pub rights: Rights,
    /// Members of the metadata that a new key can't have.
    pub left_behind: Vec<String>,
    /// What will be sent.
    pub request: CreateKey,
    /// How long both keys work, in milliseconds.
    pub grace: Millis,
    expiration: String,
}

/// Asks the cluster which one it is.
///
/// # Errors
/// When it can't be asked; who merely may not ask is told it by its address.
pub async fn cluster_of(session: &Session) -> Result<ClusterRef, Problem> {
    Ok(cluster_identity::current(session).await?)
}

/// Looks at a key and says what rotating it would make. `underway` are the rotations that are known.
///
/// # Errors
/// With the way out, when the key can't be rotated, or not in this way.
pub async fn plan(session: &Session, underway: &[Rotation], old: &KeyId, wishes: &Wishes) -> Result<Plan, Problem> {
    check_session(session)?;
    let cluster = cluster_of(session).await?;
    check_underway(underway, &cluster, old)?;
    let old = read(session, old).await?;
    check_old(&old, session.now())?;
    let changes_owner = !is_mine(session, &old);
    if changes_owner {
        check_owner(session, &old, wishes)?;
    }
    let name = wishes.name.clone().unwrap_or_else(|| old.name.clone());
    create::check_name(&name).map_err(|words| Problem::new("That can't be the successor's name", &words))?;
    let expiration = match &wishes.expiration {
        Some(typed) => fixed(typed, session.now())?,
        None => same_length(&old),
    };
    let request = request(session, &old, (&name, &expiration), &new_profile_id().0)?;
    Ok(Plan {
        cluster,
        maker: me(session),
        changes_owner,
        rights: rights_today(session, &old).await,
        left_behind: successor::left_behind(&old),
        request,
        grace: wishes.grace,
        expiration,
        old,
    })
}

/// Writes a plan down, so that it can be gone on with whatever happens. Nothing is sent.
///
/// # Errors
/// When it can't be written: then nothing shall be sent either.
pub fn begin(rotations: &Rotations, plan: &Plan, place: Place, batch: Option<&str>) -> Result<Held, Problem> {
    let mut id = new_profile_id().0;
    id.truncate(12);
    let owner = Person { username: plan.old.owner.username.clone(), realm: plan.old.owner.realm.clone() };
    let rotation = Rotation::new(Beginning {
        id,
        batch: batch.map(str::to_owned),
        cluster: plan.cluster.clone(),
        at: clock::now(),
        old: OldKey {
            id: plan.old.id.clone(),
            name: plan.old.name.clone(),
            owner,
            rights: successor::fingerprint(&plan.old),
        },
        maker: plan.maker.clone(),
        name: plan.request.name().to_owned(),
        expiration: plan.expiration.clone(),
        grace: plan.grace,
        place,
        request: plan.request.request_id().unwrap_or_default().to_owned(),
    });
    let unwritable = |error: std::io::Error| unwritable(rotations.folder(), &error);
    // Somebody else may have begun one since the plan was made, and two would leave two successors.
    let _others_wait = rotations.lock_all().map_err(unwritable)?;
    check_underway(&rotations.all().map_err(unwritable)?.rotations, &plan.cluster, &plan.old.id)?;
    rotations.begin(rotation).map_err(unwritable)
}

/// Takes hold of a rotation, so that nobody else goes on with it.
///
/// # Errors
/// When there is none of this id, when it can't be read, or while another program holds it.
pub fn take(rotations: &Rotations, id: &str) -> Result<Held, Problem> {
    rotations.take(id).map_err(|error| {
        let hint = format!("`keybearer rotate --list` shows those in {}", rotations.folder().display());
        Problem::new(&format!("Rotation {id} can't be gone on with"), &error.to_string()).hint(&hint)
    })
}

/// The rotations of a cluster whose old key may be ended now, or whose end was interrupted.
pub fn due<'a>(rotations: &'a [Rotation], cluster: &ClusterRef, now: Millis) -> Vec<&'a Rotation> {
    let is_due = |rotation: &&Rotation| {
        let ends = matches!(rotation.state, State::Grace { .. } | State::Ending { .. });
        ends && rotation.cluster.is_same(cluster) && !matches!(rotation.due(), Some(due) if now < due)
    };
    rotations.iter().filter(is_due).collect()
}

/// Refuses a rotation of another cluster than the one that is signed in to.
///
/// # Errors
/// With both names.
pub async fn check_cluster(session: &Session, rotation: &Rotation) -> Result<(), Problem> {
    let here = cluster_of(session).await?;
    if rotation.cluster.is_same(&here) {
        return Ok(());
    }
    let title = format!("Rotation {} belongs to another cluster. Nothing is done", rotation.id);
    let there = rotation.cluster.name.as_deref().unwrap_or("one without a known name");
    let detail = format!("It was begun on {there} at {}, and you are signed in at {}", rotation.cluster.url, here.url);
    Err(Problem::new(&title, &detail).hint("Connect to that cluster"))
}

/// Signed in by a key one could only make a successor without any rights.
fn check_session(session: &Session) -> Result<(), Problem> {
    if session.own_key().is_some() {
        let detail = "Elasticsearch only makes keys without any rights for whoever is signed in by an API key";
        return Err(Problem::new("Signed in by an API key, no successor can be made", detail).hint("Sign in as a user"));
    }
    if !session.privileges.creates_keys() {
        let title = "You may not create keys, so that no successor can be made";
        return Err(Problem::new(title, "").hint("That needs the privilege manage_own_api_key"));
    }
    Ok(())
}

fn check_underway(underway: &[Rotation], cluster: &ClusterRef, old: &KeyId) -> Result<(), Problem> {
    let about =
        |rotation: &&Rotation| rotation.old.id == *old && !rotation.is_finished() && rotation.cluster.is_same(cluster);
    let Some(other) = underway.iter().find(about) else { return Ok(()) };
    let title = format!("{old} is being rotated already (rotation {}, {})", other.id, other.state.word());
    let hint = format!(
        "Go on with `keybearer rotate --resume {0}`, or give it up by `keybearer rotate --cancel {0}`",
        other.id
    );
    Err(Problem::new(&title, "").hint(&hint))
}

fn check_old(old: &ApiKey, now: Millis) -> Result<(), Problem> {
    let id = &old.id;
    if let Some(flaw) = &old.flaw {
        let title = format!("{id} is not fully readable, so that no successor can be made its equal");
        let hint =
            "`keybearer create` a key with the same roles, hand it over, then `keybearer invalidate` the old one";
        return Err(Problem::new(&title, flaw).hint(hint));
    }
    match old.status(now) {
        Status::Invalidated => {
            let hint = "`keybearer create` makes a new key; nothing revives an old one";
            return Err(
                Problem::new(&format!("{id} is invalidated already, there is nothing to rotate"), "").hint(hint)
            );
        }
        Status::Expired => {
            let detail = "Nobody can sign in with it any more, so that there is nothing to hand over from";
            let hint = "`keybearer create` makes a new key with the same roles";
            return Err(Problem::new(&format!("{id} has expired"), detail).hint(hint));
        }
        _ => {}
    }
    if old.kind != KeyKind::Rest {
        let title = format!("{id} is a {} key, which Keybearer can't rotate yet", old.kind.word());
        let hint = "Create its successor by POST /_security/cross_cluster/api_key with the same access, hand it over, \
                    then `keybearer invalidate` the old one";
        return Err(Problem::new(&title, "Such keys are made by a request of their own").hint(hint));
    }
    if old.role_descriptors.is_none() {
        let title = format!("The cluster doesn't tell what {id} may do, so that no successor can be given the same");
        let detail = format!("Role descriptors are told since {}", Feature::LimitedBy.since());
        let hint =
            "`keybearer create` a key with the same roles, hand it over, then `keybearer invalidate` the old one";
        return Err(Problem::new(&title, &detail).hint(hint));
    }
    Ok(())
}

/// A key belongs to whoever makes it.
fn check_owner(session: &Session, old: &ApiKey, wishes: &Wishes) -> Result<(), Problem> {
    let (owner, me) = (&old.owner.username, &session.identity.username);
    if !session.privileges.invalidates_all_keys() {
        let title = format!("{} belongs to {owner}, and you may not invalidate other people's keys", old.id);
        return Err(Problem::new(&title, "").hint("That needs the privilege manage_api_key, or sign in as its owner"));
    }
    if wishes.other_owner {
        return Ok(());
    }
    let title = format!("{} belongs to {owner}, and its successor would belong to {me}", old.id);
    let detail = format!(
        "A key belongs to whoever makes it and is limited by that user's rights: it would be yours to update, and \
         {owner} would no longer see it among their own"
    );
    let hint = format!(
        "--run-as {owner} makes it {owner}'s again, if you may act as that user; or {owner} rotates it; or add \
         --other-owner if it shall be yours"
    );
    Err(Problem::new(&title, &detail).hint(&hint))
}

/// Whether a key belongs to who is signed in, or acted as. Acting as another, the realm that one is told is that
/// of who signed in (as seen on 9.5.3).
fn is_mine(session: &Session, key: &ApiKey) -> bool {
    is_me(session, &key.owner.username, &key.owner.realm)
}

/// Whether one is signed in as this person; who acts for another is not told in which realm.
fn is_me(session: &Session, username: &str, realm: &str) -> bool {
    let acts_as_another = session.client.endpoint().run_as.is_some();
    let me = &session.identity;
    username == me.username && (acts_as_another || realm == me.realm)
}

fn me(session: &Session) -> Person {
    Person { username: session.identity.username.clone(), realm: session.identity.realm.clone() }
}

/// The key with the snapshot of its owner's rights where the cluster tells it.
async fn read(session: &Session, id: &KeyId) -> Result<ApiKey, Problem> {
    find(session, id).await?.ok_or_else(|| {
        let seen = if session.sees_own_only() { "You see your own keys only" } else { "The cluster knows no such key" };
        Problem::new(&format!("There is no key {id}"), seen)
            .hint("Expired and invalidated keys are removed after a while")
    })
}

async fn find(session: &Session, id: &KeyId) -> Result<Option<ApiKey>, ClientError> {
    let own = session.sees_own_only();
    if session.has(Feature::LimitedBy) {
        match session.client.get_api_key_with_limits(id, own).await {
            // The version was not told.
            Err(ClientError::Lacks(_) | ClientError::Rejected { status: 400, .. }) => {}
            answer => return answer,
        }
    }
    session.client.get_api_key(id, own).await
}

/// The key as a query tells it: what was proved elsewhere is read in the same way here.
async fn find_now(session: &Session, id: &KeyId) -> Result<Option<ApiKey>, ClientError> {
    let found = list::by_id(session, std::slice::from_ref(id)).await?;
    match (found.keys.into_iter().find(|key| key.id == *id), found.unreadable.kept().first()) {
        // It is there, so nothing may be concluded from its not being found.
        (None, Some(odd)) => Err(ClientError::Unreadable { status: 200, reason: format!("{id}: {}", odd.reason) }),
        (key, _) => Ok(key),
    }
}

/// The same length of life as the old key had from its creation; none for one that never ends.
fn same_length(old: &ApiKey) -> String {
    match old.expires {
        None => "never".into(),
        Some(at) => {
            let length = at.saturating_sub(old.created).max(1000);
            let days = crate::model::DAY;
            let whole = (length % days == 0).then(|| Span::days((length / days).unsigned_abs()));
            whole.unwrap_or(Span::of_millis(length)).to_string()
        }
    }
}

/// What was typed, in a form that means the same on another day: spans stay spans, dates become moments.
fn fixed(typed: &str, now: Millis) -> Result<String, Problem> {
    let wrong = |words: String| Problem::new("The successor can't be given that end", &words);
    match Expiry::parse(typed, now, &clock::zone()).map_err(|error| wrong(error.to_string()))? {
        Expiry::Never => Ok("never".into()),
        Expiry::In(span) => Ok(span.to_string()),
        Expiry::At(at) => Ok(crate::model::calendar::rfc3339(at)),
    }
}

fn request(
    session: &Session,
    old: &ApiKey,
    (name, expiration): (&str, &str),
    request_id: &str,
) -> Result<CreateKey, Problem> {
    let expiry = Expiry::parse(expiration, session.now(), &clock::zone()).map_err(|error| {
        let hint = "Give the rotation up by --cancel and begin it again with another --expiration";
        Problem::new("The successor can't be given that end", &error.to_string()).hint(hint)
    })?;
    let request = CreateKey::successor(old, name, expiry, request_id);
    request.ok_or_else(|| Problem::new(&format!("What {} may do is not told", old.id), ""))
}

/// What the successor would be limited by, told by the roles of who makes it.
async fn rights_today(session: &Session, old: &ApiKey) -> Rights {
    let Some(then) = old.limited_by.as_deref() else {
        return Rights::NotKnown("the old key's snapshot is not told".into());
    };
    let names: Vec<&str> = session.identity.roles.iter().map(String::as_str).collect();
    let roles = match session.client.roles_named(&names).await {
        Ok(roles) => roles,
        Err(error) => return Rights::NotKnown(format!("your roles can't be read beforehand ({error})")),
    };
    if names.is_empty() || names.iter().any(|name| roles.iter().all(|role| role.name != *name)) {
        return Rights::NotKnown("not all of your roles can be read beforehand".into());
    }
    let text = json_text::write_object(roles.iter().map(|role| (role.name.as_str(), role.descriptor.get())));
    let Ok(today) = RawValue::from_string(text) else { return Rights::NotKnown("your roles can't be read".into()) };
    compared(then, &today)
}

fn compared(then: &RawValue, now: &RawValue) -> Rights {
    let changes = successor::snapshot_changes(then, now);
    if changes.is_empty() { Rights::Same } else { Rights::Differ(changes) }
}

/// What the journal is told about a step.
fn note(rotation: &Rotation, step: &str) -> Option<Value> {
    Some(json!({
        "rotation": rotation.id,
        "step": step,
        "old": rotation.old.id,
        "successor": rotation.successor(),
        "grace": rotation.grace,
        "batch": rotation.batch,
    }))
}

fn save(held: &mut Held) -> Result<(), Problem> {
    held.save().map_err(|error| {
        let folder = held.path();
        unwritable(folder.parent().unwrap_or(&folder), &error)
    })
}

fn unwritable(folder: &std::path::Path, error: &std::io::Error) -> Problem {
    let detail = format!("{}: {error}", folder.display());
    Problem::new("The state of the rotation can't be written down", &detail)
        .hint("Make room or set its rights, or choose another folder by KEYBEARER_ROTATIONS")
}

impl From<OutOfTurn> for Problem {
    fn from(error: OutOfTurn) -> Self {
        Problem::new("That is not this rotation's turn", &error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY, rotation::Tried};

    fn key(created: Millis, expires: Option<Millis>) -> ApiKey {
        ApiKey { created, expires, ..ApiKey::default() }
    }

    fn sent<F: Future + Send>(future: F) -> F {
        future
    }

    /// Only has to compile: the worker carries its tasks from thread to thread.
    async fn steps(session: &Session, held: &mut Held, rotations: &Rotations) -> Result<(), Problem> {
        let mut tell = |_: News| ();
        sent(plan(session, &[], &KeyId::default(), &Wishes::default())).await?;
        let made = sent(make(session, held, &mut tell)).await?;
        sent(try_it(session, held, &made.created.secret)).await?;
        sent(recover(session, held, &Arrived::Empty, Word::None, &mut tell)).await?;
        sent(end_all(session, rotations, &[], &false.into(), &mut tell, &mut |_| ())).await;
        sent(cancel(session, held, false, &mut tell)).await.map(drop)
    }

    #[test]
    fn a_worker_can_take_the_steps() {
        let _ = steps;
    }

    #[test]
    fn a_successor_lives_as_long_as_the_old_key_did_from_its_creation() {
        assert_eq!(same_length(&key(5, Some(5 + 90 * DAY))), "90d");
        assert_eq!(same_length(&key(5, Some(5 + DAY + 1))), "86400001ms");
        assert_eq!(same_length(&key(5, None)), "never");
        assert_eq!(same_length(&key(i64::MIN, Some(i64::MAX))), "9223372036854775807ms");
    }

    #[test]
    fn an_end_that_was_typed_means_the_same_on_another_day() {
        assert_eq!(fixed("90d", 0).unwrap(), "90d");
        assert_eq!(fixed(" Never ", 0).unwrap(), "never");
        let day = fixed("2027-02-21T12:00:00Z", 0).unwrap();
        assert_eq!(Expiry::parse(&day, 0, &clock::zone()).unwrap(), Expiry::At(1_803_211_200_000));
        assert!(fixed("soon", 0).is_err() && fixed("0s", 0).is_err());
    }

    #[test]
    fn only_what_is_at_its_end_here_is_due() {
        let here = ClusterRef { uuid: Some("u".into()), ..ClusterRef::default() };
        let at = |id: &str, cluster: &ClusterRef, state: State| {
            let mut rotation = Rotation::new(Beginning {
                id: id.into(),
                batch: None,
                cluster: cluster.clone(),
                at: 0,
                old: OldKey::default(),
                maker: Person::default(),
                name: String::new(),
                expiration: "1d".into(),
                grace: 0,
                place: Place::Stdout,
                request: String::new(),
            });
            rotation.state = state;
            rotation
        };
        let grace = |due| State::Grace { successor: KeyId::new("n"), due, tried: Tried::Live };
        let ending = State::Ending { successor: KeyId::new("n"), tried: Tried::Live };
        let there = ClusterRef { uuid: Some("v".into()), ..ClusterRef::default() };
        let all = [
            at("later", &here, grace(11)),
            at("now", &here, grace(10)),
            at("cut", &here, ending),
            at("there", &there, grace(1)),
            at("new", &here, State::HandedOver { successor: KeyId::new("n") }),
        ];
        assert_eq!(due(&all, &here, 10).iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["now", "cut"]);
        let problem = check_underway(&all, &here, &KeyId::default()).unwrap_err();
        assert!(problem.hint.contains("--resume later"), "{problem:?}");
        assert!(check_underway(&all, &here, &KeyId::new("other")).is_ok());
    }
}
