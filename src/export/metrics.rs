//! Counts of keys by status and expiration, and their text for Prometheus (exposition format 0.0.4).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use super::rows::{Row, writable};
use crate::model::{
    TimeDelta, Timestamp,
    time::status::{Status, StatusGroup},
};

/// Time spans within which keys are counted as expiring, shortest first: name and length.
pub const WITHIN: [(&str, TimeDelta); 4] = [
    ("1d", TimeDelta::DAY),
    ("7d", TimeDelta::from_days(7)),
    ("30d", TimeDelta::from_days(30)),
    ("90d", TimeDelta::from_days(90)),
];

/// Counts of the keys of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    by_status: [u64; Status::ALL.len()],
    not_known: u64,
    within: [u64; WITHIN.len()],
    next_expiry: Option<Timestamp>,
}

impl Tally {
    /// Adds a key to the counts, by its expiration and by whether it is invalidated, as of `now`.
    pub fn add(&mut self, expires: Option<Timestamp>, invalidated: bool, now: Timestamp) {
        let status = Status::of(expires, invalidated, now);
        self.by_status[status as usize] += 1;
        let Some(at) = expires.filter(|_| status.is_usable()) else { return };
        for (count, (_, span)) in self.within.iter_mut().zip(WITHIN) {
            *count += u64::from(at - now <= span);
        }
        self.next_expiry = Some(self.next_expiry.map_or(at, |next| next.min(at)));
    }

    /// Adds a key whose status could not be read.
    pub fn add_not_known(&mut self) {
        self.not_known += 1;
    }

    /// Returns the number of keys with a status.
    pub fn of_status(&self, status: Status) -> u64 {
        self.by_status[status as usize]
    }

    /// Returns the number of keys in a group; the groups overlap.
    pub fn in_group(&self, group: StatusGroup) -> u64 {
        Status::ALL.into_iter().filter(|status| group.has(*status)).map(|status| self.of_status(status)).sum()
    }

    /// Returns the number of keys that expire within each of [`WITHIN`]; a longer span includes the shorter ones.
    pub fn expiring(&self) -> [u64; WITHIN.len()] {
        self.within
    }

    /// Returns the next expiration of a key that is still usable; `None` if no such key expires.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.next_expiry
    }

    /// Returns the number of all keys, those of unknown status included.
    pub fn total(&self) -> u64 {
        self.by_status.iter().sum::<u64>() + self.not_known
    }
}

/// Labels that identify a cluster in its samples.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Labels {
    /// Name that the user gave the cluster, its own name, or its address.
    pub cluster: String,
    /// UUID of the cluster, which tells clusters of the same name apart; empty where it may not be read.
    pub uuid: String,
}

impl Labels {
    fn pairs(&self) -> [(&'static str, &str); 2] {
        [("cluster", &self.cluster), ("cluster_uuid", &self.uuid)]
    }
}

/// Counts of the keys of several clusters at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    now: Timestamp,
    clusters: BTreeMap<Labels, (Tally, bool)>,
}

impl Counts {
    /// Counts without keys and clusters.
    pub fn new(now: Timestamp) -> Self {
        Self { now, clusters: BTreeMap::new() }
    }

    /// Adds a cluster, which is reported even if it has no keys. `own_keys_only`: keys of other owners were not
    /// visible.
    pub fn add_cluster(&mut self, labels: Labels, tally: Tally, own_keys_only: bool) {
        self.clusters.insert(labels, (tally, own_keys_only));
    }

    /// Returns the moment at which the keys were counted.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns the clusters, sorted by name and UUID.
    pub fn clusters(&self) -> impl Iterator<Item = (&Labels, &Tally)> {
        self.clusters.iter().map(|(labels, (tally, _))| (labels, tally))
    }
}

/// Status groups of which each key belongs to exactly one.
const KINDS: [StatusGroup; 3] = [StatusGroup::Valid, StatusGroup::Expired, StatusGroup::Invalidated];
/// Status groups of valid keys by expiration; those within 30 days include those within 7.
const ENDS: [StatusGroup; 4] =
    [StatusGroup::Within7Days, StatusGroup::Within30Days, StatusGroup::Later, StatusGroup::Never];

/// Writes the counts, all of them as gauges.
///
/// # Errors
/// Returns the errors of `out`.
pub fn write(mut out: impl Write, counts: &Counts) -> io::Result<()> {
    let mut text = String::new();
    let samples = |text: &mut String, name: &str, more: Option<(&str, &str)>, of: &dyn Fn(&Tally, bool) -> f64| {
        for (labels, (tally, own)) in &counts.clusters {
            sample(text, name, labels.pairs().into_iter().chain(more), of(tally, *own));
        }
    };
    let name = "keybearer_api_keys";
    head(&mut text, name, "API keys by status; not_known are those whose status could not be read.");
    for group in KINDS {
        samples(&mut text, name, Some(("status", group.word())), &|tally, _| tally.in_group(group) as f64);
    }
    samples(&mut text, name, Some(("status", "not_known")), &|tally, _| tally.not_known as f64);
    let name = "keybearer_api_keys_valid";
    head(&mut text, name, "Valid API keys by when they expire; within-30d includes within-7d.");
    for group in ENDS {
        samples(&mut text, name, Some(("expires", group.word())), &|tally, _| tally.in_group(group) as f64);
    }
    let name = "keybearer_api_keys_expiring";
    head(&mut text, name, "Valid API keys that expire within a time; the longer include the shorter.");
    for (at, (within, _)) in WITHIN.into_iter().enumerate() {
        samples(&mut text, name, Some(("within", within)), &|tally, _| tally.expiring()[at] as f64);
    }
    let name = "keybearer_next_expiry_seconds";
    head(&mut text, name, "Seconds until the next API key expires; absent if none is going to.");
    for (labels, tally) in counts.clusters() {
        if let Some(at) = tally.next_expiry() {
            sample(&mut text, name, labels.pairs(), seconds((at - counts.now).as_millis()));
        }
    }
    let name = "keybearer_own_keys_only";
    head(&mut text, name, "1 if only the API keys of the user who asked could be seen and counted, otherwise 0.");
    samples(&mut text, name, None, &|_, own| f64::from(u8::from(own)));
    let name = "keybearer_read_timestamp_seconds";
    head(&mut text, name, "When the API keys were read, in seconds since 1970.");
    samples(&mut text, name, None, &|_, _| seconds(counts.now.as_millis()));
    out.write_all(text.as_bytes())
}

/// Writes the expiration of every key that has one and is not invalidated, even if it has passed.
///
/// # Errors
/// Returns the errors of `out`.
pub fn write_each<'a>(mut out: impl Write, labels: &Labels, rows: impl IntoIterator<Item = Row<'a>>) -> io::Result<()> {
    let name = "keybearer_api_key_expiry_timestamp_seconds";
    let mut text = String::new();
    head(&mut text, name, "When an API key expires or has expired, in seconds since 1970.");
    for row in rows {
        let key = &row.key;
        let Some(at) = key.expires.filter(|_| !key.invalidated) else { continue };
        let own = [
            ("id", key.id.as_str()),
            ("name", &key.name),
            ("application_id", key.application_id().unwrap_or_default()),
            ("owner", &key.owner.username),
        ];
        sample(&mut text, name, labels.pairs().into_iter().chain(own), seconds(at.as_millis()));
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    out.write_all(text.as_bytes())
}

fn head(text: &mut String, name: &str, help: &str) {
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
}

fn sample<'a>(text: &mut String, name: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>, value: f64) {
    text.push_str(name);
    for (row, (label, value)) in labels.into_iter().enumerate() {
        text.push(if row == 0 { '{' } else { ',' });
        let value = writable(value).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{label}=\"{value}\"");
    }
    let _ = writeln!(text, "}} {value}");
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::{export::fixture::*, model::api_key::ApiKey};

    fn keys() -> Vec<ApiKey> {
        let ends = [
            None,
            Some(NOW),
            Some(NOW + TimeDelta::from_millis(1500)),
            Some(NOW + 7 * TimeDelta::DAY),
            Some(NOW + 30 * TimeDelta::DAY),
            Some(NOW + 91 * TimeDelta::DAY),
        ];
        let mut keys = ends.map(|end| key("id", "name", end)).to_vec();
        keys.push(ApiKey { invalidated: true, ..key("gone", "gone", Some(NOW + TimeDelta::DAY)) });
        keys
    }

    fn labels(cluster: &str, uuid: &str) -> Labels {
        Labels { cluster: cluster.into(), uuid: uuid.into() }
    }

    fn tally(keys: &[ApiKey], now: Timestamp) -> Tally {
        let mut tally = Tally::default();
        keys.iter().for_each(|key| tally.add(key.expires, key.invalidated, now));
        tally
    }

    /// Two clusters of the same name are told apart by their UUID.
    #[test]
    fn the_text_of_the_counts_is_as_prometheus_reads_it() {
        let mut counts = Counts::new(NOW);
        let mut tally = tally(&keys(), NOW);
        tally.add_not_known();
        counts.add_cluster(labels("Prod", "u-2"), tally, true);
        counts.add_cluster(labels("Prod", "u-1"), Tally::default(), false);
        let mut out = Vec::new();
        write(&mut out, &counts).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), GOLDEN);
    }

    const GOLDEN: &str = r#"# HELP keybearer_api_keys API keys by status; not_known are those whose status could not be read.
# TYPE keybearer_api_keys gauge
keybearer_api_keys{cluster="Prod",cluster_uuid="u-1",status="valid"} 0
keybearer_api_keys{cluster="Prod",cluster_uuid="u-2",status="valid"} 5
keybearer_api_keys{cluster="Prod",cluster_uuid="u-1",status="expired"} 0
keybearer_api_keys{cluster="Prod",cluster_uuid="u-2",status="expired"} 1
keybearer_api_keys{cluster="Prod",cluster_uuid="u-1",status="invalidated"} 0
keybearer_api_keys{cluster="Prod",cluster_uuid="u-2",status="invalidated"} 1
keybearer_api_keys{cluster="Prod",cluster_uuid="u-1",status="not_known"} 0
keybearer_api_keys{cluster="Prod",cluster_uuid="u-2",status="not_known"} 1
# HELP keybearer_api_keys_valid Valid API keys by when they expire; within-30d includes within-7d.
# TYPE keybearer_api_keys_valid gauge
keybearer_api_keys_valid{cluster="Prod",cluster_uuid="u-1",expires="within-7d"} 0
keybearer_api_keys_valid{cluster="Prod",cluster_uuid="u-2",expires="within-7d"} 2
keybearer_api_keys_valid{cluster="Prod",cluster_uuid="u-1",expires="within-30d"} 0
keybearer_api_keys_valid{cluster="Prod",cluster_uuid="u-2",expires="within-30d"} 3
keybearer_api_keys_valid{cluster="Prod",cluster_uuid="u-1",expires="later"} 0
keybearer_api_keys_valid{cluster="Prod",cluster_uuid="u-2",expires="later"} 1
keybearer_api_keys_valid{cluster="Prod",cluster_uuid="u-1",expires="never"} 0
keybearer_api_keys_valid{cluster="Prod",cluster_uuid="u-2",expires="never"} 1
# HELP keybearer_api_keys_expiring Valid API keys that expire within a time; the longer include the shorter.
# TYPE keybearer_api_keys_expiring gauge
keybearer_api_keys_expiring{cluster="Prod",cluster_uuid="u-1",within="1d"} 0
keybearer_api_keys_expiring{cluster="Prod",cluster_uuid="u-2",within="1d"} 1
keybearer_api_keys_expiring{cluster="Prod",cluster_uuid="u-1",within="7d"} 0
keybearer_api_keys_expiring{cluster="Prod",cluster_uuid="u-2",within="7d"} 2
keybearer_api_keys_expiring{cluster="Prod",cluster_uuid="u-1",within="30d"} 0
keybearer_api_keys_expiring{cluster="Prod",cluster_uuid="u-2",within="30d"} 3
keybearer_api_keys_expiring{cluster="Prod",cluster_uuid="u-1",within="90d"} 0
keybearer_api_keys_expiring{cluster="Prod",cluster_uuid="u-2",within="90d"} 3
# HELP keybearer_next_expiry_seconds Seconds until the next API key expires; absent if none is going to.
# TYPE keybearer_next_expiry_seconds gauge
keybearer_next_expiry_seconds{cluster="Prod",cluster_uuid="u-2"} 1.5
# HELP keybearer_own_keys_only 1 if only the API keys of the user who asked could be seen and counted, otherwise 0.
# TYPE keybearer_own_keys_only gauge
keybearer_own_keys_only{cluster="Prod",cluster_uuid="u-1"} 0
keybearer_own_keys_only{cluster="Prod",cluster_uuid="u-2"} 1
# HELP keybearer_read_timestamp_seconds When the API keys were read, in seconds since 1970.
# TYPE keybearer_read_timestamp_seconds gauge
keybearer_read_timestamp_seconds{cluster="Prod",cluster_uuid="u-1"} 1795521600
keybearer_read_timestamp_seconds{cluster="Prod",cluster_uuid="u-2"} 1795521600
"#;

    #[test]
    fn a_key_is_one_line_whatever_its_name() {
        let mut keys = keys();
        keys.push(key("VuaC", "a\\b \"c\"\nd\0\r🔑", Some(NOW + TimeDelta::MILLISECOND)));
        let mut out = Vec::new();
        write_each(&mut out, &labels("Prod", "u-1"), rows(&keys)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 2 + 6);
        let (name, labels) = text.lines().last().unwrap().split_once('{').unwrap();
        assert_eq!(name, "keybearer_api_key_expiry_timestamp_seconds");
        let rest = r#",application_id="app",owner="ann"} 1795521600.001"#;
        let name = r#"cluster="Prod",cluster_uuid="u-1",id="VuaC",name="a\\b \"c\"\nd‹U+0000›‹U+000D›🔑""#;
        assert_eq!(labels, format!("{name}{rest}"));
    }

    #[test]
    fn statuses_add_up_at_any_time() {
        let keys = hostile();
        for now in [Timestamp::MIN, Timestamp::from_millis(-1), Timestamp::EPOCH, NOW, Timestamp::MAX] {
            let rows = keys.iter().map(|key| Row { cluster: "a\"\n", key: Cow::Borrowed(key) });
            let tally = tally(&keys, now);
            assert_eq!(tally.total(), keys.len() as u64);
            assert_eq!(KINDS.map(|group| tally.in_group(group)).iter().sum::<u64>(), keys.len() as u64);
            assert!(tally.expiring().is_sorted() && tally.next_expiry().is_none_or(|at| at > now));
            let mut counts = Counts::new(now);
            counts.add_cluster(labels("a\"\n", ""), tally, false);
            write(io::sink(), &counts).unwrap();
            write_each(io::sink(), &labels("a\"\n", ""), rows).unwrap();
        }
    }

    #[test]
    fn every_status_has_its_own_count() {
        assert!(Status::ALL.into_iter().enumerate().all(|(place, status)| status as usize == place));
    }
}
