//! What is told while a rotation goes on, in words.

use crate::{
    model::{api_key::KeyId, update::Change},
    ops::secret::try_key::Trial,
};

/// How the rights of the successor's owner compare to those that the old key took from its own.
#[derive(Clone, Debug)]
pub enum Rights {
    /// They are the same.
    Same,
    /// They are not.
    Differ(Vec<Change>),
    /// Why it can't be told.
    NotKnown(String),
}

/// What is told while a rotation goes on.
#[derive(Clone, Debug)]
pub enum RotationProgress {
    /// The rotation of this id is written down.
    Begun(String),
    /// The cluster is asked what became of an earlier request.
    Looking,
    /// A key without a known secret was ended, and read again.
    StrayEnded(KeyId),
    /// The successor of a rotation that is canceled was ended, and read again.
    SuccessorEnded {
        /// Id of the successor.
        id: KeyId,
        /// `true` if somebody may have its secret, as far as is written down.
        may_be_known: bool,
    },
    /// The successor signed in; `None` where its workflow lets it ask no more than that.
    Tried {
        /// Id of the successor.
        id: KeyId,
        /// Result of asking for its privileges.
        trial: Option<Trial>,
    },
    /// The person says that they have the secret; it was not tried.
    Said(KeyId),
    /// Intents in the journal that an interrupted run left open, and that have their outcome now.
    Cleared(usize),
    /// The snapshot of the rights, now that it was taken.
    Rights(Rights),
    /// Something about the successor that was made is not as it was asked for, or not known.
    Doubt(String),
    /// The old key has ended, and the key that is written down as its successor is not proved to be that. The reason.
    NotProved(String),
    /// The old key's metadata names its successor now.
    LineageWritten,
    /// It doesn't, and why.
    LineageNotWritten(String),
    /// It goes on naming the successor of a rotation that is canceled, and why.
    LineageStays(String),
}

impl RotationProgress {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Begun(id) => format!("Rotation {id} is written down: whatever interrupts it, it can be resumed"),
            Self::Looking => "Asking the cluster what became of the earlier request".into(),
            Self::StrayEnded(id) => {
                format!(
                    "Key {id} was made for this rotation, and nobody knows its secret: it is invalidated, and was read again"
                )
            }
            Self::SuccessorEnded { id, may_be_known: true } => {
                format!("The successor {id} is invalidated, and was read again")
            }
            Self::SuccessorEnded { id, may_be_known: false } => {
                format!("The successor {id}, whose secret was given to nobody, is invalidated, and was read again")
            }
            Self::Tried { id, trial: None } => {
                format!("Tried: {id} signs in; its workflow lets it ask no more than that")
            }
            Self::Tried { id, trial: Some(trial) } => {
                format!("Tried: {id} signs in as {} ({} ms)", trial.identity.username, trial.took)
            }
            Self::Said(id) => format!("{id} was not tried here: you say that you have its secret"),
            Self::Cleared(1) => "1 step that was interrupted has its outcome in the journal now".into(),
            Self::Cleared(count) => {
                format!("{count} steps that were interrupted have their outcomes in the journal now")
            }
            Self::Rights(Rights::Same) => {
                "The successor is limited by the same rights of its owner as the old key".into()
            }
            Self::Rights(Rights::Differ(changes)) => {
                format!("The successor is limited by other rights than the old key: {}", change_words(changes))
            }
            Self::Rights(Rights::NotKnown(why)) => {
                format!("Whether it is limited by the same rights is not known: {why}")
            }
            Self::Doubt(words) | Self::NotProved(words) => words.clone(),
            Self::LineageWritten => "The old key's metadata names its successor".into(),
            Self::LineageNotWritten(why) => format!("The old key's metadata does not name its successor: {why}"),
            Self::LineageStays(why) => {
                format!("The old key's metadata still names the successor of the rotation that is canceled: {why}")
            }
        }
    }
}

/// The first differences in words, the rest counted.
pub fn change_words(changes: &[Change]) -> String {
    const SHOWN: usize = 5;
    let one = |change: &Change| match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("{} {old} → {new}", change.path),
        (Some(old), None) => format!("{} gone (was {old})", change.path),
        (None, new) => format!("{} new {}", change.path, new.as_deref().unwrap_or_default()),
    };
    let mut words: Vec<String> = changes.iter().take(SHOWN).map(one).collect();
    if changes.len() > SHOWN {
        words.push(format!("and {} more", changes.len() - SHOWN));
    }
    words.join("; ")
}
