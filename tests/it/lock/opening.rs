//! Opening: what is refused stays as it is, what is old is brought up to date, with a copy kept.

use std::path::{Path, PathBuf};

use firsthand::store::{OpenOptions, Store, StoreError, WriteLock, copy_database, newest_version};
use futures::future::join_all;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions};

use super::support::{Place, count_of, counting_up};

on_both_strategies!(
    a_new_file_gets_the_schema_that_the_migration_files_describe,
    a_file_made_by_the_migration_files_is_accepted,
    an_older_schema_is_migrated_and_a_copy_is_kept,
    a_migration_that_fails_leaves_the_old_schema_whole,
    an_altered_history_is_refused,
    a_newer_schema_is_refused_untouched,
    a_file_that_is_no_database_is_refused_untouched,
    another_programs_database_is_refused_untouched,
    a_damaged_database_is_refused_untouched,
    a_read_only_file_is_refused_untouched,
    what_is_not_there_is_named,
    eight_that_open_one_new_file_at_once_all_succeed,
    a_copy_holds_what_was_written_while_the_store_is_open,
);

async fn refusal<L: WriteLock>(options: OpenOptions) -> StoreError {
    Store::<L>::open(options).await.err().expect("the file is refused")
}

/// Opens the file and expects an error; the file's bytes must stay.
async fn untouched_refusal<L: WriteLock>(path: &Path) -> StoreError {
    let before = std::fs::read(path).unwrap();
    let error = refusal::<L>(OpenOptions::new(path)).await;
    assert!(before == std::fs::read(path).unwrap(), "the file has changed");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    error
}

/// A connection past the store, as another program would have one.
pub(super) async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn files() -> Migrator {
    Migrator::new(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations"))).await.unwrap()
}

async fn history(path: &Path) -> Vec<(i64, Vec<u8>)> {
    let mut conn = raw(path).await;
    let rows = sqlx::query!(
        r#"SELECT version AS "version!: i64", checksum AS "checksum!: Vec<u8>" FROM _sqlx_migrations ORDER BY version"#
    )
    .fetch_all(&mut conn)
    .await
    .unwrap();
    conn.close().await.unwrap();
    rows.into_iter().map(|row| (row.version, row.checksum)).collect()
}

async fn close<L: WriteLock>(place: &Place) {
    place.open::<L>().await.close().await.unwrap();
}

async fn a_new_file_gets_the_schema_that_the_migration_files_describe<L: WriteLock>() {
    let place = Place::new();
    close::<L>(&place).await;
    let expected: Vec<_> =
        files().await.iter().map(|migration| (migration.version, migration.checksum.to_vec())).collect();
    assert!(!expected.is_empty());
    assert_eq!(history(&place.path).await, expected);
}

async fn a_file_made_by_the_migration_files_is_accepted<L: WriteLock>() {
    let place = Place::new();
    let mut conn = raw(&place.path).await;
    files().await.run(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let before = history(&place.path).await;
    let store = place.open::<L>().await;
    store.write("count", counting_up("a")).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(history(&place.path).await, before);
}

/// A database that stands at the first migration, with one counter in a table of its own time.
async fn old_database(path: &Path) {
    let mut conn = raw(path).await;
    let first = files().await.iter().next().unwrap().version;
    files().await.run_to(first, &mut conn).await.unwrap();
    conn.execute("INSERT INTO things (id, first_seen_ms, replayed) VALUES (7, 0, 0)").await.unwrap();
    conn.close().await.unwrap();
}

async fn an_older_schema_is_migrated_and_a_copy_is_kept<L: WriteLock>() {
    let place = Place::new();
    old_database(&place.path).await;
    close::<L>(&place).await;
    let kept = place.path.with_file_name("archive.db.schema-1.backup");
    for (path, version) in [(&place.path, newest_version()), (&kept, 1)] {
        assert_eq!(history(path).await.last().unwrap().0, version);
        let mut conn = raw(path).await;
        let things = sqlx::query_scalar!("SELECT id FROM things").fetch_all(&mut conn).await.unwrap();
        assert_eq!(things, [7]);
    }
    close::<L>(&place).await;
    let files = std::fs::read_dir(place.path.parent().unwrap()).unwrap();
    let copies = files.filter(|file| file.as_ref().unwrap().path().extension().is_some_and(|end| end == "backup"));
    assert_eq!(copies.count(), 1, "an up-to-date database is not copied");
}

async fn a_migration_that_fails_leaves_the_old_schema_whole<L: WriteLock>() {
    let place = Place::new();
    old_database(&place.path).await;
    let mut conn = raw(&place.path).await;
    // In the way of the second migration's last table, after it has made all others.
    conn.execute("CREATE TABLE spending (a INTEGER)").await.unwrap();
    conn.close().await.unwrap();
    let error = refusal::<L>(OpenOptions::new(&place.path)).await;
    assert!(matches!(error, StoreError::Migration { .. }), "{error}");
    assert_eq!(history(&place.path).await.last().unwrap().0, 1);
    let mut conn = raw(&place.path).await;
    let half = sqlx::query_scalar!(r#"SELECT count(*) AS "n!: i64" FROM sqlite_schema WHERE name = 'accounts'"#);
    assert_eq!(half.fetch_one(&mut conn).await.unwrap(), 0);
}

async fn an_altered_history_is_refused<L: WriteLock>() {
    let place = Place::new();
    close::<L>(&place).await;
    let mut conn = raw(&place.path).await;
    conn.execute("UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 1").await.unwrap();
    conn.close().await.unwrap();
    let error = untouched_refusal::<L>(&place.path).await;
    assert!(matches!(error, StoreError::Migration { .. }), "{error}");
}

async fn a_newer_schema_is_refused_untouched<L: WriteLock>() {
    let place = Place::new();
    close::<L>(&place).await;
    let mut conn = raw(&place.path).await;
    conn.execute("INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2027-01-01', TRUE, x'00', 0)").await.unwrap();
    conn.close().await.unwrap();
    let error = untouched_refusal::<L>(&place.path).await;
    let known = newest_version();
    assert!(matches!(error, StoreError::NewerSchema { found: 9999, known: k, .. } if k == known), "{error}");
}

async fn a_file_that_is_no_database_is_refused_untouched<L: WriteLock>() {
    for content in ["shopping: milk, bread", &"a longer text than one page of a database\n".repeat(500)] {
        let place = Place::new();
        std::fs::write(&place.path, content).unwrap();
        let error = untouched_refusal::<L>(&place.path).await;
        assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}");
    }
}

async fn another_programs_database_is_refused_untouched<L: WriteLock>() {
    for (statement, id) in [("PRAGMA application_id = 1", 1), ("PRAGMA user_version = 1", 0)] {
        let place = Place::new();
        let mut conn = raw(&place.path).await;
        conn.execute(statement).await.unwrap();
        conn.execute("CREATE TABLE notes (text TEXT)").await.unwrap();
        conn.close().await.unwrap();
        let error = untouched_refusal::<L>(&place.path).await;
        assert!(matches!(error, StoreError::ForeignDatabase { application_id, .. } if application_id == id), "{error}");
    }
}

async fn a_damaged_database_is_refused_untouched<L: WriteLock>() {
    let place = Place::new();
    close::<L>(&place).await;
    let mut content = std::fs::read(&place.path).unwrap();
    // The first page's tree, behind the header.
    content[100..400].fill(0xa5);
    std::fs::write(&place.path, content).unwrap();
    let error = untouched_refusal::<L>(&place.path).await;
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
}

async fn a_read_only_file_is_refused_untouched<L: WriteLock>() {
    let place = Place::new();
    close::<L>(&place).await;
    let mut permissions = std::fs::metadata(&place.path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&place.path, permissions).unwrap();
    let error = untouched_refusal::<L>(&place.path).await;
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

async fn what_is_not_there_is_named<L: WriteLock>() {
    let place = Place::new();
    let folder = place.path.parent().unwrap();

    let missing = OpenOptions { create: false, ..OpenOptions::new(&place.path) };
    let error = refusal::<L>(missing).await;
    assert!(matches!(error, StoreError::NotFound { .. }), "{error}");
    assert!(!place.path.exists());

    let error = refusal::<L>(OpenOptions::new(folder.join("no/such/archive.db"))).await;
    assert!(
        matches!(&error, StoreError::NoDirectory { directory, .. } if directory == &folder.join("no/such")),
        "{error}"
    );

    let error = refusal::<L>(OpenOptions::new(folder)).await;
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error}");
}

async fn eight_that_open_one_new_file_at_once_all_succeed<L: WriteLock>() {
    let place = Place::new();
    let opened = join_all((0..8).map(|_| {
        let options = OpenOptions::new(&place.path);
        tokio::spawn(async move { Store::<L>::open(options).await })
    }));
    let stores: Vec<_> = opened.await.into_iter().map(|opened| opened.unwrap().unwrap()).collect();
    let writes = join_all(stores.iter().map(|store| store.write("count", counting_up("all")))).await;
    writes.into_iter().for_each(|written| _ = written.unwrap());
    assert_eq!(count_of(&stores[0], "all").await, 8);
    join_all(stores.iter().map(Store::close)).await.into_iter().for_each(|closed| closed.unwrap());
}

async fn a_copy_holds_what_was_written_while_the_store_is_open<L: WriteLock>() {
    let place = Place::new();
    let store = place.open::<L>().await;
    store.write("count", counting_up("a")).await.unwrap();
    let copy = place.path.with_file_name("copy.db");
    copy_database(&place.path, &copy).await.unwrap();
    store.write("count", counting_up("a")).await.unwrap();
    copy_database(&place.path, &copy).await.unwrap_err();

    let copied = Store::<L>::open(OpenOptions::new(&copy)).await.unwrap();
    assert_eq!(count_of(&copied, "a").await, 1);
    assert_eq!(count_of(&store, "a").await, 2);
    copied.close().await.unwrap();
    store.close().await.unwrap();
}
