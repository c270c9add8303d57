//! Cross-cluster keys: created and changed, with the truth about lost answers.

use std::time::Duration;

use crate::{
    client::{ClientError, CreatedKey},
    model::{
        Millis,
        api_key::{ApiKey, KeyId},
        cross_cluster::{CreateCrossCluster, CrossClusterUpdate},
        failure::Failure,
        journal::Action,
    },
    ops::{
        Session, cluster_identity,
        create::{self, Asked, CreateError},
        journal::Closing,
        update::UpdateOutcome,
    },
};

/// A change that was written shows after a second (as seen on 9.5.3), plus a little.
const UNTIL_SHOWN: Duration = Duration::from_millis(1500);

/// Creates a cross-cluster key. If the answer is lost, looks for what the request made.
///
/// # Errors
/// [`CreateError`]; for a lost answer with what was found.
pub async fn create(session: &Session, key: &CreateCrossCluster) -> Result<CreatedKey, CreateError> {
    let sent = session.now();
    let asked = Asked {
        action: Action::CreateCrossCluster,
        request: serde_json::from_str(&key.body(sent)).ok(),
        name: key.key.name().to_owned(),
        expiry: Some(key.key.expiry()),
        trace: create::trace(session, &key.key, sent).await.map_err(CreateError::Refused)?,
    };
    create::make(session, asked, session.client.create_cross_cluster_key(key, sent)).await
}

/// The keys as they are told one by one: lists leave out what they are bound to.
///
/// # Errors
/// When the cluster can't be asked.
pub async fn whole(session: &Session, keys: &[ApiKey]) -> Result<Vec<ApiKey>, ClientError> {
    let mut whole = Vec::with_capacity(keys.len());
    for key in keys {
        let told = session.client.get_api_key(&key.id, session.sees_own_only()).await?;
        whole.push(told.unwrap_or_else(|| key.clone()));
    }
    Ok(whole)
}

/// Changes cross-cluster keys one by one: there is no bulk update of them. After an error that would meet the
/// next keys too, or a lost answer, nothing more is sent.
pub async fn update(session: &Session, updates: &[(KeyId, CrossClusterUpdate)]) -> UpdateOutcome {
    let mut outcome = UpdateOutcome::default();
    for (place, (id, update)) in updates.iter().enumerate() {
        if !one(session, id, update, &mut outcome).await {
            outcome.untouched = updates[place + 1..].iter().map(|(id, _)| id.clone()).collect();
            break;
        }
    }
    outcome
}

/// Changes one key. Whether it makes sense to go on with others.
async fn one(session: &Session, id: &KeyId, update: &CrossClusterUpdate, outcome: &mut UpdateOutcome) -> bool {
    let request = serde_json::from_str(&update.body()).ok();
    let ids = std::slice::from_ref(id);
    let intent = match cluster_identity::check(session).await {
        Ok(()) => session.intend(Action::UpdateCrossCluster, ids, request).await,
        Err(other) => Err(other.not_sent()),
    };
    let intent = match intent {
        Ok(intent) => intent,
        Err(error) => {
            outcome.failed.push((id.clone(), Failure::Refused(error.to_string())));
            return false;
        }
    };
    let sent_at = session.now();
    let fate = match session.client.update_cross_cluster_key(id, update).await {
        Ok(true) => Fate::Updated,
        Ok(false) => Fate::Unchanged,
        Err(error) if error.is_answer_lost() => look_again(session, id, update, (sent_at, &error)).await,
        Err(error) => {
            let is_of_this_key =
                matches!(error, ClientError::NotFound { .. } | ClientError::Rejected { status: 400, .. });
            Fate::Failed { failure: Failure::Refused(error.to_string()), fatal: !is_of_this_key }
        }
    };
    let done = match fate {
        Fate::Updated => &mut outcome.updated,
        Fate::Unchanged => &mut outcome.unchanged,
        Fate::Failed { failure, fatal } => {
            outcome.failed.push((id.clone(), failure.clone()));
            intent.close(Closing::of_fates(Vec::new(), vec![(id.clone(), failure)])).await;
            return !fatal;
        }
    };
    done.push(id.clone());
    intent.close(Closing::of_fates(vec![id.clone()], Vec::new())).await;
    true
}

/// What became of one key.
enum Fate {
    Updated,
    Unchanged,
    Failed { failure: Failure, fatal: bool },
}

/// After a lost answer only the key itself tells what was done.
async fn look_again(
    session: &Session,
    id: &KeyId,
    update: &CrossClusterUpdate,
    (sent_at, lost): (Millis, &ClientError),
) -> Fate {
    tokio::time::sleep(UNTIL_SHOWN).await;
    let reason = match session.client.get_api_key(id, session.sees_own_only()).await {
        Ok(Some(key)) => match update.is_carried_out(&key, sent_at, session.now()) {
            Some(true) => return Fate::Updated,
            Some(false) => format!("{lost}; {}", super::update::NOT_SHOWN),
            None => format!("{lost}; the key can't tell"),
        },
        Ok(None) => format!("{lost}; it was not found when it was looked for"),
        Err(error) => format!("{lost}; it could not be read again: {error}"),
    };
    Fate::Failed { failure: Failure::Unknown(reason), fatal: true }
}
