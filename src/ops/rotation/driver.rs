//! The driver of a rotation: takes it from one state to the next, for the window and the command line alike. What
//! differs between them is an [`Interaction`]: how the secret is delivered to a person, how the end of the old key is
//! confirmed, and where progress is shown.

use crate::ops::rotation::interaction::{Delivery, Interaction, OpenDestination};
use crate::ops::rotation::overview::{all, no_room};
use std::path::PathBuf;

use super::{
    Consent, CreatedSuccessor, DestinationContent, Recovery, RecoveryChoice, RotationPlan, RotationProgress, begin,
    check_cluster, check_end,
    checks::check_underway,
    destination, end, hand_over_begins, handed_over, interrupted, link, make,
    make::{hand_over_failed, undone},
    recover, said, try_it,
};
use crate::{
    model::{
        TimeDelta, Timestamp,
        api_key::KeyId,
        connections::login,
        rotation::{Destination, Ended, Lineage, Next, Rotation, State, Tried},
        secret::Secret,
    },
    ops::{
        Fix, Problem, Session, clock,
        keys::last_use::{self},
        secret::try_key::Trial,
    },
    store::{
        rotation::{RotationGuard, Rotations},
        secret_file::SecretFile,
    },
};

/// Report of a rotation that was run as far as possible.
#[derive(Debug)]
pub struct RotationReport {
    /// State of the rotation, as saved on disk.
    pub rotation: Rotation,
    /// Result of signing in with the successor; `None` if that was not done in this run, or if its workflow lets it ask
    /// for nothing.
    pub trial: Option<Trial>,
    /// Progress messages in order, without the one about the trial.
    pub progress: Vec<String>,
    /// Doubts about a successor that was created in this run: what differs from the request, or is not known.
    pub doubts: Vec<String>,
    /// Way in which the old key ended; `None` if it did not end in this run.
    pub ended: Option<Ended>,
    /// Problem that stopped the rotation; `None` if there was none.
    pub problem: Option<Problem>,
    /// `true` if ending the old key needed a confirmation that was not given.
    pub declined: bool,
    /// Secret of the successor if it is not proved to work, so that it can be tried once more.
    pub secret: Option<Secret>,
}

/// Result of running a rotation as far as possible without a person.
#[derive(Debug)]
pub enum Outcome {
    /// Successor created, and its secret on display: [`confirm_delivery`] follows, or canceling.
    Shown(Box<RotationGuard>, Box<CreatedSuccessor>),
    /// Report of a rotation that was stopped, or that needs no person for now.
    After(Box<RotationReport>),
}

/// One run of a rotation, with what it found out so far.
pub(super) struct Run<'a> {
    session: &'a Session,
    guard: RotationGuard,
    front: &'a mut dyn Interaction,
    progress: Vec<String>,
    doubts: Vec<String>,
    trial: Option<Trial>,
    ended: Option<Ended>,
    declined: bool,
    secret: Option<Secret>,
}

/// Returns a callback that passes progress to the front end and adds its messages to `report`, except the one about the
/// trial.
fn teller<'t>(front: &'t mut dyn Interaction, report: &'t mut Vec<String>) -> impl FnMut(RotationProgress) + Send + 't {
    move |one| {
        if !matches!(one, RotationProgress::Tried { .. }) {
            report.push(one.words());
        }
        front.progress(one);
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(session: &'a Session, guard: RotationGuard, front: &'a mut dyn Interaction) -> Self {
        Self {
            session,
            guard,
            front,
            progress: Vec::new(),
            doubts: Vec::new(),
            trial: None,
            ended: None,
            declined: false,
            secret: None,
        }
    }

    pub(super) fn after(self, problem: Option<Problem>) -> RotationReport {
        let rotation = self.guard.rotation.clone();
        let is_proved = !matches!(rotation.next(Timestamp::EPOCH), Next::Make | Next::Try);
        RotationReport {
            rotation,
            trial: self.trial,
            progress: self.progress,
            doubts: self.doubts,
            ended: self.ended,
            problem,
            declined: self.declined,
            secret: self.secret.filter(|_| !is_proved),
        }
    }

    fn finished(self, went: Result<(), Problem>) -> Outcome {
        Outcome::After(Box::new(self.after(went.err())))
    }

    /// Creates the successor and delivers its secret to `destination`, then continues as far as possible.
    async fn make(mut self, destination: OpenDestination) -> Outcome {
        if matches!(destination, OpenDestination::Person(_)) && !self.front.can_deliver() {
            return self.finished(Err(nobody()));
        }
        self.guard.rotation.place = destination.place();
        let made = make(self.session, &mut self.guard, &mut teller(self.front, &mut self.progress)).await;
        let made = match made {
            Ok(made) => made,
            Err(problem) => return self.finished(Err(problem)),
        };
        self.doubts.clone_from(&made.created.doubts);
        if let Err(problem) = hand_over_begins(&mut self.guard) {
            let problem = undone(self.session, &made.created.id, problem).await;
            let resume = Fix::ResumeRotation(self.guard.rotation.id.clone());
            return self.finished(Err(problem.fix(resume)));
        }
        let delivery = match destination {
            OpenDestination::Person(_) => self.front.deliver(&self.guard.rotation, &made),
            OpenDestination::File(file) => {
                let path = file.path().to_owned();
                match file.write(&login::encode(made.created.id.as_str(), &made.created.secret)) {
                    Ok(()) => {
                        self.front.delivered(&self.guard.rotation, &made, &path);
                        Delivery::Arrived
                    }
                    Err(error) => Delivery::Failed(error.to_string()),
                }
            }
        };
        match delivery {
            Delivery::Shown => Outcome::Shown(Box::new(self.guard), Box::new(made)),
            Delivery::Failed(why) => {
                let mut progress = teller(self.front, &mut self.progress);
                let problem = hand_over_failed(self.session, &mut self.guard, &why, &mut progress).await;
                drop(progress);
                self.finished(Err(problem))
            }
            Delivery::Arrived => {
                self.secret = Some(made.created.secret);
                let went = self.arrived().await;
                self.finished(went)
            }
        }
    }

    /// Continues after the secret was delivered: saves that, tries the successor, and begins the grace period; without
    /// one, ends the old key.
    async fn arrived(&mut self) -> Result<(), Problem> {
        handed_over(&mut self.guard).map_err(|problem| {
            let Rotation { id, place, .. } = &self.guard.rotation;
            let successor = self.guard.rotation.successor().cloned().unwrap_or_default();
            let words =
                format!("The successor {successor} is valid, and its secret was delivered to {}", place.words());
            let detail = format!("{}. {words}", problem.detail);
            Problem { detail, ..problem }.fix(Fix::ResumeRotation(id.clone()))
        })?;
        self.prove().await?;
        // A grace period that was asked for is never over within the run that began it.
        if self.guard.rotation.grace == TimeDelta::ZERO { self.end().await } else { Ok(()) }
    }

    async fn prove(&mut self) -> Result<(), Problem> {
        let Some(secret) = self.secret.clone() else { return Err(untried(&self.guard.rotation)) };
        let trial = try_it(self.session, &mut self.guard, &secret).await?;
        let id = self.guard.rotation.successor().cloned().unwrap_or_default();
        self.trial.clone_from(&trial);
        self.front.progress(RotationProgress::Tried { id, trial });
        self.link().await
    }

    async fn link(&mut self) -> Result<(), Problem> {
        link(self.session, &mut self.guard, &mut teller(self.front, &mut self.progress)).await
    }

    async fn end(&mut self) -> Result<(), Problem> {
        let ended = end(self.session, &mut self.guard, &mut teller(self.front, &mut self.progress)).await?;
        self.ended = Some(ended);
        Ok(())
    }
}

fn nobody() -> Problem {
    Problem::new("The secret of a successor would reach nobody here. None was created", "")
}

/// Begins a rotation and runs it as far as possible.
///
/// # Errors
/// Returns a problem if nothing was begun: the key is being rotated already, a consent is missing, or the rotation
/// can't be saved.
pub async fn start(
    session: &Session,
    rotations: &Rotations,
    plan: &RotationPlan,
    consent: Consent,
    destination: OpenDestination,
    batch: Option<&str>,
    front: &mut dyn Interaction,
) -> Result<Outcome, Problem> {
    check_underway(&all(rotations).await?.rotations, &plan.cluster, &plan.old.id)?;
    let plan = plan.clone().by_cluster_clock(session).await?;
    let guard = begin(rotations, &plan, consent, destination.place(), batch)?;
    front.progress(RotationProgress::Begun(guard.rotation.id.clone()));
    Ok(Run::new(session, guard, front).make(destination).await)
}

/// Continues a rotation after the person confirmed that they have the secret that was shown.
pub async fn confirm_delivery(
    session: &Session,
    guard: RotationGuard,
    secret: Secret,
    front: &mut dyn Interaction,
) -> RotationReport {
    let mut run = Run::new(session, guard, front);
    run.secret = Some(secret);
    let went = run.arrived().await;
    run.after(went.err())
}

/// Answer of a person whether they have the secret of an interrupted rotation's successor.
#[derive(Clone, Debug, Default)]
pub enum SecretConfirmation {
    /// No answer: the person was not asked.
    #[default]
    Unsaid,
    /// Secret that the person entered, with the id of the key it belongs to.
    Secret(KeyId, Secret),
    /// Confirmation that the person has the secret, without entering it.
    Said,
    /// Confirmation that the person does not have the secret.
    Not,
}

/// Answers of a person to the questions that an interrupted rotation may ask.
#[derive(Debug)]
pub struct Answers {
    /// Answer whether the person has the successor's secret.
    pub have: SecretConfirmation,
    /// File for the secret instead of the destination that the rotation names; `None` keeps that one.
    pub file: Option<PathBuf>,
    /// Destination of another successor's secret if it goes to no file.
    pub person: Destination,
}

/// Resumes a rotation that was interrupted or that waits, and runs it as far as possible.
///
/// # Errors
/// Returns a problem if a person has to confirm whether they have the secret, if an answer does not fit the rotation, if
/// the cluster can't be asked, or if the file for another secret can't be created. No successor was created then; keys
/// that nobody has the secret of may have been invalidated, each of which was reported as progress.
pub async fn resume(
    session: &Session,
    guard: RotationGuard,
    answers: Answers,
    front: &mut dyn Interaction,
) -> Result<Outcome, Problem> {
    check_cluster(session, &guard.rotation).await?;
    if let SecretConfirmation::Secret(of, _) = &answers.have
        && guard.rotation.successor().is_some_and(|known| known != of)
    {
        let title = format!("This is the secret of {of}, not of the successor. Nothing was done");
        return Err(Problem::new(&title, ""));
    }
    if matches!(answers.have, SecretConfirmation::Not) && guard.rotation.next(clock::now()) != Next::Make {
        let title = "The secret was already delivered, so no other successor is created. Nothing was done";
        let fix = Fix::CancelRotation { id: guard.rotation.id.clone(), keep_successor: false };
        return Err(Problem::new(title, "").hint("Cancel the rotation, then start again").fix(fix));
    }
    let open = interrupted::open(session, &guard.rotation).await;
    let mut run = Run::new(session, guard, front);
    if run.guard.rotation.next(Timestamp::EPOCH) == Next::Make
        && let Some(destination) = recovered(&mut run, &answers).await?
    {
        // The intents of the earlier run have their outcome before another request is written down.
        run.clear(open).await;
        return Ok(run.make(destination).await);
    }
    let went = run_remaining(&mut run, &answers).await;
    if went.is_ok() {
        run.clear(open).await;
    }
    Ok(run.finished(went))
}

impl Run<'_> {
    async fn clear(&mut self, open: Vec<crate::model::journal::Read>) {
        let mut progress = teller(self.front, &mut self.progress);
        interrupted::close(self.session, &self.guard.rotation, open, &mut progress).await;
    }
}

/// Finds out what the interrupted run has left. Returns the destination of another successor's secret if one has to be
/// created; `None` if the secret of the first one arrived.
async fn recovered(run: &mut Run<'_>, answers: &Answers) -> Result<Option<OpenDestination>, Problem> {
    let told_to = run.guard.rotation.place.clone();
    let place = match &answers.file {
        Some(path) => Destination::File { path: path.clone() },
        None => told_to.clone(),
    };
    let found = destination::arrived(&place);
    // An empty file says that no secret came only where it was to come there.
    let evidence = match &answers.have {
        SecretConfirmation::Secret(of, _) => DestinationContent::Key(of.clone()),
        _ if found == DestinationContent::Empty && place != told_to => DestinationContent::NotKnown,
        _ => found.clone(),
    };
    let word = match answers.have {
        SecretConfirmation::Said => RecoveryChoice::HandedOver,
        SecretConfirmation::Not => RecoveryChoice::MakeAgain,
        SecretConfirmation::Unsaid | SecretConfirmation::Secret(..) => RecoveryChoice::None,
    };
    let is_file = matches!(place, Destination::File { .. });
    let may_be_there =
        matches!(run.guard.rotation.state, State::HandingOver { .. }) && word != RecoveryChoice::MakeAgain;
    if !is_file && !may_be_there && !run.front.can_deliver() {
        return Err(nobody());
    }
    let mut progress = teller(run.front, &mut run.progress);
    let recovered = recover(run.session, &mut run.guard, &evidence, word, &mut progress).await;
    drop(progress);
    if recovered? == Recovery::HandedOver {
        run.guard.rotation.place = place;
        return Ok(None);
    }
    let Destination::File { path } = &place else { return Ok(Some(OpenDestination::Person(answers.person.clone()))) };
    let file = match found {
        DestinationContent::Empty => SecretFile::create_or_take_empty(path),
        _ => SecretFile::create(path),
    };
    let other = Fix::OtherFile(run.guard.rotation.id.clone());
    file.map(|file| Some(OpenDestination::File(file))).map_err(|error| no_room(&error).fix(other))
}

/// Runs a rotation whose secret was handed over as far as possible.
async fn run_remaining(run: &mut Run<'_>, answers: &Answers) -> Result<(), Problem> {
    loop {
        match run.guard.rotation.next(clock::now()) {
            Next::Try => {
                let secret = match &answers.have {
                    SecretConfirmation::Secret(_, secret) => Some(secret.clone()),
                    _ => in_its_file(&run.guard.rotation),
                };
                run.secret = secret;
                match &answers.have {
                    SecretConfirmation::Said if run.secret.is_none() => {
                        said(run.session, &mut run.guard).await?;
                        let id = run.guard.rotation.successor().cloned().unwrap_or_default();
                        run.front.progress(RotationProgress::Said(id));
                        run.link().await?;
                    }
                    _ => run.prove().await?,
                }
            }
            Next::End => {
                let plan = check_end(run.session, &run.guard.rotation).await?;
                let id = run.guard.rotation.old.id.clone();
                let uses = last_use::of(run.session, std::slice::from_ref(&id)).await;
                if !run.front.confirm_end(&run.guard.rotation, plan, &uses) {
                    run.declined = true;
                    return Ok(());
                }
                return run.end().await;
            }
            Next::Wait(_) if run.guard.rotation.lineage == Lineage::Open => return run.link().await,
            Next::Make | Next::Wait(_) | Next::Nothing => return Ok(()),
        }
    }
}

/// Reads the successor's secret from its file; `None` if it went to no file, or the file does not hold it any more.
fn in_its_file(rotation: &Rotation) -> Option<Secret> {
    let Destination::File { path } = &rotation.place else { return None };
    let (id, secret) = destination::in_file(path).ok()??;
    (rotation.successor() == Some(&id)).then_some(secret)
}

fn untried(rotation: &Rotation) -> Problem {
    let successor = rotation.successor().cloned().unwrap_or_default();
    let place = rotation.place.words();
    let title = format!("The secret of {successor} was delivered to {place} and can't be tested from there");
    Problem::new(&title, "Nothing was invalidated")
        .hint("Provide the secret, or confirm that you have it")
        .fix(Fix::HaveSecret(rotation.id.clone()))
        .or(Fix::CancelRotation { id: rotation.id.clone(), keep_successor: false })
}

/// `true` if a rotation without a grace period ends its old key without another confirmation, because that was given at
/// its beginning: only if its successor signed in.
pub fn ends_at_once(rotation: &Rotation) -> bool {
    let is_live =
        matches!(rotation.state, State::Grace { tried: Tried::Live, .. } | State::Ending { tried: Tried::Live, .. });
    rotation.grace == TimeDelta::ZERO && is_live
}
