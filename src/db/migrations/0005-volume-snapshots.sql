-- Snapshots of custom volumes by the clock, and their end.
ALTER TABLE volume_snapshots ADD COLUMN expires_ns INTEGER NOT NULL DEFAULT 0;
ALTER TABLE volume_snapshots ADD COLUMN scheduled INTEGER NOT NULL DEFAULT 0;

-- When each volume's schedule is due; computed from "schedule" as it was then.
CREATE TABLE volume_runs (
	volume_id INTEGER PRIMARY KEY REFERENCES volumes ON DELETE CASCADE,
	schedule TEXT NOT NULL,
	next_ns INTEGER NOT NULL
) STRICT;
