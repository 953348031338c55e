-- What the status counts from, so that it never reads a large table.

-- Reposts that came to an end without having been made.
CREATE INDEX outbox_failed ON outbox (account_id, state, finished_at_ms)
    WHERE state IN ('gone', 'refused', 'dropped', 'parked');

-- The counters over all hours, apart from the many that stand for one hour.
CREATE INDEX counters_totals ON counters (name) WHERE hour = -1;
