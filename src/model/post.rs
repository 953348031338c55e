//! A post as a network adapter delivers it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Handle, Hashtag, NetworkKind, RemoteId, TimeMs};

/// Somebody who posts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The network's id; where there is none, the folded handle.
    pub remote_id: RemoteId,
    /// As the network writes it, without the leading `@`.
    pub handle: String,
    /// The name shown to people; may be empty.
    pub display_name: String,
}

impl Author {
    /// An author of whom only the handle is known.
    pub fn from_handle(handle: &str) -> Self {
        let folded = Handle::new(handle);
        Self {
            remote_id: RemoteId::new(folded.as_str()),
            handle: handle.trim().trim_start_matches('@').to_owned(),
            display_name: String::new(),
        }
    }

    /// The handle that authors are compared by.
    pub fn folded_handle(&self) -> Handle {
        Handle::new(&self.handle)
    }
}

/// A link in a post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// As it stands in the text (often a short form).
    pub shown: String,
    /// Where it leads, as far as the network tells.
    pub expanded: String,
}

/// That a post answers another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The post that is answered, where it is known.
    pub to_post: Option<RemoteId>,
    /// The author who is answered, by the network's id, where it is known.
    pub to_author: Option<RemoteId>,
}

/// Who may see a post.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everybody, also through public timelines.
    #[default]
    Public,
    /// Everybody who has the link; not meant for public timelines.
    Unlisted,
    /// Followers, or a protected account.
    Private,
}

/// What the filters need beyond text and author. Stored as JSON beside the post, so that the same filters can be
/// applied again when the post is claimed for sending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Set if the post answers another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// The hashtags that really stand in the post, verified by the adapter, folded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hashtags: Vec<Hashtag>,
    /// The links in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// Who may see the post.
    #[serde(default)]
    pub visibility: Visibility,
    /// Marked as sensitive by its author or the network.
    #[serde(default)]
    pub sensitive: bool,
}

/// How a post came into the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provenance {
    /// A watch saw it.
    Watch,
    /// It came inside another post, as the original of a native repost.
    Embedded,
    /// We asked the network for it, to find the original of a copy.
    Lookup,
    /// From a file, by `replay`.
    Replay,
    /// From an archive that somebody has, by `import`.
    Import,
}

impl Provenance {
    const ALL: [Self; 5] = [Self::Watch, Self::Embedded, Self::Lookup, Self::Replay, Self::Import];

    /// The name as it stands in the archive.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Embedded => "embedded",
            Self::Lookup => "lookup",
            Self::Replay => "replay",
            Self::Import => "import",
        }
    }

    /// Whether the post was brought by hand, and so counts as shared already.
    pub fn is_replayed(self) -> bool {
        matches!(self, Self::Replay | Self::Import)
    }
}

impl FromStr for Provenance {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|p| p.as_str() == name).ok_or_else(|| format!("unknown provenance {name:?}"))
    }
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A post as a network adapter delivers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Where it comes from.
    pub network: NetworkKind,
    /// The network's id of this post.
    pub remote_id: RemoteId,
    /// Who posted it; unknown in some files.
    pub author: Option<Author>,
    /// Plain text: entities decoded, long posts whole.
    pub text: String,
    /// BCP 47 language tag, as the network tells.
    pub lang: Option<String>,
    /// When it was posted.
    pub created_at: TimeMs,
    /// For a native repost: the original's id. The adapter delivers the original as a post of its own, in front of
    /// this one, where the network's answer holds it.
    pub repost_of: Option<RemoteId>,
    /// How it came here.
    pub provenance: Provenance,
    /// What the filters need.
    pub facts: Facts,
}

/// An element of a network's answer that could not be read. Kept raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadElement {
    /// What was wrong with it.
    pub reason: String,
    /// The element as it came, at most 64 KiB of it.
    pub raw: String,
}
