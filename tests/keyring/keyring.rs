//! The connection profiles in a real Secret Service: saved, read by others, locked, missing. It runs
//! only inside a desktop session of its own, when `KEYBEARER_TEST_KEYRING=1` says so.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, MutexGuard, Once, PoisonError, mpsc},
    time::{Duration, Instant},
};

use keybearer::{
    model::{
        api_key::KeyId,
        connections::{
            endpoint::{ClusterUrl, Endpoint, Trust},
            login::Login,
            profile::{Environment, Profile, ProfileId},
        },
        secret::Secret,
    },
    sandbox::{Options, Sandbox},
    store::{
        connections::{Profiles, ProfilesError, new_profile_id},
        vault::{Vault, VaultError, VaultPlace, kept_secrets::KeptSecrets, os::OsVault},
    },
};

#[cfg(target_os = "linux")]
#[path = "sleep.rs"]
mod sleep;

const LIMIT: Duration = Duration::from_secs(20);
const PROBE: &str = "KEYBEARER_KEYRING_PROBE";

/// The one keyring of the session: tests take turns. `None` when nobody asked for these tests.
fn desktop() -> Option<MutexGuard<'static, ()>> {
    static TURN: Mutex<()> = Mutex::new(());
    if std::env::var_os("KEYBEARER_TEST_KEYRING").is_none_or(|asked| asked != "1") {
        eprintln!("NOT RUN: the real keyring is only used when KEYBEARER_TEST_KEYRING=1 is set");
        return None;
    }
    // A prompt that nobody answers must fail the run and not hold it.
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        let watch = || {
            std::thread::sleep(6 * LIMIT);
            eprintln!("the keyring's tests took too long: a prompt that was left open?");
            std::process::exit(101);
        };
        std::thread::Builder::new().name("watch".into()).spawn(watch).unwrap();
    });
    Some(TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

fn profiles() -> (Arc<OsVault>, Profiles) {
    let vault = Arc::new(OsVault::new());
    (vault.clone(), Profiles::new(vault))
}

fn profile(name: &str, secret: &str) -> Profile {
    Profile {
        id: new_profile_id(),
        name: name.into(),
        environment: Environment::Production,
        endpoint: Endpoint::new(
            ClusterUrl::parse("https://es.example.net:9200").unwrap(),
            Login::Password { username: "ana".into(), password: Secret::new(secret) },
        ),
    }
}

fn empty(profiles: &Profiles) {
    let list = profiles.list().unwrap();
    let unreadable = list.unreadable.iter().map(|unreadable| &unreadable.id);
    list.profiles.iter().map(|profile| &profile.id).chain(unreadable).for_each(|id| profiles.remove(id).unwrap());
}

fn output(command: &[&str]) -> Output {
    Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()).output().unwrap()
}

fn lookup(entry: &str) -> String {
    let output = output(&["secret-tool", "lookup", "service", "keybearer", "username", entry]);
    String::from_utf8(output.stdout).unwrap()
}

fn lock() {
    let output = output(&[
        "gdbus",
        "call",
        "--session",
        "--dest=org.freedesktop.secrets",
        "--object-path=/org/freedesktop/secrets",
        "--method=org.freedesktop.Secret.Service.Lock",
        "['/org/freedesktop/secrets/collection/login']",
    ]);
    assert!(output.status.success(), "{output:?}");
}

/// Waits for the keyring's password window and gives it a password, or none.
fn answer_prompt(password: Option<&str>) {
    let end = Instant::now() + LIMIT;
    while !output(&["xdotool", "search", "--onlyvisible", "--name", "Unlock"]).status.success() {
        assert!(Instant::now() < end, "no password window came");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(300)); // it takes the keyboard a moment after it is shown
    if let Some(password) = password {
        assert!(output(&["xdotool", "type", "--delay", "30", password]).status.success());
    }
    let key = if password.is_some() { "Return" } else { "Escape" };
    assert!(output(&["xdotool", "key", key]).status.success());
}

/// Runs on a thread of its own, so that a keyring that never answers fails a test and doesn't hold it.
fn meanwhile<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    std::thread::Builder::new().name("keyring call".into()).spawn(move || sender.send(call())).unwrap();
    receiver
}

/// What another process of Keybearer finds, started by `launcher`, without some variables.
fn probe(what: &str, launcher: &[&str], without: &[&str], with: &[(&str, &str)]) -> String {
    let this = std::env::current_exe().unwrap();
    let test = [this.to_str().unwrap(), "--exact", "a_probe_tells_what_it_finds", "--nocapture", "--test-threads=1"];
    let line = [launcher, &test].concat();
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).env(PROBE, what).envs(with.iter().copied()).stdin(Stdio::null());
    for name in without {
        command.env_remove(name);
    }
    let output = meanwhile(move || command.output().unwrap()).recv_timeout(LIMIT).expect("an answer in time");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = said.lines().find_map(|line| line.split_once("FOUND ")).map(|(_, found)| found.to_owned());
    found.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
fn a_probe_tells_what_it_finds() {
    let Some(what) = std::env::var_os(PROBE) else { return };
    let (_, profiles) = profiles();
    let found = match what.to_str().unwrap() {
        "list" => profiles.list().map(|list| list.profiles.len()),
        name => profiles.save(&profile(name, "hunter2")).map(|()| 0),
    };
    println!("FOUND {found:?}");
}

#[test]
fn profiles_live_in_the_keyring_where_others_find_them() {
    let Some(_turn) = desktop() else { return };
    let (vault, profiles) = profiles();
    empty(&profiles);
    assert_eq!(profiles.place(), VaultPlace::Keyring);

    let mut one = profile("one é \"x\"", "hunter2 \\ \" 😀");
    let two = profile("two", "hunter3");
    profiles.save(&one).unwrap();
    profiles.save(&two).unwrap();
    one.name = "one, renamed".into();
    profiles.save(&one).unwrap();
    assert_eq!(profiles.list().unwrap().profiles, [one.clone(), two.clone()]);
    assert_eq!(profiles.by_name("two"), Ok(Some(two.clone())));
    assert!(matches!(profiles.save(&profile("two", "")), Err(ProfilesError::NameTaken(_))));

    let entry = format!("profile/{}", two.id.0);
    assert!(lookup(&entry).contains("\"secret\":\"hunter3\""));
    assert_eq!(probe("list", &["env"], &[], &[]), "Ok(2)");

    profiles.remove(&one.id).unwrap();
    profiles.remove(&one.id).unwrap();
    assert_eq!(vault.names("profile/").unwrap(), std::slice::from_ref(&entry));
    profiles.remove(&two.id).unwrap();
    assert_eq!(lookup(&entry), "");
    assert_eq!(vault.read(&entry), Ok(None));
}

#[test]
fn a_foreign_entry_in_our_place_is_named_and_hides_nothing() {
    let Some(_turn) = desktop() else { return };
    let (_, profiles) = profiles();
    empty(&profiles);
    profiles.save(&profile("good", "hunter2")).unwrap();
    let mut tool = Command::new("secret-tool")
        .args(["store", "--label=x", "service", "keybearer", "username", "profile/foreign"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(b"\xff\xfe").unwrap();
    assert!(tool.wait().unwrap().success());
    let list = profiles.list().unwrap();
    assert_eq!((list.profiles.len(), list.unreadable.len()), (1, 1));
    assert_eq!(list.unreadable[0].id, ProfileId("foreign".into()));
    assert_eq!(list.unreadable[0].reason, "the keyring's entry is not text");
    empty(&profiles);
}

#[test]
fn a_kept_secret_is_found_by_other_programs() {
    let Some(_turn) = desktop() else { return };
    let kept = KeptSecrets::new(Arc::new(OsVault::new()));
    let id = KeyId::new("VuaCfGcBCdbkQm-e5aOx");
    kept.keep_secret(&id, "my_app_key", &Secret::new("ui2lp2axTNmsyakw9tvNnw"), None).unwrap();
    let found = kept.find(&id).unwrap().unwrap();
    assert_eq!(found.name, "my_app_key");
    assert!(lookup("key/VuaCfGcBCdbkQm-e5aOx").contains(found.encoded.expose()));
    kept.forget(&id).unwrap();
    assert_eq!(kept.find(&id), Ok(None));
}

/// A practice cluster that is served as long as the runtime is there, and the file of its CA.
fn practice(home: &std::path::Path) -> (tokio::runtime::Runtime, Sandbox, std::path::PathBuf) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let sandbox = runtime.block_on(Sandbox::start(Options { port: 0, keys: 0, ..Options::default() })).unwrap();
    let ca = home.join("ca.pem");
    std::fs::write(&ca, sandbox.ca_pem()).unwrap();
    (runtime, sandbox, ca)
}

/// Runs the program as a user would, with an environment of nothing but the session's.
fn keybearer(args: &[&str], home: &std::path::Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keybearer"));
    for name in ["ES_URL", "ES_API_KEY", "ES_TOKEN", "ES_USERNAME", "ES_PASSWORD", "ES_CA_FILE", "ES_FINGERPRINT"] {
        command.env_remove(name);
    }
    command.env("KEYBEARER_JOURNAL", home.join("journal")).args(args).stdin(Stdio::null());
    meanwhile(move || command.output().unwrap()).recv_timeout(LIMIT).expect("an answer in time")
}

#[test]
fn the_kept_secret_of_a_key_that_is_invalidated_by_a_profile_leaves_the_keyring() {
    let Some(_turn) = desktop() else { return };
    let (vault, profiles) = profiles();
    empty(&profiles);
    let home = tempfile::tempdir().unwrap();
    let (_runtime, sandbox, ca) = practice(home.path());
    let mut practice = profile("practice", "officer-password");
    practice.endpoint.url = ClusterUrl::parse(sandbox.url()).unwrap();
    practice.endpoint.trust = Trust::CaFile(ca);
    practice.endpoint.login = Login::Password { username: "officer".into(), password: Secret::new("officer-password") };
    profiles.save(&practice).unwrap();
    let created = |name: &str| {
        let args = ["create", "--name", name, "--profile", "practice", "--no-rights", "--output", "json"];
        let made = keybearer(&args, home.path());
        assert!(made.status.success(), "{made:?}");
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        KeyId::new(made["id"].as_str().unwrap())
    };
    let (ended, stays) = (created("ended"), created("stays"));
    let kept = KeptSecrets::new(vault);
    for id in [&ended, &stays] {
        kept.keep_secret(id, "name", &Secret::new("ui2lp2axTNmsyakw9tvNnw"), None).unwrap();
    }
    let gone = keybearer(&["invalidate", "--profile", "practice", "--yes", "--", ended.as_str()], home.path());
    assert!(gone.status.success(), "{gone:?}");
    assert_eq!(kept.find(&ended), Ok(None));
    assert!(kept.find(&stays).unwrap().is_some());
    kept.forget(&stays).unwrap();
    empty(&profiles);
}

#[test]
fn a_protected_profile_asks_each_command_for_its_name_and_a_read_only_one_sends_nothing() {
    let Some(_turn) = desktop() else { return };
    let (_, profiles) = profiles();
    empty(&profiles);
    let home = tempfile::tempdir().unwrap();
    let (_runtime, sandbox, ca) = practice(home.path());
    let save = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keybearer"));
        command.env("ES_URL", sandbox.url()).env("ES_CA_FILE", &ca);
        command.env("ES_USERNAME", "officer").env("ES_PASSWORD", "officer-password");
        let args = ["profiles", "save", "prod-eu", "--environment", "production", "--replace"];
        let saved = command.args(args).args(more).stdin(Stdio::null()).output().unwrap();
        assert!(saved.status.success(), "{saved:?}");
    };
    let ran = |args: &[&str]| {
        let profile = ["--profile", "prod-eu"];
        let output = keybearer(&[&profile, args].concat(), home.path());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let create = ["create", "--name", "app", "--no-rights", "--expiration", "1d", "--output", "json"];
    // Production is protected without a word, and --yes does not stand for the name.
    save(&[]);
    let (code, words) = ran(&create);
    assert!(code == Some(2) && words.contains("--confirm-name 'prod-eu'"), "{code:?} {words}");
    let (code, words) = ran(&[&create[..], &["--confirm-name", "prod"]].concat());
    assert!(code == Some(1) && words.contains("“prod” is not the name of this connection"), "{code:?} {words}");
    let (code, words) = ran(&["list", "--output", "json"]);
    assert_eq!(code, Some(0), "{words}");
    assert_eq!(ran(&[&create[..], &["--confirm-name", "prod-eu"]].concat()).0, Some(0));
    let (code, words) = ran(&["invalidate", "app", "--yes"]);
    assert!(code == Some(2) && words.contains("--confirm-name"), "{code:?} {words}");
    // Saved again without a word about it, what was stronger stays.
    save(&["--protection", "read-only"]);
    save(&[]);
    let (code, words) = ran(&["invalidate", "app", "--yes", "--confirm-name", "prod-eu"]);
    assert!(code == Some(1) && words.contains("read-only"), "{code:?} {words}");
    save(&["--protection", "none"]);
    // Unless a rule of this computer asks for it.
    let policy = home.path().join("policy.toml");
    std::fs::write(&policy, "[connections]\nproduction_protected = true").unwrap();
    let mut by_rule = Command::new(env!("CARGO_BIN_EXE_keybearer"));
    by_rule.env("KEYBEARER_TEST_POLICY", &policy).env("KEYBEARER_JOURNAL", "off").stdin(Stdio::null());
    let by_rule = by_rule.args(["--profile", "prod-eu", "invalidate", "app", "--yes"]).output().unwrap();
    let words = String::from_utf8(by_rule.stderr).unwrap();
    assert!(by_rule.status.code() == Some(2) && words.contains("--confirm-name 'prod-eu'"), "{words}");
    assert_eq!(ran(&["invalidate", "app", "--yes"]).0, Some(0));
}

#[test]
fn a_credential_that_is_asked_for_is_in_no_keyring_and_comes_from_the_environment() {
    let Some(_turn) = desktop() else { return };
    let (_, profiles) = profiles();
    empty(&profiles);
    let home = tempfile::tempdir().unwrap();
    let (_runtime, sandbox, ca) = practice(home.path());
    let ran = |password: Option<&str>, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keybearer"));
        command.env("KEYBEARER_JOURNAL", "off").env("ES_USERNAME", "officer").stdin(Stdio::null());
        command.env("ES_URL", sandbox.url()).env("ES_CA_FILE", &ca);
        password.map(|password| command.env("ES_PASSWORD", password));
        let output = command.args(args).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let save = ["profiles", "save", "asked", "--environment", "staging", "--replace"];
    // Also where it was saved before, and where it is saved again without a word about it.
    assert_eq!(ran(Some("officer-password"), &save).0, Some(0));
    assert_eq!(ran(None, &[&save[..], &["--ask-credential"]].concat()).0, Some(0));
    assert_eq!(ran(Some("officer-password"), &save).0, Some(0));
    let entry = format!("profile/{}", profiles.by_name("asked").unwrap().unwrap().id.0);
    let text = lookup(&entry);
    assert!(text.contains("\"credential\":\"asked\"") && !text.contains("officer-password"), "{text}");
    let (code, words) = ran(None, &["list", "--profile", "asked"]);
    assert!(code == Some(2) && words.contains("set ES_PASSWORD"), "{words}");
    assert_eq!(ran(Some("officer-password"), &["list", "--profile", "asked"]).0, Some(0));
    assert_eq!(ran(Some("wrong"), &["list", "--profile", "asked"]).0, Some(1));
    empty(&profiles);
}

#[test]
fn connections_are_imported_by_command_never_over_another_one_and_exported_without_secrets() {
    let Some(_turn) = desktop() else { return };
    let (_, profiles) = profiles();
    empty(&profiles);
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("clusters.json");
    let clusters =
        |url: &str| format!(r#"[{{"name":"lab","uri":"{url}","username":"ana","password":"hunter2-secret"}}]"#);
    let import = |url: &str, more: &[&str]| {
        std::fs::write(&file, clusters(url)).unwrap();
        let args = ["profiles", "import", file.to_str().unwrap(), "--environment", "staging"];
        let output = keybearer(&[&args, more].concat(), home.path());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, words) = import("https://one:9200", &[]);
    assert!(code == Some(2) && words.contains("add --yes"), "{code:?} {words}");
    assert!(profiles.list().unwrap().profiles.is_empty());
    assert_eq!(import("https://one:9200", &["--yes"]).0, Some(0));
    let (code, words) = import("https://two:9200", &["--yes"]);
    assert!(code == Some(2) && words.contains("these names are taken"), "{code:?} {words}");
    let saved = || profiles.by_name("lab").unwrap().unwrap();
    let id = saved().id;
    assert_eq!(saved().endpoint.url.as_str(), "https://one:9200");
    assert_eq!(import("https://two:9200", &["--yes", "--replace"]).0, Some(0));
    assert_eq!((saved().endpoint.url.as_str(), saved().id == id), ("https://two:9200", true));

    let exported = keybearer(&["profiles", "export", "lab"], home.path());
    let text = String::from_utf8(exported.stdout).unwrap();
    assert!(exported.status.success() && text.contains("https://two:9200") && !text.contains("hunter2"), "{text}");
    let missing = keybearer(&["profiles", "export", "none"], home.path());
    assert_eq!(missing.status.code(), Some(1));
    empty(&profiles);
}

#[test]
fn processes_that_save_at_the_same_time_lose_nothing() {
    let Some(_turn) = desktop() else { return };
    let (_, profiles) = profiles();
    empty(&profiles);
    let saving: Vec<_> =
        (0..6).map(|at| meanwhile(move || probe(&format!("profile {at}"), &["env"], &[], &[]))).collect();
    saving.into_iter().for_each(|saved| assert_eq!(saved.recv_timeout(LIMIT).unwrap(), "Ok(0)"));
    assert_eq!(profiles.list().unwrap().profiles.len(), 6);
    empty(&profiles);
}

#[test]
fn it_can_be_called_from_within_an_async_runtime() {
    let Some(_turn) = desktop() else { return };
    let (vault, profiles) = profiles();
    empty(&profiles);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let saved = runtime.block_on(async {
        let (one, store) = (profile("one", "hunter2"), profiles.clone());
        let saving = tokio::task::spawn_blocking(move || store.save(&one));
        tokio::time::timeout(LIMIT, saving).await.unwrap().unwrap()
    });
    assert_eq!(saved, Ok(()));
    // Nobody should, but it must not panic either: a new connection, straight on a worker.
    vault.give_up();
    let listed = runtime.block_on(async { tokio::spawn(async move { profiles.list() }).await.unwrap() });
    assert_eq!(listed.unwrap().profiles.len(), 1);
    empty(&Profiles::new(vault));
}

#[test]
fn a_locked_keyring_asks_for_its_password_and_goes_on() {
    let Some(_turn) = desktop() else { return };
    let (vault, profiles) = profiles();
    empty(&profiles);
    profiles.save(&profile("one", "hunter2")).unwrap();

    lock();
    let store = profiles.clone();
    let listing = meanwhile(move || store.list());
    answer_prompt(None);
    let refused = listing.recv_timeout(LIMIT).expect("an answer after the prompt was dismissed");
    assert_eq!(refused, Err(ProfilesError::Vault(VaultError::Locked)));

    let store = profiles.clone();
    let listing = meanwhile(move || store.list());
    assert!(listing.recv_timeout(Duration::from_secs(1)).is_err(), "it waits for the password");
    // A caller whose time is over gives up; the next call has a connection of its own.
    vault.give_up();
    let saving = meanwhile(move || profiles.save(&profile("two", "hunter3")));
    answer_prompt(Some("password"));
    assert_eq!(listing.recv_timeout(LIMIT).expect("the list after unlocking").unwrap().profiles.len(), 1);
    assert_eq!(saving.recv_timeout(LIMIT).expect("saved after unlocking"), Ok(()));
    empty(&Profiles::new(vault));
}

#[test]
fn a_restarted_keyring_is_found_again() {
    let Some(_turn) = desktop() else { return };
    let (_, profiles) = profiles();
    empty(&profiles);
    profiles.save(&profile("one", "hunter2")).unwrap();
    let mut daemon = Command::new("gnome-keyring-daemon")
        .args(["--replace", "--daemonize", "--unlock", "--components=secrets"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    daemon.stdin.take().unwrap().write_all(b"password").unwrap();
    assert!(daemon.wait().unwrap().success());
    let listing = meanwhile(move || {
        let list = profiles.list();
        empty(&profiles);
        list
    });
    assert_eq!(listing.recv_timeout(LIMIT).unwrap().unwrap().profiles.len(), 1);
}

#[test]
fn without_a_session_bus_it_says_so() {
    let Some(_turn) = desktop() else { return };
    let without = ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"];
    assert_eq!(probe("list", &["env"], &without, &[]), "Err(Vault(NoBus))");
    assert_eq!(probe("list", &["env"], &without[..1], &[]), "Err(Vault(NoBus))");
    let gone = [("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")];
    assert_eq!(probe("list", &["env"], &[], &gone), "Err(Vault(NoBus))");
    let nonsense = [("DBUS_SESSION_BUS_ADDRESS", "nonsense")];
    assert_eq!(probe("list", &["env"], &[], &nonsense), "Err(Vault(NoBus))");
}

#[test]
fn without_a_keyring_service_it_says_so() {
    let Some(_turn) = desktop() else { return };
    // A bus that starts nothing by itself.
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("bus.conf");
    std::fs::write(
        &config,
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
        "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
        <busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context="default">
        <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
        </policy></busconfig>"#,
    )
    .unwrap();
    let config = format!("--config-file={}", config.display());
    let launcher = ["dbus-run-session", &config, "--"];
    assert_eq!(probe("list", &launcher, &[], &[]), "Err(Vault(NoDaemon))");
    assert_eq!(probe("one", &launcher, &[], &[]), "Err(Vault(NoDaemon))");
}

#[test]
fn a_keyring_without_a_collection_says_so_when_saving() {
    let Some(_turn) = desktop() else { return };
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let fresh = [("HOME", home), ("XDG_DATA_HOME", home), ("XDG_RUNTIME_DIR", home)];
    let launcher = ["dbus-run-session", "--"];
    assert_eq!(probe("list", &launcher, &[], &fresh), "Ok(0)");
    assert_eq!(probe("one", &launcher, &[], &fresh), "Err(Vault(NoCollection))");
}

#[test]
fn a_locked_keyring_without_a_display_says_so() {
    let Some(_turn) = desktop() else { return };
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let fresh = [("HOME", home), ("XDG_DATA_HOME", home), ("XDG_RUNTIME_DIR", home)];
    let script = r#"
        printf password | gnome-keyring-daemon --daemonize --unlock --components=secrets >/dev/null
        printf x | secret-tool store --label=x service keybearer username profile/x
        gdbus call --session -d org.freedesktop.secrets -o /org/freedesktop/secrets \
            -m org.freedesktop.Secret.Service.Lock "['/org/freedesktop/secrets/collection/login']" >/dev/null
        exec "$@""#;
    let launcher = ["dbus-run-session", "--", "bash", "-c", script, "bash"];
    for what in ["list", "one"] {
        assert_eq!(probe(what, &launcher, &["DISPLAY"], &fresh), "Err(Vault(Locked))", "{what}");
    }
}

/// Exit code, output and messages of a command.
type Spoken = (Option<i32>, String, String);

/// Signs by the real ssh-agent and by the files of the real ssh-keygen, which verifies each signature without Keybearer;
/// and the other way around.
fn by_programs_of_openssh(home: &std::path::Path, journal: &dyn Fn(&[&str]) -> Spoken) {
    let path = |name: &str| home.join(name).to_str().unwrap().to_owned();
    let program = |command: &mut Command| {
        let ran = command.output().unwrap();
        let words = format!("{command:?}: {ran:?}");
        (ran.status.success(), String::from_utf8_lossy(&ran.stdout).into_owned(), words)
    };
    let kinds = [("ed25519", "256"), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")];
    let socket = path("ssh-agent");
    let mut agent = Command::new("ssh-agent").args(["-D", "-a", &socket]).stdout(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !std::path::Path::new(&socket).exists() && started.elapsed() < LIMIT {
        std::thread::sleep(Duration::from_millis(10));
    }
    let mut allowed = String::new();
    for (kind, bits) in kinds {
        let key = path(&format!("ssh-{kind}-{bits}"));
        let made = program(Command::new("ssh-keygen").args(["-q", "-t", kind, "-b", bits, "-N", "", "-f", &key]));
        assert!(made.0, "{}", made.2);
        let added = program(Command::new("ssh-add").env("SSH_AUTH_SOCK", &socket).args(["-q", &key]));
        assert!(added.0, "{}", added.2);
        allowed += &format!("ana {}", std::fs::read_to_string(format!("{key}.pub")).unwrap());
    }
    std::fs::write(path("allowed"), &allowed).unwrap();
    let secret = path("ssh-secret");
    let made = program(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "open sesame", "-f", &secret]));
    assert!(made.0, "{}", made.2);
    std::fs::write(path("allowed"), allowed + "ana " + &std::fs::read_to_string(format!("{secret}.pub")).unwrap())
        .unwrap();
    let fingerprint = |key: &str| {
        let (_, out, _) = program(Command::new("ssh-keygen").args(["-l", "-f", key]));
        out.split(' ').nth(1).unwrap().to_owned()
    };
    let mut ways: Vec<(String, Vec<String>)> = Vec::new();
    for (kind, bits) in kinds {
        let key = path(&format!("ssh-{kind}-{bits}"));
        ways.push((format!("agent-{kind}-{bits}"), vec!["--ssh-agent".into(), fingerprint(&key)]));
        ways.push((format!("file-{kind}-{bits}"), vec!["--ssh-key".into(), key]));
    }
    ways.push(("secret".into(), vec!["--ssh-key".into(), secret]));
    let verified = |kept: &str| {
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "verify", "-f", &path("allowed"), "-I", "ana", "-n", "keybearer-checkpoint@v1"]);
        program(command.args(["-s", &format!("{kept}.sig")]).stdin(std::fs::File::open(kept).unwrap()))
    };
    for (name, args) in ways {
        let kept = path(&name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_keybearer"));
        command.env("KEYBEARER_JOURNAL", home.join("journal")).env("SSH_AUTH_SOCK", &socket).stdin(Stdio::null());
        command.env("KEYBEARER_SSH_PASSPHRASE", "open sesame").args(["journal", "checkpoint", "--output", &kept]);
        let made = program(command.args(&args));
        assert!(made.0, "{}", made.2);
        let theirs = verified(&kept);
        assert!(theirs.0 && theirs.1.contains("Good \"keybearer-checkpoint@v1\" signature for ana"), "{}", theirs.2);
        let (code, out, err) = journal(&["verify", "--checkpoint", &kept, "--allowed-signers", &path("allowed")]);
        assert!(code == Some(0) && out.contains("signed by ana with the SSH key SHA256:"), "{name}: {out} {err}");
        // What ssh-keygen signs counts as well, and one changed byte for neither.
        std::fs::remove_file(format!("{kept}.sig")).unwrap();
        let mut command = Command::new("ssh-keygen");
        let signed = program(
            command.args(["-Y", "sign", "-n", "keybearer-checkpoint@v1", "-f"]).args([&path("ssh-ed25519-256"), &kept]),
        );
        assert!(signed.0, "{}", signed.2);
        let again = journal(&["verify", "--checkpoint", &kept, "--allowed-signers", &path("allowed")]);
        assert!(again.0 == Some(0), "{name}: {again:?}");
        let text = std::fs::read_to_string(&kept).unwrap().replace("keybearer-journal", "keybearer-journaI");
        std::fs::write(&kept, text).unwrap();
        let refused = journal(&["verify", "--checkpoint", &kept, "--allowed-signers", &path("allowed")]);
        assert!(
            !verified(&kept).0 && refused.0 == Some(1) && refused.2.contains("is not valid"),
            "{name}: {refused:?}"
        );
    }
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[test]
fn a_journal_is_keyed_signed_and_proved_to_a_program_that_is_not_keybearer() {
    let Some(_turn) = desktop() else { return };
    let home = tempfile::tempdir().unwrap();
    let (_runtime, sandbox, ca) = practice(home.path());
    let create = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keybearer"));
        command
            .env("ES_URL", sandbox.url())
            .env("ES_CA_FILE", &ca)
            .env("KEYBEARER_JOURNAL", home.path().join("journal"));
        command.env("ES_USERNAME", "officer").env("ES_PASSWORD", "officer-password");
        command.args(["create", "--name", name, "--no-rights", "--expiration", "1d", "--output", "json"]);
        assert!(command.stdin(Stdio::null()).output().unwrap().status.success());
    };
    let journal = |args: &[&str]| {
        let ran = keybearer(&[&["journal"], args].concat(), home.path());
        let out = String::from_utf8(ran.stdout).unwrap();
        (ran.status.code(), out, String::from_utf8(ran.stderr).unwrap())
    };
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (0..5).for_each(|number| create(&format!("key-{number}")));
    let (code, out, _) = journal(&["verify"]);
    assert!(code == Some(0) && out.contains("10 entries with a valid HMAC"), "{out}");
    let (code, checkpoint, words) = journal(&["checkpoint"]);
    assert!(code == Some(0) && words.contains("10 entries signed"), "{words}");
    let kept = file("kept", &checkpoint);
    let key = journal(&["key"]).1;
    create("later");
    let (code, out, _) = journal(&["verify", "--checkpoint", &kept, "--key", key.trim()]);
    assert!(code == Some(0) && out.contains("its signature is valid"), "{out}");
    for entry in ["1", "7", "10"] {
        let proof = file("proof", &journal(&["prove", "--entry", entry]).1);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/verify_proof.py");
        let ran = Command::new("python3").args([script, &proof]).output().unwrap();
        let out = String::from_utf8(ran.stdout).unwrap();
        assert!(ran.status.success() && out.contains(&format!("\"sequence\":{entry}}}")), "{out} {:?}", ran.stderr);
        let (code, out, _) = journal(&["verify-proof", &proof, "--key", key.trim()]);
        assert!(code == Some(0) && out.starts_with(&format!("Entry {entry} ")), "{out}");
        // Another entry in its place convinces neither.
        let line = std::fs::read_to_string(&proof).unwrap().replacen("index ", "index 1", 1);
        let forged = file("forged", &line);
        assert!(!Command::new("python3").args([script, &forged]).output().unwrap().status.success());
        assert_eq!(journal(&["verify-proof", &forged]).0, Some(1));
    }
    by_programs_of_openssh(home.path(), &journal);
    // The whole chain anew, without a key, as a script can that may write the folder.
    let place = std::fs::read_dir(home.path().join("journal")).unwrap().map(|entry| entry.unwrap().path());
    let lines = place.into_iter().find(|path| path.extension().is_some_and(|end| end == "jsonl")).unwrap();
    let text = std::fs::read_to_string(&lines).unwrap();
    let shorter: String = text.lines().take(8).map(|line| format!("{line}\n")).collect();
    std::fs::write(&lines, shorter).unwrap();
    std::fs::remove_file(home.path().join("journal/head.json")).unwrap();
    let (code, _, words) = journal(&["verify", "--checkpoint", &kept]);
    assert!(code == Some(1) && words.contains("12 entries that were written"), "{words}");
    assert!(words.contains("more than the journal: entries were removed since"), "{words}");
}

#[test]
fn a_command_gets_the_kept_secret_in_its_environment_alone() {
    let Some(_turn) = desktop() else { return };
    let (vault, profiles) = profiles();
    empty(&profiles);
    let home = tempfile::tempdir().unwrap();
    let (_runtime, sandbox, ca) = practice(home.path());
    let mut practice = profile("practice", "officer-password");
    practice.endpoint.url = ClusterUrl::parse(sandbox.url()).unwrap();
    practice.endpoint.trust = Trust::CaFile(ca);
    practice.endpoint.login = Login::Password { username: "officer".into(), password: Secret::new("officer-password") };
    profiles.save(&practice).unwrap();
    let kept = KeptSecrets::new(vault);
    let (works, gone) = (KeyId::new("VuaCfGcBCdbkQm-e5aOx"), KeyId::new("VuaCfGcBCdbkQm-e5aOy"));
    for id in [&works, &gone] {
        kept.keep_secret(id, "twice", &Secret::new("ui2lp2axTNmsyakw9tvNnw"), None).unwrap();
    }
    kept.keep_secret(&works, "app", &Secret::new("ui2lp2axTNmsyakw9tvNnw"), None).unwrap();
    let encoded = kept.find(&works).unwrap().unwrap().encoded;
    let print = ["--", "sh", "-c", "echo \"$ES_API_KEY|$AUTH|$#|$0\"; tr '\\0' ' ' < /proc/$$/cmdline; exit 7"];
    let ran = |args: &[&str]| {
        let output = keybearer(&[&["run"], args, &print].concat(), home.path());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = ran(&["--key", "app"]);
    assert_eq!((code, err.as_str()), (Some(7), ""));
    let (first, arguments) = out.split_once('\n').unwrap();
    assert_eq!(first, format!("{}||0|sh", encoded.expose()));
    assert!(!arguments.contains(encoded.expose()) && arguments.starts_with("sh "), "{arguments}");
    let (_, out, _) = ran(&["--key", works.as_str(), "--env", "AUTH=ApiKey {encoded} {id}"]);
    assert!(out.starts_with(&format!("|ApiKey {} {works}|", encoded.expose())), "{out}");
    // The practice cluster never made this key: with a connection, that is told before anything starts.
    let (code, out, err) = ran(&["--key", "app", "--profile", "practice"]);
    assert!(code == Some(1) && out.is_empty() && err.contains("refused"), "{err}");
    kept.keep_secret(&works, "twice", &Secret::new("ui2lp2axTNmsyakw9tvNnw"), None).unwrap();
    let (code, out, err) = ran(&["--key", "twice"]);
    assert!(code == Some(1) && out.is_empty() && err.contains(&format!("{works}, {gone}")), "{err}");
    let missing = keybearer(&["run", "--key", works.as_str(), "--", "/no/such/program"], home.path());
    assert_eq!(missing.status.code(), Some(127), "{missing:?}");

    // Two connections to one cluster are one list; one that fails is told, and the list is not called whole.
    let mut other = profile("unreachable", "x");
    other.endpoint.url = ClusterUrl::parse("https://127.0.0.1:1").unwrap();
    profiles.save(&other).unwrap();
    let args = ["list", "--profile", "practice", "--profile", "unreachable", "-o", "json"];
    let listed = keybearer(&args, home.path());
    assert_eq!(listed.status.code(), Some(3), "{listed:?}");
    assert!(String::from_utf8_lossy(&listed.stderr).contains("unreachable could not be read"), "{listed:?}");
    for id in [&works, &gone] {
        kept.forget(id).unwrap();
    }
    empty(&profiles);
}
