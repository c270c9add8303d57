//! Progress of a rotation, and its messages.

use crate::{
    model::{api_key::KeyId, update::Change},
    ops::secret::try_key::Trial,
};

/// Comparison of the privileges of the successor's owner with the owner's snapshot in the old key.
#[derive(Clone, Debug)]
pub enum Rights {
    /// Equal privileges.
    Same,
    /// Different privileges, with the changes.
    Differ(Vec<Change>),
    /// Unknown, for this reason.
    NotKnown(String),
}

/// Progress of a rotation: what was done or found out.
#[derive(Clone, Debug)]
pub enum RotationProgress {
    /// Rotation of this id begun and saved.
    Begun(String),
    /// Search on the cluster for the result of an earlier request.
    Looking,
    /// Key without a known secret, invalidated and read again.
    StrayEnded(KeyId),
    /// Successor of a canceled rotation, invalidated and read again.
    SuccessorEnded {
        /// Id of the successor.
        id: KeyId,
        /// `true` if somebody may have its secret, according to the saved rotation.
        may_be_known: bool,
    },
    /// Successor that signed in.
    Tried {
        /// Id of the successor.
        id: KeyId,
        /// Result of asking for its privileges; `None` if its workflow lets it ask for nothing.
        trial: Option<Trial>,
    },
    /// Successor whose secret a person confirmed to have; it was not tried.
    Said(KeyId),
    /// Number of intents in the journal that an interrupted run left open, and that have their outcome now.
    Cleared(usize),
    /// Comparison of the owner's snapshots, now that the successor's was taken.
    Rights(Rights),
    /// Doubt about the new successor: something differs from the request, or is not known.
    Doubt(String),
    /// Old key that has ended while its saved successor is not proved to be one, with the reason.
    NotProved(String),
    /// Lineage written: the old key's metadata names its successor now.
    LineageWritten,
    /// Lineage not written: the old key's metadata does not name its successor, for this reason.
    LineageNotWritten(String),
    /// Lineage left as it is: the old key's metadata still names the successor of a canceled rotation, for this reason.
    LineageStays(String),
}

impl RotationProgress {
    /// Returns the message for a person.
    pub fn words(&self) -> String {
        match self {
            Self::Begun(id) => format!("Rotation {id} is saved: it can be resumed after any interruption"),
            Self::Looking => "Asking the cluster for the outcome of the earlier request".into(),
            Self::StrayEnded(id) => {
                format!(
                    "Key {id} was created for this rotation, and nobody knows its secret: it was invalidated and read \
                     back"
                )
            }
            Self::SuccessorEnded { id, may_be_known: true } => {
                format!("The successor {id} was invalidated and read back")
            }
            Self::SuccessorEnded { id, may_be_known: false } => {
                format!("The successor {id}, whose secret was given to nobody, was invalidated and read back")
            }
            Self::Tried { id, trial: None } => {
                format!("Tested: {id} signs in; its workflow allows no further checks")
            }
            Self::Tried { id, trial: Some(trial) } => {
                format!("Tested: {id} signs in as {} ({} ms)", trial.identity.username, trial.took)
            }
            Self::Said(id) => format!("{id} was not tested here: you confirmed that you have its secret"),
            Self::Cleared(1) => "The outcome of 1 interrupted step is now in the journal".into(),
            Self::Cleared(count) => {
                format!("The outcomes of {count} interrupted steps are now in the journal")
            }
            Self::Rights(Rights::Same) => "The successor is limited by the same owner privileges as the old key".into(),
            Self::Rights(Rights::Differ(changes)) => {
                format!("The successor is limited by different privileges than the old key: {}", change_words(changes))
            }
            Self::Rights(Rights::NotKnown(why)) => {
                format!("Whether it is limited by the same privileges is not known: {why}")
            }
            Self::Doubt(words) | Self::NotProved(words) => words.clone(),
            Self::LineageWritten => "The old key's metadata names its successor".into(),
            Self::LineageNotWritten(why) => format!("The old key's metadata does not name its successor: {why}"),
            Self::LineageStays(why) => {
                format!("The old key's metadata still names the successor of the canceled rotation: {why}")
            }
        }
    }
}

/// Formats the first 5 changes, and counts the rest.
pub fn change_words(changes: &[Change]) -> String {
    const SHOWN: usize = 5;
    let one = |change: &Change| match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("{} {old} → {new}", change.path),
        (Some(old), None) => format!("{} removed (was {old})", change.path),
        (None, new) => format!("{} added {}", change.path, new.as_deref().unwrap_or_default()),
    };
    let mut words: Vec<String> = changes.iter().take(SHOWN).map(one).collect();
    if changes.len() > SHOWN {
        words.push(format!("and {} more", changes.len() - SHOWN));
    }
    words.join("; ")
}
