//! Other ways to SQLite from async Rust, on the same library: rusqlite behind a mutex, and async-sqlite.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::bail;
use async_sqlite::ClientBuilder;
use futures::future::BoxFuture;
use rusqlite::{Connection, TransactionBehavior};

use super::{
    cells::Workload,
    protocol::Order,
    subject::{Failure, Subject},
    tables::{LOG, READ, WAL_AUTOCHECKPOINT_PAGES, WRITE},
    verification::Row,
};

/// How long SQLite waits for a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A write transaction on rusqlite's connection.
type Job = fn(&mut Connection, Row) -> rusqlite::Result<()>;

/// The write of the workload.
fn job(workload: Workload) -> anyhow::Result<Job> {
    match workload {
        Workload::Rmw | Workload::Mixed | Workload::Reader => Ok(count_up),
        Workload::Insert => Ok(log_alone),
        Workload::Intake => bail!("the intake is written for sqlx"),
    }
}

/// Opens rusqlite's connection.
///
/// # Errors
/// What SQLite says.
pub(crate) fn open_rusqlite(order: &Order) -> anyhow::Result<Subject> {
    let job = job(order.cell.workload)?;
    let conn = Connection::open(&order.database)?;
    set_up(&conn, order.cell.synchronous.name())?;
    let conn = Arc::new(Mutex::new(conn));
    let (writer, reader) = (conn.clone(), conn);
    Ok(Subject {
        write: Arc::new(move |row| on_a_blocking_thread(&writer, move |conn| job(conn, row))),
        read: Arc::new(move || on_a_blocking_thread(&reader, |conn| read(conn))),
        retries: Arc::new(|| 0),
        close: Box::new(|| Box::pin(async { Ok(()) })),
    })
}

fn on_a_blocking_thread<T: Send + 'static>(
    conn: &Arc<Mutex<Connection>>,
    work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
) -> BoxFuture<'static, Result<T, Failure>> {
    let conn = conn.clone();
    let work = move || work(&mut conn.lock().unwrap_or_else(PoisonError::into_inner));
    Box::pin(async {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => Ok(result?),
            Err(error) => Err(Failure(error.to_string())),
        }
    })
}

/// Opens async-sqlite's client.
///
/// # Errors
/// What SQLite says.
pub(crate) async fn open_async_sqlite(order: &Order) -> anyhow::Result<Subject> {
    let job = job(order.cell.workload)?;
    let synchronous = order.cell.synchronous.name();
    let client = ClientBuilder::new().path(&order.database).open().await?;
    client.conn(move |conn| set_up(conn, synchronous)).await?;
    let (writer, reader) = (client.clone(), client.clone());
    Ok(Subject {
        write: Arc::new(move |row| {
            let client = writer.clone();
            Box::pin(async move { Ok(client.conn_mut(move |conn| job(conn, row)).await?) })
        }),
        read: Arc::new(move || {
            let client = reader.clone();
            Box::pin(async move { Ok(client.conn(read).await?) })
        }),
        retries: Arc::new(|| 0),
        close: Box::new(move || Box::pin(async move { Ok(client.close().await?) })),
    })
}

/// The same settings as all strategies have; the WAL is the file's own.
fn set_up(conn: &Connection, synchronous: &str) -> rusqlite::Result<()> {
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "foreign_keys", true)?;
    conn.pragma_update(None, "synchronous", synchronous)?;
    conn.pragma_update_and_check(None, "wal_autocheckpoint", WAL_AUTOCHECKPOINT_PAGES, |_| Ok(()))
}

fn read(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached(READ)?.query_row([], |row| row.get(0))
}

fn count_up(conn: &mut Connection, row: Row) -> rusqlite::Result<()> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = read(&transaction)?;
    transaction.prepare_cached(WRITE)?.execute([value + 1])?;
    log(&transaction, row)?;
    transaction.commit()
}

fn log_alone(conn: &mut Connection, row: Row) -> rusqlite::Result<()> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    log(&transaction, row)?;
    transaction.commit()
}

fn log(conn: &Connection, row: Row) -> rusqlite::Result<()> {
    conn.prepare_cached(LOG)?.execute((row.process, row.task, row.sequence)).map(drop)
}
