//! An update worked out for each of its keys: what is sent, what that makes different, and what of it has to be
//! confirmed. Window and command line show the same plan, and hand it on to be carried out.

use serde_json::value::RawValue;

use super::{
    Changes, KeyUpdate,
    draft::{CheckedUpdate, UpdateFieldError},
};
use crate::model::{
    Millis,
    api_key::{ApiKey, KeyId, KeyKind},
    create::cross_cluster::CrossClusterUpdate,
    rotation::ClusterRef,
    update,
};

/// Request for one key, by its kind.
#[derive(Clone, Debug)]
pub enum KeyChange {
    /// For a REST key.
    Rest(KeyUpdate),
    /// For a cross-cluster key.
    CrossCluster(CrossClusterUpdate),
}

impl KeyChange {
    /// Body of the request for one key.
    pub fn body(&self) -> String {
        match self {
            Self::Rest(update) => update.body(None),
            Self::CrossCluster(update) => update.body(),
        }
    }
}

/// One key's update, and the key as it was shown to whoever confirmed it.
#[derive(Clone, Debug)]
pub struct PlannedUpdate {
    /// The key that the change was worked out from. It is compared with what the cluster tells just before sending.
    pub seen: ApiKey,
    /// Request.
    pub change: KeyChange,
    /// Differences that it makes.
    pub changes: Changes,
    /// Expiration that was given as a date, in milliseconds since 1970 (UTC). The request has a span in its place,
    /// counted from the cluster's clock, so that the key itself has to be compared with it afterwards.
    pub until: Option<Millis>,
}

/// Confirmations that were given for a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// Role descriptors may become `{}`, which gives a key all its owner's privileges.
    pub all_owner_rights: bool,
    /// Metadata may become `{}`.
    pub wipe_metadata: bool,
}

/// Reason why a plan is not carried out yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// No key would be different.
    NothingChanges,
    /// [`Confirmed::all_owner_rights`] is missing.
    AllOwnerRights,
    /// [`Confirmed::wipe_metadata`] is missing.
    WipeMetadata,
}

/// Updates of several keys.
#[derive(Clone, Debug, Default)]
pub struct UpdatePlan {
    /// The cluster on which the keys were read; nothing is sent to another one. `None` trusts the session.
    pub cluster: Option<ClusterRef>,
    /// Keys for which something would be different, in the order that was asked for.
    pub planned: Vec<PlannedUpdate>,
    /// Keys that are so already; nothing is sent for them.
    pub unchanged: Vec<KeyId>,
    /// Number of keys that lose their restriction.
    pub lose_limits: usize,
    /// Number of keys that lose all metadata.
    pub lose_metadata: usize,
}

impl UpdatePlan {
    /// Works out what an update makes of each key. `owner_today` is the owner's privileges of today in the form of
    /// [`ApiKey::limited_by`], where they are known; `now` is the cluster's clock.
    ///
    /// # Errors
    /// The first key that the update does not fit, with the field of the form that is meant.
    pub fn work_out(
        keys: Vec<ApiKey>,
        checked: &CheckedUpdate,
        owner_today: Option<&RawValue>,
        now: Millis,
    ) -> Result<Self, UpdateFieldError> {
        let mut plan = Self::default();
        let is_single = keys.len() == 1;
        for seen in keys {
            let Some(change) = checked.of(&seen)? else {
                plan.unchanged.push(seen.id);
                continue;
            };
            let changes = match &change {
                KeyChange::Rest(update) => update::diff(&seen, update, owner_today, now),
                KeyChange::CrossCluster(update) => update.diff(&seen, now),
            };
            if let KeyChange::Rest(update) = &change
                && update.is_empty()
                // Of one key an update that only takes its owner's privileges of today may be what is wanted.
                && !(is_single && changes.owner_snapshot_changes != Some(false))
            {
                plan.unchanged.push(seen.id);
                continue;
            }
            plan.lose_limits += usize::from(changes.removes_restriction);
            plan.lose_metadata += usize::from(changes.wipes_metadata);
            plan.planned.push(PlannedUpdate { seen, change, changes, until: checked.until() });
        }
        Ok(plan)
    }

    /// Reason why it is not carried out with these confirmations, if there is one.
    pub fn obstacle(&self, confirmed: Confirmed) -> Option<Obstacle> {
        if self.planned.is_empty() {
            Some(Obstacle::NothingChanges)
        } else if self.lose_limits > 0 && !confirmed.all_owner_rights {
            Some(Obstacle::AllOwnerRights)
        } else if self.lose_metadata > 0 && !confirmed.wipe_metadata {
            Some(Obstacle::WipeMetadata)
        } else {
            None
        }
    }

    /// `true` if all keys are cross-cluster keys, which have no snapshot of their owner's privileges.
    pub fn is_cross_cluster(&self) -> bool {
        self.planned.iter().all(|planned| planned.seen.kind == KeyKind::CrossCluster)
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::update::draft::UpdateDraft;

    fn key(id: &str, metadata: &str) -> ApiKey {
        let raw = |text: &str| RawValue::from_string(text.into()).ok();
        ApiKey {
            id: KeyId::new(id),
            metadata: raw(metadata),
            role_descriptors: raw(r#"{"r":{}}"#),
            ..ApiKey::default()
        }
    }

    fn plan(draft: UpdateDraft, keys: Vec<ApiKey>) -> UpdatePlan {
        UpdatePlan::work_out(keys, &draft.check(0, &TimeZone::UTC).unwrap(), None, 0).unwrap()
    }

    #[test]
    fn keys_that_are_so_already_are_not_sent() {
        let draft = UpdateDraft { set: "team=a".into(), ..UpdateDraft::default() };
        let keys = vec![key("so", r#"{"team":"a"}"#), key("other", r#"{"team":"b"}"#)];
        let plan = plan(draft, keys);
        assert_eq!(plan.planned.iter().map(|one| one.seen.id.as_str()).collect::<Vec<_>>(), ["other"]);
        assert_eq!(plan.unchanged, [KeyId::new("so")]);
    }

    #[test]
    fn each_loss_is_confirmed_for_itself_however_it_comes_about() {
        let draft =
            UpdateDraft { role_descriptors: Some("{}".into()), remove: "team".into(), ..UpdateDraft::default() };
        let plan = plan(draft, vec![key("a", r#"{"team":"a"}"#)]);
        let obstacle = |all_owner_rights, wipe_metadata| plan.obstacle(Confirmed { all_owner_rights, wipe_metadata });
        assert_eq!(obstacle(false, false), Some(Obstacle::AllOwnerRights));
        assert_eq!(obstacle(true, false), Some(Obstacle::WipeMetadata), "removing the last member wipes it");
        assert_eq!(obstacle(false, true), Some(Obstacle::AllOwnerRights));
        assert_eq!(obstacle(true, true), None);
        assert_eq!(UpdatePlan::default().obstacle(Confirmed::default()), Some(Obstacle::NothingChanges));
    }
}
