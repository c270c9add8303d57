//! Checks before a rotation is begun: of the session, of other rotations, and of the old key.

use super::lineage::{self};
use crate::{
    model::{
        api_key::{ApiKey, KeyId, KeyKind},
        rotation::{ClusterRef, KeyState, Rotation},
        text::json,
        version::Feature,
    },
    ops::{Fix, Problem, Session},
};

/// Checks that the session can create a successor: signed in by an API key, it could only create one without any
/// privileges.
pub(super) fn check_session(session: &Session) -> Result<(), Problem> {
    if session.own_key().is_some() {
        let detail = "When you are signed in with an API key, Elasticsearch creates only keys without any privileges";
        return Err(Problem::new("You can't create a successor when signed in with an API key", detail)
            .hint("Sign in as a user"));
    }
    if !session.privileges.creates_keys() {
        let title = "You don't have permission to create keys, so no successor can be created";
        return Err(Problem::new(title, "").hint("This requires the privilege manage_own_api_key"));
    }
    Ok(())
}

pub(super) fn check_underway(underway: &[Rotation], cluster: &ClusterRef, old: &KeyId) -> Result<(), Problem> {
    let about =
        |rotation: &&Rotation| rotation.old.id == *old && !rotation.is_finished() && rotation.cluster.is_same(cluster);
    let Some(other) = underway.iter().find(about) else { return Ok(()) };
    let title = format!("{old} is already being rotated (rotation {}, {})", other.id, other.state.word());
    Err(Problem::new(&title, "")
        .fix(Fix::ResumeRotation(other.id.clone()))
        .or(Fix::CancelRotation { id: other.id.clone(), keep_successor: false }))
}

pub(super) async fn check_old(session: &Session, old: &ApiKey) -> Result<(), Problem> {
    let id = &old.id;
    if let Some(flaw) = &old.flaw {
        let title = format!("{id} is not fully readable, so no equivalent successor can be created");
        let hint = "Create a key with the same roles, hand it over, then invalidate the old one";
        return Err(Problem::new(&title, flaw).hint(hint).fix(Fix::CreateKey));
    }
    match lineage::standing_of(session, old).await? {
        KeyState::Invalidated => {
            let title = format!("{id} is already invalidated: there is nothing to rotate");
            return Err(Problem::new(&title, "").hint("An invalidated key can't be restored").fix(Fix::CreateKey));
        }
        KeyState::Expired => {
            let detail = "Nobody can sign in with it anymore, so there is nothing to rotate";
            return Err(Problem::new(&format!("{id} has expired"), detail).fix(Fix::CreateKey));
        }
        _ => {}
    }
    if old.kind != KeyKind::Rest {
        let title = format!("{id} is a {} key, which Keybearer can't rotate yet", old.kind.word());
        let hint = "Create its successor by POST /_security/cross_cluster/api_key with the same access, hand it over, \
                    then invalidate the old one";
        return Err(Problem::new(&title, "Such keys are created by a separate request").hint(hint));
    }
    if old.metadata.as_deref().is_some_and(|raw| json::members(raw.get()).is_none()) {
        let title =
            format!("The metadata of {id} has a name that is not text, so no successor can have the same metadata");
        let hint = "Replace its metadata first, then rotate it";
        return Err(Problem::new(&title, "").hint(hint));
    }
    if old.role_descriptors.is_none() {
        let title = format!("The cluster does not report what {id} can do, so no equivalent successor can be created");
        let detail = format!("Role descriptors are reported since {}", Feature::LimitedBy.since());
        let hint = "Create a key with the same roles, hand it over, then invalidate the old one";
        return Err(Problem::new(&title, &detail).hint(hint).fix(Fix::CreateKey));
    }
    Ok(())
}

pub(super) fn check_may_end(session: &Session, old: &ApiKey) -> Result<(), Problem> {
    if session.privileges.invalidates_all_keys() {
        return Ok(());
    }
    let title = format!(
        "{} belongs to {}, and you don't have permission to invalidate other users' keys",
        old.id, old.owner.username
    );
    Err(Problem::new(&title, "").hint("This requires the privilege manage_api_key, or sign in as its owner"))
}
