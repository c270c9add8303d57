//! What is told while a rotation goes on, in words.

use crate::model::{api_key::KeyId, update::Change};

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
pub enum News {
    /// The cluster is asked what became of an earlier request.
    Looking,
    /// A key without a known secret was ended, and read again.
    StrayEnded(KeyId),
    /// The snapshot of the rights, now that it was taken.
    Rights(Rights),
    /// The old key's metadata names its successor now.
    LineageWritten,
    /// It doesn't, and why.
    LineageNotWritten(String),
    /// It goes on naming a successor that is given up, and why.
    LineageStays(String),
}

impl News {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Looking => "Asking the cluster what became of the earlier request".into(),
            Self::StrayEnded(id) => {
                format!("Key {id} was made before, and nobody knows its secret: it is invalidated, and was read again")
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
            Self::LineageWritten => "The old key's metadata names its successor".into(),
            Self::LineageNotWritten(why) => format!("The old key's metadata does not name its successor: {why}"),
            Self::LineageStays(why) => {
                format!("The old key's metadata still names the successor that is given up: {why}")
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
