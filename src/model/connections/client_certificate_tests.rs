use p12_keystore::{Certificate, KeyStoreEntry, LocalKeyId, PrivateKey, PrivateKeyChain};
use pkcs8::{LineEnding, PrivateKeyInfoRef};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use super::*;

/// A certificate with its key, and the authority that signed it.
struct Made {
    certificate: Vec<u8>,
    authority: Vec<u8>,
    key: KeyPair,
}

fn made(change: impl FnOnce(&mut CertificateParams)) -> Made {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Clients");
    let authority_key = KeyPair::generate().unwrap();
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::from_params(&params, &authority_key);
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "ana");
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    Made { certificate: certificate.der().to_vec(), authority: authority.der().to_vec(), key }
}

fn certificate_pem(der: &[u8]) -> String {
    pem("CERTIFICATE", der).expose().to_owned()
}

fn encrypted(made: &Made, passphrase: &str) -> String {
    let der = made.key.serialize_der();
    let info = PrivateKeyInfoRef::try_from(der.as_slice()).unwrap();
    let mut salt = [7; 16];
    salt[0] = 1;
    let parameters = pkcs8::pkcs5::pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(2048, &salt, [9; 16]).unwrap();
    let document = info.encrypt_with_params(parameters, passphrase).unwrap();
    document.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap().to_string()
}

fn pkcs12(made: &Made, passphrase: &str) -> Vec<u8> {
    let mut store = KeyStore::new();
    let key = PrivateKey::from_der(&made.key.serialize_der()).unwrap();
    let chain = [&made.certificate, &made.authority].map(|der| Certificate::from_der(der).unwrap());
    let entry = PrivateKeyChain::new(LocalKeyId(vec![1]), key, chain);
    store.add_entry("ana", KeyStoreEntry::PrivateKeyChain(entry));
    store.writer(passphrase).write().unwrap()
}

fn word(text: &str) -> Option<Secret> {
    Some(Secret::new(text))
}

#[test]
fn every_form_of_a_certificate_with_its_key_is_read_and_kept_the_same() {
    let made = made(|_| ());
    let (own, authority) = (certificate_pem(&made.certificate), certificate_pem(&made.authority));
    let key = made.key.serialize_pem();
    let both = format!("a note\n{own}{authority}{key}");
    let alone = ClientCertificate::read(both.as_bytes(), None, None).unwrap();
    assert_eq!((alone.subject.as_str(), alone.issuer.contains("Clients")), ("CN=ana", true));
    let chain = format!("{own}{authority}");
    let encrypted = encrypted(&made, "hunter2");
    let read = [
        // The key first, the authority first, the key in a file of its own, encrypted, and all of it as PKCS#12.
        ClientCertificate::read(format!("{key}{own}{authority}").as_bytes(), None, None),
        ClientCertificate::read(format!("{authority}{own}{key}").as_bytes(), None, None),
        ClientCertificate::read(chain.as_bytes(), Some(key.as_bytes()), None),
        ClientCertificate::read(chain.as_bytes(), Some(encrypted.as_bytes()), word("hunter2").as_ref()),
        ClientCertificate::read(&pkcs12(&made, "hunter2"), None, word("hunter2").as_ref()),
        ClientCertificate::from_kept(alone.chain(), alone.key()),
    ];
    for (number, read) in read.into_iter().enumerate() {
        assert_eq!(read.as_ref(), Ok(&alone), "form {number}");
    }
    assert!(!format!("{alone:?}").contains(&key[30..60]), "a key is never printed");
}

#[test]
fn what_is_missing_or_wrong_is_named_and_no_part_of_a_key_is_repeated() {
    use ClientCertificateError as Error;
    let made_one = made(|_| ());
    let other = made(|_| ());
    let own = certificate_pem(&made_one.certificate);
    let key = made_one.key.serialize_pem();
    let encrypted = encrypted(&made_one, "hunter2");
    let archive = pkcs12(&made_one, "hunter2");
    let server_only = made(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    let server_only = certificate_pem(&server_only.certificate) + &server_only.key.serialize_pem();
    let legacy = format!(
        "{own}-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"
    );
    /// File, file of the key, passphrase, and why they are refused.
    type Case<'a> = (&'a [u8], Option<&'a str>, Option<&'a str>, Error);
    let cases: [Case<'_>; 13] = [
        (b"", None, None, Error::NoCertificate),
        (b"no certificate at all", None, None, Error::NoCertificate),
        (key.as_bytes(), None, None, Error::NoCertificate),
        (own.as_bytes(), None, None, Error::NoKey),
        (own.as_bytes(), Some(own.as_str()), None, Error::NoKey),
        (own.as_bytes(), Some(&encrypted), None, Error::NeedsPassphrase),
        (own.as_bytes(), Some(&encrypted), Some("wrong"), Error::WrongPassphrase),
        (&archive, None, None, Error::NeedsPassphrase),
        (&archive, None, Some("wrong"), Error::WrongPassphrase),
        (own.as_bytes(), Some(&other.key.serialize_pem()), None, Error::OtherKey),
        (server_only.as_bytes(), None, None, Error::Usage),
        (legacy.as_bytes(), None, Some("hunter2"), Error::Encryption),
        (
            b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
            None,
            None,
            Error::Unreadable("Its PEM text"),
        ),
    ];
    for (number, (file, key_file, passphrase, expected)) in cases.into_iter().enumerate() {
        let passphrase = passphrase.map(Secret::new);
        let read = ClientCertificate::read(file, key_file.map(str::as_bytes), passphrase.as_ref());
        assert_eq!(read, Err(expected), "case {number}");
    }
}

#[test]
fn a_certificate_deserves_attention_before_and_after_its_time() {
    let made = made(|_| ());
    let text = certificate_pem(&made.certificate) + &made.key.serialize_pem();
    let certificate = ClientCertificate::read(text.as_bytes(), None, None).unwrap();
    let now = Timestamp::EPOCH + TimeDelta::from_secs(1_800_000_000);
    let day = |days: i64| now + TimeDelta::from_secs(days * 86_400);
    let validity = |from: i64, to: i64| {
        let own = certificate.clone();
        ClientCertificate { not_before: day(from), not_after: day(to), ..own }.validity(now)
    };
    for (from, to, beginning, is_urgent) in [
        (-10, 365, "expires in", false),
        (-10, 2, "expires in", true),
        (-10, 0, "expired on", true),
        (-10, -1, "expired on", true),
        (1, 365, "not valid before", true),
    ] {
        let (words, urgent) = validity(from, to);
        assert!(words.starts_with(beginning) && urgent == is_urgent, "{from} {to}: {words}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), marked in proptest::prelude::any::<bool>()) {
        let mut text = if marked { b"-----BEGIN CERTIFICATE-----\n".to_vec() } else { Vec::new() };
        text.extend(bytes);
        let _ = ClientCertificate::read(&text, None, None);
        let _ = ClientCertificate::read(&text, Some(&text), Some(&Secret::new("x")));
    }
}
