-- Custom volumes: a volume is <pool>/custom/<volume>, so that a name is only here.
CREATE TABLE volumes (
	id INTEGER PRIMARY KEY,
	pool_id INTEGER NOT NULL REFERENCES pools,
	name TEXT NOT NULL,
	volume TEXT NOT NULL UNIQUE,
	description TEXT,
	created_ns INTEGER NOT NULL,
	UNIQUE (pool_id, name)
) STRICT;

CREATE TABLE volume_config (
	volume_id INTEGER NOT NULL REFERENCES volumes ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (volume_id, key)
) STRICT, WITHOUT ROWID;

-- What a volume was: <pool>/snapshots/<volume>.
CREATE TABLE volume_snapshots (
	id INTEGER PRIMARY KEY,
	volume_id INTEGER NOT NULL REFERENCES volumes ON DELETE CASCADE,
	name TEXT NOT NULL,
	volume TEXT NOT NULL UNIQUE,
	description TEXT,
	created_ns INTEGER NOT NULL,
	size INTEGER NOT NULL,
	UNIQUE (volume_id, name)
) STRICT;
