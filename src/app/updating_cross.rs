//! Updating a cross-cluster key: the same dialog, with access in place of descriptors.

use super::{
    Updating,
    updating::{CrossUpdate, Review},
};
use crate::{
    model::{Millis, api_key::ApiKey, update_draft::UpdateDraft},
    worker::{FormTask, Task},
};

impl Updating {
    /// Whether it is about a cross-cluster key.
    pub fn cross(&self) -> Option<&ApiKey> {
        let key = &self.before.value()?.key;
        (key.kind == crate::model::api_key::KeyKind::CrossCluster).then_some(key)
    }

    /// What would be different about it; what is wrong is kept with the form.
    pub(super) fn review_cross(&mut self, draft: &UpdateDraft, key: &ApiKey, now: Millis, zone: &jiff::tz::TimeZone) {
        let mut review = Review::default();
        match draft.cross(key, now, zone) {
            Err(slips) => return self.slips = slips,
            Ok(None) => review.unchanged = 1,
            Ok(Some(update)) => {
                let changes = update.diff(key, now);
                review.lose_metadata = usize::from(changes.wipes_metadata);
                review.changes.push((key.clone(), changes));
                review.cross = Some(CrossUpdate { id: key.id.clone(), update });
            }
        }
        self.review = Some(review);
    }
}

impl CrossUpdate {
    /// The job that sends it.
    pub(super) fn task(&self, session: crate::ops::Session) -> Task {
        Task::Form(FormTask::UpdateCross(Box::new(session), self.id.clone(), Box::new(self.update.clone())))
    }
}
