//! The secret of a new key, which is shown once: copied, tried, and stored or not. And the timer of the clipboard.

use std::path::PathBuf;

use serde_json::value::RawValue;

use crate::{
    app::{Cluster, DialogKind, Loadable, State, pending::Waiting, rotation::answers::Successor},
    client::CreatedKey,
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId, KeyKind},
        connections::{login, profile::Profile},
        create::CreateKey,
        secret::Secret,
    },
    ops::{Problem, secret::try_key::Trial},
    worker::{Task, Ticket},
};

/// Time that a secret stays on the clipboard.
pub const CLIPBOARD_TIME: TimeDelta = TimeDelta::from_secs(30);

/// State of copying a new secret. A copy on the clipboard never counts as stored, because nobody can see whether it was
/// pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Copied {
    /// Never copied.
    #[default]
    Never,
    /// On the clipboard now.
    OnClipboard,
    /// Copied, but no longer on the clipboard: it was cleared, or something else was copied since.
    Gone,
}

/// A key that was just created, with its secret.
pub struct Reveal {
    /// Id from the cluster.
    pub id: KeyId,
    /// Name of the key.
    pub name: String,
    /// Application id chosen by the key's creator.
    pub application_id: Option<String>,
    /// Expiration; `None` if the key never expires.
    pub expires: Option<Timestamp>,
    /// The secret, which is shown only once.
    pub secret: Secret,
    /// Doubts about the key: parts that differ from the request or are not known, one sentence each.
    pub doubts: Vec<String>,
    /// Other keys that the same request created; nobody knows their secrets.
    pub twins: Vec<KeyId>,
    /// Kind of the key, which decides what it can sign in to.
    pub kind: KeyKind,
    /// Connection that the key was created on.
    pub profile: Profile,
    /// Uuid of the cluster that the key was created on; `None` if it is not known.
    pub cluster_uuid: Option<String>,
    /// Result of signing in with the key.
    pub trial: Loadable<Trial>,
    /// Location that the secret was kept in or written to.
    pub kept: Loadable<String>,
    /// State of copying the secret to the clipboard.
    pub copied: Copied,
    /// `true` if the user asked to close the card although the secret may not be stored.
    pub asks: bool,
    /// Reason why the key could not be invalidated from its card.
    pub refusal: Option<String>,
    /// The rotation whose successor this key is.
    pub rotation: Option<Successor>,
    descriptors: Box<RawValue>,
}

impl Reveal {
    pub(crate) fn new(created: CreatedKey, request: &CreateKey, profile: &Profile) -> Self {
        let application_id = request.application_id().map(str::to_owned);
        Self::with(created, application_id, request.role_descriptors().to_owned(), profile)
    }

    pub(crate) fn with(
        created: CreatedKey,
        application_id: Option<String>,
        descriptors: Box<RawValue>,
        profile: &Profile,
    ) -> Self {
        Self {
            id: created.id,
            name: created.name,
            application_id,
            expires: created.expires,
            secret: created.secret,
            doubts: created.doubts,
            twins: created.twins,
            kind: KeyKind::Rest,
            profile: profile.clone(),
            cluster_uuid: None,
            trial: Loadable::default(),
            kept: Loadable::default(),
            copied: Copied::Never,
            asks: false,
            refusal: None,
            rotation: None,
            descriptors,
        }
    }

    /// `true` if the secret is in the keyring or in a file, so that closing loses nothing. The clipboard does not
    /// count: it is cleared after a time and when the program ends.
    pub fn is_safe(&self) -> bool {
        self.kept.value().is_some()
    }

    pub(crate) fn fail(&mut self, ticket: Ticket) {
        self.trial.answer(ticket, Err(Problem::broken()));
        self.kept.answer(ticket, Err(Problem::broken()));
        self.rotation.iter_mut().for_each(|successor| successor.fail(ticket));
    }
}

/// State of the clipboard: whether one of our secrets is on it, and until when.
#[derive(Default)]
pub struct Clipboard {
    until: Option<Timestamp>,
    /// Ticket of the copy job that is running, and the id of the key whose secret is copied.
    copying: Option<(Ticket, Option<KeyId>)>,
    clearing: Option<Ticket>,
    /// The secret, with the id of its key, that is copied as soon as the clipboard has been cleared.
    next: Option<(Secret, Option<KeyId>)>,
    /// `true` if the secret that is being copied is to be cleared right after.
    clears_next: bool,
    /// Reason why the last copy or clearing failed.
    pub problem: Option<Problem>,
}

impl Clipboard {
    /// Returns the time until the clipboard is cleared; `None` if no secret is on it.
    pub fn left(&self, now: Timestamp) -> Option<TimeDelta> {
        self.until.map(|until| (until - now).max(TimeDelta::ZERO))
    }

    /// Returns `true` if one of our secrets may be on the clipboard, also while it is being put there or cleared.
    pub fn may_hold_ours(&self) -> bool {
        self.until.is_some() || self.copying.is_some() || self.clearing.is_some() || self.next.is_some()
    }

    pub(crate) fn fail(&mut self, ticket: Ticket) {
        let copying = self.copying.take_if(|(own, _)| *own == ticket).is_some();
        if copying || self.clearing.take_if(|own| *own == ticket).is_some() {
            self.problem = Some(Problem::broken());
        }
    }

    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        // Also when the clock was set back: then the moment would be long in coming.
        self.copying.is_none() && self.until.is_some_and(|until| until <= now || until - now > CLIPBOARD_TIME)
    }

    pub(crate) fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let left = self.left(now)?;
        let rest = left % TimeDelta::SECOND;
        Some(now + if rest == TimeDelta::ZERO { left.min(TimeDelta::SECOND) } else { rest })
    }
}

impl State {
    /// Returns `true` if another secret waits to be shown after this one.
    pub(crate) fn waits_behind(&self) -> bool {
        !self.next_secrets.is_empty()
    }

    /// Returns all cards with secrets, the shown one first.
    pub(crate) fn secret_cards(&mut self) -> impl Iterator<Item = &mut Reveal> {
        self.reveal.iter_mut().chain(&mut self.next_secrets)
    }

    pub(crate) fn copy_secret(&mut self, text: Secret) {
        self.clipboard.problem = None;
        let key = self.reveal.as_ref().map(|reveal| reveal.id.clone());
        // One after the other: what is being cleared must not be what was copied after it.
        if self.clipboard.clearing.is_some() {
            self.clipboard.next = Some((text, key));
            return;
        }
        let ticket = self.submit(Task::Copy(text), Waiting::Clipboard);
        self.clipboard.copying = Some((ticket, key));
    }

    pub(crate) fn copied(&mut self, ticket: Ticket, result: Result<(), Problem>) {
        let Some((_, key)) = self.clipboard.copying.take_if(|(own, _)| *own == ticket) else { return };
        match result {
            Ok(()) => {
                self.clipboard.until = Some(self.now + CLIPBOARD_TIME);
                self.clipboard_left();
                // The card that was copied from may have made room for another by now.
                if let Some(reveal) = self.secret_cards().find(|reveal| Some(&reveal.id) == key.as_ref()) {
                    reveal.copied = Copied::OnClipboard;
                }
            }
            Err(problem) => self.clipboard.problem = Some(problem),
        }
        if std::mem::take(&mut self.clipboard.clears_next) {
            self.clear_clipboard();
        }
    }

    pub(crate) fn clear_clipboard(&mut self) {
        if self.clipboard.copying.is_some() {
            self.clipboard.clears_next = true;
            return;
        }
        self.clipboard.until = None;
        let ticket = self.submit(Task::ClearClipboard, Waiting::Clipboard);
        self.clipboard.clearing = Some(ticket);
    }

    /// Notes that none of our secrets is on the clipboard any more.
    fn clipboard_left(&mut self) {
        for reveal in self.secret_cards() {
            if reveal.copied == Copied::OnClipboard {
                reveal.copied = Copied::Gone;
            }
        }
    }

    pub(crate) fn cleared(&mut self, ticket: Ticket, result: Result<bool, Problem>) {
        if self.clipboard.clearing.take_if(|own| *own == ticket).is_none() {
            return;
        }
        self.clipboard.problem = None;
        match result {
            Ok(is_cleared) => {
                self.clipboard_left();
                self.notice(if is_cleared {
                    "Clipboard cleared"
                } else {
                    "Something else was on the clipboard, so it was not cleared"
                });
            }
            // It may still be there: told until it is gone, tried again, and once more when the program ends.
            Err(problem) => {
                self.clipboard.problem = Some(problem);
                self.clipboard.until = Some(self.now + CLIPBOARD_TIME);
            }
        }
        self.copy_next();
    }

    /// Copies the secret that waited until the clipboard was cleared.
    pub(crate) fn copy_next(&mut self) {
        if self.clipboard.clearing.is_none()
            && let Some((text, key)) = self.clipboard.next.take()
        {
            let ticket = self.submit(Task::Copy(text), Waiting::Clipboard);
            self.clipboard.copying = Some((ticket, key));
        }
    }

    pub(crate) fn try_key(&mut self) {
        let Some(reveal) = self.reveal.as_ref().filter(|reveal| reveal.kind == KeyKind::Rest) else { return };
        let endpoint = Box::new(reveal.profile.endpoint.clone());
        let task = Task::Try(endpoint, reveal.id.clone(), reveal.secret.clone(), Some(reveal.descriptors.clone()));
        let ticket = self.submit(task, Waiting::SecretCard);
        self.on_reveal(|reveal| reveal.trial.ask(ticket));
    }

    pub(crate) fn tried(&mut self, ticket: Ticket, result: Result<Trial, Problem>) {
        if let Some(reveal) = &mut self.reveal {
            reveal.trial.answer(ticket, result);
        }
    }

    pub(crate) fn keep_secret(&mut self) {
        let Some(reveal) = &self.reveal else { return };
        let task =
            Task::Keep(reveal.id.clone(), reveal.name.clone(), reveal.secret.clone(), reveal.cluster_uuid.clone());
        let ticket = self.submit(task, Waiting::SecretCard);
        self.on_reveal(|reveal| reveal.kept.ask(ticket));
    }

    pub(crate) fn write_secret(&mut self, path: PathBuf) {
        let Some(reveal) = &self.reveal else { return };
        let task = Task::Write(path, login::encode(reveal.id.as_str(), &reveal.secret));
        let ticket = self.submit(task, Waiting::SecretCard);
        self.on_reveal(|reveal| reveal.kept.ask(ticket));
    }

    pub(crate) fn kept(&mut self, ticket: Ticket, result: Result<String, Problem>) {
        let is_kept = result.is_ok();
        let Some(reveal) = &mut self.reveal else { return };
        // What closing asked about is settled, and the card stays: nothing closes unasked.
        if reveal.kept.answer(ticket, result) && is_kept && reveal.asks && reveal.rotation.is_none() {
            reveal.asks = false;
            self.stay_open();
        }
    }

    /// Returns the cluster that a new key was created on, if its session is open: at the same endpoint, and with the
    /// same uuid as far as it is known.
    ///
    /// # Errors
    /// The reason, as the beginning of a sentence.
    pub(crate) fn home_of(&self, reveal: &Reveal) -> Result<&Cluster, &'static str> {
        let open = self.clusters.iter().find(|cluster| cluster.profile.id == reveal.profile.id);
        let open = open.and_then(|cluster| Some((cluster, cluster.session.value()?)));
        let Some((cluster, session)) = open else { return Err("The connection was closed") };
        if !cluster.profile.endpoint.leads_where(&reveal.profile.endpoint) {
            return Err("The connection has changed since the key was created");
        }
        match (&session.cluster_uuid, &reveal.cluster_uuid) {
            (Some(now), Some(then)) if now != then => Err("A different cluster now responds at this address"),
            _ => Ok(cluster),
        }
    }

    pub(crate) fn close_secret(&mut self) {
        match &mut self.reveal {
            // That of a successor is closed by a word of its own.
            Some(reveal) if reveal.rotation.is_some() || !reveal.is_safe() => reveal.asks = true,
            _ => self.drop_secret(),
        }
    }

    /// Returns to the card; nothing is closed.
    pub(crate) fn go_back_to_secret(&mut self) {
        self.stay_open();
        self.on_reveal(|reveal| reveal.asks = false);
    }

    /// Ends a key whose secret nobody stored, like every other invalidation: by its id, with the intention in the
    /// journal first, and the key read again as proof. The card closes once that proof is there.
    pub(crate) fn invalidate_secret(&mut self) {
        if self.dialogs.is_open(DialogKind::Invalidate) {
            return;
        }
        let Some(reveal) = self.reveal.as_ref().filter(|reveal| reveal.rotation.is_none()) else { return };
        let cluster = match self.home_of(reveal) {
            Ok(cluster) => cluster,
            Err(why) => {
                let words =
                    format!("{why}: nothing was sent. Connect to the key’s cluster and invalidate the key in the list");
                return self.on_reveal(|reveal| reveal.refusal = Some(words));
            }
        };
        let key = cluster.key(&reveal.id).unwrap_or_else(|| ApiKey {
            id: reveal.id.clone(),
            name: reveal.name.clone(),
            kind: reveal.kind.clone(),
            created: cluster.now(self.now),
            expires: reveal.expires,
            role_descriptors: Some(reveal.descriptors.clone()),
            ..ApiKey::default()
        });
        let home = cluster.profile.id.clone();
        // The name of a protected connection was typed when the key was created, which this belongs to.
        self.as_confirmed(|state| state.invalidate_at_once(home, &key));
    }

    /// Removes the cards of keys that were invalidated and read again; their secrets are no longer worth keeping.
    pub(crate) fn secrets_ended(&mut self, done: &[KeyId]) {
        self.next_secrets.retain(|reveal| reveal.rotation.is_some() || !done.contains(&reveal.id));
        if self.reveal.as_ref().is_some_and(|reveal| reveal.rotation.is_none() && done.contains(&reveal.id)) {
            self.secret_gone();
        }
    }
}
