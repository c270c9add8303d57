//! Rotation of a key: a successor replaces it, over days if need be. Holds the record written between the steps and the
//! order of the states. Uses no clock and no disk, and never holds a secret.

mod outlook;
mod parts;
pub mod successor;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{TimeDelta, Timestamp, api_key::KeyId, text::json};

pub use outlook::{KeyState, Outlook};
pub use parts::{ClusterRef, Destination, Ended, Lineage, OldKey, Person, Tried};

/// Version of the format in which rotations are stored.
pub const VERSION: u64 = 1;

/// State of a rotation. Each state is stored before the next step is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum State {
    /// Request for the successor may have been sent.
    Planned,
    /// Successor exists; nobody has its secret yet.
    Created {
        /// Id of the successor.
        successor: KeyId,
    },
    /// Secret is being handed over: somebody may have it.
    HandingOver {
        /// Id of the successor.
        successor: KeyId,
    },
    /// Secret has reached its destination; it was not tried yet.
    HandedOver {
        /// Id of the successor.
        successor: KeyId,
    },
    /// Grace period: both keys work until the old one is due.
    Grace {
        /// Id of the successor.
        successor: KeyId,
        /// Time from which the old key may be invalidated, by this machine's clock.
        due: Timestamp,
        /// Evidence that the successor works.
        tried: Tried,
    },
    /// Request to invalidate the old key may have been sent.
    Ending {
        /// Id of the successor.
        successor: KeyId,
        /// Evidence that the successor works.
        tried: Tried,
    },
    /// Old key was read again and can no longer sign in.
    Done {
        /// Id of the successor.
        successor: KeyId,
        /// Time at which the old key was read.
        proved_at: Timestamp,
        /// End of the old key: how it came about.
        how: Ended,
    },
    /// Canceled rotation: the old key stays.
    Abandoned {
        /// Id of the successor, if there was one.
        successor: Option<KeyId>,
        /// `true` if the successor was left valid.
        kept: bool,
        /// Time of the cancellation.
        at: Timestamp,
    },
}

impl State {
    /// Returns the name of the state as shown in tables.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Created { .. } => "created",
            Self::HandingOver { .. } => "handing over",
            Self::HandedOver { .. } => "handed over",
            Self::Grace { .. } => "grace",
            Self::Ending { .. } => "ending",
            Self::Done { .. } => "done",
            Self::Abandoned { .. } => "canceled",
        }
    }
}

/// Stored record of one rotation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    version: u64,
    /// Id, unique on this machine.
    pub id: String,
    /// Batch id shared by rotations that were requested together; `None` if the rotation belongs to no batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// Cluster of both keys.
    pub cluster: ClusterRef,
    /// Time at which the rotation began, by this machine's clock.
    pub begun_at: Timestamp,
    /// Key to be replaced.
    pub old: OldKey,
    /// User who creates the successor and so owns it.
    pub maker: Person,
    /// Name of the successor.
    pub name: String,
    /// Expiration of the successor as requested: a time span from its creation (`90d`), a point in time, or `never`.
    pub expiration: String,
    /// Grace period during which both keys work.
    pub grace: TimeDelta,
    /// Destination of the successor's secret.
    pub place: Destination,
    /// Ids of the requests for a successor, the newest last: they identify a key whose response was lost.
    pub requests: Vec<String>,
    /// Keys that were created for this rotation and invalidated again, because nobody had their secret.
    #[serde(default)]
    pub strays: Vec<KeyId>,
    /// Other successors of the old key that were valid when this rotation began, and were accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<KeyId>,
    /// State of the successor's entry in the old key's metadata.
    #[serde(default)]
    pub lineage: Lineage,
    /// State of the rotation.
    pub state: State,
    /// Fields that a later release may have added to this version; kept unchanged.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Input for a new rotation.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Id, unique on this machine.
    pub id: String,
    /// Batch id shared by rotations that are requested together; `None` if the rotation belongs to no batch.
    pub batch: Option<String>,
    /// Cluster of both keys.
    pub cluster: ClusterRef,
    /// Start time, by this machine's clock.
    pub at: Timestamp,
    /// Key to be replaced.
    pub old: OldKey,
    /// User who creates the successor.
    pub maker: Person,
    /// Name of the successor.
    pub name: String,
    /// Expiration of the successor as requested; see [`Rotation::expiration`].
    pub expiration: String,
    /// Grace period during which both keys work.
    pub grace: TimeDelta,
    /// Destination of the successor's secret.
    pub place: Destination,
    /// Id of the first request for a successor.
    pub request: String,
}

/// Error for a step that may not follow the current state of the rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rotation is “{is}” and can't become “{wanted}”")]
pub struct OutOfTurn {
    is: &'static str,
    wanted: &'static str,
}

/// Error for a text that is no rotation that can be resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Truncated or changed text, or something else altogether.
    #[error("it is not a rotation: {0}")]
    Unreadable(String),
    /// Rotation written by a later release, with its version.
    #[error("it is version {0}, but this Keybearer reads {VERSION}: use the newer one")]
    Newer(u64),
}

/// Next step of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Check the outcome of earlier requests, then create a successor.
    Make,
    /// Sign in with the successor.
    Try,
    /// Wait until this time, by this machine's clock.
    Wait(Timestamp),
    /// Invalidate the old key.
    End,
    /// Finished: no step is left.
    Nothing,
}

impl Rotation {
    /// Creates a rotation in the state [`State::Planned`], before any request is sent.
    pub fn new(from: Beginning) -> Self {
        Self {
            version: VERSION,
            id: from.id,
            batch: from.batch,
            cluster: from.cluster,
            begun_at: from.at,
            old: from.old,
            maker: from.maker,
            name: from.name,
            expiration: from.expiration,
            grace: from.grace,
            place: from.place,
            requests: vec![from.request],
            strays: Vec::new(),
            accepted: Vec::new(),
            lineage: Lineage::Open,
            state: State::Planned,
            rest: Map::new(),
        }
    }

    /// Reads a rotation that [`Rotation::text`] has written.
    ///
    /// # Errors
    /// [`ReadError`]; a later version is refused, not guessed at.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        let unreadable = |error: serde_json::Error| ReadError::Unreadable(error.to_string());
        let nested = || ReadError::Unreadable("it is not JSON, or nested too deep".into());
        let value = json::value(text).ok_or_else(nested)?;
        match value.get("version").and_then(Value::as_u64) {
            Some(VERSION) => serde_json::from_value(value).map_err(unreadable),
            Some(version) if version > VERSION => Err(ReadError::Newer(version)),
            _ => Err(ReadError::Unreadable("it has no version".into())),
        }
    }

    /// Formats the rotation as JSON, for storing it.
    ///
    /// # Errors
    /// Returns an error if the path of a destination file is not valid UTF-8.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// Returns the id of the successor, once there is one.
    pub fn successor(&self) -> Option<&KeyId> {
        match &self.state {
            State::Planned => None,
            State::Created { successor }
            | State::HandingOver { successor }
            | State::HandedOver { successor }
            | State::Grace { successor, .. }
            | State::Ending { successor, .. }
            | State::Done { successor, .. } => Some(successor),
            State::Abandoned { successor, .. } => successor.as_ref(),
        }
    }

    /// Returns the id of the newest request for a successor.
    pub fn request(&self) -> &str {
        self.requests.last().map_or("", String::as_str)
    }

    /// Returns the time at which the old key is due; `None` outside the grace period.
    pub fn due(&self) -> Option<Timestamp> {
        match self.state {
            State::Grace { due, .. } => Some(due),
            _ => None,
        }
    }

    /// Returns the next step. `now` is this machine's clock.
    pub fn next(&self, now: Timestamp) -> Next {
        match self.state {
            State::Planned | State::Created { .. } | State::HandingOver { .. } => Next::Make,
            State::HandedOver { .. } => Next::Try,
            State::Grace { due, .. } if now < due => Next::Wait(due),
            State::Grace { .. } | State::Ending { .. } => Next::End,
            State::Done { .. } | State::Abandoned { .. } => Next::Nothing,
        }
    }

    /// Returns `true` if no step is left: the rotation is done or canceled.
    pub fn is_finished(&self) -> bool {
        self.next(Timestamp::EPOCH) == Next::Nothing
    }

    /// Records that a successor was created.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn created(&mut self, successor: KeyId) -> Result<(), OutOfTurn> {
        match self.state {
            State::Planned => self.set(State::Created { successor }),
            _ => self.refuse("created"),
        }
    }

    /// Records a further request for a successor: the one created before is or will be invalidated, because nobody has
    /// its secret.
    ///
    /// # Errors
    /// [`OutOfTurn`] once the secret was handed over.
    pub fn plan_again(&mut self, request: String) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Planned | State::Created { .. } | State::HandingOver { .. } => {
                self.requests.push(request);
                self.set(State::Planned)
            }
            _ => self.refuse("planned"),
        }
    }

    /// Adds keys that were created for this rotation and invalidated again; each is kept once.
    pub fn add_strays(&mut self, strays: &[KeyId]) {
        for id in strays {
            if !self.strays.contains(id) {
                self.strays.push(id.clone());
            }
        }
    }

    /// Records that from now on somebody may have the secret.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn hand_over_begins(&mut self) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Created { successor } => self.set(State::HandingOver { successor: successor.clone() }),
            _ => self.refuse("handing over"),
        }
    }

    /// Records that the secret reached nobody after all.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn hand_over_failed(&mut self) -> Result<(), OutOfTurn> {
        match &self.state {
            State::HandingOver { successor } => self.set(State::Created { successor: successor.clone() }),
            _ => self.refuse("created"),
        }
    }

    /// Records that the secret has reached its destination. `successor` is the key that the secret belongs to: it may
    /// be known from the destination only.
    ///
    /// # Errors
    /// [`OutOfTurn`], also if another successor is known already.
    pub fn handed_over(&mut self, successor: KeyId) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Planned => self.set(State::HandedOver { successor }),
            State::Created { successor: known } | State::HandingOver { successor: known } if *known == successor => {
                self.set(State::HandedOver { successor })
            }
            _ => self.refuse("handed over"),
        }
    }

    /// Records that the successor works; the grace period begins at `at`, by this machine's clock.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn tried(&mut self, tried: Tried, at: Timestamp) -> Result<(), OutOfTurn> {
        match &self.state {
            State::HandedOver { successor } => {
                let due = at + self.grace;
                self.set(State::Grace { successor: successor.clone(), due, tried })
            }
            _ => self.refuse("grace"),
        }
    }

    /// Records that the request to invalidate the old key is about to be sent.
    ///
    /// # Errors
    /// [`OutOfTurn`]; the caller checks whether the old key is due.
    pub fn ending(&mut self) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Grace { successor, tried, .. } | State::Ending { successor, tried } => {
                self.set(State::Ending { successor: successor.clone(), tried: *tried })
            }
            _ => self.refuse("ending"),
        }
    }

    /// Records that the old key was seen to have ended.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn done(&mut self, proved_at: Timestamp, how: Ended) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Grace { successor, .. } | State::Ending { successor, .. } => {
                self.set(State::Done { successor: successor.clone(), proved_at, how })
            }
            _ => self.refuse("done"),
        }
    }

    /// Records that the rotation was canceled. `kept` is `true` if the successor was left valid.
    ///
    /// # Errors
    /// [`OutOfTurn`] if the rotation is finished.
    pub fn abandoned(&mut self, kept: bool, at: Timestamp) -> Result<(), OutOfTurn> {
        if self.is_finished() {
            return self.refuse("canceled");
        }
        let successor = self.successor().cloned();
        self.set(State::Abandoned { successor, kept, at })
    }

    fn set(&mut self, state: State) -> Result<(), OutOfTurn> {
        self.state = state;
        Ok(())
    }

    fn refuse(&self, wanted: &'static str) -> Result<(), OutOfTurn> {
        Err(OutOfTurn { is: self.state.word(), wanted })
    }
}

#[cfg(test)]
mod tests;
