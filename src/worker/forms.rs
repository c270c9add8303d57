//! Jobs of the forms beyond creating a key of one's own.

use super::Answer;
use crate::{
    client::CreatedKey,
    model::{api_key::KeyId, cloning::CloneKey, cross_cluster::CrossClusterUpdate},
    ops::{
        Session, cross_cluster,
        new_key::{self, NotMade},
        offered::{self, Offered},
    },
};

/// What to do.
#[derive(Debug)]
pub enum FormTask {
    /// Read what can't be done here, and what is missing for it.
    Offers(Box<Session>),
    /// Copy a key.
    Clone(Box<Session>, Box<CloneKey>),
    /// Update a cross-cluster key.
    UpdateCross(Box<Session>, KeyId, Box<CrossClusterUpdate>),
}

/// What became of it.
#[derive(Debug)]
pub enum FormAnswer {
    /// What is missing.
    Offers(Offered),
    /// A key was copied, or not.
    Cloned(Result<Box<CreatedKey>, Box<NotMade>>),
}

impl FormTask {
    /// Whether it changes a cluster.
    pub(super) fn is_write(&self) -> bool {
        matches!(self, Self::Clone(..) | Self::UpdateCross(..))
    }
}

pub(super) async fn run(task: FormTask) -> Answer {
    match task {
        FormTask::Offers(session) => Answer::Form(FormAnswer::Offers(offered::read(&session).await)),
        FormTask::Clone(session, clone) => {
            let cloned = new_key::copy(&session, &clone).await;
            Answer::Form(FormAnswer::Cloned(cloned.map(Box::new).map_err(Box::new)))
        }
        FormTask::UpdateCross(session, id, update) => {
            Answer::Updated(cross_cluster::update(&session, &[(id, *update)]).await)
        }
    }
}
