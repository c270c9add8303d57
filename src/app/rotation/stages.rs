//! Contents of the rotation dialog: plans, progress, outcomes, and what can be resumed, ended or canceled.

use std::path::PathBuf;

use crate::{
    app::{
        Loadable,
        dialogs::bulk_run::{self},
    },
    model::{
        TimeDelta,
        api_key::{ApiKey, KeyId},
        rotation::Rotation,
    },
    ops::{
        Problem,
        rotation::{
            Consent, EndOutcome, EndPlan, Objection, RotationPlan, batch::BatchItem, cancel_plans::CancelPlans,
            driver::RotationReport, overview::Planned,
        },
    },
    worker::EndPlans,
};

/// Content of the rotation dialog.
pub enum Stage {
    /// Plans of what would be created.
    Ask(Box<Ask>),
    /// Something is running for one rotation; the text names it.
    Working(String),
    /// State of one rotation after a step, or the problem that prevented the step.
    After(Box<Result<RotationReport, Problem>>),
    /// Several keys that are being rotated.
    Many(Many),
    /// An interrupted rotation that can be resumed.
    Resume(Box<Resuming>),
    /// A rotation that can be canceled.
    Cancel(Box<Canceling>),
    /// Outcome of canceling a rotation.
    Canceled(Box<Result<Rotation, Problem>>),
    /// Old keys that are due to be ended.
    End(Box<EndingOldKeys>),
}

/// Plans of a rotation, with the options that were chosen.
pub struct Ask {
    /// Keys to rotate.
    pub ids: Vec<KeyId>,
    /// Plans for the keys; loading while the worker makes them.
    pub planned: Loadable<Planned>,
    /// Name that the plans were made with, as typed; blank means the name of the old key.
    pub name: String,
    /// Expiration that the plans were made with, as typed; blank means the old key's lifetime.
    pub expiration: String,
    /// Chosen grace period, in which both keys work.
    pub grace: TimeDelta,
    /// `true` if the old key is compromised: there is no grace period then.
    pub compromised: bool,
    /// Consent to objections of the plans.
    pub consent: Consent,
}

impl Ask {
    pub(super) fn new(ids: Vec<KeyId>) -> Self {
        Self {
            ids,
            planned: Loadable::default(),
            name: String::new(),
            expiration: String::new(),
            grace: TimeDelta::DAY,
            compromised: false,
            consent: Consent::default(),
        }
    }

    /// Returns `true` if exactly one key is to be rotated.
    pub fn is_single(&self) -> bool {
        self.ids.len() == 1
    }

    pub(super) fn plans(&self) -> impl Iterator<Item = &RotationPlan> {
        self.planned.value().into_iter().flat_map(|planned| &planned.plans)
    }

    /// Counts the plans with this objection.
    pub fn count_of(&self, objection: Objection) -> usize {
        self.plans().filter(|plan| plan.objections(self.grace()).contains(&objection)).count()
    }

    /// Returns `true` if the consents that were given cover all objections of the plan.
    pub fn is_meant(&self, plan: &RotationPlan) -> bool {
        plan.check_with(self.consent, self.grace()).is_ok()
    }

    /// Counts the keys that would be rotated.
    pub fn count(&self) -> usize {
        self.plans().filter(|plan| self.is_meant(plan)).count()
    }

    /// Returns the effective grace period; zero if the old key is compromised.
    pub fn grace(&self) -> TimeDelta {
        if self.compromised { TimeDelta::ZERO } else { self.grace }
    }

    /// Returns the reason why the rotation can't be started now; `None` if it can.
    pub fn obstacle(&self) -> Option<&'static str> {
        match self.plans().next() {
            _ if self.planned.is_loading() => Some("Still checking"),
            None => Some("No keys can be rotated"),
            Some(_) if self.count() > 0 => None,
            Some(plan) if plan.successor_ends_within(self.grace()).is_some() => {
                Some("The successor would expire before the grace period ends")
            }
            Some(plan) if plan.changes_owner && !self.consent.other_owner => {
                Some("Confirm “Make me the owner of the successor”")
            }
            Some(plan) if plan.product().is_some() && !self.consent.managed_too => {
                Some("Confirm “Rotate keys of other applications too”")
            }
            Some(_) => Some("Confirm “Create another successor anyway”"),
        }
    }

    /// Returns the text that has to be typed to confirm; `None` below `TYPED_FROM` keys.
    pub fn text_to_type(&self) -> Option<String> {
        bulk_run::text_to_type("rotate", self.count())
    }
}

/// Several keys that are being rotated together.
pub struct Many {
    /// The old keys: id, name and owner.
    pub keys: Vec<ApiKey>,
    /// Folder for the files with the new secrets.
    pub folder: PathBuf,
    /// Outcome of each key, or the problem that prevented all of it; `None` while it is running.
    pub over: Option<Result<Vec<BatchItem>, Problem>>,
}

/// An interrupted rotation that can be resumed.
pub struct Resuming {
    /// The rotation as it was last read.
    pub rotation: Rotation,
    /// Reason why the pasted text was not accepted.
    pub error: Option<String>,
}

/// Old keys that are due to be ended.
pub struct EndingOldKeys {
    /// Rotations of these keys.
    pub rotations: Vec<Rotation>,
    /// Plans of ending each of them, with the last uses of the old keys.
    pub looked: Loadable<EndPlans>,
    /// Outcome of each rotation, or the problem that prevented all of it; `None` before the end of the run.
    pub over: Option<Result<Vec<EndOutcome>, Problem>>,
}

/// A rotation that can be canceled.
pub struct Canceling {
    /// The rotation as it was last read.
    pub rotation: Rotation,
    /// `true` to leave its successor valid.
    pub keep: bool,
    /// Plans of canceling it, computed from both keys as the cluster has them.
    pub looked: Loadable<CancelPlans>,
}

impl EndingOldKeys {
    /// Returns the plan of ending a rotation, or the problem that would refuse it; `None` until the cluster has
    /// answered.
    pub fn plan(&self, rotation: &Rotation) -> Option<&Result<EndPlan, Problem>> {
        let number = self.rotations.iter().position(|own| own.id == rotation.id)?;
        self.looked.value()?.plans.get(number)
    }

    /// Returns the rotations that would be ended: all but those whose end would be refused.
    pub fn meant(&self) -> impl Iterator<Item = &Rotation> {
        self.rotations.iter().filter(|rotation| !matches!(self.plan(rotation), Some(Err(_))))
    }

    /// Returns the reason why the old keys can't be ended now; `None` if they can.
    pub fn obstacle(&self) -> Option<&'static str> {
        match (self.looked.is_loading(), self.meant().next()) {
            (true, _) => Some("Still checking"),
            (false, None) => Some("None of them can be invalidated now"),
            (false, Some(_)) => None,
        }
    }

    /// Returns the text that has to be typed to confirm; `None` below `TYPED_FROM` keys.
    pub fn text_to_type(&self) -> Option<String> {
        bulk_run::text_to_type("invalidate", self.meant().count())
    }
}
