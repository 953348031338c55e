//! The status for programs. Names are stable; times are milliseconds since the Unix epoch, money is millionths of a
//! dollar.

use serde_json::{Value, json};

use super::status::Overview;
use crate::{
    model::{TimeMs, Usage},
    network::ledger::{Periods, Spent},
    store::status::{AccountStatus, WatchStatus},
};

/// The whole status as one object.
pub(super) fn of(overview: &Overview) -> Value {
    let status = &overview.status;
    let file = overview.file.as_ref();
    let watches: Vec<_> = status
        .accounts
        .iter()
        .flat_map(|account| account.watches.iter().map(|watch| of_watch(account, watch, overview.now)))
        .collect();
    json!({
        "database": {
            "path": file.map(|file| file.path.display().to_string()),
            "size_bytes": file.map(|file| file.size_bytes),
            "wal_size_bytes": file.map(|file| file.wal_size_bytes),
            "schema_version": status.schema_version,
            "locking": overview.locking,
        },
        "posts": status.posts,
        "received": overview.total("received"),
        "chosen": overview.total("repost"),
        "reposted": overview.sum(|account| account.outbox.done),
        "held": overview.sum(|account| account.held),
        "waiting": overview.sum(|account| account.outbox.waiting()),
        "failed": {
            "parked": overview.sum(|account| account.outbox.parked),
            "refused": overview.sum(|account| account.outbox.refused),
            "gone": overview.sum(|account| account.outbox.gone),
            "dropped": overview.sum(|account| account.outbox.dropped),
        },
        "skipped": overview.skipped,
        "quarantined": overview.total("quarantined"),
        "crowded": overview.total("crowded"),
        "counters": status.totals,
        "watches": watches,
        "accounts": status.accounts.iter().map(|account| of_account(account, overview.now)).collect::<Vec<_>>(),
        "now_ms": overview.now,
    })
}

fn of_watch(account: &AccountStatus, watch: &WatchStatus, now: TimeMs) -> Value {
    json!({
        "account": account.name,
        "hashtag": watch.hashtag,
        "start_ms": watch.start,
        "newest_id": watch.newest,
        "catching_up": watch.catching_up,
        "updated_at_ms": watch.updated_at,
        "age_ms": watch.updated_at.map(|at| u64::try_from(now.since(at).as_millis()).unwrap_or(u64::MAX)),
    })
}

fn of_account(account: &AccountStatus, now: TimeMs) -> Value {
    let outbox = &account.outbox;
    let spent = Spent::sum(account.booked.iter().copied(), now);
    let day = Periods::at(now).day;
    let reads = account.booked.iter().filter(|entry| entry.usage == Usage::Read && entry.hour >= day);
    json!({
        "name": account.name,
        "network": account.network,
        "handle": account.handle,
        "halted_reason": account.halted_reason,
        "held": account.held,
        "next_hold_ends_ms": account.next_hold_ends,
        "ready": outbox.ready,
        "claimed": outbox.claimed,
        "uncertain": outbox.uncertain,
        "done": outbox.done,
        "gone": outbox.gone,
        "refused": outbox.refused,
        "dropped": outbox.dropped,
        "parked": outbox.parked,
        "next_due_ms": outbox.next_due,
        "last_done_ms": outbox.last_done,
        "newest_parked": account.parked.iter().map(|parked| json!({
            "id": parked.remote_id,
            "at_ms": parked.at,
            "detail": parked.detail,
        })).collect::<Vec<_>>(),
        "micro_dollars_today": spent.micro_dollars_today,
        "micro_dollars_this_month": spent.micro_dollars_this_month,
        "reads_today": reads.map(|entry| entry.count).sum::<u64>(),
        "reposts_today": spent.reposts_today,
    })
}
