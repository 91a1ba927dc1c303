-- Orders that are paid by card. What Stripe says of a payment is read again and again; a row holds what was read last and what the ledger made of it.

CREATE TABLE card_orders (
    account_id        TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    tag               BLOB NOT NULL CHECK (length(tag) = 32),
    top_up            INTEGER NOT NULL CHECK (top_up IN (0, 1)),
    usd_cents         INTEGER NOT NULL CHECK (usd_cents > 0),
    credits           INTEGER NOT NULL CHECK (credits > 0),
    session_id        TEXT NOT NULL,
    checkout_url      TEXT NOT NULL,
    opened_ms         INTEGER NOT NULL,
    expires_ms        INTEGER NOT NULL,
    key_salt          BLOB,
    claimed_ms        INTEGER,
    acknowledged_ms   INTEGER,
    state             TEXT NOT NULL CHECK (state IN ('open', 'processing', 'paid', 'expired', 'held')),
    held_because      TEXT CHECK ((held_because IS NULL) = (state <> 'held')),
    payment_intent_id TEXT,
    received_cents    INTEGER NOT NULL DEFAULT 0 CHECK (received_cents >= 0),
    returned_cents    INTEGER NOT NULL DEFAULT 0 CHECK (returned_cents BETWEEN 0 AND received_cents),
    credited_ms       INTEGER,
    -- Spent of what the payment is not worth any more, and whether holds still decide on some of it.
    missing           INTEGER NOT NULL DEFAULT 0 CHECK (missing >= 0),
    undecided         INTEGER NOT NULL DEFAULT 0 CHECK (undecided IN (0, 1)),
    -- How often Stripe was asked, and the newest of these looks that was taken in: an older one is not taken in any more.
    looks             INTEGER NOT NULL DEFAULT 0,
    taken_in          INTEGER NOT NULL DEFAULT 0 CHECK (taken_in <= looks),
    PRIMARY KEY (account_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX card_orders_by_id ON card_orders (order_id);
CREATE UNIQUE INDEX card_orders_by_tag ON card_orders (tag);
CREATE UNIQUE INDEX card_orders_by_session ON card_orders (session_id);
CREATE UNIQUE INDEX card_orders_by_payment ON card_orders (payment_intent_id);
CREATE INDEX card_orders_by_state ON card_orders (state, looks);
CREATE INDEX card_orders_undecided ON card_orders (order_id) WHERE undecided = 1;

-- The batches that an order was made into, from 0: more than one after a refund or a dispute.
CREATE TABLE card_batches (
    account_id TEXT NOT NULL,
    order_id   TEXT NOT NULL,
    number     INTEGER NOT NULL CHECK (number >= 0),
    batch_id   TEXT NOT NULL,
    PRIMARY KEY (account_id, order_id, number),
    FOREIGN KEY (account_id, batch_id) REFERENCES batches (account_id, batch_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX card_batches_by_batch ON card_batches (account_id, batch_id);

-- Each time that more or less of an order was spent than its payment is worth: what could not be taken back.
CREATE TABLE card_shortfalls (
    account_id     TEXT NOT NULL,
    order_id       TEXT NOT NULL,
    number         INTEGER NOT NULL CHECK (number >= 0),
    at_ms          INTEGER NOT NULL,
    returned_cents INTEGER NOT NULL,
    missing        INTEGER NOT NULL CHECK (missing >= 0),
    PRIMARY KEY (account_id, order_id, number)
) STRICT, WITHOUT ROWID;

-- Events that were followed up, so that the list of events is not followed up twice.
CREATE TABLE card_events (
    event_id   TEXT PRIMARY KEY,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX card_events_by_time ON card_events (created_ms);

-- One row: the newest event, by Stripe's clock, up to which the list was followed up.
CREATE TABLE card_cursor (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    created_ms INTEGER NOT NULL
) STRICT;

PRAGMA user_version = 5;
