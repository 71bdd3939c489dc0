-- Why an attempt ran, of a task that is not run again where nothing has changed.
ALTER TABLE attempt ADD COLUMN why TEXT;

-- What a lock file shall say of a stage and may not say yet: written with the success that it
-- tells of, and deleted when the file is durable.  The entry is the text of a lock with that
-- stage alone.
CREATE TABLE lock_entry (
	lock  TEXT NOT NULL, -- the file, seen from the root
	name  TEXT NOT NULL, -- of the stage in it
	entry TEXT NOT NULL,
	run   TEXT NOT NULL, -- id of the run that made it
	at_us INTEGER NOT NULL,
	PRIMARY KEY (lock, name)
) STRICT, WITHOUT ROWID;

-- The values that a task published together with a result, for when that result is found again.
-- They outlive the runs, as results do.
CREATE TABLE published (
	dag   TEXT NOT NULL,
	task  TEXT NOT NULL,
	entry TEXT NOT NULL, -- SHA-256 of the result's lock entry
	key   TEXT NOT NULL,
	val   TEXT NOT NULL,
	at_us INTEGER NOT NULL,
	PRIMARY KEY (dag, task, entry, key)
) STRICT, WITHOUT ROWID;
