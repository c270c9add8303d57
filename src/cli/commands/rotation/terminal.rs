//! The command line as the front end of a rotation: the secret to stdout or to a terminal, progress to stderr,
//! questions to the person at the terminal.

use std::{
    io::{self, IsTerminal},
    path::Path,
};

use serde::Serialize;
use zeroize::Zeroizing;

use super::list;
use crate::{
    cli::{
        error::CliError,
        output::{self, PlainFormat, created_key::SecretJson, key_row, secret},
    },
    client::CreatedKey,
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId},
        connections::login,
        rotation::{Destination, Ended, Rotation},
        text::sanitize,
        time::{calendar, expiry},
    },
    ops::{
        Session, clock,
        keys::last_use::{NotKnown, Uses},
        rotation::{CreatedSuccessor, Delivery, EndPlan, Interaction, RotationProgress, driver::RotationReport},
    },
};

#[derive(Serialize)]
struct SuccessorJson<'a> {
    rotation: &'a str,
    batch: Option<&'a str>,
    rotated_from: &'a str,
    id: &'a str,
    name: &'a str,
    application_id: Option<&'a str>,
    expiration: Option<Timestamp>,
    grace: TimeDelta,
    #[serde(flatten)]
    secret: SecretJson<'a>,
}

/// Checks that a secret would reach somebody without a file.
///
/// # Errors
/// An error with the ways out, when nobody would get it.
pub(crate) fn check(format: PlainFormat) -> Result<(), CliError> {
    if format == PlainFormat::Json {
        return secret::check_stdout("Nothing was done");
    }
    if output::someone_is_there() && io::stdout().is_terminal() {
        return Ok(());
    }
    Err(CliError::usage(
        "Nothing was done: the secret of a successor is shown only once and would reach nobody here. Use --output json \
         to print it to stdout, or --secret-file PATH or --secret-dir DIR to write it to a file readable only by you",
    ))
}

/// Returns the destination of a secret that goes to no file: stdout for JSON, otherwise the screen.
pub(crate) fn stream(format: PlainFormat) -> Destination {
    match format {
        PlainFormat::Json => Destination::Stdout,
        PlainFormat::Table => Destination::Screen,
    }
}

/// Prints the progress of a rotation.
pub(crate) fn print_progress(progress: RotationProgress) {
    let trial = match &progress {
        RotationProgress::Tried { trial: Some(trial), .. } => Some(trial),
        _ => None,
    };
    match &progress {
        RotationProgress::Begun(id) => {
            output::print_status(&format!(
                "Rotation {id}: after any interruption, `keybearer rotate --resume {id}` resumes it"
            ));
        }
        RotationProgress::Doubt(_) | RotationProgress::NotProved(_) => output::print_error(&progress.words()),
        _ => output::print_status(&sanitize::shown(&progress.words())),
    }
    for check in trial.iter().flat_map(|trial| &trial.checks).filter(|check| check.meant && !check.granted) {
        let on = if check.on.is_empty() { String::new() } else { format!(" on {}", check.on.join(", ")) };
        let words =
            format!("  it lacks {}{on} although its descriptors include it: its owner lacks it too", check.privilege);
        output::print_status(&sanitize::shown(&words));
    }
}

/// Front end of a rotation on the command line, with or without a person at it.
pub(crate) struct Terminal<'a> {
    session: &'a Session,
    format: PlainFormat,
    yes: bool,
    /// Reason why a question could not be asked, or nobody would get a secret.
    refusal: Option<CliError>,
}

impl<'a> Terminal<'a> {
    pub(crate) fn new(session: &'a Session, format: PlainFormat, yes: bool) -> Self {
        Self { session, format, yes, refusal: None }
    }

    /// Takes the reason why a rotation stopped early, if it did. The refusal of this front end takes precedence.
    ///
    /// # Errors
    /// The reason.
    pub(crate) fn check(&mut self, after: &mut RotationReport) -> Result<(), CliError> {
        let problem = after.problem.take();
        match self.refusal.take() {
            Some(refusal) => Err(refusal),
            None => problem.map_or(Ok(()), |problem| Err(problem.into())),
        }
    }

    /// Takes the reason why a question could not be asked here; `otherwise` if there is none.
    pub(crate) fn reason(&mut self, otherwise: CliError) -> CliError {
        self.refusal.take().unwrap_or(otherwise)
    }
}

impl Interaction for Terminal<'_> {
    fn progress(&mut self, report: RotationProgress) {
        print_progress(report);
    }

    fn can_deliver(&mut self) -> bool {
        self.refusal = check(self.format).err();
        self.refusal.is_none()
    }

    fn deliver(&mut self, rotation: &Rotation, made: &CreatedSuccessor) -> Delivery {
        match hand_over(rotation, &made.created, &made.old, self.format) {
            Ok(()) => Delivery::Arrived,
            Err(error) => Delivery::Failed(error.to_string()),
        }
    }

    fn delivered(&mut self, rotation: &Rotation, made: &CreatedSuccessor, file: &Path) {
        let path = file.display().to_string();
        output::print_status(&format!("The encoded key is in {}, readable only by you", sanitize::shown(&path)));
        let json =
            SuccessorJson { secret: SecretJson::in_file(path), ..successor_json(rotation, &made.created, &made.old) };
        let printed = match self.format {
            PlainFormat::Json => output::put_json(&json),
            PlainFormat::Table => output::put(&output::facts(&facts(rotation, &made.created))),
        };
        // The secret is where it belongs: that nobody reads the rest does not stop the rotation.
        if let Err(error) = printed {
            CliError::Output(error).print();
        }
    }

    fn confirm_end(&mut self, rotation: &Rotation, plan: EndPlan, uses: &Result<Uses, NotKnown>) -> bool {
        print_preview(rotation, plan, &last_use_text(uses, &rotation.old.id, self.session));
        match confirmed(self.yes, "invalidate") {
            Ok(is_meant) => is_meant,
            Err(refusal) => {
                self.refusal = Some(refusal);
                false
            }
        }
    }
}

/// Prints which key will be invalidated, or that it has ended already.
pub(crate) fn print_preview(rotation: &Rotation, plan: EndPlan, last_use: &str) {
    let successor = rotation.successor().cloned().unwrap_or_default();
    let (name, old) = (&rotation.old.name, &rotation.old.id);
    if let EndPlan::File(how) = plan {
        let how = if how == Ended::Gone { "deleted" } else { "already invalidated" };
        let words = format!("{name} ({old}) is {how}, so nothing is sent, and the rotation is closed as done");
        return output::print_status(&sanitize::shown(&words));
    }
    let words = format!("{name} ({old}) will be permanently invalidated; its successor is {successor}");
    output::print_status(&sanitize::shown(&words));
    output::print_status(&sanitize::shown(&format!("  last use of the old key: {last_use}")));
}

/// Asks for a confirmation by typing `word`, unless `yes` confirms it beforehand.
///
/// # Errors
/// A usage error where nobody can be asked.
pub(crate) fn confirmed(yes: bool, word: &str) -> Result<bool, CliError> {
    if yes {
        return Ok(true);
    }
    if !output::someone_is_there() {
        return Err(CliError::usage("Nothing was done: there is no terminal to confirm it; add --yes to proceed"));
    }
    let is_meant = output::ask(&format!("Type {word} to confirm:"))?.eq_ignore_ascii_case(word);
    if !is_meant {
        output::print_status("Nothing was done");
    }
    Ok(is_meant)
}

/// Prints when the old key is due.
pub(crate) fn print_due(rotation: &Rotation) {
    let Some(due) = rotation.due() else { return };
    let old = sanitize::shown(rotation.old.id.as_str()).into_owned();
    if due <= clock::now() {
        return output::print_status(&format!("Both keys work; {old} is due: `keybearer rotate --due` invalidates it"));
    }
    output::print_status(&format!(
        "Both keys work. From {} on, `keybearer rotate --due` invalidates {old}",
        list::moment(due)
    ));
}

fn hand_over(rotation: &Rotation, created: &CreatedKey, old: &ApiKey, format: PlainFormat) -> io::Result<()> {
    let encoded = login::encode(created.id.as_str(), &created.secret);
    match format {
        PlainFormat::Json => {
            let json =
                SuccessorJson { secret: SecretJson::new(created, &encoded), ..successor_json(rotation, created, old) };
            let mut text = Zeroizing::new(serde_json::to_vec_pretty(&json)?);
            text.push(b'\n');
            secret::write_stdout(&text)
        }
        PlainFormat::Table => {
            let (id, secret) = (&created.id, created.secret.expose());
            let pair = Zeroizing::new(format!("{:12}{id}:{secret}\n{:12}{}\n", "id:key", "encoded", encoded.expose()));
            let text = Zeroizing::new(output::facts(&facts(rotation, created)) + &pair);
            secret::write_stdout(text.as_bytes())
        }
    }
}

fn successor_json<'a>(rotation: &'a Rotation, created: &'a CreatedKey, old: &'a ApiKey) -> SuccessorJson<'a> {
    SuccessorJson {
        rotation: &rotation.id,
        batch: rotation.batch.as_deref(),
        rotated_from: rotation.old.id.as_str(),
        id: created.id.as_str(),
        name: &created.name,
        application_id: old.application_id(),
        expiration: created.expires,
        grace: rotation.grace,
        secret: SecretJson::default(),
    }
}

fn facts(rotation: &Rotation, created: &CreatedKey) -> Vec<(&'static str, String)> {
    let shown = |text: &str| sanitize::shown(text).into_owned();
    let (zone, now) = (clock::zone(), clock::now());
    let key = ApiKey { expires: created.expires, ..ApiKey::default() };
    let left = created.expires.map(|at| format!(" ({})", expiry::remaining(Some(at), now))).unwrap_or_default();
    vec![
        ("rotation", shown(&rotation.id)),
        ("old id", shown(rotation.old.id.as_str())),
        ("new id", shown(created.id.as_str())),
        ("name", shown(&created.name)),
        ("expires", key_row::expires(&key, &zone) + &left),
        ("begun", calendar::local(rotation.begun_at, &zone)),
    ]
}

/// Formats the last use of a key, or the reason why it is not known.
pub(crate) fn last_use_text(uses: &Result<Uses, NotKnown>, id: &KeyId, session: &Session) -> String {
    match uses {
        Ok(uses) => uses.words(id, session.now(), &clock::zone()),
        Err(why) => why.to_string(),
    }
}
