//! Puts a page together out of an answer to a search.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::{
    hashtags::verified_hashtags,
    query::id_time,
    wire::{Envelope, Includes, Meta, WireId, WirePost, WireUrl, WireUser, elements, quarantined, read_object},
};
use crate::{
    model::{Author, BadElement, Facts, Link, NetworkKind, Post, Provenance, RemoteId, Reply, TimeMs, Visibility},
    network::{Page, PageToken, lossy_json::mend_surrogates},
};

/// The ways in which an answer says "native repost", by the old and the new names.
const REPOSTED: &[&str] = &["retweeted", "reposted"];

/// A page, and the ids of all posts that the answer held (those that X charges for).
#[derive(Debug)]
pub(super) struct ReadPage {
    /// The page; its `charged_reads` is still zero.
    pub(super) page: Page,
    /// Every post of the answer, also those that came along.
    pub(super) delivered: HashSet<String>,
    /// Whether the answer had any of a page's parts; without them, it tells only of problems.
    pub(super) is_page: bool,
}

/// Reads the body of an answer to a search.
///
/// # Errors
/// If it is no JSON object, in words.
pub(super) fn read_page(body: &str, provenance: Provenance) -> Result<ReadPage, String> {
    let body = mend_surrogates(body);
    let envelope: Envelope<'_> =
        read_object(&body).map_err(|error| format!("the page is not readable JSON: {error}"))?;
    let is_page = envelope.data.is_some() || envelope.meta.is_some();
    let mut bad = Vec::new();
    let check = |post: &WirePost| created_at(post).map(|_| ()).ok_or("it does not say when it was posted");
    let posts: Vec<WirePost> = elements(envelope.data, "a post", check, &mut bad);
    let includes = object::<Includes<'_>>(envelope.includes, "what came along", &mut bad);
    let mut included: Vec<WirePost> = elements(includes.tweets, "a post that came along", check, &mut bad);
    included.extend(elements::<WirePost>(includes.posts, "a post that came along", check, &mut bad));
    let users: Vec<WireUser> = elements(includes.users, "a user", |_| Ok(()), &mut bad);
    let users: HashMap<&str, &WireUser> = users.iter().map(|user| (user.id.0.as_str(), user)).collect();
    // Without its meta part the end of the chain is not known: reading it again is better than a gap.
    let meta: Meta = match envelope.meta {
        Some(meta) => read_object::<Option<Meta>>(meta.get())
            .map_err(|error| format!("the page's meta part cannot be read: {error}"))?
            .unwrap_or_default(),
        None => Meta::default(),
    };

    let delivered = posts.iter().chain(&included).map(|post| post.id.0.clone()).collect();
    let mut page = Page {
        newest_id: newest(&meta, &posts),
        next: meta.next_token.filter(|token| !token.is_empty()).map(PageToken),
        bad,
        ..Page::default()
    };
    page.posts = in_order(posts, &included, &users, provenance);
    Ok(ReadPage { page, delivered, is_page })
}

/// Reads a part that should be an object.
fn object<'a, T: serde::Deserialize<'a> + Default>(
    raw: Option<&'a RawValue>,
    what: &str,
    bad: &mut Vec<BadElement>,
) -> T {
    let Some(raw) = raw else { return T::default() };
    match read_object::<Option<T>>(raw.get()) {
        Ok(object) => object.unwrap_or_default(),
        Err(error) => {
            bad.push(quarantined(what, &error, raw.get()));
            T::default()
        }
    }
}

/// The page's newest id: as X says, else the highest.
fn newest(meta: &Meta, posts: &[WirePost]) -> Option<RemoteId> {
    let told = meta.newest_id.clone().filter(|id| WireId::is_id(id)).map(RemoteId::new);
    told.or_else(|| posts.iter().map(|post| RemoteId::new(&post.id.0)).max_by(RemoteId::cmp_numeric))
}

/// All posts, oldest first, each original of a native repost in front of it.
fn in_order(
    mut posts: Vec<WirePost>,
    included: &[WirePost],
    users: &HashMap<&str, &WireUser>,
    provenance: Provenance,
) -> Vec<Post> {
    posts.sort_by(|a, b| RemoteId::new(&a.id.0).cmp_numeric(&RemoteId::new(&b.id.0)));
    let included: HashMap<_, _> = included.iter().map(|post| (post.id.0.as_str(), post)).collect();
    let own: HashSet<&str> = posts.iter().map(|post| post.id.0.as_str()).collect();
    let mut taken = HashSet::new();
    let mut ordered = Vec::with_capacity(posts.len());
    for post in &posts {
        if !taken.insert(post.id.0.as_str()) {
            continue;
        }
        let original = post.reference(REPOSTED).and_then(|id| included.get(id.0.as_str()));
        if let Some(original) = original
            && !own.contains(original.id.0.as_str())
            && taken.insert(original.id.0.as_str())
        {
            ordered.push(post_of(original, users, Provenance::Embedded));
        }
        ordered.push(post_of(post, users, provenance));
    }
    ordered
}

/// When a post was made: as it says, else as its id tells. Posts without either were quarantined.
fn created_at(wire: &WirePost) -> Option<TimeMs> {
    wire.created_at.as_deref().and_then(|time| time.parse().ok()).or_else(|| id_time(&wire.id.0))
}

fn post_of(wire: &WirePost, users: &HashMap<&str, &WireUser>, provenance: Provenance) -> Post {
    let user = wire.author_id.as_ref().and_then(|id| users.get(id.0.as_str()));
    let note = wire.note();
    let text = html_escape::decode_html_entities(note.map_or(wire.text.as_str(), |note| note.text.as_str()));
    // The entities beside a long post's beginning know nothing of the rest.
    let entities = note.map_or(wire.entities.as_ref(), |note| note.entities.as_ref());
    let listed = entities.and_then(super::wire::Entities::tags);
    let urls = entities.and_then(|entities| entities.urls.as_deref()).unwrap_or_default();
    let to_post = wire.reference(&["replied_to"]).map(remote_id);
    let to_author = wire.in_reply_to_user_id.as_ref().map(remote_id);
    let facts = Facts {
        reply: (to_post.is_some() || to_author.is_some()).then_some(Reply { to_post, to_author }),
        hashtags: verified_hashtags(&text, listed.as_deref()),
        links: urls.iter().map(link).collect(),
        visibility: match user.and_then(|user| user.protected) {
            Some(true) => Visibility::Private,
            _ => Visibility::Public,
        },
        sensitive: wire.possibly_sensitive.unwrap_or(false),
    };
    Post {
        network: NetworkKind::X,
        remote_id: remote_id(&wire.id),
        author: wire.author_id.as_ref().map(|id| author(id, user.copied())),
        text: text.into_owned(),
        lang: wire.lang.as_deref().and_then(language),
        created_at: created_at(wire).unwrap_or_default(),
        repost_of: wire.reference(REPOSTED).map(remote_id),
        provenance,
        facts,
    }
}

fn remote_id(id: &WireId) -> RemoteId {
    RemoteId::new(&id.0)
}

/// The author; if X left the user out, only the id is known and the handle is empty.
fn author(id: &WireId, user: Option<&WireUser>) -> Author {
    Author {
        remote_id: remote_id(id),
        handle: user.map(|user| user.username.clone()).unwrap_or_default(),
        display_name: user.and_then(|user| user.name.clone()).unwrap_or_default(),
    }
}

fn link(url: &WireUrl) -> Link {
    let decoded = |text: &str| html_escape::decode_html_entities(text).into_owned();
    let expanded = url.unwound_url.as_deref().or(url.expanded_url.as_deref()).unwrap_or(&url.url);
    Link { shown: decoded(&url.url), expanded: decoded(expanded) }
}

/// X's language tags as BCP 47: its own tags for "no language to be seen" become none, its outdated ones current
/// (docs.x.com, "Supported languages", 2026-08).
fn language(tag: &str) -> Option<String> {
    match tag {
        "" | "und" | "zxx" | "qam" | "qct" | "qht" | "qme" | "qst" => None,
        "in" => Some("id".to_owned()),
        "iw" => Some("he".to_owned()),
        tag => Some(tag.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Hashtag;

    fn page(body: &str) -> Page {
        read_page(body, Provenance::Watch).unwrap().page
    }

    #[test]
    fn a_long_post_comes_whole_with_entities_decoded_and_links_expanded() {
        let page = page(
            r##"{"data":[{"id":"20","author_id":"7","created_at":"2026-11-01T10:00:00.000Z","lang":"in",
              "text":"The beginning &amp;…","possibly_sensitive":true,
              "note_post":{"text":"The beginning &amp; the end &lt;3 #Long https://t.co/a",
                "entities":{"hashtags":[{"start":1,"end":2,"tag":"long"}],
                  "urls":[{"url":"https://t.co/a","expanded_url":"https://a.example/?x=1&amp;y=2"}]}}}],
              "includes":{"users":[{"id":"7","username":"Ada","name":"Ada L.","protected":true}]}}"##,
        );
        let post = &page.posts[0];
        assert_eq!(post.text, "The beginning & the end <3 #Long https://t.co/a");
        assert_eq!(post.facts.hashtags, [Hashtag::new("long")]);
        assert_eq!(post.facts.links[0].expanded, "https://a.example/?x=1&y=2");
        assert_eq!((post.facts.visibility, post.facts.sensitive), (Visibility::Private, true));
        assert_eq!(post.lang.as_deref(), Some("id"));
        assert_eq!(post.author.as_ref().unwrap().handle, "Ada");
        assert_eq!(post.created_at.to_string(), "2026-11-01T10:00:00Z");
        assert_eq!((page.newest_id.as_ref().unwrap().as_str(), page.next.as_ref()), ("20", None));
    }

    #[test]
    fn entities_are_decoded_once() {
        let page = page(r#"{"data":[{"id":"9999999999999999","text":"&amp;lt; is how &lt; is written"}]}"#);
        assert_eq!(page.posts[0].text, "&lt; is how < is written");
    }

    #[test]
    fn an_original_stands_in_front_of_its_repost_and_only_once() {
        for (references, kind, includes) in
            [("referenced_tweets", "retweeted", "tweets"), ("referenced_posts", "reposted", "posts")]
        {
            let body = format!(
                r#"{{"data":[{{"id":"32","text":"RT @a: b","author_id":"2","{references}":[{{"type":"{kind}","id":"10"}}]}},
                    {{"id":"31","text":"RT @a: b","author_id":"3","{references}":[{{"type":"{kind}","id":"10"}}]}},
                    {{"id":"30","text":"plain","author_id":"3","{references}":[{{"type":"quoted","id":"11"}}]}}],
                  "includes":{{"{includes}":[{{"id":"10","text":"b","author_id":"1"}},{{"id":"11","text":"c"}}],
                    "users":[{{"id":"1","username":"a"}}]}},"meta":{{"newest_id":"32","next_token":"t"}}}}"#
            );
            let read = read_page(&body, Provenance::Watch).unwrap();
            let ids: Vec<_> = read.page.posts.iter().map(|post| (post.remote_id.as_str(), post.provenance)).collect();
            let (watch, embedded) = (Provenance::Watch, Provenance::Embedded);
            assert_eq!(ids, [("30", watch), ("10", embedded), ("31", watch), ("32", watch)], "{references}");
            assert_eq!(read.page.posts[2].repost_of, Some(RemoteId::new("10")));
            assert_eq!(read.page.posts[0].repost_of, None, "a quote is no repost");
            assert_eq!(read.delivered.len(), 5);
            assert_eq!(read.page.next, Some(PageToken("t".to_owned())));
        }
    }

    #[test]
    fn a_bad_element_keeps_its_siblings_and_half_an_emoji_keeps_its_post() {
        let page = page(
            r#"{"data":[{"id":"1","text":"a"},{"id":"2","text":["no"]},{"id":"3","text":"half \ud83d emoji"},17,
                {"id":"4","text":"d","created_at":"2026-11-01T10:00:00Z","entities":{"urls":null}}],
              "includes":{"users":[{"id":"1"}],"tweets":"none"},"meta":{"newest_id":"4","result_count":5}}"#,
        );
        let texts: Vec<&str> = page.posts.iter().map(|post| post.text.as_str()).collect();
        assert_eq!(texts, ["a", "half \u{fffd} emoji", "d"]);
        assert_eq!(page.bad.len(), 4, "two posts, one user, one list: {:?}", page.bad);
    }

    #[test]
    fn an_empty_result_in_every_form_is_an_empty_page() {
        for body in [
            r#"{"data":[],"meta":{"newest_id":"","oldest_id":"","result_count":0}}"#,
            r#"{"meta":{"result_count":0}}"#,
            r#"{"data":null,"includes":null,"meta":null}"#,
            "{}",
        ] {
            assert_eq!(page(body), Page::default(), "{body}");
        }
    }

    #[test]
    fn replies_are_told_by_either_sign() {
        let page = page(
            r#"{"data":[{"id":"1","text":"a","in_reply_to_user_id":"5"},
                {"id":"2","text":"b","referenced_tweets":[{"type":"quoted","id":"8"},{"type":"replied_to","id":"9"}]}]}"#,
        );
        let replies: Vec<_> = page.posts.iter().map(|post| post.facts.reply.clone().unwrap()).collect();
        assert_eq!(replies[0], Reply { to_post: None, to_author: Some(RemoteId::new("5")) });
        assert_eq!(replies[1], Reply { to_post: Some(RemoteId::new("9")), to_author: None });
    }

    /// A page with every part that is read.
    const FULL: &str = r##"{"data":[{"id":"32","text":"RT @a: b \ud83d\ude00 #t &amp;","author_id":"2","lang":"en",
        "created_at":"2026-11-01T10:00:00.000Z","referenced_tweets":[{"type":"retweeted","id":"10"}],
        "entities":{"hashtags":[{"tag":"t"}],"urls":[{"url":"u","expanded_url":"v"}]},"note_tweet":{"text":"#t long"}}],
        "includes":{"tweets":[{"id":"10","text":"b","author_id":"1"}],"users":[{"id":"1","username":"a"}]},
        "meta":{"newest_id":"32","next_token":"t"}}"##;

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let _ = read_page(&text, Provenance::Watch);
        }

        #[test]
        fn no_damage_to_a_page_makes_the_reader_panic(cuts in prop::collection::vec((0..FULL.len(), any::<char>()), 1..6)) {
            let mut chars: Vec<char> = FULL.chars().collect();
            for (at, with) in cuts {
                let place = at % chars.len();
                chars[place] = with;
            }
            let damaged: String = chars.into_iter().collect();
            if let Ok(read) = read_page(&damaged, Provenance::Watch) {
                prop_assert!(read.page.posts.len() <= 2);
            }
        }
    }

    #[test]
    fn what_is_no_page_is_an_error_and_not_an_empty_one() {
        for body in ["", "[]", "<html>", r#"{"data":[{"id":"1","te"#, r#"{"data":[],"meta":{"next_token":5}}"#] {
            assert!(read_page(body, Provenance::Watch).is_err(), "{body}");
        }
    }
}
