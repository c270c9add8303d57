//! Overview of the keys of a cluster: how many have each status, what expires when, by whom and for what. Computed from
//! the inventory, or at first from the cluster's own figures.

use jiff::{ToSpan, civil::Date, tz::TimeZone};

use super::{Bitmap, Field, Inventory, Moment, StatusCounts};
use crate::model::{TimeDelta, Timestamp, time::status::StatusGroup};

/// Length of the timeline and of its bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub enum Span {
    /// 30 days, one bar per day.
    Month,
    /// 90 days, one bar per day.
    #[default]
    Quarter,
    /// A year (53 weeks), one bar per week.
    Year,
    /// Three years, one bar per month.
    Long,
}

impl Span {
    /// All spans, in the order of the choice.
    pub const ALL: [Span; 4] = [Self::Month, Self::Quarter, Self::Year, Self::Long];

    /// Returns the label of the choice.
    pub fn words(self) -> &'static str {
        match self {
            Self::Month => "30 days",
            Self::Quarter => "90 days",
            Self::Year => "1 year",
            Self::Long => "3 years",
        }
    }

    fn pieces(self) -> (i64, jiff::Span) {
        match self {
            Self::Month => (30, 1.day()),
            Self::Quarter => (90, 1.day()),
            Self::Year => (53, 1.week()),
            Self::Long => (36, 1.month()),
        }
    }

    /// Returns the local days at which the bars begin, and the day after the last bar: forward from today for
    /// expirations, back from today for creations. `None` beyond the calendar.
    fn days(self, now: Timestamp, zone: &TimeZone, forward: bool) -> Option<Vec<Date>> {
        let today = now.to_jiff()?.to_zoned_datetime(zone.clone()).date();
        let (count, piece) = self.pieces();
        let first = match (self, forward) {
            (Self::Long, true) => today.first_of_month(),
            (Self::Long, false) => today.first_of_month().checked_sub(piece * (count - 1)).ok()?,
            (_, true) => today,
            (_, false) => today.checked_add(1.day()).ok()?.checked_sub(piece * count).ok()?,
        };
        (0..=count).map(|at| first.checked_add(piece * at).ok()).collect()
    }
}

/// Bar of the timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// First local day.
    pub first: Date,
    /// Last local day, inclusive.
    pub last: Date,
    /// Start of the first day, inclusive.
    pub from: Timestamp,
    /// End of the last day, exclusive.
    pub until: Timestamp,
    /// Number of keys in the bar, by status.
    pub counts: StatusCounts,
}

impl Bar {
    /// Returns the label of the days: "Wed 23 Dec", "23 Dec – 29 Dec", "Dec 2026".
    pub fn words(&self) -> String {
        let day = |date: Date| date.strftime("%-d %b").to_string();
        if self.first == self.last {
            return self.first.strftime("%a %-d %b").to_string();
        }
        if self.first.day() == 1 && self.last == self.first.last_of_month() {
            return self.first.strftime("%b %Y").to_string();
        }
        format!("{} – {}", day(self.first), day(self.last))
    }

    /// Returns the search for the keys from this bar to `last`, both inclusive.
    pub fn query(&self, last: &Bar, moment: Moment) -> String {
        let field = match moment {
            Moment::Created => "created",
            Moment::Expires => "expires",
            Moment::Invalidated => "invalidated",
        };
        if self.first == last.last {
            format!("{field}:{}", self.first)
        } else {
            format!("{field}:{}..{}", self.first, last.last)
        }
    }
}

/// Returns the bars of a timeline, by local days, without counts; none beyond the calendar.
pub fn bars(span: Span, moment: Moment, now: Timestamp, zone: &TimeZone) -> Vec<Bar> {
    let days = span.days(now, zone, moment == Moment::Expires).unwrap_or_default();
    let start = |date: &Date| date.to_zoned_datetime(zone.clone()).ok().map(|zoned| Timestamp::from(zoned.timestamp()));
    let starts: Option<Vec<Timestamp>> = days.iter().map(start).collect();
    let Some(starts) = starts else { return Vec::new() };
    let pairs = days.windows(2).zip(starts.windows(2));
    pairs
        .map(|(days, starts)| Bar {
            first: days[0],
            last: days[1].checked_sub(1.day()).unwrap_or(days[0]),
            from: starts[0],
            until: starts[1],
            counts: StatusCounts::default(),
        })
        .collect()
}

/// Changes since a moment, as far as they can be derived from the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Since {
    /// Moment since which changes are counted, inclusive.
    pub at: Timestamp,
    /// Number of keys created since.
    pub created: usize,
    /// Number of keys that expired since; invalidated ones don't count.
    pub expired: usize,
    /// Number of keys invalidated since.
    pub invalidated: usize,
}

/// Field that keys are counted by, with its values and their numbers of keys, most frequent first.
pub type FieldCounts = (String, Vec<(String, usize)>);

/// Contents of the overview.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// Number of keys by status.
    pub counts: StatusCounts,
    /// Number of usable keys that expire within 7, 30 and 90 days; each includes the one before.
    pub within: [usize; 3],
    /// Bars of the timeline.
    pub bars: Vec<Bar>,
    /// Owners with their numbers of keys, most frequent first.
    pub owners: Vec<(String, usize)>,
    /// Roles with their numbers of keys, most frequent first.
    pub roles: Vec<(String, usize)>,
    /// Types with their numbers of keys, most frequent first.
    pub kinds: Vec<(String, usize)>,
    /// Realms with their numbers of keys, most frequent first.
    pub realms: Vec<(String, usize)>,
    /// Counts by the selected fields of the metadata.
    pub fields: Vec<FieldCounts>,
    /// Fields of the metadata that keys could be counted by, with their numbers of keys.
    pub offered: Vec<(String, usize)>,
    /// Changes since the last visit; `None` if there was none.
    pub since: Option<Since>,
    /// `true` if computed from all keys; `false` for the cluster's own figures, still to be confirmed.
    pub is_confirmed: bool,
}

/// Options of the overview.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverviewOptions {
    /// Length of the timeline.
    pub span: Span,
    /// `true` if the timeline shows creations, `false` for expirations.
    pub created: bool,
    /// Paths in the metadata to count by, their keys separated by dots.
    pub fields: Vec<String>,
    /// Time of the last visit; `None` if there was none.
    pub visit: Option<Timestamp>,
}

impl OverviewOptions {
    /// Returns the moment by which keys are counted on the timeline.
    pub fn moment(&self) -> Moment {
        if self.created { Moment::Created } else { Moment::Expires }
    }
}

impl Overview {
    /// Computes the overview of an inventory.
    pub fn of(inventory: &Inventory, wanted: &OverviewOptions, now: Timestamp, zone: &TimeZone) -> Self {
        let all = Bitmap::all(inventory.len());
        let counts = inventory.count(&all, now);
        let mut bars = bars(wanted.span, wanted.moment(), now, zone);
        let edges: Vec<Timestamp> = bars.iter().map(|bar| bar.from).chain(bars.last().map(|bar| bar.until)).collect();
        // Keys that are invalidated end no more.
        let shown =
            if wanted.created { all.clone() } else { inventory.of_group(StatusGroup::Invalidated, now).inverted() };
        let filled = inventory.histogram(&shown, wanted.moment(), &edges, now);
        bars.iter_mut().zip(filled).for_each(|(bar, counts)| bar.counts = counts);
        let fields = wanted.fields.iter().map(|field| {
            let path = field.split('.').map(str::to_owned).collect();
            (field.clone(), inventory.tally(&all, &Field::Metadata(path)))
        });
        Self {
            counts,
            within: within(inventory, now),
            bars,
            owners: inventory.tally(&all, &Field::Owner),
            roles: inventory.tally(&all, &Field::Role),
            kinds: inventory.tally(&all, &Field::Kind),
            realms: inventory.tally(&all, &Field::Realm),
            fields: fields.collect(),
            offered: inventory.metadata_fields(&all).into_iter().map(|(path, count)| (path.join("."), count)).collect(),
            since: wanted.visit.map(|at| since(inventory, at, now)),
            is_confirmed: true,
        }
    }
}

fn within(inventory: &Inventory, now: Timestamp) -> [usize; 3] {
    [7, 30, 90].map(|days| {
        let edges = [now + TimeDelta::MILLISECOND, now + days * TimeDelta::DAY + TimeDelta::MILLISECOND];
        let usable = Bitmap::of(inventory.len(), |row| inventory.status(row, now).is_usable());
        inventory.histogram(&usable, Moment::Expires, &edges, now).first().map_or(0, StatusCounts::total)
    })
}

fn since(inventory: &Inventory, at: Timestamp, now: Timestamp) -> Since {
    let all = Bitmap::all(inventory.len());
    let count = |keys: &Bitmap, moment, until: Timestamp| {
        inventory.histogram(keys, moment, &[at, until], now).first().map_or(0, StatusCounts::total)
    };
    let valid = Bitmap::of(inventory.len(), |row| !inventory.is_invalidated(row));
    Since {
        at,
        created: count(&all, Moment::Created, Timestamp::MAX),
        expired: count(&valid, Moment::Expires, now + TimeDelta::MILLISECOND),
        invalidated: count(&all, Moment::Invalidated, Timestamp::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{inventory::RawKey, time::calendar};

    const NOW: Timestamp = Timestamp::from_millis(1_795_521_600_000); // 2026-11-24T12:00:00Z

    fn inventory() -> Inventory {
        let mut inventory = Inventory::default();
        let keys = [
            ("a", Some(NOW + TimeDelta::MINUTE), NOW - TimeDelta::DAY, false, r#"{"team":"x"}"#),
            ("b", Some(NOW + 20 * TimeDelta::DAY), NOW - 40 * TimeDelta::DAY, false, r#"{"team":"x"}"#),
            ("c", Some(NOW + 89 * TimeDelta::DAY), NOW - 400 * TimeDelta::DAY, false, "{}"),
            ("d", None, NOW - 2 * TimeDelta::DAY, false, r#"{"team":"y"}"#),
            ("e", Some(NOW - TimeDelta::HOUR), NOW - 3 * TimeDelta::DAY, false, "{}"),
            ("f", Some(NOW + TimeDelta::DAY), NOW - 5 * TimeDelta::DAY, true, "{}"),
        ];
        for (id, expires, created, invalidated, metadata) in keys {
            let invalidated_at = invalidated.then_some(NOW - TimeDelta::DAY);
            let raw = RawKey { id, username: "ana", expires, created, invalidated, ..RawKey::default() };
            inventory.put(&RawKey { invalidated_at, metadata: Some(metadata), ..raw });
        }
        inventory
    }

    #[test]
    fn each_span_is_called_by_its_length() {
        assert_eq!(Span::ALL.map(Span::words), ["30 days", "90 days", "1 year", "3 years"]);
    }

    #[test]
    fn keys_are_counted_by_status_and_by_what_is_left() {
        let wanted = OverviewOptions {
            visit: Some(NOW - 2 * TimeDelta::DAY),
            fields: vec!["team".into()],
            ..OverviewOptions::default()
        };
        let overview = Overview::of(&inventory(), &wanted, NOW, &calendar::fixed_zone(1));
        assert_eq!((overview.counts.usable(), overview.counts.total(), overview.within), (4, 6, [1, 2, 3]));
        assert_eq!(overview.bars.len(), 90);
        let filled: Vec<(String, usize)> =
            overview.bars.iter().filter(|bar| bar.counts.total() > 0).map(|b| (b.words(), b.counts.total())).collect();
        // The one that has ended today is told with today; the invalidated one ends no more.
        assert_eq!(filled, [("Tue 24 Nov".into(), 2), ("Mon 14 Dec".into(), 1), ("Sun 21 Feb".into(), 1)]);
        assert_eq!(overview.fields, [("team".into(), vec![("x".into(), 2), ("y".into(), 1)])]);
        let since = overview.since.unwrap();
        assert_eq!((since.created, since.expired, since.invalidated), (2, 1, 1));
        assert_eq!(overview.owners, [("ana".into(), 6)]);
    }

    #[test]
    fn a_piece_of_the_timeline_says_what_it_is_and_which_keys_it_means() {
        let zone = calendar::fixed_zone(1);
        let year = bars(Span::Year, Moment::Expires, NOW, &zone);
        assert_eq!((year.len(), year[0].words()), (53, "24 Nov – 30 Nov".into()));
        assert_eq!(year[0].query(&year[1], Moment::Expires), "expires:2026-11-24..2026-12-07");
        let long = bars(Span::Long, Moment::Created, NOW, &zone);
        assert_eq!((long.len(), long[35].words()), (36, "Nov 2026".into()));
        let month = bars(Span::Month, Moment::Created, NOW, &zone);
        assert_eq!(month[29].query(&month[29], Moment::Created), "created:2026-11-24");
        assert!(month.windows(2).all(|pair| pair[0].until == pair[1].from));
        for now in [Timestamp::MIN, Timestamp::MAX, calendar::LAST] {
            bars(Span::Long, Moment::Expires, now, &zone);
        }
    }

    #[test]
    fn what_a_piece_counts_is_what_its_query_finds() {
        let (inventory, zone) = (inventory(), calendar::fixed_zone(1));
        for span in Span::ALL {
            for created in [false, true] {
                let wanted = OverviewOptions { span, created, ..OverviewOptions::default() };
                let overview = Overview::of(&inventory, &wanted, NOW, &zone);
                for bar in overview.bars {
                    let query = format!("{} -status:invalidated", bar.query(&bar, wanted.moment()));
                    let query = if created { bar.query(&bar, wanted.moment()) } else { query };
                    let expr = crate::model::filter::parse(&query, NOW, &zone).unwrap().expr;
                    let found = inventory.matching(&expr, NOW, Default::default()).count();
                    assert_eq!(found, bar.counts.total(), "{query}");
                }
            }
        }
    }
}
