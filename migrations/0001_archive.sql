-- The archive: what was seen, who wrote it, and which posts are the same thing.
-- Times are milliseconds since the Unix epoch, UTC. Network ids are text and are never compared lexically.

PRAGMA application_id = 1179145044; -- 0x46485354, "FHST": tells a firsthand archive from any other SQLite file

CREATE TABLE authors (
    id            INTEGER PRIMARY KEY,
    network       TEXT    NOT NULL,
    remote_id     TEXT    NOT NULL,          -- the network's id; where there is none, the folded handle
    handle        TEXT    NOT NULL,          -- as the network writes it, without the leading @
    handle_folded TEXT    NOT NULL,          -- what handles are compared by
    display_name  TEXT    NOT NULL DEFAULT '',
    first_seen_ms INTEGER NOT NULL,
    last_seen_ms  INTEGER NOT NULL,
    post_count    INTEGER NOT NULL DEFAULT 0, -- posts archived; kept here so that no command counts rows
    copy_count    INTEGER NOT NULL DEFAULT 0, -- of these, second-hand
    UNIQUE (network, remote_id)
);
CREATE INDEX authors_by_handle ON authors (handle_folded);

-- One thing: an original and all its copies, over all networks.
CREATE TABLE things (
    id               INTEGER PRIMARY KEY,
    first_seen_ms    INTEGER NOT NULL,
    original_post_id INTEGER,                -- NULL until a post is known whose text is its author's own
    replayed         INTEGER NOT NULL        -- 1: first brought by a replay or an import, so already shared
);

CREATE TABLE posts (
    id            INTEGER PRIMARY KEY,
    network       TEXT    NOT NULL,
    remote_id     TEXT    NOT NULL,
    thing_id      INTEGER NOT NULL REFERENCES things (id),
    author_id     INTEGER REFERENCES authors (id),
    provenance    TEXT    NOT NULL CHECK (provenance IN ('watch', 'embedded', 'lookup', 'replay', 'import')),
    text          TEXT    NOT NULL,          -- as its author wrote it, entities decoded, at most 64 KiB
    text_cut      INTEGER NOT NULL,          -- 1: the text was longer than 64 KiB and is cut here
    lang          TEXT,
    created_at_ms INTEGER NOT NULL,
    seen_at_ms    INTEGER NOT NULL,
    attribution   TEXT,                      -- the handle that a copy credits
    repost_of     TEXT,                      -- remote id of the original, for a native repost
    facts         TEXT    NOT NULL,          -- JSON: the rest of what filters need (reply, hashtags, links, visibility)
    UNIQUE (network, remote_id)
);
CREATE INDEX posts_of_thing ON posts (thing_id);

-- The payloads by which a post can be recognised: the whole text, the text after each RT header, an attributed quote.
CREATE TABLE variants (
    id        INTEGER PRIMARY KEY,
    post_id   INTEGER NOT NULL REFERENCES posts (id),
    kind      TEXT    NOT NULL CHECK (kind IN ('whole', 'body', 'quote')),
    credited  TEXT,                          -- folded handle that this payload credits
    cut       INTEGER NOT NULL,              -- 1: the payload ends in an ellipsis or a cut word
    canonical TEXT    NOT NULL
);
CREATE INDEX variants_of_post ON variants (post_id);

-- Fingerprints of each variant, as terms of a full-text index: its segments are written in sequence, where a B-tree of
-- hashes would touch a random page for every key. rowid = variants.id. Terms are made and unmade by `text::fingerprint`.
CREATE VIRTUAL TABLE variant_keys USING fts5 (
    keys, content = '', detail = none, columnsize = 0, tokenize = 'ascii'
);

-- Full-text search for people. rowid = posts.id; terms are made by `text::search_form`, which also splits scripts
-- without spaces, so that the text itself is not stored twice.
CREATE VIRTUAL TABLE post_search USING fts5 (
    text, author, content = '', tokenize = 'unicode61 remove_diacritics 2'
);

-- Elements of a network's answer that could not be read: kept raw, so that nothing is lost.
CREATE TABLE quarantine (
    id            INTEGER PRIMARY KEY,
    network       TEXT    NOT NULL,
    watch_id      INTEGER,
    received_at_ms INTEGER NOT NULL,
    reason        TEXT    NOT NULL,
    raw           TEXT    NOT NULL           -- at most 64 KiB
);
-- The overlap of two readings brings the same element again.
CREATE UNIQUE INDEX quarantine_once ON quarantine (network, ifnull(watch_id, 0), raw);
