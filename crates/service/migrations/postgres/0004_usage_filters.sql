-- The log is asked for by kind and by model. Both are in the body; these columns only find it.

ALTER TABLE entries ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE entries ADD COLUMN model TEXT;
ALTER TABLE entries DISABLE TRIGGER USER;
UPDATE entries SET kind = CAST(body AS JSONB) ->> 'kind';
UPDATE entries SET model = CAST(CAST(body AS JSONB) ->> 'memo' AS JSONB) ->> 'model_id'
    WHERE kind IN ('debit', 'held', 'settled') AND CAST(body AS JSONB) ->> 'memo' LIKE '{%';
ALTER TABLE entries ENABLE TRIGGER USER;
CREATE INDEX entries_by_model ON entries (account_id, model, sequence) WHERE model IS NOT NULL;

UPDATE schema_version SET version = 4;
