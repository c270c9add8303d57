//! Test of a connection with several addresses: which of them answer, and whether they belong to one cluster.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use super::{cluster_identity, connect::StepResult};
use crate::{
    client::{Client, ClientError, TokenSource},
    model::{
        connections::endpoint::{ClusterUrl, Endpoint},
        machine_policy::MachinePolicy,
    },
    ops::{Fix, Problem},
};

/// Time limit for the answers that are compared at a sign-in. Who does not answer in time is asked when it is needed.
const COMPARED_WITHIN: Duration = Duration::from_secs(1);

/// What an address answered.
enum Answer {
    /// UUID of its cluster.
    Cluster(String),
    /// It answers, and which cluster it belongs to is not told.
    NotTold,
    /// It does not answer.
    Error(ClientError),
}

/// Asks every address at the same time. Nothing is changed on the cluster.
pub(super) async fn test(
    endpoint: &Endpoint,
    policy: &Arc<MachinePolicy>,
    tokens: Option<Arc<dyn TokenSource>>,
) -> StepResult {
    let answers = ask_all(endpoint, policy, tokens, None).await;
    judged(&endpoint.urls().map(ClusterUrl::host).zip(answers).collect::<Vec<_>>())
}

/// Compares the clusters of all addresses that answer within a second; nothing is asked for a single address.
///
/// # Errors
/// If they belong to different clusters: which one would be changed would depend on which one is down.
pub(super) async fn compare(
    endpoint: &Endpoint,
    policy: &Arc<MachinePolicy>,
    tokens: Option<Arc<dyn TokenSource>>,
) -> Result<(), Problem> {
    if endpoint.more_urls.is_empty() {
        return Ok(());
    }
    let answers = ask_all(endpoint, policy, tokens, Some(COMPARED_WITHIN)).await;
    match judged(&endpoint.urls().map(ClusterUrl::host).zip(answers).collect::<Vec<_>>()) {
        StepResult::Failed(problem) => Err(problem.fix(Fix::EditConnection)),
        StepResult::Good(..) | StepResult::Mind(..) => Ok(()),
    }
}

/// Asks every address at the same time, in their order.
async fn ask_all(
    endpoint: &Endpoint,
    policy: &Arc<MachinePolicy>,
    tokens: Option<Arc<dyn TokenSource>>,
    limit: Option<Duration>,
) -> Vec<Answer> {
    let mut asked = JoinSet::new();
    for (index, url) in endpoint.urls().enumerate() {
        let mut endpoint = endpoint.at(url);
        endpoint.timeout = limit.map_or(endpoint.timeout, |limit| limit.min(endpoint.timeout));
        let (policy, tokens) = (Arc::clone(policy), tokens.clone());
        asked.spawn(async move { (index, ask(&endpoint, &policy, tokens).await) });
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

async fn ask(endpoint: &Endpoint, policy: &Arc<MachinePolicy>, tokens: Option<Arc<dyn TokenSource>>) -> Answer {
    let info = match Client::by_rules(endpoint, policy) {
        Ok(client) => client.with_tokens(tokens).info().await,
        Err(error) => return Answer::Error(error),
    };
    match info {
        Ok(info) => cluster_identity::known(info.uuid).map_or(Answer::NotTold, Answer::Cluster),
        // The sign-in is judged by a step of its own.
        Err(ClientError::Forbidden { .. } | ClientError::Unauthenticated { .. }) => Answer::NotTold,
        Err(error) => Answer::Error(error),
    }
}

fn judged(answers: &[(&str, Answer)]) -> StepResult {
    let line = |(host, answer): &(&str, Answer)| match answer {
        Answer::Cluster(uuid) => format!("{host} responds (cluster {uuid})"),
        Answer::NotTold => format!("{host} responds (which cluster it belongs to is not known)"),
        Answer::Error(error) => format!("{host} does not: {error}"),
    };
    let detail = answers.iter().map(line).collect::<Vec<_>>().join("; ");
    let mut uuids = answers.iter().filter_map(|(_, answer)| match answer {
        Answer::Cluster(uuid) => Some(uuid),
        _ => None,
    });
    let first = uuids.next();
    if uuids.any(|uuid| Some(uuid) != first) {
        let problem = Problem::new("The addresses belong to different clusters", &detail)
            .hint("Keep only the addresses of one cluster");
        return StepResult::Failed(Box::new(problem));
    }
    let count = answers.len();
    let failed = answers.iter().filter(|(_, answer)| matches!(answer, Answer::Error(_))).count();
    let is_told = answers.iter().all(|(_, answer)| matches!(answer, Answer::Cluster(_)));
    match (failed, is_told) {
        (0, true) => StepResult::Good(format!("All {count} addresses respond"), detail),
        (0, false) => StepResult::Mind(format!("All {count} addresses respond"), detail),
        _ => StepResult::Mind(format!("{failed} of {count} addresses can’t be used"), detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(answers: Vec<Answer>) -> (u8, String) {
        let hosts = ["es-1", "es-2"];
        match judged(&hosts.into_iter().zip(answers).collect::<Vec<_>>()) {
            StepResult::Good(title, detail) => (0, format!("{title}\n{detail}")),
            StepResult::Mind(title, detail) => (1, format!("{title}\n{detail}")),
            StepResult::Failed(problem) => (2, problem.words()),
        }
    }

    #[test]
    fn addresses_of_two_clusters_fail_and_what_does_not_answer_is_named() {
        let one = || Answer::Cluster("one".into());
        let down = || Answer::Error(ClientError::Unreachable { reason: "refused".into() });
        assert_eq!(words(vec![one(), one()]).0, 0);
        let (level, text) = words(vec![one(), Answer::Cluster("two".into())]);
        assert!(
            level == 2 && text.contains("different clusters") && text.contains("es-2 responds (cluster two)"),
            "{text}"
        );
        let (level, text) = words(vec![one(), down()]);
        assert!(level == 1 && text.contains("1 of 2 addresses") && text.contains("es-2 does not: "), "{text}");
        let (level, text) = words(vec![one(), Answer::NotTold]);
        assert!(level == 1 && text.contains("es-2 responds (which cluster it belongs to is not known)"), "{text}");
    }
}
