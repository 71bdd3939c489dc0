#!/usr/bin/python3 -B
"""The locks of a repository between the two tools: what one of them holds, the other waits for."""
import os
import subprocess
import sys
import time

import oracle
import tap
from tap import ok, same

python = tap.python()
top = tap.scratch()
env = oracle.environment(os.path.join(top, "home"))
tmp = os.path.join(top, "r", ".dvc", "tmp")
os.makedirs(tmp)
locked = os.path.join(oracle.BUILD, "tests", "locked")

# DVC's own classes: one that holds until its input ends, one that tries.
HOLD = """
import sys
from dvc.lock import make_lock
with make_lock(sys.argv[1]):
    print("taken", flush=True)
    sys.stdin.read()
"""
PATHS = """
import sys
from dvc.fs import localfs
from dvc.rwlock import rwlock
from dvc.lock import LockError
read = [p[2:] for p in sys.argv[2:] if p[0] == "r"]
write = [p[2:] for p in sys.argv[2:] if p[0] == "w"]
try:
    with rwlock(sys.argv[1], localfs, "a command", read, write, False):
        print("taken", flush=True)
        sys.stdin.read()
except LockError as exc:
    print("busy", str(exc).splitlines()[1].strip(), flush=True)
"""
TRY = """
import sys
import dvc.lock
dvc.lock.DEFAULT_TIMEOUT = 0.3
try:
    with dvc.lock.make_lock(sys.argv[1]):
        print("taken", flush=True)
except dvc.lock.LockError:
    print("busy", flush=True)
"""


def start(*argv):
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


def theirs(script, *argv):
    return start(python, "-B", "-c", script, *argv)


def ours(ms, *paths):
    return start(locked, tmp, str(ms), *paths)


def line(p):
    return p.stdout.readline().rstrip("\n")


def end(p):
    p.stdin.close()
    p.stdout.close()
    return p.wait(30)


def rest(p):
    out = p.communicate("", timeout=30)[0].splitlines()
    return out


lock = os.path.join(tmp, "lock")

# They hold, we wait for them.
p = theirs(HOLD, lock)
same(line(p), "taken", "DVC takes the lock")
q = ours(0)
ok(line(q).startswith(f"busy: the repository is in use by process {p.pid} ("), "we name the process that has it")
end(q)
q = ours(30000)
ok(line(q).startswith(f"waiting for process {p.pid} ("), "or say that we wait for it")
end(p)
same(line(q), "taken", "and have it when it is done")

# We hold, they give up.
with open(lock) as f:
    same(f.read(), f" {q.pid}\n", "the file holds our number, as DVC writes it")
same(rest(theirs(TRY, lock)), ["busy"], "DVC finds it locked")
end(q)
same(rest(theirs(TRY, lock)), ["taken"], "and has it when we are done")

# A process that was killed holds nothing.
p = theirs(HOLD, lock)
line(p)
p.kill()
p.wait()
q = ours(5000)
same(line(q), "taken", "what a killed process held is free")
end(q)

# Paths.
p = theirs(PATHS, tmp, "w:/r/out", "r:/r/in")
same(line(p), "taken", "DVC locks paths")
for path, busy in (("w:/r/out", 1), ("r:/r/out/x", 1), ("w:/r", 1), ("r:/r/in", 0), ("w:/r/in", 1), ("w:/r/other", 0)):
    q = ours(0, path)
    got = line(q)
    want = f"busy: '{path[2:]}' is in use by process {p.pid} (a command)" if busy else "taken"
    same(got, want, f"while DVC works there: {path}")
    end(q)
end(p)
q = ours(0, "w:/r/out")
same(line(q), "taken", "what DVC gave back is ours")
same(rest(theirs(PATHS, tmp, "r:/r/out/x")), [f"busy (PID {q.pid}): locked"], "and DVC finds us there")
same(rest(theirs(PATHS, tmp, "r:/r/in")), ["taken"], "but not elsewhere")
q.kill()
q.wait()
same(rest(theirs(PATHS, tmp, "w:/r/out")), ["taken"], "DVC drops us when we are dead")
p = theirs(PATHS, tmp, "w:/r/out")
line(p)
p.kill()
p.wait()
q = ours(0, "r:/r/out")
same(line(q), "taken", "and we drop DVC when it is")
end(q)
with open(os.path.join(tmp, "rwlock")) as f:
    same(f.read(), "{}", "nothing is left")
tap.done()
