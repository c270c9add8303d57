//! `keybearer profiles`: the saved connections in the keyring of this computer. Nothing secret is shown.

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::{
    cli::{
        args::connection::ConnectionFlags,
        environment,
        error::{CliError, Exit},
        output::{self, Format},
    },
    model::{
        connections::{
            draft::{ProfileDraft, ProfileField},
            endpoint::{Endpoint, Trust},
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        text::sanitize,
    },
    store::connections::{ProfileList, Profiles, ProfilesError, UnreadableProfile, new_profile_id},
};

/// What `profiles` is asked for.
#[derive(Args, Debug)]
pub(crate) struct ProfilesArgs {
    #[command(subcommand)]
    verb: ProfilesVerb,
}

#[derive(Subcommand, Debug)]
enum ProfilesVerb {
    /// List the saved connections
    List {
        /// Form of the output
        #[arg(short, long, default_value = "table")]
        output: Format,
    },
    /// Save the connection of the options and the environment, with its credential, in the keyring
    Save {
        /// Name of the connection
        name: String,
        /// What the cluster is for; production is never unencrypted nor unverified
        #[arg(long)]
        environment: EnvironmentChoice,
        /// Take the place of the connection of this name, if there is one
        #[arg(long)]
        replace: bool,
        /// Index, data stream or pattern of audit events, from which the last use of keys is read [default: the usual
        /// places]
        #[arg(long, value_name = "NAME")]
        audit_index: Option<String>,
    },
    /// Remove a saved connection with its credential from the keyring
    Remove {
        /// Name of the connection
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EnvironmentChoice {
    /// A slip hurts people
    Production,
    /// The dress rehearsal
    Staging,
    /// Anything goes
    Development,
}

impl From<EnvironmentChoice> for Environment {
    fn from(choice: EnvironmentChoice) -> Self {
        match choice {
            EnvironmentChoice::Production => Self::Production,
            EnvironmentChoice::Staging => Self::Staging,
            EnvironmentChoice::Development => Self::Development,
        }
    }
}

#[derive(Serialize)]
struct ProfileJson {
    name: String,
    environment: String,
    url: String,
    sign_in: &'static str,
    principal: Option<String>,
    trust: String,
    run_as: Option<String>,
    timeout_seconds: u64,
    audit_index: Option<String>,
}

pub(crate) fn run(flags: &ConnectionFlags, args: ProfilesArgs) -> Result<Exit, CliError> {
    match args.verb {
        ProfilesVerb::List { output } => list(output),
        ProfilesVerb::Save { name, environment, replace, audit_index } => {
            let endpoint = Endpoint { audit_index, ..flags.endpoint()? };
            save(endpoint, name, environment.into(), replace)
        }
        ProfilesVerb::Remove { name } => remove(name),
    }
}

fn list(format: Format) -> Result<Exit, CliError> {
    let list = environment::in_keyring(Profiles::list)?;
    let rows: Vec<ProfileJson> = list.profiles.iter().map(ProfileJson::new).collect();
    match format {
        Format::Json => output::put_json(&rows)?,
        Format::Csv => {
            let head = ["name", "environment", "url", "sign_in", "principal", "trust"];
            output::put_csv(&head, rows.iter().map(ProfileJson::cells))?;
        }
        Format::Table if rows.is_empty() => output::print_status("There are no saved connections"),
        Format::Table => {
            let shown = |row: &ProfileJson| row.cells().iter().map(|cell| sanitize::shown(cell).into_owned()).collect();
            let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
            output::put(&output::table(&["NAME", "ENVIRONMENT", "URL", "SIGN-IN", "AS", "TRUST"], &rows))?;
        }
    }
    for UnreadableProfile { id, name, reason } in &list.unreadable {
        output::print_error(&format!("The connection {} can't be read: {reason}", name.as_ref().unwrap_or(&id.0)));
    }
    Ok(Exit::Done)
}

impl ProfileJson {
    fn new(profile: &Profile) -> Self {
        let endpoint = &profile.endpoint;
        Self {
            name: profile.name.clone(),
            environment: profile.environment.word().to_lowercase(),
            url: endpoint.url.to_string(),
            sign_in: endpoint.login.way(),
            principal: match &endpoint.login {
                Login::ApiKey { id, .. } => Some(id.clone()),
                Login::Password { username, .. } => Some(username.clone()),
                Login::Bearer(_) => None,
            },
            trust: trust(&endpoint.trust),
            run_as: endpoint.run_as.clone(),
            timeout_seconds: endpoint.timeout.as_secs(),
            audit_index: endpoint.audit_index.clone(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let principal = self.principal.clone().unwrap_or_default();
        let (name, environment) = (self.name.clone(), self.environment.clone());
        vec![name, environment, self.url.clone(), self.sign_in.to_owned(), principal, self.trust.clone()]
    }
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::System => "this computer".into(),
        Trust::CaFile(path) => format!("CA file {}", path.display()),
        Trust::Fingerprint(print) => format!("fingerprint {}", print.short()),
        Trust::InsecureDev => "INSECURE".into(),
    }
}

fn save(endpoint: Endpoint, name: String, environment: Environment, replace: bool) -> Result<Exit, CliError> {
    let endpoint = lasting(endpoint)?;
    let mut profile = checked(Profile { id: new_profile_id(), name, environment, endpoint })?;
    let name = profile.name.clone();
    environment::in_keyring(move |profiles| {
        if replace && let Some(id) = id_of(&profiles.list()?, &profile.name) {
            profile.id = id;
        }
        profiles.save(&profile)
    })
    .map_err(|error| taken(error, replace))?;
    output::print_status(&format!(
        "Saved “{0}” in the keyring. Try it: keybearer check --profile '{0}'",
        sanitize::shown(&name)
    ));
    Ok(Exit::Done)
}

/// Adds the option that is the way out to the error of a name that is taken.
fn taken(error: CliError, replace: bool) -> CliError {
    match error {
        CliError::Problem(problem) if !replace && problem.title.starts_with("There is already") => {
            CliError::problem(&problem.title, "", "Choose another name, or add --replace")
        }
        other => other,
    }
}

/// Returns the endpoint with the absolute path of its CA file, so that it works from any folder.
fn lasting(endpoint: Endpoint) -> Result<Endpoint, CliError> {
    let Trust::CaFile(path) = &endpoint.trust else { return Ok(endpoint) };
    let absolute = std::path::absolute(path);
    let path = absolute.map_err(|error| CliError::Fields(vec![format!("--ca-file: {error}")]))?;
    Ok(Endpoint { trust: Trust::CaFile(path), ..endpoint })
}

/// Checks a profile by the rules of the window's form.
fn checked(profile: Profile) -> Result<Profile, CliError> {
    let errors = match ProfileDraft::of(&profile).check(profile.id.clone()) {
        Ok(profile) => return Ok(profile),
        Err(errors) => errors,
    };
    let line = |error: &crate::model::connections::draft::ProfileError| {
        let option = match error.field {
            ProfileField::Name => "NAME",
            ProfileField::Url => "--url",
            ProfileField::Environment => "--environment",
            ProfileField::CaFile => "--ca-file",
            ProfileField::Fingerprint => "--insecure",
            ProfileField::Timeout => "--timeout",
            ProfileField::KeyId | ProfileField::KeySecret => "ES_API_KEY",
            ProfileField::Username => "ES_USERNAME",
            ProfileField::Password => "ES_PASSWORD",
            ProfileField::Token => "ES_TOKEN",
        };
        format!("{option}: {}", error.message)
    };
    Err(CliError::Fields(errors.iter().map(line).collect()))
}

fn remove(name: String) -> Result<Exit, CliError> {
    let wanted = name.clone();
    let found = environment::in_keyring(move |profiles| {
        let id = id_of(&profiles.list()?, &wanted);
        if let Some(id) = &id {
            profiles.remove(id)?;
        }
        Ok::<_, ProfilesError>(id.is_some())
    })?;
    if !found {
        let title = format!("There is no connection named “{name}”");
        return Err(CliError::problem(&title, "", "`keybearer profiles list` lists those that there are"));
    }
    output::print_status(&format!("Removed “{}” and its credential from the keyring", sanitize::shown(&name)));
    Ok(Exit::Done)
}

/// Finds the id of the connection with this name; one that can't be read is found by its name or by its id.
fn id_of(list: &ProfileList, name: &str) -> Option<ProfileId> {
    let named = list.profiles.iter().find(|profile| profile.name == name).map(|profile| profile.id.clone());
    let fits = |unreadable: &&UnreadableProfile| unreadable.name.as_deref() == Some(name) || unreadable.id.0 == name;
    named.or_else(|| list.unreadable.iter().find(fits).map(|unreadable| unreadable.id.clone()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{connections::endpoint::ClusterUrl, secret::Secret};

    fn profile(url: &str, environment: Environment) -> Profile {
        Profile {
            id: ProfileId("1".into()),
            name: "lab".into(),
            environment,
            endpoint: Endpoint {
                url: ClusterUrl::parse(url).unwrap(),
                trust: Trust::System,
                login: Login::Password { username: "ana".into(), password: Secret::new("hunter2") },
                run_as: None,
                timeout: Duration::from_secs(60),
                audit_index: None,
            },
        }
    }

    #[test]
    fn a_listed_profile_shows_no_secret() {
        let json = ProfileJson::new(&profile("https://es:9200", Environment::Production));
        let text = format!("{}{:?}", serde_json::to_string(&json).unwrap(), json.cells());
        assert!(text.contains("ana") && text.contains("production") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn production_is_not_saved_unencrypted() {
        assert!(checked(profile("https://es:9200", Environment::Production)).is_ok());
        assert!(checked(profile("http://es:9200", Environment::Development)).is_ok());
        match checked(profile("http://es:9200", Environment::Production)) {
            Err(CliError::Fields(lines)) => assert!(lines[0].starts_with("--url: "), "{lines:?}"),
            other => panic!("{other:?}"),
        }
    }
}
