-- Orders that are paid by card. What Stripe says of a payment is read again and again; a row holds what was read last and what the ledger made of it.

CREATE TABLE card_orders (
    account_id        TEXT NOT NULL,
    order_id          TEXT NOT NULL,
    tag               BYTEA NOT NULL CHECK (octet_length(tag) = 32),
    top_up            BIGINT NOT NULL CHECK (top_up IN (0, 1)),
    usd_cents         BIGINT NOT NULL CHECK (usd_cents > 0),
    credits           BIGINT NOT NULL CHECK (credits > 0),
    session_id        TEXT NOT NULL,
    checkout_url      TEXT NOT NULL,
    opened_ms         BIGINT NOT NULL,
    expires_ms        BIGINT NOT NULL,
    key_salt          BYTEA,
    claimed_ms        BIGINT,
    acknowledged_ms   BIGINT,
    state             TEXT NOT NULL CHECK (state IN ('open', 'processing', 'paid', 'expired', 'held')),
    held_because      TEXT CHECK ((held_because IS NULL) = (state <> 'held')),
    payment_intent_id TEXT,
    received_cents    BIGINT NOT NULL DEFAULT 0 CHECK (received_cents >= 0),
    returned_cents    BIGINT NOT NULL DEFAULT 0 CHECK (returned_cents BETWEEN 0 AND received_cents),
    credited_ms       BIGINT,
    -- Spent of what the payment is not worth any more, and whether holds still decide on some of it.
    missing           BIGINT NOT NULL DEFAULT 0 CHECK (missing >= 0),
    undecided         BIGINT NOT NULL DEFAULT 0 CHECK (undecided IN (0, 1)),
    -- How often Stripe was asked, and the newest of these looks that was taken in: an older one is not taken in any more.
    looks             BIGINT NOT NULL DEFAULT 0,
    taken_in          BIGINT NOT NULL DEFAULT 0 CHECK (taken_in <= looks),
    PRIMARY KEY (account_id, order_id)
);
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
    number     BIGINT NOT NULL CHECK (number >= 0),
    batch_id   TEXT NOT NULL,
    PRIMARY KEY (account_id, order_id, number),
    FOREIGN KEY (account_id, batch_id) REFERENCES batches (account_id, batch_id)
);
CREATE UNIQUE INDEX card_batches_by_batch ON card_batches (account_id, batch_id);

-- Each time that more or less of an order was spent than its payment is worth: what could not be taken back.
CREATE TABLE card_shortfalls (
    account_id     TEXT NOT NULL,
    order_id       TEXT NOT NULL,
    number         BIGINT NOT NULL CHECK (number >= 0),
    at_ms          BIGINT NOT NULL,
    returned_cents BIGINT NOT NULL,
    missing        BIGINT NOT NULL CHECK (missing >= 0),
    PRIMARY KEY (account_id, order_id, number)
);

-- Events that were followed up, so that the list of events is not followed up twice.
CREATE TABLE card_events (
    event_id   TEXT PRIMARY KEY,
    created_ms BIGINT NOT NULL
);
CREATE INDEX card_events_by_time ON card_events (created_ms);

-- One row: the newest event, by Stripe's clock, up to which the list was followed up.
CREATE TABLE card_cursor (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    created_ms BIGINT NOT NULL
);

UPDATE schema_version SET version = 5;
