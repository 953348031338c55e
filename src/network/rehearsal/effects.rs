//! What reposting does to the network, the faults included.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{Entry, Fault};
use crate::{
    model::{RemoteId, TimeMs},
    network::{NetworkError, RepostOutcome},
};

/// How long the rehearsal's rate limit lasts, in timeline time. Long enough to be seen in the log at the default pace
/// (25 ms of real time), short enough not to hold up what follows.
pub const RATE_LIMIT: Duration = Duration::from_secs(90);

/// The reposts that the network holds.
#[derive(Debug, Default)]
pub(super) struct Effects {
    /// Guards the whole state; held for a map look-up at most, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How often each post has been reposted.
    counts: HashMap<RemoteId, u32>,
    /// When the rate limit is lifted; set when a post meets it first, so that it is met only once.
    limited_until: Option<TimeMs>,
}

impl Effects {
    /// Reposts `entry` at `now`, as the network does it.
    pub(super) fn repost(&self, entry: &Entry, now: TimeMs) -> Result<RepostOutcome, NetworkError> {
        let mut state = self.state();
        if let Some(retry_at) = state.limited_until.filter(|until| now < *until) {
            return Err(NetworkError::RateLimited { retry_at });
        }
        if entry.fault == Some(Fault::Gone) {
            return Err(NetworkError::Gone(format!("post {} was deleted by its author", entry.id)));
        }
        if state.counts.contains_key(&entry.id) {
            return Ok(RepostOutcome::AlreadyThere);
        }
        if entry.fault == Some(Fault::RateLimit) && state.limited_until.is_none() {
            let retry_at = now.plus(RATE_LIMIT);
            state.limited_until = Some(retry_at);
            return Err(NetworkError::RateLimited { retry_at });
        }
        *state.counts.entry(entry.id.clone()).or_default() += 1;
        if entry.fault == Some(Fault::LostAnswer) {
            return Err(NetworkError::Uncertain("the connection closed before the answer came".to_owned()));
        }
        Ok(RepostOutcome::Done(Some(RemoteId::new(format!("r{}", entry.id)))))
    }

    /// How often each post has been reposted.
    pub(super) fn counts(&self) -> HashMap<RemoteId, u32> {
        self.state().counts.clone()
    }

    /// The state is whole between any two statements, so a panic elsewhere does not spoil it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::rehearsal::{TIMELINE_START, Timeline};

    fn faulty(timeline: &Timeline, fault: Option<Fault>) -> &Entry {
        timeline.entries().iter().find(|entry| entry.fault == fault).unwrap()
    }

    #[test]
    fn a_deleted_post_is_gone_at_every_attempt() {
        let (timeline, effects) = (Timeline::embedded().unwrap(), Effects::default());
        for _ in 0..2 {
            let answer = effects.repost(faulty(&timeline, Some(Fault::Gone)), TIMELINE_START);
            assert!(matches!(answer, Err(NetworkError::Gone(_))));
        }
        assert!(effects.counts().is_empty());
    }

    #[test]
    fn a_lost_answer_hides_a_repost_that_is_there() {
        let (timeline, effects) = (Timeline::embedded().unwrap(), Effects::default());
        let lost = faulty(&timeline, Some(Fault::LostAnswer));
        assert!(matches!(effects.repost(lost, TIMELINE_START), Err(NetworkError::Uncertain(_))));
        assert_eq!(effects.repost(lost, TIMELINE_START), Ok(RepostOutcome::AlreadyThere));
        assert_eq!(effects.counts(), HashMap::from([(lost.id.clone(), 1)]));
    }

    #[test]
    fn a_rate_limit_stops_the_whole_account_until_it_is_lifted_and_is_met_once() {
        let (timeline, effects) = (Timeline::embedded().unwrap(), Effects::default());
        let (limited, other) = (faulty(&timeline, Some(Fault::RateLimit)), faulty(&timeline, None));
        let retry_at = TIMELINE_START.plus(RATE_LIMIT);
        let refused = Err(NetworkError::RateLimited { retry_at });
        assert_eq!(effects.repost(limited, TIMELINE_START), refused);
        assert_eq!(effects.repost(limited, retry_at.minus(Duration::from_millis(1))), refused);
        assert_eq!(effects.repost(other, TIMELINE_START), refused);
        assert!(effects.counts().is_empty());
        for entry in [limited, other] {
            assert!(matches!(effects.repost(entry, retry_at), Ok(RepostOutcome::Done(Some(_)))));
        }
        assert_eq!(effects.counts().len(), 2);
    }
}
