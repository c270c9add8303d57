//! Rotation tasks of the worker, and the folder that rotations are stored in. Rotations of the practice cluster are in
//! a folder of their own, which is deleted when the window closes.

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
            batch::{BatchFront, BatchItem},
            cancel_plans::CancelPlans,
            driver::{self, Answers, Outcome, RotationReport, SecretConfirmation},
            overview::{ClusterRotations, Planned},
        },
    },
    store::{
        connections::new_profile_id,
        rotation::{RotationGuard, Rotations},
    },
};

/// A rotation task.
#[derive(Debug)]
pub enum Rotate {
    /// Read the rotations of a cluster.
    Read,
    /// Plan the rotation of keys.
    Plan(Vec<KeyId>, RotationOptions),
    /// Plan the end of these rotations, and read when their old keys were last used.
    EndPlans(Vec<Rotation>),
    /// Plan the canceling of this rotation.
    CancelPlans(Box<Rotation>),
    /// Start a rotation, and create the successor whose secret will be shown.
    Start(Box<RotationPlan>, Consent),
    /// Continue after the secret was stored: try the secret, then go on.
    Kept(Box<RotationGuard>, Secret),
    /// Rotate several keys; their secrets go to files in this folder.
    Many(Vec<RotationPlan>, Consent, PathBuf),
    /// Resume the interrupted rotation with this id.
    Resume(String, SecretConfirmation),
    /// End the old keys of the rotations with these ids.
    End(Vec<String>),
    /// End the successor of the held rotation; the old key stays.
    Undo(Box<RotationGuard>),
    /// Cancel the rotation with this id; `true` leaves the successor valid.
    Cancel(String, bool),
}

impl Rotate {
    /// Returns `true` if the task changes a cluster, so that it must not be aborted midway.
    pub fn is_write(&self) -> bool {
        !matches!(self, Self::Read | Self::Plan(..) | Self::EndPlans(_) | Self::CancelPlans(_))
    }
}

/// Answer to a rotation task.
#[derive(Debug)]
pub enum Rotated {
    /// Rotations of a cluster.
    Read(Result<ClusterRotations, Problem>),
    /// Number of keys examined or settled so far.
    Counted(usize),
    /// Plans for keys to rotate.
    Planned(Result<Planned, Problem>),
    /// Plans of ending rotations.
    EndPlans(EndPlans),
    /// Plans of canceling a rotation.
    CancelPlans(Box<CancelPlans>),
    /// Progress of a rotation.
    Progress(RotationProgress),
    /// A successor whose secret is to be shown.
    Made(Result<Box<(RotationGuard, CreatedSuccessor)>, Problem>),
    /// State of a rotation after a step.
    After(Result<Box<RotationReport>, Problem>),
    /// Outcomes of several keys.
    Many(Result<Vec<BatchItem>, Problem>),
    /// Outcomes of the rotations that were to be ended.
    Ended(Result<Vec<EndOutcome>, Problem>),
    /// The successor was ended; on an error the returned guard still holds the rotation.
    Undone(Box<RotationGuard>, Result<(), Problem>),
    /// The canceled rotation, or why it was not canceled.
    Canceled(Result<Box<Rotation>, Problem>),
}

/// Plans of ending rotations, in the order of the rotations.
#[derive(Debug)]
pub struct EndPlans {
    /// A plan for each rotation, or the problem that would refuse its end.
    pub plans: Vec<Result<EndPlan, Problem>>,
    /// Last uses of the old keys, or why they are not known.
    pub uses: Result<Uses, NotKnown>,
}

/// Folders that rotations are stored in.
#[derive(Default)]
pub(super) struct Places {
    pub(super) own: Option<Rotations>,
    practice: Mutex<Option<PracticeFolder>>,
}

/// A temporary folder for the practice cluster's rotations, deleted on drop.
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
        return Answer::Rotating(without_folder(task));
    }
    let mut front = Window { reporter };
    let mut count = |number: usize| reporter.progress(Answer::Rotating(Rotated::Counted(number)));
    let rotations = &rotations;
    Answer::Rotating(match task {
        Rotate::Read => Rotated::Read(crate::ops::rotation::overview::here(session, rotations).await),
        Rotate::Plan(ids, options) => Rotated::Planned(
            crate::ops::rotation::overview::plans(session, rotations, &ids, &options, &mut count).await,
        ),
        Rotate::EndPlans(due) => {
            let ids: Vec<KeyId> = due.iter().map(|rotation| rotation.old.id.clone()).collect();
            let uses = last_use::of(session, &ids).await;
            Rotated::EndPlans(EndPlans { plans: crate::ops::rotation::batch::end_plans(session, &due).await, uses })
        }
        Rotate::CancelPlans(rotation) => {
            Rotated::CancelPlans(Box::new(crate::ops::rotation::cancel_plans::cancel_plans(session, &rotation).await))
        }
        Rotate::Start(plan, consent) => {
            let screen = OpenDestination::Person(Destination::Screen);
            rotated(driver::start(session, rotations, &plan, consent, screen, None, &mut front).await)
        }
        Rotate::Kept(guard, secret) => {
            Rotated::After(Ok(Box::new(driver::confirm_delivery(session, *guard, secret, &mut front).await)))
        }
        Rotate::Many(plans, consent, folder) => match crate::ops::rotation::batch::folder_for_secrets(&folder) {
            Ok(folder) => {
                let mut destination = |plan: &RotationPlan| crate::ops::rotation::batch::file_in(&folder, plan);
                let mut over = 0;
                let mut counted = |_: &BatchItem| {
                    over += 1;
                    count(over);
                };
                let front = BatchFront { interaction: &mut Quiet, over: &mut counted };
                Rotated::Many(Ok(crate::ops::rotation::batch::many(
                    session,
                    rotations,
                    &plans,
                    consent,
                    &mut destination,
                    stop,
                    front,
                )
                .await))
            }
            Err(problem) => Rotated::Many(Err(problem)),
        },
        Rotate::Resume(id, have) => rotated(match rotation::take(rotations, &id) {
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
            Rotated::Ended(
                crate::ops::rotation::batch::end_these(session, rotations, &ids, stop, &mut |_| (), &mut counted).await,
            )
        }
        Rotate::Undo(mut guard) => {
            let undone = rotation::cancel(session, &mut guard, false, &mut |one| front.progress(one)).await;
            Rotated::Undone(guard, undone.map(drop))
        }
        Rotate::Cancel(id, keep) => Rotated::Canceled(match rotation::take(rotations, &id) {
            Ok(mut guard) => {
                crate::ops::rotation::cancel_plans::cancel_rotation(session, &mut guard, keep, &mut |one| {
                    front.progress(one)
                })
                .await
                .map(Box::new)
            }
            Err(problem) => Err(problem),
        }),
    })
}

fn rotated(result: Result<Outcome, Problem>) -> Rotated {
    match result {
        Ok(Outcome::Shown(guard, made)) => Rotated::Made(Ok(Box::new((*guard, *made)))),
        Ok(Outcome::After(after)) => Rotated::After(Ok(after)),
        Err(problem) => Rotated::After(Err(problem)),
    }
}

/// The window as the front end of one rotation: secrets are shown on a card, and everything that needs confirmation was
/// confirmed in the dialog before.
struct Window<'a> {
    reporter: &'a Reporter,
}

impl Interaction for Window<'_> {
    fn progress(&mut self, report: RotationProgress) {
        self.reporter.progress(Answer::Rotating(Rotated::Progress(report)));
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

/// Answers a task with the problem that there is no folder for rotations: nothing can be started or resumed.
fn without_folder(task: Rotate) -> Rotated {
    let problem = crate::ops::rotation::overview::no_folder();
    match task {
        Rotate::Start(..) => Rotated::Made(Err(problem)),
        Rotate::Many(..) => Rotated::Many(Err(problem)),
        Rotate::End(_) => Rotated::Ended(Err(problem)),
        Rotate::Undo(guard) => Rotated::Undone(guard, Err(problem)),
        Rotate::Cancel(..) => Rotated::Canceled(Err(problem)),
        _ => Rotated::After(Err(problem)),
    }
}
