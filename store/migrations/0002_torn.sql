-- Paths that were last written by an attempt that did not end well: what lies there may be half
-- of something.  A path is whole again when an attempt that writes it ends well.  It outlives
-- the runs, as the files do.
CREATE TABLE torn (
	path   TEXT PRIMARY KEY NOT NULL,
	run    TEXT NOT NULL, -- id
	task   TEXT NOT NULL,
	result TEXT NOT NULL, -- of the attempt
	at_us  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
