//! Whether the threads behind the connections still live.
//!
//! sqlx runs each connection on a thread of its own. A panic there answers the current query with no rows and no error,
//! and leaves the command that was queued meanwhile unanswered for ever. So every command is raced against its thread's
//! end.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, SqliteConnection};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::store::{Place, StoreError};

thread_local! {
    /// Lies on a connection's thread, and so is dropped when the thread ends, however it ends.
    static ALIVE: RefCell<Option<DropGuard>> = const { RefCell::new(None) };
}

/// Watches the connections of one store. The loss of any of them means a restart.
#[derive(Clone, Debug)]
pub(super) struct Liveness {
    lost: CancellationToken,
    /// How long one command may take: a net below the watch.
    silence: Duration,
}

impl Liveness {
    pub(super) fn new(silence: Duration) -> Self {
        Self { lost: CancellationToken::new(), silence }
    }

    /// Watches the thread of `conn` from now on. The returned flag is set at each rollback on it, also at those that
    /// SQLite decides on by itself.
    pub(super) async fn watch(&self, conn: &mut SqliteConnection) -> Result<Arc<AtomicBool>, sqlx::Error> {
        let rolled_back = Arc::new(AtomicBool::new(false));
        let flag = rolled_back.clone();
        let mut guard = Some(self.lost.clone().drop_guard());
        // The hook is the safe way to run something on that thread.
        conn.lock_handle().await?.set_rollback_hook(move || {
            flag.store(true, Ordering::SeqCst);
            if let Some(guard) = guard.take() {
                ALIVE.with(|alive| alive.replace(Some(guard)));
            }
        });
        conn.begin().await?.rollback().await?;
        Ok(rolled_back)
    }

    /// Whether a connection was lost.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.is_cancelled()
    }

    /// Declares the connection lost.
    pub(super) fn give_up(&self) {
        self.lost.cancel();
    }

    /// Awaits a command to a connection.
    pub(super) async fn answered<T>(
        &self,
        command: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        self.unless_lost(self.silence, async { Ok(command.await?) }).await
    }

    /// Awaits something that happens on a connection, for at most `limit`. It is dropped only once the connection is
    /// as good as dead.
    pub(super) async fn unless_lost<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let wedged = || StoreError::Wedged { place: Place::default() };
        tokio::select! {
            biased;
            result = tokio::time::timeout(limit, work) => match result {
                Ok(Err(error)) if error.is_worker_crash() => Err(wedged()),
                Ok(result) => result,
                Err(_) => Err(wedged()),
            },
            () = self.lost.cancelled() => Err(wedged()),
        }
    }
}
