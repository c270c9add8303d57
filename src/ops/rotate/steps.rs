//! Several steps of a rotation at once, as far as they go without a person: plans for many keys, a successor up
//! to the telling of its secret, what follows once it was kept, going on after an interruption, and many keys
//! with their secrets in files.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use super::{
    Arrived, Fate, Made, News, Plan, Recovered, Wishes, Word, begin, cancel, check_cluster, check_underway, cluster_of,
    due, end, end_all, hand_over_begins, hand_over_failed, handed_over, link, make, place, plan, recover, said, take,
    try_it, unwritable,
};
use crate::{
    model::{
        api_key::KeyId,
        login,
        rotation::{ClusterRef, Ended, Lineage, Next, Place, Rotation},
        secret::Secret,
    },
    ops::{
        Problem, Session, clock,
        last_use::{self, NotKnown, Uses},
        verify::Trial,
    },
    store::{
        own_files::make_folder,
        profiles::new_profile_id,
        rotations::{Held, Listing, Rotations},
        secret_file::SecretFile,
    },
};

/// The rotations of one cluster, as they are written down on this machine.
#[derive(Clone, Debug, Default)]
pub struct Here {
    /// Which cluster.
    pub cluster: ClusterRef,
    /// Those of it, the oldest first; finished ones too.
    pub rotations: Vec<Rotation>,
    /// Files that should be rotations and can't be read, each with the reason: of any cluster.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Reads the rotations of the cluster that is signed in to.
///
/// # Errors
/// When the cluster can't be asked who it is, or the folder can't be read.
pub async fn here(session: &Session, rotations: &Rotations) -> Result<Here, Problem> {
    let cluster = cluster_of(session).await?;
    let listing = all(rotations).await?;
    let mut own = listing.rotations;
    own.retain(|rotation| rotation.cluster.is_same(&cluster));
    Ok(Here { cluster, rotations: own, unreadable: listing.unreadable })
}

async fn all(rotations: &Rotations) -> Result<Listing, Problem> {
    let folder = rotations.clone();
    let read = tokio::task::spawn_blocking(move || folder.all()).await;
    let listing = read.map_err(|_| Problem::broken())?;
    listing.map_err(|error| {
        let detail = format!("{}: {error}", rotations.folder().display());
        Problem::new("The rotations of this machine can't be read", &detail).hint("Set the rights of that folder")
    })
}

/// What would be made for some keys.
#[derive(Clone, Debug)]
pub struct Planned {
    /// A plan for each key that can be rotated.
    pub plans: Vec<Plan>,
    /// The others, each with the reason.
    pub refused: Vec<(KeyId, Problem)>,
    /// When they were last used, or why that is not known.
    pub uses: Result<Uses, NotKnown>,
}

/// Plans for keys, one after the other; a key that can't be rotated leaves the others. That a successor would
/// belong to somebody else refuses none here: each plan says it. `tell` hears how many are looked at.
///
/// # Errors
/// When what is underway already can't be read.
pub async fn plans(
    session: &Session,
    rotations: &Rotations,
    ids: &[KeyId],
    wishes: &Wishes,
    tell: &mut (dyn FnMut(usize) + Send),
) -> Result<Planned, Problem> {
    let underway = all(rotations).await?.rotations;
    let wishes = Wishes { other_owner: true, ..wishes.clone() };
    let (mut plans, mut refused) = (Vec::new(), Vec::new());
    for (place, id) in ids.iter().enumerate() {
        match plan(session, &underway, id, &wishes).await {
            Ok(plan) => plans.push(plan),
            Err(problem) => refused.push((id.clone(), problem)),
        }
        tell(place + 1);
    }
    let good: Vec<KeyId> = plans.iter().map(|plan| plan.old.id.clone()).collect();
    Ok(Planned { plans, refused, uses: last_use::of(session, &good).await })
}

/// Makes a successor whose secret a person will be shown: when this returns, it is on the disk that somebody may
/// have it.
///
/// # Errors
/// With what is true afterwards.
pub async fn start(
    session: &Session,
    rotations: &Rotations,
    plan: &Plan,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<(Held, Made), Problem> {
    check_underway(&all(rotations).await?.rotations, &plan.cluster, &plan.old.id)?;
    let mut held = begin(rotations, plan, Place::Screen, None)?;
    let made = make(session, &mut held, tell).await?;
    hand_over_begins(&mut held)?;
    Ok((held, made))
}

/// How far a rotation has come.
#[derive(Debug)]
pub struct After {
    /// As it is on the disk.
    pub rotation: Rotation,
    /// What came of signing in with the successor.
    pub trial: Option<Trial>,
    /// What was told on the way.
    pub news: Vec<String>,
    /// How the old key ended, if it did.
    pub ended: Option<Ended>,
    /// Why it went no further.
    pub problem: Option<Problem>,
    /// The secret again where the successor was not seen to work, so that it can be tried once more.
    pub secret: Option<Secret>,
}

impl After {
    fn of(rotation: &Rotation) -> Self {
        let rotation = rotation.clone();
        Self { rotation, trial: None, news: Vec::new(), ended: None, problem: None, secret: None }
    }
}

/// The person has the secret: that is written down, the successor is tried, and the grace period begins; without
/// one the old key is ended.
pub async fn kept(session: &Session, mut held: Held, secret: Secret, tell: &mut (dyn FnMut(News) + Send)) -> After {
    let mut after = After::of(&held.rotation);
    let mut news = Vec::new();
    let mut tell = |one: News| {
        news.push(one.words());
        tell(one);
    };
    let went = match handed_over(&mut held) {
        Ok(()) => prove(session, &mut held, &secret, &mut tell, &mut after).await,
        Err(problem) => Err(problem),
    };
    After { news, ..finished(after, &held, went, Some(secret)) }
}

fn finished(mut after: After, held: &Held, went: Result<(), Problem>, secret: Option<Secret>) -> After {
    after.rotation = held.rotation.clone();
    let is_proved = !matches!(after.rotation.next(0), Next::Make | Next::Try);
    after.problem = went.err();
    after.secret = secret.filter(|_| !is_proved);
    after
}

async fn prove(
    session: &Session,
    held: &mut Held,
    secret: &Secret,
    tell: &mut (dyn FnMut(News) + Send),
    after: &mut After,
) -> Result<(), Problem> {
    after.trial = try_it(session, held, secret).await?;
    link(session, held, tell).await?;
    if held.rotation.grace == 0 {
        after.ended = Some(end(session, held, tell).await?);
    }
    Ok(())
}

/// What a person has of a successor whose rotation was interrupted.
#[derive(Clone, Debug)]
pub enum Have {
    /// They were not asked.
    Unsaid,
    /// Its secret, which is of this key.
    Secret(KeyId, Secret),
    /// They say that they have it, and don't show it.
    Said,
    /// They don't have it.
    Not,
}

/// What going on has led to.
#[derive(Debug)]
pub enum GoneOn {
    /// Another successor was made, whose secret is to be shown.
    ToShow(Box<Held>, Box<Made>),
    /// As far as it goes without a person.
    After(Box<After>),
}

/// Goes on with a rotation that was interrupted. A grace period that is over ends nothing here; a rotation
/// without one ends its old key when the successor was seen to work.
///
/// # Errors
/// When a person has to say whether they have the secret, and when the cluster can't be asked.
pub async fn go_on(
    session: &Session,
    rotations: &Rotations,
    id: &str,
    have: Have,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<GoneOn, Problem> {
    let mut held = take(rotations, id)?;
    check_cluster(session, &held.rotation).await?;
    let mut news = Vec::new();
    let mut tell = |one: News| {
        news.push(one.words());
        tell(one);
    };
    let tell = &mut tell;
    if let Have::Secret(of, _) = &have
        && held.rotation.successor() != Some(of)
    {
        let title = format!("That is the secret of {of}, and not of the successor. Nothing is done");
        return Err(Problem::new(&title, ""));
    }
    if held.rotation.next(0) == Next::Make {
        let arrived = match &have {
            Have::Secret(of, _) => Arrived::Key(of.clone()),
            _ => place::arrived(&held.rotation.place),
        };
        let word = match have {
            Have::Said => Word::HandedOver,
            Have::Not => Word::MakeAgain,
            Have::Unsaid | Have::Secret(..) => Word::None,
        };
        if recover(session, &mut held, &arrived, word, tell).await? == Recovered::MakeAgain {
            return again(session, held, &arrived, tell).await;
        }
    }
    let mut after = After::of(&held.rotation);
    let is_said = matches!(have, Have::Said);
    let secret = match have {
        Have::Secret(_, secret) => Some(secret),
        Have::Said => None,
        Have::Unsaid | Have::Not => in_its_file(&held.rotation),
    };
    let went = match (held.rotation.next(clock::now()), &secret) {
        (Next::Try, Some(secret)) => prove(session, &mut held, secret, tell, &mut after).await,
        (Next::Try, None) if is_said => believe(session, &mut held, tell).await,
        (Next::Try, None) => Err(untried(&held.rotation)),
        (Next::Wait(_), _) if held.rotation.lineage == Lineage::Open => link(session, &mut held, tell).await,
        _ => Ok(()),
    };
    let after = finished(after, &held, went, secret);
    Ok(GoneOn::After(Box::new(After { news, ..after })))
}

async fn believe(session: &Session, held: &mut Held, tell: &mut (dyn FnMut(News) + Send)) -> Result<(), Problem> {
    said(session, held).await?;
    link(session, held, tell).await
}

/// The secret of the successor, where it went to a file that is still there.
fn in_its_file(rotation: &Rotation) -> Option<Secret> {
    let Place::File { path } = &rotation.place else { return None };
    let (id, secret) = place::in_file(path).ok()??;
    (rotation.successor() == Some(&id)).then_some(secret)
}

fn untried(rotation: &Rotation) -> Problem {
    let successor = rotation.successor().cloned().unwrap_or_default();
    let place = rotation.place.words();
    let title = format!("The secret of {successor} was handed over to {place}, and can't be tried from there");
    Problem::new(&title, "Nothing is ended: paste the secret, or say that you have it")
}

/// Another successor, its secret to where that of the first was to go: a file, or who is there now.
async fn again(
    session: &Session,
    mut held: Held,
    arrived: &Arrived,
    tell: &mut (dyn FnMut(News) + Send),
) -> Result<GoneOn, Problem> {
    let Place::File { path } = &held.rotation.place else {
        held.rotation.place = Place::Screen;
        let made = make(session, &mut held, tell).await?;
        hand_over_begins(&mut held)?;
        return Ok(GoneOn::ToShow(Box::new(held), Box::new(made)));
    };
    let file = match arrived {
        Arrived::Empty => SecretFile::create_or_take_empty(path),
        _ => SecretFile::create(path),
    };
    let file = file.map_err(|error| no_room(&error))?;
    let mut after = After::of(&held.rotation);
    let went = into_file(session, &mut held, file, tell, &mut after).await;
    Ok(GoneOn::After(Box::new(finished(after, &held, went, None))))
}

fn no_room(error: &std::io::Error) -> Problem {
    Problem::new("There is no room for the secret. No successor is made", &error.to_string())
}

/// Makes the successor, writes its secret to a file, and goes on as far as it goes.
async fn into_file(
    session: &Session,
    held: &mut Held,
    file: SecretFile,
    tell: &mut (dyn FnMut(News) + Send),
    after: &mut After,
) -> Result<(), Problem> {
    let made = make(session, held, tell).await?;
    hand_over_begins(held)?;
    let (id, secret) = (&made.created.id, &made.created.secret);
    if let Err(error) = file.write(&login::encode(id.as_str(), secret)) {
        hand_over_failed(held)?;
        let title = format!("The successor {id} was made, and its secret could not be written");
        return Err(Problem::new(&title, &error.to_string()).hint("Go on: it is ended, and another is made"));
    }
    handed_over(held)?;
    prove(session, held, secret, tell, after).await
}

/// One of several keys.
#[derive(Debug)]
pub struct OneOf {
    /// The old key.
    pub old: KeyId,
    /// How far it has come, or why nothing was begun.
    pub result: Result<After, Problem>,
    /// Where its successor's secret is.
    pub file: Option<PathBuf>,
}

/// Rotates several keys, one after the other, each secret to a new file of a folder; a failure of one leaves the
/// others. Between two it can be stopped: those that are left are as they were. `tell` hears how many are over.
///
/// # Errors
/// When there is no such folder and it can't be made: then nothing was begun.
pub async fn many(
    session: &Session,
    rotations: &Rotations,
    plans: &[Plan],
    folder: &Path,
    stop: &AtomicBool,
    tell: &mut (dyn FnMut(usize) + Send),
) -> Result<Vec<OneOf>, Problem> {
    let folder = place::absolute(folder).and_then(|folder| make_folder(&folder).map(|()| folder));
    let folder = folder.map_err(|error| {
        Problem::new("There is no such folder, and it can't be made. Nothing is begun", &error.to_string())
    })?;
    let batch = new_profile_id().0;
    let mut over = Vec::new();
    for plan in plans {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        over.push(one_of(session, rotations, plan, &folder, &batch).await);
        tell(over.len());
    }
    Ok(over)
}

async fn one_of(session: &Session, rotations: &Rotations, plan: &Plan, folder: &Path, batch: &str) -> OneOf {
    let old = plan.old.id.clone();
    let begun = async {
        check_underway(&all(rotations).await?.rotations, &plan.cluster, &old)?;
        let name = place::file_name(&old)
            .ok_or_else(|| Problem::new(&format!("{old} is no name for a file"), "Rotate it alone"))?;
        let file = SecretFile::create(&folder.join(name)).map_err(|error| no_room(&error))?;
        let place = Place::File { path: file.path().to_owned() };
        Ok((begin(rotations, plan, place, Some(batch))?, file))
    };
    let (mut held, file) = match begun.await {
        Ok(begun) => begun,
        Err(problem) => return OneOf { old, result: Err(problem), file: None },
    };
    let path = file.path().to_owned();
    let mut after = After::of(&held.rotation);
    let went = into_file(session, &mut held, file, &mut |_| (), &mut after).await;
    let is_there = path.exists();
    OneOf { old, result: Ok(finished(after, &held, went, None)), file: is_there.then_some(path) }
}

/// Ends the old keys of rotations that are due on this very cluster, one after the other; the others are told
/// why not.
///
/// # Errors
/// When it can't be told which are due.
pub async fn end_these(
    session: &Session,
    rotations: &Rotations,
    ids: &[String],
    stop: &AtomicBool,
    tell: &mut (dyn FnMut(usize) + Send),
) -> Result<Vec<Fate>, Problem> {
    let here = here(session, rotations).await?;
    let due: Vec<&Rotation> = due(&here.rotations, &here.cluster, clock::now());
    let (due, other): (Vec<String>, Vec<String>) =
        ids.iter().cloned().partition(|id| due.iter().any(|rotation| rotation.id == *id));
    let not_due = |id: String| {
        let result = Err(Problem::new(&format!("Rotation {id} is not due on this cluster"), ""));
        Fate { id, result }
    };
    let mut fates: Vec<Fate> = other.into_iter().map(not_due).collect();
    let mut over = fates.len();
    let mut progress = |_: &Fate| {
        over += 1;
        tell(over);
    };
    fates.extend(end_all(session, rotations, &due, stop, &mut |_| (), &mut progress).await);
    Ok(fates)
}

/// Gives up a rotation that nobody holds; as [`cancel`].
///
/// # Errors
/// As [`cancel`].
pub async fn give_up(session: &Session, rotations: &Rotations, id: &str, keep: bool) -> Result<Rotation, Problem> {
    let mut held = take(rotations, id)?;
    check_cluster(session, &held.rotation).await?;
    cancel(session, &mut held, keep, &mut |_| ()).await?;
    Ok(held.rotation.clone())
}

/// The folder in which nothing can be written down.
pub fn nowhere() -> Problem {
    let error = std::io::Error::new(std::io::ErrorKind::NotFound, "this machine has no place for rotations");
    unwritable(Path::new("rotations"), &error)
}
