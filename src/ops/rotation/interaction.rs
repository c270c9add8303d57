//! Front end of a rotation: what it asks a person, and where it delivers a secret.

use std::path::Path;

use super::{CreatedSuccessor, EndPlan, RotationProgress, destination};
use crate::{
    model::rotation::{Destination, Rotation},
    ops::keys::last_use::{NotKnown, Uses},
    store::secret_file::SecretFile,
};

/// Front end of a rotation: the window or the command line.
pub trait Interaction: Send {
    /// Shows what was done or found out.
    fn progress(&mut self, report: RotationProgress);

    /// `true` if a secret that goes to a person would reach somebody. Asked before a successor is created for it.
    fn can_deliver(&mut self) -> bool;

    /// Delivers the secret of a successor to a person. No key is ended before the secret was delivered.
    fn deliver(&mut self, rotation: &Rotation, made: &CreatedSuccessor) -> Delivery;

    /// Reports that the secret was written to a file. Does nothing by default.
    fn delivered(&mut self, _rotation: &Rotation, _made: &CreatedSuccessor, _file: &Path) {}

    /// Asks whether a resumed rotation is to be ended now, as `plan` says. Returns `true` for yes.
    fn confirm_end(&mut self, rotation: &Rotation, plan: EndPlan, uses: &Result<Uses, NotKnown>) -> bool;
}

/// Result of delivering a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Secret written to its destination.
    Arrived,
    /// Secret on display; the person has yet to confirm that they have it.
    Shown,
    /// Failed delivery, with the reason: nobody has the secret.
    Failed(String),
}

/// Destination of the secret of a successor.
#[derive(Debug)]
pub enum OpenDestination {
    /// A new file that only its owner may read.
    File(SecretFile),
    /// A person, by [`Interaction::deliver`].
    Person(Destination),
}

impl OpenDestination {
    /// Creates a new file for the secret at `path`, which is made absolute.
    ///
    /// # Errors
    /// Returns an error if the file exists already, if the path is not UTF-8, and on any other I/O error.
    pub fn file(path: &Path) -> std::io::Result<Self> {
        Ok(Self::File(SecretFile::create(&destination::absolute(path)?)?))
    }

    pub(super) fn place(&self) -> Destination {
        match self {
            Self::File(file) => Destination::File { path: file.path().to_owned() },
            Self::Person(place) => place.clone(),
        }
    }
}
