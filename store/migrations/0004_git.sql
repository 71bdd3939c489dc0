-- The commit that was checked out when a run began, and whether tracked files had changes; NULL
-- where there was no git repository, or nobody had the time to look.
ALTER TABLE run ADD COLUMN git_commit TEXT;
ALTER TABLE run ADD COLUMN git_dirty INTEGER;
