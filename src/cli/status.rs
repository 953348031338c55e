//! `firsthand status`: what was seen, decided and sent, and what waits or needs its operator.

use std::{collections::BTreeMap, io::Write, path::PathBuf};

use super::{
    Exit,
    args::Status as Args,
    json,
    screen::Screen,
    status_json,
    style::{self, dollars, escape_for_terminal, moment, paint, relative_time, size_in_words, thousands},
};
use crate::{
    model::{Rule, TimeMs},
    network::ledger::{Periods, Spent},
    store::{
        Store, WriteLock,
        status::{self, AccountStatus, PARKED_SHOWN, Status, WatchStatus},
    },
};

/// The status, and what only this process knows: the file and the strategy.
#[derive(Debug)]
pub(super) struct Overview {
    pub(super) status: Status,
    pub(super) now: TimeMs,
    pub(super) locking: &'static str,
    pub(super) file: Option<DatabaseFile>,
    /// How often posts were skipped, by the name of the rule.
    pub(super) skipped: BTreeMap<&'static str, i64>,
}

/// The database's file, as its metadata tell.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    pub(super) path: PathBuf,
    pub(super) size_bytes: u64,
    pub(super) wal_size_bytes: u64,
}

/// Shows the status.
///
/// # Errors
/// Any error of the database or of `out`.
pub async fn run<L: WriteLock>(
    args: &Args,
    store: &Store<L>,
    now: TimeMs,
    screen: &Screen,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    // Money is counted by the calendar month, so nothing older is read.
    let first_hour = Periods::at(now).month;
    let status = store
        .read("read the status", move |conn| Box::pin(async move { status::status(conn, first_hour).await }))
        .await?;
    let skipped = skipped(&status);
    let overview = Overview { status, now, locking: store.strategy_name(), file: file(store), skipped };
    if args.json {
        json::write_pretty(out, &status_json::of(&overview))?;
    } else {
        overview.print(screen, out)?;
    }
    Ok(Exit::Ok)
}

/// Asked of the metadata: opening the file would drop the locks that this process has on it.
fn file<L: WriteLock>(store: &Store<L>) -> Option<DatabaseFile> {
    let path = store.location().file()?.to_path_buf();
    let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut wal = path.clone().into_os_string();
    wal.push("-wal");
    Some(DatabaseFile { size_bytes: size(&path), wal_size_bytes: size(wal.as_ref()), path })
}

fn skipped(status: &Status) -> BTreeMap<&'static str, i64> {
    let mut skipped = BTreeMap::new();
    for total in &status.totals {
        if let Ok(rule) = total.name.parse::<Rule>() {
            *skipped.entry(rule.as_str()).or_insert(0) += total.count;
        }
    }
    skipped
}

impl Overview {
    /// A counter's total over all watches.
    pub(super) fn total(&self, name: &str) -> i64 {
        self.status.totals.iter().filter(|total| total.name == name).map(|total| total.count).sum()
    }

    /// The sum of something over all accounts.
    pub(super) fn sum(&self, of: impl Fn(&AccountStatus) -> i64) -> i64 {
        self.status.accounts.iter().map(of).sum()
    }

    fn print(&self, screen: &Screen, out: &mut dyn Write) -> std::io::Result<()> {
        let Status { schema_version, posts, .. } = &self.status;
        let place = match &self.file {
            None => "in memory".to_owned(),
            Some(file) => {
                let wal = match file.wal_size_bytes {
                    0 => String::new(),
                    bytes => format!(" and {} of write-ahead log", size_in_words(bytes)),
                };
                let path = escape_for_terminal(&file.path.display().to_string());
                format!("{path}, {}{wal}", size_in_words(file.size_bytes))
            }
        };
        heading(out, "archive")?;
        let rows = [
            ("database", place),
            ("schema", schema_version.to_string()),
            ("locking", self.locking.to_owned()),
            ("posts", thousands(*posts)),
        ];
        write!(out, "{}", style::two_columns(rows))?;
        self.print_decisions(out)?;
        for account in &self.status.accounts {
            writeln!(out)?;
            self.print_account(account, screen, out)?;
        }
        if self.status.accounts.is_empty() {
            writeln!(out, "\nNo account has run on this archive yet.")?;
        }
        Ok(())
    }

    fn print_decisions(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out)?;
        heading(out, "decisions")?;
        let held = self.sum(|account| account.held);
        let mut rows = vec![
            ("received".to_owned(), self.total("received"), ""),
            ("chosen to be reposted".to_owned(), self.total("repost"), ""),
            ("reposted".to_owned(), self.sum(|account| account.outbox.done), ""),
            ("held now".to_owned(), held, "copies that wait for their originals"),
            ("waiting to be sent".to_owned(), self.sum(|account| account.outbox.waiting()), ""),
            ("skipped".to_owned(), self.skipped.values().sum(), ""),
        ];
        let mut rules: Vec<_> = self.skipped.iter().collect();
        rules.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), **name));
        for (name, count) in rules {
            let words = name.parse::<Rule>().map_or("", Rule::words);
            rows.push((format!("  {name}"), *count, words));
        }
        rows.push(("unreadable".to_owned(), self.total("quarantined"), "kept raw in quarantine"));
        let crowded = "too many are like them: compared with the first and the newest only";
        rows.push(("crowded".to_owned(), self.total("crowded"), crowded));
        let name_width = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let rows: Vec<_> = rows.into_iter().map(|(name, count, words)| (name, thousands(count), words)).collect();
        let count_width = rows.iter().map(|(_, count, _)| count.len()).max().unwrap_or(0);
        for (name, count, words) in rows {
            let words = if words.is_empty() { String::new() } else { format!("  {}", paint(style::FAINT, words)) };
            writeln!(out, "  {name:name_width$}  {count:>count_width$}{words}")?;
        }
        Ok(())
    }

    fn print_account(&self, account: &AccountStatus, screen: &Screen, out: &mut dyn Write) -> std::io::Result<()> {
        let AccountStatus { outbox, .. } = account;
        let handle = account.handle.as_ref().map(|handle| format!(", @{handle}")).unwrap_or_default();
        heading(out, &escape_for_terminal(&format!("account {} on {}{handle}", account.name, account.network)))?;
        if let Some(reason) = &account.halted_reason {
            let reason = format!("halted, nothing is sent: {reason}");
            for line in screen.wrap(&reason, &[], style::STRONG, screen.columns - 2) {
                writeln!(out, "  {}", paint(style::BAD, line.painted))?;
            }
        }
        let mut rows: Vec<(String, String)> = Vec::new();
        for watch in &account.watches {
            rows.push((escape_for_terminal(&format!("#{}", watch.hashtag)), self.watch_in_words(watch)));
        }
        let last = outbox.last_done.map(|at| format!(", the last {}", relative_time(at, self.now))).unwrap_or_default();
        rows.push(("reposted".to_owned(), format!("{}{last}", thousands(outbox.done))));
        rows.push(("waiting".to_owned(), self.waiting_in_words(account)));
        rows.push(("failed".to_owned(), failed_in_words(account)));
        let spent = Spent::sum(account.booked.iter().copied(), self.now);
        let money = |micro: u64| dollars(i64::try_from(micro).unwrap_or(i64::MAX));
        rows.push((
            "spent".to_owned(),
            format!(
                "{} today, {} this month (UTC)",
                money(spent.micro_dollars_today),
                money(spent.micro_dollars_this_month)
            ),
        ));
        write!(out, "{}", style::two_columns(rows.iter().map(|(name, value)| (name.as_str(), value.clone()))))?;
        for parked in &account.parked {
            let line = format!(
                "parked {}: {} (firsthand explain {})",
                relative_time(parked.at, self.now),
                style::excerpt(&parked.detail, 200),
                parked.remote_id
            );
            for (place, line) in screen.wrap(&line, &[], style::STRONG, screen.columns - 6).into_iter().enumerate() {
                writeln!(out, "  {}{}", if place == 0 { "! " } else { "  " }, paint(style::WAITING, line.painted))?;
            }
        }
        if outbox.parked > PARKED_SHOWN {
            writeln!(out, "  … and {} more", thousands(outbox.parked - PARKED_SHOWN))?;
        }
        Ok(())
    }

    fn watch_in_words(&self, watch: &WatchStatus) -> String {
        let newest = watch.newest.as_ref().map(|id| format!(", up to {}", escape_for_terminal(id.as_str())));
        let busy = if watch.catching_up { ", older pages to come" } else { "" };
        match watch.updated_at {
            None => format!("nothing read yet; reposts from {} on", style::clock_time(watch.start)),
            Some(at) => format!("read {}{busy}{}", relative_time(at, self.now), newest.unwrap_or_default()),
        }
    }

    fn waiting_in_words(&self, account: &AccountStatus) -> String {
        let outbox = &account.outbox;
        let mut parts = vec![thousands(outbox.waiting())];
        if let Some(due) = outbox.next_due.filter(|due| *due > self.now) {
            parts.push(format!("the next at {}", moment(due, self.now)));
        }
        if outbox.claimed > 0 {
            parts.push(format!("{} being sent", thousands(outbox.claimed)));
        }
        if outbox.uncertain > 0 {
            parts.push(format!("{} without an answer", thousands(outbox.uncertain)));
        }
        if account.held > 0 {
            let ends = account.next_hold_ends.map(|at| format!(", grace ends {}", relative_time(at, self.now)));
            let copies = u64::try_from(account.held).unwrap_or(0);
            let held = if copies == 1 { "1 copy".to_owned() } else { format!("{} copies", thousands(copies)) };
            parts.push(format!("and {held} held for the original{}", ends.unwrap_or_default()));
        }
        parts.join(", ")
    }
}

fn heading(out: &mut dyn Write, text: &str) -> std::io::Result<()> {
    writeln!(out, "{}", paint(style::STRONG, text))
}

fn failed_in_words(account: &AccountStatus) -> String {
    let outbox = &account.outbox;
    let kinds = [
        (outbox.parked, "parked for you to look at"),
        (outbox.refused, "refused by the network"),
        (outbox.gone, "gone"),
        (outbox.dropped, "dropped by a filter or a cap"),
    ];
    let parts: Vec<_> = kinds
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| {
            let part = format!("{} {words}", thousands(*count));
            if *words == kinds[0].1 { paint(style::WAITING, part) } else { part }
        })
        .collect();
    if parts.is_empty() { "0".to_owned() } else { parts.join(", ") }
}
