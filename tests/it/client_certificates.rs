//! Client certificates by command and in the form: read from their files, with a passphrase where there is one, and
//! shown with their validity.

use std::path::PathBuf;

use rcgen::{CertificateParams, DnType, KeyPair};

use crate::cli_practice::{Practice, Ran, folder, keybearer, run, text};

/// Files of a client's certificate in a folder.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new(days: i64) -> Self {
        let folder = folder();
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "ana");
        let now = std::time::SystemTime::now();
        params.not_after = (now + std::time::Duration::from_secs(u64::try_from(days * 86_400).unwrap())).into();
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ana.crt"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("ana.key"), key.serialize_pem()).unwrap();
        std::fs::write(folder.path().join("both.pem"), certificate.pem() + &key.serialize_pem()).unwrap();
        std::fs::write(folder.path().join("ana.p12"), pkcs12(certificate.der(), &key)).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A PKCS#12 file with the passphrase `hunter2`.
fn pkcs12(certificate: &[u8], key: &KeyPair) -> Vec<u8> {
    use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, LocalKeyId, PrivateKey, PrivateKeyChain};
    let key = PrivateKey::from_der(&key.serialize_der()).unwrap();
    let chain = PrivateKeyChain::new(LocalKeyId(vec![1]), key, [Certificate::from_der(certificate).unwrap()]);
    let mut store = KeyStore::new();
    store.add_entry("ana", KeyStoreEntry::PrivateKeyChain(chain));
    store.writer("hunter2").write().unwrap()
}

#[test]
fn a_command_takes_a_certificate_in_each_form_and_says_what_it_lacks() {
    let practice = Practice::start();
    let files = Files::new(365);
    let check = |names: &[(&str, &str)], variables: &[(&str, &str)]| -> Ran {
        let mut command = practice.user(keybearer(), "officer");
        command.arg("check").envs(variables.iter().copied());
        for (option, name) in names {
            command.arg(option).arg(files.path(name));
        }
        run(&mut command)
    };
    let passphrase = [("ES_CLIENT_KEY_PASSPHRASE", "hunter2")];
    for (names, variables) in [
        (&[("--client-cert", "both.pem")][..], &[][..]),
        (&[("--client-cert", "ana.crt"), ("--client-key", "ana.key")], &[]),
        (&[("--client-cert", "ana.p12")], &passphrase),
    ] {
        let ran = check(names, variables);
        assert_eq!(ran.code, Some(0), "{names:?}: {ran:?}");
        assert!(ran.out.contains("Client certificate CN=ana: expires in"), "{ran:?}");
        assert!(!ran.err.contains("Warning: the client certificate"), "{ran:?}");
    }
    for (names, variables, words) in [
        (&[("--client-cert", "ana.crt")][..], &[][..], "The private key is missing"),
        (&[("--client-cert", "missing.pem")], &[], "there is no such file"),
        (&[("--client-cert", "ana.p12")], &[], "ES_CLIENT_KEY_PASSPHRASE"),
        (&[("--client-cert", "ana.p12")], &[("ES_CLIENT_KEY_PASSPHRASE", "wrong")], "The passphrase is wrong"),
        (&[("--client-cert", "")], &[], "it is not a file"),
    ] {
        let ran = check(names, variables);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{names:?}: {ran:?}");
        assert!(ran.err.contains(words), "{names:?}: {ran:?}");
    }
    assert_eq!(check(&[("--client-key", "ana.key")], &[]).code, Some(2), "a key alone is no certificate");
}

#[test]
fn a_certificate_that_expires_soon_is_warned_about_by_every_command() {
    let practice = Practice::start();
    let files = Files::new(5);
    let mut command = practice.user(keybearer(), "officer");
    let ran = run(command.args(["whoami", "--client-cert", text(&files.path("both.pem"))]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("Warning: the client certificate CN=ana expires in"), "{ran:?}");
}

#[cfg(feature = "window")]
#[test]
fn the_window_warns_about_a_certificate_that_expires_soon_when_it_signs_in() {
    use crate::desk::{Desk, RunningSandbox, Setting};
    use keybearer::model::{
        connections::{client_certificate::ClientCertificate, endpoint::Endpoint, login::Login},
        secret::Secret,
    };
    let sandbox = RunningSandbox::start();
    let login = Login::Password { username: "officer".into(), password: Secret::new("officer-password") };
    let opened = |days| {
        let text = std::fs::read(Files::new(days).path("both.pem")).unwrap();
        let client_certificate = Some(ClientCertificate::read(&text, None, None).unwrap());
        let endpoint = Endpoint { client_certificate, ..sandbox.endpoint(login.clone()) };
        let desk = Desk::opened(endpoint, Setting::default());
        let notices: Vec<String> = desk.harness.state().state().notices.iter().map(|own| own.text.clone()).collect();
        notices.join("\n")
    };
    assert!(opened(5).contains("The client certificate CN=ana expires in"));
    assert!(!opened(365).contains("The client certificate"));
}

#[cfg(feature = "window")]
#[test]
fn the_form_reads_a_certificate_and_keeps_it_with_the_connection() {
    use crate::desk::{Desk, RunningSandbox, Setting};
    use keybearer::{
        model::{connections::login::Login, secret::Secret},
        store::connections::Profiles,
    };
    let sandbox = RunningSandbox::start();
    let files = Files::new(365);
    let login = Login::Password { username: "officer".into(), password: Secret::new("officer-password") };
    let tall = Setting { size: [1440.0, 1500.0], ..Setting::default() };
    let mut desk = Desk::opened(sandbox.endpoint(login), tall);
    desk.press("Connections");
    desk.press("Add client certificate");
    desk.fill("Certificate file", text(&files.path("ana.p12")));
    desk.press("Add certificate");
    desk.wait_for("It is encrypted: enter the passphrase");
    desk.fill("Passphrase", "wrong");
    desk.press("Add certificate");
    desk.wait_for("The passphrase is wrong");
    desk.fill("Passphrase", "hunter2");
    desk.press("Add certificate");
    desk.wait_for("CN=ana");
    assert!(desk.sees("expires in") && !desk.sees("Passphrase"));
    desk.press("Test connection");
    desk.wait_for("The connection works");
    assert!(desk.sees("Client certificate CN=ana"));
    desk.press("Save connection");
    desk.wait_for("Kept in memory");
    let saved = || Profiles::new(desk.vault.clone()).by_name("place").unwrap().unwrap().endpoint;
    assert_eq!(saved().client_certificate.map(|own| own.subject).as_deref(), Some("CN=ana"));
    // By the certificate alone the sandbox knows nobody; without one there is nothing to sign in with.
    desk.press("Remove client certificate");
    desk.choose("Certificate");
    desk.press("Test connection");
    desk.wait_for("Add the certificate to sign in with");
}
