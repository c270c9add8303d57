//! Clock and time zone of this machine, which are read only here, and the clock of a cluster, as its own queries show
//! it.

use jiff::tz::TimeZone;
use serde_json::json;

use super::Session;
use crate::{
    client::{ClientError, KeyQuery, MAX_DATE_SKEW, Order, clock as client_clock},
    model::{TimeDelta, Timestamp, api_key::KeyId, time::expiry, version::Feature},
};

/// Maximum distance at which a cluster's clock is searched on either side of this machine's, in seconds: 250 years.
const MAX_SKEW_SECONDS: i64 = 250 * 366 * 86_400;

/// Returns the current time by this machine's clock.
pub fn now() -> Timestamp {
    client_clock::now()
}

/// Returns the time zone in which dates are shown and typed; UTC if none is set.
pub fn zone() -> TimeZone {
    TimeZone::try_system().unwrap_or(TimeZone::UTC)
}

/// Formats a skew: "10 days ahead of", or "5 minutes behind" for a negative one.
pub fn ahead(skew: TimeDelta) -> String {
    // To the nearest minute: 8 days less a second are 8 days.
    let half = if skew.abs() < TimeDelta::from_mins(2) { TimeDelta::ZERO } else { TimeDelta::from_secs(30) };
    let length = expiry::about(skew.abs() + half);
    format!("{length} {}", if skew >= TimeDelta::ZERO { "ahead of" } else { "behind" })
}

/// Result of comparing the clock in use with the cluster's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Difference of no more than [`MAX_DATE_SKEW`].
    Agree,
    /// Time by which the cluster was ahead of the clock in use; its clock is used from now on.
    Differed(TimeDelta),
    /// Unknown: the cluster has no query API, or no key to ask about.
    NotKnown,
}

/// Compares the clock in use with the cluster's own, and uses the cluster's if they differ.
///
/// # Errors
/// Returns an error if the cluster can't be asked.
pub async fn compare(session: &Session) -> Result<Compared, ClientError> {
    let Some(key) = newest(session).await? else { return Ok(Compared::NotKnown) };
    let counted = session.now();
    let is_within =
        key.is_past(session, counted - MAX_DATE_SKEW).await? && !key.is_past(session, counted + MAX_DATE_SKEW).await?;
    if is_within {
        return Ok(Compared::Agree);
    }
    let before = session.skew();
    key.learn(session).await?;
    Ok(Compared::Differed(session.skew() - before))
}

/// Uses the cluster's own clock from now on, if it can be asked.
///
/// # Errors
/// Returns an error if the cluster can't be asked.
pub async fn learn(session: &Session) -> Result<(), ClientError> {
    match newest(session).await? {
        Some(key) => key.learn(session).await,
        None => Ok(()),
    }
}

/// Key by whose creation the cluster's clock is determined.
struct Landmark {
    id: KeyId,
    created: Timestamp,
}

async fn newest(session: &Session) -> Result<Option<Landmark>, ClientError> {
    if !session.has(Feature::Query) {
        return Ok(None);
    }
    let mut query = KeyQuery::new(1);
    query.sort = vec![("creation".into(), Order::Descending)];
    match session.client.query_api_keys(&query).await {
        // Of a key whose creation can't be read nothing is concluded.
        Ok(page) => {
            Ok(page.keys.into_iter().find_map(|key| Some(Landmark { created: key.known_created()?, id: key.id })))
        }
        Err(ClientError::Lacks(Feature::Query)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Landmark {
    /// `true` if the cluster's now is later than a moment, as it says itself. Its date math counts in seconds: the
    /// key was created before `now` minus what lies between its creation and the moment.
    async fn is_past(&self, session: &Session, moment: Timestamp) -> Result<bool, ClientError> {
        let seconds = (moment - self.created).as_millis().div_euclid(1000);
        // The server takes no number beyond 31 bits (as seen on 9.5.3), so that centuries are counted in minutes.
        let (sign, length) = if seconds < 0 { ('+', seconds.saturating_neg()) } else { ('-', seconds) };
        let math = format!("now{sign}{}m{sign}{}s", length / 60, length % 60);
        let filter = json!({ "bool": { "filter": [
            { "ids": { "values": [self.id.as_str()] } },
            { "range": { "creation": { "lt": math } } },
        ] } });
        let (count, _) = session.client.count_api_keys(Some(&filter), None).await?;
        Ok(count > 0)
    }

    /// Halves the time in question until a second is left: some 35 small requests.
    async fn learn(&self, session: &Session) -> Result<(), ClientError> {
        let (mut low, mut high) = (-MAX_SKEW_SECONDS, MAX_SKEW_SECONDS);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.is_past(session, now() + TimeDelta::from_secs(middle)).await? {
                low = middle;
            } else {
                high = middle;
            }
        }
        if low > -MAX_SKEW_SECONDS && high < MAX_SKEW_SECONDS {
            let here = now();
            session.client.set_own_skew(here + TimeDelta::from_millis(low * 1000 + 500), here);
        }
        Ok(())
    }
}
