-- What the SQLite migrations 0001 to 0003 add up to, for PostgreSQL: the same tables, columns and checks, so that one text of a statement
-- serves both. Later migrations have the same number and name in both dialects. Truth is 0 or 1 here too.

CREATE TABLE accounts (
    account_id         TEXT PRIMARY KEY,
    label              TEXT,
    opened_ms          BIGINT NOT NULL,
    entry_count        BIGINT NOT NULL,
    last_hash          BYTEA NOT NULL CHECK (octet_length(last_hash) = 32),
    latest_ms          BIGINT,
    allowance          BIGINT CHECK (allowance > 0),
    -- The last midnight that was posted, or when the allowance was set.
    allowance_since_ms BIGINT CHECK ((allowance_since_ms IS NULL) = (allowance IS NULL))
);

CREATE TABLE account_keys (
    account_id    TEXT NOT NULL REFERENCES accounts (account_id),
    key_hash      BYTEA NOT NULL CHECK (octet_length(key_hash) = 32),
    issued_ms     BIGINT NOT NULL,
    revoked_ms    BIGINT,
    -- A rotated key waits until it is first used; then the keys before it are revoked.
    first_used_ms BIGINT,
    PRIMARY KEY (account_id, key_hash)
);
CREATE UNIQUE INDEX account_keys_by_hash ON account_keys (key_hash);

CREATE TABLE batches (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    batch_id   TEXT NOT NULL,
    seq        BIGINT NOT NULL,
    source     TEXT NOT NULL,
    note       TEXT,
    added_ms   BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL CHECK (expires_ms > added_ms),
    granted    BIGINT NOT NULL CHECK (granted > 0),
    left_over  BIGINT NOT NULL CHECK (left_over BETWEEN 0 AND granted),
    lapsed     BIGINT NOT NULL CHECK (lapsed BETWEEN 0 AND granted - left_over),
    held       BIGINT NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND granted - left_over - lapsed),
    voided     BIGINT NOT NULL DEFAULT 0 CHECK (voided BETWEEN 0 AND granted - left_over - lapsed - held),
    voided_ms  BIGINT CHECK (voided = 0 OR voided_ms IS NOT NULL),
    PRIMARY KEY (account_id, batch_id)
);
CREATE INDEX batches_live ON batches (account_id, expires_ms) WHERE left_over > 0 OR held > 0;
CREATE INDEX batches_ended ON batches (account_id, expires_ms) WHERE left_over = 0;

CREATE TABLE entries (
    account_id    TEXT NOT NULL REFERENCES accounts (account_id),
    sequence      BIGINT NOT NULL CHECK (sequence > 0),
    at_ms         BIGINT NOT NULL,
    body          TEXT NOT NULL,
    previous_hash BYTEA NOT NULL CHECK (octet_length(previous_hash) = 32),
    hash          BYTEA NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (account_id, sequence)
);
CREATE FUNCTION entries_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries are never %', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER entries_are_never_edited BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION entries_are_final('edited');
CREATE TRIGGER entries_are_never_removed BEFORE DELETE ON entries FOR EACH ROW EXECUTE FUNCTION entries_are_final('removed');
CREATE TRIGGER entries_are_never_truncated BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION entries_are_final('removed');

-- Kept for ever. The scope is an account id, or `tag:` and the tag for an order that opens an account.
CREATE TABLE idempotency (
    scope        TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash BYTEA NOT NULL CHECK (octet_length(request_hash) = 32),
    status       BIGINT NOT NULL,
    answer       TEXT NOT NULL,
    kept_ms      BIGINT NOT NULL,
    PRIMARY KEY (scope, key)
);

-- An order that opens an account reserves the account's id; the account itself opens with the payment.
CREATE TABLE orders (
    account_id      TEXT NOT NULL,
    order_id        TEXT NOT NULL,
    tag             BYTEA NOT NULL CHECK (octet_length(tag) = 32),
    top_up          BIGINT NOT NULL CHECK (top_up IN (0, 1)),
    usd             TEXT NOT NULL,
    usd_per_eth     TEXT NOT NULL,
    value_wei       TEXT NOT NULL,
    credits         BIGINT NOT NULL,
    quoted_ms       BIGINT NOT NULL,
    expires_ms      BIGINT NOT NULL,
    sources         TEXT NOT NULL,
    key_salt        BYTEA,
    claimed_ms      BIGINT,
    acknowledged_ms BIGINT,
    PRIMARY KEY (account_id, order_id)
);
CREATE UNIQUE INDEX orders_by_id ON orders (order_id);
CREATE UNIQUE INDEX orders_by_tag ON orders (tag);

-- What the chain says. The account is filled in when the payment is credited.
CREATE TABLE payments (
    account_id       TEXT,
    chain_id         BIGINT NOT NULL,
    transaction_hash BYTEA NOT NULL CHECK (octet_length(transaction_hash) = 32),
    tag              BYTEA NOT NULL CHECK (octet_length(tag) = 32),
    payer            TEXT NOT NULL,
    value_wei        TEXT NOT NULL,
    block_number     BIGINT NOT NULL,
    block_hash       BYTEA NOT NULL CHECK (octet_length(block_hash) = 32),
    block_ms         BIGINT NOT NULL,
    waits_for_claim  BIGINT NOT NULL DEFAULT 0 CHECK (waits_for_claim IN (0, 1)),
    held_because     TEXT,
    credits          BIGINT,
    usd_per_eth      TEXT,
    batch_id         TEXT,
    credited_ms      BIGINT,
    PRIMARY KEY (chain_id, transaction_hash)
);
CREATE INDEX payments_by_tag ON payments (tag, block_number);
CREATE INDEX payments_open ON payments (tag) WHERE credited_ms IS NULL AND held_because IS NULL;

CREATE TABLE scanned (
    chain_id     BIGINT PRIMARY KEY,
    block_number BIGINT NOT NULL,
    block_hash   BYTEA
);

-- Kept when they have ended, so that a late call can be told why.
CREATE TABLE holds (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    hold_id    TEXT NOT NULL,
    seq        BIGINT NOT NULL CHECK (seq > 0),
    made_ms    BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL CHECK (expires_ms > made_ms),
    parts      TEXT NOT NULL,
    memo       TEXT,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'settled', 'released', 'timed_out')),
    ended_ms   BIGINT CHECK ((ended_ms IS NULL) = (state = 'pending')),
    PRIMARY KEY (account_id, hold_id)
);
CREATE INDEX holds_pending ON holds (account_id, seq) WHERE state = 'pending';

CREATE TABLE debts (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    charge     BIGINT NOT NULL,
    open       BIGINT NOT NULL CHECK (open > 0),
    PRIMARY KEY (account_id, charge),
    FOREIGN KEY (account_id, charge) REFERENCES entries (account_id, sequence)
);

-- From a charge to its refunds and to what paid its debt.
CREATE TABLE charge_entries (
    account_id TEXT NOT NULL,
    charge     BIGINT NOT NULL,
    sequence   BIGINT NOT NULL CHECK (sequence > charge),
    PRIMARY KEY (account_id, charge, sequence),
    FOREIGN KEY (account_id, charge) REFERENCES entries (account_id, sequence),
    FOREIGN KEY (account_id, sequence) REFERENCES entries (account_id, sequence)
);

-- One row: the number of the newest migration, SQLite's `user_version`.
CREATE TABLE schema_version (version BIGINT NOT NULL);
INSERT INTO schema_version VALUES (3);
