//! Going on with rotations: after the hand-over, when the grace period is over, after an interruption, or back.

use std::sync::atomic::AtomicBool;

use super::{
    connection::ConnectionFlags,
    error::{CliError, Exit},
    output,
    rotate::{self as begin, RotateArgs, last_use_words, listing},
    rotate_list,
    rotate_secret::{self, Outlet, say},
};
use crate::{
    model::{
        api_key::KeyId,
        harmless,
        rotation::{Ended, Lineage, Next, Place, Rotation, State},
        secret::Secret,
    },
    ops::{
        Problem, Session, clock, last_use,
        rotate::{self, Arrived, Fate, Recovered, Word},
        verify::Trial,
    },
    store::{
        rotations::{Held, Rotations},
        secret_file::SecretFile,
    },
};

/// Tries the successor by the secret that is still known, and ends the old key if there is no grace.
///
/// # Errors
/// When the successor doesn't work, or the old key was not seen to be ended.
pub(super) async fn after_hand_over(session: &Session, held: &mut Held, secret: &Secret) -> Result<(), CliError> {
    let trial = rotate::try_it(session, held, secret).await?;
    say_trial(held, trial.as_ref());
    rotate::link(session, held, &mut say).await?;
    // A grace period that was asked for is never over within the run that began it.
    if held.rotation.grace == 0 {
        return end(session, held).await;
    }
    say_due(&held.rotation);
    Ok(())
}

fn say_trial(held: &Held, trial: Option<&Trial>) {
    let id = held.rotation.successor().cloned().unwrap_or_default();
    let Some(trial) = trial else {
        return output::say(&format!("Tried: {id} signs in; its workflow lets it ask no more than that"));
    };
    let who = harmless::shown(&trial.identity.username).into_owned();
    output::say(&format!("Tried: {id} signs in as {who} ({} ms)", trial.took));
    for check in trial.checks.iter().filter(|check| check.meant && !check.granted) {
        let on = if check.on.is_empty() { String::new() } else { format!(" on {}", check.on.join(", ")) };
        let words =
            format!("  it may not {}{on}, which its descriptors name: its owner may not either", check.privilege);
        output::say(&harmless::shown(&words));
    }
}

fn say_due(rotation: &Rotation) {
    let Some(due) = rotation.due() else { return };
    let old = harmless::shown(rotation.old.id.as_str()).into_owned();
    if due <= clock::now() {
        return output::say(&format!("Both keys work, and {old} is due: `keybearer rotate --due` invalidates it"));
    }
    output::say(&format!(
        "Both keys work. From {} on, `keybearer rotate --due` invalidates {old}",
        rotate_list::moment(due)
    ));
}

/// Invalidates the old key, and says the proof.
async fn end(session: &Session, held: &mut Held) -> Result<(), CliError> {
    let how = rotate::end(session, held, &mut say).await?;
    output::say(&ended_words(&held.rotation, how));
    Ok(())
}

fn ended_words(rotation: &Rotation, how: Ended) -> String {
    let at = match rotation.state {
        State::Done { proved_at, .. } => crate::model::calendar::clock(proved_at, &clock::zone()),
        _ => String::new(),
    };
    let old = harmless::shown(rotation.old.id.as_str()).into_owned();
    match how {
        Ended::Invalidated => format!("The cluster was asked again at {at}, as proof: {old} is invalidated"),
        Ended::Before => format!("The cluster was asked at {at}: somebody had invalidated {old} before"),
        Ended::Gone => format!("The cluster was asked at {at}: it knows {old} no more"),
    }
}

async fn preview(session: &Session, rotations: &[Rotation]) {
    let ids: Vec<KeyId> = rotations.iter().map(|rotation| rotation.old.id.clone()).collect();
    let uses = last_use::of(session, &ids).await;
    rotations.iter().for_each(|rotation| say_preview(rotation, &last_use_words(&uses, &rotation.old.id, session)));
}

fn say_preview(rotation: &Rotation, last_use: &str) {
    let successor = rotation.successor().cloned().unwrap_or_default();
    let (name, old) = (&rotation.old.name, &rotation.old.id);
    let words = format!("{name} ({old}) will be invalidated, for ever; its successor is {successor}");
    output::say(&harmless::shown(&words));
    output::say(&harmless::shown(&format!("  last use of the old key: {last_use}")));
}

fn confirmed(args: &RotateArgs, word: &str) -> Result<bool, CliError> {
    if args.yes {
        return Ok(true);
    }
    if !output::someone_is_there() {
        return Err(CliError::usage("Nothing is done: nobody can confirm it here, add --yes if it is meant"));
    }
    let is_meant = output::ask(&format!("Type {word} to confirm:"))?.eq_ignore_ascii_case(word);
    if !is_meant {
        output::say("Nothing is done");
    }
    Ok(is_meant)
}

/// `rotate --due`: all whose grace period is over, on the cluster that is connected to.
pub(super) async fn due(flags: &ConnectionFlags, rotations: &Rotations, args: &RotateArgs) -> Result<Exit, CliError> {
    let listing = listing(rotations)?;
    let unread = listing.unreadable.len();
    let session = flags.changing_session().await?;
    let cluster = rotate::cluster_of(&session).await?;
    let due: Vec<Rotation> = rotate::due(&listing.rotations, &cluster, clock::now()).into_iter().cloned().collect();
    rotate_list::say_waiting(&listing.rotations, &cluster);
    if due.is_empty() {
        output::say("Nothing is due on this cluster");
        rotate_list::put_results(&[], args.output)?;
        return Ok(if unread == 0 { Exit::Done } else { Exit::Failed });
    }
    preview(&session, &due).await;
    if !confirmed(args, "invalidate")? {
        return Ok(Exit::Failed);
    }
    let ids: Vec<String> = due.iter().map(|rotation| rotation.id.clone()).collect();
    let mut progress = |fate: &Fate| match &fate.result {
        Ok((rotation, how)) => output::say(&ended_words(rotation, *how)),
        Err(problem) => output::complain(&problem.words()),
    };
    let stop = AtomicBool::new(false);
    let fates = rotate::end_all(&session, rotations, &ids, &stop, &mut say, &mut progress).await;
    let results: Vec<(Rotation, bool)> = due.into_iter().zip(fates.iter().map(|fate| fate.result.is_ok())).collect();
    rotate_list::put_results(&results, args.output)?;
    let failed = results.iter().filter(|(_, done)| !done).count();
    Ok(begin::exit(results.len() - failed, failed + unread))
}

/// The rotation meant by its id, or by that of one of its keys; those that are finished step back.
fn meant(rotations: &Rotations, reference: &str) -> Result<Held, CliError> {
    let listing = listing(rotations)?;
    if let Some(rotation) = listing.rotations.iter().find(|rotation| rotation.id == reference) {
        return Ok(rotate::take(rotations, &rotation.id)?);
    }
    let is_about = |rotation: &&Rotation| {
        rotation.old.id.as_str() == reference || rotation.successor().is_some_and(|id| id.as_str() == reference)
    };
    let (finished, open): (Vec<&Rotation>, Vec<&Rotation>) =
        listing.rotations.iter().filter(is_about).partition(|rotation| rotation.is_finished());
    match (open.as_slice(), finished.last()) {
        ([one], _) => Ok(rotate::take(rotations, &one.id)?),
        ([], Some(last)) => Ok(rotate::take(rotations, &last.id)?),
        // Also the words for an id that means none.
        ([], None) => Ok(rotate::take(rotations, reference)?),
        (several, _) => {
            let ids: Vec<&str> = several.iter().map(|rotation| rotation.id.as_str()).collect();
            let title = format!("{reference} is in several rotations: {}", ids.join(", "));
            Err(CliError::problem(&title, "", "Name one of them"))
        }
    }
}

/// `rotate --resume ID`: whatever comes next.
pub(super) async fn resume(
    flags: &ConnectionFlags,
    rotations: &Rotations,
    reference: &str,
    args: &RotateArgs,
) -> Result<Exit, CliError> {
    let mut held = meant(rotations, reference)?;
    if held.rotation.is_finished() {
        output::say(&finished_words(&held.rotation));
        return Ok(Exit::Done);
    }
    if args.make_again && !matches!(held.rotation.next(clock::now()), Next::Make) {
        let title = "The secret was handed over already, so that no other successor is made. Nothing is done";
        let hint = format!("`keybearer rotate --cancel {}` ends that successor; then begin again", held.rotation.id);
        return Err(CliError::problem(title, "", &hint));
    }
    let session = flags.changing_session().await?;
    rotate::check_cluster(&session, &held.rotation).await?;
    loop {
        match held.rotation.next(clock::now()) {
            Next::Make => {
                if let Some(secret) = make(&session, &mut held, args).await? {
                    after_hand_over(&session, &mut held, &secret).await?;
                    return Ok(Exit::Done);
                }
            }
            Next::Try => try_again(&session, &mut held, args).await?,
            Next::Wait(_) => {
                if held.rotation.lineage == Lineage::Open {
                    rotate::link(&session, &mut held, &mut say).await?;
                }
                say_due(&held.rotation);
                return Ok(Exit::Done);
            }
            Next::End => {
                preview(&session, std::slice::from_ref(&held.rotation)).await;
                if !confirmed(args, "invalidate")? {
                    return Ok(Exit::Failed);
                }
                end(&session, &mut held).await?;
                return Ok(Exit::Done);
            }
            Next::Nothing => return Ok(Exit::Done),
        }
    }
}

fn finished_words(rotation: &Rotation) -> String {
    let id = &rotation.id;
    match &rotation.state {
        State::Done { how, .. } => format!("Rotation {id} is done. {}", ended_words(rotation, *how)),
        _ => format!("Rotation {id} was given up; nothing is left to do"),
    }
}

/// Finds out what the interrupted run has left. Gives the secret where another successor had to be made.
async fn make(session: &Session, held: &mut Held, args: &RotateArgs) -> Result<Option<Secret>, CliError> {
    let told_to = held.rotation.place.clone();
    if let Some(path) = &args.secret_file {
        let path =
            rotate::place::absolute(path).map_err(|error| CliError::Fields(vec![format!("--secret-file: {error}")]))?;
        held.rotation.place = Place::File { path };
    }
    let arrived = rotate::place::arrived(&held.rotation.place);
    // An empty file says that no secret came only where it was to come there.
    let evidence =
        if arrived == Arrived::Empty && held.rotation.place != told_to { Arrived::NotKnown } else { arrived.clone() };
    let word = match (args.handed_over, args.make_again) {
        (true, _) => Word::HandedOver,
        (_, true) => Word::MakeAgain,
        _ => Word::None,
    };
    let may_ask = matches!(held.rotation.state, State::HandingOver { .. }) && word != Word::MakeAgain;
    if !matches!(held.rotation.place, Place::File { .. }) && !may_ask {
        rotate_secret::check(args.output)?;
    }
    let found = rotate::recover(session, held, &evidence, word, &mut say).await?;
    if found == Recovered::HandedOver {
        return Ok(None);
    }
    let outlet = outlet(held, &arrived, args)?;
    rotate_secret::make(session, held, outlet, args.output).await.map(Some)
}

/// Where the secret of another successor goes: to the same file, or to who is there now.
fn outlet(held: &mut Held, arrived: &Arrived, args: &RotateArgs) -> Result<Outlet, CliError> {
    if let Place::File { path } = &held.rotation.place {
        let file = match arrived {
            Arrived::Empty => SecretFile::create_or_take_empty(path),
            _ => SecretFile::create(path),
        };
        return file.map(Outlet::File).map_err(|error| {
            let hint = format!("`keybearer rotate --resume {} --secret-file PATH` takes another", held.rotation.id);
            CliError::problem("There is no room for the secret. No successor is made", &error.to_string(), &hint)
        });
    }
    rotate_secret::check(args.output)?;
    let (outlet, place) = rotate_secret::stream(args.output);
    held.rotation.place = place;
    Ok(outlet)
}

/// Tries the successor by the secret in its file, or takes a person's word.
async fn try_again(session: &Session, held: &mut Held, args: &RotateArgs) -> Result<(), CliError> {
    let path = match (&args.secret_file, &held.rotation.place) {
        (Some(path), _) => Some(path.clone()),
        (None, Place::File { path }) => Some(path.clone()),
        _ => None,
    };
    let successor = held.rotation.successor().cloned().unwrap_or_default();
    let found = path.as_deref().map(rotate::place::in_file).transpose();
    match found {
        Ok(Some(Some((id, secret)))) if id == successor => {
            let trial = rotate::try_it(session, held, &secret).await?;
            say_trial(held, trial.as_ref());
            Ok(())
        }
        _ if args.handed_over => {
            output::say(&format!("{successor} was not tried here: you say that you have its secret"));
            Ok(rotate::said(session, held).await?)
        }
        found => Err(untried(held, path.as_deref(), found.err()).into()),
    }
}

fn untried(held: &Held, path: Option<&std::path::Path>, error: Option<std::io::Error>) -> Problem {
    let successor = held.rotation.successor().cloned().unwrap_or_default();
    let title =
        format!("The secret of {successor} was handed over to {}, and it can't be tried", held.rotation.place.words());
    let detail = match (path, error) {
        (Some(path), Some(error)) => format!("{}: {error}", path.display()),
        (Some(path), None) => format!("{} does not hold it", path.display()),
        (None, _) => "It was told once. Nothing is ended".into(),
    };
    let hint = format!(
        "`keybearer rotate --resume {0} --secret-file PATH` reads it from a file; --handed-over takes your word that \
         you have it; `keybearer rotate --cancel {0}` gives the rotation up",
        held.rotation.id
    );
    Problem::new(&title, &detail).hint(&hint)
}

/// `rotate --cancel ID`: the old key stays.
pub(super) async fn cancel(
    flags: &ConnectionFlags,
    rotations: &Rotations,
    reference: &str,
    args: &RotateArgs,
) -> Result<Exit, CliError> {
    let mut held = meant(rotations, reference)?;
    if held.rotation.is_finished() {
        let title = format!("{}. Nothing is done", finished_words(&held.rotation));
        return Err(CliError::problem(&title, "", ""));
    }
    let session = flags.changing_session().await?;
    rotate::check_cluster(&session, &held.rotation).await?;
    let old = &held.rotation.old;
    let fate = match held.rotation.successor() {
        None => "whatever was made for it is invalidated".to_owned(),
        Some(new) if args.keep_successor => format!("its successor {new} stays valid too"),
        Some(new) => format!("its successor {new} will be invalidated, for ever"),
    };
    output::say(&harmless::shown(&format!("{} ({}) stays as it is; {fate}", old.name, old.id)));
    if !confirmed(args, "cancel")? {
        return Ok(Exit::Failed);
    }
    rotate::cancel(&session, &mut held, args.keep_successor, &mut say).await?;
    output::say(&format!("Rotation {} is given up", held.rotation.id));
    Ok(Exit::Done)
}
