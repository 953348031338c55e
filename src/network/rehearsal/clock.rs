//! How fast the timeline plays, and the clock that everything in a rehearsal goes by.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{Clock, TimeMs};

/// When the timeline begins: 2026-09-19T17:00:00Z. A constant, so that every run meets the same posts at the same times.
pub const TIMELINE_START: TimeMs = TimeMs(1_789_837_200_000);

/// How fast the timeline plays: seconds of timeline in one second of real time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Finite and above zero.
    speed: f64,
}

/// A speed that is not a number above zero.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("a speed of {0} does not play; give a number above 0 (1 is real time, 3600 an hour a second)")]
pub struct PaceError(pub f64);

impl Pace {
    /// As fast as life.
    pub const REAL_TIME: Self = Self { speed: 1.0 };

    /// A pace of `speed` seconds of timeline in one second of real time.
    ///
    /// # Errors
    /// [`PaceError`] if `speed` is not a finite number above zero.
    pub fn new(speed: f64) -> Result<Self, PaceError> {
        if speed.is_finite() && speed > 0.0 { Ok(Self { speed }) } else { Err(PaceError(speed)) }
    }

    /// Seconds of timeline in one second of real time.
    pub fn speed(self) -> f64 {
        self.speed
    }

    /// How much of the timeline passes in `real` time; the longest duration where there is no end of it.
    pub fn timeline(self, real: Duration) -> Duration {
        Duration::try_from_secs_f64(real.as_secs_f64() * self.speed).unwrap_or(Duration::MAX)
    }

    /// How much real time passes while `timeline` plays; the longest duration where there is no end of it.
    pub fn real(self, timeline: Duration) -> Duration {
        Duration::try_from_secs_f64(timeline.as_secs_f64() / self.speed).unwrap_or(Duration::MAX)
    }
}

impl Default for Pace {
    /// An hour a second: the whole timeline in about six seconds.
    fn default() -> Self {
        Self { speed: 3600.0 }
    }
}

/// The clock of a rehearsal: its start, and from there the real time elapsed times the pace.
///
/// Grace times, rate limits and ages are all counted in timeline time by it. It never goes backwards, whatever happens
/// to the machine's clock.
#[derive(Debug)]
pub struct RehearsalClock {
    /// What the clock showed when it was set going.
    started_at: TimeMs,
    /// How fast it goes.
    pace: Pace,
    /// When it was set going. Tokio's instant, so that paused time holds this clock too.
    base: Instant,
}

impl RehearsalClock {
    /// Sets a clock going that shows `started_at` now.
    pub fn start(started_at: TimeMs, pace: Pace) -> Self {
        Self { started_at, pace, base: Instant::now() }
    }

    /// What the clock showed when it was set going.
    pub fn started_at(&self) -> TimeMs {
        self.started_at
    }

    /// How much real time passes until the clock shows `time`; zero if it already does.
    pub fn real_until(&self, time: TimeMs) -> Duration {
        self.pace.real(time.since(self.started_at)).saturating_sub(self.base.elapsed())
    }

    /// What the clock shows once `elapsed` has passed since it was set going.
    fn shows_after(&self, elapsed: Duration) -> TimeMs {
        self.started_at.plus(self.pace.timeline(elapsed))
    }
}

impl Clock for RehearsalClock {
    fn now(&self) -> TimeMs {
        self.shows_after(self.base.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeline_starts_where_its_documentation_says() {
        assert_eq!("2026-09-19T17:00:00Z".parse::<TimeMs>().unwrap(), TIMELINE_START);
    }

    #[test]
    fn a_second_is_an_hour_at_the_default_pace() {
        let clock = RehearsalClock::start(TIMELINE_START, Pace::default());
        let later = TIMELINE_START.plus(Duration::from_secs(3600));
        assert_eq!(clock.shows_after(Duration::from_secs(1)), later);
        assert_eq!(clock.shows_after(Duration::ZERO), TIMELINE_START);
        assert_eq!(clock.real_until(TIMELINE_START), Duration::ZERO);
        let remaining = clock.real_until(later);
        assert!(remaining <= Duration::from_secs(1), "{remaining:?}");
    }

    #[test]
    fn real_time_and_timeline_time_convert_into_each_other() {
        let pace = Pace::new(60.0).unwrap();
        assert_eq!(pace.timeline(Duration::from_secs(2)), Duration::from_secs(120));
        assert_eq!(pace.real(Duration::from_secs(120)), Duration::from_secs(2));
        assert_eq!(Pace::REAL_TIME.real(Duration::from_secs(7)), Duration::from_secs(7));
    }

    #[test]
    fn a_speed_that_never_plays_is_refused_and_an_endless_one_is_bounded() {
        for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Pace::new(speed).is_err(), "{speed}");
        }
        assert_eq!(Pace::new(f64::MAX).unwrap().timeline(Duration::MAX), Duration::MAX);
        assert_eq!(Pace::new(f64::MIN_POSITIVE).unwrap().real(Duration::MAX), Duration::MAX);
    }

    #[test]
    fn the_clock_never_goes_backwards() {
        let clock = RehearsalClock::start(TIMELINE_START, Pace::new(1e6).unwrap());
        let mut last = clock.now();
        for _ in 0..1000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }
}
