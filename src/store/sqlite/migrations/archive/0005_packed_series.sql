-- Measurements and KPI values packed: a row holds those of a day, a month or a few windows, at a
-- tenth of the octets that a row for each took. What earlier versions stored is made again from
-- the raw envelopes: their work items come back. Revisions of KPI values begin at 1 again.
DROP TABLE measurement;
DROP TABLE kpi_value;
DROP TABLE kpi;
DELETE FROM master_fact;
DELETE FROM series;
DELETE FROM quantify_failure;
DELETE FROM origin;
INSERT INTO work_item (leaf_index, lease_until) SELECT leaf_index, 0 FROM envelope WHERE true
  ON CONFLICT (leaf_index) DO NOTHING;

-- Values of months before packed_until (the start of a month, UTC) are in packed_month, the others
-- in packed_day. No value in packed_day starts after last_start.
ALTER TABLE series ADD COLUMN packed_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN last_start INTEGER NOT NULL DEFAULT 0;

-- Every value ever received whose time makes sense, as store/value_chunk.h packs them.
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

CREATE TABLE kpi (
  kpi_id INTEGER NOT NULL PRIMARY KEY,
  name   TEXT    NOT NULL,
  unit   TEXT    NOT NULL,
  UNIQUE (name, unit)
) STRICT;

-- KPI values, as store/kpi_chunk.h packs them. chunk: of the windows' starts, see series_store.h.
CREATE TABLE kpi_chunk (
  meter_id    INTEGER NOT NULL REFERENCES meter (meter_id),
  window_kind INTEGER NOT NULL,  -- 0 hour, 1 day, 2 month, 3 year, 4 baseline, 5 reporting
  chunk       INTEGER NOT NULL,
  octets      BLOB    NOT NULL,
  PRIMARY KEY (meter_id, window_kind, chunk)
) STRICT, WITHOUT ROWID;

-- Meters whose KPIs must be computed anew, after a change of master data by an administrator.
CREATE TABLE stale_meter (
  meter_id INTEGER NOT NULL PRIMARY KEY REFERENCES meter (meter_id)
) STRICT;

-- Master data that an administrator stated; its leaf in the log has the digest of the statements.
CREATE TABLE site_import (
  leaf_index INTEGER NOT NULL PRIMARY KEY REFERENCES log_leaf (leaf_index),
  tenant     TEXT    NOT NULL,
  statements TEXT    NOT NULL  -- JSON, as the digest was computed of it
) STRICT;
CREATE INDEX master_fact_by_attribute ON master_fact (attribute, value);
