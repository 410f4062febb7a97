-- What the quantifier makes of the archive: measurements, master data, KPI values. All of it can be
-- computed again from the raw envelopes.
-- Times are microseconds of UTC since 1970. Ids are small integers, given in the transaction.

-- Envelopes that gave measurements or master data. first_start and last_start span the starts of
-- its measurements, so that they are found without an index over all measurements.
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

CREATE TABLE series (
  series_id  INTEGER NOT NULL PRIMARY KEY,
  meter_id   INTEGER NOT NULL REFERENCES meter (meter_id),
  quantity   TEXT    NOT NULL,
  kind       INTEGER NOT NULL,  -- 0 interval, 1 mean, 2 instant, 3 reading
  unit       TEXT    NOT NULL,
  longest    INTEGER NOT NULL,  -- no usable measurement of the series lasts longer
  UNIQUE (meter_id, quantity, kind, unit)
) STRICT;

-- Every value ever received. state: 0 current, 1 superseded, 2 duplicate, 3 excluded because a later
-- received one overlaps it, 4 unusable, 5 not yet settled (only inside a transaction).
-- received_at is not here: it is the same for all values of an envelope, and origin has it.
CREATE TABLE measurement (
  series_id     INTEGER NOT NULL REFERENCES series (series_id),
  start         INTEGER NOT NULL,
  length        INTEGER NOT NULL,
  leaf_index    INTEGER NOT NULL REFERENCES origin (leaf_index),
  message_index INTEGER NOT NULL,
  state         INTEGER NOT NULL,
  flags         INTEGER NOT NULL,
  value         REAL    NOT NULL,
  PRIMARY KEY (series_id, start, length, leaf_index, message_index)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE kpi (
  kpi_id INTEGER NOT NULL PRIMARY KEY,
  name   TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE kpi_value (
  meter_id     INTEGER NOT NULL REFERENCES meter (meter_id),
  window_kind  INTEGER NOT NULL,  -- 0 hour, 1 day, 2 month
  start        INTEGER NOT NULL,
  kpi_id       INTEGER NOT NULL REFERENCES kpi (kpi_id),
  window_end   INTEGER NOT NULL,
  value        REAL,
  unit         TEXT    NOT NULL,
  completeness REAL    NOT NULL,
  status       INTEGER NOT NULL,  -- 0 complete, 1 partial, 2 estimated, 3 insufficient
  revision     INTEGER NOT NULL,
  computed_at  INTEGER NOT NULL,
  attributes   TEXT    NOT NULL,  -- JSON object; empty: none
  PRIMARY KEY (meter_id, window_kind, start, kpi_id)
) STRICT, WITHOUT ROWID;

-- Envelopes that are archived but could not be quantified, with the reason.
CREATE TABLE quantify_failure (
  leaf_index INTEGER NOT NULL PRIMARY KEY,
  receipt_id TEXT    NOT NULL,
  tenant     TEXT    NOT NULL,
  code       INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  failed_at  INTEGER NOT NULL
) STRICT;
