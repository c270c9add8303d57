//! Locking the window. At once nothing of any cluster is shown any more; what is being written finishes, and a key whose
//! secret nobody can have is invalidated. Then everything that was learned, typed or shown is dropped, except preferences.

use crate::{
    app::{Cloning, Command, Reveal, State, dialogs::secret_card::Copied, pending::Waiting},
    model::{
        Timestamp,
        api_key::{ApiKey, KeyId},
        connections::profile::ProfileId,
        lock::{LockReason, LockSignals},
        text::{number, sanitize},
    },
    ops::{
        Problem,
        connections::vault::ReadProfiles,
        create::twins_words,
        invalidate::InvalidationPlan,
        keys::key_set::KeySet,
        lock::{NotUnlocked, TypedSignIn},
    },
    store::lock_signals::SleepDelay,
    worker::{Answer, Rotate, Rotated, Task, Ticket},
};

/// The locked window.
pub struct Lock {
    /// Time since which it is locked.
    pub since: Timestamp,
    /// Reason why it was locked.
    pub reason: LockReason,
    /// `true` if a person has to sign in, because the keyring asks nobody.
    pub asks_sign_in: bool,
    /// Reason why it could not be unlocked.
    pub problem: Option<Problem>,
    is_wiped: bool,
    unlocking: Option<Ticket>,
    /// Connections that were open, in order.
    open: Vec<ProfileId>,
    /// Outcomes of keys that were invalidated because of the lock, and of operations that ended meanwhile: shown once it
    /// is unlocked.
    outcomes: Vec<String>,
}

impl Lock {
    /// Returns `true` if everything was dropped; before, what is being written finishes.
    pub fn is_wiped(&self) -> bool {
        self.is_wiped
    }

    /// Returns `true` while the keyring is asked.
    pub fn is_unlocking(&self) -> bool {
        self.unlocking.is_some()
    }

    pub(crate) fn fail(&mut self, ticket: Ticket) {
        if self.unlocking.take_if(|own| *own == ticket).is_some() {
            self.problem = Some(Problem::broken());
        }
    }
}

/// State of locking apart from the lock itself: signals of the desktop, idle time, and a lock that waits for a question.
#[derive(Default)]
pub struct Locking {
    /// Signals of the desktop that arrive here; `None` until they were looked for.
    pub signals: Option<LockSignals>,
    /// Time of the last input by keyboard or pointer.
    last_input: Option<Timestamp>,
    /// `true` if the window is locked as soon as the question about a secret was answered.
    is_wanted: bool,
    /// `true` until the views have dropped what was typed into them.
    wipes_views: bool,
    /// Delay of the computer's sleep until everything was dropped and a frame showed that.
    sleep: Option<SleepDelay>,
}

impl State {
    /// Returns the lock; `None` if the window is not locked.
    pub fn lock(&self) -> Option<&Lock> {
        self.lock.as_ref()
    }

    /// Notes that something was typed or pointed at.
    pub fn note_input(&mut self) {
        self.locking.last_input = Some(self.now);
    }

    /// Returns `true` once after the window was locked: the views drop what was typed into them.
    pub fn take_wipe(&mut self) -> bool {
        std::mem::take(&mut self.locking.wipes_views)
    }

    /// Returns the idle time after which the window is locked, in minutes: the user's, unless the rules of this computer
    /// allow only a shorter one; `None` for never.
    pub fn lock_after(&self) -> Option<u32> {
        self.policy().lock_after(self.settings.lock_after)
    }

    /// Sets the idle time after which the window is locked, if the rules of this computer allow it.
    pub(super) fn set_lock_after(&mut self, minutes: Option<u32>) {
        if self.policy().allows_idle(minutes) {
            self.change_settings(|settings| settings.lock_after = minutes);
        }
    }

    /// Returns the time at which the window is locked if nothing is typed or pointed at; `None` if it never is.
    pub(super) fn locks_at(&self) -> Option<Timestamp> {
        let minutes = self.lock_after().filter(|_| self.lock.is_none())?;
        let since = self.locking.last_input?;
        Some(since + crate::model::TimeDelta::from_secs(i64::from(minutes) * 60))
    }

    /// Locks the window if it has been idle for as long as the settings and the rules of this computer say.
    pub(super) fn lock_when_idle(&mut self) {
        // From the start, and after the clock was set back, the time runs from now on.
        if self.locking.last_input.is_none_or(|last| last > self.now) {
            self.locking.last_input = Some(self.now);
        }
        if self.locks_at().is_some_and(|at| at <= self.now) {
            let minutes = self.lock_after().unwrap_or_default();
            self.lock_now(LockReason::Idle(minutes));
        }
    }

    /// Locks the window because the user asked for it. A secret that nobody has stored is asked about first.
    pub(super) fn ask_lock(&mut self) {
        if self.lock.is_some() {
            return;
        }
        if self.creation.is_running() || self.dialogs.get::<Cloning>().is_some_and(Cloning::is_running) {
            return self.notice("A key is being created: lock once its secret is shown and saved");
        }
        let is_unsafe = |reveal: &Reveal| reveal.rotation.is_some() || !reveal.is_safe();
        // A card whose secret is kept makes room for the next one that waits.
        while self.waits_behind() && self.reveal.as_ref().is_some_and(|own| !is_unsafe(own)) {
            self.secret_gone();
        }
        if let Some(reveal) = self.reveal.as_mut().filter(|reveal| is_unsafe(reveal)) {
            reveal.asks = true;
            self.locking.is_wanted = true;
            return;
        }
        self.lock_now(LockReason::Asked);
    }

    /// Forgets that the window should be locked once the question about a secret was answered.
    pub(super) fn stay_unlocked(&mut self) {
        self.locking.is_wanted = false;
    }

    /// Locks the window, whatever is shown: nobody may be there to be asked.
    pub(super) fn lock_now(&mut self, reason: LockReason) {
        if self.lock.is_some() {
            return;
        }
        let open = self.clusters.iter().map(|cluster| cluster.profile.id.clone()).collect();
        self.lock = Some(Lock {
            since: self.now,
            reason,
            asks_sign_in: false,
            problem: None,
            is_wiped: false,
            unlocking: None,
            open,
            outcomes: Vec::new(),
        });
        self.locking.is_wanted = false;
        self.drop_name_question();
        self.drop_credential_questions();
        self.settle_lock();
    }

    /// Locks the window before the computer goes to sleep.
    pub(super) fn lock_before_sleep(&mut self, delay: SleepDelay) {
        // A window that was locked before has nothing to drop: then nothing is waited for.
        if self.lock.as_ref().is_none_or(|lock| !lock.is_wiped) {
            self.locking.sleep = Some(delay);
        }
        self.lock_now(LockReason::Sleep);
    }

    /// Returns `true` while the computer waits for the lock before it goes to sleep.
    pub fn delays_sleep(&self) -> bool {
        self.locking.sleep.is_some()
    }

    /// Lets the computer go to sleep if the window was locked, and everything dropped, before this frame.
    pub(super) fn let_sleep(&mut self) {
        if self.lock.as_ref().is_none_or(Lock::is_wiped) {
            self.locking.sleep = None;
        }
    }

    /// Continues locking: invalidates keys whose secret nobody has stored, waits for what is being written, and then drops
    /// everything.
    pub(super) fn settle_lock(&mut self) {
        let is_answered = self.reveal.as_ref().is_none_or(|own| own.rotation.is_none() && own.is_safe());
        if self.locking.is_wanted && is_answered && !self.waits_behind() {
            self.lock_now(LockReason::Asked);
        }
        if self.lock.as_ref().is_none_or(Lock::is_wiped) {
            return;
        }
        self.invalidate_unsaved();
        if self.under_way().is_none() && !self.pending.is_writing() {
            self.wipe();
        }
    }

    /// Invalidates each key whose secret is on a card, and was neither stored nor copied: nobody can have it. One that was
    /// copied is reported afterward. A rotation whose secret may be stored is paused: it can be resumed.
    fn invalidate_unsaved(&mut self) {
        let cards: Vec<Reveal> = self.reveal.take().into_iter().chain(self.next_secrets.drain(..)).collect();
        for mut card in cards {
            if card.kept.is_loading() {
                // What is being saved may be saved in a moment.
                self.show_secret(card);
                continue;
            }
            let name = sanitize::shortened(&card.name, 60);
            if let Some(words) = twins_words(&card.twins) {
                self.note_outcome(format!("“{name}”: {words}"));
            }
            let guard = card.rotation.as_mut().and_then(|successor| successor.guard.take());
            // The end of a successor that is on its way goes on by itself.
            if card.is_safe() || (card.rotation.is_some() && guard.is_none()) {
                continue;
            }
            if card.copied != Copied::Never {
                self.note_outcome(format!(
                    "The secret of “{name}” ({}) was copied before Keybearer locked, and not confirmed as saved: {}",
                    card.id,
                    match guard {
                        Some(_) => "its rotation is paused, and resumed or canceled on the Overview",
                        None => "invalidate the key if you don’t have it",
                    }
                ));
                continue;
            }
            let session = self.home_of(&card).ok().and_then(|home| home.session.value()).cloned();
            let Some(session) = session else {
                self.note_outcome(format!(
                    "The secret of “{name}” ({}) was not saved when Keybearer locked, and the connection was closed: \
                     invalidate the key",
                    card.id
                ));
                continue;
            };
            let session = Box::new(session);
            let task = match guard {
                Some(guard) => Task::Rotate(session, Rotate::Undo(guard)),
                None => {
                    let key = ApiKey { id: card.id.clone(), name: card.name.clone(), ..ApiKey::default() };
                    let cluster = Some(session.cluster());
                    let plan = KeySet::of_keys(&[key]).plan();
                    let plan = InvalidationPlan { cluster, own_key_too: true, managed_too: true, ..plan };
                    Task::Bulk(session, Box::new(plan))
                }
            };
            // The name of a protected connection was typed when the key was made, which this belongs to.
            self.submit(task.confirmed(), Waiting::LockInvalidation(card.id, name));
        }
    }

    /// Takes in the outcome of invalidating a key because of the lock.
    pub(super) fn invalidated_by_lock(&mut self, id: &KeyId, name: &str, answer: &Answer) {
        let is_done = match answer {
            Answer::BulkDone(outcome) => outcome.done.contains(id),
            Answer::Rotating(Rotated::Undone(_, result)) => result.is_ok(),
            _ => false,
        };
        self.note_outcome(match is_done {
            true => format!("“{name}” ({id}) was invalidated: its secret was not saved when Keybearer locked"),
            false => format!(
                "“{name}” ({id}) may still be valid: its secret was not saved when Keybearer locked, and it could not \
                 be invalidated"
            ),
        });
    }

    /// Notes what would be dropped unread: outcomes of operations that ended while the window was locked, and keys that
    /// a lost answer may have left.
    fn note_outcomes(&mut self) {
        let failed = |failed: usize| {
            let keys = number::plural(failed as u64, "key");
            format!("An operation ended while Keybearer was locked: {keys} failed or are not known. See the Journal")
        };
        let mut notes: Vec<String> = self.dialogs.failures().filter(|count| *count > 0).map(failed).collect();
        notes.extend(self.creation.problem.as_ref().map(Problem::words));
        let strays =
            self.creation.strays.iter().chain(self.dialogs.get::<Cloning>().into_iter().flat_map(|own| &own.strays));
        notes.extend(strays.map(|key| format!("“{}” ({}) may be a key whose secret nobody has", key.name, key.id)));
        notes.iter().for_each(|words| self.note_outcome(sanitize::shortened(words, 300)));
    }

    fn note_outcome(&mut self, words: String) {
        if let Some(lock) = &mut self.lock {
            lock.outcomes.push(words);
        }
    }

    /// Drops everything that was learned, typed or shown. What stays is named here.
    fn wipe(&mut self) {
        if self.clipboard.may_hold_ours() {
            self.clear_clipboard();
        }
        self.pending.reading().into_iter().for_each(|ticket| self.stop(ticket));
        let lists: Vec<_> = self.clusters.iter().filter_map(|cluster| cluster.keys.value().cloned()).collect();
        // A large list takes longer to drop than a frame.
        for list in lists {
            self.send(Task::LetGo(list));
        }
        self.send(Task::ForgetMemory);
        self.note_outcomes();
        let mut fresh = Self::new(self.now, self.zone.clone());
        std::mem::swap(&mut fresh.settings, &mut self.settings);
        std::mem::swap(&mut fresh.policy, &mut self.policy);
        std::mem::swap(&mut fresh.policy_refusal, &mut self.policy_refusal);
        std::mem::swap(&mut fresh.clipboard, &mut self.clipboard);
        std::mem::swap(&mut fresh.pending, &mut self.pending);
        std::mem::swap(&mut fresh.jobs, &mut self.jobs);
        // The window may have been asked to close meanwhile.
        std::mem::swap(&mut fresh.closing, &mut self.closing);
        std::mem::swap(&mut fresh.lock, &mut self.lock);
        std::mem::swap(&mut fresh.locking, &mut self.locking);
        std::mem::swap(&mut fresh.lock_outcomes, &mut self.lock_outcomes);
        // The practice cluster is started once, and is within this process.
        std::mem::swap(&mut fresh.sandbox, &mut self.sandbox);
        (fresh.tickets, fresh.settings_changed) = (self.tickets, self.settings_changed);
        if let Some(lock) = &mut fresh.lock {
            lock.is_wiped = true;
        }
        fresh.locking.wipes_views = true;
        *self = fresh;
    }

    pub(super) fn unlock(&mut self, typed: Option<Box<TypedSignIn>>) {
        let Some(lock) = self.lock.as_ref().filter(|lock| !lock.is_unlocking()) else { return };
        let ticket = self.submit(Task::Unlock(typed, lock.is_wiped), Waiting::Unlocking);
        if let Some(lock) = &mut self.lock {
            (lock.unlocking, lock.problem) = (Some(ticket), None);
        }
    }

    pub(super) fn unlocked(&mut self, ticket: Ticket, result: Result<ReadProfiles, NotUnlocked>) {
        let Some(lock) = self.lock.as_mut().filter(|lock| lock.unlocking == Some(ticket)) else { return };
        lock.unlocking = None;
        let read = match result {
            Ok(read) => read,
            Err(NotUnlocked::SignIn) => return lock.asks_sign_in = true,
            Err(NotUnlocked::Problem(problem)) => return lock.problem = Some(problem),
        };
        let Some(lock) = self.lock.take() else { return };
        self.locking.last_input = Some(self.now);
        self.lock_outcomes.extend(lock.outcomes);
        if !lock.is_wiped {
            // What was being written goes on, and everything is still there.
            return;
        }
        let known = read.profiles.iter().chain(self.sandbox.value());
        let open: Vec<_> = known.filter(|profile| lock.open.contains(&profile.id)).cloned().collect();
        self.profiles.ask(ticket);
        self.profiles.answer(ticket, Ok(read));
        self.check_journal();
        open.into_iter().for_each(|profile| self.handle(Command::Connect(Box::new(profile))));
    }

    /// Returns the outcomes that the last lock left: of keys that it invalidated, and of operations that ended meanwhile;
    /// empty once they were dismissed.
    pub fn lock_outcomes(&self) -> &[String] {
        &self.lock_outcomes
    }

    pub(super) fn dismiss_lock_outcomes(&mut self) {
        self.lock_outcomes.clear();
    }
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
