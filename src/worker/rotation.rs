//! Rotations: what the worker can be asked to do with them, and where they are written down. Those of the practice
//! cluster are in a folder of their own, which is gone when the window closes.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, atomic::AtomicBool},
};

use super::{Answer, Reporter};
use crate::{
    model::{
        api_key::KeyId,
        rotation::{Destination, Rotation},
        secret::Secret,
    },
    ops::{
        Problem, Session,
        keys::last_use::{self, NotKnown, Uses},
        rotation::{
            self, Consent, CreatedSuccessor, Delivery, EndOutcome, EndPlan, Interaction, OpenDestination,
            RotationOptions, RotationPlan, RotationProgress,
            driver::{
                self, Answers, BatchItem, CancelPlans, ClusterRotations, Outcome, Planned, RotationReport,
                SecretConfirmation,
            },
        },
    },
    store::{
        connections::new_profile_id,
        rotation::{RotationGuard, Rotations},
    },
};

/// What to do.
#[derive(Debug)]
pub enum Rotate {
    /// Read the rotations of a cluster.
    Read,
    /// Look at keys, and say what rotating them would make.
    Plan(Vec<KeyId>, RotationOptions),
    /// Look at what ending these would do, and when their old keys were last used.
    EndPlans(Vec<Rotation>),
    /// Look at what canceling this one would do.
    CancelPlans(Box<Rotation>),
    /// Begin, and make the successor whose secret will be shown.
    Start(Box<RotationPlan>, Consent),
    /// The secret was kept: try it, and go on.
    Kept(Box<RotationGuard>, Secret),
    /// Several keys, their secrets to files of a folder.
    Many(Vec<RotationPlan>, Consent, PathBuf),
    /// Go on after an interruption.
    GoOn(String, SecretConfirmation),
    /// End the old keys of these.
    End(Vec<String>),
    /// End the successor that is held; the old key stays.
    Undo(Box<RotationGuard>),
    /// Give up; whether the successor is left valid.
    Cancel(String, bool),
}

impl Rotate {
    /// Whether it changes a cluster, so that it may not be dropped half way.
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::Read | Self::Plan(..) | Self::EndPlans(_) | Self::CancelPlans(_))
    }
}

/// What became of it.
#[derive(Debug)]
pub enum Rotated {
    /// The rotations were read.
    Read(Result<ClusterRotations, Problem>),
    /// So many keys are looked at, or settled.
    Counted(usize),
    /// What would be made.
    Planned(Result<Planned, Problem>),
    /// What ending rotations would do.
    EndPlans(EndPlans),
    /// What canceling a rotation would do.
    CancelPlans(Box<CancelPlans>),
    /// What is told on the way.
    News(RotationProgress),
    /// A successor whose secret is to be shown.
    Made(Result<Box<(RotationGuard, CreatedSuccessor)>, Problem>),
    /// How far it has come.
    After(Result<Box<RotationReport>, Problem>),
    /// What became of several.
    Many(Result<Vec<BatchItem>, Problem>),
    /// What became of those that were to be ended.
    Ended(Result<Vec<EndOutcome>, Problem>),
    /// The successor was ended, or not; then it is held as before.
    Undone(Box<RotationGuard>, Result<(), Problem>),
    /// It was given up, or not.
    Canceled(Result<Box<Rotation>, Problem>),
}

/// What ending rotations would do, in their order.
#[derive(Debug)]
pub struct EndPlans {
    /// A plan for each, or why its end would be refused.
    pub plans: Vec<Result<EndPlan, Problem>>,
    /// When the old keys were last used, or why that is not known.
    pub uses: Result<Uses, NotKnown>,
}

/// Where rotations are written down.
#[derive(Default)]
pub(super) struct Places {
    pub(super) own: Option<Rotations>,
    practice: Mutex<Option<PracticeFolder>>,
}

/// A folder for what is forgotten with the practice cluster.
struct PracticeFolder(PathBuf);

impl Drop for PracticeFolder {
    fn drop(&mut self) {
        // What stays behind holds no secret, and is of a cluster that is no more.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Places {
    pub(super) fn of(&self, is_practice: bool) -> Option<Rotations> {
        if !is_practice {
            return self.own.clone();
        }
        let mut practice = self.practice.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = practice.get_or_insert_with(|| {
            PracticeFolder(std::env::temp_dir().join(format!("keybearer-practice-{}", new_profile_id().0)))
        });
        Some(Rotations::at(folder.0.clone()))
    }
}

pub(super) async fn run(
    session: &Session,
    places: Option<Rotations>,
    task: Rotate,
    reporter: &Reporter,
    stop: &AtomicBool,
) -> Answer {
    let rotations = places.unwrap_or_else(|| Rotations::at(PathBuf::new()));
    if task.is_write() && rotations.folder() == Path::new("") {
        return Answer::Rotating(nowhere(task));
    }
    let mut front = Window { reporter };
    let mut count = |number: usize| reporter.progress(Answer::Rotating(Rotated::Counted(number)));
    let rotations = &rotations;
    Answer::Rotating(match task {
        Rotate::Read => Rotated::Read(driver::here(session, rotations).await),
        Rotate::Plan(ids, options) => {
            Rotated::Planned(driver::plans(session, rotations, &ids, &options, &mut count).await)
        }
        Rotate::EndPlans(due) => {
            let ids: Vec<KeyId> = due.iter().map(|rotation| rotation.old.id.clone()).collect();
            let uses = last_use::of(session, &ids).await;
            Rotated::EndPlans(EndPlans { plans: driver::end_plans(session, &due).await, uses })
        }
        Rotate::CancelPlans(rotation) => Rotated::CancelPlans(Box::new(driver::cancel_plans(session, &rotation).await)),
        Rotate::Start(plan, consent) => {
            let destination = (OpenDestination::Person(Destination::Screen), None);
            came_to(driver::start(session, rotations, (&plan, consent), destination, &mut front).await)
        }
        Rotate::Kept(guard, secret) => {
            Rotated::After(Ok(Box::new(driver::confirm_delivery(session, *guard, secret, &mut front).await)))
        }
        Rotate::Many(plans, consent, folder) => match driver::folder_for_secrets(&folder) {
            Ok(folder) => {
                let mut destination = |plan: &RotationPlan| driver::file_in(&folder, plan);
                let mut over = 0;
                let mut counted = |_: &BatchItem| {
                    over += 1;
                    count(over);
                };
                let front: (&mut dyn Interaction, _) =
                    (&mut Quiet, &mut counted as &mut (dyn FnMut(&BatchItem) + Send));
                Rotated::Many(Ok(
                    driver::many(session, rotations, (&plans, consent), &mut destination, stop, front).await
                ))
            }
            Err(problem) => Rotated::Many(Err(problem)),
        },
        Rotate::GoOn(id, have) => came_to(match rotation::take(rotations, &id) {
            Ok(guard) => {
                let answers = Answers { have, file: None, person: Destination::Screen };
                driver::resume(session, guard, answers, &mut front).await
            }
            Err(problem) => Err(problem),
        }),
        Rotate::End(ids) => {
            let mut over = 0;
            let mut counted = |_: &EndOutcome| {
                over += 1;
                count(over);
            };
            Rotated::Ended(driver::end_these(session, rotations, &ids, stop, (&mut |_| (), &mut counted)).await)
        }
        Rotate::Undo(mut guard) => {
            let undone = rotation::cancel(session, &mut guard, false, &mut |one| front.progress(one)).await;
            Rotated::Undone(guard, undone.map(drop))
        }
        Rotate::Cancel(id, keep) => Rotated::Canceled(match rotation::take(rotations, &id) {
            Ok(mut guard) => {
                driver::cancel_rotation(session, &mut guard, keep, &mut |one| front.progress(one)).await.map(Box::new)
            }
            Err(problem) => Err(problem),
        }),
    })
}

fn came_to(result: Result<Outcome, Problem>) -> Rotated {
    match result {
        Ok(Outcome::Shown(guard, made)) => Rotated::Made(Ok(Box::new((*guard, *made)))),
        Ok(Outcome::After(after)) => Rotated::After(Ok(after)),
        Err(problem) => Rotated::After(Err(problem)),
    }
}

/// The window as the front end of one rotation: secrets are shown on a card, and what has to be confirmed was
/// confirmed in the dialog before.
struct Window<'a> {
    reporter: &'a Reporter,
}

impl Interaction for Window<'_> {
    fn progress(&mut self, report: RotationProgress) {
        self.reporter.progress(Answer::Rotating(Rotated::News(report)));
    }

    fn can_deliver(&mut self) -> bool {
        true
    }

    fn deliver(&mut self, _rotation: &Rotation, _made: &CreatedSuccessor) -> Delivery {
        Delivery::Shown
    }

    fn confirm_end(&mut self, rotation: &Rotation, _plan: EndPlan, _uses: &Result<Uses, NotKnown>) -> bool {
        driver::ends_at_once(rotation)
    }
}

/// The window as the front end of many rotations, whose secrets go to files.
struct Quiet;

impl Interaction for Quiet {
    fn progress(&mut self, _progress: RotationProgress) {}

    fn can_deliver(&mut self) -> bool {
        false
    }

    fn deliver(&mut self, _rotation: &Rotation, _made: &CreatedSuccessor) -> Delivery {
        Delivery::Failed("there is no card for the secret".into())
    }

    fn confirm_end(&mut self, rotation: &Rotation, _plan: EndPlan, _uses: &Result<Uses, NotKnown>) -> bool {
        driver::ends_at_once(rotation)
    }
}

/// Without a place nothing is begun, and nothing can be gone on with.
fn nowhere(task: Rotate) -> Rotated {
    let problem = driver::nowhere();
    match task {
        Rotate::Start(..) => Rotated::Made(Err(problem)),
        Rotate::Many(..) => Rotated::Many(Err(problem)),
        Rotate::End(_) => Rotated::Ended(Err(problem)),
        Rotate::Undo(guard) => Rotated::Undone(guard, Err(problem)),
        Rotate::Cancel(..) => Rotated::Canceled(Err(problem)),
        _ => Rotated::After(Err(problem)),
    }
}
