//! How things end: dropped futures, crashes of the connection, full disks, shutdown.

use std::{fs, path::Path};

use firsthand::store::{OpenOptions, Store, StoreError, WriteLock};
use futures::{future::join_all, poll};
use sqlx::{Connection, Executor};

use super::{
    opening::raw,
    support::{Place, count_of, count_up, counting_up},
};

on_both_strategies!(
    a_dropped_write_is_wholly_there_or_wholly_absent,
    closing_finishes_what_was_handed_in,
    closing_empties_the_wal_although_another_connection_stays,
    closing_by_the_last_connection_leaves_one_file,
    a_crash_of_the_connection_is_an_error_and_commits_nothing,
    a_crash_under_a_read_is_an_error_not_an_empty_answer,
    a_full_disk_is_named_and_passes,
);

async fn a_dropped_write_is_wholly_there_or_wholly_absent<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    for number in 0..300 {
        let mut write = Box::pin(store.write("count twice", move |conn| {
            Box::pin(async move {
                count_up(conn, &format!("first {number}")).await?;
                count_up(conn, &format!("second {number}")).await
            })
        }));
        // Dropped after 0 to 19 looks at it: before it began, in its midst, or done.
        for _ in 0..number % 20 {
            if poll!(&mut write).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(store.write("count", counting_up("after")).await.unwrap(), 1);
    store.close().await.unwrap();

    let store = place.open::<L>().await;
    let mut whole = 0;
    for number in 0..300 {
        let first = count_of(&store, &format!("first {number}")).await;
        let second = count_of(&store, &format!("second {number}")).await;
        assert!(first == second && first <= 1, "write {number}: {first} and {second}");
        assert!(number % 20 > 0 || first == 0, "write {number} was never begun");
        whole += first;
    }
    assert!(whole > 0);
    store.close().await.unwrap();
}

async fn closing_finishes_what_was_handed_in<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    let mut writes: Vec<_> = (0..50).map(|_| Box::pin(store.write("count", counting_up("all")))).collect();
    for write in &mut writes {
        // Handed in, and not answered yet or just now.
        let _ = tokio::task::unconstrained(async { poll!(write).is_ready() }).await;
    }
    store.close().await.unwrap();
    let late = store.write("count", counting_up("all")).await.unwrap_err();
    assert!(matches!(late, StoreError::Closed { .. }), "{late}");
    let store = place.open::<L>().await;
    assert_eq!(count_of(&store, "all").await, 50);
    store.close().await.unwrap();
}

fn wal_bytes(path: &Path) -> u64 {
    fs::metadata(path.with_file_name("archive.db-wal")).map_or(0, |metadata| metadata.len())
}

async fn closing_empties_the_wal_although_another_connection_stays<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    let mut other = raw(&place.path).await;
    other.execute("SELECT count(*) FROM counters").await.unwrap();
    store.write("count", counting_up("a")).await.unwrap();
    assert!(wal_bytes(&place.path) > 0);
    store.close().await.unwrap();
    assert_eq!(wal_bytes(&place.path), 0);
    other.close().await.unwrap();
}

async fn closing_by_the_last_connection_leaves_one_file<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    store.write("count", counting_up("a")).await.unwrap();
    assert_eq!(count_of(&store, "a").await, 1);
    store.close().await.unwrap();
    let files: Vec<_> = fs::read_dir(place.path.parent().unwrap()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files, std::slice::from_ref(&place.path));
}

/// Two statements that crash sqlx's worker thread: a cached `SELECT *` after the table got another column.
async fn crash_the_worker(conn: &mut sqlx::SqliteConnection) -> Result<(), StoreError> {
    conn.execute("CREATE TABLE crash (a INTEGER)").await?;
    conn.execute("INSERT INTO crash VALUES (1)").await?;
    for _ in 0..2 {
        #[expect(clippy::disallowed_methods, reason = "the macros would not let this fault through")]
        sqlx::query("SELECT * FROM crash").fetch_all(&mut *conn).await?;
        // On the second round the worker is gone, and this is what tells.
        conn.execute("ALTER TABLE crash ADD COLUMN b INTEGER").await?;
    }
    Ok(())
}

async fn a_crash_of_the_connection_is_an_error_and_commits_nothing<L: WriteLock>() {
    let place = Place::new();
    let options = OpenOptions { deadline_ms: 500, silence_ms: 500, ..OpenOptions::new(&place.path) };
    let store = Store::<L>::open(options).await.unwrap();
    let crash = store.write("crash", |conn| {
        Box::pin(async move {
            count_up(conn, "a").await?;
            crash_the_worker(conn).await
        })
    });
    let error = crash.await.unwrap_err();
    assert!(error.is_wedged(), "{error}");
    let error = store.write("count", counting_up("b")).await.unwrap_err();
    assert!(error.is_wedged(), "{error}");
    store.close().await.unwrap();
    let store = place.open::<L>().await;
    assert_eq!(count_of(&store, "a").await, 0);
    store.close().await.unwrap();
}

async fn a_crash_under_a_read_is_an_error_not_an_empty_answer<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    let change = |statement: &'static str| {
        store.write("change the schema", move |conn| {
            Box::pin(async move { Ok(conn.execute(statement).await.map(drop)?) })
        })
    };
    let rows = || {
        store.read("read all", |conn| {
            Box::pin(async move {
                #[expect(clippy::disallowed_methods, reason = "the macros would not let this fault through")]
                let rows = sqlx::query("SELECT * FROM crash").fetch_all(conn).await?;
                Ok(rows.len())
            })
        })
    };
    change("CREATE TABLE crash AS SELECT 1 AS a").await.unwrap();
    assert_eq!(rows().await.unwrap(), 1);
    change("ALTER TABLE crash ADD COLUMN b INTEGER").await.unwrap();
    let error = rows().await.unwrap_err();
    assert!(error.is_wedged(), "{error}");
    let error = rows().await.unwrap_err();
    assert!(error.is_wedged(), "{error}");
    store.close().await.unwrap();
}

async fn a_full_disk_is_named_and_passes<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    let limit = |statement: &'static str| {
        store.write("limit the file", move |conn| Box::pin(async move { Ok(conn.execute(statement).await.map(drop)?) }))
    };
    let fill = || {
        store.write("keep a large element", |conn| {
            Box::pin(async move {
                count_up(conn, "filled").await?;
                let raw = "x".repeat(60_000);
                for _ in 0..20 {
                    sqlx::query!(
                        "INSERT INTO quarantine (network, received_at_ms, reason, raw)
                         VALUES ('x', 0, 'large', ?1 || (SELECT count(*) FROM quarantine))",
                        raw
                    )
                    .execute(&mut *conn)
                    .await?;
                }
                Ok(())
            })
        })
    };
    // SQLite takes the smallest possible limit, which is what the file has now.
    limit("PRAGMA max_page_count = 1").await.unwrap();
    let error = fill().await.unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }) && error.is_storage(), "{error}");
    assert!(error.to_string().contains("keep a large element"), "{error}");
    assert_eq!(count_of(&store, "filled").await, 0);
    limit("PRAGMA max_page_count = 100000").await.unwrap();
    join_all((0..3).map(|_| fill())).await.into_iter().for_each(|filled| filled.unwrap());
    assert_eq!(count_of(&store, "filled").await, 3);
    store.close().await.unwrap();
}
