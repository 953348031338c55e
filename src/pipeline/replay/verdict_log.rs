//! `--verdicts`: one line for each post, in input order, written when it is final.
//!
//! A held copy's line is final only when its original has come or its grace time is over, and the lines behind it wait
//! with it. They wait in memory up to a bound, and beyond that in a temporary file.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write},
};

use serde::{Deserialize, Serialize};

use crate::{
    model::{Action, PostId},
    pipeline::decision::Decision,
};

/// How many lines wait in memory (about 200 bytes each).
const WAITING_IN_MEMORY: usize = 50_000;

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerdictLine {
    /// The post's id, as in the input.
    pub id: String,
    /// `repost`, `skip` or `hold`.
    pub action: String,
    /// The rule that decided.
    pub rule: String,
    /// An earlier line of the same thing.
    pub duplicate_of: Option<String>,
    /// The thing's original; may be a later line.
    pub original: Option<String>,
    /// How similar the two texts are, 0 to 1.
    pub similarity: Option<f64>,
    /// The handle that the post credits.
    pub attribution: Option<String>,
}

/// A line, and the post that it is about.
#[derive(Debug, Serialize, Deserialize)]
struct Waiting {
    post: PostId,
    line: VerdictLine,
}

/// Writes the log.
pub struct VerdictLog<W: Write> {
    out: W,
    /// Posts of this replay have this id or a later one; matches with older ones are no lines of the input.
    first_post: PostId,
    waiting: VecDeque<Waiting>,
    spool: Option<Spool>,
    /// Held copies whose line waits in the spool: their final decision, once there is one.
    settled: HashMap<PostId, Decision>,
}

impl<W: Write> VerdictLog<W> {
    /// A log of the posts from `first_post` on.
    pub fn new(out: W, first_post: PostId) -> Self {
        Self { out, first_post, waiting: VecDeque::new(), spool: None, settled: HashMap::new() }
    }

    /// Takes the decisions of one page: about earlier posts, and about its own in input order.
    ///
    /// # Errors
    /// What the operating system says to writing.
    pub fn take(&mut self, decisions: Vec<Decision>, own: usize) -> io::Result<()> {
        let earlier = decisions.len() - own;
        for (index, decision) in decisions.into_iter().enumerate() {
            if index < earlier { self.settle(decision) } else { self.push(decision)? }
        }
        self.write_final()
    }

    /// Writes everything that is left; what is held now is held for good.
    ///
    /// # Errors
    /// What the operating system says to writing.
    pub fn finish(mut self) -> io::Result<W> {
        loop {
            self.write_while(|_| true)?;
            if !self.refill()? {
                break;
            }
        }
        self.out.flush()?;
        Ok(self.out)
    }

    fn line(&self, decision: &Decision) -> VerdictLine {
        let verdict = &decision.verdict;
        let own = verdict.post;
        let earlier = decision.matched.as_ref().filter(|told| told.post < own && told.post >= self.first_post);
        let again = verdict.rule == crate::model::Rule::Seen && own >= self.first_post;
        let duplicate_of = match earlier {
            Some(told) => Some(told.remote_id.to_string()),
            None => again.then(|| decision.remote_id.to_string()),
        };
        VerdictLine {
            id: decision.remote_id.to_string(),
            action: verdict.action.as_str().to_owned(),
            rule: verdict.rule.as_str().to_owned(),
            duplicate_of,
            original: decision.original.as_ref().map(|told| told.remote_id.to_string()),
            similarity: verdict.similarity,
            attribution: decision.attribution.as_ref().map(ToString::to_string),
        }
    }

    fn push(&mut self, decision: Decision) -> io::Result<()> {
        let waiting = Waiting { post: decision.verdict.post, line: self.line(&decision) };
        match &mut self.spool {
            Some(spool) => spool.push(&waiting)?,
            None if self.waiting.len() < WAITING_IN_MEMORY => self.waiting.push_back(waiting),
            None => self.spool.insert(Spool::new()?).push(&waiting)?,
        }
        Ok(())
    }

    /// A decision about a post whose line may still wait.
    fn settle(&mut self, decision: Decision) {
        let line = self.line(&decision);
        // Lines wait in input order, and posts got their ids in input order; only repeats of a known post stand out.
        let found = self
            .waiting
            .iter_mut()
            .find(|waiting| waiting.post == decision.verdict.post && waiting.line.action == Action::Hold.as_str());
        match found {
            Some(waiting) => settle_line(&mut waiting.line, line),
            None if self.spool.is_some() => drop(self.settled.insert(decision.verdict.post, decision)),
            None => {}
        }
    }

    fn write_final(&mut self) -> io::Result<()> {
        loop {
            self.write_while(|waiting| waiting.line.action != Action::Hold.as_str())?;
            if !self.waiting.is_empty() || !self.refill()? {
                return Ok(());
            }
        }
    }

    fn write_while(&mut self, is_final: impl Fn(&Waiting) -> bool) -> io::Result<()> {
        while let Some(first) = self.waiting.pop_front_if(|waiting| is_final(waiting)) {
            serde_json::to_writer(&mut self.out, &first.line)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Brings spooled lines back to memory. Returns false if there are none.
    fn refill(&mut self) -> io::Result<bool> {
        let Some(mut spool) = self.spool.take() else { return Ok(false) };
        let lines = spool.pop(WAITING_IN_MEMORY)?;
        let any = !lines.is_empty();
        for mut waiting in lines {
            if let Some(decision) = self.settled.remove(&waiting.post) {
                let line = self.line(&decision);
                settle_line(&mut waiting.line, line);
            }
            self.waiting.push_back(waiting);
        }
        if spool.left > 0 {
            self.spool = Some(spool);
        }
        Ok(any)
    }
}

/// A held line becomes final; what it was a copy of stays what it was.
fn settle_line(held: &mut VerdictLine, settled: VerdictLine) {
    let duplicate_of = held.duplicate_of.take().or(settled.duplicate_of);
    *held = VerdictLine { duplicate_of, ..settled };
}

/// Lines that wait in a temporary file, first in, first out.
struct Spool {
    writer: BufWriter<File>,
    read_from: u64,
    left: u64,
}

impl Spool {
    fn new() -> io::Result<Self> {
        Ok(Self { writer: BufWriter::new(tempfile::tempfile()?), read_from: 0, left: 0 })
    }

    fn push(&mut self, waiting: &Waiting) -> io::Result<()> {
        serde_json::to_writer(&mut self.writer, waiting)?;
        self.writer.write_all(b"\n")?;
        self.left += 1;
        Ok(())
    }

    fn pop(&mut self, count: usize) -> io::Result<Vec<Waiting>> {
        self.writer.flush()?;
        let mut file = self.writer.get_ref();
        file.seek(SeekFrom::Start(self.read_from))?;
        let mut reader = BufReader::new(file);
        let mut lines = Vec::new();
        let mut line = String::new();
        while lines.len() < count {
            line.clear();
            let read = reader.read_line(&mut line)?;
            if read == 0 {
                break;
            }
            self.read_from += read as u64;
            lines.push(serde_json::from_str(&line)?);
        }
        self.left -= lines.len() as u64;
        self.writer.get_mut().seek(SeekFrom::End(0))?;
        Ok(lines)
    }
}
