//! Runs a replay: reading and taking texts apart in one thread, archiving and deciding in another.

use std::{io, io::Write, sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    lines::{BadLine, LineSource, ReplayInput},
    verdict_log::VerdictLog,
};
use crate::{
    dedup::{
        DedupPolicy,
        decide::{SharingPolicy, UnseenOriginal},
        filter::Filters,
    },
    model::{Clock, ManualClock, NetworkKind, TimeMs},
    pipeline::{
        batch::{Arrival, Batch, Reader},
        decision::Decision,
        intake,
    },
    store::{Store, StoreError, accounts, lock::WriteLock, posts},
};

/// How many batches may wait between the two threads.
const BATCHES_WAITING: usize = 4;

/// What is replayed, and how.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The sources, in order.
    pub sources: Vec<LineSource>,
    /// How many posts share a write transaction.
    pub batch: usize,
    /// How copies are recognised.
    pub dedup: DedupPolicy,
    /// How long a copy waits for its original, by the posts' own clock.
    pub grace: Duration,
    /// What happens then.
    pub unseen_original: UnseenOriginal,
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
    #[error("failed to read {name}: {source}")]
    Read {
        /// Which source.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The verdicts could not be written.
    #[error("failed to write the verdicts: {0}")]
    Write(#[from] io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One message of the reading thread.
enum Read {
    Posts(Vec<Arrival>),
    Bad(BadLine),
    Failed { name: String, source: io::Error },
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
        let (account, next) = store
            .write("prepare a replay", |conn| {
                Box::pin(async move {
                    let account = accounts::account(conn, "replay", NetworkKind::Replay, TimeMs(0)).await?;
                    Ok((account, posts::next_ids(conn).await?))
                })
            })
            .await?;
        let reader = Arc::new(Reader {
            account,
            watch: None,
            network: NetworkKind::Replay,
            filters: Filters::none(),
            dedup: self.dedup,
            sharing: SharingPolicy {
                grace: self.grace,
                unseen_original: self.unseen_original,
                replayed_is_shared: false,
            },
            sends: false,
        });
        let mut log = verdicts.map(|out| VerdictLog::new(out, next.first_post()));
        let (sender, mut batches) = mpsc::channel(BATCHES_WAITING);
        let (sources, batch) = (self.sources, self.batch);
        let reading = tokio::task::spawn_blocking(move || read(&sources, batch, &sender, on_bytes));

        let mut replayed = Replayed::default();
        while let Some(message) = batches.recv().await {
            match message {
                Read::Bad(bad) => {
                    replayed.bad_lines += 1;
                    on_bad(&bad);
                }
                Read::Failed { name, source } => return Err(ReplayError::Read { name, source }),
                Read::Posts(arrivals) => {
                    let own = arrivals.len();
                    let now = arrivals.last().map_or(TimeMs(0), |arrival| arrival.seen_at);
                    let batch = Arc::new(Batch { arrivals, ..Batch::default() });
                    let decisions = intake::take_in(store, reader.clone(), batch, now).await?;
                    replayed.posts += own as u64;
                    on_decisions(&decisions);
                    if let Some(log) = &mut log {
                        log.take(decisions, own)?;
                    }
                }
            }
        }
        if let Err(panic) = reading.await {
            return Err(ReplayError::Read { name: "the input".to_owned(), source: io::Error::other(panic) });
        }
        if let Some(log) = log {
            log.finish()?;
        }
        Ok(replayed)
    }
}

/// Reads all sources; ends when the other side has gone.
fn read(
    sources: &[LineSource],
    batch: usize,
    sender: &mpsc::Sender<Read>,
    on_bytes: impl Fn(u64) + Send + Sync + 'static,
) {
    let on_bytes = Arc::new(on_bytes);
    let clock = ManualClock::default();
    let mut arrivals = Vec::with_capacity(batch);
    for source in sources {
        let count = on_bytes.clone();
        let failed = |error| Read::Failed { name: source.name(), source: error };
        let mut input = match ReplayInput::open(source, move |bytes| count(bytes)) {
            Ok(input) => input,
            Err(error) => return drop(sender.blocking_send(failed(error))),
        };
        let mut before = clock.now();
        loop {
            let message = match input.next(before) {
                Ok(None) => break,
                Err(error) => return drop(sender.blocking_send(failed(error))),
                Ok(Some(Err(bad))) => Read::Bad(bad),
                Ok(Some(Ok(post))) => {
                    before = post.created_at;
                    clock.advance_to(post.created_at);
                    arrivals.push(Arrival::new(post, clock.now()));
                    if arrivals.len() < batch {
                        continue;
                    }
                    Read::Posts(std::mem::replace(&mut arrivals, Vec::with_capacity(batch)))
                }
            };
            if sender.blocking_send(message).is_err() {
                return;
            }
        }
    }
    if !arrivals.is_empty() {
        // Nobody to hear of it is no fault of the reader's.
        sender.blocking_send(Read::Posts(arrivals)).ok();
    }
}
