//! How things stand before a decision, and what is written after it; and the decisions that time alone brings.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use sqlx::SqliteConnection;

use super::{
    batch::Reader,
    decision::{self, Decision},
};
use crate::{
    dedup::decide::{Changes, Decider, ThingState},
    model::{AccountId, Action, Rule, ThingId, TimeMs, Verdict},
    store::{Store, StoreError, counters, lock::WriteLock, outbox, things, verdicts},
};

/// Ends the holds whose grace time is over at `now`, at most 500 at once.
///
/// # Errors
/// Any [`StoreError`]; then nothing was changed.
pub async fn end_holds<L: WriteLock>(
    store: &Store<L>,
    reader: Arc<Reader>,
    now: TimeMs,
) -> Result<Vec<Decision>, StoreError> {
    store
        .write("end holds", move |conn| {
            let reader = reader.clone();
            Box::pin(async move {
                let due = verdicts::due_holds(conn, reader.account, now).await?;
                let states = thing_states(conn, reader.account, &due).await?;
                let mut decider = Decider::new(reader.sharing, &reader.filters, states, reader.sends);
                due.into_iter().for_each(|thing| decider.expire(thing, now));
                let mut decisions = decision::of_archived(conn, decider.changes().verdicts.values()).await?;
                decision::tell_others(conn, &mut decisions, |thing| decider.original(thing)).await?;
                let changes = decider.into_changes();
                let counts = count(changes.verdicts.values());
                record_changes(conn, &reader, changes, now).await?;
                counters::add(conn, reader.watch, &counts, now).await?;
                Ok(decisions)
            })
        })
        .await
}

/// How things stand with an account.
pub(super) async fn thing_states(
    conn: &mut SqliteConnection,
    account: AccountId,
    things: &[ThingId],
) -> Result<HashMap<ThingId, ThingState>, StoreError> {
    let standings = verdicts::standings(conn, account, things).await?;
    let things = things::load(conn, things).await?;
    Ok(things
        .into_iter()
        .map(|(id, thing)| {
            let original = thing.original.map(|original| (original, thing.original_author));
            let standings = standings.get(&id).map_or(&[][..], Vec::as_slice);
            (id, ThingState::new(original, thing.replayed, standings))
        })
        .collect())
}

/// Writes down what was decided.
pub(super) async fn record_changes(
    conn: &mut SqliteConnection,
    reader: &Reader,
    changes: Changes,
    now: TimeMs,
) -> Result<(), StoreError> {
    let account = reader.account;
    let verdicts: Vec<Verdict> = changes.verdicts.into_values().collect();
    verdicts::save(conn, account, &verdicts, now).await?;
    things::set_originals(conn, &changes.originals).await?;
    if reader.sends {
        outbox::insert(conn, account, &changes.orders, now).await?;
        outbox::retarget(conn, account, &changes.retargets, now).await?;
        outbox::withdraw(conn, account, &changes.withdrawals, Rule::OriginalFiltered, now).await?;
    }
    Ok(())
}

/// How many verdicts there are of each kind, by the names of the counters.
pub(super) fn count<'v>(verdicts: impl Iterator<Item = &'v Verdict>) -> BTreeMap<&'static str, i64> {
    let mut counts = BTreeMap::new();
    for verdict in verdicts {
        let name = match verdict.action {
            Action::Skip => verdict.rule.as_str(),
            Action::Repost | Action::Hold => verdict.action.as_str(),
        };
        *counts.entry(name).or_insert(0) += 1;
    }
    counts
}
