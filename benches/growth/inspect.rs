//! What the closed database tells: how large its parts are, and how its statements are run.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context;
use rusqlite::{Connection, OpenFlags};
use serde::Serialize;

use super::statements::Heard;

/// A look at a database.
pub(super) struct Look {
    /// The size of the file.
    pub(super) file_bytes: u64,
    /// The bytes of each table together with its indexes; of a full-text index, its shadow tables.
    pub(super) parts: BTreeMap<String, u64>,
    /// What each statement of a page costs and how it is run, the dearest first.
    pub(super) statements: Vec<Statement>,
}

/// A statement on the way of a page.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Statement {
    /// Its text, in one line.
    pub(super) sql: String,
    /// How often it ran in a page of one post.
    pub(super) runs: f64,
    /// How long it took in a page of one post, all runs together, in microseconds.
    pub(super) took_us: f64,
    /// Its query plan, line by line.
    pub(super) plan: Vec<String>,
}

impl Statement {
    /// Whether it reads all of a table or of an index. What `json_each` brings and full-text look-ups are virtual
    /// tables, and no such thing.
    pub(super) fn scans(&self) -> bool {
        self.plan.iter().any(|line| {
            let of_table = line.strip_prefix("SCAN ").is_some_and(|rest| !rest.starts_with('('));
            of_table && !line.contains("VIRTUAL TABLE") && !line.contains("CONSTANT ROW")
        })
    }
}

/// Looks at a database that nobody has open.
pub(super) fn look(path: &Path, heard: &Heard, pages: usize) -> anyhow::Result<Look> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("look at {}", path.display()))?;
    // An INSERT of many rows would show loops over the tables that refer to its table. They run only to mend a violated
    // foreign key.
    connection.pragma_update(None, "foreign_keys", false)?;
    let mut statements = heard
        .iter()
        .map(|(sql, ran)| {
            Ok(Statement {
                sql: sql.split_whitespace().collect::<Vec<_>>().join(" "),
                runs: ran.times as f64 / pages as f64,
                took_us: ran.took.as_secs_f64() * 1e6 / pages as f64,
                plan: plan(&connection, sql).with_context(|| format!("explain {sql}"))?,
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    statements.sort_by(|a, b| b.took_us.total_cmp(&a.took_us));
    Ok(Look { file_bytes: fs::metadata(path)?.len(), parts: parts(&connection)?, statements })
}

fn plan(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    // The parameters stay unbound: the plan does not depend on them.
    let mut rows = statement.raw_query();
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(row.get("detail")?);
    }
    Ok(lines)
}

fn parts(connection: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    let mut statement = connection.prepare(
        "WITH full_text (name) AS (SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%'),
              owners (name, owner) AS (
                  SELECT s.name, coalesce((SELECT f.name FROM full_text AS f WHERE s.tbl_name LIKE f.name || '\\_%' ESCAPE '\\'), s.tbl_name)
                  FROM sqlite_schema AS s)
         SELECT coalesce(o.owner, 'the schema'), sum(d.pgsize)
         FROM dbstat AS d LEFT JOIN owners AS o ON o.name = d.name
         WHERE d.aggregate = TRUE GROUP BY 1",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    rows.collect()
}
