//! Plan of an update: the request for each key, the changes that it makes, and the confirmations that it needs. The
//! window and the command line show the same plan, and pass it on to be carried out.

use serde_json::value::RawValue;

pub use super::key_change::KeyChange;
use super::{
    Changes,
    draft::{CheckedUpdate, UpdateField},
};
use crate::model::{
    Timestamp,
    api_key::{ApiKey, KeyId, KeyKind},
    form_error::FormError,
    rotation::ClusterRef,
    update,
};

/// Update of one key, and the key as it was shown to the person who confirmed it.
#[derive(Clone, Debug)]
pub struct PlannedUpdate {
    /// Key that the change was worked out from. It is compared with what the cluster reports just before sending.
    pub seen: ApiKey,
    /// Request for the key.
    pub change: KeyChange,
    /// Changes that the request makes.
    pub changes: Changes,
    /// Expiration if it was given as a date. The request has a span in its place,
    /// counted from the cluster's clock, so that the key itself has to be compared with it afterwards.
    pub until: Option<Timestamp>,
}

/// Confirmations that were given for a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// `true` if role descriptors may become `{}`, which gives a key all privileges of its owner.
    pub all_owner_rights: bool,
    /// `true` if metadata may become `{}`.
    pub wipe_metadata: bool,
}

/// Reason why a plan is not carried out yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Plan in which no key would be different.
    NothingChanges,
    /// Missing confirmation [`Confirmed::all_owner_rights`].
    AllOwnerRights,
    /// Missing confirmation [`Confirmed::wipe_metadata`].
    WipeMetadata,
}

/// Updates of several keys.
#[derive(Clone, Debug, Default)]
pub struct UpdatePlan {
    /// Cluster that the keys were read from; nothing is sent to another one. `None` means that the session's cluster is
    /// not checked.
    pub cluster: Option<ClusterRef>,
    /// Updates of the keys for which something would be different, in the requested order.
    pub planned: Vec<PlannedUpdate>,
    /// Ids of the keys that already are as requested; nothing is sent for them.
    pub unchanged: Vec<KeyId>,
    /// Number of keys that lose their restriction.
    pub lose_limits: usize,
    /// Number of keys that lose all metadata.
    pub lose_metadata: usize,
}

impl UpdatePlan {
    /// Works out the plan from the keys as they are. `owner_today` is the owner's privileges today in the form of
    /// [`ApiKey::limited_by`], `None` if they are not known; `now` is the cluster's clock.
    ///
    /// # Errors
    /// Returns the validation error of the first key that the update does not fit, with its field.
    pub fn work_out(
        keys: Vec<ApiKey>,
        checked: &CheckedUpdate,
        owner_today: Option<&RawValue>,
        now: Timestamp,
    ) -> Result<Self, FormError<UpdateField>> {
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
                // For a single key an update that only takes a new owner's snapshot may be intended.
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

    /// Returns the reason why the plan can't be carried out with these confirmations; `None` if it can.
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

    /// Returns `true` if all planned keys are cross-cluster keys, which have no owner's snapshot.
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
        UpdatePlan::work_out(keys, &draft.check(Timestamp::EPOCH, &TimeZone::UTC).unwrap(), None, Timestamp::EPOCH)
            .unwrap()
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
