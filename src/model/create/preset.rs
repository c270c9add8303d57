//! Presets: the fewest privileges for a purpose that the documentation of each product asks for. A preset produces
//! plain role descriptors; the cluster knows nothing of presets.

use serde_json::json;

use crate::model::{privileges::role, version::Feature};

/// Purpose that a key can be created for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Writing by Filebeat, Metricbeat and other Beats.
    BeatsWriter,
    /// Writing by Logstash.
    LogstashWriter,
    /// Reading by Grafana.
    GrafanaReader,
    /// Reading by dashboards.
    Dashboards,
    /// Adding documents to data streams by a program.
    DataStreams,
    /// Monitoring of the cluster's health.
    Monitoring,
}

/// Reason why a preset can't produce role descriptors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// Index patterns given to a preset without index privileges; holds its title.
    #[error("“{0}” is about the cluster and has no indices: remove the index patterns")]
    NoIndices(&'static str),
    /// Missing index patterns for a preset with index privileges; holds an example.
    #[error("Enter at least one index pattern, such as {0}")]
    NoPattern(&'static str),
    /// Pattern that no index name can match; holds the pattern and the reason.
    #[error("“{0}” is not an index pattern: {1}")]
    NotAPattern(String, &'static str),
}

impl Preset {
    /// All presets, in the order in which they are offered.
    pub const ALL: [Preset; 6] = [
        Self::BeatsWriter,
        Self::LogstashWriter,
        Self::GrafanaReader,
        Self::Dashboards,
        Self::DataStreams,
        Self::Monitoring,
    ];

    /// Returns the name used on the command line and for the role descriptor; it never changes.
    pub fn word(self) -> &'static str {
        match self {
            Self::BeatsWriter => "beats-writer",
            Self::LogstashWriter => "logstash-writer",
            Self::GrafanaReader => "grafana-reader",
            Self::Dashboards => "dashboards-reader",
            Self::DataStreams => "data-stream-writer",
            Self::Monitoring => "monitoring",
        }
    }

    /// Returns the name shown in the window.
    pub fn title(self) -> &'static str {
        match self {
            Self::BeatsWriter => "Beats writer",
            Self::LogstashWriter => "Logstash writer",
            Self::GrafanaReader => "Grafana reader",
            Self::Dashboards => "Read-only dashboards",
            Self::DataStreams => "Ingest by data stream",
            Self::Monitoring => "Monitoring",
        }
    }

    /// Returns a short description, a few words long.
    pub fn short(self) -> &'static str {
        match self {
            Self::BeatsWriter => "Adds to filebeat-*",
            Self::LogstashWriter => "Adds to logstash-*, sets up",
            Self::GrafanaReader => "Reads logs-*",
            Self::Dashboards => "Reads logs-* and metrics-*",
            Self::DataStreams => "Adds to logs-* and metrics-*",
            Self::Monitoring => "Sees health and statistics",
        }
    }

    /// Returns a description of the purpose, one line long.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::BeatsWriter => "A Beat adds events; its templates and policies are set up by someone else",
            Self::LogstashWriter => "Logstash adds events, and sets up its templates and indices",
            Self::GrafanaReader => "Grafana searches, and sees mappings and the cluster’s version",
            Self::Dashboards => "Searches and sees mappings; Kibana’s own privileges are not among them",
            Self::DataStreams => "Adds documents; data streams are set up by their templates",
            Self::Monitoring => "Sees the health and statistics of the cluster, but no documents",
        }
    }

    /// Returns the default index patterns; empty if the preset has no index privileges.
    pub fn patterns(self) -> &'static [&'static str] {
        match self {
            Self::BeatsWriter => &["filebeat-*"],
            Self::LogstashWriter => &["logstash-*"],
            Self::GrafanaReader => &["logs-*"],
            Self::Dashboards | Self::DataStreams => &["logs-*", "metrics-*"],
            Self::Monitoring => &[],
        }
    }

    /// Returns the feature that the cluster's version must have; `None` if any version will do.
    pub fn needs(self) -> Option<Feature> {
        (self == Self::BeatsWriter).then_some(Feature::ReadPipeline)
    }

    fn cluster(self) -> &'static [&'static str] {
        match self {
            Self::BeatsWriter => &["monitor", "read_ilm", "read_pipeline"],
            Self::LogstashWriter => &["monitor", "manage_index_templates"],
            Self::GrafanaReader | Self::Monitoring => &["monitor"],
            Self::Dashboards | Self::DataStreams => &[],
        }
    }

    fn index_privileges(self) -> &'static [&'static str] {
        match self {
            Self::BeatsWriter => &["view_index_metadata", "create_doc", "auto_configure"],
            Self::LogstashWriter => &["create", "create_index", "view_index_metadata", "auto_configure"],
            Self::GrafanaReader | Self::Dashboards => &["view_index_metadata", "read"],
            Self::DataStreams => &["auto_configure", "create_doc"],
            Self::Monitoring => &[],
        }
    }

    /// Returns the preset with this name or title, ignoring blanks around it; `None` if there is none.
    pub fn find(word: &str) -> Option<Self> {
        let wanted = word.trim();
        Self::ALL.into_iter().find(|preset| preset.word() == wanted || preset.title() == wanted)
    }

    /// Returns up to three preset names that are similar to an unknown one, the most similar first.
    pub fn nearest(word: &str) -> Vec<&'static str> {
        role::nearest(word, Self::ALL.into_iter().map(Self::word))
    }

    /// Returns the role descriptors as JSON: one, named after the preset. `patterns` are used in place of the default
    /// patterns.
    ///
    /// # Errors
    /// Fails if patterns are given for a preset without index privileges, if none are given for one with them, or if
    /// one is no index pattern.
    pub fn descriptors(self, patterns: &[String]) -> Result<String, PresetError> {
        let mut descriptor = serde_json::Map::new();
        if !self.cluster().is_empty() {
            descriptor.insert("cluster".into(), json!(self.cluster()));
        }
        match self.patterns() {
            [] if patterns.is_empty() => {}
            [] => return Err(PresetError::NoIndices(self.title())),
            [first, ..] if patterns.is_empty() => return Err(PresetError::NoPattern(first)),
            _ => {
                patterns.iter().try_for_each(|pattern| check_pattern(pattern))?;
                let indices = json!([{ "names": patterns, "privileges": self.index_privileges() }]);
                descriptor.insert("indices".into(), indices);
            }
        }
        Ok(json!({ self.word(): descriptor }).to_string())
    }
}

/// Splits a text into index patterns at commas and blanks.
pub fn split_patterns(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Refuses a pattern with characters that no index name can hold, which would match nothing. A `/…/` is a regular
/// expression and is left to the cluster.
fn check_pattern(pattern: &str) -> Result<(), PresetError> {
    let wrong = |why| Err(PresetError::NotAPattern(pattern.to_owned(), why));
    if pattern.is_empty() {
        return wrong("it is empty");
    }
    if pattern.starts_with('/') && pattern.ends_with('/') && pattern.len() > 1 {
        return Ok(());
    }
    if pattern.starts_with('-') {
        return wrong("a descriptor can't exclude anything: list what it includes");
    }
    if pattern.chars().any(|c| c.is_whitespace() || c.is_control() || "\"<>|,#:".contains(c)) {
        return wrong("index names can't contain spaces, commas or \" < > | # :");
    }
    if pattern.chars().any(char::is_uppercase) {
        return wrong("index names can't contain uppercase letters");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn made(preset: Preset, patterns: &[&str]) -> Result<Value, PresetError> {
        let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
        preset.descriptors(&patterns).map(|text| serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn a_preset_makes_one_descriptor_of_little_rights() {
        let beats = made(Preset::BeatsWriter, Preset::BeatsWriter.patterns()).unwrap();
        let expected = json!({ "beats-writer": {
            "cluster": ["monitor", "read_ilm", "read_pipeline"],
            "indices": [{ "names": ["filebeat-*"], "privileges": ["view_index_metadata", "create_doc", "auto_configure"] }],
        } });
        assert_eq!(beats, expected);
        assert_eq!(made(Preset::Monitoring, &[]).unwrap(), json!({ "monitoring": { "cluster": ["monitor"] } }));
        let streams = made(Preset::DataStreams, &["logs-app-*"]).unwrap();
        assert_eq!(streams["data-stream-writer"]["indices"][0]["names"], json!(["logs-app-*"]));
        assert!(streams["data-stream-writer"].get("cluster").is_none());
    }

    #[test]
    fn no_preset_is_without_rights_or_with_all() {
        for preset in Preset::ALL {
            let text = made(preset, preset.patterns()).unwrap().to_string();
            assert!(text.contains("cluster") || text.contains("privileges"), "{text}");
            assert!(!text.contains("\"all\"") && !text.contains("\"manage\"") && !text.contains("\"*\""), "{text}");
            assert_eq!(Preset::find(preset.word()), Some(preset));
            assert_eq!(Preset::find(preset.title()), Some(preset));
            assert!(!preset.meaning().is_empty());
            assert!(preset.patterns().iter().all(|pattern| preset.short().contains(pattern)), "{preset:?}");
        }
        assert_eq!(Preset::nearest("beats-writter"), ["beats-writer"]);
    }

    #[test]
    fn patterns_that_mean_nothing_are_refused() {
        assert_eq!(made(Preset::BeatsWriter, &[]), Err(PresetError::NoPattern("filebeat-*")));
        assert_eq!(made(Preset::Monitoring, &["a"]), Err(PresetError::NoIndices("Monitoring")));
        for wrong in ["", "a b", "a,b", "-logs", "Logs-*", "a\"b", "a#b", "remote:logs-*"] {
            assert!(matches!(made(Preset::GrafanaReader, &[wrong]), Err(PresetError::NotAPattern(..))), "{wrong}");
        }
        for right in ["logs-*", ".ds-logs-*", "/logs-[A-Z]+/", "журнал-*"] {
            assert!(made(Preset::GrafanaReader, &[right]).is_ok(), "{right}");
        }
        assert_eq!(split_patterns(" logs-*, metrics-*\n,x "), ["logs-*", "metrics-*", "x"]);
    }
}
