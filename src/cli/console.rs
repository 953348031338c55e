//! What a person sees while the bot works: each decision as it falls, and at the end what came of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::style::{self, BAD, FAINT, GOOD, STRONG, WAITING, paint};
use crate::{
    model::{Action, Clock, PostId, Rule, TimeMs},
    pipeline::{
        decision::Decision,
        event::{Event, Observer, Sent, SentResult},
    },
};

/// How wide a line's excerpt is, in characters.
const EXCERPT_WIDTH: usize = 64;

/// What happened while the bot ran, by rule.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Decisions by rule: a post that was held counts by its latest one.
    pub rules: BTreeMap<Rule, u64>,
    /// Posts that wait for their original.
    pub held: BTreeSet<PostId>,
    /// Reposts by how they ended.
    pub sent: BTreeMap<&'static str, u64>,
    /// Posts that came for the first time.
    pub received: u64,
    /// Posts that came once more.
    pub repeats: u64,
}

/// Prints events and counts them.
pub struct Console {
    clock: Arc<dyn Clock>,
    bar: ProgressBar,
    /// Whether to print a line for a repost that simply went out: in a rehearsal the decision has told it already.
    tells_sent: bool,
    /// Guards the counts; events come from several tasks. Held only to count.
    tally: Mutex<Tally>,
}

impl Console {
    /// A console that tells the time by `clock`, with a progress bar of `length` if there is one to tell.
    pub fn new(clock: Arc<dyn Clock>, length: Option<u64>, tells_sent: bool) -> Arc<Self> {
        let bar = match length {
            Some(length) => ProgressBar::new(length).with_style(bar_style()),
            None => ProgressBar::hidden(),
        };
        Arc::new(Self { clock, bar, tells_sent, tally: Mutex::default() })
    }

    /// The progress bar; hidden where standard error is no terminal.
    pub fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// The counts so far.
    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// An observer that prints and counts.
    pub fn observer(self: &Arc<Self>) -> Observer {
        let console = self.clone();
        Arc::new(move |event| console.take(&event))
    }

    fn take(&self, event: &Event) {
        let line = {
            let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Decided { decision, .. } => {
                    tally.count(decision);
                    decision_line(decision)
                }
                Event::Sent { sent, .. } => {
                    *tally.sent.entry(sent_words(sent.result).1).or_insert(0) += 1;
                    (self.tells_sent || sent.result != SentResult::Reposted).then(|| sent_line(sent))
                }
                Event::Waiting { until, reason, .. } => {
                    Some(format!("{}  until {}: {}", label(WAITING, "wait"), clock_time(*until), safe(reason)))
                }
                Event::Halted { account, reason } => {
                    Some(format!("{}  account {}: {}", label(BAD, "halted"), safe(account), safe(reason)))
                }
                Event::Degraded { reason } => Some(format!("{}  {}", label(BAD, "degraded"), safe(reason))),
                Event::CaughtUp { .. } => None,
            }
        };
        if let Some(line) = line {
            let time = paint(FAINT, clock_time(self.clock.now()));
            // A closed pipe must not stop the bot.
            self.bar.suspend(|| drop(writeln!(anstream::stdout().lock(), "{time}  {line}")));
        }
    }
}

impl Tally {
    fn count(&mut self, decision: &Decision) {
        let verdict = &decision.verdict;
        let settled = verdict.rule != Rule::Seen && self.held.remove(&verdict.post);
        match verdict.rule {
            Rule::Seen => self.repeats += 1,
            _ if settled => {}
            _ => self.received += 1,
        }
        if verdict.action == Action::Hold {
            self.held.insert(verdict.post);
        } else if verdict.rule != Rule::Seen {
            *self.rules.entry(verdict.rule).or_insert(0) += 1;
        }
    }

    /// How many posts were decided by rules of this action.
    pub fn reposts(&self) -> u64 {
        let reposting = [Rule::FirstHand, Rule::OriginalArrived, Rule::OriginalMissing];
        reposting.iter().filter_map(|rule| self.rules.get(rule)).sum()
    }

    /// The table of rules, most frequent first.
    pub fn table(&self) -> String {
        let mut rows: Vec<_> = self.rules.iter().collect();
        rows.sort_by_key(|(rule, count)| (std::cmp::Reverse(**count), **rule));
        rows.into_iter()
            .map(|(rule, count)| {
                format!("  {:>7}  {:20} {}\n", style::thousands(*count), rule, paint(FAINT, rule.words()))
            })
            .collect()
    }
}

/// A decision as one line; nothing for a post that was seen before, of which there is nothing new to tell.
fn decision_line(decision: &Decision) -> Option<String> {
    let verdict = &decision.verdict;
    if verdict.rule == Rule::Seen {
        return None;
    }
    let author = decision.author.as_deref().map_or_else(|| "unknown".to_owned(), |author| format!("@{}", safe(author)));
    let of_whom = || {
        let matched = decision.matched.as_ref()?.author.as_deref()?;
        Some(format!(" of @{}", safe(matched)))
    };
    let (label, why) = match verdict.action {
        Action::Repost => {
            let why = match verdict.rule {
                Rule::FirstHand => String::new(),
                rule => rule.words().to_owned(),
            };
            (label(GOOD, "repost"), why)
        }
        Action::Hold => {
            let credited = decision.attribution.as_ref().map(|handle| format!(" (@{})", safe(handle.as_str())));
            (label(WAITING, "hold"), format!("waits for its original{}", credited.unwrap_or_default()))
        }
        Action::Skip => {
            let similarity = verdict.similarity.map(|similarity| format!(", {:.0} % alike", similarity * 100.0));
            let of_whom = of_whom().map(|whom| format!(": copy{whom}"));
            (
                label(FAINT, "skip"),
                format!("{}{}{}", verdict.rule.words(), of_whom.unwrap_or_default(), similarity.unwrap_or_default()),
            )
        }
    };
    let excerpt = style::excerpt(&decision.excerpt, EXCERPT_WIDTH);
    let why = if why.is_empty() { why } else { format!("\n{:20}{}", "", paint(FAINT, format!("└ {why}"))) };
    Some(format!("{label}  {}  {excerpt}{why}", paint(STRONG, format!("{author:18}"))))
}

fn sent_line(sent: &Sent) -> String {
    let (colour, words) = sent_words(sent.result);
    let author = sent.author.as_deref().map(|author| format!("@{}", safe(author))).unwrap_or_default();
    format!(
        "{}  {} {}: {words}: {}",
        label(colour, "sent"),
        paint(STRONG, author),
        safe(sent.remote_id.as_str()),
        safe(&sent.detail)
    )
}

fn sent_words(result: SentResult) -> (anstyle::Style, &'static str) {
    match result {
        SentResult::Reposted => (GOOD, "reposted"),
        SentResult::AlreadyThere => (GOOD, "was reposted already"),
        SentResult::Gone => (WAITING, "is gone"),
        SentResult::Refused => (WAITING, "may not be reposted"),
        SentResult::Dropped => (WAITING, "dropped"),
        SentResult::Parked => (BAD, "parked for you"),
        SentResult::Again => (WAITING, "to be tried again"),
        SentResult::Uncertain => (WAITING, "outcome unknown, to be asked again"),
    }
}

fn label(colour: anstyle::Style, word: &str) -> String {
    paint(colour, format!("{word:8}"))
}

fn safe(text: &str) -> String {
    style::escape_for_terminal(text)
}

/// The time of day, UTC.
fn clock_time(time: TimeMs) -> String {
    let text = time.to_string();
    text.split(['T', 'Z']).nth(1).unwrap_or(&text).to_owned()
}

fn bar_style() -> ProgressStyle {
    // The template is a constant; a wrong one would show in the first run.
    ProgressStyle::with_template("{bar:40.green/dim} {percent:>3} %  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
