//! Checkpoints signed by SSH keys: in an agent on a socket, in files, by command and in the window; and what is refused.
//! Whether the programs of OpenSSH say the same is tried in `tests/keyring`.

use std::{
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt as _, net::UnixListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use keybearer::{
    model::journal::ssh_signature::NAMESPACE,
    store::{journal::Journal, ssh::Agent},
};
use ssh_key::{
    Cipher, HashAlg, Kdf, LineEnding, PrivateKey, Signature, SigningKey,
    private::{Ed25519Keypair, KeypairData},
};

use crate::{
    cli_practice::{Ran, folder, keybearer, run, text},
    journal_checkpoints::entry,
};

fn key(byte: u8, comment: &str) -> PrivateKey {
    PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&[byte; 32])), comment).unwrap()
}

fn public(key: &PrivateKey) -> String {
    key.public_key().to_openssh().unwrap()
}

fn fingerprint(key: &PrivateKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// How an agent answers a request to sign.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    Signs,
    Refuses,
    /// With a signature of something else.
    Cheats,
    /// Not at all.
    Waits,
}

fn field(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

fn signed(key: &impl SigningKey, data: &[u8]) -> Signature {
    key.try_sign(data).unwrap()
}

/// Serves these keys as an ssh-agent does. Counts the requests to sign.
fn agent(place: &Path, keys: Vec<PrivateKey>, manner: Manner) -> (PathBuf, Arc<AtomicUsize>) {
    let socket = place.join("agent");
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let serve = move || {
        let mut waiting = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut length = [0; 4];
            if stream.read_exact(&mut length).is_err() {
                continue;
            }
            let mut request = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut request).unwrap();
            let answer = if request[0] == 11 {
                let list = keys.iter().flat_map(|key| {
                    [field(&key.public_key().to_bytes().unwrap()), field(key.comment().as_bytes())].concat()
                });
                [vec![12], u32::try_from(keys.len()).unwrap().to_be_bytes().to_vec(), list.collect()].concat()
            } else {
                count.fetch_add(1, Ordering::SeqCst);
                if manner == Manner::Waits {
                    waiting.push(stream);
                    continue;
                }
                let blob = |key: &&PrivateKey| request[1..].starts_with(&field(&key.public_key().to_bytes().unwrap()));
                let key = keys.iter().find(blob).filter(|_| manner != Manner::Refuses);
                key.map_or(vec![5], |key| {
                    let start = 5 + key.public_key().to_bytes().unwrap().len() + 4;
                    let data = if manner == Manner::Cheats { b"else" } else { &request[start..request.len() - 4] };
                    let signature = Vec::<u8>::try_from(signed(key, data)).unwrap();
                    [vec![14], field(&signature)].concat()
                })
            };
            stream.write_all(&field(&answer)).unwrap();
        }
    };
    thread::Builder::new().name("agent".into()).spawn(serve).unwrap();
    (socket, asked)
}

/// A journal without a keyring, and what is beside it.
struct Place {
    folder: tempfile::TempDir,
    journal: Journal,
}

impl Place {
    fn new(entries: usize) -> Self {
        let folder = folder();
        let journal = Journal::at(folder.path().join("journal"));
        (0..entries).for_each(|number| journal.append(&entry(number)).unwrap());
        Self { folder, journal }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
        text(&self.path(name)).to_owned()
    }

    fn run(&self, socket: Option<&Path>, args: &[&str]) -> Ran {
        let mut command = keybearer();
        command.env("KEYBEARER_JOURNAL", self.journal.folder().unwrap()).env_remove("SSH_AUTH_SOCK");
        command.envs(socket.map(|socket| ("SSH_AUTH_SOCK", socket)));
        run(command.arg("journal").args(args))
    }
}

#[test]
fn a_key_of_the_agent_signs_and_whoever_trusts_it_finds_each_forgery() {
    let place = Place::new(3);
    let (ana, bo) = (key(1, "ana@laptop"), key(2, "bo"));
    let (socket, _) = agent(place.folder.path(), vec![ana.clone(), bo.clone()], Manner::Signs);
    let several = place.run(Some(&socket), &["checkpoint", "--ssh-agent"]);
    assert!(several.code == Some(1) && several.err.contains("several keys"), "{several:?}");
    assert!(several.err.contains(&format!("{} (ssh-ed25519 bo)", fingerprint(&bo))), "{several:?}");
    let kept = text(&place.path("november")).to_owned();
    let made = place.run(Some(&socket), &["checkpoint", "--ssh-agent", &fingerprint(&ana), "--output", &kept]);
    assert!(made.code == Some(0) && made.out.is_empty(), "{made:?}");
    assert!(
        made.err.contains("3 entries signed with the SSH key SHA256:") && made.err.contains("ssh-keygen -Y verify")
    );
    let again = place.run(Some(&socket), &["checkpoint", "--ssh-agent", &fingerprint(&ana), "--output", &kept]);
    assert!(again.code == Some(1) && again.err.contains("can’t be written"), "nothing is overwritten: {again:?}");

    let allowed =
        place.file("allowed", &format!("# us\nana@example.org namespaces=\"{NAMESPACE}\" {}\n", public(&ana)));
    let verify =
        |file: &str, allowed: &str| place.run(None, &["verify", "--checkpoint", file, "--allowed-signers", allowed]);
    let good = verify(&kept, &allowed);
    let words = format!("signed by ana@example.org with the SSH key {}", fingerprint(&ana));
    assert!(good.code == Some(0) && good.out.contains(&words), "{good:?}");
    let bare = verify(&kept, &place.file("ana.pub", &public(&ana)));
    assert!(bare.code == Some(0) && bare.out.contains("which was given"), "{bare:?}");
    let unasked = place.run(None, &["verify", "--checkpoint", &kept]);
    assert!(unasked.code == Some(0) && unasked.out.contains("whose key that is is not known"), "{unasked:?}");

    // Nobody has to know Keybearer: the signature is that of ssh-keygen, over the file as it is.
    let (body, signature) = (fs::read_to_string(&kept).unwrap(), fs::read_to_string(format!("{kept}.sig")).unwrap());
    assert!(ana.public_key().verify(NAMESPACE, body.as_bytes(), &signature.parse().unwrap()).is_ok());
    let copy = |name: &str, body: &str, signature: Option<&str>| {
        if let Some(signature) = signature {
            place.file(&format!("{name}.sig"), signature);
        }
        place.file(name, body)
    };
    let of_commit = ana.sign("git", HashAlg::Sha512, body.as_bytes()).unwrap().to_pem(LineEnding::LF).unwrap();
    let of_bo = bo.sign(NAMESPACE, HashAlg::Sha512, body.as_bytes()).unwrap().to_pem(LineEnding::LF).unwrap();
    for (name, body, signature, words) in [
        ("flipped", body.replace("\n3\n", "\n2\n"), Some(&*signature), "is not valid: the checkpoint or the signature"),
        ("untrusted", body.clone(), Some(&*of_bo), "which is not an allowed signer"),
        ("commit", body.clone(), Some(&*of_commit), "is for “git” and not for keybearer-checkpoint@v1"),
        ("none", body.clone() + "\n— a AAAAAAA=\n", None, "it has no SSH signature beside it"),
        ("odd", body.clone(), Some("odd"), "is not an SSH signature"),
    ] {
        let refused = verify(&copy(name, &body, signature), &allowed);
        assert!(refused.code == Some(1) && refused.err.contains(words), "{name}: {refused:?}");
    }
    let odd = verify(&kept, &place.file("allowed-odd", "ana no-touch-required AAAA\n"));
    assert!(odd.code == Some(1) && odd.err.contains("line 1: "), "{odd:?}");

    // Of another journal, and of this one when it had more entries.
    let (other, shorter) = (Place::new(0), Place::new(2));
    other.journal.append(&entry(40)).unwrap();
    for (place, words) in
        [(&other, "which is another journal"), (&shorter, "more than the journal: entries were removed")]
    {
        let refused = place.run(None, &["verify", "--checkpoint", &kept, "--allowed-signers", &allowed]);
        assert!(refused.code == Some(1) && refused.err.contains(words), "{refused:?}");
    }
    // In the journal's own folder, a signature that does not fit is a fault.
    let own = place.journal.checkpoints().unwrap().remove(0);
    assert!(place.journal.check(|_, _| ()).unwrap().is_whole());
    fs::write(&own.file, own.text.replace("\n3\n", "\n2\n")).unwrap();
    assert_eq!(place.journal.check(|_, _| ()).unwrap().fault_count, 1);
}

#[test]
fn what_an_agent_or_a_file_can_t_sign_is_told_with_a_way_out() {
    let place = Place::new(2);
    let (ana, bo) = (key(1, "ana"), key(2, "bo"));
    for (keys, manner, args, words) in [
        (vec![], Manner::Signs, vec!["--ssh-agent"], "no key that can sign"),
        (vec![ana.clone()], Manner::Signs, vec!["--ssh-agent", "SHA256:x"], "no key with this fingerprint"),
        (vec![ana.clone()], Manner::Refuses, vec!["--ssh-agent"], "refused to sign"),
        (vec![ana.clone()], Manner::Cheats, vec!["--ssh-agent"], "no valid signature"),
    ] {
        let (socket, _) = agent(place.folder.path(), keys, manner);
        let refused = place.run(Some(&socket), &[vec!["checkpoint"], args].concat());
        assert!(refused.code == Some(1) && refused.err.contains(words), "{words}: {refused:?}");
    }
    let none = place.run(None, &["checkpoint", "--ssh-agent"]);
    assert!(none.code == Some(1) && none.err.contains("SSH_AUTH_SOCK is not set"), "{none:?}");
    let own = place.run(None, &["checkpoint"]);
    assert!(own.code == Some(1) && own.err.contains("sign with an SSH key"), "without a keyring: {own:?}");
    assert!(place.journal.checkpoints().unwrap().is_empty(), "what was not signed is not kept");

    let plain = place.file("plain", &ana.to_openssh(LineEnding::LF).unwrap());
    let made = place.run(None, &["checkpoint", "--ssh-key", &plain]);
    assert!(made.code == Some(0) && made.out.starts_with("keybearer-journal/"), "{made:?}");
    let kdf = Kdf::Bcrypt { salt: vec![1; 16], rounds: 2 };
    let secret = ana.encrypt_with(Cipher::Aes256Ctr, kdf, 7, "open sesame").unwrap();
    let secret = place.file("secret", &secret.to_openssh(LineEnding::LF).unwrap());
    for (passphrase, code, words) in [
        (Some("open sesame"), 0, "2 entries signed with the SSH key"),
        (Some("sesame"), 1, "The passphrase does not fit"),
        (None, 1, "there is no terminal to prompt"),
    ] {
        let mut command = keybearer();
        command.env("KEYBEARER_JOURNAL", place.journal.folder().unwrap());
        command.envs(passphrase.map(|passphrase| ("KEYBEARER_SSH_PASSPHRASE", passphrase)));
        let ran = run(command.args(["journal", "checkpoint", "--ssh-key", &secret]));
        assert!(ran.code == Some(code) && ran.err.contains(words), "{passphrase:?}: {ran:?}");
        assert!(!ran.err.contains("open sesame"), "{ran:?}");
    }
    // A public key stands for its private one in the agent.
    let (socket, asked) = agent(place.folder.path(), vec![ana, bo.clone()], Manner::Signs);
    let made = place.run(Some(&socket), &["checkpoint", "--ssh-key", &place.file("bo.pub", &public(&bo))]);
    assert!(made.code == Some(0) && made.err.contains(&fingerprint(&bo)), "{made:?}");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    let open = place.run(None, &["checkpoint", "--ssh-key", &plain]);
    assert!(open.code == Some(1) && open.err.contains("Others can read it (mode 644)"), "{open:?}");
}

#[test]
fn keys_that_verify_nothing_are_refused() {
    let place = Place::new(1);
    let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let allowed = place.file("allowed", &public(&key_of_ana()));
    for (args, words) in [
        (["--key", key], "--key verifies the signatures of checkpoints: add --checkpoint or --against"),
        (
            ["--allowed-signers", &allowed],
            "--allowed-signers verifies the SSH signatures of checkpoints: add --checkpoint",
        ),
    ] {
        let refused = place.run(None, &[&["verify"], &args[..]].concat());
        assert!(refused.code == Some(2) && refused.err.contains(words) && refused.out.is_empty(), "{refused:?}");
    }
    assert_eq!(place.run(None, &["verify"]).code, Some(0));
}

fn key_of_ana() -> PrivateKey {
    key(1, "ana")
}

#[cfg(feature = "window")]
mod window {
    use keybearer::store::vault::memory::MemoryVault;

    use super::*;
    use crate::desk::{Desk, Setting};

    fn opened(journal: Journal, socket: PathBuf) -> Desk {
        let mut desk = Desk::new(Setting { journal, ssh_agent: Agent::at(socket), ..Setting::default() });
        desk.press("Journal");
        desk.wait_for("New checkpoint");
        desk.press("New checkpoint");
        desk.wait_for("ana@laptop, ssh-ed25519");
        desk
    }

    #[test]
    fn a_key_of_the_agent_is_chosen_in_the_dialog_and_signs_beside_the_journal_s_own() {
        let place = Place::new(3);
        let journal = place.journal.clone().with_keyring(Arc::new(MemoryVault::like_a_keyring()));
        let ana = key(1, "ana@laptop");
        let (socket, _) = agent(place.folder.path(), vec![ana.clone(), key(2, "bo")], Manner::Signs);
        let mut desk = opened(journal.clone(), socket);
        assert!(desk.is_chosen("This journal’s own key, in the keyring") && desk.sees(&fingerprint(&ana)));
        desk.choose("ana@laptop, ssh-ed25519");
        desk.press("Sign");
        desk.wait_for(&format!("SSH signature by {}", fingerprint(&ana)));
        desk.press("Copy signature");
        desk.wait_for("Copied");
        let kept = journal.checkpoints().unwrap().remove(0);
        let signature = kept.signature.unwrap().parse().unwrap();
        assert!(ana.public_key().verify(NAMESPACE, kept.text.as_bytes(), &signature).is_ok());
        assert_eq!(kept.signed.unwrap().signatures.len(), 1, "and by the journal's own key");
    }

    #[test]
    fn an_agent_that_waits_for_its_user_holds_up_nothing() {
        let place = Place::new(3);
        let (socket, asked) = agent(place.folder.path(), vec![key(1, "ana@laptop")], Manner::Waits);
        let mut desk = opened(place.journal.clone(), socket);
        desk.choose("ana@laptop, ssh-ed25519");
        desk.press("Sign");
        desk.wait("the request", |_| asked.load(Ordering::SeqCst) == 1);
        assert!(desk.sees("waiting for the ssh-agent: it may ask you to confirm"), "{:?}", desk.texts());
        desk.press("Close");
        desk.press("Connections");
        desk.wait("the next screen", |desk| !desk.sees("waiting for the ssh-agent"));
        assert!(place.journal.checkpoints().unwrap().is_empty());
    }
}
