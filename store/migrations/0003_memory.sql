-- The most memory that all processes of an attempt used together, where it had a limit.
ALTER TABLE attempt ADD COLUMN mem_peak_kib INTEGER NOT NULL DEFAULT 0;
