//! One type for every kind of identifier, so that none is mistaken for another.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares a newtype over a row id of the archive.
macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

row_id! {
    /// A post's row in the archive.
    PostId;
    /// A thing: an original and all its copies.
    ThingId;
    /// One payload of a post.
    VariantId;
    /// An author's row in the archive.
    AuthorId;
    /// One of our accounts on a network.
    AccountId;
    /// A hashtag that an account watches.
    WatchId;
}

/// A network's own identifier: opaque text, compared only for equality.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RemoteId(String);

impl RemoteId {
    /// Takes the identifier as the network wrote it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The identifier as the network wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Orders two identifiers of a network whose ids are growing decimal numbers: by length, then by bytes, so that
    /// "9" comes before "10" and numbers beyond 64 bits are no special case.
    pub fn cmp_numeric(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An author's handle, folded for comparison: no leading `@`, lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Handle(String);

impl Handle {
    /// Folds a handle: white space and the leading `@` go, letters become lower case.
    pub fn new(handle: &str) -> Self {
        Self(handle.trim().trim_start_matches(['@', '＠']).to_lowercase())
    }

    /// The folded handle, without `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Handle {
    fn from(handle: String) -> Self {
        Self::new(&handle)
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A hashtag, folded for comparison: no leading `#`, NFKC (so full-width forms are equal), lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Hashtag(String);

impl Hashtag {
    /// Folds a hashtag, with or without its `#`.
    pub fn new(tag: &str) -> Self {
        use unicode_normalization::UnicodeNormalization;
        let folded: String = tag.trim().nfkc().flat_map(char::to_lowercase).collect();
        Self(folded.trim_start_matches('#').to_owned())
    }

    /// The folded tag, without `#`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Hashtag {
    fn from(tag: String) -> Self {
        Self::new(&tag)
    }
}

impl From<Hashtag> for String {
    fn from(tag: Hashtag) -> Self {
        tag.0
    }
}

impl fmt::Display for Hashtag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashtags_are_equal_across_case_and_full_width_forms() {
        assert_eq!(Hashtag::new("#RustLang"), Hashtag::new("rustlang"));
        assert_eq!(Hashtag::new("＃Ｒｕｓｔ"), Hashtag::new("#rust"));
        assert_ne!(Hashtag::new("#rust"), Hashtag::new("#rustnot"));
    }

    #[test]
    fn numeric_ids_are_ordered_by_length_before_bytes() {
        assert!(RemoteId::new("9").cmp_numeric(&RemoteId::new("10")).is_lt());
        assert!(RemoteId::new("18446744073709551616").cmp_numeric(&RemoteId::new("9")).is_gt());
    }
}
