//! Rules of a computer, set by its administrator in a file that its users can't change: what a user can't unset. Both
//! the window and the command line obey them through the client and the use cases.

mod draft;
mod host_pattern;
mod parse;

use std::path::{Path, PathBuf};

use crate::model::{
    connections::{
        endpoint::{Endpoint, Trust},
        profile::{Environment, Profile},
        protection::Protection,
    },
    text::number,
};

pub use host_pattern::HostPattern;
pub use parse::{PolicyFault, parse};

/// Rules of a computer, as its file has them. A rule that the file doesn't have doesn't hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// `true` if no change is sent unless it is recorded in a journal first (`journal.required`).
    pub is_journal_required: bool,
    /// Folder of the journal; `None` leaves it to the user (`journal.path`).
    pub journal_folder: Option<PathBuf>,
    /// `true` if every server has to be verified: no connection without verification, and http only to this computer
    /// (`tls.verify_required`).
    pub is_verification_required: bool,
    /// `true` if production connections are always protected (`connections.production_protected`).
    pub is_production_protected: bool,
    /// Longest idle time before the window is locked, in minutes; `None` for no limit (`lock.max_idle`).
    pub max_idle: Option<u32>,
    /// Hosts that connections may lead to; `None` for any (`clusters.allowed`).
    pub allowed_hosts: Option<Vec<HostPattern>>,
    /// UUIDs of the clusters that may be used; `None` for any (`clusters.uuids`).
    pub allowed_uuids: Option<Vec<String>>,
}

/// State of the rules of this computer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MachinePolicy {
    /// There is no file, and so no rules.
    #[default]
    Absent,
    /// Rules that hold.
    Rules {
        /// File that they come from.
        file: PathBuf,
        /// The rules.
        rules: Rules,
    },
    /// A file that can't be used. Which rules it should have is not known, so that nothing is changed on any cluster.
    Unusable {
        /// File that can't be used.
        file: PathBuf,
        /// Reason, with its place in the file.
        fault: PolicyFault,
    },
}

/// Rule by its name in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// `journal.required`
    JournalRequired,
    /// `journal.path`
    JournalPath,
    /// `tls.verify_required`
    VerifyRequired,
    /// `connections.production_protected`
    ProductionProtected,
    /// `lock.max_idle`
    MaxIdle,
    /// `clusters.allowed`
    AllowedHosts,
    /// `clusters.uuids`
    AllowedUuids,
}

impl Rule {
    /// All rules, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::JournalRequired,
        Self::JournalPath,
        Self::VerifyRequired,
        Self::ProductionProtected,
        Self::MaxIdle,
        Self::AllowedHosts,
        Self::AllowedUuids,
    ];

    /// Returns the name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::JournalRequired => "journal.required",
            Self::JournalPath => "journal.path",
            Self::VerifyRequired => "tls.verify_required",
            Self::ProductionProtected => "connections.production_protected",
            Self::MaxIdle => "lock.max_idle",
            Self::AllowedHosts => "clusters.allowed",
            Self::AllowedUuids => "clusters.uuids",
        }
    }

    /// Returns the label on the screen.
    pub fn label(self) -> &'static str {
        match self {
            Self::JournalRequired => "Journal",
            Self::JournalPath => "Journal folder",
            Self::VerifyRequired => "Certificates",
            Self::ProductionProtected => "Production",
            Self::MaxIdle => "Idle time",
            Self::AllowedHosts => "Clusters",
            Self::AllowedUuids => "Cluster UUIDs",
        }
    }
}

impl Rules {
    /// Returns the value of a rule in words; `None` if it doesn't hold.
    pub fn words(&self, rule: Rule) -> Option<String> {
        let joined = |all: Vec<String>| all.join(", ");
        match rule {
            Rule::JournalRequired => self.is_journal_required.then(|| "required for each change".into()),
            Rule::JournalPath => self.journal_folder.as_ref().map(|folder| folder.display().to_string()),
            Rule::VerifyRequired => {
                self.is_verification_required.then(|| "always verified; http to this computer only".into())
            }
            Rule::ProductionProtected => self.is_production_protected.then(|| "always protected".into()),
            Rule::MaxIdle => self.max_idle.map(|minutes| format!("{} at most", minutes_words(minutes))),
            Rule::AllowedHosts => {
                self.allowed_hosts.as_ref().map(|hosts| joined(hosts.iter().map(ToString::to_string).collect()))
            }
            Rule::AllowedUuids => self.allowed_uuids.clone().map(joined),
        }
    }
}

/// Formats an idle time: “10 minutes”, “1 hour”.
pub fn minutes_words(minutes: u32) -> String {
    match (minutes / 60, minutes % 60) {
        (hours @ 1.., 0) => number::plural(u64::from(hours), "hour"),
        _ => number::plural(u64::from(minutes), "minute"),
    }
}

/// Refusal by the rules of this computer. `Display` says what is refused, and by which rule of which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Rule that refuses; `None` if the file can't be used.
    pub rule: Option<Rule>,
    /// Explanation: what is refused and why, as a sentence without its full stop.
    pub reason: String,
    /// File that the rule is in.
    pub file: PathBuf,
}

impl Violation {
    /// Returns `true` if changes are refused, and reading is not.
    pub fn is_of_changes(&self) -> bool {
        matches!(self.rule, None | Some(Rule::JournalRequired | Rule::JournalPath))
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let file = self.file.display();
        match self.rule {
            Some(rule) => write!(f, "{} (rule {} in {file})", self.reason, rule.name()),
            None => f.write_str(&self.reason),
        }
    }
}

impl std::error::Error for Violation {}

impl MachinePolicy {
    /// Returns the file that the rules come from; `None` if there is none.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Absent => None,
            Self::Rules { file, .. } | Self::Unusable { file, .. } => Some(file),
        }
    }

    /// Returns the rules that hold; `None` if there are none, or they are not known.
    pub fn rules(&self) -> Option<&Rules> {
        match self {
            Self::Rules { rules, .. } => Some(rules),
            Self::Absent | Self::Unusable { .. } => None,
        }
    }

    /// Returns the rules that hold, each with its value in words.
    pub fn lines(&self) -> Vec<(Rule, String)> {
        let of = |rules: &Rules| Rule::ALL.into_iter().filter_map(|rule| Some((rule, rules.words(rule)?))).collect();
        self.rules().map(of).unwrap_or_default()
    }

    fn refuse(&self, rule: Rule, reason: String) -> Result<(), Violation> {
        let file = self.file().unwrap_or(Path::new("")).to_owned();
        Err(Violation { rule: Some(rule), reason, file })
    }

    /// Checks that a connection may lead to this endpoint in this way. Nothing has to be sent for it.
    ///
    /// # Errors
    /// If its host is not allowed, or if its server would not be verified.
    pub fn check_endpoint(&self, endpoint: &Endpoint) -> Result<(), Violation> {
        let Some(rules) = self.rules() else { return Ok(()) };
        // One address that is not allowed is enough: a request may go to any of them.
        for url in endpoint.urls() {
            let host = url.host();
            if let Some(hosts) = &rules.allowed_hosts
                && !hosts.iter().any(|pattern| pattern.matches(url))
            {
                return self.refuse(Rule::AllowedHosts, format!("This computer allows no connection to {host}"));
            }
            if rules.is_verification_required && endpoint.trust == Trust::InsecureDev && url.is_https() {
                let reason = "This computer allows no connection without verifying the server’s certificate";
                return self.refuse(Rule::VerifyRequired, reason.into());
            }
            if rules.is_verification_required && !url.is_https() && !url.is_loopback() {
                let reason = format!("This computer allows http only to itself, and {host} is another host");
                return self.refuse(Rule::VerifyRequired, reason);
            }
        }
        Ok(())
    }

    /// Checks that a connection may be saved, and used as it is.
    ///
    /// # Errors
    /// As for [`Self::check_endpoint`], and for a production connection without protection.
    pub fn check_profile(&self, profile: &Profile) -> Result<(), Violation> {
        self.check_endpoint(&profile.endpoint)?;
        if profile.endpoint.protection < self.least_protection(profile.environment) {
            let reason = "This computer allows no production connection without protection against changes";
            return self.refuse(Rule::ProductionProtected, reason.into());
        }
        Ok(())
    }

    /// Returns the weakest protection that a connection to this environment may have.
    pub fn least_protection(&self, environment: Environment) -> Protection {
        let is_held = self.rules().is_some_and(|rules| rules.is_production_protected);
        if is_held { Protection::default_for(environment) } else { Protection::None }
    }

    /// Returns the connection as it is used: one that was saved with less protection before the rule was set has that of
    /// the rule.
    pub fn protected(&self, mut profile: Profile) -> Profile {
        let least = self.least_protection(profile.environment);
        profile.endpoint.protection = profile.endpoint.protection.max(least);
        profile
    }

    /// Checks the UUID that a cluster reported at sign-in; `None` if it reported none.
    ///
    /// # Errors
    /// If only certain clusters are allowed, and this is none of them or not known to be one.
    pub fn check_uuid(&self, uuid: Option<&str>) -> Result<(), Violation> {
        let Some(uuids) = self.rules().and_then(|rules| rules.allowed_uuids.as_ref()) else { return Ok(()) };
        match uuid {
            Some(uuid) if uuids.iter().any(|allowed| allowed == uuid) => Ok(()),
            Some(uuid) => {
                self.refuse(Rule::AllowedUuids, format!("This computer doesn’t allow the cluster with UUID {uuid}"))
            }
            None => self.refuse(
                Rule::AllowedUuids,
                "This computer allows only certain clusters, and which one this is is not known without the privilege \
                 monitor"
                    .into(),
            ),
        }
    }

    /// Checks that changes may be sent, which are recorded in the journal in this folder, or in none for this reason.
    ///
    /// # Errors
    /// If the file of the rules can't be used, or if it requires another journal. Nothing may be changed then.
    pub fn check_changes(&self, journal: Result<&Path, &str>) -> Result<(), Violation> {
        let rules = match self {
            Self::Absent => return Ok(()),
            Self::Rules { rules, .. } => rules,
            Self::Unusable { file, fault } => {
                let reason = format!(
                    "Nothing is changed, because the rules of this computer can’t be used: {}, {fault}",
                    file.display()
                );
                return Err(Violation { rule: None, reason, file: file.clone() });
            }
        };
        match (journal, &rules.journal_folder) {
            _ if !rules.is_journal_required => Ok(()),
            (Err(why), _) => {
                let reason = format!("This computer requires a journal of each change. {why}");
                self.refuse(Rule::JournalRequired, reason)
            }
            (Ok(folder), Some(required)) if folder != required => {
                let (folder, required) = (folder.display(), required.display());
                let reason = format!(
                    "This computer requires the journal in {required}, and KEYBEARER_JOURNAL is set to {folder}"
                );
                self.refuse(Rule::JournalPath, reason)
            }
            (Ok(_), _) => Ok(()),
        }
    }

    /// Returns the idle time after which the window is locked, in minutes, for the one that the user chose; `None` for
    /// never.
    pub fn lock_after(&self, chosen: Option<u32>) -> Option<u32> {
        let limit = self.rules().and_then(|rules| rules.max_idle);
        chosen.into_iter().chain(limit).min()
    }

    /// Returns `true` if the user may choose this idle time, in minutes; `None` is never.
    pub fn allows_idle(&self, minutes: Option<u32>) -> bool {
        self.lock_after(minutes) == minutes
    }
}

#[cfg(test)]
mod tests;
