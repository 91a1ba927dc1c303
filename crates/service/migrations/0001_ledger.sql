-- Every table is keyed by account first; an account's writes touch only its own rows. Instants are
-- milliseconds since 1970, credits counts of 10^-9 credit, wei and prices decimal text.

CREATE TABLE accounts (
    account_id  TEXT PRIMARY KEY,
    label       TEXT,
    opened_ms   INTEGER NOT NULL,
    entry_count INTEGER NOT NULL,
    last_hash   BLOB NOT NULL CHECK (length(last_hash) = 32),
    latest_ms   INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE account_keys (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    key_hash   BLOB NOT NULL CHECK (length(key_hash) = 32),
    issued_ms  INTEGER NOT NULL,
    revoked_ms INTEGER,
    PRIMARY KEY (account_id, key_hash)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX account_keys_by_hash ON account_keys (key_hash);

CREATE TABLE batches (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    batch_id   TEXT NOT NULL,
    seq        INTEGER NOT NULL,
    source     TEXT NOT NULL,
    note       TEXT,
    added_ms   INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL CHECK (expires_ms > added_ms),
    granted    INTEGER NOT NULL CHECK (granted > 0),
    left_over  INTEGER NOT NULL CHECK (left_over BETWEEN 0 AND granted),
    lapsed     INTEGER NOT NULL CHECK (lapsed BETWEEN 0 AND granted - left_over),
    PRIMARY KEY (account_id, batch_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_live ON batches (account_id, expires_ms) WHERE left_over > 0;
CREATE INDEX batches_ended ON batches (account_id, expires_ms) WHERE left_over = 0;

CREATE TABLE entries (
    account_id    TEXT NOT NULL REFERENCES accounts (account_id),
    sequence      INTEGER NOT NULL CHECK (sequence > 0),
    at_ms         INTEGER NOT NULL,
    body          TEXT NOT NULL,
    previous_hash BLOB NOT NULL CHECK (length(previous_hash) = 32),
    hash          BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (account_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER entries_are_never_edited BEFORE UPDATE ON entries
BEGIN SELECT RAISE (ABORT, 'entries are never edited'); END;
CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries
BEGIN SELECT RAISE (ABORT, 'entries are never removed'); END;

-- Kept for ever. The scope is an account id, or `tag:` and the tag for an order that opens an account.
CREATE TABLE idempotency (
    scope        TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    status       INTEGER NOT NULL,
    answer       TEXT NOT NULL,
    kept_ms      INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

-- An order that opens an account reserves the account's id; the account itself opens with the payment.
CREATE TABLE orders (
    account_id      TEXT NOT NULL,
    order_id        TEXT NOT NULL,
    tag             BLOB NOT NULL CHECK (length(tag) = 32),
    top_up          INTEGER NOT NULL CHECK (top_up IN (0, 1)),
    usd             TEXT NOT NULL,
    usd_per_eth     TEXT NOT NULL,
    value_wei       TEXT NOT NULL,
    credits         INTEGER NOT NULL,
    quoted_ms       INTEGER NOT NULL,
    expires_ms      INTEGER NOT NULL,
    sources         TEXT NOT NULL,
    key_salt        BLOB,
    claimed_ms      INTEGER,
    acknowledged_ms INTEGER,
    PRIMARY KEY (account_id, order_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX orders_by_id ON orders (order_id);
CREATE UNIQUE INDEX orders_by_tag ON orders (tag);

-- What the chain says. The account is filled in when the payment is credited.
CREATE TABLE payments (
    account_id       TEXT,
    chain_id         INTEGER NOT NULL,
    transaction_hash BLOB NOT NULL CHECK (length(transaction_hash) = 32),
    tag              BLOB NOT NULL CHECK (length(tag) = 32),
    payer            TEXT NOT NULL,
    value_wei        TEXT NOT NULL,
    block_number     INTEGER NOT NULL,
    block_hash       BLOB NOT NULL CHECK (length(block_hash) = 32),
    block_ms         INTEGER NOT NULL,
    waits_for_claim  INTEGER NOT NULL DEFAULT 0 CHECK (waits_for_claim IN (0, 1)),
    held_because     TEXT,
    credits          INTEGER,
    usd_per_eth      TEXT,
    batch_id         TEXT,
    credited_ms      INTEGER,
    PRIMARY KEY (chain_id, transaction_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX payments_by_tag ON payments (tag, block_number);
CREATE INDEX payments_open ON payments (tag) WHERE credited_ms IS NULL AND held_because IS NULL;

CREATE TABLE scanned (
    chain_id     INTEGER PRIMARY KEY,
    block_number INTEGER NOT NULL,
    block_hash   BLOB
) STRICT;

PRAGMA user_version = 1;
