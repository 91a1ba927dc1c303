-- Holds, debt, refunds, voids and the daily allowance.

ALTER TABLE accounts ADD COLUMN allowance INTEGER CHECK (allowance > 0);
-- The last midnight that was posted, or when the allowance was set.
ALTER TABLE accounts ADD COLUMN allowance_since_ms INTEGER CHECK ((allowance_since_ms IS NULL) = (allowance IS NULL));

ALTER TABLE batches ADD COLUMN held INTEGER NOT NULL DEFAULT 0 CHECK (held BETWEEN 0 AND granted - left_over - lapsed);
ALTER TABLE batches ADD COLUMN voided INTEGER NOT NULL DEFAULT 0 CHECK (voided BETWEEN 0 AND granted - left_over - lapsed - held);
ALTER TABLE batches ADD COLUMN voided_ms INTEGER CHECK (voided = 0 OR voided_ms IS NOT NULL);
DROP INDEX batches_live;
CREATE INDEX batches_live ON batches (account_id, expires_ms) WHERE left_over > 0 OR held > 0;

-- Kept when they have ended, so that a late call can be told why.
CREATE TABLE holds (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    hold_id    TEXT NOT NULL,
    seq        INTEGER NOT NULL CHECK (seq > 0),
    made_ms    INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL CHECK (expires_ms > made_ms),
    parts      TEXT NOT NULL,
    memo       TEXT,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'settled', 'released', 'timed_out')),
    ended_ms   INTEGER CHECK ((ended_ms IS NULL) = (state = 'pending')),
    PRIMARY KEY (account_id, hold_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_pending ON holds (account_id, seq) WHERE state = 'pending';

CREATE TABLE debts (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    charge     INTEGER NOT NULL,
    open       INTEGER NOT NULL CHECK (open > 0),
    PRIMARY KEY (account_id, charge),
    FOREIGN KEY (account_id, charge) REFERENCES entries (account_id, sequence)
) STRICT, WITHOUT ROWID;

-- From a charge to its refunds and to what paid its debt.
CREATE TABLE charge_entries (
    account_id TEXT NOT NULL,
    charge     INTEGER NOT NULL,
    sequence   INTEGER NOT NULL CHECK (sequence > charge),
    PRIMARY KEY (account_id, charge, sequence),
    FOREIGN KEY (account_id, charge) REFERENCES entries (account_id, sequence),
    FOREIGN KEY (account_id, sequence) REFERENCES entries (account_id, sequence)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 2;
