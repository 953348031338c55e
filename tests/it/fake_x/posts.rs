//! What the fake holds: posts and users, and how they are written in an answer.

use firsthand::model::TimeMs;
use serde_json::{Map, Value, json};

use super::state::Naming;

/// A post to be published. What is left out, the fake makes up.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakePost {
    /// The author's handle.
    pub(crate) author: String,
    /// The text as its author wrote it; the fake escapes it.
    pub(crate) text: String,
    /// When it was posted; now, if not given.
    pub(crate) at: Option<TimeMs>,
    /// The id; made from the time, if not given.
    pub(crate) id: Option<String>,
    /// The post that this one reposts.
    pub(crate) repost_of: Option<String>,
    /// The post that this one answers.
    pub(crate) reply_to: Option<String>,
    /// Short links in the text, and where they lead.
    pub(crate) links: Vec<(String, String)>,
    /// The language tag.
    pub(crate) lang: Option<String>,
}

impl FakePost {
    /// A post with nothing but author and text.
    pub(crate) fn new(author: &str, text: &str) -> Self {
        Self { author: author.to_owned(), text: text.to_owned(), ..Self::default() }
    }
}

/// A user.
#[derive(Clone, Debug)]
pub(crate) struct FakeUser {
    /// The handle.
    pub(crate) handle: String,
    /// The display name.
    pub(crate) name: String,
    /// Only followers see the posts, and nobody may repost them.
    pub(crate) protected: bool,
    /// The user has blocked the bot.
    pub(crate) blocks_us: bool,
}

impl FakeUser {
    /// A public user.
    pub(crate) fn new(handle: &str) -> Self {
        Self { handle: handle.to_owned(), name: format!("{handle} (fake)"), protected: false, blocks_us: false }
    }
}

/// A post as the fake keeps it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) id: String,
    pub(super) author_id: String,
    pub(super) created_at: TimeMs,
    pub(super) post: FakePost,
}

/// Up to this length X keeps a text out of the note.
const SHORT_TEXT_CHARS: usize = 280;

impl Stored {
    /// Whether it is newer than an id; ids are compared as numbers of any length.
    pub(super) fn is_above(&self, id: &str) -> bool {
        (self.id.len(), self.id.as_str()) > (id.len(), id)
    }

    /// The post as an element of an answer.
    pub(super) fn json(&self, naming: Naming, reply_author: Option<String>) -> Value {
        let text = escape(&self.post.text);
        let mut element = Map::new();
        element.insert("id".to_owned(), json!(self.id));
        element.insert("author_id".to_owned(), json!(self.author_id));
        element.insert("created_at".to_owned(), json!(self.created_at.to_string().replace('Z', ".000Z")));
        element.insert("lang".to_owned(), json!(self.post.lang.as_deref().unwrap_or("en")));
        element.insert("edit_history_tweet_ids".to_owned(), json!([self.id]));
        element.insert("possibly_sensitive".to_owned(), json!(false));
        if self.post.text.chars().count() > SHORT_TEXT_CHARS {
            let beginning: String = self.post.text.chars().take(SHORT_TEXT_CHARS - 1).collect();
            element.insert("text".to_owned(), json!(format!("{}…", escape(&beginning))));
            element.insert("entities".to_owned(), self.entities(&beginning));
            let note = json!({ "text": text, "entities": self.entities(&self.post.text) });
            element.insert(naming.pick("note_tweet", "note_post").to_owned(), note);
        } else {
            element.insert("text".to_owned(), json!(text));
            element.insert("entities".to_owned(), self.entities(&self.post.text));
        }
        let reposted = naming.pick("retweeted", "reposted");
        let references: Vec<Value> = [(reposted, &self.post.repost_of), ("replied_to", &self.post.reply_to)]
            .into_iter()
            .filter_map(|(kind, id)| id.as_ref().map(|id| json!({ "type": kind, "id": id })))
            .collect();
        if !references.is_empty() {
            element.insert(naming.pick("referenced_tweets", "referenced_posts").to_owned(), json!(references));
        }
        if let Some(author) = reply_author {
            element.insert("in_reply_to_user_id".to_owned(), json!(author));
        }
        Value::Object(element)
    }

    /// What X would see in the text. X leaves out the lists that are empty.
    fn entities(&self, text: &str) -> Value {
        let mut entities = Map::new();
        let tags: Vec<Value> = text
            .split(['#', '＃'])
            .skip(1)
            .map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default())
            .filter(|tag| !tag.is_empty())
            .map(|tag| json!({ "tag": tag, "start": 0, "end": tag.chars().count() }))
            .collect();
        if !tags.is_empty() {
            entities.insert("hashtags".to_owned(), json!(tags));
        }
        let shown = self.post.links.iter().filter(|(short, _)| text.contains(short));
        let urls: Vec<Value> = shown.map(|(short, long)| json!({ "url": short, "expanded_url": long })).collect();
        if !urls.is_empty() {
            entities.insert("urls".to_owned(), json!(urls));
        }
        Value::Object(entities)
    }
}

/// X escapes these three, and no others.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
