//! Relay: claims rows of the outbox, reposts, and records what became of it.
//!
//! The claim commits before the network is called, and no transaction is held across that call. A process that dies in
//! between leaves a claim whose lease runs out; the next claimer repeats the call, which every network makes safe.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use rand::RngExt;
use sqlx::SqliteConnection;

use super::{
    event::{Event, Observer, Sent, SentResult},
    timing::Timing,
};
use crate::{
    dedup::filter::{Filters, Subject},
    model::{AccountId, PostId, Rule, TimeMs},
    network::{Network, NetworkError, RepostOrder, RepostOutcome},
    store::{
        Store, StoreError, accounts,
        lock::WriteLock,
        outbox::{self, Claim, Outcome},
        posts::{self, ArchivedPost},
        verdicts,
    },
};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long a repost that is under way may still take once the pipeline is told to stop.
const PATIENCE_AT_STOP: Duration = Duration::from_secs(5);
/// Where waiting between attempts begins, and where it stops growing.
const BACKOFF_FIRST: Duration = Duration::from_secs(2);
const BACKOFF_LONGEST: Duration = Duration::from_secs(15 * 60);

/// How fast an account reposts.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The time between two reposts.
    pub min_gap: Duration,
    /// Reposts in an hour.
    pub per_hour: usize,
    /// Reposts in a day.
    pub per_day: usize,
    /// Reposts of one author in an hour.
    pub author_per_hour: usize,
    /// Reposts of one author in a day.
    pub author_per_day: usize,
}

/// Who sends, and how.
pub struct Relay<L: WriteLock> {
    /// The archive.
    pub store: Store<L>,
    /// The network, with its wrappers.
    pub network: Arc<dyn Network>,
    /// The account.
    pub account: AccountId,
    /// Its configured name.
    pub name: Arc<str>,
    /// Which posts may be reposted; asked again at the claim.
    pub filters: Arc<Filters>,
    /// How fast.
    pub pace: Pace,
    /// What names this process in its claims.
    pub owner: Arc<str>,
    /// How long a claim holds. At least three times the longest request.
    pub lease: Duration,
    /// The clock.
    pub timing: Timing,
    /// Is told what happens.
    pub observer: Observer,
    /// Until when the network wants to be left alone.
    pub quiet_until: QuietUntil,
}

/// A time that the relay's steps share; its beginning is no time at all.
#[derive(Debug, Default)]
pub struct QuietUntil(AtomicI64);

/// What one step of the relay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A row was worked on; there may be more.
    Worked,
    /// Nothing can be sent before this time.
    WaitUntil(TimeMs),
    /// Nothing is waiting to be sent.
    Idle,
    /// The account has stopped until the operator acts, for this reason.
    Halted(String),
}

/// What the claiming transaction found.
enum Claimed {
    Order(Claim, Box<ArchivedPost>),
    Dropped(Box<ArchivedPost>, Rule),
    Nothing(Step),
}

impl<L: WriteLock> Relay<L> {
    /// Claims one row and sends it.
    ///
    /// # Errors
    /// Any [`StoreError`]. A claim whose outcome could not be recorded is repeated when its lease has run out.
    pub async fn step(self: &Arc<Self>) -> Result<Step, StoreError> {
        let relay = self.clone();
        let now = self.timing.now();
        let claimed = self
            .store
            .write("claim a repost", move |conn| {
                let relay = relay.clone();
                Box::pin(async move { relay.claim(conn, now).await })
            })
            .await?;
        match claimed {
            Claimed::Nothing(step) => Ok(step),
            Claimed::Dropped(post, rule) => {
                self.tell(&post, SentResult::Dropped, rule.words().to_owned());
                Ok(Step::Worked)
            }
            Claimed::Order(claim, post) => self.send(claim, &post).await,
        }
    }

    async fn claim(&self, conn: &mut SqliteConnection, now: TimeMs) -> Result<Claimed, StoreError> {
        if let Some(reason) = accounts::halted(conn, self.account).await? {
            return Ok(Claimed::Nothing(Step::Halted(reason)));
        }
        let quiet_until = TimeMs(self.quiet_until.0.load(Ordering::SeqCst));
        if quiet_until > now {
            return Ok(Claimed::Nothing(Step::WaitUntil(quiet_until)));
        }
        let mut sent = outbox::finished_since(conn, self.account, now.minus(DAY)).await?;
        // What a clock that stood ahead wrote down must not block sending until that date.
        sent.retain(|at| *at <= now);
        if let Some(until) = self.pace.wait(&sent, now) {
            let waiting = outbox::next_due(conn, self.account).await?.is_some();
            return Ok(Claimed::Nothing(if waiting { Step::WaitUntil(until) } else { Step::Idle }));
        }
        let Some(claim) = outbox::claim(conn, self.account, &self.owner, self.lease, now).await? else {
            let due = outbox::next_due(conn, self.account).await?;
            return Ok(Claimed::Nothing(due.map_or(Step::Idle, Step::WaitUntil)));
        };
        let post = posts::load(conn, &[claim.post]).await?.pop();
        let post =
            post.ok_or_else(|| StoreError::bad_value("outbox.post_id", format!("post {} is missing", claim.post)))?;
        // What may have gone out already is finished, whatever the filters say by now.
        if !claim.maybe_sent
            && let Some(rule) = self.refuse(conn, &post, now).await?
        {
            outbox::record(conn, claim.id, &self.owner, &Outcome::Dropped, rule.words(), now).await?;
            verdicts::turn_into_skip(conn, self.account, post.id, rule, None, now).await?;
            return Ok(Claimed::Dropped(Box::new(post), rule));
        }
        Ok(Claimed::Order(claim, Box::new(post)))
    }

    async fn refuse(
        &self,
        conn: &mut SqliteConnection,
        post: &ArchivedPost,
        now: TimeMs,
    ) -> Result<Option<Rule>, StoreError> {
        if let Some(rule) = self.filters.refuse(Subject::from(post), now) {
            return Ok(Some(rule));
        }
        let of_author = outbox::finished_of_author_since(conn, self.account, post.id, now.minus(DAY)).await?;
        let capped =
            of_author.len() >= self.pace.author_per_day || within(&of_author, HOUR, now) >= self.pace.author_per_hour;
        Ok(capped.then_some(Rule::AuthorCap))
    }

    async fn send(self: &Arc<Self>, claim: Claim, post: &ArchivedPost) -> Result<Step, StoreError> {
        let order =
            RepostOrder { post: post.remote_id.clone(), key: claim.repost_key.clone(), created_at: claim.ordered_at };
        let answer = tokio::select! {
            answer = self.network.repost(&order) => answer,
            () = self.out_of_patience() => {
                tracing::warn!(outbox = claim.id, "stopped while a repost was under way; its claim runs out by itself");
                return Ok(Step::Idle);
            }
        };
        let now = self.timing.now();
        let (outcome, result, detail, step) = self.judge(answer, claim.attempts, now);
        // Another row would only meet the same limit or fault, and lose its place in the order.
        if let Step::WaitUntil(until) = step {
            self.quiet_until.0.fetch_max(until.0, Ordering::SeqCst);
        }
        let halt = matches!(step, Step::Halted(_)).then(|| detail.clone());
        let (relay, id, saved) = (self.clone(), claim.id, detail.clone());
        let recorded = self
            .store
            .write("record a repost", move |conn| {
                let (relay, outcome, saved, halt) = (relay.clone(), outcome.clone(), saved.clone(), halt.clone());
                Box::pin(async move {
                    if let Some(reason) = &halt {
                        accounts::halt(conn, relay.account, reason).await?;
                    }
                    outbox::record(conn, id, &relay.owner, &outcome, &saved, now).await
                })
            })
            .await?;
        if !recorded {
            tracing::warn!(outbox = id, "the claim was lost to another process before its outcome was recorded");
        }
        self.tell(post, result, detail.clone());
        match &step {
            Step::Halted(_) => (self.observer)(Event::Halted { account: self.name.clone(), reason: detail }),
            Step::WaitUntil(until) => {
                (self.observer)(Event::Waiting { account: self.name.clone(), until: *until, reason: detail });
            }
            Step::Worked | Step::Idle => {}
        }
        Ok(step)
    }

    /// Ends a while after the pipeline is told to stop, so that a slow network can't hold up the shutdown.
    async fn out_of_patience(&self) {
        self.timing.stop().cancelled().await;
        tokio::time::sleep(PATIENCE_AT_STOP).await;
    }

    /// What the network's answer means for the row and for what comes next.
    fn judge(
        &self,
        answer: Result<RepostOutcome, NetworkError>,
        attempts: i64,
        now: TimeMs,
    ) -> (Outcome, SentResult, String, Step) {
        let error = match answer {
            Ok(RepostOutcome::Done(id)) => {
                return (Outcome::Done(id), SentResult::Reposted, "reposted".to_owned(), Step::Worked);
            }
            Ok(RepostOutcome::AlreadyThere) => {
                let detail = "the repost was there already".to_owned();
                return (Outcome::Done(None), SentResult::AlreadyThere, detail, Step::Worked);
            }
            Err(error) => error,
        };
        let detail = error.to_string();
        let (outcome, result, step) = match error {
            NetworkError::RateLimited { retry_at } | NetworkError::Capped { retry_at, .. } => {
                (Outcome::Again(retry_at), SentResult::Again, Step::WaitUntil(retry_at))
            }
            NetworkError::Transient(_) => {
                let retry_at = now.plus(backoff(attempts));
                (Outcome::Again(retry_at), SentResult::Again, Step::WaitUntil(retry_at))
            }
            NetworkError::Uncertain(_) => {
                let retry_at = now.plus(backoff(attempts));
                (Outcome::Uncertain(retry_at), SentResult::Uncertain, Step::WaitUntil(retry_at))
            }
            // An earlier try of the same call may have had its effect before the credentials were refused.
            NetworkError::Unauthorized(_) | NetworkError::Suspended(_) => {
                (Outcome::Uncertain(now), SentResult::Uncertain, Step::Halted(detail.clone()))
            }
            NetworkError::Gone(_) => (Outcome::Gone, SentResult::Gone, Step::Worked),
            NetworkError::Forbidden(_) => (Outcome::Refused, SentResult::Refused, Step::Worked),
            NetworkError::Rejected { .. } => (Outcome::Parked, SentResult::Parked, Step::Worked),
        };
        (outcome, result, detail, step)
    }

    fn tell(&self, post: &ArchivedPost, result: SentResult, detail: String) {
        let sent = Sent {
            post: PostId(post.id.0),
            remote_id: post.remote_id.clone(),
            author: post.author_handle.clone(),
            result,
            detail,
        };
        (self.observer)(Event::Sent { account: self.name.clone(), sent });
    }
}

impl Pace {
    /// When the next repost may go out, if not now. `sent` are the last day's, oldest first.
    fn wait(&self, sent: &[TimeMs], now: TimeMs) -> Option<TimeMs> {
        let room = |cap: usize, span: Duration| {
            let first = sent.len().checked_sub(cap)?;
            // With a cap of none there is never room; asking again after the span costs nothing.
            Some(sent.get(first).map_or(now, |oldest| *oldest).plus(span))
        };
        let gap = sent.last().map(|last| last.plus(self.min_gap));
        [gap, room(self.per_hour, HOUR), room(self.per_day, DAY)].into_iter().flatten().max().filter(|at| *at > now)
    }
}

fn within(times: &[TimeMs], span: Duration, now: TimeMs) -> usize {
    times.iter().filter(|time| **time > now.minus(span)).count()
}

/// Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter", 2015): anything up to a doubling bound, so
/// that many rows do not come back at once.
pub(super) fn backoff(attempts: i64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 16) - 1).unwrap_or(0);
    let bound = BACKOFF_FIRST.saturating_mul(1 << doublings).min(BACKOFF_LONGEST);
    // Randomness that no test depends on: every value within the bound is right.
    #[expect(clippy::disallowed_methods, reason = "jitter")]
    let factor = rand::rng().random_range(0.5..=1.0);
    bound.mul_f64(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace { min_gap: Duration::from_secs(10), per_hour: 2, per_day: 3, author_per_hour: 1, author_per_day: 1 }
    }

    #[test]
    fn the_gap_and_the_caps_are_kept() {
        let at = |seconds: i64| TimeMs(seconds * 1000);
        assert_eq!(pace().wait(&[], at(0)), None);
        assert_eq!(pace().wait(&[at(0)], at(5)), Some(at(10)), "the gap");
        assert_eq!(pace().wait(&[at(0)], at(10)), None, "the gap is over");
        assert_eq!(pace().wait(&[at(0), at(100)], at(200)), Some(at(3600)), "two in an hour");
        assert_eq!(pace().wait(&[at(0), at(100)], at(3600)), None, "the first is an hour old");
        assert_eq!(pace().wait(&[at(0), at(4000), at(8000)], at(12_000)), Some(at(86_400)), "three in a day");
    }

    #[test]
    fn waiting_grows_and_is_bounded() {
        for attempts in [1, 2, 5, 10, 1000] {
            let wait = backoff(attempts);
            assert!(wait >= Duration::from_secs(1) && wait <= BACKOFF_LONGEST, "{attempts}: {wait:?}");
        }
        assert!(backoff(20) > backoff(1));
    }
}
