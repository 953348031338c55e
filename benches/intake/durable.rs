//! One post, one transaction, on the disk before the next one begins.

use std::path::Path;

use firsthand::{
    model::Post,
    store::{OpenOptions, Store},
};

use super::{
    archiving,
    measure::{Elapsed, Stopwatch},
    raw, replayed,
    report::{Way, ways},
};

/// The ways, the raw limit first.
const WAYS: [&str; 3] = ["raw, one transaction a post", "archive only", "archive and verdict"];

/// Measures all ways. Half of the posts fill the databases; the other half is measured, the ways taking turns.
pub(super) async fn measure(folder: &Path, posts: &[Post], rounds: usize) -> anyhow::Result<Vec<Way>> {
    let (filling, measured_posts) = posts.split_at(posts.len() / 2);
    let mut connection = raw::create(&folder.join("durable-raw.db")).await?;
    raw::insert(&mut connection, 1, filling)?;
    let archive: Store = Store::open(OpenOptions::new(folder.join("durable-archive.db"))).await?;
    archiving::archive(&archive, filling.to_vec()).await?;
    let bot: Store = Store::open(OpenOptions::new(folder.join("durable-bot.db"))).await?;
    let reader = replayed::reader(&bot).await?;
    replayed::take_in(&bot, &reader, filling.to_vec()).await?;

    let mut measured: [Vec<Elapsed>; 3] = Default::default();
    let length = measured_posts.len().div_ceil(rounds);
    let mut id = i64::try_from(filling.len())? + 1;
    for round in measured_posts.chunks(length) {
        let stopwatch = Stopwatch::start();
        for post in round {
            raw::insert(&mut connection, id, std::slice::from_ref(post))?;
            id += 1;
        }
        measured[0].push(stopwatch.elapsed());
        let stopwatch = Stopwatch::start();
        for post in round {
            archiving::archive(&archive, vec![post.clone()]).await?;
        }
        measured[1].push(stopwatch.elapsed());
        let stopwatch = Stopwatch::start();
        for post in round {
            replayed::take_in(&bot, &reader, vec![post.clone()]).await?;
        }
        measured[2].push(stopwatch.elapsed());
    }
    archive.close().await?;
    bot.close().await?;
    Ok(ways(&WAYS, &measured, length))
}
