//! Operations as a person looks for them: the intent and the outcome that the journal records for a request are put
//! together into one operation.

use std::{borrow::Cow, collections::HashMap};

use super::{FailedKey, Read};
use crate::model::{Timestamp, text::number, time::calendar};

/// Outcome of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationOutcome {
    /// Operation carried out as a whole.
    Success,
    /// Operation that was not carried out, or only in part.
    Failure,
    /// Outcome not known for all keys, because the response was lost.
    Unknown,
    /// Operation without a recorded outcome: the program was stopped before it wrote one, or the operation is still
    /// running.
    Open,
}

impl OperationOutcome {
    /// Returns the label shown to people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Unknown => "not known",
            Self::Open => "no outcome",
        }
    }

    fn of(outcome: &str) -> Self {
        match outcome {
            "success" => Self::Success,
            "failure" => Self::Failure,
            _ => Self::Unknown,
        }
    }
}

/// Request that was carried out or attempted, put together from its journal entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Time at which the operation began; `None` if the recorded time can't be read.
    pub at: Option<Timestamp>,
    /// Time at which the operation began, as the journal records it.
    pub written_at: String,
    /// Value of `event.action`, such as `api-key-create`.
    pub action: String,
    /// Outcome of the operation.
    pub ending: OperationOutcome,
    /// Name of the user that was signed in to the cluster.
    pub user: String,
    /// Realm of that user.
    pub realm: String,
    /// Name of the operating system's user that the program ran as.
    pub system_user: String,
    /// Name of the machine.
    pub host: String,
    /// Name of the cluster, or its address if the cluster did not report a name.
    pub cluster: String,
    /// Address (URL) of the cluster.
    pub address: String,
    /// Ids of the keys for which the operation was carried out, or was intended if it has no outcome yet.
    pub keys: Vec<String>,
    /// Keys for which the operation was not confirmed to be carried out.
    pub failed: Vec<FailedKey>,
    /// Reason for the outcome, as text for people.
    pub reason: Option<String>,
    /// Body of the request as JSON text; `None` if there is none.
    pub request: Option<String>,
    /// Sequence numbers of the operation's entries in the chain.
    pub entries: Vec<u64>,
}

impl Operation {
    fn begun(entry: Read) -> Self {
        let ending = if entry.is_intent() { OperationOutcome::Open } else { OperationOutcome::of(&entry.outcome) };
        Self {
            at: calendar::parse(&entry.at, &jiff::tz::TimeZone::UTC),
            written_at: entry.at,
            action: entry.action,
            ending,
            user: entry.user,
            realm: entry.realm,
            system_user: entry.system_user,
            host: entry.host,
            cluster: entry.cluster,
            address: entry.address,
            keys: entry.keys,
            failed: entry.failed,
            reason: entry.reason,
            request: entry.request,
            entries: vec![entry.sequence],
        }
    }

    fn end(&mut self, outcome: Read) {
        self.ending = OperationOutcome::of(&outcome.outcome);
        self.keys = outcome.keys;
        self.failed = outcome.failed;
        self.reason = outcome.reason;
        self.entries.push(outcome.sequence);
    }

    /// Returns the action as a verb: `create`, `update`, `create cross-cluster`, or the whole value of an action of
    /// another form.
    pub fn verb(&self) -> Cow<'_, str> {
        match self.action.strip_prefix("cross-cluster-api-key-") {
            Some(verb) => format!("{verb} cross-cluster").into(),
            None => self.action.strip_prefix("api-key-").unwrap_or(&self.action).into(),
        }
    }

    /// Returns a short text for the keys: the id of the first one and the number of further ones, failed keys included;
    /// empty if there are no keys.
    pub fn keys_in_short(&self) -> String {
        let mut ids = self.keys.iter().chain(self.failed.iter().map(|failed| &failed.id));
        let count = self.keys.len() + self.failed.len();
        match (ids.next(), count) {
            (None, _) => String::new(),
            (Some(id), 1) => id.clone(),
            (Some(id), count) => format!("{id} and {} more", number::thousands(count as u64 - 1)),
        }
    }

    /// Returns the reason of the operation, or that of the first failed key if the operation has none; empty if neither
    /// has one.
    pub fn why(&self) -> &str {
        let of_a_key = || self.failed.first().map(|failed| failed.reason.as_str());
        self.reason.as_deref().or_else(of_a_key).unwrap_or_default()
    }

    /// Returns `true` if the operation is about the key with this id, among the failed keys too.
    pub fn is_about(&self, key: &str) -> bool {
        self.keys.iter().any(|id| id == key) || self.failed.iter().any(|failed| failed.id == key)
    }

    /// Returns the outcome for one failed key. Entries of older versions record one outcome for all of their keys
    /// together, which is then the outcome of each.
    pub fn ending_of(&self, failed: &FailedKey) -> OperationOutcome {
        match failed.is_unknown {
            Some(true) => OperationOutcome::Unknown,
            Some(false) => OperationOutcome::Failure,
            None if self.ending == OperationOutcome::Failure => OperationOutcome::Failure,
            None => OperationOutcome::Unknown,
        }
    }

    /// Returns `true` if each of these words, in lower case, occurs in at least one of the operation's texts.
    pub fn fits(&self, words: &[String]) -> bool {
        let facts = [
            &*self.written_at,
            &self.action,
            self.ending.word(),
            &self.user,
            &self.realm,
            &self.system_user,
            &self.host,
            &self.cluster,
            &self.address,
        ];
        let rest = self.keys.iter().chain(&self.reason).chain(&self.request).map(String::as_str);
        let failed = self.failed.iter().flat_map(|failed| [failed.id.as_str(), failed.reason.as_str()]);
        let has = |word: &String| {
            let mut all = facts.into_iter().chain(rest.clone()).chain(failed.clone());
            all.any(|fact| contains(fact, word))
        };
        words.iter().all(has)
    }
}

/// Returns `true` if the text contains the word, regardless of case; the word must be in lower case.
fn contains(text: &str, word: &str) -> bool {
    if text.is_ascii() && word.is_ascii() {
        let (text, word) = (text.as_bytes(), word.as_bytes());
        let Some(first) = word.first() else { return true };
        let mut begins = memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text);
        let fits = |at| text.get(at..at + word.len()).is_some_and(|part: &[u8]| part.eq_ignore_ascii_case(word));
        return begins.any(fits);
    }
    text.to_lowercase().contains(word)
}

/// Splits a search at blanks and returns its words in lower case.
pub fn words(search: &str) -> Vec<String> {
    search.split_whitespace().map(str::to_lowercase).collect()
}

/// Collection of operations, put together from the entries of a journal, which are added from the oldest on.
#[derive(Debug, Default)]
pub struct Operations {
    operations: Vec<Operation>,
    open: HashMap<String, usize>,
}

impl Operations {
    /// Adds the next entry. An outcome whose intent was not added becomes an operation of its own.
    pub fn take(&mut self, entry: Read) {
        let begun = entry.intent.as_ref().and_then(|intent| self.open.remove(intent));
        match begun.and_then(|place| self.operations.get_mut(place)) {
            Some(operation) => operation.end(entry),
            None => {
                if entry.is_intent() {
                    self.open.insert(entry.id.clone(), self.operations.len());
                }
                self.operations.push(Operation::begun(entry));
            }
        }
    }

    /// Returns all operations, the newest first.
    pub fn newest_first(mut self) -> Vec<Operation> {
        self.operations.reverse();
        self.operations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::api_key::KeyId;
    use crate::model::journal::{self, Action, BEGINNING, Entry, Origin, Verdict};

    fn read(number: u64, intent: Option<u64>, verdict: Verdict, keys: &[&str]) -> Read {
        let entry = Entry {
            at: Timestamp::from_millis(1_795_521_600_000 + number as i64),
            id: format!("e{number}"),
            action: Action::Update,
            intent: intent.map(|number| format!("e{number}")),
            verdict,
            origin: Origin { username: "Änne".into(), url: "https://es:9200".into(), ..Origin::default() },
            keys: keys.iter().map(|id| KeyId::new(*id)).collect(),
            failed: Vec::new(),
            request: intent.is_none().then(|| serde_json::json!({ "metadata": { "team": "Payments" } })),
            reason: intent.map(|_| "because".to_owned()),
            torn: None,
            damage: None,
        };
        journal::verify::read(&entry.line(number, BEGINNING)).unwrap()
    }

    fn operations(entries: Vec<Read>) -> Vec<Operation> {
        let mut operations = Operations::default();
        entries.into_iter().for_each(|entry| operations.take(entry));
        operations.newest_first()
    }

    #[test]
    fn an_intent_and_its_outcome_are_one_deed_also_when_others_come_between() {
        let operations = operations(vec![
            read(1, None, Verdict::Unknown, &["a", "b"]),
            read(2, None, Verdict::Unknown, &["c"]),
            read(3, Some(1), Verdict::Success, &["a", "b"]),
            read(4, Some(9), Verdict::Failure, &["d"]),
        ]);
        let told: Vec<_> = operations
            .iter()
            .map(|operation| (operation.entries.clone(), operation.ending, operation.keys_in_short()))
            .collect();
        let d = |entries: &[u64], ending, keys: &str| (entries.to_vec(), ending, keys.to_owned());
        let expected = [
            d(&[4], OperationOutcome::Failure, "d"),
            d(&[2], OperationOutcome::Open, "c"),
            d(&[1, 3], OperationOutcome::Success, "a and 1 more"),
        ];
        assert_eq!(told, expected);
        assert!(
            operations[2].request.is_some() && operations[2].why() == "because",
            "what was asked stays, why is told last"
        );
        assert_eq!(operations[2].at, Some(Timestamp::from_millis(1_795_521_600_001)), "when it was begun");
    }

    #[test]
    fn what_became_of_a_key_is_a_value_and_not_the_beginning_of_its_reason() {
        let failed = |id: &str, is_unknown| FailedKey { id: id.into(), reason: "not known: why".into(), is_unknown };
        let of = |verdict, failed: Vec<FailedKey>| {
            let entry = Entry {
                at: Timestamp::EPOCH,
                id: "e2".into(),
                action: Action::Update,
                intent: Some("e1".into()),
                verdict,
                origin: Origin::default(),
                keys: Vec::new(),
                failed,
                request: None,
                reason: None,
                torn: None,
                damage: None,
            };
            let line = entry.line(1, BEGINNING);
            let operation = operations(vec![journal::verify::read(&line).unwrap()]).remove(0);
            (operation.failed.iter().map(|failed| operation.ending_of(failed)).collect::<Vec<_>>(), line)
        };
        let (endings, line) = of(Verdict::Unknown, vec![failed("a", Some(true)), failed("b", Some(false))]);
        assert_eq!(endings, [OperationOutcome::Unknown, OperationOutcome::Failure]);
        assert!(line.contains(r#""unknown":true"#), "{line}");
        // Entries of older versions record no outcome for each key.
        assert_eq!(of(Verdict::Failure, vec![failed("a", None)]).0, [OperationOutcome::Failure]);
        let (endings, line) = of(Verdict::Unknown, vec![failed("a", None)]);
        assert!(endings == [OperationOutcome::Unknown] && !line.contains(r#""unknown":"#), "{line}");
    }

    #[test]
    fn a_search_is_for_words_in_any_fact_and_any_case() {
        let operations = operations(vec![read(1, None, Verdict::Unknown, &["VuaCf"])]);
        for found in ["", "vuacf", "payments änne", "ES:9200 update", "no outcome", "2026-11-24t12"] {
            assert!(operations[0].fits(&words(found)), "{found}");
        }
        for missing in ["vuacf invalidate", "because", "success"] {
            assert!(!operations[0].fits(&words(missing)), "{missing}");
        }
    }
}
