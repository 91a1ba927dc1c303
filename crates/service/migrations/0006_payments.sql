-- Payments by position within their transaction, with how they were attributed, how final their block is and what became of them.

ALTER TABLE payments RENAME TO payments_before;

-- What arrived at the payment address. Value that no node could trace to a transaction has its block's hash for one, and the position -1.
-- The order and the account are filled in when it is known whose the payment is.
CREATE TABLE payments (
    account_id       TEXT,
    chain_id         INTEGER NOT NULL,
    transaction_hash BLOB NOT NULL CHECK (length(transaction_hash) = 32),
    position         INTEGER NOT NULL CHECK (position >= -1),
    tag              BLOB CHECK (length(tag) = 32),
    payer            TEXT,
    value_wei        TEXT NOT NULL,
    block_number     INTEGER NOT NULL,
    block_hash       BLOB NOT NULL CHECK (length(block_hash) = 32),
    block_ms         INTEGER NOT NULL,
    -- 0: its block is not in the chain any more, and it was not found in another one.
    in_chain         INTEGER NOT NULL CHECK (in_chain IN (0, 1)),
    finality         TEXT NOT NULL CHECK (finality IN ('confirmed', 'safe', 'final')),
    order_id         TEXT,
    attribution      TEXT CHECK (attribution IN ('tag', 'amount', 'hash_claim', 'operator')),
    state            TEXT NOT NULL CHECK (state IN ('waiting', 'held', 'credited', 'taken_back', 'closed')),
    waits_for        TEXT CHECK (waits_for IN ('secret', 'price', 'safe')),
    held_because     TEXT,
    -- What it bought, also when that was taken back since.
    credits          INTEGER,
    usd_per_eth      TEXT,
    credited_ms      INTEGER,
    -- Spent of what it does not pay for any more, and whether holds still decide on some of it.
    missing          INTEGER NOT NULL DEFAULT 0 CHECK (missing >= 0),
    undecided        INTEGER NOT NULL DEFAULT 0 CHECK (undecided IN (0, 1)),
    note             TEXT,
    PRIMARY KEY (chain_id, transaction_hash, position),
    CHECK ((waits_for IS NULL) = (state <> 'waiting')),
    CHECK ((held_because IS NULL) = (state <> 'held')),
    CHECK ((attribution IS NULL) = (order_id IS NULL)),
    CHECK (state <> 'credited' OR (order_id IS NOT NULL AND credits IS NOT NULL AND credited_ms IS NOT NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO payments (account_id, chain_id, transaction_hash, position, tag, payer, value_wei, block_number, block_hash, block_ms, in_chain,
    finality, order_id, attribution, state, waits_for, held_because, credits, usd_per_eth, credited_ms)
SELECT p.account_id, p.chain_id, p.transaction_hash, 0, p.tag, p.payer, p.value_wei, p.block_number, p.block_hash, p.block_ms, 1,
    'confirmed', o.order_id, CASE WHEN o.order_id IS NULL THEN NULL ELSE 'tag' END,
    CASE WHEN p.credited_ms IS NOT NULL THEN 'credited' WHEN p.held_because IS NOT NULL THEN 'held' ELSE 'waiting' END,
    CASE WHEN p.credited_ms IS NOT NULL OR p.held_because IS NOT NULL THEN NULL
        WHEN p.waits_for_claim = 1 OR o.order_id IS NULL THEN 'secret' ELSE 'price' END,
    CASE WHEN p.credited_ms IS NULL AND p.held_because IS NOT NULL THEN 'beyond_ledger' ELSE NULL END,
    p.credits, p.usd_per_eth, p.credited_ms
FROM payments_before p LEFT JOIN orders o ON o.tag = p.tag;

-- The batches that a payment was made into, from 0: more than one after a reorganisation.
CREATE TABLE payment_batches (
    account_id       TEXT NOT NULL,
    chain_id         INTEGER NOT NULL,
    transaction_hash BLOB NOT NULL CHECK (length(transaction_hash) = 32),
    position         INTEGER NOT NULL,
    number           INTEGER NOT NULL CHECK (number >= 0),
    batch_id         TEXT NOT NULL,
    PRIMARY KEY (account_id, chain_id, transaction_hash, position, number),
    FOREIGN KEY (account_id, batch_id) REFERENCES batches (account_id, batch_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX payment_batches_by_batch ON payment_batches (account_id, batch_id);

INSERT INTO payment_batches (account_id, chain_id, transaction_hash, position, number, batch_id)
SELECT account_id, chain_id, transaction_hash, 0, 0, batch_id FROM payments_before WHERE batch_id IS NOT NULL;

DROP TABLE payments_before;
CREATE INDEX payments_by_tag ON payments (tag);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE INDEX payments_by_account ON payments (account_id);
CREATE INDEX payments_undone ON payments (block_number) WHERE state <> 'credited';
CREATE INDEX payments_undecided ON payments (block_number) WHERE undecided = 1;
CREATE INDEX payments_not_final ON payments (block_number) WHERE finality <> 'final';

-- Each time that more or less was spent than a payment is worth: what could not be taken back.
CREATE TABLE payment_shortfalls (
    account_id       TEXT NOT NULL,
    chain_id         INTEGER NOT NULL,
    transaction_hash BLOB NOT NULL CHECK (length(transaction_hash) = 32),
    position         INTEGER NOT NULL,
    number           INTEGER NOT NULL CHECK (number >= 0),
    at_ms            INTEGER NOT NULL,
    missing          INTEGER NOT NULL CHECK (missing >= 0),
    PRIMARY KEY (account_id, chain_id, transaction_hash, position, number)
) STRICT, WITHOUT ROWID;

-- Amounts, in steps of 10^10 wei, by which an order's payment is known, each one order's at a time: until a day after the order's end.
CREATE TABLE asked_amounts (
    chain_id INTEGER NOT NULL,
    steps    INTEGER NOT NULL CHECK (steps > 0),
    order_id TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (chain_id, steps)
) STRICT, WITHOUT ROWID;

-- NULL: an order from before there were such amounts.
ALTER TABLE orders ADD COLUMN amount_steps INTEGER;
CREATE INDEX orders_by_amount ON orders (amount_steps, quoted_ms);

PRAGMA user_version = 6;
