//! Successors whose rotation can't be written down, or can't be compared with others: no key stays valid whose secret
//! nobody has, and what is true of it is said.

use keybearer::{
    model::{
        api_key::{ApiKey, KeyId},
        rotation::{Destination, Rotation, State},
    },
    ops::{
        Problem, Session, create,
        keys::{
            last_use::{NotKnown, Uses},
            list,
        },
        rotation::{
            self, Consent, CreatedSuccessor, Delivery, EndPlan, Interaction, OpenDestination, RotationOptions,
            RotationProgress,
            driver::{self, Outcome},
        },
    },
    store::rotation::Rotations,
};

use crate::{
    client_servers::{in_time, key},
    front::Front,
};

/// When the disk stops taking the state of a rotation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Full {
    /// When the successor was made, and before its secret is delivered.
    BeforeDelivery,
    /// While the secret is delivered, which fails.
    FailedDelivery,
    /// While the secret is delivered, which works.
    Delivery,
}

/// File to which the last state that could be written is moved.
const KEPT: &str = "kept";

/// A front end beside which a disk fills up.
struct Filling {
    rotations: Rotations,
    full: Full,
    delivered: bool,
}

impl Filling {
    /// Puts something in the way of the new state, which not even root can write over.
    fn fill(&self) {
        let id = &self.rotations.all().unwrap().rotations[0].id;
        let state = self.rotations.folder().join(format!("rotation-{id}.json"));
        std::fs::rename(&state, self.rotations.folder().join(KEPT)).unwrap();
        std::fs::create_dir(state).unwrap();
    }
}

impl Interaction for Filling {
    fn progress(&mut self, news: RotationProgress) {
        if matches!(news, RotationProgress::Rights(_)) && self.full == Full::BeforeDelivery {
            self.fill();
        }
    }

    fn can_deliver(&mut self) -> bool {
        true
    }

    fn deliver(&mut self, _: &Rotation, _: &CreatedSuccessor) -> Delivery {
        self.delivered = true;
        self.fill();
        match self.full {
            Full::FailedDelivery => Delivery::Failed("the paper is gone".into()),
            _ => Delivery::Arrived,
        }
    }

    fn confirm_end(&mut self, _: &Rotation, _: EndPlan, _: &Result<Uses, NotKnown>) -> bool {
        true
    }
}

async fn named(session: &Session, name: &str) -> Vec<ApiKey> {
    list::all(session, |_| ()).await.unwrap().keys.keys().filter(|key| key.name == name).collect()
}

struct Ran {
    problem: Problem,
    successor: ApiKey,
    old: ApiKey,
    state: State,
    delivered: bool,
}

async fn rotated(full: Full) -> Ran {
    let front = Front::start(0).await;
    let session = front.session("officer").await;
    let old = create::create(&session, &key()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rotations = Rotations::at(folder.path().join("rotations"));
    let plan = rotation::plan(&session, &[], &old.id, &RotationOptions::default()).await.unwrap();
    let mut filling = Filling { rotations: rotations.clone(), full, delivered: false };
    let destination = OpenDestination::Person(Destination::Stdout);
    let consent = Consent::default();
    let outcome = in_time(driver::start(&session, &rotations, &plan, consent, destination, None, &mut filling)).await;
    let Ok(Outcome::After(after)) = outcome else { panic!("{outcome:?}") };
    let keys = named(&session, &old.name).await;
    let of = |wanted: bool| keys.iter().find(|key| (key.id == old.id) == wanted).cloned().unwrap();
    let kept = std::fs::read_to_string(rotations.folder().join(KEPT)).unwrap();
    let rotation = Rotation::read(&kept).unwrap();
    Ran {
        problem: after.problem.unwrap(),
        successor: of(false),
        old: of(true),
        state: rotation.state,
        delivered: filling.delivered,
    }
}

#[tokio::test]
async fn a_successor_that_can_t_be_written_down_before_its_secret_is_told_is_ended_and_that_is_said() {
    for full in [Full::BeforeDelivery, Full::FailedDelivery] {
        let ran = rotated(full).await;
        assert!(ran.successor.invalidated && !ran.old.invalidated, "{}", ran.problem);
        let words = ran.problem.words();
        assert!(
            words.contains(ran.successor.id.as_str()) && words.contains("was invalidated and read back"),
            "{words}"
        );
        assert_eq!(ran.delivered, full == Full::FailedDelivery);
        assert!(matches!(ran.state, State::Created { .. } | State::HandingOver { .. }), "{:?}", ran.state);
    }
}

#[tokio::test]
async fn a_successor_whose_secret_was_told_is_named_where_that_can_t_be_written_down() {
    let ran = rotated(Full::Delivery).await;
    let words = ran.problem.words();
    assert!(!ran.successor.invalidated && !ran.old.invalidated, "{words}");
    let told = format!("The successor {} is valid, and its secret was delivered to standard output", ran.successor.id);
    assert!(words.contains(&told), "{words}");
}

#[tokio::test]
async fn a_successor_that_can_t_be_compared_with_others_is_ended_or_named() {
    use crate::front::Line;
    let front = Front::start(0).await;
    let session = front.session("officer").await;
    let old = create::create(&session, &key()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let rotations = Rotations::at(folder.path().join("rotations"));
    let plan = rotation::plan(&session, &[], &old.id, &RotationOptions::default()).await.unwrap();
    let mut held = rotation::begin(&rotations, &plan, Consent::default(), Destination::Screen, None).unwrap();
    // The old key is read by its id before the successor is made; whatever comes after that is cut.
    front.when("GET", "/_security/api_key", |count| if count < 2 { Line::Holds(0) } else { Line::CutBefore });
    let problem = in_time(rotation::make(&session, &mut held, &mut |_| ())).await.unwrap_err();
    front.when("GET", "/_security/api_key", |_| Line::Holds(0));
    let made: Vec<KeyId> =
        named(&session, &old.name).await.into_iter().filter(|key| key.id != old.id).map(|key| key.id).collect();
    let [made] = &made[..] else { panic!("{made:?}") };
    let words = problem.words();
    assert!(words.contains(made.as_str()) && words.contains("nobody has its secret"), "{words}");
    assert!(named(&session, &old.name).await.iter().find(|key| key.id == *made).unwrap().invalidated, "{words}");
}
