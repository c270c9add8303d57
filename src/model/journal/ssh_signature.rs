//! SSH signatures of checkpoints, in the format of `ssh-keygen -Y sign` (SSHSIG, as in OpenSSH's PROTOCOL.sshsig), so that
//! `ssh-keygen -Y verify` verifies them without Keybearer. What is signed is the checkpoint's file as it is.

use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature, SshSig, public::KeyData};

use super::allowed_signers::AllowedSigners;
use crate::model::{Timestamp, text::hex};

/// Namespace of the signatures: one that was made for anything else, such as a commit, is no signature of a checkpoint.
pub const NAMESPACE: &str = "keybearer-checkpoint@v1";
/// Size limit of a signature in bytes; one by RSA 16384 has 6 KiB.
pub const MAX_SIGNATURE_BYTES: usize = 16 << 10;
/// Minimum size of an RSA key in bits.
pub const MIN_RSA_BITS: u32 = 2048;

/// Maximum size of an RSA key in bits: larger ones are not verified here.
pub const MAX_RSA_BITS: u32 = 8192;

/// Number of bytes of a key's SHA-256 digest that are its id.
const ID_BYTES: usize = 8;

/// Public SSH key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    key: KeyData,
    /// Comment, often the name of its owner; may be empty. Everybody can write anything there.
    pub comment: String,
}

/// Reason why a key can't sign checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKey {
    /// Certificate instead of a key.
    #[error("it is a certificate; the key that it is for can sign")]
    Certificate,
    /// RSA key of this many bits.
    #[error("an RSA key of {0} bits is too short; it takes at least {MIN_RSA_BITS}")]
    Short(u32),
    /// RSA key of this many bits.
    #[error("an RSA key of {0} bits is too long; it takes at most {MAX_RSA_BITS}")]
    Long(u32),
    /// Type of key that is not supported, by its name.
    #[error("keys of the type {0} are not supported")]
    Type(String),
}

/// Signature that an agent or a key returned and that is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// Not in the format of an SSH signature.
    #[error("what came back is no SSH signature")]
    Format,
    /// Signature that does not fit the text or the key.
    #[error("what came back is no valid signature: {0}")]
    Refused(Refusal),
    /// Key that failed to sign.
    #[error("the key can’t sign: {0}")]
    Failed(String),
}

impl SshKey {
    /// Reads a key in the binary format of the SSH protocols; `None` if it is malformed.
    pub fn from_blob(blob: &[u8], comment: &str) -> Option<Self> {
        let key = PublicKey::from_bytes(blob).ok()?;
        Some(Self { key: key.key_data().clone(), comment: comment.to_owned() })
    }

    /// Reads a line as in a `.pub` file: type, key in base64, comment. `None` if it is malformed.
    pub fn read(line: &str) -> Option<Self> {
        let key = PublicKey::from_openssh(line).ok()?;
        Some(Self { key: key.key_data().clone(), comment: key.comment().as_str_lossy().to_owned() })
    }

    /// Returns the key in the binary format of the SSH protocols; `None` if it can't be written.
    pub fn blob(&self) -> Option<Vec<u8>> {
        PublicKey::new(self.key.clone(), "").to_bytes().ok()
    }

    /// Returns the fingerprint as `ssh-keygen -l` and `ssh-add -l` print it: `SHA256:` and base64.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Returns the first 16 hexadecimal digits of the fingerprint, for names of files.
    pub fn id(&self) -> String {
        hex::encode(&self.key.fingerprint(HashAlg::Sha256).as_bytes()[..ID_BYTES])
    }

    /// Returns the type of the key as its protocol names it, such as `ssh-ed25519`.
    pub fn kind(&self) -> String {
        self.key.algorithm().as_str().to_owned()
    }

    /// Returns `true` for an RSA key, which has to be told which hash to sign with.
    pub fn is_rsa(&self) -> bool {
        self.key.is_rsa()
    }

    /// Checks that signatures by this key can be made and verified.
    ///
    /// # Errors
    /// Returns the reason why not.
    pub fn usable(&self) -> Result<(), UnusableKey> {
        match &self.key {
            KeyData::Rsa(key) if key.key_size() < MIN_RSA_BITS => Err(UnusableKey::Short(key.key_size())),
            KeyData::Rsa(key) if key.key_size() > MAX_RSA_BITS => Err(UnusableKey::Long(key.key_size())),
            KeyData::Ecdsa(_)
            | KeyData::Ed25519(_)
            | KeyData::Rsa(_)
            | KeyData::SkEcdsaSha2NistP256(_)
            | KeyData::SkEd25519(_) => Ok(()),
            KeyData::Certificate(_) => Err(UnusableKey::Certificate),
            other => Err(UnusableKey::Type(other.algorithm().as_str().to_owned())),
        }
    }
}

/// Returns the bytes that an agent has to sign for a text.
pub fn signed_data(text: &[u8]) -> Option<Vec<u8>> {
    SshSig::signed_data(NAMESPACE, HashAlg::Sha512, text).ok()
}

/// SSH signature of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshSignature(SshSig);

impl SshSignature {
    /// Puts a signature together from what an agent returned for [`signed_data`], and verifies it.
    ///
    /// # Errors
    /// Returns an error if it is not one by this key for this text.
    pub fn from_agent(key: &SshKey, text: &[u8], signature: &[u8]) -> Result<Self, NotSigned> {
        let signature = Signature::try_from(signature).map_err(|_| NotSigned::Format)?;
        let signature = SshSig::new(key.key.clone(), NAMESPACE, HashAlg::Sha512, signature);
        Self(signature.map_err(|_| NotSigned::Format)?).verified(text)
    }

    /// Signs a text with a private key, and verifies the signature. RSA keys sign with SHA-512.
    ///
    /// # Errors
    /// Returns an error if the key is encrypted or of a type that can't sign without its device.
    pub fn by_key(key: &PrivateKey, text: &[u8]) -> Result<Self, NotSigned> {
        let signature = key.sign(NAMESPACE, HashAlg::Sha512, text);
        Self(signature.map_err(|error| NotSigned::Failed(error.to_string()))?).verified(text)
    }

    fn verified(self, text: &[u8]) -> Result<Self, NotSigned> {
        self.verify(text).map_err(NotSigned::Refused)?;
        Ok(self)
    }

    /// Reads a signature as `ssh-keygen -Y sign` writes it; `None` if it is malformed or too large.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_SIGNATURE_BYTES {
            return None;
        }
        SshSig::from_pem(text.trim()).ok().map(Self)
    }

    /// Returns the text of the signature; `None` if it can't be written.
    pub fn text(&self) -> Option<String> {
        self.0.to_pem(LineEnding::LF).ok()
    }

    /// Returns the key that it claims to be made with.
    pub fn key(&self) -> SshKey {
        SshKey { key: self.0.public_key().clone(), comment: String::new() }
    }

    /// Verifies that it was made for this text, as a checkpoint, by the key that it names. Whose key that is, and whether
    /// it is trusted, is not said by it.
    ///
    /// # Errors
    /// Returns why it is refused.
    pub fn verify(&self, text: &[u8]) -> Result<(), Refusal> {
        if self.0.namespace() != NAMESPACE {
            return Err(Refusal::Namespace(self.0.namespace().to_owned()));
        }
        self.key().usable().map_err(Refusal::Unusable)?;
        if let Algorithm::Rsa { hash } = self.0.algorithm()
            && hash != Some(HashAlg::Sha512)
        {
            let hash = hash.map_or("sha1", HashAlg::as_str);
            return Err(Refusal::Hash(hash.to_owned()));
        }
        PublicKey::from(self.0.public_key().clone())
            .verify(NAMESPACE, text, &self.0)
            .map_err(|_| Refusal::Invalid(self.key().fingerprint()))
    }
}

/// Reason why an SSH signature does not count, with the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No signature where signers to trust were given.
    #[error("it has no SSH signature beside it: ask for its .sig file, too")]
    Missing,
    /// Text that is not a signature.
    #[error(
        "what is beside it is not an SSH signature of at most {MAX_SIGNATURE_BYTES} bytes: ask for its .sig file again"
    )]
    Format,
    /// Signature for another purpose.
    #[error(
        "its SSH signature is for “{0}” and not for {NAMESPACE}, so that it says nothing about a checkpoint: have it \
         signed as a checkpoint"
    )]
    Namespace(String),
    /// Key that can't be verified.
    #[error("its SSH signature can’t be verified: {0}. Have it signed with another key")]
    Unusable(UnusableKey),
    /// RSA signature with a hash that is not accepted.
    #[error("its SSH signature is by RSA with {0}, and only sha512 counts: have it signed anew")]
    Hash(String),
    /// Signature that does not fit, by the fingerprint of its key.
    #[error(
        "its SSH signature by {0} is not valid: the checkpoint or the signature was changed. Ask its signer for both again"
    )]
    Invalid(String),
    /// Key that is not allowed, by its fingerprint.
    #[error(
        "its SSH signature is by {0}, which is not an allowed signer: add that key only after its owner has confirmed \
         the fingerprint"
    )]
    Untrusted(String),
    /// Key that is allowed, but not for checkpoints.
    #[error("its SSH signature is by {0}, which is allowed for other namespaces only: add {NAMESPACE} to its line")]
    OtherNamespaces(String),
    /// Key whose time has not come or is over.
    #[error("its SSH signature is by {0}, whose time as an allowed signer has not begun or is over")]
    OutOfTime(String),
}

/// What the SSH signature of a checkpoint is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Valid, and by a key that is allowed.
    Trusted {
        /// Names that the file of allowed signers has for the key; `None` for a bare public key.
        principals: Option<String>,
        /// Fingerprint of the key.
        fingerprint: String,
    },
    /// Valid; whose key it is was not asked. Holds its fingerprint.
    NotKnown(String),
    /// Of no worth.
    Refused(Refusal),
}

impl Standing {
    /// Judges the signature of a checkpoint's text, by the signers that are allowed at this time. Without these, whose
    /// signature it is stays not known.
    pub fn of(text: &[u8], signature: &str, allowed: Option<&AllowedSigners>, now: Timestamp) -> Self {
        let judge = || -> Result<Self, Refusal> {
            let signature = SshSignature::read(signature).ok_or(Refusal::Format)?;
            signature.verify(text)?;
            let fingerprint = signature.key().fingerprint();
            let Some(allowed) = allowed else { return Ok(Self::NotKnown(fingerprint)) };
            Ok(Self::Trusted { principals: allowed.find(&signature.key(), now)?, fingerprint })
        };
        judge().unwrap_or_else(Self::Refused)
    }

    /// Describes it as a part of a sentence.
    pub fn words(&self) -> String {
        match self {
            Self::Trusted { principals: Some(names), fingerprint } => {
                format!("signed by {names} with the SSH key {fingerprint}")
            }
            Self::Trusted { principals: None, fingerprint } => {
                format!("signed with the SSH key {fingerprint}, which was given")
            }
            Self::NotKnown(fingerprint) => format!(
                "its SSH signature by {fingerprint} is valid; whose key that is is not known: pass the allowed signers"
            ),
            Self::Refused(refusal) => refusal.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};
    use ssh_key::private::{Ed25519Keypair, KeypairData};

    use super::*;

    const TEXT: &[u8] = b"keybearer-journal/laptop-7/abababababababab\n18131\nBwcH\n";
    const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC1772Ns0U0nfFayXe/06Jk0JvSB3XJA+VNjJhOzO7vA9LJOwSb0uOiYIBPs5JmoxQhKrT5bMrZ2RZ4K8doiNV91sU3TWZHM2ZzCiPCvSxZyuTyivr+6qa5Y0dwH4YNrLBnshOWp2sybB+SX9nqEpRWYaUI3Tg5bSmpjim53hSQvw==";
    const RSA_2048: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDL9VtU8UkVWjoGMHzB4qwxmjoH/HyUKap8XYVtfC6oZWyaaUVsV8ZXtm70hLq79IP7/t6tDQaTaJbHaLwPBH3LXFwZbDAROGSqJqVk7kdaqpYxnhmJlrAedm6Uuuz3P+wRaoVDlANiT601HwH0jh5tLAWTDNsuv8NhsWTVpyV9b7xFsuxXm4rc4EMOwelTlde61FkXursSCmkejV7bBLrR/6JuBRnG1dajtRKM8kLzNJNI5j1hW5hMNwnyGWEK79IkGi2G1C/+V0Vc16T3MtY9RBdewqtVqGVJIjPi9bvItRQZY2g1IXdB3/zruMIMDNPBJromjtgzD58xXQPyZuZT";
    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

    fn key(byte: u8) -> PrivateKey {
        PrivateKey::new(KeypairData::from(Ed25519Keypair::from_seed(&[byte; 32])), "ana@laptop").unwrap()
    }

    fn signature(byte: u8) -> String {
        SshSignature::by_key(&key(byte), TEXT).unwrap().text().unwrap()
    }

    fn raw(key: &impl ssh_key::SigningKey, text: &[u8]) -> Signature {
        key.try_sign(text).unwrap()
    }

    fn line(byte: u8) -> String {
        key(byte).public_key().to_openssh().unwrap()
    }

    fn standing(signature: &str, allowed: &str) -> Standing {
        let allowed = AllowedSigners::read(allowed, &TimeZone::UTC).unwrap();
        Standing::of(TEXT, signature, Some(&allowed), NOW)
    }

    #[test]
    fn a_signature_counts_for_its_text_by_a_key_that_is_allowed_at_this_time_for_this_purpose() {
        let (ours, own) = (signature(1), line(1));
        let fingerprint = SshKey::read(&own).unwrap().fingerprint();
        let trusted = |principals: Option<&str>| Standing::Trusted {
            principals: principals.map(str::to_owned),
            fingerprint: fingerprint.clone(),
        };
        let refused = |refusal: fn(String) -> Refusal| Standing::Refused(refusal(fingerprint.clone()));
        let named = |options: &str| format!("# ours\n\nana@example.org,ana {options}{own}\nbo {}", line(2));
        for (allowed, expected) in [
            (own.clone(), trusted(None)),
            (named(""), trusted(Some("ana@example.org,ana"))),
            (format!("\"ana lopez\" {own}"), trusted(Some("ana lopez"))),
            (named("namespaces=\"git,keybearer-*\" "), trusted(Some("ana@example.org,ana"))),
            (named("valid-after=\"20261124\",valid-before=20261124120000Z "), trusted(Some("ana@example.org,ana"))),
            (line(2), refused(Refusal::Untrusted)),
            (named("namespaces=\"git,file\" "), refused(Refusal::OtherNamespaces)),
            (named("namespaces=\"!keybearer-checkpoint@v1,*\" "), refused(Refusal::OtherNamespaces)),
            (named("valid-after=\"202611241201Z\" "), refused(Refusal::OutOfTime)),
            (named("valid-before=\"20261124115959Z\" "), refused(Refusal::OutOfTime)),
            // The second line of a key counts where the first does not.
            (format!("{}\nlater {own}", named("valid-before=20200101 ")), trusted(Some("later"))),
        ] {
            assert_eq!(standing(&ours, &allowed), expected, "{allowed}");
        }
        assert_eq!(Standing::of(TEXT, &ours, None, NOW), Standing::NotKnown(fingerprint.clone()));
        assert_eq!(
            Standing::of(b"another text", &ours, None, NOW),
            Standing::Refused(Refusal::Invalid(fingerprint.clone()))
        );
        let commit = key(1).sign("git", HashAlg::Sha512, TEXT).unwrap().to_pem(LineEnding::LF).unwrap();
        assert_eq!(standing(&commit, &own), Standing::Refused(Refusal::Namespace("git".into())));
        for odd in
            ["", "AAAA", &ours.replace("BEGIN", "END"), &ours[..ours.len() / 2], &"x".repeat(MAX_SIGNATURE_BYTES)]
        {
            assert_eq!(standing(odd, &own), Standing::Refused(Refusal::Format), "{odd}");
        }
        assert_eq!(standing(&ours.replace('\n', "\r\n"), &own), trusted(None), "as Windows writes it");
    }

    #[test]
    fn only_keys_and_hashes_that_are_strong_enough_count() {
        let short = SshKey::read(RSA_1024).unwrap();
        assert_eq!(short.usable(), Err(UnusableKey::Short(1024)));
        assert!(AllowedSigners::read(RSA_1024, &TimeZone::UTC).is_err());
        let long = SshKey::read(RSA_2048).unwrap();
        assert!(long.is_rsa() && long.usable().is_ok());
        for (hash, name) in [(None, "sha1"), (Some(HashAlg::Sha256), "sha256")] {
            let raw = Signature::new(Algorithm::Rsa { hash }, vec![1; 256]).unwrap();
            let signature = SshSig::new(long.key.clone(), NAMESPACE, HashAlg::Sha512, raw).unwrap();
            assert_eq!(SshSignature(signature).verify(TEXT), Err(Refusal::Hash(name.into())));
        }
    }

    #[test]
    fn a_security_key_signs_through_an_agent_and_an_agent_that_returns_something_else_is_found_out() {
        let field = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes(), bytes].concat();
        let kind = field(b"sk-ssh-ed25519@openssh.com");
        let pair = Ed25519Keypair::from_seed(&[7; 32]);
        let blob = [kind.clone(), field(pair.public.as_ref()), field(b"ssh:")].concat();
        let key = SshKey::from_blob(&blob, "touch").unwrap();
        // What a security key signs: the application, that it was touched, a counter, and the message.
        let (flags, counter) = ([1_u8], 5_u32.to_be_bytes());
        let message = Sha256::digest(signed_data(TEXT).unwrap());
        let signed = [&Sha256::digest(b"ssh:")[..], &flags, &counter, &message[..]].concat();
        let signature = raw(&PrivateKey::from(pair), &signed);
        let raw = [kind, field(Signature::as_bytes(&signature)), flags.to_vec(), counter.to_vec()].concat();
        let made = SshSignature::from_agent(&key, TEXT, &raw).unwrap();
        assert_eq!(SshSignature::read(&made.text().unwrap()).unwrap().verify(TEXT), Ok(()));
        let fingerprint = key.fingerprint();
        assert_eq!(
            SshSignature::from_agent(&key, b"another text", &raw),
            Err(NotSigned::Refused(Refusal::Invalid(fingerprint)))
        );
        assert_eq!(SshSignature::from_agent(&key, TEXT, &raw[1..]), Err(NotSigned::Format));
    }

    #[test]
    fn a_line_that_is_not_understood_is_named_and_takes_the_whole_file_with_it() {
        let (own, other) = (line(1), line(2));
        for (line, what) in [
            ("ana", "neither a public key"),
            ("ana ssh-ed25519", "neither a public key"),
            ("ana ssh-ed25519 AAAA", "neither a public key"),
            ("ssh-ed25519 AAAA", "neither a public key"),
            (&format!("ana cert-authority {other}"), "certificates are not supported"),
            (&format!("ana no-touch-required {other}"), "an option is not one of"),
            (&format!("ana valid-before=tomorrow {other}"), "valid-before is not a date"),
            (&format!("ana valid-after=20261301 {other}"), "valid-after is not a date"),
            (&format!("ana {RSA_1024}"), "not supported"),
        ] {
            let refused = AllowedSigners::read(&format!("{own}\n{line}\n"), &TimeZone::UTC).unwrap_err().to_string();
            assert!(refused.starts_with("line 2: ") && refused.contains(what), "{line}: {refused}");
        }
        let read =
            |text: &str| AllowedSigners::read(text, &TimeZone::UTC).map(|_| ()).map_err(|error| error.to_string());
        assert_eq!(read("# nobody\n"), Err("it has no key".into()));
        assert!(read(&"#".repeat(300 << 10)).unwrap_err().contains("larger"));
        assert!(read(&format!("{own}\n").repeat(1001)).unwrap_err().contains("more than 1000 keys"));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_of_text_or_signature_is_refused(at: prop::sample::Index, is_text: bool) {
            let (mut text, mut ours) = (TEXT.to_vec(), signature(1).into_bytes());
            let bytes = if is_text { &mut text } else { &mut ours };
            let bit = at.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            let allowed = AllowedSigners::read(&line(1), &TimeZone::UTC).unwrap();
            if let Ok(ours) = String::from_utf8(ours) {
                let standing = Standing::of(&text, &ours, Some(&allowed), NOW);
                // Line ends and blanks around the frame mean nothing.
                let is_same = SshSignature::read(&ours) == SshSignature::read(&signature(1)) && !is_text;
                prop_assert!(is_same || matches!(standing, Standing::Refused(_)), "{standing:?}");
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text: String, bytes: Vec<u8>) {
            let _ = (SshSignature::read(&text), SshKey::read(&text), SshKey::from_blob(&bytes, &text));
            let _ = AllowedSigners::read(&text, &TimeZone::UTC);
            let _ = AllowedSigners::read(&format!("ana {text} {}", line(1)), &TimeZone::UTC);
            let _ = SshSignature::from_agent(&SshKey::read(&line(1)).unwrap(), TEXT, &bytes);
        }
    }
}
