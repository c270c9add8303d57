//! API keys found in whatever a consumer has: encoded, `id:api_key`, a header, a curl command, the response to the
//! key's creation, a line of a configuration or of code. Each comes with the form in which it was found and what is
//! wrong with that. No error and no mistake repeats what was pasted.

mod diagnose;
pub mod template;
mod words;

use zeroize::Zeroizing;

pub use diagnose::PastedError;
use diagnose::why_not;
use words::{ID_LENGTH, SECRET_LENGTH, Word, base64_text, has_mixture, is_letter, is_url_letter, words};

use super::{
    secret::Secret,
    text::{
        hex,
        invisible::{TreacherousFinder, is_invisible},
    },
};

/// Limit of a pasted text in bytes; a longer one is more than a key and what surrounds it.
const MAX_TEXT_BYTES: usize = 64 << 10;

/// Key that was found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Id of the key; not secret.
    pub id: String,
    /// Secret of the key.
    pub secret: Secret,
    /// Form in which the key was found.
    pub form: SecretFormat,
    /// Mistakes in the text as it was pasted.
    pub mistakes: Vec<Mistake>,
    likelihood: u8,
}

impl Candidate {
    /// Returns the candidate without its secret, for showing what was found.
    pub fn without_secret(&self) -> Self {
        Self { secret: Secret::default(), ..self.clone() }
    }
}

/// Form in which a key was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFormat {
    /// `base64(id:api_key)`.
    Encoded,
    /// `id:api_key`.
    Raw,
    /// `Authorization: ApiKey …`.
    Header,
    /// Command with that header.
    Curl,
    /// JSON response to the creation of a key.
    CreationAnswer,
    /// Line of a configuration, an environment or a program.
    Setting,
}

impl SecretFormat {
    /// Returns the form as text to follow "It is".
    pub fn words(self) -> &'static str {
        match self {
            Self::Encoded => "the encoded form",
            Self::Raw => "the form id:api_key",
            Self::Header => "an Authorization header",
            Self::Curl => "a curl command",
            Self::CreationAnswer => "the answer to the creation of a key",
            Self::Setting => "a line of a configuration or a program",
        }
    }
}

/// Mistake in a key as it was pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Base64 of Base64.
    DoubleEncoded,
    /// `%20` and the like.
    PercentEncoded,
    /// `ApiKey ApiKey …`.
    ApiKeyTwice,
    /// `Bearer …` or `Basic …` before a key.
    WrongScheme,
    /// Encoded form with `-` and `_`.
    UrlSafe,
    /// Blanks or line ends inside the key.
    Broken,
    /// Invisible characters.
    Invisible,
    /// Quotes of a word processor.
    CurlyQuotes,
    /// Secret that does not have the 22 characters of those that Elasticsearch makes.
    OddLength,
    /// Encoded form and id with secret that are in one text and do not agree.
    Contradiction,
    /// Secret before the id.
    Swapped,
}

impl Mistake {
    /// Returns a sentence on the mistake, with the remedy.
    pub fn words(self) -> &'static str {
        match self {
            Self::DoubleEncoded => {
                "It is encoded twice: either its consumer encodes it itself and expects id:api_key, or it must be \
                 encoded only once"
            }
            Self::PercentEncoded => "It is percent-encoded, as only URLs and OTEL_EXPORTER_OTLP_HEADERS expect it",
            Self::ApiKeyTwice => "It has the word ApiKey twice: remove one, which its consumer may add itself",
            Self::WrongScheme => "It follows Bearer or Basic: a key requires the word ApiKey there",
            Self::UrlSafe => {
                "It is encoded with - and _, which Elasticsearch does not accept: encode it as standard Base64"
            }
            Self::Broken => "It contains spaces or line breaks: remove them",
            Self::Invisible => "It contains invisible characters: type it or copy it again",
            Self::CurlyQuotes => "It is in the curly quotes of a word processor, which programs do not understand",
            Self::OddLength => {
                "Its secret is not as long as those that Elasticsearch creates (22 characters): it may be cut off"
            }
            Self::Contradiction => "It contains two different keys",
            Self::Swapped => "Its halves are swapped: the id comes first, then the secret",
        }
    }
}

/// Finds the keys in a text, the most likely one first.
///
/// # Errors
/// Returns what the text is instead if it contains no key.
pub fn read(text: &Secret) -> Result<Vec<Candidate>, PastedError> {
    let text = text.expose();
    if text.len() > MAX_TEXT_BYTES {
        return Err(PastedError::TooLong);
    }
    let mut mistakes = Vec::new();
    let text = cleaned(text, &mut mistakes);
    if text.trim().is_empty() {
        return Err(PastedError::Empty);
    }
    let mut found = match percent_decoded(&text) {
        Some(decoded) => find(&decoded),
        None => Vec::new(),
    };
    found.iter_mut().for_each(|candidate| candidate.mistakes.push(Mistake::PercentEncoded));
    if found.is_empty() {
        found = find(&text);
    }
    if found.is_empty() {
        return Err(why_not(&text));
    }
    found.sort_by_key(|candidate| std::cmp::Reverse(candidate.likelihood));
    for candidate in &mut found {
        candidate.mistakes.splice(0..0, mistakes.iter().copied());
    }
    Ok(found)
}

/// Returns the text without invisible characters and with plain quotes, and notes both as mistakes.
fn cleaned(text: &str, mistakes: &mut Vec<Mistake>) -> Zeroizing<String> {
    let mut clean = Zeroizing::new(String::with_capacity(text.len()));
    let mut note = |mistake| {
        if !mistakes.contains(&mistake) {
            mistakes.push(mistake);
        }
    };
    let text = text.trim_start_matches('\u{feff}');
    let mut finder = TreacherousFinder::default();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_hidden = finder.finds(c, chars.peek().copied());
        match c {
            '“' | '”' | '„' | '«' | '»' => {
                note(Mistake::CurlyQuotes);
                clean.push('"');
            }
            '‘' | '’' => {
                note(Mistake::CurlyQuotes);
                clean.push('\'');
            }
            c if is_hidden && is_invisible(c) => note(Mistake::Invisible),
            '\u{a0}' => clean.push(' '),
            c => clean.push(c),
        }
    }
    clean
}

fn find(text: &str) -> Vec<Candidate> {
    let words = words(text);
    let whole = text.trim().trim_matches(['"', '\'']).trim();
    let mut found: Vec<Candidate> = Vec::new();
    let form = form(text, &words);
    // The text behind a name may be a whole key by itself: then it is a setting and no pair.
    let is_whole = |text: &str| decoded(text.trim_end_matches('=')).is_some();
    if let Some((id, secret)) = pair(whole).filter(|(_, secret)| !is_whole(secret)) {
        let mistakes = if whole.contains(char::is_whitespace) { vec![Mistake::Broken] } else { Vec::new() };
        add(&mut found, id, secret, SecretFormat::Raw, mistakes, 1);
        return found;
    }
    for (place, word) in words.iter().enumerate() {
        let before = place.checked_sub(1).map(|before| words[before].text);
        let next = words.get(place + 1);
        // `id:api_key`; shorter ones inside other text are hosts and ports.
        if let Some(next) = next
            && &text[word.end..next.start] == ":"
            && word.text.len() >= 16
            && next.text.len() >= 16
        {
            add(&mut found, word.text, next.text, or_raw(form), Vec::new(), 2);
        }
        if let Some((id, secret, mut mistakes)) = decoded(word.text) {
            let scheme = before.unwrap_or_default();
            let is_key = (id.len(), secret.len()) == (ID_LENGTH, SECRET_LENGTH);
            if scheme.eq_ignore_ascii_case("basic") && !is_key {
                continue;
            }
            if ["basic", "bearer"].iter().any(|wrong| scheme.eq_ignore_ascii_case(wrong)) {
                mistakes.push(Mistake::WrongScheme);
            }
            let is_scheme = |place: usize| words[place].text.eq_ignore_ascii_case("apikey");
            if place > 1 && is_scheme(place - 1) && is_scheme(place - 2) {
                mistakes.push(Mistake::ApiKeyTwice);
            }
            add(&mut found, &id, &secret, form, mistakes, 3);
        }
    }
    named(&words, form, &mut found);
    // A line of a key alone looks like one that is cut off.
    let is_whole = |key: &Candidate| (key.id.len(), key.secret.expose().len()) == (ID_LENGTH, SECRET_LENGTH);
    if !found.iter().any(is_whole) {
        broken(text, &words, form, &mut found);
    }
    if form == SecretFormat::CreationAnswer && found.len() == 2 {
        found.iter_mut().for_each(|candidate| candidate.mistakes.push(Mistake::Contradiction));
    }
    found
}

fn add(found: &mut Vec<Candidate>, id: &str, secret: &str, form: SecretFormat, mut mistakes: Vec<Mistake>, weight: u8) {
    // The secret would be shown as the id, and asked about as one.
    let is_swapped = (id.len(), secret.len()) == (SECRET_LENGTH, ID_LENGTH);
    let (id, secret) = if is_swapped { (secret, id) } else { (id, secret) };
    if is_swapped {
        mistakes.push(Mistake::Swapped);
    }
    let secret = Secret::new(secret);
    if found.iter().any(|known| known.id == id && known.secret == secret) {
        return;
    }
    let is_usual = secret.expose().len() == SECRET_LENGTH;
    if !is_usual {
        mistakes.push(Mistake::OddLength);
    }
    let likelihood = weight + 10 * u8::from(is_usual) + 10 * u8::from(id.len() == ID_LENGTH);
    found.push(Candidate { id: id.to_owned(), secret, form, mistakes, likelihood });
}

/// Splits a text that is `id:api_key` as a whole, with at most blanks around the colon and the parts.
fn pair(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.split_once(':')?;
    let (id, secret) = (id.trim(), secret.trim());
    // Shorter ones are hosts with ports, and settings.
    let is_plain =
        |part: &str| part.len() >= 8 && part.chars().all(|c| c.is_ascii_graphic() && !"\"'{}<>$%".contains(c));
    let is_name = ["api_key", "apikey", "authorization", "http", "https", "id", "encoded", "key"]
        .iter()
        .any(|name| id.eq_ignore_ascii_case(name) || id.to_ascii_lowercase().ends_with("_key"));
    (is_plain(id) && is_plain(secret) && !secret.contains(':') && !is_name && !secret.starts_with("//"))
        .then_some((id, secret))
}

/// Decodes the Base64 text of a key, encoded once or twice, into id, secret and mistakes; `None` if it is no key.
fn decoded(word: &str) -> Option<(String, Zeroizing<String>, Vec<Mistake>)> {
    let once = base64_text(word)?;
    let mut mistakes = Vec::new();
    let inner = if once.contains(':') {
        once
    } else {
        mistakes.push(Mistake::DoubleEncoded);
        base64_text(&once)?
    };
    let (id, secret) = inner.split_once(':')?;
    let is_plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_graphic() && c != ':');
    if !is_plain(id) || !is_plain(secret) {
        return None;
    }
    if word.contains(['-', '_']) {
        mistakes.push(Mistake::UrlSafe);
    }
    Some((id.to_owned(), Zeroizing::new(secret.to_owned()), mistakes))
}

/// Adds an id and a secret that are apart: fields of their own, or a pair of texts.
fn named(words: &[Word<'_>], form: SecretFormat, found: &mut Vec<Candidate>) {
    let is_id = |word: &Word<'_>| word.text.len() == ID_LENGTH && word.text.bytes().all(is_url_letter);
    let is_secret = |word: &Word<'_>| word.text.len() == SECRET_LENGTH && word.text.bytes().all(is_url_letter);
    let name_of = |place: usize| place.checked_sub(1).map(|before| words[before].text.to_ascii_lowercase());
    let ids: Vec<usize> =
        (0..words.len()).filter(|place| is_id(&words[*place]) && has_mixture(words[*place].text)).collect();
    let secrets: Vec<usize> = (0..words.len()).filter(|place| is_secret(&words[*place])).collect();
    let named = |places: &[usize], fits: &dyn Fn(&str) -> bool| {
        places.iter().copied().find(|place| name_of(*place).is_some_and(|name| fits(&name)))
    };
    let id = named(&ids, &|name| name.ends_with("id"));
    let secret = named(&secrets, &|name| name.ends_with("key") || name.ends_with("secret") || name.ends_with("raw"));
    if let (Some(id), Some(secret)) = (id, secret) {
        add(found, words[id].text, words[secret].text, or_setting(form), Vec::new(), 2);
    }
    for place in &ids {
        // `("id", "api_key")`
        if secrets.contains(&(place + 1)) {
            add(found, words[*place].text, words[place + 1].text, or_setting(form), Vec::new(), 1);
        }
    }
}

/// Adds a key with blanks or line ends inside.
fn broken(text: &str, words: &[Word<'_>], form: SecretFormat, found: &mut Vec<Candidate>) {
    let scheme = words.iter().rposition(|word| word.text.eq_ignore_ascii_case("apikey"));
    let start = scheme.map_or(0, |place| words[place].end);
    let form = if scheme.is_some() { form } else { SecretFormat::Encoded };
    if !text[start..].trim().contains(char::is_whitespace) {
        return;
    }
    let mut rest = Zeroizing::new(String::with_capacity(text.len()));
    rest.extend(text[start..].chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'' | '\\')));
    if rest.chars().all(|c| is_letter(c) || c == '=')
        && let Some((id, secret, mut mistakes)) = decoded(&rest)
    {
        mistakes.push(Mistake::Broken);
        add(found, &id, &secret, form, mistakes, 1);
    } else if let Some((id, secret)) = rest.split_once(':')
        && id.len() == ID_LENGTH
        && (16..=64).contains(&secret.len())
        && secret.bytes().all(is_url_letter)
    {
        add(found, id, secret, or_raw(form), vec![Mistake::Broken], 1);
    }
}

fn form(text: &str, words: &[Word<'_>]) -> SecretFormat {
    let has = |name: &str| words.iter().any(|word| word.text.eq_ignore_ascii_case(name));
    let start = text.trim_start();
    if has("curl") || has("Invoke-RestMethod") {
        SecretFormat::Curl
    } else if start.starts_with('{') && has("api_key") && (has("id") || has("encoded")) {
        SecretFormat::CreationAnswer
    } else if has("Authorization") || starts_with_scheme(text, words) {
        SecretFormat::Header
    } else if words.len() > 1 && text.contains([':', '=', '(']) && !words.iter().all(|word| word.text.len() > 16) {
        SecretFormat::Setting
    } else {
        SecretFormat::Encoded
    }
}

/// Returns `true` if the text begins with `ApiKey …`, as in a header.
fn starts_with_scheme(text: &str, words: &[Word<'_>]) -> bool {
    let [first, second, ..] = words else { return false };
    first.text.eq_ignore_ascii_case("apikey") && text[first.end..second.start].trim().is_empty()
}

fn or_raw(form: SecretFormat) -> SecretFormat {
    if form == SecretFormat::Encoded { SecretFormat::Raw } else { form }
}

fn or_setting(form: SecretFormat) -> SecretFormat {
    if form == SecretFormat::Encoded { SecretFormat::Setting } else { form }
}

/// Decodes `%20` and the like; `None` if there are none of those that occur in a key and its header.
fn percent_decoded(text: &str) -> Option<Zeroizing<String>> {
    let marks = ["%20", "%3D", "%3d", "%3A", "%3a", "%2B", "%2b", "%2F", "%2f"];
    if !marks.iter().any(|mark| text.contains(mark)) {
        return None;
    }
    let bytes = text.as_bytes();
    let mut decoded = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).and_then(|pair| pair.try_into().ok());
        match (bytes[at], pair.and_then(hex::byte)) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    let text = std::str::from_utf8(&decoded).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests;
