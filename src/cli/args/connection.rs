//! The cluster, its trust and the credential: options before the environment, and a profile in place of both.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;

use crate::{
    cli::{
        environment::{self, Host, ThisMachine},
        error::CliError,
        output,
    },
    model::{
        connections::{
            endpoint::{ClusterUrl, DEFAULT_TIMEOUT, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
        },
        secret::Secret,
        text::sanitize,
    },
    ops::{Session, connections::connect},
    store::journal::{Journal, NotKept},
};

/// The options of a connection.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionFlags {
    /// Use this saved connection, in place of the environment
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Address of the cluster, such as https://es.example.net:9200
    #[arg(long, global = true)]
    pub(crate) url: Option<String>,
    /// Trust the certificates of this PEM file, and no others (`sandbox` writes its own there)
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Trust the certificate with this SHA-256 fingerprint, as Elasticsearch prints it at its first start
    #[arg(long, global = true, value_name = "SHA256")]
    pub(crate) fingerprint: Option<String>,
    /// Trust any certificate: for development only
    #[arg(long, global = true)]
    pub(crate) insecure: bool,
    /// The most time for one request, in seconds [default: 60]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) timeout: Option<String>,
    /// Act for this user, with the privilege run_as
    #[arg(long, global = true, value_name = "USER")]
    pub(crate) run_as: Option<String>,
}

/// A connection, with the warnings to show before it is used.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) endpoint: Endpoint,
    pub(crate) warnings: Vec<String>,
}

impl ConnectionFlags {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { profile, url, ca_file, fingerprint, insecure, timeout, run_as } = self;
        let texts = [profile, url, fingerprint, timeout, run_as];
        !insecure && ca_file.is_none() && texts.iter().all(|text| text.is_none())
    }

    /// Puts the connection together and prints its warnings.
    ///
    /// # Errors
    /// Returns a usage error if a required option is missing or two options contradict each other.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, CliError> {
        let connection = self.resolve(&ThisMachine)?;
        connection.warnings.iter().for_each(|warning| output::print_error(warning));
        Ok(connection.endpoint)
    }

    /// Signs in.
    ///
    /// # Errors
    /// With the way out, when there is no connection or it is refused.
    pub(crate) async fn session(&self) -> Result<Session, CliError> {
        let session = connect::connect(&self.endpoint()?).await?.with_journal(watched_journal());
        say_clock(&session);
        Ok(session)
    }

    /// Signs in to change something, and reports where no journal can be kept of it. With a profile, kept secrets of
    /// keys that are invalidated are removed from the keyring.
    ///
    /// # Errors
    /// With the way out, when there is no connection or it is refused.
    pub(crate) async fn changing_session(&self) -> Result<Session, CliError> {
        let session = changing_session_at(&self.endpoint()?).await?;
        // A keyring that was just read for the profile answers; without a profile nobody agreed to a keyring's prompt.
        Ok(if self.profile.is_some() { session.with_keyring(environment::kept_secrets()) } else { session })
    }

    fn resolve(&self, machine: &dyn Host) -> Result<Connection, CliError> {
        let timeout = self.timeout.as_deref().map(parse_timeout).transpose()?;
        let run_as = self.run_as.clone().filter(|user| !user.is_empty());
        let mut warnings = Vec::new();
        let mut endpoint = match &self.profile {
            Some(name) => self.of_profile(name, machine)?,
            None => self.of_parts(machine, &mut warnings)?,
        };
        endpoint.timeout = timeout.unwrap_or(endpoint.timeout);
        endpoint.run_as = run_as.or(endpoint.run_as);
        warnings.extend(self.warning(&endpoint));
        Ok(Connection { endpoint, warnings })
    }

    fn of_profile(&self, name: &str, machine: &dyn Host) -> Result<Endpoint, CliError> {
        let given = [
            ("--url", self.url.is_some()),
            ("--ca-file", self.ca_file.is_some()),
            ("--fingerprint", self.fingerprint.is_some()),
            ("--insecure", self.insecure),
        ];
        if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
            return Err(CliError::usage(format!(
                "--profile and {option} contradict each other: the profile says which cluster and whom to trust"
            )));
        }
        Ok(machine.profile(name)?.endpoint)
    }

    fn of_parts(&self, machine: &dyn Host, warnings: &mut Vec<String>) -> Result<Endpoint, CliError> {
        let url = match (&self.url, machine.variable("ES_URL")?) {
            (Some(url), _) => parse("--url", ClusterUrl::parse(url))?,
            (None, Some(url)) => parse("ES_URL", ClusterUrl::parse(url.expose()))?,
            (None, None) => {
                return Err(CliError::usage(
                    "Say which cluster: by --url https://host:9200, by ES_URL, or by --profile",
                ));
            }
        };
        let trust = self.trust(machine)?;
        let login = login(machine, warnings)?;
        Ok(Endpoint { url, trust, login, run_as: None, timeout: DEFAULT_TIMEOUT, audit_index: None })
    }

    fn trust(&self, machine: &dyn Host) -> Result<Trust, CliError> {
        let fingerprint = |option: &str, text: &str| parse(option, Fingerprint::parse(text)).map(Trust::Fingerprint);
        let ca_file = |path: &Path| Trust::CaFile(path.to_owned());
        match (&self.ca_file, &self.fingerprint, self.insecure) {
            (Some(path), None, false) => return Ok(ca_file(path)),
            (None, Some(text), false) => return fingerprint("--fingerprint", text),
            (None, None, true) => return Ok(Trust::InsecureDev),
            (None, None, false) => {}
            _ => {
                return Err(CliError::usage(
                    "Use one of --ca-file, --fingerprint and --insecure: each says by itself whom to trust",
                ));
            }
        }
        match (machine.variable("ES_CA_FILE")?, machine.variable("ES_FINGERPRINT")?) {
            (Some(_), Some(_)) => Err(CliError::usage(
                "ES_CA_FILE and ES_FINGERPRINT are both set: each says by itself whom to trust, unset one",
            )),
            (Some(path), None) => Ok(ca_file(Path::new(path.expose()))),
            (None, Some(text)) => fingerprint("ES_FINGERPRINT", text.expose()),
            (None, None) => Ok(Trust::System),
        }
    }

    fn warning(&self, endpoint: &Endpoint) -> Option<String> {
        let host = endpoint.url.host();
        if !endpoint.url.is_https() {
            return (!endpoint.url.is_loopback()).then(|| {
                format!("Warning: http to {host} is not encrypted, everybody on the way can read the credential")
            });
        }
        let source = if self.insecure { "--insecure" } else { "this connection is insecure" };
        (endpoint.trust == Trust::InsecureDev).then(|| {
            format!(
                "Warning: {source}: the certificate of {host} is not verified, anybody on the way can read and change \
                 everything, the credential included. For development only"
            )
        })
    }
}

/// Signs in to change something at an endpoint that was put together before, and reports where no journal can be kept
/// of it.
///
/// # Errors
/// With the way out, when it is refused.
pub(crate) async fn changing_session_at(endpoint: &Endpoint) -> Result<Session, CliError> {
    let session = connect::connect(endpoint).await?.with_journal(watched_journal());
    say_clock(&session);
    if let Some(why @ (NotKept::NoPlace | NotKept::SwitchedOff)) = session.journal.not_kept() {
        output::print_error(&format!("Warning: {}", why.words()));
    }
    Ok(session)
}

/// Opens the journal of the environment, whose warnings are printed to stderr at once.
fn watched_journal() -> Journal {
    Journal::from_environment().watched(|warning| output::print_error(&sanitize::shown(&format!("Warning: {warning}"))))
}

/// Reports that the answers carry a date so far off that it can't be used for clock skew.
pub(crate) fn say_clock(session: &Session) {
    if let Some(words) = session.clock_words() {
        output::print_error(&format!("Warning: {words}"));
    }
}

/// Reports on whose behalf a change is about to be made, if the user acts for another one.
pub(crate) fn say_acting(session: &Session) {
    if let Some(words) = acting(session) {
        output::print_status(&words);
    }
}

/// Formats "Acting as ana, signed in by officer (run-as)"; `None` if the user acts for nobody else.
pub(crate) fn acting(session: &Session) -> Option<String> {
    let endpoint = session.client.endpoint();
    endpoint.run_as.as_deref().filter(|user| !user.is_empty())?;
    let by = match &endpoint.login {
        Login::Password { username, .. } => username.as_str(),
        other => other.way(),
    };
    let words = format!("Acting as {}, signed in by {by} (run-as)", session.identity.username);
    Some(sanitize::shown(&words).into_owned())
}

/// Reads the credential from the environment. An API key takes precedence over a token, and a token over a user.
fn login(machine: &dyn Host, warnings: &mut Vec<String>) -> Result<Login, CliError> {
    let key = machine.variable("ES_API_KEY")?;
    let token = machine.variable("ES_TOKEN")?;
    let username = machine.variable("ES_USERNAME")?;
    let set = [("ES_API_KEY", &key), ("ES_TOKEN", &token), ("ES_USERNAME", &username)];
    let mut set = set.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name);
    if let Some(used) = set.next() {
        let unused: Vec<&str> = set.collect();
        if !unused.is_empty() {
            warnings.push(format!("{used} signs in; {} is set too and not used", unused.join(" and ")));
        }
    }
    if let Some(key) = key {
        return parse("ES_API_KEY", Login::from_api_key_text(key.expose()));
    }
    if let Some(token) = token {
        return Ok(Login::Bearer(Secret::new(token.expose().trim())));
    }
    let Some(username) = username else {
        return Err(CliError::usage(
            "Say how to sign in: by ES_API_KEY, by ES_USERNAME and ES_PASSWORD, by ES_TOKEN, or by --profile",
        ));
    };
    let username = username.expose().trim().to_owned();
    let password = match machine.variable("ES_PASSWORD")? {
        Some(password) => password,
        None => machine.password(&username)?,
    };
    Ok(Login::Password { username, password })
}

fn parse<T, E: std::fmt::Display>(option: &str, result: Result<T, E>) -> Result<T, CliError> {
    result.map_err(|error| CliError::Fields(vec![format!("{option}: {error}")]))
}

fn parse_timeout(text: &str) -> Result<Duration, CliError> {
    let seconds = text.trim().strip_suffix('s').unwrap_or(text.trim()).trim_end().parse::<u64>().ok();
    let seconds = seconds.filter(|seconds| (1..=3600).contains(seconds)).ok_or("Seconds, from 1 to 3600, such as 30");
    parse("--timeout", seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::model::connections::profile::{Environment, Profile, ProfileId};

    const PRINT: &str = "3fa108c43fa108c43fa108c43fa108c43fa108c43fa108c43fa108c43fa108c4";

    #[derive(Default)]
    struct Fake(HashMap<&'static str, &'static str>);

    impl Host for Fake {
        fn variable(&self, name: &str) -> Result<Option<Secret>, CliError> {
            Ok(self.0.get(name).copied().map(Secret::new))
        }

        fn password(&self, username: &str) -> Result<Secret, CliError> {
            Ok(Secret::new(format!("typed by {username}")))
        }

        fn profile(&self, name: &str) -> Result<Profile, CliError> {
            Ok(Profile {
                id: ProfileId("1".into()),
                name: name.into(),
                environment: Environment::Development,
                endpoint: Endpoint {
                    url: ClusterUrl::parse("https://saved:9200").unwrap(),
                    trust: Trust::InsecureDev,
                    login: Login::Bearer(Secret::new("saved")),
                    run_as: None,
                    timeout: Duration::from_secs(7),
                    audit_index: None,
                },
            })
        }
    }

    fn machine(variables: &[(&'static str, &'static str)]) -> Fake {
        Fake(variables.iter().copied().collect())
    }

    fn user() -> Fake {
        machine(&[("ES_URL", "https://env:9200"), ("ES_USERNAME", "ana"), ("ES_PASSWORD", "hunter2")])
    }

    fn with(machine: Fake, name: &'static str, value: &'static str) -> Fake {
        let mut variables = machine.0;
        variables.insert(name, value);
        Fake(variables)
    }

    fn words(error: &CliError) -> String {
        match error {
            CliError::Usage(words) => words.clone(),
            CliError::Fields(lines) => lines.join("\n"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn options_win_over_the_environment() {
        let flags = ConnectionFlags {
            url: Some("flag.example.net".into()),
            ca_file: Some("/ca.pem".into()),
            timeout: Some("30s".into()),
            run_as: Some("boris".into()),
            ..Default::default()
        };
        let endpoint = flags.resolve(&with(user(), "ES_FINGERPRINT", PRINT)).unwrap().endpoint;
        assert_eq!(endpoint.url.as_str(), "https://flag.example.net:9200");
        assert_eq!(endpoint.trust, Trust::CaFile("/ca.pem".into()));
        assert_eq!(endpoint.timeout, Duration::from_secs(30));
        assert_eq!(endpoint.run_as.as_deref(), Some("boris"));
    }

    #[test]
    fn the_environment_alone_is_enough() {
        let connection = ConnectionFlags::default().resolve(&with(user(), "ES_FINGERPRINT", PRINT)).unwrap();
        assert_eq!(connection.endpoint.trust, Trust::Fingerprint(Fingerprint::parse(PRINT).unwrap()));
        let expected = Login::Password { username: "ana".into(), password: Secret::new("hunter2") };
        assert_eq!(connection.endpoint.login, expected);
        assert!(connection.warnings.is_empty());
    }

    #[test]
    fn a_profile_wins_over_the_environment_and_contradicts_an_address() {
        let flags = ConnectionFlags { profile: Some("p".into()), ..Default::default() };
        let connection = flags.resolve(&user()).unwrap();
        assert_eq!(connection.endpoint.url.as_str(), "https://saved:9200");
        assert_eq!(connection.endpoint.login, Login::Bearer(Secret::new("saved")));
        assert_eq!(connection.endpoint.timeout, Duration::from_secs(7));
        assert!(connection.warnings[0].contains("not verified"));
        let both = ConnectionFlags { url: Some("x".into()), ..flags };
        assert!(words(&both.resolve(&user()).unwrap_err()).contains("--url"));
    }

    #[test]
    fn two_ways_to_trust_contradict_each_other() {
        let flags = ConnectionFlags { insecure: true, fingerprint: Some(PRINT.into()), ..Default::default() };
        assert!(matches!(flags.resolve(&user()), Err(CliError::Usage(_))));
        let machine = with(with(user(), "ES_FINGERPRINT", PRINT), "ES_CA_FILE", "/ca.pem");
        assert!(words(&ConnectionFlags::default().resolve(&machine).unwrap_err()).contains("ES_CA_FILE"));
    }

    #[test]
    fn an_api_key_in_either_form_goes_before_a_user_and_that_is_said() {
        for text in ["aWQ6a2V5", "id:key", " id:key\n"] {
            let machine = with(user(), "ES_API_KEY", text);
            let connection = ConnectionFlags::default().resolve(&machine).unwrap();
            let expected = Login::ApiKey { id: "id".into(), secret: Secret::new("key") };
            assert_eq!(connection.endpoint.login, expected);
            assert!(connection.warnings[0].contains("ES_USERNAME is set too"));
        }
    }

    #[test]
    fn a_missing_password_is_asked_for() {
        let machine = machine(&[("ES_URL", "https://env:9200"), ("ES_USERNAME", "ana")]);
        let endpoint = ConnectionFlags::default().resolve(&machine).unwrap().endpoint;
        let expected = Login::Password { username: "ana".into(), password: Secret::new("typed by ana") };
        assert_eq!(endpoint.login, expected);
    }

    #[test]
    fn insecure_is_said_in_so_many_words_and_http_too() {
        let warning = |flags: ConnectionFlags| flags.resolve(&user()).unwrap().warnings;
        let insecure = warning(ConnectionFlags { insecure: true, ..Default::default() });
        assert!(insecure[0].contains("--insecure") && insecure[0].contains("not verified"), "{insecure:?}");
        let plain = warning(ConnectionFlags { url: Some("http://es:9200".into()), ..Default::default() });
        assert!(plain[0].contains("not encrypted"));
        assert!(
            warning(ConnectionFlags { url: Some("http://localhost:9200".into()), ..Default::default() }).is_empty()
        );
    }

    #[test]
    fn what_is_missing_or_unreadable_is_named_without_the_secret() {
        let error = |machine: Fake| words(&ConnectionFlags::default().resolve(&machine).unwrap_err());
        assert!(error(machine(&[])).contains("ES_URL"));
        assert!(error(machine(&[("ES_URL", "https://x")])).contains("ES_API_KEY"));
        assert!(
            error(with(user(), "ES_URL", "https://ana:pw@host")).starts_with("ES_URL: Leave user and password out")
        );
        let unreadable = error(with(user(), "ES_API_KEY", "hunter2"));
        assert!(unreadable.starts_with("ES_API_KEY: ") && !unreadable.contains("hunter2"));
        for timeout in ["0", "soon", "3601", "-1", ""] {
            let flags = ConnectionFlags { timeout: Some(timeout.into()), ..Default::default() };
            assert!(words(&flags.resolve(&user()).unwrap_err()).starts_with("--timeout: "), "{timeout}");
        }
    }
}
