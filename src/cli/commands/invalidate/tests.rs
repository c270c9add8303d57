//! Tests of the exit code and of the search.

use super::{choose::check_query, report::report};
use crate::{
    cli::{
        error::{CliError, Exit},
        output::Format,
    },
    model::{Timestamp, api_key::KeyId, failure::Failure},
    ops::{Outcome, keys::key_set::KeySet},
};

fn exit(done: &[&str], failed: &[&str], untouched: &[&str]) -> Exit {
    ended(done, failed, untouched, &Failure::Refused("why".into()))
}

fn ended(done: &[&str], failed: &[&str], untouched: &[&str], why: &Failure) -> Exit {
    let ids = |ids: &[&str]| ids.iter().map(|id| KeyId::new(*id)).collect::<Vec<_>>();
    let outcome = Outcome {
        done: ids(done),
        failed: ids(failed).into_iter().map(|id| (id, why.clone())).collect(),
        untouched: ids(untouched),
        ..Outcome::default()
    };
    report(Timestamp::EPOCH, &outcome, &KeySet::default(), Format::Json).unwrap()
}

#[test]
fn the_exit_code_tells_all_some_and_none() {
    assert_eq!(exit(&["a"], &[], &[]), Exit::Done);
    assert_eq!(exit(&["a"], &["b"], &[]), Exit::Partly);
    assert_eq!(exit(&["a"], &[], &["b"]), Exit::Partly);
    assert_eq!(exit(&[], &["b"], &[]), Exit::Failed);
    let cut = Failure::Unknown("cut".into());
    assert_eq!(ended(&[], &["b"], &[], &cut), Exit::NotKnown);
    assert_eq!(ended(&["a"], &["b"], &[], &cut), Exit::NotKnown);
}

#[test]
fn a_search_without_a_word_is_never_every_key() {
    assert!(matches!(check_query("  "), Err(CliError::Usage(words)) if words.contains("every key")));
    assert!(matches!(check_query("expires:soon"), Err(CliError::Usage(_))));
    assert!(check_query("owner:bob status:expired").is_ok());
}
