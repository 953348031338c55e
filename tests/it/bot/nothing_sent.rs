//! What never leads to a repost: a replay into the bot's own database, and a dry run.

use std::{fs, io::Write};

use firsthand::store::DefaultLock;

use super::{
    archive::{self, look},
    binary::{Home, assert_reposted, bytes, publish},
    invented::{author, dispatch},
};
use crate::fake_x::{FakePost, FakeX, Route};

/// A post for a file.
fn line(id: &str, author: Option<&str>, text: &str) -> String {
    let created_at = "2026-11-01T08:00:00Z";
    format!("{}\n", serde_json::json!({ "id": id, "author": author, "text": text, "created_at": created_at }))
}

fn write_lines(home: &Home, lines: &[String]) {
    let mut file = fs::File::create(home.path("posts.jsonl")).unwrap();
    lines.iter().for_each(|line| file.write_all(line.as_bytes()).unwrap());
}

/// Publishes a copy of each form, of different things.
fn publish_copies(fake: &FakeX, first: usize) {
    let copy = |number: usize, text: String| fake.post(FakePost::new(&format!("magpie_{number}"), &text));
    let (name, text) = (author, dispatch);
    copy(first, format!("RT @{}: {}", name(first), text(first)));
    copy(first + 1, format!("{} (via @{})", text(first + 1), name(first + 1)));
    copy(first + 2, text(first + 2));
    copy(first + 3, text(first + 3).replace("before", "before  ").to_uppercase());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replay_brought_into_a_live_database_is_never_reposted() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let mut wanted = publish(&fake, 0..3);
    home.run_well(&["run", "--once"]).await;

    // These very posts come live later, and copies of them.
    let brought = publish(&fake, 10..20);
    let mut lines: Vec<String> =
        (10..20).map(|number| line(&brought[number - 10], Some(&author(number)), &dispatch(number))).collect();
    let short = fake.post(FakePost::new("laconic", "Good morning #firsthand"));
    lines.push(line(&short, Some("laconic"), "Good morning #firsthand"));
    // A post of unknown author.
    lines.push(line("77", None, &dispatch(30)));
    fake.post(FakePost::new("magpie_30", &dispatch(30)));
    // Copies that were replayed count too.
    lines.push(line("78", Some("parrot"), &format!("RT @{}: {}", author(31), dispatch(31))));
    fake.post(FakePost::new("magpie_31", &format!("RT @{}: {}", author(31), dispatch(31))));
    write_lines(&home, &lines);
    let before = (look::<DefaultLock, _, _>(&home.database(), archive::outbox).await, cursors(&home).await);
    home.run_well(&["replay", "--database", "firsthand.db", "posts.jsonl"]).await;
    let after = (look::<DefaultLock, _, _>(&home.database(), archive::outbox).await, cursors(&home).await);
    assert_eq!(before, after, "a replay orders nothing and moves no cursor");
    assert!(!before.1.is_empty());

    publish_copies(&fake, 12);
    wanted.push(fake.post(FakePost::new(&author(40), &dispatch(40))));
    let ran = home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &wanted, &ran.out);
    home.run_well(&["run", "--once"]).await;
    assert_eq!(fake.count(Route::Repost), wanted.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_replay_brought_into_a_new_database_is_never_reposted() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let brought = publish(&fake, 10..20);
    let lines: Vec<String> =
        (10..20).map(|number| line(&brought[number - 10], Some(&author(number)), &dispatch(number))).collect();
    write_lines(&home, &lines);
    home.run_well(&["replay", "--database", "firsthand.db", "posts.jsonl"]).await;
    publish_copies(&fake, 14);
    let fresh = fake.post(FakePost::new(&author(41), &dispatch(41)));
    home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &[fresh], "");
}

async fn cursors(home: &Home) -> Vec<archive::HashtagCursor> {
    look::<DefaultLock, _, _>(&home.database(), archive::cursors).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_without_a_named_database_leaves_the_bots_alone() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    write_lines(&home, &[line("1", Some("ann"), &dispatch(1))]);
    home.run_well(&["replay", "posts.jsonl"]).await;
    assert!(!home.database().exists());
    let posts = publish(&fake, 0..2);
    home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &posts, "what went into a temporary file is forgotten");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_sends_nothing_and_leaves_the_database_as_it_was() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let mut posts = publish(&fake, 0..3);
    let dry = home.run_well(&["run", "--dry-run"]).await;
    assert!(dry.out.contains("3 to repost") && dry.out.contains("A dry run"), "{dry:?}");
    assert!(!home.database().exists(), "not even an empty database is left behind");

    home.run_well(&["run", "--once"]).await;
    posts.extend(publish(&fake, 10..15));
    publish_copies(&fake, 10);
    let before = bytes(&home.database());
    let dry = home.run_well(&["run", "--dry-run"]).await;
    assert!(dry.out.contains("5 to repost"), "{dry:?}");
    assert!(bytes(&home.database()) == before, "the file is the same, byte for byte");
    let wal = home.path("firsthand.db-wal");
    assert!(!wal.exists() || bytes(&wal).is_empty());
    assert_reposted(&fake, &posts[..3], "");

    home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &posts, "what the dry run decided is still to be done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_memory_works_and_leaves_no_file() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let posts = publish(&fake, 0..3);
    for _ in 0..2 {
        // It forgets everything, but X does not: the second run finds the reposts there.
        home.run_well(&["run", "--once", "--database", ":memory:"]).await;
        assert_reposted(&fake, &posts, "");
    }
    let files: Vec<_> = fs::read_dir(home.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["firsthand.toml"]);
}
