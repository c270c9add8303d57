//! What consumers have, and the key in it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE},
};

use crate::model::secret_text::*;

const ID: &str = "VuaCfGcBCdbkQm-e5aOx";
const KEY: &str = "ui2lp2axTNmsyakw9tvNnw";
const ENC: &str = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==";

fn first(text: &str) -> Candidate {
    let found = read(&Secret::new(text)).unwrap_or_else(|error| panic!("{text}: {error}"));
    found.into_iter().next().unwrap()
}

#[track_caller]
fn finds(text: &str, form: SecretFormat, mistakes: &[Mistake]) {
    let found = first(text);
    assert_eq!((found.id.as_str(), found.secret.expose()), (ID, KEY), "{text}");
    assert_eq!((found.form, found.mistakes.as_slice()), (form, mistakes), "{text}");
}

fn error(text: &str) -> PastedError {
    read(&Secret::new(text)).expect_err(text)
}

#[test]
fn a_key_is_found_in_every_form_that_consumers_have() {
    let bare = ENC.trim_end_matches('=');
    for (text, form) in [
        (ENC.to_owned(), SecretFormat::Encoded),
        (bare.to_owned(), SecretFormat::Encoded),
        (format!(" \"{ENC}\"\r\n"), SecretFormat::Encoded),
        (format!("{ID}:{KEY}"), SecretFormat::Raw),
        (format!("'{ID}:{KEY}'\n"), SecretFormat::Raw),
        (format!("ApiKey {ENC}"), SecretFormat::Header),
        (format!("authorization: apikey {ENC}"), SecretFormat::Header),
        (format!("Authorization:ApiKey {bare}"), SecretFormat::Header),
        (format!("headers = {{\"Authorization\": \"ApiKey {ENC}\"}}"), SecretFormat::Header),
        (format!("OTEL_EXPORTER_OTLP_HEADERS=\"Authorization=ApiKey {ENC}\""), SecretFormat::Header),
        (
            format!("curl --cacert ca.pem 'https://es:9200/_search' -H \"Authorization: ApiKey {ENC}\""),
            SecretFormat::Curl,
        ),
        (
            format!(
                "curl -XPOST https://user.example.net:9243/a \\\n  -H 'Authorization: ApiKey {ENC}' \\\n  -d '{{}}'"
            ),
            SecretFormat::Curl,
        ),
        (
            format!(
                "{{\"id\":\"{ID}\",\"name\":\"my-key\",\"expiration\":1799999999999,\"api_key\":\"{KEY}\",\"encoded\":\"{ENC}\"}}"
            ),
            SecretFormat::CreationAnswer,
        ),
        (
            format!("{{\n  \"api_key\" : \"{KEY}\",\n  \"name\" : \"my_application_name\",\n  \"id\" : \"{ID}\"\n}}"),
            SecretFormat::CreationAnswer,
        ),
        (format!("ES_API_KEY={ENC}"), SecretFormat::Setting),
        (format!("export ES_API_KEY=\"{ENC}\""), SecretFormat::Setting),
        (format!("ES_URL=https://es:9200\nES_API_KEY_RAW={ID}:{KEY}\n"), SecretFormat::Setting),
        (
            format!("output.elasticsearch:\n  hosts: [\"https://es:9200\"]\n  api_key: \"{ID}:{KEY}\"\n"),
            SecretFormat::Setting,
        ),
        (format!("api_key => \"{ID}:{KEY}\""), SecretFormat::Setting),
        (
            format!("es = Elasticsearch(\"https://es:9200\", api_key=(\"{ID}\", \"{KEY}\"), request_timeout=60)"),
            SecretFormat::Setting,
        ),
        (format!("es = Elasticsearch(url, api_key='{ENC}')"), SecretFormat::Setting),
        (format!("auth: {{ apiKey: {{ id: '{ID}', api_key: '{KEY}' }} }}"), SecretFormat::Setting),
        (format!("ES_API_KEY_ID={ID}\nES_API_KEY_SECRET={KEY}\n"), SecretFormat::Setting),
        (format!("apikey=\"{ENC}\""), SecretFormat::Setting),
    ] {
        finds(&text, form, &[]);
    }
}

#[test]
fn mistakes_are_recognised_and_named() {
    let twice = STANDARD.encode(ENC);
    let url_safe = "PT8_fGcBCdbkQm-e5aOx:ui2lp2axTNmsya?>9tvNnw";
    let safe = URL_SAFE.encode(url_safe);
    assert!(safe.contains(['-', '_']));
    finds(&twice, SecretFormat::Encoded, &[Mistake::DoubleEncoded]);
    finds(&format!("Authorization: ApiKey {twice}"), SecretFormat::Header, &[Mistake::DoubleEncoded]);
    finds(&format!("Authorization: ApiKey ApiKey {ENC}"), SecretFormat::Header, &[Mistake::ApiKeyTwice]);
    finds(&format!("Authorization=ApiKey%20{ENC}"), SecretFormat::Header, &[Mistake::PercentEncoded]);
    finds(&ENC.replace('=', "%3D"), SecretFormat::Encoded, &[Mistake::PercentEncoded]);
    finds(&format!("{ID}%3A{KEY}"), SecretFormat::Raw, &[Mistake::PercentEncoded]);
    finds(&format!("Authorization: Bearer {ENC}"), SecretFormat::Header, &[Mistake::WrongScheme]);
    finds(&format!("Authorization: Basic {ENC}"), SecretFormat::Header, &[Mistake::WrongScheme]);
    for cut in [10, 20, 40, 57] {
        finds(&format!("{}\n{}", &ENC[..cut], &ENC[cut..]), SecretFormat::Encoded, &[Mistake::Broken]);
        finds(
            &format!("Authorization: ApiKey {}\r\n  {}", &ENC[..cut], &ENC[cut..]),
            SecretFormat::Header,
            &[Mistake::Broken],
        );
    }
    finds(&format!("{ID}:\n {KEY} "), SecretFormat::Raw, &[Mistake::Broken]);
    finds(&format!("\u{feff}{}\u{200b}{}", &ENC[..9], &ENC[9..]), SecretFormat::Encoded, &[Mistake::Invisible]);
    for hidden in ['\u{61c}', '\u{2066}', '\u{3164}', '\u{34f}', '\u{fe0f}', '\u{fff9}'] {
        finds(&format!("{}{hidden}{}", &ENC[..9], &ENC[9..]), SecretFormat::Encoded, &[Mistake::Invisible]);
    }
    finds(&format!("❤\u{fe0f} api_key: {ENC}"), SecretFormat::Setting, &[]);
    finds(&format!("api_key: “{ENC}”"), SecretFormat::Setting, &[Mistake::CurlyQuotes]);
    assert_eq!(first(&safe).mistakes, [Mistake::UrlSafe]);
    let cut = first(&format!("{ID}:{}", &KEY[..17]));
    assert_eq!((cut.secret.expose(), cut.mistakes.as_slice()), (&KEY[..17], &[Mistake::OddLength][..]));
    let other = "ui2lp2axTNmsyakw9tvNnX";
    let contradiction = format!("{{\"id\":\"{ID}\",\"api_key\":\"{other}\",\"encoded\":\"{ENC}\"}}");
    let found = read(&Secret::new(contradiction)).unwrap();
    assert_eq!((found.len(), found[0].mistakes.as_slice()), (2, &[Mistake::Contradiction][..]));
}

#[test]
fn of_several_keys_the_likeliest_comes_first() {
    let odd = STANDARD.encode("somebody:something");
    let found = read(&Secret::new(format!("a={odd}\nb={ENC}"))).unwrap();
    assert_eq!(found.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), [ID, "somebody"]);
    let other = STANDARD.encode("AuaCfGcBCdbkQm-e5aOx:Ai2lp2axTNmsyakw9tvNnw");
    let found = read(&Secret::new(format!("{ENC}\n{other}\n{ENC}"))).unwrap();
    assert_eq!(found.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), [ID, "AuaCfGcBCdbkQm-e5aOx"]);
}

#[test]
fn what_is_no_key_is_told_apart() {
    assert_eq!(error(" \n\u{200b}"), PastedError::Empty);
    assert_eq!(error(&"x".repeat(70_000)), PastedError::TooLong);
    assert_eq!(error(KEY), PastedError::IdMissing);
    assert_eq!(error(&format!("api_key: \"{KEY}\"")), PastedError::IdMissing);
    assert_eq!(error(&STANDARD.encode(format!(":{KEY}"))), PastedError::IdMissing);
    assert_eq!(error(&STANDARD.encode(KEY)), PastedError::IdMissing);
    assert_eq!(error(ID), PastedError::SecretMissing);
    assert_eq!(error("Authorization: Basic YWRtaW46Y2hhbmdlbWU="), PastedError::Password);
    for reference in
        ["api_key: \"${ES_API_KEY}\"", "$ES_API_KEY", "Authorization: ApiKey $ES_API_KEY", "{{ es_api_key }}"]
    {
        assert_eq!(error(reference), PastedError::Reference, "{reference}");
    }
    assert_eq!(error(&format!("{ID}:••••••••••••")), PastedError::Masked);
    for text in ["hello", "localhost:9200", "https://es.example.net:9200", "a:b:c", "äöü", ":", "api_key:", "hunter2"]
    {
        assert_eq!(error(text), PastedError::Unreadable, "{text}");
    }
}

#[test]
fn nothing_that_is_said_repeats_the_secret() {
    let found = read(&Secret::new(format!("ApiKey {ENC}"))).unwrap();
    let debug = format!("{found:?}");
    assert!(debug.contains(ID) && !debug.contains(KEY) && !debug.contains(ENC), "{debug}");
    assert!(!error(KEY).to_string().contains(KEY));
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,200}") {
        let _ = read(&Secret::new(text));
    }

    #[test]
    fn odd_texts_of_a_keys_letters_come_to_an_end(text in "[A-Za-z0-9+/=:%\"' \n-]{0,300}") {
        let _ = read(&Secret::new(text));
    }

    #[test]
    fn every_key_is_found_encoded_and_raw(id in "[A-Za-z0-9_-]{20}", key in "[A-Za-z0-9_-]{22}", raw in proptest::bool::ANY) {
        let text = format!("{id}:{key}");
        let text = if raw { text } else { STANDARD.encode(text) };
        let found = first(&format!("api_key: \"{text}\"\n"));
        proptest::prop_assert_eq!((found.id, found.secret.expose().to_owned()), (id, key));
    }
}

#[test]
fn a_setting_of_any_name_is_no_pair() {
    for name in ["ES_API_KEY_RAW", "spring.elasticsearch.api-key", "elasticApiKey"] {
        let found = first(&format!("{name}: {ENC}"));
        assert_eq!((found.id.as_str(), found.secret.expose()), (ID, KEY), "{name}");
    }
}

#[test]
fn halves_that_are_swapped_are_put_right_so_that_no_secret_is_an_id() {
    finds(&format!("{KEY}:{ID}"), SecretFormat::Raw, &[Mistake::Swapped]);
    let encoded = STANDARD.encode(format!("{KEY}:{ID}"));
    assert_eq!(first(&encoded).id, ID);
}

#[test]
fn a_key_of_which_one_half_is_as_usual_comes_before_one_of_which_neither_is() {
    let odd = STANDARD.encode("an-odd-id:an-odd-secret");
    for text in [format!("a: {odd}\nb: {ID}x:{KEY}\n"), format!("a: {odd}\nb: {ID}:{KEY}x\n")] {
        assert!(first(&text).id.starts_with(ID), "{text}");
    }
}

#[test]
fn a_key_in_a_sentence_is_no_setting() {
    finds(&format!("my key is {}", ENC.trim_end_matches('=')), SecretFormat::Encoded, &[]);
}

#[test]
fn each_mistake_is_said_in_words_of_its_own() {
    for (mistake, words) in [
        (Mistake::DoubleEncoded, "encoded twice"),
        (Mistake::PercentEncoded, "percent-encoded"),
        (Mistake::ApiKeyTwice, "ApiKey twice"),
        (Mistake::WrongScheme, "Bearer or Basic"),
        (Mistake::UrlSafe, "standard Base64"),
        (Mistake::Broken, "spaces or line breaks"),
        (Mistake::Invisible, "invisible characters"),
        (Mistake::CurlyQuotes, "curly quotes"),
        (Mistake::OddLength, "22 characters"),
        (Mistake::Contradiction, "two different keys"),
        (Mistake::Swapped, "halves are swapped"),
    ] {
        assert!(mistake.words().contains(words), "{mistake:?}");
    }
}

#[test]
fn a_reference_in_quotes_is_one_too() {
    for reference in ["\"${ES_API_KEY}\"", "'$(key)'", "\"{{key}}\""] {
        assert_eq!(error(reference), PastedError::Reference, "{reference}");
    }
}
