//! Plans of canceling a rotation, and canceling it.

use super::{CancelPlan, RotationProgress, cancel, check_cancel};
use crate::{
    model::rotation::Rotation,
    ops::{Problem, Session},
    store::rotation::RotationGuard,
};

/// Checks what canceling a rotation would do now, both with the successor invalidated and with the successor left
/// valid.
pub async fn cancel_plans(session: &Session, rotation: &Rotation) -> CancelPlans {
    CancelPlans {
        ending: check_cancel(session, rotation, false).await,
        keeping: check_cancel(session, rotation, true).await,
    }
}

/// Plans for both ways to cancel a rotation, or the reason why each would be refused.
#[derive(Clone, Debug)]
pub struct CancelPlans {
    /// Plan that invalidates the successor unless it has ended.
    pub ending: Result<CancelPlan, Problem>,
    /// Plan that leaves the successor valid.
    pub keeping: Result<CancelPlan, Problem>,
}

impl CancelPlans {
    /// Returns the plan that leaves the successor valid if `keep`, otherwise the one that invalidates it.
    pub fn of(&self, keep: bool) -> &Result<CancelPlan, Problem> {
        if keep { &self.keeping } else { &self.ending }
    }
}

/// Cancels a rotation that is locked, as [`cancel()`] does, and returns it.
///
/// # Errors
/// Returns the problems of [`cancel()`].
pub async fn cancel_rotation(
    session: &Session,
    guard: &mut RotationGuard,
    keep: bool,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<Rotation, Problem> {
    cancel(session, guard, keep, progress).await?;
    Ok(guard.rotation.clone())
}
