//! Versions of Elasticsearch, and the features of each.

/// Version number; suffixes such as `-SNAPSHOT` don't count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Major number: 9 in 9.5.3.
    pub major: u16,
    /// Minor number: 5 in 9.5.3.
    pub minor: u16,
    /// Patch number: 3 in 9.5.3.
    pub patch: u16,
}

impl Version {
    /// Builds a version from its three numbers.
    pub const fn new(major: u16, minor: u16, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// Reads `9.5.3` or `9.5.3-SNAPSHOT`; a missing patch number counts as 0.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.split(['-', '+']).next()?;
        let mut parts = number.split('.').map(|part| part.parse().ok());
        Some(Self { major: parts.next()??, minor: parts.next()??, patch: parts.next().flatten().unwrap_or(0) })
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Feature that not every version has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// Privilege `read_pipeline`; 7.10 silently accepts unknown privileges, then refuses every request of such a key.
    ReadPipeline,
    /// Metadata on keys.
    Metadata,
    /// Queries of keys: `POST /_security/_query/api_key`.
    Query,
    /// Cross-cluster keys and the field `type`.
    CrossCluster,
    /// Owner's snapshot in answers: `with_limited_by`.
    LimitedBy,
    /// Privilege `read_security`.
    ReadSecurity,
    /// Restriction to a workflow.
    Restriction,
    /// Time of invalidation, returned and available for sorting.
    InvalidationTime,
    /// Aggregations in the query of keys.
    Aggregations,
    /// Updates of a key (`PUT /_security/api_key/ID`).
    Update,
    /// Updates of many keys by one request.
    BulkUpdate,
    /// New expiration for an existing key.
    UpdateExpiration,
    /// Clones of keys and the privilege `clone_api_key`.
    Clone,
    /// Keys made for other users, and the privilege `grant_api_key`.
    Grant,
    /// Field `certificate_identity` of cross-cluster keys.
    CertificateIdentity,
}

impl Feature {
    /// Returns the first version with the feature, according to the release notes and the specification.
    pub const fn since(self) -> Version {
        match self {
            Self::ReadPipeline => Version::new(7, 11, 0),
            Self::Metadata => Version::new(7, 13, 0),
            Self::Query => Version::new(7, 15, 0),
            Self::LimitedBy => Version::new(8, 5, 0),
            Self::ReadSecurity => Version::new(8, 5, 0),
            Self::Restriction => Version::new(8, 9, 0),
            Self::CrossCluster => Version::new(8, 10, 0),
            Self::InvalidationTime => Version::new(8, 12, 0),
            Self::Aggregations => Version::new(8, 14, 0),
            Self::Update => Version::new(8, 4, 0),
            Self::BulkUpdate => Version::new(8, 5, 0),
            Self::UpdateExpiration => Version::new(8, 13, 0),
            Self::Clone => Version::new(9, 4, 0),
            Self::Grant => Version::new(7, 9, 0),
            Self::CertificateIdentity => Version::new(9, 3, 0),
        }
    }

    /// Returns the name of the feature, as the subject of a sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ReadPipeline => "the privilege read_pipeline",
            Self::Metadata => "metadata on API keys",
            Self::Query => "queries of API keys",
            Self::LimitedBy => "the snapshot of the owner's privileges",
            Self::ReadSecurity => "the privilege read_security",
            Self::Restriction => "restriction to a workflow",
            Self::CrossCluster => "cross-cluster API keys",
            Self::InvalidationTime => "the time of invalidation",
            Self::Aggregations => "aggregations of API keys",
            Self::Update => "updates of API keys",
            Self::BulkUpdate => "updates of many API keys at once",
            Self::UpdateExpiration => "a new expiration for an API key",
            Self::Clone => "cloning of API keys",
            Self::Grant => "API keys for other users",
            Self::CertificateIdentity => "certificate identities of cross-cluster API keys",
        }
    }
}

/// Edition of the cluster: a version, serverless, or not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Edition {
    /// Version that the cluster reported.
    Version(Version),
    /// Elastic's serverless offering, always at the newest.
    Serverless,
    /// Cluster that reported no version and has no queries of API keys, so it is older than 7.15. Features later than
    /// 7.10 count as missing.
    Old,
    /// Cluster that reported no version (no `monitor` privilege); every feature is tried.
    #[default]
    Unknown,
}

impl Edition {
    /// Version that [`Edition::Old`] counts as.
    const OLD: Version = Version::new(7, 10, 0);

    /// `true` if the cluster has a feature; an unknown or serverless edition counts as having all.
    pub fn has(self, feature: Feature) -> bool {
        match self {
            Self::Version(version) => version >= feature.since(),
            Self::Old => feature.since() <= Self::OLD,
            Self::Serverless | Self::Unknown => true,
        }
    }
}

impl std::fmt::Display for Edition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(version) => version.fmt(f),
            Self::Serverless => f.write_str("serverless"),
            Self::Old => f.write_str("older than 7.15"),
            Self::Unknown => f.write_str("version not known"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared() {
        assert_eq!(Version::parse("9.5.3"), Some(Version::new(9, 5, 3)));
        assert_eq!(Version::parse("8.19.21-SNAPSHOT"), Some(Version::new(8, 19, 21)));
        for odd in ["", "nine", "9", "9.x", "99999999.1.1"] {
            assert_eq!(Version::parse(odd), None, "{odd}");
        }
        assert!(Version::new(7, 9, 0) < Version::new(7, 10, 2));
    }

    #[test]
    fn an_edition_is_shown_as_its_version_or_as_what_is_known_of_it() {
        let shown = [Edition::Version(Version::new(9, 5, 3)), Edition::Serverless, Edition::Old, Edition::Unknown];
        let texts = ["9.5.3", "serverless", "older than 7.15", "version not known"];
        assert_eq!(shown.map(|edition| edition.to_string()), texts);
    }

    #[test]
    fn an_old_version_lacks_what_came_later() {
        let old = Edition::Version(Version::new(7, 10, 2));
        assert!(!old.has(Feature::Query) && !old.has(Feature::Metadata));
        assert!(Edition::Version(Version::new(9, 5, 3)).has(Feature::Clone));
        assert!(Edition::Unknown.has(Feature::Query) && !Edition::Old.has(Feature::Metadata));
        assert!(Edition::Old.has(Feature::Grant) && !Edition::Old.has(Feature::Clone));
    }
}
