use crate::{
    model::connections::{
        endpoint::{ClusterUrl, Endpoint},
        login::Login,
        profile::Environment,
    },
    store::{connections::*, vault::memory::MemoryVault},
};

fn store() -> (Arc<MemoryVault>, Profiles) {
    let vault = Arc::new(MemoryVault::new());
    (vault.clone(), Profiles::new(vault))
}

fn profile(name: &str) -> Profile {
    Profile {
        id: new_profile_id(),
        name: name.into(),
        environment: Environment::Staging,
        endpoint: Endpoint::new(
            ClusterUrl::parse("https://localhost:9200").unwrap(),
            Login::Password { username: "ana".into(), password: Secret::new("hunter2") },
        ),
    }
}

fn names(profiles: &Profiles) -> Vec<String> {
    profiles.list().unwrap().profiles.into_iter().map(|profile| profile.name).collect()
}

fn every_error() -> [VaultError; 9] {
    [
        VaultError::NoBus,
        VaultError::NoDaemon,
        VaultError::NoCollection,
        VaultError::Locked,
        VaultError::TimedOut,
        VaultError::TooLarge { limit: 2560 },
        VaultError::Ambiguous,
        VaultError::NotText,
        VaultError::Other("it burns".into()),
    ]
}

#[test]
fn saved_profiles_are_listed_by_name_until_they_are_removed() {
    let (_, profiles) = store();
    assert_eq!(profiles.list(), Ok(ProfileList::default()));
    let (b, a) = (profile("beta"), profile("Alpha"));
    profiles.save(&b).unwrap();
    profiles.save(&a).unwrap();
    assert_eq!(profiles.list().unwrap().profiles, [a.clone(), b.clone()]);
    assert_eq!(profiles.by_name("Alpha"), Ok(Some(a.clone())));
    assert_eq!(profiles.by_name("alpha"), Ok(None));
    profiles.remove(&a.id).unwrap();
    profiles.remove(&a.id).unwrap();
    assert_eq!(names(&profiles), ["beta"]);
}

#[test]
fn renaming_keeps_one_profile_under_its_id() {
    let (vault, profiles) = store();
    let mut one = profile("one");
    profiles.save(&one).unwrap();
    one.name = "two".into();
    profiles.save(&one).unwrap();
    assert_eq!(names(&profiles), ["two"]);
    assert_eq!(vault.names("").unwrap(), [format!("profile/{}", one.id.0)]);
}

#[test]
fn a_name_is_needed_and_belongs_to_one_profile() {
    let (_, profiles) = store();
    profiles.save(&profile("one")).unwrap();
    assert_eq!(profiles.save(&profile(" ")), Err(ProfilesError::NoName));
    assert_eq!(profiles.save(&profile(" one ")), Err(ProfilesError::NameTaken("one".into())));
    assert_eq!(names(&profiles), ["one"]);
}

#[test]
fn two_that_save_at_the_same_time_lose_nothing() {
    let (vault, _) = store();
    let threads: Vec<_> = (0..8)
        .map(|at| {
            let profiles = Profiles::new(vault.clone());
            let save = move || profiles.save(&profile(&format!("profile {at}"))).unwrap();
            std::thread::Builder::new().name(format!("saves profile {at}")).spawn(save).unwrap()
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(names(&Profiles::new(vault)).len(), 8);
}

#[test]
fn a_broken_entry_is_named_and_hides_no_other() {
    let (vault, profiles) = store();
    let good = profile("good");
    profiles.save(&good).unwrap();
    vault.write("profile/broken", &Secret::new("hunter2")).unwrap();
    vault.write("profile/later", &Secret::new(r#"{"format":9,"name":"later","login":"hunter2"}"#)).unwrap();
    vault.write("key/other", &Secret::new("hunter2")).unwrap();

    let list = profiles.list().unwrap();
    assert_eq!(list.profiles, [good]);
    assert_eq!(list.unreadable.len(), 2);
    assert_eq!((list.unreadable[0].id.0.as_str(), &list.unreadable[0].name), ("broken", &None));
    assert_eq!(list.unreadable[1].name.as_deref(), Some("later"));

    let error = profiles.by_name("later").unwrap_err();
    assert_eq!(
        error.to_string(),
        "The saved connection “later” can't be read: it was saved by a later version of Keybearer"
    );
    profiles.remove(&list.unreadable[0].id).unwrap();
    assert_eq!(profiles.list().unwrap().unreadable.len(), 1);
}

#[test]
fn what_a_later_version_saved_is_not_overwritten() {
    let (vault, profiles) = store();
    let text = Secret::new(r#"{"format":9,"name":"later"}"#);
    vault.write("profile/later", &text).unwrap();
    let mut mine = profile("mine");
    mine.id = ProfileId("later".into());
    assert!(matches!(profiles.save(&mine), Err(ProfilesError::Unreadable(_))));
    assert_eq!(vault.read("profile/later"), Ok(Some(text)));
}

#[test]
fn members_of_a_later_version_survive_a_save() {
    let (vault, profiles) = store();
    let mut one = profile("one");
    profiles.save(&one).unwrap();
    let entry = format!("profile/{}", one.id.0);
    let text = vault.read(&entry).unwrap().unwrap();
    vault.write(&entry, &Secret::new(text.expose().replacen('{', "{\"colour\":[1.50],", 1))).unwrap();
    one.name = "two".into();
    profiles.save(&one).unwrap();
    assert!(vault.read(&entry).unwrap().unwrap().expose().ends_with(",\"colour\":[1.50]}"));
}

#[test]
fn every_refusal_of_the_vault_is_told_with_a_way_out() {
    for error in every_error() {
        let (vault, profiles) = store();
        let one = profile("one");
        profiles.save(&one).unwrap();
        vault.fail_with(error.clone());
        let expected = ProfilesError::Vault(error.clone());
        assert_eq!(profiles.list(), Err(expected.clone()));
        assert_eq!(profiles.by_name("one"), Err(expected.clone()));
        assert_eq!(profiles.save(&profile("two")), Err(expected.clone()));
        assert_eq!(profiles.remove(&one.id), Err(expected.clone()));
        assert_eq!(expected.to_string(), error.to_string());
        assert!(expected.way_out().len() > 20);
        vault.fail_with(None);
        assert_eq!(names(&profiles), ["one"]);
    }
}

#[test]
fn a_save_that_fails_anywhere_leaves_what_was_there() {
    for calls in 0..4 {
        let (vault, profiles) = store();
        let mut one = profile("one");
        profiles.save(&one).unwrap();
        profiles.save(&profile("two")).unwrap();
        one.name = "renamed".into();
        vault.fail_after(calls, VaultError::Locked);
        let saved = profiles.save(&one);
        vault.fail_with(None);
        assert_eq!(names(&profiles), if saved.is_ok() { ["renamed", "two"] } else { ["one", "two"] });
    }
}

#[test]
fn a_duplicate_entry_hides_no_other_profile() {
    struct Doubled(MemoryVault);
    impl Vault for Doubled {
        fn read(&self, entry: &str) -> Result<Option<Secret>, VaultError> {
            if entry == "profile/double" { Err(VaultError::Ambiguous) } else { self.0.read(entry) }
        }
        fn write(&self, entry: &str, text: &Secret) -> Result<(), VaultError> {
            self.0.write(entry, text)
        }
        fn remove(&self, entry: &str) -> Result<(), VaultError> {
            self.0.remove(entry)
        }
        fn names(&self, prefix: &str) -> Result<Vec<String>, VaultError> {
            self.0.names(prefix)
        }
        fn place(&self) -> VaultPlace {
            VaultPlace::Keyring
        }
    }
    let vault = MemoryVault::new();
    vault.write("profile/double", &Secret::new("{}")).unwrap();
    let profiles = Profiles::new(Arc::new(Doubled(vault)));
    profiles.save(&profile("one")).unwrap();
    let list = profiles.list().unwrap();
    assert_eq!(list.profiles.len(), 1);
    assert_eq!(list.unreadable[0].reason, "the keyring holds this entry more than once");
}

#[test]
fn too_long_a_profile_is_refused_with_the_limit() {
    let (vault, profiles) = store();
    vault.limit_entries_to(2560);
    let mut long = profile("long");
    long.endpoint.login = Login::Bearer(Secret::new("x".repeat(2500)));
    assert_eq!(profiles.save(&long), Err(ProfilesError::Vault(VaultError::TooLarge { limit: 2560 })));
}

#[test]
fn nothing_prints_a_secret() {
    let (vault, profiles) = store();
    let one = profile("one");
    profiles.save(&one).unwrap();
    vault.write("profile/broken", &Secret::new("hunter2")).unwrap();
    let text = vault.read(&format!("profile/{}", one.id.0)).unwrap();
    assert!(text.as_ref().unwrap().expose().contains("hunter2"));
    let list = profiles.list().unwrap();
    let saved = profiles.save(&profile("one"));
    for said in [
        format!("{vault:?} {profiles:?}"),
        format!("{list:?} {text:?} {one:?}"),
        format!("{saved:?} {:?}", profiles.by_name("broken")),
        format!("{:?}", ProfilesError::Unreadable(list.unreadable[0].clone())),
    ] {
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[test]
fn new_ids_are_all_different() {
    let ids: std::collections::HashSet<_> = (0..1000).map(|_| new_profile_id()).collect();
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| id.0.len() == 32));
}

#[test]
fn production_is_saved_and_read_with_the_protection_that_the_rules_of_this_computer_require() {
    use crate::model::{
        connections::protection::Protection,
        machine_policy::{MachinePolicy, Rule, Rules},
    };
    let vault: Arc<dyn Vault> = Arc::new(MemoryVault::new());
    let mut unprotected = profile("prod");
    unprotected.environment = Environment::Production;
    unprotected.endpoint.protection = Protection::None;
    // Saved before the rule was set.
    Profiles::new(vault.clone()).save(&unprotected).unwrap();
    let rules = Rules { is_production_protected: true, ..Rules::default() };
    let policy = Arc::new(MachinePolicy::Rules { file: "policy.toml".into(), rules });
    let profiles = Profiles::by_rules(vault.clone(), &policy);
    assert_eq!(profiles.by_name("prod").unwrap().unwrap().endpoint.protection, Protection::Name);
    assert_eq!(profiles.list().unwrap().profiles[0].endpoint.protection, Protection::Name);
    match profiles.save(&unprotected) {
        Err(ProfilesError::Policy(violation)) => assert_eq!(violation.rule, Some(Rule::ProductionProtected)),
        other => panic!("{other:?}"),
    }
    unprotected.endpoint.protection = Protection::ReadOnly;
    profiles.save(&unprotected).unwrap();
    assert_eq!(profiles.by_name("prod").unwrap().unwrap().endpoint.protection, Protection::ReadOnly);
}
