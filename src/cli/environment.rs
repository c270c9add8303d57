//! This machine as a command sees it: environment, terminal, keyring, runtime. The connection accesses it by a trait,
//! so that precedence can be tested without any of them.

use std::{
    env, io,
    io::IsTerminal,
    path::Path,
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::Duration,
};

use super::{args::row_options, error::CliError, output};
use crate::{
    client::TokenSource,
    model::{
        api_key::KeyId,
        connections::{endpoint::Endpoint, profile::Profile},
        defaults::{Defaults, DefaultsFault},
        machine_policy::MachinePolicy,
        secret::Secret,
        text::sanitize,
    },
    ops::{
        Problem,
        connections::{
            sign_in::{SignIn, SignIns},
            vault,
        },
        secret::kept,
    },
    store::{
        connections::{Profiles, ProfilesError},
        defaults_file::DefaultsFile,
        journal::Journal,
        machine_policy::PolicyFile,
        vault::{
            Vault, VaultError,
            kept_secrets::{KeptSecret, KeptSecrets},
            os::OsVault,
        },
    },
};

/// Source of the parts of a connection that are not given by options.
pub(super) trait Host {
    /// Returns an environment variable; `None` if it is missing or empty.
    fn variable(&self, name: &str) -> Result<Option<Secret>, CliError>;

    /// Asks for the password of a user.
    fn password(&self, username: &str) -> Result<Secret, CliError>;

    /// Asks for the credential of a saved connection. `what` names it, and `variable` is the other way to give it.
    fn credential(&self, what: &str, variable: &str) -> Result<Secret, CliError>;

    /// Asks for the passphrase of a file; `None` where nobody can be asked.
    fn passphrase(&self, path: &Path) -> Result<Option<Secret>, CliError>;

    /// Returns a saved connection by its name.
    fn profile(&self, name: &str) -> Result<Profile, CliError>;
}

/// The machine that runs the command.
pub(super) struct ThisMachine;

impl Host for ThisMachine {
    fn variable(&self, name: &str) -> Result<Option<Secret>, CliError> {
        match env::var(name) {
            Ok(text) => Ok(Some(Secret::new(text)).filter(|text| !text.expose().trim().is_empty())),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => {
                Err(CliError::usage(format!("{name} is not UTF-8 text: set it again, or unset it")))
            }
        }
    }

    fn password(&self, username: &str) -> Result<Secret, CliError> {
        if !io::stdin().is_terminal() {
            return Err(CliError::usage(
                "ES_USERNAME is set without ES_PASSWORD, and there is no terminal to prompt for it: set ES_PASSWORD",
            ));
        }
        let question = format!("Password of {}: ", output::cell(username));
        rpassword::prompt_password(question)
            .map(Secret::new)
            .map_err(|error| CliError::usage(format!("Can't prompt for the password ({error}): set ES_PASSWORD")))
    }

    fn credential(&self, what: &str, variable: &str) -> Result<Secret, CliError> {
        if !io::stdin().is_terminal() {
            return Err(CliError::usage(format!(
                "The credential of this connection is not saved, and there is no terminal to prompt for it: set {variable}"
            )));
        }
        rpassword::prompt_password(format!("{}: ", output::cell(what)))
            .map(Secret::new)
            .map_err(|error| CliError::usage(format!("Can't prompt for the credential ({error}): set {variable}")))
    }

    fn passphrase(&self, path: &Path) -> Result<Option<Secret>, CliError> {
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let question = format!("Passphrase of {}: ", output::cell(&path.display().to_string()));
        let typed = rpassword::prompt_password(question);
        typed.map(|typed| Some(Secret::new(typed))).map_err(|error| {
            CliError::usage(format!("Can't prompt for the passphrase ({error}): set ES_CLIENT_KEY_PASSPHRASE"))
        })
    }

    fn profile(&self, name: &str) -> Result<Profile, CliError> {
        let wanted = name.to_owned();
        let found = in_keyring(move |profiles| profiles.by_name(&wanted))?;
        // The first one stays: a command uses one connection.
        let _ = PROFILE.set(name.to_owned());
        let missing = "`keybearer profiles list` lists the saved connections";
        found.ok_or_else(|| CliError::problem(&format!("There is no connection named “{name}”"), "", missing))
    }
}

/// Time after which a person is informed what is being waited for.
const SILENCE: Duration = Duration::from_secs(2);
/// Time after which a keyring is given up: it may show a prompt and wait for a person.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longest wait at the end of a command for blocking work, such as a keyring that asks its user before it removes the
/// secret of an invalidated key.
const MAX_SHUTDOWN: Duration = Duration::from_secs(5);

/// Returns the rules of this computer. They are read once, so that a command obeys the same ones from its beginning to its
/// end.
pub(super) fn policy() -> &'static Arc<MachinePolicy> {
    static POLICY: OnceLock<Arc<MachinePolicy>> = OnceLock::new();
    POLICY.get_or_init(|| Arc::new(PolicyFile::of_this_machine().read()))
}

/// Returns the file with this user's defaults.
pub(super) fn defaults_file() -> &'static DefaultsFile {
    static FILE: OnceLock<DefaultsFile> = OnceLock::new();
    FILE.get_or_init(DefaultsFile::of_this_user)
}

/// Returns this user's defaults; none if their file can't be used, which [`check_defaults`] tells.
pub(super) fn defaults() -> &'static Defaults {
    static NONE: Defaults = Defaults { profile: None, output: None, color: None, columns: None, timeout: None };
    read_defaults().as_ref().unwrap_or(&NONE)
}

/// Checks that the file with this user's defaults can be used.
///
/// # Errors
/// With the file, its line and the reason.
pub(super) fn check_defaults() -> Result<(), CliError> {
    let Err(fault) = read_defaults() else { return Ok(()) };
    let path = defaults_file().path().map(|path| path.display().to_string()).unwrap_or_default();
    Err(CliError::usage(format!("{}: {fault}", sanitize::shown(&path))))
}

fn read_defaults() -> &'static Result<Defaults, DefaultsFault> {
    static DEFAULTS: OnceLock<Result<Defaults, DefaultsFault>> = OnceLock::new();
    DEFAULTS.get_or_init(|| {
        let defaults = defaults_file().read()?;
        if let Some(set) = &defaults.columns {
            for name in &set.value {
                let wrong = |why| DefaultsFault::at(set.line, format!("columns: {why}"));
                row_options::places(name.trim()).map_err(wrong)?;
            }
        }
        Ok(defaults)
    })
}

/// Returns the journal of this computer's user.
pub(super) fn journal() -> Journal {
    Journal::from_environment(policy())
}

/// Calls the keyring of this computer, which may take as long as a person does: on a thread of its own, so that it can
/// be given up.
///
/// # Errors
/// With the way out, when the keyring refuses or does not answer.
pub(super) fn in_keyring<T: Send + 'static>(
    call: impl FnOnce(&Profiles) -> Result<T, ProfilesError> + Send + 'static,
) -> Result<T, CliError> {
    ask_keyring(move |keyring| call(&Profiles::by_rules(keyring, policy())))
}

/// Returns the secret of a key, encoded, if it is kept in the keyring of this computer.
///
/// # Errors
/// With the way out, when the keyring refuses or does not answer.
pub(super) fn kept_secret(id: &KeyId) -> Result<Option<Secret>, CliError> {
    let id = id.clone();
    let found = ask_keyring(move |keyring| Ok(KeptSecrets::new(keyring).find(&id)?))?;
    Ok(found.map(|kept| kept.encoded))
}

/// Returns the kept secret of the key with this id or name.
///
/// # Errors
/// With the way out, when there is none, several are meant, or the keyring refuses or does not answer.
pub(super) fn kept_secret_named(reference: String) -> Result<KeptSecret, CliError> {
    Ok(ask_keyring(move |keyring| Ok(kept::named(&KeptSecrets::new(keyring), &reference)))??)
}

/// Name of the connection that the command uses, for messages.
static PROFILE: OnceLock<String> = OnceLock::new();

/// Sign-ins at providers of this process.
static SIGN_INS: OnceLock<SignIns> = OnceLock::new();

/// Returns the name of the connection that the command uses; `None` if it uses the environment.
pub(super) fn profile_name() -> Option<&'static str> {
    PROFILE.get().map(String::as_str)
}

/// Returns the sign-in of an endpoint at its provider; `None` if it signs in otherwise.
pub(super) fn sign_in(endpoint: &Endpoint) -> Option<Arc<SignIn>> {
    let keyring: Arc<dyn Vault> = Arc::new(OsVault::new());
    SIGN_INS.get_or_init(SignIns::default).of(endpoint, &keyring)
}

/// Returns the source of the token of an endpoint; `None` if it doesn't sign in at a provider.
pub(super) fn token_source(endpoint: &Endpoint) -> Option<Arc<dyn TokenSource>> {
    sign_in(endpoint).map(|sign_in| sign_in as Arc<dyn TokenSource>)
}

/// Returns the passphrase of an SSH key's file, from the environment or a prompt.
///
/// # Errors
/// The reason why there is none, as a part of a sentence.
pub(super) fn ssh_passphrase(path: &Path) -> Result<Secret, String> {
    const VARIABLE: &str = "KEYBEARER_SSH_PASSPHRASE";
    if let Some(passphrase) = ThisMachine.variable(VARIABLE).map_err(|_| format!("{VARIABLE} is not text"))? {
        return Ok(passphrase);
    }
    if !io::stdin().is_terminal() {
        return Err(format!("there is no terminal to prompt for its passphrase, and {VARIABLE} is not set"));
    }
    let question = format!("Passphrase of {}: ", output::cell(&path.display().to_string()));
    rpassword::prompt_password(question).map(Secret::new).map_err(|error| format!("nobody can be asked: {error}"))
}

/// Creates the view of the kept secrets in this computer's keyring.
pub(super) fn kept_secrets() -> KeptSecrets {
    KeptSecrets::new(Arc::new(OsVault::new()))
}

fn ask_keyring<T: Send + 'static>(
    call: impl FnOnce(Arc<dyn Vault>) -> Result<T, ProfilesError> + Send + 'static,
) -> Result<T, CliError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let keyring: Arc<dyn Vault> = Arc::new(OsVault::new());
    let work = move || {
        // Nobody listens any more when it was given up.
        let _ = sender.send(call(keyring));
    };
    thread::Builder::new()
        .name("keyring".into())
        .spawn(work)
        .map_err(|error| CliError::problem("The keyring can't be accessed", &error.to_string(), "Try again"))?;
    let answer = receiver.recv_timeout(SILENCE).or_else(|_| {
        output::print_status("Waiting for the keyring: it may be asking for its password in a separate window");
        receiver.recv_timeout(PATIENCE)
    });
    match answer {
        Ok(result) => result.map_err(keyring_problem),
        Err(_) => Err(vault::waited_too_long().into()),
    }
}

fn keyring_problem(error: ProfilesError) -> CliError {
    if let ProfilesError::Policy(_) = error {
        return Problem::from(error).into();
    }
    let without = "Without a keyring, specify the cluster with --url or ES_URL, and sign in with ES_API_KEY, ES_TOKEN, \
                   or ES_USERNAME and ES_PASSWORD";
    let hint = match &error {
        ProfilesError::Vault(VaultError::NoBus | VaultError::NoDaemon) => without,
        other => other.way_out(),
    };
    CliError::from(Problem::new(&error.to_string(), "").hint(hint))
}

/// Runs a command on this thread.
///
/// # Errors
/// Those of the command.
pub(super) fn run<T>(command: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        CliError::problem("Keybearer can't start", &error.to_string(), "Free some memory or file handles")
    })?;
    let done = runtime.block_on(command);
    runtime.shutdown_timeout(MAX_SHUTDOWN);
    done
}
