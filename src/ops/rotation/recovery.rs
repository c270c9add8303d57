//! Recovery of a rotation that was interrupted while its secret was delivered.

use super::{RotationProgress, check_cluster, checks::check_session, save};
use crate::ops::rotation::make::{DestinationContent, check_maker, end_strays, made_before};
use crate::{
    model::{
        api_key::{ApiKey, KeyId},
        rotation::State,
    },
    ops::{Fix, Problem, Session},
    store::{connections::new_profile_id, rotation::RotationGuard},
};

/// Choice of a person about a secret that may have been delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RecoveryChoice {
    /// No choice made.
    #[default]
    None,
    /// Confirmation that the person has the secret.
    HandedOver,
    /// Confirmation that the person does not have the secret: another successor is to be created.
    MakeAgain,
}

/// Next step after a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Trial of the successor, whose secret arrived.
    HandedOver,
    /// Creation of a successor: there is none, or none any more.
    MakeAgain,
}

/// Finds out what an interrupted run has left: adopts a successor whose secret arrived, and invalidates those whose
/// secret nobody knows.
///
/// # Errors
/// Returns a problem if a person has to confirm whether they have the secret, or the cluster can't be asked.
pub async fn recover(
    session: &Session,
    guard: &mut RotationGuard,
    arrived: &DestinationContent,
    word: RecoveryChoice,
    progress: &mut (dyn FnMut(RotationProgress) + Send),
) -> Result<Recovery, Problem> {
    // Whoever does not see the successor would take it for one that was never made.
    check_session(session)?;
    check_maker(session, guard)?;
    check_cluster(session, &guard.rotation).await?;
    progress(RotationProgress::Looking);
    let made = made_before(session, guard, true).await?;
    let valid: Vec<ApiKey> = made.into_iter().filter(|key| !key.invalidated).collect();
    let has = |id: &KeyId| valid.iter().any(|key| key.id == *id);
    let known = guard.rotation.successor().cloned();
    let adopted = match (arrived, &guard.rotation.state) {
        (DestinationContent::Key(id), _)
            if word != RecoveryChoice::MakeAgain && has(id) && known.as_ref().is_none_or(|known| known == id) =>
        {
            Some(id.clone())
        }
        (_, State::HandingOver { successor }) if word == RecoveryChoice::HandedOver && has(successor) => {
            Some(successor.clone())
        }
        (DestinationContent::Empty, _) => None,
        (_, State::HandingOver { successor }) if has(successor) => match word {
            RecoveryChoice::MakeAgain => None,
            RecoveryChoice::HandedOver | RecoveryChoice::None => return Err(ask(guard, successor)),
        },
        _ => None,
    };
    let strays: Vec<ApiKey> = valid.into_iter().filter(|key| Some(&key.id) != adopted.as_ref()).collect();
    end_strays(session, guard, &strays, progress).await?;
    match adopted {
        Some(id) => {
            guard.rotation.handed_over(id)?;
            save(guard)?;
            Ok(Recovery::HandedOver)
        }
        None => {
            guard.rotation.plan_again(new_profile_id().0)?;
            save(guard)?;
            Ok(Recovery::MakeAgain)
        }
    }
}

fn ask(guard: &RotationGuard, successor: &KeyId) -> Problem {
    let rotation = &guard.rotation;
    let title = format!("It is not known whether the secret of {successor} arrived");
    let detail = format!("The run that delivered it to {} was interrupted. Nothing was done", rotation.place.words());
    Problem::new(&title, &detail)
        .hint(
            "If you have it, resume the rotation with it; without it, that key is invalidated and another one is \
             created",
        )
        .fix(Fix::HaveSecret(rotation.id.clone()))
        .or(Fix::MakeAgain(rotation.id.clone()))
}
