//! Checkpoints of a journal: its size and the root of its Merkle tree, signed, to be kept where whoever can write the
//! journal can't change them. The text is a C2SP checkpoint (c2sp.org/tlog-checkpoint) in a signed note
//! (c2sp.org/signed-note), which the tools of transparency logs read.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{key::JournalKey, merkle::Hash};
use crate::model::text::hex;

/// Size limit of a checkpoint in bytes; a longer text is none.
pub const MAX_BYTES: usize = 16 << 10;
/// Maximum number of signatures that are read.
const MAX_SIGNATURES: usize = 16;
/// First line of every origin, before the machine and the journal.
const ORIGIN: &str = "keybearer-journal";
/// Type of an Ed25519 signature in a signed note.
const ED25519: u8 = 1;
/// Number of bytes of an Ed25519 public key.
const PUBLIC_BYTES: usize = 32;
const KEY_HASH_BYTES: usize = 4;
/// Beginning of the optional line that holds the time.
const TIME: &str = "time ";

/// Size and root of a journal at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Name of the journal, by [`origin`].
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: Hash,
    /// Time at which it was made, in RFC 3339; `None` if the checkpoint does not tell.
    pub time: Option<String>,
}

/// Signature of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key.
    pub name: String,
    key_hash: [u8; KEY_HASH_BYTES],
    bytes: Vec<u8>,
}

/// Checkpoint with its signatures, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// Text that is signed.
    body: String,
    /// Signatures, of any keys.
    pub signatures: Vec<Signature>,
}

/// Reason why a text is no checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Longer than [`MAX_BYTES`].
    #[error("It is larger than {MAX_BYTES} bytes")]
    TooLarge,
    /// Without the empty line between the text and its signatures.
    #[error("It has no empty line followed by signatures")]
    NotSigned,
    /// A line that is not what a checkpoint has there.
    #[error("Line {line} is not {expected}")]
    Line {
        /// Number of the line, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
    },
}

/// Public key by which the signatures of one journal are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// Name of the key: the origin of its journal.
    pub name: String,
    public: Vec<u8>,
}

/// Reason why a text is no verifier key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("It is not a verifier key: NAME+8 hexadecimal digits+base64, as “keybearer journal key” prints it")]
pub struct NotAVerifierKey;

/// Returns the origin of a journal: the machine, and the beginning of the hash of its first entry.
pub fn origin(host: &str, first_hash: &str) -> String {
    let fits = |letter: &char| letter.is_ascii_alphanumeric() || ".-_".contains(*letter);
    let host: String = host.chars().filter(fits).take(64).collect();
    let host = if host.is_empty() { "unnamed" } else { &host };
    format!("{ORIGIN}/{host}/{}", first_hash.get(..16).unwrap_or(first_hash))
}

impl Checkpoint {
    /// Returns the text without signatures. An SSH signature can be beside it; by itself it is no signed note.
    pub fn note(&self) -> String {
        let time = self.time.as_ref().map(|time| format!("{TIME}{time}\n")).unwrap_or_default();
        format!("{}\n{}\n{}\n{time}", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Returns the text with its signature by the journal's own key. `None` if the cryptographic library refuses.
    pub fn signed(&self, key: &JournalKey) -> Option<String> {
        let body = self.note();
        let verifier = VerifierKey::of(&self.origin, key)?;
        let mut bytes = verifier.hash().to_vec();
        bytes.extend(key.sign(body.as_bytes())?);
        Some(format!("{body}\n— {} {}\n", self.origin, STANDARD.encode(bytes)))
    }
}

impl SignedCheckpoint {
    /// Reads a checkpoint.
    ///
    /// # Errors
    /// Returns what is wrong with the text. Signatures are read, and verified by [`SignedCheckpoint::is_signed_by`].
    pub fn read(text: &str) -> Result<Self, CheckpointError> {
        if text.len() <= MAX_BYTES && !text.contains("\n\n") {
            return Err(CheckpointError::NotSigned);
        }
        let read = Self::read_note(text)?;
        if read.signatures.is_empty() { Err(CheckpointError::NotSigned) } else { Ok(read) }
    }

    /// Reads a checkpoint that may be without signatures, because it has an SSH signature in another file.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::read`].
    pub fn read_note(text: &str) -> Result<Self, CheckpointError> {
        if text.len() > MAX_BYTES {
            return Err(CheckpointError::TooLarge);
        }
        let (body, signatures) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
        let body = format!("{body}\n");
        let lines: Vec<&str> = body.lines().collect();
        let wrong = |line, expected| CheckpointError::Line { line, expected };
        let origin = lines.first().filter(|line| !line.is_empty()).ok_or(wrong(1, "the name of a log"))?;
        let is_number =
            |text: &&&str| text.bytes().all(|byte| byte.is_ascii_digit()) && (**text == "0" || !text.starts_with('0'));
        let size = lines.get(1).filter(is_number).and_then(|line| line.parse().ok());
        let size = size.ok_or(wrong(2, "a number of entries"))?;
        let root = lines.get(2).and_then(|line| STANDARD.decode(line).ok()).and_then(|bytes| bytes.try_into().ok());
        let root = root.ok_or(wrong(3, "a hash of 32 bytes in base64"))?;
        let time = lines.iter().skip(3).find_map(|line| line.strip_prefix(TIME)).map(str::to_owned);
        let first = lines.len() + 2;
        let mut found = Vec::new();
        for (place, line) in signatures.lines().enumerate().take(MAX_SIGNATURES) {
            found.push(Signature::read(line).ok_or(wrong(first + place, "a signature"))?);
        }
        let checkpoint = Checkpoint { origin: (*origin).to_owned(), size, root, time };
        Ok(Self { checkpoint, body, signatures: found })
    }

    /// Returns `true` if one of the signatures is by this key and fits the text, `false` if one claims to be and does
    /// not fit; `None` if none is by this key.
    pub fn is_signed_by(&self, key: &VerifierKey) -> Option<bool> {
        let hash = key.hash();
        let mut of_key = self
            .signatures
            .iter()
            .filter(|signature| signature.name == key.name && signature.key_hash == hash)
            .peekable();
        of_key.peek()?;
        let public = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, &key.public);
        Some(of_key.any(|signature| public.verify(self.body.as_bytes(), &signature.bytes).is_ok()))
    }
}

impl Signature {
    fn read(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix("— ")?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (hash, bytes) = bytes.split_first_chunk::<KEY_HASH_BYTES>()?;
        (!name.is_empty()).then(|| Self { name: name.to_owned(), key_hash: *hash, bytes: bytes.to_owned() })
    }
}

impl VerifierKey {
    /// Returns the key of a journal with this origin.
    pub fn of(origin: &str, key: &JournalKey) -> Option<Self> {
        Some(Self { name: origin.to_owned(), public: key.public()? })
    }

    /// Reads a key as `Display` writes it.
    ///
    /// # Errors
    /// Returns an error if the text is no key of the type Ed25519, or its digits do not fit its name.
    pub fn read(text: &str) -> Result<Self, NotAVerifierKey> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(digits), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotAVerifierKey);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NotAVerifierKey)?;
        let Some((&ED25519, public)) = bytes.split_first() else { return Err(NotAVerifierKey) };
        let key = Self { name: name.to_owned(), public: public.to_owned() };
        let fits = !name.is_empty() && public.len() == PUBLIC_BYTES && hex::encode(&key.hash()) == digits;
        if fits { Ok(key) } else { Err(NotAVerifierKey) }
    }

    fn hash(&self) -> [u8; KEY_HASH_BYTES] {
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update([b'\n', ED25519]);
        hasher.update(&self.public);
        let digest: Hash = hasher.finalize().into();
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend(&self.public);
        write!(f, "{}+{}+{}", self.name, hex::encode(&self.hash()), STANDARD.encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::secret::Secret;

    fn key(byte: u8) -> JournalKey {
        JournalKey::from_seed(&Secret::new(hex::encode(&[byte; 32]))).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        let origin = origin("laptop-7", &"ab".repeat(32));
        Checkpoint { origin, size: 18_131, root: [7; 32], time: Some("2026-11-22T23:59:00Z".into()) }
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let (ours, theirs) = (key(1), key(2));
        for time in [None, checkpoint().time] {
            let checkpoint = Checkpoint { time, ..checkpoint() };
            let text = checkpoint.signed(&ours).unwrap();
            assert!(text.starts_with("keybearer-journal/laptop-7/abababababababab\n18131\nBwcH"), "{text}");
            let read = SignedCheckpoint::read(&text).unwrap();
            assert_eq!(read.checkpoint, checkpoint);
            let verifier = VerifierKey::of(&checkpoint.origin, &ours).unwrap();
            assert_eq!(VerifierKey::read(&verifier.to_string()).as_ref(), Ok(&verifier));
            assert_eq!(read.is_signed_by(&verifier), Some(true));
            assert_eq!(read.is_signed_by(&VerifierKey::of(&checkpoint.origin, &theirs).unwrap()), None);
        }
    }

    #[test]
    fn a_verifier_key_of_another_program_is_read_and_an_odd_one_is_not() {
        // From the documentation of golang.org/x/mod/sumdb/note.
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        assert_eq!(VerifierKey::read(text).map(|key| key.name), Ok("PeterNeumann".into()));
        assert_eq!(VerifierKey::read(&text.replace("c74f", "c74e")), Err(NotAVerifierKey));
        for odd in ["", "a+b", "a+00000000+", "a+00000000+AA==", "+530d903c+AdA6", "a b"] {
            assert_eq!(VerifierKey::read(odd), Err(NotAVerifierKey), "{odd}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_text_is_told_by_its_line() {
        let text = checkpoint().signed(&key(1)).unwrap();
        let line = |line, expected| Err(CheckpointError::Line { line, expected });
        let read = |text: &str| SignedCheckpoint::read(text).map(|_| ());
        assert_eq!(read(""), Err(CheckpointError::NotSigned));
        assert_eq!(read(&text.replace("18131", "018131")), line(2, "a number of entries"));
        assert_eq!(read(&text.replace("18131", "-1")), line(2, "a number of entries"));
        assert_eq!(read(&text.replace("18131", "99999999999999999999")), line(2, "a number of entries"));
        assert_eq!(read(&text.replace("BwcH", "Bw!H")), line(3, "a hash of 32 bytes in base64"));
        assert_eq!(read(&text.replace("— ", "- ")), line(6, "a signature"));
        assert_eq!(read(&text.replace("\n\n", "\n")), Err(CheckpointError::NotSigned));
        assert_eq!(read(&format!("{text}{}", "x".repeat(MAX_BYTES))), Err(CheckpointError::TooLarge));
        assert_eq!(origin("a\nb c", "12"), "keybearer-journal/abc/12");
        assert_eq!(origin("", "12"), "keybearer-journal/unnamed/12");
    }

    proptest! {
        #[test]
        fn a_flipped_bit_leaves_no_valid_signature_of_another_content(bit: prop::sample::Index) {
            let (key, checkpoint) = (key(1), checkpoint());
            let verifier = VerifierKey::of(&checkpoint.origin, &key).unwrap();
            let mut bytes = checkpoint.signed(&key).unwrap().into_bytes();
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Some(read) = String::from_utf8(bytes).ok().and_then(|text| SignedCheckpoint::read(&text).ok()) {
                prop_assert!(read.checkpoint == checkpoint || read.is_signed_by(&verifier) != Some(true));
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text: String) {
            let _ = (SignedCheckpoint::read(&text), VerifierKey::read(&text));
        }
    }
}
