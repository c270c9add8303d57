//! Jobs of the forms other than creating a key of one's own.

use super::Answer;
use crate::{
    client::CreatedKey,
    model::create::clone::CloneKey,
    ops::{
        Session,
        create::{
            new_key::{self, NewKeyError},
            offered::{self, MissingCapabilities},
        },
    },
};

/// A task of a form.
#[derive(Debug)]
pub enum FormTask {
    /// Read what can't be created on the cluster, and which capability is missing for it.
    Offers(Box<Session>),
    /// Copy a key.
    Clone(Box<Session>, Box<CloneKey>),
}

/// Answer to a form's task.
#[derive(Debug)]
pub enum FormAnswer {
    /// Capabilities that are missing.
    Offers(MissingCapabilities),
    /// The copy of a key, or why there is none.
    Cloned(Result<Box<CreatedKey>, Box<NewKeyError>>),
}

impl FormTask {
    /// Returns `true` if the task changes a cluster.
    pub(super) fn is_write(&self) -> bool {
        matches!(self, Self::Clone(..))
    }
}

pub(super) async fn run(task: FormTask) -> Answer {
    match task {
        FormTask::Offers(session) => Answer::Form(FormAnswer::Offers(offered::read(&session).await)),
        FormTask::Clone(session, clone) => {
            let cloned = new_key::copy(&session, &clone).await;
            Answer::Form(FormAnswer::Cloned(cloned.map(Box::new).map_err(Box::new)))
        }
    }
}
