-- Measurements, master data and KPI values move to a database of their own, the series, so that
-- computing them never holds the lock that a receipt needs. What earlier versions stored here is
-- made again from the raw envelopes and the imports of master data: all of them become work items.
-- Revisions of KPI values begin at 1 again.
DROP TABLE kpi_chunk;
DROP TABLE kpi;
DROP TABLE measurement_count;
DROP TABLE unusable_value;
DROP TABLE packed_month;
DROP TABLE packed_day;
DROP TABLE stale_meter;
DROP TABLE master_fact;
DROP TABLE quantify_failure;
DROP TABLE series;
DROP TABLE meter;
DROP TABLE origin;

-- What the quantifier has still to do: envelopes, and master data that an administrator stated. A
-- row goes when its work is done. Until lease_until it belongs to the node of that name.
DROP TABLE work_item;
CREATE TABLE work_item (
  leaf_index  INTEGER NOT NULL PRIMARY KEY REFERENCES log_leaf (leaf_index),
  leased_by   TEXT    NOT NULL DEFAULT '',
  lease_until INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO work_item (leaf_index) SELECT leaf_index FROM envelope;
INSERT INTO work_item (leaf_index) SELECT leaf_index FROM site_import;

-- The series into which finished work has gone, by its identity, and how many commits it had then.
-- One with fewer commits is older than the archive, one of another identity is another's: neither
-- has all that was finished. One row; identity is empty until the first work is finished.
CREATE TABLE finished_into (
  id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  identity BLOB    NOT NULL,
  commits  INTEGER NOT NULL
) STRICT;
INSERT INTO finished_into (id, identity, commits) VALUES (1, x'', 0);

-- The node that an upload comes in by, and until when it says so. Another node removes only what a
-- node that is gone has left.
DROP TABLE staging;
CREATE TABLE staging (
  raw_id      INTEGER NOT NULL PRIMARY KEY CHECK (raw_id > 0),
  chunk_count INTEGER NOT NULL CHECK (chunk_count > 0),
  node        TEXT    NOT NULL,
  lease_until INTEGER NOT NULL
) STRICT;
