-- Large raw envelopes, staged in chunks before their envelope is appended, and replay keys in the
-- order of time.

-- Where the octets are: chunks of large_chunk under this raw_id; NULL: of raw_chunk under the leaf.
ALTER TABLE envelope ADD COLUMN raw_id INTEGER;

-- The raw envelope of a large request, compressed as one frame, in pieces of 256 KiB.
CREATE TABLE large_chunk (
  raw_id      INTEGER NOT NULL CHECK (raw_id > 0),
  chunk_index INTEGER NOT NULL CHECK (chunk_index >= 0),
  octets      BLOB    NOT NULL,
  PRIMARY KEY (raw_id, chunk_index)
) STRICT;

-- Large envelopes that are on their way: a row goes when the envelope is appended or the last of
-- its chunks is discarded. What is here when the server starts was left over by a crash.
CREATE TABLE staging (
  raw_id      INTEGER NOT NULL PRIMARY KEY CHECK (raw_id > 0),
  chunk_count INTEGER NOT NULL CHECK (chunk_count > 0)
) STRICT;

-- The next raw_id. None is given twice, so that nobody appends what another has staged. One row.
CREATE TABLE raw_counter (
  id      INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  next_id INTEGER NOT NULL CHECK (next_id > 0)
) STRICT;
INSERT INTO raw_counter (id, next_id) VALUES (1, 1);

-- Keys of accepted signatures, for as long as the window would accept them again. The signature
-- covers its time of creation, so both together are as good a key as the signature alone, and new
-- rows come at the end of the table. created is 0 where an earlier version has not recorded it.
CREATE TABLE replay_by_creation (
  created      INTEGER NOT NULL,
  replay_key   BLOB    NOT NULL CHECK (length(replay_key) = 32),
  replay_until INTEGER NOT NULL,
  leaf_index   INTEGER NOT NULL REFERENCES envelope (leaf_index),
  PRIMARY KEY (created, replay_key)
) STRICT, WITHOUT ROWID;
INSERT INTO replay_by_creation (created, replay_key, replay_until, leaf_index)
  SELECT 0, replay_key, replay_until, leaf_index FROM replay;
DROP TABLE replay;
ALTER TABLE replay_by_creation RENAME TO replay;

-- Keys that end before this instant may be forgotten: whoever comes with one is verified again,
-- and then found expired. Kept here, so that a clock that is set back while the server is down lets
-- nothing in twice. One row.
CREATE TABLE replay_horizon (
  id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  pruned_until INTEGER NOT NULL
) STRICT;
INSERT INTO replay_horizon (id, pruned_until)
  SELECT 1, coalesce(max(received_at), 0) FROM envelope;
