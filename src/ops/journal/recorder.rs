//! Recording operations in the journal: the intent before a request is sent, and its outcome afterwards, so that a
//! crash between the two can be seen.

use std::io::Read as _;

use serde_json::Value;

use crate::{
    client::ClientError,
    model::{
        api_key::KeyId,
        failure::Failure,
        journal::{Action, Entry, FailedKey, Origin, Read, Verdict},
    },
    ops::{Session, clock},
    store::journal::is_running,
};

/// Intent that was recorded and waits for its outcome.
#[derive(Debug)]
pub(crate) struct Intent<'a> {
    session: &'a Session,
    entry: Entry,
}

/// Outcome of an intent, to be recorded.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutcomeEntry {
    pub(crate) verdict: Verdict,
    /// Keys for which it was done.
    pub(crate) keys: Vec<KeyId>,
    /// Keys for which it was not seen to be done.
    pub(crate) failed: Vec<FailedKey>,
    pub(crate) reason: Option<String>,
}

impl OutcomeEntry {
    /// Builds the outcome from that of each key. If one of them is unknown, the whole outcome is unknown.
    pub(crate) fn of_outcomes(keys: Vec<KeyId>, failures: Vec<(KeyId, Failure)>) -> Self {
        let verdict = if failures.is_empty() {
            Verdict::Success
        } else if failures.iter().any(|(_, failure)| failure.is_unknown()) {
            Verdict::Unknown
        } else {
            Verdict::Failure
        };
        let failed = |(id, failure): (KeyId, Failure)| FailedKey {
            id: id.to_string(),
            reason: failure.to_string(),
            is_unknown: Some(failure.is_unknown()),
        };
        Self { verdict, keys, failed: failures.into_iter().map(failed).collect(), reason: None }
    }

    /// Builds the outcome of a request that was refused, or whose answer was lost; the latter is unknown.
    pub(crate) fn of_error(error: &ClientError, keys: &[KeyId]) -> Self {
        let reason = error.to_string();
        let is_lost = error.is_answer_lost();
        let verdict = if is_lost { Verdict::Unknown } else { Verdict::Failure };
        let failed = |id: &KeyId| FailedKey { id: id.to_string(), reason: reason.clone(), is_unknown: Some(is_lost) };
        let failed = keys.iter().map(failed).collect();
        Self { verdict, failed, reason: Some(reason), ..Self::default() }
    }
}

impl Session {
    /// Records an operation that is about to be done. An operation that can't be recorded is not done.
    ///
    /// # Errors
    /// [`ClientError::Policy`] when the rules of this computer allow no change, [`ClientError::NotSent`] when the journal
    /// can't be written.
    pub(crate) async fn intend(
        &self,
        action: Action,
        keys: &[KeyId],
        request: Option<Value>,
    ) -> Result<Intent<'_>, ClientError> {
        self.client.check_changes()?;
        let entry = self.entry(action, keys, request);
        self.write(entry.clone()).await.map_err(|error| {
            let place = self.journal.folder().map(|folder| folder.display().to_string()).unwrap_or_default();
            let is_by_rule = self.client.policy().rules().is_some_and(|rules| rules.journal_folder.is_some());
            let way_out = match error.kind() {
                std::io::ErrorKind::WouldBlock => "Let the other program finish, or stop it",
                _ if is_by_rule => {
                    "The rules of this computer require it there (rule journal.path): ask its administrator"
                }
                // Said by the journal itself, and not by the disk.
                std::io::ErrorKind::Other => "Choose another folder with KEYBEARER_JOURNAL",
                _ => "Free up space, fix its permissions, or choose another folder with KEYBEARER_JOURNAL",
            };
            ClientError::NotSent { reason: format!("the journal in {place} can’t be written ({error}). {way_out}") }
        })?;
        Ok(Intent { session: self, entry })
    }

    fn entry(&self, action: Action, keys: &[KeyId], request: Option<Value>) -> Entry {
        let endpoint = self.client.endpoint();
        let user = system_user();
        let origin = Origin {
            host: host(),
            system_user: user.name,
            system_user_id: user.id,
            login_user_id: login_user_id(),
            process: Some(std::process::id()),
            username: self.identity.username.clone(),
            realm: self.identity.realm.clone(),
            authentication_type: self.identity.authentication_type.clone(),
            own_key: self.own_key().cloned(),
            url: endpoint.url.to_string(),
            cluster: self.cluster_name.clone(),
            cluster_uuid: self.cluster_uuid.clone(),
        };
        Entry {
            at: clock::now(),
            id: fresh_id(),
            action,
            intent: None,
            verdict: Verdict::Unknown,
            origin,
            keys: keys.to_vec(),
            failed: Vec::new(),
            request,
            reason: None,
            torn: None,
            damage: None,
        }
    }

    /// Returns the intents that have no outcome, of any cluster: the ids in them show whose they are. Intents of
    /// another process that is still running are left out: it will write its outcomes itself. A journal that can't be
    /// read has none here; each verification reports that.
    pub(crate) async fn open_intents(&self) -> Vec<Read> {
        if self.journal.folder().is_none() {
            return Vec::new();
        }
        let journal = self.journal.clone();
        let read = tokio::task::spawn_blocking(move || journal.check(|_, _| ())).await;
        let Ok(Ok(mut report)) = read else { return Vec::new() };
        let (own, host) = (std::process::id(), host());
        report.open.retain(|intent| intent.process == Some(own) || is_running(intent, &host) != Some(true));
        report.open
    }

    /// Writes the outcome of an intent of an earlier run, which was found out later.
    pub(crate) async fn close_later(&self, action: Action, intent: &Read, closing: OutcomeEntry) {
        let entry = Entry { id: intent.id.clone(), ..self.entry(action, &[], None) };
        Intent { session: self, entry }.close(closing).await;
    }

    async fn write(&self, entry: Entry) -> std::io::Result<()> {
        if self.journal.folder().is_none() {
            return Ok(());
        }
        let journal = self.journal.clone();
        let work = tokio::task::spawn_blocking(move || journal.append(&entry));
        work.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }
}

impl Intent<'_> {
    /// Writes the outcome. The request was sent, so that a full disk can't undo it: then the intent stays open,
    /// which is reported at once and by each check of the journal.
    pub(crate) async fn close(self, closing: OutcomeEntry) {
        let entry = Entry {
            at: clock::now().max(self.entry.at),
            id: fresh_id(),
            intent: Some(self.entry.id.clone()),
            verdict: closing.verdict,
            keys: closing.keys,
            failed: closing.failed,
            reason: closing.reason,
            request: None,
            ..self.entry
        };
        let outcome = entry.verdict.word();
        if let Err(error) = self.session.write(entry).await {
            self.session.journal.report_lost_outcome(outcome, &error);
        }
    }
}

/// Returns a unique id, from the time and a random number of the system's hasher.
fn fresh_id() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let now = clock::now().as_millis();
    let random = RandomState::new().build_hasher().finish();
    format!("{now:011x}-{random:016x}")
}

pub(super) fn host() -> String {
    let from_file = || {
        let mut name = String::new();
        std::fs::File::open("/proc/sys/kernel/hostname").ok()?.take(256).read_to_string(&mut name).ok()?;
        Some(name.trim().to_owned())
    };
    let named = ["HOSTNAME", "COMPUTERNAME"].iter().find_map(|name| std::env::var(name).ok());
    from_file().or(named).unwrap_or_default()
}

/// The operating system's user that a process runs as.
#[derive(Debug, Default)]
pub(super) struct SystemUser {
    pub(super) name: String,
    id: Option<u32>,
}

/// The user that this process runs as, by the operating system and not by `$USER`, which anybody can set.
#[cfg(unix)]
pub(super) fn system_user() -> SystemUser {
    use nix::unistd::{Uid, User};
    let id = Uid::current();
    let user = User::from_uid(id).ok().flatten();
    SystemUser { name: user.map(|user| user.name).unwrap_or_default(), id: Some(id.as_raw()) }
}

/// The user that this process runs as, by the environment: Windows sets it at sign-in.
#[cfg(not(unix))]
pub(super) fn system_user() -> SystemUser {
    SystemUser { name: std::env::var("USERNAME").unwrap_or_default(), id: None }
}

/// The user that signed in, as Linux's audit records it. The largest number stands for none.
fn login_user_id() -> Option<u32> {
    let mut text = String::new();
    std::fs::File::open("/proc/self/loginuid").ok()?.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok().filter(|id| *id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_called_a_failure() {
        let outcome = |failures: &[Failure]| {
            let failed = failures.iter().map(|failure| (KeyId::new("k"), failure.clone())).collect();
            let closing = OutcomeEntry::of_outcomes(Vec::new(), failed);
            let values: Vec<Option<bool>> = closing.failed.iter().map(|failed| failed.is_unknown).collect();
            assert_eq!(values, failures.iter().map(|failure| Some(failure.is_unknown())).collect::<Vec<_>>());
            closing.verdict
        };
        assert_eq!(outcome(&[]), Verdict::Success);
        assert_eq!(outcome(&[Failure::Refused("not known: it only says so".into())]), Verdict::Failure);
        assert_eq!(
            outcome(&[Failure::Refused("no".into()), Failure::Unknown("the line broke".into())]),
            Verdict::Unknown
        );
    }
}
