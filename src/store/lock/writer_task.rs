//! The task that owns the writing connection: it takes waiting jobs by the group and commits each group at once.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use sqlx::{Connection, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, mpsc};

use super::{
    job::Job,
    liveness::Liveness,
    metrics::Meter,
    patience::{self, Patience},
    politeness::Politeness,
    timeout_retry::empty_the_wal,
    transaction,
};
use crate::store::{Place, StoreError};

/// Jobs in one transaction. At 64, committing costs little beside the work, and a group still ends within milliseconds.
const GROUP: usize = 64;

/// How often other tasks are let run before a group begins. Those who have just been answered hand in their next job then;
/// otherwise the first of them would get a transaction, and a wait for the disk, of its own. With 16 to 64 callers and
/// `synchronous = FULL` it brought 40 % and more; 8 times brought no more than 4, and a lone caller loses nothing.
const TURNS_FOR_OTHERS: usize = 4;

/// The writer's state. Consumed by [`WriterTask::run`].
pub(super) struct WriterTask {
    /// The jobs, in the order in which they were handed in.
    pub(super) jobs: mpsc::Receiver<Box<dyn Job>>,
    /// The writing connection. For `:memory:`, reads borrow it between groups; otherwise nobody else takes this lock.
    /// `None` once it is closed.
    pub(super) conn: Arc<Mutex<Option<SqliteConnection>>>,
    /// Closed before the writing connection, so that the last one to close empties the WAL.
    pub(super) readers: Option<SqlitePool>,
    pub(super) patience: Arc<Patience>,
    pub(super) meter: Arc<Meter>,
    pub(super) file: Option<Arc<Path>>,
    pub(super) liveness: Liveness,
    /// Set by SQLite at each rollback, also at those that it decides on by itself.
    pub(super) rolled_back: Arc<AtomicBool>,
}

/// How a group's jobs share a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    /// A failing job spoils the transaction for all.
    Plain,
    /// Each job stands in a savepoint of its own; a failing one rolls back alone.
    Savepoints,
}

impl WriterTask {
    /// Works until every sender is gone and the queue is empty, then closes the database.
    pub(super) async fn run(mut self) -> Result<(), StoreError> {
        let mut politeness = Politeness::new(Instant::now());
        let mut waiting = Vec::with_capacity(GROUP);
        while self.jobs.recv_many(&mut waiting, GROUP).await > 0 {
            let mut group = std::mem::take(&mut waiting);
            self.let_others_join(&mut group).await;
            if self.liveness.is_lost() {
                fail_as_wedged(group);
            } else {
                self.work_off(group, &mut politeness).await;
            }
        }
        self.close().await
    }

    /// Adds the jobs of those who hand them in right now.
    async fn let_others_join(&mut self, group: &mut Vec<Box<dyn Job>>) {
        for _ in 0..TURNS_FOR_OTHERS {
            tokio::task::yield_now().await;
            while group.len() < GROUP
                && let Ok(job) = self.jobs.try_recv()
            {
                group.push(job);
            }
        }
    }

    /// Answers every job of the group.
    async fn work_off(&self, group: Vec<Box<dyn Job>>, politeness: &mut Politeness) {
        let mut pending = vec![(group, Sharing::Plain)];
        while let Some((mut group, sharing)) = pending.pop() {
            let Err(error) = self.settle(&mut group, sharing, politeness).await else { continue };
            if error.is_wedged() {
                self.liveness.give_up();
                fail_as_wedged(group);
                pending.into_iter().for_each(|(group, _)| fail_as_wedged(group));
                return;
            }
            match sharing {
                _ if group.len() == 1 => finish_each(group, [Some(error)]),
                Sharing::Plain => pending.push((group, Sharing::Savepoints)),
                // The transaction itself fails, so each job learns why from one of its own.
                Sharing::Savepoints => {
                    pending.extend(group.into_iter().rev().map(|job| (vec![job], Sharing::Plain)));
                }
            }
        }
    }

    /// Tries the group until it is committed and answered, its jobs' patience is over, or it fails as a whole.
    async fn settle(
        &self,
        group: &mut Vec<Box<dyn Job>>,
        sharing: Sharing,
        politeness: &mut Politeness,
    ) -> Result<(), StoreError> {
        let mut tries = 0;
        while !group.is_empty() {
            politeness.leave_gap().await;
            tries += 1;
            match self.try_once(group, sharing, politeness).await {
                Ok(errors) => {
                    self.meter.committed();
                    finish_each(group.drain(..errors.len()).collect(), errors);
                    tries = 0;
                }
                Err(error) if error.is_locked() => {
                    politeness.saw_busy(Instant::now());
                    self.give_up_overdue(group, tries);
                    if !group.is_empty() {
                        self.meter.retried();
                        self.patience.pause(tries).await;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// One transaction over the group, or over its first jobs if others wait for the lock; returns the own error of each
    /// job that it holds.
    async fn try_once(
        &self,
        group: &mut [Box<dyn Job>],
        sharing: Sharing,
        politeness: &mut Politeness,
    ) -> Result<Vec<Option<StoreError>>, StoreError> {
        let mut slot = self.conn.lock().await;
        let Some(conn) = slot.as_mut() else {
            return Err(StoreError::Closed { place: Place::default() });
        };
        let mut transaction = transaction::begin_immediate(conn, &self.liveness).await?;
        let taken = Instant::now();
        self.rolled_back.store(false, Ordering::SeqCst);
        let result = match self.run_all(&mut transaction, group, sharing, |now| politeness.is_enough(taken, now)).await
        {
            Ok(errors) => transaction::commit(transaction, &self.liveness).await.map(|()| errors),
            Err(error) => {
                // If the rollback fails as well, `clear` sees to it.
                let _ = self.liveness.answered(transaction.rollback()).await;
                Err(error)
            }
        };
        politeness.worked(taken, Instant::now());
        if result.is_err() {
            transaction::clear(conn, &self.liveness).await?;
        }
        result
    }

    async fn run_all(
        &self,
        transaction: &mut SqliteConnection,
        group: &mut [Box<dyn Job>],
        sharing: Sharing,
        is_enough: impl Fn(Instant) -> bool,
    ) -> Result<Vec<Option<StoreError>>, StoreError> {
        let mut errors = Vec::with_capacity(group.len());
        for job in group {
            let error = match sharing {
                Sharing::Plain => job.run(transaction, &self.liveness).await.map(|()| None)?,
                Sharing::Savepoints => self.run_in_savepoint(transaction, job).await?,
            };
            // Without the group's transaction, the next job would commit by itself, and then run again.
            if self.rolled_back.load(Ordering::SeqCst) {
                return Err(StoreError::TransactionLost { place: Place::default() });
            }
            errors.push(error);
            if is_enough(Instant::now()) {
                break;
            }
        }
        Ok(errors)
    }

    /// Runs a job so that its failure, which is returned, undoes nothing but its own work.
    async fn run_in_savepoint(
        &self,
        transaction: &mut SqliteConnection,
        job: &mut Box<dyn Job>,
    ) -> Result<Option<StoreError>, StoreError> {
        let mut savepoint = self.liveness.answered(transaction.begin()).await?;
        match job.run(&mut savepoint, &self.liveness).await {
            Ok(()) => {
                self.liveness.answered(savepoint.commit()).await?;
                Ok(None)
            }
            Err(error) if error.is_locked() => Err(error),
            Err(error) => {
                self.liveness.answered(savepoint.rollback()).await?;
                Ok(Some(error))
            }
        }
    }

    /// Answers the jobs that have waited long enough; the others stay.
    fn give_up_overdue(&self, group: &mut Vec<Box<dyn Job>>, tries: u64) {
        for job in group.extract_if(.., |job| self.patience.is_over(job.started())) {
            let error = patience::busy(job.what(), self.file.as_ref(), job.started(), tries);
            job.finish(Some(error));
        }
    }

    async fn close(self) -> Result<(), StoreError> {
        if self.liveness.is_lost() {
            // The pool would wait for a dead connection for ever; it is marked as closed, and that must do.
            self.readers.iter().for_each(|readers| drop(readers.close()));
            return Ok(());
        }
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        if let Some(mut conn) = self.conn.lock().await.take() {
            empty_the_wal(&mut conn).await;
            conn.close().await?;
        }
        Ok(())
    }
}

fn finish_each(group: Vec<Box<dyn Job>>, errors: impl IntoIterator<Item = Option<StoreError>>) {
    group.into_iter().zip(errors).for_each(|(job, error)| job.finish(error));
}

fn fail_as_wedged(group: Vec<Box<dyn Job>>) {
    group.into_iter().for_each(|job| job.finish(Some(StoreError::Wedged { place: Place::default() })));
}
