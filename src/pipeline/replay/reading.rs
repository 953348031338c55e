//! Where a replay's posts come from: a thread that reads files, or a task that reads an archive. Both take the texts apart.

use std::{io, sync::Arc};

use tokio::{sync::mpsc, task::JoinHandle};

use super::{
    lines::{BadLine, LineSource, ReplayInput},
    run::ReplayError,
};
use crate::{
    model::{NetworkKind, PostId, TimeMs},
    pipeline::batch::Arrival,
    store::ReadOnlyArchive,
};

/// How many batches may wait between the two sides.
const BATCHES_WAITING: usize = 4;

/// Where posts come from.
#[derive(Debug)]
pub enum Source {
    /// Files of JSON lines, in order.
    Lines(Vec<LineSource>),
    /// The posts of an archive up to this one, as they came. Native reposts are native reposts here too.
    Archive(ReadOnlyArchive, PostId),
}

/// What was read.
pub(super) enum Read {
    /// Posts of one network, as they came.
    Posts(NetworkKind, Vec<Arrival>),
    /// A line that can't be used.
    Bad(BadLine),
    /// Nothing more can be read.
    Failed(ReplayError),
}

/// Reading that is under way.
pub(super) struct Reading {
    batches: mpsc::Receiver<Read>,
    task: JoinHandle<()>,
}

impl Reading {
    /// Starts to read, in batches of at most `batch`. `on_progress` is told of the bytes read from files, before
    /// decompression, or of the posts read from an archive.
    pub(super) fn start(source: Source, batch: usize, on_progress: impl Fn(u64) + Send + Sync + 'static) -> Self {
        let (sender, batches) = mpsc::channel(BATCHES_WAITING);
        let task = match source {
            Source::Lines(sources) => {
                tokio::task::spawn_blocking(move || read_lines(&sources, batch, &sender, on_progress))
            }
            Source::Archive(archive, last) => tokio::spawn(async move {
                if let Err(error) = read_archive(archive, last, batch, &sender, on_progress).await {
                    // Nobody to hear of it is no fault of the reader's.
                    drop(sender.send(Read::Failed(error)).await);
                }
            }),
        };
        Self { batches, task }
    }

    /// What was read next; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Read> {
        self.batches.recv().await
    }

    /// Waits for the reader to end, which it does once everything is taken.
    ///
    /// # Errors
    /// If it panicked.
    pub(super) async fn ended(self) -> Result<(), ReplayError> {
        drop(self.batches);
        let panicked = |panic| ReplayError::Read { name: "the input".to_owned(), source: io::Error::other(panic) };
        self.task.await.map_err(panicked)
    }
}

/// Reads an archive page by page, with nothing held between two pages.
async fn read_archive(
    mut archive: ReadOnlyArchive,
    last: PostId,
    batch: usize,
    sender: &mpsc::Sender<Read>,
    on_progress: impl Fn(u64),
) -> Result<(), ReplayError> {
    let limit = u32::try_from(batch).unwrap_or(u32::MAX);
    let mut after = PostId(0);
    loop {
        let page = archive.posts(after, last, limit).await?;
        let Some((newest, ..)) = page.last() else { break };
        after = *newest;
        on_progress(page.len() as u64);
        // Ids of different networks mean nothing to each other.
        for run in page.chunk_by(|(_, a, _), (_, b, _)| a.network == b.network) {
            let arrivals = run.iter().map(|(_, post, seen_at)| Arrival::new(post.clone(), *seen_at)).collect();
            if sender.send(Read::Posts(run[0].1.network, arrivals)).await.is_err() {
                break;
            }
        }
    }
    Ok(archive.close().await?)
}

/// Reads all sources; ends at the first that fails, or when the other side has gone.
fn read_lines(
    sources: &[LineSource],
    batch: usize,
    sender: &mpsc::Sender<Read>,
    on_bytes: impl Fn(u64) + Send + Sync + 'static,
) {
    let on_bytes = Arc::new(on_bytes);
    let mut reader = Lines { batch, sender, before: TimeMs(0), arrivals: Vec::with_capacity(batch) };
    let failed = sources.iter().find_map(|source| {
        let count = on_bytes.clone();
        let read = ReplayInput::open(source, move |bytes| count(bytes)).and_then(|input| reader.read(input));
        read.err().map(|error| Read::Failed(ReplayError::Read { name: source.name(), source: error }))
    });
    let rest = (!reader.arrivals.is_empty()).then(|| reader.take());
    // Nobody to hear of it is no fault of the reader's.
    rest.into_iter().chain(failed).all(|message| sender.blocking_send(message).is_ok());
}

/// The reading thread's state.
struct Lines<'a> {
    batch: usize,
    sender: &'a mpsc::Sender<Read>,
    /// The time of the post before, which a post without one takes.
    before: TimeMs,
    arrivals: Vec<Arrival>,
}

impl Lines<'_> {
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
                    self.take()
                }
            };
            if self.sender.blocking_send(message).is_err() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn take(&mut self) -> Read {
        let arrivals = std::mem::replace(&mut self.arrivals, Vec::with_capacity(self.batch));
        Read::Posts(NetworkKind::Replay, arrivals)
    }
}
