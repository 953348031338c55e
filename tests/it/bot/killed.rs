//! The binary, killed at any moment.

use firsthand::store::DefaultLock;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    archive::{self, look},
    binary::{Home, assert_reposted, eventually, publish},
    invented::{author, dispatch},
};
use crate::fake_x::{FakePost, FakeX, Fault, Route};

/// How often one bot is killed: with three posts a time it stays below the cap of an hour.
const KILLS: usize = 20;

/// The long form takes the number of bots from `TEST_KILLED_BOTS`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_it_is_killed_nothing_is_lost_and_each_thing_goes_out_once() {
    let bots = std::env::var("TEST_KILLED_BOTS").map_or(1, |count| count.parse().unwrap());
    for seed in 0..bots {
        kill_again_and_again(seed).await;
    }
}

async fn kill_again_and_again(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let fake = FakeX::start().await;
    let mut home = Home::on(&fake);
    home.set("FIRSTHAND_DEDUP__GRACE_SECONDS", "0");
    home.set("FIRSTHAND_PACE__AUTHOR_PER_HOUR", "200");
    let mut posts = Vec::new();
    for cycle in 0..KILLS {
        let number = 3 * cycle;
        posts.extend(publish(&fake, number..number + 3));
        fake.post(FakePost::new("magpie", &format!("RT @{}: {}", author(number), dispatch(number))));
        if cycle % 4 == 1 {
            fake.fail_next(Route::Repost, 1, Fault::LostAnswer);
        }
        // Killed when so many requests have come: at the start, while reading, between a repost and its record.
        let requests = fake.requests().len() + rng.random_range(0..9);
        let mut bot = home.start(&["run", "--lease-seconds", "1"]);
        eventually("the bot comes so far, or has nothing to do", || {
            fake.requests().len() >= requests || fake.effects().len() == posts.len()
        })
        .await;
        assert!(!bot.has_ended(), "cycle {cycle} of seed {seed}: it ended by itself");
        bot.kill();
    }
    home.run_well(&["run", "--once", "--lease-seconds", "1"]).await;
    assert_reposted(&fake, &posts, &format!("seed {seed}"));
    let rows = look::<DefaultLock, _, _>(&home.database(), archive::outbox).await;
    assert!(rows.len() == posts.len() && rows.iter().all(|row| row.state == "done"), "seed {seed}: {rows:?}");
}
