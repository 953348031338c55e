//! Runs a replay: reading and taking texts apart in one thread, archiving and deciding in another.

use std::{io, io::Write, sync::Arc, time::Duration};

use super::{
    lines::{BadLine, LineSource},
    reading::{Read, Reading, Source},
    verdict_log::VerdictLog,
};
use crate::{
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{AccountId, NetworkKind, TimeMs},
    pipeline::{
        batch::{Batch, Reader},
        decision::Decision,
        intake, standing,
    },
    store::{
        Store, StoreError, accounts,
        lock::WriteLock,
        posts::{self, NextIds},
    },
};

/// What is replayed, and how.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The sources, in order.
    pub sources: Vec<LineSource>,
    /// How many posts share a write transaction.
    pub batch: usize,
    /// How it is decided.
    pub policy: Policy,
}

/// What came of a replay.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Posts read.
    pub posts: u64,
    /// Lines that could not be used.
    pub bad_lines: u64,
}

/// Why a replay ended early. What was committed until then stays.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A source could not be read.
    #[error("read {name}")]
    Read {
        /// Which source.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The verdicts could not be written.
    #[error("write the verdicts")]
    Write(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How copies are recognised in a replay, and what becomes of them.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How copies are recognised.
    pub dedup: DedupPolicy,
    /// How long a copy waits for its original, by the posts' own clock.
    pub grace: Duration,
    /// What happens then.
    pub unseen_original: UnseenOriginal,
}

/// One archive that a replay fills, by one policy.
pub(super) struct Filling<'s, L: WriteLock> {
    store: &'s Store<L>,
    account: AccountId,
    policy: Policy,
    /// The ids that the replay's first post and thing take.
    pub(super) next: NextIds,
}

impl<'s, L: WriteLock> Filling<'s, L> {
    pub(super) async fn begin(store: &'s Store<L>, policy: Policy) -> Result<Self, StoreError> {
        let (account, next) = store
            .write("prepare a replay", |conn| {
                Box::pin(async move {
                    let account = accounts::account(conn, "replay", NetworkKind::Replay, TimeMs(0)).await?;
                    Ok((account, posts::next_ids(conn).await?))
                })
            })
            .await?;
        Ok(Self { store, account, policy, next })
    }

    /// The account that decides here.
    pub(super) fn account(&self) -> AccountId {
        self.account
    }

    fn reader(&self, network: NetworkKind) -> Arc<Reader> {
        Arc::new(Reader {
            account: self.account,
            watch: None,
            network,
            filters: Filters::none(),
            dedup: self.policy.dedup,
            sharing: SharingPolicy {
                grace: self.policy.grace,
                unseen_original: self.policy.unseen_original,
                replayed_is_shared: false,
            },
            sends: false,
        })
    }

    /// Takes in posts of one network; the decisions come as from [`intake::take_in`].
    pub(super) async fn take_in(
        &self,
        network: NetworkKind,
        batch: Arc<Batch>,
        now: TimeMs,
    ) -> Result<Vec<Decision>, StoreError> {
        intake::take_in(self.store, self.reader(network), batch, now).await
    }

    /// Ends holds that are over at `now`, not all at once: none is left when nothing is decided any more.
    pub(super) async fn end_holds(&self, now: TimeMs) -> Result<Vec<Decision>, StoreError> {
        standing::end_holds(self.store, self.reader(NetworkKind::Replay), now).await
    }
}

impl Replay {
    /// Runs the replay. `verdicts` takes the log; `on_decisions` is told what was decided after each commit, `on_bad`
    /// of every bad line, `on_bytes` how much was read.
    ///
    /// # Errors
    /// See [`ReplayError`].
    pub async fn run<L: WriteLock>(
        self,
        store: &Store<L>,
        verdicts: Option<Box<dyn Write + Send>>,
        mut on_decisions: impl FnMut(&[Decision]),
        mut on_bad: impl FnMut(&BadLine),
        on_bytes: impl Fn(u64) + Send + Sync + 'static,
    ) -> Result<Replayed, ReplayError> {
        let filling = Filling::begin(store, self.policy).await?;
        let mut log = verdicts.map(|out| VerdictLog::new(out, filling.next.first_post()));
        let mut reading = Reading::start(Source::Lines(self.sources), self.batch, on_bytes);

        store.spare_look_ups();
        let mut replayed = Replayed::default();
        let mut failure = None;
        let mut latest = TimeMs(i64::MIN);
        while let Some(message) = reading.next().await {
            match message {
                Read::Bad(bad) => {
                    replayed.bad_lines += 1;
                    on_bad(&bad);
                }
                Read::Failed(error) => failure = Some(error),
                Read::Posts(network, arrivals) => {
                    let own = arrivals.len();
                    let now = arrivals.iter().map(|arrival| arrival.seen_at).max().unwrap_or(latest);
                    let batch = Arc::new(Batch { arrivals, ..Batch::default() });
                    let decisions = filling.take_in(network, batch, now).await?;
                    replayed.posts += own as u64;
                    on_decisions(&decisions);
                    if let Some(log) = &mut log {
                        log.take(decisions, own)?;
                    }
                    latest = latest.max(now);
                }
            }
        }
        loop {
            let ended = filling.end_holds(latest).await?;
            if ended.is_empty() {
                break;
            }
            on_decisions(&ended);
            if let Some(log) = &mut log {
                log.take(ended, 0)?;
            }
        }
        reading.ended().await?;
        if let Some(log) = log {
            log.finish()?;
        }
        // What was read until the failure is archived, and its verdicts are written.
        failure.map_or(Ok(replayed), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pipeline::replay::VerdictLine,
        store::{OpenOptions, TimeoutRetry},
    };

    /// The verdicts, without the original: a page that holds it tells it where a page of one can't know it yet.
    async fn verdicts(lines: &str, batch: usize) -> Vec<VerdictLine> {
        let folder = tempfile::tempdir().unwrap();
        let (posts, out) = (folder.path().join("posts.jsonl"), folder.path().join("verdicts.jsonl"));
        std::fs::write(&posts, lines).unwrap();
        let store = Store::<TimeoutRetry>::open(OpenOptions::new(":memory:")).await.unwrap();
        let replay = Replay {
            sources: vec![LineSource::File(posts)],
            batch,
            policy: Policy {
                dedup: DedupPolicy::default(),
                grace: Duration::from_secs(120),
                unseen_original: UnseenOriginal::RepostCopy,
            },
        };
        let log = std::fs::File::create(&out).unwrap();
        replay.run(&store, Some(Box::new(log)), |_| {}, |_| {}, |_| {}).await.unwrap();
        store.close().await.unwrap();
        let written = std::fs::read_to_string(out).unwrap();
        let lines = written.lines().map(|line| serde_json::from_str::<VerdictLine>(line).unwrap());
        lines.map(|line| VerdictLine { original: None, ..line }).collect()
    }

    #[tokio::test]
    async fn verdicts_do_not_depend_on_how_the_lines_are_parted_into_batches() {
        let dispatch =
            |thing: u32| format!("Dispatch from harbour {thing}: the pilot boat leaves before the storm does");
        let mut lines = String::new();
        let mut say = |minute: u32, author: &str, text: String| {
            let (id, at) = (lines.lines().count(), format!("2026-11-01T08:{minute:02}:00Z"));
            let line = serde_json::json!({ "id": id.to_string(), "author": author, "text": text, "created_at": at });
            lines.push_str(&format!("{line}\n"));
        };
        say(0, "magpie", format!("RT @ann: {}", dispatch(1)));
        say(1, "ann", dispatch(1)); // within the grace time
        say(2, "magpie", format!("RT @bea: {}", dispatch(2)));
        say(3, "parrot", dispatch(1));
        say(9, "bea", dispatch(2)); // after it
        say(10, "magpie", format!("RT @cid: {}", dispatch(3))); // whose original never comes
        say(20, "dan", dispatch(4));
        say(20, "magpie", format!("RT @eve: {}", dispatch(5))); // still waiting at the end
        let whole = verdicts(&lines, 500).await;
        let actions: Vec<&str> = whole.iter().map(|line| line.action.as_str()).collect();
        assert_eq!(actions, ["skip", "repost", "repost", "skip", "repost", "repost", "repost", "hold"]);
        for batch in [1, 3] {
            assert_eq!(verdicts(&lines, batch).await, whole, "batches of {batch}");
        }
    }
}
