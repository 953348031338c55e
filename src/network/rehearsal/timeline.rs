//! The embedded timeline, read and checked, and turned into posts.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::entry::{Entry, hashtags_in};
use crate::model::{
    Author, Facts, Handle, Hashtag, NetworkKind, Post, Provenance, RemoteId, Reply, TimeMs, Visibility,
};

const TIMELINE: &str = include_str!("timeline.jsonl");
const AUTHORS: &str = include_str!("authors.json");

/// A timeline that cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// The table of authors is no JSON object of strings.
    #[error("the table of authors does not read; mend authors.json")]
    Authors(#[source] serde_json::Error),
    /// A line is no [`Entry`].
    #[error("line {line} of the timeline does not read; mend timeline.jsonl")]
    Line {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A line names an author who is not in the table.
    #[error("post {post} is by @{author}, who is not in authors.json; add a display name there")]
    UnknownAuthor {
        /// The post's id.
        post: RemoteId,
        /// Its author's handle.
        author: String,
    },
    /// Two lines share an id.
    #[error("two posts of the timeline have the id {0}; give the second another one")]
    DuplicateId(RemoteId),
    /// A line is earlier than the one before.
    #[error("post {0} is earlier than the one before it; sort the timeline by at_s")]
    OutOfOrder(RemoteId),
    /// A line names a post that does not stand before it.
    #[error("post {post} names post {named}, which does not stand before it")]
    UnknownPost {
        /// The post's id.
        post: RemoteId,
        /// The id that it names.
        named: RemoteId,
    },
}

/// The timeline: entries in the order of their times, with their authors and hashtags.
#[derive(Debug)]
pub struct Timeline {
    /// Oldest first.
    entries: Vec<Entry>,
    /// The hashtags of the entry at the same place.
    hashtags: Vec<Vec<Hashtag>>,
    /// Where an id stands in `entries`.
    places: HashMap<RemoteId, usize>,
    /// Display names by handle.
    names: BTreeMap<String, String>,
}

impl Timeline {
    /// The timeline that is embedded in the binary.
    ///
    /// # Errors
    /// A [`TimelineError`] if the embedded files are damaged; a test reads them, so a released binary never answers so.
    pub fn embedded() -> Result<Self, TimelineError> {
        Self::read(TIMELINE, AUTHORS)
    }

    /// Reads a timeline (JSON lines of [`Entry`]) and its table of authors (a JSON object of handle and display name).
    ///
    /// # Errors
    /// A [`TimelineError`] that names the line or post.
    pub fn read(lines: &str, authors: &str) -> Result<Self, TimelineError> {
        let names: BTreeMap<String, String> = serde_json::from_str(authors).map_err(TimelineError::Authors)?;
        let mut timeline = Self { entries: Vec::new(), hashtags: Vec::new(), places: HashMap::new(), names };
        for (index, line) in lines.lines().enumerate() {
            let entry = serde_json::from_str(line).map_err(|source| TimelineError::Line { line: index + 1, source })?;
            timeline.push(entry)?;
        }
        Ok(timeline)
    }

    /// The entries, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The display names by handle.
    pub fn display_names(&self) -> &BTreeMap<String, String> {
        &self.names
    }

    /// The entry with this id.
    pub fn entry(&self, id: &RemoteId) -> Option<&Entry> {
        self.place(id).map(|place| &self.entries[place])
    }

    /// Where the entry with this id stands.
    pub(super) fn place(&self, id: &RemoteId) -> Option<usize> {
        self.places.get(id).copied()
    }

    /// The hashtags that stand in the text of the entry at `place`.
    pub(super) fn hashtags(&self, place: usize) -> &[Hashtag] {
        &self.hashtags[place]
    }

    /// The entry at `place` as the network delivers it, in a timeline that began at `started_at`.
    pub(super) fn post(&self, place: usize, started_at: TimeMs, provenance: Provenance) -> Post {
        let entry = &self.entries[place];
        Post {
            network: NetworkKind::Rehearsal,
            remote_id: entry.id.clone(),
            author: Some(self.author(&entry.author)),
            text: entry.text.clone(),
            lang: Some(entry.lang.clone()),
            created_at: posted_at(entry, started_at),
            repost_of: entry.repost_of.clone(),
            provenance,
            facts: Facts {
                reply: entry.reply_to.as_ref().map(|to| Reply {
                    to_post: Some(to.clone()),
                    to_author: self.entry(to).map(|answered| self.author(&answered.author).remote_id),
                }),
                hashtags: self.hashtags[place].clone(),
                links: entry.links.clone(),
                visibility: Visibility::Public,
                sensitive: false,
            },
        }
    }

    fn author(&self, handle: &str) -> Author {
        let display_name = self.names.get(handle).cloned().unwrap_or_default();
        Author { display_name, ..Author::from_handle(handle) }
    }

    fn push(&mut self, mut entry: Entry) -> Result<(), TimelineError> {
        if !self.names.contains_key(&entry.author) {
            return Err(TimelineError::UnknownAuthor { post: entry.id, author: entry.author });
        }
        if self.entries.last().is_some_and(|last| last.at_s > entry.at_s) {
            return Err(TimelineError::OutOfOrder(entry.id));
        }
        for named in entry.repost_of.iter().chain(&entry.reply_to) {
            if !self.places.contains_key(named) {
                return Err(TimelineError::UnknownPost { post: entry.id.clone(), named: named.clone() });
            }
        }
        if let Some(original) = entry.repost_of.as_ref().and_then(|id| self.entry(id)) {
            entry.text = format!("RT @{}: {}", original.author, original.text);
        }
        if self.places.insert(entry.id.clone(), self.entries.len()).is_some() {
            return Err(TimelineError::DuplicateId(entry.id));
        }
        self.hashtags.push(hashtags_in(&entry.text));
        self.entries.push(entry);
        Ok(())
    }
}

/// When an entry is posted, in a timeline that began at `started_at`.
pub(super) fn posted_at(entry: &Entry, started_at: TimeMs) -> TimeMs {
    started_at.plus(Duration::from_secs(entry.at_s.into()))
}

/// Whether an entry is by this author.
pub(super) fn is_by(entry: &Entry, author: &Handle) -> bool {
    Handle::new(&entry.author) == *author
}
