-- What the quantifier makes of the archive: measurements, master data, KPI values. All of it can be
-- computed again from the raw envelopes and the imports of master data.
-- Times are microseconds of UTC since 1970. Ids are small integers, given in the transaction.

-- Which series this is, how many commits of finished work it has had (see the archive's
-- finished_into), and the log's head at the last of them: an archive that has no such head is not
-- the one that the series was computed from. One row; tree_size is 0 until the first.
CREATE TABLE identity (
  id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  identity  BLOB    NOT NULL CHECK (length(identity) = 16),
  commits   INTEGER NOT NULL,
  tree_size INTEGER NOT NULL,
  root_hash BLOB    NOT NULL CHECK (length(root_hash) = 32)
) STRICT;
INSERT INTO identity (id, identity, commits, tree_size, root_hash)
  VALUES (1, randomblob(16), 0, 0, zeroblob(32));

-- The key that makes work count once. done = 0: values are stored, but their recomputation is not
-- at its end, so KPI values may be old or new. done = 1: all of it is stored here; the row goes once
-- the archive's work item is gone.
CREATE TABLE work (
  leaf_index INTEGER NOT NULL PRIMARY KEY CHECK (leaf_index >= 0),
  done       INTEGER NOT NULL CHECK (done IN (0, 1))
) STRICT;

-- Envelopes, and imports of master data, that gave measurements or master data. first_start and
-- last_start span the starts of its measurements, so that they are found without an index over all
-- measurements.
CREATE TABLE origin (
  leaf_index  INTEGER NOT NULL PRIMARY KEY CHECK (leaf_index >= 0),
  receipt_id  TEXT    NOT NULL,
  tenant      TEXT    NOT NULL,
  received_at INTEGER NOT NULL,
  first_start INTEGER,
  last_start  INTEGER
) STRICT;

CREATE TABLE meter (
  meter_id INTEGER NOT NULL PRIMARY KEY,
  tenant   TEXT    NOT NULL,
  source   TEXT    NOT NULL,
  meter    TEXT    NOT NULL,  -- empty where the source is the meter
  UNIQUE (tenant, source, meter)
) STRICT;

-- Values of months before packed_until (the start of a month, UTC) are in packed_month, the others
-- in packed_day. No value in packed_day starts after last_start.
CREATE TABLE series (
  series_id    INTEGER NOT NULL PRIMARY KEY,
  meter_id     INTEGER NOT NULL REFERENCES meter (meter_id),
  quantity     TEXT    NOT NULL,
  kind         INTEGER NOT NULL,  -- 0 interval, 1 mean, 2 instant, 3 reading
  unit         TEXT    NOT NULL,
  longest      INTEGER NOT NULL,  -- no usable measurement of the series lasts longer
  packed_until INTEGER NOT NULL DEFAULT 0,
  last_start   INTEGER NOT NULL DEFAULT 0,
  UNIQUE (meter_id, quantity, kind, unit)
) STRICT;

-- Every value ever received whose time makes sense, as store/codec/value_chunk.h packs them.
-- The present comes for many series at a time, so its rows lie together by day; the past is read
-- series by series.
CREATE TABLE packed_day (
  day       INTEGER NOT NULL,  -- UTC, days since 1970
  series_id INTEGER NOT NULL REFERENCES series (series_id),
  octets    BLOB    NOT NULL,
  PRIMARY KEY (day, series_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE packed_month (
  series_month INTEGER NOT NULL PRIMARY KEY,  -- series_id * 4096 + months since 1970
  octets       BLOB    NOT NULL
) STRICT;

-- Values that no window can be found for, with the rule that says why.
CREATE TABLE unusable_value (
  series_id     INTEGER NOT NULL REFERENCES series (series_id),
  leaf_index    INTEGER NOT NULL REFERENCES origin (leaf_index),
  message_index INTEGER NOT NULL,
  start         INTEGER NOT NULL,
  length        INTEGER NOT NULL,
  flags         INTEGER NOT NULL,
  value         REAL    NOT NULL,
  PRIMARY KEY (series_id, leaf_index, message_index, start, length)
) STRICT, WITHOUT ROWID;

-- How many values are in each state ("state current") and how many each rule has flagged
-- ("rule negative_energy").
CREATE TABLE measurement_count (
  what   TEXT    NOT NULL PRIMARY KEY,
  number INTEGER NOT NULL
) STRICT;

CREATE TABLE master_fact (
  meter_id      INTEGER NOT NULL REFERENCES meter (meter_id),
  attribute     TEXT    NOT NULL,
  valid_from    INTEGER NOT NULL,
  leaf_index    INTEGER NOT NULL REFERENCES origin (leaf_index),
  message_index INTEGER NOT NULL,
  valid_to      INTEGER,
  value         TEXT    NOT NULL,
  PRIMARY KEY (meter_id, attribute, valid_from, leaf_index, message_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX master_fact_by_attribute ON master_fact (attribute, value);

CREATE TABLE kpi (
  kpi_id INTEGER NOT NULL PRIMARY KEY,
  name   TEXT    NOT NULL,
  unit   TEXT    NOT NULL,
  UNIQUE (name, unit)
) STRICT;

-- KPI values, as store/codec/kpi_chunk.h packs them. chunk: of the windows' starts, see
-- store/series_store.h.
CREATE TABLE kpi_chunk (
  meter_id    INTEGER NOT NULL REFERENCES meter (meter_id),
  window_kind INTEGER NOT NULL,  -- 0 hour, 1 day, 2 month, 3 year, 4 baseline, 5 reporting
  chunk       INTEGER NOT NULL,
  octets      BLOB    NOT NULL,
  PRIMARY KEY (meter_id, window_kind, chunk)
) STRICT, WITHOUT ROWID;

-- Meters whose KPIs must be computed anew, after a change of master data by an administrator. Each
-- further change adds a mark: who has computed takes away as many as there were when it began.
CREATE TABLE stale_meter (
  meter_id INTEGER NOT NULL PRIMARY KEY REFERENCES meter (meter_id),
  marks    INTEGER NOT NULL
) STRICT;

-- Envelopes that could not be quantified.
CREATE TABLE quantify_failure (
  leaf_index INTEGER NOT NULL PRIMARY KEY,
  receipt_id TEXT    NOT NULL,
  tenant     TEXT    NOT NULL,
  code       INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  failed_at  INTEGER NOT NULL
) STRICT;
