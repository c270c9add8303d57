//! The cluster, its trust and the credential: options before the environment, and a profile in place of both.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{credentials, span};
use crate::{
    cli::{
        environment::{self, Host, ThisMachine},
        error::CliError,
        output,
        output::paint::Source,
    },
    model::{
        connections::{
            draft::ProfileDraft,
            endpoint::{ClusterUrl, Endpoint, Trust},
            fingerprint::Fingerprint,
            login::Login,
            protection::Protection,
        },
        defaults::Defaults,
        text::sanitize,
    },
    ops::{
        Session, clock,
        connections::{connect, expirations, machine_policy, protection},
    },
    store::journal::{Journal, NotKept},
};

/// The options of a connection.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionFlags {
    /// Use this saved connection instead of the environment; for `list` it can be repeated
    #[arg(long = "profile", global = true, value_name = "NAME")]
    pub(crate) profiles: Vec<String>,
    /// The saved connection, if there is only one.
    #[arg(skip)]
    pub(crate) profile: Option<String>,
    /// Address of the cluster, such as https://es.example.net:9200; repeat it for further addresses of the same cluster
    #[arg(long, global = true)]
    pub(crate) url: Vec<String>,
    /// Trust only the certificates in this PEM file (`sandbox` writes its own to it)
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Trust the certificate with this SHA-256 fingerprint, as printed by Elasticsearch on first start
    #[arg(long, global = true, value_name = "SHA256")]
    pub(crate) fingerprint: Option<String>,
    /// Trust any certificate: for development only
    #[arg(long, global = true)]
    pub(crate) insecure: bool,
    /// Present this client certificate: PEM, or PKCS#12 (.p12, .pfx). Its passphrase comes from
    /// ES_CLIENT_KEY_PASSPHRASE or a prompt. Without another credential, it signs in
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) client_cert: Option<PathBuf>,
    /// Private key of the client certificate, if it is in another file
    #[arg(long, global = true, value_name = "PATH", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Timeout of each request, in seconds [default: 60]
    #[arg(long, global = true, value_name = "SECONDS")]
    pub(crate) timeout: Option<String>,
    /// Run as this user (requires the privilege run_as)
    #[arg(long, global = true, value_name = "USER")]
    pub(crate) run_as: Option<String>,
    /// Go through this proxy: http://, https:// or socks5://. Its sign-in comes from KEYBEARER_PROXY_USERNAME and
    /// KEYBEARER_PROXY_PASSWORD [default: the proxy of this computer]
    #[arg(long, global = true, value_name = "URL", conflicts_with = "no_proxy")]
    pub(crate) proxy: Option<String>,
    /// Go through no proxy, whatever this computer is set to
    #[arg(long, global = true)]
    pub(crate) no_proxy: bool,
    /// Send no change to the cluster, whatever the command
    #[arg(long, global = true)]
    pub(crate) read_only: bool,
    /// Confirm a change through a protected connection by its name, where nobody can type it
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) confirm_name: Option<String>,
    /// `true` if the connection is saved without its credential, which may be missing then.
    #[arg(skip)]
    pub(crate) is_asked_later: bool,
    /// `true` for one of several connections that a command uses.
    #[arg(skip)]
    pub(crate) is_one_of_several: bool,
}

/// A connection, with the warnings to show before it is used.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) endpoint: Endpoint,
    pub(crate) warnings: Vec<String>,
}

impl ConnectionFlags {
    pub(crate) fn is_empty(&self) -> bool {
        let Self { profiles, profile, url, ca_file, fingerprint, insecure, timeout, run_as, .. } = self;
        let Self { client_cert, client_key, proxy, no_proxy, read_only, confirm_name, .. } = self;
        let texts = [profile, fingerprint, timeout, run_as, proxy, confirm_name];
        let paths = [ca_file, client_cert, client_key];
        let is_switched = *insecure || *no_proxy || *read_only || !url.is_empty() || !profiles.is_empty();
        !is_switched && paths.iter().all(|path| path.is_none()) && texts.iter().all(|text| text.is_none())
    }

    /// Reads the names of saved connections as they were given: one is the connection, several are for
    /// [`Self::several`].
    pub(crate) fn settled(mut self) -> Self {
        if let [name] = self.profiles.as_slice() {
            self.profile = Some(name.clone());
        }
        self
    }

    /// Returns the names of several saved connections; empty for one or none.
    pub(crate) fn several(&self) -> &[String] {
        if self.profiles.len() > 1 { &self.profiles } else { &[] }
    }

    /// Takes the connection and the time limit from the user's defaults, where neither options nor the environment name
    /// them.
    ///
    /// # Errors
    /// If a variable can't be read.
    pub(crate) fn with_defaults(mut self, defaults: &Defaults) -> Result<Self, CliError> {
        let is_given = !self.profiles.is_empty() || self.profile.is_some() || self.other_cluster()?.is_some();
        if !is_given {
            self.profile = defaults.profile.as_ref().map(|set| set.value.clone());
        }
        // A saved connection has a time limit of its own.
        if self.profile.is_none() && self.timeout.is_none() {
            self.timeout = defaults.timeout.as_ref().map(|set| set.value.to_string());
        }
        Ok(self)
    }

    /// Returns what names the cluster other than a profile: an option, or a variable.
    ///
    /// # Errors
    /// If the variable can't be read.
    pub(crate) fn other_cluster(&self) -> Result<Option<Source>, CliError> {
        if !self.url.is_empty() {
            return Ok(Some(Source::Option));
        }
        Ok(ThisMachine.variable("ES_URL")?.map(|_| Source::Variable("ES_URL")))
    }

    /// Puts the connection together and prints its warnings.
    ///
    /// # Errors
    /// Returns a usage error if a required option is missing or two options contradict each other.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, CliError> {
        self.endpoint_by(None)
    }

    /// Puts the connection together as [`Self::endpoint`] does, with this sign-in in place of one from the environment.
    ///
    /// # Errors
    /// As [`Self::endpoint`].
    pub(crate) fn endpoint_by(&self, login: Option<Login>) -> Result<Endpoint, CliError> {
        let connection = self.resolve_by(&ThisMachine, login)?;
        connection.warnings.iter().for_each(|warning| output::print_error(warning));
        Ok(connection.endpoint)
    }

    /// Signs in.
    ///
    /// # Errors
    /// With the way out, when there is no connection or it is refused.
    pub(crate) async fn session(&self) -> Result<Session, CliError> {
        session_at(&self.endpoint()?).await
    }

    /// Signs in to change something, and reports where no journal can be kept of it. With a profile, kept secrets of
    /// keys that are invalidated are removed from the keyring. Through a protected connection, [`Self::confirm`] comes
    /// before the change.
    ///
    /// # Errors
    /// With the way out, when there is no connection, it is read-only or it is refused.
    pub(crate) async fn changing_session(&self) -> Result<Session, CliError> {
        let endpoint = self.endpoint()?;
        check_writable(&endpoint)?;
        let session = changing_session_at(&endpoint).await?;
        // A keyring that was just read for the profile answers; without a profile nobody agreed to a keyring's prompt.
        Ok(if self.profile.is_some() { session.with_keyring(environment::kept_secrets()) } else { session })
    }

    /// Asks a person for the name of the connection if it is protected, or takes it from `--confirm-name`. Returns the
    /// session that may send the change.
    ///
    /// # Errors
    /// If the name is another one, the connection is read-only, or there is nobody to ask. Nothing was sent.
    pub(crate) fn confirm(&self, session: &Session) -> Result<Session, CliError> {
        if !protection::asks_for_name(session.client.endpoint()) {
            return Ok(protection::confirm(session, "", "")?);
        }
        let name = self.profile.as_deref().unwrap_or_default();
        let typed = match &self.confirm_name {
            Some(typed) => typed.clone(),
            None if output::someone_is_there() => {
                let words = format!(
                    "This connection is protected. Type its name, {}, to send the change:",
                    sanitize::shown(name)
                );
                output::ask(&words)?
            }
            None => {
                return Err(CliError::usage(format!(
                    "Nothing was done: this connection is protected; add --confirm-name '{}' to proceed",
                    sanitize::shown(name)
                )));
            }
        };
        Ok(protection::confirm(session, name, &typed)?)
    }

    #[cfg(test)]
    fn resolve(&self, machine: &dyn Host) -> Result<Connection, CliError> {
        self.resolve_by(machine, None)
    }

    fn resolve_by(&self, machine: &dyn Host, login: Option<Login>) -> Result<Connection, CliError> {
        let timeout = self.timeout.as_deref().map(span::timeout).transpose()?;
        let run_as = self.run_as.clone().filter(|user| !user.is_empty());
        let mut warnings = Vec::new();
        let mut endpoint = match &self.profile {
            Some(name) => self.of_profile(name, machine)?,
            None => self.of_parts(machine, login, &mut warnings)?,
        };
        endpoint.timeout = timeout.unwrap_or(endpoint.timeout);
        endpoint.run_as = run_as.or(endpoint.run_as);
        endpoint.proxy = credentials::proxy(self, machine)?.unwrap_or(endpoint.proxy);
        if self.read_only {
            endpoint.protection = Protection::ReadOnly;
        }
        warnings.extend(self.warning(&endpoint));
        let ending = expirations::words(&endpoint, clock::now());
        warnings.extend(ending.iter().map(|words| format!("Warning: {}", sanitize::shown(words))));
        Ok(Connection { endpoint, warnings })
    }

    fn of_profile(&self, name: &str, machine: &dyn Host) -> Result<Endpoint, CliError> {
        let given = [
            ("--url", !self.url.is_empty()),
            ("--ca-file", self.ca_file.is_some()),
            ("--fingerprint", self.fingerprint.is_some()),
            ("--insecure", self.insecure),
            ("--client-cert", self.client_cert.is_some()),
        ];
        if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
            return Err(CliError::usage(format!(
                "--profile and {option} can't be used together: the profile defines the cluster and what to trust"
            )));
        }
        let endpoint = machine.profile(name)?.endpoint;
        // A variable or an answer to a question is the credential of one cluster, and must not reach another one.
        if self.is_one_of_several && endpoint.lacks_credential() {
            return Err(CliError::problem(
                "Its credential is asked for each time",
                "",
                "List it by itself, with one --profile",
            ));
        }
        if self.is_asked_later { Ok(endpoint) } else { credentials::filled(endpoint, machine) }
    }

    fn of_parts(
        &self,
        machine: &dyn Host,
        login: Option<Login>,
        warnings: &mut Vec<String>,
    ) -> Result<Endpoint, CliError> {
        let (url, more_urls) = match (self.url.as_slice(), machine.variable("ES_URL")?) {
            ([_, ..], _) => self.urls()?,
            ([], Some(url)) => (parse("ES_URL", ClusterUrl::parse(url.expose()))?, Vec::new()),
            ([], None) => {
                return Err(CliError::usage("Specify the cluster with --url https://host:9200, ES_URL or --profile"));
            }
        };
        let trust = self.trust(machine)?;
        let client_certificate = credentials::client_certificate(self, machine)?;
        let login = match login {
            Some(login) => login,
            None => credentials::login(machine, (client_certificate.is_some(), self.is_asked_later), warnings)?,
        };
        Ok(Endpoint { more_urls, trust, client_certificate, ..Endpoint::new(url, login) })
    }

    /// Returns the first address of the options and the others, by the rules of the window's form.
    fn urls(&self) -> Result<(ClusterUrl, Vec<ClusterUrl>), CliError> {
        let draft = ProfileDraft { url: self.url.join("\n"), ..ProfileDraft::new() };
        parse("--url", draft.urls())
    }

    pub(super) fn trust(&self, machine: &dyn Host) -> Result<Trust, CliError> {
        let fingerprint = |option: &str, text: &str| parse(option, Fingerprint::parse(text)).map(Trust::Fingerprint);
        let ca_file = |path: &Path| Trust::CaFile(path.to_owned());
        match (&self.ca_file, &self.fingerprint, self.insecure) {
            (Some(path), None, false) => return Ok(ca_file(path)),
            (None, Some(text), false) => return fingerprint("--fingerprint", text),
            (None, None, true) => return Ok(Trust::InsecureDev),
            (None, None, false) => {}
            _ => {
                return Err(CliError::usage(
                    "Use only one of --ca-file, --fingerprint and --insecure: each defines what to trust",
                ));
            }
        }
        match (machine.variable("ES_CA_FILE")?, machine.variable("ES_FINGERPRINT")?) {
            (Some(_), Some(_)) => Err(CliError::usage(
                "ES_CA_FILE and ES_FINGERPRINT are both set: each defines what to trust, so unset one",
            )),
            (Some(path), None) => Ok(ca_file(Path::new(path.expose()))),
            (None, Some(text)) => fingerprint("ES_FINGERPRINT", text.expose()),
            (None, None) => Ok(Trust::System),
        }
    }

    fn warning(&self, endpoint: &Endpoint) -> Option<String> {
        let host = endpoint.url.host();
        if !endpoint.is_https() {
            let remote = endpoint.urls().find(|url| !url.is_https() && !url.is_loopback()).map(ClusterUrl::host);
            return remote.map(|host| {
                format!("Warning: http to {host} is not encrypted: anyone on the network path can read the credential")
            });
        }
        let source = if self.insecure { "--insecure" } else { "this connection is insecure" };
        (endpoint.trust == Trust::InsecureDev).then(|| {
            format!(
                "Warning: {source}: the certificate of {host} is not verified: traffic, including the credential, can \
                 be read and changed. For development only"
            )
        })
    }
}

/// Refuses to begin a change that the rules of this computer don't allow, or through a read-only connection, before
/// anything is asked.
///
/// # Errors
/// With the way out.
pub(crate) fn check_writable(endpoint: &Endpoint) -> Result<(), CliError> {
    let by_rule = machine_policy::refusal_of_changes(environment::policy(), &environment::journal());
    by_rule.or_else(|| protection::refusal(endpoint)).map_or(Ok(()), |problem| Err(problem.into()))
}

/// Signs in at an endpoint that was put together before.
///
/// # Errors
/// With the way out, when it is refused.
pub(crate) async fn session_at(endpoint: &Endpoint) -> Result<Session, CliError> {
    let tokens = environment::token_source(endpoint);
    let session = connect::connect_by_rules(endpoint, environment::policy(), tokens).await?;
    let session = session.with_journal(watched_journal());
    // An answer may carry a date so far off that it can't be used for clock skew.
    if let Some(words) = session.clock_words() {
        output::print_error(&format!("Warning: {words}"));
    }
    Ok(session)
}

/// Signs in to change something at an endpoint that was put together before, and reports where no journal can be kept
/// of it.
///
/// # Errors
/// With the way out, when it is refused.
pub(crate) async fn changing_session_at(endpoint: &Endpoint) -> Result<Session, CliError> {
    let session = session_at(endpoint).await?;
    if let Some(why @ (NotKept::NoPlace | NotKept::SwitchedOff)) = session.journal.not_kept() {
        output::print_error(&format!("Warning: {}", why.words()));
    }
    Ok(session)
}

/// Opens the journal of the environment, whose warnings are printed to stderr at once.
fn watched_journal() -> Journal {
    environment::journal().watched(|warning| output::print_error(&sanitize::shown(&format!("Warning: {warning}"))))
}

/// Reports on whose behalf a change is about to be made, if the user acts for another one.
pub(crate) fn print_acting(session: &Session) {
    if let Some(words) = acting(session) {
        output::print_status(&words);
    }
}

/// Formats "Acting as ana, signed in as officer (run-as)"; `None` if the user acts for nobody else.
pub(crate) fn acting(session: &Session) -> Option<String> {
    let endpoint = session.client.endpoint();
    endpoint.run_as.as_deref().filter(|user| !user.is_empty())?;
    let by = match &endpoint.login {
        Login::Password { username, .. } => username.as_str(),
        other => other.way(),
    };
    let words = format!("Acting as {}, signed in as {by} (run-as)", session.identity.username);
    Some(sanitize::shown(&words).into_owned())
}

pub(super) fn parse<T, E: std::fmt::Display>(option: &str, result: Result<T, E>) -> Result<T, CliError> {
    result.map_err(|error| CliError::Fields(vec![format!("{option}: {error}")]))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, time::Duration};

    use super::*;
    use crate::model::{
        connections::profile::{Environment, Profile, ProfileId},
        secret::Secret,
    };

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

        fn credential(&self, what: &str, _: &str) -> Result<Secret, CliError> {
            Ok(Secret::new(format!("typed: {what}")))
        }

        fn passphrase(&self, _: &Path) -> Result<Option<Secret>, CliError> {
            Ok(None)
        }

        fn profile(&self, name: &str) -> Result<Profile, CliError> {
            Ok(Profile {
                id: ProfileId("1".into()),
                name: name.into(),
                environment: Environment::Development,
                endpoint: Endpoint {
                    trust: Trust::InsecureDev,
                    timeout: Duration::from_secs(7),
                    asks_credential: name == "asked",
                    ..Endpoint::new(
                        ClusterUrl::parse("https://saved:9200").unwrap(),
                        Login::Bearer(if name == "asked" { Secret::default() } else { Secret::new("saved") }),
                    )
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
            url: vec!["flag.example.net".into()],
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
        let both = ConnectionFlags { url: vec!["x".into()], ..flags };
        assert!(words(&both.resolve(&user()).unwrap_err()).contains("--url"));
    }

    #[test]
    fn a_credential_that_is_not_saved_comes_from_its_variable_or_a_prompt() {
        let flags = ConnectionFlags { profile: Some("asked".into()), ..Default::default() };
        let login = |machine: &Fake| flags.resolve(machine).unwrap().endpoint.login;
        assert_eq!(login(&user()), Login::Bearer(Secret::new("typed: Token")), "another credential is none of it");
        assert_eq!(login(&with(user(), "ES_TOKEN", " t0ken\n")), Login::Bearer(Secret::new("t0ken")));
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
            assert!(connection.warnings[0].contains("ES_USERNAME is also set"));
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
    fn a_token_that_has_expired_is_warned_about() {
        // {"exp":1}
        let warnings = |token| {
            let machine = machine(&[("ES_URL", "https://env:9200"), ("ES_TOKEN", token)]);
            ConnectionFlags::default().resolve(&machine).unwrap().warnings
        };
        let old = warnings("e30.eyJleHAiOjF9.c2ln");
        assert!(old[0].starts_with("Warning: the token expired"), "{old:?}");
        // {"exp":99999999999}
        assert!(warnings("e30.eyJleHAiOjk5OTk5OTk5OTk5fQ.c2ln").is_empty());
        assert!(warnings("opaque").is_empty());
    }

    #[test]
    fn insecure_is_said_in_so_many_words_and_http_too() {
        let warning = |flags: ConnectionFlags| flags.resolve(&user()).unwrap().warnings;
        let insecure = warning(ConnectionFlags { insecure: true, ..Default::default() });
        assert!(insecure[0].contains("--insecure") && insecure[0].contains("not verified"), "{insecure:?}");
        let plain = warning(ConnectionFlags { url: vec!["http://es:9200".into()], ..Default::default() });
        assert!(plain[0].contains("not encrypted"));
        assert!(
            warning(ConnectionFlags { url: vec!["http://localhost:9200".into()], ..Default::default() }).is_empty()
        );
    }

    #[test]
    fn what_is_missing_or_unreadable_is_named_without_the_secret() {
        let error = |machine: Fake| words(&ConnectionFlags::default().resolve(&machine).unwrap_err());
        assert!(error(machine(&[])).contains("ES_URL"));
        assert!(error(machine(&[("ES_URL", "https://x")])).contains("ES_API_KEY"));
        assert!(
            error(with(user(), "ES_URL", "https://ana:pw@host")).starts_with("ES_URL: Remove the user and password")
        );
        let unreadable = error(with(user(), "ES_API_KEY", "hunter2"));
        assert!(unreadable.starts_with("ES_API_KEY: ") && !unreadable.contains("hunter2"));
        for timeout in ["0", "soon", "3601", "-1", ""] {
            let flags = ConnectionFlags { timeout: Some(timeout.into()), ..Default::default() };
            assert!(words(&flags.resolve(&user()).unwrap_err()).starts_with("--timeout: "), "{timeout}");
        }
    }
}
