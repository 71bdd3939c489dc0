"""The place of a walk: a repository, its remotes and a home, copied and looked at as one."""
import contextlib
import hashlib
import os
import shutil
import stat
import subprocess

import oracle


class Place:
    """${top}/now holds what both tools see; a twin of it is made and put aside under other names, so
    that both tools work at the same path.
    """

    def __init__(self, top):
        self.top = top
        self.now = os.path.join(top, "now")
        self.repo = os.path.join(self.now, "repo")
        self.home = os.path.join(self.now, "home")
        os.makedirs(self.repo)
        self.env = oracle.environment(self.home)
        self.clock = 1700000000

    def path(self, relative):
        """Of a name that may hold bytes that are not UTF-8."""
        return os.fsencode(os.path.join(self.repo, relative))

    def git(self, *argv, check=True):
        self.clock += 60
        date = f"{self.clock} +0000"
        env = dict(self.env, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
        done = subprocess.run(("git",) + argv, cwd=self.repo, env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        if check and done.returncode:
            raise RuntimeError(f"git {argv}: {done.stdout!r}")
        return done.returncode, done.stdout

    def put_aside(self, name):
        os.rename(self.now, os.path.join(self.top, name))

    def bring_back(self, name):
        os.rename(os.path.join(self.top, name), self.now)

    def copy_of(self, name):
        """Make now anew as a copy of what lies aside; hard links within it stay links."""
        subprocess.run(["cp", "-a", os.path.join(self.top, name), self.now], check=True)

    @contextlib.contextmanager
    def out_of_sight(self, stay):
        """The remotes lie elsewhere meanwhile, unless they are to ${stay}."""
        away = os.path.join(self.top, "away")
        names = [] if stay else [name for name in STORES[1:] if os.path.isdir(os.path.join(self.now, name))]
        os.makedirs(away, exist_ok=True)
        for name in names:
            os.rename(os.path.join(self.now, name), os.path.join(away, name))
        try:
            yield
        finally:
            for name in names:
                os.rename(os.path.join(away, name), os.path.join(self.now, name))

    def forget(self):
        """DVC keeps what it has found of a directory or a commit in a database of its own: lists that are gone
        from the cache since, files that were executable once.  It is to say what is there now.
        """
        for base, dirs, _ in os.walk(os.path.join(self.home, "dvc_site_cache_dir")):
            if "index" in dirs:
                shutil.rmtree(os.path.join(base, "index"))
                dirs.remove("index")

    def drop(self, name):
        shutil.rmtree(os.path.join(self.top, name))


STORES = ("repo/.dvc/cache", "rem1", "rem2", "rem3", "near")


def snapshot(place):
    """What a tool may have changed: {path: (kind, mode, content)}, paths relative to now.  The
    content of small files is kept, of others their hash.  Left out: git's own files (its index is
    taken as git lists it), what is private to a tool, and everything about time.
    """
    found = {}
    top = os.fsencode(place.now)
    private = {os.path.join(top, p) for p in
               (b"repo/.git", b"repo/.dvc/tmp", b"repo/.dag", b"home")}
    for base, dirs, files in os.walk(top):
        dirs[:] = [d for d in dirs if os.path.join(base, d) not in private]
        for name in dirs + files:
            path = os.path.join(base, name)
            status = os.lstat(path)
            mode = f"{stat.S_IMODE(status.st_mode):04o}"
            if stat.S_ISLNK(status.st_mode):
                entry = ("link", "", os.readlink(path))
            elif stat.S_ISDIR(status.st_mode):
                entry = ("directory", mode, b"")
            elif stat.S_ISREG(status.st_mode):
                with open(path, "rb") as f:
                    content = f.read()
                # How many names a file has tells how it was linked.
                kind = "file" if status.st_nlink == 1 else "shared file"
                entry = (kind, mode, content if len(content) < 4096 else hashlib.sha256(content).digest())
            else:
                entry = ("special", mode, b"")
            found[os.fsdecode(os.path.relpath(path, top))] = entry
    # A directory of a store with no object below it means nothing: DVC leaves them behind, and makes
    # them when it only asks.
    full = set()
    for path, (kind, _, _) in found.items():
        if kind != "directory":
            while path and path not in full:
                full.add(path)
                path = os.path.dirname(path)
    found = {path: entry for path, entry in found.items() if path in full or entry[0] != "directory"
             or not path.startswith(STORES)}
    for line in place.git("ls-files", "-s", "-z")[1].split(b"\0")[:-1]:
        what, path = line.split(b"\t", 1)
        mode, content, stage = what.decode().split()
        found[f"git's index, {os.fsdecode(path)}" + stage.replace("0", "")] = ("staged", mode, content)
    return found


def differences(one, two):
    """The paths that are not the same in two snapshots: [(path, entry or None, entry or None)]."""
    return [(path, one.get(path), two.get(path)) for path in sorted(one.keys() | two.keys())
            if one.get(path) != two.get(path)]


def show(entry):
    if entry is None:
        return "absent"
    kind, mode, content = entry
    return f"{kind} {mode} {content!r}"
