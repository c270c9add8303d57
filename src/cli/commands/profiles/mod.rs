//! `keybearer profiles`: the saved connections in the keyring of this computer. Nothing secret is shown.

mod export;
mod import;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::{
    cli::{
        args::{
            connection::ConnectionFlags,
            imported::lasting,
            open_id::{OpenIdFlags, field_line},
        },
        environment::{self, Host as _, ThisMachine},
        error::{CliError, Exit},
        output::{self, Format},
    },
    model::{
        connections::{
            draft::{ProfileDraft, TrustChoice},
            endpoint::{Endpoint, Trust},
            login::Login,
            open_id_draft::OpenIdDraft,
            profile::{Environment, Profile, ProfileId},
            protection::Protection,
            proxy::ProxyRule,
        },
        text::sanitize,
    },
    store::connections::{ProfileList, Profiles, ProfilesError, UnreadableProfile, new_profile_id},
};

/// Subcommands of `profiles`.
#[derive(Args, Debug)]
pub(crate) struct ProfilesArgs {
    #[command(subcommand)]
    verb: ProfilesVerb,
}

#[derive(Subcommand, Debug)]
enum ProfilesVerb {
    /// List the saved connections
    List {
        /// Output format
        #[arg(short, long, default_value = "table")]
        output: Format,
    },
    /// Save the connection from the options and the environment, with its credential, in the keyring
    Save {
        /// Name of the connection
        name: String,
        /// Environment of the cluster; production must be encrypted and verified
        #[arg(long)]
        environment: EnvironmentChoice,
        /// Replace the connection with this name, if there is one
        #[arg(long)]
        replace: bool,
        /// Index, data stream or pattern of audit events for finding the last use of keys [default: the usual places]
        #[arg(long, value_name = "NAME")]
        audit_index: Option<String>,
        /// Protection against changes [default: name for production, otherwise none; never weaker than what is replaced]
        #[arg(long)]
        protection: Option<ProtectionChoice>,
        /// Ask for the credential each time instead of saving it: by ES_PASSWORD, ES_API_KEY or ES_TOKEN, or a prompt. Kept
        /// for a connection that is replaced
        #[arg(long)]
        ask_credential: bool,
        #[command(flatten)]
        open_id: OpenIdFlags,
    },
    /// Print what the administrators of the provider and of the cluster have to set up for single sign-on
    Setup {
        /// Name of a connection with single sign-on
        name: String,
    },
    /// Save the connections from files or stdin in the keyring, after showing them
    Import(import::ImportArgs),
    /// Write saved connections as JSON without any secret, for other people to import
    Export(export::ExportArgs),
    /// Remove a saved connection with its credential from the keyring
    Remove {
        /// Name of the connection
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EnvironmentChoice {
    /// Mistakes affect users
    Production,
    /// Tests before production
    Staging,
    /// Experiments
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ProtectionChoice {
    /// Changes are sent when they are confirmed
    None,
    /// The name of the connection is typed for each change
    Name,
    /// No change is ever sent
    ReadOnly,
}

impl From<ProtectionChoice> for Protection {
    fn from(choice: ProtectionChoice) -> Self {
        match choice {
            ProtectionChoice::None => Self::None,
            ProtectionChoice::Name => Self::Name,
            ProtectionChoice::ReadOnly => Self::ReadOnly,
        }
    }
}

#[derive(Serialize)]
struct ProfileJson {
    name: String,
    environment: String,
    url: String,
    more_urls: Vec<String>,
    sign_in: &'static str,
    /// `saved`, or `asked` if it is asked for each time.
    credential: &'static str,
    principal: Option<String>,
    trust: String,
    run_as: Option<String>,
    timeout_seconds: u64,
    audit_index: Option<String>,
    protection: &'static str,
    proxy: String,
}

pub(crate) fn run(flags: &ConnectionFlags, args: ProfilesArgs) -> Result<Exit, CliError> {
    match args.verb {
        ProfilesVerb::List { output } => list(output),
        ProfilesVerb::Setup { name } => setup(&name),
        ProfilesVerb::Save { name, environment, replace, audit_index, protection, ask_credential, open_id } => {
            // Not what holds for this command alone.
            let protection = protection.or(flags.read_only.then_some(ProtectionChoice::ReadOnly));
            let flags = ConnectionFlags { is_asked_later: ask_credential, ..flags.clone() };
            let endpoint = flags.endpoint_by(open_id.login(&ThisMachine)?)?;
            let can_be_asked = !matches!(endpoint.login, Login::Certificate | Login::OpenId(_));
            let asks_credential = endpoint.asks_credential || ask_credential && can_be_asked;
            let endpoint = Endpoint { audit_index, asks_credential, protection: Protection::None, ..endpoint };
            save(endpoint, name, environment.into(), replace, protection.map(Protection::from))
        }
        ProfilesVerb::Import(args) => import::run(flags, args),
        ProfilesVerb::Export(args) => export::run(&args),
        ProfilesVerb::Remove { name } => remove(name),
    }
}

fn list(format: Format) -> Result<Exit, CliError> {
    let list = environment::in_keyring(Profiles::list)?;
    let rows: Vec<ProfileJson> = list.profiles.iter().map(ProfileJson::new).collect();
    match format {
        Format::Json => output::put_json(&rows)?,
        Format::Csv => {
            let head = ["name", "environment", "url", "sign_in", "principal", "trust", "protection"];
            output::put_csv(&head, rows.iter().map(ProfileJson::cells))?;
        }
        Format::Table if rows.is_empty() => output::print_status("There are no saved connections"),
        Format::Table => {
            let shown = |row: &ProfileJson| row.cells().iter().map(|cell| sanitize::shown(cell).into_owned()).collect();
            let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
            output::put(&output::table(
                &["NAME", "ENVIRONMENT", "URL", "SIGN-IN", "AS", "TRUST", "PROTECTION"],
                &rows,
            ))?;
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
            more_urls: endpoint.more_urls.iter().map(ToString::to_string).collect(),
            sign_in: endpoint.login.way(),
            credential: if endpoint.asks_credential { "asked" } else { "saved" },
            principal: match &endpoint.login {
                Login::ApiKey { id, .. } => Some(id.clone()),
                Login::Password { username, .. } => Some(username.clone()),
                Login::Bearer(_) | Login::CloudKey(_) => None,
                Login::OpenId(login) => Some(format!("{} at {}", login.client_id, login.issuer.as_str())),
                Login::Certificate => {
                    endpoint.client_certificate.as_ref().map(|certificate| certificate.subject.clone())
                }
            },
            trust: trust(&endpoint.trust),
            run_as: endpoint.run_as.clone(),
            timeout_seconds: endpoint.timeout.as_secs(),
            audit_index: endpoint.audit_index.clone(),
            proxy: match &endpoint.proxy {
                ProxyRule::System => "system".into(),
                ProxyRule::Direct => "none".into(),
                ProxyRule::Via(proxy) => proxy.url.to_string(),
            },
            protection: match endpoint.protection {
                Protection::None => "none",
                Protection::Name => "name",
                Protection::ReadOnly => "read-only",
            },
        }
    }

    fn cells(&self) -> Vec<String> {
        let principal = self.principal.clone().unwrap_or_default();
        let urls: Vec<&str> = std::iter::once(&self.url).chain(&self.more_urls).map(String::as_str).collect();
        let (name, environment, url) = (self.name.clone(), self.environment.clone(), urls.join(" "));
        let (sign_in, protection) = (self.sign_in.to_owned(), self.protection.to_owned());
        vec![name, environment, url, sign_in, principal, self.trust.clone(), protection]
    }
}

/// Returns the trust of a form that may be incomplete.
fn profile_trust(draft: &ProfileDraft) -> String {
    match draft.trust {
        TrustChoice::System => trust(&Trust::System),
        TrustChoice::CaFile => match &draft.ca {
            Some(ca) => format!("CA {}", ca.subject),
            None => format!("CA file {}", draft.ca_file),
        },
        TrustChoice::Fingerprint => format!("fingerprint {}", draft.fingerprint),
        TrustChoice::InsecureDev => trust(&Trust::InsecureDev),
    }
}

fn trust(trust: &Trust) -> String {
    match trust {
        Trust::System => "this computer".into(),
        Trust::CaFile(path) => format!("CA file {}", path.display()),
        Trust::Ca(ca) => format!("CA {}", ca.subject),
        Trust::Fingerprint(print) => format!("fingerprint {}", print.short()),
        Trust::InsecureDev => "INSECURE".into(),
    }
}

fn save(
    endpoint: Endpoint,
    name: String,
    environment: Environment,
    replace: bool,
    protection: Option<Protection>,
) -> Result<Exit, CliError> {
    let default = Protection::default_for(environment);
    let endpoint = Endpoint { protection: protection.unwrap_or(default), ..lasting(endpoint)? };
    let mut profile = checked(Profile { id: new_profile_id(), name, environment, endpoint })?;
    let name = profile.name.clone();
    let is_at_provider = matches!(profile.endpoint.login, Login::OpenId(_));
    environment::in_keyring(move |profiles| {
        if replace {
            let list = profiles.list()?;
            if let Some(id) = id_of(&list, &profile.name) {
                if let Some(replaced) = list.profiles.iter().find(|own| own.id == id).map(|own| &own.endpoint) {
                    profile.endpoint.asks_credential |= replaced.asks_credential;
                    if protection.is_none() {
                        profile.endpoint.protection = profile.endpoint.protection.max(replaced.protection);
                    }
                }
                profile = profile.with_id(id);
            }
        }
        profiles.save(&profile)
    })
    .map_err(|error| taken(error, replace))?;
    let name = sanitize::shown(&name);
    output::print_status(&match is_at_provider {
        true => format!("Saved “{name}” in the keyring. Sign in: keybearer login --profile '{name}'"),
        false => format!("Saved “{name}” in the keyring. Test it: keybearer check --profile '{name}'"),
    });
    Ok(Exit::Done)
}

/// Prints the text for administrators.
fn setup(name: &str) -> Result<Exit, CliError> {
    let profile = ThisMachine.profile(name)?;
    let Login::OpenId(login) = &profile.endpoint.login else {
        let title = format!("“{name}” has no single sign-on");
        return Err(CliError::problem(&title, "", "Save it with --issuer and --client-id first"));
    };
    output::put(&sanitize::shown_lines(&OpenIdDraft::of(login).setup_text()))?;
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

/// Checks a profile by the rules of the window's form and of this computer.
fn checked(profile: Profile) -> Result<Profile, CliError> {
    let errors = match environment::policy().check_draft(&ProfileDraft::of(&profile), profile.id.clone()) {
        Ok(profile) => return Ok(profile),
        Err(errors) => errors,
    };
    Err(CliError::Fields(errors.iter().map(field_line).collect()))
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
        return Err(CliError::problem(&title, "", "`keybearer profiles list` lists the saved connections"));
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

    use super::*;
    use crate::model::{connections::endpoint::ClusterUrl, secret::Secret};

    fn profile(url: &str, environment: Environment) -> Profile {
        Profile {
            id: ProfileId("1".into()),
            name: "lab".into(),
            environment,
            endpoint: Endpoint::new(
                ClusterUrl::parse(url).unwrap(),
                Login::Password { username: "ana".into(), password: Secret::new("hunter2") },
            ),
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
