//! Two bots on one database: kept apart, and where they are let, in nobody's way.

use std::{sync::Arc, time::Instant};

use firsthand::{
    model::SystemClock,
    pipeline::{
        daemon::{self, Shared},
        event::Event,
        timing::Timing,
        watcher::Until,
    },
    store::{OpenOptions, Store, WriteLock},
};
use tokio_util::sync::CancellationToken;

use super::{
    binary::{Home, assert_reposted, eventually, publish},
    world,
};
use crate::{
    fake_x::{FakeX, Route},
    lock::on_both_strategies,
};

on_both_strategies!(two_stores_at_once_fail_nothing_and_send_each_thing_once);

const POSTS: usize = 45;

async fn two_stores_at_once_fail_nothing_and_send_each_thing_once<L: WriteLock>() {
    let fake = FakeX::start().await;
    let posts = publish(&fake, 0..POSTS);
    let folder = tempfile::tempdir().unwrap();
    let bot = |owner: &'static str| {
        let options = OpenOptions::new(folder.path().join("shared.db"));
        let fake = &fake;
        async move {
            let store = Store::<L>::open(options).await.unwrap();
            let timing = Timing::new(Arc::new(SystemClock), 1.0, CancellationToken::new());
            let account = world::account(fake, &store, &timing, Until::CaughtUp, Arc::default()).await;
            let shared = Shared {
                store: store.clone(),
                timing,
                observer: Arc::new(|event| assert!(!matches!(event, Event::Degraded { .. }), "{event:?}")),
                owner: owner.into(),
                lease: std::time::Duration::from_secs(180),
                sends: true,
            };
            daemon::run(shared, vec![account]).await.unwrap();
            let metrics = store.metrics();
            store.close().await.unwrap();
            metrics.failures
        }
    };
    let failures = tokio::join!(bot("one"), bot("two"));
    assert_eq!(failures, (0, 0));
    assert_reposted(&fake, &posts, "");
    assert_eq!(fake.count(Route::Repost), POSTS, "no repost was asked for twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_at_once_fail_nothing_and_send_each_thing_once() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let posts = publish(&fake, 0..POSTS);
    let args = ["run", "--once", "--allow-second-instance"];
    let (one, two) = (home.start(&args), home.start(&args));
    for ran in [one.end().await, two.end().await] {
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let troubled =
            ["degraded", "\"ERROR\"", "\"WARN\""].iter().any(|word| ran.out.contains(word) || ran.err.contains(word));
        assert!(!troubled, "{ran:?}");
    }
    assert_reposted(&fake, &posts, "");
    assert_eq!(fake.count(Route::Repost), POSTS, "no repost was asked for twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_bot_is_refused_at_once_with_the_pid_of_the_first() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let first = home.start(&["run"]);
    eventually("the first reads", || fake.count(Route::Search) > 0).await;
    let started = Instant::now();
    let second = home.run(&["run", "--once"]).await;
    assert!(started.elapsed().as_secs() < 2, "{:?}", started.elapsed());
    assert_eq!(second.code, Some(8), "{second:?}");
    assert!(second.err.contains(&format!("process {}", first.pid())), "{second:?}");
    // What only reads needs no lock.
    assert_eq!(home.run(&["run", "--dry-run"]).await.code, Some(0));
    first.terminate();
    assert_eq!(first.end().await.code, Some(0));
    home.run_well(&["run", "--once"]).await;
}
