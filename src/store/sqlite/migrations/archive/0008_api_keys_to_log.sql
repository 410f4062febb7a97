-- Keys that a version before 0007 made, whose leaves are still to be written: districtd does it
-- when it starts, districtctl when it makes or revokes a key, once, and removes these rows in the
-- same transaction. Every other key without a leaf is damage. Where any key has a leaf, earlier
-- ones have got theirs.
CREATE TABLE api_key_to_log (
  key_id TEXT NOT NULL PRIMARY KEY REFERENCES api_key (key_id)
) STRICT, WITHOUT ROWID;
INSERT INTO api_key_to_log (key_id)
  SELECT key_id FROM api_key
  WHERE NOT EXISTS (SELECT 1 FROM api_key WHERE leaf_index IS NOT NULL);
