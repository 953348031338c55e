-- The bot: our accounts, what they watch, what was decided, and what is to be sent.

CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,   -- as in the configuration
    network       TEXT    NOT NULL,
    remote_id     TEXT,                      -- NULL until the network has told
    handle        TEXT,
    halted_reason TEXT,                      -- not NULL: sending has stopped until the operator acts
    created_at_ms INTEGER NOT NULL
);

CREATE TABLE watches (
    id            INTEGER PRIMARY KEY,
    account_id    INTEGER NOT NULL REFERENCES accounts (id),
    hashtag       TEXT    NOT NULL,          -- folded, without the leading #
    start_ms      INTEGER NOT NULL,          -- older posts are archived, never reposted
    UNIQUE (account_id, hashtag)
);

-- How far a watch has read. A cursor advances only in the transaction that closes a chain of pages.
CREATE TABLE cursors (
    watch_id      INTEGER PRIMARY KEY REFERENCES watches (id),
    newest_id     TEXT,                      -- everything up to here is archived
    chain_newest_id TEXT,                    -- the first page's newest id, while older pages are still to be read
    chain_next    TEXT,                      -- the network's token for the chain's next page
    updated_at_ms INTEGER NOT NULL
);

-- Which watch has seen which post, and when.
CREATE TABLE sightings (
    post_id       INTEGER NOT NULL REFERENCES posts (id),
    watch_id      INTEGER NOT NULL REFERENCES watches (id),
    seen_at_ms    INTEGER NOT NULL,
    PRIMARY KEY (post_id, watch_id)
) WITHOUT ROWID;

-- One decision for each post and account.
CREATE TABLE verdicts (
    post_id       INTEGER NOT NULL REFERENCES posts (id),
    account_id    INTEGER NOT NULL REFERENCES accounts (id),
    thing_id      INTEGER NOT NULL REFERENCES things (id),
    action        TEXT    NOT NULL CHECK (action IN ('repost', 'skip', 'hold')),
    rule          TEXT    NOT NULL,
    matched_post_id INTEGER REFERENCES posts (id),
    similarity    REAL,                      -- 0 to 1, NULL where no texts were compared
    hold_until_ms INTEGER,                   -- only for 'hold'
    decided_at_ms INTEGER NOT NULL,
    PRIMARY KEY (post_id, account_id)
) WITHOUT ROWID;
-- How a thing stands with an account: which of its posts were chosen or are held.
CREATE INDEX verdicts_standing ON verdicts (thing_id, account_id) WHERE action <> 'skip';
CREATE INDEX verdicts_held ON verdicts (account_id, hold_until_ms) WHERE action = 'hold';

-- What is to be sent, and what became of it.
CREATE TABLE outbox (
    id            INTEGER PRIMARY KEY,
    account_id    INTEGER NOT NULL REFERENCES accounts (id),
    thing_id      INTEGER NOT NULL REFERENCES things (id),
    slot          INTEGER NOT NULL CHECK (slot IN (1, 2)), -- 2: the named author's original, after a copy went out
    kind          TEXT    NOT NULL CHECK (kind IN ('repost', 'undo')),
    post_id       INTEGER NOT NULL REFERENCES posts (id),
    state         TEXT    NOT NULL CHECK (state IN ('ready', 'claimed', 'uncertain', 'done', 'gone', 'refused', 'dropped', 'parked')),
    owner         TEXT,                      -- the process that holds the claim
    lease_until_ms INTEGER,                  -- after this the claim is void
    attempts      INTEGER NOT NULL DEFAULT 0,
    maybe_sent    INTEGER NOT NULL DEFAULT 0, -- 1: an earlier attempt's outcome is unknown, so no filter stops it now
    not_before_ms INTEGER NOT NULL,
    post_created_at_ms INTEGER NOT NULL,     -- oldest first
    repost_key    TEXT    NOT NULL,          -- the same for every attempt: what makes a network's repost idempotent
    created_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    repost_remote_id TEXT,                   -- the repost's own id on the network, where it has one
    UNIQUE (account_id, thing_id, slot, kind)
);
CREATE INDEX outbox_waiting ON outbox (account_id, post_created_at_ms) WHERE state IN ('ready', 'claimed', 'uncertain');
CREATE INDEX outbox_by_post ON outbox (post_id);
-- What went out lately, for the caps.
CREATE INDEX outbox_done ON outbox (account_id, finished_at_ms) WHERE state = 'done';

-- Every answer of the network to an outbox row, in order.
CREATE TABLE outbox_events (
    id            INTEGER PRIMARY KEY,
    outbox_id     INTEGER NOT NULL REFERENCES outbox (id),
    at_ms         INTEGER NOT NULL,
    event         TEXT    NOT NULL,
    detail        TEXT    NOT NULL           -- at most 2 KiB of the answer
);
CREATE INDEX events_of_outbox ON outbox_events (outbox_id);

-- Counted in the transaction that decides, so that no command counts rows.
CREATE TABLE counters (
    watch_id      INTEGER NOT NULL,          -- 0: no watch (a replay)
    name          TEXT    NOT NULL,          -- 'received', 'repost', 'hold', or the rule of a skip
    hour          INTEGER NOT NULL,          -- hours since the Unix epoch; -1: all of them
    count         INTEGER NOT NULL,
    PRIMARY KEY (watch_id, name, hour)
) WITHOUT ROWID;

-- What each account has used up, for caps and budgets.
CREATE TABLE spending (
    account_id    INTEGER NOT NULL REFERENCES accounts (id),
    kind          TEXT    NOT NULL CHECK (kind IN ('read', 'repost')),
    hour          INTEGER NOT NULL,          -- hours since the Unix epoch
    count         INTEGER NOT NULL,
    micro_dollars INTEGER NOT NULL,
    PRIMARY KEY (account_id, kind, hour)
) WITHOUT ROWID;
