//! Form for a new key of one's own, of another user, or for a remote cluster.

use jiff::tz::TimeZone;

use super::{
    CreateKey, Draft, Field, RightsChoice, Surroundings,
    cross_cluster::{self, Access, CreateCrossCluster},
    grant::{Credential, Grant},
};
use crate::model::{Timestamp, api_key::KeyKind, form_error::FormError, privileges::descriptor::Piece, secret::Secret};

/// Future user of a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum KeyFor {
    /// User that is signed in.
    #[default]
    Me,
    /// Another user, whose credential is needed.
    Another,
    /// Remote cluster, with a cross-cluster key.
    RemoteCluster,
}

/// Sign-in of another user as it was typed, without the secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerDraft {
    /// `true` to sign in with a token, `false` with name and password.
    pub by_token: bool,
    /// Name of the user, for a sign-in with a password.
    pub username: String,
    /// Name of the user that this user acts as (`run_as`); blank for nobody.
    pub run_as: String,
}

/// Whole form as it was filled in; nothing in it is checked yet, and nothing in it is secret.
#[derive(Clone, Debug, Default)]
pub struct NewKeyDraft {
    /// Future user of the key.
    pub kind: KeyFor,
    /// Name, role descriptors, expiration and metadata; a key for a remote cluster has access in place of role
    /// descriptors.
    pub key: Draft,
    /// Other user, for [`KeyFor::Another`].
    pub owner: OwnerDraft,
    /// Access as JSON, for [`KeyFor::RemoteCluster`].
    pub access: String,
    /// Pattern for the subject of the certificate that a remote cluster must present; blank for any.
    pub certificate_identity: String,
}

/// Field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NewKeyField {
    /// Field that every kind of key has.
    Key(Field),
    /// Name of the other user.
    Owner,
    /// Password or token of the other user.
    Credential,
    /// Access of a remote cluster.
    Access,
}

/// Checked request for a new key.
#[derive(Clone, Debug)]
pub enum NewKey {
    /// Request for a key of the user that is signed in.
    Own(Box<CreateKey>),
    /// Request for a key of another user.
    Granted(Box<Grant>),
    /// Request for a cross-cluster key.
    CrossCluster(Box<CreateCrossCluster>),
}

impl From<CreateKey> for NewKey {
    fn from(key: CreateKey) -> Self {
        Self::Own(Box::new(key))
    }
}

impl NewKeyDraft {
    /// Checks the whole form. `credential` is the other user's password or token, `None` while it is blank; for a
    /// preview an empty secret is passed in its place.
    ///
    /// # Errors
    /// Returns every validation error with its field.
    pub fn check(
        &self,
        around: Surroundings<'_>,
        request_id: &str,
        credential: Option<Secret>,
    ) -> Result<NewKey, Vec<FormError<NewKeyField>>> {
        let checked = self.plain().check(self.around(around), request_id);
        let is_for_another = self.kind == KeyFor::Another;
        let words = |words: String| if is_for_another { of_owner(&words) } else { words };
        let (key, mut field_errors) = match checked {
            Ok(key) => (Some(key), Vec::new()),
            Err(errors) => {
                let field_error = |error: FormError<super::Field>| {
                    FormError::new(NewKeyField::Key(error.field), words(error.message))
                };
                (None, errors.into_iter().map(field_error).collect())
            }
        };
        let made = match self.kind {
            KeyFor::Me => key.map(NewKey::from),
            KeyFor::Another => {
                let credential = self.credential(credential, &mut field_errors);
                let run_as = Some(self.owner.run_as.trim()).filter(|name| !name.is_empty()).map(str::to_owned);
                key.zip(credential).map(|(key, credential)| NewKey::Granted(Grant { credential, run_as, key }.into()))
            }
            KeyFor::RemoteCluster => {
                let access = Access::parse(&self.access)
                    .map_err(|words| field_errors.push(FormError::new(NewKeyField::Access, words)))
                    .ok();
                let identity = Some(self.certificate_identity.trim()).filter(|text| !text.is_empty());
                let certificate_identity = identity.map(str::to_owned);
                key.zip(access).map(|(key, access)| {
                    NewKey::CrossCluster(CreateCrossCluster { key, access, certificate_identity }.into())
                })
            }
        };
        made.filter(|_| field_errors.is_empty()).ok_or(field_errors)
    }

    fn credential(&self, secret: Option<Secret>, errors: &mut Vec<FormError<NewKeyField>>) -> Option<Credential> {
        let username = self.owner.username.trim();
        if !self.owner.by_token && username.is_empty() {
            errors.push(FormError::new(NewKeyField::Owner, "Enter the user who will own the key"));
        }
        let Some(secret) = secret else {
            let what = if self.owner.by_token { "A token" } else { "The password" };
            errors.push(FormError::new(
                NewKeyField::Credential,
                format!("{what} of that user is required to authorize this"),
            ));
            return None;
        };
        Some(match self.owner.by_token {
            true => Credential::Token(secret),
            false => Credential::Password { username: username.to_owned(), password: secret },
        })
    }

    /// Returns the draft of the fields that every kind of key has; for a remote cluster without role descriptors.
    fn plain(&self) -> Draft {
        match self.kind {
            KeyFor::Me | KeyFor::Another => self.key.clone(),
            KeyFor::RemoteCluster => Draft { rights: RightsChoice::Nothing, ..self.key.clone() },
        }
    }

    /// Returns the context for this kind of key. Elasticsearch gives no privileges to keys that a key creates for
    /// itself, which does not apply to keys that it grants (as seen on 9.5.3).
    fn around<'a>(&self, around: Surroundings<'a>) -> Surroundings<'a> {
        Surroundings { by_api_key: around.by_api_key && self.kind == KeyFor::Me, ..around }
    }

    /// Returns `true` if a reason is required, as [`Draft::needs_reason`] says; a key for a remote cluster has no
    /// privileges that require one.
    pub fn needs_reason(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.plain().needs_reason(now, zone)
    }

    /// Returns the name of the future owner, or "the owner of the token" or "another user" if it is not known.
    fn whose(&self) -> String {
        let owner = &self.owner;
        let named = |name: &str| Some(name.trim().to_owned()).filter(|name| !name.is_empty());
        let by_name = named(&owner.username).filter(|_| !owner.by_token);
        named(&owner.run_as)
            .or(by_name)
            .unwrap_or_else(|| if owner.by_token { "the owner of the token".into() } else { "another user".into() })
    }

    /// Returns a sentence that says what the key will be able to do and until when, updated with each change of the
    /// form. Where something is still missing, the sentence says so.
    pub fn sentence(&self, around: Surroundings<'_>) -> Vec<Piece> {
        let around = self.around(around);
        match self.kind {
            KeyFor::Me => self.key.sentence(around),
            KeyFor::Another => self.sentence_of_another(around),
            KeyFor::RemoteCluster => self.sentence_of_access(around),
        }
    }

    fn sentence_of_another(&self, around: Surroundings<'_>) -> Vec<Piece> {
        let text = |words: &str| Piece::Text(words.into());
        let whose = self.whose();
        let mut pieces = vec![text("A key of "), Piece::Strong(whose.clone()), text(" that ")];
        pieces.extend(self.key.predicate(around, &whose));
        if !matches!(self.key.rights, RightsChoice::AllMine | RightsChoice::Nothing) {
            pieces.push(text(" It can do no more than its owner."));
        }
        pieces
    }

    fn sentence_of_access(&self, around: Surroundings<'_>) -> Vec<Piece> {
        let mut pieces = vec![Piece::Text("A key that ".into())];
        match Access::parse(&self.access) {
            Ok(access) => pieces.extend(cross_cluster::pieces(access.raw())),
            Err(_) => pieces.push(Piece::Strong("gives no access yet".into())),
        }
        let identity = self.certificate_identity.trim();
        if !identity.is_empty() {
            let words = ", which must present a certificate whose subject matches ";
            pieces.extend([Piece::Text(words.into()), Piece::Mono(identity.into())]);
        }
        pieces.extend(self.key.end_words(around));
        pieces.push(Piece::Text(" It can’t sign in to the REST API.".into()));
        pieces
    }
}

/// Rewrites a message about one's own privileges for the key of another user.
fn of_owner(words: &str) -> String {
    words.replace("your rights", "their rights").replace("All my rights", "All their rights")
}

impl NewKey {
    /// Returns the part of the request that every kind of key has.
    pub fn key(&self) -> &CreateKey {
        match self {
            Self::Own(key) => key,
            Self::Granted(grant) => &grant.key,
            Self::CrossCluster(cross) => &cross.key,
        }
    }

    /// Returns the kind of the key that the request creates.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Own(_) | Self::Granted(_) => KeyKind::Rest,
            Self::CrossCluster(_) => KeyKind::CrossCluster,
        }
    }

    /// Returns the path that the request is sent to with POST.
    pub fn path(&self) -> &'static str {
        match self {
            Self::Own(_) => "/_security/api_key",
            Self::Granted(_) => "/_security/api_key/grant",
            Self::CrossCluster(_) => "/_security/cross_cluster/api_key",
        }
    }

    /// Returns the name of the member of the body that is sent and never shown; `None` if there is none.
    pub fn hidden(&self) -> Option<&'static str> {
        match self {
            Self::Granted(grant) => Some(match grant.credential {
                Credential::Password { .. } => "password",
                Credential::Token(_) => "access_token",
            }),
            Self::Own(_) | Self::CrossCluster(_) => None,
        }
    }

    /// Returns the body without the hidden member.
    pub fn shown(&self, now: Timestamp) -> String {
        match self {
            Self::Own(key) => key.body(now),
            Self::Granted(grant) => grant.request(now),
            Self::CrossCluster(cross) => cross.body(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{privileges::descriptor, version::Edition};

    fn check(draft: &NewKeyDraft, secret: Option<&str>) -> Result<NewKey, Vec<FormError<NewKeyField>>> {
        let zone = jiff::tz::TimeZone::UTC;
        draft.check(around(&zone), "r", secret.map(Secret::new))
    }

    fn around(zone: &jiff::tz::TimeZone) -> Surroundings<'_> {
        Surroundings { now: Timestamp::EPOCH, zone, roles: None, edition: Edition::Unknown, by_api_key: true }
    }

    fn sentence(draft: &NewKeyDraft) -> String {
        descriptor::plain(&draft.sentence(around(&jiff::tz::TimeZone::UTC)))
    }

    fn draft(kind: KeyFor, rights: RightsChoice) -> NewKeyDraft {
        let key = Draft { name: "n".into(), rights, expiration: "1d".into(), ..Draft::default() };
        NewKeyDraft { kind, key, ..NewKeyDraft::default() }
    }

    #[test]
    fn the_key_of_another_takes_their_rights_and_hides_their_secret() {
        let mut draft = draft(KeyFor::Another, RightsChoice::AllMine);
        let places =
            |errors: Vec<FormError<NewKeyField>>| errors.into_iter().map(|error| error.field).collect::<Vec<_>>();
        let errors = check(&draft, None).unwrap_err();
        assert!(errors[0].message.contains("all their rights"), "{errors:?}");
        assert_eq!(places(errors), [NewKeyField::Key(Field::Reason), NewKeyField::Owner, NewKeyField::Credential]);
        draft.key.reason = "why".into();
        draft.owner.username = "ana".into();
        let made = check(&draft, Some("hunter2")).unwrap();
        assert_eq!((made.path(), made.hidden()), ("/_security/api_key/grant", Some("password")));
        let shown = made.shown(Timestamp::EPOCH);
        assert!(shown.contains("\"ana\"") && !shown.contains("hunter2"), "{shown}");
        assert_eq!(sentence(&draft), "A key of ana that does everything ana can do today. It expires in 1 day.");
        draft.owner.run_as = " boris ".into();
        draft.key.rights = RightsChoice::Own;
        draft.key.descriptors = r#"{"a":{"cluster":["monitor"]}}"#.into();
        assert!(sentence(&draft).starts_with("A key of boris that ") && sentence(&draft).ends_with("than its owner."));
        draft.owner.by_token = true;
        let NewKey::Granted(grant) = check(&draft, Some("t0ken")).unwrap() else { panic!("a grant") };
        assert_eq!((grant.run_as.as_deref(), grant.secret().expose()), (Some("boris"), "t0ken"));
    }

    #[test]
    fn a_key_for_a_remote_cluster_has_access_in_place_of_rights() {
        let mut draft = draft(KeyFor::RemoteCluster, RightsChoice::AllMine);
        assert!(!draft.needs_reason(Timestamp::EPOCH, &TimeZone::UTC), "the rights of another kind don't count");
        assert_eq!(check(&draft, None).unwrap_err()[0].field, NewKeyField::Access);
        assert!(sentence(&draft).contains("gives no access yet"));
        draft.access = r#"{"search":[{"names":["logs-*"]}],"replication":[{"names":["a"]}]}"#.into();
        draft.certificate_identity = " CN=eu.* ".into();
        let made = check(&draft, None).unwrap();
        assert_eq!((made.path(), made.kind()), ("/_security/cross_cluster/api_key", KeyKind::CrossCluster));
        assert!(
            made.shown(Timestamp::EPOCH).contains("\"CN=eu.*\"")
                && !made.shown(Timestamp::EPOCH).contains("role_descriptors")
        );
        let words = "A key that lets another cluster search logs-* and replicate a, which must present a certificate \
                     whose subject matches CN=eu.*. It expires in 1 day. It can’t sign in to the REST API.";
        assert_eq!(sentence(&draft), words);
    }

    #[test]
    fn only_one_s_own_key_is_kept_from_rights_by_a_sign_in_by_key() {
        let own = |kind| {
            let mut draft = draft(kind, RightsChoice::Own);
            draft.key.descriptors = r#"{"a":{}}"#.into();
            draft.owner.username = "ana".into();
            check(&draft, Some("x"))
        };
        assert_eq!(own(KeyFor::Me).unwrap_err()[0].field, NewKeyField::Key(Field::Rights));
        assert!(own(KeyFor::Another).is_ok());
    }
}
