use std::{fs, sync::Arc};

use super::*;
use crate::{
    model::connections::{
        ca::tests::authority,
        draft::TrustChoice,
        endpoint::{ClusterUrl, Endpoint},
        login::Login,
        profile::Environment,
        protection::Protection,
    },
    store::{connections::new_profile_id, vault::memory::MemoryVault},
};

const SETTINGS: &str = "cluster.name: lab\nxpack.security.http.ssl.enabled: true\n";

#[test]
fn settings_are_read_with_the_ca_beside_them_and_what_is_not_found_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("elasticsearch.yml");
    fs::write(&settings, SETTINGS).unwrap();
    let read = || read_files(std::slice::from_ref(&settings)).unwrap().remove(0);
    let without = read();
    assert!(without.notes.iter().any(|note| note.contains("no http_ca.crt beside it")), "{:?}", without.notes);
    fs::create_dir(folder.path().join("certs")).unwrap();
    fs::write(folder.path().join("certs/http_ca.crt"), "broken").unwrap();
    let broken = read();
    assert!(broken.notes.iter().any(|note| note.contains("was not read")), "{:?}", broken.notes);
    fs::write(folder.path().join("certs/http_ca.crt"), authority("http")).unwrap();
    let with = read();
    assert_eq!((with.draft.trust, with.draft.ca.unwrap().subject.as_str()), (TrustChoice::CaFile, "CN=http"));
}

#[test]
fn a_file_is_read_in_the_encodings_of_kubectl_and_what_is_no_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.yml");
    let units = || SETTINGS.encode_utf16();
    let little: Vec<u8> = [0xff, 0xfe].into_iter().chain(units().flat_map(u16::to_le_bytes)).collect();
    let big: Vec<u8> = [0xfe, 0xff].into_iter().chain(units().flat_map(u16::to_be_bytes)).collect();
    for bytes in [SETTINGS.into(), [b"\xef\xbb\xbf", SETTINGS.as_bytes()].concat(), little, big] {
        fs::write(&path, bytes).unwrap();
        assert_eq!(read_files(std::slice::from_ref(&path)).unwrap()[0].draft.name, "lab");
    }
    fs::write(&path, [0x80, 0x81]).unwrap();
    for (path, words) in [
        (path.clone(), "neither UTF-8 nor UTF-16"),
        (folder.path().to_owned(), "not a file"),
        (folder.path().join("none"), "no such file"),
    ] {
        assert!(read_files(&[path]).unwrap_err().detail.contains(words));
    }
    assert!(read_files(&vec![path; MAX_IMPORT_SOURCES + 1]).is_err());
    assert!(read_bytes(io::repeat(b'x'), "stdin").unwrap_err().detail.contains("longer than 1024 KiB"));
}

fn profile(name: &str, url: &str) -> Profile {
    let url = ClusterUrl::parse(url).unwrap();
    let endpoint = Endpoint::new(url, Login::Bearer(Secret::new("t0ken")));
    Profile { id: new_profile_id(), name: name.into(), environment: Environment::Development, endpoint }
}

#[test]
fn nothing_is_saved_over_a_connection_that_nobody_asked_to_replace() {
    let profiles = Profiles::new(Arc::new(MemoryVault::new()));
    let mut own = profile("lab", "own:9200");
    own.endpoint.protection = Protection::ReadOnly;
    profiles.save(&own).unwrap();
    let chosen = |replaces| {
        let others = [profile("lab", "new:9200"), profile("other", "other:9200")];
        others.map(|profile| Chosen { profile, replaces }).to_vec()
    };
    let saved = save(&profiles, chosen(false)).unwrap();
    assert_eq!((saved.names, saved.failed.len()), (vec!["other".to_owned()], 1));
    assert_eq!(profiles.by_name("lab"), Ok(Some(own.clone())));

    let saved = save(&profiles, chosen(true)).unwrap();
    assert_eq!((saved.names.len(), saved.failed.len()), (2, 0));
    let after = profiles.by_name("lab").unwrap().unwrap();
    assert_eq!((&after.id, after.endpoint.url.as_str()), (&own.id, "https://new:9200"));
    assert_eq!(after.endpoint.protection, Protection::ReadOnly, "it is not less protected than before");

    // Of two with one name, one would replace the other.
    let twice = vec![chosen(true)[0].clone(), chosen(true)[0].clone()];
    assert_eq!(save(&profiles, twice).unwrap_err(), ProfilesError::NameTaken("lab".into()));
}
