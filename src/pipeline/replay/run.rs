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
    model::{NetworkKind, TimeMs},
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

        store.spare_look_ups();
        let mut replayed = Replayed::default();
        let mut failure = None;
        let mut latest = TimeMs(i64::MIN);
        while let Some(message) = batches.recv().await {
            match message {
                Read::Bad(bad) => {
                    replayed.bad_lines += 1;
                    on_bad(&bad);
                }
                Read::Failed { name, source } => failure = Some(ReplayError::Read { name, source }),
                Read::Posts(arrivals) => {
                    let own = arrivals.len();
                    let now = arrivals.iter().map(|arrival| arrival.seen_at).max().unwrap_or(latest);
                    let batch = Arc::new(Batch { arrivals, ..Batch::default() });
                    let decisions = intake::take_in(store, reader.clone(), batch, now).await?;
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
            let ended = intake::end_holds(store, reader.clone(), latest).await?;
            if ended.is_empty() {
                break;
            }
            on_decisions(&ended);
            if let Some(log) = &mut log {
                log.take(ended, 0)?;
            }
        }
        if let Err(panic) = reading.await {
            return Err(ReplayError::Read { name: "the input".to_owned(), source: io::Error::other(panic) });
        }
        if let Some(log) = log {
            log.finish()?;
        }
        // What was read until the failure is archived, and its verdicts are written.
        failure.map_or(Ok(replayed), Err)
    }
}

/// Reads all sources; ends at the first that fails, or when the other side has gone.
fn read(
    sources: &[LineSource],
    batch: usize,
    sender: &mpsc::Sender<Read>,
    on_bytes: impl Fn(u64) + Send + Sync + 'static,
) {
    let on_bytes = Arc::new(on_bytes);
    let mut reader = Reading { batch, sender, before: TimeMs(0), arrivals: Vec::with_capacity(batch) };
    let failed = sources.iter().find_map(|source| {
        let count = on_bytes.clone();
        let read = ReplayInput::open(source, move |bytes| count(bytes)).and_then(|input| reader.read(input));
        read.err().map(|error| Read::Failed { name: source.name(), source: error })
    });
    let rest = (!reader.arrivals.is_empty()).then(|| Read::Posts(std::mem::take(&mut reader.arrivals)));
    // Nobody to hear of it is no fault of the reader's.
    rest.into_iter().chain(failed).all(|message| sender.blocking_send(message).is_ok());
}

/// The reading thread's state.
struct Reading<'a> {
    batch: usize,
    sender: &'a mpsc::Sender<Read>,
    /// The time of the post before, which a post without one takes.
    before: TimeMs,
    arrivals: Vec<Arrival>,
}

impl Reading<'_> {
    fn read(&mut self, mut input: ReplayInput) -> io::Result<()> {
        while let Some(line) = input.next(self.before)? {
            let message = match line {
                Err(bad) => Read::Bad(bad),
                Ok(post) => {
                    self.before = post.created_at;
                    self.arrivals.push(Arrival::new(post, self.before));
                    if self.arrivals.len() < self.batch {
                        continue;
                    }
                    Read::Posts(std::mem::replace(&mut self.arrivals, Vec::with_capacity(self.batch)))
                }
            };
            if self.sender.blocking_send(message).is_err() {
                return Ok(());
            }
        }
        Ok(())
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
            dedup: DedupPolicy::default(),
            grace: Duration::from_secs(120),
            unseen_original: UnseenOriginal::RepostCopy,
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
