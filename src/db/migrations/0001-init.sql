-- Append-only: a released migration is never edited, a change is a new file.
-- Times are nanoseconds since 1970, 0 for never. Names of other objects are references, so that a
-- rename is one row and nothing can point to what is gone.

CREATE TABLE config (
	key TEXT PRIMARY KEY NOT NULL,
	value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	driver TEXT,
	description TEXT,
	status TEXT
) STRICT;

CREATE TABLE pool_config (
	pool_id INTEGER NOT NULL REFERENCES pools ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (pool_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE profiles (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	description TEXT
) STRICT;

CREATE TABLE profile_config (
	profile_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (profile_id, key)
) STRICT, WITHOUT ROWID;

-- A device without any key is a row with the key ''.
CREATE TABLE profile_devices (
	profile_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
	device TEXT NOT NULL,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (profile_id, device, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE networks (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	type TEXT NOT NULL,
	description TEXT,
	managed INTEGER NOT NULL
) STRICT;

CREATE TABLE network_config (
	network_id INTEGER NOT NULL REFERENCES networks ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (network_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
	id INTEGER PRIMARY KEY,
	fingerprint TEXT NOT NULL UNIQUE CHECK (length(fingerprint) = 64),
	size INTEGER NOT NULL,
	format TEXT NOT NULL,
	architecture TEXT,
	filename TEXT,
	public INTEGER NOT NULL,
	cached INTEGER NOT NULL,
	auto_update INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	expires_ns INTEGER NOT NULL,
	uploaded_ns INTEGER NOT NULL,
	last_used_ns INTEGER NOT NULL,
	source_protocol TEXT,
	source_server TEXT,
	source_alias TEXT
) STRICT;

CREATE TABLE image_properties (
	image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (image_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE image_aliases (
	name TEXT PRIMARY KEY NOT NULL,
	image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
	description TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX image_aliases_image ON image_aliases (image_id);

CREATE TABLE image_profiles (
	image_id INTEGER NOT NULL REFERENCES images ON DELETE CASCADE,
	position INTEGER NOT NULL,
	profile_id INTEGER NOT NULL REFERENCES profiles ON DELETE CASCADE,
	PRIMARY KEY (image_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_profiles_profile ON image_profiles (profile_id);

-- Which pool holds which image unpacked; no reference to images, whose row may go first.
CREATE TABLE image_volumes (
	pool_id INTEGER NOT NULL REFERENCES pools,
	fingerprint TEXT NOT NULL,
	PRIMARY KEY (pool_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE instances (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	description TEXT,
	architecture TEXT,
	pool_id INTEGER REFERENCES pools,
	image_fingerprint TEXT,
	ephemeral INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	last_used_ns INTEGER NOT NULL,
	power TEXT
) STRICT;
CREATE INDEX instances_pool ON instances (pool_id, image_fingerprint);

CREATE TABLE instance_config (
	instance_id INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (instance_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE instance_devices (
	instance_id INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
	device TEXT NOT NULL,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (instance_id, device, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE instance_profiles (
	instance_id INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
	position INTEGER NOT NULL,
	profile_id INTEGER NOT NULL REFERENCES profiles,
	PRIMARY KEY (instance_id, position),
	UNIQUE (instance_id, profile_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX instance_profiles_profile ON instance_profiles (profile_id);

CREATE TABLE id_ranges (
	base INTEGER PRIMARY KEY,
	count INTEGER NOT NULL CHECK (count > 0),
	instance_id INTEGER NOT NULL UNIQUE REFERENCES instances ON DELETE CASCADE
) STRICT;

CREATE TRIGGER id_ranges_apart BEFORE INSERT ON id_ranges
WHEN EXISTS (SELECT 1 FROM id_ranges
	WHERE base < NEW.base + NEW.count AND NEW.base < base + count)
BEGIN
	SELECT RAISE(ABORT, 'id_ranges overlap');
END;

CREATE TABLE leases (
	id INTEGER PRIMARY KEY,
	network_id INTEGER NOT NULL REFERENCES networks ON DELETE CASCADE,
	instance_id INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
	device TEXT NOT NULL,
	hwaddr TEXT,
	ipv4 TEXT,
	ipv6 TEXT,
	UNIQUE (instance_id, device),
	UNIQUE (network_id, hwaddr),
	UNIQUE (network_id, ipv4),
	UNIQUE (network_id, ipv6)
) STRICT;

CREATE TABLE journal (
	id TEXT PRIMARY KEY NOT NULL,
	kind TEXT NOT NULL,
	object TEXT,
	step TEXT,
	created_ns INTEGER NOT NULL
) STRICT;

CREATE TABLE journal_data (
	journal_id TEXT NOT NULL REFERENCES journal ON DELETE CASCADE,
	key TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (journal_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE warnings (
	uuid TEXT PRIMARY KEY NOT NULL,
	type TEXT NOT NULL,
	entity TEXT NOT NULL,
	status INTEGER NOT NULL,
	severity INTEGER NOT NULL,
	count INTEGER NOT NULL,
	last_message TEXT,
	first_seen_ns INTEGER NOT NULL,
	last_seen_ns INTEGER NOT NULL,
	UNIQUE (type, entity)
) STRICT, WITHOUT ROWID;
