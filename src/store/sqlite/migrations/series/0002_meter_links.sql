-- For each meter and attribute that names another meter, the value that counts: that of the latest
-- valid_from, and of statements with the same one, the last received. It follows from master_fact.
-- What depends on a meter is found here, so that statements that no longer count cost nothing.
CREATE TABLE meter_link (
  meter_id  INTEGER NOT NULL REFERENCES meter (meter_id),
  attribute TEXT    NOT NULL,
  value     TEXT    NOT NULL,
  PRIMARY KEY (meter_id, attribute)
) STRICT, WITHOUT ROWID;
CREATE INDEX meter_link_by_value ON meter_link (attribute, value);
INSERT INTO meter_link (meter_id, attribute, value)
  SELECT meter_id, attribute, value FROM (
    SELECT f.meter_id, f.attribute, f.value, row_number() OVER (
      PARTITION BY f.meter_id, f.attribute
      ORDER BY f.valid_from DESC, o.received_at DESC, f.leaf_index DESC, f.message_index DESC) AS place
    FROM master_fact f JOIN origin o USING (leaf_index)
    WHERE f.attribute IN ('outdoor_sensor', 'replaces_meter', 'at_site'))
  WHERE place = 1;
