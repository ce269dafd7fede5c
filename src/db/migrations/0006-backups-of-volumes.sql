-- Custom volumes have backups too: each row is of one instance or of one volume.
CREATE TABLE new_backups (
	id INTEGER PRIMARY KEY,
	instance_id INTEGER REFERENCES instances ON DELETE CASCADE,
	volume_id INTEGER REFERENCES volumes ON DELETE CASCADE,
	name TEXT NOT NULL,
	compression TEXT NOT NULL,
	alone INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	expires_ns INTEGER NOT NULL,
	CHECK ((instance_id IS NULL) <> (volume_id IS NULL)),
	UNIQUE (instance_id, name),
	UNIQUE (volume_id, name)
) STRICT;
INSERT INTO new_backups (instance_id, name, compression, alone, created_ns, expires_ns)
	SELECT instance_id, name, compression, instance_only, created_ns, expires_ns
	FROM backups ORDER BY created_ns, name;
DROP TABLE backups;
ALTER TABLE new_backups RENAME TO backups;
