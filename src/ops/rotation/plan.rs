//! Plans: what rotating a key would make, what stands in the way, and what needs consent.

use crate::ops::rotation::checks::{check_may_end, check_old, check_session, check_underway};
use serde_json::value::RawValue;

use super::{
    Rights, compared, is_mine,
    lineage::{self, LiveSuccessor},
    read,
};
use crate::{
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId},
        create::{self, CreateKey},
        guard,
        rotation::{Beginning, ClusterRef, Destination, OldKey, Person, Rotation, successor},
        text::json,
        time::expiry::{Expiry, Span},
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
    /// Grace period during which both keys work.
    pub grace: TimeDelta,
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
    wanted_grace: TimeDelta,
    grace: TimeDelta,
    grace_is_cut: bool,
    now: Timestamp,
    expiration: String,
}

impl RotationPlan {
    /// Returns the grace period: as asked for, but not longer than the old key lives.
    pub fn grace(&self) -> TimeDelta {
        self.grace
    }

    /// The end of the old key, where it comes before the grace period that was asked for is over.
    pub fn ends_before(&self) -> Option<Timestamp> {
        self.old.expires.filter(|_| self.grace_is_cut)
    }

    /// The end of the old key, where it comes before a grace period of this length is over.
    pub fn ends_within(&self, wanted: TimeDelta) -> Option<Timestamp> {
        self.old.expires.filter(|at| wanted > (*at - self.now).max(TimeDelta::ZERO))
    }

    /// Sets how long both keys work; a period longer than the old key lives is cut to its end.
    pub fn set_grace(&mut self, wanted: TimeDelta) {
        let end = self.ends_within(wanted);
        self.wanted_grace = wanted;
        self.grace = end.map_or(wanted, |at| (at - self.now).max(TimeDelta::ZERO));
        self.grace_is_cut = end.is_some();
        self.request = self.request.clone().naming_grace(self.grace);
    }

    /// Returns the plan with a grace period that is cut by the cluster's own clock alone: by another clock the old key
    /// could seem to end sooner, and both keys would work for a shorter time than was asked for.
    ///
    /// # Errors
    /// Returns an error if the cluster can't be asked.
    pub(super) async fn by_cluster_clock(mut self, session: &Session) -> Result<Self, Problem> {
        if self.grace_is_cut {
            clock::compare(session).await?;
            self.now = session.now();
            self.set_grace(self.wanted_grace);
        }
        Ok(self)
    }

    /// The successor's end, where it comes before a grace period of this length is over: then both keys would not work
    /// as long as it is said, and the old one might be the only one that does.
    pub fn successor_ends_within(&self, wanted: TimeDelta) -> Option<Timestamp> {
        let over = self.ends_within(wanted).unwrap_or_else(|| self.now + wanted);
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
    pub fn objections(&self, grace: TimeDelta) -> Vec<Objection> {
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

    /// Refuses what was not consented to, with another grace period than the plan's own.
    ///
    /// # Errors
    /// With the first objection, and the consent that it needs.
    pub fn check_with(&self, consent: Consent, grace: TimeDelta) -> Result<(), Problem> {
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
        Problem::new(&title, &format!("It expires {end}"))
            .hint("Set a later expiration, or choose a shorter grace period")
    }

    /// A key belongs to whoever makes it.
    fn other_owner(&self) -> Problem {
        let (owner, me) = (&self.old.owner.username, &self.maker.username);
        let title = format!("{} belongs to {owner}, but its successor would belong to {me}", self.old.id);
        let detail = format!(
            "A key belongs to the user who creates it and is limited by that user's privileges: only you could update \
             it, and {owner} would no longer see it among their own keys"
        );
        let hint = format!("Run as {owner}, so that it belongs to {owner} again, or let {owner} rotate it");
        Problem::new(&title, &detail).hint(&hint).fix(Fix::ActAs(owner.clone())).or(Fix::AllowOtherOwner)
    }

    fn managed(&self) -> Problem {
        let product = self.product().unwrap_or_default();
        let title = format!("{} claims that a product created it ({product})", self.old.id);
        Problem::new(&title, "If so, the product stops working without the key")
            .hint("If you rotate it anyway, give the product its successor")
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
    create::check_name(&name).map_err(|words| Problem::new("Invalid name for the successor", &words))?;
    let expiration = match &options.expiration {
        Some(typed) => fixed(typed, session.now())?,
        None => same_length(&old),
    };
    let request = request(session, &old, &name, &expiration, &new_profile_id().0)?;
    let mut plan = RotationPlan {
        cluster,
        maker: me(session),
        changes_owner,
        live: lineage::live_successors(session, &old).await?,
        rights: rights_today(session, &old).await,
        left_behind: successor::left_behind(&old),
        request,
        wanted_grace: TimeDelta::ZERO,
        grace: TimeDelta::ZERO,
        grace_is_cut: false,
        now: session.now(),
        expiration,
        old,
    };
    plan.set_grace(options.grace);
    plan.by_cluster_clock(session).await
}

/// Saves a plan as a new rotation, so that it can be resumed whatever happens. Nothing is sent.
///
/// # Errors
/// Without the consent that it needs; when it can't be written: then nothing shall be sent either.
pub fn begin(
    rotations: &Rotations,
    plan: &RotationPlan,
    consent: Consent,
    place: Destination,
    batch: Option<&str>,
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
            let title = "Another Keybearer process is starting a rotation. Nothing was started";
            Problem::new(title, &error.to_string()).hint("Let it finish, or stop it, then try again").fix(Fix::Retry)
        }
        _ => unwritable(rotations.folder(), &error),
    };
    // Somebody else may have begun one since the plan was made, and two would leave two successors.
    let _others_wait = rotations.lock_all().map_err(unwritable)?;
    check_underway(&rotations.all().map_err(unwritable)?.rotations, &plan.cluster, &plan.old.id)?;
    rotations.begin(rotation).map_err(unwritable)
}

fn me(session: &Session) -> Person {
    Person { username: session.identity.username.clone(), realm: session.identity.realm.clone() }
}

/// Returns the lifetime of the old key from its creation, as an expiration; `never` for a key that never expires.
fn same_length(old: &ApiKey) -> String {
    match old.expires {
        None => "never".into(),
        Some(at) => {
            let length = (at - old.created).max(TimeDelta::SECOND);
            let is_whole = length % TimeDelta::DAY == TimeDelta::ZERO;
            let whole = is_whole.then(|| Span::days((length / TimeDelta::DAY).unsigned_abs()));
            whole.unwrap_or(Span::of(length)).to_string()
        }
    }
}

/// Converts a typed expiration to a form that means the same on another day: spans stay spans, dates become moments.
fn fixed(typed: &str, now: Timestamp) -> Result<String, Problem> {
    let wrong = |words: String| Problem::new("The successor can't have that expiration", &words);
    match Expiry::parse(typed, now, &clock::zone()).map_err(|error| wrong(error.to_string()))? {
        Expiry::Never => Ok("never".into()),
        Expiry::In(span) => Ok(span.to_string()),
        Expiry::At(at) => Ok(crate::model::time::calendar::rfc3339(at)),
    }
}

pub(super) fn request(
    session: &Session,
    old: &ApiKey,
    name: &str,
    expiration: &str,
    request_id: &str,
) -> Result<CreateKey, Problem> {
    let expiry = Expiry::parse(expiration, session.now(), &clock::zone()).map_err(|error| {
        let hint = "Cancel the rotation, then start it again with another expiration";
        Problem::new("The successor can't have that expiration", &error.to_string()).hint(hint)
    })?;
    let request = CreateKey::successor(old, name, expiry, request_id);
    request.ok_or_else(|| Problem::new(&format!("What {} can do is not reported", old.id), ""))
}

/// Compares the privileges of the maker's current roles, which would limit the successor, with the old key's owner's
/// snapshot.
async fn rights_today(session: &Session, old: &ApiKey) -> Rights {
    let Some(then) = old.limited_by.as_deref() else {
        return Rights::NotKnown("the old key's snapshot is not reported".into());
    };
    let names: Vec<&str> = session.identity.roles.iter().map(String::as_str).collect();
    let roles = match session.client.roles_named(&names).await {
        Ok(roles) => roles,
        Err(error) => return Rights::NotKnown(format!("your roles can't be read in advance ({error})")),
    };
    if names.is_empty() || names.iter().any(|name| roles.iter().all(|role| role.name != *name)) {
        return Rights::NotKnown("not all of your roles can be read in advance".into());
    }
    let text = json::write_object(roles.iter().map(|role| (role.name.as_str(), role.descriptor.get())));
    let Ok(today) = RawValue::from_string(text) else { return Rights::NotKnown("your roles can't be read".into()) };
    compared(then, &today)
}

pub(super) fn unwritable(folder: &std::path::Path, error: &std::io::Error) -> Problem {
    let detail = format!("{}: {error}", folder.display());
    Problem::new("The state of the rotation can't be saved", &detail)
        .hint("Free up space, fix its permissions, or choose another folder with KEYBEARER_ROTATIONS")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            wanted_grace: TimeDelta::ZERO,
            grace: TimeDelta::ZERO,
            grace_is_cut: false,
            now: Timestamp::EPOCH,
            expiration: "1d".into(),
            old,
        }
    }

    const MS: TimeDelta = TimeDelta::MILLISECOND;

    fn at(since: TimeDelta) -> Timestamp {
        Timestamp::EPOCH + since
    }

    fn key(created: Timestamp, expires: Option<Timestamp>) -> ApiKey {
        ApiKey { created, expires, ..ApiKey::default() }
    }

    #[test]
    fn a_grace_period_is_not_longer_than_the_old_key_lives() {
        let mut plan = plan_of(key(at(-TimeDelta::DAY), Some(at(30 * TimeDelta::DAY))));
        for (wanted, grace, ends_before) in [
            (TimeDelta::DAY, TimeDelta::DAY, None),
            (30 * TimeDelta::DAY, 30 * TimeDelta::DAY, None),
            (100_000 * TimeDelta::DAY, 30 * TimeDelta::DAY, Some(at(30 * TimeDelta::DAY))),
            (TimeDelta::ZERO, TimeDelta::ZERO, None),
        ] {
            plan.set_grace(wanted);
            assert_eq!((plan.grace(), plan.ends_before()), (grace, ends_before), "{wanted:?}");
        }
        let mut endless = plan_of(key(at(-TimeDelta::DAY), None));
        endless.set_grace(100_000 * TimeDelta::DAY);
        assert_eq!((endless.grace(), endless.ends_before()), (100_000 * TimeDelta::DAY, None));
    }

    #[test]
    fn each_objection_needs_its_own_consent_in_front_of_whatever_asks() {
        let mut plan = plan_of(ApiKey { name: "Alerting: x".into(), ..ApiKey::default() });
        plan.changes_owner = true;
        plan.live = vec![LiveSuccessor { id: KeyId::new("s"), owner: Some("ana".into()), created: Some(at(MS)) }];
        assert_eq!(
            plan.objections(TimeDelta::ZERO),
            [Objection::OtherOwner, Objection::Managed, Objection::LiveSuccessor]
        );
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
        let mut plan = plan_of(key(at(-TimeDelta::DAY), Some(at(30 * TimeDelta::DAY))));
        let all = Consent { other_owner: true, managed_too: true, again: true };
        for (grace, is_short) in [
            (TimeDelta::ZERO, false),
            (TimeDelta::DAY, false),
            (TimeDelta::DAY + TimeDelta::MILLISECOND, true),
            (7 * TimeDelta::DAY, true),
            (100_000 * TimeDelta::DAY, true),
        ] {
            plan.set_grace(grace);
            assert_eq!(plan.check(all).is_err(), is_short, "{grace:?}");
            assert_eq!(plan.check_with(all, grace).is_err(), is_short, "{grace:?}");
        }
        assert!(plan.check_with(all, TimeDelta::DAY).is_ok(), "a shorter period than the plan's own");
        assert!(plan.check(all).unwrap_err().title.contains("before the grace period is over"));
        // The old key ends before: so long both work, and no longer is promised.
        let mut plan = plan_of(key(at(-TimeDelta::DAY), Some(at(TimeDelta::DAY))));
        plan.set_grace(7 * TimeDelta::DAY);
        plan.check(all).unwrap();
    }

    #[test]
    fn a_successor_lives_as_long_as_the_old_key_did_from_its_creation() {
        assert_eq!(same_length(&key(at(MS), Some(at(MS + 90 * TimeDelta::DAY)))), "90d");
        assert_eq!(same_length(&key(at(MS), Some(at(MS + TimeDelta::DAY + MS)))), "86400001ms");
        assert_eq!(same_length(&key(at(MS), None)), "never");
        assert_eq!(same_length(&key(Timestamp::MIN, Some(Timestamp::MAX))), "9223372036854775807ms");
    }

    #[test]
    fn an_end_that_was_typed_means_the_same_on_another_day() {
        assert_eq!(fixed("90d", Timestamp::EPOCH).unwrap(), "90d");
        assert_eq!(fixed(" Never ", Timestamp::EPOCH).unwrap(), "never");
        let day = fixed("2027-02-21T12:00:00Z", Timestamp::EPOCH).unwrap();
        assert_eq!(
            Expiry::parse(&day, Timestamp::EPOCH, &clock::zone()).unwrap(),
            Expiry::At(Timestamp::from_millis(1_803_211_200_000))
        );
        assert!(fixed("soon", Timestamp::EPOCH).is_err() && fixed("0s", Timestamp::EPOCH).is_err());
    }
}
