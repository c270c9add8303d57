//! The built program against a practice cluster: runs a command line and keeps all that it said.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Output, Stdio},
};

use keybearer::sandbox::{Options, Sandbox};
use serde_json::Value;
use tokio::runtime::Runtime;

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: Option<i32>,
    /// The data.
    pub out: String,
    /// The words.
    pub err: String,
}

impl Ran {
    /// The data as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Of a command that has ended.
    pub fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// `keybearer` with nothing in its environment, and nobody at its terminal.
pub fn keybearer() -> Command {
    clean(env!("CARGO_BIN_EXE_keybearer"))
}

/// The article's command, as clean.
pub fn article() -> Command {
    clean(env!("CARGO_BIN_EXE_elasticsearch-create-api-key"))
}

/// A program with nothing in its environment, and nobody at its terminal.
pub fn clean(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("TZ", "UTC").env("KEYBEARER_JOURNAL", "off").stdin(Stdio::null());
    // Not the keyring of whoever runs the tests, which is found without a variable, too.
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/no/such/bus");
    // The rules of the computer that the tests run on are not theirs.
    command.env("KEYBEARER_TEST_POLICY", concat!(env!("CARGO_TARGET_TMPDIR"), "/no-policy.toml"));
    // The defaults of whoever runs the tests are not theirs either.
    command.env("KEYBEARER_CONFIG", "off");
    // Records of journals are kept for a user; those of tests are not.
    command.env("XDG_STATE_HOME", concat!(env!("CARGO_TARGET_TMPDIR"), "/state"));
    command
}

/// Runs it to its end.
pub fn run(command: &mut Command) -> Ran {
    Ran::of(command.output().unwrap())
}

/// A practice cluster, served while a test waits for its commands.
pub struct Practice {
    sandbox: Sandbox,
    _runtime: Runtime,
}

impl Practice {
    /// With a few keys of its own.
    pub fn start() -> Self {
        Self::with_keys(20)
    }

    /// With so many.
    pub fn with_keys(keys: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let sandbox = runtime.block_on(Sandbox::start(Options { port: 0, keys, ..Options::default() })).unwrap();
        Self { sandbox, _runtime: runtime }
    }

    /// Where it is, and whom to trust.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// A command for one of its users, by the environment alone.
    pub fn user(&self, mut command: Command, name: &str) -> Command {
        command.env("ES_URL", self.sandbox.url()).env("ES_FINGERPRINT", self.sandbox.fingerprint());
        command.env("ES_USERNAME", name).env("ES_PASSWORD", format!("{name}-password"));
        command
    }

    /// A command for whoever has a key, in either form.
    pub fn holder(&self, mut command: Command, key: &str) -> Command {
        command.env("ES_URL", self.sandbox.url()).env("ES_FINGERPRINT", self.sandbox.fingerprint());
        command.env("ES_API_KEY", key);
        command
    }

    /// Runs a command as the security officer.
    pub fn officer<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        run(self.user(keybearer(), "officer").args(args))
    }

    /// Creates a key from `reader` and gives what was told about it.
    pub fn create(&self, name: &str, more: &[&str]) -> Value {
        let args = ["create", "--role", "reader", "--output", "json", "--name", name];
        let ran = self.officer(args.iter().chain(more));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json()
    }

    /// The keys that a list with these options tells.
    pub fn list(&self, args: &[&str]) -> Vec<Value> {
        let ran = self.officer(["list", "--output", "json"].iter().chain(args));
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran.json().as_array().unwrap().clone()
    }
}

/// A folder of a test's own, gone at its end.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The password that a practice cluster prints for its officer.
#[cfg(unix)]
fn printed_password(more: &[&str]) -> String {
    use std::io::BufRead as _;
    let mut served = keybearer()
        .args(["sandbox", "--port", "0", "--keys", "0"])
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines: Vec<String> =
        std::io::BufReader::new(served.stdout.take().unwrap()).lines().take(4).map(Result::unwrap).collect();
    served.kill().unwrap();
    served.wait().unwrap();
    lines.iter().find_map(|line| line.strip_prefix("export ES_PASSWORD=")).unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn passwords_of_the_practice_cluster_are_new_at_each_start_unless_asked_otherwise() {
    let (first, second) = (printed_password(&[]), printed_password(&[]));
    assert!(first.len() >= 20 && first != second, "{first} {second}");
    assert_eq!(printed_password(&["--fixed-passwords"]), "officer-password");
}

#[test]
fn the_help_of_the_practice_cluster_says_what_it_does_not_do() {
    let help = run(keybearer().args(["sandbox", "--help"])).out;
    for words in ["not_in_the_practice_cluster", "aliases", "document", "--fixed-passwords"] {
        assert!(help.contains(words), "{words}: {help}");
    }
}
