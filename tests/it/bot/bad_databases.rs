//! Databases that can't be used, through the binary: what it says, how it ends, and that nothing is lost.

use std::{fs, os::unix::fs::PermissionsExt};

use firsthand::store::{DefaultLock, OpenOptions, Store};
use sqlx::{Connection, SqliteConnection};

use super::binary::{Home, Ran, assert_reposted, bytes, publish};
use crate::fake_x::FakeX;

/// The exit code for everything that is wrong with the database.
const DATABASE: Option<i32> = Some(5);

/// A bot that has run once.
async fn home_with_archive() -> (FakeX, Home, Vec<String>) {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    let posts = publish(&fake, 0..3);
    home.run_well(&["run", "--once"]).await;
    (fake, home, posts)
}

async fn connect(home: &Home) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", home.database().display())).await.unwrap()
}

/// The words of a refusal: what is wrong, with which file, and what to do.
fn assert_refused(ran: &Ran, home: &Home, words: &[&str]) {
    assert_eq!(ran.code, DATABASE, "{ran:?}");
    assert!(ran.err.contains(&home.database().display().to_string()), "it names the file: {ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{word:?} is missing: {ran:?}");
    }
    assert!(!ran.err.contains("panicked"), "{ran:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_another_program_holds_is_waited_for_and_then_named() {
    let (fake, mut home, mut posts) = home_with_archive().await;
    posts.extend(publish(&fake, 10..15));
    let mut other = connect(&home).await;
    sqlx::query!("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    home.set("FIRSTHAND_DATABASE__BUSY_DEADLINE_MS", "300");
    let ran = home.run(&["run", "--once"]).await;
    assert_refused(&ran, &home, &["stayed locked", "repeat it when the other program"]);
    sqlx::query!("ROLLBACK").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &posts, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_database_is_named_and_left_alone() {
    let (fake, home, mut posts) = home_with_archive().await;
    posts.extend(publish(&fake, 10..15));
    let before = bytes(&home.database());
    fs::set_permissions(home.database(), fs::Permissions::from_mode(0o444)).unwrap();
    let ran = home.run(&["run", "--once"]).await;
    assert_refused(&ran, &home, &["read-only", "write permission"]);
    assert!(bytes(&home.database()) == before);
    fs::set_permissions(home.database(), fs::Permissions::from_mode(0o644)).unwrap();
    home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &posts, "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_database_is_named_and_never_repaired() {
    let (fake, home, _) = home_with_archive().await;
    let mut damaged = bytes(&home.database());
    damaged[4096..].iter_mut().for_each(|byte| *byte ^= 0x5a);
    fs::write(home.database(), &damaged).unwrap();
    publish(&fake, 10..15);
    for args in [&["run", "--once"][..], &["run", "--dry-run"], &["replay", "--database", "firsthand.db", "/dev/null"]]
    {
        let ran = home.run(args).await;
        assert_refused(&ran, &home, &["damaged", "restore the latest backup"]);
        assert!(bytes(&home.database()) == damaged, "{args:?}");
    }
    assert_eq!(fake.effects().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_database_is_left_as_it_is() {
    let (fake, home, _) = home_with_archive().await;
    let mut other = connect(&home).await;
    let newer = sqlx::query!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9000, 'from the future', 1, x'00', 0)"
    );
    newer.execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = bytes(&home.database());
    publish(&fake, 10..15);
    let ran = home.run(&["run", "--once"]).await;
    assert_refused(&ran, &home, &["version 9000", "install the newer firsthand"]);
    assert!(bytes(&home.database()) == before);
    assert_eq!(fake.effects().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_something_else_is_left_as_it_is() {
    let fake = FakeX::start().await;
    let home = Home::on(&fake);
    publish(&fake, 0..3);
    fs::write(home.database(), "Dear diary, this is no database.\n".repeat(300)).unwrap();
    let before = bytes(&home.database());
    let ran = home.run(&["run", "--once"]).await;
    assert_refused(&ran, &home, &["not a SQLite database", "name another file"]);
    assert!(bytes(&home.database()) == before);

    fs::remove_file(home.database()).unwrap();
    let mut other = connect(&home).await;
    sqlx::query!("CREATE TABLE recipes (name TEXT)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = bytes(&home.database());
    let ran = home.run(&["run", "--once"]).await;
    assert_refused(&ran, &home, &["another program's database", "name another file"]);
    assert!(bytes(&home.database()) == before);

    fs::remove_file(home.database()).unwrap();
    fs::create_dir(home.database()).unwrap();
    let ran = home.run(&["run", "--once"]).await;
    assert_refused(&ran, &home, &["check that it is a file"]);
    assert_eq!(fake.effects(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_there_is_no_room_nothing_is_lost() {
    let (fake, home, mut posts) = home_with_archive().await;
    posts.extend(publish(&fake, 10..70));
    // The WAL of a page of posts would need more than these 40 KiB.
    let ran = home.start_where_files_stay_small(80, &["run", "--once"]).end().await;
    assert_refused(&ran, &home, &["the file", "disk"]);
    assert_eq!(fake.effects().len(), 3, "what could not be stored was not reposted");
    home.run_well(&["run", "--once"]).await;
    assert_reposted(&fake, &posts, "");
    Store::<DefaultLock>::open(OpenOptions::new(home.database())).await.unwrap().close().await.unwrap();
}
