//! Every reader of foreign text that has no property of its own takes any text, as deep as it may be, on a stack of
//! 256 KiB: it gives an answer or an error, and neither panics nor overflows.

use jiff::tz::TimeZone;
use proptest::num::u64::ANY;

use crate::{
    model::{
        Timestamp,
        connections::{endpoint::ClusterUrl, fingerprint::Fingerprint},
        create::{access_editor::AccessForm, descriptor_editor::DescriptorForm},
        filter,
        inventory::{Inventory, RawKey},
        journal, machine_policy,
        privileges::descriptor::Grants,
        rotation::Rotation,
        secret::Secret,
        secret_text,
        settings::Settings,
        time::expiry::Expiry,
        update,
    },
    small_stack::{USUAL_CASES, cases, foreign_text, on_small_stack},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000);

/// Pieces of JSON, and the member names that these readers look for in it.
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\ud800",
    "null",
    "true",
    "1",
    "-1e999",
    " ",
    "{\"a\":",
    "[[",
    "\"x\":1",
    "\"indices\":[{\"names\":[\"",
    "\"privileges\":[\"all\"]}]",
    "\"cluster\":",
    "\"metadata\":{",
    "\"application_id\":",
    "\"managed\":true",
    "\"search\":[",
    "\"version\":1",
    "\"state\":",
    "\"event\":{",
    "\"sequence\":18446744073709551615",
    ",\"hash\":\"",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "\"}",
    "é",
];

/// Generates text as [`foreign_text`] does, with every opened bracket closed again, so that more of it is valid JSON.
fn closed(seed: u64) -> String {
    let mut json = foreign_text(
        seed,
        &["{\"r\":", "[", "{\"metadata\":{\"a\":1},\"x\":", "{\"indices\":[],\"m\":", "[[[", "[{\"names\":[\"a\"]},"],
    );
    let open: Vec<char> = json.chars().fold(Vec::new(), |mut open, c| {
        match c {
            '{' | '[' => open.push(c),
            '}' | ']' => drop(open.pop()),
            _ => {}
        }
        open
    });
    json.push('1');
    json.extend(open.iter().rev().map(|c| if *c == '[' { ']' } else { '}' }));
    json
}

proptest::proptest! {
    #![proptest_config(cases(USUAL_CASES / 2))]

    #[test]
    fn searches(seed in ANY) {
        const WORDS: &[&str] = &[
            "(", ")", "-", "NOT ", " OR ", "AND", "\"", "\\", "*", "?", ":", "can:", "on:", "is:admin", "name:", "expires:<",
            "30d", "created:>2026-01-01", "99999999999999999999d", "..", "a", "é", " ", "owner:", "/a*/", "metadata.", "not:",
        ];
        let text = foreign_text(seed, WORDS);
        on_small_stack(|| drop(filter::parse(&text, NOW, &TimeZone::UTC)));
    }

    #[test]
    fn pasted_texts(seed in ANY) {
        const WORDS: &[&str] = &[
            "VuaCfGcBCdbkQm-e5aOx", "ui2lp2axTNmsyakw9tvNnw", ":", "=", "ApiKey ", "Authorization: ", "Bearer ", "{\"id\":\"",
            "\",\"api_key\":\"", "\"}", "\"encoded\":\"", "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==",
            "\n", " ", "\t", "{", "[", "]", "}", "“", "'", "\\n", "curl -H ", "ES_API_KEY=", "\u{feff}", "\u{200b}", "é",
        ];
        let text = foreign_text(seed, WORDS);
        on_small_stack(|| drop(secret_text::read(&Secret::new(text.as_str()))));
    }

    #[test]
    fn lines_of_a_journal(seed in ANY) {
        let text = foreign_text(seed, JSON);
        on_small_stack(|| {
            let mut checker = journal::verify::Checker::default();
            for line in text.split("é") {
                let _ = (journal::verify::read(line), checker.next(line));
            }
            checker.open();
        });
    }

    #[test]
    fn states_of_rotations_and_settings(seed in ANY) {
        let (text, closed) = (foreign_text(seed, JSON), closed(seed));
        on_small_stack(|| {
            for text in [&text, &closed] {
                let _ = (Rotation::read(text), Settings::read(text));
            }
        });
    }

    #[test]
    fn descriptors_in_forms(seed in ANY) {
        let (text, closed) = (foreign_text(seed, JSON), closed(seed));
        on_small_stack(|| {
            for text in [&text, &closed] {
                let _ = (DescriptorForm::read(text), AccessForm::read(text), update::differences(text, &closed, true));
            }
        });
    }

    #[test]
    fn rules_of_a_computer(seed in ANY) {
        const WORDS: &[&str] = &[
            "[", "]", "[[", "=", "\n", "\"", "\"\"\"", "'", ".", ",", "{", "}", "#", " ", "journal", "required", "path", "true",
            "1", "tls", "lock", "max_idle", "\"10m\"", "clusters", "allowed", "uuids", "[\"*.example.net\"]", "1979-05-27",
            "\u{feff}", "\\u0000", "é", "/{user}",
        ];
        let text = foreign_text(seed, WORDS);
        on_small_stack(|| {
            let _ = (machine_policy::parse(&text, "ana"), machine_policy::HostPattern::parse(&text));
        });
    }

    #[test]
    fn addresses_fingerprints_and_times(seed in ANY) {
        const WORDS: &[&str] = &[
            "https://", "http://", "localhost", ":9200", ":", "/", "@", "[", "]", "::1", "%", "?", "#", "é", ".", "ab", "AB:",
            "SHA256:", "0123456789abcdef", "1", "99999999999999", "d", "h", "2026-11-24", "T", "12:00", "Z", "-", "never", " ",
        ];
        let text = foreign_text(seed, WORDS);
        on_small_stack(|| {
            let _ = (ClusterUrl::parse(&text), Fingerprint::parse(&text), Expiry::parse(&text, NOW, &TimeZone::UTC));
        });
    }
}

proptest::proptest! {
    #![proptest_config(cases(USUAL_CASES / 10))]

    /// The raw parts of a key, whatever they are, come back to the byte, and can be searched.
    #[test]
    fn raw_parts_of_keys(seed in ANY) {
        let json = closed(seed);
        if serde_json::from_str::<serde::de::IgnoredAny>(&json).is_ok() {
            on_small_stack(|| {
                let mut inventory = Inventory::default();
                let key = RawKey { id: "a", metadata: Some(&json), role_descriptors: Some(&json), access: Some(&json), ..RawKey::default() };
                inventory.put(&key);
                inventory.finish();
                let whole = inventory.key(inventory.row_ids().next().unwrap());
                assert_eq!(whole.metadata.as_ref().unwrap().get(), json);
                assert_eq!(whole.role_descriptors.as_ref().unwrap().get(), json);
                Grants::of(whole.role_descriptors.as_ref().unwrap());
            });
        }
    }
}
