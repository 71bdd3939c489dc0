"""TAP for the tests of this directory, and the interpreter that has DVC."""
import atexit
import os
import shutil
import signal
import sys
import tempfile

import oracle

count = 0
bad = 0


def ok(good, name):
    global count, bad
    count += 1
    bad += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    return bool(good)


def same(got, wanted, name):
    good = ok(got == wanted, name)
    if not good:
        diag(f"     got: {got!r}\n  wanted: {wanted!r}")
    return good


def diag(text):
    for line in text.splitlines():
        print("# " + line.encode("utf-8", "backslashreplace").decode(), file=sys.stderr, flush=True)


def works(tool, argv, cwd, name=None, rc=0):
    """A command ends with ${rc}: a test, called ${name} or by its words.  Return what it prints."""
    got, out, err = tool.run(argv, cwd)
    if not ok(got == rc, name or f"{tool.name} {' '.join(argv)}"):
        diag(f"{got}: {out}{err}")
    return out


def put(path, text, mode=None):
    """A file is written anew, in the place where it is if it is one, with the directories above it."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    if mode is not None:
        os.chmod(path, mode)


def put_anew(path, text):
    """The same as another file: what is linked to an object is not to be written to."""
    if os.path.lexists(path):
        os.unlink(path)
    put(path, text)


def done():
    print(f"1..{count}")
    sys.exit(1 if bad else 0)


def python(within=False):
    """The interpreter with DVC, ${within} which the test goes on; without one it ends here, skipped with the reason."""
    found, why = oracle.venv()
    if not found:
        print("1..0 # SKIP " + why.splitlines()[-1])
        sys.exit(0)
    if within:
        oracle.go_on(found)
    return found


def scratch(memory=False):
    """A directory that goes with the test, also with one that is ended by a signal; in memory, if there is some."""
    where = "/dev/shm" if memory and os.access("/dev/shm", os.W_OK) else None
    top = os.path.realpath(tempfile.mkdtemp(prefix="dag-dvc-", dir=where))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))

    def remove(owner=os.getpid()):
        if os.getpid() == owner:
            shutil.rmtree(top, ignore_errors=True)

    atexit.register(remove)
    return top
