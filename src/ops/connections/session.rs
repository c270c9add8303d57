//! Signed-in connection to a cluster, with what was found out when connecting.

use crate::{
    client::{Client, SeenCertificate},
    model::{
        TimeDelta, Timestamp,
        api_key::{ApiKey, KeyId},
        connections::endpoint::Trust,
        identity::{Identity, Privileges},
        rotation::ClusterRef,
        version::{Edition, Feature},
    },
    ops::{clock, interrupt::Interrupt},
    store::{journal::Journal, vault::kept_secrets::KeptSecrets},
};

/// A signed-in connection. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Session {
    /// Client that sends the requests.
    pub client: Client,
    /// Identity of the user or key that is signed in.
    pub identity: Identity,
    /// Cluster privileges of the sign-in, as far as they are known.
    pub privileges: Privileges,
    /// Edition of the cluster: its version, serverless, or not known.
    pub edition: Edition,
    /// Name of the cluster; `None` if the session may not read it.
    pub cluster_name: Option<String>,
    /// UUID of the cluster, as reported at sign-in; `None` without the privilege `monitor`.
    pub cluster_uuid: Option<String>,
    /// Certificate that the server showed.
    pub certificate: Option<SeenCertificate>,
    /// Journal in which operations on the cluster's keys are recorded.
    pub journal: Journal,
    /// Store for secrets of the cluster's keys; `None` if no keyring is used.
    pub keyring: Option<KeptSecrets>,
    /// Interrupt that stops waiting for answers, which are then lost to the caller.
    pub interrupt: Interrupt,
}

/// Least skew that counts: the header `Date` has whole seconds and is delayed on its way.
const LEAST_SKEW: TimeDelta = TimeDelta::from_secs(2);

impl Session {
    /// Returns the session with a journal in which operations on keys are recorded.
    pub fn with_journal(self, journal: Journal) -> Self {
        let client = self.client.recorded_in(journal.place());
        Self { client, journal, ..self }
    }

    /// Returns the session with a keyring in which the kept secrets of keys that it invalidates are forgotten.
    pub fn with_keyring(self, keyring: KeptSecrets) -> Self {
        Self { keyring: Some(keyring), ..self }
    }

    /// Returns a session that changes keys of this cluster only: every change compares the cluster that answers with
    /// it. Plans are carried out this way, because the same address may have become another cluster's since the keys
    /// were read. If `planned_on` has no UUID, the one from sign-in stays.
    pub fn on_cluster(&self, planned_on: &ClusterRef) -> Self {
        let mut session = self.clone();
        if planned_on.uuid.is_some() {
            session.cluster_uuid.clone_from(&planned_on.uuid);
            session.cluster_name.clone_from(&planned_on.name);
        }
        session
    }

    /// Returns a session that may change keys through a connection that asks for its name to be typed. See
    /// [`super::protection`] for when it was.
    pub(crate) fn confirmed(&self) -> Self {
        Self { client: self.client.confirmed(), ..self.clone() }
    }

    /// Returns the cluster as it identified itself at sign-in. See [`super::cluster_identity`] for the cluster that
    /// answers now.
    pub fn cluster(&self) -> ClusterRef {
        let url = self.client.endpoint().url.to_string();
        ClusterRef { uuid: self.cluster_uuid.clone(), name: self.cluster_name.clone(), url }
    }

    /// Returns the cluster's current time: this machine's clock plus the measured skew. Expiration is judged by it.
    pub fn now(&self) -> Timestamp {
        clock::now() + self.skew()
    }

    /// Returns how far the cluster's clock is ahead of this machine's; zero for a skew of less than [`LEAST_SKEW`].
    pub fn skew(&self) -> TimeDelta {
        self.client.clock_skew().filter(|skew| skew.abs() >= LEAST_SKEW).unwrap_or_default()
    }

    /// Returns a message about clocks that can't be reconciled; `None` if the answers are dated plausibly or not at
    /// all.
    pub fn clock_words(&self) -> Option<String> {
        let date = self.client.doubtful_date()?;
        let counted = match self.client.own_skew() {
            Some(own) if own.abs() < LEAST_SKEW => "the cluster's own clock agrees with this machine's".into(),
            Some(own) => format!("the cluster's own clock is {} this machine's and is used instead", clock::ahead(own)),
            None => "this machine's clock is used".into(),
        };
        Some(format!(
            "Responses are dated {} this machine's clock by something in front of the cluster. That is ignored: \
             {counted}",
            clock::ahead(date)
        ))
    }

    /// `true` if the session sees only its user's own keys, so that requests must say so (before the query API).
    pub fn sees_own_only(&self) -> bool {
        !self.privileges.sees_all_keys() && self.privileges.sees_own_keys()
    }

    /// `true` if requests to invalidate must be restricted to the user's own keys (as seen on 9.5.3: 403 without it for
    /// a user who only has `manage_own_api_key`).
    pub fn invalidates_own_only(&self) -> bool {
        !self.privileges.invalidates_all_keys()
    }

    /// Returns the key that the session is signed in by; `None` if it is signed in by other means.
    pub fn own_key(&self) -> Option<&KeyId> {
        self.identity.api_key.as_ref().map(|(id, _)| id)
    }

    /// `true` if keys that are created are derived from the key that the session is signed in by, so that they can have no
    /// privileges. What a key of Elastic Cloud may create depends on the version: that is left to the cluster.
    pub fn derives_keys(&self) -> bool {
        self.own_key().is_some() && !self.identity.is_cloud_key
    }

    /// `true` if this is the user that requests are made as: the one that is signed in, or the run-as user. With
    /// run-as, `_authenticate` names the realm of the user who signed in (as seen on 9.5.3), so only the username is
    /// compared.
    pub fn is_user(&self, username: &str, realm: &str) -> bool {
        let acts_for_another = self.client.endpoint().run_as.is_some();
        username == self.identity.username && (acts_for_another || realm == self.identity.realm)
    }

    /// `true` if a key belongs to the user that requests are made as. Only the owner can update a key, not even a
    /// superuser can (as seen on 9.5.3).
    pub fn owns(&self, key: &ApiKey) -> bool {
        self.is_user(&key.owner.username, &key.owner.realm)
    }

    /// `true` if the cluster supports a feature.
    pub fn has(&self, feature: Feature) -> bool {
        self.edition.has(feature)
    }

    /// `true` if any certificate would be accepted, or if the connection is not encrypted.
    pub fn is_insecure(&self) -> bool {
        let endpoint = self.client.endpoint();
        endpoint.trust == Trust::InsecureDev || !endpoint.is_https()
    }
}
