-- API keys are leaves of the log, as everything is that an administrator decides. Those of earlier
-- versions have none (NULL) until districtd starts or districtctl makes or revokes a key (0008).
ALTER TABLE api_key ADD COLUMN leaf_index INTEGER REFERENCES log_leaf (leaf_index);
ALTER TABLE api_key ADD COLUMN revocation_leaf_index INTEGER REFERENCES log_leaf (leaf_index);
CREATE UNIQUE INDEX api_key_by_leaf ON api_key (leaf_index);
CREATE UNIQUE INDEX api_key_by_revocation_leaf ON api_key (revocation_leaf_index);
