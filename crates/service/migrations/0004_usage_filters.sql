-- The log is asked for by kind and by model. Both are in the body; these columns only find it.

ALTER TABLE entries ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE entries ADD COLUMN model TEXT;
DROP TRIGGER entries_are_never_edited;
UPDATE entries SET kind = json_extract(body, '$.kind');
UPDATE entries SET model = json_extract(json_extract(body, '$.memo'), '$.model_id')
    WHERE kind IN ('debit', 'held', 'settled') AND json_valid(json_extract(body, '$.memo'));
CREATE TRIGGER entries_are_never_edited BEFORE UPDATE ON entries
BEGIN SELECT RAISE (ABORT, 'entries are never edited'); END;
CREATE INDEX entries_by_model ON entries (account_id, model, sequence) WHERE model IS NOT NULL;

PRAGMA user_version = 4;
