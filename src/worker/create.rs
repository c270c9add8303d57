//! Jobs of the forms beyond creating a key of one's own.

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

/// What to do.
#[derive(Debug)]
pub enum FormTask {
    /// Read what can't be done here, and what is missing for it.
    Offers(Box<Session>),
    /// Copy a key.
    Clone(Box<Session>, Box<CloneKey>),
}

/// What became of it.
#[derive(Debug)]
pub enum FormAnswer {
    /// What is missing.
    Offers(MissingCapabilities),
    /// A key was copied, or not.
    Cloned(Result<Box<CreatedKey>, Box<NewKeyError>>),
}

impl FormTask {
    /// Whether it changes a cluster.
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
