//! A draft of a key as given on a command line, checked: first as far as possible without the cluster, then with its
//! roles.

use super::connection::changing_session_at;
use crate::{
    cli::{error::CliError, output},
    client::ClientError,
    model::{
        connections::{endpoint::Endpoint, login::Login},
        create::{self, CreateKey, Draft, Field, RightsChoice, Surroundings},
        form_error::FormError,
        privileges::{descriptor::Piece, role::Role},
        version::Edition,
    },
    ops::{Problem, Session, clock, keys::find},
    store::connections::new_profile_id,
};

/// A request that is valid on its cluster.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) key: CreateKey,
    /// Sentence that says what the key will be able to do and when it expires.
    pub(crate) sentence: Vec<Piece>,
}

/// Checks everything that can be checked without the cluster, so that an error is reported before anything is sent.
///
/// # Errors
/// One line for each option that is wrong.
pub(crate) fn check_before_connecting(draft: &Draft, login: &Login) -> Result<(), CliError> {
    check_early(draft, matches!(login, Login::ApiKey { .. }))
}

/// Checks a draft as [`check_before_connecting`] does, for a caller that knows whether the key will be derived from
/// another key, which can have no privileges.
///
/// # Errors
/// One line for each option that is wrong.
pub(crate) fn check_early(draft: &Draft, by_api_key: bool) -> Result<(), CliError> {
    let zone = clock::zone();
    let around = Surroundings { now: clock::now(), zone: &zone, roles: None, edition: Edition::Unknown, by_api_key };
    let Err(mut errors) = draft.check(around, "") else { return Ok(()) };
    if has_roles(draft) && !by_api_key {
        errors.retain(|error| error.field != Field::Rights); // they are not known yet
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(CliError::Fields(errors.iter().map(|error| line(error, draft.rights)).collect()))
    }
}

/// Signs in, reads the roles, and checks the whole draft.
///
/// # Errors
/// Returns an error if the cluster refuses the sign-in or the roles, and a usage error with one line for each wrong
/// option.
pub(crate) async fn check(endpoint: &Endpoint, draft: &Draft) -> Result<(Session, Checked), CliError> {
    let session = changing_session_at(endpoint).await?;
    let by_api_key = session.derives_keys();
    let checked = check_on(&session, draft, by_api_key).await?;
    Ok((session, checked))
}

/// Reads the roles, and checks the whole draft. `by_api_key`: the key will be derived from another one.
///
/// # Errors
/// Returns an error if the cluster refuses the roles, and a usage error with one line for each wrong option.
pub(crate) async fn check_on(session: &Session, draft: &Draft, by_api_key: bool) -> Result<Checked, CliError> {
    let roles = if by_api_key { Vec::new() } else { roles(session, draft).await? };
    let zone = clock::zone();
    let around =
        Surroundings { now: session.now(), zone: &zone, roles: Some(&roles), edition: session.edition, by_api_key };
    match draft.check(around, &new_profile_id().0) {
        Ok(key) => {
            let sentence = draft.sentence(around);
            print_taken(session, &key).await;
            Ok(Checked { key, sentence })
        }
        Err(errors) => Err(CliError::Fields(lines(&errors, draft, &roles))),
    }
}

/// Warns of a name or an application id that usable keys have already; both remain allowed.
pub(crate) async fn print_taken(session: &Session, key: &CreateKey) {
    match find::taken(session, key.name(), key.application_id()).await {
        Ok(taken) => {
            let of = |option: &str, words: Option<String>| words.map(|words| format!("{option}: {words}"));
            let said = [of("--name", taken.name_warning()), of("--id", taken.application_id_warning())];
            said.into_iter().flatten().for_each(|words| output::print_status(&words));
        }
        Err(error) => output::print_error(&format!("It is not known whether other keys have the same name: {error}")),
    }
}

fn has_roles(draft: &Draft) -> bool {
    draft.rights == RightsChoice::Roles && !draft.roles.is_empty()
}

/// Reads the requested roles; if one doesn't exist, all that can be read, to suggest the nearest.
pub(crate) async fn roles(session: &Session, draft: &Draft) -> Result<Vec<Role>, CliError> {
    if !has_roles(draft) {
        return Ok(Vec::new());
    }
    let names: Vec<&str> = draft.roles.iter().map(String::as_str).collect();
    let found = session.client.roles_named(&names).await.map_err(unreadable_roles)?;
    if names.iter().all(|name| found.iter().any(|role| role.name == *name)) {
        return Ok(found);
    }
    Ok(session.client.roles().await.unwrap_or(found))
}

/// Maps an error of reading roles: Elasticsearch takes no role names for a key, so a role must be read to be given.
fn unreadable_roles(error: ClientError) -> CliError {
    let forbidden = matches!(error, ClientError::Forbidden { .. });
    let problem = Problem::from(error);
    if !forbidden {
        return problem.into();
    }
    let hint = "To give a key a role, you must be able to read the role, which requires the privilege read_security or \
                manage_security. Otherwise, use --all-my-rights or --no-rights";
    CliError::problem("You don't have permission to read roles", &problem.detail, hint)
}

/// Formats one line for each validation error; each missing role has its own.
pub(crate) fn lines(errors: &[FormError<Field>], draft: &Draft, known: &[Role]) -> Vec<String> {
    let mut lines = Vec::new();
    for error in errors {
        let missing: Vec<&String> = match error.field {
            Field::Rights => draft.roles.iter().filter(|name| known.iter().all(|role| role.name != **name)).collect(),
            _ => Vec::new(),
        };
        if missing.is_empty() || draft.rights != RightsChoice::Roles {
            lines.push(line(error, draft.rights));
        } else {
            lines.extend(missing.iter().map(|name| format!("--role: {}", create::unknown_role(name, known))));
        }
    }
    lines
}

fn line(error: &FormError<Field>, rights: RightsChoice) -> String {
    let option = match error.field {
        Field::Rights if matches!(rights, RightsChoice::Preset(_)) => "--index",
        Field::Rights if rights == RightsChoice::Own => "--role-descriptors",
        Field::Name => "--name",
        Field::ApplicationId => "--id",
        Field::Rights => "--role",
        Field::Expiration => "--expiration",
        Field::Reason => "--reason",
        Field::Metadata => "--metadata",
    };
    // The model names choices as the window does.
    let message = error
        .message
        .replace("choose “All my rights” or “Nothing”", "use --all-my-rights or --no-rights")
        .replace("choose “All their rights” or “Nothing”", "use --all-my-rights or --no-rights")
        .replace("choose “All my rights”", "use --all-my-rights")
        .replace("choose “All their rights”", "use --all-my-rights")
        .replace("choose “Nothing”", "use --no-rights")
        .replace("choose “Never”", "use never")
        .replace("“Never”", "never");
    format!("{option}: {message}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::secret::Secret;

    fn draft() -> Draft {
        Draft { name: "n".into(), roles: vec!["reader".into()], expiration: "1d".into(), ..Draft::default() }
    }

    fn told(draft: &Draft, login: &Login) -> Vec<String> {
        match check_before_connecting(draft, login) {
            Err(CliError::Fields(lines)) => lines,
            _ => Vec::new(),
        }
    }

    fn user() -> Login {
        Login::Password { username: "ana".into(), password: Secret::new("x") }
    }

    #[test]
    fn slips_are_told_by_their_option_and_all_at_once() {
        let wrong = Draft { name: " x".into(), expiration: "soon".into(), metadata: "[1]".into(), ..draft() };
        let lines = told(&wrong, &user());
        let options: Vec<&str> = lines.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(options, ["--name", "--expiration", "--metadata"]);
        assert!(told(&draft(), &user()).is_empty());
    }

    #[test]
    fn ways_out_are_named_as_options() {
        let lines = told(&Draft { roles: Vec::new(), ..draft() }, &user());
        assert!(
            lines[0].starts_with("--role: ") && lines[0].ends_with("use --all-my-rights or --no-rights"),
            "{lines:?}"
        );
        let key = Login::ApiKey { id: "id".into(), secret: Secret::new("x") };
        assert!(told(&draft(), &key)[0].contains("use --no-rights"));
        assert!(told(&Draft { expiration: String::new(), ..draft() }, &user())[0].ends_with("or use never"));
    }

    #[test]
    fn every_missing_role_is_named_with_its_nearest() {
        let role = |name: &str| Role {
            name: name.into(),
            descriptor: serde_json::value::RawValue::from_string("{}".into()).unwrap(),
            reserved: false,
        };
        let draft = Draft { roles: vec!["raeder".into(), "reader".into(), "writter".into()], ..draft() };
        let known = [role("reader"), role("writer")];
        let errors = [FormError { field: Field::Rights, message: "first".into() }];
        let lines = lines(&errors, &draft, &known);
        assert_eq!(lines.len(), 2);
        assert!(lines[0].contains("“raeder”") && lines[0].contains("did you mean reader?"));
        assert!(lines[1].contains("“writter”") && lines[1].contains("writer?"));
    }
}
