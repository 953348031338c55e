//! Full-text search for people: words in, posts out.

use sqlx::SqliteConnection;

use super::StoreError;
use crate::{
    model::{Action, AuthorId, Handle, PostId, RemoteId, Rule, TimeMs},
    text::search_form,
};

/// What is looked for, in the index's own language. Made from a person's words only by [`search_form::query`], so that
/// nothing in them is taken for syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query(String);

impl Query {
    /// Posts whose text holds all of these words; `None` if there is no word among them.
    pub fn of_words(words: &str) -> Option<Self> {
        search_form::query(words).map(|words| Self(format!("{{text}} : ({words})")))
    }

    /// Posts that were archived under this handle; `None` if it has neither letter nor digit, since the index knows no
    /// other characters.
    pub fn of_author(handle: &Handle) -> Option<Self> {
        search_form::query(handle.as_str()).map(|handle| Self(format!("{{author}} : ({handle})")))
    }
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What was archived last.
    #[default]
    Newest,
    /// What matches best, by BM25.
    Best,
}

/// A post that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its row.
    pub post: PostId,
    /// Its network, by name.
    pub network: String,
    /// Its id there.
    pub remote_id: RemoteId,
    /// Its author's handle, as the network writes it.
    pub author: Option<String>,
    /// The name that its author shows to people; may be empty.
    pub author_name: Option<String>,
    /// The whole text, raw.
    pub text: String,
    /// When it was posted.
    pub created_at: TimeMs,
    /// When it was archived.
    pub seen_at: TimeMs,
    /// The handle that it credits.
    pub attribution: Option<String>,
    /// The latest verdict about it, of whichever account.
    pub verdict: Option<(Action, Rule)>,
    /// The state of its latest row in the outbox, such as `done`; `None` if nothing was ordered.
    pub outbox_state: Option<String>,
}

/// The posts that match, at most `limit`; with `author`, only those of this row.
///
/// # Errors
/// Any [`StoreError`] of the database.
pub async fn search(
    conn: &mut SqliteConnection,
    query: &Query,
    author: Option<AuthorId>,
    order: Order,
    limit: u32,
) -> Result<Vec<Found>, StoreError> {
    let ids = match order {
        Order::Newest => newest(conn, query, author, limit).await?,
        Order::Best => best(conn, query, author, limit).await?,
    };
    load(conn, &ids).await
}

async fn newest(
    conn: &mut SqliteConnection,
    Query(query): &Query,
    author: Option<AuthorId>,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let author = author.map(|author| author.0);
    // The index is the outer loop, read from its end: it stops at the limit.
    let ids = sqlx::query_scalar!(
        r#"SELECT s.rowid AS "id!: i64" FROM post_search AS s
           WHERE s.post_search MATCH ?1
             AND (?2 IS NULL OR (SELECT p.author_id FROM posts AS p WHERE p.id = s.rowid) = ?2)
           ORDER BY s.rowid DESC LIMIT ?3"#,
        query,
        author,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

async fn best(
    conn: &mut SqliteConnection,
    Query(query): &Query,
    author: Option<AuthorId>,
    limit: u32,
) -> Result<Vec<i64>, StoreError> {
    let author = author.map(|author| author.0);
    let ids = sqlx::query_scalar!(
        r#"SELECT s.rowid AS "id!: i64" FROM post_search AS s
           WHERE s.post_search MATCH ?1
             AND (?2 IS NULL OR (SELECT p.author_id FROM posts AS p WHERE p.id = s.rowid) = ?2)
           ORDER BY s.rank LIMIT ?3"#,
        query,
        author,
        limit
    )
    .fetch_all(conn)
    .await?;
    Ok(ids)
}

/// Reads posts in the order of `ids`.
async fn load(conn: &mut SqliteConnection, ids: &[i64]) -> Result<Vec<Found>, StoreError> {
    let ids = super::parameter::json(ids)?;
    let rows = sqlx::query!(
        r#"SELECT p.id AS "id!: i64", p.network, p.remote_id, p.text, p.created_at_ms, p.seen_at_ms, p.attribution,
               a.handle AS "handle?", a.display_name AS "display_name?", v.action AS "action?", v.rule AS "rule?",
               (SELECT o.state FROM outbox AS o WHERE o.post_id = p.id AND o.kind = 'repost' ORDER BY o.id DESC LIMIT 1)
                   AS "outbox_state: String"
           FROM json_each(?1) AS wanted
           CROSS JOIN posts AS p ON p.id = CAST(wanted.value AS INTEGER)
           LEFT JOIN authors AS a ON a.id = p.author_id
           LEFT JOIN verdicts AS v ON v.post_id = p.id AND v.account_id = (
               SELECT latest.account_id FROM verdicts AS latest WHERE latest.post_id = p.id
               ORDER BY latest.decided_at_ms DESC, latest.account_id LIMIT 1)
           ORDER BY CAST(wanted.key AS INTEGER)"#,
        ids
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let verdict = match (row.action, row.rule) {
                (Some(action), Some(rule)) => Some((action_of(&action)?, rule_of(&rule)?)),
                _ => None,
            };
            Ok(Found {
                post: PostId(row.id),
                network: row.network,
                remote_id: RemoteId::new(row.remote_id),
                author: row.handle,
                author_name: row.display_name,
                text: row.text,
                created_at: TimeMs(row.created_at_ms),
                seen_at: TimeMs(row.seen_at_ms),
                attribution: row.attribution,
                verdict,
                outbox_state: row.outbox_state,
            })
        })
        .collect()
}

/// Reads a stored action.
pub(super) fn action_of(name: &str) -> Result<Action, StoreError> {
    name.parse().map_err(|error: String| StoreError::bad_value("verdicts.action", error))
}

/// Reads a stored rule.
pub(super) fn rule_of(name: &str) -> Result<Rule, StoreError> {
    name.parse().map_err(|error| StoreError::bad_value("verdicts.rule", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_bound_to_its_column_and_made_of_quoted_words() {
        assert_eq!(Query::of_words("tide OR").unwrap().0, "{text} : (\"tide\" \"OR\")");
        assert_eq!(Query::of_author(&Handle::new("@Ann_B")).unwrap().0, "{author} : (\"ann_b\")");
        assert_eq!(Query::of_words("\" * )"), None);
        assert_eq!(Query::of_author(&Handle::new("___")), None);
    }
}
