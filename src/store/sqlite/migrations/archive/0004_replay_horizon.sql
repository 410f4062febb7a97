-- The longest time for which any replay key that is forgotten was kept after its creation. Where the
-- setting of the window is widened later, what was refused as too old before stays refused: its key
-- may be one of those.
ALTER TABLE replay_horizon ADD COLUMN life INTEGER NOT NULL DEFAULT 360000000;
UPDATE replay_horizon SET life =
  coalesce((SELECT max(replay_until - created) FROM replay WHERE created > 0), 360000000);
