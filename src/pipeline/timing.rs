//! Waiting by the pipeline's clock, which in a rehearsal runs faster than the machine's.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::model::{Clock, TimeMs};

/// How long one sleep lasts at most. A clock that is set while we sleep is noticed after this time.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// A clock, and how fast it runs.
#[derive(Clone, Debug)]
pub struct Timing {
    clock: Arc<dyn Clock>,
    /// Clock seconds that pass in one real second.
    speed: f64,
    stop: CancellationToken,
}

impl Timing {
    /// Timing by `clock`, which runs `speed` times as fast as real time; sleeping ends at once when `stop` is called.
    pub fn new(clock: Arc<dyn Clock>, speed: f64, stop: CancellationToken) -> Self {
        Self { clock, speed, stop }
    }

    /// The time now.
    pub fn now(&self) -> TimeMs {
        self.clock.now()
    }

    /// Whether the pipeline is to stop.
    pub fn stopped(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// The same clock for a part of the pipeline, which stops with the whole and can be stopped alone.
    pub fn of_a_part(&self) -> Self {
        Self { stop: self.stop.child_token(), ..self.clone() }
    }

    /// What stops the pipeline.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }

    /// Sleeps until the clock shows `time`, or the pipeline is to stop. Returns false if it is to stop.
    pub async fn sleep_until(&self, time: TimeMs) -> bool {
        loop {
            let left = time.since(self.now());
            if left.is_zero() {
                return !self.stopped();
            }
            // At least a millisecond, so that rounding never makes this loop spin.
            let real = left.div_f64(self.speed).clamp(Duration::from_millis(1), LONGEST_SLEEP);
            tokio::select! {
                () = self.stop.cancelled() => return false,
                () = tokio::time::sleep(real) => {}
            }
        }
    }

    /// Sleeps for a time of the clock. Returns false if the pipeline is to stop.
    pub async fn sleep(&self, duration: Duration) -> bool {
        self.sleep_until(self.now().plus(duration)).await
    }
}
