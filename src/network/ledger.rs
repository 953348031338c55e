//! What an account has used up, and what it may still use.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;

use super::NetworkError;
use crate::model::{Booking, TimeMs, Usage};

const HOUR_MS: i64 = 3_600_000;
const HOURS_A_DAY: i64 = 24;

/// What has been used up in the periods that the caps speak of, all in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Reposts in this clock hour.
    pub reposts_this_hour: u64,
    /// Reposts on this day.
    pub reposts_today: u64,
    /// Money on this day, in millionths of a dollar.
    pub micro_dollars_today: u64,
    /// Money in this calendar month, in millionths of a dollar.
    pub micro_dollars_this_month: u64,
}

impl Spent {
    /// Sums up the booked entries (other months' are ignored, so the caller may hand in more than needed).
    pub fn sum(entries: impl IntoIterator<Item = Booking>, now: TimeMs) -> Self {
        let periods = Periods::at(now);
        let mut spent = Self::default();
        for entry in entries {
            if (periods.month..periods.next_month).contains(&entry.hour) {
                spent.micro_dollars_this_month += entry.micro_dollars;
            }
            if (periods.day..periods.next_day()).contains(&entry.hour) {
                spent.micro_dollars_today += entry.micro_dollars;
                if entry.usage == Usage::Repost {
                    spent.reposts_today += entry.count;
                }
            }
            if entry.hour == periods.hour && entry.usage == Usage::Repost {
                spent.reposts_this_hour += entry.count;
            }
        }
        spent
    }
}

/// The periods around a moment, in hours since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// The hour itself.
    pub hour: i64,
    /// The day's first hour.
    pub day: i64,
    /// The month's first hour: no older entry matters to any cap.
    pub month: i64,
    /// The next month's first hour.
    pub next_month: i64,
}

impl Periods {
    /// The periods around `now`. A month beyond the calendar's range counts as 31 days.
    pub fn at(now: TimeMs) -> Self {
        let hour = now.hour();
        let day = hour.div_euclid(HOURS_A_DAY) * HOURS_A_DAY;
        let month = jiff::Timestamp::from_millisecond(now.0).ok().map(|now| {
            let date = now.to_zoned(jiff::tz::TimeZone::UTC).date();
            let before = i64::from(date.day()) - 1;
            (before, i64::from(date.days_in_month()))
        });
        let (days_before, days) = month.unwrap_or((0, 31));
        let month = day - days_before * HOURS_A_DAY;
        Self { hour, day, month, next_month: month + days * HOURS_A_DAY }
    }

    fn next_day(&self) -> i64 {
        self.day + HOURS_A_DAY
    }
}

/// The caps of an account; `None` is no cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    /// Reposts in a clock hour.
    pub reposts_per_hour: Option<u64>,
    /// Reposts on a day.
    pub reposts_per_day: Option<u64>,
    /// Money on a day, in millionths of a dollar.
    pub micro_dollars_per_day: Option<u64>,
    /// Money in a calendar month, in millionths of a dollar.
    pub micro_dollars_per_month: Option<u64>,
}

impl Caps {
    /// Whether `entry` may be used on top of `spent`.
    ///
    /// # Errors
    /// [`NetworkError::Capped`] if it would pass a cap, with the time at which there is room again: the latest one, if
    /// it would pass several.
    pub fn admit(&self, spent: &Spent, entry: &Booking, now: TimeMs) -> Result<(), NetworkError> {
        let periods = Periods::at(now);
        let reposts = if entry.usage == Usage::Repost { entry.count } else { 0 };
        let money = entry.micro_dollars;
        let checks = [
            (self.micro_dollars_per_month, spent.micro_dollars_this_month, money, periods.next_month),
            (self.micro_dollars_per_day, spent.micro_dollars_today, money, periods.next_day()),
            (self.reposts_per_day, spent.reposts_today, reposts, periods.next_day()),
            (self.reposts_per_hour, spent.reposts_this_hour, reposts, periods.hour + 1),
        ];
        let names =
            ["the money for a month", "the money for a day", "the reposts for a day", "the reposts for an hour"];
        for ((cap, used, more, room_at), name) in checks.into_iter().zip(names) {
            let Some(cap) = cap else { continue };
            if more > 0 && used.saturating_add(more) > cap {
                let what = if name.contains("money") {
                    format!("the cap on {name} (${} of ${} used)", Dollars(used), Dollars(cap))
                } else {
                    format!("the cap on {name} ({used} of {cap} used)")
                };
                return Err(NetworkError::Capped { what, retry_at: TimeMs(room_at.saturating_mul(HOUR_MS)) });
            }
        }
        Ok(())
    }
}

/// Prints millionths of a dollar as dollars, without rounding anything away.
struct Dollars(u64);

impl std::fmt::Display for Dollars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        let short = text.trim_end_matches('0');
        let cents = text.len() - 4;
        f.write_str(if short.len() < cents { &text[..cents] } else { short })
    }
}

/// Where an account's usage is booked. Kept by the store, so that a restart forgets nothing.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Books `entry` if `caps` allow it, in one step: of two callers that want the last room, one gets it.
    /// [`Spent::sum`] over the entries since [`Periods::month`] and [`Caps::admit`] decide.
    ///
    /// # Errors
    /// [`NetworkError::Capped`] if a cap would be passed; [`NetworkError::Transient`] if the ledger cannot be read or
    /// written, since nothing may be spent unbooked.
    async fn reserve(&self, entry: Booking, caps: &Caps, now: TimeMs) -> Result<(), NetworkError>;

    /// Corrects a booked entry to what was really used, in the hour of the reservation.
    ///
    /// # Errors
    /// [`NetworkError::Transient`] if the ledger cannot be written; the reservation then stands, on the safe side.
    async fn settle(&self, reserved: Booking, used: Booking) -> Result<(), NetworkError>;
}

/// A ledger that lasts as long as the process: for tests and rehearsals.
#[derive(Debug, Default)]
pub struct MemoryLedger {
    /// Count and money by kind and hour. The lock makes checking and booking one step.
    booked: Mutex<BTreeMap<(Usage, i64), (u64, u64)>>,
}

impl MemoryLedger {
    /// What has been used up around `now`.
    pub fn spent(&self, now: TimeMs) -> Spent {
        let booked = self.booked.lock().unwrap_or_else(PoisonError::into_inner);
        Spent::sum(entries(&booked), now)
    }
}

fn entries(booked: &BTreeMap<(Usage, i64), (u64, u64)>) -> impl Iterator<Item = Booking> {
    booked.iter().map(|(&(usage, hour), &(count, micro_dollars))| Booking { usage, count, micro_dollars, hour })
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn reserve(&self, entry: Booking, caps: &Caps, now: TimeMs) -> Result<(), NetworkError> {
        let mut booked = self.booked.lock().unwrap_or_else(PoisonError::into_inner);
        caps.admit(&Spent::sum(entries(&booked), now), &entry, now)?;
        let (count, micro_dollars) = booked.entry((entry.usage, entry.hour)).or_default();
        *count += entry.count;
        *micro_dollars += entry.micro_dollars;
        Ok(())
    }

    async fn settle(&self, reserved: Booking, used: Booking) -> Result<(), NetworkError> {
        let mut booked = self.booked.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, micro_dollars) = booked.entry((reserved.usage, reserved.hour)).or_default();
        *count = (*count + used.count).saturating_sub(reserved.count);
        *micro_dollars = (*micro_dollars + used.micro_dollars).saturating_sub(reserved.micro_dollars);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> TimeMs {
        text.parse().unwrap()
    }

    fn repost(at: &str) -> Booking {
        Booking { usage: Usage::Repost, count: 1, micro_dollars: 15_000, hour: time(at).hour() }
    }

    #[test]
    fn periods_follow_the_calendar() {
        let leap = Periods::at(time("2028-02-29T13:30:00Z"));
        assert_eq!(TimeMs(leap.month * HOUR_MS), time("2028-02-01T00:00:00Z"));
        assert_eq!(TimeMs(leap.next_month * HOUR_MS), time("2028-03-01T00:00:00Z"));
        assert_eq!(TimeMs(leap.day * HOUR_MS), time("2028-02-29T00:00:00Z"));
        assert!(Periods::at(TimeMs(i64::MAX)).next_month > i64::MAX / HOUR_MS);
    }

    #[test]
    fn entries_count_in_their_own_hour_day_and_month_only() {
        let booked = ["2026-10-31T23:00:00Z", "2026-11-01T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-22T09:00:00Z"];
        let spent = Spent::sum(booked.map(repost), time("2026-11-22T09:59:59Z"));
        let expected = Spent {
            reposts_this_hour: 1,
            reposts_today: 2,
            micro_dollars_today: 30_000,
            micro_dollars_this_month: 45_000,
        };
        assert_eq!(spent, expected);
    }

    #[test]
    fn a_cap_may_be_reached_but_not_passed_and_says_when_there_is_room() {
        let now = time("2026-11-22T09:30:00Z");
        let caps = Caps { reposts_per_hour: Some(2), micro_dollars_per_month: Some(45_000), ..Caps::default() };
        let spent = |reposts_this_hour, micro_dollars_this_month| Spent {
            reposts_this_hour,
            micro_dollars_this_month,
            ..Spent::default()
        };
        let entry = repost("2026-11-22T09:30:00Z");
        assert_eq!(caps.admit(&spent(1, 30_000), &entry, now), Ok(()));
        let NetworkError::Capped { what, retry_at } = caps.admit(&spent(2, 0), &entry, now).unwrap_err() else {
            panic!("capped was expected")
        };
        assert_eq!(
            (what.as_str(), retry_at),
            ("the cap on the reposts for an hour (2 of 2 used)", time("2026-11-22T10:00:00Z"))
        );
        let error = caps.admit(&spent(2, 30_001), &entry, now).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the cap on the money for a month ($0.030001 of $0.045 used) is reached; on again at 2026-12-01T00:00:00Z",
        );
    }

    #[test]
    fn dollars_are_written_with_cents() {
        let shown = [0, 5_000, 1_500_000, 20_000_000].map(|micro_dollars| Dollars(micro_dollars).to_string());
        assert_eq!(shown, ["0.00", "0.005", "1.50", "20.00"]);
    }
}
