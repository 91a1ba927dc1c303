-- A rotated key waits until it is first used; then the keys before it are revoked. All others are in use since they were issued.
ALTER TABLE account_keys ADD COLUMN first_used_ms INTEGER;
UPDATE account_keys SET first_used_ms = issued_ms;

PRAGMA user_version = 3;
