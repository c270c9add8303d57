//! A rotation: a key that a successor takes the place of, over days if need be. What is written down of it
//! between the steps, and which step may follow which. It knows no clock, no disk, and never a secret.

mod outlook;
mod parts;
pub mod successor;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Millis, api_key::KeyId, text::json};

pub use outlook::{KeyState, Outlook};
pub use parts::{ClusterRef, Destination, Ended, Lineage, OldKey, Person, Tried};

/// The form in which rotations are written down.
pub const VERSION: u64 = 1;

/// How far a rotation is. Each is written down before the next step is taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum State {
    /// A request for the successor may have left.
    Planned,
    /// The successor exists; nobody has been told its secret.
    Created {
        /// Its id.
        successor: KeyId,
    },
    /// The secret is just being told: somebody may have it.
    HandingOver {
        /// Its id.
        successor: KeyId,
    },
    /// The secret has arrived where it was to go; it was not tried yet.
    HandedOver {
        /// Its id.
        successor: KeyId,
    },
    /// Both keys work, until the old one is due.
    Grace {
        /// Its id.
        successor: KeyId,
        /// From when on the old key may be ended, by this machine's clock.
        due: Millis,
        /// How it is known that the successor works.
        tried: Tried,
    },
    /// The request to invalidate the old key may have left.
    Ending {
        /// Its id.
        successor: KeyId,
        /// How it is known that the successor works.
        tried: Tried,
    },
    /// The old key was read again and can't sign in any more.
    Done {
        /// Its id.
        successor: KeyId,
        /// When it was read.
        proved_at: Millis,
        /// How it ended.
        how: Ended,
    },
    /// Given up: the old key stays.
    Abandoned {
        /// The successor, if there was one.
        successor: Option<KeyId>,
        /// Whether the successor was left valid.
        kept: bool,
        /// When.
        at: Millis,
    },
}

impl State {
    /// The word for it, as in files and tables.
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

/// One rotation, as it is written down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotation {
    version: u64,
    /// Unique on this machine.
    pub id: String,
    /// The same for those that were asked for together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// Where.
    pub cluster: ClusterRef,
    /// When it was begun, by this machine's clock.
    pub begun_at: Millis,
    /// The key to be replaced.
    pub old: OldKey,
    /// Who makes the successor, which then is theirs.
    pub maker: Person,
    /// The name of the successor.
    pub name: String,
    /// Its end as it is asked for: a span from its creation (`90d`), a moment, or `never`.
    pub expiration: String,
    /// How long both keys work, in milliseconds.
    pub grace: Millis,
    /// Where the secret goes.
    pub place: Destination,
    /// The ids of the requests for a successor, the newest last: by them a key is found whose answer was lost.
    pub requests: Vec<String>,
    /// Keys that were made for this and ended again, because nobody knew their secret.
    #[serde(default)]
    pub strays: Vec<KeyId>,
    /// Other successors of the old key that were valid when this rotation began, and were accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<KeyId>,
    /// Whether the old key names the successor.
    #[serde(default)]
    pub lineage: Lineage,
    /// How far it is.
    pub state: State,
    /// What a later release may have added to this version; kept as it is.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// What a new rotation begins with.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Unique.
    pub id: String,
    /// For those that are asked for together.
    pub batch: Option<String>,
    /// Where.
    pub cluster: ClusterRef,
    /// By this machine's clock.
    pub at: Millis,
    /// The key to be replaced.
    pub old: OldKey,
    /// Who makes the successor.
    pub maker: Person,
    /// The name of the successor.
    pub name: String,
    /// Its end.
    pub expiration: String,
    /// How long both keys work, in milliseconds.
    pub grace: Millis,
    /// Where the secret goes.
    pub place: Destination,
    /// The id of the first request.
    pub request: String,
}

/// A step that may not follow the state that a rotation is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the rotation is “{is}”, and can't be made “{wanted}”")]
pub struct OutOfTurn {
    is: &'static str,
    wanted: &'static str,
}

/// Why a text is no rotation that can be gone on with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Cut off, changed, or something else altogether.
    #[error("it is no rotation: {0}")]
    Unreadable(String),
    /// Written by a later release.
    #[error("it is of version {0}, and this Keybearer reads {VERSION}: use the newer one")]
    Newer(u64),
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Find out what became of the request, then make a successor.
    Make,
    /// Sign in with the successor.
    Try,
    /// Nothing before this moment.
    Wait(Millis),
    /// Invalidate the old key.
    End,
    /// It is at its end.
    Nothing,
}

impl Rotation {
    /// A new one, of which nothing was sent yet.
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

    /// Reads what [`Rotation::text`] has written.
    ///
    /// # Errors
    /// [`ReadError`]; of a later version nothing is guessed.
    pub fn read(text: &str) -> Result<Self, ReadError> {
        let unreadable = |error: serde_json::Error| ReadError::Unreadable(error.to_string());
        let nested = || ReadError::Unreadable("it is not JSON, or nested too deep".into());
        let value = json::value(text).ok_or_else(nested)?;
        match value.get("version").and_then(Value::as_u64) {
            Some(VERSION) => serde_json::from_value(value).map_err(unreadable),
            Some(version) if version > VERSION => Err(ReadError::Newer(version)),
            _ => Err(ReadError::Unreadable("it names no version".into())),
        }
    }

    /// As it is written down.
    ///
    /// # Errors
    /// When the path of a secret's file is no text.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self)
    }

    /// The successor, once there is one.
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

    /// The id of the newest request for a successor.
    pub fn request(&self) -> &str {
        self.requests.last().map_or("", String::as_str)
    }

    /// When the old key is due; `None` before the grace period and after the end.
    pub fn due(&self) -> Option<Millis> {
        match self.state {
            State::Grace { due, .. } => Some(due),
            _ => None,
        }
    }

    /// What comes next. `now` is this machine's clock.
    pub fn next(&self, now: Millis) -> Next {
        match self.state {
            State::Planned | State::Created { .. } | State::HandingOver { .. } => Next::Make,
            State::HandedOver { .. } => Next::Try,
            State::Grace { due, .. } if now < due => Next::Wait(due),
            State::Grace { .. } | State::Ending { .. } => Next::End,
            State::Done { .. } | State::Abandoned { .. } => Next::Nothing,
        }
    }

    /// Whether nothing is left to do.
    pub fn is_finished(&self) -> bool {
        self.next(0) == Next::Nothing
    }

    /// A successor was made.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn created(&mut self, successor: KeyId) -> Result<(), OutOfTurn> {
        match self.state {
            State::Planned => self.set(State::Created { successor }),
            _ => self.refuse("created"),
        }
    }

    /// What was made is or will be ended, because nobody knows its secret; another request follows.
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

    /// Notes keys that were made for this and ended again.
    pub fn add_strays(&mut self, strays: &[KeyId]) {
        for id in strays {
            if !self.strays.contains(id) {
                self.strays.push(id.clone());
            }
        }
    }

    /// From now on somebody may have the secret.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn hand_over_begins(&mut self) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Created { successor } => self.set(State::HandingOver { successor: successor.clone() }),
            _ => self.refuse("handing over"),
        }
    }

    /// The secret reached nobody after all.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn hand_over_failed(&mut self) -> Result<(), OutOfTurn> {
        match &self.state {
            State::HandingOver { successor } => self.set(State::Created { successor: successor.clone() }),
            _ => self.refuse("created"),
        }
    }

    /// The secret is where it was to go. `successor` is what it belongs to: it may be known from there only.
    ///
    /// # Errors
    /// [`OutOfTurn`], also for another successor than the one that is known.
    pub fn handed_over(&mut self, successor: KeyId) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Planned => self.set(State::HandedOver { successor }),
            State::Created { successor: known } | State::HandingOver { successor: known } if *known == successor => {
                self.set(State::HandedOver { successor })
            }
            _ => self.refuse("handed over"),
        }
    }

    /// The successor works; the grace period begins at `at`, by this machine's clock.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn tried(&mut self, tried: Tried, at: Millis) -> Result<(), OutOfTurn> {
        match &self.state {
            State::HandedOver { successor } => {
                let due = at.saturating_add(self.grace);
                self.set(State::Grace { successor: successor.clone(), due, tried })
            }
            _ => self.refuse("grace"),
        }
    }

    /// The request to invalidate the old key is about to leave.
    ///
    /// # Errors
    /// [`OutOfTurn`]; whether it is due is the caller's business.
    pub fn ending(&mut self) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Grace { successor, tried, .. } | State::Ending { successor, tried } => {
                self.set(State::Ending { successor: successor.clone(), tried: *tried })
            }
            _ => self.refuse("ending"),
        }
    }

    /// The old key was seen to be ended.
    ///
    /// # Errors
    /// [`OutOfTurn`].
    pub fn done(&mut self, proved_at: Millis, how: Ended) -> Result<(), OutOfTurn> {
        match &self.state {
            State::Grace { successor, .. } | State::Ending { successor, .. } => {
                self.set(State::Done { successor: successor.clone(), proved_at, how })
            }
            _ => self.refuse("done"),
        }
    }

    /// It is given up. `kept` tells whether the successor was left valid.
    ///
    /// # Errors
    /// [`OutOfTurn`] at the end.
    pub fn abandoned(&mut self, kept: bool, at: Millis) -> Result<(), OutOfTurn> {
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
