-- What clients asked to have packed; the bytes are made when they are fetched.
CREATE TABLE backups (
	instance_id INTEGER NOT NULL REFERENCES instances ON DELETE CASCADE,
	name TEXT NOT NULL,
	compression TEXT NOT NULL,
	instance_only INTEGER NOT NULL,
	created_ns INTEGER NOT NULL,
	expires_ns INTEGER NOT NULL,
	PRIMARY KEY (instance_id, name)
) STRICT, WITHOUT ROWID;
