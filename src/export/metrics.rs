//! Counts of keys by what is true of their ends, and the text in which Prometheus reads them
//! (exposition format 0.0.4).

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Write},
};

use super::{Row, writable};
use crate::model::{DAY, Millis, api_key::ApiKey, expiry::Status};

/// The media type of the text.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The times within which keys are counted as expiring, shortest first: name and milliseconds.
pub const WITHIN: [(&str, Millis); 4] = [("1d", DAY), ("7d", 7 * DAY), ("30d", 30 * DAY), ("90d", 90 * DAY)];

/// The keys of one cluster, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    by_status: [u64; Status::ALL.len()],
    within: [u64; WITHIN.len()],
    next_expiry: Option<Millis>,
}

impl Tally {
    /// Counts a key in by its end and by whether it was invalidated, as it is at a moment.
    pub fn add(&mut self, expires: Option<Millis>, invalidated: bool, now: Millis) {
        let status = Status::of(expires, invalidated, now);
        self.by_status[status as usize] += 1;
        let Some(at) = expires.filter(|_| status.is_usable()) else { return };
        for (count, (_, span)) in self.within.iter_mut().zip(WITHIN) {
            *count += u64::from(at.saturating_sub(now) <= span);
        }
        self.next_expiry = Some(self.next_expiry.map_or(at, |next| next.min(at)));
    }

    /// How many keys have a status.
    pub fn of_status(&self, status: Status) -> u64 {
        self.by_status[status as usize]
    }

    /// How many keys are going to expire within each of [`WITHIN`]; a longer time includes the shorter ones.
    pub fn expiring(&self) -> [u64; WITHIN.len()] {
        self.within
    }

    /// When the next key that is still usable expires.
    pub fn next_expiry(&self) -> Option<Millis> {
        self.next_expiry
    }

    /// How many keys there are.
    pub fn total(&self) -> u64 {
        self.by_status.iter().sum()
    }
}

/// The keys of several clusters at one moment, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    now: Millis,
    clusters: BTreeMap<String, Tally>,
}

impl Counts {
    /// No keys yet, of clusters that are told even if they have none.
    pub fn new<'a>(now: Millis, clusters: impl IntoIterator<Item = &'a str>) -> Self {
        let clusters = clusters.into_iter().map(|name| (name.to_owned(), Tally::default()));
        Self { now, clusters: clusters.collect() }
    }

    /// The counts of all the rows. A cluster without keys is not among them: see [`Counts::new`].
    pub fn of<'a>(rows: impl IntoIterator<Item = Row<'a>>, now: Millis) -> Self {
        let mut counts = Self::new(now, []);
        rows.into_iter().for_each(|row| counts.add(row.cluster, &row.key));
        counts
    }

    /// Counts a key in.
    pub fn add(&mut self, cluster: &str, key: &ApiKey) {
        self.clusters.entry(cluster.to_owned()).or_default().add(key.expires, key.invalidated, self.now);
    }

    /// The moment at which the keys were counted.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// The clusters by name.
    pub fn clusters(&self) -> impl Iterator<Item = (&str, &Tally)> {
        self.clusters.iter().map(|(name, tally)| (name.as_str(), tally))
    }
}

/// The word of a status in the label `status`; the window's statuses, not only Elasticsearch's.
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Expired => "expired",
        Status::Expiring => "expiring",
        Status::ExpiringSoon => "expiring_soon",
        Status::Active => "active",
        Status::Never => "never",
        Status::Invalidated => "invalidated",
    }
}

/// Writes the counts, all of them gauges.
///
/// # Errors
/// When `out` fails.
pub fn write(mut out: impl Write, counts: &Counts) -> io::Result<()> {
    let mut text = String::new();
    let name = "keybearer_api_keys";
    head(&mut text, name, "API keys by status; expiring: within 7 days, expiring_soon: within 30 days.");
    for (cluster, tally) in counts.clusters() {
        for status in Status::ALL {
            let labels = [("cluster", cluster), ("status", status_word(status))];
            sample(&mut text, name, &labels, tally.of_status(status));
        }
    }
    let name = "keybearer_api_keys_expiring";
    head(&mut text, name, "API keys that expire within a time; the longer include the shorter.");
    for (cluster, tally) in counts.clusters() {
        for (count, (within, _)) in tally.expiring().into_iter().zip(WITHIN) {
            sample(&mut text, name, &[("cluster", cluster), ("within", within)], count);
        }
    }
    let name = "keybearer_next_expiry_seconds";
    head(&mut text, name, "Seconds until the next API key expires; absent if none is going to.");
    for (cluster, tally) in counts.clusters() {
        if let Some(at) = tally.next_expiry() {
            sample(&mut text, name, &[("cluster", cluster)], seconds(at.saturating_sub(counts.now)));
        }
    }
    let name = "keybearer_read_timestamp_seconds";
    head(&mut text, name, "When the API keys were read, in seconds since 1970.");
    for (cluster, _) in counts.clusters() {
        sample(&mut text, name, &[("cluster", cluster)], seconds(counts.now));
    }
    out.write_all(text.as_bytes())
}

/// Writes the end of every key that has one and is not invalidated, also if it has come.
///
/// # Errors
/// When `out` fails.
pub fn write_each<'a>(mut out: impl Write, rows: impl IntoIterator<Item = Row<'a>>) -> io::Result<()> {
    let name = "keybearer_api_key_expiry_timestamp_seconds";
    let mut text = String::new();
    head(&mut text, name, "When an API key expires or has expired, in seconds since 1970.");
    for row in rows {
        let key = &row.key;
        let Some(at) = key.expires.filter(|_| !key.invalidated) else { continue };
        let labels = [
            ("cluster", row.cluster),
            ("id", key.id.as_str()),
            ("name", &key.name),
            ("application_id", key.application_id().unwrap_or_default()),
            ("owner", &key.owner.username),
        ];
        sample(&mut text, name, &labels, seconds(at));
        out.write_all(text.as_bytes())?;
        text.clear();
    }
    out.write_all(text.as_bytes())
}

fn head(text: &mut String, name: &str, help: &str) {
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
}

fn sample(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
    text.push_str(name);
    for (place, (label, value)) in labels.iter().enumerate() {
        text.push(if place == 0 { '{' } else { ',' });
        let value = writable(value).replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{label}=\"{value}\"");
    }
    let _ = writeln!(text, "}} {value}");
}

fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::export::fixture::*;

    fn keys() -> Vec<ApiKey> {
        let ends = [None, Some(NOW), Some(NOW + 1500), Some(NOW + 7 * DAY), Some(NOW + 30 * DAY), Some(NOW + 91 * DAY)];
        let mut keys = ends.map(|end| key("id", "name", end)).to_vec();
        keys.push(ApiKey { invalidated: true, ..key("gone", "gone", Some(NOW + DAY)) });
        keys
    }

    #[test]
    fn the_text_of_the_counts_is_as_prometheus_reads_it() {
        let mut counts = Counts::new(NOW, ["Empty"]);
        keys().iter().for_each(|key| counts.add("Prod", key));
        let mut out = Vec::new();
        write(&mut out, &counts).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), GOLDEN);
    }

    const GOLDEN: &str = r#"# HELP keybearer_api_keys API keys by status; expiring: within 7 days, expiring_soon: within 30 days.
# TYPE keybearer_api_keys gauge
keybearer_api_keys{cluster="Empty",status="expired"} 0
keybearer_api_keys{cluster="Empty",status="expiring"} 0
keybearer_api_keys{cluster="Empty",status="expiring_soon"} 0
keybearer_api_keys{cluster="Empty",status="active"} 0
keybearer_api_keys{cluster="Empty",status="never"} 0
keybearer_api_keys{cluster="Empty",status="invalidated"} 0
keybearer_api_keys{cluster="Prod",status="expired"} 1
keybearer_api_keys{cluster="Prod",status="expiring"} 2
keybearer_api_keys{cluster="Prod",status="expiring_soon"} 1
keybearer_api_keys{cluster="Prod",status="active"} 1
keybearer_api_keys{cluster="Prod",status="never"} 1
keybearer_api_keys{cluster="Prod",status="invalidated"} 1
# HELP keybearer_api_keys_expiring API keys that expire within a time; the longer include the shorter.
# TYPE keybearer_api_keys_expiring gauge
keybearer_api_keys_expiring{cluster="Empty",within="1d"} 0
keybearer_api_keys_expiring{cluster="Empty",within="7d"} 0
keybearer_api_keys_expiring{cluster="Empty",within="30d"} 0
keybearer_api_keys_expiring{cluster="Empty",within="90d"} 0
keybearer_api_keys_expiring{cluster="Prod",within="1d"} 1
keybearer_api_keys_expiring{cluster="Prod",within="7d"} 2
keybearer_api_keys_expiring{cluster="Prod",within="30d"} 3
keybearer_api_keys_expiring{cluster="Prod",within="90d"} 3
# HELP keybearer_next_expiry_seconds Seconds until the next API key expires; absent if none is going to.
# TYPE keybearer_next_expiry_seconds gauge
keybearer_next_expiry_seconds{cluster="Prod"} 1.5
# HELP keybearer_read_timestamp_seconds When the API keys were read, in seconds since 1970.
# TYPE keybearer_read_timestamp_seconds gauge
keybearer_read_timestamp_seconds{cluster="Empty"} 1795521600
keybearer_read_timestamp_seconds{cluster="Prod"} 1795521600
"#;

    #[test]
    fn a_key_is_one_line_whatever_its_name() {
        let mut keys = keys();
        keys.push(key("VuaC", "a\\b \"c\"\nd\0\r🔑", Some(NOW + 1)));
        let mut out = Vec::new();
        write_each(&mut out, rows(&keys)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 2 + 6);
        let (name, labels) = text.lines().last().unwrap().split_once('{').unwrap();
        assert_eq!(name, "keybearer_api_key_expiry_timestamp_seconds");
        let rest = r#",application_id="app",owner="ann"} 1795521600.001"#;
        let name = r#"cluster="Prod",id="VuaC",name="a\\b \"c\"\nd‹U+0000›‹U+000D›🔑""#;
        assert_eq!(labels, format!("{name}{rest}"));
    }

    #[test]
    fn statuses_add_up_at_any_time() {
        let keys = hostile();
        for now in [i64::MIN, -1, 0, NOW, i64::MAX] {
            let rows = keys.iter().map(|key| Row { cluster: "a\"\n", key: Cow::Borrowed(key) });
            let counts = Counts::of(rows.clone(), now);
            let (_, tally) = counts.clusters().next().unwrap();
            assert_eq!((tally.total(), counts.now()), (keys.len() as u64, now));
            assert!(tally.expiring().is_sorted() && tally.next_expiry().is_none_or(|at| at > now));
            write(io::sink(), &counts).unwrap();
            write_each(io::sink(), rows).unwrap();
        }
    }

    #[test]
    fn every_status_has_its_own_count() {
        assert!(Status::ALL.into_iter().enumerate().all(|(place, status)| status as usize == place));
    }
}
