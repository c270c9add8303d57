//! The rotation dialog: plans, progress and results; resuming a rotation, ending its old key, and canceling it.

use std::path::PathBuf;

use crate::{
    app::{Loadable, Screen, State},
    model::{
        DAY, Millis,
        api_key::KeyId,
        connections::profile::{Profile, ProfileId},
        rotation::{Next, Outlook, Rotation},
        secret::Secret,
        secret_text,
    },
    ops::{
        Problem, Session,
        rotation::{
            Consent, EndOutcome, EndPlan, Objection, RotationOptions, RotationPlan,
            batch::BatchItem,
            driver::{CancelPlans, Planned, RotationReport, SecretConfirmation},
        },
    },
    worker::{EndPlans, Rotate, Task, Ticket},
};

/// Number of keys from which on the confirmation has to be typed, inclusive.
pub const TYPED_FROM: usize = 10;

/// A step within the rotation dialog.
#[derive(Debug)]
pub enum RotationStep {
    /// Open the dialog, and plan the rotation of these keys.
    Ask(Vec<KeyId>),
    /// Plan again with this name and this expiration as typed; blank keeps those of the old key.
    Look(String, String),
    /// Set the grace period, in which both keys work, in milliseconds.
    Grace(Millis),
    /// Set whether the old key is compromised: then there is no grace period.
    Compromised(bool),
    /// Consent to a successor that belongs to the user who creates it, or withdraw the consent.
    OtherOwner(bool),
    /// Consent to rotating keys that a product made for itself, or withdraw the consent.
    Managed(bool),
    /// Consent to another successor although one works already, or withdraw the consent.
    Again(bool),
    /// Start the rotation as planned. The secrets of several keys go to new files in this folder.
    Begin(PathBuf),
    /// Confirm that the secret on the card was stored, and continue the rotation.
    Kept,
    /// End the successor on the card; the old key stays.
    Undo,
    /// Sign in again with the successor's secret after it did not work.
    TryAgain,
    /// Show what is needed to resume the rotation with this id.
    AskGoOn(ProfileId, String),
    /// Resume the rotation that is shown.
    GoOn(SecretAnswer),
    /// Show what canceling the rotation with this id would do.
    AskCancel(ProfileId, String),
    /// Set whether canceling leaves the successor valid.
    Keep(bool),
    /// Cancel the rotation that is shown.
    Cancel,
    /// Show which old key would be ended: that of the rotation with this id, or without an id those of all rotations
    /// that are due on the cluster.
    AskEnd(ProfileId, Option<String>),
    /// End the old keys that are shown.
    End,
    /// Stop: nothing more is started.
    Stop,
    /// Close the dialog.
    Close,
}

/// Answer about the secret of the successor of an interrupted rotation.
#[derive(Debug)]
pub enum SecretAnswer {
    /// No answer: the secret was never handed over, or the file that it was written to is to be read.
    Unsaid,
    /// The secret, as it was pasted.
    Pasted(Secret),
    /// The person states that they have the secret, without showing it.
    Said,
    /// The person does not have the secret.
    Not,
}

/// The rotation dialog of one cluster.
pub struct Rotating {
    /// Profile of the cluster.
    pub profile: Profile,
    /// Current content of the dialog.
    pub stage: Stage,
    /// Progress messages so far, oldest first.
    pub progress: Vec<String>,
    /// Number of keys that are settled, or examined while plans are made.
    pub counted: usize,
    /// `true` if the user asked to stop.
    pub stopping: bool,
    pub(crate) ticket: Option<Ticket>,
}

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
    GoOn(Box<Resuming>),
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
    /// Chosen grace period, in which both keys work, in milliseconds.
    pub grace: Millis,
    /// `true` if the old key is compromised: there is no grace period then.
    pub compromised: bool,
    /// Consent to objections of the plans.
    pub consent: Consent,
}

impl Ask {
    fn new(ids: Vec<KeyId>) -> Self {
        Self {
            ids,
            planned: Loadable::default(),
            name: String::new(),
            expiration: String::new(),
            grace: DAY,
            compromised: false,
            consent: Consent::default(),
        }
    }

    /// Returns `true` if exactly one key is to be rotated.
    pub fn is_single(&self) -> bool {
        self.ids.len() == 1
    }

    fn plans(&self) -> impl Iterator<Item = &RotationPlan> {
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

    /// Returns the effective grace period, in milliseconds; 0 if the old key is compromised.
    pub fn grace(&self) -> Millis {
        if self.compromised { 0 } else { self.grace }
    }

    /// Returns the reason why the rotation can't be started now; `None` if it can.
    pub fn obstacle(&self) -> Option<&'static str> {
        match self.plans().next() {
            _ if self.planned.is_loading() => Some("It is looked at first"),
            None => Some("There is nothing that can be rotated"),
            Some(_) if self.count() > 0 => None,
            Some(plan) if plan.successor_ends_within(self.grace()).is_some() => {
                Some("The successor would expire before the grace period is over")
            }
            Some(plan) if plan.changes_owner && !self.consent.other_owner => {
                Some("Tick that the successor may belong to you")
            }
            Some(plan) if plan.product().is_some() && !self.consent.managed_too => {
                Some("Tick that a key of another application is meant")
            }
            Some(_) => Some("Tick that another successor is meant"),
        }
    }

    /// Returns the text that has to be typed to confirm; `None` below [`TYPED_FROM`] keys.
    pub fn text_to_type(&self) -> Option<String> {
        let count = self.count();
        (count >= TYPED_FROM).then(|| format!("rotate {count}"))
    }
}

/// Several keys that are being rotated together.
pub struct Many {
    /// Ids and names of the old keys.
    pub keys: Vec<(KeyId, String)>,
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
            (true, _) => Some("It is looked at first"),
            (false, None) => Some("The end of none of them is allowed now"),
            (false, Some(_)) => None,
        }
    }

    /// Returns the text that has to be typed to confirm; `None` below [`TYPED_FROM`] keys.
    pub fn text_to_type(&self) -> Option<String> {
        let count = self.meant().count();
        (count >= TYPED_FROM).then(|| format!("invalidate {count}"))
    }
}

impl Rotating {
    pub(crate) fn new(profile: Profile, stage: Stage) -> Self {
        Self { profile, stage, progress: Vec::new(), counted: 0, stopping: false, ticket: None }
    }

    /// Returns `true` while a request that changes a cluster is running.
    pub fn is_running(&self) -> bool {
        self.ticket.is_some()
    }

    fn begin(&mut self, ticket: Ticket) {
        self.ticket = Some(ticket);
        (self.counted, self.stopping) = (0, false);
        self.progress.clear();
    }
}

impl State {
    pub(crate) fn rotate_step(&mut self, step: RotationStep) {
        match step {
            RotationStep::Ask(ids) => self.ask_rotate(ids),
            RotationStep::Look(name, expiration) => self.look_again(name, expiration),
            RotationStep::Grace(grace) => self.on_ask(|ask| ask.grace = grace),
            RotationStep::Compromised(on) => self.on_ask(|ask| ask.compromised = on),
            RotationStep::OtherOwner(on) => self.on_ask(|ask| ask.consent.other_owner = on),
            RotationStep::Managed(on) => self.on_ask(|ask| ask.consent.managed_too = on),
            RotationStep::Again(on) => self.on_ask(|ask| ask.consent.again = on),
            RotationStep::Begin(folder) => self.begin_rotating(folder),
            RotationStep::Kept => self.secret_kept(),
            RotationStep::Undo => self.undo_successor(),
            RotationStep::TryAgain => self.try_successor_again(),
            RotationStep::AskGoOn(profile, id) => {
                self.ask_about(&profile, &id, |rotation| Stage::GoOn(Box::new(Resuming { rotation, error: None })))
            }
            RotationStep::GoOn(having) => self.resume_rotation(having),
            RotationStep::AskCancel(profile, id) => {
                self.ask_cancel(&profile, &id, false);
            }
            RotationStep::Keep(on) => {
                if let Some(Stage::Cancel(canceling)) = self.idle_stage() {
                    canceling.keep = on;
                }
            }
            RotationStep::Cancel => self.cancel_rotation(),
            RotationStep::AskEnd(profile, id) => self.ask_end(&profile, id.as_deref()),
            RotationStep::End => self.end_rotations(),
            RotationStep::Stop => self.stop_rotating(),
            RotationStep::Close => {
                self.close_rotating();
                // A successor's secret may have been asked about because the window is to be closed.
                if self.rotating.is_none() {
                    self.resume_closing();
                }
            }
        }
    }

    /// Returns the content of the dialog; `None` while a request is running.
    fn idle_stage(&mut self) -> Option<&mut Stage> {
        self.rotating.as_mut().filter(|dialog| !dialog.is_running()).map(|dialog| &mut dialog.stage)
    }

    fn on_ask(&mut self, change: impl FnOnce(&mut Ask)) {
        if let Some(Stage::Ask(ask)) = self.idle_stage() {
            change(ask);
        }
    }

    /// Returns the session of the dialog's cluster. Notifies the user if the connection was closed.
    fn rotating_session(&mut self) -> Option<Box<Session>> {
        let id = self.rotating.as_ref()?.profile.id.clone();
        let session = self.clusters.iter().find(|cluster| cluster.profile.id == id)?.session.value().cloned();
        if session.is_none() {
            self.notice("The connection was closed: nothing was sent");
        }
        session.map(Box::new)
    }

    /// Submits a step that changes a cluster; the dialog waits for its answer.
    pub(crate) fn run_rotation(&mut self, session: Box<Session>, step: Rotate, stage: Stage) {
        let ticket = self.submit(Task::Rotate(session, step));
        if let Some(dialog) = &mut self.rotating {
            dialog.begin(ticket);
            dialog.stage = stage;
        }
    }

    fn ask_rotate(&mut self, ids: Vec<KeyId>) {
        if self.rotating.is_some() || ids.is_empty() {
            return;
        }
        let Some(cluster) = self.common_home(&ids) else {
            return self.notice("These keys belong to several clusters: select those of one at a time");
        };
        let profile = cluster.profile.clone();
        self.rotating = Some(Rotating::new(profile, Stage::Ask(Box::new(Ask::new(ids)))));
        self.look_again(String::new(), String::new());
    }

    fn look_again(&mut self, name: String, expiration: String) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::Ask(ask)) = self.idle_stage() else { return };
        let typed = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        let options = RotationOptions { name: typed(&name), expiration: typed(&expiration), grace: ask.grace() };
        let (ids, old) = (ask.ids.clone(), ask.planned.give_up());
        if let Some(old) = old {
            self.submit(Task::Stop(old));
        }
        let ticket = self.submit(Task::Rotate(session, Rotate::Plan(ids, options)));
        if let Some(dialog) = &mut self.rotating {
            dialog.counted = 0;
        }
        self.on_ask(|ask| {
            ask.planned.ask(ticket);
            (ask.name, ask.expiration) = (name, expiration);
        });
    }

    fn begin_rotating(&mut self, folder: PathBuf) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::Ask(ask)) = self.idle_stage() else { return };
        if ask.obstacle().is_some() {
            return;
        }
        let (grace, consent) = (ask.grace(), ask.consent);
        let mut plans: Vec<RotationPlan> = ask.plans().filter(|plan| ask.is_meant(plan)).cloned().collect();
        plans.iter_mut().for_each(|plan| plan.set_grace(grace));
        if ask.is_single() {
            let Some(plan) = plans.pop() else { return };
            let words =
                format!("Making the successor of {}", crate::model::text::sanitize::shortened(&plan.old.name, 60));
            return self.run_rotation(session, Rotate::Start(Box::new(plan), consent), Stage::Working(words));
        }
        let keys = plans.iter().map(|plan| (plan.old.id.clone(), plan.old.name.clone())).collect();
        let many = Many { keys, folder: folder.clone(), over: None };
        self.run_rotation(session, Rotate::Many(plans, consent, folder), Stage::Many(many));
    }

    /// Opens the dialog for a rotation that was read, unless one is open.
    fn ask_about(&mut self, profile: &ProfileId, id: &str, stage: impl FnOnce(Rotation) -> Stage) {
        let known = self.known_rotation(profile, id).filter(|_| self.rotating.is_none());
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == *profile);
        if let (Some(rotation), Some(cluster)) = (known, cluster) {
            self.rotating = Some(Rotating::new(cluster.profile.clone(), stage(rotation)));
        }
    }

    fn resume_rotation(&mut self, having: SecretAnswer) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::GoOn(asked)) = self.idle_stage() else { return };
        let id = asked.rotation.id.clone();
        let have = match having {
            SecretAnswer::Unsaid => SecretConfirmation::Unsaid,
            SecretAnswer::Said => SecretConfirmation::Said,
            SecretAnswer::Not => SecretConfirmation::Not,
            SecretAnswer::Pasted(text) => match of_the_successor(&text, &asked.rotation) {
                Ok(have) => have,
                Err(words) => return asked.error = Some(words),
            },
        };
        let words = "Resuming the rotation".to_owned();
        self.run_rotation(session, Rotate::GoOn(id, have), Stage::Working(words));
    }

    fn try_successor_again(&mut self) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::After(after)) = self.idle_stage() else { return };
        let Ok(RotationReport { rotation, secret, .. }) = &mut **after else { return };
        let (Some(secret), Some(successor)) = (secret.take(), rotation.successor().cloned()) else { return };
        let step = Rotate::GoOn(rotation.id.clone(), SecretConfirmation::Secret(successor, secret));
        self.run_rotation(session, step, Stage::Working("Signing in with the successor".into()));
    }

    fn cancel_rotation(&mut self) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::Cancel(canceling)) = self.idle_stage() else { return };
        let step = Rotate::Cancel(canceling.rotation.id.clone(), canceling.keep);
        self.run_rotation(session, step, Stage::Working("Canceling the rotation".into()));
    }

    /// Shows what canceling a rotation would do, and asks the cluster for the plans.
    fn ask_cancel(&mut self, profile: &ProfileId, id: &str, keep: bool) {
        self.ask_about(profile, id, |rotation| {
            Stage::Cancel(Box::new(Canceling { rotation, keep, looked: Loadable::default() }))
        });
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::Cancel(canceling)) = self.idle_stage() else { return };
        let rotation = Box::new(canceling.rotation.clone());
        let ticket = self.submit(Task::Rotate(session, Rotate::CancelPlans(rotation)));
        if let Some(Stage::Cancel(canceling)) = self.idle_stage() {
            canceling.looked.ask(ticket);
        }
    }

    fn ask_end(&mut self, profile: &ProfileId, id: Option<&str>) {
        if self.rotating.is_some() {
            return;
        }
        let mut rotations = self.due_on(profile);
        rotations.retain(|rotation| id.is_none_or(|id| rotation.id == id));
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == *profile);
        let Some(cluster) = cluster.filter(|_| !rotations.is_empty()) else {
            return self.notice("Nothing is due on this cluster");
        };
        let (profile, session) = (cluster.profile.clone(), cluster.session.value().cloned());
        let mut looked = Loadable::default();
        if let Some(session) = session {
            looked.ask(self.submit(Task::Rotate(Box::new(session), Rotate::EndPlans(rotations.clone()))));
        }
        let ending = EndingOldKeys { rotations, looked, over: None };
        self.rotating = Some(Rotating::new(profile, Stage::End(Box::new(ending))));
    }

    fn end_rotations(&mut self) {
        let Some(session) = self.rotating_session() else { return };
        let Some(dialog) = self.rotating.as_mut().filter(|dialog| !dialog.is_running()) else { return };
        let Stage::End(ending) = &mut dialog.stage else { return };
        if ending.over.is_some() || ending.obstacle().is_some() {
            return;
        }
        let ids: Vec<String> = ending.meant().map(|rotation| rotation.id.clone()).collect();
        // What would be refused was shown so, and is not part of it.
        ending.rotations.retain(|rotation| ids.contains(&rotation.id));
        ending.looked = Loadable::default();
        let ticket = self.submit(Task::Rotate(session, Rotate::End(ids)));
        if let Some(dialog) = &mut self.rotating {
            dialog.begin(ticket);
        }
    }

    fn stop_rotating(&mut self) {
        let Some(ticket) = self.rotating.as_ref().and_then(|dialog| dialog.ticket) else { return };
        self.submit(Task::Stop(ticket));
        if let Some(dialog) = &mut self.rotating {
            dialog.stopping = true;
        }
    }

    /// Closes the dialog, unless a request that changes a cluster is running.
    pub(crate) fn close_rotating(&mut self) {
        let Some(stage) = self.idle_stage() else { return };
        let question = match stage {
            Stage::Ask(ask) => ask.planned.give_up(),
            Stage::End(ending) => ending.looked.give_up(),
            Stage::Cancel(canceling) => canceling.looked.give_up(),
            _ => None,
        };
        if let Some(ticket) = question {
            self.submit(Task::Stop(ticket));
        }
        self.rotating = None;
    }

    /// Opens what a problem's fix leads to: resuming a rotation, ending its old key, or canceling it. The open dialog
    /// is closed first; while it is changing a cluster, nothing happens.
    pub(crate) fn rotation_fix(&mut self, id: &str, gives_up: Option<bool>) {
        if self.rotating.as_ref().is_some_and(Rotating::is_running) {
            return;
        }
        let shown = self.rotating.as_ref().map(|dialog| dialog.profile.id.clone());
        let profile = shown.or_else(|| self.cluster().map(|cluster| cluster.profile.id.clone()));
        let Some(profile) = profile else { return };
        let Some(rotation) = self.known_rotation(&profile, id) else {
            self.read_rotations(&profile);
            return self.notice("The rotations of this machine are read again: try it in a moment");
        };
        self.close_rotating();
        let outlook = self.outlook(&profile, &rotation);
        match gives_up {
            Some(keep) => self.ask_cancel(&profile, id, keep),
            None if outlook.is_due() => self.ask_end(&profile, Some(id)),
            None if matches!(outlook, Outlook::Next(Next::Make | Next::Try)) => {
                self.ask_about(&profile, id, |rotation| Stage::GoOn(Box::new(Resuming { rotation, error: None })));
            }
            None => self.show(Screen::Overview),
        }
    }

    pub(crate) fn end_planned(&mut self, ticket: Ticket, plans: Result<EndPlans, Problem>) {
        let now = self.now;
        if let Some(Stage::End(ending)) = self.rotating.as_mut().map(|dialog| &mut dialog.stage) {
            ending.looked.answer(ticket, plans, now);
        }
    }

    pub(crate) fn cancel_planned(&mut self, ticket: Ticket, plans: Result<CancelPlans, Problem>) {
        let now = self.now;
        if let Some(Stage::Cancel(canceling)) = self.rotating.as_mut().map(|dialog| &mut dialog.stage) {
            canceling.looked.answer(ticket, plans, now);
        }
    }
}

/// Returns the secret in the pasted text if it belongs to the successor.
fn of_the_successor(text: &Secret, rotation: &Rotation) -> Result<SecretConfirmation, String> {
    let candidates = secret_text::read(text).map_err(|error| error.to_string())?;
    let successor = rotation.successor().cloned().unwrap_or_default();
    match candidates.into_iter().find(|candidate| candidate.id == successor.as_str()) {
        Some(candidate) => Ok(SecretConfirmation::Secret(successor, candidate.secret)),
        None => Err(format!("That is the secret of another key than {successor}")),
    }
}
