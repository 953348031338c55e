//! Everything that is a [`WriteLock`]: the bot's two strategies, and those of `plain_pool.rs`.
#![expect(
    clippy::disallowed_methods,
    reason = "these two tables are no part of the schema that queries are checked on"
)]

use std::sync::Arc;

use firsthand::store::{JobFuture, OpenOptions, Store, StoreError, Synchronous, WriteLock};
use sqlx::SqliteConnection;

use super::{
    cells::{self, Workload},
    intake::Pages,
    protocol::Order,
    subject::{Read, Subject, Write},
    tables,
    verification::Row,
};

/// Opens the database through this strategy.
///
/// # Errors
/// What opening says.
pub(crate) async fn open<L: WriteLock>(order: &Order) -> anyhow::Result<Subject> {
    let options = OpenOptions {
        create: false,
        synchronous: match order.cell.synchronous {
            cells::Synchronous::Normal => Synchronous::Normal,
            cells::Synchronous::Full => Synchronous::Full,
        },
        ..OpenOptions::new(&order.database)
    };
    let store = Store::<L>::open(options).await?;
    let write: Write = match order.cell.workload {
        Workload::Intake => Pages::open(store.clone()).await?.taking_in(),
        Workload::Insert => writing(&store, |row| move |conn| Box::pin(log(conn, row))),
        Workload::Rmw | Workload::Mixed | Workload::Reader => {
            writing(&store, |row| move |conn| Box::pin(count_up(conn, row)))
        }
    };
    let counted = store.clone();
    Ok(Subject {
        write,
        read: reading(&store),
        retries: Arc::new(move || counted.metrics().retries),
        close: Box::new(move || Box::pin(async move { Ok(store.close().await?) })),
    })
}

/// A write through the store: the job is made anew for each row.
fn writing<L, F>(store: &Store<L>, job: fn(Row) -> F) -> Write
where
    L: WriteLock,
    F: for<'c> Fn(&'c mut SqliteConnection) -> JobFuture<'c, ()> + Send + Sync + 'static,
{
    let store = store.clone();
    Arc::new(move |row| {
        let store = store.clone();
        Box::pin(async move { Ok(store.write("write", job(row)).await?) })
    })
}

fn reading<L: WriteLock>(store: &Store<L>) -> Read {
    let store = store.clone();
    Arc::new(move || {
        let store = store.clone();
        Box::pin(async move { Ok(store.read("read", |conn| Box::pin(counter(conn))).await?) })
    })
}

async fn counter(conn: &mut SqliteConnection) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar(tables::READ).fetch_one(conn).await?)
}

async fn count_up(conn: &mut SqliteConnection, row: Row) -> Result<(), StoreError> {
    let value = counter(&mut *conn).await?;
    sqlx::query(tables::WRITE).bind(value + 1).execute(&mut *conn).await?;
    log(conn, row).await
}

async fn log(conn: &mut SqliteConnection, row: Row) -> Result<(), StoreError> {
    let insert = sqlx::query(tables::LOG).bind(row.process).bind(row.task).bind(row.sequence);
    insert.execute(conn).await?;
    Ok(())
}
