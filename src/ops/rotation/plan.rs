//! Plans: what rotating a key would make, what stands in the way, and what needs consent.

use serde_json::value::RawValue;

use super::{
    Rights, compared, is_mine,
    lineage::{self, LiveSuccessor},
    read,
};
use crate::{
    model::{
        Millis,
        api_key::{ApiKey, KeyId, KeyKind},
        create::{self, CreateKey},
        guard,
        rotation::{Beginning, ClusterRef, Destination, KeyState, OldKey, Person, Rotation, successor},
        text::json,
        time::expiry::{Expiry, Span},
        version::Feature,
    },
    ops::{Fix, Problem, Session, clock},
    store::{
        connections::new_profile_id,
        rotation::{RotationGuard, Rotations},
    },
};

/// Options of a rotation, as a person chose them.
#[derive(Clone, Debug, Default)]
pub struct RotationOptions {
    /// Name of the successor; `None` for that of the old key.
    pub name: Option<String>,
    /// Expiration of the successor, as typed; `None` for the same lifetime as the old key's.
    pub expiration: Option<String>,
    /// Grace period during which both keys work, in milliseconds.
    pub grace: Millis,
}

/// Explicit consent to what a plan has objections to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Consent {
    /// The successor may belong to somebody else than the old key.
    pub other_owner: bool,
    /// The key that a product made for itself is meant too.
    pub managed_too: bool,
    /// Another successor may be made although there is one that works.
    pub again: bool,
}

/// Reasons why a plan is not carried out without consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The successor would belong to somebody else.
    OtherOwner,
    /// A product made the key for itself.
    Managed,
    /// The key has a successor that works, or may work.
    LiveSuccessor,
    /// The successor would expire before the grace period is over. No consent covers it: another end or grace period
    /// does.
    ShortSuccessor,
}

/// Rotation that could be begun; nothing was sent or saved.
#[derive(Clone, Debug)]
pub struct RotationPlan {
    /// The key to be replaced.
    pub old: ApiKey,
    /// The cluster of the key.
    pub cluster: ClusterRef,
    /// User that the successor will belong to.
    pub maker: Person,
    /// `true` if `maker` is not the old key's owner.
    pub changes_owner: bool,
    /// Successors that the old key has already, made on this or another machine.
    pub live: Vec<LiveSuccessor>,
    /// Comparison of the maker's current privileges with the old key's owner's snapshot, as far as roles can be read
    /// beforehand.
    pub rights: Rights,
    /// Members of the metadata that a new key can't have.
    pub left_behind: Vec<String>,
    /// The request for the successor.
    pub request: CreateKey,
    grace: Millis,
    grace_is_cut: bool,
    now: Millis,
    expiration: String,
}

impl RotationPlan {
    /// Returns the grace period in milliseconds: as asked for, but not longer than the old key lives.
    pub fn grace(&self) -> Millis {
        self.grace
    }

    /// The end of the old key, where it comes before the grace period that was asked for is over.
    pub fn ends_before(&self) -> Option<Millis> {
        self.old.expires.filter(|_| self.grace_is_cut)
    }

    /// The end of the old key, where it comes before a grace period of this length is over.
    pub fn ends_within(&self, wanted: Millis) -> Option<Millis> {
        self.old.expires.filter(|at| wanted > at.saturating_sub(self.now).max(0))
    }

    /// Sets how long both keys work; a period longer than the old key lives is cut to its end.
    pub fn set_grace(&mut self, wanted: Millis) {
        let end = self.ends_within(wanted);
        self.grace = end.map_or(wanted, |at| at.saturating_sub(self.now).max(0));
        self.grace_is_cut = end.is_some();
        self.request = self.request.clone().naming_grace(self.grace);
    }

    /// The successor's end, where it comes before a grace period of this length is over: then both keys would not work
    /// as long as it is said, and the old one might be the only one that does.
    pub fn successor_ends_within(&self, wanted: Millis) -> Option<Millis> {
        let over = self.ends_within(wanted).unwrap_or_else(|| self.now.saturating_add(wanted));
        self.request.expiry().at(self.now).filter(|at| *at < over)
    }

    /// The product that made the key for itself, if one did.
    pub fn product(&self) -> Option<&str> {
        guard::product_of(&self.old)
    }

    /// Refusal for the successors that the key has already; `None` where it has none.
    pub fn rotated_already(&self) -> Option<Problem> {
        (!self.live.is_empty()).then(|| lineage::rotated_already(&self.old.id, &self.live))
    }

    /// Objections that stand against it with this grace period, whatever was consented to.
    pub fn objections(&self, grace: Millis) -> Vec<Objection> {
        let all = [
            (Objection::ShortSuccessor, self.successor_ends_within(grace).is_some()),
            (Objection::OtherOwner, self.changes_owner),
            (Objection::Managed, self.product().is_some()),
            (Objection::LiveSuccessor, !self.live.is_empty()),
        ];
        all.into_iter().filter(|(_, is_so)| *is_so).map(|(objection, _)| objection).collect()
    }

    /// Refuses what was not consented to.
    ///
    /// # Errors
    /// With the first objection, and the consent that it needs.
    pub fn check(&self, consent: Consent) -> Result<(), Problem> {
        self.check_with(consent, self.grace)
    }

    /// Refuses what was not consented to, with another grace period (in milliseconds) than the plan's own.
    ///
    /// # Errors
    /// With the first objection, and the consent that it needs.
    pub fn check_with(&self, consent: Consent, grace: Millis) -> Result<(), Problem> {
        for objection in self.objections(grace) {
            match objection {
                Objection::ShortSuccessor => return Err(self.short_successor()),
                Objection::OtherOwner if !consent.other_owner => return Err(self.other_owner()),
                Objection::Managed if !consent.managed_too => return Err(self.managed()),
                Objection::LiveSuccessor if !consent.again => {
                    return Err(lineage::rotated_already(&self.old.id, &self.live));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn short_successor(&self) -> Problem {
        let end = self.request.expiry().words(&clock::zone());
        let title = format!("The successor of {} would expire before the grace period is over", self.old.id);
        Problem::new(&title, &format!("It ends {end}")).hint("Give it a later end, or choose a shorter grace period")
    }

    /// A key belongs to whoever makes it.
    fn other_owner(&self) -> Problem {
        let (owner, me) = (&self.old.owner.username, &self.maker.username);
        let title = format!("{} belongs to {owner}, and its successor would belong to {me}", self.old.id);
        let detail = format!(
            "A key belongs to whoever makes it and is limited by that user's rights: it would be yours to update, and \
             {owner} would no longer see it among their own"
        );
        let hint = format!("Act as {owner}, which makes it {owner}'s again, or let {owner} rotate it");
        Problem::new(&title, &detail).hint(&hint).fix(Fix::ActAs(owner.clone())).or(Fix::AllowOtherOwner)
    }

    fn managed(&self) -> Problem {
        let product = self.product().unwrap_or_default();
        let title = format!("{} was made by a product for itself ({product})", self.old.id);
        Problem::new(&title, "It stops working without the key")
            .hint("If it shall be rotated all the same, give the product its successor")
            .fix(Fix::AllowManaged)
    }
}

/// Plans the rotation of a key. `underway` are the known rotations. A missing consent is no error here: see
/// [`RotationPlan::check`].
///
/// # Errors
/// With the way out, when the key can't be rotated, or not in this way.
pub async fn plan(
    session: &Session,
    underway: &[Rotation],
    old: &KeyId,
    options: &RotationOptions,
) -> Result<RotationPlan, Problem> {
    check_session(session)?;
    let cluster = super::cluster_of(session).await?;
    check_underway(underway, &cluster, old)?;
    let old = read(session, old).await?;
    check_old(session, &old).await?;
    let changes_owner = !is_mine(session, &old);
    if changes_owner {
        check_may_end(session, &old)?;
    }
    let name = options.name.clone().unwrap_or_else(|| old.name.clone());
    create::check_name(&name).map_err(|words| Problem::new("That can't be the successor's name", &words))?;
    let expiration = match &options.expiration {
        Some(typed) => fixed(typed, session.now())?,
        None => same_length(&old),
    };
    let request = request(session, &old, (&name, &expiration), &new_profile_id().0)?;
    let mut plan = RotationPlan {
        cluster,
        maker: me(session),
        changes_owner,
        live: lineage::live_successors(session, &old).await?,
        rights: rights_today(session, &old).await,
        left_behind: successor::left_behind(&old),
        request,
        grace: 0,
        grace_is_cut: false,
        now: session.now(),
        expiration,
        old,
    };
    plan.set_grace(options.grace);
    Ok(plan)
}

/// Saves a plan as a new rotation, so that it can be resumed whatever happens. Nothing is sent.
///
/// # Errors
/// Without the consent that it needs; when it can't be written: then nothing shall be sent either.
pub fn begin(
    rotations: &Rotations,
    plan: &RotationPlan,
    consent: Consent,
    (place, batch): (Destination, Option<&str>),
) -> Result<RotationGuard, Problem> {
    plan.check(consent)?;
    let mut id = new_profile_id().0;
    id.truncate(12);
    let owner = Person { username: plan.old.owner.username.clone(), realm: plan.old.owner.realm.clone() };
    let mut rotation = Rotation::new(Beginning {
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
    rotation.accepted = plan.live.iter().map(|live| live.id.clone()).collect();
    let unwritable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::WouldBlock => {
            let title = "Another Keybearer is just beginning a rotation. Nothing is begun";
            Problem::new(title, &error.to_string()).hint("Let it finish, or end it, then try again").fix(Fix::Retry)
        }
        _ => unwritable(rotations.folder(), &error),
    };
    // Somebody else may have begun one since the plan was made, and two would leave two successors.
    let _others_wait = rotations.lock_all().map_err(unwritable)?;
    check_underway(&rotations.all().map_err(unwritable)?.rotations, &plan.cluster, &plan.old.id)?;
    rotations.begin(rotation).map_err(unwritable)
}

/// Checks that the session can create a successor: signed in by an API key, it could only create one without any
/// privileges.
pub(super) fn check_session(session: &Session) -> Result<(), Problem> {
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

pub(super) fn check_underway(underway: &[Rotation], cluster: &ClusterRef, old: &KeyId) -> Result<(), Problem> {
    let about =
        |rotation: &&Rotation| rotation.old.id == *old && !rotation.is_finished() && rotation.cluster.is_same(cluster);
    let Some(other) = underway.iter().find(about) else { return Ok(()) };
    let title = format!("{old} is being rotated already (rotation {}, {})", other.id, other.state.word());
    Err(Problem::new(&title, "")
        .fix(Fix::ResumeRotation(other.id.clone()))
        .or(Fix::CancelRotation { id: other.id.clone(), keep_successor: false }))
}

pub(super) async fn check_old(session: &Session, old: &ApiKey) -> Result<(), Problem> {
    let id = &old.id;
    if let Some(flaw) = &old.flaw {
        let title = format!("{id} is not fully readable, so that no successor can be made its equal");
        let hint = "Create a key with the same roles, hand it over, then invalidate the old one";
        return Err(Problem::new(&title, flaw).hint(hint).fix(Fix::CreateKey));
    }
    match lineage::standing_of(session, old).await? {
        KeyState::Invalidated => {
            let title = format!("{id} is invalidated already, there is nothing to rotate");
            return Err(Problem::new(&title, "").hint("Nothing revives an old key").fix(Fix::CreateKey));
        }
        KeyState::Expired => {
            let detail = "Nobody can sign in with it any more, so that there is nothing to hand over from";
            return Err(Problem::new(&format!("{id} has expired"), detail).fix(Fix::CreateKey));
        }
        _ => {}
    }
    if old.kind != KeyKind::Rest {
        let title = format!("{id} is a {} key, which Keybearer can't rotate yet", old.kind.word());
        let hint = "Create its successor by POST /_security/cross_cluster/api_key with the same access, hand it over, \
                    then invalidate the old one";
        return Err(Problem::new(&title, "Such keys are made by a request of their own").hint(hint));
    }
    if old.metadata.as_deref().is_some_and(|raw| json::members(raw.get()).is_none()) {
        let title =
            format!("The metadata of {id} has a name that is no text, so that no successor can be given the same");
        let hint = "Replace its metadata first, then rotate it";
        return Err(Problem::new(&title, "").hint(hint));
    }
    if old.role_descriptors.is_none() {
        let title = format!("The cluster doesn't tell what {id} may do, so that no successor can be given the same");
        let detail = format!("Role descriptors are told since {}", Feature::LimitedBy.since());
        let hint = "Create a key with the same roles, hand it over, then invalidate the old one";
        return Err(Problem::new(&title, &detail).hint(hint).fix(Fix::CreateKey));
    }
    Ok(())
}

fn check_may_end(session: &Session, old: &ApiKey) -> Result<(), Problem> {
    if session.privileges.invalidates_all_keys() {
        return Ok(());
    }
    let title = format!("{} belongs to {}, and you may not invalidate other people's keys", old.id, old.owner.username);
    Err(Problem::new(&title, "").hint("That needs the privilege manage_api_key, or sign in as its owner"))
}

fn me(session: &Session) -> Person {
    Person { username: session.identity.username.clone(), realm: session.identity.realm.clone() }
}

/// Returns the lifetime of the old key from its creation, as an expiration; `never` for a key that never expires.
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

/// Converts a typed expiration to a form that means the same on another day: spans stay spans, dates become moments.
fn fixed(typed: &str, now: Millis) -> Result<String, Problem> {
    let wrong = |words: String| Problem::new("The successor can't be given that end", &words);
    match Expiry::parse(typed, now, &clock::zone()).map_err(|error| wrong(error.to_string()))? {
        Expiry::Never => Ok("never".into()),
        Expiry::In(span) => Ok(span.to_string()),
        Expiry::At(at) => Ok(crate::model::time::calendar::rfc3339(at)),
    }
}

pub(super) fn request(
    session: &Session,
    old: &ApiKey,
    (name, expiration): (&str, &str),
    request_id: &str,
) -> Result<CreateKey, Problem> {
    let expiry = Expiry::parse(expiration, session.now(), &clock::zone()).map_err(|error| {
        let hint = "Cancel the rotation, and begin it again with another end";
        Problem::new("The successor can't be given that end", &error.to_string()).hint(hint)
    })?;
    let request = CreateKey::successor(old, name, expiry, request_id);
    request.ok_or_else(|| Problem::new(&format!("What {} may do is not told", old.id), ""))
}

/// Compares the privileges of the maker's current roles, which would limit the successor, with the old key's owner's
/// snapshot.
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
    let text = json::write_object(roles.iter().map(|role| (role.name.as_str(), role.descriptor.get())));
    let Ok(today) = RawValue::from_string(text) else { return Rights::NotKnown("your roles can't be read".into()) };
    compared(then, &today)
}

pub(super) fn unwritable(folder: &std::path::Path, error: &std::io::Error) -> Problem {
    let detail = format!("{}: {error}", folder.display());
    Problem::new("The state of the rotation can't be written down", &detail)
        .hint("Make room or set its rights, or choose another folder by KEYBEARER_ROTATIONS")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DAY;

    fn plan_of(old: ApiKey) -> RotationPlan {
        RotationPlan {
            cluster: ClusterRef::default(),
            maker: Person { username: "me".into(), realm: "r".into() },
            changes_owner: false,
            live: Vec::new(),
            rights: Rights::Same,
            left_behind: Vec::new(),
            request: CreateKey::successor(
                &ApiKey { role_descriptors: RawValue::from_string("{}".into()).ok(), ..ApiKey::default() },
                "n",
                Expiry::In(Span::days(1)),
                "q",
            )
            .unwrap(),
            grace: 0,
            grace_is_cut: false,
            now: 0,
            expiration: "1d".into(),
            old,
        }
    }

    fn key(created: Millis, expires: Option<Millis>) -> ApiKey {
        ApiKey { created, expires, ..ApiKey::default() }
    }

    #[test]
    fn a_grace_period_is_not_longer_than_the_old_key_lives() {
        let mut plan = plan_of(key(-DAY, Some(30 * DAY)));
        for (wanted, grace, ends_before) in
            [(DAY, DAY, None), (30 * DAY, 30 * DAY, None), (100_000 * DAY, 30 * DAY, Some(30 * DAY)), (0, 0, None)]
        {
            plan.set_grace(wanted);
            assert_eq!((plan.grace(), plan.ends_before()), (grace, ends_before), "{wanted}");
        }
        let mut endless = plan_of(key(-DAY, None));
        endless.set_grace(100_000 * DAY);
        assert_eq!((endless.grace(), endless.ends_before()), (100_000 * DAY, None));
    }

    #[test]
    fn each_objection_needs_its_own_consent_in_front_of_whatever_asks() {
        let mut plan = plan_of(ApiKey { name: "Alerting: x".into(), ..ApiKey::default() });
        plan.changes_owner = true;
        plan.live = vec![LiveSuccessor { id: KeyId::new("s"), owner: Some("ana".into()), created: Some(1) }];
        assert_eq!(plan.objections(0), [Objection::OtherOwner, Objection::Managed, Objection::LiveSuccessor]);
        let mut consent = Consent::default();
        assert_eq!(plan.check(consent).unwrap_err().fixes, [Fix::ActAs(String::new()), Fix::AllowOtherOwner]);
        consent.other_owner = true;
        assert_eq!(plan.check(consent).unwrap_err().fixes, [Fix::AllowManaged]);
        consent.managed_too = true;
        let problem = plan.check(consent).unwrap_err();
        assert!(problem.title.contains("its successor s (of ana) is valid"), "{problem}");
        assert_eq!(problem.fixes, [Fix::RotateAgain]);
        consent.again = true;
        plan.check(consent).unwrap();
        plan_of(ApiKey::default()).check(Consent::default()).unwrap();
    }

    #[test]
    fn a_successor_that_expires_within_the_grace_period_is_refused_whatever_is_consented_to() {
        // The successor lives for a day.
        let mut plan = plan_of(key(-DAY, Some(30 * DAY)));
        let all = Consent { other_owner: true, managed_too: true, again: true };
        for (grace, is_short) in [(0, false), (DAY, false), (DAY + 1, true), (7 * DAY, true), (100_000 * DAY, true)] {
            plan.set_grace(grace);
            assert_eq!(plan.check(all).is_err(), is_short, "{grace}");
            assert_eq!(plan.check_with(all, grace).is_err(), is_short, "{grace}");
        }
        assert!(plan.check_with(all, DAY).is_ok(), "a shorter period than the plan's own");
        assert!(plan.check(all).unwrap_err().title.contains("before the grace period is over"));
        // The old key ends before: so long both work, and no longer is promised.
        let mut plan = plan_of(key(-DAY, Some(DAY)));
        plan.set_grace(7 * DAY);
        plan.check(all).unwrap();
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
}
