-- One debit from one of 1,000 accounts: the statements of `POST /v1/debits` in the service's store, in their order, each a round trip.
--   pgbench "$URL" -n -M prepared -f bench/ledger/pgbench/debit.sql -c 64 -j 2 -T 20
-- A test of the service holds this file to what PostgreSQL sees of a debit. What the service computes between them (the ledger's rules, the hash) is not done here; a hash goes back as it came.
-- To pgbench a colon before a letter is a variable, hence `": null`.
\set account random(1, 1000)
\set key random(1, 9000000000000000000)
BEGIN;
SELECT entry_count, last_hash, latest_ms, allowance, allowance_since_ms FROM accounts WHERE account_id = :account FOR UPDATE \gset
SELECT batch_id, seq, source, note, added_ms, expires_ms, granted, left_over, lapsed, held, voided, voided_ms FROM batches WHERE account_id = :account AND (left_over > 0 OR held > 0) \gset
SELECT hold_id, seq, made_ms, expires_ms, parts, memo FROM holds WHERE account_id = :account AND state = 'pending' ORDER BY seq;
SELECT charge, open FROM debts WHERE account_id = :account ORDER BY charge;
SELECT request_hash, status, answer FROM idempotency WHERE scope = :account AND key = :key;
\set sequence :entry_count + 1
\set rest :left_over - 1
INSERT INTO entries (account_id, sequence, at_ms, body, previous_hash, hash, kind, model) VALUES (:account, :sequence, :latest_ms, '{"kind":"debit","amount":"0.000000001","drawn":[{"batch":"ba_0123456789abcdef0123456789abcdef","amount":"0.000000001"}],"memo": null}', :last_hash, :last_hash, 'debit', NULL);
UPDATE batches SET left_over = :rest, lapsed = 0, held = 0, voided = 0, voided_ms = NULL WHERE account_id = :account AND batch_id = :batch_id;
UPDATE accounts SET entry_count = :sequence, last_hash = :last_hash, latest_ms = :latest_ms, allowance = NULL, allowance_since_ms = NULL WHERE account_id = :account AND entry_count = :entry_count;
INSERT INTO idempotency (scope, key, request_hash, status, answer, kept_ms) VALUES (:account, :key, :last_hash, 201, '{"account_id":"ac_0123456789abcdef0123456789abcdef","entry_id":"en_0123456789abcdef0123456789abcdef-12345","sequence":12345,"batch_id": null,"hold_id": null,"available_credits":"899999999.999999999","held_credits":"0","debt_credits":"0","server_time":"2027-01-15T08:00:00Z"}', :latest_ms);
COMMIT;
