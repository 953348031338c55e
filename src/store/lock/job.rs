//! A write on its way to the writer task, with the place where its answer goes.

use std::{path::Path, sync::Arc, time::Instant};

use futures::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

use super::{liveness::Liveness, metrics::Meter, transaction::run_job, write_lock::JobFuture};
use crate::store::StoreError;

/// A job of any type.
pub(super) trait Job: Send {
    /// The operation's name.
    fn what(&self) -> &'static str;

    /// When it was handed in.
    fn started(&self) -> Instant;

    /// Runs it, and keeps what it returns.
    fn run<'c>(
        &'c mut self,
        conn: &'c mut SqliteConnection,
        liveness: &'c Liveness,
    ) -> BoxFuture<'c, Result<(), StoreError>>;

    /// Answers the caller: with what the last run returned, or with `error`.
    fn finish(self: Box<Self>, error: Option<StoreError>);
}

/// A job that returns a `T`.
pub(super) struct TypedJob<T, F> {
    pub(super) what: &'static str,
    pub(super) started: Instant,
    pub(super) job: F,
    /// What the last run returned.
    pub(super) value: Option<T>,
    /// The caller, who may have gone away.
    pub(super) reply: oneshot::Sender<Result<T, StoreError>>,
    pub(super) meter: Arc<Meter>,
    pub(super) file: Option<Arc<Path>>,
}

impl<T, F> Job for TypedJob<T, F>
where
    T: Send + 'static,
    F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, T> + Send + Sync + 'static,
{
    fn what(&self) -> &'static str {
        self.what
    }

    fn started(&self) -> Instant {
        self.started
    }

    fn run<'c>(
        &'c mut self,
        conn: &'c mut SqliteConnection,
        liveness: &'c Liveness,
    ) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            self.value = None;
            self.value = Some(run_job(conn, liveness, &self.job).await?);
            Ok(())
        })
    }

    fn finish(self: Box<Self>, error: Option<StoreError>) {
        let answer = match (error, self.value) {
            (None, Some(value)) => Ok(value),
            (error, _) => {
                Err(error.unwrap_or(StoreError::Closed { place: Default::default() }).at(self.what, self.file.as_ref()))
            }
        };
        self.meter.write_ended(self.started, answer.as_ref().err());
        // A caller who dropped the future gets no answer; the work stands all the same.
        let _ = self.reply.send(answer);
    }
}
