-- What an instance was: its volume is <pool>/snapshots/<volume>, so that a name is only here.
CREATE TABLE snapshots (
	id INTEGER PRIMARY KEY,
	instance_id INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
	name TEXT NOT NULL,
	volume TEXT NOT NULL UNIQUE,
	description TEXT,
	architecture TEXT,
	image_fingerprint TEXT,
	ephemeral INTEGER NOT NULL,
	last_used_ns INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	expires_ns INTEGER NOT NULL,
	scheduled INTEGER NOT NULL,
	size INTEGER NOT NULL,
	UNIQUE (instance_id, name)
) STRICT;

CREATE TABLE snapshot_config (
	snapshot_id INTEGER NOT NULL REFERENCES snapshots ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (snapshot_id, key)
) STRICT, WITHOUT ROWID;

-- A device without any key is a row with the key ''.
CREATE TABLE snapshot_devices (
	snapshot_id INTEGER NOT NULL REFERENCES snapshots ON DELETE CASCADE,
	device TEXT NOT NULL,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (snapshot_id, device, key)
) STRICT, WITHOUT ROWID;

-- The reference follows a rename; the name stays when the profile goes.
CREATE TABLE snapshot_profiles (
	snapshot_id INTEGER NOT NULL REFERENCES snapshots ON DELETE CASCADE,
	position INTEGER NOT NULL,
	profile_id INTEGER REFERENCES profiles ON DELETE SET NULL,
	name TEXT NOT NULL,
	PRIMARY KEY (snapshot_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshot_profiles_profile ON snapshot_profiles (profile_id);

-- When each instance's schedule is due; computed from "schedule" as it was then.
CREATE TABLE snapshot_runs (
	instance_id INTEGER PRIMARY KEY REFERENCES instances ON DELETE CASCADE,
	schedule TEXT NOT NULL,
	next_ns INTEGER NOT NULL
) STRICT;
