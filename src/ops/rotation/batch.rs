//! Several rotations: successors into files, and old keys that are due.

use super::{Consent, EndOutcome, EndPlan, RotationPlan, RotationProgress, check_end, destination, end_all};
use crate::{
    model::{api_key::KeyId, rotation::Rotation},
    ops::{
        Fix, Problem, Session, clock,
        rotation::{
            driver::{Outcome, RotationReport, Run, start},
            interaction::{Interaction, OpenDestination},
            overview::{here, no_room},
        },
    },
    store::{connections::new_profile_id, own_files::make_folder, rotation::Rotations},
};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// Result for one of several keys that are rotated.
#[derive(Debug)]
pub struct BatchItem {
    /// Id of the old key.
    pub old: KeyId,
    /// Report of the rotation, or the reason why none was begun.
    pub result: Result<RotationReport, Problem>,
    /// File for the successor's secret; `None` if the secret goes to a person, or there is no such file.
    pub file: Option<PathBuf>,
}

impl BatchItem {
    /// Returns the problem that stopped the rotation or kept it from being begun; `None` if there was none.
    pub fn problem(&self) -> Option<&Problem> {
        match &self.result {
            Err(problem) => Some(problem),
            Ok(after) => after.problem.as_ref(),
        }
    }
}

/// Callback that receives each result as soon as it is known.
type Hearing<'a, T> = dyn FnMut(&T) + Send + 'a;

/// Receivers of what happens while several keys are rotated.
pub struct BatchFront<'a> {
    /// Receiver of the steps of each rotation, who also answers its questions.
    pub interaction: &'a mut dyn Interaction,
    /// Receiver of each result.
    pub over: &'a mut (dyn FnMut(&BatchItem) + Send + 'a),
}

/// Rotates several keys, one after the other, and delivers each secret to the destination that `destination` returns. A
/// failure of one does not stop the others, unless nobody is signed in at the provider any more. `stop` is checked between two keys; keys not begun are left unchanged.
/// `front` receives each result.
pub async fn many(
    session: &Session,
    rotations: &Rotations,
    plans: &[RotationPlan],
    consent: Consent,
    destination: &mut (dyn FnMut(&RotationPlan) -> Result<OpenDestination, Problem> + Send),
    stop: &AtomicBool,
    front: BatchFront<'_>,
) -> Vec<BatchItem> {
    let BatchFront { interaction, over } = front;
    let batch = (plans.len() > 1).then(|| new_profile_id().0);
    let mut all = Vec::new();
    for plan in plans {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let one = one_of(session, rotations, plan, consent, destination(plan), batch.as_deref(), interaction).await;
        over(&one);
        // The next ones would meet the same: they are left as they are until somebody has signed in again.
        let is_signed_out = one.problem().is_some_and(|problem| problem.fixes.contains(&Fix::SignIn));
        all.push(one);
        if is_signed_out {
            break;
        }
    }
    all
}

async fn one_of(
    session: &Session,
    rotations: &Rotations,
    plan: &RotationPlan,
    consent: Consent,
    destination: Result<OpenDestination, Problem>,
    batch: Option<&str>,
    front: &mut dyn Interaction,
) -> BatchItem {
    let old = plan.old.id.clone();
    let destination = match destination {
        Ok(destination) => destination,
        Err(problem) => return BatchItem { old, result: Err(problem), file: None },
    };
    let path = match &destination {
        OpenDestination::File(file) => Some(file.path().to_owned()),
        OpenDestination::Person(_) => None,
    };
    let result = match start(session, rotations, plan, consent, destination, batch, front).await {
        Ok(Outcome::After(after)) => Ok(*after),
        // Only one secret can be shown at a time: that of this one waits to be gone on with.
        Ok(Outcome::Shown(guard, _)) => Ok(Run::new(session, *guard, front).after(None)),
        Err(problem) => Err(problem),
    };
    BatchItem { old, result, file: path.filter(|path| path.exists()) }
}

/// Creates a new file in `folder` for the secret of a plan's successor, named by the old key's id.
///
/// # Errors
/// Returns an error if the id can't be a file name, and on any I/O error.
pub fn file_in(folder: &Path, plan: &RotationPlan) -> Result<OpenDestination, Problem> {
    let old = &plan.old.id;
    let name = destination::file_name(old).ok_or_else(|| {
        Problem::new(
            &format!("{old} can't be used as a file name"),
            "Rotate it separately, to a file with another name",
        )
    })?;
    OpenDestination::file(&folder.join(name)).map_err(|error| no_room(&error))
}

/// Creates a folder for the secrets of several successors if there is none, and returns its absolute path.
///
/// # Errors
/// Returns a problem if the folder does not exist and can't be created; nothing was begun then.
pub fn folder_for_secrets(folder: &Path) -> Result<PathBuf, Problem> {
    let folder = destination::absolute(folder).and_then(|folder| make_folder(&folder).map(|()| folder));
    folder.map_err(|error| {
        Problem::new("The folder does not exist and can't be created. Nothing was started", &error.to_string())
    })
}

/// Checks what ending each of these rotations would do now. Results are in the order of `rotations`, with the reason
/// for each that would be refused.
pub async fn end_plans(session: &Session, rotations: &[Rotation]) -> Vec<Result<EndPlan, Problem>> {
    let mut plans = Vec::new();
    for rotation in rotations {
        plans.push(check_end(session, rotation).await);
    }
    plans
}

/// Ends the old keys of those rotations in `ids` that are due on this cluster, one after the other; each of the others
/// gets a problem as its outcome. `each` receives each outcome.
///
/// # Errors
/// Returns a problem if the rotations that are due can't be determined.
pub async fn end_these(
    session: &Session,
    rotations: &Rotations,
    ids: &[String],
    stop: &AtomicBool,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
    each: &mut Hearing<'_, EndOutcome>,
) -> Result<Vec<EndOutcome>, Problem> {
    let here = here(session, rotations).await?;
    let due = here.due(clock::now());
    let (due, other): (Vec<String>, Vec<String>) =
        ids.iter().cloned().partition(|id| due.iter().any(|rotation| rotation.id == *id));
    let not_due = |id: String| {
        let result = Err(Problem::new(&format!("Rotation {id} is not due on this cluster"), ""));
        EndOutcome { id, result }
    };
    let mut outcomes: Vec<EndOutcome> = other.into_iter().map(not_due).collect();
    outcomes.iter().for_each(&mut *each);
    outcomes.extend(end_all(session, rotations, &due, stop, progress, each).await);
    Ok(outcomes)
}
