//! The rotation dialog: plans, progress and results; resuming a rotation, ending its old key, and canceling it.

use crate::app::rotation::stages::{Ask, Canceling, EndingOldKeys, Many, Resuming, Stage};
use std::path::PathBuf;

use crate::{
    app::{
        Loadable, Screen, State,
        dialogs::{
            DialogContent, DialogKind,
            bulk_run::{Outcomes, Run},
        },
        pending::Waiting,
    },
    model::{
        TimeDelta,
        api_key::{ApiKey, KeyId, Owner},
        connections::profile::{Profile, ProfileId},
        rotation::{Next, OldKey, Outlook, Rotation},
        secret::Secret,
        secret_text,
    },
    ops::{
        Problem, Session,
        keys::{export::Exported, key_set::KeySet},
        rotation::{
            RotationOptions, RotationPlan,
            cancel_plans::CancelPlans,
            driver::{RotationReport, SecretConfirmation},
            outcomes,
        },
    },
    worker::{EndPlans, Rotate, Task, Ticket},
};

/// A step within the rotation dialog.
#[derive(Debug)]
pub enum RotationStep {
    /// Open the dialog, and plan the rotation of these keys.
    Ask(Vec<KeyId>),
    /// Plan again with this name and this expiration as typed; blank keeps those of the old key.
    Look(String, String),
    /// Set the grace period, in which both keys work.
    Grace(TimeDelta),
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
    AskResume(ProfileId, String),
    /// Resume the rotation that is shown.
    Resume(SecretAnswer),
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
}

impl RotationStep {
    /// Returns `true` if the step begins to send changes of keys. What follows the secret on the card belongs to the
    /// operation that was begun.
    pub(crate) fn changes_keys(&self) -> bool {
        matches!(self, Self::Begin(_) | Self::TryAgain | Self::Resume(_) | Self::Cancel | Self::End)
    }
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
    /// Job that changes the cluster.
    pub run: Run,
    /// File with the outcomes of many keys, if it was exported.
    pub exported: Loadable<Exported>,
}

impl Rotating {
    pub(crate) fn new(profile: Profile, stage: Stage) -> Self {
        Self { profile, stage, progress: Vec::new(), counted: 0, run: Run::default(), exported: Loadable::default() }
    }

    /// Returns `true` while a request that changes a cluster is running.
    pub fn is_running(&self) -> bool {
        self.run.is_running()
    }

    fn begin(&mut self, ticket: Ticket) {
        self.run.begin(ticket);
        self.counted = 0;
        self.progress.clear();
    }
}

impl DialogContent for Rotating {
    fn blocks_closing(&self) -> Option<&'static str> {
        self.is_running().then_some("Keys are being rotated: stop this first, or wait")
    }

    fn profile(&self) -> Option<&Profile> {
        Some(&self.profile)
    }

    fn fail(&mut self, ticket: Ticket) {
        match &mut self.stage {
            Stage::Ask(ask) => drop(ask.planned.answer(ticket, Err(Problem::broken()))),
            Stage::End(ending) => drop(ending.looked.answer(ticket, Err(Problem::broken()))),
            Stage::Cancel(canceling) => drop(canceling.looked.answer(ticket, Err(Problem::broken()))),
            _ => {}
        }
        self.exported.answer(ticket, Err(Problem::broken()));
        if self.run.end(ticket) {
            // Successors may have been created and old keys invalidated: only the cluster can tell.
            self.stage = Stage::After(Box::new(Err(Problem::broken())));
        }
    }

    fn run(&self) -> Option<&Run> {
        Some(&self.run)
    }

    fn outcomes(&self) -> Option<Outcomes> {
        let (rows, keys) = match &self.stage {
            Stage::Many(Many { keys, over: Some(Ok(items)), .. }) => {
                (outcomes::of_batch(keys.iter().map(|key| &key.id), items), keys.clone())
            }
            Stage::End(ending) => (
                outcomes::of_end(&ending.rotations, ending.over.as_ref()?.as_ref().ok()?),
                ending.rotations.iter().map(|rotation| old_key(&rotation.old)).collect(),
            ),
            _ => return None,
        };
        Some(Outcomes { rows, list: KeySet::of_keys(&keys).list().clone() })
    }

    fn exported_mut(&mut self) -> Option<&mut Loadable<Exported>> {
        Some(&mut self.exported)
    }

    fn run_mut(&mut self) -> Option<&mut Run> {
        Some(&mut self.run)
    }

    fn take_requests(&mut self) -> Vec<Ticket> {
        let request = match &mut self.stage {
            Stage::Ask(ask) => ask.planned.give_up(),
            Stage::End(ending) => ending.looked.give_up(),
            Stage::Cancel(canceling) => canceling.looked.give_up(),
            _ => None,
        };
        request.into_iter().collect()
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
            RotationStep::AskResume(profile, id) => {
                self.ask_about(&profile, &id, |rotation| Stage::Resume(Box::new(Resuming { rotation, error: None })))
            }
            RotationStep::Resume(answer) => self.resume_rotation(answer),
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
            RotationStep::Stop => self.stop_run(DialogKind::Rotate),
        }
    }

    /// Returns the content of the dialog; `None` while a request is running.
    fn idle_stage(&mut self) -> Option<&mut Stage> {
        let dialog = self.dialogs.get_mut::<Rotating>().filter(|dialog| !dialog.is_running());
        dialog.map(|dialog| &mut dialog.stage)
    }

    fn on_ask(&mut self, change: impl FnOnce(&mut Ask)) {
        if let Some(Stage::Ask(ask)) = self.idle_stage() {
            change(ask);
        }
    }

    /// Returns the session of the dialog's cluster. Notifies the user if the connection was closed.
    fn rotating_session(&mut self) -> Option<Box<Session>> {
        let id = self.dialogs.get::<Rotating>()?.profile.id.clone();
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == id);
        let session = cluster.and_then(|cluster| cluster.session.value()).cloned();
        if session.is_none() {
            self.notice("The connection was closed: nothing was sent");
        }
        session.map(Box::new)
    }

    /// Submits a step that changes a cluster; the dialog waits for its answer.
    pub(crate) fn run_rotation(&mut self, session: Box<Session>, step: Rotate, stage: Stage) {
        let ticket = self.submit(Task::Rotate(session, step), Waiting::Dialog(DialogKind::Rotate));
        if let Some(dialog) = self.dialogs.get_mut::<Rotating>() {
            dialog.begin(ticket);
            dialog.stage = stage;
        }
    }

    fn ask_rotate(&mut self, ids: Vec<KeyId>) {
        if self.dialogs.is_open(DialogKind::Rotate) || ids.is_empty() {
            return;
        }
        let Some(cluster) = self.common_home(&ids) else {
            return self.notice("These keys belong to several clusters: select keys of one cluster at a time");
        };
        let profile = cluster.profile.clone();
        self.dialogs.open(Rotating::new(profile, Stage::Ask(Box::new(Ask::new(ids)))));
        self.look_again(String::new(), String::new());
    }

    fn look_again(&mut self, name: String, expiration: String) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::Ask(ask)) = self.idle_stage() else { return };
        let typed = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
        let options = RotationOptions { name: typed(&name), expiration: typed(&expiration), grace: ask.grace() };
        let (ids, old) = (ask.ids.clone(), ask.planned.give_up());
        if let Some(old) = old {
            self.stop(old);
        }
        let task = Task::Rotate(session, Rotate::Plan(ids, options));
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::Rotate));
        if let Some(dialog) = self.dialogs.get_mut::<Rotating>() {
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
                format!("Creating the successor of {}", crate::model::text::sanitize::shortened(&plan.old.name, 60));
            return self.run_rotation(session, Rotate::Start(Box::new(plan), consent), Stage::Working(words));
        }
        let old = |key: &ApiKey| ApiKey {
            id: key.id.clone(),
            name: key.name.clone(),
            owner: key.owner.clone(),
            ..ApiKey::default()
        };
        let keys = plans.iter().map(|plan| old(&plan.old)).collect();
        let many = Many { keys, folder: folder.clone(), over: None };
        self.run_rotation(session, Rotate::Many(plans, consent, folder), Stage::Many(many));
    }

    /// Opens the dialog for a rotation that was read, unless one is open.
    fn ask_about(&mut self, profile: &ProfileId, id: &str, stage: impl FnOnce(Rotation) -> Stage) {
        let known = self.known_rotation(profile, id).filter(|_| !self.dialogs.is_open(DialogKind::Rotate));
        let cluster = self.clusters.iter().find(|cluster| cluster.profile.id == *profile);
        if let (Some(rotation), Some(cluster)) = (known, cluster) {
            let dialog = Rotating::new(cluster.profile.clone(), stage(rotation));
            self.dialogs.open(dialog);
        }
    }

    fn resume_rotation(&mut self, answer: SecretAnswer) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::Resume(asked)) = self.idle_stage() else { return };
        let id = asked.rotation.id.clone();
        let have = match answer {
            SecretAnswer::Unsaid => SecretConfirmation::Unsaid,
            SecretAnswer::Said => SecretConfirmation::Said,
            SecretAnswer::Not => SecretConfirmation::Not,
            SecretAnswer::Pasted(text) => match of_the_successor(&text, &asked.rotation) {
                Ok(have) => have,
                Err(words) => return asked.error = Some(words),
            },
        };
        let words = "Resuming the rotation".to_owned();
        self.run_rotation(session, Rotate::Resume(id, have), Stage::Working(words));
    }

    fn try_successor_again(&mut self) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::After(after)) = self.idle_stage() else { return };
        let Ok(RotationReport { rotation, secret, .. }) = &mut **after else { return };
        let (Some(secret), Some(successor)) = (secret.take(), rotation.successor().cloned()) else { return };
        let step = Rotate::Resume(rotation.id.clone(), SecretConfirmation::Secret(successor, secret));
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
        let task = Task::Rotate(session, Rotate::CancelPlans(rotation));
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::Rotate));
        if let Some(Stage::Cancel(canceling)) = self.idle_stage() {
            canceling.looked.ask(ticket);
        }
    }

    fn ask_end(&mut self, profile: &ProfileId, id: Option<&str>) {
        if self.dialogs.is_open(DialogKind::Rotate) {
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
            let task = Task::Rotate(Box::new(session), Rotate::EndPlans(rotations.clone()));
            looked.ask(self.submit(task, Waiting::Dialog(DialogKind::Rotate)));
        }
        let ending = EndingOldKeys { rotations, looked, over: None };
        self.dialogs.open(Rotating::new(profile, Stage::End(Box::new(ending))));
    }

    fn end_rotations(&mut self) {
        let Some(session) = self.rotating_session() else { return };
        let Some(Stage::End(ending)) = self.idle_stage() else { return };
        if ending.over.is_some() || ending.obstacle().is_some() {
            return;
        }
        let ids: Vec<String> = ending.meant().map(|rotation| rotation.id.clone()).collect();
        // What would be refused was shown so, and is not part of it.
        ending.rotations.retain(|rotation| ids.contains(&rotation.id));
        ending.looked = Loadable::default();
        let task = Task::Rotate(session, Rotate::End(ids));
        let ticket = self.submit(task, Waiting::Dialog(DialogKind::Rotate));
        if let Some(dialog) = self.dialogs.get_mut::<Rotating>() {
            dialog.begin(ticket);
        }
    }

    /// Opens what a problem's fix leads to: resuming a rotation, ending its old key, or canceling it. The open dialog
    /// is closed first; while it is changing a cluster, nothing happens.
    pub(crate) fn rotation_fix(&mut self, id: &str, gives_up: Option<bool>) {
        if self.dialogs.get::<Rotating>().is_some_and(Rotating::is_running) {
            return;
        }
        let shown = self.dialogs.get::<Rotating>().map(|dialog| dialog.profile.id.clone());
        let profile = shown.or_else(|| self.cluster().map(|cluster| cluster.profile.id.clone()));
        let Some(profile) = profile else { return };
        let Some(rotation) = self.known_rotation(&profile, id) else {
            self.read_rotations(&profile);
            return self.notice("The rotations on this machine are being reloaded: try again in a moment");
        };
        self.close_dialog(DialogKind::Rotate);
        let outlook = self.outlook(&profile, &rotation);
        match gives_up {
            Some(keep) => self.ask_cancel(&profile, id, keep),
            None if outlook.is_due() => self.ask_end(&profile, Some(id)),
            None if matches!(outlook, Outlook::Next(Next::Make | Next::Try)) => {
                self.ask_about(&profile, id, |rotation| Stage::Resume(Box::new(Resuming { rotation, error: None })));
            }
            None => self.show(Screen::Overview),
        }
    }

    pub(crate) fn end_planned(&mut self, ticket: Ticket, plans: Result<EndPlans, Problem>) {
        if let Some(Stage::End(ending)) = self.dialogs.get_mut::<Rotating>().map(|dialog| &mut dialog.stage) {
            ending.looked.answer(ticket, plans);
        }
    }

    pub(crate) fn cancel_planned(&mut self, ticket: Ticket, plans: Result<CancelPlans, Problem>) {
        if let Some(Stage::Cancel(canceling)) = self.dialogs.get_mut::<Rotating>().map(|dialog| &mut dialog.stage) {
            canceling.looked.answer(ticket, plans);
        }
    }
}

/// Returns what a rotation knows of its old key.
fn old_key(old: &OldKey) -> ApiKey {
    let owner = Owner { username: old.owner.username.clone(), realm: old.owner.realm.clone() };
    ApiKey { id: old.id.clone(), name: old.name.clone(), owner, ..ApiKey::default() }
}

/// Returns the secret in the pasted text if it belongs to the successor.
fn of_the_successor(text: &Secret, rotation: &Rotation) -> Result<SecretConfirmation, String> {
    let candidates = secret_text::read(text).map_err(|error| error.to_string())?;
    let successor = rotation.successor().cloned().unwrap_or_default();
    match candidates.into_iter().find(|candidate| candidate.id == successor.as_str()) {
        Some(candidate) => Ok(SecretConfirmation::Secret(successor, candidate.secret)),
        None => Err(format!("This is not the secret of {successor}")),
    }
}
