-- Accounts that `debit.sql` draws from, in an empty database, as the service leaves them after one grant each.
--   cat crates/service/migrations/postgres/*.sql bench/ledger/pgbench/setup.sql | psql "$URL" -v ON_ERROR_STOP=1 -v accounts=1000
-- Hashes are not computed here: `verify` does not hold on this database.

\if :{?accounts}
\else
    \set accounts 1000
\endif

INSERT INTO accounts (account_id, label, opened_ms, entry_count, last_hash, latest_ms)
SELECT n::TEXT, 'bench', 1800000000000, 1, sha256(n::TEXT::BYTEA), 1800000000000 FROM generate_series(1, :accounts) n;

INSERT INTO entries (account_id, sequence, at_ms, body, previous_hash, hash, kind)
SELECT n::TEXT, 1, 1800000000000,
       '{"kind":"batch_added","batch":"ba_' || n || '","source":"grant","amount":"900000000","expires":"2030-01-01T00:00:00Z"}',
       sha256('genesis'), sha256(n::TEXT::BYTEA), 'batch_added'
FROM generate_series(1, :accounts) n;

INSERT INTO batches (account_id, batch_id, seq, source, note, added_ms, expires_ms, granted, left_over, lapsed)
SELECT n::TEXT, 'ba_' || n, 1, 'grant', NULL, 1800000000000, 1900000000000, 900000000000000000, 900000000000000000, 0
FROM generate_series(1, :accounts) n;

VACUUM ANALYZE accounts, batches, entries;
