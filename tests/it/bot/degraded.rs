//! A database that cannot be written for a while: the bot goes on when it can, and nothing is lost.

use std::path::Path;

use firsthand::{
    model::Clock,
    pipeline::event::Event,
    store::{DefaultLock, WriteLock},
};
use sqlx::{Connection, SqliteConnection};

use super::{
    archive::{self, look},
    binary::{Home, assert_reposted, eventually, publish},
    invented::{author, dispatch},
    world::{Happening, World, after_answers},
};
use crate::{
    fake_x::{FakePost, FakeX},
    lock::on_both_strategies,
};

on_both_strategies!(a_database_that_is_held_for_a_while_is_waited_for_without_pressing);

async fn a_database_that_is_held_for_a_while_is_waited_for_without_pressing<L: WriteLock>() {
    let mut world = World::new().await;
    world.busy_deadline_ms = 50;
    let world = world;
    // Before the trouble, in its middle, and after it. The copy's grace time ends while nothing can be written.
    let say = |minutes, author: &str, text: &str| {
        world.later(minutes, Happening::Post(FakePost::new(author, text)));
    };
    say(5, &author(1), &dispatch(1));
    say(18, "magpie", &format!("RT @{}: {}", author(2), dispatch(2)));
    say(30, &author(3), &dispatch(3));
    say(70, &author(4), &dispatch(4));
    let start = world.clock.now();
    let ran = world
        .run_while::<L>(after_answers(4), async {
            world.minutes_after(start, 20).await;
            let mut other = hold(&world.database()).await;
            world.minutes_after(start, 60).await;
            let_go(&mut other).await;
        })
        .await;
    ran.result.unwrap();
    assert_reposted(&world.fake, &world.posted(), "");
    let degraded = ran.events.iter().filter(|event| matches!(event, Event::Degraded { .. })).count();
    assert!((3..300).contains(&degraded), "it is told, and not at every turn: {degraded} times in 40 minutes");
    let rows = look::<L, _, _>(&world.database(), archive::outbox).await;
    assert!(rows.len() == 4 && rows.iter().all(|row| row.state == "done"), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_run_outlives_a_program_that_holds_the_database() {
    let fake = FakeX::start().await;
    let mut home = Home::on(&fake);
    home.set("FIRSTHAND_DATABASE__BUSY_DEADLINE_MS", "200");
    let mut posts = publish(&fake, 0..2);
    let bot = home.start(&["run"]);
    eventually("the first posts are out", || fake.effects().len() == 2).await;
    let mut other = hold(&home.database()).await;
    posts.extend(publish(&fake, 10..13));
    eventually("the bot says so", || bot.out().contains("degraded")).await;
    assert_eq!(fake.effects().len(), 2);
    let_go(&mut other).await;
    eventually("the bot goes on", || fake.effects().len() == 5).await;
    bot.terminate();
    let ran = bot.end().await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_reposted(&fake, &posts, "");
    let rows = look::<DefaultLock, _, _>(&home.database(), archive::outbox).await;
    assert!(rows.iter().all(|row| row.state == "done"), "{rows:?}");
}

/// Takes the lock as soon as the bot lets it go.
async fn hold(database: &Path) -> SqliteConnection {
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", database.display())).await.unwrap();
    while sqlx::query!("BEGIN IMMEDIATE").execute(&mut conn).await.is_err() {}
    conn
}

async fn let_go(conn: &mut SqliteConnection) {
    sqlx::query!("ROLLBACK").execute(conn).await.unwrap();
}
