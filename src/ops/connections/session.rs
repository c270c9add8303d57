//! A cluster that one is signed in to, with what was learned when connecting.

use crate::{
    client::{Client, SeenCertificate},
    model::{
        Millis,
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
    /// Speaks to the cluster.
    pub client: Client,
    /// Who one is.
    pub identity: Identity,
    /// What one may do, as far as it was told.
    pub privileges: Privileges,
    /// Which Elasticsearch it is.
    pub edition: Edition,
    /// The name that the cluster gives itself; `None` where one may not ask.
    pub cluster_name: Option<String>,
    /// The uuid of the cluster, as it was told at sign-in; `None` without the privilege `monitor`.
    pub cluster_uuid: Option<String>,
    /// The certificate the line is encrypted with.
    pub certificate: Option<SeenCertificate>,
    /// Where what is done to its keys is written down.
    pub journal: Journal,
    /// Where secrets of its keys may be kept; `None` where no keyring is asked.
    pub keyring: Option<KeptSecrets>,
    /// Stops waiting for answers that are lost to whoever asked.
    pub interrupt: Interrupt,
}

impl Session {
    /// The same, writing down what is done to keys.
    pub fn with_journal(self, journal: Journal) -> Self {
        Self { journal, ..self }
    }

    /// The same, forgetting kept secrets of keys that it invalidates.
    pub fn with_keyring(self, keyring: KeptSecrets) -> Self {
        Self { keyring: Some(keyring), ..self }
    }

    /// Session that changes keys of this cluster only: every change compares the cluster that answers with it. A plan is
    /// carried out so, because the same address may have become another cluster's since its keys were read. Where the
    /// plan's cluster did not tell its uuid, the one of sign-in stays.
    pub fn on_cluster(&self, planned_on: &ClusterRef) -> Self {
        let mut session = self.clone();
        if planned_on.uuid.is_some() {
            session.cluster_uuid.clone_from(&planned_on.uuid);
            session.cluster_name.clone_from(&planned_on.name);
        }
        session
    }

    /// The cluster as it named itself at sign-in. See [`super::cluster_identity`] for which one answers now.
    pub fn cluster(&self) -> ClusterRef {
        let url = self.client.endpoint().url.to_string();
        ClusterRef { uuid: self.cluster_uuid.clone(), name: self.cluster_name.clone(), url }
    }

    /// The cluster's now: this machine's clock and the skew that was measured. Expiry is judged by it.
    pub fn now(&self) -> Millis {
        clock::now().saturating_add(self.skew())
    }

    /// How far the cluster's clock is ahead, in milliseconds. The header `Date` has whole seconds and
    /// travels for a while, so that less than two seconds say nothing and count as none.
    pub fn skew(&self) -> Millis {
        self.client.clock_skew().filter(|skew| skew.saturating_abs() >= 2000).unwrap_or(0)
    }

    /// What to say about clocks that can't be reconciled: nothing where the answers are dated plausibly or not at all.
    pub fn clock_words(&self) -> Option<String> {
        let date = self.client.doubtful_date()?;
        let counted = match self.client.own_skew() {
            Some(own) if own.saturating_abs() < 2000 => {
                "the cluster itself goes by the same time as this machine".into()
            }
            Some(own) => format!("the cluster itself is {} this machine, which is counted by", clock::ahead(own)),
            None => "times are judged by this machine's clock".into(),
        };
        Some(format!(
            "The answers are dated {} this machine's clock by something before the cluster. That is not counted by: {counted}",
            clock::ahead(date)
        ))
    }

    /// Whether only one's own keys can be seen, so that requests must say so (before the query API).
    pub fn sees_own_only(&self) -> bool {
        !self.privileges.sees_all_keys() && self.privileges.sees_own_keys()
    }

    /// Whether requests to invalidate must be restricted to one's own keys (as seen on 9.5.3: 403
    /// without it for a user who only has `manage_own_api_key`).
    pub fn invalidates_own_only(&self) -> bool {
        !self.privileges.invalidates_all_keys()
    }

    /// The key that this session itself is signed in by.
    pub fn own_key(&self) -> Option<&KeyId> {
        self.identity.api_key.as_ref().map(|(id, _)| id)
    }

    /// `true` if this is the user that requests are made as: the one that is signed in, or acted for. Acting for
    /// another, the realm that `_authenticate` names is that of who signed in (as seen on 9.5.3), so that only the
    /// name is compared then.
    pub fn is_user(&self, username: &str, realm: &str) -> bool {
        let acts_for_another = self.client.endpoint().run_as.is_some();
        username == self.identity.username && (acts_for_another || realm == self.identity.realm)
    }

    /// `true` if a key belongs to the user that requests are made as. Only the owner can update a key, not even a
    /// superuser can (as seen on 9.5.3).
    pub fn owns(&self, key: &ApiKey) -> bool {
        self.is_user(&key.owner.username, &key.owner.realm)
    }

    /// Whether the cluster can do something.
    pub fn has(&self, feature: Feature) -> bool {
        self.edition.has(feature)
    }

    /// Whether any certificate would be believed.
    pub fn is_insecure(&self) -> bool {
        let endpoint = self.client.endpoint();
        endpoint.trust == Trust::InsecureDev || !endpoint.url.is_https()
    }
}
