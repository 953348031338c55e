//! Writing and reading: what is done is done once, and alone.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use firsthand::store::{OpenOptions, Place as ErrorPlace, Store, StoreError, WriteLock};
use futures::future::join_all;

use super::support::{Place, count_of, count_up, counting_up};

on_both_strategies!(
    a_write_is_there_for_the_next_read,
    a_job_that_runs_three_times_has_one_effect,
    a_failing_job_rolls_back_alone,
    a_panicking_job_rolls_back_alone,
    a_job_that_loses_its_transaction_leaves_the_connection_usable,
    nothing_that_a_read_writes_stays,
    many_tasks_lose_nothing,
    a_database_in_memory_keeps_its_content,
);

async fn a_write_is_there_for_the_next_read<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    assert_eq!(store.write("count", counting_up("a")).await.unwrap(), 1);
    assert_eq!(count_of(&store, "a").await, 1);
    let metrics = store.metrics();
    assert_eq!((metrics.writes, metrics.reads, metrics.commits, metrics.failures), (1, 1, 1, 0));
    assert_eq!(metrics.strategy, L::NAME);
    assert!(metrics.write_latency.max_us > 0);
    store.close().await.unwrap();
}

async fn a_job_that_runs_three_times_has_one_effect<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = runs.clone();
    let write = store.write("count", move |conn| {
        let run = counted.fetch_add(1, Ordering::SeqCst) + 1;
        Box::pin(async move {
            let count = count_up(conn, "a").await?;
            if run < 3 { Err(StoreError::rerun()) } else { Ok(count) }
        })
    });
    assert_eq!(write.await.unwrap(), 1);
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    assert_eq!(count_of(&store, "a").await, 1);
    assert_eq!(store.metrics().retries, 2);
    store.close().await.unwrap();
}

async fn a_failing_job_rolls_back_alone<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    // All in the queue at once, so that the single writer takes them as groups.
    let writes = (0..200).map(|number| {
        store.write("count", move |conn| {
            Box::pin(async move {
                count_up(conn, "all").await?;
                if number % 10 == 3 {
                    let source = format!("number {number}").into();
                    return Err(StoreError::BadValue { column: "counters.count", source });
                }
                Ok(number)
            })
        })
    });
    for (number, result) in join_all(writes).await.into_iter().enumerate() {
        match result {
            Ok(value) => assert!(value == number && number % 10 != 3),
            Err(error) => assert!(matches!(error, StoreError::BadValue { .. }) && number % 10 == 3, "{error}"),
        }
    }
    assert_eq!(count_of(&store, "all").await, 180);
    assert_eq!((store.metrics().writes, store.metrics().failures), (180, 20));
    store.close().await.unwrap();
}

async fn a_panicking_job_rolls_back_alone<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    let writes = (0..20).map(|number| {
        store.write("count", move |conn| {
            Box::pin(async move {
                count_up(conn, "all").await?;
                assert_ne!(number, 7, "this panic is part of the test");
                Ok(())
            })
        })
    });
    let results = join_all(writes).await;
    let panicked = results.iter().filter(|result| matches!(result, Err(StoreError::Panicked { .. }))).count();
    assert_eq!((panicked, results.iter().filter(|result| result.is_ok()).count()), (1, 19));
    assert_eq!(count_of(&store, "all").await, 19);
    store.close().await.unwrap();
}

async fn a_job_that_loses_its_transaction_leaves_the_connection_usable<L: WriteLock>() {
    let store = Store::<L>::open(OpenOptions::new(":memory:")).await.unwrap();
    store.write("count", counting_up("a")).await.unwrap();
    for succeeds in [true, false] {
        // What SQLite does by itself when a disk is full.
        let write = store.write("lose the transaction", move |conn| {
            Box::pin(async move {
                count_up(conn, "a").await?;
                sqlx::query!("ROLLBACK").execute(conn).await?;
                if succeeds { Ok(()) } else { Err(StoreError::Closed { place: ErrorPlace::default() }) }
            })
        });
        let others = join_all((0..5).map(|_| store.write("count", counting_up("b"))));
        let (lost, others) = futures::future::join(write, others).await;
        let error = lost.unwrap_err();
        assert!(!error.is_busy() && !error.is_wedged(), "{error}");
        others.into_iter().for_each(|result| _ = result.unwrap());
    }
    assert_eq!(count_of(&store, "a").await, 1);
    assert_eq!(count_of(&store, "b").await, 10);
    store.close().await.unwrap();
}

async fn nothing_that_a_read_writes_stays<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    // Refused by one strategy, rolled back by the other.
    let _ = store.read("count", counting_up("a")).await;
    assert_eq!(count_of(&store, "a").await, 0);
    store.close().await.unwrap();
}

async fn many_tasks_lose_nothing<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    let tasks = (0..64).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                store.write("count", counting_up("all")).await.unwrap();
                count_of(&store, "all").await;
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    assert_eq!(count_of(&store, "all").await, 640);
    store.close().await.unwrap();
}

async fn a_database_in_memory_keeps_its_content<L: WriteLock>() {
    let store = Store::<L>::open(OpenOptions::new(":memory:")).await.unwrap();
    let writes = (0..50).map(|_| store.write("count", counting_up("all")));
    join_all(writes).await.into_iter().for_each(|result| _ = result.unwrap());
    assert_eq!(count_of(&store, "all").await, 50);
    store.close().await.unwrap();
    let late = store.read("count", counting_up("all")).await.unwrap_err();
    assert!(matches!(late, StoreError::Closed { .. }), "{late}");
    let late = store.write("count", counting_up("all")).await.unwrap_err();
    assert!(matches!(late, StoreError::Closed { .. }), "{late}");
    store.close().await.unwrap();
}
