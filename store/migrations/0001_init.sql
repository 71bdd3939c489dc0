-- The first schema.  Instants are microseconds since 1970-01-01T00:00:00Z, 0 where there is
-- none.  States and results are stored by name (store/state.c).  Texts are bytes as they came:
-- a path need not be UTF-8.
PRAGMA application_id = 0x64616764; -- "dagd"

-- The text of a DAG file, once for each meaning (the hash is of its canonical form).
CREATE TABLE definition (
	hash       TEXT PRIMARY KEY NOT NULL,
	source     TEXT NOT NULL,
	created_us INTEGER NOT NULL
) STRICT;

-- What is known of a DAG apart from its runs.
CREATE TABLE dag (
	name      TEXT PRIMARY KEY NOT NULL,
	paused    INTEGER NOT NULL DEFAULT 0,
	paused_us INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- How far a schedule's ticks have been turned into runs.
CREATE TABLE watermark (
	dag        TEXT NOT NULL,
	schedule   TEXT NOT NULL, -- its canonical text: a DAG may have several
	through_us INTEGER NOT NULL,
	updated_us INTEGER NOT NULL,
	PRIMARY KEY (dag, schedule)
) STRICT, WITHOUT ROWID;

-- rid grows with every run, so that each index below also orders by age.
CREATE TABLE run (
	rid               INTEGER PRIMARY KEY,
	id                TEXT NOT NULL UNIQUE, -- UUIDv7
	tail              TEXT NOT NULL, -- its last 12 digits backwards: looked up by their start
	dag               TEXT NOT NULL,
	kind              TEXT NOT NULL,
	logical_us        INTEGER NOT NULL,
	interval_start_us INTEGER NOT NULL,
	interval_end_us   INTEGER NOT NULL,
	partition         TEXT NOT NULL,
	file              TEXT NOT NULL,
	def_hash          TEXT NOT NULL REFERENCES definition (hash),
	params            TEXT NOT NULL,
	options           TEXT NOT NULL,
	state             TEXT NOT NULL,
	result            TEXT NOT NULL DEFAULT '',
	reason            TEXT,
	epoch             INTEGER NOT NULL,
	boot_id           TEXT NOT NULL, -- of the machine's boot in which the epoch began
	created_us        INTEGER NOT NULL,
	started_us        INTEGER NOT NULL DEFAULT 0,
	ended_us          INTEGER NOT NULL DEFAULT 0,
	deadline_us       INTEGER NOT NULL DEFAULT 0,
	CHECK ((state = 'done') = (result <> ''))
) STRICT;
CREATE INDEX run_tail ON run (tail);
CREATE INDEX run_dag ON run (dag);
CREATE INDEX run_result ON run (result);
CREATE INDEX run_dag_result ON run (dag, result);
CREATE INDEX run_definition ON run (def_hash);
CREATE UNIQUE INDEX run_tick ON run (dag, kind, logical_us, partition) WHERE kind <> 'manual';

CREATE TABLE task (
	run         INTEGER NOT NULL REFERENCES run (rid) ON DELETE CASCADE,
	name        TEXT NOT NULL,
	map         INTEGER NOT NULL, -- -1: not mapped
	ord         INTEGER NOT NULL, -- place in the run, from 0
	selected    INTEGER NOT NULL,
	state       TEXT NOT NULL,
	result      TEXT NOT NULL DEFAULT '',
	attempt     INTEGER NOT NULL DEFAULT 0, -- number of the latest; 0: none
	tries       INTEGER NOT NULL DEFAULT 0,
	next_try_us INTEGER NOT NULL DEFAULT 0,
	started_us  INTEGER NOT NULL DEFAULT 0,
	ended_us    INTEGER NOT NULL DEFAULT 0,
	reason      TEXT,
	PRIMARY KEY (run, name, map),
	CHECK ((state = 'done') = (result <> ''))
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
	aid         INTEGER PRIMARY KEY,
	run         INTEGER NOT NULL,
	task        TEXT NOT NULL,
	map         INTEGER NOT NULL,
	number      INTEGER NOT NULL,
	id          TEXT NOT NULL, -- UUIDv7, DAG_ATTEMPT_ID
	epoch       INTEGER NOT NULL,
	boot_id     TEXT NOT NULL,
	executor    TEXT NOT NULL,
	handle      TEXT, -- the executor's words
	dir         TEXT NOT NULL,
	state       TEXT NOT NULL,
	result      TEXT NOT NULL DEFAULT '',
	cause       TEXT,
	reason      TEXT,
	pid         INTEGER NOT NULL DEFAULT 0,
	exit_status INTEGER NOT NULL DEFAULT -1, -- -1: none
	exit_signal INTEGER NOT NULL DEFAULT 0,
	created_us  INTEGER NOT NULL,
	started_us  INTEGER NOT NULL DEFAULT 0,
	ended_us    INTEGER NOT NULL DEFAULT 0,
	wake_us     INTEGER NOT NULL DEFAULT 0,
	user_us     INTEGER NOT NULL DEFAULT 0,
	sys_us      INTEGER NOT NULL DEFAULT 0,
	maxrss_kib  INTEGER NOT NULL DEFAULT 0,
	log_bytes   INTEGER NOT NULL DEFAULT 0,
	survivors   INTEGER NOT NULL DEFAULT 0,
	oom         TEXT,
	UNIQUE (run, task, map, number),
	FOREIGN KEY (run, task, map) REFERENCES task (run, name, map) ON DELETE CASCADE,
	CHECK ((state = 'done') = (result <> ''))
) STRICT;
-- Never two living attempts of one task, whoever asks for them.
CREATE UNIQUE INDEX attempt_live ON attempt (run, task, map) WHERE result = '';

-- A path that a living attempt reads or writes.
CREATE TABLE path_lock (
	write INTEGER NOT NULL,
	path  TEXT NOT NULL,
	aid   INTEGER NOT NULL REFERENCES attempt (aid) ON DELETE CASCADE,
	PRIMARY KEY (write, path, aid)
) STRICT, WITHOUT ROWID;
CREATE INDEX path_lock_attempt ON path_lock (aid);

-- What an attempt that ended well has published.
CREATE TABLE output (
	aid INTEGER NOT NULL REFERENCES attempt (aid) ON DELETE CASCADE,
	key TEXT NOT NULL,
	val TEXT NOT NULL,
	PRIMARY KEY (aid, key)
) STRICT, WITHOUT ROWID;

-- Paths that a task of this project has made.  It outlives the runs: only what stands here may
-- be removed as a directory.
CREATE TABLE produced (
	dag    TEXT NOT NULL,
	task   TEXT NOT NULL,
	path   TEXT NOT NULL,
	is_dir INTEGER NOT NULL,
	run    TEXT NOT NULL, -- id of the run that made it last
	at_us  INTEGER NOT NULL,
	PRIMARY KEY (dag, task, path)
) STRICT, WITHOUT ROWID;

-- AUTOINCREMENT: an id is never used twice, even if the newest rows were deleted; who follows
-- events remembers the last id it saw.
CREATE TABLE event (
	id     INTEGER PRIMARY KEY AUTOINCREMENT,
	at_us  INTEGER NOT NULL,
	run    INTEGER NOT NULL REFERENCES run (rid) ON DELETE CASCADE,
	task   TEXT, -- NULL: of the run
	map    INTEGER NOT NULL,
	number INTEGER NOT NULL, -- of the attempt; 0: none
	event  TEXT NOT NULL, -- the new state or result, or a name of its own
	reason TEXT,
	detail TEXT -- JSON
) STRICT;
CREATE INDEX event_run ON event (run);

-- What other processes want of a run's owner.
CREATE TABLE command (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	run     INTEGER NOT NULL REFERENCES run (rid) ON DELETE CASCADE,
	verb    TEXT NOT NULL,
	args    TEXT NOT NULL,
	at_us   INTEGER NOT NULL,
	by_pid  INTEGER NOT NULL,
	done    INTEGER NOT NULL DEFAULT 0,
	done_us INTEGER NOT NULL DEFAULT 0,
	answer  TEXT
) STRICT;
CREATE INDEX command_run ON command (run, done);
