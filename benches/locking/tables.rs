//! The database that a round begins with, the statements that all strategies run on it, and what is read back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use firsthand::store::{OpenOptions, SingleWriter, Store};
use rusqlite::Connection;

use super::{
    cells::{Strategy, Workload},
    intake,
    verification::Row,
};

/// Two tables beside the bot's own.
const CREATE: &str = "
    CREATE TABLE compared_counter (id INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    INSERT INTO compared_counter VALUES (1, 0);
    CREATE TABLE compared_log (process INTEGER NOT NULL, task INTEGER NOT NULL, sequence INTEGER NOT NULL) STRICT;
";

/// Reads the counter.
pub(crate) const READ: &str = "SELECT value FROM compared_counter WHERE id = 1";
/// Writes the counter.
pub(crate) const WRITE: &str = "UPDATE compared_counter SET value = ?1 WHERE id = 1";
/// Logs a write: process, task, sequence.
pub(crate) const LOG: &str = "INSERT INTO compared_log (process, task, sequence) VALUES (?1, ?2, ?3)";

/// Pages in the WAL after which a commit copies them into the database: as the bot has it, for all strategies.
pub(crate) const WAL_AUTOCHECKPOINT_PAGES: &str = "2000";

/// An empty archive with the two tables, copied for each round.
#[derive(Debug)]
pub(crate) struct Template {
    folder: PathBuf,
}

impl Template {
    /// Makes it in this folder.
    ///
    /// # Errors
    /// Whatever keeps the database from being made.
    pub(crate) fn make(folder: &Path) -> anyhow::Result<Self> {
        let template = Self { folder: folder.to_owned() };
        let path = template.path();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let store = Store::<SingleWriter>::open(OpenOptions::new(&path)).await?;
            intake::Pages::open(store.clone()).await?;
            store.close().await
        })?;
        Connection::open(&path)?.execute_batch(CREATE)?;
        Ok(template)
    }

    /// A fresh copy, in the journal mode of the strategy.
    ///
    /// # Errors
    /// What the file system or SQLite says.
    pub(crate) fn copy(&self, strategy: Strategy) -> anyhow::Result<PathBuf> {
        let copy = self.folder.join("compared.db");
        remove(&copy)?;
        fs::copy(self.path(), &copy).context("copy the database")?;
        if strategy == Strategy::Naive {
            let conn = Connection::open(&copy)?;
            let mode: String = conn.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))?;
            if mode != "delete" {
                bail!("the journal mode stayed {mode}");
            }
        }
        // What was just written must not have to reach the disk during the round.
        fs::File::open(&copy)?.sync_all()?;
        Ok(copy)
    }

    fn path(&self) -> PathBuf {
        self.folder.join("template.db")
    }
}

/// Deletes a database and what SQLite keeps beside it.
fn remove(path: &Path) -> anyhow::Result<()> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// The writes that stand in the file.
///
/// # Errors
/// If it can't be read, is damaged, or its counter is not the number of its writes.
pub(crate) fn found(path: &Path, workload: Workload) -> anyhow::Result<Vec<Row>> {
    let conn = Connection::open(path)?;
    let health: String = conn.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if health != "ok" {
        bail!("the file is damaged: {health}");
    }
    if workload == Workload::Intake {
        return pages(&conn);
    }
    let mut select = conn.prepare("SELECT process, task, sequence FROM compared_log")?;
    let rows =
        select.query_map([], |row| Ok(Row { process: row.get(0)?, task: row.get(1)?, sequence: row.get(2)? }))?;
    let rows = rows.collect::<Result<Vec<Row>, _>>()?;
    let counter: i64 = conn.query_row(READ, [], |row| row.get(0))?;
    if workload != Workload::Insert && usize::try_from(counter) != Ok(rows.len()) {
        bail!("the counter stands at {counter} after {} writes", rows.len());
    }
    Ok(rows)
}

/// Every archived post counts as a write; each must have its verdict.
fn pages(conn: &Connection) -> anyhow::Result<Vec<Row>> {
    let mut select = conn.prepare("SELECT remote_id FROM posts")?;
    let ids = select.query_map([], |row| row.get::<_, String>(0))?;
    let rows = ids.map(|id| intake::row_of(&id?)).collect::<anyhow::Result<Vec<Row>>>()?;
    let verdicts: i64 = conn.query_row("SELECT count(*) FROM verdicts", [], |row| row.get(0))?;
    if usize::try_from(verdicts) != Ok(rows.len()) {
        bail!("{verdicts} verdicts on {} posts", rows.len());
    }
    Ok(rows)
}
