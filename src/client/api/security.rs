//! Identity and privileges of the user, and the cluster's roles and privileges.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use crate::{
    client::{call::Call, connection::Client, error::ClientError},
    model::{
        api_key::KeyId,
        connections::login::Login,
        identity::{Identity, Privileges},
        privileges::role::Role,
        version::{Edition, Version},
    },
};

/// Identity and version of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ClusterInfo {
    /// Name of the cluster.
    pub name: String,
    /// UUID, which tells clusters of the same name apart.
    pub uuid: String,
    /// Name of the node that answered.
    pub node: String,
    /// Edition of Elasticsearch.
    pub edition: Edition,
    /// The version number as the cluster writes it.
    pub version: String,
}

/// Privileges that are built into a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize)]
pub struct BuiltinPrivileges {
    /// Names of the cluster privileges.
    pub cluster: Vec<String>,
    /// Names of the index privileges.
    pub index: Vec<String>,
}

#[derive(Deserialize)]
struct WireInfo {
    name: Option<String>,
    cluster_name: Option<String>,
    cluster_uuid: Option<String>,
    version: WireVersion,
    tagline: Option<String>,
}

#[derive(Deserialize)]
struct WireVersion {
    number: String,
    build_flavor: Option<String>,
    distribution: Option<String>,
}

/// Type of the realm of keys of Elastic Cloud.
const CLOUD_REALM: &str = "_cloud_api_key";

#[derive(Deserialize)]
struct WireIdentity {
    username: String,
    #[serde(default)]
    roles: Vec<String>,
    authentication_realm: Option<WireRealm>,
    authentication_type: Option<String>,
    api_key: Option<WireKeyName>,
}

#[derive(Deserialize, Default)]
struct WireRealm {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct WireKeyName {
    id: String,
    name: Option<String>,
    managed_by: Option<String>,
}

#[derive(Deserialize)]
struct WirePrivileges {
    cluster: BTreeMap<String, bool>,
    #[serde(default)]
    index: BTreeMap<String, BTreeMap<String, bool>>,
}

#[derive(Deserialize, Default)]
struct WireRole {
    #[serde(default)]
    metadata: WireRoleMetadata,
}

#[derive(Deserialize, Default)]
struct WireRoleMetadata {
    #[serde(default)]
    _reserved: bool,
}

impl Client {
    /// Asks which cluster this is (`GET /`, needs the privilege `monitor`).
    ///
    /// # Errors
    /// [`ClientError::NotElasticsearch`] if something else answers, and any error of a request.
    pub async fn info(&self) -> Result<ClusterInfo, ClientError> {
        let answer = self.send(Call::new(Method::GET, &[])).await?.success()?;
        let info: WireInfo = answer.parse()?;
        let version = Version::parse(&info.version.number);
        // The header came with 7.14, and others claim to be older than that.
        let is_old = version.is_some_and(|version| version < Version::new(7, 14, 0));
        let says_so = info.tagline.as_deref() == Some("You Know, for Search") && info.version.distribution.is_none();
        if !(answer.is_elasticsearch || is_old && says_so) {
            return Err(answer.not_elasticsearch());
        }
        self.recognize_elasticsearch();
        let edition = match (info.version.build_flavor.as_deref(), version) {
            (Some("serverless"), _) => Edition::Serverless,
            (_, Some(version)) => Edition::Version(version),
            (_, None) => Edition::Unknown,
        };
        Ok(ClusterInfo {
            name: info.cluster_name.unwrap_or_default(),
            uuid: info.cluster_uuid.unwrap_or_default(),
            node: info.name.unwrap_or_default(),
            edition,
            version: info.version.number,
        })
    }

    /// Asks for the identity of the signed-in user.
    ///
    /// # Errors
    /// [`ClientError::Unauthenticated`], and any error of a request.
    pub async fn authenticate(&self) -> Result<Identity, ClientError> {
        let answer = self.send(Call::new(Method::GET, &["_security", "_authenticate"])).await?.success()?;
        let wire: WireIdentity = answer.parse()?;
        let realm = wire.authentication_realm.unwrap_or_default();
        let is_cloud_key = realm.kind == CLOUD_REALM
            || wire.api_key.as_ref().and_then(|key| key.managed_by.as_deref()) == Some("cloud");
        let by_key = wire.api_key.is_some() || is_cloud_key || realm.kind == "_es_api_key";
        let told = wire.authentication_type.filter(|told| !told.is_empty());
        // 7.10 does not say which key it was; but it can only be the one that signs in.
        let own = match &self.endpoint().login {
            Login::ApiKey { id, .. } if by_key => Some((KeyId::new(id.as_str()), String::new())),
            _ => None,
        };
        Ok(Identity {
            username: wire.username,
            realm: realm.name,
            realm_type: realm.kind,
            authentication_type: told.unwrap_or_else(|| if by_key { "api_key" } else { "realm" }.to_owned()),
            roles: wire.roles,
            is_cloud_key,
            api_key: wire.api_key.map(|key| (KeyId::new(key.id), key.name.unwrap_or_default())).or(own),
        })
    }

    /// Asks which of these cluster privileges the user has. A name that the version doesn't know makes the whole
    /// request fail.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn has_cluster_privileges(&self, names: &[&str]) -> Result<Privileges, ClientError> {
        let answer = self.has_privileges(json!({ "cluster": names })).await?;
        Ok(Privileges::new(answer.cluster))
    }

    /// Asks for privileges on indices: names or patterns, and the privileges wanted on them. The answer has one entry
    /// for each name.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn has_index_privileges(
        &self,
        asked: &[(Vec<String>, Vec<String>)],
    ) -> Result<BTreeMap<String, BTreeMap<String, bool>>, ClientError> {
        let asked: Vec<_> =
            asked.iter().map(|(names, privileges)| json!({ "names": names, "privileges": privileges })).collect();
        Ok(self.has_privileges(json!({ "index": asked })).await?.index)
    }

    async fn has_privileges(&self, asked: serde_json::Value) -> Result<WirePrivileges, ClientError> {
        let call = Call::new(Method::POST, &["_security", "user", "_has_privileges"]).body(asked.to_string());
        self.send(call).await?.success()?.parse()
    }

    /// Returns all roles of the cluster, sorted by name, with their descriptors as they came.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn roles(&self) -> Result<Vec<Role>, ClientError> {
        let answer = self.send(Call::new(Method::GET, &["_security", "role"])).await?.success()?;
        Ok(roles(answer.parse()?))
    }

    /// Returns those of these roles that exist, sorted by name; the others are absent.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn roles_named(&self, names: &[&str]) -> Result<Vec<Role>, ClientError> {
        let names: Vec<&str> = names.iter().copied().filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        // In the path a comma separates names, and a name of dots is no segment: ask for all then.
        let listed = names.join(",");
        let speakable = names.iter().all(|name| !name.contains(',') && !matches!(*name, "." | ".."));
        let segments = ["_security", "role", &listed];
        let segments = if speakable && listed.len() < 2000 { &segments[..] } else { &segments[..2] };
        let answer = self.send(Call::new(Method::GET, segments)).await?;
        if answer.status == 404 && answer.parse::<BTreeMap<String, Box<RawValue>>>().is_ok_and(|map| map.is_empty()) {
            return Ok(Vec::new());
        }
        let mut found = roles(answer.success()?.parse()?);
        found.retain(|role| names.contains(&role.name.as_str()));
        Ok(found)
    }

    /// Returns the names of the built-in privileges of this version, which can be given to its keys.
    ///
    /// # Errors
    /// Any error of a request.
    pub async fn builtin_privileges(&self) -> Result<BuiltinPrivileges, ClientError> {
        self.send(Call::new(Method::GET, &["_security", "privilege", "_builtin"])).await?.success()?.parse()
    }
}

fn roles(map: BTreeMap<String, Box<RawValue>>) -> Vec<Role> {
    let role = |(name, descriptor): (String, Box<RawValue>)| {
        let wire: WireRole = serde_json::from_str(descriptor.get()).unwrap_or_default();
        Role { name, reserved: wire.metadata._reserved, descriptor }
    };
    map.into_iter().map(role).collect()
}
