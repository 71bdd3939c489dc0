#!/usr/bin/python3 -B
"""The harness itself: DVC agrees with DVC, and whatever a tool does wrong is seen."""
import io
import json
import os
import shutil
import subprocess
from contextlib import redirect_stdout

import tap
from tap import ok, same

python = tap.python(within=True)
import oracle
import walk
from place import Place, differences, snapshot

top = tap.scratch()
os.environ["TMPDIR"] = top


def said(argv, defect=None):
    out = io.StringIO()
    with redirect_stdout(out):
        rc = walk.main(argv, defect)
    return rc, out.getvalue()


# DVC against itself, on what a walk is made of.
story = [
    ["write", "a b", "1", "1"], ["mkdir", "d/sub"], ["write", "d/sub/ü", "2", "40"], ["ln", "sub/ü", "d/link"],
    ["both", "0", "", "add", "--", "d", "a b"], ["both", "1", "", "push"],
    ["git", "add", "-A"], ["git", "commit", "-qm", "one"], ["git", "switch", "-q", "-c", "other"],
    ["append", "d/sub/ü", "+"], ["both", "0", "", "checkout", "d"], ["both", "1", "", "commit", "-f"],
    ["text", "a b.dvc", "# mine\nouts: # theirs\n-   path: a b\n    hash: md5\n"], ["both", "0", "", "add", "--", "a b"],
]
with open(top + "/story", "w") as f:
    f.write("".join(json.dumps(op) + "\n" for op in story))
rc, out = said(["--tools", "dvc,dvc", "--replay", top + "/story"])
same(rc, 0, "DVC against DVC")
ok(" 5 turns, 20 questions in " in out, "all of it was played") or tap.diag(out)
if os.environ.get("DAG_WALK_OWN"):
    for seed in os.environ["DAG_WALK_OWN"].split():
        rc, out = said(["--tools", "dvc,dvc", "--seed", seed])
        same(rc, 0, "a walk with seed " + seed) or tap.diag(out)


# What is wrong in the files is seen: each defect in a copy of one place.
place = Place(top + "/place")
w = walk.Walk(top + "/place2", ["dvc", "dvc"], python, None)
for op in story[:4] + [["mkdir", "e"]]:
    w.apply(op)
repo = w.place.repo
for argv in (["add", "--", "a b", "d"], ["push"]):
    w.must_dvc(argv)
right = snapshot(w.place)
objects = sorted(p for p in right if p.startswith("repo/.dvc/cache") and right[p][0] == "file")
remote = sorted(p for p in right if p.startswith("rem1/") and right[p][0] == "file")


def spoil(path, old, new):
    with open(path, "rb") as f:
        text = f.read()
    assert old in text, (path, old, text)
    os.chmod(path, 0o644)
    with open(path, "wb") as f:
        f.write(text.replace(old, new, 1))


defects = {
    "a pointer with its keys in another order": lambda p: spoil(p + "/repo/a b.dvc", b"  size: 10\n  hash: md5\n", b"  hash: md5\n  size: 10\n"),
    "a pointer with quotes that DVC would not use": lambda p: spoil(p + "/repo/a b.dvc", b"path: a b", b"path: 'a b'"),
    "a .gitignore without its last newline": lambda p: spoil(p + "/repo/.gitignore", b"/d\n", b"/d"),
    "a line of .gitignore twice": lambda p: spoil(p + "/repo/.gitignore", b"/d\n", b"/d\n/d\n"),
    "a .gitignore more": lambda p: open(p + "/repo/e/.gitignore", "w").close(),
    "a setting with another indent": lambda p: spoil(p + "/repo/.dvc/config", b"    url", b"  url"),
    "an object that may be written": lambda p: os.chmod(p + "/" + objects[0], 0o644),
    "an object of the remote that may be written": lambda p: os.chmod(p + "/" + remote[0], 0o644),
    "an object that is not there": lambda p: os.unlink(p + "/" + objects[1]),
    "an object too many": lambda p: shutil.copy(p + "/" + objects[0], p + "/" + objects[0] + "0"),
    "an object under another name": lambda p: os.rename(p + "/" + objects[2], p + "/" + objects[2] + ".dir"),
    "a remote that lacks an object": lambda p: os.unlink(p + "/" + remote[-1]),
    "a directory of the cache for the group": lambda p: os.chmod(os.path.dirname(p + "/" + objects[0]), 0o775),
    "a temporary that is left": lambda p: open(os.path.dirname(p + "/" + objects[0]) + "/.x.tmp", "w").close(),
    "a .dir with a newline at its end": lambda p: spoil([p + "/" + o for o in objects if o.endswith(".dir")][0], b"}]", b"}]\n"),
    "a file that runs": lambda p: os.chmod(p + "/repo/d/sub/ü", 0o755),
    "a file that is gone": lambda p: os.unlink(p + "/repo/d/sub/ü"),
    "a file in place of a symlink": lambda p: (os.unlink(p + "/repo/d/link"), os.symlink("sub/ü", p + "/repo/d/link")),
    "an empty directory that is gone": lambda p: os.rmdir(p + "/repo/e"),
    "a hard link into the cache": lambda p: (os.unlink(p + "/repo/a b"), os.link(p + "/" + objects[0], p + "/repo/a b")),
    "a file that git was told of": lambda p: w.place.git("add", "a b.dvc"),
}
w.place.put_aside("begin")
for name, defect in defects.items():
    w.place.copy_of("begin")
    same(differences(right, snapshot(w.place)), [], "a copy is alike") if name.startswith("a pointer with its") else None
    defect(w.place.now)
    ok(differences(right, snapshot(w.place)), name + " is seen")
    w.place.drop("now")
w.place.bring_back("begin")
os.utime(w.place.path("a b"), (1, 1))
same(differences(right, snapshot(w.place)), [], "times are not looked at")
w.close()


# What is wrong in answers and exits is seen, and the walk says where.
class Defect:
    def __init__(self, verb, change):
        self.verb, self.change = verb, change

    def __call__(self, argv, cwd, answer):
        return self.change(argv, cwd, answer) if argv[0] == self.verb else None


def one_less(argv, cwd, answer):
    return answer[0], answer[1].replace('"d/sub/ü"', '"d/sub/u"').replace('"d/sub/\\u00fc"', '"d/sub/u"'), answer[2]


lies = {
    ("answer", "data"): Defect("data", one_less),
    ("answer", "status"): Defect("status", lambda argv, cwd, answer: (0, '{"x.dvc": []}\n', "")),
    ("json", "diff"): Defect("diff", lambda argv, cwd, answer: (0, "Added:\n", "")),
    ("exit", "add"): Defect("add", lambda argv, cwd, answer: (1, "", "no")),
    ("files", "add"): Defect("add", lambda argv, cwd, answer: spoil(cwd + "/d.dvc", b"nfiles: 2", b"nfiles: 3")),
    ("reading", "status"): Defect("status", lambda argv, cwd, answer: open(cwd + "/left", "w").close()),
}
for (kind, verb), defect in lies.items():
    args = walk.arguments(["--tools", "dvc,wrong"])
    failed = walk.play(story[:5], args, python, lambda: defect)
    same(failed and (failed[0][0], failed[1]), (kind, 5), f"a wrong {verb} is seen ({kind})")
rc, out = said(["--tools", "dvc,wrong", "--replay", top + "/story"], lambda: lies["files", "add"])
same(rc, 1, "a walk that fails")
ok("operation 5: dvc and wrong leave different files behind `add -- d a b`\n  repo/d.dvc\n" in out, "it says what differs") or tap.diag(out)
ok(all(json.dumps(op) in out for op in story[:5]) and json.dumps(story[5]) not in out, "and prints its steps")


# Shrinking, of a walk that fails once 3 and 7 have come.
def again(ops):
    for n, op in enumerate(ops):
        if op == 7 and 3 in ops[:n]:
            return "x", n + 1
    return None


same(walk.shrink(list(range(40)), "x", again, 10), [3, 7], "what does not matter is left out")
same(walk.shrink([3, 7], "other", again, 10), [3, 7], "another failure is not the same one")
tap.done()
