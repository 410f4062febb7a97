-- Keys for the query API. Rows are added and, when revoked, completed; never deleted. The secret
-- itself is nowhere: only its digest.
CREATE TABLE api_key (
  key_id            TEXT    NOT NULL PRIMARY KEY,  -- a ULID
  secret_sha256     BLOB    NOT NULL CHECK (length(secret_sha256) = 32),
  name              TEXT    NOT NULL,  -- for people: who holds it
  role              INTEGER NOT NULL,  -- 0 reader, 1 auditor
  every_tenant      INTEGER NOT NULL CHECK (every_tenant IN (0, 1)),
  created_at        INTEGER NOT NULL,
  expires_at        INTEGER NOT NULL,
  revoked_at        INTEGER,
  revocation_reason TEXT
) STRICT;

-- The tenants whose data a key reads, unless it reads every tenant's.
CREATE TABLE api_key_tenant (
  key_id TEXT NOT NULL REFERENCES api_key (key_id),
  tenant TEXT NOT NULL,
  PRIMARY KEY (key_id, tenant)
) STRICT, WITHOUT ROWID;
