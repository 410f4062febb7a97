-- Rejected requests: what an administrator needs to explain a fault. A file of its own beside the
-- archive, docs/adr/0013-rejections-in-a-file-of-their-own.md. Nothing here is evidence: rows are
-- bounded in number and age, and go when newer ones come.
-- Times are microseconds of UTC since 1970.

CREATE TABLE rejection (
  rejection_id   TEXT    NOT NULL PRIMARY KEY CHECK (length(rejection_id) = 26),  -- ULID: in the order of time
  rejected_at    INTEGER NOT NULL,
  last_at        INTEGER NOT NULL,
  times          INTEGER NOT NULL,  -- that this very answer was given
  code           INTEGER NOT NULL,
  tenant         TEXT    NOT NULL,  -- that authenticated; empty: none did
  claimed_tenant TEXT    NOT NULL,  -- that the certificate presented is enrolled for; empty: none
  facts          TEXT    NOT NULL   -- JSON: all else
) STRICT, WITHOUT ROWID;
CREATE INDEX rejection_by_tenant ON rejection (tenant, rejection_id);
CREATE INDEX rejection_by_time ON rejection (rejected_at);

-- The raw envelope or its beginning, compressed.
CREATE TABLE rejection_raw (
  rejection_id TEXT    NOT NULL PRIMARY KEY REFERENCES rejection (rejection_id) ON DELETE CASCADE,
  tenant       TEXT    NOT NULL,  -- as in rejection
  code         INTEGER NOT NULL,
  octets       BLOB    NOT NULL
) STRICT;
CREATE INDEX rejection_raw_by_tenant ON rejection_raw (tenant, rejection_id);
