-- The archive: the transparency log, the envelopes with their octets, and who may send.
-- Times are microseconds of UTC since 1970. Keys are explicit: nothing relies on SQLite's rowid.
-- Every index grows at its end or is small, so that the rate does not fall as the archive grows.

-- The log: leaf_index counts from 0 without gaps, in the order of commits.
CREATE TABLE log_leaf (
  leaf_index INTEGER NOT NULL PRIMARY KEY CHECK (leaf_index >= 0),
  leaf_hash  BLOB    NOT NULL CHECK (length(leaf_hash) = 32),  -- SHA-256(0x00 || entry)
  entry      TEXT    NOT NULL                                  -- canonical JSON, RFC 8785
) STRICT;

-- The head after each commit, kept so that the root in any receipt can be compared.
CREATE TABLE log_head (
  tree_size    INTEGER NOT NULL PRIMARY KEY CHECK (tree_size > 0),
  root_hash    BLOB    NOT NULL CHECK (length(root_hash) = 32),
  committed_at INTEGER NOT NULL
) STRICT;

-- What is needed to grow the tree: roots of its perfect subtrees, largest first. One row.
CREATE TABLE log_frontier (
  id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  tree_size INTEGER NOT NULL CHECK (tree_size >= 0),
  subtrees  BLOB    NOT NULL
) STRICT;
INSERT INTO log_frontier (id, tree_size, subtrees) VALUES (1, 0, x'');

CREATE TABLE envelope (
  leaf_index         INTEGER NOT NULL PRIMARY KEY REFERENCES log_leaf (leaf_index),
  receipt_id         TEXT    NOT NULL UNIQUE CHECK (length(receipt_id) = 26),  -- ULID: in the order of time
  received_at        INTEGER NOT NULL,
  tenant             TEXT    NOT NULL,
  certificate_sha256 BLOB    NOT NULL CHECK (length(certificate_sha256) = 32),
  signature_method   TEXT    NOT NULL,
  trust_epoch        INTEGER NOT NULL,
  message_count      INTEGER NOT NULL,
  source             TEXT    NOT NULL,
  content_type       TEXT    NOT NULL,
  content_encoding   TEXT    NOT NULL,
  soap_action        TEXT    NOT NULL,
  raw_size           INTEGER NOT NULL,
  stored_size        INTEGER NOT NULL,
  payload_digest     BLOB    NOT NULL CHECK (length(payload_digest) = 32),
  tree_size          INTEGER NOT NULL REFERENCES log_head (tree_size) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX envelope_by_time ON envelope (received_at, leaf_index);
CREATE INDEX envelope_by_tenant ON envelope (tenant, received_at, leaf_index);

-- The raw envelope, compressed, in pieces of at most 256 KiB.
CREATE TABLE raw_chunk (
  leaf_index  INTEGER NOT NULL REFERENCES envelope (leaf_index),
  chunk_index INTEGER NOT NULL CHECK (chunk_index >= 0),
  octets      BLOB    NOT NULL,
  PRIMARY KEY (leaf_index, chunk_index)
) STRICT;

-- Keys of accepted signatures, for as long as the window would accept them again.
CREATE TABLE replay (
  replay_key   BLOB    NOT NULL PRIMARY KEY CHECK (length(replay_key) = 32),
  replay_until INTEGER NOT NULL,
  leaf_index   INTEGER NOT NULL REFERENCES envelope (leaf_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX replay_by_end ON replay (replay_until);

-- What the quantifier has still to do; a row goes when its work is done.
CREATE TABLE work_item (
  leaf_index  INTEGER NOT NULL PRIMARY KEY REFERENCES envelope (leaf_index),
  lease_until INTEGER NOT NULL
) STRICT;

-- Who may send. Rows are added and, when revoked, completed; never deleted.
CREATE TABLE trust_epoch (
  id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  epoch      INTEGER NOT NULL,  -- grows by one with each change
  changed_at INTEGER NOT NULL
) STRICT;
INSERT INTO trust_epoch (id, epoch, changed_at) VALUES (1, 0, 0);

CREATE TABLE tenant (
  code          TEXT    NOT NULL,
  valid_from    INTEGER NOT NULL,
  name          TEXT    NOT NULL,
  zone          TEXT    NOT NULL,
  content_types TEXT    NOT NULL,  -- JSON array
  sources       TEXT    NOT NULL,  -- JSON array
  leaf_index    INTEGER NOT NULL UNIQUE REFERENCES log_leaf (leaf_index),
  PRIMARY KEY (code, valid_from)
) STRICT;

CREATE TABLE certificate (
  sha256  BLOB NOT NULL PRIMARY KEY CHECK (length(sha256) = 32),
  der     BLOB NOT NULL,
  subject TEXT NOT NULL
) STRICT;

CREATE TABLE enrolment (
  leaf_index            INTEGER NOT NULL PRIMARY KEY REFERENCES log_leaf (leaf_index),
  tenant                TEXT    NOT NULL,
  certificate_sha256    BLOB    NOT NULL REFERENCES certificate (sha256),
  enrolled_at           INTEGER NOT NULL,
  valid_from            INTEGER NOT NULL,
  valid_to              INTEGER,
  allow_sha1_until      INTEGER,
  revoked_at            INTEGER,
  revocation_reason     TEXT,
  revocation_leaf_index INTEGER UNIQUE REFERENCES log_leaf (leaf_index)
) STRICT;
CREATE INDEX enrolment_by_certificate ON enrolment (certificate_sha256, tenant);
