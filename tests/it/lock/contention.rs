//! Several connections and several processes on one file.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
    time::Instant,
};

use firsthand::store::{OpenOptions, SingleWriter, Store, StoreError, TimeoutRetry, WriteLock};
use futures::future::join_all;
use sqlx::{Executor, SqliteConnection};

use super::{
    opening::raw,
    support::{Place, count_of, counting_up},
};

on_both_strategies!(
    a_foreign_lock_is_waited_for_then_told_then_forgotten,
    a_write_goes_through_when_a_foreign_lock_goes,
    reads_go_on_while_writes_wait_for_a_foreign_lock,
    a_limit_on_waiting_ends_the_wait_of_those_who_wait,
    a_read_behind_a_long_write_waits_a_bounded_time,
    hammered_by_many_tasks_every_increment_is_there,
    hammered_by_three_processes_of_both_strategies_every_increment_is_there,
);

async fn locked(path: &std::path::Path) -> SqliteConnection {
    let mut conn = raw(path).await;
    conn.execute("BEGIN IMMEDIATE").await.unwrap();
    conn
}

/// Looks on until a write has found the database locked.
async fn until_retried<L: WriteLock>(store: &Store<L>) {
    while store.metrics().retries == 0 {
        tokio::task::yield_now().await;
    }
}

async fn a_foreign_lock_is_waited_for_then_told_then_forgotten<L: WriteLock>() {
    let place = Place::new();
    let store = Store::<L>::open(OpenOptions { deadline_ms: 100, ..OpenOptions::new(&place.path) }).await.unwrap();
    let mut foreign = locked(&place.path).await;
    let writes = join_all((0..10).map(|_| store.write("count", counting_up("a"))));
    for result in writes.await {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Busy { waited_ms: 100.., .. }), "{error}");
        assert!(error.to_string().contains("count in "), "{error}");
    }
    let metrics = store.metrics();
    assert!(metrics.busy == 10 && metrics.retries > 1 && metrics.failures == 0, "{metrics:?}");
    foreign.execute("ROLLBACK").await.unwrap();
    assert_eq!(store.write("count", counting_up("a")).await.unwrap(), 1);
    store.close().await.unwrap();
}

async fn a_write_goes_through_when_a_foreign_lock_goes<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    let mut foreign = locked(&place.path).await;
    let release = async {
        until_retried(&store).await;
        foreign.execute("COMMIT").await.unwrap();
    };
    let writes = join_all((0..20).map(|_| store.write("count", counting_up("a"))));
    let (results, ()) = tokio::join!(writes, release);
    results.into_iter().for_each(|result| _ = result.unwrap());
    assert_eq!(count_of(&store, "a").await, 20);
    store.close().await.unwrap();
}

async fn reads_go_on_while_writes_wait_for_a_foreign_lock<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    store.write("count", counting_up("a")).await.unwrap();
    let mut foreign = locked(&place.path).await;
    let read = async {
        until_retried(&store).await;
        for _ in 0..10 {
            assert_eq!(count_of(&store, "a").await, 1);
        }
        foreign.execute("ROLLBACK").await.unwrap();
    };
    let writes = join_all((0..100).map(|_| store.write("count", counting_up("a"))));
    let (results, ()) = tokio::join!(writes, read);
    results.into_iter().for_each(|result| _ = result.unwrap());
    assert_eq!(count_of(&store, "a").await, 101);
    store.close().await.unwrap();
}

async fn a_limit_on_waiting_ends_the_wait_of_those_who_wait<L: WriteLock>() {
    let place = Place::new();
    let options = OpenOptions { deadline_ms: 3_600_000, ..OpenOptions::new(&place.path) };
    let store = Store::<L>::open(options).await.unwrap();
    let mut foreign = locked(&place.path).await;
    let limit = async {
        until_retried(&store).await;
        store.limit_waiting(0);
    };
    let writes = join_all((0..10).map(|_| store.write("count", counting_up("a"))));
    let (results, ()) = tokio::join!(writes, limit);
    for result in results {
        let error = result.unwrap_err();
        assert!(error.is_busy(), "{error}");
    }
    foreign.execute("ROLLBACK").await.unwrap();
    // What needs no waiting still works, so that shutdown can record its last outcomes.
    store.write("count", counting_up("a")).await.unwrap();
    store.close().await.unwrap();
}

async fn a_read_behind_a_long_write_waits_a_bounded_time<L: WriteLock>() {
    let options = OpenOptions { read_wait_ms: 20, ..OpenOptions::new(":memory:") };
    let store = Store::<L>::open(options).await.unwrap();
    let (began, mut has_begun) = tokio::sync::mpsc::unbounded_channel();
    let end = std::sync::Arc::new(tokio::sync::Notify::new());
    let ended = end.clone();
    let write = store.write("write for long", move |_| {
        began.send(()).unwrap();
        let ended = ended.clone();
        Box::pin(async move {
            ended.notified().await;
            Ok(())
        })
    });
    let read = async {
        has_begun.recv().await.unwrap();
        let error = store.read("read", |_| Box::pin(async { Ok(()) })).await.unwrap_err();
        assert!(matches!(error, StoreError::ReadWait { waited_ms: 20.., .. }), "{error}");
        end.notify_one();
    };
    let (written, ()) = tokio::join!(write, read);
    written.unwrap();
    store.close().await.unwrap();
}

/// Names the database that a process started by the next test is to hammer. (Not `FIRSTHAND_…`, which would configure
/// the bot.)
const HAMMERED: &str = "HAMMER_DATABASE";
const TASKS: i64 = 32;

/// Increments a task makes; the variable is for the long form.
fn increments() -> i64 {
    std::env::var("HAMMER_INCREMENTS").map_or(20, |text| text.parse().unwrap())
}

async fn hammered_by_many_tasks_every_increment_is_there<L: WriteLock>() {
    let place = Place::new();
    let own = std::env::var_os(HAMMERED);
    let path = own.as_ref().map_or(place.path.clone(), PathBuf::from);
    let counter = if own.is_some() { std::process::id().to_string() } else { "own".to_owned() };
    let store = Store::<L>::open(OpenOptions::new(path)).await.unwrap();
    let started = Instant::now();
    let tasks = (0..TASKS).map(|_| {
        let (store, counter) = (store.clone(), counter.clone());
        tokio::spawn(async move {
            for _ in 0..increments() {
                store.write("count", counting_up(counter.clone())).await.unwrap();
                store.write("count", counting_up("shared")).await.unwrap();
            }
        })
    });
    join_all(tasks).await.into_iter().for_each(|task| task.unwrap());
    println!("{:?} {:?}", started.elapsed(), store.metrics());
    assert_eq!(count_of(&store, &counter).await, TASKS * increments());
    let metrics = store.metrics();
    assert_eq!((metrics.busy, metrics.failures), (0, 0));
    store.close().await.unwrap();
}

async fn hammered_by_three_processes_of_both_strategies_every_increment_is_there<L: WriteLock>() {
    let place = Place::new();
    let spawn = |strategy: &str| {
        let module = format!("lock::contention::{}", strategy.replace('-', "_"));
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("{module}::hammered_by_many_tasks_every_increment_is_there"), "--nocapture"])
            .env(HAMMERED, &place.path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let other = if L::NAME == TimeoutRetry::NAME { SingleWriter::NAME } else { TimeoutRetry::NAME };
    let processes = [L::NAME, L::NAME, other].map(spawn);
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        println!("{text}");
    }
    let store = place.open::<L>().await;
    assert_eq!(count_of(&store, "shared").await, 3 * TASKS * increments());
    store.close().await.unwrap();
}

/// How many descriptors of this process are open on the file itself.
#[cfg(target_os = "linux")]
fn descriptors_on(path: &std::path::Path) -> usize {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap();
    let opened = descriptors.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    opened.filter(|target| target == path).count()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timeout_retry_has_exactly_one_connection() {
    let place = Place::new();
    let path = place.path.parent().unwrap().canonicalize().unwrap().join("archive.db");
    assert_eq!(descriptors_on(&path), 0);
    let store = place.open::<TimeoutRetry>().await;
    assert_eq!(descriptors_on(&path), 1);
    let tasks = (0..20).map(|_| {
        let (store, path) = (store.clone(), path.clone());
        tokio::spawn(async move {
            store.write("count", counting_up("all")).await.unwrap();
            assert_eq!(descriptors_on(&path), 1);
            count_of(&store, "all").await;
            assert_eq!(descriptors_on(&path), 1);
        })
    });
    join_all(tasks).await.into_iter().for_each(|task| task.unwrap());
    store.close().await.unwrap();
    assert_eq!(descriptors_on(&path), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_writer_has_one_connection_to_write_and_two_to_read() {
    let place = Place::new();
    let path = place.path.parent().unwrap().canonicalize().unwrap().join("archive.db");
    let store = place.open::<SingleWriter>().await;
    let tasks = (0..20).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            store.write("count", counting_up("all")).await.unwrap();
            count_of(&store, "all").await
        })
    });
    join_all(tasks).await.into_iter().for_each(|task| _ = task.unwrap());
    assert!((2..=3).contains(&descriptors_on(&path)));
    store.close().await.unwrap();
    assert_eq!(descriptors_on(&path), 0);
}
