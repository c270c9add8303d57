//! Identifying a secret: signing in with it, looking up its key, and asking for the key's privileges. Nothing is
//! changed, and nothing is kept.

use std::{sync::Arc, time::Instant};

use crate::{
    client::{Client, ClientError},
    model::{
        api_key::{KeyId, KeyKind},
        connections::{endpoint::Endpoint, login::Login},
        identity::Identity,
        machine_policy::MachinePolicy,
        secret_text::Candidate,
        time::status::Status,
    },
    ops::{
        Problem, Session,
        keys::effective_privileges::{self, KeyRights},
        secret::try_key::Check,
    },
};

/// Maximum number of candidate keys of one text that are tried.
const MAX_TRIED: usize = 3;

/// Privileges to ask the cluster about for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Cluster privileges.
    pub cluster: Vec<String>,
    /// Names and patterns of indices.
    pub indices: Vec<String>,
    /// Index privileges to ask about on each entry of `indices`.
    pub privileges: Vec<String>,
}

/// Result of checking a secret.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Candidate that was tried, with its format and its mistakes, without its secret.
    pub tried: Candidate,
    /// Number of other candidate keys in the same text.
    pub others: usize,
    /// Result of the sign-in.
    pub validity: Validity,
    /// Key as the session sees it, with its effective privileges.
    pub key: Looked,
    /// Privileges that were asked about, each with the cluster's answer to the key itself.
    pub answers: Vec<Check>,
    /// Problem of asking about the privileges; `None` if it succeeded or was not done.
    pub unanswered: Option<Problem>,
}

/// Result of signing in with a secret.
#[derive(Clone, Debug)]
pub enum Validity {
    /// Secret that signs in.
    Valid {
        /// Identity that it signs in as.
        identity: Box<Identity>,
        /// Duration of the sign-in, in milliseconds.
        took: u64,
    },
    /// Secret that the cluster refused.
    Refused {
        /// Reason, as far as the cluster gives it.
        why: Why,
        /// Message of the cluster; empty if the message contained the secret.
        words: String,
    },
    /// Secret that could not be tried, with the problem.
    NotKnown(Box<Problem>),
}

/// Reason why a secret is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Expired key.
    Expired,
    /// Invalidated key; the cluster does not check the secret then.
    Invalidated,
    /// Unknown id: the cluster has no such key.
    Unknown,
    /// Wrong secret for a key that exists.
    WrongSecret,
    /// Cross-cluster key, which is for another cluster and not for clients.
    CrossCluster,
    /// Unknown reason: the cluster does not give it (7.10).
    NotTold,
}

/// Result of looking up a key.
#[derive(Clone, Debug)]
pub enum Looked {
    /// Key that exists, with its effective privileges.
    Found(Box<KeyRights>),
    /// No such key that the session can see.
    Missing,
    /// Failed lookup, with the reason.
    NotKnown(String),
}

impl Why {
    fn read(words: &str) -> Self {
        let has = |part: &str| words.contains(part);
        if has("is expired") {
            Self::Expired
        } else if has("has been invalidated") {
            Self::Invalidated
        } else if has("unable to find apikey") {
            Self::Unknown
        } else if has("invalid credentials for API key") {
            Self::WrongSecret
        } else if has("has type [cross_cluster]") {
            Self::CrossCluster
        } else {
            Self::NotTold
        }
    }

    /// Returns the reason as a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Expired => "The key has expired",
            Self::Invalidated => {
                "The key was invalidated. Whether this is its secret is not known: clusters don't check it then"
            }
            Self::Unknown => {
                "This cluster has no key with that id: it may belong to another cluster, or have been deleted some \
                 time after it expired or was invalidated"
            }
            Self::WrongSecret => "There is a key with that id, but this is not its secret",
            Self::CrossCluster => "It is a cross-cluster key: it signs in another cluster, not a client",
            Self::NotTold => {
                "Not known: this cluster does not say whether a key is unknown, wrong, expired or invalidated"
            }
        }
    }

    /// Returns the identifier of the reason for JSON output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Invalidated => "invalidated",
            Self::Unknown => "unknown_id",
            Self::WrongSecret => "wrong_secret",
            Self::CrossCluster => "cross_cluster",
            Self::NotTold => "not_told",
        }
    }
}

impl Checked {
    /// Returns the reason for a refusal: the cluster's own, or else what the key itself shows at `now`; `None` if the
    /// secret was not refused.
    pub fn reason(&self, now: crate::model::Timestamp) -> Option<String> {
        let Validity::Refused { why, .. } = &self.validity else { return None };
        let seen = match &self.key {
            Looked::Found(found) if *why == Why::NotTold => match found.key.status(now) {
                Status::Invalidated => Some("The key was invalidated, as its entry shows"),
                Status::Expired => Some("The key has expired, as its entry shows"),
                _ if found.key.kind == KeyKind::CrossCluster => Some(Why::CrossCluster.words()),
                _ => Some("The key exists and is still valid, so this is not its secret"),
            },
            Looked::Missing if *why == Why::NotTold => Some(
                "You can't see a key with that id on this cluster: it may belong to another cluster, or to a user \
                 whose keys you can't see",
            ),
            _ => None,
        };
        Some(seen.unwrap_or(why.words()).to_owned())
    }

    /// `true` if the secret signs in and no privilege that the cluster answered for is missing.
    pub fn is_enough(&self) -> bool {
        matches!(self.validity, Validity::Valid { .. }) && self.answers.iter().all(|answer| answer.granted)
    }
}

/// Checks the candidate keys of a text in order, up to `MAX_TRIED` of them: the next one only if the cluster does not
/// know the id of the one before. Signs in at `endpoint` by the rules of this computer; the session, if there is one,
/// looks the key up. Returns `None` if there are no candidates.
pub async fn check(
    session: Result<&Session, &Problem>,
    (endpoint, policy): (&Endpoint, &Arc<MachinePolicy>),
    candidates: &[Candidate],
    asked: &Asked,
) -> Option<Checked> {
    let mut first = None;
    for candidate in candidates.iter().take(MAX_TRIED) {
        let (validity, client) = sign_in(endpoint, policy, candidate).await;
        let is_unknown = matches!(&validity, Validity::Refused { why: Why::Unknown, .. });
        let mut checked = Checked {
            tried: candidate.without_secret(),
            others: candidates.len() - 1,
            validity,
            key: Looked::Missing,
            answers: Vec::new(),
            unanswered: None,
        };
        if is_unknown && candidates.len() > 1 {
            first.get_or_insert(checked);
            continue;
        }
        checked.key = look_up(session, &KeyId::new(candidate.id.as_str())).await;
        if let (Validity::Valid { .. }, Some(client)) = (&checked.validity, client) {
            match answers(&client, asked).await {
                Ok(answers) => checked.answers = answers,
                Err(error) => checked.unanswered = Some(error.into()),
            }
        }
        return Some(checked);
    }
    let mut first = first?;
    first.key = look_up(session, &KeyId::new(first.tried.id.as_str())).await;
    Some(first)
}

async fn sign_in(
    endpoint: &Endpoint,
    policy: &Arc<MachinePolicy>,
    candidate: &Candidate,
) -> (Validity, Option<Client>) {
    let login = Login::ApiKey { id: candidate.id.clone(), secret: candidate.secret.clone() };
    let client = match Client::by_rules(&Endpoint { login, run_as: None, ..endpoint.clone() }, policy) {
        Ok(client) => client,
        Err(error) => return (Validity::NotKnown(Box::new(error.into())), None),
    };
    let started = Instant::now();
    match client.authenticate().await {
        Ok(identity) => {
            let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            (Validity::Valid { identity: Box::new(identity), took }, Some(client))
        }
        Err(ClientError::Unauthenticated { reason }) => {
            // Of a secret that the server says back, whatever for, nothing is shown.
            let words = if reason.contains(candidate.secret.expose()) { String::new() } else { reason };
            (Validity::Refused { why: Why::read(&words), words }, None)
        }
        // A key that is restricted to a workflow signs in, and may not even ask who it is: the cluster says so to
        // the key by its id (as seen on 9.5.3), where anybody else who refuses would not know it.
        Err(ClientError::Forbidden { reason, .. }) if reason.contains(&format!("API key id [{}]", candidate.id)) => {
            let id = KeyId::new(candidate.id.as_str());
            let identity = Identity { api_key: Some((id, String::new())), ..Identity::default() };
            let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            (Validity::Valid { identity: Box::new(identity), took }, Some(client))
        }
        Err(error) => (Validity::NotKnown(Box::new(error.into())), None),
    }
}

async fn look_up(session: Result<&Session, &Problem>, id: &KeyId) -> Looked {
    let session = match session {
        Ok(session) => session,
        Err(problem) => return Looked::NotKnown(problem.words()),
    };
    match effective_privileges::of(session, id).await {
        Ok(Some(found)) => Looked::Found(Box::new(found)),
        Ok(None) => Looked::Missing,
        Err(error) => Looked::NotKnown(Problem::from(error).words()),
    }
}

async fn answers(client: &Client, asked: &Asked) -> Result<Vec<Check>, ClientError> {
    let mut answers = Vec::new();
    if !asked.cluster.is_empty() {
        let names: Vec<&str> = asked.cluster.iter().map(String::as_str).collect();
        let told = client.has_cluster_privileges(&names).await?;
        for name in &asked.cluster {
            let granted = told.has(name) == Some(true);
            answers.push(Check { privilege: name.clone(), on: Vec::new(), granted, meant: true });
        }
    }
    if !asked.indices.is_empty() && !asked.privileges.is_empty() {
        let told = client.has_index_privileges(&[(asked.indices.clone(), asked.privileges.clone())]).await?;
        for index in &asked.indices {
            for privilege in &asked.privileges {
                let granted = told.get(index).and_then(|told| told.get(privilege)) == Some(&true);
                answers.push(Check { privilege: privilege.clone(), on: vec![index.clone()], granted, meant: true });
            }
        }
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_of_clusters_are_told_apart() {
        for (words, why) in [
            ("API key: api key is expired", Why::Expired),
            ("API key: api key [x] has been invalidated", Why::Invalidated),
            ("API key: unable to find apikey with id x", Why::Unknown),
            ("API key: invalid credentials for API key [x]", Why::WrongSecret),
            (
                "authentication expected API key type of [rest], but API key [x] has type [cross_cluster]",
                Why::CrossCluster,
            ),
            ("the credential is unknown, wrong, expired or invalidated; this cluster does not say which", Why::NotTold),
            ("", Why::NotTold),
        ] {
            assert_eq!(Why::read(words), why, "{words}");
        }
    }
}
